/*
 * compliance.c
 *		The figures of compliance reports, from counts and sums that are added up.
 *
 * One aggregate instead of one for each figure: a report has thousands of
 * groups of a few rows each, and what an aggregate costs is its beginning and
 * its end.  A mean is a quotient of integers, rounded once.
 */
#include "pg_sla.h"

#include "access/htup_details.h"
#include "common/int.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

SLA_FUNCTION(sla_compliance_add);
SLA_FUNCTION(sla_compliance_figures);

/* Arguments of the aggregate behind the state, in the order of src/sql/compliance.sql. */
enum
{
	PART_EXCUSED = 1, PART_MET, PART_MET_SUM, PART_MET_MAX, PART_MET_MIN,
	PART_MISSED, PART_MISSED_ENDED, PART_MISSED_SUM, PART_MISSED_MAX, PART_MISSED_MIN, PART_OVERRUN_SUM
};

/* Columns of the type sla.compliance_figures, likewise. */
enum
{
	FIGURE_MET, FIGURE_MET_AVG, FIGURE_MET_MAX, FIGURE_MET_MIN,
	FIGURE_MISSED, FIGURE_MISSED_AVG, FIGURE_MISSED_MAX, FIGURE_MISSED_MIN,
	FIGURE_COMPLIANCE, FIGURE_OVERRUN_AVG, FIGURE_EXCUSED, N_FIGURES
};

/* Microseconds, so many as there may be: small + large. */
typedef struct Sum
{
	int64		small;
	Numeric		large;			/* NULL: 0, as it nearly always is */
	bool		any;			/* has anything been added? */
} Sum;

typedef struct Extreme
{
	int64		value;
	bool		any;
} Extreme;

typedef struct Figures
{
	int64		met;
	int64		missed;
	int64		missed_ended;
	int64		excused;
	Sum			met_sum;
	Sum			missed_sum;
	Sum			overrun_sum;
	Extreme		met_max;
	Extreme		met_min;
	Extreme		missed_max;
	Extreme		missed_min;
} Figures;

/* What the transition function keeps from row to row. */
typedef struct Bounds
{
	Numeric		min;			/* of a bigint */
	Numeric		max;
} Bounds;

static void
out_of_range(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("bigint out of range")));
}

static Numeric
add_numeric(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a), NumericGetDatum(b)));
}

static inline bool
is_less(Numeric a, Numeric b)
{
	return DatumGetBool(DirectFunctionCall2(numeric_lt, NumericGetDatum(a), NumericGetDatum(b)));
}

/* In the memory context of the aggregate. */
static void
add_large(Sum *sum, Numeric value)
{
	Numeric		former = sum->large;

	sum->large = add_numeric(former == NULL ? int64_to_numeric(0) : former, value);
	if (former != NULL)
		pfree(former);
}

static void
add_sum(FunctionCallInfo fcinfo, int argument, Sum *sum, MemoryContext context)
{
	Bounds	   *bounds = fcinfo->flinfo->fn_extra;
	Numeric		value;
	MemoryContext caller;

	if (PG_ARGISNULL(argument))
		return;
	value = PG_GETARG_NUMERIC(argument);
	sum->any = true;
	if (likely(!is_less(value, bounds->min) && !is_less(bounds->max, value)))
	{
		int64		small = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value)));
		int64		result;

		if (likely(!pg_add_s64_overflow(sum->small, small, &result)))
		{
			sum->small = result;
			return;
		}
	}
	caller = MemoryContextSwitchTo(context);
	add_large(sum, value);
	MemoryContextSwitchTo(caller);
}

static inline void
add_count(FunctionCallInfo fcinfo, int argument, int64 *count)
{
	if (!PG_ARGISNULL(argument) && pg_add_s64_overflow(*count, PG_GETARG_INT64(argument), count))
		out_of_range();
}

static inline void
add_max(FunctionCallInfo fcinfo, int argument, Extreme *max)
{
	if (!PG_ARGISNULL(argument) && (!max->any || PG_GETARG_INT64(argument) > max->value))
		*max = (Extreme) {PG_GETARG_INT64(argument), true};
}

static inline void
add_min(FunctionCallInfo fcinfo, int argument, Extreme *min)
{
	if (!PG_ARGISNULL(argument) && (!min->any || PG_GETARG_INT64(argument) < min->value))
		*min = (Extreme) {PG_GETARG_INT64(argument), true};
}

/*
 * Transition function of sla.compliance_of: adds a part, as sla.kept_parts and
 * sla.live_parts give them.
 */
Datum
sla_compliance_add(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	Figures    *figures;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "sla_compliance_add called outside of an aggregate");
	if (fcinfo->flinfo->fn_extra == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
		Bounds	   *bounds = palloc(sizeof(Bounds));

		bounds->min = int64_to_numeric(PG_INT64_MIN);
		bounds->max = int64_to_numeric(PG_INT64_MAX);
		fcinfo->flinfo->fn_extra = bounds;
		MemoryContextSwitchTo(caller);
	}
	if (PG_ARGISNULL(0))
		figures = MemoryContextAllocZero(context, sizeof(Figures));
	else
		figures = (Figures *) PG_GETARG_POINTER(0);

	add_count(fcinfo, PART_MET, &figures->met);
	add_count(fcinfo, PART_MISSED, &figures->missed);
	add_count(fcinfo, PART_MISSED_ENDED, &figures->missed_ended);
	if (!PG_ARGISNULL(PART_EXCUSED) && PG_GETARG_BOOL(PART_EXCUSED))
		add_count(fcinfo, PART_MISSED, &figures->excused);
	add_sum(fcinfo, PART_MET_SUM, &figures->met_sum, context);
	add_max(fcinfo, PART_MET_MAX, &figures->met_max);
	add_min(fcinfo, PART_MET_MIN, &figures->met_min);
	add_sum(fcinfo, PART_MISSED_SUM, &figures->missed_sum, context);
	add_max(fcinfo, PART_MISSED_MAX, &figures->missed_max);
	add_min(fcinfo, PART_MISSED_MIN, &figures->missed_min);
	add_sum(fcinfo, PART_OVERRUN_SUM, &figures->overrun_sum, context);
	PG_RETURN_POINTER(figures);
}

