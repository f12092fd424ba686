SELECT s.seq, s.agent, s.at AS stopped_at,
    (SELECT min(g.at) FROM kept.stopping AS g
     WHERE g.kind = 'agent_started' AND g.agent = s.agent AND g.seq > s.seq) AS started_at,
    s.person
FROM kept.stopping AS s
WHERE s.kind = 'agent_stopped'
ORDER BY s.seq
