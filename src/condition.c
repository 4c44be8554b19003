/*
 * condition.c
 *		SQL expressions that users write over one row of a relation.
 *
 * How an expression is kept
 *
 * As its text, together with the search_path of the session that wrote it and
 * the name of the role that did.  Text alone would change its meaning with the
 * search_path of whoever touches a ticket.  With it, and with those settings
 * fixed that change what the parser reads, it means the same in every session
 * and after a dump and restore, also for IS DISTINCT FROM, NULLIF and simple
 * CASE on a type of an extension, whose operator a deparsed expression cannot
 * name.  The other carriers were weighed:
 *
 * - A node tree is not portable between major versions and holds OIDs; both
 *   are no things to dump.
 * - One SQL function, or one trigger with WHEN, per expression makes the
 *   server follow renamed columns.  But then it also refuses ALTER TYPE and
 *   DROP of every column that is used, and operators without a schema come
 *   back from a dump with another meaning, without an error.
 *
 * So nobody's DDL on the own tables is ever blocked; an expression that the
 * DDL broke is an error, which names it, when a row meets it.
 *
 * How it runs
 *
 * The compiled form is kept for the life of the backend: parsed, planned by
 * GetCachedExpression, which watches the functions and types that were used,
 * and made ready by ExecInitExpr.  The columns of the relation are not watched
 * there, so sla_rule_generation is compared too.  Per row nothing is allocated
 * but what the functions themselves need.
 *
 * Functions run as the owner, with the owner's search_path, as in a function
 * that is SECURITY DEFINER and has SET search_path; pg_temp comes last, so
 * that nobody can slip a temporary object under a name.  Where only built-in
 * functions are called that depend on neither, nothing is switched.
 *
 * An evaluation pushes a frame on error_context_stack, which names the
 * expression in an error.  The same stack tells whether a program that is
 * marked busy is being run further up, by a function that came back here, or
 * was left by an error, which has cut the stack.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "executor/execExpr.h"
#include "executor/executor.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/params.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "condition.h"

/* What an error context says of one expression. */
typedef struct Label
{
	const char *what;
	const char *name;
} Label;

/* Expressions that run together, because they need the same environment. */
typedef struct Segment
{
	bool		plain;			/* needs neither owner nor search_path */
	Oid			owner;
	const char *search_path;	/* with pg_temp in it */
	CachedExpression *planned;
} Segment;

typedef struct Machine Machine;

/*
 * Compiled text: one expression, or a list of conditions.  Lives in its own
 * memory context, so that it can outlive whoever asked for it while it runs.
 */
typedef struct Program
{
	MemoryContext cxt;
	MemoryContextCallback on_delete;
	uint64		generation;		/* read before compiling */
	int			nlabels;
	Label	   *labels;			/* of the expressions, in order */
	const bool *is_last;		/* lists only */
	int			nsegments;
	Segment    *segments;
	Machine    *machine;
	bool		busy;			/* being run, or left by an error */
} Program;

/* One run of a program, on the stack. */
typedef struct Frame
{
	ErrorContextCallback callback;
	Program    *program;
	int			current;		/* the expression that is being evaluated */
	int			nmatched;
	int		   *matched;
} Frame;

/* A program made ready to run; holds the state of one run at a time. */
struct Machine
{
	MemoryContext cxt;
	ExprContext *econtext;
	ExprState **states;			/* one for each segment */
	Frame	   *frame;			/* the run that is going on */
	struct Step *steps;			/* lists only, one for each condition */
};

/* What a list does where a condition has, or has not, held. */
typedef struct Step
{
	Machine    *machine;
	int			number;
	bool		is_last;
} Step;

struct SlaExpression
{
	Program    *program;
	Node	   *parsed;			/* in the program's context */
	Bitmapset  *columns;		/* there too */
	Oid			result_type;
	int16		typlen;
	bool		typbyval;
	MemoryContextCallback on_delete;
};

struct SlaConditionList
{
	Program    *program;
	MemoryContextCallback on_delete;
};

/* What a compilation tells the error callback. */
typedef struct CompileFrame
{
	ErrorContextCallback callback;
	Label		label;
	const char *text;
} CompileFrame;

