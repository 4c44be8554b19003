# Old clocks in tables of their own, children of the log: reports are the same, a
# dump has them, the triggers go on over them, and so do kept sums, a purge and
# an update of the extension.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE original');
$node->safe_psql('original', <<'SQL');
CREATE EXTENSION pg_sla;
CREATE TABLE ticket (id bigint PRIMARY KEY, department text, solved boolean NOT NULL DEFAULT false, changed_at timestamptz NOT NULL);
SELECT sla.set_calendar('support', 'Europe/Oslo', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('Standard', 'support');
INSERT INTO sla.target (level, metric, goal) VALUES ('Standard', 'resolution', '8 hours'), ('Standard', 'first_response', '2 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('everyone', 'helpdesk', 10, 'true', 'Standard');
SELECT sla.track('helpdesk', 'ticket', 'id', department => 'department', created_at => 'changed_at', changed_at => 'changed_at');
SELECT sla.track_event('helpdesk', 'ticket', 'resolved', 'solved');
INSERT INTO ticket SELECT n, 'd' || n % 3, false, timestamptz '2025-03-03 08:00' + n * interval '5 hours' FROM generate_series(1, 300) AS n;
UPDATE ticket SET solved = true, changed_at = changed_at + interval '1 day' WHERE id <= 280;
SQL

my $reports = <<'SQL';
SET pg_sla.now = '2025-06-01 12:00';
SELECT source, ticket, request, level, state, elapsed, sla FROM sla.log_report ORDER BY 1, ticket::int, 3;
RESET pg_sla.now;
SELECT day, department, request, met, missed, met_avg, missed_avg, overrun_avg FROM sla.compliance_report ORDER BY 1, 2, 3;
SELECT ticket, request, deadline FROM sla.queue;
SELECT * FROM sla.verify('helpdesk');
SELECT * FROM sla.check_summaries();
SQL
my $before = $node->safe_psql('original', $reports);

sub archive
{
	my ($month, $next) = @_;
	my $name = "archive.log_" . substr($month, 0, 4) . '_' . substr($month, 5, 2);

	$node->safe_psql('original', <<"SQL");
CREATE TABLE $name (PRIMARY KEY (ticket, source, agreement, metric, ordinal)) INHERITS (sla.log);
CREATE INDEX ON $name ((CASE WHEN outcome = 'met' THEN closed_at ELSE deadline END));
CREATE INDEX ON $name (deadline) WHERE closed_at IS NULL;
BEGIN;
LOCK TABLE sla.log IN SHARE ROW EXCLUSIVE MODE;
WITH moved AS (DELETE FROM ONLY sla.log WHERE closed_at >= '$month' AND closed_at < '$next' RETURNING *)
INSERT INTO $name SELECT * FROM moved;
COMMIT;
SQL
}
$node->safe_psql('original', 'CREATE SCHEMA archive');
archive('2025-03-01', '2025-04-01');
archive('2025-04-01', '2025-05-01');
cmp_ok($node->safe_psql('original', 'SELECT count(*) FROM archive.log_2025_03'), '>', 100, 'clocks were moved');
is($node->safe_psql('original', $reports), $before, 'the reports are the same');
$node->safe_psql('original', 'CALL sla.summarize()');
is($node->safe_psql('original', $reports), $before, 'with kept sums, too');

my $folder = PostgreSQL::Test::Utils::tempdir;
command_ok([ 'pg_dump', '--dbname', $node->connstr('original'), '--file', "$folder/plain.sql" ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
command_ok([ 'psql', '--no-psqlrc', '--quiet', '--set=ON_ERROR_STOP=1', '--dbname', $node->connstr('restored'), '--file', "$folder/plain.sql" ],
	'restore');
is($node->safe_psql('restored', $reports), $before, 'the reports of the restored database are the same');
is($node->safe_psql('restored', 'SELECT count(*) FROM archive.log_2025_03'),
	$node->safe_psql('original', 'SELECT count(*) FROM archive.log_2025_03'), 'and its clocks lie where they lay');
is($node->safe_psql('restored', 'SELECT count(*) FROM sla.summary_state'), '0', 'sums are not dumped');

# Life goes on, in both alike: reopened, answered late, new, deleted.
my $more = <<'SQL';
UPDATE ticket SET solved = false, changed_at = '2025-05-05 10:00' WHERE id = 7;
SELECT FROM sla.record_event('helpdesk', '9', 'agent_reply', '2025-03-05 08:30');
INSERT INTO ticket VALUES (1000, 'd1', false, '2025-05-06 10:00');
DELETE FROM ticket WHERE id = 11;
SQL
$node->safe_psql($_, $more) foreach qw(original restored);
is($node->safe_psql('original', "SELECT count(*) FROM ONLY sla.log AS l JOIN archive.log_2025_03 AS a USING (ticket, source, agreement, metric, ordinal)"),
	'0', 'no clock is there twice');
isnt($node->safe_psql('original', $reports), $before, 'something has changed');
is($node->safe_psql('original', "SELECT * FROM sla.verify('helpdesk') AS v"), '', 'the log is what its events give');
is($node->safe_psql('original', 'SELECT * FROM sla.check_summaries()'), '', 'the sums are those of the log');
my $strip = "SET pg_sla.now = '2025-06-01 12:00'; SELECT ticket, request, level, state, elapsed, sla FROM sla.log_report ORDER BY ticket::int, 2, 3, 4";
is($node->safe_psql('restored', $strip), $node->safe_psql('original', $strip), 'in the restored database likewise');

# A purge reaches them.
my $purged = $node->safe_psql('original', "SELECT count(*) FROM archive.log_2025_03 WHERE closed_at < '2025-03-20'");
cmp_ok($purged, '>', 10, 'there are clocks to purge');
$node->safe_psql('original', "SELECT sla.purge('2025-03-20', 'helpdesk')");
# Of a ticket that is over, all clocks are; the others stay.
is($node->safe_psql('original', "SELECT count(*) FROM sla.log AS l WHERE NOT EXISTS (SELECT FROM sla.event AS e WHERE (e.source, e.ticket) = (l.source, l.ticket))"),
	'0', 'no clock is left of a ticket that was purged');
cmp_ok($node->safe_psql('original', "SELECT count(*) FROM archive.log_2025_03 WHERE closed_at < '2025-03-20'"), '<', $purged, 'they are gone');
is($node->safe_psql('original', "SELECT * FROM sla.verify('helpdesk') AS v"), '', 'the log is what its events give');
is($node->safe_psql('original', 'SELECT * FROM sla.check_summaries()'), '', 'the sums are those of the log');

# An update from the version before reaches them through their parent. The same database with and without.
(my $dump = slurp_file('test/data/upgrade/0.1.0.sql')) =~ s/^CREATE EXTENSION IF NOT EXISTS pg_sla .*$/CREATE EXTENSION pg_sla VERSION '0.1.0';/m;
my $user = $node->safe_psql('postgres', 'SELECT current_user');
$dump =~ s/\bpostgres\b/$user/g;
foreach my $database (qw(whole parted))
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "SET session_replication_role = replica;\n$dump");
	$node->safe_psql($database, <<'SQL') if $database eq 'parted';
CREATE SCHEMA archive;
CREATE TABLE archive.log_old (PRIMARY KEY (source, ticket, agreement, metric, ordinal)) INHERITS (sla.log);
WITH moved AS (DELETE FROM ONLY sla.log WHERE closed_at IS NOT NULL RETURNING *)
INSERT INTO archive.log_old SELECT * FROM moved;
SQL
	$node->safe_psql($database, 'ALTER EXTENSION pg_sla UPDATE');
}
cmp_ok($node->safe_psql('parted', 'SELECT count(*) FROM archive.log_old'), '>', 5, 'clocks lie in the child');
is($node->safe_psql('parted', "SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'archive.log_old'::regclass AND attnum > 0"),
	$node->safe_psql('parted', "SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = 'sla.log'::regclass AND attnum > 0"),
	'it has the columns that are new');
my $answers = <<'SQL';
SET pg_sla.now = '2026-03-06 11:00 Europe/Oslo';
SET timezone = 'Europe/Oslo';
SELECT to_jsonb(r) FROM sla.log_report AS r ORDER BY 1;
SELECT to_jsonb(r) FROM sla.compliance_report AS r ORDER BY 1;
SELECT to_jsonb(r) FROM sla.breach_report AS r ORDER BY 1;
SELECT to_jsonb(r) FROM sla.queue AS r ORDER BY 1;
RESET pg_sla.now;
SELECT to_jsonb(r) FROM sla.compliance('-infinity', 'infinity', '{month,department,request}', totals => true, percentiles => true) AS r;
SELECT * FROM sla.verify('helpdesk');
SELECT * FROM sla.check_summaries();
SQL
sub alike
{
	my ($what) = @_;
	is($node->safe_psql('parted', $answers), $node->safe_psql('whole', $answers), "reports with a child are those without: $what");
	is($node->safe_psql('parted', "SELECT * FROM sla.verify('helpdesk')"), '', "the log is what its events give: $what");
}
alike('updated');
$node->safe_psql($_, <<'SQL') foreach qw(whole parted);
SET search_path = "Help Desk";
INSERT INTO message VALUES (9, 3, 'agent', '2026-03-03 11:30+01');
UPDATE ticket SET status = 'solved', updated_at = '2026-03-06 09:00+01' WHERE "Number" IN (3, 4);
SQL
alike('after messages');
$node->safe_psql($_, 'CALL sla.summarize()') foreach qw(whole parted);
alike('with kept sums');
my $before_purge = $node->safe_psql('parted', 'SELECT count(*) FROM archive.log_old');
$node->safe_psql($_, "SELECT sla.purge('2027-01-01')") foreach qw(whole parted);
alike('purged');
cmp_ok($node->safe_psql('parted', 'SELECT count(*) FROM archive.log_old'), '<', $before_purge, 'the child was purged, too');
cmp_ok($node->safe_psql('parted', 'SELECT count(*) FROM sla.log'), '>', 0, 'and something is left');

$node->stop;
done_testing();
