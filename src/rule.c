/*
 * rule.c
 *		Rules choose a ticket's levels; targets say what a level promises.
 *
 * The rules of a source are read from sla.rule, sla.level and sla.target and
 * compiled over one relation; the result is kept in the backend until
 * sla_rule_generation has moved, or a function that a condition calls has
 * changed.  The rows are read with the catalog's snapshot, so that what is
 * compiled is what is committed now, or was written by this transaction: an
 * invalidation says that something newer is there, and a transaction that
 * still sees the older rows would otherwise compile these and keep them.
 *
 * The trigger functions check what is written to the tables.  A dump restores
 * rows with their search_path, in any order with regard to the users' own
 * tables and functions; therefore a row that comes with a search_path is
 * checked for its form only, and as a whole when it is first used.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rangetypes.h"
#include "utils/rel.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "condition.h"
#include "rule.h"
#include "timeline_cache.h"

const char *const sla_agreement_names[SLA_N_AGREEMENTS] = {
	[SLA_CUSTOMER] = "customer",
	[SLA_OPERATIONAL] = "operational",
	[SLA_SUPPLIER] = "supplier",
};

/* A goal of a level. */
typedef struct Target
{
	const char *metric;
	int			position;
	Interval	goal;
	SlaExpression *condition;	/* NULL: always */
} Target;

typedef struct SlaLevel
{
	const char *name;
	text	   *name_text;
	const char *calendar;
	const char *on_change;
	SlaAgreement agreement;
	int			ntargets;
	Target	   *targets;		/* by metric, then position */
} Level;

/*
 * The rules for new tickets, or those for changed ones, as a list of conditions
 * whose first group are the rules that stop.  Then come, for each agreement, as
 * many groups as there are rules that stop, and one more; see build_list.
 */
typedef struct RuleList
{
	SlaRule	  **rules;			/* as the conditions are numbered */
	SlaConditionList *conditions;
	int			nstops;
	bool		sets[SLA_N_AGREEMENTS]; /* does any rule set such a level? */
} RuleList;

struct SlaRuleSet
{
	MemoryContext cxt;
	uint64		generation;		/* read before building */
	TimestampTz from;			/* the rules that are in force are, from here */
	TimestampTz until;			/* until before here */
	const char *source;
	List	   *levels;
	RuleList	for_new;
	RuleList	for_changed;
	bool		keep_levels;	/* see sla_rules_keep_levels */
	List	   *target_conditions;
	Bitmapset  *columns;
	struct SlaRuleSet *next;	/* of the same relation */
};

typedef struct RuleSetEntry
{
	Oid			relid;			/* hash key */
	SlaRuleSet *sets;
} RuleSetEntry;

static HTAB *rule_sets = NULL;

/* Moves when a rule set is thrown away. */
static uint64 rule_sets_epoch = 0;

/*
 * ---------------------------------------------------------------------------
 * Reading the tables
 * ---------------------------------------------------------------------------
 */

/* A scan over the rows of one of our tables, all or those with a key. */
typedef struct ConfigScan
{
	Relation	rel;
	TupleDesc	tupdesc;
	SysScanDesc scan;
	HeapTuple	tuple;
} ConfigScan;

static AttrNumber
column_number(Relation rel, const char *column)
{
	TupleDesc	tupdesc = RelationGetDescr(rel);

	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (!attribute->attisdropped && strcmp(NameStr(attribute->attname), column) == 0)
			return attribute->attnum;
	}
	elog(ERROR, "table \"%s\" has no column \"%s\"", RelationGetRelationName(rel), column);
}

/*
 * Begins a scan; value NULL: of all rows, else of those where column, the
 * first of the primary key, has that value.
 */
static void
scan_begin(ConfigScan *scan, SlaConfigTable table, const char *column, const char *value)
{
	ScanKeyData key;

	scan->rel = table_open(sla_config_relid(table), AccessShareLock);
	scan->tupdesc = RelationGetDescr(scan->rel);
	scan->tuple = NULL;
	if (value != NULL)
	{
		ScanKeyInit(&key, column_number(scan->rel, column), BTEqualStrategyNumber,
					F_TEXTEQ, CStringGetTextDatum(value));
		key.sk_collation = DEFAULT_COLLATION_OID;
		scan->scan = systable_beginscan(scan->rel, sla_config_index(table), true, NULL,
										1, &key);
	}
	else
		scan->scan = systable_beginscan(scan->rel, InvalidOid, false, NULL, 0, NULL);
}

static bool
scan_next(ConfigScan *scan)
{
	scan->tuple = systable_getnext(scan->scan);
	return HeapTupleIsValid(scan->tuple);
}

static void
scan_end(ConfigScan *scan)
{
	systable_endscan(scan->scan);
	table_close(scan->rel, AccessShareLock);
}

static Datum
scan_value(const ConfigScan *scan, const char *column, bool *isnull)
{
	return heap_getattr(scan->tuple, column_number(scan->rel, column), scan->tupdesc,
						isnull);
}

