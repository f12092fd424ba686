-- The rows of the small graph that graph_fixture.py writes and describes.

-- entities
INSERT INTO entity VALUES
('org_acme', 'organisation', 'v1', 'Acme Widgets Ltd', 'reconciled', [], ['crm', 'erp', 'support'],
    '{"crm":"linked","erp":"linked","support":"linked"}', 3, false),
('org_bolt', 'organisation', 'v1', 'Bolt Logistics Ltd', 'reconciled', [], ['crm', 'erp'],
    '{"crm":"linked","erp":"linked","support":"absent"}', 2, false),
('org_crane', 'organisation', 'v1', 'Crane & Söhne GmbH', 'reconciled', [], ['crm', 'erp'],
    '{"crm":"linked","erp":"linked","support":"absent"}', 2, false),
('org_dune', 'organisation', 'v1', 'Dune Trading', 'reconciled', [], ['erp'],
    '{"crm":"absent","erp":"linked","support":"absent"}', 1, false),
('org_elm', 'organisation', 'v1', 'Elm Partners LLP', 'not_reconciled', ['ambiguous_link'], ['crm', 'erp'],
    '{"crm":"linked","erp":"linked","support":"open"}', 2, false),
('org_elm_support', 'organisation', 'v1', 'Elm Partner', 'not_reconciled', ['ambiguous_link'], ['support'],
    '{"crm":"open","erp":"open","support":"linked"}', 1, false),
('person_ada', 'person', 'v1', 'Ada Okafor', 'reconciled', [], ['crm', 'support'],
    '{"crm":"linked","erp":"absent","support":"linked"}', 2, false),
('person_ben', 'person', 'v1', 'Ben Holt', 'reconciled', [], ['crm'],
    '{"crm":"linked","erp":"absent","support":"absent"}', 1, false),
('person_cat', 'person', 'v1', 'Cat Lindqvist', 'reconciled', [], ['crm'],
    '{"crm":"linked","erp":"absent","support":"absent"}', 1, true),
('person_dan', 'person', 'v1', 'Dan Price', 'reconciled', [], ['support'],
    '{"crm":"absent","erp":"absent","support":"linked"}', 1, false),
('person_eve', 'person', 'v1', 'Eve Crane', 'reconciled', [], ['crm'],
    '{"crm":"linked","erp":"absent","support":"absent"}', 1, false),
('person_finn', 'person', 'v1', 'Finn Dune', 'reconciled', [], ['erp'],
    '{"crm":"absent","erp":"linked","support":"absent"}', 1, false),
('person_gus', 'person', 'v1', 'Gus Elm', 'reconciled', [], ['crm'],
    '{"crm":"linked","erp":"absent","support":"absent"}', 1, false);

-- organisations' records and golden records
INSERT INTO organisation_record BY NAME
SELECT record_id, entity_id, split_part(record_id, ':', 1) AS system, split_part(record_id, ':', 2) AS source_table,
    split_part(record_id, ':', 3) AS source_key, md5(record_id) AS row_hash, []::VARCHAR[] AS weak_fields,
    CASE WHEN vat_number IS NULL THEN [] ELSE ['vat_number'] END AS verified_fields,
    name, vat_number, email, phone, city
FROM (VALUES
    ('crm:company:1', 'org_acme', 'Acme Widgets', 'GB123456789', 'info@acme.example', '+442079460001', 'Leeds'),
    ('erp:customer:101', 'org_acme', 'Acme Widgets Ltd', 'GB123456789', 'accounts@acme.example', '+442079460001', 'Leeds'),
    ('support:organization:11', 'org_acme', 'ACME Widgets', NULL, NULL, NULL, NULL),
    ('crm:company:2', 'org_bolt', 'Bolt Logistics', 'GB987654321', 'hello@bolt.example', '+441134960002', 'York'),
    ('erp:customer:102', 'org_bolt', 'Bolt Logistics Ltd', 'GB987654321', 'accounts@bolt.example', NULL, 'York'),
    ('crm:company:3', 'org_crane', 'Crane & Söhne', 'GB111111111', NULL, NULL, 'Hull'),
    ('erp:customer:103', 'org_crane', 'Crane & Söhne GmbH', 'GB222222222', NULL, NULL, 'Hull'),
    ('erp:customer:104', 'org_dune', 'Dune Trading', NULL, NULL, NULL, 'Bath'),
    ('crm:company:5', 'org_elm', 'Elm Partners', 'GB555555555', NULL, NULL, 'Ely'),
    ('erp:customer:105', 'org_elm', 'Elm Partners LLP', 'GB555555555', NULL, NULL, 'Ely'),
    ('support:organization:15', 'org_elm_support', 'Elm Partner', NULL, NULL, NULL, NULL)
) AS r(record_id, entity_id, name, vat_number, email, phone, city);

