-- pairing: of one compared pair, what decides whether another candidate is better, and how firm it is (see verdict).
CREATE OR REPLACE TABLE pairing AS
SELECT record_a, record_b, system_a, system_b, strength, standing_weight, forbidden_by, firm FROM verdict
