-- The questions, of a schedule and of a calendar by name.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\pset format unaligned
\pset null NULL

\i sql/include/failure.psql

-- One week: Mo-Fr 08:00-16:00, of 2026-05-18 (a Monday); Thursday is a holiday.
SELECT sla.set_calendar('support', 'UTC', 'Mo-Fr 08:00-16:00; May 21 off');
CREATE TABLE instant (at timestamptz);
INSERT INTO instant VALUES ('2026-05-18 07:59:59.999999'), ('2026-05-18 08:00'), ('2026-05-18 12:00'), ('2026-05-18 15:59:59.999999'),
	('2026-05-18 16:00'), ('2026-05-18 20:00'), ('2026-05-21 12:00'), ('2026-05-23 12:00');
SELECT at, sla.is_open('support', at), sla.next_open('support', at), sla.next_close('support', at),
	sla.previous_open('support', at), sla.previous_close('support', at), sla.roll_forward('support', at), sla.roll_backward('support', at)
FROM instant ORDER BY at;
-- a value gives the same
SELECT count(*) FROM instant, LATERAL (SELECT 'UTC: Mo-Fr 08:00-16:00; May 21 off'::sla.schedule AS s) AS schedule
WHERE (sla.is_open('support', at), sla.next_open('support', at), sla.next_close('support', at), sla.previous_open('support', at),
		sla.previous_close('support', at), sla.roll_forward('support', at), sla.roll_backward('support', at),
		sla.add_business_time('support', at, '1 day 3 hours'), sla.business_time('support', '2026-05-01', at))
	= (sla.is_open(s, at), sla.next_open(s, at), sla.next_close(s, at), sla.previous_open(s, at),
		sla.previous_close(s, at), sla.roll_forward(s, at), sla.roll_backward(s, at),
		sla.add_business_time(s, at, '1 day 3 hours'), sla.business_time(s, '2026-05-01', at));

-- The measure: half-open, signed, exact to the microsecond, in hours.
SELECT sla.business_time('support', '2026-05-18 12:00', '2026-05-19 09:30') AS "5:30",
	sla.business_time('support', '2026-05-19 09:30', '2026-05-18 12:00') AS "-5:30",
	sla.business_time('support', '2026-05-18 15:59:59.999999', '2026-05-19 08:00:00.000001') AS "2 us",
	sla.business_time('support', '2026-05-18 12:00', '2026-05-18 12:00') AS "0",
	sla.business_time('support', '2026-05-20 16:00', '2026-05-22 08:00') AS "0 ",
	sla.business_time('support', '2025-01-01', '2026-01-01') AS "2080 h";
SELECT sla.business_time('support', tstzrange('2026-05-18 12:00', '2026-05-19 09:30')) AS "5:30",
	sla.business_time('support', tstzrange('2026-05-18 12:00', '2026-05-19 09:30', '(]')) AS "5:30 ",
	sla.business_time('support', 'empty'::tstzrange) AS "0",
	sla.business_time('support', '{[2026-05-18 08:00,2026-05-18 09:00), [2026-05-18 15:00,2026-05-19 09:00), [2026-05-30,2026-05-31)}'::tstzmultirange) AS "3:00",
	sla.business_time('support', '{}'::tstzmultirange) AS "0 ";
-- of a value
SELECT sla.business_time(s, tstzrange('2026-05-18 12:00', '2026-05-19 09:30')),
	sla.business_time(s, '{[2026-05-18 08:00,2026-05-18 09:00), [2026-05-18 15:00,2026-05-19 09:00)}'::tstzmultirange),
	sla.open_hours(s, '[2026-05-18 12:00,2026-05-19 09:30)'),
	sla.is_business_day(s, '2026-05-21'), sla.business_days(s, '2026-05-18', '2026-05-25'),
	sla.add_business_days(s, '2026-05-20'::date, 1), sla.add_business_days(s, '2026-05-20 20:00'::timestamptz, 1)
FROM (SELECT 'UTC: Mo-Fr 08:00-16:00; May 21 off'::sla.schedule AS s) AS one;
-- under 24/7 it is plain subtraction, over all of time
SELECT sla.business_time('UTC: 24/7'::sla.schedule, a, b) = make_interval(secs => 0) + (b - a) AS same
FROM (VALUES ('2026-03-28 00:00'::timestamptz, '2026-03-30 12:34:56.789'::timestamptz), ('1900-01-01', '2100-01-01'), ('4714-11-24 BC', '200000-01-01')) AS v(a, b);

