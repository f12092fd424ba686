SELECT p.action, p.agent, p.action_type, p.entity_id, p.batch_id, p.row_id, b.snapshot_id, b.business_date,
    p.proposed_at, p.edited_from, d.verdict, d.decided_at, o.state AS outcome, u.action IS NOT NULL AS undone
FROM kept.proposal AS p
LEFT JOIN kept.batch AS b USING (batch_id)
LEFT JOIN (FROM kept.decision QUALIFY decision_id = max(decision_id) OVER (PARTITION BY action)) AS d USING (action)
LEFT JOIN kept.outbox AS o USING (action)
LEFT JOIN (SELECT DISTINCT action FROM kept.undo WHERE state = 'done') AS u USING (action)
ORDER BY p.proposed_at, p.action
