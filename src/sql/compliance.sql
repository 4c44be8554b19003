/*
 * compliance.sql
 *		Met and missed, counted: from the summaries where there are any, else from the log.
 */

-- The day before which the summaries count for the reader; -infinity: never.
-- Inlined where it is used, so that the reader's rights decide, as those below.
CREATE FUNCTION sla.summary_until(OUT until date, OUT until_instant timestamptz) RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT u.until,
		-- No later day begins earlier anywhere.
		pg_catalog.timezone('UTC', (u.until OPERATOR(pg_catalog.-) 1)::timestamp)
	FROM (
		SELECT COALESCE(pg_catalog.max(s.summarized), '-infinity') AS until
		FROM sla.summary_state AS s
		WHERE NOT sla.is_as_of()
			AND s.calendars_at OPERATOR(pg_catalog.>=) (SELECT COALESCE(pg_catalog.max(c.changed_at), '-infinity') FROM sla.calendar AS c)
	) AS u;
END;
COMMENT ON FUNCTION sla.summary_until() IS
	'the local day before which the summaries count, and an instant before which no later day begins; -infinity when they do not, or not for the reader';

-- Not inlined, and said to be few: so each is looked up by index.
CREATE FUNCTION sla.summary_gaps(OUT from_instant timestamptz, OUT to_instant timestamptz) RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1
	SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT lower(r), upper(r)
	FROM unnest((
		SELECT range_agg(tstzrange((m.day - 1)::timestamp AT TIME ZONE 'UTC', (m.day + 2)::timestamp AT TIME ZONE 'UTC'))
		FROM sla.summary_mark AS m, sla.summary_until() AS u
		WHERE m.day < u.until)) AS r
$function$;
COMMENT ON FUNCTION sla.summary_gaps() IS
	'stretches of time in which the verdicts of all marked days lie that the summaries would count for; none overlaps another';

CREATE FUNCTION sla.compliance_parts(
	detail integer,
	OUT day date, OUT at timestamptz, OUT source text, OUT department text, OUT agent text, OUT level text, OUT agreement text, OUT metric text,
	OUT excused boolean,
	OUT met bigint, OUT met_sum numeric, OUT met_max bigint, OUT met_min bigint,
	OUT missed bigint, OUT missed_ended bigint, OUT missed_sum numeric, OUT missed_max bigint, OUT missed_min bigint, OUT overrun_sum numeric)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	-- What is summarised and has not changed since.
	SELECT s.day, pg_catalog.timezone('UTC', s.day::timestamp), s.source, s.department, s.agent, s.level, s.agreement, s.metric, s.excused,
		s.met, s.met_sum, s.met_max, s.met_min,
		s.missed, s.missed_ended, s.missed_sum, s.missed_max, s.missed_min, s.overrun_sum
	FROM sla.summary AS s
	WHERE s.detail OPERATOR(pg_catalog.=) compliance_parts.detail
		AND s.day OPERATOR(pg_catalog.<) (SELECT u.until FROM sla.summary_until() AS u)
		AND NOT EXISTS (
			SELECT FROM sla.summary_mark AS m
			WHERE m.source OPERATOR(pg_catalog.=) s.source AND m.day OPERATOR(pg_catalog.=) s.day)
	UNION ALL
	-- What is later.
	SELECT sla.local_date(v.calendar, v.decided_at), v.decided_at,
		v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused,
		CASE v.verdict WHEN 'met' THEN 1 ELSE 0 END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN 0 ELSE 1 END,
		CASE WHEN v.verdict OPERATOR(pg_catalog.=) 'met' OR v.elapsed IS NULL THEN 0 ELSE 1 END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		sla.interval_microseconds(v.overrun)
	FROM sla.verdict AS v
	WHERE v.decided_at OPERATOR(pg_catalog.>=) (SELECT u.until_instant FROM sla.summary_until() AS u)
		AND sla.local_date(v.calendar, v.decided_at) OPERATOR(pg_catalog.>=) (SELECT u.until FROM sla.summary_until() AS u)
	UNION ALL
	-- What has changed since it was summarised.
	SELECT sla.local_date(v.calendar, v.decided_at), v.decided_at,
		v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused,
		CASE v.verdict WHEN 'met' THEN 1 ELSE 0 END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'met' THEN 0 ELSE 1 END,
		CASE WHEN v.verdict OPERATOR(pg_catalog.=) 'met' OR v.elapsed IS NULL THEN 0 ELSE 1 END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		sla.interval_microseconds(v.overrun)
	FROM sla.summary_gaps() AS i
		JOIN sla.verdict AS v ON v.decided_at OPERATOR(pg_catalog.>=) i.from_instant
			AND v.decided_at OPERATOR(pg_catalog.<) i.to_instant
	WHERE sla.local_date(v.calendar, v.decided_at) OPERATOR(pg_catalog.<) (SELECT u.until FROM sla.summary_until() AS u)
		AND EXISTS (
			SELECT FROM sla.summary_mark AS m
			WHERE m.source OPERATOR(pg_catalog.=) v.source
				AND m.day OPERATOR(pg_catalog.=) sla.local_date(v.calendar, v.decided_at));
