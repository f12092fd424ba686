-- One transaction of a type that no fact is made of, or one row that completes nothing: what it belongs to was deleted,
-- or nobody has it.
WITH spare AS (
    SELECT 'transaction_line' AS source_table, _key, 'there is no transaction ' || "transaction" AS detail
    FROM transaction_line
    ANTI JOIN "transaction" AS head ON head.id = transaction_line."transaction"
    UNION ALL
    SELECT 'entity_address', _key, 'no customer or vendor is billed at the address ' || nkey
    FROM entity_address
    ANTI JOIN customer ON customer.defaultbillingaddress = nkey
    ANTI JOIN vendor ON vendor.defaultbillingaddress = nkey
    UNION ALL
    SELECT 'term', _key, 'no customer or vendor has the term ' || id
    FROM term
    ANTI JOIN customer ON customer.terms = term.id
    ANTI JOIN vendor ON vendor.terms = term.id
    UNION ALL
    SELECT 'currency', _key, 'no customer, vendor or transaction has the currency ' || id
    FROM currency
    ANTI JOIN customer ON customer.currency = currency.id
    ANTI JOIN vendor ON vendor.currency = currency.id
    ANTI JOIN "transaction" AS head ON head.currency = currency.id
)

SELECT
    'transaction' AS source_table,
    _key AS source_key,
    'unknown:type' AS reason,
    'no fact is made of a transaction of the type ' || coalesce(type, 'NULL') AS detail
FROM "transaction"
WHERE type IS NULL OR type NOT IN ('SalesOrd', 'CustInvc', 'CustPymt', 'PurchOrd', 'ItemRcpt', 'VendBill')
UNION ALL
SELECT source_table, _key, 'completes:nothing', detail
FROM spare
