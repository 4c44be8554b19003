/*
 * ical_export.c
 *		Opening hours as an iCalendar text (RFC 5545, RFC 7953).
 *
 * A VAVAILABILITY spans the days asked for, and its AVAILABLE parts are when it
 * is open: one for each time of day, repeated by the weekdays on which it is
 * usual, with the exceptions.  What the wall clock cannot say (an end in the
 * hour that comes twice, a stretch over a change of the clock) stands alone.
 */
#include "icalendar.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "business_time.h"
#include "core/expand.h"
#include "schedule.h"

#define MAX_DAYS		36525	/* what can be read again, a hundred years */
#define LINE_LENGTH		75		/* in bytes, without the line end */
#define DATES_IN_LINE	100

/* A stretch in wall-clock seconds. */
typedef struct wall_span
{
	int64		day;
	int32		second;
	int64		length;
} wall_span;

typedef struct writer
{
	StringInfoData text;
	StringInfoData line;
	sla_zone	zone;
	const char *zone_name;
	bool		is_utc;			/* times are written as those of UTC */
	uint64		identity;		/* of the calendar or schedule */
	int			nparts;
	char		stamp[32];
} writer;

/* End a content line: fold it between characters. */
static void
end_line(writer *out)
{
	const char *p = out->line.data;
	int			left = out->line.len;
	int			room = LINE_LENGTH;

	while (left > room)
	{
		int			length = pg_mbcliplen(p, left, room);

		appendBinaryStringInfo(&out->text, p, length);
		appendStringInfoString(&out->text, "\r\n ");
		p += length;
		left -= length;
		room = LINE_LENGTH - 1;
	}
	appendBinaryStringInfo(&out->text, p, left);
	appendStringInfoString(&out->text, "\r\n");
	resetStringInfo(&out->line);
}

static void
put_line(writer *out, const char *line)
{
	appendStringInfoString(&out->line, line);
	end_line(out);
}

/* A property of text, escaped. */
static void
put_text(writer *out, const char *name, const char *value, size_t length)
{
	appendStringInfo(&out->line, "%s:", name);
	for (size_t i = 0; i < length; i++)
	{
		unsigned char c = (unsigned char) value[i];

		if (c == '\\' || c == ';' || c == ',')
			appendStringInfoChar(&out->line, '\\');
		if (c == '\n')
			appendStringInfoString(&out->line, "\\n");
		else if (c >= 0x20 && c != 0x7F)
			appendStringInfoChar(&out->line, (char) c);
	}
	end_line(out);
}

static void
append_wall(StringInfo out, ical_second second)
{
	int64		day = sla_floor_div(second, SECS_PER_DAY);
	int			of_day = (int) sla_floor_mod(second, SECS_PER_DAY);
	int			year;
	int			month;
	int			month_day;

	j2date((int) day + POSTGRES_EPOCH_JDATE, &year, &month, &month_day);
	appendStringInfo(out, "%04d%02d%02dT%02d%02d%02d", year, month, month_day,
					 of_day / SECS_PER_HOUR, of_day / SECS_PER_MINUTE % MINS_PER_HOUR,
					 of_day % SECS_PER_MINUTE);
}

/* Does the wall clock say which instant it is? */
static bool
is_plain(const writer *out, ical_second utc)
{
	return ical_to_utc(&out->zone, ical_to_local(&out->zone, utc)) == utc;
}

/* A time of the zone, or of UTC where only that is clear. */
static void
put_time(writer *out, const char *name, ical_second utc)
{
	if (out->is_utc || !is_plain(out, utc))
	{
		appendStringInfo(&out->line, "%s:", name);
		append_wall(&out->line, utc);
		appendStringInfoChar(&out->line, 'Z');
	}
	else
	{
		appendStringInfo(&out->line, "%s;TZID=%s:", name, out->zone_name);
		append_wall(&out->line, ical_to_local(&out->zone, utc));
	}
	end_line(out);
}

