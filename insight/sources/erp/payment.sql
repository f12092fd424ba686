-- One payment by a customer, with the invoice that its main line came from.
SELECT
    'transaction' AS source_table,
    head._key AS source_key,
    CASE WHEN customer.isperson = 'T' AND nullif(trim(customer.companyname), '') IS NULL THEN NULL ELSE 'customer:' || head.entity END AS organisation_key,
    CASE WHEN customer.isperson = 'T' THEN 'customer:' || head.entity END AS person_key,
    line.createdfrom AS invoice_key,
    line.foreignamount AS amount,
    currency.symbol AS currency,
    head.trandate AS paid_on,
    ['transaction_line:' || line._key, 'customer:' || customer._key, 'currency:' || currency._key] AS supported_by
FROM "transaction" AS head
LEFT JOIN transaction_line AS line ON line."transaction" = head.id AND line.mainline = 'T'
LEFT JOIN customer ON customer.id = head.entity
LEFT JOIN currency ON currency.id = head.currency
WHERE head.type = 'CustPymt'
