/*
 * What of schema sla the API offers: the reports, and the functions that answer a question about tickets.  What a role may read
 * besides is for SQL.  PostGraphile leaves out functions of several forms by itself.
 */
const { makePgSmartTagsPlugin } = require("graphile-utils");

const offered = {
	class: new Set(["log_report", "compliance_report", "queue", "breach_report"]),
	procedure: new Set(["now", "explain_clock", "compliance", "workload"]),
};

module.exports = makePgSmartTagsPlugin(
	Object.entries(offered).map(([kind, names]) => ({
		kind,
		match: ({ namespaceName, name }) => namespaceName === "sla" && !names.has(name),
		tags: { omit: true },
	})),
);
