/*
 * schedule.c
 *		The type sla.schedule: a time zone, opening hours, holidays.
 *
 * Its text form, in which it is also stored and sent:
 *
 *		schedule = part | operand [ ("+" | "*" | "-") operand ]
 *		operand  = "(" schedule ")"
 *		part     = zone ":" opening-hours [ "holidays" holiday { "," holiday } ]
 *		holiday  = YYYY-MM-DD [ "off" | "open" | [ "off" ] HH:MM-HH:MM { "," HH:MM-HH:MM } ]
 *
 * "+" is the union, "*" the intersection and "-" the difference of what is
 * open.  A holiday of which nothing more is said is what the opening hours say
 * of PH, or closed when they do not name PH; "off", or "closed", closes the day
 * whatever they say; times replace those of the day; "off" with times closes
 * only these, and "open" nothing.
 *
 * The canonical text has zones as the server spells them, opening hours as the
 * core prints them and holidays sorted, each day once.  Equal texts are equal
 * schedules; different texts may still mean the same.
 */
#include "schedule.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"

#include "timeline_cache.h"
#include "zone.h"

SLA_FUNCTION(sla_schedule_in);
SLA_FUNCTION(sla_schedule_out);
SLA_FUNCTION(sla_schedule_recv);
SLA_FUNCTION(sla_schedule_send);
SLA_FUNCTION(sla_schedule_make);
SLA_FUNCTION(sla_schedule_union);
SLA_FUNCTION(sla_schedule_intersection);
SLA_FUNCTION(sla_schedule_difference);
SLA_FUNCTION(sla_schedule_eq);
SLA_FUNCTION(sla_schedule_ne);
SLA_FUNCTION(sla_schedule_lt);
SLA_FUNCTION(sla_schedule_le);
SLA_FUNCTION(sla_schedule_gt);
SLA_FUNCTION(sla_schedule_ge);
SLA_FUNCTION(sla_schedule_cmp);
SLA_FUNCTION(sla_schedule_hash);
SLA_FUNCTION(sla_schedule_hash_extended);

/* How deep schedules may be put together: reading and answering recurse. */
#define MAX_DEPTH 200

#define HOLIDAY_HOURS_RULE "a holiday's hours are \"off\", \"closed\", \"open\", times, or \"off\" and times"
#define HOLIDAY_HOURS_HINT \
	"Write 08:00-12:00,13:00-15:00 to open then, or off 12:00-13:00 to close then."

#define SCHEDULE_HINT "Write for example Europe/Oslo: Mo-Fr 08:00-16:00 holidays 2026-05-17."

/* A text being read. */
typedef struct reader
{
	const char *text;			/* whole, for messages */
	size_t		length;
	size_t		position;
	StringInfo	canonical;		/* written as it is read, or NULL */
	Node	   *escontext;
	int			depth;
} reader;

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A piece of the text; its blanks at both ends do not belong to it. */
typedef struct piece
{
	const char *start;
	size_t		length;
} piece;

static piece
trimmed(const char *start, const char *end)
{
	while (start < end && is_blank(*start))
		start++;
	while (start < end && is_blank(end[-1]))
		end--;
	return (piece) {start, end - start};
}

static bool
is_word(piece piece, const char *word)
{
	return piece.length == strlen(word) &&
		pg_strncasecmp(piece.start, word, piece.length) == 0;
}

/* The place of a byte in a text as people count: characters, from 1. */
static int
character_position(const char *text, size_t offset)
{
	return pg_mbstrlen_with_len(text, (int) offset) + 1;
}

/* Report why opening hours were refused. */
static void
refuse_hours(const char *text, size_t length, const sla_fault *fault, Node *escontext)
{
	int			position;
	int			offending;

	position = character_position(text, Min(fault->position, length));
	offending = pg_mbcliplen(text + Min(fault->position, length),
							 (int) Min(fault->length, length - Min(fault->position, length)),
							 60);
	errsave_compat(escontext,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid opening hours \"%.*s\"", (int) length, text),
					offending > 0
					? errdetail("\"%.*s\" at character %d: %s.", offending,
								text + fault->position, position, fault->reason)
					: errdetail("At character %d: %s.", position, fault->reason),
					fault->hint != NULL ? errhint("%s", fault->hint) : 0));
}

