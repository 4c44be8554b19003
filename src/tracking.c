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
#include "access/tupconvert.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "event.h"
#include "log.h"
#include "promise.h"
#include "tracking.h"

SLA_FUNCTION(sla_track_row);
SLA_FUNCTION(sla_track_truncate);

typedef struct TrackedEntry
{
	Oid			trigger;
	uint64		generation;
	MemoryContext context;
	SlaTracked    *tracked;
} TrackedEntry;

static HTAB *tracked_triggers = NULL;

/* ----------------------------------------------------------------
 * Compiling
 * ----------------------------------------------------------------
 */

/* Compile one of a table's expressions and remember it; NULL text gives NULL. */
static SlaExpression *
compile(SlaTracked *tracked, Relation rel, const char *text, const SlaWriter *writer,
		Oid type, const char *what, const char *name, MemoryContext context)
{
	SlaExpression *expression;

	if (text == NULL)
		return NULL;
	expression = sla_expression_compile(rel, text, writer, type, what, name, context);
	tracked->expressions[tracked->nexpressions++] = expression;
	return expression;
}

/* A bitmapset of offset columns as plain attribute numbers. */
static void
collect_columns(SlaColumnSet *columns, const Bitmapset *read)
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

static const char *
copy_text(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

/* A source with strings of its own. */
static void
copy_source(SlaSource *copy, const SlaSource *source)
{
	*copy = *source;
	copy->name = copy_text(source->name);
	copy->ticket_key = copy_text(source->ticket_key);
	copy->department = copy_text(source->department);
	copy->agent = copy_text(source->agent);
	copy->created_at = copy_text(source->created_at);
	copy->changed_at = copy_text(source->changed_at);
	copy->level_column = copy_text(source->level_column);
	copy->due_column = copy_text(source->due_column);
	copy->writer.search_path = copy_text(source->writer.search_path);
	copy->writer.time_zone = copy_text(source->writer.time_zone);
}

/* Kept plans are not the memory context's own: they go when it does. */
static void
free_plans(void *arg)
{
	SlaTracked *tracked = arg;
	SPIPlanPtr	plans[] = {tracked->read_facts, tracked->lock_row, tracked->write_columns};

	for (int i = 0; i < (int) lengthof(plans); i++)
		if (plans[i] != NULL)
			SPI_freeplan(plans[i]);
}

static void
free_plans_with(MemoryContext context, SlaTracked *tracked)
{
	MemoryContextCallback *callback = MemoryContextAlloc(context, sizeof(MemoryContextCallback));

	callback->func = free_plans;
	callback->arg = tracked;
	MemoryContextRegisterResetCallback(context, callback);
}

/* The due_column as an instant; NULL when there is none, or one of another kind. */
static SlaExpression *
compile_due(SlaTracked *tracked, Relation rel, const SlaSource *source, MemoryContext context)
{
	AttrNumber	attribute;

	if (source->due_column == NULL)
		return NULL;
	attribute = get_attnum(RelationGetRelid(rel), source->due_column);
	if (attribute <= 0)
		return NULL;
	switch (getBaseType(TupleDescAttr(RelationGetDescr(rel), attribute - 1)->atttypid))
	{
		case TIMESTAMPTZOID:
		case TIMESTAMPOID:
		case DATEOID:
			break;
		default:
			return NULL;
	}
	return compile(tracked, rel, quote_identifier(source->due_column), &source->writer,
				   TIMESTAMPTZOID, "due_column of source", source->name, context);
}

SlaTracked *
sla_compile_tracked(const SlaSource *source, int stream, Relation rel, MemoryContext context)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, INT4OID};
	Datum		values[] = {CStringGetTextDatum(source->name), Int32GetDatum(stream)};
	MemoryContext caller = CurrentMemoryContext;
	SPITupleTable *rows;
	SlaTracked *tracked;
	const Bitmapset *rule_columns;
	Bitmapset  *read = NULL;

	sla_read_newest(&plan, "SELECT event, condition, ticket_key, at, agent, search_path, time_zone, owner"
					" FROM sla.source_event"
					" WHERE source OPERATOR(pg_catalog.=) $1 AND stream OPERATOR(pg_catalog.=) $2 ORDER BY event",
					2, types, values);
	rows = SPI_tuptable;

	MemoryContextSwitchTo(context);
	tracked = palloc0(sizeof(SlaTracked));
	tracked->source = pstrdup(source->name);
	tracked->stream = stream;
	copy_source(&tracked->about, source);
	if (context != caller)
		free_plans_with(context, tracked);
	tracked->nevents = (int) SPI_processed;
	tracked->events = palloc0(tracked->nevents * sizeof(SlaTrackedEvent) + 1);
	tracked->expressions = palloc((6 + 4 * tracked->nevents) * sizeof(SlaExpression *));

	if (stream == 0)
	{
		tracked->key = compile(tracked, rel, quote_identifier(source->ticket_key), &source->writer,
							   TEXTOID, "ticket key of source", source->name, context);
		tracked->created_at = compile(tracked, rel, source->created_at, &source->writer,
									  TIMESTAMPTZOID, "created_at of source", source->name, context);
		tracked->changed_at = compile(tracked, rel, source->changed_at, &source->writer,
									  TIMESTAMPTZOID, "changed_at of source", source->name, context);
		tracked->department = compile(tracked, rel, source->department, &source->writer,
									  TEXTOID, "department of source", source->name, context);
		tracked->agent = compile(tracked, rel, source->agent, &source->writer,
								 TEXTOID, "agent of source", source->name, context);
		tracked->due = compile_due(tracked, rel, source, context);
		if (tracked->due != NULL)
			collect_columns(&tracked->due_columns, sla_expression_columns(tracked->due));
		read = bms_copy(sla_expression_columns(tracked->key));
		if (tracked->department != NULL)
			read = bms_add_members(read, sla_expression_columns(tracked->department));
		if (tracked->agent != NULL)
			read = bms_add_members(read, sla_expression_columns(tracked->agent));
		rule_columns = sla_columns_of_rules(source, rel);
		collect_columns(&tracked->rule_columns, rule_columns);
		read = bms_add_members(read, rule_columns);
	}

	for (int i = 0; i < tracked->nevents; i++)
	{
		HeapTuple	tuple = rows->vals[i];
		SlaTrackedEvent *event = &tracked->events[i];
		SlaWriter	writer = {
			.former = SLA_FORMER_OF_EVENT,
			.search_path = sla_column_text(tuple, rows->tupdesc, 6),
			.time_zone = sla_column_text(tuple, rows->tupdesc, 7)
		};

		event->event = sla_column_text(tuple, rows->tupdesc, 1);
		writer.owner = sla_expression_owner(sla_column_text(tuple, rows->tupdesc, 8), "owner of event", event->event);
		event->opposite = sla_opposite_event(event->event);
		event->condition = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 2), &writer,
								   BOOLOID, "condition of event", event->event, context);
		event->key = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 3), &writer,
							 TEXTOID, "ticket key of event", event->event, context);
		event->at = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 4), &writer,
							TIMESTAMPTZOID, "time of event", event->event, context);
		event->agent = compile(tracked, rel, sla_column_text(tuple, rows->tupdesc, 5), &writer,
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
tracked_is_valid(const SlaTracked *tracked)
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
check_teller(const SlaSource *source, int stream, Relation rel)
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
static SlaTracked *
tracked_for(TriggerData *trigdata, const char *source_name, int stream)
{
	Oid			trigger = trigdata->tg_trigger->tgoid;
	MemoryContext context;
	SlaTracked    *tracked;
	static TrackedEntry *last = NULL;	/* entries stay where they are */
	TrackedEntry *entry = last;
	SlaOwner	caller;
	SlaSource		source;
	uint64		generation;
	bool		found;

	if (tracked_triggers == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(TrackedEntry), .hcxt = CacheMemoryContext};

		tracked_triggers = hash_create("pg_sla tracked tables", 32, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	if (entry == NULL || entry->trigger != trigger)
		entry = hash_search(tracked_triggers, &trigger, HASH_FIND, NULL);
	if (entry != NULL && entry->generation == sla_rule_generation && tracked_is_valid(entry->tracked))
	{
		last = entry;
		return entry->tracked;
	}

	/* Watched before anything is read, so that no change is missed. */
	sla_config_relid(SLA_TABLE_SOURCE);
	sla_config_relid(SLA_TABLE_SOURCE_EVENT);
	sla_watch_relation(RelationGetRelid(trigdata->tg_relation));
	generation = sla_rule_generation;

	context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla tracked table", ALLOCSET_SMALL_SIZES);
	sla_owner_enter(&caller);
	SPI_connect();
	if (!sla_read_source(source_name, &source))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" is not tracked", source_name),
				 errdetail("Trigger \"%s\" on table \"%s\" says that it is.",
						   trigdata->tg_trigger->tgname, RelationGetRelationName(trigdata->tg_relation)),
				 errhint("Call sla.track() again, or drop the trigger.")));
	check_teller(&source, stream, trigdata->tg_relation);
	MemoryContextSetIdentifier(context, MemoryContextStrdup(context, source_name));
	tracked = sla_compile_tracked(&source, stream, trigdata->tg_relation, context);
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

