/*
 * store.c
 *		The rows of the tables below the clocks, past SPI and the executor.
 *
 * To start a statement costs several times what writing its row does, and
 * every event of every ticket writes and reads a few rows of three tables that
 * are ours.  So their rows are read and written by the functions that the
 * executor uses itself.  What it knows of a table when it begins a statement
 * (its indexes, their predicates, slots for rows) is kept per backend here
 * until the relcache says that the table has changed; relations and locks are
 * taken anew each time, so that nothing is open between one event and the
 * next, and no DDL of the own transaction finds the tables in use.
 *
 * An error may leave slots with pins that the end of the (sub)transaction has
 * released: what was kept is then thrown away as a whole.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/prs2lock.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "statement.h"
#include "store.h"

typedef struct Table
{
	const char *const name;
	const int	columns;

	/* Kept; relid is not valid when it must be looked up again. */
	Oid			relid;
	MemoryContext context;		/* of the rest; NULL when it must be built again */
	bool		direct;
	Oid			owner;
	Oid			sequence;		/* of the column id */
	int			nindexes;
	Oid		   *indexes;
	int			key;			/* which of them is that of the primary key */
	AttrNumber	source_key;		/* its columns of source and ticket: 1 and 2, or 2 and 1 */
	ResultRelInfo *info;
	const bool *told;			/* which columns of an update the indexes have been told of */
	EState	   *estate;
	TupleTableSlot *read;
	TupleTableSlot *write;

	/* While it is open. */
	Relation	rel;
	LOCKMODE	lockmode;
	SubTransactionId opened_in;
} Table;

static Table tables[SLA_N_STORE_TABLES] = {
	[SLA_STORE_TICKET] = {.name = "ticket", .columns = TICKET_COLUMNS},
	[SLA_STORE_EVENT] = {.name = "event", .columns = EVENT_COLUMNS},
	[SLA_STORE_LOG] = {.name = "log", .columns = LOG_COLUMNS},
};

/* The log first: an edit of a calendar locks it against writers, and is waited for there. */
static const SlaStoreTable opening_order[] = {SLA_STORE_LOG, SLA_STORE_TICKET, SLA_STORE_EVENT};

/* Something was written that the own transaction does not see yet. */
static bool unseen = false;

/* ----------------------------------------------------------------
 * What is kept of a table
 * ----------------------------------------------------------------
 */

void
sla_store_relation_changed(Oid relid)
{
	for (int i = 0; i < SLA_N_STORE_TABLES; i++)
	{
		Table	   *table = &tables[i];
		bool		concerned = !OidIsValid(relid) || relid == table->relid;

		for (int index = 0; !concerned && table->context != NULL && index < table->nindexes; index++)
			concerned = table->indexes[index] == relid;
		/* The rest goes when the table is opened next: it may be in use now. */
		if (concerned)
			table->relid = InvalidOid;
	}
}

static Oid
look_up(Table *table)
{
	if (!OidIsValid(table->relid))
	{
		Oid			namespace = get_namespace_oid(SLA_SCHEMA, true);
		Oid			relid = OidIsValid(namespace) ? get_relname_relid(table->name, namespace) : InvalidOid;

		sla_check_version();

		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table \"%s.%s\" does not exist", SLA_SCHEMA, table->name),
					 errhint("Run CREATE EXTENSION pg_sla in this database.")));
		if (table->context != NULL)
		{
			MemoryContextDelete(table->context);
			table->context = NULL;
		}
		table->relid = relid;
	}
	return table->relid;
}

static bool
is_user_function(Oid function, void *context)
{
	return function >= FirstNormalObjectId;
}

static bool
calls_user_function(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_user_function, NULL))
		return true;
	return expression_tree_walker(node, calls_user_function, context);
}

/* Is writing a row all there is to do? */
static bool
is_plain(Relation rel)
{
	TupleConstr *constraints = rel->rd_att->constr;

	return rel->rd_rel->relkind == RELKIND_RELATION &&
		!rel->rd_rel->relispartition && !rel->rd_rel->relhassubclass &&
		!rel->rd_rel->relrowsecurity && rel->trigdesc == NULL && rel->rd_rules == NULL &&
		(constraints == NULL ||
		 (constraints->num_check == 0 && !constraints->has_generated_stored));
}

/*
 * Learn what there is to know of a table that is open.  Built aside, so that
 * an error leaves nothing half done.
 */
