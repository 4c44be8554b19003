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

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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
 * Nearly all patterns have few openings, at full minutes; those are compact:
 * one line of the processor's cache, and found in it without a jump.  Time is
 * in units of ten seconds, of which a week has fewer than 16 bits can count,
 * and all that is left of the two lists is filled with the end of the week.
 */
#define SLA_SECS_PER_UNIT	UINT32_C(10)
#define SLA_UNITS_PER_WEEK	60480
#define SLA_COMPACT_LENGTH	16

typedef struct sla_compact
{
	uint16_t	from[SLA_COMPACT_LENGTH];
	uint16_t	before[SLA_COMPACT_LENGTH];
} sla_compact;

/*
 * Any other pattern, in as many lines as it takes.  hint[n] is the last opening
 * at or before second n * 32768, and at most `steps` more begin before the next
 * such second.
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

/*
 * The place of a pattern has 24 bits: the number of its first line, and
 * whether it is another than a compact one.
 */
#define SLA_PLACE_BITS		24
#define SLA_PLACE_LONG		(UINT32_C(1) << (SLA_PLACE_BITS - 1))

typedef struct sla_dictionary
{
	uint32_t   *slots;			/* hash table of places; NO_PATTERN if free */
	uint32_t	nslots;			/* a power of two */
	uint32_t	count;
	uint32_t	used;			/* lines */
	uint32_t	capacity;
	sla_compact *lines;			/* aligned; what was allocated is noted before them */
} sla_dictionary;

/*
 * The place of the pattern with these openings, of which openings[count] is
 * the end of the week.
 */
extern uint32_t sla_dictionary_place(const sla_env *env, sla_dictionary *dictionary,
									 const sla_opening *openings, uint32_t count);
extern void sla_dictionary_free(const sla_env *env, sla_dictionary *dictionary);
extern size_t sla_dictionary_size(const sla_dictionary *dictionary);

static inline const sla_compact *
sla_compact_in(const sla_dictionary *dictionary, uint32_t place)
{
	return dictionary->lines + place;
}

/* The last of a sorted list, which begins with 0, that is no more than the value. */
static inline uint32_t
sla_compact_last(const uint16_t *list, uint32_t value)
{
#ifdef __SSE2__
	__m128i		none = _mm_setzero_si128();
	__m128i		most = _mm_set1_epi16((short) value);
	__m128i		low = _mm_subs_epu16(_mm_load_si128((const __m128i *) list), most);
	__m128i		high = _mm_subs_epu16(_mm_load_si128((const __m128i *) (list + 8)), most);
	int			fit = _mm_movemask_epi8(_mm_packs_epi16(_mm_cmpeq_epi16(low, none),
														_mm_cmpeq_epi16(high, none)));

	return (uint32_t) __builtin_ctz(~(unsigned int) fit) - 1;
#else
	uint32_t	fit = 0;

	for (int i = 1; i < SLA_COMPACT_LENGTH; i++)
		fit += list[i] <= value;
	return fit;
#endif
}

/* The same questions of a pattern that is not compact. */
extern void sla_long_opening(const sla_dictionary *dictionary, uint32_t place,
							 uint32_t second, sla_opening *found);
extern uint32_t sla_long_open_second(const sla_dictionary *dictionary, uint32_t place,
									 uint32_t amount);
extern uint32_t sla_long_closed_second(const sla_dictionary *dictionary, uint32_t place,
									   uint32_t amount);

/* The last opening at or before a second of the week, and the one after it. */
static inline void
sla_pattern_opening(const sla_dictionary *dictionary, uint32_t place, uint32_t second,
					sla_opening found[2])
{
	const sla_compact *line;
	uint32_t	i;

	if (place & SLA_PLACE_LONG)
	{
		sla_long_opening(dictionary, place, second, found);
		return;
	}
	line = sla_compact_in(dictionary, place);
	i = sla_compact_last(line->from, second / SLA_SECS_PER_UNIT);
	found[0].from = line->from[i] * SLA_SECS_PER_UNIT;
	found[0].before = line->before[i] * SLA_SECS_PER_UNIT;
	found[1].from = line->from[i + 1] * SLA_SECS_PER_UNIT;
	found[1].before = line->before[i + 1] * SLA_SECS_PER_UNIT;
}

/*
 * The second of the week that has `amount` open seconds before it and is open
 * itself; the amount must be less than the week's sum.
 */
static inline uint32_t
sla_pattern_open_second(const sla_dictionary *dictionary, uint32_t place, uint32_t amount)
{
	const sla_compact *line;
	uint32_t	i;

	if (place & SLA_PLACE_LONG)
		return sla_long_open_second(dictionary, place, amount);
	line = sla_compact_in(dictionary, place);
	i = sla_compact_last(line->before, amount / SLA_SECS_PER_UNIT);
	return amount + (line->from[i] - (uint32_t) line->before[i]) * SLA_SECS_PER_UNIT;
}

/* The same of closed seconds. */
static inline uint32_t
sla_pattern_closed_second(const sla_dictionary *dictionary, uint32_t place, uint32_t amount)
{
	const sla_compact *line;
	uint32_t	units = amount / SLA_SECS_PER_UNIT;
	uint32_t	i = 0;

	if (place & SLA_PLACE_LONG)
		return sla_long_closed_second(dictionary, place, amount);
	line = sla_compact_in(dictionary, place);
	while (line->from[i + 1] - (uint32_t) line->before[i + 1] <= units)
		i++;
	return amount + line->before[i + 1] * SLA_SECS_PER_UNIT;
}

#endif							/* SLA_PATTERN_H */
