-- pg_dump of the database that 0.1.0.setup.sql makes, with version 0.1.0
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA "Help Desk";
CREATE EXTENSION IF NOT EXISTS pg_sla WITH SCHEMA pg_catalog;
COMMENT ON EXTENSION pg_sla IS 'service level agreements: business time, deadlines, SLA clocks on ticket tables, reports';
CREATE FUNCTION "Help Desk".is_vip(customer text) RETURNS boolean
	LANGUAGE sql STABLE
	AS $$ SELECT customer IN ('Anna', 'Berit') $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE "Help Desk".call (
	id bigint NOT NULL,
	started_at timestamp with time zone NOT NULL,
	answered_at timestamp with time zone
);
CREATE TABLE "Help Desk".message (
	id bigint NOT NULL,
	ticket_id bigint NOT NULL,
	author text NOT NULL,
	sent_at timestamp with time zone NOT NULL
);
CREATE TABLE "Help Desk".ticket (
	"Number" bigint NOT NULL,
	customer text,
	department text,
	assignee text,
	status text DEFAULT 'open'::text NOT NULL,
	priority integer,
	tags text[] DEFAULT '{}'::text[] NOT NULL,
	custom jsonb,
	created_at timestamp with time zone NOT NULL,
	updated_at timestamp with time zone NOT NULL,
	level text,
	due timestamp with time zone
);
CREATE VIEW "Help Desk".facts AS
 SELECT t."Number",
	t.customer,
	t.department,
	t.assignee,
	t.status,
	t.priority,
	t.tags,
	t.custom,
	t.created_at,
	t.updated_at,
	t.level,
	t.due,
	( SELECT m.author
		   FROM "Help Desk".message m
		  WHERE (m.ticket_id = t."Number")
		  ORDER BY m.sent_at DESC
		 LIMIT 1) AS last_author
   FROM "Help Desk".ticket t;
CREATE VIEW "Help Desk".my_log AS
 SELECT log_report.source,
	log_report.request,
	log_report.ticket,
	log_report.department,
	log_report.agent,
	log_report.level,
	log_report.agreement,
	log_report.sla_started,
	log_report.deadline,
	log_report.closed,
	log_report.state,
	log_report.sla,
	log_report.elapsed,
	log_report.goal,
	log_report.reason,
	log_report.cycle,
	log_report.calendar,
	log_report.id
   FROM sla.log_report;
CREATE VIEW "Help Desk".my_queue AS
 SELECT queue.ticket,
	queue.request,
	queue.deadline
   FROM sla.queue
  WHERE (queue.source = 'helpdesk'::text);
