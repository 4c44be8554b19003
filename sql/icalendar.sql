-- iCalendar texts: the holidays in them, their import.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
\pset format unaligned
\pset tuples_only on
\pset null NULL

\i sql/include/failure.psql
-- A calendar of events, each the lines of one.
CREATE FUNCTION pg_temp.ics(VARIADIC events text[]) RETURNS text LANGUAGE sql AS $$
	SELECT E'BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n'
		|| string_agg(E'BEGIN:VEVENT\n' || event || E'\nEND:VEVENT\n', '' ORDER BY number) || E'END:VCALENDAR\n'
	FROM unnest(events) WITH ORDINALITY AS e(event, number)
$$;
CREATE FUNCTION pg_temp.holidays(ics text, from_day date DEFAULT '2026-01-01', to_day date DEFAULT '2027-01-01', time_zone text DEFAULT NULL)
	RETURNS TABLE (holiday text) LANGUAGE sql AS $$
	SELECT concat_ws(' | ', day, hours, name, uid) FROM sla.ics_holidays(ics, from_day, to_day, time_zone)
$$;
CREATE FUNCTION pg_temp.refusal(ics text) RETURNS text LANGUAGE sql AS $$
	SELECT pg_temp.failure(format('SELECT * FROM sla.ics_holidays(%L, %L, %L)', ics, '2026-01-01', '2027-01-01'))
$$;

-- Whole days: one without an end, several, with an end on the first day, by their length.
SELECT * FROM pg_temp.holidays(pg_temp.ics(
	E'UID:a\nSUMMARY:New Year\nDTSTART;VALUE=DATE:20260101',
	E'UID:b\nSUMMARY:Easter\nDTSTART;VALUE=DATE:20260403\nDTEND;VALUE=DATE:20260407',
	E'UID:c\nSUMMARY:Same day\nDTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260501',
	E'UID:d\nSUMMARY:Length\nDTSTART;VALUE=DATE:20260601\nDURATION:P1DT',
	E'UID:e\nSUMMARY:No VALUE\nDTSTART:20260701\nDTEND:20260703',
	E'UID:f\nSUMMARY:Weeks\nDTSTART;VALUE=DATE:20261228\nDURATION:P1W'));
-- the days asked for, the last one not among them
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:b\nDTSTART;VALUE=DATE:20260403\nDTEND;VALUE=DATE:20260407'), '2026-04-04', '2026-04-06');
SELECT count(*) FROM pg_temp.holidays(pg_temp.ics(E'UID:b\nDTSTART;VALUE=DATE:20260403'), '2026-04-03', '2026-04-03');
SELECT count(*) FROM sla.ics_holidays(NULL, '2026-01-01', '2027-01-01');
-- Times close a part of the day; two events of one UID, one row.
SELECT * FROM pg_temp.holidays(pg_temp.ics(
	E'UID:a\nSUMMARY:Meeting\nDTSTART:20260105T090000\nDTEND:20260105T120000',
	E'UID:b\nSUMMARY:Night\nDTSTART:20260106T220000\nDTEND:20260109T063015',
	E'UID:c\nSUMMARY:Twice\nDTSTART:20260110T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=9,15;COUNT=3',
	E'UID:d\nSUMMARY:No length\nDTSTART:20260112T090000',
	E'UID:e\nSUMMARY:All day by times\nDTSTART:20260113T000000\nDTEND:20260114T000000',
	E'UID:f\nSUMMARY:Date to time\nDTSTART;VALUE=DATE:20260115\nDTEND:20260116T120000'));
-- Nothing of it depends on TRANSP; a cancelled event is none.
SELECT * FROM pg_temp.holidays(pg_temp.ics(
	E'UID:a\nTRANSP:TRANSPARENT\nDTSTART;VALUE=DATE:20260101', E'UID:b\nTRANSP:OPAQUE\nDTSTART;VALUE=DATE:20260102',
	E'UID:c\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260103', E'UID:d\nSTATUS:confirmed\nDTSTART;VALUE=DATE:20260104'));
-- Rules, RDATE, EXDATE: dates and times are matched by what they mean.
SELECT * FROM pg_temp.holidays(pg_temp.ics(
	E'UID:a\nDTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY',
	E'UID:b\nDTSTART;VALUE=DATE:20200701\nRDATE;VALUE=DATE:20260702,20260703,20260704\nEXDATE;VALUE=DATE:20260703\nEXDATE:20260704T000000Z',
	E'UID:c\nDTSTART;TZID=Europe/Oslo:20260801T100000\nDURATION:PT2H\nRRULE:FREQ=DAILY;UNTIL=20260805T080000Z\nEXDATE:20260802T080000Z\nEXDATE;TZID=Asia/Tokyo:20260803T170000\nEXDATE;VALUE=DATE:20260804\nRDATE;TZID=Europe/Oslo;VALUE=PERIOD:20260810T080000/PT30M,20260811T080000/20260811T091500\nRDATE;VALUE=DATE:20260812',
	E'UID:d\nDTSTART;VALUE=DATE:20260901\nRRULE:FREQ=DAILY;UNTIL=20260902T235959Z'));
