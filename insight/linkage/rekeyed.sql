-- rekeyed: one key that a touched record has or had, how many records shared it, how many do, and whether that takes it
-- across what the rule allows: then pairs of other records come or go with it.
CREATE OR REPLACE TABLE rekeyed AS
WITH affected AS (FROM old_key UNION ALL FROM new_key),
held AS (
    SELECT key, count(*) AS were, count(*) FILTER (NOT is_touched) AS stayed FROM sharer GROUP BY key
),
coming AS (SELECT key, count(*) AS came FROM new_key GROUP BY key),
counted AS (
    SELECT
        affected.rule,
        affected.key,
        coalesce(any_value(were), 0) AS were,
        coalesce(any_value(stayed), 0) + coalesce(any_value(came), 0) AS are
    FROM affected LEFT JOIN held USING (key) LEFT JOIN coming USING (key)
    GROUP BY affected.rule, affected.key
)
SELECT
    rule,
    key,
    are BETWEEN 2 AND largest.records AS is_live,
    (were <= largest.records) <> (are <= largest.records) AS is_crossing
FROM counted JOIN largest USING (rule)
