/*
 * verify.c
 *		Is the log what its events give?
 */
#include "pg_sla.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "clock.h"
#include "promise.h"
#include "statement.h"
#include "store.h"

SLA_FUNCTION(sla_verify);

#define VERIFY_COLUMNS 7

/* Tickets read at a time. */
#define VERIFY_BATCH 1000

typedef struct Report
{
	Tuplestorestate *store;
	TupleDesc	tupdesc;
} Report;

static void
report(Report *to, const char *ticket, const SlaLogRow *row, const char *problem,
	   const char *logged, const char *expected)
{
	Datum		values[VERIFY_COLUMNS];
	bool		nulls[VERIFY_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(ticket);
	values[1] = CStringGetTextDatum(sla_agreement_names[row->agreement]);
	values[2] = CStringGetTextDatum(row->metric);
	values[3] = Int32GetDatum(row->ordinal);
	values[4] = CStringGetTextDatum(problem);
	values[5] = logged ? CStringGetTextDatum(logged) : (nulls[5] = true, (Datum) 0);
	values[6] = expected ? CStringGetTextDatum(expected) : (nulls[6] = true, (Datum) 0);
	tuplestore_putvalues(to->store, to->tupdesc, values, nulls);
}

static char *
interval_text(int32 days, int64 microseconds)
{
	Interval	interval = {.day = days, .time = microseconds};

	return DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(&interval)));
}

static const char *
instant_text(TimestampTz instant)
{
	return pstrdup(timestamptz_to_str(instant));
}

/* The value of a column by the name that sla_log_difference gave. */
static const char *
column_value(const SlaLogRow *row, const char *column)
{
	StringInfoData text;

	if (strcmp(column, "cycle") == 0)
		return psprintf("%d", row->cycle);
	if (strcmp(column, "level") == 0)
		return row->level;
	if (strcmp(column, "calendar") == 0)
		return row->calendar;
	if (strcmp(column, "goal") == 0)
		return interval_text(row->goal_days, row->goal_microseconds);
	if (strcmp(column, "started_at") == 0)
		return instant_text(row->started_at);
	if (strcmp(column, "running_since") == 0)
		return row->running ? instant_text(row->running_since) : NULL;
	if (strcmp(column, "deadline") == 0)
		return instant_text(row->deadline);
	if (strcmp(column, "outcome") == 0)
		return sla_outcome_name(row->outcome);
	if (strcmp(column, "closed_at") == 0)
		return row->outcome != SLA_OPEN ? instant_text(row->closed_at) : NULL;
	if (strcmp(column, "reason") == 0)
		return row->reason;
	if (strcmp(column, "department") == 0)
		return row->department;
	if (strcmp(column, "agent") == 0)
		return row->agent;
	if (strcmp(column, "deadline_excluded") == 0)
		return row->strict ? "true" : "false";
	if (strcmp(column, "fixed") == 0)
		return row->fixed ? "true" : "false";
	if (strcmp(column, "elapsed") == 0)
		return interval_text(0, row->elapsed);

	initStringInfo(&text);
	for (int i = 0; i < row->ncounted; i++)
		appendStringInfo(&text, "%s[%s, %s)", i > 0 ? ", " : "",
						 instant_text(row->counted[i].from), instant_text(row->counted[i].to));
	return text.data;
}

/* When a calendar was last edited; long ago when it is gone.  As it is now, like the calendar itself. */
static TimestampTz
calendar_changed_at(const char *calendar)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(calendar)};
	TimestampTz changed_at = DT_NOBEGIN;
	bool		isnull;

	sla_read_newest(&plan, "SELECT changed_at FROM sla.calendar WHERE name OPERATOR(pg_catalog.=) $1",
					1, types, values);
	if (SPI_processed > 0)
		changed_at = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return changed_at;
}

