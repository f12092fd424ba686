SELECT o.action, p.agent, p.action_type, p.entity_id, o.permit_id, o.effect_key, o.tool_server, o.tool, o.state,
    o.attempts, o.intended_at, o.settled_at, o.confirmed_record, u.state AS undo_state,
    coalesce(u.settled_at, u.intended_at) AS undo_at, 
    CASE WHEN u.state = 'done' THEN [] ELSE coalesce(t.how, []) END AS tainted
FROM kept.outbox AS o
JOIN kept.proposal AS p USING (action)
LEFT JOIN (FROM kept.undo QUALIFY row_number() OVER (PARTITION BY action ORDER BY intended_at DESC, undo_id) = 1) AS u
    USING (action)
LEFT JOIN (
    SELECT action, list_sort(list(DISTINCT how)) AS how FROM kept.tainted_effect WHERE cleared_at IS NULL GROUP BY ALL
) AS t USING (action)
ORDER BY o.intended_at, o.action
