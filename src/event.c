/*
 * event.c
 *		A ticket's row in sla.ticket and its events in sla.event.
 */
#include "pg_sla.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "event.h"
#include "log.h"
#include "statement.h"
#include "store.h"

static const Oid ticket_types[] = {TEXTOID, TEXTOID};

/* By SPI, for a table that cannot be written directly. */
static bool
select_for_update(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	bool		found;

	SPI_connect();
	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
				" AND ticket OPERATOR(pg_catalog.=) $2 FOR UPDATE", 2, ticket_types, values, NULL);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

static bool
insert_unless_there(Datum *values)
{
	static SPIPlanPtr plan = NULL;
	bool		inserted;

	SPI_connect();
	sla_execute(&plan, "INSERT INTO sla.ticket (source, ticket) VALUES ($1, $2) ON CONFLICT DO NOTHING",
				2, ticket_types, values, NULL);
	inserted = SPI_processed > 0;
	SPI_finish();
	return inserted;
}

bool
sla_lock_ticket(const char *source, const char *ticket, bool is_new)
{
	bool		opened = sla_store_open();
	bool		direct = sla_store_direct(SLA_STORE_TICKET);
	Datum		values[TICKET_COLUMNS];
	bool		nulls[TICKET_COLUMNS];
	bool		made = false;

	sla_ticket_values(source, ticket, values, nulls);
	for (;;)
	{
		if (!is_new &&
			(direct ? sla_store_lock(SLA_STORE_TICKET, values[TICKET_SOURCE], values[TICKET_TICKET])
			 : select_for_update(values)))
			break;
		made = direct ? sla_store_insert_new(SLA_STORE_TICKET, values, nulls) : insert_unless_there(values);
		if (made)
			break;
		/* Another session made it meanwhile. */
		is_new = false;
	}
	sla_store_close(opened);
	return made;
}

bool
sla_ticket_exists(const char *source, const char *ticket)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};
	bool		found;

	SPI_connect();
	sla_execute_newest(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
					   " AND ticket OPERATOR(pg_catalog.=) $2", 2, ticket_types, values, NULL);
	found = SPI_processed > 0;
	SPI_finish();
	return found;
}

void
sla_history_add(SlaHistory *history, const SlaStoredEvent *event)
{
	if (history->n == history->size)
	{
		history->size = history->size ? history->size * 2 : 8;
		history->events = history->events
			? repalloc(history->events, history->size * sizeof(SlaStoredEvent))
			: palloc(history->size * sizeof(SlaStoredEvent));
	}
	history->events[history->n++] = *event;
}

static int
agreement_named(const char *name, int64 event)
{
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		if (strcmp(sla_agreement_names[i], name) == 0)
			return i;
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("unexpected agreement \"%s\" in event " INT64_FORMAT, name, event)));
	return 0;
}

/* What few events have, or NULL. */
static const SlaEventDetail *
read_detail(const SlaTicketScan *scan, int64 id)
{
	SlaEventDetail *detail;

	if (scan->nulls[EVENT_METRIC] && scan->nulls[EVENT_OTHER])
		return NULL;
	detail = palloc0(sizeof(SlaEventDetail));
	detail->other = sla_scan_text(scan, EVENT_OTHER);
	detail->metric = sla_scan_text(scan, EVENT_METRIC);
	if (!scan->nulls[EVENT_AGREEMENT])
		detail->agreement = agreement_named(sla_scan_text(scan, EVENT_AGREEMENT), id);
	detail->has_deadline = !scan->nulls[EVENT_DEADLINE];
	if (detail->has_deadline)
		detail->deadline = DatumGetTimestampTz(scan->values[EVENT_DEADLINE]);
	detail->has_since = !scan->nulls[EVENT_SINCE];
	if (detail->has_since)
		detail->since = DatumGetTimestampTz(scan->values[EVENT_SINCE]);
	if (!scan->nulls[EVENT_COUNTED])
		detail->ncounted = sla_multirange_to_stretches(scan->values[EVENT_COUNTED], &detail->counted);
	return detail;
}

