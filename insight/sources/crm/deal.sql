-- One deal, with its first company and contact.
WITH first_company AS (
    SELECT _key, deal_id, company_id FROM deal_company
    QUALIFY row_number() OVER (PARTITION BY deal_id ORDER BY type_id, company_id) = 1
),

first_contact AS (
    SELECT _key, deal_id, contact_id FROM deal_contact
    QUALIFY row_number() OVER (PARTITION BY deal_id ORDER BY type_id, contact_id) = 1
)

SELECT
    'deal' AS source_table,
    deal._key AS source_key,
    first_company.company_id AS organisation_key,
    first_contact.contact_id AS person_key,
    property_dealname AS name,
    deal_pipeline_stage_id AS stage,
    property_amount AS amount,
    property_deal_currency_code AS currency,
    concat_ws(' ', owner.first_name, owner.last_name) AS owner,
    property_createdate AS created_at,
    property_closedate AS closed_at,
    [
        'deal_company:' || first_company._key,
        'deal_contact:' || first_contact._key,
        'owner:' || owner._key
    ] AS supported_by
FROM deal
LEFT JOIN first_company ON first_company.deal_id = deal.deal_id
LEFT JOIN first_contact ON first_contact.deal_id = deal.deal_id
LEFT JOIN owner ON owner.owner_id = deal.owner_id
