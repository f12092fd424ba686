-- apart: one pair that accepted links join without its having been compared, and that a veto forbids.
CREATE OR REPLACE TABLE apart AS
WITH placed AS (
    SELECT record_id, component, count(*) OVER (PARTITION BY component) AS records
    FROM joined JOIN arriving USING (position)
),
together AS (
    SELECT a.record_id AS record_a, b.record_id AS record_b
    FROM placed AS a JOIN placed AS b ON a.component = b.component AND a.record_id < b.record_id
    WHERE a.records BETWEEN 3 AND {closed}
),
asked AS (
    SELECT l.unique_id AS record_a, r.unique_id AS record_b, {veto} AS veto
    FROM (FROM together ANTI JOIN {compared} AS compared USING (record_a, record_b)) AS together
    JOIN feature AS l ON l.unique_id = together.record_a
    JOIN feature AS r ON r.unique_id = together.record_b
)
SELECT record_a, record_b, veto FROM asked WHERE veto IS NOT NULL
