/*
 * tracking.h
 *		Sources, and the tables on which their triggers stand.
 */
#ifndef SLA_TRACKING_H
#define SLA_TRACKING_H

#include "pg_sla.h"

#include "clock.h"
#include "condition.h"
#include "rule.h"
#include "statement.h"

/* A row of sla.source. */
typedef struct SlaSource
{
	const char *name;
	Oid			ticket_table;
	const char *ticket_key;
	const char *department;
	const char *agent;
	const char *created_at;
	const char *changed_at;
	Oid			facts;			/* InvalidOid: rules run over the ticket's row */
	const char *level_column;	/* either may be NULL */
	const char *due_column;
	SlaWriter	writer;			/* of the expressions */
} SlaSource;

/* An event that rows of the table tell. */
typedef struct SlaTrackedEvent
{
	const char *event;
	const char *opposite;		/* what happens when the condition ends, or NULL */
	SlaExpression *condition;
	SlaExpression *key;			/* NULL on the ticket table */
	SlaExpression *at;			/* NULL: when the row changed */
	SlaExpression *agent;		/* NULL: not known */
} SlaTrackedEvent;

/* Columns whose change is looked for. */
typedef struct SlaColumnSet
{
	AttrNumber *attributes;
	int			n;
	AttrNumber	last;
	bool		whole_row;
} SlaColumnSet;

/* A table of a source, compiled. */
typedef struct SlaTracked
{
	const char *source;
	int			stream;			/* 0: the ticket table */
	SlaSource	about;

	/* Statements by the ticket's key, made when first needed. */
	SPIPlanPtr	read_facts;
	SPIPlanPtr	lock_row;
	SPIPlanPtr	write_columns;

	/* About the ticket's key, as of a generation. */
	uint64		key_generation;
	bool		key_has_index;
	Oid			key_index;		/* by which its row can be locked without a statement, or InvalidOid */
	Oid			key_type;
	int32		key_typmod;

	/* of the ticket table */
	SlaExpression *key;
	SlaExpression *created_at;
	SlaExpression *changed_at;
	SlaExpression *department;	/* may be NULL */
	SlaExpression *agent;		/* may be NULL */
	SlaExpression *due;			/* the due_column, if it is one of time; may be NULL */

	SlaTrackedEvent *events;
	int			nevents;

	SlaExpression **expressions;	/* all of them */
	int			nexpressions;

	/* An update matters when one of these changed. */
	SlaColumnSet	columns;		/* to anything */
	SlaColumnSet	rule_columns;	/* to the choice of a level */
	SlaColumnSet	due_columns;	/* to the deadline, when it is not we who write */
} SlaTracked;

/* source.c: the row of a source; false when there is none, or an error.  Within SPI. */
extern bool sla_read_source(const char *name, SlaSource *source);
extern void sla_need_source(const char *name, SlaSource *source);

/* source.c: what a source's rules run over; an error when it has been dropped. */
extern Relation sla_open_facts(const SlaSource *source);

/* source.c: a relation's name as a statement needs it. */
extern char *sla_qualified_name(Oid relid);

/*
 * tracking.c: compile what a source wants to know of a table, all of it in
 * context.  stream says which of its tables rel stands for.  Within SPI.
 */
extern SlaTracked *sla_compile_tracked(const SlaSource *source, int stream, Relation rel,
									   MemoryContext context);

/*
 * tracking.c: what a row tells, compared with what it was before (old, NULL: it
 * is new).  Strings are in the current memory context.
 *
 * sla_ticket_of gives the key of a ticket by its row; an error when it is null.
 * sla_events_of_ticket gives what a ticket's row tells, at least one event.
 * sla_event_of_row gives the event of one condition over a row of another
 * table; false when none happened or it is of no ticket.  has_time: did the row
 * say when?
 */
extern const char *sla_ticket_of(const SlaTracked *tracked, TupleTableSlot *slot);
extern SlaNewEvent *sla_events_of_ticket(SlaTracked *tracked, TupleTableSlot *old,
										 TupleTableSlot *new, const SlaChoice *choice,
										 bool keep_levels, int *n);
