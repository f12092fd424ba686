-- A term of payment.
CREATE TABLE erp.term AS
SELECT column0::BIGINT AS id, column1 AS name, column2::BIGINT AS daysuntilnetdue, synced(column0) AS _fivetran_synced
FROM (VALUES (1, 'Net 30', 30), (2, 'Net 14', 14), (3, 'Net 45', 45), (4, 'Net 60', 60)) AS known (column0, column1,
    column2);
