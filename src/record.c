/*
 * record.c
 *		What is told by hand: events, deadlines, merged tickets.
 *
 * All of it becomes events, so that the log stays a function of them.  The
 * ticket's own row is locked first and its columns are written last, as by a
 * statement that changes the ticket.
 */
#include "pg_sla.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "statement.h"
#include "store.h"
#include "tracking.h"

SLA_FUNCTION(sla_record_event);
SLA_FUNCTION(sla_set_deadline);
SLA_FUNCTION(sla_merge);

/* A ticket about which something is told. */
typedef struct Told
{
	SlaTracked	tracked;
	const char *ticket;
} Told;

/* Begin to tell something of a ticket: its source must be tracked.  Within SPI. */
static void
begin(Told *told, const char *source, const char *ticket)
{
	memset(told, 0, sizeof(Told));
	told->ticket = ticket;
	if (!sla_read_source(source, &told->tracked.about))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("source \"%s\" does not exist", source),
				 errhint("Sources are made by sla.track().")));
	told->tracked.source = source;
}

/* Where there is one only in the snapshot of a REPEATABLE READ transaction, it has another key by now. */
static void
need_ticket(const Told *told)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(told->tracked.source), CStringGetTextDatum(told->ticket)};

	if (sla_ticket_exists(told->tracked.source, told->ticket))
		return;
	sla_execute(&plan, "SELECT 1 FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1"
				" AND ticket OPERATOR(pg_catalog.=) $2", lengthof(types), types, values, NULL);
	if (SPI_processed > 0 && IsolationUsesXactSnapshot())
		sla_could_not_serialize("delete");
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("ticket \"%s\" of source \"%s\" has no events yet", told->ticket, told->tracked.source),
			 errhint("The first event of a ticket is \"created\".")));
}

/* Nobody else touches the ticket's row or its clocks from here on. */
static void
lock(Told *told)
{
	sla_lock_ticket_row(&told->tracked, told->ticket);
	sla_lock_ticket(told->tracked.source, told->ticket, false);
}

/* True: as of sla_record_events(). */
static bool
tell(const Told *told, const SlaNewEvent *events, int n)
{
	return sla_record_events(told->tracked.source, told->ticket, events, n, false);
}

static void
finish(Told *told)
{
	sla_write_ticket_columns(&told->tracked, told->ticket);
	if (told->tracked.lock_row != NULL)
		SPI_freeplan(told->tracked.lock_row);
	if (told->tracked.write_columns != NULL)
		SPI_freeplan(told->tracked.write_columns);
}

/* A text argument that must be there. */
static const char *
text_argument(FunctionCallInfo fcinfo, int n, const char *what)
{
	if (PG_ARGISNULL(n))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", what)));
	return text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* When it happened: NULL is now. */
static TimestampTz
instant_argument(FunctionCallInfo fcinfo, int n, const char *event)
{
	TimestampTz at;

	if (PG_ARGISNULL(n))
		return GetCurrentTransactionStartTimestamp();
	at = PG_GETARG_TIMESTAMPTZ(n);
	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("event \"%s\" cannot happen at \"%s\"", event, timestamptz_to_str(at)),
				 errhint("Give the instant at which it happened.")));
	return at;
}

/*
 * sla.record_event(source, ticket, event, at, agent)
 *
 * at NULL is now; agent may be NULL; the others may not.
 */
Datum
sla_record_event(PG_FUNCTION_ARGS)
{
	const char *source = text_argument(fcinfo, 0, "source of an event");
	const char *ticket = text_argument(fcinfo, 1, "ticket of an event");
	SlaNewEvent event = {.event = text_argument(fcinfo, 2, "event of an event")};
	SlaOwner	caller;
	Told		told;
	bool		take_over;

	if (event.event[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event \"\" has no name")));
	if (strcmp(event.event, SLA_EVENT_DEADLINE_SET) == 0 || strcmp(event.event, SLA_EVENT_TOOK_OVER) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("event \"%s\" cannot be told by its name alone", event.event),
				 errhint("Call sla.set_deadline() or sla.merge().")));
	event.at = instant_argument(fcinfo, 3, event.event);
	event.agent = PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4));

	sla_owner_enter(&caller);
	SPI_connect();
	begin(&told, source, ticket);
	if (strcmp(event.event, "created") != 0)
		need_ticket(&told);
	sla_lock_ticket_row(&told.tracked, ticket);
	take_over = tell(&told, &event, 1);
	finish(&told);
	if (take_over)
		sla_take_over_anew(source, ticket);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}

/* ----------------------------------------------------------------
 * Deadlines
 * ----------------------------------------------------------------
 */

/*
 * The log's row of a clock by its number; false when there is none.  Within SPI.
 * An error where there is one only in the snapshot of a REPEATABLE READ transaction.
 */
