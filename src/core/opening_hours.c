/*
 * opening_hours.c
 *		The opening_hours notation: text to rules, rules to the windows of a day.
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
#include "opening_hours.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer texts are refused, which bounds all that depends on the length. */
#define MAX_TEXT			16384

#define DAY					86400
#define MAX_DATE_OFFSET		365
#define MAX_NTH_OFFSET		6
#define FIRST_EASTER		1583
#define LAST_EASTER			4099
#define OPEN_YEAR			INT16_MAX

#define ALL_WEEKDAYS		0x7F

typedef enum separator
{
	SEPARATOR_NORMAL,			/* ; */
	SEPARATOR_ADDITIONAL,		/* , */
	SEPARATOR_FALLBACK			/* || */
} separator;

/* What PH does in the weekday selector of a rule. */
typedef enum holiday_use
{
	HOLIDAY_NONE,				/* not named */
	HOLIDAY_OR,					/* a holiday fits as well */
	HOLIDAY_AND					/* it must be a holiday too */
} holiday_use;

/* The years first, first + step, ... up to last, or OPEN_YEAR. */
typedef struct year_range
{
	int16_t		first;
	int16_t		last;
	int16_t		step;
} year_range;

typedef enum point_kind
{
	POINT_MONTH,				/* a whole month */
	POINT_DAY,					/* a day of a month */
	POINT_NTH,					/* the nth weekday of a month */
	POINT_EASTER
} point_kind;

/* An end of a range of dates. */
typedef struct date_point
{
	int16_t		year;			/* 0: of every year */
	int16_t		offset;			/* days to add */
	uint8_t		kind;
	uint8_t		month;			/* 1 to 12 */
	int8_t		day;			/* of the month, or nth: 1..5, -1..-5 */
	uint8_t		weekday;		/* of POINT_NTH; Monday is 0 */
} date_point;

typedef enum range_kind
{
	RANGE_PLAIN,				/* months and days without year and offset:
								 * first, last are month * 32 + day */
	RANGE_YEARLY,				/* of every year: first, last bound the days
								 * since the 1 January of the year it is of */
	RANGE_FIXED					/* with years: first, last are dates */
} range_kind;

/* Both ends are included. */
typedef struct date_range
{
	date_point	from;
	date_point	to;
	int32_t		first;
	int32_t		last;
	uint8_t		kind;
	bool		open_end;		/* "2026 Dec 24+" */
	bool		wraps;			/* ends in the year after */
} date_range;

typedef struct week_range
{
	uint8_t		first;
	uint8_t		last;
	uint8_t		step;
} week_range;

/* Bits 0 to 4 of nths: the 1st to 5th; bits 5 to 9: the last to last but 4. */
typedef struct nth_weekday
{
	uint16_t	nths;
	uint8_t		weekday;
	int8_t		offset;			/* days to add to what nths gives */
} nth_weekday;

/*
 * A rule.  Lists are runs of the arrays of sla_hours.  A rule that opens has
 * at least one span; one that closes and has none closes all day.
 */
typedef struct rule
{
	uint64_t	week_set;		/* bit n for week n; 0 when none is named */
	uint32_t	years;
	uint32_t	dates;
	uint32_t	weeks;
	uint32_t	nths;
	uint32_t	spans;
	uint32_t	comment;
	uint16_t	nyears;
	uint16_t	ndates;
	uint16_t	nweeks;
	uint16_t	nnths;
	uint16_t	nspans;
	uint16_t	comment_length; /* 0: none */
	uint8_t		weekdays;		/* bit 0 is Monday */
	uint8_t		holiday;
	uint8_t		separator;		/* the one before the rule */
	bool		closed;
} rule;

struct sla_hours
{
	const rule *rules;
	const date_range *dates;
	const sla_window *spans;
	const year_range *years;
	const nth_weekday *nths;
	const week_range *weeks;
	const char *comments;
	int			nrules;
	int			max_windows;
	int			first_year;		/* named years, when first_year <= last_year */
	int			last_year;
	bool		names_holidays;
	bool		weekly;			/* weekdays and holidays decide all */
};

/*
 * ------------------------------------------------------------------------
 * Dates
 * ------------------------------------------------------------------------
 */

/* What a rule may ask of a date. */
typedef struct date_facts
{
	int64_t		date;
	int64_t		new_year;		/* the date of 1 January */
	int			year;
	int			month;
	int			day;
	int			weekday;
	int			week;			/* ISO 8601 */
	bool		leap;
} date_facts;

static const char *const weekday_names[] =
{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

static const char *const month_names[] =
{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days before each month of a common year. */
static const int16_t days_before[] =
{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int
days_in_year(int64_t year)
{
	return is_leap(year) ? 366 : 365;
}

static int
month_start(int month, bool leap)
{
	return days_before[month - 1] + (leap && month > 2);
}

static int
days_in_month(int month, bool leap)
{
	return month_start(month + 1, leap) - month_start(month, leap);
}

/* The date of 1 January; any year, 0 is 1 BC. */
static int64_t
new_year_of(int64_t year)
{
	int64_t		y = year - 1;

	return y * 365 + sla_floor_div(y, 4) - sla_floor_div(y, 100) +
		sla_floor_div(y, 400) - 730119;
}

/* Monday is 0. */
static int
weekday_of(int64_t date)
{
	return (int) sla_floor_mod(date + 5, 7);
}

/* Fill in all but the week. */
static void
find_facts(int64_t date, date_facts *facts)
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
	facts->leap = is_leap(facts->year);
	facts->new_year = date - month_start(facts->month, facts->leap) -
		facts->day + 1;
	facts->weekday = weekday_of(date);
	facts->week = 0;
}

/* The week is that of the Thursday next to the date. */
static void
find_week(date_facts *facts)
{
	int			thursday = (int) (facts->date - facts->new_year) + 3 -
		facts->weekday;

	if (thursday < 0)
		thursday += days_in_year((int64_t) facts->year - 1);
	else if (thursday >= days_in_year(facts->year))
		thursday -= days_in_year(facts->year);
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
	return month_start(3, is_leap(y)) + 27 + moon - sunday;
}

/* What the position of a date_point in its year depends on. */
typedef struct year_facts
{
	bool		leap;
	int			weekday;		/* of 1 January */
	int			easter;			/* days after 1 January */
} year_facts;

static year_facts
facts_of_year(int64_t year)
{
	return (year_facts)
	{
		.leap = is_leap(year),
			.weekday = weekday_of(new_year_of(year)),
			.easter = easter_of(year)
	};
}

/*
 * Days from 1 January to the point.  Of a day that the year does not have,
 * the day after as the beginning of a range and the day before as its end.
 */
static int
days_to_point(const date_point *point, const year_facts *year, bool is_end)
{
	int			start = 0;
	int			length = 0;
	int			day;

	if (point->kind == POINT_EASTER)
		return year->easter + point->offset;

	start = month_start(point->month, year->leap);
	length = days_in_month(point->month, year->leap);
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
			facts->new_year : new_year_of(year);
		int64_t		day = facts->date - new_year;
		year_facts	of_year;

		if (day < range->first || day > range->last)
			continue;
		of_year = facts_of_year(year);
		if (day < days_to_point(&range->from, &of_year, false))
			continue;
		if (range->wraps)
		{
			day -= days_in_year(year);
			of_year = facts_of_year(year + 1);
		}
		if (day <= days_to_point(&range->to, &of_year, true))
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
			find_facts(facts->date - nth->offset, &moved);
			of = &moved;
		}
		back = (days_in_month(of->month, of->leap) - of->day) / 7;
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

/* Add a span to n windows, of which there is room for one more. */
static int
add_span(sla_window *windows, int n, sla_window span)
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

int
sla_hours_on(const sla_hours *hours, sla_date day, bool holiday,
			 sla_window *windows)
{
	date_facts	facts;
	int			n = 0;

	if (hours->weekly)
		facts.weekday = weekday_of(day);
	else
	{
		find_facts(day, &facts);
		find_week(&facts);
	}

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
				n = add_span(windows, n, spans[j]);
		}
	}
	return n;
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

/*
 * ------------------------------------------------------------------------
 * Tokens
 * ------------------------------------------------------------------------
 */

typedef enum token_kind
{
	TOKEN_END,
	TOKEN_NUMBER,				/* digits */
	TOKEN_WORD,					/* letters */
	TOKEN_COMMENT,				/* with its quotes */
	TOKEN_SIGN,					/* one of - + / , ; : [ ] ( ) and || */
	TOKEN_OTHER					/* nothing that the notation has */
} token_kind;

typedef enum word
{
	WORD_UNKNOWN,
	WORD_WEEKDAY,
	WORD_MONTH,
	WORD_EASTER,
	WORD_PH,
	WORD_SH,
	WORD_WEEK,
	WORD_DAYS,
	WORD_OPEN,
	WORD_OFF,
	WORD_UNKNOWN_STATE,
	WORD_SUN
} word;

typedef struct token
{
	token_kind	kind;
	size_t		position;
	size_t		length;
	int			value;			/* of a number, no more than 1,000,000; which
								 * weekday or month */
	word		word;
	char		sign;			/* of TOKEN_SIGN; | for || */
} token;

static const struct
{
	const char *text;
	word		word;
}			other_words[] =
{
	{"easter", WORD_EASTER},
	{"PH", WORD_PH},
	{"SH", WORD_SH},
	{"week", WORD_WEEK},
	{"day", WORD_DAYS},
	{"days", WORD_DAYS},
	{"open", WORD_OPEN},
	{"off", WORD_OFF},
	{"closed", WORD_OFF},
	{"unknown", WORD_UNKNOWN_STATE},
	{"sunrise", WORD_SUN},
	{"sunset", WORD_SUN},
	{"dawn", WORD_SUN},
	{"dusk", WORD_SUN},
};

/* Where the parser is and what it has so far; lists have room for all. */
typedef struct parser
{
	const char *text;
	size_t		length;
	token		token;			/* the one to be looked at */
	const sla_env *env;
	sla_fault  *fault;

	rule	   *rules;
	date_range *dates;
	sla_window *spans;
	year_range *years;
	nth_weekday *nths;
	week_range *weeks;
	char	   *comments;
	size_t		nrules;
	size_t		ndates;
	size_t		nspans;
	size_t		nyears;
	size_t		nnths;
	size_t		nweeks;
	size_t		ncomments;		/* bytes */
} parser;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Equal but for the case of letters, ASCII alone. */
static bool
same_word(const char *text, size_t length, const char *name)
{
	if (strlen(name) != length)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if ((text[i] | 0x20) != (name[i] | 0x20))
			return false;
	}
	return true;
}

