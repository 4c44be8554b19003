/*
 * condition.sql
 *		Conditions that users write over a row.
 */

CREATE FUNCTION sla.check_condition(relation regclass, condition text) RETURNS void
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_check_condition';
COMMENT ON FUNCTION sla.check_condition(regclass, text) IS
	'an error, which tells the place, unless the condition can be used over rows of the relation';
