-- One user who writes in; agents are our own people.
SELECT
    'user' AS source_table,
    _key AS source_key,
    name,
    email,
    phone,
    organization_id AS organisation_key,
    created_at,
    updated_at,
    CASE WHEN lower(verified) IN ('1', 't', 'true') THEN 'verified' ELSE 'public' END AS email_asserted_by
FROM "user"
WHERE coalesce(role, 'end-user') = 'end-user'
