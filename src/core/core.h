/*
 * core.h
 *		What every file of the core shares.
 *
 * The core is plain C11 and knows nothing of the server: it allocates, reports
 * and looks things up only through what its caller hands in, so that it builds
 * alone under sanitizers, a fuzzer and unit tests.
 *
 * Instants are microseconds since 2000-01-01 00:00 UTC and dates are days
 * since 2000-01-01, the server's own units.  No leap seconds.
 */
#ifndef SLA_CORE_H
#define SLA_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int64_t sla_instant;
typedef int32_t sla_date;

#define SLA_USECS_PER_SEC	INT64_C(1000000)
#define SLA_SECS_PER_DAY	INT64_C(86400)
#define SLA_USECS_PER_DAY	(SLA_SECS_PER_DAY * SLA_USECS_PER_SEC)

/* The ends of time, the server's 'infinity' and '-infinity'. */
#define SLA_FOREVER			INT64_MAX
#define SLA_BEFORE_ALL		INT64_MIN

/* The finite instants: 4714-11-24 BC (included) to 294277-01-01 (excluded). */
#define SLA_FIRST_INSTANT	INT64_C(-211813488000000000)
#define SLA_END_INSTANT		INT64_C(9223371331200000000)

/* An open end of a range of dates. */
#define SLA_DATE_FIRST		INT32_MIN
#define SLA_DATE_LAST		INT32_MAX

/*
 * What the core may ask of its caller.
 *
 * alloc never returns NULL: it does not return at all when there is no memory.
 * interrupt is called in every loop whose length the input decides; it may not
 * return either.  Whatever is being built must therefore stay consistent (and
 * belong to the caller's memory) at each call of the two.
 */
typedef struct sla_env
{
	void	   *(*alloc) (void *arg, size_t size);
	void		(*release) (void *arg, void *pointer);
	void		(*interrupt) (void *arg);
	void	   *arg;
} sla_env;

/*
 * Why a text was refused: the byte offset of the offending part, its length
 * (0 when the text ended too early), the reason in lower case without a full
 * stop, and what to write instead, or NULL.
 */
typedef struct sla_fault
{
	size_t		position;
	size_t		length;
	char		reason[160];
	const char *hint;
} sla_fault;

/* Floor division and the remainder that goes with it; b > 0. */
static inline int64_t
sla_floor_div(int64_t a, int64_t b)
{
	int64_t		q = a / b;

	return (a % b < 0) ? q - 1 : q;
}

static inline int64_t
sla_floor_mod(int64_t a, int64_t b)
{
	int64_t		r = a % b;

	return (r < 0) ? r + b : r;
}

#endif							/* SLA_CORE_H */
