/*
 * now.h
 *		The clock of views.
 */
#ifndef SLA_NOW_H
#define SLA_NOW_H

#include "datatype/timestamp.h"

extern void sla_now_init(void);

/* Is the setting pg_sla.now set, and to when? */
extern bool sla_now_is_set(TimestampTz *instant);

#endif							/* SLA_NOW_H */
