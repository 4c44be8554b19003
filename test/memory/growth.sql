-- A line for each way of writing: its name, how often memory was looked at, and by how much it grew.
SET client_min_messages = warning;
CREATE EXTENSION pg_sla;
CREATE TABLE ticket (id int PRIMARY KEY, status text NOT NULL DEFAULT 'open', note text, seen boolean, created_at timestamptz NOT NULL);
CREATE TABLE message (id bigserial PRIMARY KEY, ticket_id int NOT NULL, author text NOT NULL, name text, sent_at timestamptz NOT NULL);
SELECT sla.set_calendar('memory', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; May 17 off');
INSERT INTO sla.level (name, calendar) VALUES ('memory', 'memory'), ('memory urgent', 'memory');
INSERT INTO sla.target (level, metric, goal) VALUES ('memory', 'first_response', '4 hours'), ('memory', 'next_response', '2 hours'),
	('memory', 'resolution', '3 days'), ('memory urgent', 'first_response', '1 hour');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('everyone', 'memory', 10, 'true', 'memory'), ('urgent', 'memory', 20, $$note LIKE 'urgent%'$$, 'memory urgent');
SELECT sla.track('memory', 'ticket', 'id', created_at => 'created_at');
SELECT sla.track_event('memory', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('memory', 'ticket', 'resolved', $$status = 'solved'$$);
SELECT sla.track_event('memory', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at', agent => 'name');
SELECT sla.track_event('memory', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at', agent => 'name');

-- An invalidation in the middle would have things built again.
ALTER TABLE ticket SET (autovacuum_enabled = false);
ALTER TABLE message SET (autovacuum_enabled = false);
ALTER TABLE sla.ticket SET (autovacuum_enabled = false);
ALTER TABLE sla.event SET (autovacuum_enabled = false);
ALTER TABLE sla.log SET (autovacuum_enabled = false);

CREATE TABLE sample (way text, place int, bytes bigint);
CREATE SEQUENCE place;
-- Looks at every twentieth of so many calls.
CREATE FUNCTION look(way text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF nextval('place') % greatest(n / 20, 1) = 0 THEN
		INSERT INTO sample SELECT look.way, currval('place'), sum(used_bytes) FROM pg_backend_memory_contexts
		WHERE name NOT LIKE 'AfterTrigger%' AND coalesce(parent, '') NOT LIKE 'AfterTrigger%';
	END IF;
END $$;
CREATE FUNCTION grown(way text, OUT name text, OUT samples bigint, OUT bytes bigint) LANGUAGE sql AS $$
	SELECT $1, count(*), coalesce(max(s.bytes) FILTER (WHERE s.place * 4 > m.last), 0) - coalesce(max(s.bytes) FILTER (WHERE s.place * 4 <= m.last), 0)
	FROM sample AS s, (SELECT max(place) AS last FROM sample WHERE sample.way = $1) AS m WHERE s.way = $1
$$;
CREATE FUNCTION look_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM look(TG_ARGV[0], TG_ARGV[1]::int);
	RETURN NULL;
END $$;
-- Fires after ours.
CREATE FUNCTION watch(on_table regclass, way text, n int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('DROP TRIGGER IF EXISTS zz_look ON %s', on_table);
	IF way IS NOT NULL THEN
		EXECUTE format('CREATE TRIGGER zz_look AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION look_row(%L, %L)', on_table, way, n);
	END IF;
	PERFORM setval('place', 1, false);
END $$;
-- n statements of one kind, in one transaction.
CREATE PROCEDURE many(way text, n int, author text, sent timestamptz) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setval('place', 1, false);
	FOR i IN 1..n LOOP
		INSERT INTO message (ticket_id, author, sent_at) VALUES (i, many.author, sent);
		PERFORM look(way, n);
	END LOOP;
END $$;
-- What fails while the rows below the clocks are written, and is caught.
CREATE PROCEDURE many_errors(way text, n int) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM setval('place', 1, false);
	FOR i IN 1..n LOOP
		BEGIN
			INSERT INTO message (ticket_id, author, name, sent_at) VALUES (i, 'agent', 'once', '2024-03-08 10:00+01'), (i, 'agent', 'once', '2024-03-08 11:00+01');
			RAISE 'not reached';
		EXCEPTION WHEN unique_violation THEN
			NULL;
		END;
		PERFORM look(way, n);
	END LOOP;
END $$;

SELECT watch('ticket', 'tickets, one statement', :n);
INSERT INTO ticket (id, created_at) SELECT i, '2024-03-04 09:00+01' FROM generate_series(1, :n) AS i;
SELECT * FROM grown('tickets, one statement');
SELECT watch('message', 'messages, one statement', :n);
INSERT INTO message (ticket_id, author, sent_at) SELECT i, 'agent', '2024-03-04 10:00+01' FROM generate_series(1, :n) AS i;
SELECT * FROM grown('messages, one statement');
SELECT watch('message', NULL, NULL);
SELECT watch('ticket', 'updates that matter not', :n);
UPDATE ticket SET seen = true;
SELECT * FROM grown('updates that matter not');
SELECT watch('ticket', 'another level, one statement', :n / 5);
UPDATE ticket SET note = 'urgent' WHERE id <= :n / 5;
SELECT * FROM grown('another level, one statement');
SELECT watch('ticket', NULL, NULL);

BEGIN;
CALL many('statements, one transaction', :n, 'customer', '2024-03-05 10:00+01');
COMMIT;
SELECT * FROM grown('statements, one transaction');
-- The client's own, because a procedure that commits grows by itself.
SELECT setval('place', 1, false);
SELECT format('INSERT INTO message (ticket_id, author, sent_at) VALUES (%s, ''agent'', ''2024-03-05 11:00+01'')', i),
	'SELECT look(''transactions'', ' || :n || ')' FROM generate_series(1, :n) AS i \gexec
SELECT * FROM grown('transactions');

CREATE UNIQUE INDEX memory_once ON sla.event (agent) WHERE agent = 'once';
CALL many_errors('errors, caught', :n / 5);
SELECT * FROM grown('errors, caught');
DROP INDEX sla.memory_once;

-- By statements.
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER nothing AFTER INSERT ON sla.log FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER nothing AFTER INSERT ON sla.event FOR EACH STATEMENT EXECUTE FUNCTION nothing();
CREATE TRIGGER nothing AFTER INSERT ON sla.ticket FOR EACH STATEMENT EXECUTE FUNCTION nothing();
BEGIN;
CALL many('by SPI, one transaction', :n / 5, 'customer', '2024-03-06 10:00+01');
COMMIT;
SELECT * FROM grown('by SPI, one transaction');
SELECT 'what sla.verify() says', 20, count(*) * 1000000 FROM sla.verify('memory');
