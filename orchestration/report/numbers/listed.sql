-- one row is one action of which anything happened in the period, those that somebody should look at first; as many of
-- each agent as are asked for
SELECT a.action, a.agent, a.action_type, a.entity_id,
    greatest(a.proposed_at, d.decided_at, w.answered_at, o.intended_at, o.undo_at) AS last_at, d.verdict, w.answer, coalesce(d.reasons, []) AS reasons, coalesce(d.policies, []) AS policies, o.state AS outcome,
    coalesce(o.undo_state = 'done', false) AS undone, coalesce(o.tainted, []) AS tainted, count(*) OVER () AS every
FROM action AS a
LEFT JOIN decided AS d USING (action)
LEFT JOIN outcome AS o USING (action)
LEFT JOIN (
    SELECT action, CASE WHEN ended_at < $until THEN state ELSE 'waiting' END AS answer,
        CASE WHEN ended_at < $until THEN ended_at END AS answered_at
    FROM approval WHERE held_at < $until
    QUALIFY row_number() OVER (PARTITION BY action ORDER BY held_at DESC, decision_id DESC) = 1
) AS w USING (action)
WHERE (a.proposed_at >= $since AND a.proposed_at < $until) OR d.action IS NOT NULL OR w.answered_at >= $since
    OR (o.intended_at >= $since AND o.intended_at < $until) OR (o.undo_at >= $since AND o.undo_at < $until)
QUALIFY row_number() OVER (
    PARTITION BY a.agent
    ORDER BY coalesce(o.state <> 'done' OR o.undo_state IS NOT NULL OR o.tainted <> [], false) DESC, o.state IS NULL, last_at DESC,
        a.action
) <= $most
ORDER BY a.agent, last_at DESC, a.action
