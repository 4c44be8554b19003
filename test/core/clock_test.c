/*
 * clock_test.c
 *		The life of a ticket, event by event.
 *
 * Times are written as day and minute of the first weeks of 2000, in UTC.
 * 2000-01-03 is a Monday; the office is open Mo-Fr 08:00-16:00.
 */
#include "testing.h"

#include "../../src/core/clock.h"

enum
{
	CREATED, CUSTOMER_MESSAGE, AGENT_REPLY, PAUSED, RESUMED, RESOLVED, REOPENED, MERGED, DELETED, UNDELETED,
	BY_AGENT,
	NEVENTS
};

enum
{
	FIRST_RESPONSE, RESOLUTION, TOTAL_RESOLUTION, PERIODIC_UPDATE, NEXT_RESPONSE,
	NMETRICS
};

static const bool next_response_waits[NMETRICS] = {[FIRST_RESPONSE] = true, [NEXT_RESPONSE] = true};

static sla_metric definitions[NMETRICS] = {
	[FIRST_RESPONSE] = {.on_reopen = SLA_REOPEN_FIRST_IS_FINAL},
	[RESOLUTION] = {.on_reopen = SLA_REOPEN_RESUME},
	[TOTAL_RESOLUTION] = {.on_reopen = SLA_REOPEN_TOTAL},
	[PERIODIC_UPDATE] = {.repeats = true, .on_reopen = SLA_REOPEN_FIRST_IS_FINAL},
	[NEXT_RESPONSE] = {.repeats = true, .on_reopen = SLA_REOPEN_FIRST_IS_FINAL, .blocked_by = next_response_waits},
};

#define ENDS [MERGED] = SLA_CANCELS, [DELETED] = SLA_CANCELS, [UNDELETED] = SLA_RESTORES
#define WAITS [PAUSED] = SLA_PAUSES, [RESUMED] = SLA_RESUMES

static const uint8_t roles[NMETRICS][NEVENTS] = {
	[FIRST_RESPONSE] = {[CREATED] = SLA_STARTS, [BY_AGENT] = SLA_PREVENTS, [AGENT_REPLY] = SLA_STOPS, [RESOLVED] = SLA_CANCELS, WAITS, ENDS},
	[RESOLUTION] = {[CREATED] = SLA_STARTS, [RESOLVED] = SLA_STOPS, [REOPENED] = SLA_REOPENS, WAITS, ENDS},
	[TOTAL_RESOLUTION] = {[CREATED] = SLA_STARTS, [RESOLVED] = SLA_STOPS, [REOPENED] = SLA_REOPENS, ENDS},
	[PERIODIC_UPDATE] = {[AGENT_REPLY] = SLA_STARTS | SLA_STOPS, [RESOLVED] = SLA_CANCELS, WAITS, ENDS},
	[NEXT_RESPONSE] = {[CUSTOMER_MESSAGE] = SLA_STARTS, [AGENT_REPLY] = SLA_STOPS, [RESOLVED] = SLA_CANCELS, WAITS, ENDS},
};

static const int opposites[NEVENTS] = {
	[CREATED] = -1, [CUSTOMER_MESSAGE] = -1, [AGENT_REPLY] = -1, [PAUSED] = RESUMED, [RESUMED] = PAUSED,
	[RESOLVED] = REOPENED, [REOPENED] = RESOLVED, [MERGED] = -1, [DELETED] = UNDELETED, [UNDELETED] = DELETED,
	[BY_AGENT] = -1
};

static const sla_metrics metrics = {
	.nmetrics = NMETRICS, .nevents = NEVENTS, .metrics = definitions, .roles = &roles[0][0], .opposite = opposites, .birth = CREATED, .death = DELETED
};

/* ----------------------------------------------------------------
 * Schedules and levels
 * ----------------------------------------------------------------
 */

static int32_t
utc_offset(const void *data, int64_t second, int64_t *until)
{
	(void) data;
	(void) second;
	*until = INT64_MAX;
	return 0;
}

typedef struct office
{
	sla_hours  *hours;
	sla_schedule schedule;
	sla_timeline *timeline;
} office;

static void
office_open(office *o, const char *hours)
{
	sla_fault	fault;

	memset(o, 0, sizeof(*o));
	o->hours = sla_hours_parse(&testing_env, hours, strlen(hours), &fault);
	if (o->hours == NULL)
		abort();
	o->schedule.kind = SLA_SCHEDULE_PART;
	o->schedule.part.zone.offset_at = utc_offset;
	o->schedule.part.zone.offset_of = utc_offset;
	o->schedule.part.hours = o->hours;
	o->schedule.part.from_day = SLA_DATE_FIRST;
	o->schedule.part.to_day = SLA_DATE_LAST;
	o->timeline = sla_timeline_create(&testing_env, &o->schedule);
}

static void
office_close(office *o)
{
	sla_timeline_free(o->timeline);
	testing_env.release(testing_env.arg, o->hours);
}

static office weekdays;
static office always;

#define MINUTE (60 * SLA_USECS_PER_SEC)
#define HOUR (60 * MINUTE)

/* Instant of a day (0: Saturday 2000-01-01, 2: Monday) at hour and minute. */
static sla_instant
at(int day, int hour, int minute)
{
	return day * SLA_USECS_PER_DAY + hour * HOUR + minute * MINUTE;
}

#define MONDAY 2
#define TUESDAY 3
#define WEDNESDAY 4
#define FRIDAY 6
#define NEXT_MONDAY 9

typedef struct test_level
{
	sla_level	level;
	sla_promise promises[NMETRICS];
	const sla_promise *by_metric[NMETRICS];
} test_level;

/* Hours per metric, 0: nothing promised; negative: business days. */
static void
level_set(test_level *l, const char *name, office *o, const int hours[NMETRICS])
{
	memset(l, 0, sizeof(*l));
	l->level.name = name;
	l->level.promises = l->by_metric;
	for (int i = 0; i < NMETRICS; i++)
	{
		if (hours[i] == 0)
			continue;
		l->promises[i].timeline = o->timeline;
		if (hours[i] < 0)
			l->promises[i].days = -hours[i];
		else
			l->promises[i].amount = hours[i] * HOUR;
		l->by_metric[i] = &l->promises[i];
	}
}

/* ----------------------------------------------------------------
 * A life
 * ----------------------------------------------------------------
 */

typedef struct life
{
	sla_event	events[64];
	int			n;
	sla_machine *machine;
	const sla_clock *rows;
	int			nrows;
} life;

static sla_event *
happens(life *l, sla_instant when, int event)
{
	sla_event  *e = &l->events[l->n];

	memset(e, 0, sizeof(*e));
	e->at = when;
	e->order = l->n++;
	e->event = event;
	return e;
}

