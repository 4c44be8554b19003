/*
 * expand.h
 *		A schedule, written out: the open stretches of a part of time.
 *
 * This is the only place that knows what opening hours, holidays and zones
 * mean together.  It walks the days of the asked part of time once; the
 * timeline keeps what it found.
 */
#ifndef SLA_EXPAND_H
#define SLA_EXPAND_H

#include "core.h"
#include "timeline.h"

/* [from, to) in seconds of UTC since 2000-01-01 00:00. */
typedef struct sla_stretch
{
	int64_t		from;
	int64_t		to;
} sla_stretch;

/* Sorted, neither touching nor overlapping. */
typedef struct sla_stretches
{
	sla_stretch *list;
	size_t		count;
	size_t		capacity;
} sla_stretches;

/*
 * Memory for the length of one computation.  All of it hangs on the scratch,
 * so that what a computation leaves when alloc or interrupt does not return is
 * found and released by the next one.
 */
typedef struct sla_scratch
{
	const sla_env *env;
	struct sla_scratch_block *blocks;
	size_t		size;
} sla_scratch;

extern void *sla_scratch_alloc(sla_scratch *scratch, size_t size);
extern void sla_scratch_reset(sla_scratch *scratch);

/* The open stretches of [from, to), clipped to it. */
extern void sla_expand(sla_scratch *scratch, const sla_schedule *schedule,
					   int64_t from, int64_t to, sla_stretches *result);

/*
 * What is open in the windows that begin on a date, to their very end.  Of two
 * schedules together these are the windows of both, less what the other one
 * takes away.
 */
extern void sla_expand_day(sla_scratch *scratch, const sla_schedule *schedule,
						   int64_t day, sla_stretches *result);

/*
 * The days of `part`: [*from, *to), of which SLA_DATE_FIRST and SLA_DATE_LAST
 * are no bounds.
 */
extern void sla_part_days(const sla_part *part, int64_t *from, int64_t *to);

/* The holiday that a date is, or NULL. */
extern const sla_holiday *sla_part_holiday(const sla_part *part, int64_t day);

/*
 * The dates [*first, *end) outside of which the schedule repeats every 400
 * years.
 */
extern void sla_schedule_irregular(const sla_schedule *schedule,
								   int64_t *first, int64_t *end);

/*
 * The part that decides what a local date is: the first whose days include
 * it, or else the first of all.  The same for all dates in [day, *until).
 */
extern const sla_part *sla_schedule_part_on(const sla_schedule *schedule,
											int64_t day, int64_t *until);

/*
 * The part in whose zone an instant's local date is one of its days, the first
 * of them, or else the first of all; *offset is that zone's offset then.
 */
extern const sla_part *sla_schedule_part_at(const sla_schedule *schedule,
											int64_t utc_second, int32_t *offset);

/*
 * Clocks may go back, and parts may differ in their zones.  The latest local
 * second that a clock of the schedule shows up to an instant; and the instant
 * from which on no clock shows less than a local second.
 */
extern int64_t sla_schedule_latest_local(const sla_schedule *schedule,
										 int64_t utc_second);
extern int64_t sla_schedule_all_from(const sla_schedule *schedule,
									 int64_t local_second);

#endif							/* SLA_EXPAND_H */
