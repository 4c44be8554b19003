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

/* The rules of a source in the order in which they run, active or not. */
extern List *sla_read_rules(const char *source);

/*
 * Compiles a rule's condition, or a part of it, over rel.  Both are for those
 * who ask once; sla_rules_for is for those who ask for every ticket.
 */
extern SlaExpression *sla_compile_rule(const SlaRule *rule, const char *condition,
									   Relation rel, MemoryContext cxt);

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
 * Runs the rules in order over the row in slot: those for new tickets or those
 * for changed ones.  The choice and its strings are the caller's, in the
 * current memory context.
 */
extern void sla_choose_levels(SlaRuleSet *rules, TupleTableSlot *slot,
							  bool is_new, SlaChoice *choice);

/*
 * Do rules set a level for new tickets only?  Then a changed ticket for which
 * no rule sets a level keeps the one it has.
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
