"""psql, as far as the tests need it."""

import os
import subprocess
import sys


# Statements that are run once are not worth compiling, and one core has to do.
ENVIRONMENT = dict(os.environ, PGOPTIONS="-c jit=off -c max_parallel_workers_per_gather=0")


class Refused(Exception):
    """The server refused a statement; the message is psql's."""


class Database:
    """A database of its own on the server that PGHOST and PGPORT name, dropped at the end."""

    def __init__(self, name):
        self.name = "%s_%d" % (name, os.getpid())

    def __enter__(self):
        self.admin("CREATE DATABASE %s" % self.name)
        self.run("CREATE EXTENSION pg_sla")
        return self

    def __exit__(self, *unused):
        self.admin("DROP DATABASE %s WITH (FORCE)" % self.name)

    def admin(self, statement):
        self._psql("postgres", statement)

    def _psql(self, database, script):
        done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1",
                               "-d", database, "-f", "-"],
                              input=script, capture_output=True, text=True, env=ENVIRONMENT)
        if done.returncode != 0:
            raise Refused(done.stderr.strip())
        return done.stdout

    def run(self, script):
        """Run statements; what they print, as text."""
        return self._psql(self.name, script)

    def rows(self, query):
        """The rows of a query, as lists of text; an empty text is what NULL prints as."""
        return [line.split("\t") for line in self.run(query).split("\n") if line]

    def copy(self, table, rows):
        """Load rows (tuples; None is NULL) into a table."""
        def field(value):
            if value is None:
                return "\\N"
            return str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        lines = ["COPY %s FROM STDIN;\n" % table]
        lines += ["\t".join(map(field, row)) + "\n" for row in rows]
        lines.append("\\.\n")
        self.run("".join(lines))


class Tap:
    """Prints the results of tests in the TAP format; the exit status of them all."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def note(self, text):
        for line in str(text).split("\n"):
            print("# " + line)
        sys.stdout.flush()

    def ok(self, passed, name):
        self.count += 1
        self.failed += not passed
        print("%s %d - %s" % ("ok" if passed else "not ok", self.count, name))
        sys.stdout.flush()
        return passed

    def end(self):
        print("1..%d" % self.count)
        print("# %d passed, %d failed" % (self.count - self.failed, self.failed))
        return 1 if self.failed else 0
