"""Published graphs: which were built, which is current, and how far each source was read."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table, Text

from orchestration.store.tables.base import UtcDateTime, json_column, metadata

# one built graph
snapshot = Table(
    "snapshot",
    metadata,
    Column("snapshot_id", String(64), primary_key=True),
    Column("path", Text, nullable=False),  # relative to PRECEDE_HOME
    Column("file_digest", String(64), nullable=False),  # SHA-256 of that file as it was published
    Column("run_id", String(64), nullable=False),
    Column("built_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    Column("expired_at", UtcDateTime),
    json_column("checks", nullable=False),  # blocking check -> "passed"
    json_column("pin"),  # contracts.Pin of the `entity_graph` materialisation, once it was found and verified
)


# one row: which snapshot is current. Moved in the transaction that publishes
pointer = Table(
    "pointer",
    metadata,
    Column("id", Integer, primary_key=True),  # always 1
    Column("snapshot_id", String(64), ForeignKey("snapshot.snapshot_id"), nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
)


# one source table's last successful read; advances also when nothing changed
watermark = Table(
    "watermark",
    metadata,
    Column("system", String(64), primary_key=True),
    Column("source_table", String(128), primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
    Column("row_count", BigInteger, nullable=False),  # of the last published snapshot, for the shrink check
    Column("data_version", String(64), nullable=False),
)
