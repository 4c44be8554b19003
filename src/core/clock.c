/*
 * clock.c
 *		The clock step.
 */
#include "clock.h"

#include <string.h>

/* A run of a metric under one kind of agreement, promised or not. */
typedef struct run
{
	bool		active;
	bool		stopped;		/* ended by a stop, so that a reopening may go on */
	sla_instant grace_from;		/* when the ticket was last said to be done */
	bool		reopened;		/* within the grace: counts as stopped */
	int			cancelled_by;	/* ended by this event, whose opposite may have it go
								 * on; or -1 */
	bool		reborn;			/* its ticket was deleted and is there anew */
	bool		fresh;			/* began in this very step */
	int			cycle;			/* 0: never ran */
	int			ordinal;		/* of its latest row */
	int			row;			/* the open row, or -1 */
	sla_instant started_at;
	sla_stretch *counted;
	int			ncounted;
	int			counted_size;
	bool		running;
	sla_instant running_since;

	/* What it is promised, if anything: that of its row. */
	const sla_level *level;		/* NULL: nothing */
	const sla_promise *base;	/* the level's */
	sla_promise promise;		/* the same, or what was left of it */
	int64_t		share;			/* how much that is, of SLA_WHOLE */
	sla_instant from;			/* counts from here; not before started_at */
	bool		fixed;			/* by hand: the promise stays, and this is the deadline */
	sla_instant deadline;
} run;

struct sla_machine
{
	sla_env		env;
	const sla_metrics *metrics;
	run		   *runs;			/* [agreement * nmetrics + metric] */
	bool	   *paused;			/* by metric: is the ticket in a state that pauses it? */
	bool	   *shut;			/* or in one that cancels it until its opposite? */
	bool	   *barred;			/* ... all through this step */
	bool		born;			/* before this step? */
	bool		gone;			/* deleted, and not there again? */
	const sla_level *levels[SLA_AGREEMENTS];
	sla_instant now;			/* of this step */
	sla_holding *holdings;
	int			nholdings;
	int			holdings_size;
	sla_clock  *rows;
	int			nrows;
	int			rows_size;
	sla_decision *decisions;
	int		   *tags;
	int			ndecisions;
	int			decisions_size;
	int			tags_size;
};

static uint8_t
role_of(const sla_machine *machine, int metric, int event)
{
	if (event < 0)
		return 0;
	return machine->metrics->roles[metric * machine->metrics->nevents + event];
}

static run *
run_of(const sla_machine *machine, int agreement, int metric)
{
	return &machine->runs[agreement * machine->metrics->nmetrics + metric];
}

/* Make room for one more element, by doubling. */
static void *
grow(const sla_env *env, void *array, int used, int *size, size_t width)
{
	void	   *larger;
	int			wanted;

	if (used < *size)
		return array;
	wanted = *size > 0 ? *size * 2 : 4;
	larger = env->alloc(env->arg, (size_t) wanted * width);
	if (used > 0)
		memcpy(larger, array, (size_t) used * width);
	if (array != NULL)
		env->release(env->arg, array);
	*size = wanted;
	return larger;
}

sla_machine *
sla_machine_create(const sla_env *env, const sla_metrics *metrics)
{
	sla_machine *machine = env->alloc(env->arg, sizeof(sla_machine));
	size_t		nruns = (size_t) metrics->nmetrics * SLA_AGREEMENTS;

	memset(machine, 0, sizeof(sla_machine));
	machine->env = *env;
	machine->metrics = metrics;
	machine->runs = env->alloc(env->arg, nruns * sizeof(run) + 1);
	memset(machine->runs, 0, nruns * sizeof(run));
	for (size_t i = 0; i < nruns; i++)
	{
		machine->runs[i].row = -1;
		machine->runs[i].cancelled_by = -1;
	}
	/* Three flags by metric, in one piece. */
	machine->paused = env->alloc(env->arg, 3 * (size_t) metrics->nmetrics * sizeof(bool) + 1);
	memset(machine->paused, 0, 3 * (size_t) metrics->nmetrics * sizeof(bool));
	machine->shut = machine->paused + metrics->nmetrics;
	machine->barred = machine->shut + metrics->nmetrics;
	return machine;
}

void
sla_machine_free(sla_machine *machine)
{
	void		(*release) (void *, void *) = machine->env.release;
	void	   *arg = machine->env.arg;

	for (int i = 0; i < SLA_AGREEMENTS * machine->metrics->nmetrics; i++)
		if (machine->runs[i].counted != NULL)
			release(arg, machine->runs[i].counted);
	for (int i = 0; i < machine->nrows; i++)
		if (machine->rows[i].counted != NULL)
			release(arg, machine->rows[i].counted);
	if (machine->rows != NULL)
		release(arg, machine->rows);
	if (machine->holdings != NULL)
		release(arg, machine->holdings);
	if (machine->decisions != NULL)
		release(arg, machine->decisions);
	if (machine->tags != NULL)
		release(arg, machine->tags);
	release(arg, machine->runs);
	release(arg, machine->paused);
	release(arg, machine);
}

