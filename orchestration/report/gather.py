"""Reading the store into DuckDB: the columns that the audit tables are made of, and no others.

Each table of the store is read once, in order, in one transaction, so that all of them tell of the same moment. What
holds personal data is not read at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from sqlalchemy import JSON, Boolean, Column, Connection, Date, Integer, Text, cast, select

from orchestration.contracts import SnapshotId
from orchestration.graph.current import current_snapshot
from orchestration.sql import quoted
from orchestration.store import tables
from orchestration.store.tables import UtcDateTime

HERE: Final = Path(__file__).parent
TABLES: Final = ("wake", "action", "decision", "approval", "outcome", "handoff", "stop", "incident")
"""The audit tables, each made by the query in `tables/<name>.sql`."""
KEPT: Final[dict[str, tuple[str, ...]]] = {
    "batch": ("batch_id", "agent", "snapshot_id", "business_date", "created_at", "state", "row_count"),
    "trigger_row": ("row_id", "batch_id", "entity_id", "answer"),
    "proposal": (
        "action",
        "batch_id",
        "row_id",
        "agent",
        "action_type",
        "entity_id",
        "proposed_at",
        "edited_from",
    ),
    "decision": (
        "decision_id",
        "action",
        "verdict",
        "reasons",
        "policies",
        "policy_digest",
        "snapshot_id",
        "decided_at",
    ),
    "outbox": (
        "action",
        "permit_id",
        "effect_key",
        "tool_server",
        "tool",
        "state",
        "attempts",
        "intended_at",
        "settled_at",
        "confirmed_record",
    ),
    "held": ("action", "state", "changed_at"),
    "approval": (
        "approval_id",
        "action",
        "decision_id",
        "verdict",
        "person",
        "at",
        "expires_at",
        "consumed_at",
        "voided_at",
        "void_code",
    ),
    "undo": ("undo_id", "action", "state", "intended_at", "settled_at"),
    "tainted_effect": ("action", "how", "cleared_at"),
    "stop": ("number", "scope", "name", "operator", "at", "lifted_at", "proof"),
    "incident": ("record_id", "how", "effect_key", "snapshot_id", "found_at"),
    "handoff": ("batch_id", "number", "row_id", "step", "attempts", "state", "output_digest", "taken_at"),
}
"""What of each table of the store the audit tables are made of."""
_ROWS: Final = 20_000
"""Rows that are carried over at a time."""


def gather(connection: Connection, into: duckdb.DuckDBPyConnection, now: datetime) -> None:
    """Make the audit tables, as the store is at this moment, in the connection's current database.

    Args:
        connection: On the store, in one transaction.
        into: A connection whose current database holds none of them yet.
        now: When that is.
    """
    into.execute("SET TimeZone = 'UTC'")
    into.execute((HERE / "schema.sql").read_text(encoding="utf-8"))
    into.execute("ATTACH ':memory:' AS staging")
    into.execute("CREATE SCHEMA staging.kept")
    into.execute("INSERT INTO basis VALUES ($now, $snapshot, $entries, $head)", basis(connection, now))
    for name, columns in KEPT.items():
        table = tables.metadata.tables[name]
        _carry(into, name, _read(connection, [table.c[column] for column in columns]))
    for name in TABLES:
        query = (HERE / "tables" / f"{name}.sql").read_text(encoding="utf-8").replace("kept.", "staging.kept.")
        into.execute(f"INSERT INTO {quoted(name)} BY NAME ({query})")
    into.execute("DETACH staging")


def basis(connection: Connection, now: datetime) -> dict[str, Any]:
    """What audit tables made now would be made of: the current graph and the ledger's last entry."""
    entry = tables.ledger_entry
    last = connection.execute(select(entry.c.seq, entry.c.hash).order_by(entry.c.seq.desc()).limit(1)).one_or_none()
    snapshot: SnapshotId | None = current_snapshot(connection)
    return {"now": now, "snapshot": snapshot, "entries": last.seq if last else 0, "head": last.hash if last else ""}


def _carry(into: duckdb.DuckDBPyConnection, name: str, chunks: Iterable[pa.Table]) -> None:
    for number, chunk in enumerate(chunks):
        into.register("chunk", chunk)
        verb = f"INSERT INTO staging.kept.{quoted(name)}" if number else f"CREATE TABLE staging.kept.{quoted(name)} AS"
        into.execute(f"{verb} FROM chunk")
        into.unregister("chunk")


def _read(connection: Connection, columns: Sequence[Column[Any]]) -> Iterator[pa.Table]:
    """The rows of some columns, an empty table where there are none."""
    query = select(*(cast(column, Text) if isinstance(column.type, JSON) else column for column in columns))
    schema = pa.schema([(column.name, _type(column)) for column in columns])
    with connection.execute(query.execution_options(yield_per=_ROWS)) as found:
        yield schema.empty_table()
        for rows in found.partitions():
            values = zip(*rows, strict=True)
            yield pa.table([pa.array(each, field.type) for each, field in zip(values, schema, strict=True)], schema)


def _type(column: Column[Any]) -> pa.DataType:
    for kind, arrow in (
        (UtcDateTime, pa.timestamp("us", "UTC")),
        (Date, pa.date32()),
        (Boolean, pa.bool_()),
        (Integer, pa.int64()),
    ):
        if isinstance(column.type, kind):
            return arrow
    return pa.string()
