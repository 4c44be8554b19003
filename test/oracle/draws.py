"""Very many draws (schedule, zone, instant, duration), answered by SQL from the open sets.

The open set of each schedule, which the definition gave once, is a table of stretches with the open time
before each. Every draw is answered from it by a few look-ups in an index, all draws of a round in one
statement, and compared with the extension one function after the other. An answer that lies beyond the
dates that were worked out is not asked for.

Instants are microseconds since 2000-01-01 UTC here, so that nothing is rounded.
"""

SETUP = """
CREATE FUNCTION at(us bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS $$
	SELECT timestamptz '2000-01-01 00:00+00' + make_interval(days => (us / 86400000000)::int)
		+ (us % 86400000000) * interval '1 microsecond'
$$;
CREATE FUNCTION us(at timestamptz) RETURNS bigint IMMUTABLE LANGUAGE sql AS $$
	SELECT (extract(epoch FROM at) * 1000000)::bigint - 946684800000000
$$;
CREATE FUNCTION hours(us bigint) RETURNS interval IMMUTABLE LANGUAGE sql AS $$
	SELECT make_interval(hours => (us / 3600000000)::int) + (us % 3600000000) * interval '1 microsecond'
$$;

-- What was worked out of each schedule: instants in [first, last), business days in [first_day, last_day].
CREATE TABLE horizon (number int PRIMARY KEY, zone text, first bigint, last bigint, first_day int, last_day int,
	complete boolean, whole_days boolean, plain boolean, stretches int, changes int);
CREATE TABLE change (number int, place int, at bigint, PRIMARY KEY (number, place));
CREATE TABLE business_day (number int, place int, day int, last bigint);
CREATE TABLE stretch (number int, place int, opens bigint, closes bigint, before bigint);

-- An instant of the horizon, mostly one that matters.
CREATE FUNCTION pick(h horizon) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	kind float := random();
	chosen int;
	jitter int := floor(random() * 8);
	at bigint;
BEGIN
	IF kind < 0.4 AND h.stretches > 0 THEN
		chosen := 1 + floor(random() * h.stretches);
		SELECT CASE jitter & 1 WHEN 0 THEN opens ELSE closes END INTO at
			FROM stretch WHERE number = h.number AND place = chosen;
		jitter := floor(random() * 8);
	ELSIF kind < 0.55 AND h.changes > 1 THEN
		chosen := 2 + floor(random() * (h.changes - 1));
		SELECT c.at + (floor(random() * 3) - 1) * (floor(random() * 4) * 1800000000)::bigint INTO at
			FROM change AS c WHERE number = h.number AND place = chosen;
	ELSIF kind < 0.7 THEN
		chosen := h.first_day + floor(random() * (h.last_day - h.first_day + 1));
		at := us((date '2000-01-01' + chosen)::timestamp AT TIME ZONE h.zone);
	ELSE
		at := h.first + floor(random() * (h.last - h.first))::bigint;
		jitter := 0;
	END IF;
	at := at + CASE jitter WHEN 1 THEN 1 WHEN 2 THEN -1 WHEN 3 THEN 1000000 WHEN 4 THEN -1000000
		WHEN 5 THEN (floor(random() * 172800000000) - 86400000000)::bigint ELSE 0 END;
	RETURN least(greatest(at, h.first), h.last - 1);
END
$$;
"""

