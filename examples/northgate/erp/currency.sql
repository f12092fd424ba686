-- A currency that Northgate bills in.
CREATE TABLE erp.currency AS
SELECT column0::BIGINT AS id, column1 AS name, column2 AS symbol, column3 AS exchangerate, column4 AS isbasecurrency,
    synced(column0) AS _fivetran_synced
FROM (VALUES (1, 'British pound', 'GBP', '1.00000000', 'T'), (2, 'US Dollar', 'USD', '0.76457273', 'F'),
    (4, 'Euro', 'EUR', '0.85120000', 'F')) AS known (column0, column1, column2, column3, column4);
