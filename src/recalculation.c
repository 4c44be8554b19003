/*
 * recalculation.c
 *		The log anew: from its events, or by what is promised today.
 *
 * Both go over tickets in batches, replay each and make the log agree, as the
 * trigger does; they differ in what they replay and in which rows they may
 * touch.  sla.log is locked against writers meanwhile, as an edit of a calendar
 * locks it, so that no ticket has to be waited for while others are locked.
 *
 * A recalculation never changes a clock alone.  What is promised is changed in
 * the events: for open clocks by one more event, as if the ticket's row had
 * changed now; for closed ones, when that is asked for, in the events where it
 * was decided, and sla.promise_change keeps what was there.
 */
#include "pg_sla.h"

#include "access/relation.h"
#include "access/sysattr.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "clock.h"
#include "event.h"
#include "log.h"
#include "promise.h"
#include "statement.h"
#include "store.h"
#include "tracking.h"
#include "user_rows.h"

SLA_FUNCTION(sla_move_deadlines);
SLA_FUNCTION(sla_rebuild);
SLA_FUNCTION(sla_recalculate_clocks);
SLA_FUNCTION(sla_sources_with_tickets);
SLA_FUNCTION(sla_refresh_tickets);

/* Tickets whose rows are in memory at the same time. */
#define BATCH_TICKETS 1000

#define RESULT_COLUMNS 14

/* A level as it is today. */
typedef struct Today
{
	const char *name;
	struct SlaLevel *level;		/* NULL: there is none of that name any more */
	struct Today *next;
} Today;

/* A decision of an event that is replaced. */
typedef struct Replaced
{
	const char *ticket;
	TimestampTz at;
	int64		id;
	bool		decides;
	int32		promises[SLA_N_AGREEMENTS];
} Replaced;

typedef struct Work
{
	const char *source;
	bool		rebuild;
	bool		goals;
	bool		rules;
	bool		closed;
	bool		apply;			/* or only tell what would change */
	const char *reason;
	const char *changed_by;

	/* what rules and goals look at; NULL where they are not asked for */
	SlaSource	about;
	Relation	over;
	SlaTracked *tracked;
	SlaUserRows *rows;
	Today	   *levels;
	MemoryContext context;

	/* of the batch */
	List	   *replaced;
	List	   *touched;		/* tickets whose log or level was changed */
	TimestampTz decided_at;		/* of the ticket at work: from when on it is decided anew, or DT_NOEND */

	Tuplestorestate *store;
	TupleDesc	tupdesc;
	int64		nchanged;		/* rows of the log */
	const char *ticket;			/* the one at work, or NULL */
} Work;

/* ----------------------------------------------------------------
 * What comes out
 * ----------------------------------------------------------------
 */

static Datum
interval_of(const SlaLogRow *row)
{
	Interval   *goal = palloc0(sizeof(Interval));

	goal->day = row->goal_days;
	goal->time = row->goal_microseconds;
	return IntervalPGetDatum(goal);
}

/* The verdict, which an open clock that is late has already; NULL for none. */
static const char *
verdict_of(const SlaLogRow *row)
{
	if (row->outcome == SLA_OPEN && sla_row_is_missed(row, GetCurrentTimestamp()))
		return sla_outcome_name(SLA_MISSED);
	return sla_outcome_name(row->outcome);
}