END;
COMMENT ON FUNCTION sla.compliance_parts(integer) IS
	'counts and sums of verdicts by local day, to be added up: kept ones in a detail of sla.summary, or single verdicts. at: when it fell, of kept ones some instant within two days of it';

CREATE VIEW sla.compliance_report AS
SELECT p.day,
	p.source,
	p.department,
	p.agent,
	p.level,
	p.metric AS request,
	COALESCE(pg_catalog.sum(p.met), 0)::bigint AS met,
	sla.microseconds_interval(pg_catalog.round(pg_catalog.sum(p.met_sum) OPERATOR(pg_catalog./) NULLIF(pg_catalog.sum(p.met), 0))::bigint) AS met_avg,
	sla.microseconds_interval(pg_catalog.max(p.met_max)) AS met_max,
	sla.microseconds_interval(pg_catalog.min(p.met_min)) AS met_min,
	COALESCE(pg_catalog.sum(p.missed), 0)::bigint AS missed,
	sla.microseconds_interval(pg_catalog.round(pg_catalog.sum(p.missed_sum) OPERATOR(pg_catalog./) NULLIF(pg_catalog.sum(p.missed_ended), 0))::bigint) AS missed_avg,
	sla.microseconds_interval(pg_catalog.max(p.missed_max)) AS missed_max,
	sla.microseconds_interval(pg_catalog.min(p.missed_min)) AS missed_min,
	pg_catalog.round(100 OPERATOR(pg_catalog.*) pg_catalog.sum(p.met)
		OPERATOR(pg_catalog./) (pg_catalog.sum(p.met) OPERATOR(pg_catalog.+) pg_catalog.sum(p.missed)), 2) AS compliance,
	sla.microseconds_interval(pg_catalog.round(pg_catalog.sum(p.overrun_sum) OPERATOR(pg_catalog./) NULLIF(pg_catalog.sum(p.missed_ended), 0))::bigint) AS overrun_avg,
	COALESCE(pg_catalog.sum(p.missed) FILTER (WHERE p.excused), 0)::bigint AS excused
FROM sla.compliance_parts(1) AS p
GROUP BY p.day, p.source, p.department, p.agent, p.level, p.metric;
COMMENT ON VIEW sla.compliance_report IS 'met and missed as of sla.now(), by the day on which the verdict fell, in the calendar''s time zone. Times are business time from start to stop, of clocks that have ended.';
COMMENT ON COLUMN sla.compliance_report.day IS 'local day of the verdict: of the stop for met, of the deadline for missed';
COMMENT ON COLUMN sla.compliance_report.source IS 'source of the tickets';
COMMENT ON COLUMN sla.compliance_report.department IS 'department that held the ticket when the verdict fell';
COMMENT ON COLUMN sla.compliance_report.agent IS 'agent who held the ticket when the verdict fell';
COMMENT ON COLUMN sla.compliance_report.level IS 'SLA level';
COMMENT ON COLUMN sla.compliance_report.request IS 'what is timed: the metric';
COMMENT ON COLUMN sla.compliance_report.met IS 'clocks stopped at or before their deadline';
COMMENT ON COLUMN sla.compliance_report.met_avg IS 'average time of the met';
COMMENT ON COLUMN sla.compliance_report.met_max IS 'longest time of the met';
COMMENT ON COLUMN sla.compliance_report.met_min IS 'shortest time of the met';
COMMENT ON COLUMN sla.compliance_report.missed IS 'clocks whose deadline passed, ended or not';
COMMENT ON COLUMN sla.compliance_report.missed_avg IS 'average time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.missed_max IS 'longest time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.missed_min IS 'shortest time of the missed that have ended';
COMMENT ON COLUMN sla.compliance_report.compliance IS 'met in percent of met and missed';
COMMENT ON COLUMN sla.compliance_report.overrun_avg IS 'average business time by which the missed that have ended were late';
COMMENT ON COLUMN sla.compliance_report.excused IS 'how many of the missed are excused';

