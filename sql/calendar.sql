-- Calendars by name: versions, holidays, checks, and that nothing stale is ever used.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\pset format unaligned
\pset tuples_only on
\pset null NULL

\i sql/include/failure.psql
-- The hours of a day, as the calendar has them.
CREATE FUNCTION pg_temp.day(cal text, day date) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(to_char(lower(r), 'HH24:MI') || '-' || to_char(upper(r), 'HH24:MI'), ','), 'closed')
	FROM unnest(sla.open_hours(cal, tstzrange(day, day + 1))) AS r
$$;

-- Made, shown, replaced.
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', description => 'First line');
TABLE sla.calendar_version;
SELECT name, description, changed_at > now() - interval '1 day' AND changed_at <= now() FROM sla.calendar;
SELECT pg_temp.day('support', '2026-05-18');
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 09:00-17:00');
TABLE sla.calendar_version;
SELECT name, description FROM sla.calendar;
SELECT pg_temp.day('support', '2026-05-18');
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', description => 'Second line');
SELECT name, description FROM sla.calendar;
-- by arguments' names, and with nothing for the sets
SELECT sla.set_calendar(name => 'plain', time_zone => 'europe/oslo', hours => '24/7', holiday_sets => NULL, effective_from => NULL);
SELECT * FROM sla.calendar_version WHERE calendar = 'plain';

-- Versions: each in force for the windows that begin on its local dates.
SELECT sla.set_calendar('support', 'UTC', '20:00-26:00', effective_from => '2026-05-20');
SELECT sla.set_calendar('support', 'Asia/Tokyo', '09:00-17:00', effective_from => '2026-05-22');
SELECT * FROM sla.calendar_version WHERE calendar = 'support' ORDER BY effective_from;
SELECT d::date, pg_temp.day('support', d::date) FROM generate_series('2026-05-18'::date, '2026-05-23', '1 day') AS d;
SELECT sla.business_time('support', '2026-05-18', '2026-05-24');
SELECT sla.add_business_days('support', '2026-05-21 21:00'::timestamptz, 1) AT TIME ZONE 'Asia/Tokyo';
-- replaced, and before the first there is nothing
SELECT sla.set_calendar('support', 'UTC', '21:00-22:00', effective_from => '2026-05-22');
DELETE FROM sla.calendar_version WHERE calendar = 'support' AND effective_from = '-infinity';
SELECT d::date, pg_temp.day('support', d::date) FROM generate_series('2026-05-18'::date, '2026-05-23', '1 day') AS d;
SELECT sla.previous_close('support', '2026-05-20 20:00'), sla.add_business_time('support', '2026-05-21', '-1000 hours');
DELETE FROM sla.calendar_version WHERE calendar = 'support';
SELECT pg_temp.failure($$SELECT sla.is_open('support', now())$$);
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00');
SELECT pg_temp.day('support', '2026-05-18');

-- Holidays, of several sets. A holiday closes its day unless it has hours or the opening hours say something of PH; sets leave what all leave.
INSERT INTO sla.holiday_set (name, description) VALUES ('national', 'Everybody'), ('office', 'This house'), ('empty', NULL);
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('national', '2026-05-18', 'A Monday');
INSERT INTO sla.holiday (holiday_set, day, hours, name) VALUES ('national', '2026-05-19', '10:00-12:00,13:00-15:00', 'Half'), ('national', '2026-05-20', 'OFF', NULL),
	('office', '2026-05-19', '11:00-14:00', 'Party'), ('office', '2026-05-20', '08:00-09:00', NULL), ('office', '2026-05-21', '22:00-26:00', NULL), ('office', '2026-05-23', '10:00-11:00', 'A Saturday');
