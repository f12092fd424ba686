"""The columns of insight's tables, for whoever reads about them: name, type, what it is, whether it may be empty."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from insight.sources.source import Source
from orchestration.graph.model import COMMON, Shape


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: str
    description: str | None = None
    nullable: bool = True


def landed_columns(source: Source, table: str) -> Iterator[Column]:
    """The columns of a table as it is landed."""
    spec = source.tables[table]
    for name in source.read_columns(table):
        says = "volatile: its change is no change of the row" if name in spec.volatile else None
        yield Column(name, "text", says, nullable=name not in spec.key)
    yield Column("_key", "text", "the key columns, joined", nullable=False)
    yield Column("_row_hash", "text", "digest of the columns that are not volatile", nullable=False)


def record_columns(shape: Shape) -> Iterator[Column]:
    """The columns of a record type or fact, without those that are derived from them for linking."""
    for name, kind in COMMON:
        yield Column(name, kind, nullable=False)
    for field in shape.fields:
        says = f"a key of the source's own; names a record of {field.refers_to}" if field.refers_to else None
        yield Column(field.name, field.duckdb_type, says or f"normalised as {field.kind}", nullable=not field.required)
