/*
 * log.h
 *		The rows of sla.log.
 *
 * What reads or writes does so as the owner of our tables (sla_owner_enter).
 */
#ifndef SLA_LOG_H
#define SLA_LOG_H

#include "pg_sla.h"

#include "storage/itemptr.h"
#include "utils/snapshot.h"

#include "core/clock.h"

/* A row of sla.log. */
typedef struct SlaLogRow
{
	int64		id;				/* of a row that was read */
	int			agreement;
	const char *metric;
	int			ordinal;
	int			cycle;
	const char *level;
	const char *calendar;
	const char *department;		/* who had the ticket at the verdict, or has it now; NULL
								 * where unknown */
	const char *agent;
	int32		goal_days;
	int64		goal_microseconds;
	TimestampTz started_at;
	sla_stretch *counted;
	int			ncounted;
	bool		running;
	TimestampTz running_since;
	TimestampTz deadline;
	sla_outcome outcome;
	TimestampTz closed_at;
	const char *reason;			/* NULL where there is none */
	int64		elapsed;		/* business microseconds in counted */
	TimestampTz computed_at;
	bool		strict;			/* a stop at the very deadline is too late */
	bool		fixed;			/* the deadline was set by hand */
	ItemPointerData tid;		/* of a row that was read: where it is */

	/* of a row that was computed, for sla_row_held */
	const char *ended_by;		/* who did what ended it */
	TimestampTz opened_at;		/* the row's first instant */
	const sla_holding *holdings;
	int			nholdings;
} SlaLogRow;

typedef struct SlaLog
{
	SlaLogRow  *rows;
	int			nrows;
} SlaLog;

/*
 * The log of a ticket as a snapshot shows it; NULL is the newest.  The result
 * is in the current memory context.
 */
extern void sla_read_log(const char *source, const char *ticket, Snapshot snapshot,
						 SlaLog *log);

/* The row of the same agreement, metric and ordinal, or NULL. */
extern SlaLogRow *sla_log_find(const SlaLog *log, const SlaLogRow *like);

/*
 * Put into a row that was computed who had the ticket when its verdict fell, by
 * its deadline, or has it now: at the deadline if it was missed, at its end if
 * not.  Where that was nobody, the agent is who ended it.
 */
extern void sla_row_held(SlaLogRow *row);

/* Has a clock missed its deadline at an instant, an open one whatever is told of later? */
extern bool sla_row_is_missed(const SlaLogRow *row, TimestampTz now);

/*
 * A verdict that has been reached stays, whatever became of the calendar: a
 * row that is, up to its deadline, as it was logged keeps the deadline it was
 * logged with.  True if it keeps another than it would be given now.  No
 * calendar moves a deadline that was set by hand.
 */
extern bool sla_keep_verdict(SlaLogRow *expected, const SlaLogRow *logged);

/* The name of the first column in which they differ, or NULL. */
extern const char *sla_log_difference(const SlaLogRow *a, const SlaLogRow *b);

/*
 * verify.c: make a row that a replay gave what the log must have where it has
 * `logged`: a verdict that has been reached is kept, if an edit of the calendar
 * explains what differs.  The name of the column that is not so, or NULL.
 * Within SPI.
 */
extern const char *sla_settle_row(SlaLogRow *expected, const SlaLogRow *logged);

extern const char *sla_outcome_name(sla_outcome outcome);

/*
 * Write single rows: add one; make the one that was read as `former` like
 * another of the same agreement, metric and ordinal; delete the one that was
 * read.
 */
extern void sla_insert_log_row(const char *source, const char *ticket, const SlaLogRow *row);
extern void sla_update_log_row(const char *source, const char *ticket, const SlaLogRow *row,
							   const SlaLogRow *former);
extern void sla_delete_log_row(const char *source, const char *ticket, const SlaLogRow *former);

/* For those who write many rows at a time (bulk.h); values are in the current memory context. */
extern void sla_log_values(int64 id, const char *source, const char *ticket, const SlaLogRow *row,
						   Datum *values, bool *nulls);

/*
 * Make the log of a ticket, which is as `logged`, what it must be.  Rows that
 * agree are not touched; verdicts that stay are put into `expected`.
 */
extern void sla_write_log(const char *source, const char *ticket, SlaLog *expected,
						  const SlaLog *logged);

/* Has what counted until now been the same? */
extern bool sla_same_counted(const SlaLogRow *a, const SlaLogRow *b);

/*
 * Stretches as a tstzmultirange and back: their number, and the stretches in
 * the current memory context.  Bounds must be finite, as those of the log are.
 */
extern Datum sla_stretches_to_multirange(const sla_stretch *stretches, int n);
extern int	sla_multirange_to_stretches(Datum value, sla_stretch **stretches);

/* Are both NULL, or the same text? */
extern bool sla_same_text(const char *a, const char *b);

#endif							/* SLA_LOG_H */
