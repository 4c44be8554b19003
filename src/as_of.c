/*
 * as_of.c
 *		The log as it was known at the instant of the setting pg_sla.now.
 *
 * At an instant since which a source has been tracked, what had been recorded
 * by then counts, of events that had happened by then; at an earlier one, when
 * nothing was recorded yet, events count by their own time, so that imported
 * history can be walked through.  Only tickets to which something happened, or
 * was recorded, later are replayed, by the replay that writes the log;
 * of the others the log itself tells what was known.
 *
 * sla.log_now() is the union of the two.  While the setting is not set its
 * support function takes the second half out of the plan, and the condition
 * off the first, so that views over it cost nothing more than the log.
 *
 * All of it is for whoever may read sla.log, and tells nothing of rows that
 * the reader's row-level security hides.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "clock.h"
#include "now.h"
#include "promise.h"
#include "statement.h"
#include "store.h"

SLA_FUNCTION(sla_log_as_of);
SLA_FUNCTION(sla_in_log_now);
SLA_FUNCTION(sla_was_known);
SLA_FUNCTION(sla_as_of_support);

/* A set of texts that may be long: the key is a pointer to one. */
typedef struct NameEntry
{
	const char *name;
	bool		flag;
} NameEntry;

static uint32
name_hash(const void *key, Size keysize)
{
	const char *name = *(const char *const *) key;

	return string_hash(name, strlen(name) + 1);
}

