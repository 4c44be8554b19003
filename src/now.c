/*
 * now.c
 *		The clock of views: the transaction's time, or the setting pg_sla.now.
 *
 * The setting lets reports be read as of another moment, and tests be exact.
 * What is set is at once rewritten with its zone, so that it does not change
 * with TimeZone or DateStyle afterwards, and means the same in a parallel
 * worker, which gets the text.
 */
#include "pg_sla.h"

#include <limits.h>

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/plancache.h"
#include "utils/timestamp.h"

#include "now.h"

SLA_FUNCTION(sla_now);

static char *now_text = NULL;
static const TimestampTz *now_value = NULL;	/* NULL when not set */

/*
 * Read a finite timestamp with time zone; false when it is none.  Unlike the
 * type's input function it never raises an error: settings are also read where
 * that would be fatal.
 */
static bool
read_instant(const char *text, TimestampTz *result)
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *fields[MAXDATEFIELDS];
	int			types[MAXDATEFIELDS];
	int			nfields;
	int			kind;
	int			zone;
	struct pg_tm tm;
	fsec_t		fsec;

	return ParseDateTime(text, work, sizeof(work), fields, types, MAXDATEFIELDS,
						 &nfields) == 0 &&
		DecodeDateTime_compat(fields, types, nfields, &kind, &tm, &fsec, &zone) == 0 &&
		kind == DTK_DATE &&
		tm2timestamp(&tm, fsec, &zone, result) == 0;
}

static bool
check_now(char **new_text, void **extra, GucSource source)
{
	TimestampTz *value;
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (*new_text == NULL || **new_text == '\0')
		return true;

	value = guc_malloc_compat(sizeof(TimestampTz));
	if (value == NULL)
		return false;
	if (!read_instant(*new_text, value) ||
		timestamp2tm(*value, NULL, &tm, &fsec, NULL, NULL) != 0)
	{
		guc_free_compat(value);
		GUC_check_errdetail("It must be a timestamp with time zone, or empty.");
		return false;
	}

	tm.tm_isdst = 0;			/* or the zone is not written */
	EncodeDateTime(&tm, fsec, true, 0, NULL, USE_ISO_DATES, text);
	guc_free_compat(*new_text);
	*new_text = guc_strdup_compat(text);
	*extra = value;
	return *new_text != NULL;
}

/*
 * A plan made while it is not set leaves out what reports as of another moment
 * need (see as_of.c), so that plans are made anew when that changes.
 */
static void
assign_now(const char *new_text, void *extra)
{
	if ((now_value == NULL) != (extra == NULL))
		ResetPlanCache();
	now_value = extra;
}

bool
sla_now_is_set(TimestampTz *instant)
{
	if (now_value == NULL)
		return false;
	*instant = *now_value;
	return true;
}

void
sla_now_init(void)
{
	DefineCustomStringVariable("pg_sla.now",
							   "Time that sla.now() gives and the views take as the present.",
							   "A timestamp with time zone; when empty, the start of the transaction.",
							   &now_text,
							   "",
							   PGC_USERSET,
							   0,
							   check_now,
							   assign_now,
							   NULL);
}

/*
 * sla.now() RETURNS timestamptz
 */
Datum
sla_now(PG_FUNCTION_ARGS)
{
	if (now_value != NULL)
		PG_RETURN_TIMESTAMPTZ(*now_value);
	PG_RETURN_TIMESTAMPTZ(GetCurrentTransactionStartTimestamp());
}
