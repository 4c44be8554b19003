/*
 * opening_hours_test.c
 *		Tests of the opening_hours notation.
 *
 * What days are is worked out here a second time, by counting days one by one
 * from a known one, and what rules mean by painting the minutes of a date.
 */
#include "testing.h"

#include "../../src/core/opening_hours.h"

#define PUBLISHED	"../data/business-time/opening_hours.csv"
#define MAX_SHOWN	4096
#define MAX_WINDOWS	20000
#define CYCLE		146097		/* days of 400 years */

/*
 * ------------------------------------------------------------------------
 * A calendar by counting
 * ------------------------------------------------------------------------
 */

typedef struct calendar_day
{
	sla_date	date;
	int			year;
	int			month;
	int			day;
	int			weekday;		/* Monday is 0 */
	int			week;
	int			of_year;		/* 1 January is 1 */
} calendar_day;

static const int month_lengths[] =
{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

static const char *const weekdays[] =
{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

static const char *const months[] =
{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static bool
leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
length_of(int year, int month)
{
	return month_lengths[month - 1] + (month == 2 && leap(year));
}

/*
 * The week is kept by counting too: a Monday begins a new one, which is the
 * first when 4 January is in it.
 */
static void
next_day(calendar_day *day)
{
	day->date++;
	day->weekday = (day->weekday + 1) % 7;
	day->of_year++;
	if (++day->day > length_of(day->year, day->month))
	{
		day->day = 1;
		if (++day->month > 12)
		{
			day->month = 1;
			day->year++;
			day->of_year = 1;
		}
	}
	if (day->weekday == 0)
	{
		day->week++;
		if ((day->month == 12 && day->day >= 29) ||
			(day->month == 1 && day->day <= 4))
			day->week = 1;
	}
}

/* 1600-01-01, a Saturday: 400 years before 2000-01-01. */
static calendar_day
first_day(void)
{
	return (calendar_day)
	{
		.date = -146097, .year = 1600, .month = 1, .day = 1, .weekday = 5,
			.week = 52, .of_year = 1
	};
}

static sla_date
date_of(int year, int month, int day)
{
	sla_date	date = 0;

	for (int y = 2000; y < year; y++)
		date += leap(y) ? 366 : 365;
	for (int y = year; y < 2000; y++)
		date -= leap(y) ? 366 : 365;
	for (int m = 1; m < month; m++)
		date += length_of(year, m);
	return date + day - 1;
}

/* "2026-12-24" */
static sla_date
read_date(const char *text)
{
	int			year,
				month,
				day;

	if (sscanf(text, "%d-%d-%d", &year, &month, &day) != 3)
		abort();
	return date_of(year, month, day);
}

/* Easter by Meeus, Jones and Butcher: day of the month, March if not April. */
static int
easter_after_march(int year)
{
	int			a = year % 19;
	int			b = year / 100;
	int			c = year % 100;
	int			d = b / 4;
	int			e = b % 4;
	int			f = (b + 8) / 25;
	int			g = (b - f + 1) / 3;
	int			h = (19 * a + b - d - g + 15) % 30;
	int			i = c / 4;
	int			k = c % 4;
	int			l = (32 + 2 * e + 2 * i - h - k) % 7;
	int			m = (a + 11 * h + 22 * l) / 451;
	int			month = (h + l - 7 * m + 114) / 31;
	int			day = (h + l - 7 * m + 114) % 31 + 1;

	return month == 4 ? 31 + day : day;
}

/*
 * ------------------------------------------------------------------------
 * Asking
 * ------------------------------------------------------------------------
 */

static sla_hours *
try_parse(const char *text, sla_fault *fault)
{
	memset(fault, 0xA5, sizeof(*fault));
	return sla_hours_parse(&testing_env, text, strlen(text), fault);
}

static sla_hours *
parse(const char *text)
{
	sla_fault	fault;
	sla_hours  *hours = try_parse(text, &fault);

	if (hours == NULL)
		CHECK_THAT(false, "\"%s\" is refused at %zu: %s", text, fault.position,
				   fault.reason);
	else
		testing_passed++;
	return hours;
}

static void
release(sla_hours *hours)
{
	testing_env.release(NULL, hours);
}

static const char *
print(const sla_hours *hours)
{
	static char buffer[16384 + 1];
	size_t		length = sla_hours_print(hours, buffer, sizeof(buffer));

	CHECK(length < sizeof(buffer) && length == strlen(buffer));
	return buffer;
}

static char *
copy_text(const char *text)
{
	char	   *copy = malloc(strlen(text) + 1);

	return strcpy(copy, text);
}

/* Rulings must say of a date what its windows say. */
static void
check_rulings(const sla_hours *hours, sla_date date, bool holiday,
			  const sla_window *windows, int nwindows)
{
	int			max = sla_hours_max_rulings(hours);
	sla_ruling *rulings = malloc((size_t) max * sizeof(sla_ruling));
	int			closer;
	int			n = sla_hours_rulings(hours, date, holiday, rulings, &closer);
	int			w = 0;
	int32_t		reached = nwindows > 0 ? windows[0].from : 0;
	bool		good = n >= 0 && n <= max / 2 && (nwindows == 0 || closer < 0);

	for (int i = 0; i < n && good; i++)
	{
		good = rulings[i].from >= 0 && rulings[i].from < rulings[i].to &&
			rulings[i].to <= 2 * 86400 &&
			(i == 0 || rulings[i].from >= rulings[i - 1].to);
		if (!rulings[i].open)
			continue;
		if (w < nwindows && reached == windows[w].to && ++w < nwindows)
			reached = windows[w].from;
		good = good && w < nwindows && rulings[i].from == reached &&
			rulings[i].to <= windows[w].to;
		reached = rulings[i].to;
	}
	good = good && (nwindows == 0 || (w == nwindows - 1 && reached == windows[w].to));
	CHECK_THAT(good, "bad rulings on %d", date);
	free(rulings);
}

/* The windows of a date, checked for what the interface promises of them. */
static int
ask(const sla_hours *hours, sla_date date, bool holiday, sla_window *windows)
{
	int			n = sla_hours_on(hours, date, holiday, windows);
	bool		good = n >= 0 && n <= sla_hours_max_windows(hours);

	for (int i = 0; i < n; i++)
	{
		good = good && windows[i].from >= 0 && windows[i].from < windows[i].to &&
			windows[i].to <= 2 * 86400 &&
			(i == 0 || windows[i].from > windows[i - 1].to);
	}
	CHECK_THAT(good, "bad windows on %d", date);
	check_rulings(hours, date, holiday, windows, n);
	return n;
}

static void
show_clock(char *buffer, int32_t seconds)
{
	char		text[32];

	if (seconds % 60 != 0)
		snprintf(text, sizeof(text), "%02d:%02d:%02d", seconds / 3600,
				 seconds / 60 % 60, seconds % 60);
	else
		snprintf(text, sizeof(text), "%02d:%02d", seconds / 3600,
				 seconds / 60 % 60);
	strcat(buffer, text);
}

/* "08:00-12:00,22:00-30:00", "" when closed. */
static const char *
windows_text(const sla_hours *hours, sla_date date, bool holiday)
{
	static char buffer[MAX_SHOWN];
	static sla_window windows[MAX_WINDOWS];
	int			n = ask(hours, date, holiday, windows);

	buffer[0] = '\0';
	for (int i = 0; i < n && i < 100; i++)
	{
		if (i > 0)
			strcat(buffer, ",");
		show_clock(buffer, windows[i].from);
		strcat(buffer, "-");
		show_clock(buffer, windows[i].to);
	}
	return buffer;
}

/*
 * What text must be printed as, and then that printing is stable and means
 * the same; want NULL: just that.
 */
static void
check_print(const char *text, const char *want)
{
	sla_hours  *hours = parse(text);
	sla_hours  *again;
	char	   *printed;

	if (hours == NULL)
		return;
	printed = copy_text(print(hours));
	if (want != NULL)
		CHECK_THAT(strcmp(printed, want) == 0, "\"%s\" is printed as \"%s\", want \"%s\"",
				   text, printed, want);
	again = parse(printed);
	if (again != NULL)
	{
		static sla_window left[MAX_WINDOWS];
		static sla_window right[MAX_WINDOWS];
		sla_date	date = date_of(2023, 12, 1);
		bool		same = true;
		int			first[2] = {0, 0};
		int			last[2] = {0, 0};

		CHECK_THAT(strcmp(print(again), printed) == 0,
				   "\"%s\" is printed as \"%s\" and then as \"%s\"", text, printed,
				   print(again));
		for (int i = 0; i < 4 * 366 && same; i++)
		{
			bool		holiday = testing_random(4) == 0;
			int			n = ask(hours, date + i, holiday, left);

			same = ask(again, date + i, holiday, right) == n &&
				memcmp(left, right, n * sizeof(sla_window)) == 0;
			CHECK_THAT(same, "\"%s\" is not \"%s\" on %d", text, printed, date + i);
		}
		CHECK(sla_hours_names_holidays(hours) == sla_hours_names_holidays(again));
		CHECK(sla_hours_named_years(hours, &first[0], &last[0]) ==
			  sla_hours_named_years(again, &first[1], &last[1]));
		CHECK(first[0] == first[1] && last[0] == last[1]);
		release(again);
	}
	free(printed);
	release(hours);
}

/*
 * ------------------------------------------------------------------------
 * What texts mean
 * ------------------------------------------------------------------------
 */

/* The date is "2026-12-24", with a "*" after it when it is a holiday. */
typedef struct meaning
{
	const char *text;
	const char *date;
	const char *windows;
} meaning;

/* 2026-01-01 is a Thursday; 2026-06-01 to 07 are Monday to Sunday. */
static const meaning meanings[] =
{
	/* times */
	{"10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"9:00-9:30", "2026-06-01", "09:00-09:30"},
	{"08:00-12:00,13:00-17:00", "2026-06-01", "08:00-12:00,13:00-17:00"},
	{"08:00-12:00, 13:00-17:00", "2026-06-01", "08:00-12:00,13:00-17:00"},
	{"13:00-17:00,08:00-12:00", "2026-06-01", "08:00-12:00,13:00-17:00"},
	{"10:00-11:00,11:00-12:00", "2026-06-01", "10:00-12:00"},
	{"10:00-11:30,11:00-12:00,10:15-10:20", "2026-06-01", "10:00-12:00"},
	{"08:00:30-12:00:01", "2026-06-01", "08:00:30-12:00:01"},
	{"22:00-06:00", "2026-06-01", "22:00-30:00"},
	{"22:00-30:00", "2026-06-01", "22:00-30:00"},
	{"23:59-48:00", "2026-06-01", "23:59-48:00"},
	{"23:59:59-48:00:00", "2026-06-01", "23:59:59-48:00"},
	{"01:00-26:00", "2026-06-01", "01:00-26:00"},
	{"09:00-09:00", "2026-06-01", "09:00-33:00"},
	{"00:00-00:00", "2026-06-01", "00:00-24:00"},
	{"22:00-00:00", "2026-06-01", "22:00-24:00"},
	{"00:00-24:00", "2026-06-01", "00:00-24:00"},
	{"00:00-48:00", "2026-06-01", "00:00-48:00"},
	{"20:00-30:00,02:00-22:00", "2026-06-01", "02:00-30:00"},
	{"24/7", "2026-06-01", "00:00-24:00"},
	{"open", "2026-06-01", "00:00-24:00"},
	{"off", "2026-06-01", ""},
	{"closed", "2026-06-01", ""},
	{"24/7 off", "2026-06-01", ""},
	{"00:00-24:00 closed", "2026-06-01", ""},

	/* weekdays */
	{"Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Mo 10:00-12:00", "2026-06-02", ""},
	{"mo-fr 10:00-12:00", "2026-06-05", "10:00-12:00"},
	{"Mo-Fr 10:00-12:00", "2026-06-06", ""},
	{"Sa-Mo 10:00-12:00", "2026-06-07", "10:00-12:00"},
	{"Sa-Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Sa-Mo 10:00-12:00", "2026-06-02", ""},
	{"Mo,We,Fr 10:00-12:00", "2026-06-03", "10:00-12:00"},
	{"Mo, We, Fr 10:00-12:00", "2026-06-04", ""},
	{"Mo-Fr", "2026-06-01", "00:00-24:00"},
	{"Mo-Fr", "2026-06-06", ""},
	{"Mo: 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Mo - Fr 10:00 - 12:00", "2026-06-01", "10:00-12:00"},
	{"Mo-Fr\n\t10:00-12:00 ; Sa\r\n10:00-11:00\n", "2026-06-06", "10:00-11:00"},

	/* replacing, adding, falling back */
	{"08:00-09:00; 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Mo-Fr 08:00-12:00; We 14:00-18:00", "2026-06-03", "14:00-18:00"},
	{"Mo-Fr 08:00-12:00; We 14:00-18:00", "2026-06-04", "08:00-12:00"},
	{"Mo-Fr 08:00-12:00, We 14:00-18:00", "2026-06-03", "08:00-12:00,14:00-18:00"},
	{"Mo-Fr 08:00-12:00, We 11:00-18:00", "2026-06-03", "08:00-18:00"},
	{"Mo-Fr 08:00-12:00 open, 13:00-17:00", "2026-06-06", "13:00-17:00"},
	{"Mo-Fr 08:00-12:00, 13:00-17:00", "2026-06-06", ""},
	{"Mo 08:00-12:00 || 10:00-14:00", "2026-06-01", "08:00-14:00"},
	{"Mo 08:00-12:00 || 10:00-14:00", "2026-06-02", "10:00-14:00"},
	{"Mo 08:00-12:00 || off", "2026-06-01", "08:00-12:00"},
	{"08:00-12:00; Mo off || 14:00-15:00", "2026-06-01", "14:00-15:00"},
	{"08:00-12:00 || 14:00-15:00; Mo off", "2026-06-01", ""},
	{"Sa; 24/7", "2026-06-01", "00:00-24:00"},
	{"Mo 10:00-12:00, 24/7", "2026-06-02", "00:00-24:00"},
	{"Mo, 24/7", "2026-06-02", "00:00-24:00"},
	{"Dec 24, 24/7", "2026-06-02", "00:00-24:00"},
	{"2027, 24/7", "2026-06-02", "00:00-24:00"},
	{"2027, Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Jan, Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},

	/* closing */
	{"10:00-14:00; 12:00-14:00 off", "2026-06-01", "10:00-12:00"},
	{"24/7; Mo 15:00-16:00 off", "2026-06-01", "00:00-15:00,16:00-24:00"},
	{"24/7; Mo 15:00-16:00 off", "2026-06-02", "00:00-24:00"},
	{"08:00-18:00; 09:00-10:00,12:00-13:00,17:00-20:00 off", "2026-06-01",
	"08:00-09:00,10:00-12:00,13:00-17:00"},
	{"08:00-12:00,13:00-17:00; 11:00-14:00 off", "2026-06-01",
	"08:00-11:00,14:00-17:00"},
	{"08:00-12:00,13:00-17:00; 08:00-12:00 off", "2026-06-01", "13:00-17:00"},
	{"08:00-12:00; 12:00-13:00 off", "2026-06-01", "08:00-12:00"},
	{"Mo-Fr 10:00-20:00, We off", "2026-06-03", ""},
	{"Mo-Fr 10:00-20:00, We 12:00-13:00 off", "2026-06-03",
	"10:00-12:00,13:00-20:00"},
	{"Mo-We; Tu off", "2026-06-02", ""},
	{"off; Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},

	/* a window is of the day on which it begins, to its end */
	{"22:00-02:00; Tu 12:00-14:00", "2026-06-01", "22:00-26:00"},
	{"22:00-02:00; Tu 12:00-14:00", "2026-06-02", "12:00-14:00"},
	{"Fr 22:00-30:00; Sa off", "2026-06-05", "22:00-30:00"},
	{"Fr 22:00-30:00; Fr off", "2026-06-05", ""},
	{"Fr 22:00-30:00; Sa 00:00-03:00 off", "2026-06-05", "22:00-30:00"},
	{"Fr 22:00-30:00; Fr 23:00-25:00 off", "2026-06-05", "22:00-23:00,25:00-30:00"},
	{"Fr 22:00-30:00; Fr 20:00-02:00 off", "2026-06-05", "26:00-30:00"},
	{"Fr 22:00-30:00; Fr 00:00-24:00 off", "2026-06-05", "24:00-30:00"},

	/* months and dates */
	{"Jan 10:00-12:00", "2026-01-31", "10:00-12:00"},
	{"Jan 10:00-12:00", "2026-02-01", ""},
	{"Jan-Mar 10:00-12:00", "2026-03-31", "10:00-12:00"},
	{"Jan-Mar 10:00-12:00", "2026-04-01", ""},
	{"Nov-Feb 10:00-12:00", "2026-01-15", "10:00-12:00"},
	{"Nov-Feb 10:00-12:00", "2024-02-29", "10:00-12:00"},
	{"Nov-Feb 10:00-12:00", "2026-10-31", ""},
	{"Nov-Feb 10:00-12:00", "2026-11-01", "10:00-12:00"},
	{"Jan,Mar 10:00-12:00", "2026-02-15", ""},
	{"Jan,Mar 10:00-12:00", "2026-03-15", "10:00-12:00"},
	{"Jul-Jan: 22:00-23:00", "2026-01-15", "22:00-23:00"},
	{"Jan Mo 10:00-12:00", "2026-01-05", "10:00-12:00"},
	{"Jan Mo 10:00-12:00", "2026-01-06", ""},
	{"Dec 24", "2026-12-24", "00:00-24:00"},
	{"Dec 24", "2026-12-25", ""},
	{"Dec 24: 10:00-12:00", "2026-12-24", "10:00-12:00"},
	{"Dec 24-26", "2026-12-26", "00:00-24:00"},
	{"Dec 24-26", "2026-12-27", ""},
	{"Dec 24-Jan 2", "2026-12-23", ""},
	{"Dec 24-Jan 2", "2026-12-24", "00:00-24:00"},
	{"Dec 24-Jan 2", "2027-01-02", "00:00-24:00"},
	{"Dec 24-Jan 2", "2027-01-03", ""},
	{"Jun 30-Jun 24", "2026-06-27", ""},
	{"Jun 30-Jun 24", "2026-06-30", "00:00-24:00"},
	{"Mo-Fr 08:00-16:00; Dec 25, Dec 26 off", "2026-12-25", ""},
	{"Dec 25, Dec 26", "2026-12-26", "00:00-24:00"},
	{"Feb 29", "2024-02-29", "00:00-24:00"},
	{"Feb 29", "2025-02-28", ""},
	{"Feb 29", "2025-03-01", ""},
	{"Feb 29-Mar 2", "2025-03-01", "00:00-24:00"},
	{"Feb 29-Mar 2", "2025-02-28", ""},
	{"Feb 20-29", "2025-02-28", "00:00-24:00"},
	{"Feb 20-29", "2025-03-01", ""},
	{"Dec 31 +1 day", "2026-01-01", "00:00-24:00"},
	{"Dec 31 +1 day", "2026-12-31", ""},
	{"Jan 1 -1 day", "2026-12-31", "00:00-24:00"},
	{"Jan 1 -1 day", "2026-01-01", ""},
	{"Dec 30-Jan 1 +2 days", "2027-01-03", "00:00-24:00"},
	{"Dec 30-Jan 1 +2 days", "2027-01-04", ""},
	{"Dec 31 +365 days", "2026-12-31", "00:00-24:00"},
	{"Dec 31 +365 days", "2024-12-30", "00:00-24:00"},
	{"Feb 29 +1 day", "2024-03-01", "00:00-24:00"},
	{"Feb 29 +1 day", "2025-03-01", ""},
	{"Feb 29 +1 day", "2025-03-02", ""},

	/* dates with a year */
	{"2026 Dec 24", "2026-12-24", "00:00-24:00"},
	{"2026 Dec 24", "2025-12-24", ""},
	{"2026 Dec 24-26", "2026-12-26", "00:00-24:00"},
	{"2026 Dec 24-Jan 2", "2027-01-02", "00:00-24:00"},
	{"2026 Dec 24-Jan 2", "2026-01-02", ""},
	{"2026 Dec 24-Jan 2", "2027-12-24", ""},
	{"2026 Dec 24-2027 Jan 2", "2027-01-02", "00:00-24:00"},
	{"2026 Dec 24-2027 Jan 2", "2027-01-03", ""},
	{"2026 Dec 24-2028 Jan 2", "2027-07-01", "00:00-24:00"},
	{"2026 Jan-Mar", "2026-03-31", "00:00-24:00"},
	{"2026 Jan-Mar", "2027-03-31", ""},
	{"2026 Nov-Feb", "2027-02-28", "00:00-24:00"},
	{"2026 Nov-Feb", "2026-02-28", ""},
	{"2026 Nov-2027 Feb", "2027-02-28", "00:00-24:00"},
	{"2026 Dec 24+", "2026-12-23", ""},
	{"2026 Dec 24+", "2026-12-24", "00:00-24:00"},
	{"2026 Dec 24+", "9999-12-24", "00:00-24:00"},
	{"2026 Dec 24+ Mo 10:00-12:00", "2026-12-28", "10:00-12:00"},
	{"2026 easter", "2026-04-05", "00:00-24:00"},
	{"2026 easter", "2027-03-28", ""},
	{"2026 easter -2 days-easter +1 day", "2026-04-03", "00:00-24:00"},
	{"2026 easter -2 days-easter +1 day", "2026-04-07", ""},
	{"2026 Dec 24,2027 Jan 2", "2027-01-02", "00:00-24:00"},
	{"Dec 25,2027 Jan 2", "2030-12-25", "00:00-24:00"},

	/* years */
	{"2026", "2026-07-01", "00:00-24:00"},
	{"2026", "2027-01-01", ""},
	{"2026 10:00-12:00", "2026-07-01", "10:00-12:00"},
	{"2026 Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"2026: Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"2026-2028", "2028-12-31", "00:00-24:00"},
	{"2026-2028", "2025-12-31", ""},
	{"2026,2028", "2027-06-01", ""},
	{"2026,2028", "2028-06-01", "00:00-24:00"},
	{"2026+", "2025-12-31", ""},
	{"2026+", "2026-01-01", "00:00-24:00"},
	{"2026+", "9999-01-01", "00:00-24:00"},
	{"1980-2030/4", "2028-06-01", "00:00-24:00"},
	{"1980-2030/4", "2026-06-01", ""},
	{"2026-2040/2 Dec 24", "2028-12-24", "00:00-24:00"},
	{"2026-2040/2 Dec 24", "2027-12-24", ""},
	{"2026-2027 Dec 24-Jan 2", "2026-01-02", "00:00-24:00"},
	{"2026-2027 Dec 24-Jan 2", "2028-01-02", ""},
	{"2026-2026 Dec 24-Jan 2", "2027-01-02", ""},
	{"2026-2026 Dec 24-Jan 2", "2026-01-02", "00:00-24:00"},

	/* weeks: 2026-01-01 is a Thursday, so 2026 has 53 of them */
	{"week 1", "2026-01-01", "00:00-24:00"},
	{"week 1", "2025-12-29", "00:00-24:00"},
	{"week 1", "2025-12-28", ""},
	{"week 53", "2026-12-31", "00:00-24:00"},
	{"week 53", "2027-01-03", "00:00-24:00"},
	{"week 53", "2027-01-04", ""},
	{"week 10", "2026-03-02", "00:00-24:00"},
	{"week 10", "2026-03-09", ""},
	{"week 1-53/2 Mo 10:00-12:00", "2026-01-12", "10:00-12:00"},
	{"week 1-53/2 Mo 10:00-12:00", "2026-01-05", ""},
	{"week 02-52/2 Mo 10:00-12:00", "2026-01-05", "10:00-12:00"},
	{"week 1-10,20", "2026-05-11", "00:00-24:00"},
	{"week 1-10,20", "2026-05-18", ""},
	{"week 10, 12:00-14:00", "2026-03-02", "00:00-24:00"},
	{"week 10, 12:00-14:00", "2026-03-09", "12:00-14:00"},
	{"week 10 off, 24/7", "2026-06-01", "00:00-24:00"},
	{"week 10, 24/7", "2026-06-01", "00:00-24:00"},
	{"Mar week 10", "2026-03-02", "00:00-24:00"},
	{"2026 week 1", "2025-12-31", ""},

	/* numbered weekdays; June 2026 has five Mondays and Tuesdays */
	{"Mo[1] 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"Mo[1] 10:00-12:00", "2026-06-08", ""},
	{"Mo[5]", "2026-06-29", "00:00-24:00"},
	{"Mo[-1]", "2026-06-29", "00:00-24:00"},
	{"Mo[-5]", "2026-06-01", "00:00-24:00"},
	{"Fr[-1]", "2026-06-26", "00:00-24:00"},
	{"Fr[-1]", "2026-06-19", ""},
	{"Fr[5]", "2026-06-26", ""},
	{"Th[1,3]", "2026-06-18", "00:00-24:00"},
	{"Th[1,3]", "2026-06-11", ""},
	{"Th[1-2]", "2026-06-11", "00:00-24:00"},
	{"Th[1-2,-1]", "2026-06-25", "00:00-24:00"},
	{"Th[4] +1 day", "2026-11-27", "00:00-24:00"},
	{"Th[4] +1 day", "2026-11-26", ""},
	{"Nov Th[4] 06:00-17:30", "2026-11-26", "06:00-17:30"},
	{"Mo[1] -1 day", "2026-05-31", "00:00-24:00"},
	{"Su[-1] +1 day", "2026-06-01", "00:00-24:00"},
	{"Th[3],Th[-1] off", "2026-06-18", ""},
	{"Feb Mo[1],Tu-Fr", "2026-02-09", ""},
	{"Feb Mo[1],Tu-Fr", "2026-02-02", "00:00-24:00"},
	{"Feb Mo[1],Tu-Fr", "2026-02-10", "00:00-24:00"},
	{"Jan Mo[1]-30", "2026-01-04", ""},
	{"Jan Mo[1]-30", "2026-01-05", "00:00-24:00"},
	{"Jan Mo[1]-30", "2026-01-31", ""},
	{"Mar Su[-1]-Oct Su[-1] 08:00-20:00", "2026-03-28", ""},
	{"Mar Su[-1]-Oct Su[-1] 08:00-20:00", "2026-03-29", "08:00-20:00"},
	{"Mar Su[-1]-Oct Su[-1] 08:00-20:00", "2026-10-25", "08:00-20:00"},
	{"Mar Su[-1]-Oct Su[-1] 08:00-20:00", "2026-10-26", ""},
	{"Oct Su[-1]-Mar Su[-1]", "2026-12-31", "00:00-24:00"},
	{"Oct Su[-1]-Mar Su[-1]", "2026-03-29", "00:00-24:00"},
	{"Oct Su[-1]-Mar Su[-1]", "2026-03-30", ""},
	{"2026 Mar Su[-1]-Oct Su[-1]", "2027-06-01", ""},

	/* easter */
	{"easter", "2026-04-05", "00:00-24:00"},
	{"easter", "2026-04-06", ""},
	{"easter -2 days", "2026-04-03", "00:00-24:00"},
	{"easter +39 days", "2026-05-14", "00:00-24:00"},
	{"easter -3 days-easter +1 day", "2026-04-01", ""},
	{"easter -3 days-easter +1 day", "2026-04-02", "00:00-24:00"},
	{"easter -3 days-easter +1 day", "2026-04-06", "00:00-24:00"},
	{"easter -3 days-easter +1 day", "2026-04-07", ""},
	{"easter-Jun 1", "2026-06-01", "00:00-24:00"},
	{"Nov 1-easter", "2026-04-05", "00:00-24:00"},
	{"Nov 1-easter", "2026-04-06", ""},
	{"Nov 1-easter", "2027-03-28", "00:00-24:00"},
	{"Nov 1-easter", "2025-04-20", "00:00-24:00"},
	{"Nov 1-easter", "2025-04-21", ""},
	{"Apr 10-easter", "2025-04-15", "00:00-24:00"},
	{"Apr 10-easter", "2026-04-15", ""},
	{"Apr 10-easter", "2026-01-15", ""},
	{"easter +300 days", "2027-01-30", "00:00-24:00"},
	{"easter -120 days", "2025-12-06", "00:00-24:00"},

	/* holidays */
	{"Mo-Fr 08:00-16:00", "2026-06-01*", "08:00-16:00"},
	{"PH off", "2026-06-01*", ""},
	{"Mo-Fr 08:00-16:00; PH off", "2026-06-01*", ""},
	{"Mo-Fr 08:00-16:00; PH off", "2026-06-01", "08:00-16:00"},
	{"Mo-Fr 08:00-16:00; PH 10:00-12:00", "2026-06-06*", "10:00-12:00"},
	{"Mo-Fr 08:00-16:00; PH 10:00-12:00", "2026-06-06", ""},
	{"PH,Mo 10:00-12:00", "2026-06-01", "10:00-12:00"},
	{"PH,Mo 10:00-12:00", "2026-06-02*", "10:00-12:00"},
	{"PH,Mo 10:00-12:00", "2026-06-02", ""},
	{"Mo-Fr,PH 10:00-12:00", "2026-06-06*", "10:00-12:00"},
	{"Su,PH,Mo 10:00-12:00", "2026-06-03*", "10:00-12:00"},
	{"PH Mo-Fr 10:00-12:00", "2026-06-01*", "10:00-12:00"},
	{"PH Mo-Fr 10:00-12:00", "2026-06-01", ""},
	{"PH Mo-Fr 10:00-12:00", "2026-06-06*", ""},
	{"PH Mo[1] 10:00-12:00", "2026-06-08*", ""},
	{"PH Mo[1] 10:00-12:00", "2026-06-01*", "10:00-12:00"},
	{"PH Mo-Su 10:00-12:00", "2026-06-06*", "10:00-12:00"},
	{"PH Mo-Su 10:00-12:00", "2026-06-06", ""},
	{"Mo-Su,PH", "2026-06-06*", "00:00-24:00"},
	{"Dec PH off", "2026-12-25*", ""},
	{"24/7; Dec PH off", "2026-11-25*", "00:00-24:00"},
	{"24/7; Dec PH off", "2026-12-25*", ""},
	{"Mo-Sa 08:00-13:00; Su,PH off", "2026-06-07", ""},

	/* comments */
	{"Mo 10:00-12:00 \"desk 2\"", "2026-06-01", "10:00-12:00"},
	{"24/7 open \"always; really, || (so)\"", "2026-06-01", "00:00-24:00"},
	{"24/7; Mo off \"training\"", "2026-06-01", ""},

	/* from the quick start */
	{"Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off",
	"2026-04-01", "08:00-16:00"},
	{"Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off",
	"2026-04-02", ""},
	{"Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off",
	"2027-05-17", ""},
	{"Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off",
	"2026-12-25", ""},
	{"Mo-Fr 08:00-16:00; easter -3 days-easter +1 day off; May 17 off; Dec 25-26 off",
	"2026-12-28", "08:00-16:00"},
};

static void
test_meanings(void)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
	{
		const meaning *meaning = &meanings[i];
		sla_hours  *hours = parse(meaning->text);
		const char *got;

		if (hours == NULL)
			continue;
		got = windows_text(hours, read_date(meaning->date),
						   strchr(meaning->date, '*') != NULL);
		CHECK_THAT(strcmp(got, meaning->windows) == 0,
				   "\"%s\" on %s gives \"%s\", want \"%s\"", meaning->text,
				   meaning->date, got, meaning->windows);
		release(hours);
		check_print(meaning->text, NULL);
	}
}

/*
 * ------------------------------------------------------------------------
 * Printing
 * ------------------------------------------------------------------------
 */

static const struct
{
	const char *text;
	const char *printed;
}			prints[] =
{
	{"24/7", "24/7"},
	{"open", "24/7"},
	{"00:00-24:00", "24/7"},
	{"Mo-Su 00:00-24:00", "24/7"},
	{"Tu-Mo", "24/7"},
	{"24/7 closed", "off"},
	{"closed", "off"},
	{"00:00-24:00 off", "00:00-24:00 off"},
	{"Mo-Su 10:00-12:00", "10:00-12:00"},
	{"mo-fr  9:00 - 12:00 ,13:00-17:30", "Mo-Fr 09:00-12:00,13:00-17:30"},
	{"08:00:00-12:00:30", "08:00-12:00:30"},
	{"13:00-17:00,08:00-13:00", "08:00-17:00"},
	{"22:00-30:00", "22:00-06:00"},
	{"22:00-00:00", "22:00-24:00"},
	{"09:00-33:00", "09:00-09:00"},
	{"01:00-26:00", "01:00-26:00"},
	{"00:00-48:00", "00:00-48:00"},
	{"Mo-Fr", "Mo-Fr 00:00-24:00"},
	{"Mo-Fr open", "Mo-Fr 00:00-24:00"},
	{"Mo,Tu,We 10:00-12:00", "Mo-We 10:00-12:00"},
	{"Mo-Tu 10:00-12:00", "Mo,Tu 10:00-12:00"},
	{"Fr,Mo,Mo 10:00-12:00", "Mo,Fr 10:00-12:00"},
	{"Fr-Mo 10:00-12:00", "Fr-Mo 10:00-12:00"},
	{"Su-Th 10:00-12:00", "Su-Th 10:00-12:00"},
	{"Su,Mo 10:00-12:00", "Mo,Su 10:00-12:00"},
	{"Sa-Mo,We 10:00-12:00", "Sa-Mo,We 10:00-12:00"},
	{"Mo-We,Fr-Su 10:00-12:00", "Fr-We 10:00-12:00"},
	{"Mo-Fr,PH 10:00-12:00", "PH,Mo-Fr 10:00-12:00"},
	{"Su,PH,Mo 10:00-12:00", "PH,Mo,Su 10:00-12:00"},
	{"ph mo-fr 10:00-12:00", "PH Mo-Fr 10:00-12:00"},
	{"PH Mo-Su off", "PH off"},
	{"PH,Mo-Su 10:00-12:00", "PH,Mo-Su 10:00-12:00"},
	{"Th[1,2,3,-1],Mo 10:00-12:00", "Mo,Th[1-3,-1] 10:00-12:00"},
	{"Th[2],Mo[1],Th[1] 10:00-12:00", "Mo[1],Th[1,2] 10:00-12:00"},
	{"Th,Th[1] 10:00-12:00", "Th 10:00-12:00"},
	{"Th[4]+1 day,Th[4] - 2 days off", "Th[4] -2 days,Th[4] +1 day off"},
	{"Mo-Su,Th[4] +1 day off", "off"},
	{"Dec 5 off", "Dec 05 off"},
	{"dec 24-dec 26 off", "Dec 24-26 off"},
	{"Dec 24-Dec 24 off", "Dec 24 off"},
	{"Dec 24-Dec 23 off", "Dec 24-Dec 23 off"},
	{"Dec 25 , Dec 26 off", "Dec 25,Dec 26 off"},
	{"2026 Dec 24-2026 Dec 26 off", "2026 Dec 24-26 off"},
	{"2026 Dec 24-Jan 2 off", "2026 Dec 24-2027 Jan 02 off"},
	{"2026 Mar 1-Apr 5 off", "2026 Mar 01-Apr 05 off"},
	{"2026 Nov-Feb off", "2026 Nov-2027 Feb off"},
	{"2026 Dec 24 + off", "2026 Dec 24+ off"},
	{"Jan-Jan off", "Jan off"},
	{"easter-easter off", "easter off"},
	{"EASTER -2 day-easter + 1 days off", "easter -2 days-easter +1 day off"},
	{"Jan Mo[1]-Jan 30 off", "Jan Mo[1]-30 off"},
	{"Mar Su[-1] -1 day-Oct Su[-1] off", "Mar Su[-1] -1 day-Oct Su[-1] off"},
	{"Nov Th[4] off", "Nov Th[4] off"},
	{"Mar Su[1]-Mar Su[1] Mo off", "Mar Su[1]-Mar Su[1] Mo off"},
	{"2026 - 2028 , 2030+ off", "2026-2028,2030+ off"},
	{"2026-2040/1 off", "2026-2040 off"},
	{"2026-2027/5 off", "2026 off"},
	{"2026-2031/2 off", "2026-2030/2 off"},
	{"2026-2026 Dec 24-Jan 2 off", "2026-2026 Dec 24-Jan 02 off"},
	{"2026-2026 week 1 off", "2026 week 01 off"},
	{"week1-53/2 off", "week 01-53/2 off"},
	{"week 1-52/2 off", "week 01-51/2 off"},
	{"week 10-10, 20 off", "week 10,20 off"},
	{"2026-2028 Jan-Mar week 1-10 Mo-Fr 10:00-12:00 open \"x\"",
	"2026-2028 Jan-Mar week 01-10 Mo-Fr 10:00-12:00 open \"x\""},
	{"2026: Jan: Mo", NULL},
	{"Mo 10:00-12:00;Tu 10:00-12:00,We 10:00-12:00||Th 10:00-12:00",
	"Mo 10:00-12:00; Tu 10:00-12:00, We 10:00-12:00 || Th 10:00-12:00"},
	{"Mo 10:00-12:00 open, 14:00-16:00", "Mo 10:00-12:00 open, 14:00-16:00"},
	{"Mo 10:00-12:00 open, 14:00-16:00 off", "Mo 10:00-12:00 open, 14:00-16:00 off"},
	{"Mo 10:00-12:00 open, off", "Mo 10:00-12:00, off"},
	{"Mo 10:00-12:00 off, 14:00-16:00", "Mo 10:00-12:00 off, 14:00-16:00"},
	{"24/7, 14:00-16:00", "24/7 open, 14:00-16:00"},
	{"Mo 10:00-12:00, 24/7", "Mo 10:00-12:00, 24/7"},
	{"Mo \"a\", 14:00-16:00", "Mo 00:00-24:00 open \"a\", 14:00-16:00"},
	{"24/7 \"a\"", "24/7 open \"a\""},
	{"Mo closed\"a\"", "Mo off \"a\""},
	{"24/7; off \"\xC3\xA5\n\"", "24/7; off \"\xC3\xA5\n\""},
};

static void
test_print(void)
{
	sla_hours  *hours;
	char		buffer[32];

	for (size_t i = 0; i < sizeof(prints) / sizeof(prints[0]); i++)
	{
		if (prints[i].printed != NULL)
			check_print(prints[i].text, prints[i].printed);
	}

	/* As snprintf. */
	hours = parse("Mo-Fr 08:00-16:00; off");
	memset(buffer, 'x', sizeof(buffer));
	CHECK_INT(sla_hours_print(hours, NULL, 0), 22);
	CHECK_INT(sla_hours_print(hours, buffer, 1), 22);
	CHECK(buffer[0] == '\0' && buffer[1] == 'x');
	CHECK_INT(sla_hours_print(hours, buffer, 10), 22);
	CHECK_TEXT(buffer, "Mo-Fr 08:");
	CHECK(buffer[10] == 'x');
	CHECK_INT(sla_hours_print(hours, buffer, 22), 22);
	CHECK_TEXT(buffer, "Mo-Fr 08:00-16:00; of");
	CHECK_INT(sla_hours_print(hours, buffer, 23), 22);
	CHECK_TEXT(buffer, "Mo-Fr 08:00-16:00; off");
	release(hours);
}

/*
 * ------------------------------------------------------------------------
 * Refusals
 * ------------------------------------------------------------------------
 */

static const struct
{
	const char *text;
	size_t		position;
	size_t		length;
	const char *reason;			/* a part of it */
	const char *hint;			/* a part of it, or NULL for no hint */
}			refusals[] =
{
	{"", 0, 0, "no opening hours", "24/7"},
	{"  \t\n", 4, 0, "no opening hours", "24/7"},
	{";", 0, 1, "a rule is missing", NULL},
	{"||", 0, 2, "a rule is missing", NULL},
	{"Mo 10:00-12:00;", 15, 0, "a rule is missing", NULL},
	{"Mo 10:00-12:00,", 15, 0, "a rule is missing", NULL},
	{"Mo 10:00-12:00;; Tu 10:00-12:00", 15, 1, "a rule is missing", NULL},
	{"Mo,,Th", 3, 1, "a rule is missing", NULL},
	{"Mo 10:00-12:00 | Tu", 15, 1, "unexpected character", NULL},

	/* what cannot be honoured */
	{"17:00+", 5, 1, "without an end", "17:00-22:00"},
	{"Mo-Fr 10:00-18:00+", 17, 1, "without an end", "Leave"},
	{"10:00-18:00/01:30", 11, 1, "points in time", "Leave"},
	{"10:00", 0, 5, "a time alone", "17:00-22:00"},
	{"Mo 10:00 ; Tu", 3, 5, "a time alone", "17:00-22:00"},
	{"14:00-16:00,11:00", 12, 5, "a time alone", "17:00-22:00"},
	{"sunrise-sunset", 0, 7, "the sun", "08:00-20:00"},
	{"Mo-Fr 08:00-sunset", 12, 6, "the sun", "08:00-20:00"},
	{"Mo-Fr dawn-20:00", 6, 4, "the sun", "08:00-20:00"},
	{"(sunrise+01:00)-20:00", 0, 1, "the sun", "08:00"},
	{"Mo-Fr 08:00-(sunset-01:00)", 12, 1, "the sun", "08:00"},
	{"SH off", 0, 2, "school holidays", "PH"},
	{"Mo-Fr 08:00-16:00; PH,SH off", 22, 2, "school holidays", "PH"},
	{"Mo-Fr unknown", 6, 7, "never unknown", "open"},
	{"unknown", 0, 7, "never unknown", "open"},
	{"Mo-Fr 08:00-16:00 || \"by appointment\"", 21, 16, "comment alone", "open"},
	{"PH -1 day off", 3, 6, "before or after a holiday", "holidays"},
	{"Mo,PH +2 days off", 6, 7, "before or after a holiday", "holidays"},
	{"Dec 25 -Su off", 7, 3, "moved to a weekday", "Mar Su[-1]"},
	{"2026 Dec 25 +Su off", 12, 3, "moved to a weekday", "Mar Su[-1]"},

	/* times */
	{"Mo 25:00-26:00", 3, 5, "before 24:00", NULL},
	{"24:00-26:00", 0, 5, "before 24:00", NULL},
	{"27:00-29:00", 0, 5, "before 24:00", NULL},
	{"23:59-48:01", 6, 5, "48:00", NULL},
	{"23:59-48:00:01", 6, 8, "48:00", NULL},
	{"21:00-22:60", 9, 2, "00 to 59", "08:00-16:30"},
	{"21:00:61-22:00", 6, 2, "00 to 59", "08:00-16:30"},
	{"21:0-22:00", 3, 1, "two digits", "08:00-16:30"},
	{"10:00-100:00", 6, 3, "not a time", "08:00-16:30"},
	{"Mo-Fr 9-17", 6, 1, "needs its minutes", "08:00-16:30"},
	{"Mo-Fr 09:00-17", 12, 2, "needs its minutes", "08:00-16:30"},
	{"8:am", 0, 2, "the minutes are missing", "08:00-16:30"},
	{"08:00-", 6, 0, "a time is missing", "08:00-16:30"},
	{"08:00-12:00-13:00", 11, 1, "not expected", NULL},
	{"10:00am-11:00am", 5, 2, "am and pm", "13:00"},
	{"10:00-12:00 pm", 12, 2, "am and pm", "13:00"},
	{"08:00\xE2\x80\x93" "12:00", 5, 3, "unexpected character", "Write \"-\""},
	{"23/7", 0, 2, "needs its minutes", "08:00-16:30"},
	{"Mo 24/7", 3, 2, "not expected", NULL},
	{"24/7 10:00-12:00", 5, 2, "not expected", NULL},

	/* weekdays */
	{"Mon 10:00-12:00", 0, 3, "unknown word", "\"Mo\""},
	{"Monday 10:00-12:00", 0, 6, "unknown word", "\"Mo\""},
	{"Mo-Tr 10:00-12:00", 3, 2, "unknown word", NULL},
	{"Mo- 10:00-12:00", 4, 2, "a weekday is missing", NULL},
	{"Mo-Fr[1] off", 5, 1, "cannot be numbered", "Mo[1],Tu[1]"},
	{"Su[0]", 3, 1, "1 to 5", NULL},
	{"Sa[1,3-6]", 7, 1, "1 to 5", NULL},
	{"We[4-2]", 3, 3, "ends before it begins", NULL},
	{"We[-6]", 4, 1, "1 to 5", NULL},
	{"We[]", 3, 1, "missing", NULL},
	{"We[1", 4, 0, "\"]\" is missing", NULL},
	{"Mo[2] - 7 days", 8, 1, "1 to 6", NULL},
	{"Mo[2] +0 days", 7, 1, "1 to 6", NULL},
	{"Mo-Fr PH off", 6, 2, "PH stands before", "PH,Mo-Fr"},
	{"PH Mo,PH off", 6, 2, "PH is named twice", NULL},

	/* dates */
	{"January 1 off", 0, 7, "unknown word", "Jan"},
	{"Jan 32 off", 4, 2, "1 to 31", NULL},
	{"Jan 0", 4, 1, "1 to 31", NULL},
	{"Apr 31", 4, 2, "1 to 30", NULL},
	{"Feb 30", 4, 2, "1 to 29", NULL},
	{"Jun 30-24", 7, 2, "ends before it begins", NULL},
	{"Jun 02-Aug 42", 11, 2, "1 to 31", NULL},
	{"Jan-Apr 1", 8, 1, "month to month", "both ends"},
	{"Jan 1-Apr", 9, 0, "the day of the month is missing", NULL},
	{"Dec 24,26 off", 7, 2, "without its month", "Dec 24,Dec 26"},
	{"Dec 24 2026 off", 7, 4, "not in the right order", "order"},
	{"Dec 2026 off", 4, 4, "before the month", "2026 Dec 24"},
	{"2026-12-24 off", 5, 2, "not a year", "2026 Dec 24"},
	{"2026 Feb 29 off", 0, 11, "2026 has no Feb 29", NULL},
	{"2026 Feb 20-29 off", 0, 14, "2026 has no Feb 29", NULL},
	{"2026 Dec 24,Dec 31 off", 12, 6, "not clear", "Write the year"},
	{"Dec 24-2027 Jan 2 off", 0, 17, "begins in none", "both years"},
	{"2027 Jan 2-2026 Dec 24 off", 0, 22, "ends before it begins", NULL},
	{"2026-2028 2027 Dec 24 off", 10, 11, "twice", NULL},
	{"Dec 24+ off", 0, 7, "of every year", "2026 Dec 24+"},
	{"0001 Jan 1 -1 day off", 0, 17, "0001 Jan 01", NULL},
	{"9999 Dec 31 +1 day off", 0, 18, "9999 Dec 31", NULL},
	{"9999 Dec 24-Jan 2 off", 0, 17, "9999 Dec 31", NULL},
	{"easter + 370 days", 9, 3, "1 to 365", NULL},
	{"easter - off", 9, 3, "missing", NULL},
	{"easter + off", 0, 8, "of every year", NULL},

	/* years and weeks */
	{"2014-", 5, 0, "a year is missing", NULL},
	{"0000", 0, 4, "not a year", "four digits"},
	{"2026-28", 5, 2, "not a year", "four digits"},
	{"2028-2026", 0, 9, "end before they begin", NULL},
	{"2026+/2", 5, 1, "cannot have a step", "2026-2099/2"},
	{"2026-2030/0", 10, 1, "1 to 9999", NULL},
	{"2026-2030/x", 10, 1, "unknown word", NULL},
	{"week 00", 5, 2, "1 to 53", NULL},
	{"week 54", 5, 2, "1 to 53", NULL},
	{"week week", 5, 4, "a week is missing", NULL},
	{"week15-10", 4, 5, "end before they begin", "week 50-53,1-2"},
	{"week 1-50/300", 10, 3, "1 to 53", NULL},
	{"week 10 Jan off", 8, 3, "not in the right order", "order"},
	{"Mo Jan 10:00-12:00", 3, 3, "not in the right order", "order"},
	{"Mo 2026", 3, 4, "not in the right order", "order"},

	/* rules */
	{"Mo-Fr 09:00-17:00 Sa 09:00-14:00", 18, 2, "separated by", "replace"},
	{"24/7 closed: \"always\"", 11, 1, "not expected", NULL},
	{"Mo off off", 7, 3, "not expected", NULL},
	{"off 14:00-16:00", 4, 2, "not expected", NULL},
	{"sdasdlasdj a3reaw", 0, 10, "unknown word", NULL},
	{"\"ring", 0, 5, "comment does not end", NULL},
	{"Mo-Fr open \"ring \"the bell\"\"", 18, 3, "unknown word", NULL},
	{"Mo off \"a\" \"b\"", 11, 3, "one comment", NULL},
	{"Mo off \"\"", 7, 2, "empty", NULL},
	{"\"Winter\": Mo 10:00-12:00", 0, 8, "comment alone", "open"},
	{"Su 7:30,10?00,22:00", 3, 4, "a time alone", "17:00"},
	{"\xC3\xA5pent", 0, 2, "unexpected character", NULL},
	{"99999999999999999999", 0, 20, "not a time", NULL},
};

static void
test_refusals(void)
{
	char	   *text;
	sla_fault	fault;
	sla_hours  *hours;

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
	{
		hours = try_parse(refusals[i].text, &fault);
		if (!CHECK_THAT(hours == NULL, "\"%s\" is accepted", refusals[i].text))
		{
			release(hours);
			continue;
		}
		CHECK_THAT(fault.position == refusals[i].position &&
				   fault.length == refusals[i].length,
				   "\"%s\" is refused at %zu + %zu, want %zu + %zu: %s",
				   refusals[i].text, fault.position, fault.length,
				   refusals[i].position, refusals[i].length, fault.reason);
		CHECK_THAT(strstr(fault.reason, refusals[i].reason) != NULL,
				   "\"%s\" is refused because %s", refusals[i].text, fault.reason);
		CHECK_THAT(refusals[i].hint == NULL ||
				   (fault.hint != NULL && strstr(fault.hint, refusals[i].hint) != NULL),
				   "\"%s\": the hint is \"%s\"", refusals[i].text,
				   fault.hint == NULL ? "" : fault.hint);
	}

	/* Bytes that end C strings, and the longest text. */
	CHECK(sla_hours_parse(&testing_env, "24/7\0", 5, &fault) == NULL);
	CHECK_INT(fault.position, 4);
	text = malloc(16385);
	memset(text, ' ', 16385);
	memcpy(text, "24/7", 4);
	hours = sla_hours_parse(&testing_env, text, 16384, &fault);
	CHECK(hours != NULL);
	release(hours);
	CHECK(sla_hours_parse(&testing_env, text, 16385, &fault) == NULL);
	CHECK_INT(fault.position, 16384);
	CHECK_INT(fault.length, 1);

	/* Short, but not when it is printed. */
	for (int i = 0; i < 16384; i++)
		text[i] = "Mo;"[i % 3];
	hours = sla_hours_parse(&testing_env, text, 3 * 1000 - 1, &fault);
	CHECK(hours != NULL);
	release(hours);
	CHECK(sla_hours_parse(&testing_env, text, 3 * 5000 - 1, &fault) == NULL);
	CHECK(strstr(fault.reason, "in full") != NULL);
	free(text);
}

/* Texts as long and as full of one thing as can be. */
static void
test_long_texts(void)
{
	static const char *const pieces[] = {
		"00:00-00:01,", "10:00-12:00;", "off;", "Mo,", "Mo[1],", "Mo[1]+1 day,",
		"2026,", "Jan,", "easter,", "2026 Jan 1+,", "week 1;", "week 1,2,3;",
		"00:00-24:00,PH,", "Mo 00:00-00:01,", "off\"x\";", "1-", "[", "(", ",", "|",
		"\"", "+1 day", "Mo 00:00-48:00||",
	};
	static sla_window windows[MAX_WINDOWS];

	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
	{
		size_t		length = strlen(pieces[i]);
		char	   *text = malloc(16384);
		size_t		used = 0;
		sla_fault	fault;
		sla_hours  *hours;

		while (used + length <= 16384 - 8)
		{
			memcpy(text + used, pieces[i], length);
			used += length;
		}
		for (int end = 0; end < 2; end++)
		{
			/* With the separator at its end, and with more of the same. */
			static const char last[] = "off";

			if (end == 1)
			{
				memcpy(text + used, last, strlen(last));
				used += strlen(last);
			}
			hours = sla_hours_parse(&testing_env, text, used - (end == 0), &fault);
			if (hours == NULL)
			{
				CHECK(fault.position <= used &&
					  fault.position + fault.length <= used);
				continue;
			}
			CHECK(sla_hours_max_windows(hours) >= 1 &&
				  sla_hours_max_windows(hours) <= MAX_WINDOWS);
			ask(hours, 0, true, windows);
			CHECK(sla_hours_print(hours, NULL, 0) <= 16384);
			release(hours);
		}
		free(text);
	}
}

/*
 * ------------------------------------------------------------------------
 * Days against counting
 * ------------------------------------------------------------------------
 */

static const struct
{
	int			year;
	int			day;			/* of March, or of April if negative */
}			easters[] =
{
	{1583, -10}, {1598, 22}, {1693, 22}, {1761, 22}, {1818, 22}, {1886, -25},
	{1943, -25}, {1954, -18}, {1981, -19}, {1999, -4}, {2000, -23},
	{2001, -15}, {2002, 31}, {2003, -20}, {2004, -11}, {2005, 27}, {2006, -16},
	{2007, -8}, {2008, 23}, {2009, -12}, {2010, -4}, {2011, -24}, {2012, -8},
	{2013, 31}, {2014, -20}, {2015, -5}, {2016, 27}, {2017, -16}, {2018, -1},
	{2019, -21}, {2020, -12}, {2021, -4}, {2022, -17}, {2023, -9}, {2024, 31},
	{2025, -20}, {2026, -5}, {2027, 28}, {2028, -16}, {2029, -1}, {2030, -21},
	{2031, -13}, {2032, 28}, {2033, -17}, {2034, -9}, {2035, 25}, {2036, -13},
	{2037, -5}, {2038, -25}, {2039, -10}, {2040, -1}, {2285, 22}, {2353, 22},
	{4099, -19},
};

static void
test_easter(void)
{
	sla_hours  *hours = parse("easter");
	sla_hours  *friday = parse("easter -2 days");
	sla_window	window;
	int			wrong = 0;

	for (size_t i = 0; i < sizeof(easters) / sizeof(easters[0]); i++)
	{
		int			day = easters[i].day;

		CHECK_THAT(ask(hours, date_of(easters[i].year, day > 0 ? 3 : 4, abs(day)),
					   false, &window) == 1, "easter %d", easters[i].year);
	}

	/* No other day of its year. */
	for (int year = 1583; year <= 4099; year++)
	{
		sla_date	march = date_of(year, 3, 1);
		int			after = easter_after_march(year);
		int			found = 0;

		for (int day = 1; day <= 70; day++)
		{
			int			n = sla_hours_on(hours, march + day - 1, false, &window);

			found += n;
			wrong += (n == 1) != (day == after);
			n = sla_hours_on(friday, march + day - 1, false, &window);
			wrong += (n == 1) != (day == after - 2);
		}
		wrong += found != 1;
	}
	CHECK_INT(wrong, 0);

	/* Past the years for which it is computed, always a Sunday in its span. */
	for (int year = -1000; year <= 10000; year += 7)
	{
		sla_date	new_year = date_of(year, 1, 1);
		sla_date	march = date_of(year, 3, 1);
		int			found = 0;

		if (year >= 1583 && year <= 4099)
			continue;
		for (sla_date date = new_year; date < march + 306; date++)
		{
			if (sla_hours_on(hours, date, false, &window) == 0)
				continue;
			found++;
			wrong += date < march + 21 || date > march + 55;
			wrong += ((date + 5) % 7 + 7) % 7 != 6;
		}
		wrong += found != 1;
	}
	CHECK_INT(wrong, 0);
	release(hours);
	release(friday);
}

/* Every selector that counts, on each day of 1890 to 2109, which has both kinds of 00. */
static void
test_days(void)
{
	enum
	{
		NWEEKDAYS = 7, NMONTHS = 12, NWEEKS = 53, NNTHS = 70
	};
	sla_hours  *by_weekday[NWEEKDAYS];
	sla_hours  *by_month[NMONTHS];
	sla_hours  *by_day[31];
	sla_hours  *by_week[NWEEKS];
	sla_hours  *by_nth[NNTHS];
	sla_hours  *moved = parse("Mo[1] -1 day,We[-1] +3 days");
	sla_hours  *first_month = parse("Jan Mo[1]-30");
	char		text[64];
	sla_window	window;
	calendar_day today;
	long		wrong = 0;
	bool		last_wednesday[4] = {false, false, true};	/* today and before */

	for (int i = 0; i < NWEEKDAYS; i++)
		by_weekday[i] = parse(weekdays[i]);
	for (int i = 0; i < NMONTHS; i++)
		by_month[i] = parse(months[i]);
	for (int i = 0; i < 31; i++)
	{
		snprintf(text, sizeof(text), "Jan %d,Mar %d,Aug %d", i + 1, i + 1, i + 1);
		by_day[i] = parse(text);
	}
	for (int i = 0; i < NWEEKS; i++)
	{
		snprintf(text, sizeof(text), "week %d", i + 1);
		by_week[i] = parse(text);
	}
	for (int i = 0; i < NNTHS; i++)
	{
		int			n = i % 10 - 5;

		snprintf(text, sizeof(text), "%s[%d]", weekdays[i / 10], n < 0 ? n : n + 1);
		by_nth[i] = parse(text);
	}

	today = first_day();
	while (today.year < 1890)
		next_day(&today);
	for (; today.year < 2110; next_day(&today))
	{
		int			length = length_of(today.year, today.month);
		int			n;

		for (int i = 0; i < NWEEKDAYS; i++)
			wrong += sla_hours_on(by_weekday[i], today.date, false, &window) !=
				(i == today.weekday);
		wrong += sla_hours_on(by_week[today.week - 1], today.date, false, &window) != 1;
		wrong += sla_hours_on(by_week[today.week % NWEEKS], today.date, false,
							  &window) != 0;
		wrong += sla_hours_on(by_month[today.month - 1], today.date, false,
							  &window) != 1;
		wrong += sla_hours_on(by_month[today.month % 12], today.date, false,
							  &window) != 0;
		n = today.month == 1 || today.month == 3 || today.month == 8;
		wrong += sla_hours_on(by_day[today.day - 1], today.date, false, &window) != n;
		for (int i = 0; i < 10; i++)
		{
			int			nth = i < 5 ? i - 5 : i - 4;
			bool		fits = nth > 0 ?
				today.day > 7 * (nth - 1) && today.day <= 7 * nth :
				today.day <= length + 7 * (nth + 1) && today.day > length + 7 * nth;

			wrong += sla_hours_on(by_nth[today.weekday * 10 + i], today.date, false,
								  &window) != fits;
		}
	}
	CHECK_INT(wrong, 0);

	/* Moved days: the day before a first Monday, three after a last Wednesday. */
	for (today = first_day(); today.year < 1820; next_day(&today))
	{
		calendar_day tomorrow = today;

		next_day(&tomorrow);
		memmove(last_wednesday + 1, last_wednesday, 3 * sizeof(bool));
		last_wednesday[0] = today.weekday == 2 &&
			today.day > length_of(today.year, today.month) - 7;
		wrong += sla_hours_on(moved, today.date, false, &window) !=
			(last_wednesday[3] || (tomorrow.weekday == 0 && tomorrow.day <= 7));

		if (today.month == 1)
		{
			/* Is the first Monday over? */
			int			first_monday = (today.day + 7 - today.weekday) % 7;

			if (first_monday == 0)
				first_monday = 7;
			wrong += sla_hours_on(first_month, today.date, false, &window) !=
				(today.day >= first_monday && today.day <= 30);
		}
		else
			wrong += sla_hours_on(first_month, today.date, false, &window) != 0;
	}
	CHECK_INT(wrong, 0);

	for (int i = 0; i < NWEEKDAYS; i++)
		release(by_weekday[i]);
	for (int i = 0; i < NMONTHS; i++)
		release(by_month[i]);
	for (int i = 0; i < 31; i++)
		release(by_day[i]);
	for (int i = 0; i < NWEEKS; i++)
		release(by_week[i]);
	for (int i = 0; i < NNTHS; i++)
		release(by_nth[i]);
	release(moved);
	release(first_month);
}

/*
 * ------------------------------------------------------------------------
 * What the caller asks of all rules
 * ------------------------------------------------------------------------
 */

static const struct
{
	const char *text;
	bool		holidays;
	int			first;			/* named years, 0 for none */
	int			last;
}			summaries[] =
{
	{"24/7", false, 0, 0},
	{"Mo-Fr 08:00-16:00; PH off", true, 0, 0},
	{"Mo-Fr,PH 08:00-16:00", true, 0, 0},
	{"PH Mo-Fr 08:00-16:00", true, 0, 0},
	{"Dec 24-Jan 2 off; week 1-53/2; Mo[1]", false, 0, 0},
	{"2026", false, 2026, 2026},
	{"2026+", false, 2026, 2026},
	{"2026-2040/2; 1999 Dec 24", false, 1999, 2040},
	{"2026 Dec 24-Jan 2", false, 2026, 2027},
	{"2026 Dec 24+", false, 2026, 2026},
	{"2026 Dec 31 +1 day", false, 2027, 2027},
	{"0001-9999/3", false, 1, 9997},
	{"0001-9999/2", false, 1, 9999},
	{"easter off", false, 1579, 4103},
};

static void
test_summaries(void)
{
	for (size_t i = 0; i < sizeof(summaries) / sizeof(summaries[0]); i++)
	{
		sla_hours  *hours = parse(summaries[i].text);
		int			first = 0;
		int			last = 0;

		CHECK(sla_hours_names_holidays(hours) == summaries[i].holidays);
		CHECK(sla_hours_named_years(hours, &first, &last) ==
			  (summaries[i].first != 0));
		CHECK_INT(first, summaries[i].first);
		CHECK_INT(last, summaries[i].last);
		release(hours);
	}
}

/* Outside of the named years 400 years later or earlier is the same. */
static void
check_cycle(const char *text)
{
	static sla_window left[MAX_WINDOWS];
	static sla_window right[MAX_WINDOWS];
	sla_hours  *hours = parse(text);
	int			first;
	int			last;
	int64_t		low = 0;
	int64_t		high = 0;
	bool		same = true;

	if (hours == NULL)
		return;
	if (sla_hours_named_years(hours, &first, &last))
	{
		low = date_of(first, 1, 1) - 1;
		high = date_of(last + 1, 1, 1);
	}
	for (int i = 0; i < 1500 && same; i++)
	{
		/* Mostly near the bounds, sometimes as far as can be. */
		int64_t		span = testing_random(4) == 0 ? 2000000000 : 1000;
		int64_t		up = high + (int64_t) testing_random((uint64_t) span);
		int64_t		down = low - (int64_t) testing_random((uint64_t) span);
		int64_t		cycles = 1 + (int64_t) testing_random(100);
		int			n;

		if (i == 0)
			up = INT32_MAX - CYCLE * cycles;
		if (i == 1)
			down = INT32_MIN + CYCLE * cycles;
		if (up + cycles * CYCLE > INT32_MAX || down - cycles * CYCLE < INT32_MIN)
			continue;
		n = ask(hours, (sla_date) up, false, left);
		same = ask(hours, (sla_date) (up + cycles * CYCLE), false, right) == n &&
			memcmp(left, right, n * sizeof(sla_window)) == 0;
		n = ask(hours, (sla_date) down, false, left);
		same = same &&
			ask(hours, (sla_date) (down - cycles * CYCLE), false, right) == n &&
			memcmp(left, right, n * sizeof(sla_window)) == 0;
		CHECK_THAT(same, "\"%s\" does not repeat from %" PRId64 ", %" PRId64,
				   text, up, down);
	}
	release(hours);
}

static void
test_cycles(void)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		check_cycle(meanings[i].text);
	check_cycle("2026-9999/3");
	check_cycle("0001 Jan 1-9999 Dec 31");
	check_cycle("easter -365 days-easter +365 days");
	check_cycle("Dec 31 +365 days-easter -1 day");
}

/*
 * ------------------------------------------------------------------------
 * Random texts against a second reading of what they mean
 * ------------------------------------------------------------------------
 */

#define MINUTES	(2 * 24 * 60)

/* A rule as the generator knows it. */
typedef struct model_rule
{
	int			separator;		/* of "; ", ", ", " || " */
	bool		closed;
	int			nspans;			/* 0: none written */
	int			from[3];		/* minutes */
	int			to[3];
	int			years[2];		/* 0: none */
	int			step;
	int			dates;			/* which kind, 0: none */
	int			a;
	int			b;
	int			month[2];
	int			day[2];
	int			weeks[2];
	int			weekday_kind;	/* 0: none, 1: range, 2: nth */
	int			weekday[2];
	int			nth;
	int			holiday;		/* 0: none, 1: or, 2: and */
} model_rule;

static int
pick(int n)
{
	return (int) testing_random((uint64_t) n);
}

/* Append to a text; case and spaces are thrown in where they do not matter. */
static void
write_text(char *text, const char *format,...)
{
	char		piece[128];
	va_list		arguments;

	va_start(arguments, format);
	vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	if (pick(8) == 0)
	{
		for (char *c = piece; *c != '\0'; c++)
		{
			if (*c >= 'a' && *c <= 'z' && pick(2) == 0)
				*c += 'A' - 'a';
		}
	}
	strcat(text, piece);
	if (pick(8) == 0)
		strcat(text, pick(2) == 0 ? " " : "\t");
}

static void
generate_rule(model_rule *rule, char *text)
{
	bool		selects = false;

	memset(rule, 0, sizeof(*rule));
	if (pick(8) == 0)
	{
		rule->years[0] = 2020 + pick(8);
		rule->years[1] = rule->years[0] + pick(6);
		rule->step = 1 + pick(3);
		write_text(text, "%d-%d", rule->years[0], rule->years[1]);
		if (rule->step > 1)
			write_text(text, "/%d", rule->step);
		strcat(text, " ");
		selects = true;
	}
	if (pick(3) == 0)
	{
		rule->dates = 1 + pick(5);
		for (int i = 0; i < 2; i++)
		{
			rule->month[i] = 1 + pick(12);
			rule->day[i] = 1 + pick(month_lengths[rule->month[i] - 1]);
		}
		switch (rule->dates)
		{
			case 1:				/* months */
				write_text(text, "%s", months[rule->month[0] - 1]);
				write_text(text, "-%s", months[rule->month[1] - 1]);
				break;
			case 2:				/* a date */
				write_text(text, "%s", months[rule->month[0] - 1]);
				write_text(text, " %d", rule->day[0]);
				break;
			case 3:				/* dates */
				write_text(text, "%s %02d", months[rule->month[0] - 1], rule->day[0]);
				write_text(text, "-%s", months[rule->month[1] - 1]);
				write_text(text, " %02d", rule->day[1]);
				break;
			default:			/* days from and to easter */
				rule->a = pick(60) - 60;
				rule->b = 1 + pick(60);
				write_text(text, "easter %d days", rule->a);
				write_text(text, "-easter");
				write_text(text, " +%d days", rule->b);
				break;
		}
		strcat(text, " ");
		selects = true;
	}
	if (pick(8) == 0)
	{
		rule->weeks[0] = 1 + pick(53);
		rule->weeks[1] = rule->weeks[0] + pick(54 - rule->weeks[0]);
		write_text(text, "week %d", rule->weeks[0]);
		write_text(text, "-%d", rule->weeks[1]);
		strcat(text, " ");
		selects = true;
	}
	if (selects && pick(8) == 0)
		strcat(text, ": ");
	if (pick(10) == 0)
	{
		rule->holiday = 1;
		write_text(text, "PH");
		selects = true;
	}
	if (pick(3) != 0)
	{
		if (rule->holiday == 1)
		{
			rule->holiday = 1 + pick(2);
			strcat(text, rule->holiday == 1 ? "," : " ");
		}
		rule->weekday_kind = 1 + (pick(5) == 0);
		rule->weekday[0] = pick(7);
		rule->weekday[1] = pick(7);
		if (rule->weekday_kind == 1)
		{
			write_text(text, "%s", weekdays[rule->weekday[0]]);
			write_text(text, "-%s", weekdays[rule->weekday[1]]);
		}
		else
		{
			rule->nth = pick(2) == 0 ? 1 + pick(5) : -1 - pick(5);
			write_text(text, "%s", weekdays[rule->weekday[0]]);
			write_text(text, "[%d]", rule->nth);
		}
		selects = true;
	}
	rule->closed = pick(4) == 0;
	if (pick(4) != 0 || (!selects && !rule->closed))
	{
		rule->nspans = 1 + pick(3);
		for (int i = 0; i < rule->nspans; i++)
		{
			int			to;

			rule->from[i] = pick(96) * 15;
			to = pick(4) == 0 ? pick(193) * 15 : pick(97) * 15;
			strcat(text, i == 0 ? " " : ",");
			write_text(text, "%02d:%02d", rule->from[i] / 60, rule->from[i] % 60);
			write_text(text, "-%02d:%02d", to / 60, to % 60);
			if (to <= rule->from[i])
				to += 24 * 60;
			rule->to[i] = to;
		}
	}
	if (rule->closed)
		write_text(text, pick(2) == 0 ? " off" : " closed");
	else
		write_text(text, " open");
	if (pick(10) == 0)
		strcat(text, " \"a; b, 10:00-12:00\"");
}

static bool
model_fits(const model_rule *rule, const calendar_day *day, bool holiday)
{
	int			now = day->month * 100 + day->day;
	bool		fits = rule->weekday_kind == 0 && rule->holiday == 0;

	if (rule->years[0] != 0)
	{
		bool		found = false;

		for (int year = rule->years[0]; year <= rule->years[1]; year += rule->step)
			found = found || year == day->year;
		if (!found)
			return false;
	}
	if (rule->dates >= 1 && rule->dates <= 3)
	{
		int			from = rule->month[0] * 100 + (rule->dates == 1 ? 1 : rule->day[0]);
		int			to = rule->dates == 2 ? from :
			rule->month[1] * 100 + (rule->dates == 1 ? 31 : rule->day[1]);

		if (from <= to ? (now < from || now > to) : (now < from && now > to))
			return false;
	}
	else if (rule->dates > 3)
	{
		/* At most 60 days around, so it stays in its year. */
		int			easter = 31 + 28 + leap(day->year) +
			easter_after_march(day->year);

		if (day->of_year < easter + rule->a || day->of_year > easter + rule->b)
			return false;
	}
	if (rule->weeks[0] != 0 &&
		(day->week < rule->weeks[0] || day->week > rule->weeks[1]))
		return false;

	if (rule->weekday_kind == 1)
	{
		for (int i = rule->weekday[0];; i = (i + 1) % 7)
		{
			fits = fits || i == day->weekday;
			if (i == rule->weekday[1])
				break;
		}
	}
	else if (rule->weekday_kind == 2 && rule->weekday[0] == day->weekday)
	{
		int			left = length_of(day->year, day->month) - day->day;

		fits = rule->nth > 0 ? (day->day + 6) / 7 == rule->nth :
			left / 7 + 1 == -rule->nth;
	}
	if (rule->holiday == 1)
		return fits || holiday;
	if (rule->holiday == 2)
		return fits && holiday;
	return fits;
}

static void
paint(const model_rule *rules, int n, const calendar_day *day, bool holiday,
	  bool *minutes)
{
	memset(minutes, 0, MINUTES * sizeof(bool));
	for (int i = 0; i < n; i++)
	{
		const model_rule *rule = &rules[i];

		if (!model_fits(rule, day, holiday))
			continue;
		if (rule->closed && rule->separator == 2)
			continue;
		if ((rule->closed && rule->nspans == 0) ||
			(!rule->closed && rule->separator == 0))
			memset(minutes, 0, MINUTES * sizeof(bool));
		if (!rule->closed && rule->nspans == 0)
			memset(minutes, 1, 24 * 60 * sizeof(bool));
		for (int j = 0; j < rule->nspans; j++)
		{
			for (int minute = rule->from[j]; minute < rule->to[j]; minute++)
				minutes[minute] = !rule->closed;
		}
	}
}

/* "08:00-12:00 open by RULE; closed by RULE", this for the date itself. */
static const char *
rulings_text(const char *text, const char *date, bool holiday)
{
	static char buffer[1024];
	sla_hours  *hours = parse(text);
	sla_ruling *rulings;
	int			closer;
	int			n;

	buffer[0] = '\0';
	if (hours == NULL)
		return buffer;
	rulings = malloc((size_t) sla_hours_max_rulings(hours) * sizeof(sla_ruling));
	n = sla_hours_rulings(hours, read_date(date), holiday, rulings, &closer);
	for (int i = 0; i <= n; i++)
	{
		const char *separator = buffer[0] != '\0' ? "; " : "";

		if (i == n && closer < 0)
			break;
		strcat(buffer, separator);
		if (i < n)
		{
			show_clock(buffer, rulings[i].from);
			strcat(buffer, "-");
			show_clock(buffer, rulings[i].to);
			strcat(buffer, rulings[i].open ? " open by " : " closed by ");
		}
		else
			strcat(buffer, "closed by ");
		sla_hours_print_rule(hours, i < n ? rulings[i].rule : closer,
							 buffer + strlen(buffer), sizeof(buffer) - strlen(buffer));
	}
	free(rulings);
	release(hours);
	return buffer;
}

static void
test_rulings(void)
{
	/* 2026-06-03 is a Wednesday. */
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00", "2026-06-03", false), "08:00-16:00 open by Mo-Fr 08:00-16:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00", "2026-06-06", false), "");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; We 08:00-12:00", "2026-06-03", false), "08:00-12:00 open by We 08:00-12:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00, We 10:00-18:00, We 06:00-06:30", "2026-06-03", false),
			   "06:00-06:30 open by We 06:00-06:30; 08:00-16:00 open by Mo-Fr 08:00-16:00; 16:00-18:00 open by We 10:00-18:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; We 12:00-13:00 off \"lunch\"", "2026-06-03", false),
			   "08:00-12:00 open by Mo-Fr 08:00-16:00; 12:00-13:00 closed by We 12:00-13:00 off \"lunch\"; "
			   "13:00-16:00 open by Mo-Fr 08:00-16:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; 12:00-13:00 off, 12:30-12:45 open || 15:00-18:00", "2026-06-03", false),
			   "08:00-12:00 open by Mo-Fr 08:00-16:00; 12:00-12:30 closed by 12:00-13:00 off; "
			   "12:30-12:45 open by 12:30-12:45; 12:45-13:00 closed by 12:00-13:00 off; "
			   "13:00-16:00 open by Mo-Fr 08:00-16:00; 16:00-18:00 open by 15:00-18:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; Jun 03 off; Sa off", "2026-06-03", false),
			   "08:00-16:00 closed by Jun 03 off; closed by Jun 03 off");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; Sa off", "2026-06-06", false), "closed by Sa off");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; 08:00-12:00 off; 09:00-16:00 off", "2026-06-03", false),
			   "08:00-12:00 closed by 08:00-12:00 off; 12:00-16:00 closed by 09:00-16:00 off; closed by 09:00-16:00 off");
	CHECK_TEXT(rulings_text("off; We 08:00-12:00", "2026-06-03", false), "08:00-12:00 open by We 08:00-12:00");
	CHECK_TEXT(rulings_text("Mo-Fr 08:00-16:00; PH 10:00-12:00; PH off \"x\"", "2026-06-03", true),
			   "10:00-12:00 closed by PH off \"x\"; closed by PH off \"x\"");
	CHECK_TEXT(rulings_text("We off; Mo-Fr 08:00-16:00 || 10:00-12:00 off", "2026-06-03", false), "08:00-16:00 open by Mo-Fr 08:00-16:00");
	CHECK_TEXT(rulings_text("22:00-30:00; 23:00-25:00 off", "2026-06-03", false),
			   "22:00-23:00 open by 22:00-06:00; 23:00-25:00 closed by 23:00-01:00 off; 25:00-30:00 open by 22:00-06:00");
}

