-- Compliance by whatever is asked for.
\set VERBOSITY terse
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SET datestyle = 'ISO';
CREATE SCHEMA compliance_test;
SET search_path = compliance_test;
CREATE TABLE ticket (id int PRIMARY KEY, department text, agent text, urgent boolean NOT NULL DEFAULT false, state text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
SELECT sla.set_calendar('compliance', 'Europe/Oslo', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES ('compliance', 'compliance', 'customer'), ('compliance inner', 'compliance', 'operational');
INSERT INTO sla.target (level, metric, goal) VALUES ('compliance', 'first_response', '4 hours'), ('compliance inner', 'first_response', '1 hour');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'compliance', 1, 'true', 'compliance'), ('inner', 'compliance', 2, 'urgent', 'compliance inner');
SELECT sla.track('compliance', 'ticket', 'id', department => 'department', agent => 'agent', created_at => 'created_at', changed_at => 'updated_at');
INSERT INTO ticket SELECT n, CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END, 'x' || n % 2, n % 5 = 0, 'open', timestamptz '2023-12-28 23:30' + n * interval '11 hours' FROM generate_series(1, 20) AS n;
SELECT count(sla.record_event('compliance', n::text, 'agent_reply', timestamptz '2023-12-28 23:30' + n * interval '11 hours 20 minutes')) FROM generate_series(1, 16) AS n;

SELECT day, met, missed, compliance, met_avg, missed_avg, overrun_avg, total FROM sla.compliance('2023-12-30', '2024-01-03', sources => '{compliance}');
SELECT year, quarter, month, week, day, weekday, met, missed FROM sla.compliance('2023-12-30', '2024-01-03', '{year,quarter,month,week,day,weekday}', sources => '{compliance}');
SELECT department, agent, level, agreement, request, source, met, missed FROM sla.compliance('-infinity', 'infinity', '{department,agent,level,agreement,request,source}', sources => '{compliance}');
SELECT month, department, total, met, missed, compliance FROM sla.compliance('2023-01-01', '2025-01-01', '{month,department}', sources => '{compliance}', totals => true);
SELECT total, met, missed, compliance, p50, p99 FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', percentiles => true);
-- As asked for, so sorted.
SELECT department, month, met FROM sla.compliance('2023-01-01', '2025-01-01', '{department,month,month}', sources => '{compliance}');
-- Filters.
SELECT met, missed FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', departments => '{a,b}');
SELECT met, missed FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', agents => '{x1}');
SELECT met, missed FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', levels => '{compliance inner}');
SELECT met, missed FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', agreements => '{customer}');
SELECT met, missed FROM sla.compliance('2023-01-01', '2025-01-01', '{}', sources => '{compliance}', requests => '{resolution}', percentiles => true, totals => true);
-- Days without any.
SELECT day, week, weekday, met, missed FROM sla.compliance('2023-12-26', '2023-12-31', '{day,week,weekday}', sources => '{compliance}', empty_days => true);
SELECT day, department, total, met, missed FROM sla.compliance('2023-12-28', '2023-12-30', '{day,department}', sources => '{compliance}', empty_days => true, totals => true);
SELECT day, met, p50 FROM sla.compliance('2022-12-28', '2022-12-30', '{day}', sources => '{compliance}', empty_days => true, percentiles => true);
SELECT day, department, met FROM sla.compliance('2022-12-28', '2022-12-30', '{day,department}', sources => '{compliance}', empty_days => true);
-- Another time zone: half past midnight in Oslo is the day before in London.
SELECT hour, met, missed FROM sla.compliance('2023-12-30', '2023-12-31', '{hour}', sources => '{compliance}');
SELECT hour, met, missed FROM sla.compliance('2023-12-30', '2023-12-31', '{hour}', 'Asia/Kathmandu', sources => '{compliance}');
SELECT day, met, missed FROM sla.compliance('2023-12-30', '2024-01-02', '{day}', 'Pacific/Kiritimati', sources => '{compliance}');
SELECT day, met, missed FROM sla.compliance('2023-12-30', '2024-01-02', '{day}', 'Europe/Oslo', sources => '{compliance}')
EXCEPT SELECT day, met, missed FROM sla.compliance('2023-12-30', '2024-01-02', '{day}', sources => '{compliance}');
-- The same from summaries.
CREATE TEMP TABLE before AS SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{day,department,agent,level,agreement,request,source}', sources => '{compliance}', totals => true);
CREATE TEMP TABLE coarse AS SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{week,department}', sources => '{compliance}', totals => true);
CREATE TEMP TABLE middle AS SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{weekday,level}', sources => '{compliance}', totals => true);
CALL sla.summarize();
SELECT count(*) FROM before;
TABLE before EXCEPT ALL SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{day,department,agent,level,agreement,request,source}', sources => '{compliance}', totals => true);
TABLE coarse EXCEPT ALL SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{week,department}', sources => '{compliance}', totals => true);
TABLE middle EXCEPT ALL SELECT * FROM sla.compliance('2023-01-01', '2025-01-01', '{weekday,level}', sources => '{compliance}', totals => true);

-- One aggregate makes all figures: as plain ones do, for sums of any size and both signs.
CREATE TEMP TABLE part AS
SELECT n % 83 AS g, n % 7 = 0 AS excused, met, missed, missed - n % 2 * sign(missed)::bigint AS missed_ended,
	CASE WHEN met > 0 THEN (a >> (b & 63)::integer)::numeric * met END AS met_sum, CASE WHEN met > 0 THEN a END AS met_max, CASE WHEN met > 0 THEN b END AS met_min,
	CASE WHEN missed > n % 2 THEN (b >> (a & 63)::integer)::numeric * (missed - n % 2) END AS missed_sum,
	CASE WHEN missed > n % 2 THEN b END AS missed_max, CASE WHEN missed > n % 2 THEN a END AS missed_min,
	CASE WHEN missed > n % 2 THEN (a >> 30)::numeric END AS overrun_sum
FROM (
	SELECT n, hashint8extended(n, 1) AS a, hashint8extended(n, 2) AS b, hashint8extended(n, 3) & 3 AS met, hashint8extended(n, 4) & 3 AS missed
	FROM generate_series(1, 3000) AS n) AS n;
-- A half is rounded away from zero; of nothing there is nothing.
INSERT INTO part (g, met, met_sum, missed, missed_ended, missed_sum) VALUES (100, 2, 3, 2, 2, -3), (101, 3, 4, 3, 3, 5), (102, 0, NULL, 0, 0, NULL),
	(103, 2, 2^63::numeric + 1, 2, 2, -(2^63::numeric) - 1), (104, 8, 9223372036854775807, 1, 0, NULL), (104, NULL, 5, NULL, NULL, NULL);
CREATE TEMP VIEW figures AS SELECT g, (f).* FROM (SELECT g, sla.compliance_of(excused, met, met_sum, met_max, met_min, missed, missed_ended, missed_sum, missed_max, missed_min, overrun_sum) AS f FROM part GROUP BY g) AS p;
SELECT count(*) AS groups, sum(CASE WHEN met_sum > 9223372036854775807 OR missed_sum < -9223372036854775808 THEN 1 END) AS beyond FROM (SELECT g, sum(met_sum) AS met_sum, sum(missed_sum) AS missed_sum FROM part GROUP BY g) AS s;
SELECT g, met, met_avg, missed, missed_avg, compliance FROM figures WHERE g >= 100 ORDER BY g;
SELECT * FROM figures EXCEPT ALL
SELECT g, coalesce(sum(met), 0)::bigint, sla.microseconds_interval(round(sum(met_sum) / nullif(sum(met), 0))::bigint), sla.microseconds_interval(max(met_max)), sla.microseconds_interval(min(met_min)),
	coalesce(sum(missed), 0)::bigint, sla.microseconds_interval(round(sum(missed_sum) / nullif(sum(missed_ended), 0))::bigint), sla.microseconds_interval(max(missed_max)), sla.microseconds_interval(min(missed_min)),
	round(100.0 * sum(met) / nullif(sum(met) + sum(missed), 0), 2), sla.microseconds_interval(round(sum(overrun_sum) / nullif(sum(missed_ended), 0))::bigint),
	coalesce(sum(missed) FILTER (WHERE excused), 0)::bigint
FROM part GROUP BY g;
SELECT sla.compliance_of(false, 9223372036854775807, 1, 1, 1, 1, 1, 1, 1, 1, 1);

-- What cannot be.
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT * FROM sla.compliance(NULL, '2024-01-01');
SELECT * FROM sla.compliance('2024-01-02', '2024-01-01');
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', '{day,colour}');
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', ARRAY['day', NULL]);
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', NULL);
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', '{week}', empty_days => true);
SELECT * FROM sla.compliance('-infinity', '2024-01-02', empty_days => true);
\set VERBOSITY terse
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', time_zone => 'Middle-earth');
SELECT * FROM sla.compliance('2024-01-01', '2024-01-02', time_zone => $$UTC'; SELECT 1 --$$);

-- What is at risk, and how much work there is.
SET pg_sla.now = '2024-01-06 19:00';
SELECT ticket, state, sla, goal_used FROM sla.queue WHERE source = 'compliance' AND state = 'running';
SELECT ticket, goal_used FROM sla.at_risk(0.3) WHERE source = 'compliance';
SELECT ticket, goal_used FROM sla.at_risk(0.9) WHERE source = 'compliance';
SELECT ticket, sla FROM sla.at_risk(interval '3 hours') WHERE source = 'compliance';
SELECT ticket, sla FROM sla.at_risk(interval '1 hour') WHERE source = 'compliance';
SELECT ticket FROM sla.at_risk(80);
SELECT ticket FROM sla.at_risk(interval '1 day');
SELECT ticket FROM sla.at_risk(interval '-1 hour');
SELECT * FROM sla.workload(4) WHERE source = 'compliance';
SELECT * FROM sla.workload(0);
SELECT ticket, request, department, agent, rule, level, breached, closed, state, late_by, elapsed FROM sla.breach_report WHERE source = 'compliance' AND breached >= '2024-01-06' ORDER BY breached, level;
RESET pg_sla.now;

-- The rule of a breach is the one that set the level then, by the name that it had.
CREATE VIEW breach AS SELECT ticket, agreement, level, rule FROM sla.breach_report WHERE source = 'compliance' AND ticket::int > 200 ORDER BY ticket, agreement;
INSERT INTO ticket VALUES (201, 'a', 'x1', false, 'open', '2024-02-05 10:00', NULL);
UPDATE sla.rule SET name = 'all of them', condition = 'department IS NOT NULL' WHERE source = 'compliance' AND name = 'all';
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('hurry', 'compliance', 3, 'urgent', 'compliance');
-- 203 gets its level when the deadline has long passed; 204 has the same again from another rule, when its other agreement is decided.
INSERT INTO ticket VALUES (202, 'a', 'x1', false, 'open', '2024-02-05 10:00', NULL), (203, NULL, 'x1', false, 'open', '2024-02-05 10:00', NULL), (204, 'a', 'x1', false, 'open', '2024-02-05 10:00', NULL);
UPDATE ticket SET urgent = true, updated_at = '2024-02-06 10:00' WHERE id = 203;
UPDATE ticket SET urgent = true, updated_at = '2024-02-05 12:00' WHERE id = 204;
TABLE breach;
SET pg_sla.now = '2024-02-05 11:30';
TABLE breach;
RESET pg_sla.now;
-- As goals are recalculated, rules are not asked; as rules are, they are.
UPDATE sla.target SET goal = '3 hours' WHERE level = 'compliance';
SELECT count(*) FROM sla.recalculate('compliance', tickets => '{202,203}', goals => true, closed => true, reason => 'goal', apply => true);
TABLE breach;
UPDATE sla.rule SET set_level = 'compliance inner' WHERE source = 'compliance' AND name = 'hurry';
SELECT count(*) FROM sla.recalculate('compliance', tickets => '{203,204}', rules => true, closed => true, reason => 'rule', apply => true);
TABLE breach;
SELECT count(*) FROM sla.verify('compliance');
DELETE FROM sla.rule WHERE source = 'compliance';
SELECT sla.rebuild('compliance');
SELECT DISTINCT rule FROM breach ORDER BY 1;

SELECT sla.untrack('compliance');
DELETE FROM sla.rule WHERE source = 'compliance';
DELETE FROM sla.level WHERE name LIKE 'compliance%';
DELETE FROM sla.log WHERE source = 'compliance';
DELETE FROM sla.event WHERE source = 'compliance';
DELETE FROM sla.ticket WHERE source = 'compliance';
TRUNCATE sla.summary, sla.summary_state, sla.summary_mark;
SET client_min_messages = warning;
DROP SCHEMA compliance_test CASCADE;
