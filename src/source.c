/*
 * source.c
 *		Setting sources up: which tables are tracked, and what their rows tell.
 */
#include "pg_sla.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "promise.h"
#include "tracking.h"

SLA_FUNCTION(sla_track);
SLA_FUNCTION(sla_track_event);
SLA_FUNCTION(sla_untrack);
SLA_FUNCTION(sla_untrack_event);
SLA_FUNCTION(sla_track_partitions);
SLA_FUNCTION(sla_check_source);

/* False when there is none.  Within SPI. */
bool
sla_read_source(const char *name, SlaSource *source)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	HeapTuple	tuple;
	TupleDesc	tupdesc;
	bool		isnull;

	sla_read_newest(&plan, "SELECT ticket_table::pg_catalog.oid, ticket_key::pg_catalog.text, department, agent,"
					" created_at, changed_at, search_path, owner, facts::pg_catalog.oid, level_column::pg_catalog.text,"
					" due_column::pg_catalog.text, time_zone FROM sla.source"
					" WHERE name OPERATOR(pg_catalog.=) $1", 1, types, values);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	tupdesc = SPI_tuptable->tupdesc;
	source->name = pstrdup(name);
	source->ticket_table = DatumGetObjectId(SPI_getbinval(tuple, tupdesc, 1, &isnull));
	source->ticket_key = sla_column_text(tuple, tupdesc, 2);
	source->department = sla_column_text(tuple, tupdesc, 3);
	source->agent = sla_column_text(tuple, tupdesc, 4);
	source->created_at = sla_column_text(tuple, tupdesc, 5);
	source->changed_at = sla_column_text(tuple, tupdesc, 6);
	source->writer.former = SLA_FORMER_UNKNOWN;
	source->writer.search_path = sla_column_text(tuple, tupdesc, 7);
	source->writer.time_zone = sla_column_text(tuple, tupdesc, 12);
	source->writer.owner = sla_expression_owner(sla_column_text(tuple, tupdesc, 8), "owner of source", name);
	source->facts = DatumGetObjectId(SPI_getbinval(tuple, tupdesc, 9, &isnull));
	if (isnull)
		source->facts = InvalidOid;
	source->level_column = sla_column_text(tuple, tupdesc, 10);
	source->due_column = sla_column_text(tuple, tupdesc, 11);
	return true;
}

void
sla_need_source(const char *name, SlaSource *source)
{
	if (!sla_read_source(name, source))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", name),
				 errhint("Sources are made by sla.track().")));
}

Relation
sla_open_facts(const SlaSource *source)
{
	bool		has_facts = OidIsValid(source->facts);
	Relation	rel = try_relation_open(has_facts ? source->facts : source->ticket_table, AccessShareLock);

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the %s of source \"%s\" has been dropped", has_facts ? "facts view" : "ticket table", source->name),
				 errhint("Make it again and call sla.track(), or call sla.untrack('%s').", source->name)));
	return rel;
}

/* ----------------------------------------------------------------
 * Setting up
 * ----------------------------------------------------------------
 */

/* An argument that must be given. */
static char *
need_text(FunctionCallInfo fcinfo, int argument, const char *name)
{
	char	   *value;

	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	value = text_to_cstring(PG_GETARG_TEXT_PP(argument));
	if (value[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be empty", name)));
	return value;
}

static Oid
need_table(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	return PG_GETARG_OID(argument);
}

/* A text argument as it is, NULL for NULL. */
static const char *
optional_text(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(argument));
}

/* A table that may be tracked by the current user. */
static Relation
open_trackable(Oid relid, LOCKMODE lock)
{
	Relation	rel = table_open(relid, lock);
	AclResult	privilege;

	if (rel->rd_rel->relkind != RELKIND_RELATION && rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be tracked", RelationGetRelationName(rel)),
				 errdetail("Only tables can, since triggers on them tell of changes.")));
	if (rel->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("temporary table \"%s\" cannot be tracked", RelationGetRelationName(rel)),
				 errhint("Its tickets would be gone at the end of the session.")));
	if (get_rel_namespace(relid) == get_namespace_oid(SLA_SCHEMA, false) || IsCatalogNamespace(get_rel_namespace(relid)))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot be tracked", RelationGetRelationName(rel)),
				 errdetail("It belongs to the system or to this extension.")));
	privilege = pg_class_aclcheck(relid, GetUserId(), ACL_TRIGGER);
	if (privilege != ACLCHECK_OK)
		aclcheck_error(privilege, get_relkind_objtype(rel->rd_rel->relkind), RelationGetRelationName(rel));
	return rel;
}