static void
build(Table *table)
{
	Relation	rel = table->rel;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	List	   *indexes = is_plain(rel) ? RelationGetIndexList(rel) : NIL;
	ListCell   *cell;
	TupleDesc	tupdesc;
	int			n = 0;

	if (RelationGetDescr(rel)->natts != table->columns)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("table \"%s.%s\" is not of this version of pg_sla", SLA_SCHEMA, table->name),
				 errhint("Run ALTER EXTENSION pg_sla UPDATE, and leave the columns of its tables alone.")));

	context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla table", ALLOCSET_SMALL_SIZES);
	MemoryContextSetIdentifier(context, table->name);
	MemoryContextSwitchTo(context);
	table->direct = is_plain(rel);
	table->owner = rel->rd_rel->relowner;
	table->key = -1;
	table->indexes = palloc(list_length(indexes) * sizeof(Oid) + 1);
	table->info = makeNode(ResultRelInfo);
	table->info->ri_IndexRelationDescs = palloc(list_length(indexes) * sizeof(Relation) + 1);
	table->info->ri_IndexRelationInfo = palloc(list_length(indexes) * sizeof(IndexInfo *) + 1);
	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);
		IndexInfo  *info = BuildIndexInfo(index);

		if (keeps_open_compat(index) ||
			calls_user_function((Node *) info->ii_Expressions, NULL) ||
			calls_user_function((Node *) info->ii_Predicate, NULL))
			table->direct = false;
		if (index->rd_index->indisprimary)
			table->key = n;
		table->indexes[n] = lfirst_oid(cell);
		table->info->ri_IndexRelationInfo[n++] = info;
		index_close(index, NoLock);
	}
	table->nindexes = n;
	table->info->ri_NumIndices = n;

	/* The key must begin with source and ticket, in either order; column numbers count from 1. */
	if (table->key >= 0)
	{
		IndexInfo  *info = table->info->ri_IndexRelationInfo[table->key];
		AttrNumber	source = (table == &tables[SLA_STORE_TICKET] ? TICKET_SOURCE : EVENT_SOURCE) + 1;
		AttrNumber *keys = info->ii_IndexAttrNumbers;

		if (info->ii_NumIndexKeyAttrs >= 2 && keys[0] == source && keys[1] == source + 1)
			table->source_key = 1;
		else if (info->ii_NumIndexKeyAttrs >= 2 && keys[0] == source + 1 && keys[1] == source)
			table->source_key = 2;
		else
			table->key = -1;
	}
	if (table->key < 0)
		table->direct = false;

	table->sequence = InvalidOid;
	if (table->direct && table != &tables[SLA_STORE_TICKET])
	{
		table->sequence = identity_sequence_compat(rel, EVENT_ID + 1, true);
		if (!OidIsValid(table->sequence))
			table->direct = false;
	}

	table->told = NULL;
	table->estate = CreateExecutorState();
	/* Descriptors of their own: the relcache's are counted per transaction. */
	tupdesc = CreateTupleDescCopy(RelationGetDescr(rel));
	table->read = MakeSingleTupleTableSlot(tupdesc, table->direct ? table_slot_callbacks(rel) : &TTSOpsVirtual);
	table->write = MakeSingleTupleTableSlot(tupdesc, &TTSOpsVirtual);
	MemoryContextSwitchTo(caller);

	MemoryContextSetParent(context, CacheMemoryContext);
	table->context = context;
}

/* ----------------------------------------------------------------
 * Opening
 * ----------------------------------------------------------------
 */

static void
forget(Table *table)
{
	table->rel = NULL;
	/* The slots may be left with pins that are no longer held. */
	table->relid = InvalidOid;
}

static void
transaction_ended(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_ABORT && event != XACT_EVENT_PARALLEL_ABORT)
		return;
	for (int i = 0; i < SLA_N_STORE_TABLES; i++)
		if (tables[i].rel != NULL)
			forget(&tables[i]);
	unseen = false;
}

static void
subtransaction_ended(SubXactEvent event, SubTransactionId subtransaction,
					 SubTransactionId parent, void *arg)
{
	if (event != SUBXACT_EVENT_ABORT_SUB)
		return;
	for (int i = 0; i < SLA_N_STORE_TABLES; i++)
		if (tables[i].rel != NULL && tables[i].opened_in == subtransaction)
			forget(&tables[i]);
}

