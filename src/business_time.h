/*
 * business_time.h
 *		Functions of a schedule or of a calendar by name: what all need.
 */
#ifndef SLA_BUSINESS_TIME_H
#define SLA_BUSINESS_TIME_H

#include "pg_sla.h"

#include "utils/timestamp.h"

#include "core/timeline.h"
#include "timeline_cache.h"

/*
 * A place of call: the argument it had last, and what that stands for.  Where
 * hours are added to one instant after the other, a piece of time is at hand
 * with the answer for all of it.
 */
typedef struct sla_call_site
{
	uint64		stamp;			/* of what was found; 0 is never current */
	sla_cached *found;
	bool		constant;		/* the argument is a constant of the query */
	sla_piece	piece;			/* of what was found, by the hours: */
	int64		hours;			/* microseconds */
	TimestampTz last;			/* the instant that was asked about last, */
	int			near;			/* and how many before it were near each other */
	uint32		length;
	uint32		room;
	char	   *bytes;
} sla_call_site;

/*
 * Both counters only ever grow, so their sum stands exactly as long as both
 * stand.
 */
static inline uint64
sla_call_site_stamp(void)
{
	return sla_cache_epoch + sla_calendar_generation;
}

extern sla_cached *sla_call_site_search(FunctionCallInfo fcinfo, sla_cached_kind kind,
										const char *bytes, uint32 length);

/*
 * What the first argument stands for.  Good until the end of the call: nothing
 * that a function here does afterwards can throw it away.
 */
static pg_attribute_always_inline sla_cached *
sla_calendar_or_schedule(FunctionCallInfo fcinfo, sla_cached_kind kind)
{
	sla_call_site *site = fcinfo->flinfo->fn_extra;
	struct varlena *argument;
	uint32		length;

	if (likely(site != NULL && site->stamp == sla_call_site_stamp()))
	{
		if (site->constant)
			return site->found;
		argument = PG_GETARG_VARLENA_PP(0);
		length = VARSIZE_ANY_EXHDR(argument);
		if (length == site->length &&
			memcmp(VARDATA_ANY(argument), site->bytes, length) == 0)
			return site->found;
	}
	else
	{
		argument = PG_GETARG_VARLENA_PP(0);
		length = VARSIZE_ANY_EXHDR(argument);
	}

	/* so that it is detoasted once */
	fcinfo->args[0].value = PointerGetDatum(argument);
	return sla_call_site_search(fcinfo, kind, VARDATA_ANY(argument), length);
}

/*
 * Define the two functions of a question from a static inline function
 * question(fcinfo, timeline).
 */
#define SLA_QUESTION(question) \
	SLA_FUNCTION(sla_calendar_##question); \
	SLA_FUNCTION(sla_schedule_##question); \
	Datum \
	sla_calendar_##question(PG_FUNCTION_ARGS) \
	{ \
		return question(fcinfo, sla_calendar_or_schedule(fcinfo, SLA_CACHED_CALENDAR)); \
	} \
	Datum \
	sla_schedule_##question(PG_FUNCTION_ARGS) \
	{ \
		return question(fcinfo, sla_calendar_or_schedule(fcinfo, SLA_CACHED_SCHEDULE)); \
	} \
	extern int	sla_no_such_variable

extern void sla_refuse_amount(const Interval *amount) pg_attribute_noreturn();

/*
 * An instant and so much business time: its days first, then its hours.  An
 * infinite instant stays as it is; months are an error.
 */
static inline TimestampTz
sla_business_time_after(sla_cached *cal, TimestampTz instant, const Interval *amount)
{
	if (unlikely(amount->month != 0))
		sla_refuse_amount(amount);
	if (unlikely(TIMESTAMP_NOT_FINITE(instant)))
		return instant;
	if (amount->day != 0)
		instant = sla_advance_days(cal->timeline, instant, amount->day);
	return sla_advance(cal->timeline, instant, amount->time);
}

#endif							/* SLA_BUSINESS_TIME_H */
