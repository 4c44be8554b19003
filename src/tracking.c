/*
 * tracking.c
 *		From row changes of the user's tables to events.
 *
 * The trigger's arguments say which source it serves and which of the source's
 * tables it stands on (0 is the ticket table), never an OID: so it works on a
 * partition and on a copy of the table as well.
 *
 * What a trigger needs to know is compiled once per backend and trigger and
 * kept until the generation moves.  An UPDATE that changes none of the columns
 * that some condition reads leaves after a few comparisons.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "condition.h"
#include "promise.h"
#include "rule.h"
#include "statement.h"

SLA_FUNCTION(sla_track_row);
SLA_FUNCTION(sla_track_truncate);
SLA_FUNCTION(sla_track);
SLA_FUNCTION(sla_track_event);
SLA_FUNCTION(sla_untrack);
SLA_FUNCTION(sla_untrack_event);
SLA_FUNCTION(sla_check_source);

/* An event that rows of the table tell. */
typedef struct TrackedEvent
{
	const char *event;
	const char *opposite;		/* what happens when the condition ends, or NULL */
	SlaExpression *condition;
	SlaExpression *key;			/* NULL on the ticket table */
	SlaExpression *at;			/* NULL: when the row changed */
	SlaExpression *agent;		/* NULL: not known */
} TrackedEvent;

/* Columns whose change is looked for. */
typedef struct ColumnSet
{
	AttrNumber *attributes;
	int			n;
	AttrNumber	last;
	bool		whole_row;
} ColumnSet;

/* A table of a source, compiled. */
typedef struct Tracked
{
	const char *source;
	int			stream;			/* 0: the ticket table */
	Oid			relid;			/* what it was compiled for */

	/* of the ticket table */
	SlaExpression *key;
	SlaExpression *created_at;
	SlaExpression *changed_at;
	SlaExpression *department;	/* may be NULL */
	SlaExpression *agent;		/* may be NULL */

	TrackedEvent *events;
	int			nevents;

	SlaExpression **expressions;	/* all of them */
	int			nexpressions;

	/* An update matters when one of these changed. */
	ColumnSet	columns;		/* to anything */
	ColumnSet	rule_columns;	/* to the choice of a level */
} Tracked;

typedef struct TrackedEntry
{
	Oid			trigger;
	uint64		generation;
	MemoryContext context;
	Tracked    *tracked;
} TrackedEntry;

static HTAB *tracked_triggers = NULL;

/* ----------------------------------------------------------------
 * Compiling
 * ----------------------------------------------------------------
 */

/* A row of sla.source. */
typedef struct Source
{
	const char *name;
	Oid			ticket_table;
	const char *ticket_key;
	const char *department;
	const char *agent;
	const char *created_at;
	const char *changed_at;
	const char *search_path;
	Oid			owner;
} Source;

/* False when there is none.  Within SPI. */
static bool
read_source(const char *name, Source *source)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(name)};
	HeapTuple	tuple;
	TupleDesc	tupdesc;
	bool		isnull;

	sla_read_newest(&plan, "SELECT ticket_table::pg_catalog.oid, ticket_key::pg_catalog.text, department, agent,"
					" created_at, changed_at, search_path, owner FROM sla.source"
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
	source->search_path = sla_column_text(tuple, tupdesc, 7);
	source->owner = sla_expression_owner(sla_column_text(tuple, tupdesc, 8), "owner of source", name);
	return true;
}

static void
need_source(const char *name, Source *source)
{
	if (!read_source(name, source))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", name),
				 errhint("Sources are made by sla.track().")));
}

/* Compile one of a table's expressions and remember it; NULL text gives NULL. */
static SlaExpression *
compile(Tracked *tracked, Relation rel, const char *text, const char *search_path, Oid owner,
		Oid type, const char *what, const char *name, MemoryContext context)
{
	SlaExpression *expression;

	if (text == NULL)
		return NULL;
	expression = sla_expression_compile(rel, text, search_path, owner, type, what, name, context);
	tracked->expressions[tracked->nexpressions++] = expression;
	return expression;
}

