-- One name that a record of an entity goes by.
SELECT entity_id, name, folded(name) AS folded, min(record_id) AS record_id
FROM (
    SELECT entity_id, unnest([name, legal_name, trading_name]) AS name, record_id FROM organisation_record
    UNION ALL
    SELECT entity_id, name, record_id FROM person_record
)
WHERE name IS NOT NULL AND entity_id IS NOT NULL
GROUP BY ALL
ORDER BY entity_id