/*
 * A quotient rounded to an integer, halves away from zero; divisor is positive.
 */
static int64
rounded_quotient(int64 dividend, int64 divisor)
{
	int64		quotient = dividend / divisor;
	int64		remainder = dividend % divisor;

	if (remainder < 0 ? -remainder >= divisor + remainder : remainder >= divisor - remainder)
		quotient += dividend < 0 ? -1 : 1;
	return quotient;
}

/* The same of sums that a bigint cannot hold; an error where the quotient is one. */
static int64
rounded_numeric_quotient(Numeric dividend, int64 divisor)
{
	bool		negative = is_less(dividend, int64_to_numeric(0));
	Numeric		above = add_numeric(add_numeric(dividend, dividend), int64_to_numeric(negative ? -divisor : divisor));
	Numeric		below = add_numeric(int64_to_numeric(divisor), int64_to_numeric(divisor));

	/* (2 a + b) / 2 b without its fraction, and its mirror image. */
	return DatumGetInt64(DirectFunctionCall1(numeric_int8,
											 DirectFunctionCall2(numeric_div_trunc,
																 NumericGetDatum(above), NumericGetDatum(below))));
}

/* A result as an interval; NULL: there is none. */
static void
set_interval(Datum *values, bool *nulls, int column, Interval *interval, bool any, int64 microseconds)
{
	memset(interval, 0, sizeof(*interval));
	interval->time = microseconds;
	values[column] = IntervalPGetDatum(interval);
	nulls[column] = !any;
}

static void
set_mean(Datum *values, bool *nulls, int column, Interval *interval, const Sum *sum, int64 count)
{
	int64		mean = 0;
	bool		any = sum->any && count > 0;

	if (any)
		mean = likely(sum->large == NULL) ? rounded_quotient(sum->small, count) :
			rounded_numeric_quotient(add_numeric(sum->large, int64_to_numeric(sum->small)), count);
	set_interval(values, nulls, column, interval, any, mean);
}

/* 100 * met / (met + missed) with two places; NULL when there is neither. */
static void
set_percentage(Datum *values, bool *nulls, int column, int64 met, int64 missed)
{
	int64		hundredths;
	int64		all;

	nulls[column] = true;
	if (pg_mul_s64_overflow(met, 10000, &hundredths) || pg_add_s64_overflow(met, missed, &all))
		out_of_range();
	if (all <= 0)
		return;
	values[column] = NumericGetDatum(int64_div_fast_to_numeric(rounded_quotient(hundredths, all), 2));
	nulls[column] = false;
}

/*
 * Final function of sla.compliance_of: the figures; met and missed 0 when there
 * was nothing, and what then has no value NULL.
 */
Datum
sla_compliance_figures(PG_FUNCTION_ARGS)
{
	static const Figures none = {0};
	const Figures *figures;
	TupleDesc	tupdesc = fcinfo->flinfo->fn_extra;
	Datum		values[N_FIGURES] = {0};
	bool		nulls[N_FIGURES] = {0};
	Interval	intervals[N_FIGURES];

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "sla_compliance_figures called outside of an aggregate");
	figures = PG_ARGISNULL(0) ? &none : (Figures *) PG_GETARG_POINTER(0);
	if (tupdesc == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &tupdesc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		tupdesc = BlessTupleDesc(CreateTupleDescCopy(tupdesc));
		fcinfo->flinfo->fn_extra = tupdesc;
		MemoryContextSwitchTo(caller);
	}

	values[FIGURE_MET] = Int64GetDatum(figures->met);
	set_mean(values, nulls, FIGURE_MET_AVG, &intervals[FIGURE_MET_AVG], &figures->met_sum, figures->met);
	set_interval(values, nulls, FIGURE_MET_MAX, &intervals[FIGURE_MET_MAX], figures->met_max.any, figures->met_max.value);
	set_interval(values, nulls, FIGURE_MET_MIN, &intervals[FIGURE_MET_MIN], figures->met_min.any, figures->met_min.value);
	values[FIGURE_MISSED] = Int64GetDatum(figures->missed);
	set_mean(values, nulls, FIGURE_MISSED_AVG, &intervals[FIGURE_MISSED_AVG], &figures->missed_sum, figures->missed_ended);
	set_interval(values, nulls, FIGURE_MISSED_MAX, &intervals[FIGURE_MISSED_MAX], figures->missed_max.any, figures->missed_max.value);
	set_interval(values, nulls, FIGURE_MISSED_MIN, &intervals[FIGURE_MISSED_MIN], figures->missed_min.any, figures->missed_min.value);
	set_percentage(values, nulls, FIGURE_COMPLIANCE, figures->met, figures->missed);
	set_mean(values, nulls, FIGURE_OVERRUN_AVG, &intervals[FIGURE_OVERRUN_AVG], &figures->overrun_sum, figures->missed_ended);
	values[FIGURE_EXCUSED] = Int64GetDatum(figures->excused);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tupdesc, values, nulls)));
}
