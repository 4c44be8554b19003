/*
 * log.c
 *		The rows of sla.log.
 */
#include "pg_sla.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/multirangetypes.h"
#include "utils/rangetypes.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "log.h"
#include "promise.h"
#include "statement.h"
#include "store.h"
#include "summary.h"

static const char *const outcome_names[] = {
	NULL, "met", "missed", "cancelled", "superseded"
};

const char *
sla_outcome_name(sla_outcome outcome)
{
	return outcome_names[outcome];
}

Datum
sla_stretches_to_multirange(const sla_stretch *stretches, int n)
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

int
sla_multirange_to_stretches(Datum value, sla_stretch **stretches)
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
	SlaTicketScan	scan;
	int			size = 4;

	log->nrows = 0;
	log->rows = palloc(size * sizeof(SlaLogRow));
	sla_scan_ticket(&scan, SLA_STORE_LOG, source, ticket, snapshot);
	while (sla_scan_next(&scan))
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
		row->id = DatumGetInt64(scan.values[LOG_ID]);
		row->tid = scan.tid;
		row->agreement = named(sla_scan_text(&scan, LOG_AGREEMENT), sla_agreement_names, SLA_N_AGREEMENTS);
		row->metric = sla_scan_text(&scan, LOG_METRIC);
		row->ordinal = DatumGetInt32(scan.values[LOG_ORDINAL]);
		row->cycle = DatumGetInt32(scan.values[LOG_CYCLE]);
		row->level = sla_scan_text(&scan, LOG_LEVEL);
		row->calendar = sla_scan_text(&scan, LOG_CALENDAR);
		row->department = sla_scan_text(&scan, LOG_DEPARTMENT);
		row->agent = sla_scan_text(&scan, LOG_AGENT);
		goal = DatumGetIntervalP(scan.values[LOG_GOAL]);
		row->goal_days = goal->day;
		row->goal_microseconds = goal->time;
		row->started_at = DatumGetTimestampTz(scan.values[LOG_STARTED_AT]);
		row->ncounted = sla_multirange_to_stretches(scan.values[LOG_COUNTED], &row->counted);
		row->running = !scan.nulls[LOG_RUNNING_SINCE];
		if (row->running)
			row->running_since = DatumGetTimestampTz(scan.values[LOG_RUNNING_SINCE]);
		row->deadline = DatumGetTimestampTz(scan.values[LOG_DEADLINE]);
		if (!scan.nulls[LOG_CLOSED_AT])
			row->closed_at = DatumGetTimestampTz(scan.values[LOG_CLOSED_AT]);
		outcome = sla_scan_text(&scan, LOG_OUTCOME);
		row->outcome = outcome == NULL ? SLA_OPEN : (sla_outcome) named(outcome, outcome_names, lengthof(outcome_names));
		row->reason = sla_scan_text(&scan, LOG_REASON);
		row->elapsed = DatumGetIntervalP(scan.values[LOG_ELAPSED])->time;
		row->computed_at = DatumGetTimestampTz(scan.values[LOG_COMPUTED_AT]);
		row->strict = DatumGetBool(scan.values[LOG_DEADLINE_EXCLUDED]);
		row->fixed = DatumGetBool(scan.values[LOG_FIXED]);
	}
	sla_scan_end(&scan);
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

bool
sla_same_text(const char *a, const char *b)
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

bool
sla_same_counted(const SlaLogRow *a, const SlaLogRow *b)
{
	return a->ncounted == b->ncounted && a->running == b->running &&
		a->running_since == b->running_since &&
		memcmp(a->counted, b->counted, a->ncounted * sizeof(sla_stretch)) == 0;
}

bool
sla_row_is_missed(const SlaLogRow *row, TimestampTz now)
{
	/* A pause may have been told of the future, and so may what ran until then. */
	return now >= row->deadline &&
		sla_is_missed(row->deadline, row->counted, row->ncounted, row->running,
					  row->strict, row->fixed, now);
}

