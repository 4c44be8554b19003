/*
 * clock.c
 *		Events into the log.
 *
 * Every change goes the same way: the ticket's row in sla.ticket is locked,
 * the new events are added to those it has, all of them are fed to the core's
 * clock step from the first on, and where the rows that come out differ from
 * those of sla.log, the log is made to agree.  So an event that arrives late
 * or out of order needs no care of its own, and verification is the same
 * thing without the writing.  A ticket's events are few; reading them costs
 * less than writing one row.
 *
 * The lock is the row of sla.ticket and not an advisory lock, because a bulk
 * load touches more tickets in a transaction than the lock table holds.
 * sla.log is locked as for writing before any calendar is read: an edit of a
 * calendar locks it against writers, so that no clock is computed by hours
 * that are no longer in force.
 */
#include "pg_sla.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "clock.h"
#include "event.h"
#include "promise.h"
#include "statement.h"
#include "store.h"

SLA_FUNCTION(sla_clock_deadline);

/* What changed when nothing happened but a decision or a new holder. */
static const char *const changed_event = "changed";

/* ----------------------------------------------------------------
 * Replay
 * ----------------------------------------------------------------
 */

/* A level of the core made from a promise, with what its rows are called. */
typedef struct Level
{
	sla_level	core;
	const SlaPromiseRow *row;
	struct Level *next;
} Level;

typedef struct Replay
{
	const SlaMetrics *metrics;
	Level	   *levels;
} Replay;

/* The level of a promise; promises that say the same give the same one. */
static Level *
level_of(Replay *replay, int32 id)
{
	const SlaPromiseRow *row = sla_promise_by_id(id);
	const sla_promise **promises;
	sla_timeline *timeline;
	Level	   *level;

	for (level = replay->levels; level != NULL; level = level->next)
		if (level->row == row || strcmp(level->row->content, row->content) == 0)
			return level;

	timeline = sla_calendar_timeline(row->calendar);
	level = palloc0(sizeof(Level));
	level->row = row;
	promises = palloc0(replay->metrics->core.nmetrics * sizeof(sla_promise *) + 1);
	for (int i = 0; i < row->ngoals; i++)
	{
		int			metric = sla_metric_number(replay->metrics, row->goals[i].metric);
		sla_promise *promise;

		/* A metric that was dropped times nothing any more. */
		if (metric < 0)
			continue;
		promise = palloc(sizeof(sla_promise));
		promise->timeline = timeline;
		promise->days = row->goals[i].days;
		promise->amount = row->goals[i].microseconds;
		promises[metric] = promise;
	}
	level->core.name = row->level;
	level->core.on_change = row->on_change;
	level->core.promises = promises;
	level->next = replay->levels;
	replay->levels = level;
	return level;
}

static const char *
reason_text(const Replay *replay, const sla_clock *clock)
{
	switch (clock->reason)
	{
		case SLA_REASON_NONE:
			break;
		case SLA_REASON_EVENT:
			return pstrdup(replay->metrics->events[clock->reason_event]);
		case SLA_REASON_LEVEL_CHANGED:
			return "level_changed";
		case SLA_REASON_GOAL_CHANGED:
			return "goal_changed";
		case SLA_REASON_NO_LEVEL:
			return "no_longer_matches";
		case SLA_REASON_TOOK_OVER:
			return SLA_EVENT_TOOK_OVER;
	}
	return NULL;
}

/* Business time in stretches; what does not fit an interval is cut to the longest. */
static int64
open_time(sla_timeline *timeline, const sla_stretch *stretches, int n)
{
	int64		total = 0;

	for (int i = 0; i < n; i++)
	{
		int64		open;

		if (!sla_measure(timeline, stretches[i].from, stretches[i].to, &open) ||
			__builtin_add_overflow(total, open, &total))
			return PG_INT64_MAX;
	}
	return total;
}

