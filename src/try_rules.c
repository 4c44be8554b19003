/*
 * try_rules.c
 *		What if: other rules over the tickets that there are.
 *
 * A draft is what would be written to sla.rule, sla.level and sla.target: each
 * of its members names a row and says what is other there.  It is put together
 * with what is written down, compiled as that is, and run by the same code over
 * the same rows; nothing is written anywhere.
 *
 * The rows are read as the caller, with the caller's rights and row security.
 * Conditions of the draft are the caller's, unless they name an owner.
 */
#include "pg_sla.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "condition.h"
#include "rule.h"
#include "statement.h"
#include "tracking.h"

SLA_FUNCTION(sla_try_rules);

#define TRY_COLUMNS 8

/* Tickets read at a time. */
#define TRY_BATCH 1000

/* ----------------------------------------------------------------
 * Reading a draft
 * ----------------------------------------------------------------
 */

/* Where in the draft something is wrong. */
typedef struct Reader
{
	const char *source;
	Relation	rel;
	const char *list;			/* name of the argument */
	int			number;			/* of the element in it; -1: the list itself */
	ErrorContextCallback callback;
} Reader;

static void
reader_error_callback(void *arg)
{
	const Reader *reader = (const Reader *) arg;

	if (reader->number < 0)
		errcontext("draft at %s", reader->list);
	else
		errcontext("draft at %s[%d]", reader->list, reader->number);
}

static JsonbValue *
member(Jsonb *object, const char *key)
{
	return getKeyJsonValueFromContainer(&object->root, key, strlen(key), NULL);
}

/* A name that an element must have. */
static char *
need_name(Jsonb *element, const char *key)
{
	JsonbValue *value = member(element, key);

	if (value == NULL || value->type != jbvString || value->val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is missing in the draft", key),
				 errdetail("It is the name of what the draft is about.")));
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* Refuses members that nobody would read; known is a list with commas between. */
static void
check_members(Jsonb *element, const char *table, const char *known)
{
	JsonbIterator *iterator = JsonbIteratorInit(&element->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		inside = false;

	while ((token = JsonbIteratorNext(&iterator, &value, inside)) != WJB_DONE)
	{
		char	   *key;

		inside = true;
		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		if (strchr(key, ',') != NULL || strstr(known, psprintf(",%s,", key)) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("\"%s\" is not a part of the draft of a %s", key, table),
					 errhint("Its parts are called as the columns of sla.%s.", table)));
	}
}

/* The elements of a list, each an object. */
static List *
elements_of(Reader *reader, Jsonb *list)
{
	List	   *elements = NIL;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		inside = false;

	if (list == NULL)
		return NIL;
	if (!JB_ROOT_IS_ARRAY(list) || JB_ROOT_IS_SCALAR(list))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of a draft must be a list", reader->list),
				 errhint("For example [{\"name\": \"everyone\", \"active\": false}].")));
	iterator = JsonbIteratorInit(&list->root);
	while ((token = JsonbIteratorNext(&iterator, &value, inside)) != WJB_DONE)
	{
		inside = true;
		if (token != WJB_ELEM)
			continue;
		reader->number = list_length(elements);
		if (value.type != jbvBinary || !JsonContainerIsObject(value.val.binary.data))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("an element of a draft must be an object")));
		elements = lappend(elements, JsonbValueToJsonb(&value));
	}
	return elements;
}

/*
 * The row that an element makes of the one it names, or of one with default
 * values: query gives it, with the element as its first parameter.  Within SPI.
 */
static void
merge(const char *query, int nargs, Datum *values)
{
	static const Oid types[] = {JSONBOID, TEXTOID, TEXTOID, INT4OID};
	SlaOwner	caller;

	Assert(nargs <= (int) lengthof(types));
	sla_owner_enter(&caller);
	if (SPI_execute_with_args(query, nargs, (Oid *) types, values, NULL, true, 1) != SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "could not merge a draft with what is written down");
	sla_owner_leave(&caller);
}