-- Overrides: moved, cancelled, before their master, of revisions the last, without a master.
SELECT * FROM pg_temp.holidays(pg_temp.ics(
	E'UID:a\nRECURRENCE-ID;VALUE=DATE:20260302\nSUMMARY:Moved\nDTSTART;VALUE=DATE:20260310',
	E'UID:a\nSUMMARY:Weekly\nDTSTART;VALUE=DATE:20260302\nRRULE:FREQ=WEEKLY;COUNT=3',
	E'UID:a\nRECURRENCE-ID;VALUE=DATE:20260309\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260309',
	E'UID:b\nSUMMARY:Old\nDTSTART;VALUE=DATE:20260401', E'UID:b\nSEQUENCE:2\nSUMMARY:New\nDTSTART;VALUE=DATE:20260402',
	E'UID:c\nDTSTART;TZID=Europe/Oslo:20260501T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2',
	E'UID:c\nRECURRENCE-ID:20260501T080000Z\nSEQUENCE:1\nSUMMARY:First\nDTSTART;TZID=Europe/Oslo:20260501T140000\nDURATION:PT1H',
	E'UID:c\nRECURRENCE-ID:20260501T080000Z\nSEQUENCE:3\nSUMMARY:Third\nDTSTART;TZID=Europe/Oslo:20260501T150000\nDURATION:PT1H',
	E'UID:c\nRECURRENCE-ID:20260501T080000Z\nSEQUENCE:2\nSUMMARY:Second\nDTSTART;TZID=Europe/Oslo:20260501T160000\nDURATION:PT1H',
	E'UID:d\nRECURRENCE-ID;VALUE=DATE:20260601\nSUMMARY:Orphan\nDTSTART;VALUE=DATE:20260603',
	E'UID:e\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260701\nRRULE:FREQ=DAILY;COUNT=3', E'UID:e\nRECURRENCE-ID;VALUE=DATE:20260702\nDTSTART;VALUE=DATE:20260702'));

-- Zones: the wall clock of the event's own, or of the one asked for; UTC is the calendar's.
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:a\nDTSTART;TZID=Asia/Tokyo:20260105T060000\nDTEND;TZID=Asia/Tokyo:20260105T120000', E'UID:b\nDTSTART:20260105T060000\nDURATION:PT1H'));
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:a\nDTSTART;TZID=Asia/Tokyo:20260105T060000\nDTEND;TZID=Asia/Tokyo:20260105T120000', E'UID:b\nDTSTART:20260105T060000\nDURATION:PT1H'), time_zone => 'Europe/Oslo');
SELECT * FROM pg_temp.holidays(replace(pg_temp.ics(E'UID:a\nDTSTART:20260705T060000Z\nDTEND:20260705T120000Z'), 'VERSION:2.0', E'X-WR-TIMEZONE:Europe/Oslo\nVERSION:2.0'));
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:a\nDTSTART:20260705T060000Z\nDTEND;TZID=Europe/Oslo:20260705T120000'), time_zone => 'Asia/Tokyo');
SELECT pg_temp.refusal(pg_temp.ics(E'UID:a\nDTSTART:20260705T060000Z\nDURATION:PT1H'));
-- all the names a zone can have
SELECT tzid, pg_temp.failure(format('SELECT * FROM sla.ics_holidays(%L, %L, %L, %L)', pg_temp.ics(E'UID:a\nDTSTART;TZID="' || tzid || E'":20260705T060000\nDURATION:PT1H'), '2026-01-01', '2027-01-01', 'UTC'))
FROM unnest(ARRAY['Europe/Oslo', 'europe/oslo', '/freeassociation.sourceforge.net/Europe/Oslo', '/freeassociation.sourceforge.net/Tzfile/Europe/Oslo', '/mozilla.org/20050126_1/America/Argentina/Ushuaia',
	'W. Europe Standard Time', 'Pacific Standard Time (Mexico)', 'UTC', 'Etc/GMT+5',
	'Mars/Olympus', '../../etc/passwd', '/etc/passwd', '/usr/share/zoneinfo/UTC', '/mozilla.org/../../etc/passwd', 'Europe/../Europe/Oslo', 'Oslo+5', 'CUSTOM1', 'localtime', 'posixrules', 'right/UTC', 'W. Europe', ' ', 'Europe/Oslo ']) AS tzid;
