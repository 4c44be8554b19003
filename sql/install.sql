-- What CREATE EXTENSION leaves behind, checked by rules rather than listed.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

CREATE TEMP VIEW member AS
	SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) AS what
	FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE e.extname = 'pg_sla' AND d.deptype = 'e';
SELECT count(*) > 100 AS many FROM member;

-- The version is the control file's, and the schema belongs to the extension.
SELECT e.extversion = a.default_version AS same_version, e.extrelocatable, n.nspname
FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname
	JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_sla';
SELECT what FROM member WHERE classid = 'pg_namespace'::regclass;

-- Everything lies in the schema sla.
SELECT what FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relnamespace <> 'sla'::regnamespace
UNION ALL
SELECT what FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.pronamespace <> 'sla'::regnamespace
UNION ALL
SELECT what FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE t.typnamespace <> 'sla'::regnamespace;

-- Everything has a comment: members, columns, triggers.
SELECT what FROM member
WHERE obj_description(objid, classid::regclass::name) IS NULL
	AND classid NOT IN ('pg_amop'::regclass, 'pg_amproc'::regclass, 'pg_cast'::regclass)
	-- identity sequences, row types and array types come with their table or type
	AND NOT EXISTS (SELECT FROM pg_class c WHERE classid = 'pg_class'::regclass AND c.oid = objid AND c.relkind = 'S')
	AND NOT EXISTS (SELECT FROM pg_type t WHERE classid = 'pg_type'::regclass AND t.oid = objid
					AND (t.typrelid <> 0 OR t.typcategory = 'A'))
ORDER BY what COLLATE "C";
SELECT c.oid::regclass AS relation, a.attname
FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('r', 'v', 'm', 'p') AND a.attnum > 0 AND NOT a.attisdropped
	AND col_description(c.oid, a.attnum) IS NULL
ORDER BY 1, 2;
SELECT t.tgrelid::regclass AS relation, t.tgname
FROM member m JOIN pg_trigger t ON m.classid = 'pg_class'::regclass AND m.objid = t.tgrelid
WHERE NOT t.tgisinternal AND obj_description(t.oid, 'pg_trigger') IS NULL
ORDER BY 1, 2;

-- Functions in SQL and PL/pgSQL are not led astray by search_path.
SELECT p.oid::regprocedure AS unsafe
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
	JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL
	AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);
SELECT p.oid::regprocedure AS unsafe
FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.prosecdef AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false);

-- Whatever asks something of a calendar asks it of a schedule too, with these marks.
CREATE TEMP VIEW question AS
	SELECT p.oid, p.proname, (p.proargtypes::oid[])[0] AS cal,
		array_to_string((p.proargtypes::oid[])[1:], ',') AS other_types,
		(p.proargnames)[2:] AS other_names, p.prorettype, p.provolatile, p.proisstrict, p.proparallel
	FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
	WHERE p.proargnames[1] = 'cal';
SELECT count(*) >= 32 AS all_there FROM question;
SELECT oid::regprocedure, provolatile, proisstrict, proparallel FROM question
WHERE NOT proisstrict OR proparallel <> 's'
	OR provolatile <> CASE cal WHEN 'text'::regtype THEN 's' ELSE 'i' END;
SELECT a.oid::regprocedure AS alone FROM question a
WHERE NOT EXISTS (
	SELECT FROM question b
	WHERE (b.proname, b.other_types, b.other_names, b.prorettype) = (a.proname, a.other_types, a.other_names, a.prorettype)
		AND b.cal <> a.cal);

-- What uses only the type is immutable and may run in parallel.
SELECT p.oid::regprocedure FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
WHERE p.proname LIKE 'schedule%' AND (p.provolatile <> 'i' OR NOT p.proisstrict OR p.proparallel <> 's');

-- Rows of users are dumped.
SELECT c.oid::regclass AS not_dumped
FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relkind = 'r' AND NOT c.oid = ANY (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'pg_sla');

-- No columns that pg_upgrade refuses.
SELECT a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod)
FROM member m JOIN pg_attribute a ON m.classid = 'pg_class'::regclass AND m.objid = a.attrelid
WHERE a.atttypid IN ('regproc'::regtype, 'regprocedure'::regtype, 'regoper'::regtype, 'regoperator'::regtype,
	'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype, 'regcollation'::regtype, 'oid'::regtype)
	AND a.attnum > 0;

-- Anybody may use the schema; nobody but the owner is given the tables of calendars.
SELECT has_schema_privilege('public', 'sla', 'USAGE') AS public_usage,
	has_schema_privilege('public', 'sla', 'CREATE') AS public_create;
SELECT relname FROM pg_class
WHERE oid IN ('sla.calendar'::regclass, 'sla.calendar_version'::regclass, 'sla.holiday_set'::regclass, 'sla.holiday'::regclass)
	AND has_table_privilege('public', oid, 'INSERT, UPDATE, DELETE, TRUNCATE');

-- Settings, known when the library is loaded.
LOAD 'pg_sla';
SELECT name, setting, unit, context, vartype, min_val, boot_val FROM pg_settings
WHERE name IN ('pg_sla.now', 'pg_sla.calendar_cache_size') ORDER BY name;

-- The clock of views.
SELECT sla.now() = now() AS is_now;
SET pg_sla.now = '2026-05-18 12:00 Europe/Oslo';
SHOW pg_sla.now;
SELECT sla.now();
-- it does not move with the session's zone and date style
SET timezone = 'Asia/Kathmandu';
SET datestyle = 'SQL, DMY';
SELECT sla.now() = '2026-05-18 10:00+00'::timestamptz AS same, current_setting('pg_sla.now');
SET pg_sla.now = '18/05/2026 12:00';
SHOW pg_sla.now;
RESET datestyle;
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
SET pg_sla.now = '0044-03-15 12:00:00.123456+00 BC';
SHOW pg_sla.now;
SELECT sla.now();
SET pg_sla.now = 'teatime';
SET pg_sla.now = 'infinity';
SET pg_sla.now = '12:00';
SET pg_sla.now = '294277-01-01';
SHOW pg_sla.now;
BEGIN;
SET LOCAL pg_sla.now = '2026-01-01 00:00+00';
SELECT sla.now();
ROLLBACK;
SHOW pg_sla.now;
SET pg_sla.now = '';
SELECT sla.now() = now() AS is_now;

-- The trigger function by which tables tell that they changed is for statements only.
SELECT sla.config_changed();
CREATE TEMP TABLE other (a int);
CREATE TRIGGER wrong AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION sla.config_changed();
INSERT INTO other VALUES (1);
DROP TABLE other;

-- Gone and back. A schema that is there already is not adopted.
DROP VIEW question, member;
SELECT sla.is_open('UTC: 24/7'::sla.schedule, '2026-01-01');
DROP EXTENSION pg_sla;
SELECT count(*) FROM pg_namespace WHERE nspname = 'sla';
CREATE SCHEMA sla;
\set VERBOSITY sqlstate
CREATE EXTENSION pg_sla;
\set VERBOSITY default
DROP SCHEMA sla;
CREATE EXTENSION pg_sla;
SELECT sla.is_open('UTC: 24/7'::sla.schedule, '2026-01-01');