INSERT INTO organisation BY NAME
SELECT entity_id, arg_max(name, place) AS name, arg_max(record_id, place) AS name_record,
    arg_max(vat_number, place) AS vat_number,
    CASE WHEN max(vat_number) IS NOT NULL THEN arg_max(record_id, place) FILTER (vat_number IS NOT NULL) END AS vat_number_record,
    arg_max(city, place) AS city, arg_max(record_id, place) FILTER (city IS NOT NULL) AS city_record,
    false AS opted_out
FROM (SELECT *, CASE system WHEN 'erp' THEN 3 WHEN 'crm' THEN 2 ELSE 1 END AS place FROM organisation_record)
GROUP BY entity_id;

-- people's records and golden records, contact points, relationships
INSERT INTO person_record BY NAME
SELECT record_id, entity_id, split_part(record_id, ':', 1) AS system, split_part(record_id, ':', 2) AS source_table,
    split_part(record_id, ':', 3) AS source_key, md5(record_id) AS row_hash,
    CASE WHEN asserted_by = 'public' THEN ['name', 'email'] ELSE [] END AS weak_fields, []::VARCHAR[] AS verified_fields,
    name, email, organisation_key, organisation_record, opted_out
FROM (VALUES
    ('crm:contact:1', 'person_ada', 'Ada Okafor', 'ada@acme.example', '1', 'crm:company:1', false, 'staff'),
    ('support:user:21', 'person_ada', 'A. Okafor', 'ada@acme.example', '11', 'support:organization:11', false, 'verified'),
    ('crm:contact:2', 'person_ben', 'Ben Holt', 'ben@bolt.example', '2', 'crm:company:2', false, 'staff'),
    ('crm:contact:3', 'person_cat', 'Cat Lindqvist', 'cat@acme.example', '1', 'crm:company:1', true, 'staff'),
    ('support:user:24', 'person_dan', 'Dan Price', 'dan@acme.example', '11', 'support:organization:11', false, 'public'),
    ('crm:contact:5', 'person_eve', 'Eve Crane', 'eve@crane.example', '3', 'crm:company:3', false, 'staff'),
    ('erp:contact:6', 'person_finn', 'Finn Dune', 'finn@dune.example', '104', 'erp:customer:104', false, 'staff'),
    ('crm:contact:7', 'person_gus', 'Gus Elm', 'gus@elm.example', '5', 'crm:company:5', false, 'staff')
) AS r(record_id, entity_id, name, email, organisation_key, organisation_record, opted_out, asserted_by);

INSERT INTO person BY NAME
SELECT entity_id, first(name ORDER BY record_id) AS name, first(record_id ORDER BY record_id) AS name_record,
    first(email ORDER BY record_id) AS email, first(record_id ORDER BY record_id) AS email_record,
    bool_or(opted_out) AS opted_out, first(record_id ORDER BY record_id) AS opted_out_record
FROM person_record GROUP BY entity_id;

INSERT INTO contact_point
SELECT entity_id, 'email', email, record_id,
    CASE WHEN len(weak_fields) > 0 THEN 'public' WHEN record_id = 'support:user:21' THEN 'verified' ELSE 'staff' END
FROM person_record;

INSERT INTO contact_point
SELECT entity_id, 'email', email, record_id, 'staff' FROM organisation_record WHERE email IS NOT NULL
UNION ALL SELECT entity_id, 'phone', phone, record_id, 'staff' FROM organisation_record WHERE phone IS NOT NULL;

INSERT INTO relationship
SELECT p.entity_id, o.entity_id, 'works_at', p.record_id
FROM person_record AS p JOIN organisation_record AS o ON o.record_id = p.organisation_record;
INSERT INTO relationship VALUES ('org_bolt', 'org_acme', 'parent_of', 'crm:company:1');

-- crosswalk, links, doubts, rejects, history, and what `find` reads
INSERT INTO crosswalk
SELECT record_id, entity_id, 'organisation', CASE WHEN number > 1 THEN 0.999 END,
    CASE WHEN number > 1 THEN 'model' ELSE 'single' END
FROM (SELECT *, count(*) OVER (PARTITION BY entity_id) AS number FROM organisation_record)
UNION ALL
SELECT record_id, entity_id, 'person', CASE WHEN number > 1 THEN 0.999 END,
    CASE WHEN number > 1 THEN 'tier:email_and_name' ELSE 'single' END