/* A text column, NULL for NULL. */
static char *
scan_text(const ConfigScan *scan, const char *column)
{
	bool		isnull;
	Datum		value = scan_value(scan, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static int32
scan_integer(const ConfigScan *scan, const char *column)
{
	bool		isnull;

	return DatumGetInt32(scan_value(scan, column, &isnull));
}

static bool
scan_boolean(const ConfigScan *scan, const char *column)
{
	bool		isnull;

	return DatumGetBool(scan_value(scan, column, &isnull));
}

/* A column that holds a relation; InvalidOid for NULL. */
static Oid
scan_relation(const ConfigScan *scan, const char *column)
{
	bool		isnull;
	Datum		value = scan_value(scan, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

void
sla_period(Datum value, TimestampTz *from, TimestampTz *until)
{
	RangeType  *range = DatumGetRangeTypeP(value);
	RangeBound	lower;
	RangeBound	upper;
	bool		empty;

	range_deserialize(lookup_type_cache(TSTZRANGEOID, TYPECACHE_RANGE_INFO), range, &lower,
					  &upper, &empty);
	*from = lower.infinite ? DT_NOBEGIN : DatumGetTimestampTz(lower.val);
	*until = upper.infinite ? DT_NOEND : DatumGetTimestampTz(upper.val);
	if (!lower.infinite && !lower.inclusive && !TIMESTAMP_NOT_FINITE(*from))
		(*from)++;
	if (!upper.infinite && upper.inclusive && !TIMESTAMP_NOT_FINITE(*until))
		(*until)++;
	if (empty)
		*from = *until = DT_NOEND;
}

int
sla_compare_rules(const ListCell *a, const ListCell *b)
{
	const SlaRule *x = (const SlaRule *) lfirst(a);
	const SlaRule *y = (const SlaRule *) lfirst(b);

	if (x->position != y->position)
		return x->position < y->position ? -1 : 1;
	return strcmp(x->name, y->name);
}

List *
sla_read_rules(const char *source)
{
	List	   *rules = NIL;
	ConfigScan		scan;

	scan_begin(&scan, SLA_TABLE_RULE, "source", source);
	while (scan_next(&scan))
	{
		SlaRule	   *rule = palloc0(sizeof(SlaRule));
		bool		isnull;

		rule->name = scan_text(&scan, "name");
		rule->source = pstrdup(source);
		rule->position = scan_integer(&scan, "position");
		rule->condition = scan_text(&scan, "condition");
		rule->set_level = scan_text(&scan, "set_level");
		rule->stop = scan_boolean(&scan, "stop");
		rule->active = scan_boolean(&scan, "active");
		rule->on_create = scan_boolean(&scan, "on_create");
		rule->on_change = scan_boolean(&scan, "on_change");
		sla_period(scan_value(&scan, "valid", &isnull), &rule->valid_from, &rule->valid_until);
		rule->search_path = scan_text(&scan, "search_path");
		rule->time_zone = scan_text(&scan, "time_zone");
		rule->owner = scan_text(&scan, "owner");
		rules = lappend(rules, rule);
	}
	scan_end(&scan);
	list_sort(rules, sla_compare_rules);
	return rules;
}

bool
sla_rule_in_force(const SlaRule *rule)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	return rule->valid_from <= now && now < rule->valid_until;
}

SlaExpression *
sla_compile_rule(const SlaRule *rule, const char *condition, Relation rel, MemoryContext cxt)
{
	SlaWriter	writer = {
		.search_path = rule->search_path,
		.time_zone = rule->time_zone,
		.owner = sla_expression_owner(rule->owner, "owner of rule", rule->name),
		.former = sla_former_of_source(rule->source),
	};

	return sla_expression_compile(rel, condition, &writer, BOOLOID, "condition of rule",
									 rule->name, cxt);
}

static int
compare_targets(const void *a, const void *b)
{
	const Target *x = (const Target *) a;
	const Target *y = (const Target *) b;
	int			by_metric = strcmp(x->metric, y->metric);

	if (by_metric != 0)
		return by_metric;
	return x->position < y->position ? -1 : x->position > y->position;
}

/* What errors call a target. */
static char *
target_name(const char *level, const char *metric)
{
	return psprintf("%s, %s", level, metric);
}

List *
sla_read_targets(const char *level)
{
	List	   *targets = NIL;
	ConfigScan	scan;

	scan_begin(&scan, SLA_TABLE_TARGET, "level", level);
	while (scan_next(&scan))
	{
		SlaTarget  *target = palloc0(sizeof(SlaTarget));
		bool		isnull;

		target->level = scan_text(&scan, "level");
		target->metric = scan_text(&scan, "metric");
		target->position = scan_integer(&scan, "position");
		target->goal = *DatumGetIntervalP(scan_value(&scan, "goal", &isnull));
		target->condition = scan_text(&scan, "condition");
		target->search_path = scan_text(&scan, "search_path");
		target->time_zone = scan_text(&scan, "time_zone");
		target->owner = scan_text(&scan, "owner");
		targets = lappend(targets, target);
	}
	scan_end(&scan);
	return targets;
}

/*
 * Compiles the conditions of a level's targets over rel, into the current
 * memory context.
 */
static void
compile_targets(Level *level, List *targets, Relation rel)
{
	ListCell   *cell;

	level->targets = palloc0(Max(list_length(targets), 1) * sizeof(Target));
	level->ntargets = 0;
	foreach(cell, targets)
	{
		const SlaTarget *row = (const SlaTarget *) lfirst(cell);
		Target	   *target = &level->targets[level->ntargets++];

		target->metric = row->metric;
		target->position = row->position;
		target->goal = row->goal;
		if (strcmp(row->condition, "true") != 0)
		{
			char	   *name = target_name(level->name, target->metric);
			SlaWriter	writer = {
				.search_path = row->search_path,
				.time_zone = row->time_zone,
				.owner = sla_expression_owner(row->owner, "owner of target", name),
			};

			target->condition =
				sla_expression_compile(rel, row->condition, &writer, BOOLOID,
										  "condition of target", name, CurrentMemoryContext);
		}
	}
	qsort(level->targets, level->ntargets, sizeof(Target), compare_targets);
}

static SlaAgreement
agreement_named(const char *name)
{
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
	{
		if (strcmp(sla_agreement_names[i], name) == 0)
			return (SlaAgreement) i;
	}
	elog(ERROR, "unknown agreement kind \"%s\"", name);
}

/* Checks the conditions of a level's targets; a level may have none yet. */
static void
check_targets(const char *level, Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Level		scratch = {.name = level};

	compile_targets(&scratch, sla_read_targets(level), rel);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

/* Begins a scan at the level of that name; an error if there is none. */
static void
scan_level(ConfigScan *scan, const char *name)
{
	scan_begin(scan, SLA_TABLE_LEVEL, "name", name);
	if (!scan_next(scan))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("level \"%s\" does not exist", name)));
}

/* The draft's level of that name, NULL if it has none. */
static const SlaDraftLevel *
draft_level(const SlaDraft *draft, const char *name)
{
	ListCell   *cell;

	if (draft == NULL)
		return NULL;
	foreach(cell, draft->levels)
	{
		const SlaDraftLevel *level = (const SlaDraftLevel *) lfirst(cell);

		if (strcmp(level->name, name) == 0)
			return level;
	}
	return NULL;
}

/*
 * Reads a level with its targets, into the current memory context.  draft may
 * be NULL.
 */
static Level *
read_level(const char *name, Relation rel, const SlaDraft *draft)
{
	Level	   *level = palloc0(sizeof(Level));
	const SlaDraftLevel *drafted = draft_level(draft, name);

	level->name = pstrdup(name);
	level->name_text = cstring_to_text(name);
	if (drafted != NULL)
	{
		level->calendar = pstrdup(drafted->calendar);
		/* What a change of level does is not asked of a draft. */
		level->on_change = "retroactive";
		level->agreement = drafted->agreement;
		compile_targets(level, drafted->targets, rel);
	}
	else
	{
		ConfigScan	scan;

		scan_level(&scan, name);
		level->calendar = scan_text(&scan, "calendar");
		level->on_change = scan_text(&scan, "on_change");
		level->agreement = agreement_named(scan_text(&scan, "agreement"));
		scan_end(&scan);
		compile_targets(level, sla_read_targets(name), rel);
	}
	return level;
}

bool
sla_read_level(const char *name, SlaDraftLevel *level)
{
	ConfigScan	scan;
	bool		found;

	scan_begin(&scan, SLA_TABLE_LEVEL, "name", name);
	found = scan_next(&scan);
	if (found)
	{
		level->name = pstrdup(name);
		level->calendar = scan_text(&scan, "calendar");
		level->agreement = agreement_named(scan_text(&scan, "agreement"));
	}
	scan_end(&scan);
	if (found)
		level->targets = sla_read_targets(name);
	return found;
}

bool
sla_config_has(SlaConfigTable table, const char *name)
{
	ConfigScan	scan;
	bool		found;

	scan_begin(&scan, table, "name", name);
	found = scan_next(&scan);
	scan_end(&scan);
	return found;
}

SlaAgreement
sla_level_agreement(const char *name)
{
	ConfigScan	scan;
	SlaAgreement agreement;

	scan_level(&scan, name);
	agreement = agreement_named(scan_text(&scan, "agreement"));
	scan_end(&scan);
	return agreement;
}

/*
 * ---------------------------------------------------------------------------
 * Rule sets
 * ---------------------------------------------------------------------------
 */

/* Conditions and their groups, while they are being listed. */
typedef struct ListBuilder
{
	RuleList   *list;
	SlaExpression **conditions;
	int		   *groups;
	int			n;
} ListBuilder;

static void
add_to_list(ListBuilder *builder, int group, SlaRule *rule, SlaExpression *condition)
{
	builder->list->rules[builder->n] = rule;
	builder->conditions[builder->n] = condition;
	builder->groups[builder->n] = group;
	builder->n++;
}

/* The group of the rules of an agreement before the stop of that number. */
static int
group_before_stop(const RuleList *list, int agreement, int stop)
{
	return 1 + agreement * (list->nstops + 1) + (list->nstops - stop);
}

/*
 * Lays out the rules so that no condition is evaluated that cannot matter.
 *
 * What counts is the last rule that matches, of those up to the first one that
 * matches and stops.  So the rules that stop are tried first, in order.  From
 * where that ends the others are tried backwards, and the first that matches
 * is the level: rules between the same two stops are one group, which leaves
 * those behind the stop out.  A rule that sets no level and does not stop is
 * never tried.
 */
static void
build_list(RuleList *list, List *rules, List *conditions, bool is_new)
{
	int			n = list_length(rules);
	SlaRule	  **rule = palloc(Max(n, 1) * sizeof(SlaRule *));
	SlaExpression **condition = palloc(Max(n, 1) * sizeof(SlaExpression *));
	ListBuilder builder = {
		.list = list,
		.conditions = palloc(Max(n, 1) * sizeof(SlaExpression *)),
		.groups = palloc(Max(n, 1) * sizeof(int)),
	};
	int			count = 0;

	memset(list, 0, sizeof(RuleList));
	list->rules = palloc(Max(n, 1) * sizeof(SlaRule *));
	for (int i = 0; i < n; i++)
	{
		SlaRule	   *candidate = (SlaRule *) list_nth(rules, i);

		if (!(is_new ? candidate->on_create : candidate->on_change))
			continue;
		rule[count] = candidate;
		condition[count] = (SlaExpression *) list_nth(conditions, i);
		if (candidate->level != NULL)
			list->sets[candidate->level->agreement] = true;
		if (candidate->stop)
		{
			add_to_list(&builder, 0, candidate, condition[count]);
			list->nstops++;
		}
		count++;
	}
	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
	{
		int			stop = list->nstops;

		for (int i = count - 1; i >= 0; i--)
		{
			if (rule[i]->stop)
				stop--;
			else if (rule[i]->level != NULL && rule[i]->level->agreement == agreement)
				add_to_list(&builder, group_before_stop(list, agreement, stop), rule[i],
							condition[i]);
		}
	}
	list->conditions =
		sla_condition_list(builder.conditions, builder.groups, builder.n,
						   group_before_stop(list, SLA_N_AGREEMENTS, list->nstops),
						   CurrentMemoryContext);
}

/* The number of the rule that stops the others for the row, nstops if none. */
static int
find_stop(const RuleList *list, TupleTableSlot *slot, TupleTableSlot *former)
{
	int			stop = sla_first_condition(list->conditions, slot, former, 0, 0);

	return stop < 0 ? list->nstops : stop;
}

/* The rule that sets the level of an agreement for the row, NULL if none. */
static const SlaRule *
find_setter(const RuleList *list, TupleTableSlot *slot, TupleTableSlot *former, int agreement,
			int stop)
{
	int			number;

	if (!list->sets[agreement])
		return NULL;
	if (stop < list->nstops)
	{
		const SlaRule *rule = list->rules[stop];

		if (rule->level != NULL && rule->level->agreement == agreement)
			return rule;
	}
	number = sla_first_condition(list->conditions, slot, former,
								 group_before_stop(list, agreement, stop),
								 group_before_stop(list, agreement, 0));
	return number < 0 ? NULL : list->rules[number];
}

/* Is every rule either in both lists or in none? */
static bool
lists_are_equal(List *rules)
{
	ListCell   *cell;

	foreach(cell, rules)
	{
		const SlaRule *rule = (const SlaRule *) lfirst(cell);

		if (rule->on_create != rule->on_change)
			return false;
	}
	return true;
}

static Level *
level_of_rule(SlaRuleSet *set, const char *name, Relation rel, const SlaDraft *draft)
{
	ListCell   *cell;
	Level	   *level;

	foreach(cell, set->levels)
	{
		level = (Level *) lfirst(cell);
		if (strcmp(level->name, name) == 0)
			return level;
	}
	level = read_level(name, rel, draft);
	set->levels = lappend(set->levels, level);
	for (int i = 0; i < level->ntargets; i++)
	{
		SlaExpression *condition = level->targets[i].condition;

		if (condition == NULL)
			continue;
		set->target_conditions = lappend(set->target_conditions, condition);
		set->columns = bms_add_members(set->columns, sla_expression_columns(condition));
	}
	return level;
}

/*
 * Builds in a context below the current one, so that an error leaves nothing
 * behind.  draft: instead of what is written down, where it is not NULL.
 */
static SlaRuleSet *
build_rule_set(const char *source, Relation rel, const SlaDraft *draft)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla rules",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	SlaRuleSet *set = palloc0(sizeof(SlaRuleSet));
	MemoryContext scratch = AllocSetContextCreate(cxt, "pg_sla conditions of rules",
												  ALLOCSET_DEFAULT_SIZES);
	List	   *rules = NIL;
	List	   *conditions = NIL;
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	ListCell   *cell;

	set->from = DT_NOBEGIN;
	set->until = DT_NOEND;
	set->cxt = cxt;
	set->generation = sla_rule_generation;
	set->source = pstrdup(source);
	MemoryContextSetIdentifier(cxt, set->source);
	sla_watch_relation(RelationGetRelid(rel));

	foreach(cell, draft != NULL ? draft->rules : sla_read_rules(source))
	{
		SlaRule	   *rule = (SlaRule *) lfirst(cell);
		SlaExpression *condition;

		if (!rule->active || rule->valid_from >= rule->valid_until)
			continue;
		/* What one that has ended has chosen stays, too. */
		if (rule->set_level != NULL && rule->on_create && !rule->on_change)
			set->keep_levels = true;
		if (rule->valid_until <= now)
		{
			set->from = Max(set->from, rule->valid_until);
			continue;
		}
		condition = sla_compile_rule(rule, rule->condition, rel, scratch);
		set->columns = bms_add_members(set->columns, sla_expression_columns(condition));
		if (rule->set_level != NULL && rule->on_change && sla_expression_knows_former(condition))
			set->keep_levels = true;
		if (rule->set_level != NULL)
			rule->level = level_of_rule(set, rule->set_level, rel, draft);
		if (now < rule->valid_from)
		{
			/* Its columns matter already: who watches them does not ask again. */
			set->until = Min(set->until, rule->valid_from);
			continue;
		}
		set->from = Max(set->from, rule->valid_from);
		set->until = Min(set->until, rule->valid_until);
		rules = lappend(rules, rule);
		conditions = lappend(conditions, condition);
	}
	build_list(&set->for_new, rules, conditions, true);
	if (lists_are_equal(rules))
		set->for_changed = set->for_new;
	else
		build_list(&set->for_changed, rules, conditions, false);

	/* Only the lists are run; they took what they need. */
	MemoryContextDelete(scratch);
	MemoryContextSwitchTo(old);
	return set;
}

/* Are the rules that were in force when the set was built so still? */
static inline bool
rule_set_in_force(const SlaRuleSet *set)
{
	TimestampTz now = GetCurrentTransactionStartTimestamp();

	return set->from <= now && now < set->until;
}

/* Conditions of targets are few: most are 'true', which needs none. */
static bool
rule_set_valid(const SlaRuleSet *set)
{
	ListCell   *cell;

	if (set->generation != sla_rule_generation || !rule_set_in_force(set) ||
		!sla_condition_list_valid(set->for_new.conditions) ||
		!sla_condition_list_valid(set->for_changed.conditions))
		return false;
	foreach(cell, set->target_conditions)
	{
		if (!sla_expression_valid((SlaExpression *) lfirst(cell)))
			return false;
	}
	return true;
}

/*
 * Frees a rule set; at the end of the transaction if a condition is being
 * evaluated just now, because it could be one of this set.
 */
static void
throw_away(SlaRuleSet *set)
{
	rule_sets_epoch++;
	if (sla_expression_running())
		MemoryContextSetParent(set->cxt, TopTransactionContext);
	else
		MemoryContextDelete(set->cxt);
}

/*
 * Throws away what is outdated, also for relations that are gone: the one
 * generation counts for all.
 */
static void
forget_outdated(void)
{
	HASH_SEQ_STATUS status;
	RuleSetEntry *entry;

	hash_seq_init(&status, rule_sets);
	while ((entry = hash_seq_search(&status)) != NULL)
	{
		SlaRuleSet **link = &entry->sets;

		while (*link != NULL)
		{
			SlaRuleSet *set = *link;

			if (rule_set_valid(set))
				link = &set->next;
			else
			{
				*link = set->next;
				throw_away(set);
			}
		}
		if (entry->sets == NULL)
			(void) hash_search(rule_sets, &entry->relid, HASH_REMOVE, NULL);
	}
}

static SlaRuleSet *
find_rule_set(const char *source, Oid relid)
{
	RuleSetEntry *entry = hash_search(rule_sets, &relid, HASH_FIND, NULL);

	if (entry == NULL)
		return NULL;
	for (SlaRuleSet *set = entry->sets; set != NULL; set = set->next)
	{
		if (strcmp(set->source, source) == 0)
			return set;
	}
	return NULL;
}

SlaRuleSet *
sla_rules_for(const char *source, Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	RuleSetEntry *entry;
	SlaRuleSet *set;
	bool		found;

	if (rule_sets == NULL)
	{
		HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(RuleSetEntry)};

		rule_sets = hash_create("pg_sla rule sets", 16, &control, HASH_ELEM | HASH_BLOBS);
	}
	set = find_rule_set(source, relid);
	if (set != NULL && rule_set_valid(set))
		return set;

	set = build_rule_set(source, rel, NULL);
	forget_outdated();

	/*
	 * Building evaluates constants, so that a function in a condition may have
	 * come here and have built the same.  Either will do.
	 */
	entry = hash_search(rule_sets, &relid, HASH_ENTER, &found);
	if (!found)
		entry->sets = NULL;
	MemoryContextSetParent(set->cxt, TopMemoryContext);
	set->next = entry->sets;
	entry->sets = set;
	return set;
}