/* The decisions of an event: "agreement metric", and two numbers for each. */
static void
read_decisions(const SlaTicketScan *scan, SlaStoredEvent *event)
{
	Datum	   *names;
	Datum	   *numbers;
	int			nnames;
	int			nnumbers;

	if (scan->nulls[EVENT_DECIDED_FOR] || scan->nulls[EVENT_DECIDED])
		return;
	deconstruct_array(DatumGetArrayTypeP(scan->values[EVENT_DECIDED_FOR]), TEXTOID, -1, false,
					  TYPALIGN_INT, &names, NULL, &nnames);
	deconstruct_array(DatumGetArrayTypeP(scan->values[EVENT_DECIDED]), INT8OID, sizeof(int64),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &numbers, NULL, &nnumbers);
	event->decisions = palloc(nnames * sizeof(SlaDecision) + 1);
	for (int i = 0; i < nnames; i++)
	{
		char	   *name = TextDatumGetCString(names[i]);
		char	   *space = strchr(name, ' ');

		if (space == NULL || nnumbers != 2 * nnames)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("event " INT64_FORMAT " has decisions that cannot be read", event->id)));
		*space = '\0';
		event->decisions[i].agreement = agreement_named(name, event->id);
		event->decisions[i].metric = space + 1;
		event->decisions[i].amount = DatumGetInt64(numbers[2 * i]);
		event->decisions[i].share = DatumGetInt64(numbers[2 * i + 1]);
	}
	event->ndecisions = nnames;
}

void
sla_read_history(const char *source, const char *ticket, Snapshot snapshot, SlaHistory *history)
{
	SlaTicketScan	scan;

	memset(history, 0, sizeof(SlaHistory));
	sla_scan_ticket(&scan, SLA_STORE_EVENT, source, ticket, snapshot);
	while (sla_scan_next(&scan))
	{
		SlaStoredEvent event;

		memset(&event, 0, sizeof(event));
		event.id = DatumGetInt64(scan.values[EVENT_ID]);
		event.event = sla_scan_text(&scan, EVENT_EVENT);
		event.at = DatumGetTimestampTz(scan.values[EVENT_AT]);
		event.agent = sla_scan_text(&scan, EVENT_AGENT);
		event.of_ticket = DatumGetBool(scan.values[EVENT_OF_TICKET]);
		event.department = sla_scan_text(&scan, EVENT_DEPARTMENT);
		event.assignee = sla_scan_text(&scan, EVENT_ASSIGNEE);
		if (!scan.nulls[EVENT_PROMISES])
		{
			ArrayType  *array = DatumGetArrayTypeP(scan.values[EVENT_PROMISES]);

			if (ARR_NDIM(array) != 1 || ARR_HASNULL(array) || ARR_DIMS(array)[0] != SLA_N_AGREEMENTS)
				ereport(ERROR,
						(errcode(ERRCODE_DATA_CORRUPTED),
						 errmsg("event " INT64_FORMAT " of ticket \"%s\" has no promise for each agreement", event.id, ticket)));
			event.decides = true;
			memcpy(event.promises, ARR_DATA_PTR(array), sizeof(event.promises));
		}
		event.recorded_at = DatumGetTimestampTz(scan.values[EVENT_RECORDED_AT]);
		event.detail = read_detail(&scan, event.id);
		read_decisions(&scan, &event);
		sla_history_add(history, &event);
	}
	sla_scan_end(&scan);
}