-- Adding. What is used up at closing time ends at closing time.
SELECT sla.add_business_time('support', '2026-05-18 12:00', '4 hours') AS closing, sla.add_business_time('support', '2026-05-18 12:00', '4 hours 1 microsecond') AS after_it,
	sla.add_business_time('support', '2026-05-18 20:00', '0') AS itself, sla.add_business_time('support', '2026-05-20 15:00', '2 hours') AS over_holiday,
	sla.add_business_time('support', '2026-05-16 12:00', '8 hours') AS from_weekend;
SELECT sla.add_business_time('support', '2026-05-18 12:00', '-4 hours') AS opening, sla.add_business_time('support', '2026-05-18 12:00', '-4 hours -1 microsecond') AS before_it,
	sla.add_business_time('support', '2026-05-22 09:00', '-2 hours') AS over_holiday, sla.add_business_time('support', '2026-05-18 08:00', '-1 hour') AS from_opening;
-- Days are business days and come first; the clock is kept, or moved to the day's next opening, or its last closing.
SELECT sla.add_business_time('support', '2026-05-18 12:00', '1 day') AS kept, sla.add_business_time('support', '2026-05-18 17:05', '1 day') AS rolled_first,
	sla.add_business_time('support', '2026-05-20 12:00', '1 day 2 hours') AS over_holiday, sla.add_business_time('support', '2026-05-18 12:00', '24 hours') AS not_a_day,
	sla.add_business_time('support', '2026-05-22 12:00', '-1 day') AS back, sla.add_business_time('support', '2026-05-18 12:00', '1 day -2 hours') AS mixed;
SELECT sla.add_business_time('UTC: Mo 08:00-16:00; Tu 10:00-12:00,13:00-14:00'::sla.schedule, at, '1 day')
FROM (VALUES ('2026-05-18 09:00'::timestamptz), ('2026-05-18 12:30'), ('2026-05-18 15:00')) AS v(at);
-- the rule of a large city: Monday 17:05 with hours 08:30-17:00 plus a day is Wednesday 08:30
SELECT sla.add_business_time('America/New_York: Mo-Fr 08:30-17:00'::sla.schedule, '2026-05-18 17:05-04', '1 day') AT TIME ZONE 'America/New_York';

-- Business days.
SELECT d::date, sla.is_business_day('support', d::date), sla.add_business_days('support', d::date, 1) AS next,
	sla.add_business_days('support', d::date, -1) AS previous, sla.add_business_days('support', d::date, 0) AS itself,
	sla.add_business_days('support', d::date, 5) AS fifth, sla.business_days('support', d::date, '2026-05-25') AS until,
	sla.business_days('support', '2026-05-25', d::date) AS negative
FROM generate_series('2026-05-20'::date, '2026-05-25', '1 day') AS d;
SELECT sla.add_business_days('support', '2026-05-20 23:15:30.5'::timestamptz, 1), sla.add_business_days('support', '2026-05-20 23:15:30.5'::timestamptz, -2),
	sla.add_business_days('support', '2026-05-23 23:15'::timestamptz, 0);
-- the local date is the schedule's, not the session's; a night shift makes both of its days business days
SELECT sla.add_business_days('Asia/Tokyo: Mo-Fr 08:00-16:00'::sla.schedule, '2026-05-18 20:00+00', 1) AT TIME ZONE 'Asia/Tokyo',
	sla.is_business_day('UTC: Fr 22:00-30:00'::sla.schedule, '2026-05-22'), sla.is_business_day('UTC: Fr 22:00-30:00'::sla.schedule, '2026-05-23'),
	sla.is_business_day('UTC: Fr 22:00-24:00'::sla.schedule, '2026-05-23');

-- By close of business: the day on which it is or opens next, or the nth after or before it.
SELECT at, sla.end_of_business_day('support', at, 0) AS same_day, sla.end_of_business_day('support', at, 2) AS two_days_later,
	sla.end_of_business_day('support', at, -1) AS day_before
