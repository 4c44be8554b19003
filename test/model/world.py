"""The help desk of the histories: tables, calendars, levels, rules, and what its row changes tell."""

import copy
import datetime

from business import HOUR, MINUTE, Calendar, instant
from life import AGREEMENTS, Event, Level, Life, Metric, in_order, is_before, keep_verdicts, taken_over

END_OF = {"paused": "resumed", "resolved": "reopened"}

# Each calendar with the hours between which edits choose: the notation, and windows in minutes by weekday.
WORKDAYS = range(5)
CALENDARS = {
    "office": ("Europe/Oslo", [
        ("Mo-Fr 08:00-16:00", {d: [(480, 960)] for d in WORKDAYS}),
        ("Mo-Th 08:00-16:00; Fr 08:00-15:00", {**{d: [(480, 960)] for d in range(4)}, 4: [(480, 900)]}),
        ("Mo-Fr 09:00-17:30", {d: [(540, 1050)] for d in WORKDAYS}),
    ]),
    "shop": ("America/New_York", [
        ("Mo-Sa 09:00-12:00,13:00-18:00", {d: [(540, 720), (780, 1080)] for d in range(6)}),
        ("Mo-Su 10:00-14:00", {d: [(600, 840)] for d in range(7)}),
    ]),
    "night": ("Europe/Oslo", [
        ("Mo-Su 22:00-06:00", {d: [(1320, 1800)] for d in range(7)}),
        ("Mo-Fr 20:00-04:00", {d: [(1200, 1680)] for d in WORKDAYS}),
    ]),
    "always": ("UTC", [("24/7", {d: [(0, 1440)] for d in range(7)})]),
}
HOLIDAYS = [datetime.date(y, m, d) for y in (2024, 2098) for m, d in ((3, 11), (3, 28), (3, 29), (4, 1), (4, 2))]
YEARS = (2022, 2106)

