-- One contact as sales keeps it, with the merges that made it.
WITH merges AS (
    SELECT canonical_vid, list('contact_merge_audit:' || _key) AS supported_by
    FROM contact_merge_audit GROUP BY canonical_vid
)

SELECT
    'contact' AS source_table,
    contact._key AS source_key,
    property_firstname AS given_name,
    property_lastname AS family_name,
    property_email AS email,
    property_email_1 AS other_email,
    property_phone AS phone,
    property_mobilephone AS mobile,
    property_jobtitle AS job_title,
    property_associatedcompanyid AS organisation_key,
    property_company AS organisation_name,
    property_address AS address,
    property_city AS city,
    property_zip AS postcode,
    property_country AS country,
    property_hs_email_optout AS opted_out,
    property_createdate AS created_at,
    property_lastmodifieddate AS updated_at,
    merges.supported_by
FROM contact
LEFT JOIN merges ON merges.canonical_vid = contact.id
