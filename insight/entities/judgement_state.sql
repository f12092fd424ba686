-- judgement_state: one judgement of a person, and what became of it: obeyed, contradicted by what the data says now,
-- expired, or unplaced where what it is about is not here. It is obeyed where it can be, contradicted or not.
CREATE OR REPLACE TABLE judgement_state AS
WITH pairs AS (
    SELECT
        judgement_id,
        verdict,
        a.entity_id IS NOT NULL AND b.entity_id IS NOT NULL AS placed,
        a.entity_id = b.entity_id AS together,
        veto,
        tier,
        CASE {differs} END AS differs,
        CASE {agrees} END AS agrees
    FROM judged
    LEFT JOIN member AS a ON a.record_id = record_a
    LEFT JOIN member AS b ON b.record_id = record_b
    LEFT JOIN link USING (record_a, record_b)
),
of_pairs AS (
    SELECT
        judgement_id,
        placed,
        CASE
            WHEN verdict = 'same' AND NOT together THEN 'another judgement keeps the two records apart'
            WHEN verdict = 'same' AND veto <> 'judgement' THEN 'the rule ' || veto || ' forbids the link'
            WHEN verdict = 'same' THEN differs
            WHEN together THEN 'another judgement brings the two records together'
            WHEN tier <> 'judgement' THEN 'the two records share the strong key ' || tier
            ELSE agrees
        END AS objection
    FROM pairs
),
of_values AS (
    SELECT
        settlement.judgement_id,
        expired,
        member.entity_id IS NOT NULL AND settlement.field IN ({fields}) AS placed,
        CASE
            WHEN held_value.judgement_id IS NULL THEN 'another judgement on the same field came later, or the value cannot be read'
            WHEN overruled.entity_id IS NOT NULL THEN 'no record of the entity states the value any more'
        END AS objection,
        settlement.field IN ({fields}) AS known
    FROM settlement
    LEFT JOIN member USING (record_id)
    LEFT JOIN held_value ON held_value.judgement_id = settlement.judgement_id
    LEFT JOIN overruled ON overruled.entity_id = held_value.entity_id AND overruled.field = settlement.field
)
SELECT
    judgement_id,
    $record_type AS entity_type,
    CASE WHEN NOT placed THEN 'unplaced' WHEN objection IS NOT NULL THEN 'contradicted' ELSE 'obeyed' END AS state,
    CASE WHEN NOT placed THEN 'one of the two records is not there' ELSE coalesce(objection, '') END AS detail
FROM of_pairs
UNION ALL
SELECT
    judgement_id,
    $record_type,
    CASE
        WHEN expired THEN 'expired'
        WHEN NOT placed THEN 'unplaced'
        WHEN objection IS NOT NULL THEN 'contradicted' ELSE 'obeyed'
    END,
    CASE
        WHEN expired THEN 'its last day is over'
        WHEN NOT known THEN 'no one value of this field survives'
        WHEN NOT placed THEN 'the record is not there'
        ELSE coalesce(objection, '')
    END
FROM of_values
