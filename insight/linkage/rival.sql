-- rival: one pair of records of two systems for which one side has another candidate in the other's system, and whether
-- that candidate is better, or else no more than the margin from being as good. Candidates that are `bound` to each other
-- are one candidate, and judgements and strong keys have no rivals.
CREATE OR REPLACE TABLE rival AS
WITH sided AS (
    SELECT record_a AS record, record_b AS candidate, system_b AS system, strength, standing_weight FROM pairing
    WHERE forbidden_by IS NULL AND system_a <> system_b
    UNION ALL
    SELECT record_b, record_a, system_a, strength, standing_weight FROM pairing
    WHERE forbidden_by IS NULL AND system_a <> system_b
),
placed AS (
    SELECT sided.*, coalesce(bound.block, candidate) AS block
    FROM sided LEFT JOIN bound ON bound.record_id = candidate
),
compared AS (
    SELECT
        least(one.record, one.candidate) AS record_a,
        greatest(one.record, one.candidate) AS record_b,
        other.standing_weight - one.standing_weight AS lead,
        one.strength IS NOT NULL AS would_be_accepted
    FROM placed AS one
    JOIN placed AS other ON one.record = other.record AND one.system = other.system AND one.block <> other.block
    WHERE coalesce(one.strength, 2) > 1 AND other.strength <= coalesce(one.strength, 3)
)
SELECT record_a, record_b, max(lead) > {margin} AS is_better
FROM compared
WHERE lead > {margin} OR (would_be_accepted AND lead >= -{margin})
GROUP BY ALL