/*
 * Is it the same value?  The same bytes are, without a look at what they stand
 * for: so what lies in a TOAST table is not fetched unless it was written anew.
 */
static bool
same_value(Datum a, Datum b, const FormData_pg_attribute *attribute)
{
	if (attribute->attbyval)
		return a == b;
	if (attribute->attlen == -1)
	{
		Size		size = VARSIZE_ANY(DatumGetPointer(a));

		if (size == VARSIZE_ANY(DatumGetPointer(b)) &&
			memcmp(DatumGetPointer(a), DatumGetPointer(b), size) == 0)
			return true;
	}
	return datum_image_eq(a, b, attribute->attbyval, attribute->attlen);
}

/* Did one of the columns change? */
static bool
columns_changed(const SlaColumnSet *columns, TupleTableSlot *old, TupleTableSlot *new)
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
			!same_value(old->tts_values[column], new->tts_values[column], attribute))
			return true;
	}
	return false;
}

const char *
sla_ticket_of(const SlaTracked *tracked, TupleTableSlot *slot)
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
what_happens(const SlaTrackedEvent *event, TupleTableSlot *old, TupleTableSlot *new)
{
	bool		was = old != NULL && sla_condition_holds(event->condition, old);
	bool		is = sla_condition_holds(event->condition, new);

	if (is && !was)
		return event->event;
	if (was && !is)
		return event->opposite;
	return NULL;
}

