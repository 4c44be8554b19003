/*
 * excuse.sql
 *		Why a missed deadline is forgiven: kept beside the log, which it does not change.
 *
 * An excuse belongs to a clock by the clock's key and not by the number of its
 * row, so that it outlives a log that is written anew.
 */

CREATE TABLE sla.excuse (
	source     text NOT NULL,
	ticket     text NOT NULL,
	agreement  text NOT NULL,
	metric     text NOT NULL,
	ordinal    integer NOT NULL,
	reason     text NOT NULL CONSTRAINT excuse_reason_check CHECK (reason OPERATOR(pg_catalog.<>) ''),
	excused_by text NOT NULL,
	excused_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (source, ticket, agreement, metric, ordinal)
);
COMMENT ON TABLE sla.excuse IS 'missed clocks that were excused, with the reason; sla.excuse() writes it';
COMMENT ON COLUMN sla.excuse.source IS 'source of the ticket';
COMMENT ON COLUMN sla.excuse.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.excuse.agreement IS 'kind of agreement of the clock';
COMMENT ON COLUMN sla.excuse.metric IS 'metric of the clock';
COMMENT ON COLUMN sla.excuse.ordinal IS 'number of the clock among the ticket''s of that agreement and metric';
COMMENT ON COLUMN sla.excuse.reason IS 'why the miss is forgiven';
COMMENT ON COLUMN sla.excuse.excused_by IS 'the role that excused it';
COMMENT ON COLUMN sla.excuse.excused_at IS 'when it did';
SELECT pg_catalog.pg_extension_config_dump('sla.excuse', '');

CREATE FUNCTION sla.excuse(log_id bigint, reason text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	asked_role text := current_setting('role');
	clock sla.log;
BEGIN
	IF excuse.reason = '' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'an excuse must have a reason';
	END IF;
	-- The key stays what it is until the excuse is there.
	SELECT * INTO clock FROM sla.log AS l WHERE l.id = excuse.log_id FOR KEY SHARE;
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found',
			MESSAGE = format('there is no clock %s in sla.log', excuse.log_id);
	END IF;
	IF clock.outcome <> 'missed' OR (clock.outcome IS NULL
			AND NOT sla.clock_missed(clock.deadline, clock.counted, clock.running_since, sla.now(), clock.deadline_excluded, clock.fixed)) THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = format('clock %s of ticket "%s" has not missed its deadline', excuse.log_id, clock.ticket),
			DETAIL = format('It is %s.', coalesce(clock.outcome, 'open'));
	END IF;
	INSERT INTO sla.excuse AS e (source, ticket, agreement, metric, ordinal, reason, excused_by)
	VALUES (clock.source, clock.ticket, clock.agreement, clock.metric, clock.ordinal, excuse.reason,
		CASE asked_role WHEN 'none' THEN session_user ELSE asked_role END)
	ON CONFLICT ON CONSTRAINT excuse_pkey DO UPDATE
	SET reason = EXCLUDED.reason, excused_by = EXCLUDED.excused_by, excused_at = EXCLUDED.excused_at;
END
$function$;
COMMENT ON FUNCTION sla.excuse(bigint, text) IS
	'forgive a clock its missed deadline, with the reason; again: with another reason. The verdict stays, reports leave it out where they are asked to';
REVOKE ALL ON FUNCTION sla.excuse(bigint, text) FROM PUBLIC;

CREATE FUNCTION sla.unexcuse(log_id bigint) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
	DELETE FROM sla.excuse AS e USING sla.log AS l
	WHERE l.id = unexcuse.log_id
		AND (e.source, e.ticket, e.agreement, e.metric, e.ordinal) = (l.source, l.ticket, l.agreement, l.metric, l.ordinal);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found',
			MESSAGE = format('clock %s has no excuse', unexcuse.log_id);
	END IF;
END
$function$;
COMMENT ON FUNCTION sla.unexcuse(bigint) IS 'take the excuse of a clock back';
REVOKE ALL ON FUNCTION sla.unexcuse(bigint) FROM PUBLIC;
