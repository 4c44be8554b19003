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
SELECT ticket, agreement, metric, ordinal, reason, excused_by = session_user AS by_me
FROM sla.excuse WHERE source = 'excuse' ORDER BY metric;

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
SELECT count(*) FROM sla.excuse WHERE source = 'excuse';

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
SET client_min_messages = warning;
DROP SCHEMA excuse_test CASCADE;
DROP OWNED BY excuse_clerk;
DROP ROLE excuse_clerk;
