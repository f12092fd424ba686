-- relationship: one record's statement that two entities belong together. What only `public` or `precede` asserts is
-- left out: nobody works at a company because they said so in a ticket.
SELECT person.entity_id AS from_entity, employer.entity_id AS to_entity, 'works_at' AS kind, record_id
FROM person_record
JOIN {person} AS person USING (record_id)
JOIN {organisation} AS employer ON employer.record_id = named
WHERE firm
UNION ALL
SELECT parent.entity_id, child.entity_id, 'parent_of', record_id
FROM organisation_record
JOIN {organisation} AS child USING (record_id)
JOIN {organisation} AS parent ON parent.record_id = named
WHERE firm AND parent.entity_id <> child.entity_id
