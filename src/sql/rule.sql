/*
 * rule.sql
 *		Metrics, levels with their goals, and the rules that choose a level.
 *
 * Who may write these tables decides what every tracked ticket is promised and
 * names functions that run whenever a ticket is touched: nothing is granted.
 */

-- What is timed. The built-in rows are not dumped; one that a user changes is
-- the user's from then on.
CREATE TABLE sla.metric (
	name		text PRIMARY KEY CHECK (name <> ''),
	starts_on	text[] NOT NULL,
	stops_on	text[] NOT NULL,
	pauses_on	text[] NOT NULL DEFAULT '{paused}',
	resumes_on	text[] NOT NULL DEFAULT '{resumed}',
	cancels_on	text[] NOT NULL DEFAULT '{merged,deleted,cancelled}',
	reopens_on	text[] NOT NULL DEFAULT '{}',
	blocked_by	text[] NOT NULL DEFAULT '{}',
	repeats		boolean NOT NULL DEFAULT false,
	on_reopen	text NOT NULL DEFAULT 'resume'
		CONSTRAINT metric_on_reopen_check
		CHECK (on_reopen IN ('resume', 'new_cycle', 'total', 'first_is_final')),
	builtin		boolean NOT NULL DEFAULT false,
	description text,
	prevented_by text[] NOT NULL DEFAULT '{}',
	restores_on	text[] NOT NULL DEFAULT '{undeleted,unmerged}',
	reopen_grace interval NOT NULL DEFAULT '0',
	equality_is_met boolean NOT NULL DEFAULT true,
	CONSTRAINT metric_starts_on_check CHECK (pg_catalog.cardinality(starts_on) > 0),
	CONSTRAINT metric_stops_on_check CHECK (pg_catalog.cardinality(stops_on) > 0),
	CONSTRAINT metric_events_check CHECK (
		pg_catalog.array_position(starts_on, NULL) IS NULL
		AND pg_catalog.array_position(stops_on, NULL) IS NULL
		AND pg_catalog.array_position(pauses_on, NULL) IS NULL
		AND pg_catalog.array_position(resumes_on, NULL) IS NULL
		AND pg_catalog.array_position(cancels_on, NULL) IS NULL
		AND pg_catalog.array_position(reopens_on, NULL) IS NULL
		AND pg_catalog.array_position(prevented_by, NULL) IS NULL
		AND pg_catalog.array_position(restores_on, NULL) IS NULL
		AND pg_catalog.array_position(blocked_by, NULL) IS NULL),
	CONSTRAINT metric_reopen_grace_check CHECK (
		reopen_grace OPERATOR(pg_catalog.>=) interval '0' AND pg_catalog.date_part('year', reopen_grace) OPERATOR(pg_catalog.=) 0
		AND pg_catalog.date_part('month', reopen_grace) OPERATOR(pg_catalog.=) 0
		AND reopen_grace OPERATOR(pg_catalog.<) interval '100000 days')
);
COMMENT ON TABLE sla.metric IS 'what is timed: which events start, stop, pause, resume, cancel and reopen its clock';
COMMENT ON COLUMN sla.metric.name IS 'name, as targets and the log use it';
COMMENT ON COLUMN sla.metric.starts_on IS 'events that start the clock';
COMMENT ON COLUMN sla.metric.stops_on IS 'events that stop it, with a verdict';
COMMENT ON COLUMN sla.metric.pauses_on IS 'events that pause it';
COMMENT ON COLUMN sla.metric.resumes_on IS 'events that resume it';
COMMENT ON COLUMN sla.metric.cancels_on IS 'events that end it without a verdict';
COMMENT ON COLUMN sla.metric.reopens_on IS 'events after which a stopped clock counts again, as on_reopen tells';
COMMENT ON COLUMN sla.metric.prevented_by IS 'events that, at the same instant, keep it from starting';
COMMENT ON COLUMN sla.metric.restores_on IS 'events after which a clock goes on that their opposite had cancelled; until then none starts';
COMMENT ON COLUMN sla.metric.blocked_by IS 'metrics whose running clock keeps this one from starting';
COMMENT ON COLUMN sla.metric.repeats IS 'whether it can start again on the same ticket once it has ended';
COMMENT ON COLUMN sla.metric.on_reopen IS
	'resume: goes on, the closed time left out; total: goes on, the closed time counted; new_cycle: from the start; first_is_final: nothing';
