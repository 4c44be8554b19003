/*
 * timeline_cache.h
 *		Compiled calendars and schedules of this backend.
 */
#ifndef SLA_TIMELINE_CACHE_H
#define SLA_TIMELINE_CACHE_H

#include "postgres.h"

#include "lib/ilist.h"
#include "lib/stringinfo.h"

#include "pg_sla.h"

typedef enum sla_cached_kind
{
	SLA_CACHED_CALENDAR,		/* the key is a calendar's name */
	SLA_CACHED_SCHEDULE			/* the key is a schedule's text */
} sla_cached_kind;

/*
 * One of them.  All that belongs to it lies in its memory context, which the
 * environment allocates from.
 *
 * With very many calendars a use waits for memory and for little else.  So
 * what every use looks at is one line of the processor's cache and begins the
 * next: the key ends where the entry begins, the first fields follow, and the
 * timeline lies at a known distance.
 */
typedef struct sla_cached
{
	uint64		generation;		/* calendars: when the definition was last read */
	sla_timeline *timeline;		/* set by whoever makes the entry */
	uint32		key_length;
	uint8		kind;			/* sla_cached_kind */
	bool		kept;			/* in the cache and in its accounts */
	bool		used;			/* since it was last spared */
	const char *key;
	const sla_schedule *schedule;	/* set by whoever makes the entry */
	const void *definition;		/* calendars: what it was made from */
	MemoryContext context;
	sla_env		env;
	int			pins;
	dlist_node	place;
} sla_cached;

/*
 * Moves when an entry is thrown away or replaced, and when the cache has grown
 * above its size.  As long as it stands (and for calendars
 * sla_calendar_generation too), an entry that was found may be used again
 * without asking.
 */
extern uint64 sla_cache_epoch;

extern void sla_timeline_cache_init(void);

/* About when will be asked whatever is found next?  It is only a hint. */
extern void sla_cache_expect(TimestampTz instant);
extern sla_cached *sla_cache_find(sla_cached_kind kind, const char *key,
								  uint32 key_length);
extern sla_cached *sla_cache_create(sla_cached_kind kind, const char *key,
									uint32 key_length);
extern void sla_cache_compile(sla_cached *entry, const sla_schedule *schedule);
extern void sla_cache_keep(sla_cached *entry);
extern void sla_cache_drop(sla_cached *entry);
extern void sla_cache_pin(sla_cached *entry);
extern void sla_cache_account(ssize_t bytes);
extern MemoryContext sla_cache_context(void);

/* schedule.c and calendar.c: found, or made, current. */
extern sla_cached *sla_cached_schedule(const char *text, uint32 length);
extern sla_cached *sla_cached_calendar(const char *name, uint32 length);

/* calendar.c: what the holiday sets of a version call a day, for people. */
extern void sla_append_holiday_names(StringInfo out, const sla_cached *calendar,
									 sla_date from_day, sla_date day);

#endif							/* SLA_TIMELINE_CACHE_H */
