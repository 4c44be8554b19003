/*
 * compliance.sql
 *		Met and missed, counted: from the summaries where there are any, else from the log.
 */

-- Inlined where it is used, so that the reader's rights decide, as those below.
CREATE FUNCTION sla.summary_until(OUT until date) RETURNS SETOF date
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT COALESCE(pg_catalog.max(s.summarized), '-infinity')
	FROM sla.summary_state AS s
	WHERE NOT sla.is_as_of()
		AND s.calendars_at OPERATOR(pg_catalog.>=) (SELECT COALESCE(pg_catalog.max(c.changed_at), '-infinity') FROM sla.calendar AS c);
END;
COMMENT ON FUNCTION sla.summary_until() IS
	'the local day before which the summaries count; -infinity when they do not, or not for the reader';

-- Not inlined, and said to be few: so each is looked up by index. An instant is of a local day when it lies between
-- the beginning of that day at Greenwich, less what the place is ahead by, and its end likewise; how far calendars
-- are ahead about that day is asked every twelve hours, as no zone has ever kept an offset for less. Of very many
-- calendars it is not asked, and of none when one has no hours yet: no place is ahead or behind by more than a day.
CREATE FUNCTION sla.summary_gaps(OUT from_instant timestamptz, OUT to_instant timestamptz) RETURNS SETOF record
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $function$
DECLARE
	marked timestamp[] := (
		SELECT array_agg(DISTINCT m.day::timestamp)
		FROM sla.summary_mark AS m, sla.summary_until() AS u
		WHERE m.day < u.until);
	gaps tstzmultirange;
BEGIN
	IF marked IS NULL THEN
		RETURN;
	END IF;
	IF (SELECT count(*) BETWEEN 1 AND 20 FROM sla.calendar) THEN
		BEGIN
			gaps := (
				SELECT range_agg(tstzrange((m.day - a.most) AT TIME ZONE 'UTC', (m.day + interval '1 day' - a.least) AT TIME ZONE 'UTC'))
				FROM unnest(marked) AS m (day) CROSS JOIN LATERAL (
					SELECT max(d.ahead) AS most, min(d.ahead) AS least
					FROM sla.calendar AS c, generate_series(m.day - interval '1 day', m.day + interval '2 days', '12 hours') AS t (at),
						LATERAL (SELECT sla.local_time(c.name, t.at AT TIME ZONE 'UTC') - t.at AS ahead) AS d) AS a);
		EXCEPTION WHEN undefined_object OR object_not_in_prerequisite_state THEN
			gaps := NULL;
		END;
	END IF;
	IF gaps IS NULL THEN
		gaps := (
			SELECT range_agg(tstzrange((m.day - interval '1 day') AT TIME ZONE 'UTC', (m.day + interval '2 days') AT TIME ZONE 'UTC'))
			FROM unnest(marked) AS m (day));
	END IF;
	RETURN QUERY SELECT lower(r), upper(r) FROM unnest(gaps) AS r;
END
$function$;
COMMENT ON FUNCTION sla.summary_gaps() IS
	'stretches of time in which the verdicts of all marked days lie that the summaries would count for; none overlaps another';

-- The one place that says what a verdict counts for.
CREATE FUNCTION sla.verdict_parts(
	OUT calendar text, OUT at timestamptz, OUT source text, OUT department text, OUT agent text, OUT level text, OUT agreement text, OUT metric text,
	OUT excused boolean, OUT elapsed interval, OUT closed_at timestamptz,
	OUT met bigint, OUT met_time bigint,
	OUT missed bigint, OUT missed_ended bigint, OUT missed_time bigint, OUT overrun_time bigint)
RETURNS SETOF record
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT v.calendar, v.decided_at, v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused, v.elapsed, v.closed_at,
		CASE v.verdict WHEN 'met' THEN 1::bigint ELSE 0::bigint END,
		CASE v.verdict WHEN 'met' THEN sla.interval_microseconds(v.elapsed) END,
		CASE v.verdict WHEN 'missed' THEN 1::bigint ELSE 0::bigint END,
		CASE WHEN v.verdict OPERATOR(pg_catalog.=) 'missed' AND v.elapsed IS NOT NULL THEN 1::bigint ELSE 0::bigint END,
		CASE v.verdict WHEN 'missed' THEN sla.interval_microseconds(v.elapsed) END,
		sla.interval_microseconds(v.overrun)
	FROM sla.verdict AS v;
