// How much of the goal was used by clocks that ended with a verdict, in twentieths, up to twice: 0 up to a twentieth of
// it, 19 up to all of it, 20 is late.
import { print } from "../../database.js";

await print(`
	SELECT coalesce(json_agg(t ORDER BY t.used), '[]')::text
	FROM (
		SELECT source, request, coalesce(department, '') AS department, level, state,
			least(greatest(ceil(goal_used / 5)::int - 1, 0), 40) AS used, count(*)::int AS clocks
		FROM sla.log_report
		WHERE state IN ('met', 'missed') AND goal_used IS NOT NULL
		GROUP BY 1, 2, 3, 4, 5, 6
	) AS t`);
