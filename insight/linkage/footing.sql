-- footing: of one link, how strong it is (see verdict), and whether it stands, or is in doubt, by what is firmly
-- asserted. Here as in `link`, record_a comes before record_b.
CREATE OR REPLACE TABLE footing AS
SELECT record_a, record_b, CASE WHEN status = 'accepted' THEN strength END AS strength, firm FROM decided
UNION ALL
SELECT record_a, record_b, NULL, true FROM apart
