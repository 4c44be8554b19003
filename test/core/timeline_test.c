/*
 * timeline_test.c
 *		Business time against a slow reading of its definition, and its laws.
 *
 * The oracle writes out every window of every date of a few years, maps them
 * to instants by the text of the server's rule, and answers all questions by
 * walking the list.  It shares with the timeline only sla_hours_on.  Where its
 * list ends it says so, and then the answer is compared with nothing but the
 * laws and the 400-year cycle, which hold over all of time.
 *
 * timeline_test [seed [rounds]]: other schedules, more of them; more also when
 * TEST_DEEP is set.
 */
#include "testing.h"

#include <setjmp.h>

#include "../../src/core/explain.h"
#include "../../src/core/timeline.h"

#define DAY				SLA_SECS_PER_DAY
#define USECS			SLA_USECS_PER_SEC
#define HOUR			(INT64_C(3600) * USECS)
#define CYCLE_SECONDS	(INT64_C(146097) * DAY)
#define CYCLE			(CYCLE_SECONDS * USECS)

static uint64_t first_seed;
static int	round_number;

#define FAIL_NOTE	"seed %" PRIu64 " round %d"
#define FAIL_ARGS	first_seed, round_number

/* In [low, high). */
static int64_t
between(int64_t low, int64_t high)
{
	uint64_t	range = (uint64_t) high - (uint64_t) low;
	uint64_t	chance = testing_random(UINT64_C(1) << 32);

	chance = chance << 32 | testing_random(UINT64_C(1) << 32);
	return (int64_t) ((uint64_t) low + chance % range);
}

static bool
one_in(int n)
{
	return testing_random((uint64_t) n) == 0;
}

/* ------------------------------------------------------------------------
 * Dates
 * ------------------------------------------------------------------------
 */

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

/* Days from 2000-01-01, counted year by year and month by month. */
static int64_t
date_of(int64_t year, int month, int day)
{
	int64_t		days = 0;

	for (int64_t y = 2000; y < year; y++)
		days += is_leap(y) ? 366 : 365;
	for (int64_t y = year; y < 2000; y++)
		days -= is_leap(y) ? 366 : 365;
	for (int m = 1; m < month; m++)
		days += month_days[m - 1] + (m == 2 && is_leap(year));
	return days + day - 1;
}

/* 2000-01-01 was a Saturday; Monday is 0. */
static int
weekday_of(int64_t date)
{
	return (int) (((date + 5) % 7 + 7) % 7);
}

/* ------------------------------------------------------------------------
 * Zones: tables of changes
 * ------------------------------------------------------------------------
 */

#define MAX_CHANGES 1400

typedef struct change
{
	int64_t		at;				/* UTC second */
	int32_t		offset;			/* from then on */
} change;

typedef struct table
{
	const char *name;
	int32_t		first_offset;
	int			n;
	bool		forever;		/* the last 400 years of it repeat */
	change		changes[MAX_CHANGES];
} table;

static void
add_change(table *zone, int64_t at, int32_t offset)
{
	if (zone->n == MAX_CHANGES)
		abort();
	zone->changes[zone->n].at = at;
	zone->changes[zone->n].offset = offset;
	zone->n++;
}

static void
start_zone(table *zone, const char *name, int32_t offset)
{
	zone->name = name;
	zone->first_offset = offset;
	zone->n = 0;
	zone->forever = false;
}

static int64_t
last_sunday(int64_t year, int month)
{
	int64_t		date = date_of(year, month, month_days[month - 1]);

	return date - (weekday_of(date) + 1) % 7;
}

static int64_t
nth_sunday(int64_t year, int month, int nth)
{
	int64_t		date = date_of(year, month, 1);

	return date + (6 - weekday_of(date)) + 7 * (nth - 1);
}

#define LAST_TABLE_YEAR 2600	/* tables that go on for ever end with it */

enum
{
	ZONE_UTC, ZONE_OSLO, ZONE_NEW_YORK, ZONE_LORD_HOWE, ZONE_HAVANA, ZONE_STJOHNS,
	ZONE_APIA, ZONE_CASABLANCA, ZONE_LMT, ZONE_TEHRAN, ZONE_KIRITIMATI, ZONE_RANDOM,
	ZONES
};

static table zones[ZONES];
static int64_t table_end;

static void
make_zones(void)
{
	int64_t		y;
	table	   *z;

	table_end = date_of(LAST_TABLE_YEAR, 1, 1) * DAY;
	start_zone(&zones[ZONE_UTC], "UTC", 0);

	z = &zones[ZONE_OSLO];
	start_zone(z, "Oslo", 2580);
	add_change(z, date_of(1894, 12, 31) * DAY - 2580, 3600);
	for (y = 1980; y < LAST_TABLE_YEAR; y++)
	{
		add_change(z, last_sunday(y, 3) * DAY + 3600, 7200);
		add_change(z, last_sunday(y, 10) * DAY + 3600, 3600);
	}
	z->forever = true;

	z = &zones[ZONE_NEW_YORK];
	start_zone(z, "New York", -17762);
	add_change(z, date_of(1883, 11, 18) * DAY + 17 * 3600, -18000);
	for (y = 2007; y < LAST_TABLE_YEAR; y++)
	{
		add_change(z, nth_sunday(y, 3, 2) * DAY + 7 * 3600, -14400);
		add_change(z, nth_sunday(y, 11, 1) * DAY + 6 * 3600, -18000);
	}
	z->forever = true;

	/* Half an hour, and the seasons the other way round. */
	z = &zones[ZONE_LORD_HOWE];
	start_zone(z, "Lord Howe", 39600);
	for (y = 1990; y < LAST_TABLE_YEAR; y++)
	{
		add_change(z, nth_sunday(y, 4, 1) * DAY + 2 * 3600 - 39600, 37800);
		add_change(z, nth_sunday(y, 10, 1) * DAY + 2 * 3600 - 37800, 39600);
	}
	z->forever = true;

	/* At midnight: 00:00 does not exist, and 23:00 exists twice. */
	z = &zones[ZONE_HAVANA];
	start_zone(z, "Havana", -18000);
	for (y = 1990; y < LAST_TABLE_YEAR; y++)
	{
		add_change(z, nth_sunday(y, 3, 2) * DAY + 18000, -14400);
		add_change(z, nth_sunday(y, 11, 1) * DAY + 14400, -18000);
	}
	z->forever = true;

	/* A minute after midnight: the first minute of a day exists twice. */
	z = &zones[ZONE_STJOHNS];
	start_zone(z, "St Johns", -12652);
	add_change(z, date_of(1935, 3, 30) * DAY, -12600);
	for (y = 1987; y < 2012; y++)
	{
		add_change(z, nth_sunday(y, 4, 1) * DAY + 60 + 12600, -9000);
		add_change(z, last_sunday(y, 10) * DAY + 60 + 9000, -12600);
	}

	/* 2011-12-30 does not exist; before 1892 a day exists twice. */
	z = &zones[ZONE_APIA];
	start_zone(z, "Apia", 45184);
	add_change(z, date_of(1892, 7, 5) * DAY - 45184, -41216);
	add_change(z, date_of(1911, 1, 1) * DAY + 41216, -41400);
	add_change(z, date_of(1950, 1, 1) * DAY + 41400, -39600);
	add_change(z, date_of(2010, 9, 26) * DAY + 39600, -36000);
	add_change(z, date_of(2011, 4, 2) * DAY + 4 * 3600 + 36000, -39600);
	add_change(z, date_of(2011, 9, 24) * DAY + 3 * 3600 + 39600, -36000);
	add_change(z, date_of(2011, 12, 30) * DAY + 36000, 50400);
	for (y = 2012; y < 2021; y++)
	{
		add_change(z, nth_sunday(y, 4, 1) * DAY + 4 * 3600 - 50400, 46800);
		add_change(z, last_sunday(y, 9) * DAY + 3 * 3600 - 46800, 50400);
	}

	/* Off for a month that moves by eleven days a year. */
	z = &zones[ZONE_CASABLANCA];
	start_zone(z, "Casablanca", 0);
	for (int64_t at = date_of(2000, 12, 1); at < date_of(2087, 1, 1); at += 354)
	{
		add_change(z, at * DAY + 2 * 3600, 0);
		add_change(z, (at + 30) * DAY + 2 * 3600, 3600);
	}

	z = &zones[ZONE_LMT];
	start_zone(z, "LMT", -56584);
	add_change(z, date_of(1844, 12, 31) * DAY, 29816);
	add_change(z, date_of(1899, 5, 11) * DAY + 13, 28800);
	add_change(z, date_of(2150, 6, 1) * DAY - 7, 28813);

	z = &zones[ZONE_TEHRAN];
	start_zone(z, "Tehran", 12344);
	add_change(z, date_of(1935, 6, 13) * DAY, 12600);
	for (y = 1991; y < 2023; y++)
	{
		add_change(z, date_of(y, 3, 21) * DAY + DAY - 12600, 16200);
		add_change(z, date_of(y, 9, 21) * DAY + DAY - 16200, 12600);
	}

	z = &zones[ZONE_KIRITIMATI];
	start_zone(z, "Kiritimati", -37760);
	add_change(z, date_of(1994, 12, 31) * DAY + 36000, 50400);
}

static int32_t
any_offset(void)
{
	return (int32_t) (one_in(2) ? between(-56, 57) * 900 : between(-57600, 57601));
}

static void
make_random_zone(void)
{
	table	   *z = &zones[ZONE_RANDOM];
	int64_t		at = between(date_of(1800, 1, 2), date_of(1990, 1, 1)) * DAY;

	start_zone(z, "random", any_offset());
	while (z->n < 300 && at < date_of(2199, 12, 20) * DAY)
	{
		add_change(z, at, any_offset());
		at += between(4 * DAY, one_in(5) ? 5000 * DAY : 200 * DAY);
	}
}

/* Instants from 2200 on for ever, moved into the years of the table. */
static int64_t
into_table(const table *zone, int64_t second)
{
	if (zone->forever && second >= table_end)
		second -= ((second - table_end) / CYCLE_SECONDS + 1) * CYCLE_SECONDS;
	return second;
}

/* The number of changes at or before a second. */
static int
changes_until(const table *zone, int64_t second)
{
	int			low = 0;
	int			high = zone->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (zone->changes[middle].at <= second)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int32_t
offset_after(const table *zone, int changes)
{
	return changes == 0 ? zone->first_offset : zone->changes[changes - 1].offset;
}

/* What the timeline is given. */
static int32_t
table_offset_at(const void *data, int64_t second, int64_t *until)
{
	const table *zone = data;
	int64_t		inside = into_table(zone, second);
	int			n = changes_until(zone, inside);

	if (n < zone->n)
		*until = zone->changes[n].at + (second - inside);
	else if (zone->forever)
		*until = table_end + (second - inside);
	else
		*until = INT64_MAX;
	return offset_after(zone, n);
}

/* A change moves wall-clock readings at the time that the clock shows after it. */
static int32_t
table_offset_of(const void *data, int64_t second, int64_t *until)
{
	const table *zone = data;
	int64_t		inside = into_table(zone, second);
	int			low = 0;
	int			high = zone->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (zone->changes[middle].at + zone->changes[middle].offset <= inside)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < zone->n)
		*until = zone->changes[low].at + zone->changes[low].offset + (second - inside);
	else if (zone->forever)
		*until = table_end + (second - inside);
	else
		*until = INT64_MAX;
	return offset_after(zone, low);
}

/* What the oracle uses: the definitions, candidate by candidate. */
static int32_t
slow_offset(const table *zone, int64_t second)
{
	return offset_after(zone, changes_until(zone, into_table(zone, second)));
}

/*
 * The server's rule: the instant that has this wall-clock time; of two the
 * later; of none, what the offset before the change gives.
 */
static int64_t
slow_read(const table *zone, int64_t local)
{
	int64_t		shift = local - into_table(zone, local);
	int			near;
	bool		found = false;
	int64_t		best = 0;

	local -= shift;
	near = changes_until(zone, local);
	for (int n = near - 2; n <= near + 2; n++)
	{
		int64_t		second;

		if (n < 0 || n > zone->n)
			continue;
		second = local - offset_after(zone, n);
		if (changes_until(zone, second) != n)
			continue;
		if (!found || second > best)
			best = second;
		found = true;
	}
	for (int n = near - 2; n <= near + 2 && !found; n++)
	{
		if (n < 0 || n >= zone->n)
			continue;
		if (local >= zone->changes[n].at + offset_after(zone, n) &&
			local < zone->changes[n].at + zone->changes[n].offset)
		{
			best = local - offset_after(zone, n);
			found = true;
		}
	}
	if (!found)
		abort();
	return best + shift;
}

static const table *
zone_table(const sla_part *part)
{
	return part->zone.data;
}

static sla_zone
zone_of(int number)
{
	return (sla_zone) {table_offset_at, table_offset_of, &zones[number]};
}

/* ------------------------------------------------------------------------
 * Schedules
 * ------------------------------------------------------------------------
 */