INSERT INTO sla.holiday (holiday_set, day, hours, origin) VALUES ('national', '2026-05-19', '10:30-23:00', 'another feed');
TABLE sla.holiday ORDER BY holiday_set, day, origin;
CREATE VIEW week AS SELECT to_char(d, 'Dy') || ' ' || to_char(d, 'DD') AS day, pg_temp.day('support', d::date) AS hours FROM generate_series('2026-05-18'::date, '2026-05-24', '1 day') AS d;
SELECT * FROM week;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}');
SELECT * FROM week;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national,office,empty,national}');
SELECT * FROM week;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00; PH 08:30-10:00', '{national,office}');
SELECT * FROM week;
-- closed for a part of the day, in one set or several, beside holidays
INSERT INTO sla.holiday (holiday_set, day, hours, origin) VALUES ('national', '2026-05-22', 'off 09:00-10:00', 'a'), ('national', '2026-05-22', 'off 09:30-11:00', 'b'),
	('office', '2026-05-22', 'off 15:00-17:00', 'a'), ('office', '2026-05-19', 'off 12:00-13:00', 'a'), ('office', '2026-05-18', 'off 09:00-09:30', 'a'), ('national', '2026-05-21', 'off 22:30-23:00', 'a');
SELECT * FROM week;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{office}');
SELECT * FROM week;
DELETE FROM sla.holiday WHERE hours LIKE 'off %';
-- in a version that names another set
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00');
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}', '2026-05-20');
SELECT * FROM week;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}');
DELETE FROM sla.calendar_version WHERE effective_from = '2026-05-20';

-- Whatever the opening hours say of PH: "closed" closes, "open" leaves the day as it is where other sets do.
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00; PH 08:30-10:00', '{national,office}');
INSERT INTO sla.holiday (holiday_set, day, hours, origin) VALUES ('national', '2026-05-21', 'off', 'x'), ('national', '2026-05-22', 'Closed', 'x'),
	('office', '2026-05-18', 'closed', 'x'), ('office', '2026-05-19', 'open', 'x'), ('office', '2026-05-22', 'open', 'x'), ('office', '2026-05-24', 'open', 'x');
SELECT * FROM week;
UPDATE sla.holiday SET hours = 'open' WHERE holiday_set = 'national' AND day = '2026-05-22';
SELECT * FROM week WHERE day = 'Fri 22';
DELETE FROM sla.holiday WHERE origin = 'x';
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}');

-- Derived from another, with differences: later rules, and holiday sets of its own. What these open replaces what the base's sets say, what they close is closed as well.
SELECT sla.set_calendar('branch', NULL, 'We 10:00-12:00; Sa 09:00-10:00', '{office}', base => 'support');
INSERT INTO sla.holiday (holiday_set, day, hours, origin) VALUES ('office', '2026-05-18', 'open', 'x'), ('office', '2026-05-22', 'off 09:00-10:00', 'x'), ('national', '2026-05-21', 'off', 'x');
CREATE VIEW both_weeks AS SELECT to_char(d, 'Dy') || ' ' || to_char(d, 'DD') AS day, pg_temp.day('support', d::date) AS base, pg_temp.day('branch', d::date) AS derived
	FROM generate_series('2026-05-18'::date, '2026-05-24', '1 day') AS d;
