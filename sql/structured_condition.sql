-- Conditions as JSON: what they become in SQL, and back.
SET client_min_messages = warning;
CREATE SCHEMA structured_test;
SET search_path = structured_test;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE TYPE mood AS ENUM ('calm', 'angry');
CREATE DOMAIN word AS text;
CREATE TABLE ticket (
	id integer, status text, subject varchar(100), priority integer, cost numeric, vip boolean, feeling mood,
	tags text[], codes integer[], moods mood[], names varchar(10)[], created_at timestamptz, opened date, heard timestamp,
	custom jsonb, raw json, "odd ""name" text, "user" word, "a.b" text);

-- One of each.
CREATE TABLE sample (n integer GENERATED ALWAYS AS IDENTITY, condition jsonb);
INSERT INTO sample (condition) SELECT jsonb_build_object('all', jsonb_build_array(c::jsonb)) FROM (VALUES
	('{"field": "status", "operator": "is", "value": "it''s \\ open"}'),
	('{"field": "status", "operator": "is", "value": ""}'),
	('{"field": "priority", "operator": "is", "value": -1}'),
	('{"field": "priority", "operator": "is", "value": "1"}'),
	('{"field": "cost", "operator": "is", "value": 12345678901234567890.5}'),
	('{"field": "vip", "operator": "is", "value": true}'),
	('{"field": "feeling", "operator": "is", "value": "angry"}'),
	('{"field": "user", "operator": "is", "value": "kari"}'),
	('{"field": "a.b", "operator": "is", "value": "x"}'),
	('{"field": "odd \"name", "operator": "is not", "value": "a\"b"}'),
	('{"field": "custom.plan", "operator": "is", "value": "gold"}'),
	('{"field": "custom.seats", "operator": "is", "value": 5}'),
	('{"field": "custom.a b.c", "operator": "is not", "value": false}'),
	('{"field": "status", "operator": "one of", "value": ["new", "open"]}'),
	('{"field": "priority", "operator": "not one of", "value": [1, 2, "3"]}'),
	('{"field": "custom.plan", "operator": "one of", "value": [5, true]}'),
	('{"field": "custom.plan", "operator": "not one of", "value": ["gold", "silver"]}'),
	('{"field": "subject", "operator": "contains", "value": "100%_\\"}'),
	('{"field": "subject", "operator": "contains", "value": ["refund", "money"], "ignore_case": true}'),
	('{"field": "subject", "operator": "does not contain", "value": "test"}'),
	('{"field": "feeling", "operator": "starts with", "value": "an"}'),
	('{"field": "subject", "operator": "starts with", "value": "Re:"}'),
	('{"field": "subject", "operator": "does not start with", "value": ["Re:", "Fwd:"]}'),
	('{"field": "user", "operator": "ends with", "value": "@example.com", "ignore_case": true}'),
	('{"field": "subject", "operator": "does not end with", "value": "!"}'),
	('{"field": "subject", "operator": "matches", "value": "^\\[(BUG|P1)\\]"}'),
	('{"field": "subject", "operator": "does not match", "value": "x+", "ignore_case": true}'),
	('{"field": "custom.plan", "operator": "matches", "value": "^g"}'),
	('{"field": "custom.plan", "operator": "contains", "value": "old"}'),
	('{"field": "custom.plan", "operator": "does not contain", "value": ["ol", "il"], "ignore_case": true}'),
	('{"field": "custom.plan", "operator": "ends with", "value": "d"}'),
	('{"field": "tags", "operator": "contains", "value": "URGENT"}'),
	('{"field": "tags", "operator": "does not contain", "value": ["a", "b, \"c\""]}'),
	('{"field": "codes", "operator": "contains", "value": 7}'),
	('{"field": "codes", "operator": "contains", "value": [7, -8]}'),
	('{"field": "moods", "operator": "contains", "value": ["calm", "angry"]}'),
	('{"field": "names", "operator": "contains", "value": ["Kari", "Ola"]}'),
	('{"field": "priority", "operator": "less", "value": 3}'),
	('{"field": "cost", "operator": "less or equal", "value": 3.5}'),
	('{"field": "priority", "operator": "greater", "value": "3"}'),
	('{"field": "status", "operator": "greater or equal", "value": "m"}'),
	('{"field": "created_at", "operator": "greater or equal", "value": "2026-03-02 10:00+01"}'),
	('{"field": "custom.seats", "operator": "greater", "value": 10}'),
	('{"field": "priority", "operator": "between", "value": [1, 3]}'),
	('{"field": "custom.seats", "operator": "between", "value": [-1.5, 3]}'),
	('{"field": "created_at", "operator": "between", "value": ["2026-01-01", "2026-02-01"]}'),
	('{"field": "created_at", "operator": "before", "value": "2026-03-02 10:00 Europe/Oslo"}'),
	('{"field": "opened", "operator": "after", "value": "2026-03-02"}'),
	('{"field": "heard", "operator": "before", "value": "2026-03-02 10:00"}'),
	('{"field": "created_at", "operator": "within the last", "value": "2 hours"}'),
	('{"field": "opened", "operator": "within the next", "value": "7 days"}'),
	('{"field": "heard", "operator": "longer ago than", "value": "1 month"}'),
	('{"field": "status", "operator": "empty"}'),
	('{"field": "status", "operator": "not empty"}'),
	('{"field": "priority", "operator": "empty"}'),
	('{"field": "priority", "operator": "not empty"}'),
	('{"field": "tags", "operator": "empty"}'),
	('{"field": "tags", "operator": "not empty"}'),
	('{"field": "custom.plan", "operator": "empty"}'),
	('{"field": "custom.plan", "operator": "not empty"}'),
	('{"field": "status", "operator": "changed"}'),
	('{"field": "a.b", "operator": "not changed"}'),
	('{"field": "user", "operator": "changed to", "value": "kari"}'),
	('{"field": "feeling", "operator": "changed from", "value": "calm"}'),
	('{"field": "custom.seats", "operator": "changed to", "value": 5}')
) AS v(c);
INSERT INTO sample (condition) VALUES
	('{"all": []}'),
	('{"any": [{"field": "vip", "operator": "is", "value": true}]}'),
	('{"any": [{"field": "vip", "operator": "is", "value": true}, {"field": "priority", "operator": "is", "value": 1}]}'),
	('{"none": [{"field": "vip", "operator": "is", "value": true}]}'),
	('{"all": [{"field": "priority", "operator": "is", "value": 1}, {"field": "status", "operator": "is", "value": "new"}],
		"any": [{"field": "vip", "operator": "is", "value": true}, {"field": "cost", "operator": "between", "value": [1, 2]}],
		"none": [{"field": "status", "operator": "is", "value": "spam"}, {"field": "status", "operator": "empty"}]}'),
	('{"all": [{"any": [{"field": "vip", "operator": "is", "value": true}, {"none": [{"field": "status", "operator": "empty"}]}]},
		{"all": [{"field": "priority", "operator": "is", "value": 1}]}, {"all": []}]}');