static void
find_word(const char *text, token *token)
{
	token->word = WORD_UNKNOWN;
	for (int i = 0; i < 7; i++)
	{
		if (same_word(text, token->length, weekday_names[i]))
		{
			token->word = WORD_WEEKDAY;
			token->value = i;
		}
	}
	for (int i = 0; i < 12; i++)
	{
		if (same_word(text, token->length, month_names[i]))
		{
			token->word = WORD_MONTH;
			token->value = i + 1;
		}
	}
	for (size_t i = 0; i < sizeof(other_words) / sizeof(other_words[0]); i++)
	{
		if (same_word(text, token->length, other_words[i].text))
			token->word = other_words[i].word;
	}
}

/* The token at or after a position. */
static token
token_at(const parser *parser, size_t position)
{
	const char *text = parser->text;
	size_t		end = parser->length;
	size_t		next;
	token		token = {.kind = TOKEN_END};

	while (position < end && is_space(text[position]))
		position++;
	token.position = position;
	if (position == end)
		return token;

	next = position + 1;
	if (is_digit(text[position]))
	{
		token.kind = TOKEN_NUMBER;
		token.value = text[position] - '0';
		for (; next < end && is_digit(text[next]); next++)
		{
			if (token.value < 1000000)
				token.value = token.value * 10 + (text[next] - '0');
		}
		if (token.value > 1000000)
			token.value = 1000000;
	}
	else if (is_letter(text[position]))
	{
		token.kind = TOKEN_WORD;
		while (next < end && is_letter(text[next]))
			next++;
	}
	else if (text[position] == '"')
	{
		while (next < end && text[next] != '"')
			next++;
		if (next < end)
		{
			token.kind = TOKEN_COMMENT;
			next++;
		}
		else
			token.kind = TOKEN_OTHER;
	}
	else if (text[position] != '\0' && strchr("-+/,;:[]()", text[position]))
	{
		token.kind = TOKEN_SIGN;
		token.sign = text[position];
	}
	else if (text[position] == '|' && next < end && text[next] == '|')
	{
		token.kind = TOKEN_SIGN;
		token.sign = '|';
		next++;
	}
	else
	{
		/* Keep the bytes of characters that are not ASCII together. */
		token.kind = TOKEN_OTHER;
		if (text[position] & 0x80)
		{
			while (next < end && (text[next] & 0x80))
				next++;
		}
	}
	token.length = next - position;
	if (token.kind == TOKEN_WORD)
		find_word(text + position, &token);
	return token;
}

static token
token_after(const parser *parser, const token *token)
{
	return token_at(parser, token->position + token->length);
}

static void
advance(parser *parser)
{
	parser->token = token_after(parser, &parser->token);
}

static bool
is_sign(const token *token, char sign)
{
	return token->kind == TOKEN_SIGN && token->sign == sign;
}

static bool
is_word(const token *token, word word)
{
	return token->kind == TOKEN_WORD && token->word == word;
}

/* No space between the two. */
static bool
touches(const token *left, const token *right)
{
	return left->position + left->length == right->position;
}

static bool
is_year(const token *token)
{
	return token->kind == TOKEN_NUMBER && token->length == 4;
}

static bool
is_date_word(const token *token)
{
	return is_word(token, WORD_MONTH) || is_word(token, WORD_EASTER);
}

static bool
is_weekday_word(const token *token)
{
	return is_word(token, WORD_WEEKDAY) || is_word(token, WORD_PH) ||
		is_word(token, WORD_SH);
}

/* A number that stands before the colon of a time. */
static bool
is_clock(const parser *parser, const token *number)
{
	token		colon;
	token		minute;

	if (number->kind != TOKEN_NUMBER || number->length > 2)
		return false;
	colon = token_after(parser, number);
	if (!is_sign(&colon, ':') || !touches(number, &colon))
		return false;
	minute = token_after(parser, &colon);
	return minute.kind == TOKEN_NUMBER && touches(&colon, &minute);
}

/* 24/7 */
static bool
is_always(const parser *parser, const token *number)
{
	token		slash;
	token		seven;

	if (number->kind != TOKEN_NUMBER || number->length != 2 ||
		number->value != 24)
		return false;
	slash = token_after(parser, number);
	if (!is_sign(&slash, '/') || !touches(number, &slash))
		return false;
	seven = token_after(parser, &slash);
	return seven.kind == TOKEN_NUMBER && seven.length == 1 &&
		seven.value == 7 && touches(&slash, &seven);
}

/* What can only be a time, or was meant to be one. */
static bool
starts_time(const parser *parser, const token *token)
{
	return (token->kind == TOKEN_NUMBER && token->length != 4 &&
			!is_always(parser, token)) ||
		is_sign(token, '(') || is_word(token, WORD_SUN);
}

/*
 * ------------------------------------------------------------------------
 * Refusals
 * ------------------------------------------------------------------------
 */

__attribute__((format(printf, 4, 5)))
static bool
refuse(parser *parser, const token *token, const char *hint,
	   const char *format,...)
{
	va_list		arguments;

	parser->fault->position = token->position;
	parser->fault->length = token->length;
	parser->fault->hint = hint;
	va_start(arguments, format);
	vsnprintf(parser->fault->reason, sizeof(parser->fault->reason), format,
			  arguments);
	va_end(arguments);
	return false;
}

/* All from one token to another. */
static token
tokens_from(const token *first, const token *last)
{
	token		all = *first;

	all.length = last->position + last->length - first->position;
	return all;
}

static const char *const weekday_hints[] =
{
	"Write \"Mo\".", "Write \"Tu\".", "Write \"We\".", "Write \"Th\".",
	"Write \"Fr\".", "Write \"Sa\".", "Write \"Su\"."
};