SlaRuleSet *
sla_rules_of_draft(const char *source, Relation rel, const SlaDraft *draft)
{
	return build_rule_set(source, rel, draft);
}

bool
sla_rules_valid(const SlaRuleSet *rules)
{
	return rule_set_valid(rules);
}

void
sla_free_rules_of_draft(SlaRuleSet *rules)
{
	MemoryContextDelete(rules->cxt);
}

const Bitmapset *
sla_rule_columns(SlaRuleSet *rules)
{
	return rules->columns;
}

/*
 * The first target of each metric whose condition holds.
 */
static void
choose_promises(const Level *level, TupleTableSlot *slot, SlaChosenLevel *chosen)
{
	const char *done = NULL;

	chosen->promises = palloc(Max(level->ntargets, 1) * sizeof(SlaPromise));
	chosen->npromises = 0;
	for (int i = 0; i < level->ntargets; i++)
	{
		const Target *target = &level->targets[i];
		SlaPromise *promise;

		if (done != NULL && strcmp(done, target->metric) == 0)
			continue;
		if (target->condition != NULL && !sla_condition_holds(target->condition, slot))
			continue;
		done = target->metric;
		promise = &chosen->promises[chosen->npromises++];
		promise->metric = pstrdup(target->metric);
		promise->goal = target->goal;
	}
}

