-- edge: one merge of a source's own or one accepted link, by positions. Strength: 0 alias, 1 strong key,
-- 2 model, 3 model with public values.
CREATE OR REPLACE TABLE edge AS
WITH every AS (
    SELECT
        least(from_record, to_record) AS record_a,
        greatest(from_record, to_record) AS record_b,
        0 AS strength,
        0.0 AS weight,
        1.0 AS match_probability,
        'alias' AS reason
    FROM alias
    UNION ALL
    SELECT
        record_a,
        record_b,
        footing.strength,
        coalesce(match_weight, 0),
        match_probability,
        CASE WHEN tier IS NULL THEN 'model' ELSE 'tier:' || tier END
    FROM link JOIN footing USING (record_a, record_b)
    WHERE status = 'accepted'
)
SELECT
    row_number() OVER (ORDER BY record_a, record_b, strength) - 1 AS position,
    every.*,
    one.position AS a,
    other.position AS b
FROM every
JOIN node AS one ON one.record_id = record_a
JOIN node AS other ON other.record_id = record_b