static void
happens_with(life *l, sla_instant when, int event, const sla_level *level)
{
	sla_event  *e = happens(l, when, event);

	e->decides[0] = true;
	e->levels[0] = level;
}

static void
live(life *l)
{
	l->machine = sla_machine_create(&testing_env, &metrics);
	sla_replay(l->machine, l->events, l->n);
	l->nrows = sla_machine_clocks(l->machine, &l->rows);
}

static void
end(life *l)
{
	sla_machine_free(l->machine);
	memset(l, 0, sizeof(*l));
}

/* Who had the ticket when a row's verdict fell. */
static const sla_holder *
holder_of(const life *l, const sla_clock *row)
{
	const sla_holding *holdings;
	int			n = sla_machine_holdings(l->machine, &holdings);
	sla_instant at = sla_missed_after(row->deadline, row->counted, row->ncounted, row->running,
									  row->running_since, row->strict, row->fixed);

	if (row->outcome != SLA_OPEN && row->closed_at < at)
		at = row->closed_at;
	return sla_holder_at(holdings, n, at);
}

/* The nth row of a metric. */
static const sla_clock *
row_of(const life *l, int metric, int n)
{
	for (int i = 0; i < l->nrows; i++)
		if (l->rows[i].metric == metric && l->rows[i].ordinal == n)
			return &l->rows[i];
	return NULL;
}

static int
rows_of(const life *l, int metric)
{
	int			n = 0;

	for (int i = 0; i < l->nrows; i++)
		n += l->rows[i].metric == metric;
	return n;
}

static int64_t
counted(const sla_clock *row)
{
	int64_t		total = 0;

	for (int i = 0; i < row->ncounted; i++)
	{
		int64_t		open;

		CHECK(sla_measure(row->promise.timeline, row->counted[i].from, row->counted[i].to, &open));
		total += open;
	}
	return total;
}

/* ----------------------------------------------------------------
 * Cases
 * ----------------------------------------------------------------
 */

static test_level standard;
static test_level urgent;
static test_level nothing;
static test_level replies;

static void
test_plain(void)
{
	life		l = {0};
	const sla_clock *row;

	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0), AGENT_REPLY);
	happens(&l, at(TUESDAY, 17, 0), RESOLVED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	/* Answered exactly at the deadline: met. */
	CHECK_INT(row->deadline, at(MONDAY, 13, 0));
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(row->closed_at, at(MONDAY, 13, 0));
	CHECK_INT(counted(row), 4 * HOUR);
	row = row_of(&l, RESOLUTION, 1);
	CHECK_INT(row->deadline, at(WEDNESDAY + 1, 9, 0));
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 0);
	end(&l);

	/* A microsecond later: missed. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0) + 1, AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_OPEN);
	CHECK(row_of(&l, RESOLUTION, 1)->running);
	end(&l);

	/* Created outside hours: counts from the next opening. */
	happens_with(&l, at(0, 12, 0), CREATED, &standard.level);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->started_at, at(0, 12, 0));
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->deadline, at(MONDAY, 12, 0));
	end(&l);

	/* No level, no row; a level without the metric, no row. */
	happens(&l, at(MONDAY, 9, 0), CREATED);
	live(&l);
	CHECK_INT(l.nrows, 0);
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &nothing.level);
	live(&l);
	CHECK_INT(l.nrows, 0);
	end(&l);
}