/*
 * Parse opening hours into the current memory context.  NULL only after a soft
 * error.
 */
sla_hours *
sla_hours_read(const char *text, size_t length, Node *escontext)
{
	sla_env		env = sla_server_env(CurrentMemoryContext);
	sla_fault	fault = {0};
	sla_hours  *hours = sla_hours_parse(&env, text, length, &fault);

	if (hours == NULL)
		refuse_hours(text, length, &fault, escontext);
	return hours;
}

/*
 * Read the hours that a holiday has of its own: "off", "closed", "open", times,
 * or "off" and times.  Sets all of *holiday but the day; usual_hours for "off",
 * which in a holiday set closes the day unless the opening hours have something
 * to say of PH.  False only after a soft error.
 */
bool
sla_holiday_hours_read(const char *text, size_t length, sla_holiday *holiday,
					   Node *escontext)
{
	piece		hours_text = trimmed(text, text + length);
	sla_hours  *hours;
	sla_window *windows;
	int			first_year;
	int			last_year;
	int			nwindows;

	holiday->usual_hours = false;
	holiday->working_day = false;
	holiday->nwindows = 0;
	holiday->windows = NULL;
	holiday->nclosed = 0;
	holiday->closed = NULL;
	if (is_word(hours_text, "closed"))
		return true;
	if (is_word(hours_text, "open"))
	{
		holiday->working_day = true;
		return true;
	}
	if (is_word(hours_text, "off"))
	{
		holiday->usual_hours = true;
		return true;
	}
	if (hours_text.length > 3 && pg_strncasecmp(hours_text.start, "off", 3) == 0 &&
		is_blank(hours_text.start[3]))
	{
		holiday->working_day = true;
		hours_text = trimmed(hours_text.start + 3, hours_text.start + hours_text.length);
	}

	/* Nothing but times: no weekdays, months, comments. */
	for (size_t i = 0; i < hours_text.length; i++)
	{
		char		c = hours_text.start[i];

		if (!is_digit(c) && !is_blank(c) && c != ':' && c != '-' && c != ',')
		{
			sla_fault	fault = {
				.position = i,
				.length = pg_mblen(hours_text.start + i),
				.reason = HOLIDAY_HOURS_RULE,
				.hint = HOLIDAY_HOURS_HINT
			};

			refuse_hours(hours_text.start, hours_text.length, &fault, escontext);
			return false;
		}
	}

	hours = sla_hours_read(hours_text.start, hours_text.length, escontext);
	if (hours == NULL)
		return false;
	if (sla_hours_named_years(hours, &first_year, &last_year))
	{
		sla_fault	fault = {
			.length = hours_text.length,
			.reason = HOLIDAY_HOURS_RULE,
			.hint = HOLIDAY_HOURS_HINT
		};

		refuse_hours(hours_text.start, hours_text.length, &fault, escontext);
		return false;
	}

	windows = palloc(sizeof(sla_window) * sla_hours_max_windows(hours));
	nwindows = sla_hours_on(hours, 0, false, windows);
	pfree(hours);
	if (nwindows > SLA_MAX_HOLIDAY_WINDOWS)
	{
		errsave_compat(escontext,
					   (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("a holiday has more than %d times", SLA_MAX_HOLIDAY_WINDOWS)));
		return false;
	}
	if (holiday->working_day)
	{
		holiday->nclosed = nwindows;
		holiday->closed = windows;
	}
	else
	{
		holiday->nwindows = nwindows;
		holiday->windows = windows;
	}
	return true;
}

/* Report that the text is no schedule, with the place. */
static void
refuse_schedule(reader *in, const char *place, const char *reason)
{
	errsave_compat(in->escontext,
				   (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid schedule \"%.*s\"", (int) in->length, in->text),
					errdetail("At character %d: %s.",
							  character_position(in->text, place - in->text), reason),
					errhint(SCHEDULE_HINT)));
}

