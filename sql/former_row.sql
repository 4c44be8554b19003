-- Conditions of rules that name the row as it was before a change.
SET client_min_messages = warning;
CREATE SCHEMA former_test;
SET search_path = former_test;
SET timezone = 'UTC';

CREATE TABLE ticket (
	id integer PRIMARY KEY, status text, priority integer, tags text[], custom jsonb, note text,
	created_at timestamptz NOT NULL DEFAULT '2024-03-04 09:00');
SELECT sla.set_calendar('former', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('former plain', 'former'), ('former quick', 'former'), ('former inner', 'former');
UPDATE sla.level SET agreement = 'operational' WHERE name = 'former inner';
INSERT INTO sla.target (level, metric, goal) VALUES
	('former plain', 'resolution', '1 day'), ('former quick', 'resolution', '1 hour'), ('former inner', 'resolution', '2 days');
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES
	('former', 1, 'everyone', 'former plain', 'true'),
	('former', 2, 'reopened', 'former quick', $$status = 'open' AND old.status IN ('solved', 'closed')$$),
	('former', 3, 'raised', 'former quick', 'priority < old.priority');
SELECT sla.track('former', 'ticket', 'id', created_at => 'created_at', changed_at => 'created_at');

-- What was decided last for each ticket.
CREATE VIEW decision AS
SELECT DISTINCT ON (e.source, e.ticket) e.source, e.ticket, p.level
FROM sla.event e LEFT JOIN sla.promise p ON p.id = e.promises[1]
WHERE e.source LIKE 'former%' AND e.promises[1] >= 0 ORDER BY e.source, e.ticket, e.at DESC, e.id DESC;

-- A new ticket has no row before it.
INSERT INTO ticket (id, status, priority) VALUES (1, 'open', 1), (2, NULL, NULL), (3, 'solved', 3), (4, 'solved', 3);
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
-- The change counts, not the state; NULL is no match.
UPDATE ticket SET status = 'open' WHERE id IN (1, 2, 3);
UPDATE ticket SET note = 'nothing that a rule reads' WHERE id = 3;
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
-- Another change in a column that a rule reads is another decision.
UPDATE ticket SET priority = 4 WHERE id = 3;
UPDATE ticket SET priority = 2 WHERE id = 4;
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
UPDATE ticket SET priority = 1 WHERE id IN (3, 4);
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
-- One statement, many rows: each its own.
UPDATE ticket SET status = CASE id WHEN 1 THEN 'solved' WHEN 2 THEN 'closed' ELSE 'pending' END;
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
UPDATE ticket SET status = 'open';
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
-- So also by INSERT ... ON CONFLICT, and where the key itself changes.
INSERT INTO ticket (id, status, priority) VALUES (1, 'open', 1) ON CONFLICT (id) DO UPDATE SET priority = 0;
UPDATE ticket SET id = 5, priority = 0 WHERE id = 2;
UPDATE ticket SET id = 6, priority = -1 WHERE id = 3;
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
SELECT count(*) FROM sla.verify('former');

-- old IS DISTINCT FROM NULL tells whether there was a row, whatever was in it.
CREATE TABLE bare (id integer, a text, b integer);
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES
	('former bare', 1, 'new', 'former plain', 'old IS NOT DISTINCT FROM NULL'),
	('former bare', 2, 'changed', 'former quick', 'old IS DISTINCT FROM NULL AND old.a IS DISTINCT FROM a');
SELECT sla.track('former bare', 'bare', 'id');
INSERT INTO bare VALUES (1, 'x'), (2, NULL), (3, NULL);
UPDATE bare SET a = 'y' WHERE id <> 3;
UPDATE bare SET b = 1;
SELECT e.ticket, e.event, p.level FROM sla.event e LEFT JOIN sla.promise p ON p.id = e.promises[1] WHERE e.source = 'former bare' ORDER BY e.ticket, e.id;

-- A level that was set for what happened stays where no other rule says otherwise.
DELETE FROM sla.rule WHERE source = 'former bare' AND name = 'new';
INSERT INTO bare VALUES (4, 'x');
UPDATE bare SET a = 'z' WHERE id = 4;
UPDATE bare SET a = 'z', b = 7 WHERE id = 4;
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES ('former bare', 3, 'inner', 'former inner', 'b = 9');
UPDATE bare SET b = 9 WHERE id = 4;
SELECT agreement, level, outcome FROM sla.log WHERE source = 'former bare' AND ticket = '4' ORDER BY 1, 2, 3;

-- In queries, in what is tried and in what is explained there is no row before.
SELECT id, sla.level_for('former', t), sla.goal_for('former', t, 'resolution') FROM ticket t WHERE id IN (1, 4) ORDER BY id;
SELECT rule, result, decided_by, saw FROM ticket t, sla.explain_level('former', t) WHERE id = 4;
SELECT ticket, level_now, level_then FROM sla.try_rules('former',
	'[{"name": "everyone", "active": false}, {"name": "tried", "position": 9, "set_level": "former quick", "condition": "old.status = ''x'' OR id = 4"}]', as_new => false) ORDER BY ticket;
SELECT count(*) FROM sla.try_rules('former', '[{"name": "tried", "position": 9, "set_level": "former quick", "condition":
	{"any": [{"field": "status", "operator": "changed"}, {"field": "status", "operator": "not changed"}]}}]', as_new => false);
