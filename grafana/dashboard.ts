// Makes pg_sla.json, the Grafana dashboard over the reports of pg_sla: npm run build. The types are those of Grafana's own SDK.
import type { Builder, Dataquery } from "@grafana/grafana-foundation-sdk/cog";
import { PanelBuilder as BarChart } from "@grafana/grafana-foundation-sdk/barchart";
import { PanelBuilder as BarGauge } from "@grafana/grafana-foundation-sdk/bargauge";
import { BarGaugeDisplayMode, ReduceDataOptionsBuilder, StackingMode, VizOrientation } from "@grafana/grafana-foundation-sdk/common";
import { DashboardBuilder, DatasourceVariableBuilder, QueryVariableBuilder, RowBuilder, ThresholdsConfigBuilder, ThresholdsMode, VariableRefresh, VariableSort }
	from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as Stat } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as Table } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeSeries } from "@grafana/grafana-foundation-sdk/timeseries";

const database = { type: "grafana-postgresql-datasource", uid: "${database}" };

/** A question of the PostgreSQL data source: the SDK has a type for none of the SQL ones. */
interface SqlQuery {
	refId: string;
	datasource: { type: string; uid: string };
	format: "table" | "time_series";
	rawQuery: true;
	editorMode: "code";
	rawSql: string;
	_implementsDataqueryVariant(): void;
}

class Sql implements Builder<Dataquery> {
	constructor(private readonly text: string, private readonly format: SqlQuery["format"] = "table") {}
	build(): SqlQuery {
		return {
			refId: "A", datasource: database, format: this.format, rawQuery: true, editorMode: "code",
			rawSql: this.text.replace(/^\n|\n\t*$/g, "").replace(/^\t+/gm, (tabs) => "  ".repeat(Math.max(tabs.length - 2, 0))),
			_implementsDataqueryVariant() {},
		};
	}
}

// What the fields at the top of the dashboard choose. Days are those of the calendars.
const chosen = "source IN ($source) AND request IN ($request) AND coalesce(department, '') IN ($department)";
const days = `${chosen} AND day BETWEEN $__timeFrom()::timestamptz::date AND $__timeTo()::timestamptz::date`;

const goal = () => new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute)
	.steps([{ value: null, color: "orange" }, { value: 90, color: "blue" }]);
const oneColor = (color: string) => new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([{ value: null, color }]);
const everyRow = () => new ReduceDataOptionsBuilder().values(true).calcs([]).fields("");

const variable = (name: string, label: string, sql: string) => new QueryVariableBuilder(name).label(label).datasource(database).query(sql).definition(sql)
	.multi(true).includeAll(true).current({ text: "All", value: "$__all" }).refresh(VariableRefresh.OnTimeRangeChanged).sort(VariableSort.AlphabeticalAsc);

const tile = (title: string, description: string, sql: string) => new Stat().title(title).description(description).datasource(database)
	.withTarget(new Sql(sql)).reduceOptions(everyRow()).height(4).span(6);

const share = (title: string, column: string) => new BarGauge().title(title).description("Share met of all verdicts of the chosen time").datasource(database)
	.withTarget(new Sql(`
		SELECT coalesce(${column}, '(none)') AS name, round(100.0 * sum(met) / nullif(sum(met + missed), 0), 1) AS compliance
		FROM sla.compliance_report
		WHERE ${days}
		GROUP BY 1
		ORDER BY sum(met + missed) DESC
		LIMIT 12
	`))
	.reduceOptions(everyRow()).orientation(VizOrientation.Horizontal).displayMode(BarGaugeDisplayMode.Basic)
	.unit("percent").min(0).max(100).thresholds(goal()).height(9).span(12);

