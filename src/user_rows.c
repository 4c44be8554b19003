/*
 * user_rows.c
 *		Rows of users' tables by the keys of many tickets, for compiled expressions.
 *
 * Only the columns that some expression reads are asked for, so that long
 * texts stay where they are.  They are put back into a row of the relation's
 * own type, because that is what expressions were compiled for.
 *
 * The keys come as a constant array: a plan that is made for them may look up
 * a few by an index, or read the table once for many.
 */
#include "pg_sla.h"

#include "access/sysattr.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/typcache.h"

#include "statement.h"
#include "user_rows.h"

void
sla_reader_enter(SlaReader *saved, const SlaSource *source, Oid relid)
{
	sla_relation_owner_enter(&saved->environment, source, relid);
	saved->guc_nest_level = NewGUCNestLevel();
	(void) set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
sla_reader_leave(const SlaReader *saved)
{
	AtEOXact_GUC(false, saved->guc_nest_level);
	sla_environment_leave(&saved->environment);
}

Datum
sla_ticket_array(const char *const *tickets, int n)
{
	Datum	   *elements = palloc(n * sizeof(Datum) + 1);

	for (int i = 0; i < n; i++)
		elements[i] = CStringGetTextDatum(tickets[i]);
	return PointerGetDatum(construct_array(elements, n, TEXTOID, -1, false, TYPALIGN_INT));
}

/*
 * Triggers are not inherited by the children of a plain table.  So its rows are
 * those of the tables that have the source's trigger; 0 when it has no children.
 */
static Datum
tables_with_trigger(Relation rel, const SlaSource *source, int stream)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {BYTEAOID};
	StringInfoData arguments;
	Datum		values[1];
	Datum		tables;
	bool		isnull;

	if (rel->rd_rel->relkind != RELKIND_RELATION || !has_subclass(RelationGetRelid(rel)))
		return (Datum) 0;
	initStringInfo(&arguments);
	appendBinaryStringInfo(&arguments, source->name, strlen(source->name) + 1);
	appendStringInfo(&arguments, "%d", stream);
	arguments.len++;			/* the terminator counts */
	values[0] = PointerGetDatum(cstring_to_text_with_len(arguments.data, arguments.len));
	sla_read_newest(&plan, "SELECT COALESCE(pg_catalog.array_agg(g.tgrelid), '{}') FROM pg_catalog.pg_trigger AS g"
					" WHERE g.tgfoid OPERATOR(pg_catalog.=) 'sla.track_row()'::pg_catalog.regprocedure"
					" AND g.tgargs OPERATOR(pg_catalog.=) $1", 1, types, values);
	tables = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return PointerGetDatum(DatumGetArrayTypePCopy(tables));
}

SlaUserRows *
sla_user_rows(Relation rel, const SlaSource *source, int stream, const char *key, const Bitmapset *read)
{
	SlaUserRows *rows = palloc0(sizeof(SlaUserRows));
	TupleDesc	tupdesc = RelationGetDescr(rel);
	bool		whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, read);
	StringInfoData columns;

	rows->rel = rel;
	rows->source = source;
	rows->key = key;
	rows->attributes = palloc(tupdesc->natts * sizeof(AttrNumber) + 1);
	initStringInfo(&columns);
	if (key != NULL)
		appendStringInfo(&columns, "CAST(t.%s AS pg_catalog.text)", quote_identifier(key));
	else
		appendStringInfoString(&columns, "NULL::pg_catalog.text");
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped ||
			(!whole_row && !bms_is_member(attribute->attnum - FirstLowInvalidHeapAttributeNumber, read)))
			continue;
		appendStringInfo(&columns, ", t.%s", quote_identifier(NameStr(attribute->attname)));
		rows->attributes[rows->nattributes++] = attribute->attnum;
	}
	rows->columns = columns.data;
	rows->tables = tables_with_trigger(rel, source, stream);
	rows->slot = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);
	return rows;
}

/* "The key column is one of $1", in the column's own type where that can be compared. */
static char *
key_condition(const SlaUserRows *rows)
{
	const char *column = quote_identifier(rows->key);
	Oid			type = get_atttype(RelationGetRelid(rows->rel), get_attnum(RelationGetRelid(rows->rel), rows->key));
	Oid			array = get_array_type(type);
	const SlaSource *source = rows->source;
	Oid			ticket_type = get_atttype(source->ticket_table, get_attnum(source->ticket_table, source->ticket_key));

	/* Another type need not take every ticket's key. */
	if (OidIsValid(array) && type == ticket_type &&
		OidIsValid(lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr))
		return psprintf("t.%s = ANY (CAST($1 AS %s))", column, format_type_be_qualified(array));
	return psprintf("CAST(t.%s AS pg_catalog.text) OPERATOR(pg_catalog.=) ANY ($1)", column);
}

