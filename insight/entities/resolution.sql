-- resolution: one entity and what was found of it in one system that has records of its type.
WITH present AS (SELECT DISTINCT entity_id, system FROM member),
open AS (                -- a candidate in that system is left undecided
    SELECT entity_a AS entity_id, other.system FROM review_pair JOIN member AS other ON other.record_id = record_b
    UNION
    SELECT entity_b, other.system FROM review_pair JOIN member AS other ON other.record_id = record_a
)
SELECT
    every.entity_id,
    every.system,
    CASE
        WHEN present.system IS NOT NULL THEN 'linked' WHEN open.system IS NOT NULL THEN 'open' ELSE 'absent'
    END AS state
FROM (
    SELECT * FROM (SELECT DISTINCT entity_id FROM member) CROSS JOIN (SELECT DISTINCT system FROM member)
) AS every
LEFT JOIN present USING (entity_id, system)
LEFT JOIN open USING (entity_id, system)