static bool
read_clock(int64 id, const char **source, const char **ticket, SlaLogRow *row)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {INT8OID};
	Datum		values[] = {Int64GetDatum(id)};
	HeapTuple	tuple;
	TupleDesc	tupdesc;
	SlaLog		log;
	SlaLogRow	like = {0};
	SlaLogRow  *found;
	bool		isnull;

	sla_execute(&plan, "SELECT source, ticket, agreement, metric, ordinal FROM sla.log"
				" WHERE id OPERATOR(pg_catalog.=) $1", 1, types, values, NULL);
	if (SPI_processed == 0)
		return false;
	tuple = SPI_tuptable->vals[0];
	tupdesc = SPI_tuptable->tupdesc;
	*source = sla_column_text(tuple, tupdesc, 1);
	*ticket = sla_column_text(tuple, tupdesc, 2);
	like.metric = sla_column_text(tuple, tupdesc, 4);
	like.ordinal = DatumGetInt32(SPI_getbinval(tuple, tupdesc, 5, &isnull));
	while (strcmp(sla_agreement_names[like.agreement], sla_column_text(tuple, tupdesc, 3)) != 0)
		like.agreement++;
	sla_read_log(*source, *ticket, NULL, &log);
	found = sla_log_find(&log, &like);
	if (found == NULL && IsolationUsesXactSnapshot())
		sla_could_not_serialize("delete");
	if (found == NULL)
		return false;
	*row = *found;
	return true;
}

/* The last instant at which something of a ticket happened, but not before now.  Within SPI. */
static TimestampTz
last_instant(const char *source, const char *ticket)
{
	TimestampTz last = GetCurrentTransactionStartTimestamp();
	SlaHistory	history;

	sla_read_history(source, ticket, NULL, &history);
	for (int i = 0; i < history.n; i++)
		last = Max(last, history.events[i].at);
	return last;
}

static void
no_such_clock(int64 id)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("there is no clock " INT64_FORMAT " in sla.log", id)));
}

/*
 * sla.set_deadline(log_id, deadline, reason, at)
 *
 * deadline NULL takes back what was set before; at NULL is now, and not before
 * anything else of the ticket.  An error when the clock is not open at that
 * instant, or has missed its deadline: a verdict stays.
 */
Datum
sla_set_deadline(PG_FUNCTION_ARGS)
{
	SlaEventDetail detail = {0};
	SlaNewEvent event = {.event = SLA_EVENT_DEADLINE_SET, .detail = &detail};
	SlaOwner	caller;
	SlaLogRow	row;
	Told		told;
	const char *source;
	const char *ticket;
	int64		id;

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("number of a clock must not be null")));
	id = PG_GETARG_INT64(0);
	detail.reason = text_argument(fcinfo, 2, "reason of a deadline");
	if (detail.reason[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a deadline that is set by hand must have a reason")));
	detail.has_deadline = !PG_ARGISNULL(1);
	if (detail.has_deadline)
		detail.deadline = PG_GETARG_TIMESTAMPTZ(1);

	sla_owner_enter(&caller);
	SPI_connect();
	if (!read_clock(id, &source, &ticket, &row))
		no_such_clock(id);
	begin(&told, source, ticket);
	lock(&told);
	/* As it is now that nobody else works on it. */
	if (!read_clock(id, &source, &ticket, &row) || strcmp(ticket, told.ticket) != 0)
		no_such_clock(id);

	event.at = PG_ARGISNULL(3) ? last_instant(source, ticket)
		: instant_argument(fcinfo, 3, SLA_EVENT_DEADLINE_SET);
	if (row.outcome != SLA_OPEN)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("clock " INT64_FORMAT " of ticket \"%s\" has ended", id, ticket),
				 errdetail("It is %s.", sla_outcome_name(row.outcome))));
	if (sla_is_missed(row.deadline, row.counted, row.ncounted, row.running, row.strict, row.fixed, event.at))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("clock " INT64_FORMAT " of ticket \"%s\" has missed its deadline", id, ticket),
				 errdetail("What was missed stays missed."),
				 errhint("sla.excuse() forgives it.")));
	if (detail.has_deadline && detail.deadline < event.at)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("deadline \"%s\" is over when it is set", timestamptz_to_str(detail.deadline))));
	if (!detail.has_deadline && !row.fixed)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("deadline of clock " INT64_FORMAT " was not set by hand", id)));

	detail.agreement = row.agreement;
	detail.metric = row.metric;
	/* A deadline set by hand is not taken over. */
	(void) tell(&told, &event, 1);
	/* Said of an instant at which another clock ran, or none. */
	if (!read_clock(id, &source, &ticket, &row) || row.fixed != detail.has_deadline ||
		(row.fixed && row.deadline != detail.deadline))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("clock " INT64_FORMAT " of ticket \"%s\" was not open at \"%s\"", id, told.ticket,
						timestamptz_to_str(event.at))));
	finish(&told);
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}

