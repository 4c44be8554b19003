-- The conditions that LiveAgent's rules know, and their two actions, over the tables of a help desk.
BEGIN;
SELECT plan(59);

CREATE EXTENSION pg_sla;
SET LOCAL timezone = 'Europe/Oslo';

CREATE TABLE agent (name text PRIMARY KEY, status text NOT NULL);
CREATE TABLE customer (id bigint PRIMARY KEY, name text);
CREATE TABLE customer_group (customer_id bigint REFERENCES customer, name text);
CREATE TABLE ticket (
	id bigint PRIMARY KEY, source text, status text NOT NULL, created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
	deleted boolean NOT NULL DEFAULT false, referrer_url text, priority integer, department text, assignee text REFERENCES agent,
	customer_id bigint REFERENCES customer, invitation_id bigint, custom jsonb, level text, looked_at integer NOT NULL DEFAULT 0);
CREATE TABLE message (ticket_id bigint, author text, sent_at timestamptz, body text);
CREATE TABLE ticket_tag (ticket_id bigint, tag text);
CREATE TABLE custom_field (ticket_id bigint, name text, value text);
CREATE VIEW ticket_facts AS
SELECT t.*, t.invitation_id IS NOT NULL AS from_invitation, a.status AS agent_status,
	ARRAY(SELECT g.name FROM customer_group g WHERE g.customer_id = t.customer_id) AS customer_groups,
	ARRAY(SELECT g.tag FROM ticket_tag g WHERE g.ticket_id = t.id) AS tags,
	(SELECT f.value FROM custom_field f WHERE f.ticket_id = t.id AND f.name = 'contract') AS contract,
	m.author AS last_message_by, m.sent_at AS last_message_at, m.body AS last_message
FROM ticket t
LEFT JOIN agent a ON a.name = t.assignee
LEFT JOIN LATERAL (SELECT * FROM message WHERE ticket_id = t.id ORDER BY sent_at DESC LIMIT 1) AS m ON true;

SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Special', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES ('Standard', 'resolution', '3 days'), ('Special', 'resolution', '1 day');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('everyone', 'helpdesk', 1, 'true', 'Standard');
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at',
	changed_at => 'changed_at', facts => 'ticket_facts', level_column => 'level');

INSERT INTO agent VALUES ('kari', 'online'), ('ola', 'away');
INSERT INTO customer VALUES (1, 'Anna'), (2, 'Boris');
INSERT INTO customer_group VALUES (1, 'gold'), (1, 'press');
INSERT INTO ticket_tag VALUES (1, 'URGENT'), (3, 'a'), (3, 'refund');
INSERT INTO custom_field VALUES (3, 'contract', 'C-17'), (2, 'colour', 'C-blue');
INSERT INTO message VALUES (1, 'customer', '2026-03-02 09:00', 'Help!'), (2, 'customer', '2026-03-03 09:00', 'Where is my order?'), (2, 'agent', '2026-03-04 09:00', 'On its way.');
INSERT INTO ticket (id, source, status, created_at, changed_at, deleted, referrer_url, priority, department, assignee, customer_id, invitation_id, custom) VALUES
	(1, 'email', 'new', '2026-03-02 09:00', '2026-03-02 09:00', false, NULL, 1, 'Billing', 'kari', 1, NULL, '{"plan": "gold", "seats": 5}'),
	(2, 'chat', 'open', '2026-03-03 09:00', '2026-03-06 09:00', false, 'https://shop.example/checkout?item=1', 2, 'Sales', 'ola', 2, 77, '{"plan": "free"}'),
	(3, 'phone', 'resolved', '2026-02-01 09:00', '2026-03-01 09:00', true, 'https://docs.example/', NULL, 'Sales', NULL, NULL, NULL, NULL);

-- Which tickets get the special level from a rule of that condition, by the trigger on the ticket, and by a query over the facts.
CREATE FUNCTION by_trigger(condition text) RETURNS bigint[] LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM sla.rule WHERE source = 'helpdesk' AND name <> 'everyone';
	INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('special', 'helpdesk', 2, $1, 'Special');
	UPDATE ticket SET looked_at = looked_at + 1;
	RETURN ARRAY(SELECT id FROM ticket WHERE level = 'Special' ORDER BY id);
