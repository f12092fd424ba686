-- kept: one link that holds.
CREATE OR REPLACE TABLE kept AS
SELECT record_a, record_b, strength, weight AS match_weight, match_probability, reason
FROM edge JOIN fate USING (position)
WHERE fate = 0