/* A day as holidays are written. */
void
sla_append_day(StringInfo out, sla_date day)
{
	int			year;
	int			month;
	int			day_of_month;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &day_of_month);
	appendStringInfo(out, "%04d-%02d-%02d", year, month, day_of_month);
}

static void
append_clock(StringInfo out, int32 seconds)
{
	appendStringInfo(out, "%02d:%02d", seconds / SECS_PER_HOUR,
					 seconds / SECS_PER_MINUTE % MINS_PER_HOUR);
	if (seconds % SECS_PER_MINUTE != 0)
		appendStringInfo(out, ":%02d", seconds % SECS_PER_MINUTE);
}

/* Times of a holiday. */
void
sla_append_windows(StringInfo out, const sla_window *windows, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		append_clock(out, windows[i].from);
		appendStringInfoChar(out, '-');
		append_clock(out, windows[i].to);
	}
}

static void
append_part(StringInfo out, const char *zone_name, const sla_part *part)
{
	size_t		length = sla_hours_print(part->hours, NULL, 0);

	appendStringInfo(out, "%s: ", zone_name);
	enlargeStringInfo(out, (int) length + 1);
	sla_hours_print(part->hours, out->data + out->len, length + 1);
	out->len += (int) length;

	for (int i = 0; i < part->nholidays; i++)
	{
		const sla_holiday *holiday = &part->holidays[i];

		appendStringInfoString(out, i == 0 ? " holidays " : ", ");
		sla_append_day(out, holiday->day);
		if (holiday->working_day && holiday->nclosed == 0)
		{
			appendStringInfoString(out, " open");
			continue;
		}
		if (!holiday->usual_hours && holiday->nwindows == 0)
			appendStringInfoString(out, " off");
		if (holiday->nwindows > 0 || holiday->working_day)
			appendStringInfoChar(out, ' ');
		if (holiday->working_day)
			sla_append_windows(out, holiday->closed, holiday->nclosed);
		else
			sla_append_windows(out, holiday->windows, holiday->nwindows);
	}
}

/* A date as YYYY-MM-DD; NULL when there is none at p, else its end. */
static const char *
read_day(const char *p, const char *end, sla_date *day)
{
	int			fields[3] = {0, 0, 0};
	static const int digits[3] = {4, 2, 2};

	for (int i = 0; i < 3; i++)
	{
		if (i > 0 && (p >= end || *p++ != '-'))
			return NULL;
		for (int j = 0; j < digits[i]; j++)
		{
			if (p >= end || !is_digit(*p))
				return NULL;
			fields[i] = fields[i] * 10 + (*p++ - '0');
		}
	}
	if ((p < end && is_digit(*p)) || fields[0] < 1 || fields[1] < 1 || fields[1] > 12 ||
		fields[2] < 1 || fields[2] > day_tab[isleap(fields[0])][fields[1] - 1])
		return NULL;
	*day = date2j(fields[0], fields[1], fields[2]) - POSTGRES_EPOCH_JDATE;
	return p;
}

static int
compare_holidays(const void *a, const void *b)
{
	sla_date	x = ((const sla_holiday *) a)->day;
	sla_date	y = ((const sla_holiday *) b)->day;

	return (x > y) - (x < y);
}

static bool
same_windows(const sla_window *a, int na, const sla_window *b, int nb)
{
	return na == nb && (na == 0 || memcmp(a, b, sizeof(sla_window) * na) == 0);
}

/* Do two holidays mean the same? */
bool
sla_same_holiday(const sla_holiday *a, const sla_holiday *b)
{
	return a->day == b->day && a->usual_hours == b->usual_hours &&
		a->working_day == b->working_day &&
		same_windows(a->windows, a->nwindows, b->windows, b->nwindows) &&
		same_windows(a->closed, a->nclosed, b->closed, b->nclosed);
}

