-- What a trigger costs whoever writes a ticket, one row a statement and many.

CREATE EXTENSION pg_sla;
CREATE TABLE ticket (
	id bigint PRIMARY KEY, department text, assignee text, status text NOT NULL DEFAULT 'open', tags text[] NOT NULL DEFAULT '{}', note text,
	created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE message (
	id bigserial PRIMARY KEY, ticket_id bigint NOT NULL, author text NOT NULL, internal boolean NOT NULL DEFAULT false, sent_at timestamptz NOT NULL, body text);
CREATE TABLE plain_ticket (LIKE ticket INCLUDING ALL);
CREATE TABLE plain_message (LIKE message INCLUDING ALL);

CREATE TABLE audit (at timestamptz, operation text, row jsonb);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO audit VALUES (now(), TG_OP, to_jsonb(NEW));
	RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT ON plain_message FOR EACH ROW EXECUTE FUNCTION audit();

SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES
	('Urgent', 'first_response', '1 hour'), ('Urgent', 'next_response', '30 minutes'),
	('Standard', 'first_response', '4 hours'), ('Standard', 'resolution', '3 days');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'helpdesk', 10, 'true', 'Standard', false),
	('tag URGENT', 'helpdesk', 20, $$'URGENT' = ANY (tags)$$, 'Urgent', true);
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', agent => 'assignee', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('helpdesk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('helpdesk', 'message', 'agent_reply', $$author = 'agent' AND NOT internal$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('helpdesk', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');

-- As many tickets as all runs together answer, each once.
INSERT INTO ticket (id, created_at) SELECT n, timestamptz '2026-03-02 09:00+01' FROM generate_series(1, 60000) AS n;
INSERT INTO plain_ticket SELECT * FROM ticket;
CREATE SEQUENCE answered;
CREATE SEQUENCE plain_answered;
-- And those that come and are answered many in a statement.
CREATE TRIGGER audit AFTER INSERT ON plain_ticket FOR EACH ROW EXECUTE FUNCTION audit();
CREATE SEQUENCE come START 1000001;
CREATE SEQUENCE plain_come START 1000001;
CREATE SEQUENCE gone START 1000001;
CREATE SEQUENCE plain_gone START 1000001;
VACUUM (FREEZE, ANALYZE);

-- work: INSERT of a message that stops a clock, one client, each committed | <= 1.5 x | transactions 500 prepared
-- baseline: one PL/pgSQL audit trigger
INSERT INTO plain_message (ticket_id, author, sent_at) VALUES (nextval('plain_answered'), 'agent', '2026-03-02 10:00+01');
-- ours: the clock stops, in the same transaction
INSERT INTO message (ticket_id, author, sent_at) VALUES (nextval('answered'), 'agent', '2026-03-02 10:00+01');

-- work: the same, sent as text | <= 1.5 x | transactions 500
-- baseline: one PL/pgSQL audit trigger
INSERT INTO plain_message (ticket_id, author, sent_at) VALUES (nextval('plain_answered'), 'agent', '2026-03-02 10:00+01');
-- ours: the clock stops, in the same transaction
INSERT INTO message (ticket_id, author, sent_at) VALUES (nextval('answered'), 'agent', '2026-03-02 10:00+01');

-- work: the same 2,000 times in one transaction, without client and commit |
-- baseline: one PL/pgSQL audit trigger
DO $$ BEGIN FOR n IN 1..2000 LOOP
	INSERT INTO plain_message (ticket_id, author, sent_at) VALUES (nextval('plain_answered'), 'agent', '2026-03-02 10:00+01');
END LOOP; END $$;
-- ours: the clock stops, in the same transaction
DO $$ BEGIN FOR n IN 1..2000 LOOP
	INSERT INTO message (ticket_id, author, sent_at) VALUES (nextval('answered'), 'agent', '2026-03-02 10:00+01');
END LOOP; END $$;

-- work: UPDATE of a ticket that matters to no clock | <= 1.15 x
-- baseline: the same table untracked
DO $$ BEGIN FOR n IN 1..2000 LOOP
	UPDATE plain_ticket SET note = 'read', updated_at = now() WHERE id = n;
END LOOP; END $$;
-- ours: tracked
DO $$ BEGIN FOR n IN 1..2000 LOOP
	UPDATE ticket SET note = 'read', updated_at = now() WHERE id = n;
END LOOP; END $$;

-- work: INSERT … SELECT of 5,000 tickets |
-- baseline: one PL/pgSQL audit trigger
INSERT INTO plain_ticket (id, created_at) SELECT nextval('plain_come'), '2026-03-02 09:00+01' FROM generate_series(1, 5000);
-- ours: two clocks start
INSERT INTO ticket (id, created_at) SELECT nextval('come'), '2026-03-02 09:00+01' FROM generate_series(1, 5000);

-- work: INSERT … SELECT of 5,000 messages that stop a clock each |
-- baseline: one PL/pgSQL audit trigger
INSERT INTO plain_message (ticket_id, author, sent_at) SELECT nextval('plain_gone'), 'agent', '2026-03-02 10:00+01' FROM generate_series(1, 5000);
-- ours: the clocks stop
INSERT INTO message (ticket_id, author, sent_at) SELECT nextval('gone'), 'agent', '2026-03-02 10:00+01' FROM generate_series(1, 5000);
