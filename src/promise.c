/*
 * promise.c
 *		Metrics and promises, kept per backend.
 *
 * A promise is what a level meant when a ticket was given it: calendar and
 * goals.  Its row never changes, so that what is kept here by id stays right
 * whatever other sessions do; it is dropped with the generation only because
 * the extension may have been dropped and made anew.
 */
#include "pg_sla.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "promise.h"
#include "statement.h"

static MemoryContext promise_context = NULL;	/* rows and names, by generation */
static HTAB *rows_by_id = NULL;
static HTAB *ids_by_content = NULL;
static uint64 promise_generation = 0;

static MemoryContext metrics_context = NULL;
static SlaMetrics *current_metrics = NULL;
static uint64 metrics_generation = 0;

typedef struct RowEntry
{
	int32		id;
	SlaPromiseRow *row;
} RowEntry;

typedef struct ContentEntry
{
	const char *content;
	int32		id;
	TransactionId added_by;		/* invalid once it is known to stay */
} ContentEntry;

/* ----------------------------------------------------------------
 * Metrics
 * ----------------------------------------------------------------
 */

/* Events that begin a state, and what ends it. */
static const char *const state_events[][2] = {
	{"paused", "resumed"},
	{"resumed", "paused"},
	{"resolved", "reopened"},
	{"reopened", "resolved"},
	{"deleted", "undeleted"},
	{"undeleted", "deleted"},
	{"merged", "unmerged"},
	{"unmerged", "merged"},
};

const char *
sla_opposite_event(const char *event)
{
	for (int i = 0; i < (int) lengthof(state_events); i++)
		if (strcmp(state_events[i][0], event) == 0)
			return state_events[i][1];
	return NULL;
}

int
sla_metric_number(const SlaMetrics *metrics, const char *name)
{
	for (int i = 0; i < metrics->core.nmetrics; i++)
		if (strcmp(metrics->metrics[i], name) == 0)
			return i;
	return -1;
}

int
sla_event_number(const SlaMetrics *metrics, const char *name)
{
	for (int i = 0; i < metrics->core.nevents; i++)
		if (strcmp(metrics->events[i], name) == 0)
			return i;
	return -1;
}

/* The elements of a text array; none for NULL. */
static List *
names_of(Datum value, bool isnull)
{
	List	   *names = NIL;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	if (isnull)
		return NIL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT,
					  &elements, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			names = lappend(names, TextDatumGetCString(elements[i]));
	return names;
}

/* The number of an event, a new one if it has none. */
static int
intern_event(SlaMetrics *metrics, const char *name)
{
	int			number = sla_event_number(metrics, name);

	if (number < 0)
	{
		number = metrics->core.nevents++;
		if (metrics->events == NULL)
			metrics->events = palloc(8 * sizeof(char *));
		else if (number >= 8 && (number & (number - 1)) == 0)
			metrics->events = repalloc(metrics->events, 2 * number * sizeof(char *));
		metrics->events[number] = pstrdup(name);
	}
	return number;
}

static sla_on_reopen
on_reopen_of(const char *name)
{
	if (strcmp(name, "resume") == 0)
		return SLA_REOPEN_RESUME;
	if (strcmp(name, "new_cycle") == 0)
		return SLA_REOPEN_NEW_CYCLE;
	if (strcmp(name, "total") == 0)
		return SLA_REOPEN_TOTAL;
	return SLA_REOPEN_FIRST_IS_FINAL;
}

static const char *const on_change_names[] = {
	[SLA_CHANGE_RETROACTIVE] = "retroactive",
	[SLA_CHANGE_FORWARD] = "forward",
	[SLA_CHANGE_RESET] = "reset",
	[SLA_CHANGE_KEEP_STRICTER] = "keep_stricter",
	[SLA_CHANGE_KEEP] = "keep"
};

