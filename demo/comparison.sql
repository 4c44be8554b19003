-- The city's own system set a deadline and a verdict for each case: how do ours compare?

\echo
\echo == Our deadlines and verdicts beside those of the city ==
\echo

CREATE TEMP TABLE comparison AS
SELECT p.case_id, p.type, l.level,
	p.target_at AT TIME ZONE 'America/New_York' AS their_deadline,
	l.deadline AS our_deadline,
	nullif(p.on_time, '') AS their_verdict,
	CASE WHEN l.state IN ('met', 'running') THEN 'ONTIME'
		 WHEN l.state IN ('missed', 'overdue') THEN 'OVERDUE' END AS our_verdict,
	p.opened_at AT TIME ZONE 'America/New_York' AS opened_at
FROM published AS p
LEFT JOIN sla.log_report AS l ON l.source = 'boston' AND l.request = 'resolution' AND l.ticket = p.case_id::text;

\echo All cases. The city sets no target for many types, and then calls them on time; we have no clock for them.
SELECT CASE WHEN our_deadline IS NULL AND their_deadline IS NULL THEN 'no target in either'
			WHEN our_deadline IS NULL THEN 'a target only with the city: its policy for the type is unknown'
			WHEN their_deadline IS NULL THEN 'a deadline only with us: the city left this one without a target'
			ELSE 'a deadline in both' END AS "what there is to compare",
	count(*) AS cases
FROM comparison
GROUP BY 1
ORDER BY 2 DESC;

\echo Where both have a deadline (the city publishes whole minutes for some cases, so 60 seconds are allowed):
SELECT count(*) AS cases,
	count(*) FILTER (WHERE abs(extract(epoch FROM our_deadline - their_deadline)) <= 60) AS "same deadline",
	round(100.0 * avg((abs(extract(epoch FROM our_deadline - their_deadline)) <= 60)::integer), 2) AS "%",
	count(their_verdict) AS "with a verdict",
	count(*) FILTER (WHERE our_verdict = their_verdict) AS "same verdict",
	round(100.0 * avg((our_verdict = their_verdict)::integer), 2) AS "% "
FROM comparison
WHERE our_deadline IS NOT NULL AND their_deadline IS NOT NULL;

\echo The half year as the city counts it (its flags, all cases), and as the clocks do:
SELECT 'the city' AS counted_by, sum(met) AS met, sum(missed) AS missed, sum(open_overdue) AS "open, overdue",
	sum(open_in_time) AS "open, in time", sum(no_target) AS "no target", sum(closed_unflagged + open_unflagged) AS "no flag"
FROM city_report
UNION ALL
SELECT 'pg_sla', count(*) FILTER (WHERE state = 'met'), count(*) FILTER (WHERE state = 'missed'),
	count(*) FILTER (WHERE state = 'overdue'), count(*) FILTER (WHERE state = 'running'),
	(SELECT count(*) FROM service_request) - count(*), 0
FROM sla.log_report
WHERE source = 'boston';

\echo Verdict against verdict, and whether the deadline was the same:
SELECT their_verdict AS city, our_verdict AS ours,
	count(*) FILTER (WHERE abs(extract(epoch FROM our_deadline - their_deadline)) <= 60) AS "same deadline",
	count(*) FILTER (WHERE abs(extract(epoch FROM our_deadline - their_deadline)) > 60) AS "other deadline"
FROM comparison
WHERE our_deadline IS NOT NULL AND their_deadline IS NOT NULL AND their_verdict IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2;

\echo What differs, and why: each deadline that is more than 60 seconds off.
SELECT why, count(*) AS cases,
	count(*) FILTER (WHERE our_verdict <> their_verdict) AS "other verdict",
	mode() WITHIN GROUP (ORDER BY type) AS "most often"
FROM comparison
CROSS JOIN LATERAL (SELECT
	CASE
		WHEN abs(extract(epoch FROM our_deadline - their_deadline)) <= 3600
			THEN 'same promise, but the city''s clock started some minutes off opened_at'
		WHEN EXISTS (SELECT FROM generate_series(0, 60) AS n
					 WHERE abs(extract(epoch FROM their_deadline
						 - sla.add_business_time('city hall', opened_at, make_interval(days => n)))) <= 3600)
			THEN 'this one case was given another number of business days'
		WHEN EXISTS (SELECT FROM generate_series(0, 800) AS n
					 WHERE abs(extract(epoch FROM their_deadline
						 - sla.add_business_time('every day', opened_at, make_interval(days => n)))) <= 3600)
			THEN 'this one case was given another number of calendar days'
		ELSE 'no number of days gives this deadline: it was set by hand'
	END AS why) AS reason
WHERE abs(extract(epoch FROM our_deadline - their_deadline)) > 60
GROUP BY why
ORDER BY cases DESC;

\echo The types in which deadlines differ most:
SELECT type, count(*) AS cases,
	count(*) FILTER (WHERE abs(extract(epoch FROM our_deadline - their_deadline)) > 60) AS "other deadline",
	count(*) FILTER (WHERE our_verdict <> their_verdict) AS "other verdict"
FROM comparison
WHERE our_deadline IS NOT NULL AND their_deadline IS NOT NULL
GROUP BY type
ORDER BY 3 DESC, type
LIMIT 8;
