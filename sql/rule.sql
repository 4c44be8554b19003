-- Metrics, levels, targets and rules: what is refused, and how a level is chosen.
SET client_min_messages = warning;
CREATE SCHEMA rule_test;
SET search_path = rule_test;
SET intervalstyle = postgres;
SET timezone = 'UTC';

-- Metrics: a user's version takes the place of the built-in one and is dumped.
SELECT name, starts_on, stops_on, pauses_on, resumes_on, cancels_on FROM sla.metric ORDER BY name;
SELECT name, reopens_on, blocked_by, repeats, on_reopen, builtin FROM sla.metric ORDER BY name;
SELECT c.relname, e.condition
FROM pg_extension x, unnest(x.extconfig, x.extcondition) AS e(relid, condition) JOIN pg_class c ON c.oid = e.relid
WHERE x.extname = 'pg_sla' AND c.relname IN ('metric', 'level', 'target', 'rule') ORDER BY c.relname;
SELECT sla.set_calendar('rule test', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('used', 'rule test');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'chat_response', '1 minute'), ('used', 'call_response', '1 minute');
BEGIN;
UPDATE sla.metric SET description = 'ours' WHERE name = 'chat_response';
INSERT INTO sla.metric (name, starts_on, stops_on, builtin) VALUES ('call_response', '{call_started}', '{call_answered,call_ended}', true);
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('first_assignment', '{created}', '{assigned}');
SELECT name, stops_on, description FROM sla.metric WHERE NOT builtin ORDER BY name;
SELECT metric FROM sla.target WHERE level = 'used' ORDER BY metric;
SAVEPOINT twice;
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('call_response', '{call_started}', '{call_answered}');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO twice;
DELETE FROM sla.metric WHERE name = 'chat_response';
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
SELECT count(*) FROM sla.metric WHERE NOT builtin;
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('', '{a}', '{b}');
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('never', '{}', '{b}');
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('endless', '{a}', '{}');
INSERT INTO sla.metric (name, starts_on, stops_on, pauses_on) VALUES ('hole', '{a}', '{b}', '{NULL}');
INSERT INTO sla.metric (name, starts_on, stops_on, on_reopen) VALUES ('odd', '{a}', '{b}', 'again');

-- Levels.
INSERT INTO sla.level (name) VALUES ('none');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.level (name, calendar) VALUES ('unknown', 'no such calendar');
\echo :LAST_ERROR_SQLSTATE
UPDATE sla.level SET calendar = 'no such calendar' WHERE name = 'used';
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.level (name, calendar, agreement) VALUES ('odd', 'rule test', 'gentlemen''s');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.metric (name, starts_on, stops_on, reopen_grace) VALUES ('odd', '{a}', '{b}', '-1 hour');
INSERT INTO sla.metric (name, starts_on, stops_on, reopen_grace) VALUES ('odd', '{a}', '{b}', '1 month');
INSERT INTO sla.level (name, calendar, on_change) VALUES ('odd', 'rule test', 'sometimes');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM sla.level WHERE name IN ('none', 'unknown', 'odd', 'later', '');

-- Targets.
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '0');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
\set SHOW_CONTEXT never
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '-1 hour');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '-1 day');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '2 days -1 hour');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '-1 day 40 hours');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '1 month');
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', '1 year 1 hour');
UPDATE sla.target SET goal = '0' WHERE level = 'used';
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'resolution', NULL);
INSERT INTO sla.target (level, metric, goal) VALUES ('used', 'no such metric', '1 hour');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.target (level, metric, goal) VALUES ('no such level', 'resolution', '1 hour');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.target (level, metric, goal, condition) VALUES ('used', 'resolution', '1 hour', 'true or');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
\set SHOW_CONTEXT errors

-- Rules: before the source is tracked only the form can be checked.
INSERT INTO sla.level (name, calendar, agreement) VALUES
	('low', 'rule test', 'customer'), ('high', 'rule test', 'customer'), ('ola', 'rule test', 'operational'), ('uc', 'rule test', 'supplier');