CREATE TABLE "Help Desk".said_clocks (
	id bigint,
	source text,
	ticket text,
	agreement text,
	level text,
	metric text,
	ordinal integer,
	cycle integer,
	calendar text,
	department text,
	agent text,
	goal interval,
	started_at timestamp with time zone,
	counted tstzmultirange,
	running_since timestamp with time zone,
	deadline timestamp with time zone,
	closed_at timestamp with time zone,
	outcome text,
	reason text,
	elapsed interval,
	computed_at timestamp with time zone
);
CREATE TABLE "Help Desk".said_compliance (
	day date,
	source text,
	department text,
	agent text,
	level text,
	request text,
	met bigint,
	met_avg interval,
	met_max interval,
	met_min interval,
	missed bigint,
	missed_avg interval,
	missed_max interval,
	missed_min interval,
	compliance numeric
);
CREATE TABLE "Help Desk".said_events (
	id bigint,
	source text,
	ticket text,
	event text,
	at timestamp with time zone,
	agent text,
	of_ticket boolean,
	department text,
	assignee text,
	promises integer[],
	recorded_at timestamp with time zone
);
CREATE TABLE "Help Desk".said_levels (
	"Number" bigint,
	level text,
	goal interval,
	due timestamp with time zone
);
CREATE TABLE "Help Desk".said_log (
	source text,
	request text,
	ticket text,
	department text,
	agent text,
	level text,
	agreement text,
	sla_started timestamp with time zone,
	deadline timestamp with time zone,
	closed timestamp with time zone,
	state text,
	sla interval,
	elapsed interval,
	goal interval,
	reason text,
	cycle integer,
	calendar text,
	id bigint
);
CREATE TABLE "Help Desk".said_queue (
	source text,
	ticket text,
	request text,
	department text,
	agent text,
	level text,
	agreement text,
	sla_started timestamp with time zone,
	deadline timestamp with time zone,
	state text,
	sla interval,
	elapsed interval,
	goal interval,
	id bigint
);
CREATE TABLE "Help Desk".said_rules (
	rule text,
	"position" integer,
	set_level text,
	agreement text,
	stop boolean,
	condition text,
	matched boolean,
	result text,
	decided_by text,
	saw jsonb,
	effect text
);
COPY "Help Desk".call (id, started_at, answered_at) FROM stdin;
1	2200-03-03 08:00:00+00	\N
\.
COPY "Help Desk".message (id, ticket_id, author, sent_at) FROM stdin;
1	1	agent	2026-03-02 09:00:00+00
2	2	agent	2026-03-03 09:30:00+00
3	2	customer	2026-03-03 10:00:00+00
4	2	agent	2026-03-03 11:00:00+00
5	8	agent	2200-03-03 09:00:00+00
\.
COPY "Help Desk".said_clocks (id, source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed, computed_at) FROM stdin;
1	helpdesk	1	customer	Standard	first_assignment	1	1	support	Billing	Kari	01:00:00	2026-03-02 08:00:00+00	{}	2026-03-02 08:00:00+00	2026-03-02 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.163374+00
6	helpdesk	3	customer	Urgent	first_response	1	1	always	Hosting	Ola	01:00:00	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-03 11:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
7	helpdesk	3	customer	Urgent	resolution	1	1	always	Hosting	Ola	08:00:00	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-03 18:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
8	helpdesk	3	operational	Desk	resolution	1	1	support	Hosting	Ola	1 day	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
12	helpdesk	4	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-04 11:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.175444+00
16	helpdesk	6	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-18 07:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
17	helpdesk	6	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-18 10:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
18	helpdesk	6	customer	Standard	resolution	1	1	support	Hosting	\N	3 days	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-21 06:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
19	helpdesk	6	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-19 06:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
24	helpdesk	8	customer	Standard	first_assignment	1	1	support	Hosting	Ola	01:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.19563+00
2	helpdesk	1	customer	Standard	first_response	1	1	support	Billing	Kari	04:00:00	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-02 09:00:00+00")}	\N	2026-03-02 12:00:00+00	2026-03-02 09:00:00+00	met	\N	01:00:00	2026-11-21 22:56:32.197146+00
4	helpdesk	2	customer	Urgent	first_response	1	1	always	Billing	\N	01:00:00	2026-03-02 09:00:00+00	{["2026-03-02 09:00:00+00","2026-03-03 09:30:00+00")}	\N	2026-03-02 10:00:00+00	2026-03-03 09:30:00+00	missed	\N	24:30:00	2026-11-21 22:56:32.170618+00
25	helpdesk	8	customer	Standard	first_response	1	1	support	Hosting	Ola	04:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 09:00:00+00")}	\N	2200-03-03 12:00:00+00	2200-03-03 09:00:00+00	met	\N	01:00:00	2026-11-21 22:56:32.198496+00
27	helpdesk	8	operational	Desk	resolution	1	1	support	Hosting	Ola	1 day	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 09:00:00+00")}	\N	2200-03-04 08:00:00+00	2200-03-03 09:00:00+00	cancelled	no_longer_matches	01:00:00	2026-11-21 22:56:32.198496+00
3	helpdesk	1	customer	Standard	resolution	1	1	support	Billing	Kari	2 days	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-03 08:00:00+00")}	\N	2026-03-04 08:00:00+00	2026-03-03 08:00:00+00	met	\N	08:00:00	2026-11-21 22:56:32.204736+00
28	helpdesk	1	customer	Standard	resolution	2	2	support	Billing	Kari	2 days	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-03 08:00:00+00")}	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	\N	\N	\N	08:00:00	2026-11-21 22:56:32.20531+00
5	helpdesk	2	customer	Urgent	resolution	1	1	always	Billing	\N	08:00:00	2026-03-02 09:00:00+00	{["2026-03-02 09:00:00+00","2026-03-04 08:00:00+00")}	\N	2026-03-02 17:00:00+00	\N	\N	\N	47:00:00	2026-11-21 22:56:32.170618+00
9	helpdesk	4	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-03 12:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
10	helpdesk	4	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-03 15:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
11	helpdesk	4	customer	Standard	resolution	1	1	support	Hosting	\N	3 days	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-09 11:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
29	helpdesk	4	customer	Urgent	first_response	2	1	always	Hosting	\N	01:00:00	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.206013+00
30	helpdesk	4	customer	Urgent	resolution	2	1	always	Hosting	\N	08:00:00	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-03 19:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.206013+00
20	helpdesk	7	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-03 09:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.206436+00
21	helpdesk	7	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-03 12:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.206436+00
13	helpdesk	5	customer	Standard	first_assignment	1	1	support	\N	\N	01:00:00	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-04 09:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
14	helpdesk	5	customer	Standard	first_response	1	1	support	\N	\N	04:00:00	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-04 12:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
15	helpdesk	5	customer	Standard	resolution	1	1	support	\N	\N	2 days	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-09 08:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
23	helpdesk	7	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-05 08:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.217603+00
22	helpdesk	7	customer	Standard	resolution	1	1	support	Hosting	\N	2 days	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-06 08:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.21769+00
26	helpdesk	8	customer	Standard	resolution	1	1	support	Hosting	Ola	3 days	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-07 08:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.217712+00
31	calls	1	customer	Urgent	first_response	1	1	always	\N	\N	01:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.228798+00
32	calls	1	customer	Urgent	resolution	1	1	always	\N	\N	08:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 16:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.228798+00
\.
COPY "Help Desk".said_compliance (day, source, department, agent, level, request, met, met_avg, met_max, met_min, missed, missed_avg, missed_max, missed_min, compliance) FROM stdin;
2026-03-02	helpdesk	Billing	Kari	Standard	first_assignment	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-02	helpdesk	Billing	Kari	Standard	first_response	1	01:00:00	01:00:00	01:00:00	0	\N	\N	\N	100.00
2026-03-02	helpdesk	Billing	\N	Urgent	first_response	0	\N	\N	\N	1	24:30:00	24:30:00	24:30:00	0.00
2026-03-02	helpdesk	Billing	\N	Urgent	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-03	helpdesk	Billing	Kari	Standard	resolution	1	08:00:00	08:00:00	08:00:00	0	\N	\N	\N	100.00
2026-03-03	helpdesk	Hosting	Ola	Urgent	first_response	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-03	helpdesk	Hosting	Ola	Urgent	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-03	helpdesk	Hosting	\N	Urgent	first_response	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-03	helpdesk	Hosting	\N	Urgent	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-04	helpdesk	Billing	Kari	Standard	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-04	helpdesk	Hosting	Ola	Desk	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
2026-03-04	helpdesk	Hosting	\N	Desk	resolution	0	\N	\N	\N	1	\N	\N	\N	0.00
\.
COPY "Help Desk".said_events (id, source, ticket, event, at, agent, of_ticket, department, assignee, promises, recorded_at) FROM stdin;
1	helpdesk	1	created	2026-03-02 08:00:00+00	\N	t	Billing	Kari	{1,0,0}	2026-11-21 22:56:32.15444+00
2	helpdesk	1	assigned	2026-03-02 08:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.15444+00
3	helpdesk	2	created	2026-03-02 09:00:00+00	\N	t	Billing	\N	{2,0,0}	2026-11-21 22:56:32.15444+00
4	helpdesk	3	created	2026-03-03 10:00:00+00	\N	t	Hosting	Ola	{2,3,0}	2026-11-21 22:56:32.15444+00
5	helpdesk	3	assigned	2026-03-03 10:00:00+00	\N	t	Hosting	Ola	\N	2026-11-21 22:56:32.15444+00
6	helpdesk	4	created	2026-03-03 11:00:00+00	\N	t	Hosting	\N	{4,3,0}	2026-11-21 22:56:32.15444+00
7	helpdesk	5	created	2026-03-04 08:00:00+00	\N	t	\N	\N	{1,0,0}	2026-11-21 22:56:32.15444+00
8	helpdesk	6	created	2026-05-17 08:30:00+00	\N	t	Hosting	\N	{4,3,0}	2026-11-21 22:56:32.15444+00
9	helpdesk	7	created	2200-03-03 08:00:00+00	\N	t	Hosting	\N	{1,3,0}	2026-11-21 22:56:32.15444+00
10	helpdesk	8	created	2200-03-03 08:00:00+00	\N	t	Hosting	Ola	{4,3,0}	2026-11-21 22:56:32.15444+00
11	helpdesk	8	assigned	2200-03-03 08:00:00+00	\N	t	Hosting	Ola	\N	2026-11-21 22:56:32.15444+00
12	helpdesk	1	agent_reply	2026-03-02 09:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
13	helpdesk	2	agent_reply	2026-03-03 09:30:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
14	helpdesk	2	customer_message	2026-03-03 10:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
15	helpdesk	2	agent_reply	2026-03-03 11:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
16	helpdesk	8	agent_reply	2200-03-03 09:00:00+00	\N	f	\N	\N	{4,0,0}	2026-11-21 22:56:32.196022+00
17	helpdesk	1	resolved	2026-03-03 08:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.204393+00
18	helpdesk	1	reopened	2026-03-03 10:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.205137+00
19	helpdesk	2	paused	2026-03-04 08:00:00+00	\N	t	Billing	\N	\N	2026-11-21 22:56:32.205465+00
20	helpdesk	4	changed	2026-03-03 12:00:00+00	\N	t	Hosting	\N	{2,3,0}	2026-11-21 22:56:32.20586+00
21	helpdesk	7	paused	2200-03-03 11:00:00+00	\N	t	Hosting	\N	\N	2026-11-21 22:56:32.206315+00
22	helpdesk	5	merged	2026-03-04 09:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.206653+00
23	calls	1	created	2200-03-03 08:00:00+00	\N	t	\N	\N	{2,0,0}	2026-11-21 22:56:32.224432+00
\.
COPY "Help Desk".said_levels ("Number", level, goal, due) FROM stdin;
3	Urgent	08:00:00	2026-03-03 18:00:00+00
5	Standard	2 days	2026-03-09 08:00:00+00
6	Standard	3 days	2026-05-21 06:00:00+00
8	Standard	3 days	2200-03-07 08:00:00+00
1	Standard	2 days	2026-03-04 08:00:00+00
2	Urgent	08:00:00	2026-03-02 17:00:00+00
4	Urgent	08:00:00	2026-03-03 19:00:00+00
7	Standard	2 days	2200-03-06 08:00:00+00
\.
COPY "Help Desk".said_log (source, request, ticket, department, agent, level, agreement, sla_started, deadline, closed, state, sla, elapsed, goal, reason, cycle, calendar, id) FROM stdin;
helpdesk	first_assignment	1	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-02 09:00:00+00	\N	overdue	-25:00:00	26:00:00	01:00:00	\N	1	support	1
helpdesk	first_response	3	Hosting	Ola	Urgent	customer	2026-03-03 10:00:00+00	2026-03-03 11:00:00+00	\N	overdue	-71:00:00	72:00:00	01:00:00	\N	1	always	6
helpdesk	resolution	3	Hosting	Ola	Urgent	customer	2026-03-03 10:00:00+00	2026-03-03 18:00:00+00	\N	overdue	-64:00:00	72:00:00	08:00:00	\N	1	always	7
helpdesk	resolution	3	Hosting	Ola	Desk	operational	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	\N	overdue	-08:00:00	16:00:00	1 day	\N	1	support	8
helpdesk	resolution	4	Hosting	\N	Desk	operational	2026-03-03 11:00:00+00	2026-03-04 11:00:00+00	\N	overdue	-07:00:00	15:00:00	1 day	\N	1	support	12
helpdesk	first_assignment	6	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-18 07:00:00+00	\N	running	406:00:00	00:00:00	01:00:00	\N	1	support	16
helpdesk	first_response	6	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-18 10:00:00+00	\N	running	409:00:00	00:00:00	04:00:00	\N	1	support	17
helpdesk	resolution	6	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-21 06:00:00+00	\N	running	429:00:00	00:00:00	3 days	\N	1	support	18
helpdesk	resolution	6	Hosting	\N	Desk	operational	2026-05-17 08:30:00+00	2026-05-19 06:00:00+00	\N	running	413:00:00	00:00:00	1 day	\N	1	support	19
helpdesk	first_assignment	8	Hosting	Ola	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	running	408457:00:00	00:00:00	01:00:00	\N	1	support	24
helpdesk	first_response	1	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-02 12:00:00+00	2026-03-02 09:00:00+00	met	03:00:00	01:00:00	04:00:00	\N	1	support	2
helpdesk	first_response	2	Billing	\N	Urgent	customer	2026-03-02 09:00:00+00	2026-03-02 10:00:00+00	2026-03-03 09:30:00+00	missed	-23:30:00	24:30:00	01:00:00	\N	1	always	4
helpdesk	first_response	8	Hosting	Ola	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 12:00:00+00	2200-03-03 09:00:00+00	met	03:00:00	01:00:00	04:00:00	\N	1	support	25
helpdesk	resolution	8	Hosting	Ola	Desk	operational	2200-03-03 08:00:00+00	2200-03-04 08:00:00+00	2200-03-03 09:00:00+00	cancelled	07:00:00	01:00:00	1 day	no_longer_matches	1	support	27
helpdesk	resolution	1	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-04 08:00:00+00	2026-03-03 08:00:00+00	met	08:00:00	08:00:00	2 days	\N	1	support	3
helpdesk	resolution	1	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-04 10:00:00+00	\N	overdue	-08:00:00	24:00:00	2 days	\N	2	support	28
helpdesk	resolution	2	Billing	\N	Urgent	customer	2026-03-02 09:00:00+00	2026-03-02 17:00:00+00	\N	overdue	-39:00:00	47:00:00	08:00:00	\N	1	always	5
helpdesk	first_assignment	4	Hosting	\N	Standard	customer	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	2026-03-03 12:00:00+00	superseded	00:00:00	01:00:00	01:00:00	level_changed	1	support	9
helpdesk	first_response	4	Hosting	\N	Standard	customer	2026-03-03 11:00:00+00	2026-03-03 15:00:00+00	2026-03-03 12:00:00+00	superseded	03:00:00	01:00:00	04:00:00	level_changed	1	support	10
helpdesk	resolution	4	Hosting	\N	Standard	customer	2026-03-03 11:00:00+00	2026-03-09 11:00:00+00	2026-03-03 12:00:00+00	superseded	23:00:00	01:00:00	3 days	level_changed	1	support	11
helpdesk	first_response	4	Hosting	\N	Urgent	customer	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	\N	overdue	-70:00:00	71:00:00	01:00:00	\N	1	always	29
helpdesk	resolution	4	Hosting	\N	Urgent	customer	2026-03-03 11:00:00+00	2026-03-03 19:00:00+00	\N	overdue	-63:00:00	71:00:00	08:00:00	\N	1	always	30
helpdesk	first_assignment	7	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	paused	-02:00:00	03:00:00	01:00:00	\N	1	support	20
helpdesk	first_response	7	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 12:00:00+00	\N	paused	01:00:00	03:00:00	04:00:00	\N	1	support	21
helpdesk	first_assignment	5	\N	\N	Standard	customer	2026-03-04 08:00:00+00	2026-03-04 09:00:00+00	2026-03-04 09:00:00+00	cancelled	00:00:00	01:00:00	01:00:00	merged	1	support	13
helpdesk	first_response	5	\N	\N	Standard	customer	2026-03-04 08:00:00+00	2026-03-04 12:00:00+00	2026-03-04 09:00:00+00	cancelled	03:00:00	01:00:00	04:00:00	merged	1	support	14
helpdesk	resolution	5	\N	\N	Standard	customer	2026-03-04 08:00:00+00	2026-03-09 08:00:00+00	2026-03-04 09:00:00+00	cancelled	15:00:00	01:00:00	2 days	merged	1	support	15
helpdesk	resolution	7	Hosting	\N	Desk	operational	2200-03-03 08:00:00+00	2200-03-05 08:00:00+00	\N	paused	06:00:00	03:00:00	1 day	\N	1	support	23
helpdesk	resolution	7	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-06 08:00:00+00	\N	paused	15:00:00	03:00:00	2 days	\N	1	support	22
helpdesk	resolution	8	Hosting	Ola	Standard	customer	2200-03-03 08:00:00+00	2200-03-07 08:00:00+00	\N	running	408483:00:00	00:00:00	3 days	\N	1	support	26
calls	first_response	1	\N	\N	Urgent	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	running	1525175:00:00	00:00:00	01:00:00	\N	1	always	31
calls	resolution	1	\N	\N	Urgent	customer	2200-03-03 08:00:00+00	2200-03-03 16:00:00+00	\N	running	1525182:00:00	00:00:00	08:00:00	\N	1	always	32
\.
COPY "Help Desk".said_queue (source, ticket, request, department, agent, level, agreement, sla_started, deadline, state, sla, elapsed, goal, id) FROM stdin;
helpdesk	1	first_assignment	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-02 09:00:00+00	overdue	-25:00:00	26:00:00	01:00:00	1
helpdesk	2	resolution	Billing	\N	Urgent	customer	2026-03-02 09:00:00+00	2026-03-02 17:00:00+00	overdue	-39:00:00	47:00:00	08:00:00	5
helpdesk	3	first_response	Hosting	Ola	Urgent	customer	2026-03-03 10:00:00+00	2026-03-03 11:00:00+00	overdue	-71:00:00	72:00:00	01:00:00	6
helpdesk	4	first_response	Hosting	\N	Urgent	customer	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	overdue	-70:00:00	71:00:00	01:00:00	29
helpdesk	3	resolution	Hosting	Ola	Urgent	customer	2026-03-03 10:00:00+00	2026-03-03 18:00:00+00	overdue	-64:00:00	72:00:00	08:00:00	7
helpdesk	4	resolution	Hosting	\N	Urgent	customer	2026-03-03 11:00:00+00	2026-03-03 19:00:00+00	overdue	-63:00:00	71:00:00	08:00:00	30
helpdesk	1	resolution	Billing	Kari	Standard	customer	2026-03-02 08:00:00+00	2026-03-04 10:00:00+00	overdue	-08:00:00	24:00:00	2 days	28
helpdesk	3	resolution	Hosting	Ola	Desk	operational	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	overdue	-08:00:00	16:00:00	1 day	8
helpdesk	4	resolution	Hosting	\N	Desk	operational	2026-03-03 11:00:00+00	2026-03-04 11:00:00+00	overdue	-07:00:00	15:00:00	1 day	12
helpdesk	6	first_assignment	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-18 07:00:00+00	running	406:00:00	00:00:00	01:00:00	16
helpdesk	6	first_response	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-18 10:00:00+00	running	409:00:00	00:00:00	04:00:00	17
helpdesk	6	resolution	Hosting	\N	Desk	operational	2026-05-17 08:30:00+00	2026-05-19 06:00:00+00	running	413:00:00	00:00:00	1 day	19
helpdesk	6	resolution	Hosting	\N	Standard	customer	2026-05-17 08:30:00+00	2026-05-21 06:00:00+00	running	429:00:00	00:00:00	3 days	18
calls	1	first_response	\N	\N	Urgent	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	running	1525175:00:00	00:00:00	01:00:00	31
helpdesk	7	first_assignment	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	paused	-02:00:00	03:00:00	01:00:00	20
helpdesk	8	first_assignment	Hosting	Ola	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	running	408457:00:00	00:00:00	01:00:00	24
helpdesk	7	first_response	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-03 12:00:00+00	paused	01:00:00	03:00:00	04:00:00	21
calls	1	resolution	\N	\N	Urgent	customer	2200-03-03 08:00:00+00	2200-03-03 16:00:00+00	running	1525182:00:00	00:00:00	08:00:00	32
helpdesk	7	resolution	Hosting	\N	Desk	operational	2200-03-03 08:00:00+00	2200-03-05 08:00:00+00	paused	06:00:00	03:00:00	1 day	23
helpdesk	7	resolution	Hosting	\N	Standard	customer	2200-03-03 08:00:00+00	2200-03-06 08:00:00+00	paused	15:00:00	03:00:00	2 days	22
helpdesk	8	resolution	Hosting	Ola	Standard	customer	2200-03-03 08:00:00+00	2200-03-07 08:00:00+00	running	408483:00:00	00:00:00	3 days	26
\.
COPY "Help Desk".said_rules (rule, "position", set_level, agreement, stop, condition, matched, result, decided_by, saw, effect) FROM stdin;
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	t	matched	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	{"department": "Hosting", "last_author": null}	set level "Desk"
everyone	10	Standard	customer	f	true	t	matched	true	{}	overridden by rule "urgent"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Dora"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2026-03-03T11:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	t	matched	'URGENT' = ANY (tags)	{"tags": ["URGENT"]}	set level "Urgent", stopped
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	f	not matched	department = 'Hosting'	{"department": null}	\N
everyone	10	Standard	customer	f	true	t	matched	true	{}	set level "Standard"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Finn"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2026-03-04T09:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	f	not matched	'URGENT' = ANY (tags)	{"tags": []}	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	t	matched	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	{"department": "Hosting", "last_author": null}	set level "Desk"
everyone	10	Standard	customer	f	true	t	matched	true	{}	overridden by rule "not on the 17th"
vip	20	Urgent	customer	f	is_vip(customer)	t	matched	is_vip(customer)	{"customer": "Anna"}	overridden by rule "not on the 17th"
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	t	matched	created_at::date = '2026-05-17'	{"created_at": "2026-05-17T10:30:00+02:00"}	set level "Standard", stopped
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	\N	not reached	\N	\N	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	f	not matched	last_author IS DISTINCT FROM 'agent'	{"last_author": "agent"}	\N
everyone	10	Standard	customer	f	true	t	matched	true	{}	set level "Standard"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Hans"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2200-03-03T09:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	f	not matched	'URGENT' = ANY (tags)	{"tags": []}	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	f	not matched	department = 'Hosting'	{"department": "Billing"}	\N
everyone	10	Standard	customer	f	true	t	matched	true	{}	set level "Standard"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Carl"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2026-03-02T09:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	f	not matched	'URGENT' = ANY (tags)	{"tags": []}	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	f	not matched	department = 'Hosting'	{"department": "Billing"}	\N
everyone	10	Standard	customer	f	true	t	matched	true	{}	overridden by rule "vip"
vip	20	Urgent	customer	f	is_vip(customer)	t	matched	is_vip(customer)	{"customer": "Anna"}	set level "Urgent"
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2026-03-02T10:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	f	not matched	'URGENT' = ANY (tags)	{"tags": []}	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	t	matched	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	{"department": "Hosting", "last_author": null}	set level "Desk"
everyone	10	Standard	customer	f	true	t	matched	true	{}	overridden by rule "urgent"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Egil"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2026-03-03T12:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	t	matched	'URGENT' = ANY (tags)	{"tags": ["URGENT"]}	set level "Urgent", stopped
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
desk	5	Desk	operational	f	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	t	matched	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	{"department": "Hosting", "last_author": null}	set level "Desk"
everyone	10	Standard	customer	f	true	t	matched	true	{}	set level "Standard"
vip	20	Urgent	customer	f	is_vip(customer)	f	not matched	is_vip(customer)	{"customer": "Gina"}	\N
not on the 17th	25	Standard	customer	t	created_at::date = '2026-05-17'	f	not matched	created_at::date = '2026-05-17'	{"created_at": "2200-03-03T09:00:00+01:00"}	\N
urgent	30	Urgent	customer	t	'URGENT' = ANY (tags)	f	not matched	'URGENT' = ANY (tags)	{"tags": []}	\N
off	40	Urgent	customer	f	true	\N	inactive	\N	\N	\N
\.
COPY "Help Desk".ticket ("Number", customer, department, assignee, status, priority, tags, custom, created_at, updated_at, level, due) FROM stdin;
3	Dora	Hosting	Ola	open	3	{URGENT}	\N	2026-03-03 10:00:00+00	2026-03-03 10:00:00+00	Urgent	2026-03-03 11:00:00+00
5	Finn	\N	\N	open	1	{}	\N	2026-03-04 08:00:00+00	2026-03-04 08:00:00+00	Standard	2026-03-04 09:00:00+00
6	Anna	Hosting	\N	open	2	{}	\N	2026-05-17 08:30:00+00	2026-05-17 08:30:00+00	Standard	2026-05-18 07:00:00+00
8	Hans	Hosting	Ola	open	2	{}	\N	2200-03-03 08:00:00+00	2200-03-03 08:00:00+00	Standard	2200-03-03 09:00:00+00
1	Carl	Billing	Kari	open	1	{}	\N	2026-03-02 08:00:00+00	2026-03-03 10:00:00+00	Standard	2026-03-02 09:00:00+00
2	Anna	Billing	\N	pending	2	{}	\N	2026-03-02 09:00:00+00	2026-03-04 08:00:00+00	Urgent	\N
4	Egil	Hosting	\N	open	\N	{URGENT}	\N	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	Urgent	2026-03-03 12:00:00+00
7	Gina	Hosting	\N	pending	1	{}	\N	2200-03-03 08:00:00+00	2200-03-03 11:00:00+00	Standard	\N
\.
COPY sla.calendar (name, description, changed_at) FROM stdin;
always	\N	2026-11-21 22:56:32.098707+00
support	\N	2026-11-21 22:56:32.20787+00
\.
COPY sla.calendar_version (calendar, effective_from, time_zone, hours, holiday_sets) FROM stdin;
support	-infinity	Europe/Oslo	Mo-Fr 08:00-16:00; easter off	{norway}
support	2026-06-01	Europe/Oslo	Mo-Fr 08:00-17:00	{norway}
always	-infinity	UTC	24/7	{}
\.
COPY sla.deadline_change (id, source, ticket, agreement, metric, ordinal, former, deadline, reason, changed_by, changed_at) FROM stdin;
1	helpdesk	7	customer	resolution	1	2200-03-05 08:00:00+00	2200-03-06 08:00:00+00	calendar "support" was edited	postgres	2026-11-21 22:56:32.217732+00
2	helpdesk	7	operational	resolution	1	2200-03-04 08:00:00+00	2200-03-05 08:00:00+00	calendar "support" was edited	postgres	2026-11-21 22:56:32.217934+00
3	helpdesk	8	customer	resolution	1	2200-03-06 08:00:00+00	2200-03-07 08:00:00+00	calendar "support" was edited	postgres	2026-11-21 22:56:32.21794+00
\.
COPY sla.event (id, source, ticket, event, at, agent, of_ticket, department, assignee, promises, recorded_at) FROM stdin;
1	helpdesk	1	created	2026-03-02 08:00:00+00	\N	t	Billing	Kari	{1,0,0}	2026-11-21 22:56:32.15444+00
2	helpdesk	1	assigned	2026-03-02 08:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.15444+00
3	helpdesk	2	created	2026-03-02 09:00:00+00	\N	t	Billing	\N	{2,0,0}	2026-11-21 22:56:32.15444+00
4	helpdesk	3	created	2026-03-03 10:00:00+00	\N	t	Hosting	Ola	{2,3,0}	2026-11-21 22:56:32.15444+00
5	helpdesk	3	assigned	2026-03-03 10:00:00+00	\N	t	Hosting	Ola	\N	2026-11-21 22:56:32.15444+00
6	helpdesk	4	created	2026-03-03 11:00:00+00	\N	t	Hosting	\N	{4,3,0}	2026-11-21 22:56:32.15444+00
7	helpdesk	5	created	2026-03-04 08:00:00+00	\N	t	\N	\N	{1,0,0}	2026-11-21 22:56:32.15444+00
8	helpdesk	6	created	2026-05-17 08:30:00+00	\N	t	Hosting	\N	{4,3,0}	2026-11-21 22:56:32.15444+00
9	helpdesk	7	created	2200-03-03 08:00:00+00	\N	t	Hosting	\N	{1,3,0}	2026-11-21 22:56:32.15444+00
10	helpdesk	8	created	2200-03-03 08:00:00+00	\N	t	Hosting	Ola	{4,3,0}	2026-11-21 22:56:32.15444+00
11	helpdesk	8	assigned	2200-03-03 08:00:00+00	\N	t	Hosting	Ola	\N	2026-11-21 22:56:32.15444+00
12	helpdesk	1	agent_reply	2026-03-02 09:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
13	helpdesk	2	agent_reply	2026-03-03 09:30:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
14	helpdesk	2	customer_message	2026-03-03 10:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
15	helpdesk	2	agent_reply	2026-03-03 11:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.196022+00
16	helpdesk	8	agent_reply	2200-03-03 09:00:00+00	\N	f	\N	\N	{4,0,0}	2026-11-21 22:56:32.196022+00
17	helpdesk	1	resolved	2026-03-03 08:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.204393+00
18	helpdesk	1	reopened	2026-03-03 10:00:00+00	\N	t	Billing	Kari	\N	2026-11-21 22:56:32.205137+00
19	helpdesk	2	paused	2026-03-04 08:00:00+00	\N	t	Billing	\N	\N	2026-11-21 22:56:32.205465+00
20	helpdesk	4	changed	2026-03-03 12:00:00+00	\N	t	Hosting	\N	{2,3,0}	2026-11-21 22:56:32.20586+00
21	helpdesk	7	paused	2200-03-03 11:00:00+00	\N	t	Hosting	\N	\N	2026-11-21 22:56:32.206315+00
22	helpdesk	5	merged	2026-03-04 09:00:00+00	\N	f	\N	\N	\N	2026-11-21 22:56:32.206653+00
23	calls	1	created	2200-03-03 08:00:00+00	\N	t	\N	\N	{2,0,0}	2026-11-21 22:56:32.224432+00
\.
COPY sla.holiday_set (name, description, known_from, known_to, imported_at) FROM stdin;
norway	\N	\N	\N	\N
\.
COPY sla.holiday (holiday_set, day, hours, name, origin) FROM stdin;
norway	2026-03-05	off	made up	by hand
norway	2200-03-04	off	made up as well	by hand
\.
COPY sla.level (name, calendar, agreement, on_change, description) FROM stdin;
Standard	support	customer	retroactive	\N
Urgent	always	customer	retroactive	\N
Desk	support	operational	retroactive	\N
\.
COPY sla.log (id, source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal, started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed, computed_at) FROM stdin;
1	helpdesk	1	customer	Standard	first_assignment	1	1	support	Billing	Kari	01:00:00	2026-03-02 08:00:00+00	{}	2026-03-02 08:00:00+00	2026-03-02 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.163374+00
6	helpdesk	3	customer	Urgent	first_response	1	1	always	Hosting	Ola	01:00:00	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-03 11:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
7	helpdesk	3	customer	Urgent	resolution	1	1	always	Hosting	Ola	08:00:00	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-03 18:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
8	helpdesk	3	operational	Desk	resolution	1	1	support	Hosting	Ola	1 day	2026-03-03 10:00:00+00	{}	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.174189+00
12	helpdesk	4	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-04 11:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.175444+00
16	helpdesk	6	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-18 07:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
17	helpdesk	6	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-18 10:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
18	helpdesk	6	customer	Standard	resolution	1	1	support	Hosting	\N	3 days	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-21 06:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
19	helpdesk	6	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2026-05-17 08:30:00+00	{}	2026-05-17 08:30:00+00	2026-05-19 06:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.178301+00
24	helpdesk	8	customer	Standard	first_assignment	1	1	support	Hosting	Ola	01:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.19563+00
2	helpdesk	1	customer	Standard	first_response	1	1	support	Billing	Kari	04:00:00	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-02 09:00:00+00")}	\N	2026-03-02 12:00:00+00	2026-03-02 09:00:00+00	met	\N	01:00:00	2026-11-21 22:56:32.197146+00
4	helpdesk	2	customer	Urgent	first_response	1	1	always	Billing	\N	01:00:00	2026-03-02 09:00:00+00	{["2026-03-02 09:00:00+00","2026-03-03 09:30:00+00")}	\N	2026-03-02 10:00:00+00	2026-03-03 09:30:00+00	missed	\N	24:30:00	2026-11-21 22:56:32.170618+00
25	helpdesk	8	customer	Standard	first_response	1	1	support	Hosting	Ola	04:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 09:00:00+00")}	\N	2200-03-03 12:00:00+00	2200-03-03 09:00:00+00	met	\N	01:00:00	2026-11-21 22:56:32.198496+00
27	helpdesk	8	operational	Desk	resolution	1	1	support	Hosting	Ola	1 day	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 09:00:00+00")}	\N	2200-03-04 08:00:00+00	2200-03-03 09:00:00+00	cancelled	no_longer_matches	01:00:00	2026-11-21 22:56:32.198496+00
3	helpdesk	1	customer	Standard	resolution	1	1	support	Billing	Kari	2 days	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-03 08:00:00+00")}	\N	2026-03-04 08:00:00+00	2026-03-03 08:00:00+00	met	\N	08:00:00	2026-11-21 22:56:32.204736+00
28	helpdesk	1	customer	Standard	resolution	2	2	support	Billing	Kari	2 days	2026-03-02 08:00:00+00	{["2026-03-02 08:00:00+00","2026-03-03 08:00:00+00")}	2026-03-03 10:00:00+00	2026-03-04 10:00:00+00	\N	\N	\N	08:00:00	2026-11-21 22:56:32.20531+00
5	helpdesk	2	customer	Urgent	resolution	1	1	always	Billing	\N	08:00:00	2026-03-02 09:00:00+00	{["2026-03-02 09:00:00+00","2026-03-04 08:00:00+00")}	\N	2026-03-02 17:00:00+00	\N	\N	\N	47:00:00	2026-11-21 22:56:32.170618+00
9	helpdesk	4	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-03 12:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
10	helpdesk	4	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-03 15:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
11	helpdesk	4	customer	Standard	resolution	1	1	support	Hosting	\N	3 days	2026-03-03 11:00:00+00	{["2026-03-03 11:00:00+00","2026-03-03 12:00:00+00")}	\N	2026-03-09 11:00:00+00	2026-03-03 12:00:00+00	superseded	level_changed	01:00:00	2026-11-21 22:56:32.206013+00
29	helpdesk	4	customer	Urgent	first_response	2	1	always	Hosting	\N	01:00:00	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-03 12:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.206013+00
30	helpdesk	4	customer	Urgent	resolution	2	1	always	Hosting	\N	08:00:00	2026-03-03 11:00:00+00	{}	2026-03-03 11:00:00+00	2026-03-03 19:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.206013+00
20	helpdesk	7	customer	Standard	first_assignment	1	1	support	Hosting	\N	01:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-03 09:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.206436+00
21	helpdesk	7	customer	Standard	first_response	1	1	support	Hosting	\N	04:00:00	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-03 12:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.206436+00
13	helpdesk	5	customer	Standard	first_assignment	1	1	support	\N	\N	01:00:00	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-04 09:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
14	helpdesk	5	customer	Standard	first_response	1	1	support	\N	\N	04:00:00	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-04 12:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
15	helpdesk	5	customer	Standard	resolution	1	1	support	\N	\N	2 days	2026-03-04 08:00:00+00	{["2026-03-04 08:00:00+00","2026-03-04 09:00:00+00")}	\N	2026-03-09 08:00:00+00	2026-03-04 09:00:00+00	cancelled	merged	01:00:00	2026-11-21 22:56:32.206979+00
23	helpdesk	7	operational	Desk	resolution	1	1	support	Hosting	\N	1 day	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-05 08:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.217603+00
22	helpdesk	7	customer	Standard	resolution	1	1	support	Hosting	\N	2 days	2200-03-03 08:00:00+00	{["2200-03-03 08:00:00+00","2200-03-03 11:00:00+00")}	\N	2200-03-06 08:00:00+00	\N	\N	\N	03:00:00	2026-11-21 22:56:32.21769+00
26	helpdesk	8	customer	Standard	resolution	1	1	support	Hosting	Ola	3 days	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-07 08:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.217712+00
31	calls	1	customer	Urgent	first_response	1	1	always	\N	\N	01:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 09:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.228798+00
32	calls	1	customer	Urgent	resolution	1	1	always	\N	\N	08:00:00	2200-03-03 08:00:00+00	{}	2200-03-03 08:00:00+00	2200-03-03 16:00:00+00	\N	\N	\N	00:00:00	2026-11-21 22:56:32.228798+00
\.
COPY sla.metric (name, starts_on, stops_on, pauses_on, resumes_on, cancels_on, reopens_on, blocked_by, repeats, on_reopen, builtin, description) FROM stdin;
first_assignment	{created}	{assigned}	{paused}	{resumed}	{merged,deleted,cancelled}	{}	{}	f	resume	f	\N
\.
COPY sla.problem (id, source, ticket, sqlstate, message, context, happened_at) FROM stdin;
\.
COPY sla.promise (id, agreement, level, calendar, metrics, days, microseconds) FROM stdin;
1	customer	Standard	support	{first_assignment,first_response,next_response,resolution}	{0,0,0,2}	{3600000000,14400000000,7200000000,0}
2	customer	Urgent	always	{first_response,resolution}	{0,0}	{3600000000,28800000000}
3	operational	Desk	support	{resolution}	{1}	{0}
4	customer	Standard	support	{first_assignment,first_response,next_response,resolution}	{0,0,0,3}	{3600000000,14400000000,7200000000,0}
\.
COPY sla.rule (name, source, "position", condition, set_level, stop, active, on_create, on_change, valid, search_path, time_zone, owner) FROM stdin;
everyone	helpdesk	10	true	Standard	f	t	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
not on the 17th	helpdesk	25	created_at::date = '2026-05-17'	Standard	t	t	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
urgent	helpdesk	30	'URGENT' = ANY (tags)	Urgent	t	t	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
desk	helpdesk	5	department = 'Hosting' AND last_author IS DISTINCT FROM 'agent'	Desk	f	t	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
calls	calls	10	true	Urgent	f	t	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
off	helpdesk	40	true	Urgent	f	f	t	t	(,)	"Help Desk", public	Europe/Oslo	postgres
vip	helpdesk	20	is_vip(customer)	Urgent	f	t	t	t	["2025-12-31 23:00:00+00",)	"Help Desk", public	Europe/Oslo	postgres
\.
COPY sla.source (name, ticket_table, ticket_key, department, agent, created_at, changed_at, facts, level_column, due_column, search_path, owner) FROM stdin;
helpdesk	"Help Desk".ticket	Number	department	assignee	created_at	updated_at	"Help Desk".facts	level	due	"Help Desk", public	postgres
calls	"Help Desk".call	id	\N	\N	started_at	now()	\N	\N	\N	"Help Desk", public	postgres
\.
COPY sla.source_event (source, on_table, event, stream, condition, ticket_key, at, agent, search_path, owner) FROM stdin;
helpdesk	"Help Desk".ticket	paused	0	status = 'pending'	\N	\N	\N	"Help Desk", public	postgres
helpdesk	"Help Desk".ticket	resolved	0	status IN ('solved', 'closed')	\N	\N	\N	"Help Desk", public	postgres
helpdesk	"Help Desk".ticket	assigned	0	assignee IS NOT NULL	\N	\N	\N	"Help Desk", public	postgres
helpdesk	"Help Desk".message	agent_reply	1	author = 'agent'	ticket_id	sent_at	\N	"Help Desk", public	postgres
helpdesk	"Help Desk".message	customer_message	1	author = 'customer'	ticket_id	sent_at	\N	"Help Desk", public	postgres
\.
COPY sla.target (level, metric, "position", goal, condition, search_path, time_zone, owner) FROM stdin;
Standard	first_response	0	04:00:00	true	"Help Desk", public	Europe/Oslo	postgres
Standard	next_response	0	02:00:00	true	"Help Desk", public	Europe/Oslo	postgres
Standard	resolution	-1	2 days	priority = 1	"Help Desk", public	Europe/Oslo	postgres
Standard	resolution	0	3 days	true	"Help Desk", public	Europe/Oslo	postgres
Standard	first_assignment	0	01:00:00	true	"Help Desk", public	Europe/Oslo	postgres
Urgent	first_response	0	01:00:00	true	"Help Desk", public	Europe/Oslo	postgres
Urgent	resolution	0	08:00:00	true	"Help Desk", public	Europe/Oslo	postgres
Desk	resolution	0	1 day	true	"Help Desk", public	Europe/Oslo	postgres
\.
COPY sla.ticket (source, ticket, changed_at) FROM stdin;
helpdesk	1	2026-11-21 22:56:32.15444+00
helpdesk	2	2026-11-21 22:56:32.15444+00
helpdesk	3	2026-11-21 22:56:32.15444+00
helpdesk	4	2026-11-21 22:56:32.15444+00
helpdesk	5	2026-11-21 22:56:32.15444+00
helpdesk	6	2026-11-21 22:56:32.15444+00
helpdesk	7	2026-11-21 22:56:32.15444+00
helpdesk	8	2026-11-21 22:56:32.15444+00
calls	1	2026-11-21 22:56:32.224432+00
\.
SELECT pg_catalog.setval('sla.deadline_change_id_seq', 3, true);
SELECT pg_catalog.setval('sla.event_id_seq', 23, true);
SELECT pg_catalog.setval('sla.log_id_seq', 32, true);
SELECT pg_catalog.setval('sla.problem_id_seq', 1, false);
SELECT pg_catalog.setval('sla.promise_id_seq', 4, true);
ALTER TABLE ONLY "Help Desk".call
	ADD CONSTRAINT call_pkey PRIMARY KEY (id);