FROM_OPEN_SETS = """
INSERT INTO stretch
	SELECT number, row_number() OVER w, opens, closes, coalesce(sum(closes - opens) OVER before, 0)
	FROM (SELECT number, us(lower(s)) AS opens, us(upper(s)) AS closes
		  FROM open_set, unnest(stretches) AS s) AS listed
	WINDOW w AS (PARTITION BY number ORDER BY opens),
		before AS (w ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
CREATE UNIQUE INDEX ON stretch (number, place);
CREATE UNIQUE INDEX ON stretch (number, opens);
CREATE UNIQUE INDEX ON stretch (number, closes);
CREATE UNIQUE INDEX ON stretch (number, before);
CREATE UNIQUE INDEX ON business_day (number, place);
CREATE UNIQUE INDEX ON business_day (number, day);
UPDATE horizon AS h SET stretches = (SELECT count(*) FROM stretch AS s WHERE s.number = h.number),
	changes = (SELECT count(*) FROM change AS c WHERE c.number = h.number);
-- A day closes when the last of the windows that begin on it does, but not before its last open instant.
UPDATE business_day AS b SET last = greatest(b.last, w.closes)
	FROM (SELECT number, day, max(us(closes)) AS closes
		  FROM (SELECT number, day, (date '2000-01-01' + day + from_s * interval '1 second') AT TIME ZONE zone AS opens,
					   (date '2000-01-01' + day + to_s * interval '1 second') AT TIME ZONE zone AS closes
				FROM day_window JOIN case_zone USING (number)) AS placed
		  WHERE opens < closes GROUP BY number, day) AS w
	WHERE w.number = b.number AND w.day = b.day;
ANALYZE stretch; ANALYZE business_day; ANALYZE horizon; ANALYZE change;
"""

