-- What if: other rules, goals and levels over the tickets that there are.
SET client_min_messages = warning;
CREATE SCHEMA try_test;
SET search_path = try_test;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = postgres;

CREATE TABLE ticket (gone text, id integer PRIMARY KEY, priority integer, department text, status text NOT NULL DEFAULT 'open', ticket_row text, created_at timestamptz NOT NULL, updated_at timestamptz);
ALTER TABLE ticket DROP COLUMN gone;
SELECT sla.set_calendar('try', 'UTC', 'Mo-Fr 08:00-16:00'), sla.set_calendar('try always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES ('try low', 'try', 'customer'), ('try high', 'try', 'customer'), ('try desk', 'try', 'operational');
INSERT INTO sla.target (level, metric, goal) VALUES ('try low', 'first_response', '4 hours'), ('try low', 'resolution', '3 days'),
	('try high', 'first_response', '1 hour'), ('try high', 'resolution', '1 day'), ('try desk', 'resolution', '2 days');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop, active) VALUES
	('everyone', 'try', 10, 'true', 'try low', false, true),
	('urgent', 'try', 20, 'priority = 1', 'try high', true, true),
	('desk', 'try', 30, $$department = 'Desk'$$, 'try desk', false, true),
	('sleeping', 'try', 40, $$department = 'Sales'$$, 'try high', false, false);
SELECT sla.track('try', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('try', 'ticket', 'paused', $$status = 'pending'$$);
INSERT INTO ticket (id, priority, department, created_at) VALUES
	(1, 1, 'Sales', '2098-03-03 09:00'), (2, 2, 'Sales', '2098-03-03 09:00'), (3, 3, 'Desk', '2098-03-03 09:00'), (4, NULL, NULL, '2098-03-03 09:00');
UPDATE ticket SET status = 'pending', updated_at = '2098-03-03 10:00' WHERE id = 2;
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 12:00' WHERE id = 2;
UPDATE ticket SET status = 'pending', updated_at = '2098-03-03 10:00' WHERE id = 3;
CREATE VIEW log AS SELECT ticket, agreement, level, metric, deadline, outcome FROM sla.log WHERE source = 'try' ORDER BY 1, 2, 4;
SELECT * FROM log;

-- Nothing drafted, nothing changes; and what is drafted as it is neither.
SELECT * FROM sla.try_rules('try');
SELECT * FROM sla.try_rules('try', (SELECT jsonb_agg(to_jsonb(r)) FROM sla.rule r WHERE source = 'try'), complete => true);
SELECT * FROM sla.try_rules('try', NULL, NULL, NULL, NULL, NULL, NULL);

-- Another condition, a rule switched on, one switched off, a new one; the time a pause took stays.
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "priority <= 2"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "sleeping", "active": true}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "everyone", "active": false}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "new", "position": 15, "condition": "priority IS NULL", "set_level": "try high"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "stop": false}, {"name": "last", "position": 50, "condition": "true", "set_level": "try low"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "all", "position": 1, "condition": "true", "set_level": "try high"}]', complete => true) ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', complete => true) ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "valid": "(,2024-01-01)"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": {"all": [{"field": "department", "operator": "is", "value": "Sales"}]}}]') ORDER BY 1, 2;
-- Only some tickets, and the rules for changed ones.
SELECT * FROM sla.try_rules('try', complete => true, condition => 'priority < 3') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "on_change": false}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "on_change": false}]', as_new => false) ORDER BY 1, 2;

-- Goals and levels.
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "first_response", "goal": "2 hours"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "first_response", "goal": null}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "first_response", "goal": "4 hours"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "first_response", "position": -1, "goal": "1 hour", "condition": "priority = 2"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', levels => '[{"name": "try low", "calendar": "try always"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "sleeping", "active": true, "set_level": "try gold"}]', '[{"level": "try gold", "metric": "first_response", "goal": "10 minutes"}]', '[{"name": "try gold", "calendar": "try always"}]') ORDER BY 1, 2;

-- Nothing has been written.
SELECT name, condition, active FROM sla.rule WHERE source = 'try' ORDER BY position;
SELECT level, metric, goal FROM sla.target WHERE level LIKE 'try %' ORDER BY 1, 2;
SELECT * FROM log;
SELECT * FROM sla.verify('try');
BEGIN READ ONLY;
SELECT count(*) FROM sla.try_rules('try', complete => true);
COMMIT;

-- What the trial says is what happens when it is switched on.
BEGIN;
CREATE TABLE said AS SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "priority <= 2"}]');
UPDATE sla.rule SET condition = 'priority <= 2' WHERE source = 'try' AND name = 'urgent';
UPDATE ticket SET priority = priority;
UPDATE ticket SET priority = 0 WHERE id = 2;
SELECT s.ticket, s.level_then = l.level AS level, s.due_then = min(l.deadline) AS due
FROM said s JOIN sla.log l ON l.source = 'try' AND l.ticket = s.ticket AND l.agreement = s.agreement AND l.closed_at IS NULL GROUP BY s.ticket, s.level_then, s.due_then, l.level;
ROLLBACK;