static bool
refuse_word(parser *parser, const token *token)
{
	const char *text = parser->text + token->position;
	const char *hint = NULL;

	if (same_word(text, token->length, "am") ||
		same_word(text, token->length, "pm"))
		return refuse(parser, token,
					  "Write times from 00:00 to 24:00, like \"13:00-17:30\".",
					  "times are not written with am and pm");
	for (int i = 0; i < 7 && token->length > 2; i++)
	{
		if (same_word(text, 2, weekday_names[i]))
			hint = weekday_hints[i];
	}
	for (int i = 0; i < 12 && token->length > 3; i++)
	{
		if (same_word(text, 3, month_names[i]))
			hint = "Months are written as \"Jan\", \"Feb\", \"Mar\" and so on.";
	}
	return refuse(parser, token, hint, "unknown word");
}

/* The token fits nowhere: say why as well as can be told. */
static bool
refuse_other(parser *parser, const token *token)
{
	const char *text = parser->text + token->position;

	if (token->kind == TOKEN_OTHER && text[0] == '"')
		return refuse(parser, token, NULL, "the comment does not end");
	if (token->kind == TOKEN_OTHER && token->length >= 3 &&
		memcmp(text, "\xE2\x80", 2) == 0 &&
		(unsigned char) text[2] >= 0x90 && (unsigned char) text[2] <= 0x95)
		return refuse(parser, token, "Write \"-\".", "unexpected character");
	if (token->kind == TOKEN_OTHER)
		return refuse(parser, token, NULL, "unexpected character");
	if (token->kind == TOKEN_END)
		return refuse(parser, token, NULL, "the text ends too early");
	if (is_word(token, WORD_UNKNOWN))
		return refuse_word(parser, token);
	if (is_word(token, WORD_SUN))
		return refuse(parser, token, "Write times like \"08:00-20:00\".",
					  "times that depend on the sun are not supported");
	if (is_word(token, WORD_SH))
		return refuse(parser, token,
					  "Make these days holidays and write \"PH\", or name the dates.",
					  "school holidays are not known");
	if (is_word(token, WORD_UNKNOWN_STATE))
		return refuse(parser, token, "Write \"open\" or \"off\".",
					  "hours are open or closed, never unknown");
	return refuse(parser, token, NULL, "not expected here");
}

/* Something else was needed here. */
static bool
refuse_missing(parser *parser, const char *what, const char *hint)
{
	const token *token = &parser->token;

	if (token->kind == TOKEN_OTHER || is_word(token, WORD_UNKNOWN) ||
		is_word(token, WORD_SUN) || is_word(token, WORD_SH) ||
		is_word(token, WORD_UNKNOWN_STATE))
		return refuse_other(parser, token);
	return refuse(parser, token, hint, "%s is missing here", what);
}

static bool
expect_sign(parser *parser, char sign)
{
	char		what[] = "\"?\"";

	what[1] = sign;
	if (!is_sign(&parser->token, sign))
		return refuse_missing(parser, what, NULL);
	advance(parser);
	return true;
}

/* A number from low to high of one or two digits. */
static bool
parse_small_number(parser *parser, const char *what, int low, int high,
				   int *value)
{
	const token *token = &parser->token;

	if (token->kind != TOKEN_NUMBER)
		return refuse_missing(parser, what, NULL);
	if (token->length > 2 || token->value < low || token->value > high)
		return refuse(parser, token, NULL, "%s goes from %d to %d", what, low,
					  high);
	*value = token->value;
	advance(parser);
	return true;
}

/*
 * ------------------------------------------------------------------------
 * Parts of a rule
 * ------------------------------------------------------------------------
 */

static bool
parse_year(parser *parser, int16_t *year)
{
	const token *token = &parser->token;

	if (token->kind != TOKEN_NUMBER)
		return refuse_missing(parser, "a year", NULL);
	if (token->length != 4 || token->value == 0)
		return refuse(parser, token,
					  "Years have four digits, dates are written as \"2026 Dec 24\".",
					  "not a year");
	*year = (int16_t) token->value;
	advance(parser);
	return true;
}

/* The n of a step "/n"; 1 when there is none. */
static bool
parse_step(parser *parser, int limit, int *step)
{
	*step = 1;
	if (!is_sign(&parser->token, '/'))
		return true;
	advance(parser);
	if (parser->token.kind != TOKEN_NUMBER)
		return refuse_missing(parser, "a number", NULL);
	if (parser->token.value < 1 || parser->token.value > limit)
		return refuse(parser, &parser->token, NULL,
					  "a step goes from 1 to %d", limit);
	*step = parser->token.value;
	advance(parser);
	return true;
}

static bool
parse_years(parser *parser, rule *rule)
{
	for (;;)
	{
		year_range *range = &parser->years[parser->nyears];
		token		first = parser->token;
		token		next;
		int			step = 1;

		if (!parse_year(parser, &range->first))
			return false;
		range->last = range->first;
		if (is_sign(&parser->token, '+'))
		{
			advance(parser);
			range->last = OPEN_YEAR;
			if (is_sign(&parser->token, '/'))
				return refuse(parser, &parser->token,
							  "Write the last year, like \"2026-2099/2\".",
							  "years without an end cannot have a step");
		}
		else if (is_sign(&parser->token, '-'))
		{
			token		last;

			advance(parser);
			last = parser->token;
			if (!parse_year(parser, &range->last))
				return false;
			last = tokens_from(&first, &last);
			if (range->last < range->first)
				return refuse(parser, &last, NULL,
							  "the years end before they begin");
			if (!parse_step(parser, 9999, &step))
				return false;
			/* Keep the last year that is meant. */
			range->last -= (range->last - range->first) % step;
			if (range->last == range->first)
				step = 1;
		}
		range->step = (int16_t) step;
		parser->nyears++;
		rule->nyears++;

		if (!is_sign(&parser->token, ','))
			return true;
		next = token_after(parser, &parser->token);
		if (!is_year(&next))
			return true;
		advance(parser);
	}
}

/* A shift "+2 days" after a date or a weekday, when there is one. */
static bool
parse_offset(parser *parser, int limit, int *offset)
{
	token		sign = parser->token;
	token		number;
	token		days;

	*offset = 0;
	if (!is_sign(&sign, '+') && !is_sign(&sign, '-'))
		return true;
	number = token_after(parser, &sign);
	days = token_after(parser, &number);
	if (number.kind != TOKEN_NUMBER || !is_word(&days, WORD_DAYS))
		return true;
	if (number.value < 1 || number.value > limit)
		return refuse(parser, &number, NULL,
					  "days can be moved by 1 to %d", limit);
	*offset = sign.sign == '-' ? -number.value : number.value;
	parser->token = token_after(parser, &days);
	return true;
}

/* Is there the "Su[1]" of a date such as "Mar Su[1]", and where does it end? */
static bool
is_nth_point(const parser *parser, const token *weekday, token *last)
{
	token		token = token_after(parser, weekday);

	if (!is_word(weekday, WORD_WEEKDAY) || !is_sign(&token, '['))
		return false;
	token = token_after(parser, &token);
	if (is_sign(&token, '-'))
		token = token_after(parser, &token);
	if (token.kind != TOKEN_NUMBER)
		return false;
	*last = token_after(parser, &token);
	return is_sign(last, ']');
}

/* Does the "Su[1]" after a month begin a range of dates? */
static bool
begins_nth_range(const parser *parser, const token *weekday)
{
	token		last;
	token		token;

	if (!is_nth_point(parser, weekday, &last))
		return false;
	token = token_after(parser, &last);
	if (is_sign(&token, '+') || is_sign(&token, '-'))
	{
		/* Leave "+1 day" out. */
		struct token number = token_after(parser, &token);
		struct token days = token_after(parser, &number);

		if (number.kind == TOKEN_NUMBER && is_word(&days, WORD_DAYS))
			token = token_after(parser, &days);
	}
	if (!is_sign(&token, '-'))
		return false;
	token = token_after(parser, &token);
	return is_date_word(&token) || token.kind == TOKEN_NUMBER;
}

