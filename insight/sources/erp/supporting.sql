-- One row that no record is made of, and the row that it completes: each line of a transaction beside its main line, and
-- a term or currency that only private people and receipts have.
SELECT
    'transaction_line' AS source_table,
    line._key AS source_key,
    'transaction:' || head._key AS completes
FROM transaction_line AS line
JOIN "transaction" AS head ON head.id = line."transaction"
UNION ALL
SELECT 'term', term._key, min('customer:' || customer._key)
FROM term
JOIN customer ON customer.terms = term.id
GROUP BY term._key
UNION ALL
SELECT 'term', term._key, min('vendor:' || vendor._key)
FROM term
JOIN vendor ON vendor.terms = term.id
GROUP BY term._key
UNION ALL
SELECT 'currency', currency._key, min('customer:' || customer._key)
FROM currency
JOIN customer ON customer.currency = currency.id
GROUP BY currency._key
UNION ALL
SELECT 'currency', currency._key, min('vendor:' || vendor._key)
FROM currency
JOIN vendor ON vendor.currency = currency.id
GROUP BY currency._key
UNION ALL
SELECT 'currency', currency._key, min('transaction:' || head._key)
FROM currency
JOIN "transaction" AS head ON head.currency = currency.id
GROUP BY currency._key
