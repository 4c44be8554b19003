/*
 * ticket_lock.c
 *		The row of a ticket is locked before its clocks are touched.
 *
 * By a scan of the key's index where that is all there is to do, since it comes
 * before every message; by a statement where the table has children, forced
 * row-level security or a key of another type than numbers, text and uuid.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/uuid.h"

#include "store.h"
#include "tracking.h"

static char *
lock_statement(const SlaSource *source)
{
	sla_watch_relation(source->ticket_table);
	return psprintf("SELECT 1 FROM %s AS t WHERE %s FOR NO KEY UPDATE", sla_qualified_name(source->ticket_table),
					sla_by_key(source->ticket_table, "t", source->ticket_key));
}

/*
 * Is a scan of the index all there is to do to find the row as the statement
 * finds it, and to lock it?  The statement is run as the table's owner.
 */
static bool
index_is_plain(Relation rel, Relation index, AttrNumber key)
{
	Form_pg_attribute column = TupleDescAttr(RelationGetDescr(rel), key - 1);
	Oid			owner = rel->rd_rel->relowner;

	return rel->rd_rel->relkind == RELKIND_RELATION && rel->rd_rel->relam == HEAP_TABLE_AM_OID &&
		!rel->rd_rel->relhassubclass &&
		!(rel->rd_rel->relrowsecurity && rel->rd_rel->relforcerowsecurity) &&
		pg_class_aclcheck(RelationGetRelid(rel), owner, ACL_SELECT) == ACLCHECK_OK &&
		pg_class_aclcheck(RelationGetRelid(rel), owner, ACL_UPDATE) == ACLCHECK_OK &&
		may_use_schema_compat(RelationGetNamespace(rel), owner) &&
		index->rd_index->indisunique && index->rd_index->indimmediate && !index->rd_index->indcheckxmin &&
		IndexRelationGetNumberOfKeyAttributes(index) == 1 && index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_opcintype[0] == (column->atttypid == VARCHAROID ? TEXTOID : column->atttypid) &&
		index->rd_opfamily[0] == get_opclass_family(GetDefaultOpClass(column->atttypid, BTREE_AM_OID)) &&
		index->rd_indcollation[0] == column->attcollation;
}

/*
 * Learn about the ticket's key: can a row be found by it without reading the
 * table, and how?  Looked at again when the table has changed since.
 */
static void
look_at_key(SlaTracked *tracked)
{
	const SlaSource *source = &tracked->about;
	AttrNumber	key;
	Relation	rel;
	List	   *indexes;
	ListCell   *cell;

	sla_watch_relation(source->ticket_table);
	tracked->key_has_index = false;
	tracked->key_index = InvalidOid;
	tracked->key_type = InvalidOid;
	rel = try_relation_open(source->ticket_table, AccessShareLock);
	tracked->key_generation = sla_rule_generation;
	if (rel == NULL)
		return;
	key = get_attnum(source->ticket_table, source->ticket_key);
	if (key > 0)
	{
		tracked->key_type = TupleDescAttr(RelationGetDescr(rel), key - 1)->atttypid;
		tracked->key_typmod = TupleDescAttr(RelationGetDescr(rel), key - 1)->atttypmod;
	}
	indexes = RelationGetIndexList(rel);
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (key > 0 && index->rd_index->indisvalid && index->rd_index->indkey.values[0] == key &&
			heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, NULL))
		{
			tracked->key_has_index = true;
			if (!OidIsValid(tracked->key_index) && index_is_plain(rel, index, key))
				tracked->key_index = lfirst_oid(cell);
		}
		index_close(index, NoLock);
	}
	list_free(indexes);
	relation_close(rel, NoLock);
}

/* Can the text be a key?  A message may name a ticket that cannot be; false when that is not known. */
static bool
can_be_key(Oid type, const char *ticket)
{
	char	   *end;
	long long	number;

	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return true;
		case INT2OID:
		case INT4OID:
		case INT8OID:
			errno = 0;
			number = strtoll(ticket, &end, 10);
			return errno == 0 && end > ticket && *end == '\0' &&
				(type == INT8OID ||
				 (type == INT4OID && number >= PG_INT32_MIN && number <= PG_INT32_MAX) ||
				 (number >= PG_INT16_MIN && number <= PG_INT16_MAX));
		case UUIDOID:
			return strlen(ticket) == 36 && strspn(ticket, "0123456789abcdef-") == 36 &&
				ticket[8] == '-' && ticket[13] == '-' && ticket[18] == '-' && ticket[23] == '-' &&
				strcspn(ticket + 24, "-") == 12 && strcspn(ticket, "-") == 8 &&
				strcspn(ticket + 9, "-") == 4 && strcspn(ticket + 14, "-") == 4 && strcspn(ticket + 19, "-") == 4;
		default:
			return false;
	}
}

