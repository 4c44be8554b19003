-- Business time told in words.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\pset format unaligned
\pset null NULL

\i sql/include/failure.psql

-- A week with a lunch, a long Thursday, a closed Friday and a weekend. 2026-05-20 is a Wednesday.
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 08:00-16:00; We 12:00-13:00 off "lunch", Th 16:00-18:00; May 22 off; Sa off'::sla.schedule,
	'2026-05-20 09:30', '2026-05-25 09:00:00.5');
-- night shifts, and one that a holiday takes away; a shift belongs to the day on which it begins
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 22:00-06:00 holidays 2026-05-21'::sla.schedule, '2026-05-20', '2026-05-23');
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 22:00-06:00; May 21 off'::sla.schedule, '2026-05-20', '2026-05-23');
-- the earlier of two that overlap; a fallback
SELECT * FROM sla.explain_business_time('UTC: We 20:00-26:00, Th 01:00-05:00 || Th 04:00-08:00'::sla.schedule, '2026-05-20 12:00', '2026-05-21 12:00');
-- holidays: closed, with hours of their own, with a rule for them
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 08:00-16:00 holidays 2026-05-20, 2026-05-21 10:00-12:00,13:00-14:00'::sla.schedule, '2026-05-20', '2026-05-22');
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00; May 21 off holidays 2026-05-20, 2026-05-21, 2026-05-22 off'::sla.schedule, '2026-05-20', '2026-05-23');
-- and times that a holiday closes, of whatever shift
SELECT * FROM sla.explain_business_time('UTC: Mo-Fr 08:00-16:00,22:00-06:00 holidays 2026-05-21 off 05:00-09:00'::sla.schedule, '2026-05-21', '2026-05-22');
-- around the clock in one row; never open in one row
SELECT * FROM sla.explain_business_time('UTC: 24/7'::sla.schedule, '1000-01-01', '3000-01-01');
SELECT * FROM sla.explain_business_time('UTC: off'::sla.schedule, '2000-01-01', '2030-01-01');

-- Clock changes.
SET timezone = 'Europe/Oslo';
SELECT * FROM sla.explain_business_time('Europe/Oslo: Sa-Su 22:00-06:00'::sla.schedule, '2026-03-28 12:00', '2026-03-29 12:00');
SELECT * FROM sla.explain_business_time('Europe/Oslo: Su 00:00-24:00'::sla.schedule, '2026-10-24 12:00', '2026-10-27');
SELECT * FROM sla.explain_business_time('Europe/Oslo: 24/7'::sla.schedule, '2026-01-01', '2029-01-01');
SELECT * FROM sla.explain_business_time('Europe/Oslo: 02:15-02:45'::sla.schedule, '2026-03-29', '2026-03-30');
SELECT reason FROM sla.explain_business_time('Australia/Lord_Howe: Su 00:00-24:00'::sla.schedule, '2026-04-04', '2026-04-06') WHERE open;
SELECT reason FROM sla.explain_business_time('Pacific/Apia: 00:00-24:00'::sla.schedule, '2011-12-29', '2012-01-01');
SET timezone = 'UTC';

-- A calendar: names of holidays and their sets, versions.
INSERT INTO sla.holiday_set (name) VALUES ('explained norway'), ('explained ours');
INSERT INTO sla.holiday (holiday_set, day, hours, name) VALUES ('explained norway', '2026-05-14', 'off', 'Ascension Day'), ('explained ours', '2026-05-14', 'off', NULL), ('explained ours', '2026-05-15', '08:00-12:00', 'Summer party');
SELECT sla.set_calendar('explained', 'UTC', 'Mo-Fr 08:00-16:00', '{explained norway, explained ours}');
SELECT * FROM sla.explain_business_time('explained', '2026-05-13 15:00', '2026-05-16 09:00');
SELECT sla.set_calendar('explained', 'UTC', 'Mo-Fr 09:00-17:00', '{explained ours}', effective_from => '2026-05-15');
SELECT * FROM sla.explain_business_time('explained', '2026-05-13 15:00', '2026-05-16 09:00');
SELECT sla.set_calendar('explained late', 'UTC', 'Mo-Fr 22:00-06:00', effective_from => '2026-05-14');
SELECT sla.set_calendar('explained late', 'Europe/Oslo', 'Mo-Fr 08:00-16:00', effective_from => '2026-05-15');
SELECT * FROM sla.explain_business_time('explained late', '2026-05-10', '2026-05-16');

-- Put together: which side.
SELECT * FROM sla.explain_business_time('(Europe/Oslo: Mo-Fr 08:00-16:00) * (America/New_York: Mo-Fr 09:00-17:00)'::sla.schedule, '2026-05-20', '2026-05-21');
SELECT * FROM sla.explain_business_time('(Europe/Oslo: Mo-Fr 08:00-16:00) + (America/New_York: Mo-Fr 09:00-17:00)'::sla.schedule, '2026-05-20', '2026-05-21');
SELECT * FROM sla.explain_business_time('(Europe/Oslo: Mo-Fr 08:00-16:00) - ((UTC: We 12:00-13:00) + (UTC: off))'::sla.schedule, '2026-05-20', '2026-05-21');
SELECT reason FROM sla.explain_business_time('(Europe/Oslo: 24/7) * (America/New_York: 24/7)'::sla.schedule, '2026-03-01', '2026-04-01');

