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
DELETE FROM sla.rule WHERE source = 'ticket row';
DELETE FROM sla.level WHERE name LIKE 'row %';
SET client_min_messages = warning;
DROP SCHEMA ticket_row_test CASCADE;
DROP ROLE ticket_row_customer;