COMMENT ON COLUMN sla.metric.reopen_grace IS
	'a reopening so soon after the ticket was done does not count: the clock stays ended. Real time, in days of 24 hours';
COMMENT ON COLUMN sla.metric.equality_is_met IS 'whether a stop at the very deadline is in time';
COMMENT ON COLUMN sla.metric.builtin IS 'came with the extension and is unchanged; such rows are not dumped';
COMMENT ON COLUMN sla.metric.description IS 'for people';

INSERT INTO sla.metric (name, starts_on, stops_on, pauses_on, resumes_on, cancels_on, reopens_on,
						prevented_by, blocked_by, repeats, on_reopen, builtin, description) VALUES
	('first_response', '{created}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{created_by_agent}', '{}', false, 'resume', true,
	 'from the ticket''s creation to the first reply of an agent'),
	('next_response', '{customer_message}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{}', '{first_response,next_response}', true, 'resume', true,
	 'from the oldest unanswered message of the customer to the next reply'),
	('periodic_update', '{agent_reply}', '{agent_reply}', '{paused}', '{resumed}',
	 '{resolved,merged,deleted,cancelled}', '{}', '{}', '{}', true, 'resume', true,
	 'from one reply of an agent to the next'),
	('chat_response', '{chat_started}', '{chat_answered}', '{paused}', '{resumed}',
	 '{chat_abandoned,merged,deleted,cancelled}', '{}', '{}', '{}', true, 'resume', true,
	 'from the start of a chat to its answer'),
	('call_response', '{call_started}', '{call_answered}', '{paused}', '{resumed}',
	 '{call_abandoned,merged,deleted,cancelled}', '{}', '{}', '{}', true, 'resume', true,
	 'from the start of a call to its answer'),
	('resolution', '{created}', '{resolved}', '{paused}', '{resumed}',
	 '{merged,deleted,cancelled}', '{reopened}', '{}', '{}', false, 'resume', true,
	 'from the ticket''s creation to its resolution'),
	('total_resolution', '{created}', '{resolved}', '{}', '{}',
	 '{merged,deleted,cancelled}', '{reopened}', '{}', '{}', false, 'total', true,
	 'from the ticket''s creation to its resolution, never pausing');

CREATE TABLE sla.level (
	name		text PRIMARY KEY CHECK (name <> ''),
	calendar	text NOT NULL REFERENCES sla.calendar ON UPDATE CASCADE,
	agreement	text NOT NULL DEFAULT 'customer'
		CONSTRAINT level_agreement_check CHECK (agreement IN ('customer', 'operational', 'supplier')),
	on_change	text NOT NULL DEFAULT 'retroactive'
		CONSTRAINT level_on_change_check
		CHECK (on_change IN ('retroactive', 'forward', 'reset', 'keep_stricter', 'keep')),
	description text
);
COMMENT ON TABLE sla.level IS 'a named promise: a calendar, and a goal for each metric in sla.target';
COMMENT ON COLUMN sla.level.name IS 'name, as rules, reports and sla.level_for() use it';
COMMENT ON COLUMN sla.level.calendar IS 'the calendar in whose business time the goals are';
COMMENT ON COLUMN sla.level.agreement IS
	'customer (SLA), operational (OLA) or supplier (UC); a ticket holds at most one level of each';
COMMENT ON COLUMN sla.level.on_change IS
	'what becomes of running clocks when a ticket comes to this level. retroactive: they count from the same start; forward: from now, with the share of the goal that was left; reset: from now; keep_stricter: retroactive where that is the earlier deadline; keep: they keep their promise';
