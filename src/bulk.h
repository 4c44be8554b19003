/*
 * bulk.h
 *		Many rows into one of the tables below the clocks.
 */
#ifndef SLA_BULK_H
#define SLA_BULK_H

#include "pg_sla.h"

#include "store.h"

typedef struct SlaBulk SlaBulk;

/*
 * Begin and end; what was added is written at the latest at the end, or by
 * sla_bulk_flush.  NULL where the table may not be written directly.  As the
 * owner of our tables.  Nothing is left to be done after an error.
 */
extern SlaBulk *sla_bulk_begin(SlaStoreTable table);
extern void sla_bulk_flush(SlaBulk *bulk);
extern void sla_bulk_end(SlaBulk *bulk);

/* A new number for the column id. */
extern int64 sla_bulk_next_id(SlaBulk *bulk);

/* Add a row.  Its values are copied. */
extern void sla_bulk_add(SlaBulk *bulk, Datum *values, bool *nulls);

/*
 * Add a row at once, unless one of its key is there or another transaction is
 * about to add one: then false.  Never waits.
 */
extern bool sla_bulk_try(SlaBulk *bulk, Datum *values, bool *nulls);

#endif							/* SLA_BULK_H */