SELECT * FROM both_weeks;
DELETE FROM sla.holiday WHERE origin = 'x';
-- at once what the base becomes, from the day on which it does, and as long as it is the base
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 06:00-18:00', '{national}', '2026-05-20');
SELECT sla.set_calendar('branch', NULL, 'Fr off', base => 'support', effective_from => '2026-05-21');
SELECT sla.set_calendar('branch', 'UTC', '23:00-24:00', effective_from => '2026-05-24');
SELECT * FROM both_weeks;
SELECT * FROM sla.calendar_history WHERE calendar IN ('branch', 'support') ORDER BY calendar, effective_from;
-- in a zone of its own; where the base is not in force, it is not either
SELECT sla.set_calendar('tokyo', 'Asia/Tokyo', NULL, base => 'branch');
DELETE FROM sla.calendar_version WHERE calendar = 'support' AND effective_from = '-infinity';
SELECT d::date, pg_temp.day('branch', d::date), pg_temp.day('tokyo', d::date) FROM generate_series('2026-05-19'::date, '2026-05-22', '1 day') AS d;
DELETE FROM sla.calendar_version WHERE calendar = 'support';
SELECT pg_temp.day('branch', '2026-05-20'), pg_temp.day('branch', '2026-05-24');
DELETE FROM sla.calendar_version WHERE calendar = 'branch' AND effective_from = '2026-05-24';
SELECT pg_temp.failure($$SELECT sla.is_open('branch', now())$$);
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00 || Sa 01:00-02:00', '{national}');
SELECT open, reason FROM sla.explain_business_time('tokyo', '2026-05-18', '2026-05-21');
-- what an edit touches
UPDATE sla.calendar SET changed_at = '2000-01-01';
UPDATE sla.holiday SET name = 'A Monday' WHERE holiday_set = 'national';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
UPDATE sla.calendar SET changed_at = '2000-01-01';
UPDATE sla.calendar_version SET hours = 'We 10:00-13:00' WHERE calendar = 'branch';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
-- what is refused
SELECT pg_temp.failure($$SELECT sla.set_calendar('support', NULL, NULL, base => 'tokyo')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', NULL, '24/7', base => 'bad')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', NULL, '24/7', base => 'unheard-of')$$);
SELECT pg_temp.failure($$INSERT INTO sla.calendar_version (calendar, effective_from, base) VALUES ('branch', '2030-01-01', 'unheard-of')$$);
-- never open: whose base has holidays may be open on them
SELECT pg_temp.failure($$SELECT sla.set_calendar('holidays only', NULL, 'off', base => 'support')$$);
INSERT INTO sla.holiday (holiday_set, day, hours, origin) VALUES ('national', '2026-05-21', '10:00-12:00', 'y');
SELECT pg_temp.day('holidays only', '2026-05-20'), pg_temp.day('holidays only', '2026-05-21');
DELETE FROM sla.holiday WHERE origin = 'y';
DELETE FROM sla.calendar WHERE name = 'holidays only';
UPDATE sla.calendar_version SET holiday_sets = '{}' WHERE calendar = 'support';
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', NULL, 'off', base => 'support')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('branch', NULL, 'Mo-Su off', base => 'support')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('branch', NULL, 'Mo-Fr off', base => 'support')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'Mars/Olympus', NULL, base => 'support')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', NULL, 'nonsense', base => 'support')$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET base = NULL WHERE calendar = 'tokyo'$$);
SELECT pg_temp.failure($$DELETE FROM sla.calendar WHERE name = 'support'$$);
SELECT pg_temp.failure($$DO 'BEGIN FOR i IN 1 .. 20 LOOP PERFORM sla.set_calendar(''d'' || i, NULL, NULL, base => CASE i WHEN 1 THEN ''support'' ELSE ''d'' || i - 1 END); END LOOP; END'$$);
-- renamed, and gone in any order
UPDATE sla.calendar SET name = 'backing' WHERE name = 'support';
SELECT pg_temp.day('branch', '2026-05-20'), base FROM sla.calendar_version WHERE calendar = 'branch';
UPDATE sla.calendar SET name = 'support' WHERE name = 'backing';
BEGIN;
DELETE FROM sla.calendar;
SET CONSTRAINTS ALL IMMEDIATE;
ROLLBACK;
DELETE FROM sla.calendar WHERE name IN ('branch', 'tokyo');
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}');
DROP VIEW both_weeks;

