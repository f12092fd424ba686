-- One receipt of goods, with the purchase order that its main line came from.
SELECT
    'transaction' AS source_table,
    head._key AS source_key,
    CASE WHEN vendor.isperson = 'T' AND nullif(trim(vendor.companyname), '') IS NULL THEN NULL ELSE 'vendor:' || head.entity END AS organisation_key,
    CASE WHEN vendor.isperson = 'T' THEN 'vendor:' || head.entity END AS person_key,
    line.createdfrom AS order_key,
    CASE head.status WHEN 'Y' THEN 'received' ELSE head.status END AS status,
    head.trandate AS received_on,
    ['transaction_line:' || line._key, 'vendor:' || vendor._key] AS supported_by
FROM "transaction" AS head
LEFT JOIN transaction_line AS line ON line."transaction" = head.id AND line.mainline = 'T'
LEFT JOIN vendor ON vendor.id = head.entity
WHERE head.type = 'ItemRcpt'