void
sla_choose_rules(SlaRuleSet *rules, TupleTableSlot *slot, TupleTableSlot *former, bool is_new,
				 const SlaRule **chosen)
{
	const RuleList *list = is_new ? &rules->for_new : &rules->for_changed;
	int			stop = find_stop(list, slot, former);

	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		chosen[i] = find_setter(list, slot, former, i, stop);
}

void
sla_promise_of_rule(const SlaRule *rule, TupleTableSlot *slot, SlaChosenLevel *chosen)
{
	chosen->level = pstrdup(rule->level->name);
	chosen->calendar = pstrdup(rule->level->calendar);
	chosen->on_change = pstrdup(rule->level->on_change);
	chosen->rule = pstrdup(rule->name);
	choose_promises(rule->level, slot, chosen);
}

void
sla_choose_levels(SlaRuleSet *rules, TupleTableSlot *slot, TupleTableSlot *former, bool is_new,
				  SlaChoice *choice)
{
	const SlaRule *chosen[SLA_N_AGREEMENTS];

	memset(choice, 0, sizeof(SlaChoice));
	sla_choose_rules(rules, slot, former, is_new, chosen);
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
	{
		if (chosen[i] != NULL)
			sla_promise_of_rule(chosen[i], slot, &choice->agreements[i]);
	}
}

struct SlaLevel *
sla_level_over(const char *name, Relation rel)
{
	ConfigScan	scan;
	bool		exists;

	scan_begin(&scan, SLA_TABLE_LEVEL, "name", name);
	exists = scan_next(&scan);
	scan_end(&scan);
	return exists ? read_level(name, rel, NULL) : NULL;
}

