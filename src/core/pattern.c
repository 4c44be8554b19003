/*
 * pattern.c
 *		The dictionary of the patterns of weeks.
 */
#include "pattern.h"

#include <string.h>

#define NO_PATTERN			UINT32_MAX
#define FIRST_CAPACITY		136	/* units; see MIN_CELLS in timeline.c */
#define FIRST_SLOTS			16
#define MAX_STEPS			8	/* a search is faster than more */

static uint32_t
hash_openings(const sla_opening *openings, uint32_t count)
{
	uint64_t	hash = count;

	/* The last one, the end of the week, counts for its sum. */
	for (uint32_t i = 0; i <= count; i++)
	{
		hash ^= ((uint64_t) openings[i].from << 32) | openings[i].before;
		hash *= UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	return (uint32_t) (hash >> 16);
}

/* Twice the slots, so that at most three of four are ever taken. */
static void
grow_slots(const sla_env *env, sla_dictionary *dictionary)
{
	uint32_t	nslots = dictionary->nslots > 0 ? dictionary->nslots * 2 : FIRST_SLOTS;
	uint32_t   *slots = env->alloc(env->arg, nslots * sizeof(uint32_t));

	memset(slots, 0xFF, nslots * sizeof(uint32_t));
	for (uint32_t i = 0; i < dictionary->nslots; i++)
	{
		uint32_t	place = dictionary->slots[i];
		const sla_pattern *pattern;
		uint32_t	slot;

		if (place == NO_PATTERN)
			continue;
		pattern = sla_pattern_in(dictionary, place);
		slot = hash_openings(pattern->openings, pattern->count) & (nslots - 1);
		while (slots[slot] != NO_PATTERN)
			slot = (slot + 1) & (nslots - 1);
		slots[slot] = place;
	}
	if (dictionary->slots != NULL)
		env->release(env->arg, dictionary->slots);
	dictionary->slots = slots;
	dictionary->nslots = nslots;
}

/* Room for that many units more, and little in reserve: there may be many. */
static void
grow_units(const sla_env *env, sla_dictionary *dictionary, size_t more)
{
	size_t		capacity = dictionary->used + more;
	uint64_t   *units;

	capacity += capacity / 16;
	if (capacity < FIRST_CAPACITY)
		capacity = FIRST_CAPACITY;
	/* 128 MB of different weeks: ask for what no environment gives. */
	if (dictionary->used + more > (UINT32_C(1) << SLA_PATTERN_BITS))
		capacity = SIZE_MAX / sizeof(uint64_t);
	units = env->alloc(env->arg, capacity * sizeof(uint64_t));
	if (dictionary->units != NULL)
	{
		memcpy(units, dictionary->units, dictionary->used * sizeof(uint64_t));
		env->release(env->arg, dictionary->units);
	}
	dictionary->units = units;
	dictionary->capacity = (uint32_t) capacity;
}

/* Fill in hint and steps. */
static void
make_hints(sla_pattern *pattern)
{
	uint32_t	opening = 0;
	uint32_t	steps = 0;

	for (uint32_t n = 0; n < SLA_HINTS; n++)
	{
		uint32_t	before;

		while (pattern->openings[opening + 1].from <= n << SLA_HINT_SHIFT)
			opening++;
		/* Of more than 255 some are so close that there are too many steps. */
		pattern->hint[n] = (uint8_t) opening;
		before = opening;
		while (opening + 1 < pattern->count &&
			   pattern->openings[opening + 1].from < (n + 1) << SLA_HINT_SHIFT)
			opening++;
		if (steps < opening - before)
			steps = opening - before;
	}
	pattern->steps = steps > MAX_STEPS ? SLA_MANY_STEPS : (uint8_t) steps;
}

uint32_t
sla_dictionary_place(const sla_env *env, sla_dictionary *dictionary,
					 const sla_opening *openings, uint32_t count)
{
	size_t		size = (count + (size_t) 1) * sizeof(sla_opening);
	size_t		units = (sizeof(sla_pattern) + size + 7) / 8;
	uint32_t	slot;
	sla_pattern *pattern;

	if (dictionary->count * 4 >= dictionary->nslots * 3)
		grow_slots(env, dictionary);

	slot = hash_openings(openings, count) & (dictionary->nslots - 1);
	while (dictionary->slots[slot] != NO_PATTERN)
	{
		const sla_pattern *known = sla_pattern_in(dictionary, dictionary->slots[slot]);

		if (known->count == count && memcmp(known->openings, openings, size) == 0)
			return dictionary->slots[slot];
		slot = (slot + 1) & (dictionary->nslots - 1);
	}

	if (dictionary->capacity - dictionary->used < units)
		grow_units(env, dictionary, units);
	pattern = (sla_pattern *) (dictionary->units + dictionary->used);
	pattern->count = count;
	memcpy(pattern->openings, openings, size);
	make_hints(pattern);
	dictionary->slots[slot] = dictionary->used;
	dictionary->used += (uint32_t) units;
	dictionary->count++;
	return dictionary->slots[slot];
}

/* For patterns of which the hints would not help: very many openings. */
const sla_opening *
sla_pattern_search(const sla_pattern *pattern, uint32_t second)
{
	const sla_opening *low = pattern->openings;
	uint32_t	length = pattern->count;

	while (length > 1)
	{
		uint32_t	half = length / 2;

		if (low[half].from <= second)
			low += half;
		length -= half;
	}
	return low;
}

void
sla_dictionary_free(const sla_env *env, sla_dictionary *dictionary)
{
	if (dictionary->units != NULL)
		env->release(env->arg, dictionary->units);
	if (dictionary->slots != NULL)
		env->release(env->arg, dictionary->slots);
}
