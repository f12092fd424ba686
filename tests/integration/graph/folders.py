"""Folders of Parquet as insight leaves them, written by hand: a company in two systems, its contact and its invoices.

The crm merged `crm:company:9` into `crm:company:1`. Two erp tables bear the key 7, so that the key alone names neither
record.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import duckdb

from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.rows import SnapshotInput
from tests.graph_fixture import LandedTable

READ_AT = datetime(2026, 11, 2, 5, 0, tzinfo=UTC)
EVENT_AT = "TIMESTAMPTZ '2026-11-02 05:30:00+00'"

LANDED = {
    (
        "crm",
        "company",
    ): "SELECT * FROM (VALUES ('1', 'Acme', 'O''Hara'), ('2', 'Bolt', NULL)) AS t(id, name, \"owner's name\")",
    ("crm", "contact"): "SELECT '1' AS id, 'ada@acme.example' AS email",
    ("erp", "customer"): "SELECT * FROM (VALUES ('7', 'Acme Ltd'), ('8', 'Bolt Ltd')) AS t(id, companyname)",
    ("erp", "vendor"): "SELECT '7' AS id, 'Cobalt' AS companyname",
    (
        "erp",
        "transaction",
    ): "SELECT '100' AS id, '7' AS entity UNION ALL SELECT '101', '8' UNION ALL SELECT '102', '999'",
    ("erp", "line"): "SELECT '900' AS id, '100' AS \"transaction\" UNION ALL SELECT '901', '101'",
    ("erp", "payment"): "SELECT '500' AS id",
    ("support", "ticket"): "SELECT '31' AS id",
}

RECORDS = {
    "organisation": """
        SELECT record_id, split_part(record_id, ':', 1) AS system, split_part(record_id, ':', 2) AS source_table,
            split_part(record_id, ':', 3) AS source_key, md5(record_id) AS row_hash, []::VARCHAR[] AS weak_fields,
            []::VARCHAR[] AS verified_fields, name, 'ignored' AS k_name, 'GB 12' AS vat_number,
            parent_key, CASE parent_key WHEN '9' THEN 'crm:company:1' END AS parent_record,
            NULL::VARCHAR AS trading_name
        FROM (VALUES
            ('crm:company:1', 'Acme', NULL), ('crm:company:2', 'Bolt', '9'), ('erp:customer:7', 'Acme Ltd', NULL),
            ('erp:customer:8', 'Bolt Ltd', NULL), ('erp:vendor:7', 'Cobalt', NULL)
        ) AS r(record_id, name, parent_key)
    """,
    "person": """
        SELECT 'crm:contact:1' AS record_id, 'crm' AS system, 'contact' AS source_table, '1' AS source_key,
            'h' AS row_hash, []::VARCHAR[] AS weak_fields, []::VARCHAR[] AS verified_fields, 'Ada Okafor' AS name,
            'ada@acme.example' AS email, '1' AS organisation_key,
            'crm:company:1' AS organisation_record
    """,
    "invoice": """
        SELECT 'erp:transaction:' || key AS record_id, 'erp' AS system, 'transaction' AS source_table,
            key AS source_key, 'h' || key AS row_hash, []::VARCHAR[] AS weak_fields, []::VARCHAR[] AS verified_fields,
            organisation_key, organisation_record, 10.00::DECIMAL(18,2) AS amount,
            10.00::DECIMAL(18,2) AS amount_open, 'GBP' AS currency
        FROM (VALUES
            ('100', 'customer:7', 'erp:customer:7'), ('101', '8', 'erp:customer:8'), ('102', '7', NULL)
        ) AS r(key, organisation_key, organisation_record)
    """,
    "payment": """
        SELECT 'erp:payment:500' AS record_id, 'erp' AS system, 'payment' AS source_table, '500' AS source_key,
            'h' AS row_hash, []::VARCHAR[] AS weak_fields, []::VARCHAR[] AS verified_fields, '8' AS organisation_key,
            'erp:customer:8' AS organisation_record, '101' AS invoice_key, 'erp:transaction:101' AS invoice_record,
            10.00::DECIMAL(18,2) AS amount
    """,
    "ticket": """
        SELECT 'support:ticket:31' AS record_id, 'support' AS system, 'ticket' AS source_table, '31' AS source_key,
            'h' AS row_hash, []::VARCHAR[] AS weak_fields, []::VARCHAR[] AS verified_fields, 'Late' AS subject
    """,
}

MEMBERS = """
    SELECT * FROM (VALUES
        ('crm:company:1', 'org_acme', 'organisation'), ('erp:customer:7', 'org_acme', 'organisation'),
        ('crm:company:9', 'org_acme', 'organisation'), ('crm:company:2', 'org_bolt', 'organisation'),
        ('erp:customer:8', 'org_bolt', 'organisation'), ('erp:vendor:7', 'org_cobalt', 'organisation'),
        ('crm:contact:1', 'per_ada', 'person')
    ) AS m(record_id, entity_id, entity_type)
"""

QUARANTINE = """
    SELECT 'crm:company:66' AS record_id, 'crm' AS system, 'company' AS source_table, 'organisation' AS shape,
        'missing:name' AS reason, 'no name' AS detail, '{}' AS row
    WHERE
"""

NOTE = """
    SELECT 'crm:company:1' AS record_id, 'crm' AS system, 'company' AS source_table, '1' AS source_key,
        'vat_number' AS field, 'GB 0' AS value, 'the checksum is wrong' AS problem
    WHERE
"""


SUPPORT = """
    SELECT 'erp:transaction:10' || n AS record_id, 'erp:line:90' || n AS supporting_record, 'erp' AS system,
        'line' AS source_table, '90' || n AS source_key
    FROM (VALUES ('0'), ('1')) AS l(n) WHERE
