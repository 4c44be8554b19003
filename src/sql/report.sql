/*
 * report.sql
 *		Reports: the log, work lists and verdicts, as of sla.now().
 */

-- The instant at which a verdict fell, or will fall unless something happens.
CREATE INDEX log_verdict_idx ON sla.log ((CASE WHEN outcome OPERATOR(pg_catalog.=) 'met' THEN closed_at ELSE deadline END));

CREATE FUNCTION sla.clock_time_left(
	calendar text, started_at timestamptz, goal interval, counted tstzmultirange, running_since timestamptz,
	deadline timestamptz, closed_at timestamptz, as_of timestamptz, fixed boolean, deadline_excluded boolean)
RETURNS interval
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE
	-- A calendar that never opens again leaves more time than can be told.
	WHEN NOT pg_catalog.isfinite(deadline) THEN NULL
	WHEN running_since IS NOT NULL THEN sla.business_time(calendar, as_of, deadline)
	-- One that was set by hand does not wait for a clock that stands still.
	WHEN fixed THEN sla.business_time(calendar, COALESCE(closed_at, as_of), deadline)
	-- A clock that stood still counted until its last stretch ended, by the
	-- deadline as it was then.
	WHEN pg_catalog.isempty(counted) THEN sla.business_time(calendar, started_at,
		sla.add_business_time(calendar, started_at, goal))
	WHEN pg_catalog.upper(counted) OPERATOR(pg_catalog.=) closed_at
		THEN sla.business_time(calendar, closed_at, deadline)
	ELSE sla.business_time(calendar, pg_catalog.upper(counted),
		sla.clock_deadline(calendar, started_at, goal, counted, NULL, NULL, deadline_excluded))
END;
COMMENT ON FUNCTION sla.clock_time_left(text, timestamptz, interval, tstzmultirange, timestamptz, timestamptz, timestamptz, timestamptz, boolean, boolean) IS
	'business time from the instant until which a clock counted to its deadline; negative when that had passed, NULL when there is no end to it';

CREATE FUNCTION sla.clock_pauses(
	started_at timestamptz, counted tstzmultirange, running_since timestamptz, closed_at timestamptz, as_of timestamptz)
RETURNS tstzmultirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.tstzmultirange(pg_catalog.tstzrange(started_at, COALESCE(closed_at, GREATEST(as_of, started_at))))
	OPERATOR(pg_catalog.-) (counted OPERATOR(pg_catalog.+) CASE
		WHEN running_since OPERATOR(pg_catalog.<) as_of THEN pg_catalog.tstzmultirange(pg_catalog.tstzrange(running_since, as_of))
		ELSE '{}'::tstzmultirange
	END);
COMMENT ON FUNCTION sla.clock_pauses(timestamptz, tstzmultirange, timestamptz, timestamptz, timestamptz) IS
	'the stretches of a clock''s life that did not count';

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
	sla.clock_time_left(l.calendar, l.started_at, l.goal, l.counted, l.running_since, l.deadline, l.closed_at, n.now, l.fixed, l.deadline_excluded) AS sla,
	e.elapsed,
	l.goal,
	l.reason,
	l.cycle,
	l.calendar,
	l.id,
	COALESCE(l.closed_at, GREATEST(n.now, l.started_at)) OPERATOR(pg_catalog.-) l.started_at AS elapsed_calendar,
	pg_catalog.round(100 OPERATOR(pg_catalog.*) EXTRACT(epoch FROM e.elapsed)
		OPERATOR(pg_catalog./) NULLIF(EXTRACT(epoch FROM a.allowed), 0), 2) AS goal_used,
	sla.business_time(l.calendar, sla.clock_pauses(l.started_at, l.counted, l.running_since, l.closed_at, n.now)) AS paused,
	(SELECT COALESCE(pg_catalog.sum(pg_catalog.upper(r) OPERATOR(pg_catalog.-) pg_catalog.lower(r)), '0'::interval)
		FROM pg_catalog.unnest(sla.clock_pauses(l.started_at, l.counted, l.running_since, l.closed_at, n.now)) AS r) AS paused_calendar,
	x.source IS NOT NULL AND s.state OPERATOR(pg_catalog.=) ANY ('{missed,overdue}'::text[]) AS excused,
	CASE WHEN s.state OPERATOR(pg_catalog.=) ANY ('{missed,overdue}'::text[]) THEN x.reason END AS excuse,
	CASE WHEN s.state OPERATOR(pg_catalog.=) ANY ('{missed,overdue}'::text[]) THEN x.excused_by END AS excused_by,
	CASE WHEN s.state OPERATOR(pg_catalog.=) ANY ('{missed,overdue}'::text[]) THEN x.excused_at END AS excused_at,
	l.ordinal
