-- A role that is no superuser creates the extension in its own database, and uses it.
SELECT current_database() AS regression \gset
SET client_min_messages = warning;
CREATE ROLE regress_trusted_owner LOGIN;
CREATE ROLE regress_trusted_other LOGIN;
CREATE DATABASE regress_trusted OWNER regress_trusted_owner;
\c regress_trusted
SET client_min_messages = warning;
SET timezone = 'Europe/Oslo';

-- Not everybody: it takes the right to create objects in the database.
SET ROLE regress_trusted_other;
CREATE EXTENSION pg_sla;
RESET ROLE;
SET ROLE regress_trusted_owner;
CREATE EXTENSION pg_sla;
SELECT extowner::regrole FROM pg_extension WHERE extname = 'pg_sla';

-- Nothing of it belongs to that role, and nothing can be put among it.
SELECT count(*) FROM pg_class WHERE relnamespace = 'sla'::regnamespace AND relowner = 'regress_trusted_owner'::regrole;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'sla'::regnamespace AND proowner = 'regress_trusted_owner'::regrole;
CREATE FUNCTION sla.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT pg_catalog.now()';
CREATE TABLE sla.mine (a int);
CREATE OR REPLACE FUNCTION sla.local_date(cal text, at timestamptz) RETURNS date LANGUAGE sql AS 'SELECT at::date';
ALTER FUNCTION sla.next_open(text, timestamptz) SET search_path = public;
CREATE TRIGGER mine BEFORE INSERT ON sla.event FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE mine AS ON INSERT TO sla.calendar DO ALSO SELECT 1;
ALTER TABLE sla.rule ADD COLUMN mine int;
ALTER EXTENSION pg_sla SET SCHEMA public;

-- The quick start, as that role.
CREATE TABLE public.ticket (id bigint PRIMARY KEY, status text, tags text[] NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL);
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES ('Standard', 'resolution', '3 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('everyone', 'helpdesk', 10, 'true', 'Standard');
SELECT sla.track('helpdesk', 'public.ticket', 'id', created_at => 'created_at', changed_at => 'created_at');
SELECT sla.track_event('helpdesk', 'public.ticket', 'resolved', $$status = 'solved'$$);
INSERT INTO public.ticket (id, created_at) VALUES (1, '2024-03-08 14:00');
UPDATE public.ticket SET status = 'solved', created_at = '2024-03-11 08:30';
SELECT ticket, level, request, deadline, state, elapsed FROM sla.log_report;
SELECT count(*) FROM sla.verify('helpdesk');
SELECT * FROM sla.health();

-- It cannot make anybody else the one as whom a condition is run, nor write what the extension writes.
INSERT INTO sla.rule (name, source, position, condition, owner) VALUES ('as another', 'helpdesk', 20, 'true', 'regress_trusted_other');
UPDATE sla.rule SET owner = 'regress_trusted_other';
UPDATE sla.source SET owner = 'regress_trusted_other';
INSERT INTO sla.source_event SELECT * FROM sla.source_event;
UPDATE sla.log SET outcome = 'met';
DELETE FROM sla.event;
TRUNCATE sla.rule;
-- a function in a condition runs as that role, whoever touches a ticket
CREATE FUNCTION public.who() RETURNS text LANGUAGE sql STABLE AS 'SELECT current_user::text';
UPDATE sla.rule SET condition = $$public.who() = 'regress_trusted_owner'$$;
RESET ROLE;
INSERT INTO public.ticket (id, created_at) VALUES (2, '2024-03-08 14:00');
SELECT ticket, level FROM sla.log WHERE ticket = '2';
SET ROLE regress_trusted_owner;

-- What it may do it may pass on; others may ask about schedules and no more.
SET ROLE regress_trusted_other;
SELECT sla.next_open('UTC: Mo-Fr 08:00-16:00'::sla.schedule, '2024-03-09');
SELECT count(*) FROM sla.rule;
SELECT sla.track('theirs', 'public.ticket', 'id');
SET ROLE regress_trusted_owner;
GRANT SELECT ON sla.rule TO regress_trusted_other;
SET ROLE regress_trusted_other;
SELECT count(*) FROM sla.rule;
DROP EXTENSION pg_sla CASCADE;
SET ROLE regress_trusted_owner;
DROP EXTENSION pg_sla CASCADE;
SELECT count(*) FROM pg_namespace WHERE nspname = 'sla';

RESET ROLE;
\c :regression
DROP DATABASE regress_trusted;
DROP ROLE regress_trusted_owner, regress_trusted_other;
