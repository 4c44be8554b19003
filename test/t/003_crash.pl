# A backend or the whole server is killed in the middle: what was committed is
# there, what was not is gone, the log is what the events give, and life goes on.
# Transactions that were prepared wait for their end.

use strict;
use warnings;

use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nrestart_after_crash = on\nmax_prepared_transactions = 5");
$node->start;

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_sla;
CREATE TABLE ticket (id int PRIMARY KEY, status text NOT NULL DEFAULT 'open', created_at timestamptz NOT NULL, updated_at timestamptz);
CREATE TABLE message (ticket_id int REFERENCES ticket, sent_at timestamptz);
CREATE TABLE done (ticket_id int PRIMARY KEY);
SELECT sla.set_calendar('office', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('usual', 'office');
INSERT INTO sla.target (level, metric, goal) VALUES ('usual', 'first_response', '4 hours'), ('usual', 'resolution', '2 days');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 'crash', 1, 'true', 'usual');
SELECT sla.track('crash', 'ticket', 'id', created_at => 'created_at', changed_at => 'updated_at');
SELECT sla.track_event('crash', 'ticket', 'resolved', 'status = ''solved''');
SELECT sla.track_event('crash', 'message', 'agent_reply', ticket_key => 'ticket_id', at => 'sent_at');
SQL

# Transactions of one client; after each it says that it was committed.
my $folder = PostgreSQL::Test::Utils::tempdir();

sub script_of
{
	my ($first) = @_;
	my $path = "$folder/$first.sql";
	open(my $file, '>', $path) or die "$path: $!";
	print $file "\\set ON_ERROR_STOP on\nSELECT 'backend', pg_backend_pid();\n";
	foreach my $id ($first .. $first + 20_000)
	{
		print $file <<"SQL";
BEGIN;
INSERT INTO ticket (id, created_at) VALUES ($id, '2024-03-04 09:00');
INSERT INTO message VALUES ($id, '2024-03-04 10:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 11:00' WHERE id = $id;
INSERT INTO done VALUES ($id);
COMMIT;
SELECT 'committed', $id;
SQL
	}
	close $file;
	return $path;
}

# What a client said to be committed before something happened to the server.
sub interrupted
{
	my ($first, $what) = @_;
	my $path = script_of($first);
	my ($out, $err) = ('', '');
	my $client = IPC::Run::start([ 'psql', '-XAtq', '-F', ' ', '-d', $node->connstr('postgres'), '-f', $path ], '>', \$out, '2>', \$err,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	pump $client until ($out =~ tr/\n//) > 40;
	$out =~ /^backend (\d+)$/m or die "no backend in: $out";
	$what->($1);
	$client->finish;
	return $out =~ /^committed (\d+)$/mg;
}

sub is_whole
{
	my ($name, @committed) = @_;

	cmp_ok(scalar(@committed), '>', 10, "$name: transactions were committed");
	is($node->safe_psql('postgres', sprintf("SELECT count(*) FROM unnest('{%s}'::int[]) AS i WHERE NOT EXISTS (SELECT FROM done WHERE ticket_id = i)",
			join(',', @committed))), '0', "$name: none of them was lost");
	is($node->safe_psql('postgres', <<'SQL'), '0|0|0', "$name: a ticket has all its clocks, or is not there");
SELECT (SELECT count(*) FROM ticket FULL JOIN done ON ticket_id = id WHERE id IS NULL OR ticket_id IS NULL),
	(SELECT count(*) FROM done WHERE (SELECT string_agg(metric || ' ' || outcome || ' ' || elapsed, ', ' ORDER BY metric)
		FROM sla.log WHERE source = 'crash' AND ticket = ticket_id::text) IS DISTINCT FROM 'first_response met 01:00:00, resolution met 02:00:00'),
	(SELECT count(*) FROM sla.ticket WHERE source = 'crash' AND NOT EXISTS (SELECT FROM done WHERE ticket_id::text = ticket))
SQL
	is($node->safe_psql('postgres', "SELECT * FROM sla.verify('crash')"), '', "$name: the log is what the events give");
}

my @committed = interrupted(1, sub { kill 'KILL', $_[0] });
ok($node->poll_query_until('postgres', 'SELECT true'), 'the server is there again');
is_whole('a backend is killed', @committed);

# Prepared while the server is alive.
$node->safe_psql('postgres', <<'SQL');
BEGIN;
INSERT INTO ticket (id, created_at) VALUES (-1, '2024-03-04 09:00');
INSERT INTO message VALUES (-1, '2024-03-04 10:00');
UPDATE ticket SET status = 'solved', updated_at = '2024-03-04 11:00' WHERE id = -1;
INSERT INTO done VALUES (-1);
PREPARE TRANSACTION 'kept';
BEGIN;
INSERT INTO ticket (id, created_at) VALUES (-2, '2024-03-04 09:00');
PREPARE TRANSACTION 'undone';
SQL

push @committed, interrupted(100_000, sub { $node->kill9 });
# Its backends notice one after the other.
foreach (1 .. 100)
{
	$node->{_pid} = undef;
	last if $node->start(fail_ok => 1);
	sleep 1;
}
is_whole('the server is killed', @committed);

push @committed, interrupted(200_000, sub { $node->stop('immediate') });
$node->start;
is($node->safe_psql('postgres', "SELECT count(*) FROM sla.log WHERE ticket IN ('-1', '-2')"), '0', 'what is prepared is not seen');
$node->safe_psql('postgres', "COMMIT PREPARED 'kept'");
$node->safe_psql('postgres', "ROLLBACK PREPARED 'undone'");
is_whole('the server is stopped at once, and a prepared transaction ends after that', @committed, -1);

$node->safe_psql('postgres', "UPDATE ticket SET status = 'open', updated_at = '2024-03-05 09:00' WHERE id = -1");
is($node->safe_psql('postgres', "SELECT running_since FROM sla.log WHERE ticket = '-1' AND metric = 'resolution' AND closed_at IS NULL"),
	'2024-03-05 09:00:00+00', 'its clocks go on');

$node->stop;
done_testing();