/* The list after the word "holidays".  False only after a soft error. */
static bool
read_holidays(reader *in, piece list, sla_part *part)
{
	const char *p = list.start;
	const char *end = list.start + list.length;
	int			room = 8;
	sla_holiday *holidays = palloc(sizeof(sla_holiday) * room);
	int			n = 0;
	int			unique = 0;

	for (;;)
	{
		const char *place;
		const char *after;
		const char *comma;
		sla_date	day;
		piece		hours;

		CHECK_FOR_INTERRUPTS();
		while (p < end && is_blank(*p))
			p++;
		place = p;
		after = read_day(p, end, &day);
		if (after == NULL)
		{
			refuse_schedule(in, place, "a date as YYYY-MM-DD is expected");
			return false;
		}

		/* Up to the comma before the next date: times have commas too. */
		for (comma = after; comma < end; comma++)
		{
			const char *next = comma + 1;
			sla_date	next_day;

			if (*comma != ',')
				continue;
			while (next < end && is_blank(*next))
				next++;
			if (next == end || read_day(next, end, &next_day) != NULL)
				break;
			/* what looks like a date but is none */
			if (end - next > 4 && next[4] == '-')
				break;
		}

		if (n == room)
		{
			room *= 2;
			holidays = repalloc(holidays, sizeof(sla_holiday) * room);
		}
		hours = trimmed(after, comma);
		holidays[n] = (sla_holiday) {.day = day, .usual_hours = hours.length == 0};
		if (hours.length > 0 &&
			!sla_holiday_hours_read(hours.start, hours.length, &holidays[n], in->escontext))
			return false;
		holidays[n++].usual_hours = hours.length == 0;

		if (comma >= end)
			break;
		p = comma + 1;
	}

	qsort(holidays, n, sizeof(sla_holiday), compare_holidays);
	for (int i = 0; i < n; i++)
	{
		if (unique > 0 && holidays[unique - 1].day == holidays[i].day)
		{
			if (!sla_same_holiday(&holidays[unique - 1], &holidays[i]))
			{
				refuse_schedule(in, list.start, "a day is named twice with different hours");
				return false;
			}
			continue;
		}
		holidays[unique++] = holidays[i];
	}
	part->holidays = holidays;
	part->nholidays = unique;
	return true;
}

/* One zone with its hours, up to a closing parenthesis or the end. */
static sla_schedule *
read_part(reader *in)
{
	const char *start = in->text + in->position;
	const char *limit = in->text + in->length;
	const char *end;
	const char *colon;
	const char *keyword = NULL;
	bool		quoted = false;
	piece		zone_text;
	piece		hours_text;
	char	   *zone_name;
	const char *canonical_zone;
	sla_schedule *schedule;
	sla_part   *part;

	/* Comments in quotes may hold anything. */
	for (end = start; end < limit && (quoted || *end != ')'); end++)
	{
		if (*end == '"')
			quoted = !quoted;
		else if (!quoted && keyword == NULL && end > start && limit - end >= 8 &&
				 (is_blank(end[-1]) || end[-1] == ':') &&
				 pg_strncasecmp(end, "holidays", 8) == 0 &&
				 (limit - end == 8 || is_blank(end[8]) || end[8] == ')'))
			keyword = end;
	}
	in->position = end - in->text;

	colon = memchr(start, ':', end - start);
	zone_text = trimmed(start, colon != NULL ? colon : end);

	/* "Mo-Fr 08:00" has a colon too; zones have no blanks. */
	if (colon == NULL || zone_text.length == 0 ||
		memchr(zone_text.start, ' ', zone_text.length) != NULL ||
		(colon + 1 < end && is_digit(colon[1]) && is_digit(colon[-1])))
	{
		refuse_schedule(in, zone_text.start, "a time zone and a colon are expected first");
		return NULL;
	}

	schedule = palloc0(sizeof(sla_schedule));
	schedule->kind = SLA_SCHEDULE_PART;
	part = &schedule->part;
	part->from_day = SLA_DATE_FIRST;
	part->to_day = SLA_DATE_LAST;

	zone_name = pnstrdup(zone_text.start, zone_text.length);
	if (!sla_zone_find(zone_name, &part->zone, &canonical_zone))
	{
		errsave_compat(in->escontext,
					   (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("time zone \"%s\" not recognized", zone_name),
						errhint(SLA_ZONE_HINT)));
		return NULL;
	}
	pfree(zone_name);

	hours_text = trimmed(colon + 1, keyword != NULL ? keyword : end);
	part->hours = sla_hours_read(hours_text.start, hours_text.length, in->escontext);
	if (part->hours == NULL)
		return NULL;
	if (keyword != NULL && !read_holidays(in, trimmed(keyword + 8, end), part))
		return NULL;

	if (in->canonical != NULL)
		append_part(in->canonical, canonical_zone, part);
	return schedule;
}

