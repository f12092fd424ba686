-- A wait begins with the decision that holds an action, and ends with what a person says of it, with the next decision
-- on it that says something else, or not yet. A decision that holds what waits already begins no other wait.
WITH turned AS (
    FROM kept.decision
    QUALIFY verdict IS DISTINCT FROM lag(verdict) OVER (PARTITION BY action ORDER BY decision_id)
),
waited AS (
    SELECT *, lead(decided_at) OVER (PARTITION BY action ORDER BY decision_id) AS next_at FROM turned
),
answered AS (
    SELECT w.action, w.decision_id, a.*
    FROM waited AS w
    JOIN kept.approval AS a ON a.action = w.action AND a.at >= w.decided_at AND (w.next_at IS NULL OR a.at <= w.next_at)
    WHERE w.verdict = 'review'
    QUALIFY row_number() OVER (PARTITION BY w.action, w.decision_id ORDER BY a.at, a.approval_id) = 1
)
SELECT w.action, p.agent, p.action_type, p.entity_id, w.decision_id, w.decided_at AS held_at,
    CASE WHEN a.approval_id IS NOT NULL THEN a.verdict WHEN w.next_at IS NOT NULL THEN 'over' ELSE 'waiting' END AS state,
    a.approval_id, a.person, coalesce(a.at, w.next_at) AS ended_at,
    epoch(coalesce(a.at, w.next_at) - w.decided_at) AS seconds,
    a.expires_at, a.consumed_at, a.voided_at, a.void_code
FROM waited AS w
JOIN kept.proposal AS p USING (action)
LEFT JOIN answered AS a ON a.action = w.action AND a.decision_id = w.decision_id
WHERE w.verdict = 'review'
ORDER BY held_at, w.action
