-- One pair of positions that a veto forbids, and whether a person's judgement does.
SELECT one.rowid AS a, other.rowid AS b, hard
FROM (
    SELECT record_a, record_b, coalesce(veto = 'judgement', false) AS hard
    FROM link ANTI JOIN judged USING (record_a, record_b)
    WHERE status = 'vetoed'
    UNION ALL
    SELECT record_a, record_b, true FROM judged WHERE verdict = 'different'
)
JOIN node AS one ON one.record_id = record_a
JOIN node AS other ON other.record_id = record_b
