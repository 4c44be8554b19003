/*
 * structured_condition.c
 *		Conditions as JSON, as user interfaces write them.
 *
 * A structured condition is a group {"all": [...], "any": [...], "none": [...]}
 * of groups and of comparisons {"field", "operator", "value"}.  It becomes an
 * SQL condition, which is what is kept and run; nothing else knows of JSON.
 * The way back reads the tokens of exactly the forms that are written here.
 *
 * A comparison that is NULL does not hold, so that every part either holds or
 * not: "none" is written with IS NOT TRUE, and the negated operators hold where
 * their opposite does not.
 *
 * How groups are written: the parts of "all" one after the other with AND, then
 * "any" in parentheses with OR, then "none" so with IS NOT TRUE behind it.  A
 * group within a group is in parentheses of its own, and "any" of a single part
 * has OR false behind it; so each text can be read in one way only.
 *
 * What compares with the former row begins with the question whether there is
 * one, since NULL is a value that a column may have had, too.  The value comes
 * before the change, so that "changed to" is not read as "changed" and "is".
 */
#include "pg_sla.h"

#include "access/relation.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "parser/parse_coerce.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "condition.h"
#include "rule.h"
#include "token.h"

/* The forms that comparisons have in SQL. */
typedef enum Form
{
	FORM_IS,
	FORM_IS_NOT,
	FORM_ONE_OF,
	FORM_CONTAINS,
	FORM_STARTS,
	FORM_ENDS,
	FORM_MATCHES,
	FORM_COMPARE,				/* sign: < <= > >= */
	FORM_BETWEEN,
	FORM_TIME,					/* sign: < > */
	FORM_LAST,
	FORM_NEXT,
	FORM_OLDER,
	FORM_EMPTY,
	FORM_NOT_EMPTY,
	FORM_CHANGED,
	FORM_NOT_CHANGED,
	FORM_CHANGED_TO,
	FORM_CHANGED_FROM
} Form;

typedef struct Operator
{
	const char *name;
	Form		form;
	bool		negated;
	const char *sign;
} Operator;

static const Operator operators[] = {
	{"is", FORM_IS},
	{"is not", FORM_IS_NOT},
	{"one of", FORM_ONE_OF},
	{"not one of", FORM_ONE_OF, true},
	{"contains", FORM_CONTAINS},
	{"does not contain", FORM_CONTAINS, true},
	{"starts with", FORM_STARTS},
	{"does not start with", FORM_STARTS, true},
	{"ends with", FORM_ENDS},
	{"does not end with", FORM_ENDS, true},
	{"matches", FORM_MATCHES},
	{"does not match", FORM_MATCHES, true},
	{"less", FORM_COMPARE, false, "<"},
	{"less or equal", FORM_COMPARE, false, "<="},
	{"greater", FORM_COMPARE, false, ">"},
	{"greater or equal", FORM_COMPARE, false, ">="},
	{"between", FORM_BETWEEN},
	{"before", FORM_TIME, false, "<"},
	{"after", FORM_TIME, false, ">"},
	{"within the last", FORM_LAST},
	{"within the next", FORM_NEXT},
	{"longer ago than", FORM_OLDER},
	{"empty", FORM_EMPTY},
	{"not empty", FORM_NOT_EMPTY},
	{"changed", FORM_CHANGED},
	{"not changed", FORM_NOT_CHANGED},
	{"changed to", FORM_CHANGED_TO},
	{"changed from", FORM_CHANGED_FROM},
};

/* Is it one that takes no value? */
static bool
is_without_value(Form form)
{
	return form == FORM_EMPTY || form == FORM_NOT_EMPTY || form == FORM_CHANGED ||
		form == FORM_NOT_CHANGED;
}

/* Does it compare with the former row? */
static bool
is_about_change(Form form)
{
	return form >= FORM_CHANGED;
}

/*
 * ---------------------------------------------------------------------------
 * From JSON
 * ---------------------------------------------------------------------------
 */

/* What is being read, and where in it. */
typedef struct Reader
{
	Relation	rel;
	SlaFormerRow former;		/* does the condition know the former row? */
	const char *comparison;		/* JSON path of the comparison */
	const char *path;			/* of what is looked at */
	ErrorContextCallback callback;
} Reader;

/* The column that a field names, and the way into its jsonb value. */
typedef struct Field
{
	Reader	   *reader;
	const char *column;			/* quoted */
	const char *name;			/* for messages */
	List	   *keys;			/* within a jsonb column */
	Oid			type;			/* without its domain */
	Oid			element;		/* of an array, else InvalidOid */
	char		category;
} Field;

static void
reader_error_callback(void *arg)
{
	errcontext("structured condition at %s", ((const Reader *) arg)->path);
}

static JsonbValue *
member(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, strlen(key), NULL);
}

static char *
string_of(const JsonbValue *value)
{
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* What messages call the type of a value. */
static const char *
kind_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvString:
			return "a string";
		case jbvNumeric:
			return "a number";
		case jbvBool:
			return "true or false";
		default:
			return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) ?
				"a list" : "an object";
	}
}

static bool
is_list(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsArray(value->val.binary.data) &&
		!JsonContainerIsScalar(value->val.binary.data);
}

static bool
is_object(const JsonbValue *value)
{
	return value->type == jbvBinary && JsonContainerIsObject(value->val.binary.data);
}

/* Refuses members of an object that nobody would read. */
static void
check_members(Reader *reader, JsonbContainer *object, const char *const *known)
{
	JsonbIterator *iterator = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	bool		inside = false;

	while ((token = JsonbIteratorNext(&iterator, &value, inside)) != WJB_DONE)
	{
		inside = true;
		if (token == WJB_KEY)
		{
			char	   *key = string_of(&value);
			bool		found = false;

			for (int i = 0; known[i] != NULL && !found; i++)
				found = strcmp(known[i], key) == 0;
			if (!found)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("\"%s\" is not a part of a structured condition", key),
						 errhint("A group has \"all\", \"any\" and \"none\"; a comparison has \"field\", \"operator\", \"value\" and \"ignore_case\".")));
		}
	}
}

/*
 * The column of that name, else the part of it before a point as a jsonb
 * column with a way into it.
 */
