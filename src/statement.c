/*
 * statement.c
 *		Statements on our own tables.
 */
#include "pg_sla.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "statement.h"

Oid
sla_log_relid(void)
{
	Oid			namespace = get_namespace_oid(SLA_SCHEMA, true);
	Oid			relid = OidIsValid(namespace) ? get_relname_relid("log", namespace) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"%s.log\" does not exist", SLA_SCHEMA),
				 errhint("Run CREATE EXTENSION pg_sla in this database.")));
	return relid;
}

void
sla_owner_enter(SlaOwner *saved)
{
	Relation	log = table_open(sla_log_relid(), AccessShareLock);
	Oid			owner = log->rd_rel->relowner;

	table_close(log, NoLock);
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
sla_read_newest(SPIPlanPtr *plan, const char *statement, int nargs, const Oid *types,
				Datum *values)
{
	MemoryContext caller = CurrentMemoryContext;
	int			result;

	prepare(plan, statement, nargs, types);
	result = SPI_execute_snapshot(*plan, values, NULL, GetLatestSnapshot(), InvalidSnapshot,
								  true, false, 0);
	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
	MemoryContextSwitchTo(caller);
}

char *
sla_column_text(HeapTuple tuple, TupleDesc tupdesc, int column)
{
	bool		isnull;
	Datum		value = SPI_getbinval(tuple, tupdesc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}
