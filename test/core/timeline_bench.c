/*
 * timeline_bench.c
 *		Nanoseconds per call of the timeline, without a server.
 *
 * Not a test: make bench in test/core builds it as the server's code is built
 * and prints a table.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../src/core/timeline.h"

#define HOUR	(INT64_C(3600) * SLA_USECS_PER_SEC)
#define YEAR	(INT64_C(31556952) * SLA_USECS_PER_SEC)
#define N		(1 << 20)

static long pages = 0;

static void *
bench_alloc(void *arg, size_t size)
{
	void	   *pointer = malloc(size);

	(void) arg;
	if (pointer == NULL)
		abort();
	return pointer;
}

static void
bench_release(void *arg, void *pointer)
{
	(void) arg;
	free(pointer);
}

/* Called once for each page that is compiled. */
static void
bench_interrupt(void *arg)
{
	(void) arg;
	pages++;
}

static const sla_env env = {bench_alloc, bench_release, bench_interrupt, NULL};

/* In [0, n), the same in every run. */
static uint64_t
chance(uint64_t n)
{
	static uint64_t state = UINT64_C(0x9E3779B97F4A7C15);

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static sla_instant instants[N];
static sla_instant later[N];
static int64_t sink;

/* Summer time from the end of March to the end of October, roughly. */
static int32_t
offset_at(const void *data, int64_t second, int64_t *until)
{
	int64_t		year = 31556952;
	int64_t		in_year = sla_floor_mod(second, year);
	int64_t		start = second - in_year;

	(void) data;
	if (in_year < year / 4)
	{
		*until = start + year / 4;
		return 3600;
	}
	*until = start + (in_year < year / 4 * 3 ? year / 4 * 3 : year + year / 4);
	return in_year < year / 4 * 3 ? 7200 : 3600;
}

/* Nanoseconds of this process: others may run beside it. */
static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double) time.tv_sec * 1e9 + (double) time.tv_nsec;
}

static double started;

static void
start(void)
{
	started = now();
}

static void
report(const char *what, double n, const char *unit)
{
	printf("%-52s %10.1f %s\n", what, (now() - started) / n, unit);
}

static sla_timeline *
make(sla_schedule *schedule, const char *text)
{
	sla_fault	fault;
	sla_holiday *holidays = malloc(120 * sizeof(sla_holiday));

	memset(schedule, 0, sizeof(*schedule));
	memset(holidays, 0, 120 * sizeof(sla_holiday));
	for (int i = 0; i < 120; i++)
		holidays[i].day = 15 * 365 + i * 33 + (int) chance(30);
	schedule->kind = SLA_SCHEDULE_PART;
	schedule->part.zone = (sla_zone) {offset_at, offset_at, NULL};
	schedule->part.hours = sla_hours_parse(&env, text, strlen(text), &fault);
	schedule->part.from_day = SLA_DATE_FIRST;
	schedule->part.to_day = SLA_DATE_LAST;
	schedule->part.holidays = holidays;
	schedule->part.nholidays = 120;
	return sla_timeline_create(&env, schedule);
}

static void
bench(const char *text)
{
	sla_schedule schedule;
	sla_timeline *timeline = make(&schedule, text);
	int64_t		result;

	printf("\n%s\n", text);
	pages = 0;
	start();
	sla_measure(timeline, 16 * YEAR, 26 * YEAR, &result);
	report("compile 10 years", 1000 * (double) pages, "us a page");

	start();
	for (int i = 0; i < N; i++)
		sink += sla_is_open(timeline, instants[i]);
	report("is_open", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		if (sla_measure(timeline, instants[i], instants[i] + (later[i] & 0xFFFFFFFFFF), &result))
			sink += result;
	report("measure, up to 12 days", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		if (sla_measure(timeline, instants[i], later[i], &result))
			sink += result;
	report("measure, up to 10 years", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance(timeline, instants[i], 4 * HOUR);
	report("advance 4 hours", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance(timeline, instants[i], -4 * HOUR);
	report("advance -4 hours", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance(timeline, instants[i], 1000 * HOUR);
	report("advance 1000 hours", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		if (sla_next_open(timeline, instants[i], &result))
			sink += result;
	report("next_open", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		if (sla_previous_close(timeline, instants[i], &result))
			sink += result;
	report("previous_close", N, "ns");
	printf("%-52s %10zu bytes\n", "memory", sla_timeline_size(timeline));
	start();
	for (int i = 0; i < N; i++)
		sink += sla_count_business_days(timeline, 6000 + (i & 1023), 7000);
	report("business days", N, "ns");
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance_days(timeline, instants[i], 3);
	report("advance 3 days", N, "ns");
	printf("%-52s %10zu bytes\n", "memory, with business days", sla_timeline_size(timeline));

	pages = 0;
	start();
	sla_measure(timeline, SLA_FIRST_INSTANT, SLA_END_INSTANT - 1, &result);
	report("compile all there is", 1000 * (double) pages, "us a page");
	printf("%-52s %10zu bytes\n", "memory then", sla_timeline_size(timeline));
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance(timeline, instants[i] * (i & 511), 4 * HOUR);
	report("advance 4 hours, over 5000 years", N, "ns");
	sla_timeline_free(timeline);
}

static void
bench_many(int n)
{
	static sla_timeline *timelines[10000];
	static sla_schedule schedules[10000];
	size_t		size = 0;
	char		what[80];

	for (int i = 0; i < n; i++)
		timelines[i] = make(&schedules[i], "Mo-Fr 08:00-16:00");
	for (int i = 0; i < N; i++)
		sink += sla_advance(timelines[chance((uint64_t) n)], instants[i], 4 * HOUR);
	for (int i = 0; i < n; i++)
		size += sla_timeline_size(timelines[i]);
	start();
	for (int i = 0; i < N; i++)
		sink += sla_advance(timelines[(unsigned) (i * 2654435761u) % (unsigned) n],
							instants[i], 4 * HOUR);
	snprintf(what, sizeof(what), "advance 4 hours, %d timelines of %zu bytes", n, size / (size_t) n);
	report(what, N, "ns");
	for (int i = 0; i < n; i++)
		sla_timeline_free(timelines[i]);
}

int
main(void)
{
	for (int i = 0; i < N; i++)
	{
		instants[i] = 16 * YEAR + (int64_t) chance(10 * (uint64_t) YEAR);
		later[i] = 16 * YEAR + (int64_t) chance(10 * (uint64_t) YEAR);
	}
	bench("Mo-Fr 08:00-16:00");
	bench("Mo-Fr 08:00-12:00,13:00-17:00; Sa 10:00-14:00");
	bench("24/7");
	printf("\n");
	bench_many(1);
	bench_many(10000);
	return sink == 42;
}