static void
test_pause(void)
{
	life		l = {0};
	const sla_clock *row;

	/* An hour lost in hours moves the deadline by an hour. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), PAUSED);
	happens(&l, at(MONDAY, 11, 0), RESUMED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->deadline, at(MONDAY, 14, 0));
	CHECK_INT(row->ncounted, 1);
	CHECK_INT(row->running_since, at(MONDAY, 11, 0));
	/* Days: the promised day moved on by the working time lost. */
	CHECK_INT(row_of(&l, RESOLUTION, 1)->deadline, at(WEDNESDAY + 1, 10, 0));
	CHECK_INT(row_of(&l, TOTAL_RESOLUTION, 1)->deadline, at(WEDNESDAY + 1, 9, 0));
	CHECK_INT(row_of(&l, TOTAL_RESOLUTION, 1)->ncounted, 0);
	end(&l);

	/* A pause over the night loses what was open in it. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 15, 0), PAUSED);
	happens(&l, at(TUESDAY, 9, 0), RESUMED);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_OPEN);
	/* 13:00 on Monday had passed before the pause. */
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->deadline, at(MONDAY, 13, 0));
	end(&l);

	/* A pause that begins at the deadline wins; the reply in it is in time. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0), PAUSED);
	happens(&l, at(TUESDAY, 9, 0), AGENT_REPLY);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(counted(row), 4 * HOUR);
	CHECK(row->closed_at <= row->deadline);
	end(&l);

	/* One after it never takes the miss back. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0) + 1, PAUSED);
	happens(&l, at(MONDAY, 15, 0), RESUMED);
	happens(&l, at(MONDAY, 15, 1), RESOLVED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->outcome, SLA_MISSED);
	CHECK_INT(row->deadline, at(MONDAY, 13, 0));
	CHECK_INT(row->reason, SLA_REASON_EVENT);
	end(&l);

	/* Created while paused: nothing counts until it resumes. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), PAUSED);
	happens(&l, at(MONDAY, 11, 30), RESUMED);
	happens(&l, at(MONDAY, 12, 0), RESOLVED);
	live(&l);
	row = row_of(&l, RESOLUTION, 1);
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(counted(row), 30 * MINUTE);
	CHECK_INT(row_of(&l, TOTAL_RESOLUTION, 1)->ncounted, 1);
	CHECK_INT(counted(row_of(&l, TOTAL_RESOLUTION, 1)), 3 * HOUR);
	end(&l);

	/* Resumed at the very instant of the pause: as if it had not been. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), PAUSED);
	happens(&l, at(MONDAY, 10, 0), RESUMED);
	happens(&l, at(MONDAY, 12, 0), AGENT_REPLY);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->ncounted, 1);
	CHECK_INT(row->counted[0].from, at(MONDAY, 9, 0));
	end(&l);
}

static void
test_next_response(void)
{
	life		l = {0};

	/* The first message waits for the first response; then the oldest unanswered one anchors. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 9, 30), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 10, 0), AGENT_REPLY);
	happens(&l, at(MONDAY, 11, 0), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 11, 30), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 14, 0), AGENT_REPLY);
	happens(&l, at(MONDAY, 14, 30), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 14, 40), RESOLVED);
	live(&l);
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 2);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 1)->started_at, at(MONDAY, 11, 0));
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 1)->outcome, SLA_MISSED);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 2)->cycle, 2);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 2)->outcome, SLA_CANCELLED);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 2)->reason_event, RESOLVED);
	/* The update clock stops and starts again with each reply. */
	CHECK_INT(rows_of(&l, PERIODIC_UPDATE), 2);
	CHECK_INT(row_of(&l, PERIODIC_UPDATE, 1)->closed_at, at(MONDAY, 14, 0));
	CHECK_INT(row_of(&l, PERIODIC_UPDATE, 2)->outcome, SLA_CANCELLED);
	end(&l);

	/* Without a first response promised, no clock of it runs that could be waited for. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &replies.level);
	happens(&l, at(MONDAY, 9, 30), CUSTOMER_MESSAGE);
	live(&l);
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 1);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 1)->started_at, at(MONDAY, 9, 30));
	end(&l);
}

static void
test_reopen(void)
{
	life		l = {0};
	const sla_clock *row;

	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), AGENT_REPLY);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 14, 0), REOPENED);
	happens(&l, at(MONDAY, 15, 0), RESOLVED);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 2);
	row = row_of(&l, RESOLUTION, 1);
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(row->closed_at, at(MONDAY, 11, 0));
	row = row_of(&l, RESOLUTION, 2);
	CHECK_INT(row->started_at, at(MONDAY, 9, 0));
	CHECK_INT(counted(row), 3 * HOUR);
	CHECK_INT(row->deadline, at(WEDNESDAY + 1, 12, 0));
	CHECK_INT(row->cycle, 2);
	row = row_of(&l, TOTAL_RESOLUTION, 2);
	CHECK_INT(counted(row), 6 * HOUR);
	CHECK_INT(row->ncounted, 1);
	CHECK_INT(row->deadline, at(WEDNESDAY + 1, 9, 0));
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	end(&l);

	definitions[RESOLUTION].on_reopen = SLA_REOPEN_NEW_CYCLE;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 14, 0), REOPENED);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 2)->started_at, at(MONDAY, 14, 0));
	CHECK_INT(row_of(&l, RESOLUTION, 2)->ncounted, 0);
	end(&l);
	definitions[RESOLUTION].on_reopen = SLA_REOPEN_FIRST_IS_FINAL;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 14, 0), REOPENED);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	end(&l);
	definitions[RESOLUTION].on_reopen = SLA_REOPEN_RESUME;

	/* Resolved without a reply cancels the response; a reopening does not bring it back. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 14, 0), REOPENED);
	happens(&l, at(MONDAY, 14, 30), AGENT_REPLY);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	end(&l);
}

static void
test_level_change(void)
{
	life		l = {0};
	const sla_clock *row;

	/* The new level counts from the same start, its pauses carried over. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), PAUSED);
	happens(&l, at(MONDAY, 10, 0), RESUMED);
	happens_with(&l, at(MONDAY, 10, 15), -1, &urgent.level);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->outcome, SLA_SUPERSEDED);
	CHECK_INT(row->reason, SLA_REASON_LEVEL_CHANGED);
	CHECK_INT(row->closed_at, at(MONDAY, 10, 15));
	CHECK_INT(counted(row), 45 * MINUTE);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 9, 0));
	CHECK_INT(row->deadline, at(MONDAY, 10, 30));
	CHECK_INT(row->cycle, 1);
	/* Urgent promises no resolution: superseded without a successor. */
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_SUPERSEDED);
	end(&l);

	/* Late at birth; the former one was in time. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 12, 0), -1, &urgent.level);
	happens(&l, at(MONDAY, 12, 1), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_SUPERSEDED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->outcome, SLA_MISSED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->deadline, at(MONDAY, 10, 0));
	end(&l);

	/* What was missed stays missed. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &urgent.level);
	happens_with(&l, at(MONDAY, 12, 0), -1, &standard.level);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->outcome, SLA_OPEN);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->deadline, at(MONDAY, 13, 0));
	end(&l);

	/* No level any more, and one again: the run has gone on meanwhile. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, NULL);
	happens_with(&l, at(MONDAY, 11, 0), -1, &standard.level);
	happens(&l, at(MONDAY, 12, 0), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->reason, SLA_REASON_NO_LEVEL);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->started_at, at(MONDAY, 9, 0));
	CHECK_INT(counted(row_of(&l, FIRST_RESPONSE, 2)), 3 * HOUR);
	end(&l);

	/* The same decision again changes nothing. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, &standard.level);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	end(&l);
}

/* The five ways of a level that a ticket comes to. */
static void
test_on_change(void)
{
	life		l = {0};
	const sla_clock *row;
	test_level	express;		/* 8 hours around the clock, 4 for the first response */
	const sla_level *const express_level = &express.level;

	level_set(&express, "Express", &always,
			  (const int[NMETRICS]){[FIRST_RESPONSE] = 8, [RESOLUTION] = 48, [NEXT_RESPONSE] = 1});

	/* reset: from now, whatever was. */
	express.level.on_change = SLA_CHANGE_RESET;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), PAUSED);
	happens(&l, at(MONDAY, 10, 0), RESUMED);
	happens_with(&l, at(MONDAY, 11, 0), -1, express_level);
	happens(&l, at(MONDAY, 12, 0), PAUSED);
	happens(&l, at(MONDAY, 13, 0), RESUMED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->outcome, SLA_SUPERSEDED);
	CHECK_INT(counted(row), 90 * MINUTE);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 11, 0));
	CHECK_INT(row->ncounted, 1);
	CHECK_INT(row->counted[0].from, at(MONDAY, 11, 0));
	CHECK_INT(row->deadline, at(MONDAY, 20, 0));
	CHECK_INT(row->cycle, 1);
	end(&l);
	/* While it is paused: what counts begins when it resumes. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), PAUSED);
	happens_with(&l, at(MONDAY, 11, 0), -1, express_level);
	happens(&l, at(MONDAY, 13, 0), RESUMED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 11, 0));
	CHECK_INT(row->ncounted, 0);
	CHECK_INT(row->deadline, at(MONDAY, 21, 0));
	end(&l);
	/* A level that is chosen when a clock ran without one counts from then as well. */
	happens(&l, at(MONDAY, 9, 0), CREATED);
	happens_with(&l, at(MONDAY, 11, 0), -1, express_level);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->started_at, at(MONDAY, 11, 0));
	end(&l);
	/* A retroactive one counts from where the run began, also after it. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 11, 0), -1, express_level);
	happens_with(&l, at(MONDAY, 12, 0), -1, &standard.level);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 3);
	CHECK_INT(row->started_at, at(MONDAY, 9, 0));
	CHECK_INT(row->deadline, at(MONDAY, 13, 0));
	end(&l);

	/* forward: the share that was left. 1 of 4 hours used, so 6 of 8. */
	express.level.on_change = SLA_CHANGE_FORWARD;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), PAUSED);
	happens(&l, at(MONDAY, 10, 0), RESUMED);
	happens_with(&l, at(MONDAY, 10, 30), -1, express_level);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 10, 30));
	CHECK_INT(row->promise.amount, 6 * HOUR);
	CHECK_INT(row->deadline, at(MONDAY, 16, 30));
	/* 3 business days are 24 hours, of which an hour is gone: 23/24 of 48. */
	row = row_of(&l, RESOLUTION, 2);
	CHECK_INT(row->promise.days, 0);
	CHECK_INT(row->promise.amount, 46 * HOUR);
	end(&l);
	/* Twice: shares of the whole goal add up. 25 % and 3 of 8 hours leave 37.5 % of 4. */
	standard.level.on_change = SLA_CHANGE_FORWARD;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
	happens_with(&l, at(MONDAY, 13, 0), -1, &standard.level);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 3);
	CHECK_INT(row->promise.amount, 90 * MINUTE);
	CHECK_INT(row->deadline, at(MONDAY, 14, 30));
	end(&l);
	/* Nothing used, nothing lost: days stay days. */
	happens_with(&l, at(0, 9, 0), CREATED, &replies.level);
	happens_with(&l, at(MONDAY, 8, 0), -1, &standard.level);
	live(&l);
	row = row_of(&l, RESOLUTION, 1);
	CHECK_INT(row->promise.days, 3);
	CHECK_INT(row->started_at, at(MONDAY, 8, 0));
	end(&l);
	happens_with(&l, at(0, 9, 0), CREATED, express_level);
	happens(&l, at(0, 9, 0), PAUSED);
	happens_with(&l, at(1, 9, 0), -1, &standard.level);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 2)->promise.days, 3);
	end(&l);
	/* Used up: the new clock is late at birth. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(TUESDAY, 9, 0), -1, express_level);
	happens(&l, at(TUESDAY, 9, 1), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->promise.amount, 0);
	CHECK_INT(row->deadline, at(TUESDAY, 9, 0));
	CHECK_INT(row->outcome, SLA_MISSED);
	end(&l);
	/* A decision that was made before is not made again, and is told again. */
	{
		const sla_decision made = {.metric = FIRST_RESPONSE, .amount = 5 * HOUR, .share = SLA_WHOLE / 2};
		const sla_decision *decisions;
		const int  *tags;
		sla_event  *e;

		happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
		happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
		e = &l.events[l.n - 1];
		e->tag = 77;
		e->decisions = &made;
		e->ndecisions = 1;
		live(&l);
		CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->promise.amount, 5 * HOUR);
		CHECK_INT(row_of(&l, RESOLUTION, 2)->promise.amount, 46 * HOUR);
		CHECK_INT(sla_machine_decisions(l.machine, &decisions, &tags), 2);
		CHECK_INT(decisions[0].amount, 5 * HOUR);
		CHECK_INT(decisions[0].share, SLA_WHOLE / 2);
		CHECK_INT(decisions[1].metric, RESOLUTION);
		CHECK_INT(tags[0], 77);
		CHECK_INT(tags[1], 77);
		end(&l);
	}
	standard.level.on_change = SLA_CHANGE_RETROACTIVE;

	/* keep: what runs keeps its promise, what starts later has the new one. */
	express.level.on_change = SLA_CHANGE_KEEP;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
	happens(&l, at(MONDAY, 11, 0), AGENT_REPLY);
	happens(&l, at(MONDAY, 12, 0), CUSTOMER_MESSAGE);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	CHECK_TEXT(row_of(&l, FIRST_RESPONSE, 1)->level->name, "Standard");
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MET);
	CHECK_TEXT(row_of(&l, RESOLUTION, 1)->level->name, "Standard");
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_OPEN);
	CHECK_TEXT(row_of(&l, NEXT_RESPONSE, 1)->level->name, "Express");
	end(&l);
	/* Where nothing was promised there is nothing to keep; and back again changes nothing. */
	happens(&l, at(MONDAY, 9, 0), CREATED);
	happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->started_at, at(MONDAY, 9, 0));
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
	happens_with(&l, at(MONDAY, 11, 0), -1, &standard.level);
	happens_with(&l, at(MONDAY, 12, 0), -1, express_level);
	happens_with(&l, at(MONDAY, 12, 30), -1, NULL);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->reason, SLA_REASON_NO_LEVEL);
	end(&l);

	/* keep_stricter: 17:00 against 13:00 for the answer; Wednesday against Thursday for the rest. */
	express.level.on_change = SLA_CHANGE_KEEP_STRICTER;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, express_level);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->deadline, at(MONDAY, 13, 0));
	CHECK_INT(rows_of(&l, RESOLUTION), 2);
	CHECK_INT(row_of(&l, RESOLUTION, 2)->started_at, at(MONDAY, 9, 0));
	CHECK_INT(row_of(&l, RESOLUTION, 2)->deadline, at(WEDNESDAY, 9, 0));
	end(&l);
	/* No promise is the least strict. */
	urgent.level.on_change = SLA_CHANGE_KEEP_STRICTER;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 9, 30), -1, &urgent.level);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_OPEN);
	CHECK_TEXT(row_of(&l, FIRST_RESPONSE, 2)->level->name, "Urgent");
	end(&l);
	urgent.level.on_change = SLA_CHANGE_RETROACTIVE;

	/* Of a resolved ticket the change shows when it is reopened. */
	express.level.on_change = SLA_CHANGE_FORWARD;
	happens_with(&l, at(MONDAY, 8, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 14, 0), RESOLVED);
	happens_with(&l, at(MONDAY, 15, 0), -1, express_level);
	happens(&l, at(MONDAY, 16, 0), REOPENED);
	live(&l);
	row = row_of(&l, RESOLUTION, 2);
	CHECK_INT(row->promise.amount, 36 * HOUR);
	CHECK_INT(row->started_at, at(MONDAY, 15, 0));
	CHECK_INT(row->running_since, at(MONDAY, 16, 0));
	CHECK_INT(row->deadline, at(WEDNESDAY, 4, 0));
	end(&l);
	/* Total: the closed time counts for the share as well. */
	level_set(&express, "Express", &always, (const int[NMETRICS]){[TOTAL_RESOLUTION] = 48});
	express.level.on_change = SLA_CHANGE_FORWARD;
	happens_with(&l, at(MONDAY, 8, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 12, 0), RESOLVED);
	happens_with(&l, at(MONDAY, 14, 0), -1, express_level);
	happens(&l, at(MONDAY, 16, 0), REOPENED);
	live(&l);
	row = row_of(&l, TOTAL_RESOLUTION, 2);
	CHECK_INT(row->promise.amount, 36 * HOUR);
	CHECK_INT(row->started_at, at(MONDAY, 14, 0));
	CHECK_INT(row->running_since, at(MONDAY, 14, 0));
	end(&l);

	/* Two decisions at one instant: the last, with no row for the other. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, &nothing.level);
	happens_with(&l, at(MONDAY, 10, 0), -1, &urgent.level);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 2);
	CHECK_TEXT(row_of(&l, FIRST_RESPONSE, 2)->level->name, "Urgent");
	end(&l);
}

/* Settings of a metric: grace, equality, what keeps it from starting. */
static void
test_settings(void)
{
	life		l = {0};

	/* Strict: stopped at the very deadline is missed; a pause that begins at it, too. */
	definitions[FIRST_RESPONSE].strict = true;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	CHECK(row_of(&l, FIRST_RESPONSE, 1)->strict);
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0) - 1, AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MET);
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 13, 0), PAUSED);
	happens(&l, at(MONDAY, 14, 0), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	end(&l);
	definitions[FIRST_RESPONSE].strict = false;

	/* A reopening within the grace does not count; one later does. */
	definitions[RESOLUTION].reopen_grace = HOUR;
	for (int minutes = 60; minutes <= 61; minutes++)
	{
		happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
		happens(&l, at(MONDAY, 11, 0), RESOLVED);
		happens(&l, at(MONDAY, 11, 0) + minutes * MINUTE, REOPENED);
		live(&l);
		CHECK_INT(rows_of(&l, RESOLUTION), minutes == 60 ? 1 : 2);
		CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_MET);
		CHECK_INT(rows_of(&l, TOTAL_RESOLUTION), 2);
		end(&l);
	}
	/* Resolved again, the grace begins again; the time that counts does not. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 11, 50), REOPENED);
	happens(&l, at(MONDAY, 12, 10), RESOLVED);
	happens(&l, at(MONDAY, 13, 0), REOPENED);
	happens(&l, at(MONDAY, 13, 5), RESOLVED);
	happens(&l, at(MONDAY, 14, 6), REOPENED);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 2);
	CHECK_INT(counted(row_of(&l, RESOLUTION, 1)), 2 * HOUR);
	CHECK_INT(row_of(&l, RESOLUTION, 2)->running_since, at(MONDAY, 14, 6));
	CHECK_INT(counted(row_of(&l, RESOLUTION, 2)), 2 * HOUR);
	end(&l);
	definitions[RESOLUTION].reopen_grace = 0;

	/* Opened by an agent: no first response; the customer's message starts the next. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), BY_AGENT);
	happens(&l, at(MONDAY, 10, 0), CUSTOMER_MESSAGE);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 0);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	CHECK_INT(row_of(&l, NEXT_RESPONSE, 1)->started_at, at(MONDAY, 10, 0));
	end(&l);
}

static void
test_deleted(void)
{
	life		l = {0};
	const sla_clock *row;

	/* Back again: what its deletion cancelled goes on, the time between left out. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 10, 30), CUSTOMER_MESSAGE);
	happens(&l, at(MONDAY, 11, 0), UNDELETED);
	happens(&l, at(MONDAY, 12, 0), AGENT_REPLY);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 2);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->outcome, SLA_MET);
	CHECK_INT(row->started_at, at(MONDAY, 9, 0));
	CHECK_INT(counted(row), 2 * HOUR);
	CHECK_INT(row->deadline, at(MONDAY, 14, 0));
	/* Nothing started on a ticket that was not there. */
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 0);
	end(&l);

	/* Deleted while paused: paused it comes back. And a level that changed in between. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), PAUSED);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens_with(&l, at(MONDAY, 10, 30), -1, &urgent.level);
	happens(&l, at(MONDAY, 11, 0), UNDELETED);
	happens(&l, at(MONDAY, 12, 0), RESUMED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_TEXT(row->level->name, "Urgent");
	CHECK_INT(counted(row), 30 * MINUTE);
	CHECK_INT(row->running_since, at(MONDAY, 12, 0));
	end(&l);

	/* What had ended before stays ended; what never was deleted is not brought back. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), RESOLVED);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 11, 0), UNDELETED);
	happens(&l, at(MONDAY, 12, 0), UNDELETED);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	end(&l);
	/* A resolved one cannot be reopened while it is deleted, but afterwards. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), RESOLVED);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 10, 30), REOPENED);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	end(&l);

	/* Created again under its key: all begins anew, paused no longer. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 15), PAUSED);
	happens(&l, at(MONDAY, 9, 30), RESOLVED);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 11, 0), CREATED);
	happens(&l, at(MONDAY, 12, 0), UNDELETED);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 2);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 11, 0));
	CHECK_INT(row->cycle, 2);
	CHECK(row->running);
	CHECK_INT(rows_of(&l, RESOLUTION), 2);
	end(&l);
	/* At one instant, in either order. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 10, 0), CREATED);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->outcome, SLA_OPEN);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->started_at, at(MONDAY, 10, 0));
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), DELETED);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->ncounted, 0);
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	happens(&l, at(MONDAY, 10, 0), UNDELETED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->outcome, SLA_OPEN);
	CHECK_INT(row->running_since, at(MONDAY, 9, 0));
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), DELETED);
	happens(&l, at(MONDAY, 10, 0), UNDELETED);
	happens(&l, at(MONDAY, 10, 0), DELETED);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 2)->outcome, SLA_CANCELLED);
	end(&l);
}

static void
happens_by_hand(life *l, sla_instant when, const sla_by_hand *by_hand)
{
	happens(l, when, -1)->by_hand = by_hand;
}

static void
test_deadline_by_hand(void)
{
	life		l = {0};
	const sla_clock *row;
	const sla_by_hand set = {.act = SLA_ACT_SET_DEADLINE, .metric = RESOLUTION, .deadline = at(TUESDAY, 12, 0)};
	const sla_by_hand later = {.act = SLA_ACT_SET_DEADLINE, .metric = RESOLUTION, .deadline = at(FRIDAY, 12, 0)};
	const sla_by_hand taken_back = {.act = SLA_ACT_FREE_DEADLINE, .metric = RESOLUTION};

	/* Neither pause nor level moves it, and a pause does not keep it from being missed. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &set);
	happens(&l, at(MONDAY, 11, 0), PAUSED);
	happens(&l, at(MONDAY, 12, 0), RESUMED);
	happens_with(&l, at(MONDAY, 13, 0), -1, &urgent.level);
	happens(&l, at(MONDAY, 14, 0), PAUSED);
	happens(&l, at(TUESDAY, 12, 0) + 1, RESOLVED);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 1);
	row = row_of(&l, RESOLUTION, 1);
	CHECK(row->fixed);
	CHECK_INT(row->deadline, at(TUESDAY, 12, 0));
	CHECK_INT(row->outcome, SLA_MISSED);
	CHECK_TEXT(row->level->name, "Standard");
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 2);
	CHECK(!row_of(&l, FIRST_RESPONSE, 1)->fixed);
	end(&l);
	/* Equality is met; set again, the last counts. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &set);
	happens_by_hand(&l, at(MONDAY, 11, 0), &later);
	happens(&l, at(FRIDAY, 12, 0), RESOLVED);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_MET);
	end(&l);
	/* Taken back: as of the pauses, and of the level that came meanwhile. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &set);
	happens(&l, at(MONDAY, 11, 0), PAUSED);
	happens(&l, at(MONDAY, 12, 0), RESUMED);
	happens_by_hand(&l, at(MONDAY, 13, 0), &taken_back);
	happens_by_hand(&l, at(MONDAY, 13, 1), &taken_back);
	live(&l);
	row = row_of(&l, RESOLUTION, 1);
	CHECK(!row->fixed);
	CHECK_INT(row->deadline, at(WEDNESDAY + 1, 10, 0));
	end(&l);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &set);
	happens_with(&l, at(MONDAY, 12, 0), -1, &nothing.level);
	happens_by_hand(&l, at(MONDAY, 13, 0), &taken_back);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_SUPERSEDED);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->closed_at, at(MONDAY, 13, 0));
	end(&l);
	/* It goes on with the clock when the ticket is reopened; no level ends it; no clock, nothing. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &later);
	happens(&l, at(MONDAY, 11, 0), RESOLVED);
	happens(&l, at(MONDAY, 12, 0), REOPENED);
	happens_with(&l, at(MONDAY, 13, 0), -1, NULL);
	happens_by_hand(&l, at(MONDAY, 14, 0), &later);
	live(&l);
	CHECK_INT(rows_of(&l, RESOLUTION), 2);
	row = row_of(&l, RESOLUTION, 2);
	CHECK(row->fixed);
	CHECK_INT(row->deadline, at(FRIDAY, 12, 0));
	CHECK_INT(row->outcome, SLA_CANCELLED);
	end(&l);
	/* At the instant at which it starts. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 9, 0), &set);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->deadline, at(TUESDAY, 12, 0));
	end(&l);
}

static void
test_take_over(void)
{
	life		l = {0};
	const sla_clock *row;
	const sla_stretch counted_there[] = {
		{at(MONDAY, 8, 0), at(MONDAY, 8, 30)}, {at(MONDAY, 8, 45), at(MONDAY, 10, 0)}
	};
	sla_by_hand earlier = {.act = SLA_ACT_TAKE_OVER, .metric = FIRST_RESPONSE,
	.since = at(MONDAY, 8, 0), .counted = counted_there, .ncounted = 2};

	/* From the earlier start; what counted there until this one began counts here. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 11, 0), &earlier);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 2);
	row = row_of(&l, FIRST_RESPONSE, 1);
	CHECK_INT(row->outcome, SLA_SUPERSEDED);
	CHECK_INT(row->reason, SLA_REASON_TOOK_OVER);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->started_at, at(MONDAY, 8, 0));
	CHECK_INT(row->ncounted, 1);
	CHECK_INT(row->running_since, at(MONDAY, 8, 45));
	CHECK_INT(row->deadline, at(MONDAY, 12, 15));
	end(&l);
	/* Paused here then: the stretches stay apart. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), PAUSED);
	happens_by_hand(&l, at(MONDAY, 11, 0), &earlier);
	happens(&l, at(MONDAY, 12, 0), RESUMED);
	live(&l);
	row = row_of(&l, FIRST_RESPONSE, 2);
	CHECK_INT(row->ncounted, 2);
	CHECK_INT(row->counted[1].to, at(MONDAY, 9, 0));
	CHECK_INT(row->deadline, at(MONDAY, 15, 15));
	end(&l);
	/* A later start changes nothing, a deadline by hand stays. */
	earlier.since = at(MONDAY, 9, 30);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 11, 0), &earlier);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	end(&l);
	/* A question that nobody waited for here is waited for from then on. */
	earlier.metric = NEXT_RESPONSE;
	earlier.since = at(MONDAY, 8, 0);
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), AGENT_REPLY);
	happens_by_hand(&l, at(MONDAY, 10, 0), &earlier);
	happens(&l, at(MONDAY, 10, 15), AGENT_REPLY);
	live(&l);
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 1);
	row = row_of(&l, NEXT_RESPONSE, 1);
	CHECK_INT(row->started_at, at(MONDAY, 8, 0));
	CHECK_INT(counted(row), 2 * HOUR);
	CHECK_INT(row->deadline, at(MONDAY, 10, 15));
	CHECK_INT(row->outcome, SLA_MET);
	end(&l);
	/* But not while the first response is, nor one that has been given. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens_by_hand(&l, at(MONDAY, 10, 0), &earlier);
	live(&l);
	CHECK_INT(rows_of(&l, NEXT_RESPONSE), 0);
	end(&l);
	earlier.metric = FIRST_RESPONSE;
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 30), AGENT_REPLY);
	happens_by_hand(&l, at(MONDAY, 10, 0), &earlier);
	live(&l);
	CHECK_INT(rows_of(&l, FIRST_RESPONSE), 1);
	end(&l);
}

static void
test_ends(void)
{
	life		l = {0};
	sla_event  *e;

	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 10, 0), MERGED);
	live(&l);
	for (int i = 0; i < l.nrows; i++)
	{
		CHECK_INT(l.rows[i].outcome, SLA_CANCELLED);
		CHECK_INT(l.rows[i].reason_event, MERGED);
	}
	end(&l);

	/* Past its deadline it is missed whatever ends it. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 15, 0), DELETED);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_MISSED);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_CANCELLED);
	end(&l);

	/* Comes in resolved: ends as it starts. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), RESOLVED);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_MET);
	CHECK_INT(counted(row_of(&l, RESOLUTION, 1)), 0);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	end(&l);

	/* Told to be resolved before it was there: it comes in resolved. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 8, 59), RESOLVED);
	happens(&l, at(MONDAY, 8, 58), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_MET);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->closed_at, at(MONDAY, 9, 0));
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_CANCELLED);
	end(&l);
	/* And reopened before it was there, told in the other order: it is open. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 8, 59), REOPENED);
	happens(&l, at(MONDAY, 8, 58), RESOLVED);
	happens(&l, at(MONDAY, 8, 57), PAUSED);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_OPEN);
	CHECK(!row_of(&l, RESOLUTION, 1)->running);
	end(&l);

	/* Resolved and reopened at the instant of its creation: it is open. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), RESOLVED);
	happens(&l, at(MONDAY, 9, 0), REOPENED);
	live(&l);
	CHECK_INT(row_of(&l, RESOLUTION, 1)->outcome, SLA_OPEN);
	end(&l);

	/* At one instant stops come before starts: this reply answers nothing. */
	happens_with(&l, at(MONDAY, 9, 0), CREATED, &standard.level);
	happens(&l, at(MONDAY, 9, 0), AGENT_REPLY);
	live(&l);
	CHECK_INT(row_of(&l, FIRST_RESPONSE, 1)->outcome, SLA_OPEN);
	end(&l);

	/* The row tells who held the ticket when the verdict fell. */
	e = happens(&l, at(MONDAY, 9, 0), CREATED);
	e->decides[0] = true;
	e->levels[0] = &standard.level;
	e->holds = true;
	e->holder.department = "first";
	e = happens(&l, at(MONDAY, 13, 30), -1);
	e->holds = true;
	e->holder.department = "second";
	happens(&l, at(MONDAY, 14, 0), AGENT_REPLY);
	happens(&l, at(MONDAY, 15, 0), RESOLVED);
	live(&l);
	CHECK_TEXT(holder_of(&l, row_of(&l, FIRST_RESPONSE, 1))->department, "first");
	CHECK_TEXT(holder_of(&l, row_of(&l, RESOLUTION, 1))->department, "second");
	end(&l);
}

