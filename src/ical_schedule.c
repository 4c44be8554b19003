/*
 * ical_schedule.c
 *		Opening hours out of iCalendar texts: RFC 7953, or plain events.
 *
 * A list of components becomes one part of a schedule for each zone: those that
 * repeat as opening hours can say are its hours, and all else is written out as
 * its holidays, dates with hours of their own.  On such a date the hours are
 * those of all components of the zone, so exceptions are exact.
 *
 * Availability is painted as section 4 of RFC 7953 has it, from the lowest
 * priority to the highest: each level closes what it covers and opens what is
 * available in it.  On one level available goes before busy.  What nothing
 * covers is closed.  All kinds of busy time are closed.
 */
#include "icalendar.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "schedule.h"

SLA_FUNCTION(sla_ics_schedule);

#define MAX_DATES	100000
#define TWO_DAYS	(2 * SECS_PER_DAY)

/* Open on a date, in seconds after its midnight. */
typedef struct dated
{
	const ical_zone *zone;
	int64		day;
	int32		from;			/* no hours when to is not later */
	int32		to;
} dated;

/* Open all day on the dates [from, to), as a pattern says. */
typedef struct whole_days
{
	const ical_zone *zone;
	int64		from;
	int64		to;
} whole_days;

/* What a list of components leaves open. */
typedef struct opening
{
	char	   *text;			/* of a schedule */
	ical_second from;			/* UTC: nothing is open before, or from `to` on */
	ical_second to;
} opening;

typedef struct builder
{
	ical_calendar *calendar;
	const ical_zone *local;		/* of floating times, or NULL */
	dated	   *dates;
	int			ndates;
	int			room;
	List	   *zones;			/* of ical_zone, as they are met */
	List	   *patterns;		/* of StringInfo, beside zones */
	List	   *whole;			/* of whole_days */
	ical_second from;
	ical_second to;
} builder;

/* The zone on whose clock a time is. */
static const ical_zone *
clock_of(const builder *b, bool is_date, const ical_zone *zone, int line)
{
	if (zone != NULL && !is_date)
		return zone;
	if (b->local == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a local time on line %d of the iCalendar text, which names no time zone",
						line),
				 errhint("Give the time zone as the argument time_zone.")));
	return b->local;
}

/* The number of a zone in the builder; the same zone may have several names. */
static int
number_of_zone(builder *b, const ical_zone *zone)
{
	ListCell   *cell;

	foreach(cell, b->zones)
	{
		if (((const ical_zone *) lfirst(cell))->zone.data == zone->zone.data)
			return foreach_current_index(cell);
	}
	b->zones = lappend(b->zones, unconstify(ical_zone *, zone));
	b->patterns = lappend(b->patterns, makeStringInfo());
	return list_length(b->zones) - 1;
}

/* As the list has it, which looking for it may make: never both in one expression. */
static ical_zone *
zone_of(builder *b, const ical_zone *zone)
{
	int			number = number_of_zone(b, zone);

	return list_nth(b->zones, number);
}

static StringInfo
pattern_of(builder *b, const ical_zone *zone)
{
	int			number = number_of_zone(b, zone);

	return list_nth(b->patterns, number);
}