/* Each rule, alone, opens what it is said to have opened. */
static void
check_authors(const sla_hours *hours, sla_date date, bool holiday)
{
	static sla_window windows[MAX_WINDOWS];
	sla_ruling *rulings = malloc((size_t) sla_hours_max_rulings(hours) * sizeof(sla_ruling));
	int			closer;
	int			n = sla_hours_rulings(hours, date, holiday, rulings, &closer);

	for (int i = 0; i < n; i++)
	{
		char		text[4096];
		sla_hours  *rule;
		bool		covered = !rulings[i].open;
		int			nwindows;

		sla_hours_print_rule(hours, rulings[i].rule, text, sizeof(text));
		rule = parse(text);
		if (rule == NULL)
			continue;
		nwindows = ask(rule, date, holiday, windows);
		for (int w = 0; w < nwindows; w++)
			covered = covered || (rulings[i].open && windows[w].from <= rulings[i].from &&
								  windows[w].to >= rulings[i].to);
		CHECK_THAT(covered && (rulings[i].open || nwindows == 0),
				   "\"%s\" is said to have %s on %d", text,
				   rulings[i].open ? "opened" : "closed", date);
		release(rule);
	}
	free(rulings);
}

static void
test_random_texts(void)
{
	static const char *const separators[] = {"; ", ", ", " || "};
	static calendar_day days[3000];
	static sla_window windows[MAX_WINDOWS];
	calendar_day day = first_day();

	while (day.year < 2020)
		next_day(&day);
	for (int i = 0; i < 3000; i++)
	{
		days[i] = day;
		next_day(&day);
	}

	for (int i = 0; i < 6000; i++)
	{
		model_rule	rules[6];
		int			n = 1 + pick(6);
		char		text[4096] = "";
		char		printed[8192];
		sla_hours  *hours;
		sla_hours  *again;
		bool		same = true;

		for (int j = 0; j < n; j++)
		{
			int			separator = pick(3);

			if (j > 0)
				strcat(text, separators[separator]);
			generate_rule(&rules[j], text);
			rules[j].separator = j > 0 ? separator : 0;
		}
		hours = parse(text);
		if (hours == NULL)
			continue;
		CHECK(sla_hours_print(hours, printed, sizeof(printed)) < sizeof(printed));
		again = parse(printed);
		if (again == NULL)
		{
			release(hours);
			continue;
		}
		CHECK_THAT(strcmp(print(again), printed) == 0, "\"%s\" and then \"%s\"",
				   printed, print(again));
		for (int j = 0; j < 60 && same; j++)
		{
			const calendar_day *on = &days[pick(3000)];
			bool		holiday = pick(4) == 0;
			bool		want[MINUTES];
			bool		got[MINUTES];

			if (j % 20 == 0)
				check_authors(hours, on->date, holiday);
			paint(rules, n, on, holiday, want);
			for (int k = 0; k < 2; k++)
			{
				int			count = ask(k == 0 ? hours : again, on->date, holiday,
										windows);

				memset(got, 0, sizeof(got));
				for (int w = 0; w < count; w++)
				{
					for (int m = windows[w].from / 60; m < windows[w].to / 60; m++)
						got[m] = true;
				}
				same = same && memcmp(want, got, sizeof(want)) == 0;
			}
			CHECK_THAT(same, "\"%s\" (\"%s\") on %d-%02d-%02d%s gives \"%s\"", text,
					   printed, on->year, on->month, on->day, holiday ? "*" : "",
					   windows_text(hours, on->date, holiday));
		}
		release(hours);
		release(again);
	}
}

