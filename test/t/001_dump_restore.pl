# A database that is dumped and restored gives the same reports, its log is
# what its events give, and its triggers go on working.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;

# Fixed, so that the reports of all databases are of one moment.
my $as_of = "SET pg_sla.now = '2026-03-06 11:00 Europe/Oslo';";

$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', <<'SQL');
CREATE EXTENSION pg_sla;
CREATE SCHEMA "Help Desk";
CREATE TABLE "Help Desk".ticket (
	"Number" bigint PRIMARY KEY,
	department text,
	assignee text,
	status text NOT NULL DEFAULT 'open',
	tags text[] NOT NULL DEFAULT '{}',
	created_at timestamptz NOT NULL,
	updated_at timestamptz NOT NULL
);
CREATE TABLE "Help Desk".message (
	id bigint PRIMARY KEY,
	ticket_id bigint NOT NULL REFERENCES "Help Desk".ticket ON DELETE CASCADE,
	author text NOT NULL,
	sent_at timestamptz NOT NULL
);
INSERT INTO sla.holiday_set (name) VALUES ('norway');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('norway', '2026-03-05', 'made up');
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00; easter off', '{norway}');
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-17:00', '{norway}', effective_from => '2026-06-01');
SELECT sla.set_calendar('always', 'UTC', '24/7');
SELECT sla.set_calendar('branch', NULL, 'We 10:00-12:00', base => 'support');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support'), ('Urgent', 'always');
INSERT INTO sla.target (level, metric, goal) VALUES
	('Standard', 'first_response', '4 hours'), ('Standard', 'next_response', '2 hours'),
	('Standard', 'resolution', '3 days'), ('Urgent', 'first_response', '1 hour'), ('Urgent', 'resolution', '8 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level, stop) VALUES
	('everyone', 'helpdesk', 10, 'true', 'Standard', false),
	('came back', 'helpdesk', 15, $$status = 'open' AND old IS DISTINCT FROM NULL AND old.status = 'solved'$$, 'Standard', false),
	('urgent', 'helpdesk', 20, $$'URGENT' = ANY (tags)$$, 'Urgent', true);
SET search_path = "Help Desk", public;
SELECT sla.track('helpdesk', 'ticket', 'Number', department => 'department', agent => 'assignee',
	created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('helpdesk', 'ticket', 'paused', $$status = 'pending'$$);
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', $$status IN ('solved', 'closed')$$);
SELECT sla.track_event('helpdesk', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('helpdesk', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');

SET timezone = 'Europe/Oslo';
INSERT INTO ticket VALUES
	(1, 'Billing', 'Kari', 'open', '{}', '2026-03-02 09:00', '2026-03-02 09:00'),
	(2, 'Billing', 'Kari', 'open', '{}', '2026-03-02 10:00', '2026-03-02 10:00'),
	(3, 'Hosting', 'Ola', 'open', '{URGENT}', '2026-03-03 11:00', '2026-03-03 11:00'),
	(4, 'Hosting', NULL, 'open', '{}', '2026-03-03 12:00', '2026-03-03 12:00'),
	(5, NULL, NULL, 'open', '{}', '2026-03-04 09:00', '2026-03-04 09:00'),
	(6, 'Hosting', NULL, 'open', '{}', '2026-03-06 10:30', '2026-03-06 10:30'),
	(7, 'Hosting', NULL, 'open', '{}', '2026-03-06 10:30', '2026-03-06 10:30');
INSERT INTO message VALUES (1, 1, 'agent', '2026-03-02 10:00'), (2, 2, 'agent', '2026-03-03 10:30'),
	(3, 2, 'customer', '2026-03-03 11:00'), (4, 2, 'customer', '2026-03-03 11:30'), (5, 2, 'agent', '2026-03-03 12:00');
UPDATE ticket SET status = 'solved', updated_at = '2026-03-03 09:00' WHERE "Number" = 1;
UPDATE ticket SET status = 'pending', updated_at = '2026-03-04 09:00' WHERE "Number" = 2;
UPDATE ticket SET tags = '{URGENT}', updated_at = '2026-03-03 13:00' WHERE "Number" = 4;
SELECT sla.record_event('helpdesk', '5', 'merged', '2026-03-04 10:00');
DELETE FROM ticket WHERE "Number" = 5;

-- Of a ticket that is open for long, an edit moves the deadline, and leaves a trail.
INSERT INTO ticket VALUES (10, 'Hosting', NULL, 'open', '{}', '2200-03-04 09:00', '2200-03-04 09:00');
INSERT INTO sla.holiday (holiday_set, day, name) VALUES ('norway', '2200-03-05', 'made up as well');
SQL

# What the reports say, as text.
sub reports
{
	my ($database) = @_;

	return $node->safe_psql($database, <<"SQL");
$as_of
SELECT * FROM sla.log_report ORDER BY source, ticket, agreement, request, cycle, sla_started, id;
SELECT * FROM sla.compliance_report ORDER BY day, source, department, agent, level, request;
SELECT * FROM sla.queue;
SELECT * FROM sla.event ORDER BY id;
SELECT * FROM sla.deadline_change ORDER BY id;
SELECT sla.add_business_time('support', '2026-03-04 15:00 Europe/Oslo', '2 hours'),
	sla.business_time('support', '2026-06-01', '2026-06-03'), sla.business_time('always', '2026-06-01', '2026-06-03'),
	sla.business_time('branch', '2026-03-01', '2026-03-08'), sla.business_time('branch', '2026-06-01', '2026-06-05');
SQL
}

sub differences
{
	my ($database) = @_;

	return $node->safe_psql($database, q{SELECT * FROM sla.verify('helpdesk')});
}

my $before = reports('original');
foreach my $state (qw(running paused overdue met missed cancelled superseded))
{
	like(
		$node->safe_psql('original', "$as_of SELECT DISTINCT state FROM sla.log_report"),
		qr/^$state$/m, "the database has a clock that is $state");
}
is($node->safe_psql('original', 'SELECT DISTINCT ticket FROM sla.deadline_change'), '10',
	'the database has a deadline that was moved');
is(differences('original'), '', 'the log is what the events give');

# Dump before the databases are made to go on.
my $folder = PostgreSQL::Test::Utils::tempdir;
my @dump = ('pg_dump', '--dbname', $node->connstr('original'));
command_ok([ @dump, '--file', "$folder/plain.sql" ], 'dump as a script');
command_ok([ @dump, '--clean', '--if-exists', '--file', "$folder/clean.sql" ], 'dump as a script that cleans first');
command_ok([ @dump, '--format=custom', '--file', "$folder/custom" ], 'dump in the custom format');

my @psql = ('psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1');
$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(plain cleaned custom);
command_ok([ @psql, '--dbname', $node->connstr('plain'), '--file', "$folder/plain.sql" ], 'restore the script');
command_ok([ @psql, '--dbname', $node->connstr('cleaned'), '--file', "$folder/plain.sql" ], 'restore the script once more');
command_ok([ @psql, '--dbname', $node->connstr('cleaned'), '--file', "$folder/clean.sql" ], 'restore over a database that is there');
# Tables of extensions with foreign keys among them must be filled in order, which pg_restore keeps in one job only.
my @restore = ('pg_restore', '--exit-on-error', '--dbname', $node->connstr('custom'), "$folder/custom");
command_ok([ @restore, '--section=pre-data', '--section=data' ], 'restore tables and data in one job');
command_ok([ @restore, '--section=post-data', '--jobs=2' ], 'restore indexes and triggers in two');

# The same is done in each database, after the restore.
my $more = <<'SQL';
SET search_path = "Help Desk";
SET timezone = 'Europe/Oslo';
INSERT INTO ticket VALUES (8, 'Billing', 'Kari', 'open', '{}', '2026-03-06 08:10', '2026-03-06 08:10'),
	(9, 'Billing', 'Ola', 'open', '{URGENT}', '2026-03-06 08:10', '2026-03-06 08:10');
INSERT INTO message VALUES (8, 8, 'agent', '2026-03-06 09:00'), (9, 9, 'agent', '2026-03-06 10:00'),
	(10, 4, 'agent', '2026-03-03 12:30');
UPDATE ticket SET status = 'open', updated_at = '2026-03-06 09:30' WHERE "Number" = 2;
UPDATE ticket SET status = 'solved', updated_at = '2026-03-06 10:45' WHERE "Number" = 7;
SELECT sla.record_event('helpdesk', '6', 'merged', '2026-03-06 10:40');
DELETE FROM ticket WHERE "Number" = 6;
UPDATE sla.holiday SET day = '2200-03-06' WHERE day = '2200-03-05';
SQL

# Without what tells the time at which this test runs.
sub reports_of_both
{
	my ($database) = @_;

	return $node->safe_psql($database, <<"SQL");
$as_of
SELECT * FROM sla.log_report ORDER BY source, ticket, agreement, request, cycle, sla_started, id;
SELECT * FROM sla.compliance_report ORDER BY day, source, department, agent, level, request;
SELECT id, source, ticket, event, agent, department, assignee, promises FROM sla.event ORDER BY id;
SELECT id, at FROM sla.event WHERE event <> 'deleted' ORDER BY id;
SELECT id, source, ticket, metric, former, deadline, reason FROM sla.deadline_change ORDER BY id;
SQL
}

foreach my $database (qw(plain cleaned custom))
{
	is(reports($database), $before, "$database: the same reports");
	is(differences($database), '', "$database: the log is what the events give");
}
$node->safe_psql('original', $more);
my $after = reports_of_both('original');
isnt($after, $before, 'life goes on');
foreach my $database (qw(plain cleaned custom))
{
	$node->safe_psql($database, $more);
	is(reports_of_both($database), $after, "$database: the triggers go on, with the same result");
	is(differences($database), '', "$database: the log is still what the events give");
}

$node->stop;
done_testing();
