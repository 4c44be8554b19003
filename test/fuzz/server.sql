-- What a target can use: see server.c.
CREATE SCHEMA fuzz;
CREATE FUNCTION fuzz.run(target regproc, options text[]) RETURNS void
	LANGUAGE C STRICT AS 'sla_fuzz', 'fuzz_run';
CREATE FUNCTION fuzz.receive(sample anyelement, message bytea) RETURNS anyelement
	LANGUAGE C AS 'sla_fuzz', 'fuzz_receive';