/* A bitmapset of offset columns as plain attribute numbers. */
static void
collect_columns(ColumnSet *columns, const Bitmapset *read)
{
	int			member = -1;

	columns->attributes = palloc(bms_num_members(read) * sizeof(AttrNumber) + 1);
	while ((member = bms_next_member(read, member)) >= 0)
	{
		AttrNumber	attribute = member + FirstLowInvalidHeapAttributeNumber;

		if (attribute == 0)
			columns->whole_row = true;
		/* System columns are the same for a row's whole life, or always new. */
		if (attribute <= 0)
			continue;
		columns->attributes[columns->n++] = attribute;
		columns->last = Max(columns->last, attribute);
	}
}

/*
 * Compile what a source wants to know of a table.  stream says which of its
 * tables rel stands for.  Within SPI; everything is allocated in context.
 */
static Tracked *
compile_tracked(const Source *source, int stream, Relation rel, MemoryContext context)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(source->name), Int32GetDatum(stream)};
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *rows;
	Tracked    *tracked;
	Bitmapset  *read = NULL;

	sla_read_newest(&plan, "SELECT event, condition, ticket_key, at, agent, search_path, owner FROM sla.source_event"
					" WHERE source OPERATOR(pg_catalog.=) $1 AND stream OPERATOR(pg_catalog.=) $2 ORDER BY event",
					2, types, values);
	rows = SPI_tuptable;

	MemoryContextSwitchTo(context);
	tracked = palloc0(sizeof(Tracked));
	tracked->source = pstrdup(source->name);
	tracked->stream = stream;
	tracked->relid = RelationGetRelid(rel);
	tracked->nevents = (int) SPI_processed;
	tracked->events = palloc0(tracked->nevents * sizeof(TrackedEvent) + 1);
	tracked->expressions = palloc((5 + 4 * tracked->nevents) * sizeof(SlaExpression *));

	if (stream == 0)
	{
		tracked->key = compile(tracked, rel, quote_identifier(source->ticket_key), source->search_path,
							   source->owner, TEXTOID, "ticket key of source", source->name, context);
		tracked->created_at = compile(tracked, rel, source->created_at, source->search_path,
									  source->owner, TIMESTAMPTZOID, "created_at of source", source->name, context);
		tracked->changed_at = compile(tracked, rel, source->changed_at, source->search_path,
									  source->owner, TIMESTAMPTZOID, "changed_at of source", source->name, context);
		tracked->department = compile(tracked, rel, source->department, source->search_path,
									  source->owner, TEXTOID, "department of source", source->name, context);
		tracked->agent = compile(tracked, rel, source->agent, source->search_path,
								 source->owner, TEXTOID, "agent of source", source->name, context);
		read = bms_copy(sla_expression_columns(tracked->key));
		if (tracked->department != NULL)
			read = bms_add_members(read, sla_expression_columns(tracked->department));
		if (tracked->agent != NULL)
			read = bms_add_members(read, sla_expression_columns(tracked->agent));
		collect_columns(&tracked->rule_columns, sla_rule_columns(sla_rules_for(source->name, rel)));
		read = bms_add_members(read, sla_rule_columns(sla_rules_for(source->name, rel)));
	}

	for (int i = 0; i < tracked->nevents; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		TrackedEvent *event = &tracked->events[i];
		const char *search_path = sla_column_text(tuple, rows->tupdesc, 6);
		Oid			owner;

		event->event = sla_column_text(tuple, rows->tupdesc, 1);
		owner = sla_expression_owner(sla_column_text(tuple, rows->tupdesc, 7), "owner of event", event->event);
		event->opposite = sla_opposite_event(event->event);
		event->condition = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 2), search_path, owner,
								   BOOLOID, "condition of event", event->event, context);
		event->key = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 3), search_path, owner,
							 TEXTOID, "ticket key of event", event->event, context);
		event->at = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 4), search_path, owner,
							TIMESTAMPTZOID, "time of event", event->event, context);
		event->agent = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 5), search_path, owner,
							   TEXTOID, "agent of event", event->event, context);
		read = bms_add_members(read, sla_expression_columns(event->condition));
	}

	/* A state whose end is told by a condition of its own does not end by itself. */
	for (int i = 0; i < tracked->nevents; i++)
		for (int j = 0; j < tracked->nevents && tracked->events[i].opposite != NULL; j++)
			if (strcmp(tracked->events[i].opposite, tracked->events[j].event) == 0)
				tracked->events[i].opposite = NULL;

	collect_columns(&tracked->columns, read);
	MemoryContextSwitchTo(caller);
	SPI_freetuptable(rows);
	return tracked;
}

