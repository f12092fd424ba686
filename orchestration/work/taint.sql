-- One row is a way in which an entity of an effect is another in this graph than it was when the effect was decided.
WITH
    today AS (
        SELECT was.action, was.entity_id, any_value(was.since) AS since,
            count(crosswalk.entity_id) AS placed,
            list(DISTINCT crosswalk.entity_id ORDER BY crosswalk.entity_id)
                FILTER (crosswalk.entity_id IS NOT NULL) AS entities
        FROM was
        LEFT JOIN crosswalk ON crosswalk.record_id = was.record_id
        GROUP BY was.action, was.entity_id
    )
SELECT action, entity_id, 'retired' AS how, '' AS detail FROM today WHERE placed = 0
UNION ALL
SELECT action, entity_id, 'split', array_to_string(entities, ' ') FROM today WHERE len(entities) > 1
UNION ALL
SELECT action, entity_id, 'merged', entities[1] FROM today WHERE len(entities) = 1 AND entities[1] <> entity_id
UNION ALL
SELECT today.action, today.entity_id, 'merged', string_agg(DISTINCT event.entity_id, ' ' ORDER BY event.entity_id)
FROM today
JOIN entity_event AS event ON event.event = 'merged' AND event.other_entity_id = today.entity_id
    AND event.happened_at > today.since
WHERE len(today.entities) = 1 AND today.entities[1] = today.entity_id
GROUP BY today.action, today.entity_id
