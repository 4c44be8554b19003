/*
 * explain_level.c
 *		Why a ticket gets the level that it gets.
 *
 * Goes through the rules of a source one by one, as they are written down and
 * not as rule.c lays them out for speed; each condition is compiled by itself.
 * What decided within a condition is found by its text: its parts between OR
 * or AND, which are conditions themselves, are asked in order until one
 * decides, as the executor does.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "condition.h"
#include "rule.h"
#include "token.h"

/* What became of a rule. */
typedef struct Finding
{
	const SlaRule *rule;
	SlaAgreement agreement;		/* of the level that it sets */
	bool		evaluated;
	bool		matched;
	const char *result;
	const char *decided_by;
	Datum		saw;
} Finding;

typedef struct Explanation
{
	Relation	rel;
	TupleTableSlot *slot;
} Explanation;

/* Does a part of a rule's condition hold? */
static bool
holds(const Explanation *explanation, const SlaRule *rule, const char *condition)
{
	return sla_condition_holds(sla_compile_rule(rule, condition, explanation->rel,
												CurrentMemoryContext),
							   explanation->slot);
}

/*
 * Parts of a condition between words of a kind, where these are not inside
 * parentheses, CASE or BETWEEN.
 */
static List *
split(const char *text, const SlaToken *tokens, int n, const char *word)
{
	List	   *parts = NIL;
	int			depth = 0;
	int			betweens = 0;
	int			start = 0;

	for (int i = 0; i <= n; i++)
	{
		const SlaToken *token = &tokens[i];
		bool		is_and = sla_token_is(token, SLA_KEYWORD, "and");

		if (i == n)
			depth = 0;
		else if (token->kind == '(' || token->kind == '[' || sla_token_is(token, SLA_KEYWORD, "case"))
			depth++;
		else if (token->kind == ')' || token->kind == ']' || sla_token_is(token, SLA_KEYWORD, "end"))
			depth--;
		else if (depth == 0 && sla_token_is(token, SLA_KEYWORD, "between"))
			betweens++;
		else if (depth == 0 && is_and && betweens > 0)
		{
			betweens--;
			continue;
		}
		if (i == n || (depth == 0 && sla_token_is(token, SLA_KEYWORD, word)))
		{
			int			from = tokens[start].start;

			parts = lappend(parts, pnstrdup(text + from, tokens[i - 1].end - from));
			start = i + 1;
		}
	}
	return parts;
}

/* Are all n tokens within one pair of parentheses? */
static bool
is_enclosed(const SlaToken *tokens, int n)
{
	int			depth = 0;

	if (n < 3 || tokens[0].kind != '(')
		return false;
	for (int i = 0; i < n; i++)
	{
		if (tokens[i].kind == '(')
			depth++;
		else if (tokens[i].kind == ')' && --depth == 0)
			return i == n - 1;
	}
	return false;
}

/*
 * The first part of a condition that decided that it holds, or that it does
 * not: of parts with OR between them the first that holds, of parts with AND
 * the first that does not.  Else all of them together did.
 */
static const char *
deciding_part(const Explanation *explanation, const SlaRule *rule, const char *condition,
			  bool matched)
{
	int			n;
	SlaToken   *tokens = sla_tokens(condition, &n);
	List	   *parts;
	bool		is_or;
	ListCell   *cell;

	check_stack_depth();
	while (is_enclosed(tokens, n))
	{
		tokens++;
		n -= 2;
	}
	parts = split(condition, tokens, n, "or");
	is_or = list_length(parts) > 1;
	if (!is_or)
		parts = split(condition, tokens, n, "and");
	if (list_length(parts) > 1 && matched == is_or)
	{
		foreach(cell, parts)
		{
			const char *part = (const char *) lfirst(cell);

			if (holds(explanation, rule, part) == matched)
				return deciding_part(explanation, rule, part, matched);
		}
	}
	return pnstrdup(condition + tokens[0].start, tokens[n - 1].end - tokens[0].start);
}

