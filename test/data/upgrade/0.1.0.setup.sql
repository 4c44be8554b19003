-- What a database of version 0.1.0 held; 0.1.0.sql is its pg_dump, made with that version.
SET timezone = 'Europe/Oslo';
CREATE EXTENSION pg_sla;
CREATE SCHEMA "Help Desk";
SET search_path = "Help Desk", public;
CREATE FUNCTION is_vip(customer text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT customer IN ('Anna', 'Berit') $$;
CREATE TABLE ticket (
	"Number" bigint PRIMARY KEY, customer text, department text, assignee text, status text NOT NULL DEFAULT 'open', priority integer,
	tags text[] NOT NULL DEFAULT '{}', custom jsonb, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, level text, due timestamptz);
CREATE TABLE message (id bigint PRIMARY KEY, ticket_id bigint NOT NULL, author text NOT NULL, sent_at timestamptz NOT NULL);
CREATE TABLE call (id bigint PRIMARY KEY, started_at timestamptz NOT NULL, answered_at timestamptz);
CREATE VIEW facts AS
SELECT t.*, (SELECT author FROM message m WHERE m.ticket_id = t."Number" ORDER BY sent_at DESC LIMIT 1) AS last_author FROM ticket t;
INSERT INTO sla.holiday_set (name) VALUES ('norway');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('norway', '2026-03-05', 'made up');
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter off', '{norway}');
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-17:00', '{norway}', effective_from => '2026-06-01');
SELECT sla.set_calendar('always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES ('Standard', 'support', 'customer'), ('Urgent', 'always', 'customer'), ('Desk', 'support', 'operational');
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('first_assignment', '{created}', '{assigned}');
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES
	('Standard', 'first_response', 0, '4 hours', 'true'), ('Standard', 'next_response', 0, '2 hours', 'true'),
	('Standard', 'resolution', -1, '2 days', 'priority = 1'), ('Standard', 'resolution', 0, '3 days', 'true'),
	('Standard', 'first_assignment', 0, '1 hour', 'true'),
	('Urgent', 'first_response', 0, '1 hour', 'true'), ('Urgent', 'resolution', 0, '8 hours', 'true'), ('Desk', 'resolution', 0, '1 day', 'true');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'helpdesk', 10, 'true', 'Standard', false),
	('vip', 'helpdesk', 20, 'is_vip(customer)', 'Urgent', false),
	('not on the 17th', 'helpdesk', 25, $$created_at::date = '2026-05-17'$$, 'Standard', true),
	('urgent', 'helpdesk', 30, $$'URGENT' = ANY (tags)$$, 'Urgent', true),
	('desk', 'helpdesk', 5, $$department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'$$, 'Desk', false),
	('off', 'helpdesk', 40, 'true', 'Urgent', false),
	('calls', 'calls', 10, 'true', 'Urgent', false);
UPDATE sla.rule SET active = false WHERE name = 'off';
UPDATE sla.rule SET valid = '[2026-01-01,)' WHERE name = 'vip';
SELECT sla.track('helpdesk', 'ticket', 'Number', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at',
	facts => 'facts', level_column => 'level', due_column => 'due');
SELECT sla.track_event('helpdesk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('helpdesk', 'ticket', 'assigned', 'assignee IS NOT NULL');
SELECT sla.track_event('helpdesk', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('helpdesk', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track('calls', 'call', 'id', created_at => 'started_at');

INSERT INTO ticket ("Number", customer, department, assignee, priority, tags, created_at, updated_at) VALUES
	(1, 'Carl', 'Billing', 'Kari', 1, '{}', '2026-03-02 09:00', '2026-03-02 09:00'), (2, 'Anna', 'Billing', NULL, 2, '{}', '2026-03-02 10:00', '2026-03-02 10:00'),
	(3, 'Dora', 'Hosting', 'Ola', 3, '{URGENT}', '2026-03-03 11:00', '2026-03-03 11:00'), (4, 'Egil', 'Hosting', NULL, NULL, '{}', '2026-03-03 12:00', '2026-03-03 12:00'),
	(5, 'Finn', NULL, NULL, 1, '{}', '2026-03-04 09:00', '2026-03-04 09:00'), (6, 'Anna', 'Hosting', NULL, 2, '{}', '2026-05-17 10:30', '2026-05-17 10:30'),
	(7, 'Gina', 'Hosting', NULL, 1, '{}', '2200-03-03 09:00', '2200-03-03 09:00'), (8, 'Hans', 'Hosting', 'Ola', 2, '{}', '2200-03-03 09:00', '2200-03-03 09:00');
INSERT INTO message VALUES (1, 1, 'agent', '2026-03-02 10:00'), (2, 2, 'agent', '2026-03-03 10:30'), (3, 2, 'customer', '2026-03-03 11:00'), (4, 2, 'agent', '2026-03-03 12:00'),
	(5, 8, 'agent', '2200-03-03 10:00');
UPDATE ticket SET status = 'solved', updated_at = '2026-03-03 09:00' WHERE "Number" = 1;
UPDATE ticket SET status = 'open', updated_at = '2026-03-03 11:00' WHERE "Number" = 1;
UPDATE ticket SET status = 'pending', updated_at = '2026-03-04 09:00' WHERE "Number" = 2;
UPDATE ticket SET tags = '{URGENT}', updated_at = '2026-03-03 13:00' WHERE "Number" = 4;
UPDATE ticket SET status = 'pending', updated_at = '2200-03-03 12:00' WHERE "Number" = 7;
SELECT sla.record_event('helpdesk', '5', 'merged', '2026-03-04 10:00');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('norway', '2200-03-04', 'made up as well');
INSERT INTO call VALUES (1, '2200-03-03 09:00', NULL);

-- What it said, to be compared with what is said after the update.
SET pg_sla.now = '2026-03-06 11:00 Europe/Oslo';
CREATE TABLE said_log AS SELECT * FROM sla.log_report;
CREATE TABLE said_queue AS SELECT * FROM sla.queue;
CREATE TABLE said_compliance AS SELECT * FROM sla.compliance_report;
CREATE TABLE said_levels AS SELECT f."Number", sla.level_for(f) AS level, sla.goal_for(f, 'resolution') AS goal, sla.deadline_for(f, 'resolution') AS due FROM facts f;
CREATE TABLE said_rules AS SELECT e.* FROM facts f, sla.explain_level(f) e;
CREATE TABLE said_events AS TABLE sla.event;
CREATE TABLE said_clocks AS TABLE sla.log;

-- A role with rights, and a view of the user's own over the reports.
GRANT SELECT ON sla.log_report, sla.queue, sla.compliance_report, sla.rule TO PUBLIC;
GRANT EXECUTE ON FUNCTION sla.set_calendar, sla.track TO PUBLIC;
CREATE VIEW my_queue AS SELECT ticket, request, deadline FROM sla.queue WHERE source = 'helpdesk';
CREATE VIEW my_log AS SELECT * FROM sla.log_report;
