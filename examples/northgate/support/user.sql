-- A user as Zendesk keeps it: someone who wrote in, or one of Northgate's own agents.
CREATE TABLE support."user" AS
SELECT
    key AS id,
    synced(seen) AS _fivetran_synced,
    u(seen, 'inactive') >= .02 AS active,
    NULL::VARCHAR AS alias,
    strftime(stamp(age, seen, 'created'), '%Y-%m-%dT%H:%M:%SZ') AS created_at,
    NULL::VARCHAR AS details,
    email,
    NULL::VARCHAR AS external_id,
    CASE WHEN u(seen, 'logged in') < .5
        THEN strftime(stamp(age * u(seen, 'last login'), seen, 'login'), '%Y-%m-%dT%H:%M:%SZ') END AS last_login_at,
    'en-GB' AS locale,
    full_name AS name,
    CASE WHEN u(seen, 'title noted') < .12 THEN job_title END AS notes,
    org_key AS organization_id,
    CASE WHEN u(seen, 'mobile given') < .5 THEN coalesce(mobile, phone) ELSE coalesce(phone, mobile) END AS phone,
    'end-user' AS role,
    u(seen, 'suspended') < .01 AS suspended,
    CASE WHEN u(seen, 'zone') < .9 THEN 'London'
        ELSE ['Dublin', 'Edinburgh', 'Paris', 'UTC'][1 + below(seen, 'zone', 4)] END AS time_zone,
    strftime(stamp(age * u(seen, 'last change'), seen, 'modified'), '%Y-%m-%dT%H:%M:%SZ') AS updated_at,
    'https://northgate.zendesk.example/api/v2/users/' || key || '.json' AS url,
    email IS NOT NULL AND u(seen, 'verified') < .8 AS verified
FROM person_row
WHERE tab = 'user'
UNION ALL
SELECT 370000000001 + i, synced(i), TRUE, NULL, '2019-03-01T09:00:00Z', NULL,
    slug(pick('given', i, 'agent')) || '@northgate-supplies.example', NULL, '2026-10-30T16:00:00Z', 'en-GB',
    pick('given', i, 'agent') || ' '
        || pick('family', i, 'agent family'), NULL, NULL, NULL, 'agent', FALSE, 'London', '2026-10-30T16:00:00Z',
    'https://northgate.zendesk.example/api/v2/users/' || (370000000001 + i) || '.json', TRUE
FROM range(6) AS agents (i)
ORDER BY id;
