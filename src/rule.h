/*
 * rule.h
 *		Choosing a ticket's levels, and what they promise.
 */
#ifndef SLA_RULE_H
#define SLA_RULE_H

#include "pg_sla.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

#include "condition.h"

/* The agreement kinds: a ticket holds at most one level of each. */
typedef enum SlaAgreement
{
	SLA_CUSTOMER,
	SLA_OPERATIONAL,
	SLA_SUPPLIER
} SlaAgreement;

#define SLA_N_AGREEMENTS (SLA_SUPPLIER + 1)

extern const char *const sla_agreement_names[SLA_N_AGREEMENTS];

typedef struct SlaPromise
{
	const char *metric;
	Interval	goal;
} SlaPromise;

typedef struct SlaChosenLevel
{
	const char *level;			/* NULL: no rule set a level of this kind */
	const char *calendar;
	const char *rule;			/* the rule that set it */
	const char *on_change;		/* as sla.level has it */
	int			npromises;
	SlaPromise *promises;		/* one for each metric that has a goal here */
} SlaChosenLevel;

typedef struct SlaChoice
{
	SlaChosenLevel agreements[SLA_N_AGREEMENTS];
} SlaChoice;

/* A row of sla.rule. */
typedef struct SlaRule
{
	const char *name;
	const char *source;
	int			position;
	const char *condition;
	const char *set_level;		/* NULL: none */
	bool		stop;
	bool		active;
	bool		on_create;
	bool		on_change;
	TimestampTz valid_from;		/* in force from here */
	TimestampTz valid_until;	/* until before here */
	const char *search_path;
	const char *time_zone;
	const char *owner;
	struct SlaLevel *level;		/* what set_level names, within a rule set */
} SlaRule;

/* A row of sla.target. */
typedef struct SlaTarget
{
	const char *level;
	const char *metric;
	int			position;
	Interval	goal;
	const char *condition;
	const char *search_path;
	const char *time_zone;
	const char *owner;
} SlaTarget;

/* The rules of a source in the order in which they run, active or not. */
extern List *sla_read_rules(const char *source);
extern int	sla_compare_rules(const ListCell *a, const ListCell *b);

/* The targets of a level, in no order. */
extern List *sla_read_targets(const char *level);

/*
 * Compiles a rule's condition, or a part of it, over rel.  Both are for those
 * who ask once; sla_rules_for is for those who ask for every ticket.
 */
extern SlaExpression *sla_compile_rule(const SlaRule *rule, const char *condition,
									   Relation rel, MemoryContext cxt);

/*
 * A tstzrange as a half-open stretch of microseconds; an empty one ends where
 * it begins.
 */
extern void sla_period(Datum value, TimestampTz *from, TimestampTz *until);

/* Is the rule in force in this transaction, as far as its validity goes? */
extern bool sla_rule_in_force(const SlaRule *rule);

extern SlaAgreement sla_level_agreement(const char *level);

typedef struct SlaRuleSet SlaRuleSet;

/*
 * The rules of a source, compiled for rows of rel: the ticket table, one of
 * its partitions, or the facts view.  Kept per backend and compiled again when
 * something they depend on has changed.  Use it at once: good until the next
 * call that may read a table.
 */
extern SlaRuleSet *sla_rules_for(const char *source, Relation rel);

/*
 * Rules that are not written down anywhere: all rules of the source, in order,
 * and the levels that are other than those of sla.level and sla.target.
 */
typedef struct SlaDraftLevel
{
	const char *name;
	const char *calendar;
	SlaAgreement agreement;
	List	   *targets;		/* of SlaTarget */
} SlaDraftLevel;

typedef struct SlaDraft
{
	List	   *rules;			/* of SlaRule */
	List	   *levels;			/* of SlaDraftLevel */
} SlaDraft;

/*
 * A draft compiled, below the current memory context and for the caller alone;
 * the draft must outlive it.  Make it anew when it is no longer valid.
 */
extern SlaRuleSet *sla_rules_of_draft(const char *source, Relation rel,
									  const SlaDraft *draft);
extern bool sla_rules_valid(const SlaRuleSet *rules);
extern void sla_free_rules_of_draft(SlaRuleSet *rules);

/* A level with its targets as written down; false when there is none. */
extern bool sla_read_level(const char *name, SlaDraftLevel *level);

/* Is there a row of that name in sla.calendar, sla.metric, sla.level or sla.source? */
extern bool sla_config_has(SlaConfigTable table, const char *name);

/*
 * Errors unless goal can be an amount of business time to reach, of the target
 * of that name; and unless the current user may give a condition that owner.
 */
extern void sla_check_goal(const Interval *goal, const char *name);
extern void sla_check_may_own(const char *owner);

/*
 * The rule that sets the level for each agreement, NULL where none does; valid
 * as long as the rule set.  former: the row before the change, or NULL.
 */
extern void sla_choose_rules(SlaRuleSet *rules, TupleTableSlot *slot, TupleTableSlot *former,
							 bool is_new, const SlaRule **chosen);

/* What the level that such a rule sets promises the row, in the current memory context. */
extern void sla_promise_of_rule(const SlaRule *rule, TupleTableSlot *slot,
								SlaChosenLevel *chosen);

/*
 * Runs the rules in order over the row in slot: those for new tickets or those
 * for changed ones.  The choice and its strings are the caller's, in the
 * current memory context.
 */
extern void sla_choose_levels(SlaRuleSet *rules, TupleTableSlot *slot,
							  TupleTableSlot *former, bool is_new, SlaChoice *choice);

/* Do conditions of the source's rules know the row before the change? */
extern SlaFormerRow sla_former_of_source(const char *source);

/*
 * What a level of that name promises today to the ticket in slot, whose
 * relation was given when the level was read.  sla_level_over gives NULL when
 * there is no such level; the result is in the current memory context.
 */
extern struct SlaLevel *sla_level_over(const char *name, Relation rel);
extern void sla_promise_of_level(const struct SlaLevel *level, TupleTableSlot *slot,
								 SlaChosenLevel *chosen);

/*
 * Do rules set a level for a moment only, when the ticket is new or when the
 * former row was another?  Then a changed ticket for which no rule sets a level
 * keeps the one it has.
 */
extern bool sla_rules_keep_levels(const SlaRuleSet *rules);

/*
 * The columns of rel that rules and targets read, offset as for
 * sla_expression_columns.  While none of them changes the choice stays, but
 * for rules that ask for now() or other tables and for those that differ
 * between new and changed tickets.
 */
extern const Bitmapset *sla_rule_columns(SlaRuleSet *rules);

/*
 * Compiles all rules of a source, active or not, and the targets of the levels
 * that they set, over rel; an error names the first that is wrong.
 */
extern void sla_check_rules(const char *source, Relation rel);

/*
 * Opens the relation over whose rows the rules of a source run.  NULL when the
 * source is not tracked yet, or what it tracks is gone.
 */
extern Relation sla_open_source_relation(const char *source);

/*
 * For functions whose argument of that number is a row of a tracked table: the
 * table, by the argument's type.
 */
extern Oid	sla_row_relation(FmgrInfo *flinfo, int argument);

/* The source that a row of the relation is for; an error unless there is one. */
extern char *sla_source_of_relation(Oid relid);

/* An error unless the rules of the source run over rows of the relation. */
extern void sla_check_row_of_source(const char *source, Oid relid);

#endif							/* SLA_RULE_H */