COMMENT ON COLUMN sla.level.description IS 'for people';

CREATE TABLE sla.target (
	level		text NOT NULL REFERENCES sla.level ON UPDATE CASCADE ON DELETE CASCADE,
	metric		text NOT NULL REFERENCES sla.metric ON UPDATE CASCADE,
	position	integer NOT NULL DEFAULT 0,
	goal		interval NOT NULL,
	condition	text NOT NULL DEFAULT 'true',
	search_path text NOT NULL,
	time_zone	text NOT NULL,
	owner		text NOT NULL,
	PRIMARY KEY (level, metric, position)
);
COMMENT ON TABLE sla.target IS 'how much business time a metric may take at a level';
COMMENT ON COLUMN sla.target.level IS 'the level that promises it';
COMMENT ON COLUMN sla.target.metric IS 'the metric that is promised';
COMMENT ON COLUMN sla.target.position IS 'order among the goals of one level and metric: the first whose condition holds counts';
COMMENT ON COLUMN sla.target.goal IS 'business time: hours are business hours, days are business days';
COMMENT ON COLUMN sla.target.condition IS 'SQL condition over the ticket''s row';
COMMENT ON COLUMN sla.target.search_path IS 'where the names in the condition are looked up: that of the session that wrote it';
COMMENT ON COLUMN sla.target.time_zone IS 'the time zone of times in the condition: that of the session that wrote it';
COMMENT ON COLUMN sla.target.owner IS 'the role whose rights the functions in the condition have: the one that wrote it';

CREATE TABLE sla.rule (
	name		text NOT NULL CHECK (name <> ''),
	source		text NOT NULL CHECK (source <> ''),
	position	integer NOT NULL,
	condition	text NOT NULL,
	set_level	text REFERENCES sla.level ON UPDATE CASCADE,
	stop		boolean NOT NULL DEFAULT false,
	active		boolean NOT NULL DEFAULT true,
	on_create	boolean NOT NULL DEFAULT true,
	on_change	boolean NOT NULL DEFAULT true,
	valid		tstzrange NOT NULL DEFAULT '(,)',
	search_path text NOT NULL,
	time_zone	text NOT NULL,
	owner		text NOT NULL,
	PRIMARY KEY (source, name)
);
COMMENT ON TABLE sla.rule IS 'conditions over a ticket''s row, in order, that choose its levels';
COMMENT ON COLUMN sla.rule.name IS 'name, as errors and explanations use it';
COMMENT ON COLUMN sla.rule.source IS 'the source whose tickets it is for; may be tracked later';
COMMENT ON COLUMN sla.rule.position IS 'order; a later rule overrides an earlier one';
COMMENT ON COLUMN sla.rule.condition IS 'SQL condition over the ticket''s row';
COMMENT ON COLUMN sla.rule.set_level IS 'the level that it sets, or none';
COMMENT ON COLUMN sla.rule.stop IS 'whether later rules are left out when it matches';
COMMENT ON COLUMN sla.rule.active IS 'whether it counts at all';
COMMENT ON COLUMN sla.rule.on_create IS 'whether it is for new tickets';
COMMENT ON COLUMN sla.rule.on_change IS 'whether it is for changed tickets';
COMMENT ON COLUMN sla.rule.valid IS 'when it is in force: transactions that begin in this period go by it';
COMMENT ON COLUMN sla.rule.search_path IS 'where the names in the condition are looked up: that of the session that wrote it';
COMMENT ON COLUMN sla.rule.time_zone IS 'the time zone of times in the condition: that of the session that wrote it';
COMMENT ON COLUMN sla.rule.owner IS 'the role whose rights the functions in the condition have: the one that wrote it';

