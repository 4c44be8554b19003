// Verdicts by weekday (1 is Monday) and hour.
import { print } from "../../database.js";

await print(`
	SELECT coalesce(json_agg(h), '[]')::text
	FROM (
		SELECT source, metric AS request, coalesce(department, '') AS department, level,
			extract(isodow FROM decided_at)::int AS weekday, extract(hour FROM decided_at)::int AS hour,
			(count(*) FILTER (WHERE verdict = 'met'))::int AS met, (count(*) FILTER (WHERE verdict = 'missed'))::int AS missed
		FROM sla.verdict
		GROUP BY 1, 2, 3, 4, 5, 6
	) AS h`);
