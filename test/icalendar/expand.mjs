// What ical.js reads in iCalendar texts: node expand.mjs <CASES >RESULTS, both JSON.
//
// A case {ics, from, to} gives the days from `from` to before `to` (YYYY-MM-DD) that its events close, as
// [day, hours, name, uid]; one without days gives the stretches that its availability opens, as seconds of
// UTC since 1970.

import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const DAY = 86400;
// No case has as many; a rule that ical.js would walk for ever ends.
const MOST = 20000;

// Wall-clock seconds, as if of UTC.
function wall(time) {
	return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second) / 1000;
}

function clock(seconds) {
	const part = (n) => String(Math.floor(n)).padStart(2, "0");
	return `${part(seconds / 3600)}:${part(seconds / 60 % 60)}` + (seconds % 60 ? `:${part(seconds % 60)}` : "");
}

function merge(spans) {
	const merged = [];
	for (const [from, to] of spans.filter(([a, b]) => a < b).sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
		const last = merged[merged.length - 1];
		if (last && from <= last[1])
			last[1] = Math.max(last[1], to);
		else
			merged.push([from, to]);
	}
	return merged;
}

// When an event begins, as long as that is wanted.
function* starts(event, wanted) {
	const iterator = event.iterator();

	// ical.js leaves the first one out when only dates are added to it.
	if (event.component.hasProperty("rdate") && !event.component.hasProperty("rrule"))
		yield event.startDate;
	for (let n = 0, next; n < MOST && (next = iterator.next()) && wanted(next); n++)
		yield next;
}

// The same time without what ical.js remembers of the one that it was made from: the offset from UTC.
function fresh(time) {
	const { year, month, day, hour, minute, second, isDate, zone } = time;
	return new ICAL.Time({ year, month, day, hour, minute, second, isDate }, zone);
}

// The occurrences of an event: [start, end, component].
function* occurrences(master, overrides, limit) {
	// With its own exceptions: left alone it would take those of other events too.
	const event = new ICAL.Event(master, { exceptions: overrides });
	const cancelled = (component) => (component.getFirstPropertyValue("status") ?? "").toUpperCase() === "CANCELLED";
	const left = new Set(overrides);

	if (cancelled(master))
		return;
	for (const next of starts(event, (time) => wall(time) < limit)) {
		const occurrence = event.getOccurrenceDetails(next);
		left.delete(occurrence.item.component);
		if (!cancelled(occurrence.item.component))
			yield [occurrence.startDate, occurrence.endDate, occurrence.item.component];
	}
	// An exception to nothing is an event of its own.
	for (const override of left)
		if (!cancelled(override)) {
			const own = new ICAL.Event(override, { exceptions: [] });
			yield [own.startDate, own.endDate, override];
		}
}

function holidays({ ics, from, to }) {
	const first = Date.parse(from) / 1000, end = Date.parse(to) / 1000;
	const calendar = new ICAL.Component(ICAL.parse(ics));
	const events = new Map();
	const found = new Map();

	for (const component of calendar.getAllSubcomponents("vevent")) {
		const uid = component.getFirstPropertyValue("uid");
		if (!events.has(uid))
			events.set(uid, { masters: [], overrides: [] });
		events.get(uid)[component.hasProperty("recurrence-id") ? "overrides" : "masters"].push(component);
	}
	for (const [uid, { masters, overrides }] of events)
		for (const master of masters)
			for (const [start, stop, component] of occurrences(master, overrides, end + 400 * DAY)) {
				// Days end with a date, which may be missing or the first day.
				let a = wall(start), b = wall(stop);
				if (start.isDate && b <= a)
					b = a + DAY;
				for (let day = Math.floor(a / DAY) * DAY; day < b; day += DAY) {
					if (day < first || day >= end)
						continue;
					const key = `${day} ${uid}`;
					if (!found.has(key))
						found.set(key, { day, uid, spans: [], names: [] });
					found.get(key).spans.push([Math.max(a, day) - day, Math.min(b, day + DAY) - day]);
					found.get(key).names.push([a, component.getFirstPropertyValue("summary")]);
				}
			}
	return [...found.values()].map(({ day, uid, spans, names }) => {
		const closed = merge(spans).map(([a, b]) => `${clock(a)}-${clock(b)}`).join(",");
		if (closed === "")
			return null;
		return [new Date(day * 1000).toISOString().slice(0, 10), closed === "00:00-24:00" ? "off" : `off ${closed}`,
			names.sort((a, b) => a[0] - b[0])[0][1], uid];
	}).filter((row) => row !== null);
}

function hours({ ics }) {
	const calendar = new ICAL.Component(ICAL.parse(ics));
	const spans = [];

	for (const whole of calendar.getAllSubcomponents("vavailability")) {
		const from = whole.getFirstPropertyValue("dtstart").toUnixTime();
		const to = whole.getFirstPropertyValue("dtend").toUnixTime();
		for (const part of whole.getAllSubcomponents("available")) {
			const event = new ICAL.Event(part, { exceptions: [] });
			for (const next of starts(event, (time) => fresh(time).toUnixTime() < to)) {
				// The first one ends when it says; ical.js would count its length from one clock to the other.
				const end = next.compare(event.startDate) ? event.getOccurrenceDetails(next).endDate : event.endDate;
				spans.push([Math.max(from, fresh(next).toUnixTime()), Math.min(to, fresh(end).toUnixTime())]);
			}
		}
	}
	return merge(spans);
}

const results = JSON.parse(readFileSync(0, "utf8")).map((one) => {
	try {
		return one.from ? holidays(one) : hours(one);
	} catch (problem) {
		return `ical.js: ${problem.message}`;
	}
});
process.stdout.write(JSON.stringify(results));