static bool
tracked_is_valid(const Tracked *tracked)
{
	for (int i = 0; i < tracked->nexpressions; i++)
		if (!sla_expression_valid(tracked->expressions[i]))
			return false;
	return true;
}

/*
 * Anybody may make a trigger with our function on a table of their own; it must
 * not tell events of somebody else's tickets.  A table may tell those that a
 * table of the same owner was registered for, such as its partition.
 */
static void
check_teller(const Source *source, int stream, Relation rel)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(source->name), Int32GetDatum(stream)};

	sla_read_newest(&plan, "SELECT c.relowner FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) ANY ("
					" SELECT s.ticket_table::pg_catalog.oid FROM sla.source AS s"
					" WHERE s.name OPERATOR(pg_catalog.=) $1 AND $2 OPERATOR(pg_catalog.=) 0"
					" UNION ALL SELECT e.on_table::pg_catalog.oid FROM sla.source_event AS e"
					" WHERE e.source OPERATOR(pg_catalog.=) $1 AND e.stream OPERATOR(pg_catalog.=) $2)",
					2, types, values);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		bool		isnull;

		if (DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull)) == rel->rd_rel->relowner)
			return;
	}
	if (superuser_arg(rel->rd_rel->relowner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("table \"%s\" must not tell events of source \"%s\"", RelationGetRelationName(rel), source->name),
			 errdetail("Its owner is not the owner of the table that the source tracks."),
			 errhint("Triggers are made by sla.track() and sla.track_event().")));
}

/* What the trigger that has fired needs to know. */
static Tracked *
tracked_for(TriggerData *trigdata, const char *source_name, int stream)
{
	Oid			trigger = trigdata->tg_trigger->tgoid;
	MemoryContext context;
	Tracked    *tracked;
	TrackedEntry *entry;
	SlaOwner	caller;
	Source		source;
	uint64		generation;
	bool		found;

	if (tracked_triggers == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(TrackedEntry), .hcxt = CacheMemoryContext};

		tracked_triggers = hash_create("pg_sla tracked tables", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	entry = hash_search(tracked_triggers, &trigger, HASH_FIND, NULL);
	if (entry != NULL && entry->generation == sla_rule_generation && tracked_is_valid(entry->tracked))
		return entry->tracked;

	/* Watched before anything is read, so that no change is missed. */
	sla_config_relid(SLA_TABLE_SOURCE);
	sla_config_relid(SLA_TABLE_SOURCE_EVENT);
	sla_watch_relation(RelationGetRelid(trigdata->tg_relation));
	generation = sla_rule_generation;

	context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla tracked table", ALLOCSET_SMALL_SIZES);
	sla_owner_enter(&caller);
	SPI_connect();
	if (!read_source(source_name, &source))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" is not tracked", source_name),
				 errdetail("Trigger \"%s\" on table \"%s\" says that it is.",
						   trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Call sla.track() again, or drop the trigger.")));
	check_teller(&source, stream, trigdata->tg_relation);
	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, source_name));
	tracked = compile_tracked(&source, stream, trigdata->tg_relation, context);
	SPI_finish();
	sla_owner_leave(&caller);

	entry = hash_search(tracked_triggers, &trigger, HASH_ENTER, &found);
	/* A row further up the stack may still be looking at the former one. */
	if (found)
		MemoryContextSetParent(entry->context, TopTransactionContext);
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->context = context;
	entry->tracked = tracked;
	entry->generation = generation;
	return tracked;
}

/* ----------------------------------------------------------------
 * The row trigger
 * ----------------------------------------------------------------
 */

/* A text expression for a row; NULL for NULL and for no expression. */
static const char *
text_of(SlaExpression *expression, TupleTableSlot *slot)
{
	Datum		value;
	bool		isnull;

	if (expression == NULL)
		return NULL;
	value = sla_expression_eval(expression, slot, &isnull);
	return isnull ? NULL : TextDatumGetCString(value);
}