/*
 * The year, month and day of a date.  start is the beginning of the range
 * whose end it is, or NULL.
 */
static bool
parse_point(parser *parser, date_point *point, const date_point *start)
{
	int			offset;
	int			day;
	token		number;
	token		last;

	memset(point, 0, sizeof(*point));
	if (is_year(&parser->token) && !parse_year(parser, &point->year))
		return false;

	if (is_word(&parser->token, WORD_EASTER))
	{
		point->kind = POINT_EASTER;
		advance(parser);
	}
	else if (is_word(&parser->token, WORD_MONTH))
	{
		point->kind = POINT_MONTH;
		point->month = (uint8_t) parser->token.value;
		advance(parser);
		number = parser->token;
		if (number.kind == TOKEN_NUMBER && number.length == 4)
			return refuse(parser, &number, "Dates are written as \"2026 Dec 24\".",
						  "the year stands before the month");
		if (number.kind == TOKEN_NUMBER && !is_clock(parser, &number) &&
			!is_always(parser, &number))
		{
			int			length = days_in_month(point->month, true);

			if (number.length > 2 || number.value < 1 || number.value > length)
				return refuse(parser, &number, NULL, "%s has the days 1 to %d",
							  month_names[point->month - 1], length);
			if (start != NULL && start->kind == POINT_MONTH)
				return refuse(parser, &number,
							  "Write both ends as months or both as dates.",
							  "a range goes from month to month or from date to date");
			point->kind = POINT_DAY;
			point->day = (int8_t) number.value;
			advance(parser);
		}
		else if (start == NULL ? begins_nth_range(parser, &number) :
				 (start->kind != POINT_MONTH &&
				  is_nth_point(parser, &number, &last)))
		{
			int			sign = 1;

			point->kind = POINT_NTH;
			point->weekday = (uint8_t) number.value;
			advance(parser);
			advance(parser);
			if (is_sign(&parser->token, '-'))
			{
				sign = -1;
				advance(parser);
			}
			if (!parse_small_number(parser, "the number of a weekday in its month",
									1, 5, &day))
				return false;
			point->day = (int8_t) (sign * day);
			if (!expect_sign(parser, ']'))
				return false;
		}
		else if (start != NULL && start->kind != POINT_MONTH)
			return refuse_missing(parser, "the day of the month", NULL);
	}
	else if (start != NULL && point->year == 0 &&
			 (start->kind == POINT_DAY || start->kind == POINT_NTH))
	{
		int			length = days_in_month(start->month, true);

		number = parser->token;
		if (number.kind != TOKEN_NUMBER)
			return refuse_missing(parser, "a date", NULL);
		if (number.length > 2 || number.value < 1 || number.value > length)
			return refuse(parser, &number, NULL, "%s has the days 1 to %d",
						  month_names[start->month - 1], length);
		if (start->kind == POINT_DAY && number.value < start->day)
			return refuse(parser, &number, NULL,
						  "the range ends before it begins");
		point->kind = POINT_DAY;
		point->month = start->month;
		point->day = (int8_t) number.value;
		point->year = start->year;
		advance(parser);
	}
	else
		return refuse_missing(parser, "a month", NULL);

	if (point->kind == POINT_MONTH)
		return true;

	/* "Dec 25 -Su": the Sunday before. */
	if (is_sign(&parser->token, '+') || is_sign(&parser->token, '-'))
	{
		token		sign = parser->token;

		number = token_after(parser, &sign);
		/* But "2026 Dec 25+ Su": the Sundays from then on. */
		if (is_word(&number, WORD_WEEKDAY) &&
			(sign.sign == '-' || touches(&sign, &number)))
		{
			sign = tokens_from(&sign, &number);
			return refuse(parser, &sign,
						  "Name the weekday of a month, like \"Mar Su[-1]\", or the dates.",
						  "a date cannot be moved to a weekday");
		}
	}
	if (!parse_offset(parser, MAX_DATE_OFFSET, &offset))
		return false;
	point->offset = (int16_t) offset;
	return true;
}

/* Does the year have the day? */
static bool
check_point(parser *parser, const date_point *point, const token *token)
{
	if (point->kind == POINT_DAY && point->year != 0 &&
		point->day > days_in_month(point->month, is_leap(point->year)))
		return refuse(parser, token, NULL, "%d has no %s %d", point->year,
					  month_names[point->month - 1], point->day);
	return true;
}

/*
 * Find out how a range of every year lies in its year.  What a year can be is
 * decided by its length and its Easter, which fixes the weekdays.
 */
static void
measure_range(date_range *range)
{
	bool		always_inverted = true;

	range->first = INT32_MAX;
	range->last = INT32_MIN;
	for (int year = 0; year < 2 * 35; year++)
	{
		bool		leap = year % 2 == 1;
		int			easter = month_start(3, leap) + 21 + year / 2;
		year_facts	facts = {.leap = leap, .easter = easter,
		.weekday = (6 + 7 * 53 - easter) % 7};
		int			from = days_to_point(&range->from, &facts, false);
		int			to = days_to_point(&range->to, &facts, true);

		if (from < range->first)
			range->first = from;
		if (to > range->last)
			range->last = to;
		if (from <= to)
			always_inverted = false;
	}
	range->wraps = always_inverted;
	if (range->wraps)
		range->last += 366;
}

static bool
is_plain(const date_point *point)
{
	return (point->kind == POINT_MONTH || point->kind == POINT_DAY) &&
		point->offset == 0;
}

static bool
same_point(const date_point *a, const date_point *b)
{
	return a->year == b->year && a->offset == b->offset &&
		a->kind == b->kind && a->month == b->month && a->day == b->day &&
		a->weekday == b->weekday;
}

static int32_t
date_of_point(const date_point *point, bool is_end)
{
	year_facts	facts = facts_of_year(point->year);

	return (int32_t) (new_year_of(point->year) +
					  days_to_point(point, &facts, is_end));
}

/* Prepare a range for dates_fit. */
static bool
finish_range(parser *parser, date_range *range, const token *token)
{
	range->wraps = false;
	measure_range(range);

	if (range->from.year == 0)
	{
		if (range->to.year != 0)
			return refuse(parser, token,
						  "Write both years, like \"2026 Dec 24-2027 Jan 2\".",
						  "the range ends in a year but begins in none");
		if (range->open_end)
			return refuse(parser, token,
						  "Write the year, like \"2026 Dec 24+\", or the end.",
						  "a date of every year cannot be the beginning for ever");
		range->kind = RANGE_YEARLY;
		/* A Feb 29 alone is a plain day, and never Mar 1 or Feb 28. */
		if (is_plain(&range->from) && is_plain(&range->to))
		{
			range->kind = RANGE_PLAIN;
			range->first = range->from.month * 32 +
				(range->from.kind == POINT_MONTH ? 1 : range->from.day);
			range->last = range->to.month * 32 +
				(range->to.kind == POINT_MONTH ? 31 : range->to.day);
			range->wraps = range->last < range->first;
		}
		return true;
	}

	range->kind = RANGE_FIXED;
	if (!range->open_end && range->to.year == 0)
	{
		range->to.year = range->from.year;
		if (range->wraps)
			range->to.year++;
	}
	range->wraps = false;
	if (!check_point(parser, &range->from, token))
		return false;
	range->first = date_of_point(&range->from, false);
	range->last = range->first;
	if (!range->open_end)
	{
		if (!check_point(parser, &range->to, token))
			return false;
		range->last = date_of_point(&range->to, true);
	}
	if (range->first < new_year_of(1) || range->last >= new_year_of(10000))
		return refuse(parser, token, NULL,
					  "dates with a year go from 0001 Jan 01 to 9999 Dec 31");
	if (range->last < range->first)
		return refuse(parser, token, NULL, "the range ends before it begins");
	return true;
}

