/*
 * clock.h
 *		From events to the rows of the log, for trigger, replay and verification.
 */
#ifndef SLA_SERVER_CLOCK_H
#define SLA_SERVER_CLOCK_H

#include "pg_sla.h"

#include "utils/snapshot.h"

#include "core/clock.h"
#include "rule.h"

/* What a trigger or a call says has happened. */
typedef struct SlaNewEvent
{
	const char *event;			/* NULL: nothing but a level or a holder that may
								 * have changed */
	TimestampTz at;
	bool		is_last;		/* not before anything else of the ticket */
	const char *agent;			/* who did it, or NULL */
	bool		of_ticket;		/* department and assignee are the ticket's */
	const char *department;
	const char *assignee;
	const SlaChoice *choice;	/* what the rules chose, or NULL: not asked */
	bool		keep_levels;	/* a kind for which no rule set a level keeps its own */
} SlaNewEvent;

/*
 * Record events of a ticket and bring its log up to date.  is_new is a hint:
 * the ticket is not known yet.
 */
extern void sla_record_events(const char *source, const char *ticket,
							  const SlaNewEvent *events, int n, bool is_new);

/* The ticket's key has changed: its events and its log go with it. */
extern void sla_rename_ticket(const char *source, const char *from, const char *to);

/* A row of sla.log. */
typedef struct SlaLogRow
{
	int			agreement;
	const char *metric;
	int			ordinal;
	int			cycle;
	const char *level;
	const char *calendar;
	const char *department;		/* NULL where unknown */
	const char *agent;
	int32		goal_days;
	int64		goal_microseconds;
	TimestampTz started_at;
	sla_stretch *counted;
	int			ncounted;
	bool		running;
	TimestampTz running_since;
	TimestampTz deadline;
	sla_outcome outcome;
	TimestampTz closed_at;
	const char *reason;			/* NULL where there is none */
	int64		elapsed;		/* business microseconds in counted */
	TimestampTz computed_at;
} SlaLogRow;

typedef struct SlaLog
{
	SlaLogRow  *rows;
	int			nrows;
} SlaLog;

/*
 * What the log of a ticket must be by its events, and what it is, as a snapshot
 * shows them; NULL is the newest.  Within SPI; the results are in the current
 * memory context.
 */
extern void sla_replay_ticket(const char *source, const char *ticket, Snapshot snapshot,
							  SlaLog *expected);
extern void sla_read_log(const char *source, const char *ticket, Snapshot snapshot,
						 SlaLog *log);

/* The row of the same agreement, metric and ordinal, or NULL. */
extern SlaLogRow *sla_log_find(const SlaLog *log, const SlaLogRow *like);

/*
 * A verdict that has been reached stays, whatever became of the calendar: a
 * row that is, up to its deadline, as it was logged keeps the deadline it was
 * logged with.  True if it keeps another than it would be given now.
 */
extern bool sla_keep_verdict(SlaLogRow *expected, const SlaLogRow *logged);

/* The name of the first column in which they differ, or NULL. */
extern const char *sla_log_difference(const SlaLogRow *a, const SlaLogRow *b);

extern const char *sla_outcome_name(sla_outcome outcome);

#endif							/* SLA_SERVER_CLOCK_H */
