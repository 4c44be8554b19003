-- The same schedules and questions for everyone.

CREATE EXTENSION pg_sla;

-- Ten holidays a year, as dates.
CREATE TABLE public_holiday AS
	SELECT day::date
	FROM generate_series(timestamp '1970-01-01', timestamp '2035-12-31', interval '1 day') AS day
	WHERE sla.is_business_day(sla.schedule('UTC',
		'Jan 1,May 1,May 17,Dec 25-26; easter -3 days-easter -2 days; easter +1 day; easter +39 days; easter +50 days'), day::date);

INSERT INTO sla.holiday_set (name) VALUES ('public');
INSERT INTO sla.holiday (holiday_set, day) SELECT 'public', day FROM public_holiday;
SELECT sla.set_calendar('office', 'Europe/Oslo', 'Mo-Fr 08:00-16:00', ARRAY['public']);
SELECT sla.set_calendar('sunday', 'Europe/Oslo', 'Su 00:00-08:00');
SELECT sla.set_calendar('always', 'Europe/Oslo', '24/7');
-- The same hours where no clock changes: with the wall clock's times as its instants this is how a library
-- answers that takes every day for 24 hours.
SELECT sla.set_calendar('office by the wall clock', 'UTC', 'Mo-Fr 08:00-16:00', ARRAY['public']);
SELECT sla.set_calendar('sunday by the wall clock', 'UTC', 'Su 00:00-08:00');
SELECT sla.set_calendar('always by the wall clock', 'UTC', '24/7');

-- Instants of ten years, in whole seconds, every tenth on a full hour.
CREATE TABLE ticket AS
	SELECT n, a, a + floor(random() * 12 * 86400) * interval '1 second' AS soon,
		   a + floor(random() * 365 * 86400) * interval '1 second' AS late,
		   a::date AS day, a::date + floor(random() * 365)::int AS late_day
	FROM (SELECT n, date_trunc(CASE WHEN n % 10 = 0 THEN 'hour' ELSE 'second' END,
							   timestamptz '2015-01-01 00:00+00' + random() * interval '3650 days') AS a
		  FROM generate_series(1, :rows) AS n) AS coming;

-- Instants beside every clock change of ten years, after two that are shown one by one.
CREATE TABLE clock_change AS
	SELECT 2 + row_number() OVER (ORDER BY random()) AS n, change, u AS a,
		   u + interval '1 second' * floor(random() * 12 * 3600) AS soon
	FROM (SELECT change, change + floor(random() * 14 * 3600 - 6 * 3600) * interval '1 second' AS u
		  FROM (SELECT hour AS change
				FROM generate_series(timestamptz '2015-01-01 00:00+00', '2024-12-31 00:00+00', interval '1 hour') AS hour
				WHERE (hour AT TIME ZONE 'Europe/Oslo') - (hour - interval '1 hour') AT TIME ZONE 'Europe/Oslo' <> interval '1 hour') AS changes,
			 generate_series(1, 100)) AS drawn;
INSERT INTO clock_change VALUES
	(1, '2024-03-31 01:00+00', '2024-03-31 00:30 Europe/Oslo', '2024-03-31 06:00 Europe/Oslo'),
	(2, '2024-10-27 01:00+00', '2024-10-27 00:30 Europe/Oslo', '2024-10-27 06:00 Europe/Oslo');
VACUUM (FREEZE, ANALYZE) ticket;
VACUUM (FREEZE, ANALYZE) clock_change;

CREATE TABLE answer (n bigserial, value bigint);
