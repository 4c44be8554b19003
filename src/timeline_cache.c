/*
 * timeline_cache.c
 *		Compiled calendars and schedules of this backend.
 *
 * Each has a memory context of its own, and all together at most
 * pg_sla.calendar_cache_size.  When it is full, they are gone through in the
 * order of their coming: one that was used since its last turn is spared and
 * goes to the end, another is thrown away.  (To keep them in the order of their
 * use would cost more than the use, with many calendars.)  A timeline grows
 * while it is used, because it compiles what is asked of it; so growth only
 * makes everybody come back to sla_cache_find, and that is the one place where
 * something is thrown away.  The entry used last is never thrown away,
 * however large it is.
 *
 * A call that needs one entry and runs nothing else meanwhile just uses it.
 * Whoever needs it for longer pins it; what is thrown away then leaves the
 * cache, but goes on existing until it is no longer pinned.
 */
#include "timeline_cache.h"

#include <errno.h>
#include <limits.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"

/* Of Linux 6.1; the headers may be older than the kernel, which refuses what it does not know. */
#if defined(__linux__) && !defined(MADV_COLLAPSE)
#define MADV_COLLAPSE		25
#endif
#define LARGE_PAGE			((uintptr_t) 2 * 1024 * 1024)
#define MUCH_MEMORY			((Size) 4 * 1024 * 1024)

/* An entry begins in the middle of a line, its timeline with the line after its end. */
#define CACHE_LINE			((intptr_t) 64)
#define ENTRY_IN_LINE		32
#define TIMELINE_DISTANCE \
	(TYPEALIGN(CACHE_LINE, ENTRY_IN_LINE + sizeof(sla_cached)) - ENTRY_IN_LINE)

/*
 * With many calendars, what an answer reads is in no cache of the processor,
 * and each line leads to the next.  The table itself is small enough to be at
 * hand; so it remembers where the last answer of each entry was found, and all
 * of that is fetched at once, before anything is known for certain.
 */
typedef struct cache_slot
{
	const sla_cached *entry;
	uint32		hash;
	char		status;
	uintptr_t	cells;			/* sla_forecast, the patterns */
	int32		patterns[SLA_USUAL_PATTERNS];	/* in lines from the entry's on */
} cache_slot;

StaticAssertDecl(SLA_USUAL_PATTERNS != 2 || sizeof(cache_slot) <= CACHE_LINE / 2,
				 "two slots should fit into a line");

static uintptr_t wanted = 0;	/* sla_forecast_offset() of the instant that is asked about */

/* As a number, for addresses that are only guessed. */
static inline intptr_t
line_of(const sla_cached *entry)
{
	return (intptr_t) entry - ENTRY_IN_LINE;
}

/* The bytes and a NUL. */
static inline Size
key_room(uint32 length)
{
	return MAXALIGN((Size) length + 1);
}

static inline uint32
cache_key_hash(const sla_cached *key)
{
	return hash_bytes((const unsigned char *) key->key, (int) key->key_length) ^ key->kind;
}

/* The other one is of the same hash, and a key only. */
static inline bool
cache_keys_equal(const cache_slot *slot, const sla_cached *key)
{
	const sla_cached *entry = slot->entry;
	uintptr_t	cells = slot->cells + wanted;

	__builtin_prefetch(entry);
	__builtin_prefetch((const char *) entry + TIMELINE_DISTANCE);
	__builtin_prefetch((const void *) cells);
	for (int i = 0; i < SLA_USUAL_PATTERNS; i++)
		__builtin_prefetch((const void *) (line_of(entry) + slot->patterns[i] * CACHE_LINE));
	/* The entry's bytes lie before it; so its own pointer to them need not be waited for. */
	return entry->kind == key->kind && entry->key_length == key->key_length &&
		memcmp((const char *) entry - key_room(key->key_length), key->key, key->key_length) == 0;
}

#define SH_PREFIX cache_table
#define SH_ELEMENT_TYPE cache_slot
#define SH_KEY_TYPE const sla_cached *
#define SH_KEY entry
#define SH_HASH_KEY(table, key) cache_key_hash(key)
#define SH_EQUAL(table, a, b) cache_keys_equal((const cache_slot *) &(a), b)
#define SH_STORE_HASH
#define SH_GET_HASH(table, slot) (slot)->hash
#define SH_USE_NONDEFAULT_ALLOCATOR
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

uint64		sla_cache_epoch = 1;