static sla_hours *
parse(const char *text)
{
	sla_fault	fault;
	sla_hours  *hours = sla_hours_parse(&testing_env, text, strlen(text), &fault);

	if (hours == NULL)
	{
		fprintf(stderr, "refused: %s\n%s\n", text, fault.reason);
		abort();
	}
	return hours;
}

static sla_schedule *
make_part(const char *text, int zone)
{
	sla_schedule *schedule = testing_alloc(NULL, sizeof(*schedule));

	memset(schedule, 0, sizeof(*schedule));
	schedule->kind = SLA_SCHEDULE_PART;
	schedule->part.zone = zone_of(zone);
	schedule->part.hours = parse(text);
	schedule->part.from_day = SLA_DATE_FIRST;
	schedule->part.to_day = SLA_DATE_LAST;
	return schedule;
}

static sla_schedule *
combine(sla_schedule_kind kind, sla_schedule *left, sla_schedule *right)
{
	sla_schedule *schedule = testing_alloc(NULL, sizeof(*schedule));

	memset(schedule, 0, sizeof(*schedule));
	schedule->kind = kind;
	schedule->left = left;
	schedule->right = right;
	return schedule;
}

static void
free_schedule(const sla_schedule *schedule)
{
	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		for (int i = 0; i < schedule->part.nholidays; i++)
		{
			if (schedule->part.holidays[i].windows != NULL)
				testing_release(NULL, (void *) schedule->part.holidays[i].windows);
			if (schedule->part.holidays[i].closed != NULL)
				testing_release(NULL, (void *) schedule->part.holidays[i].closed);
		}
		if (schedule->part.holidays != NULL)
			testing_release(NULL, (void *) schedule->part.holidays);
		testing_release(NULL, (void *) schedule->part.hours);
	}
	else
	{
		free_schedule(schedule->left);
		free_schedule(schedule->right);
	}
	testing_release(NULL, (void *) schedule);
}

typedef struct text
{
	char		data[8192];
	size_t		length;
} text;

__attribute__((format(printf, 2, 3)))
static void
append(text *text, const char *format,...)
{
	va_list		arguments;

	va_start(arguments, format);
	text->length += (size_t) vsnprintf(text->data + text->length,
									   sizeof(text->data) - text->length, format, arguments);
	va_end(arguments);
	if (text->length >= sizeof(text->data))
		abort();
}

static const char *const weekdays[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
"Aug", "Sep", "Oct", "Nov", "Dec"};

static void
append_clock(text *text, int64_t minute)
{
	append(text, "%02d:%02d", (int) (minute / 60), (int) (minute % 60));
}

static void
append_times(text *text)
{
	if (one_in(40))
	{
		/* More than anybody has: some forty a day. */
		for (int minute = 0; minute < 1440; minute += 35)
		{
			append(text, minute > 0 ? "," : "");
			append_clock(text, minute);
			append(text, "-");
			append_clock(text, minute + between(1, 35));
		}
		return;
	}
	for (int64_t n = between(1, one_in(4) ? 5 : 3), first = n; n > 0; n--)
	{
		int64_t		from = between(0, 1440);
		int64_t		to = from + (one_in(3) ? between(1, 1441) : between(1, 400));

		if (one_in(4))
			from = between(0, 24) * 60;
		if (one_in(6))
			to = 1440;
		if (to <= from)
			to = from + 30;
		append(text, n < first ? "," : "");
		append_clock(text, from);
		append(text, "-");
		append_clock(text, to);
	}
}

static void
append_dates(text *text, int year)
{
	int64_t		month = between(0, 12);

	if (one_in(3))
		append(text, "%04d ", (int) between(year - 2, year + 3));
	switch (testing_random(3))
	{
		case 0:
			append(text, "%s %d", months[month], (int) between(1, 29));
			break;
		case 1:
			append(text, "%s %d-%d", months[month], (int) between(1, 10), (int) between(11, 29));
			break;
		default:
			append(text, "%s", months[month]);
			break;
	}
	append(text, " ");
}

static void
random_hours(text *text, int year)
{
	text->length = 0;
	switch (testing_random(12))
	{
		case 0:
			append(text, "24/7");
			break;
		case 1:
			append(text, "Mo-Fr 08:00-17:00");
			break;
		case 2:
			append(text, "%s %d ", months[testing_random(12)], (int) between(1, 29));
			append_times(text);
			break;
		case 3:
			append(text, "%04d %s %d ", (int) between(year - 1, year + 2),
				   months[testing_random(12)], (int) between(1, 29));
			append_times(text);
			break;
		default:
			append(text, "Mo-%s ", weekdays[between(1, 7)]);
			append_times(text);
			break;
	}
	for (int64_t n = between(0, 5); n > 0; n--)
	{
		append(text, one_in(4) ? ", " : "; ");
		if (one_in(2))
			append_dates(text, year);
		if (one_in(2))
			append(text, "%s ", weekdays[testing_random(7)]);
		if (one_in(3))
			append(text, "off");
		else
			append_times(text);
	}
	if (one_in(12))
		append(text, "; easter off");
	if (one_in(3))
	{
		append(text, "; PH ");
		if (one_in(3))
			append(text, "off");
		else
			append_times(text);
	}
}

static void
add_holidays(sla_part *part, int64_t around)
{
	int			n = (int) between(1, 12);
	sla_holiday *holidays = testing_alloc(NULL, (size_t) n * sizeof(sla_holiday));
	int64_t		day = around - between(0, 500);

	for (int i = 0; i < n; i++)
	{
		sla_holiday *holiday = &holidays[i];

		memset(holiday, 0, sizeof(*holiday));
		holiday->day = (sla_date) day;
		holiday->usual_hours = one_in(3);
		if (!holiday->usual_hours && one_in(2))
		{
			sla_window *windows = testing_alloc(NULL, 3 * sizeof(sla_window));
			int			second = (int) between(0, 20000);

			holiday->windows = windows;
			holiday->nwindows = (int) between(1, 4);
			for (int w = 0; w < holiday->nwindows; w++)
			{
				windows[w].from = second;
				windows[w].to = second + (int) between(1, 20000);
				second = windows[w].to + (int) between(1, 5000);
			}
			if (one_in(3))
				windows[holiday->nwindows - 1].to = windows[holiday->nwindows - 1].from + 86400;
		}
		if (one_in(4))
		{
			sla_window *windows = testing_alloc(NULL, 2 * sizeof(sla_window));

			holiday->working_day = !holiday->usual_hours && holiday->nwindows == 0;
			holiday->nclosed = (int) between(1, 3);
			holiday->closed = windows;
			windows[0].from = (int) between(0, 80000);
			windows[0].to = windows[0].from + (int) between(1, 30000);
			windows[1].from = windows[0].to + (int) between(1, 10000);
			windows[1].to = windows[1].from + (int) between(1, 40000);
		}
		day += one_in(4) ? 1 : between(1, 200);
	}
	part->holidays = holidays;
	part->nholidays = n;
}

static sla_schedule *
random_part(int64_t around, int year, text *text)
{
	struct text hours;
	sla_schedule *schedule;

	random_hours(&hours, year);
	schedule = make_part(hours.data, (int) testing_random(ZONES));
	append(text, "[%s: %s]", zone_table(&schedule->part)->name, hours.data);
	if (one_in(2))
		add_holidays(&schedule->part, around);
	return schedule;
}

/* Versions of a calendar, one after the other, or anything put together. */
static sla_schedule *
random_schedule(int64_t around, int year, text *text)
{
	sla_schedule *schedule;

	text->length = 0;
	text->data[0] = '\0';
	schedule = random_part(around, year, text);
	if (one_in(5))
	{
		int64_t		day = around - between(0, 700);

		for (int64_t n = between(1, 4); n > 0; n--)
		{
			sla_schedule *next = random_part(around, year, text);
			sla_schedule *last = schedule;

			while (last->kind != SLA_SCHEDULE_PART)
				last = (sla_schedule *) last->right;
			last->part.to_day = (sla_date) day;
			next->part.from_day = (sla_date) (day + (one_in(4) ? between(-5, 20) : 0));
			schedule = combine(SLA_SCHEDULE_UNION, schedule, next);
			day += between(1, 500);
		}
		if (one_in(3))
		{
			sla_schedule *last = schedule;

			while (last->kind != SLA_SCHEDULE_PART)
				last = (sla_schedule *) last->right;
			last->part.to_day = (sla_date) day;
		}
	}
	else
	{
		for (int64_t n = one_in(3) ? between(1, 4) : 0; n > 0; n--)
		{
			sla_schedule_kind kind = (sla_schedule_kind) between(SLA_SCHEDULE_UNION,
																 SLA_SCHEDULE_DIFFERENCE + 1);
			sla_schedule *other = random_part(around, year, text);

			append(text, "%c", kind == SLA_SCHEDULE_UNION ? '+' :
				   kind == SLA_SCHEDULE_INTERSECTION ? '*' : '-');
			schedule = one_in(2) ? combine(kind, schedule, other) :
				combine(kind, other, schedule);
		}
	}
	return schedule;
}

/* ------------------------------------------------------------------------
 * The oracle
 * ------------------------------------------------------------------------
 */

typedef struct list
{
	sla_span   *spans;			/* in seconds */
	int			n;
	int			room;
} list;

static void
list_add(list *list, int64_t from, int64_t to)
{
	if (list->n == list->room)
	{
		list->room = list->room > 0 ? list->room * 2 : 1024;
		list->spans = realloc(list->spans, (size_t) list->room * sizeof(sla_span));
		if (list->spans == NULL)
			abort();
	}
	list->spans[list->n].from = from;
	list->spans[list->n].to = to;
	list->n++;
}

static int
compare_spans(const void *a, const void *b)
{
	int64_t		left = ((const sla_span *) a)->from;
	int64_t		right = ((const sla_span *) b)->from;

	return left < right ? -1 : left > right;
}

static int
compare_seconds(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return left < right ? -1 : left > right;
}

/* Sort, and put together what touches or overlaps. */
static void
list_normalize(list *list)
{
	int			n = 0;

	if (list->n == 0)
		return;
	qsort(list->spans, (size_t) list->n, sizeof(sla_span), compare_spans);
	for (int i = 1; i < list->n; i++)
	{
		if (list->spans[i].from <= list->spans[n].to)
		{
			if (list->spans[i].to > list->spans[n].to)
				list->spans[n].to = list->spans[i].to;
		}
		else
			list->spans[++n] = list->spans[i];
	}
	list->n = n + 1;
}

/* Where a second lies: the number of the last span that begins at or before it. */
static int
list_find(const list *list, int64_t second)
{
	int			low = 0;
	int			high = list->n;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (list->spans[middle].from <= second)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

static bool
list_open(const list *list, int64_t second)
{
	int			i = list_find(list, second);

	return i >= 0 && second < list->spans[i].to;
}

/* Take away the time that holidays close, one after the other. */
static void
slow_close(const sla_part *part, int64_t from, int64_t to, list *open)
{
	for (int h = 0; h < part->nholidays; h++)
	{
		const sla_holiday *holiday = &part->holidays[h];

		if (holiday->day < from - 4 || holiday->day >= to + 4 ||
			(part->from_day != SLA_DATE_FIRST && holiday->day < part->from_day) ||
			(part->to_day != SLA_DATE_LAST && holiday->day >= part->to_day))
			continue;
		for (int c = 0; c < holiday->nclosed; c++)
		{
			int64_t		starts = slow_read(zone_table(part),
										   holiday->day * DAY + holiday->closed[c].from);
			int64_t		ends = slow_read(zone_table(part),
										 holiday->day * DAY + holiday->closed[c].to);
			list		left = {NULL, 0, 0};

			if (starts >= ends)
				continue;
			for (int i = 0; i < open->n; i++)
			{
				int64_t		opens = open->spans[i].from;
				int64_t		closes = open->spans[i].to;

				if (opens < starts)
					list_add(&left, opens, closes < starts ? closes : starts);
				if (closes > ends)
					list_add(&left, opens > ends ? opens : ends, closes);
			}
			free(open->spans);
			*open = left;
		}
	}
}

/* All that is open in the days [from, to), and more around. */
static list
slow_expand(const sla_schedule *schedule, int64_t from, int64_t to)
{
	list		result = {NULL, 0, 0};

	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		const sla_part *part = &schedule->part;
		sla_window *windows = malloc((size_t) sla_hours_max_windows(part->hours) *
									 sizeof(sla_window));

		for (int64_t day = from - 4; day < to + 4; day++)
		{
			int			n = -1;
			const sla_window *list = windows;

			if (part->from_day != SLA_DATE_FIRST && day < part->from_day)
				continue;
			if (part->to_day != SLA_DATE_LAST && day >= part->to_day)
				continue;
			for (int h = 0; h < part->nholidays; h++)
			{
				if (part->holidays[h].day != day)
					continue;
				if (part->holidays[h].working_day)
					n = sla_hours_on(part->hours, (sla_date) day, false, windows);
				else if (!part->holidays[h].usual_hours)
				{
					n = part->holidays[h].nwindows;
					list = part->holidays[h].windows;
				}
				else if (!sla_hours_names_holidays(part->hours))
					n = 0;
				else
					n = sla_hours_on(part->hours, (sla_date) day, true, windows);
			}
			if (n < 0)
				n = sla_hours_on(part->hours, (sla_date) day, false, windows);
			for (int w = 0; w < n; w++)
			{
				int64_t		opens = slow_read(zone_table(part), day * DAY + list[w].from);
				int64_t		closes = slow_read(zone_table(part), day * DAY + list[w].to);

				if (opens < closes)
					list_add(&result, opens, closes);
			}
		}
		free(windows);
		slow_close(part, from, to, &result);
	}
	else
	{
		list		left = slow_expand(schedule->left, from, to);
		list		right = slow_expand(schedule->right, from, to);
		int64_t    *edges = malloc((size_t) (2 * (left.n + right.n) + 1) * sizeof(int64_t));
		int			n = 0;

		/* Between two edges nothing changes. */
		for (int i = 0; i < left.n; i++)
		{
			edges[n++] = left.spans[i].from;
			edges[n++] = left.spans[i].to;
		}
		for (int i = 0; i < right.n; i++)
		{
			edges[n++] = right.spans[i].from;
			edges[n++] = right.spans[i].to;
		}
		qsort(edges, (size_t) n, sizeof(int64_t), compare_seconds);
		for (int i = 0; i + 1 < n; i++)
		{
			bool		l = list_open(&left, edges[i]);
			bool		r = list_open(&right, edges[i]);

			if (edges[i] < edges[i + 1] &&
				(schedule->kind == SLA_SCHEDULE_UNION ? l || r :
				 schedule->kind == SLA_SCHEDULE_INTERSECTION ? l && r : l && !r))
				list_add(&result, edges[i], edges[i + 1]);
		}
		free(edges);
		free(left.spans);
		free(right.spans);
	}
	list_normalize(&result);
	return result;
}

