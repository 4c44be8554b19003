/*
 * business_time.sql
 *		The questions, each asked of a calendar by name and of a schedule.
 */

CREATE FUNCTION sla.is_open(cal text, at timestamptz) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_is_open';
COMMENT ON FUNCTION sla.is_open(text, timestamptz) IS
	'is it open at that instant? NULL for an infinite one';

CREATE FUNCTION sla.is_open(cal sla.schedule, at timestamptz) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_is_open';
COMMENT ON FUNCTION sla.is_open(sla.schedule, timestamptz) IS
	'is it open at that instant? NULL for an infinite one';

CREATE FUNCTION sla.business_time(cal text, from_ts timestamptz, to_ts timestamptz) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time';
COMMENT ON FUNCTION sla.business_time(text, timestamptz, timestamptz) IS
	'open time from one instant to another, in hours; negative when to_ts is earlier';

CREATE FUNCTION sla.business_time(cal sla.schedule, from_ts timestamptz, to_ts timestamptz) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time';
COMMENT ON FUNCTION sla.business_time(sla.schedule, timestamptz, timestamptz) IS
	'open time from one instant to another, in hours; negative when to_ts is earlier';

CREATE FUNCTION sla.business_time(cal text, period tstzrange) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time_of_range';
COMMENT ON FUNCTION sla.business_time(text, tstzrange) IS
	'open time in a period';

CREATE FUNCTION sla.business_time(cal sla.schedule, period tstzrange) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time_of_range';
COMMENT ON FUNCTION sla.business_time(sla.schedule, tstzrange) IS
	'open time in a period';

CREATE FUNCTION sla.business_time(cal text, periods tstzmultirange) RETURNS interval
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_time_of_multirange';
COMMENT ON FUNCTION sla.business_time(text, tstzmultirange) IS
	'open time in periods';

CREATE FUNCTION sla.business_time(cal sla.schedule, periods tstzmultirange) RETURNS interval
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_time_of_multirange';
COMMENT ON FUNCTION sla.business_time(sla.schedule, tstzmultirange) IS
	'open time in periods';

CREATE FUNCTION sla.add_business_time(cal text, from_ts timestamptz, amount interval) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_time';
COMMENT ON FUNCTION sla.add_business_time(text, timestamptz, interval) IS
	'when so much business time is used up: days are business days, then hours are open hours; infinity when there is not so much';

CREATE FUNCTION sla.add_business_time(cal sla.schedule, from_ts timestamptz, amount interval) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_time';
COMMENT ON FUNCTION sla.add_business_time(sla.schedule, timestamptz, interval) IS
	'when so much business time is used up: days are business days, then hours are open hours; infinity when there is not so much';