int
sla_machine_clocks(const sla_machine *machine, const sla_clock **clocks)
{
	*clocks = machine->rows;
	return machine->nrows;
}

int
sla_machine_holdings(const sla_machine *machine, const sla_holding **holdings)
{
	*holdings = machine->holdings;
	return machine->nholdings;
}

const sla_holder *
sla_holder_at(const sla_holding *holdings, int n, sla_instant at)
{
	for (int i = n - 1; i >= 0; i--)
		if (holdings[i].at <= at)
			return &holdings[i].holder;
	return NULL;
}

int
sla_machine_decisions(const sla_machine *machine, const sla_decision **decisions,
					  const int **tags)
{
	*decisions = machine->decisions;
	*tags = machine->tags;
	return machine->ndecisions;
}

sla_instant
sla_deadline(const sla_promise *promise, sla_instant started_at,
			 const sla_stretch *counted, int ncounted,
			 bool running, sla_instant running_since, bool strict, sla_instant until)
{
	sla_timeline *timeline = promise->timeline;
	sla_instant promised;
	sla_instant deadline;
	sla_instant pause = started_at;
	int64_t		lost = 0;

	promised = sla_advance(timeline,
						   sla_advance_days(timeline, started_at, promise->days),
						   promise->amount);
	deadline = promised;

	/* The pauses are the gaps between what counted. */
	for (int i = 0; i <= ncounted; i++)
	{
		sla_instant resumed;
		int64_t		open;

		if (i < ncounted)
			resumed = counted[i].from;
		else if (running)
			resumed = running_since;
		else if (until != SLA_BEFORE_ALL)
			resumed = until;
		else
			break;

		/* A pause after the deadline moves nothing any more; before anything counted nothing is missed. */
		if (pause > deadline || (strict && i > 0 && pause == deadline))
			break;
		if (resumed > pause)
		{
			if (!sla_measure(timeline, pause, resumed, &open) ||
				__builtin_add_overflow(lost, open, &lost))
				return SLA_FOREVER;
			if (lost > 0)
				deadline = sla_advance(timeline, promised, lost);
		}
		if (i < ncounted)
			pause = counted[i].to;
	}
	return deadline;
}

bool
sla_is_missed(sla_instant deadline, const sla_stretch *counted, int ncounted,
			  bool running, bool strict, bool fixed, sla_instant now)
{
	sla_instant until = now;

	if (!running && !fixed)
	{
		if (ncounted == 0)
			return false;
		until = counted[ncounted - 1].to;
	}
	return strict ? until >= deadline : until > deadline;
}

sla_instant
sla_missed_after(sla_instant deadline, const sla_stretch *counted, int ncounted,
				 bool running, sla_instant running_since, bool strict, bool fixed)
{
	sla_instant last = strict ? deadline - 1 : deadline;

	/* A pause does not put off what was fixed. */
	if (fixed)
		return last;
	for (int i = 0; i < ncounted; i++)
	{
		if (strict ? counted[i].to < deadline : counted[i].to <= deadline)
			continue;
		/* Missed while it ran, or when it ran again after a pause that began in time. */
		return counted[i].from < deadline ? last : counted[i].from;
	}
	if (running)
		return running_since < deadline ? last : running_since;
	return SLA_FOREVER;
}

static bool
row_is_missed(const sla_clock *row, sla_instant now)
{
	return sla_is_missed(row->deadline, row->counted, row->ncounted, row->running,
						 row->strict, row->fixed, now);
}

/* The row shows what its run has counted since it counts for it. */
static void
copy_counted(sla_machine *machine, sla_clock *row, const run *r)
{
	int			first = 0;

	while (first < r->ncounted && r->counted[first].to <= r->from)
		first++;
	row->ncounted = r->ncounted - first;
	if (row->ncounted > row->counted_size)
	{
		sla_stretch *copy = machine->env.alloc(machine->env.arg,
											   (size_t) r->counted_size * sizeof(sla_stretch));

		if (row->counted != NULL)
			machine->env.release(machine->env.arg, row->counted);
		row->counted = copy;
		row->counted_size = r->counted_size;
	}
	if (row->ncounted > 0)
	{
		memcpy(row->counted, r->counted + first, (size_t) row->ncounted * sizeof(sla_stretch));
		if (row->counted[0].from < r->from)
			row->counted[0].from = r->from;
	}
	row->running = r->running;
	row->running_since = r->running_since > r->from ? r->running_since : r->from;
}

static void
set_deadline(sla_clock *row, sla_instant until)
{
	if (!row->fixed)
		row->deadline = sla_deadline(&row->promise, row->started_at, row->counted, row->ncounted,
									 row->running, row->running_since, row->strict, until);
}

