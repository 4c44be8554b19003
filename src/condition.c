/*
 * condition.c
 *		SQL expressions that users write over one row of a relation.
 *
 * How an expression is kept
 *
 * As its text, together with the search_path and the time zone of the session
 * that wrote it and the name of the role that did.  Text alone would change its
 * meaning with the settings of whoever touches a ticket.  With these, and with
 * those fixed that change what the parser reads, it means the same in every session
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
 * Dates in the text are read as ISO 8601 has them, year first: 02/03/2026 would
 * be another day elsewhere, and is an error; so is 'today', which would be
 * another day with each session that reads it.  What a function that is called
 * makes of DateStyle is its own affair.
 *
 * How it runs
 *
 * The compiled form is kept for the life of the backend: parsed, planned by
 * GetCachedExpression, which watches the functions and types that were used,
 * and made ready by ExecInitExpr.  The columns of the relation are not watched
 * there, so sla_rule_generation is compared too.  Per row nothing is allocated
 * but what the functions themselves need.
 *
 * Functions run as the owner, under that search_path and in that time zone, as
 * in a function that is SECURITY DEFINER and has SET search_path; pg_temp comes
 * last, so that nobody can slip a temporary object under a name.  They must
 * belong to roles with the rights of the owner, so that nobody gains these by
 * replacing one, or by making one that the text then means; and the owner must
 * have the right to read what the text reads.  Where only
 * built-in functions are called that depend on none of these, nothing is
 * switched, and the time zone only where it is another.
 *
 * The former row
 *
 * A condition of a rule may name the row as it was before the change that the
 * rule runs for: old.column.  It is a second range table entry of the parser
 * and the inner tuple of the executor, all NULL where there is none.  Whether
 * there is one no column can tell, as any may be NULL; old IS DISTINCT FROM
 * NULL, which a whole row passes whatever is in it, can.  That is the one use
 * of old without a column; it is compiled to a parameter.
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
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_node.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "pgtime.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/rel.h"
#include "utils/regproc.h"
#include "utils/rls.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

#include "condition.h"

/* What an error context says of one expression. */
typedef struct Label
{
	const char *what;
	const char *name;
} Label;

/* What the value of an expression can depend on, besides the row. */
typedef enum Needs
{
	NEEDS_NOTHING,
	NEEDS_ZONE,					/* the time zone */
	NEEDS_ALL					/* owner, search_path and time zone */
} Needs;

/*
 * What runs at once: one expression, or neighbours in a list that can do with
 * the same environment.
 */
typedef struct Segment
{
	int			first;			/* number of the first expression in it */
	Needs		needs;
	Oid			owner;
	const char *search_path;	/* with pg_temp in it */
	const char *time_zone;		/* NULL: the session's */
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
	bool		is_list;
	TupleDesc	former_desc;	/* of the former row; NULL: not looked at */
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
} Frame;

/* A program made ready to run; holds the state of one run at a time. */
struct Machine
{
	MemoryContext cxt;
	ExprContext *econtext;
	ExprState **states;			/* one for each segment */
	Frame	   *frame;			/* the run that is going on */
	struct Marker *markers;		/* lists only, one for each condition */
	TupleTableSlot *no_former;	/* all NULL; NULL if nobody looks at the former row */
};

/* Notes that a condition of a list is to be evaluated now. */
typedef struct Marker
{
	Machine    *machine;
	int			number;
} Marker;

struct SlaExpression
{
	Program    *program;
	Node	   *parsed;			/* in the program's context */
	Bitmapset  *columns;		/* there too, as the next */
	Bitmapset  *former_columns;
	Oid			result_type;
	int16		typlen;
	bool		typbyval;
	bool		can_fail;		/* for some rows, in a function that it calls */
	MemoryContextCallback on_delete;
};

