-- Rules: the choice of a level over a table.

CREATE EXTENSION pg_sla;
-- As wide as tickets are, at most a million of them.
CREATE TABLE ticket AS
SELECT i::bigint AS id, 'department ' || i % 40 AS department, 'agent ' || i % 200 AS assignee, (ARRAY['new', 'open', 'pending', 'solved'])[1 + i % 4] AS status,
	(i::bigint * 7919 % 5)::integer AS priority, 'Re: order ' || i % 1000 AS subject, (i::bigint * 104729 % 50000)::bigint AS customer,
	CASE WHEN i % 3 = 0 THEN ARRAY['tag ' || i % 60] ELSE '{}' END AS tags, timestamptz '2026-01-01 00:00Z' + i * interval '1 minute' AS created_at
FROM generate_series(1, least(:rows, 1000000)) AS i;

-- A hundred conditions such as people write, nine tenths of which are false for a row.
CREATE TABLE written AS
SELECT n, 'L' || n % 7 AS level, CASE n % 5
		WHEN 0 THEN format('department = %L AND priority <= %s', 'department ' || n * 3, n % 3)
		WHEN 1 THEN format('status = %L AND customer BETWEEN %s AND %s', 'open', n * 100, n * 100 + 40)
		WHEN 2 THEN format('%L = ANY (tags)', 'tag ' || n * 3)
		WHEN 3 THEN format('subject LIKE %L AND priority = %s', '%order ' || n || '%', n % 5)
		ELSE format('assignee IN (%L, %L) AND created_at < %L', 'agent ' || n * 2, 'agent ' || n * 2 + 1, '2026-03-01 00:00Z')
	END AS condition
FROM generate_series(1, 100) AS n;
SELECT sla.set_calendar('always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) SELECT DISTINCT level, 'always' FROM written;
INSERT INTO sla.rule (name, source, position, condition, set_level) SELECT 'rule ' || n, 'tickets', n, condition, level FROM written;
SELECT sla.track('tickets', 'ticket', 'id');
-- The same by hand: the last rule that matches counts, so that it comes first.
SELECT 'CASE ' || string_agg(format('WHEN %s THEN %L', condition, level), ' ' ORDER BY n DESC) || ' END' AS by_hand FROM written \gset
VACUUM (FREEZE, ANALYZE);

-- work: level choice over a million rows by 100 rules | <= 1.5 x
-- baseline: the same conditions in one CASE
SELECT count(:by_hand) FROM ticket AS t;
-- ours: sla.level_for(t)
SELECT count(sla.level_for(t)) FROM ticket AS t;

-- figure: rows for which the two differ | 0
SELECT count(*) FROM ticket AS t WHERE :by_hand IS DISTINCT FROM sla.level_for(t);

-- work: other rules tried over a million rows | <= 4 x
-- baseline: the same conditions in one CASE
SELECT count(:by_hand) FROM ticket AS t;
-- ours: sla.try_rules, both sets of rules
SELECT count(*) FROM sla.try_rules('tickets', '[{"name": "rule 50", "active": false}]');