/* Stop counting at t. */
static void
run_halt(sla_machine *machine, run *r, sla_instant t)
{
	if (!r->running)
		return;
	r->running = false;
	if (t > r->running_since)
	{
		r->counted = grow(&machine->env, r->counted, r->ncounted, &r->counted_size,
						  sizeof(sla_stretch));
		r->counted[r->ncounted].from = r->running_since;
		r->counted[r->ncounted].to = t;
		r->ncounted++;
	}
}

/* Count from t on; a stretch that ended just now goes on. */
static void
run_go(run *r, sla_instant t)
{
	r->running = true;
	r->running_since = t;
	if (r->ncounted > 0 && r->counted[r->ncounted - 1].to == t)
	{
		r->ncounted--;
		r->running_since = r->counted[r->ncounted].from;
	}
}

/* Open a row for a run, if it is promised anything. */
static void
row_open(sla_machine *machine, int agreement, int metric)
{
	run		   *r = run_of(machine, agreement, metric);
	sla_clock  *row;

	if (r->level == NULL)
		return;

	machine->rows = grow(&machine->env, machine->rows, machine->nrows, &machine->rows_size,
						 sizeof(sla_clock));
	row = &machine->rows[machine->nrows];
	memset(row, 0, sizeof(sla_clock));
	row->metric = metric;
	row->agreement = agreement;
	row->ordinal = ++r->ordinal;
	row->cycle = r->cycle;
	row->level = r->level;
	row->promise = r->promise;
	row->strict = machine->metrics->metrics[metric].strict;
	row->fixed = r->fixed;
	row->deadline = r->deadline;
	row->started_at = r->from;
	row->opened_at = machine->now;
	row->outcome = SLA_OPEN;
	r->row = machine->nrows++;
	copy_counted(machine, row, r);
	set_deadline(row, SLA_BEFORE_ALL);
}

/*
 * Close a run's row, if it has one: met and cancelled and superseded give way
 * to missed when the deadline had passed.
 */
static void
row_close(sla_machine *machine, run *r, sla_instant t, sla_outcome outcome,
		  sla_reason reason, int reason_event, const char *agent)
{
	sla_clock  *row;
	bool		was_running;

	if (r->row < 0)
		return;
	row = &machine->rows[r->row];
	r->row = -1;

	was_running = row->running;
	row->outcome = row_is_missed(row, t) ? SLA_MISSED : outcome;
	row->closed_at = t;
	row->reason = reason;
	row->reason_event = reason_event;
	row->ended_by = agent;

	/* What it counted ends here, whether or not the run itself goes on. */
	if (was_running && t > row->running_since)
	{
		row->counted = grow(&machine->env, row->counted, row->ncounted, &row->counted_size,
							sizeof(sla_stretch));
		row->counted[row->ncounted].from = row->running_since;
		row->counted[row->ncounted].to = t;
		row->ncounted++;
	}
	row->running = false;
	if (!was_running)
		set_deadline(row, t);
}

/*
 * Does a run count although it has stopped, in case that it is reopened and
 * then shall be as if it had never stopped?
 */
static bool
counts_unseen(const sla_machine *machine, const run *r)
{
	int			metric = (int) (r - machine->runs) % machine->metrics->nmetrics;

	return r->stopped && machine->metrics->metrics[metric].on_reopen == SLA_REOPEN_TOTAL;
}

static void
run_end(sla_machine *machine, run *r, sla_instant t, sla_outcome outcome, int event,
		const char *agent)
{
	/* A stop says by itself what it was; a cancellation tells its event. */
	if (outcome == SLA_MET)
		row_close(machine, r, t, outcome, SLA_REASON_NONE, -1, agent);
	else
		row_close(machine, r, t, outcome, SLA_REASON_EVENT, event, agent);
	r->active = false;
	r->stopped = (outcome == SLA_MET);
	r->grace_from = t;
	r->reopened = false;
	r->cancelled_by = r->stopped ? -1 : event;
	if (!counts_unseen(machine, r))
		run_halt(machine, r, t);
}

/* End the active runs for which the event has one of the roles. */
static void
end_runs(sla_machine *machine, const sla_event *event, uint8_t roles, sla_outcome outcome,
		 bool fresh)
{
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		if ((role_of(machine, metric, event->event) & roles) == 0)
			continue;
		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
		{
			run		   *r = run_of(machine, agreement, metric);

			if (r->active && r->fresh == fresh)
				run_end(machine, r, event->at, outcome, event->event, event->agent);
			else if (r->reopened && outcome == SLA_MET)
			{
				/* Its reopening did not count; the next is measured from here. */
				r->reopened = false;
				r->grace_from = event->at;
			}
		}
	}
}

static void
hold(sla_machine *machine, const sla_event *event)
{
	machine->holdings = grow(&machine->env, machine->holdings, machine->nholdings,
							 &machine->holdings_size, sizeof(sla_holding));
	machine->holdings[machine->nholdings].at = event->at;
	machine->holdings[machine->nholdings].holder = event->holder;
	machine->nholdings++;
}

static bool
same_promise(const sla_promise *a, const sla_promise *b)
{
	return a->timeline == b->timeline && a->days == b->days && a->amount == b->amount;
}

