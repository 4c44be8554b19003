/*
 * calendar.c
 *		Calendars by name: read from their tables, compiled once per backend.
 *
 * The rows are read with a catalog snapshot, as the server reads its own
 * catalogs: whatever is committed now, and what the transaction itself has
 * done.  Not with the query's snapshot, because what is compiled serves all
 * queries of the backend, also those of a later transaction: rows as an old
 * snapshot shows them would have to be told from the present ones.  So in
 * REPEATABLE READ a calendar is as it is now, like a table's constraints are.
 * It works in parallel workers and on standbys, and asks for no privilege on
 * the tables: who may use the functions may use all calendars.
 *
 * A version may be derived from another calendar: on each of its dates it says
 * what the version of that one in force on the date says, with its own opening
 * hours as later rules and its own holiday sets beside the other's.
 *
 * A calendar is read again when any row of the four tables has changed, and
 * compiled again only when what it is made of has.  Many calendars have the
 * same holidays: what is read of a holiday set is kept until the generation
 * moves, and calendars with equal lists of holidays share one.
 */
#include "pg_sla.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "schedule.h"
#include "statement.h"
#include "timeline_cache.h"

SLA_FUNCTION(sla_check_calendar);
SLA_FUNCTION(sla_check_calendar_version);
SLA_FUNCTION(sla_check_holiday);
SLA_FUNCTION(sla_stamp_calendars);

/* Columns, in the order of src/sql/calendar.sql. */
enum
{
	Anum_calendar_version_calendar = 1,
	Anum_calendar_version_effective_from,
	Anum_calendar_version_time_zone,
	Anum_calendar_version_hours,
	Anum_calendar_version_holiday_sets,
	Anum_calendar_version_base
};

enum
{
	Anum_holiday_holiday_set = 1,
	Anum_holiday_day,
	Anum_holiday_hours,
	Anum_holiday_name
};

/* Of how many others, one through another, a calendar may be derived. */
#define MAX_BASES	16

/* A version of a calendar, or what of it meets one of its base. */
typedef struct version
{
	const char *hours;			/* as written; derived: those of the bases before */
	sla_part	part;
	int			nsets;
	char	  **sets;			/* names of its holiday sets, and of its bases' */
} version;

/* All of a calendar, by the days from which the versions are in force. */
typedef struct definition
{
	int			nversions;
	version    *versions;
} definition;

/* Rows of one holiday set, in a memory context of their own. */
typedef struct holiday_set
{
	const char *name;
	int			nholidays;
	sla_holiday *holidays;		/* by day; several for one day are possible */
	struct holiday_set *next;
} holiday_set;

/* The sets that were read in a generation. */
static MemoryContext sets_context = NULL;
static holiday_set *known_sets = NULL;
static uint64 sets_generation = 0;

static Size sets_size = 0;

/* With more bytes than this they are forgotten sooner. */
#define MAX_SETS_SIZE	(1024 * 1024)

/* A row of sla.calendar_version. */
typedef struct version_row
{
	sla_date	from_day;
	const char *time_zone;		/* NULL: the base's */
	const char *hours;			/* NULL: none of its own */
	List	   *sets;			/* names */
	const char *base;			/* NULL: not derived */
} version_row;

/* What a calendar is made of on the local dates [from_day, to_day). */
typedef struct stretch
{
	sla_date	from_day;
	sla_date	to_day;
	const char *time_zone;
	List	   *hours;			/* texts, the first base's first */
	List	   *sets;			/* a list of names for each of them */
} stretch;

/* A holiday of a set, and whose set it is: 0 the first base's. */
typedef struct ranked_holiday
{
	sla_holiday holiday;
	int			rank;
} ranked_holiday;

/* A list of holidays that versions of calendars share. */
typedef struct holiday_list
{
	uint64		hash;			/* the key */
	int			references;
	Size		size;
	int			nholidays;
	sla_holiday *holidays;		/* one allocation, the windows behind them */
} holiday_list;

static HTAB *holiday_lists = NULL;

/* Scan a table by the first column of its primary key, a text. */
static SysScanDesc
scan_by_name(Relation relation, SlaConfigTable table, const text *name)
{
	ScanKeyData key;

	ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid,
						   TupleDescAttr(RelationGetDescr(relation), 0)->attcollation,
						   F_TEXTEQ, PointerGetDatum(name));
	return systable_beginscan(relation, sla_config_index(table), true, NULL, 1, &key);
}

static bool
calendar_exists(const text *name)
{
	Relation	relation = table_open(sla_config_relid(SLA_TABLE_CALENDAR), AccessShareLock);
	SysScanDesc scan = scan_by_name(relation, SLA_TABLE_CALENDAR, name);
	bool		exists = HeapTupleIsValid(systable_getnext(scan));

	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return exists;
}

