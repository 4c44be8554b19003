/*
 * summary.sql
 *		Kept summaries of compliance, exact at any moment: see summary.c.
 */

CREATE FUNCTION sla.interval_microseconds(elapsed interval) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_interval_microseconds';
COMMENT ON FUNCTION sla.interval_microseconds(interval) IS 'the microseconds of an interval that has neither days nor months';

CREATE FUNCTION sla.microseconds_interval(microseconds bigint) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_microseconds_interval';
COMMENT ON FUNCTION sla.microseconds_interval(bigint) IS 'so many microseconds as an interval';

CREATE FUNCTION sla.is_as_of() RETURNS boolean
	LANGUAGE c STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_is_as_of';
COMMENT ON FUNCTION sla.is_as_of() IS 'is pg_sla.now set, so that reports are of another moment than the present?';

CREATE TABLE sla.summary (
	detail       smallint NOT NULL,
	day          date NOT NULL,
	source       text NOT NULL,
	department   text,
	agent        text,
	level        text,
	agreement    text,
	metric       text,
	excused      boolean NOT NULL,
	met          bigint NOT NULL,
	met_sum      numeric,
	met_max      bigint,
	met_min      bigint,
	missed       bigint NOT NULL,
	missed_ended bigint NOT NULL,
	missed_sum   numeric,
	missed_max   bigint,
	missed_min   bigint,
	overrun_sum  numeric
);
CREATE INDEX summary_day_idx ON sla.summary (detail, day);
COMMENT ON TABLE sla.summary IS 'verdicts counted by their local day, four times in different detail; CALL sla.summarize() writes it. Times are microseconds of business time.';
COMMENT ON COLUMN sla.summary.detail IS '1: by all columns; 2: of all agents together; 3: by day, source and department only; 4: by agent, too';
COMMENT ON COLUMN sla.summary.day IS 'local day of the verdict';
COMMENT ON COLUMN sla.summary.source IS 'source of the tickets';
COMMENT ON COLUMN sla.summary.department IS 'department that held the ticket when the verdict fell';
COMMENT ON COLUMN sla.summary.agent IS 'agent who held the ticket when the verdict fell';
COMMENT ON COLUMN sla.summary.level IS 'SLA level';
COMMENT ON COLUMN sla.summary.agreement IS 'kind of agreement';
COMMENT ON COLUMN sla.summary.metric IS 'what is timed';
COMMENT ON COLUMN sla.summary.excused IS 'are these the misses that are excused?';
COMMENT ON COLUMN sla.summary.met IS 'clocks that met their deadline';
COMMENT ON COLUMN sla.summary.met_sum IS 'their times';
COMMENT ON COLUMN sla.summary.met_max IS 'the longest';
COMMENT ON COLUMN sla.summary.met_min IS 'the shortest';
COMMENT ON COLUMN sla.summary.missed IS 'clocks that missed their deadline';
COMMENT ON COLUMN sla.summary.missed_ended IS 'how many of them have ended';
COMMENT ON COLUMN sla.summary.missed_sum IS 'the times of those that have ended';
COMMENT ON COLUMN sla.summary.missed_max IS 'the longest';
COMMENT ON COLUMN sla.summary.missed_min IS 'the shortest';
COMMENT ON COLUMN sla.summary.overrun_sum IS 'the business time by which they were late';

CREATE TABLE sla.summary_state (
	single        boolean PRIMARY KEY DEFAULT true CONSTRAINT summary_state_single_check CHECK (single),
	announced     date NOT NULL,
	summarized    date NOT NULL,
	calendars_at  timestamptz NOT NULL,
	summarized_at timestamptz NOT NULL
);
COMMENT ON TABLE sla.summary_state IS 'how far verdicts are summarised: at most one row';
COMMENT ON COLUMN sla.summary_state.single IS 'true';
COMMENT ON COLUMN sla.summary_state.announced IS 'whoever writes a verdict of an earlier day leaves a mark';
COMMENT ON COLUMN sla.summary_state.summarized IS 'earlier days are summarised, those with a mark excepted';
COMMENT ON COLUMN sla.summary_state.calendars_at IS 'when the calendars were last edited before; a later edit makes the summaries void';
COMMENT ON COLUMN sla.summary_state.summarized_at IS 'when something was last summarised';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.summary_state
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.summary_state IS 'tells all sessions';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.summary_state
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.summary_state IS 'tells all sessions';

