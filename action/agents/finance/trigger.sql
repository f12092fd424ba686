-- One row is a receivable invoice that is overdue on the business date and has not been reminded of at its dunning stage
-- or a later one, with the person to write to. It leaves out nothing that only the gate may judge: disputed invoices,
-- customers who object and doubtful entities are in it.
WITH
    overdue AS (
        SELECT
            i.record_id, i.entity_id, i.number, i.amount_open, i.currency, i.due_on,
            CASE
                WHEN date_diff('day', i.due_on, $business_date::DATE) >= 30 THEN 3
                WHEN date_diff('day', i.due_on, $business_date::DATE) >= 15 THEN 2
                ELSE 1
            END AS stage
        FROM invoice AS i
        WHERE i.direction = 'receivable'
            AND i.amount_open > 0
            AND i.due_on < $business_date::DATE
            AND i.entity_id IS NOT NULL
    ),
    reminded AS (
        SELECT m.invoice_record, max(coalesce(m.stage, 1)) AS stage
        FROM message AS m
        WHERE m.kind = 'payment_reminder' AND m.invoice_record IS NOT NULL
        GROUP BY m.invoice_record
    ),
    -- a mailbox that a stranger claims is none; one that staff wrote down is theirs whom they wrote it down for, one that
    -- the support desk proved is somebody's
    mailbox AS (
        SELECT
            entity_id, value,
            bool_or(asserted_by = 'staff' AND split_part(record_id, ':', 1) <> 'support') AS noted,
            bool_or(asserted_by = 'verified') AS proved
        FROM contact_point
        WHERE channel = 'email' AND asserted_by IN ('staff', 'verified')
        GROUP BY entity_id, value
    ),
    -- whom to write to: who handles invoices there, if anybody does
    contact AS (
        SELECT w.to_entity AS organisation, w.from_entity AS person, m.value AS mailbox
        FROM relationship AS w
        JOIN entity AS e ON e.entity_id = w.from_entity
        JOIN person AS p ON p.entity_id = w.from_entity
        JOIN mailbox AS m ON m.entity_id = w.from_entity
        WHERE w.kind = 'works_at'
        QUALIFY row_number() OVER (
            PARTITION BY w.to_entity
            ORDER BY
                regexp_matches(
                    coalesce(p.job_title, ''),
                    '\b(accounts|accounting|accountant|financ\w*|billing|payables?|ledger|credit|bookkeep\w*|treasur\w*|cfo)\b',
                    'i'
                ) DESC,
                e.opted_out,
                e.standing = 'reconciled' DESC,
                m.noted DESC,
                m.proved DESC,
                w.from_entity, m.value
        ) = 1
    )
SELECT
    o.entity_id,
    e.name AS organisation,
    o.record_id AS invoice,
    o.number,
    o.amount_open,
    o.currency,
    o.due_on,
    o.stage,
    c.person,
    c.mailbox
FROM overdue AS o
JOIN entity AS e ON e.entity_id = o.entity_id
LEFT JOIN reminded AS r ON r.invoice_record = o.record_id
LEFT JOIN contact AS c ON c.organisation = o.entity_id
WHERE o.stage > coalesce(r.stage, 0)
ORDER BY o.stage DESC, o.amount_open DESC, o.record_id
