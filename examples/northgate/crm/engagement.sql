-- One engagement: here each is a note.
CREATE TABLE crm.engagement AS
SELECT note_key(seen, n) AS id, 'NOTE' AS type, synced(seen) AS _fivetran_synced, 4727653::BIGINT AS portal_id
FROM company_note
ORDER BY id;
