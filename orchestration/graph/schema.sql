-- The published graph: one row of each table is what the comment says. `ddl.py` adds, from the declarations in model.py,
--   <fact>                               one fact: its record's columns, `entity_id`, `person_entity_id`, its fields
--   organisation | person                one golden record: `entity_id`, each field, and `<field>_record` it came from
--   organisation_record | person_record  one conformed record as its system states it, with its `entity_id`
--   fact                                 a view of all facts: `fact, record_id, entity_id, person_entity_id, system, ...`
--   source."<system>:<table>"            one source row as it was read, in the columns of the source
--   source_record                        a view of all source rows (source_rows.py), one row each:
--       record_id                        system:table:key
--       system, source_table, source_key
--       row_hash                         of the columns that are not volatile
--       row                              the declared columns as JSON
--       first_seen, last_seen            when the row was read first, and when its table was read for this graph
-- where `<what>_record` beside a source's own `<what>_key` is the record that the key names. macros.sql adds the macros.

CREATE SCHEMA source;

-- this graph; always one row
CREATE TABLE snapshot (
    snapshot_id VARCHAR NOT NULL,          -- also the data version of the asset `entity_graph`
    built_at TIMESTAMPTZ NOT NULL,
    run_id VARCHAR NOT NULL,               -- the Dagster run that built it
    code_version VARCHAR NOT NULL,
    model_versions JSON NOT NULL,          -- record type to model id
    previous_snapshot VARCHAR,
    inputs_digest VARCHAR NOT NULL,        -- of all that it was built from; the same inputs are not built again
    checks JSON NOT NULL                   -- blocking check to "passed"; a graph with another value is never published
);

-- one source table as this graph read it, and what became of its rows
CREATE TABLE snapshot_source (
    system VARCHAR NOT NULL,
    source_table VARCHAR NOT NULL,
    row_count BIGINT NOT NULL,
    data_version VARCHAR NOT NULL,
    read_at TIMESTAMPTZ NOT NULL,          -- the watermark when this graph was built; later reads stand in the store
    -- what became of the rows; NULL where that was not asked, and such a graph is not published
    records BIGINT,                        -- organisations and people that its rows drive; one row may drive two
    facts BIGINT,                          -- facts that its rows drive
    supporting BIGINT,                     -- rows that drive nothing and complete another row
    quarantined BIGINT,                    -- rows, or parts of one, in quarantine
    unaccounted BIGINT,                    -- rows that are none of these; a graph with one is not published
    suppressed BIGINT                      -- rows beside these that were left out: of people who were erased
);

-- one materialisation this graph was built from
CREATE TABLE snapshot_input (
    asset_key VARCHAR NOT NULL,            -- as a path: crm/company
    storage_id BIGINT,                     -- NULL where no event of that version was found: then effects are refused
    run_id VARCHAR,
    data_version VARCHAR NOT NULL
);

-- one table of the folders that this graph was made of, so that the next one can be made of what changes in them
CREATE TABLE snapshot_part (
    part VARCHAR NOT NULL,                 -- such as entities/person/golden
    path VARCHAR NOT NULL                  -- within the home folder where it stands there
);

-- one row that was added, replaced or removed since the graph before; none where all rows were written anew
CREATE TABLE snapshot_change (
    part VARCHAR NOT NULL,                 -- source | record | support | crosswalk: of which tables;
                                           -- entity: one whose row or records changed; mention: one that a row names
    record_id VARCHAR NOT NULL             -- of an entity or a mention the entity's id
);

-- how this file was written; always one row
CREATE TABLE snapshot_file (
    code VARCHAR NOT NULL,                 -- of the code that writes graphs
    steps INTEGER NOT NULL,                -- graphs since all rows were written anew
    whole_bytes BIGINT,                    -- the file's size then
    whole_rows BIGINT NOT NULL             -- source rows then
);

-- one reconciled thing
CREATE TABLE entity (
    entity_id VARCHAR NOT NULL,
    entity_type VARCHAR NOT NULL,          -- organisation | person
    version VARCHAR NOT NULL,              -- changes when its records, golden record, standing or conflicts change
    name VARCHAR,
    standing VARCHAR NOT NULL,             -- reconciled | not_reconciled: the clauses that do not depend on the action
    standing_reasons VARCHAR[] NOT NULL,
    systems VARCHAR[] NOT NULL,            -- systems it is linked in
    resolution JSON NOT NULL,              -- system to linked | absent (searched, no plausible candidate) | open
    record_count INTEGER NOT NULL,
    opted_out BOOLEAN NOT NULL             -- any of its records objects to being contacted
);

-- one source row that completes a record or fact, beside the row that it comes from: an invoice's line, an address
CREATE TABLE support (
    record_id VARCHAR NOT NULL,            -- a record or fact, or what is in quarantine instead of one
    supporting_record VARCHAR NOT NULL     -- the source row: system:table:key
);

-- one record's entity
CREATE TABLE crosswalk (
    record_id VARCHAR NOT NULL,
    entity_id VARCHAR NOT NULL,
    entity_type VARCHAR NOT NULL,
    probability DOUBLE,                    -- of its best accepted link; 1.0 for an alias, NULL for a single record
    reason VARCHAR NOT NULL                -- single | tier:<name> | model | alias (the source merged it itself)
);

-- one merge of two records that a source made itself
CREATE TABLE alias (
    record_id VARCHAR NOT NULL,            -- the record that the source gave up
    merged_into VARCHAR NOT NULL,          -- the record that survives in the source
    entity_type VARCHAR NOT NULL
);

