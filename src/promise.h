/*
 * promise.h
 *		Metrics and promises as the core's clock step takes them.
 */
#ifndef SLA_PROMISE_H
#define SLA_PROMISE_H

#include "pg_sla.h"

#include "core/clock.h"
#include "rule.h"

/* The metrics, and the names that the core knows by number. */
typedef struct SlaMetrics
{
	sla_metrics core;
	const char **metrics;		/* by metric */
	const char **events;		/* by event */
} SlaMetrics;

/*
 * The metrics as they are defined now.  Good until the next call of this
 * function in a later command.
 */
extern const SlaMetrics *sla_metrics_now(void);

/* Number of a metric or an event, or -1. */
extern int	sla_metric_number(const SlaMetrics *metrics, const char *name);
extern int	sla_event_number(const SlaMetrics *metrics, const char *name);

/* The event by which the state that an event begins ends, or NULL. */
extern const char *sla_opposite_event(const char *event);

/* A goal: business days, and microseconds of business time. */
typedef struct SlaGoal
{
	const char *metric;
	int32		days;
	int64		microseconds;
} SlaGoal;

/* A row of sla.promise. */
typedef struct SlaPromiseRow
{
	int32		id;
	int			agreement;
	const char *level;
	const text *calendar;
	sla_on_change on_change;
	int			ngoals;
	SlaGoal    *goals;			/* sorted by metric */
	const char *content;		/* equal for rows that promise the same */
	const char *rule;			/* the rule that set the level; NULL: none, or not known */
} SlaPromiseRow;

/*
 * Forget what may be out of date.  Called once before work on a ticket begins:
 * rows handed out are good until the next call, so that names which must
 * outlive it are copied.
 */
extern void sla_promises_refresh(void);

/* The promise with that id; an error when there is none. */
extern const SlaPromiseRow *sla_promise_by_id(int32 id);

/* The id of a promise with that content, by that rule, recorded if there is none yet. */
extern int32 sla_promise_id(int agreement, const SlaChosenLevel *chosen);

#endif							/* SLA_PROMISE_H */
