/*
 * ical_text.c
 *		Reading an iCalendar text: lines, components, properties.
 *
 * Lines are unfolded and counted here, components are matched here, and only
 * the lines of properties that mean something to us go further: a feed may hold
 * anything else.  What is wrong is reported with the number of its line, and
 * every size has a limit.
 */
#include "icalendar.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"

#include "ical_library.h"

#define MAX_TEXT			(16 * 1024 * 1024)	/* bytes */
#define MAX_PHYSICAL_LINE	(64 * 1024)
#define MAX_LINE			(256 * 1024)	/* unfolded, of those that are used */
#define MAX_NESTING			8
#define MAX_COMPONENTS		100000
#define MAX_PROPERTIES		10000	/* used ones of a component */
#define MAX_VALUES			100000	/* dates in RDATE and EXDATE, all together */

/* No event lasts longer, in seconds. */
#define MAX_DURATION		(INT64CONST(100) * 366 * SECS_PER_DAY)

/* The properties that are used. */
typedef enum property_name
{
	PROPERTY_BUSYTYPE,
	PROPERTY_DTEND,
	PROPERTY_DTSTART,
	PROPERTY_DURATION,
	PROPERTY_EXDATE,
	PROPERTY_EXRULE,
	PROPERTY_METHOD,
	PROPERTY_PRIORITY,
	PROPERTY_RDATE,
	PROPERTY_RECURRENCE_ID,
	PROPERTY_RRULE,
	PROPERTY_SEQUENCE,
	PROPERTY_STATUS,
	PROPERTY_SUMMARY,
	PROPERTY_TRANSP,
	PROPERTY_TZID,
	PROPERTY_UID,
	PROPERTY_X_LIC_LOCATION,
	PROPERTY_X_WR_TIMEZONE,
	PROPERTY_OTHER
} property_name;

static const char *const property_names[] = {
	"BUSYTYPE", "DTEND", "DTSTART", "DURATION", "EXDATE", "EXRULE", "METHOD", "PRIORITY",
	"RDATE", "RECURRENCE-ID", "RRULE", "SEQUENCE", "STATUS", "SUMMARY", "TRANSP", "TZID",
	"UID", "X-LIC-LOCATION", "X-WR-TIMEZONE"
};

/* A component that has begun. */
typedef struct level
{
	char	   *name;
	int			line;
	ical_component *component;	/* NULL: nothing of it is used */
	int			nproperties;
	uint32		seen;			/* bits of property_name */
} level;

typedef struct reader
{
	ical_calendar *calendar;
	int			line;			/* number of the first physical line */
	level		levels[MAX_NESTING];
	int			nlevels;
	int			ncalendars;
	int			ncomponents;
	int			nvalues;
	StringInfoData scratch;		/* a line for the library */
	StringInfoData text;
	StringInfoData tzid;
} reader;

/* A content line in its parts: NAME, ";PARAMETERS" and VALUE. */
typedef struct content
{
	const char *start;
	size_t		name_length;
	const char *value;
	size_t		value_length;
} content;

void
ical_refuse(int sqlstate, int line, const char *format,...)
{
	StringInfoData message;

	initStringInfo(&message);
	for (;;)
	{
		va_list		arguments;
		int			needed;

		va_start(arguments, format);
		needed = appendStringInfoVA(&message, format, arguments);
		va_end(arguments);
		if (needed == 0)
			break;
		enlargeStringInfo(&message, needed);
	}
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg("%s on line %d of the iCalendar text", message.data, line)));
}

