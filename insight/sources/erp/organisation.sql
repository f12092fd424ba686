-- One customer or vendor as accounts keeps it; not customers that are private people.
SELECT
    'customer' AS source_table,
    customer._key AS source_key,
    companyname AS name,
    custentity_legal_name AS legal_name,
    altname AS trading_name,
    custentity_vat_number AS vat_number,
    custentity_company_number AS company_number,
    ['erp:' || entityid] AS identifiers,
    customer.url AS website,
    email,
    phone,
    concat_ws(', ', addr1, addr2, addr3) AS address,
    city,
    state AS region,
    zip AS postcode,
    country,
    'customer' AS role,
    term.name AS payment_terms,
    currency.symbol AS currency,
    'customer:' || parent AS parent_key,
    custentity_no_dunning AS opted_out,
    datecreated AS created_at,
    customer.lastmodifieddate AS updated_at,
    ['entity_address:' || entity_address._key, 'term:' || term._key, 'currency:' || currency._key] AS supported_by
FROM customer
LEFT JOIN entity_address ON nkey = defaultbillingaddress
LEFT JOIN term ON term.id = terms
LEFT JOIN currency ON currency.id = customer.currency
WHERE isperson IS DISTINCT FROM 'T' OR nullif(trim(companyname), '') IS NOT NULL
UNION ALL BY NAME
SELECT
    'vendor' AS source_table,
    vendor._key AS source_key,
    companyname AS name,
    legalname AS legal_name,
    custentity_vat_number AS vat_number,
    custentity_company_number AS company_number,
    ['erp:' || entityid] AS identifiers,
    vendor.url AS website,
    email,
    phone,
    concat_ws(', ', addr1, addr2, addr3) AS address,
    city,
    state AS region,
    zip AS postcode,
    country,
    'vendor' AS role,
    term.name AS payment_terms,
    currency.symbol AS currency,
    datecreated AS created_at,
    vendor.lastmodifieddate AS updated_at,
    ['entity_address:' || entity_address._key, 'term:' || term._key, 'currency:' || currency._key] AS supported_by
FROM vendor
LEFT JOIN entity_address ON nkey = defaultbillingaddress
LEFT JOIN term ON term.id = terms
LEFT JOIN currency ON currency.id = vendor.currency
WHERE isperson IS DISTINCT FROM 'T' OR nullif(trim(companyname), '') IS NOT NULL