/* An instant for a row; false for NULL and for no expression. */
static bool
instant_of(SlaExpression *expression, TupleTableSlot *slot, const char *event, TimestampTz *at)
{
	Datum		value;
	bool		isnull;

	if (expression == NULL)
		return false;
	value = sla_expression_eval(expression, slot, &isnull);
	if (isnull)
		return false;
	*at = DatumGetTimestampTz(value);
	if (TIMESTAMP_NOT_FINITE(*at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event \"%s\" cannot happen at \"%s\"", event, timestamptz_to_str(*at)),
				 errhint("Give the instant at which it happened, or NULL for when the row is written.")));
	return true;
}

/* Did one of the columns change? */
static bool
columns_changed(const ColumnSet *columns, TupleTableSlot *old, TupleTableSlot *new)
{
	TupleDesc	tupdesc = new->tts_tupleDescriptor;

	if (columns->whole_row)
		return true;
	slot_getsomeattrs(old, columns->last);
	slot_getsomeattrs(new, columns->last);
	for (int i = 0; i < columns->n; i++)
	{
		int			column = columns->attributes[i] - 1;
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, column);

		if (old->tts_isnull[column] != new->tts_isnull[column])
			return true;
		if (!old->tts_isnull[column] &&
			!datum_image_eq(old->tts_values[column], new->tts_values[column],
							attribute->attbyval, attribute->attlen))
			return true;
	}
	return false;
}

static const char *
ticket_of(const Tracked *tracked, TupleTableSlot *slot)
{
	const char *key = text_of(tracked->key, slot);

	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("a ticket of source \"%s\" has no key", tracked->source),
				 errhint("Its key column must not be null.")));
	return key;
}

/* What a tracked event does for a change: the event that happens, or NULL. */
static const char *
what_happens(const TrackedEvent *event, TupleTableSlot *old, TupleTableSlot *new)
{
	bool		was = old != NULL && sla_condition_holds(event->condition, old);
	bool		is = sla_condition_holds(event->condition, new);

	if (is && !was)
		return event->event;
	if (was && !is)
		return event->opposite;
	return NULL;
}

/* A ticket's row was inserted or updated (old not NULL). */
static void
ticket_changed(Tracked *tracked, Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	const char *ticket = ticket_of(tracked, new);
	SlaNewEvent *events = palloc0((tracked->nevents + 2) * sizeof(SlaNewEvent));
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz changed_at;
	bool		has_changed_at;
	SlaChoice	choice;
	bool		keep_levels = false;
	bool		decided = true;
	const char *department = text_of(tracked->department, new);
	const char *agent = text_of(tracked->agent, new);
	int			n = 0;

	has_changed_at = instant_of(tracked->changed_at, new, "changed", &changed_at);

	if (old == NULL || columns_changed(&tracked->rule_columns, old, new))
	{
		SlaRuleSet *rules = sla_rules_for(tracked->source, rel);

		/* Rules for new tickets only: what they chose stays unless another says otherwise. */
		keep_levels = old != NULL && sla_rules_keep_levels(rules);
		sla_choose_levels(rules, new, old == NULL, &choice);
		decided = false;
	}

	if (old == NULL)
	{
		TimestampTz created_at;

		if (!instant_of(tracked->created_at, new, "created", &created_at))
			created_at = now;
		events[n].event = "created";
		events[n].at = created_at;
		events[n].choice = &choice;
		decided = true;
		n++;
		/* Nothing happens to a ticket before it is there. */
		changed_at = has_changed_at ? Max(changed_at, created_at) : created_at;
	}
	else
	{
		const char *former = ticket_of(tracked, old);

		if (strcmp(former, ticket) != 0)
			sla_rename_ticket(tracked->source, former, ticket);
		if (!has_changed_at)
			changed_at = now;
	}

	for (int i = 0; i < tracked->nevents; i++)
	{
		const TrackedEvent *event = &tracked->events[i];
		const char *happened = what_happens(event, old, new);

		if (happened == NULL)
			continue;
		events[n].event = happened;
		/* What `at` says is about the event, not about its end. */
		if (happened != event->event ||
			!instant_of(event->at, new, happened, &events[n].at))
			events[n].at = changed_at;
		events[n].agent = text_of(event->agent, new);
		if (!decided && events[n].at == changed_at)
		{
			events[n].choice = &choice;
			decided = true;
		}
		n++;
	}

	/* Nothing happened at that instant but a choice, or perhaps another holder. */
	if (!decided || n == 0)
	{
		events[n].at = changed_at;
		events[n].choice = decided ? NULL : &choice;
		n++;
	}
	for (int i = 0; i < n; i++)
	{
		events[i].of_ticket = true;
		events[i].department = department;
		events[i].assignee = agent;
		events[i].keep_levels = keep_levels;
	}
	sla_record_events(tracked->source, ticket, events, n, old == NULL);
}

