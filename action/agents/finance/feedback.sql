-- Run on a later snapshot. One row is one of the card's metrics, or the same figure for reminders that staff sent
-- themselves, to compare with: `metric, unit, value`.
WITH
    -- one invoice, and the first reminder of it
    reminded AS (
        SELECT
            m.invoice_record,
            CASE WHEN m.effect_key IS NULL THEN 'staff' ELSE 'precede' END AS sender,
            min(m.sent_at)::DATE AS reminded_on
        FROM message AS m
        WHERE m.kind = 'payment_reminder' AND m.invoice_record IS NOT NULL AND m.sent_at IS NOT NULL
        GROUP BY ALL
    ),
    paid AS (
        SELECT r.sender, r.invoice_record, r.reminded_on, p.amount, p.currency, p.paid_on
        FROM reminded AS r
        JOIN payment AS p ON p.invoice_record = r.invoice_record AND p.paid_on >= r.reminded_on
    ),
    settled AS (
        SELECT p.sender, p.invoice_record, max(p.paid_on) - any_value(p.reminded_on) AS days
        FROM paid AS p
        JOIN invoice AS i ON i.record_id = p.invoice_record AND i.amount_open <= 0
        GROUP BY p.sender, p.invoice_record
    ),
    figure AS (
        SELECT r.sender, 'paid_after_reminder' AS metric, 'share' AS unit,
            count(s.invoice_record) / count(*) AS value
        FROM reminded AS r
        LEFT JOIN settled AS s ON s.sender = r.sender AND s.invoice_record = r.invoice_record
        GROUP BY r.sender
        UNION ALL
        SELECT sender, 'days_to_payment', 'days', median(days) FROM settled GROUP BY sender
        UNION ALL
        SELECT sender, 'amount_collected', currency, sum(amount)::DOUBLE FROM paid GROUP BY sender, currency
    )
SELECT CASE sender WHEN 'staff' THEN metric || '_by_staff' ELSE metric END AS metric, unit, value
FROM figure
ORDER BY metric, unit
