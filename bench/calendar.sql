-- Many calendars at once: rows whose calendars come in random order, against the same rows with one.

CREATE EXTENSION pg_sla;

INSERT INTO sla.holiday_set (name) SELECT 'set ' || n FROM generate_series(0, 19) AS n;
INSERT INTO sla.holiday (holiday_set, day)
	SELECT 'set ' || n, date '2015-01-01' + 36 * k + n
	FROM generate_series(0, 19) AS n, generate_series(0, 100) AS k;

-- Different in zone, hours, and holidays.
DO $$
DECLARE
	zones text[] := '{Europe/Oslo,America/New_York,Asia/Tokyo,Australia/Sydney,America/Sao_Paulo,Asia/Kolkata,Europe/London}';
BEGIN
	FOR n IN 1..10000 LOOP
		PERFORM sla.set_calendar('calendar ' || n, zones[1 + n % 7],
			format('Mo-Fr %s:%s-12:00,13:00-%s:%s; May %s off; Dec 24-26 off; easter -2 days-easter +1 day off',
				lpad((6 + n % 4)::text, 2, '0'), lpad((n / 4 % 60)::text, 2, '0'),
				15 + n % 5, lpad((n / 7 % 60)::text, 2, '0'), lpad((1 + n % 28)::text, 2, '0')),
			ARRAY['set ' || n % 20]);
	END LOOP;
END
$$;

CREATE TABLE ticket AS
	SELECT 'calendar ' || 4711 AS one, 'calendar ' || 1 + floor(random() * 10000)::int AS many,
		   timestamptz '2015-01-01 00:00+00' + (n + random()) / :rows * interval '3650 days' AS created_at
	FROM generate_series(1, :rows) AS n;
VACUUM (FREEZE, ANALYZE) ticket;

-- work: add 4 hours, 10,000 calendars in random order | <= 3 x
-- baseline: one calendar
SELECT count(sla.add_business_time(one, created_at, '4 hours')) FROM ticket;
-- ours: 10,000 calendars
SELECT count(sla.add_business_time(many, created_at, '4 hours')) FROM ticket;

-- figure: memory of that backend | <= 128 MB
SELECT pg_size_pretty(sum(total_bytes)) FROM pg_backend_memory_contexts;

-- Cold: thrown out of the session's cache, and read and compiled again when asked for.
CREATE FUNCTION cold(question text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start timestamptz;
BEGIN
	SET LOCAL pg_sla.calendar_cache_size = '1MB';
	PERFORM sla.is_open('calendar 1', '2020-03-06 12:00+00');
	SET LOCAL pg_sla.calendar_cache_size = '96MB';
	start := clock_timestamp();
	EXECUTE 'SELECT count(' || question || ') FROM generate_series(2, 1001) AS n';
	RETURN round(extract(epoch FROM clock_timestamp() - start) * 1000, 0) || ' us';
END
$$;
-- figure: a cold calendar, its first answer | <= 1 ms
SELECT cold($$sla.add_business_time('calendar ' || n, '2020-03-06 12:00+00', '4 hours')$$);
-- figure: a cold calendar, over ten years | <= 1 ms
SELECT cold($$sla.business_time('calendar ' || n, '2015-01-01 00:00+00', '2025-01-01 00:00+00')$$);
