-- A transaction's main line, which carries its total, and the lines of its items and tax.
CREATE TABLE erp.transaction_line AS
WITH line AS (
    SELECT *, 0 AS line, gross AS total, gross - paid AS unpaid FROM document
    UNION ALL
    SELECT *, 1, CASE WHEN u(n, 'two items') < .35 THEN round(net * .6, 2)
        ELSE net END, 0 FROM document WHERE kind <> 'payment'
    UNION ALL
    SELECT *, 2, net - round(net * .6, 2), 0 FROM document WHERE kind <> 'payment' AND u(n, 'two items') < .35
)

SELECT
    line AS id,
    id AS transaction,
    id * 4 + line AS uniquekey,
    FALSE AS _fivetran_deleted,
    synced(n) AS _fivetran_synced,
    line AS linesequencenumber,
    CASE WHEN line = 0 THEN 'T' ELSE 'F' END AS mainline,
    'F' AS taxline,
    key AS entity,
    CASE WHEN line > 0 THEN 1 + below(n * 4 + line, 'line item', 15) END AS item,
    CASE WHEN line > 0 THEN 'InvtPart' END AS itemtype,
    CASE WHEN line > 0 THEN 1 + below(n * 4 + line, 'quantity', 24) END AS quantity,
    CASE WHEN line > 0 THEN round(total / (1 + below(n * 4 + line, 'quantity', 24)), 2)::DECIMAL(12,
        2)::VARCHAR END AS rate,
    CASE
        WHEN line = 0 AND kind = 'bill' AND u(id, 'amount unreadable') < rate('amount unreadable')
            THEN ['#REF!', 'see attached', ''][1 + below(id, 'unreadable', 3)]
        WHEN line = 0 AND u(id, 'amount style') < .01 THEN format('{:,.2f}', total)
        ELSE total::DECIMAL(12, 2)::VARCHAR
    END AS foreignamount,
    CASE WHEN line = 0 AND kind = 'bill' THEN paid::DECIMAL(12, 2)::VARCHAR END AS foreignamountpaid,
    CASE WHEN line = 0 AND kind = 'bill' THEN unpaid::DECIMAL(12, 2)::VARCHAR END AS foreignamountunpaid,
    total::DECIMAL(12, 2)::VARCHAR AS netamount,
    CASE WHEN line = 0 OR kind = 'receipt' THEN from_id END AS createdfrom,
    CASE WHEN line > 0 THEN pick('items', n * 4 + line, 'line item') END AS memo,
    CASE WHEN done THEN 'T' ELSE 'F' END AS isclosed,
    1::BIGINT AS subsidiary
FROM line
ORDER BY uniquekey;