void
sla_promise_of_level(const struct SlaLevel *level, TupleTableSlot *slot, SlaChosenLevel *chosen)
{
	memset(chosen, 0, sizeof(SlaChosenLevel));
	chosen->level = pstrdup(level->name);
	chosen->calendar = pstrdup(level->calendar);
	chosen->on_change = pstrdup(level->on_change);
	choose_promises(level, slot, chosen);
}

bool
sla_rules_keep_levels(const SlaRuleSet *rules)
{
	return rules->keep_levels;
}

/* Checks a rule's condition and those of the targets of the level that it sets. */
static void
check_rule(const SlaRule *rule, Relation rel)
{
	(void) sla_compile_rule(rule, rule->condition, rel, CurrentMemoryContext);
	if (rule->set_level != NULL)
		check_targets(rule->set_level, rel);
}

void
sla_check_rules(const char *source, Relation rel)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check",
											  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	ListCell   *cell;

	foreach(cell, sla_read_rules(source))
		check_rule((const SlaRule *) lfirst(cell), rel);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(cxt);
}

/*
 * ---------------------------------------------------------------------------
 * Sources
 * ---------------------------------------------------------------------------
 */

/* The relation over whose rows the rules of the source at the scan run. */
static Oid
source_relation(const ConfigScan *scan)
{
	Oid			facts = scan_relation(scan, "facts");

	return OidIsValid(facts) ? facts : scan_relation(scan, "ticket_table");
}

SlaFormerRow
sla_former_of_source(const char *source)
{
	ConfigScan	scan;
	SlaFormerRow former = SLA_FORMER_KNOWN;

	scan_begin(&scan, SLA_TABLE_SOURCE, "name", source);
	if (scan_next(&scan) && OidIsValid(scan_relation(&scan, "facts")))
		former = SLA_FORMER_OF_FACTS;
	scan_end(&scan);
	return former;
}

Relation
sla_open_source_relation(const char *source)
{
	ConfigScan		scan;
	Oid			relid = InvalidOid;

	scan_begin(&scan, SLA_TABLE_SOURCE, "name", source);
	if (scan_next(&scan))
		relid = source_relation(&scan);
	scan_end(&scan);
	if (!OidIsValid(relid))
		return NULL;
	return try_relation_open(relid, AccessShareLock);
}

/* Is relid the relation, or one of its partitions? */
static bool
is_or_belongs_to(Oid relid, Oid relation)
{
	if (relid == relation)
		return true;
	if (!get_rel_relispartition(relid))
		return false;
	return list_member_oid(get_partition_ancestors(relid), relation);
}

/*
 * sla.check_rule_of_source(source text, rule text)
 *
 * An error unless the rule, as it was written, and the targets of its level can
 * be used over what the source tracks.
 */
SLA_FUNCTION(sla_check_rule_of_source);
Datum
sla_check_rule_of_source(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Relation	rel = sla_open_source_relation(source);
	ListCell   *cell;

	if (rel == NULL)
		PG_RETURN_VOID();
	foreach(cell, sla_read_rules(source))
	{
		const SlaRule *rule = (const SlaRule *) lfirst(cell);

		if (strcmp(rule->name, name) == 0)
			check_rule(rule, rel);
	}
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}

char *
sla_source_of_relation(Oid relid)
{
	char	   *source = NULL;
	ConfigScan		scan;

	scan_begin(&scan, SLA_TABLE_SOURCE, NULL, NULL);
	while (scan_next(&scan))
	{
		if (!is_or_belongs_to(relid, scan_relation(&scan, "ticket_table")) &&
			!is_or_belongs_to(relid, source_relation(&scan)))
			continue;
		if (source != NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("more than one source tracks \"%s\": \"%s\" and \"%s\"",
							get_rel_name(relid), source, scan_text(&scan, "name")),
					 errhint("Name the source: sla.level_for(source, row).")));
		source = scan_text(&scan, "name");
	}
	scan_end(&scan);
	if (source == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("no source tracks \"%s\"", get_rel_name(relid)),
				 errhint("Call sla.track() for it first.")));
	return source;
}

void
sla_check_row_of_source(const char *source, Oid relid)
{
	Oid			relation;
	Oid			ticket_table;
	ConfigScan		scan;

	scan_begin(&scan, SLA_TABLE_SOURCE, "name", source);
	if (!scan_next(&scan))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", source),
				 errhint("Call sla.track() first.")));
	relation = source_relation(&scan);
	ticket_table = scan_relation(&scan, "ticket_table");
	scan_end(&scan);
	if (is_or_belongs_to(relid, relation))
		return;
	if (is_or_belongs_to(relid, ticket_table))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("the rules of source \"%s\" run over \"%s\", not over \"%s\"",
						source, get_rel_name(relation), get_rel_name(relid)),
				 errhint("Pass a row of \"%s\".", get_rel_name(relation))));
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("source \"%s\" does not track \"%s\"", source, get_rel_name(relid)),
			 errhint("Pass a row of \"%s\".", get_rel_name(relation))));
}

/*
 * ---------------------------------------------------------------------------
 * sla.level_for and its kin
 * ---------------------------------------------------------------------------
 */

/* What a call site keeps from row to row. */
typedef struct CallSite
{
	Oid			relid;			/* whose rows are given */
	char	   *source;
	MemoryContext cxt;			/* of the slot, renewed with the rules */
	TupleTableSlot *slot;
	SlaRuleSet *rules;
	SlaExpression *created_at;	/* in cxt; NULL: not asked for yet */
	uint64		generation;
	uint64		epoch;
	char	   *metric;			/* the last one that was looked up */
} CallSite;

Oid
sla_row_relation(FmgrInfo *flinfo, int argument)
{
	Oid			type = get_fn_expr_argtype(flinfo, argument);
	Oid			relid = InvalidOid;

	if (OidIsValid(type))
		relid = get_typ_typrelid(getBaseType(type));
	if (!OidIsValid(relid) || get_rel_relkind(relid) == RELKIND_COMPOSITE_TYPE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("sla.%s() needs a row of a tracked table, not a value of type %s",
						get_func_name(flinfo->fn_oid),
						OidIsValid(type) ? format_type_be(type) : "unknown"),
				 errhint("For example: SELECT sla.level_for(t) FROM ticket t.")));
	return relid;
}

/* Makes rules and slot of the call site current. */
static void
renew_call_site(CallSite *site, FmgrInfo *flinfo)
{
	Relation	rel;
	MemoryContext old;
	uint64		generation = sla_rule_generation;

	site->generation = 0;		/* until all of it is there */
	sla_check_row_of_source(site->source, site->relid);
	if (site->cxt != NULL)
		MemoryContextReset(site->cxt);
	else
		site->cxt = AllocSetContextCreate(flinfo->fn_mcxt, "pg_sla call of a rule function",
										  ALLOCSET_SMALL_SIZES);
	site->created_at = NULL;
	rel = relation_open(site->relid, AccessShareLock);
	site->rules = sla_rules_for(site->source, rel);
	site->epoch = rule_sets_epoch;
	old = MemoryContextSwitchTo(site->cxt);
	site->slot = MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(rel)),
										  &TTSOpsHeapTuple);
	MemoryContextSwitchTo(old);
	relation_close(rel, NoLock);
	site->generation = generation;
}

