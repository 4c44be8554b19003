-- Business time by a calendar's name, against the same without opening hours.

CREATE EXTENSION pg_sla;

-- A usual office, with its holidays both in the hours and in a set.
INSERT INTO sla.holiday_set (name) VALUES ('bench');
INSERT INTO sla.holiday (holiday_set, day)
	SELECT 'bench', make_date(year, month, day)
	FROM generate_series(2005, 2035) AS year, (VALUES (1, 1), (5, 1), (12, 27)) AS date (month, day);
SELECT sla.set_calendar('support', 'Europe/Oslo',
	'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 24 08:00-12:00; Dec 25-26 off',
	ARRAY['bench']);

-- Tickets of ten years in the order of their coming, as a ticket table holds them, each with an end
-- within 12 days and one within 10 years, and a start at random within the ten years.
CREATE TABLE ticket AS
	SELECT created_at, created_at + random() * interval '12 days' AS closed_soon,
		   created_at + random() * interval '3650 days' AS closed_late,
		   timestamptz '2015-01-01 00:00+00' + random() * interval '3650 days' AS any_time
	FROM (SELECT timestamptz '2015-01-01 00:00+00' + (n + random()) / :rows * interval '3650 days' AS created_at
		  FROM generate_series(1, :rows) AS n) AS coming;
VACUUM (FREEZE, ANALYZE) ticket;

-- The solution that is usually written: count the minutes that are open.
CREATE TABLE public_holiday (day date PRIMARY KEY);
INSERT INTO public_holiday
	SELECT day FROM sla.holiday UNION
	SELECT make_date(year, month, day) FROM generate_series(2005, 2035) AS year,
		(VALUES (5, 17), (12, 25), (12, 26)) AS date (month, day);
ANALYZE public_holiday;
CREATE FUNCTION open_minutes(a timestamptz, b timestamptz) RETURNS bigint STABLE LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	SELECT count(*) INTO result
	FROM generate_series(a, b - interval '1 minute', interval '1 minute') AS minute
	WHERE extract(isodow FROM minute AT TIME ZONE 'Europe/Oslo') < 6
	AND (minute AT TIME ZONE 'Europe/Oslo')::time >= '08:00'
	AND (minute AT TIME ZONE 'Europe/Oslo')::time < '16:00'
	AND NOT EXISTS (SELECT FROM public_holiday WHERE day = (minute AT TIME ZONE 'Europe/Oslo')::date);
	RETURN result;
END
$$;
CREATE TABLE few AS SELECT * FROM ticket WHERE random() < 1000.0 / :rows LIMIT 100;

-- work: add 4 hours, tickets as they came | <= 1.25 x
-- baseline: ts + interval
SELECT count(created_at + interval '4 hours') FROM ticket;
-- ours: add_business_time
SELECT count(sla.add_business_time('support', created_at, '4 hours')) FROM ticket;

-- work: add 4 hours, instants at random | <= 1.25 x
-- baseline: ts + interval
SELECT count(any_time + interval '4 hours') FROM ticket;
-- ours: add_business_time
SELECT count(sla.add_business_time('support', any_time, '4 hours')) FROM ticket;

-- work: time between, up to 12 days | <= 1.25 x
-- baseline: b - a
SELECT count(closed_soon - created_at) FROM ticket;
-- ours: business_time
SELECT count(sla.business_time('support', created_at, closed_soon)) FROM ticket;

-- work: time between, up to 10 years | <= 1.25 x
-- baseline: b - a
SELECT count(closed_late - created_at) FROM ticket;
-- ours: business_time
SELECT count(sla.business_time('support', created_at, closed_late)) FROM ticket;

-- work: time between, up to 12 days, one call | >= 1000 x slower | calls 100 rows
-- baseline: generate_series in PL/pgSQL
SELECT count(open_minutes(created_at, closed_soon)) FROM few;
-- ours: business_time
SELECT count(sla.business_time('support', created_at, closed_soon)) FROM ticket;
