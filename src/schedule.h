/*
 * schedule.h
 *		The type sla.schedule, and reading its parts.
 */
#ifndef SLA_SCHEDULE_H
#define SLA_SCHEDULE_H

#include "postgres.h"

#include "lib/stringinfo.h"
#include "nodes/nodes.h"

#include "pg_sla.h"

/*
 * A value of sla.schedule as stored: a varlena of this, the text being the
 * canonical text form without terminator.  Nothing compiled is stored.
 */
#define SLA_SCHEDULE_FORMAT 1

typedef struct sla_schedule_data
{
	uint8		format;			/* SLA_SCHEDULE_FORMAT */
	uint8		flags;			/* none yet: 0 */
	char		text[FLEXIBLE_ARRAY_MEMBER];
} sla_schedule_data;

/* Holidays lie in the years 0001 to 9999, which the text form can write. */
#define SLA_FIRST_HOLIDAY	(-730119)	/* 0001-01-01 */
#define SLA_LAST_HOLIDAY	2921939		/* 9999-12-31 */

/* More times than a day can have that anybody means. */
#define SLA_MAX_HOLIDAY_WINDOWS	1000

/* The text of a value that is not compressed; *length without terminator. */
extern const char *sla_schedule_text(const struct varlena *value, uint32 *length);

extern sla_schedule *sla_schedule_read(const char *text, size_t length,
									   StringInfo canonical, Node *escontext);
extern void sla_append_day(StringInfo out, sla_date day);
extern void sla_append_windows(StringInfo out, const sla_window *windows, int n);
extern void sla_check_holiday_day(sla_date day);
extern sla_hours *sla_hours_read(const char *text, size_t length, Node *escontext);
extern bool sla_holiday_hours_read(const char *text, size_t length,
								   sla_holiday *holiday, Node *escontext);
extern PGDLLEXPORT Datum sla_schedule_in(PG_FUNCTION_ARGS);
extern bool sla_same_holiday(const sla_holiday *a, const sla_holiday *b);

#endif							/* SLA_SCHEDULE_H */
