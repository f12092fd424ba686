-- One merge of two contacts that HubSpot made itself.
CREATE TABLE crm.contact_merge_audit AS
SELECT
    kept.key AS canonical_vid,
    kept.key AS contact_id,
    gone.key AS vid_to_merge,
    synced(gone.seen) AS _fivetran_synced,
    'json' AS entity_id,
    kept.given AS first_name,
    kept.family AS last_name,
    below(gone.seen, 'moved', 6) AS num_properties_moved,
    written_stamp(gone.age * .5, gone.seen, 'merged') AS timestamp,
    (901 + below(gone.seen, 'by', 12))::BIGINT AS user_id
FROM person_row AS gone
JOIN person_row AS kept ON kept.person = gone.person AND kept.past = gone.past AND kept.tab = 'contact'
    AND kept.copy = 0
WHERE gone.tab = 'contact' AND gone.merged
ORDER BY vid_to_merge;