static void
skip_blanks(reader *in)
{
	while (in->position < in->length && is_blank(in->text[in->position]))
		in->position++;
}

static bool
take(reader *in, char c)
{
	skip_blanks(in);
	if (in->position >= in->length || in->text[in->position] != c)
		return false;
	in->position++;
	return true;
}

static sla_schedule *
read_schedule(reader *in)
{
	sla_schedule *schedule;
	sla_schedule *left;
	sla_schedule *right;
	int			start = 0;
	sla_schedule_kind kind;
	char		operator;

	if (!take(in, '('))
		return read_part(in);

	if (++in->depth > MAX_DEPTH)
	{
		errsave_compat(in->escontext,
					   (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("schedules are put together more than %d deep", MAX_DEPTH)));
		return NULL;
	}

	/* The parentheses around a whole schedule are not kept. */
	if (in->canonical != NULL)
		start = in->canonical->len;
	left = read_schedule(in);
	if (left == NULL)
		return NULL;
	if (!take(in, ')'))
	{
		refuse_schedule(in, in->text + in->position, "a closing parenthesis is missing");
		return NULL;
	}

	if (take(in, '+'))
		kind = SLA_SCHEDULE_UNION, operator = '+';
	else if (take(in, '*'))
		kind = SLA_SCHEDULE_INTERSECTION, operator = '*';
	else if (take(in, '-'))
		kind = SLA_SCHEDULE_DIFFERENCE, operator = '-';
	else
	{
		in->depth--;
		return left;
	}

	if (!take(in, '('))
	{
		refuse_schedule(in, in->text + in->position,
						"both sides of an operator stand in parentheses");
		return NULL;
	}
	if (in->canonical != NULL)
	{
		char	   *text = pstrdup(in->canonical->data + start);

		in->canonical->len = start;
		appendStringInfo(in->canonical, "(%s) %c (", text, operator);
		pfree(text);
	}
	right = read_schedule(in);
	if (right == NULL)
		return NULL;
	if (!take(in, ')'))
	{
		refuse_schedule(in, in->text + in->position, "a closing parenthesis is missing");
		return NULL;
	}
	if (in->canonical != NULL)
		appendStringInfoChar(in->canonical, ')');
	in->depth--;

	schedule = palloc0(sizeof(sla_schedule));
	schedule->kind = kind;
	schedule->left = left;
	schedule->right = right;
	return schedule;
}

/*
 * Read a schedule into the current memory context, and append its canonical
 * text to canonical unless that is NULL.  NULL only after a soft error.
 */
sla_schedule *
sla_schedule_read(const char *text, size_t length, StringInfo canonical,
				  Node *escontext)
{
	reader		in = {
		.text = text,
		.length = length,
		.canonical = canonical,
		.escontext = escontext,
	};
	sla_schedule *schedule;

	schedule = read_schedule(&in);
	if (schedule == NULL)
		return NULL;
	skip_blanks(&in);
	if (in.position < in.length)
	{
		refuse_schedule(&in, in.text + in.position, "the schedule should end here");
		return NULL;
	}
	return schedule;
}

