/*
 * timeline.c
 *		Business time: rank and select over the open instants of a schedule.
 *
 * Time is cut into weeks, and for each week one 64-bit cell holds the open
 * seconds before it and which pattern it has (pattern.h).  Rank is a division
 * and two look-ups; select is a binary search in the cells and one in a
 * pattern.  The business days have a second series of cells of the same form,
 * over the weeks of local dates: the days before and a mask of seven bits.
 *
 * The cells that a series holds are one window of consecutive weeks around
 * what has been asked for.  It grows at both ends by pages of 27 weeks, about
 * half a year, each written out once by expand.c.
 *
 * A cycle of 400 years is 20871 = 27 * 773 weeks.  Outside of the years in
 * which the zone, the rules or dated things are irregular, one cycle is like
 * the next, so weeks beyond the first whole cycle after these years (or before
 * them) are answered by that cycle and a multiplication.
 *
 * Weeks begin on Sunday at 10:00 UTC, when Monday begins first on Earth: this
 * cuts working hours in two less often than any other time.
 */
#include "timeline.h"

#include <string.h>

#include "expand.h"
#include "pattern.h"

#define WEEKS_PER_PAGE		27
#define WEEKS_PER_CYCLE		INT64_C(20871)
#define DAYS_PER_WEEK		7
#define USECS_PER_UNIT		((uint64_t) SLA_SECS_PER_UNIT * SLA_USECS_PER_SEC)
#define USECS_PER_WEEK		((uint64_t) SLA_SECS_PER_WEEK * SLA_USECS_PER_SEC)
#define SECS_PER_PAGE		(WEEKS_PER_PAGE * SLA_SECS_PER_WEEK)

/*
 * Weeks of time are numbered from one that begins before INT64_MIN, so that
 * what is divided is unsigned.
 */
#define TIME_BIAS			UINT64_C(9223372245600000000)
#define TIME_ORIGIN			(-INT64_C(9223372245600))

/* Weeks of dates begin on Monday; number 0 lies before all dates. */
#define DATE_BIAS			(INT64_C(306783400) * DAYS_PER_WEEK - 2)

#define FIRST_SECOND		(SLA_FIRST_INSTANT / SLA_USECS_PER_SEC)
#define END_SECOND			(SLA_END_INSTANT / SLA_USECS_PER_SEC)

/* No instant and no date is further from the irregular years, in cycles. */
#define MAX_CYCLES			20000

/*
 * A window begins with room for five pages: more than a kilobyte, which the
 * server's allocator gives back whole when it is released.
 */
#define MIN_CELLS			(5 * WEEKS_PER_PAGE + 1)

/* A cell: the amount before its week, and the pattern or mask of the week. */
#define PAYLOAD_BITS		SLA_PLACE_BITS
#define PAYLOAD_MASK		((INT64_C(1) << PAYLOAD_BITS) - 1)

typedef struct series
{
	int64_t    *cells;			/* [0, count]; the last has only an amount */
	int64_t		first;			/* the week of cells[0] */
	int64_t		count;
	int64_t		begin;			/* the weeks that ever get cells: [begin, end), */
	int64_t		end;			/* a regular cycle at either end */
	int64_t		origin;			/* the second with which week 0 begins */
	int64_t    *buffer;			/* what was allocated */
	int64_t		capacity;		/* of it, in cells */
} series;

/*
 * What every answer reads lies in one line of the processor's cache, if the
 * whole begins with one: up to the count of cells of time.
 */
struct sla_timeline
{
	uint32_t	usual[SLA_USUAL_PATTERNS];	/* places, of summer and winter */
	sla_dictionary patterns;
	series		time;			/* amounts are open seconds */
	series		dates;			/* amounts are business days */
	const sla_schedule *schedule;
	sla_scratch scratch;
	sla_env		env;
};

/* What a page is made of, before it is linked into its series. */
typedef struct page
{
	uint32_t	amount[WEEKS_PER_PAGE];
	uint32_t	payload[WEEKS_PER_PAGE];
} page;

/* Where an instant lies. */
typedef struct spot
{
	int64_t		index;			/* the cell that answers for its week */
	int64_t		cycles;			/* the week is that many cycles later */
	uint64_t	rest;			/* microseconds of the week: */
	uint32_t	second;			/* of the week */
	uint32_t	fraction;		/* microseconds of that second */
} spot;

/* An amount of time. */
typedef struct span
{
	int64_t		seconds;
	uint32_t	fraction;		/* microseconds */
} span;

static inline int64_t
cell(int64_t amount, uint32_t payload)
{
	return amount * (INT64_C(1) << PAYLOAD_BITS) + payload;
}

static inline int64_t
cell_amount(int64_t cell)
{
	return cell >> PAYLOAD_BITS;
}

static inline uint32_t
cell_payload(int64_t cell)
{
	return (uint32_t) (cell & PAYLOAD_MASK);
}

/* ------------------------------------------------------------------------
 * Pages
 * ------------------------------------------------------------------------
 */

/*
 * Most weeks look like one of two, those of summer and of winter.  They are
 * found as the patterns that most weeks of a page have.
 */
static void
note_usual(sla_timeline *timeline, const page *page)
{
	uint32_t   *usual = timeline->usual;
	uint32_t	found = 0;
	int			most = 0;

	for (int i = 0; i < WEEKS_PER_PAGE; i++)
	{
		int			same = 0;

		for (int j = 0; j < WEEKS_PER_PAGE; j++)
			same += page->payload[j] == page->payload[i];
		if (same > most)
		{
			most = same;
			found = page->payload[i];
		}
	}
	found &= ~SLA_PLACE_LONG;
	if (found != usual[0] && found != usual[1])
	{
		usual[0] = usual[1];
		usual[1] = found;
	}
}

/* The open seconds and patterns of 27 weeks. */
static void
compile_time(sla_timeline *timeline, int64_t week, page *result)
{
	int64_t		from = timeline->time.origin + week * SLA_SECS_PER_WEEK;
	sla_stretches open;
	size_t		next = 0;
	sla_opening *openings;

	sla_expand(&timeline->scratch, timeline->schedule, from, from + SECS_PER_PAGE, &open);
	openings = sla_scratch_alloc(&timeline->scratch,
								 (open.count + 2) * sizeof(sla_opening));

	for (int i = 0; i < WEEKS_PER_PAGE; i++, from += SLA_SECS_PER_WEEK)
	{
		int64_t		to = from + SLA_SECS_PER_WEEK;
		uint32_t	count = 1;
		uint32_t	sum = 0;

		openings[0] = (sla_opening) {0, 0};
		for (; next < open.count && open.list[next].from < to; next++)
		{
			const sla_stretch *stretch = &open.list[next];
			uint32_t	opens = stretch->from > from ? (uint32_t) (stretch->from - from) : 0;
			uint32_t	closes = (uint32_t) ((stretch->to < to ? stretch->to : to) - from);

			if (opens > 0)
				openings[count++] = (sla_opening) {opens, sum};
			sum += closes - opens;
			/* The rest is for the next week. */
			if (stretch->to > to)
				break;
		}
		openings[count] = (sla_opening) {(uint32_t) SLA_SECS_PER_WEEK, sum};

		result->amount[i] = sum;
		result->payload[i] = sla_dictionary_place(&timeline->env, &timeline->patterns,
												  openings, count);
	}
	note_usual(timeline, result);
}