SlaNewEvent *
sla_events_of_ticket(SlaTracked *tracked, TupleTableSlot *old, TupleTableSlot *new,
					 const SlaChoice *choice, bool keep_levels, int *n)
{
	SlaNewEvent *events = palloc0((tracked->nevents + 2) * sizeof(SlaNewEvent));
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	const char *department = text_of(tracked->department, new);
	const char *agent = text_of(tracked->agent, new);
	TimestampTz changed_at;
	bool		has_changed_at;

	*n = 0;
	has_changed_at = instant_of(tracked->changed_at, new, "changed", &changed_at);
	if (old == NULL)
	{
		TimestampTz created_at;

		if (!instant_of(tracked->created_at, new, "created", &created_at))
			created_at = now;
		events[*n].event = "created";
		events[*n].at = created_at;
		events[*n].choice = choice;
		choice = NULL;
		(*n)++;
		/* Nothing happens to a ticket before it is there. */
		changed_at = has_changed_at ? Max(changed_at, created_at) : created_at;
	}
	else if (!has_changed_at)
		changed_at = now;

	for (int i = 0; i < tracked->nevents; i++)
	{
		const SlaTrackedEvent *event = &tracked->events[i];
		const char *happened = what_happens(event, old, new);

		if (happened == NULL)
		{
			/* A ticket that comes back is in the states that its row tells, and in no other. */
			if (old == NULL && event->opposite != NULL)
			{
				events[*n].event = event->opposite;
				events[*n].at = changed_at;
				events[*n].if_returning = true;
				(*n)++;
			}
			continue;
		}
		events[*n].event = happened;
		/* What `at` says is about the event, not about its end. */
		if (happened != event->event ||
			!instant_of(event->at, new, happened, &events[*n].at))
			events[*n].at = changed_at;
		events[*n].agent = text_of(event->agent, new);
		if (choice != NULL && events[*n].at == changed_at)
		{
			events[*n].choice = choice;
			choice = NULL;
		}
		(*n)++;
	}

	/* Nothing happened at that instant but a choice, or perhaps another holder. */
	if (choice != NULL || *n == 0)
	{
		events[*n].at = changed_at;
		events[*n].choice = choice;
		(*n)++;
	}
	for (int i = 0; i < *n; i++)
	{
		events[i].of_ticket = true;
		events[i].department = department;
		events[i].assignee = agent;
		events[i].keep_levels = keep_levels;
	}
	return events;
}

