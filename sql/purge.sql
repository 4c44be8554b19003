-- Retention: what is over and old enough goes, and what is reported of later days stays.
CREATE SCHEMA purge_test;
SET search_path = purge_test;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT sla.set_calendar('purge', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('purge', 'purge');
INSERT INTO sla.target (level, metric, goal) VALUES ('purge', 'first_response', '4 hours'), ('purge', 'next_response', '2 hours'), ('purge', 'resolution', '48 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'purge', 1, 'true', 'purge');
CREATE TABLE ticket (id int PRIMARY KEY, team text, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
CREATE TABLE message (ticket_id int, author text, sent_at timestamptz);
SELECT sla.track('purge', 'ticket', 'id', department => 'team', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('purge', 'ticket', 'resolved', 'status = ''solved''');
SELECT sla.track_event('purge', 'message', 'agent_reply', 'author = ''agent''', ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('purge', 'message', 'customer_message', 'author = ''customer''', ticket_key => 'ticket_id', at => 'sent_at');
-- One a day, answered and solved the next day; every third too late, every seventh not at all.
INSERT INTO ticket (id, team, created_at) SELECT n, 'team ' || n % 2, timestamptz '2024-03-01 09:00' + n * interval '1 day' FROM generate_series(1, 21) AS n;
INSERT INTO message SELECT id, 'agent', created_at + CASE WHEN id % 3 = 0 THEN interval '5 hours' ELSE interval '1 hour' END FROM ticket;
UPDATE ticket SET status = 'solved', updated_at = created_at + interval '1 day' WHERE id % 7 > 0;
DELETE FROM ticket WHERE id = 5;
UPDATE sla.event SET at = '2024-03-07 10:00' WHERE source = 'purge' AND event = 'deleted';
SELECT sla.record_event('purge', '6', 'customer_message', '2024-03-20 09:00');
SELECT sla.rebuild('purge', '{5}');
SELECT sla.excuse(id, 'storm') FROM sla.log WHERE source = 'purge' AND metric = 'first_response' AND ticket IN ('3', '12') ORDER BY id;
INSERT INTO sla.problem (source, ticket, sqlstate, message) VALUES ('purge', '3', '22012', 'old'), ('purge', '12', '22012', 'kept');
CREATE VIEW kept AS
	SELECT to_jsonb(c) AS row FROM sla.compliance_report AS c WHERE c.source = 'purge' AND c.day >= '2024-03-10'
	UNION ALL SELECT to_jsonb(l) - 'id' FROM sla.log AS l WHERE l.source = 'purge' AND (closed_at >= '2024-03-10' OR closed_at IS NULL)
	UNION ALL SELECT jsonb_build_object(q.ticket, q.request, q.department, q.deadline) FROM sla.queue AS q WHERE q.source = 'purge'
	UNION ALL SELECT to_jsonb(e) FROM sla.excuse AS e WHERE e.source = 'purge' AND e.ticket = '12';
CREATE TABLE before AS TABLE kept;
SELECT count(*) > 10 AS many FROM before;
SELECT sla.purge('2024-03-10 00:00', 'purge');
-- 6 was written to later, 7 is open, 9 and on ended later
SELECT ticket, event, at, of_ticket, department, (SELECT array_agg(p.level) FROM sla.promise AS p WHERE p.id = ANY (e.promises)) AS levels
FROM sla.event AS e WHERE source = 'purge' AND ticket::int < 10 ORDER BY ticket, at, id;
SELECT ticket, metric, outcome FROM sla.log WHERE source = 'purge' AND ticket::int < 10 ORDER BY ticket, metric, ordinal;
SELECT (SELECT count(*) FROM before), count(*) AS missing FROM (TABLE before EXCEPT ALL TABLE kept) AS d;
SELECT count(*) AS more FROM (TABLE kept EXCEPT ALL TABLE before) AS d;
SELECT ticket FROM sla.excuse WHERE source = 'purge' ORDER BY 1;
SELECT ticket, message FROM sla.problem WHERE source = 'purge' ORDER BY 1;
SELECT * FROM sla.verify('purge');
SELECT sla.purge('2024-03-10 00:00', 'purge');
SELECT sla.rebuild('purge'), sla.backfill('purge');
SELECT count(*) FROM sla.recalculate('purge', closed => true, rules => true);
-- Later: the customer waits, under the level and in the department that were known; nothing starts anew silently.
INSERT INTO message VALUES (1, 'customer', '2024-03-25 09:00');
UPDATE ticket SET status = 'open', updated_at = '2024-03-25 09:00' WHERE id = 1;
INSERT INTO ticket VALUES (5, 'team 1', 'open', '2024-03-26 09:00');
SELECT ticket, department, level, metric, ordinal, deadline FROM sla.log WHERE source = 'purge' AND ticket IN ('1', '5') ORDER BY ticket, metric;
SELECT ticket, sqlstate, message FROM sla.problem WHERE source = 'purge' AND ticket IN ('1', '5') ORDER BY 1;
SELECT * FROM sla.verify('purge');
-- and it is over again
INSERT INTO message VALUES (1, 'agent', '2024-03-25 10:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-25 11:00' WHERE id = 1;
SELECT sla.purge('2024-03-26 00:00', 'purge');
SELECT ticket, event, at FROM sla.event WHERE source = 'purge' AND ticket IN ('1', '2') ORDER BY ticket, at;
SELECT * FROM sla.verify('purge');
-- What a ticket is in the end its events say by their own times, whatever was told first: its level and holder, and whether it is over.
INSERT INTO sla.level (name, calendar) VALUES ('purge other', 'purge'), ('purge third', 'purge');
INSERT INTO sla.target (level, metric, goal) VALUES ('purge other', 'next_response', '1 hour'), ('purge third', 'next_response', '3 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('other', 'purge', 2, $$team = 'other'$$, 'purge other'), ('third', 'purge', 3, $$team = 'third'$$, 'purge third');
-- None of their clocks will be open: that alone does not make them over.
DELETE FROM sla.target WHERE metric = 'resolution' AND level = 'purge';
INSERT INTO ticket (id, team, created_at) SELECT n, 'team 1', '2024-02-05 09:00' FROM generate_series(31, 38) AS n;
INSERT INTO message SELECT id, 'agent', '2024-02-05 10:00' FROM ticket WHERE id > 30;
UPDATE ticket SET team = 'other', updated_at = '2024-02-05 12:00' WHERE id = 31;
SELECT sla.record_event('purge', '31', 'resolved', '2024-02-05 13:00');
UPDATE ticket SET team = 'third', updated_at = '2024-02-05 11:00' WHERE id = 31;
-- 32: told of before its creation. 33: over at noon, and open again at noon; 34: the other way round.
UPDATE ticket SET team = 'third', updated_at = '2024-02-05 08:00' WHERE id = 32;
SELECT sla.record_event('purge', '32', 'resolved', '2024-02-05 07:00');
SELECT sla.record_event('purge', '33', event, '2024-02-05 12:00') FROM unnest('{resolved,reopened}'::text[]) AS event;
SELECT sla.record_event('purge', '34', event, '2024-02-05 12:00') FROM unnest('{reopened,resolved}'::text[]) AS event;
-- 35: solved, thrown away and back; 36: not solved, thrown away and back; 37: thrown away, and then told to be open again; 38: open.
SELECT sla.record_event('purge', '35', event, timestamptz '2024-02-05 12:00' + n * interval '1 hour') FROM unnest('{resolved,deleted,undeleted}'::text[]) WITH ORDINALITY AS u (event, n);
SELECT sla.record_event('purge', '36', event, timestamptz '2024-02-05 12:00' + n * interval '1 hour') FROM unnest('{deleted,undeleted}'::text[]) WITH ORDINALITY AS u (event, n);
SELECT sla.record_event('purge', '37', event, timestamptz '2024-02-05 12:00' + n * interval '1 hour') FROM unnest('{deleted,reopened}'::text[]) WITH ORDINALITY AS u (event, n);
SELECT DISTINCT ticket FROM sla.log WHERE source = 'purge' AND closed_at IS NULL AND ticket::int > 30;
SELECT sla.purge('2024-02-10 00:00', 'purge');
SELECT ticket, event, at, department, (SELECT array_agg(p.level) FROM sla.promise AS p WHERE p.id = ANY (e.promises)) AS levels
FROM sla.event AS e WHERE source = 'purge' AND ticket::int > 30 AND event = 'purged' ORDER BY ticket;
SELECT * FROM sla.verify('purge');
-- Who may, and what cannot be.
SELECT sla.purge(NULL);
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT sla.purge('2024-03-26 00:00', 'purge');
ROLLBACK;
CREATE ROLE purge_clerk;
GRANT USAGE ON SCHEMA sla TO purge_clerk;
SET ROLE purge_clerk;
SELECT sla.purge('2024-03-26 00:00');
RESET ROLE;
-- A source that is gone: all that has ended.
SELECT sla.untrack('purge');
SELECT sla.purge('2024-05-01 00:00', 'purge');
SELECT count(DISTINCT ticket) FROM sla.log WHERE source = 'purge';
SELECT * FROM sla.verify('purge');

DELETE FROM sla.rule WHERE source = 'purge';
DELETE FROM sla.level WHERE name LIKE 'purge%';
DELETE FROM sla.excuse WHERE source = 'purge';
DELETE FROM sla.problem WHERE source = 'purge';
REVOKE ALL ON SCHEMA sla FROM purge_clerk;
DROP ROLE purge_clerk;
SET client_min_messages = warning;
DROP SCHEMA purge_test CASCADE;
