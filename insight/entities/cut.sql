-- cut: one accepted link that does not hold. Where a veto undid it, a record stood between two others: it is in doubt
-- where it belongs only if what it was left with is no better, by kind and by weight, than what it lost. A link that
-- rests on public values is in nobody's way, whatever undid it.
CREATE OR REPLACE TABLE cut AS
WITH undone AS (
    SELECT
        least(a, b) AS a,
        greatest(a, b) AS b,
        min(strength) AS strength,
        arg_min(weight, strength) AS weight,
        arg_min(fate, strength) AS fate
    FROM edge POSITIONAL JOIN fate
    WHERE fate <> 0
    GROUP BY ALL
),
best AS (
    SELECT position, arg_min({'strength': strength, 'weight': match_weight}, (strength, -match_weight)) AS held
    FROM (SELECT unnest([a, b]) AS position, strength, match_weight FROM kept)
    SEMI JOIN (SELECT unnest([a, b]) AS position FROM undone) USING (position)
    GROUP BY position
),
weighed AS (
    SELECT
        undone.*,
        coalesce(low.held.strength < strength OR low.held.weight >= weight + $margin, false)
        OR coalesce(high.held.strength < strength OR high.held.weight >= weight + $margin, false) AS outweighed
    FROM undone
    LEFT JOIN best AS low ON low.position = a
    LEFT JOIN best AS high ON high.position = b
)
SELECT
    one.record_id AS record_a,
    other.record_id AS record_b,
    CASE CASE WHEN strength = 3 THEN 3 ELSE fate END
        WHEN 1 THEN CASE WHEN outweighed THEN 'outweighed' ELSE 'rival' END
        WHEN 2 THEN 'size'
        WHEN 4 THEN 'same_system_twice'
        WHEN 5 THEN 'weak_bridge'
        ELSE 'public'
    END AS cause
FROM weighed
JOIN node AS one ON one.rowid = a
JOIN node AS other ON other.rowid = b