/* Damaged texts: nothing is asked but that all goes well. */
static void
test_mutations(void)
{
	static const char bytes[] = "MoFrPHDec024:/-+,;|[]\"() weekeasterdaysoff\0\xC3";
	static sla_window windows[MAX_WINDOWS];
	int			accepted = 0;

	for (int i = 0; i < 30000; i++)
	{
		const char *from = pick(4) != 0 ?
			meanings[pick(sizeof(meanings) / sizeof(meanings[0]))].text :
			refusals[pick(sizeof(refusals) / sizeof(refusals[0]))].text;
		size_t		length = strlen(from);
		char	   *text = malloc(length + 8);	/* ASAN sees the end */
		sla_fault	fault;
		sla_hours  *hours;

		memcpy(text, from, length);
		for (int edits = 1 + pick(2); edits > 0; edits--)
		{
			size_t		at = length > 0 ? (size_t) pick((int) length) : 0;
			char		byte = bytes[pick(sizeof(bytes))];

			if (length > 0 && pick(3) == 0)
				text[at] = byte;
			else if (length > 0 && pick(2) == 0)
				memmove(text + at, text + at + 1, --length - at);
			else
			{
				memmove(text + at + 1, text + at, length++ - at);
				text[at] = byte;
			}
		}
		text = realloc(text, length > 0 ? length : 1);
		hours = sla_hours_parse(&testing_env, text, length, &fault);
		if (hours != NULL)
		{
			char		printed[4096];
			sla_hours  *again;

			accepted++;
			CHECK(sla_hours_print(hours, printed, sizeof(printed)) < sizeof(printed));
			for (int j = 0; j < 5; j++)
				ask(hours, (sla_date) (testing_random(1 << 20)) - (1 << 19),
					pick(2) == 0, windows);
			again = sla_hours_parse(&testing_env, printed, strlen(printed), &fault);
			/* A NUL in a comment ends what strlen sees. */
			if (CHECK_THAT(again != NULL || memchr(text, 0, length) != NULL,
						   "\"%.*s\" is printed as \"%s\", refused: %s", (int) length,
						   text, printed, fault.reason) && again != NULL)
				CHECK_TEXT(print(again), printed);
			if (again != NULL)
				release(again);
			release(hours);
		}
		else
			CHECK(fault.position <= length &&
				  fault.position + fault.length <= length &&
				  strlen(fault.reason) > 0);
		free(text);
	}
	CHECK_THAT(accepted > 1000 && accepted < 25000, "%d accepted", accepted);
}

