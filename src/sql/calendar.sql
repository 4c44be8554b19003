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
	time_zone      text,
	hours          text,
	holiday_sets   text[] NOT NULL DEFAULT '{}',
	-- Looked at once more at the end of a transaction: one command may delete a
	-- calendar and those derived from it, in any order.
	base           text REFERENCES sla.calendar (name) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	PRIMARY KEY (calendar, effective_from),
	CONSTRAINT calendar_version_base_check
		CHECK (base IS NOT NULL OR (time_zone IS NOT NULL AND hours IS NOT NULL)),
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
COMMENT ON COLUMN sla.calendar_version.time_zone IS 'name of a time zone, as in pg_timezone_names; NULL: the base''s';
COMMENT ON COLUMN sla.calendar_version.hours IS
	'opening hours, as in Mo-Fr 08:00-16:00; Dec 24 08:00-12:00. With a base: later rules than its own; NULL: none';
COMMENT ON COLUMN sla.calendar_version.holiday_sets IS 'names of holiday sets whose days are holidays, beside the base''s';
COMMENT ON COLUMN sla.calendar_version.base IS
	'the calendar that it is derived from: each day has what that one says of it, with the differences of this version. NULL: none';

CREATE INDEX calendar_version_base_idx ON sla.calendar_version (base) WHERE base IS NOT NULL;

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
	'off: closed, unless the opening hours have a rule for PH; closed: whatever they say; the times open on that day, as in 08:00-12:00,13:00-14:00; what is closed of its usual hours, as in off 12:00-13:00; or open: nothing is';
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
	'row trigger: refuses unknown time zones, opening hours that cannot be read or, without holidays, are never open';

CREATE FUNCTION sla.check_holiday() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_check_holiday';
COMMENT ON FUNCTION sla.check_holiday() IS
	'row trigger: refuses holidays out of range, and hours that cannot be read';

CREATE FUNCTION sla.check_calendar(name text) RETURNS void
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_check_calendar';
COMMENT ON FUNCTION sla.check_calendar(text) IS
	'refuses a calendar that is derived from itself or is never open';

CREATE TRIGGER calendar_version_check BEFORE INSERT OR UPDATE ON sla.calendar_version
	FOR EACH ROW EXECUTE FUNCTION sla.check_calendar_version();
COMMENT ON TRIGGER calendar_version_check ON sla.calendar_version IS 'checks the version';
CREATE TRIGGER holiday_check BEFORE INSERT OR UPDATE ON sla.holiday
	FOR EACH ROW EXECUTE FUNCTION sla.check_holiday();
COMMENT ON TRIGGER holiday_check ON sla.holiday IS 'checks the holiday';

-- A calendar from which others are derived is not deleted without them.

CREATE FUNCTION sla.keep_base() RETURNS trigger
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	orphan record;
BEGIN
	SELECT v.base, string_agg(DISTINCT v.calendar, ', ' ORDER BY v.calendar) AS calendars INTO orphan
	FROM sla.calendar_version AS v
	WHERE v.base IN (SELECT gone.name FROM gone) AND NOT EXISTS (SELECT FROM sla.calendar AS c WHERE c.name = v.base)
	GROUP BY v.base ORDER BY v.base LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION USING
			ERRCODE = 'foreign_key_violation',
			MESSAGE = format('calendar "%s" is the base of another', orphan.base),
			DETAIL = format('Derived from it: %s.', orphan.calendars),
			HINT = 'Give those another base, or none, with sla.set_calendar().';
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.keep_base() IS
	'statement trigger: a calendar from which another is derived is not deleted';
CREATE TRIGGER calendar_keep_base AFTER DELETE ON sla.calendar
	REFERENCING OLD TABLE AS gone
	FOR EACH STATEMENT EXECUTE FUNCTION sla.keep_base();
COMMENT ON TRIGGER calendar_keep_base ON sla.calendar IS 'keeps calendars that are in use';

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

CREATE FUNCTION sla.stamp_calendars(calendars text[], holiday_sets text[]) RETURNS void
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sla_stamp_calendars';
COMMENT ON FUNCTION sla.stamp_calendars(text[], text[]) IS
	'notes that calendars changed now, those that use one of the holiday sets, NULL: any, and those derived from them';
