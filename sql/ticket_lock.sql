--
-- The ticket's own row: who tells something of a ticket from elsewhere has it locked, whatever its key is and however it is found
--
SET timezone = 'UTC';
SET datestyle = 'ISO';
SELECT sla.set_calendar('ticket lock', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('ticket lock', 'ticket lock');
INSERT INTO sla.target (level, metric, goal) VALUES ('ticket lock', 'first_response', '12 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'ticket lock', 1, 'true', 'ticket lock');

DO $$
DECLARE
	one record;
	locked boolean;
	again boolean;
BEGIN
	FOR one IN SELECT * FROM (VALUES
		('smallint', '7', '', 'ADD PRIMARY KEY (id)'),
		('integer', '-7', '', 'ADD PRIMARY KEY (id)'),
		('bigint', '7000000000', '', 'ADD PRIMARY KEY (id)'),
		('text', 'seven', '', 'ADD PRIMARY KEY (id)'),
		('varchar', 'seven', '', 'ADD PRIMARY KEY (id)'),
		('varchar(5)', 'seven', '', 'ADD PRIMARY KEY (id)'),
		('uuid', '00000000-0000-4000-8000-000000000007', '', 'ADD PRIMARY KEY (id)'),
		-- keys and tables for which a statement is needed
		('text', 'seven', 'COLLATE "C"', 'ADD UNIQUE (id, created_at)'),
		('bigint', '7', '', 'ADD PRIMARY KEY (id) DEFERRABLE'),
		('bigint', '7', '', 'ADD PRIMARY KEY (id), FORCE ROW LEVEL SECURITY, ENABLE ROW LEVEL SECURITY'),
		-- those where nothing is locked: no index, none of all rows, a key whose text is not known
		('bigint', '7', '', 'ADD CHECK (id > 0)'),
		('numeric', '7', '', 'ADD PRIMARY KEY (id)')
	) AS v (type, key, how, change)
	LOOP
		EXECUTE format('CREATE TABLE row_ticket (id %s %s, created_at timestamptz NOT NULL)', one.type, one.how);
		EXECUTE 'ALTER TABLE row_ticket ' || one.change;
		CREATE TABLE row_message (ticket text);
		PERFORM sla.track('ticket lock', 'row_ticket', 'id', created_at => 'created_at');
		PERFORM sla.track_event('ticket lock', 'row_message', 'agent_reply', ticket_key => 'ticket');
		EXECUTE 'INSERT INTO row_ticket VALUES ($1::' || one.type || ', ''2098-01-01 08:00'')' USING one.key;
		COMMIT;
		INSERT INTO row_message VALUES (one.key);
		EXECUTE 'SELECT xmax::text <> ''0'' FROM row_ticket' INTO locked;
		ROLLBACK;
		-- One that there is not, and that cannot be.
		INSERT INTO row_message VALUES ('8'), ('none of them');
		-- The key has changed its kind since.
		IF one.change = 'ADD PRIMARY KEY (id)' THEN
			ALTER TABLE row_ticket DROP CONSTRAINT row_ticket_pkey;
			COMMIT;
			INSERT INTO row_message VALUES (one.key);
			EXECUTE 'SELECT xmax::text <> ''0'' FROM row_ticket WHERE xmax = pg_current_xact_id()::xid' INTO again;
		ELSE
			again := NULL;
		END IF;
		RAISE NOTICE '% %: % %', one.type, one.change, CASE WHEN locked THEN 'locked' ELSE 'not locked' END,
			CASE WHEN one.change = 'ADD PRIMARY KEY (id)' THEN CASE WHEN again THEN 'with and' ELSE 'but not' END || ' without the index' ELSE '' END;
		PERFORM sla.untrack('ticket lock');
		DROP TABLE row_ticket, row_message;
		DELETE FROM sla.log WHERE source = 'ticket lock';
		DELETE FROM sla.event WHERE source = 'ticket lock';
		DELETE FROM sla.ticket WHERE source = 'ticket lock';
		COMMIT;
	END LOOP;
END $$;

-- An edit of a calendar writes the due_column of rows under forced row-level security, of those that the owner sees.
CREATE TABLE row_ticket (id integer PRIMARY KEY, created_at timestamptz NOT NULL, hidden boolean NOT NULL, due timestamptz);
ALTER TABLE row_ticket ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE ROLE row_owner;
GRANT ALL ON SCHEMA public TO row_owner;
CREATE POLICY seen ON row_ticket TO row_owner USING (NOT hidden);
SELECT sla.track('ticket lock', 'row_ticket', 'id', created_at => 'created_at', due_column => 'due');
INSERT INTO row_ticket VALUES (1, '2098-01-01 08:00', false), (2, '2098-01-01 08:00', true), (3, '2098-01-01 08:00', false);
ALTER TABLE row_ticket OWNER TO row_owner;
DELETE FROM row_ticket WHERE id = 3;
SELECT id, due FROM row_ticket ORDER BY id;
SELECT sla.set_calendar('ticket lock', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT id, due FROM row_ticket ORDER BY id;
SELECT ticket, deadline FROM sla.log WHERE source = 'ticket lock' ORDER BY 1;

SELECT sla.untrack('ticket lock');
DROP TABLE row_ticket;
REVOKE ALL ON SCHEMA public FROM row_owner;
DROP ROLE row_owner;
DELETE FROM sla.rule WHERE source = 'ticket lock';
DELETE FROM sla.level WHERE name = 'ticket lock';
DELETE FROM sla.log WHERE source = 'ticket lock';
DELETE FROM sla.event WHERE source = 'ticket lock';
DELETE FROM sla.ticket WHERE source = 'ticket lock';
DELETE FROM sla.deadline_change WHERE source = 'ticket lock';