/*
 * ------------------------------------------------------------------------
 * Published texts
 * ------------------------------------------------------------------------
 */

/* Of texts said to be valid, those that we refuse all the same, and why. */
static const struct
{
	const char *text;
	const char *reason;
}			refused_though_valid[] =
{
	/* Whether the next day is a holiday is not known of a date alone. */
	{"PH -1 day", "holiday"},
	/* Nothing but a comment means "unknown", which no instant can be. */
	{"Mo-Sa 08:00-13:00,14:00-17:00 || \"by appointment\"", "comment alone"},
};

/* The next field of a line of CSV, in place; NULL when there is none. */
static char *
next_field(char **line)
{
	char	   *from = *line;
	char	   *to = *line;
	char	   *field = *line;
	bool		quoted = false;

	if (from == NULL)
		return NULL;
	for (; *from != '\0'; from++)
	{
		if (*from == '"' && quoted && from[1] == '"')
			*to++ = *from++;
		else if (*from == '"')
			quoted = !quoted;
		else if (*from == ',' && !quoted)
			break;
		else
			*to++ = *from;
	}
	*line = *from == '\0' ? NULL : from + 1;
	*to = '\0';
	return field;
}

static int
weekday_named(const char *text)
{
	for (int i = 0; i < 7; i++)
	{
		if (strncmp(text, weekdays[i], 2) == 0)
			return i;
	}
	abort();
}

