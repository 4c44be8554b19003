/*
 * backfill.c
 *		Tickets that were there before they were tracked.
 *
 * What the rows tell is what they would tell if they were inserted now: the
 * same compiled conditions over the same rows, the same rules, the same events,
 * the same replay.  Only the way in and out differs, a batch of tickets at a
 * time: their rows are read by a few statements, the conditions evaluated here,
 * and events and log written many at a time.  What is in memory is one batch.
 *
 * A ticket's row in sla.ticket is locked before its rows are read, and they are
 * read by a snapshot that is newer than the lock.  The trigger of another
 * session locks it before that session can commit.  So either what that session
 * wrote is seen here, and then its events are seen too, or it waits and its
 * events come after.
 *
 * Nothing is waited for while tickets are locked: a session that has changed
 * one ticket and goes on to the next would wait for us.  A ticket that another
 * transaction works on is left out; the next call takes it.
 *
 * Triggers may have seen changes of a ticket whose creation they did not see.
 * What these events say comes after all that is found here, as it would have
 * if the ticket had been tracked from its creation on.
 */
#include "pg_sla.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "bulk.h"
#include "clock.h"
#include "event.h"
#include "log.h"
#include "promise.h"
#include "statement.h"
#include "store.h"
#include "summary.h"
#include "tracking.h"
#include "user_rows.h"

SLA_FUNCTION(sla_backfill);
SLA_FUNCTION(sla_backfill_in_batches);

/* Tickets whose rows are in memory at the same time. */
#define BATCH_TICKETS 10000

/* A table of the source. */
typedef struct Stream
{
	Relation	rel;
	SlaTracked *tracked;
	SlaUserRows *rows;
} Stream;

/* A ticket of the batch. */
typedef struct BatchTicket
{
	const char *ticket;			/* hash key */
	bool		is_new;			/* it had no row in sla.ticket */
	bool		has_row;
	SlaNewEvent *told;			/* by rows of other tables */
	int			ntold;
	int			told_size;
	int64		facts;			/* the number of its row of facts, or -1 */
} BatchTicket;

typedef struct Backfill
{
	SlaSource	source;
	Stream		tickets;		/* the ticket table */
	Stream	   *others;
	int			nothers;
	Relation	facts;			/* or NULL */
	SlaUserRows *facts_rows;	/* NULL: not read for the whole batch */
	SlaBulk    *events;			/* NULL: where somebody made a table that needs the executor */
	SlaBulk    *log;
	SlaBulk    *ticket_rows;
	MemoryContext batch_context;
	HTAB	   *batch;			/* BatchTicket by key */

	/* of the ticket at work */
	const char *ticket;
	SlaHistory *known;			/* what triggers have told of it */

	/* for those who wait and watch */
	int64		ntickets;
	int64		nevents;
	int64		nleft_out;
	char	   *last;			/* key of the last ticket looked at, or NULL */
	float4		about;			/* tickets that there are, roughly; negative: not known */
} Backfill;

/* ----------------------------------------------------------------
 * Setting up
 * ----------------------------------------------------------------
 */

static bool
reads_nothing(SlaExpression *expression)
{
	return bms_is_empty(sla_expression_columns(expression));
}

/* An error unless the ticket table tells when things happened. */
static void
check_times_of_tickets(const SlaTracked *tracked)
{
	if (reads_nothing(tracked->created_at))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the tickets of source \"%s\" do not tell when they were created", tracked->source),
				 errdetail("Its created_at is \"%s\".", tracked->about.created_at),
				 errhint("Call sla.track() again with a created_at that reads the ticket's row.")));
	for (int i = 0; i < tracked->nevents; i++)
		if (tracked->events[i].at == NULL && reads_nothing(tracked->changed_at))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the tickets of source \"%s\" do not tell when event \"%s\" happened",
							tracked->source, tracked->events[i].event),
					 errdetail("The event has no \"at\", and changed_at is \"%s\".", tracked->about.changed_at),
					 errhint("Call sla.track() again with a changed_at that reads the ticket's row, "
							 "or sla.track_event() with at.")));
}

static void
check_times_of_rows(const SlaTracked *tracked, Relation rel)
{
	for (int i = 0; i < tracked->nevents; i++)
		if (tracked->events[i].at == NULL || reads_nothing(tracked->events[i].at))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the rows of table \"%s\" do not tell when event \"%s\" happened",
							RelationGetRelationName(rel), tracked->events[i].event),
					 errhint("Call sla.track_event() again with at, or sla.untrack_event() if such rows matter to nothing.")));
}

