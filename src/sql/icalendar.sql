/*
 * icalendar.sql
 *		iCalendar texts: holidays and opening hours, out of them and into them.
 */

CREATE FUNCTION sla.ics_holidays(
	ics       text,
	from_day  date,
	to_day    date,
	time_zone text DEFAULT NULL
) RETURNS TABLE (day date, hours text, name text, uid text)
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000 ROWS 100
	AS 'MODULE_PATHNAME', 'sla_ics_holidays';
COMMENT ON FUNCTION sla.ics_holidays(text, date, date, text) IS
	'the days from from_day to before to_day that the events of an iCalendar text close, or close for some hours; hours are of the time zone given, or of the one that the text names';

CREATE FUNCTION sla.import_holidays(
	holiday_set text,
	ics         text,
	from_day    date DEFAULT (CURRENT_DATE OPERATOR(pg_catalog.-) INTERVAL '1 year')::date,
	to_day      date DEFAULT (CURRENT_DATE OPERATOR(pg_catalog.+) INTERVAL '5 years')::date,
	time_zone   text DEFAULT NULL,
	OUT added   bigint,
	OUT removed bigint,
	OUT kept    bigint
)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $function$
#variable_conflict use_column
DECLARE
	known sla.holiday_set;
BEGIN
	IF coalesce(import_holidays.holiday_set, '') = '' OR import_holidays.ics IS NULL
		OR NOT coalesce(import_holidays.from_day < import_holidays.to_day, false) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'an import needs the name of a holiday set, an iCalendar text, and days of which the first is before the last',
			HINT = 'Write for example sla.import_holidays(''norway'', :''ics'', ''2026-01-01'', ''2031-01-01'').';
	END IF;

	-- One import of a set at a time.
	INSERT INTO sla.holiday_set AS s (name) VALUES (import_holidays.holiday_set) ON CONFLICT (name) DO NOTHING;
	SELECT s.* INTO STRICT known FROM sla.holiday_set AS s
	WHERE s.name = import_holidays.holiday_set FOR NO KEY UPDATE;

	WITH feed AS MATERIALIZED (
		SELECT f.day, f.hours, f.name,
			-- not to be taken for what people have entered
			CASE f.uid WHEN 'by hand' THEN 'by hand (feed)' ELSE f.uid END AS origin
		FROM sla.ics_holidays(import_holidays.ics, import_holidays.from_day,
			import_holidays.to_day, import_holidays.time_zone) AS f
	), present AS MATERIALIZED (
		SELECT h.day, h.hours, h.name, h.origin
		FROM sla.holiday AS h
		WHERE h.holiday_set = import_holidays.holiday_set AND h.origin <> 'by hand'
			AND h.day >= import_holidays.from_day AND h.day < import_holidays.to_day
	), compared AS MATERIALIZED (
		SELECT day, origin, feed.hours, feed.name, feed.day IS NOT NULL AS wanted, present.day IS NOT NULL AS found,
			(feed.hours, feed.name) IS NOT DISTINCT FROM (present.hours, present.name) AS same
		FROM (SELECT f.*, true AS here FROM feed AS f) AS feed
		FULL JOIN present USING (day, origin)
	), gone AS (
		DELETE FROM sla.holiday AS h USING compared AS c
		WHERE h.holiday_set = import_holidays.holiday_set AND h.day = c.day AND h.origin = c.origin AND NOT c.wanted
	), changed AS (
		UPDATE sla.holiday AS h SET hours = c.hours, name = c.name
		FROM compared AS c
		WHERE h.holiday_set = import_holidays.holiday_set AND h.day = c.day AND h.origin = c.origin
			AND c.wanted AND c.found AND NOT c.same
	), new AS (
		INSERT INTO sla.holiday (holiday_set, day, hours, name, origin)
		SELECT import_holidays.holiday_set, c.day, c.hours, c.name, c.origin
		FROM compared AS c WHERE c.wanted AND NOT c.found
	)
	SELECT count(*) FILTER (WHERE c.wanted AND NOT (c.found AND c.same)),
		count(*) FILTER (WHERE c.found AND NOT (c.wanted AND c.same)),
		count(*) FILTER (WHERE c.wanted AND c.found AND c.same)
	INTO added, removed, kept
	FROM compared AS c;

	-- Days that meet those of earlier imports widen them; else the later ones count.
	IF known.known_to IS NULL OR import_holidays.from_day > known.known_to THEN
		known.known_from := import_holidays.from_day;
		known.known_to := import_holidays.to_day;
	ELSIF import_holidays.to_day >= known.known_from THEN
		known.known_from := least(known.known_from, import_holidays.from_day);
		known.known_to := greatest(known.known_to, import_holidays.to_day);
	END IF;
	UPDATE sla.holiday_set AS s
	SET imported_at = now(), known_from = known.known_from, known_to = known.known_to
	WHERE s.name = import_holidays.holiday_set;
END
$function$;
COMMENT ON FUNCTION sla.import_holidays(text, text, date, date, text) IS
	'makes the days from from_day to before to_day of a holiday set those of an iCalendar text, except for rows entered by hand; a changed row counts as added and as removed';

CREATE FUNCTION sla.to_ics(cal text, from_day date, to_day date, stamp timestamptz DEFAULT '-infinity') RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'sla_calendar_to_ics';
COMMENT ON FUNCTION sla.to_ics(text, date, date, timestamptz) IS
	'the opening hours of the days from from_day to before to_day as an iCalendar text (RFC 7953); stamp is its DTSTAMP, -infinity the midnight of from_day';

CREATE FUNCTION sla.to_ics(cal sla.schedule, from_day date, to_day date, stamp timestamptz DEFAULT '-infinity') RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'sla_schedule_to_ics';
COMMENT ON FUNCTION sla.to_ics(sla.schedule, date, date, timestamptz) IS
	'the opening hours of the days from from_day to before to_day as an iCalendar text (RFC 7953); stamp is its DTSTAMP, -infinity the midnight of from_day';

CREATE FUNCTION sla.ics_schedule(ics text, time_zone text DEFAULT NULL) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE PARALLEL SAFE COST 10000
	AS 'MODULE_PATHNAME', 'sla_ics_schedule';
COMMENT ON FUNCTION sla.ics_schedule(text, text) IS
	'the opening hours that an iCalendar text tells: by its availability (RFC 7953), else by its events; time_zone is that of times without one';