END;
COMMENT ON FUNCTION sla.verdict_parts() IS
	'what each verdict counts for: one met or one missed, and microseconds of business time; at: when it fell';

CREATE TYPE sla.compliance_part AS (
	day          date,
	source       text,
	department   text,
	agent        text,
	level        text,
	agreement    text,
	metric       text,
	excused      boolean,
	met          bigint,
	met_sum      numeric,
	met_max      bigint,
	met_min      bigint,
	missed       bigint,
	missed_ended bigint,
	missed_sum   numeric,
	missed_max   bigint,
	missed_min   bigint,
	overrun_sum  numeric
);
COMMENT ON TYPE sla.compliance_part IS 'what sla.compliance_of() adds up: counts, and microseconds of business time';

-- The parts of compliance, to be added up: kept ones, and those of single verdicts. For both, until is what
-- sla.summary_until() says, or NULL for it to be asked; without marked, none of the days has a mark.
CREATE FUNCTION sla.kept_parts(detail integer, from_day date, to_day date, until date, marked boolean)
RETURNS SETOF sla.compliance_part
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT s.day, s.source, s.department, s.agent, s.level, s.agreement, s.metric, s.excused,
		s.met, s.met_sum, s.met_max, s.met_min,
		s.missed, s.missed_ended, s.missed_sum, s.missed_max, s.missed_min, s.overrun_sum
	FROM sla.summary AS s
	WHERE s.detail OPERATOR(pg_catalog.=) kept_parts.detail
		AND s.day OPERATOR(pg_catalog.>=) kept_parts.from_day AND s.day OPERATOR(pg_catalog.<) kept_parts.to_day
		AND s.day OPERATOR(pg_catalog.<) COALESCE(kept_parts.until, (SELECT u.until FROM sla.summary_until() AS u))
		AND (NOT kept_parts.marked OR NOT EXISTS (
			SELECT FROM sla.summary_mark AS m
			WHERE m.source OPERATOR(pg_catalog.=) s.source AND m.day OPERATOR(pg_catalog.=) s.day));
END;
COMMENT ON FUNCTION sla.kept_parts(integer, date, date, date, boolean) IS
	'counts and sums of verdicts by local day, of days that are summarised and have not changed since, in a detail of sla.summary';

CREATE FUNCTION sla.live_parts(from_day date, to_day date, until date, marked boolean)
RETURNS SETOF sla.compliance_part
	LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
	SELECT v.day, v.source, v.department, v.agent, v.level, v.agreement, v.metric, v.excused,
		v.met, v.met_time, v.met_time, v.met_time,
		v.missed, v.missed_ended, v.missed_time, v.missed_time, v.missed_time, v.overrun_time
	FROM (
		-- What is later.
		SELECT sla.local_date(p.calendar, p.at) AS day, p.*
		FROM sla.verdict_parts() AS p
		-- No later day begins earlier anywhere.
		WHERE p.at OPERATOR(pg_catalog.>=) pg_catalog.timezone('UTC',
				(COALESCE(live_parts.until, (SELECT u.until FROM sla.summary_until() AS u)) OPERATOR(pg_catalog.-) 1)::timestamp)
			AND sla.local_date(p.calendar, p.at) OPERATOR(pg_catalog.>=) COALESCE(live_parts.until, (SELECT u.until FROM sla.summary_until() AS u))
			-- Of constants the planner knows that nothing is.
			AND live_parts.to_day OPERATOR(pg_catalog.>) COALESCE(live_parts.until, '-infinity')
		UNION ALL
		-- What has changed since it was summarised.
		SELECT sla.local_date(p.calendar, p.at), p.*
		FROM sla.summary_gaps() AS i
			JOIN sla.verdict_parts() AS p ON p.at OPERATOR(pg_catalog.>=) i.from_instant AND p.at OPERATOR(pg_catalog.<) i.to_instant
		WHERE live_parts.marked
			AND sla.local_date(p.calendar, p.at) OPERATOR(pg_catalog.<) COALESCE(live_parts.until, (SELECT u.until FROM sla.summary_until() AS u))
			-- The first half keeps this a subquery that is hashed, and no join, of whose rows there are no estimates.
			AND (NOT live_parts.marked OR EXISTS (
				SELECT FROM sla.summary_mark AS m
				WHERE m.source OPERATOR(pg_catalog.=) p.source
					AND m.day OPERATOR(pg_catalog.=) sla.local_date(p.calendar, p.at)))
	) AS v
	-- The days, and instants that can lie on them anywhere.
	WHERE v.at OPERATOR(pg_catalog.>=) pg_catalog.timezone('UTC', (live_parts.from_day OPERATOR(pg_catalog.-) 1)::timestamp)
		AND v.at OPERATOR(pg_catalog.<) pg_catalog.timezone('UTC', (live_parts.to_day OPERATOR(pg_catalog.+) 1)::timestamp)
		AND v.day OPERATOR(pg_catalog.>=) live_parts.from_day AND v.day OPERATOR(pg_catalog.<) live_parts.to_day;
