# A database of the version before, with rules, tickets and running clocks, is
# updated: nothing it holds means anything else, and the objects are those of a
# new one.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off");
$node->start;
my $user = $node->safe_psql('postgres', 'SELECT current_user');

# What an extension's objects are, one line for each, without what only numbers them.
my $objects = <<'SQL';
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid FROM pg_depend AS d JOIN pg_extension AS e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_sla'
), relation AS (
	SELECT c.* FROM member AS m JOIN pg_class AS c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
)
SELECT 'member ' || pg_describe_object(classid, objid, 0) FROM member
UNION ALL SELECT 'function ' || pg_get_functiondef(p.oid) || ' ' || coalesce(p.proacl, acldefault('f', p.proowner))::text || ' ' || coalesce(p.proargnames::text, '')
	FROM member AS m JOIN pg_proc AS p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass WHERE p.prokind <> 'a'
UNION ALL SELECT format('relation %s %s %s %s %s %s', c.oid::regclass, c.relkind, c.relpersistence, c.reloptions, coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner)), c.relrowsecurity) FROM relation AS c
UNION ALL SELECT format('view %s %s', c.oid::regclass, pg_get_viewdef(c.oid)) FROM relation AS c WHERE c.relkind = 'v'
UNION ALL SELECT format('column %s %s %s %s %s %s %s %s', c.oid::regclass, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		a.attidentity, a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid))
	FROM relation AS c JOIN pg_attribute AS a ON a.attrelid = c.oid LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
	WHERE a.attnum > 0 AND c.relkind IN ('r', 'v', 'c', 'm', 'p')