bool
sla_event_of_row(const SlaTrackedEvent *event, TupleTableSlot *old, TupleTableSlot *new,
				 SlaNewEvent *record, const char **ticket, bool *has_time)
{
	memset(record, 0, sizeof(SlaNewEvent));
	record->event = what_happens(event, old, new);
	if (record->event == NULL)
		return false;
	/* A row that belongs to no ticket tells nothing of one. */
	*ticket = text_of(event->key, new);
	if (*ticket == NULL)
		return false;
	*has_time = record->event == event->event &&
		instant_of(event->at, new, record->event, &record->at);
	if (!*has_time)
		record->at = GetCurrentTransactionStartTimestamp();
	record->agent = text_of(event->agent, new);
	return true;
}

/* Has somebody else written the due_column? */
static bool
due_written(const SlaTracked *tracked, TupleTableSlot *old, TupleTableSlot *new)
{
	return tracked->due != NULL && columns_changed(&tracked->due_columns, old, new) &&
		!sla_is_writing_columns(tracked->source, sla_ticket_of(tracked, new));
}

/* Add to what a ticket's row tells that its deadline was written by hand. */
static SlaNewEvent *
add_due(SlaTracked *tracked, const char *ticket, TupleTableSlot *old, TupleTableSlot *new,
		SlaNewEvent *events, int *n)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	TimestampTz before;
	TimestampTz at;
	TimestampTz due;
	SlaNewEvent *by_hand;
	Datum		value;
	bool		isnull;
	int			nby_hand;

	/* A row that says of no change of itself when it was is changed now. */
	if (!instant_of(tracked->changed_at, new, "changed", &at) ||
		(instant_of(tracked->changed_at, old, "changed", &before) && before == at))
		at = now;
	value = sla_expression_eval(tracked->due, new, &isnull);
	if (!isnull)
		due = DatumGetTimestampTz(value);
	by_hand = sla_events_of_due(tracked, ticket, isnull ? NULL : &due, at, &nby_hand);
	events = repalloc(events, (*n + nby_hand) * sizeof(SlaNewEvent) + 1);
	for (int i = 0; i < nby_hand; i++)
		events[(*n)++] = by_hand[i];
	return events;
}

/* A ticket's row was inserted or updated (old not NULL). */
static void
ticket_changed(SlaTracked *tracked, Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	const char *ticket = sla_ticket_of(tracked, new);
	SlaNewEvent *events;
	SlaChoice	choice;
	bool		chosen = false;
	bool		keep_levels = false;
	bool		due = old != NULL && due_written(tracked, old, new);
	bool		take_over;
	int			n;

	/* What became of facts and goals meanwhile is told by the ticket's next change, and not by our writing its columns. */
	if (old == NULL ||
		(columns_changed(&tracked->rule_columns, old, new) &&
		 !(tracked->rule_columns.whole_row && sla_is_writing_columns(tracked->source, ticket))))
		chosen = sla_choose_for_ticket(tracked, rel, ticket, new, old, old == NULL, &choice, &keep_levels);
	if (old != NULL)
	{
		const char *former = sla_ticket_of(tracked, old);

		if (strcmp(former, ticket) != 0)
			sla_rename_ticket(tracked->source, former, ticket);
	}
	events = sla_events_of_ticket(tracked, old, new, chosen ? &choice : NULL, keep_levels, &n);
	/* Nothing was chosen, nothing happened, and nobody else holds it. */
	if (old != NULL && n == 1 && events[0].event == NULL && events[0].choice == NULL &&
		sla_same_text(text_of(tracked->department, old), events[0].department) &&
		sla_same_text(text_of(tracked->agent, old), events[0].assignee))
		n = 0;
	if (due)
		events = add_due(tracked, ticket, old, new, events, &n);
	else if (n == 0)
	{
		sla_follow_columns(tracked, new);
		return;
	}
	take_over = sla_record_events(tracked->source, ticket, events, n, old == NULL);
	sla_write_ticket_columns(tracked, ticket);
	if (take_over)
		sla_take_over_anew(tracked->source, ticket);
}

/* A row of another table was inserted or updated (old not NULL). */
static void
other_changed(SlaTracked *tracked, Relation rel, TupleTableSlot *old, TupleTableSlot *new)
{
	for (int i = 0; i < tracked->nevents; i++)
	{
		SlaNewEvent record;
		SlaChoice	choice;
		const char *ticket;
		bool		has_time;
		bool		take_over;

		if (!sla_event_of_row(&tracked->events[i], old, new, &record, &ticket, &has_time))
			continue;
		sla_lock_ticket_row(tracked, ticket);
		/* What the ticket's facts say may have changed with this row. */
		if (OidIsValid(tracked->about.facts) &&
			sla_choose_for_ticket(tracked, rel, ticket, NULL, NULL, false, &choice, &record.keep_levels))
			record.choice = &choice;
		take_over = sla_record_events(tracked->source, ticket, &record, 1, false);
		sla_write_ticket_columns(tracked, ticket);
		if (take_over)
			sla_take_over_anew(tracked->source, ticket);
	}
}

