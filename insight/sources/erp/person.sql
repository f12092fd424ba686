-- One customer or vendor that is a person: a sole trader, who is an organisation too, or a private one.
SELECT
    'customer' AS source_table,
    customer._key AS source_key,
    firstname AS given_name,
    middlename AS middle_name,
    lastname AS family_name,
    email,
    altemail AS other_email,
    phone,
    coalesce(mobilephone, altphone) AS mobile,
    CASE WHEN nullif(trim(companyname), '') IS NOT NULL THEN 'customer:' || customer._key END AS organisation_key,
    companyname AS organisation_name,
    concat_ws(', ', addr1, addr2, addr3) AS address,
    city,
    state AS region,
    zip AS postcode,
    country,
    custentity_no_dunning AS opted_out,
    datecreated AS created_at,
    customer.lastmodifieddate AS updated_at,
    ['entity_address:' || entity_address._key] AS supported_by
FROM customer
LEFT JOIN entity_address ON nkey = defaultbillingaddress
WHERE isperson = 'T'
UNION ALL BY NAME
SELECT
    'vendor' AS source_table,
    vendor._key AS source_key,
    firstname AS given_name,
    lastname AS family_name,
    email,
    phone,
    altphone AS mobile,
    CASE WHEN nullif(trim(companyname), '') IS NOT NULL THEN 'vendor:' || vendor._key END AS organisation_key,
    companyname AS organisation_name,
    concat_ws(', ', addr1, addr2, addr3) AS address,
    city,
    state AS region,
    zip AS postcode,
    country,
    datecreated AS created_at,
    vendor.lastmodifieddate AS updated_at,
    ['entity_address:' || entity_address._key] AS supported_by
FROM vendor
LEFT JOIN entity_address ON nkey = defaultbillingaddress
WHERE isperson = 'T'