CREATE FUNCTION sla.compliance(
	from_day        date,
	to_day          date,
	by              text[] DEFAULT '{day}',
	time_zone       text DEFAULT NULL,
	sources         text[] DEFAULT NULL,
	departments     text[] DEFAULT NULL,
	agents          text[] DEFAULT NULL,
	levels          text[] DEFAULT NULL,
	agreements      text[] DEFAULT NULL,
	requests        text[] DEFAULT NULL,
	percentiles     boolean DEFAULT false,
	totals          boolean DEFAULT false,
	empty_days      boolean DEFAULT false,
	without_excused boolean DEFAULT false,
	OUT year        integer,
	OUT quarter     date,
	OUT month       date,
	OUT week        date,
	OUT day         date,
	OUT weekday     integer,
	OUT hour        integer,
	OUT source      text,
	OUT department  text,
	OUT agent       text,
	OUT level       text,
	OUT agreement   text,
	OUT request     text,
	OUT total       boolean,
	OUT met         bigint,
	OUT met_avg     interval,
	OUT met_max     interval,
	OUT met_min     interval,
	OUT missed      bigint,
	OUT missed_avg  interval,
	OUT missed_max  interval,
	OUT missed_min  interval,
	OUT compliance  numeric,
	OUT overrun_avg interval,
	OUT excused     bigint,
	OUT p50         interval,
	OUT p90         interval,
	OUT p95         interval,
	OUT p99         interval
) RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED CALLED ON NULL INPUT
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $function$
DECLARE
	-- What may be grouped by, and how it is read off a verdict, in the order of the columns.
	names CONSTANT text[] := '{year,quarter,month,week,day,weekday,hour,source,department,agent,level,agreement,request}';
	types CONSTANT text[] := '{integer,date,date,date,date,integer,integer,text,text,text,text,text,text}';
	expressions CONSTANT text[] := ARRAY[
		'extract(year FROM p.day)::integer', $$date_trunc('quarter', p.day)::date$$, $$date_trunc('month', p.day)::date$$,
		$$date_trunc('week', p.day)::date$$, 'p.day', 'extract(isodow FROM p.day)::integer', 'p.hour',
		'p.source', 'p.department', 'p.agent', 'p.level', 'p.agreement', 'p.metric'];
	-- Those that follow from the day.
	of_day CONSTANT text[] := '{year,quarter,month,week,day,weekday}';
	wanted text[] := '{}';
	other text[] := '{}';
	item text;
	parts text;
	rows text;
	conditions text := '';
	columns text := '';
	inner_columns text := '';
	grouped text;
	sorted text := '';
	detail integer := 3;
