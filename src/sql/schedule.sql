/*
 * schedule.sql
 *		The type sla.schedule: a time zone, opening hours, holidays.
 */

CREATE TYPE sla.schedule;

CREATE FUNCTION sla.schedule_in(cstring) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_in';
COMMENT ON FUNCTION sla.schedule_in(cstring) IS 'I/O';

CREATE FUNCTION sla.schedule_out(sla.schedule) RETURNS cstring
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_out';
COMMENT ON FUNCTION sla.schedule_out(sla.schedule) IS 'I/O';

CREATE FUNCTION sla.schedule_recv(internal) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_recv';
COMMENT ON FUNCTION sla.schedule_recv(internal) IS 'I/O';

CREATE FUNCTION sla.schedule_send(sla.schedule) RETURNS bytea
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_send';
COMMENT ON FUNCTION sla.schedule_send(sla.schedule) IS 'I/O';

CREATE TYPE sla.schedule (
	INPUT = sla.schedule_in,
	OUTPUT = sla.schedule_out,
	RECEIVE = sla.schedule_recv,
	SEND = sla.schedule_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE sla.schedule IS
	'when it is open: a time zone and opening hours, as in Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17';

CREATE FUNCTION sla.schedule(time_zone text, hours text, holidays date[] DEFAULT '{}') RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'sla_schedule_make';
COMMENT ON FUNCTION sla.schedule(text, text, date[]) IS
	'schedule of a time zone, opening hours and holidays';

-- Put together.

CREATE FUNCTION sla.schedule_union(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_union';
COMMENT ON FUNCTION sla.schedule_union(sla.schedule, sla.schedule) IS 'implementation of + operator';

CREATE FUNCTION sla.schedule_intersection(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_intersection';
COMMENT ON FUNCTION sla.schedule_intersection(sla.schedule, sla.schedule) IS 'implementation of * operator';

CREATE FUNCTION sla.schedule_difference(sla.schedule, sla.schedule) RETURNS sla.schedule
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'sla_schedule_difference';
COMMENT ON FUNCTION sla.schedule_difference(sla.schedule, sla.schedule) IS 'implementation of - operator';

CREATE OPERATOR sla.+ (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_union);
COMMENT ON OPERATOR sla.+ (sla.schedule, sla.schedule) IS 'open in either schedule';
CREATE OPERATOR sla.* (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_intersection);
COMMENT ON OPERATOR sla.* (sla.schedule, sla.schedule) IS 'open in both schedules';
CREATE OPERATOR sla.- (LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_difference);
COMMENT ON OPERATOR sla.- (sla.schedule, sla.schedule) IS 'open in the first schedule and not in the second';

-- Compared by text, so that schedules can be sorted, grouped and joined.

CREATE FUNCTION sla.schedule_eq(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_eq';
COMMENT ON FUNCTION sla.schedule_eq(sla.schedule, sla.schedule) IS 'implementation of = operator';

CREATE FUNCTION sla.schedule_ne(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_ne';
COMMENT ON FUNCTION sla.schedule_ne(sla.schedule, sla.schedule) IS 'implementation of <> operator';

CREATE FUNCTION sla.schedule_lt(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_lt';
COMMENT ON FUNCTION sla.schedule_lt(sla.schedule, sla.schedule) IS 'implementation of < operator';

CREATE FUNCTION sla.schedule_le(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_le';
COMMENT ON FUNCTION sla.schedule_le(sla.schedule, sla.schedule) IS 'implementation of <= operator';

CREATE FUNCTION sla.schedule_gt(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_gt';
COMMENT ON FUNCTION sla.schedule_gt(sla.schedule, sla.schedule) IS 'implementation of > operator';

CREATE FUNCTION sla.schedule_ge(sla.schedule, sla.schedule) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_ge';
COMMENT ON FUNCTION sla.schedule_ge(sla.schedule, sla.schedule) IS 'implementation of >= operator';

CREATE FUNCTION sla.schedule_cmp(sla.schedule, sla.schedule) RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_cmp';
COMMENT ON FUNCTION sla.schedule_cmp(sla.schedule, sla.schedule) IS 'less-equal-greater, by text';

CREATE FUNCTION sla.schedule_hash(sla.schedule) RETURNS integer
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_hash';
COMMENT ON FUNCTION sla.schedule_hash(sla.schedule) IS 'hash';

CREATE FUNCTION sla.schedule_hash_extended(sla.schedule, bigint) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'sla_schedule_hash_extended';
COMMENT ON FUNCTION sla.schedule_hash_extended(sla.schedule, bigint) IS 'hash';

CREATE OPERATOR sla.= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_eq,
	COMMUTATOR = OPERATOR(sla.=), NEGATOR = OPERATOR(sla.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR sla.= (sla.schedule, sla.schedule) IS 'same text form';
CREATE OPERATOR sla.<> (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_ne,
	COMMUTATOR = OPERATOR(sla.<>), NEGATOR = OPERATOR(sla.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR sla.<> (sla.schedule, sla.schedule) IS 'another text form';
CREATE OPERATOR sla.< (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_lt,
	COMMUTATOR = OPERATOR(sla.>), NEGATOR = OPERATOR(sla.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR sla.< (sla.schedule, sla.schedule) IS 'text form sorts before';
CREATE OPERATOR sla.<= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_le,
	COMMUTATOR = OPERATOR(sla.>=), NEGATOR = OPERATOR(sla.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR sla.<= (sla.schedule, sla.schedule) IS 'text form sorts before or is the same';
CREATE OPERATOR sla.> (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_gt,
	COMMUTATOR = OPERATOR(sla.<), NEGATOR = OPERATOR(sla.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR sla.> (sla.schedule, sla.schedule) IS 'text form sorts after';
CREATE OPERATOR sla.>= (
	LEFTARG = sla.schedule, RIGHTARG = sla.schedule, FUNCTION = sla.schedule_ge,
	COMMUTATOR = OPERATOR(sla.<=), NEGATOR = OPERATOR(sla.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR sla.>= (sla.schedule, sla.schedule) IS 'text form sorts after or is the same';

CREATE OPERATOR FAMILY sla.schedule_ops USING btree;
COMMENT ON OPERATOR FAMILY sla.schedule_ops USING btree IS 'schedules by text form';
CREATE OPERATOR CLASS sla.schedule_ops DEFAULT FOR TYPE sla.schedule USING btree FAMILY sla.schedule_ops AS
	OPERATOR 1 sla.<,
	OPERATOR 2 sla.<=,
	OPERATOR 3 sla.=,
	OPERATOR 4 sla.>=,
	OPERATOR 5 sla.>,
	FUNCTION 1 sla.schedule_cmp(sla.schedule, sla.schedule);
COMMENT ON OPERATOR CLASS sla.schedule_ops USING btree IS 'schedules by text form';

CREATE OPERATOR FAMILY sla.schedule_ops USING hash;
COMMENT ON OPERATOR FAMILY sla.schedule_ops USING hash IS 'schedules by text form';
CREATE OPERATOR CLASS sla.schedule_ops DEFAULT FOR TYPE sla.schedule USING hash FAMILY sla.schedule_ops AS
	OPERATOR 1 sla.=,
	FUNCTION 1 sla.schedule_hash(sla.schedule),
	FUNCTION 2 sla.schedule_hash_extended(sla.schedule, bigint);
COMMENT ON OPERATOR CLASS sla.schedule_ops USING hash IS 'schedules by text form';
