-- A wait begins with the decision that holds an action, and ends with what a person says of it, with the next decision
-- on it that says something else, with what takes it out of the queue, or not yet. A decision that holds what waits
-- already begins no other wait; one that holds what was answered does: that answer is void.
WITH judged AS (
    SELECT d.action, d.decision_id, d.decided_at, d.verdict, a.decision_id IS NOT NULL AS answered
    FROM kept.decision AS d
    LEFT JOIN (SELECT DISTINCT decision_id FROM kept.approval) AS a USING (decision_id)
),
turned AS (
    SELECT * FROM judged
    WINDOW past AS (PARTITION BY action ORDER BY decision_id)
    QUALIFY verdict IS DISTINCT FROM lag(verdict) OVER past OR lag(answered) OVER past
),
waited AS (
    SELECT *, lead(decision_id) OVER past AS next_id, lead(decided_at) OVER past AS next_at FROM turned
    WINDOW past AS (PARTITION BY action ORDER BY decision_id)
),
answered AS (
    SELECT w.decision_id AS held_by, a.*
    FROM waited AS w
    JOIN kept.approval AS a
        ON a.action = w.action AND a.decision_id >= w.decision_id AND (w.next_id IS NULL OR a.decision_id < w.next_id)
    WHERE w.verdict = 'review'
    QUALIFY row_number() OVER (PARTITION BY w.decision_id ORDER BY a.at, a.approval_id) = 1
),
ended AS (
    SELECT w.action, w.decision_id, w.decided_at, w.next_id, a.approval_id, a.verdict, a.person, a.expires_at,
        a.consumed_at, a.voided_at, a.void_code, coalesce(a.at, w.next_at, h.changed_at) AS ended_at
    FROM waited AS w
    LEFT JOIN answered AS a ON a.held_by = w.decision_id
    LEFT JOIN kept.held AS h ON h.action = w.action AND h.state <> 'waiting'
    WHERE w.verdict = 'review'
)
SELECT e.action, p.agent, p.action_type, p.entity_id, e.decision_id, e.decided_at AS held_at,
    CASE WHEN e.approval_id IS NOT NULL THEN e.verdict WHEN e.ended_at IS NOT NULL THEN 'over' ELSE 'waiting' END AS state,
    e.approval_id, e.person, e.ended_at, epoch(e.ended_at - e.decided_at) AS seconds, e.expires_at, e.consumed_at,
    e.voided_at, e.void_code
FROM ended AS e
JOIN kept.proposal AS p USING (action)
ORDER BY held_at, e.action, e.decision_id
