/*
 * init.c
 *		Loading the library: settings, and the one relcache callback.
 *
 * What a backend compiles from tables (calendars, rules, tracked tables) it
 * keeps until it is told that the tables changed.  The telling is the
 * server's own relcache invalidation: statement triggers on our tables send
 * one for the table (sla.config_changed), so it reaches the own transaction at
 * the next command, other backends and standbys at commit, and the own
 * transaction once more when it is rolled back.
 *
 * The callback runs at any moment at which the server takes a lock or begins a
 * command, even while something is being built.  It therefore moves counters
 * and nothing else.  Whoever builds reads the counter first, then the rows;
 * what he built is current as long as the counter stands where he read it.
 * The server has room for ten such callbacks of all extensions together, which
 * is why the whole extension has this one.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "now.h"
#include "store.h"
#include "summary.h"
#include "timeline_cache.h"
#include "tracking.h"

PG_MODULE_MAGIC;

PGDLLEXPORT void _PG_init(void);

SLA_FUNCTION(sla_config_changed);

/* 0 is never current, so that zeroed memory counts as outdated. */
uint64		sla_calendar_generation = 1;
uint64		sla_rule_generation = 1;

static const char *const config_table_names[SLA_N_CONFIG_TABLES] = {
	[SLA_TABLE_CALENDAR] = "calendar",
	[SLA_TABLE_CALENDAR_VERSION] = "calendar_version",
	[SLA_TABLE_HOLIDAY_SET] = "holiday_set",
	[SLA_TABLE_HOLIDAY] = "holiday",
	[SLA_TABLE_METRIC] = "metric",
	[SLA_TABLE_LEVEL] = "level",
	[SLA_TABLE_TARGET] = "target",
	[SLA_TABLE_RULE] = "rule",
	[SLA_TABLE_SOURCE] = "source",
	[SLA_TABLE_SOURCE_EVENT] = "source_event",
};

/*
 * What the names stand for, InvalidOid when not looked up since the last
 * invalidation.  Forgetting one always moves its generation: so whatever is
 * current has looked up, since then, all the tables it was read from.
 */
static Oid	config_relids[SLA_N_CONFIG_TABLES];
static Oid	config_indexes[SLA_N_CONFIG_TABLES];

/* Relations on whose columns something was compiled. */
static HTAB *watched_relations = NULL;

static bool
is_calendar_table(SlaConfigTable table)
{
	return table <= SLA_TABLE_HOLIDAY;
}

/* relid is InvalidOid when everything may have changed. */
static void
relation_changed(Datum arg, Oid relid)
{
	for (int table = 0; table < SLA_N_CONFIG_TABLES; table++)
	{
		if (OidIsValid(relid) && config_relids[table] != relid)
			continue;
		config_relids[table] = InvalidOid;
		config_indexes[table] = InvalidOid;
		if (is_calendar_table(table))
			sla_calendar_generation++;
		else
			sla_rule_generation++;
	}

	sla_store_relation_changed(relid);

	if (OidIsValid(relid) && watched_relations != NULL &&
		hash_search(watched_relations, &relid, HASH_FIND, NULL) != NULL)
		sla_rule_generation++;
}

/*
 * A new library meets the objects of an older version until the extension is
 * updated.  What needs no table goes on; the rest would read tables wrongly.
 */
void
sla_check_version(void)
{
	Relation	rel = table_open(ExtensionRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
				CStringGetDatum("pg_sla"));
	scan = systable_beginscan(rel, ExtensionNameIndexId, true, NULL, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		bool		isnull;
		char	   *version = TextDatumGetCString(heap_getattr(tuple, Anum_pg_extension_extversion,
															   RelationGetDescr(rel), &isnull));

		if (strcmp(version, SLA_VERSION) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("extension pg_sla is of version %s in this database, its library of version %s",
							version, SLA_VERSION),
					 errhint("Run ALTER EXTENSION pg_sla UPDATE.")));
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
}

/*
 * The OID of one of our tables.  An error when it is not there: the library
 * can be loaded where the extension was never created.
 */
Oid
sla_config_relid(SlaConfigTable table)
{
	if (!OidIsValid(config_relids[table]))
	{
		const char *name = config_table_names[table];
		Oid			namespace = get_namespace_oid(SLA_SCHEMA, true);
		Oid			relid = InvalidOid;

		sla_check_version();
		if (OidIsValid(namespace))
			relid = get_relname_relid(name, namespace);
		if (!OidIsValid(relid))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_TABLE),
					 errmsg("table \"%s.%s\" does not exist", SLA_SCHEMA, name),
					 errhint("Create the extension pg_sla in this database.")));
		config_relids[table] = relid;
	}
	return config_relids[table];
}

/* The OID of the index of its primary key. */
Oid
sla_config_index(SlaConfigTable table)
{
	if (!OidIsValid(config_indexes[table]))
	{
		Oid			relid = sla_config_relid(table);
		char	   *name = psprintf("%s_pkey", config_table_names[table]);
		Oid			index = get_relname_relid(name, get_rel_namespace(relid));

		if (!OidIsValid(index) || get_rel_relkind(index) != RELKIND_INDEX)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("table \"%s.%s\" has lost its primary key \"%s\"",
							SLA_SCHEMA, config_table_names[table], name)));
		pfree(name);
		config_indexes[table] = index;
	}
	return config_indexes[table];
}

/*
 * From now on whatever changes the relation's definition moves
 * sla_rule_generation.  Call it before reading the definition.
 */
void
sla_watch_relation(Oid relid)
{
	if (watched_relations == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Oid)};

		watched_relations = hash_create("pg_sla watched relations", 64, &control,
										HASH_ELEM | HASH_BLOBS);
	}
	(void) hash_search(watched_relations, &relid, HASH_ENTER, NULL);
}

/*
 * sla.config_changed() RETURNS trigger
 *
 * Tells all backends that rows of one of our configuration tables changed.
 * Each of them has it twice, as a statement trigger BEFORE and AFTER every
 * kind of change.  AFTER alone would not do: code that runs between (a row
 * trigger) may compile the new rows and then fail, and the roll-back replays
 * only what was announced until then.  BEFORE alone would not do either: such
 * code may run while only some of the statement's rows are there.
 */
Datum
sla_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called by a statement trigger",
						"sla.config_changed")));

	CacheInvalidateRelcache(trigger->tg_relation);

	/*
	 * The next command counts only if this one wrote something, and only then
	 * does the own backend hear of it; another trigger's commands may have
	 * used up what the statement wrote.
	 */
	(void) GetCurrentCommandId(true);

	PG_RETURN_POINTER(NULL);
}

static void *
server_alloc(void *arg, size_t size)
{
	return MemoryContextAllocExtended((MemoryContext) arg, size, MCXT_ALLOC_HUGE);
}

static void
server_release(void *arg, void *pointer)
{
	if (pointer != NULL)
		pfree(pointer);
}

static void
server_interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

sla_env
sla_server_env(MemoryContext context)
{
	return (sla_env) {
		.alloc = server_alloc,
		.release = server_release,
		.interrupt = server_interrupt,
		.arg = context,
	};
}

void
_PG_init(void)
{
	sla_timeline_cache_init();
	sla_now_init();
	sla_summary_init();
	sla_ticket_row_init();
	MarkGUCPrefixReserved("pg_sla");
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
}
