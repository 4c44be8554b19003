/*
 * structured_condition.sql
 *		Conditions as JSON, as user interfaces write them.
 */

CREATE FUNCTION sla.condition_from_json(relation regclass, condition jsonb) RETURNS text
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_condition_from_json';
COMMENT ON FUNCTION sla.condition_from_json(regclass, jsonb) IS
	'the SQL condition over rows of the relation that {"all": [...], "any": [...], "none": [...]} of {"field", "operator", "value"} stands for';
CREATE FUNCTION sla.condition_from_json(source text, condition jsonb) RETURNS text
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_condition_from_json_source';
COMMENT ON FUNCTION sla.condition_from_json(text, jsonb) IS
	'the same over the rows for which the rules of the named source are';
CREATE FUNCTION sla.condition_to_json(condition text) RETURNS jsonb
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_condition_to_json';
COMMENT ON FUNCTION sla.condition_to_json(text) IS
	'the structured condition from which sla.condition_from_json made this SQL; NULL for other SQL';
