-- One row that completes nothing: what it belongs to was deleted, was never used, or is no note.
WITH RECURSIVE survivor AS (
    SELECT merge._key
    FROM contact_merge_audit AS merge
    JOIN contact ON contact.id = merge.canonical_vid
    UNION
    SELECT merge._key
    FROM survivor
    JOIN contact_merge_audit AS later ON later._key = survivor._key
    JOIN contact_merge_audit AS merge ON merge.canonical_vid = later.vid_to_merge
),

spare AS (
    SELECT 'deal_company' AS source_table, _key, 'there is no deal ' || deal_id AS detail
    FROM deal_company
    ANTI JOIN deal ON deal.deal_id = deal_company.deal_id
    UNION ALL
    SELECT 'deal_contact', _key, 'there is no deal ' || deal_id
    FROM deal_contact
    ANTI JOIN deal ON deal.deal_id = deal_contact.deal_id
    UNION ALL
    SELECT 'engagement', _key, 'there is no note of the engagement ' || id
    FROM engagement
    ANTI JOIN engagement_note ON engagement_id = id
    UNION ALL
    SELECT 'engagement_company', _key, 'there is no engagement ' || engagement_id
    FROM engagement_company
    ANTI JOIN engagement ON engagement.id = engagement_id
    UNION ALL
    SELECT 'engagement_contact', _key, 'there is no engagement ' || engagement_id
    FROM engagement_contact
    ANTI JOIN engagement ON engagement.id = engagement_id
    UNION ALL
    SELECT 'owner', _key, 'no company or deal has the owner ' || owner_id
    FROM owner
    ANTI JOIN company ON property_hubspot_owner_id = owner.owner_id
    ANTI JOIN deal ON deal.owner_id = owner.owner_id
    UNION ALL
    SELECT 'contact_merge_audit', contact_merge_audit._key, 'there is no contact that ' || canonical_vid || ' became'
    FROM contact_merge_audit
    ANTI JOIN survivor ON survivor._key = contact_merge_audit._key
)

SELECT source_table, _key AS source_key, 'completes:nothing' AS reason, detail
FROM spare
