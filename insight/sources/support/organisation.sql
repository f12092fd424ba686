-- One organization as the support desk keeps it, with the first of its domains.
WITH first_domain AS (
    SELECT _key, organization_id, domain_name FROM domain_name
    QUALIFY row_number() OVER (PARTITION BY organization_id ORDER BY try_cast("index" AS BIGINT), domain_name) = 1
)

SELECT
    'organization' AS source_table,
    organization._key AS source_key,
    name,
    custom_vat_number AS vat_number,
    -- The ERP's number of the customer, where the desk filled it in.
    ['erp:' || external_id] AS identifiers,
    first_domain.domain_name AS website,
    created_at,
    updated_at,
    ['domain_name:' || first_domain._key] AS supported_by
FROM organization
LEFT JOIN first_domain ON first_domain.organization_id = organization.id
