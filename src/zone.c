/*
 * zone.c
 *		Time zones for the core, from the server's own zone data.
 *
 * A zone is named as in pg_timezone_names.  What pg_tzset understands beyond
 * that is refused: POSIX zones (it reads "Oslo+5" as one, so that a slip would
 * be taken for a zone five hours off) and zones that count leap seconds.
 */
#include "pg_sla.h"

#include "nodes/pg_list.h"
#include "pgtime.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "zone.h"

/* Unix time at 2000-01-01 00:00 UTC. */
#define UNIX_EPOCH_OFFSET \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY)

/*
 * The offset at an instant, and the zone's next change after it (also a change
 * of name only), if any.  Returns whether there is one.
 */
static bool
next_change(const pg_tz *zone, pg_time_t at, long *offset, pg_time_t *boundary,
			long *offset_after)
{
	int			isdst;
	int			isdst_after;

	if (pg_next_dst_boundary(&at, offset, &isdst, boundary, offset_after,
							 &isdst_after, zone) > 0)
		return true;

	/*
	 * At the very last change of its table the server says that no other will
	 * come, and a second later that they go on for ever.
	 */
	at++;
	if (pg_next_dst_boundary(&at, offset_after, &isdst, boundary, offset_after,
							 &isdst_after, zone) > 0)
	{
		*boundary = at;
		*offset_after = *offset;
		return true;
	}
	return false;
}

static int32_t
zone_offset_at(const void *data, int64_t utc_second, int64_t *until)
{
	long		offset = 0;
	long		offset_after;
	pg_time_t	boundary;

	if (next_change(data, utc_second + UNIX_EPOCH_OFFSET, &offset, &boundary,
					&offset_after))
		*until = boundary - UNIX_EPOCH_OFFSET;
	else
		*until = PG_INT64_MAX;
	return (int32_t) offset;
}

/*
 * The server reads a wall-clock time by looking, from a day before it taken as
 * UTC, for the next change: the offset before the change holds for wall-clock
 * times up to the change as the later offset shows it, the offset after for
 * the others.  So a time that does not exist moves on by the gap, and of one
 * that exists twice the later is meant.
 */
static int32_t
zone_offset_of(const void *data, int64_t local_second, int64_t *until)
{
	int64		day_before = local_second - SECS_PER_DAY;
	long		offset = 0;
	long		offset_after = 0;
	pg_time_t	boundary;
	int64		change;

	if (!next_change(data, day_before + UNIX_EPOCH_OFFSET, &offset, &boundary,
					 &offset_after))
	{
		*until = PG_INT64_MAX;
		return (int32_t) offset;
	}

	change = boundary - UNIX_EPOCH_OFFSET;
	if (local_second < change + offset_after)
	{
		*until = Min(change + offset_after, change + SECS_PER_DAY);
		return (int32_t) offset;
	}
	*until = change + SECS_PER_DAY;
	return (int32_t) offset_after;
}

/*
 * Is it the name of a zone of the database?  A POSIX zone always states an
 * offset, so a name without digits cannot be one; and the server spells those
 * that are none as the file is spelt, but POSIX zones in capitals.  The few
 * names left (EST5EDT and its like) are looked for, once in a backend: that
 * takes reading all zones.
 */
static bool
is_zone_file(pg_tz *zone)
{
	static List *known = NIL;

	const char *name = pg_get_timezone_name(zone);
	bool		digits = false;
	bool		small_letters = false;
	bool		found = false;
	pg_tzenum  *all;
	pg_tz	   *one;

	for (const char *p = name; *p; p++)
	{
		digits |= *p >= '0' && *p <= '9';
		small_letters |= *p >= 'a' && *p <= 'z';
	}
	if (!digits || small_letters || list_member_ptr(known, zone))
		return true;

	all = pg_tzenumerate_start();
	while (!found && (one = pg_tzenumerate_next(all)) != NULL)
		found = pg_strcasecmp(pg_get_timezone_name(one), name) == 0;
	pg_tzenumerate_end(all);

	if (found)
	{
		MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);

		known = lappend(known, zone);
		MemoryContextSwitchTo(old);
	}
	return found;
}

/*
 * Find a zone by name, in any case of letters; false when there is none.
 * *canonical is its name as the server spells it.  Both stay good for the life
 * of the process.
 */
bool
sla_zone_find(const char *name, sla_zone *zone, const char **canonical)
{
	pg_tz	   *tz = pg_tzset(name);

	/* Names that mean another zone on another machine. */
	if (tz == NULL || pg_strcasecmp(name, "localtime") == 0 ||
		pg_strcasecmp(name, "posixrules") == 0)
		return false;
	if (!pg_tz_acceptable(tz) || !is_zone_file(tz))
		return false;

	*zone = (sla_zone) {
		.offset_at = zone_offset_at,
		.offset_of = zone_offset_of,
		.data = tz,
	};
	if (canonical != NULL)
		*canonical = pg_get_timezone_name(tz);
	return true;
}

/* The same; an error when there is none. */
sla_zone
sla_zone_named(const char *name, const char **canonical)
{
	sla_zone	zone;

	if (!sla_zone_find(name, &zone, canonical))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", name),
				 errhint(SLA_ZONE_HINT)));
	return zone;
}
