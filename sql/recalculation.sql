-- Deadlines that move because a calendar is edited.
\set VERBOSITY terse
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE SCHEMA recalculation_test;
SET search_path = recalculation_test;
CREATE TABLE ticket (id text PRIMARY KEY, state text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 08:00-16:00');
SELECT sla.set_calendar('recalculation other', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar, agreement) VALUES ('recalculation', 'recalculation', 'customer'), ('recalculation other', 'recalculation other', 'operational');
INSERT INTO sla.target (level, metric, goal) VALUES ('recalculation', 'first_response', '4 hours'), ('recalculation', 'resolution', '2 days'), ('recalculation other', 'resolution', '2 days');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'recalculation', 1, 'true', 'recalculation'), ('other', 'recalculation', 1, 'true', 'recalculation other');
SELECT sla.track('recalculation', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('recalculation', 'ticket', 'paused', $$state = 'pending'$$);
-- Wednesday 2098-01-01, far enough to be open while this is tested; one of them waits for the customer since ten.
INSERT INTO ticket VALUES ('future', 'open', '2098-01-01 09:00', NULL), ('waits', 'open', '2098-01-01 09:00', NULL), ('past', 'open', '2024-03-04 09:00', NULL);
UPDATE ticket SET state = 'pending', updated_at = '2098-01-01 10:00' WHERE id = 'waits';
CREATE VIEW deadlines AS SELECT ticket, agreement, metric, deadline FROM sla.log WHERE source = 'recalculation' ORDER BY 1, 2, 3;
CREATE VIEW changes AS SELECT ticket, agreement, metric, former, deadline, reason, changed_by = current_user AS by_me FROM sla.deadline_change WHERE source = 'recalculation' ORDER BY id;
SELECT * FROM deadlines;

-- What would move; nothing does.
SELECT ticket, agreement, metric, former, deadline, late FROM sla.preview_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00') WHERE source = 'recalculation';
SELECT ticket, metric, former, deadline, late FROM sla.preview_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00', '{}', '2098-01-02') WHERE source = 'recalculation';
SELECT * FROM deadlines;
SELECT * FROM changes;
SELECT count(*) FROM sla.preview_calendar('recalculation', 'UTC', 'off');

-- It moves, and leaves a trail.
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT * FROM deadlines;
SELECT * FROM changes;
-- The same edit again moves nothing.
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00');
SELECT count(*) FROM changes;
-- By a role that was taken on; a holiday; taken back.
CREATE ROLE recalculation_editor;
GRANT SELECT, INSERT, UPDATE, DELETE ON sla.calendar, sla.calendar_version, sla.holiday_set, sla.holiday TO recalculation_editor;
SET ROLE recalculation_editor;
BEGIN;
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 08:00-16:00');
RESET ROLE;
SELECT DISTINCT changed_by FROM sla.deadline_change WHERE source = 'recalculation' AND changed_by <> current_user;
ROLLBACK;
RESET ROLE;
SELECT count(*) FROM changes;
INSERT INTO sla.holiday_set (name) VALUES ('recalculation');
UPDATE sla.calendar_version SET holiday_sets = '{recalculation}' WHERE calendar = 'recalculation';
INSERT INTO sla.holiday (holiday_set, day) VALUES ('recalculation', '2098-01-01');
SELECT * FROM deadlines WHERE ticket = 'future';
UPDATE sla.holiday SET day = '2098-01-02' WHERE holiday_set = 'recalculation';
SELECT * FROM deadlines WHERE ticket = 'future';
-- A version from a day on: the past keeps its hours.
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 12:00-16:00', '{recalculation}', '2098-01-03');
SELECT * FROM deadlines WHERE ticket = 'future';
SELECT * FROM sla.calendar_history WHERE calendar = 'recalculation';
SELECT ticket, metric, former, deadline FROM changes;
SELECT * FROM sla.verify('recalculation');
-- A calendar derived from another moves with it, and with holidays of either; a preview shows it.
SELECT sla.set_calendar('recalculation other', NULL, 'Fr 09:00-16:00', base => 'recalculation');
SELECT * FROM deadlines WHERE ticket = 'future';
SELECT ticket, agreement, metric, former, deadline, late FROM sla.preview_calendar('recalculation', 'UTC', 'Mo-Fr 06:00-16:00', '{recalculation}', '2098-01-03') WHERE source = 'recalculation' AND ticket = 'future';
SELECT ticket, agreement, metric, former, deadline, late FROM sla.preview_calendar('recalculation other', NULL, 'Fr off', base => 'recalculation') WHERE source = 'recalculation' AND ticket = 'future';
SELECT ticket, agreement, metric, former, deadline, late
FROM sla.preview_holidays('recalculation', E'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20980103\nEND:VEVENT\nEND:VCALENDAR', '2098-01-01', '2099-01-01')
WHERE source = 'recalculation' AND ticket = 'future';
SELECT day FROM sla.holiday WHERE holiday_set = 'recalculation';
-- Hours that have been over for long: what is open by hours that come only in years would be late by them.
SELECT sla.set_calendar('recalculation other', 'UTC', '2098 Mo-Fr 08:00-16:00');
INSERT INTO ticket VALUES ('waits for years', 'open', '2024-03-04 09:00', NULL);
SELECT ticket, agreement, metric, former, deadline, late FROM sla.preview_calendar('recalculation other', 'UTC', '24/7') WHERE source = 'recalculation' AND ticket = 'waits for years';
SELECT sla.set_calendar('recalculation other', NULL, 'Fr 09:00-16:00', base => 'recalculation');
DELETE FROM ticket WHERE id = 'waits for years';
-- A verdict that has been reached stays, and so does a clock that is late.
INSERT INTO ticket VALUES ('in time', 'open', '2024-03-04 15:00', NULL), ('too late', 'open', '2024-03-04 15:00', NULL);
SELECT sla.record_event('recalculation', id, 'agent_reply', at) FROM (VALUES ('in time', timestamptz '2024-03-05 13:00'), ('too late', '2024-03-05 13:01')) AS v (id, at);
SELECT ticket, metric, outcome, deadline, closed_at FROM sla.log WHERE source = 'recalculation' AND ticket LIKE '%t%e' AND metric = 'first_response' ORDER BY ticket;
BEGIN;
-- Closed on the day of the reply, it would have had until the day after; open all night, until the evening before.
INSERT INTO sla.holiday (holiday_set, day) VALUES ('recalculation', '2024-03-05');
SELECT ticket, metric, outcome, deadline, closed_at FROM sla.log WHERE source = 'recalculation' AND ticket LIKE '%t%e' AND metric = 'first_response' ORDER BY ticket;
SELECT sla.set_calendar('recalculation', 'UTC', '24/7');
SELECT ticket, metric, outcome, deadline, closed_at FROM sla.log WHERE source = 'recalculation' AND ticket LIKE '%t%e' AND metric = 'first_response' ORDER BY ticket;
SELECT * FROM sla.verify('recalculation');
-- What happens to such a ticket later leaves its verdict alone.
SELECT sla.record_event('recalculation', id, 'customer_message', '2024-03-06 09:00') FROM unnest('{in time,too late}'::text[]) AS id;
SELECT ticket, metric, outcome, deadline, closed_at FROM sla.log WHERE source = 'recalculation' AND ticket LIKE '%t%e' AND metric = 'first_response' ORDER BY ticket;
SELECT * FROM sla.verify('recalculation');
ROLLBACK;
SELECT metric, outcome, deadline FROM sla.log WHERE source = 'recalculation' AND ticket = 'past' AND agreement = 'customer' ORDER BY metric;
BEGIN;
INSERT INTO sla.holiday (holiday_set, day) VALUES ('recalculation', '2024-03-04'), ('recalculation', '2024-03-05');
SELECT metric, outcome, deadline FROM sla.log WHERE source = 'recalculation' AND ticket = 'past' AND agreement = 'customer' ORDER BY metric;
SELECT count(*) FROM changes WHERE ticket = 'past';
SELECT * FROM sla.verify('recalculation');
ROLLBACK;
BEGIN;
TRUNCATE sla.holiday;
SELECT * FROM deadlines WHERE ticket = 'future';
ROLLBACK;
DELETE FROM sla.holiday WHERE holiday_set = 'recalculation';
SELECT * FROM deadlines WHERE ticket = 'future';
SELECT ticket, agreement, metric, former, deadline, reason FROM changes WHERE ticket = 'future' AND agreement = 'operational';
SELECT * FROM sla.verify('recalculation');

-- Who had the ticket at a deadline that was kept, although it was told after the calendar had been edited, and whatever the calendar becomes.
CREATE TABLE held (id text PRIMARY KEY, assignee text, created_at timestamptz NOT NULL, updated_at timestamptz);
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'recalculation held', 1, 'true', 'recalculation');
SELECT sla.track('recalculation held', 'held', 'id', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 08:00-16:00', '{recalculation}');
INSERT INTO held VALUES ('h', 'ann', '2024-03-04 09:00', NULL);
CREATE VIEW holders AS SELECT metric, agent, deadline FROM sla.log WHERE source = 'recalculation held' ORDER BY metric;
SELECT * FROM holders;
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00', '{recalculation}');
UPDATE held SET assignee = 'bob', updated_at = '2024-03-04 13:00';
UPDATE held SET assignee = 'cid', updated_at = '2024-03-04 13:01';
SELECT * FROM holders;
SELECT * FROM sla.verify('recalculation held');
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 08:00-16:00', '{recalculation}');
SELECT * FROM holders;
SELECT * FROM sla.verify('recalculation held');
-- Where equality is not met, whoever gets the ticket at the very deadline that an edit brings is too late.
BEGIN;
UPDATE sla.metric SET equality_is_met = false WHERE name = 'first_response';
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 10:00-16:00', '{recalculation}');
INSERT INTO held VALUES ('g', 'ann', '2097-03-04 09:00', NULL);
UPDATE held SET assignee = 'bob', updated_at = '2097-03-04 13:00' WHERE id = 'g';
SELECT sla.set_calendar('recalculation', 'UTC', 'Mo-Fr 08:00-16:00', '{recalculation}');
SELECT metric, agent, deadline FROM sla.log WHERE source = 'recalculation held' AND ticket = 'g' ORDER BY metric;
SELECT * FROM sla.verify('recalculation held') WHERE ticket = 'g';
ROLLBACK;
-- What had been counted when a deadline that was set by hand was missed stays as well.
INSERT INTO held VALUES ('f', 'ann', '2024-03-04 09:00', NULL);
SELECT sla.set_deadline(id, '2024-03-04 12:00', 'agreed', '2024-03-04 09:30') FROM sla.log WHERE source = 'recalculation held' AND ticket = 'f' AND metric = 'resolution';
SELECT sla.record_event('recalculation held', 'f', 'resolved', '2024-03-05 10:00');
INSERT INTO sla.holiday (holiday_set, day) VALUES ('recalculation', '2024-03-05');
UPDATE held SET assignee = 'bob', updated_at = '2024-03-04 10:00' WHERE id = 'f';
SELECT agent, outcome, deadline, elapsed FROM sla.log WHERE source = 'recalculation held' AND ticket = 'f' AND metric = 'resolution';
SELECT * FROM sla.verify('recalculation held');

SELECT sla.untrack('recalculation');
SELECT sla.untrack('recalculation held');
DELETE FROM sla.rule WHERE source LIKE 'recalculation%';
DELETE FROM sla.level WHERE name LIKE 'recalculation%';
SET client_min_messages = warning;
DROP OWNED BY recalculation_editor;
DROP ROLE recalculation_editor;
DROP SCHEMA recalculation_test CASCADE;

-- The log from its events: after damage.
CREATE SCHEMA recalculate_test;
SET search_path = recalculate_test;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SELECT sla.set_calendar('recalculate', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('recalculate', 'recalculate'), ('recalculate vip', 'recalculate');
INSERT INTO sla.target (level, metric, goal) VALUES
	('recalculate', 'first_response', '4 hours'), ('recalculate', 'resolution', '48 hours'), ('recalculate vip', 'resolution', '8 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'recalculate', 1, 'true', 'recalculate'), ('vip', 'recalculate', 2, 'vip', 'recalculate vip');
CREATE TABLE ticket (id int PRIMARY KEY, vip boolean NOT NULL DEFAULT false, status text NOT NULL DEFAULT 'open', at timestamptz NOT NULL, due timestamptz);
SELECT sla.track('recalculate', 'ticket', 'id', created_at => 'at', changed_at => 'at', due_column => 'due');
SELECT sla.track_event('recalculate', 'ticket', 'resolved', 'status = ''solved''');
-- 1 is open for long, 2 was closed in time, 3 too late, 4 is late and open
INSERT INTO ticket (id, at) VALUES (1, '2098-03-04 09:00'), (2, '2024-03-04 09:00'), (3, '2024-03-04 09:00'), (4, '2024-03-04 09:00');
SELECT sla.record_event('recalculate', '1', 'agent_reply', '2098-03-04 10:00');
SELECT sla.record_event('recalculate', id::text, 'agent_reply', '2024-03-04 10:00') FROM ticket WHERE id > 1;
UPDATE ticket SET status = 'solved', at = '2024-03-05 09:00' WHERE id = 2;
UPDATE ticket SET status = 'solved', at = '2024-03-08 09:00' WHERE id = 3;
CREATE VIEW clocks AS SELECT ticket, level, metric, ordinal, cycle, goal, deadline, CASE WHEN reason = 'goal_changed' THEN NULL ELSE closed_at END AS closed_at, outcome, reason
	FROM sla.log WHERE source = 'recalculate' ORDER BY ticket, metric, ordinal;
CREATE TABLE before AS SELECT * FROM sla.log WHERE source = 'recalculate';
SELECT * FROM clocks;
SELECT sla.rebuild('recalculate');
UPDATE sla.log SET deadline = deadline + interval '1 hour' WHERE source = 'recalculate' AND ticket = '2' AND metric = 'resolution';
UPDATE sla.log SET outcome = 'met', agent = 'nobody' WHERE source = 'recalculate' AND ticket = '3' AND metric = 'resolution';
DELETE FROM sla.log WHERE source = 'recalculate' AND ticket = '4';
INSERT INTO sla.log SELECT (jsonb_populate_record(l, '{"id": 0, "ordinal": 7}')).* FROM sla.log AS l WHERE source = 'recalculate' AND ticket = '1';
DELETE FROM sla.ticket WHERE source = 'recalculate' AND ticket = '1';
SELECT ticket, metric, ordinal, problem FROM sla.verify('recalculate') ORDER BY 1, 2, 3;
SELECT sla.rebuild('recalculate', '{2,no such}');
SELECT ticket, metric, ordinal, problem FROM sla.verify('recalculate') ORDER BY 1, 2, 3;
SELECT sla.rebuild('recalculate');
SELECT * FROM sla.verify('recalculate');
-- all as it was, the numbers of rows too, but for those that were gone
SELECT count(*) FROM (
	SELECT to_jsonb(l) - 'computed_at' - CASE WHEN ticket = '4' THEN 'id' ELSE '' END FROM sla.log AS l WHERE source = 'recalculate'
	EXCEPT SELECT to_jsonb(b) - 'computed_at' - CASE WHEN ticket = '4' THEN 'id' ELSE '' END FROM before AS b) AS d;
SELECT sla.rebuild('recalculate'), sla.rebuild('no such source');
SELECT sla.rebuild(NULL);

-- Another goal: shown, and nothing done.
CREATE FUNCTION shown(r sla.recalculated, OUT ticket text, OUT metric text, OUT ordinal int, OUT numbered boolean, OUT levels text, OUT goals text, OUT deadlines text, OUT verdicts text) LANGUAGE sql
	AS $$ SELECT r.ticket, r.metric, r.ordinal, r.log_id IS NOT NULL, concat_ws(' -> ', coalesce(r.former_level, '-'), coalesce(r.level, '-')),
		coalesce(r.former_goal::text, '-') || ' -> ' || coalesce(r.goal::text, '-'),
		coalesce(r.former_deadline::text, '-') || ' -> ' || coalesce(r.deadline::text, '-'), coalesce(r.former_verdict, '-') || ' -> ' || coalesce(r.verdict, '-') $$;
SELECT count(*) FROM sla.recalculate('recalculate');
UPDATE sla.target SET goal = '24 hours' WHERE level = 'recalculate' AND metric = 'resolution';
SELECT s.* FROM sla.recalculate('recalculate') AS r, shown(r) AS s;
SELECT s.* FROM sla.recalculate('recalculate', closed => true) AS r, shown(r) AS s;
SELECT count(*) FROM sla.recalculate('recalculate', goals => false, closed => true);
SELECT count(*) FROM sla.recalculate('recalculate', tickets => '{2,3}');
SELECT count(*) FROM (SELECT to_jsonb(l) - 'computed_at' - CASE WHEN ticket = '4' THEN 'id' ELSE '' END FROM sla.log AS l WHERE source = 'recalculate'
	EXCEPT SELECT to_jsonb(b) - 'computed_at' - CASE WHEN ticket = '4' THEN 'id' ELSE '' END FROM before AS b) AS d;
SELECT count(*) FROM sla.deadline_change WHERE source = 'recalculate';
SELECT * FROM sla.verify('recalculate');
-- Applied: what was shown is what is done.
CREATE TABLE preview AS SELECT * FROM sla.recalculate('recalculate');
CREATE TABLE applied AS SELECT * FROM sla.recalculate('recalculate', reason => 'a new contract', apply => true);
SELECT count(*) FROM (TABLE preview EXCEPT TABLE applied) AS d;
SELECT count(*) FROM (TABLE applied EXCEPT TABLE preview) AS d;
SELECT * FROM clocks;
SELECT id, due FROM ticket ORDER BY id;
SELECT ticket, event, count(*) FROM sla.event WHERE source = 'recalculate' AND event = 'changed' GROUP BY 1, 2 ORDER BY 1;
SELECT ticket, metric, ordinal, former, deadline, reason, changed_by = session_user AS by_me, former_level, level, former_goal, goal, former_verdict, verdict
FROM sla.deadline_change WHERE source = 'recalculate' ORDER BY ticket, id;
SELECT * FROM sla.verify('recalculate');
SELECT count(*) FROM sla.recalculate('recalculate');
-- Closed ones too: the decision is replaced, and the former one kept.
SELECT s.* FROM sla.recalculate('recalculate', closed => true, apply => true) AS r, shown(r) AS s;
SELECT * FROM clocks WHERE ticket IN ('2', '3');
SELECT c.ticket, c.at, (SELECT array_agg(p.microseconds) FROM sla.promise AS p WHERE p.id = ANY (c.former)) AS former,
	(SELECT array_agg(p.microseconds) FROM sla.promise AS p WHERE p.id = ANY (c.promises)) AS promises, reason, changed_by = session_user AS by_me
FROM sla.promise_change AS c WHERE source = 'recalculate' ORDER BY ticket, id;
SELECT * FROM sla.verify('recalculate');
SELECT count(*) FROM sla.recalculate('recalculate', closed => true);
SELECT sla.rebuild('recalculate');

-- Rules: levels chosen anew.
UPDATE sla.rule SET condition = 'id IN (1, 2)' WHERE source = 'recalculate' AND name = 'vip';
SELECT count(*) FROM sla.recalculate('recalculate');
SELECT s.* FROM sla.recalculate('recalculate', rules => true, apply => true) AS r, shown(r) AS s;
SELECT * FROM sla.verify('recalculate');
SELECT s.* FROM sla.recalculate('recalculate', rules => true, closed => true, apply => true) AS r, shown(r) AS s;
SELECT * FROM sla.verify('recalculate');
SELECT * FROM clocks;
SELECT count(*) FROM sla.recalculate('recalculate', rules => true, closed => true);

-- A rule that fails names itself and the ticket.
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('divides', 'recalculate', 3, '1 / (id - 4) > 5', 'recalculate vip');
DO $$
DECLARE
	context text;
BEGIN
	PERFORM sla.recalculate('recalculate', rules => true);
EXCEPTION WHEN division_by_zero THEN
	GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
	RAISE WARNING '%', (string_to_array(context, E'\n'))[1:2];
END $$;
DELETE FROM sla.rule WHERE source = 'recalculate' AND name = 'divides';

-- Calendars: open clocks moved with the edit, verdicts only when asked.
SELECT sla.set_calendar('recalculate', 'UTC', '00:00-12:00');
SELECT count(*) FROM sla.recalculate('recalculate');
SELECT s.* FROM sla.recalculate('recalculate', closed => true, apply => true) AS r, shown(r) AS s;
SELECT * FROM sla.verify('recalculate');
SELECT count(*) FROM sla.recalculate('recalculate', closed => true);
-- Metrics: what is defined otherwise.
INSERT INTO sla.metric (name, starts_on, stops_on) VALUES ('recalculated', '{created}', '{agent_reply}');
INSERT INTO sla.target (level, metric, goal) VALUES ('recalculate', 'recalculated', '1 hour'), ('recalculate vip', 'recalculated', '1 hour');
SELECT s.* FROM sla.recalculate('recalculate', closed => true, apply => true) AS r, shown(r) AS s WHERE s.metric = 'recalculated';
UPDATE sla.metric SET stops_on = '{resolved}' WHERE name = 'recalculated';
SELECT count(*) > 0 AS differs FROM sla.verify('recalculate');
SELECT s.* FROM sla.recalculate('recalculate') AS r, shown(r) AS s;
SELECT sla.rebuild('recalculate') > 0 AS rebuilt;
SELECT * FROM sla.verify('recalculate');
-- Who may, and what cannot be.
SELECT sla.recalculate('no such source');
SELECT count(*) FROM sla.recalculate() WHERE source = 'recalculate';
CREATE ROLE recalculate_clerk;
GRANT USAGE ON SCHEMA sla, recalculate_test TO recalculate_clerk;
SET ROLE recalculate_clerk;
SELECT sla.recalculate();
SELECT sla.rebuild('recalculate');
RESET ROLE;
GRANT EXECUTE ON FUNCTION sla.recalculate TO recalculate_clerk;
UPDATE sla.target SET goal = '23 hours' WHERE level = 'recalculate' AND metric = 'resolution';
SET ROLE recalculate_clerk;
SELECT count(*) > 0 AS done FROM sla.recalculate('recalculate', closed => true, apply => true);
RESET ROLE;
SELECT DISTINCT changed_by FROM sla.deadline_change WHERE source = 'recalculate' AND changed_by <> session_user
UNION ALL SELECT DISTINCT changed_by FROM sla.promise_change WHERE source = 'recalculate' AND changed_by <> session_user;
SELECT * FROM sla.verify('recalculate');
-- A source that is no longer tracked has its promises, and no rows to choose by.
SELECT sla.untrack('recalculate');
UPDATE sla.target SET goal = '22 hours' WHERE level = 'recalculate' AND metric = 'resolution';
SELECT count(*) FROM sla.recalculate('recalculate', closed => true);

-- Tickets at random, under each kind of change of level: what is shown is what is done, once; the log stays what its events give, and the tickets show it.
SELECT setseed(0.77);
INSERT INTO sla.level (name, calendar, on_change) SELECT 'recalculate ' || kind, 'recalculate', kind FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) AS kind;
INSERT INTO sla.target (level, metric, goal)
SELECT 'recalculate ' || kind, metric, goal FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) AS kind,
	(VALUES ('first_response', interval '4 hours'), ('next_response', '2 hours'), ('resolution', '30 hours')) AS v (metric, goal);
INSERT INTO sla.rule (name, source, position, condition, set_level)
SELECT kind, 'recalculate many', n, 'prio % 6 = ' || n, 'recalculate ' || kind FROM unnest('{retroactive,forward,reset,keep_stricter,keep}'::text[]) WITH ORDINALITY AS u (kind, n);
CREATE TABLE many (id int PRIMARY KEY, prio int, status text DEFAULT 'open', created_at timestamptz, updated_at timestamptz, due timestamptz);
CREATE TABLE note (ticket_id int, author text, at timestamptz);
SELECT sla.track('recalculate many', 'many', 'id', created_at => 'created_at', changed_at => 'updated_at', due_column => 'due');
SELECT sla.track_event('recalculate many', 'many', 'paused', $$status = 'wait'$$), sla.track_event('recalculate many', 'many', 'resolved', $$status = 'done'$$);
SELECT sla.track_event('recalculate many', 'note', 'agent_reply', $$author = 'a'$$, ticket_key => 'ticket_id', at => 'at'),
	sla.track_event('recalculate many', 'note', 'customer_message', $$author = 'c'$$, ticket_key => 'ticket_id', at => 'at');
-- A level that is told late, of an instant before another, is not the one that the ticket has.
BEGIN;
INSERT INTO many (id, prio, created_at, updated_at) VALUES (-1, 1, '2098-03-04 09:00', '2098-03-04 09:00');
UPDATE many SET prio = 3, updated_at = '2098-03-05 09:00' WHERE id = -1;
UPDATE many SET prio = 2, updated_at = '2098-03-04 12:00' WHERE id = -1;
SELECT ticket, metric, former_level, level FROM sla.recalculate('recalculate many') ORDER BY 1, 2;
ROLLBACK;
-- Of two decisions of one instant in the future the later one counts, also where the earlier had ended a clock.
BEGIN;
INSERT INTO many (id, prio, created_at, updated_at) VALUES (-3, 1, '2098-03-04 09:00', '2098-03-04 09:00');
UPDATE many SET prio = 2, updated_at = '2098-03-04 12:00' WHERE id = -3;
UPDATE sla.rule SET set_level = 'recalculate keep' WHERE source = 'recalculate many' AND name = 'forward';
SELECT ticket, metric, ordinal, former_level, level FROM sla.recalculate('recalculate many', '{-3}', rules => true, apply => true);
SELECT metric, ordinal, level, outcome, closed_at FROM sla.log WHERE source = 'recalculate many' AND ticket = '-3' ORDER BY metric, ordinal;
SELECT * FROM sla.verify('recalculate many');
SELECT count(*) FROM sla.recalculate('recalculate many', '{-3}', rules => true);
ROLLBACK;
-- What is told of the future, a pause after the deadline, makes nothing missed by now.
BEGIN;
INSERT INTO many (id, prio, created_at, updated_at) VALUES (-2, 1, '2098-03-04 09:00', '2098-03-04 09:00');
UPDATE many SET status = 'wait', updated_at = '2098-03-06 09:00' WHERE id = -2;
DELETE FROM sla.target WHERE level = 'recalculate retroactive' AND metric = 'first_response';
SELECT s.* FROM sla.recalculate('recalculate many', goals => false) AS r, shown(r) AS s;
SELECT s.* FROM sla.recalculate('recalculate many') AS r, shown(r) AS s;
ROLLBACK;
INSERT INTO many (id, prio, created_at, updated_at)
SELECT n, (random() * 6)::int, at, at
FROM (SELECT n, CASE WHEN n % 2 = 0 THEN timestamptz '2024-03-04' ELSE '2098-03-04' END + random() * interval '9 days' AS at FROM generate_series(1, 120) AS n) AS x;
DO $$
BEGIN
	FOR i IN 1..6 LOOP
		UPDATE many SET prio = CASE WHEN random() < 0.3 THEN (random() * 6)::int ELSE prio END,
			status = ('{open,wait,done,open,open}'::text[])[1 + (random() * 4)::int], updated_at = updated_at + random() * interval '2 days' WHERE random() < 0.5;
		INSERT INTO note SELECT id, ('{a,c}'::text[])[1 + random()::int], created_at + random() * interval '12 days' FROM many WHERE random() < 0.4;
	END LOOP;
END $$;
CREATE FUNCTION done(VARIADIC flags text[], OUT something boolean, OUT as_shown boolean, OUT once boolean, OUT differs bigint, OUT not_due bigint) LANGUAGE plpgsql AS $$
DECLARE
	query text := 'SELECT array_agg(r) FROM sla.recalculate(''recalculate many''' || array_to_string(''::text || flags, ', ');
	shown sla.recalculated[];
	was_done sla.recalculated[];
	left_over sla.recalculated[];
BEGIN
	EXECUTE query || ') AS r' INTO shown;
	EXECUTE query || ', apply => true) AS r' INTO was_done;
	EXECUTE query || ') AS r' INTO left_over;
	something := was_done IS NOT NULL;
	as_shown := shown IS NOT DISTINCT FROM was_done;
	once := left_over IS NULL;
	SELECT count(*) INTO differs FROM sla.verify('recalculate many');
	SELECT count(*) INTO not_due FROM many AS t
	WHERE due IS DISTINCT FROM (SELECT min(l.deadline) FROM sla.log AS l WHERE l.source = 'recalculate many' AND l.ticket = t.id::text AND l.running_since IS NOT NULL);
END $$;
SELECT * FROM done('goals => true');
UPDATE sla.target SET goal = goal * 2 WHERE level IN ('recalculate retroactive', 'recalculate forward', 'recalculate keep_stricter');
SELECT * FROM done('goals => true');
SELECT * FROM done('closed => true');
UPDATE sla.rule SET condition = 'prio % 5 = ' || position WHERE source = 'recalculate many';
SELECT * FROM done('rules => true');
SELECT sla.set_calendar('recalculate', 'UTC', '00:00-18:00');
SELECT * FROM done('goals => false');
SELECT * FROM done('goals => false', 'closed => true');
SELECT * FROM done('rules => true', 'closed => true');
SELECT sla.rebuild('recalculate many');
SELECT sla.purge('2024-04-01', 'recalculate many') > 0 AS purged;
SELECT sla.backfill('recalculate many');
SELECT * FROM sla.verify('recalculate many');
SELECT sla.untrack('recalculate many');

DELETE FROM sla.log WHERE source LIKE 'recalculate%';
DELETE FROM sla.event WHERE source LIKE 'recalculate%';
DELETE FROM sla.ticket WHERE source LIKE 'recalculate%';
DELETE FROM sla.deadline_change WHERE source LIKE 'recalculate%';
DELETE FROM sla.promise_change WHERE source LIKE 'recalculate%';
DELETE FROM sla.rule WHERE source LIKE 'recalculate%';
DELETE FROM sla.level WHERE name LIKE 'recalculate%';
DELETE FROM sla.metric WHERE name = 'recalculated';
SET client_min_messages = warning;
DROP SCHEMA recalculate_test CASCADE;
DROP OWNED BY recalculate_clerk;
DROP ROLE recalculate_clerk;
