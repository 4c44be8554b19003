-- The quick start of README.md, and facts about what it gives.
BEGIN;
SELECT plan(28);

CREATE TABLE ticket (
	id bigint PRIMARY KEY,
	department text,
	assignee text,
	status text NOT NULL DEFAULT 'open',
	tags text[] NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE message (
	id bigint PRIMARY KEY,
	ticket_id bigint NOT NULL REFERENCES ticket,
	author text NOT NULL,
	internal boolean NOT NULL DEFAULT false,
	sent_at timestamptz NOT NULL DEFAULT now(),
	body text
);

CREATE EXTENSION pg_sla;
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES ('Urgent', 'first_response', '1 hour'), ('Urgent', 'next_response', '30 minutes'),
  ('Standard', 'first_response', '4 hours'), ('Standard', 'resolution', '3 days');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
  ('everyone',   'helpdesk', 10, 'true', 'Standard', false),
  ('tag URGENT', 'helpdesk', 20, $$'URGENT' = ANY (tags)$$, 'Urgent', true);
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('helpdesk', 'ticket', 'paused',   $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('helpdesk', 'message', 'agent_reply',      $$author = 'agent' AND NOT internal$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('helpdesk', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');

SET LOCAL timezone = 'Europe/Oslo';

-- One clock: state and deadline, or nothing.
CREATE FUNCTION pg_temp.clock(ticket bigint, request text) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s by %s', r.level, r.state, to_char(r.deadline, 'YYYY-MM-DD HH24:MI:SS')), ', ' ORDER BY r.sla_started, r.id)
	FROM sla.log_report AS r
	WHERE r.source = 'helpdesk' AND r.ticket = $1::text AND r.request = $2
$$;
CREATE FUNCTION pg_temp.took(ticket bigint, request text) RETURNS interval
LANGUAGE sql AS $$
	SELECT elapsed FROM sla.log_report WHERE source = 'helpdesk' AND ticket = $1::text AND request = $2
$$;

-- A question answered in time.
INSERT INTO ticket (id, department, assignee, created_at, updated_at)
VALUES (1, 'Billing', 'Kari', '2026-03-02 08:30', '2026-03-02 08:30');
SET LOCAL pg_sla.now = '2026-03-02 09:30 Europe/Oslo';
SELECT is(pg_temp.clock(1, 'first_response'), 'Standard running by 2026-03-02 12:30:00', 'four hours for the answer');
SELECT is(pg_temp.clock(1, 'resolution'), 'Standard running by 2026-03-05 08:30:00', 'three working days for the solution');
SELECT is(pg_temp.clock(1, 'next_response'), NULL, 'no clock for what the level does not promise');
SELECT is(pg_temp.took(1, 'first_response'), interval '1 hour', 'it has been an hour');
SELECT is((SELECT count(*) FROM sla.queue WHERE source = 'helpdesk'), 2::bigint, 'both are in the queue');
SELECT is((SELECT department || ' ' || agent FROM sla.queue WHERE request = 'resolution'), 'Billing Kari', 'with department and agent');

INSERT INTO message (id, ticket_id, author, internal, sent_at) VALUES (1, 1, 'agent', true, '2026-03-02 09:00');
SELECT is(pg_temp.clock(1, 'first_response'), 'Standard running by 2026-03-02 12:30:00', 'a private note is no answer');
INSERT INTO message (id, ticket_id, author, sent_at) VALUES (2, 1, 'agent', '2026-03-02 10:15');
SET LOCAL pg_sla.now = '2026-03-02 10:30 Europe/Oslo';
SELECT is(pg_temp.clock(1, 'first_response'), 'Standard met by 2026-03-02 12:30:00', 'an answer is');
SELECT is(pg_temp.took(1, 'first_response'), interval '1:45', 'after an hour and three quarters');

-- Something urgent, over night and answered too late.
INSERT INTO ticket (id, department, assignee, tags, created_at, updated_at)
VALUES (2, 'Hosting', 'Ola', '{URGENT}', '2026-03-02 15:30', '2026-03-02 15:30');
SET LOCAL pg_sla.now = '2026-03-02 15:45 Europe/Oslo';
SELECT is(pg_temp.clock(2, 'first_response'), 'Urgent running by 2026-03-03 08:30:00', 'the tag chooses the level');
SELECT is(pg_temp.clock(2, 'resolution'), NULL, 'which promises no solution');
SET LOCAL pg_sla.now = '2026-03-03 08:45 Europe/Oslo';
SELECT is(pg_temp.clock(2, 'first_response'), 'Urgent overdue by 2026-03-03 08:30:00', 'past its deadline it is overdue');
SELECT is((SELECT sla FROM sla.queue WHERE ticket = '2'), interval '-15 minutes', 'by a quarter of an hour');
SET LOCAL pg_sla.now = '2026-03-03 09:00 Europe/Oslo';
INSERT INTO message (id, ticket_id, author, sent_at) VALUES (3, 2, 'agent', '2026-03-03 09:00');
SELECT is(pg_temp.clock(2, 'first_response'), 'Urgent missed by 2026-03-03 08:30:00', 'answered late, it is missed');
SELECT is(pg_temp.took(2, 'first_response'), interval '1:30', 'after an hour and a half');

-- The oldest message without an answer counts.
INSERT INTO message (id, ticket_id, author, sent_at) VALUES (4, 2, 'customer', '2026-03-03 10:00'), (5, 2, 'customer', '2026-03-03 10:15');
SET LOCAL pg_sla.now = '2026-03-03 10:18 Europe/Oslo';
SELECT is(pg_temp.clock(2, 'next_response'), 'Urgent running by 2026-03-03 10:30:00', 'half an hour from the oldest unanswered message');
INSERT INTO message (id, ticket_id, author, sent_at) VALUES (6, 2, 'agent', '2026-03-03 10:20');
SET LOCAL pg_sla.now = '2026-03-03 15:00 Europe/Oslo';
SELECT is(pg_temp.clock(2, 'next_response'), 'Urgent met by 2026-03-03 10:30:00', 'answered in time');
INSERT INTO message (id, ticket_id, author, sent_at) VALUES (7, 2, 'customer', '2026-03-03 14:00'), (8, 2, 'agent', '2026-03-03 15:00');
SELECT is(pg_temp.clock(2, 'next_response'), 'Urgent met by 2026-03-03 10:30:00, Urgent missed by 2026-03-03 14:30:00', 'each time is a row of its own');

-- Pending from Tuesday noon to Wednesday noon: eight working hours more.
UPDATE ticket SET status = 'pending', updated_at = '2026-03-03 12:00' WHERE id = 1;
SELECT is(pg_temp.clock(1, 'resolution'), 'Standard paused by 2026-03-05 08:30:00', 'pending pauses');
UPDATE ticket SET status = 'open', updated_at = '2026-03-04 12:00' WHERE id = 1;
SET LOCAL pg_sla.now = '2026-03-04 12:00 Europe/Oslo';
SELECT is(pg_temp.clock(1, 'resolution'), 'Standard running by 2026-03-06 08:30:00', 'and moves the deadline on');
UPDATE ticket SET status = 'solved', updated_at = '2026-03-06 08:15' WHERE id = 1;
SET LOCAL pg_sla.now = '2026-03-06 11:00 Europe/Oslo';
SELECT is(pg_temp.clock(1, 'resolution'), 'Standard met by 2026-03-06 08:30:00', 'solved in time');
SELECT is(pg_temp.took(1, 'resolution'), interval '23:45', 'with twenty-three hours and three quarters of work');

-- What is left, and what is reported.
SELECT is_empty($$SELECT * FROM sla.queue WHERE source = 'helpdesk'$$, 'nothing is open');
SELECT results_eq(
	$$SELECT day, department, level, request, met, missed, compliance FROM sla.compliance_report
		WHERE source = 'helpdesk' ORDER BY day, request$$,
	$$VALUES
		('2026-03-02'::date, 'Billing', 'Standard', 'first_response', 1::bigint, 0::bigint, 100.00),
		('2026-03-03', 'Hosting', 'Urgent', 'first_response', 0, 1, 0.00),
		('2026-03-03', 'Hosting', 'Urgent', 'next_response', 1, 1, 50.00),
		('2026-03-06', 'Billing', 'Standard', 'resolution', 1, 0, 100.00)$$,
	'compliance by the day of the verdict');
SELECT is_empty($$SELECT * FROM sla.verify('helpdesk')$$, 'the log is what the events give');

-- Anyone can check a clock in plain SQL.
SELECT is_empty(
	$$SELECT FROM sla.log AS l WHERE l.elapsed <>
		(SELECT sum(sla.business_time(l.calendar, lower(stretch), upper(stretch))) FROM unnest(l.counted) AS stretch)$$,
	'elapsed time is the business time of the stretches that counted');
SELECT is_empty(
	$$SELECT FROM sla.log WHERE (outcome = 'met') <> (closed_at <= deadline)$$,
	'met is: closed at or before the deadline');
SELECT is((SELECT count(*) FROM sla.log WHERE closed_at IS NULL), 0::bigint, 'no clock is open');

SELECT * FROM finish();
ROLLBACK;
