-- One note, with its first company and contact.
WITH first_company AS (
    SELECT engagement_id, min(company_id) AS company_id, arg_min(_key, company_id) AS _key
    FROM engagement_company GROUP BY engagement_id
),

first_contact AS (
    SELECT engagement_id, min(contact_id) AS contact_id, arg_min(_key, contact_id) AS _key
    FROM engagement_contact GROUP BY engagement_id
)

SELECT
    'engagement_note' AS source_table,
    engagement_note._key AS source_key,
    first_company.company_id AS organisation_key,
    first_contact.contact_id AS person_key,
    lower(coalesce(engagement.type, 'note')) AS kind,
    'internal' AS direction,
    property_hs_body_preview AS preview,
    property_hs_timestamp AS sent_at,
    [
        'engagement:' || engagement._key,
        'engagement_company:' || first_company._key,
        'engagement_contact:' || first_contact._key
    ] AS supported_by
FROM engagement_note
LEFT JOIN engagement ON engagement.id = engagement_note.engagement_id
LEFT JOIN first_company ON first_company.engagement_id = engagement_note.engagement_id
LEFT JOIN first_contact ON first_contact.engagement_id = engagement_note.engagement_id