static Datum
merged_value(const char *column, bool *isnull)
{
	int			number = SPI_fnumber(SPI_tuptable->tupdesc, column);

	if (number <= 0)
		elog(ERROR, "a draft has no column \"%s\"", column);
	return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, number, isnull);
}

/* A text column, NULL for NULL. */
static char *
merged_text(const char *column)
{
	bool		isnull;
	Datum		value = merged_value(column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static void
refuse_null(bool isnull, const char *column)
{
	if (isnull)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("\"%s\" is missing in the draft", column),
				 errhint("It may be left out only where there is such a row already, from which it is taken.")));
}

static char *
need_merged_text(const char *column)
{
	char	   *value = merged_text(column);

	refuse_null(value == NULL, column);
	return value;
}

static int
need_merged_integer(const char *column)
{
	bool		isnull;
	Datum		value = merged_value(column, &isnull);

	refuse_null(isnull, column);
	return DatumGetInt32(value);
}

static bool
need_merged_boolean(const char *column)
{
	bool		isnull;
	Datum		value = merged_value(column, &isnull);

	refuse_null(isnull, column);
	return DatumGetBool(value);
}

/*
 * A condition that the draft brings is its caller's, as if the caller had
 * written it to the table; one that was there stays who wrote it.
 */
static const char *
writer_part(Jsonb *element, const char *column, const char *mine)
{
	const char *value = merged_text(column);

	if (value == NULL || (member(element, "condition") != NULL && member(element, column) == NULL))
		return mine;
	return value;
}

static void
read_writer(Jsonb *element, const char **search_path, const char **time_zone, const char **owner)
{
	*search_path = writer_part(element, "search_path", namespace_search_path);
	*time_zone = writer_part(element, "time_zone", sla_session_time_zone());
	*owner = writer_part(element, "owner", GetUserNameFromId(GetUserId(), false));
	if (member(element, "condition") != NULL || member(element, "owner") != NULL ||
		member(element, "search_path") != NULL || member(element, "time_zone") != NULL)
		sla_check_may_own(*owner);
}

/* The condition: SQL, or one that is structured. */
static const char *
read_condition(const Reader *reader, SlaFormerRow former, Jsonb *element)
{
	JsonbValue *value = member(element, "condition");

	if (value != NULL && value->type == jbvBinary)
		return sla_condition_of_json(reader->rel, former, JsonbValueToJsonb(value));
	return need_merged_text("condition");
}

static SlaRule *
find_rule(List *rules, const char *name)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		SlaRule    *rule = (SlaRule *) lfirst(cell);

		if (strcmp(rule->name, name) == 0)
			return rule;
	}
	return NULL;
}

/* Refuses to say two things of one row. */
static void
refuse_twice(bool twice, const char *name)
{
	if (twice)
		ereport(ERROR,
				(errcode(ERRCODE_DUPLICATE_OBJECT),
				 errmsg("\"%s\" is in the draft twice", name)));
}

static SlaRule *
read_rule(Reader *reader, Jsonb *element)
{
	SlaRule    *rule = palloc0(sizeof(SlaRule));
	Datum		values[] = {
		JsonbPGetDatum(element), CStringGetTextDatum(reader->source),
		CStringGetTextDatum(need_name(element, "name"))
	};
	bool		isnull;

	check_members(element, "rule", ",name,source,position,condition,set_level,stop,active,on_create,on_change,"
				  "valid,search_path,time_zone,owner,");
	merge("SELECT * FROM pg_catalog.jsonb_populate_record(COALESCE("
		  "(SELECT r FROM sla.rule AS r WHERE r.source OPERATOR(pg_catalog.=) $2 AND r.name OPERATOR(pg_catalog.=) $3),"
		  " pg_catalog.jsonb_populate_record(NULL::sla.rule, '{\"stop\": false, \"active\": true, \"on_create\": true,"
		  " \"on_change\": true, \"valid\": \"(,)\"}')), $1)", 3, values);
	rule->name = need_merged_text("name");
	rule->source = reader->source;
	rule->position = need_merged_integer("position");
	rule->condition = read_condition(reader, sla_former_of_source(reader->source), element);
	rule->set_level = merged_text("set_level");
	rule->stop = need_merged_boolean("stop");
	rule->active = need_merged_boolean("active");
	rule->on_create = need_merged_boolean("on_create");
	rule->on_change = need_merged_boolean("on_change");
	sla_period(merged_value("valid", &isnull), &rule->valid_from, &rule->valid_until);
	refuse_null(isnull, "valid");
	read_writer(element, &rule->search_path, &rule->time_zone, &rule->owner);
	if (member(element, "source") != NULL && strcmp(need_merged_text("source"), reader->source) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rule \"%s\" is of source \"%s\", not of \"%s\"", rule->name,
						merged_text("source"), reader->source)));
	sla_expression_check_form(rule->condition, BOOLOID, "condition of rule", rule->name);
	return rule;
}

