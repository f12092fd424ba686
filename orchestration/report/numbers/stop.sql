-- one row is one stop that lasted into the period
SELECT agent, stopped_at, started_at, person FROM stop
WHERE stopped_at < $until AND coalesce(started_at, $until) > $since
ORDER BY stopped_at, agent
