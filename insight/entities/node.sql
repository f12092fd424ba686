-- node: one record, or record that its source merged into another; whether it is of today, whether someone accountable
-- asserts its name, and its system where that rarely holds one entity twice. In the order of record ids, so that a row's
-- place, its position, says which of two comes first.
CREATE OR REPLACE TABLE node AS
SELECT
    record_id,
    system IS NOT NULL AS live,
    coalesce(NOT list_contains(weak_fields, 'name'), false) AS anchored,
    coalesce(list_position($rarely_twice, system), 0)::BIGINT AS rare
FROM (
    SELECT record_id, system, weak_fields FROM record
    UNION ALL
    SELECT record_id, NULL, NULL
    FROM (SELECT from_record AS record_id FROM alias UNION SELECT to_record FROM alias) ANTI JOIN record USING (record_id)
)
ORDER BY record_id
