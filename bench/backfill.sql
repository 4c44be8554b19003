-- Tickets that were there before: a fifth of :rows, with four messages each, so that :rows events are found.

CREATE EXTENSION pg_sla;
CREATE TABLE ticket (
	id bigint PRIMARY KEY, department text, assignee text, status text NOT NULL DEFAULT 'open', tags text[] NOT NULL DEFAULT '{}', note text,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE message (
	id bigserial PRIMARY KEY, ticket_id bigint NOT NULL, author text NOT NULL, internal boolean NOT NULL DEFAULT false, sent_at timestamptz NOT NULL, body text);
INSERT INTO ticket (id, department, assignee, tags, note, created_at, updated_at)
SELECT n, 'team ' || n % 20, 'agent ' || n % 200, CASE WHEN n % 10 = 0 THEN '{URGENT}' ELSE '{}' END::text[], repeat('words ', 20), at, at
FROM (SELECT n, timestamptz '2024-01-01 00:00+01' + n * interval '60 seconds' * (1000000 / (:rows / 5.0)) AS at FROM generate_series(1, :rows / 5) AS n) AS n;
-- In the order in which they were sent, so that a ticket's lie between those of others.
INSERT INTO message (ticket_id, author, sent_at, body)
SELECT t.id, CASE WHEN m % 2 = 0 THEN 'agent' ELSE 'customer' END, t.created_at + m * interval '3 hours', repeat('words ', 20)
FROM ticket AS t, generate_series(1, 4) AS m ORDER BY 3;
CREATE INDEX ON message (ticket_id);

SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES
	('Urgent', 'first_response', '1 hour'), ('Urgent', 'next_response', '30 minutes'),
	('Standard', 'first_response', '4 hours'), ('Standard', 'resolution', '3 days');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'helpdesk', 10, 'true', 'Standard', false),
	('tag URGENT', 'helpdesk', 20, $$'URGENT' = ANY (tags)$$, 'Urgent', true);
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('helpdesk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('helpdesk', 'message', 'agent_reply', $$author = 'agent' AND NOT internal$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('helpdesk', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');
VACUUM (FREEZE, ANALYZE);

-- The events that are found, to be copied into a table of the same columns and key.
SELECT sla.backfill('helpdesk');
CREATE TABLE copied (LIKE sla.event);
ALTER TABLE copied ADD PRIMARY KEY (ticket, source, at, id);
SELECT current_setting('data_directory') || '/bench_events' AS file \gset
COPY (SELECT * FROM sla.event) TO :'file';
CREATE FUNCTION copy_events(file text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN TRUNCATE copied; EXECUTE format('COPY copied FROM %L', file); END $$;
CREATE FUNCTION forget() RETURNS void LANGUAGE sql AS 'TRUNCATE sla.event, sla.log, sla.ticket';

-- work: backfill of tickets and their events | <= 4 x
-- baseline: COPY of the events into one table with the same key
SELECT copy_events(:'file');
-- ours: sla.backfill(): events, clocks, and who knows of which ticket
SELECT forget(), sla.backfill('helpdesk');

-- figure: events found and clocks written |
SELECT (SELECT count(*) FROM sla.event) || ' and ' || (SELECT count(*) FROM sla.log);
