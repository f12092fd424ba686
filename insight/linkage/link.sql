-- link: one compared pair that was accepted or is in doubt, as the graph has it, or one that must stay apart though
-- accepted links join it.
CREATE OR REPLACE TABLE link AS
SELECT
    $record_type AS entity_type,
    verdict.record_a,
    verdict.record_b,
    match_weight,
    match_probability,
    tier,
    decided.veto,
    decided.status,
    {comparisons} AS comparisons
FROM verdict
JOIN decided ON decided.record_a = verdict.record_a AND decided.record_b = verdict.record_b
UNION ALL
SELECT $record_type, record_a, record_b, NULL, NULL, NULL, veto, 'vetoed', '{{}}' FROM apart
