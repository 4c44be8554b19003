-- Reports: the log, compliance, the queue.
SET timezone = 'Europe/Oslo';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
CREATE SCHEMA report_test;
SET search_path = report_test;
CREATE TABLE ticket (id int PRIMARY KEY, department text, assignee text, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
CREATE TABLE message (ticket_id int, author text, sent_at timestamptz);
SELECT sla.set_calendar('report office', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
SELECT sla.set_calendar('report once', 'Europe/Oslo', '2024 Mar 4 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('report level', 'report office'), ('report once', 'report once');
INSERT INTO sla.target (level, metric, goal) VALUES ('report level', 'first_response', '4 hours'), ('report level', 'resolution', '2 days'),
	('report once', 'first_response', '20 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('all', 'report', 1, 'id < 100', 'report level'), ('never enough', 'report', 2, 'id >= 100', 'report once');
SELECT sla.track('report', 'ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('report', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('report', 'ticket', 'resolved', $$status = 'solved'$$);
SELECT sla.track_event('report', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');

-- Monday 2024-03-04: 1 answered in time and solved, 2 answered late, 3 never answered, 4 paused in time, 5 paused too late, 6 merged away,
-- 7 solved without an answer while paused, 100 promised more time than its calendar has.
INSERT INTO ticket VALUES
	(1, 'sales', 'ann', 'open', '2024-03-04 09:00', NULL), (2, 'sales', 'bob', 'open', '2024-03-04 09:00', NULL),
	(3, 'support', NULL, 'open', '2024-03-04 10:00', NULL), (4, 'support', 'ann', 'open', '2024-03-04 11:00', NULL),
	(5, 'support', 'ann', 'open', '2024-03-04 08:00', NULL), (6, 'sales', 'ann', 'open', '2024-03-04 09:00', NULL),
	(7, 'sales', 'ann', 'open', '2024-03-04 09:00', NULL), (100, 'sales', 'ann', 'open', '2024-03-04 09:00', NULL);
INSERT INTO message VALUES (1, 'agent', '2024-03-04 10:30'), (2, 'agent', '2024-03-04 15:00'), (1, 'customer', '2024-03-04 11:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-05 09:00' WHERE id = 1;
UPDATE ticket SET status = 'pending', updated_at = '2024-03-04 12:30' WHERE id = 4;
UPDATE ticket SET status = 'pending', updated_at = '2024-03-04 14:00' WHERE id = 5;
UPDATE ticket SET status = 'pending', updated_at = '2024-03-04 11:00' WHERE id = 7;
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 15:00' WHERE id = 7;
SELECT sla.record_event('report', '6', 'merged', '2024-03-04 12:00');

-- At noon on Tuesday.
SET pg_sla.now = '2024-03-05 12:00 Europe/Oslo';
SELECT request, ticket, department, agent, sla_started, deadline, closed, state, sla, elapsed, goal, reason
FROM sla.log_report WHERE source = 'report' ORDER BY ticket::int, request;
SELECT day, department, agent, level, request, met, met_avg, met_max, met_min, missed, missed_avg, missed_max, missed_min, compliance
FROM sla.compliance_report WHERE source = 'report' ORDER BY day, department, agent, request;
SELECT ticket, request, deadline, state, sla FROM sla.queue WHERE source = 'report';

-- Later the same past days have the same counts.
SELECT sla.record_event('report', '3', 'agent_reply', '2024-03-05 13:00');
SET pg_sla.now = '2024-03-08 12:00 Europe/Oslo';
SELECT day, department, agent, request, met, missed, missed_avg FROM sla.compliance_report
WHERE source = 'report' ORDER BY day, department, agent, request;
SELECT ticket, request, state, sla FROM sla.queue WHERE source = 'report';
SELECT * FROM sla.verify('report');

-- The day is that of the calendar's zone: half past midnight in Oslo is the day before in UTC.
SELECT sla.set_calendar('report always', 'Europe/Oslo', '24/7');
UPDATE sla.level SET calendar = 'report always' WHERE name = 'report level';
INSERT INTO ticket VALUES (8, 'night', NULL, 'open', '2024-03-04 23:30', NULL);
INSERT INTO message VALUES (8, 'agent', '2024-03-05 00:30');
SET timezone = 'UTC';
SELECT day, met FROM sla.compliance_report WHERE department = 'night';

-- The queue is read from the index of open clocks, in order; of another moment it cannot be.
RESET pg_sla.now;
SET enable_seqscan = off;
SET enable_sort = off;
DO $$
DECLARE line text;
BEGIN
	FOR line IN EXPLAIN (COSTS off) SELECT ticket, deadline FROM sla.queue LIMIT 50 LOOP
		-- What lies around it depends on the statistics.
		IF line ~ ' on log|Sort Key|Presorted' THEN
			RAISE NOTICE '%', btrim(line);
		END IF;
	END LOOP;
END $$;
RESET enable_seqscan;
RESET enable_sort;

-- Until when holidays are known.
INSERT INTO sla.holiday_set (name) VALUES ('report none'), ('report old'), ('report short'), ('report good');
INSERT INTO sla.holiday (holiday_set, day) VALUES ('report old', '2024-01-01'), ('report short', '2024-03-05'), ('report good', '2030-01-01');
SELECT sla.set_calendar('report holidays', 'Europe/Oslo', 'Mo-Fr 08:00-16:00', '{report none,report old,report short,report good}');
UPDATE sla.level SET calendar = 'report holidays' WHERE name = 'report level';
INSERT INTO ticket VALUES (9, 'sales', 'ann', 'open', '2024-03-04 09:00+01', NULL);
SET pg_sla.now = '2024-03-04 12:00 UTC';
SELECT holiday_set, days, known_until, imported_at, deadlines_beyond, state FROM sla.calendar_health WHERE calendar = 'report holidays' ORDER BY known_until NULLS FIRST;
SELECT source, ticket, request, deadline, holiday_set, known_until FROM sla.deadline_beyond WHERE calendar = 'report holidays';
-- an import that is long past; a set that only a former version uses; sets of the base; none at all
UPDATE sla.holiday_set SET imported_at = '2023-03-04 11:59 UTC', known_from = '2023-01-01', known_to = '2031-01-01' WHERE name = 'report good';
SELECT sla.set_calendar('report holidays', 'Europe/Oslo', 'Mo-Fr 08:00-16:00', '{report good}', '2024-01-02');
SELECT sla.set_calendar('report derived', NULL, 'We off', '{report short}', base => 'report holidays');
SELECT sla.set_calendar('report plain', 'UTC', '24/7');
SELECT calendar, holiday_set, days, known_until, imported_at, deadlines_beyond, state FROM sla.calendar_health WHERE calendar LIKE 'report %' ORDER BY 1, 4 NULLS FIRST;

-- sla.now(): the setting, else the transaction's time.
SELECT sla.now();
RESET pg_sla.now;
SELECT sla.now() = now() AS present;
SET pg_sla.now = 'yesterday-ish';

SELECT sla.untrack('report');
DELETE FROM sla.rule WHERE source = 'report';
DELETE FROM sla.level WHERE name LIKE 'report %';
SET client_min_messages = warning;
DROP SCHEMA report_test CASCADE;