/* False if the table is open already. */
static bool
open_table(Table *table, LOCKMODE lockmode)
{
	static bool callbacks_registered = false;

	if (table->rel != NULL)
		return false;
	if (!callbacks_registered)
	{
		RegisterXactCallback(transaction_ended, NULL);
		RegisterSubXactCallback(subtransaction_ended, NULL);
		callbacks_registered = true;
	}

	/* While the lock is waited for, another table may take its name. */
	for (;;)
	{
		Oid			relid = look_up(table);

		LockRelationOid(relid, lockmode);
		if (look_up(table) == relid)
			break;
		UnlockRelationOid(relid, lockmode);
	}
	table->rel = table_open(table->relid, NoLock);
	table->lockmode = lockmode;
	table->opened_in = GetCurrentSubTransactionId();
	if (table->context == NULL)
		build(table);
	if (table->direct)
	{
		table->info->ri_RelationDesc = table->rel;
		for (int i = 0; i < table->nindexes; i++)
			table->info->ri_IndexRelationDescs[i] =
				i == table->key || lockmode != AccessShareLock
				? index_open(table->indexes[i], lockmode) : NULL;
	}
	return true;
}

/* The locks stay until the transaction ends. */
static void
close_table(Table *table)
{
	if (table->direct)
	{
		ExecClearTuple(table->read);
		ExecClearTuple(table->write);
		for (int i = 0; i < table->nindexes; i++)
			if (table->info->ri_IndexRelationDescs[i] != NULL)
				index_close(table->info->ri_IndexRelationDescs[i], NoLock);
	}
	table_close(table->rel, NoLock);
	table->rel = NULL;
}

bool
sla_store_open(void)
{
	bool		opened = false;

	if (tables[SLA_STORE_LOG].rel != NULL)
	{
		if (tables[SLA_STORE_LOG].lockmode != RowExclusiveLock)
			elog(ERROR, "the tables are open for reading");
		return false;
	}
	PreventCommandDuringRecovery("INSERT");
	PreventCommandIfReadOnly("INSERT");
	PreventCommandIfParallelMode("INSERT");
	for (int i = 0; i < SLA_N_STORE_TABLES; i++)
		opened |= open_table(&tables[opening_order[i]], RowExclusiveLock);
	return opened;
}

void
sla_store_flush(void)
{
	if (unseen)
	{
		CommandCounterIncrement();
		unseen = false;
	}
}

void
sla_store_close(bool opened)
{
	if (!opened)
		return;
	sla_store_flush();
	for (int i = 0; i < SLA_N_STORE_TABLES; i++)
		close_table(&tables[i]);
}

bool
sla_store_direct(SlaStoreTable table)
{
	bool		opened = open_table(&tables[table], AccessShareLock);
	bool		direct = tables[table].direct;

	if (opened)
		close_table(&tables[table]);
	return direct;
}

Oid
sla_log_relid(void)
{
	return look_up(&tables[SLA_STORE_LOG]);
}

Oid
sla_store_owner(void)
{
	Table	   *log = &tables[SLA_STORE_LOG];

	if (log->rel == NULL)
	{
		look_up(log);
		if (log->context == NULL && open_table(log, AccessShareLock))
			close_table(log);
	}
	return log->owner;
}

/* ----------------------------------------------------------------
 * Writing
 * ----------------------------------------------------------------
 */

void
sla_could_not_serialize(const char *change)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent %s", change)));
}

int64
sla_store_next_id(SlaStoreTable table)
{
	return nextval_internal(tables[table].sequence, false);
}

static TupleTableSlot *
fill(Table *table, const Datum *values, const bool *nulls)
{
	TupleTableSlot *slot = table->write;

	ExecClearTuple(slot);
	memcpy(slot->tts_values, values, table->columns * sizeof(Datum));
	memcpy(slot->tts_isnull, nulls, table->columns * sizeof(bool));
	return ExecStoreVirtualTuple(slot);
}

/* Add a row that was written to the indexes; true if it must not be there. */
static bool
insert_into_indexes(Table *table, TupleTableSlot *slot, bool update, bool only_summarizing, bool may_conflict)
{
	bool		conflict = false;

	list_free(insert_index_tuples_compat(table->info, slot, table->estate, update, may_conflict,
										 may_conflict ? &conflict : NULL, NIL, only_summarizing));
	ResetPerTupleExprContext(table->estate);
	return conflict;
}

/*
 * Tell each index whether an update of these columns leaves its key as it was,
 * as the executor would by the columns of a SET: a B-tree whose page is full
 * then looks for the former versions of its rows before it is split.  Where the
 * key is another there are none, and the search costs more than all the rest.
 */
