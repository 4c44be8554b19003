/*
 * overdue.c
 *		Is a deadline past?  And how an index on the start answers that.
 *
 * sla.overdue(cal, started_at, goal, as_of) is nothing but
 *
 *		sla.add_business_time(cal, started_at, goal) < as_of
 *
 * which has to be worked out for every row of a table.  But a later start never
 * has an earlier deadline (days and changes of the clock apart, for which there
 * is a margin), so all that can be overdue has started before one instant, and
 * that depends on the other arguments only.  Where they are the same for the
 * whole scan, the support function tells the planner of the condition
 *
 *		started_at < sla.overdue_before(cal, goal, as_of)
 *
 * which any index can use that knows the operator: btree, BRIN.  The bound is
 * worked out when the scan begins, so now() and the names of calendars will do.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/optimizer.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"

#include "business_time.h"

SLA_FUNCTION(sla_overdue_support);

/* The arguments of sla.overdue. */
enum
{
	ARGUMENT_CAL,
	ARGUMENT_STARTED_AT,
	ARGUMENT_GOAL,
	ARGUMENT_AS_OF,
	N_ARGUMENTS
};

/*
 * sla.overdue(cal, started_at timestamptz, goal interval, as_of timestamptz) RETURNS boolean
 *
 * At the deadline itself it is not.  A deadline of infinity is never past.
 */
static inline Datum
overdue(FunctionCallInfo fcinfo, sla_cached *cal)
{
	PG_RETURN_BOOL(sla_business_time_after(cal, PG_GETARG_TIMESTAMPTZ(ARGUMENT_STARTED_AT),
										   PG_GETARG_INTERVAL_P(ARGUMENT_GOAL)) <
				   PG_GETARG_TIMESTAMPTZ(ARGUMENT_AS_OF));
}

SLA_QUESTION(overdue);

/*
 * sla.overdue_before(cal, goal interval, as_of timestamptz) RETURNS timestamptz
 *
 * What is overdue has started before it, and when the goal has no days, what
 * has started before it is overdue.  infinity when any start may be.
 */
static inline Datum
overdue_before(FunctionCallInfo fcinfo, sla_cached *cal)
{
	const Interval *goal = PG_GETARG_INTERVAL_P(1);

	if (unlikely(goal->month != 0))
		sla_refuse_amount(goal);
	PG_RETURN_TIMESTAMPTZ(sla_starts_before(cal->timeline, goal->day, goal->time,
											PG_GETARG_TIMESTAMPTZ(2)));
}

SLA_QUESTION(overdue_before);

/*
 * The function that gives the bound for one of ours; InvalidOid when it is not
 * there.  Looked up without asking for privileges: these are checked when the
 * plan is run.
 */
static Oid
bound_function(Oid overdue_function)
{
	Oid		   *types;
	int			ntypes;
	Oid			bound_types[3];

	(void) get_func_signature(overdue_function, &types, &ntypes);
	if (ntypes != N_ARGUMENTS)
		return InvalidOid;
	bound_types[0] = types[ARGUMENT_CAL];
	bound_types[1] = INTERVALOID;
	bound_types[2] = TIMESTAMPTZOID;
	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid,
						   CStringGetDatum("overdue_before"),
						   PointerGetDatum(buildoidvector(bound_types, 3)),
						   ObjectIdGetDatum(get_func_namespace(overdue_function)));
}

/* started_at < sla.overdue_before(cal, goal, as_of); NULL when that cannot be. */
static Expr *
bound_clause(Oid overdue_function, List *arguments, Oid collation)
{
	Oid			before = lookup_type_cache(TIMESTAMPTZOID, TYPECACHE_LT_OPR)->lt_opr;
	Oid			function = bound_function(overdue_function);
	List	   *bound_arguments;

	if (!OidIsValid(before) || !OidIsValid(function) || list_length(arguments) != N_ARGUMENTS)
		return NULL;
	bound_arguments = list_make3(copyObject(list_nth(arguments, ARGUMENT_CAL)),
								 copyObject(list_nth(arguments, ARGUMENT_GOAL)),
								 copyObject(list_nth(arguments, ARGUMENT_AS_OF)));
	return make_opclause(before, BOOLOID, false,
						 copyObject(list_nth(arguments, ARGUMENT_STARTED_AT)),
						 (Expr *) makeFuncExpr(function, TIMESTAMPTZOID, bound_arguments,
											   InvalidOid, collation, COERCE_EXPLICIT_CALL),
						 InvalidOid, InvalidOid);
}

/* With hours alone the bound says the same as the question. */
static bool
bound_is_exact(Node *goal)
{
	const Interval *interval;

	if (!IsA(goal, Const) || ((Const *) goal)->constisnull)
		return false;
	interval = DatumGetIntervalP(((Const *) goal)->constvalue);
	return interval->month == 0 && interval->day == 0;
}

static List *
index_condition(SupportRequestIndexCondition *request)
{
	FuncExpr   *call = (FuncExpr *) request->node;
	Expr	   *clause;

	if (!IsA(call, FuncExpr) || request->indexarg != ARGUMENT_STARTED_AT)
		return NIL;
	clause = bound_clause(request->funcid, call->args, call->inputcollid);
	if (clause == NULL ||
		!op_in_opfamily(((OpExpr *) clause)->opno, request->opfamily) ||
		!is_pseudo_constant_for_index(request->root, get_rightop(clause), request->index))
		return NIL;
	request->lossy = !bound_is_exact(list_nth(call->args, ARGUMENT_GOAL));
	return list_make1(clause);
}

/* As many rows as the bound lets through. */
static bool
estimate(SupportRequestSelectivity *request)
{
	Expr	   *clause = bound_clause(request->funcid, request->args, request->inputcollid);

	if (clause == NULL)
		return false;
	request->selectivity = clause_selectivity(request->root, (Node *) clause,
											  request->varRelid, request->jointype,
											  request->sjinfo);
	return true;
}

/*
 * sla.overdue_support(internal) RETURNS internal
 */
Datum
sla_overdue_support(PG_FUNCTION_ARGS)
{
	Node	   *request = (Node *) PG_GETARG_POINTER(0);
	Node	   *answer = NULL;

	if (IsA(request, SupportRequestIndexCondition))
		answer = (Node *) index_condition((SupportRequestIndexCondition *) request);
	else if (IsA(request, SupportRequestSelectivity) &&
			 estimate((SupportRequestSelectivity *) request))
		answer = request;
	PG_RETURN_POINTER(answer);
}