static int
compare_holidays(const void *a, const void *b)
{
	const ranked_holiday *x = a;
	const ranked_holiday *y = b;

	if (x->holiday.day != y->holiday.day)
		return x->holiday.day < y->holiday.day ? -1 : 1;
	return x->rank - y->rank;
}

/* Read a holiday set into the current memory context. */
static holiday_set *
read_holiday_set(const text *name)
{
	Relation	relation = table_open(sla_config_relid(SLA_TABLE_HOLIDAY), AccessShareLock);
	SysScanDesc scan = scan_by_name(relation, SLA_TABLE_HOLIDAY, name);
	holiday_set *set = palloc0(sizeof(holiday_set));
	int			room = 16;
	HeapTuple	row;

	set->name = text_to_cstring(name);
	set->holidays = palloc(sizeof(sla_holiday) * room);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		sla_holiday holiday = {0};
		text	   *hours;

		CHECK_FOR_INTERRUPTS();
		holiday.day = DatumGetDateADT(heap_getattr(row, Anum_holiday_day,
												   RelationGetDescr(relation), &isnull));
		hours = DatumGetTextPP(heap_getattr(row, Anum_holiday_hours,
											RelationGetDescr(relation), &isnull));
		sla_holiday_hours_read(VARDATA_ANY(hours), VARSIZE_ANY_EXHDR(hours), &holiday, NULL);

		if (set->nholidays == room)
		{
			room *= 2;
			set->holidays = repalloc(set->holidays, sizeof(sla_holiday) * room);
		}
		set->holidays[set->nholidays++] = holiday;
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return set;
}

/* Forget the sets that were read in another generation, or are too many. */
static void
forget_holiday_sets(uint64 generation)
{
	if (sets_context == NULL)
		sets_context = AllocSetContextCreate(sla_cache_context(), "pg_sla holiday sets",
											 ALLOCSET_SMALL_SIZES);
	if (sets_generation == generation && sets_size <= MAX_SETS_SIZE)
		return;
	known_sets = NULL;
	sets_size = 0;
	sets_generation = generation;
	MemoryContextReset(sets_context);
}

/* A holiday set as it was in that generation or later. */
static holiday_set *
find_holiday_set(const char *name)
{
	holiday_set *set;
	MemoryContext context;
	MemoryContext old;

	for (set = known_sets; set != NULL && strcmp(set->name, name) != 0; set = set->next)
		;
	if (set == NULL)
	{
		context = AllocSetContextCreate(CurrentMemoryContext, "pg_sla holiday set",
										ALLOCSET_SMALL_SIZES);
		old = MemoryContextSwitchTo(context);
		set = read_holiday_set(cstring_to_text(name));
		MemoryContextSwitchTo(old);
		MemoryContextSetParent(context, sets_context);
		sets_size += MemoryContextMemAllocated(context, false);
		set->next = known_sets;
		known_sets = set;
	}
	return set;
}

/* What is in both of two lists of windows; returns how many. */
static int
intersect_windows(const sla_window *a, int na, const sla_window *b, int nb,
				  sla_window *result)
{
	int			n = 0;

	for (int i = 0, j = 0; i < na && j < nb;)
	{
		int32		from = Max(a[i].from, b[j].from);
		int32		to = Min(a[i].to, b[j].to);

		if (from < to)
			result[n++] = (sla_window) {from, to};
		if (a[i].to < b[j].to)
			i++;
		else
			j++;
	}
	return n;
}

/* What is in either of two lists of windows; returns how many. */
static int
unite_windows(const sla_window *a, int na, const sla_window *b, int nb, sla_window *result)
{
	int			n = 0;

	for (int i = 0, j = 0; i < na || j < nb;)
	{
		sla_window	next = j == nb || (i < na && a[i].from <= b[j].from) ? a[i++] : b[j++];

		if (n > 0 && next.from <= result[n - 1].to)
			result[n - 1].to = Max(result[n - 1].to, next.to);
		else
			result[n++] = next;
	}
	return n;
}