FROM instant ORDER BY at;
-- a night shift closes when it ends, round the clock a day ends at midnight, and a day closes with the last night's shift if it has none
SELECT s, sla.end_of_business_day(s, '2026-05-20 12:00', 0) AS wednesday, sla.end_of_business_day(s, '2026-05-22 23:00', 0) AS friday, sla.end_of_business_day(s, '2026-05-22 23:00', 1) AS next
FROM unnest('{UTC: Mo-Fr 22:00-06:00, UTC: 24/7, "UTC: Mo-Fr 08:00-12:00,13:00-17:00", "UTC: Mo-Fr 08:00-20:00 holidays 2026-05-22 08:00-30:00",
	"(UTC: Mo-Fr 22:00-06:00) * (UTC: 20:00-02:00)", "(UTC: Mo-Fr 22:00-06:00) - (UTC: 05:00-12:00)"}'::sla.schedule[]) AS s;
-- on the local date
SELECT sla.end_of_business_day('Asia/Tokyo: Mo-Fr 08:00-16:00'::sla.schedule, '2026-05-17 23:30+00', 0) AT TIME ZONE 'Asia/Tokyo',
	sla.end_of_business_day('Europe/Oslo: 24/7'::sla.schedule, '2026-03-28 12:00+01', 1) AT TIME ZONE 'Europe/Oslo';

-- Open hours.
SELECT sla.open_hours('support', tstzrange('2026-05-18 12:00', '2026-05-19 09:30')), sla.open_hours('support', tstzrange('2026-05-18 16:00', '2026-05-19 08:00')),
	sla.open_hours('support', 'empty'), sla.open_hours('UTC: 24/7'::sla.schedule, '[2026-01-01,2027-01-01)');
SELECT sum(upper(r) - lower(r)) = sla.business_time('support', '2000-01-01', '2020-01-01') AS all_of_it, count(*)
FROM unnest(sla.open_hours('support', '[2000-01-01,2020-01-01)')) AS r;

-- The ends of time. None left: infinity, or NULL; never a loop.
CREATE TABLE strange (s sla.schedule);
INSERT INTO strange VALUES ('UTC: 24/7'), ('UTC: off'), ('UTC: 2026 May 18 08:00-16:00'), ('UTC: 2026+ 08:00-16:00'), ('(UTC: 24/7) - (UTC: 24/7)'), ('UTC: Mo-Fr 08:00-16:00');
SELECT s, sla.add_business_time(s, '2026-05-18 12:00', '100000 hours') AS forward, sla.add_business_time(s, '2026-05-18 12:00', '-100000 hours') AS back,
	sla.add_business_time(s, '2026-05-18 12:00', '2000 days') AS days, sla.add_business_time(s, '2026-05-18 12:00', '-2000 days') AS days_back
FROM strange ORDER BY s;
SELECT s, sla.is_open(s, '2026-05-18 12:00') AS open, sla.next_open(s, '2026-05-18 12:00') AS n_open, sla.next_close(s, '2026-05-18 12:00') AS n_close,
	sla.previous_open(s, '2026-05-18 12:00') AS p_open, sla.previous_close(s, '2026-05-18 12:00') AS p_close,
	sla.roll_forward(s, '2026-05-18 20:00') AS forward, sla.roll_backward(s, '2026-05-18 07:00') AS backward
FROM strange ORDER BY s;
SELECT s, sla.next_open(s, '-infinity') AS n_open, sla.next_close(s, '-infinity') AS n_close, sla.previous_open(s, 'infinity') AS p_open,
	sla.previous_close(s, 'infinity') AS p_close, sla.next_open(s, 'infinity') AS none, sla.previous_close(s, '-infinity') AS none
FROM strange ORDER BY s;
SELECT s, sla.add_business_days(s, '2026-05-18'::date, 100000) AS far, sla.add_business_days(s, '2026-05-18'::date, -100000) AS far_back,
	sla.add_business_days(s, '2026-05-18 12:00'::timestamptz, 100000) AS instant, sla.add_business_days(s, '2026-05-18 12:00'::timestamptz, -2147483648) AS instant_back,
	sla.business_days(s, '2026-01-01', '2027-01-01') AS year, sla.business_days(s, '4713-01-01 BC', '294276-01-01') AS all_days
FROM strange ORDER BY s;
SELECT s, sla.end_of_business_day(s, '2026-05-18 12:00', 0) AS today, sla.end_of_business_day(s, '2026-05-18 12:00', 2147483647) AS never,
	sla.end_of_business_day(s, '2026-05-18 12:00', -2147483648) AS never_was, sla.end_of_business_day(s, 'infinity', -1), sla.end_of_business_day(s, '-infinity', 1)
