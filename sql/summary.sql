-- Sums kept of past days are exact, whatever happens afterwards.
\set VERBOSITY terse
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
CREATE SCHEMA summary_test;
SET search_path = summary_test;
CREATE TABLE ticket (id int PRIMARY KEY, department text, agent text, state text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('summary', 'Europe/Oslo', 'Mo-Su 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('summary', 'summary');
INSERT INTO sla.target (level, metric, goal) VALUES ('summary', 'first_response', '4 hours'), ('summary', 'resolution', '2 days');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'summary', 1, 'true', 'summary');
SELECT sla.track('summary', 'ticket', 'id', department => 'department', agent => 'agent', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('summary', 'ticket', 'resolved', $$state = 'solved'$$);
CREATE VIEW days AS SELECT day, department, request, met, met_avg, met_max, missed, missed_avg, overrun_avg, excused FROM sla.compliance_report WHERE source = 'summary' ORDER BY day, department, request;
-- The same from nothing but the log.
CREATE VIEW counted AS
	SELECT sla.local_date(calendar, decided_at) AS day, department, metric AS request,
		count(*) FILTER (WHERE verdict = 'met') AS met, avg(elapsed) FILTER (WHERE verdict = 'met') AS met_avg, max(elapsed) FILTER (WHERE verdict = 'met') AS met_max,
		count(*) FILTER (WHERE verdict = 'missed') AS missed, avg(elapsed) FILTER (WHERE verdict = 'missed') AS missed_avg, avg(overrun) AS overrun_avg,
		count(*) FILTER (WHERE excused) AS excused
	FROM sla.verdict WHERE source = 'summary' GROUP BY 1, 2, 3, agent;
CREATE VIEW differences AS (TABLE days EXCEPT ALL TABLE counted) UNION ALL (TABLE counted EXCEPT ALL TABLE days);

INSERT INTO ticket SELECT n, CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, 'x' || n % 2, 'open', timestamptz '2024-03-04 08:00' + n * interval '7 hours' FROM generate_series(1, 20) AS n;
SELECT sla.record_event('summary', n::text, 'agent_reply', timestamptz '2024-03-04 08:00' + n * interval '8 hours') FROM generate_series(1, 14) AS n;
UPDATE ticket SET state = 'solved', updated_at = created_at + interval '30 hours' WHERE id < 12;
TABLE days;
SELECT * FROM differences;

-- Summarise: the same.
CALL sla.summarize('2024-03-08');
SELECT announced, summarized FROM sla.summary_state;
SELECT detail, sum(met) AS met, sum(missed) AS missed FROM sla.summary WHERE source = 'summary' GROUP BY 1 ORDER BY 1;
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();
SELECT source, day FROM sla.summary_mark;
-- And only what is later is read from the log.
UPDATE sla.summary SET met = met + 100 WHERE day = '2024-03-05' AND source = 'summary' AND department = 'a' AND metric = 'first_response' AND detail = 1;
SELECT day, department, met FROM days WHERE day = '2024-03-05' AND request = 'first_response';
SELECT problem, day, department, agent, request, met FROM sla.check_summaries();
CALL sla.summarize('2024-03-08', rebuild => true);
SELECT * FROM sla.check_summaries();

-- A late answer, a late solution, one that is taken back: those days are read from the log again.
SELECT sla.record_event('summary', '15', 'agent_reply', '2024-03-07 15:30');
UPDATE ticket SET state = 'solved', updated_at = '2024-03-30 12:00' WHERE id = 13;
SELECT DISTINCT source, day FROM sla.summary_mark ORDER BY 2;
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();
-- An earlier answer than the one that was known moves a verdict from day to day; a deletion takes none away.
SELECT sla.record_event('summary', '5', 'agent_reply', '2024-03-06 07:30');
DELETE FROM ticket WHERE id = 20;
SELECT * FROM differences;
-- What is later leaves no mark.
INSERT INTO ticket VALUES (30, 'a', 'x1', 'open', '2024-03-20 09:00', NULL);
-- What was long ago does.
INSERT INTO ticket VALUES (31, 'new', 'x1', 'open', '2024-02-01 09:00', NULL);
SELECT DISTINCT source, day FROM sla.summary_mark ORDER BY 2;
SELECT * FROM differences;
CALL sla.summarize('2024-03-08');
SELECT count(*) FROM sla.summary_mark;
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();
-- In a transaction that is taken back.
BEGIN;
SELECT sla.record_event('summary', '6', 'agent_reply', '2024-03-06 07:10');
SAVEPOINT s;
SELECT sla.record_event('summary', '7', 'agent_reply', '2024-03-06 07:10');
ROLLBACK TO s;
SELECT sla.record_event('summary', '7', 'agent_reply', '2024-03-06 07:20');
SELECT * FROM differences;
ROLLBACK;
SELECT count(*) FROM sla.summary_mark;

-- Excuses.
SELECT sla.excuse(id, 'a storm') FROM sla.log WHERE source = 'summary' AND ticket = '18' AND metric = 'first_response';
SELECT sla.excuse(id, 'a storm') FROM sla.log WHERE source = 'summary' AND ticket = '16' AND metric = 'first_response';
SELECT day, sum(excused) AS excused FROM days GROUP BY 1 HAVING sum(excused) > 0 ORDER BY 1;
SELECT missed, excused FROM sla.compliance('2024-03-01', '2024-04-01', '{}', sources => '{summary}');
SELECT missed, excused FROM sla.compliance('2024-03-01', '2024-04-01', '{}', sources => '{summary}', without_excused => true);
CALL sla.summarize();
SELECT * FROM differences;
SELECT missed, excused FROM sla.compliance('2024-03-01', '2024-04-01', '{}', sources => '{summary}');
SELECT missed, excused FROM sla.compliance('2024-03-01', '2024-04-01', '{}', sources => '{summary}', without_excused => true);
SELECT sla.unexcuse(id) FROM sla.log WHERE source = 'summary' AND ticket = '18' AND metric = 'first_response';
SELECT DISTINCT source, day FROM sla.summary_mark ORDER BY 2;
SELECT * FROM differences;
CALL sla.summarize();
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();

-- What ends at an instant that is yet to come: its time counts from then on.
SELECT sla.record_event('summary', '19', 'agent_reply', '2098-01-01 12:00');
CALL sla.summarize();
SELECT DISTINCT source, day FROM sla.summary_mark ORDER BY 2;
SELECT * FROM differences;

-- Purged, it is gone from both.
SELECT sla.purge('2024-03-08', 'summary');
SELECT DISTINCT source, day FROM sla.summary_mark ORDER BY 2;
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();

-- An edit of a calendar makes them void; days may be others.
SELECT sla.set_calendar('summary', 'Pacific/Auckland', 'Mo-Su 08:00-16:00');
SELECT until FROM sla.summary_until();
SELECT * FROM differences;
CALL sla.summarize();
SELECT until > '2024-12-01' AS until FROM sla.summary_until();
SELECT * FROM differences;
SELECT * FROM sla.check_summaries();
-- As of another moment the log is read.
SET pg_sla.now = '2024-03-06 12:00';
SELECT until FROM sla.summary_until();
SELECT * FROM differences;
CALL sla.summarize();
SELECT * FROM sla.check_summaries();
RESET pg_sla.now;

-- What cannot be.
BEGIN;
CALL sla.summarize();
ROLLBACK;
SET default_transaction_isolation = 'repeatable read';
CALL sla.summarize();
RESET default_transaction_isolation;
\set VERBOSITY sqlstate
CALL sla.summarize('2098-01-01');
CALL sla.summarize('-infinity');
SELECT sla.interval_microseconds('1 day');
\set VERBOSITY terse

-- The index by which verdicts are found.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
DO $$
DECLARE line text;
BEGIN
	FOR line IN EXPLAIN (COSTS off) SELECT ticket FROM sla.verdict WHERE decided_at >= '2098-01-01' AND decided_at < '2098-01-02' LOOP
		IF line ~ 'Scan' THEN
			RAISE NOTICE '%', btrim(line);
		END IF;
	END LOOP;
END $$;
RESET enable_seqscan;
RESET enable_bitmapscan;

SELECT sla.untrack('summary');
DELETE FROM sla.rule WHERE source = 'summary';
DELETE FROM sla.level WHERE name = 'summary';
DELETE FROM sla.excuse WHERE source = 'summary';
DELETE FROM sla.log WHERE source = 'summary';
DELETE FROM sla.event WHERE source = 'summary';
DELETE FROM sla.ticket WHERE source = 'summary';
TRUNCATE sla.summary, sla.summary_state, sla.summary_mark;
SET client_min_messages = warning;
DROP SCHEMA summary_test CASCADE;
