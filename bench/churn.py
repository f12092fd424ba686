"""A company of debtors that changes all the time, published again and again as graphs of the product's own schema.

Debtor n is `org_n`, who owes the invoice `erp:transaction:n`; `per_n` pays it. Five source rows make one debtor. What
is true of each stands in one table, which changes by SQL; a graph is written from it by SQL.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
from sqlalchemy import delete, insert

from orchestration.graph.ddl import STORAGE_VERSION, create_schema
from orchestration.graph.digests import file_digest
from orchestration.ledger import entries
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store

ROWS: Final = 5
"""Source rows of a debtor."""
SOURCES: Final = (
    *(("crm", "company"), ("crm", "contact"), ("erp", "customer")),
    *(("erp", "transaction"), ("erp", "transaction_line"), ("support", "user")),
)
IRRELEVANT: Final = {
    "another telephone number": "phone = '+44 20 ' || (7000000 + (random() * 999999)::INTEGER)",
    "another address": "city = 'Town ' || (random() * 1000)::INTEGER",
    "weights of its links estimated anew": "probability = 0.9 + random() / 11",
    "a ticket that was linked": "tickets = tickets + 1",
    "a row that was touched": "touched = touched + 1",
}
"""What changes to what, of which the action reads nothing."""
RELEVANT: Final = {
    "payment": "amount_open = 0",
    "part payment": "amount_open = amount_open - 100",
    "dispute": "disputed = true",
    "split": "split = true",
    "another contact": "mailbox = 'new.' || mailbox",
    "objection": "opted_out = true",
}
"""What changes to what, of which the action reads something."""
_STATE: Final = """
    CREATE TABLE debtor AS SELECT
        range AS n, (30000 + range % 500)::DECIMAL(18, 2) AS amount_open, false AS disputed, false AS split,
        range || '@debtor.example' AS mailbox, false AS opted_out, '+44 20 7000000' AS phone, 'Town' AS city,
        0.99 AS probability, 0 AS tickets, 0 AS touched
    FROM range(1, ? + 1)
"""
_ROWS: Final = """
    CREATE TABLE source_record (
        record_id VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR, "row" JSON,
        first_seen TIMESTAMPTZ, last_seen TIMESTAMPTZ
    );
    CREATE VIEW source_id AS SELECT record_id FROM source_record;
    CREATE MACRO source_rows(ids) AS TABLE FROM source_record WHERE record_id IN (SELECT unnest(ids));
"""
_SOURCE: Final = """
    INSERT INTO snapshot_source (system, source_table, row_count, data_version, read_at) VALUES (?, ?, ?, ?, ?)
"""
_FILL: Final = Path(__file__).parent / "churn.sql"


class Company:
    """The debtors, and the store that points at the last graph of them."""

    def __init__(self, store: Store, settings: Settings, debtors: int) -> None:
        self.store, self.settings, self.debtors, self.published = store, settings, debtors, 0
        self._state = duckdb.connect()
        self._state.execute(_STATE, [debtors])

    def change(self, kind: str, numbers: list[int]) -> None:
        """Let one thing of some debtors be another."""
        said = {**IRRELEVANT, **RELEVANT}[kind]
        self._state.execute(f"UPDATE debtor SET {said} WHERE n IN (SELECT unnest(?))", [numbers])

    def publish(self, now: datetime) -> None:
        """Publish the debtors as they are."""
        self.published += 1
        snapshot_id = f"snap_{self.published}"
        path = self.settings.snapshots / f"{snapshot_id}.duckdb"
        path.parent.mkdir(parents=True, exist_ok=True)
        read_at = now - timedelta(minutes=5)
        self._state.execute(f"ATTACH '{path}' AS graph (STORAGE_VERSION '{STORAGE_VERSION}')")
        with self._state.cursor() as graph:
            graph.execute("USE graph")
            create_schema(graph)
            graph.execute(_ROWS)
            for statement in graph.extract_statements(_FILL.read_text(encoding="utf-8")):
                wanted = {"snapshot": snapshot_id, "read_at": read_at}
                graph.execute(statement, {name: wanted[name] for name in statement.named_parameters})
            mark = [(system, table, 1, "v", read_at) for system, table in SOURCES]
            graph.executemany(_SOURCE, mark)
            pins = [(f"{system}/{table}", number, "run", "v") for number, (system, table) in enumerate(SOURCES)]
            graph.executemany("INSERT INTO snapshot_input VALUES (?, ?, ?, ?)", pins)
            graph.execute("USE memory")
        self._state.execute("DETACH graph")
        self._point_at(snapshot_id, file_digest(path), now, read_at)
        old = self.settings.snapshots / f"snap_{self.published - 2}.duckdb"
        old.unlink(missing_ok=True)

    def _point_at(self, snapshot_id: str, digest: str, now: datetime, read_at: datetime) -> None:
        pin = {"asset_key": "entity_graph", "storage_id": self.published, "run_id": "run", "data_version": snapshot_id}
        row: dict[str, Any] = {
            "snapshot_id": snapshot_id,
            "path": f"graph/{snapshot_id}.duckdb",
            "file_digest": digest,
            "run_id": "run",
        }
        row |= {"built_at": read_at, "published_at": now, "checks": {"accounted": "passed"}, "pin": pin}
        mark = {"read_at": read_at, "row_count": 1, "data_version": "v"}
        marks = [{"system": system, "source_table": table, **mark} for system, table in SOURCES]
        with self.store.begin() as connection:
            connection.execute(insert(tables.snapshot).values(row))
            connection.execute(delete(tables.pointer))
            connection.execute(insert(tables.pointer).values(id=1, snapshot_id=snapshot_id, moved_at=now))
            connection.execute(delete(tables.watermark))
            connection.execute(insert(tables.watermark), marks)
            entries.snapshot_published(connection, snapshot_id, at=now)
