-- standing: one entity and the clauses of standing that do not depend on an action.
WITH resolved AS (
    SELECT
        entity_id,
        list(system ORDER BY system) FILTER (state = 'linked') AS systems,
        to_json(map_from_entries(list((system, state) ORDER BY system))) AS resolution,
        count(*) FILTER (state IN ('linked', 'absent')) AS resolved_in
    FROM resolution
    GROUP BY entity_id
),
doubted AS (
    SELECT entity_id, list(DISTINCT clause) AS clauses
    FROM (
        SELECT unnest([entity_a, entity_b]) AS entity_id, 'ambiguous_link' AS clause
        FROM review_pair WHERE reason = 'ambiguous'
        UNION ALL
        -- a link that a veto elsewhere in its cluster undid, or a source's own merge of what a veto forbids
        SELECT unnest([a.entity_id, b.entity_id]), 'vetoed_link'
        FROM cut JOIN member AS a ON a.record_id = record_a JOIN member AS b ON b.record_id = record_b
        WHERE cut.cause = 'rival'
        UNION ALL
        SELECT a.entity_id, 'vetoed_link'
        FROM link JOIN member AS a ON a.record_id = record_a JOIN member AS b ON b.record_id = record_b
        WHERE status = 'vetoed' AND a.entity_id = b.entity_id
        UNION ALL
        SELECT entity_id, 'unbelievable_cluster' FROM member WHERE unbelievable
    )
    GROUP BY entity_id
)
SELECT
    entity_id,
    systems,
    resolution,
    list_sort(
        list_concat(CASE WHEN resolved_in < 2 THEN ['single_system'] ELSE [] END, coalesce(clauses, []))
    ) AS reasons
FROM resolved LEFT JOIN doubted USING (entity_id)