/* ----------------------------------------------------------------
 * Properties of random lives
 * ----------------------------------------------------------------
 */

static bool
same_row(const sla_clock *a, const sla_clock *b)
{
	return a->metric == b->metric && a->ordinal == b->ordinal && a->cycle == b->cycle &&
		a->level == b->level && a->started_at == b->started_at && a->ncounted == b->ncounted &&
		(a->ncounted == 0 || memcmp(a->counted, b->counted, (size_t) a->ncounted * sizeof(sla_stretch)) == 0) &&
		a->running == b->running && (!a->running || a->running_since == b->running_since) &&
		a->deadline == b->deadline && a->outcome == b->outcome &&
		(a->outcome == SLA_OPEN || a->closed_at == b->closed_at) && a->reason == b->reason;
}

/* Was the ticket paused or deleted at t, by a walk over its events?  Independent of the machine. */
static bool
paused_at(const life *l, sla_instant t)
{
	bool		paused = false;
	bool		deleted = false;

	for (int i = 0; i < l->n; i++)
	{
		if (l->events[i].at > t)
			break;
		if (l->events[i].event == DELETED)
			deleted = true;
		if (l->events[i].event == UNDELETED)
			deleted = false;
		if (l->events[i].event == PAUSED)
			paused = true;
		if (l->events[i].event == RESUMED)
			paused = false;
	}
	return paused || deleted;
}