/* A clock as it was and as it is now; either may be NULL. */
static void
tell(Work *work, const char *ticket, const SlaLogRow *former, const SlaLogRow *row)
{
	const SlaLogRow *key = row != NULL ? row : former;
	const SlaLogRow *sides[] = {former, row};
	Datum		values[RESULT_COLUMNS];
	bool		nulls[RESULT_COLUMNS] = {false};

	work->nchanged++;
	if (work->store == NULL)
		return;
	if (former != NULL && row != NULL && former->deadline == row->deadline && sla_same_text(former->level, row->level) &&
		former->goal_days == row->goal_days && former->goal_microseconds == row->goal_microseconds &&
		sla_same_text(verdict_of(former), verdict_of(row)))
		return;
	values[0] = CStringGetTextDatum(work->source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(sla_agreement_names[key->agreement]);
	values[3] = CStringGetTextDatum(key->metric);
	values[4] = Int32GetDatum(key->ordinal);
	nulls[5] = former == NULL;
	values[5] = former != NULL ? Int64GetDatum(former->id) : (Datum) 0;
	for (int i = 0; i < 2; i++)
	{
		const SlaLogRow *side = sides[i];

		nulls[6 + i] = nulls[8 + i] = nulls[10 + i] = side == NULL;
		values[6 + i] = side != NULL ? CStringGetTextDatum(side->level) : (Datum) 0;
		values[8 + i] = side != NULL ? interval_of(side) : (Datum) 0;
		values[10 + i] = side != NULL ? TimestampTzGetDatum(side->deadline) : (Datum) 0;
		values[12 + i] = sla_text_or_null(side != NULL ? verdict_of(side) : NULL, &nulls[12 + i]);
	}
	tuplestore_putvalues(work->store, work->tupdesc, values, nulls);
}

/* ----------------------------------------------------------------
 * A ticket
 * ----------------------------------------------------------------
 */

/* The row that goes on with the clock of a former one, which has ended for its successor's sake; or NULL. */
static SlaLogRow *
successor(const SlaLog *expected, const SlaLog *logged, const SlaLogRow *former, const SlaLogRow *row)
{
	if (former->outcome != SLA_OPEN || row->outcome == SLA_OPEN)
		return NULL;
	for (int i = 0; i < expected->nrows; i++)
	{
		SlaLogRow  *candidate = &expected->rows[i];

		if (candidate->agreement == row->agreement && candidate->cycle == row->cycle &&
			candidate->ordinal > row->ordinal && strcmp(candidate->metric, row->metric) == 0 &&
			sla_log_find(logged, candidate) == NULL)
			return candidate;
	}
	return NULL;
}

/* The ticket's columns are to be written: its log was changed, or its level, which may have no clock. */
static void
touch(Work *work, const char *ticket)
{
	MemoryContext caller;

	if (llast(work->touched) != NULL && strcmp(llast(work->touched), ticket) == 0)
		return;
	caller = MemoryContextSwitchTo(GetMemoryChunkContext(work->touched));
	work->touched = lappend(work->touched, pstrdup(ticket));
	MemoryContextSwitchTo(caller);
}

/* What had ended is left alone, but for what ended, in the future, by a decision that another of the same instant replaces. */
static bool
may_change(const Work *work, const SlaLogRow *former)
{
	return work->rebuild || work->closed || former->outcome == SLA_OPEN || former->closed_at >= work->decided_at;
}

/* Make the log of a ticket what it must be, as far as it may be touched. */
static void
write_changes(Work *work, const char *ticket, SlaLog *expected, const SlaLog *logged)
{
	bool	   *told = palloc0(expected->nrows * sizeof(bool) + 1);
	int64		before = work->nchanged;

	for (int i = 0; i < logged->nrows; i++)
	{
		const SlaLogRow *former = &logged->rows[i];

		if (sla_log_find(expected, former) != NULL || !may_change(work, former))
			continue;
		if (work->apply)
			sla_delete_log_row(work->source, ticket, former);
		tell(work, ticket, former, NULL);
	}
	for (int i = 0; i < expected->nrows; i++)
	{
		SlaLogRow  *row = &expected->rows[i];
		const SlaLogRow *former = sla_log_find(logged, row);
		SlaLogRow  *next;

		if (former == NULL)
			continue;
		if (work->rebuild)
		{
			if (sla_settle_row(row, former) == NULL)
				continue;
		}
		else
		{
			if (!work->closed)
				sla_keep_verdict(row, former);
			if (sla_log_difference(row, former) == NULL && row->elapsed == former->elapsed)
				continue;
			if (!may_change(work, former))
				continue;
		}
		if (work->apply)
			sla_update_log_row(work->source, ticket, row, former);
		/* sla.recalculate() tells of more than the deadline. */
		if (work->rebuild && row->deadline != former->deadline)
			sla_tell_deadline(work->source, ticket, former, row, "the log was rebuilt");
		next = successor(expected, logged, former, row);
		if (next != NULL)
			told[next - expected->rows] = true;
		tell(work, ticket, former, next != NULL ? next : row);
	}
	for (int i = 0; i < expected->nrows; i++)
	{
		SlaLogRow  *row = &expected->rows[i];

		if (sla_log_find(logged, row) != NULL)
			continue;
		if (work->apply)
			sla_insert_log_row(work->source, ticket, row);
		if (!told[i])
			tell(work, ticket, NULL, row);
	}
	if (work->nchanged > before)
		touch(work, ticket);
}

static bool
has_open_clock(const SlaLog *log)
{
	for (int i = 0; i < log->nrows; i++)
		if (log->rows[i].outcome == SLA_OPEN)
			return true;
	return false;
}

/* A level as it is today, by its name. */
static struct SlaLevel *
level_today(Work *work, const char *name)
{
	MemoryContext caller;
	Today	   *today;

	for (today = work->levels; today != NULL; today = today->next)
		if (strcmp(today->name, name) == 0)
			return today->level;
	caller = MemoryContextSwitchTo(work->context);
	today = palloc(sizeof(Today));
	today->name = pstrdup(name);
	today->level = sla_level_over(name, work->over);
	today->next = work->levels;
	work->levels = today;
	MemoryContextSwitchTo(caller);
	return today->level;
}

/* The promise that stands for another today; the same if its level is gone. */
static int32
promise_today(Work *work, int agreement, int32 id, TupleTableSlot *slot)
{
	const SlaPromiseRow *row = sla_promise_by_id(id);
	struct SlaLevel *level = level_today(work, row->level);
	SlaChosenLevel chosen;
	int32		today;

	if (level == NULL)
		return id;
	sla_promise_of_level(level, slot, &chosen);
	chosen.rule = row->rule ? pstrdup(row->rule) : NULL;
	today = sla_promise_id(agreement, &chosen);
	return strcmp(sla_promise_by_id(today)->content, row->content) == 0 ? id : today;
}

/* The levels that the ticket has after all that is known, with the goals of today. */
static bool
choose_goals(Work *work, const SlaHistory *history, TupleTableSlot *slot, SlaChoice *choice)
{
	bool		any = false;
	int32		promises[SLA_N_AGREEMENTS];

	memset(choice, 0, sizeof(SlaChoice));
	sla_promises_held(history, promises);
	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
	{
		const SlaPromiseRow *held;
		struct SlaLevel *level;

		if (promises[agreement] <= 0)
			continue;
		held = sla_promise_by_id(promises[agreement]);
		level = level_today(work, held->level);
		if (level == NULL)
			continue;
		sla_promise_of_level(level, slot, &choice->agreements[agreement]);
		choice->agreements[agreement].rule = held->rule ? pstrdup(held->rule) : NULL;
		any = true;
	}
	return any;
}

static void
remember_event(void *arg, SlaStoredEvent *event)
{
	/* After all others; it has its number when it is written. */
	event->id = PG_INT64_MAX;
	*(SlaStoredEvent *) arg = *event;
}

/* Decide anew for the clocks that are open, by one more event. */
static void
decide_from_now(Work *work, const char *ticket, TupleTableSlot *slot, const SlaLog *logged,
				SlaHistory *history, SlaLog *expected)
{
	SlaHistory	with = *history;
	SlaStoredEvent added;
	SlaChoice	choice;
	bool		keep_levels = true;
	bool		chosen;
	SlaNewEvent event = {
		.at = GetCurrentTransactionStartTimestamp(), .is_last = true, .choice = &choice
	};

	if (work->rules)
		chosen = sla_choose_for_row(work->tracked, work->over, ticket, slot, false, &choice, &keep_levels);
	else
		chosen = choose_goals(work, history, slot, &choice);
	event.keep_levels = keep_levels;
	with.events = palloc((history->n + 1) * sizeof(SlaStoredEvent));
	memcpy(with.events, history->events, history->n * sizeof(SlaStoredEvent));
	with.size = history->n + 1;
	if (!chosen || !sla_add_events(&with, &event, 1, remember_event, &added))
	{
		sla_replay_history(history, expected);
		return;
	}
	sla_replay_history(&with, expected);
	if (has_open_clock(expected) || has_open_clock(logged))
	{
		added = with.events[with.n - 1];
		if (work->apply)
			sla_write_event(work->source, ticket, &added);
		work->decided_at = added.at;
		touch(work, ticket);
	}
	else
		sla_replay_history(history, expected);
}

static int
compare_events(const void *a, const void *b)
{
	const SlaStoredEvent *x = a;
	const SlaStoredEvent *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Decide anew in the events in which it was decided. */
static void
decide_in_the_past(Work *work, const char *ticket, TupleTableSlot *slot, SlaHistory *history)
{
	SlaChoice	choice;
	bool		keep_levels;
	bool		chosen = false;

	if (work->rules)
	{
		if (!sla_choose_for_row(work->tracked, work->over, ticket, slot, true, &choice, &keep_levels))
			return;
		qsort(history->events, history->n, sizeof(SlaStoredEvent), compare_events);
	}
	for (int i = 0; i < history->n; i++)
	{
		SlaStoredEvent *event = &history->events[i];
		SlaStoredEvent former = *event;
		Replaced   *replaced;
		MemoryContext caller;

		if (!event->decides)
			continue;
		for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
		{
			if (!work->rules)
			{
				if (event->promises[agreement] > 0)
					event->promises[agreement] = promise_today(work, agreement, event->promises[agreement], slot);
			}
			else if (choice.agreements[agreement].level == NULL)
				event->promises[agreement] = 0;
			else
			{
				int32		id = sla_promise_id(agreement, &choice.agreements[agreement]);

				if (event->promises[agreement] <= 0 ||
					strcmp(sla_promise_by_id(id)->content, sla_promise_by_id(event->promises[agreement])->content) != 0)
					event->promises[agreement] = id;
			}
		}
		/* What rules choose now they chose from the first decision on. */
		if (work->rules && chosen)
			event->decides = false;
		chosen = true;
		if (event->decides && memcmp(former.promises, event->promises, sizeof(former.promises)) == 0)
			continue;

		caller = MemoryContextSwitchTo(GetMemoryChunkContext(work->replaced));
		replaced = palloc(sizeof(Replaced));
		replaced->ticket = pstrdup(ticket);
		replaced->at = event->at;
		replaced->id = event->id;
		replaced->decides = event->decides;
		memcpy(replaced->promises, event->promises, sizeof(replaced->promises));
		work->replaced = lappend(work->replaced, replaced);
		MemoryContextSwitchTo(caller);
		touch(work, ticket);
	}
}

/* slot is NULL where the ticket's row was not asked for or is gone. */
static void
do_ticket(Work *work, const char *ticket, TupleTableSlot *slot)
{
	SlaHistory	history;
	SlaLog		expected;
	SlaLog		logged;

	work->decided_at = DT_NOEND;
	if (work->apply)
		sla_lock_ticket(work->source, ticket, false);
	sla_read_history(work->source, ticket, NULL, &history);
	sla_read_log(work->source, ticket, NULL, &logged);
	if (slot == NULL)
		sla_replay_history(&history, &expected);
	else if (work->closed)
	{
		decide_in_the_past(work, ticket, slot, &history);
		/* What changes of level came to is decided anew as well. */
		for (int i = 0; i < history.n; i++)
			history.events[i].decide_anew = true;
		sla_replay_history(&history, &expected);
		if (work->apply)
			sla_write_decisions(work->source, ticket, &history);
	}
	else
		decide_from_now(work, ticket, slot, &logged, &history, &expected);
	write_changes(work, ticket, &expected, &logged);
}

/* ----------------------------------------------------------------
 * Batches
 * ----------------------------------------------------------------
 */

/* The decisions that were replaced, in one statement. */
static void
write_replaced(Work *work)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {
		TEXTOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID
	};
	int			n = work->apply ? list_length(work->replaced) - 1 : 0;
	Datum		values[lengthof(types)];
	Datum	   *columns[4];
	ListCell   *cell;
	int			i = 0;

	if (n == 0)
		return;
	for (int column = 0; column < 4; column++)
		columns[column] = palloc(n * sizeof(Datum));
	foreach(cell, work->replaced)
	{
		const Replaced *replaced = lfirst(cell);

		if (replaced == NULL)
			continue;
		columns[0][i] = CStringGetTextDatum(replaced->ticket);
		columns[1][i] = TimestampTzGetDatum(replaced->at);
		columns[2][i] = Int64GetDatum(replaced->id);
		columns[3][i++] = CStringGetTextDatum(replaced->decides
											  ? psprintf("{%d,%d,%d}", replaced->promises[0],
														 replaced->promises[1], replaced->promises[2])
											  : "");
	}
	values[0] = CStringGetTextDatum(work->source);
	values[1] = PointerGetDatum(construct_array(columns[0], n, TEXTOID, -1, false, TYPALIGN_INT));
	values[2] = PointerGetDatum(construct_array(columns[1], n, TIMESTAMPTZOID, sizeof(TimestampTz), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[3] = PointerGetDatum(construct_array(columns[2], n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	values[4] = PointerGetDatum(construct_array(columns[3], n, TEXTOID, -1, false, TYPALIGN_INT));
	values[5] = CStringGetTextDatum(work->reason);
	values[6] = CStringGetTextDatum(work->changed_by);
	sla_execute_newest(&plan, "WITH n AS (SELECT * FROM ROWS FROM (pg_catalog.unnest($2), pg_catalog.unnest($3),"
					   " pg_catalog.unnest($4), pg_catalog.unnest($5)) AS n (ticket, at, id, promises)),"
					   " kept AS (INSERT INTO sla.promise_change (source, ticket, event, at, former, promises, reason, changed_by)"
					   " SELECT e.source, e.ticket, e.id, e.at, e.promises, NULLIF(n.promises, '')::pg_catalog.int4[], $6, $7"
					   " FROM n JOIN sla.event AS e ON e.source OPERATOR(pg_catalog.=) $1"
					   " AND e.ticket OPERATOR(pg_catalog.=) n.ticket AND e.at OPERATOR(pg_catalog.=) n.at"
					   " AND e.id OPERATOR(pg_catalog.=) n.id)"
					   " UPDATE sla.event AS e SET promises = NULLIF(n.promises, '')::pg_catalog.int4[] FROM n"
					   " WHERE e.source OPERATOR(pg_catalog.=) $1 AND e.ticket OPERATOR(pg_catalog.=) n.ticket"
					   " AND e.at OPERATOR(pg_catalog.=) n.at AND e.id OPERATOR(pg_catalog.=) n.id",
					   lengthof(types), types, values, NULL);
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/*
 * Lock the ticket table with its partitions and children; false when one of
 * them is locked by another session and is not to be waited for.
 */
static bool
lock_ticket_table(Oid relid, LOCKMODE mode, bool wait)
{
	ListCell   *cell;

	foreach(cell, find_all_inheritors(relid, NoLock, NULL))
	{
		if (wait)
			LockRelationOid(lfirst_oid(cell), mode);
		else if (!ConditionalLockRelationOid(lfirst_oid(cell), mode))
			return false;
	}
	return true;
}

/*
 * Write the columns of tickets, but pass over those that another session has in
 * use, all of them when it has their table, and those that have no row.  One
 * that has written a ticket, or truncates the table, waits for sla.log, which we
 * hold, and must not be waited for: its trigger writes the columns when it goes
 * on, as it is told here.  What is given is the number of those left out, now
 * the first ones.
 */
static int
write_columns(const SlaSource *source, const char **tickets, int n)
{
	Relation	rel = NULL;
	SlaUserRows *rows;
	const char **locked = palloc(n * sizeof(char *) + 1);
	int			nlocked;
	int			nleft = 0;

	if (get_rel_name(source->ticket_table) == NULL)
		return 0;
	if (lock_ticket_table(source->ticket_table, RowExclusiveLock, false))
		rel = try_relation_open(source->ticket_table, NoLock);
	if (rel == NULL)
	{
		CacheInvalidateRelcacheByRelid(sla_config_relid(SLA_TABLE_CALENDAR));
		return n;
	}
	rows = sla_user_rows(rel, source, 0, source->ticket_key, NULL);
	sla_lock_user_rows(rows, sla_ticket_array(tickets, n));
	nlocked = (int) rows->n;
	for (int i = 0; i < nlocked; i++)
		locked[i] = SPI_getvalue(rows->rows->vals[i], rows->rows->tupdesc, 1);
	sla_free_user_rows(rows);
	if (nlocked > 0)
		sla_write_columns_of_tickets(source, sla_ticket_array(locked, nlocked));
	/* Some may have no row. */
	qsort(locked, nlocked, sizeof(char *), compare_names);
	for (int i = 0; i < n; i++)
		if (bsearch(&tickets[i], locked, nlocked, sizeof(char *), compare_names) == NULL)
			tickets[nleft++] = tickets[i];
	ExecDropSingleTupleTableSlot(rows->slot);
	relation_close(rel, NoLock);
	if (nleft > 0)
		CacheInvalidateRelcacheByRelid(sla_config_relid(SLA_TABLE_CALENDAR));
	return nleft;
}

/* The number of a row that was read, by the ticket's key. */
typedef struct RowNumber
{
	const char *ticket;
	uint64		row;
} RowNumber;

static int
compare_row_numbers(const void *a, const void *b)
{
	return strcmp(((const RowNumber *) a)->ticket, ((const RowNumber *) b)->ticket);
}

static void
do_batch(Work *work, const char **tickets, int n)
{
	RowNumber  *numbers = NULL;
	uint64		nrows = 0;

	MemoryContext per_ticket = AllocSetContextCreate(CurrentMemoryContext, "pg_sla ticket", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = CurrentMemoryContext;
	const char **touched;
	ListCell   *cell;
	int			ntouched = 0;

	/* A first element, so that the lists have a memory context of their own. */
	work->replaced = list_make1(NULL);
	work->touched = list_make1(NULL);
	sla_promises_refresh();
	PushActiveSnapshot(GetLatestSnapshot());
	if (work->rows != NULL)
	{
		sla_read_user_rows(work->rows, sla_ticket_array(tickets, n));
		numbers = palloc(work->rows->n * sizeof(RowNumber) + 1);
		for (uint64 i = 0; i < work->rows->n; i++)
		{
			numbers[nrows].ticket = sla_user_row(work->rows, i);
			numbers[nrows].row = i;
			if (numbers[nrows].ticket != NULL)
				nrows++;
		}
		qsort(numbers, nrows, sizeof(RowNumber), compare_row_numbers);
	}
	for (int i = 0; i < n; i++)
	{
		TupleTableSlot *slot = NULL;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(per_ticket);
		MemoryContextSwitchTo(per_ticket);
		if (nrows > 0)
		{
			RowNumber	wanted = {.ticket = tickets[i]};
			RowNumber  *found = bsearch(&wanted, numbers, nrows, sizeof(RowNumber), compare_row_numbers);

			if (found != NULL)
			{
				(void) sla_user_row(work->rows, found->row);
				slot = work->rows->slot;
			}
		}
		work->ticket = tickets[i];
		do_ticket(work, tickets[i], slot);
	}
	work->ticket = NULL;
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(per_ticket);
	if (work->rows != NULL)
		sla_free_user_rows(work->rows);
	PopActiveSnapshot();
	CommandCounterIncrement();
	write_replaced(work);

	touched = palloc(list_length(work->touched) * sizeof(char *));
	foreach(cell, work->touched)
		if (lfirst(cell) != NULL)
			touched[ntouched++] = lfirst(cell);
	if (ntouched > 0 && work->apply && work->about.name != NULL && sla_keeps_columns(&work->about))
		write_columns(&work->about, touched, ntouched);
}

/* What rules and goals are to be looked up in. */
static void
open_rows(Work *work)
{
	Bitmapset  *whole_row = bms_make_singleton(0 - FirstLowInvalidHeapAttributeNumber);
	SlaTracked *tracked;

	/* Of a source that is not tracked there are no rows in which to look them up. */
	if (!sla_read_source(work->source, &work->about))
		return;
	if (!work->goals && !work->rules)
		return;
	if (get_rel_name(work->about.ticket_table) != NULL)
		(void) lock_ticket_table(work->about.ticket_table, work->apply ? RowExclusiveLock : AccessShareLock, true);
	work->over = sla_open_facts(&work->about);
	tracked = palloc0(sizeof(SlaTracked));
	tracked->source = work->about.name;
	tracked->about = work->about;
	work->tracked = tracked;
	work->rows = sla_user_rows(work->over, &work->about, 0, work->about.ticket_key, whole_row);
}

static void
name_ticket(void *arg)
{
	const Work *work = arg;
	const char *what = work->rebuild ? "rebuild" : "recalculation";

	if (work->ticket != NULL)
		errcontext("%s of ticket \"%s\" of source \"%s\"", what, work->ticket, work->source);
	else
		errcontext("%s of source \"%s\"", what, work->source);
}

/* All tickets of the source, or those given (text[], or 0). */
static void
do_source(Work *work, Datum tickets)
{
	Oid			types[] = {TEXTOID, TEXTARRAYOID};
	Datum		values[] = {CStringGetTextDatum(work->source), tickets};
	MemoryContext caller;
	MemoryContext batch_context;
	SlaOwner	owner;
	Portal		portal;
	ErrorContextCallback callback = {
		.previous = error_context_stack, .callback = name_ticket, .arg = work
	};

	error_context_stack = &callback;
	sla_owner_enter(&owner);
	SPI_connect();
	work->context = CurrentMemoryContext;
	batch_context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla recalculation", ALLOCSET_DEFAULT_SIZES);
	/* The tickets' own table first, as a session does that writes one of them. */
	open_rows(work);
	LockRelationOid(get_relname_relid("log", get_namespace_oid(SLA_SCHEMA, false)), ShareRowExclusiveLock);
	PushActiveSnapshot(GetLatestSnapshot());
	portal = SPI_cursor_open_with_args(NULL,
									   "SELECT k.ticket FROM ("
									   "SELECT ticket FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
									   " UNION SELECT ticket FROM sla.log WHERE source OPERATOR(pg_catalog.=) $1"
									   " UNION SELECT ticket FROM sla.event WHERE source OPERATOR(pg_catalog.=) $1) AS k"
									   " WHERE $2 IS NULL OR k.ticket OPERATOR(pg_catalog.=) ANY ($2) ORDER BY 1",
									   2, types, values, tickets == (Datum) 0 ? " n" : NULL, true, 0);
	PopActiveSnapshot();
	for (;;)
	{
		const char **names;
		int			n;

		SPI_cursor_fetch(portal, true, BATCH_TICKETS);
		n = (int) SPI_processed;
		if (n == 0)
			break;
		caller = MemoryContextSwitchTo(batch_context);
		names = palloc(n * sizeof(char *));
		for (int i = 0; i < n; i++)
			names[i] = SPI_getvalue(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1);
		SPI_freetuptable(SPI_tuptable);
		do_batch(work, names, n);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(batch_context);
	}
	SPI_cursor_close(portal);
	if (work->rows != NULL)
		ExecDropSingleTupleTableSlot(work->rows->slot);
	if (work->over != NULL)
		relation_close(work->over, NoLock);
	SPI_finish();
	sla_owner_leave(&owner);
	error_context_stack = callback.previous;
}

/*
 * sla.rebuild(source, tickets): the number of rows of the log that were
 * written or deleted.
 */
Datum
sla_rebuild(PG_FUNCTION_ARGS)
{
	Work		work = {.rebuild = true, .apply = true};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null")));
	work.source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	do_source(&work, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1));
	PG_RETURN_INT64(work.nchanged);
}

/*
 * sla.sources_with_tickets(source): those that have tickets, also ones that a
 * REPEATABLE READ transaction does not see; of these only the one named, if any.
 * NULL: there is none.
 */
Datum
sla_sources_with_tickets(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {PG_GETARG_DATUM(0)};
	char		nulls[] = {PG_ARGISNULL(0) ? 'n' : ' '};
	SlaOwner	caller;
	Datum		sources;
	bool		isnull;

	sla_owner_enter(&caller);
	SPI_connect();
	sla_execute_newest(&plan, "SELECT pg_catalog.array_agg(DISTINCT source ORDER BY source) FROM sla.ticket"
					   " WHERE $1 IS NULL OR source OPERATOR(pg_catalog.=) $1", 1, types, values, nulls);
	sources = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull)
		sources = SPI_datumTransfer(sources, false, -1);
	SPI_finish();
	sla_owner_leave(&caller);
	if (isnull)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(sources);
}

/*
 * sla.recalculate_clocks(source, tickets, goals, rules, closed, apply, reason,
 * changed_by): the clocks that change.  Without apply nothing is written but
 * promises that are new, which who calls takes back.
 */
Datum
sla_recalculate_clocks(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Work		work = {0};
	MemoryContext caller;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.recalculate_clocks must be called where a set of rows can be taken")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &work.tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.recalculate_clocks must return rows");
	work.tupdesc = CreateTupleDescCopy(work.tupdesc);
	work.store = tuplestore_begin_heap(true, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = work.store;
	result->setDesc = work.tupdesc;
	MemoryContextSwitchTo(caller);

	work.source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	work.goals = PG_GETARG_BOOL(2);
	work.rules = PG_GETARG_BOOL(3);
	work.closed = PG_GETARG_BOOL(4);
	work.apply = PG_GETARG_BOOL(5);
	work.reason = text_to_cstring(PG_GETARG_TEXT_PP(6));
	work.changed_by = text_to_cstring(PG_GETARG_TEXT_PP(7));
	do_source(&work, PG_ARGISNULL(1) ? (Datum) 0 : PG_GETARG_DATUM(1));
	return (Datum) 0;
}

/*
 * sla.move_deadlines(calendars, changed_by): what the edit of calendars makes of
 * the open clocks, while sla.log is locked against writers.  The number of the
 * last row of sla.deadline_change before.
 *
 * Of all clocks there are: the snapshot of a REPEATABLE READ transaction may be
 * older than the lock, and what it does not show would keep its old deadline.
 */
Datum
sla_move_deadlines(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr last_plan = NULL;
	static SPIPlanPtr move_plan = NULL;
	static SPIPlanPtr rebuild_plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, TEXTOID, INT8OID};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), 0};
	SlaOwner	caller;
	bool		isnull;

	sla_owner_enter(&caller);
	SPI_connect();
	sla_execute_newest(&last_plan, "SELECT COALESCE(pg_catalog.max(id), 0) FROM sla.deadline_change", 0, NULL, NULL, NULL);
	values[2] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	/* By the places of the rows, which nobody else can move now.  OFFSET keeps what is computed from being computed twice. */
	sla_execute_newest(&move_plan,
					   "WITH moved AS ("
					   " UPDATE sla.log AS l SET deadline = n.deadline, elapsed = n.elapsed, computed_at = pg_catalog.clock_timestamp()"
					   " FROM ("
					   " SELECT o.ctid, o.deadline AS former, o.elapsed AS former_elapsed,"
					   " CASE WHEN o.fixed THEN o.deadline ELSE sla.clock_deadline(o.calendar, o.started_at, o.goal,"
					   " o.counted, o.running_since, NULL, o.deadline_excluded) END AS deadline,"
					   " sla.business_time(o.calendar, o.counted) AS elapsed"
					   " FROM sla.log AS o"
					   " WHERE o.calendar OPERATOR(pg_catalog.=) ANY ($1) AND o.closed_at IS NULL"
					   " AND NOT sla.clock_missed(o.deadline, o.counted, o.running_since, pg_catalog.now(), o.deadline_excluded, o.fixed)"
					   " OFFSET 0) AS n"
					   " WHERE l.ctid OPERATOR(pg_catalog.=) n.ctid"
					   " AND (n.deadline OPERATOR(pg_catalog.<>) n.former OR n.elapsed OPERATOR(pg_catalog.<>) n.former_elapsed)"
					   " RETURNING l.source, l.ticket, l.agreement, l.metric, l.ordinal, n.former, l.deadline, l.calendar)"
					   " INSERT INTO sla.deadline_change"
					   " (source, ticket, agreement, metric, ordinal, former, deadline, reason, changed_by, changed_at)"
					   " SELECT source, ticket, agreement, metric, ordinal, former, deadline,"
					   " pg_catalog.format('calendar \"%s\" was edited', calendar), $2, pg_catalog.clock_timestamp()"
					   " FROM moved WHERE deadline OPERATOR(pg_catalog.<>) former"
					   " ORDER BY source, ticket, agreement, metric, ordinal", 2, types, values, NULL);
	/*
	 * The holder of a clock is who had the ticket when the verdict fell: another
	 * one, where the ticket changed hands after the former or the new deadline, or
	 * at it where equality is not met.
	 */
	sla_execute_newest(&rebuild_plan,
					   "SELECT sla.rebuild(t.source, pg_catalog.array_agg(t.ticket ORDER BY t.ticket)) FROM ("
					   "SELECT DISTINCT d.source, d.ticket"
					   " FROM sla.deadline_change AS d JOIN sla.source AS s ON s.name OPERATOR(pg_catalog.=) d.source"
					   " WHERE d.id OPERATOR(pg_catalog.>) $3 AND EXISTS ("
					   "SELECT FROM sla.event AS e WHERE e.source OPERATOR(pg_catalog.=) d.source"
					   " AND e.ticket OPERATOR(pg_catalog.=) d.ticket AND e.of_ticket"
					   " AND e.at OPERATOR(pg_catalog.>=) LEAST(d.former, d.deadline))) AS t"
					   " GROUP BY t.source", 3, types, values, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_INT64(DatumGetInt64(values[2]));
}

/*
 * sla.refresh_tickets(source, tickets): write the columns of tickets whose
 * deadlines have moved, while sla.log is locked against writers; those that
 * were left out.
 */
Datum
sla_refresh_tickets(PG_FUNCTION_ARGS)
{
	MemoryContext context = CurrentMemoryContext;
	SlaSource	source;
	SlaOwner	caller;
	const char **tickets;
	Datum	   *keys;
	bool	   *nulls;
	Datum		left;
	int			nkeys;
	int			n = 0;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, &keys, &nulls, &nkeys);
	tickets = palloc(nkeys * sizeof(char *) + 1);
	for (int i = 0; i < nkeys; i++)
		if (!nulls[i])
			tickets[n++] = TextDatumGetCString(keys[i]);
	sla_owner_enter(&caller);
	SPI_connect();
	if (n > 0 && sla_read_source(text_to_cstring(PG_GETARG_TEXT_PP(0)), &source) && sla_keeps_columns(&source))
		n = write_columns(&source, tickets, n);
	else
		n = 0;
	MemoryContextSwitchTo(context);
	left = sla_ticket_array(tickets, n);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_DATUM(left);
}
