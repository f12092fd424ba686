-- A vendor as NetSuite keeps it.
CREATE TABLE erp.vendor AS
SELECT
    held.key AS id,
    held.deleted AS _fivetran_deleted,
    synced(held.seen) AS _fivetran_synced,
    CASE WHEN u(held.seen, 'entity id') < .5 THEN coalesce(held.name, 'V' || held.key)
        ELSE 'V' || held.key END AS entityid,
    held.name AS companyname,
    held.legal_name AS legalname,
    CASE WHEN held.is_person THEN 'T' ELSE 'F' END AS isperson,
    CASE WHEN held.is_person THEN held.given END AS firstname,
    CASE WHEN held.is_person THEN held.surname END AS lastname,
    held.email,
    held.phone,
    NULL::VARCHAR AS altphone,
    held.website AS url,
    currency_of(held.org).id AS currency,
    terms_of(held.org).id AS terms,
    CASE WHEN held.address1 IS NOT NULL OR held.postcode IS NOT NULL
        THEN 500000 + held.key END AS defaultbillingaddress,
    CASE WHEN u(held.seen, 'inactive') < .04 THEN 'T' ELSE 'F' END AS isinactive,
    written_stamp(held.age, held.seen, 'created') AS datecreated,
    written_stamp(held.age * u(held.seen, 'last change'), held.seen, 'modified') AS lastmodifieddate,
    held.vat AS custentity_vat_number,
    held.company_number AS custentity_company_number
FROM organisation_row AS held
WHERE held.tab = 'vendor'
ORDER BY id;