SELECT sla.backfill('former') IS NOT NULL;
SELECT count(*) FROM sla.verify('former');

-- Partitions, also where a row moves from one to another with other columns.
CREATE TABLE parted (id integer, kind text, status text) PARTITION BY LIST (kind);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES IN ('a');
CREATE TABLE parted_b (junk integer, status text, kind text, id integer);
ALTER TABLE parted_b DROP junk;
ALTER TABLE parted ATTACH PARTITION parted_b FOR VALUES IN ('b');
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES
	('former parts', 1, 'everyone', 'former plain', 'true'),
	('former parts', 2, 'moved', 'former quick', $$old.kind = 'a' AND parted.kind = 'b' AND old.status = 'was'$$),
	('former parts', 3, 'here', 'former quick', $$old.kind = 'b' AND old.status = 'was' AND status = 'is'$$);
SELECT sla.track('former parts', 'parted', 'id');
INSERT INTO parted VALUES (1, 'a', 'was'), (2, 'a', 'no'), (3, 'b', 'was');
UPDATE parted SET kind = 'b', status = 'is' WHERE kind = 'a';
UPDATE parted SET status = 'is' WHERE id = 3;
SELECT ticket, level FROM decision WHERE source = 'former parts' ORDER BY 1;

-- What is refused.
CREATE FUNCTION refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || concat_ws(' / ', message, nullif(detail, ''), nullif(hint, ''));
END
$$;
CREATE FUNCTION of_rule(condition text, source text DEFAULT 'former') RETURNS text LANGUAGE sql AS
	$$SELECT refusal(format('INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES (%L, 100, %L, %L, %L)', source, condition, 'former plain', condition))$$;
SELECT c, of_rule(c) FROM (VALUES ('old IS NOT NULL'), ('old IS DISTINCT FROM ticket'), ('old.* IS NULL'), ('to_jsonb(old) ? ''x'''), ('old.ctid IS NULL'),
	('old.nothing = 1'), ('nothing = 1'), ('old = NULL'), ('former_test.old.status = ''x''')) AS v(c);
SELECT refusal($$INSERT INTO sla.target (level, metric, goal, condition, position) VALUES ('former plain', 'resolution', '2 days', 'old.priority = 1', -1)$$);
SELECT refusal($$SELECT sla.track_event('former', 'ticket', 'resolved', 'old.status = ''open''')$$);
SELECT refusal($$SELECT sla.track('former too', 'ticket', 'id', department => 'old.status')$$);
SELECT refusal($$SELECT FROM sla.try_rules('former', condition => 'old.status = ''open''')$$);
SELECT refusal($$SELECT sla.check_condition('ticket', 'old.status = status')$$), refusal($$SELECT sla.check_condition('decision', 'old.level = level')$$);
-- Rules over facts know no former ones, neither when they are written nor when facts come.
CREATE VIEW facts AS SELECT t.*, 1 AS one FROM ticket t;
SELECT refusal($$SELECT sla.track('former', 'ticket', 'id', created_at => 'created_at', changed_at => 'created_at', facts => 'facts')$$);
SELECT sla.track('former facts', 'ticket', 'id', facts => 'facts');
SELECT of_rule('old.status = status', 'former facts'), of_rule('status = ''x''', 'former facts');
SELECT refusal($$SELECT sla.condition_from_json('former facts', '{"all": [{"field": "status", "operator": "changed"}]}')$$);
SELECT refusal($$SELECT sla.condition_from_json('facts'::regclass, '{"all": [{"field": "status", "operator": "changed"}]}')$$);
SELECT sla.untrack('former facts');
DELETE FROM sla.rule WHERE source = 'former facts';
DROP VIEW facts;
-- A column or a table of that name comes first.
CREATE TYPE pair AS (status text, other text);
CREATE TABLE has_old (id integer, status text, old pair);
CREATE TABLE old (id integer, status text);
SELECT refusal($$SELECT sla.check_condition('has_old', '(old).status = status AND old IS NOT NULL')$$), refusal($$SELECT sla.check_condition('has_old', 'old.status = status')$$);
SELECT refusal($$SELECT sla.condition_from_json('has_old'::regclass, '{"all": [{"field": "status", "operator": "changed"}]}')$$);
SELECT refusal($$SELECT sla.check_condition('old', 'old.status = status AND old IS NOT NULL')$$);
SELECT refusal($$SELECT sla.condition_from_json('old'::regclass, '{"all": [{"field": "status", "operator": "changed"}]}')$$);

