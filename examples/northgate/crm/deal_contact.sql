-- A contact a deal is made with. Some name a contact that was merged away since.
CREATE TABLE crm.deal_contact AS
SELECT person_row.key AS contact_id, deal_key(company_deal.seen, n) AS deal_id,
    synced(person_row.seen) AS _fivetran_synced,
    3::BIGINT AS type_id, 'HUBSPOT_DEFINED' AS category
FROM company_deal
JOIN person_row ON person_row.tab = 'contact' AND person_row.org = company_deal.org
    AND (NOT person_row.deleted OR person_row.merged)
WHERE u(company_deal.seen * 8 + n, 'deal has contact') < .75
QUALIFY row_number() OVER (PARTITION BY company_deal.seen, n ORDER BY u(person_row.seen * 8 + n, 'deal with'),
    person_row.seen) = 1
ORDER BY deal_id;