/* What the list can tell: nothing outside of [from, to). */
typedef struct oracle
{
	const sla_schedule *schedule;
	list		open;
	sla_instant from;
	sla_instant to;
	int64_t    *edges;			/* seconds at which open or date may change */
	int			nedges;
} oracle;

static void
collect_zones(const sla_schedule *schedule, const table **found, int *n)
{
	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		for (int i = 0; i < *n; i++)
			if (found[i] == zone_table(&schedule->part))
				return;
		found[(*n)++] = zone_table(&schedule->part);
		return;
	}
	collect_zones(schedule->left, found, n);
	collect_zones(schedule->right, found, n);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
	int64_t		q = a / b;

	return q * b > a ? q - 1 : q;
}

static void
oracle_add_edge(oracle *oracle, int64_t second, int *room)
{
	if (oracle->nedges == *room)
	{
		*room = *room > 0 ? *room * 2 : 4096;
		oracle->edges = realloc(oracle->edges, (size_t) *room * sizeof(int64_t));
		if (oracle->edges == NULL)
			abort();
	}
	oracle->edges[oracle->nedges++] = second;
}

static oracle
make_oracle(const sla_schedule *schedule, int64_t from_day, int64_t to_day)
{
	oracle		result = {.schedule = schedule};
	const table *tables[ZONES];
	int			ntables = 0;
	int			room = 0;
	int			n = 0;

	result.open = slow_expand(schedule, from_day, to_day);
	result.from = from_day * DAY * USECS;
	result.to = to_day * DAY * USECS;

	for (int i = 0; i < result.open.n; i++)
	{
		oracle_add_edge(&result, result.open.spans[i].from, &room);
		oracle_add_edge(&result, result.open.spans[i].to, &room);
	}
	collect_zones(schedule, tables, &ntables);
	for (int z = 0; z < ntables; z++)
	{
		int64_t		second = (from_day - 4) * DAY;

		/* Midnights, and the instants at which the clock changes. */
		while (second < (to_day + 4) * DAY)
		{
			int64_t		until;
			int32_t		offset = table_offset_at(tables[z], second, &until);

			oracle_add_edge(&result, second, &room);
			for (int64_t day = floor_div(second + offset, DAY) + 1;
				 day * DAY - offset < until && day < to_day + 4; day++)
				oracle_add_edge(&result, day * DAY - offset, &room);
			second = until;
		}
	}
	qsort(result.edges, (size_t) result.nedges, sizeof(int64_t), compare_seconds);
	for (int i = 0; i < result.nedges; i++)
		if (i == 0 || result.edges[i] != result.edges[n - 1])
			result.edges[n++] = result.edges[i];
	result.nedges = n;
	return result;
}

static void
free_oracle(oracle *oracle)
{
	free(oracle->open.spans);
	free(oracle->edges);
}

/* Open time in [a, b) by adding up every stretch. */
static int64_t
slow_measure(const oracle *oracle, sla_instant a, sla_instant b)
{
	int64_t		sum = 0;

	if (b < a)
		return -slow_measure(oracle, b, a);
	for (int i = 0; i < oracle->open.n; i++)
	{
		int64_t		from = oracle->open.spans[i].from * USECS;
		int64_t		to = oracle->open.spans[i].to * USECS;

		if (from < a)
			from = a;
		if (to > b)
			to = b;
		if (from < to)
			sum += to - from;
	}
	return sum;
}

/* False when the list ends first. */
static bool
slow_advance(const oracle *oracle, sla_instant t, int64_t amount, sla_instant *result)
{
	if (amount > 0)
	{
		for (int i = 0; i < oracle->open.n; i++)
		{
			int64_t		from = oracle->open.spans[i].from * USECS;
			int64_t		to = oracle->open.spans[i].to * USECS;

			if (from < t)
				from = t;
			if (to <= from)
				continue;
			if (amount <= to - from)
			{
				*result = from + amount;
				return *result < oracle->to;
			}
			amount -= to - from;
		}
		return false;
	}
	amount = -amount;
	for (int i = oracle->open.n - 1; i >= 0; i--)
	{
		int64_t		from = oracle->open.spans[i].from * USECS;
		int64_t		to = oracle->open.spans[i].to * USECS;

		if (to > t)
			to = t;
		if (to <= from)
			continue;
		if (amount <= to - from)
		{
			*result = to - amount;
			return *result > oracle->from;
		}
		amount -= to - from;
	}
	return false;
}

/* The first opening (closing) after t, or the last before it. */
static bool
slow_edge(const oracle *oracle, sla_instant t, bool forward, bool opening, sla_instant *result)
{
	bool		found = false;

	for (int i = 0; i < oracle->open.n; i++)
	{
		int64_t		edge = (opening ? oracle->open.spans[i].from :
							oracle->open.spans[i].to) * USECS;

		if (forward ? edge > t && !found : edge < t)
		{
			*result = edge;
			found = true;
		}
	}
	/* An edge of the list itself is none. */
	return found && *result > oracle->from && *result < oracle->to;
}

static const sla_part *
slow_part_on(const sla_schedule *schedule, int64_t day)
{
	const sla_part *part;

	if (schedule->kind == SLA_SCHEDULE_PART)
	{
		part = &schedule->part;
		if (part->from_day != SLA_DATE_FIRST && day < part->from_day)
			return NULL;
		if (part->to_day != SLA_DATE_LAST && day >= part->to_day)
			return NULL;
		return part;
	}
	part = slow_part_on(schedule->left, day);
	return part != NULL ? part : slow_part_on(schedule->right, day);
}

static const sla_part *
slow_leftmost(const sla_schedule *schedule)
{
	while (schedule->kind != SLA_SCHEDULE_PART)
		schedule = schedule->left;
	return &schedule->part;
}

static const table *
slow_zone_on(const sla_schedule *schedule, int64_t day)
{
	const sla_part *part = slow_part_on(schedule, day);

	return zone_table(part != NULL ? part : slow_leftmost(schedule));
}

/* The local second of an instant's second, in the zone that decides. */
static bool
slow_local_in(const sla_schedule *schedule, int64_t second, int64_t *local)
{
	const sla_part *part = &schedule->part;

	if (schedule->kind != SLA_SCHEDULE_PART)
		return slow_local_in(schedule->left, second, local) ||
			slow_local_in(schedule->right, second, local);
	*local = second + slow_offset(zone_table(part), second);
	return slow_part_on(schedule, floor_div(*local, DAY)) != NULL;
}

static int64_t
slow_local(const sla_schedule *schedule, int64_t second)
{
	int64_t		local;

	if (!slow_local_in(schedule, second, &local))
		local = second + slow_offset(zone_table(slow_leftmost(schedule)), second);
	return local;
}