CREATE TABLE sla.summary_mark (
	source text NOT NULL,
	day    date NOT NULL,
	xact   xid8 NOT NULL,
	PRIMARY KEY (source, day, xact)
);
COMMENT ON TABLE sla.summary_mark IS 'days whose verdicts have changed since they were summarised, or will: they are read from the log';
COMMENT ON COLUMN sla.summary_mark.source IS 'source of the tickets';
COMMENT ON COLUMN sla.summary_mark.day IS 'local day of the verdict';
COMMENT ON COLUMN sla.summary_mark.xact IS 'transaction that made the mark: each makes its own, since it cannot know whether that of another is seen in time';

-- Dumped without rows: where it is restored, the log is read until it is summarised again.
SELECT pg_catalog.pg_extension_config_dump('sla.summary', 'WHERE false');
SELECT pg_catalog.pg_extension_config_dump('sla.summary_state', 'WHERE false');
SELECT pg_catalog.pg_extension_config_dump('sla.summary_mark', 'WHERE false');

-- Whoever does not see all of the log sees no sums of all of it.
ALTER TABLE sla.summary ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_log ON sla.summary FOR SELECT USING (NOT pg_catalog.row_security_active('sla.log'));
COMMENT ON POLICY whole_log ON sla.summary IS 'for those from whom row-level security hides nothing of sla.log';
ALTER TABLE sla.summary_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_log ON sla.summary_state FOR SELECT USING (NOT pg_catalog.row_security_active('sla.log'));
COMMENT ON POLICY whole_log ON sla.summary_state IS 'for those from whom row-level security hides nothing of sla.log';
ALTER TABLE sla.summary_mark ENABLE ROW LEVEL SECURITY;
CREATE POLICY whole_log ON sla.summary_mark FOR SELECT USING (NOT pg_catalog.row_security_active('sla.log'));
COMMENT ON POLICY whole_log ON sla.summary_mark IS 'for those from whom row-level security hides nothing of sla.log';

CREATE FUNCTION sla.summary_note(source text, calendar text, verdict_at timestamptz) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	AS 'MODULE_PATHNAME', 'sla_summary_note';
COMMENT ON FUNCTION sla.summary_note(text, text, timestamptz) IS
	'tell the summaries that a clock whose verdict fell then has changed, or will have; for statements that write sla.log';
REVOKE ALL ON FUNCTION sla.summary_note(text, text, timestamptz) FROM PUBLIC;

CREATE FUNCTION sla.excuse_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
BEGIN
	-- Locked first, so that whoever summarises waits for this transaction.
	LOCK TABLE sla.log IN ROW EXCLUSIVE MODE;
	PERFORM sla.summary_note(l.source, l.calendar, CASE WHEN l.outcome = 'met' THEN l.closed_at ELSE l.deadline END)
	FROM unnest(ARRAY[OLD, NEW]) AS x
		JOIN sla.log AS l ON (l.source, l.ticket, l.agreement, l.metric) = (x.source, x.ticket, x.agreement, x.metric)
	WHERE sla.was_open(x.missed_at, l.source, l.ticket, l.agreement, l.metric, l.ordinal,
		l.started_at, l.counted, l.running_since, l.closed_at);
	RETURN NULL;
END
$function$;
COMMENT ON FUNCTION sla.excuse_changed() IS 'row trigger: tells the summaries of an excuse';
REVOKE ALL ON FUNCTION sla.excuse_changed() FROM PUBLIC;
CREATE TRIGGER summaries AFTER INSERT OR UPDATE OR DELETE ON sla.excuse
	FOR EACH ROW EXECUTE FUNCTION sla.excuse_changed();
