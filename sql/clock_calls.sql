-- Chats and calls: answer times from tables of their own, by calendars of their own.
CREATE SCHEMA clock_calls;
SET search_path = clock_calls;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SELECT sla.set_calendar('calls office', 'UTC', 'Mo-Fr 08:00-16:00'), sla.set_calendar('calls line', 'UTC', 'Mo-Sa 07:00-20:00'),
	sla.set_calendar('calls desk', 'UTC', 'Mo-Su 06:00-24:00');
INSERT INTO sla.level (name, calendar) VALUES ('calls mail', 'calls office'), ('calls call', 'calls line'), ('calls chat', 'calls desk');
INSERT INTO sla.target (level, metric, goal) VALUES
	('calls mail', 'first_response', '4 hours'), ('calls mail', 'call_response', '1 hour'),
	('calls call', 'call_response', '20 seconds'), ('calls chat', 'chat_response', '1 minute');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('mail', 'calls ticket', 1, 'true', 'calls mail'), ('call', 'calls call', 1, 'true', 'calls call'), ('chat', 'calls chat', 1, 'true', 'calls chat');
-- A call is missed where nobody picks it up: what the switchboard says of it is a column.
CREATE TABLE call (id int PRIMARY KEY, ticket int, queue text, agent text, state text NOT NULL DEFAULT 'ringing',
	rang_at timestamptz NOT NULL, picked_up_at timestamptz, hung_up_at timestamptz);
CREATE TABLE chat (id int PRIMARY KEY, started_at timestamptz NOT NULL, answered_at timestamptz, left_at timestamptz);
CREATE TABLE ticket (id int PRIMARY KEY, created_at timestamptz NOT NULL);
SELECT sla.track('calls call', 'call', 'id', department => 'queue', agent => 'agent', created_at => 'rang_at',
	changed_at => 'coalesce(hung_up_at, picked_up_at, rang_at)');
SELECT sla.track_event('calls call', 'call', 'call_started', 'true', at => 'rang_at');
SELECT sla.track_event('calls call', 'call', 'call_answered', 'picked_up_at IS NOT NULL', at => 'picked_up_at', agent => 'agent');
SELECT sla.track_event('calls call', 'call', 'call_abandoned', $$state = 'given up'$$, at => 'hung_up_at');
SELECT sla.track('calls chat', 'chat', 'id', created_at => 'started_at', changed_at => 'coalesce(left_at, answered_at, started_at)');
SELECT sla.track_event('calls chat', 'chat', 'chat_started', 'true', at => 'started_at');
SELECT sla.track_event('calls chat', 'chat', 'chat_answered', 'answered_at IS NOT NULL', at => 'answered_at');
SELECT sla.track_event('calls chat', 'chat', 'chat_abandoned', 'left_at IS NOT NULL AND answered_at IS NULL', at => 'left_at');
CREATE VIEW clocks AS
SELECT source, ticket, metric, ordinal AS n, department, agent, started_at, deadline, closed_at, outcome, reason, elapsed
FROM sla.log WHERE source LIKE 'calls %' ORDER BY source, ticket::int, metric, ordinal;

-- Friday 2024-03-08: in time, at the very deadline, too late; given up in time and after it; picked up at the very instant
-- at which it rings, which comes before it.
INSERT INTO call (id, queue, rang_at) SELECT n, 'support', '2024-03-08 10:00' FROM generate_series(1, 6) AS n;
UPDATE call SET state = 'talking', agent = 'ann', picked_up_at = '2024-03-08 10:00:05' WHERE id = 1;
UPDATE call SET state = 'talking', agent = 'ann', picked_up_at = '2024-03-08 10:00:20' WHERE id = 2;
UPDATE call SET state = 'talking', agent = 'bob', picked_up_at = '2024-03-08 10:00:20.000001' WHERE id = 3;
UPDATE call SET state = 'given up', hung_up_at = '2024-03-08 10:00:19' WHERE id = 4;
UPDATE call SET state = 'given up', hung_up_at = '2024-03-08 10:00:50' WHERE id = 5;
UPDATE call SET state = 'talking', agent = 'bob', picked_up_at = '2024-03-08 10:00' WHERE id = 6;
-- Told when they are over: answered, given up; and one that rings before the line opens on Saturday, and is picked up then.
INSERT INTO call (id, queue, agent, state, rang_at, picked_up_at, hung_up_at) VALUES
	(7, 'support', 'ann', 'over', '2024-03-08 10:00', '2024-03-08 10:00:21', '2024-03-08 10:05'),
	(8, 'support', NULL, 'given up', '2024-03-08 10:00', NULL, '2024-03-08 10:00:10'),
	(9, 'sales', 'ann', 'over', '2024-03-09 06:59', '2024-03-09 07:00:15', '2024-03-09 07:02');
