-- crosswalk: one record and its entity, with the best of the links that hold it there.
WITH held AS (
    SELECT unnest([a, b]) AS position, strength, match_weight, match_probability, reason FROM kept
),
best AS (
    SELECT
        position,
        arg_min({'p': match_probability, 'reason': reason}, (strength, -coalesce(match_weight, 0), reason)) AS link
    FROM held
    GROUP BY position
)
SELECT
    clustered.record_id,
    crosswalk_id.entity_id,
    $record_type AS entity_type,
    link.p AS probability,
    coalesce(link.reason, 'single') AS reason
FROM clustered
JOIN crosswalk_id USING (cluster)
LEFT JOIN best USING (position)