/* What two holidays of a day both leave open. */
static sla_holiday
merge_holidays(const sla_holiday *first, const sla_holiday *other, const sla_hours *hours)
{
	sla_holiday result = *first;
	sla_holiday usual = {0};
	sla_window *windows;

	CHECK_FOR_INTERRUPTS();
	if (other->nclosed > 0)
	{
		int			nclosed;

		windows = palloc(sizeof(sla_window) * (result.nclosed + other->nclosed));
		nclosed = unite_windows(result.closed, result.nclosed,
								other->closed, other->nclosed, windows);
		if (nclosed > SLA_MAX_HOLIDAY_WINDOWS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a holiday has more than %d times", SLA_MAX_HOLIDAY_WINDOWS)));
		result.nclosed = nclosed;
		result.closed = windows;
	}

	/* A working day leaves open what the others do. */
	if (other->working_day)
		return result;
	if (result.working_day)
	{
		result.working_day = false;
		result.usual_hours = other->usual_hours;
		result.windows = other->windows;
		result.nwindows = other->nwindows;
		return result;
	}

	if (result.usual_hours && other->usual_hours)
		return result;

	if (result.usual_hours || other->usual_hours)
	{
		sla_window *usual_windows = palloc(sizeof(sla_window) *
										   sla_hours_max_windows(hours));

		usual.windows = usual_windows;
		if (sla_hours_names_holidays(hours))
			usual.nwindows = sla_hours_on(hours, result.day, true, usual_windows);
	}
	if (result.usual_hours)
	{
		result.windows = usual.windows;
		result.nwindows = usual.nwindows;
		result.usual_hours = false;
	}
	if (!other->usual_hours)
		usual = *other;

	windows = palloc(sizeof(sla_window) * (result.nwindows + usual.nwindows + 1));
	result.nwindows = intersect_windows(result.windows, result.nwindows,
										usual.windows, usual.nwindows, windows);
	result.windows = windows;
	return result;
}

/*
 * One holiday of the several that sets have for a day, by rank: what each of
 * them leaves open.  But hours that a calendar's own set gives the day are what
 * it differs in, and replace what the sets of its bases say.
 */
static sla_holiday
combine_holidays(const ranked_holiday *holidays, int n, const sla_hours *hours)
{
	sla_holiday result = {0};

	for (int i = 0, same; i < n; i += same)
	{
		sla_holiday own = holidays[i].holiday;

		for (same = 1; i + same < n && holidays[i + same].rank == holidays[i].rank; same++)
			own = merge_holidays(&own, &holidays[i + same].holiday, hours);
		if (i == 0 || own.nwindows > 0 || (own.working_day && own.nclosed == 0))
			result = own;
		else
			result = merge_holidays(&result, &own, hours);
	}
	return result;
}

static bool
same_holidays(const sla_holiday *a, int na, const sla_holiday *b, int nb)
{
	if (na != nb)
		return false;
	if (a == b)
		return true;
	for (int i = 0; i < na; i++)
	{
		if (!sla_same_holiday(&a[i], &b[i]))
			return false;
	}
	return true;
}

static uint64
hash_windows(uint64 hash, const sla_window *windows, int n)
{
	hash = hash_bytes_uint32_extended(n, hash);
	for (int i = 0; i < n; i++)
	{
		hash = hash_bytes_uint32_extended(windows[i].from, hash);
		hash = hash_bytes_uint32_extended(windows[i].to, hash);
	}
	return hash;
}

static uint64
hash_holidays(const sla_holiday *holidays, int n)
{
	uint64		hash = n;

	for (int i = 0; i < n; i++)
	{
		hash = hash_bytes_uint32_extended(holidays[i].day, hash);
		hash = hash_bytes_uint32_extended(holidays[i].usual_hours |
										  holidays[i].working_day << 1, hash);
		hash = hash_windows(hash, holidays[i].windows, holidays[i].nwindows);
		hash = hash_windows(hash, holidays[i].closed, holidays[i].nclosed);
	}
	return hash;
}

static void
release_list(void *arg)
{
	holiday_list *list = arg;

	if (--list->references > 0)
		return;
	sla_cache_account(-(ssize_t) list->size);
	pfree(list->holidays);
	hash_search(holiday_lists, &list->hash, HASH_REMOVE, NULL);
}

static const sla_window *
copy_windows(const sla_window *windows, int n, sla_window **room)
{
	sla_window *copy = *room;

	if (n == 0)
		return NULL;
	memcpy(copy, windows, sizeof(sla_window) * n);
	*room += n;
	return copy;
}

/* Copy holidays and their windows into one allocation of `context`. */
static sla_holiday *
copy_holidays(const sla_holiday *holidays, int n, MemoryContext context, Size *size)
{
	sla_holiday *copy;
	sla_window *room;

	*size = sizeof(sla_holiday) * n;
	for (int i = 0; i < n; i++)
		*size += sizeof(sla_window) * (holidays[i].nwindows + holidays[i].nclosed);
	copy = MemoryContextAllocHuge(context, *size);
	room = (sla_window *) (copy + n);
	for (int i = 0; i < n; i++)
	{
		copy[i] = holidays[i];
		copy[i].windows = copy_windows(holidays[i].windows, holidays[i].nwindows, &room);
		copy[i].closed = copy_windows(holidays[i].closed, holidays[i].nclosed, &room);
	}
	return copy;
}

/*
 * These holidays, for as long as `context` lives: those of another calendar if
 * it has the same.
 */
static const sla_holiday *
shared_holidays(const sla_holiday *holidays, int n, MemoryContext context)
{
	uint64		hash = hash_holidays(holidays, n);
	holiday_list *list;
	MemoryContextCallback *release;

	if (holiday_lists == NULL)
	{
		HASHCTL		control = {
			.keysize = sizeof(uint64),
			.entrysize = sizeof(holiday_list),
			.hcxt = sla_cache_context()
		};

		holiday_lists = hash_create("pg_sla holidays", 64, &control,
									HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}

	release = MemoryContextAlloc(context, sizeof(MemoryContextCallback));
	list = hash_search(holiday_lists, &hash, HASH_FIND, NULL);
	if (list == NULL)
	{
		/* Empty, and like no other, should there be no memory to go on. */
		list = hash_search(holiday_lists, &hash, HASH_ENTER, NULL);
		list->references = 0;
		list->nholidays = 0;
		list->holidays = copy_holidays(holidays, n, sla_cache_context(), &list->size);
		list->nholidays = n;
		sla_cache_account(list->size);
	}
	else if (!same_holidays(list->holidays, list->nholidays, holidays, n))
	{
		Size		size;

		return copy_holidays(holidays, n, context, &size);
	}

	list->references++;
	release->func = release_list;
	release->arg = list;
	MemoryContextRegisterResetCallback(context, release);
	return list->holidays;
}

/*
 * The holidays of a version, on the days on which it is in force, one for a
 * day, sorted.  They live as long as `context`.  The sets are lists of names,
 * one for each calendar that it is made of.
 */
static void
merge_sets(List *names, sla_part *part, MemoryContext context)
{
	List	   *known = NIL;
	ListCell   *cell;
	ListCell   *inner;
	ranked_holiday *all;
	sla_holiday *merged;
	int			n = 0;
	int			nmerged = 0;
	Size		room = 0;

	foreach(cell, names)
	{
		foreach(inner, (List *) lfirst(cell))
			room += find_holiday_set(lfirst(inner))->nholidays;
	}
	if (room == 0)
		return;

	all = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(ranked_holiday) * room);
	foreach(cell, names)
	{
		foreach(inner, (List *) lfirst(cell))
		{
			holiday_set *set = find_holiday_set(lfirst(inner));

			/* Twice is once: a base that has it is enough. */
			if (list_member_ptr(known, set))
				continue;
			known = lappend(known, set);
			for (int i = 0; i < set->nholidays; i++)
			{
				sla_date	day = set->holidays[i].day;

				if (day >= part->from_day && day < part->to_day)
					all[n++] = (ranked_holiday) {
						.holiday = set->holidays[i],
						.rank = foreach_current_index(cell)
					};
			}
		}
	}
	if (n == 0)
		return;
	if (list_length(known) > 1)
		qsort(all, n, sizeof(ranked_holiday), compare_holidays);
	merged = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(sla_holiday) * n);
	for (int i = 0, same; i < n; i += same)
	{
		for (same = 1; i + same < n && all[i + same].holiday.day == all[i].holiday.day; same++)
			;
		merged[nmerged++] = combine_holidays(all + i, same, part->hours);
	}
	part->holidays = shared_holidays(merged, nmerged, context);
	part->nholidays = nmerged;
}

