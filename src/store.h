/*
 * store.h
 *		The rows of the tables below the clocks, past SPI and the executor.
 */
#ifndef SLA_STORE_H
#define SLA_STORE_H

#include "pg_sla.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "storage/itemptr.h"
#include "utils/snapshot.h"

typedef enum SlaStoreTable
{
	SLA_STORE_TICKET,
	SLA_STORE_EVENT,
	SLA_STORE_LOG,
	SLA_N_STORE_TABLES
} SlaStoreTable;

/* Columns of sla.ticket, in the order of src/sql/clock.sql. */
enum
{
	TICKET_SOURCE, TICKET_TICKET, TICKET_CHANGED_AT,
	TICKET_COLUMNS
};

/* Columns of sla.event, likewise. */
enum
{
	EVENT_ID, EVENT_SOURCE, EVENT_TICKET, EVENT_EVENT, EVENT_AT, EVENT_AGENT, EVENT_OF_TICKET,
	EVENT_DEPARTMENT, EVENT_ASSIGNEE, EVENT_PROMISES, EVENT_RECORDED_AT, EVENT_OTHER,
	EVENT_AGREEMENT, EVENT_METRIC, EVENT_DEADLINE, EVENT_SINCE, EVENT_COUNTED, EVENT_DECIDED_FOR,
	EVENT_DECIDED,
	EVENT_COLUMNS
};

/* Columns of sla.log, likewise. */
enum
{
	LOG_ID, LOG_SOURCE, LOG_TICKET, LOG_AGREEMENT, LOG_LEVEL, LOG_METRIC, LOG_ORDINAL, LOG_CYCLE, LOG_CALENDAR,
	LOG_DEPARTMENT, LOG_AGENT, LOG_GOAL, LOG_STARTED_AT, LOG_COUNTED, LOG_RUNNING_SINCE, LOG_DEADLINE,
	LOG_CLOSED_AT, LOG_OUTCOME, LOG_REASON, LOG_ELAPSED, LOG_COMPUTED_AT, LOG_DEADLINE_EXCLUDED, LOG_FIXED,
	LOG_COLUMNS
};

/*
 * Open the three tables for writing, sla.log first; false if they were open
 * already.  What follows opens and closes them by itself where they are not;
 * whoever has several things to do opens them once.  Errors where nothing can
 * be written, as an INSERT there would.  sla_store_close takes what
 * sla_store_open gave; then what was written is visible to whatever comes
 * next.  An error closes them.
 */
extern bool sla_store_open(void);
extern void sla_store_close(bool opened);

/*
 * May the table be written directly?  Not where the executor has more to do
 * than to write: where somebody gave the table partitions, children, triggers,
 * rules, checks, row-level security or an index on an expression with a
 * function of a user's.  Those that follow are for tables that may.
 */
extern bool sla_store_direct(SlaStoreTable table);

/* The table sla.log; an error when it is not there. */
extern Oid	sla_log_relid(void);

/* Make what was written visible to what comes next of the own transaction. */
extern void sla_store_flush(void);

/* The newest snapshot, with what was written; whoever asks has it unregistered. */
extern Snapshot sla_store_newest(void);

/* The error of a REPEATABLE READ transaction that would have to write or lock what it cannot see. */
extern void sla_could_not_serialize(const char *change) pg_attribute_noreturn();

/* A new number for the column id. */
extern int64 sla_store_next_id(SlaStoreTable table);

/* Add a row; values and nulls have all of the table's columns. */
extern void sla_store_insert(SlaStoreTable table, const Datum *values, const bool *nulls);

/* The same unless there is a row of that key, which may be one of a transaction that has not ended.  False if there is. */
extern bool sla_store_insert_new(SlaStoreTable table, const Datum *values, const bool *nulls);

/*
 * Lock the row of a ticket as FOR UPDATE does, after waiting for whoever holds
 * it; false if there is none.  A serialization failure where REPEATABLE READ
 * gives one.
 */
extern bool sla_store_lock(SlaStoreTable table, Datum source, Datum ticket);

/*
 * Replace some columns of the row that was read at tid, following it where
 * another transaction has updated it meanwhile; delete it.
 */
extern void sla_store_update(SlaStoreTable table, const ItemPointerData *tid, const Datum *values,
							 const bool *nulls, const bool *replace);
extern void sla_store_delete(SlaStoreTable table, const ItemPointerData *tid);

/* The rows of one ticket in a table whose primary key begins with source and ticket. */
typedef struct SlaTicketScan
{
	SlaStoreTable table;
	Datum	   *values;
	bool	   *nulls;
	ItemPointerData tid;		/* where the row is; not valid if it cannot be written directly */

	bool		opened;
	struct IndexScanDescData *scan;
	Snapshot	snapshot;		/* ours to unregister, or NULL */
	SPITupleTable *rows;		/* of a table that is not read directly */
	uint64		nrows;
	uint64		next;
} SlaTicketScan;

/*
 * Begin, go on and end; for reading the tables need not be open.  A NULL
 * snapshot is the newest.  False when there is no more row; otherwise its
 * columns are in values and nulls, where what is of variable length lasts
 * until the next row.
 */
extern void sla_scan_ticket(SlaTicketScan *scan, SlaStoreTable table, const char *source,
							const char *ticket, Snapshot snapshot);
extern bool sla_scan_next(SlaTicketScan *scan);
extern void sla_scan_end(SlaTicketScan *scan);

/* A text column as a C string in the current context, NULL for NULL. */
extern const char *sla_scan_text(const SlaTicketScan *scan, int column);

/* The owner of sla.log, who is the owner of all our tables. */
extern Oid	sla_store_owner(void);

/* From the relcache callback: InvalidOid when everything may have changed. */
extern void sla_store_relation_changed(Oid relid);

#endif							/* SLA_STORE_H */