/*
 * Mark the dates of [from, to), counted from `from` in the masks, on which a
 * zone has an open instant.
 */
static void
mark_dates(sla_timeline *timeline, const sla_zone *zone, int64_t from, int64_t to,
		   uint32_t *masks, int64_t first)
{
	int64_t		second = (from - 1) * SLA_SECS_PER_DAY;
	int64_t		end = (to + 1) * SLA_SECS_PER_DAY;
	sla_stretches open;
	size_t		next = 0;

	sla_expand(&timeline->scratch, timeline->schedule, second, end, &open);
	while (second < end)
	{
		int64_t		until;
		int32_t		offset = zone->offset_at(zone->data, second, &until);
		int64_t		low = from * SLA_SECS_PER_DAY - offset;
		int64_t		high = to * SLA_SECS_PER_DAY - offset;

		if (until > end)
			until = end;
		if (low < second)
			low = second;
		if (high > until)
			high = until;
		second = until;
		if (low >= high)
			continue;

		while (next < open.count && open.list[next].to <= low)
			next++;
		for (size_t i = next; i < open.count && open.list[i].from < high; i++)
		{
			int64_t		opens = open.list[i].from > low ? open.list[i].from : low;
			int64_t		closes = open.list[i].to < high ? open.list[i].to : high;
			int64_t		date = sla_floor_div(opens + offset, SLA_SECS_PER_DAY) - first;
			int64_t		last = sla_floor_div(closes - 1 + offset, SLA_SECS_PER_DAY) - first;

			for (; date <= last; date++)
				masks[date / DAYS_PER_WEEK] |= UINT32_C(1) << (date % DAYS_PER_WEEK);
		}
	}
}

/* The business days of 27 weeks. */
static void
compile_dates(sla_timeline *timeline, int64_t week, page *result)
{
	int64_t		first = week * DAYS_PER_WEEK - DATE_BIAS;
	int64_t		end = first + WEEKS_PER_PAGE * DAYS_PER_WEEK;
	int64_t		date = first;

	memset(result->payload, 0, sizeof(result->payload));
	while (date < end)
	{
		int64_t		until;
		const sla_part *part = sla_schedule_part_on(timeline->schedule, date, &until);

		if (until > end)
			until = end;
		mark_dates(timeline, &part->zone, date, until, result->payload, first);
		date = until;
	}
	for (int i = 0; i < WEEKS_PER_PAGE; i++)
		result->amount[i] = (uint32_t) __builtin_popcount(result->payload[i]);
}

static void
compile_page(sla_timeline *timeline, const series *series, int64_t week, page *result)
{
	/* Leftovers of a computation from which an error took us. */
	sla_scratch_reset(&timeline->scratch);
	timeline->env.interrupt(timeline->env.arg);
	if (series == &timeline->time)
		compile_time(timeline, week, result);
	else
		compile_dates(timeline, week, result);
	sla_scratch_reset(&timeline->scratch);
}

/* ------------------------------------------------------------------------
 * Windows of cells
 * ------------------------------------------------------------------------
 */

/*
 * Make room for some more weeks below or above.  Little is kept in reserve:
 * copying is cheap beside compiling, and there may be very many timelines.
 */
static void
reserve(sla_timeline *timeline, series *series, int64_t below, int64_t above)
{
	int64_t		head = series->cells - series->buffer;
	int64_t		held = series->count + 1;
	int64_t		needed = below + held + above;
	int64_t		capacity = series->capacity;
	int64_t    *buffer = series->buffer;
	int64_t    *cells;

	if (head >= below && capacity - head >= held + above)
		return;

	if (capacity < needed)
	{
		capacity = needed + needed / 16;
		if (capacity < MIN_CELLS)
			capacity = MIN_CELLS;
		buffer = timeline->env.alloc(timeline->env.arg, capacity * sizeof(int64_t));
	}
	/* All room at the end at which it grows. */
	cells = below > 0 ? buffer + capacity - held : buffer;
	memmove(cells, series->cells, held * sizeof(int64_t));
	if (buffer != series->buffer)
		timeline->env.release(timeline->env.arg, series->buffer);
	series->buffer = buffer;
	series->cells = cells;
	series->capacity = capacity;
}

/* Add the page above the window. */
static void
extend_up(sla_timeline *timeline, series *series)
{
	page		page;
	int64_t    *cells;
	int64_t		amount;

	compile_page(timeline, series, series->first + series->count, &page);
	reserve(timeline, series, 0, WEEKS_PER_PAGE);
	cells = series->cells + series->count;
	amount = cell_amount(cells[0]);
	for (int i = 0; i < WEEKS_PER_PAGE; i++)
	{
		cells[i] = cell(amount, page.payload[i]);
		amount += page.amount[i];
	}
	cells[WEEKS_PER_PAGE] = cell(amount, 0);
	series->count += WEEKS_PER_PAGE;
}

/* Add the page below the window. */
static void
extend_down(sla_timeline *timeline, series *series)
{
	page		page;
	int64_t    *cells;
	int64_t		amount;

	compile_page(timeline, series, series->first - WEEKS_PER_PAGE, &page);
	reserve(timeline, series, WEEKS_PER_PAGE, 0);
	cells = series->cells - WEEKS_PER_PAGE;
	amount = cell_amount(series->cells[0]);
	for (int i = WEEKS_PER_PAGE; i-- > 0;)
	{
		amount -= page.amount[i];
		cells[i] = cell(amount, page.payload[i]);
	}
	series->cells = cells;
	series->first -= WEEKS_PER_PAGE;
	series->count += WEEKS_PER_PAGE;
}

/* Have the cells of all weeks from `week` to the window, or begin one there. */
static void
cover(sla_timeline *timeline, series *series, int64_t week)
{
	int64_t		page = week - week % WEEKS_PER_PAGE;

	if (series->count == 0)
	{
		if (series->buffer == NULL)
		{
			series->buffer = timeline->env.alloc(timeline->env.arg,
												 MIN_CELLS * sizeof(int64_t));
			series->capacity = MIN_CELLS;
			series->cells = series->buffer;
			series->cells[0] = cell(0, 0);
		}
		series->first = page;
	}
	if (page >= series->first + series->count)
		reserve(timeline, series, 0,
				page + WEEKS_PER_PAGE - (series->first + series->count));
	else if (page < series->first)
		reserve(timeline, series, series->first - page, 0);
	while (page >= series->first + series->count)
		extend_up(timeline, series);
	while (page < series->first)
		extend_down(timeline, series);
}

