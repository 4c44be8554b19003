-- An edit of the holidays: import of a feed, and the deadlines that it moves.

CREATE EXTENSION pg_sla;

INSERT INTO sla.holiday_set (name) VALUES ('office');
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00', '{office}');

-- A feed of ten thousand events, and its days as rows.
CREATE TABLE feed AS
	SELECT string_agg(line, E'\r\n' ORDER BY n) || E'\r\nEND:VCALENDAR\r\n' AS ics FROM (
		SELECT 0 AS n, E'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN' AS line
		UNION ALL
		SELECT n, format(E'BEGIN:VEVENT\r\nUID:%s@example.com\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:%s\r\nDTEND;VALUE=DATE:%s\r\nSUMMARY:Holiday %s\r\nTRANSP:TRANSPARENT\r\nEND:VEVENT',
			n, to_char(date '2026-01-01' + n % 3650, 'YYYYMMDD'), to_char(date '2026-01-02' + n % 3650, 'YYYYMMDD'), n)
		FROM generate_series(1, 10000) AS n) AS lines;
CREATE SEQUENCE runs;
CREATE TABLE plain_holiday (LIKE sla.holiday INCLUDING ALL);
CREATE TABLE parsed AS SELECT day, hours, name, uid FROM feed, sla.ics_holidays(ics, '2026-01-01', '2037-01-01');
SELECT count(*) FROM feed, sla.import_holidays('kept', ics, '2026-01-01', '2037-01-01');

-- Open clocks of one night, and a table of the same rows and indexes.
INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since, deadline, elapsed, computed_at)
	SELECT 'helpdesk', n::text, 'customer', 'Standard', 'resolution', 1, 1, 'support', 'd' || n % 10, 'a' || n % 50, '40 hours', at, '{}', at,
		sla.add_business_time('support', at, '40 hours'), '0', now()
	FROM (SELECT n, timestamptz '2098-03-03 00:00+00' + n * interval '36000 seconds' / (:rows / 5) AS at FROM generate_series(1, :rows / 5) AS n) AS t;
CREATE TABLE plain_log (LIKE sla.log INCLUDING ALL);
INSERT INTO plain_log SELECT * FROM sla.log;
VACUUM (FREEZE, ANALYZE) sla.log;
VACUUM (FREEZE, ANALYZE) plain_log;

-- work: import of 10,000 events
-- baseline: INSERT of as many rows
INSERT INTO plain_holiday SELECT 'feed ' || run, day, hours, name, uid FROM (SELECT nextval('runs') AS run OFFSET 0) AS r, parsed;
-- ours: the feed read, compared and written
SELECT count(*) FROM feed, sla.import_holidays('feed ' || nextval('runs'), ics, '2026-01-01', '2037-01-01');

-- work: the same import once more
-- baseline: the feed read
SELECT count(*) FROM feed, sla.ics_holidays(ics, '2026-01-01', '2037-01-01');
-- ours: and compared, with nothing to write
SELECT count(*) FROM feed, sla.import_holidays('kept', ics, '2026-01-01', '2037-01-01');

-- Each time the next weekday.
-- work: a holiday moves the deadlines of all open clocks (a fifth of the rows) | <= 3 x
-- baseline: one UPDATE of as many rows
UPDATE plain_log SET deadline = deadline + interval '1 day', computed_at = clock_timestamp();
-- ours: deadlines computed, moved, each move noted
INSERT INTO sla.holiday (holiday_set, day)
SELECT 'office', sla.add_business_days('UTC: Mo-Fr'::sla.schedule, coalesce(max(day), '2098-03-04'), 1) FROM sla.holiday WHERE holiday_set = 'office';

-- figure: deadlines moved by each holiday | all of them
SELECT (SELECT count(*) FROM sla.deadline_change) / (SELECT count(*) FROM sla.holiday WHERE holiday_set = 'office');