REVOKE ALL ON FUNCTION sla.stamp_calendars(text[], text[]) FROM PUBLIC;

CREATE FUNCTION sla.touch_calendars() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM sla.stamp_calendars('{}', NULL);
	ELSIF TG_TABLE_NAME = 'calendar_version' THEN
		PERFORM sla.stamp_calendars(ARRAY(SELECT DISTINCT t.calendar FROM touched AS t), '{}');
	ELSE
		PERFORM sla.stamp_calendars('{}', ARRAY(SELECT DISTINCT t.holiday_set FROM touched AS t));
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION sla.touch_calendars() IS
	'statement trigger: notes when the calendars of the rows "touched" changed, or of all holidays that are truncated, and those derived from them';
REVOKE ALL ON FUNCTION sla.touch_calendars() FROM PUBLIC;
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
CREATE TRIGGER holiday_truncated AFTER TRUNCATE ON sla.holiday
	FOR EACH STATEMENT EXECUTE FUNCTION sla.touch_calendars();
COMMENT ON TRIGGER holiday_truncated ON sla.holiday IS 'sets calendar.changed_at';

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
	description    text DEFAULT NULL,
	base           text DEFAULT NULL
) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
	missing text;
BEGIN
	IF coalesce(set_calendar.name, '') = ''
		OR (set_calendar.base IS NULL AND (set_calendar.time_zone IS NULL OR set_calendar.hours IS NULL)) THEN
		RAISE EXCEPTION USING
			ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'a calendar needs a name, a time zone and opening hours',
			HINT = 'Write for example sla.set_calendar(''support'', ''Europe/Oslo'', ''Mo-Fr 08:00-16:00'').';
	END IF;

	IF NOT EXISTS (SELECT FROM sla.calendar AS known WHERE known.name = set_calendar.base)
		AND set_calendar.base <> set_calendar.name THEN
		RAISE EXCEPTION USING
			ERRCODE = 'undefined_object',
			MESSAGE = format('calendar "%s" does not exist', set_calendar.base),
			HINT = 'Make it with sla.set_calendar() first.';
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

	INSERT INTO sla.calendar_version (calendar, effective_from, time_zone, hours, holiday_sets, base)
	VALUES (set_calendar.name, coalesce(set_calendar.effective_from, '-infinity'), set_calendar.time_zone,
			set_calendar.hours, coalesce(set_calendar.holiday_sets, '{}'), set_calendar.base)
	ON CONFLICT (calendar, effective_from) DO UPDATE
	SET time_zone = excluded.time_zone, hours = excluded.hours, holiday_sets = excluded.holiday_sets, base = excluded.base;
END
$$;
COMMENT ON FUNCTION sla.set_calendar(text, text, text, text[], date, text, text) IS
	'makes a calendar, or replaces its version from that date on (from the beginning when NULL); with a base, hours and holiday sets are what it differs in from that calendar';

CREATE VIEW sla.calendar_history AS
SELECT v.calendar,
	v.effective_from,
	pg_catalog.lead(v.effective_from) OVER (PARTITION BY v.calendar ORDER BY v.effective_from) AS effective_until,
	v.time_zone,
	v.hours,
	v.holiday_sets,
	v.base
FROM sla.calendar_version AS v;
COMMENT ON VIEW sla.calendar_history IS 'the versions of each calendar, with the days on which they are in force';
COMMENT ON COLUMN sla.calendar_history.calendar IS 'the calendar';
COMMENT ON COLUMN sla.calendar_history.effective_from IS 'first local date on which the version is in force; -infinity: from the beginning';
COMMENT ON COLUMN sla.calendar_history.effective_until IS 'first local date on which the next one is; NULL: none follows';
COMMENT ON COLUMN sla.calendar_history.time_zone IS 'name of a time zone; NULL: the base''s';
COMMENT ON COLUMN sla.calendar_history.hours IS 'opening hours; with a base, those that differ from it';
COMMENT ON COLUMN sla.calendar_history.holiday_sets IS 'names of holiday sets whose days are holidays, beside the base''s';
COMMENT ON COLUMN sla.calendar_history.base IS 'the calendar that the version is derived from; NULL: none';
