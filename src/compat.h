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

/* Views can ask for the rights of who reads them since 15. */
#if PG_VERSION_NUM < 150000
#define RelationHasSecurityInvoker(relation) (false)
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
#define errsave_compat(context, ...) errsave(context, __VA_ARGS__)
#else
#define ereturn(context, value, ...) ereport(ERROR, __VA_ARGS__)
#define errsave_compat(context, ...) \
	do { (void) (context); ereport(ERROR, __VA_ARGS__); } while (0)
#endif

/* Settings have had a memory context of their own since 16; before, malloc. */
#if PG_VERSION_NUM >= 160000
#define guc_malloc_compat(size) guc_malloc(LOG, (size))
#define guc_strdup_compat(string) guc_strdup(LOG, (string))
#define guc_free_compat(pointer) guc_free(pointer)
#else
#define guc_malloc_compat(size) malloc(size)
#define guc_strdup_compat(string) strdup(string)
#define guc_free_compat(pointer) free(pointer)
#endif

/* DecodeDateTime tells what was wrong since 16; nobody here asks. */
#if PG_VERSION_NUM >= 160000
#define DecodeDateTime_compat(...) \
	DecodeDateTime(__VA_ARGS__, &(DateTimeErrorExtra) {0})
#else
#define DecodeDateTime_compat(...) DecodeDateTime(__VA_ARGS__)
#endif

/* make_range can report softly since 16. */
#if PG_VERSION_NUM >= 160000
#define make_range_compat(type, lower, upper, empty) \
	make_range((type), (lower), (upper), (empty), NULL)
#else
#define make_range_compat(type, lower, upper, empty) \
	make_range((type), (lower), (upper), (empty))
#endif

/* Names can be split with soft errors since 16. */
#if PG_VERSION_NUM >= 160000
#define stringToQualifiedNameList_compat(text) stringToQualifiedNameList((text), NULL)
#else
#define stringToQualifiedNameList_compat(text) stringToQualifiedNameList(text)
#endif

/* Intervals can be infinite since 17. */
#if PG_VERSION_NUM < 170000
#define INTERVAL_NOT_FINITE(interval) (false)
#endif

/* Virtual generated columns came in 18. */
#if PG_VERSION_NUM >= 180000
#include "rewrite/rewriteHandler.h"
#define expand_generated_columns_compat(node, rel, varno) \
	expand_generated_columns_in_expr((node), (rel), (varno))
#else
#define expand_generated_columns_compat(node, rel, varno) (node)
#endif

/* Rights to a schema are asked for by the kind of object since 16. */
#if PG_VERSION_NUM >= 160000
#define may_use_schema_compat(schema, role) \
	(object_aclcheck(NamespaceRelationId, (schema), (role), ACL_USAGE) == ACLCHECK_OK)
#else
#define may_use_schema_compat(schema, role) \
	(pg_namespace_aclcheck((schema), (role), ACL_USAGE) == ACLCHECK_OK)
#endif

/* Since 16 an UPDATE may concern the summarizing indexes alone. */
#if PG_VERSION_NUM >= 160000
#define update_indexes_compat TU_UpdateIndexes
#define any_index_compat(update) ((update) != TU_None)
#define only_summarizing_compat(update) ((update) == TU_Summarizing)
#define insert_index_tuples_compat(info, slot, estate, update, no_error, conflict, arbiters, only_summarizing) \
	ExecInsertIndexTuples((info), (slot), (estate), (update), (no_error), (conflict), (arbiters), (only_summarizing))
#else
#define update_indexes_compat bool
#define any_index_compat(update) (update)
#define only_summarizing_compat(update) (false)
#define insert_index_tuples_compat(info, slot, estate, update, no_error, conflict, arbiters, only_summarizing) \
	ExecInsertIndexTuples((info), (slot), (estate), (update), (no_error), (conflict), (arbiters))
#endif

/* What an index is told of an update is kept with it since 15; before, it takes each for one that leaves its key as it was. */
#if PG_VERSION_NUM >= 150000
#define tell_unchanged_compat(index_info, unchanged) \
	((index_info)->ii_CheckedUnchanged = true, (index_info)->ii_IndexUnchanged = (unchanged))
#else
#define tell_unchanged_compat(index_info, unchanged) ((void) (index_info), (void) (unchanged))
#endif

/* Since 17 an index may keep something open from one row to the next of a statement. */
#if PG_VERSION_NUM >= 170000
#define keeps_open_compat(index) ((index)->rd_indam->aminsertcleanup != NULL)
#else
#define keeps_open_compat(index) (false)
#endif

/* Index scans are instrumented since 18. */
#if PG_VERSION_NUM >= 180000
#define index_beginscan_compat(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan((rel), (index), (snapshot), NULL, (nkeys), (norderbys))
#else
#define index_beginscan_compat(rel, index, snapshot, nkeys, norderbys) \
	index_beginscan((rel), (index), (snapshot), (nkeys), (norderbys))
#endif

/* The sequence of an identity column is asked for by the open table since 17. */
#if PG_VERSION_NUM >= 170000
#define identity_sequence_compat(rel, attribute, missing_ok) \
	getIdentitySequence((rel), (attribute), (missing_ok))
#else
#define identity_sequence_compat(rel, attribute, missing_ok) \
	getIdentitySequence(RelationGetRelid(rel), (attribute), (missing_ok))
#endif

#endif							/* SLA_COMPAT_H */