SELECT pg_catalog.pg_extension_config_dump('sla.metric', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('sla.level', '');
SELECT pg_catalog.pg_extension_config_dump('sla.target', '');
SELECT pg_catalog.pg_extension_config_dump('sla.rule', '');

CREATE FUNCTION sla.check_metric() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_metric';
COMMENT ON FUNCTION sla.check_metric() IS 'row trigger of sla.metric: what a user writes replaces a built-in row';
CREATE FUNCTION sla.check_level() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_level';
COMMENT ON FUNCTION sla.check_level() IS 'row trigger of sla.level: refuses what cannot be honoured';
CREATE FUNCTION sla.check_target() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_target';
COMMENT ON FUNCTION sla.check_target() IS 'row trigger of sla.target: checks goal and condition, notes who wrote it';
CREATE FUNCTION sla.check_rule() RETURNS trigger
	LANGUAGE c AS 'MODULE_PATHNAME', 'sla_check_rule';
COMMENT ON FUNCTION sla.check_rule() IS 'row trigger of sla.rule: checks the condition, notes who wrote it';

CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.metric
	FOR EACH ROW EXECUTE FUNCTION sla.check_metric();
COMMENT ON TRIGGER check_row ON sla.metric IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.level
	FOR EACH ROW EXECUTE FUNCTION sla.check_level();
COMMENT ON TRIGGER check_row ON sla.level IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.target
	FOR EACH ROW EXECUTE FUNCTION sla.check_target();
COMMENT ON TRIGGER check_row ON sla.target IS 'checks the row';
CREATE TRIGGER check_row BEFORE INSERT OR UPDATE ON sla.rule
	FOR EACH ROW EXECUTE FUNCTION sla.check_rule();
COMMENT ON TRIGGER check_row ON sla.rule IS 'checks the row';

CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.metric
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.metric IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.metric
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.metric IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.level
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.level IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.level
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.level IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.target
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.target IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.target
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.target IS 'has all sessions read rules again';
CREATE TRIGGER config_changing BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.rule
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changing ON sla.rule IS 'has all sessions read rules again';
CREATE TRIGGER config_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sla.rule
	FOR EACH STATEMENT EXECUTE FUNCTION sla.config_changed();
COMMENT ON TRIGGER config_changed ON sla.rule IS 'has all sessions read rules again';

CREATE FUNCTION sla.check_rule_of_source(source text, rule text) RETURNS void
	LANGUAGE c STABLE STRICT
	AS 'MODULE_PATHNAME', 'sla_check_rule_of_source';
COMMENT ON FUNCTION sla.check_rule_of_source(text, text) IS
	'an error unless a rule, as it was written, and the goals of its level fit what the source tracks';
REVOKE ALL ON FUNCTION sla.check_rule_of_source(text, text) FROM PUBLIC;

CREATE FUNCTION sla.level_for(ticket_row anyelement) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_level_for';
COMMENT ON FUNCTION sla.level_for(anyelement) IS
	'the level that the rules would give a new ticket with this row of a tracked table (of the customer agreement), or NULL';
CREATE FUNCTION sla.level_for(source text, ticket_row anyelement) RETURNS text
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_level_for_source';
COMMENT ON FUNCTION sla.level_for(text, anyelement) IS
	'the same by the rules of the named source, when several track the table';

CREATE FUNCTION sla.goal_for(ticket_row anyelement, metric text) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_goal_for';
COMMENT ON FUNCTION sla.goal_for(anyelement, text) IS
	'the goal of the level that sla.level_for() gives, for a metric; NULL if it has none';
CREATE FUNCTION sla.goal_for(source text, ticket_row anyelement, metric text) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_goal_for_source';
COMMENT ON FUNCTION sla.goal_for(text, anyelement, text) IS
	'the same by the rules of the named source';
CREATE FUNCTION sla.deadline_for(ticket_row anyelement, metric text) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_deadline_for';
COMMENT ON FUNCTION sla.deadline_for(anyelement, text) IS
	'when that goal is used up from the ticket''s creation on, in the calendar of the level; pauses are not known here';
CREATE FUNCTION sla.deadline_for(source text, ticket_row anyelement, metric text) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_deadline_for_source';
COMMENT ON FUNCTION sla.deadline_for(text, anyelement, text) IS
	'the same by the rules of the named source';