static int	cache_size_limit = 96 * 1024;	/* kB, pg_sla.calendar_cache_size */
static Size cache_size = 0;		/* bytes in the contexts of the entries */
static MemoryContext cache_context = NULL;
static cache_table_hash *cache = NULL;
static dlist_head entries = DLIST_STATIC_INIT(entries);	/* next turn last */

/* The table's slots, none across a line of the processor's cache. */
static void *
cache_table_allocate(cache_table_hash *table, Size size)
{
	char	   *memory = MemoryContextAllocExtended(cache_context, size + 2 * CACHE_LINE,
													MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	char	   *slots = (char *) TYPEALIGN(CACHE_LINE, memory + sizeof(void *));

	((void **) slots)[-1] = memory;
	return slots;
}

static void
cache_table_free(cache_table_hash *table, void *slots)
{
	pfree(((void **) slots)[-1]);
}

static bool
too_large(void)
{
	return cache_size > (Size) cache_size_limit * 1024;
}

static void
assign_cache_size_limit(int limit, void *extra)
{
	sla_cache_epoch++;
}

void
sla_timeline_cache_init(void)
{
	DefineCustomIntVariable("pg_sla.calendar_cache_size",
							"Memory that a session may use for compiled calendars.",
							"Those not used for long make room for others, and are compiled again when needed.",
							&cache_size_limit,
							96 * 1024,
							1024,
							MAX_KILOBYTES,
							PGC_USERSET,
							GUC_UNIT_KB,
							NULL,
							assign_cache_size_limit,
							NULL);
}

/* What all that the cache holds lies in, or below. */
MemoryContext
sla_cache_context(void)
{
	if (cache_context == NULL)
		cache_context = AllocSetContextCreate(TopMemoryContext, "pg_sla calendars",
											  ALLOCSET_DEFAULT_SIZES);
	return cache_context;
}

/* Count what entries share, beside what they have for themselves. */
void
sla_cache_account(ssize_t bytes)
{
	cache_size += bytes;
	if (too_large())
		sla_cache_epoch++;
}

/*
 * With very many calendars each row waits for the processor to find the pages
 * that a calendar lies on, longer than for what lies there.  So, once there is
 * much, what has been allocated is made one large page after the other, where
 * the kernel can do that; where it cannot, nothing is lost but the question.
 */
static void
join_pages(const void *allocated)
{
#ifdef MADV_COLLAPSE
	static uintptr_t former = 0;
	uintptr_t	large_page = TYPEALIGN_DOWN(LARGE_PAGE, (uintptr_t) allocated);

	if (large_page == former)
		return;
	/* Memory is mostly given from one end to the other: the former one is full by now. */
	if (former != 0 && cache_size >= MUCH_MEMORY)
	{
		int			before = errno;

		(void) madvise((void *) former, LARGE_PAGE, MADV_COLLAPSE);
		errno = before;
	}
	former = large_page;
#endif
}

/* The environment of an entry: its memory context, with accounts. */
static void *
cached_alloc(void *arg, size_t size)
{
	sla_cached *entry = arg;
	Size		before = MemoryContextMemAllocated(entry->context, false);
	void	   *pointer;

	pointer = MemoryContextAllocExtended(entry->context, size, MCXT_ALLOC_HUGE);
	join_pages(pointer);
	if (entry->kept)
		sla_cache_account(MemoryContextMemAllocated(entry->context, false) - before);
	return pointer;
}

static void
cached_release(void *arg, void *pointer)
{
	sla_cached *entry = arg;
	Size		before = MemoryContextMemAllocated(entry->context, false);

	if (pointer == NULL)
		return;
	pfree(pointer);
	if (entry->kept)
		cache_size -= before - MemoryContextMemAllocated(entry->context, false);
}

static void
cached_interrupt(void *arg)
{
	CHECK_FOR_INTERRUPTS();
}

/* Make room, but not of the entry that is about to be used. */
static pg_noinline void
make_room(const sla_cached *wanted)
{
	while (too_large() && !dlist_is_empty(&entries))
	{
		sla_cached *entry = dlist_tail_element(sla_cached, place, &entries);

		if (entry == wanted && !dlist_has_prev(&entries, &entry->place))
			break;
		if (entry->used || entry == wanted)
		{
			entry->used = false;
			dlist_move_head(&entries, &entry->place);
		}
		else
			sla_cache_drop(entry);
	}
}

void
sla_cache_expect(TimestampTz instant)
{
	wanted = sla_forecast_offset(instant);
}

/* Remember where the next answer will be looked for. */
static inline void
note_forecast(cache_slot *slot)
{
	sla_forecast forecast = sla_timeline_forecast(slot->entry->timeline);

	slot->cells = forecast.cells;
	for (int i = 0; i < SLA_USUAL_PATTERNS; i++)
		slot->patterns[i] = (int32) (((intptr_t) forecast.patterns[i] - line_of(slot->entry)) /
									 CACHE_LINE);
}

/* The entry of that key, NULL when there is none. */
sla_cached *
sla_cache_find(sla_cached_kind kind, const char *key, uint32 key_length)
{
	cache_slot *slot = NULL;
	sla_cached *entry = NULL;

	if (cache != NULL)
	{
		sla_cached	same;		/* no more than the key is looked at */

		same.key = key;
		same.key_length = key_length;
		same.kind = kind;
		slot = cache_table_lookup(cache, &same);
	}
	if (slot != NULL)
	{
		entry = (sla_cached *) slot->entry;
		if (!entry->used)
			entry->used = true;
		note_forecast(slot);
	}
	if (unlikely(too_large()))
		make_room(entry);
	return entry;
}

/*
 * A new entry, to be filled in and kept.  Until then it belongs to the current
 * memory context, so that nothing is left when making it fails.
 */
sla_cached *
sla_cache_create(sla_cached_kind kind, const char *key, uint32 key_length)
{
	MemoryContext context;
	char	   *bytes;
	sla_cached *entry;

	/* Small blocks: what is larger than a bit of one is allocated by itself. */
	context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla calendar",
									0, 1024, 1024);
	bytes = MemoryContextAllocZero(context, CACHE_LINE + key_room(key_length) +
								   TIMELINE_DISTANCE + sla_timeline_header);
	entry = (sla_cached *) (TYPEALIGN(CACHE_LINE, (uintptr_t) bytes + key_room(key_length) -
									  ENTRY_IN_LINE) + ENTRY_IN_LINE);
	entry->key = memcpy((char *) entry - key_room(key_length), key, key_length);
	entry->key_length = key_length;
	entry->kind = kind;
	entry->context = context;
	entry->env = (sla_env) {
		.alloc = cached_alloc,
		.release = cached_release,
		.interrupt = cached_interrupt,
		.arg = entry,
	};
	MemoryContextSetIdentifier(context, entry->key);
	return entry;
}

