/*
 * ical_rule.c
 *		Recurrence rules (RFC 5545, 3.3.10): reading them, and their dates.
 *
 * A rule is read as a filter on the days of its periods.  Each period (year,
 * month, week or day) gives the days that all BY parts let pass, times its
 * times of day, of which BYSETPOS takes some.  So whatever the rule is, a
 * period costs no more than its days, and nothing is searched beyond the days
 * that were asked for.
 *
 * Where the standard leaves room:
 * - DTSTART itself is a date only if the rule gives it.
 * - BYMONTHDAY of a yearly rule without BYMONTH is of every month.
 * - BYWEEKNO without BYDAY means DTSTART's day of the week, and weeks belong to
 *   the year of their number, also the days of them that lie in another year.
 * - A date as UNTIL includes that day.
 */
#include "icalendar.h"

#include "miscadmin.h"
#include "utils/datetime.h"

#define MAX_INTERVAL	9999
#define MAX_COUNT		100000
#define MAX_WEEKDAYS	64
#define MAX_TIMES		1440	/* times of day of one rule */
#define MAX_FOUND		100000	/* dates of one rule */
#define MAX_WORK		INT64CONST(100000000)	/* days looked at for one text */

#define LAST_YEAR		9999

typedef struct rule_reader
{
	int			line;
	const char *name;			/* of the part, for messages */
	const char *text;			/* its value */
	size_t		length;
} rule_reader;

static void
refuse_part(const rule_reader *in) pg_attribute_noreturn();

static void
refuse_part(const rule_reader *in)
{
	ical_refuse(ICAL_INVALID, in->line, "invalid %s \"%s\" in the RRULE", in->name,
				ical_shown(in->text, in->length));
}

/* A number with or without a sign; NULL when there is none at p. */
static const char *
read_integer(const char *p, const char *end, int *value)
{
	bool		negative = p < end && *p == '-';
	int			digits = 0;

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	*value = 0;
	while (p < end && *p >= '0' && *p <= '9' && digits < 9)
	{
		*value = *value * 10 + (*p++ - '0');
		digits++;
	}
	if (digits == 0 || (p < end && *p >= '0' && *p <= '9'))
		return NULL;
	if (negative)
		*value = -*value;
	return p;
}

static int
read_positive(const rule_reader *in, int most)
{
	const char *end = in->text + in->length;
	int			value;

	/* Too many digits are too much. */
	if (in->length > 9 && strspn(in->text, "0123456789") >= in->length)
		value = most + 1;
	else if (read_integer(in->text, end, &value) != end || in->text[0] == '+' || value < 1)
		refuse_part(in);
	if (value > most)
		ical_refuse(ICAL_LIMIT, in->line, "%s over %d in the RRULE", in->name, most);
	return value;
}

static int
compare_int16(const void *a, const void *b)
{
	return *(const int16 *) a - *(const int16 *) b;
}

/* Numbers from `least` to `most`, and with `negative` from -most to -least. */
static ical_list
read_list(const rule_reader *in, int least, int most, bool negative)
{
	const char *p = in->text;
	const char *end = in->text + in->length;
	ical_list	list = {0};
	int			limit = (most - least + 1) * (negative ? 2 : 1);
	int			unique = 0;

	list.values = palloc(sizeof(int16) * limit);
	for (;;)
	{
		int			value;

		p = read_integer(p, end, &value);
		if (p == NULL || (p < end && *p != ',') || abs(value) < least || abs(value) > most ||
			(value < 0 && !negative))
			refuse_part(in);
		if (list.n == limit)
			ical_refuse(ICAL_LIMIT, in->line, "more than %d values of %s in the RRULE", limit,
						in->name);
		list.values[list.n++] = (int16) value;
		if (p == end)
			break;
		p++;
	}
	qsort(list.values, list.n, sizeof(int16), compare_int16);
	for (int i = 0; i < list.n; i++)
	{
		if (unique == 0 || list.values[unique - 1] != list.values[i])
			list.values[unique++] = list.values[i];
	}
	list.n = unique;
	return list;
}

