-- What every object of the extension must have.
BEGIN;
SELECT plan(10);
CREATE EXTENSION pg_sla;

CREATE TEMP VIEW member AS
SELECT d.classid, d.objid
FROM pg_depend AS d
JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
WHERE e.extname = 'pg_sla';

SELECT is_empty(
	$$SELECT pg_describe_object(classid, objid, 0) FROM member
		WHERE obj_description(objid, (SELECT relname::text FROM pg_class WHERE oid = classid)) IS NULL
			AND pg_describe_object(classid, objid, 0) !~ '^(type|row type|sequence|cast|index|toast)'
			AND classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_operator'::regclass, 'pg_namespace'::regclass)
			AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = objid AND classid = 'pg_class'::regclass AND c.relkind = 'S')$$,
	'everything has a comment');
SELECT is_empty(
	$$SELECT t.typname FROM member JOIN pg_type AS t ON classid = 'pg_type'::regclass AND t.oid = objid
		WHERE t.typtype IN ('b', 'd', 'e') AND t.typcategory <> 'A' AND obj_description(t.oid, 'pg_type') IS NULL$$,
	'every type has a comment');
SELECT is_empty(
	$$SELECT c.relname || '.' || a.attname FROM member
		JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid AND c.relkind IN ('r', 'p', 'v')
		JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		WHERE col_description(c.oid, a.attnum) IS NULL$$,
	'every column has a comment');
SELECT is_empty(
	$$SELECT pg_describe_object(classid, objid, 0) FROM member
		JOIN pg_class AS c ON classid = 'pg_class'::regclass AND c.oid = objid AND c.relkind IN ('r', 'p', 'S')
		WHERE NOT c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'pg_sla')$$,
	'every table and sequence is dumped');
SELECT is_empty(
	$$SELECT p.oid::regprocedure FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
		JOIN pg_language AS l ON l.oid = p.prolang
		WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
			AND NOT coalesce(p.proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}'$$,
	'every function has a fixed search_path');
SELECT is_empty(
	$$SELECT p.oid::regprocedure FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
		WHERE p.prosecdef AND NOT coalesce(p.proconfig, '{}') @> '{"search_path=pg_catalog, pg_temp"}'$$,
	'and so has every one that runs as its owner');
SELECT is_empty(
	$$SELECT p.oid::regprocedure FROM member JOIN pg_proc AS p ON classid = 'pg_proc'::regclass AND p.oid = objid
		WHERE p.prosecdef AND p.prorettype <> 'trigger'::regtype AND has_function_privilege('public', p.oid, 'EXECUTE')$$,
	'which not everyone may call');
SELECT is_empty(
	$$SELECT pg_describe_object(classid, objid, 0) FROM member
		WHERE classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass)
			AND pg_describe_object(classid, objid, 0) !~ ' (sla\.|"?_?sla"?\.)'$$,
	'everything is in the schema sla');
SELECT is_empty(
	$$SELECT p.oid::regprocedure FROM pg_proc AS p
		WHERE p.pronamespace = 'sla'::regnamespace AND p.proname = ANY ('{is_open,business_time,add_business_time,next_open,next_close,end_of_business_day,overdue,overdue_before,explain_business_time}')
			AND (NOT p.proisstrict OR p.proparallel <> 's'
				OR p.provolatile <> CASE WHEN p.proargtypes[0] = 'text'::regtype THEN 's'::"char" ELSE 'i' END)$$,
	'business time is strict and parallel safe, immutable for a schedule and stable for a calendar''s name');
SELECT is_empty(
	$$SELECT name, type FROM unnest('{is_open,business_time,add_business_time,next_open,next_close,end_of_business_day,overdue,overdue_before,explain_business_time}'::text[]) AS name,
			unnest('{sla.schedule,text}'::regtype[]) AS type
		WHERE NOT EXISTS (SELECT FROM pg_proc AS p
			WHERE p.pronamespace = 'sla'::regnamespace AND p.proname = name AND p.proargtypes[0] = type)$$,
	'each for both');

SELECT * FROM finish();
ROLLBACK;