const char *
ical_shown(const char *text, size_t length)
{
	int			shown = pg_mbcliplen(text, (int) Min(length, 1000), 60);

	return psprintf("%.*s%s", shown, text, (size_t) shown < length ? "..." : "");
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
number_of(const char *digits, int n)
{
	int			result = 0;

	while (n-- > 0)
		result = result * 10 + (*digits++ - '0');
	return result;
}

static bool
equals(const char *text, size_t length, const char *word)
{
	return strlen(word) == length && pg_strncasecmp(text, word, length) == 0;
}

/*
 * A DATE or DATE-TIME, checked: YYYYMMDD or YYYYMMDDTHHMMSS[Z], of the years
 * 0001 to 9999.  A leap second is the second before it.
 */
bool
ical_read_date_time(const char *text, size_t length, ical_second *second, bool *is_date,
					bool *is_utc)
{
	int			year;
	int			month;
	int			day;
	int			hour = 0;
	int			minute = 0;
	int			sec = 0;

	if (length != 8 && length != 15 && length != 16)
		return false;
	for (size_t i = 0; i < length; i++)
	{
		if (i == 8 ? text[i] != 'T' : i == 15 ? text[i] != 'Z' : !is_digit(text[i]))
			return false;
	}
	year = number_of(text, 4);
	month = number_of(text + 4, 2);
	day = number_of(text + 6, 2);
	if (length > 8)
	{
		hour = number_of(text + 9, 2);
		minute = number_of(text + 11, 2);
		sec = number_of(text + 13, 2);
	}
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
		day > day_tab[isleap(year)][month - 1] || hour > 23 || minute > 59 || sec > 60)
		return false;
	if (sec == 60)
		sec = 59;

	*is_date = length == 8;
	*is_utc = length == 16;
	*second = (ical_second) (date2j(year, month, day) - POSTGRES_EPOCH_JDATE) * SECS_PER_DAY +
		(hour * MINS_PER_HOUR + minute) * SECS_PER_MINUTE + sec;
	return true;
}

/* Where the value begins: after the first colon outside of quotes. */
static bool
split(const char *line, size_t length, content *content)
{
	bool		quoted = false;
	size_t		i = 0;

	content->start = line;
	while (i < length && (is_digit(line[i]) || line[i] == '-' ||
						  (line[i] >= 'a' && line[i] <= 'z') ||
						  (line[i] >= 'A' && line[i] <= 'Z')))
		i++;
	content->name_length = i;
	if (i == 0 || i == length || (line[i] != ':' && line[i] != ';'))
		return false;
	for (; i < length; i++)
	{
		if (line[i] == '"')
			quoted = !quoted;
		else if (line[i] == ':' && !quoted)
		{
			content->value = line + i + 1;
			content->value_length = length - i - 1;
			return true;
		}
	}
	return false;
}

static property_name
name_of(const content *content)
{
	for (int i = 0; i < PROPERTY_OTHER; i++)
	{
		if (equals(content->start, content->name_length, property_names[i]))
			return i;
	}
	return PROPERTY_OTHER;
}

static void
refuse_value(reader *in, const content *content) pg_attribute_noreturn();

static void
refuse_value(reader *in, const content *content)
{
	ical_refuse(ICAL_INVALID, in->line, "invalid %.*s \"%s\"",
				(int) content->name_length, content->start,
				ical_shown(content->value, content->value_length));
}

/* Let libical read a line with the given value. */
static void
read_property(reader *in, const content *content, const char *value, size_t length,
			  sla_ical_property *property)
{
	resetStringInfo(&in->scratch);
	appendBinaryStringInfo(&in->scratch, content->start, content->value - content->start);
	appendBinaryStringInfo(&in->scratch, value, length);
	enlargeStringInfo(&in->text, in->scratch.len + 1);
	enlargeStringInfo(&in->tzid, in->scratch.len + 1);
	memset(property, 0, sizeof(*property));
	property->text = in->text.data;
	property->tzid = in->tzid.data;
	if (!sla_ical_read_property(in->scratch.data, property))
		refuse_value(in, content);
}

/* A text value, without escapes; NULL when it is empty. */
static char *
read_text(reader *in, const content *content)
{
	sla_ical_property property;

	/* An empty value is none to libical. */
	if (content->value_length == 0)
		return NULL;
	read_property(in, content, content->value, content->value_length, &property);
	if (property.kind != SLA_ICAL_TEXT)
		refuse_value(in, content);
	return property.text[0] != '\0' ? pstrdup(property.text) : NULL;
}

static void
set_time(reader *in, ical_time *time, ical_second second, bool is_date, bool is_utc,
		 const char *tzid)
{
	*time = (ical_time) {.is_date = is_date, .second = second, .line = in->line};
	if (is_utc)
		time->zone = ical_utc();
	else if (!is_date && tzid[0] != '\0')
		time->tzid = pstrdup(tzid);
}

