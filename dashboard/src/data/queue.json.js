// The open clocks that are not late yet, nearest deadline first.
import { print } from "../../database.js";

await print(`
	SELECT coalesce(json_agg(q), '[]')::text
	FROM (
		SELECT source, request, coalesce(department, '') AS department, agent, level, ticket, state,
			to_char(deadline, 'YYYY-MM-DD HH24:MI') AS deadline, round(extract(epoch FROM sla) / 3600, 1)::float AS left
		FROM sla.queue AS q
		WHERE q.deadline >= sla.now()
		LIMIT 500
	) AS q`);
