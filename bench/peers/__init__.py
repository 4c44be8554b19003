"""The same work done by libraries that people use elsewhere: rows per second, and whether the answers agree.

Each peer is a small program beside this file, which answers a file of questions (see questions.py). Ours is
the same count in SQL over a table. Ours is timed right before and right after each peer. One that is not
installed is skipped; scripts/prepare bench installs all.
"""

import os
import statistics
import subprocess
import sys
import tempfile

FOLDER = os.path.dirname(os.path.abspath(__file__))
LIMIT = 2  # seconds for a piece of work of one peer

# Debian's packages are of Debian's Python.
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
PEERS = [
    ("numpy", [PYTHON, "with_numpy.py"], [PYTHON, "-c", "import numpy, pandas; print(numpy.__version__)"]),
    ("pandas", [PYTHON, "with_pandas.py"], [PYTHON, "-c", "import pandas; print(pandas.__version__)"]),
    ("Business::Hours", ["perl", "with_business_hours.pl"],
     ["perl", "-MBusiness::Hours", "-e", "print $Business::Hours::VERSION"]),
]

# Days of the week from Monday, opening and closing hour, file of holidays.
CALENDARS = {"office": ("1111100", "8", "16"), "sunday": ("0000001", "0", "8"), "always": ("1111111", "0", "24")}

# title, calendar, kind, amount, table, columns
WORK = [
    ("add 4 hours", "office", "add", 4 * 3600, "ticket", ["a"]),
    ("time between, up to 12 days", "office", "between", 0, "ticket", ["a", "soon"]),
    ("time between, up to 1 year", "office", "between", 0, "ticket", ["a", "late"]),
    ("add 5 business days", "office", "add_days", 5, "ticket", ["day"]),
    ("business days between", "office", "count_days", 0, "ticket", ["day", "late_day"]),
    ("clock changes, Su 00:00-08:00, add 4 hours", "sunday", "add", 4 * 3600, "clock_change", ["a"]),
    ("clock changes, Su 00:00-08:00, time between", "sunday", "between", 0, "clock_change", ["a", "soon"]),
    ("clock changes, 24/7, add 4 hours", "always", "add", 4 * 3600, "clock_change", ["a"]),
    ("clock changes, 24/7, time between", "always", "between", 0, "clock_change", ["a", "soon"]),
]

CALL = {
    "add": "sla.add_business_time('{calendar}', {0}, '{amount} seconds')",
    "between": "sla.business_time('{calendar}', {0}, {1})",
    "add_days": "sla.add_business_days('{calendar}', {0}, {amount})",
    "count_days": "sla.business_days('{calendar}', {0}, {1})",
}

# The answer of the peer as a value of our type, where -1 and -2 are none, and why one differs: the first
# condition that is true.
VALUE = {
    "add": "to_timestamp(nullif(nullif(value, -1), -2))",
    "between": "nullif(nullif(value, -1), -2) * interval '1 second'",
    "add_days": "date '1970-01-01' + value::int",
    "count_days": "value",
}
WALL = "({0} AT TIME ZONE 'Europe/Oslo' AT TIME ZONE 'UTC')"
REASONS = {
    "add": [
        ("gives up", "value = -1"),
        ("raises an error", "value = -2"),
        ("at closing time moves on to the next opening",
         "NOT sla.is_open('{calendar}', ours) AND theirs = sla.next_open('{calendar}', ours)"),
        ("counts the wall clock across a clock change",
         "theirs = sla.add_business_time('{calendar} by the wall clock', {wall0}, '{amount} seconds')"
         " AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Oslo'"),
        ("the same, and moves on to the next opening",
         "theirs = sla.roll_forward('{calendar} by the wall clock', sla.add_business_time("
         "'{calendar} by the wall clock', {wall0}, '{amount} seconds')) AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Oslo'"),
        ("an hour off across a clock change", "theirs - ours IN ('1 hour', '-1 hour') AND {changes}"),
        ("other, across a clock change", "{changes}"),
    ],
    "between": [
        ("gives up", "value = -1"),
        ("raises an error", "value = -2"),
        ("counts the second after the end as well", "theirs - ours = '1 second'"),
        ("counts the wall clock across a clock change",
         "theirs = sla.business_time('{calendar} by the wall clock', {wall0}, {wall1})"),
        ("whole hours only",
         "extract(epoch FROM theirs) % 3600 = 0 AND ours - theirs > '0' AND ours - theirs <= '1 hour'"),
        ("an hour off across a clock change",
         "abs(extract(epoch FROM theirs - ours)) BETWEEN 3599 AND 3601 AND {changes}"),
        ("other, across a clock change", "{changes}"),
    ],
    "add_days": [],
    "count_days": [],
}


def rate(rows, seconds):
    value = float("%.2g" % (rows / seconds))
    return "{:,.0f}".format(value) if value >= 10 else str(value)


def question(column):
    return "%s - date '1970-01-01'" % column if column.endswith("day") else "extract(epoch FROM %s)::bigint" % column