/* ----------------------------------------------------------------
 * Promises
 * ----------------------------------------------------------------
 */

/* Promise a run what its level says, counted from an instant. */
static void
promise_all(run *r, const sla_level *level, int metric, sla_instant from)
{
	r->level = level != NULL && level->promises[metric] != NULL ? level : NULL;
	r->share = SLA_WHOLE;
	r->from = from;
	r->fixed = false;
	r->base = NULL;
	if (r->level != NULL)
	{
		r->base = level->promises[metric];
		r->promise = *r->base;
	}
}

/* Note a decision that was made at an event. */
static void
note_decision(sla_machine *machine, const sla_event *event, const sla_decision *decision)
{
	int			n = machine->ndecisions;

	machine->decisions = grow(&machine->env, machine->decisions, n, &machine->decisions_size,
							  sizeof(sla_decision));
	machine->tags = grow(&machine->env, machine->tags, n, &machine->tags_size, sizeof(int));
	machine->decisions[n] = *decision;
	machine->tags[n] = event->tag;
	machine->ndecisions++;
}

/* The decision that was made at an event before; false when there is none. */
static bool
find_decision(const sla_event *event, sla_decision *decision)
{
	for (int i = 0; i < event->ndecisions; i++)
		if (event->decisions[i].agreement == decision->agreement &&
			event->decisions[i].metric == decision->metric)
		{
			*decision = event->decisions[i];
			return true;
		}
	return false;
}

/* The business time of a promise from an instant on; false when it has no end. */
static bool
whole_of(const sla_promise *promise, sla_instant from, int64_t *whole)
{
	if (promise->days == 0)
	{
		*whole = promise->amount;
		return true;
	}
	return sla_measure(promise->timeline, from,
					   sla_advance(promise->timeline,
								   sla_advance_days(promise->timeline, from, promise->days),
								   promise->amount),
					   whole);
}

/* The business time that a run has counted for its promise by t. */
static bool
elapsed_of(const run *r, sla_instant t, int64_t *elapsed)
{
	*elapsed = 0;
	for (int i = 0; i <= r->ncounted; i++)
	{
		sla_instant from;
		sla_instant to;
		int64_t		open;

		if (i < r->ncounted)
		{
			from = r->counted[i].from;
			to = r->counted[i].to;
		}
		else
		{
			if (!r->running)
				break;
			from = r->running_since;
			to = t;
		}
		if (from < r->from)
			from = r->from;
		if (from >= to)
			continue;
		if (!sla_measure(r->promise.timeline, from, to, &open) ||
			__builtin_add_overflow(*elapsed, open, elapsed))
			return false;
	}
	return true;
}

/* number * part / whole to the nearest; none is negative, and part is at most whole. */
static int64_t
proportion(int64_t number, int64_t part, int64_t whole)
{
	uint64_t	result = 0;
	uint64_t	rest = 0;

	/* Long multiplication and division at once, bit by bit. */
	for (int bit = 62; bit >= 0; bit--)
	{
		result *= 2;
		rest *= 2;
		for (int i = 0; i < 2; i++)
		{
			if (rest >= (uint64_t) whole)
			{
				rest -= (uint64_t) whole;
				result++;
			}
			if (i == 0 && (number >> bit & 1))
				rest += (uint64_t) part;
		}
	}
	return (int64_t) (result + (rest >= (uint64_t) whole - rest));
}

/* What is left of a run's goal at t, as a share of the goal of another promise. */
static void
decide_forward(const run *r, const sla_promise *promise, sla_instant t,
			   sla_decision *decision)
{
	int64_t		whole;
	int64_t		elapsed;

	decision->share = r->share;
	if (whole_of(&r->promise, r->from, &whole))
	{
		if (!elapsed_of(r, t, &elapsed) || elapsed >= whole)
			decision->share = 0;
		else
			decision->share = proportion(r->share, whole - elapsed, whole);
	}
	decision->amount = -1;
	if (decision->share != SLA_WHOLE && whole_of(promise, t, &whole))
		decision->amount = proportion(whole, decision->share, SLA_WHOLE);
}

/* Would another promise, counted from where the run began, end earlier? */
static bool
is_stricter(const run *r, const sla_promise *promise, bool strict, sla_instant t)
{
	int			first = 0;

	/* A stretch that began before it counted for the promise held does no harm. */
	while (first < r->ncounted && r->counted[first].to <= r->from)
		first++;
	return sla_deadline(promise, r->started_at, r->counted, r->ncounted,
						r->running, r->running_since, strict, t) <
		sla_deadline(&r->promise, r->from, r->counted + first, r->ncounted - first,
					 r->running, r->running_since > r->from ? r->running_since : r->from, strict, t);
}

/*
 * The level of a run's agreement has changed at an event: what is it promised
 * now?  False when it keeps what it had.
 */
