-- telling_word: one word of a name that tells a firm from its sisters, and which of the declared words it is, in the
-- singular: itself, or one of six letters and more that a slip made of it (two slips in ten letters and more). A short
-- word that begins otherwise is another word: dental is no rental.
CREATE OR REPLACE TABLE telling_word AS
WITH token AS (SELECT DISTINCT unnest(string_split(key, ' ')) AS token FROM word),
declared AS (SELECT unnest($telling) AS word),
alike AS (
    SELECT token, word FROM token JOIN declared ON token = word
    UNION
    SELECT token, word FROM token JOIN declared ON left(token, 1) = left(word, 1)
    WHERE length(word) >= 6 AND abs(length(token) - length(word)) <= 1
      AND damerau_levenshtein(token, word) <= CASE WHEN length(word) >= 10 THEN 2 ELSE 1 END
    UNION
    SELECT token, word FROM token JOIN declared ON right(token, 3) = right(word, 3)
    WHERE length(word) >= 7 AND abs(length(token) - length(word)) <= 1
      AND damerau_levenshtein(token, word) <= CASE WHEN length(word) >= 10 THEN 2 ELSE 1 END
)
SELECT token, rtrim(arg_min(word, levenshtein(token, word)), 's') AS word
FROM alike
GROUP BY token