/* All columns that some expression of a table reads. */
static Bitmapset *
columns_read(const SlaTracked *tracked)
{
	Bitmapset  *read = NULL;

	for (int i = 0; i < tracked->nexpressions; i++)
		read = bms_add_members(read, sla_expression_columns(tracked->expressions[i]));
	return read;
}

/*
 * The column that holds the tickets' keys in a table beside the ticket table,
 * when the events of the table agree about one; else NULL.
 */
static const char *
key_column(const SlaTracked *tracked, Oid relid)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(tracked->source), Int32GetDatum(tracked->stream)};
	char	   *key;
	List	   *names;
	AttrNumber	attribute;

	sla_read_newest(&plan, "SELECT DISTINCT ticket_key FROM sla.source_event"
					" WHERE source OPERATOR(pg_catalog.=) $1 AND stream OPERATOR(pg_catalog.=) $2",
					2, types, values);
	if (SPI_processed != 1)
		return NULL;
	key = sla_column_text(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
	if (strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_\"$") != strlen(key))
		return NULL;
	names = stringToQualifiedNameList_compat(key);
	if (list_length(names) != 1)
		return NULL;
	/* Not a word of SQL that is called like a column. */
	attribute = get_attnum(relid, strVal(linitial(names)));
	if (attribute <= 0 ||
		!bms_is_member(attribute - FirstLowInvalidHeapAttributeNumber, sla_expression_columns(tracked->events[0].key)))
		return NULL;
	return pstrdup(strVal(linitial(names)));
}

static Relation
open_user_table(Oid relid, const char *source)
{
	Relation	rel = try_relation_open(relid, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of source \"%s\" has been dropped", source),
				 errhint("sla.health() tells which.")));
	return rel;
}

/* Compile what the source's tables tell.  Within SPI, as the owner of our tables. */
static void
prepare(Backfill *backfill, const char *name)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	SlaSource  *source = &backfill->source;
	SPITupleTable *tables;
	Bitmapset  *read;
	Stream	   *stream = &backfill->tickets;
	MemoryContext compiled = AllocSetContextCreate(CurrentMemoryContext, "pg_sla tracked table", ALLOCSET_SMALL_SIZES);
	bool		isnull;

	sla_need_source(name, source);
	stream->rel = open_user_table(source->ticket_table, name);
	stream->tracked = sla_compile_tracked(source, 0, stream->rel, compiled);
	check_times_of_tickets(stream->tracked);
	read = columns_read(stream->tracked);
	if (OidIsValid(source->facts))
	{
		/* A view that fails for one ticket must be asked for each, where that ticket may go through. */
		backfill->facts = sla_open_facts(source);
		if (!sla_rule_errors_are_recorded())
			backfill->facts_rows = sla_user_rows(backfill->facts, source, 0, source->ticket_key,
												 sla_columns_of_rules(source, backfill->facts));
	}
	else
		read = bms_add_members(read, sla_columns_of_rules(source, stream->rel));
	stream->rows = sla_user_rows(stream->rel, source, 0, source->ticket_key, read);
	backfill->about = stream->rel->rd_rel->reltuples;

	sla_read_newest(&plan, "SELECT DISTINCT on_table::pg_catalog.oid, stream FROM sla.source_event"
					" WHERE source OPERATOR(pg_catalog.=) $1 AND stream OPERATOR(pg_catalog.>) 0 ORDER BY stream",
					1, types, values);
	tables = SPI_tuptable;
	backfill->others = palloc0(SPI_processed * sizeof(Stream) + 1);
	backfill->nothers = (int) SPI_processed;
	for (int i = 0; i < backfill->nothers; i++)
	{
		int			number = DatumGetInt32(SPI_getbinval(tables->vals[i], tables->tupdesc, 2, &isnull));

		stream = &backfill->others[i];
		stream->rel = open_user_table(DatumGetObjectId(SPI_getbinval(tables->vals[i], tables->tupdesc, 1, &isnull)), name);
		stream->tracked = sla_compile_tracked(source, number, stream->rel, compiled);
		check_times_of_rows(stream->tracked, stream->rel);
		stream->rows = sla_user_rows(stream->rel, source, number,
									 key_column(stream->tracked, RelationGetRelid(stream->rel)),
									 columns_read(stream->tracked));
	}

	backfill->events = sla_bulk_begin(SLA_STORE_EVENT);
	backfill->log = sla_bulk_begin(SLA_STORE_LOG);
	backfill->ticket_rows = sla_bulk_begin(SLA_STORE_TICKET);
	backfill->batch_context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla backfill", ALLOCSET_DEFAULT_SIZES);
}

