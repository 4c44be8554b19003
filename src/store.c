/*
 * store.c
 *		Rows of the tables below the clocks, without SPI.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "store.h"

void
sla_scan_ticket(SlaTicketScan *scan, const char *table, int columns, int source_column,
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

bool
sla_scan_next(SlaTicketScan *scan)
{
	HeapTuple	tuple = systable_getnext(scan->scan);

	if (!HeapTupleIsValid(tuple))
		return false;
	heap_deform_tuple(tuple, RelationGetDescr(scan->rel), scan->values, scan->nulls);
	return true;
}

void
sla_scan_end(SlaTicketScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
	pfree(scan->values);
	pfree(scan->nulls);
}

const char *
sla_scan_text(const SlaTicketScan *scan, int column)
{
	return scan->nulls[column] ? NULL : TextDatumGetCString(scan->values[column]);
}