RESPONSES = ("resolved", "merged", "deleted", "cancelled")
ENDS = ("merged", "deleted", "cancelled")
METRICS = [
    Metric("first_response", ["created"], ["agent_reply"], RESPONSES, prevented_by=["created_by_agent"]),
    Metric("next_response", ["customer_message"], ["agent_reply"], RESPONSES, repeats=True,
           blocked_by=["first_response", "next_response"]),
    Metric("periodic_update", ["agent_reply"], ["agent_reply"], RESPONSES, repeats=True),
    Metric("chat_response", ["chat_started"], ["chat_answered"], ("chat_abandoned",) + ENDS, repeats=True),
    Metric("call_response", ["call_started"], ["call_answered"], ("call_abandoned",) + ENDS, repeats=True),
    Metric("resolution", ["created"], ["resolved"], ENDS, ["reopened"]),
    Metric("total_resolution", ["created"], ["resolved"], ENDS, ["reopened"], pauses=False, on_reopen="total"),
    Metric("m_new_cycle", ["created"], ["resolved"], ENDS, ["reopened"], on_reopen="new_cycle"),
    Metric("m_total", ["created"], ["resolved"], ENDS, ["reopened"], on_reopen="total"),
    Metric("m_final", ["created"], ["resolved"], ENDS, ["reopened"], on_reopen="first_is_final"),
    Metric("m_grace", ["created"], ["resolved"], ENDS, ["reopened"], grace=2 * HOUR),
    Metric("m_grace_total", ["created"], ["resolved"], ENDS, ["reopened"], on_reopen="total", grace=24 * HOUR),
    Metric("m_strict", ["created"], ["agent_reply", "resolved"], ENDS, equality=False, restores=["undeleted"]),
    Metric("m_unsolved", ["customer_message"], ["agent_reply"], ["resolved", "deleted"], equality=False, repeats=True,
           prevented_by=["agent_reply", "chat_started"], restores=["reopened"]),
]
LEVELS = {level.name: level for level in [
    Level("silver", "office", {"first_response": (0, 4 * HOUR), "next_response": (0, 2 * HOUR), "resolution": (3, 0),
                               "m_new_cycle": (0, 8 * HOUR), "m_total": (0, 16 * HOUR), "m_final": (0, 8 * HOUR),
                               "m_grace": (1, 0), "m_grace_total": (0, 8 * HOUR), "m_strict": (0, 2 * HOUR), "m_unsolved": (0, HOUR)}),
    Level("gold", "shop", {"first_response": (0, HOUR), "next_response": (0, 30 * MINUTE), "resolution": (0, 8 * HOUR),
                           "periodic_update": (0, 3 * HOUR), "total_resolution": (1, 2 * HOUR),
                           "chat_response": (0, 15 * MINUTE), "m_strict": (0, HOUR), "m_grace": (0, 3 * HOUR)}),
    Level("quick", "always", {"next_response": (0, 45 * MINUTE), "call_response": (0, MINUTE),
                              "resolution": (0, 24 * HOUR), "m_total": (2, 0)}),
    Level("house", "night", {"first_response": (0, 6 * HOUR), "resolution": (0, 20 * HOUR),
                             "periodic_update": (0, 2 * HOUR)}, "operational"),
    Level("onward", "shop", {"first_response": (0, 3 * HOUR), "next_response": (0, HOUR), "resolution": (2, HOUR),
                             "m_total": (0, 10 * HOUR), "m_new_cycle": (0, 7 * HOUR), "m_strict": (0, 100 * MINUTE)}, on_change="forward"),
    Level("anew", "office", {"first_response": (0, 2 * HOUR), "next_response": (0, HOUR), "resolution": (0, 12 * HOUR),
                             "m_total": (1, 0), "m_grace": (0, 6 * HOUR)}, on_change="reset"),
    Level("stricter", "always", {"first_response": (0, 10 * HOUR), "next_response": (0, 2 * HOUR), "resolution": (1, 12 * HOUR),
                                 "m_final": (0, 30 * HOUR), "m_new_cycle": (0, 20 * HOUR)}, on_change="keep_stricter"),
    Level("kept", "night", {"first_response": (0, HOUR), "resolution": (0, 9 * HOUR), "m_total": (0, 12 * HOUR),
                            "total_resolution": (0, 10 * HOUR)}, on_change="keep"),
    Level("house onward", "office", {"first_response": (0, 5 * HOUR), "resolution": (1, 2 * HOUR)}, "operational", on_change="forward"),
]}
# The goals of a level that depend on the ticket's row.
OF_SALES = Level("silver", "office", {**LEVELS["silver"].goals, "resolution": (0, 10 * HOUR), "next_response": (0, 3 * HOUR)})
BY_PRIORITY = {4: "onward", 5: "anew", 6: "stricter", 7: "kept"}


def chosen(row):
    """The levels that the rules give a ticket's row; NULL is not matched."""
    levels = dict.fromkeys(AGREEMENTS)
    priority = row["priority"]
    if priority is not None and priority != 9:
        levels["customer"] = OF_SALES if row["department"] == "sales" else LEVELS["silver"]
    if priority is not None and priority <= 1:
        levels["customer"] = LEVELS["gold"]
    if row["vip"] and priority is not None and priority <= 2:
        levels["customer"] = LEVELS["quick"]
    if priority in BY_PRIORITY:
        levels["customer"] = LEVELS[BY_PRIORITY[priority]]
    if row["department"] == "operations":
        levels["operational"] = LEVELS["house onward" if row["vip"] else "house"]
    return levels


# Events that the ticket's own row tells, in the order of their names.
STATES = (("paused", lambda row: row["status"] == "pending"),
          ("resolved", lambda row: row["status"] in ("solved", "closed")))
# And those that a message tells.
MESSAGES = (("agent_reply", lambda row: row["author"] == "agent" and not row["internal"]),
            ("customer_message", lambda row: row["author"] == "customer"))


def array(names):
    return "'{%s}'" % ",".join(sorted(names))


def interval(goal):
    return "'%d days %d microseconds'" % goal