-- Whatever is written to the tables is used by the next command.
UPDATE sla.holiday SET hours = '12:00-13:00' WHERE day = '2026-05-18';
SELECT pg_temp.day('support', '2026-05-18');
DELETE FROM sla.holiday WHERE day = '2026-05-18';
SELECT pg_temp.day('support', '2026-05-18');
INSERT INTO sla.holiday VALUES ('national', '2026-05-18');
SELECT pg_temp.day('support', '2026-05-18');
BEGIN;
TRUNCATE sla.holiday;
SELECT pg_temp.day('support', '2026-05-18');
ROLLBACK;
SELECT pg_temp.day('support', '2026-05-18');
COPY sla.holiday (holiday_set, day, hours) FROM stdin;
national	2026-05-22	00:00-01:00
\.
SELECT pg_temp.day('support', '2026-05-22');
UPDATE sla.calendar_version SET hours = 'Mo-Su 06:00-07:00' WHERE calendar = 'support';
SELECT pg_temp.day('support', '2026-05-24');
UPDATE sla.calendar SET name = 'help' WHERE name = 'support';
SELECT pg_temp.day('help', '2026-05-24'), pg_temp.failure($$SELECT sla.is_open('support', now())$$);
UPDATE sla.calendar SET name = 'support' WHERE name = 'help';
-- in functions, between their commands
CREATE FUNCTION pg_temp.edit(new_hours text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text := pg_temp.day('support', '2026-05-24');
BEGIN
	UPDATE sla.calendar_version SET hours = new_hours WHERE calendar = 'support';
	RETURN before || ' -> ' || pg_temp.day('support', '2026-05-24');
END
$$;
SELECT pg_temp.edit('Mo-Su 07:00-08:00');
SELECT pg_temp.edit('Mo-Su 09:00-10:00') FROM generate_series(1, 2);

-- Nothing of a transaction that was rolled back stays.
BEGIN;
SELECT sla.set_calendar('support', 'UTC', '01:00-02:00');
SELECT pg_temp.day('support', '2026-05-24');
ROLLBACK;
SELECT pg_temp.day('support', '2026-05-24');
BEGIN;
SELECT pg_temp.day('support', '2026-05-24');
SAVEPOINT a;
SELECT sla.set_calendar('support', 'UTC', '01:00-02:00');
SELECT pg_temp.day('support', '2026-05-24');
SAVEPOINT b;
SELECT sla.set_calendar('support', 'UTC', '03:00-04:00');
SELECT pg_temp.day('support', '2026-05-24');
ROLLBACK TO b;
SELECT pg_temp.day('support', '2026-05-24');
ROLLBACK TO a;
SELECT pg_temp.day('support', '2026-05-24');
COMMIT;
BEGIN;
SELECT sla.set_calendar('new', 'UTC', '01:00-02:00');
SELECT pg_temp.day('new', '2026-05-24');
ROLLBACK;
SELECT pg_temp.failure($$SELECT pg_temp.day('new', '2026-05-24')$$);
BEGIN;
DELETE FROM sla.calendar WHERE name = 'support';
SELECT pg_temp.failure($$SELECT pg_temp.day('support', '2026-05-24')$$);
ROLLBACK;
SELECT pg_temp.day('support', '2026-05-24');
-- not even when the calendar was used between the change of a row and the end of its statement
CREATE FUNCTION pg_temp.use_and_fail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE NOTICE 'in a row trigger: %', pg_temp.day(NEW.calendar, '2026-05-24');
	IF TG_ARGV[0] = 'fail' THEN
		RAISE EXCEPTION 'as asked';
	END IF;
	RETURN NEW;
END
$$;
CREATE TRIGGER a_use AFTER UPDATE ON sla.calendar_version FOR EACH ROW EXECUTE FUNCTION pg_temp.use_and_fail('fail');
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET hours = '01:00-02:00' WHERE calendar = 'support'$$);
SELECT pg_temp.day('support', '2026-05-24');
DROP TRIGGER a_use ON sla.calendar_version;
-- or when only some of its rows were there
CREATE FUNCTION pg_temp.pass() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM count(*) FROM pg_class;
	RETURN NEW;