/*
 * One change of what a source tracks at a time: lock its row, if there is one,
 * before any of its tables.
 */
static void
lock_source(const char *name)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	SlaOwner	caller;

	sla_owner_enter(&caller);
	SPI_connect();
	sla_execute_newest(&plan, "SELECT 1 FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1 FOR NO KEY UPDATE",
					   1, types, values, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
}

/*
 * Triggers fire in the order of their names.  Those of other tables come before
 * the ones of foreign keys (RI_...), which lock the ticket's row less than ours
 * do: a lock that grows would wait for a session that waits for it.
 */
static const char *const trigger_prefixes[] = {"sla_", "sla_", "PG_SLA_"};
static const char *const trigger_suffixes[] = {"", "_truncate", ""};

enum
{
	TICKET_TRIGGER, TRUNCATE_TRIGGER, OTHER_TRIGGER
};

static char *
trigger_name(const char *source, int which)
{
	const char *prefix = trigger_prefixes[which];
	const char *suffix = trigger_suffixes[which];
	char	   *name = psprintf("%s%s%s", prefix, source, suffix);

	/* Names of triggers are cut like all others, but the suffix must stay. */
	if (strlen(name) >= NAMEDATALEN)
	{
		int			keep = pg_mbcliplen(source, strlen(source),
										NAMEDATALEN - 1 - (int) strlen(prefix) - (int) strlen(suffix));

		name = psprintf("%s%.*s%s", prefix, keep, source, suffix);
	}
	return name;
}

char *
sla_qualified_name(Oid relid)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid));
}

static void
run(const char *statement)
{
	int			result = SPI_execute(statement, false, 0);

	if (result < 0)
		elog(ERROR, "could not execute \"%s\": %s", statement, SPI_result_code_string(result));
}

/* A table with its partitions, theirs included. */
static List *
with_partitions(Oid relid)
{
	return find_all_inheritors(relid, NoLock, NULL);
}

/*
 * A partition may be truncated alone, and the server copies no such trigger to
 * it.  One that comes later has it when sla.track_partitions() is called, which
 * sla.health() asks for.  Returns how many were made.
 */
static int
make_truncate_triggers(const char *source, Oid relid)
{
	char	   *name = trigger_name(source, TRUNCATE_TRIGGER);
	int			n = 0;
	ListCell   *cell;

	foreach(cell, get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? with_partitions(relid) : list_make1_oid(relid))
	{
		Oid			table = lfirst_oid(cell);

		if (OidIsValid(get_trigger_oid(table, name, true)) || get_rel_relkind(table) == RELKIND_FOREIGN_TABLE)
			continue;
		run(psprintf("CREATE TRIGGER %s AFTER TRUNCATE ON %s FOR EACH STATEMENT"
					 " EXECUTE FUNCTION sla.track_truncate(%s)",
					 quote_identifier(name), sla_qualified_name(table), quote_literal_cstr(source)));
		n++;
	}
	return n;
}

/* Make our triggers on a table, unless they are there.  As the owner, within SPI. */
static void
make_triggers(const char *source, Oid relid, int stream)
{
	char	   *name = trigger_name(source, stream == 0 ? TICKET_TRIGGER : OTHER_TRIGGER);
	/* A row that moves between partitions is deleted and inserted. */
	bool		tells_deletes = stream == 0 || get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE;

	/* As version 0.1.0 named it. */
	if (stream != 0 && OidIsValid(get_trigger_oid(relid, trigger_name(source, TICKET_TRIGGER), true)))
		run(psprintf("DROP TRIGGER %s ON %s", quote_identifier(trigger_name(source, TICKET_TRIGGER)),
					 sla_qualified_name(relid)));
	if (!OidIsValid(get_trigger_oid(relid, name, true)))
		run(psprintf("CREATE TRIGGER %s AFTER INSERT OR UPDATE%s ON %s FOR EACH ROW"
					 " EXECUTE FUNCTION sla.track_row(%s, '%d')",
					 quote_identifier(name), tells_deletes ? " OR DELETE" : "", sla_qualified_name(relid),
					 quote_literal_cstr(source), stream));
	if (stream == 0)
		(void) make_truncate_triggers(source, relid);
}

