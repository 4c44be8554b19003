-- Reports as of another moment: what was known then.
\set VERBOSITY terse
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
CREATE SCHEMA as_of_test;
SET search_path = as_of_test;
CREATE TABLE ticket (id text PRIMARY KEY, department text, state text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('as of', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('as of', 'as of');
INSERT INTO sla.target (level, metric, goal) VALUES ('as of', 'first_response', '4 hours'), ('as of', 'resolution', '20 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'as of', 1, 'true', 'as of');
SELECT sla.track('as of', 'ticket', 'id', department => 'department', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('as of', 'ticket', 'paused', $$state = 'pending'$$);
SELECT sla.track_event('as of', 'ticket', 'resolved', $$state = 'solved'$$);
CREATE VIEW log AS SELECT ticket, request, department, deadline, closed, state, sla, elapsed, paused, excuse FROM sla.log_report WHERE source = 'as of' ORDER BY 1, 2;

-- Before it was tracked nothing was known: the events' own times count.
INSERT INTO ticket VALUES ('a', 'one', 'open', '2024-03-04 09:00', NULL);
SELECT sla.record_event('as of', 'a', 'agent_reply', '2024-03-04 11:00');
UPDATE ticket SET state = 'pending', updated_at = '2024-03-04 12:00' WHERE id = 'a';
UPDATE ticket SET state = 'open', department = 'two', updated_at = '2024-03-04 14:00' WHERE id = 'a';
UPDATE ticket SET state = 'solved', updated_at = '2024-03-05 12:00' WHERE id = 'a';
SET pg_sla.now = '2024-03-04 08:59';
SELECT * FROM log;
SET pg_sla.now = '2024-03-04 10:00';
SELECT * FROM log;
SET pg_sla.now = '2024-03-04 13:00';
SELECT * FROM log;
SELECT ticket, request, state FROM sla.queue WHERE source = 'as of';
SET pg_sla.now = '2024-03-04 15:00';
SELECT * FROM log;
SET pg_sla.now = '2024-03-05 10:00';
SELECT * FROM log;
SELECT day, department, request, met, missed FROM sla.compliance_report WHERE source = 'as of' ORDER BY 1, 3;
SET pg_sla.now = '2024-03-05 12:00';
SELECT * FROM log;
-- The row keeps its number.
SELECT id = (SELECT l.id FROM sla.log AS l WHERE l.source = 'as of' AND metric = 'resolution') AS same_id FROM sla.log_now() WHERE source = 'as of' AND metric = 'resolution';
RESET pg_sla.now;

-- From then on what was recorded counts. Its past is written here as it would have been.
UPDATE sla.source SET tracked_since = '2024-03-01 00:00' WHERE name = 'as of';
UPDATE sla.ticket SET changed_at = '2024-03-04 09:00' WHERE source = 'as of';
UPDATE sla.event SET recorded_at = at WHERE source = 'as of';
-- The answer was told on Wednesday only: until then the clock was overdue.
UPDATE sla.event SET recorded_at = '2024-03-06 09:00' WHERE source = 'as of' AND event = 'agent_reply';
SELECT sla.excuse(id, 'a storm') FROM sla.log WHERE source = 'as of' AND metric = 'resolution';
UPDATE sla.excuse SET excused_at = '2024-03-07 09:00' WHERE source = 'as of';
SET pg_sla.now = '2024-03-05 13:00';
SELECT ticket, request, state, sla, excuse FROM log;
SELECT request, met, missed, excused FROM sla.compliance_report WHERE source = 'as of' ORDER BY 1;
SELECT request, met, missed, excused FROM sla.compliance('2024-03-01', '2024-04-01', '{request}', sources => '{as of}');
SET pg_sla.now = '2024-03-06 09:00';
SELECT ticket, request, state, sla, excuse FROM log;
SET pg_sla.now = '2024-03-07 09:00';
SELECT ticket, request, state, sla, excuse FROM log;
SELECT request, breached, late_by, state, rule, excused, excuse FROM sla.breach_report WHERE source = 'as of';
-- Of long after, everything is known.
SET pg_sla.now = '2098-01-01';
SELECT ticket, request, state, sla, excuse FROM log;
RESET pg_sla.now;
SELECT ticket, request, state, sla, excuse FROM log;

-- A deadline that was moved later is as it was.
INSERT INTO ticket VALUES ('b', 'one', 'open', '2098-01-01 09:00', NULL);
SELECT sla.set_calendar('as of', 'UTC', 'Mo-Su 10:00-20:00');
SELECT request, deadline FROM log WHERE ticket = 'b';
UPDATE sla.ticket SET changed_at = '2024-03-04 09:00' WHERE source = 'as of';
UPDATE sla.event SET recorded_at = '2024-03-04 09:00', at = '2024-03-04 09:00' WHERE source = 'as of' AND ticket = 'b';
UPDATE sla.log SET started_at = '2024-03-04 09:00', running_since = '2024-03-04 09:00' WHERE source = 'as of' AND ticket = 'b';
UPDATE sla.deadline_change SET changed_at = '2024-03-05 09:00' WHERE source = 'as of' AND ticket = 'b';
SET pg_sla.now = '2024-03-05 08:00';
SELECT request, deadline FROM log WHERE ticket = 'b';
SET pg_sla.now = '2024-03-05 09:00';
SELECT request, deadline FROM log WHERE ticket = 'b';
RESET pg_sla.now;

-- Plans follow the setting.
PREPARE counted AS SELECT count(*) FROM sla.log_report WHERE source = 'as of';
EXECUTE counted;
EXECUTE counted;
SET pg_sla.now = '2024-03-04 08:00';
EXECUTE counted;
RESET pg_sla.now;
EXECUTE counted;
-- While it is not set, the log is all that a plan reads.
CREATE FUNCTION reads(statement text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || statement INTO plan;
	RETURN plan::text LIKE '%' || what || '%';
END $$;
SELECT reads('SELECT * FROM sla.log_report', 'log_as_of'), reads('SELECT * FROM sla.log_report', 'in_log_now'), reads('SELECT * FROM sla.log_report', 'was_known');
SET pg_sla.now = '2024-03-04 08:00';
SELECT reads('SELECT * FROM sla.log_report', 'log_as_of'), reads('SELECT * FROM sla.log_report', 'in_log_now'), reads('SELECT * FROM sla.log_report', 'was_known');
RESET pg_sla.now;
SELECT count(*) FROM sla.log_as_of();

-- What was shown at a moment is shown of it ever after, whatever happens and is told since.
SELECT sla.set_calendar('as of then', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES ('then', 'as of then', 'customer'), ('then inner', 'as of then', 'operational');
INSERT INTO sla.target (level, metric, goal) VALUES ('then', 'first_response', '4 hours'), ('then', 'resolution', '60 hours'), ('then inner', 'resolution', '10 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('then', 'then', 1, 'true', 'then'), ('inner', 'then', 2, 'number % 3 = 0', 'then inner');
CREATE TABLE request (number int PRIMARY KEY, department text, agent text, state text NOT NULL DEFAULT 'open', changed_at timestamptz NOT NULL);
SELECT sla.track('then', 'request', 'number', department => 'department', agent => 'agent', created_at => 'changed_at', changed_at => 'changed_at');
SELECT sla.track_event('then', 'request', 'paused', $$state = 'pending'$$);
SELECT sla.track_event('then', 'request', 'resolved', $$state = 'solved'$$);
CREATE FUNCTION shown() RETURNS TABLE (of text, line jsonb) LANGUAGE sql STABLE AS $$
	SELECT 'log', to_jsonb(r) FROM sla.log_report AS r WHERE source = 'then'
	UNION ALL SELECT 'compliance', to_jsonb(r) FROM sla.compliance_report AS r WHERE source = 'then'
	UNION ALL SELECT 'by', to_jsonb(r) FROM sla.compliance('-infinity', 'infinity', '{month,agent,agreement}', sources => '{then}', totals => true) AS r
	UNION ALL SELECT 'percentiles', to_jsonb(r) FROM sla.compliance('-infinity', 'infinity', '{hour}', 'Asia/Tokyo', sources => '{then}', percentiles => true) AS r
	UNION ALL SELECT 'verdicts', to_jsonb(r) FROM sla.verdict AS r WHERE source = 'then'
	UNION ALL SELECT 'breaches', to_jsonb(r) FROM sla.breach_report AS r WHERE source = 'then'
	UNION ALL SELECT 'queue', to_jsonb(r) FROM sla.queue AS r WHERE source = 'then'
	UNION ALL SELECT 'at risk', to_jsonb(r) FROM sla.at_risk(0.1) AS r WHERE source = 'then'
	UNION ALL SELECT 'workload', to_jsonb(r) FROM sla.workload(100) AS r WHERE source = 'then'
$$;
INSERT INTO request SELECT n, 'd' || n % 2, 'x' || n % 3, 'open', now() - n * interval '3 hours 10 minutes' FROM generate_series(1, 24) AS n;
UPDATE request SET state = 'pending', changed_at = changed_at + interval '90 minutes' WHERE number % 4 = 0;
UPDATE request SET state = 'solved', changed_at = changed_at + interval '3 hours' WHERE number % 5 = 0;
SELECT count(sla.record_event('then', n::text, 'agent_reply', now() - n * interval '3 hours')) FROM generate_series(1, 24, 2) AS n;
-- What is shown at one moment and at another, which is as of both for the rest of time.
SELECT clock_timestamp() AS first \gset
SET pg_sla.now = :'first';
CREATE TABLE shown_first AS SELECT * FROM shown();
RESET pg_sla.now;
UPDATE request SET department = 'd2', changed_at = now() WHERE number % 6 = 1;
SELECT count(sla.record_event('then', n::text, 'agent_reply', now() - n * interval '2 hours')) FROM generate_series(2, 24, 4) AS n;
SELECT count(sla.excuse(id, 'a storm')) FROM sla.breach_report WHERE source = 'then' AND ticket::int > 12;
SELECT clock_timestamp() AS second \gset
SET pg_sla.now = :'second';
CREATE TABLE shown_second AS SELECT * FROM shown();
RESET pg_sla.now;
-- Told late, reopened, promised otherwise, gone; another rule, other hours from a day in future on.
SELECT count(sla.record_event('then', n::text, 'agent_reply', now() - n * interval '3 hours 5 minutes')) FROM generate_series(2, 24, 2) AS n;
UPDATE request SET state = 'open', agent = 'x9', changed_at = now() WHERE state = 'solved';
UPDATE request SET state = 'solved', changed_at = now() WHERE state = 'pending';
SELECT count(sla.unexcuse(id)) FROM sla.breach_report WHERE source = 'then' AND excused AND ticket::int % 3 = 0;
SELECT count(sla.excuse(id, 'another')) FROM sla.breach_report WHERE source = 'then' AND ticket::int > 7 AND ticket::int % 3 > 0;
SELECT count(sla.set_deadline(id, now() + interval '1 year', 'agreed')) FROM sla.queue WHERE source = 'then' AND state = 'running' AND ticket::int % 7 = 0;
UPDATE sla.target SET goal = '1 hour' WHERE level = 'then' AND metric = 'first_response';
UPDATE sla.rule SET name = 'renamed', condition = 'number % 3 < 2' WHERE source = 'then' AND name = 'inner';
-- As if it had always been promised, also where it has been judged.
SELECT count(*) > 0 AS judged_anew FROM sla.recalculate('then', rules => true, closed => true, apply => true) WHERE former_verdict IS DISTINCT FROM verdict;
SELECT sla.set_calendar('as of then', 'UTC', 'Mo-Fr 10:00-12:00', effective_from => (now() + interval '60 days')::date);
INSERT INTO request VALUES (100, 'd0', 'x0', 'open', now() - interval '2 days');
DELETE FROM request WHERE number IN (3, 8);
CALL sla.summarize();
CREATE VIEW changed AS SELECT of, count(*) > 0 AS any FROM (SELECT * FROM shown() EXCEPT ALL TABLE shown_second) AS s GROUP BY of;
SELECT string_agg(of, ', ' ORDER BY of COLLATE "C") AS differs FROM changed;
SET pg_sla.now = :'first';
SELECT of, count(*) > 0 AS any FROM shown_first GROUP BY of ORDER BY of COLLATE "C";
SELECT * FROM (TABLE shown_first EXCEPT ALL SELECT * FROM shown()) AS missing UNION ALL SELECT * FROM (SELECT * FROM shown() EXCEPT ALL TABLE shown_first) AS added;
SET pg_sla.now = :'second';
SELECT * FROM (TABLE shown_second EXCEPT ALL SELECT * FROM shown()) AS missing UNION ALL SELECT * FROM (SELECT * FROM shown() EXCEPT ALL TABLE shown_second) AS added;
RESET pg_sla.now;
SELECT count(*) FROM sla.verify('then');

SELECT sla.untrack('then');
DELETE FROM sla.rule WHERE source = 'then';
DELETE FROM sla.level WHERE name LIKE 'then%';
DELETE FROM sla.excuse WHERE source = 'then';
DELETE FROM sla.deadline_change WHERE source = 'then';
DELETE FROM sla.promise_change WHERE source = 'then';
DELETE FROM sla.log WHERE source = 'then';
DELETE FROM sla.event WHERE source = 'then';
DELETE FROM sla.ticket WHERE source = 'then';
DELETE FROM sla.promise WHERE calendar = 'as of then';
DELETE FROM sla.calendar WHERE name = 'as of then';
TRUNCATE sla.summary, sla.summary_state, sla.summary_mark;

SELECT sla.untrack('as of');
DELETE FROM sla.rule WHERE source = 'as of';
DELETE FROM sla.level WHERE name = 'as of';
DELETE FROM sla.excuse WHERE source = 'as of';
DELETE FROM sla.deadline_change WHERE source = 'as of';
DELETE FROM sla.log WHERE source = 'as of';
DELETE FROM sla.event WHERE source = 'as of';
DELETE FROM sla.ticket WHERE source = 'as of';
SET client_min_messages = warning;
DROP SCHEMA as_of_test CASCADE;