/* What an event's detail says to the core, NULL where it says nothing. */
static const sla_by_hand *
by_hand_of(const Replay *replay, const SlaStoredEvent *stored)
{
	const SlaEventDetail *detail = stored->detail;
	sla_by_hand *by_hand;
	int			metric;

	if (detail == NULL || detail->metric == NULL)
		return NULL;
	metric = sla_metric_number(replay->metrics, detail->metric);
	if (metric < 0)
		return NULL;
	by_hand = palloc0(sizeof(sla_by_hand));
	by_hand->agreement = detail->agreement;
	by_hand->metric = metric;
	by_hand->deadline = detail->deadline;
	by_hand->since = detail->since;
	by_hand->counted = detail->counted;
	by_hand->ncounted = detail->ncounted;
	if (strcmp(stored->event, SLA_EVENT_DEADLINE_SET) == 0)
		by_hand->act = detail->has_deadline ? SLA_ACT_SET_DEADLINE : SLA_ACT_FREE_DEADLINE;
	else if (strcmp(stored->event, SLA_EVENT_TOOK_OVER) == 0 && detail->has_since)
		by_hand->act = SLA_ACT_TAKE_OVER;
	else
		return NULL;
	return by_hand;
}

/* The decisions that were made at an event before and still hold. */
static void
give_decisions(const Replay *replay, const SlaStoredEvent *stored, sla_event *event)
{
	sla_decision *decisions;

	if (stored->ndecisions == 0 || stored->decide_anew)
		return;
	decisions = palloc(stored->ndecisions * sizeof(sla_decision));
	for (int i = 0; i < stored->ndecisions; i++)
	{
		int			metric = sla_metric_number(replay->metrics, stored->decisions[i].metric);

		if (metric < 0)
			continue;
		decisions[event->ndecisions].agreement = stored->decisions[i].agreement;
		decisions[event->ndecisions].metric = metric;
		decisions[event->ndecisions].amount = stored->decisions[i].amount;
		decisions[event->ndecisions].share = stored->decisions[i].share;
		event->ndecisions++;
	}
	event->decisions = decisions;
}

/* Put the decisions that the machine made into the history. */
static void
take_decisions(const Replay *replay, const sla_machine *machine, SlaHistory *history)
{
	const sla_decision *made;
	const int  *tags;
	int			n = sla_machine_decisions(machine, &made, &tags);

	for (int i = 0; i < history->n; i++)
	{
		SlaStoredEvent *stored = &history->events[i];
		SlaDecision *decisions = NULL;
		int			ndecisions = 0;

		if (n == 0 && stored->ndecisions == 0)
			continue;
		for (int j = 0; j < n; j++)
		{
			SlaDecision *decision;

			if (tags[j] != i)
				continue;
			if (decisions == NULL)
				decisions = palloc(n * sizeof(SlaDecision));
			decision = &decisions[ndecisions++];
			decision->agreement = made[j].agreement;
			decision->metric = replay->metrics->metrics[made[j].metric];
			decision->amount = made[j].amount;
			decision->share = made[j].share;
		}
		stored->decisions_changed = ndecisions != stored->ndecisions;
		for (int j = 0; j < ndecisions && !stored->decisions_changed; j++)
			stored->decisions_changed = decisions[j].agreement != stored->decisions[j].agreement ||
				strcmp(decisions[j].metric, stored->decisions[j].metric) != 0 ||
				decisions[j].amount != stored->decisions[j].amount ||
				decisions[j].share != stored->decisions[j].share;
		stored->decisions = decisions;
		stored->ndecisions = ndecisions;
	}
}

