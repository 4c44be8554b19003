/*
 * ticket_row.c
 *		The ticket's own row: its facts for the rules, and the columns kept for it.
 *
 * Rules of a source with a facts view run over the view's row of the ticket,
 * read anew for each change: by the source's key, under the rights of the view's
 * owner, seeing what the statement itself has done.
 *
 * A level_column and a due_column are written by an ordinary UPDATE of the
 * ticket, under the rights of the table's owner, only when they would change.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/resowner.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "store.h"
#include "tracking.h"

SLA_FUNCTION(sla_refresh_ticket);

/* What a rule that fails does to the statement that wrote the ticket. */
typedef enum OnRuleError
{
	RULE_ERROR_STOPS,
	RULE_ERROR_IS_RECORDED
} OnRuleError;

static const struct config_enum_entry on_rule_error_values[] = {
	{"error", RULE_ERROR_STOPS, false},
	{"record", RULE_ERROR_IS_RECORDED, false},
	{NULL, 0, false}
};

static int	on_rule_error = RULE_ERROR_STOPS;

void
sla_ticket_row_init(void)
{
	DefineCustomEnumVariable("pg_sla.on_rule_error",
							 "What a rule that fails does to the statement that writes a ticket.",
							 "error stops the statement; record lets the ticket through without a choice of "
							 "level, with a warning and a row in sla.problem.",
							 &on_rule_error,
							 RULE_ERROR_STOPS,
							 on_rule_error_values,
							 PGC_SUSET,
							 0,
							 NULL, NULL, NULL);
}

/* ----------------------------------------------------------------
 * Statements on the user's tables
 *
 * Each is written once for as long as its table is as it was: a change of the
 * table moves the generation, and what is compiled with its plans is made anew.
 * So a column that was renamed is told of, and not a plan that failed.
 * ----------------------------------------------------------------
 */

/* A text parameter as a value of a column's type. */
static char *
as_column(const char *parameter, Oid relid, const char *column)
{
	AttrNumber	attribute = get_attnum(relid, column);
	Oid			type;
	int32		typmod;
	Oid			collation;

	if (attribute <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("table \"%s\" has no column \"%s\" any more", get_rel_name(relid), column),
				 errhint("Call sla.track() again with the columns that there are.")));
	get_atttypetypmodcoll(relid, attribute, &type, &typmod, &collation);
	return psprintf("CAST(%s AS %s)", parameter, format_type_with_typemod(type, typmod));
}

void
sla_relation_owner_enter(SlaEnvironment *saved, const SlaSource *source, Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	SlaWriter	writer = source->writer;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("a table of source \"%s\" has been dropped", source->name),
				 errhint("Call sla.untrack('%s').", source->name)));
	writer.owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	sla_environment_enter(saved, &writer);
}

/* ----------------------------------------------------------------
 * Choosing by rules
 * ----------------------------------------------------------------
 */

char *
sla_rows_statement(Oid relid, const char *key, const char **alias)
{
	char	   *name = pstrdup("ticket_row");

	/* A column of that name would be meant instead. */
	while (get_attnum(relid, name) != InvalidAttrNumber)
		name = psprintf("%s_", name);
	*alias = name;
	return psprintf("SELECT CAST(%s.%s AS pg_catalog.text), %s FROM %s AS %s", name,
					quote_identifier(key), name, sla_qualified_name(relid), name);
}

char *
sla_by_key(Oid relid, const char *alias, const char *key)
{
	return psprintf("%s.%s OPERATOR(pg_catalog.=) %s", alias, quote_identifier(key),
					as_column("$1", relid, key));
}

static char *
facts_statement(const SlaSource *source, Oid relid)
{
	const char *alias;
	char	   *rows = sla_rows_statement(relid, source->ticket_key, &alias);

	sla_watch_relation(relid);
	return psprintf("%s WHERE %s", rows, sla_by_key(relid, alias, source->ticket_key));
}