FROM strange ORDER BY s;
SELECT s, sla.business_time(s, '4714-11-24 BC', '294276-12-31 23:59:59.999999') AS all_time FROM strange WHERE s::text <> 'UTC: 24/7' ORDER BY s;
SELECT sla.is_open('support', 'infinity'), sla.is_open('support', '-infinity'), sla.is_business_day('support', 'infinity'),
	sla.roll_forward('support', 'infinity'), sla.roll_backward('support', '-infinity'),
	sla.add_business_time('support', 'infinity', '-1 hour'), sla.add_business_time('support', '-infinity', '1 day'),
	sla.add_business_days('support', 'infinity'::date, -1), sla.add_business_days('support', '-infinity'::timestamptz, 1);
-- without end only when what is open has one
SELECT sla.business_time(s, '-infinity', 'infinity'), sla.business_time(s, 'infinity', '-infinity'), sla.business_time(s, '2026-05-18 12:00', 'infinity'),
	sla.business_time(s, '(,)'::tstzrange), sla.business_time(s, '{(,)}'::tstzmultirange), sla.open_hours(s, '(,)')
FROM strange WHERE s::text IN ('UTC: off', 'UTC: 2026 May 18 08:00-16:00', '(UTC: 24/7) - (UTC: 24/7)');
SELECT sla.business_time('UTC: 2026+ 08:00-16:00'::sla.schedule, '-infinity', '2026-01-02 12:00'), sla.business_time('support', 'infinity', 'infinity');

-- Errors.
SELECT pg_temp.failure($$SELECT sla.business_time('support', '2026-05-18', 'infinity')$$);
SELECT pg_temp.failure($$SELECT sla.business_time('support', 'infinity', '2026-05-18')$$);
SELECT pg_temp.failure($$SELECT sla.business_time('support', '[2026-05-18,)'::tstzrange)$$);
SELECT pg_temp.failure($$SELECT sla.business_time('support', '{[2026-05-18,2026-05-19),[2026-05-20,)}'::tstzmultirange)$$);
SELECT pg_temp.failure($$SELECT sla.open_hours('support', '(,2026-05-18)')$$);
SELECT pg_temp.failure($$SELECT sla.business_time('UTC: 24/7'::sla.schedule, '4714-11-24 BC', '294276-12-31')$$);
SELECT pg_temp.failure($$SELECT sla.add_business_time('support', '2026-05-18', '1 month')$$);
SELECT pg_temp.failure($$SELECT sla.add_business_time('support', 'infinity', '-1 year 1 hour')$$);
SELECT pg_temp.failure($$SELECT sla.business_days('support', '2026-05-18', 'infinity')$$);
SELECT pg_temp.failure($$SELECT sla.business_days('support', '-infinity', '2026-05-18')$$);
SELECT pg_temp.failure($$SELECT sla.is_open('no such', now())$$);
SELECT pg_temp.failure($$SELECT sla.is_open('UTC: 24/7', now())$$);
SELECT pg_temp.failure($$SELECT sla.is_open('no such'::sla.schedule, now())$$);
SELECT pg_temp.failure($$SELECT sla.is_open('', now())$$);
-- NULL in, NULL out
SELECT sla.is_open(NULL::text, now()), sla.is_open(NULL::sla.schedule, now()), sla.is_open('support', NULL), sla.add_business_time('support', now(), NULL),
	sla.business_time('support', NULL, now()), sla.business_time('support', NULL::tstzrange), sla.open_hours('support', NULL), sla.add_business_days('support', NULL::date, 1);
-- Unless told otherwise the first argument is a calendar's name; the arguments have names.
SELECT pg_typeof(sla.add_business_time(cal => 'support', from_ts => '2026-05-18', amount => '1 hour')),
	pg_typeof(sla.business_time(cal => 'support', from_ts => '2026-05-18', to_ts => '2026-05-19')), pg_typeof(sla.business_time(cal => 'support', period => '[2026-05-18,2026-05-19]')),
	sla.is_open(cal => 'support', at => '2026-05-18 12:00'), sla.business_days(cal => 'support', from_day => '2026-05-18', to_day => '2026-05-19');