/*
 * The call site of a function whose first argument is the row.  Not asked
 * within another's arguments: it must come before the row is looked at.
 */
static CallSite *
call_site_of_row(FunctionCallInfo fcinfo)
{
	CallSite   *site = (CallSite *) fcinfo->flinfo->fn_extra;

	if (site == NULL)
	{
		Oid			relid = sla_row_relation(fcinfo->flinfo, 0);
		char	   *source = sla_source_of_relation(relid);

		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
		site->relid = relid;
		site->source = MemoryContextStrdup(fcinfo->flinfo->fn_mcxt, source);
		fcinfo->flinfo->fn_extra = site;
	}
	return site;
}

/* Does a text say the same as a string, which may be NULL? */
static bool
text_is(const text *value, const char *string)
{
	return string != NULL && strlen(string) == VARSIZE_ANY_EXHDR(value) &&
		memcmp(string, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) == 0;
}

/* Keeps a text as a string in place of the one that is there. */
static void
keep_text(char **string, const text *value, MemoryContext cxt)
{
	MemoryContext old = MemoryContextSwitchTo(cxt);
	char	   *former = *string;

	*string = NULL;
	if (former != NULL)
		pfree(former);
	*string = text_to_cstring(value);
	MemoryContextSwitchTo(old);
}

/* The call site of a function whose arguments are the source and the row. */
static CallSite *
call_site_of_source(FunctionCallInfo fcinfo)
{
	CallSite   *site = (CallSite *) fcinfo->flinfo->fn_extra;
	text	   *source = PG_GETARG_TEXT_PP(0);

	if (site == NULL)
	{
		site = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite));
		site->relid = sla_row_relation(fcinfo->flinfo, 1);
		fcinfo->flinfo->fn_extra = site;
	}
	if (!text_is(source, site->source))
	{
		keep_text(&site->source, source, fcinfo->flinfo->fn_mcxt);
		site->generation = 0;
	}
	return site;
}

/*
 * The rule that sets the customer's level for a new ticket with that row, NULL
 * if none does.  The row is in the slot of the call site then; the caller
 * clears it.
 */
static const SlaRule *
choose_rule(CallSite *site, FunctionCallInfo fcinfo, HeapTupleHeader row, HeapTuple tuple)
{
	const RuleList *list;

	if (site->generation != sla_rule_generation || site->epoch != rule_sets_epoch ||
		!rule_set_in_force(site->rules) ||
		!sla_condition_list_valid(site->rules->for_new.conditions))
		renew_call_site(site, fcinfo->flinfo);

	tuple->t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = site->relid;
	tuple->t_data = row;
	ExecStoreHeapTuple(tuple, site->slot, false);
	list = &site->rules->for_new;
	return find_setter(list, site->slot, NULL, SLA_CUSTOMER, find_stop(list, site->slot, NULL));
}

static Datum
level_for(CallSite *site, FunctionCallInfo fcinfo, HeapTupleHeader row)
{
	HeapTupleData tuple;
	const SlaRule *rule = choose_rule(site, fcinfo, row, &tuple);
	const text *level;

	ExecClearTuple(site->slot);
	if (rule == NULL)
		PG_RETURN_NULL();
	level = rule->level->name_text;
	PG_RETURN_TEXT_P(cstring_to_text_with_len(VARDATA(level), VARSIZE(level) - VARHDRSZ));
}

/* sla.level_for(ticket_row anyelement) RETURNS text */
SLA_FUNCTION(sla_level_for);
Datum
sla_level_for(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_row(fcinfo);

	return level_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(0));
}

/* sla.level_for(source text, ticket_row anyelement) RETURNS text */
SLA_FUNCTION(sla_level_for_source);
Datum
sla_level_for_source(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_source(fcinfo);

	return level_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(1));
}

/* An error for a metric that does not exist: most likely a slip. */
static void
check_metric(CallSite *site, const text *metric, MemoryContext cxt)
{
	char	   *name;

	if (text_is(metric, site->metric))
		return;
	name = text_to_cstring(metric);
	if (!sla_config_has(SLA_TABLE_METRIC, name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("metric \"%s\" does not exist", name),
				 errhint("Metrics are the rows of sla.metric.")));
	keep_text(&site->metric, metric, cxt);
}

/* The goal for a metric, of the row in the slot; NULL if the level has none. */
static const Target *
find_target(const Level *level, const char *metric, TupleTableSlot *slot)
{
	for (int i = 0; i < level->ntargets; i++)
	{
		const Target *target = &level->targets[i];

		if (strcmp(target->metric, metric) == 0 &&
			(target->condition == NULL || sla_condition_holds(target->condition, slot)))
			return target;
	}
	return NULL;
}

static Datum
goal_for(CallSite *site, FunctionCallInfo fcinfo, HeapTupleHeader row, const text *metric)
{
	HeapTupleData tuple;
	const SlaRule *rule = choose_rule(site, fcinfo, row, &tuple);
	const Target *target = NULL;
	Interval   *goal;

	check_metric(site, metric, fcinfo->flinfo->fn_mcxt);
	if (rule != NULL)
		target = find_target(rule->level, site->metric, site->slot);
	ExecClearTuple(site->slot);
	if (target == NULL)
		PG_RETURN_NULL();
	goal = palloc(sizeof(Interval));
	*goal = target->goal;
	PG_RETURN_INTERVAL_P(goal);
}

/* sla.goal_for(ticket_row anyelement, metric text) RETURNS interval */
SLA_FUNCTION(sla_goal_for);
Datum
sla_goal_for(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_row(fcinfo);

	return goal_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(0),
					PG_GETARG_TEXT_PP(1));
}

/* sla.goal_for(source text, ticket_row anyelement, metric text) RETURNS interval */
SLA_FUNCTION(sla_goal_for_source);
Datum
sla_goal_for_source(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_source(fcinfo);

	return goal_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(1),
					PG_GETARG_TEXT_PP(2));
}

/* Compiles the source's expression for when a ticket was created. */
static SlaExpression *
compile_created_at(const char *source, Oid relid, MemoryContext cxt)
{
	ConfigScan	scan;
	char	   *expression;
	SlaWriter	writer = {0};
	Relation	rel;
	SlaExpression *compiled;

	scan_begin(&scan, SLA_TABLE_SOURCE, "name", source);
	if (!scan_next(&scan))
		elog(ERROR, "source \"%s\" does not exist", source);
	expression = scan_text(&scan, "created_at");
	writer.search_path = scan_text(&scan, "search_path");
	writer.time_zone = scan_text(&scan, "time_zone");
	writer.owner = sla_expression_owner(scan_text(&scan, "owner"), "owner of source", source);
	scan_end(&scan);

	rel = relation_open(relid, AccessShareLock);
	compiled = sla_expression_compile(rel, expression, &writer, TIMESTAMPTZOID,
									  "created_at of source", source, cxt);
	relation_close(rel, NoLock);
	return compiled;
}

