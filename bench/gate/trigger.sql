-- One row is an open receivable invoice at one of many stages, with a person who works there and a mailbox of theirs: as
-- much work for the gate as is asked for. The settings of `bench.gate.company` say how many stages there may be.
WITH
    mailbox AS (
        SELECT entity_id, min(value) AS value FROM contact_point
        WHERE channel = 'email' AND asserted_by IN ('staff', 'verified')
        GROUP BY entity_id
    ),
    contact AS (
        SELECT w.to_entity AS organisation, w.from_entity AS person, m.value AS mailbox
        FROM relationship AS w JOIN mailbox AS m ON m.entity_id = w.from_entity
        WHERE w.kind = 'works_at'
        QUALIFY row_number() OVER (PARTITION BY w.to_entity ORDER BY w.from_entity) = 1
    )
SELECT i.entity_id, i.record_id AS invoice, s.stage, c.person, c.mailbox
FROM invoice AS i
JOIN contact AS c ON c.organisation = i.entity_id
CROSS JOIN (SELECT unnest(range(1, 41)) AS stage) AS s
WHERE i.direction = 'receivable' AND i.amount_open > 0 AND i.due_on < $business_date::DATE
ORDER BY s.stage, i.record_id
