/*
 * pg_sla.h
 *		What the server-side files share: names, invalidation, calendars.
 */
#ifndef PG_SLA_H
#define PG_SLA_H

#include "postgres.h"

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "utils/relcache.h"

#include "compat.h"
#include "core/core.h"
#include "core/timeline.h"

#define SLA_SCHEMA "sla"

/* Declares and registers a function that SQL calls. */
#define SLA_FUNCTION(name) \
	PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	PG_FUNCTION_INFO_V1(name)

/*
 * init.c
 *
 * Generations count invalidations.  What was built from tables remembers the
 * generation read before it was built, and is checked again when the number
 * has moved.  sla_config_relid gives the OID of one of our tables and has the
 * relcache callback watch it from then on.
 */
typedef enum SlaConfigTable
{
	/* calendars */
	SLA_TABLE_CALENDAR,
	SLA_TABLE_CALENDAR_VERSION,
	SLA_TABLE_HOLIDAY_SET,
	SLA_TABLE_HOLIDAY,
	/* rules and tracking */
	SLA_TABLE_METRIC,
	SLA_TABLE_LEVEL,
	SLA_TABLE_TARGET,
	SLA_TABLE_RULE,
	SLA_TABLE_SOURCE,
	SLA_TABLE_SOURCE_EVENT
} SlaConfigTable;

#define SLA_N_CONFIG_TABLES (SLA_TABLE_SOURCE_EVENT + 1)

extern uint64 sla_calendar_generation;	/* of the calendar tables */
extern uint64 sla_rule_generation;	/* of the rule and tracking tables, and of any
									 * relation on which something was compiled */

extern void sla_check_version(void);	/* an error until ALTER EXTENSION UPDATE was run */
extern Oid	sla_config_relid(SlaConfigTable table);
extern Oid	sla_config_index(SlaConfigTable table);	/* its primary key */
extern void sla_watch_relation(Oid relid);	/* invalidations of it move sla_rule_generation */

/* The environment that the core is given in the server: a memory context. */
extern sla_env sla_server_env(MemoryContext context);

/* zone.c: PostgreSQL's own zone data for the core. */
extern sla_zone sla_zone_named(const char *name, const char **canonical);

/*
 * calendar.c
 *
 * The timeline of a calendar by name; an error when there is none.  Good, and
 * the same, for the life of the current memory context, whatever happens to the
 * calendar meanwhile.  The name may be any toasted text.
 */
extern sla_timeline *sla_calendar_timeline(const text *name);

#endif							/* PG_SLA_H */
