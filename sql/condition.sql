-- Conditions over a row: what is refused, how they run, and what changes under them.
SET client_min_messages = warning;
CREATE SCHEMA condition_test;
SET search_path = condition_test;
SET timezone = 'UTC';
CREATE TABLE ticket (id integer PRIMARY KEY, status text, priority integer, tags text[], created_at timestamptz, gone integer);

-- What can be used.
SELECT sla.check_condition('ticket', c) FROM unnest(ARRAY[
	'true',
	$$status = 'open'$$,
	$$'URGENT' = ANY (tags) AND priority BETWEEN 1 AND 3$$,
	$$ticket.status IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')$$,
	$$CASE status WHEN 'open' THEN priority > 3 END$$,
	$$status IS DISTINCT FROM 'open' OR NULLIF(status, 'x') IS NULL$$,
	$$created_at > now() - interval '1 day'$$,
	$$ticket IS NOT NULL$$,
	$$(ticket).priority = 1$$,
	'NULL',
	$$'yes'$$,
	$$/* a remark */ true -- and another$$]) AS c;

-- What is refused, where, and with what to do about it.
SELECT sla.check_condition('ticket', 'status');
SELECT sla.check_condition('ticket', $$status = "open"$$);
SELECT sla.check_condition('ticket', 'sttus = 1');
SELECT sla.check_condition('ticket', 'EXISTS (SELECT FROM ticket)');

CREATE FUNCTION refusal(condition text, relation regclass DEFAULT 'ticket') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	said text;
	hint text;
	place text;
BEGIN
	PERFORM sla.check_condition(relation, condition);
	RETURN 'accepted';
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, place = PG_EXCEPTION_CONTEXT;
	RETURN format(E'%s %s%s (%s)', sqlstate, said, E'\n  HINT: ' || nullif(hint, ''), split_part(place, E'\n', 1));
END
$$;
CREATE SEQUENCE counter;
CREATE FUNCTION by_default(x double precision DEFAULT random()) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN x IS NULL; END';
\pset format unaligned
\pset tuples_only on
SELECT c || ' -> ' || refusal(c) FROM unnest(ARRAY[
	'', '  -- nothing', 'true, false', 'true AS x', 'true x', '*', 'ticket.*',
	'true FROM ticket', 'true WHERE true', 'true ORDER BY 1', 'true LIMIT 1', 'DISTINCT true', 'true UNION SELECT true',
	'true; DROP TABLE ticket', 'status =', 'DEFAULT',
	'priority', 'status', 'tags', '1', $$'perhaps'$$,
	'nothing_there = 1', 'other.status = 1', 'no_function(id)', 'status = 1',
	'(SELECT true)', 'id = ANY (SELECT 1)', 'ARRAY(SELECT 1) IS NULL',
	'count(*) > 1', 'max(priority) = 1', 'GROUPING(id) = 1', 'row_number() OVER () = 1', 'sum(priority) OVER () = 1',
	'generate_series(1, 2) = 1', 'unnest(tags) = status',
	'$1', 'priority = $1',
	'ctid IS NULL', 'tableoid = 1',
	'random() < 0.5', 'clock_timestamp() > created_at', 'nextval(''counter'') = 1', 'by_default()',
	'1 / 0 = 1', 'interval ''soon'' > interval ''1 day'' ']) AS c;
\pset tuples_only off
\pset format aligned
SELECT split_part(split_part(refusal('condition_test.ticket.status = ''open'''), E'\n', 1), ' (', 1);
SELECT refusal('true', 'ticket_pkey');
SELECT refusal('true', 'counter');
SELECT sla.check_condition(NULL, 'true') IS NULL AS nothing_is_checked;
-- What would be another moment in each session that reads it is refused; as a text it is a text.
CREATE TABLE moment (at timestamptz, day date, days date[], period tstzrange, word text, plain timestamp, clock time);
SELECT sla.check_condition('moment', $$at > 'today'$$);
\set VERBOSITY terse
SELECT sla.check_condition('moment', $$day = date 'Yesterday'$$);
SELECT sla.check_condition('moment', $$at BETWEEN '2026-01-01' AND ' NOW '$$);
SELECT sla.check_condition('moment', $$day = ANY ('{2026-01-01,tomorrow}')$$);
SELECT sla.check_condition('moment', $$days @> '{today}'$$);
SELECT sla.check_condition('moment', $$period && '[today,)'$$);
SELECT sla.check_condition('moment', $$plain > E'today 12:00'$$);
SELECT sla.check_condition('moment', $$clock > 'now'$$);
SELECT sla.check_condition('moment', $$coalesce(at, 'now') > at$$);
SELECT sla.check_condition('moment', c) IS NOT NULL AS allowed FROM unnest(ARRAY[$$word = 'today'$$, $$word IN ('now', 'never')$$, 'day > current_date - 1 AND at < now()',
	$$at > 'nowhere'::text::timestamptz$$, $$at < 'infinity'$$]) AS c;
