-- What is told by hand: deadlines and merged tickets; and a deadline written into the ticket.
CREATE SCHEMA record_test;
SET search_path = record_test;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SELECT sla.set_calendar('record office', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('record a', 'record office'), ('record b', 'record office');
INSERT INTO sla.target (level, metric, goal) VALUES
	('record a', 'first_response', '4 hours'), ('record a', 'next_response', '2 hours'), ('record a', 'resolution', '2 days'),
	('record b', 'first_response', '2 hours'), ('record b', 'resolution', '1 day');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('a', 'record', 1, 'true', 'record a'), ('b', 'record', 2, 'urgent', 'record b');
CREATE TABLE ticket (id text PRIMARY KEY, urgent boolean NOT NULL DEFAULT false, status text, due timestamptz, created_at timestamptz, updated_at timestamptz);
SELECT sla.track('record', 'ticket', 'id', created_at => 'created_at', changed_at => 'coalesce(updated_at, created_at)', due_column => 'due');
SELECT sla.track_event('record', 'ticket', 'paused', $$status = 'waiting'$$);
CREATE VIEW clocks AS SELECT ticket, metric, ordinal AS n, level, started_at, counted, deadline, fixed, closed_at, outcome, reason
FROM sla.log WHERE source = 'record' ORDER BY ticket, metric, ordinal;
CREATE VIEW changes AS SELECT ticket, metric, ordinal AS n, former, deadline, reason, changed_by = session_user AS by_me
FROM sla.deadline_change WHERE source = 'record' ORDER BY id;
CREATE FUNCTION clock(ticket text, metric text) RETURNS bigint LANGUAGE sql
	RETURN (SELECT l.id FROM sla.log AS l WHERE l.source = 'record' AND (l.ticket, l.metric) = ($1, $2) AND l.closed_at IS NULL);

-- Set: neither a pause nor another level nor the calendar moves it; the reason is kept.
INSERT INTO ticket (id, created_at) VALUES ('1', '2098-03-03 09:00');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-07 12:00', 'agreed on the telephone', '2098-03-03 10:00');
UPDATE ticket SET status = 'waiting', updated_at = '2098-03-03 11:00' WHERE id = '1';
UPDATE ticket SET status = 'open', urgent = true, updated_at = '2098-03-03 12:00' WHERE id = '1';
BEGIN;
SELECT sla.set_calendar('record office', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT metric, n, level, deadline, fixed, outcome, reason FROM clocks WHERE ticket = '1';
SELECT * FROM sla.verify('record');
ROLLBACK;
SELECT metric, n, level, deadline, fixed, outcome, reason FROM clocks WHERE ticket = '1';
SELECT event, at, agreement, metric, deadline FROM sla.event WHERE source = 'record' AND ticket = '1' AND event = 'deadline_set';
-- Again, and taken back: as of the pauses, and of the level that came meanwhile.
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10 12:00', 'again', '2098-03-03 13:00');
SELECT sla.set_deadline(clock('1', 'resolution'), NULL, 'no longer', '2098-03-03 14:00');
SELECT metric, n, level, deadline, fixed, outcome, reason FROM clocks WHERE ticket = '1' AND metric = 'resolution';
SELECT * FROM changes;
SELECT * FROM sla.verify('record');
-- What arrives late, before it was set.
SELECT sla.record_event('record', '1', 'agent_reply', '2098-03-03 09:30');
SELECT * FROM sla.verify('record');

-- What is refused.
\set VERBOSITY terse
SELECT sla.set_deadline(-1, '2098-03-10', 'x');
SELECT sla.set_deadline(NULL, '2098-03-10', 'x');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10', NULL);
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10', '');
SELECT sla.record_event('record', '1', 'deadline_set');
\set VERBOSITY sqlstate
SELECT sla.set_deadline(clock('1', 'resolution'), NULL, 'was not set');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-03 12:00', 'over', '2098-03-03 15:00');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10 12:00', 'missed by then', '2098-03-09 15:00');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10 12:00', 'before it was there', '2098-03-02 15:00');
SELECT sla.set_deadline(clock('1', 'resolution'), '2098-03-10 12:00', 'never', 'infinity');
SELECT sla.set_deadline((SELECT id FROM sla.log WHERE source = 'record' AND ticket = '1' AND metric = 'first_response' AND closed_at IS NOT NULL LIMIT 1), '2098-03-10', 'ended');
\set VERBOSITY default

-- A fixed clock is missed although it is paused, and reports say so.
INSERT INTO ticket (id, created_at) VALUES ('2', '2024-03-04 09:00');
SELECT sla.set_deadline(clock('2', 'resolution'), '2024-03-05 12:00', 'promised', '2024-03-04 10:00');
UPDATE ticket SET status = 'waiting', updated_at = '2024-03-04 11:00' WHERE id = '2';
SET pg_sla.now = '2024-03-05 11:00';
SELECT request, state, deadline, sla, elapsed FROM sla.log_report WHERE source = 'record' AND ticket = '2' ORDER BY 1;
SET pg_sla.now = '2024-03-05 12:30';
SELECT request, state, deadline, sla, elapsed FROM sla.log_report WHERE source = 'record' AND ticket = '2' ORDER BY 1;
SELECT request, verdict, decided_at FROM (SELECT metric AS request, verdict, decided_at FROM sla.verdict WHERE source = 'record' AND ticket = '2') AS v;
RESET pg_sla.now;
SELECT sla.record_event('record', '2', 'resolved', '2024-03-05 13:00');
SELECT metric, deadline, fixed, outcome FROM clocks WHERE ticket = '2';
SELECT * FROM sla.verify('record');

-- Written into the ticket by its user: the nearest deadline is what was written.
INSERT INTO ticket (id, created_at) VALUES ('3', '2098-03-03 09:00');
SELECT due FROM ticket WHERE id = '3';
UPDATE ticket SET due = '2098-03-03 11:00', updated_at = '2098-03-03 09:30' WHERE id = '3';
SELECT metric, deadline, fixed FROM clocks WHERE ticket = '3';
UPDATE ticket SET due = '2098-03-06 11:00', updated_at = '2098-03-03 09:40' WHERE id = '3';
SELECT due FROM ticket WHERE id = '3';
SELECT metric, deadline, fixed FROM clocks WHERE ticket = '3';
UPDATE ticket SET due = NULL, updated_at = '2098-03-03 09:50' WHERE id = '3';
SELECT due FROM ticket WHERE id = '3';
SELECT metric, deadline, fixed FROM clocks WHERE ticket = '3';
-- The past is no deadline.
UPDATE ticket SET due = '2098-03-03 08:00', updated_at = '2098-03-03 09:55' WHERE id = '3';
SELECT due FROM ticket WHERE id = '3';
SELECT metric, n, former, deadline, reason FROM changes WHERE ticket = '3';
SELECT * FROM sla.verify('record');

-- Nor is one that would have been set before what is known, and is over by then.
INSERT INTO ticket (id, created_at) VALUES ('8', '2024-03-04 09:00');
SELECT sla.record_event('record', '8', 'agent_reply', '2024-03-11 09:00');
UPDATE ticket SET due = '2024-03-08 09:00', updated_at = '2024-03-04 12:00' WHERE id = '8';
SELECT due FROM ticket WHERE id = '8';
SELECT metric, deadline, fixed FROM clocks WHERE ticket = '8';

-- Merged: what is open is cancelled, with a link.
INSERT INTO ticket (id, created_at) VALUES ('4', '2098-03-03 08:00'), ('5', '2098-03-03 09:00'), ('6', '2098-03-03 10:00'), ('7', '2098-03-03 08:30');
UPDATE ticket SET status = 'waiting', updated_at = '2098-03-03 08:15' WHERE id = '4';
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 08:45' WHERE id = '4';
SELECT sla.merge('record', '4', '5', at => '2098-03-03 11:00', agent => 'ann');
SELECT ticket, metric, n, started_at, outcome, reason FROM clocks WHERE ticket IN ('4', '5');
SELECT event, other, agent FROM sla.event WHERE source = 'record' AND ticket = '4' AND event = 'merged';
SELECT due FROM ticket WHERE id = '4';
-- Undone, and with the earlier start, its pause carried over.
SELECT sla.record_event('record', '4', 'unmerged', '2098-03-03 11:30');
SELECT sla.merge('record', '4', '6', inherit_start => true, at => '2098-03-03 12:00');
SELECT ticket, metric, n, started_at, counted, deadline, outcome, reason FROM clocks WHERE ticket IN ('4', '6');
SELECT due FROM ticket WHERE id = '6';
-- A question that is open there is one here.
SELECT sla.record_event('record', '7', 'agent_reply', '2098-03-03 09:00'), sla.record_event('record', '7', 'customer_message', '2098-03-03 09:30');
SELECT sla.record_event('record', '5', 'agent_reply', '2098-03-03 09:30');
SELECT sla.merge('record', '7', '5', true, '2098-03-03 10:00');
SELECT ticket, metric, n, started_at, counted, deadline, outcome, reason FROM clocks WHERE ticket = '5';
SELECT * FROM sla.verify('record');
SELECT e.* FROM sla.log AS l, sla.explain_clock(l.id) AS e WHERE source = 'record' AND ticket = '4' AND metric = 'resolution' AND ordinal = 2;
\set VERBOSITY terse
SELECT sla.merge('record', '4', '4');
SELECT sla.merge('record', '4', 'nowhere');
SELECT sla.merge('nowhere', '4', '5');
SELECT sla.merge('record', '4', NULL);
\set VERBOSITY default

-- A key that changes takes along what belongs to it.
SELECT sla.excuse(id, 'x') FROM sla.log WHERE source = 'record' AND ticket = '2' AND metric = 'resolution';
INSERT INTO sla.problem (source, ticket, sqlstate, message) VALUES ('record', '2', '22012', 'x');
INSERT INTO sla.promise_change (source, ticket, event, at, reason, changed_by) VALUES ('record', '2', 1, '2024-03-04', 'x', 'y');
UPDATE ticket SET id = '2b' WHERE id = '2';
SELECT (SELECT count(*) FROM sla.excuse WHERE source = 'record' AND ticket = '2b') AS excuses, (SELECT count(*) FROM changes WHERE ticket = '2b') AS changes,
	(SELECT count(*) FROM sla.problem WHERE source = 'record' AND ticket = '2b') AS problems, (SELECT count(*) FROM sla.promise_change WHERE source = 'record' AND ticket = '2b') AS promises;
DELETE FROM sla.problem WHERE source = 'record';
DELETE FROM sla.promise_change WHERE source = 'record';
SELECT * FROM sla.verify('record');

DELETE FROM sla.excuse WHERE source = 'record';
SELECT sla.untrack('record');
DELETE FROM sla.rule WHERE source = 'record';
DELETE FROM sla.level WHERE name LIKE 'record %';
SET client_min_messages = warning;
DROP SCHEMA record_test CASCADE;
