/*
 * purge.sql
 *		Retention: what is over and old enough goes.
 *
 * Of a purged ticket one event stays, which is called purged and says what was
 * known of it in the end: level, department and agent. So what happens to the
 * ticket later goes on from there, and a backfill does not bring it back.
 */

CREATE FUNCTION sla.purge(before timestamptz, source text DEFAULT NULL) RETURNS bigint
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- Each ticket by its key: a batch must not read tables as a whole that hold many times as much.
	SET enable_hashjoin = off
	SET enable_mergejoin = off
	SET jit = off
AS $function$
#variable_conflict use_column
DECLARE
	batch constant integer := 10000;
	candidates CURSOR FOR
		-- A ticket on which somebody works is not over.
		SELECT t.source, t.ticket FROM sla.ticket AS t
		WHERE (purge.source IS NULL OR t.source = purge.source)
			AND NOT EXISTS (
				SELECT FROM sla.log AS l
				WHERE (l.source, l.ticket) = (t.source, t.ticket) AND (l.closed_at IS NULL OR l.closed_at >= purge.before))
		ORDER BY t.ticket, t.source
		FOR UPDATE OF t SKIP LOCKED;
	one record;
	sources text[];
	tickets text[];
	n bigint;
	purged bigint := 0;
BEGIN
	IF purge.before IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'before must not be null';
	END IF;
	-- What was committed before a ticket was locked must be seen.
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
			MESSAGE = format('sla.purge() cannot run in a transaction that is %s', current_setting('transaction_isolation')),
			HINT = 'Call it in a transaction that is READ COMMITTED.';
	END IF;
	OPEN candidates;
	LOOP
		sources := '{}';
		tickets := '{}';
		n := 0;
		WHILE n < batch LOOP
			FETCH candidates INTO one;
			EXIT WHEN NOT FOUND;
			sources := sources || one.source;
			tickets := tickets || one.ticket;
			n := n + 1;
		END LOOP;
		EXIT WHEN n = 0;

		-- Again, now that nothing can be added: all clocks ended, all that is known happened, and the ticket is over.
		SELECT array_agg(c.source), array_agg(c.ticket), count(*)
		INTO sources, tickets, n
		FROM (SELECT * FROM unnest(sources, tickets) AS u (source, ticket)) AS c
		WHERE NOT EXISTS (
				SELECT FROM sla.log AS l
				WHERE (l.source, l.ticket) = (c.source, c.ticket) AND (l.closed_at IS NULL OR l.closed_at >= purge.before))
			AND NOT EXISTS (
				SELECT FROM sla.event AS e WHERE (e.source, e.ticket) = (c.source, c.ticket) AND e.at >= purge.before)
			AND EXISTS (
				SELECT FROM sla.event AS e WHERE (e.source, e.ticket) = (c.source, c.ticket) AND e.event <> 'purged')
			AND (NOT EXISTS (SELECT FROM sla.source AS s WHERE s.name = c.source)
				-- In a state that has not ended; what is told of before its creation is so from then on.
				OR EXISTS (
					SELECT FROM sla.event AS e
						JOIN (VALUES ('resolved', '{reopened,created}'::text[]), ('deleted', '{undeleted,created}'), ('merged', '{unmerged,created}'),
							('cancelled', '{reopened,undeleted,unmerged,created}'), ('purged', '{reopened,undeleted,unmerged,created}')) AS s (state, ends)
							ON s.state = e.event
					WHERE (e.source, e.ticket) = (c.source, c.ticket)
						AND NOT EXISTS (
							SELECT FROM sla.event AS l
							WHERE (l.source, l.ticket) = (c.source, c.ticket) AND l.event = ANY (s.ends) AND (l.at, l.id) > (e.at, e.id)
								AND (l.event <> 'created' OR EXISTS (
									SELECT FROM sla.event AS b
									WHERE (b.source, b.ticket) = (c.source, c.ticket) AND b.event = 'created' AND (b.at, b.id) < (l.at, l.id))))));
		CONTINUE WHEN n = 0;
		purged := purged + n;

		WITH c AS (SELECT * FROM unnest(sources, tickets) AS u (source, ticket)),
		-- By the time of the events; before all others the ticket's creation.
		left_over AS (
			SELECT c.source, c.ticket,
				(SELECT max(e.at) FROM sla.event AS e WHERE (e.source, e.ticket) = (c.source, c.ticket)) AS at,
				h.department, h.assignee, h.ticket IS NOT NULL AS of_ticket,
				ARRAY(SELECT coalesce((
						SELECT e.promises[a] FROM sla.event AS e
						WHERE (e.source, e.ticket) = (c.source, c.ticket) AND e.promises[a] >= 0
						ORDER BY e.id IS NOT DISTINCT FROM b.id, e.at DESC, e.id DESC LIMIT 1), -1)
					FROM generate_series(1, 3) AS a ORDER BY a) AS promises
			FROM c LEFT JOIN LATERAL (
				SELECT e.id FROM sla.event AS e
				WHERE (e.source, e.ticket) = (c.source, c.ticket) AND e.event = 'created'
				ORDER BY e.at, e.id LIMIT 1) AS b ON true
			LEFT JOIN LATERAL (
				SELECT e.ticket, e.department, e.assignee FROM sla.event AS e
				WHERE (e.source, e.ticket) = (c.source, c.ticket) AND e.of_ticket
				ORDER BY e.id IS NOT DISTINCT FROM b.id, e.at DESC, e.id DESC LIMIT 1) AS h ON true
		),
		gone AS (DELETE FROM sla.event AS e USING c WHERE (e.source, e.ticket) = (c.source, c.ticket))
		INSERT INTO sla.event (source, ticket, event, at, of_ticket, department, assignee, promises)
		SELECT source, ticket, 'purged', at, of_ticket, department, assignee, promises FROM left_over;

		PERFORM sla.summary_note(l.source, l.calendar,
				CASE WHEN l.outcome = 'met' THEN l.closed_at WHEN l.outcome = 'missed' THEN l.deadline END)
			FROM sla.log AS l JOIN unnest(sources, tickets) AS c (source, ticket) ON (l.source, l.ticket) = (c.source, c.ticket);
		DELETE FROM sla.log AS l USING unnest(sources, tickets) AS c (source, ticket) WHERE (l.source, l.ticket) = (c.source, c.ticket);
		DELETE FROM sla.deadline_change AS d USING unnest(sources, tickets) AS c (source, ticket) WHERE (d.source, d.ticket) = (c.source, c.ticket);
		DELETE FROM sla.promise_change AS d USING unnest(sources, tickets) AS c (source, ticket) WHERE (d.source, d.ticket) = (c.source, c.ticket);
		DELETE FROM sla.excuse AS x USING unnest(sources, tickets) AS c (source, ticket) WHERE (x.source, x.ticket) = (c.source, c.ticket);
		DELETE FROM sla.problem AS p USING unnest(sources, tickets) AS c (source, ticket) WHERE (p.source, p.ticket) = (c.source, c.ticket);
	END LOOP;
	CLOSE candidates;
	RETURN purged;
END
$function$;
COMMENT ON FUNCTION sla.purge(timestamptz, text) IS
	'remove events, clocks and what belongs to them of tickets that were over before an instant: resolved, merged, cancelled, deleted or of a source that is no longer tracked, with no clock that ended later. One event of each stays, purged; the number of tickets';
REVOKE ALL ON FUNCTION sla.purge(timestamptz, text) FROM PUBLIC;
