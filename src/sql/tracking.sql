/*
 * tracking.sql
 *		Tracking: which tables are tickets, and what happens to them when a row changes.
 */

CREATE TABLE sla.source (
	name         text PRIMARY KEY,
	ticket_table regclass NOT NULL,
	ticket_key   name NOT NULL,
	department   text,
	agent        text,
	created_at   text NOT NULL DEFAULT 'now()',
	changed_at   text NOT NULL DEFAULT 'now()',
	facts        regclass,
	level_column name,
	due_column   name,
	search_path  text NOT NULL,
	owner        text NOT NULL
);
COMMENT ON TABLE sla.source IS 'tracked kinds of ticket; sla.track writes it';
COMMENT ON COLUMN sla.source.name IS 'name of the source';
COMMENT ON COLUMN sla.source.ticket_table IS 'table of the tickets';
COMMENT ON COLUMN sla.source.ticket_key IS 'its key column';
COMMENT ON COLUMN sla.source.department IS 'expression over a ticket''s row: the department that holds it';
COMMENT ON COLUMN sla.source.agent IS 'expression over a ticket''s row: the agent who holds it';
COMMENT ON COLUMN sla.source.created_at IS 'expression over a ticket''s row: when it was created';
COMMENT ON COLUMN sla.source.changed_at IS 'expression over a ticket''s row: when it was changed';
COMMENT ON COLUMN sla.source.facts IS 'view over which rules run instead of the ticket''s row';
COMMENT ON COLUMN sla.source.level_column IS 'column of the ticket that is kept at the level chosen';
COMMENT ON COLUMN sla.source.due_column IS 'column of the ticket that is kept at the nearest deadline';
COMMENT ON COLUMN sla.source.search_path IS 'search path by which names in the expressions are looked up';
COMMENT ON COLUMN sla.source.owner IS 'role as which functions in the expressions run';

CREATE TABLE sla.source_event (
	source      text NOT NULL REFERENCES sla.source (name) ON UPDATE CASCADE ON DELETE CASCADE,
	on_table    regclass NOT NULL,
	event       text NOT NULL,
	stream      integer NOT NULL,
	condition   text NOT NULL DEFAULT 'true',
	ticket_key  text,
	at          text,
	agent       text,
	search_path text NOT NULL,
	owner       text NOT NULL,
	PRIMARY KEY (source, on_table, event),
	CONSTRAINT source_event_name_check CHECK (event OPERATOR(pg_catalog.<>) '')
);
COMMENT ON TABLE sla.source_event IS 'which row changes are events; sla.track_event writes it';
COMMENT ON COLUMN sla.source_event.source IS 'source whose tickets the events are of';
COMMENT ON COLUMN sla.source_event.on_table IS 'table whose rows tell the event';
COMMENT ON COLUMN sla.source_event.event IS 'the event';
COMMENT ON COLUMN sla.source_event.stream IS 'number of the table among the source''s tables, which its trigger carries: 0 is the ticket table';
COMMENT ON COLUMN sla.source_event.condition IS 'condition over the row: the event happens when it becomes true';
COMMENT ON COLUMN sla.source_event.ticket_key IS 'expression over the row: key of the ticket; NULL on the ticket table itself';
COMMENT ON COLUMN sla.source_event.at IS 'expression over the row: when it happened; NULL: when the row changed';
COMMENT ON COLUMN sla.source_event.agent IS 'expression over the row: who did it';
COMMENT ON COLUMN sla.source_event.search_path IS 'search path by which names in the expressions are looked up';
COMMENT ON COLUMN sla.source_event.owner IS 'role as which functions in the expressions run';

SELECT pg_catalog.pg_extension_config_dump('sla.source', '');
SELECT pg_catalog.pg_extension_config_dump('sla.source_event', '');

CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.source IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.source IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source_event
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.source_event IS 'has all sessions read what is tracked again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.source_event
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.source_event IS 'has all sessions read what is tracked again';

CREATE FUNCTION sla.track_row() RETURNS trigger
AS 'MODULE_PATHNAME', 'sla_track_row'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION sla.track_row() IS 'trigger: turn a row change into events of a ticket. Arguments: the source, and the number of the table among its tables.';

CREATE FUNCTION sla.track_truncate() RETURNS trigger
AS 'MODULE_PATHNAME', 'sla_track_truncate'
LANGUAGE C VOLATILE;
COMMENT ON FUNCTION sla.track_truncate() IS 'trigger: every ticket of the source has been deleted. Argument: the source.';

CREATE FUNCTION sla.check_source(source text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_check_source'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.check_source(text) IS 'an error when an expression, an event or a rule of the source does not fit its tables';
REVOKE ALL ON FUNCTION sla.check_source(text) FROM PUBLIC;

CREATE FUNCTION sla.track(
	source text, ticket_table regclass, ticket_key name,
	department text DEFAULT NULL, agent text DEFAULT NULL,
	created_at text DEFAULT 'now()', changed_at text DEFAULT 'now()',
	facts regclass DEFAULT NULL, level_column name DEFAULT NULL, due_column name DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_track'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.track(text, regclass, name, text, text, text, text, regclass, name, name) IS
	'track a table of tickets as a source, from now on; again with the same source and table: change its expressions';
REVOKE ALL ON FUNCTION sla.track(text, regclass, name, text, text, text, text, regclass, name, name) FROM PUBLIC;

CREATE FUNCTION sla.track_event(
	source text, on_table regclass, event text, condition text DEFAULT 'true',
	ticket_key text DEFAULT NULL, at text DEFAULT NULL, agent text DEFAULT NULL)
RETURNS void
AS 'MODULE_PATHNAME', 'sla_track_event'
LANGUAGE C VOLATILE CALLED ON NULL INPUT;
COMMENT ON FUNCTION sla.track_event(text, regclass, text, text, text, text, text) IS
	'have row changes of a table tell an event of a source''s tickets: it happens when the condition becomes true of a row';
REVOKE ALL ON FUNCTION sla.track_event(text, regclass, text, text, text, text, text) FROM PUBLIC;

CREATE FUNCTION sla.untrack(source text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_untrack'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.untrack(text) IS 'stop tracking a source: its triggers go, its events and its log stay';
REVOKE ALL ON FUNCTION sla.untrack(text) FROM PUBLIC;

CREATE FUNCTION sla.untrack_event(source text, on_table regclass, event text) RETURNS void
AS 'MODULE_PATHNAME', 'sla_untrack_event'
LANGUAGE C VOLATILE STRICT;
COMMENT ON FUNCTION sla.untrack_event(text, regclass, text) IS 'stop taking an event from a table';
REVOKE ALL ON FUNCTION sla.untrack_event(text, regclass, text) FROM PUBLIC;
