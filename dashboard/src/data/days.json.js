// Met and missed by the day of the verdict.
import { print } from "../../database.js";

await print(`
	SELECT coalesce(json_agg(d ORDER BY d.day), '[]')::text
	FROM (
		SELECT day::text, source, request, coalesce(department, '') AS department, level, sum(met)::int AS met, sum(missed)::int AS missed
		FROM sla.compliance_report
		GROUP BY 1, 2, 3, 4, 5
	) AS d`);