/*
 * Lock tables as their triggers are dropped under.  Other sessions write them in
 * one order or another: where a table cannot be had at once, the others are let
 * go while it is waited for.
 */
static void
lock_together(List *tables)
{
	int			n = list_length(tables);
	int			first = 0;

	while (n > 0)
	{
		int			i = 0;

		LockRelationOid(list_nth_oid(tables, first), AccessExclusiveLock);
		while (i < n && (i == first || ConditionalLockRelationOid(list_nth_oid(tables, i), AccessExclusiveLock)))
			i++;
		if (i == n)
			return;
		for (int j = 0; j < n; j++)
			if (j < i || j == first)
				UnlockRelationOid(list_nth_oid(tables, j), AccessExclusiveLock);
		first = i;
	}
}

static void
drop_triggers(const char *source, Oid relid)
{
	ListCell   *cell;

	/* The table may have been dropped. */
	if (get_rel_name(relid) == NULL)
		return;
	foreach(cell, get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ? with_partitions(relid) : list_make1_oid(relid))
		for (int i = TICKET_TRIGGER; i <= OTHER_TRIGGER; i++)
		{
			char	   *name = trigger_name(source, i);
			Oid			table = lfirst_oid(cell);

			/* The server drops its own copies. */
			if ((table == relid || i == TRUNCATE_TRIGGER) && OidIsValid(get_trigger_oid(table, name, true)))
				run(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name), sla_qualified_name(table)));
		}
}

/* Do all expressions and rules of a source fit its tables?  Within SPI, as the owner. */
static void
check_source(const SlaSource *source)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source->name)};
	SPITupleTable *tables;
	uint64		n;
	Relation	rel;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check", ALLOCSET_SMALL_SIZES);

	rel = sla_open_facts(source);
	sla_check_rules(source->name, rel);
	relation_close(rel, NoLock);
	rel = table_open(source->ticket_table, AccessShareLock);
	sla_compile_tracked(source, 0, rel, context);
	table_close(rel, NoLock);

	sla_read_newest(&plan, "SELECT DISTINCT on_table::pg_catalog.oid, stream FROM sla.source_event"
					" WHERE source OPERATOR(pg_catalog.=) $1 AND stream OPERATOR(pg_catalog.>) 0",
					1, types, values);
	tables = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		rel = table_open(DatumGetObjectId(SPI_getbinval(tables->vals[i], tables->tupdesc, 1, &isnull)), AccessShareLock);
		sla_compile_tracked(source, DatumGetInt32(SPI_getbinval(tables->vals[i], tables->tupdesc, 2, &isnull)), rel, context);
		table_close(rel, NoLock);
	}
	MemoryContextDelete(context);
}

/* The search_path and the time zone as they stand, and the name of the user who asks. */
static Datum
current_search_path(void)
{
	return CStringGetTextDatum(namespace_search_path);
}

static Datum
current_time_zone(void)
{
	return CStringGetTextDatum(sla_session_time_zone());
}

static Datum
current_owner(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
}

