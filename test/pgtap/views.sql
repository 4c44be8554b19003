-- The views: their columns, their states, and that a past day stays what it was.
BEGIN;
SELECT plan(31);
CREATE EXTENSION pg_sla;
SET LOCAL timezone = 'Europe/Oslo';

-- Columns that users and tools rely on.
CREATE FUNCTION pg_temp.missing_columns(relation regclass, columns text[]) RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT unnest(columns) EXCEPT SELECT attname FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
$$;
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.log', '{id, source, ticket, agreement, level, metric, cycle, calendar,
	department, agent, goal, started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed}')$$, 'columns of sla.log');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.event', '{source, ticket, event, at, agent, recorded_at}')$$, 'columns of sla.event');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.holiday', '{holiday_set, day, hours, name, origin}')$$, 'columns of sla.holiday');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.rule', '{name, source, position, condition, set_level, stop, active,
	on_create, on_change}')$$, 'columns of sla.rule');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.target', '{level, metric, goal}')$$, 'columns of sla.target');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.log_report', '{source, request, ticket, department, agent, level, agreement,
	sla_started, deadline, closed, state, sla, elapsed, goal, reason}')$$, 'columns of sla.log_report');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.compliance_report', '{day, source, department, agent, level, request, met, met_avg,
	met_max, met_min, missed, missed_avg, missed_max, missed_min, compliance}')$$, 'columns of sla.compliance_report');
