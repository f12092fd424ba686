-- edge: one judgement that two records are the same, one merge of a source's own, or one accepted link, by positions.
-- Strength: 0 judgement or alias, 1 strong key, 2 model, 3 model with public values.
CREATE OR REPLACE TABLE edge AS
WITH every AS (
    SELECT record_a, record_b, 0 AS strength, 0.0 AS weight, 1.0 AS match_probability, 'judgement' AS reason
    FROM judged WHERE verdict = 'same'
    UNION ALL
    SELECT least(from_record, to_record), greatest(from_record, to_record), 0, 0.0, 1.0, 'alias'
    FROM (SELECT DISTINCT least(from_record, to_record) AS from_record, greatest(from_record, to_record) AS to_record FROM alias)
    UNION ALL
    SELECT
        record_a,
        record_b,
        strength,
        coalesce(match_weight, 0),
        match_probability,
        CASE WHEN tier IS NULL THEN 'model' WHEN tier = 'judgement' THEN tier ELSE 'tier:' || tier END
    FROM link ANTI JOIN judged USING (record_a, record_b)
    WHERE status = 'accepted'
)
SELECT every.* EXCLUDE (record_a, record_b), one.rowid AS a, other.rowid AS b
FROM every
JOIN node AS one ON one.record_id = record_a
JOIN node AS other ON other.record_id = record_b