static bool
counts_at(const sla_clock *row, sla_instant t)
{
	for (int i = 0; i < row->ncounted; i++)
		if (row->counted[i].from <= t && t < row->counted[i].to)
			return true;
	return row->running && row->running_since <= t;
}

/*
 * Stepped through, a clock is late from the instant on of which the whole history
 * says so: at each step, before anything happens in it.  Where a deadline is set
 * by hand, or a clock taken over, later news may change what was so before.
 */
static void
check_missed_after(const life *l, int round)
{
	sla_machine *machine = sla_machine_create(&testing_env, &metrics);

	for (int from = 0, to; from < l->n; from = to)
	{
		const sla_clock *rows;
		sla_instant now = l->events[from].at;
		int			n = sla_machine_clocks(machine, &rows);

		for (int i = 0; i < n; i++)
		{
			const sla_clock *then = &rows[i];
			const sla_clock *in_the_end = &l->rows[i];

			if (then->outcome == SLA_OPEN && !in_the_end->fixed && !then->fixed)
				CHECK_THAT(sla_is_missed(then->deadline, then->counted, then->ncounted, then->running,
										 then->strict, then->fixed, now) ==
						   (now > sla_missed_after(in_the_end->deadline, in_the_end->counted, in_the_end->ncounted,
												   in_the_end->running, in_the_end->running_since,
												   in_the_end->strict, in_the_end->fixed)),
						   "round %d: row %d is late at another instant than it was", round, i);
		}
		for (to = from + 1; to < l->n && l->events[to].at == now; to++)
			;
		sla_clock_step(machine, l->events + from, to - from);
	}
	sla_machine_free(machine);
}