static void
find_field(Reader *reader, const char *name, Field *field)
{
	AttrNumber	number = get_attnum(RelationGetRelid(reader->rel), name);
	const char *column = name;

	memset(field, 0, sizeof(Field));
	field->reader = reader;
	field->name = name;
	if (number <= 0 && strchr(name, '.') != NULL)
	{
		char	   *copy = pstrdup(name);
		char	   *next;

		for (char *key = strchr(copy, '.'); key != NULL; key = next)
		{
			*key++ = '\0';
			next = strchr(key, '.');
			field->keys = lappend(field->keys,
								  next != NULL ? pnstrdup(key, next - key) : key);
			if (key == next || *key == '\0')
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("field \"%s\" has an empty part", name)));
		}
		column = copy;
		number = get_attnum(RelationGetRelid(reader->rel), column);
	}
	field->column = quote_identifier(column);
	if (number <= 0)
	{
		/* Names it, with the columns that there are. */
		sla_expression_check(reader->rel, field->column, &(SlaWriter) {0}, BOOLOID,
							 "field", name);
		elog(ERROR, "column \"%s\" does not exist", column);
	}
	field->type = getBaseType(get_atttype(RelationGetRelid(reader->rel), number));
	field->element = get_base_element_type(field->type);
	field->category = TypeCategory(field->type);
	if (field->keys != NIL && field->type != JSONBOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("field \"%s\" looks into column \"%s\", which is not of type jsonb but %s",
						name, column, format_type_be(field->type))));
	if (field->keys == NIL && (field->type == JSONBOID || field->type == JSONOID))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s and cannot be compared as a whole",
						column, format_type_be(field->type)),
				 errhint("Name a value in it, such as \"%s.key\".", column)));
}

/* An error that follows is about the field. */
static void
blame_field(const Field *field)
{
	field->reader->path = psprintf("%s.field", field->reader->comparison);
}

/* Refuses a column that is not text, for operators that read it as text. */
static void
need_text(const Field *field)
{
	if (field->keys != NIL || field->category == TYPCATEGORY_STRING ||
		field->category == TYPCATEGORY_ENUM)
		return;
	blame_field(field);
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %s is of type %s, which is not text", field->column,
					format_type_be(field->type))));
}

/* Refuses an array, for operators that compare a single value. */
static void
need_single(const Field *field)
{
	if (!OidIsValid(field->element))
		return;
	blame_field(field);
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %s is an array and cannot be compared as a whole", field->column),
			 errhint("Use the operator \"contains\", which also takes a list.")));
}

/*
 * The field in SQL: a column, or a value of a jsonb column, as text or as
 * jsonb.
 */
static char *
field_sql(const Field *field, bool as_text)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, field->column);
	foreach(cell, field->keys)
		appendStringInfo(&sql, " %s %s",
						 as_text && lnext(field->keys, cell) == NULL ? "->>" : "->",
						 quote_literal_cstr((const char *) lfirst(cell)));
	return sql.data;
}

static void
refuse_value(const JsonbValue *value, const char *wanted)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("value must be %s, not %s", wanted, kind_of(value))));
}

/* A JSON scalar as an SQL constant for comparison with the field. */
static char *
literal(const Field *field, const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return quote_literal_cstr(string_of(value));
		case jbvNumeric:
			if (field->category != TYPCATEGORY_NUMERIC)
				break;
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			if (field->category != TYPCATEGORY_BOOLEAN)
				break;
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			refuse_value(value, "a string, a number, true or false");
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("column %s of type %s cannot be compared with %s", field->column,
					format_type_be(field->type), kind_of(value)),
			 errhint("Write the value as a string, as the column's type reads it.")));
	return NULL;				/* not reached */
}

/* A scalar as the constant of type jsonb that is equal to it. */
static char *
jsonb_literal(const JsonbValue *value)
{
	JsonbValue	copy = *value;

	if (value->type == jbvBinary || value->type == jbvNull)
		refuse_value(value, "a string, a number, true or false");
	return quote_literal_cstr(JsonbToCString(NULL, &JsonbValueToJsonb(&copy)->root, -1));
}

/* The values of a list that must not be empty; a single value is a list of one. */
static List *
values_of(const JsonbValue *value, bool single_too)
{
	List	   *values = NIL;
	uint32		n;

	if (!is_list(value))
	{
		if (!single_too)
			refuse_value(value, "a list");
		return list_make1(unconstify(JsonbValue *, value));
	}
	n = JsonContainerSize(value->val.binary.data);
	for (uint32 i = 0; i < n; i++)
		values = lappend(values, getIthJsonbValueFromContainer(value->val.binary.data, i));
	if (values == NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be an empty list")));
	return values;
}

/* A string that is not empty. */
static char *
text_of(const JsonbValue *value)
{
	if (value->type != jbvString)
		refuse_value(value, "a string");
	if (value->val.string.len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be empty"),
				 errhint("Use the operator \"empty\".")));
	return string_of(value);
}

/* A pattern for LIKE, as a constant. */
static char *
pattern(const char *text, bool open_start, bool open_end)
{
	StringInfoData sql;

	initStringInfo(&sql);
	if (open_start)
		appendStringInfoChar(&sql, '%');
	for (; *text != '\0'; text++)
	{
		if (*text == '%' || *text == '_' || *text == '\\')
			appendStringInfoChar(&sql, '\\');
		appendStringInfoChar(&sql, *text);
	}
	if (open_end)
		appendStringInfoChar(&sql, '%');
	return quote_literal_cstr(sql.data);
}

/* field LIKE pattern, or one of several. */
static char *
like(const Field *field, List *values, Form form, bool ignore_case)
{
	StringInfoData sql;
	ListCell   *cell;

	need_text(field);
	initStringInfo(&sql);
	appendStringInfo(&sql, "%s%s %s ", field_sql(field, true),
					 field->category == TYPCATEGORY_ENUM ? "::text" : "",
					 ignore_case ? "ILIKE" : "LIKE");
	if (list_length(values) > 1)
		appendStringInfoString(&sql, "ANY (ARRAY[");
	foreach(cell, values)
	{
		if (cell != list_head(values))
			appendStringInfoString(&sql, ", ");
		appendStringInfoString(&sql, pattern(text_of((const JsonbValue *) lfirst(cell)),
											 form == FORM_CONTAINS || form == FORM_ENDS,
											 form == FORM_CONTAINS || form == FORM_STARTS));
	}
	if (list_length(values) > 1)
		appendStringInfoString(&sql, "])");
	return sql.data;
}

