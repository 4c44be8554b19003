-- Who may: what the author of a rule can do with it, and what not.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE ROLE regress_rights_author;
CREATE ROLE regress_rights_clerk;
CREATE ROLE regress_rights_boss;
CREATE SCHEMA rights;
SET search_path = rights;
CREATE TABLE ticket (id integer PRIMARY KEY, priority integer, customer varchar(20), salary integer, level text);
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('swordfish');
CREATE TABLE stolen (who text, what text);
CREATE VIEW facts AS SELECT id, priority, customer FROM ticket;
CREATE SCHEMA author AUTHORIZATION regress_rights_author;
GRANT USAGE ON SCHEMA rights TO regress_rights_author, regress_rights_clerk, regress_rights_boss;
GRANT USAGE ON SCHEMA author TO regress_rights_boss;
GRANT SELECT ON ticket TO regress_rights_boss;
GRANT INSERT ON stolen TO regress_rights_author;
GRANT SELECT (id, priority, customer) ON ticket TO regress_rights_author;
GRANT SELECT, INSERT, UPDATE ON ticket TO regress_rights_clerk;
SELECT sla.set_calendar('rights', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('rights low', 'rights'), ('rights high', 'rights');
INSERT INTO sla.target (level, metric, goal) VALUES ('rights low', 'resolution', '1 day'), ('rights high', 'resolution', '1 hour');
SELECT sla.track('rights', 'ticket', 'id', level_column => 'level');

-- Writing rules needs a grant.
SET ROLE regress_rights_author;
INSERT INTO sla.rule (name, source, position, condition) VALUES ('mine', 'rights', 1, 'true');
INSERT INTO sla.target (level, metric, goal) VALUES ('rights low', 'first_response', '1 day');
INSERT INTO sla.level (name, calendar) VALUES ('rights mine', 'rights');
SELECT count(*) FROM sla.rule;
SELECT sla.track('mine', 'ticket', 'id');
SELECT sla.track_event('rights', 'ticket', 'paused');
SELECT * FROM sla.explain_level(ROW(1, 1, 'a', 1, '')::ticket);
SELECT * FROM sla.try_rules('rights');
SELECT * FROM sla.health();
RESET ROLE;
GRANT SELECT, INSERT, UPDATE, DELETE ON sla.rule, sla.target, sla.level TO regress_rights_author;

-- What author and rule, tried for one condition: refused with what, or what each ticket gets; then who was it?
CREATE FUNCTION attempt(condition text, path text DEFAULT 'author, rights') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	BEGIN
		PERFORM set_config('search_path', path, true), set_config('role', 'regress_rights_author', true);
		INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('attempt', 'rights', 1, condition, 'rights high');
		PERFORM set_config('role', 'none', true), set_config('search_path', 'rights', true);
		INSERT INTO rights.ticket VALUES (1, 1, 'anna', 100), (2, 2, 'bob', 200);
		SELECT string_agg(format('%s %s', t.id, coalesce(t.level, '-')), ', ' ORDER BY id) INTO result FROM rights.ticket AS t;
		IF current_user <> session_user OR current_setting('search_path') <> 'rights' THEN
			result := result || ' AND THE SESSION IS ANOTHER';
		END IF;
		IF EXISTS (SELECT FROM rights.stolen) THEN
			SELECT result || ', as ' || string_agg(DISTINCT format('%s: %s', who, what), ', ') INTO result FROM rights.stolen;
		END IF;
		RAISE EXCEPTION USING ERRCODE = 'ZZ000';
	EXCEPTION
		WHEN SQLSTATE 'ZZ000' THEN NULL;
		WHEN OTHERS THEN
			result := SQLSTATE || ' ' || SQLERRM;
	END;
	RETURN result;
END
$$;
-- Runs as superuser and without a rule: what did the attempt leave behind?
CREATE FUNCTION is_whole() RETURNS boolean LANGUAGE sql AS
	$$ SELECT count(*) = 1 AND NOT EXISTS (SELECT FROM stolen) AND NOT EXISTS (SELECT FROM sla.rule WHERE source = 'rights') FROM secret $$;

-- Nothing in a condition can break out of its place.
CREATE TABLE attack (condition text);
INSERT INTO attack VALUES
	('priority = 1'), ('true) OR (true'), ('true); DROP TABLE secret; --'), ('true; DROP TABLE secret'), (';'), (''), ('-- nothing'), ('/* nothing */'),
	('true -- ) AND false'), ('true /* ) AND false */'), ('true /* /* nested */ '), ('true /* /* nested */ */ AND priority = 2'), ('true */'), ('true)'), ('(true'), ('true))'),
	('true FROM secret'), ('true AS x'), ('true x'), ('true, true'), ('*'), ('ticket.*'), ('true UNION SELECT true'), ('true WHERE true'), ('true LIMIT 1'), ('true FOR UPDATE'),
	('true INTO stolen'), ('DISTINCT true'), ('ALL true'), ('SELECT true'), ('(SELECT word FROM secret) IS NOT NULL'), ('EXISTS (SELECT FROM secret)'), ('priority IN (SELECT 1)'),
	('ARRAY(SELECT word FROM secret) IS NOT NULL'), ('(TABLE secret) IS NOT NULL'), ('(VALUES (true))'), ('$1'), (':x'), ('$x$true$x$::boolean'), ('$x$true'),
	('''true'' OR true'), ('customer = ''anna'' OR ''1''=''1'''), ('customer = ''\'' OR true --'''), ('customer = E''\'' OR true --'''), ('U&"p\0072iority" = 1'), ('"priority = 1 OR true"'),
	('U&''\0061nna'' = customer'), ('U&"\0000" = 1'), ('priority = 1' || chr(10) || 'OR priority = 2'), ('count(*) > 0'), ('row_number() OVER () = 1'), ('generate_series(1, 2) = 1'),
	('random() > 2'), ('nextval(''x'') > 0'), ('pg_sleep(0) IS NULL'), ('set_config(''role'', ''none'', false) IS NULL'), ('current_setting(''is_superuser'') = ''on'''),
	('pg_read_file(''/etc/passwd'') IS NOT NULL'), ('ctid IS NOT NULL'), ('tableoid > 0'), ('secret.word = ''x'''), ('rights.secret.word = ''x'''), ('word = ''x'''),
	('OLD.priority = 1'), ('query_to_xml(''SELECT * FROM rights.secret'', true, true, '''') IS NOT NULL'), ('has_table_privilege(''rights.secret'', ''SELECT'')'),
	('current_user = ''regress_rights_author'''), ('session_user = ''regress_rights_author'''), ('priority = 1 AND pg_has_role(''regress_rights_boss'', ''USAGE'')'),
	('CASE WHEN true THEN true END'), ('(priority, id) = (1, 1)'), ('priority = ANY (''{1}'')'), ('GROUPING(priority) = 0'), ('CURRENT OF x'), ('DEFAULT'), ('PRIOR'), ('xmlserialize(document xmlelement(name x) as text) = ''<x/>'' AND priority = 1');
SELECT condition, attempt(condition) FROM attack ORDER BY ctid;
SELECT is_whole();

-- Functions of the author's run as the author, whoever writes the ticket, and may not read what the author may not.
SET ROLE regress_rights_author;
SET search_path = author;
CREATE FUNCTION tell(what text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO rights.stolen VALUES (current_user, what); RETURN true; END $$;
CREATE FUNCTION whose() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN author.tell('called'); END $$;
CREATE FUNCTION reads() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN author.tell((SELECT word FROM rights.secret)); END $$;
CREATE FUNCTION writes() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN DELETE FROM rights.secret; RETURN true; END $$;
CREATE FUNCTION lies() RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN author.tell('while compiling'); END $$;
CREATE FUNCTION sets_role() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT set_config('role', 'none', false) IS NULL $$;
CREATE FUNCTION sets_user() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT set_config('session_authorization', 'default', false) IS NULL $$;
CREATE FUNCTION sets_path() RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT set_config('search_path', 'author', false) = 'author' $$;
CREATE FUNCTION sets_own_path() RETURNS boolean LANGUAGE sql STABLE SET search_path = author SET row_security = off AS $$ SELECT current_setting('search_path') = 'author' $$;
CREATE FUNCTION makes_temp() RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN author.makes_temp_really(); END $$;
CREATE FUNCTION makes_temp_really() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN CREATE TEMP TABLE ticket (id integer); RETURN true; END $$;
CREATE FUNCTION defines() RETURNS boolean LANGUAGE plpgsql STABLE SECURITY DEFINER AS $$ BEGIN RETURN author.tell('as definer'); END $$;
CREATE FUNCTION takes_row(t rights.ticket) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN author.tell(t.salary::text); END $$;
CREATE FUNCTION default_argument(x boolean DEFAULT author.tell('default')) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT x';
CREATE FUNCTION eq(varchar, text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN author.tell('operator'); END $$;
CREATE OPERATOR = (LEFTARG = varchar, RIGHTARG = text, FUNCTION = eq);
CREATE OPERATOR === (LEFTARG = varchar, RIGHTARG = text, FUNCTION = eq);
CREATE FUNCTION lower(varchar) RETURNS text LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM author.tell('function'); RETURN 'anna'; END $$;
CREATE FUNCTION checks(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN author.tell('domain'); END $$;
CREATE DOMAIN checked AS integer CHECK (checks(VALUE));
CREATE TYPE pair AS (a integer);
CREATE FUNCTION to_pair(integer) RETURNS pair LANGUAGE plpgsql STABLE AS $$ BEGIN PERFORM author.tell('cast'); RETURN ROW($1)::author.pair; END $$;
CREATE CAST (integer AS pair) WITH FUNCTION to_pair(integer);
RESET ROLE;
SET search_path = rights;
CREATE TABLE function_attack (condition text);
INSERT INTO function_attack VALUES ('whose()'), ('reads()'), ('writes()'), ('lies()'), ('sets_role()'), ('sets_user()'), ('sets_path()'), ('sets_own_path()'), ('makes_temp()'), ('defines()'), ('tell(''x'')'),
	('takes_row(ticket)'), ('default_argument()'), ('customer = ''anna''::text'), ('customer === ''anna'''), ('customer OPERATOR(author.=) ''anna'''), ('lower(customer) = ''anna'''), ('priority::checked > 0'),
	('(priority::pair).a = 1'), ('salary > 150'), ('ticket IS NOT NULL'), ('ticket.salary IS NULL'), ('to_jsonb(ticket) IS NULL');
SELECT condition, attempt(condition) FROM function_attack ORDER BY ctid;
SELECT is_whole();
-- A row that all may read, read by a function.
GRANT SELECT ON ticket TO regress_rights_author;
SELECT condition, attempt(condition) FROM function_attack WHERE condition ~ 'salary|row|ticket' ORDER BY ctid;
-- By the clerk, who has less rights than the author in one place and more in another.
SET ROLE regress_rights_author;
SET search_path = author, rights;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('mine', 'rights', 1, 'whose() AND current_user = ''regress_rights_author''', 'rights high');
SET ROLE regress_rights_clerk;
INSERT INTO rights.ticket VALUES (1, 1, 'anna', 100);
SELECT current_user, id, level FROM rights.ticket;
SELECT sla.level_for(t) FROM rights.ticket t;
RESET ROLE;
SET search_path = rights;
SELECT DISTINCT who, what FROM stolen;
DELETE FROM stolen;
DELETE FROM ticket;

-- A superuser's rule does not run what the author can replace, by name or because the author made it later.
SET search_path = author, rights;
\set VERBOSITY default
INSERT INTO sla.rule (name, source, position, condition, set_level, owner) VALUES ('other', 'rights', 2, 'lower(customer) = ''anna''', 'rights high', 'regress_rights_boss');
INSERT INTO sla.rule (name, source, position, condition, set_level, owner) VALUES ('other', 'rights', 2, 'priority::checked > 0', 'rights high', 'regress_rights_boss');
\set VERBOSITY sqlstate
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('other', 'rights', 2, 'lower(customer) = ''anna''', 'rights high');
\set VERBOSITY terse
DROP OPERATOR author.= (varchar, text);
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('other', 'rights', 2, 'customer = ''anna''::text', 'rights high');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('definer', 'rights', 3, 'author.defines()', 'rights high');
UPDATE sla.rule SET active = false WHERE name IN ('mine', 'definer') AND source = 'rights';
INSERT INTO ticket VALUES (1, 1, 'anna', 100);
SELECT id, level FROM ticket;
SET ROLE regress_rights_author;
CREATE OPERATOR author.= (LEFTARG = varchar, RIGHTARG = text, FUNCTION = author.eq);
RESET ROLE;
\set VERBOSITY sqlstate
SELECT sla.level_for(t) FROM ticket t;
\c -
SET client_min_messages = warning;
SET timezone = 'UTC';
SET search_path = rights;
SELECT sla.level_for(t) FROM ticket t;
\set VERBOSITY terse
SELECT * FROM stolen;
DROP OPERATOR author.= (varchar, text);
SELECT sla.level_for(t) FROM ticket t;
DELETE FROM sla.rule WHERE source = 'rights';
-- With the author as owner it may.
INSERT INTO sla.rule (name, source, position, condition, set_level, owner) VALUES ('mine', 'rights', 1, 'author.lower(customer) = ''anna''', 'rights high', 'regress_rights_author');
SELECT sla.level_for(t) FROM ticket t;

-- The author cannot take another's rights, or change what another wrote without becoming its writer.
UPDATE sla.rule SET condition = 'current_user <> ''regress_rights_author''', search_path = 'rights' WHERE source = 'rights' AND name = 'mine';
SELECT owner = current_user AS mine FROM sla.rule WHERE source = 'rights';
SET ROLE regress_rights_author;
\set VERBOSITY sqlstate
UPDATE sla.rule SET search_path = 'author' WHERE source = 'rights';
UPDATE sla.rule SET time_zone = 'UTC' WHERE source = 'rights';
UPDATE sla.rule SET time_zone = 'Asia/Tokyo' WHERE source = 'rights';
UPDATE sla.rule SET owner = 'regress_rights_boss' WHERE source = 'rights';
INSERT INTO sla.rule (name, source, position, condition, owner) VALUES ('boss', 'rights', 1, 'true', 'regress_rights_boss');
INSERT INTO sla.rule (name, source, position, condition, owner, search_path, time_zone) VALUES ('boss', 'rights', 1, 'true', 'regress_rights_boss', 'author', 'UTC');
INSERT INTO sla.rule (name, source, position, condition, owner) VALUES ('boss', 'rights', 1, 'true', 'no such role');
INSERT INTO sla.rule SELECT (jsonb_populate_record(r, '{"name": "boss", "condition": "author.whose()"}')).* FROM sla.rule r WHERE source = 'rights';
\set VERBOSITY terse
UPDATE sla.rule SET position = 3 WHERE source = 'rights';
UPDATE sla.rule SET condition = 'author.whose()' WHERE source = 'rights';
SELECT owner FROM sla.rule WHERE source = 'rights';
RESET ROLE;
GRANT regress_rights_boss TO regress_rights_author;
SET ROLE regress_rights_author;
UPDATE sla.rule SET owner = 'regress_rights_boss', condition = 'true' WHERE source = 'rights';
SELECT owner, condition FROM sla.rule WHERE source = 'rights';
RESET ROLE;
REVOKE regress_rights_boss FROM regress_rights_author;
-- The same for goals.
SET ROLE regress_rights_author;
SET search_path = author, rights;
INSERT INTO sla.target (level, metric, position, goal, condition) VALUES ('rights high', 'resolution', -1, '2 hours', 'whose() AND reads()');
RESET ROLE;
SET search_path = rights;
SELECT sla.goal_for(t, 'resolution') FROM ticket t;
DELETE FROM sla.target WHERE level = 'rights high' AND position = -1;
DELETE FROM stolen;

-- Row security: who may not read all rows cannot have them read.
DELETE FROM sla.rule WHERE source = 'rights';
DELETE FROM ticket;
ALTER TABLE ticket ENABLE ROW LEVEL SECURITY;
CREATE POLICY none_of_them ON ticket FOR SELECT TO regress_rights_author USING (false);
SELECT attempt('takes_row(ticket)'), attempt('priority = 1'), attempt('true');
ALTER ROLE regress_rights_author BYPASSRLS;
SELECT attempt('takes_row(ticket)'), attempt('priority = 1');
ALTER ROLE regress_rights_author NOBYPASSRLS;
ALTER TABLE ticket DISABLE ROW LEVEL SECURITY;
-- A right that is taken away later stops the rule.
SET ROLE regress_rights_author;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('mine', 'rights', 1, 'priority = 1', 'rights high');
RESET ROLE;
INSERT INTO ticket VALUES (1, 1, 'anna', 100);
REVOKE SELECT ON ticket FROM regress_rights_author;
\set VERBOSITY default
INSERT INTO ticket VALUES (2, 1, 'anna', 100);
\set VERBOSITY terse
SELECT part, code, problem FROM sla.health() WHERE source = 'rights';
GRANT SELECT ON ticket TO regress_rights_author;
INSERT INTO ticket VALUES (2, 1, 'anna', 100);
SELECT id, level FROM ticket ORDER BY id;
DELETE FROM sla.rule WHERE source = 'rights';
DELETE FROM ticket;

-- Facts are read as the view's owner: a right to the view is what the author needs, and all that helps.
CREATE VIEW wide AS SELECT id, priority, customer, (SELECT word FROM secret) AS word FROM ticket;
CREATE VIEW author.own AS SELECT id, priority, (SELECT word FROM rights.secret) AS word, author.whose() AS whose FROM rights.ticket;
ALTER VIEW author.own OWNER TO regress_rights_author;
SELECT sla.track('rights', 'ticket', 'id', facts => 'wide', level_column => 'level');
SELECT attempt('word = ''swordfish''');
GRANT SELECT (id, priority) ON wide TO regress_rights_author;
SELECT attempt('word = ''swordfish'''), attempt('priority = 1'), attempt('wide IS NOT NULL');
GRANT SELECT ON wide TO regress_rights_author;
SELECT attempt('word = ''swordfish''');
SELECT sla.track('rights', 'ticket', 'id', facts => 'author.own', level_column => 'level');
SELECT attempt('word = ''swordfish''');
GRANT SELECT ON secret TO regress_rights_author;
SELECT attempt('word = ''swordfish''');
REVOKE SELECT ON secret FROM regress_rights_author;
SELECT is_whole();

-- A level_column is written as the table's owner, whose triggers do not get the rights of who tracked it.
SET ROLE regress_rights_author;
CREATE TABLE author.own_ticket (id integer PRIMARY KEY, level text);
CREATE FUNCTION author.on_update() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM author.tell('trigger'); RETURN NEW; END $$;
CREATE TRIGGER on_update BEFORE UPDATE ON author.own_ticket FOR EACH ROW EXECUTE FUNCTION author.on_update();
RESET ROLE;
SELECT sla.track('rights', 'ticket', 'id');
SELECT sla.untrack('rights');
SELECT sla.track('rights', 'author.own_ticket', 'id', level_column => 'level');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'rights', 1, 'true', 'rights low');
GRANT INSERT ON author.own_ticket TO regress_rights_clerk;
GRANT USAGE ON SCHEMA author TO regress_rights_clerk;
SET ROLE regress_rights_clerk;
INSERT INTO author.own_ticket VALUES (1);
RESET ROLE;
SELECT * FROM author.own_ticket;
SELECT * FROM stolen;
-- Who tracks needs the rights to the columns and the view that are read and written for it.
GRANT EXECUTE ON FUNCTION sla.track TO regress_rights_clerk;
GRANT TRIGGER ON ticket TO regress_rights_clerk;
REVOKE UPDATE ON ticket FROM regress_rights_clerk;
SET ROLE regress_rights_clerk;
SELECT sla.track('rights clerk', 'ticket', 'id', level_column => 'level');
SELECT sla.track('rights clerk', 'ticket', 'id', facts => 'wide');
RESET ROLE;
GRANT UPDATE (level) ON ticket TO regress_rights_clerk;
REVOKE SELECT ON ticket FROM regress_rights_clerk;
SET ROLE regress_rights_clerk;
SELECT sla.track('rights clerk', 'ticket', 'id', level_column => 'level');
RESET ROLE;
GRANT SELECT (id) ON ticket TO regress_rights_clerk;
SET ROLE regress_rights_clerk;
SELECT sla.track('rights clerk', 'ticket', 'id', department => 'customer', level_column => 'level');
SELECT sla.track('rights clerk', 'ticket', 'id', level_column => 'level');
RESET ROLE;
INSERT INTO ticket VALUES (1, 1, 'anna', 100);

SELECT sla.untrack('rights'), sla.untrack('rights clerk');
REVOKE EXECUTE ON FUNCTION sla.track FROM regress_rights_clerk;
DELETE FROM sla.rule WHERE source = 'rights';
DELETE FROM sla.level WHERE name LIKE 'rights %';
DELETE FROM sla.log WHERE source LIKE 'rights%';
DELETE FROM sla.event WHERE source LIKE 'rights%';
DELETE FROM sla.ticket WHERE source LIKE 'rights%';
DROP SCHEMA rights, author CASCADE;
DROP OWNED BY regress_rights_author, regress_rights_clerk, regress_rights_boss;
DROP ROLE regress_rights_author, regress_rights_clerk, regress_rights_boss;
