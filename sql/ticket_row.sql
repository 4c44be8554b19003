-- The ticket's own row: facts for the rules, columns kept for it, rules that fail.
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE SCHEMA ticket_row_test;
SET search_path = ticket_row_test;
CREATE TABLE ticket (id int PRIMARY KEY, customer int, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz,
	level varchar(40), due timestamp(0) with time zone);
CREATE TABLE customer (id int PRIMARY KEY, vip boolean NOT NULL);
CREATE TABLE tag (ticket_id int, name text);
CREATE TABLE message (ticket_id int, author text, sent_at timestamptz);
CREATE VIEW facts AS
SELECT t.id, t.status, coalesce(c.vip, false) AS vip, ARRAY(SELECT name FROM tag WHERE ticket_id = t.id ORDER BY name) AS tags,
	(SELECT author FROM message WHERE ticket_id = t.id ORDER BY sent_at DESC LIMIT 1) AS last_author
FROM ticket t LEFT JOIN customer c ON c.id = t.customer;
SELECT sla.set_calendar('ticket row', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('row standard', 'ticket row'), ('row vip', 'ticket row');
INSERT INTO sla.target (level, metric, goal) VALUES ('row standard', 'first_response', '4 hours'), ('row standard', 'resolution', '2 days'),
	('row vip', 'first_response', '1 hour'), ('row vip', 'next_response', '1 hour'), ('row vip', 'resolution', '1 day');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('all', 'ticket row', 1, 'true', 'row standard'), ('vip', 'ticket row', 2, $$vip OR 'urgent' = ANY (tags)$$, 'row vip');
SELECT sla.track('ticket row', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at',
	facts => 'facts', level_column => 'level', due_column => 'due');
SELECT sla.track_event('ticket row', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('ticket row', 'ticket', 'resolved', $$status = 'solved'$$);
SELECT sla.track_event('ticket row', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('ticket row', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');
CREATE VIEW clocks AS SELECT ticket, level, metric, deadline, outcome FROM sla.log WHERE source = 'ticket row' ORDER BY ticket, metric, ordinal;

INSERT INTO customer VALUES (1, false), (2, true);
INSERT INTO ticket (id, customer, created_at) VALUES (1, 1, '2024-03-04 09:00'), (2, 2, '2024-03-04 09:00'), (3, NULL, '2024-03-04 09:00');
SELECT * FROM ticket ORDER BY id;
SELECT * FROM clocks;
-- What another table says counts with the next thing that happens to the ticket.
INSERT INTO tag VALUES (1, 'urgent');
INSERT INTO message VALUES (1, 'customer', '2024-03-04 09:30');
SELECT id, level, due FROM ticket WHERE id = 1;
INSERT INTO message VALUES (1, 'agent', '2024-03-04 09:45'), (2, 'agent', '2024-03-04 11:00');
SELECT id, level, due FROM ticket ORDER BY id;
UPDATE ticket SET status = 'pending', updated_at = '2024-03-04 12:00' WHERE id = 2;
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 12:00' WHERE id = 1;
SELECT id, level, due FROM ticket ORDER BY id;
SELECT * FROM clocks;
SELECT * FROM sla.verify('ticket row');
-- An edit of the calendar moves the ticket's own column too.
INSERT INTO ticket (id, created_at) VALUES (4, '2098-01-01 09:00');
SELECT due FROM ticket WHERE id = 4;
SELECT sla.set_calendar('ticket row', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT due FROM ticket WHERE id = 4;
-- A change that is told of before the ticket's creation comes just after it, for the columns as for the clocks.
INSERT INTO tag VALUES (4, 'urgent');
UPDATE ticket SET customer = 1, updated_at = '2098-01-01 08:00' WHERE id = 4;
SELECT t.level, t.due = l.deadline AS due, l.level AS of_clock FROM ticket AS t, sla.log AS l
WHERE t.id = 4 AND l.source = 'ticket row' AND l.ticket = '4' AND l.metric = 'first_response' AND l.closed_at IS NULL;
-- Nor is it a change of the ticket that we write its columns: what the facts have become it is told of with the next one.
BEGIN;
INSERT INTO ticket (id, created_at, updated_at) VALUES (5, '2098-01-01 09:00', '2098-01-01 09:00');
INSERT INTO message VALUES (5, 'customer', '2098-01-01 11:00');
INSERT INTO tag VALUES (5, 'urgent');
CREATE VIEW shown AS SELECT t.level, t.due, min(l.deadline) AS deadline, array_agg(DISTINCT l.level) AS of_clocks
FROM ticket AS t JOIN sla.log AS l ON l.ticket = t.id::text WHERE t.id = 5 AND l.source = 'ticket row' AND l.running_since IS NOT NULL GROUP BY t.id;
SELECT sla.set_calendar('ticket row', 'UTC', 'Mo-Fr 08:00-16:00');
SELECT * FROM shown;
UPDATE sla.target SET goal = '3 hours' WHERE level = 'row standard' AND metric = 'first_response';
SELECT ticket, metric, former_level, level, former_deadline, deadline FROM sla.recalculate('ticket row', '{5}', apply => true);
SELECT * FROM shown;
SELECT event, count(*) FROM sla.event WHERE source = 'ticket row' AND ticket = '5' GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM sla.recalculate('ticket row', '{5}');
UPDATE ticket SET customer = 1, updated_at = '2098-01-01 12:00' WHERE id = 5;
SELECT * FROM shown;
ROLLBACK;
-- A level that promises nothing, so that no clock tells of it, is in the column all the same: for closed tickets and for open ones.
BEGIN;
INSERT INTO ticket (id, created_at, updated_at, status) VALUES (6, '2024-03-04 09:00', '2024-03-04 09:00', 'solved'), (7, '2098-01-01 09:00', '2098-01-01 09:00', 'open');
UPDATE sla.rule SET active = false WHERE source = 'ticket row';
SELECT count(*) > 0 AS any FROM sla.recalculate('ticket row', '{6,7}', rules => true, closed => true, apply => true);
SELECT id, level FROM ticket WHERE id > 5 ORDER BY id;
INSERT INTO sla.level (name, calendar) VALUES ('row nothing', 'ticket row');
UPDATE sla.rule SET active = true, set_level = 'row nothing' WHERE source = 'ticket row' AND name = 'all';
SELECT count(*) FROM sla.recalculate('ticket row', '{6,7}', rules => true, closed => true, apply => true);
SELECT id, level FROM ticket WHERE id > 5 ORDER BY id;
ROLLBACK;
-- Rights: the role that tracked it reads the facts and writes the columns, whoever writes a message.
CREATE ROLE ticket_row_customer;
GRANT USAGE ON SCHEMA ticket_row_test TO ticket_row_customer;
GRANT INSERT ON message TO ticket_row_customer;
SET ROLE ticket_row_customer;
INSERT INTO message VALUES (3, 'agent', '2024-03-04 10:00');
RESET ROLE;
SELECT id, level, due FROM ticket WHERE id = 3;

-- A ticket has one row of facts.
CREATE OR REPLACE VIEW facts AS
SELECT t.id, t.status, v.vip, ARRAY(SELECT name FROM tag WHERE ticket_id = t.id ORDER BY name) AS tags, NULL::text AS last_author
FROM ticket t, (VALUES (false), (true)) AS v (vip);
INSERT INTO ticket (id, created_at) VALUES (5, '2024-03-04 09:00');

-- A rule that fails stops the ticket, or is recorded and lets it through.
CREATE OR REPLACE VIEW facts AS
SELECT t.id, t.status, 1 / (t.id - 6) > 1 AS vip, '{}'::text[] AS tags, NULL::text AS last_author FROM ticket t;
INSERT INTO ticket (id, created_at) VALUES (6, '2024-03-04 09:00');
SET pg_sla.on_rule_error = 'record';
\set VERBOSITY default
INSERT INTO ticket (id, created_at) VALUES (6, '2024-03-04 09:00');
\set VERBOSITY terse
SELECT id, level, due FROM ticket WHERE id = 6;
SELECT source, ticket, sqlstate, message FROM sla.problem WHERE source = 'ticket row';
INSERT INTO ticket (id, created_at) VALUES (7, '2024-03-04 09:00');
SELECT id, level FROM ticket WHERE id = 7;
-- Put right, the next change decides.
CREATE OR REPLACE VIEW facts AS
SELECT t.id, t.status, true AS vip, '{}'::text[] AS tags, NULL::text AS last_author FROM ticket t;
UPDATE ticket SET status = 'odd', updated_at = '2024-03-04 09:30' WHERE id = 6;
SELECT id, level, due FROM ticket WHERE id = 6;
-- A rule broken by a change of the table.
ALTER TABLE ticket RENAME COLUMN due TO due_at;
RESET pg_sla.on_rule_error;
INSERT INTO ticket (id, created_at) VALUES (8, '2024-03-04 09:00');
ALTER TABLE ticket RENAME COLUMN due_at TO due;
BEGIN;
DROP VIEW facts;
INSERT INTO ticket (id, created_at) VALUES (8, '2024-03-04 09:00');
ROLLBACK;
SELECT * FROM sla.verify('ticket row');

-- What is wrong is shown before it is met.
SELECT * FROM sla.health() WHERE source = 'ticket row';
ALTER VIEW facts RENAME COLUMN tags TO labels;
ALTER TABLE message DISABLE TRIGGER ALL;
DROP TRIGGER "sla_ticket row" ON ticket;
SELECT part, code, problem FROM sla.health() WHERE source = 'ticket row';
DROP VIEW facts;
SELECT part, code, problem FROM sla.health() WHERE source = 'ticket row';

SELECT sla.untrack('ticket row');

-- Facts may be a table, also one that has lost columns.
CREATE TABLE kept_facts (gone int, id int PRIMARY KEY, also_gone text, vip boolean, ticket_row int);
ALTER TABLE kept_facts DROP COLUMN gone, DROP COLUMN also_gone;
INSERT INTO kept_facts VALUES (20, true, NULL), (21, false, NULL);
CREATE TABLE kept (id int PRIMARY KEY, level text, due timestamptz);
UPDATE sla.rule SET condition = 'vip' WHERE source = 'ticket row' AND name = 'vip';
SELECT sla.track('ticket row', 'kept', 'id', facts => 'kept_facts', level_column => 'level');
INSERT INTO kept (id) VALUES (20), (21);
SELECT id, level FROM kept ORDER BY id;
-- The ticket table is watched from the other tables' triggers, too: renamed, moved, and the key's type changed.
SELECT sla.track_event('ticket row', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
INSERT INTO message VALUES (20, 'agent', '2098-03-04 10:00');
ALTER TABLE kept RENAME TO ticket_of_old;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 11:00');
CREATE SCHEMA ticket_row_other;
ALTER TABLE ticket_of_old SET SCHEMA ticket_row_other;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 12:00');
ALTER TABLE ticket_row_other.ticket_of_old ALTER id TYPE bigint;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 13:00');
ALTER TABLE kept_facts ALTER id TYPE bigint;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 14:00');
SELECT count(*) FROM sla.event WHERE source = 'ticket row' AND ticket = '20' AND event = 'agent_reply';
ALTER TABLE ticket_row_other.ticket_of_old RENAME level TO promised;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 15:00');
ALTER TABLE ticket_row_other.ticket_of_old RENAME promised TO level;
ALTER TABLE kept_facts RENAME id TO number;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 15:00');
ALTER TABLE kept_facts RENAME number TO id;
INSERT INTO message VALUES (20, 'agent', '2098-03-04 15:00');
-- What a trigger of the ticket's own writes to another ticket keeps that one's columns, too.
CREATE FUNCTION copy_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO ticket_row_test.kept_facts VALUES (NEW.id + 100, true);
	INSERT INTO ticket_row_other.ticket_of_old (id) VALUES (NEW.id + 100);
	RETURN NULL;
END
$$;
CREATE TRIGGER copy_ticket AFTER UPDATE ON ticket_row_other.ticket_of_old FOR EACH ROW WHEN (OLD.level IS NULL AND NEW.id < 100) EXECUTE FUNCTION copy_ticket();
INSERT INTO kept_facts VALUES (22, true);
INSERT INTO ticket_row_other.ticket_of_old (id) VALUES (22);
SELECT id, level FROM ticket_row_other.ticket_of_old ORDER BY id;
SELECT * FROM sla.verify('ticket row');
SELECT sla.untrack('ticket row');

-- Keys, times and facts mean the same in sessions of every time zone.
CREATE TABLE zoned (at timestamptz PRIMARY KEY, created timestamp NOT NULL, changed timestamp, solved text, level text);
CREATE VIEW zoned_facts AS SELECT at, created::timestamptz AS created, at::date AS day FROM zoned;
UPDATE sla.rule SET condition = $$day = '2098-03-05' AND created < '2098-03-05 10:00'$$ WHERE source = 'ticket row' AND name = 'vip';
SET timezone = 'Asia/Tokyo';
UPDATE sla.rule SET condition = condition || ' AND true' WHERE source = 'ticket row' AND name = 'vip';
SELECT sla.track('ticket row', 'zoned', 'at', created_at => 'created', changed_at => 'changed', facts => 'zoned_facts', level_column => 'level');
SELECT sla.track_event('ticket row', 'zoned', 'resolved', $$changed > '2098-03-05 12:00'::timestamptz$$, at => 'solved::timestamptz');
SET timezone = 'America/New_York';
INSERT INTO zoned VALUES ('2098-03-05 08:00+09', '2098-03-05 09:00'), ('2098-03-05 03:00+00', '2098-03-05 10:00'), ('2098-03-04 08:00+00', '2098-03-05 09:00');
SET timezone = 'Europe/Oslo';
UPDATE zoned SET changed = '2098-03-05 13:00', solved = '2098-03-05 12:30' WHERE at = '2098-03-05 08:00+09';
UPDATE zoned SET changed = '2098-03-05 11:00', solved = '2098-03-05 10:30' WHERE at = '2098-03-05 03:00+00';
SET timezone = 'UTC';
SELECT level, ticket_key, created_at, time_zone FROM zoned, sla.source WHERE name = 'ticket row' ORDER BY at;
SELECT ticket, event, at FROM sla.event WHERE source = 'ticket row' AND ticket LIKE '2098%' ORDER BY ticket, at, id;
SELECT time_zone FROM sla.source_event WHERE source = 'ticket row' AND event = 'resolved';
SELECT ticket, level_now, level_then FROM sla.try_rules('ticket row', complete => true) ORDER BY 1;
SELECT sla.untrack('ticket row');

-- Whoever writes a deadline says nothing of who had the ticket at the time of the row's change, which is before another that was told.
CREATE TABLE assigned (id int PRIMARY KEY, assignee text, created_at timestamptz NOT NULL, updated_at timestamptz, due timestamptz);
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'ticket row due', 1, 'true', 'row standard');
SELECT sla.track('ticket row due', 'assigned', 'id', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at', due_column => 'due');
INSERT INTO assigned VALUES (1, 'ann', '2024-03-04 09:00', NULL);
UPDATE assigned SET assignee = NULL, updated_at = '2024-03-04 15:00';
UPDATE assigned SET due = '2024-03-04 15:30', updated_at = '2024-03-04 12:00';
SELECT event, at, assignee, of_ticket FROM sla.event WHERE source = 'ticket row due' ORDER BY id;
SELECT metric, agent, deadline, fixed FROM sla.log WHERE source = 'ticket row due' ORDER BY metric;
SELECT * FROM sla.verify('ticket row due');
SELECT sla.untrack('ticket row due');

DELETE FROM sla.rule WHERE source LIKE 'ticket row%';
DELETE FROM sla.level WHERE name LIKE 'row %';
SET client_min_messages = warning;
DROP SCHEMA ticket_row_test, ticket_row_other CASCADE;
DROP ROLE ticket_row_customer;
