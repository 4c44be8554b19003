/*
 * icalendar.c
 *		Holidays out of iCalendar texts.
 */
#include "icalendar.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "schedule.h"

SLA_FUNCTION(sla_ics_holidays);

#define MAX_ROWS	1000000

/* What an event closes of a day, in seconds after its midnight. */
typedef struct closing
{
	sla_date	day;
	int32		from;
	int32		to;
	const ical_component *component;
} closing;

typedef struct closings
{
	closing    *list;
	int			n;
	int			room;
	sla_date	from_day;
	sla_date	to_day;
} closings;

static void
refuse_utc(int line) pg_attribute_noreturn();

static void
refuse_utc(int line)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a time of UTC on line %d of the iCalendar text, which names no time zone",
					line),
			 errdetail("The hours of a day depend on where it is."),
			 errhint("Give the time zone as the argument time_zone.")));
}

/* Split what an instance closes into days. */
static void
add_closings(closings *out, const ical_instance *instance, ical_second from, ical_second to)
{
	int64		first = Max(sla_floor_div(from, SECS_PER_DAY), out->from_day);
	int64		end = Min(sla_floor_div(to - 1, SECS_PER_DAY) + 1, out->to_day);

	for (int64 day = first; day < end; day++)
	{
		ical_second midnight = day * SECS_PER_DAY;

		CHECK_FOR_INTERRUPTS();
		if (out->n == MAX_ROWS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %d holidays in the iCalendar text", MAX_ROWS),
					 errhint("Ask for fewer days.")));
		if (out->n == out->room)
		{
			out->room *= 2;
			out->list = repalloc_huge(out->list, sizeof(closing) * out->room);
		}
		out->list[out->n++] = (closing) {
			.day = (sla_date) day,
			.from = (int32) (Max(from, midnight) - midnight),
			.to = (int32) (Min(to, midnight + SECS_PER_DAY) - midnight),
			.component = instance->component,
		};
	}
}

static int
compare_closings(const void *a, const void *b)
{
	const closing *x = a;
	const closing *y = b;
	int			result;

	if (x->day != y->day)
		return x->day < y->day ? -1 : 1;
	result = strcmp(x->component->uid, y->component->uid);
	if (result != 0)
		return result;
	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	if (x->to != y->to)
		return x->to < y->to ? 1 : -1;
	return x->component->line - y->component->line;
}

void
ical_append_clock(StringInfo out, int32 second)
{
	appendStringInfo(out, "%02d:%02d", second / SECS_PER_HOUR,
					 second / SECS_PER_MINUTE % MINS_PER_HOUR);
	if (second % SECS_PER_MINUTE != 0)
		appendStringInfo(out, ":%02d", second % SECS_PER_MINUTE);
}

/* The hours of a holiday, of n closings of its day: sorted, maybe overlapping. */
static void
append_hours(StringInfo out, const closing *list, int n)
{
	int			written = 0;

	appendStringInfoString(out, "off");
	for (int i = 0; i < n;)
	{
		int32		from = list[i].from;
		int32		to = list[i].to;

		for (i++; i < n && list[i].from <= to; i++)
			to = Max(to, list[i].to);
		if (from == 0 && to == SECS_PER_DAY)
			return;
		appendStringInfoChar(out, written++ == 0 ? ' ' : ',');
		ical_append_clock(out, from);
		appendStringInfoChar(out, '-');
		ical_append_clock(out, to);
	}
	if (written > SLA_MAX_HOLIDAY_WINDOWS)
		ical_refuse(ICAL_LIMIT, list->component->line,
					"more than %d times in a day, of the event that begins",
					SLA_MAX_HOLIDAY_WINDOWS);
}

/*
 * A day given as argument: one that can be a holiday.  `end` may be the day
 * after the last.
 */
static sla_date
day_argument(Datum value, bool end)
{
	DateADT		day = DatumGetDateADT(value);

	if (!end || day != SLA_LAST_HOLIDAY + 1)
		sla_check_holiday_day(day);
	return day;
}

/*
 * sla.ics_holidays(ics text, from_day date, to_day date, time_zone text)
 *		RETURNS TABLE (day date, hours text, name text, uid text)
 *
 * What the events of a text close on the days [from_day, to_day): one row for a
 * day and UID, by day and UID.  Times are the wall clock's of time_zone, or
 * when that is NULL of the zone that the event names (for times of UTC, the one
 * that the text names for all).  No rows when another argument is NULL.
 */
Datum
sla_ics_holidays(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TupleDesc	columns;
	Tuplestorestate *rows;
	MemoryContext old;
	MemoryContext working;
	text	   *ics;
	ical_calendar *calendar;
	closings	out = {.room = 64};
	sla_zone	zone = {0};
	ical_instance *instances;
	int			n;
	StringInfoData hours;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	rows = tuplestore_begin_heap(true, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = rows;
	result->setDesc = columns;
	MemoryContextSwitchTo(old);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;

	working = AllocSetContextCreate(CurrentMemoryContext, "pg_sla iCalendar",
									ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(working);
	ics = PG_GETARG_TEXT_PP(0);
	out.from_day = day_argument(PG_GETARG_DATUM(1), false);
	out.to_day = day_argument(PG_GETARG_DATUM(2), true);
	if (!PG_ARGISNULL(3))
		zone = sla_zone_named(text_to_cstring(PG_GETARG_TEXT_PP(3)), NULL);
	out.list = palloc(sizeof(closing) * out.room);

	calendar = ical_read(VARDATA_ANY(ics), VARSIZE_ANY_EXHDR(ics));
	instances = ical_instances(calendar, calendar->events, out.from_day,
							   Max(out.to_day, out.from_day), &n);
	for (int i = 0; i < n; i++)
	{
		const ical_instance *instance = &instances[i];
		ical_second from = instance->from;
		ical_second to = instance->to;
		const sla_zone *shown = zone.data != NULL ? &zone : NULL;

		if (instance->zone != NULL)
		{
			if (shown == NULL && instance->zone == ical_utc())
			{
				if (calendar->default_tzid == NULL)
					refuse_utc(instance->component->start.line);
				shown = &ical_find_zone(calendar, calendar->default_tzid,
										calendar->default_line)->zone;
			}
			if (shown != NULL && shown->data != instance->zone->zone.data)
			{
				from = ical_to_local(shown, ical_to_utc(&instance->zone->zone, from));
				to = ical_to_local(shown, ical_to_utc(&instance->zone->zone, to));
			}
		}
		if (from < to)
			add_closings(&out, instance, from, to);
	}

	qsort(out.list, out.n, sizeof(closing), compare_closings);
	initStringInfo(&hours);
	for (int i = 0, same; i < out.n; i += same)
	{
		const closing *first = &out.list[i];
		Datum		values[4];
		bool		nulls[4] = {false};

		CHECK_FOR_INTERRUPTS();
		for (same = 1; i + same < out.n && out.list[i + same].day == first->day &&
			 strcmp(out.list[i + same].component->uid, first->component->uid) == 0; same++)
			;
		resetStringInfo(&hours);
		append_hours(&hours, first, same);
		values[0] = DateADTGetDatum(first->day);
		values[1] = CStringGetTextDatum(hours.data);
		nulls[2] = first->component->summary == NULL;
		values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(first->component->summary);
		values[3] = CStringGetTextDatum(first->component->uid);
		tuplestore_putvalues(rows, columns, values, nulls);
		pfree(DatumGetPointer(values[1]));
		if (!nulls[2])
			pfree(DatumGetPointer(values[2]));
		pfree(DatumGetPointer(values[3]));
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(working);
	return (Datum) 0;
}
