/*
 * summary.c
 *		Kept summaries of compliance, which are exact at any moment.
 *
 * sla.summary holds counts and sums by the local day of the verdict, for the
 * days before sla.summary_state.summarized.  Reports read it for those days,
 * and the log for the later ones and for days with a mark in sla.summary_mark.
 *
 * Whoever writes a row of the log whose verdict falls, fell or will fall by
 * itself before the day sla.summary_state.announced marks that day, in the same
 * transaction.  CALL sla.summarize() first announces a day and commits; then it
 * waits for the transactions that may have begun to write before they could
 * know, without making anybody wait behind it; then it summarises what was
 * announced, in one statement for some days at a time.  So all that such a
 * statement does not see is written by those who leave a mark, and a mark that
 * it does not see stays.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "now.h"
#include "statement.h"
#include "store.h"
#include "summary.h"

SLA_FUNCTION(sla_interval_microseconds);
SLA_FUNCTION(sla_microseconds_interval);
SLA_FUNCTION(sla_is_as_of);
SLA_FUNCTION(sla_summary_note);
SLA_FUNCTION(sla_summarize);

/* Columns of sla.summary_state, in the order of src/sql/summary.sql. */
enum
{
	STATE_SINGLE, STATE_ANNOUNCED, STATE_SUMMARIZED, STATE_CALENDARS_AT, STATE_SUMMARIZED_AT
};

/* Days between the date at Greenwich and that of any place. */
#define ZONE_DAYS 1

/*
 * Verdicts on earlier days must be marked; DATEVAL_NOBEGIN: none.  Good until
 * the table changes, of which the relcache callback tells.
 */
static DateADT announced = DATEVAL_NOBEGIN;
static TimestampTz announced_instant;	/* no earlier day ends later anywhere */
static Oid	state_relid = InvalidOid;

static void
state_changed(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == state_relid)
		state_relid = InvalidOid;
}

void
sla_summary_init(void)
{
	CacheRegisterRelcacheCallback(state_changed, (Datum) 0);
}

/* Read the newest state, whatever the transaction's snapshot. */
static void
read_state(void)
{
	Oid			relid = get_relname_relid("summary_state", get_namespace_oid(SLA_SCHEMA, false));
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	DateADT		day = DATEVAL_NOBEGIN;

	/* Whatever changes from now on is heard of. */
	rel = table_open(relid, AccessShareLock);
	state_relid = relid;
	scan = systable_beginscan(rel, InvalidOid, false, NULL, 0, NULL);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		Datum		value = heap_getattr(tuple, STATE_ANNOUNCED + 1, RelationGetDescr(rel), &isnull);

		if (!isnull)
			day = DatumGetDateADT(value);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);

	announced = day;
	if (!DATE_NOT_FINITE(day))
		announced_instant = ((TimestampTz) day + ZONE_DAYS) * USECS_PER_DAY;
}

/* Might a verdict at an instant be of a day that was announced? */
static inline bool
is_announced(TimestampTz instant)
{
	if (unlikely(!OidIsValid(state_relid)))
		read_state();
	return announced != DATEVAL_NOBEGIN && instant < announced_instant &&
		!TIMESTAMP_NOT_FINITE(instant);
}

/* As the owner of our tables. */
static void
mark(const char *source, const char *calendar, TimestampTz instant)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, DATEOID};
	Datum		values[lengthof(types)];

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(calendar);
	values[2] = TimestampTzGetDatum(instant);
	values[3] = DateADTGetDatum(announced);
	SPI_connect();
	sla_execute(&plan, "INSERT INTO sla.summary_mark (source, day, xact)"
				" SELECT $1, d.day, pg_catalog.pg_current_xact_id()"
				" FROM (SELECT sla.local_date($2, $3) AS day) AS d"
				" WHERE d.day OPERATOR(pg_catalog.<) $4 ON CONFLICT DO NOTHING",
				lengthof(types), types, values, NULL);
	SPI_finish();
}

/* When the verdict of a row fell, or will fall by itself. */
static inline TimestampTz
verdict_instant(const SlaLogRow *row)
{
	switch (row->outcome)
	{
		case SLA_MET:
			return row->closed_at;
		case SLA_OPEN:
		case SLA_MISSED:
			return row->deadline;
		case SLA_CANCELLED:
		case SLA_SUPERSEDED:
			break;
	}
	return DT_NOEND;
}