INSERT INTO sla.rule (name, source, position, condition) VALUES ('form', 'rule test', 1, '(SELECT true)');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition) VALUES ('form', 'rule test', 1, 'priority >');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('level', 'rule test', 1, 'true', 'no such level');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition) VALUES ('wrong', 'rule test', 1, 'no_such_column');
CREATE TABLE ticket (id integer PRIMARY KEY, status text, priority integer, tags text[] DEFAULT '{}');
SELECT sla.level_for(t) FROM (VALUES (ROW(1, 'open', 1, '{}')::ticket)) AS v(t);
\echo :LAST_ERROR_SQLSTATE
SELECT sla.track('rule test', 'ticket', 'id');
\echo :LAST_ERROR_SQLSTATE
DELETE FROM sla.rule WHERE source = 'rule test';
SELECT sla.track('rule test', 'ticket', 'id');
INSERT INTO ticket VALUES (1, 'open', 1), (2, 'open', 2), (3, NULL, NULL);
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
-- Now all of it is.
INSERT INTO sla.rule (name, source, position, condition) VALUES ('wrong', 'rule test', 1, 'no_such_column');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition) VALUES ('wrong', 'rule test', 1, 'priority');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition, search_path) VALUES ('restored', 'rule test', 1, '(SELECT 1)', 'public');
\echo :LAST_ERROR_SQLSTATE
BEGIN;
INSERT INTO sla.rule (name, source, position, condition, search_path, owner) VALUES ('restored', 'rule test', 1, 'no_such_column', 'public', 'no such role');
SELECT owner, search_path FROM sla.rule WHERE name = 'restored';
ROLLBACK;

-- Order: a later rule overrides, one that stops ends it; ties go by name.
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('everyone', 'rule test', 10, 'true', 'low');
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('two', 'rule test', 20, 'priority = 2', 'high');
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET position = 5 WHERE source = 'rule test' AND name = 'two';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET stop = true WHERE source = 'rule test' AND name = 'two';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET position = 10 WHERE source = 'rule test';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET name = 'before everyone' WHERE source = 'rule test' AND name = 'two';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET set_level = NULL WHERE source = 'rule test' AND name = 'before everyone';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET active = false WHERE source = 'rule test' AND name = 'before everyone';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
UPDATE sla.rule SET on_create = false WHERE source = 'rule test' AND name = 'everyone';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;

-- What was rolled back was never there.
BEGIN;
UPDATE sla.rule SET on_create = true WHERE source = 'rule test';
SELECT id, sla.level_for(t) FROM ticket t ORDER BY id;
SAVEPOINT inner_one;
DELETE FROM sla.rule WHERE source = 'rule test';
SELECT count(sla.level_for(t)) FROM ticket t;
ROLLBACK TO inner_one;
SELECT count(sla.level_for(t)) FROM ticket t;
ROLLBACK;
SELECT count(sla.level_for(t)) FROM ticket t;