def setup(due_column=False):
    """The help desk as SQL."""
    lines = ["SET timezone = 'UTC';",
             "INSERT INTO sla.holiday_set (name) VALUES ('days');"]
    for name, (zone, variants) in CALENDARS.items():
        lines.append("SELECT sla.set_calendar('%s', '%s', '%s', '{days}');" % (name, zone, variants[0][0]))
    for metric in METRICS:
        if metric.name.startswith("m_"):
            lines.append("INSERT INTO sla.metric (name, starts_on, stops_on, cancels_on, reopens_on, restores_on, prevented_by, repeats,"
                         " on_reopen, reopen_grace, equality_is_met) VALUES ('%s', %s, %s, '%s microseconds', %s);" % (
                             metric.name, ", ".join(array(names) for names in (
                                 metric.starts, metric.stops, metric.cancels, metric.reopens, metric.restores, metric.prevented_by)),
                             "%s, '%s'" % (metric.repeats, metric.on_reopen), metric.grace, metric.equality))
    for level in LEVELS.values():
        lines.append("INSERT INTO sla.level (name, calendar, agreement, on_change) VALUES ('%s', '%s', '%s', '%s');"
                     % (level.name, level.calendar, level.agreement, level.on_change))
        for metric, goal in level.goals.items():
            lines.append("INSERT INTO sla.target (level, metric, goal) VALUES ('%s', '%s', %s);"
                         % (level.name, metric, interval(goal)))
    for metric, goal in OF_SALES.goals.items():
        if goal != LEVELS["silver"].goals[metric]:
            lines.append("INSERT INTO sla.target (level, metric, goal, position, condition) VALUES ('silver', '%s', %s, -1, %s);"
                         % (metric, interval(goal), "$$department = 'sales'$$"))
    lines.append("""
CREATE TABLE ticket (id bigint PRIMARY KEY, department text, assignee text, status text NOT NULL DEFAULT 'open',
    priority integer DEFAULT 3, vip boolean NOT NULL DEFAULT false, note text,
    created_at timestamptz, updated_at timestamptz, level text, due timestamptz);
CREATE TABLE message (id bigserial PRIMARY KEY, ticket_id bigint, author text NOT NULL, name text,
    internal boolean NOT NULL DEFAULT false, sent_at timestamptz);
CREATE INDEX ON message (ticket_id);
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
    ('all', 'desk', 10, 'priority <> 9', 'silver'), ('urgent', 'desk', 20, 'priority <= 1', 'gold'),
    ('vip', 'desk', 30, 'vip AND priority <= 2', 'quick'),
    ('operations', 'desk', 40, 'department = ''operations''', 'house'),
    ('operations, vip', 'desk', 50, 'department = ''operations'' AND vip', 'house onward');
INSERT INTO sla.rule (name, source, position, condition, set_level)
SELECT 'priority ' || p, 'desk', 35, 'priority = ' || p, l FROM (VALUES %s) AS v (p, l);
SELECT sla.track('desk', 'ticket', 'id', department => 'department', agent => 'assignee',
    created_at => 'created_at', changed_at => 'updated_at'%s);
SELECT sla.track_event('desk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('desk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('desk', 'ticket', 'created_by_agent', $$note = 'by agent'$$, at => 'created_at');
SELECT sla.track_event('desk', 'message', 'agent_reply', $$author = 'agent' AND NOT internal$$,
    ticket_key => 'ticket_id', at => 'sent_at', agent => 'name');
SELECT sla.track_event('desk', 'message', 'customer_message', $$author = 'customer'$$,
    ticket_key => 'ticket_id', at => 'sent_at');
""" % (", ".join("(%d, '%s')" % item for item in BY_PRIORITY.items()),
       ", level_column => 'level', due_column => 'due'" if due_column else ""))
    # What was committed, in the order of the locks: the journal's triggers fire after those of the
    # extension, which hold the ticket's lock until the end of the transaction. The columns that the
    # extension writes are not news.
    lines.append("""
CREATE TABLE journal (seq bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), kind text NOT NULL, op text,
    former jsonb, latter jsonb);
CREATE FUNCTION zz_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO journal (kind, op, former, latter)
    VALUES (TG_TABLE_NAME, TG_OP, CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END, CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END $$;
CREATE TRIGGER zz_journal AFTER INSERT OR UPDATE OR DELETE ON ticket FOR EACH ROW%s EXECUTE FUNCTION zz_journal();
CREATE TRIGGER zz_journal AFTER INSERT OR UPDATE ON message FOR EACH ROW EXECUTE FUNCTION zz_journal();
CREATE FUNCTION tell(ticket bigint, event text, at timestamptz, agent text) RETURNS void LANGUAGE plpgsql SET desk.quiet = 'on' AS $$
BEGIN
    IF EXISTS (SELECT FROM sla.ticket AS t WHERE t.source = 'desk' AND t.ticket = tell.ticket::text) THEN
        PERFORM sla.record_event('desk', ticket::text, event, at, agent);
        INSERT INTO journal (kind, latter) VALUES ('told', jsonb_build_object('ticket', ticket, 'event', event, 'at', at, 'agent', agent));
    END IF;
END $$;
CREATE FUNCTION deadline(the_ticket bigint, the_agreement text, the_metric text, at timestamptz, deadline timestamptz) RETURNS void LANGUAGE plpgsql SET desk.quiet = 'on' AS $$
DECLARE
    clock sla.log;
    done boolean := false;
BEGIN
    -- Locks that also stay when it is refused.
    PERFORM FROM ticket WHERE id = the_ticket FOR UPDATE;
    PERFORM FROM sla.ticket AS t WHERE t.source = 'desk' AND t.ticket = the_ticket::text FOR UPDATE;
    SELECT * INTO clock FROM sla.log AS l
    WHERE l.source = 'desk' AND l.ticket = the_ticket::text AND l.agreement = the_agreement AND l.metric = the_metric
    ORDER BY ordinal DESC LIMIT 1;
    IF FOUND THEN
        BEGIN
            PERFORM sla.set_deadline(clock.id, deadline, 'agreed', at);
            done := true;
        EXCEPTION WHEN object_not_in_prerequisite_state OR invalid_parameter_value THEN
        END;
        INSERT INTO journal (kind, latter) VALUES ('deadline', jsonb_build_object('ticket', the_ticket, 'agreement', the_agreement,
            'metric', the_metric, 'ordinal', clock.ordinal, 'at', at, 'deadline', deadline, 'done', done));
    END IF;
END $$;
CREATE FUNCTION merge(ticket bigint, into_ticket bigint, inherit boolean, at timestamptz, agent text) RETURNS void LANGUAGE plpgsql SET desk.quiet = 'on' AS $$
BEGIN
    -- In the order in which others take several tickets.
    PERFORM FROM ticket AS t WHERE t.id IN (merge.ticket, into_ticket) ORDER BY t.id FOR UPDATE;
    IF 2 = (SELECT count(*) FROM sla.ticket AS t WHERE t.source = 'desk' AND t.ticket IN (merge.ticket::text, into_ticket::text)) THEN
        PERFORM sla.merge('desk', ticket::text, into_ticket::text, inherit, at, agent);
        INSERT INTO journal (kind, latter) VALUES ('merge', jsonb_build_object('ticket', ticket, 'into', into_ticket, 'inherit', inherit, 'at', at, 'agent', agent));
    END IF;
END $$;
CREATE FUNCTION edit(calendar text, variant int, zone text, hours text) RETURNS void LANGUAGE plpgsql SET desk.quiet = 'on' AS $$
BEGIN
    PERFORM sla.set_calendar(calendar, zone, hours, '{days}');
    INSERT INTO journal (kind, latter) VALUES ('edit', jsonb_build_object('calendar', calendar, 'variant', variant));
END $$;
CREATE FUNCTION holiday(the_day date) RETURNS void LANGUAGE plpgsql SET desk.quiet = 'on' AS $$
BEGIN
    DELETE FROM sla.holiday WHERE day = the_day;
    IF NOT FOUND THEN
        INSERT INTO sla.holiday (holiday_set, day) VALUES ('days', the_day);
    END IF;
    INSERT INTO journal (kind, latter) VALUES ('holiday', jsonb_build_object('day', the_day));
END $$;
""" % (" WHEN (pg_trigger_depth() = 0 AND current_setting('desk.quiet', true) IS DISTINCT FROM 'on')" if due_column else ""))
    return "\n".join(lines)


