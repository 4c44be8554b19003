/*
 * ical_instances.c
 *		When components happen: recurrences, exceptions, overrides.
 *
 * Occurrences are worked out on the wall clock of the zone in which a component
 * begins; its length is that of the wall clock too, so that what ends at 16:00
 * does so also on the day on which the clock changes.
 */
#include "icalendar.h"

#include "miscadmin.h"
#include "utils/datetime.h"

#define MAX_INSTANCES	200000	/* of one text */

#define TWO_DAYS		(2 * (ical_second) SECS_PER_DAY)

typedef struct collector
{
	ical_calendar *calendar;
	ical_second from;			/* of interest, on any clock */
	ical_second to;
	ical_instance *list;
	int			n;
	int			room;
} collector;

/* Components of one UID. */
typedef struct override
{
	ical_second key;			/* which occurrence it replaces */
	bool		whole_day;		/* all of that day */
	const ical_component *component;
	int			number;			/* in the text */
} override;

static ical_second
midnight(ical_second second)
{
	return sla_floor_div(second, SECS_PER_DAY) * SECS_PER_DAY;
}

/* Find the zone that a time names. */
static void
resolve(ical_calendar *calendar, ical_time *time)
{
	if (time->tzid == NULL || time->zone != NULL)
		return;
	time->zone = ical_find_zone(calendar, time->tzid, time->line);
}

/* Find the zones that a component names. */
void
ical_resolve(ical_calendar *calendar, ical_component *component)
{
	ListCell   *cell;

	resolve(calendar, &component->start);
	resolve(calendar, &component->end);
	resolve(calendar, &component->recurrence_id);
	foreach(cell, component->exceptions)
		resolve(calendar, lfirst(cell));
	foreach(cell, component->dates)
	{
		resolve(calendar, &((ical_period *) lfirst(cell))->from);
		resolve(calendar, &((ical_period *) lfirst(cell))->to);
	}
}

/* A time on the clock of `start`; a floating one is on any clock. */
ical_second
ical_on_clock_of(const ical_time *start, const ical_time *time)
{
	if (start->is_date)
		return midnight(time->second);
	if (time->is_date || start->zone == NULL || time->zone == NULL ||
		start->zone->zone.data == time->zone->zone.data)
		return time->second;
	return ical_to_local(&start->zone->zone, ical_to_utc(&time->zone->zone, time->second));
}

/* How long a component lasts, in wall-clock seconds. */
int64
ical_length(const ical_component *component)
{
	int64		length = 0;

	if (component->has_end)
		length = ical_on_clock_of(&component->start, &component->end) - component->start.second;
	else if (component->has_duration)
		length = component->duration;

	/* A day at least: many feeds tell no end, some the same day again. */
	if (component->start.is_date)
		return Max(midnight(length), SECS_PER_DAY);
	if (length < 0)
		ical_refuse(ICAL_INVALID, component->end.line, "DTEND before DTSTART");
	return length;
}

static void
add_instance(collector *out, const ical_component *component, ical_second from, ical_second to)
{
	if (to <= from || to <= out->from || from >= out->to)
		return;
	if (out->n == MAX_INSTANCES)
		ical_refuse(ICAL_LIMIT, component->line,
					"more than %d events in the days asked for, with the one that begins",
					MAX_INSTANCES);
	if (out->n == out->room)
	{
		out->room *= 2;
		out->list = repalloc_huge(out->list, sizeof(ical_instance) * out->room);
	}
	out->list[out->n++] = (ical_instance) {
		.component = component,
		.is_date = component->start.is_date,
		.zone = component->start.is_date ? NULL : component->start.zone,
		.from = from,
		.to = to,
	};
}

static int
compare_seconds(const void *a, const void *b)
{
	ical_second x = *(const ical_second *) a;
	ical_second y = *(const ical_second *) b;

	return (x > y) - (x < y);
}

/* What does not happen: single occurrences, and whole days. */
typedef struct exclusions
{
	ical_second *exact;
	int			nexact;
	ical_second *days;
	int			ndays;
} exclusions;

static bool
is_excluded(const exclusions *exclusions, ical_second at)
{
	ical_second day = midnight(at);

	return bsearch(&at, exclusions->exact, exclusions->nexact, sizeof(ical_second),
				   compare_seconds) != NULL ||
		bsearch(&day, exclusions->days, exclusions->ndays, sizeof(ical_second),
				compare_seconds) != NULL;
}

