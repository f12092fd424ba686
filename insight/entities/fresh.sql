-- Clusters that keep no id.
SELECT DISTINCT cluster FROM clustered
ANTI JOIN (SELECT cluster FROM overlap WHERE NOT contested UNION ALL SELECT cluster FROM inherited) AS held
    USING (cluster)
ORDER BY cluster
