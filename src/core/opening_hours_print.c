/*
 * opening_hours_print.c
 *		Opening hours as canonical text.
 *
 * In OSM's own spelling: days and weeks of two digits, weekdays in the order
 * of the week with three and more as a range, spans sorted and joined, and
 * each rule with its times written out, except that "24/7" stands for every
 * day and "off" for no time at all.  Reading it gives equal rules.
 */
#include "opening_hours_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef struct writer
{
	char	   *buffer;
	size_t		size;
	size_t		length;			/* of all that was written, room or not */
} writer;

static void
put_bytes(writer *writer, const char *bytes, size_t length)
{
	if (writer->length < writer->size)
	{
		size_t		room = writer->size - writer->length;

		memcpy(writer->buffer + writer->length, bytes,
			   length < room ? length : room);
	}
	writer->length += length;
}

__attribute__((format(printf, 2, 3)))
static void
put(writer *writer, const char *format,...)
{
	char		bytes[64];
	va_list		arguments;
	int			length;

	va_start(arguments, format);
	length = vsnprintf(bytes, sizeof(bytes), format, arguments);
	va_end(arguments);
	put_bytes(writer, bytes, (size_t) length);
}

static void
put_offset(writer *writer, int offset)
{
	if (offset != 0)
		put(writer, " %+d day%s", offset,
			offset == 1 || offset == -1 ? "" : "s");
}

static void
put_years(writer *writer, const year_range *ranges, int n, bool dates_follow)
{
	for (int i = 0; i < n; i++)
	{
		const year_range *range = &ranges[i];

		put(writer, "%s%04d", i > 0 ? "," : "", range->first);
		if (range->last == OPEN_YEAR)
			put(writer, "+");
		else if (range->last != range->first || (n == 1 && dates_follow))
			/* A single year before a date would become a part of it. */
			put(writer, "-%04d", range->last);
		if (range->step != 1)
			put(writer, "/%d", range->step);
	}
}

static void
put_point(writer *writer, const date_point *point, bool year, bool month)
{
	if (year && point->year != 0)
		put(writer, "%04d ", point->year);
	if (point->kind == POINT_EASTER)
		put(writer, "easter");
	else
	{
		if (month)
			put(writer, "%s%s", sla_month_names[point->month - 1],
				point->kind == POINT_MONTH ? "" : " ");
		if (point->kind == POINT_DAY)
			put(writer, "%02d", point->day);
		else if (point->kind == POINT_NTH)
			put(writer, "%s[%d]", sla_weekday_names[point->weekday], point->day);
	}
	put_offset(writer, point->offset);
}

static bool
same_point(const date_point *a, const date_point *b)
{
	return a->year == b->year && a->offset == b->offset &&
		a->kind == b->kind && a->month == b->month && a->day == b->day &&
		a->weekday == b->weekday;
}

static void
put_dates(writer *writer, const date_range *ranges, int n)
{
	for (int i = 0; i < n; i++)
	{
		const date_point *from = &ranges[i].from;
		const date_point *to = &ranges[i].to;
		bool		same_year = from->year == to->year;
		bool		same_month = same_year && to->kind == POINT_DAY &&
			from->month == to->month &&
			(from->kind == POINT_NTH ||
			 (from->kind == POINT_DAY && from->day <= to->day));

		if (i > 0)
			put(writer, ",");
		put_point(writer, from, true, true);
		if (ranges[i].open_end)
			put(writer, "+");
		else if (!same_point(from, to) || from->kind == POINT_NTH)
		{
			put(writer, "-");
			put_point(writer, to, !same_year, !same_month);
		}
	}
}

static void
put_weeks(writer *writer, const week_range *ranges, int n)
{
	put(writer, "week ");
	for (int i = 0; i < n; i++)
	{
		put(writer, "%s%02d", i > 0 ? "," : "", ranges[i].first);
		if (ranges[i].last != ranges[i].first)
			put(writer, "-%02d", ranges[i].last);
		if (ranges[i].step != 1)
			put(writer, "/%d", ranges[i].step);
	}
}

/* Weekdays in their order, three or more in a row as a range. */
static void
put_weekdays(writer *writer, int weekdays, const char **separator)
{
	int			done = 0;

	for (int day = 0; day < 7; day++)
	{
		int			from = day;
		int			length = 0;

		if (!((weekdays >> day) & 1) || ((done >> day) & 1))
			continue;
		/* A run that begins before Monday is met in its middle. */
		if (weekdays != ALL_WEEKDAYS)
		{
			while ((weekdays >> (from + 6) % 7) & 1)
				from = (from + 6) % 7;
		}
		while (length < 7 && ((weekdays >> (from + length) % 7) & 1))
			length++;
		if (length < 3)
		{
			put(writer, "%s%s", *separator, sla_weekday_names[day]);
			done |= 1 << day;
		}
		else
		{
			put(writer, "%s%s-%s", *separator, sla_weekday_names[from],
				sla_weekday_names[(from + length - 1) % 7]);
			for (int i = 0; i < length; i++)
				done |= 1 << (from + i) % 7;
		}
		*separator = ",";
	}
}