static void
tell_indexes(Table *table, const bool *replace)
{
	if (table->told == replace)
		return;
	for (int i = 0; i < table->nindexes; i++)
	{
		IndexInfo  *info = table->info->ri_IndexRelationInfo[i];
		Bitmapset  *read = NULL;
		bool		unchanged = true;
		int			member = -1;

		for (int key = 0; key < info->ii_NumIndexKeyAttrs; key++)
			if (info->ii_IndexAttrNumbers[key] > 0 && replace[info->ii_IndexAttrNumbers[key] - 1])
				unchanged = false;
		pull_varattnos((Node *) info->ii_Expressions, 1, &read);
		while ((member = bms_next_member(read, member)) >= 0)
		{
			int			attribute = member + FirstLowInvalidHeapAttributeNumber;

			if (attribute == 0 || (attribute > 0 && replace[attribute - 1]))
				unchanged = false;
		}
		bms_free(read);
		tell_unchanged_compat(info, unchanged);
	}
	table->told = replace;
}

void
sla_store_insert(SlaStoreTable number, const Datum *values, const bool *nulls)
{
	Table	   *table = &tables[number];
	TupleTableSlot *slot = fill(table, values, nulls);

	table_tuple_insert(table->rel, slot, GetCurrentCommandId(true), 0, NULL);
	unseen = true;
	insert_into_indexes(table, slot, false, false, false);
	ExecClearTuple(slot);
}

bool
sla_store_insert_new(SlaStoreTable number, const Datum *values, const bool *nulls)
{
	Table	   *table = &tables[number];
	TupleTableSlot *slot = fill(table, values, nulls);
	TransactionId transaction = GetCurrentTransactionId();
	uint32		token;
	bool		conflict;

	/* As ON CONFLICT DO NOTHING does: another session may be adding the same row. */
	token = SpeculativeInsertionLockAcquire(transaction);
	table_tuple_insert_speculative(table->rel, slot, GetCurrentCommandId(true), 0, NULL, token);
	conflict = insert_into_indexes(table, slot, false, false, true);
	table_tuple_complete_speculative(table->rel, slot, token, !conflict);
	SpeculativeInsertionLockRelease(transaction);
	unseen = true;
	ExecClearTuple(slot);
	return !conflict;
}

/* What an UPDATE or DELETE under REPEATABLE READ must also be able to see. */
static Snapshot
crosscheck_snapshot(void)
{
	return IsolationUsesXactSnapshot() ? GetTransactionSnapshot() : InvalidSnapshot;
}

