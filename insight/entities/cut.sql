-- cut: one accepted link that does not hold. Where a veto undid it, a record stood between two others: it is in doubt
-- where it belongs only if what it was left with is no better, by kind and by weight, than what it lost. A link that
-- rests on public values is in nobody's way, whatever undid it.
CREATE OR REPLACE TABLE cut AS
WITH best AS (
    SELECT record_id, arg_min({'strength': strength, 'weight': match_weight}, (strength, -match_weight)) AS held
    FROM (SELECT unnest([record_a, record_b]) AS record_id, strength, match_weight FROM kept)
    GROUP BY record_id
)
SELECT
    record_a,
    record_b,
    CASE CASE WHEN strength = 3 THEN 3 ELSE fate END
        WHEN 1 THEN CASE WHEN bool_or(held.strength < strength OR held.weight >= weight + $margin) THEN 'outweighed' ELSE 'rival' END
        WHEN 2 THEN 'size'
        ELSE 'public'
    END AS cause
FROM edge
JOIN fate USING (position)
LEFT JOIN best ON record_id IN (record_a, record_b)
WHERE fate <> 0
GROUP BY record_a, record_b, fate, strength