/* Constants with commas between them. */
static char *
literal_list(const Field *field, List *values, bool as_jsonb)
{
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	foreach(cell, values)
	{
		const JsonbValue *value = (const JsonbValue *) lfirst(cell);

		appendStringInfo(&sql, "%s%s", sql.len > 0 ? ", " : "",
						 as_jsonb ? jsonb_literal(value) : literal(field, value));
	}
	return sql.data;
}

/*
 * Values in jsonb compare as text with strings and as jsonb with others: one
 * list cannot have both.
 */
static bool
has_other_than_strings(List *values)
{
	ListCell   *cell;
	int			strings = 0;

	foreach(cell, values)
	{
		if (((const JsonbValue *) lfirst(cell))->type == jbvString)
			strings++;
	}
	if (strings > 0 && strings < list_length(values))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not mix strings with other values")));
	return strings == 0;
}

/* The elements of an array column compare as constants of their own type. */
static Field
element_of(const Field *array)
{
	Field		element = *array;

	element.type = getBaseType(array->element);
	element.category = TypeCategory(element.type);
	return element;
}

static char *
contains(const Field *field, const JsonbValue *value, Form form, bool ignore_case)
{
	List	   *values = values_of(value, true);

	if (OidIsValid(field->element))
	{
		Field		element = element_of(field);

		if (form != FORM_CONTAINS || ignore_case)
		{
			blame_field(field);
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("column %s is an array, in which only whole values are looked for",
							field->column),
					 errhint("Use the operator \"contains\", without \"ignore_case\".")));
		}
		if (list_length(values) == 1)
			return psprintf("%s = ANY (%s)", literal_list(&element, values, false),
							field->column);
		return psprintf("%s && ARRAY[%s]::%s", field->column,
						literal_list(&element, values, false),
						format_type_be(field->type));
	}
	if (field->keys != NIL && form == FORM_CONTAINS)
	{
		char	   *text = like(field, values, form, ignore_case);
		char	   *json = field_sql(field, false);

		return psprintf("CASE jsonb_typeof(%s) WHEN 'array' THEN %s ?| ARRAY[%s] ELSE %s END",
						json, json, literal_list(field, values, false), text);
	}
	return like(field, values, form, ignore_case);
}

static char *
is_value(const Field *field, const JsonbValue *value, const char *sign)
{
	if (value->type == jbvNull)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must not be null"),
				 errhint("Use the operators \"empty\" and \"not empty\".")));
	need_single(field);
	if (field->keys != NIL && value->type != jbvString)
		return psprintf("%s %s %s", field_sql(field, false), sign, jsonb_literal(value));
	return psprintf("%s %s %s", field_sql(field, true), sign, literal(field, value));
}

/* A comparison with the former row; value: what the field has become, or was. */
static char *
changed(const Field *field, Form form, const JsonbValue *value)
{
	char	   *sql = field_sql(field, false);
	char	   *change = psprintf("old.%s IS %sDISTINCT FROM %s", sql,
								  form == FORM_NOT_CHANGED ? "NOT " : "", sql);

	sla_need_former_row(field->reader->rel);
	if (is_without_value(form))
		return psprintf("old IS DISTINCT FROM NULL AND %s", change);
	return psprintf("old IS DISTINCT FROM NULL AND %s%s AND %s",
					form == FORM_CHANGED_FROM ? "old." : "", is_value(field, value, "="), change);
}

/* A comparison by size; a value in jsonb counts only if it is a number. */
static char *
compared(const Field *field, const char *sign, List *values)
{
	Field		number = {.category = TYPCATEGORY_NUMERIC};
	StringInfoData sql;
	ListCell   *cell;

	initStringInfo(&sql);
	if (field->keys != NIL)
		appendStringInfo(&sql, "CASE WHEN jsonb_typeof(%s) = 'number' THEN (%s)::numeric",
						 field_sql(field, false), field_sql(field, true));
	else
		appendStringInfoString(&sql, field->column);
	appendStringInfo(&sql, " %s", sign);
	foreach(cell, values)
	{
		const JsonbValue *value = (const JsonbValue *) lfirst(cell);

		if (field->keys != NIL && value->type != jbvNumeric)
			refuse_value(value, "a number");
		appendStringInfo(&sql, "%s %s", cell != list_head(values) ? " AND" : "",
						 literal(field->keys != NIL ? &number : field, value));
	}
	if (field->keys != NIL)
		appendStringInfoString(&sql, " END");
	return sql.data;
}

static void
need_time(const Field *field)
{
	if (field->keys == NIL && (field->type == TIMESTAMPTZOID || field->type == TIMESTAMPOID ||
							   field->type == DATEOID))
		return;
	blame_field(field);
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("field \"%s\" is not a date or a time", field->name),
			 field->keys != NIL ?
			 errhint("Values in jsonb are text: give the table a generated column or the facts view a column of type timestamptz.") : 0));
}

/* A length of time, as a constant. */
static char *
duration(const JsonbValue *value)
{
	char	   *text = text_of(value);
	Interval   *interval;
	Interval	zero = {0};

	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	if (!DatumGetBool(DirectFunctionCall2(interval_gt, IntervalPGetDatum(interval),
										  IntervalPGetDatum(&zero))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("value must be a positive length of time, not \"%s\"", text),
				 errhint("For example \"2 hours\" or \"7 days\".")));
	return psprintf("%s::interval", quote_literal_cstr(text));
}

static char *
emptiness(const Field *field, bool empty)
{
	if (field->keys != NIL)
		return psprintf(empty ? "coalesce(%s, '') IN ('', '[]', '{}')" :
						"%s NOT IN ('', '[]', '{}')", field_sql(field, true));
	if (OidIsValid(field->element))
		return psprintf(empty ? "coalesce(cardinality(%s), 0) = 0" : "cardinality(%s) > 0",
						field->column);
	if (field->category == TYPCATEGORY_STRING)
		return psprintf(empty ? "coalesce(%s, '') = ''" : "%s <> ''", field->column);
	return psprintf(empty ? "%s IS NULL" : "%s IS NOT NULL", field->column);
}

