/*
 * opening_hours.c
 *		Rules to the windows of a day.
 *
 * A text is a sequence of rules.  A rule says on which dates it holds (years;
 * months and dates; weeks; weekdays and holidays, all of which must fit), for
 * which times, and whether these are open or closed.  On each date the rules
 * are applied in the order of the text to a set of windows that is empty at
 * first:
 *
 *		A; B		open B replaces the windows there are
 *		A, B		open B adds to them
 *		A || B		open B adds to them too: where A is open it changes nothing,
 *					and elsewhere it decides; closed B changes nothing
 *
 * and a closed rule takes its times away, all windows if it has no times.
 *
 * Where the specification leaves a choice, or goes by instants and not by
 * dates, this is what holds here:
 *
 * - A window belongs to the date on which it begins, to its very end.  A rule
 *   for the next date neither replaces nor cuts it, and one that closes times
 *   past 24:00 cuts only windows of its own date.
 * - A comment without "open" or "off" does not make the state unknown; a rule
 *   that is nothing but a comment is refused.
 * - "2026 Dec 24-Jan 2" ends in 2027.  A list of dates in which a year is
 *   missing after one that has it could be read in two ways and is refused.
 * - A range of dates that ends before it begins runs into the next year if it
 *   does so every year ("Nov-Feb"); if only in some ("Apr 10-easter"), it is
 *   empty in those.  A date that a year does not have (Feb 29) matches
 *   nothing; a range from or to it loses just that day.
 * - Easter is that of the Gregorian calendar.  Its dates repeat only after
 *   5,700,000 years, so they are computed for 1583 to 4099 only, and earlier
 *   and later years have those of the year 400, 800, ... years on or back.
 */
#include "gregorian.h"
#include "opening_hours_rules.h"

#include <string.h>