-- One open second a year.
SELECT sla.business_time(s, '2000-01-01', '2400-01-01') AS "400 s", sla.add_business_time(s, '2026-06-01', '10 seconds') AS "in 2036",
	sla.add_business_time(s, '2026-06-01', '-10 seconds') AS "in 2017", sla.next_open(s, '2026-01-01') AS "in 2027", sla.previous_close(s, '2026-01-01') AS "in 2025",
	sla.add_business_time(s, '2026-06-01', '292000 seconds') AS far, sla.add_business_time(s, '2026-06-01', '300000 seconds') AS never,
	sla.business_days(s, '2000-01-01', '2400-01-01') AS "400", sla.add_business_days(s, '2026-06-01'::date, 100) AS "in 2126"
FROM (SELECT 'UTC: Jan 01 00:00:00-00:00:01'::sla.schedule AS s) AS one;

-- Daylight saving: the definition in one line, day by day around the changes. Whole days have 23 or 25 hours, a window in the gap
-- moves on, one that exists twice is the later.
CREATE TABLE change (zone text, day date);
INSERT INTO change VALUES ('Europe/Oslo', '2026-03-29'), ('Europe/Oslo', '2026-10-25'), ('America/New_York', '2026-03-08'), ('America/New_York', '2026-11-01'),
	('Australia/Lord_Howe', '2026-04-05'), ('Australia/Lord_Howe', '2026-10-04'), ('America/Sao_Paulo', '2018-11-04'), ('America/Sao_Paulo', '2019-02-17'),
	('Africa/Cairo', '2014-05-16'), ('Asia/Beirut', '2022-03-27'), ('Africa/Casablanca', '2022-03-27'), ('Antarctica/Troll', '2026-03-29'),
	('Pacific/Apia', '2011-12-30'), ('Asia/Kathmandu', '1986-01-01'), ('Europe/Dublin', '1971-10-31'), ('Africa/Monrovia', '1972-01-07'),
	('America/St_Johns', '2006-10-29'), ('Asia/Pyongyang', '2018-05-05'), ('UTC', '2026-03-29'), ('Europe/Oslo', '2400-03-26'), ('Europe/Oslo', '9999-10-31');
CREATE TABLE hours (hours text, windows int4multirange);
INSERT INTO hours VALUES ('24/7', '{[0,86400)}'), ('00:00-24:00', '{[0,86400)}'), ('00:00-01:00', '{[0,3600)}'), ('00:30-02:30', '{[1800,9000)}'),
	('01:00-02:00', '{[3600,7200)}'), ('01:30-02:30,02:45-03:15', '{[5400,9000),[9900,11700)}'), ('02:00-03:00', '{[7200,10800)}'),
	('02:15-02:20', '{[8100,8400)}'), ('02:30-10:00', '{[9000,36000)}'), ('22:00-06:00', '{[79200,108000)}'), ('23:30-48:00', '{[84600,172800)}'),
	('23:59:59-24:00:01', '{[86399,86401)}'), ('08:00-16:00', '{[28800,57600)}'), ('03:00-02:00', '{[10800,93600)}');
WITH asked AS (
	SELECT *, tstzrange((day - 2)::timestamp AT TIME ZONE zone, (day + 3)::timestamp AT TIME ZONE zone) AS period FROM change, hours
), compared AS (
	SELECT zone, day, hours, sla.open_hours(sla.schedule(zone, hours), period) AS ours, (
			SELECT coalesce(range_agg(stretch), '{}') * tstzmultirange(period)
			FROM generate_series(day - 5, day + 5, '1 day') AS d, unnest(windows) AS w,
				LATERAL (SELECT (d::timestamp + lower(w) * interval '1 second') AT TIME ZONE zone AS opens,
					(d::timestamp + upper(w) * interval '1 second') AT TIME ZONE zone AS closes) AS at,
				LATERAL (SELECT tstzrange(opens, CASE WHEN closes > opens THEN closes ELSE opens END) AS stretch) AS r
		) AS theirs
	FROM asked
)
SELECT count(*) AS compared, count(*) FILTER (WHERE ours <> theirs) AS different,
	count(*) FILTER (WHERE ours <> '{}') AS with_open_time