/* The amount before a cell's week, or what is left of all time before it. */
static inline int64_t
amount_before_cell(const series *series, int64_t index, bool rest)
{
	int64_t		amount = cell_amount(series->cells[index]);

	return rest ? (series->first + index) * SLA_SECS_PER_WEEK - amount : amount;
}

/* The amount of a whole cycle, of those above or below the irregular years. */
static int64_t
cycle_above(sla_timeline *timeline, series *series, bool rest)
{
	cover(timeline, series, series->end - WEEKS_PER_CYCLE);
	cover(timeline, series, series->end - 1);
	return amount_before_cell(series, series->count, rest) -
		amount_before_cell(series, series->count - WEEKS_PER_CYCLE, rest);
}

static int64_t
cycle_below(sla_timeline *timeline, series *series, bool rest)
{
	cover(timeline, series, series->begin + WEEKS_PER_CYCLE - 1);
	cover(timeline, series, series->begin);
	return amount_before_cell(series, WEEKS_PER_CYCLE, rest) -
		amount_before_cell(series, 0, rest);
}

/*
 * Find the cell that answers for a week.  Returns what to add to its amount to
 * have the amount before the week itself.
 */
static int64_t
locate(sla_timeline *timeline, series *series, int64_t week,
	   int64_t *index, int64_t *cycles)
{
	int64_t		more = 0;

	*cycles = 0;
	if (week >= series->end)
	{
		*cycles = (week - series->end) / WEEKS_PER_CYCLE + 1;
		more = *cycles * cycle_above(timeline, series, false);
	}
	else if (week < series->begin)
	{
		*cycles = -((series->begin - 1 - week) / WEEKS_PER_CYCLE + 1);
		more = *cycles * cycle_below(timeline, series, false);
	}
	week -= *cycles * WEEKS_PER_CYCLE;
	cover(timeline, series, week);
	*index = week - series->first;
	return more;
}

/*
 * The one cell of the window with no more than `amount` before it and more
 * before the next; false when it is not in the window.  Looks around `near`, a
 * cell of the window, as what is asked for is most often not far.
 */
static inline bool
find_cell(const series *series, bool rest, int64_t amount, int64_t near, int64_t *index)
{
	int64_t		low = near;		/* has no more before it */
	int64_t		high = near + 1;	/* has more before it */
	int64_t		step = 1;

	if (amount_before_cell(series, near, rest) <= amount)
	{
		while (amount_before_cell(series, high, rest) <= amount)
		{
			if (high == series->count)
				return false;
			low = high;
			high += step < series->count - high ? step : series->count - high;
			step *= 2;
		}
	}
	else
	{
		do
		{
			if (low == 0)
				return false;
			high = low;
			low -= step < low ? step : low;
			step *= 2;
		} while (amount_before_cell(series, low, rest) > amount);
	}
	while (high - low > 1)
	{
		int64_t		middle = low + (high - low) / 2;

		if (amount_before_cell(series, middle, rest) <= amount)
			low = middle;
		else
			high = middle;
	}
	*index = low;
	return true;
}

/*
 * Find the one week with no more than `amount` before it and more before the
 * next, looking around the week `near` first.  *within is the amount less that
 * before the week.  False when there is no such week.
 */
static bool
find_week(sla_timeline *timeline, series *series, bool rest, int64_t amount,
		  int64_t near, int64_t *index, int64_t *cycles, int64_t *within)
{
	*cycles = 0;
	near -= series->first;
	if (near < 0)
		near = 0;
	else if (near >= series->count)
		near = series->count - 1;

	if (!find_cell(series, rest, amount, near, index))
	{
		while (amount >= amount_before_cell(series, series->count, rest) &&
			   series->first + series->count < series->end)
			extend_up(timeline, series);
		while (amount < amount_before_cell(series, 0, rest) &&
			   series->first > series->begin)
			extend_down(timeline, series);

		if (amount >= amount_before_cell(series, series->count, rest))
		{
			int64_t		cycle = cycle_above(timeline, series, rest);
			int64_t		end = amount_before_cell(series, series->count, rest);

			if (cycle == 0)
				return false;
			*cycles = (amount - end) / cycle + 1;
			amount -= *cycles * cycle;
		}
		else if (amount < amount_before_cell(series, 0, rest))
		{
			int64_t		cycle = cycle_below(timeline, series, rest);
			int64_t		begin = amount_before_cell(series, 0, rest);

			if (cycle == 0)
				return false;
			*cycles = -((begin - 1 - amount) / cycle + 1);
			amount -= *cycles * cycle;
		}
		if (*cycles < -MAX_CYCLES || *cycles > MAX_CYCLES ||
			!find_cell(series, rest, amount, 0, index))
			return false;
	}
	*within = amount - amount_before_cell(series, *index, rest);
	return true;
}

/* ------------------------------------------------------------------------
 * Rank and select
 * ------------------------------------------------------------------------
 */

sla_forecast
sla_timeline_forecast(const sla_timeline *timeline)
{
	const series *time = &timeline->time;
	sla_forecast forecast;

	forecast.cells = (uintptr_t) time->cells - (uintptr_t) time->first * sizeof(int64_t);
	for (int i = 0; i < SLA_USUAL_PATTERNS; i++)
		forecast.patterns[i] = (uintptr_t) timeline->patterns.lines +
			(uintptr_t) timeline->usual[i] * sizeof(sla_compact);
	return forecast;
}

uintptr_t
sla_forecast_offset(sla_instant instant)
{
	return (uintptr_t) (((uint64_t) instant + TIME_BIAS) / USECS_PER_WEEK) * sizeof(int64_t);
}

/* Find an instant among the cells that are there; false when it is not. */
static inline bool
spot_in_window(const sla_timeline *timeline, sla_instant t, spot *spot)
{
	uint64_t	biased = (uint64_t) t + TIME_BIAS;
	uint64_t	week = biased / USECS_PER_WEEK;
	uint64_t	rest = biased - week * USECS_PER_WEEK;
	uint64_t	index = week - (uint64_t) timeline->time.first;

	spot->index = (int64_t) index;
	spot->cycles = 0;
	spot->rest = rest;
	spot->second = (uint32_t) (rest / (uint64_t) SLA_USECS_PER_SEC);
	spot->fraction = (uint32_t) (rest - (uint64_t) spot->second * SLA_USECS_PER_SEC);
	return index < (uint64_t) timeline->time.count;
}

/* The same, whatever it takes; returns what cycles add to the cell's amount. */
static int64_t
spot_anywhere(sla_timeline *timeline, sla_instant t, spot *spot)
{
	if (spot_in_window(timeline, t, spot))
		return 0;
	return locate(timeline, &timeline->time,
				  (int64_t) (((uint64_t) t + TIME_BIAS) / USECS_PER_WEEK),
				  &spot->index, &spot->cycles);
}

