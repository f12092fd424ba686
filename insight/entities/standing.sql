-- standing: one entity and the clauses of standing that do not depend on an action.
CREATE OR REPLACE TABLE standing AS
WITH vetoed AS (SELECT record_a, record_b FROM link ANTI JOIN judged USING (record_a, record_b) WHERE status = 'vetoed'),
doubted AS (
    SELECT entity_id, list(DISTINCT clause) AS clauses
    FROM (
        SELECT unnest([entity_a, entity_b]) AS entity_id, 'ambiguous_link' AS clause
        FROM doubt WHERE reason = 'ambiguous'
        UNION ALL
        -- a link that a veto elsewhere in its cluster undid, or a source's own merge of what a veto forbids; not what
        -- a person's judgement brought together
        SELECT unnest([a.entity_id, b.entity_id]), 'vetoed_link'
        FROM cut ANTI JOIN judged USING (record_a, record_b) JOIN member AS a ON a.record_id = record_a JOIN member AS b ON b.record_id = record_b
        WHERE cut.cause = 'rival'
        UNION ALL
        SELECT a.entity_id, 'vetoed_link'
        FROM vetoed JOIN member AS a ON a.record_id = record_a JOIN member AS b ON b.record_id = record_b
        WHERE a.entity_id = b.entity_id AND a.itself = b.itself
        UNION ALL
        SELECT entity_id, 'unbelievable_cluster' FROM member WHERE unbelievable
    )
    GROUP BY entity_id
)
SELECT
    entity_id,
    systems,
    states,
    resolution,
    list_sort(
        list_concat(
            CASE WHEN len(list_filter(states, lambda state: state <> 'open')) < 2 THEN ['single_system'] ELSE [] END,
            coalesce(clauses, [])
        )
    ) AS reasons
FROM resolution LEFT JOIN doubted USING (entity_id)