/* The facts of a ticket in a slot of its own, NULL when there are none.  Within SPI. */
static TupleTableSlot *
read_facts(SlaTracked *tracked, Relation facts, const char *ticket)
{
	static const Oid types[] = {TEXTOID};
	const SlaSource *source = &tracked->about;
	Datum		values[] = {CStringGetTextDatum(ticket)};
	Oid			relid = RelationGetRelid(facts);
	SlaEnvironment saved;
	TupleTableSlot *slot;
	HeapTupleHeader row;
	HeapTuple	tuple;
	bool		isnull;

	sla_relation_owner_enter(&saved, source, relid);
	sla_execute(&tracked->read_facts,
				tracked->read_facts == NULL ? facts_statement(source, relid) : NULL,
				1, types, values, NULL);
	sla_environment_leave(&saved);

	if (SPI_processed == 0)
		return NULL;
	if (SPI_processed > 1)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("facts \"%s\" have " UINT64_FORMAT " rows for ticket \"%s\"",
						get_rel_name(relid), SPI_processed, ticket),
				 errhint("A ticket has one row of facts; aggregate what it has several of.")));
	slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(RelationGetDescr(facts)), &TTSOpsHeapTuple);
	/* A value of the row type has all columns of the relation, also those that were dropped. */
	row = DatumGetHeapTupleHeaderCopy(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull));
	tuple = palloc0(sizeof(HeapTupleData));
	tuple->t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = relid;
	tuple->t_data = row;
	ExecStoreHeapTuple(tuple, slot, false);
	SPI_freetuptable(SPI_tuptable);
	return slot;
}

/* How a choice is made. */
typedef struct Asked
{
	SlaTracked *tracked;
	Relation	rel;
	const char *ticket;
	TupleTableSlot *slot;
	TupleTableSlot *former;		/* the ticket's row before the change, or NULL */
	bool		is_facts;		/* rel and slot are what rules run over already */
	bool		is_new;
} Asked;

static bool
choose(const Asked *asked, SlaChoice *choice, bool *keep_levels)
{
	const SlaSource *source = &asked->tracked->about;
	Relation	over = asked->rel;
	TupleTableSlot *slot = asked->slot;
	SlaRuleSet *rules;

	if (OidIsValid(source->facts) && !asked->is_facts)
	{
		over = sla_open_facts(source);
		slot = read_facts(asked->tracked, over, asked->ticket);
	}
	if (slot != NULL)
	{
		rules = sla_rules_for(source->name, over);
		/* Rules for new tickets only: what they chose stays unless another says otherwise. */
		*keep_levels = !asked->is_new && sla_rules_keep_levels(rules);
		sla_choose_levels(rules, slot, over == asked->rel ? asked->former : NULL, asked->is_new,
						  choice);
	}
	if (over != asked->rel)
		relation_close(over, NoLock);
	return slot != NULL;
}

/* May the ticket go through although this happened? */
static bool
is_about_rules(int sqlerrcode)
{
	switch (ERRCODE_TO_CATEGORY(sqlerrcode))
	{
		case ERRCODE_TRANSACTION_ROLLBACK:
		case ERRCODE_INSUFFICIENT_RESOURCES:
		case ERRCODE_OPERATOR_INTERVENTION:
		case ERRCODE_SYSTEM_ERROR:
		case ERRCODE_INTERNAL_ERROR:
			return false;
		default:
			return true;
	}
}

bool
sla_rule_errors_are_recorded(void)
{
	return on_rule_error == RULE_ERROR_IS_RECORDED;
}

/* As choose, but an error is recorded, and nothing is chosen. */
static bool
choose_or_record(const Asked *asked, SlaChoice *choice, bool *keep_levels)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile error = NULL;
	volatile bool chosen = false;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		chosen = choose(asked, choice, keep_levels);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		if (!is_about_rules(error->sqlerrcode))
			ReThrowError(error);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;

	if (error == NULL)
		return chosen;
	sla_record_problem(asked->tracked->about.name, asked->ticket, error->sqlerrcode, error->message, error->context);
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("no level was chosen for ticket \"%s\" of source \"%s\": %s",
					asked->ticket, asked->tracked->source, error->message),
			 error->context ? errdetail("%s.", error->context) : 0,
			 errhint("The table sla.problem lists such tickets.")));
	return false;
}

static bool
choose_as_set(const Asked *asked, SlaChoice *choice, bool *keep_levels)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		chosen;

	*keep_levels = false;
	/* SPI for the facts; what is chosen is the caller's. */
	SPI_connect();
	MemoryContextSwitchTo(caller);
	if (on_rule_error == RULE_ERROR_IS_RECORDED)
		chosen = choose_or_record(asked, choice, keep_levels);
	else
		chosen = choose(asked, choice, keep_levels);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	return chosen;
}

bool
sla_choose_for_ticket(SlaTracked *tracked, Relation rel, const char *ticket, TupleTableSlot *slot,
					  TupleTableSlot *former, bool is_new, SlaChoice *choice, bool *keep_levels)
{
	Asked		asked = {
		.tracked = tracked, .rel = rel, .ticket = ticket, .slot = slot, .former = former, .is_new = is_new
	};

	return choose_as_set(&asked, choice, keep_levels);
}