-- by its definition, which may follow
SELECT * FROM pg_temp.holidays(replace(pg_temp.ics(E'UID:a\nDTSTART;TZID=Home:20260705T060000\nDURATION:PT1H'), 'END:VCALENDAR',
	E'BEGIN:VTIMEZONE\nTZID:Home\nX-LIC-LOCATION:Asia/Tokyo\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR'), time_zone => 'UTC');
-- when the clock changes
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:a\nDTSTART;TZID=Europe/Oslo:20260328T220000\nDTEND;TZID=Europe/Oslo:20260329T060000\nRRULE:FREQ=DAILY;COUNT=2'));
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'UID:a\nDTSTART;TZID=Europe/Oslo:20260328T220000\nDTEND;TZID=Europe/Oslo:20260329T060000\nRRULE:FREQ=DAILY;COUNT=2'), time_zone => 'UTC');

-- Lines: folded anywhere, with any ends, a mark of byte order, small letters, unknown things, escapes.
SELECT h.* FROM unnest(ARRAY[E'\n', E'\r\n', E'\r']) AS ends, pg_temp.holidays(replace(E'\uFEFFbegin:vcalendar\nBEGIN:VTODO\nDTSTART:garbage\nEND:VTODO\nX-ANY;A="b:c;d":x\nBEGIN:VEVENT\nUI\n D:a\nCREATED:whatever\nATTENDEE;CN="a:b":mailto:x\nSUMMARY;LANGUAGE=de;FOO=bar:Grü\n ß\, Gott\\; a\\nb\n\n' ||
	E'BEGIN:VALARM\nDTSTART:garbage\nSUMMARY:no\nEND:VALARM\nDTSTART;VALUE=DA\n\tTE:2026\n 0101  \nEND:VEVENT\nend:VCALENDAR', E'\n', ends)) AS h;
-- two calendars in one text; no UID
SELECT * FROM pg_temp.holidays(pg_temp.ics(E'DTSTART:20260101\nSUMMARY:One') || pg_temp.ics(E'DTSTART:20260102') || E'\n \n');

-- What is refused.
SELECT pg_temp.refusal(t) FROM unnest(ARRAY['', 'holidays.ics', '<html>', E'BEGIN:VEVENT\nEND:VEVENT', E'BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a', E'BEGIN:VCALENDAR\nEND:VEVENT', 'END:VCALENDAR',
	E'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\nEND:VEVENT', E'BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VEVENT\nEND:VCALENDAR', E'BEGIN:VCALENDAR\nno property\nEND:VCALENDAR',
	E'BEGIN:VCALENDAR\nMETHOD:CANCEL\nEND:VCALENDAR', E'UID:a\nBEGIN:VCALENDAR\nEND:VCALENDAR']) AS t;
SELECT event, pg_temp.refusal(pg_temp.ics(event)) FROM unnest(ARRAY[
	E'DTSTART:', E'DTSTART:20260229', E'DTSTART:20261301', E'DTSTART:2026-01-01', E'DTSTART:20260101T', E'DTSTART:20260101T240000', E'DTSTART:20260101T120060', E'DTSTART: 20260101', E'DTSTART:00000101', E'DTSTART;VALUE=FOO:20260101',
	E'DTSTART:20260101\nDTSTART:20260102', E'DTSTART:20260101T100000\nDTEND:20260101T090000', E'DTSTART:20260101\nDTEND:20260102\nDURATION:P1D', E'DTSTART:20260101\nDURATION:-P1D', E'DTSTART:20260101\nDURATION:P9999999D', E'DTSTART:20260101\nDURATION:P999999D', E'DTSTART:20260101\nDURATION:1D',
	E'DTSTART:20260101\nEXDATE:20260101,,20260102', E'DTSTART:20260101\nRDATE;VALUE=PERIOD:20260101T000000/P1D/P1D', E'DTSTART:20260101\nRDATE;VALUE=PERIOD:20260101/P1D', E'DTSTART:20260101\nEXRULE:FREQ=DAILY', E'DTSTART:20260101\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY',
	E'DTSTART:20260101\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260101', E'DTSTART:20260101\nRECURRENCE-ID:20260101\nRRULE:FREQ=DAILY', E'DTSTART:20260101\nSEQUENCE:-1', E'DTSTART:20260101\nSEQUENCE:99999999999', E'DTSTART:20260101\nUID;VALUE=URI:x', E'DTSTART:20260101\nSUMMARY:a\u0001b']) AS event;
