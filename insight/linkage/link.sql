-- link: one compared pair that was accepted or is in doubt, as the graph has it.
CREATE OR REPLACE TABLE link AS
SELECT
    $record_type AS entity_type,
    verdict.record_a,
    verdict.record_b,
    match_weight,
    match_probability,
    tier,
    coalesce(forbidden_by, CASE WHEN rival.is_better THEN 'better_candidate' END) AS veto,
    CASE
        WHEN forbidden_by IS NOT NULL OR rival.is_better THEN 'vetoed'
        WHEN NOT rival.is_better THEN 'ambiguous'
        WHEN strength IS NOT NULL THEN 'accepted'
        ELSE 'possible'
    END AS status,
    {comparisons} AS comparisons
FROM verdict
LEFT JOIN rival ON rival.record_a = verdict.record_a AND rival.record_b = verdict.record_b
