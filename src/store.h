/*
 * store.h
 *		Rows of the tables below the clocks, without SPI.
 */
#ifndef SLA_STORE_H
#define SLA_STORE_H

#include "pg_sla.h"

#include "access/genam.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

/*
 * The rows of one ticket in a table whose primary key begins with source and
 * ticket.  Read without SPI: this is done for every event, and costs a tenth.
 */
typedef struct SlaTicketScan
{
	Relation	rel;
	SysScanDesc scan;
	int			columns;
	Datum	   *values;
	bool	   *nulls;
} SlaTicketScan;

/*
 * Begin, go on and end.  source_column is the place of the column source, from
 * 0 on; ticket stands beside it.  A NULL snapshot is the newest.  False when
 * there is no more row; otherwise its columns are in values and nulls, where
 * what is of variable length lasts until the next row.
 */
extern void sla_scan_ticket(SlaTicketScan *scan, const char *table, int columns, int source_column,
							const char *source, const char *ticket, Snapshot snapshot);
extern bool sla_scan_next(SlaTicketScan *scan);
extern void sla_scan_end(SlaTicketScan *scan);

/* A text column as a C string in the current context, NULL for NULL. */
extern const char *sla_scan_text(const SlaTicketScan *scan, int column);

#endif							/* SLA_STORE_H */
