-- The type sla.schedule: text and binary form, constructor, operators, comparison.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';

-- What a statement fails with.
\i sql/include/failure.psql
CREATE FUNCTION pg_temp.refused(schedule text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.failure(format('SELECT %L::sla.schedule', schedule))
$$;
\pset format unaligned
\pset tuples_only on
\pset null NULL

-- Text form: as written,
SELECT t::sla.schedule::text = t AS same, t::sla.schedule
FROM unnest(ARRAY[
	'Europe/Oslo: Mo-Fr 08:00-16:00; Dec 24 08:00-12:00; easter off',
	'UTC: 24/7',
	'America/New_York: Mo-Fr 09:00-17:00; PH off',
	'Etc/GMT+5: 08:00-12:00',
	'Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17',
	'Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17, 2026-12-24 08:00-12:00,13:00-14:00, 2026-12-25 off',
	'UTC: 22:00-06:00 holidays 0001-01-01, 9999-12-31 22:00-30:00',
	'UTC: 24/7 holidays 2026-01-01 08:00:01-12:00:59',
	'UTC: 24/7 holidays 2026-01-01 off 08:00-12:00,13:00-14:00, 2026-01-02',
	'(UTC: Mo 08:00-16:00) + (Asia/Tokyo: Tu 08:00-16:00)',
	'((UTC: 24/7) - (UTC: Mo 08:00-16:00)) * (Asia/Tokyo: 24/7 holidays 2026-01-01)',
	'Europe/Oslo: Mo-Fr 08:00-16:00 open "no holidays (here): never"'
]) AS t;
-- and brought into one form: case of the zone, blanks, order and repetition of holidays, needless parentheses
SELECT t::sla.schedule
FROM unnest(ARRAY[
	'  europe/OSLO :Mo-Fr 08:00-16:00  ',
	E'utc:\n\tMo 08:00-16:00',
	'etc/gmt+5: 08:00-12:00',
	'UTC: 24/7 holidays 2027-01-01 off,2026-01-01,  2026-05-17   13:00-14:00 , 08:00-12:00',
	'UTC: 24/7 holidays 2026-01-01, 2026-01-01',
	'UTC: 24/7 holidays 2026-01-01  OFF   13:00-14:00 , 08:00-12:00,11:00-12:30',
	'UTC: 24/7 Holidays 2026-01-01 00:00-24:00, 2026-01-02 08:00-12:00,11:00-13:00, 2026-01-03 10:00-10:00, 2026-01-04 OFF',
	'((UTC: 24/7))',
	'( UTC: 24/7 )+( (Asia/Tokyo: 24/7) )',
	'(((UTC: 24/7)) - (UTC: Mo 08:00-16:00))'
]) AS t;

-- Constructor. Holidays in any order and as often as wanted.
SELECT sla.schedule('europe/oslo', 'Mo-Fr 08:00-16:00');
SELECT sla.schedule(time_zone => 'UTC', hours => '24/7', holidays => '{2026-12-25,2026-01-01,2026-12-25}');
SELECT sla.schedule('UTC', '24/7', '{0001-01-01,9999-12-31}');
SELECT sla.schedule(NULL, '24/7'), sla.schedule('UTC', NULL), sla.schedule('UTC', '24/7', NULL);
SELECT sla.schedule('UTC', '24/7', '{{2026-12-25},{2026-01-01}}');

-- What holidays mean. Closed, or what the hours say of PH; "off" is closed whatever they say; times replace the day's;
-- "off" with times closes these, whichever day's window they are in.
SELECT s, sla.open_hours(s, '[2026-05-18,2026-05-20)')
FROM unnest(ARRAY[
	'UTC: Mo-Fr 08:00-16:00',
	'UTC: Mo-Fr 08:00-16:00 holidays 2026-05-18',
	'UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00 holidays 2026-05-18',
	'UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00 holidays 2026-05-18 off',
	'UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00 holidays 2026-05-18 09:00-10:00,11:00-11:30:30',
	'UTC: Mo-Fr 08:00-16:00 holidays 2026-05-18 22:00-26:00',
	-- last night's shift is worked to its end
	'UTC: 20:00-06:00 holidays 2026-05-18',
	'UTC: 20:00-06:00 holidays 2026-05-18 off 02:00-04:00,22:00-26:00',
	'UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00 holidays 2026-05-18 off 09:00-10:00,15:00-17:00',
	'UTC: Mo-Fr 08:00-16:00 holidays 2026-05-18 off 00:00-24:00',
	'UTC: Mo-Fr 08:00-16:00; PH 10:00-12:00 holidays 2026-05-18 closed, 2026-05-19 Open'
]::sla.schedule[]) AS s;

-- Put together.
SELECT 'UTC: 08:00-12:00'::sla.schedule OPERATOR(sla.+) 'UTC: 10:00-14:00';
SELECT 'UTC: 08:00-12:00'::sla.schedule OPERATOR(sla.*) 'UTC: 10:00-14:00';
SELECT 'UTC: 08:00-12:00'::sla.schedule OPERATOR(sla.-) 'UTC: 10:00-14:00';
SELECT sla.open_hours('(UTC: 08:00-12:00) + (UTC: 10:00-14:00)'::sla.schedule, '[2026-05-18,2026-05-19)'),
	sla.open_hours('(UTC: 08:00-12:00) * (UTC: 10:00-14:00)'::sla.schedule, '[2026-05-18,2026-05-19)'),
	sla.open_hours('(UTC: 08:00-12:00) - (UTC: 10:00-14:00)'::sla.schedule, '[2026-05-18,2026-05-19)'),
	sla.open_hours('(UTC: 24/7) - ((UTC: 08:00-12:00) + (UTC: 10:00-14:00))'::sla.schedule, '[2026-05-18,2026-05-19)'),
	sla.open_hours('(Europe/Oslo: Mo-Fr 09:00-17:00) * (America/New_York: Mo-Fr 09:00-17:00)'::sla.schedule, '[2026-05-18,2026-05-19)');
SELECT sla.business_time('(UTC: 08:00-12:00) * (UTC: 12:00-14:00)'::sla.schedule, '-infinity', 'infinity');

-- Compared by text.
SELECT a OPERATOR(sla.=) b, a OPERATOR(sla.<>) b, a OPERATOR(sla.<) b, a OPERATOR(sla.<=) b, a OPERATOR(sla.>) b, a OPERATOR(sla.>=) b,
	sla.schedule_cmp(a, b), sla.schedule_hash(a) = sla.schedule_hash(b), sla.schedule_hash_extended(a, 7) = sla.schedule_hash_extended(b, 7)
FROM (VALUES ('UTC: 24/7'::sla.schedule, 'utc: 24/7'::sla.schedule), ('UTC: 24/7', 'UTC: Mo 08:00-16:00'),
	('UTC: 24/7 holidays 2026-01-01', 'UTC: 24/7')) AS v(a, b);
SELECT s, count(*) FROM unnest('{UTC: 24/7,Asia/Tokyo: 24/7,utc:24/7}'::sla.schedule[]) AS s GROUP BY s ORDER BY s;
CREATE TEMP TABLE team (name text, s sla.schedule UNIQUE);
INSERT INTO team VALUES ('a', 'UTC: 24/7'), ('b', 'Asia/Tokyo: 24/7');
\set VERBOSITY sqlstate
INSERT INTO team VALUES ('c', 'utc:24/7');
\set VERBOSITY default
SET enable_hashjoin = off; SET enable_nestloop = off;
SELECT a.name, b.name FROM team a JOIN team b ON a.s OPERATOR(sla.=) b.s ORDER BY 1;
RESET enable_hashjoin; RESET enable_nestloop; SET enable_mergejoin = off;
SELECT a.name, b.name FROM team a JOIN team b ON a.s OPERATOR(sla.=) b.s ORDER BY 1;
RESET enable_mergejoin;

-- Binary form: format 1, flags 0, text; received as it was sent, or from any text that can be read.
SELECT sla.schedule_send('UTC: 24/7') = '\x0100'::bytea || convert_to('UTC: 24/7', 'UTF8');
CREATE TEMP TABLE copied (s sla.schedule);
INSERT INTO copied VALUES ('UTC: 24/7'), (NULL), ('Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17'), ('(UTC: 24/7) - (UTC: Mo 08:00-16:00)');
COPY copied TO PROGRAM 'cat > schedule_copied.bin' (FORMAT binary);
COPY copied FROM PROGRAM 'cat schedule_copied.bin; rm schedule_copied.bin' (FORMAT binary);
SELECT s, count(*) FROM copied GROUP BY s ORDER BY s;
-- Bytes of a client that means no good, as the field of a COPY.
CREATE FUNCTION pg_temp.received(field bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message bytea := '\x5047434f50590aff0d0a0000000000000000000001' || int4send(length(field)) || field || '\xffff';
	result text;
BEGIN
	EXECUTE format('COPY copied FROM PROGRAM %L (FORMAT binary)', (
		SELECT 'printf ''' || string_agg(concat('\', b / 64, b / 8 % 8, b % 8), '' ORDER BY i) || ''''
		FROM generate_series(0, length(message) - 1) AS i, get_byte(message, i) AS b));
	DELETE FROM copied RETURNING s INTO result;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ': ' || sqlerrm;
END
$$;
TRUNCATE copied;
SELECT pg_temp.received('\x0100'::bytea || text) FROM unnest(ARRAY[
	'utc: 24/7', 'UTC: 24/7 holidays 2026-01-02,2026-01-01', '(UTC: 24/7) + (utc: Mo)', '', 'UTC', 'UTC: nonsense', 'Mars/Olympus: 24/7',
	'UTC: 24/7 holidays 2026-02-30']::bytea[]) AS text;
SELECT pg_temp.received(bytes) FROM unnest(ARRAY[
	'', '\x01', '\x0100', '\x00', '\x0000', '\x0200555443', '\xff00555443', '\x0101555443', '\x0180555443',
	'\x010055544300', '\x01005554433a2032342f3700', '\x0100ff', '\x01005554433a2022c328223a']::bytea[]) AS bytes;

-- What is refused.
SELECT pg_temp.refused(t) FROM unnest(ARRAY[
	'', ' ', 'Mo-Fr 08:00-16:00', '08:00-16:00', '24/7', 'UTC', ': 24/7', 'UTC 24/7', 'UTC; 24/7',
	'Europe/Nowhere: 24/7', 'Europe/Oslo5: 24/7', 'FOO+5: 24/7', 'CEST: 24/7', 'FOO5BAR: 24/7', '<+03>-3: 24/7',
	'localtime: 24/7', 'right/Europe/Oslo: 24/7', '../UTC: 24/7', '+02: 24/7', 'Europe/Oslo'': 24/7',
	'UTC: 24/7 holidays', 'UTC: 24/7 holidays tomorrow', 'UTC: 24/7 holidays 2026-13-01', 'UTC: 24/7 holidays 2026-02-29',
	'UTC: 24/7 holidays 0000-01-01', 'UTC: 24/7 holidays 10000-01-01', 'UTC: 24/7 holidays 2026-1-1', 'UTC: 24/7 holidays 2026-01-01,',
	'UTC: 24/7 holidays 2026-01-01 2026-01-02', 'UTC: 24/7 holidays 2026-01-01, 08:00-12:00',
	'UTC: 24/7 holidays 2026-01-01, 2026-01-01 off', 'UTC: 24/7 holidays 2026-01-01 shut', 'UTC: 24/7 holidays 2026-01-01 Mo 08:00-12:00',
	'UTC: 24/7 holidays 2026-01-01 off Mo 08:00-12:00', 'UTC: 24/7 holidays 2026-01-01 off08:00-12:00', 'UTC: 24/7 holidays 2026-01-01 off off',
	'UTC: 24/7 holidays 2026-01-01 2026', 'UTC: 24/7 holidays 2026-01-01 08:00', 'UTC: 24/7 holidays 2026-01-01 08:00-12:00,x',
	'(UTC: 24/7', '(UTC: 24/7))', '(UTC: 24/7) +', '(UTC: 24/7) + UTC: 24/7', '(UTC: 24/7) / (UTC: 24/7)', '(UTC: 24/7) + (UTC: 24/7) + (UTC: 24/7)', '()'
]) AS t;
-- opening hours: with the place, in characters
SELECT pg_temp.refused('Europe/Oslo: Mo-Fr 08:00-sunset'), pg_temp.refused('UTC: Mo "Øl på Løkka"; Xx'), pg_temp.refused('UTC: ');
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '"Øl" Mo-Xx')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7 holidays 2026-01-01')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC+3', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('', '24/7')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7', '{2026-01-01,NULL}')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7', '{infinity}')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7', '{-infinity}')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7', '{0001-12-31 BC}')$$);
SELECT pg_temp.failure($$SELECT sla.schedule('UTC', '24/7', '{10000-01-01}')$$);
-- put together too deep
SELECT left(pg_temp.refused(repeat('(', 201) || 'UTC: 24/7' || repeat(')', 201)), 100);
SELECT length(pg_temp.refused(repeat('(', 200) || 'UTC: 24/7' || repeat(')', 200)));
DO $$
DECLARE
	s sla.schedule := 'UTC: Mo 08:00-16:00';
BEGIN
	FOR i IN 1..1000 LOOP
		s := s OPERATOR(sla.+) 'UTC: Tu 08:00-16:00';
	END LOOP;
EXCEPTION WHEN program_limit_exceeded THEN
	RAISE NOTICE '%', sqlerrm;
	RAISE NOTICE '%', sla.business_time(s, '2026-05-18', '2026-05-25');
END
$$;

-- Every zone that the server lists is read, and written with its name; POSIX notation is not.
SELECT count(*) > 400 AS many, count(*) FILTER (WHERE (upper(name) || ': 24/7')::sla.schedule::text <> name || ': 24/7') AS otherwise
FROM pg_timezone_names WHERE name NOT IN ('localtime', 'posixrules');

-- Strict.
SELECT NULL::sla.schedule, sla.schedule_out(NULL), sla.schedule_send(NULL), NULL::sla.schedule OPERATOR(sla.+) 'UTC: 24/7';

-- In a column, out of line, in an index, in a generated column.
CREATE TEMP TABLE ticket (
	id int PRIMARY KEY,
	created_at timestamptz,
	hours sla.schedule,
	due timestamptz GENERATED ALWAYS AS (sla.add_business_time(hours, created_at, '4 hours')) STORED
);
INSERT INTO ticket (id, created_at, hours)
SELECT i, timestamptz '2026-05-18 00:00+00' + i * interval '1 hour', s
FROM generate_series(1, 100) AS i, LATERAL (
	SELECT CASE i % 3
		WHEN 0 THEN 'UTC: Mo-Fr 08:00-16:00'
		WHEN 1 THEN 'Asia/Tokyo: Mo-Fr 08:00-16:00'
		ELSE sla.schedule('UTC', 'Mo-Fr 08:00-16:00', (SELECT array_agg(date '1900-01-01' + 3 * d) FROM generate_series(1, 2000) AS d)) END AS s
) AS chosen;
CREATE INDEX ON ticket ((sla.add_business_time(hours, created_at, '8 hours')));
SET enable_seqscan = off;
SELECT id, due, sla.add_business_time(hours, created_at, '8 hours') FROM ticket
WHERE sla.add_business_time(hours, created_at, '8 hours') < '2026-05-19 01:00+00' ORDER BY 3, 1;
RESET enable_seqscan;
SELECT count(*), count(DISTINCT hours), max(pg_column_size(hours)) < max(length(hours::text)) AS compressed,
	count(*) FILTER (WHERE due = sla.add_business_time(hours::text::sla.schedule, created_at, '4 hours')) AS same
FROM ticket;
