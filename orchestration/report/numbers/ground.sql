-- one row: for how many actions of an agent a reason, or a policy, was given in the last decision of the period
SELECT agent, verdict, kind, name, count(DISTINCT action) AS actions
FROM (
    SELECT agent, verdict, 'reason' AS kind, unnest(reasons) AS name, action FROM decided
    UNION ALL
    SELECT agent, verdict, 'policy' AS kind, unnest(policies) AS name, action FROM decided
)
GROUP BY ALL
ORDER BY agent, verdict, kind, actions DESC, name
