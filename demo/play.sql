-- A year in the life of the table: cases are inserted as they are opened and updated when they are closed.

\echo
\echo == A year of work, month by month ==
\echo

CREATE FUNCTION play(month timestamp) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	opened bigint;
	closed bigint;
	began timestamptz := clock_timestamp();
BEGIN
	INSERT INTO service_request (case_id, opened_at, status, subject, reason, type, department, queue, source, neighborhood)
	SELECT case_id, opened_at AT TIME ZONE 'America/New_York', 'Open', subject, reason, type, department, queue, source,
		neighborhood
	FROM published AS p
	WHERE p.opened_at >= month AND p.opened_at < month + interval '1 month'
	ORDER BY p.opened_at;
	GET DIAGNOSTICS opened = ROW_COUNT;

	UPDATE service_request AS r
	SET status = 'Closed', closed_at = p.closed_at AT TIME ZONE 'America/New_York'
	FROM published AS p
	WHERE p.case_id = r.case_id AND p.closed_at >= month AND p.closed_at < month + interval '1 month';
	GET DIAGNOSTICS closed = ROW_COUNT;

	RETURN format('%s: %s opened, %s closed (%s s)', to_char(month, 'YYYY-MM'), lpad(opened::text, 5),
		lpad(closed::text, 5), round(extract(epoch FROM clock_timestamp() - began), 1));
END
$$;

\pset tuples_only on
\pset format unaligned
SELECT format('SELECT play(%L)', month)
FROM generate_series(timestamp '2015-01-01', timestamp '2016-01-01', interval '1 month') AS month
\gexec
\pset format aligned
\pset tuples_only off
