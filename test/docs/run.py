#!/usr/bin/env python3
"""Runs the SQL of the documentation as it is printed.

    test/docs/run.py [--write] [PAGE ...]

Each page (README.md and doc/*.md when none is named) gets a fresh database, in which its ```sql blocks run
in order, in one psql session that stops at the first error. A ```text block that follows an ```sql block
is what the block must print; --write puts in what it does print, for the author to read. A block that
begins with ```sql no-run is not run. The extension is there from the start, unless the page creates it itself.
A line <!-- new database --> starts over in a fresh one.

A line <!-- columns of sla.NAME --> says that the table below it, whose first cells name columns, has all
columns of that view or result of that function and no other. Each view that sla.grant_reader() grants has such a table.
"""
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
DATABASE = "pg_sla_docs"
COLUMNS = re.compile(r"^<!-- columns of (sla\.\w+) -->$")
FENCE = re.compile(r"^```(.*)$")


class Block:
    def __init__(self, info, first):
        self.info = info        # what stands after the opening fence
        self.first = first      # index of the first line inside
        self.lines = []
        self.shown = None       # the ```text block that follows
        self.printed = None     # what it did print, when it ran


def sessions_of(lines):
    """The blocks to run in each database, each with the output that the page shows for it."""
    sessions, last, block = [[]], None, None
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if block is None and fence:
            block = Block(fence[1].strip(), number + 1)
        elif block is not None and line == "```":
            if block.info == "sql":
                sessions[-1].append(block)
                last = block
            elif block.info == "text" and last is not None:
                last.shown = block
                last = None
            else:
                last = None
            block = None
        elif block is not None:
            block.lines.append(line)
        elif line == "<!-- new database -->":
            sessions.append([])
            last = None
        elif line.startswith("#"):
            # Prose between a block and its output does not part them, a heading does.
            last = None
    return [blocks for blocks in sessions if blocks]


def psql(database, script, *options):
    return subprocess.run(
        ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-P", "pager=off", "-d", database] + list(options),
        input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def tidy(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def run_session(page, blocks, write):
    """Returns how many blocks did what the page says, and how many did not."""
    psql("postgres", "DROP DATABASE IF EXISTS %s; CREATE DATABASE %s;" % (DATABASE, DATABASE)).check_returncode()
    script = "SET timezone = 'UTC';\n"
    if not any("CREATE EXTENSION" in line for block in blocks for line in block.lines):
        script += "CREATE EXTENSION pg_sla;\n"
    for number, block in enumerate(blocks):
        script += "\\echo @@block %d\n%s\n" % (number, "\n".join(block.lines))
    result = psql(DATABASE, script)
    before, *printed = re.split(r"^@@block \d+\n", result.stdout, flags=re.M)
    sys.stdout.write(before)
    passed = failed = 0
    for number, block in enumerate(blocks):
        place = "%s:%d" % (os.path.relpath(page, ROOT), block.first + 1)
        if number >= len(printed):
            print("%s: not reached" % place)
            failed += 1
            continue
        got = tidy(printed[number].split("\n"))
        if result.returncode != 0 and number == len(printed) - 1:
            print("%s: failed:\n%s" % (place, "\n".join(got)))
            failed += 1
        elif block.shown is not None and got != tidy(block.shown.lines) and not write:
            print("%s: the page shows\n%s\nbut it prints\n%s" % (
                place, "\n".join(block.shown.lines), "\n".join(got)))
            failed += 1
        else:
            passed += 1
            block.printed = got
    psql("postgres", "DROP DATABASE %s" % DATABASE).check_returncode()
    return passed, failed


def tables_of(lines):
    """The tables of columns: what each is about, its line, and the names in its first cells."""
    tables = []
    for number, line in enumerate(lines):
        about = COLUMNS.match(line)
        if about:
            rows = []
            for row in lines[number + 1:]:
                if row.startswith("|"):
                    rows.append(row.split("|")[1])
                elif rows or row:
                    break
            tables.append((about[1], number + 1, re.findall(r"`(\w+)`", " ".join(rows[2:]))))
    return tables


ASK_COLUMNS = """
SELECT 'sla.' || c.relname, a.attname, d.what IS NOT NULL
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN sla.reader_privileges() AS d ON d.what = 'TABLE sla.' || c.relname AND c.relkind = 'v'
WHERE c.relnamespace = 'sla'::regnamespace AND c.relkind IN ('r', 'v')
UNION
SELECT 'sla.' || p.proname, n.name, false
FROM pg_proc AS p, unnest(p.proargnames, p.proargmodes) AS n (name, mode)
WHERE p.pronamespace = 'sla'::regnamespace AND n.mode IN ('o', 't');
"""


def check_columns(tables, whole):
    """Compares tables with the catalogs; with the whole documentation at hand, also whether one is missing."""
    psql("postgres", "DROP DATABASE IF EXISTS %s; CREATE DATABASE %s;" % (DATABASE, DATABASE)).check_returncode()
    result = psql(DATABASE, "CREATE EXTENSION pg_sla;\n" + ASK_COLUMNS, "-A", "-t", "-F", " ")
    psql("postgres", "DROP DATABASE %s" % DATABASE).check_returncode()
    there, granted = {}, set()
    for name, column, is_granted in (line.split(" ") for line in result.stdout.splitlines()):
        there.setdefault(name, []).append(column)
        if is_granted == "t":
            granted.add(name)
    passed = failed = 0
    for page, name, line, columns in tables:
        problems = ["%s is not there" % c for c in sorted(set(columns) - set(there.get(name, [])))]
        problems += ["%s is missing" % c for c in sorted(set(there.get(name, [])) - set(columns))]
        problems += ["%s is there twice" % c for c in sorted(set(c for c in columns if columns.count(c) > 1))]
        for problem in problems:
            print("%s:%d: columns of %s: %s" % (os.path.relpath(page, ROOT), line, name, problem))
        passed += not problems
        failed += bool(problems)
    # Reports ask the view of what stopped a clock, people need not.
    for name in sorted(granted - {table[1] for table in tables} - {"sla.clock_stop"}) if whole else []:
        print("no page has a table of the columns of " + name)
        failed += 1
    return passed, failed


def run_page(page, write):
    with open(page) as file:
        lines = file.read().split("\n")
    sessions = sessions_of(lines)
    passed = failed = 0
    for blocks in sessions:
        some_passed, some_failed = run_session(page, blocks, write)
        passed += some_passed
        failed += some_failed
    if write:
        for block in reversed([block for blocks in sessions for block in blocks]):
            if block.shown is not None and block.printed is not None:
                first = block.shown.first
                lines[first:first + len(block.shown.lines)] = block.printed
        with open(page, "w") as file:
            file.write("\n".join(lines))
    return passed, failed


def main(arguments):
    write = "--write" in arguments
    pages = [a for a in arguments if a != "--write"]
    whole = not pages
    pages = pages or [os.path.join(ROOT, "README.md")] + sorted(glob.glob(os.path.join(ROOT, "doc", "*.md")))
    passed = failed = 0
    for page in pages:
        some_passed, some_failed = run_page(page, write)
        passed += some_passed
        failed += some_failed
    tables = []
    for page in pages:
        with open(page) as file:
            tables += [(page,) + table for table in tables_of(file.read().split("\n"))]
    some_passed, some_failed = check_columns(tables, whole)
    passed += some_passed
    failed += some_failed
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