/* The decisions of an event as they are kept. */
static void
decision_values(const SlaStoredEvent *event, Datum *decided_for, Datum *decided)
{
	int			n = event->ndecisions;
	Datum	   *names = palloc(n * sizeof(Datum) + 1);
	Datum	   *numbers = palloc(2 * n * sizeof(Datum) + 1);

	for (int i = 0; i < n; i++)
	{
		const SlaDecision *decision = &event->decisions[i];

		names[i] = CStringGetTextDatum(psprintf("%s %s", sla_agreement_names[decision->agreement], decision->metric));
		numbers[2 * i] = Int64GetDatum(decision->amount);
		numbers[2 * i + 1] = Int64GetDatum(decision->share);
	}
	*decided_for = PointerGetDatum(construct_array(names, n, TEXTOID, -1, false, TYPALIGN_INT));
	*decided = PointerGetDatum(construct_array(numbers, 2 * n, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* The columns that few events have. */
static void
detail_values(const SlaStoredEvent *event, Datum *values, bool *nulls)
{
	const SlaEventDetail *detail = event->detail;

	for (int i = EVENT_OTHER; i < EVENT_COLUMNS; i++)
	{
		values[i] = (Datum) 0;
		nulls[i] = true;
	}
	if (event->ndecisions > 0)
	{
		decision_values(event, &values[EVENT_DECIDED_FOR], &values[EVENT_DECIDED]);
		nulls[EVENT_DECIDED_FOR] = nulls[EVENT_DECIDED] = false;
	}
	if (detail == NULL)
		return;
	values[EVENT_OTHER] = sla_text_or_null(detail->other, &nulls[EVENT_OTHER]);
	values[EVENT_METRIC] = sla_text_or_null(detail->metric, &nulls[EVENT_METRIC]);
	if (detail->metric != NULL)
	{
		values[EVENT_AGREEMENT] = CStringGetTextDatum(sla_agreement_names[detail->agreement]);
		nulls[EVENT_AGREEMENT] = false;
	}
	values[EVENT_DEADLINE] = TimestampTzGetDatum(detail->deadline);
	nulls[EVENT_DEADLINE] = !detail->has_deadline;
	if (detail->has_since)
	{
		values[EVENT_SINCE] = TimestampTzGetDatum(detail->since);
		values[EVENT_COUNTED] = sla_stretches_to_multirange(detail->counted, detail->ncounted);
		nulls[EVENT_SINCE] = nulls[EVENT_COUNTED] = false;
	}
}

void
sla_write_decisions(const char *source, const char *ticket, const SlaHistory *history)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID, TEXTARRAYOID, INT8ARRAYOID};

	for (int i = 0; i < history->n; i++)
	{
		const SlaStoredEvent *event = &history->events[i];
		Datum		values[lengthof(types)];

		if (!event->decisions_changed)
			continue;
		values[0] = CStringGetTextDatum(source);
		values[1] = CStringGetTextDatum(ticket);
		values[2] = TimestampTzGetDatum(event->at);
		values[3] = Int64GetDatum(event->id);
		decision_values(event, &values[4], &values[5]);
		/* What was written directly is there for statements. */
		sla_store_flush();
		SPI_connect();
		sla_execute_newest(&plan, "UPDATE sla.event SET decided_for = $5, decided = $6"
						   " WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2"
						   " AND at OPERATOR(pg_catalog.=) $3 AND id OPERATOR(pg_catalog.=) $4",
						   lengthof(types), types, values, NULL);
		SPI_finish();
	}
}

void
sla_event_values(const char *source, const char *ticket, const SlaStoredEvent *event,
				 Datum *values, bool *nulls)
{
	Datum		promises[SLA_N_AGREEMENTS];

	memset(nulls, false, EVENT_COLUMNS * sizeof(bool));
	values[EVENT_ID] = Int64GetDatum(event->id);
	values[EVENT_SOURCE] = CStringGetTextDatum(source);
	values[EVENT_TICKET] = CStringGetTextDatum(ticket);
	values[EVENT_EVENT] = CStringGetTextDatum(event->event);
	values[EVENT_AT] = TimestampTzGetDatum(event->at);
	values[EVENT_AGENT] = sla_text_or_null(event->agent, &nulls[EVENT_AGENT]);
	values[EVENT_OF_TICKET] = BoolGetDatum(event->of_ticket);
	values[EVENT_DEPARTMENT] = sla_text_or_null(event->department, &nulls[EVENT_DEPARTMENT]);
	values[EVENT_ASSIGNEE] = sla_text_or_null(event->assignee, &nulls[EVENT_ASSIGNEE]);
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		promises[i] = Int32GetDatum(event->promises[i]);
	values[EVENT_PROMISES] = event->decides
		? PointerGetDatum(construct_array(promises, SLA_N_AGREEMENTS, INT4OID, sizeof(int32), true, TYPALIGN_INT))
		: (Datum) 0;
	nulls[EVENT_PROMISES] = !event->decides;
	values[EVENT_RECORDED_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
	detail_values(event, values, nulls);
}

void
sla_write_event(const char *source, const char *ticket, SlaStoredEvent *event)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {
		INT8OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID, INT4ARRAYOID,
		TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TSTZMULTIRANGEOID,
		TEXTARRAYOID, INT8ARRAYOID
	};
	bool		opened = sla_store_open();
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];

	sla_event_values(source, ticket, event, values, nulls);
	if (sla_store_direct(SLA_STORE_EVENT))
	{
		event->id = sla_store_next_id(SLA_STORE_EVENT);
		values[EVENT_ID] = Int64GetDatum(event->id);
		sla_store_insert(SLA_STORE_EVENT, values, nulls);
	}
	else
	{
		char		spi_nulls[EVENT_COLUMNS];
		bool		isnull;

		for (int i = 0; i < EVENT_COLUMNS; i++)
			spi_nulls[i] = nulls[i] ? 'n' : ' ';
		SPI_connect();
		/* $1 stands for the id, so that the others stand for the columns of their places. */
		spi_nulls[EVENT_ID] = 'n';
		sla_execute(&plan, "INSERT INTO sla.event (source, ticket, event, at, agent, of_ticket, department, assignee, promises,"
					" recorded_at, other, agreement, metric, deadline, since, counted, decided_for, decided) VALUES ($2, $3, $4, $5,"
					" $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) RETURNING id", lengthof(types), types, values, spi_nulls);
		event->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
		SPI_finish();
	}
	sla_store_close(opened);
}