static void
finish(Backfill *backfill)
{
	sla_bulk_end(backfill->events);
	sla_bulk_end(backfill->log);
	sla_bulk_end(backfill->ticket_rows);
	ExecDropSingleTupleTableSlot(backfill->tickets.rows->slot);
	for (int i = 0; i < backfill->nothers; i++)
	{
		ExecDropSingleTupleTableSlot(backfill->others[i].rows->slot);
		relation_close(backfill->others[i].rel, NoLock);
	}
	if (backfill->facts_rows != NULL)
		ExecDropSingleTupleTableSlot(backfill->facts_rows->slot);
	if (backfill->facts != NULL)
		relation_close(backfill->facts, NoLock);
	relation_close(backfill->tickets.rel, NoLock);
}

/* ----------------------------------------------------------------
 * A batch
 * ----------------------------------------------------------------
 */

static uint32
ticket_hash(const void *key, Size keysize)
{
	const char *ticket = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) ticket, strlen(ticket)));
}

static int
ticket_match(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static HTAB *
new_batch(int size)
{
	HASHCTL		control = {
		.keysize = sizeof(char *), .entrysize = sizeof(BatchTicket), .hcxt = CurrentMemoryContext,
		.hash = ticket_hash, .match = ticket_match
	};

	return hash_create("pg_sla backfill", size, &control, HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

static BatchTicket *
batch_ticket(Backfill *backfill, const char *ticket)
{
	return ticket == NULL ? NULL : hash_search(backfill->batch, &ticket, HASH_FIND, NULL);
}

/* Of these tickets, those whose rows could be locked where we shall write columns of theirs. */
static int
lock_rows(Backfill *backfill, const char **tickets, int n)
{
	SlaUserRows *rows = backfill->tickets.rows;

	if (!sla_keeps_columns(&backfill->source) || n == 0)
		return n;
	sla_lock_user_rows(rows, sla_ticket_array(tickets, n));
	backfill->nleft_out += n - (int64) rows->n;
	n = (int) rows->n;
	for (int i = 0; i < n; i++)
		tickets[i] = SPI_getvalue(rows->rows->vals[i], rows->rows->tupdesc, 1);
	sla_free_user_rows(rows);
	return n;
}

/* Lock those of the tickets that nobody else works on and that are not known yet. */
static int
lock_tickets(Backfill *backfill, const char **tickets, int n)
{
	const char *source = backfill->source.name;
	int			locked = 0;

	for (int i = 0; i < n; i++)
	{
		Datum		values[TICKET_COLUMNS];
		bool		nulls[TICKET_COLUMNS];
		BatchTicket *entry;
		bool		is_new;

		CHECK_FOR_INTERRUPTS();
		if (backfill->ticket_rows != NULL)
		{
			sla_ticket_values(source, tickets[i], values, nulls);
			is_new = sla_bulk_try(backfill->ticket_rows, values, nulls);
		}
		else
			/* This one may wait. */
			is_new = !sla_ticket_exists(source, tickets[i]) && sla_lock_ticket(source, tickets[i], true);
		if (!is_new)
		{
			if (!sla_lock_idle_ticket(source, tickets[i]))
			{
				backfill->nleft_out++;
				continue;
			}
			/* It may have become known before the lock. */
			if (sla_ticket_is_known(source, tickets[i]))
				continue;
		}
		entry = hash_search(backfill->batch, &tickets[i], HASH_ENTER, NULL);
		memset(entry, 0, sizeof(BatchTicket));
		entry->ticket = tickets[i];
		entry->is_new = is_new;
		entry->facts = -1;
		tickets[locked++] = tickets[i];
	}
	return locked;
}

/* What a row says is missing; an error, or a row in sla.problem. */
static void
tell_problem(Backfill *backfill, const char *ticket, const char *message)
{
	if (!sla_rule_errors_are_recorded())
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ticket \"%s\" of source \"%s\": %s", ticket, backfill->source.name, message),
				 errhint("Correct the row, or set pg_sla.on_rule_error to \"record\" to have it left out and listed in sla.problem.")));
	sla_record_problem(backfill->source.name, ticket, ERRCODE_NULL_VALUE_NOT_ALLOWED, message, NULL);
}