END
$$;
CREATE TRIGGER a_use BEFORE UPDATE ON sla.calendar_version FOR EACH ROW EXECUTE FUNCTION pg_temp.use_and_fail();
CREATE TRIGGER a_pass AFTER UPDATE ON sla.calendar_version FOR EACH ROW EXECUTE FUNCTION pg_temp.pass();
SELECT sla.set_calendar('support', 'UTC', '03:00-04:00', effective_from => '2026-05-20');
BEGIN;
UPDATE sla.calendar SET changed_at = now();
UPDATE sla.calendar_version SET hours = '05:00-06:00' WHERE calendar = 'support';
SELECT pg_temp.day('support', '2026-05-24');
COMMIT;
SELECT pg_temp.day('support', '2026-05-24');
DROP TRIGGER a_use ON sla.calendar_version;
DROP TRIGGER a_pass ON sla.calendar_version;
-- a command that changes nothing disturbs nothing
UPDATE sla.calendar_version SET hours = '07:00-08:00' WHERE calendar = 'none';
SELECT pg_temp.day('support', '2026-05-24');
-- an old snapshot sees the calendar as it is now
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM sla.calendar;
SELECT pg_temp.day('support', '2026-05-24');
COMMIT;

-- When it changed.
UPDATE sla.calendar SET changed_at = '2000-01-01';
UPDATE sla.holiday SET name = 'x' WHERE holiday_set = 'office';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
UPDATE sla.holiday SET name = 'x' WHERE holiday_set = 'national';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
UPDATE sla.calendar SET changed_at = '2000-01-01';
UPDATE sla.holiday SET holiday_set = 'empty' WHERE holiday_set = 'national' AND day = '2026-05-22';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
UPDATE sla.calendar SET changed_at = '2000-01-01';
DELETE FROM sla.calendar_version WHERE calendar = 'support' AND effective_from > '-infinity';
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;
UPDATE sla.calendar SET changed_at = '2000-01-01';
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00', '{national}');
SELECT name, changed_at <> '2000-01-01' AS touched FROM sla.calendar ORDER BY name;

-- A holiday set that is used is renamed with its calendars, and not deleted.
UPDATE sla.holiday_set SET name = 'nation' WHERE name = 'national';
SELECT holiday_sets FROM sla.calendar_version WHERE calendar = 'support';
SELECT pg_temp.day('support', '2026-05-18');
SELECT pg_temp.failure($$DELETE FROM sla.holiday_set WHERE name = 'nation'$$);
DELETE FROM sla.holiday_set WHERE name IN ('office', 'empty');
SELECT DISTINCT holiday_set FROM sla.holiday;

-- What is refused, whichever way it is written.
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'Mars/Olympus', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC+3', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', 'Mo-Fr 08:00-sunset')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', 'off')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', 'PH 08:00-12:00')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '24/7', '{nation,unheard-of}')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '24/7', '{NULL}')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '24/7', effective_from => 'infinity')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '24/7', effective_from => '10000-01-01')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('', 'UTC', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar(NULL, 'UTC', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', NULL, '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', NULL)$$);
SELECT count(*) FROM sla.calendar WHERE name IN ('', 'bad');
SELECT pg_temp.failure($$INSERT INTO sla.calendar_version VALUES ('support', '2026-01-01', 'Mars/Olympus', '24/7')$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET hours = 'nonsense'$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET hours = 'off'$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET time_zone = NULL WHERE calendar = 'plain'$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET hours = NULL WHERE calendar = 'plain'$$);
SELECT pg_temp.failure($$UPDATE sla.calendar_version SET holiday_sets = '{NULL}' WHERE calendar = 'plain'$$);
SELECT pg_temp.failure($$INSERT INTO sla.calendar_version VALUES ('nobody', '2026-01-01', 'UTC', '24/7')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', 'morning')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', 'Mo 08:00-12:00')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', '08:00-12:00; 13:00-14:00')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', '2026-2027')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', '')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '2026-01-01', NULL)$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', 'infinity')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '10000-01-01')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nation', '0001-12-31 BC')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday VALUES ('nobody', '2026-01-01')$$);
SELECT pg_temp.failure($$INSERT INTO sla.holiday_set VALUES ('')$$);
SELECT pg_temp.failure($$SELECT sla.check_holiday()$$);
SELECT pg_temp.failure($$SELECT sla.check_calendar_version()$$);
CREATE TEMP TABLE other (holiday_set text, day date, hours text);
CREATE TRIGGER wrong BEFORE DELETE ON other FOR EACH ROW EXECUTE FUNCTION sla.check_holiday();
INSERT INTO other VALUES ('a');
SELECT pg_temp.failure($$DELETE FROM other$$);

