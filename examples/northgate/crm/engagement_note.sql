-- What a note says.
CREATE TABLE crm.engagement_note AS
SELECT
    note_key(seen, n) AS engagement_id,
    FALSE AS _fivetran_deleted,
    synced(seen) AS _fivetran_synced,
    pick('notes', seen * 8 + n, 'note') AS property_hs_body_preview,
    written_stamp(age * u(seen * 8 + n, 'noted'), seen * 8 + n, 'noted at') AS property_hs_createdate,
    written_stamp(age * u(seen * 8 + n, 'noted'), seen * 8 + n, 'noted at') AS property_hs_timestamp,
    44000001 + below(org, 'owner', 12) AS property_hubspot_owner_id,
    'NOTE' AS type
FROM company_note
ORDER BY engagement_id;
