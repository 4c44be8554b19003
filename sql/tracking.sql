-- Tracking: from row changes to events.
\set VERBOSITY terse
SET timezone = 'Europe/Oslo';
CREATE SCHEMA tracking_test;
SET search_path = tracking_test;

CREATE TABLE ticket (
	id bigint PRIMARY KEY, department text, assignee text, status text NOT NULL DEFAULT 'open',
	priority integer NOT NULL DEFAULT 3, tags text[] NOT NULL DEFAULT '{}', note text,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz);
CREATE TABLE message (
	id bigserial PRIMARY KEY, ticket_id bigint, author text NOT NULL, internal boolean NOT NULL DEFAULT false,
	sent_at timestamptz);
SELECT sla.set_calendar('tracking office', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('tracking standard', 'tracking office'), ('tracking urgent', 'tracking office');
INSERT INTO sla.target (level, metric, goal) VALUES
	('tracking standard', 'first_response', '4 hours'), ('tracking standard', 'resolution', '3 days'),
	('tracking urgent', 'first_response', '1 hour'), ('tracking urgent', 'next_response', '30 minutes');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'tracking', 10, 'true', 'tracking standard', false),
	('tag URGENT', 'tracking', 20, $$'URGENT' = ANY (tags)$$, 'tracking urgent', true);

