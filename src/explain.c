/*
 * explain.c
 *		Business time told in words: which stretches count, and why.
 *
 * The core tells for each part of a schedule which rule or holiday decided a
 * stretch; here these become sentences, those of schedules put together are
 * put together, and neighbours that say the same become one row.
 *
 * The work goes through time in chunks of a month, each in a memory context of
 * its own, so that a row may be as long as it likes.
 */
#include "pg_sla.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "mb/pg_wchar.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "core/explain.h"
#include "schedule.h"
#include "timeline_cache.h"

SLA_FUNCTION(sla_calendar_explain_business_time);
SLA_FUNCTION(sla_schedule_explain_business_time);

#define SECONDS_PER_CHUNK	(32 * SLA_SECS_PER_DAY)

/* Reasons of schedules put together can grow without bounds. */
#define MAX_REASON_LENGTH	2000

/* Clock changes told of one row. */
#define MAX_CLOCK_CHANGES	2

/* [from, to) in seconds of UTC. */
typedef struct stretch
{
	int64		from;
	int64		to;
	bool		open;
	bool		in_force;		/* of calendars: is the version? */
	const sla_part *part;		/* NULL when it is of several */
	const char *reason;
} stretch;

typedef struct stretches
{
	stretch    *list;
	int			count;
	int			room;
} stretches;

typedef struct explainer
{
	sla_cached *cal;
	List	   *parts;			/* of the schedule, from left to right */
	List	   *zones;			/* of those, each once */
	TimestampTz from;
	TimestampTz to;
	Tuplestorestate *rows;
	TupleDesc	row_type;
	MemoryContext per_chunk;
	MemoryContext per_row;
	stretch		row;			/* being put together; its reason lies in per_row */
} explainer;

static void
add_stretch(stretches *to, const stretch *next)
{
	if (to->count == to->room)
	{
		to->room = Max(64, 2 * to->room);
		to->list = to->list == NULL
			? palloc(sizeof(stretch) * to->room)
			: repalloc_huge(to->list, sizeof(stretch) * to->room);
	}
	to->list[to->count++] = *next;
}

static const char *
zone_name(const sla_zone *zone)
{
	return pg_get_timezone_name((pg_tz *) zone->data);
}

static void
append_rule(StringInfo out, const sla_hours *hours, int rule)
{
	Size		length = sla_hours_print_rule(hours, rule, NULL, 0);

	enlargeStringInfo(out, (int) length + 1);
	sla_hours_print_rule(hours, rule, out->data + out->len, length + 1);
	out->len += (int) length;
}

/* The rules that opened something on a date, each once. */
static void
append_rules_on(StringInfo out, const sla_part *part, int64 date, bool holiday)
{
	sla_ruling *rulings = palloc(sizeof(sla_ruling) * sla_hours_max_rulings(part->hours));
	Bitmapset  *told = NULL;
	int			closer;
	int			n = sla_hours_rulings(part->hours, (sla_date) date, holiday, rulings, &closer);

	for (int i = 0; i < n; i++)
	{
		if (!rulings[i].open || bms_is_member(rulings[i].rule, told))
			continue;
		if (told != NULL)
			appendStringInfoString(out, ", ");
		append_rule(out, part->hours, rulings[i].rule);
		told = bms_add_member(told, rulings[i].rule);
	}
}

/* The holiday, with its names where a calendar's holiday sets have some. */
static void
append_holiday(StringInfo out, const explainer *x, const sla_part *part, int64 date)
{
	appendStringInfoString(out, "holiday ");
	sla_append_day(out, (sla_date) date);
	if (x->cal->kind == SLA_CACHED_CALENDAR)
		sla_append_holiday_names(out, x->cal, part->from_day, (sla_date) date);
}

/* What to say of a stretch of one part. */
static const char *
reason_of(const explainer *x, const sla_part *part, const sla_explained *piece)
{
	StringInfoData out;
	const sla_holiday *holiday = piece->holiday;

	initStringInfo(&out);
	switch (piece->cause)
	{
		case SLA_CAUSE_NOT_IN_FORCE:
			return "no version of the calendar is in force";
		case SLA_CAUSE_NO_HOURS:
			appendStringInfoString(&out, "no opening hours on this day");
			break;
		case SLA_CAUSE_OUTSIDE:
			appendStringInfoString(&out, "outside ");
			if (holiday != NULL && !holiday->usual_hours)
				sla_append_windows(&out, holiday->windows, holiday->nwindows);
			else
				append_rules_on(&out, part, piece->date, holiday != NULL);
			break;
		case SLA_CAUSE_RULE:
			append_rule(&out, part->hours, piece->rule);
			break;
		case SLA_CAUSE_HOLIDAY:
			if (piece->open)
				sla_append_windows(&out, holiday->windows, holiday->nwindows);
			break;
		case SLA_CAUSE_HOLIDAY_TIMES:
			appendStringInfoString(&out, "off ");
			sla_append_windows(&out, holiday->closed, holiday->nclosed);
			break;
	}
	if (holiday != NULL)
	{
		if (out.len > 0)
			appendStringInfoString(&out, ", ");
		append_holiday(&out, x, part, piece->date);
	}
	if (x->cal->kind == SLA_CACHED_CALENDAR && list_length(x->parts) > 1)
	{
		if (part->from_day == SLA_DATE_FIRST)
			appendStringInfoString(&out, ", first version");
		else
		{
			appendStringInfoString(&out, ", version of ");
			sla_append_day(&out, part->from_day);
		}
	}
	return out.data;
}