BEGIN
	IF from_day IS NULL OR to_day IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'the days of a compliance report must not be null',
			HINT = 'It is of the days from the first on, up to and without the second; infinite days will do.';
	END IF;
	IF to_day < from_day THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('day "%s" is before day "%s"', to_day, from_day);
	END IF;
	IF by IS NULL OR percentiles IS NULL OR totals IS NULL OR empty_days IS NULL OR without_excused IS NULL THEN
		RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
			MESSAGE = 'by, percentiles, totals, empty_days and without_excused of a compliance report must not be null';
	END IF;
	FOREACH item IN ARRAY by LOOP
		IF item IS NULL OR NOT item = ANY (names) THEN
			RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
				MESSAGE = format('compliance cannot be grouped by "%s"', item),
				HINT = format('There are: %s.', array_to_string(names, ', '));
		END IF;
		IF NOT item = ANY (wanted) THEN
			wanted := wanted || item;
			IF NOT item = ANY (of_day) THEN
				other := other || item;
			END IF;
		END IF;
	END LOOP;
	IF empty_days AND NOT 'day' = ANY (wanted) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'empty days can only be shown when grouped by day';
	END IF;
	IF empty_days AND NOT (isfinite(from_day) AND isfinite(to_day)) THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'empty days cannot be shown without an end';
	END IF;
	IF time_zone IS NOT NULL THEN
		-- An error when there is no such zone.
		PERFORM now() AT TIME ZONE time_zone;
	END IF;

	IF agents IS NOT NULL OR 'agent' = ANY (wanted) THEN
		detail := 1;
	ELSIF levels IS NOT NULL OR agreements IS NOT NULL OR requests IS NOT NULL OR wanted && '{level,agreement,request}' THEN
		detail := 2;
	END IF;

	-- Conditions that indices and summaries know: instants that can lie on these days anywhere.
	IF isfinite(from_day) THEN
		conditions := format(' AND p.at >= %L::timestamptz', (from_day - 1)::timestamp AT TIME ZONE 'UTC');
	END IF;
	IF isfinite(to_day) THEN
		conditions := conditions || format(' AND p.at < %L::timestamptz', (to_day + 1)::timestamp AT TIME ZONE 'UTC');
	END IF;
	conditions := conditions || CASE WHEN sources IS NOT NULL THEN ' AND p.source = ANY ($1)' ELSE '' END
		|| CASE WHEN departments IS NOT NULL THEN ' AND p.department = ANY ($2)' ELSE '' END
		|| CASE WHEN agents IS NOT NULL THEN ' AND p.agent = ANY ($3)' ELSE '' END
		|| CASE WHEN levels IS NOT NULL THEN ' AND p.level = ANY ($4)' ELSE '' END
		|| CASE WHEN agreements IS NOT NULL THEN ' AND p.agreement = ANY ($5)' ELSE '' END
		|| CASE WHEN requests IS NOT NULL THEN ' AND p.metric = ANY ($6)' ELSE '' END
		|| CASE WHEN without_excused THEN ' AND NOT p.excused' ELSE '' END;

	IF percentiles OR time_zone IS NOT NULL OR 'hour' = ANY (wanted) THEN
		-- Each verdict, from the log.
		parts := format($$
			SELECT v.local::date AS day, extract(hour FROM v.local)::integer AS hour, v.source, v.department, v.agent, v.level, v.agreement, v.metric,
				v.excused, v.elapsed,
				(v.verdict = 'met')::integer::bigint AS met,
				CASE v.verdict WHEN 'met' THEN v.microseconds END::numeric AS met_sum,
				CASE v.verdict WHEN 'met' THEN v.microseconds END AS met_max,
				CASE v.verdict WHEN 'met' THEN v.microseconds END AS met_min,
				(v.verdict = 'missed')::integer::bigint AS missed,
				(v.verdict = 'missed' AND v.elapsed IS NOT NULL)::integer::bigint AS missed_ended,
				CASE v.verdict WHEN 'missed' THEN v.microseconds END::numeric AS missed_sum,
				CASE v.verdict WHEN 'missed' THEN v.microseconds END AS missed_max,
				CASE v.verdict WHEN 'missed' THEN v.microseconds END AS missed_min,
				sla.interval_microseconds(v.overrun)::numeric AS overrun_sum
			FROM (
				SELECT p.*, sla.interval_microseconds(p.elapsed) AS microseconds, %s AS local
				FROM (SELECT v.*, v.decided_at AS at FROM sla.verdict AS v) AS p
				WHERE true%s
			) AS v
			WHERE v.local >= %L::date AND v.local < %L::date
			$$,
			CASE WHEN time_zone IS NULL THEN 'sla.local_time(p.calendar, p.at)' ELSE format('p.at AT TIME ZONE %L', time_zone) END,
			conditions, from_day, to_day);
	ELSE
		parts := format($$
			SELECT p.*, NULL::integer AS hour, NULL::interval AS elapsed
			FROM sla.compliance_parts(%s) AS p
			WHERE p.day >= %L::date AND p.day < %L::date%s
			$$, detail, from_day, to_day, conditions);
	END IF;

	IF empty_days THEN
		-- Beside them one of nothing for each day and each of the other groups that there are.
		rows := format($$
			SELECT k.day, k.hour, k.source, k.department, k.agent, k.level, k.agreement, k.metric, k.excused, k.elapsed, k.met, k.met_sum, k.met_max,
				k.met_min, k.missed, k.missed_ended, k.missed_sum, k.missed_max, k.missed_min, k.overrun_sum
			FROM known AS k
			UNION ALL
			SELECT d.day::date, o.hour, o.source, o.department, o.agent, o.level, o.agreement, o.metric, false, NULL, 0, NULL, NULL,
				NULL, 0, 0, NULL, NULL, NULL, NULL
			FROM generate_series(%L::timestamp, %L::timestamp - interval '1 day', '1 day') AS d (day)
				CROSS JOIN (%s) AS o
			$$,
			from_day, to_day,
			CASE WHEN other = '{}' THEN
				'SELECT NULL::integer AS hour, NULL::text AS source, NULL::text AS department, NULL::text AS agent,'
				' NULL::text AS level, NULL::text AS agreement, NULL::text AS metric'
			ELSE (
				SELECT 'SELECT DISTINCT ' || string_agg(
					CASE
						WHEN replace(n, 'metric', 'request') = ANY (other) THEN 'k.'
						WHEN n = 'hour' THEN 'NULL::integer AS '
						ELSE 'NULL::text AS '
					END || n, ', ') || ' FROM known AS k'
				FROM unnest('{hour,source,department,agent,level,agreement,metric}'::text[]) AS n)
			END);
	ELSE
		rows := 'SELECT k.* FROM known AS k';
	END IF;

	FOR i IN 1 .. cardinality(names) LOOP
		IF names[i] = ANY (wanted) THEN
			columns := columns || format('g.%I, ', names[i]);
			inner_columns := inner_columns || format('%s AS %I, ', expressions[i], names[i]);
			grouped := concat_ws(', ', grouped, expressions[i]);
		ELSE
			columns := columns || format('NULL::%s, ', types[i]);
		END IF;
	END LOOP;
	FOREACH item IN ARRAY wanted LOOP
		sorted := sorted || format(', g.%I', item);
	END LOOP;

	RETURN QUERY EXECUTE
		'WITH known AS (' || parts || '), p AS (' || rows || ')'
		' SELECT ' || columns || 'g.total, g.met,'
		' sla.microseconds_interval(round(g.met_sum / nullif(g.met, 0))::bigint),'
		' sla.microseconds_interval(g.met_max), sla.microseconds_interval(g.met_min), g.missed,'
		' sla.microseconds_interval(round(g.missed_sum / nullif(g.missed_ended, 0))::bigint),'
		' sla.microseconds_interval(g.missed_max), sla.microseconds_interval(g.missed_min),'
		' round(100.0 * g.met / nullif(g.met + g.missed, 0), 2),'
		' sla.microseconds_interval(round(g.overrun_sum / nullif(g.missed_ended, 0))::bigint),'
		' g.excused, g.percentiles[1], g.percentiles[2], g.percentiles[3], g.percentiles[4]'
		' FROM (SELECT ' || inner_columns
		|| CASE WHEN grouped IS NULL THEN 'true' WHEN totals THEN format('grouping(%s) > 0', grouped) ELSE 'false' END || ' AS total,'
		' coalesce(sum(p.met), 0)::bigint AS met, sum(p.met_sum) AS met_sum, max(p.met_max) AS met_max, min(p.met_min) AS met_min,'
		' coalesce(sum(p.missed), 0)::bigint AS missed, coalesce(sum(p.missed_ended), 0) AS missed_ended,'
		' sum(p.missed_sum) AS missed_sum, max(p.missed_max) AS missed_max, min(p.missed_min) AS missed_min,'
		' sum(p.overrun_sum) AS overrun_sum, coalesce(sum(p.missed) FILTER (WHERE p.excused), 0)::bigint AS excused, '
		|| CASE WHEN percentiles THEN 'percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY p.elapsed)' ELSE 'NULL::interval[]' END
		|| ' AS percentiles FROM p GROUP BY '
		|| CASE WHEN grouped IS NULL THEN '()' WHEN totals THEN format('GROUPING SETS ((%s), ())', grouped) ELSE grouped END
		|| ') AS g ORDER BY g.total' || sorted
		USING sources, departments, agents, levels, agreements, requests;
