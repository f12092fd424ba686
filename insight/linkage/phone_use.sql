-- phone_use: one number and how many families use it, by what is firmly stated. A number of three is nobody's own.
CREATE OR REPLACE TABLE phone_use AS
SELECT number, count(DISTINCT k_family) AS families
FROM (SELECT unnest([phone, mobile]) AS number, k_family FROM firmly)
WHERE number IS NOT NULL
GROUP BY number
