-- A contact an engagement is about.
CREATE TABLE crm.engagement_contact AS
SELECT person_row.key AS contact_id, note_key(company_note.seen, n) AS engagement_id, 'NOTE' AS engagement_type,
    202::BIGINT AS type_id,
    synced(person_row.seen) AS _fivetran_synced, 'HUBSPOT_DEFINED' AS category
FROM company_note
JOIN person_row ON person_row.tab = 'contact' AND person_row.org = company_note.org
    AND (NOT person_row.deleted OR person_row.merged)
WHERE u(company_note.seen * 8 + n, 'note has contact') < .6
QUALIFY row_number() OVER (PARTITION BY company_note.seen, n ORDER BY u(person_row.seen * 8 + n, 'note with'),
    person_row.seen) = 1
ORDER BY engagement_id;
