-- A mail domain by which Zendesk files new users under an organisation.
CREATE TABLE support.domain_name AS
SELECT 0::BIGINT AS index, key AS organization_id, synced(seen) AS _fivetran_synced, domain AS domain_name
FROM organisation_row
WHERE tab = 'organization' AND domain IS NOT NULL
UNION ALL
SELECT 1, key, synced(seen), 'mail.' || domain
FROM organisation_row
WHERE tab = 'organization' AND domain IS NOT NULL AND u(seen, 'second domain') < .03
ORDER BY organization_id, index;
