/*
 * try_rules.sql
 *		What if: other rules over the tickets that there are.
 *
 * It shows what rules say, so that nothing is granted.
 */

CREATE FUNCTION sla.try_rules(
	source text, rules jsonb DEFAULT '[]', targets jsonb DEFAULT '[]', levels jsonb DEFAULT '[]',
	complete boolean DEFAULT false, condition text DEFAULT NULL, as_new boolean DEFAULT true,
	OUT ticket text, OUT agreement text, OUT level_now text, OUT level_then text,
	OUT rule_now text, OUT rule_then text, OUT due_now timestamptz, OUT due_then timestamptz)
RETURNS SETOF record
	LANGUAGE c STABLE CALLED ON NULL INPUT
	AS 'MODULE_PATHNAME', 'sla_try_rules';
COMMENT ON FUNCTION sla.try_rules(text, jsonb, jsonb, jsonb, boolean, text, boolean) IS
	'the tickets to which other rules, goals or levels would give another level or other goals; changes nothing. Each list has objects with the names of columns of sla.rule, sla.target or sla.level, put over the rows they name; complete: the rules are all rules';
REVOKE ALL ON FUNCTION sla.try_rules(text, jsonb, jsonb, jsonb, boolean, text, boolean) FROM PUBLIC;
