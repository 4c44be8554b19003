/*
 * business_time.c
 *		The questions that SQL asks of a schedule or of a calendar by name.
 *
 * Every function exists twice, for the name of a calendar and for a value of
 * sla.schedule; the two differ only in how they find the timeline.  Whoever
 * asks usually asks the same calendar for every row, so each place of call
 * remembers the last one, and does not search for it again as long as neither
 * the argument nor the cache has changed.
 *
 * All are strict.  What they do with infinite instants stands with each.
 */
#include "pg_sla.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inval.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "business_time.h"
#include "core/expand.h"
#include "schedule.h"

/* Find what the first argument stands for, and remember it. */
pg_noinline sla_cached *
sla_call_site_search(FunctionCallInfo fcinfo, sla_cached_kind kind, const char *bytes,
					 uint32 length)
{
	FmgrInfo   *function = fcinfo->flinfo;
	sla_call_site *site = function->fn_extra;

	if (site == NULL)
	{
		Node	   *call = function->fn_expr;

		site = MemoryContextAllocZero(function->fn_mcxt, sizeof(sla_call_site));
		site->constant = call != NULL && IsA(call, FuncExpr) &&
			IsA(linitial(((FuncExpr *) call)->args), Const);
		function->fn_extra = site;

		/* A query that locks no table has not heard of changes yet. */
		if (kind == SLA_CACHED_CALENDAR)
			AcceptInvalidationMessages();
	}

	site->stamp = 0;
	site->piece.length = 0;
	if (site->room < length)
	{
		if (site->bytes != NULL)
			pfree(site->bytes);
		site->room = 0;
		site->bytes = MemoryContextAlloc(function->fn_mcxt, length);
		site->room = length;
	}
	memcpy(site->bytes, bytes, length);
	site->length = length;

	/* The instant, in most questions. */
	if (fcinfo->nargs > 1)
		sla_cache_expect((TimestampTz) fcinfo->args[1].value);
	if (kind == SLA_CACHED_CALENDAR)
		site->found = sla_cached_calendar(bytes, length);
	else
	{
		uint32		text_length;
		const char *text = sla_schedule_text((struct varlena *) fcinfo->args[0].value,
											 &text_length);

		site->found = sla_cached_schedule(text, text_length);
	}
	site->stamp = sla_call_site_stamp();
	return site->found;
}

/*
 * sla.is_open(cal, at timestamptz) RETURNS boolean
 *
 * NULL for an infinite instant.
 */
static inline Datum
is_open(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(sla_is_open(cal->timeline, at));
}

SLA_QUESTION(is_open);

static pg_noinline void
refuse_measure(TimestampTz from, TimestampTz to)
{
	if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to))
	{
		/* timestamptz_to_str has one buffer */
		char	   *from_text = pstrdup(timestamptz_to_str(from));

		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("business time from \"%s\" to \"%s\" is infinite",
						from_text, timestamptz_to_str(to)),
				 errhint("Give the period a finite start and end.")));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INTERVAL_FIELD_OVERFLOW),
			 errmsg("interval out of range")));
}

static inline int64
measure(sla_cached *cal, TimestampTz from, TimestampTz to)
{
	int64		microseconds;

	if (unlikely(!sla_measure(cal->timeline, from, to, &microseconds)))
		refuse_measure(from, to);
	return microseconds;
}

/* Hours only, never days: the days of an interval are business days. */
static inline Datum
interval_of(int64 microseconds)
{
	Interval   *result = palloc(sizeof(Interval));

	result->time = microseconds;
	result->day = 0;
	result->month = 0;
	PG_RETURN_INTERVAL_P(result);
}

/*
 * sla.business_time(cal, from_ts timestamptz, to_ts timestamptz) RETURNS interval
 *
 * The open time in [from_ts, to_ts), negative when to_ts is the earlier one.
 * An infinite end is an error unless what is open towards it has an end.
 */
static inline Datum
business_time(FunctionCallInfo fcinfo, sla_cached *cal)
{
	return interval_of(measure(cal, PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_TIMESTAMPTZ(2)));
}

SLA_QUESTION(business_time);

/*
 * The ends of a range of instants.  Whether they belong to it is not asked: an
 * instant has no length.  False when the range is empty.
 */