/* A row of another table was inserted or updated (old not NULL). */
static void
other_changed(Tracked *tracked, TupleTableSlot *old, TupleTableSlot *new)
{
	for (int i = 0; i < tracked->nevents; i++)
	{
		const TrackedEvent *event = &tracked->events[i];
		const char *happened = what_happens(event, old, new);
		SlaNewEvent record = {0};
		const char *ticket;

		if (happened == NULL)
			continue;
		/* A row that belongs to no ticket tells nothing of one. */
		ticket = text_of(event->key, new);
		if (ticket == NULL)
			continue;
		record.event = happened;
		if (happened != event->event || !instant_of(event->at, new, happened, &record.at))
			record.at = GetCurrentTransactionStartTimestamp();
		record.agent = text_of(event->agent, new);
		sla_record_events(tracked->source, ticket, &record, 1, false);
	}
}

static void
ticket_deleted(Tracked *tracked, TupleTableSlot *old)
{
	SlaNewEvent event = {0};

	event.event = "deleted";
	event.at = GetCurrentTransactionStartTimestamp();
	event.is_last = true;
	sla_record_events(tracked->source, ticket_of(tracked, old), &event, 1, false);
}

static void
protocol_error(const char *function, const char *must)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" %s", function, must),
			 errhint("Its triggers are made by sla.track() and sla.track_event().")));
}

/*
 * The row trigger on tracked tables: AFTER INSERT OR UPDATE OR DELETE, with
 * the source and the number of the table as arguments.
 */
Datum
sla_track_row(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	Tracked    *tracked;

	if (!CALLED_AS_TRIGGER(fcinfo))
		protocol_error("sla.track_row", "must be called as a trigger");
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigdata->tg_event))
		protocol_error("sla.track_row", "must be fired after a row");
	if (trigdata->tg_trigger->tgnargs != 2)
		protocol_error("sla.track_row", "takes a source and the number of a table");

	tracked = tracked_for(trigdata, trigdata->tg_trigger->tgargs[0],
						  pg_strtoint32(trigdata->tg_trigger->tgargs[1]));

	if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
	{
		if (tracked->stream == 0)
			ticket_changed(tracked, trigdata->tg_relation, NULL, trigdata->tg_trigslot);
		else
			other_changed(tracked, NULL, trigdata->tg_trigslot);
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		if (!columns_changed(&tracked->columns, trigdata->tg_trigslot, trigdata->tg_newslot))
			return PointerGetDatum(NULL);
		if (tracked->stream == 0)
			ticket_changed(tracked, trigdata->tg_relation, trigdata->tg_trigslot, trigdata->tg_newslot);
		else
			other_changed(tracked, trigdata->tg_trigslot, trigdata->tg_newslot);
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (tracked->stream == 0)
			ticket_deleted(tracked, trigdata->tg_trigslot);
	}
	else
		protocol_error("sla.track_row", "must be fired by INSERT, UPDATE or DELETE");
	return PointerGetDatum(NULL);
}

/*
 * The statement trigger on ticket tables: AFTER TRUNCATE, with the source as
 * its argument.  Every ticket that is not known to be deleted now is.
 */
