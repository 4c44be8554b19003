-- Two calls tie the clocks to the ticket table.

\echo
\echo == Tracking ==
\echo

SELECT FROM sla.track('boston', 'service_request', 'case_id', department => 'department',
	created_at => 'opened_at') \g /dev/null
-- 84 cases were published as closed some seconds before they were opened: they count as closed when they were opened.
SELECT FROM sla.track_event('boston', 'service_request', 'resolved', $$status = 'Closed'$$,
	at => 'closed_at') \g /dev/null

\d service_request