void
sla_row_held(SlaLogRow *row)
{
	TimestampTz until = sla_missed_after(row->deadline, row->counted, row->ncounted, row->running,
										 row->running_since, row->strict, row->fixed);
	const sla_holder *holder;

	if (row->outcome != SLA_OPEN)
		until = Min(until, row->closed_at);
	/* The verdict of what had been promised before may have fallen long before this row was. */
	holder = sla_holder_at(row->holdings, row->nholdings, Max(until, row->opened_at));
	row->department = holder != NULL ? holder->department : NULL;
	row->agent = holder != NULL ? holder->agent : NULL;
	if (row->agent == NULL && row->outcome != SLA_OPEN)
		row->agent = row->ended_by;
}

bool
sla_keep_verdict(SlaLogRow *expected, const SlaLogRow *logged)
{
	bool		missed;
	bool		differs;

	if (!sla_same_text(expected->level, logged->level) ||
		!sla_same_text(expected->calendar, logged->calendar) ||
		expected->goal_days != logged->goal_days ||
		expected->goal_microseconds != logged->goal_microseconds ||
		expected->started_at != logged->started_at ||
		expected->strict != logged->strict || expected->fixed != logged->fixed ||
		/* That is moved by hand only, and what had been counted by then stays all the same. */
		(expected->fixed && expected->deadline != logged->deadline))
		return false;

	missed = logged->outcome == SLA_MISSED ||
		(logged->outcome == SLA_OPEN && sla_row_is_missed(logged, GetCurrentTimestamp()));
	if (missed)
	{
		/*
		 * What happens after it was late changes nothing about it.  It went on
		 * counting then, after the deadline or the end of a pause that had begun
		 * in time; a pause or a stop at that very instant would have been in time.
		 */
		TimestampTz until = sla_missed_after(logged->deadline, logged->counted, logged->ncounted, logged->running,
											 logged->running_since, logged->strict, logged->fixed);

		if (until < SLA_FOREVER)
			until++;

		if (!same_until(expected, logged, until) ||
			(expected->outcome != SLA_OPEN && expected->closed_at < until))
			return false;
		/* One that had ended, in the future, and has not any more: has it come to a verdict by now? */
		if (expected->outcome == SLA_OPEN && logged->outcome != SLA_OPEN)
		{
			SlaLogRow	kept = *expected;

			kept.deadline = logged->deadline;
			if (!sla_row_is_missed(&kept, GetCurrentTimestamp()))
				return false;
		}
	}
	else if (logged->outcome == SLA_OPEN || expected->outcome == SLA_OPEN ||
			 expected->closed_at != logged->closed_at || !sla_same_counted(expected, logged) ||
			 !sla_same_text(expected->reason, logged->reason))
		return false;

	differs = expected->deadline != logged->deadline;
	expected->deadline = logged->deadline;
	expected->computed_at = logged->computed_at;
	if (logged->outcome != SLA_OPEN && expected->outcome != SLA_OPEN)
		expected->outcome = logged->outcome;
	else if (missed && expected->outcome != SLA_OPEN)
		expected->outcome = SLA_MISSED;
	if (differs)
		sla_row_held(expected);
	if (sla_same_counted(expected, logged))
		expected->elapsed = logged->elapsed;
	return differs;
}

const char *
sla_log_difference(const SlaLogRow *a, const SlaLogRow *b)
{
	if (a->cycle != b->cycle)
		return "cycle";
	if (!sla_same_text(a->level, b->level))
		return "level";
	if (!sla_same_text(a->calendar, b->calendar))
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
	if (a->strict != b->strict)
		return "deadline_excluded";
	if (a->fixed != b->fixed)
		return "fixed";
	if (!sla_same_text(a->reason, b->reason))
		return "reason";
	if (!sla_same_text(a->department, b->department))
		return "department";
	if (!sla_same_text(a->agent, b->agent))
		return "agent";
	return NULL;
}

/* The columns that an update leaves alone: the key, and what others keep there. */
static const bool replaced_columns[LOG_COLUMNS] = {
	[LOG_LEVEL] = true, [LOG_CYCLE] = true, [LOG_CALENDAR] = true, [LOG_DEPARTMENT] = true, [LOG_AGENT] = true,
	[LOG_GOAL] = true, [LOG_STARTED_AT] = true, [LOG_COUNTED] = true, [LOG_RUNNING_SINCE] = true,
	[LOG_DEADLINE] = true, [LOG_CLOSED_AT] = true, [LOG_OUTCOME] = true, [LOG_REASON] = true,
	[LOG_ELAPSED] = true, [LOG_COMPUTED_AT] = true, [LOG_DEADLINE_EXCLUDED] = true, [LOG_FIXED] = true
};