/*
 * ---------------------------------------------------------------------------
 * Environment
 * ---------------------------------------------------------------------------
 */

/*
 * The search_path with pg_temp at its end, unless it has a place in it: left
 * out it would be searched first.
 */
static char *
path_with_temp(const char *search_path)
{
	char	   *names = pstrdup(search_path);
	List	   *elements;
	ListCell   *cell;

	if (!SplitIdentifierString(names, ',', &elements))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("search_path \"%s\" is not a list of schema names", search_path)));
	foreach(cell, elements)
	{
		if (strcmp((const char *) lfirst(cell), "pg_temp") == 0)
			return pstrdup(search_path);
	}
	if (elements == NIL)
		return pstrdup("pg_temp");
	return psprintf("%s, pg_temp", search_path);
}

static void
set_setting(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static inline void
enter(SlaEnvironment *saved, const char *search_path, Oid owner)
{
	GetUserIdAndSecContext(&saved->user, &saved->security_context);
	saved->guc_nest_level = 0;
	if (owner != saved->user)
		SetUserIdAndSecContext(owner, saved->security_context |
							   SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
	if (strcmp(search_path, namespace_search_path) != 0)
	{
		saved->guc_nest_level = NewGUCNestLevel();
		set_setting("search_path", search_path);
	}
}

/*
 * Becomes owner, with search_path.  Either may be the current one already; then
 * nothing is changed.
 */
void
sla_environment_enter(SlaEnvironment *saved, const char *search_path, Oid owner)
{
	char	   *path = path_with_temp(search_path);

	enter(saved, path, owner);
	pfree(path);
}

void
sla_environment_leave(const SlaEnvironment *saved)
{
	if (saved->guc_nest_level != 0)
		AtEOXact_GUC(false, saved->guc_nest_level);
	SetUserIdAndSecContext(saved->user, saved->security_context);
}

Oid
sla_expression_owner(const char *role, const char *what, const char *name)
{
	Oid			owner = get_role_oid(role, true);

	if (!OidIsValid(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role \"%s\" does not exist", role),
				 errdetail("It is the %s \"%s\".", what, name),
				 errhint("Update the column \"owner\".")));
	return owner;
}

/*
 * ---------------------------------------------------------------------------
 * Parsing
 * ---------------------------------------------------------------------------
 */

/*
 * Adds which expression it was, and turns a position in it, which the client
 * would look for in its own query, into one in an internal query.
 */
static void
compile_error_callback(void *arg)
{
	CompileFrame *frame = (CompileFrame *) arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(frame->text);
	}
	errcontext("%s \"%s\"", frame->label.what, frame->label.name);
}

static void
push_compile_frame(CompileFrame *frame, const char *text, const char *what,
				   const char *name)
{
	frame->label.what = what;
	frame->label.name = name;
	frame->text = text;
	frame->callback.callback = compile_error_callback;
	frame->callback.arg = frame;
	frame->callback.previous = error_context_stack;
	error_context_stack = &frame->callback;
}

/* What messages call an expression with that result. */
static const char *
noun(Oid result_type)
{
	return result_type == BOOLOID ? "condition" : "expression";
}

typedef struct FormContext
{
	ParseState *pstate;
	const char *noun;
} FormContext;

static bool
refuse_form_walker(Node *node, FormContext *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s must not contain a subquery", context->noun),
				 errhint("Use the columns of the row, or a function that is STABLE."),
				 parser_errposition(context->pstate, exprLocation(node))));
	if (IsA(node, ParamRef))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_PARAMETER),
				 errmsg("%s must not contain a parameter", context->noun),
				 parser_errposition(context->pstate, exprLocation(node))));
	return raw_expression_tree_walker(node, refuse_form_walker, context);
}

/*
 * Parses text into one raw expression, and refuses what a look at its form is
 * enough for.
 */
