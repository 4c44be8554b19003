/*
 * statement.h
 *		Statements on our own tables.
 */
#ifndef SLA_STATEMENT_H
#define SLA_STATEMENT_H

#include "pg_sla.h"

#include "executor/spi.h"
#include "utils/snapshot.h"

/*
 * Run a statement whose plan is kept for the life of the backend; the current
 * memory context stays the caller's.  Within SPI.  Fills in SPI_processed and
 * SPI_tuptable; an error when it fails.
 */
extern void sla_execute(SPIPlanPtr *plan, const char *statement, int nargs,
						const Oid *types, Datum *values, const char *nulls);

/*
 * The same for what is done after a lock was waited for, to all rows that there
 * are: also to those that others committed before the lock was had and that the
 * snapshot of a REPEATABLE READ transaction does not show.  Such a transaction
 * may read them; it cannot change them, and fails to serialize.
 */
extern void sla_execute_newest(SPIPlanPtr *plan, const char *statement, int nargs,
							 const Oid *types, Datum *values, const char *nulls);

/* sla_execute() under the snapshot of the caller's statement, for what only reads. */
extern void sla_read(SPIPlanPtr *plan, const char *statement, int nargs,
					 const Oid *types, Datum *values, const char *nulls);

/*
 * Read configuration, for what is kept under a generation: under the newest
 * snapshot, since that of a REPEATABLE READ transaction may be older than the
 * generation.
 */
extern void sla_read_newest(SPIPlanPtr *plan, const char *statement, int nargs,
							const Oid *types, Datum *values);

/* The same under a given snapshot, without writing. */
extern void sla_execute_snapshot(SPIPlanPtr *plan, const char *statement, int nargs,
								 const Oid *types, Datum *values, Snapshot snapshot);

/* A text column as a C string in the current context, NULL for NULL. */
extern char *sla_column_text(HeapTuple tuple, TupleDesc tupdesc, int column);

/* A text datum of a C string; NULL gives a null. */
extern Datum sla_text_or_null(const char *string, bool *isnull);

/* Become the owner of our tables, whose rows users need not be able to write. */
typedef struct SlaOwner
{
	Oid			user;
	int			security_context;
} SlaOwner;

extern void sla_owner_enter(SlaOwner *saved);
extern void sla_owner_leave(const SlaOwner *saved);

#endif							/* SLA_STATEMENT_H */