/* A value as JSON, as to_jsonb() gives it. */
static char *
value_as_json(Datum value, Oid type)
{
	FmgrInfo	function;
	Jsonb	   *json;

	fmgr_info(F_TO_JSONB, &function);
	/* which looks at the type of its argument */
	fmgr_info_set_expr((Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(makeNullConst(type, -1, InvalidOid)),
											 InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL),
					   &function);
	json = DatumGetJsonbP(FunctionCall1(&function, value));
	return JsonbToCString(NULL, &json->root, VARSIZE(json));
}

/*
 * The columns that a condition reads, with their values, as jsonb.  The row is
 * looked at as that of a new ticket: what there was before is null.
 */
static Datum
values_seen(const Explanation *explanation, const SlaRule *rule, const char *condition)
{
	SlaExpression *expression = sla_compile_rule(rule, condition, explanation->rel,
												 CurrentMemoryContext);
	const Bitmapset *columns = sla_expression_columns(expression);
	const Bitmapset *former = sla_expression_former_columns(expression);
	bool		whole_row = bms_is_member(0 - FirstLowInvalidHeapAttributeNumber, columns);
	TupleDesc	tupdesc = RelationGetDescr(explanation->rel);
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(tupdesc, i);
		Datum		value;
		bool		isnull;

		if (attribute->attisdropped ||
			(!whole_row && !bms_is_member(attribute->attnum - FirstLowInvalidHeapAttributeNumber,
										  columns)))
			continue;
		if (json.len > 1)
			appendStringInfoString(&json, ", ");
		escape_json(&json, NameStr(attribute->attname));
		value = slot_getattr(explanation->slot, attribute->attnum, &isnull);
		appendStringInfo(&json, ": %s", isnull ? "null" : value_as_json(value, attribute->atttypid));
		if (bms_is_member(attribute->attnum - FirstLowInvalidHeapAttributeNumber, former))
		{
			appendStringInfoString(&json, ", ");
			escape_json(&json, psprintf("old.%s", NameStr(attribute->attname)));
			appendStringInfoString(&json, ": null");
		}
	}
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

/* Asks the rule, unless it is not to be asked. */
static void
find_out(const Explanation *explanation, Finding *finding, bool stopped)
{
	const SlaRule *rule = finding->rule;

	if (!rule->active)
		finding->result = "inactive";
	else if (!sla_rule_in_force(rule))
		finding->result = "not valid now";
	else if (!rule->on_create)
		finding->result = "not for new tickets";
	else if (stopped)
		finding->result = "not reached";
	if (finding->result != NULL)
		return;
	finding->evaluated = true;
	finding->matched = holds(explanation, rule, rule->condition);
	finding->result = finding->matched ? "matched" : "not matched";
	finding->decided_by = deciding_part(explanation, rule, rule->condition, finding->matched);
	finding->saw = values_seen(explanation, rule, finding->decided_by);
}

/* What the rule did, NULL for nothing. */
static char *
effect_of(const Finding *finding, const SlaRule *const *setters)
{
	const SlaRule *rule = finding->rule;
	const char *what = NULL;

	if (!finding->matched)
		return NULL;
	if (rule->set_level != NULL && setters[finding->agreement] == rule)
		what = psprintf("set level \"%s\"", rule->set_level);
	else if (rule->set_level != NULL)
		what = psprintf("overridden by rule \"%s\"", setters[finding->agreement]->name);
	if (!rule->stop)
		return unconstify(char *, what);
	return what != NULL ? psprintf("%s, stopped", what) : pstrdup("stopped");
}

/* A text as a value of a row, NULL for NULL. */
static Datum
text_or_null(const char *string, bool *isnull)
{
	*isnull = string == NULL;
	return string == NULL ? (Datum) 0 : CStringGetTextDatum(string);
}

