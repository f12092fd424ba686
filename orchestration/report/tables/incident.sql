-- whose a row is by the effect key that it states, where an effect was ever meant under it; the key itself is whatever a
-- source says, and stays there
SELECT i.record_id, i.how, p.action, p.agent, i.snapshot_id, i.found_at
FROM kept.incident AS i
LEFT JOIN (
    SELECT effect_key, arg_max(action, intended_at) AS action FROM kept.outbox GROUP BY ALL
    UNION ALL
    SELECT DISTINCT 'undo:' || action, action FROM kept.undo
) AS e ON e.effect_key = i.effect_key
LEFT JOIN kept.proposal AS p ON p.action = e.action
ORDER BY i.found_at, i.record_id, i.how