static Node *
parse_form(ParseState *pstate, const char *text, Oid result_type)
{
	List	   *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	FormContext context = {.pstate = pstate, .noun = noun(result_type)};
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
	ResTarget  *target;

	if (select->targetList == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s is empty", context.noun),
				 result_type == BOOLOID ?
				 errhint("A condition that always holds is: true") : 0));
	target = linitial_node(ResTarget, select->targetList);
	if (list_length(select->targetList) != 1 || target->name != NULL ||
		target->indirection != NIL || select->distinctClause != NIL ||
		select->intoClause != NULL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL ||
		select->havingClause != NULL || select->windowClause != NIL ||
		select->sortClause != NIL || select->limitOffset != NULL ||
		select->limitCount != NULL || select->lockingClause != NIL ||
		select->withClause != NULL || select->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s must be a single expression: %s", context.noun, text),
				 errhint("Write it as after CHECK or WHERE, without other clauses and without a name for the result.")));
	refuse_form_walker(target->val, &context);
	return target->val;
}

static bool
refuse_walker(Node *node, FormContext *context)
{
	const char *what = NULL;

	if (node == NULL)
		return false;
	if (IsA(node, Aggref) || IsA(node, GroupingFunc))
		what = "an aggregate function";
	else if (IsA(node, WindowFunc))
		what = "a window function";
	else if (IsA(node, SubLink))
		what = "a subquery";
	else if ((IsA(node, FuncExpr) && ((FuncExpr *) node)->funcretset) ||
			 (IsA(node, OpExpr) && ((OpExpr *) node)->opretset))
		what = "a set-returning function";
	else if (IsA(node, Var) && ((Var *) node)->varattno < 0)
		what = "a system column";
	if (what != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s must not contain %s", context->noun, what),
				 parser_errposition(context->pstate, exprLocation(node))));
	return expression_tree_walker(node, refuse_walker, context);
}

static bool
remember_volatile(Oid function, void *found)
{
	if (func_volatile(function) != PROVOLATILE_VOLATILE)
		return false;
	*(Oid *) found = function;
	return true;
}

static bool
refuse_volatile_walker(Node *node, FormContext *context)
{
	Oid			function = InvalidOid;

	if (node == NULL)
		return false;
	if (check_functions_in_node(node, remember_volatile, &function))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("%s must not call the volatile function %s", context->noun,
						format_procedure(function)),
				 errhint("A function that always gives the same answer within a statement can be declared STABLE."),
				 parser_errposition(context->pstate, exprLocation(node))));
	return expression_tree_walker(node, refuse_volatile_walker, context);
}

/*
 * Opens a relation that has rows of columns, for reading its definition.
 */
Relation
sla_open_row_relation(Oid relid)
{
	Relation	rel = relation_open(relid, AccessShareLock);

	switch (rel->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return rel;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_WRONG_OBJECT_TYPE),
					 errmsg("\"%s\" is not a table or view", RelationGetRelationName(rel))));
	}
	return NULL;				/* not reached */
}

/*
 * The name by which an expression may call the row's table: that of the
 * partitioned table for a partition, so that one text serves all of them.
 */
static char *
row_alias(Relation rel)
{
	if (rel->rd_rel->relispartition)
	{
		List	   *ancestors = get_partition_ancestors(RelationGetRelid(rel));

		if (ancestors != NIL)
		{
			char	   *name = get_rel_name(llast_oid(ancestors));

			if (name != NULL)
				return name;
		}
	}
	return pstrdup(RelationGetRelationName(rel));
}

/*
 * Parses and checks text over the columns of rel (as range table entry 1), in
 * the current memory context and under the current search_path.
 */
static Node *
parse(Relation rel, const char *text, Oid result_type)
{
	ParseState *pstate = make_parsestate(NULL);
	FormContext context = {.pstate = pstate, .noun = noun(result_type)};
	ParseNamespaceItem *item;
	Node	   *node;
	Oid			type;

	pstate->p_sourcetext = text;
	node = parse_form(pstate, text, result_type);
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										 makeAlias(row_alias(rel), NIL), false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	node = transformExpr(pstate, node, EXPR_KIND_OTHER);
	refuse_walker(node, &context);

	type = exprType(node);
	if (type != result_type)
	{
		Node	   *coerced = coerce_to_target_type(pstate, node, type, result_type, -1,
													COERCION_ASSIGNMENT,
													COERCE_IMPLICIT_CAST, -1);

		if (coerced == NULL && result_type == BOOLOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("condition must be boolean, not type %s", format_type_be(type)),
					 parser_errposition(pstate, exprLocation(node))));
		if (coerced == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("expression must be of type %s, not type %s",
							format_type_be(result_type), format_type_be(type)),
					 errhint("Write a cast into the expression."),
					 parser_errposition(pstate, exprLocation(node))));
		node = coerced;
	}
	assign_expr_collations(pstate, node);
	node = expand_generated_columns_compat(node, rel, 1);
	refuse_volatile_walker(node, &context);
	free_parsestate(pstate);
	return node;
}

