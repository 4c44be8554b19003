/*
 * ical_library.h
 *		What of libical is used: reading one content line.
 */
#ifndef SLA_ICAL_LIBRARY_H
#define SLA_ICAL_LIBRARY_H

#include "postgres.h"

/* A date, and the time when is_date is not set; not checked for its range. */
typedef struct sla_ical_fields
{
	bool		is_date;
	int			year;
	int			month;
	int			day;
	int			hour;
	int			minute;
	int			second;
} sla_ical_fields;

typedef enum sla_ical_value_kind
{
	SLA_ICAL_TEXT,
	SLA_ICAL_TIME,
	SLA_ICAL_PERIOD,			/* with an end */
	SLA_ICAL_SPAN,				/* a period with a length */
	SLA_ICAL_DURATION
} sla_ical_value_kind;

/* A property.  The two buffers are the caller's, each as long as the line. */
typedef struct sla_ical_property
{
	sla_ical_value_kind kind;
	char	   *text;			/* SLA_ICAL_TEXT, without escapes */
	char	   *tzid;			/* "" when there is none */
	bool		has_range;		/* a RANGE parameter */
	sla_ical_fields from;		/* also of a SLA_ICAL_TIME */
	sla_ical_fields to;
	int64		seconds;		/* of a duration or span */
} sla_ical_property;

extern bool sla_ical_read_property(const char *line, sla_ical_property *property);

#endif							/* SLA_ICAL_LIBRARY_H */