/*
 * "Mo,We 10:00-12:00,13:00-17:00; Su 22:00-02:00" as minutes of each weekday,
 * which may run into the next.
 */
static void
paint_meaning(const char *meaning, bool minutes[7][MINUTES])
{
	memset(minutes, 0, 7 * MINUTES);
	while (*meaning != '\0' && *meaning != '(')
	{
		bool		days[7] = {0};

		for (;;)
		{
			int			day = weekday_named(meaning);
			int			last = day;

			meaning += 2;
			if (*meaning == '-')
			{
				last = weekday_named(meaning + 1);
				meaning += 3;
			}
			for (; day <= last; day++)
				days[day] = true;
			if (*meaning != ',')
				break;
			meaning++;
		}
		do
		{
			int			from[2];
			int			to[2];

			meaning++;
			if (sscanf(meaning, "%d:%d-%d:%d", &from[0], &from[1], &to[0], &to[1]) != 4)
				abort();
			from[0] = from[0] * 60 + from[1];
			to[0] = to[0] * 60 + to[1];
			if (to[0] <= from[0])
				to[0] += 24 * 60;
			for (int day = 0; day < 7; day++)
			{
				for (int m = from[0]; days[day] && m < to[0]; m++)
					minutes[day][m] = true;
			}
			meaning += 11;
		} while (*meaning == ',');
		while (*meaning == ';' || *meaning == ' ')
			meaning++;
	}
}

