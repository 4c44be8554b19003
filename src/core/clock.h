/*
 * clock.h
 *		The life of a ticket's clocks: the one place that says what an event does.
 *
 * A machine is fed the events of one ticket in the order of time and keeps the
 * rows that the log must have.  The log is a function of the events: the
 * trigger, a backfill, a recalculation and a verification all feed the same
 * machine and differ only in what they do with the rows.
 *
 * Two things are kept apart.  A *run* of a metric starts, pauses, resumes and
 * ends by events alone, whether anybody promised anything or not.  A *row* is
 * a run under a promise.  So a level that is chosen later, or changes, counts
 * from where the run began.
 */
#ifndef SLA_CLOCK_H
#define SLA_CLOCK_H

#include "core.h"
#include "timeline.h"

/* Kinds of agreement; a ticket has at most one level of each. */
#define SLA_AGREEMENTS 3

/* What an event does to the clock of a metric: bits. */
#define SLA_STARTS		0x01
#define SLA_STOPS		0x02
#define SLA_PAUSES		0x04
#define SLA_RESUMES		0x08
#define SLA_CANCELS		0x10
#define SLA_REOPENS		0x20
#define SLA_PREVENTS	0x40	/* no start at the instant at which it happens */
#define SLA_RESTORES	0x80	/* what its opposite had cancelled goes on */

/* What a reopened ticket does to a clock that had stopped. */
typedef enum sla_on_reopen
{
	SLA_REOPEN_RESUME,			/* goes on in a new row, the closed time left out */
	SLA_REOPEN_NEW_CYCLE,		/* a new row from the reopening */
	SLA_REOPEN_TOTAL,			/* goes on in a new row, the closed time counted */
	SLA_REOPEN_FIRST_IS_FINAL	/* nothing */
} sla_on_reopen;

/* What a level does to a clock that runs when the ticket comes to it. */
typedef enum sla_on_change
{
	SLA_CHANGE_RETROACTIVE,		/* counts from where the run began */
	SLA_CHANGE_FORWARD,			/* from now, with the share of the goal that was left */
	SLA_CHANGE_RESET,			/* from now */
	SLA_CHANGE_KEEP_STRICTER,	/* retroactive if that is the earlier deadline */
	SLA_CHANGE_KEEP				/* the clock keeps its promise */
} sla_on_change;

typedef struct sla_metric
{
	bool		repeats;
	bool		strict;			/* a stop at the very deadline is too late */
	sla_on_reopen on_reopen;
	int64_t		reopen_grace;	/* microseconds after a stop in which a reopening does
								 * not count */
	const bool *blocked_by;		/* by metric: does an open row of it keep this one
								 * from starting?  NULL: nothing does */
} sla_metric;

/*
 * The metrics in the order in which they start when one event starts several,
 * and the events that they know.
 */
typedef struct sla_metrics
{
	int			nmetrics;
	int			nevents;
	const sla_metric *metrics;
	const uint8_t *roles;		/* [metric * nevents + event]: bits */
	const int  *opposite;		/* by event: the event that ends the state this one
								 * begins, or -1 when it is no state */
	int			birth;			/* the event before which nothing happens to a
								 * ticket, or -1 */
	int			death;			/* the one after which a birth is that of another
								 * ticket, or -1 */
} sla_metrics;

/* How much business time, in which calendar. */
typedef struct sla_promise
{
	sla_timeline *timeline;
	int64_t		days;			/* business days */
	int64_t		amount;			/* and microseconds; one of the two is positive */
} sla_promise;

/*
 * A level as it was promised to a ticket.  Equal decisions are one pointer: a
 * decision for the level that is already held changes nothing.
 */
typedef struct sla_level
{
	const char *name;
	sla_on_change on_change;
	const sla_promise *const *promises; /* by metric; NULL: nothing promised */
} sla_level;

/*
 * What a change of level came to for one clock, where that took computing: it
 * is kept with the event, so that a later edit of a calendar does not change it.
 */
typedef struct sla_decision
{
	int			agreement;
	int			metric;
	int64_t		amount;			/* forward: microseconds left of the goal, or -1: all of
								 * it; keep_stricter: 1 if the new promise was taken */
	int64_t		share;			/* forward: how much of the whole goal that is, of
								 * SLA_WHOLE; else 0 */
} sla_decision;

#define SLA_WHOLE INT64_C(1000000000000000)

typedef struct sla_stretch
{
	sla_instant from;
	sla_instant to;
} sla_stretch;

/* What somebody did to the clock of one metric. */
typedef enum sla_act
{
	SLA_ACT_SET_DEADLINE,		/* nothing moves it any more */
	SLA_ACT_FREE_DEADLINE,		/* takes that back */
	SLA_ACT_TAKE_OVER			/* the clock of a merged ticket goes on in this one */
} sla_act;

typedef struct sla_by_hand
{
	sla_act		act;
	int			agreement;
	int			metric;
	sla_instant deadline;		/* to set */
	sla_instant since;			/* to take over: the start, and what counted */
	const sla_stretch *counted;
	int			ncounted;
} sla_by_hand;

/* Who holds a ticket; opaque to the core, either may be NULL. */
typedef struct sla_holder
{
	const char *department;
	const char *agent;
} sla_holder;

/* Since when somebody holds it. */
typedef struct sla_holding
{
	sla_instant at;
	sla_holder	holder;
} sla_holding;

