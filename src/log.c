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

/* Columns of sla.log, likewise. */
enum
{
	LOG_ID, LOG_SOURCE, LOG_TICKET, LOG_AGREEMENT, LOG_LEVEL, LOG_METRIC, LOG_ORDINAL, LOG_CYCLE, LOG_CALENDAR,
	LOG_DEPARTMENT, LOG_AGENT, LOG_GOAL, LOG_STARTED_AT, LOG_COUNTED, LOG_RUNNING_SINCE, LOG_DEADLINE,
	LOG_CLOSED_AT, LOG_OUTCOME, LOG_REASON, LOG_ELAPSED, LOG_COMPUTED_AT,
	LOG_COLUMNS
};

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
	sla_scan_ticket(&scan, "log", LOG_COLUMNS, LOG_SOURCE, source, ticket, snapshot);
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

	if (!sla_same_text(expected->level, logged->level) ||
		!sla_same_text(expected->calendar, logged->calendar) ||
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
	if (!sla_same_text(a->reason, b->reason))
		return "reason";
	if (!sla_same_text(a->department, b->department))
		return "department";
	if (!sla_same_text(a->agent, b->agent))
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
	values[12] = sla_stretches_to_multirange(row->counted, row->ncounted);
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

void
sla_insert_log_row(const char *source, const char *ticket, const SlaLogRow *row)
{
	write_row(source, ticket, row, false);
}

void
sla_update_log_row(const char *source, const char *ticket, const SlaLogRow *row,
				   const SlaLogRow *former)
{
	write_row(source, ticket, row, true);
}

void
sla_delete_log_row(const char *source, const char *ticket, const SlaLogRow *former)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID};
	Datum		values[lengthof(types)];

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(sla_agreement_names[former->agreement]);
	values[3] = CStringGetTextDatum(former->metric);
	values[4] = Int32GetDatum(former->ordinal);
	sla_execute(&plan, "DELETE FROM sla.log WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2"
			" AND agreement OPERATOR(pg_catalog.=) $3 AND metric OPERATOR(pg_catalog.=) $4"
			" AND ordinal OPERATOR(pg_catalog.=) $5", lengthof(types), types, values, NULL);
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