END
$function$;
COMMENT ON FUNCTION sla.compliance(date, date, text[], text, text[], text[], text[], text[], text[], text[], boolean, boolean, boolean, boolean) IS
	'met and missed as of sla.now(), of verdicts that fell on local days from the first on up to and without the second, by whatever is asked for; columns that are not are NULL';

CREATE FUNCTION sla.check_summaries(
	OUT problem text, OUT day date, OUT source text, OUT department text, OUT agent text, OUT level text, OUT agreement text, OUT request text,
	OUT met bigint, OUT missed bigint)
RETURNS SETOF record
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $function$
BEGIN
	IF sla.is_as_of() THEN
		RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
			MESSAGE = 'sla.check_summaries goes by the present, and pg_sla.now is set',
			HINT = 'RESET pg_sla.now.';
	END IF;
	RETURN QUERY
		WITH counted AS MATERIALIZED (
			SELECT CASE WHEN grouping(v.level) = 1 THEN 3 WHEN grouping(v.agent) = 1 THEN 2 ELSE 1 END::smallint AS detail,
				v.day, v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused,
				count(*) FILTER (WHERE v.verdict = 'met') AS met,
				sum(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'met') AS met_sum,
				max(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'met') AS met_max,
				min(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'met') AS met_min,
				count(*) FILTER (WHERE v.verdict = 'missed') AS missed,
				count(v.elapsed) FILTER (WHERE v.verdict = 'missed') AS missed_ended,
				sum(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'missed') AS missed_sum,
				max(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'missed') AS missed_max,
				min(sla.interval_microseconds(v.elapsed)) FILTER (WHERE v.verdict = 'missed') AS missed_min,
				sum(sla.interval_microseconds(v.overrun)) AS overrun_sum
			FROM (SELECT v.*, sla.local_date(v.calendar, v.decided_at) AS day FROM sla.verdict AS v) AS v
			GROUP BY GROUPING SETS (
				(v.day, v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused),
				(v.day, v.source, v.department, v.level, v.agreement, v.metric, v.excused),
				(v.day, v.source, v.department, v.excused))
		), wanted AS (
			SELECT c.* FROM counted AS c, sla.summary_until() AS u
			WHERE c.day < u.until AND NOT EXISTS (SELECT FROM sla.summary_mark AS m WHERE (m.source, m.day) = (c.source, c.day))
		), kept AS (
			SELECT s.* FROM sla.summary AS s, sla.summary_until() AS u
			WHERE s.day < u.until AND NOT EXISTS (SELECT FROM sla.summary_mark AS m WHERE (m.source, m.day) = (s.source, s.day))
		)
		SELECT 'is in the log only', d.day, d.source, d.department, d.agent, d.level, d.agreement, d.metric, d.met, d.missed
		FROM (SELECT w.* FROM wanted AS w EXCEPT ALL SELECT k.* FROM kept AS k) AS d
		UNION ALL
		SELECT 'is in the summaries only', d.day, d.source, d.department, d.agent, d.level, d.agreement, d.metric, d.met, d.missed
		FROM (SELECT k.* FROM kept AS k EXCEPT ALL SELECT w.* FROM wanted AS w) AS d
		ORDER BY 2, 3, 4, 5, 6, 7, 8, 1;
END
$function$;
COMMENT ON FUNCTION sla.check_summaries() IS
	'sums of days that the summaries count for and that are not those of the log, counted from scratch. Always empty.';
REVOKE ALL ON FUNCTION sla.check_summaries() FROM PUBLIC;
