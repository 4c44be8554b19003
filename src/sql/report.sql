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
