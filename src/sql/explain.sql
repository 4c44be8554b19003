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
