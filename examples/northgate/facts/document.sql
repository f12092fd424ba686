-- One document of a trade that NetSuite calls a transaction.
CREATE TABLE document AS
WITH billed AS (
    SELECT *, CASE paid_share WHEN 1 THEN gross WHEN 0 THEN 0
        ELSE round(gross * paid_share, 2) END::DECIMAL(12, 2) AS paid FROM trade
)

SELECT n * 4 + 100000 AS id, n, draw, key, currency, tab = 'vendor' AS buying, 'order' AS kind,
    issued - below(draw, 'ordered days', 20)::INT AS dated,
    NULL::DATE AS due, NULL::BIGINT AS from_id, gross, net, 0::DECIMAL(12, 2) AS paid, FALSE AS disputed, seen,
        billed AS done
FROM billed WHERE ordered
UNION ALL
SELECT n * 4 + 100001, n, draw, key, currency, TRUE, 'receipt', issued - below(draw, 'received days', 5)::INT, NULL,
    n * 4 + 100000, gross, net, 0, FALSE, seen, TRUE
FROM billed WHERE tab = 'vendor' AND ordered AND received
UNION ALL
SELECT n * 4 + 100002, n, draw, key, currency, tab = 'vendor', 'bill', issued, due, CASE
    WHEN ordered THEN n * 4 + 100000 END, gross, net, paid, disputed, seen, paid = gross
FROM billed WHERE billed
UNION ALL
SELECT n * 4 + 100003, n, draw, key, currency, FALSE, 'payment',
    least(getvariable('as_of'), due + floor(bell(draw, 'paid days') * 12)::INT), NULL,
    n * 4 + 100002, paid, paid, paid, FALSE, seen, TRUE
FROM billed WHERE tab = 'customer' AND paid > 0
ORDER BY 1;