-- Its columns are read with the author's rights.
CREATE ROLE former_author;
GRANT USAGE ON SCHEMA former_test TO former_author;
GRANT SELECT (id, status, created_at) ON ticket TO former_author;
BEGIN;
SELECT refusal($$UPDATE sla.rule SET owner = 'former_author' WHERE source = 'former' AND name = 'reopened'$$),
	refusal($$UPDATE sla.rule SET owner = 'former_author', condition = 'old.priority = 1' WHERE source = 'former' AND name = 'raised'$$);
ROLLBACK;

-- A column that is renamed, retyped or dropped is found out, as in the row itself.
BEGIN;
ALTER TABLE ticket RENAME note TO remark;
UPDATE sla.rule SET condition = 'old.remark = ''x''' WHERE source = 'former' AND name = 'raised';
UPDATE ticket SET remark = 'x' WHERE id = 4;
ALTER TABLE ticket RENAME remark TO words;
SAVEPOINT renamed;
UPDATE ticket SET words = 'y' WHERE id = 4;
ROLLBACK TO renamed;
SELECT part, code, problem FROM sla.health() WHERE source = 'former';
ALTER TABLE ticket RENAME words TO remark;
UPDATE ticket SET remark = 'y' WHERE id = 4;
SELECT level FROM decision WHERE source = 'former' AND ticket = '4';
ALTER TABLE ticket ALTER remark TYPE integer USING 1;
UPDATE sla.rule SET condition = 'old.remark = 1' WHERE source = 'former' AND name = 'raised';
UPDATE ticket SET remark = 2 WHERE id = 1;
SELECT level FROM decision WHERE source = 'former' AND ticket = '1';
ROLLBACK;
-- Errors in the middle, and functions that come back, find the former row of their own.
CREATE FUNCTION nested(id integer) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT sla.level_for('former', t) = 'former plain' FROM ticket t WHERE t.id = 4);
END
$$;
UPDATE sla.rule SET condition = '(old IS NOT DISTINCT FROM NULL OR nested(ticket.id)) AND priority < old.priority AND 1 / old.priority = 0' WHERE source = 'former' AND name = 'raised';
UPDATE ticket SET priority = 10;
UPDATE ticket SET priority = 5;
SELECT ticket, level FROM decision WHERE source = 'former' ORDER BY 1;
UPDATE ticket SET priority = 0;
UPDATE ticket SET priority = -1;
UPDATE ticket SET priority = -1, status = 'solved' WHERE id = 1;
SELECT sla.level_for('former', t) FROM ticket t WHERE id = 1;

-- Structured conditions.
SELECT operator, sql, sla.condition_to_json(sql) = condition AS same
FROM (VALUES ('{"field": "status", "operator": "changed"}'), ('{"field": "status", "operator": "not changed"}'),
	('{"field": "status", "operator": "changed to", "value": "open"}'), ('{"field": "status", "operator": "changed from", "value": "o''pen"}'),
	('{"field": "priority", "operator": "changed to", "value": -1}'), ('{"field": "tags", "operator": "changed"}'),
	('{"field": "custom.plan", "operator": "changed"}'), ('{"field": "custom.plan", "operator": "changed to", "value": "gold"}'),
	('{"field": "custom.a b.seats", "operator": "changed from", "value": 5}')) AS v(c),
	LATERAL (SELECT jsonb_build_object('all', jsonb_build_array(c::jsonb)) AS condition, c::jsonb ->> 'operator' AS operator) AS j,
	LATERAL (SELECT sla.condition_from_json('former', condition) AS sql) AS s;
-- They are told from the same with more comparisons.
SELECT sla.condition_to_json(sla.condition_from_json('former', c)) = c AS same FROM (VALUES
	(jsonb '{"all": [{"field": "status", "operator": "changed"}, {"field": "status", "operator": "is", "value": "open"}]}'),
	('{"all": [{"field": "status", "operator": "is", "value": "open"}, {"field": "status", "operator": "changed"}]}'),
	('{"any": [{"field": "status", "operator": "changed to", "value": "a"}, {"field": "status", "operator": "changed from", "value": "b"}],
	  "none": [{"field": "priority", "operator": "not changed"}]}'),
	('{"any": [{"field": "status", "operator": "changed"}]}')) AS v(c);