/* Give it its schedule, which lies in its context, and a timeline of it. */
void
sla_cache_compile(sla_cached *entry, const sla_schedule *schedule)
{
	entry->schedule = schedule;
	entry->timeline = sla_timeline_init((char *) entry + TIMELINE_DISTANCE, &entry->env, schedule);
}

/* Put it into the cache, in place of the entry with that key, if any. */
void
sla_cache_keep(sla_cached *entry)
{
	cache_slot *slot;
	bool		found;

	if (cache == NULL)
		cache = cache_table_create(sla_cache_context(), 64, NULL);

	slot = cache_table_lookup(cache, entry);
	if (slot != NULL)
		sla_cache_drop((sla_cached *) slot->entry);

	slot = cache_table_insert(cache, entry, &found);
	note_forecast(slot);
	MemoryContextSetParent(entry->context, cache_context);
	dlist_push_head(&entries, &entry->place);
	entry->kept = true;
	entry->used = true;
	sla_cache_account(MemoryContextMemAllocated(entry->context, false));
}

/* Throw an entry away; one that is pinned goes when it no longer is. */
void
sla_cache_drop(sla_cached *entry)
{
	sla_cache_epoch++;
	cache_table_delete(cache, entry);
	dlist_delete(&entry->place);
	entry->kept = false;
	cache_size -= MemoryContextMemAllocated(entry->context, false);
	if (entry->pins == 0)
		MemoryContextDelete(entry->context);
}

static void
unpin(void *arg)
{
	sla_cached *entry = arg;

	Assert(entry->pins > 0);
	if (--entry->pins == 0 && !entry->kept)
		MemoryContextDelete(entry->context);
}

/* The entry stays as it is for as long as the current memory context lives. */
void
sla_cache_pin(sla_cached *entry)
{
	MemoryContextCallback *callback = palloc(sizeof(MemoryContextCallback));

	callback->func = unpin;
	callback->arg = entry;
	entry->pins++;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
}
