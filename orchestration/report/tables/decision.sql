SELECT d.decision_id, d.action, p.agent, p.action_type, p.entity_id, d.verdict,
    list_sort(list_distinct(json_extract_string(d.reasons, '$[*].code'))) AS reasons, json_extract_string(d.policies, '$[*]') AS policies,
    d.policy_digest, d.snapshot_id, d.decided_at, d.decision_id = max(d.decision_id) OVER (PARTITION BY action) AS last
FROM kept.decision AS d
JOIN kept.proposal AS p USING (action)
ORDER BY d.decision_id