END;
COMMENT ON FUNCTION sla.live_parts(date, date, date, boolean) IS
	'the same of single verdicts, for which no sums are kept';

CREATE TYPE sla.compliance_figures AS (
	met         bigint,
	met_avg     interval,
	met_max     interval,
	met_min     interval,
	missed      bigint,
	missed_avg  interval,
	missed_max  interval,
	missed_min  interval,
	compliance  numeric,
	overrun_avg interval,
	excused     bigint
);
COMMENT ON TYPE sla.compliance_figures IS 'the figures of a compliance report, whose columns are described with sla.compliance_report';

CREATE FUNCTION sla.compliance_add(
	state internal, excused boolean,
	met bigint, met_sum numeric, met_max bigint, met_min bigint,
	missed bigint, missed_ended bigint, missed_sum numeric, missed_max bigint, missed_min bigint, overrun_sum numeric)
RETURNS internal
	LANGUAGE c IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT
	AS 'MODULE_PATHNAME', 'sla_compliance_add';
COMMENT ON FUNCTION sla.compliance_add(internal, boolean, bigint, numeric, bigint, bigint, bigint, bigint, numeric, bigint, bigint, numeric) IS
	'adds a part to what sla.compliance_of() has';

CREATE FUNCTION sla.compliance_figures(state internal) RETURNS sla.compliance_figures
	LANGUAGE c IMMUTABLE PARALLEL SAFE CALLED ON NULL INPUT
	AS 'MODULE_PATHNAME', 'sla_compliance_figures';
COMMENT ON FUNCTION sla.compliance_figures(internal) IS 'the figures of what sla.compliance_of() has added up';