FROM (SELECT *, count(*) OVER (PARTITION BY entity_id) AS number FROM person_record);
INSERT INTO crosswalk VALUES ('crm:contact:9', 'person_ada', 'person', 1.0, 'alias');
INSERT INTO alias VALUES ('crm:contact:9', 'crm:contact:1', 'person');

INSERT INTO link VALUES
('organisation', 'crm:company:1', 'erp:customer:101', 18.2, 0.99999, 'vat_number', NULL, 'accepted', '{"name":"close","vat_number":"same"}'),
('organisation', 'crm:company:1', 'support:organization:11', 9.1, 0.998, NULL, NULL, 'accepted', '{"name":"same"}'),
('organisation', 'crm:company:2', 'erp:customer:102', 17.0, 0.99999, 'vat_number', NULL, 'accepted', '{"name":"close","vat_number":"same"}'),
('organisation', 'crm:company:3', 'erp:customer:103', 8.9, 0.998, NULL, NULL, 'accepted', '{"name":"close","vat_number":"different"}'),
('organisation', 'crm:company:5', 'erp:customer:105', 17.0, 0.99999, 'vat_number', NULL, 'accepted', '{"name":"close"}'),
('organisation', 'crm:company:5', 'support:organization:15', 1.2, 0.7, NULL, NULL, 'possible', '{"name":"close"}'),
('organisation', 'crm:company:1', 'crm:company:2', -3.0, 0.11, NULL, 'vat_numbers_differ', 'vetoed', '{"name":"different"}'),
('person', 'crm:contact:1', 'support:user:21', 14.0, 0.9999, 'email_and_name', NULL, 'accepted', '{"name":"close","email":"same"}');

INSERT INTO review_pair (entity_type, record_a, record_b, entity_a, entity_b, match_probability, reason, could_change)
VALUES
('organisation', 'crm:company:5', 'support:organization:15', 'org_elm', 'org_elm_support', 0.7, 'possible', ['name']);
INSERT INTO rule VALUES
('organisation', 'tier', 'vat_number', 'A VAT number is issued to one company.'),
('organisation', 'veto', 'vat_numbers_differ', 'Two valid VAT numbers of one country that differ are of two companies.');
INSERT INTO threshold VALUES ('organisation', -12.0, 4.5, 0.0, 1.0), ('person', -13.0, 5.0, 0.5, 1.0);
INSERT INTO conflict VALUES
('org_crane', 'organisation', 'vat_number', 'crm:company:3', 'GB111111111', 'erp:customer:103', 'GB222222222', 'crm', 'erp');
INSERT INTO quarantine VALUES
('crm:company:66', 'crm', 'company', 'organisation', 'missing:name', 'no name', '{"id":"66","property_name":null}');
INSERT INTO entity_event
SELECT entity_id, entity_type, 'created', NULL, $snapshot, $built_at FROM entity;

INSERT INTO entity_name
SELECT entity_id, name, folded(name), min(record_id) FROM (
    SELECT entity_id, name, record_id FROM organisation_record UNION ALL SELECT entity_id, name, record_id FROM person_record
) GROUP BY ALL;
INSERT INTO entity_identifier
SELECT entity_id, 'vat_number', vat_number, squeezed(vat_number), min(record_id)
FROM organisation_record WHERE vat_number IS NOT NULL GROUP BY ALL;

-- facts
INSERT INTO invoice BY NAME
SELECT i.record_id, o.entity_id, 'erp' AS system, 'transaction' AS source_table,
    split_part(i.record_id, ':', 3) AS source_key, md5(i.record_id) AS row_hash, []::VARCHAR[] AS weak_fields, ['amount_open'] AS verified_fields,
    customer AS organisation_key, 'erp:customer:' || customer AS organisation_record,
    'INV-' || split_part(i.record_id, ':', 3) AS number, direction, status, amount, amount_open, 'GBP' AS currency,
    due_on - 30 AS issued_on, due_on, disputed
