// As of when, whose clocks, and the share that is to be met.
import { print } from "../../database.js";

await print(`
	SELECT json_build_object(
		'as_of', to_char(sla.now(), 'YYYY-MM-DD HH24:MI'),
		'time_zone', current_setting('TimeZone'),
		'goal', coalesce(nullif('${(process.env.DASHBOARD_GOAL ?? "").replace(/[^0-9.]/g, "")}', ''), '90')::numeric,
		'running', count(*) FILTER (WHERE state = 'running'),
		'paused', count(*) FILTER (WHERE state = 'paused'),
		'overdue', count(*) FILTER (WHERE state = 'overdue'))::text
	FROM sla.log_report WHERE closed IS NULL`);
