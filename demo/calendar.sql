-- The city's office hours, and every day of the year for what it promises in calendar days.

\echo
\echo == Calendars ==
\echo

CREATE EXTENSION pg_sla;

INSERT INTO sla.holiday_set (name) VALUES ('boston');
INSERT INTO sla.holiday (holiday_set, day, name) SELECT 'boston', day, name FROM closed_day;

SELECT FROM sla.set_calendar('city hall', 'America/New_York', 'Mo-Fr 08:30-17:00', holiday_sets => '{boston}') \g /dev/null
SELECT FROM sla.set_calendar('every day', 'America/New_York', '24/7') \g /dev/null

\echo A case that came in on the Friday evening before a holiday, with a promise of two business days:
SELECT sla.add_business_time('city hall', '2015-02-13 18:30 America/New_York', '2 days')
	AT TIME ZONE 'America/New_York' AS deadline_in_boston;
