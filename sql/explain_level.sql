-- Why a ticket gets its level: agreement with sla.level_for, and the part of a condition that decided.
SET client_min_messages = warning;
CREATE SCHEMA explain_test;
SET search_path = explain_test;
SET timezone = 'UTC';
SELECT sla.set_calendar('explain test', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar, agreement) VALUES
	('explain low', 'explain test', 'customer'), ('explain high', 'explain test', 'customer'), ('explain inside', 'explain test', 'operational');
CREATE TABLE ticket (id integer PRIMARY KEY, gone text, status text, priority integer, tags text[], custom jsonb, at timestamptz);
ALTER TABLE ticket DROP gone;
SELECT sla.track('explain test', 'ticket', 'id');
INSERT INTO ticket VALUES (1, 'open', 1, '{a}', '{"plan": "gold"}', '2026-03-02'), (2, 'new', 5, '{}', NULL, NULL), (3, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM sla.explain_level(ROW(1, 'open', 1, NULL, NULL, NULL)::ticket);
INSERT INTO sla.rule (name, source, position, condition, set_level, stop, active, on_create) VALUES
	('everyone', 'explain test', 10, 'true', 'explain low', false, true, true),
	('b', 'explain test', 20, $$ status = 'open' AND (priority = 1 OR 'b' = ANY (tags)) $$, 'explain high', false, true, true),
	('a', 'explain test', 20, $$priority > 3$$, 'explain inside', false, true, true),
	('switched off', 'explain test', 25, 'true', 'explain low', true, false, true),
	('changed only', 'explain test', 26, 'true', 'explain low', true, true, false),
	('gold', 'explain test', 30, $$custom ->> 'plan' = 'gold'$$, NULL, true, true, true),
	('nothing', 'explain test', 31, 'status IS NULL', NULL, false, true, true),
	('last', 'explain test', 40, $$status = 'new' OR priority BETWEEN 2 AND 3 OR at < '2026-01-01Z'$$, 'explain high', true, true, true);
\x on
SELECT t.id, e.* FROM ticket t, sla.explain_level(t) e WHERE id = 1 ORDER BY id;
\x off
SELECT t.id, e.rule, e.matched, e.result, e.decided_by, e.saw, e.effect FROM ticket t, sla.explain_level('explain test', t) e WHERE id > 1 ORDER BY id, e.position, e.rule;

-- The part that decided, with what it saw.
CREATE FUNCTION decided(condition text, t ticket) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sla.rule WHERE source = 'explain test';
	INSERT INTO sla.rule (name, source, position, condition) VALUES ('r', 'explain test', 1, condition);
	RETURN (SELECT format('%s: %s %s', result, decided_by, saw) FROM sla.explain_level(t));
END
$$;
SELECT c, decided(c, t) FROM ticket t, (VALUES
	('priority = 1'), ('((priority = 1))'), ('priority = 1 and status = ''x'''), ('priority = 1 AND status = ''open'''), ('priority = 2 OR status = ''x'''),
	('(priority = 2 OR (status = ''open'' AND (priority = 1)))'), ('priority = 1 AND (status = ''x'' OR (tags = ''{}'' AND true))'),
	('(priority = 1) AND (status = ''x'')'), ('(priority = 1 OR status = ''x'') = (status = ''open'' AND true)'),
	('priority BETWEEN 1 AND 2 AND status = ''x'''), ('priority NOT BETWEEN 3 AND 4 AND NOT (priority BETWEEN SYMMETRIC 2 AND 1)'),
	('CASE WHEN priority = 1 AND status = ''x'' THEN true ELSE priority = 2 OR false END'), ('NOT (priority = 1 AND status = ''open'')'),
	('(priority = 1 AND status = ''x'') IS NOT TRUE'), ('status = '' AND '' OR "status" = $$x OR y$$ OR priority = 1 -- OR' || E'\n'),
	('priority = ANY (ARRAY[1, 2]) AND tags[1] = ''b'''), ('NULL AND priority = 1'), ('priority = 1 AND NULL'), ('ticket IS NOT NULL'),
	('EXTRACT(year FROM at) = 2026 AND custom ->> ''plan'' = ''silver'''), ('priority = 2 OR /* or */ priority = 1')) AS v(c)
WHERE id = 1;
-- Parts behind the one that decided are not asked.
SELECT decided('priority = 2 AND 1 / (priority - 1) = 1', t), decided('priority = 1 OR 1 / (priority - 1) = 1', t) FROM ticket t WHERE id = 1;
SELECT decided('1 / (priority - 1) = 1', t) FROM ticket t WHERE id = 1;
\echo :LAST_ERROR_SQLSTATE

-- Random rules: the level is the one that sla.level_for gives, and each rule's result follows from its condition.
DELETE FROM sla.rule WHERE source = 'explain test';
CREATE TABLE drawn (seed integer, id integer, wanted text, got text, wrong bigint);
DO $$
BEGIN
	PERFORM setseed(0.7);
	FOR seed IN 1 .. 120 LOOP
		DELETE FROM sla.rule WHERE source = 'explain test';
		INSERT INTO sla.rule (name, source, position, condition, set_level, stop, active, on_create)
		SELECT 'r' || i, 'explain test', (random() * 4)::integer,
			(ARRAY['true', 'priority = 1', 'priority > 1 OR status = ''open''', 'status = ''open'' AND priority IS NOT NULL', 'NULL', 'priority = 5 OR (status IS NULL AND priority IS NULL)', '''a'' = ANY (tags)', 'false'])[1 + (random() * 7)::integer],
			(ARRAY['explain low', 'explain high', 'explain inside', NULL])[1 + (random() * 3)::integer], random() < 0.25, random() < 0.9, random() < 0.9
		FROM generate_series(1, 7) i;
		INSERT INTO drawn SELECT seed, t.id, sla.level_for(t), max(e.set_level) FILTER (WHERE e.agreement = 'customer' AND e.effect LIKE 'set level%'),
			count(*) FILTER (WHERE (e.matched IS NULL) <> (e.result NOT IN ('matched', 'not matched')) OR (e.effect IS NOT NULL AND e.matched IS NOT TRUE)
				OR (e.matched IS NULL) <> (e.decided_by IS NULL) OR (e.matched IS NULL) <> (e.saw IS NULL))
		FROM ticket t, sla.explain_level(t) e GROUP BY t.id, t;
	END LOOP;
END
$$;
SELECT count(*), count(got) > 150 AS varied, count(*) FILTER (WHERE wanted IS DISTINCT FROM got) AS different, sum(wrong) AS wrong FROM drawn;

-- Whose rows, and for whom.
SELECT * FROM sla.explain_level(1);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.explain_level('no such source', ROW(1, 'open', 1, NULL, NULL, NULL)::ticket);
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM sla.explain_level(NULL::ticket);
CREATE ROLE explain_clerk;
GRANT USAGE ON SCHEMA explain_test TO explain_clerk;
GRANT SELECT ON ticket TO explain_clerk;
SET ROLE explain_clerk;
SELECT sla.explain_level(t) FROM ticket t;
\echo :LAST_ERROR_SQLSTATE
RESET ROLE;
DELETE FROM sla.rule WHERE source = 'explain test';
SELECT sla.untrack('explain test');
DELETE FROM sla.level WHERE name LIKE 'explain %';
DROP SCHEMA explain_test CASCADE;
DROP ROLE explain_clerk;