/* A DATE or DATE-TIME. */
static void
read_time(reader *in, const content *content, const char *value, size_t length,
		  ical_time *time, bool *has_range)
{
	sla_ical_property property;
	ical_second second;
	bool		is_date;
	bool		is_utc;

	/* Its zone is none of libical's business. */
	if (!ical_read_date_time(value, length, &second, &is_date, &is_utc))
		refuse_value(in, content);
	read_property(in, content, value, is_utc ? length - 1 : length, &property);
	if (property.kind != SLA_ICAL_TIME)
		refuse_value(in, content);

	/* "20240101T000000" with VALUE=DATE, and the reverse. */
	if (property.from.is_date && !is_date)
	{
		is_date = true;
		is_utc = false;
		second -= second % SECS_PER_DAY < 0 ? second % SECS_PER_DAY + SECS_PER_DAY
			: second % SECS_PER_DAY;
	}
	set_time(in, time, second, is_date, is_utc, property.tzid);
	if (has_range != NULL)
		*has_range = property.has_range;
}

/* A duration without its sign: P, then numbers of at most six digits. */
static bool
is_duration(const char *text, size_t length)
{
	int			digits = 0;

	if (length < 2 || length > 40 || *text != 'P')
		return false;
	for (size_t i = 1; i < length; i++)
	{
		if (is_digit(text[i]))
		{
			if (++digits > 6)
				return false;
		}
		else if (strchr("WDTHMS", text[i]) == NULL)
			return false;
		else
			digits = 0;
	}
	return true;
}

static int64
read_duration(reader *in, const content *content)
{
	sla_ical_property property;
	const char *text = content->value;
	size_t		length = content->value_length;

	if (length > 0 && *text == '+')
		text++, length--;
	if (!is_duration(text, length))
		refuse_value(in, content);
	read_property(in, content, text, length, &property);
	if (property.kind != SLA_ICAL_DURATION || property.seconds < 0)
		refuse_value(in, content);
	return property.seconds;
}

/* The two ends of a PERIOD, or its start and length. */
static void
read_period(reader *in, const content *content, const char *value, size_t length,
			const char *slash, ical_period *period)
{
	sla_ical_property property;
	size_t		from_length = slash - value;
	const char *rest = slash + 1;
	size_t		rest_length = length - from_length - 1;
	ical_second from;
	ical_second to = 0;
	bool		is_date;
	bool		from_utc;
	bool		to_utc = false;
	bool		spans = rest_length > 0 && *rest == 'P';
	char	   *plain;

	if (!ical_read_date_time(value, from_length, &from, &is_date, &from_utc) || is_date ||
		(spans ? !is_duration(rest, rest_length)
		 : !ical_read_date_time(rest, rest_length, &to, &is_date, &to_utc) || is_date))
		refuse_value(in, content);
	plain = psprintf("%.*s/%.*s", (int) from_length - from_utc, value,
					 (int) rest_length - to_utc, rest);
	read_property(in, content, plain, strlen(plain), &property);
	pfree(plain);
	if (property.kind != (spans ? SLA_ICAL_SPAN : SLA_ICAL_PERIOD))
		refuse_value(in, content);
	set_time(in, &period->from, from, false, from_utc, property.tzid);
	if (spans)
		period->length = property.seconds;
	else
	{
		period->has_end = true;
		set_time(in, &period->to, to, false, to_utc, property.tzid);
	}
}

/* The dates of an RDATE or EXDATE: libical takes no more than 500 at a time. */
static void
read_dates(reader *in, const content *content, ical_component *component, bool exceptions)
{
	const char *p = content->value;
	const char *end = content->value + content->value_length;

	while (p <= end)
	{
		const char *comma = memchr(p, ',', end - p);
		const char *slash;
		size_t		length;

		CHECK_FOR_INTERRUPTS();
		if (++in->nvalues > MAX_VALUES)
			ical_refuse(ICAL_LIMIT, in->line, "more than %d dates in RDATE and EXDATE", MAX_VALUES);
		if (comma == NULL)
			comma = end;
		length = comma - p;
		slash = memchr(p, '/', length);
		if (exceptions)
		{
			ical_time  *time = palloc(sizeof(ical_time));

			read_time(in, content, p, length, time, NULL);
			component->exceptions = lappend(component->exceptions, time);
		}
		else
		{
			ical_period *period = palloc0(sizeof(ical_period));

			period->length = -1;
			if (slash != NULL)
				read_period(in, content, p, length, slash, period);
			else
				read_time(in, content, p, length, &period->from, NULL);
			component->dates = lappend(component->dates, period);
		}
		p = comma + 1;
	}
}

