-- word.rarest: of each name, in how many names its rarest word stands; word.distinctive: whether that is so few, and the
-- names so many, that two firms would hardly share the whole name by chance.
CREATE OR REPLACE TABLE word AS
WITH token AS (SELECT key, unnest(list_distinct(string_split(key, ' '))) AS token FROM word),
held AS (SELECT token, count(*) AS names FROM token GROUP BY token),
rarest AS (SELECT key, min(names) AS rarest, count(*) AS words FROM token JOIN held USING (token) GROUP BY key)
SELECT word.*, rarest, words > 1 AND rarest <= least(6, (SELECT count(*) FROM word) / 200) AS distinctive
FROM word JOIN rarest USING (key)