/* MO to SU, as 0 to 6; -1 when it is none. */
static int
weekday_of(const char *p)
{
	static const char names[] = "MOTUWETHFRSASU";

	for (int i = 0; i < 7; i++)
	{
		if (pg_strncasecmp(p, names + 2 * i, 2) == 0)
			return i;
	}
	return -1;
}

static void
read_weekdays(const rule_reader *in, ical_rule *rule)
{
	const char *p = in->text;
	const char *end = in->text + in->length;

	rule->weekdays = palloc(sizeof(ical_nth_weekday) * MAX_WEEKDAYS);
	for (;;)
	{
		int			nth = 0;
		int			weekday;

		if (p < end && (*p == '-' || *p == '+' || (*p >= '0' && *p <= '9')))
		{
			p = read_integer(p, end, &nth);
			if (p == NULL || nth == 0 || abs(nth) > 53)
				refuse_part(in);
		}
		if (end - p < 2 || (weekday = weekday_of(p)) < 0)
			refuse_part(in);
		p += 2;
		if (p < end && *p != ',')
			refuse_part(in);
		if (rule->nweekdays == MAX_WEEKDAYS)
			ical_refuse(ICAL_LIMIT, in->line, "more than %d values of BYDAY in the RRULE",
						MAX_WEEKDAYS);
		rule->weekdays[rule->nweekdays++] =
			(ical_nth_weekday) {.nth = (int16) nth, .weekday = (int16) weekday};
		if (p == end)
			break;
		p++;
	}
}

static bool
is_word(const rule_reader *in, const char *word)
{
	return strlen(word) == in->length && pg_strncasecmp(in->text, word, in->length) == 0;
}

static void
refuse_together(int line, const char *what) pg_attribute_noreturn();

static void
refuse_together(int line, const char *what)
{
	ical_refuse(ICAL_INVALID, line, "an RRULE with %s, which RFC 5545 does not allow,", what);
}

/* What the parts may not be together. */
static void
check_rule(const ical_rule *rule, int line)
{
	bool		nth = false;

	for (int i = 0; i < rule->nweekdays; i++)
		nth |= rule->weekdays[i].nth != 0;

	if (rule->count > 0 && rule->has_until)
		refuse_together(line, "both COUNT and UNTIL");
	if (rule->weeks.n > 0 && rule->frequency != ICAL_YEARLY)
		refuse_together(line, "BYWEEKNO and not yearly");
	if (rule->year_days.n > 0 && rule->frequency != ICAL_YEARLY)
		refuse_together(line, "BYYEARDAY and a period shorter than a year");
	if (rule->month_days.n > 0 && rule->frequency == ICAL_WEEKLY)
		refuse_together(line, "BYMONTHDAY and weekly");
	if (nth && (rule->frequency == ICAL_WEEKLY || rule->frequency == ICAL_DAILY))
		refuse_together(line, "numbered BYDAY and weekly or daily");
	if (nth && rule->weeks.n > 0)
		refuse_together(line, "numbered BYDAY and BYWEEKNO");
	if (rule->weeks.n > 0 && (rule->month_days.n > 0 || rule->year_days.n > 0))
		ical_refuse(ICAL_UNKNOWN, line,
					"an RRULE with BYWEEKNO and days of months or years, which is not supported,");
	if ((int64) Max(rule->hours.n, 1) * Max(rule->minutes.n, 1) * Max(rule->seconds.n, 1) >
		MAX_TIMES)
		ical_refuse(ICAL_LIMIT, line, "more than %d times of day in the RRULE", MAX_TIMES);
}

