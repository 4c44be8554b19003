// The pictures of the dashboard: each takes rows and a width and gives an element.
import * as Plot from "@observablehq/plot";
import * as d3 from "d3";

const metColor = "var(--met)";
const missedColor = "var(--missed)";
const weekdays = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

function element(name, className, ...children) {
	const node = document.createElement(name);
	if (className) node.className = className;
	node.append(...children);
	return node;
}

/* What a mark says: where the pointer is, and to a screen reader. */
const told = (words) => ({ title: words, ariaLabel: (d) => words(d).replaceAll("\n", ", ") });

function nothing() {
	return element("p", "about", "Nothing to show for this choice.");
}

const share = (rows) => {
	const met = d3.sum(rows, (d) => d.met);
	const missed = d3.sum(rows, (d) => d.missed);
	return { met, missed, verdicts: met + missed, compliance: met + missed ? (100 * met) / (met + missed) : null };
};

/* A labelled field to choose one of values. */
export function select(title, values) {
	const field = element("select", "", ...values.map((value) => element("option", "", value)));
	return { field, label: element("label", "", `${title} `, field) };
}

export function tile(title, figure, note, mood = "") {
	return element("div", `card tile ${mood}`, element("h2", "", title), element("span", "figure", figure), element("span", "hint", note));
}

/* Weeks while they fit, months beyond. */
export function overTime(days, goal, width) {
	const dated = days.map((d) => ({ ...d, date: new Date(d.day) }));
	const last = d3.max(dated, (d) => d.date);
	const weeks = last - d3.min(dated, (d) => d.date) < 1000 * 60 * 60 * 24 * 7 * 60;
	const interval = weeks ? d3.utcMonday : d3.utcMonth;
	const data = d3
		.rollups(dated, share, (d) => +interval.floor(d.date))
		.map(([start, figures]) => ({ start: new Date(start), end: interval.offset(new Date(start), 1), ...figures }))
		.filter((d) => d.verdicts > 0)
		.sort((a, b) => a.start - b.start);
	if (data.length === 0) return nothing();
	const most = d3.max(data, (d) => d.verdicts);
	return Plot.plot({
		width,
		height: 280,
		marginLeft: 45,
		marginRight: 60,
		ariaLabel: "Compliance over time",
		x: { type: "utc", label: null },
		y: { domain: [0, 100], label: "↑ Compliance, %", grid: true },
		marks: [
			Plot.rectY(data, { x1: "start", x2: "end", y: (d) => (30 * d.verdicts) / most, fill: "currentColor", fillOpacity: 0.12, inset: 0.5 }),
			Plot.ruleY([goal], { stroke: missedColor, strokeDasharray: "6 4" }),
			Plot.text([goal], { y: (d) => d, text: (d) => `goal ${d} %`, frameAnchor: "right", textAnchor: "start", dx: 4, fill: missedColor }),
			Plot.lineY(data, { x: (d) => new Date((+d.start + +d.end) / 2), y: "compliance", stroke: metColor, strokeWidth: 2, curve: "monotone-x" }),
			Plot.dot(data, {
				x: (d) => new Date((+d.start + +d.end) / 2), y: "compliance", fill: metColor, r: 3, tip: true,
				...told((d) => `${weeks ? "Week" : "Month"} of ${d3.utcFormat("%Y-%m-%d")(d.start)}\n${d.compliance.toFixed(1)} % met\n${d.met} met, ${d.missed} missed`),
			}),
			Plot.ruleY([0]),
		],
	});
}