/* A column of the ticket that is kept up to date, or NULL. */
static Datum
kept_column(FunctionCallInfo fcinfo, int argument, Relation rel, const char *name, char *isnull)
{
	const char *column;

	if (PG_ARGISNULL(argument))
	{
		*isnull = 'n';
		return (Datum) 0;
	}
	column = NameStr(*PG_GETARG_NAME(argument));
	if (get_attnum(RelationGetRelid(rel), column) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" to be its %s", RelationGetRelationName(rel), column, name)));
	/* It is written as the table's owner, when the ticket's clocks move. */
	if (pg_class_aclcheck(RelationGetRelid(rel), GetUserId(), ACL_UPDATE) != ACLCHECK_OK)
	{
		AclResult	privilege = pg_attribute_aclcheck(RelationGetRelid(rel), get_attnum(RelationGetRelid(rel), column),
													  GetUserId(), ACL_UPDATE);

		if (privilege != ACLCHECK_OK)
			aclcheck_error_col(privilege, OBJECT_TABLE, RelationGetRelationName(rel), column);
	}
	return PG_GETARG_DATUM(argument);
}

/* The relation of a ticket's facts must have the ticket's key. */
static Datum
facts_relation(FunctionCallInfo fcinfo, int argument, const char *key, char *isnull)
{
	Oid			relid;
	char		kind;
	AclResult	privilege;

	if (PG_ARGISNULL(argument))
	{
		*isnull = 'n';
		return (Datum) 0;
	}
	relid = PG_GETARG_OID(argument);
	kind = get_rel_relkind(relid);
	if (kind != RELKIND_VIEW && kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_MATVIEW)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" cannot give the facts of tickets", get_rel_name(relid)),
				 errhint("Facts are read from a view or a table.")));
	/* They are read as the view's owner, when a ticket's rules run. */
	privilege = pg_class_aclcheck(relid, GetUserId(), ACL_SELECT);
	if (privilege != ACLCHECK_OK)
		aclcheck_error(privilege, get_relkind_objtype(kind), get_rel_name(relid));
	if (get_attnum(relid, key) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("facts \"%s\" have no column \"%s\"", get_rel_name(relid), key),
				 errhint("They need the key of the ticket under the name that the ticket's table gives it.")));
	return ObjectIdGetDatum(relid);
}

/*
 * sla.track(source, ticket_table, ticket_key, department, agent, created_at,
 * changed_at, facts, level_column, due_column)
 */
Datum
sla_track(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {
		TEXTOID, REGCLASSOID, NAMEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		REGCLASSOID, NAMEOID, NAMEOID, TEXTOID
	};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	char	   *name = need_text(fcinfo, 0, "source");
	Oid			relid = need_table(fcinfo, 1, "ticket_table");
	Relation	rel;
	const char *key;
	SlaOwner	caller;
	SlaSource		source;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ticket_key must not be null")));
	key = NameStr(*PG_GETARG_NAME(2));
	lock_source(name);
	rel = open_trackable(relid, ShareRowExclusiveLock);
	if (get_attnum(relid, key) <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" to be the ticket's key", RelationGetRelationName(rel), key),
				 errhint("Name the column that identifies a ticket, such as its primary key.")));

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	values[2] = PG_GETARG_DATUM(2);
	for (int i = 3; i < 7; i++)
	{
		values[i] = PG_ARGISNULL(i) ? (Datum) 0 : PG_GETARG_DATUM(i);
		/* A null time is the present, as it is by default. */
		if (PG_ARGISNULL(i) && i >= 5)
			values[i] = CStringGetTextDatum("now()");
		else if (PG_ARGISNULL(i))
			nulls[i] = 'n';
	}
	values[7] = current_search_path();
	values[8] = current_owner();
	values[9] = facts_relation(fcinfo, 7, key, &nulls[9]);
	values[10] = kept_column(fcinfo, 8, rel, "level_column", &nulls[10]);
	values[11] = kept_column(fcinfo, 9, rel, "due_column", &nulls[11]);
	values[12] = current_time_zone();

	sla_owner_enter(&caller);
	SPI_connect();
	if (sla_read_source(name, &source) && source.ticket_table != relid)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("source \"%s\" already tracks table \"%s\"", name, get_rel_name(source.ticket_table)),
				 errhint("Take another name, or call sla.untrack('%s') first.", name)));
	sla_execute(&plan, "INSERT INTO sla.source (name, ticket_table, ticket_key, department, agent, created_at,"
				" changed_at, search_path, owner, facts, level_column, due_column, time_zone)"
				" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
				" ON CONFLICT (name) DO UPDATE SET facts = EXCLUDED.facts, level_column = EXCLUDED.level_column,"
				" due_column = EXCLUDED.due_column, ticket_key = EXCLUDED.ticket_key, department = EXCLUDED.department,"
				" agent = EXCLUDED.agent, created_at = EXCLUDED.created_at, changed_at = EXCLUDED.changed_at,"
				" search_path = EXCLUDED.search_path, owner = EXCLUDED.owner, time_zone = EXCLUDED.time_zone",
				lengthof(types), types, values, nulls);
	CommandCounterIncrement();
	sla_need_source(name, &source);
	check_source(&source);
	make_triggers(name, relid, 0);
	SPI_finish();
	sla_owner_leave(&caller);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/*
 * sla.track_event(source, on_table, event, condition, ticket_key, at, agent)
 */
