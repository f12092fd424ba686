-- One official number that a record of an entity states.
SELECT entity_id, field, value, squeezed(value) AS code, min(record_id) AS record_id
FROM (
    SELECT entity_id, 'vat_number' AS field, vat_number AS value, record_id FROM organisation_record
    UNION ALL SELECT entity_id, 'company_number', company_number, record_id FROM organisation_record
    UNION ALL SELECT entity_id, 'lei', lei, record_id FROM organisation_record
    UNION ALL SELECT entity_id, 'identifiers', unnest(identifiers), record_id FROM organisation_record
    UNION ALL SELECT entity_id, 'identifiers', unnest(identifiers), record_id FROM person_record
)
WHERE value IS NOT NULL AND entity_id IS NOT NULL
GROUP BY ALL
ORDER BY entity_id