static bool
parse_dates(parser *parser, rule *rule)
{
	bool		had_year = false;

	for (;;)
	{
		date_range *range = &parser->dates[parser->ndates];
		token		first = parser->token;
		token		next;
		token		after;

		memset(range, 0, sizeof(*range));
		if (!parse_point(parser, &range->from, NULL))
			return false;
		range->to = range->from;
		next = token_after(parser, &parser->token);
		if (is_sign(&parser->token, '-'))
		{
			advance(parser);
			if (!parse_point(parser, &range->to, &range->from))
				return false;
		}
		else if (is_sign(&parser->token, '+'))
		{
			advance(parser);
			range->open_end = true;
		}
		first.length = parser->token.position - first.position;
		while (first.length > 0 &&
			   is_space(parser->text[first.position + first.length - 1]))
			first.length--;

		if (range->from.year != 0 && rule->nyears > 0)
			return refuse(parser, &first, NULL, "the year is named twice");
		if (range->from.year == 0 && had_year)
			return refuse(parser, &first,
						  "Write the year with each date of the list, or a rule for each.",
						  "it is not clear whether the year before holds for this date");
		if (!finish_range(parser, range, &first))
			return false;
		had_year = had_year || range->from.year != 0;
		parser->ndates++;
		rule->ndates++;

		if (!is_sign(&parser->token, ','))
			return true;
		next = token_after(parser, &parser->token);
		after = token_after(parser, &next);
		if (next.kind == TOKEN_NUMBER && next.length <= 2 &&
			!is_clock(parser, &next) && !is_always(parser, &next))
			return refuse(parser, &next,
						  "Name the month with each day, like \"Dec 24,Dec 26\".",
						  "a day without its month");
		if (!is_date_word(&next) && !(is_year(&next) && is_date_word(&after)))
			return true;
		advance(parser);
	}
}

static bool
parse_weeks(parser *parser, rule *rule)
{
	advance(parser);
	for (;;)
	{
		week_range *range = &parser->weeks[parser->nweeks];
		token		first = parser->token;
		token		next;
		int			low;
		int			high;
		int			step;

		if (!parse_small_number(parser, "a week", 1, 53, &low))
			return false;
		high = low;
		step = 1;
		if (is_sign(&parser->token, '-'))
		{
			token		last;

			advance(parser);
			last = parser->token;
			if (!parse_small_number(parser, "a week", 1, 53, &high))
				return false;
			last = tokens_from(&first, &last);
			if (high < low)
				return refuse(parser, &last,
							  "Write two ranges, like \"week 50-53,1-2\".",
							  "the weeks end before they begin");
			if (!parse_step(parser, 53, &step))
				return false;
			/* Keep the last week that is meant. */
			high -= (high - low) % step;
			if (high == low)
				step = 1;
		}
		range->first = (uint8_t) low;
		range->last = (uint8_t) high;
		range->step = (uint8_t) step;
		for (int week = low; week <= high; week += step)
			rule->week_set |= UINT64_C(1) << week;
		parser->nweeks++;
		rule->nweeks++;

		if (!is_sign(&parser->token, ','))
			return true;
		next = token_after(parser, &parser->token);
		if (next.kind != TOKEN_NUMBER || next.length > 2 ||
			is_clock(parser, &next) || is_always(parser, &next))
			return true;
		advance(parser);
	}
}

/* "[1,3-4,-1]" after a weekday, and the days to move by. */
static bool
parse_nths(parser *parser, nth_weekday *nth)
{
	static const char what[] = "the number of a weekday in its month";
	int			offset;

	nth->nths = 0;
	do
	{
		token		first;
		int			low;
		int			high;

		advance(parser);
		first = parser->token;
		if (is_sign(&first, '-'))
		{
			advance(parser);
			if (!parse_small_number(parser, what, 1, 5, &low))
				return false;
			nth->nths |= 32 << (low - 1);
			continue;
		}
		if (!parse_small_number(parser, what, 1, 5, &low))
			return false;
		high = low;
		if (is_sign(&parser->token, '-'))
		{
			token		last;

			advance(parser);
			last = parser->token;
			if (!parse_small_number(parser, what, 1, 5, &high))
				return false;
			last = tokens_from(&first, &last);
			if (high < low)
				return refuse(parser, &last, NULL,
							  "the range ends before it begins");
		}
		for (int i = low; i <= high; i++)
			nth->nths |= 1 << (i - 1);
	} while (is_sign(&parser->token, ','));
	if (!expect_sign(parser, ']') ||
		!parse_offset(parser, MAX_NTH_OFFSET, &offset))
		return false;
	nth->offset = (int8_t) offset;
	return true;
}

/* A list like "Mo-Fr,Su[1]", also with PH; holidays says whether it may. */
static bool
parse_weekday_list(parser *parser, rule *rule, bool holidays, bool *weekdays)
{
	*weekdays = false;
	for (;;)
	{
		token		word = parser->token;
		token		next;

		if (is_word(&word, WORD_PH))
		{
			token		sign;
			int			offset;

			if (!holidays)
				return refuse(parser, &word, "Write \"PH\" once, before the weekdays.",
							  "PH is named twice");
			rule->holiday = HOLIDAY_OR;
			advance(parser);
			sign = parser->token;
			if (!parse_offset(parser, MAX_NTH_OFFSET, &offset))
				return false;
			if (offset != 0)
			{
				sign.length = parser->token.position - sign.position;
				while (is_space(parser->text[sign.position + sign.length - 1]))
					sign.length--;
				return refuse(parser, &sign,
							  "Make the neighbouring days holidays with hours of their own.",
							  "days before or after a holiday are not supported");
			}
		}
		else if (is_word(&word, WORD_WEEKDAY))
		{
			int			from = word.value;
			int			to = from;

			*weekdays = true;
			advance(parser);
			if (is_sign(&parser->token, '['))
			{
				nth_weekday *nth = &parser->nths[parser->nnths];

				nth->weekday = (uint8_t) from;
				if (!parse_nths(parser, nth))
					return false;
				parser->nnths++;
				rule->nnths++;
			}
			else
			{
				if (is_sign(&parser->token, '-'))
				{
					advance(parser);
					if (!is_word(&parser->token, WORD_WEEKDAY))
						return refuse_missing(parser, "a weekday", NULL);
					to = parser->token.value;
					advance(parser);
					if (is_sign(&parser->token, '['))
						return refuse(parser, &parser->token,
									  "Number each weekday, like \"Mo[1],Tu[1]\".",
									  "a range of weekdays cannot be numbered");
				}
				for (int day = from;; day = (day + 1) % 7)
				{
					rule->weekdays |= 1 << day;
					if (day == to)
						break;
				}
			}
		}
		else
			return refuse_missing(parser, "a weekday", NULL);

		if (!is_sign(&parser->token, ','))
			return true;
		next = token_after(parser, &parser->token);
		if (!is_weekday_word(&next))
			return true;
		advance(parser);
	}
}

/*
 * Bring the numbered weekdays of a rule into order: one entry for each
 * weekday and offset, none that the plain weekdays include.
 */
static void
tidy_nths(parser *parser, rule *rule)
{
	nth_weekday *nths = parser->nths + rule->nths;
	int			n = 0;

	for (int i = 0; i < rule->nnths; i++)
	{
		nth_weekday nth = nths[i];
		int			at;

		if (rule->weekdays == ALL_WEEKDAYS ||
			(nth.offset == 0 && ((rule->weekdays >> nth.weekday) & 1)))
			continue;
		for (at = n; at > 0; at--)
		{
			if (nths[at - 1].weekday < nth.weekday ||
				(nths[at - 1].weekday == nth.weekday &&
				 nths[at - 1].offset <= nth.offset))
				break;
		}
		if (at > 0 && nths[at - 1].weekday == nth.weekday &&
			nths[at - 1].offset == nth.offset)
		{
			nths[at - 1].nths |= nth.nths;
			continue;
		}
		memmove(&nths[at + 1], &nths[at], (n - at) * sizeof(nth_weekday));
		nths[at] = nth;
		n++;
	}
	parser->nnths = rule->nths + n;
	rule->nnths = (uint16_t) n;
}