FROM compared;
SELECT zone, day, sla.business_time(sla.schedule(zone, '24/7'), day::timestamp AT TIME ZONE zone, (day + 1)::timestamp AT TIME ZONE zone) AS whole_day,
	sla.business_time(sla.schedule(zone, '01:00-05:00'), day::timestamp AT TIME ZONE zone, (day + 1)::timestamp AT TIME ZONE zone) AS night
FROM change ORDER BY zone, day;

-- The laws, over a random but fixed set of instants and schedules.
SELECT setseed(0.5);
CREATE TABLE sample AS
	SELECT i, s, '2020-01-01'::timestamptz + random() * interval '4000 days' AS t, '2020-01-01'::timestamptz + random() * interval '4000 days' AS u,
		'2020-01-01'::timestamptz + random() * interval '4000 days' AS v, random() * interval '500 hours' AS d, random() * interval '50 hours' AS e
	FROM generate_series(1, 200) AS i, unnest(ARRAY['UTC: 24/7', 'Europe/Oslo: Mo-Fr 08:00-16:00; easter off', 'America/New_York: Mo-Sa 22:00-06:00,12:00-13:00 holidays 2026-12-25',
		'(Europe/Oslo: Mo-Fr 08:00-20:00) * (Asia/Tokyo: 09:00-24:00)', 'Australia/Lord_Howe: week 1-53/2 Mo[1] 00:00-24:00; Oct-Apr Su 01:00-03:00']::sla.schedule[]) AS s;
UPDATE sample SET d = justify_hours(d) - extract(day FROM justify_hours(d)) * interval '1 day' + extract(day FROM justify_hours(d)) * interval '24 hours',
	e = justify_hours(e) - extract(day FROM justify_hours(e)) * interval '1 day' + extract(day FROM justify_hours(e)) * interval '24 hours';
SELECT count(*) AS samples,
	count(*) FILTER (WHERE sla.business_time(s, t, sla.add_business_time(s, t, d)) = d) AS round_trip,
	count(*) FILTER (WHERE sla.business_time(s, sla.add_business_time(s, t, -d), t) = d) AS round_trip_back,
	count(*) FILTER (WHERE u < t OR (sla.add_business_time(s, t, d) <= u) = (sla.business_time(s, t, u) >= d)) AS in_time,
	count(*) FILTER (WHERE sla.business_time(s, t, u) + sla.business_time(s, u, v) = sla.business_time(s, t, v)) AS additive,
	count(*) FILTER (WHERE sla.business_time(s, t, u) = -sla.business_time(s, u, t)) AS antisymmetric,
	count(*) FILTER (WHERE (t <= u) = (sla.add_business_time(s, t, d) <= sla.add_business_time(s, u, d)) OR sla.business_time(s, t, u) = '0') AS monotone,
	count(*) FILTER (WHERE sla.add_business_time(s, sla.add_business_time(s, t, d), e) = sla.add_business_time(s, t, d + e)) AS steps,
	count(*) FILTER (WHERE sla.business_time(s, tstzrange(least(t, u), greatest(t, u))) = (
		SELECT coalesce(sum(upper(r) - lower(r)), '0') FROM unnest(sla.open_hours(s, tstzrange(least(t, u), greatest(t, u)))) AS r)) AS sum_of_hours
FROM sample;

