# A physical replica answers every view and every question, and writes nothing.
# The log can be published to another database.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 'logical');
$primary->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$primary->start;

my $tables = <<'SQL';
CREATE EXTENSION pg_sla;
CREATE TABLE ticket (id int PRIMARY KEY, department text, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
CREATE TABLE message (id int PRIMARY KEY, ticket_id int, author text, sent_at timestamptz);
SELECT sla.set_calendar('office', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('usual', 'office'), ('urgent', 'office');
INSERT INTO sla.target (level, metric, goal) VALUES ('usual', 'first_response', '4 hours'), ('usual', 'next_response', '2 hours'),
	('usual', 'resolution', '2 days'), ('urgent', 'first_response', '1 hour'), ('urgent', 'resolution', '1 day');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'desk', 1, 'true', 'usual'), ('sales', 'desk', 2, 'department = ''sales''', 'urgent');
SELECT sla.track('desk', 'ticket', 'id', department => 'department', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('desk', 'ticket', 'paused', 'status = ''pending''');
SELECT sla.track_event('desk', 'ticket', 'resolved', 'status = ''solved''');
SELECT sla.track_event('desk', 'message', 'agent_reply', 'author = ''agent''', ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('desk', 'message', 'customer_message', 'author = ''customer''', ticket_key => 'ticket_id', at => 'sent_at');
SQL
my $life = <<'SQL';
INSERT INTO ticket (id, department, created_at) SELECT i, CASE i % 3 WHEN 0 THEN 'sales' WHEN 1 THEN 'support' END, timestamptz '2026-03-02 08:00+01' + i * interval '11 minutes'
FROM generate_series(1, 60) AS i;
INSERT INTO message SELECT i, i, 'agent', timestamptz '2026-03-02 10:00+01' + i * interval '23 minutes' FROM generate_series(1, 60, 2) AS i;
INSERT INTO message SELECT 100 + i, i, 'customer', timestamptz '2026-03-02 11:00+01' + i * interval '29 minutes' FROM generate_series(1, 60, 3) AS i;
UPDATE ticket SET status = 'pending', updated_at = '2026-03-03 09:00+01' WHERE id % 5 = 0;
UPDATE ticket SET status = 'solved', updated_at = '2026-03-04 10:00+01' WHERE id % 4 = 0;
SQL
$primary->safe_psql('postgres', $tables);
$primary->safe_psql('postgres', $life);

$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->start;

# Every view there is, so that none is forgotten, and what is asked beside them.
my $now = "SET pg_sla.now = '2026-03-04 12:00+01';";
my @views = split /\n/, $primary->safe_psql('postgres', <<'SQL');
SELECT format('sla.%I', relname) FROM pg_class WHERE relnamespace = 'sla'::regnamespace AND relkind IN ('r', 'v', 'm', 'p') ORDER BY 1
SQL
cmp_ok(scalar(@views), '>', 10, 'there are views');
my @questions = (
	(map { "SELECT * FROM $_ AS v ORDER BY v::text" } @views),
	"SELECT * FROM sla.verify('desk')",
	"SELECT * FROM sla.health()",
	"SELECT id, sla.level_for(t), sla.goal_for(t, 'resolution'), sla.deadline_for(t, 'resolution') FROM ticket AS t ORDER BY id",
	"SELECT e.* FROM ticket AS t, sla.explain_level(t) AS e WHERE t.id = 3",
	"SELECT * FROM sla.compliance('2026-03-01', '2026-04-01', '{day,department,level,request}', totals => true, empty_days => true)",
	"SELECT * FROM sla.compliance('2026-03-01', '2026-04-01', '{weekday,hour}', 'Asia/Tokyo', percentiles => true)",
	"RESET pg_sla.now; SELECT * FROM sla.compliance('-infinity', 'infinity', '{month,department}')",
	"SELECT * FROM sla.at_risk(0.1)",
	"SELECT * FROM sla.workload(100)",
	"SELECT l.ticket, l.metric, e.* FROM sla.log AS l, sla.explain_clock(l.id) AS e ORDER BY l.id, e.from_ts",
	"SELECT id FROM ticket WHERE sla.overdue('office', created_at, '4 hours', '2026-03-02 15:00+01') ORDER BY id",
	"SELECT sla.business_time('office', '2026-03-02', '2026-03-04'), sla.add_business_time('office', '2026-03-02', '3 days'), sla.now()");

sub answers
{
	my ($node, $question) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "$now $question");
	return $code == 0 ? $out : "failed: $err";
}

sub same_answers
{
	my ($name, @questions) = @_;

	$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
	foreach my $question (@questions)
	{
		my $answer = answers($primary, $question);
		unlike($answer, qr/^failed/, "$name: the primary answers $question");
		is(answers($standby, $question), $answer, "$name: so does the replica");
	}
}

same_answers('at first', @questions);
my ($code, $out, $err) = $standby->psql('postgres', "SELECT sla.record_event('desk', '1', 'resolved')");
like($err, qr/read-only transaction|during recovery/, 'the replica writes nothing');
# What is compiled there is compiled anew when the primary changes it.
$primary->safe_psql('postgres', "SELECT sla.set_calendar('office', 'Europe/Oslo', 'Mo-Fr 09:00-15:00');"
	  . "UPDATE sla.rule SET condition = 'department = ''support''' WHERE name = 'sales';"
	  . "UPDATE ticket SET status = 'open', updated_at = '2026-03-04 11:00+01'");
same_answers('after changes', grep { !/FROM sla\.\w+ AS v/ || /log_report|queue|problem|deadline_change/ } @questions);

# Kept sums are read there as well, and what has changed since.
$primary->safe_psql('postgres', 'CALL sla.summarize()');
my @sums = ("RESET pg_sla.now; SELECT until FROM sla.summary_until()", "RESET pg_sla.now; SELECT * FROM sla.check_summaries()", grep { /compliance/ } @questions);
same_answers('with kept sums', @sums);
isnt(answers($standby, $sums[0]), '-infinity', 'the sums count');
$primary->safe_psql('postgres', "SELECT sla.record_event('desk', '2', 'agent_reply', '2026-03-02 09:30+01')");
isnt(answers($primary, 'SELECT count(*) FROM sla.summary_mark'), '0', 'a day has changed since');
same_answers('after a late event', @sums);

# One session of the replica sees them too.
my $both = $standby->safe_psql('postgres', "SELECT sla.business_time('office', '2026-03-02', '2026-03-03')");
is($both, '06:00:00', 'by the hours of now');
$standby->promote;
$standby->safe_psql('postgres', "INSERT INTO ticket (id, created_at) VALUES (1000, '2026-03-02 08:00+01')");
is($standby->safe_psql('postgres', "SELECT count(*) FROM sla.log WHERE ticket = '1000'"), '2', 'promoted, its triggers go on');
is($standby->safe_psql('postgres', "SELECT * FROM sla.verify('desk')"), '', 'and its log is what the events give');
$standby->stop;

# Publish the log and the events to a database that has no tickets.
my $reporting = PostgreSQL::Test::Cluster->new('reporting');
$reporting->init;
$reporting->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$reporting->start;
$reporting->safe_psql('postgres', "CREATE EXTENSION pg_sla; SELECT sla.set_calendar('office', 'Europe/Oslo', 'Mo-Fr 09:00-15:00');");
$primary->safe_psql('postgres', 'CREATE PUBLICATION reports FOR TABLE sla.log, sla.event, sla.ticket, sla.promise');
(my $from = $primary->connstr('postgres')) =~ s/'/''/g;
$reporting->safe_psql('postgres', "CREATE SUBSCRIPTION reports CONNECTION '$from' PUBLICATION reports");
$reporting->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')");

my @published = (
	'SELECT * FROM sla.log_report AS v ORDER BY v::text',
	'SELECT * FROM sla.compliance_report AS v ORDER BY v::text',
	'SELECT * FROM sla.queue AS v ORDER BY v::text',
	'SELECT * FROM sla.event ORDER BY id',
	"SELECT * FROM sla.verify('desk')");
foreach my $round ('copied', 'streamed')
{
	$primary->wait_for_catchup('reports');
	foreach my $question (@published)
	{
		is(answers($reporting, $question), answers($primary, $question), "$round: $question");
	}
	$primary->safe_psql('postgres', "UPDATE ticket SET status = 'solved', updated_at = '2026-03-04 11:30+01' WHERE id < 30; DELETE FROM ticket WHERE id = 40; UPDATE ticket SET id = 500 WHERE id = 50");
}

# The tables themselves, to a database with tickets of its own: told where they were written, and nowhere else.
$primary->safe_psql('postgres', 'CREATE PUBLICATION everything FOR TABLE ticket, message');
$reporting->safe_psql('postgres', 'CREATE DATABASE twin');
(my $twin = $tables) =~ s/'desk'/'twin'/g;
$reporting->safe_psql('twin', $twin);
$reporting->safe_psql('twin', "CREATE SUBSCRIPTION twin CONNECTION '$from' PUBLICATION everything");
$reporting->poll_query_until('twin', "SELECT count(*) = 0 FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')");
is($reporting->safe_psql('twin', "SELECT count(*) > 50, (SELECT count(*) FROM sla.log) FROM ticket"), 't|0', 'rows that are applied start no clocks');
$reporting->safe_psql('twin', 'ALTER TABLE ticket ENABLE ALWAYS TRIGGER sla_twin; ALTER TABLE message ENABLE ALWAYS TRIGGER "PG_SLA_twin"');
$primary->safe_psql('postgres', "INSERT INTO ticket (id, created_at) VALUES (2000, '2026-03-02 08:00+01'); INSERT INTO message VALUES (2000, 2000, 'agent', '2026-03-02 09:30+01')");
$primary->wait_for_catchup('twin');
is($reporting->safe_psql('twin', "SELECT ticket, metric, outcome FROM sla.log ORDER BY 2"), "2000|first_response|met\n2000|resolution|", 'unless the triggers are always enabled');
is($reporting->safe_psql('twin', "SELECT * FROM sla.verify('twin')"), '', 'and that log is what its events give');

$reporting->stop;
$primary->stop;
done_testing();
