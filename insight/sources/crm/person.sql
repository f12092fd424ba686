-- One contact as sales keeps it.
SELECT
    'contact' AS source_table,
    _key AS source_key,
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
    property_lastmodifieddate AS updated_at
FROM contact
