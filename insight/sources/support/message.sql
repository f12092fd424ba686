-- One comment on a ticket: from the customer, to the customer, or among our own people.
SELECT
    'ticket_comment' AS source_table,
    ticket_comment._key AS source_key,
    ticket.organization_id AS organisation_key,
    CASE WHEN author.role = 'end-user' THEN ticket_comment.user_id ELSE ticket.requester_id END AS person_key,
    'comment' AS kind,
    CASE
        WHEN author.role = 'end-user' THEN 'inbound'
        WHEN lower(ticket_comment.public) IN ('1', 't', 'true') THEN 'outbound'
        ELSE 'internal'
    END AS direction,
    ticket_comment.ticket_id AS ticket_key,
    ticket.subject,
    left(ticket_comment.body, 500) AS preview,
    ticket_comment.created AS sent_at,
    CASE WHEN author.role IN ('agent', 'admin') THEN 'staff' ELSE 'public' END AS asserted_by,
    ['ticket:' || ticket._key, 'user:' || author._key] AS supported_by
FROM ticket_comment
LEFT JOIN ticket ON ticket.id = ticket_comment.ticket_id
LEFT JOIN "user" AS author ON author.id = ticket_comment.user_id