SELECT n, sla.condition_from_json('ticket'::regclass, condition) AS sql FROM sample ORDER BY n;
SELECT count(*), count(*) FILTER (WHERE sla.condition_to_json(sla.condition_from_json('ticket'::regclass, condition)) IS DISTINCT FROM condition) AS wrong FROM sample;
-- A list without parts says nothing; nor does null where there is no value.
SELECT sla.condition_from_json('ticket'::regclass, '{"all": [], "any": [], "none": []}'),
	sla.condition_from_json('ticket'::regclass, '{"all": [{"field": "vip", "operator": "empty", "value": null}], "any": []}');
-- Other SQL is none of ours.
SELECT sql, sla.condition_to_json(sql) FROM (VALUES
	('status = ''a'' OR vip = true'), ('vip'), ('lower(status) = ''a'''), ('(SELECT 1) = 1'), ('status LIKE ''a'''), ('status LIKE ''a%b%'''), (''),
	('status = ''a'' AND'), ('(status = ''a'''), ('vip = true AND (vip = true OR vip = false) AND vip = true'), ('status = ''a'' -- really'),
	('CASE WHEN'), ('CASE ELSE'), ('NOT coalesce(vip = true, true)'), ('created_at < now() - ''1 day'''), ('priority = 1 + 1')) AS v(sql);