export function bars(days, column, goal, width) {
	const data = d3
		.rollups(days, share, (d) => d[column] || "(none)")
		.map(([name, figures]) => ({ name, ...figures }))
		.filter((d) => d.verdicts > 0)
		.sort((a, b) => b.verdicts - a.verdicts)
		.slice(0, 12);
	if (data.length === 0) return nothing();
	const { title, ariaLabel } = told((d) => `${d.name}\n${d.compliance.toFixed(1)} % met\n${d.met} met, ${d.missed} missed`);
	return Plot.plot({
		width,
		height: 40 + 26 * data.length,
		marginLeft: Math.min(150, width / 3),
		marginRight: 70,
		ariaLabel: `Compliance by ${column}`,
		x: { domain: [0, 100], label: "Compliance, % →", grid: true },
		y: { domain: data.map((d) => d.name), label: null },
		marks: [
			Plot.barX(data, { x: "compliance", y: "name", fill: (d) => (d.compliance >= goal ? metColor : missedColor), insetTop: 2, insetBottom: 2, ariaLabel }),
			Plot.text(data, { x: 100, y: "name", text: (d) => `${d.compliance.toFixed(1)} %`, textAnchor: "start", dx: 6 }),
			Plot.tip(data, Plot.pointerY({ x: "compliance", y: "name", title })),
			Plot.ruleX([goal], { stroke: "currentColor", strokeDasharray: "6 4" }),
			Plot.ruleX([0]),
		],
	});
}

export function distribution(times, width) {
	const data = d3
		.rollups(times, (rows) => d3.sum(rows, (d) => d.clocks), (d) => d.used, (d) => d.state)
		.flatMap(([used, states]) => states.map(([state, clocks]) => ({ from: used * 5, to: used * 5 + 5, state, clocks })));
	if (data.length === 0) return nothing();
	return Plot.plot({
		width,
		height: 280,
		marginLeft: 55,
		ariaLabel: "Share of the goal used",
		x: { label: "Share of the goal used, % (the last bar: more than twice) →", domain: [0, 205] },
		y: { label: "↑ Requests", grid: true },
		color: { domain: ["met", "missed"], range: [metColor, missedColor], legend: true },
		marks: [
			Plot.rectY(data, {
				x1: "from", x2: "to", y: "clocks", fill: "state", inset: 0.5, tip: true,
				...told((d) => `${d.from >= 200 ? "more than 200" : `${d.from} to ${d.to}`} % of the goal\n${d.clocks} ${d.state}`),
			}),
			Plot.ruleX([100], { stroke: "currentColor", strokeWidth: 1.5 }),
			Plot.text(["deadline"], { x: 100, frameAnchor: "top", text: (d) => d, textAnchor: "start", dx: 4, dy: -2 }),
			Plot.ruleY([0]),
		],
	});
}

export function calendar(hours, width) {
	const data = d3
		.rollups(hours, share, (d) => d.weekday, (d) => d.hour)
		.flatMap(([weekday, byHour]) => byHour.map(([hour, figures]) => ({ weekday: weekdays[weekday - 1], hour, ...figures })));
	if (data.length === 0) return nothing();
	const { title, ariaLabel } = told((d) => `${d.weekday} ${d.hour}:00\n${(100 - d.compliance).toFixed(1)} % missed\n${d.missed} of ${d.verdicts}`);
	return Plot.plot({
		width,
		height: 300,
		marginLeft: 35,
		padding: 0.05,
		ariaLabel: "Share missed by weekday and hour",
		x: { domain: d3.range(24), label: "Hour →", tickFormat: (h) => (h % 3 ? "" : String(h)) },
		y: { domain: weekdays, label: null },
		marks: [
			Plot.cell(data, { x: "hour", y: "weekday", fill: missedColor, fillOpacity: (d) => 0.06 + (0.94 * d.missed) / d.verdicts, ariaLabel }),
			Plot.tip(data, Plot.pointer({ x: "hour", y: "weekday", title })),
		],
	});
}

/* A table of rows; a column with nothing in it is left out. */
export function list(rows, columns) {
	if (rows.length === 0) return nothing();
	const filled = columns.filter(([, value]) => rows.some((row) => value(row) !== ""));
	const table = element("table", "list",
		element("thead", "", element("tr", "", ...filled.map(([title, , kind]) => element("th", kind === undefined ? "" : "number", title)))),
		element("tbody", "", ...rows.map((row) => element("tr", "", ...filled.map(([, value, kind]) => element("td", kind ?? "", value(row)))))));
	return element("div", "scroll", table);
}
