-- one row is one incident that was found in the period, the latest first; as many as are asked for
SELECT record_id, how, action, agent, found_at, count(*) OVER () AS every FROM incident
WHERE found_at >= $since AND found_at < $until
QUALIFY row_number() OVER (ORDER BY found_at DESC, record_id, how) <= $most
ORDER BY found_at DESC, record_id, how