/* What the rows of another table tell of the tickets of the batch. */
static void
read_other(Backfill *backfill, Stream *stream, Datum tickets)
{
	SlaUserRows *rows = stream->rows;
	MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "pg_sla row", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = CurrentMemoryContext;

	sla_read_user_rows(rows, tickets);
	for (uint64 i = 0; i < rows->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(per_row);
		MemoryContextSwitchTo(per_row);
		backfill->ticket = sla_user_row(rows, i);
		for (int j = 0; j < stream->tracked->nevents; j++)
		{
			SlaNewEvent record;
			const char *key;
			BatchTicket *ticket;
			bool		has_time;

			if (!sla_event_of_row(&stream->tracked->events[j], NULL, rows->slot, &record, &key, &has_time))
				continue;
			ticket = batch_ticket(backfill, key);
			if (ticket == NULL)
				continue;
			if (!has_time)
			{
				tell_problem(backfill, key, psprintf("a row of table \"%s\" does not tell when event \"%s\" happened",
													 RelationGetRelationName(stream->rel), record.event));
				continue;
			}
			if (ticket->ntold == ticket->told_size)
			{
				MemoryContextSwitchTo(caller);
				ticket->told_size = ticket->told_size ? ticket->told_size * 2 : 4;
				ticket->told = ticket->told
					? repalloc(ticket->told, ticket->told_size * sizeof(SlaNewEvent))
					: palloc(ticket->told_size * sizeof(SlaNewEvent));
				MemoryContextSwitchTo(per_row);
			}
			if (record.agent != NULL)
				record.agent = MemoryContextStrdup(caller, record.agent);
			ticket->told[ticket->ntold++] = record;
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(per_row);
	sla_free_user_rows(rows);
	backfill->ticket = NULL;
}

static void
read_facts(Backfill *backfill, Datum tickets)
{
	SlaUserRows *rows = backfill->facts_rows;

	if (rows == NULL)
		return;
	sla_read_user_rows(rows, tickets);
	for (uint64 i = 0; i < rows->n; i++)
	{
		const char *key = sla_user_row(rows, i);
		BatchTicket *ticket = batch_ticket(backfill, key);

		if (ticket == NULL)
			continue;
		if (ticket->facts >= 0)
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("facts \"%s\" have several rows for ticket \"%s\"",
							RelationGetRelationName(backfill->facts), key),
					 errhint("A ticket has one row of facts; aggregate what it has several of.")));
		ticket->facts = (int64) i;
	}
}

/* ----------------------------------------------------------------
 * A ticket
 * ----------------------------------------------------------------
 */

static int
compare_told(const void *a, const void *b)
{
	const SlaNewEvent *x = a;
	const SlaNewEvent *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->event, y->event);
}

/*
 * Leave out of what rows tell the events that triggers have told already: each
 * known event stands for one that is called the same and happened when it did.
 */
static int
leave_out_known(SlaNewEvent *told, int n, const SlaHistory *known)
{
	bool	   *used = palloc0(known->n * sizeof(bool) + 1);
	int			left = 0;

	for (int i = 0; i < n; i++)
	{
		bool		is_known = false;

		for (int j = 0; j < known->n && !is_known; j++)
			if (!used[j] && known->events[j].at == told[i].at &&
				strcmp(known->events[j].event, told[i].event) == 0)
				used[j] = is_known = true;
		if (!is_known)
			told[left++] = told[i];
	}
	return left;
}

/*
 * Does something else tell that the ticket is in the state that an event
 * begins?  Then a row that shows the state does not tell it once more, at the
 * time at which it was last changed for whatever reason.
 */
static bool
state_is_told(const char *event, const SlaNewEvent *told, int n, const SlaHistory *known)
{
	const char *opposite = sla_opposite_event(event);
	const char *last = NULL;
	TimestampTz last_at = DT_NOBEGIN;

	if (opposite == NULL)
		return false;
	for (int i = 0; i < n + known->n; i++)
	{
		const char *other = i < n ? told[i].event : known->events[i - n].event;
		TimestampTz at = i < n ? told[i].at : known->events[i - n].at;

		if (at >= last_at && (strcmp(other, event) == 0 || strcmp(other, opposite) == 0))
		{
			last = other;
			last_at = at;
		}
	}
	return last != NULL && strcmp(last, event) == 0;
}

