-- one row is one stop that lasted into the period
SELECT scope, name, stopped_at, started_at, person, proven, looked_at, stood_still_after FROM stop
WHERE stopped_at < $until AND coalesce(started_at, $until) > $since
ORDER BY stopped_at, number
