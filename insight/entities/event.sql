-- One row: what happened to an entity since the previous graph.
WITH best_heir AS (      -- of each id that was there before, the entity that has most of its records now
    SELECT overlap.entity_id AS was, arg_min(crosswalk_id.entity_id, (-records, crosswalk_id.entity_id)) AS now
    FROM overlap JOIN crosswalk_id USING (cluster)
    GROUP BY ALL
),
best_origin AS (         -- of each cluster, the id that most of its records had
    SELECT cluster, arg_min(entity_id, (-records, entity_id)) AS was FROM overlap GROUP BY ALL
)
SELECT
    fresh.entity_id,
    CASE WHEN best_origin.was IS NULL THEN 'created' ELSE 'split' END AS event,
    best_origin.was AS other_entity_id
FROM fresh LEFT JOIN best_origin USING (cluster)
UNION ALL
SELECT
    gone.entity_id,
    CASE WHEN best_heir.now IS NULL THEN 'retired' ELSE 'merged' END,
    best_heir.now
FROM (SELECT DISTINCT entity_id FROM previous) AS gone
ANTI JOIN crosswalk_id USING (entity_id)
LEFT JOIN best_heir ON best_heir.was = gone.entity_id
