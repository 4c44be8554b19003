/*
 * timeline.h
 *		Business time: rank and select over the open instants of a schedule.
 *
 * Let B(t) be the open time before t.  Then the business time in [a, b) is
 * B(b) - B(a), and adding d > 0 to t looks for the first u with
 * B(u) = B(t) + d.  A timeline keeps B in prefix sums over weeks of UTC, so no
 * answer walks days, however far apart the instants are.
 *
 * Open instants are the union of [instant(date + from), instant(date + to))
 * over the windows of all local dates, where instant() is the server's rule
 * for AT TIME ZONE.  Nothing is rounded; the ends of windows and the offsets
 * of zones are whole seconds.
 */
#ifndef SLA_TIMELINE_H
#define SLA_TIMELINE_H

#include "core.h"
#include "opening_hours.h"

/*
 * A time zone, as the caller knows it.  Seconds count from 2000-01-01 00:00,
 * of UTC or of the wall clock as named.  Offsets are seconds east of UTC.
 *
 * offset_at: the offset in force at an instant; the same for every instant in
 * [utc_second, *until).
 * offset_of: the offset by which a wall-clock time is read, the server's rule
 * deciding for times that do not exist or exist twice; the same for every
 * wall-clock time in [local_second, *until).
 *
 * Offsets are less than a day.  Before 1800 and from 2200 on a zone must repeat
 * every 400 years.
 */
typedef struct sla_zone
{
	int32_t		(*offset_at) (const void *data, int64_t utc_second, int64_t *until);
	int32_t		(*offset_of) (const void *data, int64_t local_second, int64_t *until);
	const void *data;
} sla_zone;

/*
 * A holiday: the windows that its date has instead of the usual ones; none
 * when it is closed all day.  With usual_hours the opening hours decide by
 * their PH rules, and when they name no PH the day is closed.  A working day
 * has the windows of any other day: its holiday closes only a part of it.  The
 * day's year is one from 1 to 9999.
 *
 * What is closed is time of that date, whichever date's windows it belongs to,
 * in the same wall-clock seconds as windows.
 */
typedef struct sla_holiday
{
	sla_date	day;
	uint16_t	nwindows;
	uint16_t	nclosed:14;
	uint16_t	usual_hours:1;
	uint16_t	working_day:1;
	const sla_window *windows;	/* sorted, disjoint */
	const sla_window *closed;	/* sorted, disjoint */
} sla_holiday;

/*
 * Opening hours in force for the windows that begin on local dates in
 * [from_day, to_day).  Bounds outside of the years 1 to 9999 count as -infinity
 * and infinity.
 */
typedef struct sla_part
{
	sla_zone	zone;
	const sla_hours *hours;
	const sla_holiday *holidays;	/* sorted by day, one for a day */
	int			nholidays;
	sla_date	from_day;		/* SLA_DATE_FIRST: from the beginning */
	sla_date	to_day;			/* SLA_DATE_LAST: for ever */
} sla_part;

/* What is open: a part, or two schedules put together. */
typedef enum sla_schedule_kind
{
	SLA_SCHEDULE_PART,
	SLA_SCHEDULE_UNION,
	SLA_SCHEDULE_INTERSECTION,
	SLA_SCHEDULE_DIFFERENCE
} sla_schedule_kind;

typedef struct sla_schedule
{
	sla_schedule_kind kind;
	sla_part	part;			/* SLA_SCHEDULE_PART */
	const struct sla_schedule *left;	/* the others */
	const struct sla_schedule *right;
} sla_schedule;

typedef struct sla_timeline sla_timeline;

/*
 * Make a timeline.  The schedule and all it points to must outlive it.
 * Nothing is compiled yet: stretches of half a year are, when first needed.
 * The local dates of the day functions are those of the schedule's first part
 * whose days include the date, in that part's zone; where there is none, those
 * of its very first part.
 */
extern sla_timeline *sla_timeline_create(const sla_env *env,
										 const sla_schedule *schedule);
extern void sla_timeline_free(sla_timeline *timeline);

/*
 * The same in memory of the caller's own: sla_timeline_header bytes, which had
 * better begin with a line of the processor's cache. Not to be freed, but what
 * the environment gave is released with it.
 */
extern const size_t sla_timeline_header;
extern sla_timeline *sla_timeline_init(void *place, const sla_env *env,
									   const sla_schedule *schedule);

/*
 * Where the next answer will be looked for, for prefetching: an address to add
 * sla_forecast_offset() of an instant to, and those of the patterns that most
 * weeks have.  All are guesses, of use only while nothing is done with them but
 * to prefetch: what was there may be gone.
 */
#define SLA_USUAL_PATTERNS	2

typedef struct sla_forecast
{
	uintptr_t	cells;
	uintptr_t	patterns[SLA_USUAL_PATTERNS];
} sla_forecast;

extern sla_forecast sla_timeline_forecast(const sla_timeline *timeline);
extern uintptr_t sla_forecast_offset(sla_instant instant);

/* Bytes held, for the caller's accounts. */
extern size_t sla_timeline_size(const sla_timeline *timeline);

/* Is it open at no instant at all? */
extern bool sla_timeline_is_empty(sla_timeline *timeline);

/* Is t (finite) open? */
extern bool sla_is_open(sla_timeline *timeline, sla_instant t);

