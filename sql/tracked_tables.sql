-- Tables of all kinds, and statements of all kinds, under tracking.
\set VERBOSITY terse
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA tracked_tables;
SET search_path = tracked_tables;
SELECT sla.set_calendar('tracked tables', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('tracked tables', 'tracked tables');
INSERT INTO sla.target (level, metric, goal) VALUES
	('tracked tables', 'first_response', '4 hours'), ('tracked tables', 'next_response', '2 hours'), ('tracked tables', 'resolution', '8 hours');
CREATE FUNCTION promise(source text) RETURNS void LANGUAGE sql
AS $$ INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', $1, 1, 'true', 'tracked tables') $$;
CREATE FUNCTION events(source text) RETURNS TABLE (ticket text, events text) LANGUAGE sql
AS $$ SELECT ticket, string_agg(event, ' ' ORDER BY at, id) FROM sla.event WHERE source = $1 GROUP BY ticket ORDER BY ticket COLLATE "C" $$;
CREATE FUNCTION clocks(source text) RETURNS TABLE (ticket text, metric text, outcome text, reason text, elapsed interval) LANGUAGE sql
AS $$ SELECT ticket, metric, outcome, reason, elapsed FROM sla.log WHERE source = $1 ORDER BY ticket COLLATE "C", metric, ordinal $$;

-- A row that moves to another partition is updated. The partitions' columns stand in different orders.
CREATE TABLE part (id bigint, region text, status text DEFAULT 'open', assignee text, created_at timestamptz, updated_at timestamptz, PRIMARY KEY (id, region))
	PARTITION BY LIST (region);
CREATE TABLE part_north PARTITION OF part FOR VALUES IN ('north');
CREATE TABLE part_south (updated_at timestamptz, status text DEFAULT 'open', gone int, id bigint NOT NULL, assignee text, region text NOT NULL, created_at timestamptz);
ALTER TABLE part_south DROP COLUMN gone;
ALTER TABLE part ATTACH PARTITION part_south FOR VALUES IN ('south');
CREATE TABLE part_other PARTITION OF part DEFAULT PARTITION BY HASH (id);
CREATE TABLE part_other_1 PARTITION OF part_other FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE part_other_2 PARTITION OF part_other FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE note (ticket_id bigint, archived boolean DEFAULT false, body text) PARTITION BY LIST (archived);
CREATE TABLE note_now PARTITION OF note FOR VALUES IN (false);
CREATE TABLE note_then PARTITION OF note FOR VALUES IN (true);
SELECT promise('tables part'), sla.track('tables part', 'part', 'id', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('tables part', 'part', 'resolved', $$status = 'solved'$$), sla.track_event('tables part', 'part', 'paused', $$status = 'waiting'$$);
SELECT sla.track_event('tables part', 'note', 'agent_reply', 'body IS NOT NULL', ticket_key => 'ticket_id');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid::regclass::text ~ '^(part|note)' AND tgname ~* '^(pg_)?sla' ORDER BY 1, 2;
INSERT INTO part (id, region, created_at) SELECT i, 'north', '2024-03-04 09:00' FROM generate_series(1, 6) AS i;
UPDATE part SET region = 'south', status = 'waiting', updated_at = '2024-03-04 10:00' WHERE id = 1;
UPDATE part SET region = 'west', status = 'open', updated_at = '2024-03-04 11:00' WHERE id = 1;
UPDATE part SET region = 'north', status = 'solved', updated_at = '2024-03-04 12:00' WHERE id = 1;
-- Many at once, some of which stay where they are; one that changes nothing; one whose key changes as well.
UPDATE part SET region = CASE WHEN id < 4 THEN 'south' ELSE region END, status = 'solved', updated_at = '2024-03-04 13:00' WHERE id IN (2, 3, 4);
UPDATE part SET region = 'south' WHERE id = 5;
UPDATE part SET id = 60, region = 'south', assignee = 'ann', updated_at = '2024-03-04 14:00' WHERE id = 6;
SELECT * FROM events('tables part');
SELECT * FROM clocks('tables part') WHERE ticket IN ('1', '2', '60');
-- A trigger of one's own comes between, and writes tickets itself.
CREATE FUNCTION between_them() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO part (id, region, created_at) VALUES (OLD.id + 100, 'west', '2024-03-04 15:00'); RETURN NULL; END $$;
CREATE TRIGGER z_between AFTER DELETE ON part_south FOR EACH ROW EXECUTE FUNCTION between_them();
UPDATE part SET region = 'north', status = 'open', updated_at = '2024-03-04 15:00' WHERE id IN (2, 3);
DROP TRIGGER z_between ON part_south;
SELECT * FROM events('tables part') WHERE ticket IN ('2', '3', '102', '103');
-- A move that is rolled back, and a ticket of the same key made anew.
BEGIN;
SAVEPOINT s;
UPDATE part SET region = 'west' WHERE id = 2;
ROLLBACK TO s;
DELETE FROM part WHERE id = 5;
INSERT INTO part (id, region, created_at) VALUES (5, 'north', '2024-03-05 09:00');
COMMIT;
SELECT * FROM events('tables part') WHERE ticket IN ('2', '5');
-- A row that its new partition swallows is gone.
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE INSERT ON part_south FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION swallow();
UPDATE part SET region = 'south' WHERE id IN (2, 3) AND region = 'north';
SELECT id FROM part WHERE id IN (2, 3);
SELECT * FROM events('tables part') WHERE ticket IN ('2', '3');
-- A message that moves is not told again.
INSERT INTO note VALUES (60, false, 'hello');
UPDATE note SET archived = true;
UPDATE note SET archived = false, body = NULL;
UPDATE note SET archived = true, body = 'hello again';
DELETE FROM note;
SELECT * FROM events('tables part') WHERE ticket = '60';
-- One partition is truncated, then one of its own partitions, then all.
TRUNCATE part_north;
SELECT * FROM events('tables part') WHERE events ~ 'deleted';
TRUNCATE part_other_1, part_other_2;
SELECT * FROM events('tables part') WHERE ticket IN ('102', '103');
TRUNCATE part;
SELECT count(*) FROM events('tables part') WHERE events !~ 'deleted$';
SELECT * FROM sla.verify('tables part');
-- Partitions that come later tell of rows by themselves, and of TRUNCATE once they are made to; until then health shows them.
CREATE TABLE part_west PARTITION OF part FOR VALUES IN ('west');
CREATE TABLE part_east PARTITION OF part FOR VALUES IN ('east') PARTITION BY RANGE (id);
CREATE TABLE part_east_1 PARTITION OF part_east FOR VALUES FROM (0) TO (1000);
ALTER TABLE part_south DISABLE TRIGGER "sla_tables part";
SELECT part, problem, hint FROM sla.health() WHERE source = 'tables part';
ALTER TABLE part_south ENABLE TRIGGER "sla_tables part";
INSERT INTO part (id, region) VALUES (201, 'west'), (202, 'east');
SELECT sla.track_partitions('tables part');
SELECT * FROM sla.health() WHERE source = 'tables part';
SELECT sla.track_partitions('tables part');
TRUNCATE part_west;
TRUNCATE part_east_1;
SELECT * FROM events('tables part') WHERE ticket IN ('201', '202');
-- Again after sla.track(); for the table's owner, and of a source that there is.
CREATE TABLE part_new PARTITION OF part FOR VALUES IN ('new');
SELECT count(*) FROM sla.health() WHERE source = 'tables part';
SELECT sla.track('tables part', 'part', 'id', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT count(*) FROM sla.health() WHERE source = 'tables part';
CREATE ROLE tracked_tables_other;
GRANT USAGE ON SCHEMA sla TO tracked_tables_other;
SET ROLE tracked_tables_other;
SELECT sla.track_partitions('tables part');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.track_partitions TO tracked_tables_other;
SET ROLE tracked_tables_other;
SELECT sla.track_partitions('tables part');
RESET ROLE;
DROP OWNED BY tracked_tables_other;
DROP ROLE tracked_tables_other;
SELECT sla.track_partitions('tables nowhere');
SELECT sla.untrack('tables part');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgrelid::regclass::text ~ '^(part|note)' AND tgname ~* '^(pg_)?sla' ORDER BY 1, 2;

-- Odd names; a key of type uuid, a generated column, a dropped one, a message that names no possible key.
CREATE SCHEMA "Odd ""Schema""";
CREATE TABLE "Odd ""Schema""".ticket$ (dropped int, "Ticket's Key" uuid PRIMARY KEY, minutes int, "Done?" boolean GENERATED ALWAYS AS (minutes > 60) STORED, "at" timestamptz);
ALTER TABLE "Odd ""Schema""".ticket$ DROP COLUMN dropped;
CREATE TABLE "Odd ""Schema"""."a message" ("of" text, "from\" text);
SELECT promise('odd''s'), sla.track('odd''s', '"Odd ""Schema""".ticket$', 'Ticket''s Key', created_at => '"at"', changed_at => '"at"');
SELECT sla.track_event('odd''s', '"Odd ""Schema""".ticket$', 'resolved', '"Done?"');
SELECT sla.track_event('odd''s', '"Odd ""Schema"""."a message"', 'agent_reply', '"from\" = ''agent''', ticket_key => '"of"', at => '''2024-03-04 10:00 UTC''::timestamptz');
INSERT INTO "Odd ""Schema""".ticket$ ("Ticket's Key", minutes, "at") VALUES ('00000000-0000-0000-0000-00000000000A', 10, '2024-03-04 09:00');
INSERT INTO "Odd ""Schema"""."a message" VALUES ('00000000-0000-0000-0000-00000000000a', 'agent'), ('no key', 'agent'), ('', 'agent');
UPDATE "Odd ""Schema""".ticket$ SET minutes = 61, "at" = '2024-03-04 11:00';
SELECT * FROM events('odd''s');
SELECT * FROM clocks('odd''s');
SELECT sla.untrack('odd''s');

-- Keys of text, of a composite type, and of two columns in one that is generated.
CREATE TYPE pair AS (queue text, number int);
CREATE TABLE by_text (id text PRIMARY KEY, at timestamptz);
CREATE TABLE by_pair (id pair PRIMARY KEY, at timestamptz);
CREATE TABLE by_two (queue text, number int, id text GENERATED ALWAYS AS (queue || '/' || number) STORED, at timestamptz, PRIMARY KEY (queue, number));
CREATE TABLE answer (id text, key pair);
SELECT promise(s), sla.track(s, ('tracked_tables.' || s)::regclass, 'id', created_at => 'at', changed_at => 'at') FROM unnest(ARRAY['by_text', 'by_pair', 'by_two']) AS s;
SELECT sla.track_event(s, 'answer', 'agent_reply', ticket_key => CASE s WHEN 'by_pair' THEN 'key' ELSE 'id' END, at => '''2024-03-04 10:00 UTC''::timestamptz')
FROM unnest(ARRAY['by_text', 'by_pair', 'by_two']) AS s;
INSERT INTO by_text VALUES ('Ünï"\'',', '2024-03-04 09:00'), ('', '2024-03-04 09:00');
INSERT INTO by_pair VALUES (ROW('a "b', 1), '2024-03-04 09:00');
INSERT INTO by_two VALUES ('a', 1, DEFAULT, '2024-03-04 09:00');
INSERT INTO answer SELECT id, NULL FROM by_text UNION ALL SELECT NULL, id FROM by_pair UNION ALL SELECT id, NULL FROM by_two;
UPDATE by_two SET number = 2;
SELECT source, ticket, outcome FROM sla.log WHERE source LIKE 'by\_%' AND metric = 'first_response' ORDER BY source, ticket COLLATE "C";
SELECT count(*) FROM unnest(ARRAY['by_text', 'by_pair', 'by_two']) AS s, sla.verify(s);
SELECT sla.untrack(s) FROM unnest(ARRAY['by_text', 'by_pair', 'by_two']) AS s;

-- Statements of all kinds; foreign keys that cascade and that are checked late.
CREATE TABLE ticket (id bigint PRIMARY KEY, status text DEFAULT 'open', note text, created_at timestamptz DEFAULT '2024-03-04 09:00 UTC', updated_at timestamptz);
CREATE TABLE message (id int GENERATED ALWAYS AS IDENTITY, ticket_id bigint REFERENCES ticket ON UPDATE CASCADE ON DELETE CASCADE DEFERRABLE, author text, sent_at timestamptz);
SELECT promise('all kinds'), sla.track('all kinds', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('all kinds', 'ticket', 'resolved', $$status = 'solved'$$);
SELECT sla.track_event('all kinds', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
BEGIN;
SET CONSTRAINTS ALL DEFERRED;
INSERT INTO message (ticket_id, author, sent_at) VALUES (1, 'agent', '2024-03-04 10:00');
INSERT INTO ticket (id) VALUES (1);
COMMIT;
WITH made AS (INSERT INTO ticket (id) SELECT generate_series(2, 4) RETURNING id)
INSERT INTO message (ticket_id, author, sent_at) SELECT id, 'agent', '2024-03-04 11:00' FROM made;
COPY message (ticket_id, author, sent_at) FROM stdin;
2	agent	2024-03-04 11:30+00
3	customer	2024-03-04 11:30+00
\.
DO $$
BEGIN
	IF current_setting('server_version_num')::int >= 150000 THEN
		EXECUTE $merge$MERGE INTO ticket AS t USING (VALUES (3, 'solved'), (4, 'gone'), (5, 'open')) AS s (id, status) ON t.id = s.id
			WHEN MATCHED AND s.status = 'gone' THEN DELETE
			WHEN MATCHED THEN UPDATE SET status = s.status, updated_at = '2024-03-04 12:00'
			WHEN NOT MATCHED THEN INSERT (id) VALUES (s.id)$merge$;
	ELSE
		UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 12:00' WHERE id = 3;
		DELETE FROM ticket WHERE id = 4;
		INSERT INTO ticket (id) VALUES (5);
	END IF;
	-- A block that fails takes back what it told.
	BEGIN
		UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 12:30' WHERE id = 5;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		UPDATE ticket SET note = 'tried' WHERE id = 5;
	END;
END $$;
UPDATE ticket SET id = 20 WHERE id = 2;
SELECT ticket_id, count(*) FROM message GROUP BY 1 ORDER BY 1;
UPDATE ticket SET status = 'solved' FROM message AS m WHERE m.ticket_id = ticket.id AND ticket.id = 20;
DELETE FROM ticket USING message AS m WHERE m.ticket_id = ticket.id AND ticket.id = 1;
SELECT * FROM events('all kinds');
-- A key that was another ticket's before.
INSERT INTO ticket (id) VALUES (7);
\set VERBOSITY default
UPDATE ticket SET id = 1 WHERE id = 7;
\set VERBOSITY terse
SELECT id FROM ticket WHERE id IN (1, 7);
-- Keys that are exchanged, or moved on, in one statement: at the row that comes first the other's key is still in use. One after the other.
CREATE TABLE swapped (id int PRIMARY KEY DEFERRABLE, at timestamptz NOT NULL DEFAULT '2024-03-04 09:00');
SELECT promise('tables swapped'), sla.track('tables swapped', 'swapped', 'id', created_at => 'at', changed_at => 'at');
INSERT INTO swapped VALUES (1, '2024-03-04 09:00'), (2, '2024-03-04 10:00'), (3, '2024-03-04 11:00');
\set VERBOSITY default
UPDATE swapped SET id = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id < 3;
\set VERBOSITY terse
UPDATE swapped SET id = id + 1;
SELECT id, at FROM swapped ORDER BY id;
UPDATE swapped SET id = 0 WHERE id = 1;
UPDATE swapped SET id = 1 WHERE id = 2;
UPDATE swapped SET id = 2 WHERE id = 0;
UPDATE swapped SET id = id + 10;
SELECT s.id, s.at, l.started_at FROM swapped AS s JOIN sla.log AS l ON l.ticket = s.id::text WHERE l.source = 'tables swapped' AND metric = 'resolution' ORDER BY 1;
SELECT * FROM sla.verify('tables swapped');
SELECT sla.untrack('tables swapped');
-- What a replica applies is told where it was written, unless the trigger is always enabled.
SET session_replication_role = replica;
INSERT INTO ticket (id) VALUES (8);
RESET session_replication_role;
SELECT count(*) FROM sla.event WHERE source = 'all kinds' AND ticket = '8';
SELECT * FROM sla.health();
ALTER TABLE ticket ENABLE ALWAYS TRIGGER "sla_all kinds";
SET session_replication_role = replica;
INSERT INTO ticket (id) VALUES (9);
RESET session_replication_role;
SELECT * FROM events('all kinds') WHERE ticket = '9';
SELECT * FROM sla.verify('all kinds');
SELECT sla.untrack('all kinds');

-- Row-level security: whoever may write the ticket starts its clocks, and nobody sees more than before.
CREATE ROLE tracked_tables_agent;
CREATE ROLE tracked_tables_owner;
CREATE TABLE secret (id bigint PRIMARY KEY, team text, status text DEFAULT 'open', at timestamptz DEFAULT '2024-03-04 09:00 UTC', due timestamptz);
CREATE TABLE secret_message (ticket_id bigint);
SELECT promise('tables secret'), sla.track('tables secret', 'secret', 'id', created_at => 'at', changed_at => 'at', due_column => 'due');
SELECT sla.track_event('tables secret', 'secret_message', 'agent_reply', ticket_key => 'ticket_id', at => '''2024-03-04 10:00 UTC''::timestamptz');
ALTER TABLE secret OWNER TO tracked_tables_owner;
ALTER TABLE secret_message OWNER TO tracked_tables_owner;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_team ON secret TO tracked_tables_agent USING (team = 'a');
GRANT USAGE ON SCHEMA tracked_tables TO tracked_tables_agent, tracked_tables_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON secret, secret_message TO tracked_tables_agent;
INSERT INTO secret (id, team) VALUES (2, 'b');
SET ROLE tracked_tables_agent;
INSERT INTO secret (id, team) VALUES (1, 'a');
INSERT INTO secret (id, team) VALUES (3, 'b');
INSERT INTO secret_message VALUES (1), (2);
SELECT id, due FROM secret;
RESET ROLE;
SELECT id, due FROM secret ORDER BY id;
SELECT * FROM clocks('tables secret');
-- Forced on its owner too, who sees nothing: the clocks are right, the column is as it was.
ALTER TABLE secret FORCE ROW LEVEL SECURITY;
SET ROLE tracked_tables_agent;
INSERT INTO secret (id, team) VALUES (4, 'a');
SELECT id, due FROM secret ORDER BY id;
RESET ROLE;
SELECT * FROM clocks('tables secret') WHERE ticket = '4';
SELECT * FROM sla.verify('tables secret');
SELECT sla.untrack('tables secret');

-- Rows of a child table are not the parent's: its triggers are not inherited. A trigger of the child's own tells of them.
CREATE TABLE parent (id bigint PRIMARY KEY, at timestamptz DEFAULT '2024-03-04 09:00 UTC');
CREATE TABLE child (extra text) INHERITS (parent);
SELECT promise('tables parent'), sla.track('tables parent', 'parent', 'id', created_at => 'at');
INSERT INTO child (id) VALUES (1);
CREATE TRIGGER sla_child AFTER INSERT OR UPDATE OR DELETE ON child FOR EACH ROW EXECUTE FUNCTION sla.track_row('tables parent', '0');
INSERT INTO child (id) VALUES (2);
INSERT INTO parent (id) VALUES (3);
DELETE FROM parent WHERE id = 2;
SELECT * FROM events('tables parent');
DROP TRIGGER sla_child ON child;
SELECT sla.untrack('tables parent');

DELETE FROM sla.rule WHERE set_level = 'tracked tables';
DELETE FROM sla.level WHERE name = 'tracked tables';
DROP SCHEMA "Odd ""Schema""" CASCADE;
DROP SCHEMA tracked_tables CASCADE;
DROP ROLE tracked_tables_agent, tracked_tables_owner;
