/*
 * event.c
 *		A ticket's row in sla.ticket and its events in sla.event.
 */
#include "pg_sla.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "event.h"
#include "statement.h"
#include "store.h"

/* Columns of sla.event, in the order of src/sql/clock.sql. */
enum
{
	EVENT_ID, EVENT_SOURCE, EVENT_TICKET, EVENT_EVENT, EVENT_AT, EVENT_AGENT, EVENT_OF_TICKET,
	EVENT_DEPARTMENT, EVENT_ASSIGNEE, EVENT_PROMISES, EVENT_RECORDED_AT,
	EVENT_COLUMNS
};

static const Oid ticket_types[] = {TEXTOID, TEXTOID};

bool
sla_lock_ticket(const char *source, const char *ticket, bool is_new)
{
	static SPIPlanPtr insert = NULL;
	static SPIPlanPtr lock = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	for (;;)
	{
		if (!is_new)
		{
			sla_execute(&lock, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
					" AND ticket OPERATOR(pg_catalog.=) $2 FOR UPDATE", 2, ticket_types, values, NULL);
			if (SPI_processed > 0)
				return false;
		}
		sla_execute(&insert, "INSERT INTO sla.ticket (source, ticket) VALUES ($1, $2)"
				" ON CONFLICT DO NOTHING", 2, ticket_types, values, NULL);
		if (SPI_processed > 0)
			return true;
		/* Another session made it meanwhile. */
		is_new = false;
	}
}

bool
sla_ticket_exists(const char *source, const char *ticket)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(ticket)};

	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
			" AND ticket OPERATOR(pg_catalog.=) $2", 2, ticket_types, values, NULL);
	return SPI_processed > 0;
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
	sla_scan_ticket(&scan, "event", EVENT_COLUMNS, EVENT_SOURCE, source, ticket, snapshot);
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
		sla_history_add(history, &event);
	}
	sla_scan_end(&scan);
}

void
sla_write_event(const char *source, const char *ticket, SlaStoredEvent *event)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID, INT4ARRAYOID};
	Datum		promises[SLA_N_AGREEMENTS];
	Datum		values[lengthof(types)];
	char		nulls[lengthof(types) + 1];
	bool		isnull;

	memset(nulls, ' ', sizeof(nulls));
	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(ticket);
	values[2] = CStringGetTextDatum(event->event);
	values[3] = TimestampTzGetDatum(event->at);
	values[4] = event->agent ? CStringGetTextDatum(event->agent) : (nulls[4] = 'n', (Datum) 0);
	values[5] = BoolGetDatum(event->of_ticket);
	values[6] = event->department ? CStringGetTextDatum(event->department) : (nulls[6] = 'n', (Datum) 0);
	values[7] = event->assignee ? CStringGetTextDatum(event->assignee) : (nulls[7] = 'n', (Datum) 0);
	for (int i = 0; i < SLA_N_AGREEMENTS; i++)
		promises[i] = Int32GetDatum(event->promises[i]);
	values[8] = event->decides
		? PointerGetDatum(construct_array(promises, SLA_N_AGREEMENTS, INT4OID, sizeof(int32), true, TYPALIGN_INT))
		: (nulls[8] = 'n', (Datum) 0);

	sla_execute(&plan, "INSERT INTO sla.event (source, ticket, event, at, agent, of_ticket, department, assignee, promises)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id", lengthof(types), types, values, nulls);
	event->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));
	SPI_freetuptable(SPI_tuptable);
}
