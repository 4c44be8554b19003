/*
 * event.h
 *		A ticket's row in sla.ticket and its events in sla.event.
 *
 * All of it as the owner of our tables (sla_owner_enter).
 */
#ifndef SLA_EVENT_H
#define SLA_EVENT_H

#include "pg_sla.h"

#include "utils/snapshot.h"

#include "promise.h"

/* What came of a change of level for one clock; see sla_decision. */
typedef struct SlaDecision
{
	int			agreement;
	const char *metric;
	int64		amount;
	int64		share;
} SlaDecision;

/* What few events have. */
typedef struct SlaEventDetail
{
	const char *other;			/* another ticket, or NULL */
	int			agreement;		/* of the clock, where metric is not NULL */
	const char *metric;
	bool		has_deadline;
	TimestampTz deadline;
	bool		has_since;
	TimestampTz since;
	sla_stretch *counted;
	int			ncounted;
	const char *reason;			/* for sla.deadline_change; not kept with the event */
} SlaEventDetail;

/* An event as it is kept in sla.event. */
typedef struct SlaStoredEvent
{
	int64		id;
	const char *event;
	TimestampTz at;
	const char *agent;
	bool		of_ticket;
	const char *department;
	const char *assignee;
	bool		decides;
	int32		promises[SLA_N_AGREEMENTS];
	bool		renumbered;		/* id is not the one that was read */
	TimestampTz recorded_at;	/* of an event that was read */
	const SlaEventDetail *detail;	/* or NULL */
	SlaDecision *decisions;
	int			ndecisions;
	bool		decide_anew;	/* something that happened before became known */
	bool		decisions_changed;	/* and came to something else */
} SlaStoredEvent;

typedef struct SlaHistory
{
	SlaStoredEvent *events;
	int			n;
	int			size;
} SlaHistory;

/*
 * Lock the ticket's row in sla.ticket until the end of the transaction, making
 * it if need be.  True if it was made.  is_new is a hint: it will not be there.
 */
extern bool sla_lock_ticket(const char *source, const char *ticket, bool is_new);

extern bool sla_ticket_exists(const char *source, const char *ticket);

/*
 * The events of a ticket, in the order of time, as a snapshot shows them; NULL
 * is the newest.  The strings are in the current memory context.
 */
extern void sla_read_history(const char *source, const char *ticket, Snapshot snapshot,
							 SlaHistory *history);

/* Add an event to those in memory; its strings are not copied. */
extern void sla_history_add(SlaHistory *history, const SlaStoredEvent *event);

/* Add a row to sla.event; fills in the event's id. */
extern void sla_write_event(const char *source, const char *ticket, SlaStoredEvent *event);

/* Write the decisions of those events whose decisions have changed. */
extern void sla_write_decisions(const char *source, const char *ticket, const SlaHistory *history);

/*
 * For those who write many rows at a time (bulk.h): the columns of an event's
 * row, whose values are in the current memory context, and those of a ticket's.
 */
extern void sla_event_values(const char *source, const char *ticket, const SlaStoredEvent *event,
							 Datum *values, bool *nulls);
extern void sla_ticket_values(const char *source, const char *ticket, Datum *values, bool *nulls);

/* Lock the ticket's row if nobody else works on it; false if somebody does or there is none. */
extern bool sla_lock_idle_ticket(const char *source, const char *ticket);

/*
 * Is the beginning of a ticket known, that is, was it seen to be created, or
 * was it purged?  By the newest snapshot.
 */
extern bool sla_ticket_is_known(const char *source, const char *ticket);

/* Add a row to sla.problem; context may be NULL.  For any user. */
extern void sla_record_problem(const char *source, const char *ticket, int sqlerrcode,
							   const char *message, const char *context);

#endif							/* SLA_EVENT_H */
