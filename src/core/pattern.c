/*
 * pattern.c
 *		The dictionary of the patterns of weeks.
 */
#include "pattern.h"

#include <string.h>

#define NO_PATTERN			UINT32_MAX
#define LINE				sizeof(sla_compact)
#define FIRST_CAPACITY		17	/* lines; see MIN_CELLS in timeline.c */
#define FIRST_SLOTS			16
#define MAX_STEPS			8	/* a search is faster than more */

/* A pattern on its way into the dictionary, and as it will lie there. */
typedef struct candidate
{
	bool		compact;
	sla_compact line;			/* if it is */
	const sla_opening *openings;
	uint32_t	count;
} candidate;

static const sla_pattern *
pattern_at(const sla_dictionary *dictionary, uint32_t place)
{
	return (const sla_pattern *) (dictionary->lines + (place & ~SLA_PLACE_LONG));
}

/* False when it has too many openings or one at another than every tenth second. */
static bool
make_compact(const sla_opening *openings, uint32_t count, sla_compact *line)
{
	if (count >= SLA_COMPACT_LENGTH)
		return false;
	for (uint32_t i = 0; i < SLA_COMPACT_LENGTH; i++)
	{
		const sla_opening *opening = &openings[i < count ? i : count];

		if (opening->from % SLA_SECS_PER_UNIT != 0 || opening->before % SLA_SECS_PER_UNIT != 0)
			return false;
		line->from[i] = (uint16_t) (opening->from / SLA_SECS_PER_UNIT);
		line->before[i] = (uint16_t) (opening->before / SLA_SECS_PER_UNIT);
	}
	return true;
}

static uint32_t
hash_bytes(const void *bytes, size_t size)
{
	uint64_t	hash = size;

	for (size_t i = 0; i < size; i += sizeof(uint64_t))
	{
		uint64_t	word;

		memcpy(&word, (const char *) bytes + i, sizeof(word));
		hash ^= word;
		hash *= UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 29;
	}
	return (uint32_t) (hash >> 16);
}

/* The last opening, the end of the week, counts for its sum. */
static size_t
openings_size(uint32_t count)
{
	return (count + (size_t) 1) * sizeof(sla_opening);
}

static uint32_t
hash_at(const sla_dictionary *dictionary, uint32_t place)
{
	const sla_pattern *pattern;

	if (!(place & SLA_PLACE_LONG))
		return hash_bytes(sla_compact_in(dictionary, place), LINE);
	pattern = pattern_at(dictionary, place);
	return hash_bytes(pattern->openings, openings_size(pattern->count));
}

static bool
is_at(const sla_dictionary *dictionary, uint32_t place, const candidate *candidate)
{
	const sla_pattern *pattern;

	if (candidate->compact)
		return !(place & SLA_PLACE_LONG) &&
			memcmp(sla_compact_in(dictionary, place), &candidate->line, LINE) == 0;
	if (!(place & SLA_PLACE_LONG))
		return false;
	pattern = pattern_at(dictionary, place);
	return pattern->count == candidate->count &&
		memcmp(pattern->openings, candidate->openings, openings_size(candidate->count)) == 0;
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
		uint32_t	slot;

		if (place == NO_PATTERN)
			continue;
		slot = hash_at(dictionary, place) & (nslots - 1);
		while (slots[slot] != NO_PATTERN)
			slot = (slot + 1) & (nslots - 1);
		slots[slot] = place;
	}
	if (dictionary->slots != NULL)
		env->release(env->arg, dictionary->slots);
	dictionary->slots = slots;
	dictionary->nslots = nslots;
}

/* What was allocated for the lines. */
static void **
memory_of(const sla_compact *lines)
{
	return (void **) lines - 1;
}

