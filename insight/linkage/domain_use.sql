-- domain_use: one domain of which several firms are known, that are told apart by words, places or numbers, by what is
-- firmly stated. There a short name and the domain are those of the family, and of no one of it.
CREATE OR REPLACE TABLE domain_use AS
WITH named AS (
    SELECT unnest([k_domain, k_email_domain]) AS domain, k_name FROM firmly WHERE k_name IS NOT NULL
),
signed AS (
    SELECT k_name, list_sort(list_distinct(list(telling_word.word))) AS words
    FROM (SELECT DISTINCT k_name, unnest(string_split(k_name, ' ')) AS token FROM named)
    LEFT JOIN telling_word USING (token)
    GROUP BY k_name
)
SELECT domain, count(DISTINCT (words, word.places, word.numbers))::INTEGER AS firms
FROM named JOIN signed USING (k_name) LEFT JOIN word ON word.key = k_name
WHERE domain IS NOT NULL
GROUP BY domain
HAVING firms > 1