/* ----------------------------------------------------------------
 * Rows that move between partitions
 * ----------------------------------------------------------------
 *
 * An UPDATE that moves a row to another partition fires the triggers of a
 * DELETE and then of an INSERT.  The row that was left says that it has moved,
 * and the row that comes next from the same command is the same one: so the two
 * are taken for the UPDATE that they are.  A user's trigger may come between
 * them with commands of its own.
 */
typedef struct MovedRow
{
	struct MovedRow *next;
	const char *source;
	int			stream;
	CommandId	command;
	const char *ticket;			/* of a ticket table */
	TupleDesc	desc;
	HeapTuple	tuple;
} MovedRow;

static MovedRow *moved_rows = NULL;
static TransactionId moved_in = InvalidTransactionId;

/* Has the row that a DELETE tells of gone to another partition? */
static bool
has_moved(const TriggerData *trigdata)
{
	return trigdata->tg_relation->rd_rel->relispartition &&
		HeapTupleHeaderIndicatesMovedPartitions(trigdata->tg_trigtuple->t_data);
}

/* Take out the row that a command has moved away from another partition, if there is one. */
static MovedRow *
take_moved(const char *source, int stream, CommandId command)
{
	/* The memory of another transaction's rows is gone. */
	if (moved_in != GetTopTransactionIdIfAny())
		moved_rows = NULL;
	for (MovedRow **row = &moved_rows; *row != NULL; row = &(*row)->next)
	{
		MovedRow   *found = *row;

		if (found->command == command && found->stream == stream && strcmp(found->source, source) == 0)
		{
			*row = found->next;
			return found;
		}
	}
	return NULL;
}

static void
ticket_is_deleted(const char *source, const char *ticket)
{
	SlaNewEvent event = {0};

	event.event = "deleted";
	event.at = GetCurrentTransactionStartTimestamp();
	event.is_last = true;
	/* Nothing comes after it. */
	(void) sla_record_events(source, ticket, &event, 1, false);
}

/* Remember a row that has moved until the row is told of that it has become. */
static void
remember_moved(const SlaTracked *tracked, TriggerData *trigdata)
{
	CommandId	command = HeapTupleHeaderGetCmax(trigdata->tg_trigtuple->t_data);
	MovedRow   *row = take_moved(tracked->source, tracked->stream, command);
	MemoryContext caller;

	/* The row before never came to its partition: a BEFORE trigger there has swallowed it. */
	if (row != NULL && row->ticket != NULL)
		ticket_is_deleted(row->source, row->ticket);

	caller = MemoryContextSwitchTo(TopTransactionContext);
	row = palloc0(sizeof(MovedRow));
	row->source = pstrdup(tracked->source);
	row->stream = tracked->stream;
	row->command = command;
	row->desc = CreateTupleDescCopy(RelationGetDescr(trigdata->tg_relation));
	row->tuple = heap_copytuple(trigdata->tg_trigtuple);
	if (tracked->stream == 0)
		row->ticket = pstrdup(sla_ticket_of(tracked, trigdata->tg_trigslot));
	row->next = moved_rows;
	moved_rows = row;
	moved_in = GetTopTransactionIdIfAny();
	MemoryContextSwitchTo(caller);
}