FROM sla.log_now() AS l
	CROSS JOIN (SELECT sla.now() AS now OFFSET 0) AS n
	LEFT JOIN sla.excuse_now() AS x
		ON x.source OPERATOR(pg_catalog.=) l.source AND x.ticket OPERATOR(pg_catalog.=) l.ticket AND x.agreement OPERATOR(pg_catalog.=) l.agreement AND x.metric OPERATOR(pg_catalog.=) l.metric
			AND sla.excuses(x.missed_at, l.source, l.ticket, l.agreement, l.metric, l.ordinal, l.started_at, l.counted, l.running_since, l.closed_at)
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN l.outcome IS NOT NULL THEN l.outcome
			WHEN sla.clock_missed(l.deadline, l.counted, l.running_since, n.now, l.deadline_excluded, l.fixed) THEN 'overdue'
			WHEN l.running_since IS NULL THEN 'paused'
			ELSE 'running'
		END AS state) AS s
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN l.running_since IS NULL THEN l.elapsed
			ELSE l.elapsed OPERATOR(pg_catalog.+) sla.business_time(l.calendar, l.running_since, GREATEST(n.now, l.running_since))
		END AS elapsed) AS e
	CROSS JOIN LATERAL (
		SELECT CASE
			WHEN EXTRACT(day FROM l.goal) OPERATOR(pg_catalog.=) 0 THEN l.goal
			WHEN pg_catalog.isfinite(sla.add_business_time(l.calendar, l.started_at, l.goal))
				THEN sla.business_time(l.calendar, l.started_at, sla.add_business_time(l.calendar, l.started_at, l.goal))
		END AS allowed) AS a;
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
COMMENT ON COLUMN sla.log_report.elapsed_calendar IS 'time from the start to the end, or to now, by the clock on the wall';
COMMENT ON COLUMN sla.log_report.goal_used IS 'elapsed business time in percent of the business time promised; more than 100 when overdue';
COMMENT ON COLUMN sla.log_report.paused IS 'business time that did not count, from the start to the end, or to now';
COMMENT ON COLUMN sla.log_report.paused_calendar IS 'time that did not count, from the start to the end, or to now, by the clock on the wall';
COMMENT ON COLUMN sla.log_report.excused IS 'is the missed deadline excused?';
COMMENT ON COLUMN sla.log_report.excuse IS 'why it is excused';
COMMENT ON COLUMN sla.log_report.excused_by IS 'the role that excused it';
COMMENT ON COLUMN sla.log_report.excused_at IS 'when it was excused';
COMMENT ON COLUMN sla.log_report.ordinal IS 'number of the clock among those of the ticket, agreement and metric';