static bool
promise_anew(sla_machine *machine, int agreement, int metric, const sla_event *event)
{
	run		   *r = run_of(machine, agreement, metric);
	const sla_level *level = machine->levels[agreement];
	const sla_promise *promise = level != NULL ? level->promises[metric] : NULL;
	sla_decision decision = {.agreement = agreement, .metric = metric};
	sla_on_change on_change;

	if (level == NULL)
	{
		promise_all(r, NULL, metric, r->started_at);
		return true;
	}
	if (r->fixed)
		return false;

	/* The same promise by the same level, which changed elsewhere or came back. */
	if (r->level != NULL && promise != NULL && strcmp(r->level->name, level->name) == 0 &&
		same_promise(r->base, promise))
	{
		r->level = level;
		r->base = promise;
		if (r->row >= 0)
			machine->rows[r->row].level = level;
		return false;
	}

	on_change = level->on_change;
	if (r->level == NULL && (on_change == SLA_CHANGE_KEEP || on_change == SLA_CHANGE_KEEP_STRICTER))
		on_change = SLA_CHANGE_RETROACTIVE;
	switch (on_change)
	{
		case SLA_CHANGE_RETROACTIVE:
			promise_all(r, level, metric, r->started_at);
			return true;
		case SLA_CHANGE_RESET:
			promise_all(r, level, metric, event->at);
			return true;
		case SLA_CHANGE_FORWARD:
			if (r->level == NULL || promise == NULL)
			{
				promise_all(r, level, metric, event->at);
				return true;
			}
			if (!find_decision(event, &decision))
				decide_forward(r, promise, event->at, &decision);
			note_decision(machine, event, &decision);
			promise_all(r, level, metric, event->at);
			r->share = decision.share;
			if (decision.amount >= 0)
			{
				r->promise.days = 0;
				r->promise.amount = decision.amount;
			}
			return true;
		case SLA_CHANGE_KEEP_STRICTER:
			if (promise == NULL)
				return false;
			if (!find_decision(event, &decision))
				decision.amount = is_stricter(r, promise, machine->metrics->metrics[metric].strict, event->at);
			note_decision(machine, event, &decision);
			if (decision.amount == 0)
				return false;
			promise_all(r, level, metric, r->started_at);
			return true;
		case SLA_CHANGE_KEEP:
			break;
	}
	return false;
}

/* May what an event cancelled go on when its opposite happens? */
static bool
is_restorable(const sla_machine *machine, int metric, int event)
{
	if ((role_of(machine, metric, event) & SLA_CANCELS) == 0)
		return false;
	return (role_of(machine, metric, machine->metrics->opposite[event]) & SLA_RESTORES) != 0;
}

/* Have a run's promise follow its agreement's level: close a row, open another. */
static void
follow_level(sla_machine *machine, int agreement, int metric, const sla_event *event)
{
	run		   *r = run_of(machine, agreement, metric);
	const sla_level *former = r->level;
	const sla_level *level = machine->levels[agreement];
	sla_reason	reason;

	if (!r->active && !r->stopped && !is_restorable(machine, metric, r->cancelled_by))
		return;
	if (!promise_anew(machine, agreement, metric, event) || !r->active)
		return;
	if (level == NULL)
		reason = SLA_REASON_NO_LEVEL;
	else if (former != NULL && strcmp(former->name, level->name) == 0)
		reason = SLA_REASON_GOAL_CHANGED;
	else
		reason = SLA_REASON_LEVEL_CHANGED;
	row_close(machine, r, event->at, level == NULL ? SLA_CANCELLED : SLA_SUPERSEDED,
			  reason, -1, NULL);
	row_open(machine, agreement, metric);
}

/* Another level of one agreement. */
static void
set_level(sla_machine *machine, int agreement, const sla_event *event)
{
	if (machine->levels[agreement] == event->levels[agreement])
		return;
	machine->levels[agreement] = event->levels[agreement];
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
		follow_level(machine, agreement, metric, event);
}

/* ----------------------------------------------------------------
 * States and starts
 * ----------------------------------------------------------------
 */

/* The ticket enters or leaves a state that pauses the clocks of a metric. */
static void
set_paused(sla_machine *machine, int metric, bool pause, sla_instant t)
{
	if (machine->paused[metric] == pause)
		return;
	machine->paused[metric] = pause;

	for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
	{
		run		   *r = run_of(machine, agreement, metric);
		bool		at_once = pause && r->running && r->running_since == t;

		if (!r->active && !counts_unseen(machine, r))
			continue;
		if (pause)
			run_halt(machine, r, t);
		else
			run_go(r, t);
		if (r->row >= 0)
		{
			sla_clock  *row = &machine->rows[r->row];

			copy_counted(machine, row, r);
			/* A clock that has not counted since its last pause is in that pause. */
			if (!pause || at_once)
				set_deadline(row, SLA_BEFORE_ALL);
		}
	}
}

/* At one instant the state counts that was told last. */
static void
pause_or_resume(sla_machine *machine, const sla_event *events, int n)
{
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		const sla_event *last = NULL;

		for (int i = 0; i < n; i++)
			if ((role_of(machine, metric, events[i].event) & (SLA_PAUSES | SLA_RESUMES)) &&
				(last == NULL || events[i].order > last->order))
				last = &events[i];
		if (last != NULL)
			set_paused(machine, metric, (role_of(machine, metric, last->event) & SLA_PAUSES) != 0, last->at);
	}
}

