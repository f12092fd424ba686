-- A company as HubSpot keeps it. The VAT and company numbers and the terms are custom properties.
CREATE TABLE crm.company AS
WITH merged_into AS (
    SELECT org, string_agg(key::VARCHAR, ';' ORDER BY key) AS merged_keys
    FROM organisation_row WHERE tab = 'company' AND merged GROUP BY org
)

SELECT
    held.key AS id,
    held.deleted AS is_deleted,
    synced(held.seen) AS _fivetran_synced,
    held.name AS property_name,
    held.domain AS property_domain,
    held.website AS property_website,
    held.phone AS property_phone,
    held.address1 AS property_address,
    held.address2 AS property_address_2,
    held.city AS property_city,
    held.county AS property_state,
    held.postcode AS property_zip,
    held.country AS property_country,
    organisation.sector AS property_industry,
    CASE held.role WHEN 'customer' THEN 'customer'
        WHEN 'prospect' THEN ['lead', 'opportunity', 'subscriber'][1 + below(held.org, 'stage', 3)] ELSE 'other' END
        AS property_lifecyclestage,
    written_stamp(held.age, held.seen, 'created') AS property_createdate,
    written_stamp(held.age * u(held.seen, 'last change'), held.seen, 'modified') AS property_hs_lastmodifieddate,
    44000001 + below(held.org, 'owner', 12) AS property_hubspot_owner_id,
    CASE WHEN u(held.seen, 'parent held') < .6 THEN parent.key END AS property_hs_parent_company_id,
    CASE WHEN held.copy = 0 THEN merged_into.merged_keys END AS property_hs_merged_object_ids,
    held.vat AS property_vat_number,
    held.company_number AS property_company_number,
    CASE WHEN u(held.seen, 'terms held') < .3
        THEN terms_of(CASE WHEN u(held.seen, 'old terms') < .07 THEN held.org + 1 ELSE held.org END).name END
        AS property_payment_terms
FROM organisation_row AS held
JOIN organisation ON organisation.org = held.org
LEFT JOIN merged_into ON merged_into.org = held.org
LEFT JOIN organisation_row AS parent ON parent.org = held.parent AND parent.tab = 'company' AND parent.copy = 0
WHERE held.tab = 'company'
ORDER BY id;
