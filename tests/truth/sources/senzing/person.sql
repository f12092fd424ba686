-- One person as one list states them; a row that does not say what it is about is about a person.
SELECT
    'entity' AS source_table,
    _key AS source_key,
    coalesce(PRIMARY_NAME_FULL, CASE WHEN PRIMARY_NAME_LAST IS NULL THEN NATIVE_NAME_FULL END) AS name,
    PRIMARY_NAME_FIRST AS given_name,
    PRIMARY_NAME_MIDDLE AS middle_name,
    PRIMARY_NAME_LAST AS family_name,
    DATE_OF_BIRTH AS birth_date,
    list_filter([
        'ssn:' || SSN_NUMBER,
        'passport/' || PASSPORT_COUNTRY || ':' || PASSPORT_NUMBER,
        'licence/' || if(length(DRIVERS_LICENSE_STATE) = 2, 'US-', '') || DRIVERS_LICENSE_STATE || ':' || DRIVERS_LICENSE_NUMBER,
        'national/' || NATIONAL_ID_COUNTRY || ':' || NATIONAL_ID_NUMBER
    ], lambda one: one IS NOT NULL) AS identifiers,
    EMAIL_ADDRESS AS email,
    CASE WHEN PHONE_TYPE IS DISTINCT FROM 'MOBILE' THEN PHONE_NUMBER END AS phone,
    CASE WHEN PHONE_TYPE = 'MOBILE' THEN PHONE_NUMBER END AS mobile,
    coalesce(ADDR_FULL, ADDR_LINE1) AS address,
    ADDR_CITY AS city,
    ADDR_STATE AS region,
    ADDR_POSTAL_CODE AS postcode,
    ADDR_COUNTRY AS country,
    EMPLOYER AS organisation_name
FROM entity
WHERE RECORD_TYPE IS DISTINCT FROM 'ORGANIZATION'
