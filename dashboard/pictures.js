// Takes the pictures of the README: node dashboard/pictures.js FOLDER, after make dashboard.
import { createServer } from "node:http";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const dist = path.join(path.dirname(fileURLToPath(import.meta.url)), "dist");
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
const server = createServer((request, response) => {
	const file = path.join(dist, request.url.split("?")[0].replace(/\/$/, "/index.html"));
	response.writeHead(existsSync(file) ? 200 : 404, { "content-type": types[path.extname(file)] ?? "application/octet-stream" });
	response.end(existsSync(file) ? readFileSync(file) : undefined);
}).listen(0, "127.0.0.1");
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking"] });
for (const [name, width, height, colorScheme] of [["dashboard-light", 1280, 1500, "light"], ["dashboard-dark", 1280, 1500, "dark"]]) {
	const page = await browser.newPage({ viewport: { width, height }, colorScheme });
	await page.goto(`http://127.0.0.1:${server.address().port}/`);
	await page.waitForSelector("#heat-map [aria-label='cell'] *");
	await page.screenshot({ path: path.join(process.argv[2], `${name}.png`) });
}
await browser.close();
server.close();
