-- A ticket.
CREATE TABLE support.ticket AS
SELECT
    ticket_id AS id,
    synced(ticket_id) AS _fivetran_synced,
    370000000001 + below(draw, 'assignee', 6) AS assignee_id,
    360003529474::BIGINT AS brand_id,
    strftime(stamp(age * u(draw, 'asked'), draw, 'asked at'), '%Y-%m-%dT%H:%M:%SZ') AS created_at,
    'Hello, ' || lower(pick('subjects', draw, 'subject')) || '. Please advise.' AS description,
    NULL::VARCHAR AS due_at,
    NULL::VARCHAR AS external_id,
    CASE WHEN u(draw, 'group') < .4 THEN 360001 + below(draw, 'group', 3) END AS group_id,
    TRUE AS is_public,
    org_key AS organization_id,
    ['low', 'normal', 'normal', 'high', 'urgent', NULL][1 + below(draw, 'priority', 6)] AS priority,
    key AS requester_id,
    ['new', 'open', 'pending', 'solved', 'solved', 'closed', 'closed'][1 + below(draw, 'status', 7)] AS status,
    pick('subjects', draw, 'subject') AS subject,
    key AS submitter_id,
    ['question', 'incident', 'problem', NULL][1 + below(draw, 'type', 4)] AS type,
    strftime(stamp(age * u(draw, 'asked') * u(draw, 'answered'), draw, 'answered at'),
        '%Y-%m-%dT%H:%M:%SZ') AS updated_at,
    'https://northgate.zendesk.example/api/v2/tickets/' || ticket_id || '.json' AS url,
    CASE WHEN u(draw, 'via') < .7 THEN 'email' ELSE 'web' END AS via_channel,
    CASE WHEN u(draw, 'via') < .7 THEN email END AS via_source_from_address
FROM user_ticket
ORDER BY id;
