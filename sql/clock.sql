-- Clocks: events in, log out.
\set VERBOSITY terse
SET timezone = 'UTC';
CREATE SCHEMA clock_test;
SET search_path = clock_test;
CREATE TABLE ticket (id text PRIMARY KEY, kind text NOT NULL DEFAULT 'plain', created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('clock office', 'UTC', 'Mo-Fr 08:00-16:00');
SELECT sla.set_calendar('clock always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES
	('clock sla', 'clock office', 'customer'), ('clock ola', 'clock always', 'operational'), ('clock uc', 'clock always', 'supplier');
INSERT INTO sla.target (level, metric, goal) VALUES
	('clock sla', 'first_response', '4 hours'), ('clock sla', 'next_response', '2 hours'), ('clock sla', 'resolution', '2 days 1 hour'),
	('clock ola', 'resolution', '12 hours'), ('clock uc', 'total_resolution', '3 days');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('sla', 'clock', 1, 'true', 'clock sla'), ('ola', 'clock', 2, $$kind = 'three'$$, 'clock ola'), ('uc', 'clock', 3, $$kind = 'three'$$, 'clock uc');
SELECT sla.track('clock', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at');
CREATE VIEW clocks AS
SELECT ticket, agreement, metric, ordinal AS n, cycle, started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed
FROM sla.log WHERE source = 'clock' ORDER BY ticket, agreement, metric, ordinal;

-- Arguments of record_event.
\set VERBOSITY default
SELECT sla.record_event(NULL, 'a', 'created');
SELECT sla.record_event('clock', NULL, 'created');
SELECT sla.record_event('clock', 'a', NULL);
SELECT sla.record_event('clock', 'a', '');
SELECT sla.record_event('nowhere', 'a', 'created');
SELECT sla.record_event('clock', 'nobody', 'agent_reply');
SELECT sla.record_event('clock', 'a', 'created', 'infinity');
\set VERBOSITY terse
SELECT count(*) FROM sla.event WHERE source = 'clock';

-- Monday 2024-03-04. The same events, told in three orders, give one log.
INSERT INTO ticket VALUES ('a', 'plain', '2024-03-04 09:00'), ('b', 'plain', '2024-03-04 09:00'), ('c', 'plain', '2024-03-04 09:00');
CREATE TABLE life (n serial, event text, at timestamptz);
INSERT INTO life (event, at) VALUES
	('customer_message', '2024-03-04 09:00'), ('paused', '2024-03-04 10:00'), ('resumed', '2024-03-04 11:00'),
	('agent_reply', '2024-03-04 13:30'), ('customer_message', '2024-03-04 14:00'), ('customer_message', '2024-03-04 14:30'),
	('paused', '2024-03-04 15:30'), ('resumed', '2024-03-05 09:00'), ('agent_reply', '2024-03-05 09:30'),
	('resolved', '2024-03-05 10:00'), ('reopened', '2024-03-05 12:00'), ('resolved', '2024-03-06 09:00');
CREATE FUNCTION live(ticket text, descending boolean, modulo int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE e record; n bigint := 0;
BEGIN
	FOR e IN SELECT * FROM life ORDER BY life.n % modulo, CASE WHEN descending THEN -life.n ELSE life.n END LOOP
		PERFORM sla.record_event('clock', ticket, e.event, e.at);
		n := n + 1;
	END LOOP;
	RETURN n;
END $$;
SELECT live('a', false, 1), live('b', true, 1), live('c', true, 5);
SELECT * FROM clocks WHERE ticket = 'a';
SELECT count(*) AS different FROM clocks a FULL JOIN clocks b
	ON b.ticket <> 'a' AND (a.metric, a.n) = (b.metric, b.n)
		AND (a.cycle, a.started_at, a.counted, a.deadline, a.closed_at, a.outcome, a.elapsed) = (b.cycle, b.started_at, b.counted, b.deadline, b.closed_at, b.outcome, b.elapsed)
WHERE a.ticket = 'a' AND b.ticket IS NULL OR b.ticket IN ('b', 'c') AND a.ticket IS NULL;
-- Anyone can compute the elapsed time and the deadline again.
SELECT count(*) FILTER (WHERE elapsed <> sla.business_time(calendar, counted)) AS elapsed_wrong,
	count(*) FILTER (WHERE deadline <> sla.clock_deadline(calendar, started_at, goal, counted, running_since, closed_at)) AS deadline_wrong,
	count(*)
FROM sla.log WHERE source = 'clock';

-- A late reply takes a miss away when it was given in time; the row that it makes needless goes.
INSERT INTO ticket VALUES ('late', 'plain', '2024-03-04 09:00');
SELECT sla.record_event('clock', 'late', 'agent_reply', '2024-03-04 14:00');
SELECT sla.record_event('clock', 'late', 'customer_message', '2024-03-04 15:00');
SELECT metric, n, closed_at, outcome FROM clocks WHERE ticket = 'late';
SELECT sla.record_event('clock', 'late', 'agent_reply', '2024-03-04 10:00');
SELECT metric, n, closed_at, outcome FROM clocks WHERE ticket = 'late';
SELECT sla.record_event('clock', 'late', 'merged', '2024-03-04 14:30');
SELECT metric, n, closed_at, outcome, reason FROM clocks WHERE ticket = 'late';

-- Agreements are independent of each other.
INSERT INTO ticket VALUES ('three', 'three', '2024-03-04 09:00');
SELECT sla.record_event('clock', 'three', 'paused', '2024-03-04 10:00');
SELECT sla.record_event('clock', 'three', 'resumed', '2024-03-04 12:00');
SELECT sla.record_event('clock', 'three', 'resolved', '2024-03-05 00:00');
SELECT agreement, metric, counted, deadline, outcome, elapsed FROM clocks WHERE ticket = 'three';

-- A metric of one's own, and one that is another than the built-in.
INSERT INTO sla.metric (name, starts_on, stops_on, repeats) VALUES ('clock parts', '{parts_ordered}', '{parts_came}', true);
INSERT INTO sla.target (level, metric, goal) VALUES ('clock sla', 'clock parts', '1 day');
INSERT INTO ticket VALUES ('own', 'plain', '2024-03-04 09:00');
SELECT sla.record_event('clock', 'own', 'parts_ordered', '2024-03-04 10:00');
SELECT sla.record_event('clock', 'own', 'parts_came', '2024-03-05 10:00');
SELECT sla.record_event('clock', 'own', 'parts_ordered', '2024-03-06 10:00');
SELECT sla.record_event('clock', 'own', 'parts_came', '2024-03-07 10:01');
SELECT n, cycle, deadline, outcome FROM clocks WHERE ticket = 'own' AND metric = 'clock parts';

-- Calendars: an edit moves the deadlines of open clocks, in the same transaction, and no verdict.
SELECT sla.set_calendar('clock far', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('clock far', 'clock far');
INSERT INTO sla.target (level, metric, goal) VALUES ('clock far', 'first_response', '4 hours'), ('clock far', 'resolution', '2 days');
UPDATE sla.rule SET set_level = 'clock far' WHERE source = 'clock' AND name = 'sla';
-- Wednesday in 2098, so that it is not over while this is tested; and one that was missed long ago.
INSERT INTO ticket VALUES ('future', 'plain', '2098-01-01 09:00'), ('past', 'plain', '2024-03-04 09:00'), ('met', 'plain', '2024-03-04 09:00');
SELECT sla.record_event('clock', 'met', 'agent_reply', '2024-03-04 13:00');
SELECT ticket, metric, deadline, outcome FROM clocks WHERE ticket IN ('future', 'past', 'met');
BEGIN;
SELECT sla.set_calendar('clock far', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT ticket, metric, deadline, outcome FROM clocks WHERE ticket IN ('future', 'past', 'met');
SELECT * FROM sla.verify('clock');
ROLLBACK;
SELECT ticket, metric, deadline, outcome FROM clocks WHERE ticket = 'future';
INSERT INTO sla.holiday_set VALUES ('clock days');
SELECT sla.set_calendar('clock far', 'UTC', 'Mo-Fr 08:00-16:00', '{clock days}');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('clock days', '2098-01-01', 'New Year'), ('clock days', '2024-03-04', 'was none');
SELECT ticket, metric, deadline, outcome FROM clocks WHERE ticket IN ('future', 'past', 'met');
SELECT * FROM sla.verify('clock');
-- What was missed stays missed by its deadline of then, when it is answered later.
SELECT sla.record_event('clock', 'past', 'agent_reply', '2024-03-05 09:00');
SELECT ticket, metric, deadline, closed_at, outcome, elapsed FROM clocks WHERE ticket = 'past';
SELECT sla.record_event('clock', 'met', 'resolved', '2024-03-05 09:00');
SELECT ticket, metric, deadline, closed_at, outcome, elapsed FROM clocks WHERE ticket = 'met';
DELETE FROM sla.holiday WHERE holiday_set = 'clock days';
SELECT ticket, metric, deadline FROM clocks WHERE ticket = 'future';
SELECT * FROM sla.verify('clock');
-- In a REPEATABLE READ transaction a calendar is as it is now.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM sla.verify('clock');
SELECT sla.record_event('clock', 'future', 'customer_message', '2098-01-01 09:00');
COMMIT;

-- A goal that changes leaves the clocks that were promised the former one.
UPDATE sla.target SET goal = '1 hour' WHERE level = 'clock far' AND metric = 'first_response';
SELECT metric, deadline FROM clocks WHERE ticket = 'future';
SELECT * FROM sla.verify('clock');
INSERT INTO ticket VALUES ('future 2', 'plain', '2098-01-01 09:00');
SELECT metric, deadline FROM clocks WHERE ticket = 'future 2';

-- Goals by condition: the same level with another goal.
INSERT INTO sla.target (level, metric, goal, condition, position) VALUES ('clock far', 'resolution', '1 day', $$kind = 'quick'$$, -1);
UPDATE ticket SET kind = 'quick', updated_at = '2098-01-01 09:30' WHERE id = 'future 2';
SELECT metric, n, cycle, deadline, outcome, reason FROM clocks WHERE ticket = 'future 2';

-- What verify sees.
CREATE FUNCTION tampered(change text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
	EXECUTE 'UPDATE sla.log SET ' || change || ' WHERE source = ''clock'' AND ticket = ''a'' AND metric = ''first_response''';
	FOR v IN SELECT * FROM sla.verify('clock') LOOP
		RETURN NEXT format('%s %s %s: %s, logged %s, expected %s', v.ticket, v.metric, v.ordinal, v.problem, v.logged, v.expected);
	END LOOP;
	RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'undone';
EXCEPTION WHEN SQLSTATE 'P0001' THEN
	RETURN;
END $$;
SELECT * FROM unnest(ARRAY[
	'level = ''x''', 'calendar = ''clock always''', 'goal = ''4 hours 1 second''', 'started_at = started_at + interval ''1 microsecond''',
	'counted = ''{}''', 'deadline = deadline + interval ''1 microsecond''', 'outcome = ''missed''', 'closed_at = closed_at + interval ''1 second''',
	'reason = ''x''', 'department = ''x''', 'agent = ''x''', 'elapsed = ''1 hour''', 'cycle = 2', 'ordinal = 2',
	'outcome = NULL, closed_at = NULL, running_since = started_at']) AS change,
	LATERAL tampered(change);
DELETE FROM sla.log WHERE source = 'clock' AND ticket = 'a' AND metric = 'resolution' AND ordinal = 1;
SELECT ticket, metric, ordinal, problem FROM sla.verify('clock');
-- The next event puts it right.
SELECT sla.record_event('clock', 'a', 'customer_message', '2024-03-06 09:30');
SELECT ticket, metric, ordinal, problem FROM sla.verify('clock');

-- Where the time of a clock went; what counted adds up to what elapsed.
SELECT e.* FROM sla.log AS l, sla.explain_clock(l.id) AS e WHERE source = 'clock' AND ticket = 'a' AND metric = 'resolution' AND ordinal = 2;
SET pg_sla.now = '2024-03-06 12:00 UTC';
SELECT l.ticket, l.metric, l.ordinal FROM sla.log_report AS r JOIN sla.log AS l USING (id), LATERAL (SELECT coalesce(sum(business_time), '0') AS counted FROM sla.explain_clock(l.id)) AS e
WHERE l.source = 'clock' AND l.calendar <> 'clock far' AND l.started_at < sla.now() AND coalesce(l.closed_at, '-infinity') < sla.now() AND e.counted <> r.elapsed;
RESET pg_sla.now;
SELECT count(*) FROM sla.explain_clock(-1);

-- The deadline of a clock, and whether it is missed, for NULL and for pauses.
SELECT sla.clock_deadline('clock office', NULL, '1 hour', '{}', NULL) IS NULL AS null_start,
	sla.clock_deadline(NULL, '2024-03-04 09:00', '1 hour', '{}', NULL) IS NULL AS null_calendar,
	sla.clock_deadline('clock office', '2024-03-04 09:00', '1 hour', '{}', NULL) AS paused_from_the_start,
	sla.clock_deadline('clock office', '2024-03-04 09:00', '1 hour', '{}', '2024-03-04 10:00') AS resumed,
	sla.clock_deadline('clock office', 'infinity', '1 hour', '{}', NULL) AS never;
SELECT sla.clock_deadline('clock office', '2024-03-04 09:00', '1 month', '{}', NULL);
SELECT sla.clock_deadline('clock office', '2024-03-04 09:00', '1 hour', '{[2024-03-04 09:00,)}', NULL);
SELECT sla.clock_deadline('nowhere', '2024-03-04 09:00', '1 hour', '{}', NULL);
SELECT running, counted, as_of, sla.clock_missed('2024-03-04 12:00', counted::tstzmultirange, running::timestamptz, as_of::timestamptz)
FROM (VALUES (NULL, '{}', '2024-03-05 00:00'), ('2024-03-04 09:00', '{}', '2024-03-04 12:00'), ('2024-03-04 09:00', '{}', '2024-03-04 12:01'),
	(NULL, '{[2024-03-04 09:00,2024-03-04 12:00)}', '2024-03-05 00:00'), (NULL, '{[2024-03-04 09:00,2024-03-04 12:01)}', '2024-03-05 00:00'),
	(NULL, '{[2024-03-04 09:00,2024-03-04 12:01)}', '2024-03-04 12:00')) AS v (running, counted, as_of);

SELECT sla.untrack('clock');
DELETE FROM sla.rule WHERE source = 'clock';
DELETE FROM sla.level WHERE name LIKE 'clock %';
DELETE FROM sla.metric WHERE name = 'clock parts';
SET client_min_messages = warning;
DROP SCHEMA clock_test CASCADE;
