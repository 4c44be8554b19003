-- What a BI tool would read. The reports are as of the city's own export: some hours of 13 January 2016.

\echo
\echo == Reports as of 2016-01-13 ==
\echo

ALTER DATABASE boston SET pg_sla.now = '2016-01-13 05:00 America/New_York';
ALTER DATABASE boston SET timezone = 'America/New_York';
\connect -reuse-previous=on boston

SELECT sla.now() AT TIME ZONE 'America/New_York' AS now_in_boston,
	(SELECT count(*) FROM service_request) AS cases,
	(SELECT count(*) FROM sla.log) AS clocks,
	(SELECT count(*) FROM sla.event) AS events,
	(SELECT count(*) FROM sla.verify('boston')) AS clocks_that_differ_from_their_events;

\echo Compliance by month. A clock counts on the day its verdict fell: when it stopped in time, or when it passed its deadline.
SELECT to_char(day, 'YYYY-MM') AS month, sum(met) AS met, sum(missed) AS missed,
	round(100.0 * sum(met) / sum(met + missed), 1) AS "compliance %"
FROM sla.compliance_report
WHERE source = 'boston'
GROUP BY 1
ORDER BY 1;

\echo Compliance by department. Times are business time of the calendar that the promise counts in.
SELECT department, sum(met) AS met, sum(missed) AS missed,
	round(100.0 * sum(met) / sum(met + missed), 1) AS "compliance %",
	date_trunc('minute', sum(met * met_avg) / nullif(sum(met), 0)) AS "average time, met",
	date_trunc('minute', sum(missed * missed_avg) / nullif(sum(missed), 0)) AS "average time, missed"
FROM sla.compliance_report
WHERE source = 'boston'
GROUP BY 1
ORDER BY sum(met + missed) DESC;

\echo Compliance in percent, by month and department (the five with most cases).
SELECT to_char(day, 'YYYY-MM') AS month,
	round(100.0 * sum(met) FILTER (WHERE department = 'PWDx') / sum(met + missed) FILTER (WHERE department = 'PWDx')) AS "PWDx",
	round(100.0 * sum(met) FILTER (WHERE department = 'BTDT') / sum(met + missed) FILTER (WHERE department = 'BTDT')) AS "BTDT",
	round(100.0 * sum(met) FILTER (WHERE department = 'ISD') / sum(met + missed) FILTER (WHERE department = 'ISD')) AS "ISD",
	round(100.0 * sum(met) FILTER (WHERE department = 'PARK') / sum(met + missed) FILTER (WHERE department = 'PARK')) AS "PARK",
	round(100.0 * sum(met) FILTER (WHERE department = 'PROP') / sum(met + missed) FILTER (WHERE department = 'PROP')) AS "PROP"
FROM sla.compliance_report
WHERE source = 'boston'
GROUP BY 1
ORDER BY 1;

\echo The worst breaches: most business time past the deadline.
SELECT l.ticket, r.type, l.department, l.level, l.deadline AT TIME ZONE 'America/New_York' AS deadline,
	l.state, date_trunc('minute', -l.sla) AS "late by"
FROM sla.log_report AS l
JOIN service_request AS r ON r.case_id = l.ticket::bigint
WHERE l.source = 'boston' AND l.sla < interval '0'
ORDER BY l.sla, l.ticket
LIMIT 10;

\echo The queue: what is still in time, and next to be missed.
SELECT q.ticket, r.type, q.department, q.level, q.deadline AT TIME ZONE 'America/New_York' AS deadline,
	date_trunc('minute', q.sla) AS "time left"
FROM sla.queue AS q
JOIN service_request AS r ON r.case_id = q.ticket::bigint
WHERE q.source = 'boston' AND q.deadline > sla.now()
ORDER BY q.deadline, q.ticket
LIMIT 10;

\echo The whole open work, in time and overdue.
SELECT state, count(*) AS clocks, min(deadline) AT TIME ZONE 'America/New_York' AS first_deadline,
	max(deadline) AT TIME ZONE 'America/New_York' AS last_deadline
FROM sla.log_report
WHERE source = 'boston' AND closed IS NULL
GROUP BY state
ORDER BY state;
