/*
 * explain.h
 *		Why a part of a schedule is open or closed.
 *
 * What is open here is what expand.h says; this tells besides which rule or
 * holiday made it so, which costs more.
 */
#ifndef SLA_EXPLAIN_H
#define SLA_EXPLAIN_H

#include "expand.h"

typedef enum sla_cause
{
	SLA_CAUSE_NOT_IN_FORCE,		/* closed: the date is none of the part's days */
	SLA_CAUSE_NO_HOURS,			/* closed: no rule opens on the date */
	SLA_CAUSE_OUTSIDE,			/* closed: outside of the windows of the date */
	SLA_CAUSE_RULE,				/* open or closed by a rule */
	SLA_CAUSE_HOLIDAY,			/* open by the holiday's own hours; closed by the
								 * holiday because no rule names PH, or for it has
								 * no hours */
	SLA_CAUSE_HOLIDAY_TIMES		/* closed in what the holiday closes */
} sla_cause;

/*
 * [from, to) in seconds of UTC.  The date is the one on which the window
 * begins, or the local date.
 */
typedef struct sla_explained
{
	int64_t		from;
	int64_t		to;
	int64_t		date;
	const sla_holiday *holiday; /* that the date is; NULL where it says nothing */
	int			rule;			/* of SLA_CAUSE_RULE */
	sla_cause	cause;
	bool		open;
} sla_explained;

typedef struct sla_explanation
{
	sla_explained *list;
	size_t		count;
	size_t		capacity;
} sla_explanation;

/* All of [from, to), from < to, in order and without gaps. */
extern void sla_explain_part(sla_scratch *scratch, const sla_part *part,
							 int64_t from, int64_t to, sla_explanation *result);

#endif							/* SLA_EXPLAIN_H */
