/*
 * ical_library.c
 *		The only file that knows libical.
 *
 * libical reads one content line at a time: the parameters, the escapes of
 * text, dates, durations and periods.  All else is ours: it allocates with
 * malloc, so between its first and last call here there is nothing that could
 * leave by an error; it opens files when it is to resolve a time zone, or sees
 * a time of UTC, so times are given to it without their zone; and it walks
 * rules and components in ways that cannot be interrupted, so it gets none.
 *
 * What is used is the same in libical 3 and 4.
 */
#include "ical_library.h"

#include <libical/ical.h>

static sla_ical_fields
fields_of(struct icaltimetype time)
{
	return (sla_ical_fields) {
		.is_date = time.is_date,
		.year = time.year,
		.month = time.month,
		.day = time.day,
		.hour = time.hour,
		.minute = time.minute,
		.second = time.second,
	};
}

static int64
seconds_of(struct icaldurationtype duration)
{
	int64		days = (int64) duration.weeks * 7 + duration.days;
	int64		seconds = ((days * 24 + duration.hours) * 60 + duration.minutes) * 60 +
		duration.seconds;

	return duration.is_neg ? -seconds : seconds;
}

static void
copy_text(char *buffer, const char *text, size_t size)
{
	size_t		length = text != NULL ? strlen(text) : 0;

	/* No text is longer than the line that it was read from. */
	if (length >= size)
		length = size - 1;
	if (length > 0)
		memcpy(buffer, text, length);
	buffer[length] = '\0';
}

/*
 * Read a content line: unfolded, terminated, without a line end.  False when
 * libical refuses it or its value is of a kind that nobody here asks for.
 */
bool
sla_ical_read_property(const char *line, sla_ical_property *property)
{
	size_t		size = strlen(line) + 1;
	icalproperty *read;
	icalvalue  *value;
	bool		known = true;

	/* Another library in the process may have changed what errors do. */
	icalerror_set_errors_are_fatal(0);
	icalerror_clear_errno();

	read = icalproperty_new_from_string(line);
	if (read == NULL)
		return false;
	value = icalproperty_get_value(read);

	property->has_range =
		icalproperty_get_first_parameter(read, ICAL_RANGE_PARAMETER) != NULL;
	copy_text(property->tzid, "", size);
	{
		icalparameter *tzid = icalproperty_get_first_parameter(read, ICAL_TZID_PARAMETER);

		if (tzid != NULL)
			copy_text(property->tzid, icalparameter_get_tzid(tzid), size);
	}

	switch (value != NULL ? icalvalue_isa(value) : ICAL_NO_VALUE)
	{
		case ICAL_TEXT_VALUE:
			property->kind = SLA_ICAL_TEXT;
			copy_text(property->text, icalvalue_get_text(value), size);
			break;
		case ICAL_X_VALUE:
			property->kind = SLA_ICAL_TEXT;
			copy_text(property->text, icalvalue_get_x(value), size);
			break;
		case ICAL_DATE_VALUE:
			property->kind = SLA_ICAL_TIME;
			property->from = fields_of(icalvalue_get_date(value));
			break;
		case ICAL_DATETIME_VALUE:
			property->kind = SLA_ICAL_TIME;
			property->from = fields_of(icalvalue_get_datetime(value));
			break;
		case ICAL_DATETIMEPERIOD_VALUE:
		case ICAL_PERIOD_VALUE:
			{
				struct icaldatetimeperiodtype either = icalvalue_get_datetimeperiod(value);

				if (icalperiodtype_is_null_period(either.period))
				{
					property->kind = SLA_ICAL_TIME;
					property->from = fields_of(either.time);
				}
				else
				{
					property->from = fields_of(either.period.start);
					property->to = fields_of(either.period.end);
					property->seconds = seconds_of(either.period.duration);
					property->kind = icaltime_is_null_time(either.period.end)
						? SLA_ICAL_SPAN : SLA_ICAL_PERIOD;
				}
				break;
			}
		case ICAL_DURATION_VALUE:
			property->kind = SLA_ICAL_DURATION;
			property->seconds = seconds_of(icalvalue_get_duration(value));
			break;
		default:
			known = false;
			break;
	}
	icalproperty_free(read);
	return known;
}