void
sla_store_update(SlaStoreTable number, const ItemPointerData *tid, const Datum *values,
				 const bool *nulls, const bool *replace)
{
	Table	   *table = &tables[number];
	TupleTableSlot *former = table->read;
	TupleTableSlot *slot = table->write;
	ItemPointerData at = *tid;
	Snapshot	crosscheck = crosscheck_snapshot();
	update_indexes_compat update_indexes;

	CheckCmdReplicaIdentity(table->rel, CMD_UPDATE);
	if (!table_tuple_fetch_row_version(table->rel, &at, SnapshotAny, former))
		elog(ERROR, "a row of sla.%s has gone", table->name);
	for (;;)
	{
		TM_FailureData failure;
		LockTupleMode lockmode;
		TM_Result	result;

		slot_getallattrs(former);
		ExecClearTuple(slot);
		for (int i = 0; i < table->columns; i++)
		{
			slot->tts_values[i] = replace[i] ? values[i] : former->tts_values[i];
			slot->tts_isnull[i] = replace[i] ? nulls[i] : former->tts_isnull[i];
		}
		ExecStoreVirtualTuple(slot);
		result = table_tuple_update(table->rel, &at, slot, GetCurrentCommandId(true), GetActiveSnapshot(),
									crosscheck, true, &failure, &lockmode, &update_indexes);
		if (result == TM_Ok)
			break;
		if (result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of updating sla.%s", (int) result, table->name);
		if (IsolationUsesXactSnapshot())
			sla_could_not_serialize(result == TM_Updated ? "update" : "delete");
		if (result == TM_Updated)
			result = table_tuple_lock(table->rel, &at, GetActiveSnapshot(), former, GetCurrentCommandId(false),
									  LockTupleNoKeyExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
		/* Somebody has deleted it: an UPDATE would find nothing either. */
		if (result == TM_Deleted)
		{
			ExecClearTuple(former);
			return;
		}
		if (result != TM_Ok)
			elog(ERROR, "unexpected result %d of locking a row of sla.%s", (int) result, table->name);
		at = former->tts_tid;
	}
	unseen = true;
	tell_indexes(table, replace);
	if (any_index_compat(update_indexes))
		insert_into_indexes(table, slot, true, only_summarizing_compat(update_indexes), false);
	ExecClearTuple(slot);
	ExecClearTuple(former);
}

void
sla_store_delete(SlaStoreTable number, const ItemPointerData *tid)
{
	Table	   *table = &tables[number];
	ItemPointerData at = *tid;
	Snapshot	crosscheck = crosscheck_snapshot();

	CheckCmdReplicaIdentity(table->rel, CMD_DELETE);
	for (;;)
	{
		TM_FailureData failure;
		TM_Result	result;

		result = table_tuple_delete(table->rel, &at, GetCurrentCommandId(true), GetActiveSnapshot(),
									crosscheck, true, &failure, false);
		if (result == TM_Ok)
			break;
		if (result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of deleting from sla.%s", (int) result, table->name);
		if (IsolationUsesXactSnapshot())
			sla_could_not_serialize(result == TM_Updated ? "update" : "delete");
		if (result == TM_Updated)
			result = table_tuple_lock(table->rel, &at, GetActiveSnapshot(), table->read, GetCurrentCommandId(false),
									  LockTupleExclusive, LockWaitBlock, TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
		if (result == TM_Deleted)
			break;
		if (result != TM_Ok)
			elog(ERROR, "unexpected result %d of locking a row of sla.%s", (int) result, table->name);
		at = table->read->tts_tid;
		ExecClearTuple(table->read);
	}
	unseen = true;
}

/* ----------------------------------------------------------------
 * Reading
 * ----------------------------------------------------------------
 */

/* Begin to scan the rows of a ticket. */
static IndexScanDesc
begin_scan(Table *table, Datum source, Datum ticket, Snapshot snapshot)
{
	Relation	index = table->info->ri_IndexRelationDescs[table->key];
	ScanKeyData keys[2];
	IndexScanDesc scan;

	for (AttrNumber column = 1; column <= 2; column++)
		ScanKeyEntryInitialize(&keys[column - 1], 0, column, BTEqualStrategyNumber, InvalidOid,
							   index->rd_indcollation[column - 1], F_TEXTEQ,
							   column == table->source_key ? source : ticket);
	scan = index_beginscan_compat(table->rel, index, snapshot, 2, 0);
	index_rescan(scan, keys, 2, NULL, 0);
	return scan;
}

/*
 * The row of a ticket, whoever wrote it, in the table's slot.  Waits for who is
 * adding or deleting it.  False if there is none.
 */
static bool
find_row(Table *table, Datum source, Datum ticket)
{
	for (;;)
	{
		SnapshotData dirty;
		IndexScanDesc scan;
		TransactionId other = InvalidTransactionId;
		bool		found;

		InitDirtySnapshot(dirty);
		scan = begin_scan(table, source, ticket, &dirty);
		found = index_getnext_slot(scan, ForwardScanDirection, table->read);
		if (found)
			other = TransactionIdIsValid(dirty.xmin) ? dirty.xmin : dirty.xmax;
		index_endscan(scan);
		if (!TransactionIdIsValid(other))
			return found;

		ExecClearTuple(table->read);
		if (TransactionIdIsValid(dirty.xmin) && dirty.speculativeToken != 0)
			SpeculativeInsertionWait(dirty.xmin, dirty.speculativeToken);
		else
			XactLockTableWait(other, NULL, NULL, XLTW_None);
		CHECK_FOR_INTERRUPTS();
	}
}

bool
sla_store_lock(SlaStoreTable number, Datum source, Datum ticket)
{
	Table	   *table = &tables[number];

	sla_store_flush();
	while (find_row(table, source, ticket))
	{
		TM_FailureData failure;
		TM_Result	result;
		ItemPointerData at = table->read->tts_tid;
		bool		isnull;
		TransactionId author;

		/* Nobody else can see what this transaction has added. */
		author = DatumGetTransactionId(slot_getsysattr(table->read, MinTransactionIdAttributeNumber, &isnull));
		if (TransactionIdIsCurrentTransactionId(author))
		{
			ExecClearTuple(table->read);
			return true;
		}
		if (IsolationUsesXactSnapshot() &&
			!table_tuple_satisfies_snapshot(table->rel, table->read, GetTransactionSnapshot()))
			sla_could_not_serialize("update");

		ExecClearTuple(table->read);
		result = table_tuple_lock(table->rel, &at, GetActiveSnapshot(), table->read, GetCurrentCommandId(false),
								  LockTupleExclusive, LockWaitBlock,
								  IsolationUsesXactSnapshot() ? 0 : TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);
		ExecClearTuple(table->read);
		if (result == TM_Ok && !failure.traversed)
			return true;
		if (result != TM_Ok && result != TM_Updated && result != TM_Deleted)
			elog(ERROR, "unexpected result %d of locking a row of sla.%s", (int) result, table->name);
		if (result != TM_Ok && IsolationUsesXactSnapshot())
			sla_could_not_serialize(result == TM_Updated ? "update" : "delete");
		/* Meanwhile it was deleted, or got another key: is there another? */
		CHECK_FOR_INTERRUPTS();
	}

	/* There may have been one when the transaction began. */
	if (IsolationUsesXactSnapshot())
	{
		IndexScanDesc scan = begin_scan(table, source, ticket, GetTransactionSnapshot());

		if (index_getnext_slot(scan, ForwardScanDirection, table->read))
			sla_could_not_serialize("delete");
		index_endscan(scan);
	}
	return false;
}

Snapshot
sla_store_newest(void)
{
	sla_store_flush();
	return RegisterSnapshot(GetLatestSnapshot());
}

/* The same by SPI, for a table that is more than that. */
static void
select_rows(SlaTicketScan *scan, Datum source, Datum ticket, Snapshot snapshot)
{
	static SPIPlanPtr plans[SLA_N_STORE_TABLES];
	static const Oid types[] = {TEXTOID, TEXTOID};
	MemoryContext caller = CurrentMemoryContext;
	Datum		values[] = {source, ticket};

	SPI_connect();
	sla_execute_snapshot(&plans[scan->table],
						 psprintf("SELECT * FROM sla.%s WHERE source OPERATOR(pg_catalog.=) $1"
								  " AND ticket OPERATOR(pg_catalog.=) $2 ORDER BY source, ticket%s",
								  tables[scan->table].name,
								  scan->table == SLA_STORE_EVENT ? ", at, id" :
								  scan->table == SLA_STORE_LOG ? ", agreement, metric, ordinal" : ""),
						 lengthof(types), types, values, snapshot);
	scan->rows = SPI_tuptable;
	scan->nrows = SPI_processed;
	MemoryContextSwitchTo(caller);
}

void
sla_scan_ticket(SlaTicketScan *scan, SlaStoreTable number, const char *source,
				const char *ticket, Snapshot snapshot)
{
	Table	   *table = &tables[number];
	Datum		keys[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	memset(scan, 0, sizeof(SlaTicketScan));
	scan->table = number;
	scan->opened = open_table(table, AccessShareLock);
	if (snapshot == NULL)
		snapshot = scan->snapshot = sla_store_newest();
	scan->values = table->read->tts_values;
	scan->nulls = table->read->tts_isnull;
	if (table->direct)
		scan->scan = begin_scan(table, keys[0], keys[1], snapshot);
	else
		select_rows(scan, keys[0], keys[1], snapshot);
}

bool
sla_scan_next(SlaTicketScan *scan)
{
	Table	   *table = &tables[scan->table];

	if (scan->scan == NULL)
	{
		if (scan->next == scan->nrows)
			return false;
		ItemPointerSetInvalid(&scan->tid);
		heap_deform_tuple(scan->rows->vals[scan->next++], scan->rows->tupdesc, scan->values, scan->nulls);
		return true;
	}
	if (!index_getnext_slot(scan->scan, ForwardScanDirection, table->read))
		return false;
	slot_getallattrs(table->read);
	scan->tid = table->read->tts_tid;
	return true;
}

void
sla_scan_end(SlaTicketScan *scan)
{
	Table	   *table = &tables[scan->table];

	if (scan->scan != NULL)
	{
		index_endscan(scan->scan);
		ExecClearTuple(table->read);
	}
	else
		SPI_finish();
	if (scan->snapshot != NULL)
		UnregisterSnapshot(scan->snapshot);
	if (scan->opened)
		close_table(table);
}

const char *
sla_scan_text(const SlaTicketScan *scan, int column)
{
	return scan->nulls[column] ? NULL : TextDatumGetCString(scan->values[column]);
}
