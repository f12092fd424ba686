-- candidate: one entity with a record that was compared, by the one that fits best; one that a veto forbids is none.
WITH compared AS (
    SELECT
        record_b AS record_id,
        match_weight,
        match_probability,
        coalesce(forbidden_by, tier) AS rule,
        CASE WHEN forbidden_by IS NOT NULL THEN 'vetoed' WHEN strength IS NOT NULL THEN 'accepted' ELSE 'possible' END
            AS status,
        tier
    FROM verdict
    WHERE a = 0
),
placed AS (
    SELECT
        compared.*,
        crosswalk.entity_id,
        bool_or(status = 'vetoed') OVER (PARTITION BY crosswalk.entity_id) AS forbidden,
        row_number() OVER (
            PARTITION BY crosswalk.entity_id
            ORDER BY status = 'vetoed' DESC, tier IS NULL, match_weight DESC, record_id
        ) AS place
    FROM compared JOIN graph.main.crosswalk USING (record_id)
)
SELECT
    entity_id,
    entity.name,
    entity.standing,
    record_id,
    match_weight,
    match_probability,
    rule,
    status
FROM placed
JOIN graph.main.entity USING (entity_id)
WHERE place = 1
ORDER BY status = 'vetoed', status <> 'accepted', tier IS NULL, match_weight DESC, entity_id
LIMIT 20