ALTER TABLE ONLY "Help Desk".message
	ADD CONSTRAINT message_pkey PRIMARY KEY (id);
ALTER TABLE ONLY "Help Desk".ticket
	ADD CONSTRAINT ticket_pkey PRIMARY KEY ("Number");
CREATE TRIGGER sla_calls AFTER INSERT OR DELETE OR UPDATE ON "Help Desk".call FOR EACH ROW EXECUTE FUNCTION sla.track_row('calls', '0');
CREATE TRIGGER sla_calls_truncate AFTER TRUNCATE ON "Help Desk".call FOR EACH STATEMENT EXECUTE FUNCTION sla.track_truncate('calls');
CREATE TRIGGER sla_helpdesk AFTER INSERT OR UPDATE ON "Help Desk".message FOR EACH ROW EXECUTE FUNCTION sla.track_row('helpdesk', '1');
CREATE TRIGGER sla_helpdesk AFTER INSERT OR DELETE OR UPDATE ON "Help Desk".ticket FOR EACH ROW EXECUTE FUNCTION sla.track_row('helpdesk', '0');
CREATE TRIGGER sla_helpdesk_truncate AFTER TRUNCATE ON "Help Desk".ticket FOR EACH STATEMENT EXECUTE FUNCTION sla.track_truncate('helpdesk');
GRANT ALL ON FUNCTION sla.track(source text, ticket_table regclass, ticket_key name, department text, agent text, created_at text, changed_at text, facts regclass, level_column name, due_column name) TO PUBLIC;
GRANT SELECT ON TABLE sla.log_report TO PUBLIC;
GRANT SELECT ON TABLE sla.queue TO PUBLIC;
GRANT SELECT ON TABLE sla.compliance_report TO PUBLIC;
GRANT SELECT ON TABLE sla.rule TO PUBLIC;
