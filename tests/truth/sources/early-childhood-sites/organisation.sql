-- One site as one list states it. The lists put websites and addresses of e-mail into whatever column was free.
SELECT
    'site' AS source_table,
    _key AS source_key,
    "Site name" AS name,
    "Address" AS address,
    'Chicago' AS city,
    'IL' AS region,
    'US' AS country,
    coalesce("Zip", regexp_extract("Address", '(\d{5})(?:-\d{4})?\s*$', 1)) AS postcode,
    "Phone" AS phone,
    list_filter(["Website", "Center Director", "Executive Director"], lambda value: value LIKE 'www.%' OR value LIKE 'http%')[1] AS website,
    list_filter(["Purple binder service type", "ECE Available Programs", "NAEYC Valid Until"], lambda value: value LIKE '%@%')[1] AS email
FROM site