void
sla_replay_history(SlaHistory *history, SlaLog *expected)
{
	Replay		replay = {0};
	sla_env		env = sla_server_env(CurrentMemoryContext);
	sla_event  *events;
	sla_machine *machine;
	const sla_clock *clocks;
	const sla_holding *holdings;
	int			nholdings;
	TimestampTz now = GetCurrentTimestamp();
	int			n;

	replay.metrics = sla_metrics_now();
	events = palloc0(history->n * sizeof(sla_event) + 1);
	for (int i = 0; i < history->n; i++)
	{
		const SlaStoredEvent *stored = &history->events[i];

		events[i].at = stored->at;
		events[i].order = stored->id;
		events[i].event = sla_event_number(replay.metrics, stored->event);
		events[i].agent = stored->agent;
		events[i].tag = i;
		events[i].by_hand = by_hand_of(&replay, stored);
		give_decisions(&replay, stored, &events[i]);
		events[i].holds = stored->of_ticket;
		events[i].holder.department = stored->department;
		events[i].holder.agent = stored->assignee;
		for (int agreement = 0; stored->decides && agreement < SLA_N_AGREEMENTS; agreement++)
		{
			/* A negative number: this kind was not decided. */
			if (stored->promises[agreement] < 0)
				continue;
			events[i].decides[agreement] = true;
			if (stored->promises[agreement] > 0)
				events[i].levels[agreement] = &level_of(&replay, stored->promises[agreement])->core;
		}
	}

	machine = sla_machine_create(&env, &replay.metrics->core);
	sla_replay(machine, events, history->n);
	take_decisions(&replay, machine, history);

	n = sla_machine_clocks(machine, &clocks);
	nholdings = sla_machine_holdings(machine, &holdings);
	expected->nrows = n;
	expected->rows = palloc0(n * sizeof(SlaLogRow) + 1);
	for (int i = 0; i < n; i++)
	{
		const sla_clock *clock = &clocks[i];
		const Level *level = (const Level *) clock->level;
		SlaLogRow  *row = &expected->rows[i];

		row->agreement = clock->agreement;
		row->metric = pstrdup(replay.metrics->metrics[clock->metric]);
		row->ordinal = clock->ordinal;
		row->cycle = clock->cycle;
		row->level = pstrdup(level->row->level);
		row->calendar = text_to_cstring(level->row->calendar);
		row->goal_days = (int32) clock->promise.days;
		row->goal_microseconds = clock->promise.amount;
		row->started_at = clock->started_at;
		row->counted = clock->counted;
		row->ncounted = clock->ncounted;
		row->running = clock->running;
		row->running_since = clock->running ? clock->running_since : 0;
		row->deadline = clock->deadline;
		row->outcome = clock->outcome;
		row->closed_at = clock->outcome == SLA_OPEN ? 0 : clock->closed_at;
		row->reason = reason_text(&replay, clock);
		row->elapsed = open_time(clock->promise.timeline, clock->counted, clock->ncounted);
		row->computed_at = now;
		row->strict = clock->strict;
		row->fixed = clock->fixed;
		row->ended_by = clock->ended_by;
		row->opened_at = clock->opened_at;
		row->holdings = holdings;
		row->nholdings = nholdings;
		sla_row_held(row);
	}
}

void
sla_replay_ticket(const char *source, const char *ticket, Snapshot snapshot, SlaLog *expected)
{
	SlaHistory		history;

	sla_read_history(source, ticket, snapshot, &history);
	sla_replay_history(&history, expected);
}

/* ----------------------------------------------------------------
 * Recording
 * ----------------------------------------------------------------
 */

/* The ids of what was chosen; false when that changes nothing against `held`. */
static bool
decide(const SlaNewEvent *event, const int32 *held, int32 *promises)
{
	bool		changed = false;

	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
	{
		const SlaChosenLevel *chosen = &event->choice->agreements[agreement];

		if (chosen->level != NULL)
		{
			promises[agreement] = sla_promise_id(agreement, chosen);
			if (held[agreement] <= 0 ||
				(held[agreement] != promises[agreement] &&
				 strcmp(sla_promise_by_id(held[agreement])->content,
						sla_promise_by_id(promises[agreement])->content) != 0))
				changed = true;
		}
		else if (event->keep_levels)
			promises[agreement] = -1;
		else
		{
			promises[agreement] = 0;
			if (held[agreement] != 0)
				changed = true;
		}
	}
	return changed;
}

/* Is one event later than another, or told later of the same instant?  Nothing is not. */
static bool
is_later(const SlaStoredEvent *event, const SlaStoredEvent *other)
{
	if (event == NULL)
		return false;
	return event->at > other->at || (event->at == other->at && event->id > other->id);
}

/* Is the ticket deleted, as far as is known?  Then since when. */
static bool
is_deleted(const SlaHistory *history, TimestampTz *since)
{
	const SlaStoredEvent *last = NULL;

	for (int i = 0; i < history->n; i++)
	{
		const SlaStoredEvent *stored = &history->events[i];

		if (strcmp(stored->event, "created") != 0 && strcmp(stored->event, "deleted") != 0 &&
			strcmp(stored->event, "undeleted") != 0)
			continue;
		if (last == NULL || stored->at > last->at || (stored->at == last->at && stored->id > last->id))
			last = stored;
	}
	if (last == NULL || strcmp(last->event, "deleted") != 0)
		return false;
	*since = last->at;
	return true;
}

/*
 * The latest event of the ticket's row (of_ticket) at or before an instant, or
 * NULL; and what each kind of agreement was decided to be then, -1: nothing.
 * By the time of the events: one that is told late, and says what was true
 * when it was told, may still be news at its own instant.
 */