/* The occurrences of a component that stands for a series, or for itself. */
static void
add_series(collector *out, const ical_component *component, const override *overrides,
		   int noverrides)
{
	const ical_time *start = &component->start;
	int64		length = ical_length(component);
	exclusions	excluded = {0};
	ical_second *found = NULL;
	int			nfound = 0;
	ListCell   *cell;

	if (component->rule == NULL && component->dates == NIL &&
		component->exceptions == NIL && noverrides == 0)
	{
		add_instance(out, component, start->second, start->second + length);
		return;
	}

	excluded.exact = palloc(sizeof(ical_second) *
							(list_length(component->exceptions) + noverrides + 1));
	excluded.days = palloc(sizeof(ical_second) *
						   (list_length(component->exceptions) + noverrides + 1));
	foreach(cell, component->exceptions)
	{
		const ical_time *time = lfirst(cell);

		if (time->is_date && !start->is_date)
			excluded.days[excluded.ndays++] = midnight(time->second);
		else
			excluded.exact[excluded.nexact++] = ical_on_clock_of(start, time);
	}
	for (int i = 0; i < noverrides; i++)
	{
		if (overrides[i].whole_day)
			excluded.days[excluded.ndays++] = overrides[i].key;
		else
			excluded.exact[excluded.nexact++] =
				ical_on_clock_of(start, &overrides[i].component->recurrence_id);
	}
	qsort(excluded.exact, excluded.nexact, sizeof(ical_second), compare_seconds);
	qsort(excluded.days, excluded.ndays, sizeof(ical_second), compare_seconds);

	if (component->rule != NULL)
		nfound = ical_expand_rule(out->calendar, component->rule, start,
								  out->from - length, out->to, &found);
	else
	{
		found = palloc(sizeof(ical_second));
		found[nfound++] = start->second;
	}
	for (int i = 0; i < nfound; i++)
	{
		if (!is_excluded(&excluded, found[i]))
			add_instance(out, component, found[i], found[i] + length);
	}

	foreach(cell, component->dates)
	{
		const ical_period *period = lfirst(cell);
		ical_second from = ical_on_clock_of(start, &period->from);
		ical_second to;

		CHECK_FOR_INTERRUPTS();
		if (period->from.is_date && !start->is_date)
			from += start->second - midnight(start->second);
		if (is_excluded(&excluded, from) ||
			bsearch(&from, found, nfound, sizeof(ical_second), compare_seconds) != NULL)
			continue;
		to = from + length;
		if (period->has_end)
			to = ical_on_clock_of(start, &period->to);
		else if (period->length >= 0)
			to = from + period->length;
		add_instance(out, component, from, to);
	}
	pfree(found);
	pfree(excluded.exact);
	pfree(excluded.days);
}

static int
compare_overrides(const void *a, const void *b)
{
	const override *x = a;
	const override *y = b;

	if (x->whole_day != y->whole_day)
		return x->whole_day ? 1 : -1;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->component->sequence != y->component->sequence)
		return x->component->sequence < y->component->sequence ? -1 : 1;
	return x->number - y->number;
}

/* The components of one UID. */
static void
add_group(collector *out, ical_component *const *components, int n)
{
	override   *overrides = palloc(sizeof(override) * n);
	int			noverrides = 0;
	int			unique = 0;
	const ical_time *start = NULL;
	int			sequence = -1;
	bool		all_cancelled = true;

	/* Of several revisions the last one holds. */
	for (int i = 0; i < n; i++)
	{
		if (!components[i]->has_recurrence_id)
			sequence = Max(sequence, components[i]->sequence);
	}
	for (int i = 0; i < n; i++)
	{
		const ical_component *component = components[i];

		if (component->has_recurrence_id || component->sequence < sequence)
			continue;
		if (start == NULL)
			start = &component->start;
		all_cancelled &= component->cancelled;
	}
	if (start != NULL && all_cancelled)
	{
		pfree(overrides);
		return;
	}

	for (int i = 0; i < n; i++)
	{
		const ical_component *component = components[i];
		const ical_time *id = &component->recurrence_id;

		if (!component->has_recurrence_id)
			continue;
		if (component->rule != NULL || component->dates != NIL)
			ical_refuse(ICAL_INVALID, component->line,
						"both RECURRENCE-ID and a recurrence in the component that begins");
		overrides[noverrides++] = (override) {
			.key = ical_on_clock_of(start != NULL ? start : id, id),
			.whole_day = id->is_date && start != NULL && !start->is_date,
			.component = component,
			.number = i,
		};
	}
	qsort(overrides, noverrides, sizeof(override), compare_overrides);
	for (int i = 0; i < noverrides; i++)
	{
		if (unique > 0 && overrides[unique - 1].key == overrides[i].key &&
			overrides[unique - 1].whole_day == overrides[i].whole_day)
			unique--;
		overrides[unique++] = overrides[i];
	}

	for (int i = 0; i < n; i++)
	{
		ical_component *component = components[i];

		CHECK_FOR_INTERRUPTS();
		component->holds = !component->has_recurrence_id &&
			component->sequence == sequence && !component->cancelled;
		if (component->holds)
			add_series(out, component, overrides, unique);
	}
	for (int i = 0; i < unique; i++)
	{
		const ical_component *component = overrides[i].component;

		if (!component->cancelled)
			add_instance(out, component, component->start.second,
						 component->start.second + ical_length(component));
	}
	pfree(overrides);
}

/* By UID, and else in the order of the text. */
static int
compare_components(const ListCell *a, const ListCell *b)
{
	const ical_component *x = lfirst(a);
	const ical_component *y = lfirst(b);
	int			result = strcmp(x->uid, y->uid);

	return result != 0 ? result : x->line - y->line;
}

ical_instance *
ical_instances(ical_calendar *calendar, List *components, sla_date from_day, sla_date to_day,
			   int *n)
{
	List	   *sorted = list_copy(components);
	int			count = list_length(sorted);
	ical_component **array = palloc(sizeof(ical_component *) * Max(count, 1));
	collector	out = {
		.calendar = calendar,
		.from = (ical_second) from_day * SECS_PER_DAY - TWO_DAYS,
		.to = (ical_second) to_day * SECS_PER_DAY + TWO_DAYS,
		.room = 64,
	};
	ListCell   *cell;

	out.list = palloc(sizeof(ical_instance) * out.room);
	foreach(cell, sorted)
	{
		CHECK_FOR_INTERRUPTS();
		ical_resolve(calendar, lfirst(cell));
	}
	list_sort(sorted, compare_components);
	count = 0;
	foreach(cell, sorted)
		array[count++] = lfirst(cell);
	for (int i = 0, same; i < count; i += same)
	{
		for (same = 1; i + same < count && strcmp(array[i]->uid, array[i + same]->uid) == 0; same++)
			;
		add_group(&out, array + i, same);
	}
	*n = out.n;
	return out.list;
}
