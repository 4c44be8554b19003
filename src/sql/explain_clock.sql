/*
 * explain_clock.sql
 *		Where the time of a clock went.
 */

-- With the rights of the owner over events, and of the reader over clocks: whoever sees a clock sees what stopped it.
CREATE VIEW sla.clock_stop WITH (security_barrier) AS
SELECT l.id AS log_id, e.id AS event_id, e.at, e.event
FROM sla.log_now() AS l
	JOIN sla.metric AS m ON m.name OPERATOR(pg_catalog.=) l.metric
	JOIN sla.event AS e ON e.ticket OPERATOR(pg_catalog.=) l.ticket AND e.source OPERATOR(pg_catalog.=) l.source
		AND e.event OPERATOR(pg_catalog.=) ANY (m.pauses_on OPERATOR(pg_catalog.||) m.stops_on OPERATOR(pg_catalog.||) m.cancels_on);
COMMENT ON VIEW sla.clock_stop IS 'events that may stop, pause or cancel a clock';
COMMENT ON COLUMN sla.clock_stop.log_id IS 'number of the clock in sla.log';
COMMENT ON COLUMN sla.clock_stop.event_id IS 'number of the event';
COMMENT ON COLUMN sla.clock_stop.at IS 'when it happened';
COMMENT ON COLUMN sla.clock_stop.event IS 'what happened';

CREATE FUNCTION sla.explain_clock(
	log_id bigint,
	OUT from_ts timestamptz, OUT to_ts timestamptz, OUT counted boolean, OUT business_time interval, OUT reason text)
RETURNS SETOF record
LANGUAGE sql STABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $function$
	WITH clock AS (
		SELECT l.*, coalesce(l.closed_at, greatest(sla.now(), l.started_at)) AS ended_at
		FROM sla.log_now() AS l WHERE l.id = log_id
	), part AS (
		SELECT c.calendar,
			tstzmultirange(tstzrange(c.started_at, c.ended_at)) AS life,
			c.counted + CASE WHEN c.running_since < c.ended_at THEN tstzmultirange(tstzrange(c.running_since, c.ended_at)) ELSE '{}' END AS ran
		FROM clock AS c
	)
	SELECT s.from_ts, s.to_ts, s.open, s.counted, s.reason
	FROM part, unnest(ran) AS r, sla.explain_business_time(part.calendar, lower(r), upper(r)) AS s
	UNION ALL
	SELECT lower(r), upper(r), false, interval '0', coalesce((
			SELECT h.event FROM sla.clock_stop AS h
			WHERE h.log_id = explain_clock.log_id AND h.at <= lower(r)
			ORDER BY h.at DESC, h.event_id DESC LIMIT 1), 'paused')
	FROM part, unnest(life - ran) AS r
	ORDER BY 1
$function$;
COMMENT ON FUNCTION sla.explain_clock(bigint) IS
	'the stretches of a clock''s life as of sla.now(): what counted, what did not, and why; the business time of those that counted adds up to the elapsed time';