Datum
sla_track_event(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr find_stream = NULL;
	static SPIPlanPtr insert = NULL;
	static const Oid find_types[] = {TEXTOID, OIDOID};
	static const Oid types[] = {
		TEXTOID, REGCLASSOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID
	};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	char	   *name = need_text(fcinfo, 0, "source");
	Oid			relid = need_table(fcinfo, 1, "on_table");
	char	   *event = need_text(fcinfo, 2, "event");
	const char *condition = optional_text(fcinfo, 3);
	const char *key = optional_text(fcinfo, 4);
	Relation	rel;
	SlaOwner	caller;
	SlaSource		source;
	int			stream = 0;

	lock_source(name);
	rel = open_trackable(relid, ShareRowExclusiveLock);
	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(name);
	values[1] = ObjectIdGetDatum(relid);
	values[2] = CStringGetTextDatum(event);
	values[4] = CStringGetTextDatum(condition ? condition : "true");
	for (int i = 5; i < 8; i++)
	{
		values[i] = PG_ARGISNULL(i - 1) ? (Datum) 0 : PG_GETARG_DATUM(i - 1);
		if (PG_ARGISNULL(i - 1))
			nulls[i] = 'n';
	}
	values[8] = current_search_path();
	values[9] = current_owner();
	values[10] = current_time_zone();

	sla_owner_enter(&caller);
	SPI_connect();
	sla_need_source(name, &source);
	if (relid == source.ticket_table)
	{
		if (key != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ticket_key \"%s\" given for the ticket table of source \"%s\"", key, name),
					 errhint("The key of a ticket's own row is the one that sla.track() was given: \"%s\".", source.ticket_key)));
	}
	else
	{
		bool		isnull;

		if (key == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("rows of table \"%s\" need a ticket_key", RelationGetRelationName(rel)),
					 errhint("Say which of its columns is the key of the ticket, such as ticket_key => 'ticket_id'.")));
		sla_read_newest(&find_stream, "SELECT pg_catalog.max(stream) FILTER (WHERE on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2),"
						" COALESCE(pg_catalog.max(stream), 0) FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1",
						2, find_types, values);
		stream = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		if (isnull)
			stream = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull)) + 1;
	}
	values[3] = Int32GetDatum(stream);
	sla_execute(&insert, "INSERT INTO sla.source_event (source, on_table, event, stream, condition, ticket_key, at, agent,"
				" search_path, owner, time_zone) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
				" ON CONFLICT (source, on_table, event) DO UPDATE SET condition = EXCLUDED.condition,"
				" ticket_key = EXCLUDED.ticket_key, at = EXCLUDED.at, agent = EXCLUDED.agent,"
				" search_path = EXCLUDED.search_path, owner = EXCLUDED.owner, time_zone = EXCLUDED.time_zone",
				lengthof(types), types, values, nulls);
	CommandCounterIncrement();
	check_source(&source);
	make_triggers(name, relid, stream);
	if (sla_event_number(sla_metrics_now(), event) < 0)
		ereport(WARNING,
				(errmsg("no metric knows the event \"%s\"", event),
				 errhint("It is recorded, and starts or stops a clock once a row of sla.metric names it.")));
	SPI_finish();
	sla_owner_leave(&caller);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/*
 * sla.track_partitions(source): the number of tables that were given a trigger.
 */
