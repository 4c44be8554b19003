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