CREATE FUNCTION sla.next_open(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_next_open';
COMMENT ON FUNCTION sla.next_open(text, timestamptz) IS
	'first opening after an instant; NULL when there is none';

CREATE FUNCTION sla.next_open(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_next_open';
COMMENT ON FUNCTION sla.next_open(sla.schedule, timestamptz) IS
	'first opening after an instant; NULL when there is none';

CREATE FUNCTION sla.next_close(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_next_close';
COMMENT ON FUNCTION sla.next_close(text, timestamptz) IS
	'first closing after an instant; NULL when there is none';

CREATE FUNCTION sla.next_close(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_next_close';
COMMENT ON FUNCTION sla.next_close(sla.schedule, timestamptz) IS
	'first closing after an instant; NULL when there is none';

CREATE FUNCTION sla.previous_open(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_previous_open';
COMMENT ON FUNCTION sla.previous_open(text, timestamptz) IS
	'last opening before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_open(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_previous_open';
COMMENT ON FUNCTION sla.previous_open(sla.schedule, timestamptz) IS
	'last opening before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_close(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_previous_close';
COMMENT ON FUNCTION sla.previous_close(text, timestamptz) IS
	'last closing before an instant; NULL when there is none';

CREATE FUNCTION sla.previous_close(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_previous_close';
COMMENT ON FUNCTION sla.previous_close(sla.schedule, timestamptz) IS
	'last closing before an instant; NULL when there is none';

CREATE FUNCTION sla.roll_forward(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_roll_forward';
COMMENT ON FUNCTION sla.roll_forward(text, timestamptz) IS
	'the instant itself if open, else the next opening; NULL when there is none';

CREATE FUNCTION sla.roll_forward(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_roll_forward';
COMMENT ON FUNCTION sla.roll_forward(sla.schedule, timestamptz) IS
	'the instant itself if open, else the next opening; NULL when there is none';

CREATE FUNCTION sla.roll_backward(cal text, at timestamptz) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_roll_backward';
COMMENT ON FUNCTION sla.roll_backward(text, timestamptz) IS
	'the instant itself if open, else the last closing; NULL when there is none';

CREATE FUNCTION sla.roll_backward(cal sla.schedule, at timestamptz) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_roll_backward';
COMMENT ON FUNCTION sla.roll_backward(sla.schedule, timestamptz) IS
	'the instant itself if open, else the last closing; NULL when there is none';

CREATE FUNCTION sla.open_hours(cal text, period tstzrange) RETURNS tstzmultirange
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'sla_calendar_open_hours';
COMMENT ON FUNCTION sla.open_hours(text, tstzrange) IS
	'when it is open in a period';

CREATE FUNCTION sla.open_hours(cal sla.schedule, period tstzrange) RETURNS tstzmultirange
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'sla_schedule_open_hours';
COMMENT ON FUNCTION sla.open_hours(sla.schedule, tstzrange) IS
	'when it is open in a period';

CREATE FUNCTION sla.is_business_day(cal text, day date) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_is_business_day';
COMMENT ON FUNCTION sla.is_business_day(text, date) IS
	'is it open at any time of that local date? NULL for an infinite one';

CREATE FUNCTION sla.is_business_day(cal sla.schedule, day date) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_is_business_day';
COMMENT ON FUNCTION sla.is_business_day(sla.schedule, date) IS
	'is it open at any time of that local date? NULL for an infinite one';

CREATE FUNCTION sla.local_date(cal text, at timestamptz) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_local_date';
COMMENT ON FUNCTION sla.local_date(text, timestamptz) IS
	'the local date of an instant; NULL for an infinite one';

CREATE FUNCTION sla.local_date(cal sla.schedule, at timestamptz) RETURNS date
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_local_date';
COMMENT ON FUNCTION sla.local_date(sla.schedule, timestamptz) IS
	'the local date of an instant; NULL for an infinite one';

CREATE FUNCTION sla.local_time(cal text, at timestamptz) RETURNS timestamp
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_local_time';
COMMENT ON FUNCTION sla.local_time(text, timestamptz) IS
	'what the wall clock shows at an instant; NULL for an infinite one';

CREATE FUNCTION sla.local_time(cal sla.schedule, at timestamptz) RETURNS timestamp
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_local_time';
COMMENT ON FUNCTION sla.local_time(sla.schedule, timestamptz) IS
	'what the wall clock shows at an instant; NULL for an infinite one';

CREATE FUNCTION sla.business_days(cal text, from_day date, to_day date) RETURNS bigint
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_business_days';
COMMENT ON FUNCTION sla.business_days(text, date, date) IS
	'business days from one date to before another; negative when to_day is earlier';

CREATE FUNCTION sla.business_days(cal sla.schedule, from_day date, to_day date) RETURNS bigint
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_business_days';
COMMENT ON FUNCTION sla.business_days(sla.schedule, date, date) IS
	'business days from one date to before another; negative when to_day is earlier';

CREATE FUNCTION sla.add_business_days(cal text, day date, days integer) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_days_to_date';
COMMENT ON FUNCTION sla.add_business_days(text, date, integer) IS
	'the nth business day after a date, or before it; infinity when there are not so many';

CREATE FUNCTION sla.add_business_days(cal sla.schedule, day date, days integer) RETURNS date
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_days_to_date';
COMMENT ON FUNCTION sla.add_business_days(sla.schedule, date, integer) IS
	'the nth business day after a date, or before it; infinity when there are not so many';

CREATE FUNCTION sla.add_business_days(cal text, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_calendar_add_business_days_to_instant';
COMMENT ON FUNCTION sla.add_business_days(text, timestamptz, integer) IS
	'the same for the local date of an instant, the wall clock kept';

CREATE FUNCTION sla.add_business_days(cal sla.schedule, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 3
	AS 'MODULE_PATHNAME', 'sla_schedule_add_business_days_to_instant';
COMMENT ON FUNCTION sla.add_business_days(sla.schedule, timestamptz, integer) IS
	'the same for the local date of an instant, the wall clock kept';

CREATE FUNCTION sla.end_of_business_day(cal text, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'sla_calendar_end_of_business_day';
COMMENT ON FUNCTION sla.end_of_business_day(text, timestamptz, integer) IS
	'close of business so many business days later: 0 is the same day, or the next one that opens';

CREATE FUNCTION sla.end_of_business_day(cal sla.schedule, from_ts timestamptz, days integer) RETURNS timestamptz
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'sla_schedule_end_of_business_day';
COMMENT ON FUNCTION sla.end_of_business_day(sla.schedule, timestamptz, integer) IS
	'close of business so many business days later: 0 is the same day, or the next one that opens';
