/*
 * opening_hours_parse.c
 *		Opening hours from text.
 *
 * A parser by recursive descent that never recurses: the notation has no
 * nesting.  Every list of the result gets room for as many items as the text
 * can have at most, and what is used of it is copied into one block in the
 * end.  A text is refused at its first fault; no character of it is guessed.
 */
#include "gregorian.h"
#include "opening_hours_rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer texts are refused, which bounds all that depends on the length. */
#define MAX_TEXT			16384

/* Days by which a date, and a numbered weekday, can be moved. */
#define MAX_DATE_OFFSET		365
#define MAX_NTH_OFFSET		6

/* What the 1 in "Mo[1]" is called in a refusal. */
#define NTH					"the number of a weekday in its month"

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
		if (same_word(text, token->length, sla_weekday_names[i]))
		{
			token->word = WORD_WEEKDAY;
			token->value = i;
		}
	}
	for (int i = 0; i < 12; i++)
	{
		if (same_word(text, token->length, sla_month_names[i]))
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
		if (same_word(text, 2, sla_weekday_names[i]))
			hint = weekday_hints[i];
	}
	for (int i = 0; i < 12 && token->length > 3; i++)
	{
		if (same_word(text, 3, sla_month_names[i]))
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

/* The "Su[1]" or "Su[-1]" of a date. */
static bool
parse_nth_point(parser *parser, date_point *point)
{
	int			sign = 1;
	int			nth;

	point->kind = POINT_NTH;
	point->weekday = (uint8_t) parser->token.value;
	advance(parser);
	advance(parser);
	if (is_sign(&parser->token, '-'))
	{
		sign = -1;
		advance(parser);
	}
	if (!parse_small_number(parser, NTH, 1, 5, &nth))
		return false;
	point->day = (int8_t) (sign * nth);
	return expect_sign(parser, ']');
}

/* A day of point's month. */
static bool
parse_day(parser *parser, date_point *point)
{
	const token *number = &parser->token;
	int			length = sla_days_in_month(point->month, true);

	if (number->kind != TOKEN_NUMBER)
		return refuse_missing(parser, "a date", NULL);
	if (number->length > 2 || number->value < 1 || number->value > length)
		return refuse(parser, number, NULL, "%s has the days 1 to %d",
					  sla_month_names[point->month - 1], length);
	point->kind = POINT_DAY;
	point->day = (int8_t) number->value;
	advance(parser);
	return true;
}

/* A month, and the day of it if there is one. */
static bool
parse_month(parser *parser, date_point *point, const date_point *start)
{
	token		next = token_after(parser, &parser->token);
	token		last;

	point->kind = POINT_MONTH;
	point->month = (uint8_t) parser->token.value;
	advance(parser);
	if (is_year(&next))
		return refuse(parser, &next, "Dates are written as \"2026 Dec 24\".",
					  "the year stands before the month");
	if (next.kind == TOKEN_NUMBER && !is_clock(parser, &next) &&
		!is_always(parser, &next))
	{
		if (!parse_day(parser, point))
			return false;
		if (start != NULL && start->kind == POINT_MONTH)
			return refuse(parser, &next,
						  "Write both ends as months or both as dates.",
						  "a range goes from month to month or from date to date");
		return true;
	}
	if (start == NULL)
		return !begins_nth_range(parser, &next) || parse_nth_point(parser, point);
	if (start->kind == POINT_MONTH)
		return true;
	if (is_nth_point(parser, &next, &last))
		return parse_nth_point(parser, point);
	return refuse_missing(parser, "the day of the month", NULL);
}

/*
 * A date with all that belongs to it.  start is the beginning of the range
 * whose end it is, or NULL.
 */
static bool
parse_point(parser *parser, date_point *point, const date_point *start)
{
	int			offset;

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
		if (!parse_month(parser, point, start))
			return false;
	}
	else if (start != NULL && point->year == 0 &&
			 (start->kind == POINT_DAY || start->kind == POINT_NTH))
	{
		token		day = parser->token;

		/* "Dec 24-26" */
		point->year = start->year;
		point->month = start->month;
		if (!parse_day(parser, point))
			return false;
		if (start->kind == POINT_DAY && point->day < start->day)
			return refuse(parser, &day, NULL, "the range ends before it begins");
	}
	else
		return refuse_missing(parser, "a month", NULL);

	if (point->kind == POINT_MONTH)
		return true;

	/* "Dec 25 -Su": the Sunday before. */
	if (is_sign(&parser->token, '+') || is_sign(&parser->token, '-'))
	{
		token		sign = parser->token;
		token		weekday = token_after(parser, &sign);

		/* But "2026 Dec 25+ Su": the Sundays from then on. */
		if (is_word(&weekday, WORD_WEEKDAY) &&
			(sign.sign == '-' || touches(&sign, &weekday)))
		{
			sign = tokens_from(&sign, &weekday);
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
		point->day > sla_days_in_month(point->month, sla_is_leap(point->year)))
		return refuse(parser, token, NULL, "%d has no %s %d", point->year,
					  sla_month_names[point->month - 1], point->day);
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
		int			easter = sla_month_start(3, leap) + 21 + year / 2;
		year_facts	facts = {.leap = leap, .easter = easter,
		.weekday = (6 + 7 * 53 - easter) % 7};
		int			from = sla_days_to_point(&range->from, &facts, false);
		int			to = sla_days_to_point(&range->to, &facts, true);

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

static int32_t
date_of_point(const date_point *point, bool is_end)
{
	year_facts	facts = sla_facts_of_year(point->year);

	return (int32_t) (sla_new_year(point->year) +
					  sla_days_to_point(point, &facts, is_end));
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
	if (range->first < sla_new_year(1) || range->last >= sla_new_year(10000))
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
			if (!parse_small_number(parser, NTH, 1, 5, &low))
				return false;
			nth->nths |= 32 << (low - 1);
			continue;
		}
		if (!parse_small_number(parser, NTH, 1, 5, &low))
			return false;
		high = low;
		if (is_sign(&parser->token, '-'))
		{
			token		last;

			advance(parser);
			last = parser->token;
			if (!parse_small_number(parser, NTH, 1, 5, &high))
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

	/* sla_add_span needs no more room than the spans before it have left. */
	for (int i = 0; i < rule->nspans; i++)
		n = sla_add_span(spans, n, spans[i]);
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
	int			spans = 0;

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
			sla_find_facts(range->first, &first);
			sla_find_facts(range->last, &last);
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

		spans += rule->nspans;
		/* A span adds a window, or splits one. */
		if (rule->closed || rule->separator != SEPARATOR_NORMAL)
			windows += rule->nspans;
		else if (rule->nspans > windows)
			windows = rule->nspans;
	}
	hours->max_windows = windows;
	/* Twice, for a copy; and there are ends of spans between rulings only. */
	hours->max_rulings = 2 * (2 * spans + 1);
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
