-- Who sees what.
\set VERBOSITY terse
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
CREATE SCHEMA reader_test;
SET search_path = reader_test;
CREATE TABLE ticket (id int PRIMARY KEY, department text, created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('reader', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('reader', 'reader');
INSERT INTO sla.target (level, metric, goal) VALUES ('reader', 'first_response', '4 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'reader', 1, 'true', 'reader');
SELECT sla.track('reader', 'ticket', 'id', department => 'department', created_at => 'created_at', changed_at => 'updated_at');
INSERT INTO ticket VALUES (1, 'mine', '2024-03-04 09:00', NULL), (2, 'mine', '2024-03-04 10:00', NULL), (3, 'secret', '2024-03-04 11:00', NULL), (4, NULL, '2024-03-04 12:00', NULL);
SELECT sla.record_event('reader', '1', 'agent_reply', '2024-03-04 10:00');
SELECT sla.excuse(id, 'known to ' || coalesce(department, 'nobody')) FROM sla.log WHERE source = 'reader' AND ticket <> '1';
CALL sla.summarize();
ANALYZE sla.log, sla.excuse, sla.event, sla.summary;

CREATE ROLE reader_test_boss;
CREATE ROLE reader_test_agent;
CREATE ROLE reader_test_nobody;
SELECT sla.grant_reader('reader_test_boss'), sla.grant_reader('reader_test_agent');
SELECT sla.grant_reader('reader test nobody');
GRANT USAGE ON SCHEMA reader_test TO reader_test_boss, reader_test_agent, reader_test_nobody;
GRANT CREATE ON SCHEMA reader_test TO reader_test_agent;

-- Without row-level security whoever reads reads all; whoever was not let does not.
SET ROLE reader_test_agent;
SELECT count(*) FROM sla.log_report WHERE source = 'reader';
SELECT sum(met), sum(missed) FROM sla.compliance_report WHERE source = 'reader';
SET ROLE reader_test_nobody;
SELECT count(*) FROM sla.log_report;
SELECT count(*) FROM sla.log_now();
SELECT count(*) FROM sla.log_as_of();
SELECT * FROM sla.compliance('2024-03-01', '2024-04-01');
SELECT * FROM sla.at_risk(0.5);
SELECT * FROM sla.workload();
SELECT sla.grant_reader('reader_test_nobody');
SELECT * FROM sla.check_summaries();
CALL sla.summarize();
SET pg_sla.now = '2024-03-04 09:30';
SELECT count(*) FROM sla.log_as_of();
SELECT sla.in_log_now(false, 'reader', '3');
SELECT sla.was_known('reader', now());
RESET pg_sla.now;
RESET ROLE;

-- An agent sees the own department only.
ALTER TABLE sla.log ENABLE ROW LEVEL SECURITY;
CREATE POLICY boss ON sla.log FOR SELECT TO reader_test_boss USING (true);
CREATE POLICY own_department ON sla.log FOR SELECT TO reader_test_agent USING (department = 'mine');
PREPARE shown AS SELECT ticket, department, state, excuse FROM sla.log_report WHERE source = 'reader' ORDER BY 1;
EXECUTE shown;
SET ROLE reader_test_agent;
EXECUTE shown;
SELECT department, met, missed FROM sla.compliance_report WHERE source = 'reader';
SELECT department, met, missed, p50 FROM sla.compliance('2024-03-01', '2024-04-01', '{department}', sources => '{reader}', percentiles => true);
SELECT department, met, missed FROM sla.compliance('2024-03-01', '2024-04-01', '{department}', sources => '{reader}', totals => true);
SELECT ticket FROM sla.queue WHERE source = 'reader';
SELECT ticket, rule FROM sla.breach_report WHERE source = 'reader';
SELECT ticket FROM sla.verdict WHERE source = 'reader' ORDER BY 1;
SELECT department, sum(deadlines) FROM sla.workload(24) GROUP BY 1;
-- Around it.
SELECT count(*) FROM sla.log WHERE department = 'secret';
SELECT count(*) FROM sla.summary;
SELECT count(*) FROM sla.summary_state;
SELECT count(*) FROM sla.summary_mark;
SELECT ticket, reason FROM sla.excuse ORDER BY 1;
SELECT * FROM sla.kept_parts(3, '-infinity', 'infinity', NULL, true) WHERE department = 'secret';
CREATE FUNCTION leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF $1 NOT IN ('1', '2', 'known to mine') THEN RAISE NOTICE 'told of %', $1; END IF; RETURN true; END $$;
SELECT ticket FROM sla.log_report WHERE source = 'reader' AND leak(ticket) ORDER BY 1;
SELECT count(*) FROM sla.verdict WHERE source = 'reader' AND leak(excuse);
SELECT count(*) FROM sla.breach_report WHERE source = 'reader' AND leak(ticket);
SELECT DISTINCT rule FROM sla.breach_report WHERE source = 'reader' AND leak(CASE WHEN rule <> 'all' THEN rule ELSE '1' END);
SELECT count(*) FROM sla.live_parts('-infinity', 'infinity', '-infinity', false) WHERE source = 'reader' AND leak(CASE WHEN department <> 'mine' THEN department ELSE '1' END);
SELECT count(*) FROM sla.verdict_parts() WHERE source = 'reader' AND leak(CASE WHEN department <> 'mine' THEN department ELSE '1' END);
SELECT department, met, missed FROM sla.compliance('-infinity', 'infinity', '{department,hour}', departments => '{secret}', totals => true);
SELECT count(*) FROM sla.at_risk(0) WHERE department IS DISTINCT FROM 'mine';
SELECT count(*) FROM pg_stats WHERE schemaname = 'sla' AND tablename IN ('log', 'excuse', 'event', 'summary', 'log_verdict_idx', 'log_pkey');
SELECT * FROM sla.event;
SELECT * FROM sla.promise;
SELECT * FROM sla.rule;
SELECT * FROM sla.deadline_change;
SELECT l.ticket, e.from_ts, e.reason FROM sla.log_report AS l, sla.explain_clock(l.id) AS e WHERE l.source = 'reader' ORDER BY 1, 2;
SELECT count(*) FROM generate_series(1, (SELECT max(id) + 20 FROM sla.log_report)) AS i, sla.explain_clock(i) WHERE NOT EXISTS (SELECT FROM sla.log_report AS l WHERE l.id = i);
SELECT count(*) FROM sla.clock_stop AS s WHERE NOT EXISTS (SELECT FROM sla.log_report AS l WHERE l.id = s.log_id);
SELECT count(*) FROM sla.clock_stop WHERE leak(event);
SELECT * FROM sla.verify('reader');
SELECT sla.excuse(1, 'mine');
SELECT last_value FROM sla.log_id_seq;
CREATE VIEW mine AS SELECT * FROM sla.log_report;
SELECT count(*) FROM mine WHERE source = 'reader';
-- As of another moment neither.
SET pg_sla.now = '2024-03-04 12:30';
SELECT ticket, department, state FROM sla.log_report WHERE source = 'reader' ORDER BY 1;
SELECT ticket, department FROM sla.log_as_of() WHERE source = 'reader' ORDER BY 1;
SET pg_sla.now = '2024-03-04 09:30';
SELECT ticket, department, state FROM sla.log_report WHERE source = 'reader' ORDER BY 1;
-- Whether a hidden ticket has changed is not told.
SELECT sla.in_log_now(false, 'reader', '1') AS changed, sla.in_log_now(false, 'reader', '3') AS hidden, sla.in_log_now(false, 'reader', 'none') AS none;
RESET pg_sla.now;
-- One plan, several roles.
SET ROLE reader_test_boss;
EXECUTE shown;
SELECT department, met, missed FROM sla.compliance_report WHERE source = 'reader' ORDER BY 1;
SET ROLE reader_test_agent;
EXECUTE shown;
RESET ROLE;

-- Who writes is not hindered.
INSERT INTO ticket VALUES (5, 'secret', '2024-03-04 09:00', NULL);
SELECT sla.record_event('reader', '3', 'agent_reply', '2024-03-04 11:30');
SELECT * FROM sla.verify('reader');
CALL sla.summarize();
SELECT * FROM sla.check_summaries();
SELECT department, met, missed FROM sla.compliance('2024-03-01', '2024-04-01', '{department}', sources => '{reader}');

-- And no more.
SELECT sla.revoke_reader('reader_test_agent');
SET ROLE reader_test_agent;
SELECT count(*) FROM sla.log_report;
SELECT count(*) FROM sla.excuse;
RESET ROLE;
SELECT sla.revoke_reader('reader_test_boss');
DROP POLICY boss ON sla.log;
DROP POLICY own_department ON sla.log;
ALTER TABLE sla.log DISABLE ROW LEVEL SECURITY;
SELECT sla.untrack('reader');
DELETE FROM sla.rule WHERE source = 'reader';
DELETE FROM sla.level WHERE name = 'reader';
DELETE FROM sla.excuse WHERE source = 'reader';
DELETE FROM sla.log WHERE source = 'reader';
DELETE FROM sla.event WHERE source = 'reader';
DELETE FROM sla.ticket WHERE source = 'reader';
TRUNCATE sla.summary, sla.summary_state, sla.summary_mark;
SET client_min_messages = warning;
DROP SCHEMA reader_test CASCADE;
DROP ROLE reader_test_boss, reader_test_agent, reader_test_nobody;
