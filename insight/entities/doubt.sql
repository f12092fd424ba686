-- doubt: one pair of records in different entities that a person could settle. A pair whose evidence only `public` or
-- `precede` asserts is none: it stays in `link` for who wants to look, and takes nobody's standing away. Nor is one that
-- may join two entities of which a person said `different` of another pair; one that was parted from its own stays.
CREATE OR REPLACE TABLE doubt AS
WITH parted AS (
    SELECT DISTINCT least(a.entity_id, b.entity_id) AS low, greatest(a.entity_id, b.entity_id) AS high
    FROM judged JOIN member AS a ON a.record_id = record_a JOIN member AS b ON b.record_id = record_b
    WHERE verdict = 'different'
),
every AS (
    SELECT
        record_a, record_b, a.entity_id AS entity_a, b.entity_id AS entity_b, match_weight, match_probability,
        CASE cut.cause
            WHEN 'size' THEN 'unbelievable_cluster' WHEN 'rival' THEN 'ambiguous' ELSE coalesce(cut.cause, status)
        END AS reason
    FROM link
    ANTI JOIN judged USING (record_a, record_b)
    JOIN member AS a ON a.record_id = record_a
    JOIN member AS b ON b.record_id = record_b
    LEFT JOIN cut USING (record_a, record_b)
    WHERE a.entity_id <> b.entity_id
      AND firm
      AND (status IN ('possible', 'ambiguous') OR cut.cause IN ('size', 'rival', 'same_system_twice', 'weak_bridge'))
)
SELECT every.* FROM every
ANTI JOIN parted ON reason = 'possible' AND low = least(entity_a, entity_b) AND high = greatest(entity_a, entity_b)