/* An event of a ticket, with what was decided and known at that instant. */
typedef struct sla_event
{
	sla_instant at;				/* finite */
	int64_t		order;			/* of arrival, for a state and its opposite at one
								 * instant */
	int			event;			/* index in sla_metrics, or -1: unknown to all */
	const char *agent;			/* who did it, or NULL */
	bool		holds;			/* is there a holder? */
	sla_holder	holder;
	bool		decides[SLA_AGREEMENTS];
	const sla_level *levels[SLA_AGREEMENTS];	/* NULL: no level any more */
	const sla_by_hand *by_hand; /* or NULL */
	int			tag;			/* the caller's, for the decisions made */
	const sla_decision *decisions;	/* made here before; what is not among them is
									 * computed */
	int			ndecisions;
} sla_event;

typedef enum sla_outcome
{
	SLA_OPEN,
	SLA_MET,
	SLA_MISSED,
	SLA_CANCELLED,
	SLA_SUPERSEDED
} sla_outcome;

/* Why a row ended. */
typedef enum sla_reason
{
	SLA_REASON_NONE,
	SLA_REASON_EVENT,			/* reason_event says which */
	SLA_REASON_LEVEL_CHANGED,
	SLA_REASON_GOAL_CHANGED,
	SLA_REASON_NO_LEVEL,
	SLA_REASON_TOOK_OVER
} sla_reason;

/*
 * A row of the log.
 *
 * counted holds the stretches counted so far, sorted and neither touching nor
 * empty; what has counted since running_since is not among them yet.
 */
typedef struct sla_clock
{
	int			metric;
	int			agreement;
	int			ordinal;		/* 1, 2, ... among the ticket's rows of that
								 * agreement and metric */
	int			cycle;			/* which run of the metric */
	const sla_level *level;
	sla_promise promise;
	bool		strict;
	bool		fixed;			/* the deadline was set by hand */
	sla_instant started_at;
	sla_instant opened_at;		/* the row's first instant; a change of level may
								 * open one for a clock that started before */
	sla_stretch *counted;
	int			ncounted;
	int			counted_size;
	bool		running;
	sla_instant running_since;	/* when running */
	sla_instant deadline;		/* as of the pauses that have ended */
	sla_outcome outcome;
	sla_instant closed_at;		/* unless open */
	sla_reason	reason;
	int			reason_event;
	const char *ended_by;		/* who did what ended it, or NULL */
} sla_clock;

typedef struct sla_machine sla_machine;

/* A ticket without a past.  metrics must outlive the machine. */
extern sla_machine *sla_machine_create(const sla_env *env, const sla_metrics *metrics);

extern void sla_machine_free(sla_machine *machine);

/*
 * The clock step: all events of one instant, which must be after the instant
 * of the step before.  Their order among each other does not matter but for
 * a state and its opposite and for two decisions, where `order` decides.  At
 * one instant clocks stop, then are cancelled, then change level, then pause
 * or resume, then start, and then are what somebody made of them by hand.
 */
extern void sla_clock_step(sla_machine *machine, const sla_event *events, int n);

/*
 * Sort the events by time and arrival and step through them.  What is told to
 * have happened before the ticket was there counts as at its birth, just after
 * it: it may have brought a state with it, as a ticket does that was solved by
 * telephone and typed in later, and clocks of two machines may differ.
 */
extern void sla_replay(sla_machine *machine, sla_event *events, int n);

/* The rows so far, in the order in which they began; valid until the next step. */
extern int	sla_machine_clocks(const sla_machine *machine, const sla_clock **clocks);

/* Who held the ticket, in the order of time; valid as above. */
extern int	sla_machine_holdings(const sla_machine *machine, const sla_holding **holdings);

/* The last of them who held it by an instant, or NULL. */
extern const sla_holder *sla_holder_at(const sla_holding *holdings, int n, sla_instant at);

/* The decisions made, given or computed, with the tags of their events; valid as above. */
extern int	sla_machine_decisions(const sla_machine *machine, const sla_decision **decisions,
								  const int **tags);

/*
 * The deadline of a clock: the instant at which the goal is used up, moved on
 * by the open time of each pause that had begun by then; for a strict clock,
 * before then, for at that instant it has missed it.  until ends a last
 * pause that went on until then (a clock closed while paused); SLA_BEFORE_ALL
 * leaves it out.
 */
extern sla_instant sla_deadline(const sla_promise *promise, sla_instant started_at,
								const sla_stretch *counted, int ncounted,
								bool running, sla_instant running_since, bool strict,
								sla_instant until);

/*
 * Has a clock missed its deadline, given that it ran (or stood paused) until
 * now?  Equality is met unless the clock is strict; a pause that began in time
 * cannot be missed, but where the deadline is fixed.
 */
extern bool sla_is_missed(sla_instant deadline, const sla_stretch *counted,
						  int ncounted, bool running, bool strict, bool fixed,
						  sla_instant now);

/*
 * The last instant at which a clock has not missed its deadline yet, whatever
 * is known of later; SLA_FOREVER where what it counted does not pass it.  As
 * sla_is_missed would have said at each instant, what happens at that very
 * instant left out.
 */
extern sla_instant sla_missed_after(sla_instant deadline, const sla_stretch *counted,
									int ncounted, bool running, sla_instant running_since,
									bool strict, bool fixed);

#endif							/* SLA_CLOCK_H */
