SELECT s.number, s.scope, s.name, s.at AS stopped_at, s.lifted_at AS started_at, s.operator AS person,
    CAST(json_extract(s.proof, '$.proven') AS BOOLEAN) AS proven,
    CAST(json_extract_string(s.proof, '$.at') AS TIMESTAMPTZ) AS looked_at,
    CAST(json_extract(s.proof, '$.milliseconds') AS DOUBLE) / 1000 AS stood_still_after
FROM kept.stop AS s
ORDER BY s.number