static SlaDraftLevel *
find_level(const SlaDraft *draft, const char *name)
{
	ListCell   *cell;

	foreach(cell, draft->levels)
	{
		SlaDraftLevel *level = (SlaDraftLevel *) lfirst(cell);

		if (strcmp(level->name, name) == 0)
			return level;
	}
	return NULL;
}

/* The draft's level of that name, as written down where it has none yet. */
static SlaDraftLevel *
level_to_draft(SlaDraft *draft, const char *name)
{
	SlaDraftLevel *level = find_level(draft, name);

	if (level != NULL)
		return level;
	level = palloc0(sizeof(SlaDraftLevel));
	if (!sla_read_level(name, level))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("level \"%s\" does not exist", name),
				 errhint("Levels that are new are in the argument \"levels\".")));
	draft->levels = lappend(draft->levels, level);
	return level;
}

static SlaAgreement
read_agreement(const char *name)
{
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		if (strcmp(sla_agreement_names[i], name) == 0)
			return (SlaAgreement) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no agreement \"%s\"", name),
			 errhint("There are customer, operational and supplier.")));
	return SLA_CUSTOMER;		/* not reached */
}

static void
read_level(SlaDraft *draft, Jsonb *element)
{
	const char *name = need_name(element, "name");
	Datum		values[] = {JsonbPGetDatum(element), CStringGetTextDatum(name)};
	SlaDraftLevel *level = palloc0(sizeof(SlaDraftLevel));

	check_members(element, "level", ",name,calendar,agreement,on_change,description,");
	refuse_twice(find_level(draft, name) != NULL, name);
	(void) sla_read_level(name, level);
	merge("SELECT * FROM pg_catalog.jsonb_populate_record(COALESCE("
		  "(SELECT l FROM sla.level AS l WHERE l.name OPERATOR(pg_catalog.=) $2),"
		  " pg_catalog.jsonb_populate_record(NULL::sla.level, '{\"agreement\": \"customer\"}')), $1)",
		  2, values);
	level->name = name;
	level->calendar = need_merged_text("calendar");
	level->agreement = read_agreement(need_merged_text("agreement"));
	if (!sla_config_has(SLA_TABLE_CALENDAR, level->calendar))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("calendar \"%s\" of level \"%s\" does not exist", level->calendar, name),
				 errhint("Make it with sla.set_calendar() first.")));
	draft->levels = lappend(draft->levels, level);
}