/* Reads sla.metric; within SPI, in the context that shall own the result. */
static SlaMetrics *
load_metrics(MemoryContext context)
{
	static const uint8 role_bits[] = {
		SLA_STARTS, SLA_STOPS, SLA_PAUSES, SLA_RESUMES, SLA_CANCELS, SLA_REOPENS,
		SLA_PREVENTS, SLA_RESTORES
	};
	static SPIPlanPtr plan = NULL;
	SlaMetrics *metrics;
	sla_metric *definitions;
	uint8	   *roles;
	int		   *opposites;
	int			n;
	MemoryContext caller;

	sla_read_newest(&plan,
					"SELECT name, starts_on, stops_on, pauses_on, resumes_on, cancels_on, reopens_on,"
					" prevented_by, restores_on, blocked_by, repeats, on_reopen, reopen_grace,"
					" equality_is_met FROM sla.metric"
					" ORDER BY COALESCE(pg_catalog.cardinality(blocked_by), 0) OPERATOR(pg_catalog.>) 0,"
					" name COLLATE pg_catalog.\"C\"", 0, NULL, NULL);

	caller = MemoryContextSwitchTo(context);
	n = (int) SPI_processed;
	metrics = palloc0(sizeof(SlaMetrics));
	metrics->core.nmetrics = n;
	metrics->metrics = palloc0(n * sizeof(char *) + 1);
	definitions = palloc0(n * sizeof(sla_metric) + 1);

	for (int i = 0; i < n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	tupdesc = SPI_tuptable->tupdesc;
		bool		isnull;
		Interval   *grace;

		metrics->metrics[i] = pstrdup(SPI_getvalue(tuple, tupdesc, 1));
		definitions[i].repeats = DatumGetBool(SPI_getbinval(tuple, tupdesc, 11, &isnull));
		definitions[i].on_reopen = on_reopen_of(SPI_getvalue(tuple, tupdesc, 12));
		/* Real time: its days have 24 hours, and months are refused. */
		grace = DatumGetIntervalP(SPI_getbinval(tuple, tupdesc, 13, &isnull));
		definitions[i].reopen_grace = grace->day * USECS_PER_DAY + grace->time;
		definitions[i].strict = !DatumGetBool(SPI_getbinval(tuple, tupdesc, 14, &isnull));
	}

	/* All events first: how many there are shapes the table of roles. */
	for (int i = 0; i < (int) lengthof(state_events); i++)
		intern_event(metrics, state_events[i][0]);
	for (int i = 0; i < n; i++)
		for (int column = 0; column < (int) lengthof(role_bits); column++)
		{
			bool		isnull;
			Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2 + column, &isnull);
			ListCell   *cell;

			foreach(cell, names_of(value, isnull))
				intern_event(metrics, lfirst(cell));
		}

	roles = palloc0(n * metrics->core.nevents + 1);
	opposites = palloc(metrics->core.nevents * sizeof(int));
	for (int event = 0; event < metrics->core.nevents; event++)
	{
		const char *opposite = sla_opposite_event(metrics->events[event]);

		opposites[event] = opposite ? sla_event_number(metrics, opposite) : -1;
	}
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		value;
		ListCell   *cell;
		bool	   *blocked_by;

		for (int column = 0; column < (int) lengthof(role_bits); column++)
		{
			value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 2 + column, &isnull);
			foreach(cell, names_of(value, isnull))
				roles[i * metrics->core.nevents + sla_event_number(metrics, lfirst(cell))] |= role_bits[column];
		}
		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 10, &isnull);
		blocked_by = palloc0(n * sizeof(bool));
		foreach(cell, names_of(value, isnull))
		{
			int			blocker = sla_metric_number(metrics, lfirst(cell));

			if (blocker >= 0)
				blocked_by[blocker] = true;
		}
		definitions[i].blocked_by = blocked_by;
	}
	metrics->core.metrics = definitions;
	metrics->core.roles = roles;
	metrics->core.opposite = opposites;
	metrics->core.birth = sla_event_number(metrics, "created");
	metrics->core.death = sla_event_number(metrics, "deleted");
	MemoryContextSwitchTo(caller);
	return metrics;
}

const SlaMetrics *
sla_metrics_now(void)
{
	uint64		generation = sla_rule_generation;
	MemoryContext context;
	SlaMetrics *metrics;

	if (current_metrics != NULL && metrics_generation == generation)
		return current_metrics;

	/* Built aside, so that an error leaves what there was. */
	sla_config_relid(SLA_TABLE_METRIC);
	generation = sla_rule_generation;
	context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla metrics", ALLOCSET_SMALL_SIZES);
	SPI_connect();
	metrics = load_metrics(context);
	SPI_finish();

	if (metrics_context != NULL)
		MemoryContextDelete(metrics_context);
	MemoryContextSetParent(context, CacheMemoryContext);
	metrics_context = context;
	current_metrics = metrics;
	metrics_generation = generation;
	return metrics;
}

/* ----------------------------------------------------------------
 * Promises
 * ----------------------------------------------------------------
 */

static uint32
content_hash(const void *key, Size keysize)
{
	const char *content = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) content, strlen(content)));
}

static int
content_match(const void *a, const void *b, Size keysize)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

