-- kept: one link that holds, by positions.
CREATE OR REPLACE TABLE kept AS
SELECT a, b, strength, weight AS match_weight, match_probability, reason
FROM edge POSITIONAL JOIN fate
WHERE fate = 0