Datum
sla_track_partitions(PG_FUNCTION_ARGS)
{
	SlaOwner	caller;
	SlaSource	source;
	Relation	rel;
	int			n;

	SPI_connect();
	sla_owner_enter(&caller);
	sla_need_source(text_to_cstring(PG_GETARG_TEXT_PP(0)), &source);
	sla_owner_leave(&caller);
	if (get_rel_name(source.ticket_table) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the ticket table of source \"%s\" has been dropped", source.name),
				 errhint("Call sla.untrack('%s').", source.name)));
	rel = open_trackable(source.ticket_table, ShareRowExclusiveLock);
	sla_owner_enter(&caller);
	n = make_truncate_triggers(source.name, source.ticket_table);
	sla_owner_leave(&caller);
	SPI_finish();
	table_close(rel, NoLock);
	PG_RETURN_INT32(n);
}

/*
 * sla.untrack(source)
 */
Datum
sla_untrack(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr find = NULL;
	static SPIPlanPtr delete = NULL;
	static const Oid types[] = {TEXTOID};
	char	   *name = need_text(fcinfo, 0, "source");
	Datum		values[] = {PG_GETARG_DATUM(0)};
	List	   *tables = NIL;
	List	   *locked = NIL;
	ListCell   *cell;
	SlaOwner	caller;
	SlaSource		source;

	lock_source(name);
	sla_owner_enter(&caller);
	SPI_connect();
	sla_need_source(name, &source);
	sla_read_newest(&find, "SELECT ticket_table::pg_catalog.oid FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1"
					" UNION SELECT on_table::pg_catalog.oid FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1",
					1, types, values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull));
		AclResult	privilege;

		/* It may have been dropped. */
		if (get_rel_name(relid) == NULL)
			continue;
		privilege = pg_class_aclcheck(relid, caller.user, ACL_TRIGGER);
		if (privilege != ACLCHECK_OK)
			aclcheck_error(privilege, OBJECT_TABLE, get_rel_name(relid));
		tables = lappend_oid(tables, relid);
		locked = list_concat_unique_oid(locked, get_rel_relkind(relid) == RELKIND_PARTITIONED_TABLE ?
										with_partitions(relid) : list_make1_oid(relid));
	}
	lock_together(locked);
	foreach(cell, tables)
		drop_triggers(name, lfirst_oid(cell));
	sla_execute_newest(&delete, "DELETE FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}

/*
 * sla.untrack_event(source, on_table, event)
 */
Datum
sla_untrack_event(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr delete = NULL;
	static SPIPlanPtr left = NULL;
	static const Oid types[] = {TEXTOID, OIDOID, TEXTOID};
	char	   *name = need_text(fcinfo, 0, "source");
	Oid			relid = PG_GETARG_OID(1);
	char	   *event = need_text(fcinfo, 2, "event");
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)};
	Relation	rel;
	SlaOwner	caller;
	SlaSource		source;

	lock_source(name);
	/* As a trigger is dropped under, at once: a session that has read the table may come to write it. */
	rel = open_trackable(relid, AccessExclusiveLock);
	sla_owner_enter(&caller);
	SPI_connect();
	sla_need_source(name, &source);
	sla_execute_newest(&delete, "DELETE FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1"
					   " AND on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2 AND event OPERATOR(pg_catalog.=) $3",
					   3, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" takes no event \"%s\" from table \"%s\"", name, event, RelationGetRelationName(rel))));
	sla_read_newest(&left, "SELECT 1 FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1"
					" AND on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2", 2, types, values);
	if (SPI_processed == 0 && relid != source.ticket_table)
		drop_triggers(name, relid);
	SPI_finish();
	sla_owner_leave(&caller);
	table_close(rel, NoLock);
	PG_RETURN_VOID();
}

/*
 * sla.check_source(source)
 */
Datum
sla_check_source(PG_FUNCTION_ARGS)
{
	SlaOwner	caller;
	SlaSource		source;

	sla_owner_enter(&caller);
	SPI_connect();
	sla_need_source(text_to_cstring(PG_GETARG_TEXT_PP(0)), &source);
	check_source(&source);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}