void
sla_promises_refresh(void)
{
	HASHCTL		control;

	if (promise_context != NULL && promise_generation == sla_rule_generation)
		return;
	if (promise_context != NULL)
	{
		MemoryContextDelete(promise_context);
		promise_context = NULL;
		rows_by_id = NULL;
		ids_by_content = NULL;
	}
	promise_generation = sla_rule_generation;
	promise_context = AllocSetContextCreate(CacheMemoryContext, "pg_sla promises", ALLOCSET_SMALL_SIZES);

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(int32);
	control.entrysize = sizeof(RowEntry);
	control.hcxt = promise_context;
	rows_by_id = hash_create("pg_sla promises by id", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);

	memset(&control, 0, sizeof(control));
	control.keysize = sizeof(char *);
	control.entrysize = sizeof(ContentEntry);
	control.hcxt = promise_context;
	control.hash = content_hash;
	control.match = content_match;
	ids_by_content = hash_create("pg_sla promises by content", 64, &control,
								 HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
}

/* A text that is equal exactly for promises that say the same. */
static char *
content_of(int agreement, const char *level, const char *calendar, sla_on_change on_change,
		   const SlaGoal *goals, int ngoals)
{
	StringInfoData content;

	initStringInfo(&content);
	/* Lengths first, so that no name can imitate another's bounds. */
	appendStringInfo(&content, "%d %zu:%s %zu:%s %d", agreement, strlen(level), level,
					 strlen(calendar), calendar, on_change);
	for (int i = 0; i < ngoals; i++)
		appendStringInfo(&content, " %zu:%s=%d+" INT64_FORMAT, strlen(goals[i].metric), goals[i].metric,
						 goals[i].days, goals[i].microseconds);
	return content.data;
}

static int
compare_goals(const void *a, const void *b)
{
	return strcmp(((const SlaGoal *) a)->metric, ((const SlaGoal *) b)->metric);
}

static int
agreement_number(const char *name)
{
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		if (strcmp(sla_agreement_names[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unknown agreement \"%s\" in sla.promise", name)));
	return 0;
}

static sla_on_change
on_change_of(const char *name)
{
	for (int i = 0; i < (int) lengthof(on_change_names); i++)
		if (strcmp(on_change_names[i], name) == 0)
			return (sla_on_change) i;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unexpected on_change \"%s\"", name)));
	return SLA_CHANGE_RETROACTIVE;
}

const SlaPromiseRow *
sla_promise_by_id(int32 id)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {INT4OID};
	Datum		values[] = {Int32GetDatum(id)};
	RowEntry   *entry;
	SlaPromiseRow *row;
	MemoryContext caller;
	TupleDesc	tupdesc;
	HeapTuple	tuple;
	Datum	   *metrics;
	Datum	   *days;
	Datum	   *microseconds;
	int			nmetrics;
	int			ndays;
	int			nmicroseconds;
	bool		isnull;

	entry = hash_search(rows_by_id, &id, HASH_FIND, NULL);
	if (entry != NULL)
		return entry->row;

	caller = CurrentMemoryContext;
	SPI_connect();
	/* An event of another session may refer to what our snapshot does not show. */
	sla_execute_newest(&plan, "SELECT agreement, level, calendar, metrics, days, microseconds, on_change, rule"
					   " FROM sla.promise WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("there is no promise %d in sla.promise", id),
				 errdetail("An event refers to it; its row must have been deleted.")));

	tuple = SPI_tuptable->vals[0];
	tupdesc = SPI_tuptable->tupdesc;
	MemoryContextSwitchTo(promise_context);
	row = palloc0(sizeof(SlaPromiseRow));
	row->id = id;
	row->agreement = agreement_number(SPI_getvalue(tuple, tupdesc, 1));
	row->level = TextDatumGetCString(SPI_getbinval(tuple, tupdesc, 2, &isnull));
	row->calendar = DatumGetTextPCopy(SPI_getbinval(tuple, tupdesc, 3, &isnull));
	deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, tupdesc, 4, &isnull)),
					  TEXTOID, -1, false, TYPALIGN_INT, &metrics, NULL, &nmetrics);
	deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, tupdesc, 5, &isnull)),
					  INT4OID, sizeof(int32), true, TYPALIGN_INT, &days, NULL, &ndays);
	deconstruct_array(DatumGetArrayTypeP(SPI_getbinval(tuple, tupdesc, 6, &isnull)),
					  INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &microseconds, NULL, &nmicroseconds);
	row->ngoals = nmetrics;
	row->goals = palloc(nmetrics * sizeof(SlaGoal) + 1);
	for (int i = 0; i < nmetrics; i++)
	{
		row->goals[i].metric = TextDatumGetCString(metrics[i]);
		row->goals[i].days = DatumGetInt32(days[i]);
		row->goals[i].microseconds = DatumGetInt64(microseconds[i]);
	}
	row->on_change = on_change_of(SPI_getvalue(tuple, tupdesc, 7));
	if (SPI_getvalue(tuple, tupdesc, 8) != NULL)
		row->rule = pstrdup(SPI_getvalue(tuple, tupdesc, 8));
	row->content = content_of(row->agreement, row->level, text_to_cstring(row->calendar),
							  row->on_change, row->goals, row->ngoals);
	entry = hash_search(rows_by_id, &id, HASH_ENTER, NULL);
	entry->row = row;
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return row;
}