struct SlaConditionList
{
	Program    *program;
	int			ngroups;
	int		   *group_start;	/* the first segment of each group, and the end */
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
begin_settings(SlaEnvironment *saved)
{
	if (saved->guc_nest_level == 0)
		saved->guc_nest_level = NewGUCNestLevel();
}

static inline void
enter(SlaEnvironment *saved, const char *search_path, Oid owner)
{
	GetUserIdAndSecContext(&saved->user, &saved->security_context);
	saved->guc_nest_level = 0;
	if (owner != saved->user)
	{
		SetUserIdAndSecContext(owner, saved->security_context |
							   SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_RESTRICTED_OPERATION);
		/* Whatever a function of the owner's sets ends with it. */
		begin_settings(saved);
	}
	if (strcmp(search_path, namespace_search_path) != 0)
	{
		begin_settings(saved);
		set_setting("search_path", search_path);
	}
}

const char *
sla_session_time_zone(void)
{
	return pg_get_timezone_name(session_timezone);
}

static inline void
enter_zone(SlaEnvironment *saved, const char *time_zone)
{
	if (time_zone == NULL || strcmp(time_zone, sla_session_time_zone()) == 0)
		return;
	begin_settings(saved);
	set_setting("TimeZone", time_zone);
}

/* What a segment needs. */
static inline void
enter_segment(SlaEnvironment *saved, const Segment *segment)
{
	if (segment->needs == NEEDS_ALL)
		enter(saved, segment->search_path, segment->owner);
	else
	{
		GetUserIdAndSecContext(&saved->user, &saved->security_context);
		saved->guc_nest_level = 0;
	}
	enter_zone(saved, segment->time_zone);
}

void
sla_environment_enter(SlaEnvironment *saved, const SlaWriter *writer)
{
	char	   *path = path_with_temp(writer->search_path != NULL ? writer->search_path :
									  namespace_search_path);

	enter(saved, path, OidIsValid(writer->owner) ? writer->owner : GetUserId());
	enter_zone(saved, writer->time_zone);
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

/* The range table entries of an expression. */
#define ROW_VARNO 1
#define FORMER_ROW_VARNO 2

#define FORMER_ROW_NAME "old"

/* The parameter that says whether there is a former row; others are markers. */
#define HAS_FORMER_PARAM 0

typedef struct FormContext
{
	ParseState *pstate;
	const char *noun;
	List	   *clock_words;	/* string constants that could mean the present */
	bool		says_old;		/* something is called old */
} FormContext;

/* Does a string have a word in it that date and time types read as the present? */
static bool
has_clock_word(const char *string)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday"};

	while (*string != '\0')
	{
		size_t		length = strspn(string, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

		for (int i = 0; i < (int) lengthof(words); i++)
		{
			if (length == strlen(words[i]) && pg_strncasecmp(string, words[i], length) == 0)
				return true;
		}
		string += Max(length, 1);
	}
	return false;
}

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
	if (IsA(node, ColumnRef))
	{
		Node	   *first = linitial(((ColumnRef *) node)->fields);

		if (IsA(first, String) && strcmp(strVal(first), FORMER_ROW_NAME) == 0)
			context->says_old = true;
		return false;
	}
	if (IsA(node, A_Const))
	{
		A_Const    *constant = (A_Const *) node;

		if (nodeTag(&constant->val) == T_String && has_clock_word(strVal(&constant->val)))
			context->clock_words = lappend(context->clock_words, constant);
		return false;
	}
	return raw_expression_tree_walker(node, refuse_form_walker, context);
}

/*
 * Parses text into one raw expression, and refuses what a look at its form is
 * enough for.  What there is to know of the form is in *context then.
 */
static Node *
parse_form(ParseState *pstate, const char *text, Oid result_type, FormContext *context)
{
	List	   *statements = raw_parser(text, RAW_PARSE_PLPGSQL_EXPR);
	SelectStmt *select = castNode(SelectStmt, linitial_node(RawStmt, statements)->stmt);
	ResTarget  *target;

	if (select->targetList == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s is empty", context->noun),
				 result_type == BOOLOID ?
				 errhint("A condition that always holds is: true") : 0));
	target = linitial_node(ResTarget, select->targetList);
	/* A star alone is no expression, and transformExpr would trip over it. */
	if ((IsA(target->val, ColumnRef) &&
		 IsA(llast(((ColumnRef *) target->val)->fields), A_Star)) ||
		list_length(select->targetList) != 1 || target->name != NULL ||
		target->indirection != NIL || select->distinctClause != NIL ||
		select->intoClause != NULL || select->fromClause != NIL ||
		select->whereClause != NULL || select->groupClause != NIL ||
		select->havingClause != NULL || select->windowClause != NIL ||
		select->sortClause != NIL || select->limitOffset != NULL ||
		select->limitCount != NULL || select->lockingClause != NIL ||
		select->withClause != NULL || select->op != SETOP_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("%s must be a single expression: %s", context->noun, text),
				 errhint("Write it as after CHECK or WHERE, without other clauses and without a name for the result.")));
	refuse_form_walker(target->val, context);
	return target->val;
}

static bool
is_date_time_type(Oid type)
{
	return type == TIMESTAMPTZOID || type == TIMESTAMPOID || type == DATEOID ||
		type == TIMEOID || type == TIMETZOID;
}

/* A date or time, or an array, a range or a multirange of them. */
static bool
holds_date_time(Oid type)
{
	Oid			element = get_base_element_type(type);
	Oid			range = OidIsValid(get_multirange_range(type)) ? get_multirange_range(type) : type;

	if (OidIsValid(element))
		return holds_date_time(element);
	if (OidIsValid(get_range_subtype(range)))
		return holds_date_time(get_range_subtype(range));
	return is_date_time_type(getBaseType(type));
}

/*
 * Refuses 'today' and the like: what they mean is fixed when the text is read,
 * which each session does at another time, and a restored one at yet another.
 */
static void
refuse_clock_word(const Const *node, const FormContext *context)
{
	ListCell   *cell;

	foreach(cell, context->clock_words)
	{
		A_Const    *constant = (A_Const *) lfirst(cell);

		if (constant->location == node->location && holds_date_time(node->consttype))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("%s must not contain '%s' as a date or time", context->noun,
							strVal(&constant->val)),
					 errdetail("It would be the moment at which a session first reads the %s.",
							   context->noun),
					 errhint("Write now(), current_date, current_date - 1 or the like."),
					 parser_errposition(context->pstate, node->location)));
	}
}