/*
 * Runs under the settings that decide what a text says.  The two settings
 * would otherwise change the reading of '\' and of = NULL.
 */
static void
enter_to_compile(SlaEnvironment *saved, const char *search_path, Oid owner)
{
	enter(saved, search_path, owner);
	if (saved->guc_nest_level == 0)
		saved->guc_nest_level = NewGUCNestLevel();
	set_setting("standard_conforming_strings", "on");
	set_setting("transform_null_equals", "off");
}

void
sla_expression_check_form(const char *text, Oid result_type, const char *what,
						  const char *name)
{
	CompileFrame frame;
	SlaEnvironment saved;
	ParseState *pstate = make_parsestate(NULL);

	push_compile_frame(&frame, text, what, name);
	enter_to_compile(&saved, namespace_search_path, GetUserId());
	pstate->p_sourcetext = text;
	(void) parse_form(pstate, text, result_type);
	sla_environment_leave(&saved);
	error_context_stack = frame.callback.previous;
	free_parsestate(pstate);
}

/*
 * ---------------------------------------------------------------------------
 * Which expressions need their owner and search_path
 * ---------------------------------------------------------------------------
 */

static bool
is_date_time_type(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID ||
		type == TIMEOID || type == TIMETZOID;
}

/*
 * True for a function whose result could depend on the current user or on
 * search_path: all but built-in ones that are IMMUTABLE, or that are STABLE
 * only because of the time zone or of now().
 */
static bool
is_dependent_function(Oid function, void *context)
{
	HeapTuple	tuple;
	Form_pg_proc form;
	bool		dates;
	bool		others = false;

	if (function >= FirstGenbkiObjectId)
		return true;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return true;
	form = (Form_pg_proc) GETSTRUCT(tuple);
	if (form->provolatile == PROVOLATILE_IMMUTABLE)
	{
		ReleaseSysCache(tuple);
		return false;
	}
	dates = is_date_time_type(form->prorettype);
	for (int i = 0; i < form->pronargs; i++)
	{
		Oid			type = form->proargtypes.values[i];

		if (is_date_time_type(type))
			dates = true;
		else if (type != TEXTOID && type != INTERVALOID && type != INT4OID)
			others = true;
	}
	ReleaseSysCache(tuple);
	return !dates || others;
}

static bool
is_dependent_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_dependent_function, NULL))
		return true;
	switch (nodeTag(node))
	{
		case T_SQLValueFunction:
			switch (((SQLValueFunction *) node)->op)
			{
				case SVFOP_CURRENT_ROLE:
				case SVFOP_CURRENT_USER:
				case SVFOP_USER:
				case SVFOP_SESSION_USER:
				case SVFOP_CURRENT_CATALOG:
				case SVFOP_CURRENT_SCHEMA:
					return true;
				default:
					return false;
			}
		case T_CoerceToDomain:
		case T_NextValueExpr:
		case T_XmlExpr:
			return true;
		default:
			return expression_tree_walker(node, is_dependent_walker, context);
	}
}

/*
 * ---------------------------------------------------------------------------
 * Programs
 * ---------------------------------------------------------------------------
 */

static void
free_planned(void *arg)
{
	Program    *program = (Program *) arg;

	for (int i = 0; i < program->nsegments; i++)
	{
		if (program->segments[i].planned != NULL)
			FreeCachedExpression(program->segments[i].planned);
		program->segments[i].planned = NULL;
	}
}

/*
 * A program in a new context below the current one, so that an error while it
 * is being filled in leaves nothing behind; keep_program when it is complete.
 */
