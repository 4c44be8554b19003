/*
 * clock.c
 *		Events into the log.
 *
 * Every change goes the same way: the ticket's row in sla.ticket is locked,
 * the new events are added to those it has, all of them are fed to the core's
 * clock step from the first on, and where the rows that come out differ from
 * those of sla.log, the log is made to agree.  So an event that arrives late
 * or out of order needs no care of its own, and verification is the same
 * thing without the writing.  A ticket's events are few; reading them costs
 * less than writing one row.
 *
 * The lock is the row of sla.ticket and not an advisory lock, because a bulk
 * load touches more tickets in a transaction than the lock table holds.
 * sla.log is locked as for writing before any calendar is read: an edit of a
 * calendar locks it against writers, so that no clock is computed by hours
 * that are no longer in force.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "clock.h"
#include "promise.h"
#include "statement.h"

SLA_FUNCTION(sla_record_event);
SLA_FUNCTION(sla_clock_deadline);

/* An event as it is kept in sla.event. */
typedef struct StoredEvent
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
} StoredEvent;

typedef struct History
{
	StoredEvent *events;
	int			n;
	int			size;
} History;

static const char *const outcome_names[] = {
	NULL, "met", "missed", "cancelled", "superseded"
};

/* What changed when nothing happened but a decision or a new holder. */
static const char *const changed_event = "changed";

const char *
sla_outcome_name(sla_outcome outcome)
{
	return outcome_names[outcome];
}

/* ----------------------------------------------------------------
 * Access to our tables
 * ----------------------------------------------------------------
 */

static const Oid ticket_types[] = {TEXTOID, TEXTOID};

/* Lock the ticket's row, making it if need be.  True if it was made. */
static bool
lock_ticket(const char *source, const char *ticket, bool is_new)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr lock = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	for (;;)
	{
		if (!is_new)
		{
			sla_execute(&lock, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
					" AND ticket OPERATOR(pg_catalog.=) $2 FOR UPDATE", 2, ticket_types, values, NULL);
			if (SPI_processed > 0)
				return false;
		}
		sla_execute(&insert, "INSERT INTO sla.ticket (source, ticket) VALUES ($1, $2)"
				" ON CONFLICT DO NOTHING", 2, ticket_types, values, NULL);
		if (SPI_processed > 0)
			return true;
		/* Another session made it meanwhile. */
		is_new = false;
	}
}

static void
history_add(History *history, const StoredEvent *event)
{
	if (history->n == history->size)
	{
		history->size = history->size ? history->size * 2 : 8;
		history->events = history->events
			? repalloc(history->events, history->size * sizeof(StoredEvent))
			: palloc(history->size * sizeof(StoredEvent));
	}
	history->events[history->n++] = *event;
}

/* Columns of sla.event, in the order of src/sql/clock.sql. */
enum
{
	EVENT_ID, EVENT_SOURCE, EVENT_TICKET, EVENT_EVENT, EVENT_AT, EVENT_AGENT, EVENT_OF_TICKET,
	EVENT_DEPARTMENT, EVENT_ASSIGNEE, EVENT_PROMISES, EVENT_RECORDED_AT,
	EVENT_COLUMNS
};

/* Columns of sla.log, likewise. */
enum
{
	LOG_ID, LOG_SOURCE, LOG_TICKET, LOG_AGREEMENT, LOG_LEVEL, LOG_METRIC, LOG_ORDINAL, LOG_CYCLE, LOG_CALENDAR,
	LOG_DEPARTMENT, LOG_AGENT, LOG_GOAL, LOG_STARTED_AT, LOG_COUNTED, LOG_RUNNING_SINCE, LOG_DEADLINE,
	LOG_CLOSED_AT, LOG_OUTCOME, LOG_REASON, LOG_ELAPSED, LOG_COMPUTED_AT,
	LOG_COLUMNS
};

/*
 * The rows of one ticket in a table whose primary key begins with source and
 * ticket.  Read without SPI: this is done for every event, and costs a tenth.
 */
typedef struct TicketScan
{
	Relation	rel;
	SysScanDesc scan;
	int			columns;
	Datum	   *values;
	bool	   *nulls;
} TicketScan;