/* The last opening of the spot's week at or before it, and the one after that. */
static inline void
spot_opening(const sla_timeline *timeline, const spot *spot, sla_opening found[2])
{
	sla_pattern_opening(&timeline->patterns,
						cell_payload(timeline->time.cells[spot->index]), spot->second, found);
}

static inline int64_t
spot_week(const sla_timeline *timeline, const spot *spot)
{
	return timeline->time.first + spot->index + spot->cycles * WEEKS_PER_CYCLE;
}

static inline uint32_t
opening_length(const sla_opening *opening)
{
	return opening[1].before - opening->before;
}

/*
 * The open time of a week before an instant of it, in microseconds, the
 * instant in microseconds too.
 */
static inline int64_t
open_in_week(const sla_timeline *timeline, int64_t cell, uint64_t rest)
{
	uint32_t	place = cell_payload(cell);
	uint32_t	at = (uint32_t) (rest / USECS_PER_UNIT);
	uint64_t	part = rest - at * USECS_PER_UNIT;
	uint64_t	unit = USECS_PER_UNIT;
	uint32_t	before;
	uint32_t	length;
	uint32_t	passed;

	if (place & SLA_PLACE_LONG)
	{
		sla_opening found[2];

		unit = SLA_USECS_PER_SEC;
		at = (uint32_t) (rest / unit);
		part = rest - at * unit;
		sla_long_opening(&timeline->patterns, place, at, found);
		before = found[0].before;
		length = opening_length(found);
		passed = at - found[0].from;
	}
	else
	{
		const sla_compact *line = sla_compact_in(&timeline->patterns, place);
		uint32_t	i = sla_compact_last(line->from, at);

		before = line->before[i];
		length = line->before[i + 1] - before;
		passed = at - line->from[i];
	}
	part &= -(uint64_t) (passed < length);
	return (int64_t) ((before + (passed < length ? passed : length)) * unit + part);
}

/*
 * The open time before t (finite), or the closed time, from an arbitrary but
 * fixed beginning.  *week is the week of t.
 */
static span
time_before(sla_timeline *timeline, sla_instant t, bool closed, int64_t *week)
{
	spot		spot;
	int64_t		more = spot_anywhere(timeline, t, &spot);
	sla_opening opening[2];
	uint32_t	passed;
	uint32_t	length;
	bool		open;
	span		result;

	spot_opening(timeline, &spot, opening);
	passed = spot.second - opening->from;
	length = opening_length(opening);
	open = passed < length;
	*week = spot_week(timeline, &spot);
	result.seconds = cell_amount(timeline->time.cells[spot.index]) + more +
		opening->before + (open ? passed : length);
	if (closed)
		result.seconds = *week * SLA_SECS_PER_WEEK + spot.second - result.seconds;
	result.fraction = open != closed ? spot.fraction : 0;
	return result;
}

/*
 * The second that is open (closed) and has that many open (closed) seconds
 * before it.  Most likely near a week.
 */
static bool
find_second(sla_timeline *timeline, bool closed, int64_t amount, int64_t near,
			int64_t *second)
{
	int64_t		index;
	int64_t		cycles;
	int64_t		within;
	uint32_t	place;

	if (!find_week(timeline, &timeline->time, closed, amount, near,
				   &index, &cycles, &within))
		return false;
	place = cell_payload(timeline->time.cells[index]);
	*second = timeline->time.origin +
		(timeline->time.first + index + cycles * WEEKS_PER_CYCLE) * SLA_SECS_PER_WEEK +
		(closed ? sla_pattern_closed_second(&timeline->patterns, place, (uint32_t) within) :
		 sla_pattern_open_second(&timeline->patterns, place, (uint32_t) within));
	return true;
}

/* Put an instant together; false when it is out of range. */
static bool
make_instant(int64_t second, uint32_t fraction, sla_instant *result)
{
	if (second < FIRST_SECOND || second >= END_SECOND)
		return false;
	*result = second * SLA_USECS_PER_SEC + fraction;
	return true;
}

/* The last instant that has an amount of open (closed) time before it. */
static bool
last_with(sla_timeline *timeline, bool closed, span amount, int64_t near,
		  sla_instant *result)
{
	int64_t		second;

	return find_second(timeline, closed, amount.seconds, near, &second) &&
		make_instant(second, amount.fraction, result);
}

/* The first instant that has an amount of open (closed) time before it. */
static bool
first_with(sla_timeline *timeline, bool closed, span amount, int64_t near,
		   sla_instant *result)
{
	int64_t		second;

	if (amount.fraction > 0)
		return last_with(timeline, closed, amount, near, result);
	return find_second(timeline, closed, amount.seconds - 1, near, &second) &&
		make_instant(second + 1, 0, result);
}

/* An amount of time and microseconds more, or less. */
static span
span_plus(span amount, int64_t more)
{
	amount.seconds += sla_floor_div(more, SLA_USECS_PER_SEC);
	amount.fraction += (uint32_t) sla_floor_mod(more, SLA_USECS_PER_SEC);
	if (amount.fraction >= SLA_USECS_PER_SEC)
	{
		amount.fraction -= (uint32_t) SLA_USECS_PER_SEC;
		amount.seconds++;
	}
	return amount;
}

static inline bool
is_finite(sla_instant t)
{
	return t != SLA_FOREVER && t != SLA_BEFORE_ALL;
}

/* ------------------------------------------------------------------------
 * Making and freeing
 * ------------------------------------------------------------------------
 */

/* Set the weeks that ever get cells, from the days that do not repeat. */
static void
bound_series(series *series, int64_t origin, int64_t irregular, int64_t regular)
{
	/* A week more is more than windows and zones reach into other days. */
	int64_t		low = (irregular * SLA_SECS_PER_DAY - origin) / SLA_SECS_PER_WEEK - 1;
	int64_t		high = (regular * SLA_SECS_PER_DAY - origin) / SLA_SECS_PER_WEEK + 2;

	series->origin = origin;
	series->begin = low - low % WEEKS_PER_PAGE - WEEKS_PER_CYCLE;
	series->end = high - high % WEEKS_PER_PAGE + WEEKS_PER_PAGE + WEEKS_PER_CYCLE;
}

const size_t sla_timeline_header = sizeof(sla_timeline);

sla_timeline *
sla_timeline_create(const sla_env *env, const sla_schedule *schedule)
{
	return sla_timeline_init(env->alloc(env->arg, sizeof(sla_timeline)), env, schedule);
}

sla_timeline *
sla_timeline_init(void *place, const sla_env *env, const sla_schedule *schedule)
{
	sla_timeline *timeline = place;
	int64_t		irregular;
	int64_t		regular;

	memset(timeline, 0, sizeof(*timeline));
	timeline->env = *env;
	timeline->schedule = schedule;
	timeline->scratch.env = &timeline->env;
	sla_schedule_irregular(schedule, &irregular, &regular);
	bound_series(&timeline->time, TIME_ORIGIN, irregular, regular);
	bound_series(&timeline->dates, -DATE_BIAS * SLA_SECS_PER_DAY, irregular, regular);
	return timeline;
}