static void
test_published(void)
{
	static const char *const beyond[] = {"sun", "open_end", "points", "unknown"};
	static const char weekly[] = "open weekly: ";
	FILE	   *file = fopen(PUBLISHED, "r");
	char		line[1024];
	int			rows = 0;
	int			accepted = 0;
	int			weeks = 0;

	if (!CHECK_THAT(file != NULL, "no file %s", PUBLISHED))
		return;
	CHECK(fgets(line, sizeof(line), file) != NULL);
	while (fgets(line, sizeof(line), file) != NULL)
	{
		char	   *rest = line;
		char	   *text = next_field(&rest);
		char	   *validity = next_field(&rest);
		char	   *meaning = next_field(&rest);
		char	   *subset = next_field(&rest);
		sla_fault	fault;
		sla_hours  *hours = try_parse(text, &fault);
		bool		refused = strcmp(validity, "invalid") == 0;
		bool		valid = strcmp(validity, "valid") == 0;

		rows++;
		for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
			refused = refused || strcmp(subset, beyond[i]) == 0;
		for (size_t i = 0; i < sizeof(refused_though_valid) /
			 sizeof(refused_though_valid[0]); i++)
		{
			if (strcmp(text, refused_though_valid[i].text) != 0)
				continue;
			refused = true;
			CHECK_THAT(hours == NULL &&
					   strstr(fault.reason, refused_though_valid[i].reason) != NULL,
					   "\"%s\" is refused because %s", text, fault.reason);
		}
		/* Of what others tolerate, we may take what is in the notation. */
		if (refused)
			CHECK_THAT(hours == NULL, "\"%s\" is accepted", text);
		else if (valid)
			CHECK_THAT(hours != NULL, "\"%s\" is refused: %s", text, fault.reason);
		if (hours == NULL)
			continue;

		accepted++;
		check_print(text, NULL);
		if (strncmp(meaning, weekly, strlen(weekly)) == 0 ||
			strncmp(meaning, "never open", 10) == 0)
		{
			/* 2026-06-01, a Monday of a week with nothing special. */
			sla_date	monday = date_of(2026, 6, 1);
			bool		want[7][MINUTES];
			bool		got[7][MINUTES] = {0};

			weeks++;
			paint_meaning(strncmp(meaning, "never", 5) == 0 ? "" :
						  meaning + strlen(weekly), want);
			for (int day = 0; day < 7; day++)
			{
				sla_window	windows[100];
				int			n = ask(hours, monday + day, false, windows);

				for (int w = 0; w < n; w++)
				{
					for (int m = windows[w].from / 60; m < windows[w].to / 60; m++)
						got[day][m] = true;
				}
			}
			CHECK_THAT(memcmp(want, got, sizeof(want)) == 0,
					   "\"%s\" does not mean \"%s\"", text, meaning);
		}
		release(hours);
	}
	fclose(file);
	CHECK_INT(rows, 192);
	CHECK_THAT(accepted >= 80, "%d texts were accepted", accepted);
	CHECK_THAT(weeks >= 40, "the meaning of %d texts was checked", weeks);
}

int
main(void)
{
	test_meanings();
	test_print();
	test_refusals();
	test_rulings();
	test_long_texts();
	test_easter();
	test_days();
	test_summaries();
	test_cycles();
	test_published();
	test_random_texts();
	test_mutations();
	return testing_finish("opening_hours");
}
