/*
 * user_rows.h
 *		Rows of users' tables by the keys of many tickets, for compiled expressions.
 */
#ifndef SLA_USER_ROWS_H
#define SLA_USER_ROWS_H

#include "pg_sla.h"

#include "executor/spi.h"
#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

#include "tracking.h"

/* How rows of a relation are read: what of them, and which. */
typedef struct SlaUserRows
{
	Relation	rel;
	const SlaSource *source;
	const char *key;			/* the column that holds the ticket's key, or NULL */
	const char *columns;		/* the list of a SELECT */
	AttrNumber *attributes;		/* what it gives, from the second column on */
	int			nattributes;
	Datum		tables;			/* oid[], or 0: of the children only these count */
	TupleTableSlot *slot;

	/* what has been read */
	SPITupleTable *rows;
	uint64		n;
} SlaUserRows;

/*
 * Prepare to read the columns in `read` (offset as for sla_expression_columns)
 * of rel.  key names the column that holds a ticket's key as text gives it;
 * NULL: it is not a plain column, and all rows are read.  stream is the number
 * of the table among the source's.  All in the current memory context, within
 * SPI.
 */
extern SlaUserRows *sla_user_rows(Relation rel, const SlaSource *source, int stream,
								  const char *key, const Bitmapset *read);

/*
 * Read the rows of the tickets (text[]), with the rights of the role that
 * tracked the source and by the newest snapshot; sla_user_row makes the i-th of
 * them the row in the slot and gives its key, NULL unless there is a key
 * column.  What is read lasts until it is freed.  An error when row-level
 * security would hide rows.
 */
extern void sla_read_user_rows(SlaUserRows *rows, Datum tickets);
extern const char *sla_user_row(SlaUserRows *rows, uint64 i);
extern void sla_free_user_rows(SlaUserRows *rows);

/*
 * The keys of the tickets in the order of the key column, those after `after`
 * (NULL: all), to be fetched from a cursor; and those of the tickets whose rows
 * could be locked against updates without waiting.  Enter the rights before
 * fetching and leave them afterwards.
 */
extern Portal sla_ticket_keys(SlaUserRows *rows, const char *after);
extern void sla_lock_user_rows(SlaUserRows *rows, Datum tickets);

/* Become the owner of a relation of the source, with nothing hidden from it silently. */
typedef struct SlaReader
{
	SlaEnvironment environment;
	int			guc_nest_level;
} SlaReader;

extern void sla_reader_enter(SlaReader *saved, const SlaSource *source, Oid relid);
extern void sla_reader_leave(const SlaReader *saved);

/* The tickets as text[]. */
extern Datum sla_ticket_array(const char *const *tickets, int n);

#endif							/* SLA_USER_ROWS_H */
