-- One row: a cluster, an entity id that some of its records had before, and how many. Contested where either side has
-- more than one counterpart; what is not contested keeps its id without further ado.
CREATE OR REPLACE TABLE overlap AS
WITH shared AS (
    SELECT cluster, previous.entity_id, count(*) AS records
    FROM clustered JOIN previous USING (record_id)
    GROUP BY ALL
)
SELECT
    *,
    count(*) OVER (PARTITION BY cluster) > 1 OR count(*) OVER (PARTITION BY entity_id) > 1 AS contested
FROM shared