static void
scan_ticket(TicketScan *scan, const char *table, int columns, int source_column,
			const char *source, const char *ticket, Snapshot snapshot)
{
	ScanKeyData keys[2];
	Oid			index;

	scan->rel = table_open(get_relname_relid(table, get_namespace_oid(SLA_SCHEMA, false)), AccessShareLock);
	index = RelationGetPrimaryKeyIndex(scan->rel);
	if (RelationGetDescr(scan->rel)->natts != columns || !OidIsValid(index))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" is not of this version of pg_sla", SLA_SCHEMA, table),
				 errhint("Run ALTER EXTENSION pg_sla UPDATE, and leave the columns of its tables alone.")));
	scan->columns = columns;
	scan->values = palloc(columns * sizeof(Datum));
	scan->nulls = palloc(columns * sizeof(bool));
	ScanKeyEntryInitialize(&keys[0], 0, source_column + 1, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(source));
	ScanKeyEntryInitialize(&keys[1], 0, source_column + 2, BTEqualStrategyNumber, InvalidOid,
						   DEFAULT_COLLATION_OID, F_TEXTEQ, CStringGetTextDatum(ticket));
	scan->scan = systable_beginscan(scan->rel, index, true, snapshot, 2, keys);
}

static bool
scan_next(TicketScan *scan)
{
	HeapTuple	tuple = systable_getnext(scan->scan);

	if (!HeapTupleIsValid(tuple))
		return false;
	heap_deform_tuple(tuple, RelationGetDescr(scan->rel), scan->values, scan->nulls);
	return true;
}

static void
scan_end(TicketScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
	pfree(scan->values);
	pfree(scan->nulls);
}

/* A text column as a C string in the current context, NULL for NULL. */
static const char *
scan_text(const TicketScan *scan, int column)
{
	return scan->nulls[column] ? NULL : TextDatumGetCString(scan->values[column]);
}

/* The events of a ticket, in the order of time. */
static void
read_history(const char *source, const char *ticket, Snapshot snapshot, History *history)
{
	TicketScan	scan;

	memset(history, 0, sizeof(History));
	scan_ticket(&scan, "event", EVENT_COLUMNS, EVENT_SOURCE, source, ticket, snapshot);
	while (scan_next(&scan))
	{
		StoredEvent event;

		memset(&event, 0, sizeof(event));
		event.id = DatumGetInt64(scan.values[EVENT_ID]);
		event.event = scan_text(&scan, EVENT_EVENT);
		event.at = DatumGetTimestampTz(scan.values[EVENT_AT]);
		event.agent = scan_text(&scan, EVENT_AGENT);
		event.of_ticket = DatumGetBool(scan.values[EVENT_OF_TICKET]);
		event.department = scan_text(&scan, EVENT_DEPARTMENT);
		event.assignee = scan_text(&scan, EVENT_ASSIGNEE);
		if (!scan.nulls[EVENT_PROMISES])
		{
			ArrayType  *array = DatumGetArrayTypeP(scan.values[EVENT_PROMISES]);

			if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_DIMS(array)[0] != SLA_N_AGREEMENTS)
				ereport(ERROR,
						(errcode(ERRCODE_DATA_CORRUPTED),
						 errmsg("event " INT64_FORMAT " of ticket \"%s\" has no promise for each agreement", event.id, ticket)));
			event.decides = true;
			memcpy(event.promises, ARR_DATA_PTR(array), sizeof(event.promises));
		}
		history_add(history, &event);
	}
	scan_end(&scan);
}

static void
write_event(const char *source, const char *ticket, StoredEvent *event)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID, INT4ARRAYOID};
	Datum		promises[SLA_N_AGREEMENTS];
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	bool		isnull;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(event->event);
	values[3] = TimestampTzGetDatum(event->at);
	values[4] = event->agent ? CStringGetTextDatum(event->agent) : (nulls[4] = 'n', (Datum) 0);
	values[5] = BoolGetDatum(event->of_ticket);
	values[6] = event->department ? CStringGetTextDatum(event->department) : (nulls[6] = 'n', (Datum) 0);
	values[7] = event->assignee ? CStringGetTextDatum(event->assignee) : (nulls[7] = 'n', (Datum) 0);
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		promises[i] = Int32GetDatum(event->promises[i]);
	values[8] = event->decides
		? PointerGetDatum(construct_array(promises, SLA_N_AGREEMENTS, INT4OID, sizeof(int32), true, TYPALIGN_INT))
		: (nulls[8] = 'n', (Datum) 0);

	sla_execute(&plan, "INSERT INTO sla.event (source, ticket, event, at, agent, of_ticket, department, assignee, promises)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id", lengthof(types), types, values, nulls);
	event->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}

/* ----------------------------------------------------------------
 * Ranges
 * ----------------------------------------------------------------
 */