static char *
matched(const Field *field, const JsonbValue *value, bool ignore_case)
{
	char	   *regex = text_of(value);

	need_text(field);
	/* An expression that is wrong would be found out by the first ticket only. */
	(void) DirectFunctionCall2Coll(textregexeq, DEFAULT_COLLATION_OID,
								   CStringGetTextDatum(""), CStringGetTextDatum(regex));
	return psprintf("%s%s %s %s", field_sql(field, true),
					field->category == TYPCATEGORY_ENUM ? "::text" : "",
					ignore_case ? "~*" : "~", quote_literal_cstr(regex));
}

static const Operator *
find_operator(const char *name)
{
	StringInfoData names;

	initStringInfo(&names);
	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		if (strcmp(operators[i].name, name) == 0)
			return &operators[i];
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", operators[i].name);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no operator \"%s\"", name),
			 errhint("There are: %s.", names.data)));
	return NULL;				/* not reached */
}

/* A string that the comparison must have. */
static char *
need_string(Reader *reader, JsonbContainer *object, const char *key)
{
	JsonbValue *value = member(object, key);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a comparison has no \"%s\"", key)));
	reader->path = psprintf("%s.%s", reader->path, key);
	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a string, not %s", key, kind_of(value))));
	return string_of(value);
}

/* The comparison in SQL, checked. */
static char *
comparison(Reader *reader, JsonbContainer *object, const char *path)
{
	static const char *const known[] = {"field", "operator", "value", "ignore_case", NULL};
	Field		field;
	const Operator *operator;
	JsonbValue *value;
	JsonbValue *flag;
	bool		ignore_case = false;
	List	   *values;
	char	   *sql = NULL;

	reader->comparison = path;
	reader->path = path;
	check_members(reader, object, known);
	find_field(reader, need_string(reader, object, "field"), &field);
	reader->path = path;
	operator = find_operator(need_string(reader, object, "operator"));

	flag = member(object, "ignore_case");
	if (flag != NULL)
	{
		reader->path = psprintf("%s.ignore_case", path);
		if (flag->type != jbvBool)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("ignore_case must be true or false, not %s", kind_of(flag))));
		ignore_case = flag->val.boolean;
		if (ignore_case && operator->form != FORM_CONTAINS && operator->form != FORM_STARTS &&
			operator->form != FORM_ENDS && operator->form != FORM_MATCHES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("operator \"%s\" has no \"ignore_case\"", operator->name)));
	}

	value = member(object, "value");
	if (is_without_value(operator->form))
	{
		if (value != NULL && value->type != jbvNull)
		{
			reader->path = psprintf("%s.value", path);
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("operator \"%s\" takes no value", operator->name)));
		}
	}
	else if (value == NULL)
	{
		reader->path = path;
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("operator \"%s\" needs a value", operator->name)));
	}
	else
		reader->path = psprintf("%s.value", path);

	switch (operator->form)
	{
		case FORM_IS:
			sql = is_value(&field, value, "=");
			break;
		case FORM_IS_NOT:
			sql = is_value(&field, value, "IS DISTINCT FROM");
			break;
		case FORM_ONE_OF:
			values = values_of(value, false);
			need_single(&field);
			if (field.keys != NIL && has_other_than_strings(values))
				sql = psprintf("%s IN (%s)", field_sql(&field, false),
							   literal_list(&field, values, true));
			else
				sql = psprintf("%s IN (%s)", field_sql(&field, true),
							   literal_list(&field, values, false));
			break;
		case FORM_CONTAINS:
		case FORM_STARTS:
		case FORM_ENDS:
			sql = contains(&field, value, operator->form, ignore_case);
			break;
		case FORM_MATCHES:
			sql = matched(&field, value, ignore_case);
			break;
		case FORM_COMPARE:
			if (is_list(value))
				refuse_value(value, "a single value");
			sql = compared(&field, operator->sign, list_make1(value));
			break;
		case FORM_BETWEEN:
			values = values_of(value, false);
			if (list_length(values) != 2)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("value must be a list of two, the least and the greatest")));
			sql = compared(&field, "BETWEEN", values);
			break;
		case FORM_TIME:
			need_time(&field);
			sql = psprintf("%s %s %s::%s", field.column, operator->sign,
						   quote_literal_cstr(text_of(value)), format_type_be(field.type));
			break;
		case FORM_LAST:
			need_time(&field);
			sql = psprintf("%s BETWEEN now() - %s AND now()", field.column, duration(value));
			break;
		case FORM_NEXT:
			need_time(&field);
			sql = psprintf("%s BETWEEN now() AND now() + %s", field.column, duration(value));
			break;
		case FORM_OLDER:
			need_time(&field);
			sql = psprintf("%s < now() - %s", field.column, duration(value));
			break;
		case FORM_EMPTY:
			sql = emptiness(&field, true);
			break;
		case FORM_NOT_EMPTY:
			sql = emptiness(&field, false);
			break;
		case FORM_CHANGED:
		case FORM_NOT_CHANGED:
		case FORM_CHANGED_TO:
		case FORM_CHANGED_FROM:
			sql = changed(&field, operator->form, value);
			break;
	}
	if (operator->negated)
		sql = psprintf("NOT coalesce(%s, false)", sql);
	if (is_about_change(operator->form) && reader->former != SLA_FORMER_KNOWN)
		reader->path = psprintf("%s.operator", path);
	sla_expression_check(reader->rel, sql, &(SlaWriter) {.former = reader->former}, BOOLOID,
						 "comparison with", field.name);
	return sql;
}

static char *group(Reader *reader, JsonbContainer *object, const char *path);

