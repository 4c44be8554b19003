\echo Use "CREATE EXTENSION pg_sla" to load this file. \quit

/*
 * schema.sql
 *		The schema, and what all domains use.
 */

-- Not IF NOT EXISTS: a schema that someone else made must not be adopted.
CREATE SCHEMA sla;
COMMENT ON SCHEMA sla IS 'service level agreements: business time, rules, clocks and reports (extension pg_sla)';
GRANT USAGE ON SCHEMA sla TO PUBLIC;

CREATE FUNCTION sla.config_changed() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_config_changed';
COMMENT ON FUNCTION sla.config_changed() IS
	'statement trigger, before and after: tells all sessions that a configuration table has changed';

CREATE FUNCTION sla.now() RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_now';
COMMENT ON FUNCTION sla.now() IS
	'the present as the views see it: the setting pg_sla.now, else the start of the transaction';

/*
 * schedule.sql
 *		The type sla.schedule: a time zone, opening hours, holidays.
 */

CREATE TYPE sla.schedule;

CREATE FUNCTION sla.schedule_in(cstring) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_in';
COMMENT ON FUNCTION sla.schedule_in(cstring) IS 'I/O';

CREATE FUNCTION sla.schedule_out(sla.schedule) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_out';
COMMENT ON FUNCTION sla.schedule_out(sla.schedule) IS 'I/O';

CREATE FUNCTION sla.schedule_recv(internal) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_recv';
COMMENT ON FUNCTION sla.schedule_recv(internal) IS 'I/O';

CREATE FUNCTION sla.schedule_send(sla.schedule) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_send';
COMMENT ON FUNCTION sla.schedule_send(sla.schedule) IS 'I/O';

