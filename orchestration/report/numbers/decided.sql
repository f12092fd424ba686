-- what was decided in the period: of each action its last decision there
FROM decision
WHERE decided_at >= $since AND decided_at < $until
QUALIFY decision_id = max(decision_id) OVER (PARTITION BY action)