/* The parts of a group's list, with a word between them. */
static char *
parts(Reader *reader, const JsonbValue *list, const char *word, const char *path)
{
	StringInfoData sql;
	uint32		n;

	reader->path = path;
	if (!is_list(list))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a group's parts must be a list, not %s", kind_of(list))));
	initStringInfo(&sql);
	n = JsonContainerSize(list->val.binary.data);
	for (uint32 i = 0; i < n; i++)
	{
		JsonbValue *part = getIthJsonbValueFromContainer(list->val.binary.data, i);
		char	   *part_path = psprintf("%s[%u]", path, i);

		CHECK_FOR_INTERRUPTS();
		reader->path = part_path;
		if (!is_object(part))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a part of a group must be a comparison or a group, not %s",
							kind_of(part))));
		if (i > 0)
			appendStringInfo(&sql, " %s ", word);
		if (member(part->val.binary.data, "field") != NULL ||
			member(part->val.binary.data, "operator") != NULL)
			appendStringInfoString(&sql, comparison(reader, part->val.binary.data, part_path));
		else
			appendStringInfo(&sql, "(%s)", group(reader, part->val.binary.data, part_path));
	}
	return sql.data;
}

/* A list without parts says nothing, as in the interfaces that show one empty. */
static char *
group(Reader *reader, JsonbContainer *object, const char *path)
{
	static const char *const known[] = {"all", "any", "none", NULL};
	StringInfoData sql;
	bool		has_list = false;

	check_stack_depth();
	reader->path = path;
	check_members(reader, object, known);
	initStringInfo(&sql);
	for (int i = 0; known[i] != NULL; i++)
	{
		const JsonbValue *list = member(object, known[i]);
		char	   *part;

		if (list == NULL)
			continue;
		has_list = true;
		part = parts(reader, list, i == 0 ? "AND" : "OR", psprintf("%s.%s", path, known[i]));
		if (part[0] == '\0')
			continue;
		if (sql.len > 0)
			appendStringInfoString(&sql, " AND ");
		if (i == 0)
			appendStringInfoString(&sql, part);
		else if (i == 1)
			appendStringInfo(&sql, "(%s%s)", part,
							 JsonContainerSize(list->val.binary.data) == 1 ? " OR false" : "");
		else
			appendStringInfo(&sql, "(%s) IS NOT TRUE", part);
	}
	reader->path = path;
	if (!has_list)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a group needs at least one of \"all\", \"any\" and \"none\"")));
	return sql.len > 0 ? sql.data : pstrdup("true");
}

char *
sla_condition_of_json(Relation rel, SlaFormerRow former, Jsonb *json)
{
	Reader		reader = {.rel = rel, .former = former, .path = "$"};
	char	   *sql;

	reader.callback.callback = reader_error_callback;
	reader.callback.arg = &reader;
	reader.callback.previous = error_context_stack;
	error_context_stack = &reader.callback;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a structured condition must be an object"),
				 errhint("For example {\"all\": [{\"field\": \"priority\", \"operator\": \"is\", \"value\": 1}]}.")));
	sql = group(&reader, &json->root, "$");
	error_context_stack = reader.callback.previous;
	return sql;
}

/* sla.condition_from_json(relation regclass, condition jsonb) RETURNS text */
SLA_FUNCTION(sla_condition_from_json);
Datum
sla_condition_from_json(PG_FUNCTION_ARGS)
{
	Relation	rel = sla_open_row_relation(PG_GETARG_OID(0));
	char	   *sql = sla_condition_of_json(rel, sla_former_of_relation(rel), PG_GETARG_JSONB_P(1));

	relation_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(sql));
}

/* sla.condition_from_json(source text, condition jsonb) RETURNS text */
SLA_FUNCTION(sla_condition_from_json_source);
Datum
sla_condition_from_json_source(PG_FUNCTION_ARGS)
{
	char	   *source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Relation	rel = sla_open_source_relation(source);
	char	   *sql;

	if (rel == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", source),
				 errhint("Call sla.track() first, or pass the table: '...'::regclass.")));
	sql = sla_condition_of_json(rel, sla_former_of_source(source), PG_GETARG_JSONB_P(1));
	relation_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(sql));
}

/*
 * ---------------------------------------------------------------------------
 * To JSON
 * ---------------------------------------------------------------------------
 */

/* Tokens being read.  What reads them returns false where it meets another text. */
typedef struct Parser
{
	const char *text;
	SlaToken   *tokens;
	int			at;
} Parser;

static const SlaToken *
peek(const Parser *parser, int ahead)
{
	for (int i = 0; i < ahead; i++)
	{
		if (parser->tokens[parser->at + i].kind == SLA_END)
			return &parser->tokens[parser->at + i];
	}
	return &parser->tokens[parser->at + ahead];
}

static bool
take(Parser *parser, int kind)
{
	if (peek(parser, 0)->kind != kind)
		return false;
	parser->at++;
	return true;
}

static bool
take_word(Parser *parser, SlaTokenKind kind, const char *word)
{
	if (!sla_token_is(peek(parser, 0), kind, word))
		return false;
	parser->at++;
	return true;
}

#define take_keyword(parser, word) take_word(parser, SLA_KEYWORD, word)
#define take_name(parser, word) take_word(parser, SLA_IDENT, word)
#define take_operator(parser, word) take_word(parser, SLA_OP, word)

static bool
take_string(Parser *parser, const char **string)
{
	if (peek(parser, 0)->kind != SLA_SCONST)
		return false;
	*string = peek(parser, 0)->word;
	parser->at++;
	return true;
}

/* Exactly these strings, in parentheses with commas. */
static bool
take_strings(Parser *parser, const char *const *strings)
{
	const char *string;

	for (int i = 0; strings[i] != NULL; i++)
	{
		if (!take(parser, i == 0 ? '(' : ',') || !take_string(parser, &string) ||
			strcmp(string, strings[i]) != 0)
			return false;
	}
	return take(parser, ')');
}

/* name() */
static bool
take_now(Parser *parser)
{
	return take_name(parser, "now") && take(parser, '(') && take(parser, ')');
}

/* An operand: its field, and whether it is a jsonb value. */
static bool
take_field(Parser *parser, const char **field, bool *json)
{
	const SlaToken *token = peek(parser, 0);
	StringInfoData name;
	const char *key;

	if (token->kind != SLA_IDENT && token->kind != SLA_KEYWORD)
		return false;
	parser->at++;
	*json = false;
	initStringInfo(&name);
	appendStringInfoString(&name, token->word);
	while (sla_token_is(peek(parser, 0), SLA_OP, "->") ||
		   sla_token_is(peek(parser, 0), SLA_OP, "->>"))
	{
		*json = strcmp(peek(parser, 0)->word, "->") == 0;
		parser->at++;
		if (!take_string(parser, &key))
			return false;
		appendStringInfo(&name, ".%s", key);
		if (!*json)
			break;
	}
	*field = name.data;
	/* of an enum */
	if (peek(parser, 0)->kind == SLA_TYPECAST)
	{
		parser->at++;
		return take_keyword(parser, "text") || take_name(parser, "text");
	}
	return true;
}