static void
put_identity(writer *out)
{
	appendStringInfo(&out->line, "UID:" "%016" INT64_MODIFIER "x", out->identity);
	if (out->nparts > 0)
		appendStringInfo(&out->line, "-%d", out->nparts);
	out->nparts++;
	appendStringInfoString(&out->line, "@pg_sla");
	end_line(out);
	appendStringInfo(&out->line, "DTSTAMP:%s", out->stamp);
	end_line(out);
}

static void
put_offset(writer *out, const char *name, int32 offset)
{
	int32		size = abs(offset);

	appendStringInfo(&out->line, "%s:%c%02d%02d", name, offset < 0 ? '-' : '+',
					 size / SECS_PER_HOUR, size / SECS_PER_MINUTE % MINS_PER_HOUR);
	if (size % SECS_PER_MINUTE != 0)
		appendStringInfo(&out->line, "%02d", size % SECS_PER_MINUTE);
	end_line(out);
}

/* The zone's offsets in [from, to), for readers that do not know it. */
static void
put_timezone(writer *out, ical_second from, ical_second to)
{
	ical_second at = from - SECS_PER_DAY;
	int64_t		until;
	int32		offset = out->zone.offset_at(out->zone.data, at, &until);
	int32		before = offset;

	put_line(out, "BEGIN:VTIMEZONE");
	appendStringInfo(&out->line, "TZID:%s", out->zone_name);
	end_line(out);
	for (;;)
	{
		const char *kind = offset > before ? "DAYLIGHT" : "STANDARD";

		CHECK_FOR_INTERRUPTS();
		appendStringInfo(&out->line, "BEGIN:%s", kind);
		end_line(out);
		appendStringInfoString(&out->line, "DTSTART:");
		append_wall(&out->line, at + before);
		end_line(out);
		put_offset(out, "TZOFFSETFROM", before);
		put_offset(out, "TZOFFSETTO", offset);
		appendStringInfo(&out->line, "END:%s", kind);
		end_line(out);

		/* Some changes are of a name only. */
		before = offset;
		while (until < to && offset == before)
		{
			at = until;
			offset = out->zone.offset_at(out->zone.data, at, &until);
		}
		if (offset == before)
			break;
	}
	put_line(out, "END:VTIMEZONE");
}

static int
compare_spans(const void *a, const void *b)
{
	const wall_span *x = a;
	const wall_span *y = b;

	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->day < y->day ? -1 : x->day > y->day;
}

/* A list of dates, all at the same time of day. */
static void
put_dates(writer *out, const char *name, const int64 *days, int n, int32 second)
{
	for (int i = 0; i < n; i++)
	{
		if (i % DATES_IN_LINE == 0)
		{
			if (out->is_utc)
				appendStringInfo(&out->line, "%s:", name);
			else
				appendStringInfo(&out->line, "%s;TZID=%s:", name, out->zone_name);
		}
		else
			appendStringInfoChar(&out->line, ',');
		append_wall(&out->line, days[i] * SECS_PER_DAY + second);
		if (out->is_utc)
			appendStringInfoChar(&out->line, 'Z');
		if (i % DATES_IN_LINE == DATES_IN_LINE - 1 || i == n - 1)
			end_line(out);
	}
}