static int
first_edge_from(const oracle *oracle, int64_t second)
{
	int			low = 0;
	int			high = oracle->nedges;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (oracle->edges[middle] < second)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Between two edges neither the date nor open or closed change, so what is
 * open of a date is a number of such pieces.
 */
static bool
slow_is_business_day(const oracle *oracle, int64_t day)
{
	const table *zone = slow_zone_on(oracle->schedule, day);

	for (int i = first_edge_from(oracle, (day - 1) * DAY);
		 i < oracle->nedges && oracle->edges[i] < (day + 2) * DAY; i++)
	{
		int64_t		second = oracle->edges[i];

		if (floor_div(second + slow_offset(zone, second), DAY) == day &&
			list_open(&oracle->open, second))
			return true;
	}
	return false;
}

/* False when the list ends first. */
static bool
slow_nth_business_day(const oracle *oracle, int64_t day, int64_t n, int64_t *result)
{
	while (n != 0)
	{
		day += n > 0 ? 1 : -1;
		if (day >= oracle->to / USECS / DAY - 2 || day <= oracle->from / USECS / DAY + 2)
			return false;
		if (slow_is_business_day(oracle, day))
			n += n > 0 ? -1 : 1;
	}
	*result = day;
	return true;
}

static bool
slow_advance_days(const oracle *oracle, sla_instant t, int64_t n, sla_instant *result)
{
	const table *zone;
	int64_t		local;
	int64_t		clock;
	int64_t		day;
	sla_instant wanted;
	bool		found = false;

	if (!list_open(&oracle->open, floor_div(t, USECS)))
	{
		if (!slow_edge(oracle, t, n > 0, n > 0, &wanted))
		{
			/* It may close just then. */
			if (n > 0 || !list_open(&oracle->open, floor_div(t - 1, USECS)))
				return false;
		}
		if (n < 0 && list_open(&oracle->open, floor_div(t - 1, USECS)))
			wanted = t;
		t = wanted;
	}
	if (list_open(&oracle->open, floor_div(t, USECS)))
	{
		local = slow_local(oracle->schedule, floor_div(t, USECS));
		clock = (local - floor_div(local, DAY) * DAY) * USECS + (t - floor_div(t, USECS) * USECS);
	}
	else
	{
		local = slow_local(oracle->schedule, t / USECS - 1);
		clock = (local - floor_div(local, DAY) * DAY + 1) * USECS;
	}
	if (!slow_nth_business_day(oracle, floor_div(local, DAY), n, &day))
		return false;
	zone = slow_zone_on(oracle->schedule, day);
	wanted = slow_read(zone, day * DAY + clock / USECS) * USECS + clock % USECS;

	for (int i = first_edge_from(oracle, (day - 1) * DAY);
		 i + 1 < oracle->nedges && oracle->edges[i] < (day + 2) * DAY; i++)
	{
		int64_t		second = oracle->edges[i];
		sla_instant from = second * USECS;
		sla_instant to = oracle->edges[i + 1] * USECS;

		if (floor_div(second + slow_offset(zone, second), DAY) != day ||
			!list_open(&oracle->open, second))
			continue;
		if (to > wanted)
		{
			*result = from > wanted ? from : wanted;
			return true;
		}
		*result = to;
		found = true;
	}
	return found;
}

/*
 * The end of the windows that begin on a date, INT64_MIN when it has none.
 * Only for schedules of which that can be read off the windows.
 */
static int64_t
slow_windows_end(const sla_schedule *schedule, int64_t day)
{
	const sla_part *part = &schedule->part;
	sla_window	windows[64];
	const sla_window *window = windows;
	int			n;
	int64_t		end = INT64_MIN;
	list		open = {NULL, 0, 0};
	const sla_holiday *today = NULL;

	if (schedule->kind == SLA_SCHEDULE_UNION)
	{
		int64_t		right = slow_windows_end(schedule->right, day);

		end = slow_windows_end(schedule->left, day);
		return end > right ? end : right;
	}
	if ((part->from_day != SLA_DATE_FIRST && day < part->from_day) ||
		(part->to_day != SLA_DATE_LAST && day >= part->to_day))
		return end;
	for (int i = 0; i < part->nholidays; i++)
		if (part->holidays[i].day == day)
			today = &part->holidays[i];
	if (sla_hours_max_windows(part->hours) > 64)
		abort();
	n = sla_hours_on(part->hours, (sla_date) day, today != NULL && !today->working_day, windows);
	if (today != NULL && today->working_day)
		;
	else if (today != NULL && !today->usual_hours)
	{
		window = today->windows;
		n = today->nwindows;
	}
	else if (today != NULL && !sla_hours_names_holidays(part->hours))
		n = 0;
	for (; n > 0; n--, window++)
	{
		int64_t		from = slow_read(zone_table(part), day * DAY + window->from);
		int64_t		to = slow_read(zone_table(part), day * DAY + window->to);

		if (from < to)
			list_add(&open, from, to);
	}
	list_normalize(&open);
	slow_close(part, day, day + 1, &open);
	if (open.n > 0)
		end = open.spans[open.n - 1].to;
	free(open.spans);
	return end;
}

static bool
is_union(const sla_schedule *schedule)
{
	return schedule->kind == SLA_SCHEDULE_PART ||
		(schedule->kind == SLA_SCHEDULE_UNION && is_union(schedule->left) &&
		 is_union(schedule->right));
}

/* False when the list ends first, or the date says nothing of the day. */
static bool
slow_end_of_day(const oracle *oracle, sla_instant t, int64_t n, sla_instant *result)
{
	const table *zone;
	bool		open = list_open(&oracle->open, floor_div(t, USECS));
	int64_t		day;
	int64_t		end;
	bool		found = false;

	if (n >= 0)
	{
		if (!open && !slow_edge(oracle, t, true, true, &t))
			return false;
		day = floor_div(slow_local(oracle->schedule, floor_div(t, USECS)), DAY);
	}
	else
	{
		if (!open && !list_open(&oracle->open, floor_div(t - 1, USECS)) &&
			!slow_edge(oracle, t, false, false, &t))
			return false;
		day = floor_div(slow_local(oracle->schedule, floor_div(open ? t : t - 1, USECS)), DAY);
	}
	if (!slow_nth_business_day(oracle, day, n, &day))
		return false;
	zone = slow_zone_on(oracle->schedule, day);
	for (int i = first_edge_from(oracle, (day - 1) * DAY);
		 i + 1 < oracle->nedges && oracle->edges[i] < (day + 2) * DAY; i++)
	{
		int64_t		second = oracle->edges[i];

		if (floor_div(second + slow_offset(zone, second), DAY) == day &&
			list_open(&oracle->open, second))
		{
			*result = oracle->edges[i + 1] * USECS;
			found = true;
		}
	}
	end = slow_windows_end(oracle->schedule, day);
	if (found && end != INT64_MIN && end * USECS > *result)
		*result = end * USECS;
	return found;
}

/* ------------------------------------------------------------------------
 * Comparisons
 * ------------------------------------------------------------------------
 */

/* An instant near something that matters, or anywhere. */
static sla_instant
random_instant(const oracle *oracle, sla_instant from, sla_instant to)
{
	sla_instant t = between(from, to);

	if (oracle->nedges > 0 && !one_in(3))
	{
		int64_t		edge = oracle->edges[testing_random((uint64_t) oracle->nedges)];

		switch (testing_random(5))
		{
			case 0:
				t = edge * USECS;
				break;
			case 1:
				t = edge * USECS - 1;
				break;
			case 2:
				t = edge * USECS + 1;
				break;
			case 3:
				t = (edge + between(-5, 6)) * USECS;
				break;
			default:
				t = edge * USECS + between(-2 * HOUR, 2 * HOUR);
				break;
		}
	}
	else if (one_in(2))
		t -= t % USECS;
	if (t < from || t >= to)
		t = between(from, to);
	return t;
}

static int64_t
random_amount(void)
{
	switch (testing_random(4))
	{
		case 0:
			return between(1, 48) * HOUR;
		case 1:
			return between(1, 100 * USECS);
		case 2:
			return between(1, 3 * 365 * 24 * HOUR);
		default:
			return between(1, 200 * HOUR);
	}
}

#define NOTE_INSTANT(what, t, got, want) \
	do { \
		int64_t		got_ = (got); \
		int64_t		want_ = (want); \
		CHECK_THAT(got_ == want_, \
				   FAIL_NOTE " %.300s: %s(%" PRId64 ") is %" PRId64 ", want %" PRId64, \
				   FAIL_ARGS, note, what, (int64_t) (t), got_, want_); \
	} while (0)

typedef bool (*edge_function) (sla_timeline *, sla_instant, sla_instant *);

static void
compare_edge(sla_timeline *timeline, const oracle *oracle, sla_instant t, bool forward,
			 bool opening, const char *name, edge_function function, const char *note)
{
	sla_instant got;
	sla_instant want;
	bool		found = function(timeline, t, &got);

	if (slow_edge(oracle, t, forward, opening, &want))
	{
		CHECK_THAT(found, FAIL_NOTE " %.300s: %s(%" PRId64 ") is none, want %" PRId64,
				   FAIL_ARGS, note, name, t, want);
		NOTE_INSTANT(name, t, got, want);
	}
	else if (found)
		CHECK_THAT(forward ? got >= oracle->to : got <= oracle->from,
				   FAIL_NOTE " %.300s: %s(%" PRId64 ") is %" PRId64 ", want none in the list",
				   FAIL_ARGS, note, name, t, got);
}

static long pieces;				/* that were not empty */

/* A piece answers for its instants as sla_advance does. */
static void
check_piece(sla_timeline *timeline, sla_instant t, int64_t amount, const char *note)
{
	sla_piece	piece;

	/* First the other, which compiles what both need. */
	sla_instant want = sla_advance(timeline, t, amount);

	NOTE_INSTANT("advance with a piece", t, sla_advance_piece(timeline, t, amount, &piece), want);
	if (piece.length == 0)
		return;
	pieces++;
	CHECK_THAT(sla_piece_has(&piece, t), FAIL_NOTE " %.300s: the piece is elsewhere", FAIL_ARGS, note);
	CHECK(!sla_piece_has(&piece, piece.from - 1));
	for (int i = 0; i < 4; i++)
	{
		sla_instant u = i == 0 ? piece.from :
			i == 1 ? piece.from + (int64_t) piece.length - 1 :
			piece.from + between(0, (int64_t) piece.length);

		NOTE_INSTANT("advance in a piece", u, sla_piece_advance(&piece, u),
					 sla_advance(timeline, u, amount));
	}
}

static void
compare_instant(sla_timeline *timeline, const oracle *oracle, const char *note)
{
	sla_instant margin = 60 * DAY * USECS;
	sla_instant a = random_instant(oracle, oracle->from + margin, oracle->to - margin);
	sla_instant b = random_instant(oracle, oracle->from + margin, oracle->to - margin);
	bool		open = list_open(&oracle->open, floor_div(a, USECS));
	int64_t		amount = random_amount();
	int64_t		got;
	int64_t		want;
	int64_t		n;
	sla_date	day;
	sla_date	other;
	int64_t		clock;
	sla_date	got_day;
	sla_span	spans[8];
	int			nspans;
	bool		found;

	NOTE_INSTANT("is_open", a, sla_is_open(timeline, a), open);

	CHECK(sla_measure(timeline, a, b, &got));
	NOTE_INSTANT("measure", a, got, slow_measure(oracle, a, b));

	if (one_in(2))
		amount = -amount;
	if (one_in(3))
		amount = slow_measure(oracle, a, b);	/* often the end of a stretch */
	got = sla_advance(timeline, a, amount);
	if (amount == 0)
		NOTE_INSTANT("advance 0", a, got, a);
	else if (slow_advance(oracle, a, amount, &want))
		NOTE_INSTANT("advance", a, got, want);
	else
		CHECK_THAT(amount > 0 ? got >= oracle->to : got <= oracle->from,
				   FAIL_NOTE " %.300s: advance(%" PRId64 ", %" PRId64 ") is %" PRId64,
				   FAIL_ARGS, note, a, amount, got);
	check_piece(timeline, a, amount, note);
	for (int i = 0; i < 4; i++)
		check_piece(timeline, random_instant(oracle, oracle->from + margin, oracle->to - margin),
					between(1, 48) * HOUR, note);

	compare_edge(timeline, oracle, a, true, true, "next_open", sla_next_open, note);
	compare_edge(timeline, oracle, a, true, false, "next_close", sla_next_close, note);
	compare_edge(timeline, oracle, a, false, true, "previous_open", sla_previous_open, note);
	compare_edge(timeline, oracle, a, false, false, "previous_close", sla_previous_close, note);

	found = sla_roll_forward(timeline, a, &got);
	if (open)
		NOTE_INSTANT("roll_forward", a, found ? got : 0, a);
	else if (slow_edge(oracle, a, true, true, &want))
		NOTE_INSTANT("roll_forward", a, found ? got : 0, want);
	found = sla_roll_backward(timeline, a, &got);
	if (open || list_open(&oracle->open, floor_div(a - 1, USECS)))
		NOTE_INSTANT("roll_backward", a, found ? got : 0, a);
	else if (slow_edge(oracle, a, false, false, &want))
		NOTE_INSTANT("roll_backward", a, found ? got : 0, want);

	/* Stretches. */
	if (b < a)
	{
		sla_instant swap = a;

		a = b;
		b = swap;
	}
	nspans = sla_open_spans(timeline, a, b, spans, 8);
	n = 0;
	for (int i = 0; i < oracle->open.n && n < 8; i++)
	{
		sla_instant from = oracle->open.spans[i].from * USECS;
		sla_instant to = oracle->open.spans[i].to * USECS;

		if (from < a)
			from = a;
		if (to > b)
			to = b;
		if (from >= to)
			continue;
		if (n < nspans)
		{
			NOTE_INSTANT("open_spans from", a, spans[n].from, from);
			NOTE_INSTANT("open_spans to", a, spans[n].to, to);
		}
		n++;
	}
	NOTE_INSTANT("open_spans", a, nspans, n);

	/* Days. */
	want = slow_local(oracle->schedule, floor_div(a, USECS));
	sla_local_time(timeline, a, &day, &clock);
	NOTE_INSTANT("local_time", a, day * DAY * USECS + clock,
				 want * USECS + (a - floor_div(a, USECS) * USECS));
	day = (sla_date) floor_div(a, DAY * USECS);
	NOTE_INSTANT("is_business_day", day, sla_is_business_day(timeline, day),
				 slow_is_business_day(oracle, day));

	n = one_in(4) ? between(-300, 301) : between(-12, 13);
	if (slow_nth_business_day(oracle, day, n, &want))
	{
		found = sla_nth_business_day(timeline, day, n, &got_day);
		CHECK_THAT(found && got_day == want,
				   FAIL_NOTE " %.300s: nth_business_day(%d, %" PRId64 ") is %d, want %d",
				   FAIL_ARGS, note, day, n, got_day, (int) want);
	}

	other = day + (sla_date) between(-40, 41);
	want = 0;
	for (int64_t d = day < other ? day : other; d < (day < other ? other : day); d++)
		want += slow_is_business_day(oracle, d);
	NOTE_INSTANT("count_business_days", day, sla_count_business_days(timeline, day, other),
				 day < other ? want : -want);

	n = one_in(4) ? between(-100, 101) : between(-5, 6);
	if (n != 0 && slow_advance_days(oracle, a, n, &want))
	{
		got = sla_advance_days(timeline, a, n);
		CHECK_THAT(got == want,
				   FAIL_NOTE " %.300s: advance_days(%" PRId64 ", %" PRId64 ") is %" PRId64
				   ", want %" PRId64, FAIL_ARGS, note, a, n, got, want);
	}
	n = one_in(4) ? between(-100, 101) : between(-3, 4);
	if (is_union(oracle->schedule) && slow_end_of_day(oracle, a, n, &want))
	{
		got = sla_end_of_business_day(timeline, a, n);
		CHECK_THAT(got == want,
				   FAIL_NOTE " %.300s: end_of_business_day(%" PRId64 ", %" PRId64 ") is %" PRId64
				   ", want %" PRId64, FAIL_ARGS, note, a, n, got, want);
	}
}

/* All stretches and all business days that the list can tell. */
static void
compare_all(sla_timeline *timeline, const oracle *oracle, const char *note)
{
	sla_instant from = oracle->from;
	int			next = 0;
	int64_t		count = 0;
	sla_date	first = (sla_date) (oracle->from / USECS / DAY + 3);
	sla_date	end = (sla_date) (oracle->to / USECS / DAY - 3);

	while (next < oracle->open.n && oracle->open.spans[next].to * USECS <= oracle->from)
		next++;
	for (;;)
	{
		sla_span	spans[100];
		int			n = sla_open_spans(timeline, from, oracle->to, spans, 100);

		for (int i = 0; i < n; i++)
		{
			sla_span	want = {0, 0};

			if (next < oracle->open.n)
				want = oracle->open.spans[next++];
			want.from *= USECS;
			want.to *= USECS;
			if (want.from < oracle->from)
				want.from = oracle->from;
			if (want.to > oracle->to)
				want.to = oracle->to;
			if (!CHECK_THAT(spans[i].from == want.from && spans[i].to == want.to,
							FAIL_NOTE " %.300s: open [%" PRId64 ", %" PRId64 "), want [%" PRId64
							", %" PRId64 ")", FAIL_ARGS, note, spans[i].from, spans[i].to,
							want.from, want.to))
				return;
		}
		if (n < 100)
			break;
		from = spans[n - 1].to;
	}
	CHECK_THAT(next == oracle->open.n || oracle->open.spans[next].from * USECS >= oracle->to,
			   FAIL_NOTE " %.300s: %d stretches, want more", FAIL_ARGS, note, next);

	for (sla_date day = first; day < end; day++)
	{
		bool		want = slow_is_business_day(oracle, day);

		NOTE_INSTANT("is_business_day", day, sla_is_business_day(timeline, day), want);
		NOTE_INSTANT("count_business_days", day,
					 sla_count_business_days(timeline, first, day), count);
		count += want;
	}
}

/* What must hold anywhere in time. */
static void
check_laws(sla_timeline *timeline, sla_instant low, sla_instant high, const char *note)
{
	sla_instant a = between(low, high);
	sla_instant b = between(low, high);
	sla_instant c = between(low, high);
	int64_t		amount = random_amount();
	int64_t		more = random_amount();
	int64_t		ab;
	int64_t		bc;
	int64_t		ac;
	sla_instant u;
	sla_instant edge;

	if (sla_measure(timeline, a, b, &ab) && sla_measure(timeline, b, c, &bc) &&
		sla_measure(timeline, a, c, &ac))
	{
		int64_t		sum;

		NOTE_INSTANT("additivity", a, __builtin_add_overflow(ab, bc, &sum) ? 0 : sum, ac);
		CHECK_THAT((b >= a ? ab : -ab) >= 0, FAIL_NOTE " %.300s: monotone", FAIL_ARGS, note);
		CHECK_THAT(sla_measure(timeline, b, a, &bc) && bc == -ab,
				   FAIL_NOTE " %.300s: antisymmetry", FAIL_ARGS, note);
	}

	check_piece(timeline, a, amount, note);
	if (one_in(4))
		amount *= between(1, 1000);
	u = sla_advance(timeline, a, amount);
	if (u == SLA_FOREVER)
	{
		if (sla_measure(timeline, a, SLA_END_INSTANT - 1, &ab))
			CHECK_THAT(ab < amount, FAIL_NOTE " %.300s: %" PRId64 " and %" PRId64 " is not too much",
					   FAIL_ARGS, note, a, amount);
	}
	else
	{
		CHECK_THAT(u >= a, FAIL_NOTE " %.300s: forward goes back", FAIL_ARGS, note);
		CHECK(sla_measure(timeline, a, u, &ab));
		NOTE_INSTANT("measure of advance", a, ab, amount);
		/* The first such instant. */
		CHECK(sla_measure(timeline, a, u - 1, &ab));
		NOTE_INSTANT("measure of less", a, ab, amount - 1);
		NOTE_INSTANT("advance and advance", a, sla_advance(timeline, u, more),
					 sla_advance(timeline, a, amount + more));
		if (sla_measure(timeline, a, b, &ab) && b >= a)
			CHECK_THAT((u <= b) == (ab >= amount), FAIL_NOTE " %.300s: Galois", FAIL_ARGS, note);
	}
	u = sla_advance(timeline, a, -amount);
	if (u == SLA_BEFORE_ALL)
	{
		if (sla_measure(timeline, SLA_FIRST_INSTANT, a, &ab))
			CHECK_THAT(ab < amount, FAIL_NOTE " %.300s: %" PRId64 " less %" PRId64 " is not too much",
					   FAIL_ARGS, note, a, amount);
	}
	else
	{
		CHECK_THAT(u <= a, FAIL_NOTE " %.300s: backward goes on", FAIL_ARGS, note);
		CHECK(sla_measure(timeline, u, a, &ab));
		NOTE_INSTANT("measure of retreat", a, ab, amount);
		CHECK(sla_measure(timeline, u + 1, a, &ab));
		NOTE_INSTANT("measure of less retreat", a, ab, amount - 1);
		NOTE_INSTANT("retreat and retreat", a, sla_advance(timeline, u, -more),
					 sla_advance(timeline, a, -amount - more));
	}

	/* Between a and the next change nothing changes. */
	if (sla_is_open(timeline, a))
	{
		if (sla_next_close(timeline, a, &edge))
		{
			CHECK(edge > a && !sla_is_open(timeline, edge) && sla_is_open(timeline, edge - 1));
			CHECK(sla_measure(timeline, a, edge, &ab) && ab == edge - a);
			CHECK(sla_previous_close(timeline, edge + 1, &u) && u == edge);
		}
		if (sla_previous_open(timeline, a, &edge))
			CHECK(edge < a && sla_is_open(timeline, edge) && !sla_is_open(timeline, edge - 1));
	}
	else
	{
		if (sla_next_open(timeline, a, &edge))
		{
			CHECK(edge > a && sla_is_open(timeline, edge) && !sla_is_open(timeline, edge - 1));
			CHECK(sla_measure(timeline, a, edge, &ab) && ab == 0);
			CHECK(sla_previous_open(timeline, edge + 1, &u) && u == edge);
		}
		if (sla_previous_close(timeline, a, &edge))
			CHECK(edge < a + 1 && sla_is_open(timeline, edge - 1) && !sla_is_open(timeline, edge));
	}
}

/* Which starts have a deadline before `limit`, by asking it of some. */
static void
check_starts(sla_timeline *timeline, int64_t n, int64_t amount, sla_instant limit,
			 const char *note)
{
	sla_instant bound = sla_starts_before(timeline, n, amount, limit);

	for (int i = 0; i < 12; i++)
	{
		sla_instant near = i < 6 ? bound : limit;
		sla_instant t;
		bool		before;

		switch (i % 6)
		{
			case 0:
				t = near;
				break;
			case 1:
				t = near == SLA_BEFORE_ALL ? near : near - 1;
				break;
			case 2:
				t = SLA_BEFORE_ALL;
				break;
			case 3:
				t = SLA_FOREVER;
				break;
			default:
				if (near < SLA_FIRST_INSTANT || near >= SLA_END_INSTANT)
					near = near < 0 ? SLA_FIRST_INSTANT : SLA_END_INSTANT - 1;
				t = near + between(-(i % 6 - 3) * 2 * DAY * USECS, (i % 6 - 3) * 2 * DAY * USECS);
				break;
		}
		if (t >= SLA_END_INSTANT)
			t = SLA_FOREVER;
		if (t < SLA_FIRST_INSTANT)
			t = SLA_BEFORE_ALL;
		before = sla_advance(timeline, sla_advance_days(timeline, t, n), amount) < limit;
		CHECK_THAT(n == 0 ? before == (t < bound) : !before || t < bound,
				   FAIL_NOTE " %.300s: from %" PRId64 " %" PRId64 " days and %" PRId64
				   " is %sbefore %" PRId64 ", but starts before it are before %" PRId64,
				   FAIL_ARGS, note, t, n, amount, before ? "" : "not ", limit, bound);
	}
}

static void
check_any_starts(sla_timeline *timeline, sla_instant low, sla_instant high, const char *note)
{
	int64_t		n = one_in(2) ? 0 : one_in(4) ? between(-4, 0) : between(1, one_in(4) ? 400 : 6);
	int64_t		amount = one_in(5) ? 0 : one_in(5) ? -random_amount() : random_amount();
	sla_instant limit = between(low, high);

	/* Often a closing, or just the end of a budget. */
	switch (testing_random(6))
	{
		case 0:
			if (!sla_previous_close(timeline, limit, &limit))
				return;
			break;
		case 1:
			if (!sla_next_open(timeline, limit, &limit))
				return;
			break;
		case 2:
			limit = sla_advance(timeline, sla_advance_days(timeline, limit, n), amount);
			break;
		case 3:
			if (one_in(10))
				limit = one_in(2) ? SLA_FOREVER : SLA_BEFORE_ALL;
			else if (one_in(10))
				limit = one_in(2) ? SLA_FIRST_INSTANT : SLA_END_INSTANT - 1;
			break;
		default:
			break;
	}
	check_starts(timeline, n, amount, limit, note);
}

/* An explanation must say of a part what is open, and leave nothing out. */
static void
check_explanation(const sla_schedule *schedule, int64_t day, const char *note)
{
	sla_scratch scratch = {.env = &testing_env};
	int64_t		from = day * DAY + between(-100 * DAY, 100 * DAY);
	int64_t		to = from + between(1, (one_in(5) ? 40 : 3) * DAY);
	sla_stretches open;
	sla_explanation why;
	size_t		next = 0;
	int64_t		reached = from;
	int64_t		opened = from;
	bool		good = true;

	if (schedule->kind != SLA_SCHEDULE_PART)
	{
		check_explanation(schedule->left, day, note);
		check_explanation(schedule->right, day, note);
		return;
	}
	sla_expand(&scratch, schedule, from, to, &open);
	sla_explain_part(&scratch, &schedule->part, from, to, &why);
	for (size_t i = 0; i < why.count; i++)
	{
		const sla_explained *piece = &why.list[i];

		good = good && piece->from == reached && piece->from < piece->to;
		reached = piece->to;
		if (!piece->open)
			continue;
		good = good && (piece->cause == SLA_CAUSE_RULE || piece->cause == SLA_CAUSE_HOLIDAY);
		if (next < open.count && opened >= open.list[next].to)
			next++;
		if (next < open.count && opened < open.list[next].from)
			opened = open.list[next].from;
		good = good && next < open.count && piece->from == opened && piece->to <= open.list[next].to;
		opened = piece->to;
	}
	CHECK_THAT(good && reached == to && (open.count == 0 || opened == open.list[open.count - 1].to),
			   FAIL_NOTE " %.300s: explanation of %" PRId64 " to %" PRId64, FAIL_ARGS, note, from, to);
	sla_scratch_reset(&scratch);
}

/*
 * Outside of the irregular years all answers move with the instants by 400
 * years.  low and high are in seconds.
 */
static void
check_cycles(sla_timeline *timeline, sla_timeline *other, int64_t low, int64_t high,
			 const char *note)
{
	int64_t		from = between(low, high - CYCLE_SECONDS) * USECS + between(0, USECS);
	int64_t		room = (high * USECS - from) / CYCLE;
	int64_t		shift = between(0, room < 1 ? 1 : room) * CYCLE;
	sla_instant near = from + between(0, 30 * DAY * USECS);
	int64_t		amount = random_amount() % (100 * HOUR);
	int64_t		a = 0;
	int64_t		b = 0;
	sla_instant u;
	sla_instant v;

	NOTE_INSTANT("is_open a cycle later", from, sla_is_open(other, from + shift),
				 sla_is_open(timeline, from));
	CHECK(sla_measure(timeline, from, near, &a) &&
		  sla_measure(other, from + shift, near + shift, &b));
	NOTE_INSTANT("measure a cycle later", from, b, a);
	u = sla_advance(timeline, from, amount);
	v = sla_advance(other, from + shift, amount);
	if (u < high * USECS && v < high * USECS)
		NOTE_INSTANT("advance a cycle later", from, v, u + shift);
	if (sla_next_open(timeline, from, &u) && u < high * USECS &&
		sla_next_open(other, from + shift, &v) && v < high * USECS)
		NOTE_INSTANT("next_open a cycle later", from, v, u + shift);
	if (from / USECS / DAY > -50000000 && from / USECS / DAY < 50000000)
	{
		sla_date	day = (sla_date) (from / USECS / DAY);
		sla_date	later = day + (sla_date) (shift / USECS / DAY);

		NOTE_INSTANT("business days a cycle later", from,
					 sla_count_business_days(other, later, later + 100),
					 sla_count_business_days(timeline, day, day + 100));
	}
}

static void
random_rounds(int rounds)
{
	static struct text note_text;

	for (round_number = 1; round_number <= rounds; round_number++)
	{
		int			year;
		int64_t		day;
		sla_schedule *schedule;
		sla_timeline *timeline;
		sla_timeline *other;
		oracle		oracle;
		const char *note = note_text.data;

		/* Mostly today, and around what matters. */
		switch (testing_random(8))
		{
			case 0:
				year = (int) between(1, 2700);
				break;
			case 1:
				year = (int) between(1796, 1805);
				break;
			case 2:
				year = (int) between(2195, 2205);
				break;
			case 3:
				year = (int) (one_in(2) ? between(2596, 2605) : between(1396, 1405));
				break;
			case 4:
				year = 2011;
				break;
			default:
				year = (int) between(1990, 2040);
				break;
		}
		day = date_of(year, 1, 1) + between(0, 365);
		make_random_zone();
		schedule = random_schedule(day, year, &note_text);
		oracle = make_oracle(schedule, day - 800, day + 800);
		timeline = sla_timeline_create(&testing_env, schedule);
		for (int i = 0; i < 60; i++)
			compare_instant(timeline, &oracle, note);
		compare_all(timeline, &oracle, note);
		CHECK_THAT(!sla_timeline_is_empty(timeline) ||
				   slow_measure(&oracle, oracle.from, oracle.to) == 0,
				   FAIL_NOTE " %.300s: empty", FAIL_ARGS, note);
		for (int i = 0; i < 20; i++)
		{
			check_laws(timeline, oracle.from, oracle.to, note);
			check_any_starts(timeline, oracle.from, oracle.to, note);
		}
		for (int i = 0; i < 20; i++)
			check_explanation(schedule, day, note);

		/* Far away too, in a timeline that has not seen the middle. */
		if (one_in(25))
		{
			int64_t		above = date_of(4700, 1, 1) * DAY;
			int64_t		below = date_of(1, 1, 1) * DAY;

			other = sla_timeline_create(&testing_env, schedule);
			for (int i = 0; i < 20; i++)
			{
				check_laws(timeline, SLA_FIRST_INSTANT, SLA_END_INSTANT, note);
				check_laws(other, SLA_FIRST_INSTANT, SLA_END_INSTANT, note);
				check_any_starts(other, SLA_FIRST_INSTANT, SLA_END_INSTANT, note);
				check_cycles(timeline, other, above, SLA_END_INSTANT / USECS - 60 * DAY, note);
				check_cycles(other, timeline, SLA_FIRST_INSTANT / USECS, below, note);
			}
			sla_timeline_free(other);
		}
		sla_timeline_free(timeline);
		free_oracle(&oracle);
		free_schedule(schedule);
	}
}

/* ------------------------------------------------------------------------
 * Single cases
 * ------------------------------------------------------------------------
 */

/* An instant by UTC date and time of day. */
static sla_instant
at(int year, int month, int day, int hour, int minute)
{
	return (date_of(year, month, day) * DAY + hour * 3600 + minute * 60) * USECS;
}

/* Open always: plain subtraction, and the ends of what 64 bits hold. */
static void
test_always(void)
{
	sla_schedule *schedule = make_part("24/7", ZONE_APIA);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	int64_t		result;
	sla_instant edge;
	sla_span	spans[2];

	for (int i = 0; i < 2000; i++)
	{
		sla_instant a = between(SLA_FIRST_INSTANT, SLA_END_INSTANT);
		sla_instant b = between(SLA_FIRST_INSTANT, SLA_END_INSTANT);
		int64_t		difference;

		if (__builtin_sub_overflow(b, a, &difference))
		{
			CHECK(!sla_measure(timeline, a, b, &result));
			continue;
		}
		CHECK(sla_measure(timeline, a, b, &result) && result == difference);
		CHECK_INT(sla_advance(timeline, a, difference), b);
		CHECK(sla_is_open(timeline, a));
		CHECK(!sla_next_open(timeline, a, &edge));
		CHECK(!sla_next_close(timeline, a, &edge));
		CHECK(!sla_previous_open(timeline, a, &edge));
		CHECK(!sla_previous_close(timeline, a, &edge));
	}
	/* The most and the least that 64 bits hold, and one more. */
	for (sla_instant a = SLA_FIRST_INSTANT; a < SLA_FIRST_INSTANT + 3 * USECS; a += 333333)
	{
		sla_instant b = a + INT64_MAX;

		CHECK(sla_measure(timeline, a, b, &result) && result == INT64_MAX);
		CHECK(sla_measure(timeline, b, a, &result) && result == -INT64_MAX);
		CHECK(sla_measure(timeline, b + 1, a, &result) && result == INT64_MIN);
		CHECK(!sla_measure(timeline, a, b + 1, &result));
		CHECK(!sla_measure(timeline, b + 2, a, &result));
		CHECK_INT(sla_advance(timeline, a, INT64_MAX), b);
		CHECK_INT(sla_advance(timeline, b + 1, INT64_MIN), a);
	}
	CHECK(!sla_measure(timeline, SLA_FIRST_INSTANT, SLA_END_INSTANT, &result));
	CHECK(!sla_measure(timeline, 0, SLA_FOREVER, &result));
	CHECK(!sla_measure(timeline, SLA_BEFORE_ALL, 0, &result));
	CHECK(!sla_measure(timeline, SLA_BEFORE_ALL, SLA_FOREVER, &result));
	CHECK(sla_measure(timeline, SLA_FOREVER, SLA_FOREVER, &result) && result == 0);
	CHECK_INT(sla_advance(timeline, 0, INT64_MAX), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, 0, INT64_MIN), SLA_BEFORE_ALL);
	CHECK_INT(sla_advance(timeline, SLA_END_INSTANT - 1, 1), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, SLA_END_INSTANT - 2, 1), SLA_END_INSTANT - 1);
	CHECK_INT(sla_advance(timeline, SLA_FIRST_INSTANT, -1), SLA_BEFORE_ALL);
	CHECK_INT(sla_advance(timeline, SLA_FIRST_INSTANT + 1, -1), SLA_FIRST_INSTANT);
	CHECK_INT(sla_advance(timeline, SLA_FOREVER, -1), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, SLA_BEFORE_ALL, 1), SLA_BEFORE_ALL);
	CHECK(!sla_timeline_is_empty(timeline));
	CHECK_INT(sla_open_spans(timeline, SLA_BEFORE_ALL, SLA_FOREVER, spans, 2), 1);
	CHECK_INT(spans[0].from, SLA_BEFORE_ALL);
	CHECK_INT(spans[0].to, SLA_FOREVER);
	CHECK_INT(sla_open_spans(timeline, 5, 7, spans, 2), 1);
	CHECK_INT(spans[0].from, 5);
	CHECK_INT(spans[0].to, 7);
	CHECK_INT(sla_open_spans(timeline, 7, 7, spans, 2), 0);
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