/* A constant, as JSON. */
static bool
take_literal(Parser *parser, bool json, StringInfo out)
{
	const SlaToken *token = peek(parser, 0);

	if (token->kind == SLA_SCONST)
	{
		if (json)
		{
			Datum		value = DirectFunctionCall1(jsonb_in, CStringGetDatum(token->word));

			JsonbToCString(out, &DatumGetJsonbP(value)->root, -1);
		}
		else
			escape_json(out, token->word);
	}
	else if (json)
		return false;
	else if (sla_token_is(token, SLA_KEYWORD, "true") ||
			 sla_token_is(token, SLA_KEYWORD, "false"))
		appendStringInfoString(out, token->word);
	else
	{
		if (token->kind == '-')
		{
			appendStringInfoChar(out, '-');
			parser->at++;
			token = peek(parser, 0);
		}
		if (token->kind != SLA_ICONST && token->kind != SLA_FCONST)
			return false;
		appendStringInfoString(out, token->word);
	}
	parser->at++;
	return true;
}

/* Constants up to a closing bracket, as a JSON list. */
static bool
take_literals(Parser *parser, bool json, int closing, StringInfo out)
{
	appendStringInfoChar(out, '[');
	do
	{
		if (out->data[out->len - 1] != '[')
			appendStringInfoString(out, ", ");
		if (!take_literal(parser, json, out))
			return false;
	} while (take(parser, ','));
	appendStringInfoChar(out, ']');
	return take(parser, closing);
}

/* A pattern: adds the text that it looks for, and tells where that must be. */
static bool
take_pattern(Parser *parser, StringInfo out, Form *form)
{
	const char *written;
	StringInfoData text;
	bool		open_start;
	bool		open_end = false;

	if (!take_string(parser, &written))
		return false;
	initStringInfo(&text);
	open_start = *written == '%';
	for (written += open_start; *written != '\0'; written++)
	{
		if (*written == '%' && written[1] == '\0')
		{
			open_end = true;
			break;
		}
		if (*written == '%' || *written == '_')
			return false;
		if (*written == '\\' && *++written == '\0')
			return false;
		appendStringInfoChar(&text, *written);
	}
	if (!open_start && !open_end)
		return false;
	*form = open_start && open_end ? FORM_CONTAINS : open_start ? FORM_ENDS : FORM_STARTS;
	escape_json(out, text.data);
	return true;
}

/* What stands behind LIKE. */
static bool
take_patterns(Parser *parser, StringInfo out, Form *form)
{
	Form		other;

	if (!take_keyword(parser, "any"))
		return take_pattern(parser, out, form);
	if (!take(parser, '(') || !take_keyword(parser, "array") || !take(parser, '['))
		return false;
	appendStringInfoChar(out, '[');
	if (!take_pattern(parser, out, form))
		return false;
	while (take(parser, ','))
	{
		appendStringInfoString(out, ", ");
		if (!take_pattern(parser, out, &other) || other != *form)
			return false;
	}
	appendStringInfoChar(out, ']');
	return take(parser, ']') && take(parser, ')');
}

/* The sign of a comparison by size, NULL if it is none. */
static const char *
take_sign(Parser *parser)
{
	if (take(parser, '<'))
		return "<";
	if (take(parser, '>'))
		return ">";
	if (take(parser, SLA_LESS_EQUALS))
		return "<=";
	if (take(parser, SLA_GREATER_EQUALS))
		return ">=";
	return NULL;
}

/* The name of a type, which is not looked at. */
static bool
take_type(Parser *parser)
{
	int			from = parser->at;

	while (peek(parser, 0)->kind == SLA_IDENT || peek(parser, 0)->kind == '.' ||
		   peek(parser, 0)->kind == '[' || peek(parser, 0)->kind == ']' ||
		   (peek(parser, 0)->kind == SLA_KEYWORD &&
			!sla_token_is(peek(parser, 0), SLA_KEYWORD, "and") &&
			!sla_token_is(peek(parser, 0), SLA_KEYWORD, "or") &&
			!sla_token_is(peek(parser, 0), SLA_KEYWORD, "end")))
		parser->at++;
	return parser->at > from;
}

static bool
take_interval(Parser *parser, StringInfo out)
{
	return take_literal(parser, false, out) && take(parser, SLA_TYPECAST) &&
		take_keyword(parser, "interval");
}

/* What a comparison says, but for its field. */
typedef struct Comparison
{
	const char *field;
	Form		form;
	const char *sign;
	bool		negated;
	bool		ignore_case;
	StringInfoData value;		/* empty: none */
} Comparison;

