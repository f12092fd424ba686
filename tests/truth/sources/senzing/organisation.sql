-- One organisation as one list states it.
SELECT
    'entity' AS source_table,
    _key AS source_key,
    coalesce(PRIMARY_NAME_ORG, NATIVE_NAME_FULL) AS name,
    SECONDARY_NAME_ORG AS trading_name,
    CASE WHEN TAX_ID_TYPE = 'VAT' THEN TAX_ID_NUMBER END AS vat_number,
    LEI_NUMBER AS lei,
    list_filter([
        'national/' || NATIONAL_ID_COUNTRY || ':' || NATIONAL_ID_NUMBER,
        CASE WHEN TAX_ID_TYPE <> 'VAT' THEN 'tax:' || TAX_ID_NUMBER END
    ], lambda one: one IS NOT NULL) AS identifiers,
    EMAIL_ADDRESS AS email,
    PHONE_NUMBER AS phone,
    coalesce(ADDR_FULL, ADDR_LINE1) AS address,
    ADDR_CITY AS city,
    ADDR_STATE AS region,
    ADDR_POSTAL_CODE AS postcode,
    ADDR_COUNTRY AS country
FROM entity
WHERE RECORD_TYPE = 'ORGANIZATION'