/* A column of a version that is a text, or NULL. */
static const char *
text_column(HeapTuple row, int number, TupleDesc columns)
{
	bool		isnull;
	Datum		value = heap_getattr(row, number, columns, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* The rows of a calendar's versions, by the days from which they are in force. */
static List *
read_versions(const char *calendar)
{
	Relation	relation = table_open(sla_config_relid(SLA_TABLE_CALENDAR_VERSION),
									  AccessShareLock);
	TupleDesc	columns = RelationGetDescr(relation);
	SysScanDesc scan = scan_by_name(relation, SLA_TABLE_CALENDAR_VERSION,
									cstring_to_text(calendar));
	List	   *result = NIL;
	HeapTuple	row;

	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		version_row *version = palloc0(sizeof(version_row));
		bool		isnull;
		Datum	   *sets;
		bool	   *nulls;
		int			n;

		CHECK_FOR_INTERRUPTS();
		version->from_day =
			DatumGetDateADT(heap_getattr(row, Anum_calendar_version_effective_from,
										 columns, &isnull));
		version->time_zone = text_column(row, Anum_calendar_version_time_zone, columns);
		version->hours = text_column(row, Anum_calendar_version_hours, columns);
		version->base = text_column(row, Anum_calendar_version_base, columns);
		deconstruct_array(DatumGetArrayTypeP(heap_getattr(row,
														  Anum_calendar_version_holiday_sets,
														  columns, &isnull)),
						  TEXTOID, -1, false, TYPALIGN_INT, &sets, &nulls, &n);
		for (int i = 0; i < n; i++)
		{
			if (!nulls[i])
				version->sets = lappend(version->sets, TextDatumGetCString(sets[i]));
		}
		result = lappend(result, version);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
	return result;
}

/*
 * What a calendar is made of, in the order of days.  `derived` are the names of
 * those that are derived from it, the one asked for first.  Where a base is not
 * in force, what is derived from it is not either.
 */
static List *
stretches_of(const char *calendar, List *derived)
{
	List	   *rows;
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, derived)
	{
		if (strcmp(lfirst(cell), calendar) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
					 errmsg("calendar \"%s\" would be derived from itself", calendar),
					 errhint("Change one of the bases in sla.calendar_version.")));
	}
	if (list_length(derived) > MAX_BASES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("calendar \"%s\" is derived through more than %d others",
						(const char *) linitial(derived), MAX_BASES),
				 errhint("Derive it from one of them that is nearer to the first.")));
	check_stack_depth();
	derived = lappend(list_copy(derived), unconstify(char *, calendar));

	/* The index gives them in the order of effective_from. */
	rows = read_versions(calendar);
	if (rows == NIL && list_length(derived) > 1 && !calendar_exists(cstring_to_text(calendar)))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("calendar \"%s\" does not exist", calendar),
				 errdetail("The calendar \"%s\" would be derived from it.",
						   (const char *) list_nth(derived, list_length(derived) - 2)),
				 errhint("Make it with sla.set_calendar() first.")));
	foreach(cell, rows)
	{
		version_row *row = lfirst(cell);
		sla_date	to_day = lnext(rows, cell) != NULL
			? ((version_row *) lfirst(lnext(rows, cell)))->from_day : SLA_DATE_LAST;
		ListCell   *inner;

		Assert(row->from_day < to_day);
		if (row->base == NULL)
		{
			stretch    *whole = palloc(sizeof(stretch));

			*whole = (stretch) {
				.from_day = row->from_day,
				.to_day = to_day,
				.time_zone = row->time_zone,
				.hours = list_make1(unconstify(char *, row->hours)),
				.sets = list_make1(row->sets),
			};
			result = lappend(result, whole);
			continue;
		}
		foreach(inner, stretches_of(row->base, derived))
		{
			stretch    *base = lfirst(inner);
			stretch    *own;

			if (base->from_day >= to_day || base->to_day <= row->from_day)
				continue;
			own = palloc(sizeof(stretch));
			*own = *base;
			own->from_day = Max(base->from_day, row->from_day);
			own->to_day = Min(base->to_day, to_day);
			if (row->time_zone != NULL)
				own->time_zone = row->time_zone;
			if (row->hours != NULL)
				own->hours = lappend(list_copy(base->hours), unconstify(char *, row->hours));
			own->sets = lappend(list_copy(base->sets), row->sets);
			result = lappend(result, own);
		}
	}
	list_free(derived);
	return result;
}