def when(text):
    """An instant out of JSON, or None."""
    return None if text is None else instant(datetime.datetime.fromisoformat(text))


class Tickets:
    """What the log must be, told by the journal."""

    def __init__(self, variants=None, holidays=(), due_column=False):
        self.due_column = due_column
        self.surprises = {}         # what was done or refused against the documentation
        self.variants = dict(variants or {name: 0 for name in CALENDARS})
        self.holidays = set(holidays)
        self.calendars = {}
        self.built = {}
        self.edited = False         # since when calendars are not what they were at first
        self.events = {}            # by ticket
        self.rows = {}
        self.levels = {}            # that the customer was promised last
        self.stale = set()          # tickets whose rows are not computed yet
        self.build()

    def build(self):
        for name, (zone, variants) in CALENDARS.items():
            key = name, self.variants[name], frozenset(self.holidays)
            if key not in self.built:
                self.built[key] = Calendar(zone, variants[self.variants[name]][1], self.holidays, YEARS)
            self.calendars[name] = self.built[key]

    def forget(self):
        """Whatever is known of tickets; the calendars stay."""
        self.events, self.rows, self.levels, self.stale, self.edited = {}, {}, {}, set(), False
        self.surprises = {}

    def read(self, seq, at, kind, op, former, latter):
        if kind == "ticket":
            self.ticket(seq, at, op, former, latter)
        elif kind == "message":
            self.message(seq, at, former, latter)
        elif kind == "told":
            self.tell(str(latter["ticket"]), at,
                      Event(when(latter["at"]) if latter["at"] else at, seq, latter["event"], latter["agent"]))
        elif kind == "deadline":
            self.deadline(seq, at, latter)
        elif kind == "merge":
            self.merge(seq, at, latter)
        else:
            self.settle(at)
            if kind == "edit":
                self.variants[latter["calendar"]] = latter["variant"]
            else:
                self.holidays ^= {datetime.date.fromisoformat(latter["day"])}
            self.build()
            self.edited = True
            self.recompute(at)

    def recompute(self, now):
        """An edit moves the deadlines of the clocks that are open and in time, and who held them may be another."""
        for ticket, rows in self.rows.items():
            for row in rows:
                if row.closed is not None or row.overdue(now):
                    continue
                former = row.deadline
                row.compute()
                earlier = min(former, row.deadline)
                if former != row.deadline and any(e.holder is not None and e.at >= earlier for e in self.events[ticket]):
                    self.stale.add(ticket)
        self.settle(now)

    def merge(self, seq, now, latter):
        ticket, into = str(latter["ticket"]), str(latter["into"])
        merged = Event(when(latter["at"]) if latter["at"] else now, seq, "merged", latter["agent"], other=into, hands_over=latter["inherit"])
        again = self.add(ticket, now, merged)
        if merged.hands_over:
            again |= self.add(into, now, *self.taken(ticket, merged, seq))
        if again:
            self.take_over_anew(ticket, now, seq)
            self.take_over_anew(into, now, seq)

    def taken(self, ticket, merged, seq):
        return [Event(merged.at, seq, "took_over", merged.agent, other=ticket, taken=taken)
                for taken in taken_over(METRICS, self.calendars, self.events[ticket], ticket, merged)]

    def take_over_anew(self, ticket, now, seq, way=()):
        """What was told of a ticket before a merge may change what another took over, and so on."""
        way = way + (ticket,)
        for merged in [e for e in in_order(self.events[ticket]) if e.hands_over]:
            if merged.other in way or merged.other not in self.events:
                continue
            others = self.events[merged.other]
            held = [e for e in others if e.name == "took_over" and e.at == merged.at and e.other == ticket]
            taken = self.taken(ticket, merged, seq)
            wanted = [e.taken for e in taken]
            if len(held) != len(wanted) or any(e.taken not in wanted for e in held):
                for event in held:
                    others.remove(event)
                self.add(merged.other, now, *taken)
                self.take_over_anew(merged.other, now, seq, way)

    def tell(self, ticket, now, *events):
        if self.add(ticket, now, *events):
            self.take_over_anew(ticket, now, events[0].seq)

    def add(self, ticket, now, *events):
        """True if that was before a merge by which another ticket took clocks over."""
        known = self.events.setdefault(ticket, [])
        merges = [e for e in known if e.hands_over]
        told = False
        for event in events:
            # What was so already at that instant is not told again.
            before = in_order(known)
            before = [e for e in before if e.at <= event.at or (e is before[0] and e.name == "created")]
            if event.levels is not None:
                held = dict.fromkeys(AGREEMENTS, "nothing")
                for earlier in before:
                    held.update(earlier.levels or {})
                if held == event.levels:
                    event.levels = None
            if event.name is None and event.levels is None:
                holders = [e.holder for e in before if e.holder is not None]
                if holders and holders[-1] == event.holder:
                    continue
            known.append(event)
            told = True
            # What is told of before a change of level, or of the same instant, has it decided anew.
            for later in known:
                if later.at >= event.at:
                    later.decisions.clear()
        if told:
            self.stale.add(ticket)
            # Once there are verdicts by other hours, each step may keep some and change others.
            if self.edited:
                self.settle(now)
        return any(is_before(event, merged) for event in events for merged in merges)

    def settle(self, now):
        for ticket in self.stale:
            self.rows[ticket] = self.replay(ticket, now)
        self.stale = set()

    def replay(self, ticket, now):
        copies = [copy.copy(event) for event in self.events[ticket]]
        life = Life(METRICS, self.calendars, copies)
        keep_verdicts(life.rows, self.rows.get(ticket, ()), now, self.edited)
        self.levels[ticket] = life.levels["customer"]
        return life.rows

    def columns(self, ticket):
        """What the ticket's own row shows: its level and its nearest deadline."""
        level = self.levels.get(ticket)
        return level and level.name, min((row.deadline for row in self.shown(self.rows.get(ticket, ()))), default=None)

    @staticmethod
    def shown(rows):
        return [row for row in rows if row.agreement == "customer" and row.closed is None
                and (row.since is not None or row.fixed)]

    def known(self, ticket, now):
        """The rows as they are by now."""
        if ticket in self.stale:
            self.stale.remove(ticket)
            self.rows[ticket] = self.replay(ticket, now)
        return self.rows.get(ticket, ())

    def deadline(self, seq, now, latter):
        """It must have been set, or refused."""
        ticket = str(latter["ticket"])
        key = latter["agreement"], latter["metric"], latter["ordinal"]
        row = next((row for row in self.known(ticket, now) if row.key() == key), None)
        at = when(latter["at"]) if latter["at"] else max([now] + [e.at for e in self.events.get(ticket, ())])
        deadline = when(latter["deadline"])
        done = row is not None and row.closed is None and not row.late(at)
        done = done and (row.fixed if deadline is None else deadline >= at)
        if done:
            # Is it the clock that was open then?
            rows = self.rows[ticket]
            former = list(self.events[ticket]), [dict(e.decisions) for e in self.events[ticket]]
            self.add(ticket, now, Event(at, seq, "deadline_set", hand=key[:2] + (deadline,)))
            after = next((r for r in self.replay(ticket, now) if r.key() == key), None)
            if after is None or after.fixed != (deadline is not None) or (after.fixed and after.deadline != deadline):
                done = False
                self.events[ticket] = former[0]
                for event, decisions in zip(*former):
                    event.decisions = decisions
                self.rows[ticket] = rows
                self.stale.discard(ticket)
        if done != latter["done"]:
            self.surprises.setdefault(ticket, []).append("sla.set_deadline(%s) is %s, not %s" % (
                latter, *(("set", "refused") if latter["done"] else ("refused", "set"))))

    def due_written(self, ticket, seq, now, at, due, told):
        """The nearest deadline, and those that would be nearer, are what was written; NULL takes back what was set.

        It is set then, but not before anything else of the ticket.
        """
        at = max([at] + [e.at for e in self.events[ticket]])
        last = max([at] + [e.at for e in told])
        shown = self.shown(self.known(ticket, now))
        nearest = min((row.deadline for row in shown), default=None)
        events = []
        for row in shown:
            if row.late(at) or (due is None and not row.fixed) or (due is not None and due < at):
                continue
            if due is None or row.deadline == nearest or row.deadline < due:
                events.append(Event(last, seq, "deadline_set", hand=(row.agreement, row.metric, due)))
        return events

    def ticket(self, seq, now, op, former, latter):
        if op == "DELETE":
            ticket = str(former["id"])
            latest = max((e.at for e in self.events[ticket]), default=now)
            # It is the last that is told of it.
            self.add(ticket, now, Event(max(now, latest), seq, "deleted"))
            return
        ticket = str(latter["id"])
        if op == "UPDATE" and former["id"] != latter["id"]:
            old = str(former["id"])
            self.events[ticket] = self.events.pop(old)
            # Those it was merged with name it.
            for event in self.events[ticket]:
                for back in self.events.get(event.other, ()):
                    if back.other == old:
                        back.other = ticket
            self.rows[ticket] = self.rows.pop(old, [])
            self.levels[ticket] = self.levels.pop(old, None)
            if old in self.stale:
                self.stale.remove(old)
                self.stale.add(ticket)
        changed = when(latter["updated_at"])
        events = []
        holder = latter["department"], latter["assignee"]
        returns = False
        if op == "INSERT":
            created = when(latter["created_at"])
            created = now if created is None else created
            changed = created if changed is None else max(changed, created)
            lives = [e for e in self.events.get(ticket, ()) if e.name in ("created", "deleted", "undeleted")]
            last = max(lives, key=lambda e: (e.at, e.seq)) if lives else None
            # It comes back, unless it was created since.
            returns = last is not None and last.name == "deleted" and created <= last.at
            if returns:
                back = max(last.at, now)
                created, changed = max(created, back), max(changed, back)
            events.append(Event(created, seq, "undeleted" if returns else "created", None, holder, chosen(latter)))
            if latter["note"] == "by agent":
                at = when(latter["created_at"])
                at = changed if at is None else at
                # What the row of a ticket tells that comes back is so from then on.
                events.append(Event(max(at, back) if returns else at, seq, "created_by_agent", None, holder))
        elif changed is None:
            changed = now
        for name, holds in STATES:
            was = op == "UPDATE" and holds(former)
            if holds(latter) and not was:
                events.append(Event(changed, seq, name, None, holder))
            elif (was or returns) and not holds(latter):
                events.append(Event(changed, seq, END_OF[name], None, holder))
        if op == "UPDATE":
            decided = None
            if any(former[c] != latter[c] for c in ("priority", "vip", "department")):
                decided = chosen(latter)
            if decided is not None or holder != (former["department"], former["assignee"]):
                events.append(Event(changed, seq, None, None, holder, decided))
            if self.due_column and former["due"] != latter["due"]:
                at = now if latter["updated_at"] == former["updated_at"] else changed
                events += self.due_written(ticket, seq, now, at, when(latter["due"]), events)
        if events:
            self.tell(ticket, now, *events)

    def message(self, seq, now, former, latter):
        for name, holds in MESSAGES:
            if not holds(latter) or (former is not None and holds(former)) or latter["ticket_id"] is None:
                continue
            at = when(latter["sent_at"])
            self.tell(str(latter["ticket_id"]), now, Event(
                now if at is None else at, seq, name, latter["name"] if name == "agent_reply" else None))