/* The compiled schedule of a canonical text. */
sla_cached *
sla_cached_schedule(const char *text, uint32 length)
{
	sla_cached *entry = sla_cache_find(SLA_CACHED_SCHEDULE, text, length);

	if (entry == NULL)
	{
		MemoryContext old;

		entry = sla_cache_create(SLA_CACHED_SCHEDULE, text, length);
		old = MemoryContextSwitchTo(entry->context);
		sla_cache_compile(entry, sla_schedule_read(entry->key, length, NULL, NULL));
		MemoryContextSwitchTo(old);
		sla_cache_keep(entry);
	}
	return entry;
}

const char *
sla_schedule_text(const struct varlena *value, uint32 *length)
{
	const sla_schedule_data *data = (const sla_schedule_data *) VARDATA_ANY(value);
	Size		size = VARSIZE_ANY_EXHDR(value);

	if (size < offsetof(sla_schedule_data, text) ||
		data->format != SLA_SCHEDULE_FORMAT || data->flags != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("schedule is stored in a format that this version of pg_sla does not know")));
	*length = (uint32) (size - offsetof(sla_schedule_data, text));
	return data->text;
}

static struct varlena *
make_value(const char *text, size_t length)
{
	Size		size = VARHDRSZ + offsetof(sla_schedule_data, text) + length;
	struct varlena *value = palloc(size);
	sla_schedule_data *data = (sla_schedule_data *) VARDATA(value);

	SET_VARSIZE(value, size);
	data->format = SLA_SCHEDULE_FORMAT;
	data->flags = 0;
	memcpy(data->text, text, length);
	return value;
}

/* A value of a text that someone gave.  NULL only after a soft error. */
static struct varlena *
value_of_text(const char *text, size_t length, Node *escontext)
{
	StringInfoData canonical;

	initStringInfo(&canonical);
	if (sla_schedule_read(text, length, &canonical, escontext) == NULL)
		return NULL;
	return make_value(canonical.data, canonical.len);
}

/*
 * sla.schedule_in(cstring) RETURNS sla.schedule
 */
Datum
sla_schedule_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	struct varlena *value = value_of_text(text, strlen(text), fcinfo->context);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

/*
 * sla.schedule_out(sla.schedule) RETURNS cstring
 *
 * Prints what is stored: a zone that this server does not know is no error.
 */
Datum
sla_schedule_out(PG_FUNCTION_ARGS)
{
	uint32		length;
	const char *text = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &length);

	PG_RETURN_CSTRING(pnstrdup(text, length));
}

/*
 * sla.schedule_recv(internal) RETURNS sla.schedule
 *
 * Format, flags, text.  The text is read as the input function does: nothing
 * that a client sends is believed.
 */
Datum
sla_schedule_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			format = pq_getmsgbyte(message);
	int			flags = pq_getmsgbyte(message);
	char	   *text;
	int			length;

	if (format != SLA_SCHEDULE_FORMAT)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported schedule format version %d", format)));
	if (flags != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("unsupported schedule flags %d", flags)));
	text = pq_getmsgtext(message, message->len - message->cursor, &length);
	PG_RETURN_POINTER(value_of_text(text, length, NULL));
}

/*
 * sla.schedule_send(sla.schedule) RETURNS bytea
 */
Datum
sla_schedule_send(PG_FUNCTION_ARGS)
{
	uint32		length;
	const char *text = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &length);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbyte(&message, SLA_SCHEDULE_FORMAT);
	pq_sendbyte(&message, 0);
	pq_sendtext(&message, text, (int) length);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/*
 * sla.schedule(time_zone text, hours text, holidays date[]) RETURNS sla.schedule
 *
 * Holidays may come in any order and more than once; they must be finite, not
 * NULL, and of the years 0001 to 9999.
 */