"""


def world(home: Path, version: str = "v1", *, previous: Path | None = None, events: str = "created") -> CandidateInputs:
    """Write the folders under `home`, all of one version, and return the inputs of a graph of them."""
    landed = []
    for (system, table), rows in LANDED.items():
        path = home / "landing" / system / table / f"{version}.parquet"
        _write(path, f"SELECT *, id AS _key, md5(id) AS _row_hash FROM ({rows})")
        number = _writer().execute(f"SELECT count(*) FROM ({rows})").fetchall()[0][0]
        landed.append(LandedTable(system, table, path, version, number, READ_AT))
    records = {shape: home / "stages" / "records" / shape / version for shape in RECORDS}
    for shape, folder in records.items():
        _write(folder / "record.parquet", RECORDS[shape])
        _write(folder / "quarantine.parquet", f"{QUARANTINE} '{shape}' = 'organisation'")
        _write(folder / "note.parquet", f"{NOTE} '{shape}' = 'organisation'")
        _write(folder / "support.parquet", f"{SUPPORT} '{shape}' = 'invoice'")
    rejected = home / "stages" / "records" / "rejected" / version
    _write(rejected / "quarantine.parquet", f"{QUARANTINE.replace('missing:name', 'duplicate_key')} true")
    aliases = home / "stages" / "records" / "alias" / version
    _write(
        aliases / "alias.parquet",
        "SELECT 'organisation' AS record_type, 'crm' AS system, 'crm:company:9' AS from_record, "
        "'crm:company:1' AS to_record",
    )
    links = {"organisation": home / "stages" / "links" / "organisation" / version}
    _write(
        links["organisation"] / "link.parquet",
        "SELECT 'organisation' AS entity_type, 'crm:company:1' AS record_a, 'erp:customer:7' AS record_b, "
        "9.0 AS match_weight, 0.998 AS match_probability, NULL::VARCHAR AS tier, NULL::VARCHAR AS veto, "
        "'accepted' AS status, '{}' AS comparisons",
    )
    entities = {one: home / "stages" / "entities" / one / version for one in ("organisation", "person")}
    for record_type, folder in entities.items():
        _entities(folder, record_type, events)
    relationships = home / "stages" / "entities" / "relationship" / version
    _write(
        relationships / "relationship.parquet",
        "SELECT 'per_ada' AS from_entity, 'org_acme' AS to_entity, 'works_at' AS kind, 'crm:contact:1' AS record_id",
    )
    return CandidateInputs(
        landed=landed,
        records=records,
        entities=entities,
        links=links,
        aliases=aliases,
        relationships=relationships,
        rejected=rejected,
        run_id=f"run-{version}",
        code_version="code-1",
        model_versions={"organisation": "m1"},
        pins=[SnapshotInput("crm/company", 12, "run-1", version), SnapshotInput("erp/customer", None, None, version)],
        previous=previous,
    )


def after(inputs: CandidateInputs, previous: Path) -> CandidateInputs:
    """The same inputs, as the successor of a published graph."""
    return replace(inputs, previous=previous)


def _entities(folder: Path, record_type: str, event: str) -> None:
    own = f"SELECT * FROM ({MEMBERS}) WHERE entity_type = '{record_type}'"
    _write(
        folder / "crosswalk.parquet",
        f"SELECT *, 0.998 AS probability, CASE record_id WHEN 'crm:company:9' THEN 'alias' ELSE 'model' END AS reason "
        f"FROM ({own})",
    )
    _write(
        folder / "entity.parquet",
        "SELECT entity_id, entity_type, 'v1' AS version, min(entity_id) AS name, 'reconciled' AS standing, "
        "[]::VARCHAR[] AS standing_reasons, ['crm', 'erp'] AS systems, '{}' AS resolution, "
        f"count(*)::INTEGER AS record_count, false AS opted_out FROM ({own}) GROUP BY ALL",
    )
    _write(
        folder / "golden.parquet",
        f"SELECT entity_id, min(entity_id) AS name, min(record_id) AS name_record FROM ({own}) GROUP BY ALL",
    )
    _write(
        folder / "conflict.parquet",
        "SELECT 'org_bolt' AS entity_id, 'organisation' AS entity_type, 'city' AS field, 'crm:company:2' AS record_a, "
        f"'York' AS value_a, 'erp:customer:8' AS record_b, 'Hull' AS value_b WHERE '{record_type}' = 'organisation'",
    )
    _write(
        folder / "review_pair.parquet",
        "SELECT 'organisation' AS entity_type, 'crm:company:2' AS record_a, 'erp:vendor:7' AS record_b, "
        "'org_bolt' AS entity_a, 'org_cobalt' AS entity_b, 0.6 AS match_probability, 'possible' AS reason "
        f"WHERE '{record_type}' = 'organisation'",
    )
    _write(
        folder / "contact_point.parquet",
        "SELECT 'per_ada' AS entity_id, 'email' AS channel, 'ada@acme.example' AS value, 'crm:contact:1' AS record_id, "
        f"'staff' AS asserted_by WHERE '{record_type}' = 'person'",
    )
    _write(
        folder / "entity_event.parquet",
        f"SELECT DISTINCT entity_id, entity_type, '{event}' AS event, NULL::VARCHAR AS other_entity_id, "
        f"NULL::VARCHAR AS snapshot_id, {EVENT_AT} AS at FROM ({own})",
    )


def _write(path: Path, query: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    _writer().execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")


@cache
def _writer() -> duckdb.DuckDBPyConnection:
    """One in-memory database for all of them: opening one takes longer than writing a file."""
    connection = duckdb.connect(config={"threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection
