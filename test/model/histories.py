"""Random histories of tickets, as SQL.

A history is a list of transactions. A transaction has an isolation level, an end, and a list of items:
statements (ticket, SQL), or ("kept" or "undone", statements) between a savepoint and its release or rollback.
Statements say what they want without knowing what is there: whether they found a row, the journal tells.
"""

import datetime

from business import HOUR, MINUTE, instant, moment
from world import CALENDARS, HOLIDAYS

ISOLATION = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")


def partner(key):
    """The other of two tickets that may be merged: what happens to one may change the other."""
    return key ^ 1


def quoted(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return "'%s'" % value.replace("'", "''")
    return str(value)


def instant_text(at):
    return "NULL" if at is None else "'%s'" % moment(at).isoformat()


class Transaction:
    def __init__(self, isolation=ISOLATION[0], end="COMMIT", items=None):
        self.isolation = isolation
        self.end = end
        self.items = items if items is not None else []

    def sql(self):
        lines = ["BEGIN ISOLATION LEVEL %s;" % self.isolation]
        if len(self.items) == 1 and self.end == "COMMIT" and self.isolation == ISOLATION[0] \
                and self.items[0][0] not in ("kept", "undone"):
            return self.items[0][1]
        for item in self.items:
            if item[0] in ("kept", "undone"):
                lines.append("SAVEPOINT s;")
                lines += [statement for _, statement in item[1]]
                lines.append("RELEASE s;" if item[0] == "kept" else "ROLLBACK TO s; RELEASE s;")
            else:
                lines.append(item[1])
        lines.append(self.end + ";")
        return "\n".join(lines)

    def leaves(self):
        for item in self.items:
            if item[0] in ("kept", "undone"):
                yield from item[1]
            else:
                yield item

    def only(self, wanted):
        """The same with only some of its statements, by identity."""
        items = []
        for item in self.items:
            if item[0] in ("kept", "undone"):
                inner = [leaf for leaf in item[1] if id(leaf) in wanted]
                if inner:
                    items.append((item[0], inner))
            elif id(item) in wanted:
                items.append(item)
        return Transaction(self.isolation, self.end, items)


def starts():
    """Mondays before clocks change and holidays come, long ago and far off."""
    for year in (2024, 2098):
        for month, day in ((3, 4), (3, 25), (10, 21)):
            date = datetime.date(year, month, day)
            date -= datetime.timedelta(days=date.weekday())
            yield instant(datetime.datetime.combine(date, datetime.time(), datetime.timezone.utc))


STARTS = list(starts())
# What may be told with sla.record_event.
TOLD = ("chat_started", "chat_answered", "chat_abandoned", "call_started", "call_answered", "call_abandoned", "merged",
        "cancelled", "paused", "resumed", "resolved", "reopened", "agent_reply", "customer_message", "unheard_of",
        "unmerged", "deleted", "undeleted", "created_by_agent")


class Ticket:
    """The statements of one ticket."""

    def __init__(self, rng, key, tick=0):
        self.rng = rng
        self.key = key
        self.keys = [key]
        self.tick = tick            # microseconds that no other session's instants have
        # With its partner, so that there is something to merge.
        self.at = STARTS[key // 2 % len(STARTS)] + rng.choice((7, 8, 12, 15)) * HOUR

    def time(self):
        """The next instant: later, at once, or before what was told already."""
        kind = self.rng.random()
        if kind < 0.06:
            return None
        if kind < 0.2:
            at = self.at - self.rng.choice((1, 15, 60, 240, 1440, 5000)) * MINUTE
        elif kind < 0.3:
            at = self.at
        else:
            self.at += self.rng.choice((1, 15, 30, 60, 60, 120, 240, 480, 960, 1440, 4320)) * MINUTE
            at = self.at
        if kind > 0.97:
            at += self.rng.choice((-1, 1)) * (10 if self.tick else 1)
        return at + self.tick

    def insert(self):
        rng = self.rng
        created = self.time() if rng.random() < 0.95 else None
        changed = rng.choice((None, None, created, self.time()))
        values = (self.key, rng.choice(("sales", "operations", None)), rng.choice(("ann", "bob", None)),
                  rng.choice(("open", "open", "open", "open", "pending", "solved")),
                  rng.choice((3, 3, 3, 1, 2, 9, None, 4, 5, 6, 7)), rng.choice(("false", "false", "true")))
        note = quoted("by agent" if created is not None and rng.random() < 0.1 else None)
        return ("INSERT INTO ticket (id, department, assignee, status, priority, vip, note, created_at, updated_at)"
                " VALUES (%s, %s, %s, %s, %s)" % (
                    ", ".join(quoted(v) for v in values[:5]), values[5], note, instant_text(created), instant_text(changed)))

    def again(self):
        """It may be there, and may have been deleted."""
        if self.rng.random() < 0.5:
            return self.insert() + " ON CONFLICT (id) DO NOTHING;"
        return self.insert() + " ON CONFLICT (id) DO UPDATE SET status = EXCLUDED.status, updated_at = EXCLUDED.updated_at;"

    def update(self):
        rng = self.rng
        sets = []
        kind = rng.random()
        if kind < 0.6:
            sets.append("status = %s" % quoted(rng.choice(("open", "open", "pending", "pending", "solved", "solved", "closed"))))
        if kind > 0.5 and kind < 0.8:
            sets.append("priority = %s" % quoted(rng.choice((3, 1, 0, 2, 9, None, 4, 4, 5, 6, 7))))
        if kind > 0.75 and kind < 0.85:
            sets.append("vip = NOT vip")
        if kind > 0.8 and kind < 0.95:
            sets.append(rng.choice(("assignee = %s" % quoted(rng.choice(("ann", "bob", "cid", None))),
                                    "department = %s" % quoted(rng.choice(("sales", "operations", None))))))
        if kind > 0.93:
            sets.append("note = 'read by nothing'")
        if rng.random() < 0.04:
            sets.append("due = %s" % instant_text(self.deadline()))
        sets.append("updated_at = %s" % instant_text(self.time()))
        return "UPDATE ticket SET %s WHERE id = %s;" % (", ".join(sets), self.key)

    def deadline(self):
        """One that is agreed, now and then too late; or None."""
        if self.rng.random() < 0.3:
            return None
        return self.at + self.rng.choice((-240, 30, 60, 480, 1440, 4320, 14400)) * MINUTE

    def set_deadline(self):
        at = self.time()
        agreement = self.rng.choice(("customer", "customer", "customer", "operational"))
        metric = self.rng.choice(("resolution", "resolution", "first_response", "next_response", "m_total", "m_new_cycle", "m_strict"))
        return "SELECT deadline(%s, '%s', '%s', %s, %s);" % (
            self.key, agreement, metric, instant_text(at), instant_text(self.deadline()))

    def message(self):
        rng = self.rng
        rows = []
        for _ in range(rng.choice((1, 1, 1, 1, 2, 3))):
            author = rng.choice(("agent", "customer"))
            rows.append("(%s, '%s', %s, %s, %s)" % (
                self.key, author, quoted(rng.choice(("ann", "bob", None)) if author == "agent" else None),
                "true" if author == "agent" and rng.random() < 0.2 else "false", instant_text(self.time())))
        return "INSERT INTO message (ticket_id, author, name, internal, sent_at) VALUES %s;" % ", ".join(rows)

    def merge(self):
        """With the other of its family, under its first key or the one that it may have got."""
        other = partner(self.keys[0]) + self.rng.choice((0, 0, 0, 10 ** 9 * (self.tick + 1)))
        pair = (self.key, other) if self.rng.random() < 0.5 else (other, self.key)
        return "SELECT merge(%s, %s, %s, %s, %s);" % (
            pair + (quoted(self.rng.random() < 0.8), instant_text(self.time()), quoted(self.rng.choice(("eve", None)))))

    def statement(self):
        kind = self.rng.random()
        if kind < 0.03:
            sql = self.merge()
        elif kind < 0.05:
            sql = self.set_deadline()
        elif kind < 0.42:
            sql = self.message()
        elif kind < 0.8:
            sql = self.update()
        elif kind < 0.84:
            sql = "UPDATE message SET internal = false WHERE ticket_id = %s AND internal;" % self.key
        elif kind < 0.86:
            sql = "DELETE FROM message WHERE ticket_id = %s;" % self.key
        elif kind < 0.93:
            sql = "SELECT tell(%s, %s, %s, %s);" % (self.key, quoted(self.rng.choice(TOLD)), instant_text(self.time()),
                                                    quoted(self.rng.choice(("eve", None))))
        elif kind < 0.95:
            sql = "DELETE FROM ticket WHERE id = %s;" % self.key
        elif kind < 0.97:
            sql = self.again()
        elif kind < 0.98:
            former, self.key = self.key, self.key + 10 ** 9 * (self.tick + 1)
            self.keys.append(self.key)
            sql = "UPDATE ticket SET id = %s WHERE id = %s;" % (self.key, former)
        else:
            sql = "UPDATE ticket SET note = 'nothing' WHERE id = %s;" % self.key
        return self.keys[0], sql

    def history(self, length):
        statements = []
        if self.rng.random() < 0.05:
            statements.append((self.keys[0], self.message()))       # before the ticket is there
        if self.rng.random() < 0.98:
            statements.append((self.keys[0], self.insert() + " ON CONFLICT DO NOTHING;" if self.tick else self.insert() + ";"))
        while len(statements) < length:
            statements.append(self.statement())
        return statements


def edit(rng):
    """An edit of a calendar or a holiday, of no ticket."""
    if rng.random() < 0.4:
        return None, "SELECT holiday('%s');" % rng.choice(HOLIDAYS)
    name = rng.choice([n for n, (_, variants) in CALENDARS.items() if len(variants) > 1])
    zone, variants = CALENDARS[name]
    number = rng.randrange(len(variants))
    return None, "SELECT edit('%s', %d, '%s', '%s');" % (name, number, zone, variants[number][0])


# What looks back, and finds nothing to change while goals stay what was promised.
UPKEEP = ("SELECT sla.rebuild('desk');", "SELECT count(*) FROM sla.recalculate('desk', goals => false, apply => true);",
          "SELECT sla.backfill('desk');", "CALL sla.summarize();")


def group(rng, statements, size, edits=0.0, isolated=False, upkeep=0.0):
    """Put statements, which stay in their order, into transactions of about that size."""
    transactions = []
    i = 0
    while i < len(statements):
        n = rng.choice((1, 1, size, size))
        part = statements[i:i + n]
        i += n
        items = []
        j = 0
        while j < len(part):
            m = rng.randint(1, 4)
            kind = rng.random()
            if kind < 0.12:
                items.append(("undone", part[j:j + m]))
            elif kind < 0.25:
                items.append(("kept", part[j:j + m]))
            else:
                items += part[j:j + m]
            j += m
        end = "ROLLBACK" if rng.random() < 0.08 else "COMMIT"
        isolation = rng.choices(ISOLATION, (6, 2, 2))[0] if isolated else ISOLATION[0]
        transactions.append(Transaction(isolation, end, items))
        if rng.random() < edits:
            transactions.append(Transaction(end=rng.choice(("COMMIT", "COMMIT", "ROLLBACK")), items=[edit(rng), edit(rng)]))
        if rng.random() < upkeep:
            transactions.append(Transaction(items=[(None, rng.choice(UPKEEP))]))
    return transactions


def one_session(rng, keys, size, edits):
    """Histories of many tickets, woven into each other."""
    left = [Ticket(rng, key).history(rng.choice((1, 3, 6, 10, 15, 20))) for key in keys]
    woven = []
    while left:
        chosen = rng.choice(left)
        for _ in range(min(len(chosen), rng.choice((1, 2, 5)))):
            woven.append(chosen.pop(0))
        if not chosen:
            left.remove(chosen)
    return [group(rng, woven, size, edits, upkeep=rng.choice((0, 0.01)))]


def several_sessions(rng, keys, sessions, length, edits):
    """Sessions that all work on the same tickets. A transaction of several tickets takes them in order."""
    result = []
    for session in range(sessions):
        # An instant tells its session, so that no order between sessions decides.
        tickets = [Ticket(rng, key, tick=session + 1) for key in keys]
        for ticket in tickets:
            ticket.at = STARTS[ticket.keys[0] // 2 % len(STARTS)] + 8 * HOUR
        made = []
        if session == 0:
            made = [Transaction(items=[(t.keys[0], t.insert() + " ON CONFLICT DO NOTHING;")]) for t in tickets]
        transactions = made + group(rng, [rng.choice(tickets).statement() for _ in range(length)], 4, 0.0, isolated=True)
        for transaction in transactions:
            # In one savepoint or transaction, tickets in the order of their keys: no deadlock is the user's own.
            leaves = sorted(transaction.leaves(), key=lambda leaf: leaf[0])
            if len({leaf[0] for leaf in leaves}) > 1:
                transaction.items = list(leaves)
        if session == 0 and edits:
            for _ in range(max(1, int(len(transactions) * edits))):
                transactions.insert(rng.randrange(len(transactions)), Transaction(items=[edit(rng)]))
        result.append(transactions)
    return result