static bool
is_whole_former_row(const Node *node)
{
	return node != NULL && IsA(node, Var) && ((const Var *) node)->varno == FORMER_ROW_VARNO &&
		((const Var *) node)->varattno == InvalidAttrNumber;
}

/* Puts the parameter where the text asks whether there is a former row. */
static Node *
has_former_mutator(Node *node, void *context)
{
	if (node == NULL)
		return NULL;
	/* That it is of one value, and not of a row, says that DISTINCT was written. */
	if (IsA(node, NullTest) && !((NullTest *) node)->argisrow &&
		is_whole_former_row((Node *) ((NullTest *) node)->arg))
	{
		Param	   *param = makeNode(Param);

		param->paramkind = PARAM_EXTERN;
		param->paramid = HAS_FORMER_PARAM;
		param->paramtype = BOOLOID;
		param->paramtypmod = -1;
		param->paramcollid = InvalidOid;
		param->location = ((NullTest *) node)->location;
		if (((NullTest *) node)->nulltesttype == IS_NULL)
			return (Node *) makeBoolExpr(NOT_EXPR, list_make1(param), param->location);
		return (Node *) param;
	}
	return expression_tree_mutator(node, has_former_mutator, context);
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
	else if (IsA(node, Const) && context->clock_words != NIL)
		refuse_clock_word((Const *) node, context);
	else if (is_whole_former_row(node))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s must not use the former row as a whole", context->noun),
				 errhint("Name its columns: old.column. Whether there was a row before is told by: old IS DISTINCT FROM NULL."),
				 parser_errposition(context->pstate, exprLocation(node))));
	if (what != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("%s must not contain %s", context->noun, what),
				 parser_errposition(context->pstate, exprLocation(node))));
	return expression_tree_walker(node, refuse_walker, context);
}

/* A role, and a function or a type of another one that must not be run as it. */
typedef struct Trust
{
	Oid			role;
	Oid			function;
	Oid			type;
	Oid			other;			/* whose it is */
} Trust;

/*
 * Who can replace a function has the rights of every role as which it runs.  So
 * it must belong to one that has them anyway, or run as its own owner.
 */
static bool
is_function_of_other(Oid function, void *context)
{
	Trust	   *trust = (Trust *) context;
	HeapTuple	tuple;
	Form_pg_proc form;

	if (function < FirstGenbkiObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	form = (Form_pg_proc) GETSTRUCT(tuple);
	/* Default values of arguments are not run as the function's owner. */
	if (!has_privs_of_role(form->proowner, trust->role) &&
		!(form->prosecdef && form->pronargdefaults == 0))
	{
		trust->function = function;
		trust->other = form->proowner;
	}
	ReleaseSysCache(tuple);
	return OidIsValid(trust->function);
}

/* The same for a domain, whose checks can call anything. */
static bool
is_domain_of_other(Oid type, Trust *trust)
{
	while (get_typtype(type) == TYPTYPE_DOMAIN)
	{
		HeapTuple	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
		Form_pg_type form;

		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for type %u", type);
		form = (Form_pg_type) GETSTRUCT(tuple);
		if (type >= FirstGenbkiObjectId && !has_privs_of_role(form->typowner, trust->role))
		{
			trust->type = type;
			trust->other = form->typowner;
		}
		type = form->typbasetype;
		ReleaseSysCache(tuple);
		if (OidIsValid(trust->type))
			return true;
	}
	return false;
}

static bool
find_other_walker(Node *node, Trust *trust)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_function_of_other, trust))
		return true;
	if (IsA(node, CoerceToDomain) &&
		is_domain_of_other(((CoerceToDomain *) node)->resulttype, trust))
		return true;
	return expression_tree_walker(node, find_other_walker, trust);
}

/* Refuses to run what belongs to others as owner. */
static void
check_trust(Node *node, Oid owner, const char *noun)
{
	Trust		trust = {.role = owner};

	if (!find_other_walker(node, &trust))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s must not use %s %s with the rights of role \"%s\"", noun,
					OidIsValid(trust.function) ? "function" : "domain",
					OidIsValid(trust.function) ? format_procedure(trust.function) :
					format_type_be(trust.type),
					GetUserNameFromId(owner, false)),
			 errdetail("It belongs to role \"%s\", which does not have these rights but can replace it.",
					   GetUserNameFromId(trust.other, false)),
			 errhint("Have that role write the %s, or make it the owner.", noun)));
}

/* May the role read these columns of the relation, and in all rows? */
static bool
may_read(Oid relid, const List *columns, Oid role)
{
	const ListCell *cell;

	if (check_enable_rls(relid, role, true) == RLS_ENABLED)
		return false;
	if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK)
		return true;
	foreach(cell, columns)
	{
		AttrNumber	column = get_attnum(relid, (const char *) lfirst(cell));

		if (column == InvalidAttrNumber ||
			pg_attribute_aclcheck(relid, column, role, ACL_SELECT) != ACLCHECK_OK)
			return false;
	}
	return true;
}

/*
 * Refuses to read for owner what owner may not read.  A partition may be read by
 * who may read the partitioned table, as in a query; a view that asks for the
 * rights of its reader only by who has those of its owner, who is the reader.
 */