/* What triggers first told of a ticket they did not see being created. */
static void
first_known(const SlaHistory *known, const SlaStoredEvent **holder, int32 *promises, TimestampTz *touched_at)
{
	int64		decided[SLA_N_AGREEMENTS];

	*holder = NULL;
	*touched_at = DT_NOEND;
	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
	{
		promises[agreement] = -1;
		decided[agreement] = PG_INT64_MAX;
	}
	for (int i = 0; i < known->n; i++)
	{
		const SlaStoredEvent *event = &known->events[i];

		if (event->of_ticket && (*holder == NULL || event->id < (*holder)->id))
			*holder = event;
		if (event->of_ticket)
			*touched_at = Min(*touched_at, event->at);
		for (int agreement = 0; event->decides && agreement < SLA_N_AGREEMENTS; agreement++)
			if (event->promises[agreement] >= 0 && event->id < decided[agreement])
			{
				promises[agreement] = event->promises[agreement];
				decided[agreement] = event->id;
			}
	}
}

/* An event that was found: number it, and write it with many others. */
static void
write_found(void *arg, SlaStoredEvent *event)
{
	Backfill   *backfill = arg;
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];

	if (backfill->known->n > 0 && event->decides)
	{
		const SlaStoredEvent *holder;
		int32		promises[SLA_N_AGREEMENTS];
		TimestampTz touched_at;

		/* Until its row was first changed under a trigger's eyes it had what that change left it. */
		first_known(backfill->known, &holder, promises, &touched_at);
		for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
			if (promises[agreement] >= 0)
				event->promises[agreement] = promises[agreement];
	}
	backfill->nevents++;
	if (backfill->events == NULL)
	{
		sla_write_event(backfill->source.name, backfill->ticket, event);
		return;
	}
	event->id = sla_bulk_next_id(backfill->events);
	sla_event_values(backfill->source.name, backfill->ticket, event, values, nulls);
	sla_bulk_add(backfill->events, values, nulls);
}

/* What triggers have told comes after what was found: number it anew. */
static void
renumber(Backfill *backfill, SlaHistory *known)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID};

	for (;;)
	{
		SlaStoredEvent *next = NULL;
		Datum		values[lengthof(types)];
		bool		isnull;

		/* In the order of arrival. */
		for (int i = 0; i < known->n; i++)
			if (!known->events[i].renumbered && (next == NULL || known->events[i].id < next->id))
				next = &known->events[i];
		if (next == NULL)
			return;
		values[0] = CStringGetTextDatum(backfill->source.name);
		values[1] = CStringGetTextDatum(backfill->ticket);
		values[2] = TimestampTzGetDatum(next->at);
		values[3] = Int64GetDatum(next->id);
		sla_execute_newest(&plan, "UPDATE sla.event SET id = DEFAULT WHERE source OPERATOR(pg_catalog.=) $1"
						   " AND ticket OPERATOR(pg_catalog.=) $2 AND at OPERATOR(pg_catalog.=) $3"
						   " AND id OPERATOR(pg_catalog.=) $4 RETURNING id", lengthof(types), types, values, NULL);
		if (SPI_processed != 1)
			elog(ERROR, "event " INT64_FORMAT " is gone", next->id);
		next->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		next->renumbered = true;
		SPI_freetuptable(SPI_tuptable);
	}
}