static bool
parse_weekdays(parser *parser, rule *rule)
{
	bool		weekdays;

	rule->weekdays = 0;
	if (!parse_weekday_list(parser, rule, true, &weekdays))
		return false;
	if (!weekdays && is_word(&parser->token, WORD_WEEKDAY))
	{
		/* "PH Mo-Fr": a holiday on one of these. */
		if (!parse_weekday_list(parser, rule, false, &weekdays))
			return false;
		rule->holiday = HOLIDAY_AND;
	}
	else if (is_word(&parser->token, WORD_PH))
		return refuse(parser, &parser->token,
					  "Write \"PH,Mo-Fr\" for holidays and weekdays, \"PH Mo-Fr\" for holidays on weekdays.",
					  "PH stands before the weekdays or after a comma");
	tidy_nths(parser, rule);

	/* "PH Mo-Su" is just PH. */
	if (rule->holiday == HOLIDAY_AND && rule->weekdays == ALL_WEEKDAYS)
	{
		rule->holiday = HOLIDAY_OR;
		rule->weekdays = 0;
	}
	return true;
}

/* Seconds after midnight. */
static bool
parse_clock(parser *parser, bool is_end, int32_t *seconds)
{
	static const char hint[] = "Write times like \"08:00-16:30\".";
	token		first = parser->token;
	token		whole;
	int			parts[3] = {0, 0, 0};
	int			n = 1;

	if (is_sign(&first, '('))
		return refuse(parser, &first, hint,
					  "times that depend on the sun are not supported");
	if (first.kind != TOKEN_NUMBER)
		return refuse_missing(parser, "a time", hint);
	if (first.length > 2)
		return refuse(parser, &first, hint, "not a time");
	parts[0] = first.value;
	whole = first;
	advance(parser);
	while (n < 3 && is_sign(&parser->token, ':') &&
		   touches(&whole, &parser->token))
	{
		token		colon = parser->token;
		token		number = token_after(parser, &colon);

		if (number.kind != TOKEN_NUMBER || !touches(&colon, &number))
		{
			if (n > 1)
				break;
			whole = tokens_from(&first, &colon);
			return refuse(parser, &whole, hint, "the minutes are missing");
		}
		if (number.length != 2 || number.value > 59)
			return refuse(parser, &number, hint,
						  "%s have two digits and go from 00 to 59",
						  n == 1 ? "minutes" : "seconds");
		parts[n++] = number.value;
		whole = tokens_from(&first, &number);
		advance(parser);
		advance(parser);
	}
	if (n == 1)
		return refuse(parser, &first, hint, "a time needs its minutes");

	*seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
	if (is_end ? *seconds > 2 * DAY : *seconds >= DAY)
		return refuse(parser, &whole, NULL, "%s",
					  is_end ? "times end at 48:00 at the latest" :
					  "times begin before 24:00");
	return true;
}

/* Sort the spans of a rule and join those that meet. */
static void
tidy_spans(parser *parser, rule *rule)
{
	sla_window *spans = parser->spans + rule->spans;
	int			n = 0;

	/* add_span needs no more room than the spans before it have left. */
	for (int i = 0; i < rule->nspans; i++)
		n = add_span(spans, n, spans[i]);
	parser->nspans = rule->spans + n;
	rule->nspans = (uint16_t) n;
}

static bool
parse_times(parser *parser, rule *rule)
{
	for (;;)
	{
		sla_window *span = &parser->spans[parser->nspans];
		token		first = parser->token;
		token		next;

		if (!parse_clock(parser, false, &span->from))
			return false;
		if (is_sign(&parser->token, '+'))
			return refuse(parser, &parser->token, "Write when it ends, like \"17:00-22:00\".",
						  "times without an end are not supported");
		if (!is_sign(&parser->token, '-'))
		{
			if (parser->token.kind == TOKEN_OTHER ||
				parser->token.kind == TOKEN_WORD)
				return refuse_missing(parser, "\"-\"", NULL);
			first.length = parser->token.position - first.position;
			while (is_space(parser->text[first.position + first.length - 1]))
				first.length--;
			return refuse(parser, &first, "Write when it ends, like \"17:00-22:00\".",
						  "a time alone is no opening time");
		}
		advance(parser);
		if (!parse_clock(parser, true, &span->to))
			return false;
		if (span->to <= span->from)
			span->to += DAY;
		if (is_sign(&parser->token, '+'))
			return refuse(parser, &parser->token, "Leave the \"+\" out.",
						  "times without an end are not supported");
		if (is_sign(&parser->token, '/'))
			return refuse(parser, &parser->token, "Leave the \"/\" and what follows out.",
						  "points in time at an interval are not supported");
		parser->nspans++;
		rule->nspans++;

		if (!is_sign(&parser->token, ','))
			break;
		next = token_after(parser, &parser->token);
		if (!starts_time(parser, &next))
			break;
		advance(parser);
	}
	tidy_spans(parser, rule);
	return true;
}

/* "open", "off", a comment. */
static bool
parse_state(parser *parser, rule *rule, bool *state)
{
	*state = false;
	if (is_word(&parser->token, WORD_OPEN) || is_word(&parser->token, WORD_OFF))
	{
		*state = true;
		rule->closed = is_word(&parser->token, WORD_OFF);
		advance(parser);
	}
	else if (is_word(&parser->token, WORD_UNKNOWN_STATE))
		return refuse_other(parser, &parser->token);
	if (parser->token.kind == TOKEN_COMMENT)
	{
		size_t		length = parser->token.length - 2;

		if (length == 0)
			return refuse(parser, &parser->token, NULL, "the comment is empty");
		memcpy(parser->comments + parser->ncomments,
			   parser->text + parser->token.position + 1, length);
		rule->comment_length = (uint16_t) length;
		parser->ncomments += length;
		advance(parser);
	}
	return true;
}

static bool
parse_rule(parser *parser, separator separator)
{
	static const char order[] =
		"The order is: years, months or dates, weeks, weekdays, times, \"open\" or \"off\", comment.";
	rule	   *rule = &parser->rules[parser->nrules];
	token		first = parser->token;
	bool		selects = false;
	bool		always = false;
	bool		timed = false;
	bool		state;

	*rule = (struct rule)
	{
		.years = (uint32_t) parser->nyears,
			.dates = (uint32_t) parser->ndates,
			.weeks = (uint32_t) parser->nweeks,
			.nths = (uint32_t) parser->nnths,
			.spans = (uint32_t) parser->nspans,
			.comment = (uint32_t) parser->ncomments,
			.weekdays = ALL_WEEKDAYS,
			.separator = (uint8_t) separator
	};

	if (is_always(parser, &parser->token))
	{
		always = true;
		advance(parser);
		advance(parser);
		advance(parser);
	}
	else
	{
		token		next = token_after(parser, &parser->token);

		if (is_year(&parser->token) && !is_date_word(&next) &&
			!parse_years(parser, rule))
			return false;
		next = token_after(parser, &parser->token);
		if ((is_date_word(&parser->token) ||
			 (is_year(&parser->token) && is_date_word(&next))) &&
			!parse_dates(parser, rule))
			return false;
		if (is_word(&parser->token, WORD_WEEK) && !parse_weeks(parser, rule))
			return false;
		selects = rule->nyears > 0 || rule->ndates > 0 || rule->nweeks > 0;
		if (selects && is_sign(&parser->token, ':'))
			advance(parser);
		if (is_weekday_word(&parser->token))
		{
			selects = true;
			if (!parse_weekdays(parser, rule))
				return false;
			if (is_sign(&parser->token, ':'))
				advance(parser);
		}
		if (starts_time(parser, &parser->token))
		{
			timed = true;
			if (!parse_times(parser, rule))
				return false;
		}
	}
	if (!parse_state(parser, rule, &state))
		return false;

	if (!selects && !always && !timed && !state)
	{
		if (rule->comment_length > 0)
			return refuse(parser, &first, "Write \"open\" or \"off\" before the comment.",
						  "a comment alone leaves open whether it is open");
		return refuse_missing(parser, "a rule", NULL);
	}
	if (!rule->closed && !timed)
	{
		parser->spans[parser->nspans++] = (sla_window)
		{
			0, DAY
		};
		rule->nspans = 1;
	}
	parser->nrules++;

	/* What follows must begin another rule. */
	if (parser->token.kind == TOKEN_END || is_sign(&parser->token, ';') ||
		is_sign(&parser->token, ',') || is_sign(&parser->token, '|'))
		return true;
	if (parser->token.kind == TOKEN_COMMENT)
		return refuse(parser, &parser->token, NULL,
					  rule->comment_length > 0 ? "a rule has one comment" :
					  "a comment stands at the end of a rule");
	if (is_year(&parser->token) || is_date_word(&parser->token) ||
		is_word(&parser->token, WORD_WEEK) || is_word(&parser->token, WORD_WEEKDAY) ||
		is_word(&parser->token, WORD_PH))
	{
		if (timed || always || state)
			return refuse(parser, &parser->token,
						  "Write \";\" to replace, \", \" to add to what the rules before say.",
						  "rules are separated by \";\" or \",\"");
		return refuse(parser, &parser->token, order, "not in the right order");
	}
	return refuse_other(parser, &parser->token);
}