/* A row's values for the columns of the table, all but its id. */
typedef struct LogValues
{
	Datum		values[LOG_COLUMNS];
	bool		nulls[LOG_COLUMNS];
	Interval	goal;
	Interval	elapsed;
} LogValues;

static void
fill_values(LogValues *to, const char *source, const char *ticket, const SlaLogRow *row)
{
	memset(to, 0, sizeof(LogValues));
	to->goal.day = row->goal_days;
	to->goal.time = row->goal_microseconds;
	to->elapsed.time = row->elapsed;
	to->nulls[LOG_ID] = true;
	to->values[LOG_SOURCE] = CStringGetTextDatum(source);
	to->values[LOG_TICKET] = CStringGetTextDatum(ticket);
	to->values[LOG_AGREEMENT] = CStringGetTextDatum(sla_agreement_names[row->agreement]);
	to->values[LOG_LEVEL] = CStringGetTextDatum(row->level);
	to->values[LOG_METRIC] = CStringGetTextDatum(row->metric);
	to->values[LOG_ORDINAL] = Int32GetDatum(row->ordinal);
	to->values[LOG_CYCLE] = Int32GetDatum(row->cycle);
	to->values[LOG_CALENDAR] = CStringGetTextDatum(row->calendar);
	to->values[LOG_DEPARTMENT] = sla_text_or_null(row->department, &to->nulls[LOG_DEPARTMENT]);
	to->values[LOG_AGENT] = sla_text_or_null(row->agent, &to->nulls[LOG_AGENT]);
	to->values[LOG_GOAL] = IntervalPGetDatum(&to->goal);
	to->values[LOG_STARTED_AT] = TimestampTzGetDatum(row->started_at);
	to->values[LOG_COUNTED] = sla_stretches_to_multirange(row->counted, row->ncounted);
	to->values[LOG_RUNNING_SINCE] = TimestampTzGetDatum(row->running_since);
	to->nulls[LOG_RUNNING_SINCE] = !row->running;
	to->values[LOG_DEADLINE] = TimestampTzGetDatum(row->deadline);
	to->values[LOG_CLOSED_AT] = TimestampTzGetDatum(row->closed_at);
	to->nulls[LOG_CLOSED_AT] = row->outcome == SLA_OPEN;
	to->values[LOG_OUTCOME] = sla_text_or_null(outcome_names[row->outcome], &to->nulls[LOG_OUTCOME]);
	to->values[LOG_REASON] = sla_text_or_null(row->reason, &to->nulls[LOG_REASON]);
	to->values[LOG_ELAPSED] = IntervalPGetDatum(&to->elapsed);
	to->values[LOG_COMPUTED_AT] = TimestampTzGetDatum(row->computed_at);
	to->values[LOG_DEADLINE_EXCLUDED] = BoolGetDatum(row->strict);
	to->values[LOG_FIXED] = BoolGetDatum(row->fixed);
}

/* By SPI, for a table that cannot be written directly. $1 stands for the first column, and so on. */
static void
execute_with(SPIPlanPtr *plan, const char *statement, LogValues *row)
{
	static const Oid types[] = {
		INT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, INT4OID, TEXTOID,
		TEXTOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID, TSTZMULTIRANGEOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
		TIMESTAMPTZOID, TEXTOID, TEXTOID, INTERVALOID, TIMESTAMPTZOID, BOOLOID, BOOLOID
	};
	char		nulls[LOG_COLUMNS];

	StaticAssertStmt(lengthof(types) == LOG_COLUMNS, "a type for each column");
	for (int i = 0; i < LOG_COLUMNS; i++)
		nulls[i] = row->nulls[i] ? 'n' : ' ';
	SPI_connect();
	sla_execute_newest(plan, statement, lengthof(types), types, row->values, nulls);
	SPI_finish();
}