DROP TABLE moment;
\set VERBOSITY default

-- They run here as the condition of the only rule of a source.
SELECT sla.set_calendar('condition test', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('yes', 'condition test');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('the rule', 'condition test', 1, 'true', 'yes');
SELECT sla.track('condition test', 'ticket', 'id');
CREATE FUNCTION holds(new_condition text, OUT ids text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sla.rule SET condition = new_condition WHERE source = 'condition test' AND condition <> new_condition;
	SELECT string_agg(id::text, ' ' ORDER BY id) INTO ids FROM ticket t WHERE sla.level_for(t) = 'yes';
END
$$;
INSERT INTO ticket VALUES (1, 'open', 1, '{URGENT}', '2024-01-01'), (2, 'closed', 2, '{}', '2024-01-02'), (3, NULL, NULL, NULL, NULL);
SELECT c, holds(c) FROM unnest(ARRAY[
	'true', 'false', 'NULL', 'priority = 1', 'NOT priority = 1', 'status IS DISTINCT FROM ''open''', '''URGENT'' = ANY (tags)',
	'NOT ''URGENT'' = ANY (tags)', 'created_at < ''2024-01-02''', 'created_at::date = ''2024-01-02''', 'priority IN (1, 2, 9)',
	'priority NOT IN (0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)', 'ticket IS NULL', 'ticket.id = 3', 'coalesce(priority, 7) > 1',
	'status LIKE ''o%'' OR status LIKE ''%d''']) AS c;

-- What a text says does not depend on who reads it.
SET standard_conforming_strings = off;
SET transform_null_equals = on;
SELECT holds('priority = NULL'), holds($$status = '\' OR true$$);
RESET standard_conforming_strings;
RESET transform_null_equals;
CREATE SCHEMA one;
CREATE SCHEMA two;
CREATE FUNCTION one.f(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = 1';
CREATE FUNCTION two.f(integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = 2';
CREATE FUNCTION one.by_name(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN f($1); END';
SET search_path = one, condition_test;
SELECT holds('f(priority)');
SET search_path = two, condition_test;
SELECT holds('f(priority)');
UPDATE sla.rule SET position = 2 WHERE source = 'condition test';
SELECT holds('f(priority)'), search_path FROM sla.rule WHERE source = 'condition test';
SET search_path = one, condition_test;
SELECT holds('by_name(priority)');
SET search_path = two, condition_test;
SELECT holds('by_name(priority)');
UPDATE sla.rule SET search_path = 'two, one, condition_test' WHERE source = 'condition test';
SELECT holds('by_name(priority)'), search_path FROM sla.rule WHERE source = 'condition test';
UPDATE sla.rule SET search_path = 'one,,' WHERE source = 'condition test';
\echo :LAST_ERROR_SQLSTATE
SET search_path = condition_test;

-- Columns and functions change after the condition was compiled.
SELECT holds('priority = 1 AND gone IS NULL');
ALTER TABLE ticket RENAME priority TO importance;
SELECT holds('priority = 1 AND gone IS NULL');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE ticket RENAME importance TO priority;
SELECT holds('priority = 1 AND gone IS NULL');
ALTER TABLE ticket ALTER priority TYPE text;
SELECT holds('priority = 1 AND gone IS NULL');
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE ticket ALTER priority TYPE bigint USING priority::bigint;
SELECT holds('priority = 1 AND gone IS NULL');
ALTER TABLE ticket DROP gone;
SELECT holds('priority = 1 AND gone IS NULL');
\echo :LAST_ERROR_SQLSTATE
SELECT holds('priority = 1');
ALTER TABLE ticket ADD added text DEFAULT 'x';
SELECT holds('priority = 1'), holds('priority = 2 AND added = ''x''');
BEGIN;
ALTER TABLE ticket RENAME priority TO importance;
SELECT holds('importance = 1');
ROLLBACK;
SELECT holds('priority = 2 AND added = ''x''');
CREATE FUNCTION g(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = 1';
SELECT holds('g(priority)');
CREATE OR REPLACE FUNCTION g(bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = 2';
SELECT holds('g(priority)');
CREATE OR REPLACE FUNCTION g(bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1 = 1; END';
SELECT holds('g(priority)');
DROP FUNCTION g;
SELECT holds('g(priority)');
\echo :LAST_ERROR_SQLSTATE

-- A failure names the rule, and what it left behind is not used again.
SELECT holds('10 / (priority - 2) = -10');
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION fails_for(bigint, bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF $1 = $2 THEN
		RAISE EXCEPTION 'no %', $1 USING ERRCODE = 'P0042';
	END IF;
	RETURN true;
END
$$;
UPDATE sla.rule SET condition = 'fails_for(priority, 2) AND fails_for(priority, 1)' WHERE source = 'condition test';
SELECT sla.level_for(t) FROM ticket t WHERE id = 3;
SELECT sla.level_for(t) FROM ticket t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
SELECT sla.level_for(t) FROM ticket t WHERE id = 3;
SELECT sla.level_for(t) FROM ticket t WHERE id = 2;

-- A function in a condition comes back to the same condition.
CREATE FUNCTION score(x bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF x > 1 AND (SELECT sla.level_for(t) FROM ticket t WHERE id = x - 1) IS NULL THEN
		RETURN -1;
	END IF;
	RETURN x;
END
$$;
SELECT holds('score(id) * 10 + score(id) = 11 * id');
CREATE FUNCTION survives(x bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF x = 3 THEN
		BEGIN
			PERFORM sla.level_for(t) FROM ticket t WHERE id = 2;
		EXCEPTION WHEN others THEN
			NULL;
		END;
		PERFORM sla.level_for(t) FROM ticket t WHERE id = 1;
	ELSIF x = 2 THEN
		RAISE EXCEPTION 'two';
	END IF;
	RETURN x;
END
$$;
UPDATE sla.rule SET condition = 'survives(id) * 10 + survives(id) = 11 * id' WHERE source = 'condition test';
SELECT id, sla.level_for(t) FROM ticket t WHERE id <> 2 ORDER BY id;
-- One that has the condition thrown away under itself.
CREATE FUNCTION changes(x bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sla.rule SET position = position + 1 WHERE source = 'condition test';
	PERFORM sla.level_for(ROW(100 + x, NULL, NULL, NULL, NULL, NULL)::ticket);
	RETURN x;
END
$$;
CREATE FUNCTION asks_to_change(x bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT CASE WHEN x < 100 THEN (SELECT changes(x)) ELSE x END';
UPDATE sla.rule SET condition = 'asks_to_change(id) * 10 + asks_to_change(id) = 11 * id' WHERE source = 'condition test';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;

-- The same from a trigger, which compiles its events anew while it is evaluating one.
CREATE FUNCTION changes_and_inserts(x bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sla.rule SET position = position + 1 WHERE source = 'condition test';
	INSERT INTO ticket VALUES (200 + x, 'nested');
	RETURN x;
END
$$;
CREATE FUNCTION asks_to_insert(x bigint) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT CASE WHEN x < 200 THEN (SELECT changes_and_inserts(x)) ELSE x END';
SELECT sla.track_event('condition test', 'ticket', 'paused', 'asks_to_insert(id) * 10 + id = 11 * id');
INSERT INTO ticket VALUES (101), (102);
SELECT ticket, event FROM sla.event WHERE source = 'condition test' AND length(ticket) = 3 ORDER BY 1, 2;
SELECT sla.untrack_event('condition test', 'ticket', 'paused');
DELETE FROM ticket WHERE id > 100;

-- Functions have the rights of the rule's owner, whoever reads the ticket.
CREATE ROLE condition_owner;
CREATE ROLE condition_clerk;
CREATE TABLE secret (priority bigint);
INSERT INTO secret VALUES (2);
GRANT USAGE, CREATE ON SCHEMA condition_test TO condition_owner, condition_clerk;
GRANT SELECT ON secret TO condition_owner;
GRANT SELECT ON ticket TO condition_owner, condition_clerk;
GRANT SELECT, INSERT, UPDATE, DELETE ON sla.rule TO condition_owner;
SET ROLE condition_owner;
CREATE FUNCTION is_secret(bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_user = 'condition_owner' AND $1 IN (SELECT priority FROM secret); END $$;
REVOKE ALL ON FUNCTION is_secret FROM PUBLIC;
SELECT holds('is_secret(priority)');
SELECT owner FROM sla.rule WHERE source = 'condition test';
SET ROLE condition_clerk;
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
SELECT is_secret(1);
SELECT current_user;
-- A temporary table of the clerk does not get between.
CREATE TEMP TABLE secret AS SELECT 1::bigint AS priority;
GRANT SELECT ON secret TO PUBLIC;
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
DROP TABLE pg_temp.secret;
-- Neither does a temporary type, when the condition is compiled in the clerk's session.
RESET ROLE;
CREATE DOMAIN small AS bigint;
UPDATE sla.rule SET condition = 'priority::small = 1' WHERE source = 'condition test';
CREATE DOMAIN pg_temp.small AS bigint CHECK (VALUE < 0);
SELECT holds('priority::small = 1');
DROP DOMAIN pg_temp.small;
-- One cannot give a condition the rights of a role that one is not in.
SET ROLE condition_owner;
UPDATE sla.rule SET condition = 'current_user = ''condition_owner''' WHERE source = 'condition test';
SELECT owner FROM sla.rule WHERE source = 'condition test';
INSERT INTO sla.rule (name, source, position, condition, search_path, owner) VALUES ('mine', 'condition test', 1, 'true', 'public', 'no_such_role');
\echo :LAST_ERROR_SQLSTATE
UPDATE sla.rule SET owner = 'condition_clerk' WHERE source = 'condition test';
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
SELECT current_user, count(sla.level_for(t)) FROM ticket t;
-- Once the right to call it is gone, the condition fails.
\set VERBOSITY sqlstate
SELECT holds('is_secret(priority)') AS not_with_higher_rights;
\set VERBOSITY default
UPDATE sla.rule SET owner = 'condition_clerk' WHERE source = 'condition test';
\echo :LAST_ERROR_SQLSTATE
SET ROLE condition_owner;
UPDATE sla.rule SET condition = 'is_secret(priority) AND true' WHERE source = 'condition test';
RESET ROLE;
SELECT string_agg(id::text, ' ') FROM ticket t WHERE sla.level_for(t) = 'yes';
REVOKE ALL ON FUNCTION is_secret FROM condition_owner;
SELECT string_agg(id::text, ' ') FROM ticket t WHERE sla.level_for(t) = 'yes';
\echo :LAST_ERROR_SQLSTATE
-- A role that is gone is an error that says what to do.
DROP OWNED BY condition_owner;
DROP ROLE condition_owner;
UPDATE sla.rule SET position = 2 WHERE source = 'condition test';
SELECT count(sla.level_for(t)) FROM ticket t;
\echo :LAST_ERROR_SQLSTATE
UPDATE sla.rule SET owner = current_user, condition = 'true' WHERE source = 'condition test';
SELECT count(sla.level_for(t)) FROM ticket t;

-- Partitions are served by the same text, also where their columns lie elsewhere.
CREATE TABLE parted (id integer, kind text, status text) PARTITION BY LIST (kind);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a');
CREATE TABLE parted_b (junk integer, status text, kind text, id integer);
ALTER TABLE parted_b DROP junk;
ALTER TABLE parted ATTACH PARTITION parted_b FOR VALUES IN ('b');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('parted', 'condition parts', 1, $$parted.status = 'open' AND parted IS NOT NULL$$, 'yes');
INSERT INTO sla.target (level, metric, goal) VALUES ('yes', 'resolution', '1 hour');
SELECT sla.track('condition parts', 'parted', 'id');
INSERT INTO parted VALUES (1, 'a', 'open'), (2, 'a', 'x'), (3, 'b', 'open'), (4, 'b', 'y');
SELECT id, sla.level_for(p) FROM parted p ORDER BY id;
SELECT id, sla.level_for(p) FROM parted_a p ORDER BY id;
SELECT id, sla.level_for(p) FROM parted_b p ORDER BY id;
SELECT ticket, level FROM sla.log WHERE source = 'condition parts' ORDER BY 1;

SELECT sla.untrack('condition test'), sla.untrack('condition parts');
DELETE FROM sla.rule WHERE source IN ('condition test', 'condition parts');
DROP SCHEMA condition_test, one, two CASCADE;
DROP ROLE condition_clerk;