static const SlaStoredEvent *
known_at(const SlaHistory *history, TimestampTz at, int32 *held)
{
	const SlaStoredEvent *holder = NULL;
	const SlaStoredEvent *deciders[SLA_N_AGREEMENTS] = {NULL};
	const SlaStoredEvent *birth = NULL;

	/* Nothing comes before a ticket's creation. */
	for (int i = 0; i < history->n; i++)
		if (strcmp(history->events[i].event, "created") == 0 &&
			(birth == NULL || is_later(birth, &history->events[i])))
			birth = &history->events[i];
	if (birth != NULL)
	{
		if (birth->of_ticket)
			holder = birth;
		for (int agreement = 0; birth->decides && agreement < SLA_N_AGREEMENTS; agreement++)
			if (birth->promises[agreement] >= 0)
				deciders[agreement] = birth;
	}

	for (int i = 0; i < history->n; i++)
	{
		const SlaStoredEvent *stored = &history->events[i];

		if (stored->at > at || stored == birth)
			continue;
		if (stored->of_ticket && (holder == birth || !is_later(holder, stored)))
			holder = stored;
		for (int agreement = 0; stored->decides && agreement < SLA_N_AGREEMENTS; agreement++)
			if (stored->promises[agreement] >= 0 &&
				(deciders[agreement] == birth || !is_later(deciders[agreement], stored)))
				deciders[agreement] = stored;
	}
	for (int agreement = 0; agreement < SLA_N_AGREEMENTS; agreement++)
		held[agreement] = deciders[agreement] ? deciders[agreement]->promises[agreement] : -1;
	return holder;
}

void
sla_promises_held(const SlaHistory *history, int32 *held)
{
	(void) known_at(history, DT_NOEND, held);
}

bool
sla_add_events(SlaHistory *history, const SlaNewEvent *events, int n,
			   SlaEventWriter write, void *arg)
{
	bool		changed = false;
	bool		returns = false;
	TimestampTz deleted_at;
	TimestampTz returned_at = 0;

	/*
	 * The row of a ticket that had been deleted is there again: it comes back
	 * as it was, unless it was created since, as another under its key.
	 */
	if (n > 0 && events[0].of_ticket && events[0].event != NULL &&
		strcmp(events[0].event, "created") == 0 && is_deleted(history, &deleted_at) &&
		events[0].at <= deleted_at)
	{
		returns = true;
		returned_at = Max(deleted_at, GetCurrentTransactionStartTimestamp());
	}

	for (int i = 0; i < n; i++)
	{
		SlaStoredEvent stored;
		const SlaStoredEvent *holder;
		int32		held[SLA_N_AGREEMENTS];

		/* That it is there no row needs to say. */
		if (events[i].if_returning && (!returns || strcmp(events[i].event, "undeleted") == 0))
			continue;
		memset(&stored, 0, sizeof(stored));
		stored.event = events[i].event ? events[i].event : changed_event;
		stored.at = events[i].at;
		stored.detail = events[i].detail;
		if (returns)
		{
			if (i == 0)
				stored.event = "undeleted";
			stored.at = Max(stored.at, returned_at);
		}
		for (int j = 0; events[i].is_last && j < history->n; j++)
			stored.at = Max(stored.at, history->events[j].at);
		stored.agent = events[i].agent;
		stored.of_ticket = events[i].of_ticket;
		stored.department = events[i].department;
		stored.assignee = events[i].assignee;
		holder = known_at(history, stored.at, held);
		if (events[i].choice != NULL)
			stored.decides = decide(&events[i], held, stored.promises);
		if (events[i].event == NULL && !stored.decides &&
			(!stored.of_ticket ||
			 (holder != NULL && sla_same_text(holder->department, stored.department) &&
			  sla_same_text(holder->assignee, stored.assignee))))
			continue;
		write(arg, &stored);
		/* What later changes of level came to may have been something else. */
		for (int j = 0; j < history->n; j++)
			if (history->events[j].at >= stored.at)
				history->events[j].decide_anew = true;
		sla_history_add(history, &stored);
		changed = true;
	}
	return changed;
}

/* Which ticket's events are written. */
typedef struct TicketName
{
	const char *source;
	const char *ticket;
} TicketName;

static void
write_event_of(void *arg, SlaStoredEvent *event)
{
	const TicketName *name = arg;

	sla_write_event(name->source, name->ticket, event);
}