SELECT pg_temp.failure($$SELECT * FROM sla.ics_holidays('', '0001-01-01 BC', '2027-01-01')$$);
SELECT pg_temp.failure($$SELECT * FROM sla.ics_holidays('', '2026-01-01', 'infinity')$$);
SELECT pg_temp.failure($$SELECT * FROM sla.ics_holidays('', '2026-01-01', '2027-01-01', 'Mars/Olympus')$$);
SELECT count(*) FROM sla.ics_holidays(pg_temp.ics(E'UID:a\nDTSTART:99991231\nRRULE:FREQ=DAILY'), '0001-01-01', '10000-01-01') AS a, sla.ics_holidays(pg_temp.ics(E'UID:a\nDTSTART:00010101\nRRULE:FREQ=DAILY'), '9999-12-31', '10000-01-01') AS b;
-- limits
SELECT pg_temp.refusal(repeat('x', 16777217));
SELECT pg_temp.refusal(E'BEGIN:VCALENDAR\nX:' || repeat('x', 10000000));
SELECT pg_temp.refusal(pg_temp.ics(E'UID:a\nSUMMARY:' || repeat(repeat('x', 60000) || E'\n ', 5)));
SELECT pg_temp.refusal(E'BEGIN:VCALENDAR\n' || repeat(E'BEGIN:VTODO\n', 400000));
SELECT pg_temp.refusal(E'BEGIN:VCALENDAR\n' || repeat(E'BEGIN:VTODO\nEND:VTODO\n', 100000) || E'END:VCALENDAR\n');
SELECT pg_temp.refusal(pg_temp.ics(E'DTSTART:20260101' || repeat(E'\nEXDATE:20260101', 10000)));
SELECT pg_temp.refusal(pg_temp.ics(E'DTSTART:20260101' || repeat(E'\nEXDATE:20260101' || repeat(',20260101', 6000), 20)));
SELECT pg_temp.failure(format('SELECT count(*) FROM sla.ics_holidays(%L, %L, %L)', pg_temp.ics(E'DTSTART:00010101\nRRULE:FREQ=DAILY'), '0001-01-01', '9999-01-01'));
SELECT pg_temp.failure(format('SELECT count(*) FROM sla.ics_holidays(%L, %L, %L)', pg_temp.ics(VARIADIC array_fill(E'DTSTART:20000101\nRRULE:FREQ=DAILY;COUNT=100000'::text, '{3}')), '2000-01-01', '2300-01-01'));
-- and much that is not too much: values, overrides, events
SELECT count(*) FROM sla.ics_holidays(pg_temp.ics(E'UID:a\nDTSTART:20260101\nRDATE;VALUE=DATE:' || (SELECT string_agg(to_char(d, 'YYYYMMDD'), ',') FROM generate_series('2026-01-02'::date, '2030-01-01', '1 day') AS d)), '2026-01-01', '2035-01-01');
SELECT count(*), min(day), max(day) FROM sla.ics_holidays(pg_temp.ics(VARIADIC ARRAY[E'UID:a\nDTSTART:20260101\nRRULE:FREQ=DAILY;COUNT=3000'] || (SELECT array_agg(E'UID:a\nDTSTART:20400101\nRECURRENCE-ID:' || to_char(d, 'YYYYMMDD')) FROM generate_series('2026-01-02'::date, '2034-01-01', '1 day') AS d)), '2026-01-01', '2050-01-01');