CREATE TYPE sla.schedule (
	INPUT = sla.schedule_in,
	OUTPUT = sla.schedule_out,
	RECEIVE = sla.schedule_recv,
	SEND = sla.schedule_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE sla.schedule IS
	'when it is open: a time zone and opening hours, as in Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17';

CREATE FUNCTION sla.schedule(time_zone text, hours text, holidays date[] DEFAULT '{}') RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_make';
COMMENT ON FUNCTION sla.schedule(text, text, date[]) IS
	'schedule of a time zone, opening hours and holidays';

-- Put together.

CREATE FUNCTION sla.schedule_union(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_union';
COMMENT ON FUNCTION sla.schedule_union(sla.schedule, sla.schedule) IS 'implementation of + operator';

CREATE FUNCTION sla.schedule_intersection(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_intersection';
COMMENT ON FUNCTION sla.schedule_intersection(sla.schedule, sla.schedule) IS 'implementation of * operator';

CREATE FUNCTION sla.schedule_difference(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_difference';
COMMENT ON FUNCTION sla.schedule_difference(sla.schedule, sla.schedule) IS 'implementation of - operator';

CREATE OPERATOR sla.+ (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_union);
COMMENT ON OPERATOR sla.+ (sla.schedule, sla.schedule) IS 'open in either schedule';
CREATE OPERATOR sla.* (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_intersection);
COMMENT ON OPERATOR sla.* (sla.schedule, sla.schedule) IS 'open in both schedules';
CREATE OPERATOR sla.- (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_difference);
COMMENT ON OPERATOR sla.- (sla.schedule, sla.schedule) IS 'open in the first schedule and not in the second';

-- Compared by text, so that schedules can be sorted, grouped and joined.

CREATE FUNCTION sla.schedule_eq(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_eq';
COMMENT ON FUNCTION sla.schedule_eq(sla.schedule, sla.schedule) IS 'implementation of = operator';

CREATE FUNCTION sla.schedule_ne(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_ne';
COMMENT ON FUNCTION sla.schedule_ne(sla.schedule, sla.schedule) IS 'implementation of <> operator';

CREATE FUNCTION sla.schedule_lt(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_lt';
COMMENT ON FUNCTION sla.schedule_lt(sla.schedule, sla.schedule) IS 'implementation of < operator';

CREATE FUNCTION sla.schedule_le(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_le';
COMMENT ON FUNCTION sla.schedule_le(sla.schedule, sla.schedule) IS 'implementation of <= operator';

CREATE FUNCTION sla.schedule_gt(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_gt';
COMMENT ON FUNCTION sla.schedule_gt(sla.schedule, sla.schedule) IS 'implementation of > operator';

CREATE FUNCTION sla.schedule_ge(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_ge';
COMMENT ON FUNCTION sla.schedule_ge(sla.schedule, sla.schedule) IS 'implementation of >= operator';

CREATE FUNCTION sla.schedule_cmp(sla.schedule, sla.schedule) RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_cmp';
COMMENT ON FUNCTION sla.schedule_cmp(sla.schedule, sla.schedule) IS 'less-equal-greater, by text';

CREATE FUNCTION sla.schedule_hash(sla.schedule) RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_hash';
COMMENT ON FUNCTION sla.schedule_hash(sla.schedule) IS 'hash';

CREATE FUNCTION sla.schedule_hash_extended(sla.schedule, bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_hash_extended';
COMMENT ON FUNCTION sla.schedule_hash_extended(sla.schedule, bigint) IS 'hash';

CREATE OPERATOR sla.= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_eq,
	COMMUTATOR = OPERATOR(sla.=), NEGATOR = OPERATOR(sla.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR sla.= (sla.schedule, sla.schedule) IS 'same text form';
CREATE OPERATOR sla.<> (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_ne,
	COMMUTATOR = OPERATOR(sla.<>), NEGATOR = OPERATOR(sla.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR sla.<> (sla.schedule, sla.schedule) IS 'another text form';
CREATE OPERATOR sla.< (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_lt,
	COMMUTATOR = OPERATOR(sla.>), NEGATOR = OPERATOR(sla.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR sla.< (sla.schedule, sla.schedule) IS 'text form sorts before';
CREATE OPERATOR sla.<= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_le,
	COMMUTATOR = OPERATOR(sla.>=), NEGATOR = OPERATOR(sla.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR sla.<= (sla.schedule, sla.schedule) IS 'text form sorts before or is the same';
CREATE OPERATOR sla.> (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_gt,
	COMMUTATOR = OPERATOR(sla.<), NEGATOR = OPERATOR(sla.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR sla.> (sla.schedule, sla.schedule) IS 'text form sorts after';
CREATE OPERATOR sla.>= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_ge,
	COMMUTATOR = OPERATOR(sla.<=), NEGATOR = OPERATOR(sla.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR sla.>= (sla.schedule, sla.schedule) IS 'text form sorts after or is the same';

CREATE OPERATOR FAMILY sla.schedule_ops USING btree;
COMMENT ON OPERATOR FAMILY sla.schedule_ops USING btree IS 'schedules by text form';
CREATE OPERATOR CLASS sla.schedule_ops DEFAULT FOR TYPE sla.schedule USING btree FAMILY sla.schedule_ops AS
	OPERATOR 1 sla.<,
	OPERATOR 2 sla.<=,
	OPERATOR 3 sla.=,
	OPERATOR 4 sla.>=,
	OPERATOR 5 sla.>,
	FUNCTION 1 sla.schedule_cmp(sla.schedule, sla.schedule);
COMMENT ON OPERATOR CLASS sla.schedule_ops USING btree IS 'schedules by text form';

CREATE OPERATOR FAMILY sla.schedule_ops USING hash;
COMMENT ON OPERATOR FAMILY sla.schedule_ops USING hash IS 'schedules by text form';
CREATE OPERATOR CLASS sla.schedule_ops DEFAULT FOR TYPE sla.schedule USING hash FAMILY sla.schedule_ops AS
	OPERATOR 1 sla.=,
	FUNCTION 1 sla.schedule_hash(sla.schedule),
	FUNCTION 2 sla.schedule_hash_extended(sla.schedule, bigint);
COMMENT ON OPERATOR CLASS sla.schedule_ops USING hash IS 'schedules by text form';

/*
 * calendar.sql
 *		Calendars by name, and their holidays.
 *
 * src/calendar.c reads these tables by the numbers of their columns.
 */

CREATE TABLE sla.calendar (
	name        text PRIMARY KEY,
	description text,
	changed_at  timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT calendar_name_check CHECK (name OPERATOR(pg_catalog.<>) '')
);
COMMENT ON TABLE sla.calendar IS 'calendars: named schedules';
COMMENT ON COLUMN sla.calendar.name IS 'name by which functions and levels refer to it';
COMMENT ON COLUMN sla.calendar.description IS 'for people';
COMMENT ON COLUMN sla.calendar.changed_at IS 'when its versions or holidays last changed';

CREATE TABLE sla.calendar_version (
	calendar       text NOT NULL REFERENCES sla.calendar (name) ON UPDATE CASCADE ON DELETE CASCADE,
	effective_from date NOT NULL DEFAULT '-infinity',
	time_zone      text NOT NULL,
	hours          text NOT NULL,
	holiday_sets   text[] NOT NULL DEFAULT '{}',
	PRIMARY KEY (calendar, effective_from),
	CONSTRAINT calendar_version_effective_from_check
		CHECK (effective_from OPERATOR(pg_catalog.=) '-infinity'
			OR (effective_from OPERATOR(pg_catalog.>=) '0001-01-01'
				AND effective_from OPERATOR(pg_catalog.<=) '9999-12-31')),
	CONSTRAINT calendar_version_holiday_sets_check
		CHECK (pg_catalog.array_position(holiday_sets, NULL) IS NULL)
);
COMMENT ON TABLE sla.calendar_version IS
	'what a calendar says, each version from a local date until the next version begins';
COMMENT ON COLUMN sla.calendar_version.calendar IS 'the calendar';
COMMENT ON COLUMN sla.calendar_version.effective_from IS
	'first local date on which it is in force; -infinity: from the beginning';
COMMENT ON COLUMN sla.calendar_version.time_zone IS 'name of a time zone, as in pg_timezone_names';
COMMENT ON COLUMN sla.calendar_version.hours IS 'opening hours, as in Mo-Fr 08:00-16:00; Dec 24 08:00-12:00';
COMMENT ON COLUMN sla.calendar_version.holiday_sets IS 'names of holiday sets whose days are holidays';

CREATE TABLE sla.holiday_set (
	name        text PRIMARY KEY,
	description text,
	known_from  date,
	known_to    date,
	imported_at timestamptz,
	CONSTRAINT holiday_set_name_check CHECK (name OPERATOR(pg_catalog.<>) ''),
	CONSTRAINT holiday_set_known_check CHECK (known_from OPERATOR(pg_catalog.<) known_to)
);
COMMENT ON TABLE sla.holiday_set IS 'lists of holidays, shared by calendars';
COMMENT ON COLUMN sla.holiday_set.name IS 'name by which calendars refer to it';
COMMENT ON COLUMN sla.holiday_set.description IS 'for people';
COMMENT ON COLUMN sla.holiday_set.known_from IS 'first day for which a feed was imported; NULL: none was';
COMMENT ON COLUMN sla.holiday_set.known_to IS 'day before which the days imported end';
COMMENT ON COLUMN sla.holiday_set.imported_at IS 'when a feed was last imported';

CREATE TABLE sla.holiday (
	holiday_set text NOT NULL REFERENCES sla.holiday_set (name) ON UPDATE CASCADE ON DELETE CASCADE,
	day         date NOT NULL,
	hours       text NOT NULL DEFAULT 'off',
	name        text,
	origin      text NOT NULL DEFAULT 'by hand',
	PRIMARY KEY (holiday_set, day, origin)
);
COMMENT ON TABLE sla.holiday IS 'holidays of a set';
COMMENT ON COLUMN sla.holiday.holiday_set IS 'the set';
COMMENT ON COLUMN sla.holiday.day IS 'local date';
COMMENT ON COLUMN sla.holiday.hours IS
	'off: closed, unless the opening hours have a rule for PH; the times open on that day, as in 08:00-12:00,13:00-14:00; or what is closed of its usual hours, as in off 12:00-13:00';
COMMENT ON COLUMN sla.holiday.name IS 'for people';
COMMENT ON COLUMN sla.holiday.origin IS 'by hand, or the feed that it comes from';

SELECT pg_catalog.pg_extension_config_dump('sla.calendar', '');
SELECT pg_catalog.pg_extension_config_dump('sla.calendar_version', '');
SELECT pg_catalog.pg_extension_config_dump('sla.holiday_set', '');
SELECT pg_catalog.pg_extension_config_dump('sla.holiday', '');

-- What is written is checked, by whatever way it comes.

CREATE FUNCTION sla.check_calendar_version() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_check_calendar_version';
COMMENT ON FUNCTION sla.check_calendar_version() IS
	'row trigger: refuses unknown time zones, opening hours that cannot be read or are never open';

CREATE FUNCTION sla.check_holiday() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_check_holiday';
COMMENT ON FUNCTION sla.check_holiday() IS
	'row trigger: refuses holidays out of range, and hours that cannot be read';

CREATE TRIGGER calendar_version_check BEFORE INSERT OR UPDATE ON sla.calendar_version
	FOR EACH ROW EXECUTE FUNCTION sla.check_calendar_version();
COMMENT ON TRIGGER calendar_version_check ON sla.calendar_version IS 'checks the version';
CREATE TRIGGER holiday_check BEFORE INSERT OR UPDATE ON sla.holiday
	FOR EACH ROW EXECUTE FUNCTION sla.check_holiday();
COMMENT ON TRIGGER holiday_check ON sla.holiday IS 'checks the holiday';

-- A holiday set in use keeps its calendars.

CREATE FUNCTION sla.keep_holiday_set() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		IF EXISTS (SELECT FROM sla.calendar_version WHERE OLD.name = ANY (holiday_sets)) THEN
			RAISE EXCEPTION USING
				ERRCODE = 'foreign_key_violation',
				MESSAGE = format('holiday set "%s" is used by a calendar', OLD.name),
				DETAIL = format('Used by: %s.',
					(SELECT string_agg(DISTINCT calendar, ', ' ORDER BY calendar)
					 FROM sla.calendar_version WHERE OLD.name = ANY (holiday_sets))),
				HINT = 'Take it out of calendar_version.holiday_sets first.';
		END IF;
	ELSIF NEW.name <> OLD.name THEN
		UPDATE sla.calendar_version
		SET holiday_sets = array_replace(holiday_sets, OLD.name, NEW.name)
		WHERE OLD.name = ANY (holiday_sets);
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.keep_holiday_set() IS
	'row trigger: a holiday set that a calendar uses is not deleted, and renamed there too';
CREATE TRIGGER holiday_set_keep AFTER UPDATE OR DELETE ON sla.holiday_set
	FOR EACH ROW EXECUTE FUNCTION sla.keep_holiday_set();
COMMENT ON TRIGGER holiday_set_keep ON sla.holiday_set IS 'keeps sets that are in use';

-- calendar.changed_at follows what the calendar is made of.

CREATE FUNCTION sla.touch_calendars() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_TABLE_NAME = 'calendar_version' THEN
		UPDATE sla.calendar SET changed_at = now()
		WHERE changed_at <> now() AND name IN (SELECT calendar FROM touched);
	ELSE
		UPDATE sla.calendar SET changed_at = now()
		WHERE changed_at <> now() AND name IN (
			SELECT calendar FROM sla.calendar_version
			WHERE holiday_sets && ARRAY(SELECT DISTINCT holiday_set FROM touched));
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.touch_calendars() IS
	'statement trigger: notes when the calendars of the rows "touched" changed';
CREATE TRIGGER calendar_version_inserted AFTER INSERT ON sla.calendar_version
	REFERENCING NEW TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER calendar_version_inserted ON sla.calendar_version IS 'sets calendar.changed_at';
CREATE TRIGGER calendar_version_updated_from AFTER UPDATE ON sla.calendar_version
	REFERENCING OLD TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER calendar_version_updated_from ON sla.calendar_version IS 'sets calendar.changed_at';
CREATE TRIGGER calendar_version_updated_to AFTER UPDATE ON sla.calendar_version
	REFERENCING NEW TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER calendar_version_updated_to ON sla.calendar_version IS 'sets calendar.changed_at';
CREATE TRIGGER calendar_version_deleted AFTER DELETE ON sla.calendar_version
	REFERENCING OLD TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER calendar_version_deleted ON sla.calendar_version IS 'sets calendar.changed_at';
CREATE TRIGGER holiday_inserted AFTER INSERT ON sla.holiday
	REFERENCING NEW TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER holiday_inserted ON sla.holiday IS 'sets calendar.changed_at';
CREATE TRIGGER holiday_updated_from AFTER UPDATE ON sla.holiday
	REFERENCING OLD TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER holiday_updated_from ON sla.holiday IS 'sets calendar.changed_at';
CREATE TRIGGER holiday_updated_to AFTER UPDATE ON sla.holiday
	REFERENCING NEW TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER holiday_updated_to ON sla.holiday IS 'sets calendar.changed_at';
CREATE TRIGGER holiday_deleted AFTER DELETE ON sla.holiday
	REFERENCING OLD TABLE AS touched
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER holiday_deleted ON sla.holiday IS 'sets calendar.changed_at';

-- Compiled calendars learn of every change.

CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.calendar
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.calendar IS 'has all sessions read calendars again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.calendar
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.calendar IS 'has all sessions read calendars again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.calendar_version
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.calendar_version IS 'has all sessions read calendars again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.calendar_version
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.calendar_version IS 'has all sessions read calendars again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.holiday_set
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.holiday_set IS 'has all sessions read calendars again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.holiday_set
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.holiday_set IS 'has all sessions read calendars again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.holiday
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.holiday IS 'has all sessions read calendars again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.holiday
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.holiday IS 'has all sessions read calendars again';

CREATE FUNCTION sla.set_calendar(
	name           text,
	time_zone      text,
	hours          text,
	holiday_sets   text[] DEFAULT '{}',
	effective_from date DEFAULT NULL,
	description    text DEFAULT NULL
) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	missing text;
BEGIN
	IF coalesce(set_calendar.name, '') = '' OR set_calendar.time_zone IS NULL OR set_calendar.hours IS NULL THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a calendar needs a name, a time zone and opening hours',
			HINT = 'Write for example sla.set_calendar(''support'', ''Europe/Oslo'', ''Mo-Fr 08:00-16:00'').';
	END IF;

	SELECT coalesce(wanted, 'NULL') INTO missing
	FROM unnest(set_calendar.holiday_sets) AS wanted
	WHERE NOT EXISTS (SELECT FROM sla.holiday_set AS known WHERE known.name = wanted)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('holiday set "%s" does not exist', missing),
			HINT = 'Insert it into sla.holiday_set first, and its days into sla.holiday.';
	END IF;

	INSERT INTO sla.calendar AS known (name, description)
	VALUES (set_calendar.name, set_calendar.description)
	ON CONFLICT (name) DO UPDATE
	SET description = coalesce(excluded.description, known.description), changed_at = now();

	INSERT INTO sla.calendar_version (calendar, effective_from, time_zone, hours, holiday_sets)
	VALUES (set_calendar.name, coalesce(set_calendar.effective_from, '-infinity'),
			set_calendar.time_zone, set_calendar.hours, coalesce(set_calendar.holiday_sets, '{}'))
	ON CONFLICT (calendar, effective_from) DO UPDATE
	SET time_zone = excluded.time_zone, hours = excluded.hours, holiday_sets = excluded.holiday_sets;
END
$$;
COMMENT ON FUNCTION sla.set_calendar(text, text, text, text[], date, text) IS
	'makes a calendar, or replaces its version from that date on (from the beginning when NULL)';

CREATE VIEW sla.calendar_history AS
SELECT v.calendar,
	v.effective_from,
	pg_catalog.lead(v.effective_from) OVER (PARTITION BY v.calendar ORDER BY v.effective_from) AS effective_until,
	v.time_zone,
	v.hours,
	v.holiday_sets
FROM sla.calendar_version AS v;
COMMENT ON VIEW sla.calendar_history IS 'the versions of each calendar, with the days on which they are in force';
COMMENT ON COLUMN sla.calendar_history.calendar IS 'the calendar';
COMMENT ON COLUMN sla.calendar_history.effective_from IS 'first local date on which the version is in force; -infinity: from the beginning';
COMMENT ON COLUMN sla.calendar_history.effective_until IS 'first local date on which the next one is; NULL: none follows';
COMMENT ON COLUMN sla.calendar_history.time_zone IS 'name of a time zone';
COMMENT ON COLUMN sla.calendar_history.hours IS 'opening hours';
COMMENT ON COLUMN sla.calendar_history.holiday_sets IS 'names of holiday sets whose days are holidays';

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

/*
 * business_time.sql
 *		The questions, each asked of a calendar by name and of a schedule.
 */

CREATE FUNCTION sla.is_open(cal text, at timestamptz) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_is_open';
COMMENT ON FUNCTION sla.is_open(text, timestamptz) IS
	'is it open at that instant? NULL for an infinite one';

CREATE FUNCTION sla.is_open(cal sla.schedule, at timestamptz) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_is_open';
COMMENT ON FUNCTION sla.is_open(sla.schedule, timestamptz) IS
	'is it open at that instant? NULL for an infinite one';

CREATE FUNCTION sla.business_time(cal text, from_ts timestamptz, to_ts timestamptz) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time';
COMMENT ON FUNCTION sla.business_time(text, timestamptz, timestamptz) IS
	'open time from one instant to another, in hours; negative when to_ts is earlier';

CREATE FUNCTION sla.business_time(cal sla.schedule, from_ts timestamptz, to_ts timestamptz) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time';
COMMENT ON FUNCTION sla.business_time(sla.schedule, timestamptz, timestamptz) IS
	'open time from one instant to another, in hours; negative when to_ts is earlier';

CREATE FUNCTION sla.business_time(cal text, period tstzrange) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time_of_range';
COMMENT ON FUNCTION sla.business_time(text, tstzrange) IS
	'open time in a period';

CREATE FUNCTION sla.business_time(cal sla.schedule, period tstzrange) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time_of_range';
COMMENT ON FUNCTION sla.business_time(sla.schedule, tstzrange) IS
	'open time in a period';

CREATE FUNCTION sla.business_time(cal text, periods tstzmultirange) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time_of_multirange';
COMMENT ON FUNCTION sla.business_time(text, tstzmultirange) IS
	'open time in periods';

CREATE FUNCTION sla.business_time(cal sla.schedule, periods tstzmultirange) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time_of_multirange';
COMMENT ON FUNCTION sla.business_time(sla.schedule, tstzmultirange) IS
	'open time in periods';

CREATE FUNCTION sla.add_business_time(cal text, from_ts timestamptz, amount interval) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_time';
COMMENT ON FUNCTION sla.add_business_time(text, timestamptz, interval) IS
	'when so much business time is used up: days are business days, then hours are open hours; infinity when there is not so much';

CREATE FUNCTION sla.add_business_time(cal sla.schedule, from_ts timestamptz, amount interval) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_time';
COMMENT ON FUNCTION sla.add_business_time(sla.schedule, timestamptz, interval) IS
	'when so much business time is used up: days are business days, then hours are open hours; infinity when there is not so much';

CREATE FUNCTION sla.next_open(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_next_open';
COMMENT ON FUNCTION sla.next_open(text, timestamptz) IS
	'first opening after an instant; NULL when there is none';

CREATE FUNCTION sla.next_open(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_next_open';
COMMENT ON FUNCTION sla.next_open(sla.schedule, timestamptz) IS
	'first opening after an instant; NULL when there is none';

CREATE FUNCTION sla.next_close(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_next_close';
COMMENT ON FUNCTION sla.next_close(text, timestamptz) IS
	'first closing after an instant; NULL when there is none';

CREATE FUNCTION sla.next_close(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_next_close';
COMMENT ON FUNCTION sla.next_close(sla.schedule, timestamptz) IS
	'first closing after an instant; NULL when there is none';

CREATE FUNCTION sla.previous_open(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_previous_open';
COMMENT ON FUNCTION sla.previous_open(text, timestamptz) IS
	'last opening before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_open(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_previous_open';
COMMENT ON FUNCTION sla.previous_open(sla.schedule, timestamptz) IS
	'last opening before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_close(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_previous_close';
COMMENT ON FUNCTION sla.previous_close(text, timestamptz) IS
	'last closing before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_close(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_previous_close';
COMMENT ON FUNCTION sla.previous_close(sla.schedule, timestamptz) IS
	'last closing before an instant; NULL when there is none';

CREATE FUNCTION sla.roll_forward(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_roll_forward';
COMMENT ON FUNCTION sla.roll_forward(text, timestamptz) IS
	'the instant itself if open, else the next opening; NULL when there is none';

CREATE FUNCTION sla.roll_forward(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_roll_forward';
COMMENT ON FUNCTION sla.roll_forward(sla.schedule, timestamptz) IS
	'the instant itself if open, else the next opening; NULL when there is none';

CREATE FUNCTION sla.roll_backward(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_roll_backward';
COMMENT ON FUNCTION sla.roll_backward(text, timestamptz) IS
	'the instant itself if open, else the last closing; NULL when there is none';

CREATE FUNCTION sla.roll_backward(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_roll_backward';
COMMENT ON FUNCTION sla.roll_backward(sla.schedule, timestamptz) IS
	'the instant itself if open, else the last closing; NULL when there is none';

CREATE FUNCTION sla.open_hours(cal text, period tstzrange) RETURNS tstzmultirange
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'sla_calendar_open_hours';
COMMENT ON FUNCTION sla.open_hours(text, tstzrange) IS
	'when it is open in a period';

CREATE FUNCTION sla.open_hours(cal sla.schedule, period tstzrange) RETURNS tstzmultirange
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'sla_schedule_open_hours';
COMMENT ON FUNCTION sla.open_hours(sla.schedule, tstzrange) IS
	'when it is open in a period';

CREATE FUNCTION sla.is_business_day(cal text, day date) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_is_business_day';
COMMENT ON FUNCTION sla.is_business_day(text, date) IS
	'is it open at any time of that local date? NULL for an infinite one';

CREATE FUNCTION sla.is_business_day(cal sla.schedule, day date) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_is_business_day';
COMMENT ON FUNCTION sla.is_business_day(sla.schedule, date) IS
	'is it open at any time of that local date? NULL for an infinite one';

CREATE FUNCTION sla.local_date(cal text, at timestamptz) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_local_date';
COMMENT ON FUNCTION sla.local_date(text, timestamptz) IS
	'the local date of an instant; NULL for an infinite one';

CREATE FUNCTION sla.local_date(cal sla.schedule, at timestamptz) RETURNS date
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_local_date';
COMMENT ON FUNCTION sla.local_date(sla.schedule, timestamptz) IS
	'the local date of an instant; NULL for an infinite one';

CREATE FUNCTION sla.business_days(cal text, from_day date, to_day date) RETURNS bigint
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_days';
COMMENT ON FUNCTION sla.business_days(text, date, date) IS
	'business days from one date to before another; negative when to_day is earlier';

CREATE FUNCTION sla.business_days(cal sla.schedule, from_day date, to_day date) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_days';
COMMENT ON FUNCTION sla.business_days(sla.schedule, date, date) IS
	'business days from one date to before another; negative when to_day is earlier';

CREATE FUNCTION sla.add_business_days(cal text, day date, days integer) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_days_to_date';
COMMENT ON FUNCTION sla.add_business_days(text, date, integer) IS
	'the nth business day after a date, or before it; infinity when there are not so many';

CREATE FUNCTION sla.add_business_days(cal sla.schedule, day date, days integer) RETURNS date
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_days_to_date';
COMMENT ON FUNCTION sla.add_business_days(sla.schedule, date, integer) IS
	'the nth business day after a date, or before it; infinity when there are not so many';

CREATE FUNCTION sla.add_business_days(cal text, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_days_to_instant';
COMMENT ON FUNCTION sla.add_business_days(text, timestamptz, integer) IS
	'the same for the local date of an instant, the wall clock kept';

CREATE FUNCTION sla.add_business_days(cal sla.schedule, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_days_to_instant';
COMMENT ON FUNCTION sla.add_business_days(sla.schedule, timestamptz, integer) IS
	'the same for the local date of an instant, the wall clock kept';

CREATE FUNCTION sla.end_of_business_day(cal text, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'sla_calendar_end_of_business_day';
COMMENT ON FUNCTION sla.end_of_business_day(text, timestamptz, integer) IS
	'close of business so many business days later: 0 is the same day, or the next one that opens';

CREATE FUNCTION sla.end_of_business_day(cal sla.schedule, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'sla_schedule_end_of_business_day';
COMMENT ON FUNCTION sla.end_of_business_day(sla.schedule, timestamptz, integer) IS
	'close of business so many business days later: 0 is the same day, or the next one that opens';

/*
 * overdue.sql
 *		Is a deadline past?  With the help of an index on the start.
 */

CREATE FUNCTION sla.overdue_before(cal text, goal interval, as_of timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'sla_calendar_overdue_before';
COMMENT ON FUNCTION sla.overdue_before(text, interval, timestamptz) IS
	'what is overdue has started before this; with a goal in hours, all that has started before it is overdue';

CREATE FUNCTION sla.overdue_before(cal sla.schedule, goal interval, as_of timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'sla_schedule_overdue_before';
COMMENT ON FUNCTION sla.overdue_before(sla.schedule, interval, timestamptz) IS
	'what is overdue has started before this; with a goal in hours, all that has started before it is overdue';

CREATE FUNCTION sla.overdue_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_overdue_support';
COMMENT ON FUNCTION sla.overdue_support(internal) IS
	'tells the planner that an index on started_at can find what is overdue';

CREATE FUNCTION sla.overdue(
	cal        text,
	started_at timestamptz,
	goal       interval,
	as_of      timestamptz DEFAULT pg_catalog.now()
) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3 SUPPORT sla.overdue_support
	AS 'MODULE_PATHNAME', 'sla_calendar_overdue';
COMMENT ON FUNCTION sla.overdue(text, timestamptz, interval, timestamptz) IS
	'is the deadline of what started then past? An index on started_at helps';

CREATE FUNCTION sla.overdue(
	cal        sla.schedule,
	started_at timestamptz,
	goal       interval,
	as_of      timestamptz DEFAULT pg_catalog.now()
) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3 SUPPORT sla.overdue_support
	AS 'MODULE_PATHNAME', 'sla_schedule_overdue';
COMMENT ON FUNCTION sla.overdue(sla.schedule, timestamptz, interval, timestamptz) IS
	'is the deadline of what started then past? An index on started_at helps';

/*
 * explain.sql
 *		Business time told in words.
 */

CREATE TYPE sla.explained_stretch AS (
	from_ts timestamptz,
	to_ts   timestamptz,
	open    boolean,
	counted interval,
	reason  text
);
COMMENT ON TYPE sla.explained_stretch IS 'a stretch of time, whether it counts, and why';
COMMENT ON COLUMN sla.explained_stretch.from_ts IS 'its start';
COMMENT ON COLUMN sla.explained_stretch.to_ts IS 'its end, with which the next begins';
COMMENT ON COLUMN sla.explained_stretch.open IS 'is it open all the time?';
COMMENT ON COLUMN sla.explained_stretch.counted IS 'its business time: all of it or nothing';
COMMENT ON COLUMN sla.explained_stretch.reason IS 'the part of the opening hours, the holiday, the change of the clock that made it so';

CREATE FUNCTION sla.explain_business_time(cal text, from_ts timestamptz, to_ts timestamptz)
	RETURNS SETOF sla.explained_stretch
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 50
	AS 'MODULE_PATHNAME', 'sla_calendar_explain_business_time';
COMMENT ON FUNCTION sla.explain_business_time(text, timestamptz, timestamptz) IS
	'stretch by stretch, what counts as business time and why; what is open adds up to sla.business_time';

CREATE FUNCTION sla.explain_business_time(cal sla.schedule, from_ts timestamptz, to_ts timestamptz)
	RETURNS SETOF sla.explained_stretch
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 50
	AS 'MODULE_PATHNAME', 'sla_schedule_explain_business_time';
COMMENT ON FUNCTION sla.explain_business_time(sla.schedule, timestamptz, timestamptz) IS
	'stretch by stretch, what counts as business time and why; what is open adds up to sla.business_time';

/*
 * condition.sql
 *		Conditions that users write over a row.
 */

CREATE FUNCTION sla.check_condition(relation regclass, condition text) RETURNS void
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_check_condition';
COMMENT ON FUNCTION sla.check_condition(regclass, text) IS
	'an error, which tells the place, unless the condition can be used over rows of the relation';

/*
 * rule.sql
 *		Metrics, levels with their goals, and the rules that choose a level.
 *
 * Who may write these tables decides what every tracked ticket is promised and
 * names functions that run whenever a ticket is touched: nothing is granted.
 */

-- What is timed. The built-in rows are not dumped; one that a user changes is
-- the user's from then on.
CREATE TABLE sla.metric (
	name		text PRIMARY KEY CHECK (name <> ''),
	starts_on	text[] NOT NULL,
	stops_on	text[] NOT NULL,
	pauses_on	text[] NOT NULL DEFAULT '{paused}',
	resumes_on	text[] NOT NULL DEFAULT '{resumed}',
	cancels_on	text[] NOT NULL DEFAULT '{merged,deleted,cancelled}',
	reopens_on	text[] NOT NULL DEFAULT '{}',
	blocked_by	text[] NOT NULL DEFAULT '{}',
	repeats		boolean NOT NULL DEFAULT false,
	on_reopen	text NOT NULL DEFAULT 'resume'
		CONSTRAINT metric_on_reopen_check
		CHECK (on_reopen IN ('resume', 'new_cycle', 'total', 'first_is_final')),
	builtin		boolean NOT NULL DEFAULT false,
	description text,
	CONSTRAINT metric_starts_on_check CHECK (pg_catalog.cardinality(starts_on) > 0),
	CONSTRAINT metric_stops_on_check CHECK (pg_catalog.cardinality(stops_on) > 0),
	CONSTRAINT metric_events_check CHECK (
		pg_catalog.array_position(starts_on, NULL) IS NULL
		AND pg_catalog.array_position(stops_on, NULL) IS NULL
		AND pg_catalog.array_position(pauses_on, NULL) IS NULL
		AND pg_catalog.array_position(resumes_on, NULL) IS NULL
		AND pg_catalog.array_position(cancels_on, NULL) IS NULL
		AND pg_catalog.array_position(reopens_on, NULL) IS NULL
		AND pg_catalog.array_position(blocked_by, NULL) IS NULL)
);
COMMENT ON TABLE sla.metric IS 'what is timed: which events start, stop, pause, resume, cancel and reopen its clock';
COMMENT ON COLUMN sla.metric.name IS 'name, as targets and the log use it';
COMMENT ON COLUMN sla.metric.starts_on IS 'events that start the clock';
COMMENT ON COLUMN sla.metric.stops_on IS 'events that stop it, with a verdict';
COMMENT ON COLUMN sla.metric.pauses_on IS 'events that pause it';
COMMENT ON COLUMN sla.metric.resumes_on IS 'events that resume it';
COMMENT ON COLUMN sla.metric.cancels_on IS 'events that end it without a verdict';
COMMENT ON COLUMN sla.metric.reopens_on IS 'events after which a stopped clock counts again, as on_reopen tells';
COMMENT ON COLUMN sla.metric.blocked_by IS 'metrics whose running clock keeps this one from starting';
COMMENT ON COLUMN sla.metric.repeats IS 'whether it can start again on the same ticket once it has ended';
COMMENT ON COLUMN sla.metric.on_reopen IS
	'resume: goes on, the closed time left out; total: goes on, the closed time counted; new_cycle: from the start; first_is_final: nothing';
COMMENT ON COLUMN sla.metric.builtin IS 'came with the extension and is unchanged; such rows are not dumped';
COMMENT ON COLUMN sla.metric.description IS 'for people';

INSERT INTO sla.metric (name, starts_on, stops_on, pauses_on, resumes_on, cancels_on, reopens_on,
						blocked_by, repeats, on_reopen, builtin, description) VALUES
	('first_response', '{created}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{}', false, 'resume', true,
	 'from the ticket''s creation to the first reply of an agent'),
	('next_response', '{customer_message}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{first_response,next_response}', true, 'resume', true,
	 'from the oldest unanswered message of the customer to the next reply'),
	('periodic_update', '{agent_reply}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{}', true, 'resume', true,
	 'from one reply of an agent to the next'),
	('chat_response', '{chat_started}', '{chat_answered}', '{paused}', '{resumed}',
	 '{chat_abandoned,merged,deleted,cancelled}', '{}', '{}', true, 'resume', true,
	 'from the start of a chat to its answer'),
	('call_response', '{call_started}', '{call_answered}', '{paused}', '{resumed}',
	 '{call_abandoned,merged,deleted,cancelled}', '{}', '{}', true, 'resume', true,
	 'from the start of a call to its answer'),
	('resolution', '{created}', '{resolved}', '{paused}', '{resumed}',
	 '{merged,deleted,cancelled}', '{reopened}', '{}', false, 'resume', true,
	 'from the ticket''s creation to its resolution'),
	('total_resolution', '{created}', '{resolved}', '{}', '{}',
	 '{merged,deleted,cancelled}', '{reopened}', '{}', false, 'total', true,
	 'from the ticket''s creation to its resolution, never pausing');

CREATE TABLE sla.level (
	name		text PRIMARY KEY CHECK (name <> ''),
	calendar	text NOT NULL REFERENCES sla.calendar ON UPDATE CASCADE,
	agreement	text NOT NULL DEFAULT 'customer'
		CONSTRAINT level_agreement_check CHECK (agreement IN ('customer', 'operational', 'supplier')),
	on_change	text NOT NULL DEFAULT 'retroactive'
		CONSTRAINT level_on_change_check
		CHECK (on_change IN ('retroactive', 'forward', 'reset', 'keep_stricter', 'keep')),
	description text
);
COMMENT ON TABLE sla.level IS 'a named promise: a calendar, and a goal for each metric in sla.target';
COMMENT ON COLUMN sla.level.name IS 'name, as rules, reports and sla.level_for() use it';
COMMENT ON COLUMN sla.level.calendar IS 'the calendar in whose business time the goals are';
COMMENT ON COLUMN sla.level.agreement IS
	'customer (SLA), operational (OLA) or supplier (UC); a ticket holds at most one level of each';
COMMENT ON COLUMN sla.level.on_change IS
	'what a change to this level does to running clocks; retroactive: they count from the same start';
COMMENT ON COLUMN sla.level.description IS 'for people';

CREATE TABLE sla.target (
	level		text NOT NULL REFERENCES sla.level ON UPDATE CASCADE ON DELETE CASCADE,
	metric		text NOT NULL REFERENCES sla.metric ON UPDATE CASCADE,
	position	integer NOT NULL DEFAULT 0,
	goal		interval NOT NULL,
	condition	text NOT NULL DEFAULT 'true',
	search_path text NOT NULL,
	time_zone	text NOT NULL,
	owner		text NOT NULL,
	PRIMARY KEY (level, metric, position)
);
COMMENT ON TABLE sla.target IS 'how much business time a metric may take at a level';
COMMENT ON COLUMN sla.target.level IS 'the level that promises it';
COMMENT ON COLUMN sla.target.metric IS 'the metric that is promised';
COMMENT ON COLUMN sla.target.position IS 'order among the goals of one level and metric: the first whose condition holds counts';
COMMENT ON COLUMN sla.target.goal IS 'business time: hours are business hours, days are business days';
COMMENT ON COLUMN sla.target.condition IS 'SQL condition over the ticket''s row';
COMMENT ON COLUMN sla.target.search_path IS 'where the names in the condition are looked up: that of the session that wrote it';
COMMENT ON COLUMN sla.target.time_zone IS 'the time zone of times in the condition: that of the session that wrote it';
COMMENT ON COLUMN sla.target.owner IS 'the role whose rights the functions in the condition have: the one that wrote it';

CREATE TABLE sla.rule (
	name		text NOT NULL CHECK (name <> ''),
	source		text NOT NULL CHECK (source <> ''),
	position	integer NOT NULL,
	condition	text NOT NULL,
	set_level	text REFERENCES sla.level ON UPDATE CASCADE,
	stop		boolean NOT NULL DEFAULT false,
	active		boolean NOT NULL DEFAULT true,
	on_create	boolean NOT NULL DEFAULT true,
	on_change	boolean NOT NULL DEFAULT true,
	valid		tstzrange NOT NULL DEFAULT '(,)',
	search_path text NOT NULL,
	time_zone	text NOT NULL,
	owner		text NOT NULL,
	PRIMARY KEY (source, name)
);
COMMENT ON TABLE sla.rule IS 'conditions over a ticket''s row, in order, that choose its levels';
COMMENT ON COLUMN sla.rule.name IS 'name, as errors and explanations use it';
COMMENT ON COLUMN sla.rule.source IS 'the source whose tickets it is for; may be tracked later';
COMMENT ON COLUMN sla.rule.position IS 'order; a later rule overrides an earlier one';
COMMENT ON COLUMN sla.rule.condition IS 'SQL condition over the ticket''s row';
COMMENT ON COLUMN sla.rule.set_level IS 'the level that it sets, or none';
COMMENT ON COLUMN sla.rule.stop IS 'whether later rules are left out when it matches';
COMMENT ON COLUMN sla.rule.active IS 'whether it counts at all';
COMMENT ON COLUMN sla.rule.on_create IS 'whether it is for new tickets';
COMMENT ON COLUMN sla.rule.on_change IS 'whether it is for changed tickets';
COMMENT ON COLUMN sla.rule.valid IS 'when it is in force: transactions that begin in this period go by it';
COMMENT ON COLUMN sla.rule.search_path IS 'where the names in the condition are looked up: that of the session that wrote it';
COMMENT ON COLUMN sla.rule.time_zone IS 'the time zone of times in the condition: that of the session that wrote it';
COMMENT ON COLUMN sla.rule.owner IS 'the role whose rights the functions in the condition have: the one that wrote it';

SELECT pg_catalog.pg_extension_config_dump('sla.metric', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('sla.level', '');
SELECT pg_catalog.pg_extension_config_dump('sla.target', '');
SELECT pg_catalog.pg_extension_config_dump('sla.rule', '');

CREATE FUNCTION sla.check_metric() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_metric';
COMMENT ON FUNCTION sla.check_metric() IS 'row trigger of sla.metric: what a user writes replaces a built-in row';
CREATE FUNCTION sla.check_level() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_level';
COMMENT ON FUNCTION sla.check_level() IS 'row trigger of sla.level: refuses what cannot be honoured';
CREATE FUNCTION sla.check_target() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_target';
COMMENT ON FUNCTION sla.check_target() IS 'row trigger of sla.target: checks goal and condition, notes who wrote it';
CREATE FUNCTION sla.check_rule() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_rule';
COMMENT ON FUNCTION sla.check_rule() IS 'row trigger of sla.rule: checks the condition, notes who wrote it';

CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.metric
	FOR EACH ROW EXECUTE FUNCTION sla.check_metric();
COMMENT ON TRIGGER check_row ON sla.metric IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.level
	FOR EACH ROW EXECUTE FUNCTION sla.check_level();
COMMENT ON TRIGGER check_row ON sla.level IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.target
	FOR EACH ROW EXECUTE FUNCTION sla.check_target();
COMMENT ON TRIGGER check_row ON sla.target IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.rule
	FOR EACH ROW EXECUTE FUNCTION sla.check_rule();
COMMENT ON TRIGGER check_row ON sla.rule IS 'checks the row';

CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.metric
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.metric IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.metric
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.metric IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.level
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.level IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.level
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.level IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.target
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.target IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.target
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.target IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.rule
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.rule IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.rule
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.rule IS 'has all sessions read rules again';

CREATE FUNCTION sla.level_for(ticket_row anyelement) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_level_for';
COMMENT ON FUNCTION sla.level_for(anyelement) IS
	'the level that the rules would give a new ticket with this row of a tracked table (of the customer agreement), or NULL';
CREATE FUNCTION sla.level_for(source text, ticket_row anyelement) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_level_for_source';
COMMENT ON FUNCTION sla.level_for(text, anyelement) IS
	'the same by the rules of the named source, when several track the table';

CREATE FUNCTION sla.goal_for(ticket_row anyelement, metric text) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_goal_for';
COMMENT ON FUNCTION sla.goal_for(anyelement, text) IS
	'the goal of the level that sla.level_for() gives, for a metric; NULL if it has none';
CREATE FUNCTION sla.goal_for(source text, ticket_row anyelement, metric text) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_goal_for_source';
COMMENT ON FUNCTION sla.goal_for(text, anyelement, text) IS
	'the same by the rules of the named source';
CREATE FUNCTION sla.deadline_for(ticket_row anyelement, metric text) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_deadline_for';
COMMENT ON FUNCTION sla.deadline_for(anyelement, text) IS
	'when that goal is used up from the ticket''s creation on, in the calendar of the level; pauses are not known here';
CREATE FUNCTION sla.deadline_for(source text, ticket_row anyelement, metric text) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_deadline_for_source';
COMMENT ON FUNCTION sla.deadline_for(text, anyelement, text) IS
	'the same by the rules of the named source';

/*
 * structured_condition.sql
 *		Conditions as JSON, as user interfaces write them.
 */

CREATE FUNCTION sla.condition_from_json(relation regclass, condition jsonb) RETURNS text
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_condition_from_json';
COMMENT ON FUNCTION sla.condition_from_json(regclass, jsonb) IS
	'the SQL condition over rows of the relation that {"all": [...], "any": [...], "none": [...]} of {"field", "operator", "value"} stands for';
CREATE FUNCTION sla.condition_from_json(source text, condition jsonb) RETURNS text
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_condition_from_json_source';
COMMENT ON FUNCTION sla.condition_from_json(text, jsonb) IS
	'the same over the rows for which the rules of the named source are';
CREATE FUNCTION sla.condition_to_json(condition text) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_condition_to_json';
COMMENT ON FUNCTION sla.condition_to_json(text) IS
	'the structured condition from which sla.condition_from_json made this SQL; NULL for other SQL';

/*
 * explain_level.sql
 *		Why a ticket gets the level that it gets.
 *
 * It shows what rules say and which values they read, so that nothing is
 * granted.
 */

CREATE FUNCTION sla.explain_level(
	ticket_row anyelement,
	OUT rule text, OUT "position" integer, OUT set_level text, OUT agreement text, OUT stop boolean, OUT condition text,
	OUT matched boolean, OUT result text, OUT decided_by text, OUT saw jsonb, OUT effect text)
RETURNS SETOF record
	LANGUAGE c STABLE STRICT ROWS 20
	AS 'MODULE_PATHNAME', 'sla_explain_level';
COMMENT ON FUNCTION sla.explain_level(anyelement) IS
	'a row for each rule in order: whether it matched a new ticket with this row of a tracked table, the first part of its condition that decided, the values which that saw, and what the rule did';
REVOKE ALL ON FUNCTION sla.explain_level(anyelement) FROM PUBLIC;
CREATE FUNCTION sla.explain_level(
	source text, ticket_row anyelement,
	OUT rule text, OUT "position" integer, OUT set_level text, OUT agreement text, OUT stop boolean, OUT condition text,
	OUT matched boolean, OUT result text, OUT decided_by text, OUT saw jsonb, OUT effect text)
RETURNS SETOF record
	LANGUAGE c STABLE STRICT ROWS 20
	AS 'MODULE_PATHNAME', 'sla_explain_level_source';
COMMENT ON FUNCTION sla.explain_level(text, anyelement) IS
	'the same by the rules of the named source';
REVOKE ALL ON FUNCTION sla.explain_level(text, anyelement) FROM PUBLIC;

/*
 * clock.sql
 *		Events and clocks: what happened to a ticket, and the log that follows from it.
 */

CREATE TABLE sla.promise (
	id           integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	agreement    text NOT NULL,
	level        text NOT NULL,
	calendar     text NOT NULL REFERENCES sla.calendar (name),
	metrics      text[] NOT NULL,
	days         integer[] NOT NULL,
	microseconds bigint[] NOT NULL,
	CONSTRAINT promise_goals_check CHECK (
		pg_catalog.cardinality(metrics) OPERATOR(pg_catalog.=) pg_catalog.cardinality(days)
		AND pg_catalog.cardinality(metrics) OPERATOR(pg_catalog.=) pg_catalog.cardinality(microseconds))
);
CREATE INDEX promise_level_idx ON sla.promise (level);
COMMENT ON TABLE sla.promise IS 'levels as they were promised to tickets: rows are only ever added, so that a later edit of a level or a goal changes no past promise. Two rows may say the same: nobody waits for another''s promise.';
COMMENT ON COLUMN sla.promise.id IS 'what events refer to';
COMMENT ON COLUMN sla.promise.agreement IS 'kind of agreement of the level';
COMMENT ON COLUMN sla.promise.level IS 'name of the level';
COMMENT ON COLUMN sla.promise.calendar IS 'calendar of the level';
COMMENT ON COLUMN sla.promise.metrics IS 'metrics with a goal, sorted';
COMMENT ON COLUMN sla.promise.days IS 'business days of each metric''s goal';
COMMENT ON COLUMN sla.promise.microseconds IS 'microseconds of business time of each metric''s goal, beside the days';

CREATE TABLE sla.ticket (
	source     text NOT NULL,
	ticket     text NOT NULL,
	changed_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (source, ticket)
);
COMMENT ON TABLE sla.ticket IS 'tickets that have events. The row is locked while a ticket''s clocks are worked on, so that two sessions never do so at once.';
COMMENT ON COLUMN sla.ticket.source IS 'source that the ticket belongs to';
COMMENT ON COLUMN sla.ticket.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.ticket.changed_at IS 'when the first event was recorded';

-- No CHECK on this table and the log: the server would read its text again for
-- every statement, a fifth of a trigger's time. Only our functions write them.
CREATE TABLE sla.event (
	id          bigint GENERATED BY DEFAULT AS IDENTITY,
	source      text NOT NULL,
	ticket      text NOT NULL,
	event       text NOT NULL,
	at          timestamptz NOT NULL,
	agent       text,
	of_ticket   boolean NOT NULL DEFAULT false,
	department  text,
	assignee    text,
	promises    integer[],
	recorded_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (source, ticket, at, id)
);
COMMENT ON TABLE sla.event IS 'what happened to tickets, and what was decided and known at that instant. The log is a function of these rows.';
COMMENT ON COLUMN sla.event.id IS 'order of arrival';
COMMENT ON COLUMN sla.event.source IS 'source of the ticket';
COMMENT ON COLUMN sla.event.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.event.event IS 'what happened; changed: only the level, the department or the assignee did';
COMMENT ON COLUMN sla.event.at IS 'when it happened';
COMMENT ON COLUMN sla.event.agent IS 'who did it, where that is known';
COMMENT ON COLUMN sla.event.of_ticket IS 'read off the ticket''s own row, so that department and assignee are those of that instant';
COMMENT ON COLUMN sla.event.department IS 'department that held the ticket from then on';
COMMENT ON COLUMN sla.event.assignee IS 'agent who held the ticket from then on';
COMMENT ON COLUMN sla.event.promises IS 'levels decided at that instant, ids of sla.promise in the order customer, operational, supplier; 0: no level, -1: not decided. NULL: nothing was decided.';
COMMENT ON COLUMN sla.event.recorded_at IS 'when it was recorded';

CREATE TABLE sla.log (
	id            bigint GENERATED BY DEFAULT AS IDENTITY,
	source        text NOT NULL,
	ticket        text NOT NULL,
	agreement     text NOT NULL,
	level         text NOT NULL,
	metric        text NOT NULL,
	ordinal       integer NOT NULL,
	cycle         integer NOT NULL,
	calendar      text NOT NULL,
	department    text,
	agent         text,
	goal          interval NOT NULL,
	started_at    timestamptz NOT NULL,
	counted       tstzmultirange NOT NULL,
	running_since timestamptz,
	deadline      timestamptz NOT NULL,
	closed_at     timestamptz,
	outcome       text,
	reason        text,
	elapsed       interval NOT NULL,
	computed_at   timestamptz NOT NULL,
	PRIMARY KEY (source, ticket, agreement, metric, ordinal)
);
CREATE INDEX log_id_idx ON sla.log (id);
CREATE INDEX log_queue_idx ON sla.log (deadline) WHERE closed_at IS NULL;
COMMENT ON TABLE sla.log IS 'one row for each clock: one run of a metric on a ticket under one level';
COMMENT ON COLUMN sla.log.id IS 'number of the row; stays the same while the row lives';
COMMENT ON COLUMN sla.log.source IS 'source of the ticket';
COMMENT ON COLUMN sla.log.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.log.agreement IS 'kind of agreement: customer, operational or supplier';
COMMENT ON COLUMN sla.log.level IS 'level that promised the goal';
COMMENT ON COLUMN sla.log.metric IS 'what is timed';
COMMENT ON COLUMN sla.log.ordinal IS 'number of the row among the ticket''s rows of that agreement and metric';
COMMENT ON COLUMN sla.log.cycle IS 'which run of the metric on the ticket; a row that supersedes another is of the same run';
COMMENT ON COLUMN sla.log.calendar IS 'calendar by which time counts';
COMMENT ON COLUMN sla.log.department IS 'department that held the ticket when the verdict fell; while there is none, now';
COMMENT ON COLUMN sla.log.agent IS 'agent who held the ticket when the verdict fell; while there is none, now';
COMMENT ON COLUMN sla.log.goal IS 'business time promised: hours are business hours, days are business days';
COMMENT ON COLUMN sla.log.started_at IS 'when the clock started';
COMMENT ON COLUMN sla.log.counted IS 'the stretches that counted and have ended; sla.business_time(calendar, counted) is the business time they hold';
COMMENT ON COLUMN sla.log.running_since IS 'since when the clock has been counting; NULL when paused or closed';
COMMENT ON COLUMN sla.log.deadline IS 'first instant at which the goal is used up, moved on by the business time of the pauses that have ended';
COMMENT ON COLUMN sla.log.closed_at IS 'when the clock ended; NULL while it is open';
COMMENT ON COLUMN sla.log.outcome IS 'met, missed, cancelled or superseded; NULL while open';
COMMENT ON COLUMN sla.log.reason IS 'why it was cancelled or superseded, or ended after having been missed: the event, or level_changed, goal_changed, no_longer_matches';
COMMENT ON COLUMN sla.log.elapsed IS 'business time in counted';
COMMENT ON COLUMN sla.log.computed_at IS 'when the deadline was computed';

SELECT pg_catalog.pg_extension_config_dump('sla.promise', '');
SELECT pg_catalog.pg_extension_config_dump('sla.promise_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sla.ticket', '');
SELECT pg_catalog.pg_extension_config_dump('sla.event', '');
SELECT pg_catalog.pg_extension_config_dump('sla.event_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('sla.log', '');
SELECT pg_catalog.pg_extension_config_dump('sla.log_id_seq', '');

CREATE FUNCTION sla.clock_deadline(
	calendar text, started_at timestamptz, goal interval, counted tstzmultirange,
	running_since timestamptz, closed_at timestamptz DEFAULT NULL)
RETURNS timestamptz
AS 'MODULE_PATHNAME', 'sla_clock_deadline'
LANGUAGE C STABLE PARALLEL SAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.clock_deadline(text, timestamptz, interval, tstzmultirange, timestamptz, timestamptz) IS
	'the deadline of a clock: the goal added to its start, moved on by the business time of each pause that began by then. NULL running_since: paused, or closed at closed_at. NULL when calendar, start, goal or counted is.';

CREATE FUNCTION sla.clock_missed(
	deadline timestamptz, counted tstzmultirange, running_since timestamptz, as_of timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN running_since IS NOT NULL THEN as_of OPERATOR(pg_catalog.>) deadline
	WHEN pg_catalog.isempty(counted) THEN false
	ELSE LEAST(pg_catalog.upper(counted), as_of) OPERATOR(pg_catalog.>) deadline
END;
COMMENT ON FUNCTION sla.clock_missed(timestamptz, tstzmultirange, timestamptz, timestamptz) IS
	'has an open clock missed its deadline at an instant? Equality is in time; a pause that began in time cannot be missed';

CREATE FUNCTION sla.record_event(
	source text, ticket text, event text, at timestamptz DEFAULT pg_catalog.now(), agent text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_record_event'
LANGUAGE C VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.record_event(text, text, text, timestamptz, text) IS
	'record that something happened to a ticket of a tracked source, now or at a given instant, and bring its clocks up to date';
REVOKE ALL ON FUNCTION sla.record_event(text, text, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION sla.verify(
	source text,
	OUT ticket text, OUT agreement text, OUT metric text, OUT ordinal integer,
	OUT problem text, OUT logged text, OUT expected text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'sla_verify'
LANGUAGE C STABLE PARALLEL UNSAFE STRICT;
COMMENT ON FUNCTION sla.verify(text) IS
	'rows of the log that are not what their events give, with what differs. Always empty.';
REVOKE ALL ON FUNCTION sla.verify(text) FROM PUBLIC;

CREATE FUNCTION sla.explain_clock(
	log_id bigint,
	OUT from_ts timestamptz, OUT to_ts timestamptz, OUT counted boolean, OUT business_time interval, OUT reason text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
	WITH clock AS (
		SELECT l.*, coalesce(l.closed_at, greatest(sla.now(), l.started_at)) AS ended_at
		FROM sla.log AS l WHERE l.id = log_id
	), part AS (
		SELECT c.source, c.ticket, c.metric, c.calendar,
			tstzmultirange(tstzrange(c.started_at, c.ended_at)) AS life,
			c.counted + CASE WHEN c.running_since < c.ended_at THEN tstzmultirange(tstzrange(c.running_since, c.ended_at)) ELSE '{}' END AS ran,
			sla.open_hours(c.calendar, tstzrange(c.started_at, c.ended_at)) AS open
		FROM clock AS c
	)
	SELECT lower(r), upper(r), true, sla.business_time(part.calendar, r), 'open'
	FROM part, unnest(ran * open) AS r
	UNION ALL
	SELECT lower(r), upper(r), false, interval '0', 'outside opening hours'
	FROM part, unnest(ran - open) AS r
	UNION ALL
	SELECT lower(r), upper(r), false, interval '0', coalesce((
			SELECT e.event FROM sla.event AS e JOIN sla.metric AS m ON m.name = part.metric
			WHERE e.source = part.source AND e.ticket = part.ticket AND e.at = lower(r) AND e.event = ANY (m.pauses_on || m.stops_on)
			ORDER BY e.id DESC LIMIT 1), 'paused')
	FROM part, unnest(life - ran) AS r
	ORDER BY 1
$function$;
COMMENT ON FUNCTION sla.explain_clock(bigint) IS
	'the stretches of a clock''s life as of sla.now(): what counted, what did not, and why; the business time of those that counted adds up to the elapsed time';

/*
 * recalculation.sql
 *		Deadlines that move because a promise's terms do, and the trail they leave.
 */

CREATE TABLE sla.deadline_change (
	id         bigint GENERATED BY DEFAULT AS IDENTITY,
	source     text NOT NULL,
	ticket     text NOT NULL,
	agreement  text NOT NULL,
	metric     text NOT NULL,
	ordinal    integer NOT NULL,
	former     timestamptz NOT NULL,
	deadline   timestamptz NOT NULL,
	reason     text NOT NULL,
	changed_by text NOT NULL,
	changed_at timestamptz NOT NULL,
	PRIMARY KEY (source, ticket, id)
);
COMMENT ON TABLE sla.deadline_change IS 'deadlines that moved because a calendar was edited: one row each';
COMMENT ON COLUMN sla.deadline_change.id IS 'order in which they moved';
COMMENT ON COLUMN sla.deadline_change.source IS 'source of the ticket';
COMMENT ON COLUMN sla.deadline_change.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.deadline_change.agreement IS 'kind of agreement of the clock';
COMMENT ON COLUMN sla.deadline_change.metric IS 'metric of the clock';
COMMENT ON COLUMN sla.deadline_change.ordinal IS 'number of the clock among the ticket''s of that agreement and metric';
COMMENT ON COLUMN sla.deadline_change.former IS 'the deadline as it was';
COMMENT ON COLUMN sla.deadline_change.deadline IS 'the deadline as it became';
COMMENT ON COLUMN sla.deadline_change.reason IS 'why it moved';
COMMENT ON COLUMN sla.deadline_change.changed_by IS 'the role that made the edit';
COMMENT ON COLUMN sla.deadline_change.changed_at IS 'when it moved';
SELECT pg_catalog.pg_extension_config_dump('sla.deadline_change', '');
SELECT pg_catalog.pg_extension_config_dump('sla.deadline_change_id_seq', '');

-- An edit of a calendar moves the deadlines of the open clocks that it touches,
-- in the same transaction; a verdict that has been reached stays.
CREATE FUNCTION sla.calendar_edited() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	asked_role text := current_setting('role');
BEGIN
	-- A dump brings the deadlines with it, and loads calendars before, after or
	-- beside the log; it is told by a setting that every dump makes.
	IF current_setting('check_function_bodies') = 'off' THEN
		RETURN NULL;
	END IF;

	-- No clock may be computed by the old hours any more: those at work are
	-- waited for, those to come wait for the edit.
	LOCK TABLE sla.log IN SHARE ROW EXCLUSIVE MODE;
	-- The edit has stamped its calendars with the transaction's time; what was
	-- computed while it waited must not seem to be younger.
	UPDATE sla.calendar SET changed_at = clock_timestamp() WHERE changed_at = now();

	WITH moved AS (
		UPDATE sla.log AS l
		SET deadline = n.deadline, elapsed = n.elapsed, computed_at = clock_timestamp()
		FROM (
			SELECT o.source, o.ticket, o.agreement, o.metric, o.ordinal, o.deadline AS former, o.elapsed AS former_elapsed,
				sla.clock_deadline(o.calendar, o.started_at, o.goal, o.counted, o.running_since) AS deadline,
				sla.business_time(o.calendar, o.counted) AS elapsed
			FROM sla.log AS o JOIN sla.calendar AS c ON c.name = o.calendar
			WHERE c.changed_at >= now() AND o.closed_at IS NULL
				AND NOT sla.clock_missed(o.deadline, o.counted, o.running_since, now())
		) AS n
		WHERE (l.source, l.ticket, l.agreement, l.metric, l.ordinal) = (n.source, n.ticket, n.agreement, n.metric, n.ordinal)
			AND (n.deadline <> n.former OR n.elapsed <> n.former_elapsed)
		RETURNING l.source, l.ticket, l.agreement, l.metric, l.ordinal, n.former, l.deadline, l.calendar
	)
	INSERT INTO sla.deadline_change (source, ticket, agreement, metric, ordinal, former, deadline, reason, changed_by, changed_at)
	SELECT source, ticket, agreement, metric, ordinal, former, deadline, format('calendar "%s" was edited', calendar),
		CASE asked_role WHEN 'none' THEN session_user ELSE asked_role END, clock_timestamp()
	FROM moved WHERE deadline <> former
	ORDER BY source, ticket, agreement, metric, ordinal;

	-- Where the ticket itself shows its deadline.
	PERFORM sla.refresh_ticket(d.source, d.ticket)
	FROM (SELECT DISTINCT d.source, d.ticket FROM sla.deadline_change AS d WHERE d.changed_at >= now()) AS d
		JOIN sla.source AS s ON s.name = d.source AND s.due_column IS NOT NULL;
	RETURN NULL;
END
$function$;
COMMENT ON FUNCTION sla.calendar_edited() IS 'statement trigger: computes the deadlines of open clocks anew after an edit of their calendar';
REVOKE ALL ON FUNCTION sla.calendar_edited() FROM PUBLIC;
-- Named so that they run after the triggers that tell of the change and stamp the calendar.
CREATE TRIGGER zz_deadlines AFTER INSERT OR UPDATE OR DELETE ON sla.calendar_version
	FOR EACH STATEMENT EXECUTE FUNCTION sla.calendar_edited();
COMMENT ON TRIGGER zz_deadlines ON sla.calendar_version IS 'moves the deadlines of open clocks';
CREATE TRIGGER zz_deadlines AFTER INSERT OR UPDATE OR DELETE ON sla.holiday
	FOR EACH STATEMENT EXECUTE FUNCTION sla.calendar_edited();
COMMENT ON TRIGGER zz_deadlines ON sla.holiday IS 'moves the deadlines of open clocks';

CREATE FUNCTION sla.preview_calendar(
	name           text,
	time_zone      text,
	hours          text,
	holiday_sets   text[] DEFAULT '{}',
	effective_from date DEFAULT NULL,
	OUT source     text,
	OUT ticket     text,
	OUT agreement  text,
	OUT metric     text,
	OUT former     timestamptz,
	OUT deadline   timestamptz,
	OUT late       boolean
) RETURNS SETOF record
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	last_before bigint;
	moved sla.deadline_change[];
BEGIN
	-- The edit is made, looked at and taken back: what it would do is what it does.
	BEGIN
		LOCK TABLE sla.log IN SHARE ROW EXCLUSIVE MODE;
		SELECT coalesce(max(id), 0) INTO last_before FROM sla.deadline_change;
		PERFORM sla.set_calendar(preview_calendar.name, preview_calendar.time_zone, preview_calendar.hours,
			preview_calendar.holiday_sets, preview_calendar.effective_from);
		SELECT array_agg(d ORDER BY d.deadline, d.id) INTO moved FROM sla.deadline_change AS d WHERE d.id > last_before;
		RAISE EXCEPTION USING ERRCODE = 'SLA00', MESSAGE = 'the preview is taken back';
	EXCEPTION WHEN SQLSTATE 'SLA00' THEN
		NULL;
	END;
	RETURN QUERY
		SELECT m.source, m.ticket, m.agreement, m.metric, m.former, m.deadline, m.deadline < now()
		FROM unnest(moved) AS m;
END
$function$;
COMMENT ON FUNCTION sla.preview_calendar(text, text, text, text[], date) IS
	'which deadlines sla.set_calendar() with the same arguments would move, and whether they would have passed by now; changes nothing';
REVOKE ALL ON FUNCTION sla.preview_calendar(text, text, text, text[], date) FROM PUBLIC;

/*
 * tracking.sql
 *		Tracking: which tables are tickets, and what happens to them when a row changes.
 */

CREATE TABLE sla.source (
	name         text PRIMARY KEY,
	ticket_table regclass NOT NULL,
	ticket_key   name NOT NULL,
	department   text,
	agent        text,
	created_at   text NOT NULL DEFAULT 'now()',
	changed_at   text NOT NULL DEFAULT 'now()',
	facts        regclass,
	level_column name,
	due_column   name,
	search_path  text NOT NULL,
	owner        text NOT NULL
);
COMMENT ON TABLE sla.source IS 'tracked kinds of ticket; sla.track writes it';
COMMENT ON COLUMN sla.source.name IS 'name of the source';
COMMENT ON COLUMN sla.source.ticket_table IS 'table of the tickets';
COMMENT ON COLUMN sla.source.ticket_key IS 'its key column';
COMMENT ON COLUMN sla.source.department IS 'expression over a ticket''s row: the department that holds it';
COMMENT ON COLUMN sla.source.agent IS 'expression over a ticket''s row: the agent who holds it';
COMMENT ON COLUMN sla.source.created_at IS 'expression over a ticket''s row: when it was created';
COMMENT ON COLUMN sla.source.changed_at IS 'expression over a ticket''s row: when it was changed';
COMMENT ON COLUMN sla.source.facts IS 'view over which rules run instead of the ticket''s row';
COMMENT ON COLUMN sla.source.level_column IS 'column of the ticket that is kept at the level chosen';
COMMENT ON COLUMN sla.source.due_column IS 'column of the ticket that is kept at the nearest deadline';
COMMENT ON COLUMN sla.source.search_path IS 'search path by which names in the expressions are looked up';
COMMENT ON COLUMN sla.source.owner IS 'role as which functions in the expressions run';

CREATE TABLE sla.source_event (
	source      text NOT NULL REFERENCES sla.source (name) ON UPDATE CASCADE ON DELETE CASCADE,
	on_table    regclass NOT NULL,
	event       text NOT NULL,
	stream      integer NOT NULL,
	condition   text NOT NULL DEFAULT 'true',
	ticket_key  text,
	at          text,
	agent       text,
	search_path text NOT NULL,
	owner       text NOT NULL,
	PRIMARY KEY (source, on_table, event),
	CONSTRAINT source_event_name_check CHECK (event OPERATOR(pg_catalog.<>) '')
);
COMMENT ON TABLE sla.source_event IS 'which row changes are events; sla.track_event writes it';
COMMENT ON COLUMN sla.source_event.source IS 'source whose tickets the events are of';
COMMENT ON COLUMN sla.source_event.on_table IS 'table whose rows tell the event';
COMMENT ON COLUMN sla.source_event.event IS 'the event';
COMMENT ON COLUMN sla.source_event.stream IS 'number of the table among the source''s tables, which its trigger carries: 0 is the ticket table';
COMMENT ON COLUMN sla.source_event.condition IS 'condition over the row: the event happens when it becomes true';
COMMENT ON COLUMN sla.source_event.ticket_key IS 'expression over the row: key of the ticket; NULL on the ticket table itself';
COMMENT ON COLUMN sla.source_event.at IS 'expression over the row: when it happened; NULL: when the row changed';
COMMENT ON COLUMN sla.source_event.agent IS 'expression over the row: who did it';
COMMENT ON COLUMN sla.source_event.search_path IS 'search path by which names in the expressions are looked up';
COMMENT ON COLUMN sla.source_event.owner IS 'role as which functions in the expressions run';

SELECT pg_catalog.pg_extension_config_dump('sla.source', '');
SELECT pg_catalog.pg_extension_config_dump('sla.source_event', '');

CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.source IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.source IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source_event
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.source_event IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source_event
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.source_event IS 'has all sessions read what is tracked again';

CREATE TABLE sla.problem (
	id          bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	source      text NOT NULL,
	ticket      text NOT NULL,
	sqlstate    text NOT NULL,
	message     text NOT NULL,
	context     text,
	happened_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE sla.problem IS 'tickets that went through although their rules failed, as the setting pg_sla.on_rule_error = record allows';
COMMENT ON COLUMN sla.problem.id IS 'order in which they were met';
COMMENT ON COLUMN sla.problem.source IS 'source of the ticket';
COMMENT ON COLUMN sla.problem.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.problem.sqlstate IS 'code of the error';
COMMENT ON COLUMN sla.problem.message IS 'what was wrong';
COMMENT ON COLUMN sla.problem.context IS 'which rule or condition it was';
COMMENT ON COLUMN sla.problem.happened_at IS 'when it was met';
SELECT pg_catalog.pg_extension_config_dump('sla.problem', '');
SELECT pg_catalog.pg_extension_config_dump('sla.problem_id_seq', '');

CREATE FUNCTION sla.track_row() RETURNS trigger
AS 'MODULE_PATHNAME', 'sla_track_row'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION sla.track_row() IS 'trigger: turn a row change into events of a ticket. Arguments: the source, and the number of the table among its tables.';

CREATE FUNCTION sla.track_truncate() RETURNS trigger
AS 'MODULE_PATHNAME', 'sla_track_truncate'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION sla.track_truncate() IS 'trigger: every ticket of the source has been deleted. Argument: the source.';

CREATE FUNCTION sla.check_source(source text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_check_source'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.check_source(text) IS 'an error when an expression, an event or a rule of the source does not fit its tables';
REVOKE ALL ON FUNCTION sla.check_source(text) FROM PUBLIC;

CREATE FUNCTION sla.track(
	source text, ticket_table regclass, ticket_key name,
	department text DEFAULT NULL, agent text DEFAULT NULL,
	created_at text DEFAULT 'now()', changed_at text DEFAULT 'now()',
	facts regclass DEFAULT NULL, level_column name DEFAULT NULL, due_column name DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_track'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.track(text, regclass, name, text, text, text, text, regclass, name, name) IS
	'track a table of tickets as a source, from now on; again with the same source and table: change its expressions';
REVOKE ALL ON FUNCTION sla.track(text, regclass, name, text, text, text, text, regclass, name, name) FROM PUBLIC;

CREATE FUNCTION sla.track_event(
	source text, on_table regclass, event text, condition text DEFAULT 'true',
	ticket_key text DEFAULT NULL, at text DEFAULT NULL, agent text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_track_event'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.track_event(text, regclass, text, text, text, text, text) IS
	'have row changes of a table tell an event of a source''s tickets: it happens when the condition becomes true of a row';
REVOKE ALL ON FUNCTION sla.track_event(text, regclass, text, text, text, text, text) FROM PUBLIC;

CREATE FUNCTION sla.untrack(source text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_untrack'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.untrack(text) IS 'stop tracking a source: its triggers go, its events and its log stay';
REVOKE ALL ON FUNCTION sla.untrack(text) FROM PUBLIC;

CREATE FUNCTION sla.untrack_event(source text, on_table regclass, event text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_untrack_event'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.untrack_event(text, regclass, text) IS 'stop taking an event from a table';
REVOKE ALL ON FUNCTION sla.untrack_event(text, regclass, text) FROM PUBLIC;

CREATE FUNCTION sla.refresh_ticket(source text, ticket text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_refresh_ticket'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.refresh_ticket(text, text) IS 'write the ticket''s level_column and due_column again, if its source has any';
REVOKE ALL ON FUNCTION sla.refresh_ticket(text, text) FROM PUBLIC;

CREATE FUNCTION sla.health(OUT source text, OUT part text, OUT code text, OUT problem text, OUT hint text)
	RETURNS SETOF record
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	s sla.source;
	e record;
BEGIN
	FOR s IN SELECT * FROM sla.source ORDER BY name LOOP
		source := s.name;
		code := NULL;
		hint := NULL;
		IF NOT EXISTS (SELECT FROM pg_class WHERE oid = s.ticket_table) THEN
			part := 'ticket table';
			problem := 'the ticket table has been dropped';
			hint := format('Call sla.untrack(%L).', s.name);
			RETURN NEXT;
			CONTINUE;
		END IF;
		IF s.facts IS NOT NULL AND NOT EXISTS (SELECT FROM pg_class WHERE oid = s.facts) THEN
			part := 'facts';
			problem := 'the facts view has been dropped';
			hint := 'Make it again and call sla.track().';
			RETURN NEXT;
			CONTINUE;
		END IF;
		FOR e IN
			SELECT DISTINCT t.relation, g.tgenabled
			FROM (SELECT s.ticket_table AS relation UNION SELECT on_table FROM sla.source_event AS o WHERE o.source = s.name) AS t
				LEFT JOIN pg_trigger AS g ON g.tgrelid = t.relation
					AND g.tgfoid = 'sla.track_row'::regproc AND split_part(encode(g.tgargs, 'escape'), E'\\000', 1) = s.name
			WHERE g.oid IS NULL OR g.tgenabled = 'D'
		LOOP
			part := format('trigger on %s', e.relation::regclass);
			IF e.tgenabled IS NULL THEN
				problem := 'there is no trigger: changes of this table are not seen';
				hint := 'Call sla.track() or sla.track_event() again.';
			ELSE
				problem := 'the trigger is disabled: changes of this table are not seen';
				hint := format('ALTER TABLE %s ENABLE TRIGGER ALL.', e.relation::regclass);
			END IF;
			RETURN NEXT;
		END LOOP;
		hint := NULL;
		FOR e IN
			SELECT format('rule "%s"', r.name) AS part, r.condition FROM sla.rule AS r WHERE r.source = s.name AND r.active ORDER BY r.position, r.name
		LOOP
			BEGIN
				PERFORM sla.check_condition(coalesce(s.facts, s.ticket_table), e.condition);
			EXCEPTION WHEN OTHERS THEN
				part := e.part;
				GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, problem = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
				hint := nullif(hint, '');
				RETURN NEXT;
			END;
		END LOOP;
		BEGIN
			PERFORM sla.check_source(s.name);
		EXCEPTION WHEN OTHERS THEN
			part := 'source';
			GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, problem = MESSAGE_TEXT, hint = PG_EXCEPTION_CONTEXT;
			RETURN NEXT;
		END;
		code := NULL;
		hint := NULL;
	END LOOP;
END
$function$;
COMMENT ON FUNCTION sla.health() IS 'what is wrong with what is tracked: broken rules and expressions, missing or disabled triggers, dropped tables';
REVOKE ALL ON FUNCTION sla.health() FROM PUBLIC;

/*
 * report.sql
 *		Reports: views over the log, as of sla.now().
 */

CREATE VIEW sla.log_report AS
SELECT l.source,
	l.metric AS request,
	l.ticket,
	l.department,
	l.agent,
	l.level,
	l.agreement,
	l.started_at AS sla_started,
	l.deadline,
	l.closed_at AS closed,
	s.state,
	CASE
		-- A calendar that never opens again leaves more time than can be told.
		WHEN NOT pg_catalog.isfinite(l.deadline) THEN NULL
		WHEN l.running_since IS NOT NULL THEN sla.business_time(l.calendar, n.now, l.deadline)
		-- A clock that stood still counted until its last stretch ended, by the
		-- deadline as it was then.
		WHEN pg_catalog.isempty(l.counted) THEN sla.business_time(l.calendar, l.started_at,
			sla.add_business_time(l.calendar, l.started_at, l.goal))
		WHEN pg_catalog.upper(l.counted) OPERATOR(pg_catalog.=) l.closed_at
			THEN sla.business_time(l.calendar, l.closed_at, l.deadline)
		ELSE sla.business_time(l.calendar, pg_catalog.upper(l.counted),
			sla.clock_deadline(l.calendar, l.started_at, l.goal, l.counted, NULL))
	END AS sla,
	e.elapsed,
	l.goal,
	l.reason,
	l.cycle,
	l.calendar,
	l.id
FROM sla.log AS l
	CROSS JOIN (SELECT sla.now() AS now OFFSET 0) AS n
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN l.outcome IS NOT NULL THEN l.outcome
			WHEN sla.clock_missed(l.deadline, l.counted, l.running_since, n.now) THEN 'overdue'
			WHEN l.running_since IS NULL THEN 'paused'
			ELSE 'running'
		END AS state) AS s
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN l.running_since IS NULL THEN l.elapsed
			ELSE l.elapsed OPERATOR(pg_catalog.+) sla.business_time(l.calendar, l.running_since, GREATEST(n.now, l.running_since))
		END AS elapsed) AS e;
COMMENT ON VIEW sla.log_report IS 'the SLA log as of sla.now(): a row for each clock';
COMMENT ON COLUMN sla.log_report.source IS 'source of the ticket';
COMMENT ON COLUMN sla.log_report.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.log_report.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.log_report.department IS 'department that held the ticket when the verdict fell, or holds it';
COMMENT ON COLUMN sla.log_report.agent IS 'agent who held the ticket when the verdict fell, or holds it';
COMMENT ON COLUMN sla.log_report.level IS 'SLA level';
COMMENT ON COLUMN sla.log_report.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.log_report.sla_started IS 'when the clock started';
COMMENT ON COLUMN sla.log_report.deadline IS 'when the goal is used up; of a paused clock, as of its pauses that have ended';
COMMENT ON COLUMN sla.log_report.closed IS 'when the clock ended';
COMMENT ON COLUMN sla.log_report.state IS 'running, paused, overdue, met, missed, cancelled or superseded';
COMMENT ON COLUMN sla.log_report.sla IS 'business time left until the deadline; negative when overdue';
COMMENT ON COLUMN sla.log_report.elapsed IS 'business time counted so far';
COMMENT ON COLUMN sla.log_report.goal IS 'business time promised';
COMMENT ON COLUMN sla.log_report.reason IS 'why it was cancelled or superseded, or ended after having been missed';
COMMENT ON COLUMN sla.log_report.cycle IS 'which run of the metric on the ticket';
COMMENT ON COLUMN sla.log_report.calendar IS 'calendar by which time counts';
COMMENT ON COLUMN sla.log_report.id IS 'number of the row in sla.log';

CREATE VIEW sla.verdict AS
SELECT l.source, l.ticket, l.agreement, l.level, l.metric, l.cycle, l.department, l.agent, l.calendar,
	v.verdict,
	v.decided_at,
	CASE WHEN l.closed_at OPERATOR(pg_catalog.<=) n.now THEN l.elapsed END AS elapsed
FROM sla.log AS l
	CROSS JOIN (SELECT sla.now() AS now OFFSET 0) AS n
	CROSS JOIN LATERAL (
		SELECT CASE WHEN l.outcome OPERATOR(pg_catalog.=) 'met' THEN 'met' ELSE 'missed' END AS verdict,
			CASE WHEN l.outcome OPERATOR(pg_catalog.=) 'met' THEN l.closed_at ELSE l.deadline END AS decided_at
	) AS v
WHERE (l.outcome OPERATOR(pg_catalog.=) ANY ('{met,missed}'::text[])
		OR (l.outcome IS NULL AND sla.clock_missed(l.deadline, l.counted, l.running_since, n.now)))
	AND v.decided_at OPERATOR(pg_catalog.<=) n.now;
COMMENT ON VIEW sla.verdict IS 'clocks with a verdict as of sla.now(). A clock past its deadline is missed from that instant, whether it has ended or not.';
COMMENT ON COLUMN sla.verdict.source IS 'source of the ticket';
COMMENT ON COLUMN sla.verdict.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.verdict.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.verdict.level IS 'SLA level';
COMMENT ON COLUMN sla.verdict.metric IS 'what is timed';
COMMENT ON COLUMN sla.verdict.cycle IS 'which run of the metric on the ticket';
COMMENT ON COLUMN sla.verdict.department IS 'department that held the ticket when the verdict fell';
COMMENT ON COLUMN sla.verdict.agent IS 'agent who held the ticket when the verdict fell';
COMMENT ON COLUMN sla.verdict.calendar IS 'calendar by which time counts';
COMMENT ON COLUMN sla.verdict.verdict IS 'met or missed';
COMMENT ON COLUMN sla.verdict.decided_at IS 'when it fell: the stop for met, the deadline for missed';
COMMENT ON COLUMN sla.verdict.elapsed IS 'business time from start to stop; NULL until it has ended';

CREATE VIEW sla.compliance_report AS
SELECT sla.local_date(v.calendar, v.decided_at) AS day,
	v.source,
	v.department,
	v.agent,
	v.level,
	v.metric AS request,
	pg_catalog.count(*) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'met') AS met,
	pg_catalog.avg(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'met') AS met_avg,
	pg_catalog.max(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'met') AS met_max,
	pg_catalog.min(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'met') AS met_min,
	pg_catalog.count(*) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'missed') AS missed,
	pg_catalog.avg(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'missed') AS missed_avg,
	pg_catalog.max(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'missed') AS missed_max,
	pg_catalog.min(v.elapsed) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'missed') AS missed_min,
	pg_catalog.round(100.0 OPERATOR(pg_catalog.*) pg_catalog.count(*) FILTER (WHERE v.verdict OPERATOR(pg_catalog.=) 'met')
		OPERATOR(pg_catalog./) pg_catalog.count(*), 2) AS compliance
FROM sla.verdict AS v
GROUP BY 1, 2, 3, 4, 5, 6;
COMMENT ON VIEW sla.compliance_report IS 'met and missed as of sla.now(), by the day on which the verdict fell, in the calendar''s time zone. Times are business time from start to stop, of clocks that have ended.';
COMMENT ON COLUMN sla.compliance_report.day IS 'local day of the verdict: of the stop for met, of the deadline for missed';
COMMENT ON COLUMN sla.compliance_report.source IS 'source of the tickets';
COMMENT ON COLUMN sla.compliance_report.department IS 'department that held the ticket when the verdict fell';
COMMENT ON COLUMN sla.compliance_report.agent IS 'agent who held the ticket when the verdict fell';
COMMENT ON COLUMN sla.compliance_report.level IS 'SLA level';
COMMENT ON COLUMN sla.compliance_report.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.compliance_report.met IS 'clocks stopped at or before their deadline';
COMMENT ON COLUMN sla.compliance_report.met_avg IS 'average time of the met';
COMMENT ON COLUMN sla.compliance_report.met_max IS 'longest time of the met';
COMMENT ON COLUMN sla.compliance_report.met_min IS 'shortest time of the met';
COMMENT ON COLUMN sla.compliance_report.missed IS 'clocks whose deadline passed, ended or not';
COMMENT ON COLUMN sla.compliance_report.missed_avg IS 'average time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.missed_max IS 'longest time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.missed_min IS 'shortest time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.compliance IS 'met in percent of met and missed';

CREATE VIEW sla.queue AS
SELECT r.source, r.ticket, r.request, r.department, r.agent, r.level, r.agreement,
	r.sla_started, r.deadline, r.state, r.sla, r.elapsed, r.goal, r.id
FROM sla.log_report AS r
WHERE r.closed IS NULL
ORDER BY r.deadline, r.source, r.ticket, r.request;
COMMENT ON VIEW sla.queue IS 'open clocks as of sla.now(), nearest deadline first';
COMMENT ON COLUMN sla.queue.source IS 'source of the ticket';
COMMENT ON COLUMN sla.queue.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.queue.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.queue.department IS 'department that holds the ticket';
COMMENT ON COLUMN sla.queue.agent IS 'agent who holds the ticket';
COMMENT ON COLUMN sla.queue.level IS 'SLA level';
COMMENT ON COLUMN sla.queue.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.queue.sla_started IS 'when the clock started';
COMMENT ON COLUMN sla.queue.deadline IS 'when the goal is used up; of a paused clock, as of its pauses that have ended';
COMMENT ON COLUMN sla.queue.state IS 'running, paused or overdue';
COMMENT ON COLUMN sla.queue.sla IS 'business time left until the deadline; negative when overdue';
COMMENT ON COLUMN sla.queue.elapsed IS 'business time counted so far';
COMMENT ON COLUMN sla.queue.goal IS 'business time promised';
COMMENT ON COLUMN sla.queue.id IS 'number of the row in sla.log';

CREATE VIEW sla.calendar_health AS
SELECT c.calendar,
	c.holiday_set,
	h.days,
	h.known_until,
	s.imported_at,
	b.deadlines AS deadlines_beyond,
	CASE
		WHEN h.days OPERATOR(pg_catalog.=) 0 THEN 'empty'
		WHEN h.known_until OPERATOR(pg_catalog.<=) sla.local_date(c.calendar, sla.now()) THEN 'over'
		WHEN b.deadlines OPERATOR(pg_catalog.>) 0 THEN 'too short'
		ELSE 'good'
	END AS state
FROM (
		SELECT DISTINCT v.calendar, u.holiday_set
		FROM sla.calendar_version AS v CROSS JOIN LATERAL pg_catalog.unnest(v.holiday_sets) AS u (holiday_set)
	) AS c
	JOIN sla.holiday_set AS s ON s.name OPERATOR(pg_catalog.=) c.holiday_set
	CROSS JOIN LATERAL (
		SELECT pg_catalog.count(*) AS days, COALESCE(s.known_to, pg_catalog.max(d.day) OPERATOR(pg_catalog.+) 1) AS known_until
		FROM sla.holiday AS d WHERE d.holiday_set OPERATOR(pg_catalog.=) c.holiday_set
	) AS h
	CROSS JOIN LATERAL (
		SELECT pg_catalog.count(*) AS deadlines FROM sla.log AS l
		WHERE l.calendar OPERATOR(pg_catalog.=) c.calendar AND l.closed_at IS NULL
			AND pg_catalog.isfinite(l.deadline) AND sla.local_date(l.calendar, l.deadline) OPERATOR(pg_catalog.>=) h.known_until
	) AS b;
COMMENT ON VIEW sla.calendar_health IS 'until when the holidays of each calendar are known, and which open deadlines lie beyond';
COMMENT ON COLUMN sla.calendar_health.calendar IS 'the calendar';
COMMENT ON COLUMN sla.calendar_health.holiday_set IS 'a holiday set that one of its versions uses';
COMMENT ON COLUMN sla.calendar_health.days IS 'how many days the set has';
COMMENT ON COLUMN sla.calendar_health.known_until IS 'day before which its holidays are known: the end of what was imported, else the day after its last';
COMMENT ON COLUMN sla.calendar_health.imported_at IS 'when a feed was last imported; NULL: it was written by hand';
COMMENT ON COLUMN sla.calendar_health.deadlines_beyond IS 'open clocks of the calendar whose deadline lies later';
COMMENT ON COLUMN sla.calendar_health.state IS 'good; empty: it has no day; over: nothing is known any more; too short: open deadlines lie beyond';
