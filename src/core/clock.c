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
} run;

struct sla_machine
{
	sla_env		env;
	const sla_metrics *metrics;
	run		   *runs;			/* [agreement * nmetrics + metric] */
	bool	   *paused;			/* by metric: is the ticket in a state that pauses it? */
	const sla_level *levels[SLA_AGREEMENTS];
	sla_holder	holder;
	sla_clock  *rows;
	int			nrows;
	int			rows_size;
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
		machine->runs[i].row = -1;
	machine->paused = env->alloc(env->arg, (size_t) metrics->nmetrics * sizeof(bool) + 1);
	memset(machine->paused, 0, (size_t) metrics->nmetrics * sizeof(bool));
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

sla_instant
sla_deadline(const sla_promise *promise, sla_instant started_at,
			 const sla_stretch *counted, int ncounted,
			 bool running, sla_instant running_since, sla_instant until)
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

		/* A pause after the deadline moves nothing any more. */
		if (pause > deadline)
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
			  bool running, sla_instant now)
{
	if (running)
		return now > deadline;
	return ncounted > 0 && counted[ncounted - 1].to > deadline;
}

static bool
row_is_missed(const sla_clock *row, sla_instant now)
{
	return sla_is_missed(row->deadline, row->counted, row->ncounted, row->running, now);
}

/* The row shows what its run has counted. */
static void
copy_counted(sla_machine *machine, sla_clock *row, const run *r)
{
	if (r->ncounted > row->counted_size)
	{
		sla_stretch *copy = machine->env.alloc(machine->env.arg,
											   (size_t) r->counted_size * sizeof(sla_stretch));

		if (row->counted != NULL)
			machine->env.release(machine->env.arg, row->counted);
		row->counted = copy;
		row->counted_size = r->counted_size;
	}
	if (r->ncounted > 0)
		memcpy(row->counted, r->counted, (size_t) r->ncounted * sizeof(sla_stretch));
	row->ncounted = r->ncounted;
	row->running = r->running;
	row->running_since = r->running_since;
}

static void
set_deadline(sla_clock *row, sla_instant until)
{
	row->deadline = sla_deadline(row->promise, row->started_at, row->counted, row->ncounted,
								 row->running, row->running_since, until);
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

/* Open a row for a run, under the level held now, if that promises anything. */
static void
row_open(sla_machine *machine, int agreement, int metric)
{
	run		   *r = run_of(machine, agreement, metric);
	const sla_level *level = machine->levels[agreement];
	sla_clock  *row;

	if (level == NULL || level->promises[metric] == NULL)
		return;

	machine->rows = grow(&machine->env, machine->rows, machine->nrows, &machine->rows_size,
						 sizeof(sla_clock));
	row = &machine->rows[machine->nrows];
	memset(row, 0, sizeof(sla_clock));
	row->metric = metric;
	row->agreement = agreement;
	row->ordinal = ++r->ordinal;
	row->cycle = r->cycle;
	row->level = level;
	row->promise = level->promises[metric];
	row->started_at = r->started_at;
	row->outcome = SLA_OPEN;
	row->holder = machine->holder;
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
	if (row->holder.agent == NULL)
		row->holder.agent = agent;

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
		}
	}
}

/* A row whose deadline passed before t keeps the holder under whom its verdict fell. */
static void
set_holder(sla_machine *machine, const sla_holder *holder, sla_instant t)
{
	machine->holder = *holder;
	for (int i = 0; i < SLA_AGREEMENTS * machine->metrics->nmetrics; i++)
	{
		run		   *r = &machine->runs[i];

		if (r->row >= 0 && !row_is_missed(&machine->rows[r->row], t))
			machine->rows[r->row].holder = *holder;
	}
}

static bool
same_promise(const sla_promise *a, const sla_promise *b)
{
	return a->timeline == b->timeline && a->days == b->days && a->amount == b->amount;
}

/* Another level of one agreement: close the rows of the old one, open the new one's. */
static void
set_level(sla_machine *machine, int agreement, const sla_level *level, sla_instant t)
{
	const sla_level *former = machine->levels[agreement];
	sla_reason	reason;

	if (former == level)
		return;
	if (level == NULL)
		reason = SLA_REASON_NO_LEVEL;
	else if (former != NULL && strcmp(former->name, level->name) == 0)
		reason = SLA_REASON_GOAL_CHANGED;
	else
		reason = SLA_REASON_LEVEL_CHANGED;

	machine->levels[agreement] = level;
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		run		   *r = run_of(machine, agreement, metric);

		if (!r->active)
			continue;
		/* The same level with another goal elsewhere: this clock goes on. */
		if (reason == SLA_REASON_GOAL_CHANGED && r->row >= 0 &&
			level->promises[metric] != NULL &&
			same_promise(level->promises[metric], machine->rows[r->row].promise))
		{
			machine->rows[r->row].level = level;
			machine->rows[r->row].promise = level->promises[metric];
			continue;
		}
		row_close(machine, r, t,
				  reason == SLA_REASON_NO_LEVEL ? SLA_CANCELLED : SLA_SUPERSEDED,
				  reason, -1, NULL);
		row_open(machine, agreement, metric);
	}
}

