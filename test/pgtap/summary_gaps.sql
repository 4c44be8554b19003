-- The instants that are read from the log for a day with a mark are all of that day, wherever its calendars are, and not many more.
BEGIN;
SELECT plan(5);
CREATE EXTENSION pg_sla;
SET LOCAL timezone = 'UTC';
CREATE TEMP TABLE place AS SELECT * FROM unnest('{UTC,Europe/Oslo,Australia/Lord_Howe,Asia/Kathmandu}'::text[]) AS zone;
-- Clocks change; the date line moves past a place, which lives a day twice, or not at all.
CREATE TEMP TABLE marked AS SELECT * FROM unnest('{2024-03-04,2024-03-31,2024-10-27,2024-10-05,2024-10-06,2011-12-29,2011-12-30,2011-12-31,1969-09-29,1969-09-30,1969-10-01,1993-08-20,1993-08-21}'::date[]) AS day;
SELECT sla.set_calendar(zone, zone, '24/7') FROM place;
INSERT INTO sla.summary_state (announced, summarized, calendars_at, summarized_at) VALUES ('2024-12-01', '2024-12-01', 'infinity', now());

-- Instants that are of a day and not in its gaps; hours in its gaps.
CREATE FUNCTION pg_temp.outside() RETURNS TABLE (zone text, day date, at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
	marked record;
BEGIN
	FOR marked IN SELECT m.day FROM marked AS m LOOP
		DELETE FROM sla.summary_mark;
		INSERT INTO sla.summary_mark VALUES ('s', marked.day, '1');
		RETURN QUERY SELECT p.zone, marked.day, t
			FROM place AS p, generate_series((marked.day - interval '50 hours')::timestamptz, marked.day + interval '74 hours', '15 minutes') AS t
			WHERE sla.local_date(p.zone, t) = marked.day AND NOT EXISTS (SELECT FROM sla.summary_gaps() AS g WHERE t >= g.from_instant AND t < g.to_instant);
	END LOOP;
END
$$;
CREATE FUNCTION pg_temp.length() RETURNS interval LANGUAGE sql AS $$ SELECT sum(to_instant - from_instant) FROM sla.summary_gaps() $$;
SELECT is_empty('SELECT * FROM pg_temp.outside()', 'few places');
INSERT INTO place SELECT * FROM unnest('{Pacific/Apia,Pacific/Kwajalein,Pacific/Kiritimati,Pacific/Niue,America/Los_Angeles}'::text[]) AS zone;
SELECT sla.set_calendar(zone, zone, '24/7') FROM place WHERE NOT zone IN (SELECT name FROM sla.calendar);
SELECT is_empty('SELECT * FROM pg_temp.outside()', 'places beside the date line');
DELETE FROM sla.calendar WHERE name <> 'Europe/Oslo';
DELETE FROM sla.summary_mark;
INSERT INTO sla.summary_mark SELECT 's', d, '1' FROM unnest('{2024-03-04,2024-03-05,2024-09-02}'::date[]) AS d;
SELECT is(pg_temp.length(), interval '72 hours', 'three days are three days of one place');
INSERT INTO sla.calendar (name) VALUES ('of no hours');
SELECT is(pg_temp.length(), interval '7 days', 'beside a calendar without hours nothing is asked');
DELETE FROM sla.calendar WHERE name = 'of no hours';
SELECT sla.set_calendar('calendar ' || n, 'UTC', '24/7') FROM generate_series(1, 50) AS n;
SELECT is(pg_temp.length(), interval '7 days', 'of many calendars nothing is asked');

SELECT * FROM finish();
ROLLBACK;