const char *
sla_settle_row(SlaLogRow *expected, const SlaLogRow *logged)
{
	SlaLogRow	now = *expected;
	const char *column;

	sla_keep_verdict(expected, logged);
	/* By the same deadline there is one verdict. */
	if (now.deadline == logged->deadline)
		expected->outcome = now.outcome;
	column = sla_log_difference(expected, logged);
	if (column == NULL && (now.deadline != logged->deadline || now.elapsed != logged->elapsed) &&
		calendar_changed_at(logged->calendar) < logged->computed_at)
	{
		/* No edit of the calendar explains it. */
		*expected = now;
		column = now.deadline != logged->deadline ? "deadline" : "elapsed";
	}
	return column;
}

static void
verify_row(Report *to, const char *ticket, SlaLogRow *expected, const SlaLogRow *logged)
{
	const char *column = sla_settle_row(expected, logged);

	if (column != NULL)
		report(to, ticket, logged, column, column_value(logged, column), column_value(expected, column));
}

static void
verify_ticket(Report *to, const char *source, const char *ticket)
{
	SlaLog		expected;
	SlaLog		logged;
	uint64		generation;

	/*
	 * One snapshot for both, or another session's commit would look like a
	 * difference, and the newest, since calendars are as they are now.
	 */
	do
	{
		Snapshot	snapshot;

		sla_config_relid(SLA_TABLE_CALENDAR);
		AcceptInvalidationMessages();
		generation = sla_calendar_generation;
		snapshot = sla_store_newest();
		sla_replay_ticket(source, ticket, snapshot, &expected);
		sla_read_log(source, ticket, snapshot, &logged);
		UnregisterSnapshot(snapshot);
		AcceptInvalidationMessages();
	} while (generation != sla_calendar_generation);
	for (int i = 0; i < expected.nrows; i++)
	{
		const SlaLogRow *row = sla_log_find(&logged, &expected.rows[i]);

		if (row == NULL)
			report(to, ticket, &expected.rows[i], "missing", NULL, "a row");
		else
			verify_row(to, ticket, &expected.rows[i], row);
	}
	for (int i = 0; i < logged.nrows; i++)
		if (sla_log_find(&expected, &logged.rows[i]) == NULL)
			report(to, ticket, &logged.rows[i], "unexpected", "a row", NULL);
}

/*
 * sla.verify(source): a row for each row of the log that is not what its
 * events give.  Tickets that have a log but no events are found as well.
 */
Datum
sla_verify(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const char *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source)};
	MemoryContext caller;
	MemoryContext per_ticket;
	Report		to;
	SlaOwner	owner;
	Portal		portal;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.verify must be called where a set of rows can be taken")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &to.tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.verify must return rows");
	to.tupdesc = CreateTupleDescCopy(to.tupdesc);
	to.store = tuplestore_begin_heap(true, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = to.store;
	result->setDesc = to.tupdesc;
	MemoryContextSwitchTo(caller);

	sla_owner_enter(&owner);
	SPI_connect();
	per_ticket = AllocSetContextCreate(CurrentMemoryContext, "pg_sla verification", ALLOCSET_DEFAULT_SIZES);
	PushActiveSnapshot(GetLatestSnapshot());
	portal = SPI_cursor_open_with_args(NULL,
									   "SELECT ticket FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
									   " UNION SELECT ticket FROM sla.log WHERE source OPERATOR(pg_catalog.=) $1"
									   " UNION SELECT ticket FROM sla.event WHERE source OPERATOR(pg_catalog.=) $1"
									   " ORDER BY 1",
									   1, types, values, NULL, true, 0);
	PopActiveSnapshot();
	for (;;)
	{
		SPITupleTable *batch;
		uint64		n;

		SPI_cursor_fetch(portal, true, VERIFY_BATCH);
		batch = SPI_tuptable;
		n = SPI_processed;
		if (n == 0)
			break;
		sla_promises_refresh();
		for (uint64 i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			caller = MemoryContextSwitchTo(per_ticket);
			verify_ticket(&to, source, SPI_getvalue(batch->vals[i], batch->tupdesc, 1));
			MemoryContextSwitchTo(caller);
			MemoryContextReset(per_ticket);
		}
		SPI_freetuptable(batch);
	}
	SPI_cursor_close(portal);
	SPI_finish();
	sla_owner_leave(&owner);
	return (Datum) 0;
}
