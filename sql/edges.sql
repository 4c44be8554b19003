-- The edges of a ticket's life through tables and triggers: levels that change in each way, what comes back, what does not start.
CREATE SCHEMA edges_test;
SET search_path = edges_test;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
SELECT sla.set_calendar('edges office', 'UTC', 'Mo-Fr 08:00-16:00'), sla.set_calendar('edges long', 'UTC', 'Mo-Fr 06:00-22:00');
INSERT INTO sla.level (name, calendar) VALUES ('edges first', 'edges office');
INSERT INTO sla.target (level, metric, goal) VALUES ('edges first', 'first_response', '4 hours'), ('edges first', 'resolution', '2 days'),
	('edges first', 'next_response', '1 hour');
INSERT INTO sla.level (name, calendar, on_change) SELECT 'edges ' || way, 'edges long', way FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) AS way;
INSERT INTO sla.target (level, metric, goal) SELECT 'edges ' || way, metric, goal::interval
FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) AS way, (VALUES ('first_response', '8 hours'), ('resolution', '12 hours')) AS g (metric, goal);
CREATE TABLE ticket (id text PRIMARY KEY, level text NOT NULL DEFAULT 'first', status text, trashed boolean NOT NULL DEFAULT false, by_agent boolean NOT NULL DEFAULT false,
	department text, created_at timestamptz NOT NULL, updated_at timestamptz);
INSERT INTO sla.rule (name, source, position, condition, set_level)
SELECT way, 'edges', 1, format('level = %L', way), 'edges ' || way FROM unnest('{first,retroactive,forward,reset,keep_stricter,keep}'::text[]) AS way;
SELECT sla.track('edges', 'ticket', 'id', department => 'department', created_at => 'created_at', changed_at => 'coalesce(updated_at, created_at)');
SELECT sla.track_event('edges', 'ticket', 'paused', $$status = 'waiting'$$);
SELECT sla.track_event('edges', 'ticket', 'resolved', $$status = 'solved'$$);
SELECT sla.track_event('edges', 'ticket', 'deleted', 'trashed');
SELECT sla.track_event('edges', 'ticket', 'created_by_agent', 'by_agent', at => 'created_at');
CREATE VIEW clocks AS SELECT ticket, metric, ordinal AS n, level, goal, started_at, deadline, closed_at, outcome, reason
FROM sla.log WHERE source = 'edges' ORDER BY ticket, metric, ordinal;

-- A quarter of the first goal is used when the level changes; a pause before it is carried over.
INSERT INTO ticket (id, created_at) SELECT way, '2098-03-03 09:00' FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) AS way;
UPDATE ticket SET status = 'waiting', updated_at = '2098-03-03 09:30';
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 10:00';
UPDATE ticket SET level = id, updated_at = '2098-03-03 10:30';
SELECT * FROM clocks;
-- What was decided is kept, whatever becomes of the calendars, and decided anew for what arrives late.
SELECT ticket, decided_for, decided FROM sla.event WHERE source = 'edges' AND decided IS NOT NULL ORDER BY ticket;
BEGIN;
SELECT sla.set_calendar('edges office', 'UTC', 'Mo-Fr 09:30-16:00'), sla.set_calendar('edges long', 'UTC', 'Mo-Fr 00:00-24:00');
SELECT * FROM sla.verify('edges');
SELECT sla.record_event('edges', id, 'customer_message', '2098-03-03 11:00') FROM ticket;
SELECT * FROM sla.verify('edges');
SELECT ticket, metric, n, goal FROM clocks WHERE ticket = 'forward';
ROLLBACK;
SELECT sla.record_event('edges', 'forward', 'paused', '2098-03-03 10:10'), sla.record_event('edges', 'forward', 'resumed', '2098-03-03 10:20');
SELECT ticket, metric, n, goal, deadline FROM clocks WHERE ticket = 'forward';
SELECT * FROM sla.verify('edges');
-- The way is what the level said when it was promised.
UPDATE sla.level SET on_change = 'retroactive' WHERE name = 'edges reset';
SELECT * FROM sla.verify('edges');
-- No rule matches any more: cancelled, also what was kept.
UPDATE ticket SET level = 'none', updated_at = '2098-03-03 12:00' WHERE id = 'keep';
SELECT metric, n, level, outcome, reason FROM clocks WHERE ticket = 'keep';

