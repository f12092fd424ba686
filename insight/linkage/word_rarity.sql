-- word.rarest: of each name, in how many names its rarest word stands; word.distinctive: whether that is so few, and the
-- names so many, that two firms would hardly share the whole name by chance.
CREATE OR REPLACE TABLE word AS
WITH token AS (SELECT key, unnest(list_distinct(string_split(key, ' '))) AS token FROM word),
rarest AS (
    SELECT key, min(coalesce(held.names, 1)) AS rarest, count(*) AS words
    FROM token LEFT JOIN held USING (token)
    GROUP BY key
)
SELECT word.*, rarest, words > 1 AND rarest <= least(6, $names / 200) AS distinctive
FROM word JOIN rarest USING (key)
