-- doubt: one open review pair of an entity, and what the graph knows of the other side.
WITH pair AS (
    SELECT entity_a AS mine, entity_b AS other, reason, could_change FROM review_pair
    WHERE entity_a IN (SELECT unnest($ids))
    UNION ALL
    SELECT entity_b, entity_a, reason, could_change FROM review_pair WHERE entity_b IN (SELECT unnest($ids))
),
involved AS (SELECT mine AS entity_id FROM pair UNION SELECT other FROM pair),
held AS (
    SELECT entity_id, count(*) AS records FROM crosswalk WHERE entity_id IN (FROM involved) GROUP BY entity_id
),
around AS (               -- how many others an entity may be one with, and how many records all of them have
    SELECT mine, count(*) AS others, sum(records) AS records
    FROM (SELECT DISTINCT mine, other FROM pair) AS each_once JOIN held ON held.entity_id = other
    GROUP BY mine
),
placed AS (SELECT record_id, entity_id FROM crosswalk WHERE entity_id IN (FROM involved)),
vetoed AS (
    SELECT DISTINCT unnest([a.entity_id, b.entity_id]) AS one, unnest([b.entity_id, a.entity_id]) AS other
    FROM link
    JOIN placed AS a ON a.record_id = record_a
    JOIN placed AS b ON b.record_id = record_b
    WHERE status = 'vetoed'
),
parted AS (               -- what a veto keeps from an entity, or from another one that the entity may be one with too
    SELECT DISTINCT pair.mine, pair.other
    FROM pair JOIN vetoed USING (other)
    WHERE vetoed.one = pair.mine OR vetoed.one IN (SELECT too.other FROM pair AS too WHERE too.mine = pair.mine)
),
doubted AS (              -- every entity that each of the others may be one with
    SELECT entity_a AS entity_id, entity_b AS with_entity FROM review_pair WHERE entity_a IN (SELECT other FROM pair)
    UNION
    SELECT entity_b, entity_a FROM review_pair WHERE entity_b IN (SELECT other FROM pair)
),
employing AS (
    SELECT DISTINCT placed.entity_id FROM person_record JOIN placed ON placed.record_id = organisation_record
)
SELECT DISTINCT
    pair.mine,
    pair.other,
    pair.reason,
    pair.could_change,
    entity.systems,
    entity.resolution,
    entity.opted_out,
    me.standing_reasons AS own,
    entity.standing_reasons AS against,
    coalesce(mine.records, 0) AS records,
    coalesce(other.records, 0) AS other_records,
    mine.records + around.records AS together,
    around.others = 1 AS only,
    parted.mine IS NOT NULL AS vetoed,
    (
        SELECT count(*) FROM doubted WHERE doubted.entity_id = pair.other AND doubted.with_entity <> pair.mine
    ) AS others,
    employing.entity_id IS NOT NULL AS employs,
    coalesce(list_has_any(me.systems, entity.systems), true) AS shares
FROM pair
LEFT JOIN entity AS me ON me.entity_id = pair.mine
LEFT JOIN entity ON entity.entity_id = pair.other
LEFT JOIN held AS mine ON mine.entity_id = pair.mine
LEFT JOIN held AS other ON other.entity_id = pair.other
LEFT JOIN around ON around.mine = pair.mine
LEFT JOIN parted ON parted.mine = pair.mine AND parted.other = pair.other
LEFT JOIN employing ON employing.entity_id = pair.other
ORDER BY ALL
