-- Excuses: a miss that is forgiven.
CREATE SCHEMA excuse_test;
SET search_path = excuse_test;
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SELECT sla.set_calendar('excuse always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('excuse sla', 'excuse always');
INSERT INTO sla.target (level, metric, goal) VALUES ('excuse sla', 'first_response', '1 hour'), ('excuse sla', 'resolution', '2 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'excuse', 1, 'true', 'excuse sla');
CREATE TABLE ticket (id text PRIMARY KEY, created_at timestamptz);
SELECT sla.track('excuse', 'ticket', 'id', created_at => 'created_at');

INSERT INTO ticket VALUES ('a', '2024-03-04 09:00'), ('b', '2098-03-04 09:00');
SELECT sla.record_event('excuse', 'a', 'agent_reply', '2024-03-04 11:00');
SELECT sla.record_event('excuse', 'b', 'agent_reply', '2098-03-04 09:30');
CREATE FUNCTION clock(ticket text, metric text) RETURNS bigint LANGUAGE sql
	RETURN (SELECT l.id FROM sla.log AS l WHERE l.source = 'excuse' AND (l.ticket, l.metric) = ($1, $2));

-- A closed one, and an open one that is overdue.
SELECT sla.excuse(clock('a', 'first_response'), 'the telephone was down');
SELECT sla.excuse(clock('a', 'resolution'), 'still down');
-- Again: another reason.
SELECT sla.excuse(clock('a', 'first_response'), 'the line was cut');
SELECT ticket, agreement, metric, missed_at, reason, excused_by = session_user AS by_me
FROM sla.excuse WHERE source = 'excuse' AND revoked_at IS NULL ORDER BY metric;

-- Not a miss: met, and not over yet.
\set VERBOSITY sqlstate
SELECT sla.excuse(clock('b', 'first_response'), 'met');
SELECT sla.excuse(clock('b', 'resolution'), 'not over yet');
SELECT sla.excuse(-1, 'no such clock');
SELECT sla.unexcuse(clock('b', 'resolution'));
\set VERBOSITY default
SELECT sla.excuse(clock('a', 'resolution'), '');
SELECT sla.excuse(clock('a', 'resolution'), NULL) IS NULL AS nothing;
SET pg_sla.now = '2098-03-05 00:00';
SELECT sla.excuse(clock('b', 'resolution'), 'as of that day');
RESET pg_sla.now;
SELECT sla.unexcuse(clock('b', 'resolution'));

-- The verdict stays, and the log is still what its events give.
SELECT ticket, request, state FROM sla.log_report WHERE source = 'excuse' ORDER BY ticket, request;
SELECT * FROM sla.verify('excuse');

SELECT sla.unexcuse(clock('a', 'first_response')), sla.unexcuse(clock('a', 'resolution'));
SELECT count(*) FROM sla.log_report WHERE source = 'excuse' AND (excused OR excuse IS NOT NULL);
-- What was said stays.
SELECT metric, reason, revoked_at IS NOT NULL AS revoked, revoked_by = session_user AS by_me FROM sla.excuse WHERE source = 'excuse' ORDER BY id;
-- Given and taken back at one moment.
BEGIN;
SELECT sla.excuse(clock('a', 'first_response'), 'x'), sla.unexcuse(clock('a', 'first_response')), sla.excuse(clock('a', 'first_response'), 'y');
SELECT reason FROM sla.excuse WHERE source = 'excuse' AND revoked_at IS NULL;
SELECT excuse FROM sla.log_report WHERE source = 'excuse' AND excused;
ROLLBACK;

-- An excuse stays with the clock that it was given for, whatever comes late and puts others before it.
INSERT INTO sla.target (level, metric, goal) VALUES ('excuse sla', 'next_response', '1 hour');
INSERT INTO ticket VALUES ('c', '2024-03-04 09:00');
SELECT sla.record_event('excuse', 'c', event, at::timestamptz) FROM (VALUES ('agent_reply', '2024-03-04 09:30'),
	('customer_message', '2024-03-04 12:00'), ('agent_reply', '2024-03-04 14:00'), ('customer_message', '2024-03-04 16:00'),
	('agent_reply', '2024-03-04 18:00')) AS v (event, at);
CREATE VIEW excused AS SELECT request, ordinal AS n, sla_started, deadline, closed, state, excused, excuse
FROM sla.log_report WHERE source = 'excuse' AND ticket = 'c' AND request <> 'first_response' ORDER BY request, ordinal;
SELECT sla.excuse(id, 'of noon') FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'next_response' AND ordinal = 1;
SELECT * FROM excused;
CALL sla.summarize('2024-04-01');
-- Before it: a question and its answer.
SELECT sla.record_event('excuse', 'c', 'customer_message', '2024-03-04 10:00'), sla.record_event('excuse', 'c', 'agent_reply', '2024-03-04 11:30');
SELECT * FROM excused;
SELECT day, request, missed, excused FROM sla.compliance_report WHERE source = 'excuse' AND request = 'next_response';
SELECT * FROM sla.check_summaries();
-- After it, and within: asked earlier than was known, answered earlier but too late all the same, waited for.
SELECT sla.record_event('excuse', 'c', event, at::timestamptz) FROM (VALUES ('customer_message', '2024-03-04 14:30'), ('agent_reply', '2024-03-04 15:00'),
	('customer_message', '2024-03-04 11:50'), ('agent_reply', '2024-03-04 13:30'), ('paused', '2024-03-04 11:55'), ('resumed', '2024-03-04 12:10')) AS v (event, at);
SELECT * FROM excused;
-- Answered in time after all: there is no miss to forgive; and again there is.
BEGIN;
SELECT sla.record_event('excuse', 'c', 'agent_reply', '2024-03-04 12:30');
SELECT * FROM excused WHERE n IN (2, 3);
SELECT count(*) FROM sla.excuse WHERE source = 'excuse' AND ticket = 'c';
DELETE FROM sla.event WHERE source = 'excuse' AND ticket = 'c' AND at = '2024-03-04 12:30';
SELECT sla.rebuild('excuse', '{c}');
SELECT * FROM excused WHERE n IN (2, 3);
ROLLBACK;
-- As it was known before: the excuse is of that day, and so is the question that came late.
UPDATE sla.event SET recorded_at = at WHERE source = 'excuse' AND ticket = 'c';
UPDATE sla.event SET recorded_at = '2024-03-06 09:00' WHERE source = 'excuse' AND ticket = 'c' AND at IN ('2024-03-04 10:00', '2024-03-04 11:30');
UPDATE sla.excuse SET excused_at = '2024-03-05 09:00' WHERE source = 'excuse' AND ticket = 'c';
UPDATE sla.source SET tracked_since = '2024-01-01' WHERE name = 'excuse';
SET pg_sla.now = '2024-03-05 10:00';
SELECT * FROM excused WHERE request = 'next_response';
SET pg_sla.now = '2024-03-05 08:00';
SELECT * FROM excused WHERE request = 'next_response' AND excused;
RESET pg_sla.now;
-- The log written anew, and other goals.
DELETE FROM sla.log WHERE source = 'excuse' AND ticket = 'c';
SELECT sla.rebuild('excuse', '{c}');
SELECT * FROM excused WHERE excused;
UPDATE sla.target SET goal = '30 minutes' WHERE level = 'excuse sla' AND metric = 'next_response';
SELECT metric, ordinal, deadline FROM sla.recalculate('excuse', '{c}', closed => true, apply => true);
SELECT * FROM excused WHERE excused;
SELECT sla.backfill('excuse');
SELECT * FROM excused WHERE excused;
-- The resolution of a reopened ticket is two rows; each has its own excuse, and late events between them take none away.
SELECT sla.record_event('excuse', 'c', 'resolved', '2024-03-04 20:00'), sla.record_event('excuse', 'c', 'reopened', '2024-03-05 08:00'),
	sla.record_event('excuse', 'c', 'resolved', '2024-03-05 09:00'), sla.record_event('excuse', 'c', 'reopened', '2024-03-06 08:00');
SELECT sla.excuse(id, 'reopened ' || ordinal) FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'resolution' AND ordinal IN (2, 3);
SELECT * FROM excused WHERE request = 'resolution';
SELECT sla.record_event('excuse', 'c', 'resolved', '2024-03-04 18:30'), sla.record_event('excuse', 'c', 'reopened', '2024-03-04 19:00');
SELECT * FROM excused WHERE request = 'resolution';
SELECT sla.excuse(id, 'the third') FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'resolution' AND ordinal = 3;
SELECT sla.unexcuse(id) FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'resolution' AND ordinal = 4;
-- Two that become one: the later one counts, and a clock has one row in each report.
SELECT sla.excuse(id, 'of the afternoon') FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'next_response' AND ordinal = 4;
SELECT * FROM excused;
BEGIN;
DELETE FROM sla.event WHERE source = 'excuse' AND ticket = 'c' AND event = 'agent_reply' AND at > '2024-03-04 12:00' AND at < '2024-03-04 16:00';
SELECT sla.rebuild('excuse', '{c}');
SELECT * FROM excused WHERE request = 'next_response';
SELECT sla.unexcuse(id) FROM sla.log WHERE source = 'excuse' AND ticket = 'c' AND metric = 'next_response' AND ordinal = 2;
SELECT count(*) FROM sla.excuse WHERE source = 'excuse' AND ticket = 'c' AND metric = 'next_response' AND revoked_at IS NULL;
ROLLBACK;
-- Where the very deadline is too late.
BEGIN;
UPDATE sla.metric SET equality_is_met = false WHERE name = 'first_response';
INSERT INTO ticket VALUES ('equal', '2024-03-04 09:00');
SELECT sla.record_event('excuse', 'equal', 'agent_reply', '2024-03-04 10:00');
SELECT sla.excuse(clock('equal', 'first_response'), 'by a second');
SELECT state, excused, excuse FROM sla.log_report WHERE source = 'excuse' AND ticket = 'equal' AND request = 'first_response';
ROLLBACK;
SELECT * FROM sla.check_summaries();
SELECT * FROM sla.verify('excuse');
DELETE FROM sla.excuse WHERE source = 'excuse';

-- Who may: nobody, unless granted; then under the name of the role.
CREATE ROLE excuse_clerk;
GRANT USAGE ON SCHEMA sla, excuse_test TO excuse_clerk;
SELECT clock('a', 'resolution') AS resolution \gset
SET ROLE excuse_clerk;
SELECT sla.excuse(:resolution, 'x');
SELECT sla.unexcuse(:resolution);
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.excuse TO excuse_clerk;
SET ROLE excuse_clerk;
SELECT sla.excuse(:resolution, 'by the clerk');
RESET ROLE;
SELECT reason, excused_by FROM sla.excuse WHERE source = 'excuse';

DELETE FROM sla.excuse WHERE source = 'excuse';
SELECT sla.untrack('excuse');
DELETE FROM sla.rule WHERE source = 'excuse';
DELETE FROM sla.level WHERE name = 'excuse sla';
DELETE FROM sla.log WHERE source = 'excuse';
DELETE FROM sla.event WHERE source = 'excuse';
DELETE FROM sla.ticket WHERE source = 'excuse';
DELETE FROM sla.promise WHERE calendar = 'excuse always';
DELETE FROM sla.calendar WHERE name = 'excuse always';
TRUNCATE sla.summary, sla.summary_state, sla.summary_mark;
SET client_min_messages = warning;
DROP SCHEMA excuse_test CASCADE;
DROP OWNED BY excuse_clerk;
DROP ROLE excuse_clerk;