static Program *
new_program(int nlabels, int nsegments)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla expression",
											  ALLOCSET_SMALL_SIZES);
	Program    *program = MemoryContextAllocZero(cxt, sizeof(Program));

	program->cxt = cxt;
	program->generation = sla_rule_generation;
	program->nlabels = nlabels;
	program->labels = MemoryContextAllocZero(cxt, nlabels * sizeof(Label));
	program->segments = MemoryContextAllocZero(cxt, nsegments * sizeof(Segment));
	program->nsegments = nsegments;
	program->on_delete.func = free_planned;
	program->on_delete.arg = program;
	MemoryContextRegisterResetCallback(cxt, &program->on_delete);
	return program;
}

static void
keep_program(Program *program)
{
	static MemoryContext programs = NULL;

	if (programs == NULL)
		programs = AllocSetContextCreate(TopMemoryContext, "pg_sla expressions",
										 ALLOCSET_SMALL_SIZES);
	MemoryContextSetParent(program->cxt, programs);
}

static bool
program_valid(const Program *program)
{
	if (program->generation != sla_rule_generation)
		return false;
	for (int i = 0; i < program->nsegments; i++)
	{
		if (!program->segments[i].planned->is_valid)
			return false;
	}
	return true;
}

static void run_error_callback(void *arg);

/* Is a run of the program going on further up the stack? */
static bool
program_in_use(const Program *program)
{
	if (!program->busy)
		return false;
	for (ErrorContextCallback *callback = error_context_stack; callback != NULL;
		 callback = callback->previous)
	{
		if (callback->callback == run_error_callback &&
			((Frame *) callback->arg)->program == program)
			return true;
	}
	return false;
}

/*
 * The memory in which the program was asked for goes away.  A program that is
 * being run, by a function of which this happens, goes with the transaction.
 */
static void
release_program(void *arg)
{
	Program    *program = (Program *) arg;

	if (program_in_use(program))
		MemoryContextSetParent(program->cxt, TopTransactionContext);
	else
		MemoryContextDelete(program->cxt);
}

bool
sla_expression_running(void)
{
	for (ErrorContextCallback *callback = error_context_stack; callback != NULL;
		 callback = callback->previous)
	{
		if (callback->callback == run_error_callback)
			return true;
	}
	return false;
}

/*
 * A condition held: note it, and end the list if it is the last.
 */
static void
step_matched(ExprState *state, ExprEvalStep *op, ExprContext *econtext)
{
	const Step *step = (const Step *) op->d.cparam.paramarg;
	Frame	   *frame = step->machine->frame;

	frame->matched[frame->nmatched++] = step->number;
	frame->current = step->number + 1;
	*op->resvalue = BoolGetDatum(step->is_last);
	*op->resnull = false;
}

/* A condition did not hold: note that the next one is on, for errors. */
static void
step_passed(ExprState *state, ExprEvalStep *op, ExprContext *econtext)
{
	const Step *step = (const Step *) op->d.cparam.paramarg;

	step->machine->frame->current = step->number + 1;
	*op->resvalue = BoolGetDatum(false);
	*op->resnull = false;
}

/* The number of the parameter that stands for a step; see condition_branch. */
#define MATCHED_PARAM(number)	(2 * (number) + 1)
#define PASSED_PARAM(number)	(2 * (number) + 2)

static void
compile_step(ParamListInfo params, Param *param, ExprState *state, Datum *resv,
			 bool *resnull)
{
	Machine    *machine = (Machine *) params->paramCompileArg;
	int			number = (param->paramid - 1) / 2;
	ExprEvalStep scratch = {0};

	scratch.opcode = EEOP_PARAM_CALLBACK;
	scratch.resvalue = resv;
	scratch.resnull = resnull;
	scratch.d.cparam.paramfunc =
		param->paramid == MATCHED_PARAM(number) ? step_matched : step_passed;
	scratch.d.cparam.paramarg = &machine->steps[number];
	scratch.d.cparam.paramid = param->paramid;
	scratch.d.cparam.paramtype = param->paramtype;
	ExprEvalPushStep(state, &scratch);
}

static Node *
step_param(int paramid)
{
	Param	   *param = makeNode(Param);

	param->paramkind = PARAM_EXTERN;
	param->paramid = paramid;
	param->paramtype = BOOLOID;
	param->paramtypmod = -1;
	param->paramcollid = InvalidOid;
	param->location = -1;
	return (Node *) param;
}

