-- What bad input gets: refused when written, with a code, the offending value and a hint; nothing changes.
\set VERBOSITY verbose
\set SHOW_CONTEXT never
CREATE SCHEMA errors_test;
SET search_path = errors_test;
CREATE TABLE ticket (id int PRIMARY KEY, status text, created_at timestamptz);
CREATE TABLE message (ticket_id int, author text);
CREATE VIEW seen AS SELECT * FROM ticket;
CREATE TEMP TABLE passing (id int);
-- The place in the server's source is not part of the contract.
CREATE FUNCTION try(statement text) RETURNS TABLE (code text, message text, detail text, hint text) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	code := 'none';
	RETURN NEXT;
EXCEPTION WHEN OTHERS THEN
	code := SQLSTATE;
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN NEXT;
END $$;
\x on
-- Calendars
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Olso', 'Mo-Fr 08:00-16:00')$$);
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Oslo', 'Mo-Fr 08:00-25:99')$$);
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Oslo', 'Mo-Fr 8am to 4pm')$$);
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Oslo', 'off')$$);
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Oslo', '24/7', '{nowhere}')$$);
SELECT * FROM try($$SELECT sla.set_calendar('errors', 'Europe/Oslo', NULL)$$);
SELECT * FROM try($$SELECT sla.business_time('errors', now(), now())$$);
SELECT sla.set_calendar('errors', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
-- Levels and goals
SELECT * FROM try($$INSERT INTO sla.level (name) VALUES ('errors')$$);
SELECT * FROM try($$INSERT INTO sla.level (name, calendar) VALUES ('errors', 'nowhere')$$);
INSERT INTO sla.level (name, calendar) VALUES ('errors', 'errors');
SELECT * FROM try($$INSERT INTO sla.target (level, metric, goal) VALUES ('errors', 'resolution', '0')$$);
SELECT * FROM try($$INSERT INTO sla.target (level, metric, goal) VALUES ('errors', 'resolution', '-1 hour')$$);
SELECT * FROM try($$INSERT INTO sla.target (level, metric, goal) VALUES ('errors', 'resolution', '1 month')$$);
SELECT * FROM try($$INSERT INTO sla.target (level, metric, goal) VALUES ('errors', 'no metric', '1 hour')$$);
SELECT * FROM try($$INSERT INTO sla.target (level, metric, goal) VALUES ('nowhere', 'resolution', '1 hour')$$);
INSERT INTO sla.target (level, metric, goal) VALUES ('errors', 'resolution', '1 hour');
-- Tracking
SELECT * FROM try($$SELECT sla.track(NULL, 'ticket', 'id')$$);
SELECT * FROM try($$SELECT sla.track('', 'ticket', 'id')$$);
SELECT * FROM try($$SELECT sla.track('errors', NULL, 'id')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', NULL)$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'number')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'ctid')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'seen', 'id')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'passing', 'id')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'pg_class', 'oid')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'sla.log', 'id')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', department => 'team')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', created_at => 'status')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', created_at => 'clock_timestamp()')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', facts => 'message')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', level_column => 'level')$$);
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id', due_column => 'due')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'ticket', 'resolved')$$);
SELECT * FROM try($$SELECT sla.untrack('errors')$$);
-- A rule that was written before does not fit the table.
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('by team', 'errors', 1, $$team = 'x'$$, 'errors');
SELECT * FROM try($$SELECT sla.track('errors', 'ticket', 'id')$$);
SELECT count(*) AS sources FROM sla.source WHERE name = 'errors';
SELECT count(*) AS triggers FROM pg_trigger WHERE tgrelid = 'ticket'::regclass;
UPDATE sla.rule SET condition = $$status = 'x'$$ WHERE source = 'errors';
SELECT sla.track('errors', 'ticket', 'id', created_at => 'created_at');
SELECT * FROM try($$SELECT sla.track('errors', 'message', 'ticket_id')$$);
-- Events
SELECT * FROM try($$SELECT sla.track_event('errors', 'message', 'agent_reply')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'ticket', 'resolved', 'true', ticket_key => 'id')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'message', '', ticket_key => 'ticket_id')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'message', 'agent_reply', 'author', ticket_key => 'ticket_id')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'message', 'agent_reply', ticket_key => 'ticket')$$);
SELECT * FROM try($$SELECT sla.track_event('errors', 'message', 'agent_reply', ticket_key => 'ticket_id', at => 'sent_at')$$);
SELECT * FROM try($$SELECT sla.untrack_event('errors', 'message', 'agent_reply')$$);
SELECT count(*) AS events FROM sla.source_event WHERE source = 'errors';
-- An event that no metric knows is taken, with a warning.
\set VERBOSITY terse
SELECT sla.track_event('errors', 'message', 'agent_replay', ticket_key => 'ticket_id');
\set VERBOSITY verbose
-- Rules
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'status')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'colour = 1')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'EXISTS (SELECT 1)')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'random() < 0.5')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'count(*) > 1')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'errors', 1, 'true; DROP TABLE ticket')$$);
SELECT * FROM try($$INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('r', 'errors', 1, 'true', 'nowhere')$$);
-- At run time: the rule names itself, the ticket is not lost without its writer being told.
UPDATE sla.rule SET condition = '1 / (id - 1) > 0' WHERE source = 'errors';
SELECT * FROM try($$INSERT INTO ticket VALUES (NULL, 'x', NULL)$$);
SELECT * FROM try($$INSERT INTO ticket VALUES (5, 'x', 'infinity')$$);
\x off
\set VERBOSITY default
\set SHOW_CONTEXT errors
INSERT INTO ticket VALUES (1, 'x', now());
SELECT count(*) FROM ticket;
INSERT INTO ticket VALUES (2, 'x', now());
SELECT count(*) FROM sla.log WHERE source = 'errors';
-- Our trigger functions are for our triggers.
SELECT sla.track_row();
CREATE TRIGGER wrong BEFORE INSERT ON message FOR EACH ROW EXECUTE FUNCTION sla.track_row('errors', '0');
INSERT INTO message VALUES (1, 'x');
DROP TRIGGER wrong ON message;
CREATE TRIGGER wrong AFTER INSERT ON message FOR EACH STATEMENT EXECUTE FUNCTION sla.track_truncate('errors');
INSERT INTO message VALUES (1, 'x');
DROP TRIGGER wrong ON message;
CREATE TRIGGER wrong AFTER INSERT ON message FOR EACH ROW EXECUTE FUNCTION sla.track_row('errors');
INSERT INTO message VALUES (1, 'x');
DROP TRIGGER wrong ON message;

SET client_min_messages = warning;
SELECT sla.untrack('errors');
DELETE FROM sla.rule WHERE source = 'errors';
DELETE FROM sla.level WHERE name = 'errors';
DROP SCHEMA errors_test CASCADE;