bool
sla_choose_for_row(SlaTracked *tracked, Relation over, const char *ticket, TupleTableSlot *slot,
				   bool is_new, SlaChoice *choice, bool *keep_levels)
{
	Asked		asked = {
		.tracked = tracked, .rel = over, .ticket = ticket, .slot = slot, .is_facts = true, .is_new = is_new
	};

	return choose_as_set(&asked, choice, keep_levels);
}

/*
 * The columns of the ticket's row on which the choice depends.  What a view
 * makes of the row is not looked into: with facts every column may matter.  So
 * it may where rules cannot be compiled but shall not stop the ticket.
 */
const Bitmapset *
sla_columns_of_rules(const SlaSource *source, Relation rel)
{
	Bitmapset  *whole_row = bms_make_singleton(0 - FirstLowInvalidHeapAttributeNumber);

	if (OidIsValid(source->facts) || on_rule_error == RULE_ERROR_IS_RECORDED)
		return whole_row;
	return sla_rule_columns(sla_rules_for(source->name, rel));
}

/* ----------------------------------------------------------------
 * The columns kept for the ticket
 * ----------------------------------------------------------------
 */

/* The trigger that our own UPDATE fires must not write the ticket's columns again. */
static const char *writing_source = NULL;
static const char *writing_ticket = NULL;	/* NULL: those of many */

bool
sla_is_writing_columns(const char *source, const char *ticket)
{
	return writing_source != NULL && strcmp(writing_source, source) == 0 &&
		(writing_ticket == NULL || strcmp(writing_ticket, ticket) == 0);
}

/* Does the ticket's due_column show this clock? */
static bool
is_shown(const SlaLogRow *row)
{
	return row->agreement == SLA_CUSTOMER && row->outcome == SLA_OPEN && (row->running || row->fixed);
}

SlaNewEvent *
sla_events_of_due(const SlaTracked *tracked, const char *ticket, const TimestampTz *due,
				  TimestampTz at, int *n)
{
	MemoryContext caller_context = CurrentMemoryContext;
	SlaOwner	caller;
	SlaNewEvent *events;
	TimestampTz nearest = DT_NOEND;
	SlaHistory	history;
	SlaLog		log;

	SPI_connect();
	sla_owner_enter(&caller);
	MemoryContextSwitchTo(caller_context);
	sla_read_log(tracked->source, ticket, NULL, &log);
	/* Set after all that is known. */
	sla_read_history(tracked->source, ticket, NULL, &history);
	for (int i = 0; i < history.n; i++)
		at = Max(at, history.events[i].at);
	sla_owner_leave(&caller);
	SPI_finish();

	for (int i = 0; i < log.nrows; i++)
		if (is_shown(&log.rows[i]))
			nearest = Min(nearest, log.rows[i].deadline);
	events = palloc0(log.nrows * sizeof(SlaNewEvent) + 1);
	*n = 0;
	for (int i = 0; i < log.nrows; i++)
	{
		const SlaLogRow *row = &log.rows[i];
		SlaEventDetail *detail;

		/* What was missed stays missed. */
		if (!is_shown(row) ||
			sla_is_missed(row->deadline, row->counted, row->ncounted, row->running, row->strict, row->fixed, at))
			continue;
		/* The nearest is what was written: so are those that would be nearer. */
		if (due == NULL ? !row->fixed : (row->deadline != nearest && row->deadline >= *due))
			continue;
		if (due != NULL && *due < at)
			continue;
		detail = palloc0(sizeof(SlaEventDetail));
		detail->agreement = row->agreement;
		detail->metric = row->metric;
		detail->has_deadline = due != NULL;
		if (due != NULL)
			detail->deadline = *due;
		detail->reason = psprintf("column \"%s\" was written", tracked->about.due_column);
		events[*n].event = SLA_EVENT_DEADLINE_SET;
		events[*n].at = at;
		events[*n].is_last = true;
		events[*n].detail = detail;
		(*n)++;
	}
	if (*n == 0 && due != NULL)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("what was written to column \"%s\" of ticket \"%s\" is no deadline",
						tracked->about.due_column, ticket),
				 errdetail("The ticket has no clock whose deadline could be set to it.")));
	return events;
}

bool
sla_keeps_columns(const SlaSource *source)
{
	return source->level_column != NULL || source->due_column != NULL;
}