/*
 * CASE WHEN condition THEN (note it; is it the last?) ELSE (note; false) END.
 * All conditions joined by OR are one expression, which costs little more than
 * the conditions themselves; each by itself would start the executor anew.
 */
static Node *
condition_branch(Node *condition, int number)
{
	CaseExpr   *branch = makeNode(CaseExpr);
	CaseWhen   *when = makeNode(CaseWhen);

	when->expr = (Expr *) condition;
	when->result = (Expr *) step_param(MATCHED_PARAM(number));
	when->location = -1;
	branch->casetype = BOOLOID;
	branch->args = list_make1(when);
	branch->defresult = (Expr *) step_param(PASSED_PARAM(number));
	branch->location = -1;
	return (Node *) branch;
}

/*
 * Makes the program ready to run, in a new context below parent.  Functions
 * are looked up here for good, and the owner's right to call them is checked.
 */
static Machine *
new_machine(Program *program, MemoryContext parent)
{
	MemoryContext cxt = AllocSetContextCreate(parent, "pg_sla expression state",
											  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(cxt);
	Machine    *machine = palloc0(sizeof(Machine));
	ParamListInfo params = NULL;

	machine->cxt = cxt;
	machine->econtext = CreateStandaloneExprContext();
	machine->states = palloc(program->nsegments * sizeof(ExprState *));
	if (program->is_last != NULL)
	{
		machine->steps = palloc(program->nlabels * sizeof(Step));
		for (int i = 0; i < program->nlabels; i++)
		{
			machine->steps[i].machine = machine;
			machine->steps[i].number = i;
			machine->steps[i].is_last = program->is_last[i];
		}
		params = makeParamList(0);
		params->paramCompile = compile_step;
		params->paramCompileArg = machine;
	}
	for (int i = 0; i < program->nsegments; i++)
	{
		Segment    *segment = &program->segments[i];
		SlaEnvironment saved;

		enter(&saved, segment->search_path, segment->owner);
		machine->states[i] = ExecInitExprWithParams((Expr *) segment->planned->expr, params);
		sla_environment_leave(&saved);
	}
	MemoryContextSwitchTo(old);
	return machine;
}

/* Plans the expression of a segment, in the segment's environment. */
static void
plan_segment(Segment *segment, Node *parsed)
{
	segment->planned = GetCachedExpression(parsed);
	/* As the planner does for queries: a long IN list becomes a hash table. */
	convert_saop_to_hashed_saop(segment->planned->expr);
}

/*
 * ---------------------------------------------------------------------------
 * Running
 * ---------------------------------------------------------------------------
 */

static void
run_error_callback(void *arg)
{
	const Frame *frame = (const Frame *) arg;
	const Label *label;

	/* Behind the last one only the end of the run is left. */
	if (frame->current >= frame->program->nlabels)
		return;
	label = &frame->program->labels[frame->current];
	errcontext("%s \"%s\"", label->what, label->name);
}

/*
 * Begins a run: gives a machine that is free.  That is the program's own,
 * unless a function that it called has come back here.
 */
static inline Machine *
begin_run(Program *program, Frame *frame)
{
	Machine    *machine = program->machine;

	frame->program = program;
	frame->current = 0;
	frame->nmatched = 0;
	if (unlikely(program->busy))
	{
		if (program_in_use(program))
			machine = new_machine(program, CurrentMemoryContext);
		else
		{
			/* An error left it, somewhere inside a function. */
			MemoryContext stale = machine->cxt;

			machine = new_machine(program, CurrentMemoryContext);
			MemoryContextSetParent(machine->cxt, program->cxt);
			program->machine = machine;
			MemoryContextDelete(stale);
		}
	}
	frame->callback.callback = run_error_callback;
	frame->callback.arg = frame;
	frame->callback.previous = error_context_stack;
	error_context_stack = &frame->callback;
	program->busy = true;
	machine->frame = frame;
	return machine;
}

static inline void
end_run(Program *program, Machine *machine, Frame *frame)
{
	machine->econtext->ecxt_scantuple = NULL;
	machine->frame = NULL;
	error_context_stack = frame->callback.previous;
	if (likely(machine == program->machine))
		program->busy = false;
	else
		MemoryContextDelete(machine->cxt);
}

Datum
sla_expression_eval(SlaExpression *expression, TupleTableSlot *slot, bool *isnull)
{
	Program    *program = expression->program;
	int16		typlen = expression->typlen;
	bool		typbyval = expression->typbyval;
	Segment    *segment = &program->segments[0];
	Frame		frame;
	Machine    *machine = begin_run(program, &frame);
	ExprContext *econtext = machine->econtext;
	SlaEnvironment saved;
	Datum		value;

	econtext->ecxt_scantuple = slot;
	if (segment->plain)
		value = ExecEvalExprSwitchContext(machine->states[0], econtext, isnull);
	else
	{
		enter(&saved, segment->search_path, segment->owner);
		value = ExecEvalExprSwitchContext(machine->states[0], econtext, isnull);
		sla_environment_leave(&saved);
	}
	if (!*isnull && !typbyval)
	{
		if (typlen == -1)
			value = PointerGetDatum(PG_DETOAST_DATUM_COPY(value));
		else
			value = datumCopy(value, typbyval, typlen);
	}
	ResetExprContext(econtext);
	end_run(program, machine, &frame);
	return value;
}

bool
sla_condition_holds(SlaExpression *condition, TupleTableSlot *slot)
{
	bool		isnull;
	Datum		value = sla_expression_eval(condition, slot, &isnull);

	return !isnull && DatumGetBool(value);
}

int
sla_condition_list_run(SlaConditionList *list, TupleTableSlot *slot, int *matched)
{
	Program    *program = list->program;
	Frame		frame;
	Machine    *machine;
	ExprContext *econtext;
	bool		ended = false;

	if (program->nlabels == 0)
		return 0;
	machine = begin_run(program, &frame);
	econtext = machine->econtext;
	frame.matched = matched;
	econtext->ecxt_scantuple = slot;
	for (int i = 0; i < program->nsegments && !ended; i++)
	{
		Segment    *segment = &program->segments[i];
		bool		isnull;

		if (segment->plain)
			ended = DatumGetBool(ExecEvalExprSwitchContext(machine->states[i], econtext,
														   &isnull));
		else
		{
			SlaEnvironment saved;

			enter(&saved, segment->search_path, segment->owner);
			ended = DatumGetBool(ExecEvalExprSwitchContext(machine->states[i], econtext,
														   &isnull));
			sla_environment_leave(&saved);
		}
	}
	ResetExprContext(econtext);
	end_run(program, machine, &frame);
	return frame.nmatched;
}

/*
 * ---------------------------------------------------------------------------
 * Compiling
 * ---------------------------------------------------------------------------
 */

SlaExpression *
sla_expression_compile(Relation rel, const char *text, const char *search_path,
					   Oid owner, Oid result_type, const char *what,
					   const char *name, MemoryContext cxt)
{
	CompileFrame frame;
	SlaEnvironment saved;
	Program    *program;
	Segment    *segment;
	Node	   *parsed;
	Bitmapset  *columns = NULL;
	SlaExpression *expression;
	MemoryContext scratch;
	MemoryContext old;

	sla_watch_relation(RelationGetRelid(rel));

	program = new_program(1, 1);
	old = MemoryContextSwitchTo(program->cxt);
	program->labels[0].what = pstrdup(what);
	program->labels[0].name = pstrdup(name);
	segment = &program->segments[0];
	segment->owner = OidIsValid(owner) ? owner : GetUserId();

	push_compile_frame(&frame, text, what, name);
	segment->search_path =
		path_with_temp(search_path != NULL ? search_path : namespace_search_path);
	enter_to_compile(&saved, segment->search_path, segment->owner);
	scratch = AllocSetContextCreate(program->cxt, "pg_sla parser", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	parsed = parse(rel, text, result_type);
	MemoryContextSwitchTo(program->cxt);
	parsed = copyObject(parsed);
	MemoryContextDelete(scratch);
	plan_segment(segment, parsed);
	/* Default values of arguments appear only now. */
	if (contain_volatile_functions(segment->planned->expr))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("%s must not call volatile functions", noun(result_type)),
				 errdetail("The default value of an argument does.")));
	segment->plain = !is_dependent_walker(segment->planned->expr, NULL);
	program->machine = new_machine(program, program->cxt);
	pull_varattnos(parsed, 1, &columns);
	sla_environment_leave(&saved);
	error_context_stack = frame.callback.previous;
	MemoryContextSwitchTo(old);

	expression = MemoryContextAllocZero(cxt, sizeof(SlaExpression));
	keep_program(program);
	expression->program = program;
	expression->parsed = parsed;
	expression->columns = columns;
	expression->result_type = result_type;
	get_typlenbyval(result_type, &expression->typlen, &expression->typbyval);
	expression->on_delete.func = release_program;
	expression->on_delete.arg = program;
	MemoryContextRegisterResetCallback(cxt, &expression->on_delete);
	return expression;
}

