-- namesake: one employer and one manner of writing a name there, of which it has two people, by what is firmly stated: it
-- numbered the mailbox of one of them (`glenn.lloyd2@` tells that there is a `glennlloyd`).
CREATE OR REPLACE TABLE namesake AS
SELECT DISTINCT employer.entity_id AS employer, regexp_replace(local, '[^a-z]', '', 'g') AS handle
FROM (
    SELECT organisation_record, k_email_local AS local, k_email_domain AS domain FROM firmly
    UNION ALL
    SELECT organisation_record, k_other_email_local, k_other_email_domain FROM firmly
) AS mailbox
JOIN employer ON employer.record_id = organisation_record
WHERE domain IS NOT NULL AND regexp_full_match(local, '[^0-9]+[2-9]')
