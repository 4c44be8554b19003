/*
 * expand.c
 *		A schedule, written out: the open stretches of a part of time.
 */
#include "expand.h"
#include "gregorian.h"

#include <string.h>

/* 1800-01-01 and 2200-01-01: outside, zones repeat every 400 years. */
#define ZONES_FIRST_DAY		INT64_C(-73048)
#define ZONES_END_DAY		INT64_C(73049)

/* What is dated has a year from 1 to 9999. */
#define FIRST_YEAR			1
#define LAST_YEAR			9999

typedef struct sla_scratch_block
{
	struct sla_scratch_block *next;
	size_t		size;
} sla_scratch_block;

/* Released by the next sla_scratch_reset. */
void *
sla_scratch_alloc(sla_scratch *scratch, size_t size)
{
	sla_scratch_block *block;

	size += sizeof(sla_scratch_block);
	block = scratch->env->alloc(scratch->env->arg, size);
	block->next = scratch->blocks;
	block->size = size;
	scratch->blocks = block;
	scratch->size += size;
	return block + 1;
}

void
sla_scratch_reset(sla_scratch *scratch)
{
	while (scratch->blocks != NULL)
	{
		sla_scratch_block *block = scratch->blocks;

		scratch->blocks = block->next;
		scratch->size -= block->size;
		scratch->env->release(scratch->env->arg, block);
	}
}

/*
 * Make room for one more, so that an insertion in the middle needs no more
 * than a move.
 */
static void
stretches_grow(sla_scratch *scratch, sla_stretches *stretches)
{
	size_t		capacity = stretches->capacity > 0 ? stretches->capacity * 2 : 64;
	sla_stretch *list = sla_scratch_alloc(scratch, capacity * sizeof(sla_stretch));

	if (stretches->count > 0)
		memcpy(list, stretches->list, stretches->count * sizeof(sla_stretch));
	stretches->list = list;
	stretches->capacity = capacity;
}

/*
 * Add [from, to) to the set.  Fast when it lies at the end or near it, as
 * windows do in the order of days.
 */
static void
stretches_add(sla_scratch *scratch, sla_stretches *stretches, int64_t from, int64_t to)
{
	size_t		first;			/* of those that touch or follow */
	size_t		next;			/* the first that follows */
	sla_stretch *list;

	if (stretches->count == stretches->capacity)
		stretches_grow(scratch, stretches);
	list = stretches->list;

	next = stretches->count;
	while (next > 0 && list[next - 1].from > to)
		next--;
	first = next;
	while (first > 0 && list[first - 1].to >= from)
		first--;

	if (first == next)
	{
		memmove(list + first + 1, list + first,
				(stretches->count - first) * sizeof(sla_stretch));
		list[first].from = from;
		list[first].to = to;
		stretches->count++;
		return;
	}
	if (list[first].from > from)
		list[first].from = from;
	list[first].to = list[next - 1].to > to ? list[next - 1].to : to;
	memmove(list + first + 1, list + next,
			(stretches->count - next) * sizeof(sla_stretch));
	stretches->count -= next - first - 1;
}

/*
 * Reads wall-clock times in roughly rising order, asking the zone again only
 * when its answer has run out.
 */
typedef struct wall_reader
{
	const sla_zone *zone;
	int64_t		from;
	int64_t		until;
	int32_t		offset;
} wall_reader;

static inline int64_t
read_wall(wall_reader *reader, int64_t local_second)
{
	if (local_second < reader->from || local_second >= reader->until)
	{
		reader->offset = reader->zone->offset_of(reader->zone->data, local_second,
												 &reader->until);
		reader->from = local_second;
	}
	return local_second - reader->offset;
}

