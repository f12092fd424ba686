-- One row that completes nothing: a domain whose organization is gone, or one of our own people who wrote no comment.
SELECT
    'domain_name' AS source_table,
    _key AS source_key,
    'completes:nothing' AS reason,
    'there is no organization ' || organization_id AS detail
FROM domain_name
ANTI JOIN organization ON organization.id = domain_name.organization_id
UNION ALL
SELECT 'user', _key, 'completes:nothing', 'no comment is by our own user ' || id
FROM "user"
ANTI JOIN ticket_comment ON ticket_comment.user_id = "user".id
WHERE role <> 'end-user'