FROM (VALUES
    ('erp:transaction:1001', '101', 'receivable', 'open', 1200.00, 1200.00, DATE '2026-10-03', false),
    ('erp:transaction:1002', '101', 'receivable', 'paid', 800.00, 0.00, DATE '2026-09-20', false),
    ('erp:transaction:1003', '101', 'receivable', 'open', 450.50, 450.50, DATE '2026-10-10', true),
    ('erp:transaction:1004', '101', 'receivable', 'open', 99.99, 99.99, DATE '2026-11-05', false),
    ('erp:transaction:1005', '101', 'payable', 'open', 70.00, 70.00, DATE '2026-10-01', false),
    ('erp:transaction:2001', '102', 'receivable', 'open', 5000.00, 2500.00, DATE '2026-10-23', false),
    ('erp:transaction:3001', '103', 'receivable', 'open', 310.00, 310.00, DATE '2026-10-12', false),
    ('erp:transaction:4001', '104', 'receivable', 'open', 42.00, 42.00, DATE '2026-10-12', false),
    ('erp:transaction:5001', '105', 'receivable', 'open', 640.00, 640.00, DATE '2026-10-12', false)
) AS i(record_id, customer, direction, status, amount, amount_open, due_on, disputed)
JOIN organisation_record AS o ON o.record_id = 'erp:customer:' || customer;

INSERT INTO payment BY NAME
SELECT 'erp:transaction:9002' AS record_id, 'org_acme' AS entity_id, 'erp' AS system, 'transaction' AS source_table,
    '9002' AS source_key, md5('9002') AS row_hash, '101' AS organisation_key, 'erp:customer:101' AS organisation_record,
    '1002' AS invoice_key, 'erp:transaction:1002' AS invoice_record, 800.00 AS amount, 'GBP' AS currency,
    DATE '2026-09-25' AS paid_on;

INSERT INTO ticket BY NAME
SELECT 'support:ticket:31' AS record_id, 'org_acme' AS entity_id, 'person_ada' AS person_entity_id, 'support' AS system,
    'ticket' AS source_table, '31' AS source_key, md5('31') AS row_hash, ['subject'] AS weak_fields,
    '11' AS organisation_key, 'support:organization:11' AS organisation_record, '21' AS person_key,
    'support:user:21' AS person_record, 'Late delivery' AS subject, 'open' AS status,
    TIMESTAMPTZ '2026-10-30 09:00:00+00' AS created_at;

-- source rows, and what the graph was built from
CREATE TABLE source_record (
    record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR, "row" JSON,
    first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ
);
CREATE VIEW source_id AS SELECT record_id FROM source_record;
CREATE MACRO source_rows(ids) AS TABLE FROM source_record WHERE record_id IN (SELECT unnest(ids));
INSERT INTO source_record
SELECT DISTINCT ON (record_id) record_id, system, source_table, source_key, row_hash,
    json_object('id', source_key, 'name', name), $built_at, $built_at
FROM (
    SELECT record_id, system, source_table, source_key, row_hash, name FROM organisation_record
    UNION ALL SELECT record_id, system, source_table, source_key, row_hash, name FROM person_record
    UNION ALL SELECT record_id, system, source_table, source_key, row_hash, number FROM invoice
    UNION ALL SELECT record_id, system, source_table, source_key, row_hash, NULL FROM payment
    UNION ALL SELECT record_id, system, source_table, source_key, row_hash, subject FROM ticket
    UNION ALL SELECT record_id, system, source_table, split_part(record_id, ':', 3), md5(record_id), NULL FROM quarantine
);
INSERT INTO source_record
SELECT 'erp:transaction_line:' || source_key || '0', 'erp', 'transaction_line', source_key || '0', md5(record_id),
    json_object('uniquekey', source_key || '0', 'transaction', source_key, 'foreignamountunpaid', amount_open::VARCHAR),
    $built_at, $built_at
FROM invoice;
INSERT INTO support
SELECT record_id, 'erp:transaction_line:' || source_key || '0' FROM invoice;
INSERT INTO snapshot_source
WITH became AS (
    SELECT source_row_id(record_id) AS row_id, 'record' AS what FROM organisation_record
    UNION ALL SELECT source_row_id(record_id), 'record' FROM person_record
    UNION ALL SELECT source_row_id(record_id), 'fact' FROM fact
    UNION ALL SELECT source_row_id(record_id), 'quarantine' FROM quarantine
    UNION ALL SELECT DISTINCT supporting_record, 'supporting' FROM support
)
SELECT system, source_table, count(DISTINCT source_record.record_id), 'version-' || source_table, $built_at,
    count(*) FILTER (what = 'record'), count(*) FILTER (what = 'fact'), count(*) FILTER (what = 'supporting'),
    count(*) FILTER (what = 'quarantine'), count(*) FILTER (what IS NULL), 0
FROM source_record LEFT JOIN became ON became.row_id = source_record.record_id
GROUP BY ALL;
INSERT INTO snapshot_input
SELECT system || '/' || source_table, row_number() OVER (ORDER BY system, source_table), 'run-fixture', data_version
FROM snapshot_source;