static void
explain_part(const explainer *x, const sla_part *part, int64 from, int64 to, stretches *result)
{
	sla_env		env = sla_server_env(CurrentMemoryContext);
	sla_scratch scratch = {.env = &env};
	sla_explanation why;

	sla_explain_part(&scratch, part, from, to, &why);
	for (size_t i = 0; i < why.count; i++)
	{
		const sla_explained *piece = &why.list[i];
		stretch		next = {
			.from = piece->from,
			.to = piece->to,
			.open = piece->open,
			.in_force = piece->cause != SLA_CAUSE_NOT_IN_FORCE,
			.part = part,
			.reason = reason_of(x, part, piece),
		};

		add_stretch(result, &next);
	}
	sla_scratch_reset(&scratch);
}

static void
append_side(StringInfo out, const char *side, const sla_schedule *schedule, const char *reason)
{
	appendStringInfoString(out, side);
	if (schedule->kind == SLA_SCHEDULE_PART)
		appendStringInfo(out, " (%s): %s", zone_name(&schedule->part.zone), reason);
	else
		appendStringInfo(out, ": (%s)", reason);
}

/* Put the reasons of two sides together: those on which it depends. */
static void
combine_reasons(const sla_schedule *schedule, const stretch *left, const stretch *right,
				stretch *result)
{
	StringInfoData out;
	bool		tell_left = true;
	bool		tell_right = true;

	initStringInfo(&out);
	switch (schedule->kind)
	{
		case SLA_SCHEDULE_UNION:
			result->open = left->open || right->open;
			tell_left = left->open == result->open;
			tell_right = right->open == result->open;
			break;
		case SLA_SCHEDULE_INTERSECTION:
			result->open = left->open && right->open;
			tell_left = left->open == result->open;
			tell_right = right->open == result->open;
			break;
		default:
			result->open = left->open && !right->open;
			tell_left = left->open == result->open;
			tell_right = left->open && right->open;
			break;
	}
	if (tell_left)
		append_side(&out, "left", schedule->left, left->reason);
	if (tell_left && tell_right)
		appendStringInfoString(&out, "; ");
	if (tell_right && schedule->kind == SLA_SCHEDULE_DIFFERENCE)
		appendStringInfoString(&out, "taken away by ");
	if (tell_right)
		append_side(&out, "right", schedule->right, right->reason);

	if (out.len > MAX_REASON_LENGTH)
	{
		out.len = pg_mbcliplen(out.data, out.len, MAX_REASON_LENGTH);
		out.data[out.len] = '\0';
		appendStringInfoString(&out, " ...");
	}
	result->reason = out.data;
}

/* Of two versions of a calendar that which opens, or else is in force. */
static void
choose_version(const stretch *left, const stretch *right, stretch *result)
{
	bool		right_one = left->open ? false :
		right->open ? true : !left->in_force && right->in_force;
	const stretch *one = right_one ? right : left;

	result->open = one->open;
	result->in_force = one->in_force;
	result->part = one->part;
	result->reason = one->reason;
}

/* Two explanations of the same time; schedule is NULL for versions. */
static void
combine(const sla_schedule *schedule, const stretches *left, const stretches *right,
		stretches *result)
{
	int			l = 0;
	int			r = 0;
	stretch		next = {.from = left->list[0].from};

	while (l < left->count)
	{
		const stretch *a = &left->list[l];
		const stretch *b = &right->list[r];

		CHECK_FOR_INTERRUPTS();
		next.to = Min(a->to, b->to);
		if (schedule != NULL)
			combine_reasons(schedule, a, b, &next);
		else
			choose_version(a, b, &next);
		add_stretch(result, &next);
		next.from = next.to;
		if (a->to == next.to)
			l++;
		if (b->to == next.to)
			r++;
	}
}