const char *const sla_weekday_names[7] =
{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

const char *const sla_month_names[12] =
{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/*
 * ------------------------------------------------------------------------
 * Dates
 * ------------------------------------------------------------------------
 */

void
sla_find_facts(int64_t date, date_facts *facts)
{
	/* Count from 1 March of a year 400n: leap days end cycles. */
	int64_t		day = date - 60;
	int64_t		era = sla_floor_div(day, 146097);
	int			of_era = (int) (day - era * 146097);
	int			year = (of_era - of_era / 1460 + of_era / 36524 -
						of_era / 146096) / 365;
	int			of_year = of_era - (365 * year + year / 4 - year / 100);
	int			month = (5 * of_year + 2) / 153;

	facts->date = date;
	facts->day = of_year - (153 * month + 2) / 5 + 1;
	facts->month = month < 10 ? month + 3 : month - 9;
	facts->year = (int) (2000 + era * 400) + year + (month >= 10);
	facts->leap = sla_is_leap(facts->year);
	facts->new_year = date - sla_month_start(facts->month, facts->leap) -
		facts->day + 1;
	facts->weekday = sla_weekday(date);
	facts->week = 0;
}

/* The week is that of the Thursday next to the date. */
static void
find_week(date_facts *facts)
{
	int			thursday = (int) (facts->date - facts->new_year) + 3 -
		facts->weekday;

	if (thursday < 0)
		thursday += sla_days_in_year((int64_t) facts->year - 1);
	else if (thursday >= sla_days_in_year(facts->year))
		thursday -= sla_days_in_year(facts->year);
	facts->week = thursday / 7 + 1;
}

/* Days from 1 January to Easter Sunday, by the rule of Lilius and Clavius. */
static int
easter_of(int64_t year)
{
	int			y,
				golden,
				century,
				epact,
				moon,
				sunday;

	if (year > LAST_EASTER)
		year = LAST_EASTER - 399 + (year - (LAST_EASTER - 399)) % 400;
	else if (year < FIRST_EASTER)
		year = FIRST_EASTER + sla_floor_mod(year - FIRST_EASTER, 400);

	y = (int) year;
	golden = y % 19;
	century = y / 100;
	epact = (century - century / 4 - (8 * century + 13) / 25 + 19 * golden + 15) % 30;
	/* Two epacts share a day, so that the full moon stays before 19 April. */
	moon = epact - (epact / 28) * (1 - (29 / (epact + 1)) * ((21 - golden) / 11));
	sunday = (y + y / 4 + moon + 2 - century + century / 4) % 7;

	/* Days after 28 March. */
	return sla_month_start(3, sla_is_leap(y)) + 27 + moon - sunday;
}

year_facts
sla_facts_of_year(int64_t year)
{
	return (year_facts)
	{
		.leap = sla_is_leap(year),
			.weekday = sla_weekday(sla_new_year(year)),
			.easter = easter_of(year)
	};
}

int
sla_days_to_point(const date_point *point, const year_facts *year, bool is_end)
{
	int			start = 0;
	int			length = 0;
	int			day;

	if (point->kind == POINT_EASTER)
		return year->easter + point->offset;

	start = sla_month_start(point->month, year->leap);
	length = sla_days_in_month(point->month, year->leap);
	switch (point->kind)
	{
		case POINT_MONTH:
			day = is_end ? length : 1;
			break;
		case POINT_DAY:
			day = point->day;
			break;
		default:
			{
				int			first = (year->weekday + start) % 7;

				/* The first such day of the month, then weeks on. */
				day = 1 + (point->weekday - first + 7) % 7;
				if (point->day > 0)
					day += 7 * (point->day - 1);
				else
					day += 7 * ((length - day) / 7 + 1 + point->day);
			}
			break;
	}
	if (day > length)
		day = is_end ? length : length + 1;
	else if (day < 1)
		day = is_end ? 0 : 1;
	return start + day - 1 + point->offset;
}

/*
 * ------------------------------------------------------------------------
 * The windows of a date
 * ------------------------------------------------------------------------
 */

static bool
years_fit(const year_range *ranges, int n, int year)
{
	for (int i = 0; i < n; i++)
	{
		const year_range *range = &ranges[i];

		if (year >= range->first &&
			(range->last == OPEN_YEAR || year <= range->last) &&
			(range->step == 1 || (year - range->first) % range->step == 0))
			return true;
	}
	return false;
}

static bool
yearly_range_fits(const date_range *range, const date_facts *facts)
{
	/* An offset may lead into the year before, a range into those after. */
	int64_t		earliest = (int64_t) facts->year - range->last / 365;
	int64_t		latest = (int64_t) facts->year + (range->first < 0 ? 1 : 0);

	for (int64_t year = latest; year >= earliest; year--)
	{
		int64_t		new_year = year == facts->year ?
			facts->new_year : sla_new_year(year);
		int64_t		day = facts->date - new_year;
		year_facts	of_year;

		if (day < range->first || day > range->last)
			continue;
		of_year = sla_facts_of_year(year);
		if (day < sla_days_to_point(&range->from, &of_year, false))
			continue;
		if (range->wraps)
		{
			day -= sla_days_in_year(year);
			of_year = sla_facts_of_year(year + 1);
		}
		if (day <= sla_days_to_point(&range->to, &of_year, true))
			return true;
	}
	return false;
}

static bool
dates_fit(const date_range *ranges, int n, const date_facts *facts)
{
	int32_t		plain = facts->month * 32 + facts->day;

	for (int i = 0; i < n; i++)
	{
		const date_range *range = &ranges[i];

		switch (range->kind)
		{
			case RANGE_PLAIN:
				if (range->wraps ?
					(plain >= range->first || plain <= range->last) :
					(plain >= range->first && plain <= range->last))
					return true;
				break;
			case RANGE_FIXED:
				if (facts->date >= range->first &&
					(range->open_end || facts->date <= range->last))
					return true;
				break;
			default:
				if (yearly_range_fits(range, facts))
					return true;
				break;
		}
	}
	return false;
}

static bool
nths_fit(const nth_weekday *nths, int n, const date_facts *facts)
{
	for (int i = 0; i < n; i++)
	{
		const nth_weekday *nth = &nths[i];
		date_facts	moved;
		const date_facts *of = facts;
		int			back;

		if ((facts->weekday + 7 - nth->offset) % 7 != nth->weekday)
			continue;
		if (nth->offset != 0)
		{
			sla_find_facts(facts->date - nth->offset, &moved);
			of = &moved;
		}
		back = (sla_days_in_month(of->month, of->leap) - of->day) / 7;
		if (nth->nths & ((1 << (of->day - 1) / 7) | (32 << back)))
			return true;
	}
	return false;
}

static bool
rule_fits(const sla_hours *hours, const rule *rule, const date_facts *facts,
		  bool holiday)
{
	if (rule->weekdays != ALL_WEEKDAYS || rule->holiday != HOLIDAY_NONE)
	{
		bool		fits = (rule->weekdays >> facts->weekday) & 1;

		if (rule->holiday == HOLIDAY_AND && !holiday)
			return false;
		if (rule->holiday == HOLIDAY_OR && holiday)
			fits = true;
		if (!fits &&
			!nths_fit(hours->nths + rule->nths, rule->nnths, facts))
			return false;
	}
	if (rule->nyears > 0 &&
		!years_fit(hours->years + rule->years, rule->nyears, facts->year))
		return false;
	if (rule->ndates > 0 &&
		!dates_fit(hours->dates + rule->dates, rule->ndates, facts))
		return false;
	if (rule->week_set != 0 && !((rule->week_set >> facts->week) & 1))
		return false;
	return true;
}

int
sla_add_span(sla_window *windows, int n, sla_window span)
{
	int			first = 0;
	int			after;

	/* All that overlap or touch it become one window. */
	while (first < n && windows[first].to < span.from)
		first++;
	for (after = first; after < n && windows[after].from <= span.to; after++)
	{
		if (windows[after].from < span.from)
			span.from = windows[after].from;
		if (windows[after].to > span.to)
			span.to = windows[after].to;
	}
	if (after != first + 1)
		memmove(&windows[first + 1], &windows[after],
				(n - after) * sizeof(sla_window));
	windows[first] = span;
	return n - (after - first) + 1;
}

/* Take a span away from n windows, of which there is room for one more. */
static int
cut_span(sla_window *windows, int n, sla_window span)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		sla_window	window = windows[i];

		if (window.to <= span.from || window.from >= span.to)
			windows[kept++] = window;
		else if (window.from < span.from && window.to > span.to)
		{
			/* The only window that the span meets. */
			memmove(&windows[i + 2], &windows[i + 1],
					(n - i - 1) * sizeof(sla_window));
			windows[i].to = span.from;
			windows[i + 1].from = span.to;
			windows[i + 1].to = window.to;
			return n + 1;
		}
		else if (window.from < span.from)
		{
			window.to = span.from;
			windows[kept++] = window;
		}
		else if (window.to > span.to)
		{
			window.from = span.to;
			windows[kept++] = window;
		}
	}
	return kept;
}