static bool
ends_of(TypeCacheEntry *type, const RangeType *range, TimestampTz *from, TimestampTz *to)
{
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	range_deserialize(type, range, &lower, &upper, &empty);
	if (empty)
		return false;
	*from = lower.infinite ? DT_NOBEGIN : DatumGetTimestampTz(lower.val);
	*to = upper.infinite ? DT_NOEND : DatumGetTimestampTz(upper.val);
	return true;
}

static TypeCacheEntry *
range_type(void)
{
	return lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
}

/*
 * sla.business_time(cal, period tstzrange) RETURNS interval
 */
static inline Datum
business_time_of_range(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz from;
	TimestampTz to;

	if (!ends_of(range_type(), PG_GETARG_RANGE_P(1), &from, &to))
		return interval_of(0);
	return interval_of(measure(cal, from, to));
}

SLA_QUESTION(business_time_of_range);

/*
 * sla.business_time(cal, periods tstzmultirange) RETURNS interval
 */
static inline Datum
business_time_of_multirange(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TypeCacheEntry *type = range_type();
	int32		n;
	RangeType **ranges;
	int64		sum = 0;

	multirange_deserialize(type, PG_GETARG_MULTIRANGE_P(1), &n, &ranges);
	for (int32 i = 0; i < n; i++)
	{
		TimestampTz from;
		TimestampTz to;

		if (ends_of(type, ranges[i], &from, &to) &&
			pg_add_s64_overflow(sum, measure(cal, from, to), &sum))
			refuse_measure(0, 0);
	}
	return interval_of(sum);
}

SLA_QUESTION(business_time_of_multirange);

/* An amount with months, or an infinite one. */
pg_noinline void
sla_refuse_amount(const Interval *amount)
{
	char	   *text = DatumGetCString(DirectFunctionCall1(interval_out,
														   IntervalPGetDatum(amount)));

	if (INTERVAL_NOT_FINITE(amount))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot add \"%s\" of business time", text),
				 errhint("The interval must be finite.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cannot add months of business time: \"%s\"", text),
			 errhint("Say how many days, which are business days, or hours.")));
}

/* Instants are near each other when they are that many microseconds apart. */
#define NEAR				(10 * (uint64) USECS_PER_MINUTE)
#define MANY_NEAR			4

/*
 * sla.add_business_time(cal, from_ts timestamptz, amount interval) RETURNS timestamptz
 *
 * The amount's days come first and are business days, then its hours.
 * infinity or -infinity when not so much open time is left, and when from_ts
 * is; months are an error.
 */
static inline Datum
add_business_time(FunctionCallInfo fcinfo, sla_cached *cal)
{
	sla_call_site *site = fcinfo->flinfo->fn_extra;
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(1);
	const Interval *amount = PG_GETARG_INTERVAL_P(2);

	if (sla_piece_has(&site->piece, instant) && amount->time == site->hours &&
		(amount->day | amount->month) == 0)
		PG_RETURN_TIMESTAMPTZ(sla_piece_advance(&site->piece, instant));

	/* Rows often lie in the order of their coming; but a piece must be worth it. */
	if ((uint64) instant - (uint64) site->last + NEAR < 2 * NEAR)
	{
		site->last = instant;
		if (++site->near > MANY_NEAR && (amount->day | amount->month) == 0)
		{
			site->near = 0;
			site->hours = amount->time;
			PG_RETURN_TIMESTAMPTZ(sla_advance_piece(cal->timeline, instant, amount->time,
													&site->piece));
		}
	}
	else
	{
		site->last = instant;
		site->near = 0;
	}
	PG_RETURN_TIMESTAMPTZ(sla_business_time_after(cal, instant, amount));
}

SLA_QUESTION(add_business_time);

/*
 * sla.next_open(cal, at timestamptz) RETURNS timestamptz, and its kin
 *
 * Strictly after or before; NULL when there is none.  An infinite instant is
 * after or before everything.
 */