static void
test_random_lives(void)
{
	static const test_level *const levels[] = {&standard, &urgent, &nothing, NULL};

	for (int round = 0; round < 3000; round++)
	{
		life		l = {0};
		life		shuffled = {0};
		sla_instant t = at((int) testing_random(14), (int) testing_random(24), 0);

		happens_with(&l, t, CREATED, &standard.level);
		for (int i = (int) testing_random(20); i > 0; i--)
		{
			/* Distinct instants, so that no order of arrival matters. */
			t += (sla_instant) (testing_random(300) + 1) * MINUTE;
			if (testing_random(6) == 0)
			{
				const test_level *level = levels[testing_random(4)];

				happens_with(&l, t, -1, level ? &level->level : NULL);
			}
			else
				happens(&l, t, 1 + (int) testing_random(testing_random(4) == 0 ? NEVENTS - 1 : 6));
		}
		shuffled = l;
		for (int i = shuffled.n - 1; i > 0; i--)
		{
			int			j = (int) testing_random((uint64_t) i + 1);
			sla_event	moved = shuffled.events[i];

			shuffled.events[i] = shuffled.events[j];
			shuffled.events[j] = moved;
		}
		live(&l);
		live(&shuffled);

		/* The log does not depend on the order of arrival. */
		CHECK_INT(shuffled.nrows, l.nrows);
		for (int i = 0; i < l.nrows && i < shuffled.nrows; i++)
			CHECK_THAT(same_row(&l.rows[i], &shuffled.rows[i]), "round %d, row %d differs", round, i);
		check_missed_after(&l, round);

		for (int i = 0; i < l.nrows; i++)
		{
			const sla_clock *row = &l.rows[i];
			sla_instant until = row->outcome == SLA_OPEN ? t : row->closed_at;

			/* Stretches are sorted, apart, and within the row's life. */
			for (int s = 0; s < row->ncounted; s++)
			{
				CHECK(row->counted[s].from < row->counted[s].to);
				CHECK(row->counted[s].from >= row->started_at);
				CHECK(row->counted[s].to <= until);
				CHECK(s == 0 || row->counted[s - 1].to < row->counted[s].from);
			}
			CHECK(row->outcome == SLA_OPEN || !row->running);
			if (row->outcome == SLA_MET)
				CHECK(row->closed_at <= row->deadline);

			/* It counts exactly while the ticket was not paused. */
			for (sla_instant probe = row->started_at; probe < until; probe += 7 * MINUTE)
				if (row->metric == FIRST_RESPONSE || row->metric == NEXT_RESPONSE || row->metric == PERIODIC_UPDATE)
					CHECK_THAT(counts_at(row, probe) == !paused_at(&l, probe),
							   "round %d: metric %d counts wrongly", round, row->metric);

			/* A goal in hours: the deadline is where the counted time reaches it. */
			if (row->running && row->promise.days == 0)
			{
				int64_t		so_far = counted(row);
				int64_t		rest;

				if (row->deadline >= row->running_since)
				{
					CHECK(sla_measure(row->promise.timeline, row->running_since, row->deadline, &rest));
					CHECK_INT(so_far + rest, row->promise.amount);
				}
			}
		}
		end(&l);
		end(&shuffled);
	}
}