/* The text as a value of the key's type and the operator that compares it; false where a cast is more than that. */
static bool
key_value(const SlaTracked *tracked, const char *ticket, Datum *value, RegProcedure *equal)
{
	switch (tracked->key_type)
	{
		case VARCHAROID:
			/* One that is too long would be cut. */
			if (tracked->key_typmod >= 0 && strlen(ticket) > tracked->key_typmod - VARHDRSZ)
				return false;
			/* FALLTHROUGH */
		case TEXTOID:
			*value = CStringGetTextDatum(ticket);
			*equal = F_TEXTEQ;
			return true;
		case INT2OID:
			*value = Int16GetDatum((int16) strtoll(ticket, NULL, 10));
			*equal = F_INT2EQ;
			return true;
		case INT4OID:
			*value = Int32GetDatum((int32) strtoll(ticket, NULL, 10));
			*equal = F_INT4EQ;
			return true;
		case INT8OID:
			*value = Int64GetDatum(strtoll(ticket, NULL, 10));
			*equal = F_INT8EQ;
			return true;
		case UUIDOID:
			*value = DirectFunctionCall1(uuid_in, CStringGetDatum(ticket));
			*equal = F_UUID_EQ;
			return true;
		default:
			return false;
	}
}

/*
 * Lock the row that an index finds, as SELECT ... FOR NO KEY UPDATE does: the
 * one that the transaction's snapshot shows, or where another transaction has
 * updated it, its last version; under REPEATABLE READ that is an error.  The
 * table is locked.
 */
static void
lock_by_index(const SlaTracked *tracked, Datum value, RegProcedure equal)
{
	Relation	rel = table_open(tracked->about.ticket_table, NoLock);
	Relation	index = index_open(tracked->key_index, AccessShareLock);
	Snapshot	snapshot;
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	ScanKeyData key;
	IndexScanDesc scan;

	PreventCommandDuringRecovery("SELECT FOR NO KEY UPDATE");
	PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	PreventCommandIfParallelMode("SELECT FOR NO KEY UPDATE");
	snapshot = RegisterSnapshot(GetTransactionSnapshot());
	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, index->rd_indcollation[0], equal, value);
	scan = index_beginscan_compat(rel, index, snapshot, 1, 0);
	index_rescan(scan, &key, 1, NULL, 0);
	if (index_getnext_slot(scan, ForwardScanDirection, slot))
	{
		ItemPointerData at = slot->tts_tid;
		TM_FailureData failure;
		TM_Result	result = TM_Ok;
		bool		isnull;
		TransactionId author;

		/* What this transaction has written nobody else can write. */
		author = DatumGetTransactionId(slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
		if (!TransactionIdIsCurrentTransactionId(author))
			result = table_tuple_lock(rel, &at, snapshot, slot, GetCurrentCommandId(false), LockTupleNoKeyExclusive,
									  LockWaitBlock, TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS |
									  (IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION), &failure);
		switch (result)
		{
			case TM_Ok:
			case TM_SelfModified:
				break;
			case TM_Updated:
			case TM_Deleted:
				if (IsolationUsesXactSnapshot())
					sla_could_not_serialize(result == TM_Updated ? "update" : "delete");
				/* A row that is gone is not locked. */
				if (result == TM_Deleted)
					break;
				/* FALLTHROUGH */
			default:
				elog(ERROR, "unexpected result %d of locking a ticket's row", (int) result);
		}
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(rel, NoLock);
}

void
sla_lock_ticket_row(SlaTracked *tracked, const char *ticket)
{
	const SlaSource *source = &tracked->about;
	Datum		value;
	RegProcedure equal;

	for (;;)
	{
		bool		can_be;

		if (tracked->key_generation != sla_rule_generation)
			look_at_key(tracked);
		can_be = can_be_key(tracked->key_type, ticket);
		if (!sla_keeps_columns(source) && (!tracked->key_has_index || !can_be))
			return;
		if (!can_be || !OidIsValid(tracked->key_index) || !key_value(tracked, ticket, &value, &equal))
			break;
		LockRelationOid(source->ticket_table, RowShareLock);
		/* While the lock was waited for, the table may have changed. */
		if (tracked->key_generation != sla_rule_generation)
			continue;
		lock_by_index(tracked, value, equal);
		return;
	}
	(void) sla_ticket_has_row(tracked, ticket);
}

bool
sla_ticket_has_row(SlaTracked *tracked, const char *ticket)
{
	static const Oid types[] = {TEXTOID};
	const SlaSource *source = &tracked->about;
	Datum		values[] = {CStringGetTextDatum(ticket)};
	SlaEnvironment saved;
	bool		found;

	SPI_connect();
	sla_relation_owner_enter(&saved, source, source->ticket_table);
	sla_execute(&tracked->lock_row, tracked->lock_row == NULL ? lock_statement(source) : NULL,
				1, types, values, NULL);
	found = SPI_processed > 0;
	sla_environment_leave(&saved);
	SPI_finish();
	return found;
}