static int
name_compare(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static HTAB *
make_names(MemoryContext context)
{
	HASHCTL		control = {
		.keysize = sizeof(char *),
		.entrysize = sizeof(NameEntry),
		.hash = name_hash,
		.match = name_compare,
		.hcxt = context,
	};

	return hash_create("pg_sla names", 256, &control,
					   HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* The name is copied into the table's context. */
static void
add_name(HTAB *names, MemoryContext context, const char *name, bool flag)
{
	bool		found;
	NameEntry  *entry = hash_search(names, &name, HASH_ENTER, &found);

	if (!found)
		entry->name = MemoryContextStrdup(context, name);
	entry->flag = flag;
}

static bool
has_name(HTAB *names, const char *name)
{
	return hash_search(names, &name, HASH_FIND, NULL) != NULL;
}

/* One text for a source and a ticket, whatever stands in them. */
static char *
ticket_name(const char *source, const char *ticket)
{
	return psprintf("%zu %s%s", strlen(source), source, ticket);
}

static char *
clock_name(const char *agreement, const char *metric, int ordinal, const char *source, const char *ticket)
{
	return psprintf("%s %zu %s %d %s", agreement, strlen(metric), metric, ordinal,
					ticket_name(source, ticket));
}

/* ----------------------------------------------------------------
 * What has changed since, and who may know
 * ----------------------------------------------------------------
 */

/*
 * When each source was first tracked.  One that is not tracked any more has
 * been since its first ticket.
 */
#define TRACKED_SINCE \
	"SELECT s.source, pg_catalog.min(s.since) AS since FROM (" \
	"SELECT name AS source, tracked_since AS since FROM sla.source" \
	" UNION ALL SELECT source, changed_at FROM sla.ticket) AS s GROUP BY s.source"

#define CHANGED_SINCE \
	"WITH t AS MATERIALIZED (" TRACKED_SINCE ")" \
	" SELECT e.source, e.ticket, t.since OPERATOR(pg_catalog.<=) $1" \
	" FROM sla.event AS e JOIN t ON t.source OPERATOR(pg_catalog.=) e.source" \
	" WHERE e.at OPERATOR(pg_catalog.>) $1 OR (e.recorded_at OPERATOR(pg_catalog.>) $1 AND t.since OPERATOR(pg_catalog.<=) $1)" \
	" UNION SELECT d.source, d.ticket, true" \
	" FROM sla.deadline_change AS d JOIN t ON t.source OPERATOR(pg_catalog.=) d.source" \
	" WHERE d.changed_at OPERATOR(pg_catalog.>) $1 AND t.since OPERATOR(pg_catalog.<=) $1"

/* Rows fetched at a time. */
#define AS_OF_BATCH 1000

/*
 * May the current user read sla.log at all?  An error when not.  True when row
 * security hides rows.
 */
static bool
reader_is_limited(void)
{
	Oid			log = sla_log_relid();

	if (pg_class_aclcheck(log, GetUserId(), ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, "log");
	return check_enable_rls(log, InvalidOid, true) == RLS_ENABLED;
}

typedef void (*RowTaker) (void *arg, HeapTuple tuple, TupleDesc tupdesc);

/* Give the rows of a query to a function, within SPI; its memory goes after each. */
static void
for_each_row(const char *query, int nargs, Oid *types, Datum *values, RowTaker take, void *arg)
{
	Portal		portal = SPI_cursor_open_with_args(NULL, query, nargs, types, values, NULL, true, 0);
	MemoryContext each = AllocSetContextCreate(CurrentMemoryContext, "pg_sla row", ALLOCSET_DEFAULT_SIZES);

	for (;;)
	{
		SPITupleTable *batch;
		uint64		n;

		SPI_cursor_fetch(portal, true, AS_OF_BATCH);
		batch = SPI_tuptable;
		n = SPI_processed;
		if (n == 0)
			break;
		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(each);

			CHECK_FOR_INTERRUPTS();
			take(arg, batch->vals[i], batch->tupdesc);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(each);
		}
		SPI_freetuptable(batch);
	}
	SPI_cursor_close(portal);
	MemoryContextDelete(each);
}

typedef struct NameTaker
{
	HTAB	   *names;
	MemoryContext context;
	HTAB	   *only;			/* those in it, unless NULL */
} NameTaker;

static void
take_clock(void *arg, HeapTuple tuple, TupleDesc tupdesc)
{
	NameTaker  *taker = arg;

	add_name(taker->names, taker->context,
			 clock_name(SPI_getvalue(tuple, tupdesc, 3), SPI_getvalue(tuple, tupdesc, 4),
						atoi(SPI_getvalue(tuple, tupdesc, 5)),
						SPI_getvalue(tuple, tupdesc, 1), SPI_getvalue(tuple, tupdesc, 2)), false);
}

static void
take_ticket(void *arg, HeapTuple tuple, TupleDesc tupdesc)
{
	NameTaker  *taker = arg;
	char	   *name = ticket_name(SPI_getvalue(tuple, tupdesc, 1), SPI_getvalue(tuple, tupdesc, 2));

	if (taker->only == NULL || has_name(taker->only, name))
		add_name(taker->names, taker->context, name, false);
}

/* ----------------------------------------------------------------
 * Replay
 * ----------------------------------------------------------------
 */

typedef struct AsOf
{
	TimestampTz instant;
	Tuplestorestate *store;
	TupleDesc	tupdesc;
	HTAB	   *visible;		/* clocks that the reader may see; NULL: all */
} AsOf;

/*
 * Have the events decide what they had decided by an instant: a recalculation of
 * closed clocks has replaced that since, and keeps what was there.
 */
static void
undo_recalculations(const char *source, const char *ticket, TimestampTz instant, SlaHistory *history)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		CStringGetTextDatum(source), CStringGetTextDatum(ticket), TimestampTzGetDatum(instant)
	};

	sla_read(&plan, "SELECT DISTINCT ON (event) event, former[1], former[2], former[3] FROM sla.promise_change"
			 " WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2"
			 " AND changed_at OPERATOR(pg_catalog.>) $3 ORDER BY event, id",
			 lengthof(types), types, values, NULL);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		bool		isnull;
		int64		id = DatumGetInt64(SPI_getbinval(tuple, SPI_tuptable->tupdesc, 1, &isnull));

		for (int j = 0; j < history->n; j++)
		{
			SlaStoredEvent *event = &history->events[j];

			/* What changes of level came to was decided anew as well. */
			event->decide_anew = true;
			for (int k = 0; event->id == id && k < SLA_N_AGREEMENTS; k++)
			{
				Datum		promise = SPI_getbinval(tuple, SPI_tuptable->tupdesc, 2 + k, &isnull);

				event->decides = !isnull;
				event->promises[k] = isnull ? -1 : DatumGetInt32(promise);
			}
		}
	}
	SPI_freetuptable(SPI_tuptable);
}

/*
 * Leave in a history what counts at an instant: what had happened by then, and
 * if by_recording, had been recorded.  Nothing happens to a ticket before its
 * birth.
 */