-- In the trash and back: by a condition.
INSERT INTO ticket (id, created_at, department) VALUES ('trash', '2098-03-03 09:00', 'first');
UPDATE ticket SET trashed = true, updated_at = '2098-03-03 10:00' WHERE id = 'trash';
SELECT sla.record_event('edges', 'trash', 'customer_message', '2098-03-03 10:30');
UPDATE ticket SET trashed = false, updated_at = '2098-03-03 11:00' WHERE id = 'trash';
SELECT metric, n, started_at, deadline, closed_at, outcome, reason FROM clocks WHERE ticket = 'trash';
SELECT event FROM sla.event WHERE source = 'edges' AND ticket = 'trash' ORDER BY at, id;

-- Deleted and inserted again: the same ticket, and another one under its key.
INSERT INTO ticket (id, created_at, status) VALUES ('row', '2024-03-04 09:00', 'waiting');
DELETE FROM ticket WHERE id = 'row';
INSERT INTO ticket (id, created_at) VALUES ('row', '2024-03-04 09:00');
SELECT event, at > '2025-01-01' AS now FROM sla.event WHERE source = 'edges' AND ticket = 'row' ORDER BY at, id;
SELECT metric, ordinal, started_at, outcome, reason, running_since IS NOT NULL AS runs FROM sla.log WHERE source = 'edges' AND ticket = 'row' ORDER BY 1, 2;
DELETE FROM ticket WHERE id = 'row';
INSERT INTO ticket (id, created_at) VALUES ('row', '2098-03-03 09:00');
SELECT metric, n, started_at, outcome, reason FROM clocks WHERE ticket = 'row';
TRUNCATE ticket;
SELECT metric, n, outcome, reason FROM clocks WHERE ticket = 'row' AND n = 3;
-- All of another ticket begins anew, also a clock that would not have come back with the former one; and the former one's pause is over.
BEGIN;
INSERT INTO sla.metric (name, starts_on, stops_on, restores_on) VALUES ('edges once', '{created}', '{resolved}', '{}');
INSERT INTO sla.target (level, metric, goal) VALUES ('edges first', 'edges once', '2 hours');
INSERT INTO ticket (id, created_at, status) VALUES ('again', '2024-03-04 09:00', 'waiting');
DELETE FROM ticket WHERE id = 'again';
INSERT INTO ticket (id, created_at) VALUES ('again', '2024-03-04 09:00');
SELECT metric, n, started_at, outcome, reason FROM clocks WHERE ticket = 'again' AND metric = 'edges once';
DELETE FROM ticket WHERE id = 'again';
INSERT INTO ticket (id, created_at) VALUES ('again', '2098-03-03 09:00');
SELECT metric, ordinal, started_at, running_since, outcome, reason FROM sla.log WHERE source = 'edges' AND ticket = 'again' AND metric = 'edges once' ORDER BY 2;
SELECT * FROM sla.verify('edges') WHERE ticket = 'again';
ROLLBACK;
SELECT * FROM sla.verify('edges');

-- Another ticket that comes in paused, and a clock that had begun while there was none: its pause goes on, as if it had never ended.
BEGIN;
INSERT INTO sla.metric (name, starts_on, stops_on, cancels_on, restores_on) VALUES ('edges asked', '{edges_asked}', '{resolved}', '{deleted}', '{}');
INSERT INTO sla.target (level, metric, goal) VALUES ('edges first', 'edges asked', '2 hours');
INSERT INTO ticket (id, created_at, status) VALUES ('asked', '2098-03-03 09:00', 'waiting');
DELETE FROM ticket WHERE id = 'asked';
SELECT sla.record_event('edges', 'asked', 'edges_asked', '2098-03-03 10:00');
INSERT INTO ticket (id, created_at, status) VALUES ('asked', '2098-03-03 11:00', 'waiting');
SELECT started_at, counted, running_since, deadline, sla.clock_deadline(calendar, started_at, goal, counted, running_since, closed_at) AS computed
FROM sla.log WHERE source = 'edges' AND ticket = 'asked' AND metric = 'edges asked';
SELECT * FROM sla.verify('edges');
ROLLBACK;