void
sla_summary_log_written(const char *source, const SlaLogRow *former, const SlaLogRow *row)
{
	if (former != NULL && is_announced(verdict_instant(former)))
		mark(source, former->calendar, verdict_instant(former));
	if (row != NULL && is_announced(verdict_instant(row)))
		mark(source, row->calendar, verdict_instant(row));
}

/*
 * sla.summary_note(source text, calendar text, verdict_at timestamptz)
 *
 * The same for statements that write the log or what belongs to it: called
 * for each row that was, or is.  Arguments that are NULL: nothing to tell.
 */
Datum
sla_summary_note(PG_FUNCTION_ARGS)
{
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(2);

	LockRelationOid(sla_log_relid(), RowExclusiveLock);
	if (is_announced(instant))
	{
		SlaOwner	caller;

		sla_owner_enter(&caller);
		mark(text_to_cstring(PG_GETARG_TEXT_PP(0)), text_to_cstring(PG_GETARG_TEXT_PP(1)), instant);
		sla_owner_leave(&caller);
	}
	PG_RETURN_VOID();
}

/*
 * The one value that a step of sla.summarize() gives, as text in a memory
 * context; the step runs as the owner of our tables.
 */
static char *
step(MemoryContext context, const char *statement, int nargs, Oid *types, Datum *values,
	 const char *nulls)
{
	SlaOwner	caller;
	char	   *result;

	sla_owner_enter(&caller);
	if (SPI_execute_with_args(statement, nargs, types, values, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not execute \"%s\"", statement);
	result = MemoryContextStrdup(context, SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
	sla_owner_leave(&caller);
	return result;
}

/*
 * PROCEDURE sla.summarize(upto date, rebuild boolean)
 *
 * Summarise the days before upto, NULL: all that are over everywhere.  Commits
 * between its steps.
 */
Datum
sla_summarize(PG_FUNCTION_ARGS)
{
	Oid			types[] = {DATEOID, BOOLOID};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	char		nulls[] = {PG_ARGISNULL(0) ? 'n' : ' ', PG_ARGISNULL(1) ? 'n' : ' '};
	bool		atomic = fcinfo->context == NULL || !IsA(fcinfo->context, CallContext) ||
		castNode(CallContext, fcinfo->context)->atomic;
	MemoryContext context = CurrentMemoryContext;
	char	   *announcement;
	char	   *more;
	TimestampTz instant;
	LOCKTAG		log;

	if (atomic)
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("sla.summarize cannot be called within a transaction"),
				 errhint("It commits between its steps. Call it alone.")));
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.summarize needs the isolation level READ COMMITTED")));
	if (sla_now_is_set(&instant))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("sla.summarize goes by the present, and pg_sla.now is set"),
				 errhint("RESET pg_sla.now.")));

	SPI_connect_ext(SPI_OPT_NONATOMIC);
	announcement = step(context, "SELECT sla.summary_announce($1, $2)", 2, types, values, nulls);
	SPI_commit();

	/* Who may not have heard of it yet. */
	SET_LOCKTAG_RELATION(log, MyDatabaseId, sla_log_relid());
	WaitForLockers(log, ShareLock, false);

	types[0] = TEXTOID;
	do
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = CStringGetTextDatum(announcement);
		more = step(context, "SELECT sla.summary_step($1::pg_catalog.xid8)", 1, types, values, NULL);
		SPI_commit();
	}
	while (more[0] == 't');
	SPI_finish();
	PG_RETURN_VOID();
}

/*
 * sla.is_as_of() RETURNS boolean: is pg_sla.now set?
 */
Datum
sla_is_as_of(PG_FUNCTION_ARGS)
{
	TimestampTz instant;

	PG_RETURN_BOOL(sla_now_is_set(&instant));
}

/*
 * sla.interval_microseconds(interval) RETURNS bigint, of an interval of time
 * alone, as those of the log are; and back.
 */
Datum
sla_interval_microseconds(PG_FUNCTION_ARGS)
{
	const Interval *interval = PG_GETARG_INTERVAL_P(0);

	if (interval->day != 0 || interval->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("interval \"%s\" is not of hours alone",
						DatumGetCString(DirectFunctionCall1(interval_out, PG_GETARG_DATUM(0))))));
	PG_RETURN_INT64(interval->time);
}

Datum
sla_microseconds_interval(PG_FUNCTION_ARGS)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = PG_GETARG_INT64(0);
	PG_RETURN_INTERVAL_P(interval);
}