CREATE AGGREGATE sla.compliance_of(
	excused boolean,
	met bigint, met_sum numeric, met_max bigint, met_min bigint,
	missed bigint, missed_ended bigint, missed_sum numeric, missed_max bigint, missed_min bigint, overrun_sum numeric) (
	SFUNC = sla.compliance_add,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = sla.compliance_figures,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sla.compliance_of(boolean, bigint, numeric, bigint, bigint, bigint, bigint, numeric, bigint, bigint, numeric) IS
	'the figures of parts that sla.kept_parts() and sla.live_parts() give: counts and microseconds';

CREATE VIEW sla.compliance_report AS
SELECT g.day,
	g.source,
	g.department,
	g.agent,
	g.level,
	g.request,
	(g.figures).met,
	(g.figures).met_avg,
	(g.figures).met_max,
	(g.figures).met_min,
	(g.figures).missed,
	(g.figures).missed_avg,
	(g.figures).missed_max,
	(g.figures).missed_min,
	(g.figures).compliance,
	(g.figures).overrun_avg,
	(g.figures).excused
FROM (
	SELECT p.day, p.source, p.department, p.agent, p.level, p.metric AS request,
		sla.compliance_of(p.excused, p.met, p.met_sum, p.met_max, p.met_min,
			p.missed, p.missed_ended, p.missed_sum, p.missed_max, p.missed_min, p.overrun_sum) AS figures
	FROM (
		SELECT k.* FROM sla.kept_parts(1, '-infinity', 'infinity', NULL, true) AS k
		UNION ALL
		SELECT l.* FROM sla.live_parts('-infinity', 'infinity', NULL, true) AS l
	) AS p
	GROUP BY p.day, p.source, p.department, p.agent, p.level, p.metric
) AS g;
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
	columns text := '';
	inner_columns text := '';
	grouped text;
	sorted text;
	detail integer;
	until date;
	marked boolean;
	live boolean := true;
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

	detail := CASE
		WHEN levels IS NOT NULL OR agreements IS NOT NULL OR requests IS NOT NULL OR wanted && '{level,agreement,request}' THEN
			CASE WHEN agents IS NOT NULL OR 'agent' = ANY (wanted) THEN 1 ELSE 2 END
		ELSE
			CASE WHEN agents IS NOT NULL OR 'agent' = ANY (wanted) THEN 4 ELSE 3 END
		END;

	IF percentiles OR time_zone IS NOT NULL OR 'hour' = ANY (wanted) THEN
		-- Each verdict, from the log; first, for its index, the instants that can lie on these days anywhere.
		parts := format($$
			SELECT v.local::date AS day, extract(hour FROM v.local)::integer AS hour, v.source, v.department, v.agent, v.level, v.agreement, v.metric,
				v.excused, v.elapsed,
				v.met, v.met_time::numeric AS met_sum, v.met_time AS met_max, v.met_time AS met_min,
				v.missed, v.missed_ended, v.missed_time::numeric AS missed_sum, v.missed_time AS missed_max, v.missed_time AS missed_min,
				v.overrun_time::numeric AS overrun_sum
			FROM (
				SELECT p.*, %s AS local
				FROM sla.verdict_parts() AS p
				WHERE p.at >= (%L::date - 1)::timestamp AT TIME ZONE 'UTC' AND p.at < (%L::date + 1)::timestamp AT TIME ZONE 'UTC'
			) AS v
			WHERE v.local >= %L::date AND v.local < %L::date
			$$,
			CASE WHEN time_zone IS NULL THEN 'sla.local_time(p.calendar, p.at)' ELSE format('p.at AT TIME ZONE %L', time_zone) END,
			from_day, to_day, from_day, to_day);
	ELSE
		-- What the summaries say of themselves is asked first, so that only what is needed is planned. The
		-- function is stable: all it reads is of one snapshot.
		until := (SELECT u.until FROM sla.summary_until() AS u);
		marked := EXISTS (SELECT FROM sla.summary_mark AS m WHERE m.day >= from_day AND m.day < least(to_day, until));
		live := marked OR to_day > until OR from_day >= until;
		parts := concat_ws(' UNION ALL ',
			CASE WHEN from_day < until THEN
				format('SELECT p.*, NULL::integer AS hour, NULL::interval AS elapsed FROM sla.kept_parts(%L, %L, %L, %L, %L) AS p',
					detail, from_day, to_day, until, marked) END,
			CASE WHEN live THEN
				format('SELECT p.*, NULL::integer AS hour, NULL::interval AS elapsed FROM sla.live_parts(%L, %L, %L, %L) AS p',
					from_day, to_day, until, marked) END);
	END IF;
	parts := 'SELECT k.* FROM (' || parts || ') AS k WHERE true'
		|| CASE WHEN sources IS NOT NULL THEN ' AND k.source = ANY ($1)' ELSE '' END
		|| CASE WHEN departments IS NOT NULL THEN ' AND k.department = ANY ($2)' ELSE '' END
		|| CASE WHEN agents IS NOT NULL THEN ' AND k.agent = ANY ($3)' ELSE '' END
		|| CASE WHEN levels IS NOT NULL THEN ' AND k.level = ANY ($4)' ELSE '' END
		|| CASE WHEN agreements IS NOT NULL THEN ' AND k.agreement = ANY ($5)' ELSE '' END
		|| CASE WHEN requests IS NOT NULL THEN ' AND k.metric = ANY ($6)' ELSE '' END
		|| CASE WHEN without_excused THEN ' AND NOT k.excused' ELSE '' END;

	FOR i IN 1 .. cardinality(names) LOOP
		IF names[i] = ANY (wanted) THEN
			columns := columns || format('g.%I, ', names[i]);
		ELSE
			columns := columns || format('NULL::%s, ', types[i]);
		END IF;
	END LOOP;
	-- In the order in which they are sorted, so that once is enough.
	FOREACH item IN ARRAY wanted LOOP
		inner_columns := inner_columns || format('%s AS %I, ', expressions[array_position(names, item)], item);
		grouped := concat_ws(', ', grouped, expressions[array_position(names, item)]);
		sorted := concat_ws(', ', sorted, format('g.%I', item));
	END LOOP;
	totals := totals AND grouped IS NOT NULL;

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
	-- Sums of days lie in the order of the days: sorting them costs less than sorting what is made of them.
	IF 'day' = ANY (wanted) AND NOT live THEN
		rows := format('SELECT p.* FROM (%s) AS p ORDER BY %s OFFSET 0', rows, grouped);
	END IF;

	RETURN QUERY EXECUTE
		'WITH known AS (' || parts || '), p AS (' || rows || ')'
		' SELECT ' || columns
		|| CASE WHEN totals THEN 'g.total' WHEN grouped IS NULL THEN 'true' ELSE 'false' END
		|| ', (g.figures).met, (g.figures).met_avg, (g.figures).met_max, (g.figures).met_min,'
		' (g.figures).missed, (g.figures).missed_avg, (g.figures).missed_max, (g.figures).missed_min,'
		' (g.figures).compliance, (g.figures).overrun_avg, (g.figures).excused, '
		|| CASE WHEN percentiles THEN 'g.percentiles[1], g.percentiles[2], g.percentiles[3], g.percentiles[4]'
			ELSE 'NULL::interval, NULL::interval, NULL::interval, NULL::interval' END
		|| ' FROM (SELECT ' || inner_columns
		|| CASE WHEN totals THEN format('grouping(%s) > 0 AS total, ', grouped) ELSE '' END
		|| CASE WHEN percentiles THEN 'percentile_disc(ARRAY[0.5, 0.9, 0.95, 0.99]) WITHIN GROUP (ORDER BY p.elapsed) AS percentiles, ' ELSE '' END
		|| 'sla.compliance_of(p.excused, p.met, p.met_sum, p.met_max, p.met_min, p.missed, p.missed_ended, p.missed_sum, p.missed_max,'
		' p.missed_min, p.overrun_sum) AS figures'
		' FROM p GROUP BY '
		|| CASE WHEN grouped IS NULL THEN '()' WHEN totals THEN format('GROUPING SETS ((%s), ())', grouped) ELSE grouped END
		|| ') AS g'
		|| CASE WHEN grouped IS NULL THEN '' ELSE ' ORDER BY ' || CASE WHEN totals THEN 'g.total, ' ELSE '' END || sorted END
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
			SELECT sla.summary_detail(grouping(p.agent, p.level)) AS detail,
				p.day, p.source, p.department, p.agent, p.level, p.agreement, p.metric, p.excused,
				sum(p.met)::bigint AS met, sum(p.met_time) AS met_sum, max(p.met_time) AS met_max, min(p.met_time) AS met_min,
				sum(p.missed)::bigint AS missed, sum(p.missed_ended)::bigint AS missed_ended,
				sum(p.missed_time) AS missed_sum, max(p.missed_time) AS missed_max, min(p.missed_time) AS missed_min,
				sum(p.overrun_time) AS overrun_sum
			FROM (SELECT sla.local_date(p.calendar, p.at) AS day, p.* FROM sla.verdict_parts() AS p) AS p
			GROUP BY GROUPING SETS (
				(p.day, p.source, p.department, p.agent, p.level, p.agreement, p.metric, p.excused),
				(p.day, p.source, p.department, p.level, p.agreement, p.metric, p.excused),
				(p.day, p.source, p.department, p.agent, p.excused),
				(p.day, p.source, p.department, p.excused))
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
