-- node: one record, or record that its source merged into another, its position among the sorted record ids, and whether
-- someone accountable asserts its name.
CREATE OR REPLACE TABLE node AS
SELECT
    record_id,
    row_number() OVER (ORDER BY record_id) - 1 AS position,
    coalesce(NOT list_contains(weak_fields, 'name'), false) AS anchored
FROM (SELECT record_id FROM record UNION SELECT from_record FROM alias UNION SELECT to_record FROM alias)
LEFT JOIN record USING (record_id)
