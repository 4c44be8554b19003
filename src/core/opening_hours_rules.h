/*
 * opening_hours_rules.h
 *		Opening hours as they are kept: shared by what reads, evaluates and
 *		prints them, and by nothing else.
 */
#ifndef SLA_OPENING_HOURS_RULES_H
#define SLA_OPENING_HOURS_RULES_H

#include "opening_hours.h"

/* Seconds. */
#define DAY					86400

/* Easter is computed for these years, and repeats outside of them. */
#define FIRST_EASTER		1583
#define LAST_EASTER			4099

/* The last of years without an end. */
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
	int			max_rulings;
	int			first_year;		/* named years, when first_year <= last_year */
	int			last_year;
	bool		names_holidays;
	bool		weekly;			/* weekdays and holidays decide all */
};

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

/* What the position of a date_point in its year depends on. */
typedef struct year_facts
{
	bool		leap;
	int			weekday;		/* of 1 January */
	int			easter;			/* days after 1 January */
} year_facts;

extern const char *const sla_weekday_names[7];
extern const char *const sla_month_names[12];

/* Fill in all but the week. */
extern void sla_find_facts(int64_t date, date_facts *facts);

extern year_facts sla_facts_of_year(int64_t year);

/*
 * Days from 1 January to the point.  Of a day that the year does not have,
 * the day after as the beginning of a range and the day before as its end.
 */
extern int	sla_days_to_point(const date_point *point, const year_facts *year,
							  bool is_end);

/*
 * Add a span to n windows, sorted and apart, of which there is room for one
 * more; returns how many there are then.
 */
extern int	sla_add_span(sla_window *windows, int n, sla_window span);

#endif							/* SLA_OPENING_HOURS_RULES_H */