-- All orders of stopping and not, against the definition in SQL: in order, a match sets the level, a stop ends it.
DELETE FROM sla.rule WHERE source = 'rule test';
CREATE FUNCTION by_definition(t ticket, kind text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	r record;
	matches boolean;
	level text;
BEGIN
	FOR r IN SELECT * FROM sla.rule LEFT JOIN sla.level l ON l.name = set_level
		WHERE source = 'rule test' AND active ORDER BY position, rule.name COLLATE "C" LOOP
		EXECUTE format('SELECT %s FROM (SELECT ($1).*) AS ticket', r.condition) INTO matches USING t;
		CONTINUE WHEN matches IS NOT TRUE;
		IF r.agreement = kind THEN level := r.set_level; END IF;
		EXIT WHEN r.stop;
	END LOOP;
	RETURN level;
END
$$;
CREATE TABLE wanted (seed integer, id integer, customer text, got text);
DO $$
BEGIN
	PERFORM setseed(0.42);
	FOR seed IN 1 .. 60 LOOP
		DELETE FROM sla.rule WHERE source = 'rule test';
		INSERT INTO sla.rule (name, source, position, condition, set_level, stop, active)
		SELECT 'r' || i, 'rule test', (random() * 4)::integer,
			(ARRAY['true', 'priority = 1', 'priority > 1', 'status = ''open''', 'NULL', 'priority + 1 = 3', '''x'' = ANY (tags)', 'false', 'priority IS NULL'])[1 + (random() * 8)::integer],
			(ARRAY['low', 'high', 'used', 'ola', 'uc', NULL])[1 + (random() * 5)::integer], random() < 0.3, random() < 0.9
		FROM generate_series(1, 8) i;
		INSERT INTO wanted SELECT seed, id, by_definition(t, 'customer'), sla.level_for(t) FROM ticket t;
	END LOOP;
END
$$;
SELECT count(*) AS cases, count(customer) > 90 AND count(DISTINCT customer) = 3 AS varied,
	count(*) FILTER (WHERE customer IS DISTINCT FROM got) AS wrong FROM wanted;

-- One level of each agreement; targets by position, the first whose condition holds.
DELETE FROM sla.rule WHERE source = 'rule test';
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES
	('low', 'resolution', 1, '3 hours', 'true'), ('low', 'resolution', 0, '2 hours', 'priority = 2'), ('low', 'first_response', 0, '1 hour', 'priority > 1'),
	('ola', 'resolution', 0, '1 day 2 hours', 'true'), ('uc', 'resolution', 0, '5 days', 'true');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'rule test', 10, 'true', 'low', false),
	('inside', 'rule test', 20, 'priority IS NOT NULL', 'ola', false),
	('enough', 'rule test', 30, 'priority = 2', NULL, true),
	('supplier', 'rule test', 40, 'true', 'uc', false);
INSERT INTO ticket SELECT id + 10, status, priority, tags FROM ticket;
SELECT ticket, agreement, level, metric, goal FROM sla.log WHERE source = 'rule test' AND ticket > '10' ORDER BY ticket, agreement, metric;
-- A target's condition is checked, too, when a rule can set its level.
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES ('low', 'resolution', 2, '3 hours', 'no_such_column');
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES ('high', 'resolution', 2, '3 hours', 'no_such_column');
UPDATE sla.rule SET set_level = 'high' WHERE source = 'rule test' AND name = 'everyone';
\echo :LAST_ERROR_SQLSTATE
DELETE FROM sla.target WHERE level = 'high';
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES ('low', 'resolution', -1, '3 hours', '1 / (priority - 7) = 0');
INSERT INTO ticket VALUES (20, 'open', 7);
\echo :LAST_ERROR_SQLSTATE
DELETE FROM sla.target WHERE level = 'low' AND position = -1;
-- Only rules that can matter are evaluated; one that fails is named.
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('fails for seven', 'rule test', 5, '1 / (priority - 7) = 1', 'high');
SELECT sla.level_for(ROW(20, 'open', 7, '{}')::ticket);
UPDATE sla.rule SET position = 15 WHERE source = 'rule test' AND name = 'fails for seven';
SELECT sla.level_for(ROW(20, 'open', 8, '{}')::ticket);
SELECT sla.level_for(ROW(20, 'open', 7, '{}')::ticket);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO ticket VALUES (20, 'open', 7);
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('fails for six', 'rule test', 16, '1 / (priority - 6) = 2', 'high');
SELECT sla.level_for(ROW(20, 'open', 7, '{}')::ticket);
SELECT sla.level_for(ROW(20, 'open', 6, '{}')::ticket);

-- The names of levels and calendars can change.
UPDATE sla.level SET name = 'lower' WHERE name = 'low';
UPDATE sla.level SET name = 'ola 2' WHERE name = 'ola';
SELECT sla.level_for(t) FROM ticket t WHERE id = 1;
SELECT set_level FROM sla.rule WHERE source = 'rule test' AND name = 'everyone';
DELETE FROM sla.level WHERE name = 'lower';
\echo :LAST_ERROR_SQLSTATE
-- A rule that was good breaks: an error, until it is mended.
ALTER TABLE ticket RENAME priority TO importance;
UPDATE ticket SET importance = 5 WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE ticket RENAME importance TO priority;

-- sla.level_for: whose rows?
SELECT sla.level_for(x) FROM (SELECT * FROM ticket) AS x;
\echo :LAST_ERROR_SQLSTATE
SELECT sla.level_for(1);
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE other (id integer);
SELECT sla.level_for(ROW(1)::other);
\echo :LAST_ERROR_SQLSTATE
SELECT sla.level_for('rule test', ROW(1)::other);
\echo :LAST_ERROR_SQLSTATE
SELECT sla.level_for('no such source', t) FROM ticket t;
\echo :LAST_ERROR_SQLSTATE
SELECT sla.level_for(NULL::ticket) IS NULL, sla.level_for(NULL, ROW(1, 'a', 1, NULL)::ticket) IS NULL;
CREATE DOMAIN ticket_domain AS ticket;
SELECT sla.level_for(ROW(1, 'a', 1, NULL)::ticket::ticket_domain);
SELECT sla.track('rule test 2', 'ticket', 'id');
SELECT sla.level_for(t) FROM ticket t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('second', 'rule test 2', 10, 'true', 'high');
SELECT s, sla.level_for(s, t) FROM ticket t, unnest(ARRAY['rule test', 'rule test 2', 'rule test']) AS s WHERE id = 1;
-- Long values, stored out of line, compressed or missing, are read all the same.
UPDATE sla.rule SET condition = $$length(status) = 400000 AND added = 'x'$$ WHERE source = 'rule test 2';
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE ticket ADD added text DEFAULT 'x';
UPDATE sla.rule SET condition = $$length(status) = 400000 AND added = 'x'$$ WHERE source = 'rule test 2';
ALTER TABLE ticket ALTER status SET STORAGE EXTERNAL;
UPDATE ticket SET status = repeat('x', 400000), added = 'x' WHERE id = 1;
SELECT id, sla.level_for('rule test 2', t) FROM ticket t WHERE id < 10 ORDER BY id;
SELECT sla.untrack('rule test 2');

-- Goal and deadline of a row, as its clocks would have them.
SELECT sla.set_calendar('rule test office', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('office', 'rule test office');
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES
	('office', 'first_response', 0, '1 hour', 'priority = 1'), ('office', 'first_response', 1, '4 hours', 'priority < 5'), ('office', 'resolution', 0, '1 day 2 hours', 'true');
CREATE TABLE request (id integer PRIMARY KEY, priority integer, born timestamptz, goal interval, due timestamptz, level text);
SELECT sla.track('rule test 3', 'request', 'id', created_at => 'born');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'rule test 3', 1, 'priority > 0', 'office');
INSERT INTO request (id, priority, born) SELECT i, i % 7, '2026-03-02 00:00+01'::timestamptz + i * interval '7 hours 13 minutes' FROM generate_series(1, 40) i;
SELECT id, priority, sla.goal_for(r, 'first_response') AS goal, sla.deadline_for(r, 'first_response') AS due, sla.deadline_for('rule test 3', r, 'resolution') AS resolution
FROM request r WHERE id < 8 ORDER BY id;
SELECT count(*), count(*) FILTER (WHERE l.goal IS DISTINCT FROM sla.goal_for(r, l.metric) OR l.deadline IS DISTINCT FROM sla.deadline_for('rule test 3', r, l.metric)) AS wrong
FROM sla.log l JOIN request r ON r.id = l.ticket::integer WHERE l.source = 'rule test 3';
SELECT count(*) FROM request r, sla.metric m WHERE sla.goal_for('rule test 3', r, m.name) IS NOT NULL
	AND NOT EXISTS (SELECT FROM sla.log l WHERE l.source = 'rule test 3' AND l.ticket = r.id::text AND l.metric = m.name);
-- In the user's own trigger, before the row is written.
CREATE FUNCTION promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.level := sla.level_for(NEW);
	NEW.goal := sla.goal_for(NEW, 'first_response');
	NEW.due := sla.deadline_for(NEW, 'first_response');
	RETURN NEW;
END
$$;
CREATE TRIGGER promise BEFORE INSERT OR UPDATE OF priority ON request FOR EACH ROW EXECUTE FUNCTION promise();
INSERT INTO request (id, priority, born) VALUES (50, 1, '2026-03-06 15:30+01'), (51, 6, '2026-03-06 15:30+01'), (52, 0, '2026-03-06 15:30+01') RETURNING level, goal, due;
UPDATE request SET priority = 2 WHERE id = 50 RETURNING level, goal, due;
UPDATE sla.target SET goal = '2 hours' WHERE level = 'office' AND metric = 'first_response' AND position = 0;
UPDATE request SET priority = 1 WHERE id = 50 RETURNING level, goal, due;
SELECT sla.set_calendar('rule test office', 'Europe/Oslo', 'Mo-Sa 08:00-16:00');
UPDATE request SET priority = 1 WHERE id = 50 RETURNING level, goal, due;
-- Without a time of creation it is now; without an end, never.
SELECT sla.deadline_for(ROW(60, 1, NULL, NULL, NULL, NULL)::request, 'first_response') = sla.add_business_time('rule test office', now(), '2 hours') AS now,
	sla.deadline_for(ROW(60, 1, 'infinity', NULL, NULL, NULL)::request, 'first_response') AS never;
SELECT sla.goal_for(r, 'first_respones') FROM request r;
\echo :LAST_ERROR_SQLSTATE
SELECT sla.deadline_for('no such source', r, 'resolution') FROM request r;
\echo :LAST_ERROR_SQLSTATE
SELECT sla.deadline_for(1, 'resolution');
\echo :LAST_ERROR_SQLSTATE
SELECT sla.goal_for(r, NULL) IS NULL, sla.deadline_for(NULL::request, 'resolution') IS NULL FROM request r WHERE id = 1;
ALTER TABLE request RENAME born TO birth;
SELECT sla.deadline_for(r, 'resolution') FROM request r WHERE id = 50;
\echo :LAST_ERROR_SQLSTATE
ALTER TABLE request RENAME birth TO born;
SELECT proname, provolatile, proparallel, proisstrict FROM pg_proc WHERE pronamespace = 'sla'::regnamespace AND proname IN ('level_for', 'goal_for', 'deadline_for')
	AND (provolatile, proparallel, proisstrict) IS DISTINCT FROM ('s', 's', true);
SELECT sla.untrack('rule test 3');
DELETE FROM sla.rule WHERE source = 'rule test 3';
DELETE FROM sla.level WHERE name = 'office';

-- Times mean the same in every session: the time zone is noted, and dates are read year first.
CREATE TABLE moment (id integer PRIMARY KEY, at timestamptz, day text);
INSERT INTO moment VALUES (1, '2026-03-02 08:30Z', '2026-03-02'), (2, '2026-03-02 09:30Z', '2026-03-03'), (3, '2026-03-01 23:30Z', '2026-03-01');
SELECT sla.track('rule test 4', 'moment', 'id');
CREATE FUNCTION zone() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_setting('timezone') $$;
SET timezone = 'Europe/Oslo';
CREATE TABLE found (condition text, zone text, ids integer[]);
CREATE PROCEDURE find(condition text) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE sla.rule SET condition = $1 WHERE source = 'rule test 4' AND rule.condition <> $1;
	INSERT INTO found SELECT $1, current_setting('timezone'), array_agg(id ORDER BY id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;
END
$$;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('literal', 'rule test 4', 1, $$at >= '2026-03-02 10:00'$$, 'high'), ('day', 'rule test 4', 2, $$at::date = '2026-03-01' AND id < 0$$, 'high');
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES ('high', 'resolution', 0, '1 hour', $$CAST('2026-03-02 10:00' AS timestamptz) = '2026-03-02 09:00Z'$$);
SELECT name, condition, time_zone FROM sla.rule WHERE source = 'rule test 4' ORDER BY name;
SELECT time_zone FROM sla.target WHERE level = 'high';
SELECT array_agg(id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;
-- Another session, another time zone; and the same session, before and after.
\c -
SET client_min_messages = warning;
SET search_path = rule_test;
SET intervalstyle = postgres;
SET timezone = 'Asia/Tokyo';
SET datestyle = 'German';
SELECT array_agg(id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;
SELECT id, sla.goal_for('rule test 4', moment, 'resolution') FROM moment WHERE id = 2;
SET timezone = 'Pacific/Honolulu';
SELECT array_agg(id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;
SELECT rule, matched FROM moment, sla.explain_level('rule test 4', moment) WHERE id = 2;
UPDATE sla.rule SET position = position + 1 WHERE source = 'rule test 4';
SELECT name, time_zone FROM sla.rule WHERE source = 'rule test 4' ORDER BY name;
DELETE FROM sla.rule WHERE source = 'rule test 4' AND name = 'day';
-- What asks for the time zone while it runs gets the one that was noted; the session's is back behind it.
SET timezone = 'Europe/Oslo';
CALL find($$at::date = '2026-03-02'$$);
CALL find($$EXTRACT(hour FROM at) = 10$$);
CALL find($$to_char(at, 'HH24:MI') = '00:30'$$);
CALL find($$at > CURRENT_DATE - interval '100 years' AND at - interval '9 hours' < '2026-03-02'$$);
CALL find($$zone() = 'Europe/Oslo' AND id = 3$$);
CALL find($$id = 1 OR at::date = '2026-03-03' OR zone() <> 'Europe/Oslo'$$);
CREATE TABLE found_before AS SELECT * FROM found;
TRUNCATE found;
SET timezone = 'Pacific/Kiritimati';
UPDATE sla.rule SET time_zone = 'Europe/Oslo' WHERE source = 'rule test 4';
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT condition FROM found_before LOOP
		UPDATE sla.rule SET condition = r.condition WHERE source = 'rule test 4';
		UPDATE sla.rule SET time_zone = 'Europe/Oslo' WHERE source = 'rule test 4';
		CALL find(r.condition);
	END LOOP;
END
$$;
SELECT b.condition, b.ids AS written_there, f.ids AS evaluated_elsewhere, f.zone FROM found_before b JOIN found f USING (condition) ORDER BY b.condition;
-- A condition that is written anew is of the writer's time zone, unless it says another.
UPDATE sla.rule SET condition = $$at < '2026-03-02 10:00'$$ WHERE source = 'rule test 4';
SELECT time_zone FROM sla.rule WHERE source = 'rule test 4';
UPDATE sla.rule SET condition = $$at < '2026-03-02 10:01'$$, time_zone = 'Asia/Tokyo' WHERE source = 'rule test 4';
SELECT time_zone FROM sla.rule WHERE source = 'rule test 4';
SELECT array_agg(id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;
UPDATE sla.rule SET time_zone = 'Mars/Olympus' WHERE source = 'rule test 4';
\echo :LAST_ERROR_SQLSTATE
UPDATE sla.rule SET condition = $$at < '02/03/2026'$$ WHERE source = 'rule test 4';
\echo :LAST_ERROR_SQLSTATE
SET TIME ZONE -3;
UPDATE sla.rule SET condition = $$at < '2026-03-02 06:00'$$ WHERE source = 'rule test 4';
SET timezone = 'UTC';
SET datestyle TO DEFAULT;
SELECT time_zone FROM sla.rule WHERE source = 'rule test 4';
SELECT array_agg(id) FROM moment WHERE sla.level_for('rule test 4', moment) IS NOT NULL;

-- Validity: by the beginning of the transaction; each rule comes into force, and goes, by itself.
SELECT name, valid FROM sla.rule WHERE source = 'rule test 4';
DELETE FROM sla.rule WHERE source = 'rule test 4';
INSERT INTO sla.level (name, calendar) VALUES ('plain', 'rule test');
INSERT INTO sla.target (level, metric, goal) VALUES ('plain', 'resolution', '2 hours');
BEGIN;
INSERT INTO sla.rule (name, source, position, condition, set_level, valid) VALUES
	('always', 'rule test 4', 1, 'true', 'plain', '(,)'),
	('over', 'rule test 4', 2, 'no_such_column', 'high', tstzrange(NULL, now())),
	('never', 'rule test 4', 3, 'id = 1', 'high', 'empty');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
BEGIN;
INSERT INTO sla.rule (name, source, position, condition, set_level, valid) VALUES
	('always', 'rule test 4', 1, 'true', 'plain', '(,)'),
	('over', 'rule test 4', 2, 'id = 1', 'high', tstzrange(NULL, now())),
	('never', 'rule test 4', 3, 'id = 1', 'high', 'empty'),
	('soon', 'rule test 4', 4, 'id = 2', 'high', tstzrange(now() + interval '1 millisecond', 'infinity')),
	('now', 'rule test 4', 5, 'id = 3', 'high', tstzrange(now(), now(), '[]'));
SELECT id, sla.level_for('rule test 4', moment) FROM moment ORDER BY id;
SELECT pg_sleep(0.01);
SELECT id, sla.level_for('rule test 4', moment) FROM moment ORDER BY id;
SELECT rule, result, effect FROM moment, sla.explain_level('rule test 4', moment) WHERE id = 3;
COMMIT;
SELECT id, sla.level_for('rule test 4', moment) FROM moment ORDER BY id;
SELECT rule, result, effect FROM moment, sla.explain_level('rule test 4', moment) WHERE id = 2;
-- A column that only a rule to come reads is watched already.
BEGIN;
UPDATE sla.rule SET condition = $$day = 'x'$$, valid = tstzrange(now() + interval '1 millisecond', NULL) WHERE source = 'rule test 4' AND name = 'soon';
INSERT INTO moment VALUES (4, '2026-03-05', 'y');
SELECT pg_sleep(0.01);
COMMIT;
UPDATE moment SET day = 'x' WHERE id = 4;
SELECT DISTINCT level, outcome FROM sla.log WHERE source = 'rule test 4' AND ticket = '4' ORDER BY level, outcome;
INSERT INTO sla.rule (name, source, position, condition, valid) VALUES ('null', 'rule test 4', 6, 'true', NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT sla.untrack('rule test 4');
DELETE FROM sla.rule WHERE source = 'rule test 4';
DELETE FROM sla.target WHERE level = 'high';
DELETE FROM sla.level WHERE name = 'plain';

-- In parallel workers, also with functions of another role, another search_path and another time zone.
CREATE TABLE wide (id integer PRIMARY KEY, priority integer, at timestamptz, note text);
INSERT INTO wide SELECT i, i % 5, timestamptz '2026-03-01 00:00Z' + i * interval '1 minute' FROM generate_series(1, 20000) AS i;
ANALYZE wide;
CREATE ROLE rule_author;
GRANT USAGE, CREATE ON SCHEMA rule_test TO rule_author;
GRANT SELECT ON wide TO rule_author;
GRANT SELECT, INSERT ON sla.rule TO rule_author;
SELECT sla.track('rule test 5', 'wide', 'id');
INSERT INTO sla.level (name, calendar) VALUES ('wide', 'rule test');
INSERT INTO sla.target (level, metric, goal) VALUES ('wide', 'resolution', '1 hour');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('plain', 'rule test 5', 1, 'priority = 1', 'wide');
SET ROLE rule_author;
SET timezone = 'Asia/Tokyo';
CREATE FUNCTION mine(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN current_user = 'rule_author' AND current_setting('timezone') = 'Asia/Tokyo' AND $1 = 2; END $$;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('mine', 'rule test 5', 2, 'mine(priority)', 'high'), ('day', 'rule test 5', 3, $$at::date = '2026-03-05' AND priority = 3$$, 'high');
RESET ROLE;
SET timezone = 'UTC';
SELECT level, count(*) FROM (SELECT sla.level_for(w) AS level FROM wide w) AS l GROUP BY level ORDER BY level;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT sla.level_for(w) FROM wide w;
SELECT level, count(*) FROM (SELECT sla.level_for(w) AS level FROM wide w) AS l GROUP BY level ORDER BY level;
SELECT count(sla.deadline_for(w, 'resolution')), count(sla.goal_for(w, 'resolution')) FROM wide w;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET parallel_leader_participation;

-- Rules run when a column changes that one of them reads, and only then; also one that is off for changed tickets counts.
DELETE FROM sla.rule WHERE source = 'rule test 5' AND name <> 'plain';
CREATE FUNCTION told(integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RAISE NOTICE 'asked about %', $1; RETURN $1 = 4; END $$;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('told', 'rule test 5', 2, 'told(priority)', 'high');
SET client_min_messages = notice;
INSERT INTO wide VALUES (0, 3, '2026-03-01 00:00Z', NULL);
UPDATE wide SET note = 'read', at = now() WHERE id = 0;
UPDATE wide SET priority = 3 WHERE id = 0;
UPDATE wide SET priority = 4 WHERE id = 0;
UPDATE sla.rule SET on_change = false WHERE source = 'rule test 5' AND name = 'told';
UPDATE wide SET priority = 5 WHERE id = 0;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('reads at', 'rule test 5', 3, 'at IS NULL AND told(priority)', 'high');
UPDATE wide SET note = 'again' WHERE id = 0;
UPDATE wide SET at = NULL WHERE id = 0;
SET client_min_messages = warning;
-- Through facts every column of the ticket may matter.
CREATE VIEW wide_facts AS SELECT id, priority, note FROM wide;
DELETE FROM sla.rule WHERE source = 'rule test 5' AND name = 'reads at';
SELECT sla.track('rule test 5', 'wide', 'id', facts => 'wide_facts');
UPDATE sla.rule SET on_change = true WHERE source = 'rule test 5' AND name = 'told';
SET client_min_messages = notice;
UPDATE wide SET note = 'seen through the view' WHERE id = 0;
UPDATE wide SET at = now() WHERE id = 0;
SET client_min_messages = warning;
SELECT count(*) FROM sla.event WHERE source = 'rule test 5';
SELECT sla.untrack('rule test 5');
DELETE FROM sla.rule WHERE source = 'rule test 5';
DELETE FROM sla.level WHERE name = 'wide';
DROP VIEW wide_facts;
DROP OWNED BY rule_author;
DROP ROLE rule_author;

-- Not everybody's business; but whoever may read a ticket may ask for its level.
CREATE ROLE rule_clerk;
GRANT USAGE ON SCHEMA rule_test TO rule_clerk;
GRANT SELECT ON ticket TO rule_clerk;
SET ROLE rule_clerk;
SELECT * FROM sla.rule;
SELECT * FROM sla.level;
SELECT * FROM sla.target;
SELECT * FROM sla.metric;
SELECT sla.level_for(t) FROM ticket t WHERE id = 2;
CREATE TEMP TABLE mine (name text);
CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION sla.check_rule();
INSERT INTO mine VALUES ('x');
\echo :LAST_ERROR_SQLSTATE
SELECT sla.check_metric();
RESET ROLE;

-- The table goes: what is left can still be written.
DROP TABLE ticket CASCADE;
UPDATE sla.rule SET condition = 'no_such_column' WHERE source = 'rule test' AND name = 'everyone';
SELECT sla.untrack('rule test');
DELETE FROM sla.rule WHERE source LIKE 'rule test%';
DROP TABLE mine;
DROP SCHEMA rule_test CASCADE;
DROP ROLE rule_clerk;