/* The first of the holidays, by number, that is not before a day. */
static int
holiday_from(const sla_part *part, int64_t day)
{
	int			low = 0;
	int			high = part->nholidays;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (part->holidays[middle].day < day)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const sla_holiday *
sla_part_holiday(const sla_part *part, int64_t day)
{
	int			i = holiday_from(part, day);

	return i < part->nholidays && part->holidays[i].day == day ? &part->holidays[i] : NULL;
}

void
sla_part_days(const sla_part *part, int64_t *from, int64_t *to)
{
	*from = part->from_day == SLA_DATE_FIRST ? INT64_MIN : part->from_day;
	*to = part->to_day == SLA_DATE_LAST ? INT64_MAX : part->to_day;
	if (*from < sla_new_year(FIRST_YEAR))
		*from = INT64_MIN;
	else if (*from >= sla_new_year(LAST_YEAR + 1))
		*from = INT64_MAX;
	if (*to <= sla_new_year(FIRST_YEAR))
		*to = INT64_MIN;
	else if (*to > sla_new_year(LAST_YEAR + 1))
		*to = INT64_MAX;
}

/*
 * The windows that begin on a day; returns how many.  `today` is its holiday,
 * or NULL; room is for as many windows as the opening hours can have.
 */
static int
windows_on(const sla_part *part, int64_t day, const sla_holiday *today,
		   sla_window *room, const sla_window **windows)
{
	*windows = room;
	if (today == NULL)
		return sla_hours_on(part->hours, (sla_date) day, false, room);
	if (today->working_day)
		return sla_hours_on(part->hours, (sla_date) day, false, room);
	if (!today->usual_hours)
	{
		*windows = today->windows;
		return today->nwindows;
	}
	if (!sla_hours_names_holidays(part->hours))
		return 0;
	return sla_hours_on(part->hours, (sla_date) day, true, room);
}

static void
subtract(sla_scratch *scratch, const sla_stretches *left, const sla_stretches *right,
		 sla_stretches *result)
{
	size_t		r = 0;

	for (size_t l = 0; l < left->count; l++)
	{
		int64_t		from = left->list[l].from;
		int64_t		to = left->list[l].to;

		while (r < right->count && right->list[r].to <= from)
			r++;
		for (size_t cut = r; cut < right->count && right->list[cut].from < to; cut++)
		{
			if (right->list[cut].from > from)
				stretches_add(scratch, result, from, right->list[cut].from);
			from = right->list[cut].to;
		}
		if (from < to)
			stretches_add(scratch, result, from, to);
	}
}

/*
 * Take out of `open`, which holds the windows of the days [day, end), what
 * holidays close.  Windows reach two days on, and so does what is closed.
 */
static void
take_closed(sla_scratch *scratch, const sla_part *part, int64_t day, int64_t end,
			sla_stretches *open)
{
	wall_reader starts = {&part->zone, 0, 0, 0};
	wall_reader stops = {&part->zone, 0, 0, 0};
	sla_stretches closed = {0};
	sla_stretches left = {0};
	int64_t		from_day;
	int64_t		to_day;

	sla_part_days(part, &from_day, &to_day);
	for (int i = holiday_from(part, day - 3 > from_day ? day - 3 : from_day);
		 i < part->nholidays && part->holidays[i].day < end + 3 &&
		 part->holidays[i].day < to_day; i++)
	{
		const sla_holiday *holiday = &part->holidays[i];
		int64_t		midnight = holiday->day * SLA_SECS_PER_DAY;

		for (int j = 0; j < holiday->nclosed; j++)
		{
			int64_t		start = read_wall(&starts, midnight + holiday->closed[j].from);
			int64_t		stop = read_wall(&stops, midnight + holiday->closed[j].to);

			if (start < stop)
				stretches_add(scratch, &closed, start, stop);
		}
	}
	if (closed.count == 0)
		return;
	subtract(scratch, open, &closed, &left);
	*open = left;
}

/* What is open of the windows of the days [day, end), clipped to [from, to). */
static void
expand_days(sla_scratch *scratch, const sla_part *part, int64_t day, int64_t end,
			int64_t from, int64_t to, sla_stretches *result)
{
	int64_t		from_day;
	int64_t		to_day;
	sla_window *room;
	wall_reader openings = {&part->zone, 0, 0, 0};
	wall_reader closings = {&part->zone, 0, 0, 0};
	int			holiday;
	int64_t		first;

	sla_part_days(part, &from_day, &to_day);
	if (day < from_day)
		day = from_day;
	if (end > to_day)
		end = to_day;
	if (day >= end)
		return;

	room = sla_scratch_alloc(scratch, sla_hours_max_windows(part->hours) *
							 sizeof(sla_window));
	holiday = holiday_from(part, day);

	first = day;
	for (; day < end; day++)
	{
		const sla_holiday *today = NULL;
		const sla_window *window;
		int			nwindows;
		int64_t		midnight = day * SLA_SECS_PER_DAY;

		if (holiday < part->nholidays && part->holidays[holiday].day == day)
			today = &part->holidays[holiday++];
		nwindows = windows_on(part, day, today, room, &window);

		for (; nwindows > 0; nwindows--, window++)
		{
			int64_t		opening = read_wall(&openings, midnight + window->from);
			int64_t		closing = read_wall(&closings, midnight + window->to);

			if (opening < from)
				opening = from;
			if (closing > to)
				closing = to;
			/* A change of the clock can leave nothing of a window. */
			if (opening < closing)
				stretches_add(scratch, result, opening, closing);
		}
	}
	take_closed(scratch, part, first, end, result);
}

static void
expand_part(sla_scratch *scratch, const sla_part *part, int64_t from, int64_t to,
			sla_stretches *result)
{
	/*
	 * A window ends at most 48 hours after the midnight that begins its day,
	 * and no zone is a day or more off UTC.
	 */
	expand_days(scratch, part, sla_floor_div(from, SLA_SECS_PER_DAY) - 3,
				sla_floor_div(to - 1, SLA_SECS_PER_DAY) + 2, from, to, result);
}

static void
unite(sla_scratch *scratch, const sla_stretches *left, const sla_stretches *right,
	  sla_stretches *result)
{
	size_t		l = 0;
	size_t		r = 0;

	while (l < left->count || r < right->count)
	{
		const sla_stretch *next;

		if (r == right->count ||
			(l < left->count && left->list[l].from <= right->list[r].from))
			next = &left->list[l++];
		else
			next = &right->list[r++];
		stretches_add(scratch, result, next->from, next->to);
	}
}

static void
intersect(sla_scratch *scratch, const sla_stretches *left, const sla_stretches *right,
		  sla_stretches *result)
{
	size_t		l = 0;
	size_t		r = 0;

	while (l < left->count && r < right->count)
	{
		const sla_stretch *a = &left->list[l];
		const sla_stretch *b = &right->list[r];
		int64_t		from = a->from > b->from ? a->from : b->from;
		int64_t		to = a->to < b->to ? a->to : b->to;

		if (from < to)
			stretches_add(scratch, result, from, to);
		if (a->to < b->to)
			l++;
		else
			r++;
	}
}

void
sla_expand(sla_scratch *scratch, const sla_schedule *schedule, int64_t from, int64_t to,
		   sla_stretches *result)
{
	sla_stretches left;
	sla_stretches right;

	memset(result, 0, sizeof(*result));
	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		expand_part(scratch, &schedule->part, from, to, result);
		return;
	}

	sla_expand(scratch, schedule->left, from, to, &left);
	if (left.count == 0 && schedule->kind != SLA_SCHEDULE_UNION)
		return;
	sla_expand(scratch, schedule->right, from, to, &right);
	switch (schedule->kind)
	{
		case SLA_SCHEDULE_UNION:
			/* The versions of a calendar seldom meet in a page. */
			if (right.count == 0)
				*result = left;
			else if (left.count == 0)
				*result = right;
			else
				unite(scratch, &left, &right, result);
			break;
		case SLA_SCHEDULE_INTERSECTION:
			intersect(scratch, &left, &right, result);
			break;
		case SLA_SCHEDULE_DIFFERENCE:
			subtract(scratch, &left, &right, result);
			break;
		case SLA_SCHEDULE_PART:
			break;
	}
}

