-- One person as the list states them.
SELECT
    'person' AS source_table,
    _key AS source_key,
    given_name,
    surname AS family_name,
    date_of_birth AS birth_date,
    ['social_security/AU:' || soc_sec_id] AS identifiers,
    nullif(concat_ws(' ', street_number, address_1, address_2), '') AS address,
    suburb AS city,
    postcode,
    state AS region,
    'AU' AS country
FROM person
