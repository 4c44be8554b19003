-- Backfill: tickets that were there before they were tracked.
CREATE SCHEMA backfill_test;
SET search_path = backfill_test;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT sla.set_calendar('backfill', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('backfill', 'backfill'), ('backfill urgent', 'backfill');
INSERT INTO sla.target (level, metric, goal) VALUES
	('backfill', 'first_response', '4 hours'), ('backfill', 'next_response', '2 hours'), ('backfill', 'resolution', '2 days'),
	('backfill urgent', 'first_response', '1 hour'), ('backfill urgent', 'resolution', '8 hours');
CREATE FUNCTION rules_for(name text) RETURNS void LANGUAGE sql
	AS $$ INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', $1, 1, 'true', 'backfill'), ('urgent', $1, 2, 'urgent', 'backfill urgent') $$;

CREATE TABLE ticket (
	gone int, id bigint PRIMARY KEY, status text NOT NULL DEFAULT 'open', urgent boolean NOT NULL DEFAULT false, team text, who text,
	created_at timestamptz NOT NULL, updated_at timestamptz, solved_at timestamptz,
	shout text GENERATED ALWAYS AS (upper(team)) STORED);
ALTER TABLE ticket DROP COLUMN gone;
CREATE TABLE message (also_gone text, id serial PRIMARY KEY, ticket_id bigint, author text, body text, sent_at timestamptz);
ALTER TABLE message DROP COLUMN also_gone;
CREATE TABLE change (ticket_no text, became text, was text, at timestamptz);
CREATE FUNCTION tables_for(name text) RETURNS void LANGUAGE plpgsql
AS $$
BEGIN
	PERFORM sla.track(name, 'ticket', 'id', department => 'shout', agent => 'who', created_at => 'created_at', changed_at => 'updated_at');
	PERFORM sla.track_event(name, 'ticket', 'paused', 'status = ''waiting''');
	PERFORM sla.track_event(name, 'ticket', 'resolved', 'status = ''solved''', at => 'solved_at');
	PERFORM sla.track_event(name, 'message', 'agent_reply', 'author = ''agent''', ticket_key => 'ticket_id', at => 'sent_at', agent => '''Ola''');
	PERFORM sla.track_event(name, 'message', 'customer_message', 'author = ''customer''', ticket_key => 'ticket_id', at => 'sent_at');
END
$$;

-- What triggers tell of rows as they come in ...
SELECT rules_for('as it came'), tables_for('as it came');
INSERT INTO ticket (id, status, urgent, team, who, created_at, updated_at, solved_at)
SELECT n, CASE n % 5 WHEN 0 THEN 'waiting' WHEN 1 THEN 'solved' ELSE 'open' END, n % 7 = 0, CASE WHEN n % 3 > 0 THEN 'team ' || n % 3 END,
	CASE WHEN n % 4 > 0 THEN 'Kari' END, timestamptz '2024-03-04 09:00' + n * interval '17 minutes',
	CASE WHEN n % 6 > 0 THEN timestamptz '2024-03-06 09:00' + n * interval '11 minutes' END,
	CASE WHEN n % 5 = 1 AND n % 11 > 0 THEN timestamptz '2024-03-05 09:00' + n * interval '13 minutes' END
FROM generate_series(1, 500) AS n;
INSERT INTO message (ticket_id, author, body, sent_at)
SELECT 1 + n * 37 % 520, CASE WHEN n % 3 = 0 THEN 'agent' WHEN n % 17 > 0 THEN 'customer' END, repeat('x', 3000),
	timestamptz '2024-03-04 10:00' + n * interval '7 minutes'
FROM generate_series(1, 2000) AS n;
-- ... is what a backfill finds in them afterwards, but for messages of tickets that there are not.
SELECT rules_for('backfill'), tables_for('backfill');
SELECT count(*) FROM sla.event WHERE source = 'backfill';
SELECT sla.backfill('backfill');
SELECT count(*), min(id) IS NOT NULL AS numbered FROM sla.event WHERE source = 'backfill';
CREATE VIEW events AS
	SELECT e.source, e.ticket, e.event, e.at, e.agent, e.of_ticket, e.department, e.assignee,
		ARRAY(SELECT p.level FROM unnest(e.promises) AS i JOIN sla.promise AS p ON p.id = i) AS levels,
		row_number() OVER (PARTITION BY e.source, e.ticket, e.at ORDER BY e.event) AS place
	FROM sla.event AS e WHERE EXISTS (SELECT FROM ticket WHERE id::text = e.ticket);
CREATE VIEW clocks AS
	SELECT source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since,
		deadline, closed_at, outcome, reason, elapsed
	FROM sla.log WHERE EXISTS (SELECT FROM ticket WHERE id::text = log.ticket);
CREATE FUNCTION differences(a text, b text) RETURNS TABLE (what text, n bigint) LANGUAGE sql
AS $$
	SELECT 'events', count(*) FROM (
		(SELECT to_jsonb(e) - 'source' FROM events AS e WHERE source = a EXCEPT ALL SELECT to_jsonb(e) - 'source' FROM events AS e WHERE source = b)
		UNION ALL
		(SELECT to_jsonb(e) - 'source' FROM events AS e WHERE source = b EXCEPT ALL SELECT to_jsonb(e) - 'source' FROM events AS e WHERE source = a)) AS d
	UNION ALL
	SELECT 'clocks', count(*) FROM (
		(SELECT to_jsonb(c) - 'source' FROM clocks AS c WHERE source = a EXCEPT ALL SELECT to_jsonb(c) - 'source' FROM clocks AS c WHERE source = b)
		UNION ALL
		(SELECT to_jsonb(c) - 'source' FROM clocks AS c WHERE source = b EXCEPT ALL SELECT to_jsonb(c) - 'source' FROM clocks AS c WHERE source = a)) AS d
$$;
SELECT * FROM differences('as it came', 'backfill');
SELECT outcome, metric, count(*) FROM sla.log WHERE source = 'backfill' GROUP BY 1, 2 ORDER BY 2, 1;
SELECT * FROM sla.verify('backfill');
-- Again: nothing is missing.
SELECT sla.backfill('backfill');

-- In pieces.
SELECT rules_for('pieces'), tables_for('pieces');
SELECT sla.backfill('pieces', at_most => 120);
SELECT sla.backfill('pieces', 120);
SELECT count(*) FROM sla.ticket WHERE source = 'pieces';
CALL sla.backfill_in_batches('pieces', 100);
SELECT tickets, left_out, last_ticket, finished_at >= started_at AS finished FROM sla.backfill_progress WHERE source = 'pieces';
SELECT * FROM differences('as it came', 'pieces');
SELECT * FROM sla.verify('pieces');
CALL sla.backfill_in_batches('pieces');
SELECT tickets, finished_at IS NOT NULL AS finished FROM sla.backfill_progress WHERE source = 'pieces';
BEGIN;
CALL sla.backfill_in_batches('pieces');
ROLLBACK;

-- Where somebody has made our tables ones that only the executor can write: the same, row by row.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER INSERT ON sla.ticket FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER nothing AFTER INSERT ON sla.event FOR EACH ROW EXECUTE FUNCTION nothing();
CREATE TRIGGER nothing AFTER INSERT ON sla.log FOR EACH ROW EXECUTE FUNCTION nothing();
SELECT rules_for('by rows'), tables_for('by rows');
SELECT sla.backfill('by rows');
DROP TRIGGER nothing ON sla.ticket;
DROP TRIGGER nothing ON sla.event;
DROP TRIGGER nothing ON sla.log;
SELECT * FROM differences('as it came', 'by rows');
SELECT * FROM sla.verify('by rows');
SELECT sla.untrack('by rows');

-- Another session sees how far it is.
CREATE FUNCTION says(id bigint) RETURNS text LANGUAGE sql STABLE
	RETURN (SELECT CASE WHEN query LIKE 'sla.backfill(''seen''): 0 tickets, 0 events%' AND state = 'active' THEN 'told' ELSE query END
		FROM pg_stat_activity WHERE pid = pg_backend_pid());
SELECT sla.track('seen', 'ticket', 'id', department => 'backfill_test.says(id)', created_at => 'created_at');
SELECT sla.backfill('seen', 1);
SELECT department FROM sla.event WHERE source = 'seen';
SELECT query LIKE 'SELECT query LIKE%' AS restored FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT sla.untrack('seen');

-- Triggers have seen something of a ticket meanwhile: as if they had been there from its creation on.
SELECT sla.untrack('as it came'), sla.untrack('backfill'), sla.untrack('pieces');
TRUNCATE ticket, message;
SELECT rules_for('in order'), tables_for('in order');
INSERT INTO ticket (id, status, urgent, team, who, created_at, updated_at) VALUES
	(1, 'waiting', true, 'a', 'Kari', '2024-03-04 09:00', '2024-03-04 10:00'),
	(2, 'open', false, 'a', 'Kari', '2024-03-04 09:00', '2024-03-04 10:00'),
	(3, 'open', false, 'a', 'Kari', '2024-03-04 09:00', '2024-03-04 10:00');
INSERT INTO message (ticket_id, author, sent_at) VALUES (1, 'customer', '2024-03-04 09:30'), (2, 'agent', '2024-03-04 09:40'), (3, 'agent', '2024-03-04 10:00');
SELECT rules_for('later'), tables_for('later');
UPDATE ticket SET status = 'open', team = 'b', updated_at = '2024-03-04 11:00' WHERE id = 1;
UPDATE ticket SET urgent = false, updated_at = '2024-03-04 11:30' WHERE id = 1;
INSERT INTO message (ticket_id, author, sent_at) VALUES (1, 'agent', '2024-03-04 12:00'), (2, 'customer', '2024-03-04 12:30');
UPDATE ticket SET status = 'solved', solved_at = '2024-03-05 12:00', updated_at = '2024-03-05 12:10' WHERE id = 2;
SELECT ticket, event, at FROM sla.event WHERE source = 'later' ORDER BY ticket, id;
SELECT sla.backfill('later');
SELECT ticket, event, at, department, levels FROM (SELECT *, (SELECT id FROM sla.event AS s WHERE (s.source, s.ticket, s.event, s.at) = (e.source, e.ticket, e.event, e.at)) AS id FROM events AS e) AS e
WHERE source = 'later' ORDER BY ticket, id;
-- All that is missing is the pause whose beginning nothing tells, and the level before the first change that was seen.
(SELECT ticket, event, at, levels FROM events WHERE source = 'in order' EXCEPT SELECT ticket, event, at, levels FROM events WHERE source = 'later') ORDER BY 1, 3;
(SELECT ticket, event, at, levels FROM events WHERE source = 'later' EXCEPT SELECT ticket, event, at, levels FROM events WHERE source = 'in order') ORDER BY 1, 3;
SELECT ticket, level, metric, ordinal, started_at, deadline, closed_at, outcome, reason FROM clocks WHERE source = 'later' ORDER BY ticket, metric, ordinal;
SELECT * FROM sla.verify('later');
SELECT sla.backfill('later');
-- and it goes on
UPDATE ticket SET urgent = true, updated_at = '2024-03-05 13:00' WHERE id = 3;
DELETE FROM ticket WHERE id = 2;
SELECT * FROM sla.verify('later');
SELECT sla.untrack('in order'), sla.untrack('later');

-- The user's own history tells states, which the ticket's row then does not tell again.
SELECT rules_for('history');
TRUNCATE ticket, message;
INSERT INTO ticket (id, status, created_at, updated_at) VALUES
	(1, 'solved', '2024-03-04 09:00', '2024-03-20 10:00'), (2, 'waiting', '2024-03-04 09:00', '2024-03-20 10:00'), (3, 'open', '2024-03-04 09:00', '2024-03-20 10:00');
INSERT INTO change VALUES
	('1', 'waiting', 'open', '2024-03-04 10:00'), ('1', 'open', 'waiting', '2024-03-04 13:00'), ('1', 'solved', 'open', '2024-03-05 09:00'),
	('1', 'open', 'solved', '2024-03-05 10:00'), ('1', 'solved', 'open', '2024-03-05 11:00'),
	('3', 'waiting', 'open', '2024-03-04 10:00'), ('3', 'open', 'waiting', '2024-03-04 11:00'), ('4', 'solved', 'open', '2024-03-05 09:00');
SELECT tables_for('history');
SELECT sla.track_event('history', 'change', 'paused', 'became = ''waiting''', ticket_key => 'ticket_no', at => 'at');
SELECT sla.track_event('history', 'change', 'resumed', 'was = ''waiting''', ticket_key => 'ticket_no', at => 'at');
SELECT sla.track_event('history', 'change', 'resolved', 'became = ''solved''', ticket_key => 'ticket_no', at => 'at');
SELECT sla.track_event('history', 'change', 'reopened', 'was = ''solved''', ticket_key => 'ticket_no', at => 'at');
SELECT sla.backfill('history');
SELECT ticket, event, at, of_ticket FROM events WHERE source = 'history' ORDER BY ticket, at;
SELECT ticket, metric, ordinal, outcome, elapsed, counted FROM clocks WHERE source = 'history' ORDER BY 1, 2, 3;
SELECT * FROM sla.verify('history');
SELECT sla.untrack('history');

-- Facts, and columns that are kept.
CREATE TABLE request (id uuid PRIMARY KEY, customer int, opened timestamptz NOT NULL, level text, due timestamptz);
CREATE VIEW facts AS SELECT id, customer = 1 AS urgent, 1 / NULLIF(customer, 9) AS broken FROM request;
INSERT INTO request SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, n, '2098-01-01 09:00' FROM generate_series(1, 3) AS n;
SELECT rules_for('facts');
SELECT sla.track('facts', 'request', 'id', created_at => 'opened', changed_at => 'opened', facts => 'facts', level_column => 'level', due_column => 'due');
SELECT sla.backfill('facts');
SELECT customer, level, due FROM request ORDER BY id;
SELECT * FROM sla.verify('facts');
SELECT count(*), count(DISTINCT ticket) FROM sla.event WHERE source = 'facts';
CREATE OR REPLACE VIEW facts AS SELECT id, customer = 1 AS urgent, 1 / (customer - 5) AS broken FROM request;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('breaks', 'facts', 3, 'broken > 7', 'backfill urgent');
ALTER TABLE request DISABLE TRIGGER USER;
INSERT INTO request SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, n, '2098-01-01 09:00' FROM generate_series(4, 6) AS n;
ALTER TABLE request ENABLE TRIGGER USER;
SELECT sla.backfill('facts');
SET pg_sla.on_rule_error = record;
SELECT sla.backfill('facts');
RESET pg_sla.on_rule_error;
SELECT ticket, sqlstate, message FROM sla.problem WHERE source = 'facts';
SELECT customer, level FROM request ORDER BY id;
SELECT * FROM sla.verify('facts');
SELECT sla.untrack('facts');

-- A rule that fails names itself and the ticket.
CREATE TABLE odd (id text PRIMARY KEY, n int, at timestamptz);
INSERT INTO odd VALUES ('it''s', 1, '2024-03-04 09:00'), ('"x"', 0, '2024-03-04 09:00'), ('', 2, '2024-03-04 09:00'), ('ä', 3, NULL);
SELECT rules_for('odd');
DELETE FROM sla.rule WHERE source = 'odd' AND name = 'urgent';
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('divides', 'odd', 2, '1 / n > 0', 'backfill urgent');
SELECT sla.track('odd', 'odd', 'id', created_at => 'at', changed_at => 'at');
SELECT sla.backfill('odd');
SELECT count(*) FROM sla.ticket WHERE source = 'odd';
SET pg_sla.on_rule_error = record;
SELECT sla.backfill('odd');
SELECT ticket, sqlstate, message FROM sla.problem WHERE source = 'odd' ORDER BY ticket COLLATE "C";
SELECT ticket, level FROM sla.log WHERE source = 'odd' AND metric = 'resolution' ORDER BY ticket COLLATE "C";
RESET pg_sla.on_rule_error;
SELECT sla.backfill('odd');
DELETE FROM odd WHERE at IS NULL;
SELECT sla.backfill('odd');
SELECT sla.untrack('odd');

-- Rows that do not tell when: refused before anything is done.
SELECT sla.track('when', 'odd', 'id');
SELECT sla.backfill('when');
SELECT sla.track('when', 'odd', 'id', created_at => 'at');
SELECT sla.track_event('when', 'odd', 'resolved', 'n = 2');
SELECT sla.backfill('when');
SELECT sla.track('when', 'odd', 'id', created_at => 'at', changed_at => 'at');
SELECT sla.track_event('when', 'message', 'agent_reply', ticket_key => 'ticket_id');
SELECT sla.backfill('when');
SELECT sla.track_event('when', 'message', 'agent_reply', ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.backfill('when');
SELECT sla.untrack('when');
-- a row whose time is null
ALTER TABLE ticket DISABLE TRIGGER USER;
SELECT tables_for('null');
ALTER TABLE message DISABLE TRIGGER USER;
INSERT INTO message (ticket_id, author, sent_at) VALUES (1, 'agent', NULL);
SELECT sla.backfill('null');
SET pg_sla.on_rule_error = record;
SELECT sla.backfill('null');
RESET pg_sla.on_rule_error;
SELECT ticket, message FROM sla.problem WHERE source = 'null';
SELECT sla.untrack('null');

-- Partitions, and children of plain tables, of which only those count that have the trigger.
CREATE TABLE part (id int, at timestamptz, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE part_a (at timestamptz, id int NOT NULL);
ALTER TABLE part ATTACH PARTITION part_a FOR VALUES FROM (0) TO (10);
CREATE TABLE part_b PARTITION OF part FOR VALUES FROM (10) TO (20);
INSERT INTO part SELECT n, '2024-03-04 09:00' FROM generate_series(8, 11) AS n;
SELECT rules_for('part');
DELETE FROM sla.rule WHERE source = 'part' AND name = 'urgent';
SELECT sla.track('part', 'part', 'id', created_at => 'at', changed_at => 'at');
SELECT sla.backfill('part');
SELECT ticket, at, levels FROM (SELECT e.ticket, e.at, ARRAY(SELECT p.level FROM unnest(e.promises) AS i JOIN sla.promise AS p ON p.id = i) AS levels
	FROM sla.event AS e WHERE source = 'part') AS e ORDER BY ticket::int;
SELECT sla.untrack('part');
CREATE TABLE parent (id int PRIMARY KEY, at timestamptz);
CREATE TABLE child () INHERITS (parent);
CREATE TABLE stranger () INHERITS (parent);
INSERT INTO parent VALUES (1, '2024-03-04 09:00');
INSERT INTO child VALUES (2, '2024-03-04 09:00');
INSERT INTO stranger VALUES (3, '2024-03-04 09:00');
SELECT sla.track('part', 'parent', 'id', created_at => 'at', changed_at => 'at');
CREATE TRIGGER sla_child AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION sla.track_row('part', '0');
DELETE FROM sla.event WHERE source = 'part';
DELETE FROM sla.log WHERE source = 'part';
DELETE FROM sla.ticket WHERE source = 'part';
SELECT sla.backfill('part');
SELECT ticket FROM sla.ticket WHERE source = 'part' ORDER BY 1;
SELECT sla.untrack('part');
DROP TRIGGER sla_child ON child;

-- A key of a composite type; keys of messages that an expression makes.
CREATE TYPE number AS (area text, n int);
CREATE TABLE pair (k number PRIMARY KEY, at timestamptz);
CREATE TABLE note (about text, at timestamptz);
INSERT INTO pair VALUES (('a b', 1), '2024-03-04 09:00'), (('c', 2), '2024-03-04 09:00');
INSERT INTO note VALUES ('("a b",1)', '2024-03-04 10:00'), ('("a b",1)', '2024-03-04 11:00'), ('nothing', '2024-03-04 10:00');
SELECT rules_for('pair');
DELETE FROM sla.rule WHERE source = 'pair' AND name = 'urgent';
SELECT sla.track('pair', 'pair', 'k', created_at => 'at', changed_at => 'at');
SELECT sla.track_event('pair', 'note', 'agent_reply', ticket_key => 'about || ''''', at => 'at');
SELECT sla.track_event('pair', 'note', 'customer_message', 'at > ''2024-03-04 10:30''', ticket_key => 'about', at => 'at');
CALL sla.backfill_in_batches('pair', 1);
SELECT ticket, event, at FROM sla.event WHERE source = 'pair' ORDER BY ticket, at, event;
SELECT * FROM sla.verify('pair');
SELECT sla.untrack('pair');

-- Row-level security hides no ticket silently, and it takes the right to read them.
CREATE ROLE backfill_tracker;
GRANT USAGE, CREATE ON SCHEMA backfill_test TO backfill_tracker;
GRANT USAGE ON SCHEMA sla TO backfill_tracker;
GRANT EXECUTE ON FUNCTION sla.track, sla.backfill, sla.untrack TO backfill_tracker;
CREATE TABLE secret (id int PRIMARY KEY, at timestamptz);
INSERT INTO secret VALUES (1, '2024-03-04 09:00');
GRANT TRIGGER ON secret TO backfill_tracker;
SELECT rules_for('secret');
DELETE FROM sla.rule WHERE source = 'secret' AND name = 'urgent';
SET ROLE backfill_tracker;
SELECT sla.track('secret', 'secret', 'id', created_at => 'at', changed_at => 'at');
RESET ROLE;
GRANT SELECT ON secret TO backfill_tracker;
SET ROLE backfill_tracker;
SELECT sla.track('secret', 'secret', 'id', created_at => 'at', changed_at => 'at');
RESET ROLE;
REVOKE SELECT ON secret FROM backfill_tracker;
SET ROLE backfill_tracker;
SELECT sla.backfill('secret');
RESET ROLE;
GRANT SELECT ON secret TO backfill_tracker;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
SET ROLE backfill_tracker;
SELECT sla.backfill('secret');
RESET ROLE;
ALTER TABLE secret DISABLE ROW LEVEL SECURITY;
SET ROLE backfill_tracker;
SELECT sla.backfill('secret');
SELECT sla.untrack('secret');
RESET ROLE;

-- What cannot be.
SELECT sla.backfill('nowhere');
SELECT sla.backfill(NULL);
SELECT sla.backfill('nowhere', 0);
CALL sla.backfill_in_batches('nowhere', -1);

DELETE FROM sla.rule WHERE set_level IN ('backfill', 'backfill urgent');
DELETE FROM sla.level WHERE name IN ('backfill', 'backfill urgent');
CREATE TABLE mine (source text);
INSERT INTO mine VALUES ('as it came'), ('backfill'), ('pieces'), ('by rows'), ('seen'), ('in order'), ('later'), ('history'), ('facts'), ('odd'), ('when'), ('null'), ('part'), ('pair'), ('secret');
DELETE FROM sla.log WHERE source IN (TABLE mine);
DELETE FROM sla.event WHERE source IN (TABLE mine);
DELETE FROM sla.ticket WHERE source IN (TABLE mine);
DELETE FROM sla.backfill_progress;
DELETE FROM sla.problem WHERE source IN ('facts', 'odd', 'null');
SET client_min_messages = warning;
DROP SCHEMA backfill_test CASCADE;
DROP OWNED BY backfill_tracker;
DROP ROLE backfill_tracker;
