-- One invoice: ours to a customer, or a vendor's bill to us, with the amounts of its main line.
SELECT
    'transaction' AS source_table,
    head._key AS source_key,
    CASE
        WHEN head.type = 'VendBill' THEN 'vendor:' || head.entity
        WHEN customer.isperson = 'T' AND nullif(trim(customer.companyname), '') IS NULL THEN NULL
        ELSE 'customer:' || head.entity
    END AS organisation_key,
    CASE WHEN head.type = 'CustInvc' AND customer.isperson = 'T' THEN 'customer:' || head.entity END AS person_key,
    head.tranid AS number,
    CASE head.type WHEN 'CustInvc' THEN 'receivable' ELSE 'payable' END AS direction,
    CASE head.status WHEN 'A' THEN 'open' WHEN 'B' THEN 'paid' WHEN 'V' THEN 'voided' ELSE head.status END AS status,
    line.foreignamount AS amount,
    line.foreignamountunpaid AS amount_open,
    currency.symbol AS currency,
    head.trandate AS issued_on,
    head.duedate AS due_on,
    head.custbody_disputed AS disputed,
    CASE WHEN head.type = 'CustInvc' THEN line.createdfrom END AS order_key,
    ['transaction_line:' || line._key, 'customer:' || customer._key, 'currency:' || currency._key] AS supported_by
FROM "transaction" AS head
LEFT JOIN transaction_line AS line ON line."transaction" = head.id AND line.mainline = 'T'
LEFT JOIN customer ON customer.id = head.entity AND head.type = 'CustInvc'
LEFT JOIN currency ON currency.id = head.currency
WHERE head.type IN ('CustInvc', 'VendBill')