END
$$;
CREATE FUNCTION by_query() RETURNS bigint[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT id FROM ticket_facts AS f WHERE sla.level_for('helpdesk', f) = 'Special' ORDER BY id)
$$;
CREATE TABLE liveagent (n integer GENERATED ALWAYS AS IDENTITY, name text, sql text, json jsonb, ids bigint[]);
INSERT INTO liveagent (name, sql, json, ids) VALUES
	('ticket source', $$source IN ('chat', 'phone')$$,
		'{"all": [{"field": "source", "operator": "one of", "value": ["chat", "phone"]}]}', '{2,3}'),
	('ticket status', $$status <> 'resolved'$$,
		'{"all": [{"field": "status", "operator": "is not", "value": "resolved"}]}', '{1,2}'),
	('ticket created', $$created_at < '2026-03-01'$$,
		'{"all": [{"field": "created_at", "operator": "before", "value": "2026-03-01"}]}', '{3}'),
	('ticket changed', $$changed_at > '2026-03-05'$$,
		'{"all": [{"field": "changed_at", "operator": "after", "value": "2026-03-05"}]}', '{2}'),
	('ticket deleted', 'deleted',
		'{"all": [{"field": "deleted", "operator": "is", "value": true}]}', '{3}'),
	('referrer URL', $$referrer_url LIKE '%/checkout%'$$,
		'{"all": [{"field": "referrer_url", "operator": "contains", "value": "/CHECKOUT", "ignore_case": true}]}', '{2}'),
	('priority', 'priority <= 1',
		'{"all": [{"field": "priority", "operator": "less or equal", "value": 1}]}', '{1}'),
	('last message', $$last_message_by = 'customer' AND last_message_at < '2026-03-03'$$,
		'{"all": [{"field": "last_message_by", "operator": "is", "value": "customer"}, {"field": "last_message_at", "operator": "before", "value": "2026-03-03"}]}', '{1}'),
	('assigned agent''s status', $$agent_status = 'away'$$,
		'{"all": [{"field": "agent_status", "operator": "is", "value": "away"}]}', '{2}'),
	('custom field, in jsonb', $$custom ->> 'plan' = 'gold' AND (custom ->> 'seats')::integer >= 5$$,
		'{"all": [{"field": "custom.plan", "operator": "is", "value": "gold"}, {"field": "custom.seats", "operator": "greater or equal", "value": 5}]}', '{1}'),
	('custom field, in a table', $$contract LIKE 'C-%'$$,
		'{"all": [{"field": "contract", "operator": "starts with", "value": "C-"}]}', '{3}'),
	('department', $$department = 'Sales'$$,
		'{"all": [{"field": "department", "operator": "is", "value": "Sales"}]}', '{2,3}'),
	('assigned to', 'assignee IS NULL',
		'{"all": [{"field": "assignee", "operator": "empty"}]}', '{3}'),
	('customer group', $$'gold' = ANY (customer_groups)$$,
		'{"all": [{"field": "customer_groups", "operator": "contains", "value": "gold"}]}', '{1}'),
	('created from invitation', 'from_invitation',
		'{"all": [{"field": "from_invitation", "operator": "is", "value": true}]}', '{2}'),
	('tags', $$tags && ARRAY['URGENT', 'refund']$$,
		'{"any": [{"field": "tags", "operator": "contains", "value": ["URGENT", "refund"]}]}', '{1,3}');
SELECT is(level, 'Standard', 'a new ticket has the level of all') FROM ticket ORDER BY id;
SELECT is(by_trigger(sql), ids, name) FROM liveagent ORDER BY n;
SELECT is(by_trigger(sla.condition_from_json('helpdesk', json)), ids, name || ', as a form says it') FROM liveagent ORDER BY n;
SELECT is(sla.condition_to_json(sla.condition_from_json('helpdesk', json)), json, name || ', and back') FROM liveagent ORDER BY n;

-- A query over the facts gives what the trigger gives.
SELECT is(by_query(), '{1,3}', 'tags, in a query');

-- What another table says counts with the next thing that happens to the ticket.
DELETE FROM ticket_tag;
INSERT INTO ticket_tag VALUES (2, 'refund');
SELECT is(by_query(), '{2}', 'the tags have moved');
UPDATE ticket SET looked_at = looked_at + 1;
SELECT is((SELECT array_agg(id ORDER BY id) FROM ticket WHERE level = 'Special'), '{2}', 'and the level with them');

-- Several at once, and the second action: stop other rules.
DELETE FROM sla.rule WHERE source = 'helpdesk' AND name <> 'everyone';
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('never special', 'helpdesk', 2, $$status = 'resolved' AND deleted$$, NULL, true),
	('special', 'helpdesk', 3, $$department = 'Sales' AND (agent_status IS DISTINCT FROM 'online' OR 'gold' = ANY (customer_groups))$$, 'Special', false);
SELECT is(by_query(), '{2}', 'a rule that stops keeps the later ones out');
SELECT is((SELECT array_agg(result ORDER BY e.position) FROM ticket_facts AS f, sla.explain_level('helpdesk', f) AS e WHERE f.id = 3),
	'{matched,matched,"not reached"}', 'and the explanation says so');
UPDATE ticket SET looked_at = looked_at + 1;
SELECT is((SELECT array_agg(level ORDER BY id) FROM ticket), '{Standard,Special,Standard}', 'the tickets have their levels');
UPDATE sla.rule SET active = false WHERE source = 'helpdesk' AND name = 'never special';
SELECT is(by_query(), '{2,3}', 'switched off it does not');
SELECT is((SELECT count(*) FROM sla.verify('helpdesk')), 0::bigint, 'the log is what the events give');
SELECT * FROM finish();
ROLLBACK;