SELECT sql, sla.condition_to_json(sql) FROM (VALUES ('old IS DISTINCT FROM NULL'), ('old.status = status'), ('old IS DISTINCT FROM NULL AND old.a IS DISTINCT FROM b'),
	('old IS DISTINCT FROM NULL AND a = 1 AND old.b IS DISTINCT FROM b'), ('old IS DISTINCT FROM NULL AND a = 1 AND old.a IS NOT DISTINCT FROM a'),
	('old IS DISTINCT FROM NULL AND a = 1'), ('old IS DISTINCT FROM NULL AND a IS DISTINCT FROM a'), ('old IS DISTINCT FROM NULL AND')) AS v(sql);
SELECT refusal(format($$SELECT sla.condition_from_json('former', '{"all": [%s]}')$$, c)) FROM (VALUES
	('{"field": "status", "operator": "changed", "value": "x"}'), ('{"field": "status", "operator": "changed to"}'),
	('{"field": "status", "operator": "changed to", "value": null}'), ('{"field": "tags", "operator": "changed to", "value": "x"}'),
	('{"field": "status", "operator": "changed", "ignore_case": true}'), ('{"field": "status", "operator": "became", "value": "x"}')) AS v(c);
-- What they say of changes: to a value from NULL too, and nothing of a new ticket.
DELETE FROM sla.rule WHERE source = 'former bare';
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES ('former bare', 1, 'everyone', 'former plain', 'true');
INSERT INTO sla.rule (source, position, name, set_level, condition)
SELECT 'former bare', 2, c, 'former quick', sla.condition_from_json('former bare', jsonb_build_object('all', jsonb_build_array(c::jsonb)))
FROM (VALUES ('{"field": "a", "operator": "changed"}'), ('{"field": "a", "operator": "not changed"}'),
	('{"field": "a", "operator": "changed to", "value": "y"}'), ('{"field": "a", "operator": "changed from", "value": "x"}')) AS v(c);
CREATE FUNCTION matched_on(was text, is_now text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	tried record;
	answer text := '';
BEGIN
	UPDATE sla.rule SET active = false WHERE source = 'former bare' AND position = 2;
	FOR tried IN SELECT name FROM sla.rule WHERE source = 'former bare' AND position = 2 ORDER BY name LOOP
		DELETE FROM bare;
		UPDATE sla.rule SET active = (name = tried.name) WHERE source = 'former bare' AND position = 2;
		INSERT INTO bare VALUES (10, was, 1);
		IF EXISTS (SELECT FROM sla.log WHERE source = 'former bare' AND ticket = '10' AND level = 'former quick') THEN
			RETURN 'a new one matched ' || tried.name;
		END IF;
		UPDATE bare SET a = is_now, b = 2;
		IF EXISTS (SELECT FROM sla.log WHERE source = 'former bare' AND ticket = '10' AND level = 'former quick') THEN
			answer := concat_ws(', ', nullif(answer, ''), tried.name::jsonb ->> 'operator');
		END IF;
		DELETE FROM bare;
		DELETE FROM sla.event WHERE source = 'former bare' AND ticket = '10';
		DELETE FROM sla.log WHERE source = 'former bare' AND ticket = '10';
		DELETE FROM sla.ticket WHERE source = 'former bare' AND ticket = '10';
	END LOOP;
	RETURN answer;
END
$$;
INSERT INTO sla.rule (source, position, name, set_level, condition) VALUES ('former bare', 0, 'reads b', NULL, 'b = 0');
SELECT was, is_now, matched_on(was, is_now) FROM (VALUES ('x', 'y'), ('x', 'z'), ('x', 'x'), ('z', 'y'), (NULL, 'y'), ('x', NULL), (NULL, NULL), ('y', 'y')) AS v(was, is_now);

SELECT sla.untrack('former'), sla.untrack('former bare'), sla.untrack('former parts');
DELETE FROM sla.rule WHERE source LIKE 'former%';
DELETE FROM sla.level WHERE name LIKE 'former %';
DELETE FROM sla.log WHERE source LIKE 'former%';
DELETE FROM sla.event WHERE source LIKE 'former%';
DELETE FROM sla.ticket WHERE source LIKE 'former%';
DROP SCHEMA former_test CASCADE;
DROP OWNED BY former_author;
DROP ROLE former_author;