void
sla_insert_log_row(const char *source, const char *ticket, const SlaLogRow *row)
{
	static SPIPlanPtr plan = NULL;
	bool		opened = sla_store_open();
	LogValues	new;

	fill_values(&new, source, ticket, row);
	if (sla_store_direct(SLA_STORE_LOG))
	{
		new.values[LOG_ID] = Int64GetDatum(sla_store_next_id(SLA_STORE_LOG));
		new.nulls[LOG_ID] = false;
		sla_store_insert(SLA_STORE_LOG, new.values, new.nulls);
	}
	else
		execute_with(&plan, "INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar,"
					 " department, agent, goal, started_at, counted, running_since, deadline, closed_at, outcome,"
					 " reason, elapsed, computed_at, deadline_excluded, fixed) VALUES"
					 " ($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23)", &new);
	sla_summary_log_written(source, NULL, row);
	sla_store_close(opened);
}

void
sla_update_log_row(const char *source, const char *ticket, const SlaLogRow *row,
				   const SlaLogRow *former)
{
	static SPIPlanPtr plan = NULL;
	bool		opened = sla_store_open();
	LogValues	new;

	fill_values(&new, source, ticket, row);
	if (sla_store_direct(SLA_STORE_LOG))
		sla_store_update(SLA_STORE_LOG, &former->tid, new.values, new.nulls, replaced_columns);
	else
		execute_with(&plan, "UPDATE sla.log SET level = $5, cycle = $8, calendar = $9, department = $10, agent = $11,"
					 " goal = $12, started_at = $13, counted = $14, running_since = $15, deadline = $16, closed_at = $17,"
					 " outcome = $18, reason = $19, elapsed = $20, computed_at = $21, deadline_excluded = $22, fixed = $23"
					 " WHERE source OPERATOR(pg_catalog.=) $2 AND ticket OPERATOR(pg_catalog.=) $3"
					 " AND agreement OPERATOR(pg_catalog.=) $4 AND metric OPERATOR(pg_catalog.=) $6"
					 " AND ordinal OPERATOR(pg_catalog.=) $7", &new);
	sla_summary_log_written(source, former, row);
	sla_store_close(opened);
}

void
sla_delete_log_row(const char *source, const char *ticket, const SlaLogRow *former)
{
	static SPIPlanPtr plan = NULL;
	bool		opened = sla_store_open();

	if (sla_store_direct(SLA_STORE_LOG))
		sla_store_delete(SLA_STORE_LOG, &former->tid);
	else
	{
		LogValues	key;

		fill_values(&key, source, ticket, former);
		execute_with(&plan, "DELETE FROM sla.log WHERE source OPERATOR(pg_catalog.=) $2"
					 " AND ticket OPERATOR(pg_catalog.=) $3 AND agreement OPERATOR(pg_catalog.=) $4"
					 " AND metric OPERATOR(pg_catalog.=) $6 AND ordinal OPERATOR(pg_catalog.=) $7", &key);
	}
	sla_summary_log_written(source, former, NULL);
	sla_store_close(opened);
}

void
sla_write_log(const char *source, const char *ticket, SlaLog *expected, const SlaLog *logged)
{
	for (int i = 0; i < logged->nrows; i++)
		if (sla_log_find(expected, &logged->rows[i]) == NULL)
			sla_delete_log_row(source, ticket, &logged->rows[i]);
	for (int i = 0; i < expected->nrows; i++)
	{
		SlaLogRow  *row = &expected->rows[i];
		SlaLogRow  *former = sla_log_find(logged, row);

		if (former != NULL)
		{
			sla_keep_verdict(row, former);
			if (sla_log_difference(row, former) != NULL)
				sla_update_log_row(source, ticket, row, former);
		}
		else
			sla_insert_log_row(source, ticket, row);
	}
}

void
sla_log_values(int64 id, const char *source, const char *ticket, const SlaLogRow *row,
			   Datum *values, bool *nulls)
{
	LogValues  *new = palloc(sizeof(LogValues));

	fill_values(new, source, ticket, row);
	memcpy(values, new->values, sizeof(new->values));
	memcpy(nulls, new->nulls, sizeof(new->nulls));
	values[LOG_ID] = Int64GetDatum(id);
	nulls[LOG_ID] = false;
}