int32
sla_promise_id(int agreement, const SlaChosenLevel *chosen)
{
	static SPIPlanPtr find = NULL;
	static SPIPlanPtr add = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, TEXTOID, TEXTOID};
	int			ngoals = chosen->npromises;
	SlaGoal    *goals = palloc(ngoals * sizeof(SlaGoal) + 1);
	Datum	   *metrics = palloc(ngoals * sizeof(Datum) + 1);
	Datum	   *days = palloc(ngoals * sizeof(Datum) + 1);
	Datum	   *microseconds = palloc(ngoals * sizeof(Datum) + 1);
	Datum		values[lengthof(types)];
	char		nulls[] = "        ";
	ContentEntry *entry;
	char	   *content;
	int32		id;
	TransactionId added_by;
	bool		isnull;

	for (int i = 0; i < ngoals; i++)
	{
		goals[i].metric = chosen->promises[i].metric;
		goals[i].days = chosen->promises[i].goal.day;
		goals[i].microseconds = chosen->promises[i].goal.time;
	}
	qsort(goals, ngoals, sizeof(SlaGoal), compare_goals);
	content = content_of(agreement, chosen->level, chosen->calendar,
						 on_change_of(chosen->on_change), goals, ngoals);
	/* Who promised it is no part of what was: it tells the ids apart, and nothing else. */
	if (chosen->rule != NULL)
		content = psprintf("%s by %s", content, chosen->rule);

	entry = hash_search(ids_by_content, &content, HASH_FIND, NULL);
	if (entry != NULL &&
		(!TransactionIdIsValid(entry->added_by) || TransactionIdIsCurrentTransactionId(entry->added_by)))
		return entry->id;

	for (int i = 0; i < ngoals; i++)
	{
		metrics[i] = CStringGetTextDatum(goals[i].metric);
		days[i] = Int32GetDatum(goals[i].days);
		microseconds[i] = Int64GetDatum(goals[i].microseconds);
	}
	values[0] = CStringGetTextDatum(sla_agreement_names[agreement]);
	values[1] = CStringGetTextDatum(chosen->level);
	values[2] = CStringGetTextDatum(chosen->calendar);
	values[3] = PointerGetDatum(construct_array(metrics, ngoals, TEXTOID, -1, false, TYPALIGN_INT));
	values[4] = PointerGetDatum(construct_array(days, ngoals, INT4OID, sizeof(int32), true, TYPALIGN_INT));
	values[6] = CStringGetTextDatum(chosen->on_change);
	values[5] = PointerGetDatum(construct_array(microseconds, ngoals, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));

	if (chosen->rule != NULL)
		values[7] = CStringGetTextDatum(chosen->rule);
	else
		nulls[7] = 'n';

	SPI_connect();
	sla_execute(&find,
				"SELECT id, xmin FROM sla.promise WHERE agreement OPERATOR(pg_catalog.=) $1"
			  " AND level OPERATOR(pg_catalog.=) $2 AND calendar OPERATOR(pg_catalog.=) $3"
			  " AND metrics OPERATOR(pg_catalog.=) $4 AND days OPERATOR(pg_catalog.=) $5"
			  " AND microseconds OPERATOR(pg_catalog.=) $6 AND on_change OPERATOR(pg_catalog.=) $7"
			  " AND rule IS NOT DISTINCT FROM $8"
			  " ORDER BY id", lengthof(types), types, values, nulls);
	if (SPI_processed > 0)
	{
		id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		added_by = DatumGetTransactionId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
		if (!TransactionIdIsCurrentTransactionId(added_by))
			added_by = InvalidTransactionId;
	}
	else
	{
		sla_execute(&add,
					"INSERT INTO sla.promise (agreement, level, calendar, metrics, days, microseconds, on_change, rule)"
				  " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id", lengthof(types), types, values, nulls);
		id = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		added_by = GetCurrentTransactionId();
	}

	SPI_finish();

	/* What this transaction added is good for as long as it is not rolled back. */
	if (entry == NULL)
	{
		char	   *kept = MemoryContextStrdup(promise_context, content);

		entry = hash_search(ids_by_content, &kept, HASH_ENTER, NULL);
	}
	entry->id = id;
	entry->added_by = added_by;
	return id;
}