SELECT sla.track('tracking', 'ticket', 'id', department => 'department', agent => 'assignee',
	created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('tracking', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('tracking', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('tracking', 'message', 'agent_reply', $$author = 'agent' AND NOT internal$$,
	ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('tracking', 'message', 'customer_message', $$author = 'customer'$$,
	ticket_key => 'ticket_id', at => 'sent_at', agent => '''customer ''||ticket_id');

SELECT tgrelid::regclass, tgname, pg_get_triggerdef(oid) FROM pg_trigger
WHERE tgrelid IN ('ticket'::regclass, 'message'::regclass) AND NOT tgisinternal ORDER BY 1, 2;

CREATE VIEW events AS
SELECT ticket, event, at, agent, of_ticket AS own, department, assignee,
	(SELECT level FROM sla.promise WHERE id = promises[1]) AS level, promises IS NOT NULL AS decided
FROM sla.event WHERE source = 'tracking' ORDER BY ticket::bigint, at, id;
CREATE VIEW clocks AS
SELECT ticket, level, metric, started_at, running_since IS NOT NULL AS running, deadline, closed_at, outcome, reason, department, agent
FROM sla.log WHERE source = 'tracking' ORDER BY ticket::bigint, metric, ordinal;

-- A life.
INSERT INTO ticket VALUES (1, 'sales', 'ann', 'open', 3, '{}', NULL, '2024-03-04 09:00', NULL);
INSERT INTO message (ticket_id, author, sent_at) VALUES (1, 'customer', '2024-03-04 09:00'), (1, 'agent', '2024-03-04 10:00');
UPDATE ticket SET status = 'pending', updated_at = '2024-03-04 11:00';
UPDATE ticket SET status = 'open', updated_at = '2024-03-04 13:00';
UPDATE ticket SET assignee = 'bob', updated_at = '2024-03-04 13:30';
UPDATE ticket SET status = 'solved', updated_at = '2024-03-05 13:00';
UPDATE ticket SET status = 'closed', updated_at = '2024-03-05 14:00';
UPDATE ticket SET status = 'open', updated_at = '2024-03-05 15:00';
SELECT * FROM events;
SELECT * FROM clocks;

-- What no condition reads is no event.
SELECT count(*) FROM sla.event WHERE source = 'tracking';
UPDATE ticket SET note = 'nothing', priority = 1, updated_at = '2024-03-05 15:30';
UPDATE message SET sent_at = '2024-03-04 10:30' WHERE author = 'agent';
UPDATE ticket SET status = status, updated_at = '2024-03-05 15:31';
SELECT count(*) FROM sla.event WHERE source = 'tracking';

-- An internal note tells nothing until it is published.
INSERT INTO message (ticket_id, author, internal, sent_at) VALUES (1, 'agent', true, '2024-03-05 15:32');
SELECT count(*) FROM sla.event WHERE source = 'tracking';
UPDATE message SET internal = false WHERE internal;
SELECT event, at FROM events ORDER BY at DESC LIMIT 1;
-- A row of no ticket tells nothing, one of a ticket not seen before is kept.
INSERT INTO message (ticket_id, author, sent_at) VALUES (NULL, 'agent', '2024-03-05 15:40'), (99, 'agent', '2024-03-05 15:41');
SELECT ticket, event FROM events WHERE ticket = '99';

-- The level changes.
INSERT INTO ticket (id, department, created_at) VALUES (2, 'sales', '2024-03-04 09:00');
UPDATE ticket SET tags = '{URGENT}', updated_at = '2024-03-04 09:20' WHERE id = 2;
UPDATE ticket SET tags = '{URGENT,again}', updated_at = '2024-03-04 09:25' WHERE id = 2;
SELECT event, at, level, decided FROM events WHERE ticket = '2';
SELECT * FROM clocks WHERE ticket = '2';
-- No rule matches any more.
UPDATE sla.rule SET condition = 'priority > 2' WHERE source = 'tracking' AND name = 'everyone';
UPDATE ticket SET tags = '{}', priority = 1, updated_at = '2024-03-04 09:40' WHERE id = 2;
SELECT * FROM clocks WHERE ticket = '2';
UPDATE sla.rule SET condition = 'true' WHERE source = 'tracking' AND name = 'everyone';

-- Rules for new tickets only: what they chose stays.
UPDATE sla.rule SET on_change = false WHERE source = 'tracking' AND name = 'everyone';
INSERT INTO ticket (id, department, created_at) VALUES (3, 'sales', '2024-03-04 09:00');
UPDATE ticket SET tags = '{x}', updated_at = '2024-03-04 09:20' WHERE id = 3;
SELECT * FROM clocks WHERE ticket = '3';
UPDATE sla.rule SET on_change = true WHERE source = 'tracking' AND name = 'everyone';

-- The key changes; a ticket goes; the rows stay.
UPDATE ticket SET id = 30 WHERE id = 3;
SELECT ticket, metric FROM clocks WHERE ticket IN ('3', '30');
DELETE FROM ticket WHERE id = 30;
SELECT ticket, metric, outcome, reason FROM clocks WHERE ticket = '30';

-- Created in a state.
INSERT INTO ticket (id, status, created_at, updated_at) VALUES
	(4, 'pending', '2024-03-04 09:00', NULL), (5, 'solved', '2024-03-04 09:00', '2024-03-04 15:00');
SELECT * FROM clocks WHERE ticket IN ('4', '5');
SELECT ticket, event, at FROM events WHERE ticket IN ('4', '5');

-- ON CONFLICT, COPY, MERGE-like statements and many rows at once are ordinary changes.
INSERT INTO ticket (id, created_at) VALUES (6, '2024-03-04 09:00'), (7, '2024-03-04 09:00')
	ON CONFLICT (id) DO UPDATE SET status = 'solved', updated_at = '2024-03-04 10:00';
INSERT INTO ticket (id, created_at) VALUES (6, '2024-03-04 09:00')
	ON CONFLICT (id) DO UPDATE SET status = 'solved', updated_at = '2024-03-04 10:00';
COPY ticket (id, created_at) FROM stdin;
8	2024-03-04 09:00+01
\.
SELECT ticket, metric, outcome, closed_at FROM clocks WHERE ticket IN ('6', '7', '8');
-- A rolled back change leaves nothing.
BEGIN;
INSERT INTO ticket (id, created_at) VALUES (9, '2024-03-04 09:00');
SAVEPOINT s;
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 10:00' WHERE id = 9;
SELECT ticket, metric, outcome FROM clocks WHERE ticket = '9';
ROLLBACK TO s;
SELECT ticket, metric, outcome FROM clocks WHERE ticket = '9';
ROLLBACK;
SELECT ticket FROM events WHERE ticket = '9';

-- Columns are renamed, retyped, added and dropped under the trigger.
ALTER TABLE ticket ADD COLUMN extra text;
ALTER TABLE ticket DROP COLUMN note;
ALTER TABLE ticket ALTER COLUMN status TYPE varchar(20);
INSERT INTO ticket (id, created_at) VALUES (10, '2024-03-04 09:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 10:00' WHERE id = 10;
SELECT metric, outcome FROM clocks WHERE ticket = '10';
ALTER TABLE ticket RENAME COLUMN status TO state;
\set VERBOSITY default
INSERT INTO ticket (id, created_at) VALUES (11, '2024-03-04 09:00');
\set VERBOSITY terse
ALTER TABLE ticket RENAME COLUMN state TO status;
ALTER TABLE ticket RENAME TO request;
INSERT INTO request (id, created_at) VALUES (11, '2024-03-04 09:00');
SELECT metric, outcome FROM clocks WHERE ticket = '11';
ALTER TABLE request RENAME TO ticket;

-- A user without any right on our tables touches tickets.
CREATE ROLE tracking_agent;
GRANT USAGE ON SCHEMA tracking_test TO tracking_agent;
GRANT SELECT, INSERT, UPDATE ON ticket, message TO tracking_agent;
GRANT USAGE ON SEQUENCE message_id_seq TO tracking_agent;
SET ROLE tracking_agent;
INSERT INTO ticket (id, created_at) VALUES (12, '2024-03-04 09:00');
INSERT INTO message (ticket_id, author, sent_at) VALUES (12, 'agent', '2024-03-04 09:30');
SELECT count(*) FROM sla.log;
SELECT sla.track('mine', 'ticket', 'id');
SELECT sla.record_event('tracking', '12', 'resolved');
SELECT count(*) FROM sla.verify('tracking');
-- A trigger of one's own cannot forge events.
CREATE TEMP TABLE own (id int);
CREATE TRIGGER own AFTER INSERT ON own FOR EACH ROW EXECUTE FUNCTION sla.track_row('tracking', '0');
INSERT INTO own VALUES (1);
CREATE TRIGGER own_truncate AFTER TRUNCATE ON own FOR EACH STATEMENT EXECUTE FUNCTION sla.track_truncate('tracking');
TRUNCATE own;
DROP TABLE own;
RESET ROLE;
SELECT metric, outcome FROM clocks WHERE ticket = '12';

-- A partitioned table: the trigger stands on every partition.
CREATE TABLE part (id bigint, created_at timestamptz NOT NULL, status text DEFAULT 'open', PRIMARY KEY (id, created_at))
	PARTITION BY RANGE (created_at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
-- Its columns stand in another order.
CREATE TABLE part_2 (status text DEFAULT 'open', dropped int, created_at timestamptz NOT NULL, id bigint NOT NULL);
ALTER TABLE part_2 DROP COLUMN dropped;
ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'tracking part', 1, $$status <> 'none'$$, 'tracking standard');
SELECT sla.track('tracking part', 'part', 'id', created_at => 'created_at');
SELECT sla.track_event('tracking part', 'part', 'resolved', $$status = 'solved'$$, at => $$created_at + interval '1 hour'$$);
INSERT INTO part VALUES (1, '2024-01-08 09:00'), (2, '2024-02-05 09:00');
UPDATE part SET status = 'solved';
SELECT ticket, metric, outcome, closed_at FROM sla.log WHERE source = 'tracking part' ORDER BY 1, 2;

-- All of it is what the events give.
SELECT * FROM sla.verify('tracking');
SELECT * FROM sla.verify('tracking part');

-- A partition that comes later is tracked too.
CREATE TABLE part_3 PARTITION OF part FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
INSERT INTO part VALUES (3, '2024-03-05 09:00');
SELECT ticket, metric, outcome FROM sla.log WHERE source = 'tracking part' AND ticket = '3' ORDER BY 1, 2;

TRUNCATE part;
SELECT ticket, event FROM sla.event WHERE source = 'tracking part' AND event = 'deleted' ORDER BY 1;
SELECT * FROM sla.verify('tracking part');

-- Tracking again changes the expressions; untracking takes the triggers away and leaves the log.
SELECT sla.track('tracking', 'ticket', 'id', department => 'upper(department)', created_at => 'created_at', changed_at => 'updated_at');
INSERT INTO ticket (id, department, created_at) VALUES (13, 'sales', '2024-03-04 09:00');
SELECT DISTINCT department, agent FROM clocks WHERE ticket = '13';
SELECT sla.untrack_event('tracking', 'message', 'agent_reply');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'message'::regclass AND NOT tgisinternal;
SELECT sla.untrack_event('tracking', 'message', 'customer_message');
SELECT tgname FROM pg_trigger WHERE tgrelid = 'message'::regclass AND NOT tgisinternal;
SELECT sla.untrack('tracking');
SELECT sla.untrack('tracking part');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid IN ('ticket'::regclass, 'part'::regclass) AND NOT tgisinternal;
INSERT INTO ticket (id, created_at) VALUES (14, '2024-03-04 09:00');
SELECT count(*) > 0 AS kept FROM sla.log WHERE source = 'tracking';

-- A trigger left behind tells why it cannot do its work.
CREATE TRIGGER left_behind AFTER INSERT ON ticket FOR EACH ROW EXECUTE FUNCTION sla.track_row('tracking', '0');
\set VERBOSITY default
INSERT INTO ticket (id, created_at) VALUES (15, '2024-03-04 09:00');
\set VERBOSITY terse

DELETE FROM sla.rule WHERE source IN ('tracking', 'tracking part');
DELETE FROM sla.level WHERE name LIKE 'tracking %';
SET client_min_messages = warning;
DROP SCHEMA tracking_test CASCADE;
DROP ROLE tracking_agent;