CREATE VIEW sla.verdict AS
SELECT l.source, l.ticket, l.agreement, l.level, l.metric, l.cycle, l.department, l.agent, l.calendar,
	-- Time alone makes it: past its deadline a clock is missed, whether it has ended or not.
	COALESCE(l.outcome, 'missed') AS verdict,
	CASE WHEN l.outcome OPERATOR(pg_catalog.=) 'met' THEN l.closed_at ELSE l.deadline END AS decided_at,
	CASE WHEN l.closed_at OPERATOR(pg_catalog.<=) sla.now() THEN l.elapsed END AS elapsed,
	CASE WHEN l.outcome OPERATOR(pg_catalog.=) 'missed' AND l.closed_at OPERATOR(pg_catalog.<=) sla.now() THEN
		'0'::interval OPERATOR(pg_catalog.-)
		sla.clock_time_left(l.calendar, l.started_at, l.goal, l.counted, NULL, l.deadline, l.closed_at, NULL, l.fixed, l.deadline_excluded)
	END AS overrun,
	x.source IS NOT NULL AND l.outcome IS DISTINCT FROM 'met' AS excused,
	l.ordinal,
	l.id,
	l.started_at,
	l.closed_at,
	l.goal,
	l.reason,
	CASE
		WHEN l.running_since IS NULL THEN l.elapsed
		ELSE l.elapsed OPERATOR(pg_catalog.+) sla.business_time(l.calendar, l.running_since, GREATEST(sla.now(), l.running_since))
	END AS time_counted,
	CASE WHEN l.outcome IS DISTINCT FROM 'met' THEN
		'0'::interval OPERATOR(pg_catalog.-)
		sla.clock_time_left(l.calendar, l.started_at, l.goal, l.counted, l.running_since, l.deadline, l.closed_at, sla.now(), l.fixed, l.deadline_excluded)
	END AS late_by,
	CASE WHEN l.outcome IS DISTINCT FROM 'met' THEN x.reason END AS excuse,
	CASE WHEN l.outcome IS DISTINCT FROM 'met' THEN x.excused_by END AS excused_by,
	CASE WHEN l.outcome IS DISTINCT FROM 'met' THEN x.excused_at END AS excused_at
FROM sla.log_now() AS l
	LEFT JOIN sla.excuse_now() AS x
		ON x.source OPERATOR(pg_catalog.=) l.source AND x.ticket OPERATOR(pg_catalog.=) l.ticket AND x.agreement OPERATOR(pg_catalog.=) l.agreement AND x.metric OPERATOR(pg_catalog.=) l.metric
			AND sla.excuses(x.missed_at, l.source, l.ticket, l.agreement, l.metric, l.ordinal, l.started_at, l.counted, l.running_since, l.closed_at)
WHERE (l.outcome OPERATOR(pg_catalog.=) ANY ('{met,missed}'::text[])
		OR (l.outcome IS NULL AND sla.clock_missed(l.deadline, l.counted, l.running_since, sla.now(), l.deadline_excluded, l.fixed)))
	AND CASE WHEN l.outcome OPERATOR(pg_catalog.=) 'met' THEN l.closed_at ELSE l.deadline END OPERATOR(pg_catalog.<=) sla.now();
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
COMMENT ON COLUMN sla.verdict.overrun IS 'business time from the deadline until the clock stopped counting, of a missed one that has ended';
COMMENT ON COLUMN sla.verdict.excused IS 'is the missed deadline excused?';
COMMENT ON COLUMN sla.verdict.ordinal IS 'number of the clock among those of the ticket, agreement and metric';
COMMENT ON COLUMN sla.verdict.id IS 'number of the row in sla.log';
COMMENT ON COLUMN sla.verdict.started_at IS 'when the clock started';
COMMENT ON COLUMN sla.verdict.closed_at IS 'when it ended';
COMMENT ON COLUMN sla.verdict.goal IS 'business time promised';
COMMENT ON COLUMN sla.verdict.reason IS 'why it was cancelled or superseded after having been missed';
COMMENT ON COLUMN sla.verdict.time_counted IS 'business time counted until it ended, or so far';
COMMENT ON COLUMN sla.verdict.late_by IS 'business time from the deadline until a missed clock stopped counting, or until now';
COMMENT ON COLUMN sla.verdict.excuse IS 'why it is excused';
COMMENT ON COLUMN sla.verdict.excused_by IS 'the role that excused it';
COMMENT ON COLUMN sla.verdict.excused_at IS 'when it was excused';

CREATE VIEW sla.queue AS
SELECT r.source, r.ticket, r.request, r.department, r.agent, r.level, r.agreement,
	r.sla_started, r.deadline, r.state, r.sla, r.elapsed, r.goal, r.id, r.goal_used, r.calendar
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
COMMENT ON COLUMN sla.queue.goal_used IS 'elapsed business time in percent of the business time promised; more than 100 when overdue';
COMMENT ON COLUMN sla.queue.calendar IS 'calendar by which time counts';

CREATE FUNCTION sla.at_risk(share numeric) RETURNS SETOF sla.queue
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
	IF share IS NULL OR NOT share BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('share "%s" of a goal is not between 0 and 1', share);
	END IF;
	RETURN QUERY SELECT q.* FROM sla.queue AS q
		WHERE q.state = 'running' AND q.goal_used >= 100 * share
		ORDER BY q.deadline, q.source, q.ticket, q.request;