static void
test_never(void)
{
	sla_schedule *schedule = combine(SLA_SCHEDULE_DIFFERENCE,
									 make_part("Mo-Fr 08:00-17:00", ZONE_OSLO),
									 make_part("24/7", ZONE_UTC));
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	int64_t		result;
	sla_instant edge;
	sla_date	day;

	CHECK_INT(sla_advance(timeline, 0, 1), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, 0, -1), SLA_BEFORE_ALL);
	CHECK_INT(sla_advance(timeline, 17, 0), 17);
	CHECK(!sla_next_open(timeline, SLA_BEFORE_ALL, &edge));
	CHECK(!sla_previous_close(timeline, SLA_FOREVER, &edge));
	CHECK(!sla_roll_forward(timeline, 0, &edge));
	CHECK(!sla_roll_backward(timeline, 0, &edge));
	CHECK(sla_measure(timeline, SLA_BEFORE_ALL, SLA_FOREVER, &result) && result == 0);
	CHECK(!sla_is_business_day(timeline, 0));
	CHECK_INT(sla_count_business_days(timeline, -1000000, 1000000), 0);
	CHECK(!sla_nth_business_day(timeline, 0, 1, &day));
	CHECK(!sla_nth_business_day(timeline, 0, -1, &day));
	CHECK_INT(sla_advance_days(timeline, 0, 1), SLA_FOREVER);
	CHECK_INT(sla_advance_days(timeline, 0, -1), SLA_BEFORE_ALL);
	CHECK(sla_timeline_is_empty(timeline));
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* Four hours once in all of time. */
static void
test_once(void)
{
	sla_schedule *schedule = make_part("2026 Dec 25 08:00-12:00", ZONE_OSLO);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	sla_instant opens = at(2026, 12, 25, 7, 0);
	int64_t		result;
	sla_instant edge;
	sla_date	day;

	CHECK(!sla_timeline_is_empty(timeline));
	CHECK(sla_measure(timeline, SLA_BEFORE_ALL, SLA_FOREVER, &result) && result == 4 * HOUR);
	CHECK(sla_measure(timeline, SLA_FOREVER, SLA_BEFORE_ALL, &result) && result == -4 * HOUR);
	CHECK(sla_measure(timeline, SLA_FIRST_INSTANT, opens + HOUR, &result) && result == HOUR);
	CHECK(sla_next_open(timeline, SLA_BEFORE_ALL, &edge) && edge == opens);
	CHECK(sla_next_close(timeline, SLA_BEFORE_ALL, &edge) && edge == opens + 4 * HOUR);
	CHECK(sla_previous_open(timeline, SLA_FOREVER, &edge) && edge == opens);
	CHECK(sla_previous_close(timeline, SLA_FOREVER, &edge) && edge == opens + 4 * HOUR);
	CHECK(!sla_next_open(timeline, opens, &edge));
	CHECK(!sla_next_open(timeline, SLA_FOREVER, &edge));
	CHECK(!sla_next_close(timeline, SLA_FOREVER, &edge));
	CHECK(!sla_previous_open(timeline, opens, &edge));
	CHECK(!sla_previous_open(timeline, SLA_BEFORE_ALL, &edge));
	CHECK(!sla_previous_close(timeline, opens + 4 * HOUR, &edge));
	CHECK_INT(sla_advance(timeline, 0, 4 * HOUR), opens + 4 * HOUR);
	CHECK_INT(sla_advance(timeline, 0, 4 * HOUR + 1), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, SLA_END_INSTANT - 1, -4 * HOUR), opens);
	CHECK_INT(sla_advance(timeline, SLA_END_INSTANT - 1, -4 * HOUR - 1), SLA_BEFORE_ALL);
	CHECK_INT(sla_advance(timeline, SLA_FIRST_INSTANT, 1), opens + 1);
	CHECK(sla_nth_business_day(timeline, -5000000, 1, &day) && day == date_of(2026, 12, 25));
	CHECK(!sla_nth_business_day(timeline, -5000000, 2, &day));
	CHECK(sla_nth_business_day(timeline, 5000000, -1, &day) && day == date_of(2026, 12, 25));
	CHECK(!sla_nth_business_day(timeline, 0, INT64_MAX, &day));
	CHECK(!sla_nth_business_day(timeline, 0, INT64_MIN, &day));
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* One second a year: many cycles for little time. */
static void
test_seldom(void)
{
	sla_schedule *schedule = make_part("Feb 29 12:00:00-12:00:01", ZONE_UTC);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	sla_instant first = at(2000, 2, 29, 12, 0);
	int64_t		result;
	sla_instant edge;

	CHECK_INT(sla_advance(timeline, 0, USECS), first + USECS);
	CHECK_INT(sla_advance(timeline, 0, 97 * USECS), at(2396, 2, 29, 12, 0) + USECS);
	CHECK_INT(sla_advance(timeline, 0, 97 * USECS + 1), at(2400, 2, 29, 12, 0) + 1);
	for (int64_t k = -16; k < 730; k++)
	{
		CHECK_INT(sla_advance(timeline, first + k * CYCLE, USECS), first + k * CYCLE + USECS);
		CHECK(sla_measure(timeline, 0, k * CYCLE, &result) && result == 97 * k * USECS);
		CHECK(sla_next_open(timeline, k * CYCLE, &edge) && edge == first + k * CYCLE);
	}
	CHECK_INT(sla_advance(timeline, 0, INT64_C(1) << 62), SLA_FOREVER);
	CHECK_INT(sla_advance(timeline, 0, -(INT64_C(1) << 62)), SLA_BEFORE_ALL);
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* A date on which it is closed all day. */
static sla_holiday
closed_on(int64_t day)
{
	return (sla_holiday) {.day = (sla_date) day};
}

/* The schedule less two years, in one of three ways to say so. */
static sla_schedule *
without_two_years(int way)
{
	const char *hours = "Mar 1 12:00-13:00; Nov 1 00:00-00:30";
	static const int years[] = {1700, 2300};
	sla_schedule *schedule;

	if (way == 0)
		return make_part("Mar 1 12:00-13:00; Nov 1 00:00-00:30; 1700 off; 2300 off", ZONE_UTC);

	schedule = make_part(hours, ZONE_UTC);
	if (way == 1)
	{
		sla_holiday *holidays = testing_alloc(NULL, 4 * sizeof(sla_holiday));

		for (int i = 0; i < 2; i++)
		{
			holidays[2 * i] = closed_on(date_of(years[i], 3, 1));
			holidays[2 * i + 1] = closed_on(date_of(years[i], 11, 1));
		}
		schedule->part.holidays = holidays;
		schedule->part.nholidays = 4;
		return schedule;
	}
	for (int i = 0; i < 2; i++)
	{
		sla_schedule *year = make_part("24/7", ZONE_UTC);

		year->part.from_day = (sla_date) date_of(years[i], 1, 1);
		year->part.to_day = (sla_date) date_of(years[i] + 1, 1, 1);
		schedule = combine(SLA_SCHEDULE_DIFFERENCE, schedule, year);
	}
	return schedule;
}

/*
 * Two years that are unlike all others, and all years around them, so that
 * where cycles begin and end nothing is lost and nothing doubled.
 */
static void
test_seams(int way)
{
	sla_schedule *schedule = without_two_years(way);
	int64_t		new_year = date_of(-800, 1, 1);

	for (int order = 0; order < 2; order++)
	{
		sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
		sla_timeline *down = sla_timeline_create(&testing_env, schedule);
		sla_instant last = SLA_BEFORE_ALL;
		sla_date	last_day = 0;
		int64_t		day = new_year;

		/* One has seen all from the end to the beginning, the other nothing. */
		if (order == 1)
		{
			sla_is_open(timeline, at(4000, 1, 1, 0, 0));
			sla_is_business_day(timeline, (sla_date) date_of(4000, 1, 1));
			sla_is_open(timeline, new_year * DAY * USECS);
			sla_is_business_day(timeline, (sla_date) new_year);
		}
		for (int year = -800; year < 4000; year++)
		{
			int64_t		next_year = day + (is_leap(year) ? 366 : 365);
			sla_instant march = ((next_year - 306) * DAY + 12 * 3600) * USECS;
			sla_instant november = (next_year - 61) * DAY * USECS;
			bool		closed = year == 1700 || year == 2300;
			int64_t		result;
			sla_instant edge;
			sla_date	found;

			CHECK(sla_measure(timeline, day * DAY * USECS, next_year * DAY * USECS, &result));
			CHECK_INT(result, closed ? 0 : 3 * HOUR / 2);
			CHECK_INT(sla_count_business_days(timeline, (sla_date) day, (sla_date) next_year),
					  closed ? 0 : 2);
			CHECK(sla_is_open(timeline, march) == !closed);
			CHECK(sla_is_business_day(timeline, (sla_date) (next_year - 61)) == !closed);
			if (!closed)
			{
				CHECK(sla_next_open(timeline, day * DAY * USECS, &edge) && edge == march);
				CHECK(sla_next_open(timeline, march, &edge) && edge == november);
				CHECK_INT(sla_advance(timeline, march - 1, 3 * HOUR / 2), november + HOUR / 2);
				CHECK_INT(sla_advance(timeline, november, -1), march + HOUR - 1);
				if (last != SLA_BEFORE_ALL)
				{
					/* Over the year between, if there is one. */
					CHECK(sla_next_open(timeline, last, &edge) && edge == march);
					CHECK(sla_previous_close(down, march, &edge) && edge == last + HOUR / 2);
					CHECK_INT(sla_advance(timeline, last, HOUR / 2 + 1), march + 1);
					CHECK_INT(sla_advance(down, march, -1), last + HOUR / 2 - 1);
					CHECK(sla_nth_business_day(timeline, last_day, 1, &found) &&
						  found == next_year - 306);
					CHECK(sla_nth_business_day(down, (sla_date) (next_year - 306), -1, &found) &&
						  found == last_day);
				}
				last = november;
				last_day = (sla_date) (next_year - 61);
			}
			day = next_year;
		}
		sla_timeline_free(timeline);
		sla_timeline_free(down);
	}
	free_schedule(schedule);
}

/* What the manual says. */
static void
test_examples(void)
{
	sla_schedule *schedule = make_part("Mo-Fr 08:30-17:00", ZONE_UTC);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	sla_instant edge;
	int64_t		result;

	/* 2026-11-16 is a Monday. */
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 16, 17, 5), 1), at(2026, 11, 18, 8, 30));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 16, 10, 15), 3), at(2026, 11, 19, 10, 15));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 16, 10, 15), 5), at(2026, 11, 23, 10, 15));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 14, 3, 0), 1), at(2026, 11, 17, 8, 30));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 14, 3, 0), -1), at(2026, 11, 12, 17, 0));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 14, 3, 0), 0), at(2026, 11, 14, 3, 0));
	CHECK_INT(sla_advance_days(timeline, SLA_FOREVER, -1), SLA_FOREVER);
	CHECK_INT(sla_advance_days(timeline, SLA_BEFORE_ALL, 1), SLA_BEFORE_ALL);
	/* Used up at closing time ends then, and not on the next day. */
	CHECK_INT(sla_advance(timeline, at(2026, 11, 16, 15, 0), 2 * HOUR), at(2026, 11, 16, 17, 0));
	CHECK_INT(sla_advance(timeline, at(2026, 11, 16, 15, 0), 2 * HOUR + 1),
			  at(2026, 11, 17, 8, 30) + 1);
	CHECK_INT(sla_advance(timeline, at(2026, 11, 16, 9, 30), -HOUR), at(2026, 11, 16, 8, 30));
	/* The closing instant is closed, but a roll backward ends there. */
	CHECK(!sla_is_open(timeline, at(2026, 11, 16, 17, 0)));
	CHECK(sla_is_open(timeline, at(2026, 11, 16, 8, 30)));
	CHECK(sla_roll_backward(timeline, at(2026, 11, 16, 17, 0), &edge) &&
		  edge == at(2026, 11, 16, 17, 0));
	CHECK(sla_roll_forward(timeline, at(2026, 11, 16, 17, 0), &edge) &&
		  edge == at(2026, 11, 17, 8, 30));
	CHECK(sla_previous_close(timeline, at(2026, 11, 16, 17, 0), &edge) &&
		  edge == at(2026, 11, 13, 17, 0));
	CHECK(sla_measure(timeline, at(2026, 11, 16, 0, 0), at(2026, 11, 23, 0, 0), &result) &&
		  result == 5 * 8 * HOUR + 5 * HOUR / 2);
	sla_timeline_free(timeline);
	free_schedule(schedule);

	/* A break: the clock that falls into it moves to its end. */
	schedule = make_part("Mo-Th 08:00-12:00,13:00-16:00; Fr 08:00-24:00", ZONE_UTC);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 13, 12, 30), 1), at(2026, 11, 16, 13, 0));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 13, 20, 0), 1), at(2026, 11, 16, 16, 0));
	/* A closing at 24:00 belongs to the day that it ends. */
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 14, 9, 0), -1), at(2026, 11, 12, 16, 0));
	CHECK_INT(sla_advance_days(timeline, at(2026, 11, 14, 0, 0), -5), at(2026, 11, 7, 0, 0));
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* By close of business. */
static void
test_closings(void)
{
	sla_schedule *schedule = make_part("Mo-Fr 08:00-12:00,13:00-16:00", ZONE_UTC);
	sla_schedule *other;
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);

	/* 2026-11-16 is a Monday. */
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 9, 0), 0), at(2026, 11, 16, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 12, 30), 0), at(2026, 11, 16, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 16, 0), 0), at(2026, 11, 17, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 12, 9, 0), 2), at(2026, 11, 16, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 14, 9, 0), 2), at(2026, 11, 18, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 14, 9, 0), -1), at(2026, 11, 12, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 9, 0), -1), at(2026, 11, 13, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, SLA_FOREVER, 1), SLA_FOREVER);
	CHECK_INT(sla_end_of_business_day(timeline, SLA_BEFORE_ALL, 1), SLA_BEFORE_ALL);
	sla_timeline_free(timeline);
	free_schedule(schedule);

	/* The night shift that begins that day, and the tail of the last one. */
	schedule = make_part("Mo-Fr 22:00-06:00", ZONE_UTC);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 23, 0), 0), at(2026, 11, 17, 6, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 17, 5, 0), 0), at(2026, 11, 18, 6, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 19, 23, 0), 1), at(2026, 11, 21, 6, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 19, 23, 0), 2), at(2026, 11, 21, 6, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 19, 23, 0), 3), at(2026, 11, 24, 6, 0));
	sla_timeline_free(timeline);

	/* Of two schedules, what the other one leaves of the windows. */
	other = make_part("Mo-Su 00:00-04:00,12:00-23:00", ZONE_UTC);
	schedule = combine(SLA_SCHEDULE_INTERSECTION, schedule, other);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 22, 30), 0), at(2026, 11, 17, 4, 0));
	sla_timeline_free(timeline);
	schedule->kind = SLA_SCHEDULE_DIFFERENCE;
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 23, 30), 0), at(2026, 11, 17, 6, 0));
	sla_timeline_free(timeline);
	schedule->kind = SLA_SCHEDULE_UNION;
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 13, 0), 0), at(2026, 11, 17, 6, 0));
	sla_timeline_free(timeline);
	free_schedule(schedule);

	/* Round the clock a day ends at midnight. */
	schedule = make_part("24/7", ZONE_OSLO);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 13, 0), 2), at(2026, 11, 18, 23, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 16, 13, 0), -2), at(2026, 11, 14, 23, 0));
	CHECK_INT(sla_end_of_business_day(timeline, SLA_END_INSTANT - 1, 0), SLA_FOREVER);
	CHECK_INT(sla_end_of_business_day(timeline, SLA_FIRST_INSTANT, -1), SLA_BEFORE_ALL);
	sla_timeline_free(timeline);
	free_schedule(schedule);

	schedule = make_part("2026 Nov 16 08:00-16:00", ZONE_UTC);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK_INT(sla_end_of_business_day(timeline, at(2020, 1, 1, 0, 0), 0), at(2026, 11, 16, 16, 0));
	CHECK_INT(sla_end_of_business_day(timeline, at(2020, 1, 1, 0, 0), 1), SLA_FOREVER);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 17, 0, 0), 0), SLA_FOREVER);
	CHECK_INT(sla_end_of_business_day(timeline, at(2026, 11, 17, 0, 0), -1), SLA_BEFORE_ALL);
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* Which starts have a deadline before an instant. */
static void
test_starts(void)
{
	sla_schedule *schedule = make_part("Mo-Fr 08:00-16:00", ZONE_OSLO);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	static const char *const texts[] = {
		"24/7", "Jan 01-Feb 01 off", "2026 Mar 29 00:00-24:00", "Mo-Su 22:00-06:00", "2020-2026 Mo-Fr 08:00-16:00"
	};

	/* Four hours before Monday 10:30 it was Friday 14:30. */
	CHECK_INT(sla_starts_before(timeline, 0, 4 * HOUR, at(2026, 3, 9, 9, 30)), at(2026, 3, 6, 13, 30));
	/* At closing time the deadline is not past; a microsecond later it is, and all night. */
	CHECK_INT(sla_starts_before(timeline, 0, 4 * HOUR, at(2026, 3, 6, 15, 0)), at(2026, 3, 6, 11, 0));
	CHECK_INT(sla_starts_before(timeline, 0, 4 * HOUR, at(2026, 3, 6, 15, 0) + 1), at(2026, 3, 6, 11, 0) + 1);
	CHECK_INT(sla_starts_before(timeline, 0, 4 * HOUR, at(2026, 3, 9, 7, 0)), at(2026, 3, 6, 11, 0) + 1);
	/* A whole day: at opening time what began at closing time of the day before that, and in the night. */
	CHECK_INT(sla_starts_before(timeline, 0, 8 * HOUR, at(2026, 3, 6, 15, 0)), at(2026, 3, 5, 15, 0));
	CHECK_INT(sla_starts_before(timeline, 0, 8 * HOUR, at(2026, 3, 6, 15, 0) + 1), at(2026, 3, 6, 7, 0) + 1);
	/* Days: what began on the day itself need not be searched. */
	CHECK_INT(sla_starts_before(timeline, 1, 0, at(2026, 3, 9, 9, 30)), at(2026, 3, 8, 23, 0));
	CHECK_INT(sla_starts_before(timeline, 3, 0, at(2026, 3, 9, 9, 30)), at(2026, 3, 4, 23, 0));
	CHECK_INT(sla_starts_before(timeline, 3, 4 * HOUR, at(2026, 3, 9, 9, 30)), at(2026, 3, 3, 23, 0));
	CHECK_INT(sla_starts_before(timeline, 3, 0, SLA_FOREVER), SLA_FOREVER);
	CHECK_INT(sla_starts_before(timeline, 3, 0, SLA_BEFORE_ALL), SLA_BEFORE_ALL);
	sla_timeline_free(timeline);
	free_schedule(schedule);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
	{
		static const sla_instant ends[] = {
			SLA_BEFORE_ALL, SLA_FIRST_INSTANT, SLA_FIRST_INSTANT + 1, SLA_END_INSTANT - 1, SLA_FOREVER
		};

		schedule = make_part(texts[i], i % 2 == 0 ? ZONE_OSLO : ZONE_APIA);
		timeline = sla_timeline_create(&testing_env, schedule);
		for (int j = 0; j < 5; j++)
			for (int64_t n = -1; n <= 2; n++)
				for (int64_t amount = -HOUR; amount <= HOUR; amount += HOUR)
					check_starts(timeline, n, amount, ends[j], texts[i]);
		for (int j = 0; j < 200; j++)
			check_any_starts(timeline, at(2010, 1, 1, 0, 0), at(2027, 1, 1, 0, 0), texts[i]);
		sla_timeline_free(timeline);
		free_schedule(schedule);
	}
}