-- The published recurrence cases: what we give, by class. Those that differ are listed; see SOURCES.md for why.
CREATE TEMP TABLE rule_case (id int, source text, dtstart text, rrule text, exdates text, expected text, extent text, class text, disagree text, notes text);
\copy rule_case FROM 'test/data/icalendar/rrule_cases.csv' CSV HEADER
CREATE FUNCTION pg_temp.dates(dtstart text, rrule text, from_day date, to_day date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	timed boolean := dtstart ~ 'T\d{6}';
BEGIN
	RETURN coalesce((
		SELECT string_agg(to_char(h.day, 'YYYYMMDD') || CASE WHEN timed THEN 'T' || rpad(replace(split_part(part, '-', 1), ':', ''), 6, '0') || CASE WHEN dtstart ~ 'Z$' THEN 'Z' ELSE '' END ELSE '' END, '|' ORDER BY h.day, number)
		FROM sla.ics_holidays(pg_temp.ics(E'UID:a\nDTSTART' || CASE WHEN dtstart ~ '^\d' THEN ':' ELSE ';' END || dtstart || E'\nRRULE:' || rrule || E'\nDURATION:' || CASE WHEN timed THEN 'PT1S' ELSE 'P1D' END),
			from_day, to_day, CASE WHEN dtstart ~ 'Z$' THEN 'UTC' END) AS h,
			string_to_table(CASE WHEN timed THEN substr(h.hours, 5) ELSE 'off' END, ',') WITH ORDINALITY AS t(part, number)), '');
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate || ': ' || sqlerrm;
END
$$;
CREATE TEMP TABLE rule_result AS
SELECT *, CASE WHEN given = expected OR (extent = 'prefix' AND given LIKE expected || '%') THEN 'as expected' WHEN given ~ '^\w{5}: ' THEN 'refused' ELSE 'other dates' END AS outcome
FROM (SELECT c.*, pg_temp.dates(dtstart, rrule, '1990-01-01', '2210-01-01') AS given FROM rule_case AS c) AS c;
SELECT class, outcome, count(*) FROM rule_result GROUP BY class, outcome ORDER BY class, outcome;
SELECT DISTINCT class, given FROM rule_result WHERE outcome = 'refused' ORDER BY class, given;
SELECT id, class, dtstart, rrule, left(expected, 60), left(given, 60) FROM rule_result WHERE outcome = 'other dates' OR (outcome = 'refused' AND class = 'core') ORDER BY id;
-- Hostile rules, each with the wanted outcome; those that differ are listed.
CREATE TEMP TABLE hostile (line text);
\copy hostile FROM 'test/data/icalendar/hostile_rrules.txt'
SELECT left(line, 80), left(given, 100)
FROM hostile, split_part(line, '|', 3) AS wanted, pg_temp.dates(split_part(line, '|', 1), split_part(line, '|', 2), '2020-01-01', '2040-01-01') AS given
WHERE line !~ '^#' AND NOT CASE wanted WHEN 'error' THEN given ~ '^\w{5}: ' WHEN 'empty' THEN given = '' WHEN 'dates' THEN given ~ '^\d{8}' AND given !~ '^\w{5}: ' ELSE true END;
SELECT count(*) FROM hostile WHERE line !~ '^#';
-- Feeds of the world.
CREATE TEMP TABLE expected (feed text, day date, name text, transp text, note text);
\copy expected FROM 'test/data/icalendar/expected.csv' CSV HEADER
\set govuk `cat test/data/icalendar/feeds/govuk-england-and-wales.ics`
\set trading `cat test/data/icalendar/feeds/trading-holidays-2025-2029.ics`
\set us `cat test/data/icalendar/feeds/us-holidays-generated.ics`
\set estonia `cat test/data/icalendar/feeds/estonian-holidays.ics`
CREATE TEMP TABLE feed (feed text, ics text);
INSERT INTO feed VALUES ('govuk-england-and-wales.ics', :'govuk'), ('trading-holidays-2025-2029.ics', :'trading'), ('us-holidays-generated.ics', :'us'), ('estonian-holidays.ics', :'estonia');
CREATE TEMP TABLE given AS
SELECT feed, h.* FROM feed, sla.ics_holidays(ics, '1900-01-01', '2100-01-01') AS h;
SELECT feed, count(*), count(DISTINCT day), count(*) FILTER (WHERE hours <> 'off') FROM given GROUP BY feed ORDER BY feed;
SELECT * FROM (SELECT feed, day, name FROM expected EXCEPT ALL SELECT feed, day, name FROM given) AS missing;
SELECT * FROM (SELECT feed, day, name FROM given WHERE (feed, extract(year FROM day)) IN (SELECT feed, extract(year FROM day) FROM expected) EXCEPT ALL SELECT feed, day, name FROM expected) AS unexpected;

-- Import: a set is made, a second import changes nothing, a changed feed only what changed, rows by hand stay.
SELECT sla.set_calendar('office', 'Europe/London', 'Mo-Fr 09:00-17:00');
SELECT * FROM sla.import_holidays('bank', :'govuk', '2018-01-01', '2020-01-01');
SELECT name, description, known_from, known_to, imported_at <= now() FROM sla.holiday_set;
SELECT sla.set_calendar('office', 'Europe/London', 'Mo-Fr 09:00-17:00', '{bank}');
SELECT sla.is_business_day('office', '2018-12-25'), sla.is_business_day('office', '2018-12-24'), sla.is_business_day('office', '2017-12-25');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('bank', '2018-12-24', 'By hand'), ('bank', '2018-12-25', 'By hand too');
SELECT * FROM sla.import_holidays('bank', :'govuk', '2018-01-01', '2020-01-01');
SELECT * FROM sla.import_holidays('bank', replace(replace(:'govuk', 'Boxing Day', 'St Stephen'), 'DTSTART;VALUE=DATE:20190527', 'DTSTART;VALUE=DATE:20190528'), '2018-01-01', '2020-01-01');
SELECT day, hours, name, origin = 'by hand' FROM sla.holiday WHERE holiday_set = 'bank' AND (day BETWEEN '2018-12-24' AND '2018-12-26' OR day BETWEEN '2019-05-27' AND '2019-05-28') ORDER BY day, origin;
-- only the days asked
SELECT * FROM sla.import_holidays('bank', pg_temp.ics(E'UID:x\nDTSTART:20190701\nSUMMARY:Only'), '2019-07-01', '2020-01-01');
SELECT count(*) FILTER (WHERE day < '2019-07-01'), count(*) FILTER (WHERE day >= '2019-07-01') FROM sla.holiday;
SELECT known_from, known_to FROM sla.holiday_set;
SELECT * FROM sla.import_holidays('bank', :'govuk', '2017-01-01', '2018-01-01');
SELECT known_from, known_to FROM sla.holiday_set;
SELECT * FROM sla.import_holidays('bank', :'govuk', '2015-01-01', '2015-06-01');
SELECT known_from, known_to FROM sla.holiday_set;
-- a part of a day
SELECT * FROM sla.import_holidays('party', pg_temp.ics(E'UID:p\nSUMMARY:Party\nDTSTART;TZID=Europe/London:20260618T120000\nDTEND;TZID=Europe/London:20260618T143000'), '2026-01-01', '2027-01-01');
SELECT sla.set_calendar('office', 'Europe/London', 'Mo-Fr 09:00-17:00', '{bank,party}');
SELECT sla.open_hours('office', '[2026-06-18,2026-06-19)');
-- days by default; a UID that looks like the word for rows by hand
SELECT * FROM sla.import_holidays('days', pg_temp.ics(E'UID:by hand\nDTSTART:' || to_char(current_date, 'YYYYMMDD'), E'UID:far\nDTSTART:20990101'));
SELECT origin, day = current_date FROM sla.holiday WHERE holiday_set = 'days';
-- an error changes nothing
SELECT pg_temp.failure($$SELECT sla.import_holidays('new', 'x')$$);
SELECT pg_temp.failure($$SELECT sla.import_holidays('', 'x')$$);
SELECT pg_temp.failure($$SELECT sla.import_holidays('new', NULL)$$);
SELECT pg_temp.failure($$SELECT sla.import_holidays('new', 'x', '2026-01-01', '2026-01-01')$$);
SELECT name FROM sla.holiday_set ORDER BY name;
-- nothing of the caller's search_path is used, and a writer needs its privileges
CREATE ROLE regress_sla_importer;
SET ROLE regress_sla_importer;
SELECT pg_temp.failure($$SELECT sla.import_holidays('bank', 'x')$$);
SELECT count(*) FROM sla.ics_holidays(E'BEGIN:VCALENDAR\nEND:VCALENDAR', '2026-01-01', '2027-01-01');
RESET ROLE;
DROP ROLE regress_sla_importer;
-- a long import can be ended
CREATE TEMP TABLE long AS
SELECT pg_temp.ics(VARIADIC array_fill(E'DTSTART:00010101\nRRULE:FREQ=DAILY;COUNT=100000;BYMONTH=2;BYMONTHDAY=30'::text, '{1000}')) AS ics;
\set VERBOSITY sqlstate
SET statement_timeout = '50ms';
SELECT count(*) FROM long, sla.ics_holidays(ics, '2000-01-01', '9000-01-01');
RESET statement_timeout;
\set VERBOSITY default
-- and has an end
SELECT pg_temp.failure($$SELECT count(*) FROM long, sla.ics_holidays(ics, '2000-01-01', '9000-01-01')$$);

-- Opening hours out of texts.
CREATE FUNCTION pg_temp.availability(VARIADIC parts text[]) RETURNS text LANGUAGE sql AS $$
	SELECT E'BEGIN:VCALENDAR\nVERSION:2.0\n' || string_agg(part, E'\n' ORDER BY number) || E'\nEND:VCALENDAR\n' FROM unnest(parts) WITH ORDINALITY AS p(part, number)
$$;
CREATE FUNCTION pg_temp.covers(lines text, VARIADIC available text[]) RETURNS text LANGUAGE sql AS $$
	SELECT E'BEGIN:VAVAILABILITY\n' || lines || string_agg(E'\nBEGIN:AVAILABLE\n' || a || E'\nEND:AVAILABLE', '') || E'\nEND:VAVAILABILITY' FROM unnest(available) AS a
$$;
CREATE FUNCTION pg_temp.show(s sla.schedule, from_ts timestamp, to_ts timestamp, zone text) RETURNS text LANGUAGE sql AS $$
	SELECT s || E'\n  ' || coalesce((SELECT string_agg(to_char(lower(r) AT TIME ZONE zone, 'Dy HH24:MI') || '-' || to_char(upper(r) AT TIME ZONE zone, 'Dy HH24:MI'), ', ')
		FROM unnest(sla.open_hours(s, tstzrange(from_ts AT TIME ZONE zone, to_ts AT TIME ZONE zone))) AS r), 'closed')
$$;
SELECT E'DTSTART;TZID=America/Montreal:20111002T080000\nDTEND;TZID=America/Montreal:20111002T180000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR' AS weekdays, E'DTSTART:20260105T090000Z\nDTEND:20260105T170000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR' AS base \gset
-- the RFC's examples: base hours and a meeting; a week elsewhere above them, and a meeting
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers('UID:a', :'weekdays'), E'BEGIN:VEVENT\nUID:m\nDTSTART;TZID=America/Montreal:20111107T120000\nDURATION:PT2H\nEND:VEVENT')), '2011-11-07', '2011-11-08', 'America/Montreal');
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers('UID:a', :'weekdays'),
	pg_temp.covers(E'UID:b\nPRIORITY:1\nDTSTART;TZID=America/Denver:20111023T000000\nDTEND;TZID=America/Denver:20111030T000000', E'DTSTART;TZID=America/Denver:20111024T080000\nDTEND;TZID=America/Denver:20111024T180000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'),
	E'BEGIN:VEVENT\nUID:m\nDTSTART;TZID=America/Denver:20111024T120000\nDURATION:PT2H\nEND:VEVENT')), '2011-10-24', '2011-10-25', 'America/Montreal');