/* Spans of one time of day and length, by day: as one AVAILABLE. */
static void
put_series(writer *out, const wall_span *spans, int n)
{
	static const char *const weekdays[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
	int			counts[7] = {0};
	int			usual = 0;		/* bits of weekdays in the rule */
	int64		weeks = (spans[n - 1].day - spans[0].day) / 7 + 1;
	int64		first = spans[0].day;
	int64		last = spans[0].day;
	int			inside = 0;
	int32		second = spans[0].second;
	ical_second utc;
	int64	   *others = palloc(sizeof(int64) * n);
	int			nothers = 0;

	/* Usual is a weekday on which it is so in every other week at least. */
	for (int i = 0; i < n; i++)
		counts[sla_floor_mod(spans[i].day + 5, 7)]++;
	for (int i = 0; i < 7; i++)
	{
		if (counts[i] > 1 && counts[i] * 2 >= weeks)
			usual |= 1 << i;
	}
	for (int i = 0; i < n; i++)
	{
		if ((usual & (1 << sla_floor_mod(spans[i].day + 5, 7))) != 0)
		{
			if (inside++ == 0)
				first = spans[i].day;
			last = spans[i].day;
		}
		else if (i > 0 || usual != 0)
			others[nothers++] = spans[i].day;
	}

	put_line(out, "BEGIN:AVAILABLE");
	put_identity(out);
	utc = ical_to_utc(&out->zone, first * SECS_PER_DAY + second);
	put_time(out, "DTSTART", utc);
	put_time(out, "DTEND", utc + spans[0].length);
	if (usual != 0)
	{
		int64	   *missing = palloc(sizeof(int64) * (last - first + 1));
		int			nmissing = 0;
		int			next = 0;
		const char *separator = "";

		appendStringInfoString(&out->line, "RRULE:FREQ=WEEKLY;UNTIL=");
		append_wall(&out->line, ical_to_utc(&out->zone, last * SECS_PER_DAY + second));
		appendStringInfoString(&out->line, "Z;BYDAY=");
		for (int i = 0; i < 7; i++)
		{
			if ((usual & (1 << i)) != 0)
			{
				appendStringInfo(&out->line, "%s%s", separator, weekdays[i]);
				separator = ",";
			}
		}
		end_line(out);

		for (int64 day = first; day <= last; day++)
		{
			if ((usual & (1 << sla_floor_mod(day + 5, 7))) == 0)
				continue;
			while (spans[next].day < day)
				next++;
			if (spans[next].day != day)
				missing[nmissing++] = day;
		}
		put_dates(out, "EXDATE", missing, nmissing, second);
		pfree(missing);
	}
	put_dates(out, "RDATE", others, nothers, second);
	put_line(out, "END:AVAILABLE");
	pfree(others);
}

/* FNV-1a, so that UIDs are the same on all machines. */
static uint64
identity_of(const char *bytes, size_t length)
{
	uint64		hash = UINT64CONST(0xCBF29CE484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char) bytes[i]) * UINT64CONST(0x100000001B3);
	return hash;
}

/*
 * sla.to_ics(cal, from_day date, to_day date, stamp timestamptz) RETURNS text
 *
 * The opening hours of the days [from_day, to_day), midnight to midnight on the
 * clock of the zone in force on from_day.  stamp is the DTSTAMP, by which
 * readers tell a newer text from an older one; -infinity stands for the midnight
 * of UTC of from_day, so that equal hours give equal texts.
 */
