/*
 * now.h
 *		The clock of views.
 */
#ifndef SLA_NOW_H
#define SLA_NOW_H

extern void sla_now_init(void);

#endif							/* SLA_NOW_H */
