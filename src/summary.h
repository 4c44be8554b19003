/*
 * summary.h
 *		What the kept summaries of compliance must be told of.
 */
#ifndef SLA_SUMMARY_H
#define SLA_SUMMARY_H

#include "pg_sla.h"

#include "log.h"

extern void sla_summary_init(void);

/*
 * A row of sla.log is written: from former, or NULL when it is new, to row, or
 * NULL when it is deleted.  To be called by whoever writes the log, as the
 * owner of our tables and within SPI, after sla.log has been locked as for
 * writing; it costs a few comparisons unless a verdict of a summarised day is
 * concerned.
 */
extern void sla_summary_log_written(const char *source, const SlaLogRow *former,
									const SlaLogRow *row);

#endif							/* SLA_SUMMARY_H */
