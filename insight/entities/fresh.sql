-- fresh: one cluster that keeps no id, and the id that its first record gives it.
CREATE OR REPLACE TABLE fresh AS
SELECT cluster, $prefix || '_' || sha256(record_id)[:16] AS entity_id
FROM (
    SELECT DISTINCT cluster FROM clustered
    ANTI JOIN (SELECT cluster FROM overlap WHERE NOT contested UNION ALL SELECT cluster FROM inherited) AS held
        USING (cluster)
)
JOIN node ON node.rowid = cluster
