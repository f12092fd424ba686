-- One domain of an organization, and the organization that it completes.
SELECT
    'domain_name' AS source_table,
    domain_name._key AS source_key,
    'organization:' || organization._key AS completes
FROM domain_name
JOIN organization ON organization.id = domain_name.organization_id