UNION ALL SELECT format('constraint %s %s %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) FROM relation AS r JOIN pg_constraint AS c ON c.conrelid = r.oid
UNION ALL SELECT 'index ' || pg_get_indexdef(i.indexrelid) FROM relation AS r JOIN pg_index AS i ON i.indrelid = r.oid
UNION ALL SELECT format('trigger %s %s', pg_get_triggerdef(t.oid), t.tgenabled) FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid WHERE NOT t.tgisinternal
UNION ALL SELECT format('comment %s: %s', pg_describe_object(m.classid, m.objid, d.objsubid), d.description)
	FROM member AS m JOIN pg_description AS d ON d.classoid = m.classid AND d.objoid = m.objid
UNION ALL SELECT format('comment on trigger %s %s: %s', t.tgrelid::regclass, t.tgname, d.description)
	FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid JOIN pg_description AS d ON d.classoid = 'pg_trigger'::regclass AND d.objoid = t.oid
UNION ALL SELECT format('dumped %s %s', e.id::regclass, e.condition) FROM pg_extension, unnest(extconfig, extcondition) AS e (id, condition) WHERE extname = 'pg_sla'
UNION ALL SELECT format('sequence %s %s %s', s.seqrelid::regclass, s.seqtypid::regtype, s.seqincrement) FROM relation AS r JOIN pg_sequence AS s ON s.seqrelid = r.oid
UNION ALL SELECT 'version ' || extversion FROM pg_extension WHERE extname = 'pg_sla'
ORDER BY 1
SQL

# What is in the first list and not in the second.
sub missing
{
	my ($here, $there) = @_;
	my %there = map { $_ => 1 } split /\n(?=\w+ )/, $there;
	return join("\n", grep { !$there{$_} } split /\n(?=\w+ )/, $here);
}

sub objects_are_alike
{
	my ($database, $what) = @_;
	my ($fresh, $updated) = map { $node->safe_psql($_, $objects) } 'fresh', $database;

	is(missing($fresh, $updated), '', "$what: nothing is missing that a new database has");
	is(missing($updated, $fresh), '', "$what: nothing is there that a new database has not");
}

$node->safe_psql('postgres', "CREATE DATABASE $_") foreach qw(fresh bare old);
$node->safe_psql('fresh', 'CREATE EXTENSION pg_sla');

# An empty database.
$node->safe_psql('bare', "CREATE EXTENSION pg_sla VERSION '0.1.0'");
isnt(missing($node->safe_psql('fresh', $objects), $node->safe_psql('bare', $objects)), '', 'the versions differ');
$node->safe_psql('bare', 'ALTER EXTENSION pg_sla UPDATE');
objects_are_alike('bare', 'empty');

# One in use: as that version left it.
my $dump = slurp_file('test/data/upgrade/0.1.0.sql');
$dump =~ s/^CREATE EXTENSION IF NOT EXISTS pg_sla .*$/CREATE EXTENSION pg_sla VERSION '0.1.0';/m;
$dump =~ s/\bpostgres\b/$user/g;
$node->safe_psql('old', "SET session_replication_role = replica;\n$dump");

# Until it is updated, it is refused rather than read wrongly; what needs no table goes on.
my $ticket = q{INSERT INTO "Help Desk".ticket ("Number", customer, created_at, updated_at) VALUES (9, 'Anna', '2026-03-05 09:00+01', '2026-03-05 09:00+01')};
my ($code, $out, $err) = $node->psql('old', $ticket);
like($err, qr/extension pg_sla is of version 0\.1\.0 in this database, its library of version/, 'a ticket waits for the update');
like($err, qr/HINT:  Run ALTER EXTENSION pg_sla UPDATE/, 'and says so');
is($node->safe_psql('old', q{SELECT sla.is_open(sla.schedule('UTC', 'Mo-Fr 08:00-16:00'), '2026-03-02 09:00Z')}), 't', 'a schedule is open');

# As a client of another time zone than the one in which it was set up.
($code, $out, $err) = $node->psql('old', "SET timezone = 'Europe/Oslo'; ALTER EXTENSION pg_sla UPDATE");
is($code, 0, 'the update succeeds') or diag($err);
my $granted = $node->safe_psql('old', q{SELECT has_table_privilege('public', 'sla.log_report', 'SELECT'), has_table_privilege('public', 'sla.compliance_report', 'SELECT')});
is($granted, 't|t', 'rights to the reports are kept');
is($node->safe_psql('old', q{SELECT has_function_privilege('public', p.oid, 'EXECUTE') FROM pg_proc p WHERE proname = 'track' AND pronamespace = 'sla'::regnamespace}),
	't', 'and those to functions');
$node->safe_psql('old', "REVOKE ALL ON sla.log_report, sla.queue, sla.compliance_report, sla.rule FROM PUBLIC; REVOKE ALL ON FUNCTION sla.track FROM PUBLIC");

# What it said is what it says.
my $differences = <<'SQL';
SET pg_sla.now = '2026-03-06 11:00 Europe/Oslo';
SET search_path = "Help Desk", public;
SET timezone = 'Europe/Oslo';
SELECT 'verify', v::text FROM sla.verify('helpdesk') AS v UNION ALL SELECT 'verify', v::text FROM sla.verify('calls') AS v;
SELECT 'health', h::text FROM sla.health() AS h;
SELECT 'event', e::text FROM (TABLE said_events EXCEPT SELECT id, source, ticket, event, at, agent, of_ticket, department, assignee, promises, recorded_at FROM sla.event) AS e;
SELECT 'clock', c::text FROM (TABLE said_clocks EXCEPT SELECT id, source, ticket, agreement, level, metric, ordinal, cycle, calendar, department, agent, goal,
	started_at, counted, running_since, deadline, closed_at, outcome, reason, elapsed, computed_at FROM sla.log) AS c;
SELECT 'log', l::text FROM (SELECT source, request, ticket, department, agent, level, agreement, sla_started, deadline, closed, state, sla, elapsed, goal, reason FROM said_log WHERE sla_started <= sla.now()
	EXCEPT SELECT source, request, ticket, department, agent, level, agreement, sla_started, deadline, closed, state, sla, elapsed, goal, reason FROM my_log) AS l;
SELECT 'queue', q::text FROM (SELECT ticket, request, deadline FROM said_queue WHERE source = 'helpdesk' AND sla_started <= sla.now() EXCEPT TABLE my_queue) AS q;
SELECT 'level', l::text FROM (TABLE said_levels EXCEPT SELECT f."Number", sla.level_for(f), sla.goal_for(f, 'resolution'), sla.deadline_for(f, 'resolution') FROM facts AS f) AS l;
SELECT 'rule', r::text FROM (SELECT rule, "position", set_level, condition, matched, result, decided_by, saw, effect FROM said_rules
	EXCEPT SELECT rule, "position", set_level, condition, matched, result, decided_by, saw, effect FROM facts AS f, sla.explain_level(f)) AS r;
SELECT 'compliance', c::text FROM (SELECT day, source, department, agent, level, request, met, missed, compliance FROM said_compliance
	EXCEPT SELECT day, source, department, agent, level, request, met, missed, compliance FROM sla.compliance_report) AS c;
SQL
is($node->safe_psql('old', $differences), '', 'all that it said it says');
is($node->safe_psql('old', 'SELECT count(*) FROM "Help Desk".said_rules'), '48', 'and that was much');
is($node->safe_psql('old', "SELECT string_agg(DISTINCT time_zone, ' ') FROM (SELECT time_zone FROM sla.source UNION ALL SELECT time_zone FROM sla.source_event) AS z"),
	'Europe/Oslo', 'expressions have the time zone of who updated');

# And so does what is restored from a dump of it.
my $copy = PostgreSQL::Test::Utils::tempdir() . '/copy';
command_ok([ 'pg_dump', '-Fc', '-f', $copy, $node->connstr('old') ], 'dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $copy ], 'restored');
is($node->safe_psql('restored', $differences), '', 'all of it is said there, too');
is($node->safe_psql('restored', 'SELECT name, search_path, time_zone, owner FROM sla.rule ORDER BY source, name'),
	$node->safe_psql('old', 'SELECT name, search_path, time_zone, owner FROM sla.rule ORDER BY source, name'), 'and who wrote the rules');

# Life goes on.
$node->safe_psql('old', $ticket);
$node->safe_psql('old', <<'SQL');
SET search_path = "Help Desk";
INSERT INTO message VALUES (9, 9, 'agent', '2026-03-05 10:00+01'), (10, 3, 'agent', '2026-03-03 11:30+01');
UPDATE ticket SET status = 'solved', updated_at = '2026-03-06 09:00+01' WHERE "Number" IN (3, 4);
UPDATE ticket SET status = 'open', updated_at = '2200-03-03 13:00+01' WHERE "Number" = 7;
DELETE FROM sla.holiday WHERE day = '2200-03-04';
UPDATE sla.rule SET active = true WHERE name = 'off';
INSERT INTO ticket ("Number", customer, created_at, updated_at) VALUES (11, 'Carl', '2026-03-05 09:00+01', '2026-03-05 09:00+01');
SQL
is($node->safe_psql('old', q{SELECT "Number", level FROM "Help Desk".ticket WHERE "Number" >= 9 ORDER BY 1}), "9|Urgent\n11|Urgent", 'new tickets get levels');
is($node->safe_psql('old', "SELECT * FROM sla.verify('helpdesk')"), '', 'the log is what its events give');
is($node->safe_psql('old', q{SELECT metric, outcome FROM sla.log WHERE source = 'helpdesk' AND ticket = '3' AND agreement = 'customer' AND closed_at IS NOT NULL ORDER BY metric}),
	"first_response|met\nresolution|missed", 'running clocks stopped');

objects_are_alike('old', 'in use');

$node->stop;
done_testing();