END
$function$;
COMMENT ON FUNCTION sla.at_risk(numeric) IS
	'running clocks of the queue that have used up at least that share of their goal, and are not overdue';

CREATE FUNCTION sla.at_risk(within interval) RETURNS SETOF sla.queue
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
	IF within IS NULL OR within < '0' OR extract(month FROM within) <> 0 OR extract(year FROM within) <> 0 OR extract(day FROM within) <> 0 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('time left "%s" is not a number of hours', within),
			HINT = 'Business time is told in hours.';
	END IF;
	RETURN QUERY SELECT q.* FROM sla.queue AS q
		WHERE q.state = 'running' AND q.sla <= within
		ORDER BY q.deadline, q.source, q.ticket, q.request;
END
$function$;
COMMENT ON FUNCTION sla.at_risk(interval) IS
	'running clocks of the queue that have at most that business time left, and are not overdue';

CREATE VIEW sla.breach_report AS
SELECT v.source,
	v.ticket,
	v.metric AS request,
	v.department,
	v.agent,
	v.level,
	v.agreement,
	-- With the rights of the owner over events: what is told of them is about a clock that the reader sees.
	(SELECT p.rule
		FROM sla.event AS e
			-- What a recalculation has put in its place since.
			LEFT JOIN LATERAL (
				SELECT true AS replaced, c.former
				FROM sla.promise_change AS c
				WHERE c.ticket OPERATOR(pg_catalog.=) e.ticket AND c.source OPERATOR(pg_catalog.=) e.source
					AND c.event OPERATOR(pg_catalog.=) e.id AND NOT sla.was_known(c.source, c.changed_at)
				ORDER BY c.id LIMIT 1) AS c ON true
			JOIN sla.promise AS p ON p.id OPERATOR(pg_catalog.=) ANY (CASE WHEN c.replaced THEN c.former ELSE e.promises END)
		WHERE e.ticket OPERATOR(pg_catalog.=) v.ticket AND e.source OPERATOR(pg_catalog.=) v.source
			AND p.agreement OPERATOR(pg_catalog.=) v.agreement AND p.level OPERATOR(pg_catalog.=) v.level
			AND e.at OPERATOR(pg_catalog.<=) sla.now() AND sla.was_known(e.source, e.recorded_at)
		-- The last decision before the deadline; for a level that was given too late for it, the first one after.
		ORDER BY e.at OPERATOR(pg_catalog.>) v.decided_at,
			CASE WHEN e.at OPERATOR(pg_catalog.>) v.decided_at THEN e.at END,
			e.at DESC, e.id DESC
		LIMIT 1) AS rule,
	v.started_at AS sla_started,
	v.decided_at AS breached,
	v.closed_at AS closed,
	CASE WHEN v.closed_at IS NULL THEN 'overdue' ELSE 'missed' END AS state,
	v.late_by,
	v.goal,
	v.time_counted AS elapsed,
	v.reason,
	v.excused,
	v.excuse,
	v.excused_by,
	v.excused_at,
	v.cycle,
	v.calendar,
	v.id