static void
read_target(Reader *reader, SlaDraft *draft, Jsonb *element)
{
	const char *name = need_name(element, "level");
	const char *metric = need_name(element, "metric");
	SlaDraftLevel *level = level_to_draft(draft, name);
	JsonbValue *position = member(element, "position");
	Datum		values[] = {
		JsonbPGetDatum(element), CStringGetTextDatum(name), CStringGetTextDatum(metric),
		Int32GetDatum(0)
	};
	SlaTarget  *target = palloc0(sizeof(SlaTarget));
	Datum		goal;
	bool		isnull;
	ListCell   *cell;

	check_members(element, "target", ",level,metric,position,goal,condition,search_path,time_zone,owner,");
	if (position != NULL && position->type == jbvNumeric)
		values[3] = DirectFunctionCall1(numeric_int4, NumericGetDatum(position->val.numeric));
	if (!sla_config_has(SLA_TABLE_METRIC, metric))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("metric \"%s\" does not exist", metric),
				 errhint("Metrics are the rows of sla.metric.")));
	merge("SELECT * FROM pg_catalog.jsonb_populate_record(COALESCE("
		  "(SELECT t FROM sla.target AS t WHERE t.level OPERATOR(pg_catalog.=) $2"
		  " AND t.metric OPERATOR(pg_catalog.=) $3 AND t.position OPERATOR(pg_catalog.=) $4),"
		  " pg_catalog.jsonb_populate_record(NULL::sla.target, '{\"position\": 0, \"condition\": \"true\"}')), $1)",
		  4, values);
	target->level = name;
	target->metric = metric;
	target->position = need_merged_integer("position");
	foreach(cell, level->targets)
	{
		const SlaTarget *former = (const SlaTarget *) lfirst(cell);

		if (strcmp(former->metric, metric) == 0 && former->position == target->position)
			level->targets = foreach_delete_current(level->targets, cell);
	}
	goal = merged_value("goal", &isnull);
	if (isnull && member(element, "goal") != NULL)
		return;					/* one goal less */
	refuse_null(isnull, "goal");
	target->goal = *DatumGetIntervalP(goal);
	sla_check_goal(&target->goal, psprintf("%s, %s", name, metric));
	target->condition = read_condition(reader, SLA_FORMER_UNKNOWN, element);
	read_writer(element, &target->search_path, &target->time_zone, &target->owner);
	level->targets = lappend(level->targets, target);
}

/* Are all set levels there? */
static void
check_levels(const SlaDraft *draft)
{
	ListCell   *cell;

	foreach(cell, draft->rules)
	{
		const SlaRule *rule = (const SlaRule *) lfirst(cell);

		if (rule->set_level != NULL && find_level(draft, rule->set_level) == NULL &&
			!sla_config_has(SLA_TABLE_LEVEL, rule->set_level))
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_OBJECT),
					 errmsg("level \"%s\" of rule \"%s\" does not exist", rule->set_level, rule->name),
					 errhint("Levels that are new are in the argument \"levels\".")));
	}
}

/* What is written down, with the draft put over it.  Within SPI. */
static void
read_draft(const char *source, Relation rel, Jsonb *rules, Jsonb *targets, Jsonb *levels,
		   bool complete, SlaDraft *draft)
{
	Reader		reader = {.source = source, .rel = rel};
	List	   *read = NIL;
	ListCell   *cell;

	reader.callback.callback = reader_error_callback;
	reader.callback.arg = &reader;
	reader.callback.previous = error_context_stack;
	error_context_stack = &reader.callback;

	reader.list = "rules";
	reader.number = -1;
	foreach(cell, elements_of(&reader, rules))
	{
		SlaRule    *rule;

		reader.number = foreach_current_index(cell);
		rule = read_rule(&reader, (Jsonb *) lfirst(cell));
		refuse_twice(find_rule(read, rule->name) != NULL, rule->name);
		read = lappend(read, rule);
	}
	reader.list = "levels";
	reader.number = -1;
	foreach(cell, elements_of(&reader, levels))
	{
		reader.number = foreach_current_index(cell);
		read_level(draft, (Jsonb *) lfirst(cell));
	}
	reader.list = "targets";
	reader.number = -1;
	foreach(cell, elements_of(&reader, targets))
	{
		reader.number = foreach_current_index(cell);
		read_target(&reader, draft, (Jsonb *) lfirst(cell));
	}
	error_context_stack = reader.callback.previous;

	draft->rules = read;
	if (!complete)
	{
		foreach(cell, sla_read_rules(source))
		{
			SlaRule    *rule = (SlaRule *) lfirst(cell);

			if (find_rule(read, rule->name) == NULL)
				draft->rules = lappend(draft->rules, rule);
		}
	}
	list_sort(draft->rules, sla_compare_rules);
	check_levels(draft);
}

/* ----------------------------------------------------------------
 * Running it
 * ----------------------------------------------------------------
 */

