-- An ordinary ticket table, which knows nothing of service levels, and the published data beside it, which
-- comes in on standard input.

\echo
\echo == The tickets ==
\echo

CREATE TABLE service_request (
	case_id bigint PRIMARY KEY,
	opened_at timestamptz NOT NULL,
	closed_at timestamptz,
	status text NOT NULL,
	subject text,
	reason text,
	type text NOT NULL,
	department text,
	queue text,
	source text,
	neighborhood text
);

-- What was published, as it is. Times are Boston's wall clock.
CREATE TABLE published (
	case_id bigint PRIMARY KEY,
	opened_at timestamp NOT NULL,
	target_at timestamp,
	closed_at timestamp,
	on_time text,
	status text NOT NULL,
	subject text,
	reason text,
	type text NOT NULL,
	department text,
	queue text,
	source text,
	neighborhood text
);
\copy published FROM pstdin WITH (FORMAT csv, HEADER)

CREATE TABLE policy (
	type text NOT NULL,
	unit text NOT NULL CHECK (unit IN ('business_days', 'calendar_days', 'none')),
	n integer,
	valid_from timestamp,
	valid_to timestamp,
	rows_with_target integer,
	rows_matched_60s integer
);
\copy policy FROM 'demo/data/policies.csv' WITH (FORMAT csv, HEADER)

CREATE TABLE closed_day (day date PRIMARY KEY, name text NOT NULL);
\copy closed_day FROM 'demo/data/holidays.csv' WITH (FORMAT csv, HEADER)

CREATE TABLE city_report (
	type text NOT NULL,
	month text NOT NULL,
	total integer NOT NULL,
	no_target integer NOT NULL,
	met integer NOT NULL,
	missed integer NOT NULL,
	open_overdue integer NOT NULL,
	open_in_time integer NOT NULL,
	closed_unflagged integer NOT NULL,
	open_unflagged integer NOT NULL,
	PRIMARY KEY (type, month)
);
\copy city_report FROM 'demo/data/boston311_2015h1_report.csv' WITH (FORMAT csv, HEADER)

SELECT count(*) AS cases, count(DISTINCT type) AS types, count(DISTINCT department) AS departments,
	min(opened_at) AS first_opened, max(opened_at) AS last_opened, max(closed_at) AS last_closed
FROM published;