static void
put(Tuplestorestate *store, TupleDesc tupdesc, const Finding *finding, const char *effect)
{
	const SlaRule *rule = finding->rule;
	Datum		values[11];
	bool		nulls[lengthof(values)] = {false};

	values[0] = CStringGetTextDatum(rule->name);
	values[1] = Int32GetDatum(rule->position);
	values[2] = text_or_null(rule->set_level, &nulls[2]);
	values[3] = text_or_null(rule->set_level == NULL ? NULL :
							 sla_agreement_names[finding->agreement], &nulls[3]);
	values[4] = BoolGetDatum(rule->stop);
	values[5] = CStringGetTextDatum(rule->condition);
	values[6] = BoolGetDatum(finding->matched);
	nulls[6] = !finding->evaluated;
	values[7] = CStringGetTextDatum(finding->result);
	values[8] = text_or_null(finding->decided_by, &nulls[8]);
	values[9] = finding->saw;
	nulls[9] = !finding->evaluated;
	values[10] = text_or_null(effect, &nulls[10]);
	tuplestore_putvalues(store, tupdesc, values, nulls);
}

static void
explain(const char *source, Oid relid, HeapTupleHeader row, Tuplestorestate *store,
		TupleDesc tupdesc)
{
	List	   *rules;
	Finding    *findings;
	Explanation explanation;
	HeapTupleData tuple;
	const SlaRule *setters[SLA_N_AGREEMENTS] = {NULL};
	bool		stopped = false;
	int			n = 0;
	ListCell   *cell;

	sla_check_row_of_source(source, relid);
	explanation.rel = relation_open(relid, AccessShareLock);
	explanation.slot =
		MakeSingleTupleTableSlot(CreateTupleDescCopyConstr(RelationGetDescr(explanation.rel)),
								 &TTSOpsHeapTuple);
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = relid;
	tuple.t_data = row;
	ExecStoreHeapTuple(&tuple, explanation.slot, false);

	rules = sla_read_rules(source);
	findings = palloc0(Max(list_length(rules), 1) * sizeof(Finding));
	foreach(cell, rules)
	{
		Finding    *finding = &findings[n++];

		CHECK_FOR_INTERRUPTS();
		finding->rule = (const SlaRule *) lfirst(cell);
		if (finding->rule->set_level != NULL)
			finding->agreement = sla_level_agreement(finding->rule->set_level);
		find_out(&explanation, finding, stopped);
		if (!finding->matched)
			continue;
		if (finding->rule->set_level != NULL)
			setters[finding->agreement] = finding->rule;
		stopped = finding->rule->stop;
	}
	for (int i = 0; i < n; i++)
		put(store, tupdesc, &findings[i], effect_of(&findings[i], setters));
	ExecDropSingleTupleTableSlot(explanation.slot);
	relation_close(explanation.rel, NoLock);
}

/* The row's argument is the first, or the second behind the source. */
static Datum
explain_level(FunctionCallInfo fcinfo, int argument)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			relid = sla_row_relation(fcinfo->flinfo, argument);
	const char *source = argument == 0 ? sla_source_of_relation(relid) :
		text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext caller;
	MemoryContext scratch;
	Tuplestorestate *store;
	TupleDesc	tupdesc;

	if (result == NULL || !IsA(result, ReturnSetInfo) ||
		(result->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("sla.explain_level must be called where a set of rows can be taken")));
	caller = MemoryContextSwitchTo(result->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "sla.explain_level must return rows");
	tupdesc = CreateTupleDescCopy(tupdesc);
	store = tuplestore_begin_heap(true, false, work_mem);
	result->returnMode = SFRM_Materialize;
	result->setResult = store;
	result->setDesc = tupdesc;

	scratch = AllocSetContextCreate(caller, "pg_sla explanation", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	explain(source, relid, PG_GETARG_HEAPTUPLEHEADER(argument), store, tupdesc);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	PG_RETURN_NULL();
}

/* sla.explain_level(ticket_row anyelement) RETURNS TABLE (...) */
SLA_FUNCTION(sla_explain_level);
Datum
sla_explain_level(PG_FUNCTION_ARGS)
{
	return explain_level(fcinfo, 0);
}

/* sla.explain_level(source text, ticket_row anyelement) RETURNS TABLE (...) */
SLA_FUNCTION(sla_explain_level_source);
Datum
sla_explain_level_source(PG_FUNCTION_ARGS)
{
	return explain_level(fcinfo, 1);
}