-- No privilege on the tables is needed to ask, but to write.
CREATE ROLE regress_sla_reader;
SET ROLE regress_sla_reader;
SELECT sla.is_open('support', '2026-05-20 12:00'), sla.is_open('plain', '2026-05-20 12:00');
SELECT pg_temp.failure($$SELECT count(*) FROM sla.calendar$$);
SELECT pg_temp.failure($$SELECT sla.set_calendar('support', 'UTC', '24/7')$$);
RESET ROLE;
DROP ROLE regress_sla_reader;

-- Nothing of the caller's search_path is used.
CREATE SCHEMA hostile;
CREATE TABLE hostile.calendar (LIKE sla.calendar);
CREATE FUNCTION hostile.format(text, VARIADIC text[]) RETURNS text LANGUAGE sql AS $$SELECT 'hostile'$$;
CREATE FUNCTION hostile.unequal(text, text) RETURNS boolean LANGUAGE sql AS $$SELECT NULL::boolean$$;
CREATE OPERATOR hostile.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = hostile.unequal);
SET search_path = hostile, pg_catalog;
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 10:00-11:00', '{nation}');
SELECT sla.is_open('support', '2026-05-21 10:30'), pg_temp.failure($$SELECT sla.set_calendar('bad', 'UTC', '24/7', '{unheard-of}')$$);
UPDATE sla.holiday_set SET name = 'national';
SET search_path = '';
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 10:00-12:00', '{national}');
SELECT sla.is_open('support', '2026-05-21 11:30');
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
RESET client_min_messages;

-- Memory. Calendars and schedules that were not used for longest make room, and come back when asked for.
SELECT count(sla.set_calendar('c' || i, 'UTC', format('Mo-Fr 08:%s-16:00; Dec %s off', lpad((i % 60)::text, 2, '0'), 1 + i % 31))) FROM generate_series(1, 600) AS i;
CREATE VIEW kept AS SELECT count(*) AS calendars, sum(total_bytes) AS bytes FROM pg_backend_memory_contexts WHERE name = 'pg_sla calendar';
SELECT sum(extract(epoch FROM sla.business_time('c' || i, '2026-05-18', '2027-05-18'))) / 3600 FROM generate_series(1, 600) AS i;
SELECT calendars >= 600 AS all_kept, bytes < 96 * 1024 * 1024 AS within_limit FROM kept;
SET pg_sla.calendar_cache_size = '1MB';
SELECT sum(extract(epoch FROM sla.business_time('c' || i, '2026-05-18', '2027-05-18'))) / 3600 FROM generate_series(1, 600) AS i;
SELECT calendars < 600 AS some_kept, bytes < 1.1 * 1024 * 1024 AS within_limit FROM kept;
SELECT sum(extract(epoch FROM sla.business_time(sla.schedule('UTC', format('Mo-Fr 08:%s-16:00; Dec %s off', lpad((i % 60)::text, 2, '0'), 1 + i % 31)),
	'2026-05-18', '2027-05-18'))) / 3600 FROM generate_series(1, 600) AS i;
SELECT bytes < 1.1 * 1024 * 1024 AS within_limit FROM kept;
-- one that alone is larger stays while it is used
SELECT count(sla.business_time('c1', '2026-05-18', '2026-05-18'::timestamptz + i * interval '10 years')), count(sla.business_time('c2', '2026-05-18', '2027-05-18')) FROM generate_series(1, 1000) AS i;
SELECT split_part(pg_temp.failure($$SET pg_sla.calendar_cache_size = '100kB'$$), ' (', 1);
RESET pg_sla.calendar_cache_size;
SELECT sla.is_open('c7', '2026-05-18 12:00'), sla.is_open('c8', '2026-12-09 12:00');

DROP VIEW week, kept;
DELETE FROM sla.calendar;
DELETE FROM sla.holiday_set;
SELECT (SELECT count(*) FROM sla.calendar_version), (SELECT count(*) FROM sla.holiday);