-- A clock that was to end missed in the future, until more became known after an edit: it has no verdict, and its deadline is that of today's hours.
BEGIN;
INSERT INTO ticket (id, created_at) VALUES ('undone', '2098-03-03 15:00');
UPDATE ticket SET level = 'keep_stricter', updated_at = '2098-03-10 09:00' WHERE id = 'undone';
SELECT n, level, deadline, outcome, reason FROM clocks WHERE ticket = 'undone' AND metric = 'first_response';
SELECT sla.set_calendar('edges office', 'UTC', 'Mo-Fr 08:00-20:00');
SELECT n, level, deadline, outcome, reason FROM clocks WHERE ticket = 'undone' AND metric = 'first_response';
SELECT sla.record_event('edges', 'undone', 'customer_message', '2098-03-04 09:00');
SELECT n, level, deadline, outcome, reason FROM clocks WHERE ticket = 'undone' AND metric = 'first_response';
SELECT * FROM sla.verify('edges');
ROLLBACK;

-- Of a state and its opposite at one instant the last one counts: it went on waiting.
INSERT INTO ticket (id, created_at) VALUES ('waits', '2098-03-03 09:00');
UPDATE ticket SET status = 'waiting', updated_at = '2098-03-03 10:00' WHERE id = 'waits';
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 12:00' WHERE id = 'waits';
UPDATE ticket SET status = 'waiting', updated_at = '2098-03-03 12:00' WHERE id = 'waits';
SELECT metric, n, deadline FROM clocks WHERE ticket = 'waits';

-- Reopened when its goal was used up, outside hours; then it is known that it waited by then.
INSERT INTO ticket (id, created_at) VALUES ('used up', '2024-03-04 09:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-06 09:00' WHERE id = 'used up';
SELECT sla.record_event('edges', 'used up', 'reopened', '2024-03-10 10:00');
SELECT metric, n, deadline, outcome FROM clocks WHERE ticket = 'used up' AND metric = 'resolution';
UPDATE ticket SET status = 'waiting', updated_at = '2024-03-07 10:00' WHERE id = 'used up';
SELECT metric, n, deadline, outcome FROM clocks WHERE ticket = 'used up' AND metric = 'resolution';
SELECT * FROM sla.verify('edges');

-- Opened by an agent; then the customer asks.
INSERT INTO ticket (id, created_at, by_agent) VALUES ('agent', '2098-03-03 09:00', true);
SELECT sla.record_event('edges', 'agent', 'customer_message', '2098-03-03 10:00');
SELECT metric, n, started_at FROM clocks WHERE ticket = 'agent';

-- Equality, and a grace for reopenings; resolved without a reply, as an answer.
BEGIN;
UPDATE sla.metric SET equality_is_met = false, stops_on = '{agent_reply,resolved}', cancels_on = '{merged,deleted,cancelled}' WHERE name = 'first_response';
UPDATE sla.metric SET reopen_grace = '1 hour' WHERE name = 'resolution';
INSERT INTO ticket (id, created_at, department) VALUES ('equal', '2098-03-03 09:00', 'first'), ('grace', '2098-03-03 09:00', 'first');
UPDATE ticket SET department = 'second', updated_at = '2098-03-03 10:00' WHERE id IN ('equal', 'grace');
SELECT sla.record_event('edges', 'equal', 'agent_reply', '2098-03-03 13:00');
UPDATE ticket SET department = 'third', updated_at = '2098-03-03 14:00' WHERE id = 'equal';
UPDATE ticket SET status = 'solved', updated_at = '2098-03-03 11:00' WHERE id = 'grace';
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 12:00' WHERE id = 'grace';
SELECT ticket, metric, n, closed_at, outcome FROM clocks WHERE ticket IN ('equal', 'grace');
SELECT metric, department FROM sla.log WHERE source = 'edges' AND ticket = 'equal' ORDER BY metric;
UPDATE ticket SET status = 'solved', updated_at = '2098-03-03 13:00' WHERE id = 'grace';
UPDATE ticket SET status = 'open', updated_at = '2098-03-03 14:01' WHERE id = 'grace';
SELECT metric, n, closed_at, outcome FROM clocks WHERE ticket = 'grace' AND metric = 'resolution';
SELECT * FROM sla.verify('edges') WHERE ticket IN ('equal', 'grace');
ROLLBACK;

SELECT sla.untrack('edges');
DELETE FROM sla.rule WHERE source = 'edges';
DELETE FROM sla.level WHERE name LIKE 'edges %';
SET client_min_messages = warning;
DROP SCHEMA edges_test CASCADE;