/*
 * Opening hours of which each text holds later rules than the one before, as
 * if they had been written in one.
 */
static char *
joined_hours(List *texts)
{
	StringInfoData joined;
	ListCell   *cell;

	if (list_length(texts) == 1)
		return pstrdup(linitial(texts));

	/* Their canonical texts: however each is written, it ends with its last rule. */
	initStringInfo(&joined);
	foreach(cell, texts)
	{
		const char *text = lfirst(cell);
		sla_hours  *hours = sla_hours_read(text, strlen(text), NULL);
		size_t		length = sla_hours_print(hours, NULL, 0);

		if (joined.len > 0)
			appendStringInfoString(&joined, "; ");
		enlargeStringInfo(&joined, (int) length + 1);
		sla_hours_print(hours, joined.data + joined.len, length + 1);
		joined.len += (int) length;
		pfree(hours);
	}
	return joined.data;
}

/*
 * Read a calendar into `context`; what is needed on the way is left in the
 * current one.  NULL when it has no version.
 */
static definition *
read_definition(const char *name, MemoryContext context)
{
	List	   *stretches = stretches_of(name, NIL);
	definition *result;
	ListCell   *cell;

	if (stretches == NIL)
		return NULL;
	result = MemoryContextAlloc(context, sizeof(definition));
	result->nversions = list_length(stretches);
	result->versions = MemoryContextAllocZero(context, sizeof(version) * result->nversions);
	foreach(cell, stretches)
	{
		stretch    *stretch = lfirst(cell);
		version    *version = &result->versions[foreach_current_index(cell)];
		char	   *hours = joined_hours(stretch->hours);
		ListCell   *outer;
		ListCell   *inner;
		MemoryContext old = MemoryContextSwitchTo(context);

		version->part.from_day = stretch->from_day;
		version->part.to_day = stretch->to_day;
		version->part.zone = sla_zone_named(stretch->time_zone, NULL);
		version->hours = pstrdup(hours);
		version->part.hours = sla_hours_read(version->hours, strlen(version->hours), NULL);
		foreach(outer, stretch->sets)
			version->nsets += list_length((List *) lfirst(outer));
		version->sets = palloc(sizeof(char *) * (version->nsets + 1));
		version->nsets = 0;
		foreach(outer, stretch->sets)
		{
			foreach(inner, (List *) lfirst(outer))
				version->sets[version->nsets++] = pstrdup(lfirst(inner));
		}
		MemoryContextSwitchTo(old);
		merge_sets(stretch->sets, &version->part, context);
	}
	return result;
}

