/*
 * condition.h
 *		SQL expressions that users write over one row of a relation.
 *
 * Conditions of rules, targets and events, and the expressions that give a
 * ticket's department, agent, times and key.  An expression is kept as text,
 * with the search_path under which its names are looked up, the time zone in
 * which its times are and the role whose functions it calls; see condition.c
 * for why.
 *
 * A compiled expression lives as long as the memory context it was compiled
 * for, and stays good until sla_expression_valid says otherwise; then compile
 * it again.  It may be deleted while it is being evaluated: what that
 * evaluation still needs is kept until the evaluation is over.
 */
#ifndef SLA_CONDITION_H
#define SLA_CONDITION_H

#include "pg_sla.h"

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "utils/jsonb.h"

typedef struct SlaExpression SlaExpression;

/*
 * Checks only the form: one expression, no subquery, no parameter.  Looks up
 * no name, so it can be used where the relation is not known yet, or not yet
 * restored.  what and name, here and below, are for the error context:
 * 'condition of rule' and 'urgent' give: condition of rule "urgent".
 */
extern void sla_expression_check_form(const char *text, Oid result_type,
									  const char *what, const char *name);

/*
 * Does an expression know the row as it was before a change, by the name old?
 * If not, why not: for the error that it is who writes old.column.
 */
typedef enum SlaFormerRow
{
	SLA_FORMER_UNKNOWN,
	SLA_FORMER_OF_EVENT,		/* an event looks for the change itself */
	SLA_FORMER_OF_FACTS,		/* former facts are nowhere */
	SLA_FORMER_KNOWN
} SlaFormerRow;

/* Where, as whom and with what in sight an expression was written. */
typedef struct SlaWriter
{
	SlaFormerRow former;
	const char *search_path;	/* NULL: the current one */
	const char *time_zone;		/* NULL: that of the session */
	Oid			owner;			/* InvalidOid: the current user, whose rights to
								 * read the row are known */
} SlaWriter;

/*
 * Compiles text over the columns of rel, which the caller has locked.  The
 * result is coerced to result_type as an assignment would do it.  A wrong
 * expression is an error that tells the place in the text.
 */
extern SlaExpression *sla_expression_compile(Relation rel, const char *text,
											 const SlaWriter *writer,
											 Oid result_type, const char *what,
											 const char *name, MemoryContext cxt);

/* Can text be compiled?  An error if not. */
extern void sla_expression_check(Relation rel, const char *text,
								 const SlaWriter *writer, Oid result_type,
								 const char *what, const char *name);

/* Opens a table or view of that OID, locked for reading its definition. */
extern Relation sla_open_row_relation(Oid relid);

/*
 * The value for the row in slot, any kind of slot of the row type of the
 * relation that was given to sla_expression_compile.  There is no former row
 * then.  A value passed by reference is the caller's, in the current memory
 * context.
 *
 * Functions see the active snapshot: a trigger that wants them to see the rows
 * of its own statement pushes one that does.
 */
extern Datum sla_expression_eval(SlaExpression *expression, TupleTableSlot *slot,
								 bool *isnull);

/* A condition that is NULL does not hold. */
extern bool sla_condition_holds(SlaExpression *condition, TupleTableSlot *slot);

/*
 * The columns that are read, of the row or of the former one, offset by
 * FirstLowInvalidHeapAttributeNumber; the whole row counts as column 0.
 */
extern const Bitmapset *sla_expression_columns(const SlaExpression *expression);

/* Those that are read of the former row; and is there any word of that row? */
extern const Bitmapset *sla_expression_former_columns(const SlaExpression *expression);
extern bool sla_expression_knows_former(const SlaExpression *expression);

/* Only a table can be that of the tickets, and not just facts. */
extern SlaFormerRow sla_former_of_relation(Relation rel);

/*
 * Can conditions over rows of rel speak of the former one?  An error with a hint
 * if not: old is a column of rel, or rel itself.
 */
extern void sla_need_former_row(Relation rel);

/* False once the relation, or a function or type that was used, has changed. */
extern bool sla_expression_valid(const SlaExpression *expression);

/* Is any expression being evaluated, by a caller of the caller? */
extern bool sla_expression_running(void);

/*
 * Who wrote an expression, and where its names are looked up.  Evaluation
 * enters and leaves this by itself, where it matters to the functions called;
 * around many evaluations for the same writer, or around other work for one, a
 * caller may do it.  Not left after an error: the end of the (sub)transaction restores
 * the caller's.
 */
typedef struct SlaEnvironment
{
	Oid			user;
	int			security_context;
	int			guc_nest_level; /* 0: nothing was changed */
} SlaEnvironment;

extern void sla_environment_enter(SlaEnvironment *saved, const SlaWriter *writer);
extern void sla_environment_leave(const SlaEnvironment *saved);

/* The time zone of the session, by a name that can be set again. */
extern const char *sla_session_time_zone(void);

/*
 * The role that an owner column names; an error with a hint if there is none.
 * what and name for its detail: 'owner of rule' and 'urgent'.
 */
extern Oid	sla_expression_owner(const char *role, const char *what, const char *name);

/*
 * Conditions that are tried in order, as one program.  A list takes what it
 * needs from the conditions, which need not outlive it; all are of one
 * relation.  They come in groups, numbered from 0 and in this order.
 */
typedef struct SlaConditionList SlaConditionList;

extern SlaConditionList *sla_condition_list(SlaExpression **conditions,
											const int *groups, int n,
											int ngroups, MemoryContext cxt);

/*
 * The number of the first condition in these groups that holds for the row, -1
 * if none does.  Conditions behind it are not evaluated.  former: the row before
 * the change, NULL where there is none; of the row type of slot.
 */
extern int	sla_first_condition(SlaConditionList *list, TupleTableSlot *slot,
								TupleTableSlot *former, int first_group, int last_group);
extern bool sla_condition_list_valid(const SlaConditionList *list);

/*
 * structured_condition.c: the SQL condition over rows of rel that a structured
 * one stands for.
 */
extern char *sla_condition_of_json(Relation rel, SlaFormerRow former, Jsonb *json);

#endif							/* SLA_CONDITION_H */
