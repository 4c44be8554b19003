/*
 * schema.sql
 *		The schema, and what all domains use.
 */

-- Not IF NOT EXISTS: a schema that someone else made must not be adopted.
CREATE SCHEMA sla;
COMMENT ON SCHEMA sla IS 'service level agreements: business time, rules, clocks and reports (extension pg_sla)';
GRANT USAGE ON SCHEMA sla TO PUBLIC;

CREATE FUNCTION sla.config_changed() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_config_changed';
COMMENT ON FUNCTION sla.config_changed() IS
	'statement trigger, before and after: tells all sessions that a configuration table has changed';

CREATE FUNCTION sla.now() RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_now';
COMMENT ON FUNCTION sla.now() IS
	'the present as the views see it: the setting pg_sla.now, else the start of the transaction';
