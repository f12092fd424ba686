-- link: one compared pair that was accepted or is in doubt, as the graph has it.
CREATE OR REPLACE TABLE link AS
SELECT
    $record_type AS entity_type,
    judged.record_a,
    judged.record_b,
    match_weight,
    match_probability,
    tier,
    coalesce(forbidden_by, CASE WHEN rival.verdict = 'better' THEN 'better_candidate' END) AS veto,
    CASE
        WHEN forbidden_by IS NOT NULL OR rival.verdict = 'better' THEN 'vetoed'
        WHEN rival.verdict = 'equal' THEN 'ambiguous'
        WHEN strength IS NOT NULL THEN 'accepted'
        ELSE 'possible'
    END AS status,
    {comparisons} AS comparisons
FROM judged
LEFT JOIN rival ON rival.record_a = judged.record_a AND rival.record_b = judged.record_b
