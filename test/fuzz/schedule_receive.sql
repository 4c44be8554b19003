-- libfuzzer: -max_len=1024
-- The binary receive function of sla.schedule: any client can send it anything.
--
-- What is accepted must be read again from its binary and from its text form as the same, and answer
-- questions as the laws say.

CREATE FUNCTION fuzz.schedule_receive(message bytea) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	t CONSTANT timestamptz := '2026-03-27 15:00+00';
	s sla.schedule := fuzz.receive(NULL::sla.schedule, message);
	opened timestamptz := sla.next_open(s, t);
	deadline timestamptz;
BEGIN
	IF fuzz.receive(s, sla.schedule_send(s)) <> s OR s::text::sla.schedule <> s THEN
		RAISE 'not read again as the same: %', s USING ERRCODE = 'internal_error';
	END IF;

	deadline := sla.add_business_time(s, t, '40 hours 20 minutes');
	IF deadline < 'infinity' AND sla.business_time(s, t, deadline) <> '40 hours 20 minutes'
		OR sla.business_time(s, t, t + '1 day') + sla.business_time(s, t + '1 day', t + '5 days')
			<> sla.business_time(s, t, t + '5 days')
		OR opened <= t OR NOT sla.is_open(s, opened)
		OR sla.roll_forward(s, t) IS DISTINCT FROM (CASE WHEN sla.is_open(s, t) THEN t ELSE opened END)
	THEN
		RAISE 'a law does not hold: %', s USING ERRCODE = 'internal_error';
	END IF;

	-- The text that says why may not break either, and its open stretches add up.
	IF length(s::text) < 500 AND
		(SELECT coalesce(sum(e.counted), '0') FROM sla.explain_business_time(s, t, t + '8 days') AS e)
			<> sla.business_time(s, t, t + '8 days')
	THEN
		RAISE 'the stretches do not add up: %', s USING ERRCODE = 'internal_error';
	END IF;
	RETURN true;
END
$$;
