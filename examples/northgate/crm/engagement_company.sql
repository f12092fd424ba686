-- The company an engagement is about.
CREATE TABLE crm.engagement_company AS
SELECT key AS company_id, note_key(seen, n) AS engagement_id, 'NOTE' AS engagement_type, 190::BIGINT AS type_id,
    synced(seen) AS _fivetran_synced, 'HUBSPOT_DEFINED' AS category
FROM company_note
ORDER BY engagement_id;
