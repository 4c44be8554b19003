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
	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
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
		sla_history_add(history, &event);
	}
	sla_scan_end(&scan);
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
}

void
sla_write_event(const char *source, const char *ticket, SlaStoredEvent *event)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {
		INT8OID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID, INT4ARRAYOID
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
		sla_execute(&plan, "INSERT INTO sla.event (source, ticket, event, at, agent, of_ticket, department, assignee, promises)"
					" VALUES ($2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id", lengthof(types), types, values, spi_nulls);
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