# t and u in any order; amount > 0, often such that it ends exactly at a closing or at u.
DRAW = """
SELECT setseed(%(seed)s);
CREATE TABLE draw AS
	SELECT row_number() OVER () AS id, number, pick(h) AS t_us, pick(h) AS u_us, random() AS kind,
		   (CASE floor(random() * 8)::int WHEN 0 THEN 0 WHEN 1 THEN 1 WHEN 2 THEN -1 WHEN 3 THEN 2 WHEN 4 THEN -3
			ELSE floor(random() * 60) - 30 END)::int AS n,
		   first_day + 2 + floor(random() * (last_day - first_day - 3))::int AS d_day,
		   first_day + 2 + floor(random() * (last_day - first_day - 3))::int AS e_day
	FROM horizon AS h, generate_series(1, %(count)d);
CREATE TABLE ranked AS
	SELECT draw.*, h.zone, h.first, h.last, h.first_day, h.last_day, h.complete, h.whole_days, h.plain,
		   coalesce(at_t.before + least(t_us, at_t.closes) - at_t.opens, 0) AS before_t,
		   coalesce(at_u.before + least(u_us, at_u.closes) - at_u.opens, 0) AS before_u,
		   coalesce(t_us < at_t.closes, false) AS is_open,
		   coalesce(end_of.before + end_of.closes - end_of.opens, 0) AS total
	FROM draw JOIN horizon AS h USING (number)
		LEFT JOIN LATERAL (SELECT * FROM stretch AS s WHERE s.number = draw.number AND opens <= t_us
						   ORDER BY opens DESC LIMIT 1) AS at_t ON true
		LEFT JOIN LATERAL (SELECT * FROM stretch AS s WHERE s.number = draw.number AND opens <= u_us
						   ORDER BY opens DESC LIMIT 1) AS at_u ON true
		LEFT JOIN stretch AS end_of ON end_of.number = draw.number AND end_of.place = h.stretches;
ALTER TABLE ranked ADD amount_us bigint;
UPDATE ranked SET amount_us = CASE
		WHEN kind < 0.3 AND before_u <> before_t THEN abs(before_u - before_t)
		WHEN kind < 0.4 THEN abs(before_u - before_t) + 1
		WHEN kind < 0.5 THEN 1
		WHEN kind < 0.6 THEN 3600000000 * (1 + floor(kind * 1000)::bigint %% 48)
		WHEN kind < 0.7 THEN 1000000 * (1 + floor(kind * 1000000000)::bigint %% 864000)
		ELSE 1 + floor((kind - 0.7) / 0.3 * 40 * 86400000000)::bigint END;

-- *_us: NULL when there is none or it is not known.
CREATE TABLE answered AS
	SELECT r.*, at(t_us) AS t, at(u_us) AS u, hours(amount_us) AS amount,
		   (date '2000-01-01' + d_day) AS d, (date '2000-01-01' + e_day) AS e,
		   next_open.at AS next_open_us, next_close.at AS next_close_us,
		   previous_open.at AS previous_open_us, previous_close.at AS previous_close_us,
		   CASE WHEN is_open THEN t_us ELSE next_open.at END AS forward_us,
		   CASE WHEN is_open THEN t_us ELSE last_close.at END AS backward_us,
		   sum.at AS sum_us, less.at AS less_us,
		   d_rank.n AS days_before_d, e_rank.n AS days_before_e, d_is.n > 0 AS d_is_one
	FROM ranked AS r
		LEFT JOIN LATERAL (SELECT opens AS at FROM stretch AS s WHERE s.number = r.number AND opens > t_us
						   ORDER BY opens LIMIT 1) AS next_open ON true
		LEFT JOIN LATERAL (SELECT closes AS at FROM stretch AS s WHERE s.number = r.number AND closes > t_us
						   ORDER BY closes LIMIT 1) AS next_close ON true
		LEFT JOIN LATERAL (SELECT opens AS at FROM stretch AS s WHERE s.number = r.number AND opens < t_us
						   ORDER BY opens DESC LIMIT 1) AS previous_open ON true
		LEFT JOIN LATERAL (SELECT closes AS at FROM stretch AS s WHERE s.number = r.number AND closes < t_us
						   ORDER BY closes DESC LIMIT 1) AS previous_close ON true
		LEFT JOIN LATERAL (SELECT closes AS at FROM stretch AS s WHERE s.number = r.number AND closes <= t_us
						   ORDER BY closes DESC LIMIT 1) AS last_close ON true
		LEFT JOIN LATERAL (SELECT opens + before_t + amount_us - before AS at FROM stretch AS s
						   WHERE s.number = r.number AND before < before_t + amount_us
						   AND before_t + amount_us <= total
						   ORDER BY before DESC LIMIT 1) AS sum ON true
		LEFT JOIN LATERAL (SELECT opens + before_t - amount_us - before AS at FROM stretch AS s
						   WHERE s.number = r.number AND before <= before_t - amount_us AND before_t >= amount_us
						   ORDER BY before DESC LIMIT 1) AS less ON true
		LEFT JOIN LATERAL (SELECT place AS n FROM business_day AS b WHERE b.number = r.number AND day < d_day
						   ORDER BY day DESC LIMIT 1) AS d_rank ON true
		LEFT JOIN LATERAL (SELECT place AS n FROM business_day AS b WHERE b.number = r.number AND day < e_day
						   ORDER BY day DESC LIMIT 1) AS e_rank ON true
		LEFT JOIN LATERAL (SELECT count(*) AS n FROM business_day AS b WHERE b.number = r.number AND day = d_day)
			AS d_is ON true;

-- The nth business day after d, and the end of the nth after the day of t.
ALTER TABLE answered ADD nth_day int, ADD roll_day int, ADD end_us bigint, ADD end_day int;
UPDATE answered AS a SET
	nth_day = CASE WHEN n = 0 THEN d_day
		ELSE (SELECT day FROM business_day AS b WHERE b.number = a.number AND place = coalesce(days_before_d, 0) +
			  CASE WHEN n < 0 THEN n + 1 WHEN d_is_one THEN n + 1 ELSE n END) END,
	roll_day = CASE
		WHEN n >= 0 THEN (at(forward_us) AT TIME ZONE zone)::date
		WHEN is_open THEN (at(t_us) AT TIME ZONE zone)::date
		ELSE (at(backward_us - 1) AT TIME ZONE zone)::date END - date '2000-01-01';
UPDATE answered AS a SET (end_us, end_day) =
	(SELECT b.last, b.day FROM business_day AS b, business_day AS start
	 WHERE start.number = a.number AND start.day = roll_day AND b.number = a.number AND b.place = start.place + n);
ANALYZE answered;
INSERT INTO chance
	SELECT number, least(t, u), least(t, u) + (greatest(t, u) - least(t, u)) * kind, greatest(t, u), amount,
		   hours(1 + amount_us * (id %% 3)) FROM answered;
"""


def instant(us):
    """The check of an answer in microseconds: the value, and whether it is known."""
    return "at(%s)" % us, "CASE WHEN %s IS NULL THEN complete ELSE %s >= first AND %s < last END" % (us, us, us)


