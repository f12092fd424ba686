-- One person as the file states them.
SELECT
    'person' AS source_table,
    _key AS source_key,
    full_name AS name,
    first_name AS given_name,
    surname AS family_name,
    dob AS birth_date,
    birth_place AS city,
    postcode_fake AS postcode,
    occupation AS job_title
FROM person
