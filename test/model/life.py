"""The life of a ticket: from its events to the rows of the log.

Written from the words of the documentation: an event has an instant, and what happens at one instant
happens in this order: clocks stop, are cancelled, change level, pause or resume, and start.
"""

import copy

WHOLE = 10 ** 15

OPPOSITE = {"paused": "resumed", "resumed": "paused", "resolved": "reopened", "reopened": "resolved",
            "deleted": "undeleted", "undeleted": "deleted", "merged": "unmerged", "unmerged": "merged"}
AGREEMENTS = ("customer", "operational", "supplier")


def nearest(number, by):
    return (2 * number + by) // (2 * by)


class Event:
    """What happened; seq is the order in which it was told."""

    __slots__ = ("at", "seq", "name", "agent", "holder", "levels", "hand", "other", "hands_over", "taken", "decisions")

    def __init__(self, at, seq, name, agent=None, holder=None, levels=None, hand=None, other=None, hands_over=False, taken=None):
        self.at = at
        self.seq = seq
        self.name = name        # None: nothing but a holder or levels
        self.agent = agent
        self.holder = holder    # (department, agent), or None when nothing is said of it
        self.levels = levels    # {agreement: level or None}, or None when nothing was decided
        self.hand = hand        # deadline_set: (agreement, metric, deadline or None)
        self.other = other      # merged, took_over: the other ticket
        self.hands_over = hands_over    # merged: the other takes over the clocks
        self.taken = taken      # took_over: (agreement, metric, start, what had counted), or None: there was none
        # What came of the change of levels, by agreement and metric: kept, whatever becomes of calendars.
        self.decisions = {}


class Metric:
    def __init__(self, name, starts, stops, cancels, reopens=(), pauses=True, blocked_by=(), repeats=False,
                 on_reopen="resume", grace=0, equality=True, prevented_by=(), restores=("undeleted", "unmerged")):
        self.name = name
        self.starts = frozenset(starts)
        self.stops = frozenset(stops)
        self.cancels = frozenset(cancels)
        self.reopens = frozenset(reopens)
        self.pauses = pauses
        self.blocked_by = frozenset(blocked_by)
        self.repeats = repeats
        self.on_reopen = on_reopen
        self.grace = grace
        self.equality = equality
        self.prevented_by = frozenset(prevented_by)
        # What their opposites cancel goes on when these happen; until then nothing starts.
        self.restores = frozenset(restores)


class Level:
    """goals: metric: (business days, microseconds).  Two of one name are the same level with other goals."""

    def __init__(self, name, calendar, goals, agreement="customer", on_change="retroactive"):
        self.name = name
        self.calendar = calendar
        self.goals = goals
        self.agreement = agreement
        self.on_change = on_change

    def promise(self, metric):
        return self.name, self.calendar, self.goals[metric]