/* The row of a ticket is in the slot: its events and its log.  In a context of its own. */
static void
fill_ticket(Backfill *backfill, BatchTicket *ticket)
{
	SlaTracked *tracked = backfill->tickets.tracked;
	const char *source = backfill->source.name;
	TupleTableSlot *slot = backfill->tickets.rows->slot;
	SlaHistory	known = {0};
	SlaHistory	history = {0};
	SlaLog		expected;
	SlaChoice	choice;
	SlaNewEvent *events;
	bool		keep_levels = false;
	bool		chosen;
	bool		isnull;
	int			ntold = ticket->ntold;
	int			nof_row;
	int			n = 0;

	if (ticket->has_row)
		return;
	(void) sla_expression_eval(tracked->created_at, slot, &isnull);
	if (isnull)
	{
		tell_problem(backfill, ticket->ticket, "its row does not tell when it was created");
		return;
	}
	ticket->has_row = true;
	if (!ticket->is_new)
		sla_read_history(source, ticket->ticket, NULL, &known);
	backfill->known = &known;

	if (backfill->facts_rows != NULL)
	{
		if (ticket->facts >= 0)
			(void) sla_user_row(backfill->facts_rows, ticket->facts);
		chosen = sla_choose_for_row(tracked, backfill->facts, ticket->ticket,
									ticket->facts >= 0 ? backfill->facts_rows->slot : NULL,
									true, &choice, &keep_levels);
	}
	else
		chosen = sla_choose_for_ticket(tracked, backfill->tickets.rel, ticket->ticket, slot, NULL, true, &choice, &keep_levels);

	if (ntold > 1)
		qsort(ticket->told, ntold, sizeof(SlaNewEvent), compare_told);
	ntold = leave_out_known(ticket->told, ntold, &known);
	events = sla_events_of_ticket(tracked, NULL, slot, chosen ? &choice : NULL, keep_levels, &nof_row);
	events = repalloc(events, (nof_row + ntold) * sizeof(SlaNewEvent));
	for (int i = 0; i < nof_row; i++)
	{
		if (i > 0 && state_is_told(events[i].event, ticket->told, ntold, &known))
			continue;
		if (known.n > 0)
		{
			const SlaStoredEvent *holder;
			int32		promises[SLA_N_AGREEMENTS];
			TimestampTz touched_at;

			first_known(&known, &holder, promises, &touched_at);
			if (holder != NULL)
			{
				events[i].department = holder->department;
				events[i].assignee = holder->assignee;
			}
			/* A state that no trigger saw begin was there before. */
			if (i > 0)
				events[i].at = Max(events[0].at, Min(events[i].at, touched_at));
		}
		events[n++] = events[i];
	}
	if (ntold > 0)
		memcpy(events + n, ticket->told, ntold * sizeof(SlaNewEvent));
	n += ntold;

	sla_add_events(&history, events, n, write_found, backfill);
	if (known.n > 0)
	{
		renumber(backfill, &known);
		for (int i = 0; i < known.n; i++)
		{
			/* What changes of level came to may be something else, by what is found. */
			known.events[i].decide_anew = true;
			sla_history_add(&history, &known.events[i]);
		}
	}
	sla_replay_history(&history, &expected);
	if (known.n > 0)
		sla_write_decisions(source, ticket->ticket, &history);
	if (ticket->is_new && backfill->log != NULL)
	{
		for (int i = 0; i < expected.nrows; i++)
		{
			Datum		values[LOG_COLUMNS];
			bool		nulls[LOG_COLUMNS];

			sla_log_values(sla_bulk_next_id(backfill->log), source, ticket->ticket, &expected.rows[i], values, nulls);
			sla_bulk_add(backfill->log, values, nulls);
			sla_summary_log_written(source, NULL, &expected.rows[i]);
		}
	}
	else
	{
		SlaLog		logged;

		sla_read_log(source, ticket->ticket, NULL, &logged);
		sla_write_log(source, ticket->ticket, &expected, &logged);
	}
	backfill->ntickets++;
}

static void
fill_tickets(Backfill *backfill, Datum tickets)
{
	SlaUserRows *rows = backfill->tickets.rows;
	MemoryContext per_ticket = AllocSetContextCreate(CurrentMemoryContext, "pg_sla ticket", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;

	sla_read_user_rows(rows, tickets);
	for (uint64 i = 0; i < rows->n; i++)
	{
		BatchTicket *ticket;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(per_ticket);
		MemoryContextSwitchTo(per_ticket);
		(void) sla_user_row(rows, i);
		backfill->ticket = sla_ticket_of(backfill->tickets.tracked, rows->slot);
		ticket = batch_ticket(backfill, backfill->ticket);
		if (ticket != NULL)
			fill_ticket(backfill, ticket);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(per_ticket);
	sla_free_user_rows(rows);
	backfill->ticket = NULL;
}

/* A ticket that is gone, or whose row cannot be used, does not become known. */
static void
forget_unfilled(Backfill *backfill)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID};
	HASH_SEQ_STATUS status;
	BatchTicket *ticket;

	hash_seq_init(&status, backfill->batch);
	while ((ticket = hash_seq_search(&status)) != NULL)
	{
		Datum		values[] = {CStringGetTextDatum(backfill->source.name), CStringGetTextDatum(ticket->ticket)};

		if (!ticket->has_row && ticket->is_new)
			sla_execute(&plan, "DELETE FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
						" AND ticket OPERATOR(pg_catalog.=) $2", 2, types, values, NULL);
	}
}

static void
name_ticket(void *arg)
{
	const Backfill *backfill = arg;

	if (backfill->ticket != NULL)
		errcontext("backfill of ticket \"%s\" of source \"%s\"", backfill->ticket, backfill->source.name);
	else
		errcontext("backfill of source \"%s\"", backfill->source.name);
}