static bool
is_blocked(sla_machine *machine, int agreement, int metric)
{
	const bool *blocked_by = machine->metrics->metrics[metric].blocked_by;

	if (blocked_by == NULL)
		return false;
	for (int other = 0; other < machine->metrics->nmetrics; other++)
		if (blocked_by[other] && other != metric &&
			run_of(machine, agreement, other)->row >= 0)
			return true;
	return false;
}

/* A run begins; its row is not open yet. */
static void
run_begin(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	run		   *r = run_of(machine, agreement, metric);

	r->active = true;
	r->stopped = false;
	r->reopened = false;
	r->reborn = false;
	r->cancelled_by = -1;
	r->fresh = true;
	r->cycle++;
	r->started_at = t;
	r->ncounted = 0;
	r->running = false;
	promise_all(r, machine->levels[agreement], metric, t);
	if (!machine->paused[metric])
		run_go(r, t);
}

static void
run_start(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	run_begin(machine, agreement, metric, t);
	row_open(machine, agreement, metric);
}

/* A run that had ended goes on in a new row. */
static void
run_go_on(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	run		   *r = run_of(machine, agreement, metric);

	r->active = true;
	r->stopped = false;
	r->reopened = false;
	r->cancelled_by = -1;
	r->fresh = true;
	r->cycle++;
	/* One that counted unseen is running, or paused, as if it had never stopped. */
	if (!r->running && !machine->paused[metric])
		run_go(r, t);
	row_open(machine, agreement, metric);
}

/* The ticket is open again: what its metric says of a clock that had stopped. */
static void
run_reopen(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	const sla_metric *definition = &machine->metrics->metrics[metric];
	run		   *r = run_of(machine, agreement, metric);
	int64_t		since;

	if (definition->reopen_grace > 0 &&
		!__builtin_sub_overflow(t, r->grace_from, &since) &&
		since <= definition->reopen_grace)
	{
		r->reopened = true;
		return;
	}
	switch (definition->on_reopen)
	{
		case SLA_REOPEN_FIRST_IS_FINAL:
			return;
		case SLA_REOPEN_NEW_CYCLE:
			run_start(machine, agreement, metric, t);
			return;
		case SLA_REOPEN_TOTAL:
		case SLA_REOPEN_RESUME:
			run_go_on(machine, agreement, metric, t);
			return;
	}
}

static bool
is_birth(const sla_machine *machine, const sla_event *event)
{
	return event->event >= 0 && event->event == machine->metrics->birth;
}

/* Is the ticket created although it was before? */
static bool
is_rebirth(const sla_machine *machine, const sla_event *event)
{
	return machine->born && is_birth(machine, event);
}

/*
 * Enter and leave states that cancel clocks until their opposite: nothing
 * starts on a ticket that is deleted.  One that is born again begins anew,
 * with all that its end cancelled, whether or not that would have come back.
 */
static void
shut_or_open(sla_machine *machine, const sla_event *event)
{
	int			death = machine->metrics->death;
	bool		born = is_rebirth(machine, event);

	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		bool		anew = born && (machine->shut[metric] ||
									(machine->gone && (role_of(machine, metric, death) & SLA_CANCELS)));

		if (is_restorable(machine, metric, event->event))
			machine->shut[metric] = true;
		else if (machine->shut[metric] &&
				 (born || (role_of(machine, metric, event->event) & SLA_RESTORES)))
		{
			machine->shut[metric] = false;
			machine->barred[metric] = false;
		}
		if (!anew)
			continue;
		set_paused(machine, metric, false, event->at);
		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
		{
			run		   *r = run_of(machine, agreement, metric);

			r->stopped = false;
			r->cancelled_by = -1;
			r->reborn = !r->active;
		}
	}
	if (death >= 0 && event->event == death)
		machine->gone = true;
	else if (is_birth(machine, event) || (death >= 0 && event->event == machine->metrics->opposite[death]))
		machine->gone = false;
}

/* May a run of a metric start that has none? */
static bool
may_start(sla_machine *machine, int agreement, int metric)
{
	const run  *r = run_of(machine, agreement, metric);

	return (r->cycle == 0 || r->reborn || machine->metrics->metrics[metric].repeats) &&
		!machine->barred[metric] && !is_blocked(machine, agreement, metric);
}

/*
 * What the events of an instant start.  Metric by metric, not event by event:
 * which of two events was told first does not decide what blocks what.
 */