static bool
parse_rules(parser *parser)
{
	separator	separator = SEPARATOR_NORMAL;

	parser->token = token_at(parser, 0);
	if (parser->token.kind == TOKEN_END)
		return refuse(parser, &parser->token,
					  "Write hours like \"Mo-Fr 08:00-16:00\", or \"24/7\".",
					  "there are no opening hours in it");
	for (;;)
	{
		parser->env->interrupt(parser->env->arg);
		if (!parse_rule(parser, separator))
			return false;
		if (parser->token.kind == TOKEN_END)
			return true;
		switch (parser->token.sign)
		{
			case ',':
				separator = SEPARATOR_ADDITIONAL;
				break;
			case '|':
				separator = SEPARATOR_FALLBACK;
				break;
			default:
				separator = SEPARATOR_NORMAL;
				break;
		}
		advance(parser);
	}
}

/*
 * ------------------------------------------------------------------------
 * From the parser's lists to what is kept
 * ------------------------------------------------------------------------
 */

/* Hand out the next part of a block; NULL base only counts. */
static void *
take(char *base, size_t *used, size_t size)
{
	/* Everything begins where the widest member of any part could. */
	size_t		at = (*used + 7) & ~(size_t) 7;

	*used = at + size;
	return base == NULL ? NULL : base + at;
}

static void
name_years(sla_hours *hours, int first, int last)
{
	if (hours->first_year > hours->last_year)
	{
		hours->first_year = first;
		hours->last_year = last;
		return;
	}
	if (first < hours->first_year)
		hours->first_year = first;
	if (last > hours->last_year)
		hours->last_year = last;
}

/* What can be told of all rules at once. */
static void
summarize(sla_hours *hours, const parser *parser)
{
	int			windows = 1;

	hours->first_year = 1;
	hours->last_year = 0;
	hours->weekly = true;
	hours->names_holidays = false;
	for (size_t i = 0; i < parser->nyears; i++)
	{
		const year_range *range = &parser->years[i];

		name_years(hours, range->first,
				   range->last == OPEN_YEAR ? range->first : range->last);
	}
	for (size_t i = 0; i < parser->ndates; i++)
	{
		const date_range *range = &parser->dates[i];
		date_facts	first;
		date_facts	last;

		if (range->kind == RANGE_FIXED)
		{
			find_facts(range->first, &first);
			find_facts(range->last, &last);
			name_years(hours, first.year, last.year);
		}
		else if (range->from.kind == POINT_EASTER ||
				 range->to.kind == POINT_EASTER)
		{
			/* Plus what offsets and the end of the year can lead to. */
			name_years(hours, FIRST_EASTER - 4, LAST_EASTER + 4);
		}
	}
	for (size_t i = 0; i < parser->nrules; i++)
	{
		const rule *rule = &parser->rules[i];

		if (rule->nyears > 0 || rule->ndates > 0 || rule->nweeks > 0 ||
			rule->nnths > 0)
			hours->weekly = false;
		if (rule->holiday != HOLIDAY_NONE)
			hours->names_holidays = true;

		/* A span adds a window, or splits one. */
		if (rule->closed || rule->separator != SEPARATOR_NORMAL)
			windows += rule->nspans;
		else if (rule->nspans > windows)
			windows = rule->nspans;
	}
	hours->max_windows = windows;
}

/* Lay the lists out in a block; returns its size. */
static size_t
lay_out(const parser *parser, char *base, sla_hours *hours)
{
	size_t		used = 0;

	(void) take(base, &used, sizeof(sla_hours));
#define KEEP(field, count) \
	do { \
		size_t		size = (count) * sizeof(*parser->field); \
		void	   *copy = take(base, &used, size); \
		if (copy != NULL) \
		{ \
			if (size > 0) \
				memcpy(copy, parser->field, size); \
			hours->field = copy; \
		} \
	} while (0)
	KEEP(rules, parser->nrules);
	KEEP(dates, parser->ndates);
	KEEP(spans, parser->nspans);
	KEEP(years, parser->nyears);
	KEEP(nths, parser->nnths);
	KEEP(weeks, parser->nweeks);
	KEEP(comments, parser->ncomments);
#undef KEEP
	return used;
}

sla_hours *
sla_hours_parse(const sla_env *env, const char *text, size_t length,
				sla_fault *fault)
{
	parser		parser = {.text = text, .length = length, .env = env, .fault = fault};
	sla_hours  *hours = NULL;
	char	   *scratch;
	size_t		items = 1;
	size_t		used = 0;

	if (length > MAX_TEXT)
	{
		token		rest = {.position = MAX_TEXT, .length = length - MAX_TEXT};

		refuse(&parser, &rest, NULL, "longer than %d bytes", MAX_TEXT);
		return NULL;
	}

	/* Every rule and every item of a list begins after one of these. */
	for (size_t i = 0; i < length; i++)
	{
		if (text[i] == ',' || text[i] == ';' || text[i] == '|')
			items++;
	}
	for (scratch = NULL;;)
	{
		used = 0;
		parser.rules = take(scratch, &used, items * sizeof(rule));
		parser.dates = take(scratch, &used, items * sizeof(date_range));
		parser.spans = take(scratch, &used, items * sizeof(sla_window));
		parser.years = take(scratch, &used, items * sizeof(year_range));
		parser.nths = take(scratch, &used, items * sizeof(nth_weekday));
		parser.weeks = take(scratch, &used, items * sizeof(week_range));
		parser.comments = take(scratch, &used, length);
		if (scratch != NULL)
			break;
		scratch = env->alloc(env->arg, used);
	}

	if (parse_rules(&parser))
	{
		hours = env->alloc(env->arg, lay_out(&parser, NULL, NULL));
		memset(hours, 0, sizeof(*hours));
		hours->nrules = (int) parser.nrules;
		lay_out(&parser, (char *) hours, hours);
		summarize(hours, &parser);

		/* What is accepted must be accepted again as it is printed. */
		if (sla_hours_print(hours, NULL, 0) > MAX_TEXT)
		{
			token		all = {.length = length};

			refuse(&parser, &all, NULL, "longer than %d bytes when written in full",
				   MAX_TEXT);
			env->release(env->arg, hours);
			hours = NULL;
		}
	}
	env->release(env->arg, scratch);
	return hours;
}

/*
 * ------------------------------------------------------------------------
 * Rules to text
 * ------------------------------------------------------------------------
 */

typedef struct writer
{
	char	   *buffer;
	size_t		size;
	size_t		length;			/* of all that was written, room or not */
} writer;

static void
put_bytes(writer *writer, const char *bytes, size_t length)
{
	if (writer->length < writer->size)
	{
		size_t		room = writer->size - writer->length;

		memcpy(writer->buffer + writer->length, bytes,
			   length < room ? length : room);
	}
	writer->length += length;
}

__attribute__((format(printf, 2, 3)))
static void
put(writer *writer, const char *format,...)
{
	char		bytes[64];
	va_list		arguments;
	int			length;

	va_start(arguments, format);
	length = vsnprintf(bytes, sizeof(bytes), format, arguments);
	va_end(arguments);
	put_bytes(writer, bytes, (size_t) length);
}

static void
put_offset(writer *writer, int offset)
{
	if (offset != 0)
		put(writer, " %+d day%s", offset,
			offset == 1 || offset == -1 ? "" : "s");
}