-- Errors name the place.

SELECT * FROM sla.try_rules('no such source');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules(NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '{}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent"}, 5]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"condition": "true"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "new"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "set_levle": "try low"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent"}, {"name": "urgent"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "position": "first"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "stop": null}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "source": "other"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "priority = 1; DROP TABLE ticket"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "(SELECT true)"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "prioritty = 1"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": {"all": [{"field": "prioritty", "operator": "is", "value": 1}]}}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "condition": "1 / (priority - 2) > 0"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "set_level": "try gold"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', levels => '[{"name": "try gold"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', levels => '[{"name": "try gold", "calendar": "no such calendar"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', levels => '[{"name": "try gold", "calendar": "try", "agreement": "gentlemen"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try gold", "metric": "resolution", "goal": "1 hour"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "no such metric", "goal": "1 hour"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try low", "metric": "resolution", "goal": "0"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', targets => '[{"level": "try desk", "metric": "first_response"}]');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.try_rules('try', condition => 'prioritty = 1');
\echo :LAST_ERROR_SQLSTATE

-- As whom: the rows are the caller's to read, the conditions of the draft run as the caller.
CREATE ROLE regress_try_manager;
CREATE ROLE regress_try_other;
GRANT USAGE ON SCHEMA try_test, sla TO regress_try_manager;
CREATE FUNCTION who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
SET ROLE regress_try_manager;
SELECT * FROM sla.try_rules('try');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.try_rules(text, jsonb, jsonb, jsonb, boolean, text, boolean) TO regress_try_manager;
SET ROLE regress_try_manager;
SELECT * FROM sla.try_rules('try');
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
GRANT SELECT ON ticket TO regress_try_manager;
ALTER TABLE ticket ENABLE ROW LEVEL SECURITY;
CREATE POLICY sales ON ticket FOR SELECT TO regress_try_manager USING (department = 'Sales');
SET ROLE regress_try_manager;
SELECT * FROM sla.try_rules('try', complete => true) ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "me", "position": 50, "condition": "who() = ''regress_try_manager''", "set_level": "try desk"}]') ORDER BY 1, 2;
SELECT * FROM sla.try_rules('try', '[{"name": "me", "position": 50, "condition": "who() = ''regress_try_manager''", "set_level": "try desk", "owner": "regress_try_other"}]') ORDER BY 1, 2;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY sqlstate
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "search_path": "pg_catalog"}]') ORDER BY 1, 2;
\set VERBOSITY default
RESET ROLE;
ALTER TABLE ticket DISABLE ROW LEVEL SECURITY;

-- Over facts, and over partitions.
SELECT sla.untrack('try');
DELETE FROM sla.rule WHERE source = 'try';
CREATE TABLE part (gone text, priority integer, id integer NOT NULL) PARTITION BY LIST (priority);
CREATE TABLE part_1 (id integer NOT NULL, gone text, priority integer);
ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1);
CREATE TABLE part_rest PARTITION OF part DEFAULT;
ALTER TABLE part DROP COLUMN gone;
INSERT INTO part VALUES (1, 11), (2, 12), (NULL, 13);
SELECT sla.track('try', 'part', 'id');
SELECT * FROM sla.try_rules('try', '[{"name": "urgent", "position": 1, "condition": "part.priority = 1", "set_level": "try high"}, {"name": "rest", "position": 0, "condition": "id > 0", "set_level": "try low"}]') ORDER BY 1, 2;
SELECT sla.untrack('try');
CREATE VIEW facts AS SELECT id, priority, department || '!' AS called FROM ticket;
SELECT sla.track('try', 'ticket', 'id', facts => 'facts');
SELECT * FROM sla.try_rules('try', '[{"name": "called", "position": 1, "condition": "called = ''Sales!''", "set_level": "try high"}]') ORDER BY 1, 2;
SELECT sla.untrack('try');

DELETE FROM sla.rule WHERE source = 'try';
DELETE FROM sla.level WHERE name LIKE 'try %';
DELETE FROM sla.log WHERE source = 'try';
DELETE FROM sla.event WHERE source = 'try';
DELETE FROM sla.ticket WHERE source = 'try';
REVOKE ALL ON FUNCTION sla.try_rules(text, jsonb, jsonb, jsonb, boolean, text, boolean) FROM regress_try_manager;
REVOKE USAGE ON SCHEMA sla FROM regress_try_manager;
DROP SCHEMA try_test CASCADE;
DROP ROLE regress_try_manager, regress_try_other;