static bool
same_sets(const version *v, const version *w)
{
	if (v->nsets != w->nsets)
		return false;
	for (int i = 0; i < v->nsets; i++)
	{
		if (strcmp(v->sets[i], w->sets[i]) != 0)
			return false;
	}
	return true;
}

static bool
same_definition(const definition *a, const definition *b)
{
	if (a->nversions != b->nversions)
		return false;
	for (int i = 0; i < a->nversions; i++)
	{
		const version *v = &a->versions[i];
		const version *w = &b->versions[i];

		if (v->part.from_day != w->part.from_day ||
			v->part.to_day != w->part.to_day ||
			v->part.zone.data != w->part.zone.data ||
			strcmp(v->hours, w->hours) != 0 ||
			!same_sets(v, w) ||
			!same_holidays(v->part.holidays, v->part.nholidays,
						   w->part.holidays, w->part.nholidays))
			return false;
	}
	return true;
}

/* What is open: the union of the versions, in a tree that stays shallow. */
static sla_schedule *
schedule_of(const version *versions, int n)
{
	sla_schedule *schedule = palloc0(sizeof(sla_schedule));

	if (n == 1)
	{
		schedule->kind = SLA_SCHEDULE_PART;
		schedule->part = versions[0].part;
	}
	else
	{
		schedule->kind = SLA_SCHEDULE_UNION;
		schedule->left = schedule_of(versions, n / 2);
		schedule->right = schedule_of(versions + n / 2, n - n / 2);
	}
	return schedule;
}

/* The calendar of that name, as it is now; an error when there is none. */
sla_cached *
sla_cached_calendar(const char *name, uint32 length)
{
	sla_cached *entry = sla_cache_find(SLA_CACHED_CALENDAR, name, length);
	uint64		generation = sla_calendar_generation;
	sla_cached *fresh;
	definition *definition;
	MemoryContext reading;
	MemoryContext old;
	char	   *shown;

	if (entry != NULL && entry->generation == generation)
		return entry;

	/*
	 * Between here and the end the generation may move, and then what is read
	 * now counts as outdated at the next use; nothing is thrown away.
	 */
	fresh = sla_cache_create(SLA_CACHED_CALENDAR, name, length);
	reading = AllocSetContextCreate(CurrentMemoryContext, "pg_sla reading a calendar",
									ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(reading);
	shown = pnstrdup(name, length);
	forget_holiday_sets(generation);
	definition = read_definition(shown, fresh->context);
	if (definition == NULL)
	{
		if (entry != NULL)
			sla_cache_drop(entry);
		if (calendar_exists(cstring_to_text(shown)))
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("calendar \"%s\" has no version", shown),
						 errhint("Give it opening hours with sla.set_calendar().")));
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("calendar \"%s\" does not exist", shown),
				 errhint("The table sla.calendar lists the calendars; sla.set_calendar() makes one.")));
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(reading);

	if (entry != NULL && same_definition(entry->definition, definition))
	{
		MemoryContextDelete(fresh->context);
		entry->generation = generation;
		return entry;
	}

	old = MemoryContextSwitchTo(fresh->context);
	fresh->definition = definition;
	sla_cache_compile(fresh, schedule_of(definition->versions, definition->nversions));
	MemoryContextSwitchTo(old);
	fresh->generation = generation;
	sla_cache_keep(fresh);
	return fresh;
}