/* Days of which the clock makes something odd. */
static void
test_odd_days(void)
{
	sla_schedule *schedule = make_part("Mo-Su 09:00-10:00", ZONE_APIA);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	sla_date	skipped = (sla_date) date_of(2011, 12, 30);
	sla_date	day;
	int64_t		result;

	CHECK(!sla_is_business_day(timeline, skipped));
	CHECK(sla_is_business_day(timeline, skipped - 1));
	CHECK(sla_is_business_day(timeline, skipped + 1));
	CHECK_INT(sla_count_business_days(timeline, skipped - 1, skipped + 2), 2);
	CHECK(sla_nth_business_day(timeline, skipped - 1, 1, &day) && day == skipped + 1);
	CHECK(sla_nth_business_day(timeline, skipped, -1, &day) && day == skipped - 1);
	/* 19:30 UTC is 09:30 in Apia on the 29th, and so it is a day later on the 31st. */
	CHECK_INT(sla_advance_days(timeline, at(2011, 12, 29, 19, 30), 1), at(2011, 12, 30, 19, 30));
	sla_timeline_free(timeline);
	free_schedule(schedule);

	/* The whole of the day on which the clock goes forward has 23 hours. */
	schedule = make_part("2026 Mar 29 00:00-24:00; 2026 Oct 25 00:00-24:00", ZONE_OSLO);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK(sla_measure(timeline, at(2026, 1, 1, 0, 0), at(2026, 7, 1, 0, 0), &result) &&
		  result == 23 * HOUR);
	CHECK(sla_measure(timeline, at(2026, 7, 1, 0, 0), at(2027, 7, 1, 0, 0), &result) &&
		  result == 25 * HOUR);
	sla_timeline_free(timeline);
	free_schedule(schedule);

	/* 02:30 does not exist that day, so it is 03:30; 02:15-02:45 is as long as ever. */
	schedule = make_part("Mo-Su 02:30-03:15", ZONE_OSLO);
	timeline = sla_timeline_create(&testing_env, schedule);
	CHECK(sla_measure(timeline, at(2026, 3, 29, 0, 0), at(2026, 3, 30, 0, 0), &result) &&
		  result == 0);
	CHECK(!sla_is_business_day(timeline, (sla_date) date_of(2026, 3, 29)));
	/* 02:30 and 03:15 that exist twice and once: from the second 02:30. */
	CHECK(sla_measure(timeline, at(2026, 10, 25, 0, 0), at(2026, 10, 26, 0, 0), &result) &&
		  result == 3 * HOUR / 4);
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/*
 * The first week of business days that is compiled begins on the day after the
 * clock went forward, some minutes of which belong to the window of the day
 * before.
 */
static void
test_first_day(void)
{
	for (int64_t first = date_of(2000, 1, 3); first < date_of(2040, 1, 1); first += 7)
	{
		sla_schedule *schedule;
		sla_timeline *timeline;
		table	   *z = &zones[ZONE_RANDOM];

		start_zone(z, "forward", -18000);
		add_change(z, (first - 1) * DAY + 18000, -14400);
		schedule = make_part("Su 18:00-24:30", ZONE_RANDOM);
		timeline = sla_timeline_create(&testing_env, schedule);
		CHECK_THAT(sla_is_business_day(timeline, (sla_date) first), "day %" PRId64, first);
		CHECK(sla_is_business_day(timeline, (sla_date) (first - 1)));
		CHECK(!sla_is_business_day(timeline, (sla_date) (first + 1)));
		sla_timeline_free(timeline);
		free_schedule(schedule);
	}
}

/* So many stretches that they are searched for, and weeks in which they begin. */
static void
test_many(void)
{
	static struct text hours;
	sla_schedule *schedule;
	sla_timeline *timeline;
	sla_instant begin = at(2026, 1, 1, 0, 0);
	int64_t		result;
	sla_instant edge;

	append(&hours, "Mo-Fr ");
	for (int minute = 0; minute < 1440; minute += 5)
		append(&hours, "%s%02d:%02d-%02d:%02d", minute > 0 ? "," : "",
			   minute / 60, minute % 60, minute / 60, minute % 60 + 2);
	schedule = make_part(hours.data, ZONE_UTC);
	timeline = sla_timeline_create(&testing_env, schedule);
	for (int64_t minute = 0; minute < 30 * 1440; minute++)
	{
		sla_instant t = begin + minute * 60 * USECS;
		int64_t		day = date_of(2026, 1, 1) + minute / 1440;
		bool		weekend = weekday_of(day) >= 5;
		bool		open = !weekend && minute % 5 < 2;

		CHECK(sla_is_open(timeline, t) == open);
		CHECK(sla_is_open(timeline, t + 60 * USECS - 1) == open);
		if (weekend)
			continue;
		CHECK(sla_measure(timeline, t - minute % 1440 * 60 * USECS, t, &result));
		CHECK_INT(result, (minute % 1440 / 5 * 2 +
						   (minute % 5 < 2 ? minute % 5 : 2)) * 60 * USECS);
		CHECK_INT(sla_advance(timeline, t - minute % 1440 * 60 * USECS, result + 1),
				  open ? t + 1 : sla_next_open(timeline, t, &edge) ? edge + 1 : 0);
	}
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* Early and late in the day, far east and far west, on every day of some years. */
static void
test_ends_of_days(void)
{
	static const int32_t offsets[] = {50400, 3600, 0, -3600, -43200};

	for (int i = 0; i < 5; i++)
	{
		sla_schedule *schedule;
		sla_timeline *timeline;
		table	   *z = &zones[ZONE_RANDOM];

		start_zone(z, "far", offsets[i]);
		schedule = make_part("Mo 00:00-00:01; We 23:59-24:00; Sa 23:59-24:01", ZONE_RANDOM);
		timeline = sla_timeline_create(&testing_env, schedule);
		for (int64_t day = date_of(2000, 1, 1); day < date_of(2008, 1, 1); day++)
		{
			int			weekday = weekday_of(day);

			CHECK(sla_is_business_day(timeline, (sla_date) day) ==
				  (weekday == 0 || weekday == 2 || weekday >= 5));
		}
		sla_timeline_free(timeline);
		free_schedule(schedule);
	}
}

/* Windows that reach as far as any can into another day, all over the world. */
static void
test_far_windows(void)
{
	static const int32_t offsets[] = {-86399, -57600, -43200, 0, 50400, 57600, 86399};
	static const char *const texts[] = {"Fr 23:00-47:00", "Mo 00:00-24:00", "Sa 23:59-47:59"};

	for (int i = 0; i < 7; i++)
		for (int j = 0; j < 3; j++)
		{
			sla_schedule *schedule;
			sla_timeline *timeline;
			sla_instant t = at(2000, 1, 1, 0, 0);

			start_zone(&zones[ZONE_RANDOM], "far", offsets[i]);
			schedule = make_part(texts[j], ZONE_RANDOM);
			timeline = sla_timeline_create(&testing_env, schedule);
			for (int week = 0; week < 400; week++, t += 7 * DAY * USECS)
			{
				int64_t		result;
				sla_instant opens;
				sla_instant closes;

				CHECK(sla_measure(timeline, t, t + 7 * DAY * USECS, &result) &&
					  result == DAY * USECS);
				CHECK(sla_next_open(timeline, t, &opens) &&
					  sla_next_close(timeline, opens, &closes) &&
					  closes - opens == DAY * USECS);
			}
			sla_timeline_free(timeline);
			free_schedule(schedule);
		}
}

/*
 * On the day on which the clock goes forward the first window comes after the
 * second, and they touch.
 */
static void
test_order(void)
{
	sla_schedule *schedule = make_part("02:10-02:50,03:00-03:10", ZONE_OSLO);
	sla_timeline *timeline = sla_timeline_create(&testing_env, schedule);
	sla_instant opens = at(2026, 3, 29, 1, 0);
	sla_instant edge;

	CHECK(sla_next_open(timeline, at(2026, 3, 28, 12, 0), &edge) && edge == opens);
	CHECK(sla_next_close(timeline, opens, &edge) && edge == opens + 5 * HOUR / 6);
	CHECK(sla_previous_open(timeline, opens + HOUR / 2, &edge) && edge == opens);
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

/* ------------------------------------------------------------------------
 * Errors in the middle, and memory
 * ------------------------------------------------------------------------
 */

static jmp_buf escape;
static long fuse;

static void
burn(void)
{
	if (--fuse == 0)
		longjmp(escape, 1);
}

static void *
failing_alloc(void *arg, size_t size)
{
	burn();
	return testing_alloc(arg, size);
}

static void
failing_interrupt(void *arg)
{
	testing_interrupt(arg);
	burn();
}

static const sla_env failing_env = {
	.alloc = failing_alloc,
	.release = testing_release,
	.interrupt = failing_interrupt,
	.arg = NULL,
};

/* One question out of all. */
static int64_t
ask(sla_timeline *timeline, int number)
{
	int64_t		result = 0;
	sla_date	day = 0;
	sla_instant t = at(1990 + number % 50, 3, 4, 5, 6);

	switch (number % 6)
	{
		case 0:
			return sla_advance(timeline, t, number * HOUR);
		case 1:
			return sla_advance(timeline, t, -number * HOUR);
		case 2:
			sla_measure(timeline, t, at(2015, 1, 1, 0, 0), &result);
			return result;
		case 3:
			sla_nth_business_day(timeline, (sla_date) (t / USECS / DAY), number, &day);
			return day;
		case 4:
			return sla_advance_days(timeline, t, -number);
		default:
			sla_previous_close(timeline, t, &result);
			return result;
	}
}

/* Whenever alloc or interrupt do not return, all goes on as if not asked. */
static void
test_errors(void)
{
	sla_schedule *schedule = combine(SLA_SCHEDULE_DIFFERENCE,
									 combine(SLA_SCHEDULE_UNION,
											 make_part("Mo-Fr 08:00-17:00; easter off", ZONE_OSLO),
											 make_part("Fr-Sa 22:00-30:00", ZONE_NEW_YORK)),
									 make_part("We 12:00-13:00", ZONE_LORD_HOWE));
	sla_timeline *right = sla_timeline_create(&testing_env, schedule);
	volatile long failures = 0;

	for (volatile int number = 0; number < 300; number++)
	{
		sla_timeline *volatile timeline;

		fuse = 0;
		timeline = sla_timeline_create(&failing_env, schedule);
		for (volatile long burning = 1; burning < 2000; burning += between(1, 30))
		{
			fuse = burning;
			if (setjmp(escape) == 0)
			{
				int64_t		got = ask(timeline, number);

				if (fuse <= 0)
					abort();
				fuse = 0;
				CHECK_INT(got, ask(right, number));
				break;
			}
			failures++;
		}
		fuse = 0;
		CHECK_INT(ask(timeline, number), ask(right, number));
		sla_timeline_free(timeline);
	}
	CHECK(failures > 300);
	sla_timeline_free(right);
	free_schedule(schedule);
}

/* What 10,000 calendars may take, and what one may that is touched everywhere. */
static void
test_size(void)
{
	sla_schedule *schedule = make_part("Mo-Fr 08:00-16:00", ZONE_OSLO);
	sla_holiday *holidays = testing_alloc(NULL, 100 * sizeof(sla_holiday));
	sla_timeline *timeline;
	int64_t		result;
	long		interrupts;

	for (int i = 0; i < 100; i++)
	{
		memset(&holidays[i], 0, sizeof(sla_holiday));
		holidays[i].day = (sla_date) (date_of(2017, 1, 1) + i * 36 + between(0, 30));
	}
	schedule->part.holidays = holidays;
	schedule->part.nholidays = 100;
	timeline = sla_timeline_create(&testing_env, schedule);
	interrupts = testing_interrupts;
	for (int i = 0; i < 1000; i++)
		sla_advance(timeline, between(at(2017, 1, 1, 0, 0), at(2026, 12, 1, 0, 0)), 4 * HOUR);
	CHECK_THAT(sla_timeline_size(timeline) <= 8192,
			   "10 years take %zu bytes", sla_timeline_size(timeline));
	/* Only what has been asked for is compiled. */
	CHECK(testing_interrupts - interrupts <= 21);

	CHECK(sla_measure(timeline, at(1800, 1, 1, 0, 0), at(2600, 1, 1, 0, 0), &result));
	CHECK_THAT(sla_timeline_size(timeline) <= 400000,
			   "800 years take %zu bytes", sla_timeline_size(timeline));
	sla_timeline_free(timeline);
	free_schedule(schedule);
}

int
main(int argc, char **argv)
{
	int			rounds = getenv("TEST_DEEP") != NULL ? 2000 : 80;

	if (argc > 1)
		testing_seed = strtoull(argv[1], NULL, 0);
	if (argc > 2)
		rounds = atoi(argv[2]);
	first_seed = testing_seed;

	make_zones();
	make_random_zone();
	test_always();
	test_never();
	test_once();
	test_seldom();
	for (int way = 0; way < 3; way++)
		test_seams(way);
	test_examples();
	test_closings();
	test_starts();
	test_odd_days();
	test_first_day();
	test_ends_of_days();
	test_far_windows();
	test_order();
	test_many();
	test_errors();
	test_size();
	random_rounds(rounds);
	CHECK_THAT(pieces >= rounds * 20, "%ld pieces in %d rounds", pieces, rounds);
	return testing_finish("timeline");
}