static void
start_runs(sla_machine *machine, const sla_event *events, int n)
{
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		uint8_t		role = 0;

		for (int i = 0; i < n; i++)
			role |= role_of(machine, metric, events[i].event);
		if ((role & (SLA_STARTS | SLA_REOPENS | SLA_RESTORES)) == 0)
			continue;
		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
		{
			run		   *r = run_of(machine, agreement, metric);
			bool		restored = false;

			if (r->active)
				continue;
			for (int i = 0; i < n && r->cancelled_by >= 0; i++)
				restored = restored || ((role_of(machine, metric, events[i].event) & SLA_RESTORES) &&
										machine->metrics->opposite[r->cancelled_by] == events[i].event);
			if (restored)
				run_go_on(machine, agreement, metric, events[0].at);
			else if ((role & SLA_REOPENS) && r->stopped && !machine->barred[metric])
				run_reopen(machine, agreement, metric, events[0].at);
			else if ((role & SLA_STARTS) && (role & SLA_PREVENTS) == 0 &&
					 may_start(machine, agreement, metric))
				run_start(machine, agreement, metric, events[0].at);
		}
	}
}

/* ----------------------------------------------------------------
 * By hand
 * ----------------------------------------------------------------
 */

/* Add what counted before a run began, as far as it did before. */
static void
count_before(sla_machine *machine, run *r, const sla_by_hand *by_hand)
{
	sla_stretch *all = NULL;
	int			n = 0;
	int			size = 0;

	for (int i = 0; i < by_hand->ncounted + r->ncounted; i++)
	{
		sla_stretch stretch;

		if (i < by_hand->ncounted)
		{
			stretch = by_hand->counted[i];
			if (stretch.to > r->started_at)
				stretch.to = r->started_at;
		}
		else
			stretch = r->counted[i - by_hand->ncounted];
		if (stretch.from >= stretch.to)
			continue;
		if (n > 0 && all[n - 1].to == stretch.from)
			all[n - 1].to = stretch.to;
		else
		{
			all = grow(&machine->env, all, n, &size, sizeof(sla_stretch));
			all[n++] = stretch;
		}
	}
	/* What runs now goes on from there, too. */
	if (r->running && n > 0 && all[n - 1].to == r->running_since)
		r->running_since = all[--n].from;
	if (r->counted != NULL)
		machine->env.release(machine->env.arg, r->counted);
	r->counted = all;
	r->ncounted = n;
	r->counted_size = size;
}

/* The clock of a ticket that was merged into this one goes on here. */
static void
take_over(sla_machine *machine, const sla_event *event)
{
	const sla_by_hand *by_hand = event->by_hand;
	run		   *r = run_of(machine, by_hand->agreement, by_hand->metric);

	if (!r->active)
	{
		if (!may_start(machine, by_hand->agreement, by_hand->metric) || machine->shut[by_hand->metric])
			return;
		run_begin(machine, by_hand->agreement, by_hand->metric, event->at);
	}
	else if (r->fixed || by_hand->since >= r->started_at)
		return;
	row_close(machine, r, event->at, SLA_SUPERSEDED, SLA_REASON_TOOK_OVER, -1, NULL);
	count_before(machine, r, by_hand);
	if (r->from == r->started_at)
		r->from = by_hand->since;
	r->started_at = by_hand->since;
	row_open(machine, by_hand->agreement, by_hand->metric);
}

static void
do_by_hand(sla_machine *machine, const sla_event *event)
{
	const sla_by_hand *by_hand = event->by_hand;
	run		   *r = run_of(machine, by_hand->agreement, by_hand->metric);

	switch (by_hand->act)
	{
		case SLA_ACT_SET_DEADLINE:
			if (r->row < 0)
				break;
			r->fixed = true;
			r->deadline = by_hand->deadline;
			machine->rows[r->row].fixed = true;
			machine->rows[r->row].deadline = by_hand->deadline;
			break;
		case SLA_ACT_FREE_DEADLINE:
			if (!r->fixed)
				break;
			r->fixed = false;
			if (r->row >= 0)
			{
				machine->rows[r->row].fixed = false;
				set_deadline(&machine->rows[r->row], SLA_BEFORE_ALL);
			}
			/* The level may have changed meanwhile. */
			if (machine->levels[by_hand->agreement] != r->level)
				follow_level(machine, by_hand->agreement, by_hand->metric, event);
			break;
		case SLA_ACT_TAKE_OVER:
			take_over(machine, event);
			break;
	}
}

/* Of two clocks that could be taken over, is it the first that is? */
static bool
comes_first(const sla_by_hand *a, const sla_by_hand *b)
{
	int			n = a->ncounted < b->ncounted ? a->ncounted : b->ncounted;

	if (a->since != b->since)
		return a->since < b->since;
	for (int i = 0; i < n; i++)
	{
		if (a->counted[i].from != b->counted[i].from)
			return a->counted[i].from < b->counted[i].from;
		if (a->counted[i].to != b->counted[i].to)
			return a->counted[i].to > b->counted[i].to;
	}
	return a->ncounted > b->ncounted;
}

