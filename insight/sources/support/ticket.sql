-- One ticket.
SELECT
    'ticket' AS source_table,
    _key AS source_key,
    organization_id AS organisation_key,
    requester_id AS person_key,
    subject,
    status,
    priority,
    created_at,
    updated_at
FROM ticket