static Datum
to_ics(FunctionCallInfo fcinfo, sla_cached *cal)
{
	DateADT		from_day = PG_GETARG_DATEADT(1);
	DateADT		to_day = PG_GETARG_DATEADT(2);
	writer		out = {0};
	int64_t		until;
	ical_second from;
	ical_second to;
	TimestampTz stamp = PG_GETARG_TIMESTAMPTZ(3);
	TimestampTz next;
	sla_span	spans[256];
	int			got;
	wall_span  *list;
	int			n = 0;
	int			room = 64;
	sla_span   *alone;
	int			nalone = 0;
	int			room_alone = 16;

	sla_check_holiday_day(from_day);
	sla_check_holiday_day(to_day);
	if (from_day >= to_day)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the first day to write must be before the last")));
	if (to_day - from_day > MAX_DAYS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d days for one iCalendar text", MAX_DAYS)));
	if (TIMESTAMP_IS_NOBEGIN(stamp))
		stamp = (TimestampTz) from_day * USECS_PER_DAY;
	if (TIMESTAMP_NOT_FINITE(stamp) || stamp < (TimestampTz) SLA_FIRST_HOLIDAY * USECS_PER_DAY ||
		stamp >= (TimestampTz) (SLA_LAST_HOLIDAY + 1) * USECS_PER_DAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("stamp out of range for an iCalendar text")));

	out.zone = sla_schedule_part_on(cal->schedule, from_day, &until)->zone;
	out.zone_name = pg_get_timezone_name((pg_tz *) out.zone.data);
	out.is_utc = strcmp(out.zone_name, "UTC") == 0 || strcmp(out.zone_name, "Etc/UTC") == 0;
	out.identity = identity_of(cal->key, cal->key_length);
	initStringInfo(&out.text);
	initStringInfo(&out.line);
	append_wall(&out.line, sla_floor_div(stamp, USECS_PER_SEC));
	snprintf(out.stamp, sizeof(out.stamp), "%sZ", out.line.data);
	resetStringInfo(&out.line);
	from = ical_to_utc(&out.zone, (ical_second) from_day * SECS_PER_DAY);
	to = ical_to_utc(&out.zone, (ical_second) to_day * SECS_PER_DAY);

	/* What repeats, and what stands alone. */
	list = palloc(sizeof(wall_span) * room);
	alone = palloc(sizeof(sla_span) * room_alone);
	next = from * USECS_PER_SEC;
	do
	{
		CHECK_FOR_INTERRUPTS();
		got = sla_open_spans(cal->timeline, next, to * USECS_PER_SEC, spans, lengthof(spans));
		for (int i = 0; i < got; i++)
		{
			ical_second opens = spans[i].from / USECS_PER_SEC;
			ical_second closes = spans[i].to / USECS_PER_SEC;
			ical_second wall = ical_to_local(&out.zone, opens);

			next = spans[i].to;
			if (is_plain(&out, opens) && is_plain(&out, closes) &&
				ical_to_local(&out.zone, closes) - wall == closes - opens)
			{
				if (n == room)
					list = repalloc_huge(list, sizeof(wall_span) * (room *= 2));
				list[n].day = sla_floor_div(wall, SECS_PER_DAY);
				list[n].second = (int32) sla_floor_mod(wall, SECS_PER_DAY);
				list[n++].length = closes - opens;
			}
			else
			{
				if (nalone == room_alone)
					alone = repalloc_huge(alone, sizeof(sla_span) * (room_alone *= 2));
				alone[nalone++] = spans[i];
			}
		}
	} while (got == lengthof(spans));
	qsort(list, n, sizeof(wall_span), compare_spans);

	put_line(&out, "BEGIN:VCALENDAR");
	put_line(&out, "VERSION:2.0");
	put_line(&out, "PRODID:-//pg_sla//pg_sla//EN");
	if (!out.is_utc)
		put_timezone(&out, from, to);
	put_line(&out, "BEGIN:VAVAILABILITY");
	put_identity(&out);
	if (cal->kind == SLA_CACHED_CALENDAR)
		put_text(&out, "SUMMARY", cal->key, cal->key_length);
	put_time(&out, "DTSTART", from);
	put_time(&out, "DTEND", to);
	for (int i = 0, same; i < n; i += same)
	{
		CHECK_FOR_INTERRUPTS();
		for (same = 1; i + same < n && list[i + same].second == list[i].second &&
			 list[i + same].length == list[i].length; same++)
			;
		put_series(&out, list + i, same);
	}
	for (int i = 0; i < nalone; i++)
	{
		CHECK_FOR_INTERRUPTS();
		put_line(&out, "BEGIN:AVAILABLE");
		put_identity(&out);
		put_time(&out, "DTSTART", alone[i].from / USECS_PER_SEC);
		put_time(&out, "DTEND", alone[i].to / USECS_PER_SEC);
		put_line(&out, "END:AVAILABLE");
	}
	put_line(&out, "END:VAVAILABILITY");
	put_line(&out, "END:VCALENDAR");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.text.data, out.text.len));
}

SLA_FUNCTION(sla_calendar_to_ics);
SLA_FUNCTION(sla_schedule_to_ics);

Datum
sla_calendar_to_ics(PG_FUNCTION_ARGS)
{
	return to_ics(fcinfo, sla_calendar_or_schedule(fcinfo, SLA_CACHED_CALENDAR));
}

Datum
sla_schedule_to_ics(PG_FUNCTION_ARGS)
{
	return to_ics(fcinfo, sla_calendar_or_schedule(fcinfo, SLA_CACHED_SCHEDULE));
}