void
sla_timeline_free(sla_timeline *timeline)
{
	sla_env		env = timeline->env;

	sla_scratch_reset(&timeline->scratch);
	sla_dictionary_free(&env, &timeline->patterns);
	if (timeline->time.buffer != NULL)
		env.release(env.arg, timeline->time.buffer);
	if (timeline->dates.buffer != NULL)
		env.release(env.arg, timeline->dates.buffer);
	env.release(env.arg, timeline);
}

size_t
sla_timeline_size(const sla_timeline *timeline)
{
	return sizeof(*timeline) + timeline->scratch.size +
		sla_dictionary_size(&timeline->patterns) +
		(timeline->time.capacity + timeline->dates.capacity) * sizeof(int64_t);
}

bool
sla_timeline_is_empty(sla_timeline *timeline)
{
	series	   *time = &timeline->time;

	if (time->count == 0)
		cover(timeline, time, (int64_t) (TIME_BIAS / USECS_PER_WEEK));
	while (cell_amount(time->cells[0]) == cell_amount(time->cells[time->count]))
	{
		/* What is open at all is most likely open soon. */
		if (time->first + time->count < time->end)
			extend_up(timeline, time);
		else if (time->first > time->begin)
			extend_down(timeline, time);
		else
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------------
 * Business time
 * ------------------------------------------------------------------------
 */

bool
sla_is_open(sla_timeline *timeline, sla_instant t)
{
	spot		spot;
	sla_opening opening[2];

	spot_anywhere(timeline, t, &spot);
	spot_opening(timeline, &spot, opening);
	return spot.second - opening->from < opening_length(opening);
}

/* The open time before t, as far as it is finite. */
static bool
open_before(sla_timeline *timeline, sla_instant t, span *result)
{
	series	   *time = &timeline->time;
	int64_t		week;

	if (is_finite(t))
	{
		*result = time_before(timeline, t, false, &week);
		return true;
	}
	result->fraction = 0;
	if (t == SLA_FOREVER)
	{
		if (cycle_above(timeline, time, false) != 0)
			return false;
		result->seconds = cell_amount(time->cells[time->count]);
	}
	else
	{
		if (cycle_below(timeline, time, false) != 0)
			return false;
		result->seconds = cell_amount(time->cells[0]);
	}
	return true;
}

static bool
measure_anywhere(sla_timeline *timeline, sla_instant a, sla_instant b, int64_t *result)
{
	span		before_a;
	span		before_b;
	int64_t		seconds;

	if (a == b)
	{
		*result = 0;
		return true;
	}
	if (!open_before(timeline, a, &before_a) || !open_before(timeline, b, &before_b))
		return false;

	/* Of one sign, so that only what is too long itself is too long. */
	seconds = before_b.seconds - before_a.seconds;
	*result = (int64_t) before_b.fraction - (int64_t) before_a.fraction;
	if (seconds > 0 && *result < 0)
	{
		seconds--;
		*result += SLA_USECS_PER_SEC;
	}
	else if (seconds < 0 && *result > 0)
	{
		seconds++;
		*result -= SLA_USECS_PER_SEC;
	}
	return !__builtin_mul_overflow(seconds, SLA_USECS_PER_SEC, &seconds) &&
		!__builtin_add_overflow(seconds, *result, result);
}

bool
sla_measure(sla_timeline *timeline, sla_instant a, sla_instant b, int64_t *result)
{
	spot		spot_a;
	spot		spot_b;
	int64_t		cell_a;
	int64_t		cell_b;

	/* No window reaches to where infinite instants would be. */
	if (!spot_in_window(timeline, a, &spot_a) || !spot_in_window(timeline, b, &spot_b))
		return measure_anywhere(timeline, a, b, result);

	/* Cells span 11000 years at the most: no product can overflow. */
	cell_a = timeline->time.cells[spot_a.index];
	cell_b = timeline->time.cells[spot_b.index];
	*result = (cell_amount(cell_b) - cell_amount(cell_a)) * SLA_USECS_PER_SEC +
		open_in_week(timeline, cell_b, spot_b.rest) -
		open_in_week(timeline, cell_a, spot_a.rest);
	return true;
}

static sla_instant
advance_anywhere(sla_timeline *timeline, sla_instant t, int64_t amount)
{
	sla_instant result;
	int64_t		week;
	span		target;

	if (!is_finite(t))
		return t;
	target = span_plus(time_before(timeline, t, false, &week), amount);
	if (amount > 0)
		return first_with(timeline, false, target, week, &result) ? result : SLA_FOREVER;
	return last_with(timeline, false, target, week, &result) ? result : SLA_BEFORE_ALL;
}

/* Any amount, backward too. */
static __attribute__((noinline)) sla_instant
advance_far(sla_timeline *timeline, sla_instant t, int64_t amount)
{
	const series *time = &timeline->time;
	spot		spot;
	int64_t		cell;
	int64_t		week;			/* the instant with which the week begins */
	int64_t		target;			/* open microseconds, from there to the result */
	int64_t		seconds;
	int64_t		index;
	uint32_t	second;

	if (amount == 0)
		return t;
	/* Amounts of more than 11000 years leave the window anyway. */
	if (!spot_in_window(timeline, t, &spot) ||
		amount > INT64_MAX / 4 || amount < INT64_MIN / 4)
		return advance_anywhere(timeline, t, amount);

	cell = time->cells[spot.index];
	week = t - (int64_t) spot.rest;
	target = open_in_week(timeline, cell, spot.rest) + amount;

	/*
	 * The open second in which the result lies, by its number; it may end with
	 * it when going forward, but begins with it when going backward.
	 */
	seconds = sla_floor_div(amount > 0 ? target - 1 : target, SLA_USECS_PER_SEC);

	index = spot.index;
	if (seconds < 0 || seconds >= cell_amount(time->cells[index + 1]) - cell_amount(cell))
	{
		seconds += cell_amount(cell);
		if (!find_cell(time, false, seconds, spot.index, &index))
			return advance_anywhere(timeline, t, amount);
		week += (index - spot.index) * (int64_t) USECS_PER_WEEK;
		target -= (cell_amount(time->cells[index]) - cell_amount(cell)) * SLA_USECS_PER_SEC;
		seconds -= cell_amount(time->cells[index]);
	}
	second = sla_pattern_open_second(&timeline->patterns, cell_payload(time->cells[index]),
									 (uint32_t) seconds);
	return week + target + (second - seconds) * SLA_USECS_PER_SEC;
}

/*
 * Most amounts are hours, and then this is all there is to do.  Whether t is
 * open and in which stretch of which week the hours end can hardly be
 * foreseen, and a jump on it would cost more than all the rest.  So there is
 * none, and what does not apply is masked out.  The piece is left alone where
 * it takes more.
 */
static inline __attribute__((always_inline)) sla_instant
advance_near(sla_timeline *timeline, sla_instant t, int64_t amount, sla_piece *piece)
{
	const series *time = &timeline->time;
	spot		spot;
	const int64_t *cell;
	const sla_compact *line;
	uint32_t	place;
	uint32_t	next_place;
	uint32_t	at;				/* t in units of the week, */
	uint32_t	part;			/* and microseconds more */
	uint32_t	i;
	uint32_t	before;			/* open units before t's opening */
	uint32_t	length;
	uint32_t	passed;
	uint32_t	open;			/* all bits set if t is open */
	uint32_t	closed;			/* closed units of the week before t */
	uint32_t	total;			/* open units of t's week */
	uint32_t	fraction;
	uint32_t	goal;			/* number, in its week, of the result's open unit */
	uint32_t	next;			/* all bits set if that is the next week */
	uint32_t	j;
	sla_instant result;

	if ((uint64_t) amount - 1 >= USECS_PER_WEEK ||
		!spot_in_window(timeline, t, &spot) ||
		spot.index + 1 >= time->count)
		return advance_far(timeline, t, amount);

	cell = &time->cells[spot.index];
	place = cell_payload(cell[0]);
	next_place = cell_payload(cell[1]);
	if ((place | next_place) & SLA_PLACE_LONG)
		return advance_far(timeline, t, amount);
	line = sla_compact_in(&timeline->patterns, place);
	__builtin_prefetch(sla_compact_in(&timeline->patterns, next_place));

	at = (uint32_t) (spot.rest / USECS_PER_UNIT);
	part = (uint32_t) (spot.rest - at * USECS_PER_UNIT);
	i = sla_compact_last(line->from, at);
	before = line->before[i];
	length = line->before[i + 1] - before;
	passed = at - line->from[i];
	open = -(uint32_t) (passed < length);
	passed = passed < length ? passed : length;
	closed = at - before - passed;
	total = line->before[SLA_COMPACT_LENGTH - 1];

	/* A closed t counts as the beginning of its unit, the result may be the end of one. */
	goal = (uint32_t) ((uint64_t) amount / USECS_PER_UNIT);
	fraction = (uint32_t) ((uint64_t) amount - goal * USECS_PER_UNIT) + (part & open);
	goal += (fraction > USECS_PER_UNIT) - (fraction == 0);
	goal += before + passed;

	next = -(uint32_t) (goal >= total);
	line = sla_compact_in(&timeline->patterns, place ^ ((place ^ next_place) & next));
	goal -= total & next;
	if (goal >= line->before[SLA_COMPACT_LENGTH - 1])
		return advance_far(timeline, t, amount);
	j = sla_compact_last(line->before, goal);
	closed = line->from[j] - line->before[j] + ((SLA_UNITS_PER_WEEK - total) & next) - closed;
	result = t - (part & ~open) + amount + (int64_t) (closed * USECS_PER_UNIT);

	if (piece != NULL)
	{
		const sla_compact *of_t = sla_compact_in(&timeline->patterns, place);
		sla_instant week = t - (int64_t) spot.rest;
		uint32_t	closes = of_t->from[i] + length;
		sla_instant to;

		if (open)
		{
			/* While t is in this opening and the result in its one, or at its end. */
			int64_t		moved = result - t;
			sla_instant opens = week + (next ? (int64_t) USECS_PER_WEEK : 0) +
				(int64_t) (line->from[j] * USECS_PER_UNIT);
			int64_t		lasts = (int64_t) ((line->before[j + 1] - line->before[j]) *
										   USECS_PER_UNIT);

			piece->from = week + (int64_t) (of_t->from[i] * USECS_PER_UNIT);
			to = week + (int64_t) (closes * USECS_PER_UNIT);
			if (piece->from <= opens - moved)
				piece->from = opens - moved + 1;
			if (to > opens + lasts - moved + 1)
				to = opens + lasts - moved + 1;
			piece->kept = UINT64_MAX;
			piece->added = moved;
		}
		else
		{
			piece->from = week + (int64_t) (closes * USECS_PER_UNIT);
			to = week + (int64_t) (of_t->from[i + 1] * USECS_PER_UNIT);
			piece->kept = 0;
			piece->added = result;
		}
		piece->length = (uint64_t) (to - piece->from);
	}
	return result;
}

sla_instant
sla_advance(sla_timeline *timeline, sla_instant t, int64_t amount)
{
	return advance_near(timeline, t, amount, NULL);
}

sla_instant
sla_advance_piece(sla_timeline *timeline, sla_instant t, int64_t amount, sla_piece *piece)
{
	piece->length = 0;
	/* Near the end of time its end might be beyond. */
	if (t > SLA_END_INSTANT - 4 * (int64_t) USECS_PER_WEEK)
		return sla_advance(timeline, t, amount);
	return advance_near(timeline, t, amount, piece);
}

/* The first instant, from t (finite) on, that is open (closed). */
static bool
first_from(sla_timeline *timeline, sla_instant t, bool closed, sla_instant *result)
{
	spot		spot;
	sla_opening opening[2];
	uint32_t	edge;			/* the next change, if it is in this week */
	int64_t		week;
	span		before;

	spot_anywhere(timeline, t, &spot);
	spot_opening(timeline, &spot, opening);
	edge = opening->from + opening_length(opening);
	if ((spot.second < edge) != closed)
	{
		*result = t;
		return true;
	}
	if (!closed)
		edge = opening[1].from;
	if (edge < SLA_SECS_PER_WEEK)
	{
		*result = t - spot.fraction +
			(int64_t) (edge - spot.second) * SLA_USECS_PER_SEC;
		return *result < SLA_END_INSTANT;
	}
	before = time_before(timeline, t, closed, &week);
	return last_with(timeline, closed, before, week, result);
}

/* The last instant, up to t (finite), just before which it is open (closed). */
static bool
last_until(sla_timeline *timeline, sla_instant t, bool closed, sla_instant *result)
{
	spot		spot;
	sla_opening opening[2];
	uint32_t	edge;			/* the change before, if it is in this week */
	int64_t		week;
	span		before;

	spot_anywhere(timeline, t - 1, &spot);
	spot_opening(timeline, &spot, opening);
	edge = opening->from + opening_length(opening);
	if ((spot.second < edge) != closed)
	{
		*result = t;
		return true;
	}
	if (closed)
		edge = opening->from;
	if (edge > 0)
	{
		*result = t - 1 - spot.fraction -
			(int64_t) (spot.second - edge) * SLA_USECS_PER_SEC;
		return *result >= SLA_FIRST_INSTANT;
	}
	before = time_before(timeline, t, closed, &week);
	return first_with(timeline, closed, before, week, result);
}

/* Infinite instants stand for the ends of what is finite. */
static sla_instant
finite_from(sla_instant t)
{
	return t <= SLA_FIRST_INSTANT ? SLA_FIRST_INSTANT - 1 : t;
}

static sla_instant
finite_until(sla_instant t)
{
	return t >= SLA_END_INSTANT ? SLA_END_INSTANT : t;
}

bool
sla_next_open(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	return t < SLA_END_INSTANT &&
		first_from(timeline, finite_from(t), true, result) &&
		first_from(timeline, *result, false, result);
}

bool
sla_next_close(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	return t < SLA_END_INSTANT &&
		first_from(timeline, finite_from(t), false, result) &&
		first_from(timeline, *result, true, result);
}

bool
sla_previous_open(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	return t > SLA_FIRST_INSTANT &&
		last_until(timeline, finite_until(t), false, result) &&
		last_until(timeline, *result, true, result);
}

bool
sla_previous_close(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	return t > SLA_FIRST_INSTANT &&
		last_until(timeline, finite_until(t), true, result) &&
		last_until(timeline, *result, false, result);
}

bool
sla_roll_forward(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	return first_from(timeline, t, false, result);
}

bool
sla_roll_backward(sla_timeline *timeline, sla_instant t, sla_instant *result)
{
	if (sla_is_open(timeline, t))
	{
		*result = t;
		return true;
	}
	return last_until(timeline, t, false, result);
}

int
sla_open_spans(sla_timeline *timeline, sla_instant a, sla_instant b,
			   sla_span *spans, int max)
{
	int			n = 0;
	sla_instant from = a > SLA_FIRST_INSTANT ? a : SLA_FIRST_INSTANT;
	sla_instant end = b < SLA_END_INSTANT ? b : SLA_END_INSTANT;

	while (n < max && from < end && first_from(timeline, from, false, &from) && from < end)
	{
		sla_instant to;

		if (!first_from(timeline, from, true, &to) || to >= end)
			to = b;
		spans[n].from = from == SLA_FIRST_INSTANT ? a : from;
		spans[n].to = to;
		n++;
		from = to;
	}
	return n;
}

/* ------------------------------------------------------------------------
 * Business days
 * ------------------------------------------------------------------------
 */

/* The business days before a date, from an arbitrary but fixed beginning. */
static int64_t
days_before(sla_timeline *timeline, int64_t date, bool *is_one)
{
	int64_t		week = (date + DATE_BIAS) / DAYS_PER_WEEK;
	int			weekday = (int) ((date + DATE_BIAS) % DAYS_PER_WEEK);
	int64_t		index;
	int64_t		cycles;
	int64_t		more = locate(timeline, &timeline->dates, week, &index, &cycles);
	int64_t		cell = timeline->dates.cells[index];
	uint32_t	mask = (uint32_t) (cell & PAYLOAD_MASK);

	if (is_one != NULL)
		*is_one = (mask >> weekday) & 1;
	mask &= (UINT32_C(1) << weekday) - 1;
	return more + cell_amount(cell) + __builtin_popcount(mask);
}

bool
sla_is_business_day(sla_timeline *timeline, sla_date day)
{
	bool		result;

	days_before(timeline, day, &result);
	return result;
}

int64_t
sla_count_business_days(sla_timeline *timeline, sla_date a, sla_date b)
{
	int64_t		before_a = days_before(timeline, a, NULL);

	return days_before(timeline, b, NULL) - before_a;
}

bool
sla_nth_business_day(sla_timeline *timeline, sla_date day, int64_t n, sla_date *result)
{
	int64_t		before;			/* business days before the wanted one */
	int64_t		near;
	int64_t		index;
	int64_t		cycles;
	int64_t		within;
	uint32_t	mask;
	int64_t		date;

	if (n == 0)
	{
		*result = day;
		return true;
	}
	if (n > 0)
		before = days_before(timeline, (int64_t) day + 1, NULL) - 1;
	else
		before = days_before(timeline, day, NULL);
	near = (day + DATE_BIAS) / DAYS_PER_WEEK;
	if (__builtin_add_overflow(before, n, &before) ||
		!find_week(timeline, &timeline->dates, false, before, near,
				   &index, &cycles, &within))
		return false;

	mask = (uint32_t) (timeline->dates.cells[index] & PAYLOAD_MASK);
	for (; within > 0; within--)
		mask &= mask - 1;
	date = (timeline->dates.first + index + cycles * WEEKS_PER_CYCLE) * DAYS_PER_WEEK +
		__builtin_ctz(mask) - DATE_BIAS;
	if (date <= SLA_DATE_FIRST || date >= SLA_DATE_LAST)
		return false;
	*result = (sla_date) date;
	return true;
}

void
sla_local_time(sla_timeline *timeline, sla_instant t, sla_date *day, int64_t *clock)
{
	int64_t		second = sla_floor_div(t, SLA_USECS_PER_SEC);
	int32_t		offset;

	sla_schedule_part_at(timeline->schedule, second, &offset);
	*day = (sla_date) sla_floor_div(second + offset, SLA_SECS_PER_DAY);
	*clock = sla_floor_mod(second + offset, SLA_SECS_PER_DAY) * SLA_USECS_PER_SEC +
		sla_floor_mod(t, SLA_USECS_PER_SEC);
}

/*
 * The next stretch of a local date at or after *second: [*from, *to) are the
 * instants of it with one offset.  False when there are no more.
 */
static bool
next_of_date(const sla_zone *zone, int64_t date, int64_t *second,
			 int64_t *from, int64_t *to)
{
	int64_t		end = (date + 2) * SLA_SECS_PER_DAY;

	while (*second < end)
	{
		int64_t		until;
		int32_t		offset = zone->offset_at(zone->data, *second, &until);
		int64_t		low = date * SLA_SECS_PER_DAY - offset;
		int64_t		high = low + SLA_SECS_PER_DAY;

		*from = low > *second ? low : *second;
		*to = high < until ? high : until;
		*second = until;
		if (*from < *to)
			return true;
	}
	return false;
}

/*
 * The first open instant of a local date from `wanted` on, or else the end of
 * its last open stretch before that.
 */
static bool
open_on_date(sla_timeline *timeline, const sla_zone *zone, int64_t date,
			 sla_instant wanted, sla_instant *result)
{
	int64_t		second = (date - 1) * SLA_SECS_PER_DAY;
	int64_t		from;
	int64_t		to;
	bool		found = false;

	while (next_of_date(zone, date, &second, &from, &to))
	{
		sla_instant begin;
		sla_instant end;
		sla_instant open;

		/* At the ends of time. */
		if (to <= FIRST_SECOND || from >= END_SECOND)
			continue;
		begin = (from > FIRST_SECOND ? from : FIRST_SECOND) * SLA_USECS_PER_SEC;
		end = (to < END_SECOND ? to : END_SECOND) * SLA_USECS_PER_SEC;

		if (end > wanted &&
			first_from(timeline, begin > wanted ? begin : wanted, false, &open) &&
			open < end)
		{
			*result = open;
			return true;
		}
		if (begin < wanted &&
			last_until(timeline, end < wanted ? end : wanted, false, &open) &&
			open > begin)
		{
			*result = open;
			found = true;
		}
	}
	return found;
}

/*
 * The local date and clock from which days are counted: of t rolled to an open
 * instant, which is put into *start.  False when there is none.
 */
static bool
first_day(sla_timeline *timeline, sla_instant t, bool backward,
		  sla_instant *start, sla_date *day, int64_t *clock)
{
	if (!backward)
	{
		if (!sla_roll_forward(timeline, t, start))
			return false;
		sla_local_time(timeline, *start, day, clock);
		return true;
	}
	if (sla_is_open(timeline, t))
	{
		*start = t;
		sla_local_time(timeline, t, day, clock);
		return true;
	}
	/* A closing belongs to the day that it ends, be it at 24:00. */
	if (!last_until(timeline, t, false, start))
		return false;
	sla_local_time(timeline, *start - 1, day, clock);
	(*clock)++;
	return true;
}

sla_instant
sla_advance_days(sla_timeline *timeline, sla_instant t, int64_t n)
{
	sla_instant never = n > 0 ? SLA_FOREVER : SLA_BEFORE_ALL;
	sla_instant result;
	sla_date	day;
	int64_t		clock;
	int64_t		until;
	int64_t		second;
	const sla_zone *zone;

	if (n == 0 || !is_finite(t))
		return t;
	if (!first_day(timeline, t, n < 0, &result, &day, &clock) ||
		!sla_nth_business_day(timeline, day, n, &day))
		return never;
	zone = &sla_schedule_part_on(timeline->schedule, day, &until)->zone;
	second = day * SLA_SECS_PER_DAY + clock / SLA_USECS_PER_SEC;
	second -= zone->offset_of(zone->data, second, &until);
	if (second < FIRST_SECOND - SLA_SECS_PER_DAY || second >= END_SECOND)
		return never;
	if (!open_on_date(timeline, zone, day,
					  second * SLA_USECS_PER_SEC + clock % SLA_USECS_PER_SEC, &result))
		return never;
	return result;
}

/* When a local date closes; false when nothing of it is open. */
static bool
closing_of_date(sla_timeline *timeline, int64_t date, sla_instant *result)
{
	int64_t		until;
	const sla_zone *zone = &sla_schedule_part_on(timeline->schedule, date, &until)->zone;
	bool		found = open_on_date(timeline, zone, date, SLA_END_INSTANT, result);
	sla_stretches own;

	/* Leftovers of a computation from which an error took us. */
	sla_scratch_reset(&timeline->scratch);
	sla_expand_day(&timeline->scratch, timeline->schedule, date, &own);
	if (own.count > 0)
	{
		int64_t		end = own.list[own.count - 1].to;

		if (end > FIRST_SECOND &&
			(!found || end >= END_SECOND || end * SLA_USECS_PER_SEC > *result))
		{
			*result = end < END_SECOND ? end * SLA_USECS_PER_SEC : SLA_END_INSTANT;
			found = true;
		}
	}
	sla_scratch_reset(&timeline->scratch);
	return found;
}

sla_instant
sla_end_of_business_day(sla_timeline *timeline, sla_instant t, int64_t n)
{
	sla_instant never = n >= 0 ? SLA_FOREVER : SLA_BEFORE_ALL;
	sla_instant start;
	sla_instant result;
	sla_date	day;
	int64_t		clock;

	if (!is_finite(t))
		return t;
	if (!first_day(timeline, t, n < 0, &start, &day, &clock) ||
		!sla_nth_business_day(timeline, day, n, &day))
		return never;
	/* Where a calendar changes its zone, the date may be one of neither. */
	if (!closing_of_date(timeline, day, &result) &&
		(n != 0 || !sla_next_close(timeline, start, &result)))
		return never;
	return result < SLA_END_INSTANT ? result : never;
}

/* As sla_starts_before for n = 0. */
static sla_instant
starts_before_hours(sla_timeline *timeline, int64_t amount, sla_instant limit)
{
	sla_instant closing;
	sla_instant start;
	int64_t		week;
	span		target;

	if (amount == 0)
		return limit;
	if (amount < 0)
	{
		/* So late that limit to there is as much as is taken off. */
		if (amount == INT64_MIN)
			return SLA_FOREVER;
		return sla_advance(timeline, limit, -amount);
	}

	/*
	 * With B(t) the open time before t, the result of adding is the first
	 * instant u that has B(u) = B(t) + amount.  If it is open up to limit, u is
	 * before limit when B(t) + amount < B(limit); else already when they are
	 * equal.
	 */
	limit = finite_until(limit);
	if (limit <= SLA_FIRST_INSTANT || !last_until(timeline, limit, false, &closing))
		return SLA_FIRST_INSTANT;
	target = span_plus(time_before(timeline, closing, false, &week), -amount);
	if (!last_with(timeline, false, target, week, &start))
		return SLA_FIRST_INSTANT;
	if (closing < limit)
		return start + 1;
	return last_until(timeline, start, false, &start) ? start : SLA_FIRST_INSTANT;
}

sla_instant
sla_starts_before(sla_timeline *timeline, int64_t n, int64_t amount, sla_instant limit)
{
	sla_instant cutoff;
	int64_t		second;
	int64_t		last;
	sla_date	day;

	if (limit == SLA_BEFORE_ALL)
		return limit;
	/* The beginning of time is always before, whatever is added to it. */
	cutoff = starts_before_hours(timeline, amount, limit);
	if (cutoff < SLA_FIRST_INSTANT)
		cutoff = SLA_FIRST_INSTANT;
	if (n == 0)
		return cutoff;
	if (n < 0 || cutoff >= SLA_END_INSTANT)
		return SLA_FOREVER;
	if (cutoff == SLA_FIRST_INSTANT)
		return cutoff;

	/*
	 * What adding the days gives lies on the nth business day or ends it, so
	 * before cutoff only if that day has begun by then, and then the day from
	 * which they are counted is before the nth last.
	 */
	last = sla_schedule_latest_local(timeline->schedule,
									 sla_floor_div(cutoff - 1, SLA_USECS_PER_SEC));
	if (!sla_nth_business_day(timeline,
							  (sla_date) (sla_floor_div(last, SLA_SECS_PER_DAY) + 1), -n, &day))
		return SLA_FIRST_INSTANT;
	second = sla_schedule_all_from(timeline->schedule, day * SLA_SECS_PER_DAY);
	if (second <= FIRST_SECOND)
		return SLA_FIRST_INSTANT;
	return second < END_SECOND ? second * SLA_USECS_PER_SEC : SLA_FOREVER;
}
