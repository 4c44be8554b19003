/*
 * as_of.sql
 *		The log as it was known at sla.now(): what all reports read.
 *
 * Functions in SQL and not views, and views over functions, because what a view
 * reads is read with the rights of the view's owner: these are inlined, and
 * the reader's own rights and row-level security count, in every version of
 * the server.
 */

CREATE FUNCTION sla.as_of_support(internal) RETURNS internal
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_as_of_support';
COMMENT ON FUNCTION sla.as_of_support(internal) IS
	'tells the planner what need not be asked while pg_sla.now is not set';

CREATE FUNCTION sla.log_as_of() RETURNS SETOF sla.log
	LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1000 COST 10000
	AS 'MODULE_PATHNAME', 'sla_log_as_of';
COMMENT ON FUNCTION sla.log_as_of() IS
	'the clocks of tickets that have changed since pg_sla.now, as they were then; none while it is not set';

CREATE FUNCTION sla.in_log_now(replayed boolean, source text, ticket text) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 1 SUPPORT sla.as_of_support
	AS 'MODULE_PATHNAME', 'sla_in_log_now';
COMMENT ON FUNCTION sla.in_log_now(boolean, text, text) IS
	'does a row of sla.log_as_of() (replayed) or of sla.log count as of sla.now()?';

CREATE FUNCTION sla.was_known(source text, recorded_at timestamptz) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 1 SUPPORT sla.as_of_support
	AS 'MODULE_PATHNAME', 'sla_was_known';
COMMENT ON FUNCTION sla.was_known(text, timestamptz) IS
	'does what was recorded about a source at an instant count as of sla.now()?';

CREATE FUNCTION sla.log_now() RETURNS SETOF sla.log
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT u.id, u.source, u.ticket, u.agreement, u.level, u.metric, u.ordinal, u.cycle, u.calendar, u.department, u.agent, u.goal,
		u.started_at, u.counted, u.running_since, u.deadline, u.closed_at, u.outcome, u.reason, u.elapsed, u.computed_at,
		u.deadline_excluded, u.fixed
	FROM (
		SELECT false AS replayed, l.id, l.source, l.ticket, l.agreement, l.level, l.metric, l.ordinal, l.cycle, l.calendar,
			l.department, l.agent, l.goal, l.started_at, l.counted, l.running_since, l.deadline, l.closed_at, l.outcome, l.reason,
			l.elapsed, l.computed_at, l.deadline_excluded, l.fixed
		FROM sla.log AS l
		UNION ALL
		SELECT true, a.id, a.source, a.ticket, a.agreement, a.level, a.metric, a.ordinal, a.cycle, a.calendar,
			a.department, a.agent, a.goal, a.started_at, a.counted, a.running_since, a.deadline, a.closed_at, a.outcome, a.reason,
			a.elapsed, a.computed_at, a.deadline_excluded, a.fixed
		FROM sla.log_as_of() AS a
	) AS u
	WHERE sla.in_log_now(u.replayed, u.source, u.ticket);
END;
COMMENT ON FUNCTION sla.log_now() IS 'sla.log as it was known at sla.now()';

CREATE FUNCTION sla.excuse_now() RETURNS SETOF sla.excuse
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT x.source, x.ticket, x.agreement, x.metric, x.missed_at, x.reason, x.excused_by, x.excused_at,
		x.id, x.revoked_at, x.revoked_by
	FROM sla.excuse AS x
	WHERE sla.was_known(x.source, x.excused_at)
		AND (x.revoked_at IS NULL OR NOT sla.was_known(x.source, x.revoked_at));
END;
COMMENT ON FUNCTION sla.excuse_now() IS 'the excuses of sla.excuse that held at sla.now(), as far as was known';

-- Of several excuses that came to belong to one clock, the one for the latest instant.
CREATE FUNCTION sla.excuses(
	missed_at timestamptz, source text, ticket text, agreement text, metric text, ordinal integer,
	started_at timestamptz, counted tstzmultirange, running_since timestamptz, closed_at timestamptz)
RETURNS boolean
	LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN sla.was_open(missed_at, source, ticket, agreement, metric, ordinal, started_at, counted, running_since, closed_at)
	AND NOT EXISTS (
		SELECT FROM sla.excuse AS x
		WHERE x.source OPERATOR(pg_catalog.=) excuses.source AND x.ticket OPERATOR(pg_catalog.=) excuses.ticket
			AND x.agreement OPERATOR(pg_catalog.=) excuses.agreement AND x.metric OPERATOR(pg_catalog.=) excuses.metric
			AND x.missed_at OPERATOR(pg_catalog.>) excuses.missed_at
			AND (excuses.closed_at IS NULL OR x.missed_at OPERATOR(pg_catalog.<) excuses.closed_at)
			AND sla.was_known(x.source, x.excused_at)
			AND (x.revoked_at IS NULL OR NOT sla.was_known(x.source, x.revoked_at)));
COMMENT ON FUNCTION sla.excuses(timestamptz, text, text, text, text, integer, timestamptz, tstzmultirange, timestamptz, timestamptz) IS
	'does the excuse for that instant, of the same ticket, agreement and metric, belong to the row of sla.log with these columns?';
REVOKE ALL ON FUNCTION sla.excuses(timestamptz, text, text, text, text, integer, timestamptz, tstzmultirange, timestamptz, timestamptz) FROM PUBLIC;
