/*
 * explain.c
 *		Why a part of a schedule is open or closed.
 *
 * Four layers are laid over each other, from the top: what holidays close, the
 * windows, what rules have taken away of windows, and the dates.  Where a layer
 * overlaps itself (last night's window and this morning's), what began on the
 * earlier date shows.
 */
#include "explain.h"

#include <string.h>

/* Insert at a place, moving up what is there. */
static void
insert(sla_scratch *scratch, sla_explanation *layer, size_t place,
	   const sla_explained *piece)
{
	if (layer->count == layer->capacity)
	{
		size_t		capacity = layer->capacity > 0 ? layer->capacity * 2 : 64;
		sla_explained *list = sla_scratch_alloc(scratch, capacity * sizeof(sla_explained));

		if (layer->count > 0)
			memcpy(list, layer->list, layer->count * sizeof(sla_explained));
		layer->list = list;
		layer->capacity = capacity;
	}
	memmove(layer->list + place + 1, layer->list + place,
			(layer->count - place) * sizeof(sla_explained));
	layer->list[place] = *piece;
	layer->count++;
}

/* Add to a layer where it has nothing yet; near its end, as dates go. */
static void
add_under(sla_scratch *scratch, sla_explanation *layer, sla_explained piece)
{
	size_t		next = layer->count;
	int64_t		to = piece.to;

	while (next > 0 && layer->list[next - 1].to > piece.from)
		next--;
	while (piece.from < to)
	{
		bool		last = next == layer->count || layer->list[next].from >= to;

		piece.to = last ? to : layer->list[next].from;
		if (piece.from < piece.to)
			insert(scratch, layer, next++, &piece);
		if (last)
			break;
		piece.from = layer->list[next++].to;
	}
}

/* What shows of two layers, the lower without gaps. */
static void
overlay(sla_scratch *scratch, const sla_explanation *above, const sla_explanation *below,
		sla_explanation *result)
{
	size_t		a = 0;

	memset(result, 0, sizeof(*result));
	for (size_t b = 0; b < below->count; b++)
	{
		sla_explained piece = below->list[b];
		int64_t		to = piece.to;

		if (a > 0 && piece.from < above->list[a - 1].to)
			piece.from = above->list[a - 1].to;
		for (; a < above->count && above->list[a].from < to; a++)
		{
			piece.to = above->list[a].from;
			if (piece.from < piece.to)
				insert(scratch, result, result->count, &piece);
			insert(scratch, result, result->count, &above->list[a]);
			piece.from = above->list[a].to;
		}
		piece.to = to;
		if (piece.from < piece.to)
			insert(scratch, result, result->count, &piece);
	}
}

typedef struct explainer
{
	sla_scratch *scratch;
	const sla_part *part;
	int64_t		from;
	int64_t		to;
	sla_ruling *rulings;
	sla_explanation shut;
	sla_explanation open;
	sla_explanation taken;
	sla_explanation dates;
} explainer;

/* The instant of a wall-clock time. */
static int64_t
instant_of(const explainer *x, int64_t date, int32_t clock)
{
	const sla_zone *zone = &x->part->zone;
	int64_t		second = date * SLA_SECS_PER_DAY + clock;
	int64_t		until;

	return second - zone->offset_of(zone->data, second, &until);
}

/*
 * Add wall-clock times of a date.  They are a part of a window: where the clock
 * goes forward a time within it can be the instant of a later one, so the
 * window's ends bound all of it.
 */
static void
add_times(explainer *x, sla_explanation *layer, sla_explained piece, int32_t from,
		  int32_t to, sla_window window)
{
	int64_t		opens = instant_of(x, piece.date, window.from);
	int64_t		closes = instant_of(x, piece.date, window.to);

	if (opens < x->from)
		opens = x->from;
	if (closes > x->to)
		closes = x->to;
	piece.from = instant_of(x, piece.date, from);
	piece.to = instant_of(x, piece.date, to);
	if (piece.from < opens)
		piece.from = opens;
	if (piece.to > closes)
		piece.to = closes;
	if (piece.from < piece.to)
		add_under(x->scratch, layer, piece);
}

/*
 * The windows of a date and what rules took away of them.  Returns what is to
 * be said of the rest of the date.
 */