/* ----------------------------------------------------------------
 * Merged tickets
 * ----------------------------------------------------------------
 */

/*
 * The clocks of a ticket that ran or stood paused when it was merged, as what
 * another takes over: by what is known of that instant and not of now.  One
 * event that names no clock where there was none: so each ticket names the other.
 */
static SlaNewEvent *
clocks_to_take_over(const SlaHistory *history, const char *ticket, const SlaStoredEvent *merged, int *n)
{
	TimestampTz at = merged->at;
	SlaHistory	until = {0};
	SlaNewEvent *events;
	SlaLog		log;

	for (int i = 0; i < history->n; i++)
		if (sla_comes_before_merge(history->events[i].event, history->events[i].at, history->events[i].id < merged->id, at))
			sla_history_add(&until, &history->events[i]);
	sla_replay_history(&until, &log);
	events = palloc0((log.nrows + 1) * sizeof(SlaNewEvent));
	*n = 0;
	for (int i = 0; i <= log.nrows; i++)
	{
		SlaLogRow  *row = &log.rows[i];
		SlaEventDetail *detail;

		if (i == log.nrows ? *n > 0 : (row->outcome != SLA_OPEN || row->started_at >= at))
			continue;
		detail = palloc0(sizeof(SlaEventDetail));
		detail->other = ticket;
		events[*n].event = SLA_EVENT_TOOK_OVER;
		events[*n].at = at;
		events[*n].agent = merged->agent;
		events[*n].detail = detail;
		(*n)++;
		if (i == log.nrows)
			break;
		detail->agreement = row->agreement;
		detail->metric = row->metric;
		detail->has_since = true;
		detail->since = row->started_at;
		detail->counted = palloc((row->ncounted + 1) * sizeof(sla_stretch));
		detail->ncounted = row->ncounted;
		memcpy(detail->counted, row->counted, row->ncounted * sizeof(sla_stretch));
		if (row->running && row->running_since < at)
		{
			detail->counted[detail->ncounted].from = row->running_since;
			detail->counted[detail->ncounted++].to = at;
		}
	}
	return events;
}

/* Is an event one by which a ticket took clocks of another over at an instant? */
static bool
took_over(const SlaStoredEvent *event, const char *from, TimestampTz at)
{
	return event->at == at && strcmp(event->event, SLA_EVENT_TOOK_OVER) == 0 && event->detail != NULL &&
		sla_same_text(event->detail->other, from);
}

/* Did a ticket take over just that? */
static bool
took_these_over(const SlaHistory *history, const char *from, TimestampTz at, const SlaNewEvent *taken, int n)
{
	int			found = 0;

	for (int i = 0; i < history->n; i++)
	{
		const SlaEventDetail *detail = history->events[i].detail;
		bool		same = false;

		if (!took_over(&history->events[i], from, at))
			continue;
		for (int j = 0; j < n && !same; j++)
			same = detail->agreement == taken[j].detail->agreement &&
				sla_same_text(detail->metric, taken[j].detail->metric) &&
				detail->since == taken[j].detail->since && detail->ncounted == taken[j].detail->ncounted &&
				(detail->ncounted == 0 ||
				 memcmp(detail->counted, taken[j].detail->counted, detail->ncounted * sizeof(sla_stretch)) == 0);
		if (!same)
			return false;
		found++;
	}
	return found == n;
}

/* The tickets on the way, so that those which took over from each other at one instant come to an end. */
typedef struct Way
{
	const char *ticket;
	const struct Way *before;
} Way;

/* What was taken over is known since then, so that a report as of an earlier moment does not miss it. */
static void
keep_recorded_at(const char *source, const char *ticket, const char *from, TimestampTz at, TimestampTz recorded_at)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID};
	Datum		values[] = {
		CStringGetTextDatum(source), CStringGetTextDatum(ticket), TimestampTzGetDatum(at),
		CStringGetTextDatum(from), TimestampTzGetDatum(recorded_at)
	};

	sla_store_flush();
	sla_execute_newest(&plan, "UPDATE sla.event SET recorded_at = $5 WHERE source OPERATOR(pg_catalog.=) $1"
					   " AND ticket OPERATOR(pg_catalog.=) $2 AND at OPERATOR(pg_catalog.=) $3"
					   " AND event OPERATOR(pg_catalog.=) '" SLA_EVENT_TOOK_OVER "' AND other OPERATOR(pg_catalog.=) $4",
					   lengthof(types), types, values, NULL);
}

