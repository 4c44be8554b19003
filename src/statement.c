/*
 * statement.c
 *		Statements on our own tables.
 */
#include "pg_sla.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "statement.h"
#include "store.h"

void
sla_owner_enter(SlaOwner *saved)
{
	Oid			owner = sla_store_owner();

	GetUserIdAndSecContext(&saved->user, &saved->security_context);
	SetUserIdAndSecContext(owner, saved->security_context | SECURITY_LOCAL_USERID_CHANGE);
}

/* Not called after an error: the end of the (sub)transaction restores the user. */
void
sla_owner_leave(const SlaOwner *saved)
{
	SetUserIdAndSecContext(saved->user, saved->security_context);
}

static void
prepare(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types)
{
	SPIPlanPtr	prepared;

	if (*plan != NULL)
		return;
	prepared = SPI_prepare(statement, nargs, (Oid *) types);
	if (prepared == NULL || SPI_keepplan(prepared) != 0)
		elog(ERROR, "could not prepare \"%s\"", statement);
	*plan = prepared;
}

void
sla_execute(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
			Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result;

	prepare(plan, statement, nargs, types);
	result = SPI_execute_plan(*plan, values, nulls, false, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
}

void
sla_execute_newest(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
				 Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	Snapshot	crosscheck = IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot;
	int			result;

	prepare(plan, statement, nargs, types);
	result = SPI_execute_snapshot(*plan, values, nulls, GetLatestSnapshot(), crosscheck, false, true, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
}

void
sla_read(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
		 Datum *values, const char *nulls)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result;

	prepare(plan, statement, nargs, types);
	result = SPI_execute_plan(*plan, values, nulls, true, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
}

void
sla_execute_snapshot(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
					 Datum *values, Snapshot snapshot)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result;

	prepare(plan, statement, nargs, types);
	result = SPI_execute_snapshot(*plan, values, NULL, snapshot, InvalidSnapshot, true, false, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
}

void
sla_read_newest(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
				Datum *values)
{
	sla_execute_snapshot(plan, statement, nargs, types, values, GetLatestSnapshot());
}

char *
sla_column_text(HeapTuple tuple, TupleDesc tupdesc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, tupdesc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

Datum
sla_text_or_null(const char *string, bool *isnull)
{
	*isnull = string == NULL;
	return string != NULL ? CStringGetTextDatum(string) : (Datum) 0;
}