-- one compared pair that was accepted or is in doubt
CREATE TABLE link (
    entity_type VARCHAR NOT NULL,
    record_a VARCHAR NOT NULL,             -- record_a < record_b
    record_b VARCHAR NOT NULL,
    match_weight DOUBLE,
    match_probability DOUBLE,
    tier VARCHAR,                          -- strong key that made it, or NULL where the model did
    veto VARCHAR,                          -- rule that forbids it
    status VARCHAR NOT NULL,               -- accepted | possible | ambiguous | vetoed
    comparisons JSON NOT NULL              -- field to agreement level
);

-- one doubt that a person could settle
CREATE TABLE review_pair (
    entity_type VARCHAR NOT NULL,
    record_a VARCHAR NOT NULL,
    record_b VARCHAR NOT NULL,
    entity_a VARCHAR NOT NULL,
    entity_b VARCHAR NOT NULL,
    match_weight DOUBLE,
    match_probability DOUBLE,
    reason VARCHAR NOT NULL,               -- possible | ambiguous | unbelievable_cluster
    settles INTEGER,                       -- records and facts whose standing waits for the answer
    could_change VARCHAR[]                 -- fields whose golden value, or lack of conflict, would be another for either
                                           -- entity if the two were one; NULL where that is not known
);

-- one judgement of a person that counts, and what became of it in this graph
CREATE TABLE judgement (
    judgement_id VARCHAR NOT NULL,
    entity_type VARCHAR NOT NULL,
    record_a VARCHAR NOT NULL,             -- of a value: the record whose entity it is said of
    record_b VARCHAR,                      -- NULL for a value
    field VARCHAR,                         -- NULL for a pair
    said VARCHAR NOT NULL,                 -- same | different, or the value
    state VARCHAR NOT NULL,                -- obeyed | contradicted | expired | unplaced (a record is gone)
    detail VARCHAR                         -- what contradicts it
);

-- one declared rule of linkage by its name, in words
CREATE TABLE rule (
    entity_type VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                 -- tier | veto
    name VARCHAR NOT NULL,                 -- as in `link`
    reason VARCHAR NOT NULL
);

-- one record type and how sure its links had to be, in bits of match weight
CREATE TABLE threshold (
    entity_type VARCHAR NOT NULL,
    prior DOUBLE NOT NULL,                 -- the weight that two records start from before anything is compared
    accept DOUBLE NOT NULL,                -- from here on a link joins
    review DOUBLE NOT NULL,                -- from here on it is in doubt
    margin DOUBLE NOT NULL                 -- candidates no further apart than this are equally good
);

-- one disagreement between two records of an entity that matters
CREATE TABLE conflict (
    entity_id VARCHAR NOT NULL,
    entity_type VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    record_a VARCHAR NOT NULL,
    value_a VARCHAR NOT NULL,
    record_b VARCHAR NOT NULL,
    value_b VARCHAR NOT NULL,
    system_a VARCHAR,                      -- the systems of the two records, so that a data owner finds the source
    system_b VARCHAR
);

-- one field on which two systems disagree, and about how many entities
CREATE VIEW conflict_by_system AS
SELECT entity_type, field, system_a, system_b, count(*) AS conflicts, count(DISTINCT entity_id) AS entities
FROM (
    SELECT entity_type, field, entity_id,
        least(split_part(record_a, ':', 1), split_part(record_b, ':', 1)) AS system_a,
        greatest(split_part(record_a, ':', 1), split_part(record_b, ':', 1)) AS system_b
    FROM conflict
)
GROUP BY ALL;

-- one source row, or part of it, that could not be used
CREATE TABLE quarantine (
    record_id VARCHAR NOT NULL,
    system VARCHAR NOT NULL,
    source_table VARCHAR NOT NULL,
    shape VARCHAR NOT NULL,                -- the record type or fact it should have become
    reason VARCHAR NOT NULL,               -- missing:<field> | unreadable:<field> | duplicate_key | encoding | ...
    detail VARCHAR NOT NULL,
    row JSON NOT NULL
);

-- one value that a record was kept without
CREATE TABLE note (
    record_id VARCHAR NOT NULL,
    system VARCHAR NOT NULL,
    source_table VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    value VARCHAR,                         -- as the source stated it
    problem VARCHAR NOT NULL               -- why it could not be used
);

-- one directed relationship between two entities
CREATE TABLE relationship (
    from_entity VARCHAR NOT NULL,
    to_entity VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,                 -- works_at | parent_of
    record_id VARCHAR NOT NULL             -- the record that says so
);

-- one contact point of an entity, as a record of it states
CREATE TABLE contact_point (
    entity_id VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,              -- email | phone
    value VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL,
    asserted_by VARCHAR NOT NULL           -- verified | staff | public | precede
);

-- one thing that happened to an entity
CREATE TABLE entity_event (
    entity_id VARCHAR NOT NULL,
    entity_type VARCHAR NOT NULL,
    event VARCHAR NOT NULL,                -- created | merged | split | retired
    other_entity_id VARCHAR,               -- merged into, or split from
    snapshot_id VARCHAR,                   -- NULL in the stage file; publish fills it in
    happened_at TIMESTAMPTZ NOT NULL
);

-- one name that a record of an entity goes by, for `find`
CREATE TABLE entity_name (
    entity_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    folded VARCHAR NOT NULL,               -- without case, accents and punctuation
    record_id VARCHAR NOT NULL
);

-- one official number that a record of an entity states, for `find`
CREATE TABLE entity_identifier (
    entity_id VARCHAR NOT NULL,
    field VARCHAR NOT NULL,                -- vat_number | company_number | lei | identifiers
    value VARCHAR NOT NULL,
    code VARCHAR NOT NULL,                 -- without case, spaces and punctuation
    record_id VARCHAR NOT NULL
);