static void
explain_schedule(const explainer *x, const sla_schedule *schedule, int64 from, int64 to,
				 stretches *result)
{
	stretches	left = {0};
	stretches	right = {0};

	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		explain_part(x, &schedule->part, from, to, result);
		return;
	}
	explain_schedule(x, schedule->left, from, to, &left);
	explain_schedule(x, schedule->right, from, to, &right);
	combine(schedule, &left, &right, result);
}

/* The versions of a calendar that can matter, and one of them always. */
static void
explain_calendar(const explainer *x, int64 from, int64 to, stretches *result)
{
	int64		first = sla_floor_div(from, SLA_SECS_PER_DAY) - 3;
	int64		end = sla_floor_div(to, SLA_SECS_PER_DAY) + 3;
	ListCell   *cell;

	foreach(cell, x->parts)
	{
		const sla_part *part = lfirst(cell);
		int64		from_day;
		int64		to_day;
		stretches	here = {0};
		stretches	before = *result;

		sla_part_days(part, &from_day, &to_day);
		if ((to_day <= first || from_day >= end) &&
			(before.count > 0 || lnext(x->parts, cell) != NULL))
			continue;
		explain_part(x, part, from, to, before.count > 0 ? &here : result);
		if (before.count == 0)
			continue;
		memset(result, 0, sizeof(*result));
		combine(NULL, &before, &here, result);
	}
}

static void
append_length(StringInfo out, int32 seconds)
{
	if (seconds % SECS_PER_HOUR == 0)
		appendStringInfo(out, "%d hour%s", seconds / SECS_PER_HOUR,
						 seconds == SECS_PER_HOUR ? "" : "s");
	else if (seconds % SECS_PER_MINUTE == 0)
		appendStringInfo(out, "%d minutes", seconds / SECS_PER_MINUTE);
	else
		appendStringInfo(out, "%02d:%02d:%02d", seconds / SECS_PER_HOUR,
						 seconds / SECS_PER_MINUTE % MINS_PER_HOUR,
						 seconds % SECS_PER_MINUTE);
}

/* The changes of a zone's clock within a row make it longer or shorter. */
static void
append_clock_changes(StringInfo out, const explainer *x, const sla_zone *zone)
{
	int64		second = x->row.from;
	int64		until;
	int32		offset = zone->offset_at(zone->data, second, &until);
	int			told = 0;

	while (until < x->row.to)
	{
		int32		before = offset;
		int32		change;

		CHECK_FOR_INTERRUPTS();
		second = until;
		offset = zone->offset_at(zone->data, second, &until);
		change = offset - before;
		if (change == 0)
			continue;
		if (told++ == MAX_CLOCK_CHANGES)
		{
			appendStringInfoString(out, ", and so on");
			break;
		}
		appendStringInfoString(out, "; clock");
		if (list_length(x->zones) > 1)
			appendStringInfo(out, " of %s", zone_name(zone));
		appendStringInfoString(out, change > 0 ? " forward " : " back ");
		append_length(out, abs(change));
		appendStringInfoString(out, " on ");
		sla_append_day(out, (sla_date) sla_floor_div(second + offset, SLA_SECS_PER_DAY));
		if (change % (SECS_PER_HOUR / 2) == 0 && abs(change) < SECS_PER_DAY)
			appendStringInfo(out, ", a %g-hour day",
							 (double) (SECS_PER_DAY - change) / SECS_PER_HOUR);
	}
}

/* Put out the row, if there is one. */
static void
finish_row(explainer *x)
{
	TimestampTz from;
	TimestampTz to;
	Interval	counted = {0};
	StringInfoData reason;
	Datum		values[5];
	bool		nulls[5] = {0};
	MemoryContext caller;

	if (x->row.reason == NULL)
		return;
	caller = MemoryContextSwitchTo(x->per_row);
	initStringInfo(&reason);
	appendStringInfoString(&reason, x->row.reason);
	if (x->row.part != NULL)
		append_clock_changes(&reason, x, &x->row.part->zone);
	else
	{
		ListCell   *cell;

		foreach(cell, x->zones)
			append_clock_changes(&reason, x, lfirst(cell));
	}

	/* Seconds are whole, but what was asked for need not be. */
	from = Max(x->from, x->row.from * USECS_PER_SEC);
	to = x->row.to >= SLA_END_INSTANT / USECS_PER_SEC ? x->to :
		Min(x->to, x->row.to * USECS_PER_SEC);
	if (x->row.open)
		counted.time = to - from;
	values[0] = TimestampTzGetDatum(from);
	values[1] = TimestampTzGetDatum(to);
	values[2] = BoolGetDatum(x->row.open);
	values[3] = IntervalPGetDatum(&counted);
	values[4] = CStringGetTextDatum(reason.data);
	tuplestore_putvalues(x->rows, x->row_type, values, nulls);

	x->row.reason = NULL;
	MemoryContextSwitchTo(caller);
	MemoryContextReset(x->per_row);
}