/*
 * Open microseconds in [a, b); the negative of the reverse when b < a.  a and
 * b may be infinite.  False when that is infinite or too long for 64 bits.
 */
extern bool sla_measure(sla_timeline *timeline, sla_instant a, sla_instant b,
						int64_t *result);

/*
 * For amount > 0 the first u >= t with amount open microseconds in [t, u), for
 * amount < 0 the last u <= t with -amount in [u, t); t itself for 0.
 * SLA_FOREVER or SLA_BEFORE_ALL when there is not that much left, and for an
 * infinite t that t.
 */
extern sla_instant sla_advance(sla_timeline *timeline, sla_instant t,
							   int64_t amount);

/*
 * Instants, `length` of them from `from` on, to which adding one amount is next
 * to nothing: either all of them are moved by as much, or all to the same
 * instant.  With length 0 it is empty.
 */
typedef struct sla_piece
{
	sla_instant from;
	uint64_t	length;
	uint64_t	kept;			/* the bits of the instant that are kept: all or none */
	int64_t		added;
} sla_piece;

static inline bool
sla_piece_has(const sla_piece *piece, sla_instant t)
{
	return (uint64_t) t - (uint64_t) piece->from < piece->length;
}

static inline sla_instant
sla_piece_advance(const sla_piece *piece, sla_instant t)
{
	return (sla_instant) (((uint64_t) t & piece->kept) + (uint64_t) piece->added);
}

/* The same as sla_advance, and a piece with t in it, or an empty one. */
extern sla_instant sla_advance_piece(sla_timeline *timeline, sla_instant t,
									 int64_t amount, sla_piece *piece);

/*
 * The first opening or closing strictly after t, the last strictly before;
 * false when there is none.  t may be infinite.
 */
extern bool sla_next_open(sla_timeline *timeline, sla_instant t, sla_instant *result);
extern bool sla_next_close(sla_timeline *timeline, sla_instant t, sla_instant *result);
extern bool sla_previous_open(sla_timeline *timeline, sla_instant t, sla_instant *result);
extern bool sla_previous_close(sla_timeline *timeline, sla_instant t, sla_instant *result);

/*
 * t (finite) if open, else the next opening; false when there is none.
 * Backward: t if open, else the last closing before it (or at it).
 */
extern bool sla_roll_forward(sla_timeline *timeline, sla_instant t, sla_instant *result);
extern bool sla_roll_backward(sla_timeline *timeline, sla_instant t, sla_instant *result);

/* A business day is a local date with any open instant. */
extern bool sla_is_business_day(sla_timeline *timeline, sla_date day);

/* Business days in [a, b), the negative of the reverse when b < a. */
extern int64_t sla_count_business_days(sla_timeline *timeline, sla_date a, sla_date b);

/*
 * The nth business day strictly after day (n > 0) or before it (n < 0), day
 * itself for 0; false when there are not so many.
 */
extern bool sla_nth_business_day(sla_timeline *timeline, sla_date day, int64_t n,
								 sla_date *result);

/*
 * Days of an interval: t rolls to an open instant, forward for n > 0 and
 * backward for n < 0, then moves n business days with the wall clock kept;
 * where that clock is closed on that day, the next opening of that day, or its
 * last closing if none is left.  A closing to which t rolls belongs to the day
 * that it ends, at 24:00 too.  t itself for n = 0.  SLA_FOREVER or
 * SLA_BEFORE_ALL when there are not so many days.
 */
extern sla_instant sla_advance_days(sla_timeline *timeline, sla_instant t, int64_t n);

/*
 * The closing of a day: t rolls to an open instant as for sla_advance_days
 * (forward for n = 0 too), then it is the nth business day after that
 * instant's date, or before it.  The day closes when the last of the windows
 * that begin on it ends, also after midnight, but not before the last instant
 * to which the day is open: so a day without windows of its own closes when
 * the last night's shift does, and one that is open around midnight at
 * midnight.  SLA_FOREVER (SLA_BEFORE_ALL for n < 0) when there are not so many
 * days, and for an infinite t that t.
 */
extern sla_instant sla_end_of_business_day(sla_timeline *timeline, sla_instant t,
										   int64_t n);

/*
 * Where to look for starts: t is before the result whenever adding n business
 * days and then amount to t gives an instant before limit.  For n = 0 also
 * only then, so that it is another way to say the same; for n > 0 a business
 * day later at most, apart from changes of the clock or of the zone; for n < 0
 * nothing is known and all of time is searched.
 */
extern sla_instant sla_starts_before(sla_timeline *timeline, int64_t n,
									 int64_t amount, sla_instant limit);

/* The wall clock: local date and microseconds after midnight of t (finite). */
extern void sla_local_time(sla_timeline *timeline, sla_instant t, sla_date *day,
						   int64_t *clock);

/*
 * Fill in the open stretches that meet [a, b), clipped to it, starting with
 * the first; at most max.  Returns how many; a full buffer may mean more,
 * which a call from the end of the last stretch gives.  One that is open since
 * before the first finite instant, or to the end, has the infinite a or b.
 */
typedef struct sla_span
{
	sla_instant from;
	sla_instant to;
} sla_span;

extern int	sla_open_spans(sla_timeline *timeline, sla_instant a, sla_instant b,
						   sla_span *spans, int max);

#endif							/* SLA_TIMELINE_H */