/* "column" = value, for the list of SET; and the comparison that spares the write. */
static void
append_column(StringInfo set, StringInfo differs, const SlaSource *source, const char *column, const char *parameter)
{
	char	   *value;

	if (column == NULL)
		return;
	value = as_column(parameter, source->ticket_table, column);
	appendStringInfo(set, "%s%s = %s", set->len > 0 ? ", " : "", quote_identifier(column), value);
	appendStringInfo(differs, "%st.%s IS DISTINCT FROM %s", differs->len > 0 ? " OR " : "", quote_identifier(column), value);
}

static char *
write_statement(const SlaSource *source)
{
	StringInfoData set;
	StringInfoData differs;

	sla_watch_relation(source->ticket_table);
	initStringInfo(&set);
	initStringInfo(&differs);
	append_column(&set, &differs, source, source->level_column, "$2");
	append_column(&set, &differs, source, source->due_column, "$3");
	return psprintf("UPDATE %s AS t SET %s WHERE %s AND (%s)", sla_qualified_name(source->ticket_table),
					set.data, sla_by_key(source->ticket_table, "t", source->ticket_key), differs.data);
}

/*
 * What the columns of a ticket of source $1 must be.  The level was decided by
 * the last event, in the order in which clocks take them: nothing comes before
 * the ticket's creation.
 */
#define LEVEL_OF(ticket) \
	"(SELECT (SELECT p.level FROM sla.promise AS p WHERE p.id OPERATOR(pg_catalog.=) e.promises[1])" \
	" FROM sla.event AS e LEFT JOIN LATERAL (SELECT c.id FROM sla.event AS c" \
	" WHERE c.source OPERATOR(pg_catalog.=) $1 AND c.ticket OPERATOR(pg_catalog.=) " ticket \
	" AND c.event OPERATOR(pg_catalog.=) 'created' ORDER BY c.at, c.id LIMIT 1) AS b ON true" \
	" WHERE e.source OPERATOR(pg_catalog.=) $1 AND e.ticket OPERATOR(pg_catalog.=) " ticket \
	" AND e.promises[1] OPERATOR(pg_catalog.>=) 0" \
	" ORDER BY COALESCE(e.id OPERATOR(pg_catalog.=) b.id, false), e.at DESC, e.id DESC LIMIT 1)"
#define DUE_OF(ticket) \
	"(SELECT pg_catalog.min(l.deadline) FROM sla.log AS l WHERE l.source OPERATOR(pg_catalog.=) $1" \
	" AND l.ticket OPERATOR(pg_catalog.=) " ticket " AND l.agreement OPERATOR(pg_catalog.=) 'customer'" \
	" AND (l.running_since IS NOT NULL OR (l.fixed AND l.closed_at IS NULL)))"

void
sla_write_ticket_columns(SlaTracked *tracked, const char *ticket)
{
	static SPIPlanPtr ask = NULL;
	static const Oid ask_types[] = {TEXTOID, TEXTOID};
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID};
	const SlaSource *source = &tracked->about;
	Datum		asked[] = {CStringGetTextDatum(source->name), CStringGetTextDatum(ticket)};
	Datum		values[lengthof(types)];
	char		nulls[] = "   ";
	const char *outer_source = writing_source;
	const char *outer_ticket = writing_ticket;
	SlaOwner	caller;
	SlaEnvironment saved;
	bool		isnull;

	if (!sla_keeps_columns(source) || sla_is_writing_columns(source->name, ticket))
		return;

	SPI_connect();
	sla_owner_enter(&caller);
	/* As the log is now, whatever the transaction sees: as clocks are computed. */
	CommandCounterIncrement();
	sla_read_newest(&ask, "SELECT " LEVEL_OF("$2") ", " DUE_OF("$2"), 2, ask_types, asked);
	values[0] = asked[1];
	values[1] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (isnull)
		nulls[1] = 'n';
	values[2] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2, &isnull);
	if (isnull)
		nulls[2] = 'n';
	sla_owner_leave(&caller);

	sla_relation_owner_enter(&saved, source, source->ticket_table);
	writing_source = source->name;
	writing_ticket = ticket;
	PG_TRY();
	{
		sla_execute(&tracked->write_columns,
					tracked->write_columns == NULL ? write_statement(source) : NULL,
					lengthof(types), types, values, nulls);
	}
	PG_FINALLY();
	{
		writing_source = outer_source;
		writing_ticket = outer_ticket;
	}
	PG_END_TRY();
	sla_environment_leave(&saved);
	SPI_finish();
}