-- Nothing, ends, errors.
SELECT * FROM sla.explain_business_time('explained', '2026-05-13', '2026-05-13');
SELECT * FROM sla.explain_business_time('explained', NULL, '2026-05-13');
SELECT * FROM sla.explain_business_time('UTC: 2026+ 00:00-24:00'::sla.schedule, '294276-12-31 23:00', '294276-12-31 23:59:59.999999');
SELECT * FROM sla.explain_business_time('UTC: Mo 00:00-24:00'::sla.schedule, '4714-11-24 BC', '4714-11-25 12:00 BC');
SELECT pg_temp.failure($$SELECT sla.explain_business_time('explained', '2026-05-13', 'infinity')$$);
SELECT pg_temp.failure($$SELECT sla.explain_business_time('explained', '-infinity', '2026-05-13')$$);
SELECT pg_temp.failure($$SELECT sla.explain_business_time('explained', '2026-05-14', '2026-05-13')$$);
SELECT pg_temp.failure($$SELECT sla.explain_business_time('no such', '2026-05-13', '2026-05-14')$$);
SELECT sum(length(reason)) < 100000 AS kept_short FROM (SELECT string_agg('(UTC: Mo-Fr 08:00-16:00) + (', '') || 'UTC: 24/7' || repeat(')', 150) AS text FROM generate_series(1, 150)) AS deep,
	sla.explain_business_time(text::sla.schedule, '2026-05-13', '2026-05-14');

-- What is open adds up to business time; nothing is left out; neighbours differ.
SELECT setseed(0.42);
CREATE TABLE explained AS
SELECT n, s, a, b, e.*
FROM (SELECT n, text::sla.schedule AS s, a, a + random() * interval '60 days' AS b
	FROM unnest(ARRAY['Europe/Oslo: Mo-Fr 08:00-16:00; We 12:00-13:00 off; easter off; PH off holidays 2026-05-17, 2026-06-01 10:00-12:00',
			'America/New_York: Mo-Fr 22:00-06:00, Sa 05:00-09:00; Mar 08 off', 'Australia/Lord_Howe: Mo-Su 00:00-03:00,23:00-24:00', 'Africa/Casablanca: 24/7; Fr[1] 12:00-14:00 off',
			'(Europe/Oslo: Mo-Fr 08:00-16:00) * (Asia/Tokyo: Mo-Fr 09:00-17:00; Th 16:00-30:00)', '(Pacific/Kiritimati: Mo-Fr 08:00-16:00) - ((UTC: 10:00-12:00) + (America/St_Johns: Mo 00:00-24:00))',
			'America/Sao_Paulo: 23:00-25:00,03:00-04:00', 'UTC: 18:00-42:00; Th off', 'Europe/Oslo: 01:30-02:45, 02:45-03:10, 05:00-06:00 || 05:30-07:00 holidays 2026-03-30 off 02:50-05:10']) AS text,
		generate_series(1, 12) AS n, LATERAL (SELECT '2026-01-01'::timestamptz + CASE n WHEN 1 THEN 0.2 ELSE random() END * interval '365 days' + n * interval '0' AS a) AS start) AS asked,
	sla.explain_business_time(s, a, b) AS e;
SELECT count(*) > 1000 AS many,
	count(*) FILTER (WHERE counted <> sla.business_time(s, from_ts, to_ts) OR counted <> CASE WHEN open THEN to_ts - from_ts - interval '0' ELSE '0' END AND extract(day FROM to_ts - from_ts) = 0) AS wrong,
	count(*) FILTER (WHERE from_ts >= to_ts) AS empty
FROM explained;
SELECT count(*) AS wrong FROM (
	SELECT s, a, b, sum(counted) AS counted, min(from_ts) AS first, max(to_ts) AS last, range_agg(tstzrange(from_ts, to_ts)) FILTER (WHERE open) AS open
	FROM explained GROUP BY s, a, b) AS one
WHERE counted <> sla.business_time(s, a, b) OR first <> a OR last <> b OR coalesce(open, '{}') <> sla.open_hours(s, tstzrange(a, b));
SELECT count(*) AS wrong FROM (
	SELECT from_ts, open, reason, lag(to_ts) OVER w AS reached, lag(open) OVER w AS open_before, lag(reason) OVER w AS reason_before
	FROM explained WINDOW w AS (PARTITION BY s, a, b ORDER BY from_ts)) AS rows
WHERE from_ts <> reached OR (open, reason) = (open_before, reason_before);

DROP TABLE explained;
DELETE FROM sla.calendar WHERE name LIKE 'explained%';
DELETE FROM sla.holiday_set WHERE name LIKE 'explained%';