typedef struct Trial
{
	const char *source;
	Relation	rel;
	SlaDraft	now;			/* what is written down */
	SlaDraft	then;			/* with the draft over it */
	SlaRuleSet *rules_now;
	SlaRuleSet *rules_then;
	const char *condition_text; /* which tickets; NULL: all */
	SlaExpression *condition;
	bool		as_new;
	TupleTableSlot *slot;
	const char *ticket;			/* whose row is in the slot */
	MemoryContext kept;			/* of what is compiled */
	Tuplestorestate *store;
	TupleDesc	tupdesc;
	ErrorContextCallback callback;
} Trial;

static void
trial_error_callback(void *arg)
{
	const Trial *trial = (const Trial *) arg;

	if (trial->ticket != NULL)
		errcontext("ticket \"%s\" of source \"%s\"", trial->ticket, trial->source);
}

/*
 * Compiles rules, unless they are compiled and still valid.  Those that are
 * written down are compiled for this trial as well: what the backend keeps may
 * be thrown away whenever a function is called.
 */
static void
compile_rules(const Trial *trial, const SlaDraft *draft, SlaRuleSet **rules)
{
	if (*rules != NULL && sla_rules_valid(*rules))
		return;
	if (*rules != NULL)
		sla_free_rules_of_draft(*rules);
	*rules = NULL;
	*rules = sla_rules_of_draft(trial->source, trial->rel, draft);
}

static void
compile(Trial *trial)
{
	MemoryContext caller = MemoryContextSwitchTo(trial->kept);

	compile_rules(trial, &trial->now, &trial->rules_now);
	compile_rules(trial, &trial->then, &trial->rules_then);
	if (trial->condition_text != NULL &&
		(trial->condition == NULL || !sla_expression_valid(trial->condition)))
	{
		SlaWriter	writer = {.time_zone = sla_session_time_zone()};

		trial->condition = sla_expression_compile(trial->rel, trial->condition_text, &writer,
													 BOOLOID, "condition on tickets of source",
													 trial->source, trial->kept);
	}
	MemoryContextSwitchTo(caller);
}

/* Do two levels promise the same? */
static bool
same_promise(const SlaChosenLevel *now, const SlaChosenLevel *then)
{
	if (strcmp(now->calendar, then->calendar) != 0 || now->npromises != then->npromises)
		return false;
	for (int i = 0; i < now->npromises; i++)
	{
		const SlaPromise *a = &now->promises[i];
		const SlaPromise *b = &then->promises[i];

		if (strcmp(a->metric, b->metric) != 0 || a->goal.day != b->goal.day ||
			a->goal.time != b->goal.time)
			return false;
	}
	return true;
}

/*
 * The nearest deadline of the ticket's running clocks: as logged, and what it
 * were if they had run for the goals of another level.
 */
static void
deadlines(const Trial *trial, const char *agreement, const SlaChosenLevel *then, Datum *values,
		  bool *isnull)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID, INTERVALARRAYOID};
	int			n = then != NULL ? then->npromises : 0;
	Datum	   *metrics = palloc(n * sizeof(Datum) + 1);
	Datum	   *goals = palloc(n * sizeof(Datum) + 1);
	char		nulls[] = "      ";
	Datum		asked[lengthof(types)];
	SlaOwner	caller;

	for (int i = 0; i < n; i++)
	{
		metrics[i] = CStringGetTextDatum(then->promises[i].metric);
		goals[i] = IntervalPGetDatum(&then->promises[i].goal);
	}
	asked[0] = CStringGetTextDatum(trial->source);
	asked[1] = CStringGetTextDatum(trial->ticket);
	asked[2] = CStringGetTextDatum(agreement);
	asked[3] = then != NULL ? CStringGetTextDatum(then->calendar) : (nulls[3] = 'n', (Datum) 0);
	asked[4] = PointerGetDatum(construct_array(metrics, n, TEXTOID, -1, false, TYPALIGN_INT));
	asked[5] = PointerGetDatum(construct_array(goals, n, INTERVALOID, sizeof(Interval), false,
											   TYPALIGN_DOUBLE));
	sla_owner_enter(&caller);
	sla_read(&plan,
			 "SELECT pg_catalog.min(l.deadline), pg_catalog.min("
			 "sla.clock_deadline($4, l.started_at, g.goal, l.counted, l.running_since, NULL, l.deadline_excluded))"
			 " FROM sla.log AS l LEFT JOIN ROWS FROM (pg_catalog.unnest($5), pg_catalog.unnest($6))"
			 " AS g (metric, goal)"
			 " ON g.metric OPERATOR(pg_catalog.=) l.metric"
			 " WHERE l.source OPERATOR(pg_catalog.=) $1 AND l.ticket OPERATOR(pg_catalog.=) $2"
			 " AND l.agreement OPERATOR(pg_catalog.=) $3 AND l.running_since IS NOT NULL",
			 lengthof(types), types, asked, nulls);
	sla_owner_leave(&caller);
	for (int i = 0; i < 2; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull[i]);
}