class Row:
    """A row of the log."""

    def __init__(self, life, agreement, metric, run):
        self.life = life
        self.agreement = agreement
        self.metric = metric.name
        self.equality = metric.equality
        self.ordinal = run.ordinal
        self.cycle = run.cycle
        self.level = run.level.name
        self.calendar = run.level.calendar
        self.goal = run.goal
        self.started = run.from_
        self.holder = life.holder
        self.opened = life.at
        self.fixed = run.fixed is not None
        self.deadline = run.fixed
        self.outcome = self.closed = self.reason = self.ended_by = None
        self.show(run)
        self.compute()

    def show(self, run):
        """It shows what its run has counted for its promise."""
        self.counted = run.counted_from(run.from_)
        self.since = None if run.since is None else max(run.since, run.from_)

    def deadline_at(self, until):
        """The goal from the start on, moved on by the open time of each pause that began in time, the last until then."""
        calendar = self.life.calendars[self.calendar]
        promised = calendar.add_goal(self.started, self.goal)
        pauses = []
        from_ = self.started
        for start, end in self.counted:
            pauses.append((from_, start))
            from_ = end
        if self.since is not None:
            pauses.append((from_, self.since))
        elif until is not None:
            pauses.append((from_, until))
        deadline, lost = promised, 0
        for i, (start, end) in enumerate(pauses):
            # Before anything has counted nothing is missed.
            if start > deadline or (start == deadline and not self.equality and i > 0):
                break
            if end > start:
                lost += calendar.between(start, end)
                deadline = calendar.add(promised, lost)
        return deadline

    def compute(self):
        calendar = self.life.calendars[self.calendar]
        until = self.closed
        if until is not None and self.closed_running is not None:
            until = self.closed_running
        if not self.fixed:
            self.deadline = self.deadline_at(until)
        self.elapsed = sum(calendar.between(start, end) for start, end in self.counted)

    def late(self, now):
        """Past its deadline: it is running then, or had run past it before it paused; one that was set by hand knows no pause."""
        if self.since is not None or self.fixed:
            return self.over(now)
        return bool(self.counted) and self.over(self.counted[-1][1])

    def late_after(self):
        """The last instant at which it was in time: the deadline, or the end of a pause that had begun by then."""
        last = self.deadline if self.equality else self.deadline - 1
        if self.fixed:
            return last
        for start, end in self.counted + ([(self.since, float("inf"))] if self.since is not None else []):
            if end > last:
                return last if start < self.deadline else start
        return last

    def over(self, at):
        return at > self.deadline or (at == self.deadline and not self.equality)

    def overdue(self, now):
        """Is it late as of now, whatever is told of the future?"""
        return self.over(now) and self.late(now)

    def close(self, at, outcome, reason, agent):
        self.outcome = "missed" if self.late(at) else outcome
        self.closed = at
        self.reason = reason
        self.ended_by = agent
        if self.holder[1] is None:
            self.holder = (self.holder[0], agent)
        self.closed_running = self.since
        if self.since is not None and at > self.since:
            self.counted.append((self.since, at))
        self.since = None
        self.compute()

    def held_at(self, verdict_at):
        """Who held the ticket when a verdict fell that is kept."""
        until = max(verdict_at, self.opened)
        if self.closed is not None:
            until = min(until, self.closed)
        holders = [holder for at, holder in self.life.holders if at <= until]
        department, agent = holders[-1] if holders else (None, None)
        return department, self.ended_by if agent is None else agent

    def key(self):
        return self.agreement, self.metric, self.ordinal

    def facts(self):
        return {"cycle": self.cycle, "level": self.level, "calendar": self.calendar, "department": self.holder[0],
                "agent": self.holder[1], "goal": self.goal, "started_at": self.started, "counted": self.counted,
                "running_since": self.since, "deadline": self.deadline, "closed_at": self.closed,
                "outcome": self.outcome, "reason": self.reason, "elapsed": self.elapsed, "fixed": self.fixed}


class Run:
    """A run of a metric, whether anything is promised or not."""

    def __init__(self):
        self.state = "never"        # active, stopped (may be reopened), over
        self.cancelled_by = None
        self.done = None            # when it stopped, or would have after a reopening within the grace
        self.reopened = False       # within the grace
        self.cycle = self.ordinal = 0
        self.row = None
        self.fresh = False
        self.started = self.since = None
        self.counted = []
        # What it is promised, also while it has stopped and may go on.
        self.level = self.goal = self.from_ = None
        self.share = WHOLE          # how much of the level's goal that is
        self.fixed = None           # the deadline that was set by hand

    def halt(self, at):
        if self.since is not None and at > self.since:
            self.counted.append((self.since, at))
        self.since = None

    def promise(self, level, metric, from_):
        self.level = level if level is not None and metric.name in level.goals else None
        self.goal = self.level and level.goals[metric.name]
        self.from_ = from_
        self.share = WHOLE
        self.fixed = None

    def counted_from(self, from_):
        return [(max(start, from_), end) for start, end in self.counted if end > from_]

    def go(self, at):
        self.since = at
        if self.counted and self.counted[-1][1] == at:
            self.since = self.counted.pop()[0]


def in_order(events):
    """By time, and what was told first of one instant; but nothing comes before the ticket's creation."""
    events = sorted(events, key=lambda e: (e.at, e.seq))
    for i, event in enumerate(events):
        if event.name == "created":
            return [event] + events[:i] + events[i + 1:]
    return events