FROM sla.verdict AS v
WHERE v.verdict OPERATOR(pg_catalog.=) 'missed';
COMMENT ON VIEW sla.breach_report IS 'missed deadlines as of sla.now(): when, how late, who held the ticket, by which rule it had its level';
COMMENT ON COLUMN sla.breach_report.source IS 'source of the ticket';
COMMENT ON COLUMN sla.breach_report.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.breach_report.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.breach_report.department IS 'department that held the ticket when the deadline passed';
COMMENT ON COLUMN sla.breach_report.agent IS 'agent who held the ticket when the deadline passed';
COMMENT ON COLUMN sla.breach_report.level IS 'SLA level';
COMMENT ON COLUMN sla.breach_report.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.breach_report.rule IS 'name of the rule that set the level, as it was called then';
COMMENT ON COLUMN sla.breach_report.sla_started IS 'when the clock started';
COMMENT ON COLUMN sla.breach_report.breached IS 'when the deadline passed';
COMMENT ON COLUMN sla.breach_report.closed IS 'when the clock ended';
COMMENT ON COLUMN sla.breach_report.state IS 'overdue while the clock is open, then missed';
COMMENT ON COLUMN sla.breach_report.late_by IS 'business time from the deadline until the clock stopped counting, or until now';
COMMENT ON COLUMN sla.breach_report.goal IS 'business time promised';
COMMENT ON COLUMN sla.breach_report.elapsed IS 'business time counted so far';
COMMENT ON COLUMN sla.breach_report.reason IS 'why it was cancelled or superseded, or ended after having been missed';
COMMENT ON COLUMN sla.breach_report.excused IS 'is it excused?';
COMMENT ON COLUMN sla.breach_report.excuse IS 'why it is excused';
COMMENT ON COLUMN sla.breach_report.excused_by IS 'the role that excused it';
COMMENT ON COLUMN sla.breach_report.excused_at IS 'when it was excused';
COMMENT ON COLUMN sla.breach_report.cycle IS 'which run of the metric on the ticket';
COMMENT ON COLUMN sla.breach_report.calendar IS 'calendar by which time counts';
COMMENT ON COLUMN sla.breach_report.id IS 'number of the row in sla.log';

CREATE FUNCTION sla.workload(
	hours integer DEFAULT 24,
	OUT hour timestamptz, OUT source text, OUT department text, OUT deadlines bigint, OUT tickets bigint)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	first_hour timestamptz := date_trunc('hour', sla.now());
BEGIN
	IF hours IS NULL OR NOT hours BETWEEN 1 AND 8784 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the coming "%s" hours are not between 1 and 8784', hours);
	END IF;
	RETURN QUERY
		WITH due AS MATERIALIZED (
			SELECT q.source, q.department, q.ticket, q.deadline
			FROM sla.queue AS q
			WHERE q.state = 'running' AND q.deadline >= sla.now() AND q.deadline < first_hour + make_interval(hours => workload.hours)
		)
		SELECT h.hour, k.source, k.department, count(d.deadline), count(DISTINCT d.ticket)
		FROM generate_series(first_hour, first_hour + make_interval(hours => workload.hours - 1), '1 hour') AS h (hour)
			CROSS JOIN (SELECT DISTINCT d.source, d.department FROM due AS d) AS k
			LEFT JOIN due AS d ON d.source = k.source AND d.department IS NOT DISTINCT FROM k.department
				AND d.deadline >= h.hour AND d.deadline < h.hour + interval '1 hour'
		GROUP BY h.hour, k.source, k.department
		ORDER BY h.hour, k.source, k.department;
END
$function$;
COMMENT ON FUNCTION sla.workload(integer) IS
	'how many deadlines of running clocks fall in each of the coming hours, the present one first, by source and department; departments without any are left out';

CREATE VIEW sla.calendar_health AS
WITH RECURSIVE usage (calendar, holiday_sets, base, until) AS (
	SELECT h.calendar, h.holiday_sets, h.base, h.effective_until FROM sla.calendar_history AS h
	UNION
	-- LEAST leaves out NULL, which is no end
	SELECT u.calendar, h.holiday_sets, h.base, LEAST(u.until, h.effective_until)
	FROM usage AS u JOIN sla.calendar_history AS h ON h.calendar OPERATOR(pg_catalog.=) u.base
), used (calendar, holiday_set, until) AS (
	SELECT u.calendar, s.holiday_set, pg_catalog.max(COALESCE(u.until, 'infinity'))
	FROM usage AS u CROSS JOIN LATERAL pg_catalog.unnest(u.holiday_sets) AS s (holiday_set)
	GROUP BY u.calendar, s.holiday_set
), known (calendar, holiday_set, until, imported_at, days, known_until) AS (
	SELECT u.calendar, u.holiday_set, u.until, s.imported_at, d.days, COALESCE(s.known_to, d.last OPERATOR(pg_catalog.+) 1)
	FROM used AS u JOIN sla.holiday_set AS s ON s.name OPERATOR(pg_catalog.=) u.holiday_set
		CROSS JOIN LATERAL (
			SELECT pg_catalog.count(*) AS days, pg_catalog.max(h.day) AS last
			FROM sla.holiday AS h WHERE h.holiday_set OPERATOR(pg_catalog.=) u.holiday_set
		) AS d
)
SELECT k.calendar,
	k.holiday_set,
	k.days,
	k.known_until,
	k.imported_at,
	b.deadlines AS deadlines_beyond,
	CASE
		WHEN k.days OPERATOR(pg_catalog.=) 0 THEN 'empty'
		WHEN k.known_until OPERATOR(pg_catalog.>=) k.until THEN 'good'
		WHEN k.known_until OPERATOR(pg_catalog.<=) sla.local_date(k.calendar, sla.now()) THEN 'over'
		WHEN b.deadlines OPERATOR(pg_catalog.>) 0 THEN 'too short'
		WHEN k.imported_at OPERATOR(pg_catalog.<) (sla.now() OPERATOR(pg_catalog.-) INTERVAL '1 year') THEN 'old'
		ELSE 'good'
	END AS state