/* A text as a value of a row, NULL for NULL. */
static Datum
text_or_null(const char *string, bool *isnull)
{
	*isnull = string == NULL;
	return string == NULL ? (Datum) 0 : CStringGetTextDatum(string);
}

/* Tells of a ticket; either rule may be NULL. */
static void
put(const Trial *trial, const char *agreement, const SlaRule *now, const SlaRule *then,
	const SlaChosenLevel *promise)
{
	Datum		values[TRY_COLUMNS];
	bool		nulls[TRY_COLUMNS] = {false};

	values[0] = CStringGetTextDatum(trial->ticket);
	values[1] = CStringGetTextDatum(agreement);
	values[2] = text_or_null(now != NULL ? now->set_level : NULL, &nulls[2]);
	values[3] = text_or_null(then != NULL ? then->set_level : NULL, &nulls[3]);
	values[4] = text_or_null(now != NULL ? now->name : NULL, &nulls[4]);
	values[5] = text_or_null(then != NULL ? then->name : NULL, &nulls[5]);
	deadlines(trial, agreement, promise, &values[6], &nulls[6]);
	tuplestore_putvalues(trial->store, trial->tupdesc, values, nulls);
	SPI_freetuptable(SPI_tuptable);
}

/* Asks both sets of rules about the row in the slot. */
static void
try_ticket(const Trial *trial)
{
	const SlaRule *now[SLA_N_AGREEMENTS];
	const SlaRule *then[SLA_N_AGREEMENTS];

	if (trial->condition != NULL && !sla_condition_holds(trial->condition, trial->slot))
		return;
	sla_choose_rules(trial->rules_now, trial->slot, NULL, trial->as_new, now);
	sla_choose_rules(trial->rules_then, trial->slot, NULL, trial->as_new, then);
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
	{
		SlaChosenLevel was = {0};
		SlaChosenLevel promise = {0};
		bool		same = now[i] == NULL || then[i] == NULL ? now[i] == then[i] :
			strcmp(now[i]->set_level, then[i]->set_level) == 0;

		/* Where the draft has no levels, one name stands for one promise. */
		if (same && (now[i] == NULL || trial->then.levels == NIL))
			continue;
		if (then[i] != NULL)
			sla_promise_of_rule(then[i], trial->slot, &promise);
		if (same)
		{
			sla_promise_of_rule(now[i], trial->slot, &was);
			if (same_promise(&was, &promise))
				continue;
		}
		put(trial, sla_agreement_names[i], now[i], then[i], then[i] != NULL ? &promise : NULL);
	}
}

static void
try_row(Trial *trial, HeapTuple tuple, TupleDesc tupdesc)
{
	HeapTupleData row;
	HeapTupleHeader header;
	bool		isnull;

	trial->ticket = SPI_getvalue(tuple, tupdesc, 1);
	if (trial->ticket == NULL)
		return;					/* a row of no ticket */
	header = DatumGetHeapTupleHeader(SPI_getbinval(tuple, tupdesc, 2, &isnull));
	row.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&row.t_self);
	row.t_tableOid = RelationGetRelid(trial->rel);
	row.t_data = header;
	ExecStoreHeapTuple(&row, trial->slot, false);
	try_ticket(trial);
	ExecClearTuple(trial->slot);
	trial->ticket = NULL;
}