/* For other sessions, in pg_stat_activity. */
static void
show_progress(const Backfill *backfill)
{
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "sla.backfill(%s): " INT64_FORMAT " tickets, " INT64_FORMAT " events",
					 quote_literal_cstr(backfill->source.name), backfill->ntickets, backfill->nevents);
	if (backfill->about >= 0)
		appendStringInfo(&text, ", of about %.0f tickets", backfill->about);
	pgstat_report_activity(STATE_RUNNING, text.data);
	pfree(text.data);
}

/* Do the tickets, all of which are in the current memory context, as is all else. */
static void
fill_batch(Backfill *backfill, const char **tickets, int n)
{
	Datum		keys;

	backfill->batch = new_batch(n);
	n = lock_rows(backfill, tickets, n);
	n = lock_tickets(backfill, tickets, n);
	sla_promises_refresh();
	PushActiveSnapshot(GetLatestSnapshot());
	if (n > 0)
	{
		keys = sla_ticket_array(tickets, n);
		for (int i = 0; i < backfill->nothers; i++)
			read_other(backfill, &backfill->others[i], keys);
		read_facts(backfill, keys);
		fill_tickets(backfill, keys);
		if (backfill->facts_rows != NULL)
			sla_free_user_rows(backfill->facts_rows);
		sla_bulk_flush(backfill->events);
		sla_bulk_flush(backfill->log);
	}
	PopActiveSnapshot();
	CommandCounterIncrement();
	if (n > 0)
	{
		forget_unfilled(backfill);
		sla_write_columns_of_tickets(&backfill->source, keys);
	}
}

/*
 * Up to `limit` tickets that are not known yet, of those whose key comes after
 * `after` (NULL: of all).  False when there is no more.  The last key that was
 * looked at is in the context of the caller.
 */
static bool
run(Backfill *backfill, const char *name, const char *after, int64 limit)
{
	MemoryContext caller = CurrentMemoryContext;
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = name_ticket, .arg = backfill
	};
	bool		more = true;
	int64		done = 0;
	Portal		portal;
	SlaOwner	owner;

	sla_owner_enter(&owner);
	SPI_connect();
	/* The locks stay. */
	sla_store_close(sla_store_open());
	prepare(backfill, name);
	error_context_stack = &callback;
	portal = sla_ticket_keys(backfill->tickets.rows, after);
	while (more && done < limit)
	{
		MemoryContext context = MemoryContextSwitchTo(backfill->batch_context);
		int			room = (int) Min(limit - done, BATCH_TICKETS);
		const char **tickets = palloc(room * sizeof(char *));
		int			n = 0;
		uint64		fetched = 0;
		SlaReader	reader;

		show_progress(backfill);
		do
		{
			sla_reader_enter(&reader, &backfill->source, backfill->source.ticket_table);
			SPI_cursor_fetch(portal, true, room);
			sla_reader_leave(&reader);
			MemoryContextSwitchTo(backfill->batch_context);
			fetched = SPI_processed;
			for (uint64 i = 0; i < fetched; i++)
			{
				char	   *key = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);

				CHECK_FOR_INTERRUPTS();
				if (key == NULL)
					ereport(ERROR,
							(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							 errmsg("a ticket of source \"%s\" has no key", name),
							 errhint("Its key column must not be null.")));
				if (i == fetched - 1)
					backfill->last = MemoryContextStrdup(caller, key);
				if (!sla_ticket_is_known(name, key))
					tickets[n++] = key;
			}
			SPI_freetuptable(SPI_tuptable);
		} while (fetched > 0 && n == 0);
		if (n > 0)
			fill_batch(backfill, tickets, n);
		done += n;
		MemoryContextSwitchTo(context);
		MemoryContextReset(backfill->batch_context);
		more = fetched > 0;
	}
	show_progress(backfill);
	SPI_cursor_close(portal);
	finish(backfill);
	error_context_stack = callback.previous;
	SPI_finish();
	sla_owner_leave(&owner);
	return more;
}

static void
tell_left_out(const char *source, int64 n)
{
	if (n > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld ticket of source \"%s\" was left out",
							   "%lld tickets of source \"%s\" were left out",
							   (unsigned long) n, (long long) n, source),
				 errdetail("Other transactions are at work there."),
				 errhint("Call sla.backfill('%s') again when these have ended.", source)));
}

