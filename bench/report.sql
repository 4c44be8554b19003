-- Reports over a log of many clocks of one year.

CREATE EXTENSION pg_sla;
SET timezone = 'Europe/Oslo';
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'support'), ('Gold', 'support');

-- Clocks as triggers would have left them: 20 departments, 200 agents, 3 levels, 2 metrics, nine tenths met.
DROP INDEX sla.log_id_idx, sla.log_queue_idx, sla.log_verdict_idx;
ALTER TABLE sla.log DROP CONSTRAINT log_pkey;
INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted,
	deadline, closed_at, outcome, elapsed, computed_at)
SELECT 'helpdesk', (n / 2)::text, 'customer', (ARRAY['Standard', 'Urgent', 'Gold'])[1 + h % 3], (ARRAY['first_response', 'resolution'])[1 + n % 2], 1, 1, 'support',
	'department ' || h % 20, 'agent ' || h % 200, '4 hours', at, tstzmultirange(tstzrange(at, at + took)), at + interval '4 hours', at + took,
	CASE WHEN took <= interval '4 hours' THEN 'met' ELSE 'missed' END, took, at
FROM (
	SELECT n, h, timestamptz '2025-01-01 00:00' + (n::float8 / :rows) * interval '364 days' AS at,
		make_interval(mins => h / 200 % 267) AS took
	FROM (SELECT n, abs(hashint4(n)) AS h FROM generate_series(0, :rows - 1) AS n) AS n
) AS n;
ALTER TABLE sla.log ADD PRIMARY KEY (ticket, source, agreement, metric, ordinal);
CREATE INDEX log_id_idx ON sla.log (id);
CREATE INDEX log_queue_idx ON sla.log (deadline) WHERE closed_at IS NULL;
CREATE INDEX log_verdict_idx ON sla.log ((CASE WHEN outcome = 'met' THEN closed_at ELSE deadline END));
VACUUM (FREEZE, ANALYZE) sla.log;
CALL sla.summarize();

-- work: compliance of a year by day and department, kept summaries | <= 0.05 x
-- baseline: count(*) over the same rows
SELECT count(*) FROM sla.log;
-- ours: sla.compliance(…, by => '{day,department}')
SELECT count(*) FROM sla.compliance('2025-01-01', '2026-01-01', '{day,department}');

-- work: compliance of a year by month and agent | <= 1 x
-- baseline: count(*) over the same rows
SELECT count(*) FROM sla.log;
-- ours: sla.compliance(…, by => '{month,agent}')
SELECT count(*) FROM sla.compliance('2025-01-01', '2026-01-01', '{month,agent}');

-- figure: what a report differs from the log by | 0
SELECT count(*) FROM (
	SELECT day, department, met, missed, met_avg, missed_avg, met_max, met_min FROM sla.compliance('2025-01-01', '2026-01-01', '{day,department}')
	EXCEPT ALL
	SELECT sla.local_date(calendar, decided_at), department, count(*) FILTER (WHERE verdict = 'met'), count(*) FILTER (WHERE verdict = 'missed'),
		avg(elapsed) FILTER (WHERE verdict = 'met'), avg(elapsed) FILTER (WHERE verdict = 'missed'),
		max(elapsed) FILTER (WHERE verdict = 'met'), min(elapsed) FILTER (WHERE verdict = 'met')
	FROM sla.verdict GROUP BY 1, 2) AS d;

-- Late answers on three days: those are read from the log.
SELECT sla.summary_note('helpdesk', 'support', at) FROM unnest('{2025-03-03 12:00+01,2025-03-04 12:00+01,2025-09-01 12:00+02}'::timestamptz[]) AS at;

-- work: the same with three days that have changed since | <= 0.5 x
-- baseline: count(*) over the same rows
SELECT count(*) FROM sla.log;
-- ours: sla.compliance(…, by => '{day,department}')
SELECT count(*) FROM sla.compliance('2025-01-01', '2026-01-01', '{day,department}');

-- The queue: its next 50 deadlines, of a million open clocks. What they read of the log, and how.
CREATE FUNCTION queue_reads(OUT answer text) LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM sla.queue LIMIT 50' INTO plan;
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM sla.queue LIMIT 50' INTO plan;
	SELECT format('%s pages, %s ms, %s', (plan #>> '{0,Plan,Shared Hit Blocks}')::integer + (plan #>> '{0,Plan,Shared Read Blocks}')::integer,
		round((plan #>> '{0,Execution Time}')::numeric, 1), string_agg(n ->> 'Node Type' || ' ' || coalesce(n ->> 'Index Name', ''), ', '))
	INTO answer FROM jsonb_path_query(plan, 'strict $.** ? (@."Relation Name" == "log")') AS n;
END
$$;
CREATE TABLE open_clock AS
SELECT source, 'open ' || n AS ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, at AS started_at, '{}'::tstzmultirange AS counted,
	at AS running_since, at + goal AS deadline, interval '0' AS elapsed, at AS computed_at
FROM (SELECT * FROM sla.log LIMIT 1) AS l,
	(SELECT n, timestamptz '2098-01-01' + abs(hashint4(n)) % 31536000 * interval '1 second' AS at FROM generate_series(1, 1000000) AS n) AS n;
INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since, deadline, elapsed, computed_at)
TABLE open_clock;
VACUUM ANALYZE sla.log;

-- figure: the next 50 of 1,000,000 open clocks, beside the closed ones | an index scan
SELECT queue_reads();
TRUNCATE sla.log;
INSERT INTO sla.log (source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since, deadline, elapsed, computed_at)
TABLE open_clock;
VACUUM ANALYZE sla.log;

-- figure: the same without any closed clock | no fewer pages
SELECT queue_reads();