static void
try_all(Trial *trial, const SlaSource *source)
{
	SlaWriter	reader = {.time_zone = source->writer.time_zone};
	SlaEnvironment environment;
	const char *alias;
	Portal		portal =
		SPI_cursor_open_with_args(NULL, sla_rows_statement(RelationGetRelid(trial->rel), source->ticket_key, &alias),
								  0, NULL, NULL, NULL, true, 0);
	MemoryContext per_row = AllocSetContextCreate(CurrentMemoryContext, "pg_sla trial",
												  ALLOCSET_DEFAULT_SIZES);

	trial->slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(trial->rel)),
										   &TTSOpsHeapTuple);
	trial->callback.callback = trial_error_callback;
	trial->callback.arg = trial;
	trial->callback.previous = error_context_stack;
	error_context_stack = &trial->callback;
	for (;;)
	{
		SPITupleTable *batch;
		uint64		n;

		/* A ticket's key and facts mean what they mean to its trigger. */
		sla_environment_enter(&environment, &reader);
		SPI_cursor_fetch(portal, true, TRY_BATCH);
		sla_environment_leave(&environment);
		batch = SPI_tuptable;
		n = SPI_processed;
		if (n == 0)
			break;
		compile(trial);
		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext caller = MemoryContextSwitchTo(per_row);

			CHECK_FOR_INTERRUPTS();
			try_row(trial, batch->vals[i], batch->tupdesc);
			MemoryContextSwitchTo(caller);
			MemoryContextReset(per_row);
		}
		SPI_freetuptable(batch);
	}
	error_context_stack = trial->callback.previous;
	SPI_cursor_close(portal);
	ExecDropSingleTupleTableSlot(trial->slot);
}

/* A jsonb argument, NULL for NULL. */
static Jsonb *
json_argument(FunctionCallInfo fcinfo, int argument)
{
	return PG_ARGISNULL(argument) ? NULL : PG_GETARG_JSONB_P(argument);
}

/*
 * sla.try_rules(source, rules, targets, levels, complete, condition, as_new)
 */
Datum
sla_try_rules(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Trial		trial = {0};
	SlaSource	source;
	SlaOwner	owner;
	MemoryContext caller;

	if (result == NULL || !IsA(result, ReturnSetInfo) || (result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.try_rules must be called where a set of rows can be taken")));
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("source must not be null")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &trial.tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.try_rules must return rows");
	trial.tupdesc = CreateTupleDescCopy(trial.tupdesc);
	trial.store = tuplestore_begin_heap(true, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = trial.store;
	result->setDesc = trial.tupdesc;
	MemoryContextSwitchTo(caller);

	trial.source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	trial.as_new = PG_ARGISNULL(6) || PG_GETARG_BOOL(6);
	if (!PG_ARGISNULL(5))
		trial.condition_text = text_to_cstring(PG_GETARG_TEXT_PP(5));

	SPI_connect();
	trial.kept = AllocSetContextCreate(CurrentMemoryContext, "pg_sla draft", ALLOCSET_DEFAULT_SIZES);
	sla_owner_enter(&owner);
	sla_need_source(trial.source, &source);
	sla_owner_leave(&owner);
	trial.rel = sla_open_facts(&source);
	trial.now.rules = sla_read_rules(trial.source);
	read_draft(trial.source, trial.rel, json_argument(fcinfo, 1), json_argument(fcinfo, 2),
			   json_argument(fcinfo, 3), !PG_ARGISNULL(4) && PG_GETARG_BOOL(4), &trial.then);
	/* Also where there are no tickets, so that what is wrong is told. */
	compile(&trial);
	try_all(&trial, &source);
	/* What was compiled goes with its memory; the relation's lock stays. */
	relation_close(trial.rel, NoLock);
	SPI_finish();
	return (Datum) 0;
}