static Datum
stretches_to_multirange(const sla_stretch *stretches, int n)
{
	TypeCacheEntry *range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	RangeType **ranges = palloc(n * sizeof(RangeType *) + 1);

	for (int i = 0; i < n; i++)
	{
		RangeBound	lower = {.val = TimestampTzGetDatum(stretches[i].from), .inclusive = true, .lower = true};
		RangeBound	upper = {.val = TimestampTzGetDatum(stretches[i].to)};

		ranges[i] = make_range_compat(range_type, &lower, &upper, false);
	}
	return PointerGetDatum(make_multirange(TSTZMULTIRANGEOID, range_type, n, ranges));
}

/* Bounds must be finite, as those of the log are. */
static int
multirange_to_stretches(Datum value, sla_stretch **stretches)
{
	TypeCacheEntry *range_type = lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO);
	MultirangeType *multirange = DatumGetMultirangeTypeP(value);
	RangeType **ranges;
	int32		n;

	multirange_deserialize(range_type, multirange, &n, &ranges);
	*stretches = palloc(n * sizeof(sla_stretch) + 1);
	for (int i = 0; i < n; i++)
	{
		RangeBound	lower;
		RangeBound	upper;
		bool		empty;

		range_deserialize(range_type, ranges[i], &lower, &upper, &empty);
		if (lower.infinite || upper.infinite ||
			TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(lower.val)) ||
			TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(upper.val)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a stretch that counted must have a beginning and an end")));
		(*stretches)[i].from = DatumGetTimestampTz(lower.val);
		(*stretches)[i].to = DatumGetTimestampTz(upper.val);
	}
	return n;
}

/* ----------------------------------------------------------------
 * Replay
 * ----------------------------------------------------------------
 */

/* A level of the core made from a promise, with what its rows are called. */
typedef struct Level
{
	sla_level	core;
	const SlaPromiseRow *row;
	struct Level *next;
} Level;

typedef struct Replay
{
	const SlaMetrics *metrics;
	Level	   *levels;
} Replay;

/* The level of a promise; promises that say the same give the same one. */
static Level *
level_of(Replay *replay, int32 id)
{
	const SlaPromiseRow *row = sla_promise_by_id(id);
	const sla_promise **promises;
	sla_timeline *timeline;
	Level	   *level;

	for (level = replay->levels; level != NULL; level = level->next)
		if (level->row == row || strcmp(level->row->content, row->content) == 0)
			return level;

	timeline = sla_calendar_timeline(row->calendar);
	level = palloc0(sizeof(Level));
	level->row = row;
	promises = palloc0(replay->metrics->core.nmetrics * sizeof(sla_promise *) + 1);
	for (int i = 0; i < row->ngoals; i++)
	{
		int			metric = sla_metric_number(replay->metrics, row->goals[i].metric);
		sla_promise *promise;

		/* A metric that was dropped times nothing any more. */
		if (metric < 0)
			continue;
		promise = palloc(sizeof(sla_promise));
		promise->timeline = timeline;
		promise->days = row->goals[i].days;
		promise->amount = row->goals[i].microseconds;
		promises[metric] = promise;
	}
	level->core.name = row->level;
	level->core.promises = promises;
	level->next = replay->levels;
	replay->levels = level;
	return level;
}

static const char *
reason_text(const Replay *replay, const sla_clock *clock)
{
	switch (clock->reason)
	{
		case SLA_REASON_NONE:
			break;
		case SLA_REASON_EVENT:
			return pstrdup(replay->metrics->events[clock->reason_event]);
		case SLA_REASON_LEVEL_CHANGED:
			return "level_changed";
		case SLA_REASON_GOAL_CHANGED:
			return "goal_changed";
		case SLA_REASON_NO_LEVEL:
			return "no_longer_matches";
	}
	return NULL;
}

/* Business time in stretches; what does not fit an interval is cut to the longest. */
static int64
open_time(sla_timeline *timeline, const sla_stretch *stretches, int n)
{
	int64		total = 0;

	for (int i = 0; i < n; i++)
	{
		int64		open;

		if (!sla_measure(timeline, stretches[i].from, stretches[i].to, &open) ||
			__builtin_add_overflow(total, open, &total))
			return PG_INT64_MAX;
	}
	return total;
}