COMMENT ON TRIGGER summaries ON sla.excuse IS 'tells the summaries';

CREATE FUNCTION sla.summary_announce(upto date, rebuild boolean) RETURNS xid8
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	-- Days that are over in every time zone.
	over date := ((now() - interval '16 hours') AT TIME ZONE 'UTC')::date;
BEGIN
	IF upto > over THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = format('the days before "%s" are not over', upto),
			HINT = format('Days before %s are over in every time zone.', over);
	END IF;
	IF upto = '-infinity' THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
			MESSAGE = 'no day is before "-infinity"';
	END IF;
	LOCK TABLE sla.summary IN SHARE ROW EXCLUSIVE MODE;
	INSERT INTO sla.summary_state AS s (announced, summarized, calendars_at, summarized_at)
	VALUES (coalesce(upto, over), '-infinity', '-infinity', now())
	ON CONFLICT (single) DO UPDATE SET announced = greatest(s.announced, EXCLUDED.announced);
	IF rebuild THEN
		UPDATE sla.summary_state SET summarized = '-infinity';
	END IF;
	RETURN pg_current_xact_id();
END
$function$;
COMMENT ON FUNCTION sla.summary_announce(date, boolean) IS 'step of sla.summarize(): say up to which day verdicts will be summarised; gives the transaction that says so';
REVOKE ALL ON FUNCTION sla.summary_announce(date, boolean) FROM PUBLIC;

CREATE FUNCTION sla.summary_detail(without integer) RETURNS smallint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT (CASE without WHEN 0 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 3 ELSE 4 END)::smallint
$function$;
COMMENT ON FUNCTION sla.summary_detail(integer) IS 'the number of a detail of sla.summary, from GROUPING (agent, level)';
REVOKE ALL ON FUNCTION sla.summary_detail(integer) FROM PUBLIC;

CREATE FUNCTION sla.summary_write(days daterange[]) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $function$
DECLARE
	-- Instants that can lie on these days anywhere.
	instants tstzmultirange := (
		SELECT range_agg(tstzrange((lower(d) - 1)::timestamp AT TIME ZONE 'UTC', (upper(d) + 1)::timestamp AT TIME ZONE 'UTC'))
		FROM unnest(days) AS d);
BEGIN
	-- One statement, so that all of it sees the same.
	WITH unmarked AS (
		DELETE FROM sla.summary_mark AS m WHERE m.day <@ ANY (days)
	), emptied AS (
		DELETE FROM sla.summary AS s WHERE s.day <@ ANY (days)
	), counted AS MATERIALIZED (
		SELECT p.day, p.source, p.department, p.agent, p.level, p.agreement, p.metric, p.excused,
			sum(p.met) AS met, sum(p.met_time) AS met_sum, max(p.met_time) AS met_max, min(p.met_time) AS met_min,
			sum(p.missed) AS missed, sum(p.missed_ended) AS missed_ended,
			sum(p.missed_time) AS missed_sum, max(p.missed_time) AS missed_max, min(p.missed_time) AS missed_min,
			sum(p.overrun_time) AS overrun_sum,
			-- It has not ended yet, and will have without being written.
			bool_or(p.closed_at > now()) AS pending
		FROM (
				SELECT sla.local_date(p.calendar, p.at) AS day, p.*
				FROM unnest(instants) AS i
					JOIN sla.verdict_parts() AS p ON p.at >= lower(i) AND p.at < upper(i)
				OFFSET 0
			) AS p
		WHERE p.day <@ ANY (days)
		GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
	), summed AS (
		INSERT INTO sla.summary
		SELECT sla.summary_detail(grouping(c.agent, c.level)),
			c.day, c.source, c.department, c.agent, c.level, c.agreement, c.metric, c.excused,
			sum(c.met), sum(c.met_sum), max(c.met_max), min(c.met_min),
			sum(c.missed), sum(c.missed_ended), sum(c.missed_sum), max(c.missed_max), min(c.missed_min), sum(c.overrun_sum)
		FROM counted AS c
		GROUP BY GROUPING SETS (
			(c.day, c.source, c.department, c.agent, c.level, c.agreement, c.metric, c.excused),
			(c.day, c.source, c.department, c.level, c.agreement, c.metric, c.excused),
			(c.day, c.source, c.department, c.agent, c.excused),
			(c.day, c.source, c.department, c.excused))
		-- What is read together lies together.
		ORDER BY 1, 2, 3, 4
	)
	INSERT INTO sla.summary_mark (source, day, xact)
	SELECT DISTINCT c.source, c.day, pg_current_xact_id() FROM counted AS c WHERE c.pending
	ON CONFLICT DO NOTHING;
