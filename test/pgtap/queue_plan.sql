-- The next deadlines are read from an index of the open clocks, in order: closed clocks cost nothing.
BEGIN;
SELECT plan(7);
CREATE EXTENSION pg_sla;
SET LOCAL timezone = 'Europe/Oslo';
SET LOCAL jit = off;
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');

-- Clocks as triggers would have left them; nothing here asks for their events.
CREATE FUNCTION pg_temp.clocks(first integer, last integer, closed boolean) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, goal, started_at, counted, running_since,
		deadline, closed_at, outcome, elapsed, computed_at)
	SELECT 'helpdesk', n::text, 'customer', 'Standard', 'resolution', 1, 1, 'support', 'd' || n % 7, '4 hours', at,
		CASE WHEN closed THEN tstzmultirange(tstzrange(at, at + interval '1 hour')) ELSE '{}' END, CASE WHEN NOT closed THEN at END,
		at + interval '4 hours', CASE WHEN closed THEN at + interval '1 hour' END, CASE WHEN closed THEN 'met' END,
		CASE WHEN closed THEN interval '1 hour' ELSE '0' END, at
	FROM (SELECT n, timestamptz '2098-03-03 08:00' + (n * 7919 % 5000) * interval '1 minute' AS at FROM generate_series(first, last) AS n) AS n
$$;
CREATE FUNCTION pg_temp.plan(statement text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT json) ' || statement INTO plan;
	RETURN plan -> 0 -> 'Plan';
END
$$;
CREATE FUNCTION pg_temp.buffers(statement text) RETURNS bigint
LANGUAGE sql AS $$
	SELECT (p ->> 'Shared Hit Blocks')::bigint + (p ->> 'Shared Read Blocks')::bigint FROM pg_temp.plan(statement) AS p
$$;
CREATE FUNCTION pg_temp.log_nodes(statement text) RETURNS SETOF text
LANGUAGE sql AS $$
	SELECT concat_ws(' ', n ->> 'Node Type', n ->> 'Index Name')
	FROM jsonb_path_query(pg_temp.plan(statement), 'strict $.** ? (@."Relation Name" == "log")') AS n
$$;

SELECT pg_temp.clocks(1, 5000, false);
ANALYZE sla.log;
SELECT results_eq($$SELECT pg_temp.log_nodes('SELECT * FROM sla.queue LIMIT 50')$$, $$VALUES ('Index Scan log_queue_idx')$$,
	'the queue is read from the index of open clocks');
SELECT ok(NOT jsonb_path_exists(pg_temp.plan('SELECT * FROM sla.queue LIMIT 50'), 'strict $.** ? (@."Node Type" == "Sort")'), 'and not sorted as a whole');
SELECT pg_temp.buffers('SELECT * FROM sla.queue LIMIT 50') AS few \gset
SELECT pg_temp.clocks(100001, 120000, true);
ANALYZE sla.log;
SELECT results_eq($$SELECT pg_temp.log_nodes('SELECT * FROM sla.queue LIMIT 50')$$, $$VALUES ('Index Scan log_queue_idx')$$,
	'with many closed clocks, too');
SELECT cmp_ok(pg_temp.buffers('SELECT * FROM sla.queue LIMIT 50'), '<=', :few::bigint + 5, 'which are not read');
SELECT cmp_ok(:few::bigint, '<', 1000::bigint, 'nor are the other open ones');

-- What else the documentation says is found by an index.
SELECT results_eq($$SELECT pg_temp.log_nodes($_$SELECT * FROM sla.log_report WHERE source = 'helpdesk' AND ticket = '3711'$_$)$$,
	$$VALUES ('Index Scan log_pkey')$$, 'the clocks of a ticket are found by their key');
SELECT results_eq($$SELECT pg_temp.log_nodes($_$SELECT count(*) FROM sla.verdict WHERE decided_at >= '2098-03-03 10:00' AND decided_at < '2098-03-03 10:01'$_$)$$,
	$$VALUES ('Index Scan log_verdict_idx')$$, 'verdicts are found by their instant');

SELECT * FROM finish();
ROLLBACK;