/* A number from 0 to `most`. */
static int
read_number(reader *in, const content *content, int most)
{
	int			result = 0;

	if (content->value_length < 1 || content->value_length > 9)
		refuse_value(in, content);
	for (size_t i = 0; i < content->value_length; i++)
	{
		if (!is_digit(content->value[i]))
			refuse_value(in, content);
		result = result * 10 + (content->value[i] - '0');
	}
	if (result > most)
		refuse_value(in, content);
	return result;
}

/* A property of an event, of availability, or of a time zone. */
static void
use_property(reader *in, level *level, property_name name, const content *content)
{
	ical_component *component = level->component;
	bool		several = name == PROPERTY_EXDATE || name == PROPERTY_RDATE;
	bool		has_range;

	if (component->kind == ICAL_TIMEZONE && name != PROPERTY_TZID &&
		name != PROPERTY_X_LIC_LOCATION)
		return;
	if (++level->nproperties > MAX_PROPERTIES)
		ical_refuse(ICAL_LIMIT, in->line, "more than %d properties in a component", MAX_PROPERTIES);
	if (!several && (level->seen & (1 << name)) != 0)
		ical_refuse(name == PROPERTY_RRULE ? ICAL_UNKNOWN : ICAL_INVALID, in->line,
					"a second %s in one component", property_names[name]);
	level->seen |= 1 << name;

	switch (name)
	{
		case PROPERTY_DTSTART:
			read_time(in, content, content->value, content->value_length,
					  &component->start, NULL);
			component->has_start = true;
			break;
		case PROPERTY_DTEND:
			read_time(in, content, content->value, content->value_length,
					  &component->end, NULL);
			component->has_end = true;
			break;
		case PROPERTY_DURATION:
			component->duration = read_duration(in, content);
			component->has_duration = true;
			break;
		case PROPERTY_RECURRENCE_ID:
			read_time(in, content, content->value, content->value_length,
					  &component->recurrence_id, &has_range);
			if (has_range)
				ical_refuse(ICAL_UNKNOWN, in->line,
							"RECURRENCE-ID with RANGE, which is not supported,");
			component->has_recurrence_id = true;
			break;
		case PROPERTY_RRULE:
			component->rule = ical_read_rule(content->value, content->value_length, in->line);
			break;
		case PROPERTY_EXRULE:
			ical_refuse(ICAL_UNKNOWN, in->line, "EXRULE, which is not supported,");
		case PROPERTY_RDATE:
			read_dates(in, content, component, false);
			break;
		case PROPERTY_EXDATE:
			read_dates(in, content, component, true);
			break;
		case PROPERTY_UID:
			component->uid = read_text(in, content);
			break;
		case PROPERTY_SUMMARY:
			component->summary = read_text(in, content);
			break;
		case PROPERTY_STATUS:
			component->cancelled = equals(content->value, content->value_length, "CANCELLED");
			break;
		case PROPERTY_TRANSP:
			component->transparent = equals(content->value, content->value_length, "TRANSPARENT");
			break;
		case PROPERTY_SEQUENCE:
			component->sequence = read_number(in, content, 999999999);
			break;
		case PROPERTY_PRIORITY:
			component->priority = read_number(in, content, 9);
			break;
		case PROPERTY_BUSYTYPE:
			component->busy_type =
				equals(content->value, content->value_length, "BUSY") ? ICAL_BUSY :
				equals(content->value, content->value_length, "BUSY-TENTATIVE")
				? ICAL_BUSY_TENTATIVE : ICAL_BUSY_UNAVAILABLE;
			break;
		case PROPERTY_TZID:
			component->tzid = read_text(in, content);
			break;
		case PROPERTY_X_LIC_LOCATION:
			component->location = read_text(in, content);
			break;
		default:
			break;
	}
}