/* The ticket enters or leaves a state that pauses clocks. */
static void
pause_or_resume(sla_machine *machine, const sla_event *event)
{
	for (int metric = 0; metric < machine->metrics->nmetrics; metric++)
	{
		uint8_t		role = role_of(machine, metric, event->event);
		bool		pause;

		if (role & SLA_PAUSES)
			pause = true;
		else if (role & SLA_RESUMES)
			pause = false;
		else
			continue;
		if (machine->paused[metric] == pause)
			continue;
		machine->paused[metric] = pause;

		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
		{
			run		   *r = run_of(machine, agreement, metric);

			if (!r->active && !counts_unseen(machine, r))
				continue;
			if (pause)
				run_halt(machine, r, event->at);
			else
				run_go(r, event->at);
			if (r->row >= 0)
			{
				sla_clock  *row = &machine->rows[r->row];

				copy_counted(machine, row, r);
				if (!pause)
					set_deadline(row, SLA_BEFORE_ALL);
			}
		}
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

static void
run_start(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	run		   *r = run_of(machine, agreement, metric);

	r->active = true;
	r->stopped = false;
	r->fresh = true;
	r->cycle++;
	r->started_at = t;
	r->ncounted = 0;
	r->running = false;
	if (!machine->paused[metric])
		run_go(r, t);
	row_open(machine, agreement, metric);
}

/* The ticket is open again: what its metric says of a clock that had stopped. */
static void
run_reopen(sla_machine *machine, int agreement, int metric, sla_instant t)
{
	run		   *r = run_of(machine, agreement, metric);

	switch (machine->metrics->metrics[metric].on_reopen)
	{
		case SLA_REOPEN_FIRST_IS_FINAL:
			return;
		case SLA_REOPEN_NEW_CYCLE:
			run_start(machine, agreement, metric, t);
			return;
		case SLA_REOPEN_TOTAL:
		case SLA_REOPEN_RESUME:
			break;
	}
	r->active = true;
	r->stopped = false;
	r->fresh = true;
	r->cycle++;
	/* One that counted unseen is running, or paused, as if it had never stopped. */
	if (!r->running && !machine->paused[metric])
		run_go(r, t);
	row_open(machine, agreement, metric);
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
		if ((role & (SLA_STARTS | SLA_REOPENS)) == 0)
			continue;
		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
		{
			run		   *r = run_of(machine, agreement, metric);

			if (r->active)
				continue;
			if ((role & SLA_REOPENS) && r->stopped)
				run_reopen(machine, agreement, metric, events[0].at);
			else if ((role & SLA_STARTS) &&
					 (r->cycle == 0 || machine->metrics->metrics[metric].repeats) &&
					 !is_blocked(machine, agreement, metric))
				run_start(machine, agreement, metric, events[0].at);
		}
	}
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
		if (events[j].event == opposite && events[j].order > events[i].order)
			return false;
	return true;
}

void
sla_clock_step(sla_machine *machine, const sla_event *events, int n)
{
	int			nruns = SLA_AGREEMENTS * machine->metrics->nmetrics;

	for (int i = 0; i < nruns; i++)
		machine->runs[i].fresh = false;

	for (int i = 0; i < n; i++)
		if (events[i].holds)
			set_holder(machine, &events[i].holder, events[i].at);
	for (int i = 0; i < n; i++)
		end_runs(machine, &events[i], SLA_STOPS, SLA_MET, false);
	for (int i = 0; i < n; i++)
		end_runs(machine, &events[i], SLA_CANCELS, SLA_CANCELLED, false);
	for (int i = 0; i < n; i++)
		for (int agreement = 0; agreement < SLA_AGREEMENTS; agreement++)
			if (events[i].decides[agreement])
				set_level(machine, agreement, events[i].levels[agreement], events[i].at);
	for (int i = 0; i < n; i++)
		pause_or_resume(machine, &events[i]);
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
