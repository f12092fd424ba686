-- altered: one published entity whose records would come together otherwise, or that would have another standing.
WITH was AS (
    SELECT crosswalk.record_id, crosswalk.entity_id
    FROM published.crosswalk JOIN published.entity USING (entity_id)
    WHERE entity.entity_type = $record_type
),
becomes AS (SELECT record_id, entity_id FROM {crosswalk}),
placed AS (
    SELECT was.record_id, was.entity_id, becomes.entity_id AS new_id
    FROM was JOIN becomes USING (record_id)
),
spread AS (
    SELECT entity_id, count(*) AS records, count(DISTINCT new_id) AS parts FROM placed GROUP BY entity_id
),
met AS (
    SELECT one.entity_id, list_sort(list_distinct(list(other.entity_id))) AS others
    FROM (SELECT DISTINCT entity_id, new_id FROM placed) AS one
    JOIN (SELECT DISTINCT entity_id, new_id FROM placed) AS other USING (new_id)
    WHERE one.entity_id <> other.entity_id
    GROUP BY one.entity_id
),
said AS (
    SELECT
        entity_id,
        name,
        concat_ws(': ', standing, nullif(array_to_string(list_sort(standing_reasons), ', '), '')) AS standing_before
    FROM published.entity WHERE entity_type = $record_type
),
says AS (
    SELECT
        entity_id,
        concat_ws(': ', standing, nullif(array_to_string(list_sort(standing_reasons), ', '), '')) AS standing_after
    FROM {entity}
)
SELECT
    entity_id,
    name,
    records,
    coalesce(others, []) AS others,
    parts,
    standing_before,
    coalesce(standing_after, 'no longer there') AS standing_after
FROM said
JOIN spread USING (entity_id)
LEFT JOIN met USING (entity_id)
LEFT JOIN says USING (entity_id)
WHERE len(coalesce(others, [])) > 0 OR parts > 1 OR standing_before IS DISTINCT FROM coalesce(standing_after, 'no longer there')
ORDER BY entity_id