/* Read the value of an RRULE into the current memory context. */
ical_rule *
ical_read_rule(const char *text, size_t length, int line)
{
	static const char *const names[] = {
		"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYYEARDAY",
		"BYWEEKNO", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS", "RSCALE", "SKIP"
	};
	ical_rule  *rule = palloc0(sizeof(ical_rule));
	const char *p = text;
	const char *end = text + length;
	uint32		seen = 0;

	rule->line = line;
	rule->interval = 1;
	while (p < end)
	{
		const char *stop = memchr(p, ';', end - p);
		const char *equal;
		rule_reader in = {.line = line};
		ical_list	list;
		size_t		number = 0;

		if (stop == NULL)
			stop = end;
		/* a semicolon at the end is seen in the wild */
		if (stop == p && stop == end)
			break;
		equal = memchr(p, '=', stop - p);
		while (number < lengthof(names) &&
			   (equal == NULL || strlen(names[number]) != equal - p ||
				pg_strncasecmp(names[number], p, equal - p) != 0))
			number++;
		if (number == lengthof(names))
			ical_refuse(ICAL_INVALID, line, "unknown part \"%s\" in the RRULE",
						ical_shown(p, stop - p));
		in.name = names[number];
		in.text = equal + 1;
		in.length = stop - equal - 1;
		if ((seen & (1 << number)) != 0)
			ical_refuse(ICAL_INVALID, line, "a second %s in the RRULE", in.name);
		seen |= 1 << number;

		switch (number)
		{
			case 0:
				if (is_word(&in, "YEARLY"))
					rule->frequency = ICAL_YEARLY;
				else if (is_word(&in, "MONTHLY"))
					rule->frequency = ICAL_MONTHLY;
				else if (is_word(&in, "WEEKLY"))
					rule->frequency = ICAL_WEEKLY;
				else if (is_word(&in, "DAILY"))
					rule->frequency = ICAL_DAILY;
				else if (is_word(&in, "HOURLY") || is_word(&in, "MINUTELY") ||
						 is_word(&in, "SECONDLY"))
					ical_refuse(ICAL_UNKNOWN, line,
								"an RRULE that repeats more often than daily, which is not supported,");
				else
					refuse_part(&in);
				break;
			case 1:
				rule->interval = read_positive(&in, MAX_INTERVAL);
				break;
			case 2:
				rule->count = read_positive(&in, MAX_COUNT);
				break;
			case 3:
				if (!ical_read_date_time(in.text, in.length, &rule->until,
										 &rule->until_date, &rule->until_utc))
					refuse_part(&in);
				rule->has_until = true;
				break;
			case 4:
				if (in.length != 2 || (rule->week_start = weekday_of(in.text)) < 0)
					refuse_part(&in);
				break;
			case 5:
				list = read_list(&in, 1, 12, false);
				for (int i = 0; i < list.n; i++)
					rule->months |= 1 << (list.values[i] - 1);
				break;
			case 6:
				rule->month_days = read_list(&in, 1, 31, true);
				break;
			case 7:
				rule->year_days = read_list(&in, 1, 366, true);
				break;
			case 8:
				rule->weeks = read_list(&in, 1, 53, true);
				break;
			case 9:
				read_weekdays(&in, rule);
				break;
			case 10:
				rule->hours = read_list(&in, 0, 23, false);
				break;
			case 11:
				rule->minutes = read_list(&in, 0, 59, false);
				break;
			case 12:
				rule->seconds = read_list(&in, 0, 60, false);
				break;
			case 13:
				rule->positions = read_list(&in, 1, 366, true);
				break;
			case 14:
				if (!is_word(&in, "GREGORIAN"))
					ical_refuse(ICAL_UNKNOWN, line,
								"an RRULE of the calendar \"%s\", which is not supported,",
								ical_shown(in.text, in.length));
				break;
			case 15:
				if (!is_word(&in, "OMIT"))
					ical_refuse(ICAL_UNKNOWN, line,
								"an RRULE with SKIP, which is not supported,");
				break;
		}
		p = stop + 1;
	}
	if ((seen & 1) == 0)
		ical_refuse(ICAL_INVALID, line, "an RRULE without FREQ");
	check_rule(rule, line);
	return rule;
}

