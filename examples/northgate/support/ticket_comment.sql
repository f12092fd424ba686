-- A comment on a ticket, by who asked or by the agent who answers.
CREATE TABLE support.ticket_comment AS
SELECT
    1030000000000 + ticket_id * 4 + turn AS id,
    synced(ticket_id) AS _fivetran_synced,
    CASE turn WHEN 0 THEN 'Hello, ' || lower(pick('subjects', draw, 'subject')) || '. Please advise.'
        ELSE 'Thank you for your message, we are looking into it.' END AS body,
    strftime(stamp(age * u(draw, 'asked'), draw, 'asked at') + to_hours(turn * 5), '%Y-%m-%dT%H:%M:%SZ') AS created,
    u(draw * 4 + turn, 'public') < .92 AS public,
    ticket_id,
    CASE turn WHEN 0 THEN key ELSE 370000000001 + below(draw, 'assignee', 6) END AS user_id
FROM (SELECT *, unnest(range(1 + (u(draw, 'answered') < .35)::INT)) AS turn FROM user_ticket)
ORDER BY id;
