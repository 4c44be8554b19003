/*
 * rights.sql
 *		What whoever creates the extension may do with it.
 *
 * The extension is trusted: a role that may create objects in the database can
 * create it, and then the tables and functions belong to the superuser who set
 * the cluster up. The role gets what an owner of them would need for daily
 * work, and may pass it on. What sla.track and its kin write (sources, events,
 * the log) they write themselves; written by hand it could name others as the
 * owner of an expression, so there it can only read.
 *
 * Last in the install script: what is granted has to be there.
 */

GRANT SELECT ON ALL TABLES IN SCHEMA sla TO @extowner@ WITH GRANT OPTION;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA sla TO @extowner@ WITH GRANT OPTION;
GRANT INSERT, UPDATE, DELETE
	ON sla.calendar, sla.calendar_version, sla.holiday_set, sla.holiday, sla.metric, sla.level, sla.target, sla.rule
	TO @extowner@ WITH GRANT OPTION;
GRANT DELETE ON sla.problem TO @extowner@ WITH GRANT OPTION;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA sla TO @extowner@ WITH GRANT OPTION;
