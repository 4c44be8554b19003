/*
 * record.sql
 *		What is told by hand: events, deadlines, merged tickets.
 */

CREATE FUNCTION sla.record_event(
	source text, ticket text, event text, at timestamptz DEFAULT pg_catalog.now(), agent text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_record_event'
LANGUAGE C VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.record_event(text, text, text, timestamptz, text) IS
	'record that something happened to a ticket of a tracked source, now or at a given instant, and bring its clocks up to date';
REVOKE ALL ON FUNCTION sla.record_event(text, text, text, timestamptz, text) FROM PUBLIC;

CREATE FUNCTION sla.set_deadline(
	log_id bigint, deadline timestamptz, reason text, at timestamptz DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_set_deadline'
LANGUAGE C VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.set_deadline(bigint, timestamptz, text, timestamptz) IS
	'set the deadline of an open clock by hand, now or at a given instant: nothing else moves it any more; NULL takes that back. The reason is kept in sla.deadline_change';
REVOKE ALL ON FUNCTION sla.set_deadline(bigint, timestamptz, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.merge(
	source text, ticket text, into_ticket text, inherit_start boolean DEFAULT false,
	at timestamptz DEFAULT pg_catalog.now(), agent text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_merge'
LANGUAGE C VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.merge(text, text, text, boolean, timestamptz, text) IS
	'a ticket was merged into another: its open clocks are cancelled. inherit_start: the other''s clocks count from the earlier start';
REVOKE ALL ON FUNCTION sla.merge(text, text, text, boolean, timestamptz, text) FROM PUBLIC;