static void
replay_history(const History *history, SlaLog *expected)
{
	Replay		replay = {0};
	sla_env		env = sla_server_env(CurrentMemoryContext);
	sla_event  *events;
	sla_machine *machine;
	const sla_clock *clocks;
	TimestampTz now = GetCurrentTimestamp();
	int			n;

	replay.metrics = sla_metrics_now();
	events = palloc0(history->n * sizeof(sla_event) + 1);
	for (int i = 0; i < history->n; i++)
	{
		const StoredEvent *stored = &history->events[i];

		events[i].at = stored->at;
		events[i].order = stored->id;
		events[i].event = sla_event_number(replay.metrics, stored->event);
		events[i].agent = stored->agent;
		events[i].holds = stored->of_ticket;
		events[i].holder.department = stored->department;
		events[i].holder.agent = stored->assignee;
		for (int agreement = 0; stored->decides && agreement < SLA_N_AGREEMENTS; agreement++)
		{
			/* A negative number: this kind was not decided. */
			if (stored->promises[agreement] < 0)
				continue;
			events[i].decides[agreement] = true;
			if (stored->promises[agreement] > 0)
				events[i].levels[agreement] = &level_of(&replay, stored->promises[agreement])->core;
		}
	}

	machine = sla_machine_create(&env, &replay.metrics->core);
	sla_replay(machine, events, history->n);

	n = sla_machine_clocks(machine, &clocks);
	expected->nrows = n;
	expected->rows = palloc0(n * sizeof(SlaLogRow) + 1);
	for (int i = 0; i < n; i++)
	{
		const sla_clock *clock = &clocks[i];
		const Level *level = (const Level *) clock->level;
		SlaLogRow  *row = &expected->rows[i];

		row->agreement = clock->agreement;
		row->metric = pstrdup(replay.metrics->metrics[clock->metric]);
		row->ordinal = clock->ordinal;
		row->cycle = clock->cycle;
		row->level = pstrdup(level->row->level);
		row->calendar = text_to_cstring(level->row->calendar);
		row->department = clock->holder.department;
		row->agent = clock->holder.agent;
		row->goal_days = (int32) clock->promise->days;
		row->goal_microseconds = clock->promise->amount;
		row->started_at = clock->started_at;
		row->counted = clock->counted;
		row->ncounted = clock->ncounted;
		row->running = clock->running;
		row->running_since = clock->running ? clock->running_since : 0;
		row->deadline = clock->deadline;
		row->outcome = clock->outcome;
		row->closed_at = clock->outcome == SLA_OPEN ? 0 : clock->closed_at;
		row->reason = reason_text(&replay, clock);
		row->elapsed = open_time(clock->promise->timeline, clock->counted, clock->ncounted);
		row->computed_at = now;
	}
}

void
sla_replay_ticket(const char *source, const char *ticket, Snapshot snapshot, SlaLog *expected)
{
	History		history;

	read_history(source, ticket, snapshot, &history);
	replay_history(&history, expected);
}

/* ----------------------------------------------------------------
 * The log
 * ----------------------------------------------------------------
 */

static int
named(const char *name, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (names[i] != NULL && strcmp(names[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unexpected \"%s\" in sla.log", name)));
	return 0;
}

void
sla_read_log(const char *source, const char *ticket, Snapshot snapshot, SlaLog *log)
{
	TicketScan	scan;
	int			size = 4;

	log->nrows = 0;
	log->rows = palloc(size * sizeof(SlaLogRow));
	scan_ticket(&scan, "log", LOG_COLUMNS, LOG_SOURCE, source, ticket, snapshot);
	while (scan_next(&scan))
	{
		SlaLogRow  *row;
		const char *outcome;
		Interval   *goal;

		if (log->nrows == size)
		{
			size *= 2;
			log->rows = repalloc(log->rows, size * sizeof(SlaLogRow));
		}
		row = &log->rows[log->nrows++];
		memset(row, 0, sizeof(SlaLogRow));
		row->agreement = named(scan_text(&scan, LOG_AGREEMENT), sla_agreement_names, SLA_N_AGREEMENTS);
		row->metric = scan_text(&scan, LOG_METRIC);
		row->ordinal = DatumGetInt32(scan.values[LOG_ORDINAL]);
		row->cycle = DatumGetInt32(scan.values[LOG_CYCLE]);
		row->level = scan_text(&scan, LOG_LEVEL);
		row->calendar = scan_text(&scan, LOG_CALENDAR);
		row->department = scan_text(&scan, LOG_DEPARTMENT);
		row->agent = scan_text(&scan, LOG_AGENT);
		goal = DatumGetIntervalP(scan.values[LOG_GOAL]);
		row->goal_days = goal->day;
		row->goal_microseconds = goal->time;
		row->started_at = DatumGetTimestampTz(scan.values[LOG_STARTED_AT]);
		row->ncounted = multirange_to_stretches(scan.values[LOG_COUNTED], &row->counted);
		row->running = !scan.nulls[LOG_RUNNING_SINCE];
		if (row->running)
			row->running_since = DatumGetTimestampTz(scan.values[LOG_RUNNING_SINCE]);
		row->deadline = DatumGetTimestampTz(scan.values[LOG_DEADLINE]);
		if (!scan.nulls[LOG_CLOSED_AT])
			row->closed_at = DatumGetTimestampTz(scan.values[LOG_CLOSED_AT]);
		outcome = scan_text(&scan, LOG_OUTCOME);
		row->outcome = outcome == NULL ? SLA_OPEN : (sla_outcome) named(outcome, outcome_names, lengthof(outcome_names));
		row->reason = scan_text(&scan, LOG_REASON);
		row->elapsed = DatumGetIntervalP(scan.values[LOG_ELAPSED])->time;
		row->computed_at = DatumGetTimestampTz(scan.values[LOG_COMPUTED_AT]);
	}
	scan_end(&scan);
}