class Life:
    """The clocks of one ticket after all its events."""

    def __init__(self, metrics, calendars, events):
        self.metrics = metrics
        self.calendars = calendars
        self.rows = []
        self.runs = {(a, m.name): Run() for a in AGREEMENTS for m in metrics}
        self.paused = dict.fromkeys((m.name for m in metrics), False)
        self.born = self.gone = False
        self.shut = dict.fromkeys((m.name for m in metrics), False)
        self.levels = dict.fromkeys(AGREEMENTS)
        self.holder = (None, None)
        self.holders = []           # since when

        events = in_order(events)
        births = [e for e in events if e.name == "created"]
        if births:
            for event in events[1:]:
                event.at = max(event.at, events[0].at)
        i = 0
        while i < len(events):
            j = i
            while j < len(events) and events[j].at == events[i].at:
                j += 1
            self.happens(events[i].at, events[i:j])
            i = j

    def each(self):
        for metric in self.metrics:
            for agreement in AGREEMENTS:
                yield metric, agreement, self.runs[agreement, metric.name]

    def happens(self, at, events):
        self.at = at
        for _, _, run in self.each():
            run.fresh = False
        for event in events:
            if event.holder is not None:
                self.held_by(event.holder, at)
        names = [e.name for e in events]
        self.end(at, events, stopped=True, fresh=False)
        self.end(at, events, stopped=False, fresh=False)
        barred = self.enter_and_leave(names, at)
        # Of several decisions at one instant the last one counts.
        decided = {}
        for event in events:
            for agreement, level in (event.levels or {}).items():
                decided[agreement] = level, event.decisions
        for agreement, (level, decisions) in decided.items():
            self.promised(agreement, level, at, decisions)
        states = [name for name in names if name in ("paused", "resumed")]
        for metric in self.metrics if states else ():
            self.pause(metric, states[-1] == "paused", at)
        # What nothing can block starts first.
        for metric in sorted(self.metrics, key=lambda m: (bool(m.blocked_by), m.name)):
            self.restore(metric, names, at)
            if barred[metric.name]:
                continue
            if not metric.reopens.isdisjoint(names):
                self.reopen(metric, at)
            if not metric.starts.isdisjoint(names) and metric.prevented_by.isdisjoint(names):
                self.start(metric, at)
        # The state in which the ticket is now ends what starts in it.
        for i, event in enumerate(events):
            opposite = OPPOSITE.get(event.name)
            later = names[i + 1:]
            if opposite is not None and opposite not in later and not (self.born and "created" in later):
                self.end(at, [event], stopped=True, fresh=True)
                self.end(at, [event], stopped=False, fresh=True)
        for event in events:
            if event.name == "deadline_set":
                self.set_by_hand(event, at)
            elif event.taken is not None and event is oldest([
                    e for e in events if e.taken is not None and e.taken[:2] == event.taken[:2]]):
                self.take_over(at, *event.taken, barred)
        self.born = self.born or "created" in names

    def enter_and_leave(self, names, at):
        """States that end clocks until their opposite; of which metrics nothing may start now."""
        barred = dict(self.shut)
        for name in names:
            for metric in self.metrics:
                if name == "created" and self.born and (
                        self.shut[metric.name] or (self.gone and "deleted" in metric.cancels)):
                    # Another ticket under the key of one that is gone: all begins anew.
                    self.shut[metric.name] = barred[metric.name] = False
                    self.pause(metric, False, at)
                    for agreement in AGREEMENTS:
                        run = self.runs[agreement, metric.name]
                        if run.state != "active":
                            run.state, run.cancelled_by = "never", None
                    continue
                if name in metric.cancels and OPPOSITE.get(name) in metric.restores:
                    self.shut[metric.name] = True
                elif name in metric.restores:
                    self.shut[metric.name] = barred[metric.name] = False
            if name in ("created", "deleted", "undeleted"):
                self.gone = name == "deleted"
        return barred

    def restore(self, metric, names, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            back = OPPOSITE.get(run.cancelled_by)
            if run.state == "over" and back in metric.restores and back in names:
                self.go_on(agreement, metric, run, at)

    def held_by(self, holder, at):
        self.holder = holder
        self.holders.append((at, holder))
        for _, _, run in self.each():
            if run.row is not None and not run.row.late(at):
                run.row.holder = holder

    def end(self, at, events, stopped, fresh):
        for event in events:
            for metric, _, run in self.each():
                if stopped and event.name in metric.stops and run.reopened:
                    run.done = at
                    run.reopened = False
                if run.state != "active" or run.fresh != fresh:
                    continue
                if event.name not in (metric.stops if stopped else metric.cancels):
                    continue
                if run.row is not None:
                    run.row.close(at, "met" if stopped else "cancelled", None if stopped else event.name, event.agent)
                    run.row = None
                run.state = "stopped" if stopped else "over"
                run.cancelled_by = None if stopped else event.name
                run.done = at
                # As if it never stopped, should it be reopened.
                if not (stopped and metric.on_reopen == "total"):
                    run.halt(at)

    def promised(self, agreement, level, at, decisions):
        if self.levels[agreement] is level:
            return
        self.levels[agreement] = level
        for metric, kind, run in self.each():
            if kind != agreement or run.state == "never":
                continue
            # One that has ended may go on, and then does so as if it had run meanwhile.
            self.follow(agreement, metric, run, at, decisions)

    def follow(self, agreement, metric, run, at, decisions):
        level, former = self.levels[agreement], run.level
        if not self.changed(agreement, metric, run, level, at, decisions) or run.state != "active":
            return
        if run.row is not None:
            if level is None:
                run.row.close(at, "cancelled", "no_longer_matches", None)
            else:
                run.row.close(at, "superseded", "goal_changed" if former.name == level.name else "level_changed", None)
            run.row = None
        self.open_row(agreement, metric, run)

    def set_by_hand(self, event, at):
        """It holds if the clock is open; taken back, the level is the ticket's and the deadline what goal and pauses give."""
        agreement, name, deadline = event.hand
        run = self.runs[agreement, name]
        row = run.row
        if row is None if deadline is not None else run.fixed is None:
            return
        run.fixed = deadline
        if row is not None:
            row.fixed = deadline is not None
            row.deadline = deadline
            row.compute()
            row.holder = row.held_at(row.late_after() if row.late(at) else at)
        if deadline is None:
            metric = next(m for m in self.metrics if m.name == name)
            self.follow(agreement, metric, run, at, event.decisions)

    def take_over(self, at, agreement, name, since, counted, barred):
        """The clock of a merged ticket goes on here: from its start if that is earlier, or as one that had not begun."""
        run = self.runs[agreement, name]
        metric = next(m for m in self.metrics if m.name == name)
        if run.state != "active":
            if barred[name] or self.shut[name] or not self.may_start(agreement, metric, run):
                return
            self.begin(agreement, metric, run, at, shown=False)
        elif run.fixed is not None or since >= run.started:
            return
        if run.row is not None:
            run.row.close(at, "superseded", "took_over", None)
            run.row = None
        pieces = [(start, min(end, run.started)) for start, end in counted if start < run.started] + run.counted
        if run.since is not None:
            pieces.append((run.since, None))
        run.counted = []
        for start, end in pieces:
            if run.counted and run.counted[-1][1] == start:
                start = run.counted.pop()[0]
            run.counted.append((start, end))
        if run.since is not None:
            run.since = run.counted.pop()[0]
        if run.from_ == run.started:
            run.from_ = since
        run.started = since
        self.open_row(agreement, metric, run)

    def changed(self, agreement, metric, run, level, at, decisions):
        """A run comes to a level: is it promised something else from now on?"""
        if level is None:
            run.promise(None, metric, run.started)
            return True
        if run.fixed is not None:
            return False
        goal = level.goals.get(metric.name)
        if run.level is not None and goal is not None and run.level.promise(metric.name) == level.promise(metric.name):
            return False
        way = level.on_change
        key = agreement, metric.name
        if run.level is None or way == "retroactive":
            run.promise(level, metric, at if way in ("forward", "reset") else run.started)
        elif way == "keep" or (way == "keep_stricter" and goal is None):
            return False
        elif way == "keep_stricter":
            if key not in decisions:
                decisions[key] = self.is_stricter(agreement, metric, run, level, at)
            if not decisions[key]:
                return False
            run.promise(level, metric, run.started)
        elif way == "forward" and goal is not None:
            if key not in decisions:
                decisions[key] = self.share_left(run, level, goal, at)
            run.promise(level, metric, at)
            run.share, run.goal = decisions[key]
        else:
            run.promise(level, metric, at)
        return True

    def is_stricter(self, agreement, metric, run, level, at):
        """Would another promise, counted from where the run began, end earlier?  A pause lasts until now."""
        former = Row(self, agreement, metric, run).deadline_at(at)
        held = run.level, run.goal, run.from_, run.share
        run.promise(level, metric, run.started)
        latter = Row(self, agreement, metric, run).deadline_at(at)
        run.level, run.goal, run.from_, run.share = held
        return latter < former

    def share_left(self, run, level, goal, at):
        """What is left of the whole goal of a level, in parts of 10^15, and as a goal counted from now on."""
        calendar = self.calendars[run.level.calendar]
        whole = calendar.between(run.from_, calendar.add_goal(run.from_, run.goal))
        counted = run.counted_from(run.from_)
        if run.since is not None:
            counted.append((max(run.since, run.from_), at))
        left = max(whole - sum(calendar.between(start, end) for start, end in counted), 0)
        share = nearest(run.share * left, whole) if whole else 0
        if share < WHOLE:
            calendar = self.calendars[level.calendar]
            goal = 0, nearest(calendar.between(at, calendar.add_goal(at, goal)) * share, WHOLE)
        return share, goal

    def pause(self, metric, paused, at):
        if not metric.pauses or self.paused[metric.name] == paused:
            return
        self.paused[metric.name] = paused
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            if run.state != "active" and not (run.state == "stopped" and metric.on_reopen == "total"):
                continue
            if paused:
                run.halt(at)
            else:
                run.go(at)
            if run.row is not None:
                run.row.show(run)
                run.row.compute()

    def open_row(self, agreement, metric, run):
        if run.level is None:
            return
        run.ordinal += 1
        run.row = Row(self, agreement, metric, run)
        self.rows.append(run.row)

    def begin(self, agreement, metric, run, at, shown=True):
        run.started = at
        run.counted = []
        run.since = None
        run.reopened = False
        run.promise(self.levels[agreement], metric, at)
        self.go_on(agreement, metric, run, at, shown)

    def go_on(self, agreement, metric, run, at, shown=True):
        run.state = "active"
        run.fresh = True
        run.cycle += 1
        if run.since is None and not self.paused[metric.name]:
            run.go(at)
        if shown:
            self.open_row(agreement, metric, run)

    def reopen(self, metric, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            if run.state != "stopped" or metric.on_reopen == "first_is_final":
                continue
            if metric.grace and at <= run.done + metric.grace:
                run.reopened = True
                continue
            run.reopened = False
            if metric.on_reopen == "new_cycle":
                self.begin(agreement, metric, run, at)
            else:
                self.go_on(agreement, metric, run, at)

    def may_start(self, agreement, metric, run):
        if run.state == "active" or not (run.state == "never" or metric.repeats):
            return False
        return not any(self.runs[agreement, other].row is not None for other in metric.blocked_by if other != metric.name)

    def start(self, metric, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            if self.may_start(agreement, metric, run):
                self.begin(agreement, metric, run, at)


def oldest(events):
    """Of clocks that are taken over at one instant: the one that started first; of two, the one that counted first and longest."""
    def order(event):
        _, _, since, counted = event.taken
        return since, [(start, -end) for start, end in counted] + [(float("inf"), 0)]

    return min(events, key=order)


def taken_over(metrics, calendars, events, ticket, merged):
    """What another takes over of a ticket with these events when it was merged: the clocks that were open just then.

    What is told after the merge counts if it was before, and what the ticket itself took over at that instant.
    """
    until = [copy.copy(e) for e in events if e.at < merged.at or (e.at == merged.at and (
        e.name == "took_over" or (e.name != "merged" and e.seq < merged.seq)))]
    result = []
    for row in Life(metrics, calendars, until).rows:
        if row.closed is not None or row.started >= merged.at:
            continue
        counted = list(row.counted)
        if row.since is not None and row.since < merged.at:
            counted.append((row.since, merged.at))
        result.append((row.agreement, row.metric, row.started, counted))
    return result or [None]


def is_before(event, merged):
    """Does what is told after a merge come before it?"""
    return event.at < merged.at or (event.at == merged.at and event.name == "took_over")


def keep_verdicts(rows, logged, now, calendars_changed):
    """A verdict that was reached before a calendar was edited stays, unless what happened changes what led to it.

    rows are as the events and the calendars of now give them, logged as they were before.
    """
    if not calendars_changed:
        return
    before = {row.key(): row for row in logged}
    for row in rows:
        old = before.get(row.key())
        if old is None or (row.level, row.calendar, row.goal, row.started, row.fixed) != \
                (old.level, old.calendar, old.goal, old.started, old.fixed):
            continue
        if row.fixed and row.deadline != old.deadline:
            continue
        if old.outcome == "missed" or (old.outcome is None and old.overdue(now)):
            in_time = old.late_after()
            if counted_until(row, in_time + 1) != counted_until(old, in_time + 1):
                continue
            if row.closed is not None and row.closed <= in_time:
                continue
            computed = row.deadline
            row.deadline = old.deadline
            # One that had ended, in the future, and has not any more, has come to no verdict yet.
            if row.closed is None and old.closed is not None and not row.overdue(now):
                row.deadline = computed
                continue
            kept = computed != old.deadline
            verdict_at = row.late_after()
            if row.closed is not None:
                row.outcome = "missed"
        elif old.closed is not None and (row.closed, row.counted, row.reason) == (old.closed, old.counted, old.reason):
            kept = row.deadline != old.deadline
            row.deadline = old.deadline
            verdict_at = None
            row.outcome = old.outcome
        else:
            continue
        if kept:
            row.holder = row.held_at(row.closed if verdict_at is None else verdict_at)
        if (row.counted, row.since) == (old.counted, old.since):
            row.elapsed = old.elapsed


def counted_until(row, end):
    """What counted before an instant."""
    stretches = row.counted + ([(row.since, end)] if row.since is not None else [])
    return [(start, min(stop, end)) for start, stop in stretches if start < end]
