-- A facts view that asks for the rights of its reader gives the author of a rule no more than its owner has.
BEGIN;
SELECT plan(4);
SELECT current_setting('server_version_num')::integer >= 150000 AS has_such_views \gset

\if :has_such_views
CREATE EXTENSION pg_sla;
CREATE ROLE reader_author;
CREATE TABLE ticket (id integer PRIMARY KEY, level text);
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('swordfish');
CREATE VIEW facts WITH (security_invoker) AS SELECT id, (SELECT word FROM secret) AS word FROM ticket;
SELECT sla.set_calendar('always', 'UTC', '24/7');
INSERT INTO sla.level (name, calendar) VALUES ('high', 'always');
SELECT sla.track('tickets', 'ticket', 'id', facts => 'facts', level_column => 'level');
GRANT SELECT, INSERT ON sla.rule TO reader_author;
GRANT SELECT ON facts TO reader_author;

SET ROLE reader_author;
SELECT throws_ok($$SELECT * FROM facts$$, '42501');
SELECT throws_ok($$INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('mine', 'tickets', 1, $_$word LIKE 'sword%'$_$, 'high')$$,
	'42501', 'condition must not read "facts" with the rights of role "reader_author"');
RESET ROLE;

-- The owner of such a view is its reader, with no more rights.
ALTER VIEW facts OWNER TO reader_author;
SET ROLE reader_author;
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('mine', 'tickets', 1, $_$word LIKE 'sword%'$_$, 'high');
RESET ROLE;
SELECT throws_ok('INSERT INTO ticket VALUES (1)', '42501');
GRANT SELECT ON ticket, secret TO reader_author;
INSERT INTO ticket VALUES (1);
SELECT is(level, 'high') FROM ticket;
\else
SELECT skip('security_invoker came in PostgreSQL 15', 4);
\endif

SELECT * FROM finish();
ROLLBACK;