Datum
sla_schedule_make(PG_FUNCTION_ARGS)
{
	char	   *zone_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	text	   *hours_text = PG_GETARG_TEXT_PP(1);
	ArrayType  *days = PG_GETARG_ARRAYTYPE_P(2);
	sla_part	part = {0};
	const char *canonical_zone;
	Datum	   *elements;
	bool	   *nulls;
	int			n;
	sla_holiday *holidays;
	StringInfoData canonical;

	part.zone = sla_zone_named(zone_name, &canonical_zone);
	part.hours = sla_hours_read(VARDATA_ANY(hours_text), VARSIZE_ANY_EXHDR(hours_text), NULL);

	deconstruct_array(days, DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &elements, &nulls, &n);
	holidays = palloc(sizeof(sla_holiday) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("holidays must not contain nulls")));
		holidays[i] = (sla_holiday) {.day = DatumGetDateADT(elements[i]), .usual_hours = true};
		sla_check_holiday_day(holidays[i].day);
	}
	qsort(holidays, n, sizeof(sla_holiday), compare_holidays);
	for (int i = 0; i < n; i++)
	{
		if (i == 0 || holidays[i].day != holidays[part.nholidays - 1].day)
			holidays[part.nholidays++] = holidays[i];
	}
	part.holidays = holidays;

	initStringInfo(&canonical);
	append_part(&canonical, canonical_zone, &part);
	PG_RETURN_POINTER(make_value(canonical.data, canonical.len));
}

/* Refuse a day that cannot be a holiday. */
void
sla_check_holiday_day(sla_date day)
{
	if (day < SLA_FIRST_HOLIDAY || day > SLA_LAST_HOLIDAY)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("holiday \"%s\" is out of range",
						DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(day)))),
				 errdetail("Holidays lie in the years 0001 to 9999.")));
}

/*
 * sla.schedule + * - sla.schedule
 *
 * What is open in either, in both, in the first but not in the second.  The
 * result is read once more, so that what cannot be used is not made.
 */
static Datum
combined(FunctionCallInfo fcinfo, char operator)
{
	uint32		left_length;
	uint32		right_length;
	const char *left = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &left_length);
	const char *right = sla_schedule_text(PG_GETARG_VARLENA_PP(1), &right_length);
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfoChar(&text, '(');
	appendBinaryStringInfo(&text, left, (int) left_length);
	appendStringInfo(&text, ") %c (", operator);
	appendBinaryStringInfo(&text, right, (int) right_length);
	appendStringInfoChar(&text, ')');
	PG_RETURN_POINTER(value_of_text(text.data, text.len, NULL));
}

Datum
sla_schedule_union(PG_FUNCTION_ARGS)
{
	return combined(fcinfo, '+');
}

Datum
sla_schedule_intersection(PG_FUNCTION_ARGS)
{
	return combined(fcinfo, '*');
}

Datum
sla_schedule_difference(PG_FUNCTION_ARGS)
{
	return combined(fcinfo, '-');
}

/*
 * Comparison, of the canonical texts byte by byte: an order to sort, group and
 * join by, and nothing about who is open longer.
 */
static int
compare(FunctionCallInfo fcinfo)
{
	uint32		a_length;
	uint32		b_length;
	const char *a = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &a_length);
	const char *b = sla_schedule_text(PG_GETARG_VARLENA_PP(1), &b_length);
	int			result = memcmp(a, b, Min(a_length, b_length));

	if (result == 0)
		return (a_length > b_length) - (a_length < b_length);
	return result > 0 ? 1 : -1;
}

Datum
sla_schedule_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) == 0);
}

Datum
sla_schedule_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) != 0);
}

Datum
sla_schedule_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) < 0);
}

Datum
sla_schedule_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) <= 0);
}

Datum
sla_schedule_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) > 0);
}

Datum
sla_schedule_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare(fcinfo) >= 0);
}

Datum
sla_schedule_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

Datum
sla_schedule_hash(PG_FUNCTION_ARGS)
{
	uint32		length;
	const char *text = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &length);

	return hash_any((const unsigned char *) text, (int) length);
}

Datum
sla_schedule_hash_extended(PG_FUNCTION_ARGS)
{
	uint32		length;
	const char *text = sla_schedule_text(PG_GETARG_VARLENA_PP(0), &length);

	return hash_any_extended((const unsigned char *) text, (int) length,
							 PG_GETARG_INT64(1));
}