/* What of `part` is open in `schedule` too, or is not. */
static void
filter(sla_scratch *scratch, const sla_stretches *part, const sla_schedule *schedule,
	   bool open, sla_stretches *result)
{
	sla_stretches other;

	if (part->count == 0)
		return;
	sla_expand(scratch, schedule, part->list[0].from, part->list[part->count - 1].to, &other);
	if (open)
		intersect(scratch, part, &other, result);
	else
		subtract(scratch, part, &other, result);
}

void
sla_expand_day(sla_scratch *scratch, const sla_schedule *schedule, int64_t day,
			   sla_stretches *result)
{
	sla_stretches left;
	sla_stretches right;
	sla_stretches left_kept = {0};
	sla_stretches right_kept = {0};

	memset(result, 0, sizeof(*result));
	scratch->env->interrupt(scratch->env->arg);
	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		expand_days(scratch, &schedule->part, day, day + 1, INT64_MIN, INT64_MAX, result);
		return;
	}

	sla_expand_day(scratch, schedule->left, day, &left);
	if (schedule->kind == SLA_SCHEDULE_DIFFERENCE)
	{
		filter(scratch, &left, schedule->right, false, result);
		return;
	}
	sla_expand_day(scratch, schedule->right, day, &right);
	if (schedule->kind == SLA_SCHEDULE_UNION)
	{
		unite(scratch, &left, &right, result);
		return;
	}
	filter(scratch, &left, schedule->right, true, &left_kept);
	filter(scratch, &right, schedule->left, true, &right_kept);
	unite(scratch, &left_kept, &right_kept, result);
}

