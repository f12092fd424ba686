-- A customer as NetSuite keeps it: a firm, a sole trader (`isperson` with a company name), or a private buyer.
CREATE TABLE erp.customer AS
SELECT
    held.key AS id,
    held.deleted AS _fivetran_deleted,
    synced(held.seen) AS _fivetran_synced,
    'C' || lpad(held.key::VARCHAR, 6, '0') AS entityid,
    CASE WHEN held.usable THEN 'C' || lpad(held.key::VARCHAR, 6, '0') || ' ' || held.name END AS entitytitle,
    held.trading_name AS altname,
    held.name AS companyname,
    CASE WHEN held.is_person THEN 'T' ELSE 'F' END AS isperson,
    CASE WHEN held.is_person THEN held.given END AS firstname,
    NULL::VARCHAR AS middlename,
    CASE WHEN held.is_person THEN held.surname END AS lastname,
    held.email,
    CASE WHEN u(held.seen, 'second mail') < .1 AND organisation.domain IS NOT NULL
        THEN 'info@' || organisation.domain END AS altemail,
    held.phone,
    NULL::VARCHAR AS altphone,
    CASE WHEN held.is_person AND u(held.seen, 'mobile held') < .5
        THEN written_phone(person.mobile, held.seen, 'mobile') END AS mobilephone,
    held.website AS url,
    currency_of(held.org).id AS currency,
    terms_of(held.org).id AS terms,
    CASE WHEN u(held.seen, 'parent held') < .5 THEN parent.key END AS parent,
    CASE WHEN held.address1 IS NOT NULL OR held.postcode IS NOT NULL
        THEN 500000 + held.key END AS defaultbillingaddress,
    (1000 * (1 + below(held.org, 'credit', 50)))::BIGINT AS creditlimit,
    CASE WHEN u(held.seen, 'inactive') < .03 THEN 'T' ELSE 'F' END AS isinactive,
    written_stamp(held.age, held.seen, 'created') AS datecreated,
    written_stamp(held.age * u(held.seen, 'last change'), held.seen, 'modified') AS lastmodifieddate,
    CASE WHEN u(held.seen, 'comment') < .06
        THEN ['Pays on the last Friday', 'Chase by phone only', 'PO number needed on every invoice',
            'See head office account'][1 + below(held.seen, 'comment', 4)]
    END AS comments,
    held.vat AS custentity_vat_number,
    held.company_number AS custentity_company_number,
    held.legal_name AS custentity_legal_name,
    CASE WHEN u(held.org, 'no dunning') < .03 THEN 'T' ELSE 'F' END AS custentity_no_dunning
FROM organisation_row AS held
JOIN organisation ON organisation.org = held.org
JOIN person ON person.person = held.org * 16
LEFT JOIN organisation_row AS parent ON parent.org = held.parent AND parent.tab = 'customer' AND parent.copy = 0
WHERE held.tab = 'customer'
UNION ALL
SELECT
    key, FALSE, synced(seen), 'C'
        || key, NULL, NULL, NULL, 'T', given, NULL, family, email, NULL, phone, NULL, mobile, NULL,
    1, 1, NULL, NULL, 500, 'F', written_stamp(age, seen, 'created'), written_stamp(age * .3, seen, 'modified'), NULL,
        NULL, NULL, NULL, 'F'
FROM person_row
WHERE tab = 'customer'
ORDER BY id;