END
$function$;
COMMENT ON FUNCTION sla.summary_write(daterange[]) IS 'step of sla.summarize(): summarise days anew';
REVOKE ALL ON FUNCTION sla.summary_write(daterange[]) FROM PUBLIC;

CREATE FUNCTION sla.summary_step(marks_before xid8) RETURNS boolean
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET jit = off
AS $function$
DECLARE
	state sla.summary_state;
	edited_at timestamptz;
	first_day date;
	next_day date;
	marked daterange[];
	-- As many days as one statement takes on.
	batch CONSTANT integer := 31;
BEGIN
	LOCK TABLE sla.summary IN SHARE ROW EXCLUSIVE MODE;
	SELECT * INTO state FROM sla.summary_state;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	SELECT coalesce(max(changed_at), '-infinity') INTO edited_at FROM sla.calendar;
	IF edited_at > state.calendars_at THEN
		-- Days and times may have become others.
		state.summarized := '-infinity';
	END IF;
	IF state.summarized = '-infinity' THEN
		DELETE FROM sla.summary;
		-- Before the first day is looked for, which so is known to whatever mark is gone.
		DELETE FROM sla.summary_mark;
		SELECT (min(CASE WHEN l.outcome = 'met' THEN l.closed_at ELSE l.deadline END) AT TIME ZONE 'UTC')::date - 1
		INTO first_day FROM sla.log AS l
		WHERE CASE WHEN l.outcome = 'met' THEN l.closed_at ELSE l.deadline END > '-infinity';
		state.summarized := least(coalesce(first_day, state.announced), state.announced);
		UPDATE sla.summary_state
		SET summarized = state.summarized, calendars_at = edited_at, summarized_at = now();
		RETURN true;
	END IF;
	IF state.summarized < state.announced THEN
		next_day := least(state.summarized + batch, state.announced);
		PERFORM sla.summary_write(ARRAY[daterange(state.summarized, next_day)]);
		UPDATE sla.summary_state SET summarized = next_day, summarized_at = now();
		RETURN true;
	END IF;
	SELECT array_agg(daterange(m.day, m.day + 1) ORDER BY m.day) INTO marked
	FROM (
		SELECT DISTINCT m.day FROM sla.summary_mark AS m
		WHERE m.xact < marks_before
		ORDER BY m.day LIMIT batch
	) AS m;
	IF marked IS NULL THEN
		ANALYZE sla.summary, sla.summary_state, sla.summary_mark;
		RETURN false;
	END IF;
	PERFORM sla.summary_write(marked);
	UPDATE sla.summary_state SET summarized_at = now();
	RETURN true;
END
$function$;
COMMENT ON FUNCTION sla.summary_step(xid8) IS 'step of sla.summarize(): summarise some days, of those with marks the ones made by earlier transactions; false when there is nothing left to do';
REVOKE ALL ON FUNCTION sla.summary_step(xid8) FROM PUBLIC;

CREATE PROCEDURE sla.summarize(upto date DEFAULT NULL, rebuild boolean DEFAULT false)
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'sla_summarize';
COMMENT ON PROCEDURE sla.summarize(date, boolean) IS
	'summarise the verdicts of the days before a day, NULL: of all that are over everywhere, and again those that have changed since; rebuild: all. Reports are right without it, and faster with it.';
REVOKE ALL ON PROCEDURE sla.summarize(date, boolean) FROM PUBLIC;
