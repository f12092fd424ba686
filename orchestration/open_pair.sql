-- open_pair: two entities that may be one, by the likeliest pair of their records, what waits for a decision first, then
-- whatever most records and facts wait for, then the least certain. What was skipped comes last.
WITH waiting AS (SELECT unnest($entities) AS entity_id, unnest($actions) AS action),
said AS (SELECT unnest($said_a) AS record_a, unnest($said_b) AS record_b, unnest($verdicts) AS verdict),
doubt AS (
    SELECT
        entity_type,
        least(entity_a, entity_b) AS one,
        greatest(entity_a, entity_b) AS other,
        arg_min(
            {
                'record_a': record_a, 'record_b': record_b, 'entity_a': entity_a, 'entity_b': entity_b,
                'match_probability': match_probability, 'reason': reason
            },
            (-coalesce(match_probability, 0), record_a, record_b)
        ) AS best,
        count(*) AS doubts,
        max(settles) AS settles,
        list_sort(list_distinct(flatten(list(could_change)))) AS could_change,
        coalesce(bool_or(verdict IN ('same', 'different')), false) AS judged,
        coalesce(bool_or(verdict = 'skip'), false) AS skipped
    FROM review_pair
    LEFT JOIN said USING (record_a, record_b)
    WHERE $entity IS NULL OR $entity IN (entity_a, entity_b)
    GROUP BY ALL
),
awaited AS (
    SELECT one, other, list(DISTINCT action ORDER BY action) AS waiting
    FROM doubt JOIN waiting ON waiting.entity_id IN (one, other)
    GROUP BY ALL
)
SELECT
    doubt.entity_type,
    best.record_a,
    best.record_b,
    best.entity_a,
    best.entity_b,
    a.name AS name_a,
    b.name AS name_b,
    best.match_probability,
    best.reason,
    could_change,
    doubts,
    settles,
    coalesce(waiting, []) AS waiting,
    skipped
FROM doubt
JOIN entity AS a ON a.entity_id = best.entity_a
JOIN entity AS b ON b.entity_id = best.entity_b
LEFT JOIN awaited USING (one, other)
WHERE NOT judged AND ($entity_type IS NULL OR doubt.entity_type = $entity_type)
ORDER BY
    skipped,
    len(coalesce(waiting, [])) DESC,
    coalesce(settles, a.record_count + b.record_count) DESC,
    abs(coalesce(best.match_probability, 0.5) - 0.5),
    best.record_a,
    best.record_b
LIMIT $most