/* What another ticket took over is something else now: within SPI, as the owner. */
static void
take_over_anew(const char *source, const char *ticket, const Way *before)
{
	static SPIPlanPtr delete = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID};
	Way			way = {ticket, before};
	SlaHistory	history;

	sla_read_history(source, ticket, NULL, &history);
	for (int i = 0; i < history.n; i++)
	{
		const SlaStoredEvent *merged = &history.events[i];
		const Way  *passed = &way;
		SlaNewEvent *taken;
		SlaHistory	others;
		Told		told;
		TimestampTz recorded_at = merged->recorded_at;
		int			n;

		if (!sla_hands_over(merged))
			continue;
		while (passed != NULL && strcmp(passed->ticket, merged->detail->other) != 0)
			passed = passed->before;
		if (passed != NULL || !sla_ticket_exists(source, merged->detail->other))
			continue;
		begin(&told, source, merged->detail->other);
		lock(&told);
		sla_read_history(source, told.ticket, NULL, &others);
		taken = clocks_to_take_over(&history, ticket, merged, &n);
		if (!took_these_over(&others, ticket, merged->at, taken, n) && !sla_is_purged(&others))
		{
			sla_store_flush();
			for (int j = 0; j < others.n; j++)
				if (took_over(&others.events[j], ticket, merged->at))
				{
					Datum		values[] = {
						CStringGetTextDatum(source), CStringGetTextDatum(told.ticket),
						TimestampTzGetDatum(merged->at), Int64GetDatum(others.events[j].id)
					};

					recorded_at = others.events[j].recorded_at;
					sla_execute_newest(&delete, "DELETE FROM sla.event WHERE source OPERATOR(pg_catalog.=) $1"
									   " AND ticket OPERATOR(pg_catalog.=) $2 AND at OPERATOR(pg_catalog.=) $3"
									   " AND id OPERATOR(pg_catalog.=) $4", lengthof(types), types, values, NULL);
				}
			CommandCounterIncrement();
			(void) tell(&told, taken, n);
			keep_recorded_at(source, told.ticket, ticket, merged->at, recorded_at);
			finish(&told);
			take_over_anew(source, told.ticket, &way);
		}
		else
			finish(&told);
	}
}

void
sla_take_over_anew(const char *source, const char *ticket)
{
	SlaOwner	caller;

	sla_owner_enter(&caller);
	SPI_connect();
	take_over_anew(source, ticket, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
}

/*
 * sla.merge(source, ticket, into_ticket, inherit_start, at, agent)
 *
 * agent may be NULL, at NULL is now.
 */
Datum
sla_merge(PG_FUNCTION_ARGS)
{
	const char *source = text_argument(fcinfo, 0, "source of a ticket");
	const char *ticket = text_argument(fcinfo, 1, "ticket that is merged");
	const char *into = text_argument(fcinfo, 2, "ticket into which another is merged");
	bool		inherit_start = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	SlaEventDetail detail = {.other = into};
	SlaNewEvent merged = {.event = "merged", .detail = &detail};
	SlaNewEvent *taken;
	SlaOwner	caller;
	Told		from;
	Told		to;
	int			ntaken = 0;
	bool		again;

	merged.at = instant_argument(fcinfo, 4, merged.event);
	merged.agent = PG_ARGISNULL(5) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(5));
	if (strcmp(ticket, into) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("ticket \"%s\" cannot be merged into itself", ticket)));

	sla_owner_enter(&caller);
	SPI_connect();
	begin(&from, source, ticket);
	begin(&to, source, into);
	need_ticket(&from);
	need_ticket(&to);
	/* In one order, so that two that merge each other's do not wait for each other. */
	lock(strcmp(ticket, into) < 0 ? &from : &to);
	lock(strcmp(ticket, into) < 0 ? &to : &from);
	detail.has_since = inherit_start;
	detail.since = merged.at;
	again = tell(&from, &merged, 1);
	if (inherit_start)
	{
		SlaHistory	history;
		const SlaStoredEvent *told = NULL;

		sla_read_history(source, ticket, NULL, &history);
		for (int i = 0; i < history.n; i++)
			if (history.events[i].at == merged.at && sla_hands_over(&history.events[i]) &&
				(told == NULL || told->id < history.events[i].id))
				told = &history.events[i];
		taken = clocks_to_take_over(&history, ticket, told, &ntaken);
		again |= tell(&to, taken, ntaken);
	}
	finish(&from);
	finish(&to);
	/* Told late, it comes before other merges of either. */
	if (again)
	{
		sla_take_over_anew(source, ticket);
		sla_take_over_anew(source, into);
	}
	SPI_finish();
	sla_owner_leave(&caller);
	PG_RETURN_VOID();
}