-- a holiday of higher priority closes its day; on one level what is available goes first
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers('UID:a', :'base'), E'BEGIN:VAVAILABILITY\nPRIORITY:5\nBUSYTYPE:BUSY\nDTSTART:20260107T000000Z\nDURATION:P1D\nEND:VAVAILABILITY')), '2026-01-06', '2026-01-09', 'UTC');
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers(E'PRIORITY:3\nDTSTART:20260107T000000Z\nDTEND:20260108T000000Z', E'DTSTART:20260107T100000Z\nDURATION:PT2H'), E'BEGIN:VAVAILABILITY\nPRIORITY:3\nDTSTART:20260107T000000Z\nDURATION:P1D\nEND:VAVAILABILITY')), '2026-01-06', '2026-01-09', 'UTC');
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers(E'PRIORITY:9', E'DTSTART:20260105T090000Z\nDURATION:PT2H'), pg_temp.covers(E'PRIORITY:0', E'DTSTART:20260105T090000Z\nDURATION:PT12H'))), '2026-01-05', '2026-01-06', 'UTC');
-- a part is cut at the ends of its whole, which may have but one; nothing is open beside it
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers(E'DTSTART:20260107T000000Z\nDTEND:20260108T000000Z', E'DTSTART:20260107T220000Z\nDTEND:20260108T060000Z'))), '2026-01-06', '2026-01-10', 'UTC');
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers(E'DTEND;TZID=Europe/Oslo:20260107T120000', :'base'))), '2026-01-06', '2026-01-10', 'UTC');
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers(E'DTSTART;TZID=Europe/Oslo:20260107T120000', :'base'))), '2026-01-06', '2026-01-09', 'UTC');
-- free events and cancelled ones leave it open
SELECT pg_temp.show(sla.ics_schedule(pg_temp.availability(pg_temp.covers('UID:a', :'base'), E'BEGIN:VEVENT\nDTSTART:20260107T000000Z\nDURATION:P1D\nTRANSP:TRANSPARENT\nEND:VEVENT\nBEGIN:VEVENT\nDTSTART:20260107T000000Z\nDURATION:P1D\nSTATUS:CANCELLED\nEND:VEVENT')), '2026-01-07', '2026-01-08', 'UTC');
-- Plain events: as hours where they can be said so, and else as dates. Exceptions are exact.
SELECT pg_temp.show(sla.ics_schedule(pg_temp.ics(VARIADIC events), 'Europe/Oslo'), '2026-01-05', '2026-01-12', 'Europe/Oslo') FROM (VALUES
	(ARRAY[E'DTSTART:20260105T080000\nDTEND:20260105T160000\nRRULE:FREQ=DAILY']),
	(ARRAY[E'DTSTART:20260105T080000\nDTEND:20260105T160000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260701T000000Z', E'DTSTART:20260106T200000\nDURATION:PT10H\nRRULE:FREQ=WEEKLY;COUNT=20']),
	(ARRAY[E'UID:a\nDTSTART:20260105T080000\nDTEND:20260105T160000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR\nEXDATE:20260106T080000\nRDATE:20260110T080000', E'UID:a\nRECURRENCE-ID:20260107T080000\nDTSTART:20260107T100000\nDURATION:PT1H', E'UID:a\nRECURRENCE-ID:20260108T080000\nSTATUS:CANCELLED\nDTSTART:20260108T080000', E'UID:b\nDTSTART:20260109T150000\nDURATION:PT5H']),
	(ARRAY[E'DTSTART:20260105\nRRULE:FREQ=YEARLY', E'DTSTART:20260109T080000\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=2FR', E'DTSTART:20260106T080000\nDURATION:PT1H\nRRULE:FREQ=MONTHLY;BYDAY=1TU,-1MO']),
	(ARRAY[E'DTSTART:20260105T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=3', E'DTSTART:20260101T120000\nDTEND:20260301T120000', E'DTSTART;TZID=Asia/Tokyo:20260108T090000\nDURATION:PT1H']),
	(ARRAY[E'DTSTART:20260105T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYHOUR=8,12;COUNT=5\nEXDATE:20260106T080000']),
	(ARRAY[E'DTSTART:20260105T080000\nDURATION:PT1H\nSTATUS:CANCELLED'])) AS v(events);
