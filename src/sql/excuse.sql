/*
 * excuse.sql
 *		Why a missed deadline is forgiven: kept beside the log, which it does not change.
 *
 * An excuse belongs to a clock by an instant at which it was open and late,
 * and not by its number: so it outlives a log that is written anew, and stays
 * with its clock when events that arrive late put others before it.
 */

CREATE TABLE sla.excuse (
	source     text NOT NULL,
	ticket     text NOT NULL,
	agreement  text NOT NULL,
	metric     text NOT NULL,
	missed_at  timestamptz NOT NULL,
	reason     text NOT NULL CONSTRAINT excuse_reason_check CHECK (reason OPERATOR(pg_catalog.<>) ''),
	excused_by text NOT NULL,
	excused_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (source, ticket, agreement, metric, missed_at)
);
COMMENT ON TABLE sla.excuse IS 'missed clocks that were excused, with the reason; sla.excuse() writes it';
COMMENT ON COLUMN sla.excuse.source IS 'source of the ticket';
COMMENT ON COLUMN sla.excuse.ticket IS 'key of the ticket, as text';
COMMENT ON COLUMN sla.excuse.agreement IS 'kind of agreement of the clock';
COMMENT ON COLUMN sla.excuse.metric IS 'metric of the clock';
COMMENT ON COLUMN sla.excuse.missed_at IS 'an instant at which the clock was open and past its deadline: mostly the deadline itself. It tells the clock from the ticket''s others of that agreement and metric, which ran at other times';
COMMENT ON COLUMN sla.excuse.reason IS 'why the miss is forgiven';
COMMENT ON COLUMN sla.excuse.excused_by IS 'the role that excused it';
COMMENT ON COLUMN sla.excuse.excused_at IS 'when it did';
SELECT pg_catalog.pg_extension_config_dump('sla.excuse', '');

-- The rows of one agreement and metric live one after the other, in the order of
-- their numbers. When a row began is not written down: it is the first one that
-- ended later, and where it goes on with a run that had ended, as that of a
-- reopened ticket does, it was not there before it counted again.
CREATE FUNCTION sla.was_open(
	at timestamptz, source text, ticket text, agreement text, metric text, ordinal integer,
	started_at timestamptz, counted tstzmultirange, running_since timestamptz, closed_at timestamptz)
RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
RETURN started_at OPERATOR(pg_catalog.<=) at
	AND (closed_at IS NULL OR closed_at OPERATOR(pg_catalog.>) at)
	AND NOT EXISTS (
		SELECT FROM sla.log AS p
		WHERE p.source OPERATOR(pg_catalog.=) was_open.source AND p.ticket OPERATOR(pg_catalog.=) was_open.ticket
			AND p.agreement OPERATOR(pg_catalog.=) was_open.agreement AND p.metric OPERATOR(pg_catalog.=) was_open.metric
			AND p.ordinal OPERATOR(pg_catalog.<) was_open.ordinal
			AND (p.closed_at OPERATOR(pg_catalog.>) at
				OR (p.ordinal OPERATOR(pg_catalog.=) (was_open.ordinal OPERATOR(pg_catalog.-) 1)
					AND p.started_at OPERATOR(pg_catalog.=) was_open.started_at
					AND p.reason IS DISTINCT FROM 'level_changed' AND p.reason IS DISTINCT FROM 'goal_changed'
					AND at OPERATOR(pg_catalog.<) (
						SELECT pg_catalog.min(GREATEST(pg_catalog.lower(r), p.closed_at))
						FROM pg_catalog.unnest(was_open.counted OPERATOR(pg_catalog.+) CASE
								WHEN was_open.running_since IS NULL THEN '{}'::tstzmultirange
								ELSE pg_catalog.tstzmultirange(pg_catalog.tstzrange(was_open.running_since, NULL)) END) AS r
						WHERE COALESCE(pg_catalog.upper(r), 'infinity') OPERATOR(pg_catalog.>) p.closed_at))));
COMMENT ON FUNCTION sla.was_open(timestamptz, text, text, text, text, integer, timestamptz, tstzmultirange, timestamptz, timestamptz) IS
	'was the row of sla.log with these columns open at an instant?';
REVOKE ALL ON FUNCTION sla.was_open(timestamptz, text, text, text, text, integer, timestamptz, tstzmultirange, timestamptz, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.excuse(log_id bigint, reason text) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	asked_role text := current_setting('role');
	clock sla.log;
	ended_before timestamptz;
	missed_at timestamptz;
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
	-- The deadline; but that of a clock which went on after it was missed, as on a
	-- reopened ticket, lies in the life of the row before.
	SELECT max(p.closed_at) INTO ended_before FROM sla.log AS p
	WHERE (p.source, p.ticket, p.agreement, p.metric) = (clock.source, clock.ticket, clock.agreement, clock.metric)
		AND p.ordinal < clock.ordinal;
	missed_at := clock.deadline;
	IF missed_at <= ended_before OR missed_at >= clock.closed_at THEN
		missed_at := coalesce(clock.closed_at - interval '1 microsecond',
			greatest(sla.now(), ended_before, clock.running_since, upper(clock.counted)));
	END IF;
	-- Another reason for the same.
	DELETE FROM sla.excuse AS e
	WHERE (e.source, e.ticket, e.agreement, e.metric) = (clock.source, clock.ticket, clock.agreement, clock.metric)
		AND sla.was_open(e.missed_at, clock.source, clock.ticket, clock.agreement, clock.metric, clock.ordinal,
			clock.started_at, clock.counted, clock.running_since, clock.closed_at);
	INSERT INTO sla.excuse AS e (source, ticket, agreement, metric, missed_at, reason, excused_by)
	VALUES (clock.source, clock.ticket, clock.agreement, clock.metric, missed_at, excuse.reason,
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
		AND (e.source, e.ticket, e.agreement, e.metric) = (l.source, l.ticket, l.agreement, l.metric)
		AND sla.was_open(e.missed_at, l.source, l.ticket, l.agreement, l.metric, l.ordinal,
			l.started_at, l.counted, l.running_since, l.closed_at);
	IF NOT FOUND THEN
		RAISE EXCEPTION USING ERRCODE = 'no_data_found',
			MESSAGE = format('clock %s has no excuse', unexcuse.log_id);
	END IF;
END
$function$;
COMMENT ON FUNCTION sla.unexcuse(bigint) IS 'take the excuse of a clock back';
REVOKE ALL ON FUNCTION sla.unexcuse(bigint) FROM PUBLIC;