/* The row that an INSERT tells of as it was in the partition that it comes from, or NULL. */
static TupleTableSlot *
moved_from(const SlaTracked *tracked, TriggerData *trigdata)
{
	TupleDesc	desc = RelationGetDescr(trigdata->tg_relation);
	TupleConversionMap *map;
	TupleTableSlot *slot;
	MovedRow   *row;
	HeapTuple	tuple;

	if (!trigdata->tg_relation->rd_rel->relispartition)
		return NULL;
	row = take_moved(tracked->source, tracked->stream, HeapTupleHeaderGetCmin(trigdata->tg_trigtuple->t_data));
	if (row == NULL)
		return NULL;
	map = convert_tuples_by_name(row->desc, desc);
	tuple = map != NULL ? execute_attr_map_tuple(row->tuple, map) : row->tuple;
	slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	ExecStoreHeapTuple(tuple, slot, false);
	return slot;
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
	SlaTracked    *tracked;
	TupleTableSlot *old = NULL;
	TupleTableSlot *new = NULL;

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
		new = trigdata->tg_trigslot;
		old = moved_from(tracked, trigdata);
	}
	else if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		new = trigdata->tg_newslot;
		old = trigdata->tg_trigslot;
	}
	else if (TRIGGER_FIRED_BY_DELETE(trigdata->tg_event))
	{
		if (has_moved(trigdata))
			remember_moved(tracked, trigdata);
		else if (tracked->stream == 0)
			ticket_is_deleted(tracked->source, sla_ticket_of(tracked, trigdata->tg_trigslot));
		return PointerGetDatum(NULL);
	}
	else
		protocol_error("sla.track_row", "must be fired by INSERT, UPDATE or DELETE");

	if (old == NULL || columns_changed(&tracked->columns, old, new) || due_written(tracked, old, new))
	{
		if (tracked->stream == 0)
			ticket_changed(tracked, trigdata->tg_relation, old, new);
		else
			other_changed(tracked, trigdata->tg_relation, old, new);
	}
	else if (tracked->stream == 0)
		sla_follow_columns(tracked, new);
	/* Not the executor's own slot. */
	if (old != NULL && TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		ExecDropSingleTupleTableSlot(old);
	return PointerGetDatum(NULL);
}

/*
 * The statement trigger on ticket tables and their partitions: AFTER TRUNCATE,
 * with the source as its argument.  Every ticket that had a row, has none any
 * more and is not known to be deleted now is.
 */
Datum
sla_track_truncate(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID};
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	SlaTracked *tracked = palloc0(sizeof(SlaTracked));
	SPITupleTable *tickets;
	SlaOwner	caller;
	Datum		values[1];
	uint64		n;
	bool		whole;

	if (!CALLED_AS_TRIGGER(fcinfo))
		protocol_error("sla.track_truncate", "must be called as a trigger");
	if (!TRIGGER_FIRED_AFTER(trigdata->tg_event) || !TRIGGER_FIRED_BY_TRUNCATE(trigdata->tg_event))
		protocol_error("sla.track_truncate", "must be fired after TRUNCATE");
	if (trigdata->tg_trigger->tgnargs != 1)
		protocol_error("sla.track_truncate", "takes a source");

	values[0] = CStringGetTextDatum(trigdata->tg_trigger->tgargs[0]);
	sla_owner_enter(&caller);
	SPI_connect();
	sla_need_source(trigdata->tg_trigger->tgargs[0], &tracked->about);
	check_teller(&tracked->about, 0, trigdata->tg_relation);
	tracked->source = tracked->about.name;
	free_plans_with(CurrentMemoryContext, tracked);
	/* Of the table itself nothing is left; of a partition's, what the others hold. */
	whole = RelationGetRelid(trigdata->tg_relation) == tracked->about.ticket_table;
	sla_execute_newest(&plan, "SELECT t.ticket FROM sla.ticket AS t WHERE t.source OPERATOR(pg_catalog.=) $1"
					   " AND (SELECT e.event FROM sla.event AS e WHERE e.source OPERATOR(pg_catalog.=) t.source"
					   " AND e.ticket OPERATOR(pg_catalog.=) t.ticket"
					   " AND e.event OPERATOR(pg_catalog.=) ANY ('{created,deleted,undeleted}'::pg_catalog.text[])"
					   " ORDER BY e.at DESC, e.id DESC LIMIT 1) IS DISTINCT FROM 'deleted'"
					   " AND EXISTS (SELECT FROM sla.event AS c WHERE c.source OPERATOR(pg_catalog.=) t.source"
					   " AND c.ticket OPERATOR(pg_catalog.=) t.ticket AND c.of_ticket)"
					   " ORDER BY t.ticket", 1, types, values, NULL);
	tickets = SPI_tuptable;
	n = SPI_processed;
	for (uint64 i = 0; i < n; i++)
	{
		char	   *ticket = SPI_getvalue(tickets->vals[i], tickets->tupdesc, 1);

		CHECK_FOR_INTERRUPTS();
		if (whole || !sla_ticket_has_row(tracked, ticket))
			ticket_is_deleted(tracked->source, ticket);
	}
	SPI_finish();
	sla_owner_leave(&caller);
	return PointerGetDatum(NULL);
}