bool
sla_is_purged(const SlaHistory *history)
{
	for (int i = 0; i < history->n; i++)
		if (strcmp(history->events[i].event, "purged") == 0)
			return true;
	return false;
}

/*
 * What is left of a purged ticket does not tell what its clocks had counted: so
 * one that is opened again, or made anew, is not timed as if it had never been
 * there without anybody hearing of it.
 */
static void
tell_of_purged(const TicketName *name, const SlaHistory *history, const SlaNewEvent *events, int n)
{
	if (!sla_is_purged(history))
		return;
	for (int i = 0; i < n; i++)
		if (events[i].event != NULL && !events[i].if_returning &&
			(strcmp(events[i].event, "reopened") == 0 || strcmp(events[i].event, "created") == 0))
			sla_record_problem(name->source, name->ticket, ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
							   psprintf("the history of the ticket was purged; what it was before it was %s is not known",
										events[i].event), NULL);
}

void
sla_tell_deadline(const char *source, const char *ticket, const SlaLogRow *former, const SlaLogRow *row,
				  const char *reason)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID};
	Datum		values[] = {
		CStringGetTextDatum(source), CStringGetTextDatum(ticket),
		CStringGetTextDatum(sla_agreement_names[row->agreement]), CStringGetTextDatum(row->metric),
		Int32GetDatum(row->ordinal), TimestampTzGetDatum(former->deadline), TimestampTzGetDatum(row->deadline),
		CStringGetTextDatum(reason)
	};

	SPI_connect();
	sla_execute(&plan, "INSERT INTO sla.deadline_change (source, ticket, agreement, metric, ordinal, former, deadline,"
				" reason, changed_by, changed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8,"
				" CASE pg_catalog.current_setting('role') WHEN 'none' THEN session_user"
				" ELSE pg_catalog.current_setting('role') END, pg_catalog.clock_timestamp())",
				lengthof(types), types, values, NULL);
	SPI_finish();
}

/* Tell of each deadline that was set by hand, or freed. */
static void
tell_deadlines(const char *source, const char *ticket, const SlaNewEvent *events, int n,
			   const SlaLog *expected, const SlaLog *logged)
{
	const char *reason = NULL;

	for (int i = 0; i < n; i++)
		if (events[i].detail != NULL && events[i].detail->reason != NULL)
			reason = events[i].detail->reason;
	if (reason == NULL)
		return;
	for (int i = 0; i < expected->nrows; i++)
	{
		const SlaLogRow *row = &expected->rows[i];
		const SlaLogRow *former = sla_log_find(logged, row);

		if (former != NULL && former->deadline != row->deadline && (former->fixed || row->fixed))
			sla_tell_deadline(source, ticket, former, row, reason);
	}
}

bool
sla_comes_before_merge(const char *event, TimestampTz at, bool told_before, TimestampTz merged_at)
{
	if (at != merged_at)
		return at < merged_at;
	return strcmp(event, SLA_EVENT_TOOK_OVER) == 0 || (told_before && strcmp(event, "merged") != 0);
}

/* Has the ticket handed its clocks to another after one of these events? */
static bool
is_before_take_over(const SlaHistory *history, const SlaNewEvent *events, int n)
{
	for (int i = 0; i < history->n; i++)
		if (sla_hands_over(&history->events[i]))
			for (int j = 0; j < n; j++)
				if (sla_comes_before_merge(events[j].event != NULL ? events[j].event : changed_event, events[j].at,
										   false, history->events[i].at))
					return true;
	return false;
}

bool
sla_hands_over(const SlaStoredEvent *event)
{
	return event->detail != NULL && event->detail->metric == NULL && event->detail->has_since &&
		strcmp(event->event, "merged") == 0;
}