/* What the rules may ask of a date. */
static inline void
find_facts(const sla_hours *hours, sla_date day, date_facts *facts)
{
	if (hours->weekly)
		facts->weekday = sla_weekday(day);
	else
	{
		sla_find_facts(day, facts);
		find_week(facts);
	}
}

int
sla_hours_on(const sla_hours *hours, sla_date day, bool holiday,
			 sla_window *windows)
{
	date_facts	facts;
	int			n = 0;

	find_facts(hours, day, &facts);

	for (int i = 0; i < hours->nrules; i++)
	{
		const rule *rule = &hours->rules[i];
		const sla_window *spans = hours->spans + rule->spans;

		if (!rule_fits(hours, rule, &facts, holiday))
			continue;
		if (rule->closed)
		{
			if (rule->separator == SEPARATOR_FALLBACK)
				continue;
			if (rule->nspans == 0)
				n = 0;
			for (int j = 0; j < rule->nspans && n > 0; j++)
				n = cut_span(windows, n, spans[j]);
		}
		else if (rule->separator == SEPARATOR_NORMAL)
		{
			memcpy(windows, spans, rule->nspans * sizeof(sla_window));
			n = rule->nspans;
		}
		else
		{
			for (int j = 0; j < rule->nspans; j++)
				n = sla_add_span(windows, n, spans[j]);
		}
	}
	return n;
}

