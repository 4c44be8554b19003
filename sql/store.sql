--
-- STORE
-- The rows below the clocks are written directly where a table is plain, and
-- by statements where somebody has given it more. Both write the same.
--
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\set VERBOSITY terse
CREATE TABLE st_ticket (id text PRIMARY KEY, status text NOT NULL DEFAULT 'open', urgent boolean NOT NULL DEFAULT false,
	department text, assignee text, created_at timestamptz NOT NULL, changed_at timestamptz);
CREATE TABLE st_message (id int PRIMARY KEY, ticket text, author text, sent_at timestamptz);
SELECT sla.set_calendar('store', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('store', 'store'), ('store urgent', 'store');
INSERT INTO sla.target (level, metric, goal) VALUES ('store', 'first_response', '4 hours'), ('store', 'next_response', '2 hours'),
	('store', 'resolution', '2 days'), ('store urgent', 'first_response', '1 hour');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('store 1', 'store', 1, 'true', 'store'), ('store 2', 'store', 2, 'urgent', 'store urgent');
SELECT sla.track('store', 'st_ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'changed_at');
SELECT sla.track_event('store', 'st_ticket', 'paused', 'status = ''pending''');
SELECT sla.track_event('store', 'st_ticket', 'resolved', 'status = ''solved''');
SELECT sla.track_event('store', 'st_message', 'agent_reply', 'author = ''agent''', ticket_key => 'ticket', at => 'sent_at', agent => 'author');
SELECT sla.track_event('store', 'st_message', 'customer_message', 'author = ''customer''', ticket_key => 'ticket', at => 'sent_at');
-- A life of tickets that adds, changes and deletes rows of all three tables.
CREATE FUNCTION st_live() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO st_ticket VALUES ('a', 'open', false, 'sales', NULL, '2024-03-04 09:00'), ('b', 'pending', true, NULL, 'Ann', '2024-03-04 10:00');
	INSERT INTO st_message VALUES (1, 'a', 'agent', '2024-03-04 10:00'), (2, 'a', 'customer', '2024-03-04 11:00'),
		(3, 'c', 'customer', '2024-03-04 10:30'), (4, 'b', 'customer', '2024-03-04 12:00'), (5, 'b', 'agent', '2024-03-04 13:00');
	UPDATE st_ticket SET status = 'solved', assignee = 'Bob', changed_at = '2024-03-05 09:00' WHERE id = 'a';
	UPDATE st_ticket SET status = 'open', urgent = false, changed_at = '2024-03-05 10:00' WHERE id = 'b';
	UPDATE st_ticket SET id = 'd', changed_at = '2024-03-05 11:00' WHERE id = 'b';
	-- Told too late: rows that were there need not have been.
	PERFORM sla.record_event('store', 'a', 'merged', '2024-03-04 10:30');
	INSERT INTO st_ticket VALUES ('e', 'open', false, NULL, NULL, '2024-03-04 09:00');
	UPDATE st_ticket SET status = 'solved', changed_at = '2024-03-04 12:00' WHERE id = 'e';
	UPDATE st_ticket SET status = 'open', changed_at = '2024-03-04 13:00' WHERE id = 'e';
	PERFORM sla.record_event('store', 'e', 'merged', '2024-03-04 11:00');
	INSERT INTO st_message VALUES (6, 'd', 'agent', '2024-03-04 11:00');
	DELETE FROM st_ticket WHERE id = 'd';
	INSERT INTO st_ticket VALUES ('d', 'open', false, NULL, NULL, '2024-03-06 10:00');
END $$;
-- By name, whatever has the name.
CREATE FUNCTION st_rows() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY
	SELECT concat_ws(' ', 'log', ticket, agreement, level, metric, ordinal, cycle, calendar, coalesce(department, '-'), coalesce(agent, '-'), goal,
		started_at, counted, coalesce(running_since::text, '-'), deadline, coalesce(closed_at::text, '-'), coalesce(outcome, '-'), coalesce(reason, '-'), elapsed)
	FROM sla.log WHERE source = 'store'
	UNION ALL SELECT concat_ws(' ', 'event', ticket, event, CASE WHEN at > '2025-01-01' THEN '-' ELSE at::text END, coalesce(agent, '-'), of_ticket, coalesce(department, '-'), coalesce(assignee, '-'),
		promises IS NULL, recorded_at = now()) FROM sla.event WHERE source = 'store'
	UNION ALL SELECT concat_ws(' ', 'ticket', ticket, changed_at = now()) FROM sla.ticket WHERE source = 'store';
END $$;
-- All in one transaction, for one now(); each is taken back before the next.
BEGIN;
SAVEPOINT before;
SELECT st_live();
SELECT * FROM sla.verify('store');
SELECT line FROM st_rows() AS line WHERE line !~ ' (cancelled|missed) deleted | d .* resolution ' ORDER BY line;
SELECT count(*) AS rows, md5(string_agg(line, E'\n' ORDER BY line)) AS plain FROM st_rows() AS line \gset
SELECT :rows AS rows;
ROLLBACK TO before;

-- Triggers.
CREATE TABLE st_fired (on_table text, operation text);
CREATE FUNCTION st_fire() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO public.st_fired VALUES (TG_TABLE_NAME, TG_OP);
	RETURN NULL;
END $$;
CREATE TRIGGER st_fire AFTER INSERT OR UPDATE OR DELETE ON sla.ticket FOR EACH ROW EXECUTE FUNCTION st_fire();
CREATE TRIGGER st_fire AFTER INSERT OR UPDATE OR DELETE ON sla.event FOR EACH ROW EXECUTE FUNCTION st_fire();
CREATE TRIGGER st_fire AFTER INSERT OR UPDATE OR DELETE ON sla.log FOR EACH ROW EXECUTE FUNCTION st_fire();
SELECT st_live();
SELECT on_table, operation, count(*) FROM st_fired GROUP BY 1, 2 ORDER BY 1, 2;
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

-- Partitions.
ALTER TABLE sla.log RENAME TO log_before;
CREATE TABLE sla.log (LIKE sla.log_before INCLUDING DEFAULTS INCLUDING IDENTITY, PRIMARY KEY (source, ticket, agreement, metric, ordinal))
	PARTITION BY HASH (source, ticket);
CREATE TABLE st_log_0 PARTITION OF sla.log FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE st_log_1 PARTITION OF sla.log FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX ON sla.log (deadline) WHERE closed_at IS NULL;
SELECT st_live();
SELECT tableoid::regclass AS partition, count(*) FROM sla.log GROUP BY 1 ORDER BY 1;
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

-- Children, row-level security, checks, an index on an expression: all are minded.
CREATE TABLE st_child () INHERITS (sla.log);
SELECT st_live();
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

ALTER TABLE sla.event ENABLE ROW LEVEL SECURITY;
ALTER TABLE sla.log ENABLE ROW LEVEL SECURITY;
SELECT st_live();
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

ALTER TABLE sla.log ADD CONSTRAINT st_no_orders CHECK (department <> 'orders');
SAVEPOINT tried;
INSERT INTO st_ticket (id, department, created_at) VALUES ('o', 'orders', '2024-03-04 09:00');
ROLLBACK TO tried;
SELECT st_live();
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

CREATE FUNCTION st_upper(text) RETURNS text IMMUTABLE LANGUAGE sql RETURN upper($1);
CREATE INDEX st_upper_idx ON sla.log (st_upper(level));
CREATE UNIQUE INDEX ON sla.event (id);
SELECT st_live();
SET LOCAL enable_seqscan = off;
SELECT count(*) > 0 AS found FROM sla.log WHERE st_upper(level) = 'STORE';
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

CREATE INDEX ON sla.log USING hash (metric);
CREATE INDEX ON sla.log USING gin ((ARRAY[level]));
CREATE INDEX ON sla.event USING brin (at);
SELECT st_live();
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;

-- A table that is missing, and there again.
ALTER TABLE sla.event RENAME TO event_gone;
SAVEPOINT tried;
INSERT INTO st_ticket VALUES ('a', 'open', false, 'sales', NULL, '2024-03-04 09:00');
ROLLBACK TO before;
SELECT st_live();
SELECT md5(string_agg(line, E'\n' ORDER BY line)) = :'plain' AS same FROM st_rows() AS line;
SELECT * FROM sla.verify('store');
ROLLBACK TO before;
ROLLBACK;

-- An error in the middle, and what comes after it.
ALTER TABLE sla.log ADD CONSTRAINT st_no_orders CHECK (department <> 'orders') NOT VALID;
DO $$
BEGIN
	INSERT INTO st_ticket (id, department, created_at) VALUES ('1', 'sales', '2024-03-04 09:00');
	BEGIN
		INSERT INTO st_ticket (id, department, created_at) VALUES ('2', 'sales', '2024-03-04 09:00'), ('3', 'orders', '2024-03-04 09:00');
	EXCEPTION WHEN check_violation THEN
		RAISE NOTICE '%', SQLERRM;
	END;
	INSERT INTO st_message VALUES (1, '1', 'agent', '2024-03-04 10:00'), (2, '2', 'customer', '2024-03-04 10:00');
END $$;
ALTER TABLE sla.log DROP CONSTRAINT st_no_orders;
-- The same while the rows are written directly: an index that refuses.
CREATE UNIQUE INDEX st_once ON sla.log (department) WHERE department = 'orders';
DO $$
BEGIN
	FOR n IN 4..6 LOOP
		BEGIN
			INSERT INTO st_ticket (id, department, created_at) VALUES (n, 'sales', '2024-03-04 09:00'), (n || 'x', 'orders', '2024-03-04 09:00');
		EXCEPTION WHEN unique_violation THEN
			RAISE NOTICE '%', SQLERRM;
		END;
		INSERT INTO st_message VALUES (n, n, 'agent', '2024-03-04 10:00');
	END LOOP;
END $$;
DROP INDEX sla.st_once;
SELECT ticket, metric, outcome FROM sla.log WHERE source = 'store' ORDER BY 1, 2;
SELECT * FROM sla.verify('store');

-- Tables of the extension may be altered in a transaction that has written to them.
BEGIN;
INSERT INTO st_ticket (id, created_at) VALUES ('7', '2024-03-04 09:00');
ALTER TABLE sla.log SET (fillfactor = 90);
CREATE INDEX ON sla.log (metric);
INSERT INTO st_message VALUES (7, '7', 'agent', '2024-03-04 10:00');
SELECT metric, outcome FROM sla.log WHERE source = 'store' AND ticket = '7' ORDER BY 1;
TRUNCATE sla.log;
ROLLBACK;

-- Where nothing can be written, it is said.
BEGIN READ ONLY;
SELECT sla.record_event('store', '1', 'paused');
ROLLBACK;

SELECT sla.untrack('store');
DELETE FROM sla.rule WHERE source = 'store';
DELETE FROM sla.level WHERE name LIKE 'store%';
DELETE FROM sla.log WHERE source = 'store';
DELETE FROM sla.event WHERE source = 'store';
DELETE FROM sla.ticket WHERE source = 'store';
DELETE FROM sla.promise WHERE calendar = 'store';
DELETE FROM sla.calendar WHERE name = 'store';
DROP TABLE st_ticket, st_message;
DROP FUNCTION st_live, st_rows;