SlaLogRow *
sla_log_find(const SlaLog *log, const SlaLogRow *like)
{
	for (int i = 0; i < log->nrows; i++)
	{
		SlaLogRow  *row = &log->rows[i];

		if (row->agreement == like->agreement && row->ordinal == like->ordinal &&
			strcmp(row->metric, like->metric) == 0)
			return row;
	}
	return NULL;
}

static bool
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a, b) == 0;
}

/* The ith stretch that counted, that of a running clock included; false when there is none. */
static bool
stretch_at(const SlaLogRow *row, int i, sla_instant end, sla_stretch *stretch)
{
	if (i < row->ncounted)
		*stretch = row->counted[i];
	else if (i == row->ncounted && row->running)
	{
		stretch->from = row->running_since;
		stretch->to = end;
	}
	else
		return false;
	if (stretch->from >= end)
		return false;
	if (stretch->to > end)
		stretch->to = end;
	return true;
}

/* Did both count the same until an instant, and live that long? */
static bool
same_until(const SlaLogRow *a, const SlaLogRow *b, sla_instant end)
{
	sla_stretch one;
	sla_stretch other;

	for (int i = 0;; i++)
	{
		bool		more = stretch_at(a, i, end, &one);

		if (more != stretch_at(b, i, end, &other))
			return false;
		if (!more)
			return true;
		if (one.from != other.from || one.to != other.to)
			return false;
	}
}

static bool
same_counted(const SlaLogRow *a, const SlaLogRow *b)
{
	return a->ncounted == b->ncounted && a->running == b->running &&
		a->running_since == b->running_since &&
		memcmp(a->counted, b->counted, a->ncounted * sizeof(sla_stretch)) == 0;
}

static bool
row_is_missed(const SlaLogRow *row, TimestampTz now)
{
	return sla_is_missed(row->deadline, row->counted, row->ncounted, row->running, now);
}

bool
sla_keep_verdict(SlaLogRow *expected, const SlaLogRow *logged)
{
	bool		missed;
	bool		differs;

	if (!same_text(expected->level, logged->level) ||
		!same_text(expected->calendar, logged->calendar) ||
		expected->goal_days != logged->goal_days ||
		expected->goal_microseconds != logged->goal_microseconds ||
		expected->started_at != logged->started_at)
		return false;

	missed = logged->outcome == SLA_MISSED ||
		(logged->outcome == SLA_OPEN && row_is_missed(logged, GetCurrentTimestamp()));
	if (missed)
	{
		/* What happens after the deadline changes nothing about it. */
		if (!same_until(expected, logged, logged->deadline) ||
			(expected->outcome != SLA_OPEN && expected->closed_at <= logged->deadline))
			return false;
	}
	else if (logged->outcome == SLA_OPEN || expected->outcome == SLA_OPEN ||
			 expected->closed_at != logged->closed_at || !same_counted(expected, logged))
		return false;

	differs = expected->deadline != logged->deadline;
	expected->deadline = logged->deadline;
	expected->computed_at = logged->computed_at;
	if (logged->outcome != SLA_OPEN && expected->outcome != SLA_OPEN)
		expected->outcome = logged->outcome;
	else if (missed && expected->outcome != SLA_OPEN)
		expected->outcome = SLA_MISSED;
	if (differs)
	{
		expected->department = logged->department;
		expected->agent = logged->agent;
		if (same_counted(expected, logged))
			expected->elapsed = logged->elapsed;
	}
	return differs;
}

