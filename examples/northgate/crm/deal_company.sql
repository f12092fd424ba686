-- The company a deal is with.
CREATE TABLE crm.deal_company AS
SELECT
    key AS company_id, deal_key(seen, n) AS deal_id, 5::BIGINT AS type_id, synced(seen) AS _fivetran_synced,
    'HUBSPOT_DEFINED' AS category
FROM company_deal
ORDER BY deal_id;
