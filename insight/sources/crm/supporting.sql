-- One row that no record is made of, and the row that it completes: each further company and contact of a deal or an
-- engagement, and a merge into a contact that was merged itself.
WITH RECURSIVE survivor AS (
    SELECT merge._key, contact._key AS contact
    FROM contact_merge_audit AS merge
    JOIN contact ON contact.id = merge.canonical_vid
    UNION
    SELECT merge._key, survivor.contact
    FROM survivor
    JOIN contact_merge_audit AS later ON later._key = survivor._key
    JOIN contact_merge_audit AS merge ON merge.canonical_vid = later.vid_to_merge
)

SELECT 'deal_company' AS source_table, deal_company._key AS source_key, 'deal:' || deal._key AS completes
FROM deal_company
JOIN deal ON deal.deal_id = deal_company.deal_id
UNION ALL
SELECT 'deal_contact', deal_contact._key, 'deal:' || deal._key
FROM deal_contact
JOIN deal ON deal.deal_id = deal_contact.deal_id
UNION ALL
SELECT 'engagement_company', engagement_company._key, 'engagement:' || engagement._key
FROM engagement_company
JOIN engagement ON engagement.id = engagement_id
UNION ALL
SELECT 'engagement_contact', engagement_contact._key, 'engagement:' || engagement._key
FROM engagement_contact
JOIN engagement ON engagement.id = engagement_id
UNION ALL
SELECT 'contact_merge_audit', _key, 'contact:' || contact
FROM survivor