/* Run a query over the rows of the tickets; $2 are the tables that count. */
static void
read_rows(SlaUserRows *rows, const char *list, const char *lock, Datum tickets)
{
	Oid			types[] = {TEXTARRAYOID, OIDARRAYOID};
	Datum		values[] = {tickets, rows->tables};
	StringInfoData query;
	SlaReader	saved;
	int			result;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT %s FROM %s AS t WHERE %s%s%s", list,
					 sla_qualified_name(RelationGetRelid(rows->rel)),
					 rows->key != NULL ? key_condition(rows) : "true",
					 rows->tables != (Datum) 0 ? " AND t.tableoid OPERATOR(pg_catalog.=) ANY ($2)" : "", lock);
	/* What shall be written is what its owner can see. */
	if (lock[0] != '\0')
		sla_relation_owner_enter(&saved.environment, rows->source, RelationGetRelid(rows->rel));
	else
		sla_reader_enter(&saved, rows->source, RelationGetRelid(rows->rel));
	PushActiveSnapshot(GetLatestSnapshot());
	result = SPI_execute_with_args(query.data, lengthof(types), types, values,
								   rows->tables != (Datum) 0 ? NULL : " n", lock[0] == '\0', 0);
	PopActiveSnapshot();
	if (lock[0] != '\0')
		sla_environment_leave(&saved.environment);
	else
		sla_reader_leave(&saved);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not read rows: %s", SPI_result_code_string(result));
	rows->rows = SPI_tuptable;
	rows->n = SPI_processed;
	pfree(query.data);
}

void
sla_read_user_rows(SlaUserRows *rows, Datum tickets)
{
	MemoryContext caller = CurrentMemoryContext;

	read_rows(rows, rows->columns, "", tickets);
	MemoryContextSwitchTo(caller);
}

void
sla_lock_user_rows(SlaUserRows *rows, Datum tickets)
{
	MemoryContext caller = CurrentMemoryContext;

	read_rows(rows, psprintf("CAST(t.%s AS pg_catalog.text)", quote_identifier(rows->key)),
			  " FOR NO KEY UPDATE OF t SKIP LOCKED", tickets);
	MemoryContextSwitchTo(caller);
}

void
sla_free_user_rows(SlaUserRows *rows)
{
	ExecClearTuple(rows->slot);
	SPI_freetuptable(rows->rows);
	rows->rows = NULL;
	rows->n = 0;
}

const char *
sla_user_row(SlaUserRows *rows, uint64 i)
{
	HeapTuple	tuple = rows->rows->vals[i];
	TupleDesc	tupdesc = rows->rows->tupdesc;
	TupleTableSlot *slot = rows->slot;
	bool		isnull;
	Datum		key = SPI_getbinval(tuple, tupdesc, 1, &isnull);

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	for (int j = 0; j < rows->nattributes; j++)
	{
		int			column = rows->attributes[j] - 1;

		slot->tts_values[column] = SPI_getbinval(tuple, tupdesc, j + 2, &slot->tts_isnull[column]);
	}
	ExecStoreVirtualTuple(slot);
	return isnull ? NULL : TextDatumGetCString(key);
}

Portal
sla_ticket_keys(SlaUserRows *rows, const char *after)
{
	Oid			types[] = {TEXTOID, OIDARRAYOID};
	Datum		values[] = {after != NULL ? CStringGetTextDatum(after) : (Datum) 0, rows->tables};
	char		nulls[] = {after != NULL ? ' ' : 'n', rows->tables != (Datum) 0 ? ' ' : 'n', '\0'};
	const char *key = quote_identifier(rows->key);
	Oid			relid = RelationGetRelid(rows->rel);
	StringInfoData query;
	Portal		portal;
	SlaReader	saved;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT CAST(t.%s AS pg_catalog.text) FROM %s AS t WHERE true", key, sla_qualified_name(relid));
	if (after != NULL)
		appendStringInfo(&query, " AND t.%s > CAST($1 AS %s)", key,
						 format_type_be_qualified(get_atttype(relid, get_attnum(relid, rows->key))));
	if (rows->tables != (Datum) 0)
		appendStringInfoString(&query, " AND t.tableoid OPERATOR(pg_catalog.=) ANY ($2)");
	appendStringInfo(&query, " ORDER BY t.%s", key);
	sla_reader_enter(&saved, rows->source, relid);
	PushActiveSnapshot(GetLatestSnapshot());
	portal = SPI_cursor_open_with_args(NULL, query.data, lengthof(types), types, values, nulls, true, CURSOR_OPT_NO_SCROLL);
	PopActiveSnapshot();
	sla_reader_leave(&saved);
	return portal;
}