/* The rows of a holiday set for a day: ": " or ", " and "Name (set)" each. */
static void
append_names_in_set(StringInfo out, const char *set, sla_date day, bool *first)
{
	Relation	relation = table_open(sla_config_relid(SLA_TABLE_HOLIDAY), AccessShareLock);
	TupleDesc	columns = RelationGetDescr(relation);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;

	ScanKeyEntryInitialize(&keys[0], 0, Anum_holiday_holiday_set, BTEqualStrategyNumber, InvalidOid,
						   TupleDescAttr(columns, Anum_holiday_holiday_set - 1)->attcollation,
						   F_TEXTEQ, CStringGetTextDatum(set));
	ScanKeyInit(&keys[1], Anum_holiday_day, BTEqualStrategyNumber, F_DATE_EQ,
				DateADTGetDatum(day));
	scan = systable_beginscan(relation, sla_config_index(SLA_TABLE_HOLIDAY), true, NULL, 2, keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(row, Anum_holiday_name, columns, &isnull);

		appendStringInfoString(out, *first ? ": " : ", ");
		*first = false;
		if (!isnull)
			appendStringInfo(out, "%s ", TextDatumGetCString(name));
		appendStringInfo(out, "(%s)", set);
	}
	systable_endscan(scan);
	table_close(relation, AccessShareLock);
}

/*
 * Append what the holiday sets of a calendar's version call a day, as the
 * tables have it now: ": Christmas Eve (norway), Office closed (ours)".  The
 * version is the one that begins on from_day.
 */
void
sla_append_holiday_names(StringInfo out, const sla_cached *calendar, sla_date from_day,
						 sla_date day)
{
	const definition *definition = calendar->definition;
	bool		first = true;

	for (int i = 0; i < definition->nversions; i++)
	{
		const version *version = &definition->versions[i];

		if (version->part.from_day != from_day)
			continue;
		for (int set = 0; set < version->nsets; set++)
			append_names_in_set(out, version->sets[set], day, &first);
	}
}

sla_timeline *
sla_calendar_timeline(const text *name)
{
	text	   *plain = DatumGetTextPP(PointerGetDatum(name));
	sla_cached *entry = sla_cached_calendar(VARDATA_ANY(plain), VARSIZE_ANY_EXHDR(plain));

	sla_cache_pin(entry);
	return entry->timeline;
}

/* The new row of a BEFORE ROW trigger on INSERT or UPDATE. */
static HeapTuple
new_row(FunctionCallInfo fcinfo, const char *function)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"%s\" must be called by a row trigger before insert or update",
						function)));
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		return trigger->tg_newtuple;
	return trigger->tg_trigtuple;
}

/* A column of it; false when it is NULL, which the table itself refuses. */
static bool
column(FunctionCallInfo fcinfo, HeapTuple row, int number, Datum *value)
{
	bool		isnull;

	*value = heap_getattr(row, number,
						  RelationGetDescr(((TriggerData *) fcinfo->context)->tg_relation),
						  &isnull);
	return !isnull;
}

static void
refuse_never_open(const char *calendar, const char *hours)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("calendar \"%s\" would never be open", calendar),
			 errdetail("The opening hours \"%s\" leave no time open.", hours),
			 errhint("Write for example Mo-Fr 08:00-16:00.")));
}

/*
 * sla.check_calendar(name text) RETURNS void
 *
 * Refuses a calendar that is derived from itself or through too many others, or
 * of which a version would never be open; with holiday sets one may be, for
 * holidays have hours of their own.
 */