/* Of the clocks that are taken over at one instant the oldest is the one, whichever was told first. */
static bool
is_outdone(const sla_event *events, int n, int i)
{
	const sla_by_hand *by_hand = events[i].by_hand;

	for (int j = 0; j < n && by_hand->act == SLA_ACT_TAKE_OVER; j++)
	{
		const sla_by_hand *other = events[j].by_hand;

		if (j != i && other != NULL && other->act == SLA_ACT_TAKE_OVER &&
			other->agreement == by_hand->agreement && other->metric == by_hand->metric &&
			(comes_first(other, by_hand) || (j < i && !comes_first(by_hand, other))))
			return true;
	}
	return false;
}

/* Does the state that an event begins still hold at the end of the step? */
static bool
state_holds(const sla_machine *machine, const sla_event *events, int n, int i)
{
	int			opposite;

	if (events[i].event < 0)
		return false;
	opposite = machine->metrics->opposite[events[i].event];
	if (opposite < 0)
		return false;
	for (int j = 0; j < n; j++)
		if ((events[j].event == opposite || is_rebirth(machine, &events[j])) &&
			events[j].order > events[i].order)
			return false;
	return true;
}

void
sla_clock_step(sla_machine *machine, const sla_event *events, int n)
{
	int			nruns = SLA_AGREEMENTS * machine->metrics->nmetrics;

	for (int i = 0; i < nruns; i++)
		machine->runs[i].fresh = false;
	memcpy(machine->barred, machine->shut, (size_t) machine->metrics->nmetrics * sizeof(bool));

	machine->now = events[0].at;
	for (int i = 0; i < n; i++)
		if (events[i].holds)
			hold(machine, &events[i]);
	for (int i = 0; i < n; i++)
		end_runs(machine, &events[i], SLA_STOPS, SLA_MET, false);
	for (int i = 0; i < n; i++)
		end_runs(machine, &events[i], SLA_CANCELS, SLA_CANCELLED, false);
	for (int i = 0; i < n; i++)
		shut_or_open(machine, &events[i]);
	/* Of several decisions at one instant the last is the one. */
	for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
	{
		const sla_event *last = NULL;

		for (int i = 0; i < n; i++)
			if (events[i].decides[agreement] && (last == NULL || events[i].order > last->order))
				last = &events[i];
		if (last != NULL)
			set_level(machine, agreement, last);
	}
	pause_or_resume(machine, events, n);
	start_runs(machine, events, n);

	/*
	 * A clock that starts in a state that ends it, such as one of a ticket that
	 * comes in resolved, ends as it starts.
	 */
	for (int i = 0; i < n; i++)
	{
		if (!state_holds(machine, events, n, i))
			continue;
		end_runs(machine, &events[i], SLA_STOPS, SLA_MET, true);
		end_runs(machine, &events[i], SLA_CANCELS, SLA_CANCELLED, true);
	}
	for (int i = 0; i < n; i++)
		if (events[i].by_hand != NULL && !is_outdone(events, n, i))
			do_by_hand(machine, &events[i]);
	for (int i = 0; i < n; i++)
		machine->born |= is_birth(machine, &events[i]);
}

/* Heap sort: no allocation, no recursion, and no quadratic case. */
static bool
event_before(const sla_event *a, const sla_event *b)
{
	if (a->at != b->at)
		return a->at < b->at;
	return a->order < b->order;
}

static void
sift_down(sla_event *events, int root, int n)
{
	for (;;)
	{
		int			child = 2 * root + 1;
		sla_event	moved;

		if (child >= n)
			return;
		if (child + 1 < n && event_before(&events[child], &events[child + 1]))
			child++;
		if (!event_before(&events[root], &events[child]))
			return;
		moved = events[root];
		events[root] = events[child];
		events[child] = moved;
		root = child;
	}
}

static void
sort_events(sla_event *events, int n)
{
	bool		sorted = true;

	for (int i = 1; i < n && sorted; i++)
		sorted = !event_before(&events[i], &events[i - 1]);
	if (sorted)
		return;
	for (int i = n / 2 - 1; i >= 0; i--)
		sift_down(events, i, n);
	for (int last = n - 1; last > 0; last--)
	{
		sla_event	largest = events[0];

		events[0] = events[last];
		events[last] = largest;
		sift_down(events, 0, last);
	}
}

void
sla_replay(sla_machine *machine, sla_event *events, int n)
{
	int			from = 0;
	int			birth = n;

	sort_events(events, n);
	for (int i = n - 1; i >= 0; i--)
		if (machine->metrics->birth >= 0 && events[i].event == machine->metrics->birth)
			birth = i;
	if (birth > 0 && birth < n)
	{
		sla_event	first = events[birth];

		/* What it was created with comes before what is told of it. */
		memmove(events + 1, events, (size_t) birth * sizeof(sla_event));
		events[0] = first;
		for (int i = 1; i <= birth; i++)
			events[i].at = first.at;
	}
	for (int i = 0; i < n; i++)
		events[i].order = i;
	while (from < n)
	{
		int			to = from + 1;

		while (to < n && events[to].at == events[from].at)
			to++;
		machine->env.interrupt(machine->env.arg);
		sla_clock_step(machine, events + from, to - from);
		from = to;
	}
}
