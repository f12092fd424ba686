-- one row is one day of the zone on which anything was decided or meant
SELECT CAST(timezone($zone, moment) AS DATE) AS day, count(*) FILTER (what = 'allow') AS allowed,
    count(*) FILTER (what = 'review') AS reviewed, count(*) FILTER (what = 'deny') AS denied,
    count(*) FILTER (what = 'effect') AS effects
FROM (
    SELECT decided_at AS moment, verdict AS what FROM decided
    UNION ALL
    SELECT intended_at, 'effect' FROM outcome WHERE intended_at >= $since AND intended_at < $until
)
GROUP BY ALL
ORDER BY ALL