/* Append what of a ruling lies in [from, to), to the last if it goes on. */
static int
add_ruling(sla_ruling *rulings, int n, sla_ruling ruling, int32_t from, int32_t to)
{
	if (ruling.from < from)
		ruling.from = from;
	if (ruling.to > to)
		ruling.to = to;
	if (ruling.from >= ruling.to)
		return n;
	if (n > 0 && rulings[n - 1].to == ruling.from &&
		rulings[n - 1].rule == ruling.rule && rulings[n - 1].open == ruling.open)
		rulings[n - 1].to = ruling.to;
	else
		rulings[n++] = ruling;
	return n;
}

/*
 * Have a rule open what of a span is closed, or close what of it is open: from
 * n rulings to others, elsewhere; returns how many there are then.
 */
static int
rule_on_span(const sla_ruling *before, int n, sla_window span, int rule, bool open,
			 sla_ruling *after)
{
	sla_ruling	opened = {.from = span.from, .rule = rule, .open = true};
	int			m = 0;

	for (int i = 0; i < n; i++)
		m = add_ruling(after, m, before[i], 0, span.from);
	for (int i = 0; i < n; i++)
	{
		sla_ruling	ruling = before[i];

		if (ruling.to <= span.from || ruling.from >= span.to)
			continue;
		if (!open)
		{
			if (ruling.open)
				ruling.rule = rule;
			ruling.open = false;
		}
		else if (ruling.open)
		{
			opened.to = ruling.from;
			m = add_ruling(after, m, opened, 0, span.to);
			opened.from = ruling.to;
		}
		else
			continue;
		m = add_ruling(after, m, ruling, span.from, span.to);
	}
	opened.to = span.to;
	if (open)
		m = add_ruling(after, m, opened, 0, span.to);
	for (int i = 0; i < n; i++)
		m = add_ruling(after, m, before[i], span.to, INT32_MAX);
	return m;
}

int
sla_hours_rulings(const sla_hours *hours, sla_date day, bool holiday,
				  sla_ruling *rulings, int *closer)
{
	date_facts	facts;
	int			room = sla_hours_max_rulings(hours) / 2;
	sla_ruling *spare = rulings + room;
	sla_ruling *now = rulings;
	int			n = 0;
	bool		open = false;

	*closer = -1;
	find_facts(hours, day, &facts);
	for (int i = 0; i < hours->nrules; i++)
	{
		const rule *rule = &hours->rules[i];
		const sla_window *spans = hours->spans + rule->spans;

		if (!rule_fits(hours, rule, &facts, holiday) ||
			(rule->closed && rule->separator == SEPARATOR_FALLBACK))
			continue;
		if (!rule->closed && rule->separator == SEPARATOR_NORMAL)
			n = 0;
		if (rule->closed && rule->nspans == 0)
		{
			for (int j = 0; j < n; j++)
			{
				if (now[j].open)
					now[j].rule = i;
				now[j].open = false;
			}
			*closer = i;
		}
		for (int j = 0; j < rule->nspans; j++)
		{
			sla_ruling *after = now == rulings ? spare : rulings;

			n = rule_on_span(now, n, spans[j], i, !rule->closed, after);
			now = after;
		}

		/* A rule with times has closed the date if that was what was left. */
		if (rule->closed && open)
			*closer = i;
		open = false;
		for (int j = 0; j < n; j++)
			open = open || now[j].open;
		if (open)
			*closer = -1;
	}
	if (now != rulings)
		memcpy(rulings, now, n * sizeof(sla_ruling));
	return n;
}

int
sla_hours_max_rulings(const sla_hours *hours)
{
	return hours->max_rulings;
}

int
sla_hours_max_windows(const sla_hours *hours)
{
	return hours->max_windows;
}

bool
sla_hours_names_holidays(const sla_hours *hours)
{
	return hours->names_holidays;
}

bool
sla_hours_named_years(const sla_hours *hours, int *first, int *last)
{
	if (hours->first_year > hours->last_year)
		return false;
	*first = hours->first_year;
	*last = hours->last_year;
	return true;
}