/* Widen [*first, *end) to take in [from, to), of which either may be open. */
static void
widen(int64_t *first, int64_t *end, int64_t from, int64_t to)
{
	if (*first > from)
		*first = from;
	if (*end < to)
		*end = to;
}

static void
widen_by_part(const sla_part *part, int64_t *first, int64_t *end)
{
	int64_t		from_day;
	int64_t		to_day;
	int			first_year;
	int			last_year;

	if (sla_hours_named_years(part->hours, &first_year, &last_year))
	{
		if (first_year < FIRST_YEAR)
			first_year = FIRST_YEAR;
		if (last_year > LAST_YEAR)
			last_year = LAST_YEAR;
		widen(first, end, sla_new_year(first_year), sla_new_year(last_year + 1));
	}
	if (part->nholidays > 0)
		widen(first, end, part->holidays[0].day,
			  (int64_t) part->holidays[part->nholidays - 1].day + 1);
	sla_part_days(part, &from_day, &to_day);
	if (from_day != INT64_MIN && from_day != INT64_MAX)
		widen(first, end, from_day, from_day);
	if (to_day != INT64_MIN && to_day != INT64_MAX)
		widen(first, end, to_day, to_day);
}

static void
widen_by_schedule(const sla_schedule *schedule, int64_t *first, int64_t *end)
{
	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		widen_by_part(&schedule->part, first, end);
		return;
	}
	widen_by_schedule(schedule->left, first, end);
	widen_by_schedule(schedule->right, first, end);
}

void
sla_schedule_irregular(const sla_schedule *schedule, int64_t *first, int64_t *end)
{
	*first = ZONES_FIRST_DAY;
	*end = ZONES_END_DAY;
	widen_by_schedule(schedule, first, end);
	if (*first < sla_new_year(FIRST_YEAR))
		*first = sla_new_year(FIRST_YEAR);
	if (*end > sla_new_year(LAST_YEAR + 1))
		*end = sla_new_year(LAST_YEAR + 1);
}

static const sla_part *
first_part(const sla_schedule *schedule)
{
	while (schedule->kind != SLA_SCHEDULE_PART)
		schedule = schedule->left;
	return &schedule->part;
}