static void
check_reading(Relation rel, Node *node, Oid owner, const char *noun)
{
	Bitmapset  *read = NULL;
	List	   *columns = NIL;
	List	   *relids = list_make1_oid(RelationGetRelid(rel));
	TupleDesc	tupdesc = RelationGetDescr(rel);
	ListCell   *cell;
	bool		whole_row;

	pull_varattnos(node, ROW_VARNO, &read);
	pull_varattnos(node, FORMER_ROW_VARNO, &read);
	if (bms_is_empty(read) || superuser_arg(owner))
		return;
	whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, read);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (!attribute->attisdropped &&
			(whole_row || bms_is_member(attribute->attnum - FirstLowInvalidHeapAttributeNumber, read)))
			columns = lappend(columns, NameStr(attribute->attname));
	}
	if (rel->rd_rel->relispartition)
		relids = list_concat(relids, get_partition_ancestors(RelationGetRelid(rel)));
	foreach(cell, relids)
	{
		if (may_read(lfirst_oid(cell), columns, owner) &&
			(rel->rd_rel->relkind != RELKIND_VIEW || !RelationHasSecurityInvoker(rel) ||
			 has_privs_of_role(owner, rel->rd_rel->relowner)))
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s must not read \"%s\" with the rights of role \"%s\"", noun,
					RelationGetRelationName(rel), GetUserNameFromId(owner, false)),
			 errdetail("The role may not read all of its rows, in the columns that the %s uses.", noun)));
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
				 errhint("It must give the same answer however often it is asked; a function that does can be declared STABLE."),
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

SlaFormerRow
sla_former_of_relation(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION ||
		rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE ? SLA_FORMER_KNOWN : SLA_FORMER_OF_FACTS;
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

#define MAX_COLUMNS_NAMED 30

/* As far as that the server thinks of a slip, and suggests the column. */
#define SLIP_DISTANCE 3

static bool
is_slip(const char *name, const char *column)
{
	int			distance =
		varstr_levenshtein_less_equal(name, strlen(name), column, strlen(column),
									  1, 1, 1, SLIP_DISTANCE + 1, true);

	return distance <= SLIP_DISTANCE && distance <= strlen(name) / 2;
}

/* What the parser looks names up in. */
typedef struct Scope
{
	Relation	rel;
	SlaFormerRow former;
} Scope;

/* Has old another meaning over rows of rel? */
static bool
old_is_column(Relation rel)
{
	return get_attnum(RelationGetRelid(rel), FORMER_ROW_NAME) != InvalidAttrNumber;
}

static bool
old_is_row(Relation rel)
{
	return strcmp(row_alias(rel), FORMER_ROW_NAME) == 0;
}

void
sla_need_former_row(Relation rel)
{
	if (old_is_row(rel))
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_ALIAS),
				 errmsg("a condition over \"old\" cannot name the row as it was before a change"),
				 errdetail("By \"old\" it names the row as it is."),
				 errhint("Give the table another name.")));
	if (old_is_column(rel))
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("a condition over \"%s\" cannot name the row as it was before a change",
						RelationGetRelationName(rel)),
				 errdetail("By \"old\" it names a column."),
				 errhint("Give the column another name.")));
}

/* The text names old.column, of which nothing was found. */
static void
refuse_former_row(ParseState *pstate, const Scope *scope, int location)
{
	const char *hint = "Only conditions of rules know it.";

	if (scope->former == SLA_FORMER_KNOWN)
	{
		if (!old_is_column(scope->rel))
			return;				/* the server says which column there is not */
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_COLUMN),
				 errmsg("a condition over \"%s\" cannot name the row as it was before a change",
						RelationGetRelationName(scope->rel)),
				 errdetail("By \"old\" it names a column."),
				 errhint("Give the column another name; a part of its value is (old).name."),
				 parser_errposition(pstate, location)));
	}
	if (scope->former == SLA_FORMER_OF_EVENT)
		hint = "An event happens when its condition becomes true: write what is true then, without old.";
	else if (scope->former == SLA_FORMER_OF_FACTS)
		hint = "Rules over facts see the ticket's facts as they are; without facts they know the ticket's former row.";
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("the row as it was before a change is not known here"),
			 errhint("%s", hint),
			 parser_errposition(pstate, location)));
}

/*
 * Called for a column reference that was looked up; node is NULL when nothing
 * was found.  The server's own error suggests a column only for a slip.
 */
static Node *
refuse_unknown_column(ParseState *pstate, ColumnRef *reference, Node *node)
{
	const Scope *scope = (const Scope *) pstate->p_ref_hook_state;
	const char *name;
	TupleDesc	tupdesc;
	StringInfoData columns;
	int			named = 0;

	if (node != NULL || !IsA(linitial(reference->fields), String))
		return NULL;
	name = strVal(linitial(reference->fields));
	if (strcmp(name, FORMER_ROW_NAME) == 0)
		refuse_former_row(pstate, scope, reference->location);
	if (list_length(reference->fields) != 1)
		return NULL;
	tupdesc = RelationGetDescr(scope->rel);
	initStringInfo(&columns);
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);

		if (attribute->attisdropped)
			continue;
		if (is_slip(name, NameStr(attribute->attname)))
			return NULL;
		if (named == MAX_COLUMNS_NAMED + 1)
			continue;
		if (named++ == MAX_COLUMNS_NAMED)
		{
			appendStringInfoString(&columns, ", ...");
			continue;
		}
		appendStringInfo(&columns, "%s%s", named > 1 ? ", " : "",
						 quote_identifier(NameStr(attribute->attname)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" does not exist", name),
			 errhint("The columns of \"%s\" are: %s. A text value is written in single quotes.",
					 RelationGetRelationName(scope->rel), columns.data),
			 parser_errposition(pstate, reference->location)));
	return NULL;				/* not reached */
}

