/*
 * bulk.c
 *		Many rows into one of the tables below the clocks.
 *
 * As COPY does it: rows are collected and put into pages many at a time.  That
 * is for tables that may be written directly (store.h); what is added has a
 * value in every column that must have one.
 */
#include "pg_sla.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "bulk.h"

#define BULK_ROWS 1000

struct SlaBulk
{
	Relation	rel;
	Oid			sequence;		/* of the column id, if it has one */
	EState	   *estate;
	ResultRelInfo *result;
	BulkInsertState state;
	TupleTableSlot *slots[BULK_ROWS];
	int			nslots;			/* made */
	int			n;				/* filled */
};

SlaBulk *
sla_bulk_begin(SlaStoreTable table)
{
	static const char *const names[] = {
		[SLA_STORE_TICKET] = "ticket", [SLA_STORE_EVENT] = "event", [SLA_STORE_LOG] = "log"
	};
	SlaBulk    *bulk;

	if (!sla_store_direct(table))
		return NULL;
	bulk = palloc0(sizeof(SlaBulk));
	bulk->rel = table_open(get_relname_relid(names[table], get_namespace_oid(SLA_SCHEMA, false)), RowExclusiveLock);
	if (table != SLA_STORE_TICKET)
		bulk->sequence = identity_sequence_compat(bulk->rel, EVENT_ID + 1, false);
	bulk->estate = CreateExecutorState();
	bulk->result = makeNode(ResultRelInfo);
	InitResultRelInfo(bulk->result, bulk->rel, 0, NULL, 0);
	ExecOpenIndices(bulk->result, true);
	bulk->state = GetBulkInsertState();
	return bulk;
}

static void
insert_index_entries(SlaBulk *bulk, TupleTableSlot *slot, bool *conflict)
{
	List	   *recheck;

	recheck = insert_index_tuples_compat(bulk->result, slot, bulk->estate, false, conflict != NULL, conflict, NIL, false);
	list_free(recheck);
	ResetPerTupleExprContext(bulk->estate);
}

void
sla_bulk_flush(SlaBulk *bulk)
{
	if (bulk == NULL || bulk->n == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	table_multi_insert(bulk->rel, bulk->slots, bulk->n, GetCurrentCommandId(true), 0, bulk->state);
	for (int i = 0; i < bulk->n; i++)
	{
		insert_index_entries(bulk, bulk->slots[i], NULL);
		ExecClearTuple(bulk->slots[i]);
	}
	bulk->n = 0;
}

int64
sla_bulk_next_id(SlaBulk *bulk)
{
	return nextval_internal(bulk->sequence, false);
}

void
sla_bulk_end(SlaBulk *bulk)
{
	if (bulk == NULL)
		return;
	sla_bulk_flush(bulk);
	for (int i = 0; i < bulk->nslots; i++)
		ExecDropSingleTupleTableSlot(bulk->slots[i]);
	FreeBulkInsertState(bulk->state);
	ExecCloseIndices(bulk->result);
	table_close(bulk->rel, NoLock);
	FreeExecutorState(bulk->estate);
	pfree(bulk->result);
	pfree(bulk);
}

/* The next slot, holding a copy of the row. */
static TupleTableSlot *
next_row(SlaBulk *bulk, Datum *values, bool *nulls)
{
	TupleTableSlot *slot;

	if (bulk->n == bulk->nslots)
	{
		/* It lives as long as the bulk, whatever context a row is added in. */
		MemoryContext caller = MemoryContextSwitchTo(GetMemoryChunkContext(bulk));

		bulk->slots[bulk->nslots++] = table_slot_create(bulk->rel, NULL);
		MemoryContextSwitchTo(caller);
	}
	slot = bulk->slots[bulk->n];
	ExecForceStoreHeapTuple(heap_form_tuple(RelationGetDescr(bulk->rel), values, nulls), slot, true);
	slot->tts_tableOid = RelationGetRelid(bulk->rel);
	return slot;
}

void
sla_bulk_add(SlaBulk *bulk, Datum *values, bool *nulls)
{
	(void) next_row(bulk, values, nulls);
	if (++bulk->n == BULK_ROWS)
		sla_bulk_flush(bulk);
}

bool
sla_bulk_try(SlaBulk *bulk, Datum *values, bool *nulls)
{
	TupleTableSlot *slot = next_row(bulk, values, nulls);
	bool		conflict = false;
	uint32		token;

	/*
	 * What INSERT … ON CONFLICT does, without looking first: that would wait
	 * for the end of another transaction that has added the key.
	 */
	token = SpeculativeInsertionLockAcquire(GetCurrentTransactionId());
	table_tuple_insert_speculative(bulk->rel, slot, GetCurrentCommandId(true), 0, NULL, token);
	insert_index_entries(bulk, slot, &conflict);
	table_tuple_complete_speculative(bulk->rel, slot, token, !conflict);
	SpeculativeInsertionLockRelease(GetCurrentTransactionId());
	ExecClearTuple(slot);
	return !conflict;
}
