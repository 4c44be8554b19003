#!/usr/bin/env python3
"""Checks that what is written down in more than one place agrees, and that files keep the house style."""
import glob
import json
import os
import re
import sys

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
passed = failed = 0


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("not so: " + what)


def same(here, there, what):
    here, there = sorted(here), sorted(there)
    check(here == there, "%s: only in the first: %s; only in the second: %s" % (
        what, [x for x in here if x not in there], [x for x in there if x not in here]))


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def stems(pattern):
    return [os.path.splitext(os.path.basename(path))[0] for path in glob.glob(pattern)]


# One version, and META.json fit for PGXN (https://pgxn.org/spec/).
control = dict(re.findall(r"^(\w+)\s*=\s*'?(.*?)'?$", read("pg_sla.control"), re.M))
version = control["default_version"]
meta = json.loads(read("META.json"))
check(re.fullmatch(r"\d+\.\d+\.\d+", version), "the version has three numbers")
check(meta["version"] == version, "META.json has the version of the control file")
check(meta["meta-spec"]["version"] == "1.0.0", "META.json follows version 1.0.0 of its specification")
check(meta["license"] == "postgresql", "META.json names the PostgreSQL licence")
check(list(meta["provides"]) == ["pg_sla"], "META.json provides pg_sla and nothing else")
provided = meta["provides"]["pg_sla"]
check(provided["version"] == version, "META.json provides the version of the control file")
check(provided["file"] == "pg_sla--%s.sql" % version, "META.json names the install script")
check(os.path.exists(provided["docfile"]), "the docfile of META.json exists")
check("PostgreSQL" in meta["prereqs"]["runtime"]["requires"], "META.json requires PostgreSQL")
for key in ("name", "abstract", "description", "maintainer", "tags"):
    check(meta.get(key), "META.json has " + key)
check(meta["name"] == "pg_sla", "META.json is called pg_sla")
heading = re.search(r"^## (\S+)", read("CHANGELOG.md"), re.M)
check(heading and heading[1] == version, "CHANGELOG.md begins with the version of the control file")
# Each released version has a way to this one.
same([os.path.basename(p)[len("pg_sla--"):-len(".sql")] for p in glob.glob("released/pg_sla--*.sql")],
     [os.path.basename(p).split("--")[0] for p in glob.glob("src/sql/upgrade/*--%s.sql" % version)],
     "released and src/sql/upgrade")
check(control["relocatable"] == "false" and control["schema"] == "pg_catalog",
      "the control file says relocatable = false, schema = pg_catalog")

# The lists of the Makefile are what is there.
makefile = read("Makefile").replace("\\\n", " ")


def listed(variable):
    return re.search(r"^%s\s*=(.*)$" % variable, makefile, re.M)[1].split()


same(listed("OBJS"), [p[:-2] + ".o" for p in glob.glob("src/*.c") + glob.glob("src/core/*.c")],
     "OBJS and the C files")
same(listed("INSTALL_SQL"), glob.glob("src/sql/*.sql"), "INSTALL_SQL and src/sql")
same(listed("REGRESS"), stems("sql/*.sql"), "REGRESS and sql")
same(listed("REGRESS"), {re.sub(r"_\d$", "", stem) for stem in stems("expected/*.out")},
     "REGRESS and expected")
same(listed("ISOLATION"), stems("test/specs/*.spec"), "ISOLATION and test/specs")
same(listed("ISOLATION"), {re.sub(r"_\d$", "", stem) for stem in stems("test/expected/*.out")},
     "ISOLATION and test/expected")

# The pages of the documentation lead somewhere, and all can be found.
pages = glob.glob("*.md") + glob.glob("doc/*.md") + glob.glob("src/*.md") + glob.glob("demo/**/*.md", recursive=True)
for page in pages:
    for target in re.findall(r"\]\(([^)#\s]+)", re.sub(r"```.*?```", "", read(page), flags=re.S)):
        if not re.match(r"\w+:", target):
            check(os.path.exists(os.path.join(os.path.dirname(page), target)), "%s: %s exists" % (page, target))
for page in glob.glob("doc/*.md"):
    check(page in read("README.md"), "README.md links to " + page)

# House style, as in .editorconfig; and no path that only one machine has.
BUILT = re.compile(r"\.(o|bc|so|gcda|gcno|pyc|gz|log|diffs)$|/pg_sla--[^/]*\.sql$")
AWAY = {".git", "results", "output_iso", "tmp_check", "log", "build", "__pycache__",
        "node_modules", ".observablehq", "dist"}
ALIEN = re.compile(r"(?<![\w.:/$})-])/(home|root|work|workspace|builds?|srv|mnt|Users)/")
for folder, folders, files in os.walk("."):
    folders[:] = sorted(set(folders) - AWAY)
    for name in sorted(files):
        path = os.path.join(folder, name)
        if BUILT.search(path) or name == "regression.out":
            continue
        if path.endswith((".csv", ".ics", ".png")):
            continue            # as published
        content = read(path)
        check("\r" not in content, path + " has line ends of one kind")
        if not re.match(r"\./(test/)?expected/", path):
            check(re.search(r"[^\n]\n\Z", content) or not content, path + " ends with one newline")
            line = next((n for n, l in enumerate(content.split("\n"), 1) if l != l.rstrip()), None)
            check(line is None, "%s:%s has no trailing blanks" % (path, line))
        if path.endswith((".c", ".h", ".sql", ".pl")):
            line = next((n for n, l in enumerate(content.split("\n"), 1) if l.startswith("    ")), None)
            check(line is None, "%s:%s is indented by tabs" % (path, line))
        if path != "./test/meta.py":
            found = ALIEN.search(content)
            check(not found, "%s names %s" % (path, found and found[0]))

print("%d passed, %d failed" % (passed, failed))
sys.exit(1 if failed else 0)