/*
 * Parses and checks text over the columns of rel, and of the former row where
 * the writer knows it, in the current memory context and under the current
 * search_path.  The writer's owner is who reads the row, InvalidOid where nobody
 * will.
 */
static Node *
parse(Relation rel, const char *text, Oid result_type, const SlaWriter *writer)
{
	ParseState *pstate = make_parsestate(NULL);
	FormContext context = {.pstate = pstate, .noun = noun(result_type)};
	Scope		scope = {.rel = rel, .former = writer->former};
	ParseNamespaceItem *item;
	Node	   *node;
	Oid			type;

	pstate->p_sourcetext = text;
	pstate->p_post_columnref_hook = refuse_unknown_column;
	pstate->p_ref_hook_state = &scope;
	node = parse_form(pstate, text, result_type, &context);
	item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
										 makeAlias(row_alias(rel), NIL), false, false);
	addNSItemToQuery(pstate, item, false, true, true);
	/* Only where it is meant, so that errors do not suggest it for a slip. */
	if (context.says_old && writer->former == SLA_FORMER_KNOWN && !old_is_column(rel) &&
		!old_is_row(rel))
	{
		item = addRangeTableEntryForRelation(pstate, rel, AccessShareLock,
											 makeAlias(FORMER_ROW_NAME, NIL), false, false);
		addNSItemToQuery(pstate, item, false, true, false);
	}
	node = transformExpr(pstate, node, EXPR_KIND_OTHER);
	node = has_former_mutator(node, NULL);
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
					 errhint("Compare the value with another, for example by =."),
					 parser_errposition(pstate, exprLocation(node))));
		if (coerced == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("expression must be of type %s, not type %s",
							format_type_be(result_type), format_type_be(type)),
					 errhint("Write a cast into the expression."),
					 parser_errposition(pstate, exprLocation(node))));
		node = coerced;
		/* A string that is the whole expression has its type only now. */
		refuse_walker(node, &context);
	}
	assign_expr_collations(pstate, node);
	node = expand_generated_columns_compat(node, rel, ROW_VARNO);
	node = expand_generated_columns_compat(node, rel, FORMER_ROW_VARNO);
	refuse_volatile_walker(node, &context);
	if (OidIsValid(writer->owner))
	{
		check_trust(node, writer->owner, context.noun);
		check_reading(rel, node, writer->owner, context.noun);
	}
	free_parsestate(pstate);
	return node;
}

/*
 * Enters the settings that decide what a text says: of dates and intervals, of
 * '\' and of = NULL.
 */
static void
enter_to_compile(SlaEnvironment *saved, const char *search_path, const char *time_zone,
				 Oid owner)
{
	enter(saved, search_path, owner);
	enter_zone(saved, time_zone);
	begin_settings(saved);
	set_setting("DateStyle", "ISO, YMD");
	set_setting("IntervalStyle", "postgres");
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
	FormContext context = {.pstate = pstate, .noun = noun(result_type)};

	push_compile_frame(&frame, text, what, name);
	enter_to_compile(&saved, namespace_search_path, NULL, GetUserId());
	pstate->p_sourcetext = text;
	(void) parse_form(pstate, text, result_type, &context);
	sla_environment_leave(&saved);
	error_context_stack = frame.callback.previous;
	free_parsestate(pstate);
}

/*
 * ---------------------------------------------------------------------------
 * Which expressions need their owner, search_path and time zone
 * ---------------------------------------------------------------------------
 */

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
				case SVFOP_CURRENT_DATE:
				case SVFOP_CURRENT_TIME:
				case SVFOP_CURRENT_TIME_N:
				case SVFOP_CURRENT_TIMESTAMP:
				case SVFOP_CURRENT_TIMESTAMP_N:
				case SVFOP_LOCALTIME:
				case SVFOP_LOCALTIME_N:
				case SVFOP_LOCALTIMESTAMP:
				case SVFOP_LOCALTIMESTAMP_N:
					return false;
				default:
					return true;
			}
		case T_ArrayCoerceExpr:
		case T_ArrayExpr:
		case T_BoolExpr:
		case T_BooleanTest:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CaseWhen:
		case T_CoalesceExpr:
		case T_CoerceViaIO:
		case T_Const:
		case T_DistinctExpr:
		case T_FieldSelect:
		case T_FuncExpr:
		case T_List:
		case T_MinMaxExpr:
		case T_NullIfExpr:
		case T_NullTest:
		case T_OpExpr:
		case T_Param:			/* whether there is a former row */
		case T_RelabelType:
		case T_RowCompareExpr:
		case T_RowExpr:
		case T_ScalarArrayOpExpr:
		case T_SubscriptingRef:
		case T_Var:
			return expression_tree_walker(node, is_dependent_walker, context);
		default:
			/* Among them domains, whose checks can call anything. */
			return true;
	}
}

