SELECT h.batch_id, b.agent, h.row_id, r.entity_id, p.action, h.number, h.step, h.attempts, h.state, h.output_digest,
    h.taken_at
FROM kept.handoff AS h
JOIN kept.batch AS b USING (batch_id)
JOIN kept.trigger_row AS r USING (row_id)
LEFT JOIN (
    FROM kept.proposal QUALIFY row_number() OVER (PARTITION BY row_id ORDER BY proposed_at, action) = 1
) AS p USING (row_id)
ORDER BY h.taken_at, h.batch_id, h.number
