"""The life of a ticket: from its events to the rows of the log.

Written from the words of the documentation: an event has an instant, and what happens at one instant
happens in this order: clocks stop, are cancelled, change level, pause or resume, and start.
"""

OPPOSITE = {"paused": "resumed", "resumed": "paused", "resolved": "reopened", "reopened": "resolved",
            "deleted": "undeleted", "undeleted": "deleted", "merged": "unmerged", "unmerged": "merged"}
# What these end goes on when their opposite happens; until then nothing starts.
RESTORES = {"undeleted", "unmerged"}
AGREEMENTS = ("customer", "operational", "supplier")


class Event:
    """What happened; seq is the order in which it was told."""

    __slots__ = ("at", "seq", "name", "agent", "holder", "levels")

    def __init__(self, at, seq, name, agent=None, holder=None, levels=None):
        self.at = at
        self.seq = seq
        self.name = name        # None: nothing but a holder or levels
        self.agent = agent
        self.holder = holder    # (department, agent), or None when nothing is said of it
        self.levels = levels    # {agreement: level or None}, or None when nothing was decided


class Metric:
    def __init__(self, name, starts, stops, cancels, reopens=(), pauses=True, blocked_by=(), repeats=False,
                 on_reopen="resume"):
        self.name = name
        self.starts = frozenset(starts)
        self.stops = frozenset(stops)
        self.cancels = frozenset(cancels)
        self.reopens = frozenset(reopens)
        self.pauses = pauses
        self.blocked_by = frozenset(blocked_by)
        self.repeats = repeats
        self.on_reopen = on_reopen


class Level:
    """goals: metric: (business days, microseconds)."""

    def __init__(self, name, calendar, goals, agreement="customer"):
        self.name = name
        self.calendar = calendar
        self.goals = goals
        self.agreement = agreement


class Row:
    """A row of the log."""

    def __init__(self, life, agreement, metric, ordinal, level):
        self.life = life
        self.agreement = agreement
        self.metric = metric
        self.ordinal = ordinal
        self.level = level.name
        self.calendar = level.calendar
        self.goal = level.goals[metric]
        self.outcome = self.closed = self.reason = self.ended_by = None
        self.opened = None

    def show(self, run):
        """It shows what its run has counted."""
        self.counted = list(run.counted)
        self.since = run.since

    def compute(self):
        """The deadline: the goal from the start on, moved on by the open time of each pause that began in time."""
        calendar = self.life.calendars[self.calendar]
        days, amount = self.goal
        promised = calendar.add(calendar.add_days(self.started, days), amount)
        pauses = []
        from_ = self.started
        for start, end in self.counted:
            pauses.append((from_, start))
            from_ = end
        if self.since is not None:
            pauses.append((from_, self.since))
        elif self.closed is not None:
            pauses.append((from_, self.closed if self.closed_running is None else max(self.closed_running, from_)))
        deadline, lost = promised, 0
        for start, end in pauses:
            if start > deadline:
                break
            if end > start:
                lost += calendar.between(start, end)
                deadline = calendar.add(promised, lost)
        self.deadline = deadline
        self.elapsed = sum(calendar.between(start, end) for start, end in self.counted)

    def late(self, now):
        """Past its deadline: it is running then, or had run past it before it paused."""
        if self.since is not None:
            return now > self.deadline
        return bool(self.counted) and self.counted[-1][1] > self.deadline

    def overdue(self, now):
        """Is it late as of now, whatever is told of the future?"""
        return now > self.deadline and self.late(now)

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

    def key(self):
        return self.agreement, self.metric, self.ordinal

    def facts(self):
        return {"cycle": self.cycle, "level": self.level, "calendar": self.calendar, "department": self.holder[0],
                "agent": self.holder[1], "goal": self.goal, "started_at": self.started, "counted": self.counted,
                "running_since": self.since, "deadline": self.deadline, "closed_at": self.closed,
                "outcome": self.outcome, "reason": self.reason, "elapsed": self.elapsed}