const char *
sla_log_difference(const SlaLogRow *a, const SlaLogRow *b)
{
	if (a->cycle != b->cycle)
		return "cycle";
	if (!same_text(a->level, b->level))
		return "level";
	if (!same_text(a->calendar, b->calendar))
		return "calendar";
	if (a->goal_days != b->goal_days || a->goal_microseconds != b->goal_microseconds)
		return "goal";
	if (a->started_at != b->started_at)
		return "started_at";
	if (a->ncounted != b->ncounted || memcmp(a->counted, b->counted, a->ncounted * sizeof(sla_stretch)) != 0)
		return "counted";
	if (a->running != b->running || a->running_since != b->running_since)
		return "running_since";
	if (a->deadline != b->deadline)
		return "deadline";
	if (a->outcome != b->outcome)
		return "outcome";
	if (a->closed_at != b->closed_at)
		return "closed_at";
	if (!same_text(a->reason, b->reason))
		return "reason";
	if (!same_text(a->department, b->department))
		return "department";
	if (!same_text(a->agent, b->agent))
		return "agent";
	return NULL;
}

/* Add a row to sla.log, or make the row of its key like it. */
static void
write_row(const char *source, const char *ticket, const SlaLogRow *row, bool exists)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr update = NULL;
	static const Oid types[] = {
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID,	/* the key */
		INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID,
		TSTZMULTIRANGEOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID
	};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	Interval	goal = {.day = row->goal_days, .time = row->goal_microseconds};
	Interval	elapsed = {.time = row->elapsed};

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(sla_agreement_names[row->agreement]);
	values[3] = CStringGetTextDatum(row->metric);
	values[4] = Int32GetDatum(row->ordinal);
	values[5] = Int32GetDatum(row->cycle);
	values[6] = CStringGetTextDatum(row->level);
	values[7] = CStringGetTextDatum(row->calendar);
	values[8] = row->department ? CStringGetTextDatum(row->department) : (nulls[8] = 'n', (Datum) 0);
	values[9] = row->agent ? CStringGetTextDatum(row->agent) : (nulls[9] = 'n', (Datum) 0);
	values[10] = IntervalPGetDatum(&goal);
	values[11] = TimestampTzGetDatum(row->started_at);
	values[12] = stretches_to_multirange(row->counted, row->ncounted);
	values[13] = row->running ? TimestampTzGetDatum(row->running_since) : (nulls[13] = 'n', (Datum) 0);
	values[14] = TimestampTzGetDatum(row->deadline);
	values[15] = row->outcome != SLA_OPEN ? TimestampTzGetDatum(row->closed_at) : (nulls[15] = 'n', (Datum) 0);
	values[16] = row->outcome != SLA_OPEN ? CStringGetTextDatum(outcome_names[row->outcome]) : (nulls[16] = 'n', (Datum) 0);
	values[17] = row->reason ? CStringGetTextDatum(row->reason) : (nulls[17] = 'n', (Datum) 0);
	values[18] = IntervalPGetDatum(&elapsed);
	values[19] = TimestampTzGetDatum(row->computed_at);

	if (exists)
		sla_execute(&update, "UPDATE sla.log SET cycle = $6, level = $7, calendar = $8, department = $9, agent = $10,"
				" goal = $11, started_at = $12, counted = $13, running_since = $14, deadline = $15, closed_at = $16,"
				" outcome = $17, reason = $18, elapsed = $19, computed_at = $20"
				" WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2"
				" AND agreement OPERATOR(pg_catalog.=) $3 AND metric OPERATOR(pg_catalog.=) $4"
				" AND ordinal OPERATOR(pg_catalog.=) $5", lengthof(types), types, values, nulls);
	else
		sla_execute(&insert, "INSERT INTO sla.log (source, ticket, agreement, metric, ordinal, cycle, level, calendar,"
				" department, agent, goal, started_at, counted, running_since, deadline, closed_at, outcome, reason,"
				" elapsed, computed_at) VALUES"
				" ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)",
				lengthof(types), types, values, nulls);
}