/* BEGIN:NAME */
static void
begin(reader *in, const content *content)
{
	level	   *parent = in->nlevels > 0 ? &in->levels[in->nlevels - 1] : NULL;
	level	   *level;
	const char *name = content->value;
	size_t		length = content->value_length;
	int			kind = -1;

	if (in->nlevels == MAX_NESTING)
		ical_refuse(ICAL_LIMIT, in->line, "components nested more than %d deep", MAX_NESTING);
	if (++in->ncomponents > MAX_COMPONENTS)
		ical_refuse(ICAL_LIMIT, in->line, "more than %d components", MAX_COMPONENTS);
	if (parent == NULL)
	{
		if (!equals(name, length, "VCALENDAR"))
			ical_refuse(ICAL_INVALID, in->line, "\"%s\" outside of a VCALENDAR",
						ical_shown(name, length));
		in->ncalendars++;
	}
	else if (in->nlevels == 1 && equals(name, length, "VEVENT"))
		kind = ICAL_EVENT;
	else if (in->nlevels == 1 && equals(name, length, "VAVAILABILITY"))
		kind = ICAL_AVAILABILITY;
	else if (in->nlevels == 1 && equals(name, length, "VTIMEZONE"))
		kind = ICAL_TIMEZONE;
	else if (parent->component != NULL && parent->component->kind == ICAL_AVAILABILITY &&
			 equals(name, length, "AVAILABLE"))
		kind = ICAL_AVAILABLE;

	level = &in->levels[in->nlevels++];
	memset(level, 0, sizeof(*level));
	level->name = pnstrdup(name, length);
	level->line = in->line;
	if (kind >= 0)
	{
		level->component = palloc0(sizeof(ical_component));
		level->component->kind = kind;
		level->component->line = in->line;
		level->component->busy_type = ICAL_BUSY_UNAVAILABLE;
	}
}

/* What a finished component must have; it joins its calendar. */
static void
finish(reader *in, ical_component *component, ical_component *parent)
{
	ical_calendar *calendar = in->calendar;

	if (component->kind == ICAL_TIMEZONE)
	{
		calendar->timezones = lappend(calendar->timezones, component);
		return;
	}

	if (!component->has_start &&
		(component->kind != ICAL_AVAILABILITY || component->has_duration))
		ical_refuse(ICAL_INVALID, component->line, "no DTSTART in the component that begins");
	if (component->has_end && component->has_duration)
		ical_refuse(ICAL_INVALID, component->line,
					"both DTEND and DURATION in the component that begins");
	if (component->has_start && component->has_end &&
		component->end.is_date != component->start.is_date)
	{
		/* As seen in feeds: the days are what is meant. */
		component->start.is_date = component->end.is_date = true;
		component->start.second = sla_floor_div(component->start.second, SECS_PER_DAY) * SECS_PER_DAY;
		component->end.second = sla_floor_div(component->end.second, SECS_PER_DAY) * SECS_PER_DAY;
		component->start.tzid = component->end.tzid = NULL;
		component->start.zone = component->end.zone = NULL;
	}
	if (component->duration > MAX_DURATION)
		ical_refuse(ICAL_LIMIT, component->line,
					"more than a hundred years in the component that begins");

	/* Some feeds have none, though it is required. */
	if (component->uid == NULL)
	{
		int			year;
		int			month;
		int			day;

		j2date((int) sla_floor_div(component->start.second, SECS_PER_DAY) +
			   POSTGRES_EPOCH_JDATE, &year, &month, &day);
		component->uid = psprintf("%04d-%02d-%02d %s", year, month, day,
								  component->summary != NULL ? component->summary : "");
	}

	switch (component->kind)
	{
		case ICAL_EVENT:
			calendar->events = lappend(calendar->events, component);
			break;
		case ICAL_AVAILABILITY:
			calendar->availabilities = lappend(calendar->availabilities, component);
			break;
		case ICAL_AVAILABLE:
			parent->parts = lappend(parent->parts, component);
			break;
		case ICAL_TIMEZONE:
			break;
	}
}

/* END:NAME */
static void
end(reader *in, const content *content)
{
	level	   *level;

	if (in->nlevels == 0)
		ical_refuse(ICAL_INVALID, in->line, "END:%s without its BEGIN",
					ical_shown(content->value, content->value_length));
	level = &in->levels[in->nlevels - 1];
	if (!equals(content->value, content->value_length, level->name))
		ical_refuse(ICAL_INVALID, in->line, "END:%s for BEGIN:%s of line %d",
					ical_shown(content->value, content->value_length),
					ical_shown(level->name, strlen(level->name)), level->line);
	in->nlevels--;
	if (level->component != NULL)
		finish(in, level->component,
			   in->nlevels > 0 ? in->levels[in->nlevels - 1].component : NULL);
	pfree(level->name);
}