Datum
sla_track_truncate(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SPITupleTable *tickets;
	SlaOwner	caller;
	Source		source;
	Datum		values[1];
	uint64		n;

	if (!CALLED_AS_TRIGGER(fcinfo))
		protocol_error("sla.track_truncate", "must be called as a trigger");
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		protocol_error("sla.track_truncate", "must be fired after TRUNCATE");
	if (trigdata->tg_trigger->tgnargs != 1)
		protocol_error("sla.track_truncate", "takes a source");

	values[0] = CStringGetTextDatum(trigdata->tg_trigger->tgargs[0]);
	sla_owner_enter(&caller);
	SPI_connect();
	need_source(trigdata->tg_trigger->tgargs[0], &source);
	check_teller(&source, 0, trigdata->tg_relation);
	sla_execute(&plan, "SELECT t.ticket FROM sla.ticket AS t WHERE t.source OPERATOR(pg_catalog.=) $1"
				" AND NOT EXISTS (SELECT FROM sla.event AS e WHERE e.source OPERATOR(pg_catalog.=) t.source"
				" AND e.ticket OPERATOR(pg_catalog.=) t.ticket AND e.event OPERATOR(pg_catalog.=) 'deleted')"
				" ORDER BY t.ticket", 1, types, values, NULL);
	tickets = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		SlaNewEvent event = {
			.event = "deleted", .at = GetCurrentTransactionStartTimestamp(), .is_last = true
		};

		CHECK_FOR_INTERRUPTS();
		sla_record_events(trigdata->tg_trigger->tgargs[0],
						  SPI_getvalue(tickets->vals[i], tickets->tupdesc, 1), &event, 1, false);
	}
	SPI_finish();
	sla_owner_leave(&caller);
	return PointerGetDatum(NULL);
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
open_trackable(Oid relid)
{
	Relation	rel = table_open(relid, ShareRowExclusiveLock);
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

static char *
trigger_name(const char *source, const char *suffix)
{
	char	   *name = psprintf("sla_%s%s", source, suffix);

	/* Names of triggers are cut like all others, but the suffix must stay. */
	if (strlen(name) >= NAMEDATALEN)
	{
		int			keep = pg_mbcliplen(source, strlen(source),
										NAMEDATALEN - 1 - (int) strlen("sla_") - (int) strlen(suffix));

		name = psprintf("sla_%.*s%s", keep, source, suffix);
	}
	return name;
}

static char *
qualified_name(Oid relid)
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

/* Make our triggers on a table, unless they are there.  As the owner, within SPI. */
static void
make_triggers(const char *source, Oid relid, int stream)
{
	char	   *name = trigger_name(source, "");

	if (!OidIsValid(get_trigger_oid(relid, name, true)))
		run(psprintf("CREATE TRIGGER %s AFTER INSERT OR UPDATE%s ON %s FOR EACH ROW"
					 " EXECUTE FUNCTION sla.track_row(%s, '%d')",
					 quote_identifier(name), stream == 0 ? " OR DELETE" : "", qualified_name(relid),
					 quote_literal_cstr(source), stream));
	name = trigger_name(source, "_truncate");
	if (stream == 0 && !OidIsValid(get_trigger_oid(relid, name, true)))
		run(psprintf("CREATE TRIGGER %s AFTER TRUNCATE ON %s FOR EACH STATEMENT"
					 " EXECUTE FUNCTION sla.track_truncate(%s)",
					 quote_identifier(name), qualified_name(relid), quote_literal_cstr(source)));
}

static void
drop_triggers(const char *source, Oid relid)
{
	static const char *const suffixes[] = {"", "_truncate"};

	/* The table may have been dropped. */
	if (get_rel_name(relid) == NULL)
		return;
	for (int i = 0; i < (int) lengthof(suffixes); i++)
	{
		char	   *name = trigger_name(source, suffixes[i]);

		if (OidIsValid(get_trigger_oid(relid, name, true)))
			run(psprintf("DROP TRIGGER %s ON %s", quote_identifier(name), qualified_name(relid)));
	}
}

/* Do all expressions and rules of a source fit its tables?  Within SPI, as the owner. */
static void
check_source(const Source *source)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source->name)};
	SPITupleTable *tables;
	uint64		n;
	Relation	rel;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check", ALLOCSET_SMALL_SIZES);

	rel = table_open(source->ticket_table, AccessShareLock);
	sla_check_rules(source->name, rel);
	compile_tracked(source, 0, rel, context);
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
		compile_tracked(source, DatumGetInt32(SPI_getbinval(tables->vals[i], tables->tupdesc, 2, &isnull)), rel, context);
		table_close(rel, NoLock);
	}
	MemoryContextDelete(context);
}

/* The search_path as it stands, and the name of the user who asks. */
static Datum
current_search_path(void)
{
	return CStringGetTextDatum(namespace_search_path);
}

static Datum
current_owner(void)
{
	return CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
}