/*
 * When the ticket in the slot was created; where that is NULL, it is as for a
 * ticket that is inserted now.
 */
static TimestampTz
creation_time(CallSite *site)
{
	Datum		value;
	bool		isnull;

	if (site->created_at == NULL || !sla_expression_valid(site->created_at))
		site->created_at = compile_created_at(site->source, site->relid, site->cxt);
	value = sla_expression_eval(site->created_at, site->slot, &isnull);
	return isnull ? GetCurrentTransactionStartTimestamp() : DatumGetTimestampTz(value);
}

static Datum
deadline_for(CallSite *site, FunctionCallInfo fcinfo, HeapTupleHeader row, const text *metric)
{
	HeapTupleData tuple;
	const SlaRule *rule = choose_rule(site, fcinfo, row, &tuple);
	const Target *target = NULL;
	TimestampTz deadline = 0;

	check_metric(site, metric, fcinfo->flinfo->fn_mcxt);
	if (rule != NULL)
		target = find_target(rule->level, site->metric, site->slot);
	if (target != NULL)
	{
		const char *calendar = rule->level->calendar;
		Interval	goal = target->goal;

		/* It may run functions; what was chosen is not looked at behind it. */
		calendar = pstrdup(calendar);
		deadline = creation_time(site);
		if (!TIMESTAMP_NOT_FINITE(deadline))
		{
			sla_timeline *timeline = sla_cached_calendar(calendar, strlen(calendar))->timeline;

			if (goal.day != 0)
				deadline = sla_advance_days(timeline, deadline, goal.day);
			deadline = sla_advance(timeline, deadline, goal.time);
		}
	}
	ExecClearTuple(site->slot);
	if (target == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TIMESTAMPTZ(deadline);
}

/* sla.deadline_for(ticket_row anyelement, metric text) RETURNS timestamptz */
SLA_FUNCTION(sla_deadline_for);
Datum
sla_deadline_for(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_row(fcinfo);

	return deadline_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(0),
						PG_GETARG_TEXT_PP(1));
}

/* sla.deadline_for(source text, ticket_row anyelement, metric text) RETURNS timestamptz */
SLA_FUNCTION(sla_deadline_for_source);
Datum
sla_deadline_for_source(PG_FUNCTION_ARGS)
{
	CallSite   *site = call_site_of_source(fcinfo);

	return deadline_for(site, fcinfo, PG_GETARG_HEAPTUPLEHEADER(1),
						PG_GETARG_TEXT_PP(2));
}

/*
 * ---------------------------------------------------------------------------
 * Triggers on the tables
 * ---------------------------------------------------------------------------
 */

/* The row that is written and, for an UPDATE, the one before. */
typedef struct Change
{
	TriggerData *trigger;
	TupleDesc	tupdesc;
	HeapTuple	new;
	HeapTuple	old;			/* NULL for an INSERT */
} Change;

/* An error unless called as the row trigger of that table. */
static void
begin_change(Change *change, FunctionCallInfo fcinfo, SlaConfigTable table,
			 const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event) ||
		RelationGetRelid(trigger->tg_relation) != sla_config_relid(table))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"sla.%s\" must be called by the row trigger of its own table",
						function)));
	change->trigger = trigger;
	change->tupdesc = RelationGetDescr(trigger->tg_relation);
	change->new = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple
		: trigger->tg_trigtuple;
	change->old = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_trigtuple : NULL;
}

static Datum
tuple_value(const Change *change, HeapTuple tuple, const char *column, bool *isnull)
{
	return heap_getattr(tuple, column_number(change->trigger->tg_relation, column),
						change->tupdesc, isnull);
}

/* A text column of the new row, NULL for NULL. */
static char *
new_text(const Change *change, const char *column)
{
	bool		isnull;
	Datum		value = tuple_value(change, change->new, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Has a text column another value than before?  For an INSERT: has it any? */
static bool
text_changed(const Change *change, const char *column)
{
	bool		old_null = true;
	bool		new_null;
	Datum		old = (Datum) 0;
	Datum		new = tuple_value(change, change->new, column, &new_null);

	if (change->old != NULL)
		old = tuple_value(change, change->old, column, &old_null);
	if (old_null || new_null)
		return old_null != new_null;
	return strcmp(TextDatumGetCString(old), TextDatumGetCString(new)) != 0;
}

static void
set_value(Change *change, const char *column, Datum value)
{
	int			number = column_number(change->trigger->tg_relation, column);
	bool		isnull = false;

	change->new = heap_modify_tuple_by_cols(change->new, change->tupdesc, 1, &number,
											&value, &isnull);
}

/*
 * The owner may be missing where a superuser restores a dump.
 */
void
sla_check_may_own(const char *owner)
{
	Oid			role;

	if (superuser())
		return;
	role = get_role_oid(owner, true);
	if (!OidIsValid(role) || !has_privs_of_role(GetUserId(), role))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to make role \"%s\" the owner of a condition", owner),
				 errhint("Leave the column \"owner\" out: it becomes \"%s\".",
						 GetUserNameFromId(GetUserId(), false))));
}

/*
 * Notes who writes a condition, under which search_path and in which time zone.
 * Returns false when it must only be checked for its form: the row brings its
 * search_path, from a dump.
 */
static bool
note_writer(Change *change)
{
	bool		restored = change->old == NULL && new_text(change, "search_path") != NULL;
	bool		rewritten = text_changed(change, "condition");

	if (new_text(change, "search_path") == NULL ||
		(change->old != NULL && rewritten && !text_changed(change, "search_path")))
		set_value(change, "search_path", CStringGetTextDatum(namespace_search_path));
	if (new_text(change, "time_zone") == NULL ||
		(change->old != NULL && rewritten && !text_changed(change, "time_zone")))
		set_value(change, "time_zone", CStringGetTextDatum(sla_session_time_zone()));
	if (new_text(change, "owner") == NULL ||
		(change->old != NULL && rewritten && !text_changed(change, "owner")))
		set_value(change, "owner",
				  CStringGetTextDatum(GetUserNameFromId(GetUserId(), false)));
	if (rewritten || text_changed(change, "search_path") || text_changed(change, "owner") ||
		text_changed(change, "time_zone"))
		sla_check_may_own(new_text(change, "owner"));
	return !restored;
}

/* Is what a condition means other than before? */
static bool
meaning_changed(const Change *change)
{
	return text_changed(change, "condition") || text_changed(change, "search_path") ||
		text_changed(change, "time_zone") || text_changed(change, "owner");
}

/* Who has written the condition, as noted; what and name as in errors of the owner. */
static SlaWriter
writer_of(const Change *change, const char *what, const char *name)
{
	SlaWriter	writer = {
		.search_path = new_text(change, "search_path"),
		.time_zone = new_text(change, "time_zone"),
		.owner = sla_expression_owner(new_text(change, "owner"), what, name),
	};

	return writer;
}