void
sla_expression_check(Relation rel, const char *text, const char *search_path,
					 Oid owner, Oid result_type, const char *what, const char *name)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check",
											  ALLOCSET_SMALL_SIZES);

	(void) sla_expression_compile(rel, text, search_path, owner, result_type, what,
								  name, cxt);
	MemoryContextDelete(cxt);
}

/*
 * A list of compiled conditions.  Neighbours that can run in one environment
 * become one expression; most conditions are plain and fit in anywhere.
 */
SlaConditionList *
sla_condition_list(SlaExpression **conditions, const bool *is_last, int n,
				   MemoryContext cxt)
{
	SlaConditionList *list;
	Program    *program = new_program(n, n);
	MemoryContext old = MemoryContextSwitchTo(program->cxt);
	bool	   *last = palloc(Max(n, 1) * sizeof(bool));
	int			next = 0;

	program->nsegments = 0;
	program->is_last = last;
	while (next < n)
	{
		Segment    *segment = &program->segments[program->nsegments++];
		List	   *branches = NIL;
		SlaEnvironment saved;

		for (; next < n; next++)
		{
			Program    *single = conditions[next]->program;
			Segment    *own = &single->segments[0];

			Assert(conditions[next]->result_type == BOOLOID);
			if (branches == NIL || (segment->plain && !own->plain))
			{
				segment->plain = own->plain;
				segment->owner = own->owner;
				segment->search_path = pstrdup(own->search_path);
			}
			else if (!own->plain &&
					 (own->owner != segment->owner ||
					  strcmp(own->search_path, segment->search_path) != 0))
				break;
			program->generation = Min(program->generation, single->generation);
			program->labels[next].what = pstrdup(single->labels[0].what);
			program->labels[next].name = pstrdup(single->labels[0].name);
			last[next] = is_last[next];
			branches = lappend(branches, condition_branch(conditions[next]->parsed, next));
		}
		enter(&saved, segment->search_path, segment->owner);
		plan_segment(segment, list_length(branches) == 1 ? linitial(branches)
					 : (Node *) makeBoolExpr(OR_EXPR, branches, -1));
		sla_environment_leave(&saved);
	}
	program->machine = new_machine(program, program->cxt);

	/* What became invalid since it was compiled was not watched all the time. */
	for (int i = 0; i < n; i++)
	{
		if (!program_valid(conditions[i]->program))
			program->generation = 0;
	}
	MemoryContextSwitchTo(old);

	list = MemoryContextAllocZero(cxt, sizeof(SlaConditionList));
	keep_program(program);
	list->program = program;
	list->on_delete.func = release_program;
	list->on_delete.arg = program;
	MemoryContextRegisterResetCallback(cxt, &list->on_delete);
	return list;
}

bool
sla_condition_list_valid(const SlaConditionList *list)
{
	return program_valid(list->program);
}

const Bitmapset *
sla_expression_columns(const SlaExpression *expression)
{
	return expression->columns;
}

bool
sla_expression_valid(const SlaExpression *expression)
{
	return program_valid(expression->program);
}

/*
 * sla.check_condition(relation regclass, condition text)
 *
 * An error unless the condition can be used in a rule or event over the rows
 * of the relation.
 */
SLA_FUNCTION(sla_check_condition);
Datum
sla_check_condition(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *condition = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Relation	rel = sla_open_row_relation(relid);

	sla_expression_check(rel, condition, NULL, InvalidOid, BOOLOID, "condition on",
						 RelationGetRelationName(rel));
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
