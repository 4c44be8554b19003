/*
 * compat.h
 *		Differences between the supported server versions, and only here.
 */
#ifndef SLA_COMPAT_H
#define SLA_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "pg_sla needs PostgreSQL 14 or newer"
#endif

/* MarkGUCPrefixReserved came in 15. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* PGDLLEXPORT undoes -fvisibility=hidden since 16 only. */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))
#endif

/* varatt.h was split off postgres.h in 16. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Soft errors of input functions came in 16; before that they are plain. */
#if PG_VERSION_NUM >= 160000
#include "nodes/miscnodes.h"
#else
#define ereturn(context, value, ...) ereport(ERROR, __VA_ARGS__)
#endif

#endif							/* SLA_COMPAT_H */
