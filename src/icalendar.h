/*
 * icalendar.h
 *		iCalendar texts: what they say, before it becomes holidays or hours.
 *
 * ical_text.c reads a text into components, ical_rule.c knows recurrence rules,
 * ical_zone.c time zones by the names that calendars use, ical_instances.c when
 * components happen.
 */
#ifndef SLA_ICALENDAR_H
#define SLA_ICALENDAR_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"

#include "pg_sla.h"

/* Wall-clock or UTC seconds since 2000-01-01 00:00, as the context says. */
typedef int64 ical_second;

/* A zone that a text names; zone.data is the same pointer for the same zone. */
typedef struct ical_zone
{
	const char *name;			/* as written */
	const char *canonical;		/* PostgreSQL's name */
	sla_zone	zone;
} ical_zone;

/* A date, or a time: floating when zone is NULL. */
typedef struct ical_time
{
	bool		is_date;
	ical_second second;			/* on the clock of its zone; midnight of a date */
	char	   *tzid;			/* as written, until the zone is found */
	const ical_zone *zone;
	int			line;
} ical_time;

typedef struct ical_period
{
	ical_time	from;
	bool		has_end;
	ical_time	to;				/* when has_end */
	int64		length;			/* when not, unless negative: as the component's */
} ical_period;

typedef enum ical_frequency
{
	ICAL_YEARLY,
	ICAL_MONTHLY,
	ICAL_WEEKLY,
	ICAL_DAILY
} ical_frequency;

typedef struct ical_list
{
	int			n;
	int16	   *values;			/* sorted, each once */
} ical_list;

typedef struct ical_nth_weekday
{
	int16		nth;			/* 0: all of the period */
	int16		weekday;		/* 0: Monday */
} ical_nth_weekday;

typedef struct ical_rule
{
	int			line;
	ical_frequency frequency;
	int			interval;
	int			count;			/* 0: no limit */
	bool		has_until;
	bool		until_utc;
	bool		until_date;
	ical_second until;
	int			week_start;		/* 0: Monday */
	uint16		months;			/* bit n: month n + 1; 0: all */
	ical_list	month_days;
	ical_list	year_days;
	ical_list	weeks;
	int			nweekdays;
	ical_nth_weekday *weekdays;
	ical_list	hours;
	ical_list	minutes;
	ical_list	seconds;
	ical_list	positions;
} ical_rule;

typedef enum ical_kind
{
	ICAL_EVENT,
	ICAL_AVAILABILITY,
	ICAL_AVAILABLE,
	ICAL_TIMEZONE
} ical_kind;

/* In the order of RFC 7953: a later one prevails. */
typedef enum ical_busy_type
{
	ICAL_BUSY_TENTATIVE,
	ICAL_BUSY_UNAVAILABLE,
	ICAL_BUSY
} ical_busy_type;

typedef struct ical_component
{
	ical_kind	kind;
	int			line;			/* of its BEGIN */
	char	   *uid;			/* never NULL once the text is read */
	char	   *summary;
	bool		has_start;
	bool		has_end;
	bool		has_duration;
	bool		has_recurrence_id;
	bool		cancelled;
	bool		transparent;
	bool		holds;			/* set by ical_instances: no later revision, not
								 * cancelled, and no override */
	ical_time	start;
	ical_time	end;
	int64		duration;
	ical_time	recurrence_id;
	ical_rule  *rule;
	List	   *dates;			/* of ical_period, from RDATE */
	List	   *exceptions;		/* of ical_time, from EXDATE */
	int			sequence;
	int			priority;
	ical_busy_type busy_type;
	List	   *parts;			/* AVAILABLE of a VAVAILABILITY */
	char	   *tzid;			/* of a VTIMEZONE */
	char	   *location;
} ical_component;

typedef struct ical_calendar
{
	List	   *events;
	List	   *availabilities;
	List	   *timezones;		/* VTIMEZONE components */
	List	   *zones;			/* of ical_zone, those met so far */
	char	   *default_tzid;	/* X-WR-TIMEZONE */
	int			default_line;
	int64		work;			/* days of rules looked at so far */
} ical_calendar;

/*
 * Report a text that cannot be read, or is not understood.  Never returns.
 * The message is completed by "on line N of the iCalendar text".
 */
extern void ical_refuse(int sqlstate, int line, const char *format,...)
			pg_attribute_printf(3, 4) pg_attribute_noreturn();
#define ICAL_INVALID	ERRCODE_INVALID_TEXT_REPRESENTATION
#define ICAL_LIMIT		ERRCODE_PROGRAM_LIMIT_EXCEEDED
#define ICAL_UNKNOWN	ERRCODE_FEATURE_NOT_SUPPORTED

/* A piece of the text for a message: its beginning. */
extern const char *ical_shown(const char *text, size_t length);

/* ical_text.c */
extern ical_calendar *ical_read(const char *text, size_t length);
extern bool ical_read_date_time(const char *text, size_t length, ical_second *second,
								bool *is_date, bool *is_utc);

/* ical_zone.c */
extern const ical_zone *ical_find_zone(ical_calendar *calendar, const char *name, int line);
extern const ical_zone *ical_utc(void);
extern ical_second ical_to_utc(const sla_zone *zone, ical_second local);
extern ical_second ical_to_local(const sla_zone *zone, ical_second utc);

/* ical_rule.c */
extern ical_rule *ical_read_rule(const char *text, size_t length, int line);
extern int	ical_expand_rule(ical_calendar *calendar, const ical_rule *rule,
							 const ical_time *start, ical_second from, ical_second to,
							 ical_second **found);

/*
 * ical_instances.c: one occurrence of a component.  Both ends are wall-clock
 * seconds of `zone`, or of no zone; of a date they are midnights.
 */
typedef struct ical_instance
{
	const ical_component *component;
	bool		is_date;
	const ical_zone *zone;
	ical_second from;
	ical_second to;
} ical_instance;

/*
 * A time on the clock of another, how long a component lasts on its clock, and
 * the occurrences of a list of components that touch the days [from_day,
 * to_day), a day more on both sides: recurrences, exceptions and overrides
 * counted in.  In no certain order.
 */
extern void ical_resolve(ical_calendar *calendar, ical_component *component);
extern ical_second ical_on_clock_of(const ical_time *start, const ical_time *time);
extern int64 ical_length(const ical_component *component);
extern ical_instance *ical_instances(ical_calendar *calendar, List *components,
									 sla_date from_day, sla_date to_day, int *n);

/* icalendar.c: a second of the day, or of the next, as opening hours write it. */
extern void ical_append_clock(StringInfo out, int32 second);

#endif							/* SLA_ICALENDAR_H */