/* Not negative; NULL is the largest. */
static int64
number_of_tickets(FunctionCallInfo fcinfo, int argument, int64 otherwise, const char *name)
{
	int64		n = PG_ARGISNULL(argument) ? otherwise : PG_GETARG_INT64(argument);

	if (n <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive, not " INT64_FORMAT, name, n)));
	return n;
}

static char *
name_of_source(FunctionCallInfo fcinfo)
{
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null")));
	return text_to_cstring(PG_GETARG_TEXT_PP(0));
}

/*
 * sla.backfill(source, at_most): the number of tickets whose history was made.
 */
Datum
sla_backfill(PG_FUNCTION_ARGS)
{
	char	   *name = name_of_source(fcinfo);
	int64		limit = number_of_tickets(fcinfo, 1, PG_INT64_MAX, "at_most");
	Backfill	backfill = {0};

	(void) run(&backfill, name, NULL, limit);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	tell_left_out(name, backfill.nleft_out);
	PG_RETURN_INT64(backfill.ntickets);
}

/* The row of sla.backfill_progress. */
static void
write_progress(const char *source, const Backfill *total, TimestampTz started_at, bool finished)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TIMESTAMPTZOID, INT8OID, INT8OID, INT8OID, FLOAT4OID, TEXTOID, BOOLOID};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	SlaOwner	owner;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(source);
	values[1] = TimestampTzGetDatum(started_at);
	values[2] = Int64GetDatum(total->ntickets);
	values[3] = Int64GetDatum(total->nevents);
	values[4] = Int64GetDatum(total->nleft_out);
	values[5] = Float4GetDatum(total->about);
	values[6] = total->last != NULL ? CStringGetTextDatum(total->last) : (nulls[6] = 'n', (Datum) 0);
	values[7] = BoolGetDatum(finished);
	sla_owner_enter(&owner);
	sla_execute(&plan, "INSERT INTO sla.backfill_progress AS p (source, started_at, tickets, events, left_out, of_about, last_ticket,"
				" finished_at) VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 OPERATOR(pg_catalog.>=) 0 THEN $6::pg_catalog.int8 END, $7,"
				" CASE WHEN $8 THEN pg_catalog.clock_timestamp() END)"
				" ON CONFLICT ON CONSTRAINT backfill_progress_pkey DO UPDATE SET started_at = EXCLUDED.started_at,"
				" changed_at = pg_catalog.clock_timestamp(), tickets = EXCLUDED.tickets, events = EXCLUDED.events,"
				" left_out = EXCLUDED.left_out, of_about = EXCLUDED.of_about, last_ticket = EXCLUDED.last_ticket,"
				" finished_at = EXCLUDED.finished_at",
				lengthof(types), types, values, nulls);
	sla_owner_leave(&owner);
}

/*
 * CALL sla.backfill_in_batches(source, batch): the same, with a commit after
 * each batch of tickets.
 */
Datum
sla_backfill_in_batches(PG_FUNCTION_ARGS)
{
	MemoryContext context = AllocSetContextCreate(PortalContext, "pg_sla backfill in batches", ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	char	   *name = name_of_source(fcinfo);
	int64		batch = number_of_tickets(fcinfo, 1, BATCH_TICKETS, "batch");
	Backfill	total = {0};
	TimestampTz started_at = GetCurrentTimestamp();
	bool		more;

	if (fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) || ((CallContext *) fcinfo->context)->atomic)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("sla.backfill_in_batches cannot commit here"),
				 errhint("Call it outside of a transaction block, or use sla.backfill().")));

	do
	{
		Backfill	backfill = {
			.ntickets = total.ntickets, .nevents = total.nevents, .nleft_out = total.nleft_out, .last = total.last
		};

		CHECK_FOR_INTERRUPTS();
		SPI_connect_ext(SPI_OPT_NONATOMIC);
		MemoryContextSwitchTo(context);
		PushActiveSnapshot(GetTransactionSnapshot());
		more = run(&backfill, name, total.last, batch);
		/* Some of it was in memory that is gone by now. */
		total.ntickets = backfill.ntickets;
		total.nevents = backfill.nevents;
		total.nleft_out = backfill.nleft_out;
		total.about = backfill.about;
		total.last = backfill.last;
		write_progress(name, &total, started_at, !more);
		PopActiveSnapshot();
		SPI_commit();
		SPI_finish();
		MemoryContextSwitchTo(context);
	} while (more);
	pgstat_report_activity(STATE_RUNNING, debug_query_string);
	tell_left_out(name, total.nleft_out);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	PG_RETURN_VOID();
}
