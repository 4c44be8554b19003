/*
 * clock.h
 *		From events to the rows of the log, for trigger, replay and verification.
 */
#ifndef SLA_SERVER_CLOCK_H
#define SLA_SERVER_CLOCK_H

#include "pg_sla.h"

#include "utils/snapshot.h"

#include "event.h"
#include "log.h"
#include "rule.h"

/* What a trigger or a call says has happened. */
typedef struct SlaNewEvent
{
	const char *event;			/* NULL: nothing but a level or a holder that may
								 * have changed */
	TimestampTz at;
	bool		is_last;		/* not before anything else of the ticket */
	bool		if_returning;	/* only if the ticket had been deleted */
	const char *agent;			/* who did it, or NULL */
	bool		of_ticket;		/* department and assignee are the ticket's */
	const char *department;
	const char *assignee;
	const SlaChoice *choice;	/* what the rules chose, or NULL: not asked */
	bool		keep_levels;	/* a kind for which no rule set a level keeps its own */
	const SlaEventDetail *detail;	/* or NULL */
} SlaNewEvent;

/* Events that take a detail: what somebody did to a clock. */
#define SLA_EVENT_DEADLINE_SET "deadline_set"
#define SLA_EVENT_TOOK_OVER "took_over"

/*
 * Record events of a ticket and bring its log up to date.  is_new is a hint:
 * the ticket is not known yet.  True when one of them comes before the ticket
 * was merged into another which took its clocks over: then what it took over
 * may be something else, and sla_take_over_anew() is to be called.
 */
extern bool sla_record_events(const char *source, const char *ticket,
							  const SlaNewEvent *events, int n, bool is_new);

/* A row in sla.deadline_change: the deadline of a clock has moved.  As the owner. */
extern void sla_tell_deadline(const char *source, const char *ticket, const SlaLogRow *former,
							  const SlaLogRow *row, const char *reason);

/* Has sla.purge() taken the ticket's history away? */
extern bool sla_is_purged(const SlaHistory *history);

/*
 * Does an event of a ticket count for the clocks that another takes over?  What
 * was told of the instant of the merge before does, and what it took over itself;
 * not that the ticket is closed or deleted with the merge, which is told after.
 */
extern bool sla_comes_before_merge(const char *event, TimestampTz at, bool told_before, TimestampTz merged_at);

/* Was the ticket merged at that event into another, which took its clocks over? */
extern bool sla_hands_over(const SlaStoredEvent *event);

/*
 * The two halves of that, for those who read and write many tickets at a time;
 * both in the current memory context, as the owner of our tables.
 *
 * sla_add_events adds to the history of a ticket what happened, unless it says
 * nothing new; false when nothing did.  write is called for each event added
 * and gives it its id.  Strings are not copied.
 *
 * sla_replay_history puts what changes of level came to into the history;
 * sla_write_decisions keeps it.
 */
typedef void (*SlaEventWriter) (void *arg, SlaStoredEvent *event);

/* The promises that a ticket has by agreement after all that is known of it; 0: none, -1: not decided. */
extern void sla_promises_held(const SlaHistory *history, int32 *held);

extern bool sla_add_events(SlaHistory *history, const SlaNewEvent *events, int n,
						   SlaEventWriter write, void *arg);
extern void sla_replay_history(SlaHistory *history, SlaLog *expected);

/* The ticket's key has changed: its events and its log go with it. */
extern void sla_rename_ticket(const char *source, const char *from, const char *to);

/*
 * What the log of a ticket must be by its events, as a snapshot shows them;
 * NULL is the newest.  Within SPI; the result is in the current memory context.
 */
extern void sla_replay_ticket(const char *source, const char *ticket, Snapshot snapshot,
							  SlaLog *expected);

#endif							/* SLA_SERVER_CLOCK_H */