static void
history_until(SlaHistory *history, TimestampTz instant, bool by_recording)
{
	const SlaMetrics *metrics = sla_metrics_now();
	const char *birth = metrics->core.birth >= 0 ? metrics->events[metrics->core.birth] : NULL;
	TimestampTz born = DT_NOBEGIN;
	TimestampTz unknown = DT_NOEND;
	bool		has_birth = false;
	int			n = 0;

	for (int i = 0; i < history->n && birth != NULL; i++)
	{
		const SlaStoredEvent *event = &history->events[i];

		if (strcmp(event->event, birth) == 0 && (!by_recording || event->recorded_at <= instant) &&
			(!has_birth || event->at < born))
		{
			born = event->at;
			has_birth = true;
		}
	}
	for (int i = 0; i < history->n; i++)
	{
		const SlaStoredEvent *event = &history->events[i];

		if (by_recording && event->recorded_at > instant)
			unknown = Min(unknown, event->at);
		else if (Max(event->at, born) <= instant)
			history->events[n++] = *event;
	}
	history->n = n;
	/* What came later to be known of before has changed what changes of level came to. */
	for (int i = 0; i < n; i++)
		if (history->events[i].at >= unknown)
			history->events[i].decide_anew = true;
}

/*
 * The deadline of a clock before the first change of it after the instant, if
 * there was one.
 */
static bool
former_deadline(const char *source, const char *ticket, const SlaLogRow *row,
				TimestampTz instant, TimestampTz *deadline)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID};
	Datum		values[lengthof(types)];
	bool		isnull;
	bool		found;

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(sla_agreement_names[row->agreement]);
	values[3] = CStringGetTextDatum(row->metric);
	values[4] = Int32GetDatum(row->ordinal);
	values[5] = TimestampTzGetDatum(instant);
	sla_read(&plan, "SELECT former FROM sla.deadline_change WHERE source OPERATOR(pg_catalog.=) $1"
			 " AND ticket OPERATOR(pg_catalog.=) $2 AND agreement OPERATOR(pg_catalog.=) $3"
			 " AND metric OPERATOR(pg_catalog.=) $4 AND ordinal OPERATOR(pg_catalog.=) $5"
			 " AND changed_at OPERATOR(pg_catalog.>) $6 ORDER BY id LIMIT 1",
			 lengthof(types), types, values, NULL);
	found = SPI_processed > 0;
	if (found)
		*deadline = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return found;
}

static void
emit(AsOf *to, const char *source, const char *ticket, const SlaLogRow *row)
{
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];

	if (to->visible != NULL &&
		!has_name(to->visible, clock_name(sla_agreement_names[row->agreement], row->metric,
										  row->ordinal, source, ticket)))
		return;
	sla_log_values(row->id, source, ticket, row, values, nulls);
	nulls[LOG_ID] = row->id == 0;
	tuplestore_putvalues(to->store, to->tupdesc, values, nulls);
}

/*
 * The rows that a ticket had, by what it had been promised.  By the calendars as
 * they are: where one has been edited since, a clock keeps the deadline that the
 * log has, or that it had before the trail says it was moved, unless it was
 * paused later.
 */
