-- decided: of one compared pair, what became of it, now that it has been asked whether another candidate is better.
CREATE OR REPLACE TABLE decided AS
SELECT
    pairing.*,
    coalesce(forbidden_by, CASE WHEN rival.is_better THEN 'better_candidate' END) AS veto,
    CASE
        WHEN forbidden_by IS NOT NULL OR rival.is_better THEN 'vetoed'
        WHEN NOT rival.is_better THEN 'ambiguous'
        WHEN strength IS NOT NULL THEN 'accepted'
        ELSE 'possible'
    END AS status
FROM pairing
LEFT JOIN rival ON rival.record_a = pairing.record_a AND rival.record_b = pairing.record_b
