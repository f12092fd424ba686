-- One transaction of a type that no fact is made of.
SELECT
    'transaction' AS source_table,
    _key AS source_key,
    'unknown:type' AS reason,
    'no fact is made of a transaction of the type ' || coalesce(type, 'NULL') AS detail
FROM "transaction"
WHERE type IS NULL OR type NOT IN ('SalesOrd', 'CustInvc', 'CustPymt', 'PurchOrd', 'ItemRcpt', 'VendBill')
