-- held: one word of an organisation's name, and in how many distinct names that are firmly stated it stands.
CREATE OR REPLACE TABLE held AS
WITH named AS (
    SELECT unnest(k_names) AS name FROM firmly
    UNION
    SELECT k_name FROM firmly
)
SELECT token, count(*) AS names
FROM (SELECT name, unnest(list_distinct(string_split(name, ' '))) AS token FROM named WHERE name IS NOT NULL)
GROUP BY token
