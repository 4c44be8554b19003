-- The city's policy as levels, goals and rules: one level per promise, one rule per row of policies.csv.

\echo
\echo == Promises ==
\echo

CREATE VIEW promise AS
SELECT policy.*,
	format('%s %s', n, CASE WHEN unit = 'business_days' THEN 'business' ELSE 'calendar' END
		|| CASE WHEN n = 1 THEN ' day' ELSE ' days' END) AS level,
	CASE WHEN unit = 'business_days' THEN 'city hall' ELSE 'every day' END AS calendar,
	format('%s days', n)::interval AS goal
FROM policy
WHERE unit <> 'none';

INSERT INTO sla.level (name, calendar) SELECT DISTINCT level, calendar FROM promise;
INSERT INTO sla.target (level, metric, goal) SELECT DISTINCT level, 'resolution', goal FROM promise;

-- Some promises changed on 16 February: the rule says until when, or from when, on Boston's clock.
INSERT INTO sla.rule (name, source, position, condition, set_level, stop)
SELECT concat_ws(' ', type, 'from ' || valid_from, 'until ' || valid_to),
	'boston',
	10 * row_number() OVER (ORDER BY type, valid_from NULLS FIRST),
	concat_ws(' AND ', format('type = %L', type),
		$$opened_at AT TIME ZONE 'America/New_York' >= timestamp $$ || quote_literal(valid_from),
		$$opened_at AT TIME ZONE 'America/New_York' < timestamp $$ || quote_literal(valid_to)),
	level,
	true
FROM promise;

SELECT (SELECT count(*) FROM sla.level) AS levels, (SELECT count(*) FROM sla.rule) AS rules;

\echo Two of the rules:
SELECT position, name, condition, set_level FROM sla.rule WHERE name LIKE 'Abandoned Vehicles%' ORDER BY position;