static void
delete_row(const char *source, const char *ticket, const SlaLogRow *row)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[lengthof(types)];

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(sla_agreement_names[row->agreement]);
	values[3] = CStringGetTextDatum(row->metric);
	values[4] = Int32GetDatum(row->ordinal);
	sla_execute(&plan, "DELETE FROM sla.log WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2"
			" AND agreement OPERATOR(pg_catalog.=) $3 AND metric OPERATOR(pg_catalog.=) $4"
			" AND ordinal OPERATOR(pg_catalog.=) $5", lengthof(types), types, values, NULL);
}

/* Make the log what it must be. */
static void
write_log(const char *source, const char *ticket, SlaLog *expected, const SlaLog *logged)
{
	for (int i = 0; i < logged->nrows; i++)
		if (sla_log_find(expected, &logged->rows[i]) == NULL)
			delete_row(source, ticket, &logged->rows[i]);
	for (int i = 0; i < expected->nrows; i++)
	{
		SlaLogRow  *row = &expected->rows[i];
		SlaLogRow  *former = sla_log_find(logged, row);

		if (former != NULL)
		{
			sla_keep_verdict(row, former);
			if (sla_log_difference(row, former) == NULL)
				continue;
		}
		write_row(source, ticket, row, former != NULL);
	}
}

/* ----------------------------------------------------------------
 * Recording
 * ----------------------------------------------------------------
 */

/* The ids of what was chosen; false when that changes nothing against `held`. */
static bool
decide(const SlaNewEvent *event, const int32 *held, int32 *promises)
{
	bool		changed = false;

	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
	{
		const SlaChosenLevel *chosen = &event->choice->agreements[agreement];

		if (chosen->level != NULL)
		{
			promises[agreement] = sla_promise_id(agreement, chosen);
			if (held[agreement] <= 0 ||
				(held[agreement] != promises[agreement] &&
				 strcmp(sla_promise_by_id(held[agreement])->content,
						sla_promise_by_id(promises[agreement])->content) != 0))
				changed = true;
		}
		else if (event->keep_levels)
			promises[agreement] = -1;
		else
		{
			promises[agreement] = 0;
			if (held[agreement] != 0)
				changed = true;
		}
	}
	return changed;
}

void
sla_record_events(const char *source, const char *ticket, const SlaNewEvent *events, int n, bool is_new)
{
	SlaOwner	caller;
	History		history = {0};
	SlaLog		expected;
	SlaLog		logged = {0};
	int32		held[SLA_N_AGREEMENTS];
	const char *department = NULL;
	const char *assignee = NULL;
	int64		holder_order = -1;
	int64		held_order = -1;
	bool		changed = false;

	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
		held[agreement] = -1;

	LockRelationOid(sla_log_relid(), RowExclusiveLock);
	sla_owner_enter(&caller);
	SPI_connect();
	is_new = lock_ticket(source, ticket, is_new);
	sla_promises_refresh();

	if (!is_new)
		read_history(source, ticket, NULL, &history);

	/* What the ticket's row last told, in the order in which it told. */
	for (int i = 0; i < history.n; i++)
	{
		const StoredEvent *stored = &history.events[i];

		if (stored->of_ticket && stored->id > holder_order)
		{
			department = stored->department;
			assignee = stored->assignee;
			holder_order = stored->id;
		}
		if (stored->decides && stored->id > held_order)
		{
			for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
				if (stored->promises[agreement] >= 0)
					held[agreement] = stored->promises[agreement];
			held_order = stored->id;
		}
	}

	for (int i = 0; i < n; i++)
	{
		StoredEvent stored;

		memset(&stored, 0, sizeof(stored));
		stored.event = events[i].event ? events[i].event : changed_event;
		stored.at = events[i].at;
		for (int j = 0; events[i].is_last && j < history.n; j++)
			stored.at = Max(stored.at, history.events[j].at);
		stored.agent = events[i].agent;
		stored.of_ticket = events[i].of_ticket;
		stored.department = events[i].department;
		stored.assignee = events[i].assignee;
		if (events[i].choice != NULL)
			stored.decides = decide(&events[i], held, stored.promises);
		if (events[i].event == NULL && !stored.decides &&
			(!stored.of_ticket ||
			 (holder_order >= 0 && same_text(department, stored.department) &&
			  same_text(assignee, stored.assignee))))
			continue;
		write_event(source, ticket, &stored);
		history_add(&history, &stored);
		changed = true;

		if (stored.of_ticket)
		{
			department = stored.department;
			assignee = stored.assignee;
			holder_order = stored.id;
		}
		for (int agreement = 0; stored.decides && agreement < SLA_N_AGREEMENTS; agreement++)
			if (stored.promises[agreement] >= 0)
				held[agreement] = stored.promises[agreement];
	}

	if (changed)
	{
		replay_history(&history, &expected);
		if (!is_new)
			sla_read_log(source, ticket, NULL, &logged);
		write_log(source, ticket, &expected, &logged);
	}
	SPI_finish();
	sla_owner_leave(&caller);
}

