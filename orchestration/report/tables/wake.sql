SELECT b.batch_id, b.agent, b.snapshot_id, b.business_date, b.created_at AS woken_at, b.state, b.row_count AS shown,
    coalesce(a.proposed, 0) AS proposed, coalesce(a.declined, 0) AS declined, coalesce(a.failed, 0) AS failed,
    coalesce(a.refused, 0) AS refused
FROM kept.batch AS b
LEFT JOIN (
    SELECT batch_id, count(*) FILTER (answer = 'proposed') AS proposed, count(*) FILTER (answer = 'declined') AS declined,
        count(*) FILTER (answer = 'failed') AS failed, count(*) FILTER (answer = 'refused') AS refused
    FROM kept.trigger_row GROUP BY ALL
) AS a USING (batch_id)
ORDER BY woken_at, batch_id