/* An unfolded line. */
static void
use_line(reader *in, const char *line, size_t length)
{
	content		content;
	level	   *level;
	property_name name;

	/* Blanks at the end, as editors leave them; and empty lines. */
	while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
		length--;
	if (length == 0)
		return;
	if (!split(line, length, &content))
		ical_refuse(ICAL_INVALID, in->line, "\"%s\" is no property, as NAME:VALUE,",
					ical_shown(line, length));

	if (equals(line, content.name_length, "BEGIN"))
	{
		begin(in, &content);
		return;
	}
	if (equals(line, content.name_length, "END"))
	{
		end(in, &content);
		return;
	}
	if (in->nlevels == 0)
		ical_refuse(ICAL_INVALID, in->line, "\"%s\" outside of a VCALENDAR",
					ical_shown(line, length));

	name = name_of(&content);
	if (name == PROPERTY_OTHER)
		return;
	level = &in->levels[in->nlevels - 1];
	if (level->component == NULL && in->nlevels > 1)
		return;
	if (length > MAX_LINE)
		ical_refuse(ICAL_LIMIT, in->line, "more than %d bytes in a property", MAX_LINE);
	for (size_t i = 0; i < length; i++)
	{
		/* What libical is given is plain text. */
		if ((unsigned char) line[i] < 0x20 && line[i] != '\t')
			ical_refuse(ICAL_INVALID, in->line, "a control character");
	}

	if (level->component != NULL)
		use_property(in, level, name, &content);
	else if (name == PROPERTY_X_WR_TIMEZONE)
	{
		in->calendar->default_tzid = read_text(in, &content);
		in->calendar->default_line = in->line;
	}
	else if (name == PROPERTY_METHOD && equals(content.value, content.value_length, "CANCEL"))
		ical_refuse(ICAL_UNKNOWN, in->line, "METHOD:CANCEL, which is not supported,");
}

/*
 * Read a text into the current memory context.  Time zones are not looked at
 * yet: their definitions may stand behind their uses.
 */
ical_calendar *
ical_read(const char *text, size_t length)
{
	reader		in = {0};
	StringInfoData unfolded;
	const char *p = text;
	const char *limit = text + length;
	bool		lone_returns;
	int			physical = 0;

	if (length > MAX_TEXT)
		ereport(ERROR,
				(errcode(ICAL_LIMIT),
				 errmsg("iCalendar text is longer than %d bytes", MAX_TEXT)));
	in.calendar = palloc0(sizeof(ical_calendar));
	initStringInfo(&in.scratch);
	initStringInfo(&in.text);
	initStringInfo(&in.tzid);
	initStringInfo(&unfolded);

	if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	lone_returns = memchr(p, '\n', limit - p) == NULL;

	while (p < limit)
	{
		const char *stop = memchr(p, lone_returns ? '\r' : '\n', limit - p);
		const char *end_of_line = stop != NULL ? stop : limit;
		bool		continues;

		CHECK_FOR_INTERRUPTS();
		physical++;
		if (end_of_line > p && !lone_returns && end_of_line[-1] == '\r')
			end_of_line--;
		if (end_of_line - p > MAX_PHYSICAL_LINE)
			ical_refuse(ICAL_LIMIT, physical, "more than %d bytes", MAX_PHYSICAL_LINE);

		continues = physical > 1 && p < end_of_line && (*p == ' ' || *p == '\t');
		if (!continues)
		{
			use_line(&in, unfolded.data, unfolded.len);
			resetStringInfo(&unfolded);
			in.line = physical;
		}
		else
			p++;
		appendBinaryStringInfo(&unfolded, p, end_of_line - p);
		p = stop != NULL ? stop + 1 : limit;
	}
	use_line(&in, unfolded.data, unfolded.len);

	if (in.nlevels > 0)
		ical_refuse(ICAL_INVALID, in.levels[in.nlevels - 1].line,
					"no END for BEGIN:%s",
					ical_shown(in.levels[in.nlevels - 1].name,
							   strlen(in.levels[in.nlevels - 1].name)));
	if (in.ncalendars == 0)
		ereport(ERROR,
				(errcode(ICAL_INVALID),
				 errmsg("there is no VCALENDAR in the iCalendar text"),
				 errhint("An iCalendar text begins with BEGIN:VCALENDAR; a web page or a file's name is none.")));
	return in.calendar;
}