/* What stands behind an operand. */
static bool
take_rest(Parser *parser, Comparison *comparison, bool json)
{
	StringInfo	value = &comparison->value;

	if (take(parser, '='))
	{
		comparison->form = FORM_IS;
		return take_literal(parser, json, value);
	}
	if (take(parser, SLA_NOT_EQUALS))
	{
		const char *string;

		comparison->form = FORM_NOT_EMPTY;
		return take_string(parser, &string) && string[0] == '\0';
	}
	if (take_keyword(parser, "is"))
	{
		bool		negated = take_keyword(parser, "not");

		if (take_keyword(parser, "null"))
		{
			comparison->form = negated ? FORM_NOT_EMPTY : FORM_EMPTY;
			return true;
		}
		comparison->form = FORM_IS_NOT;
		return !negated && take_keyword(parser, "distinct") && take_keyword(parser, "from") &&
			take_literal(parser, json, value);
	}
	if (take_keyword(parser, "in"))
	{
		comparison->form = FORM_ONE_OF;
		return take(parser, '(') && take_literals(parser, json, ')', value);
	}
	if (take_keyword(parser, "not"))
	{
		static const char *const empties[] = {"", "[]", "{}", NULL};

		comparison->form = FORM_NOT_EMPTY;
		return take_keyword(parser, "in") && take_strings(parser, empties);
	}
	if (take_keyword(parser, "like"))
		return take_patterns(parser, value, &comparison->form);
	if (take_keyword(parser, "ilike"))
	{
		comparison->ignore_case = true;
		return take_patterns(parser, value, &comparison->form);
	}
	if (sla_token_is(peek(parser, 0), SLA_OP, "~") || sla_token_is(peek(parser, 0), SLA_OP, "~*"))
	{
		comparison->ignore_case = peek(parser, 0)->word[1] == '*';
		comparison->form = FORM_MATCHES;
		parser->at++;
		return take_literal(parser, false, value);
	}
	if (take_operator(parser, "&&"))
	{
		comparison->form = FORM_CONTAINS;
		return take_keyword(parser, "array") && take(parser, '[') &&
			take_literals(parser, false, ']', value) && take(parser, SLA_TYPECAST) &&
			take_type(parser);
	}
	if (take_keyword(parser, "between"))
	{
		if (sla_token_is(peek(parser, 0), SLA_IDENT, "now"))
		{
			if (!take_now(parser))
				return false;
			if (take(parser, '-'))
			{
				comparison->form = FORM_LAST;
				return take_interval(parser, value) && take_keyword(parser, "and") &&
					take_now(parser);
			}
			comparison->form = FORM_NEXT;
			return take_keyword(parser, "and") && take_now(parser) && take(parser, '+') &&
				take_interval(parser, value);
		}
		comparison->form = FORM_BETWEEN;
		appendStringInfoChar(value, '[');
		if (!take_literal(parser, false, value) || !take_keyword(parser, "and"))
			return false;
		appendStringInfoString(value, ", ");
		if (!take_literal(parser, false, value))
			return false;
		appendStringInfoChar(value, ']');
		return true;
	}
	comparison->form = FORM_COMPARE;
	comparison->sign = take_sign(parser);
	if (comparison->sign == NULL)
		return false;
	if (strcmp(comparison->sign, "<") == 0 && sla_token_is(peek(parser, 0), SLA_IDENT, "now"))
	{
		comparison->form = FORM_OLDER;
		return take_now(parser) && take(parser, '-') && take_interval(parser, value);
	}
	if (!take_literal(parser, false, value))
		return false;
	if (take(parser, SLA_TYPECAST))
	{
		comparison->form = FORM_TIME;
		return take_type(parser);
	}
	return true;
}

/* A field of the former row. */
static bool
take_former_field(Parser *parser, const char **field, bool *json)
{
	return take_keyword(parser, "old") && take(parser, '.') && take_field(parser, field, json);
}

/* Begins a comparison with the former row here?  A field old is never compared with NULL so. */
static bool
is_change_ahead(const Parser *parser)
{
	static const char *const words[] = {"old", "is", "distinct", "from", "null", "and"};

	for (int i = 0; i < (int) lengthof(words); i++)
	{
		if (!sla_token_is(peek(parser, i), SLA_KEYWORD, words[i]))
			return false;
	}
	return true;
}

/* What stands behind the question whether there is a former row. */
static bool
take_change(Parser *parser, Comparison *comparison)
{
	const char *field;
	bool		json;
	bool		of_former;

	comparison->form = FORM_CHANGED;
	for (;;)
	{
		of_former = sla_token_is(peek(parser, 0), SLA_KEYWORD, "old");
		if (!(of_former ? take_former_field(parser, &field, &json) :
			  take_field(parser, &field, &json)) ||
			(comparison->field != NULL && strcmp(comparison->field, field) != 0))
			return false;
		comparison->field = field;
		if (comparison->form != FORM_CHANGED || !take(parser, '='))
			break;
		comparison->form = of_former ? FORM_CHANGED_FROM : FORM_CHANGED_TO;
		if (!take_literal(parser, json, &comparison->value) || !take_keyword(parser, "and"))
			return false;
	}
	if (!of_former || !take_keyword(parser, "is"))
		return false;
	if (comparison->form == FORM_CHANGED && take_keyword(parser, "not"))
		comparison->form = FORM_NOT_CHANGED;
	return take_keyword(parser, "distinct") && take_keyword(parser, "from") &&
		take_field(parser, &field, &json) && strcmp(comparison->field, field) == 0;
}

/* A comparison that is not negated. */
static bool
take_positive(Parser *parser, Comparison *comparison)
{
	bool		json;
	const char *string;

	if (is_change_ahead(parser))
	{
		parser->at += 6;
		return take_change(parser, comparison);
	}
	if (take_keyword(parser, "coalesce"))
	{
		static const char *const empties[] = {"", "[]", "{}", NULL};

		comparison->form = FORM_EMPTY;
		if (!take(parser, '('))
			return false;
		if (sla_token_is(peek(parser, 0), SLA_IDENT, "cardinality") && peek(parser, 1)->kind == '(')
		{
			parser->at += 2;
			return take_field(parser, &comparison->field, &json) && take(parser, ')') &&
				take(parser, ',') && take(parser, SLA_ICONST) && take(parser, ')') &&
				take(parser, '=') && take(parser, SLA_ICONST);
		}
		if (!take_field(parser, &comparison->field, &json) || !take(parser, ',') ||
			!take_string(parser, &string) || string[0] != '\0' || !take(parser, ')'))
			return false;
		if (take(parser, '='))
			return take_string(parser, &string) && string[0] == '\0';
		return take_keyword(parser, "in") && take_strings(parser, empties);
	}
	if (sla_token_is(peek(parser, 0), SLA_IDENT, "cardinality") && peek(parser, 1)->kind == '(')
	{
		comparison->form = FORM_NOT_EMPTY;
		parser->at += 2;
		return take_field(parser, &comparison->field, &json) && take(parser, ')') &&
			take(parser, '>') && take(parser, SLA_ICONST);
	}
	if (take_keyword(parser, "case"))
	{
		/* The operand is in the branch that compares. */
		if (take_keyword(parser, "when"))
		{
			while (!take_keyword(parser, "then"))
			{
				if (take(parser, SLA_END))
					return false;
				parser->at++;
			}
			return take(parser, '(') && take_field(parser, &comparison->field, &json) &&
				take(parser, ')') && take(parser, SLA_TYPECAST) &&
				take_keyword(parser, "numeric") && take_rest(parser, comparison, false) &&
				take_keyword(parser, "end");
		}
		while (!take_keyword(parser, "else"))
		{
			if (take(parser, SLA_END))
				return false;
			parser->at++;
		}
		return take_field(parser, &comparison->field, &json) &&
			take_rest(parser, comparison, json) && take_keyword(parser, "end");
	}
	/* A constant stands before an array. */
	if (take_literal(parser, false, &comparison->value))
	{
		comparison->form = FORM_CONTAINS;
		return take(parser, '=') && take_keyword(parser, "any") && take(parser, '(') &&
			take_field(parser, &comparison->field, &json) && take(parser, ')');
	}
	resetStringInfo(&comparison->value);
	return take_field(parser, &comparison->field, &json) &&
		take_rest(parser, comparison, json);
}