static void
put_nth(writer *writer, const nth_weekday *nth)
{
	const char *separator = "";

	put(writer, "%s[", sla_weekday_names[nth->weekday]);
	for (int i = 0; i < 5; i++)
	{
		int			length = 0;

		while (i + length < 5 && ((nth->nths >> (i + length)) & 1))
			length++;
		if (length == 0)
			continue;
		if (length >= 3)
		{
			put(writer, "%s%d-%d", separator, i + 1, i + length);
			i += length - 1;
		}
		else
			put(writer, "%s%d", separator, i + 1);
		separator = ",";
	}
	for (int i = 0; i < 5; i++)
	{
		if ((nth->nths >> (5 + i)) & 1)
		{
			put(writer, "%s-%d", separator, i + 1);
			separator = ",";
		}
	}
	put(writer, "]");
	put_offset(writer, nth->offset);
}

static void
put_clock(writer *writer, int32_t seconds)
{
	put(writer, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
	if (seconds % 60 != 0)
		put(writer, ":%02d", seconds % 60);
}

static void
put_spans(writer *writer, const sla_window *spans, int n)
{
	for (int i = 0; i < n; i++)
	{
		int32_t		to = spans[i].to;

		if (i > 0)
			put(writer, ",");
		/* Past midnight as on the clock, where that says the same. */
		if (to > DAY && to - DAY <= spans[i].from)
			to -= DAY;
		put_clock(writer, spans[i].from);
		put(writer, "-");
		put_clock(writer, to);
	}
}

static bool
selects_days(const rule *rule)
{
	return rule->nyears > 0 || rule->ndates > 0 || rule->nweeks > 0 ||
		rule->nnths > 0 || rule->weekdays != ALL_WEEKDAYS ||
		rule->holiday != HOLIDAY_NONE;
}

static bool
is_all_day(const sla_hours *hours, const rule *rule)
{
	return !rule->closed && rule->nspans == 1 &&
		hours->spans[rule->spans].from == 0 &&
		hours->spans[rule->spans].to == DAY;
}

/* next is the rule that follows, or NULL. */
static void
put_rule(writer *writer, const sla_hours *hours, const rule *rule,
		 const struct rule *next)
{
	size_t		start = writer->length;
#define SPACE (writer->length > start ? " " : "")

	if (rule->nyears > 0)
		put_years(writer, hours->years + rule->years, rule->nyears,
				  rule->ndates > 0);
	if (rule->ndates > 0)
	{
		put(writer, "%s", SPACE);
		put_dates(writer, hours->dates + rule->dates, rule->ndates);
	}
	if (rule->nweeks > 0)
	{
		put(writer, "%s", SPACE);
		put_weeks(writer, hours->weeks + rule->weeks, rule->nweeks);
	}
	if (rule->nnths > 0 || rule->weekdays != ALL_WEEKDAYS ||
		rule->holiday != HOLIDAY_NONE)
	{
		const char *separator = "";

		put(writer, "%s", SPACE);
		if (rule->holiday != HOLIDAY_NONE)
		{
			put(writer, "PH");
			separator = rule->holiday == HOLIDAY_AND ? " " : ",";
		}
		put_weekdays(writer, rule->weekdays, &separator);
		for (int i = 0; i < rule->nnths; i++)
		{
			put(writer, "%s", separator);
			put_nth(writer, &hours->nths[rule->nths + i]);
			separator = ",";
		}
	}

	if (!selects_days(rule) && is_all_day(hours, rule))
		put(writer, "24/7");
	else if (rule->nspans > 0)
	{
		put(writer, "%s", SPACE);
		put_spans(writer, hours->spans + rule->spans, rule->nspans);
	}
	if (rule->closed)
		put(writer, "%soff", SPACE);
	else if (rule->comment_length > 0 ||
			 (next != NULL && next->separator == SEPARATOR_ADDITIONAL &&
			  !selects_days(next) && next->nspans > 0 &&
			  !is_all_day(hours, next)))
		/* Else the times of the next rule would belong to this one. */
		put(writer, " open");
	if (rule->comment_length > 0)
	{
		put(writer, " \"");
		put_bytes(writer, hours->comments + rule->comment,
				  rule->comment_length);
		put(writer, "\"");
	}
#undef SPACE
}

/* Terminate what was written; returns its length. */
static size_t
finish(writer *writer)
{
	if (writer->size > 0)
		writer->buffer[writer->length < writer->size ? writer->length : writer->size - 1] = '\0';
	return writer->length;
}

size_t
sla_hours_print(const sla_hours *hours, char *buffer, size_t size)
{
	static const char *const separators[] = {"; ", ", ", " || "};
	writer		writer = {.buffer = buffer, .size = size};

	for (int i = 0; i < hours->nrules; i++)
	{
		if (i > 0)
			put(&writer, "%s", separators[hours->rules[i].separator]);
		put_rule(&writer, hours, &hours->rules[i],
				 i + 1 < hours->nrules ? &hours->rules[i + 1] : NULL);
	}
	return finish(&writer);
}

size_t
sla_hours_print_rule(const sla_hours *hours, int rule, char *buffer, size_t size)
{
	writer		writer = {.buffer = buffer, .size = size};

	put_rule(&writer, hours, &hours->rules[rule], NULL);
	return finish(&writer);
}