-- What is refused.
SELECT pg_temp.failure(format('SELECT sla.ics_schedule(%L)', t)) FROM unnest(ARRAY[E'BEGIN:VCALENDAR\nEND:VCALENDAR', pg_temp.ics(E'DTSTART:20260105T080000\nDURATION:PT1H'), pg_temp.ics(E'DTSTART:20260105'),
	pg_temp.ics(E'DTSTART:20260105T080000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2'), pg_temp.ics(E'DTSTART:20260105T080000Z\nDURATION:P3D\nRRULE:FREQ=WEEKLY'), pg_temp.ics(E'DTSTART:20260105T080000Z\nDURATION:PT1H\nRRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=3FR'),
	pg_temp.ics(E'DTSTART;TZID=Mars:20260105T080000\nDURATION:PT1H'), pg_temp.availability(pg_temp.covers(E'DTSTART:20260107T000000Z\nDTEND:20260107T000000Z', :'base')), pg_temp.availability(pg_temp.covers(E'DURATION:P1D', :'base'))]) AS t;
SELECT pg_temp.failure($$SELECT sla.ics_schedule(E'BEGIN:VCALENDAR\nEND:VCALENDAR', 'Mars')$$), sla.ics_schedule(NULL);

-- Opening hours into texts, and back.
SELECT replace(sla.to_ics('Europe/Oslo: Mo-Fr 08:00-16:00; Sa 10:00-12:00; Mar 28 22:00-26:30 holidays 2026-04-03, 2026-04-15 off 10:00-11:00'::sla.schedule, '2026-03-01', '2026-05-01', '2026-02-03 04:05:06.789Z'), E'\r\n', E' /\n');
SELECT sla.set_calendar(E'Grüße, "A"; b\\c and the rest of a name that is too long for a line, äöü äöü äöü äöü äöü äöü', 'UTC', '24/7');
SELECT replace(sla.to_ics(name, '2026-03-01', '2026-05-01'), E'\r\n', E' /\n') FROM sla.calendar WHERE name LIKE 'Gr%';
SELECT s, outside IS NOT DISTINCT FROM inside AS same, left(again::text, 200)
FROM unnest(ARRAY['UTC: 24/7', 'UTC: off', 'Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-01', 'America/New_York: 22:00-26:30', 'America/New_York: week 1-53/2 Mo-Fr 09:00-17:00', 'Africa/Casablanca: 01:30-02:30',
	'(America/New_York: Mo-Fr 22:00-26:30) + (Asia/Tokyo: We 10:00-12:00)', 'Australia/Lord_Howe: 01:00-02:15:30', '(Europe/Oslo: 24/7) - (Europe/Oslo: Oct 25 02:15-02:45)']::sla.schedule[]) AS s,
	sla.ics_schedule(sla.to_ics(s, '2026-01-01', '2027-01-01')) AS again, sla.open_hours(again, '[1900-01-01,2100-01-01)') AS outside,
	split_part(trim(leading '(' from s::text), ':', 1) AS zone, sla.open_hours(s, tstzrange('2026-01-01'::timestamp AT TIME ZONE zone, '2027-01-01'::timestamp AT TIME ZONE zone)) AS inside;
SELECT sla.to_ics(NULL::text, '2026-01-01', '2027-01-01'), sla.to_ics('UTC: 24/7'::sla.schedule, NULL, '2027-01-01');
SELECT pg_temp.failure(format('SELECT sla.to_ics(%L::sla.schedule, %s)', 'UTC: 24/7', days)) FROM unnest(ARRAY[$$'2026-01-01', '2026-01-01'$$, $$'2026-01-01', 'infinity'$$, $$'0001-01-01 BC', '2026-01-01'$$, $$'1900-01-01', '2026-01-01'$$, $$'2026-01-01', '2027-01-01', 'infinity'$$]) AS days;
SELECT pg_temp.failure($$SELECT sla.to_ics('nobody', '2026-01-01', '2027-01-01')$$);
