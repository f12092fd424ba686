-- One name by which other rows of a system may refer to a record of a type: its source key, or `table:key`. A name that
-- the source gave up in a merge leads to the record that survived; one that two records bear leads nowhere.
WITH RECURSIVE
    merge AS (
        SELECT record_id, merged_into, entity_type, 1 AS depth FROM alias
        UNION
        SELECT m.record_id, a.merged_into, m.entity_type, m.depth + 1
        FROM merge AS m JOIN alias AS a ON a.record_id = m.merged_into AND a.entity_type = m.entity_type
        WHERE m.depth < 20
    ),
    merged AS (
        SELECT
            entity_type,
            split_part(record_id, ':', 1) AS system,
            split_part(record_id, ':', 2) AS source_table,
            regexp_replace(source_row_id(record_id), '^[^:]*:[^:]*:', '') AS source_key,
            arg_max(merged_into, depth) AS record_id
        FROM merge GROUP BY ALL
    ),
    bearer AS (
        SELECT shape, system, source_table, source_key, record_id, 1 AS place FROM stated
        UNION ALL
        SELECT entity_type, system, source_table, source_key, record_id, 0 FROM merged
    ),
    name AS (
        SELECT shape, system, source_key AS key, record_id, place FROM bearer
        UNION ALL
        SELECT shape, system, source_table || ':' || source_key, record_id, place FROM bearer
    ),
    first_place AS (
        SELECT * FROM name QUALIFY place = min(place) OVER (PARTITION BY shape, system, key)
    )
SELECT shape, system, key, any_value(record_id) AS record_id
FROM first_place GROUP BY shape, system, key HAVING count(DISTINCT record_id) = 1