void
sla_rename_ticket(const char *source, const char *from, const char *to)
{
	static SPIPlanPtr plans[4];
	static const char *const statements[] = {
		"INSERT INTO sla.ticket (source, ticket) VALUES ($1, $3)",
		"UPDATE sla.event SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.log SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"DELETE FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
	};
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(from), CStringGetTextDatum(to)};
	SlaOwner	caller;

	sla_owner_enter(&caller);
	SPI_connect();
	lock_ticket(source, from, false);
	for (int i = 0; i < (int) lengthof(statements); i++)
		sla_execute(&plans[i], statements[i], lengthof(types), types, values, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
}

/* ----------------------------------------------------------------
 * For SQL
 * ----------------------------------------------------------------
 */

/* Is there such a source? */
static bool
source_exists(const char *source)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source)};

	sla_execute(&plan, "SELECT 1 FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	return SPI_processed > 0;
}

static bool
ticket_exists(const char *source, const char *ticket)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
			" AND ticket OPERATOR(pg_catalog.=) $2", 2, ticket_types, values, NULL);
	return SPI_processed > 0;
}

/*
 * sla.record_event(source, ticket, event, at, agent)
 *
 * at NULL is now; agent may be NULL; the others may not.
 */
Datum
sla_record_event(PG_FUNCTION_ARGS)
{
	static const char *const arguments[] = {"source", "ticket", "event"};
	SlaNewEvent event = {0};
	SlaOwner	caller;
	const char *source;
	const char *ticket;

	for (int i = 0; i < (int) lengthof(arguments); i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s of an event must not be null", arguments[i])));
	source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	ticket = text_to_cstring(PG_GETARG_TEXT_PP(1));
	event.event = text_to_cstring(PG_GETARG_TEXT_PP(2));
	event.at = PG_ARGISNULL(3) ? GetCurrentTransactionStartTimestamp() : PG_GETARG_TIMESTAMPTZ(3);
	event.agent = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));

	if (event.event[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event \"\" has no name")));
	if (TIMESTAMP_NOT_FINITE(event.at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event \"%s\" cannot happen at \"%s\"", event.event, timestamptz_to_str(event.at)),
				 errhint("Give the instant at which it happened.")));

	sla_owner_enter(&caller);
	SPI_connect();
	if (!source_exists(source))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", source),
				 errhint("Sources are made by sla.track().")));
	if (strcmp(event.event, "created") != 0 && !ticket_exists(source, ticket))
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("ticket \"%s\" of source \"%s\" has no events yet", ticket, source),
				 errhint("The first event of a ticket is \"created\".")));
	SPI_finish();
	sla_owner_leave(&caller);

	sla_record_events(source, ticket, &event, 1, false);
	PG_RETURN_VOID();
}

/*
 * sla.clock_deadline(calendar, started_at, goal, counted, running_since, closed_at)
 */
Datum
sla_clock_deadline(PG_FUNCTION_ARGS)
{
	sla_promise promise;
	sla_stretch *counted;
	Interval   *goal;
	TimestampTz started_at;
	bool		running = !PG_ARGISNULL(4);
	int			ncounted;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();

	started_at = PG_GETARG_TIMESTAMPTZ(1);
	goal = PG_GETARG_INTERVAL_P(2);
	if (goal->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("goal \"%s\" has months or years",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(goal)))),
				 errhint("Business time is counted in hours and in business days.")));
	if (TIMESTAMP_NOT_FINITE(started_at))
		PG_RETURN_TIMESTAMPTZ(started_at);
	ncounted = multirange_to_stretches(PG_GETARG_DATUM(3), &counted);
	promise.timeline = sla_calendar_timeline(PG_GETARG_TEXT_PP(0));
	promise.days = goal->day;
	promise.amount = goal->time;
	PG_RETURN_TIMESTAMPTZ(sla_deadline(&promise, started_at, counted, ncounted, running,
									   running ? PG_GETARG_TIMESTAMPTZ(4) : 0,
									   PG_ARGISNULL(5) ? SLA_BEFORE_ALL : PG_GETARG_TIMESTAMPTZ(5)));
}
