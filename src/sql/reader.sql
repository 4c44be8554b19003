/*
 * reader.sql
 *		Who may read the reports.
 */

-- An excuse is seen by whoever sees its clock.
ALTER TABLE sla.excuse ENABLE ROW LEVEL SECURITY;
CREATE POLICY of_clock ON sla.excuse FOR SELECT USING (
	NOT pg_catalog.row_security_active('sla.log')
	OR EXISTS (
		SELECT FROM sla.log AS l
		WHERE l.source OPERATOR(pg_catalog.=) excuse.source AND l.ticket OPERATOR(pg_catalog.=) excuse.ticket
			AND l.agreement OPERATOR(pg_catalog.=) excuse.agreement AND l.metric OPERATOR(pg_catalog.=) excuse.metric
			AND sla.was_open(excuse.missed_at, l.source, l.ticket, l.agreement, l.metric, l.ordinal, l.started_at, l.counted, l.running_since, l.closed_at)));
COMMENT ON POLICY of_clock ON sla.excuse IS 'for those who see the clock';

CREATE FUNCTION sla.reader_privileges(OUT what text, OUT privilege text) RETURNS SETOF record
	LANGUAGE sql IMMUTABLE
	SET search_path = pg_catalog, pg_temp
AS $function$
	SELECT 'TABLE sla.' || name, 'SELECT'
	FROM unnest('{log,excuse,summary,summary_state,summary_mark,calendar,log_report,clock_stop,verdict,queue,breach_report,compliance_report}'::text[]) AS name
	UNION ALL
	SELECT 'FUNCTION sla.' || name, 'EXECUTE' FROM unnest('{was_open,excuses}'::text[]) AS name
$function$;
COMMENT ON FUNCTION sla.reader_privileges() IS 'what sla.grant_reader() grants';

CREATE FUNCTION sla.grant_reader(role name) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	item record;
BEGIN
	EXECUTE format('GRANT USAGE ON SCHEMA sla TO %I', role);
	FOR item IN SELECT * FROM sla.reader_privileges() LOOP
		EXECUTE format('GRANT %s ON %s TO %I', item.privilege, item.what, role);
	END LOOP;
END
$function$;
COMMENT ON FUNCTION sla.grant_reader(name) IS
	'let a role read all reports, as far as row-level security on sla.log does not hide rows from it';
REVOKE ALL ON FUNCTION sla.grant_reader(name) FROM PUBLIC;

CREATE FUNCTION sla.revoke_reader(role name) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT
	SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE
	item record;
BEGIN
	EXECUTE format('REVOKE USAGE ON SCHEMA sla FROM %I', role);
	FOR item IN SELECT * FROM sla.reader_privileges() LOOP
		EXECUTE format('REVOKE %s ON %s FROM %I', item.privilege, item.what, role);
	END LOOP;
END
$function$;
COMMENT ON FUNCTION sla.revoke_reader(name) IS 'take back what sla.grant_reader() granted';
REVOKE ALL ON FUNCTION sla.revoke_reader(name) FROM PUBLIC;