static bool
take_comparison(Parser *parser, StringInfo out)
{
	Comparison	comparison = {.sign = NULL};

	initStringInfo(&comparison.value);
	if (take_keyword(parser, "not"))
	{
		comparison.negated = true;
		if (!take_keyword(parser, "coalesce") || !take(parser, '(') ||
			!take_positive(parser, &comparison) || !take(parser, ',') ||
			!take_keyword(parser, "false") || !take(parser, ')'))
			return false;
	}
	else if (!take_positive(parser, &comparison))
		return false;

	for (int i = 0; i < (int) lengthof(operators); i++)
	{
		const Operator *operator = &operators[i];

		if (operator->form != comparison.form || operator->negated != comparison.negated ||
			(operator->sign != NULL &&
			 (comparison.sign == NULL || strcmp(operator->sign, comparison.sign) != 0)))
			continue;
		appendStringInfoString(out, "{\"field\": ");
		escape_json(out, comparison.field);
		appendStringInfoString(out, ", \"operator\": ");
		escape_json(out, operator->name);
		if (comparison.value.len > 0)
			appendStringInfo(out, ", \"value\": %s", comparison.value.data);
		if (comparison.ignore_case)
			appendStringInfoString(out, ", \"ignore_case\": true");
		appendStringInfoChar(out, '}');
		return true;
	}
	return false;
}

static bool take_group(Parser *parser, StringInfo out);

/* A comparison, or a group in parentheses. */
static bool
take_part(Parser *parser, StringInfo out)
{
	if (take(parser, '('))
		return take_group(parser, out) && take(parser, ')');
	return take_comparison(parser, out);
}

/*
 * Looks at the parentheses that begin here: "any" has OR directly inside, and
 * behind "none" comes IS.  Else it is a group within the group.
 */
static bool
is_list_ahead(const Parser *parser, bool *none)
{
	int			depth = 0;
	bool		has_or = false;
	const SlaToken *token = &parser->tokens[parser->at];

	for (; token->kind != SLA_END; token++)
	{
		if (token->kind == '(')
			depth++;
		else if (token->kind == ')' && --depth == 0)
			break;
		else if (depth == 1 && sla_token_is(token, SLA_KEYWORD, "or"))
			has_or = true;
	}
	*none = token->kind != SLA_END && sla_token_is(token + 1, SLA_KEYWORD, "is");
	return has_or || *none;
}

/* Parts with OR between them, in parentheses. */
static bool
take_list(Parser *parser, bool none, StringInfo out)
{
	int			n = 0;

	if (!take(parser, '('))
		return false;
	do
	{
		/* what "any" of one part ends with */
		if (!none && n == 1 && sla_token_is(peek(parser, 0), SLA_KEYWORD, "false") &&
			peek(parser, 1)->kind == ')')
		{
			parser->at++;
			break;
		}
		if (n++ > 0)
			appendStringInfoString(out, ", ");
		if (!take_part(parser, out))
			return false;
	} while (take_keyword(parser, "or"));
	if (!take(parser, ')'))
		return false;
	return !none || (take_keyword(parser, "is") && take_keyword(parser, "not") &&
					 take_keyword(parser, "true"));
}

static bool
take_group(Parser *parser, StringInfo out)
{
	StringInfoData lists[3];
	static const char *const names[] = {"all", "any", "none"};
	bool		first = true;

	check_stack_depth();
	CHECK_FOR_INTERRUPTS();
	if (sla_token_is(peek(parser, 0), SLA_KEYWORD, "true") &&
		(peek(parser, 1)->kind == SLA_END || peek(parser, 1)->kind == ')'))
	{
		parser->at++;
		appendStringInfoString(out, "{\"all\": []}");
		return true;
	}
	for (int i = 0; i < 3; i++)
		initStringInfo(&lists[i]);
	do
	{
		bool		none;

		if (peek(parser, 0)->kind == '(' && is_list_ahead(parser, &none))
		{
			/* in this order, and each once */
			if (lists[2].len > 0 || (!none && lists[1].len > 0) ||
				!take_list(parser, none, &lists[none ? 2 : 1]))
				return false;
		}
		else
		{
			if (lists[1].len > 0 || lists[2].len > 0)
				return false;
			if (lists[0].len > 0)
				appendStringInfoString(&lists[0], ", ");
			if (!take_part(parser, &lists[0]))
				return false;
		}
	} while (take_keyword(parser, "and"));

	appendStringInfoChar(out, '{');
	for (int i = 0; i < 3; i++)
	{
		if (lists[i].len == 0)
			continue;
		appendStringInfo(out, "%s\"%s\": [%s]", first ? "" : ", ", names[i], lists[i].data);
		first = false;
	}
	appendStringInfoChar(out, '}');
	return true;
}

/*
 * sla.condition_to_json(condition text) RETURNS jsonb
 *
 * NULL for SQL that is not of the form that sla.condition_from_json writes.
 */
SLA_FUNCTION(sla_condition_to_json);
Datum
sla_condition_to_json(PG_FUNCTION_ARGS)
{
	Parser		parser = {.text = text_to_cstring(PG_GETARG_TEXT_PP(0))};
	StringInfoData out;
	int			n;

	parser.tokens = sla_tokens(parser.text, &n);
	initStringInfo(&out);
	if (!take_group(&parser, &out) || !take(&parser, SLA_END))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(out.data)));
}
