-- clustered: one record and the first record id of its cluster, in clusters that have a record of today.
CREATE OR REPLACE TABLE clustered AS
SELECT * FROM gathered
SEMI JOIN (SELECT cluster FROM gathered SEMI JOIN record USING (record_id)) USING (cluster)
