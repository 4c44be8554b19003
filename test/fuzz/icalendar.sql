-- libfuzzer: -max_len=4096
-- iCalendar texts: holidays, the import, opening hours.
--
-- What is read lies in the days asked for and is what a holiday can have; a second import of the same text changes
-- nothing; opening hours that were read are read again from what is written of them.

CREATE FUNCTION fuzz.icalendar(message bytea) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	ics CONSTANT text := convert_from(message, 'UTF8');
	first CONSTANT date := '2026-01-01';
	last CONSTANT date := '2027-02-01';
	-- what all days of the text that is written below have
	inside CONSTANT tstzrange := '[2026-01-03,2026-01-29)';
	s sla.schedule;
	n bigint;
	again record;
BEGIN
	BEGIN
		SELECT count(*) INTO n FROM sla.ics_holidays(ics, first, last, 'Europe/Oslo') AS h
		WHERE h.day < first OR h.day >= last OR h.uid IS NULL
			OR ('UTC: 24/7 holidays 2026-01-01 ' || h.hours)::sla.schedule IS NULL;
		IF n > 0 THEN
			RAISE 'days that were not asked for' USING ERRCODE = 'internal_error';
		END IF;
		SELECT i.added INTO n FROM sla.import_holidays('fuzz', ics, first, last, 'Europe/Oslo') AS i;
		SELECT i.* INTO again FROM sla.import_holidays('fuzz', ics, first, last, 'Europe/Oslo') AS i;
		IF again.added <> 0 OR again.removed <> 0 OR again.kept <> n THEN
			RAISE 'a second import changes something: % %', n, again USING ERRCODE = 'internal_error';
		END IF;
		DELETE FROM sla.holiday WHERE holiday_set = 'fuzz';
	EXCEPTION
		-- What holidays cannot be may still be opening hours.
		WHEN invalid_text_representation OR invalid_parameter_value OR feature_not_supported OR program_limit_exceeded THEN
			NULL;
	END;

	s := sla.ics_schedule(ics, 'Europe/Oslo');
	IF s::text::sla.schedule <> s THEN
		RAISE 'not read again as the same: %', s USING ERRCODE = 'internal_error';
	END IF;
	IF NOT isempty(sla.open_hours(s, inside))
		AND sla.open_hours(sla.ics_schedule(sla.to_ics(s, first, first + 30)), inside) <> sla.open_hours(s, inside) THEN
		RAISE 'not read again as it was written: %', s USING ERRCODE = 'internal_error';
	END IF;
	RETURN true;
END
$$;
