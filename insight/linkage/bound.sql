-- bound: one record that judgements, strong keys, a source's own merges, or links inside one system join to others, and
-- the first record of them all.
CREATE OR REPLACE TABLE bound AS
SELECT joined.record_id, first.record_id AS block
FROM joined
JOIN arriving USING (position)
JOIN joined AS first ON first.position = arriving.component