static void
not_built(bool given, const char *what)
{
	if (given)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s of sla.track is not supported by this version", what)));
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
		TEXTOID, REGCLASSOID, NAMEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID
	};
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	char	   *name = need_text(fcinfo, 0, "source");
	Oid			relid = need_table(fcinfo, 1, "ticket_table");
	Relation	rel;
	const char *key;
	SlaOwner	caller;
	Source		source;

	if (PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("ticket_key must not be null")));
	key = NameStr(*PG_GETARG_NAME(2));
	not_built(!PG_ARGISNULL(7), "facts");
	not_built(!PG_ARGISNULL(8), "level_column");
	not_built(!PG_ARGISNULL(9), "due_column");

	rel = open_trackable(relid);
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

	sla_owner_enter(&caller);
	SPI_connect();
	if (read_source(name, &source) && source.ticket_table != relid)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("source \"%s\" already tracks table \"%s\"", name, get_rel_name(source.ticket_table)),
				 errhint("Take another name, or call sla.untrack('%s') first.", name)));
	sla_execute(&plan, "INSERT INTO sla.source (name, ticket_table, ticket_key, department, agent, created_at,"
				" changed_at, search_path, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
				" ON CONFLICT (name) DO UPDATE SET ticket_key = EXCLUDED.ticket_key, department = EXCLUDED.department,"
				" agent = EXCLUDED.agent, created_at = EXCLUDED.created_at, changed_at = EXCLUDED.changed_at,"
				" search_path = EXCLUDED.search_path, owner = EXCLUDED.owner",
				lengthof(types), types, values, nulls);
	CommandCounterIncrement();
	need_source(name, &source);
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
		TEXTOID, REGCLASSOID, TEXTOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID
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
	Source		source;
	int			stream = 0;

	rel = open_trackable(relid);
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

	sla_owner_enter(&caller);
	SPI_connect();
	need_source(name, &source);
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
		sla_execute(&find_stream, "SELECT pg_catalog.max(stream) FILTER (WHERE on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2),"
					" COALESCE(pg_catalog.max(stream), 0) FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1",
					2, find_types, values, NULL);
		stream = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		if (isnull)
			stream = DatumGetInt32(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull)) + 1;
	}
	values[3] = Int32GetDatum(stream);
	sla_execute(&insert, "INSERT INTO sla.source_event (source, on_table, event, stream, condition, ticket_key, at, agent,"
				" search_path, owner) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
				" ON CONFLICT (source, on_table, event) DO UPDATE SET condition = EXCLUDED.condition,"
				" ticket_key = EXCLUDED.ticket_key, at = EXCLUDED.at, agent = EXCLUDED.agent,"
				" search_path = EXCLUDED.search_path, owner = EXCLUDED.owner",
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
	SPITupleTable *tables;
	SlaOwner	caller;
	Source		source;
	uint64		n;

	sla_owner_enter(&caller);
	SPI_connect();
	need_source(name, &source);
	sla_execute(&find, "SELECT ticket_table::pg_catalog.oid FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1"
				" UNION SELECT on_table::pg_catalog.oid FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1",
				1, types, values, NULL);
	tables = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;
		Oid			relid = DatumGetObjectId(SPI_getbinval(tables->vals[i], tables->tupdesc, 1, &isnull));

		if (get_rel_name(relid) != NULL)
		{
			Oid			user = caller.user;
			AclResult	privilege = pg_class_aclcheck(relid, user, ACL_TRIGGER);

			if (privilege != ACLCHECK_OK)
				aclcheck_error(privilege, OBJECT_TABLE, get_rel_name(relid));
		}
		drop_triggers(name, relid);
	}
	sla_execute(&delete, "DELETE FROM sla.source WHERE name OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
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
	Relation	rel = open_trackable(relid);
	SlaOwner	caller;
	Source		source;

	sla_owner_enter(&caller);
	SPI_connect();
	need_source(name, &source);
	sla_execute(&delete, "DELETE FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1"
				" AND on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2 AND event OPERATOR(pg_catalog.=) $3",
				3, types, values, NULL);
	if (SPI_processed == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" takes no event \"%s\" from table \"%s\"", name, event, RelationGetRelationName(rel))));
	sla_execute(&left, "SELECT 1 FROM sla.source_event WHERE source OPERATOR(pg_catalog.=) $1"
				" AND on_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2", 2, types, values, NULL);
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
	Source		source;

	sla_owner_enter(&caller);
	SPI_connect();
	need_source(text_to_cstring(PG_GETARG_TEXT_PP(0)), &source);
	check_source(&source);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}
