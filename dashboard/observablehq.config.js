// One page, built into dist/. Nothing is loaded from the network, at build time or in the browser: no fonts,
// no search index, and every library from node_modules.
export default {
	root: "src",
	output: "dist",
	title: "Service levels",
	pages: [],
	sidebar: false,
	toc: false,
	pager: false,
	search: false,
	header: "",
	footer: "",
	globalStylesheets: [],
	head: '<link rel="icon" href="data:,">',
	style: "style.css",
};