/* A function that depends on the time zone, if it is not one that depends on more. */
static bool
is_zone_function(Oid function, void *context)
{
	/* now() and its like are the same instant everywhere. */
	return func_volatile(function) == PROVOLATILE_STABLE && get_func_nargs(function) > 0;
}

static bool
needs_zone_walker(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (check_functions_in_node(node, is_zone_function, NULL))
		return true;
	if (IsA(node, SQLValueFunction))
	{
		switch (((SQLValueFunction *) node)->op)
		{
			case SVFOP_CURRENT_TIMESTAMP:
			case SVFOP_CURRENT_TIMESTAMP_N:
				return false;
			default:
				return true;
		}
	}
	return expression_tree_walker(node, needs_zone_walker, context);
}

static Needs
needs_of(Node *expression)
{
	if (is_dependent_walker(expression, NULL))
		return NEEDS_ALL;
	return needs_zone_walker(expression, NULL) ? NEEDS_ZONE : NEEDS_NOTHING;
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

static void
run_marker(ExprState *state, ExprEvalStep *op, ExprContext *econtext)
{
	const Marker *marker = (const Marker *) op->d.cparam.paramarg;

	marker->machine->frame->current = marker->number;
	*op->resvalue = BoolGetDatum(false);
	*op->resnull = false;
}

/* Is there a former row? */
static void
run_has_former(ExprState *state, ExprEvalStep *op, ExprContext *econtext)
{
	const Machine *machine = (const Machine *) op->d.cparam.paramarg;

	*op->resvalue = BoolGetDatum(econtext->ecxt_innertuple != machine->no_former);
	*op->resnull = false;
}

static void
compile_param(ParamListInfo params, Param *param, ExprState *state, Datum *resv,
			  bool *resnull)
{
	Machine    *machine = (Machine *) params->paramCompileArg;
	ExprEvalStep scratch = {0};

	scratch.opcode = EEOP_PARAM_CALLBACK;
	scratch.resvalue = resv;
	scratch.resnull = resnull;
	if (param->paramid == HAS_FORMER_PARAM)
	{
		scratch.d.cparam.paramfunc = run_has_former;
		scratch.d.cparam.paramarg = machine;
	}
	else
	{
		scratch.d.cparam.paramfunc = run_marker;
		scratch.d.cparam.paramarg = &machine->markers[param->paramid - 1];
	}
	scratch.d.cparam.paramid = param->paramid;
	scratch.d.cparam.paramtype = param->paramtype;
	ExprEvalPushStep(state, &scratch);
}

static CaseWhen *
make_arm(Expr *condition, Const *result)
{
	CaseWhen   *arm = makeNode(CaseWhen);

	arm->expr = condition;
	arm->result = (Expr *) result;
	arm->location = -1;
	return arm;
}

/*
 * Adds a condition to the arms of a CASE that gives the number of the first
 * condition that holds.  So a list costs what a CASE written by hand costs;
 * each condition by itself would start the executor anew.
 *
 * What tells an error which condition it was is an arm of its own, before the
 * condition, that is never taken.  It is left out where no error can come.
 */
static List *
add_arms(List *arms, const SlaExpression *condition, int number)
{
	if (condition->can_fail && arms != NIL)
	{
		Param	   *marker = makeNode(Param);

		marker->paramkind = PARAM_EXTERN;
		marker->paramid = number + 1;
		marker->paramtype = BOOLOID;
		marker->paramtypmod = -1;
		marker->paramcollid = InvalidOid;
		marker->location = -1;
		arms = lappend(arms, make_arm((Expr *) marker, makeNullConst(INT4OID, -1, InvalidOid)));
	}
	return lappend(arms, make_arm((Expr *) condition->parsed,
								  makeConst(INT4OID, -1, InvalidOid, sizeof(int32),
											Int32GetDatum(number), false, true)));
}

static Node *
make_case(List *arms)
{
	CaseExpr   *node = makeNode(CaseExpr);

	node->casetype = INT4OID;
	node->args = arms;
	node->defresult = (Expr *) makeNullConst(INT4OID, -1, InvalidOid);
	node->location = -1;
	return (Node *) node;
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
	if (program->former_desc != NULL)
		machine->no_former =
			ExecStoreAllNullTuple(MakeSingleTupleTableSlot(program->former_desc, &TTSOpsVirtual));
	machine->states = palloc(program->nsegments * sizeof(ExprState *));
	if (program->is_list)
	{
		machine->markers = palloc(program->nlabels * sizeof(Marker));
		for (int i = 0; i < program->nlabels; i++)
		{
			machine->markers[i].machine = machine;
			machine->markers[i].number = i;
		}
	}
	if (program->is_list || program->former_desc != NULL)
	{
		params = makeParamList(0);
		params->paramCompile = compile_param;
		params->paramCompileArg = machine;
	}
	for (int i = 0; i < program->nsegments; i++)
	{
		Segment    *segment = &program->segments[i];
		SlaEnvironment saved;

		/* In any case: the owner's right to call the functions is checked. */
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
	const Label *label = &frame->program->labels[frame->current];

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
	machine->econtext->ecxt_innertuple = NULL;
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
	econtext->ecxt_innertuple = machine->no_former;
	if (segment->needs == NEEDS_NOTHING)
		value = ExecEvalExprSwitchContext(machine->states[0], econtext, isnull);
	else
	{
		enter_segment(&saved, segment);
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
sla_first_condition(SlaConditionList *list, TupleTableSlot *slot, TupleTableSlot *former,
					int first_group, int last_group)
{
	Program    *program = list->program;
	int			from = list->group_start[first_group];
	int			to = list->group_start[last_group + 1];
	int			found = -1;
	Frame		frame;
	Machine    *machine;
	ExprContext *econtext;

	if (from == to)
		return -1;
	machine = begin_run(program, &frame);
	econtext = machine->econtext;
	econtext->ecxt_scantuple = slot;
	econtext->ecxt_innertuple = former != NULL ? former : machine->no_former;
	for (int i = from; i < to; i++)
	{
		Segment    *segment = &program->segments[i];
		bool		isnull;
		Datum		number;

		frame.current = segment->first;
		if (segment->needs == NEEDS_NOTHING)
			number = ExecEvalExprSwitchContext(machine->states[i], econtext, &isnull);
		else
		{
			SlaEnvironment saved;

			enter_segment(&saved, segment);
			number = ExecEvalExprSwitchContext(machine->states[i], econtext, &isnull);
			sla_environment_leave(&saved);
		}
		if (!isnull)
		{
			found = DatumGetInt32(number);
			break;
		}
	}
	ResetExprContext(econtext);
	end_run(program, machine, &frame);
	return found;
}

/*
 * ---------------------------------------------------------------------------
 * Compiling
 * ---------------------------------------------------------------------------
 */

/*
 * Gives what names the former row the form that the executor knows, and finds
 * whether anything does.
 */
static bool
use_former_walker(Node *node, bool *found)
{
	if (node == NULL)
		return false;
	if (IsA(node, Var) && ((Var *) node)->varno == FORMER_ROW_VARNO)
	{
		((Var *) node)->varno = INNER_VAR;
		*found = true;
	}
	else if (IsA(node, Param) && ((Param *) node)->paramid == HAS_FORMER_PARAM)
		*found = true;
	return expression_tree_walker(node, use_former_walker, found);
}

SlaExpression *
sla_expression_compile(Relation rel, const char *text, const SlaWriter *writer,
					   Oid result_type, const char *what, const char *name,
					   MemoryContext cxt)
{
	CompileFrame frame;
	SlaEnvironment saved;
	Program    *program;
	Segment    *segment;
	Node	   *parsed;
	Bitmapset  *columns = NULL;
	Bitmapset  *former_columns = NULL;
	bool		knows_former = false;
	bool		can_fail;
	SlaExpression *expression;
	MemoryContext scratch;
	MemoryContext old;

	sla_watch_relation(RelationGetRelid(rel));

	program = new_program(1, 1);
	old = MemoryContextSwitchTo(program->cxt);
	program->labels[0].what = pstrdup(what);
	program->labels[0].name = pstrdup(name);
	segment = &program->segments[0];
	segment->owner = OidIsValid(writer->owner) ? writer->owner : GetUserId();
	segment->time_zone = writer->time_zone != NULL ? pstrdup(writer->time_zone) : NULL;

	push_compile_frame(&frame, text, what, name);
	segment->search_path =
		path_with_temp(writer->search_path != NULL ? writer->search_path : namespace_search_path);
	enter_to_compile(&saved, segment->search_path, segment->time_zone, segment->owner);
	scratch = AllocSetContextCreate(program->cxt, "pg_sla parser", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	parsed = parse(rel, text, result_type, writer);
	MemoryContextSwitchTo(program->cxt);
	parsed = copyObject(parsed);
	MemoryContextDelete(scratch);
	pull_varattnos(parsed, FORMER_ROW_VARNO, &former_columns);
	pull_varattnos(parsed, ROW_VARNO, &columns);
	columns = bms_add_members(columns, former_columns);
	use_former_walker(parsed, &knows_former);
	if (knows_former)
		program->former_desc = CreateTupleDescCopy(RelationGetDescr(rel));
	plan_segment(segment, parsed);
	/* Default values of arguments appear only now. */
	if (contain_volatile_functions(segment->planned->expr))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
				 errmsg("%s must not call volatile functions", noun(result_type)),
				 errdetail("The default value of an argument does.")));
	segment->needs = needs_of(segment->planned->expr);
	can_fail = segment->needs == NEEDS_ALL || contain_leaked_vars(segment->planned->expr);
	program->machine = new_machine(program, program->cxt);
	sla_environment_leave(&saved);
	error_context_stack = frame.callback.previous;
	MemoryContextSwitchTo(old);

	expression = MemoryContextAllocZero(cxt, sizeof(SlaExpression));
	keep_program(program);
	expression->program = program;
	expression->parsed = parsed;
	expression->columns = columns;
	expression->former_columns = former_columns;
	expression->can_fail = can_fail;
	expression->result_type = result_type;
	get_typlenbyval(result_type, &expression->typlen, &expression->typbyval);
	expression->on_delete.func = release_program;
	expression->on_delete.arg = program;
	MemoryContextRegisterResetCallback(cxt, &expression->on_delete);
	return expression;
}

void
sla_expression_check(Relation rel, const char *text, const SlaWriter *writer,
					 Oid result_type, const char *what, const char *name)
{
	MemoryContext cxt = AllocSetContextCreate(CurrentMemoryContext, "pg_sla check",
											  ALLOCSET_SMALL_SIZES);

	(void) sla_expression_compile(rel, text, writer, result_type, what, name, cxt);
	MemoryContextDelete(cxt);
}

static bool
same_zone(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Can the condition be evaluated where the segment's conditions are? */
static bool
fits_in(const Segment *segment, const Segment *condition)
{
	if (segment->needs == NEEDS_NOTHING || condition->needs == NEEDS_NOTHING)
		return true;
	if (!same_zone(segment->time_zone, condition->time_zone))
		return false;
	return segment->needs == NEEDS_ZONE || condition->needs == NEEDS_ZONE ||
		(segment->owner == condition->owner &&
		 strcmp(segment->search_path, condition->search_path) == 0);
}

static void
take_environment(Segment *segment, const Segment *condition)
{
	segment->needs = condition->needs;
	segment->owner = condition->owner;
	segment->search_path = pstrdup(condition->search_path);
	segment->time_zone = condition->time_zone != NULL ? pstrdup(condition->time_zone) : NULL;
}

/*
 * Neighbours of one group that can do with one environment become one segment;
 * most conditions are plain and fit in anywhere.
 */
SlaConditionList *
sla_condition_list(SlaExpression **conditions, const int *groups, int n, int ngroups,
				   MemoryContext cxt)
{
	Program    *program = new_program(n, n);
	MemoryContext old = MemoryContextSwitchTo(program->cxt);
	int		   *group_start = palloc((ngroups + 1) * sizeof(int));
	SlaConditionList *list;
	int			next = 0;

	program->nsegments = 0;
	program->is_list = true;
	for (int group = 0; group < ngroups; group++)
	{
		group_start[group] = program->nsegments;
		while (next < n && groups[next] == group)
		{
			Segment    *segment = &program->segments[program->nsegments++];
			List	   *arms = NIL;
			SlaEnvironment saved;

			segment->first = next;
			take_environment(segment, &conditions[next]->program->segments[0]);
			for (; next < n && groups[next] == group; next++)
			{
				Program    *single = conditions[next]->program;
				Segment    *own = &single->segments[0];

				Assert(conditions[next]->result_type == BOOLOID);
				if (!fits_in(segment, own))
					break;
				if (segment->needs < own->needs)
					take_environment(segment, own);
				if (single->former_desc != NULL && program->former_desc == NULL)
					program->former_desc = CreateTupleDescCopy(single->former_desc);
				program->labels[next].what = pstrdup(single->labels[0].what);
				program->labels[next].name = pstrdup(single->labels[0].name);
				arms = add_arms(arms, conditions[next], next);
			}
			enter(&saved, segment->search_path, segment->owner);
			plan_segment(segment, make_case(arms));
			sla_environment_leave(&saved);
		}
	}
	Assert(next == n);
	group_start[ngroups] = program->nsegments;
	program->machine = new_machine(program, program->cxt);

	/* What became invalid meanwhile was not watched all the time. */
	for (int i = 0; i < n; i++)
	{
		if (!program_valid(conditions[i]->program))
			program->generation = 0;
	}
	MemoryContextSwitchTo(old);

	list = MemoryContextAllocZero(cxt, sizeof(SlaConditionList));
	keep_program(program);
	list->program = program;
	list->ngroups = ngroups;
	list->group_start = group_start;
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

const Bitmapset *
sla_expression_former_columns(const SlaExpression *expression)
{
	return expression->former_columns;
}

bool
sla_expression_knows_former(const SlaExpression *expression)
{
	return expression->program->former_desc != NULL;
}

bool
sla_expression_valid(const SlaExpression *expression)
{
	return program_valid(expression->program);
}

/*
 * sla.check_condition(relation regclass, condition text)
 *
 * An error unless the condition can be used in a rule over the rows of the
 * relation or, if it does not name the former row, in an event.
 */
SLA_FUNCTION(sla_check_condition);
Datum
sla_check_condition(PG_FUNCTION_ARGS)
{
	Oid			relid = PG_GETARG_OID(0);
	char	   *condition = text_to_cstring(PG_GETARG_TEXT_PP(1));
	Relation	rel = sla_open_row_relation(relid);

	sla_expression_check(rel, condition, &(SlaWriter) {.former = sla_former_of_relation(rel)},
						 BOOLOID, "condition on", RelationGetRelationName(rel));
	relation_close(rel, NoLock);
	PG_RETURN_VOID();
}
