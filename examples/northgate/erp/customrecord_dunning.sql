-- One reminder that Northgate's own people sent. Precede writes its own here too, each with an effect key.
CREATE TABLE erp.customrecord_dunning AS
WITH reminded AS (
    SELECT document.*, 1 AS stage, due + 5 AS sent FROM document
        WHERE kind = 'bill' AND NOT buying AND due + 8 < getvariable('as_of')
        AND u(id, 'reminded') < CASE WHEN paid < gross THEN .35 ELSE .05 END
    UNION ALL
    SELECT document.*, 2, due + 19 FROM document WHERE kind = 'bill' AND NOT buying AND due + 22 < getvariable('as_of')
        AND u(id, 'reminded') < CASE WHEN paid < gross THEN .2 ELSE .015 END
)

SELECT
    row_number() OVER (ORDER BY sent, reminded.id, stage) AS id,
    reminded.id AS custrecord_invoice,
    reminded.key AS custrecord_customer,
    stage::BIGINT AS custrecord_stage,
    customer.email AS custrecord_recipient,
    CASE stage WHEN 1 THEN 'Reminder: invoice INV-'
        ELSE 'Second reminder: invoice INV-' END || lpad(n::VARCHAR, 6, '0') AS custrecord_subject,
    strftime(sent::TIMESTAMP + to_seconds(33000 + below(reminded.id, 'sent at', 20000)),
        '%Y-%m-%d %H:%M:%S') AS custrecord_sent_at,
    NULL::VARCHAR AS custrecord_effect_key,
    ['credit.control', 'p.ledger', 'accounts'][1 + below(reminded.id, 'sent by', 3)]
        || '@northgate-supplies.example' AS custrecord_created_by,
    synced(n) AS _fivetran_synced
FROM reminded
JOIN erp.customer ON customer.id = reminded.key
ORDER BY 1;
