/*
 * explain_level.sql
 *		Why a ticket gets the level that it gets.
 *
 * It shows what rules say and which values they read, so that nothing is
 * granted.
 */

CREATE FUNCTION sla.explain_level(
	ticket_row anyelement,
	OUT rule text, OUT "position" integer, OUT set_level text, OUT agreement text, OUT stop boolean, OUT condition text,
	OUT matched boolean, OUT result text, OUT decided_by text, OUT saw jsonb, OUT effect text)
RETURNS SETOF record
	LANGUAGE c STABLE STRICT ROWS 20
	AS 'MODULE_PATHNAME', 'sla_explain_level';
COMMENT ON FUNCTION sla.explain_level(anyelement) IS
	'a row for each rule in order: whether it matched a new ticket with this row of a tracked table, the first part of its condition that decided, the values which that saw, and what the rule did';
REVOKE ALL ON FUNCTION sla.explain_level(anyelement) FROM PUBLIC;
CREATE FUNCTION sla.explain_level(
	source text, ticket_row anyelement,
	OUT rule text, OUT "position" integer, OUT set_level text, OUT agreement text, OUT stop boolean, OUT condition text,
	OUT matched boolean, OUT result text, OUT decided_by text, OUT saw jsonb, OUT effect text)
RETURNS SETOF record
	LANGUAGE c STABLE STRICT ROWS 20
	AS 'MODULE_PATHNAME', 'sla_explain_level_source';
COMMENT ON FUNCTION sla.explain_level(text, anyelement) IS
	'the same by the rules of the named source';
REVOKE ALL ON FUNCTION sla.explain_level(text, anyelement) FROM PUBLIC;