static void
put_years(writer *writer, const year_range *ranges, int n, bool dates_follow)
{
	for (int i = 0; i < n; i++)
	{
		const year_range *range = &ranges[i];

		put(writer, "%s%04d", i > 0 ? "," : "", range->first);
		if (range->last == OPEN_YEAR)
			put(writer, "+");
		else if (range->last != range->first || (n == 1 && dates_follow))
			/* A single year before a date would become a part of it. */
			put(writer, "-%04d", range->last);
		if (range->step != 1)
			put(writer, "/%d", range->step);
	}
}

static void
put_point(writer *writer, const date_point *point, bool year, bool month)
{
	if (year && point->year != 0)
		put(writer, "%04d ", point->year);
	if (point->kind == POINT_EASTER)
		put(writer, "easter");
	else
	{
		if (month)
			put(writer, "%s%s", month_names[point->month - 1],
				point->kind == POINT_MONTH ? "" : " ");
		if (point->kind == POINT_DAY)
			put(writer, "%02d", point->day);
		else if (point->kind == POINT_NTH)
			put(writer, "%s[%d]", weekday_names[point->weekday], point->day);
	}
	put_offset(writer, point->offset);
}

static void
put_dates(writer *writer, const date_range *ranges, int n)
{
	for (int i = 0; i < n; i++)
	{
		const date_point *from = &ranges[i].from;
		const date_point *to = &ranges[i].to;
		bool		same_year = from->year == to->year;
		bool		same_month = same_year && to->kind == POINT_DAY &&
			from->month == to->month &&
			(from->kind == POINT_NTH ||
			 (from->kind == POINT_DAY && from->day <= to->day));

		if (i > 0)
			put(writer, ",");
		put_point(writer, from, true, true);
		if (ranges[i].open_end)
			put(writer, "+");
		else if (!same_point(from, to) || from->kind == POINT_NTH)
		{
			put(writer, "-");
			put_point(writer, to, !same_year, !same_month);
		}
	}
}

static void
put_weeks(writer *writer, const week_range *ranges, int n)
{
	put(writer, "week ");
	for (int i = 0; i < n; i++)
	{
		put(writer, "%s%02d", i > 0 ? "," : "", ranges[i].first);
		if (ranges[i].last != ranges[i].first)
			put(writer, "-%02d", ranges[i].last);
		if (ranges[i].step != 1)
			put(writer, "/%d", ranges[i].step);
	}
}

/* Weekdays in their order, three or more in a row as a range. */
static void
put_weekdays(writer *writer, int weekdays, const char **separator)
{
	int			done = 0;

	for (int day = 0; day < 7; day++)
	{
		int			from = day;
		int			length = 0;

		if (!((weekdays >> day) & 1) || ((done >> day) & 1))
			continue;
		/* A run that begins before Monday is met in its middle. */
		if (weekdays != ALL_WEEKDAYS)
		{
			while ((weekdays >> (from + 6) % 7) & 1)
				from = (from + 6) % 7;
		}
		while (length < 7 && ((weekdays >> (from + length) % 7) & 1))
			length++;
		if (length < 3)
		{
			put(writer, "%s%s", *separator, weekday_names[day]);
			done |= 1 << day;
		}
		else
		{
			put(writer, "%s%s-%s", *separator, weekday_names[from],
				weekday_names[(from + length - 1) % 7]);
			for (int i = 0; i < length; i++)
				done |= 1 << (from + i) % 7;
		}
		*separator = ",";
	}
}

static void
put_nth(writer *writer, const nth_weekday *nth)
{
	const char *separator = "";

	put(writer, "%s[", weekday_names[nth->weekday]);
	for (int i = 0; i < 5; i++)
	{
		int			length = 0;

		while (i + length < 5 && ((nth->nths >> (i + length)) & 1))
			length++;
		if (length == 0)
			continue;
		if (length >= 3)
		{
			put(writer, "%s%d-%d", separator, i + 1, i + length);
			i += length - 1;
		}
		else
			put(writer, "%s%d", separator, i + 1);
		separator = ",";
	}
	for (int i = 0; i < 5; i++)
	{
		if ((nth->nths >> (5 + i)) & 1)
		{
			put(writer, "%s-%d", separator, i + 1);
			separator = ",";
		}
	}
	put(writer, "]");
	put_offset(writer, nth->offset);
}

static void
put_clock(writer *writer, int32_t seconds)
{
	put(writer, "%02d:%02d", seconds / 3600, seconds / 60 % 60);
	if (seconds % 60 != 0)
		put(writer, ":%02d", seconds % 60);
}

static void
put_spans(writer *writer, const sla_window *spans, int n)
{
	for (int i = 0; i < n; i++)
	{
		int32_t		to = spans[i].to;

		if (i > 0)
			put(writer, ",");
		/* Past midnight as on the clock, where that says the same. */
		if (to > DAY && to - DAY <= spans[i].from)
			to -= DAY;
		put_clock(writer, spans[i].from);
		put(writer, "-");
		put_clock(writer, to);
	}
}

static bool
selects_days(const rule *rule)
{
	return rule->nyears > 0 || rule->ndates > 0 || rule->nweeks > 0 ||
		rule->nnths > 0 || rule->weekdays != ALL_WEEKDAYS ||
		rule->holiday != HOLIDAY_NONE;
}

static bool
is_all_day(const sla_hours *hours, const rule *rule)
{
	return !rule->closed && rule->nspans == 1 &&
		hours->spans[rule->spans].from == 0 &&
		hours->spans[rule->spans].to == DAY;
}

/* next is the rule that follows, or NULL. */
static void
put_rule(writer *writer, const sla_hours *hours, const rule *rule,
		 const struct rule *next)
{
	size_t		start = writer->length;
#define SPACE (writer->length > start ? " " : "")

	if (rule->nyears > 0)
		put_years(writer, hours->years + rule->years, rule->nyears,
				  rule->ndates > 0);
	if (rule->ndates > 0)
	{
		put(writer, "%s", SPACE);
		put_dates(writer, hours->dates + rule->dates, rule->ndates);
	}
	if (rule->nweeks > 0)
	{
		put(writer, "%s", SPACE);
		put_weeks(writer, hours->weeks + rule->weeks, rule->nweeks);
	}
	if (rule->nnths > 0 || rule->weekdays != ALL_WEEKDAYS ||
		rule->holiday != HOLIDAY_NONE)
	{
		const char *separator = "";

		put(writer, "%s", SPACE);
		if (rule->holiday != HOLIDAY_NONE)
		{
			put(writer, "PH");
			separator = rule->holiday == HOLIDAY_AND ? " " : ",";
		}
		put_weekdays(writer, rule->weekdays, &separator);
		for (int i = 0; i < rule->nnths; i++)
		{
			put(writer, "%s", separator);
			put_nth(writer, &hours->nths[rule->nths + i]);
			separator = ",";
		}
	}

	if (!selects_days(rule) && is_all_day(hours, rule))
		put(writer, "24/7");
	else if (rule->nspans > 0)
	{
		put(writer, "%s", SPACE);
		put_spans(writer, hours->spans + rule->spans, rule->nspans);
	}
	if (rule->closed)
		put(writer, "%soff", SPACE);
	else if (rule->comment_length > 0 ||
			 (next != NULL && next->separator == SEPARATOR_ADDITIONAL &&
			  !selects_days(next) && next->nspans > 0 &&
			  !is_all_day(hours, next)))
		/* Else the times of the next rule would belong to this one. */
		put(writer, " open");
	if (rule->comment_length > 0)
	{
		put(writer, " \"");
		put_bytes(writer, hours->comments + rule->comment,
				  rule->comment_length);
		put(writer, "\"");
	}
#undef SPACE
}

size_t
sla_hours_print(const sla_hours *hours, char *buffer, size_t size)
{
	static const char *const separators[] = {"; ", ", ", " || "};
	writer		writer = {.buffer = buffer, .size = size};

	for (int i = 0; i < hours->nrules; i++)
	{
		if (i > 0)
			put(&writer, "%s", separators[hours->rules[i].separator]);
		put_rule(&writer, hours, &hours->rules[i],
				 i + 1 < hours->nrules ? &hours->rules[i + 1] : NULL);
	}
	if (size > 0)
		buffer[writer.length < size ? writer.length : size - 1] = '\0';
	return writer.length;
}