-- Nobody picks it up: it is missed from the deadline on, whatever is told of it later.
INSERT INTO call (id, queue, rang_at) VALUES (10, 'sales', '2024-03-08 19:59:50');
SELECT * FROM clocks WHERE source = 'calls call';
SET pg_sla.now = '2024-03-09 07:00:10';
SELECT ticket, state, deadline, sla FROM sla.log_report WHERE source = 'calls call' AND ticket = '10';
SET pg_sla.now = '2024-03-09 07:00:11';
SELECT ticket, state, deadline, sla FROM sla.log_report WHERE source = 'calls call' AND ticket = '10';
RESET pg_sla.now;
UPDATE call SET state = 'given up', hung_up_at = '2024-03-09 07:01' WHERE id = 10;
SELECT * FROM clocks WHERE source = 'calls call' AND ticket = '10';
-- A switchboard that knows no more than the second tells a pick-up just after the ringing.
SELECT sla.track_event('calls call', 'call', 'call_answered', 'picked_up_at IS NOT NULL', agent => 'agent',
	at => $$greatest(picked_up_at, rang_at + interval '1 microsecond')$$);
INSERT INTO call (id, queue, agent, rang_at, picked_up_at) VALUES (11, 'sales', 'ann', '2024-03-08 10:00', '2024-03-08 10:00');
SELECT * FROM clocks WHERE source = 'calls call' AND ticket = '11';
-- By the day on which the verdict fell.
SELECT day, department, agent, request, met, missed, met_max, missed_max FROM sla.compliance_report WHERE source = 'calls call' ORDER BY 1, 2, 3;

-- Chats by their own hours, on Sunday evening and over closing time.
INSERT INTO chat VALUES (1, '2024-03-10 22:00'), (2, '2024-03-10 22:00'), (3, '2024-03-10 22:00'), (4, '2024-03-10 23:59:30');
UPDATE chat SET answered_at = '2024-03-10 22:00:40' WHERE id = 1;
UPDATE chat SET answered_at = '2024-03-10 22:01:20' WHERE id = 2;
UPDATE chat SET left_at = '2024-03-10 22:00:15' WHERE id = 3;
UPDATE chat SET answered_at = '2024-03-11 06:00:30' WHERE id = 4;
-- Left after it was answered: it stays answered.
UPDATE chat SET left_at = '2024-03-10 22:10' WHERE id = 1;
SELECT * FROM clocks WHERE source = 'calls chat';
SELECT * FROM sla.verify('calls call') UNION ALL SELECT * FROM sla.verify('calls chat');

-- Calls and chats about a ticket: each is a cycle with a row of its own, by the ticket's level; they answer no mail.
SELECT sla.track('calls ticket', 'ticket', 'id', created_at => 'created_at', changed_at => 'created_at');
SELECT sla.track_event('calls ticket', 'call', 'call_started', 'ticket IS NOT NULL', ticket_key => 'ticket', at => 'rang_at');
SELECT sla.track_event('calls ticket', 'call', 'call_answered', 'picked_up_at IS NOT NULL', ticket_key => 'ticket', at => 'picked_up_at', agent => 'agent');
SELECT sla.track_event('calls ticket', 'call', 'call_abandoned', $$state = 'given up'$$, ticket_key => 'ticket', at => 'hung_up_at');
INSERT INTO ticket VALUES (1, '2024-03-11 09:00'), (2, '2024-03-11 09:00');
INSERT INTO call (id, ticket, agent, state, rang_at, picked_up_at, hung_up_at) VALUES
	(21, 1, 'ann', 'over', '2024-03-11 09:10', '2024-03-11 09:11', '2024-03-11 09:20'),
	(22, 1, NULL, 'given up', '2024-03-11 10:00', NULL, '2024-03-11 10:05'),
	(23, 1, 'bob', 'over', '2024-03-11 15:30', '2024-03-12 08:31', '2024-03-12 08:40'),
	(24, 1, NULL, 'ringing', '2024-03-12 09:00', NULL, NULL);
