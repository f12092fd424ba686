-- review_pair: one doubt, what a person's word on it would settle, and what could change if the two entities were one.
-- It settles every doubt between the same two entities, and each of them that lacks standing and has no other doubt.
CREATE OR REPLACE TABLE review_pair AS
WITH side AS (SELECT entity_id, count(*) AS doubts FROM (SELECT unnest([entity_a, entity_b]) AS entity_id FROM doubt) GROUP BY ALL),
held AS (SELECT entity_id, count(*) AS records FROM member GROUP BY ALL),
either AS (              -- of two entities, the fields that would not be as they are, for one of them or both
    SELECT
        low,
        high,
        between_them.doubts,
        a.records + b.records AS records,
        between_them.doubts
        + (len(one.reasons) > 0 AND side_a.doubts = between_them.doubts)::INTEGER
        + (len(other.reasons) > 0 AND side_b.doubts = between_them.doubts)::INTEGER AS settles,
        list_sort(list_distinct(list_concat(
            changed,
            coalesce(disputed_a.fields, []),
            coalesce(disputed_b.fields, []),
            CASE WHEN one.states <> merged OR other.states <> merged THEN ['resolution'] ELSE [] END,
            {combined}
        ))) AS could_change
    FROM (
        SELECT between_them.*, list_transform(list_zip(one.states, other.states), lambda state: CASE
            WHEN list_contains([state[1], state[2]], 'linked') THEN 'linked'
            WHEN list_contains([state[1], state[2]], 'open') THEN 'open' ELSE 'absent'
        END) AS merged
        FROM between_them
        JOIN standing AS one ON one.entity_id = low
        JOIN standing AS other ON other.entity_id = high
    ) AS between_them
    JOIN standing AS one ON one.entity_id = low
    JOIN standing AS other ON other.entity_id = high
    JOIN golden AS golden_a ON golden_a.entity_id = low
    JOIN golden AS golden_b ON golden_b.entity_id = high
    JOIN held AS a ON a.entity_id = low
    JOIN held AS b ON b.entity_id = high
    JOIN side AS side_a ON side_a.entity_id = low
    JOIN side AS side_b ON side_b.entity_id = high
    LEFT JOIN disputed AS disputed_a ON disputed_a.entity_id = low
    LEFT JOIN disputed AS disputed_b ON disputed_b.entity_id = high
)
SELECT
    $record_type AS entity_type,
    record_a,
    record_b,
    entity_a,
    entity_b,
    match_weight,
    match_probability,
    reason,
    records::INTEGER AS records,
    settles::INTEGER AS settles,
    could_change
FROM doubt
JOIN either ON low = least(entity_a, entity_b) AND high = greatest(entity_a, entity_b)