/* As sla_schedule_part_on, but NULL when no part's days include the date. */
static const sla_part *
find_part_on(const sla_schedule *schedule, int64_t day, int64_t *until)
{
	const sla_part *part;
	int64_t		from_day;
	int64_t		to_day;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		part = find_part_on(schedule->left, day, until);
		if (part == NULL)
			part = find_part_on(schedule->right, day, until);
		return part;
	}

	sla_part_days(&schedule->part, &from_day, &to_day);
	if (day < from_day)
	{
		if (from_day < to_day && from_day < *until)
			*until = from_day;
		return NULL;
	}
	if (day >= to_day)
		return NULL;
	if (to_day < *until)
		*until = to_day;
	return &schedule->part;
}

const sla_part *
sla_schedule_part_on(const sla_schedule *schedule, int64_t day, int64_t *until)
{
	const sla_part *part;

	*until = INT64_MAX;
	part = find_part_on(schedule, day, until);
	return part != NULL ? part : first_part(schedule);
}

/* As sla_schedule_part_at, but NULL when no part's days include the date. */
static const sla_part *
find_part_at(const sla_schedule *schedule, int64_t utc_second, int32_t *offset)
{
	const sla_part *part = &schedule->part;
	int64_t		from_day;
	int64_t		to_day;
	int64_t		day;
	int64_t		until;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		part = find_part_at(schedule->left, utc_second, offset);
		if (part == NULL)
			part = find_part_at(schedule->right, utc_second, offset);
		return part;
	}

	*offset = part->zone.offset_at(part->zone.data, utc_second, &until);
	day = sla_floor_div(utc_second + *offset, SLA_SECS_PER_DAY);
	sla_part_days(part, &from_day, &to_day);
	return day >= from_day && day < to_day ? part : NULL;
}

const sla_part *
sla_schedule_part_at(const sla_schedule *schedule, int64_t utc_second, int32_t *offset)
{
	const sla_part *part = find_part_at(schedule, utc_second, offset);

	if (part == NULL)
	{
		int64_t		until;

		part = first_part(schedule);
		*offset = part->zone.offset_at(part->zone.data, utc_second, &until);
	}
	return part;
}

int64_t
sla_schedule_latest_local(const sla_schedule *schedule, int64_t utc_second)
{
	const sla_zone *zone = &schedule->part.zone;
	int64_t		second = utc_second - 2 * SLA_SECS_PER_DAY;
	int64_t		latest = INT64_MIN;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		int64_t		right = sla_schedule_latest_local(schedule->right, utc_second);

		latest = sla_schedule_latest_local(schedule->left, utc_second);
		return latest > right ? latest : right;
	}

	/* Before these two days every clock shows less than at their end. */
	while (second <= utc_second)
	{
		int64_t		until;
		int32_t		offset = zone->offset_at(zone->data, second, &until);
		int64_t		last = until - 1 < utc_second ? until - 1 : utc_second;

		if (latest < last + offset)
			latest = last + offset;
		second = until;
	}
	return latest;
}

int64_t
sla_schedule_all_from(const sla_schedule *schedule, int64_t local_second)
{
	const sla_zone *zone = &schedule->part.zone;
	int64_t		second = local_second - SLA_SECS_PER_DAY;
	int64_t		result = second;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		int64_t		right = sla_schedule_all_from(schedule->right, local_second);

		result = sla_schedule_all_from(schedule->left, local_second);
		return result > right ? result : right;
	}

	/* Before and after these two days there is no doubt. */
	while (second < local_second + SLA_SECS_PER_DAY)
	{
		int64_t		until;
		int32_t		offset = zone->offset_at(zone->data, second, &until);
		int64_t		from = local_second - offset;

		/* Less is shown in [second, from). */
		if (from > second)
			result = from < until ? from : until;
		second = until;
	}
	return result;
}
