/*
 * How PostGraphile shows the reports of pg_sla: read only, the objects of schema sla that the role it connects as may read,
 * under the names that postgraphile.tags.json5 gives them.
 *
 * DATABASE_URL (or the variables of libpq) says where the database is, API_HOST and API_PORT where to listen.
 */
module.exports = {
	options: {
		...(process.env.DATABASE_URL ? { connection: process.env.DATABASE_URL } : {}),
		schema: ["sla"],
		host: process.env.API_HOST || "127.0.0.1",
		port: Number(process.env.API_PORT || 5433),
		appendPlugins: ["@graphile-contrib/pg-simplify-inflector", "postgraphile-plugin-connection-filter", `${__dirname}/reports.js`],
		// The views belong to an extension.
		includeExtensionResources: true,
		// Nothing but what the role has been granted: sla.grant_reader() decides who reads what.
		ignoreRbac: false,
		disableDefaultMutations: true,
		dynamicJson: true,
		setofFunctionsContainNulls: false,
		legacyRelations: "omit",
		graphiql: true,
		enhanceGraphiql: true,
		disableQueryLog: true,
	},
};
