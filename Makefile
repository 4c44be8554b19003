# pg_sla/Makefile
#
# make, make install, make installcheck: the ordinary PGXS way.
# make test, make demo, make bench:      need nothing but make; see scripts/.

EXTENSION  = pg_sla
# The one place that states the version is the control file.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" pg_sla.control)

MODULE_big = pg_sla
OBJS = \
	src/core/opening_hours.o \
	src/core/opening_hours_parse.o \
	src/core/opening_hours_print.o \
	src/core/expand.o \
	src/core/pattern.o \
	src/core/timeline.o \
	src/core/explain.o \
	src/core/clock.o \
	src/init.o \
	src/now.o \
	src/zone.o \
	src/timeline_cache.o \
	src/schedule.o \
	src/calendar.o \
	src/ical_library.o \
	src/ical_text.o \
	src/ical_rule.o \
	src/ical_zone.o \
	src/ical_instances.o \
	src/icalendar.o \
	src/ical_schedule.o \
	src/ical_export.o \
	src/business_time.o \
	src/overdue.o \
	src/explain.o \
	src/token.o \
	src/condition.o \
	src/rule.o \
	src/structured_condition.o \
	src/explain_level.o \
	src/statement.o \
	src/promise.o \
	src/store.o \
	src/event.o \
	src/log.o \
	src/clock.o \
	src/verify.o \
	src/as_of.o \
	src/summary.o \
	src/compliance.o \
	src/tracking.o \
	src/record.o \
	src/ticket_row.o \
	src/ticket_lock.o \
	src/source.o \
	src/try_rules.o \
	src/bulk.o \
	src/user_rows.o \
	src/backfill.o \
	src/recalculation.o

# The install script, in the order in which its pieces need each other.
INSTALL_SQL = \
	src/sql/schema.sql \
	src/sql/schedule.sql \
	src/sql/calendar.sql \
	src/sql/icalendar.sql \
	src/sql/business_time.sql \
	src/sql/overdue.sql \
	src/sql/explain.sql \
	src/sql/condition.sql \
	src/sql/rule.sql \
	src/sql/structured_condition.sql \
	src/sql/explain_level.sql \
	src/sql/clock.sql \
	src/sql/recalculation.sql \
	src/sql/excuse.sql \
	src/sql/tracking.sql \
	src/sql/record.sql \
	src/sql/try_rules.sql \
	src/sql/backfill.sql \
	src/sql/purge.sql \
	src/sql/as_of.sql \
	src/sql/explain_clock.sql \
	src/sql/report.sql \
	src/sql/summary.sql \
	src/sql/compliance.sql \
	src/sql/reader.sql \
	src/sql/rights.sql

# Versions that were released, as they were, and the way from each to this one.
DATA = $(wildcard released/pg_sla--*.sql)
UPGRADES = $(patsubst src/sql/upgrade/%.sql,pg_sla--%.sql,$(wildcard src/sql/upgrade/*--$(EXTVERSION).sql))
DATA_built = pg_sla--$(EXTVERSION).sql $(UPGRADES)
EXTRA_CLEAN = pg_sla--*.sql

REGRESS = install schedule business_time overdue explain calendar icalendar condition rule rule_rights former_row structured_condition explain_level try_rules tracking backfill clock clock_calls store recalculation purge record record_merge edges excuse ticket_row ticket_lock tracked_tables report as_of summary compliance reader errors trusted
REGRESS_OPTS = --load-extension=pg_sla
ISOLATION = backfill calendar edit edit_columns lock_order purge record rule snapshot store summary ticket track truncate
ISOLATION_OPTS = --inputdir=test --load-extension=pg_sla
# make installcheck TAP_TESTS=1 runs these too; they make servers of their own and refuse to run as root.
PROVE_TESTS = test/t/*.pl

PG_CPPFLAGS = -Isrc -fvisibility=hidden -DSLA_VERSION='"$(EXTVERSION)"'
PG_CFLAGS = -std=gnu11 -Wno-declaration-after-statement

# Goals that prepare the machine themselves before anything is built.
WORKSHOP = test test-deep demo api dashboard bench core-test clean-core
ifneq ($(filter-out $(WORKSHOP),$(or $(MAKECMDGOALS),all)),)
PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifeq ($(PGXS),)
$(error "$(PG_CONFIG)" does not work: install postgresql-server-dev, or name another with PG_CONFIG=)
endif
PKG_CONFIG ?= pkg-config
ifeq ($(shell $(PKG_CONFIG) --exists libical && echo found),)
ifneq ($(filter-out %clean,$(or $(MAKECMDGOALS),all)),)
$(error libical is missing: install libical-dev (Debian) or libical-devel (Fedora))
endif
endif
PG_CPPFLAGS += $(shell $(PKG_CONFIG) --cflags libical 2>/dev/null)
SHLIB_LINK += $(shell $(PKG_CONFIG) --libs libical 2>/dev/null)
include $(PGXS)
override CFLAGS := $(filter-out -Wdeclaration-after-statement,$(CFLAGS))
endif

$(OBJS) $(OBJS:.o=.bc): $(wildcard src/*.h src/core/*.h)

# Concatenated, so that one domain keeps one file.
pg_sla--$(EXTVERSION).sql: $(INSTALL_SQL) pg_sla.control
	{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_sla" to load this file. \quit'; \
	  for piece in $(INSTALL_SQL); do echo; cat $$piece; done; } > $@

$(UPGRADES): pg_sla--%--$(EXTVERSION).sql: released/pg_sla--%.sql pg_sla--$(EXTVERSION).sql src/sql/upgrade/%--$(EXTVERSION).sql scripts/upgrade
	perl scripts/upgrade released/pg_sla--$*.sql pg_sla--$(EXTVERSION).sql src/sql/upgrade/$*--$(EXTVERSION).sql > $@.new
	mv $@.new $@

.PHONY: $(WORKSHOP)
test:
	scripts/test
test-deep:
	scripts/test --deep
demo:
	scripts/demo $(if $(KEEP),--keep)
api:
	scripts/api $(DATABASE_URL)
dashboard:
	scripts/dashboard $(DATABASE_URL)
bench:
	scripts/bench
core-test:
	$(MAKE) -C test/core