/*
 * Random lives in which levels change in all ways, deadlines are set and taken
 * back, clocks are taken over, and several things happen at one instant.
 */
static void
test_random_edges(void)
{
	static const sla_stretch counted_there[] = {{0, 1}};
	static test_level levels[5];
	sla_by_hand by_hand[16];

	for (int i = 0; i < 5; i++)
	{
		static const char *const names[] = {"A", "B", "C", "D", "E"};

		level_set(&levels[i], names[i], i % 2 ? &always : &weekdays,
				  (const int[NMETRICS]){[FIRST_RESPONSE] = 2 + i, [RESOLUTION] = i % 2 ? -2 : 5 * i, [TOTAL_RESOLUTION] = 30,
					  [NEXT_RESPONSE] = 3 - i % 2});
		levels[i].level.on_change = (sla_on_change) i;
	}
	for (int round = 0; round < 2000; round++)
	{
		life		l = {0};
		life		shuffled = {0};
		life		again = {0};
		sla_instant t = at((int) testing_random(14), (int) testing_random(24), 0);
		const sla_decision *decisions;
		const sla_decision *others;
		const int  *tags;
		const int  *other_tags;
		int			n;
		int			nby_hand = 0;

		definitions[RESOLUTION].reopen_grace = testing_random(2) ? 0 : 3 * HOUR;
		definitions[RESOLUTION].on_reopen = (sla_on_reopen) testing_random(4);
		definitions[FIRST_RESPONSE].strict = testing_random(2);
		happens_with(&l, t, CREATED, &levels[testing_random(5)].level);
		for (int i = 4 + (int) testing_random(20); i > 0; i--)
		{
			sla_by_hand *hand;

			t += (sla_instant) testing_random(4) * 50 * MINUTE;
			switch (testing_random(8))
			{
				case 0:
				case 1:
					happens_with(&l, t, -1, testing_random(8) == 0 ? NULL : &levels[testing_random(5)].level);
					break;
				case 2:
					if (nby_hand == 16)
						break;
					hand = &by_hand[nby_hand++];
					memset(hand, 0, sizeof(*hand));
					hand->act = (sla_act) testing_random(3);
					hand->metric = (int) testing_random(NMETRICS);
					hand->deadline = t + (sla_instant) testing_random(40) * HOUR;
					hand->since = t - (sla_instant) testing_random(40) * HOUR;
					hand->counted = counted_there;
					happens_by_hand(&l, t, hand);
					break;
				default:
					happens(&l, t, 1 + (int) testing_random(NEVENTS - 1));
			}
		}
		for (int i = 0; i < l.n; i++)
			l.events[i].tag = i;
		shuffled = l;
		for (int i = shuffled.n - 1; i > 0; i--)
		{
			int			j = (int) testing_random((uint64_t) i + 1);
			sla_event	moved = shuffled.events[i];

			shuffled.events[i] = shuffled.events[j];
			shuffled.events[j] = moved;
		}
		again = l;
		live(&l);
		live(&shuffled);

		/* Neither the order of arrival nor decisions that were made before change the log. */
		n = sla_machine_decisions(l.machine, &decisions, &tags);
		CHECK_INT(sla_machine_decisions(shuffled.machine, &others, &other_tags), n);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < again.n; j++)
				if (again.events[j].tag == tags[i])
				{
					/* Those of one event stand together. */
					if (again.events[j].ndecisions == 0)
						again.events[j].decisions = &decisions[i];
					again.events[j].ndecisions++;
				}
		live(&again);
		CHECK_INT(shuffled.nrows, l.nrows);
		CHECK_INT(again.nrows, l.nrows);
		for (int i = 0; i < l.nrows && i < shuffled.nrows && i < again.nrows; i++)
		{
			CHECK_THAT(same_row(&l.rows[i], &shuffled.rows[i]), "round %d, row %d differs", round, i);
			CHECK_THAT(same_row(&l.rows[i], &again.rows[i]), "round %d, row %d differs by its decisions", round, i);
		}
		check_missed_after(&l, round);

		for (int i = 0; i < l.nrows; i++)
		{
			const sla_clock *row = &l.rows[i];
			sla_instant until = row->outcome == SLA_OPEN ? t : row->closed_at;

			for (int s = 0; s < row->ncounted; s++)
			{
				CHECK(row->counted[s].from < row->counted[s].to);
				CHECK(row->counted[s].from >= row->started_at);
				CHECK(row->counted[s].to <= until);
				CHECK(s == 0 || row->counted[s - 1].to < row->counted[s].from);
			}
			CHECK(!row->running || row->running_since >= row->started_at);
			/* Anyone computes the deadline again, but of one that was set by hand. */
			if (!row->fixed)
				CHECK_INT(row->deadline, sla_deadline(&row->promise, row->started_at, row->counted, row->ncounted, row->running,
													  row->running_since, row->strict, row->outcome == SLA_OPEN ? SLA_BEFORE_ALL : row->closed_at));
			if (row->outcome == SLA_MET)
				CHECK(row->closed_at <= row->deadline);
			/* One row of a metric is open at a time, and it is the last. */
			CHECK(row->outcome != SLA_OPEN || row->ordinal == rows_of(&l, row->metric));
		}
		end(&l);
		end(&shuffled);
		end(&again);
	}
	definitions[RESOLUTION].reopen_grace = 0;
	definitions[RESOLUTION].on_reopen = SLA_REOPEN_RESUME;
	definitions[FIRST_RESPONSE].strict = false;
}

int
main(void)
{
	office_open(&weekdays, "Mo-Fr 08:00-16:00");
	office_open(&always, "24/7");
	level_set(&standard, "Standard", &weekdays,
			  (const int[NMETRICS]){[FIRST_RESPONSE] = 4, [RESOLUTION] = -3, [TOTAL_RESOLUTION] = -3,
				  [PERIODIC_UPDATE] = 8, [NEXT_RESPONSE] = 2});
	level_set(&urgent, "Urgent", &always, (const int[NMETRICS]){[FIRST_RESPONSE] = 1, [NEXT_RESPONSE] = 1});
	level_set(&nothing, "Nothing", &always, (const int[NMETRICS]){0});

	level_set(&replies, "Replies", &weekdays, (const int[NMETRICS]){[NEXT_RESPONSE] = 2});

	test_plain();
	test_pause();
	test_next_response();
	test_reopen();
	test_level_change();
	test_on_change();
	test_settings();
	test_deleted();
	test_deadline_by_hand();
	test_take_over();
	test_ends();
	test_random_lives();
	test_random_edges();

	office_close(&weekdays);
	office_close(&always);
	return testing_finish("clock");
}