class Run:
    """A run of a metric, whether anything is promised or not."""

    def __init__(self):
        self.state = "never"        # active, stopped (may be reopened), over
        self.cancelled_by = None
        self.cycle = self.ordinal = 0
        self.row = None
        self.fresh = False
        self.started = self.since = None
        self.counted = []

    def halt(self, at):
        if self.since is not None and at > self.since:
            self.counted.append((self.since, at))
        self.since = None

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
        self.paused = False
        self.born = False
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
        self.now = at
        for _, _, run in self.each():
            run.fresh = False
        for event in events:
            if event.holder is not None:
                self.held_by(event.holder, at)
        names = [e.name for e in events]
        self.end(at, events, stopped=True, fresh=False)
        self.end(at, events, stopped=False, fresh=False)
        barred = self.enter_and_leave(names)
        # Of several decisions at one instant the last one counts.
        decided = {}
        for event in events:
            decided.update(event.levels or {})
        for agreement, level in decided.items():
            self.promised(agreement, level, at)
        for name in names:
            if name in ("paused", "resumed"):
                self.pause(name == "paused", at)
        # What nothing can block starts first.
        for metric in sorted(self.metrics, key=lambda m: (bool(m.blocked_by), m.name)):
            self.restore(metric, names, at)
            if barred[metric.name]:
                continue
            if not metric.reopens.isdisjoint(names):
                self.reopen(metric, at)
            if not metric.starts.isdisjoint(names):
                self.start(metric, at)
        # The state in which the ticket is now ends what starts in it.
        for i, event in enumerate(events):
            opposite = OPPOSITE.get(event.name)
            later = names[i + 1:]
            if opposite is not None and opposite not in later and not (self.born and "created" in later):
                self.end(at, [event], stopped=True, fresh=True)
                self.end(at, [event], stopped=False, fresh=True)
        self.born = self.born or "created" in names

    def enter_and_leave(self, names):
        """States that end clocks until their opposite; of which metrics nothing may start now."""
        barred = dict(self.shut)
        for name in names:
            for metric in self.metrics:
                if name in metric.cancels and OPPOSITE.get(name) in RESTORES:
                    self.shut[metric.name] = True
                elif name in RESTORES:
                    self.shut[metric.name] = barred[metric.name] = False
                elif name == "created" and self.born and self.shut[metric.name]:
                    # Another ticket under the key of one that is gone: all begins anew.
                    self.shut[metric.name] = barred[metric.name] = False
                    self.paused = False
                    for agreement in AGREEMENTS:
                        run = self.runs[agreement, metric.name]
                        run.state, run.cancelled_by = "never", None
        return barred

    def restore(self, metric, names, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            back = OPPOSITE.get(run.cancelled_by)
            if run.state == "over" and back in RESTORES and back in names:
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
                if run.state != "active" or run.fresh != fresh:
                    continue
                if event.name not in (metric.stops if stopped else metric.cancels):
                    continue
                if run.row is not None:
                    run.row.close(at, "met" if stopped else "cancelled", None if stopped else event.name, event.agent)
                    run.row = None
                run.state = "stopped" if stopped else "over"
                run.cancelled_by = None if stopped else event.name
                # As if it never stopped, should it be reopened.
                if not (stopped and metric.on_reopen == "total"):
                    run.halt(at)

    def promised(self, agreement, level, at):
        former = self.levels[agreement]
        if former is level:
            return
        self.levels[agreement] = level
        for metric, kind, run in self.each():
            if kind != agreement or run.state != "active":
                continue
            if run.row is not None:
                if level is None:
                    run.row.close(at, "cancelled", "no_longer_matches", None)
                else:
                    run.row.close(at, "superseded", "level_changed", None)
                run.row = None
            self.open_row(agreement, metric, run)

    def pause(self, paused, at):
        if self.paused == paused:
            return
        self.paused = paused
        for metric, _, run in self.each():
            if not metric.pauses:
                continue
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
        level = self.levels[agreement]
        if level is None or metric.name not in level.goals:
            return
        run.ordinal += 1
        row = run.row = Row(self, agreement, metric.name, run.ordinal, level)
        row.cycle = run.cycle
        row.started = run.started
        row.opened = self.now
        row.holder = self.holder
        row.show(run)
        row.compute()
        self.rows.append(row)

    def begin(self, agreement, metric, run, at):
        run.started = at
        run.counted = []
        run.since = None
        self.go_on(agreement, metric, run, at)

    def go_on(self, agreement, metric, run, at):
        run.state = "active"
        run.fresh = True
        run.cycle += 1
        if run.since is None and not (metric.pauses and self.paused):
            run.go(at)
        self.open_row(agreement, metric, run)

    def reopen(self, metric, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            if run.state != "stopped" or metric.on_reopen == "first_is_final":
                continue
            if metric.on_reopen == "new_cycle":
                self.begin(agreement, metric, run, at)
            else:
                self.go_on(agreement, metric, run, at)

    def start(self, metric, at):
        for agreement in AGREEMENTS:
            run = self.runs[agreement, metric.name]
            if run.state == "active" or not (run.state == "never" or metric.repeats):
                continue
            if any(self.runs[agreement, other].row is not None for other in metric.blocked_by if other != metric.name):
                continue
            self.begin(agreement, metric, run, at)


def keep_verdicts(rows, logged, now, calendars_changed):
    """A verdict that was reached before a calendar was edited stays, unless what happened changes what led to it.

    rows are as the events and the calendars of now give them, logged as they were before.
    """
    if not calendars_changed:
        return
    before = {row.key(): row for row in logged}
    for row in rows:
        old = before.get(row.key())
        if old is None or (row.level, row.calendar, row.goal, row.started) != \
                (old.level, old.calendar, old.goal, old.started):
            continue
        if old.outcome == "missed" or (old.outcome is None and old.overdue(now)):
            if counted_until(row, old.deadline + 1) != counted_until(old, old.deadline + 1):
                continue
            if row.closed is not None and row.closed <= old.deadline:
                continue
            kept = row.deadline != old.deadline
            row.deadline = old.deadline
            if row.closed is not None:
                row.outcome = "missed"
        elif old.closed is not None and (row.closed, row.counted, row.reason) == (old.closed, old.counted, old.reason):
            kept = row.deadline != old.deadline
            row.deadline = old.deadline
            row.outcome = old.outcome
        else:
            continue
        if kept:
            row.holder = holder_at_verdict(row)
        if (row.counted, row.since) == (old.counted, old.since):
            row.elapsed = old.elapsed


def holder_at_verdict(row):
    """Who had the ticket until the row was late by the deadline that it keeps, or ended."""
    stretches = row.counted + ([(row.since, float("inf"))] if row.since is not None else [])
    department = agent = None
    for at, holder in row.life.holders:
        late = any(start < at and min(end, at) > row.deadline for start, end in stretches)
        if at <= row.opened or not late and (row.closed is None or at <= row.closed):
            department, agent = holder
    return department, row.ended_by if agent is None and row.closed is not None else agent


def counted_until(row, end):
    """What counted before an instant."""
    stretches = row.counted + ([(row.since, end)] if row.since is not None else [])
    return [(start, min(stop, end)) for start, stop in stretches if start < end]
