/*
 * gregorian.h
 *		Arithmetic of the Gregorian calendar, for any year; 0 is 1 BC.
 */
#ifndef SLA_GREGORIAN_H
#define SLA_GREGORIAN_H

#include "core.h"

static inline bool
sla_is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static inline int
sla_days_in_year(int64_t year)
{
	return sla_is_leap(year) ? 366 : 365;
}

/* Days from 1 January to the first of a month; of month 13, to the next year. */
static inline int
sla_month_start(int month, bool leap)
{
	static const int16_t days_before[] =
	{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

	return days_before[month - 1] + (leap && month > 2);
}

static inline int
sla_days_in_month(int month, bool leap)
{
	return sla_month_start(month + 1, leap) - sla_month_start(month, leap);
}

/* The date of 1 January. */
static inline int64_t
sla_new_year(int64_t year)
{
	int64_t		before = year - 1;

	return before * 365 + sla_floor_div(before, 4) - sla_floor_div(before, 100) +
		sla_floor_div(before, 400) - 730119;
}

/* Monday is 0. */
static inline int
sla_weekday(int64_t date)
{
	return (int) sla_floor_mod(date + 5, 7);
}

#endif							/* SLA_GREGORIAN_H */
