-- One company as sales keeps it.
SELECT
    'company' AS source_table,
    company._key AS source_key,
    property_name AS name,
    property_vat_number AS vat_number,
    property_company_number AS company_number,
    coalesce(property_website, property_domain) AS website,
    property_phone AS phone,
    concat_ws(', ', property_address, property_address_2) AS address,
    property_city AS city,
    property_state AS region,
    property_zip AS postcode,
    property_country AS country,
    CASE property_lifecyclestage
        WHEN 'customer' THEN 'customer'
        WHEN 'evangelist' THEN 'customer'
        WHEN 'other' THEN NULL
        ELSE 'prospect'
    END AS role,
    property_payment_terms AS payment_terms,
    property_hs_parent_company_id AS parent_key,
    concat_ws(' ', owner.first_name, owner.last_name) AS owner,
    property_createdate AS created_at,
    property_hs_lastmodifieddate AS updated_at,
    ['owner:' || owner._key] AS supported_by
FROM company
LEFT JOIN owner ON owner.owner_id = property_hubspot_owner_id
