# Transactions that are prepared, that fail half way, and a standby that cannot
# write: what a backend keeps of the tables below the clocks outlives all.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nfsync = off\nmax_prepared_transactions = 5");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_sla;
CREATE TABLE ticket (id int PRIMARY KEY, created_at timestamptz NOT NULL);
CREATE TABLE message (ticket_id int, author text, sent_at timestamptz);
SELECT sla.set_calendar('c', 'UTC', 'Mo-Fr 08:00-16:00');
INSERT INTO sla.level (name, calendar) VALUES ('l', 'c');
INSERT INTO sla.target (level, metric, goal) VALUES ('l', 'first_response', '4 hours'), ('l', 'next_response', '2 hours');
INSERT INTO sla.rule (name, source, position, condition, set_level) VALUES ('all', 's', 1, 'true', 'l');
SELECT sla.track('s', 'ticket', 'id', created_at => 'created_at');
SELECT sla.track_event('s', 'message', 'agent_reply', $$author = 'agent'$$, ticket_key => 'ticket_id', at => 'sent_at');
SELECT sla.track_event('s', 'message', 'customer_message', $$author = 'customer'$$, ticket_key => 'ticket_id', at => 'sent_at');
SQL

my $log = "SELECT string_agg(concat_ws(' ', ticket, metric, ordinal, coalesce(outcome, 'open')), ', ' ORDER BY ticket, metric, ordinal) FROM sla.log";
my $verify = "SELECT count(*) FROM sla.verify('s')";

# One session: what it has kept is used again after each of them.
my $said = $node->safe_psql('postgres', <<"SQL");
BEGIN;
INSERT INTO ticket VALUES (1, '2024-03-04 09:00'), (2, '2024-03-04 09:00');
INSERT INTO message VALUES (1, 'agent', '2024-03-04 10:00');
PREPARE TRANSACTION 'one';
BEGIN;
INSERT INTO ticket VALUES (3, '2024-03-04 09:00');
PREPARE TRANSACTION 'two';
INSERT INTO ticket VALUES (4, '2024-03-04 09:00');
$log;
COMMIT PREPARED 'one';
ROLLBACK PREPARED 'two';
INSERT INTO message VALUES (1, 'customer', '2024-03-04 11:00'), (2, 'agent', '2024-03-04 14:00'), (3, 'agent', '2024-03-04 14:00');
$log;
$verify;
SQL
is($said, "4 first_response 1 open\n1 first_response 1 met, 1 next_response 1 open, 2 first_response 1 missed, 4 first_response 1 open\n0",
	'prepared transactions, committed and rolled back');

# The ticket of a prepared transaction is waited for, and is there again after a restart.
$node->safe_psql('postgres', "BEGIN; INSERT INTO message VALUES (4, 'agent', '2024-03-04 10:00'); PREPARE TRANSACTION 'three'");
$node->restart;
my ($status, $out, $err) = $node->psql('postgres',
	"SET lock_timeout = '100ms'; INSERT INTO message VALUES (4, 'customer', '2024-03-04 11:00')");
like($err, qr/canceling statement due to lock timeout/, 'a ticket of a prepared transaction is waited for after a restart');
$node->safe_psql('postgres', "COMMIT PREPARED 'three'; INSERT INTO message VALUES (4, 'customer', '2024-03-04 11:00')");
is($node->safe_psql('postgres', "$log WHERE ticket = '4'"), '4 first_response 1 met, 4 next_response 1 open', 'and goes on after it');

# Every statement of a session that is cancelled or fails leaves it able to go on.
$said = $node->safe_psql('postgres', <<"SQL");
CREATE UNIQUE INDEX once ON sla.log (deadline) WHERE closed_at IS NULL AND metric = 'first_response';
INSERT INTO ticket VALUES (10, '2024-03-06 09:00');
DO \$\$
BEGIN
	FOR i IN 11..13 LOOP
		BEGIN
			BEGIN
				INSERT INTO ticket VALUES (i, '2024-03-06 10:00'), (100 + i, '2024-03-06 09:00');
			EXCEPTION WHEN unique_violation THEN
				INSERT INTO ticket VALUES (i, timestamptz '2024-03-06 11:00' + i * interval '1 minute');
				INSERT INTO ticket VALUES (200 + i, '2024-03-06 09:00');
			END;
		EXCEPTION WHEN unique_violation THEN
			INSERT INTO message VALUES (10, 'agent', timestamptz '2024-03-06 12:00' + i * interval '1 minute');
		END;
	END LOOP;
END \$\$;
DROP INDEX sla.once;
INSERT INTO ticket VALUES (14, '2024-03-06 09:00');
$log WHERE ticket IN ('10', '14');
SELECT count(*) FROM sla.ticket WHERE ticket::int > 10;
$verify;
SQL
is($said, "10 first_response 1 met, 14 first_response 1 open\n3\n0", 'errors within errors');

# A standby reads, and says that it cannot write.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is($standby->safe_psql('postgres', $verify), '0', 'a standby verifies');
is($standby->safe_psql('postgres', $log), $node->safe_psql('postgres', $log), 'and has the same log');
($status, $out, $err) = $standby->psql('postgres', "SELECT sla.record_event('s', '1', 'paused')");
like($err, qr/ERROR:  cannot execute .* (?:during recovery|in a read-only transaction)/, 'an event is refused there');

done_testing();
