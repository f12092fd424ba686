-- A transaction's head. `custbody_disputed` is a custom field.
CREATE TABLE erp."transaction" AS
SELECT
    id,
    FALSE AS _fivetran_deleted,
    synced(n) AS _fivetran_synced,
    CASE kind WHEN 'order' THEN CASE WHEN buying THEN 'PO' ELSE 'SO' END WHEN 'receipt' THEN 'IR'
        WHEN 'payment' THEN 'PYMT'
        ELSE CASE WHEN buying THEN 'BILL' ELSE 'INV' END END || id AS transactionnumber,
    CASE kind WHEN 'order' THEN CASE WHEN buying THEN 'PO-' ELSE 'SO-' END WHEN 'receipt' THEN 'IR-'
        WHEN 'payment' THEN 'PAY-'
        ELSE CASE WHEN buying THEN 'BILL-' ELSE 'INV-' END END || lpad(n::VARCHAR, 6, '0') AS tranid,
    CASE kind WHEN 'order' THEN CASE WHEN buying THEN 'PurchOrd' ELSE 'SalesOrd' END WHEN 'receipt' THEN 'ItemRcpt'
        WHEN 'payment' THEN 'CustPymt'
        ELSE CASE WHEN buying THEN 'VendBill' ELSE 'CustInvc' END END AS type,
    CASE WHEN u(id, 'memo') < .15 THEN pick('items', id, 'memo item') END AS memo,
    written_day(dated, id, 'trandate') AS trandate,
    CASE kind WHEN 'order' THEN CASE WHEN done THEN 'G' ELSE 'B' END WHEN 'receipt' THEN 'Y' WHEN 'payment' THEN 'C'
        ELSE CASE WHEN done THEN 'B' ELSE 'A' END END AS status,
    strftime(stamp(date_diff('day', dated, getvariable('as_of')), id, 'created'), '%Y-%m-%d %H:%M:%S') AS createddate,
    CASE WHEN due IS NOT NULL THEN written_day(due, id, 'duedate') END AS duedate,
    CASE WHEN kind = 'bill' AND done
        THEN strftime(least(getvariable('as_of'), due + 3), '%Y-%m-%d 00:00:00') END AS closedate,
    currency,
    key AS entity,
    CASE WHEN kind = 'order' THEN 'F' ELSE 'T' END AS posting,
    CASE WHEN disputed THEN 'T' ELSE 'F' END AS custbody_disputed
FROM document
ORDER BY id;