/* Go on with the row, or finish it and begin the next. */
static void
add_to_row(explainer *x, const stretch *next)
{
	if (x->row.reason != NULL && x->row.open == next->open &&
		x->row.part == next->part && strcmp(x->row.reason, next->reason) == 0)
	{
		x->row.to = next->to;
		return;
	}
	finish_row(x);
	x->row = *next;
	x->row.reason = MemoryContextStrdup(x->per_row, next->reason);
}

static void
collect_parts(explainer *x, const sla_schedule *schedule)
{
	ListCell   *cell;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		collect_parts(x, schedule->left);
		collect_parts(x, schedule->right);
		return;
	}
	x->parts = lappend(x->parts, (void *) &schedule->part);
	foreach(cell, x->zones)
		if (((const sla_zone *) lfirst(cell))->data == schedule->part.zone.data)
			return;
	x->zones = lappend(x->zones, (void *) &schedule->part.zone);
}

static void
explain_all(explainer *x)
{
	int64		second = sla_floor_div(x->from, USECS_PER_SEC);
	int64		end = sla_floor_div(x->to - 1, USECS_PER_SEC) + 1;

	while (second < end)
	{
		int64		until = Min(second + SECONDS_PER_CHUNK, end);
		stretches	here = {0};
		MemoryContext caller = MemoryContextSwitchTo(x->per_chunk);

		CHECK_FOR_INTERRUPTS();
		if (x->cal->kind == SLA_CACHED_CALENDAR)
			explain_calendar(x, second, until, &here);
		else
			explain_schedule(x, x->cal->schedule, second, until, &here);
		for (int i = 0; i < here.count; i++)
			add_to_row(x, &here.list[i]);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(x->per_chunk);
		second = until;
	}
	finish_row(x);
}

static void
check_period(TimestampTz from, TimestampTz to)
{
	char	   *from_text;

	if (!TIMESTAMP_NOT_FINITE(from) && !TIMESTAMP_NOT_FINITE(to) && from <= to)
		return;
	from_text = pstrdup(timestamptz_to_str(from));
	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot explain a period without end"),
				 errdetail("It is asked for from \"%s\" to \"%s\".",
						   from_text, timestamptz_to_str(to)),
				 errhint("Give the period a finite start and end.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot explain a period that ends before it starts"),
			 errdetail("It is asked for from \"%s\" to \"%s\".",
					   from_text, timestamptz_to_str(to)),
			 errhint("Put the earlier instant first.")));
}

/*
 * sla.explain_business_time(cal, from_ts timestamptz, to_ts timestamptz)
 *		RETURNS SETOF sla.explained_stretch
 *
 * All of [from_ts, to_ts) in order and without gaps; no rows when it is empty.
 * An infinite period, and one that ends before it starts, is an error.
 */
static Datum
explain(FunctionCallInfo fcinfo, sla_cached_kind kind)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	struct varlena *argument = PG_GETARG_VARLENA_PP(0);
	explainer	x = {
		.from = PG_GETARG_TIMESTAMPTZ(1),
		.to = PG_GETARG_TIMESTAMPTZ(2),
	};
	MemoryContext caller;
	MemoryContext explaining;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.explain_business_time must be called where a set of rows can be taken")));
	check_period(x.from, x.to);

	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &x.row_type) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.explain_business_time must return rows");
	x.row_type = CreateTupleDescCopy(x.row_type);
	x.rows = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0,
								   false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = x.rows;
	result->setDesc = x.row_type;
	MemoryContextSwitchTo(caller);

	explaining = AllocSetContextCreate(CurrentMemoryContext, "pg_sla explanation",
									   ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(explaining);
	if (kind == SLA_CACHED_CALENDAR)
		x.cal = sla_cached_calendar(VARDATA_ANY(argument), VARSIZE_ANY_EXHDR(argument));
	else
	{
		uint32		length;
		const char *text = sla_schedule_text(argument, &length);

		x.cal = sla_cached_schedule(text, length);
	}
	sla_cache_pin(x.cal);
	collect_parts(&x, x.cal->schedule);
	x.per_chunk = AllocSetContextCreate(explaining, "pg_sla chunk", ALLOCSET_DEFAULT_SIZES);
	x.per_row = AllocSetContextCreate(explaining, "pg_sla row", ALLOCSET_DEFAULT_SIZES);
	explain_all(&x);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(explaining);
	return (Datum) 0;
}

Datum
sla_calendar_explain_business_time(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, SLA_CACHED_CALENDAR);
}

Datum
sla_schedule_explain_business_time(PG_FUNCTION_ARGS)
{
	return explain(fcinfo, SLA_CACHED_SCHEDULE);
}
