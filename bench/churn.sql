-- A graph of the debtors as they are: organisations, the people who pay for them, one open invoice each.
INSERT INTO snapshot BY NAME SELECT
    $snapshot AS snapshot_id, $read_at AS built_at, 'run' AS run_id, 'bench' AS code_version, '{}' AS model_versions,
    $snapshot AS inputs_digest, '{"accounted": "passed"}' AS checks;

INSERT INTO entity BY NAME
SELECT
    'org_' || n AS entity_id, 'organisation' AS entity_type, 'v' || touched AS version, 'Debtor ' || n AS name,
    'reconciled' AS standing, [] AS standing_reasons, ['crm', 'erp'] AS systems,
    '{"crm": "linked", "erp": "linked", "support": "absent"}' AS resolution, 2 AS record_count, opted_out
FROM memory.debtor
UNION ALL
SELECT
    'per_' || n, 'person', 'v' || touched, 'Person ' || n, 'reconciled', [], ['crm'],
    '{"crm": "linked", "erp": "absent", "support": "absent"}', 1 + tickets, false
FROM memory.debtor;

INSERT INTO organisation BY NAME
SELECT 'org_' || n AS entity_id, 'Debtor ' || n AS name, 'crm:company:' || n AS name_record, city FROM memory.debtor;

INSERT INTO person BY NAME
SELECT 'per_' || n AS entity_id, 'Person ' || n AS name, 'crm:contact:' || n AS name_record FROM memory.debtor;

INSERT INTO crosswalk BY NAME
SELECT
    'crm:company:' || n AS record_id, 'org_' || n || CASE WHEN split THEN '_other' ELSE '' END AS entity_id,
    'organisation' AS entity_type, probability, 'model' AS reason
FROM memory.debtor
UNION ALL
SELECT 'erp:customer:' || n, 'org_' || n, 'organisation', probability, 'model' FROM memory.debtor
UNION ALL
SELECT 'crm:contact:' || n, 'per_' || n, 'person', probability, 'model' FROM memory.debtor
UNION ALL
SELECT 'support:user:' || n, 'per_' || n, 'person', probability, 'model' FROM memory.debtor WHERE tickets > 0;

INSERT INTO organisation_record BY NAME
SELECT
    record_id, entity_id, split_part(record_id, ':', 1) AS system, split_part(record_id, ':', 2) AS source_table,
    split_part(record_id, ':', 3) AS source_key, 'h' AS row_hash, [] AS weak_fields, [] AS verified_fields,
    record_id AS name
FROM crosswalk WHERE entity_type = 'organisation';

INSERT INTO person_record BY NAME
SELECT
    record_id, entity_id, split_part(record_id, ':', 1) AS system, split_part(record_id, ':', 2) AS source_table,
    split_part(record_id, ':', 3) AS source_key, 'h' AS row_hash, [] AS weak_fields, [] AS verified_fields,
    record_id AS name
FROM crosswalk WHERE entity_type = 'person';

INSERT INTO source_record
SELECT
    system || ':' || source_table || ':' || n, system, source_table, n::VARCHAR, 'h' || touched,
    '{"id": "' || n || '"}', $read_at, $read_at
FROM memory.debtor, (VALUES
    ('crm', 'company'), ('crm', 'contact'), ('erp', 'customer'), ('erp', 'transaction'), ('erp', 'transaction_line')
) AS kind (system, source_table);

INSERT INTO support BY NAME
SELECT 'erp:transaction:' || n AS record_id, 'erp:transaction_line:' || n AS supporting_record FROM memory.debtor;

INSERT INTO relationship BY NAME
SELECT 'per_' || n AS from_entity, 'org_' || n AS to_entity, 'works_at' AS kind, 'crm:contact:' || n AS record_id
FROM memory.debtor;

INSERT INTO contact_point BY NAME
SELECT
    'per_' || n AS entity_id, 'email' AS channel, mailbox AS value, 'crm:contact:' || n AS record_id,
    'staff' AS asserted_by
FROM memory.debtor
UNION ALL
SELECT 'per_' || n, 'phone', phone, 'crm:contact:' || n, 'staff' FROM memory.debtor;

INSERT INTO invoice BY NAME
SELECT
    'erp:transaction:' || n AS record_id, 'org_' || n AS entity_id, 'erp' AS system, 'transaction' AS source_table,
    n::VARCHAR AS source_key, 'h' AS row_hash, [] AS weak_fields, [] AS verified_fields,
    'customer:' || n AS organisation_key, 'erp:customer:' || n AS organisation_record, 'INV-' || n AS number,
    'receivable' AS direction, amount_open AS amount, amount_open, 'GBP' AS currency, DATE '2026-10-01' AS due_on,
    disputed
FROM memory.debtor;