static sla_explained
explain_date(explainer *x, int64_t date)
{
	sla_explained rest = {.date = date, .cause = SLA_CAUSE_NO_HOURS};
	sla_explained piece;
	int64_t		from_day;
	int64_t		to_day;
	sla_window	window = {0, 0};
	int			n;
	int			closer;

	sla_part_days(x->part, &from_day, &to_day);
	if (date < from_day || date >= to_day)
	{
		rest.cause = SLA_CAUSE_NOT_IN_FORCE;
		return rest;
	}
	rest.holiday = sla_part_holiday(x->part, date);
	piece = rest;
	if (rest.holiday != NULL)
	{
		piece.cause = SLA_CAUSE_HOLIDAY_TIMES;
		for (int i = 0; i < rest.holiday->nclosed; i++)
		{
			window = rest.holiday->closed[i];
			add_times(x, &x->shut, piece, window.from, window.to, window);
		}
		if (rest.holiday->working_day)
			rest.holiday = piece.holiday = NULL;
	}

	if (rest.holiday != NULL &&
		(!rest.holiday->usual_hours || !sla_hours_names_holidays(x->part->hours)))
	{
		rest.cause = piece.cause = SLA_CAUSE_HOLIDAY;
		piece.open = true;
		for (int i = 0; !rest.holiday->usual_hours && i < rest.holiday->nwindows; i++)
		{
			rest.cause = SLA_CAUSE_OUTSIDE;
			window = rest.holiday->windows[i];
			add_times(x, &x->open, piece, window.from, window.to, window);
		}
		return rest;
	}

	piece.cause = SLA_CAUSE_RULE;
	n = sla_hours_rulings(x->part->hours, (sla_date) date, rest.holiday != NULL,
						  x->rulings, &closer);
	for (int i = 0; i < n; i++)
	{
		const sla_ruling *ruling = &x->rulings[i];

		/* The window that one or several rules have made. */
		if (i == 0 || ruling->open != ruling[-1].open || ruling->from != ruling[-1].to)
		{
			int			last = i;

			while (last + 1 < n && ruling->open == x->rulings[last + 1].open &&
				   x->rulings[last].to == x->rulings[last + 1].from)
				last++;
			window = (sla_window) {ruling->from, x->rulings[last].to};
		}
		if (ruling->open)
			rest.cause = SLA_CAUSE_OUTSIDE;
		piece.open = ruling->open;
		piece.rule = ruling->rule;
		add_times(x, ruling->open ? &x->open : &x->taken, piece, ruling->from, ruling->to,
				  window);
	}
	if (closer >= 0)
	{
		rest.cause = SLA_CAUSE_RULE;
		rest.rule = closer;
	}
	return rest;
}

void
sla_explain_part(sla_scratch *scratch, const sla_part *part, int64_t from, int64_t to,
				 sla_explanation *result)
{
	/*
	 * A window ends at most 48 hours after the midnight that begins its day,
	 * and no zone is a day or more off UTC.
	 */
	int64_t		first = sla_floor_div(from, SLA_SECS_PER_DAY) - 3;
	int64_t		end = sla_floor_div(to - 1, SLA_SECS_PER_DAY) + 2;
	explainer	x = {.scratch = scratch, .part = part, .from = from, .to = to};
	sla_explained *rests = sla_scratch_alloc(scratch, (size_t) (end - first) *
											 sizeof(sla_explained));
	sla_explanation closed;
	sla_explanation usual;

	x.rulings = sla_scratch_alloc(scratch, (size_t) sla_hours_max_rulings(part->hours) *
								  sizeof(sla_ruling));
	for (int64_t date = first; date < end; date++)
	{
		scratch->env->interrupt(scratch->env->arg);
		rests[date - first] = explain_date(&x, date);
	}

	for (int64_t second = from; second < to;)
	{
		int64_t		until;
		int32_t		offset = part->zone.offset_at(part->zone.data, second, &until);
		int64_t		date = sla_floor_div(second + offset, SLA_SECS_PER_DAY);
		sla_explained piece = rests[date - first];

		piece.from = second;
		piece.to = (date + 1) * SLA_SECS_PER_DAY - offset;
		if (piece.to > until)
			piece.to = until;
		if (piece.to > to)
			piece.to = to;
		insert(scratch, &x.dates, x.dates.count, &piece);
		second = piece.to;
	}

	overlay(scratch, &x.taken, &x.dates, &closed);
	overlay(scratch, &x.open, &closed, &usual);
	overlay(scratch, &x.shut, &usual, result);
}
