-- Is a deadline past? The same answer with an index and without.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\pset format unaligned
\pset null NULL

\i sql/include/failure.psql

SELECT sla.set_calendar('overdue support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; May 17 off; easter -3 days-easter +1 day off');
SELECT sla.set_calendar('overdue changing', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
SELECT sla.set_calendar('overdue changing', 'America/New_York', 'Mo-Su 09:00-17:00', effective_from => '2026-03-17');
SELECT sla.set_calendar('overdue changing', 'Asia/Tokyo', 'Mo-Sa 20:00-04:00', effective_from => '2026-10-20');

-- The deadline of four hours from Friday 14:30 is Monday 10:30; then it is not past, a microsecond later it is.
SELECT as_of, sla.overdue('overdue support', '2026-03-06 14:30+01', '4 hours', as_of), sla.overdue_before('overdue support', '4 hours', as_of)
FROM unnest('{2026-03-09 09:29+00, 2026-03-09 09:30+00, 2026-03-09 09:30:00.000001+00}'::timestamptz[]) AS as_of;
-- used up at closing time it is past in the night
SELECT as_of, sla.overdue('overdue support', '2026-03-06 12:00+01', '4 hours', as_of), sla.overdue_before('overdue support', '4 hours', as_of)
FROM unnest('{2026-03-06 15:00+00, 2026-03-06 15:00:00.000001+00, 2026-03-09 07:00+00}'::timestamptz[]) AS as_of;
-- days, no goal at all, less than none, and as of now
SELECT sla.overdue('overdue support', '2026-03-06 14:30+01', '1 day', '2026-03-09 13:30+00') AS no, sla.overdue('overdue support', '2026-03-06 14:30+01', '1 day', '2026-03-09 13:31+00') AS yes,
	sla.overdue('overdue support', '2026-03-06 14:30+01', '0', '2026-03-06 14:30+01') AS no, sla.overdue('overdue support', '2026-03-06 14:30+01', '0', '2026-03-06 14:31+01') AS yes,
	sla.overdue('overdue support', '2026-03-09 09:00+01', '-2 hours', '2026-03-06 15:00+01') AS no, sla.overdue('overdue support', '2026-03-09 09:00+01', '-2 hours', '2026-03-06 15:01+01') AS yes,
	sla.overdue('overdue support', now(), '1 microsecond') AS no, sla.overdue('overdue support', now() - interval '20 days', '1 hour') AS yes;
-- infinite; nothing left to be open
SELECT sla.overdue('overdue support', 'infinity', '1 hour', 'infinity') AS no, sla.overdue('overdue support', '-infinity', '1 hour', '2026-03-06') AS yes,
	sla.overdue('overdue support', '2026-03-06', '1 hour', 'infinity') AS yes, sla.overdue('overdue support', '2026-03-06', '1 hour', '-infinity') AS no,
	sla.overdue('UTC: 2026 Mar 6 08:00-16:00'::sla.schedule, '2026-03-06 12:00', '4 hours', 'infinity') AS yes,
	sla.overdue('UTC: 2026 Mar 6 08:00-16:00'::sla.schedule, '2026-03-06 12:00', '5 hours', 'infinity') AS no,
	sla.overdue('UTC: off'::sla.schedule, '2026-03-06 12:00', '1 hour', 'infinity') AS no;
SELECT sla.overdue(NULL::text, now(), '1 hour'), sla.overdue('overdue support', NULL, '1 hour'), sla.overdue('overdue support', now(), NULL), sla.overdue('overdue support', now(), '1 hour', NULL);
SELECT pg_temp.failure($$SELECT sla.overdue('overdue support', now(), '1 month')$$);
SELECT pg_temp.failure($$SELECT sla.overdue_before('overdue support', '1 month', now())$$);
SELECT pg_temp.failure($$SELECT sla.overdue('no such calendar', now(), '1 hour')$$);

-- Starts of all kinds: anywhere, at openings and closings and near them, where clocks change, at the ends of time, none.
CREATE TABLE start (id serial PRIMARY KEY, created_at timestamptz, goal interval NOT NULL DEFAULT '4 hours', cal text NOT NULL DEFAULT 'overdue support', closed_at timestamptz);
SELECT setseed(0.42);
INSERT INTO start (created_at) SELECT '2026-01-01'::timestamptz + random() * interval '365 days' FROM generate_series(1, 3000);
INSERT INTO start (created_at)
	SELECT day + hours * interval '1 hour' + nudge * interval '1 microsecond'
	FROM generate_series('2026-01-01'::timestamptz, '2026-12-31', '3 days') AS day, unnest('{0, 1, 7, 8, 14, 15, 20, 23}'::int[]) AS hours, unnest('{-1, 0, 1}'::int[]) AS nudge;
INSERT INTO start (created_at)
	SELECT change + minutes * interval '1 minute' + seconds * interval '1 second'
	FROM unnest('{2026-03-29 01:00+00, 2026-10-25 01:00+00, 2026-03-08 07:00+00, 2026-11-01 06:00+00, 2026-04-05 03:00+00, 2026-04-04 15:00+00, 2026-10-03 15:30+00}'::timestamptz[]) AS change,
		generate_series(-1500, 1500, 30) AS minutes, unnest('{-0.000001, 0}'::numeric[]) AS seconds;
INSERT INTO start (created_at) VALUES ('infinity'), ('-infinity'), (NULL), ('4714-11-24 BC'), ('294276-12-31 23:59:59.999999'), ('1900-01-01'), ('2100-01-01');
CREATE INDEX start_created_at ON start (created_at);
ANALYZE start;

-- The planner finds the condition, exact for hours; also with a value, in a join, and it estimates well.
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('overdue support', created_at, '4 hours');
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('Europe/Oslo: Mo-Fr 08:00-16:00'::sla.schedule, created_at, '1 day 4 hours', '2026-06-01') ORDER BY created_at LIMIT 5;
EXPLAIN (COSTS OFF) SELECT * FROM (VALUES ('overdue support', interval '4 hours'), ('overdue changing', '3 days')) AS promise (cal, goal), start
	WHERE sla.overdue(promise.cal, created_at, promise.goal, '2026-02-01');
PREPARE overdue (text, interval, timestamptz) AS SELECT count(*) FROM start WHERE sla.overdue($1, created_at, $2, $3);
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE overdue('overdue support', '4 hours', '2026-06-01');
EXECUTE overdue('overdue support', '4 hours', '2026-06-01');
EXECUTE overdue('overdue changing', '2 days', '2026-06-01');
EXECUTE overdue('overdue changing', '2 days', NULL);
RESET plan_cache_mode;
-- not where the rest differs from row to row, or is not known before
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('overdue support', created_at, goal, '2026-06-01');
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('overdue support', created_at, '4 hours', closed_at);
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('overdue support', created_at, '4 hours', clock_timestamp());
EXPLAIN (COSTS OFF) SELECT * FROM start WHERE sla.overdue('overdue support', '2026-01-01', '4 hours', created_at);
RESET enable_bitmapscan;
RESET enable_seqscan;
CREATE FUNCTION pg_temp.estimate(condition text) RETURNS float LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM start WHERE ' || condition INTO plan;
	RETURN plan -> 0 -> 'Plan' -> 'Plan Rows';
END
$$;
SELECT as_of, abs(pg_temp.estimate(format('sla.overdue(''overdue support'', created_at, ''4 hours'', %L)', as_of))
		- (SELECT count(*) FROM start WHERE sla.overdue('overdue support', created_at, '4 hours', as_of))) < 500 AS estimated_well
FROM unnest('{2025-01-01, 2026-02-01, 2026-07-01, 2027-01-01}'::timestamptz[]) AS as_of;

-- The same rows, forced every way.
CREATE FUNCTION pg_temp.found(method text, condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
	plan text;
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', (method = 'seqscan')::text, true),
		set_config('enable_indexscan', (method = 'indexscan')::text, true),
		set_config('enable_indexonlyscan', (method = 'indexscan')::text, true),
		set_config('enable_bitmapscan', (method IN ('bitmapscan', 'brin'))::text, true);
	FOR line IN EXECUTE 'EXPLAIN SELECT id FROM start WHERE ' || condition LOOP
		plan := concat_ws(E'\n', plan, line);
	END LOOP;
	IF plan !~ (CASE method WHEN 'seqscan' THEN 'Seq Scan' WHEN 'indexscan' THEN '^Index Scan.*Index Cond' ELSE 'Bitmap Index Scan.*Index Cond' END) THEN
		RAISE EXCEPTION '% not used: %', method, plan;
	END IF;
	EXECUTE 'SELECT count(*) || '' '' || coalesce(sum(hashint4extended(id, 0)), 0) FROM (SELECT id FROM start WHERE ' || condition || ') AS found' INTO result;
	RETURN result;
END
$$;
CREATE TABLE tried AS
SELECT cal, goal, as_of,
	format('sla.add_business_time(%s, created_at, %L) < %L', cal, goal, as_of) AS plain,
	format('sla.overdue(%s, created_at, %L, %L)', cal, goal, as_of) AS condition
FROM unnest(ARRAY[$$'overdue support'::text$$, $$'overdue changing'::text$$, $$'UTC: 24/7'::sla.schedule$$, $$'UTC: off'::sla.schedule$$,
		$$'America/New_York: Mo-Fr 22:00-06:00; PH off holidays 2026-03-09, 2026-07-03 08:00-12:00'::sla.schedule$$,
		$$'Australia/Lord_Howe: Mo-Su 00:00-03:00,23:00-24:00'::sla.schedule$$, $$'Europe/Oslo: 2026 Mar-Jul Mo-Fr 08:00-16:00'::sla.schedule$$,
		$$'(Europe/Oslo: Mo-Fr 08:00-16:00) * (America/New_York: Mo-Fr 09:00-17:00)'::sla.schedule$$,
		$$'(Pacific/Kiritimati: Mo-Fr 08:00-16:00) - (Pacific/Honolulu: 10:00-12:00)'::sla.schedule$$]) AS cal,
	unnest('{0, 00:00:00.000001, 4 hours, 8 hours, 1 day, 2 days 3 hours, 30 days, 1 day -2 hours, -3 hours, -2 days, 100000 hours}'::interval[]) AS goal,
	unnest('{-infinity, infinity, 2026-03-06 12:00:00, 2026-03-09 15:00+01, 2026-03-09 15:00:00.000001+01, 2026-10-25 02:30+01, 2026-12-31}'::timestamptz[]) AS as_of
UNION ALL
SELECT cal, goal, as_of,
	format('sla.add_business_time(%s, created_at, %L) < %L', cal, goal, as_of),
	format('sla.overdue(%s, created_at, %L, %L)', cal, goal, as_of)
FROM (SELECT (ARRAY[$$'overdue support'::text$$, $$'overdue changing'::text$$, $$'Europe/Oslo: Mo-Fr 20:00-04:00'::sla.schedule$$])[1 + floor(random() * 3)::int] AS cal,
		(random() * 3)::int * interval '1 day' + (random() * 20)::int * interval '31 minutes' AS goal,
		'2026-01-01'::timestamptz + random() * interval '365 days' AS as_of
	FROM generate_series(1, 150)) AS drawn;
CREATE TABLE found AS SELECT *, pg_temp.found('seqscan', plain) AS rows FROM tried;
SELECT count(*) AS conditions, count(DISTINCT rows) > 250 AS of_all_kinds, count(*) FILTER (WHERE rows LIKE '0 %') > 0 AS some_find_nothing FROM found;
SELECT method, condition FROM found, unnest('{seqscan, indexscan, bitmapscan}'::text[]) AS method
WHERE pg_temp.found(method, condition) <> rows;
-- BRIN too
DROP INDEX start_created_at;
CREATE INDEX start_created_at ON start USING brin (created_at) WITH (pages_per_range = 1);
SELECT condition FROM found WHERE pg_temp.found('brin', condition) <> rows;
DELETE FROM sla.calendar WHERE name = 'overdue changing';

DEALLOCATE overdue;
DROP TABLE start, tried, found;
DELETE FROM sla.calendar WHERE name LIKE 'overdue %';
