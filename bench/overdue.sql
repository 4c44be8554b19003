-- What is overdue, found by an index on the start.

CREATE EXTENSION pg_sla;
SELECT sla.set_calendar('support', 'Europe/Oslo',
	'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 24 08:00-12:00; Dec 25-26 off');

-- Tickets of ten years in the order of their coming.
CREATE TABLE ticket AS
	SELECT n AS id, timestamptz '2015-01-01 00:00+00' + (n + random()) / :rows * interval '3650 days' AS created_at
	FROM generate_series(1, :rows) AS n;
CREATE INDEX ticket_created_at ON ticket (created_at);
VACUUM (FREEZE, ANALYZE) ticket;

CREATE FUNCTION nodes(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN regexp_replace(concat_ws(' on ', plan #>> '{0,Plan,Plans,0,Node Type}', plan #>> '{0,Plan,Plans,0,Index Name}'), '^$', 'no scan');
END
$$;

-- work: the overdue of the first month of ten years | an index scan
-- baseline: seq scan, add_business_time
SELECT count(*) FROM ticket WHERE sla.add_business_time('support', created_at, '4 hours') < '2015-02-01 00:00+01';
-- ours: sla.overdue
SELECT count(*) FROM ticket WHERE sla.overdue('support', created_at, '4 hours', '2015-02-01 00:00+01');

-- work: with a day in the goal | an index scan
-- baseline: seq scan, add_business_time
SELECT count(*) FROM ticket WHERE sla.add_business_time('support', created_at, '1 day 4 hours') < '2015-02-01 00:00+01';
-- ours: sla.overdue
SELECT count(*) FROM ticket WHERE sla.overdue('support', created_at, '1 day 4 hours', '2015-02-01 00:00+01');

-- figure: its plan | uses the index
SELECT nodes($$SELECT count(*) FROM ticket WHERE sla.overdue('support', created_at, '4 hours', '2015-02-01 00:00+01')$$);

-- figure: rows found by one and not by the other | 0
SELECT count(*) FROM ticket
WHERE sla.overdue('support', created_at, '4 hours', '2015-02-01 00:00+01')
	<> (sla.add_business_time('support', created_at, '4 hours') < '2015-02-01 00:00+01');
