/*
 * testing.h
 *		What the unit tests of the core share: checks and a memory that counts.
 *
 * A test program includes this once, runs its checks and returns
 * testing_finish() from main.
 */
#ifndef SLA_TESTING_H
#define SLA_TESTING_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../src/core/core.h"

static long testing_passed = 0;
static long testing_failed = 0;
static long testing_live = 0;
static long testing_interrupts = 0;

/* The first failures are printed, all are counted. */
#define TESTING_MAX_SHOWN	50

/*
 * Count a check.  The format tells more about a failure, for which the
 * condition alone is seldom enough.
 */
__attribute__((format(printf, 4, 5), unused))
static bool
testing_check(bool good, const char *file, int line, const char *format,...)
{
	if (good)
	{
		testing_passed++;
		return true;
	}
	if (testing_failed++ < TESTING_MAX_SHOWN)
	{
		va_list		arguments;

		fprintf(stderr, "%s:%d: ", file, line);
		va_start(arguments, format);
		vfprintf(stderr, format, arguments);
		va_end(arguments);
		fputc('\n', stderr);
	}
	return false;
}

#define CHECK(condition) \
	testing_check((condition), __FILE__, __LINE__, "not so: %s", #condition)

/* The arguments after the condition are those of printf. */
#define CHECK_THAT(condition, ...) \
	testing_check((condition), __FILE__, __LINE__, __VA_ARGS__)

#define CHECK_INT(got, want) \
	do { \
		int64_t		got_ = (got); \
		int64_t		want_ = (want); \
		testing_check(got_ == want_, __FILE__, __LINE__, \
					  "%s is %" PRId64 ", want %" PRId64, #got, got_, want_); \
	} while (0)

#define CHECK_TEXT(got, want) \
	do { \
		const char *got_ = (got); \
		const char *want_ = (want); \
		testing_check(strcmp(got_, want_) == 0, __FILE__, __LINE__, \
					  "%s is \"%s\", want \"%s\"", #got, got_, want_); \
	} while (0)

static void *
testing_alloc(void *arg, size_t size)
{
	void	   *pointer = malloc(size > 0 ? size : 1);

	(void) arg;
	if (pointer == NULL)
	{
		fprintf(stderr, "out of memory\n");
		abort();
	}
	/* The server's memory is not zeroed either. */
	memset(pointer, 0xA5, size);
	testing_live++;
	return pointer;
}

static void
testing_release(void *arg, void *pointer)
{
	(void) arg;
	if (pointer == NULL)
	{
		fprintf(stderr, "NULL released\n");
		abort();
	}
	testing_live--;
	free(pointer);
}

static void
testing_interrupt(void *arg)
{
	(void) arg;
	testing_interrupts++;
}

/* An environment over malloc; testing_finish reports what was not released. */
static const sla_env testing_env = {
	.alloc = testing_alloc,
	.release = testing_release,
	.interrupt = testing_interrupt,
	.arg = NULL,
};

/* A repeatable source of chance, uniform in [0, n) for small n > 0. */
static uint64_t testing_seed = UINT64_C(0x9E3779B97F4A7C15);

__attribute__((unused))
static uint64_t
testing_random(uint64_t n)
{
	testing_seed ^= testing_seed << 13;
	testing_seed ^= testing_seed >> 7;
	testing_seed ^= testing_seed << 17;
	return (testing_seed >> 11) % n;
}

/* Print the outcome; the exit status of the program. */
static int
testing_finish(const char *name)
{
	testing_check(testing_live == 0, __FILE__, __LINE__,
				  "%ld allocations were not released", testing_live);
	(void) testing_env;
	printf("%s: %ld passed, %ld failed\n", name, testing_passed, testing_failed);
	return testing_failed == 0 ? 0 : 1;
}

#endif							/* SLA_TESTING_H */
