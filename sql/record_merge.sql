-- Merged tickets whose start another takes over, told in any order: what is known late changes what was taken over.
CREATE SCHEMA record_merge;
SET search_path = record_merge;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';
\set lives 25
SELECT sla.set_calendar('merge office', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('merge a', 'merge office'), ('merge b', 'merge office');
INSERT INTO sla.target (level, metric, goal) VALUES ('merge a', 'first_response', '4 hours'), ('merge a', 'next_response', '2 hours'),
	('merge a', 'resolution', '2 days'), ('merge b', 'resolution', '1 day'), ('merge b', 'next_response', '1 hour');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('a', 'merge', 1, $$id LIKE '%a'$$, 'merge a'), ('b', 'merge', 2, $$id LIKE '%b'$$, 'merge b');
CREATE TABLE ticket (id text PRIMARY KEY, due timestamptz, created_at timestamptz);
CREATE TABLE message (ticket text, author text, sent_at timestamptz);
SELECT sla.track('merge', 'ticket', 'id', created_at => 'created_at', changed_at => 'created_at', due_column => 'due');
SELECT sla.track_event('merge', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket', at => 'sent_at');
CREATE VIEW clocks AS SELECT ticket, metric, ordinal AS n, started_at, counted, running_since, deadline, closed_at, outcome, reason
FROM sla.log WHERE source = 'merge' ORDER BY ticket, metric, ordinal;

-- What the merged ticket is told late of the time before: a pause, an answer, that it was resolved.
INSERT INTO ticket (id, created_at) VALUES ('1a', '2098-03-03 08:00'), ('2a', '2098-03-03 10:00');
SELECT sla.merge('merge', '1a', '2a', inherit_start => true, at => '2098-03-03 12:00');
SELECT * FROM clocks WHERE ticket = '2a';
SELECT due FROM ticket WHERE id = '2a';
SELECT sla.record_event('merge', '1a', 'paused', '2098-03-03 08:30'), sla.record_event('merge', '1a', 'resumed', '2098-03-03 09:30');
SELECT * FROM clocks WHERE ticket = '2a';
SELECT due FROM ticket WHERE id = '2a';
INSERT INTO message VALUES ('1a', 'agent', '2098-03-03 09:45');
SELECT * FROM clocks WHERE ticket = '2a';
SELECT sla.record_event('merge', '1a', 'resolved', '2098-03-03 11:00');
SELECT * FROM clocks WHERE ticket = '2a';
SELECT due FROM ticket WHERE id = '2a';
SELECT event, at, other, since FROM sla.event WHERE source = 'merge' AND ticket IN ('1a', '2a') AND other IS NOT NULL ORDER BY ticket, at, id;
-- What comes after the merge changes nothing there.
SELECT sla.record_event('merge', '1a', 'reopened', '2098-03-03 13:00');
SELECT count(*) FROM sla.event WHERE source = 'merge' AND ticket = '2a' AND event = 'took_over' AND metric IS NOT NULL;
-- A merge that is itself told late: by what was then.
INSERT INTO ticket (id, created_at) VALUES ('3a', '2098-03-03 08:00'), ('4a', '2098-03-03 10:00');
SELECT sla.record_event('merge', '3a', 'resolved', '2098-03-03 13:00');
SELECT sla.merge('merge', '3a', '4a', inherit_start => true, at => '2098-03-03 12:00');
SELECT * FROM clocks WHERE ticket = '4a' AND metric = 'resolution';
SELECT * FROM sla.verify('merge');

-- Their keys change; what comes late still finds them, also where there was nothing to take over.
UPDATE ticket SET id = '4 a' WHERE id = '4a';
UPDATE ticket SET id = '3 a' WHERE id = '3a';
UPDATE ticket SET id = '2 a' WHERE id = '2a';
UPDATE ticket SET id = '1 a' WHERE id = '1a';
SELECT ticket, event, other FROM sla.event WHERE source = 'merge' AND other IS NOT NULL ORDER BY ticket, at, id;
UPDATE sla.event SET recorded_at = '2024-01-01' WHERE source = 'merge' AND event = 'took_over';
SELECT sla.record_event('merge', '3 a', 'paused', '2098-03-03 11:30'), sla.record_event('merge', '1 a', 'reopened', '2098-03-03 11:30');
SELECT ticket, event, metric, other, since, counted, recorded_at FROM sla.event WHERE source = 'merge' AND event = 'took_over' ORDER BY ticket, at, id;
SELECT * FROM sla.verify('merge');
-- Two into one at one instant: it is the older clock that goes on there, whichever was told first.
INSERT INTO ticket (id, created_at) VALUES ('5a', '2098-03-03 08:00'), ('6a', '2098-03-03 09:00'), ('7a', '2098-03-03 10:00'), ('8a', '2098-03-03 10:00');
SELECT sla.merge('merge', '5a', '7a', true, '2098-03-03 12:00'), sla.merge('merge', '6a', '7a', true, '2098-03-03 12:00');
SELECT sla.merge('merge', '6a', '8a', true, '2098-03-03 12:00'), sla.merge('merge', '5a', '8a', true, '2098-03-03 12:00');
SELECT ticket, metric, n, started_at, counted, running_since, outcome, reason FROM clocks WHERE ticket IN ('7a', '8a');
-- It is closed, answered or deleted with the merge, in the same transaction: the other takes over what there was before.
INSERT INTO ticket (id, created_at) VALUES ('9a', '2098-03-03 08:00'), ('10a', '2098-03-03 10:00'), ('11a', '2024-03-05 08:00'), ('12a', '2024-03-05 10:00');
SELECT sla.merge('merge', '9a', '10a', true, '2098-03-03 12:00'), sla.record_event('merge', '9a', 'resolved', '2098-03-03 12:00');
BEGIN;
SELECT sla.merge('merge', '11a', '12a', true);
DELETE FROM ticket WHERE id = '11a';
COMMIT;
SELECT sla.record_event('merge', '11a', 'unheard_of', '2024-03-05 09:00');
SELECT ticket, metric, n, started_at, outcome, reason FROM clocks WHERE ticket IN ('10a', '12a');
-- But what was answered at that instant before needs no answer there.
INSERT INTO ticket (id, created_at) VALUES ('13a', '2098-03-03 08:00'), ('14a', '2098-03-03 10:00');
INSERT INTO message VALUES ('13a', 'agent', '2098-03-03 12:00');
SELECT sla.merge('merge', '13a', '14a', true, '2098-03-03 12:00');
SELECT ticket, metric, n, started_at, outcome, reason FROM clocks WHERE ticket = '14a';
SELECT * FROM sla.verify('merge');
-- Random lives of four tickets each, in the order of time and in any other: the same log.
CREATE TABLE life (of int, n int, ticket text, event text, into_ticket text, at timestamptz);
SELECT setseed(0.42) IS NOT NULL;
INSERT INTO life
SELECT of, n, (ARRAY['1a', '2a', '3b', '4b'])[1 + floor(random() * 4)],
	(ARRAY['merge', 'merge', 'merge', 'unmerged', 'agent_reply', 'customer_message', 'customer_message', 'paused', 'resumed', 'resolved', 'reopened'])[1 + floor(random() * 11)],
	(ARRAY['1a', '2a', '3b', '4b'])[1 + floor(random() * 4)],
	timestamptz '2098-03-03 10:00' + floor(random() * 40) * interval '37 minutes'
FROM generate_series(1, :lives) AS of, generate_series(1, 14) AS n;
-- A state and its opposite at one instant, or a state twice: what was told last counts, so there is none.
DELETE FROM life AS l USING life AS m WHERE (l.of, l.at) = (m.of, m.at) AND l.n < m.n
	AND (l.ticket = m.ticket AND (l.event <> 'merge' OR m.event <> 'merge' OR l.into_ticket = m.into_ticket));
DELETE FROM life WHERE event = 'merge' AND ticket = into_ticket;
CREATE FUNCTION live(of int, way text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE l life;
BEGIN
	INSERT INTO ticket (id, created_at) SELECT way || of || ' ' || (ARRAY['1a', '2a', '3b', '4b'])[i], timestamptz '2098-03-03 08:00' + i * interval '17 minutes'
	FROM generate_series(1, 4) AS i;
	FOR l IN SELECT * FROM life AS x WHERE x.of = live.of
		ORDER BY CASE way WHEN 'ordered' THEN x.at END, CASE way WHEN 'backwards' THEN x.at END DESC, CASE way WHEN 'any' THEN md5(x.of::text || x.n) END, x.n
	LOOP
		IF l.event = 'merge' THEN
			PERFORM sla.merge('merge', way || of || ' ' || l.ticket, way || of || ' ' || l.into_ticket, true, l.at);
		ELSE
			PERFORM sla.record_event('merge', way || of || ' ' || l.ticket, l.event, l.at);
		END IF;
	END LOOP;
END $$;
SELECT count(live(of, way)) FROM generate_series(1, :lives) AS of, unnest('{ordered,backwards,any}'::text[]) AS way;
CREATE VIEW outcome AS
SELECT substring(ticket FROM '^[a-z]+') AS way, substring(ticket FROM '[0-9].*') AS ticket, metric, ordinal, level, goal, started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed
FROM sla.log WHERE source = 'merge' AND ticket ~ '^[a-z]';
SELECT way, count(*) FROM outcome WHERE reason = 'took_over' GROUP BY 1 ORDER BY 1;
SELECT DISTINCT split_part(ticket, ' ', 1)::int AS different FROM (
	SELECT ticket, to_jsonb(o) - 'way' FROM outcome AS o GROUP BY 1, 2 HAVING count(*) <> 3) AS d ORDER BY 1;
SELECT * FROM sla.verify('merge');

SELECT sla.untrack('merge');
DELETE FROM sla.rule WHERE source = 'merge';
DELETE FROM sla.level WHERE name LIKE 'merge %';
DELETE FROM sla.log WHERE source = 'merge';
DELETE FROM sla.event WHERE source = 'merge';
DELETE FROM sla.ticket WHERE source = 'merge';
DELETE FROM sla.promise WHERE calendar = 'merge office';
DELETE FROM sla.calendar WHERE name = 'merge office';
SET client_min_messages = warning;
DROP SCHEMA record_merge CASCADE;
