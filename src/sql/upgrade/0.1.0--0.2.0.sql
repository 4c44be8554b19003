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

-- instead of: CREATE TABLE sla.ticket
ALTER TABLE sla.ticket DROP CONSTRAINT ticket_pkey;
ALTER TABLE sla.ticket ADD PRIMARY KEY (ticket, source);
-- instead of: CREATE TABLE sla.event
ALTER TABLE sla.event DROP CONSTRAINT event_pkey;
ALTER TABLE sla.event ADD PRIMARY KEY (ticket, source, at, id);
-- instead of: CREATE TABLE sla.log
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