FROM known AS k
	CROSS JOIN LATERAL (
		SELECT pg_catalog.count(*) AS deadlines FROM sla.log AS l
		WHERE l.calendar OPERATOR(pg_catalog.=) k.calendar AND l.closed_at IS NULL AND k.known_until OPERATOR(pg_catalog.<) k.until
			AND pg_catalog.isfinite(l.deadline) AND sla.local_date(l.calendar, l.deadline) OPERATOR(pg_catalog.>=) k.known_until
	) AS b
UNION ALL
SELECT c.name, NULL, 0, 'infinity', NULL, 0, 'good'
FROM sla.calendar AS c
WHERE NOT EXISTS (SELECT FROM used AS u WHERE u.calendar OPERATOR(pg_catalog.=) c.name);
COMMENT ON VIEW sla.calendar_health IS 'until when the holidays of each calendar are known, which of its sets are empty or old, and how many open deadlines lie beyond';
COMMENT ON COLUMN sla.calendar_health.calendar IS 'the calendar';
COMMENT ON COLUMN sla.calendar_health.holiday_set IS 'a holiday set that one of its versions, or of those of its bases, uses; NULL: none does';
COMMENT ON COLUMN sla.calendar_health.days IS 'how many days the set has';
COMMENT ON COLUMN sla.calendar_health.known_until IS 'day before which its holidays are known: the end of what was imported, else the day after its last';
COMMENT ON COLUMN sla.calendar_health.imported_at IS 'when a feed was last imported; NULL: it was written by hand';
COMMENT ON COLUMN sla.calendar_health.deadlines_beyond IS 'open clocks of the calendar whose deadline lies later; sla.deadline_beyond lists them';
COMMENT ON COLUMN sla.calendar_health.state IS 'good; empty: it has no day; over: nothing is known any more; too short: open deadlines lie beyond; old: imported more than a year ago';

CREATE VIEW sla.deadline_beyond AS
SELECT l.source, l.ticket, l.agreement, l.metric AS request, l.deadline, k.calendar, k.holiday_set, k.known_until
FROM sla.calendar_health AS k
	JOIN sla.log AS l ON l.calendar OPERATOR(pg_catalog.=) k.calendar AND l.closed_at IS NULL
		AND pg_catalog.isfinite(l.deadline) AND sla.local_date(l.calendar, l.deadline) OPERATOR(pg_catalog.>=) k.known_until
WHERE k.deadlines_beyond OPERATOR(pg_catalog.>) 0
ORDER BY l.deadline, l.source, l.ticket, l.agreement, l.metric, k.holiday_set;
COMMENT ON VIEW sla.deadline_beyond IS 'open clocks whose deadline lies beyond the days for which the holidays of their calendar are known: it may still move';
COMMENT ON COLUMN sla.deadline_beyond.source IS 'source of the ticket';
COMMENT ON COLUMN sla.deadline_beyond.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.deadline_beyond.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.deadline_beyond.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.deadline_beyond.deadline IS 'when the goal is used up, as far as is known';
COMMENT ON COLUMN sla.deadline_beyond.calendar IS 'calendar by which it counts';
COMMENT ON COLUMN sla.deadline_beyond.holiday_set IS 'the holiday set that does not reach so far';
COMMENT ON COLUMN sla.deadline_beyond.known_until IS 'day before which the holidays of the set are known';
