-- verdict: one pair that shares a strong key or reaches the review threshold, and what is to become of it, before it is
-- asked whether another candidate is better. What stands in braces comes from the declared rules.
-- strength: 0 a person's judgement, 1 strong key, 2 model, 3 model with public values, which attaches a record and merges
-- no others.
CREATE OR REPLACE TABLE verdict AS
WITH graded AS (
    SELECT
        scored.*,
        CASE WHEN judged.verdict = 'same' THEN 'judgement' ELSE tier_pair.tier END AS tier,
        judged.verdict AS judged,
        l.system AS system_a,
        r.system AS system_b,
        CASE judged.verdict WHEN 'same' THEN NULL WHEN 'different' THEN 'judgement' ELSE {veto} END AS forbidden_by,
        {agreements} AS agreements,
        {identifying} AS identifying,
        {firm_agreements} AS firm_agreements,
        {firm_identifying} AS firm_identifying
    FROM scored
    JOIN feature AS l ON l.position = scored.a
    JOIN feature AS r ON r.position = scored.b
    LEFT JOIN tier_pair ON tier_pair.a = scored.a AND tier_pair.b = scored.b
    LEFT JOIN judged ON judged.a = scored.a AND judged.b = scored.b
)
SELECT
    *,
    CASE
        WHEN forbidden_by IS NOT NULL THEN NULL
        WHEN judged = 'same' THEN 0
        WHEN tier IS NOT NULL THEN 1
        WHEN
            least(match_weight, firm_weight) >= {accept}
            AND firm_agreements >= {needed} AND firm_identifying >= {needed_identifying} THEN 2
        WHEN {attaches} AND match_weight >= {accept} AND agreements >= 2 AND identifying >= 1 AND firm_agreements >= 1
            THEN 3
    END AS strength,
    CASE WHEN tier IS NOT NULL THEN 1000 ELSE match_weight END AS standing_weight,
    tier IS NOT NULL OR firm_weight >= {review} AS firm
FROM graded
