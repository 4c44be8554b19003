/*
 * 0.1.0--0.2.0.sql
 *		What an update from 0.1.0 does to tables that were there, and to their rows.
 *
 * All else is found by comparing the install scripts; see scripts/upgrade.
 */

-- instead of: CREATE TABLE sla.calendar_version
ALTER TABLE sla.calendar_version
	ALTER time_zone DROP NOT NULL,
	ALTER hours DROP NOT NULL,
	ADD COLUMN base text REFERENCES sla.calendar (name) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
	ADD CONSTRAINT calendar_version_base_check
		CHECK (base IS NOT NULL OR (time_zone IS NOT NULL AND hours IS NOT NULL));

-- instead of: CREATE TABLE sla.metric
ALTER TABLE sla.metric
	ADD COLUMN prevented_by text[] NOT NULL DEFAULT '{}',
	ADD COLUMN restores_on text[] NOT NULL DEFAULT '{undeleted,unmerged}',
	ADD COLUMN reopen_grace interval NOT NULL DEFAULT '0',
	ADD COLUMN equality_is_met boolean NOT NULL DEFAULT true,
	DROP CONSTRAINT metric_events_check,
	ADD CONSTRAINT metric_events_check CHECK (
		pg_catalog.array_position(starts_on, NULL) IS NULL
		AND pg_catalog.array_position(stops_on, NULL) IS NULL
		AND pg_catalog.array_position(pauses_on, NULL) IS NULL
		AND pg_catalog.array_position(resumes_on, NULL) IS NULL
		AND pg_catalog.array_position(cancels_on, NULL) IS NULL
		AND pg_catalog.array_position(reopens_on, NULL) IS NULL
		AND pg_catalog.array_position(prevented_by, NULL) IS NULL
		AND pg_catalog.array_position(restores_on, NULL) IS NULL
		AND pg_catalog.array_position(blocked_by, NULL) IS NULL),
	ADD CONSTRAINT metric_reopen_grace_check CHECK (
		reopen_grace OPERATOR(pg_catalog.>=) interval '0' AND pg_catalog.date_part('year', reopen_grace) OPERATOR(pg_catalog.=) 0
		AND pg_catalog.date_part('month', reopen_grace) OPERATOR(pg_catalog.=) 0
		AND reopen_grace OPERATOR(pg_catalog.<) interval '100000 days');
-- instead of: INSERT INTO sla.metric
UPDATE sla.metric SET prevented_by = '{created_by_agent}' WHERE name = 'first_response' AND builtin;
-- instead of: CREATE TABLE sla.promise
ALTER TABLE sla.promise
	ADD COLUMN on_change text NOT NULL DEFAULT 'retroactive',
	ADD COLUMN rule text;

-- instead of: CREATE TABLE sla.ticket
ALTER TABLE sla.ticket DROP CONSTRAINT ticket_pkey;
ALTER TABLE sla.ticket ADD PRIMARY KEY (ticket, source);
-- instead of: CREATE TABLE sla.event
ALTER TABLE sla.event
	ADD COLUMN other text,
	ADD COLUMN agreement text,
	ADD COLUMN metric text,
	ADD COLUMN deadline timestamptz,
	ADD COLUMN since timestamptz,
	ADD COLUMN counted tstzmultirange,
	ADD COLUMN decided_for text[],
	ADD COLUMN decided bigint[];
ALTER TABLE sla.event DROP CONSTRAINT event_pkey;
ALTER TABLE sla.event ADD PRIMARY KEY (ticket, source, at, id);
-- instead of: CREATE TABLE sla.log
ALTER TABLE sla.log
	ADD COLUMN deadline_excluded boolean NOT NULL DEFAULT false,
	ADD COLUMN fixed boolean NOT NULL DEFAULT false;
ALTER TABLE sla.log DROP CONSTRAINT log_pkey;
ALTER TABLE sla.log ADD PRIMARY KEY (ticket, source, agreement, metric, ordinal);

-- Expressions meant what the session's time zone made of them; from now on it is the zone of whoever updates.
-- instead of: CREATE TABLE sla.source
ALTER TABLE sla.source ADD COLUMN time_zone text NOT NULL DEFAULT pg_catalog.current_setting('TimeZone');
ALTER TABLE sla.source ALTER time_zone DROP DEFAULT;
ALTER TABLE sla.source ADD COLUMN tracked_since timestamptz NOT NULL DEFAULT pg_catalog.now();
UPDATE sla.source AS s SET tracked_since = e.first
FROM (SELECT source, pg_catalog.min(recorded_at) AS first FROM sla.event GROUP BY source) AS e
WHERE e.source = s.name;
-- instead of: CREATE TABLE sla.source_event
ALTER TABLE sla.source_event ADD COLUMN time_zone text NOT NULL DEFAULT pg_catalog.current_setting('TimeZone');
ALTER TABLE sla.source_event ALTER time_zone DROP DEFAULT;

-- instead of: CREATE TABLE sla.deadline_change
ALTER TABLE sla.deadline_change
	ADD COLUMN former_level text,
	ADD COLUMN level text,
	ADD COLUMN former_goal interval,
	ADD COLUMN goal interval,
	ADD COLUMN former_verdict text,
	ADD COLUMN verdict text;
