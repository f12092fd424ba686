-- Pairs that accepted links join without their having been compared, and that a veto forbids, go into `link` too.
INSERT INTO link
WITH placed AS (
    SELECT record_id, component, count(*) OVER (PARTITION BY component) AS records
    FROM joined JOIN arriving USING (position)
),
apart AS (
    SELECT l.unique_id AS record_a, r.unique_id AS record_b, {veto} AS veto
    FROM placed AS a
    JOIN placed AS b ON a.component = b.component AND a.record_id < b.record_id
    JOIN feature AS l ON l.unique_id = a.record_id
    JOIN feature AS r ON r.unique_id = b.record_id
    WHERE a.records BETWEEN 3 AND {closed}
)
SELECT $record_type, record_a, record_b, NULL, NULL, NULL, veto, 'vetoed', '{{}}'
FROM apart
ANTI JOIN verdict USING (record_a, record_b)
WHERE veto IS NOT NULL