void
sla_ticket_values(const char *source, const char *ticket, Datum *values, bool *nulls)
{
	memset(nulls, false, TICKET_COLUMNS * sizeof(bool));
	values[TICKET_SOURCE] = CStringGetTextDatum(source);
	values[TICKET_TICKET] = CStringGetTextDatum(ticket);
	values[TICKET_CHANGED_AT] = TimestampTzGetDatum(GetCurrentTransactionStartTimestamp());
}

bool
sla_lock_idle_ticket(const char *source, const char *ticket)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
				" AND ticket OPERATOR(pg_catalog.=) $2 FOR UPDATE SKIP LOCKED", 2, ticket_types, values, NULL);
	return SPI_processed > 0;
}

bool
sla_ticket_is_known(const char *source, const char *ticket)
{
	SlaTicketScan scan;
	bool		known = false;

	sla_scan_ticket(&scan, SLA_STORE_EVENT, source, ticket, NULL);
	while (!known && sla_scan_next(&scan))
	{
		const char *event = sla_scan_text(&scan, EVENT_EVENT);

		known = strcmp(event, "created") == 0 || strcmp(event, "purged") == 0;
	}
	sla_scan_end(&scan);
	return known;
}

void
sla_record_problem(const char *source, const char *ticket, int sqlerrcode,
				   const char *message, const char *context)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	Datum		values[lengthof(types)];
	char		nulls[] = "     ";
	SlaOwner	caller;

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(unpack_sql_state(sqlerrcode));
	values[3] = CStringGetTextDatum(message);
	values[4] = context ? CStringGetTextDatum(context) : (nulls[4] = 'n', (Datum) 0);
	sla_owner_enter(&caller);
	SPI_connect();
	sla_execute(&plan, "INSERT INTO sla.problem (source, ticket, sqlstate, message, context)"
				" VALUES ($1, $2, $3, $4, $5)", lengthof(types), types, values, nulls);
	SPI_finish();
	sla_owner_leave(&caller);
}