def reached(us, never):
    value, known = instant(us)
    return "coalesce(%s, '%s')" % (value, never), known


# Kind of question (of those that business_time can ask), the answer, and whether it is known.
CHECKS = [
    ("is_open", "is_open", "true"),
    ("business_time", "hours(before_u - before_t)", "true"),
    ("business_time_range", "hours(before_u - before_t)", "t_us < u_us"),
    ("add_business_time",) + reached("sum_us", "infinity"),
    ("subtract_business_time",) + reached("less_us", "-infinity"),
    ("overdue", "CASE WHEN sum_us IS NULL THEN false ELSE sum_us < u_us END",
     "CASE WHEN sum_us IS NULL THEN complete ELSE sum_us < last END"),
    ("next_open",) + instant("next_open_us"),
    ("next_close",) + instant("next_close_us"),
    ("previous_open",) + instant("previous_open_us"),
    ("previous_close",) + instant("previous_close_us"),
    ("roll_forward",) + instant("forward_us"),
    ("roll_backward",) + instant("backward_us"),
    ("open_hours", "(SELECT stretches * tstzmultirange(tstzrange(t, u)) FROM open_set AS o WHERE o.number = x.number"
     " UNION ALL SELECT '{}' LIMIT 1)", "t_us < u_us AND u_us - t_us < 2000000000000"),
    ("explained_hours", "hours(before_u - before_t)", "t_us < u_us AND u_us - t_us < 2000000000000 AND mod(id, 8) = 0"),
    ("explained_stretches", "(SELECT stretches * tstzmultirange(tstzrange(t, u)) FROM open_set AS o"
     " WHERE o.number = x.number UNION ALL SELECT '{}' LIMIT 1)",
     "t_us < u_us AND u_us - t_us < 2000000000000 AND mod(id, 8) = 1"),
    ("is_business_day", "d_is_one", "whole_days"),
    ("business_days", "coalesce(days_before_e, 0) - coalesce(days_before_d, 0)", "whole_days"),
    ("add_business_days_date", "coalesce(date '2000-01-01' + nth_day, CASE WHEN n > 0 THEN date 'infinity' ELSE '-infinity' END)",
     "whole_days AND CASE WHEN nth_day IS NULL THEN complete ELSE nth_day BETWEEN first_day + 2 AND last_day - 2 END"),
    ("end_of_business_day", "at(end_us)", "whole_days AND plain AND end_day BETWEEN first_day + 2 AND last_day - 2"
     " AND end_us >= first AND end_us < last"),
]


def prepare(database, cases, seed, count):
    """Draw, and work out all answers."""
    database.run(SETUP)
    database.copy("horizon", [
        (c.number, c.zone_name, c.start, c.end, c.first_day, c.last_day,
         "t" if c.complete and not c.always else "f", "f" if c.always else "t",
         "t" if hasattr(c.schedule, "windows") else "f", 0, 0) for c in cases])
    database.copy("change", ((c.number, i, at) for c in cases for i, at in enumerate(c.zone.starts, 1)))
    database.copy("business_day", ((c.number, i, day, last) for c in cases
                                   for i, (day, last) in enumerate(last_open_of_days(c), 1)))
    database.run(FROM_OPEN_SETS)
    database.run(DRAW % {"seed": (seed % 1000003) / 1000003.0, "count": count})


def last_open_of_days(case):
    """Each business day and the last instant to which it is open."""
    days = {}
    for opened, closed in zip(case.opens, case.closes):
        for i, start in enumerate(case.zone.starts):
            end = case.zone.starts[i + 1] if i + 1 < len(case.zone.starts) else closed
            low, high = max(opened, start), min(closed, end)
            if low >= high:
                continue
            east, length = case.zone.offsets[i], 86400 * 10 ** 6
            for day in range((low + east) // length, (high - 1 + east) // length + 1):
                last = min(high, (day + 1) * length - east)
                days[day] = max(days.get(day, last), last)
    return sorted(days.items())