-- In parallel it is the same; a name is looked up in each worker.
CREATE TABLE many AS SELECT i, '2026-01-01'::timestamptz + i * interval '7 minutes' AS at FROM generate_series(1, 20000) AS i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE FUNCTION pg_temp.plan_has(statement text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || statement LOOP
		IF line LIKE '%' || what || '%' THEN
			RETURN true;
		END IF;
	END LOOP;
	RETURN false;
END
$$;
SET max_parallel_workers_per_gather = 0;
CREATE TABLE alone AS SELECT sum(extract(epoch FROM sla.add_business_time('support', at, '4 hours'))) AS by_name,
	sum(extract(epoch FROM sla.add_business_time('Europe/Oslo: Mo-Fr 08:00-16:00'::sla.schedule, at, '4 hours'))) AS by_value FROM many;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.plan_has($$SELECT sum(extract(epoch FROM sla.add_business_time('support', at, '4 hours'))) FROM many$$, 'Parallel Seq Scan') AS parallel;
SELECT sum(extract(epoch FROM sla.add_business_time('support', at, '4 hours'))) = by_name AS same_by_name,
	sum(extract(epoch FROM sla.add_business_time('Europe/Oslo: Mo-Fr 08:00-16:00'::sla.schedule, at, '4 hours'))) = by_value AS same_by_value
FROM many, alone GROUP BY by_name, by_value;
-- a calendar that this transaction has made is known to its workers
BEGIN;
SELECT sla.set_calendar('mine', 'UTC', '24/7');
SELECT count(*) FROM many WHERE sla.is_open('mine', at);
ROLLBACK;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- Each place of call remembers its calendar: constants, columns, parameters, prepared statements.
SELECT sla.set_calendar('night', 'UTC', '22:00-06:00');
CREATE TABLE both_kinds AS SELECT i, CASE WHEN i % 3 = 0 THEN 'night' ELSE 'support' END AS cal,
	CASE WHEN i % 3 = 0 THEN 'UTC: 22:00-06:00' ELSE 'UTC: Mo-Fr 08:00-16:00; May 21 off' END::sla.schedule AS s
FROM generate_series(1, 1000) AS i;
SELECT count(*) FILTER (WHERE sla.is_open(cal, '2026-05-18 23:00')) AS night, count(*) FILTER (WHERE sla.is_open(cal, '2026-05-18 12:00')) AS support,
	count(*) FILTER (WHERE sla.add_business_time(cal, '2026-05-18 12:00', '5 hours') = sla.add_business_time(s, '2026-05-18 12:00', '5 hours')) AS same
FROM both_kinds;
PREPARE asked(text) AS SELECT sla.is_open($1, '2026-05-18 12:00'), sla.is_open($1, '2026-05-18 23:00');
EXECUTE asked('support');
EXECUTE asked('night');
SET plan_cache_mode = force_generic_plan;
EXECUTE asked('support');
EXECUTE asked('night');
RESET plan_cache_mode;
DO $$
DECLARE
	cal text;
	open boolean;
BEGIN
	FOREACH cal IN ARRAY ARRAY['support', 'night', 'support'] LOOP
		open := sla.is_open(cal, '2026-05-18 12:00');
		RAISE NOTICE '% %', cal, open;
	END LOOP;
END
$$;
-- names and texts that are stored out of line
CREATE TABLE toasted (cal text, s sla.schedule);
ALTER TABLE toasted ALTER cal SET STORAGE external, ALTER s SET STORAGE external;
INSERT INTO toasted SELECT name, sla.schedule('UTC', 'Mo-Fr 08:00-16:00', (SELECT array_agg(date '1900-01-01' + 3 * d) FROM generate_series(1, 1000) AS d))
FROM (SELECT string_agg(md5(i::text), '') AS name FROM generate_series(1, 79) AS i) AS long;
SELECT sla.set_calendar(cal, 'UTC', '24/7') FROM toasted;
SELECT sla.is_open(cal, '2026-05-16'), sla.add_business_time(s, '2026-05-18', '8 hours') FROM toasted, generate_series(1, 3);

-- Instants one after the other, for which a place of call has pieces of time at hand: as if they came in any other order.
CREATE TABLE step AS SELECT i, CASE WHEN i % 3000 < 1000 THEN 'night' ELSE 'support' END AS cal,
	CASE WHEN i % 5000 < 8 THEN 'infinity' WHEN i % 5000 < 16 THEN '-infinity' ELSE timestamptz '2026-05-18' + i * interval '61.000001 seconds' END AS at,
	(ARRAY['4 hours', '0.000001 seconds', '4 hours 0.5 seconds', '-3 hours', '1 day', '0', '100 hours', '1 day 1 hour'])[1 + i / 300 % 8]::interval AS amount
FROM generate_series(1, 40000) AS i;
WITH ordered AS MATERIALIZED (SELECT i, sla.add_business_time(cal, at, amount) AS due FROM (SELECT * FROM step ORDER BY i OFFSET 0) AS s),
	shuffled AS MATERIALIZED (SELECT i, sla.add_business_time(cal, at, amount) AS due FROM (SELECT * FROM step ORDER BY md5(i::text) OFFSET 0) AS s)
SELECT count(*), count(*) FILTER (WHERE o.due IS DISTINCT FROM s.due) AS different FROM ordered AS o JOIN shuffled AS s USING (i);

DELETE FROM sla.calendar;
DROP TABLE instant, strange, change, hours, sample, many, alone, both_kinds, toasted, step;