SELECT sla.condition_to_json('status = ''a');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT sla.condition_to_json(repeat('(', 20000) || 'vip = true' || repeat(')', 20000)) IS NULL;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default

-- What is refused, and where.
CREATE FUNCTION refusal(j jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
	context text;
BEGIN
	RETURN sla.condition_from_json('ticket'::regclass, j);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, context = PG_EXCEPTION_CONTEXT, hint = PG_EXCEPTION_HINT;
	RETURN SQLSTATE || ' ' || substring(context FROM 'structured condition at (\S*)') || ': ' || message || CASE WHEN hint <> '' AND length(hint) < 130 THEN ' / ' || hint ELSE '' END;
END
$$;
SELECT refusal(c::jsonb) FROM (VALUES
	('1'), ('[]'), ('{}'), ('{"field": "status", "operator": "is", "value": "x"}'), ('{"all": {}}'), ('{"all": [1]}'), ('{"all": [[]]}'), ('{"all": [], "some": []}'),
	('{"any": [{"all": [{"none": [{}]}]}]}'), ('{"any": [{"all": [], "x": 1}]}')) AS v(c);
SELECT refusal(jsonb_build_object('all', jsonb_build_array(jsonb '{"field": "vip", "operator": "empty"}', c::jsonb))) FROM (VALUES
	('{"operator": "is", "value": "x"}'),
	('{"field": "status", "value": "x"}'),
	('{"field": 1, "operator": "is", "value": "x"}'),
	('{"field": "statsu", "operator": "is", "value": "x"}'),
	('{"field": "xmin", "operator": "is", "value": "x"}'),
	('{"field": "nothing.plan", "operator": "is", "value": "x"}'),
	('{"field": "custom.", "operator": "is", "value": "x"}'),
	('{"field": "custom..x", "operator": "is", "value": "x"}'),
	('{"field": "status.plan", "operator": "is", "value": "x"}'),
	('{"field": "custom", "operator": "is", "value": "x"}'),
	('{"field": "raw.x", "operator": "is", "value": "x"}'),
	('{"field": "status", "operator": "is_not", "value": "x"}'),
	('{"field": "status", "operator": "is", "valeu": "x"}'),
	('{"field": "status", "operator": "is"}'),
	('{"field": "status", "operator": "is", "value": null}'),
	('{"field": "status", "operator": "is", "value": 1}'),
	('{"field": "status", "operator": "is", "value": ["x"]}'),
	('{"field": "priority", "operator": "is", "value": "many"}'),
	('{"field": "feeling", "operator": "is", "value": "glad"}'),
	('{"field": "created_at", "operator": "is", "value": 20260302}'),
	('{"field": "created_at", "operator": "is", "value": "tomorrowish"}'),
	('{"field": "vip", "operator": "is", "value": "perhaps"}'),
	('{"field": "tags", "operator": "is", "value": "x"}'),
	('{"field": "tags", "operator": "one of", "value": ["x"]}'),
	('{"field": "tags", "operator": "starts with", "value": "x"}'),
	('{"field": "codes", "operator": "contains", "value": "x"}'),
	('{"field": "status", "operator": "one of", "value": "x"}'),
	('{"field": "status", "operator": "one of", "value": []}'),
	('{"field": "status", "operator": "one of", "value": ["x", null]}'),
	('{"field": "custom.plan", "operator": "one of", "value": ["x", 1]}'),
	('{"field": "status", "operator": "contains", "value": ""}'),
	('{"field": "status", "operator": "contains", "value": ["x", 1]}'),
	('{"field": "priority", "operator": "contains", "value": "1"}'),
	('{"field": "priority", "operator": "matches", "value": "1"}'),
	('{"field": "status", "operator": "matches", "value": "("}'),
	('{"field": "status", "operator": "is", "value": "x", "ignore_case": true}'),
	('{"field": "status", "operator": "contains", "value": "x", "ignore_case": 1}'),
	('{"field": "priority", "operator": "less", "value": [1]}'),
	('{"field": "custom.seats", "operator": "less", "value": "1"}'),
	('{"field": "priority", "operator": "between", "value": [1]}'),
	('{"field": "priority", "operator": "between", "value": 1}'),
	('{"field": "status", "operator": "before", "value": "2026-01-01"}'),
	('{"field": "custom.when", "operator": "before", "value": "2026-01-01"}'),
	('{"field": "created_at", "operator": "before", "value": "02/03/2026 25:00"}'),
	('{"field": "created_at", "operator": "within the last", "value": "a while"}'),
	('{"field": "created_at", "operator": "within the last", "value": "-1 hour"}'),
	('{"field": "created_at", "operator": "within the last", "value": 1}'),
	('{"field": "status", "operator": "empty", "value": "x"}'),
	('{"field": "status", "operator": "changed", "value": "x"}'),
	('{"field": "status", "operator": "changed to"}')) AS v(c);
SELECT sla.condition_from_json('no such source', '{"all": []}');
\echo :LAST_ERROR_SQLSTATE
CREATE INDEX ticket_id ON ticket (id);
SELECT sla.condition_from_json('ticket_id'::regclass, '{"all": []}');
\echo :LAST_ERROR_SQLSTATE
SELECT sla.condition_from_json(NULL::regclass, '{}') IS NULL, sla.condition_to_json(NULL) IS NULL;

-- Nothing in a value breaks out of its place.
SELECT sla.condition_from_json('ticket'::regclass, jsonb_build_object('all', jsonb_build_array(jsonb_build_object('field', 'status', 'operator', 'is', 'value', v)))) AS sql
FROM (VALUES (''' OR true --'), ('\'' OR true --'), ('$$ OR true'), (E'\n'' || ''')) AS t(v);

-- Random conditions: they come back, and hold for the rows for which their definition says so.
INSERT INTO ticket (id, status, subject, priority, cost, vip, feeling, tags, codes, created_at, opened, custom) VALUES
	(1, 'new', 'Refund: 100%', 1, 10.5, true, 'angry', '{a,b}', '{1,2}', '2026-03-02 10:00+00', '2026-03-02', '{"plan": "gold", "seats": 5, "labels": ["a", "gold"]}'),
	(2, 'open', 're: refund', 2, 0, false, 'calm', '{}', NULL, '2026-03-03 10:00+00', '2026-03-01', '{"plan": null, "seats": "5", "labels": []}'),
	(3, '', '', NULL, NULL, NULL, NULL, NULL, '{}', NULL, NULL, '{}'),
	(4, NULL, NULL, -1, -3, false, 'calm', '{a}', '{7}', '2026-01-01 00:00+00', NULL, NULL),
	(5, 'NEW', 'a_b\c', 3, 10.50, true, NULL, '{B,"x y"}', '{2}', 'infinity', 'infinity', '{"plan": "old", "seats": 7.5, "labels": "gold"}');
CREATE FUNCTION scalar_holds(v jsonb, operator text, value jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	t text := v #>> '{}';
	w text := value #>> '{}';
BEGIN
	IF jsonb_typeof(value) = 'array' AND operator <> 'between' THEN
		RETURN (SELECT coalesce(bool_or(scalar_holds(v, CASE operator WHEN 'one of' THEN 'is' ELSE operator END, e)), false) FROM jsonb_array_elements(value) e);
	END IF;
	IF operator = 'empty' THEN RETURN v IS NULL OR v IN ('null', '""', '[]', '{}'); END IF;
	IF v IS NULL OR v = 'null' THEN RETURN false; END IF;
	CASE operator
		WHEN 'is' THEN RETURN CASE jsonb_typeof(value) WHEN 'string' THEN t = w ELSE v = value END;
		WHEN 'contains' THEN RETURN CASE jsonb_typeof(v) WHEN 'array' THEN v @> jsonb_build_array(value) ELSE strpos(t, w) > 0 END;
		WHEN 'starts with' THEN RETURN left(t, length(w)) = w;
		WHEN 'ends with' THEN RETURN right(t, length(w)) = w;
		WHEN 'less' THEN RETURN jsonb_typeof(v) = 'number' AND v < value;
		WHEN 'greater or equal' THEN RETURN jsonb_typeof(v) = 'number' AND v >= value;
		WHEN 'between' THEN RETURN jsonb_typeof(v) = 'number' AND v >= value -> 0 AND v <= value -> 1;
	END CASE;
END
$$;
CREATE FUNCTION holds(r jsonb, c jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	operator text := c ->> 'operator';
	v jsonb := r #> string_to_array(c ->> 'field', '.');
BEGIN
	IF c ? 'field' THEN
		CASE operator
			WHEN 'is not' THEN RETURN NOT scalar_holds(v, 'is', c -> 'value');
			WHEN 'not one of' THEN RETURN NOT scalar_holds(v, 'one of', c -> 'value');
			WHEN 'does not contain' THEN RETURN NOT scalar_holds(v, 'contains', c -> 'value');
			WHEN 'not empty' THEN RETURN NOT scalar_holds(v, 'empty', NULL);
			ELSE RETURN scalar_holds(v, operator, c -> 'value');
		END CASE;
	END IF;
	RETURN (SELECT coalesce(bool_and(holds(r, e)), true) FROM jsonb_array_elements(c -> 'all') e)
		AND (SELECT coalesce(bool_or(holds(r, e)), true) FROM jsonb_array_elements(c -> 'any') e)
		AND (SELECT coalesce(NOT bool_or(holds(r, e)), true) FROM jsonb_array_elements(c -> 'none') e);
END
$$;
CREATE FUNCTION pick(list jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT list -> floor(random() * jsonb_array_length(list))::integer';
CREATE FUNCTION draw(depth integer) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
	c jsonb;
	result jsonb := '{}';
	list jsonb;
	key text;
BEGIN
	IF depth = 0 OR random() < 0.5 THEN
		c := pick('[
			{"field": "status", "operator": ["is", "is not", "contains", "does not contain", "starts with", "ends with"], "value": ["new", "n", "open", "%", "\\"]},
			{"field": "subject", "operator": ["contains", "does not contain", "starts with", "ends with"], "value": ["efund", "%", "_", "\\", "re: ", ["a", "%"]]},
			{"field": "status", "operator": ["one of", "not one of"], "value": [["new", "open"], ["x"], [""]]},
			{"field": "priority", "operator": ["is", "is not", "less", "greater or equal"], "value": [1, -1, 2, 1.5]},
			{"field": "cost", "operator": ["between"], "value": [[0, 10.5], [-5, -1], [3, 1]]},
			{"field": "vip", "operator": ["is", "is not"], "value": [true, false]},
			{"field": "feeling", "operator": ["is", "is not", "starts with", "contains"], "value": ["calm", "angry"]},
			{"field": "tags", "operator": ["contains", "does not contain"], "value": ["a", "B", ["b", "x y"], ["zz", "yy"]]},
			{"field": "codes", "operator": ["contains", "does not contain"], "value": [1, 7, [2, 7]]},
			{"field": "custom.plan", "operator": ["is", "is not", "contains", "does not contain", "starts with"], "value": ["gold", "old"]},
			{"field": "custom.seats", "operator": ["is", "is not", "less", "greater or equal"], "value": [5, 7.5, 6]},
			{"field": "custom.seats", "operator": ["one of", "not one of"], "value": [[5, 6], ["5"], [7.50]]},
			{"field": "custom.labels", "operator": ["contains", "does not contain"], "value": ["gold", "g", ["a", "zz"]]},
			{"field": "status", "operator": ["empty", "not empty"]}, {"field": "tags", "operator": ["empty", "not empty"]},
			{"field": "vip", "operator": ["empty", "not empty"]}, {"field": "custom.plan", "operator": ["empty", "not empty"]},
			{"field": "custom.labels", "operator": ["empty", "not empty"]}]');
		c := c || jsonb_build_object('operator', pick(c -> 'operator'));
		RETURN CASE WHEN c ? 'value' THEN c || jsonb_build_object('value', pick(c -> 'value')) ELSE c END;
	END IF;
	FOREACH key IN ARRAY ARRAY['all', 'any', 'none'] LOOP
		CONTINUE WHEN random() < 0.4;
		SELECT jsonb_agg(draw(depth - 1)) INTO list FROM generate_series(1, 1 + floor(random() * 3)::integer);
		result := result || jsonb_build_object(key, list);
	END LOOP;
	RETURN CASE result WHEN '{}' THEN '{"all": []}' ELSE result END;
END
$$;
CREATE TABLE drawn (c jsonb, sql text, id integer, wanted boolean, got boolean);
DO $$
DECLARE
	c jsonb;
	sql text;
BEGIN
	PERFORM setseed(0.5);
	FOR i IN 1 .. 600 LOOP
		c := jsonb_build_object('all', jsonb_build_array(draw(3)));
		sql := sla.condition_from_json('ticket'::regclass, c);
		EXECUTE format('INSERT INTO drawn SELECT $1, $2, id, holds(to_jsonb(ticket), $1), (%s) IS TRUE FROM ticket', sql) USING c, sql;
	END LOOP;
END
$$;
SELECT count(*), count(*) FILTER (WHERE wanted) BETWEEN 800 AND 2200 AS varied, count(*) FILTER (WHERE wanted IS DISTINCT FROM got) AS wrong,
	count(*) FILTER (WHERE sla.condition_to_json(sql) IS DISTINCT FROM c) AS not_the_same FROM drawn;
SELECT c, sql, id, wanted, got FROM drawn WHERE wanted IS DISTINCT FROM got OR sla.condition_to_json(sql) IS DISTINCT FROM c ORDER BY length(sql), id LIMIT 3;

-- In use: a rule over the ticket of a source.
SELECT sla.set_calendar('structured test', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('structured test', 'structured test');
ALTER TABLE ticket ADD PRIMARY KEY (id);
SELECT sla.track('structured test', 'ticket', 'id');
INSERT INTO sla.rule (name, source, position, condition, set_level)
VALUES ('from a form', 'structured test', 1, sla.condition_from_json('structured test',
	'{"all": [{"field": "status", "operator": "is", "value": "new"}], "any": [{"field": "tags", "operator": "contains", "value": "a"}, {"field": "vip", "operator": "is", "value": true}]}'),
	'structured test');
SELECT condition, sla.condition_to_json(condition) FROM sla.rule WHERE source = 'structured test';
SELECT id FROM ticket WHERE sla.level_for(ticket) = 'structured test' ORDER BY id;
DELETE FROM sla.rule WHERE source = 'structured test';
SELECT sla.untrack('structured test');
DELETE FROM sla.level WHERE name = 'structured test';
DELETE FROM sla.calendar WHERE name = 'structured test';
DROP SCHEMA structured_test CASCADE;