/*
 * sla.check_metric() RETURNS trigger
 *
 * What a user writes is no longer built in, and so is dumped.  A row of the
 * name of a built-in one takes its place; that is how a restore brings back
 * a user's version beside the rows that CREATE EXTENSION has made.
 */
SLA_FUNCTION(sla_check_metric);
Datum
sla_check_metric(PG_FUNCTION_ARGS)
{
	Change		change;

	begin_change(&change, fcinfo, SLA_TABLE_METRIC, "check_metric");
	if (creating_extension)
		return PointerGetDatum(change.new);

	set_value(&change, "builtin", BoolGetDatum(false));
	if (change.old == NULL)
	{
		bool		isnull;
		Datum		name = tuple_value(&change, change.new, "name", &isnull);
		Oid			types[] = {TEXTOID};
		SPIPlanPtr	plan;

		if (!isnull)
		{
			/*
			 * The foreign keys that point to the row are looked at when the
			 * new one is there: at the end of the outer statement.
			 */
			SPI_connect();
			plan = SPI_prepare("DELETE FROM sla.metric "
							   "WHERE name OPERATOR(pg_catalog.=) $1 AND builtin",
							   1, types);
			if (plan == NULL ||
				SPI_execute_snapshot(plan, &name, NULL, InvalidSnapshot, InvalidSnapshot,
									 false, false, 0) != SPI_OK_DELETE)
				elog(ERROR, "could not delete the built-in row of sla.metric");
			SPI_finish();
		}
	}
	return PointerGetDatum(change.new);
}

/* sla.check_level() RETURNS trigger */
SLA_FUNCTION(sla_check_level);
Datum
sla_check_level(PG_FUNCTION_ARGS)
{
	Change		change;
	char	   *name;
	char	   *calendar;

	begin_change(&change, fcinfo, SLA_TABLE_LEVEL, "check_level");
	name = new_text(&change, "name");
	calendar = new_text(&change, "calendar");

	if (calendar == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_NOT_NULL_VIOLATION),
				 errmsg("level \"%s\" has no calendar", name != NULL ? name : ""),
				 errhint("Name one that sla.set_calendar() has made.")));
	if (text_changed(&change, "calendar") && !sla_config_has(SLA_TABLE_CALENDAR, calendar))
		ereport(ERROR,
				(errcode(ERRCODE_FOREIGN_KEY_VIOLATION),
				 errmsg("calendar \"%s\" of level \"%s\" does not exist", calendar,
						name != NULL ? name : ""),
				 errhint("Make it with sla.set_calendar() first.")));
	return PointerGetDatum(change.new);
}

void
sla_check_goal(const Interval *goal, const char *name)
{
	const char *detail = NULL;

	if (INTERVAL_NOT_FINITE(goal))
		detail = "A goal must be finite.";
	else if (goal->month != 0)
		detail = "Business time has hours and days, but no months.";
	else if (goal->day < 0 || goal->time < 0)
		detail = "A goal must not be negative.";
	else if (goal->day == 0 && goal->time == 0)
		detail = "A goal must not be zero.";
	if (detail != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("goal \"%s\" of target \"%s\" is not a positive amount of business time",
						DatumGetCString(DirectFunctionCall1(interval_out,
															IntervalPGetDatum(goal))),
						name),
				 errdetail_internal("%s", detail),
				 errhint("For example '4 hours', or '2 days' for two business days.")));
}

/*
 * Checks a target's condition over the rows of all tracked sources that have a
 * rule which sets its level.
 */
static void
check_target_condition(const Change *change, const char *level, const char *name)
{
	List	   *sources = NIL;
	ListCell   *cell;
	ConfigScan		scan;

	scan_begin(&scan, SLA_TABLE_RULE, NULL, NULL);
	while (scan_next(&scan))
	{
		char	   *set_level = scan_text(&scan, "set_level");

		if (set_level != NULL && strcmp(set_level, level) == 0)
			sources = lappend(sources, scan_text(&scan, "source"));
	}
	scan_end(&scan);

	foreach(cell, sources)
	{
		Relation	rel = sla_open_source_relation((const char *) lfirst(cell));
		SlaWriter	writer;

		if (rel == NULL)
			continue;
		writer = writer_of(change, "owner of target", name);
		sla_expression_check(rel, new_text(change, "condition"), &writer, BOOLOID,
								"condition of target", name);
		relation_close(rel, NoLock);
	}
}

/* sla.check_target() RETURNS trigger */
SLA_FUNCTION(sla_check_target);
Datum
sla_check_target(PG_FUNCTION_ARGS)
{
	Change		change;
	char	   *level;
	char	   *metric;
	char	   *condition;
	char	   *name;
	Datum		goal;
	bool		isnull;
	bool		fully;

	begin_change(&change, fcinfo, SLA_TABLE_TARGET, "check_target");
	level = new_text(&change, "level");
	metric = new_text(&change, "metric");
	condition = new_text(&change, "condition");
	if (level == NULL || metric == NULL || condition == NULL)
		return PointerGetDatum(change.new); /* NOT NULL refuses it */
	name = target_name(level, metric);

	goal = tuple_value(&change, change.new, "goal", &isnull);
	if (!isnull)
		sla_check_goal(DatumGetIntervalP(goal), name);
	fully = note_writer(&change);
	if (meaning_changed(&change) || text_changed(&change, "level"))
	{
		sla_expression_check_form(condition, BOOLOID, "condition of target", name);
		if (fully)
			check_target_condition(&change, level, name);
	}
	return PointerGetDatum(change.new);
}

/* sla.check_rule() RETURNS trigger */
SLA_FUNCTION(sla_check_rule);
Datum
sla_check_rule(PG_FUNCTION_ARGS)
{
	Change		change;
	char	   *name;
	char	   *source;
	char	   *condition;
	char	   *set_level;
	bool		fully;
	Relation	rel;

	begin_change(&change, fcinfo, SLA_TABLE_RULE, "check_rule");
	name = new_text(&change, "name");
	source = new_text(&change, "source");
	condition = new_text(&change, "condition");
	set_level = new_text(&change, "set_level");
	if (name == NULL || source == NULL || condition == NULL)
		return PointerGetDatum(change.new); /* NOT NULL refuses it */

	fully = note_writer(&change);
	if (meaning_changed(&change))
		sla_expression_check_form(condition, BOOLOID, "condition of rule", name);
	if (!fully || (!meaning_changed(&change) && !text_changed(&change, "source") &&
				   !text_changed(&change, "set_level")))
		return PointerGetDatum(change.new);

	rel = sla_open_source_relation(source);
	if (rel != NULL)
	{
		SlaWriter	writer = writer_of(&change, "owner of rule", name);

		writer.former = sla_former_of_source(source);
		sla_expression_check(rel, condition, &writer, BOOLOID, "condition of rule", name);
		if (set_level != NULL)
			check_targets(set_level, rel);
		relation_close(rel, NoLock);
	}
	return PointerGetDatum(change.new);
}
