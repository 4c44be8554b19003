/*
 * backfill.sql
 *		Tickets that were there before they were tracked.
 */

CREATE TABLE sla.backfill_progress (
	source      text PRIMARY KEY,
	started_at  timestamptz NOT NULL,
	changed_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	tickets     bigint NOT NULL,
	events      bigint NOT NULL,
	left_out    bigint NOT NULL,
	of_about    bigint,
	last_ticket text,
	finished_at timestamptz
);
COMMENT ON TABLE sla.backfill_progress IS 'how far sla.backfill_in_batches() has come: one row for each source, written with each batch';
COMMENT ON COLUMN sla.backfill_progress.source IS 'the source';
COMMENT ON COLUMN sla.backfill_progress.started_at IS 'when the call began';
COMMENT ON COLUMN sla.backfill_progress.changed_at IS 'when its last batch was done';
COMMENT ON COLUMN sla.backfill_progress.tickets IS 'tickets that it has done';
COMMENT ON COLUMN sla.backfill_progress.events IS 'events that it has found for them';
COMMENT ON COLUMN sla.backfill_progress.left_out IS 'tickets left out because other transactions were working on them';
COMMENT ON COLUMN sla.backfill_progress.of_about IS 'how many tickets the table has, as far as ANALYZE knows';
COMMENT ON COLUMN sla.backfill_progress.last_ticket IS 'key of the last ticket looked at, in the order of keys';
COMMENT ON COLUMN sla.backfill_progress.finished_at IS 'when it came to the end; NULL: it has not, or was stopped';
SELECT pg_catalog.pg_extension_config_dump('sla.backfill_progress', '');

CREATE FUNCTION sla.backfill(source text, at_most bigint DEFAULT NULL) RETURNS bigint
AS 'MODULE_PATHNAME', 'sla_backfill'
LANGUAGE C VOLATILE PARALLEL UNSAFE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.backfill(text, bigint) IS
	'make the history of tickets that were there before they were tracked, from the rows of the source''s tables; the number of tickets done. Tickets already known are left alone';
REVOKE ALL ON FUNCTION sla.backfill(text, bigint) FROM PUBLIC;

CREATE PROCEDURE sla.backfill_in_batches(source text, batch bigint DEFAULT 10000)
AS 'MODULE_PATHNAME', 'sla_backfill_in_batches'
LANGUAGE C;
COMMENT ON PROCEDURE sla.backfill_in_batches(text, bigint) IS
	'the same as sla.backfill(), with a commit after each batch of tickets; it can be stopped and called again';
REVOKE ALL ON PROCEDURE sla.backfill_in_batches(text, bigint) FROM PUBLIC;