static void
take_changed(void *arg, HeapTuple tuple, TupleDesc tupdesc)
{
	AsOf	   *to = arg;
	const char *source = SPI_getvalue(tuple, tupdesc, 1);
	const char *ticket = SPI_getvalue(tuple, tupdesc, 2);
	bool		isnull;
	bool		by_recording = DatumGetBool(SPI_getbinval(tuple, tupdesc, 3, &isnull));
	Snapshot	snapshot = GetActiveSnapshot();
	SlaHistory	all;
	SlaHistory	then;
	SlaLog		by_all;
	SlaLog		by_then;
	SlaLog		logged;

	sla_promises_refresh();
	sla_read_history(source, ticket, snapshot, &all);
	if (by_recording)
		undo_recalculations(source, ticket, to->instant, &all);
	then = all;
	then.events = palloc(all.n * sizeof(SlaStoredEvent) + 1);
	memcpy(then.events, all.events, all.n * sizeof(SlaStoredEvent));
	history_until(&then, to->instant, by_recording);
	sla_replay_history(&then, &by_then);
	if (by_then.nrows == 0)
		return;
	sla_replay_history(&all, &by_all);
	sla_read_log(source, ticket, snapshot, &logged);

	for (int i = 0; i < by_then.nrows; i++)
	{
		SlaLogRow  *row = &by_then.rows[i];
		const SlaLogRow *now = sla_log_find(&by_all, row);
		const SlaLogRow *kept = sla_log_find(&logged, row);

		if (kept != NULL)
		{
			row->id = kept->id;
			if (now != NULL && now->deadline == row->deadline)
			{
				TimestampTz replayed = row->deadline;
				TimestampTz former;

				if (by_recording && former_deadline(source, ticket, row, to->instant, &former))
					row->deadline = former;
				else if (sla_same_text(row->level, kept->level) && row->goal_days == kept->goal_days &&
						 row->goal_microseconds == kept->goal_microseconds)
					row->deadline = kept->deadline;
				if (row->outcome != SLA_OPEN && kept->outcome != SLA_OPEN && row->closed_at == kept->closed_at &&
					row->deadline == kept->deadline)
					row->outcome = kept->outcome;
				else if (row->outcome == SLA_MET || row->outcome == SLA_MISSED)
					row->outcome = sla_row_is_missed(row, row->closed_at) ? SLA_MISSED : SLA_MET;
				if (row->deadline != replayed)
					sla_row_held(row);
			}
			if (sla_same_text(row->calendar, kept->calendar) && sla_same_counted(row, kept))
				row->elapsed = kept->elapsed;
		}
		emit(to, source, ticket, row);
	}
}

/*
 * sla.log_as_of() RETURNS SETOF sla.log
 *
 * The rows of the tickets that have changed since pg_sla.now, as they were
 * then; none when it is not set.
 */
Datum
sla_log_as_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[] = {TIMESTAMPTZOID};
	MemoryContext caller;
	SlaOwner	owner;
	AsOf		to = {0};
	Datum		instant;
	bool		limited;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.log_as_of must be called where a set of rows can be taken")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &to.tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.log_as_of must return rows");
	to.tupdesc = CreateTupleDescCopy(to.tupdesc);
	to.store = tuplestore_begin_heap((result->allowedModes & SFRM_Materialize_Random) != 0, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = to.store;
	result->setDesc = to.tupdesc;
	MemoryContextSwitchTo(caller);

	limited = reader_is_limited();
	if (!sla_now_is_set(&to.instant))
		return (Datum) 0;
	if (to.tupdesc->natts != LOG_COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" is not of this version of pg_sla", SLA_SCHEMA, "log"),
				 errhint("Run ALTER EXTENSION pg_sla UPDATE, and leave the columns of its tables alone.")));

	SPI_connect();
	if (limited)
	{
		NameTaker	taker = {.names = make_names(CurrentMemoryContext), .context = CurrentMemoryContext};

		for_each_row("SELECT source, ticket, agreement, metric, ordinal FROM sla.log", 0, NULL, NULL,
					 take_clock, &taker);
		to.visible = taker.names;
	}
	sla_owner_enter(&owner);
	instant = TimestampTzGetDatum(to.instant);
	for_each_row(CHANGED_SINCE, 1, types, &instant, take_changed, &to);
	sla_owner_leave(&owner);
	SPI_finish();
	return (Datum) 0;
}

/*
 * sla.in_log_now(replayed boolean, source text, ticket text) RETURNS boolean
 *
 * Does a row of sla.log_as_of (replayed), or of sla.log, count now?  The latter
 * unless its ticket is among the former.
 */
