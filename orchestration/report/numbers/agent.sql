-- one row is one agent of which anything happened in the period
WITH woken AS (
    SELECT agent, count(*) AS wakes, sum(shown) AS shown, sum(declined) AS declined, sum(failed) AS left_to_people,
        sum(refused) AS refused, count(*) FILTER (state = 'waiting') AS unanswered
    FROM wake WHERE woken_at >= $since AND woken_at < $until GROUP BY ALL
),
wished AS (
    SELECT agent, count(*) AS proposals, count(*) FILTER (verdict IS NULL) AS undecided
    FROM action WHERE proposed_at >= $since AND proposed_at < $until GROUP BY ALL
),
judged AS (
    SELECT agent, count(*) FILTER (verdict = 'allow') AS allowed, count(*) FILTER (verdict = 'review') AS reviewed,
        count(*) FILTER (verdict = 'deny') AS denied
    FROM decided GROUP BY ALL
),
held AS (
    SELECT agent, count(DISTINCT action) AS held FROM approval
    WHERE held_at >= $since AND held_at < $until GROUP BY ALL
),
answered AS (
    SELECT agent, count(*) FILTER (state = 'approve') AS approved, count(*) FILTER (state = 'edit') AS edited,
        count(*) FILTER (state = 'reject') AS rejected, count(*) FILTER (state = 'over') AS fell_away,
        median(seconds) FILTER (state <> 'over') AS median_wait, max(seconds) FILTER (state <> 'over') AS longest_wait
    FROM approval WHERE ended_at >= $since AND ended_at < $until GROUP BY ALL
),
voided AS (
    SELECT agent, count(*) AS voided FROM approval WHERE voided_at >= $since AND voided_at < $until GROUP BY ALL
),
waiting AS (
    SELECT agent, count(*) AS waiting FROM approval
    WHERE held_at < $until AND (ended_at IS NULL OR ended_at >= $until) GROUP BY ALL
),
meant AS (
    SELECT agent, count(*) AS effects, count(*) FILTER (state = 'done') AS done, count(*) FILTER (state = 'failed') AS failed,
        count(*) FILTER (state = 'unknown') AS unknown,
        count(*) FILTER (state NOT IN ('done', 'failed', 'unknown')) AS under_way,
        count(*) FILTER (confirmed_record IS NOT NULL) AS confirmed, count(*) FILTER (tainted <> []) AS tainted
    FROM outcome WHERE intended_at >= $since AND intended_at < $until GROUP BY ALL
),
taken_back AS (
    SELECT agent, count(*) AS undone FROM outcome
    WHERE undo_state = 'done' AND undo_at >= $since AND undo_at < $until GROUP BY ALL
),
handed AS (
    SELECT agent, count(*) AS steps, count(*) FILTER (attempts > 1) AS retried, count(*) FILTER (state = 'failed') AS failed_steps
    FROM handoff WHERE taken_at >= $since AND taken_at < $until GROUP BY ALL
),
witnessed AS (
    SELECT agent, count(*) AS incidents FROM incident
    WHERE agent IS NOT NULL AND found_at >= $since AND found_at < $until GROUP BY ALL
),
of_all AS (
    SELECT agent FROM wake UNION SELECT agent FROM action
),
stop_of AS (
    SELECT name AS agent, stopped_at, started_at FROM stop WHERE scope = 'agent'
    UNION ALL
    SELECT of_all.agent, stopped_at, started_at FROM stop, of_all WHERE scope = 'all'
),
halted AS (
    SELECT agent, count(*) FILTER (stopped_at >= $since) AS stops,
        sum(epoch(least(coalesce(started_at, $until), $until) - greatest(stopped_at, $since))) AS stopped_seconds
    FROM stop_of WHERE stopped_at < $until AND coalesce(started_at, $until) > $since GROUP BY ALL
),
of_whom AS (
    SELECT agent FROM woken UNION SELECT agent FROM wished UNION SELECT agent FROM judged UNION SELECT agent FROM held
    UNION SELECT agent FROM answered UNION SELECT agent FROM voided UNION SELECT agent FROM waiting
    UNION SELECT agent FROM meant UNION SELECT agent FROM taken_back UNION SELECT agent FROM handed
    UNION SELECT agent FROM halted UNION SELECT agent FROM witnessed
)
FROM of_whom
LEFT JOIN woken USING (agent) LEFT JOIN wished USING (agent) LEFT JOIN judged USING (agent) LEFT JOIN held USING (agent)
LEFT JOIN answered USING (agent) LEFT JOIN voided USING (agent) LEFT JOIN waiting USING (agent)
LEFT JOIN meant USING (agent) LEFT JOIN taken_back USING (agent) LEFT JOIN handed USING (agent)
LEFT JOIN halted USING (agent) LEFT JOIN witnessed USING (agent)
ORDER BY agent