def print_table(table):
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for row in table:
        print(" | ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip(" |"))


def reasons(session, calendar, kind, amount, table, columns):
    """How many answers were compared, and lines of the form REASON: ROWS, FIRST EXAMPLE."""
    last = "greatest(ours, theirs)" if kind == "add" else columns[-1]
    words = {"calendar": calendar, "amount": amount, "wall0": WALL.format(columns[0]), "wall1": WALL.format(columns[-1]),
             "changes": "EXISTS (SELECT FROM clock_change AS c WHERE c.change > compared.%s AND c.change <= %s)"
                        % (columns[0], last)}
    cases = "".join(" WHEN %s THEN '%s'" % (condition.format(**words), reason) for reason, condition in REASONS[kind])
    reason = "CASE%s ELSE 'other' END" % cases if cases else "'other'"
    return session.run("""
        SELECT count(*) || ' rows: ' || reason || ' (' || (array_agg(format('%%s: ours %%s, theirs %%s',
            concat_ws(' to ', %s), ours, coalesce(theirs::text, 'none')) ORDER BY n))[1] || ')'
        FROM (SELECT *, %s AS reason
              FROM (SELECT t.*, value, %s AS ours, %s AS theirs FROM %s AS t JOIN answer USING (n)) AS compared
              WHERE ours IS DISTINCT FROM theirs) AS different
        GROUP BY reason ORDER BY count(*) DESC;""" % (
            ", ".join(columns), reason, CALL[kind].format(*columns, calendar=calendar, amount=amount), VALUE[kind], table))


def shown(session, calendar, kind, amount, table, columns):
    """The first two questions with both answers."""
    return session.run("SELECT format('%%s | %%s | %%s', concat_ws(' to ', %s), %s, coalesce((%s)::text, 'none'))"
                       " FROM %s AS t JOIN answer USING (n) WHERE n <= 2 ORDER BY n;"
                       % (", ".join(columns), CALL[kind].format(*columns, calendar=calendar, amount=amount),
                          VALUE[kind], table))


def compare(session, rows, progress):
    """Prints a table of rates and, below, what differs."""
    rows = min(rows, 1000000)
    progress("peers: preparing %d rows" % rows)
    session.run("\\set rows %d\nSET timezone = 'Europe/Oslo';" % rows)
    with open(os.path.join(FOLDER, "prepare.sql")) as file:
        session.run(file.read())
    session.run("ANALYZE;")

    present = []
    for name, command, test in PEERS:
        try:
            version = subprocess.run(test, check=True, capture_output=True, text=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            print("peers: %s is not installed (scripts/prepare bench installs it): skipped" % name)
            continue
        present.append((name + " " + version, command))

    table, differences = [("work", "library", "rows", "its rows/s", "ours rows/s", "ours is", "answers that differ")], []
    days = [("on the day of a clock change", "question", "ours", "library", "its answer", "")]
    with tempfile.TemporaryDirectory() as folder:
        holidays, none, questions, answers = (os.path.join(folder, n) for n in ("holidays", "none", "questions", "answers"))
        session.run("\\copy (SELECT day FROM public_holiday WHERE day BETWEEN '2014-12-01' AND '2026-02-01' ORDER BY day) TO '%s'" % holidays)
        open(none, "w").close()
        for title, calendar, kind, amount, source, columns in WORK:
            session.run("\\copy (SELECT %s FROM %s ORDER BY n) TO '%s'"
                        % (", ".join(map(question, columns)), source, questions))
            call = CALL[kind].format(*columns, calendar=calendar, amount=amount)
            total = int(session.run("SELECT count(*) FROM %s;" % source)[0])
            statement = "SELECT count(%s) FROM %s;" % (call, source)
            for name, command in present:
                progress("peers: %s: %s" % (title, name))
                session.milliseconds(statement)
                ours = [session.milliseconds(statement)]
                process = subprocess.run(
                    [*command, kind, "Europe/Oslo", *CALENDARS[calendar], holidays if calendar == "office" else none,
                     str(amount), questions, answers, str(LIMIT)], cwd=FOLDER, stdout=subprocess.PIPE, text=True,
                    env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=True)
                ours += [session.milliseconds(statement) for _ in range(2)]
                words = process.stdout.split()
                if words[0] == "cannot:":
                    table.append((title, name, "", "", "", "", " ".join(words[1:])))
                    continue
                done, seconds = int(words[0]), float(words[1])
                session.run("TRUNCATE answer RESTART IDENTITY;\n\\copy answer (value) FROM '%s'\nANALYZE answer;" % answers)
                lines = reasons(session, calendar, kind, amount, source, columns)
                differ = sum(int(line.split()[0]) for line in lines)
                differences += ["%s | %s | %s" % (title, name, line) for line in lines]
                if source == "ticket":
                    our_seconds = statistics.median(ours) / 1000
                    rates = (rate(done, seconds), rate(total, our_seconds),
                             "%s x" % rate(total / our_seconds, done / seconds))
                else:
                    rates = ("", "", "")
                    for line in shown(session, calendar, kind, amount, source, columns):
                        asked, our_answer, its_answer = line.split(" | ")
                        days.append((title, asked, our_answer, name, its_answer,
                                     "agrees" if our_answer == its_answer else "differs"))
                table.append((title, name, str(done), *rates, str(differ)))
    print("\nbeside other libraries, one process each, in turns with ours in SQL over %d rows" % rows)
    print_table(table)
    print()
    print_table(days)
    print("\nwhy answers differ, with the first example each")
    print("\n".join(differences))
    wrong = session.run("""SELECT count(*) FROM clock_change
        WHERE sla.add_business_time('always', a, '4 hours') <> a + interval '4 hours'
        OR sla.business_time('always', a, soon) <> soon - a;""")
    if wrong != ["0"]:
        sys.exit("peers: ours under 24/7 is not plain addition and subtraction in %s rows" % wrong[0])
    print("\nours under 24/7 beside clock changes, against plain addition and subtraction: no answer differs")