/* Days since 2000-01-01 of the first of a month, which may lie beyond the year. */
static int64
month_start(int64 month_number)
{
	int64		year = sla_floor_div(month_number, 12);

	return (int64) date2j((int) year, (int) (month_number - year * 12) + 1, 1) -
		POSTGRES_EPOCH_JDATE;
}

/* 0: Monday.  2000-01-01 was a Saturday. */
static int
weekday_on(int64 day)
{
	return (int) sla_floor_mod(day + 5, 7);
}

/* The first day of week 1: the first week with four days in the year. */
static int64
first_week(int64 year, int week_start)
{
	int64		fourth = month_start(year * 12) + 3;

	return fourth - sla_floor_mod(weekday_on(fourth) - week_start, 7);
}

static bool
contains(const ical_list *list, int value)
{
	int16		key = (int16) value;

	return bsearch(&key, list->values, list->n, sizeof(int16), compare_int16) != NULL;
}

/* One being of a rule that is worked out. */
typedef struct expansion
{
	const ical_rule *rule;
	int			start_weekday;
	int			start_month_day;
	uint16		months;			/* 0: all */
	bool		by_start_month_day; /* nothing else says which day */
	bool		by_start_weekday;
	int			ntimes;
	int32	   *times;			/* seconds of the day, rising */
	int64	   *days;			/* of the period, room for 366 */
	int			ndays;
} expansion;

/* Is it the nth of its weekday, in [from, to)? */
static bool
is_nth(int64 day, int64 from, int64 to, int nth)
{
	if (nth > 0)
		return (day - from) / 7 + 1 == nth;
	return (to - 1 - day) / 7 + 1 == -nth;
}

/*
 * Does a day of the period [from, to) pass?  It is the month_day'th of a month
 * of `length` days, which passes.
 */
static bool
passes(const expansion *e, int64 day, int month_day, int length, int64 from, int64 to)
{
	const ical_rule *rule = e->rule;
	int			weekday = weekday_on(day);

	if (rule->month_days.n > 0 && !contains(&rule->month_days, month_day) &&
		!contains(&rule->month_days, month_day - length - 1))
		return false;
	if (e->by_start_month_day && month_day != e->start_month_day)
		return false;
	if (e->by_start_weekday && weekday != e->start_weekday)
		return false;
	if (rule->year_days.n > 0)
	{
		int			day_of_year = (int) (day - from) + 1;

		if (!contains(&rule->year_days, day_of_year) &&
			!contains(&rule->year_days, day_of_year - (int) (to - from) - 1))
			return false;
	}
	if (rule->weeks.n > 0)
	{
		int			week = (int) (day - from) / 7 + 1;

		if (!contains(&rule->weeks, week) &&
			!contains(&rule->weeks, week - (int) (to - from) / 7 - 1))
			return false;
	}
	if (rule->nweekdays > 0)
	{
		int64		month_from = day - month_day + 1;
		bool		in_month = rule->frequency == ICAL_MONTHLY || rule->months != 0;
		bool		found = false;

		for (int i = 0; i < rule->nweekdays && !found; i++)
		{
			const ical_nth_weekday *wanted = &rule->weekdays[i];

			found = wanted->weekday == weekday &&
				(wanted->nth == 0 ||
				 (in_month ? is_nth(day, month_from, month_from + length, wanted->nth)
				  : is_nth(day, from, to, wanted->nth)));
		}
		if (!found)
			return false;
	}
	return true;
}

/* Collect the days of the period [from, to) that pass, month by month. */
static void
collect_days(ical_calendar *calendar, expansion *e, int64 from, int64 to)
{
	e->ndays = 0;
	for (int64 day = from; day < to;)
	{
		int			year;
		int			month;
		int			month_day;
		int			length;
		int64		end;

		j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
		length = day_tab[isleap(year)][month - 1];
		end = Min(to, day + length - month_day + 1);
		calendar->work++;
		if (e->months != 0 && (e->months & (1 << (month - 1))) == 0)
		{
			day = end;
			continue;
		}
		calendar->work += end - day;
		for (; day < end; day++, month_day++)
		{
			if (passes(e, day, month_day, length, from, to))
				e->days[e->ndays++] = day;
		}
	}
	if (calendar->work > MAX_WORK)
		ical_refuse(ICAL_LIMIT, e->rule->line, "too much work, with the RRULE");
}

