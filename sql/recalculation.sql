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
DELETE FROM sla.holiday WHERE holiday_set = 'recalculation';
SELECT * FROM deadlines WHERE ticket = 'future';
SELECT ticket, agreement, metric, former, deadline, reason FROM changes WHERE ticket = 'future' AND agreement = 'operational';
SELECT * FROM sla.verify('recalculation');

SELECT sla.untrack('recalculation');
DELETE FROM sla.rule WHERE source = 'recalculation';
DELETE FROM sla.level WHERE name LIKE 'recalculation%';
SET client_min_messages = warning;
DROP OWNED BY recalculation_editor;
DROP ROLE recalculation_editor;
DROP SCHEMA recalculation_test CASCADE;
