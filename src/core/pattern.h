/*
 * pattern.h
 *		The patterns of weeks: which seconds of a week are open.
 *
 * Most weeks of a schedule look alike, so each pattern is stored once, in a
 * dictionary, and known by the place where it lies there.
 */
#ifndef SLA_PATTERN_H
#define SLA_PATTERN_H

#include "core.h"

#define SLA_SECS_PER_WEEK	INT64_C(604800)

/* An opening, in seconds of the week, and the open seconds before it. */
typedef struct sla_opening
{
	uint32_t	from;
	uint32_t	before;
} sla_opening;

/*
 * Openings, and after the last of them one at the end of the week that holds
 * the sum.  Each lasts as many seconds as the `before` of the next is greater.
 * The first begins with the week; it may be empty, the others are not, and
 * between two of them it is closed for some time.
 *
 * hint[n] is the last opening at or before second n * 32768, and at most
 * `steps` more begin before the next such second.
 */
#define SLA_HINT_SHIFT		15
#define SLA_HINTS			((SLA_SECS_PER_WEEK >> SLA_HINT_SHIFT) + 1)
#define SLA_MANY_STEPS		UINT8_MAX	/* search instead */

typedef struct sla_pattern
{
	uint32_t	count;
	uint8_t		steps;
	uint8_t		hint[SLA_HINTS];
	sla_opening openings[];
} sla_pattern;

/* Patterns lie in units of 8 bytes; 24 bits are kept for the place of one. */
#define SLA_PATTERN_BITS	24

typedef struct sla_dictionary
{
	uint32_t   *slots;			/* hash table of places; NO_PATTERN if free */
	uint32_t	nslots;			/* a power of two */
	uint32_t	count;
	uint32_t	used;
	uint32_t	capacity;
	uint64_t   *units;
} sla_dictionary;

/*
 * The place of the pattern with these openings, of which openings[count] is
 * the end of the week.
 */
extern uint32_t sla_dictionary_place(const sla_env *env, sla_dictionary *dictionary,
									 const sla_opening *openings, uint32_t count);
extern void sla_dictionary_free(const sla_env *env, sla_dictionary *dictionary);

static inline const sla_pattern *
sla_pattern_in(const sla_dictionary *dictionary, uint32_t place)
{
	const uint64_t *units = dictionary->units + place;

	/* Patterns are often longer than a line of the processor's cache. */
	__builtin_prefetch(units + 8);
	return (const sla_pattern *) units;
}

extern const sla_opening *sla_pattern_search(const sla_pattern *pattern, uint32_t second);

/* The last opening at or before a second of the week. */
static inline const sla_opening *
sla_pattern_opening(const sla_pattern *pattern, uint32_t second)
{
	const sla_opening *opening;

	if (pattern->steps == SLA_MANY_STEPS)
		return sla_pattern_search(pattern, second);
	opening = pattern->openings + pattern->hint[second >> SLA_HINT_SHIFT];
	for (unsigned int step = pattern->steps; step > 0; step--)
		opening += opening[1].from <= second;
	return opening;
}

/*
 * The second of the week that has `amount` open seconds before it and is open
 * itself; the amount must be less than the week's sum.
 */
static inline uint32_t
sla_pattern_open_second(const sla_pattern *pattern, uint32_t amount)
{
	uint32_t	low = 0;
	uint32_t	length = pattern->count;

	/* The last opening with no more than the amount before it. */
	while (length > 1)
	{
		uint32_t	half = length / 2;

		low += pattern->openings[low + half].before <= amount ? half : 0;
		length -= half;
	}
	return pattern->openings[low].from + (amount - pattern->openings[low].before);
}

/* The same of closed seconds. */
static inline uint32_t
sla_pattern_closed_second(const sla_pattern *pattern, uint32_t amount)
{
	uint32_t	low = 0;
	uint32_t	length = pattern->count;

	while (length > 1)
	{
		uint32_t	half = length / 2;
		const sla_opening *opening = &pattern->openings[low + half];

		low += opening->from - opening->before <= amount ? half : 0;
		length -= half;
	}
	return amount + pattern->openings[low + 1].before;
}

#endif							/* SLA_PATTERN_H */