/*
 * Have calendars been edited since the end of the transaction before, in which
 * this was asked last?  What the present one has written, it has written since.
 */
static bool
calendars_edited(void)
{
	static TransactionId asked_in = InvalidTransactionId;
	static uint64 asked = 0;
	static uint64 before = 0;
	TransactionId transaction = GetTopTransactionId();

	if (transaction != asked_in)
	{
		before = asked;
		asked_in = transaction;
	}
	asked = sla_calendar_generation;
	/* An edit is heard of where the table has been looked up. */
	sla_config_relid(SLA_TABLE_CALENDAR);
	return asked != before;
}

void
sla_follow_columns(SlaTracked *tracked, TupleTableSlot *slot)
{
	const char *ticket;

	if (!sla_keeps_columns(&tracked->about))
		return;
	ticket = sla_ticket_of(tracked, slot);
	if (sla_is_writing_columns(tracked->source, ticket))
		return;
	LockRelationOid(sla_log_relid(), RowExclusiveLock);
	AcceptInvalidationMessages();
	if (calendars_edited())
		sla_write_ticket_columns(tracked, ticket);
}

void
sla_write_columns_of_tickets(const SlaSource *source, Datum tickets)
{
	static SPIPlanPtr ask = NULL;
	static const Oid ask_types[] = {TEXTOID, TEXTARRAYOID};
	static Oid	types[] = {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID};
	Datum		asked[] = {CStringGetTextDatum(source->name), tickets};
	Datum		values[lengthof(types)];
	const char *outer_source = writing_source;
	const char *outer_ticket = writing_ticket;
	StringInfoData set;
	StringInfoData differs;
	SlaOwner	caller;
	SlaEnvironment saved;
	const char *key;
	int			result;

	if (!sla_keeps_columns(source))
		return;

	SPI_connect();
	sla_owner_enter(&caller);
	sla_execute_newest(&ask,
					   "SELECT pg_catalog.array_agg(k.ticket), pg_catalog.array_agg(" LEVEL_OF("k.ticket") "),"
					   " pg_catalog.array_agg(" DUE_OF("k.ticket") ") FROM pg_catalog.unnest($2) AS k (ticket)",
					   2, ask_types, asked, NULL);
	for (int i = 0; i < (int) lengthof(types); i++)
	{
		bool		isnull;

		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, i + 1, &isnull);
		/* No ticket at all. */
		if (isnull)
		{
			sla_owner_leave(&caller);
			SPI_finish();
			return;
		}
	}
	sla_owner_leave(&caller);

	initStringInfo(&set);
	initStringInfo(&differs);
	append_column(&set, &differs, source, source->level_column, "v.level");
	append_column(&set, &differs, source, source->due_column, "v.due");
	sla_relation_owner_enter(&saved, source, source->ticket_table);
	key = psprintf("t.%s", quote_identifier(source->ticket_key));
	writing_source = source->name;
	writing_ticket = NULL;
	PG_TRY();
	{
		result = SPI_execute_with_args(psprintf("UPDATE %s AS t SET %s FROM ROWS FROM (pg_catalog.unnest($1),"
												" pg_catalog.unnest($2), pg_catalog.unnest($3)) AS v (ticket, level, due)"
												" WHERE %s OPERATOR(pg_catalog.=) %s AND (%s)",
												sla_qualified_name(source->ticket_table), set.data, key,
												as_column("v.ticket", source->ticket_table, source->ticket_key),
												differs.data),
									   lengthof(types), types, values, NULL, false, 0);
		if (result != SPI_OK_UPDATE)
			elog(ERROR, "could not write the columns of tickets: %s", SPI_result_code_string(result));
	}
	PG_FINALLY();
	{
		writing_source = outer_source;
		writing_ticket = outer_ticket;
	}
	PG_END_TRY();
	sla_environment_leave(&saved);
	SPI_finish();
}

/*
 * sla.refresh_ticket(source, ticket): write the ticket's columns after its
 * deadlines have moved.
 */
Datum
sla_refresh_ticket(PG_FUNCTION_ARGS)
{
	SlaTracked	tracked = {0};
	SlaOwner	caller;

	sla_owner_enter(&caller);
	SPI_connect();
	tracked.source = text_to_cstring(PG_GETARG_TEXT_PP(0));
	if (sla_read_source(tracked.source, &tracked.about))
		sla_write_ticket_columns(&tracked, text_to_cstring(PG_GETARG_TEXT_PP(1)));
	if (tracked.write_columns != NULL)
		SPI_freeplan(tracked.write_columns);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}