/* The period of a number, counted from the one of DTSTART: [*from, *to). */
static void
period_of(const ical_rule *rule, int64 base, int64 number, int64 *from, int64 *to)
{
	int64		at = base + number * rule->interval;

	switch (rule->frequency)
	{
		case ICAL_YEARLY:
			if (rule->weeks.n > 0)
			{
				*from = first_week(at, rule->week_start);
				*to = first_week(at + 1, rule->week_start);
			}
			else
			{
				*from = month_start(at * 12);
				*to = month_start(at * 12 + 12);
			}
			break;
		case ICAL_MONTHLY:
			*from = month_start(at);
			*to = month_start(at + 1);
			break;
		case ICAL_WEEKLY:
			*from = at * 7 + sla_floor_mod(rule->week_start - 5, 7);
			*to = *from + 7;
			break;
		case ICAL_DAILY:
			*from = at;
			*to = at + 1;
			break;
	}
}

/* The number of the period that a day is in, before intervals. */
static int64
period_at(const ical_rule *rule, int64 day)
{
	int			year;
	int			month;
	int			month_day;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	switch (rule->frequency)
	{
		case ICAL_YEARLY:
			if (rule->weeks.n > 0)
			{
				if (day < first_week(year, rule->week_start))
					return year - 1;
				if (day >= first_week(year + 1, rule->week_start))
					return year + 1;
			}
			return year;
		case ICAL_MONTHLY:
			return (int64) year * 12 + month - 1;
		case ICAL_WEEKLY:
			return sla_floor_div(day - sla_floor_mod(rule->week_start - 5, 7), 7);
		case ICAL_DAILY:
			break;
	}
	return day;
}

static int
compare_int32(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return (x > y) - (x < y);
}

/* The times of day. */
static void
set_times(expansion *e, const ical_time *start)
{
	const ical_rule *rule = e->rule;
	int32		second = (int32) sla_floor_mod(start->second, SECS_PER_DAY);
	int16		hour = (int16) (second / SECS_PER_HOUR);
	int16		minute = (int16) (second / SECS_PER_MINUTE % MINS_PER_HOUR);
	int16		of_minute = (int16) (second % SECS_PER_MINUTE);
	ical_list	hours = rule->hours.n > 0 ? rule->hours : (ical_list) {1, &hour};
	ical_list	minutes = rule->minutes.n > 0 ? rule->minutes : (ical_list) {1, &minute};
	ical_list	seconds = rule->seconds.n > 0 ? rule->seconds : (ical_list) {1, &of_minute};

	e->times = palloc(sizeof(int32) * MAX_TIMES);
	if (start->is_date)
	{
		/* RFC 5545: times are ignored for dates. */
		e->times[e->ntimes++] = 0;
		return;
	}
	for (int h = 0; h < hours.n; h++)
		for (int m = 0; m < minutes.n; m++)
			for (int s = 0; s < seconds.n; s++)
			{
				int32		at = (hours.values[h] * MINS_PER_HOUR + minutes.values[m]) * SECS_PER_MINUTE +
					Min(seconds.values[s], 59);

				if (e->ntimes == 0 || e->times[e->ntimes - 1] != at)
					e->times[e->ntimes++] = at;
			}
	qsort(e->times, e->ntimes, sizeof(int32), compare_int32);
}