Datum
sla_in_log_now(PG_FUNCTION_ARGS)
{
	NameTaker  *changed = fcinfo->flinfo->fn_extra;
	TimestampTz instant;
	char	   *name;
	bool		result;

	if (!sla_now_is_set(&instant))
		PG_RETURN_BOOL(!PG_GETARG_BOOL(0));
	if (PG_GETARG_BOOL(0))
		PG_RETURN_BOOL(true);

	if (changed == NULL)
	{
		MemoryContext context = fcinfo->flinfo->fn_mcxt;
		Oid			types[] = {TIMESTAMPTZOID};
		Datum		value = TimestampTzGetDatum(instant);
		bool		limited = reader_is_limited();
		SlaOwner	owner;

		changed = MemoryContextAllocZero(context, sizeof(NameTaker));
		changed->names = make_names(context);
		changed->context = context;
		SPI_connect();
		if (limited)
		{
			/* Of tickets that are hidden nothing is told. */
			NameTaker	visible = {.names = make_names(CurrentMemoryContext), .context = CurrentMemoryContext};

			for_each_row("SELECT DISTINCT source, ticket FROM sla.log", 0, NULL, NULL, take_ticket, &visible);
			changed->only = visible.names;
		}
		sla_owner_enter(&owner);
		for_each_row(CHANGED_SINCE, 1, types, &value, take_ticket, changed);
		sla_owner_leave(&owner);
		SPI_finish();
		changed->only = NULL;
		fcinfo->flinfo->fn_extra = changed;
	}
	name = ticket_name(text_to_cstring(PG_GETARG_TEXT_PP(1)), text_to_cstring(PG_GETARG_TEXT_PP(2)));
	result = !has_name(changed->names, name);
	pfree(name);
	PG_RETURN_BOOL(result);
}

static void
take_source(void *arg, HeapTuple tuple, TupleDesc tupdesc)
{
	NameTaker  *taker = arg;
	bool		isnull;

	add_name(taker->names, taker->context, SPI_getvalue(tuple, tupdesc, 1),
			 DatumGetBool(SPI_getbinval(tuple, tupdesc, 2, &isnull)));
}

/*
 * sla.was_known(source text, recorded_at timestamptz) RETURNS boolean
 *
 * Does what was recorded then count now?  Yes unless pg_sla.now is an earlier
 * moment since which the source has been tracked.
 */
Datum
sla_was_known(PG_FUNCTION_ARGS)
{
	NameTaker  *sources = fcinfo->flinfo->fn_extra;
	const NameEntry *entry;
	TimestampTz instant;
	char	   *source;

	if (!sla_now_is_set(&instant) || PG_GETARG_TIMESTAMPTZ(1) <= instant)
		PG_RETURN_BOOL(true);
	if (sources == NULL)
	{
		MemoryContext context = fcinfo->flinfo->fn_mcxt;
		Oid			types[] = {TIMESTAMPTZOID};
		Datum		value = TimestampTzGetDatum(instant);
		SlaOwner	owner;

		(void) reader_is_limited();
		sources = MemoryContextAllocZero(context, sizeof(NameTaker));
		sources->names = make_names(context);
		sources->context = context;
		SPI_connect();
		sla_owner_enter(&owner);
		for_each_row("SELECT t.source, t.since OPERATOR(pg_catalog.<=) $1 FROM (" TRACKED_SINCE ") AS t",
					 1, types, &value, take_source, sources);
		sla_owner_leave(&owner);
		SPI_finish();
		fcinfo->flinfo->fn_extra = sources;
	}
	source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	entry = hash_search(sources->names, &source, HASH_FIND, NULL);
	PG_RETURN_BOOL(entry == NULL || !entry->flag);
}

/* ----------------------------------------------------------------
 * Planning
 * ----------------------------------------------------------------
 */

/*
 * While pg_sla.now is not set, all is known, every row of the log counts and
 * none is replayed.  Setting it has plans made anew (see now.c).
 */
static Node *
simplify(SupportRequestSimplify *request)
{
	TimestampTz instant;
	Node	   *replayed;

	if (sla_now_is_set(&instant))
		return NULL;
	if (list_length(request->fcall->args) == 2)
		return makeBoolConst(true, false);

	replayed = linitial(request->fcall->args);
	if (IsA(replayed, PlaceHolderVar))
		replayed = (Node *) ((PlaceHolderVar *) replayed)->phexpr;
	if (!IsA(replayed, Const) || ((Const *) replayed)->constisnull)
		return NULL;
	return makeBoolConst(!DatumGetBool(((Const *) replayed)->constvalue), false);
}

/*
 * sla.as_of_support(internal) RETURNS internal
 */
Datum
sla_as_of_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	Node	   *answer = NULL;

	if (IsA(request, SupportRequestSimplify))
		answer = simplify((SupportRequestSimplify *) request);
	else if (IsA(request, SupportRequestSelectivity))
	{
		/* Few tickets have changed since. */
		((SupportRequestSelectivity *) request)->selectivity = 1.0;
		answer = request;
	}
	PG_RETURN_POINTER(answer);
}