static void
add_date(builder *b, const ical_zone *zone, int64 day, int32 from, int32 to)
{
	if (day < SLA_FIRST_HOLIDAY || day > SLA_LAST_HOLIDAY)
		return;
	if (b->ndates == MAX_DATES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d dates in the iCalendar text that stand alone", MAX_DATES)));
	if (b->ndates == b->room)
	{
		b->room *= 2;
		b->dates = repalloc_huge(b->dates, sizeof(dated) * b->room);
	}
	b->dates[b->ndates++] = (dated) {
		.zone = zone_of(b, zone), .day = day, .from = from, .to = to
	};
}

static void
widen(builder *b, ical_second from, ical_second to)
{
	b->from = Min(b->from, from);
	b->to = Max(b->to, to);
}

/* A date as opening hours write it: 2026 Jan 05. */
static void
append_date(StringInfo out, int64 day)
{
	int			year;
	int			month;
	int			month_day;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	appendStringInfo(out, "%04d %s %02d", year, months[month - 1], month_day);
}

/* Open on all of the dates [from, to). */
static void
add_whole_days(builder *b, const ical_zone *zone, int64 from, int64 to)
{
	StringInfo	pattern = pattern_of(b, zone);
	whole_days *whole = palloc(sizeof(whole_days));

	*whole = (whole_days) {
		.zone = zone_of(b, zone), .from = from, .to = to
	};
	b->whole = lappend(b->whole, whole);
	if (pattern->len > 0)
		appendStringInfoString(pattern, ", ");
	append_date(pattern, from);
	appendStringInfoChar(pattern, '-');
	append_date(pattern, to - 1);
	appendStringInfoString(pattern, " 00:00-24:00");
}

/*
 * An occurrence, as windows of the dates on which they begin; a long one as all
 * of its days.
 */
static void
add_instance(builder *b, const ical_instance *instance)
{
	const ical_zone *zone = clock_of(b, instance->is_date, instance->zone,
									 instance->component->start.line);
	int64		day = sla_floor_div(instance->from, SECS_PER_DAY);
	int64		end = sla_floor_div(instance->to, SECS_PER_DAY);
	int32		from = (int32) (instance->from - day * SECS_PER_DAY);
	int32		to = (int32) (instance->to - end * SECS_PER_DAY);

	widen(b, ical_to_utc(&zone->zone, instance->from), ical_to_utc(&zone->zone, instance->to));
	if (instance->to - day * SECS_PER_DAY <= TWO_DAYS)
	{
		add_date(b, zone, day, from, (int32) (instance->to - day * SECS_PER_DAY));
		return;
	}
	if (from > 0)
		add_date(b, zone, day++, from, SECS_PER_DAY);
	if (to > 0)
		add_date(b, zone, end, 0, to);
	if (day + 1 == end)
		add_date(b, zone, day, 0, SECS_PER_DAY);
	else if (day < end)
		add_whole_days(b, zone, day, end);
}

/* The dates to which add_instance adds, without hours yet. */
static void
add_days_of(builder *b, const ical_instance *instance)
{
	const ical_zone *zone = clock_of(b, instance->is_date, instance->zone,
									 instance->component->start.line);
	int64		day = sla_floor_div(instance->from, SECS_PER_DAY);
	int64		end = sla_floor_div(instance->to - 1, SECS_PER_DAY) + 1;

	if (instance->to - day * SECS_PER_DAY <= TWO_DAYS)
		end = day + 1;
	for (; day < end; day++)
		add_date(b, zone, day, 0, 0);
}

/*
 * The days of a rule as opening hours say them, from the day of `start` to
 * before `end`, PG_INT64_MAX being for ever; false when they cannot.
 */
static bool
append_days(StringInfo out, const ical_rule *rule, const ical_time *start, int64 end)
{
	static const char *const names[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
	int64		day = sla_floor_div(start->second, SECS_PER_DAY);
	const char *separator = "";
	int			year;
	int			month;
	int			month_day;

	if (rule->interval != 1 || rule->positions.n > 0 || rule->year_days.n > 0 ||
		rule->weeks.n > 0 || rule->hours.n > 0 || rule->minutes.n > 0 || rule->seconds.n > 0)
		return false;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	if (rule->frequency == ICAL_YEARLY)
	{
		/* One day a year, beginning with DTSTART. */
		bool		in_month = rule->months == 0 || rule->months == 1 << (month - 1);

		if (end != PG_INT64_MAX || !in_month)
			return false;
		if (rule->nweekdays == 0 &&
			(rule->month_days.n == 0 || (rule->months != 0 && rule->month_days.n == 1 &&
										 rule->month_days.values[0] == month_day)))
		{
			appendStringInfo(out, "%04d+ %s %02d", year, months[month - 1], month_day);
			return true;
		}
		if (rule->nweekdays == 1 && rule->month_days.n == 0 && rule->months != 0 &&
			rule->weekdays[0].nth != 0 && abs(rule->weekdays[0].nth) <= 5)
		{
			/* Not sure to begin with DTSTART unless that is the one. */
			ical_nth_weekday wanted = rule->weekdays[0];
			int			length = day_tab[isleap(year)][month - 1];
			int			nth = wanted.nth > 0 ? (month_day - 1) / 7 + 1
				: -((length - month_day) / 7 + 1);

			if (wanted.weekday != sla_floor_mod(day + 5, 7) || nth != wanted.nth)
				return false;
			appendStringInfo(out, "%04d+ %s %s[%d]", year, months[month - 1],
							 names[wanted.weekday], wanted.nth);
			return true;
		}
		return false;
	}

	if (rule->months != 0 || rule->month_days.n > 0)
		return false;
	for (int i = 0; i < rule->nweekdays; i++)
	{
		if (abs(rule->weekdays[i].nth) > 5)
			return false;
	}
	if (rule->frequency == ICAL_MONTHLY && rule->nweekdays == 0)
		return false;

	append_date(out, day);
	if (end == PG_INT64_MAX)
		appendStringInfoChar(out, '+');
	else if (end - 1 > day)
	{
		appendStringInfoChar(out, '-');
		append_date(out, end - 1);
	}
	if (rule->frequency == ICAL_WEEKLY && rule->nweekdays == 0)
		appendStringInfo(out, " %s", names[sla_floor_mod(day + 5, 7)]);
	for (int i = 0; i < rule->nweekdays; i++)
	{
		appendStringInfo(out, "%s%s", i == 0 ? " " : separator, names[rule->weekdays[i].weekday]);
		if (rule->weekdays[i].nth != 0)
			appendStringInfo(out, "[%d]", rule->weekdays[i].nth);
		separator = ",";
	}
	return true;
}

/* The day after the last date of a rule; PG_INT64_MAX when it has no end. */
static int64
end_of_rule(builder *b, const ical_component *component)
{
	const ical_rule *rule = component->rule;
	ical_second *found;
	ical_second from = component->start.second;
	ical_second to = ((ical_second) SLA_LAST_HOLIDAY + 1) * SECS_PER_DAY;
	int			n;

	if (rule->count == 0 && !rule->has_until)
		return PG_INT64_MAX;
	if (rule->has_until)
	{
		/* Its last days are enough. */
		ical_second until = rule->until + TWO_DAYS;

		to = Min(to, until);
		from = Max(from, rule->until - (ical_second) 2 * 366 * rule->interval * SECS_PER_DAY);
	}
	n = ical_expand_rule(b->calendar, rule, &component->start, from, to, &found);
	return n == 0 ? sla_floor_div(component->start.second, SECS_PER_DAY)
		: sla_floor_div(found[n - 1], SECS_PER_DAY) + 1;
}

/* Write a repeated component as opening hours; false when it must be dated. */
static bool
add_pattern(builder *b, const ical_component *component)
{
	const ical_time *start = &component->start;
	const ical_zone *zone = clock_of(b, start->is_date, start->zone, start->line);
	int32		from = (int32) sla_floor_mod(start->second, SECS_PER_DAY);
	int64		length = ical_length(component);
	int64		end = end_of_rule(b, component);
	StringInfoData days;
	StringInfo	pattern;

	initStringInfo(&days);
	if (from + length > TWO_DAYS || !append_days(&days, component->rule, start, end))
	{
		if (end == PG_INT64_MAX)
			ical_refuse(ICAL_UNKNOWN, component->rule->line,
						"an RRULE without end that opening hours cannot say");
		return false;
	}
	if (length == 0 || end <= sla_floor_div(start->second, SECS_PER_DAY))
		return true;
	pattern = pattern_of(b, zone);
	if (pattern->len > 0)
		appendStringInfoString(pattern, ", ");
	appendStringInfo(pattern, "%s ", days.data);
	ical_append_clock(pattern, from);
	appendStringInfoChar(pattern, '-');
	ical_append_clock(pattern, from + (int32) length);
	widen(b, ical_to_utc(&zone->zone, start->second),
		  end == PG_INT64_MAX ? PG_INT64_MAX
		  : ical_to_utc(&zone->zone, (end - 1) * SECS_PER_DAY + from + length));
	return true;
}

static int
compare_dated(const void *a, const void *b)
{
	const dated *x = a;
	const dated *y = b;

	if (x->zone != y->zone)
		return strcmp(x->zone->canonical, y->zone->canonical);
	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

/* The dates of a zone, sorted: as a schedule's holidays. */
static void
append_dates(StringInfo out, const dated *list, int n)
{
	for (int i = 0; i < n;)
	{
		int64		day = list[i].day;
		int			year;
		int			month;
		int			month_day;
		bool		open = false;

		CHECK_FOR_INTERRUPTS();
		j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
		appendStringInfo(out, "%s%04d-%02d-%02d", i == 0 ? " holidays " : ", ", year, month,
						 month_day);
		while (i < n && list[i].day == day)
		{
			int32		from = list[i].from;
			int32		to = list[i].to;

			for (i++; i < n && list[i].day == day && list[i].from <= to; i++)
				to = Max(to, list[i].to);
			if (from >= to)
				continue;
			appendStringInfoChar(out, open ? ',' : ' ');
			ical_append_clock(out, from);
			appendStringInfoChar(out, '-');
			ical_append_clock(out, to);
			open = true;
		}
		if (!open)
			appendStringInfoString(out, " off");
	}
}

/* Schedules put together, in a tree that stays shallow. */
static char *
unite(char **texts, int n)
{
	if (n == 0)
		return pstrdup("UTC: off");
	if (n == 1)
		return texts[0];
	return psprintf("(%s) + (%s)", unite(texts, n / 2), unite(texts + n / 2, n - n / 2));
}

/* Days on which a repeated component is not as its rule says. */
static void
add_exceptions(builder *b, const ical_component *component, List *group)
{
	const ical_time *start = &component->start;
	const ical_zone *zone = clock_of(b, start->is_date, start->zone, start->line);
	ListCell   *cell;

	foreach(cell, component->exceptions)
		add_date(b, zone, sla_floor_div(ical_on_clock_of(start, lfirst(cell)), SECS_PER_DAY), 0, 0);
	foreach(cell, group)
	{
		const ical_component *other = lfirst(cell);

		if (other->has_recurrence_id && strcmp(other->uid, component->uid) == 0)
			add_date(b, zone, sla_floor_div(ical_on_clock_of(start, &other->recurrence_id),
											SECS_PER_DAY), 0, 0);
	}
	foreach(cell, component->dates)
	{
		const ical_period *period = lfirst(cell);
		ical_instance instance = {
			.component = component,
			.is_date = start->is_date,
			.zone = start->is_date ? NULL : start->zone,
			.from = ical_on_clock_of(start, &period->from),
		};

		if (period->from.is_date && !start->is_date)
			instance.from += sla_floor_mod(start->second, SECS_PER_DAY);
		instance.to = instance.from + ical_length(component);
		if (period->has_end)
			instance.to = ical_on_clock_of(start, &period->to);
		else if (period->length >= 0)
			instance.to = instance.from + period->length;
		/* It may be excluded: that shows when its day is written out. */
		if (instance.from < instance.to)
			add_days_of(b, &instance);
	}
}

static int
compare_days(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return (x > y) - (x < y);
}

/* Find the zones of components and which of them hold. */
static void
settle(ical_calendar *calendar, List *components)
{
	int			n;

	(void) ical_instances(calendar, components, SLA_FIRST_HOLIDAY, SLA_FIRST_HOLIDAY, &n);
}

/* When a list of components is: as a schedule. */
static opening
open_when(ical_calendar *calendar, const ical_zone *local, List *components)
{
	builder		b = {
		.calendar = calendar,
		.local = local,
		.room = 64,
		.from = PG_INT64_MAX,
		.to = PG_INT64_MIN,
	};
	List	   *repeated = NIL;	/* components that are patterns */
	List	   *patterns = NIL;	/* all components of their UIDs */
	List	   *others = NIL;
	ListCell   *cell;
	ical_instance *instances;
	int			n;
	char	  **texts;
	int			ntexts = 0;

	b.dates = palloc(sizeof(dated) * b.room);
	settle(calendar, components);
	foreach(cell, components)
	{
		const ical_component *component = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		if (component->holds && component->rule != NULL && add_pattern(&b, component))
			repeated = lappend(repeated, lfirst(cell));
	}
	foreach(cell, components)
	{
		const ical_component *component = lfirst(cell);
		ListCell   *other;
		bool		found = false;

		CHECK_FOR_INTERRUPTS();
		foreach(other, repeated)
		{
			if (strcmp(((const ical_component *) lfirst(other))->uid, component->uid) == 0)
			{
				found = true;
				break;
			}
		}
		if (found)
			patterns = lappend(patterns, lfirst(cell));
		else
			others = lappend(others, lfirst(cell));
	}

	/* What stands alone, and the days that differ from a rule. */
	instances = ical_instances(calendar, others, SLA_FIRST_HOLIDAY, SLA_LAST_HOLIDAY, &n);
	for (int i = 0; i < n; i++)
		add_instance(&b, &instances[i]);
	foreach(cell, patterns)
	{
		const ical_component *component = lfirst(cell);

		if (list_member_ptr(repeated, component))
			add_exceptions(&b, component, patterns);
		else
		{
			/* An override, or another event of the UID: when it is, whatever it is. */
			List	   *alone = list_make1(lfirst(cell));

			instances = ical_instances(calendar, alone, SLA_FIRST_HOLIDAY, SLA_LAST_HOLIDAY, &n);
			for (int i = 0; i < n; i++)
				add_days_of(&b, &instances[i]);
		}
	}

	/* On all those days, what the repeated ones do. */
	if (patterns != NIL && b.ndates > 0)
	{
		int64	   *days = palloc(sizeof(int64) * b.ndates);
		int			ndays = b.ndates;

		for (int i = 0; i < ndays; i++)
			days[i] = b.dates[i].day;
		qsort(days, ndays, sizeof(int64), compare_days);
		for (int i = 0; i < ndays; i++)
		{
			if (i > 0 && days[i] == days[i - 1])
				continue;
			CHECK_FOR_INTERRUPTS();
			instances = ical_instances(calendar, patterns, (sla_date) days[i],
									   (sla_date) days[i] + 1, &n);
			for (int j = 0; j < n; j++)
			{
				if (sla_floor_div(instances[j].from, SECS_PER_DAY) == days[i])
					add_instance(&b, &instances[j]);
			}
			pfree(instances);
		}
	}

	/* A date with hours of its own has those of all its whole days too. */
	n = b.ndates;
	foreach(cell, b.whole)
	{
		const whole_days *whole = lfirst(cell);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			if (b.dates[i].zone == whole->zone && b.dates[i].day >= whole->from &&
				b.dates[i].day < whole->to)
				add_date(&b, whole->zone, b.dates[i].day, 0, SECS_PER_DAY);
		}
	}

	/* A part for each zone. */
	qsort(b.dates, b.ndates, sizeof(dated), compare_dated);
	texts = palloc(sizeof(char *) * Max(list_length(b.zones), 1));
	foreach(cell, b.zones)
	{
		const ical_zone *zone = lfirst(cell);
		StringInfo	pattern = list_nth(b.patterns, foreach_current_index(cell));
		StringInfoData text;
		int			first = 0;
		int			count = 0;

		while (first < b.ndates && b.dates[first].zone != zone)
			first++;
		while (first + count < b.ndates && b.dates[first + count].zone == zone)
			count++;
		initStringInfo(&text);
		appendStringInfo(&text, "%s: %s", zone->canonical,
						 pattern->len > 0 ? pattern->data : "off");
		append_dates(&text, b.dates + first, count);
		texts[ntexts++] = text.data;
	}
	return (opening) {.text = unite(texts, ntexts), .from = b.from, .to = b.to};
}

/* All time from an instant on. */
static char *
from_on(const ical_zone *zone, ical_second local)
{
	StringInfoData text;
	int64		day = sla_floor_div(local, SECS_PER_DAY);
	int32		second = (int32) sla_floor_mod(local, SECS_PER_DAY);
	dated		first = {.day = day, .from = second, .to = SECS_PER_DAY};

	initStringInfo(&text);
	appendStringInfo(&text, "%s: ", zone->canonical);
	append_date(&text, day);
	appendStringInfoString(&text, "+ 00:00-24:00");
	if (second > 0)
		append_dates(&text, &first, 1);
	return text.data;
}

/* The span of a VAVAILABILITY: NULL when it has neither end. */
static char *
span_of(builder *b, ical_component *component, ical_second *from, ical_second *to)
{
	const ical_zone *zone = NULL;
	char	   *start = NULL;
	char	   *end = NULL;

	*from = PG_INT64_MIN;
	*to = PG_INT64_MAX;
	if (component->has_start)
	{
		zone = clock_of(b, component->start.is_date, component->start.zone,
						component->start.line);
		*from = ical_to_utc(&zone->zone, component->start.second);
		start = from_on(zone, component->start.second);
		if (component->has_duration)
		{
			end = from_on(zone, component->start.second + component->duration);
			*to = ical_to_utc(&zone->zone, component->start.second + component->duration);
		}
	}
	if (component->has_end)
	{
		zone = clock_of(b, component->end.is_date, component->end.zone, component->end.line);
		*to = ical_to_utc(&zone->zone, component->end.second);
		end = from_on(zone, component->end.second);
	}
	if (*to <= *from)
		ical_refuse(ICAL_INVALID, component->line, "no time in the VAVAILABILITY that begins");
	if (start != NULL && end != NULL)
		return psprintf("(%s) - (%s)", start, end);
	if (end != NULL)
		return psprintf("(UTC: 24/7) - (%s)", end);
	return start;
}

/* Paint one level of priority over what is below it, NULL when nothing is. */
static char *
paint(ical_calendar *calendar, const ical_zone *local, int priority, char *below)
{
	builder		b = {.calendar = calendar, .local = local};
	int			most = list_length(calendar->availabilities);
	char	  **open = palloc(sizeof(char *) * most);
	char	  **spans = palloc(sizeof(char *) * most);
	int			n = 0;
	int			nopen = 0;
	bool		all = false;
	char	   *result;
	ListCell   *cell;

	foreach(cell, calendar->availabilities)
	{
		ical_component *component = lfirst(cell);
		ical_second from;
		ical_second to;
		char	   *span;
		opening		available;

		CHECK_FOR_INTERRUPTS();
		if (component->priority != priority || component->cancelled)
			continue;
		ical_resolve(calendar, component);
		span = span_of(&b, component, &from, &to);
		available = open_when(calendar, local, component->parts);
		if (span == NULL)
			all = true;
		else if (available.from < from || available.to > to)
			available.text = psprintf("(%s) * (%s)", available.text, span);
		spans[n++] = span;
		if (available.from < available.to)
			open[nopen++] = available.text;
	}
	if (n == 0)
		return below;
	result = unite(open, nopen);
	if (all || below == NULL)
		return result;
	below = psprintf("(%s) - (%s)", below, unite(spans, n));
	return nopen == 0 ? below : psprintf("(%s) + (%s)", below, result);
}

/*
 * sla.ics_schedule(ics text, time_zone text) RETURNS sla.schedule
 *
 * time_zone is that of floating times and of dates; when it is NULL, the one
 * that the text names for all (X-WR-TIMEZONE), and when it names none these are
 * an error.
 */
Datum
sla_ics_schedule(PG_FUNCTION_ARGS)
{
	text	   *ics;
	ical_calendar *calendar;
	const ical_zone *local = NULL;
	char	   *result = NULL;
	Datum		schedule;
	MemoryContext working;
	MemoryContext old;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	working = AllocSetContextCreate(CurrentMemoryContext, "pg_sla iCalendar",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	ics = PG_GETARG_TEXT_PP(0);
	calendar = ical_read(VARDATA_ANY(ics), VARSIZE_ANY_EXHDR(ics));
	if (!PG_ARGISNULL(1))
	{
		ical_zone  *given = palloc0(sizeof(ical_zone));

		given->name = text_to_cstring(PG_GETARG_TEXT_PP(1));
		given->zone = sla_zone_named(given->name, &given->canonical);
		local = given;
	}
	else if (calendar->default_tzid != NULL)
		local = ical_find_zone(calendar, calendar->default_tzid, calendar->default_line);

	if (calendar->availabilities != NIL)
	{
		List	   *busy = NIL;
		ListCell   *cell;

		/* 0 is below 9, and 1 above all. */
		result = paint(calendar, local, 0, NULL);
		for (int priority = 9; priority > 0; priority--)
			result = paint(calendar, local, priority, result);

		foreach(cell, calendar->events)
		{
			if (!((const ical_component *) lfirst(cell))->transparent)
				busy = lappend(busy, lfirst(cell));
		}
		if (busy != NIL && result != NULL)
		{
			opening		closed = open_when(calendar, local, busy);

			if (closed.from < closed.to)
				result = psprintf("(%s) - (%s)", result, closed.text);
		}
	}
	else if (calendar->events != NIL)
		result = open_when(calendar, local, calendar->events).text;
	if (result == NULL)
		ereport(ERROR,
				(errcode(ICAL_INVALID),
				 errmsg("there are no opening hours in the iCalendar text"),
				 errdetail("They are VAVAILABILITY components, or else events.")));

	MemoryContextSwitchTo(old);
	schedule = DirectFunctionCall1(sla_schedule_in, CStringGetDatum(result));
	MemoryContextDelete(working);
	PG_RETURN_DATUM(schedule);
}
