-- One order to a vendor, with the amount of its main line.
SELECT
    'transaction' AS source_table,
    head._key AS source_key,
    CASE WHEN vendor.isperson = 'T' AND nullif(trim(vendor.companyname), '') IS NULL THEN NULL ELSE 'vendor:' || head.entity END AS organisation_key,
    CASE WHEN vendor.isperson = 'T' THEN 'vendor:' || head.entity END AS person_key,
    head.tranid AS number,
    CASE head.status
        WHEN 'A' THEN 'pending approval'
        WHEN 'B' THEN 'pending receipt'
        WHEN 'C' THEN 'rejected'
        WHEN 'D' THEN 'partially received'
        WHEN 'F' THEN 'pending bill'
        WHEN 'G' THEN 'billed'
        WHEN 'H' THEN 'closed'
        ELSE head.status
    END AS status,
    line.foreignamount AS amount,
    currency.symbol AS currency,
    head.trandate AS ordered_on,
    ['transaction_line:' || line._key, 'vendor:' || vendor._key, 'currency:' || currency._key] AS supported_by
FROM "transaction" AS head
LEFT JOIN transaction_line AS line ON line."transaction" = head.id AND line.mainline = 'T'
LEFT JOIN vendor ON vendor.id = head.entity
LEFT JOIN currency ON currency.id = head.currency
WHERE head.type = 'PurchOrd'