static int
compare_int64(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/*
 * The dates that a rule gives from DTSTART on, those in [from, to), rising, in
 * *found; returns how many.  All in wall-clock seconds of DTSTART's zone.
 */
int
ical_expand_rule(ical_calendar *calendar, const ical_rule *rule, const ical_time *start,
				 ical_second from, ical_second to, ical_second **found)
{
	expansion	e = {.rule = rule};
	int64		days[400];
	int64		start_day = sla_floor_div(start->second, SECS_PER_DAY);
	int64		base = period_at(rule, start_day);
	int64		number = 0;
	int64		counted = 0;
	ical_second until = PG_INT64_MAX;
	int			room = 64;
	int			n = 0;
	int64	   *positions = NULL;

	*found = palloc(sizeof(ical_second) * room);
	e.days = days;
	e.start_weekday = weekday_on(start_day);
	{
		int			year;
		int			month;

		j2date((int) start_day + POSTGRES_EPOCH_JDATE, &year, &month, &e.start_month_day);
		e.months = rule->months;
		if (rule->nweekdays == 0 && rule->month_days.n == 0 && rule->year_days.n == 0)
		{
			if (rule->weeks.n > 0 || rule->frequency == ICAL_WEEKLY)
				e.by_start_weekday = true;
			else if (rule->frequency != ICAL_DAILY)
				e.by_start_month_day = true;
			if (rule->frequency == ICAL_YEARLY && rule->weeks.n == 0 && rule->months == 0)
				e.months = 1 << (month - 1);
		}
	}
	set_times(&e, start);
	if (rule->positions.n > 0)
		positions = palloc(sizeof(int64) * rule->positions.n);

	if (rule->has_until)
	{
		until = rule->until;
		if (rule->until_utc && start->zone != NULL)
			until = ical_to_local(&start->zone->zone, until);
		/* A date, or a time for a date, is compared by its day. */
		if (start->is_date || rule->until_date)
			until = sla_floor_div(until, SECS_PER_DAY) * SECS_PER_DAY + SECS_PER_DAY - 1;
	}

	/* Without COUNT nothing before the days asked for matters. */
	if (rule->count == 0 && from > start->second)
	{
		number = (period_at(rule, sla_floor_div(from, SECS_PER_DAY)) - base) / rule->interval - 1;
		number = Max(number, 0);
	}

	for (;; number++)
	{
		int64		first = 0;
		int64		end = 0;
		int64		total;
		int			npositions;

		CHECK_FOR_INTERRUPTS();
		period_of(rule, base, number, &first, &end);
		if (first * SECS_PER_DAY >= to || first * SECS_PER_DAY > until ||
			first >= month_start((LAST_YEAR + 1) * 12))
			break;
		collect_days(calendar, &e, first, end);
		total = (int64) e.ndays * e.ntimes;

		/* Which of them: all, or those at the positions. */
		npositions = 0;
		for (int i = 0; i < rule->positions.n; i++)
		{
			int			position = rule->positions.values[i];
			int64		index = position > 0 ? position - 1 : total + position;

			if (index >= 0 && index < total)
				positions[npositions++] = index;
		}
		if (rule->positions.n > 0)
		{
			qsort(positions, npositions, sizeof(int64), compare_int64);
			total = npositions;
		}

		for (int64 i = 0; i < total; i++)
		{
			int64		index = positions != NULL ? positions[i] : i;
			ical_second at;

			if (positions != NULL && i > 0 && positions[i] == positions[i - 1])
				continue;
			at = days[index / e.ntimes] * SECS_PER_DAY + e.times[index % e.ntimes];
			if (at < start->second)
				continue;
			if (at > until || at >= to)
				return n;
			if (rule->count > 0 && ++counted > rule->count)
				return n;
			if (at < from)
				continue;
			if (n == MAX_FOUND)
				ical_refuse(ICAL_LIMIT, rule->line, "more than %d dates of the RRULE", MAX_FOUND);
			if (n == room)
			{
				room *= 2;
				*found = repalloc(*found, sizeof(ical_second) * room);
			}
			(*found)[n++] = at;
		}
		if (rule->count > 0 && counted >= rule->count)
			break;
	}
	return n;
}