SELECT is_empty($$SELECT pg_temp.missing_columns('sla.queue', '{source, ticket, request, department, agent, level, deadline,
	state, sla}')$$, 'columns of sla.queue');

-- The clock of the views.
SELECT is(sla.now(), now(), 'it is now');
SET LOCAL pg_sla.now = '2026-03-06 11:00 Europe/Oslo';
SELECT is(sla.now(), timestamptz '2026-03-06 11:00+01', 'or when the setting says');
SET LOCAL timezone = 'Asia/Tokyo';
SELECT is(sla.now(), timestamptz '2026-03-06 11:00+01', 'whatever the session''s time zone becomes');
SET LOCAL timezone = 'Europe/Oslo';
SELECT throws_ok($$SET LOCAL pg_sla.now = 'tea time'$$, '22023', NULL, 'which must be an instant');

-- One ticket for each state.
CREATE TABLE ticket (
	id bigint PRIMARY KEY,
	department text,
	status text NOT NULL DEFAULT 'open',
	urgent boolean NOT NULL DEFAULT false,
	changed_at timestamptz NOT NULL
);
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES ('Standard', 'resolution', '8 hours'), ('Urgent', 'resolution', '2 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES
	('everyone', 'helpdesk', 10, 'true', 'Standard'), ('urgent', 'helpdesk', 20, 'urgent', 'Urgent');
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', created_at => 'changed_at', changed_at => 'changed_at');
SELECT sla.track_event('helpdesk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status = 'solved'$$);
INSERT INTO ticket (id, department, changed_at) VALUES
	(1, 'A', '2026-03-02 09:00'), (2, 'A', '2026-03-02 10:00'), (3, 'B', '2026-03-02 11:00'), (4, 'B', '2026-03-02 12:00'),
	(5, 'B', '2026-03-03 09:00'), (6, 'B', '2026-03-03 10:00');
UPDATE ticket SET status = 'solved', changed_at = '2026-03-02 15:00' WHERE id = 1;		-- in time
UPDATE ticket SET status = 'solved', changed_at = '2026-03-03 14:00' WHERE id = 2;		-- late, due on Tuesday at 10
UPDATE ticket SET status = 'pending', changed_at = '2026-03-03 09:00' WHERE id = 3;		-- with two hours left
SELECT sla.record_event('helpdesk', '6', 'merged', '2026-03-03 12:00');
DELETE FROM ticket WHERE id = 6;
SET LOCAL pg_sla.now = '2026-03-03 15:00 Europe/Oslo';

CREATE FUNCTION pg_temp.state(ticket bigint) RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(format('%s %s %s left %s', level, state, to_char(deadline, 'DD HH24:MI'), sla), ', ' ORDER BY id)
	FROM sla.log_report WHERE source = 'helpdesk' AND ticket = $1::text
$$;
SELECT is(pg_temp.state(1), 'Standard met 03 09:00 left 02:00:00', 'met, two hours before its deadline');
SELECT is(pg_temp.state(2), 'Standard missed 03 10:00 left -04:00:00', 'missed by four hours');
SELECT is(pg_temp.state(3), 'Standard paused 03 11:00 left 02:00:00', 'paused with two hours left');
SELECT is(pg_temp.state(4), 'Standard overdue 03 12:00 left -03:00:00', 'overdue by three hours');
SELECT is(pg_temp.state(5), 'Standard running 04 09:00 left 02:00:00', 'running');
SELECT alike(pg_temp.state(6), 'Standard cancelled %', 'the row of a ticket that was merged into another is cancelled');
SELECT is((SELECT reason FROM sla.log_report WHERE ticket = '6'), 'merged', 'with the reason');
SELECT is((SELECT count(*) FROM ticket WHERE id = 6), 0::bigint, 'and stays when the ticket is gone');
SELECT results_eq($$SELECT ticket FROM sla.queue WHERE source = 'helpdesk'$$, $$VALUES ('3'), ('4'), ('5')$$,
	'the queue has what is open, nearest deadline first');
UPDATE ticket SET urgent = true, changed_at = '2026-03-03 10:30' WHERE id = 5;
SELECT is((SELECT string_agg(level || ' ' || state, ', ' ORDER BY id) FROM sla.log_report WHERE ticket = '5'),
	'Standard superseded, Urgent overdue', 'a change of level starts a row of its own, from the same start');

-- A past day's counts never change.
CREATE FUNCTION pg_temp.tuesday() RETURNS text
LANGUAGE sql AS $$
	SELECT string_agg(concat_ws(' ', department, level, met, missed, compliance), ', ' ORDER BY department, level)
	FROM sla.compliance_report WHERE source = 'helpdesk' AND day = '2026-03-03'
$$;
SELECT is(pg_temp.tuesday(), 'A Standard 0 1 0.00, B Standard 0 1 0.00, B Urgent 0 1 0.00', 'three missed on Tuesday');
SET LOCAL pg_sla.now = '2026-03-03 11:30 Europe/Oslo';
SELECT is(pg_temp.tuesday(), 'A Standard 0 1 0.00, B Urgent 0 1 0.00', 'two of them by half past eleven');
SET LOCAL pg_sla.now = '2026-03-10 11:00 Europe/Oslo';
UPDATE ticket SET status = 'pending', changed_at = '2026-03-04 09:00' WHERE id = 4;
SELECT is(pg_temp.state(4), 'Standard overdue 03 12:00 left -05:00:00', 'pausing what is overdue does not help');
UPDATE ticket SET status = 'solved', changed_at = '2026-03-05 09:00' WHERE id = 4;
UPDATE ticket SET status = 'solved', changed_at = '2026-03-05 09:00' WHERE id = 5;
SELECT is(pg_temp.tuesday(), 'A Standard 0 1 0.00, B Standard 0 1 0.00, B Urgent 0 1 0.00', 'Tuesday is what it was');
SELECT is((SELECT sum(met + missed) FROM sla.compliance_report WHERE source = 'helpdesk'), 4::numeric, 'and each verdict counts once');

-- Averages and extremes are business time from start to stop.
SELECT results_eq(
	$$SELECT met_avg, met_max, met_min, missed_avg FROM sla.compliance_report WHERE source = 'helpdesk' AND day = '2026-03-02'$$,
	$$VALUES (interval '6 hours', interval '6 hours', interval '6 hours', NULL::interval)$$, 'times of the met');
SELECT results_eq(
	$$SELECT met_avg, missed_avg FROM sla.compliance_report WHERE source = 'helpdesk' AND day = '2026-03-03' AND department = 'A'$$,
	$$VALUES (NULL::interval, interval '12 hours')$$, 'times of the missed');
SELECT is_empty($$SELECT * FROM sla.verify('helpdesk')$$, 'the log is what the events give');
SELECT is_empty($$SELECT FROM sla.log AS l WHERE NOT isempty(l.counted) AND l.elapsed <>
		(SELECT sum(sla.business_time(l.calendar, lower(stretch), upper(stretch))) FROM unnest(l.counted) AS stretch)$$,
	'elapsed time is the business time of the stretches that counted');

SELECT * FROM finish();
ROLLBACK;
