-- A contact as HubSpot keeps it.
CREATE TABLE crm.contact AS
WITH merged_into AS (
    SELECT person, past, string_agg(key::VARCHAR, ';' ORDER BY key) AS merged_keys
    FROM person_row WHERE tab = 'contact' AND merged GROUP BY person, past
)

SELECT
    held.key AS id,
    held.deleted AS _fivetran_deleted,
    synced(held.seen) AS _fivetran_synced,
    held.email AS property_email,
    held.other_email AS property_email_1,
    held.given AS property_firstname,
    held.family AS property_lastname,
    held.phone AS property_phone,
    held.mobile AS property_mobilephone,
    held.job_title AS property_jobtitle,
    held.company AS property_company,
    held.org_key AS property_associatedcompanyid,
    held.address1 AS property_address,
    held.city AS property_city,
    held.postcode AS property_zip,
    held.country AS property_country,
    written_stamp(held.age, held.seen, 'created') AS property_createdate,
    written_stamp(held.age * u(held.seen, 'last change'), held.seen, 'modified') AS property_lastmodifieddate,
    CASE WHEN held.copy = 0 THEN merged_into.merged_keys END AS property_hs_merged_object_ids,
    u(held.person, 'opted out') < .05 AS property_hs_email_optout
FROM person_row AS held
LEFT JOIN merged_into ON merged_into.person = held.person AND merged_into.past = held.past
WHERE held.tab = 'contact'
ORDER BY id;
