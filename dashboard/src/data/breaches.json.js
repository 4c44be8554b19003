// The latest breaches.
import { print } from "../../database.js";

await print(`
	SELECT coalesce(json_agg(b), '[]')::text
	FROM (
		SELECT source, request, coalesce(department, '') AS department, agent, level, ticket,
			to_char(breached, 'YYYY-MM-DD HH24:MI') AS deadline, to_char(closed, 'YYYY-MM-DD HH24:MI') AS closed,
			round(extract(epoch FROM late_by) / 3600, 1)::float AS late, excuse
		FROM sla.breach_report
		ORDER BY breached DESC, source, ticket
		LIMIT 500
	) AS b`);