bool
sla_record_events(const char *source, const char *ticket, const SlaNewEvent *events, int n, bool is_new)
{
	TicketName	name = {source, ticket};
	SlaOwner	caller;
	SlaHistory	history = {0};
	SlaLog		expected;
	SlaLog		logged = {0};
	Snapshot	snapshot = NULL;
	bool		opened;
	bool		take_over = false;

	sla_owner_enter(&caller);
	opened = sla_store_open();
	is_new = sla_lock_ticket(source, ticket, is_new);
	sla_promises_refresh();

	if (!is_new)
	{
		/* One for both: nobody else writes what there is of a ticket that is locked. */
		snapshot = sla_store_newest();
		sla_read_history(source, ticket, snapshot, &history);
	}
	if (history.n > 0)
	{
		tell_of_purged(&name, &history, events, n);
		take_over = is_before_take_over(&history, events, n);
	}
	if (sla_add_events(&history, events, n, write_event_of, &name))
	{
		sla_replay_history(&history, &expected);
		if (!is_new)
			sla_read_log(source, ticket, snapshot, &logged);
		sla_write_decisions(source, ticket, &history);
		tell_deadlines(source, ticket, events, n, &expected, &logged);
		sla_write_log(source, ticket, &expected, &logged);
	}
	if (snapshot != NULL)
		UnregisterSnapshot(snapshot);
	sla_store_close(opened);
	sla_owner_leave(&caller);
	return take_over;
}

void
sla_rename_ticket(const char *source, const char *from, const char *to)
{
	static SPIPlanPtr plans[9];
	static const char *const statements[] = {
		"INSERT INTO sla.ticket (source, ticket) VALUES ($1, $3)",
		"UPDATE sla.event SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.log SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.excuse SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.deadline_change SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.promise_change SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		"UPDATE sla.problem SET ticket = $3 WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
		/* Those it was merged with name it. */
		"UPDATE sla.event AS o SET other = $3 FROM sla.event AS e"
		" WHERE e.source OPERATOR(pg_catalog.=) $1 AND e.ticket OPERATOR(pg_catalog.=) $3 AND e.other IS NOT NULL"
		" AND o.source OPERATOR(pg_catalog.=) $1 AND o.ticket OPERATOR(pg_catalog.=) e.other"
		" AND o.other OPERATOR(pg_catalog.=) $2",
		"DELETE FROM sla.ticket WHERE source OPERATOR(pg_catalog.=) $1 AND ticket OPERATOR(pg_catalog.=) $2",
	};
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID};
	Datum		values[] = {CStringGetTextDatum(source), CStringGetTextDatum(from), CStringGetTextDatum(to)};
	SlaOwner	caller;

	sla_owner_enter(&caller);
	SPI_connect();
	sla_lock_ticket(source, from, false);
	if (sla_ticket_exists(source, to))
		ereport(ERROR,
				(errcode(ERRCODE_UNIQUE_VIOLATION),
				 errmsg("ticket \"%s\" of source \"%s\" cannot become ticket \"%s\"", from, source, to),
				 errdetail("Events of a ticket of that key are kept."),
				 errhint("A key that has been used cannot be given to a ticket that has one already."
						 " Tickets that exchange their keys do so in three statements, by way of a key that is new.")));
	for (int i = 0; i < (int) lengthof(statements); i++)
		sla_execute_newest(&plans[i], statements[i], lengthof(types), types, values, NULL);
	SPI_finish();
	sla_owner_leave(&caller);
}

/* ----------------------------------------------------------------
 * For SQL
 * ----------------------------------------------------------------
 */

/*
 * sla.clock_deadline(calendar, started_at, goal, counted, running_since, closed_at [, deadline_excluded])
 */
Datum
sla_clock_deadline(PG_FUNCTION_ARGS)
{
	sla_promise promise;
	sla_stretch *counted;
	Interval   *goal;
	TimestampTz started_at;
	bool		running = !PG_ARGISNULL(4);
	bool		strict = PG_NARGS() > 6 && !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	int			ncounted;

	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			PG_RETURN_NULL();

	started_at = PG_GETARG_TIMESTAMPTZ(1);
	goal = PG_GETARG_INTERVAL_P(2);
	if (goal->month != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("goal \"%s\" has months or years",
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(goal)))),
				 errhint("Business time is counted in hours and in business days.")));
	if (TIMESTAMP_NOT_FINITE(started_at))
		PG_RETURN_TIMESTAMPTZ(started_at);
	ncounted = sla_multirange_to_stretches(PG_GETARG_DATUM(3), &counted);
	promise.timeline = sla_calendar_timeline(PG_GETARG_TEXT_PP(0));
	promise.days = goal->day;
	promise.amount = goal->time;
	PG_RETURN_TIMESTAMPTZ(sla_deadline(&promise, started_at, counted, ncounted, running,
									   running ? PG_GETARG_TIMESTAMPTZ(4) : 0, strict,
									   PG_ARGISNULL(5) ? SLA_BEFORE_ALL : PG_GETARG_TIMESTAMPTZ(5)));
}