/* Room for that many lines more, and little in reserve: there may be many. */
static void
grow_lines(const sla_env *env, sla_dictionary *dictionary, size_t more)
{
	size_t		capacity = dictionary->used + more;
	void	   *memory;
	sla_compact *lines;

	capacity += capacity / 16;
	if (capacity < FIRST_CAPACITY)
		capacity = FIRST_CAPACITY;
	/* 512 MB of different weeks: ask for what no environment gives. */
	if (dictionary->used + more > SLA_PLACE_LONG)
		capacity = SIZE_MAX / LINE - 1;
	/* The environment aligns to less, though to eight bytes at the least. */
	memory = env->alloc(env->arg, (capacity + 1) * LINE);
	lines = (sla_compact *) (((uintptr_t) memory + LINE) / LINE * LINE);
	*memory_of(lines) = memory;
	if (dictionary->lines != NULL)
	{
		memcpy(lines, dictionary->lines, dictionary->used * LINE);
		env->release(env->arg, *memory_of(dictionary->lines));
	}
	dictionary->lines = lines;
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
	candidate	candidate = {.openings = openings, .count = count};
	size_t		lines = 1;
	uint32_t	slot;
	uint32_t	place;

	if (dictionary->count * 4 >= dictionary->nslots * 3)
		grow_slots(env, dictionary);

	candidate.compact = make_compact(openings, count, &candidate.line);
	if (candidate.compact)
		slot = hash_bytes(&candidate.line, LINE);
	else
	{
		slot = hash_bytes(openings, openings_size(count));
		lines = (sizeof(sla_pattern) + openings_size(count) + LINE - 1) / LINE;
	}
	slot &= dictionary->nslots - 1;
	while (dictionary->slots[slot] != NO_PATTERN)
	{
		if (is_at(dictionary, dictionary->slots[slot], &candidate))
			return dictionary->slots[slot];
		slot = (slot + 1) & (dictionary->nslots - 1);
	}

	if (dictionary->capacity - dictionary->used < lines)
		grow_lines(env, dictionary, lines);
	place = dictionary->used;
	if (candidate.compact)
		dictionary->lines[place] = candidate.line;
	else
	{
		sla_pattern *pattern = (sla_pattern *) (dictionary->lines + place);

		pattern->count = count;
		memcpy(pattern->openings, openings, openings_size(count));
		make_hints(pattern);
		place |= SLA_PLACE_LONG;
	}
	dictionary->slots[slot] = place;
	dictionary->used += (uint32_t) lines;
	dictionary->count++;
	return place;
}

void
sla_long_opening(const sla_dictionary *dictionary, uint32_t place, uint32_t second,
				 sla_opening *found)
{
	const sla_pattern *pattern = pattern_at(dictionary, place);
	const sla_opening *opening = pattern->openings;

	if (pattern->steps == SLA_MANY_STEPS)
	{
		/* The hints would not help: very many openings. */
		uint32_t	length = pattern->count;

		while (length > 1)
		{
			uint32_t	half = length / 2;

			if (opening[half].from <= second)
				opening += half;
			length -= half;
		}
	}
	else
	{
		opening += pattern->hint[second >> SLA_HINT_SHIFT];
		for (unsigned int step = pattern->steps; step > 0; step--)
			opening += opening[1].from <= second;
	}
	found[0] = opening[0];
	found[1] = opening[1];
}

uint32_t
sla_long_open_second(const sla_dictionary *dictionary, uint32_t place, uint32_t amount)
{
	const sla_pattern *pattern = pattern_at(dictionary, place);
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

uint32_t
sla_long_closed_second(const sla_dictionary *dictionary, uint32_t place, uint32_t amount)
{
	const sla_pattern *pattern = pattern_at(dictionary, place);
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

void
sla_dictionary_free(const sla_env *env, sla_dictionary *dictionary)
{
	if (dictionary->lines != NULL)
		env->release(env->arg, *memory_of(dictionary->lines));
	if (dictionary->slots != NULL)
		env->release(env->arg, dictionary->slots);
}

size_t
sla_dictionary_size(const sla_dictionary *dictionary)
{
	return (dictionary->lines != NULL ? (dictionary->capacity + (size_t) 1) * LINE : 0) +
		dictionary->nslots * sizeof(uint32_t);
}