const dashboard = new DashboardBuilder("Service levels")
	.uid("pg-sla").tags(["pg_sla"])
	.description("Compliance, breaches and the queue, from the views of pg_sla")
	.time({ from: "now-90d", to: "now" }).timezone("browser").refresh("5m").editable()
	.withVariable(new DatasourceVariableBuilder("database").label("Database").type("grafana-postgresql-datasource"))
	.withVariable(variable("source", "Source", "SELECT DISTINCT source FROM sla.compliance_report"))
	.withVariable(variable("request", "Request", "SELECT DISTINCT request FROM sla.compliance_report"))
	.withVariable(variable("department", "Department", "SELECT DISTINCT coalesce(department, '') FROM sla.compliance_report"))

	.withRow(new RowBuilder("Compliance"))
	.withPanel(tile("Compliance", "Share met of all verdicts of the chosen time", `
		SELECT round(100.0 * sum(met) / nullif(sum(met + missed), 0), 1) AS compliance
		FROM sla.compliance_report
		WHERE ${days}
	`).unit("percent").thresholds(goal()))
	.withPanel(tile("Met", "Answered in time", `
		SELECT coalesce(sum(met), 0) AS met
		FROM sla.compliance_report
		WHERE ${days}
	`).thresholds(oneColor("blue")))
	.withPanel(tile("Missed", "Deadline passed, answered or not", `
		SELECT coalesce(sum(missed), 0) AS missed
		FROM sla.compliance_report
		WHERE ${days}
	`).thresholds(oneColor("orange")))
	.withPanel(tile("Overdue now", "Open clocks whose deadline has passed", `
		SELECT count(*) AS overdue
		FROM sla.queue
		WHERE state = 'overdue' AND ${chosen}
	`).thresholds(oneColor("orange")))
	.withPanel(new TimeSeries().title("Compliance over time").description("Share met of the verdicts of each day").datasource(database)
		.withTarget(new Sql(`
		SELECT day::timestamp AS time, round(100.0 * sum(met) / nullif(sum(met + missed), 0), 1) AS compliance
		FROM sla.compliance_report
		WHERE ${days}
		GROUP BY day
		ORDER BY day
		`, "time_series"))
		.unit("percent").min(0).max(100).thresholds(goal()).height(8).span(24))
	.withPanel(share("By department", "department"))
	.withPanel(share("By level", "level"))

	.withRow(new RowBuilder("Times"))
	.withPanel(new BarChart().title("How much of the promised time was used").description("Answered requests by the share of the goal they took; beyond 100 % they were late")
		.datasource(database)
		.withTarget(new Sql(`
		SELECT CASE t WHEN 20 THEN 'over 200 %' ELSE format('%s %%', 10 * (t + 1)) END AS used,
			count(*) FILTER (WHERE state = 'met') AS met, count(*) FILTER (WHERE state = 'missed') AS missed
		FROM (
			SELECT state, least(greatest(ceil(goal_used / 10) - 1, 0), 20) AS t
			FROM sla.log_report
			WHERE state IN ('met', 'missed') AND $__timeFilter(closed) AND ${chosen}
		) AS c
		WHERE t IS NOT NULL
		GROUP BY t
		ORDER BY t
		`))
		.xField("used").stacking(StackingMode.Normal).height(9).span(12))
	.withPanel(new BarChart().title("When deadlines are missed").description("Verdicts by the hour at which they fell").datasource(database)
		.withTarget(new Sql(`
		SELECT to_char(decided_at, 'HH24') AS hour, count(*) FILTER (WHERE verdict = 'met') AS met,
			count(*) FILTER (WHERE verdict = 'missed') AS missed
		FROM (SELECT *, metric AS request FROM sla.verdict) AS v
		WHERE $__timeFilter(decided_at) AND ${chosen}
		GROUP BY 1
		ORDER BY 1
		`))
		.xField("hour").stacking(StackingMode.Normal).height(9).span(12))

	.withRow(new RowBuilder("Work"))
	.withPanel(new Table().title("Next deadlines").description("Open clocks that are still in time").datasource(database)
		.withTarget(new Sql(`
		SELECT ticket, request, department, agent, level, deadline, round(extract(epoch FROM sla) / 3600, 1) AS "hours left"
		FROM sla.queue
		WHERE deadline >= sla.now() AND ${chosen}
		LIMIT 50
		`)).height(10).span(12))
	.withPanel(new Table().title("Latest breaches").description("Deadlines that passed in the chosen time").datasource(database)
		.withTarget(new Sql(`
		SELECT ticket, request, department, agent, level, breached, closed, round(extract(epoch FROM late_by) / 3600, 1) AS "hours late", excuse
		FROM sla.breach_report
		WHERE $__timeFilter(breached) AND ${chosen}
		ORDER BY breached DESC
		LIMIT 50
		`)).height(10).span(12));

console.log(JSON.stringify(dashboard.build(), null, 2));
