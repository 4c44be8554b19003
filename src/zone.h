/*
 * zone.h
 *		Finding a time zone without raising an error.
 */
#ifndef SLA_ZONE_H
#define SLA_ZONE_H

#include "core/timeline.h"

#define SLA_ZONE_HINT "The view pg_timezone_names lists the names, for example Europe/Oslo."

extern bool sla_zone_find(const char *name, sla_zone *zone, const char **canonical);

#endif							/* SLA_ZONE_H */