Datum
sla_check_calendar(PG_FUNCTION_ARGS)
{
	MemoryContext checking = AllocSetContextCreate(CurrentMemoryContext,
												   "pg_sla checking a calendar",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(checking);
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	sla_env		env = sla_server_env(checking);
	definition *definition;

	forget_holiday_sets(sla_calendar_generation);
	definition = read_definition(name, checking);
	for (int i = 0; definition != NULL && i < definition->nversions; i++)
	{
		const version *version = &definition->versions[i];
		sla_schedule schedule = {
			.kind = SLA_SCHEDULE_PART,
			.part.zone = version->part.zone,
			.part.hours = version->part.hours,
			.part.from_day = SLA_DATE_FIRST,
			.part.to_day = SLA_DATE_LAST
		};

		if (version->nsets == 0 && sla_timeline_is_empty(sla_timeline_create(&env, &schedule)))
			refuse_never_open(name, version->hours);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(checking);
	PG_RETURN_VOID();
}

/*
 * sla.check_calendar_version() RETURNS trigger
 *
 * Refuses a version with an unknown zone, opening hours that cannot be read or
 * that, without holiday sets, are never open; of a derived one the latter is
 * known only when its base is, and looked at by sla.check_calendar.  Its holiday
 * sets may be filled later, and are looked at by sla.set_calendar.
 */
Datum
sla_check_calendar_version(PG_FUNCTION_ARGS)
{
	HeapTuple	row = new_row(fcinfo, "sla.check_calendar_version");
	Datum		value;
	sla_schedule schedule = {.kind = SLA_SCHEDULE_PART};
	sla_env		env;
	char	   *hours = NULL;
	sla_timeline *timeline;
	MemoryContext checking = AllocSetContextCreate(CurrentMemoryContext,
												   "pg_sla checking a calendar",
												   ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(checking);

	schedule.part.from_day = SLA_DATE_FIRST;
	schedule.part.to_day = SLA_DATE_LAST;
	if (column(fcinfo, row, Anum_calendar_version_time_zone, &value))
		schedule.part.zone = sla_zone_named(TextDatumGetCString(value), NULL);
	if (column(fcinfo, row, Anum_calendar_version_hours, &value))
	{
		hours = TextDatumGetCString(value);
		schedule.part.hours = sla_hours_read(hours, strlen(hours), NULL);
	}
	if (schedule.part.zone.data != NULL && schedule.part.hours != NULL &&
		!column(fcinfo, row, Anum_calendar_version_base, &value) &&
		!(column(fcinfo, row, Anum_calendar_version_holiday_sets, &value) &&
		  ArrayGetNItems(ARR_NDIM(DatumGetArrayTypeP(value)), ARR_DIMS(DatumGetArrayTypeP(value))) > 0))
	{
		env = sla_server_env(checking);
		timeline = sla_timeline_create(&env, &schedule);
		if (sla_timeline_is_empty(timeline))
		{
			Datum		name = CStringGetTextDatum("");

			(void) column(fcinfo, row, Anum_calendar_version_calendar, &name);
			refuse_never_open(TextDatumGetCString(name), hours);
		}
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(checking);
	PG_RETURN_POINTER(row);
}

/*
 * sla.check_holiday() RETURNS trigger
 *
 * Refuses a holiday outside of the years 0001 to 9999, and hours other than
 * "off", times, or both.
 */
Datum
sla_check_holiday(PG_FUNCTION_ARGS)
{
	HeapTuple	row = new_row(fcinfo, "sla.check_holiday");
	Datum		value;

	if (column(fcinfo, row, Anum_holiday_day, &value))
		sla_check_holiday_day(DatumGetDateADT(value));
	if (column(fcinfo, row, Anum_holiday_hours, &value))
	{
		text	   *hours = DatumGetTextPP(value);
		sla_holiday holiday;

		sla_holiday_hours_read(VARDATA_ANY(hours), VARSIZE_ANY_EXHDR(hours), &holiday, NULL);
	}
	PG_RETURN_POINTER(row);
}

/*
 * sla.stamp_calendars(calendars text[], holiday_sets text[])
 *
 * Notes that calendars changed now: those named, those that use one of the
 * holiday sets, NULL: any, and those derived from them.  All that there are,
 * while sla.log is locked against other edits: a REPEATABLE READ transaction
 * that would have to note it of one that it cannot see fails to serialize.
 */
Datum
sla_stamp_calendars(PG_FUNCTION_ARGS)
{
	static SPIPlanPtr plan = NULL;
	static const Oid types[] = {TEXTARRAYOID, TEXTARRAYOID};
	Datum		values[] = {PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)};
	char		nulls[] = {PG_ARGISNULL(0) ? 'n' : ' ', PG_ARGISNULL(1) ? 'n' : ' '};

	SPI_connect();
	sla_execute_newest(&plan,
					   "WITH RECURSIVE derived (name) AS ("
					   " SELECT pg_catalog.unnest($1)"
					   " UNION SELECT v.calendar FROM sla.calendar_version AS v"
					   " WHERE CASE WHEN $2 IS NULL THEN v.holiday_sets OPERATOR(pg_catalog.<>) '{}'"
					   " ELSE v.holiday_sets OPERATOR(pg_catalog.&&) $2 END"
					   " UNION SELECT v.calendar FROM derived AS d"
					   " JOIN sla.calendar_version AS v ON v.base OPERATOR(pg_catalog.=) d.name)"
					   " UPDATE sla.calendar SET changed_at = pg_catalog.now()"
					   " WHERE changed_at OPERATOR(pg_catalog.<>) pg_catalog.now()"
					   " AND name IN (SELECT d.name FROM derived AS d)",
					   lengthof(types), types, values, nulls);
	SPI_finish();
	PG_RETURN_VOID();
}