#define SLA_NEIGHBOUR(question) \
	static inline Datum \
	question(FunctionCallInfo fcinfo, sla_cached *cal) \
	{ \
		sla_instant result; \
		if (!sla_##question(cal->timeline, PG_GETARG_TIMESTAMPTZ(1), &result)) \
			PG_RETURN_NULL(); \
		PG_RETURN_TIMESTAMPTZ(result); \
	} \
	SLA_QUESTION(question)

SLA_NEIGHBOUR(next_open);
SLA_NEIGHBOUR(next_close);
SLA_NEIGHBOUR(previous_open);
SLA_NEIGHBOUR(previous_close);

/*
 * sla.roll_forward(cal, at timestamptz) RETURNS timestamptz
 *
 * at itself if open, else the next opening; NULL when there is none, and for
 * an infinite instant, which is neither open nor closed.
 */
static inline Datum
roll_forward(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	sla_instant result;

	if (TIMESTAMP_NOT_FINITE(at) || !sla_roll_forward(cal->timeline, at, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

SLA_QUESTION(roll_forward);

/*
 * sla.roll_backward(cal, at timestamptz) RETURNS timestamptz
 *
 * at itself if open, else the last closing before it or at it.
 */
static inline Datum
roll_backward(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	sla_instant result;

	if (TIMESTAMP_NOT_FINITE(at) || !sla_roll_backward(cal->timeline, at, &result))
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(result);
}

SLA_QUESTION(roll_backward);

/*
 * sla.open_hours(cal, period tstzrange) RETURNS tstzmultirange
 *
 * The open stretches [open, close) in the period.  A period without start or
 * end is an error unless what is open towards it has an end.
 */
static inline Datum
open_hours(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TypeCacheEntry *type = range_type();
	TimestampTz from;
	TimestampTz to;
	sla_span	spans[256];
	RangeType **ranges = NULL;
	int32		n = 0;
	int32		room = 0;

	if (ends_of(type, PG_GETARG_RANGE_P(1), &from, &to))
	{
		int			got;

		if (TIMESTAMP_NOT_FINITE(from) || TIMESTAMP_NOT_FINITE(to))
			(void) measure(cal, from, to);
		do
		{
			CHECK_FOR_INTERRUPTS();
			got = sla_open_spans(cal->timeline, from, to, spans, lengthof(spans));
			if (n + got > room)
			{
				room = Max(2 * room, n + got);
				ranges = ranges == NULL
					? palloc(sizeof(RangeType *) * room)
					: repalloc_huge(ranges, sizeof(RangeType *) * room);
			}
			for (int i = 0; i < got; i++)
			{
				RangeBound	lower = {
					.val = TimestampTzGetDatum(spans[i].from), .inclusive = true, .lower = true
				};
				RangeBound	upper = {.val = TimestampTzGetDatum(spans[i].to)};

				ranges[n++] = make_range_compat(type, &lower, &upper, false);
			}
			if (got > 0)
				from = spans[got - 1].to;
		} while (got == lengthof(spans) && from < to);
	}
	PG_RETURN_MULTIRANGE_P(make_multirange(TSTZMULTIRANGEOID, type, n, ranges));
}

SLA_QUESTION(open_hours);

/*
 * sla.is_business_day(cal, day date) RETURNS boolean
 *
 * NULL for an infinite date.
 */
static inline Datum
is_business_day(FunctionCallInfo fcinfo, sla_cached *cal)
{
	DateADT		day = PG_GETARG_DATEADT(1);

	if (DATE_NOT_FINITE(day))
		PG_RETURN_NULL();
	PG_RETURN_BOOL(sla_is_business_day(cal->timeline, day));
}

SLA_QUESTION(is_business_day);

/*
 * sla.local_date(cal, at timestamptz) RETURNS date
 *
 * The date that the wall clock shows, in the time zone in force; NULL for an
 * infinite instant.
 */
static inline Datum
local_date(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	sla_date	day;
	int64		clock;

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	sla_local_time(cal->timeline, at, &day, &clock);
	PG_RETURN_DATEADT(day);
}

SLA_QUESTION(local_date);

/*
 * sla.local_time(cal, at timestamptz) RETURNS timestamp
 *
 * What the wall clock shows, in the time zone in force; NULL for an infinite
 * instant.
 */
static inline Datum
local_time(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(1);
	sla_date	day;
	int64		clock;

	if (TIMESTAMP_NOT_FINITE(at))
		PG_RETURN_NULL();
	sla_local_time(cal->timeline, at, &day, &clock);
	PG_RETURN_TIMESTAMP((int64) day * USECS_PER_DAY + clock);
}

SLA_QUESTION(local_time);

/*
 * sla.business_days(cal, from_day date, to_day date) RETURNS bigint
 *
 * Business days in [from_day, to_day), negative when to_day is the earlier
 * one.  Infinite dates are an error.
 */
static inline Datum
business_days(FunctionCallInfo fcinfo, sla_cached *cal)
{
	DateADT		from = PG_GETARG_DATEADT(1);
	DateADT		to = PG_GETARG_DATEADT(2);

	if (DATE_NOT_FINITE(from) || DATE_NOT_FINITE(to))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("cannot count business days to or from an infinite date")));
	PG_RETURN_INT64(sla_count_business_days(cal->timeline, from, to));
}

SLA_QUESTION(business_days);

/*
 * sla.add_business_days(cal, day date, days integer) RETURNS date
 *
 * The nth business day strictly after day, or before it for negative days; day
 * itself for 0.  infinity or -infinity when there are not so many, and for an
 * infinite date that date.
 */
static inline Datum
add_business_days_to_date(FunctionCallInfo fcinfo, sla_cached *cal)
{
	DateADT		day = PG_GETARG_DATEADT(1);
	int32		n = PG_GETARG_INT32(2);
	sla_date	result;

	if (DATE_NOT_FINITE(day))
		PG_RETURN_DATEADT(day);
	if (!sla_nth_business_day(cal->timeline, day, n, &result) || !IS_VALID_DATE(result))
		PG_RETURN_DATEADT(n > 0 ? DATEVAL_NOEND : DATEVAL_NOBEGIN);
	PG_RETURN_DATEADT(result);
}

SLA_QUESTION(add_business_days_to_date);

/*
 * The instant at which the wall clock of a local date shows `clock`
 * microseconds; false when it is out of range.
 */
static bool
instant_of(const sla_schedule *schedule, sla_date day, int64 clock, TimestampTz *result)
{
	int64		second = (int64) day * SECS_PER_DAY + clock / USECS_PER_SEC;
	int64		until;
	const sla_zone *zone = &sla_schedule_part_on(schedule, day, &until)->zone;

	second -= zone->offset_of(zone->data, second, &until);
	if (second < SLA_FIRST_INSTANT / USECS_PER_SEC || second >= SLA_END_INSTANT / USECS_PER_SEC)
		return false;
	*result = second * USECS_PER_SEC + clock % USECS_PER_SEC;
	return true;
}

/*
 * sla.add_business_days(cal, from_ts timestamptz, days integer) RETURNS timestamptz
 *
 * The same for the local date of an instant, the wall clock kept: the result
 * need not be open.
 */
static inline Datum
add_business_days_to_instant(FunctionCallInfo fcinfo, sla_cached *cal)
{
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(1);
	int32		n = PG_GETARG_INT32(2);
	sla_date	day;
	int64		clock;

	if (TIMESTAMP_NOT_FINITE(instant) || n == 0)
		PG_RETURN_TIMESTAMPTZ(instant);
	sla_local_time(cal->timeline, instant, &day, &clock);
	if (!sla_nth_business_day(cal->timeline, day, n, &day) ||
		!instant_of(cal->schedule, day, clock, &instant))
		instant = n > 0 ? DT_NOEND : DT_NOBEGIN;
	PG_RETURN_TIMESTAMPTZ(instant);
}

SLA_QUESTION(add_business_days_to_instant);

/*
 * sla.end_of_business_day(cal, from_ts timestamptz, days integer) RETURNS timestamptz
 *
 * The last closing of the nth business day after the one on which from_ts is,
 * or to which it rolls; before it for negative days.  infinity or -infinity
 * when there are not so many, and when from_ts is.
 */
static inline Datum
end_of_business_day(FunctionCallInfo fcinfo, sla_cached *cal)
{
	PG_RETURN_TIMESTAMPTZ(sla_end_of_business_day(cal->timeline, PG_GETARG_TIMESTAMPTZ(1),
												  PG_GETARG_INT32(2)));
}

SLA_QUESTION(end_of_business_day);