SELECT * FROM clocks WHERE source = 'calls ticket' AND ticket = '1';
-- One that rings while another does is the same wait; whoever is answered first ends it. With a source of their own each has its own clock.
INSERT INTO call (id, ticket, rang_at) VALUES (25, 1, '2024-03-12 09:01');
UPDATE call SET agent = 'ann', picked_up_at = '2024-03-12 09:02' WHERE id = 25;
UPDATE call SET agent = 'bob', picked_up_at = '2024-03-12 09:03' WHERE id = 24;
SELECT * FROM clocks WHERE source = 'calls ticket' AND ticket = '1' AND n > 3;
SELECT * FROM clocks WHERE source = 'calls call' AND ticket IN ('24', '25');
-- The same calls, told in another order: the same clocks.
INSERT INTO call (id, ticket, agent, state, rang_at, picked_up_at, hung_up_at) VALUES
	(35, 2, 'ann', 'over', '2024-03-12 09:01', '2024-03-12 09:02', NULL),
	(33, 2, 'bob', 'over', '2024-03-11 15:30', '2024-03-12 08:31', '2024-03-12 08:40'),
	(34, 2, 'bob', 'ringing', '2024-03-12 09:00', '2024-03-12 09:03', NULL),
	(31, 2, 'ann', 'over', '2024-03-11 09:10', '2024-03-11 09:11', '2024-03-11 09:20'),
	(32, 2, NULL, 'given up', '2024-03-11 10:00', NULL, '2024-03-11 10:05');
SELECT count(*) AS rows, count(DISTINCT (metric, n, started_at, deadline, closed_at, outcome, reason, elapsed)) AS different FROM clocks WHERE source = 'calls ticket';
-- An answered call may be an answer to the mail, if it is told as one.
SELECT sla.track_event('calls ticket', 'call', 'agent_reply', 'picked_up_at IS NOT NULL', ticket_key => 'ticket', at => 'picked_up_at');
INSERT INTO ticket VALUES (3, '2024-03-11 09:00');
INSERT INTO call (id, ticket, rang_at, picked_up_at) VALUES (41, 3, '2024-03-11 09:10', '2024-03-11 09:11');
-- Answered and rung again at one instant: the one ends, the next begins. A merged ticket waits for no call.
INSERT INTO call (id, ticket, rang_at) VALUES (42, 3, '2024-03-11 09:11');
SELECT sla.record_event('calls ticket', '3', 'merged', '2024-03-11 09:30');
SELECT * FROM clocks WHERE source = 'calls ticket' AND ticket = '3';
SELECT * FROM sla.verify('calls ticket') UNION ALL SELECT * FROM sla.verify('calls call');

-- Calls that were there before: a backfill gives the same, but for the one that it tells a microsecond later.
CREATE TABLE before AS TABLE clocks;
SELECT sla.untrack('calls call'), sla.untrack('calls ticket');
DELETE FROM sla.log WHERE source IN ('calls call', 'calls ticket');
DELETE FROM sla.event WHERE source IN ('calls call', 'calls ticket');
DELETE FROM sla.ticket WHERE source IN ('calls call', 'calls ticket');
SELECT sla.track('calls call', 'call', 'id', department => 'queue', agent => 'agent', created_at => 'rang_at',
	changed_at => 'coalesce(hung_up_at, picked_up_at, rang_at)');
SELECT sla.track_event('calls call', 'call', 'call_started', 'true', at => 'rang_at');
SELECT sla.track_event('calls call', 'call', 'call_answered', 'picked_up_at IS NOT NULL', agent => 'agent',
	at => $$greatest(picked_up_at, rang_at + interval '1 microsecond')$$);
SELECT sla.track_event('calls call', 'call', 'call_abandoned', $$state = 'given up'$$, at => 'hung_up_at');
SELECT sla.backfill('calls call') > 0 AS filled;
SELECT ticket, n, department, agent, started_at, closed_at, outcome FROM (TABLE before EXCEPT TABLE clocks) AS d WHERE source = 'calls call' ORDER BY ticket::int, n;
SELECT * FROM sla.verify('calls call');

SELECT sla.untrack('calls call'), sla.untrack('calls chat');
DELETE FROM sla.rule WHERE source LIKE 'calls %';
DELETE FROM sla.level WHERE name LIKE 'calls %';
DELETE FROM sla.log WHERE source LIKE 'calls %';
DELETE FROM sla.event WHERE source LIKE 'calls %';
DELETE FROM sla.ticket WHERE source LIKE 'calls %';
DELETE FROM sla.promise WHERE calendar LIKE 'calls %';
DELETE FROM sla.calendar WHERE name LIKE 'calls %';
SET client_min_messages = warning;
DROP SCHEMA clock_calls CASCADE;