extern bool sla_event_of_row(const SlaTrackedEvent *event, TupleTableSlot *old,
							 TupleTableSlot *new, SlaNewEvent *record,
							 const char **ticket, bool *has_time);

/*
 * ticket_row.c: the ticket's own row, by its key.
 *
 * sla_choose_for_ticket runs the rules over the row in slot, or over the facts
 * of the ticket; false when there is nothing to choose by.  former: the ticket's
 * row before the change, or NULL.  What the choice holds is in the current
 * memory context.  sla_choose_for_row is for those who
 * have read many rows of what the rules run over.
 * sla_write_ticket_columns does nothing unless the source has a level_column or
 * a due_column.
 */
extern void sla_ticket_row_init(void);

/*
 * Become the owner of a relation of the source, under the search_path and in
 * the time zone of the source.  Views and triggers run functions as who uses
 * them, so that another role would lend its rights to the relation's owner.
 * Left by sla_environment_leave.
 */
extern void sla_relation_owner_enter(SlaEnvironment *saved, const SlaSource *source,
									 Oid relid);

/*
 * "SELECT key, row FROM relation AS alias": the ticket's key as text, and the
 * row as a value of the relation's row type.
 */
extern char *sla_rows_statement(Oid relid, const char *key, const char **alias);

/* "alias.key = $1", the text $1 cast to the type of the key. */
extern char *sla_by_key(Oid relid, const char *alias, const char *key);

extern bool sla_choose_for_ticket(SlaTracked *tracked, Relation rel, const char *ticket,
								  TupleTableSlot *slot, TupleTableSlot *former, bool is_new,
								  SlaChoice *choice, bool *keep_levels);
extern bool sla_choose_for_row(SlaTracked *tracked, Relation over, const char *ticket,
							   TupleTableSlot *slot, bool is_new,
							   SlaChoice *choice, bool *keep_levels);
extern const Bitmapset *sla_columns_of_rules(const SlaSource *source, Relation rel);
extern void sla_write_ticket_columns(SlaTracked *tracked, const char *ticket);

/*
 * ticket_lock.c: the ticket's own row, locked as by a statement that updates it.
 *
 * sla_lock_ticket_row is for those who have not written the ticket: whoever
 * touches a ticket's clocks locks its row first.  A transaction that adds a
 * message and then updates the ticket would otherwise wait for one that has
 * updated it, and holds what that one waits for.  A table without an index on
 * the key is not searched for it.
 * sla_ticket_has_row locks the row and says whether there is one; the ticket
 * must have been one of the table's, so that its text can be a key.
 */
extern void sla_lock_ticket_row(SlaTracked *tracked, const char *ticket);
extern bool sla_ticket_has_row(SlaTracked *tracked, const char *ticket);

/*
 * Have the tickets that took over the clocks of this one do so again, by what
 * is known of it now.
 */
extern void sla_take_over_anew(const char *source, const char *ticket);
extern bool sla_is_writing_columns(const char *source, const char *ticket);

/*
 * ticket_row.c: the events by which the nearest deadline of a ticket becomes
 * what somebody wrote into its due_column; NULL takes back what was set before.
 */
extern SlaNewEvent *sla_events_of_due(const SlaTracked *tracked, const char *ticket,
									  const TimestampTz *due, TimestampTz at, int *n);

/*
 * ticket_row.c: the columns of a ticket whose row has changed without telling
 * anything.  Who edits a calendar, or recalculates, holds sla.log against
 * writers and passes over the tickets that somebody else has in use, who may be
 * about to wait for sla.log: so their triggers must wait, and write what has
 * become of the columns.
 */
extern void sla_follow_columns(SlaTracked *tracked, TupleTableSlot *slot);

/* The same for many tickets, in one statement each. */
extern bool sla_keeps_columns(const SlaSource *source);
extern void sla_write_columns_of_tickets(const SlaSource *source, Datum tickets);

/* Does a rule that fails let its ticket through?  Then what was wrong is told in sla.problem. */
extern bool sla_rule_errors_are_recorded(void);

#endif							/* SLA_TRACKING_H */
