"""The tables, views and macros of a published graph, from `schema.sql`, `model.py` and `macros.sql`.

Here belongs the shape of the file alone; `publish` fills it and `reader` reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb

from orchestration.graph.model import COMMON, FACTS, RECORD_TYPES, Shape

HERE = Path(__file__).parent
STORAGE_VERSION = "v1.0.0"
"""The file format that every client reads that this project supports; newer ones do not open in older clients."""

_VARIED: Final = ("_id", "_key", "_record")
"""What the names of columns end in whose text is another in most rows."""


def reference(key: str) -> str:
    """The column that holds which record a source's own key names: `invoice_key` is followed by `invoice_record`."""
    return f"{key.removesuffix('_key')}_record"


def record_columns(shape: Shape) -> Iterator[tuple[str, str]]:
    """Names and types of the columns of a record type's `<type>_record` table, or of a fact's table."""
    first, *rest = COMMON
    yield first
    yield "entity_id", "VARCHAR"
    if shape.name in FACTS:
        yield "person_entity_id", "VARCHAR"
    yield from rest
    for field in shape.fields:
        yield field.name, field.duckdb_type
        if field.refers_to:
            yield reference(field.name), "VARCHAR"


def golden_columns(shape: Shape) -> Iterator[tuple[str, str]]:
    """Names and types of the columns of a record type's golden table."""
    yield "entity_id", "VARCHAR"
    for field in shape.fields:
        yield field.name, field.duckdb_type
        yield f"{field.name}_record", "VARCHAR"


def create_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Make every table, view and macro of a graph, empty, in the connection's current database.

    But for those of source rows, which depend on what is read: `source_rows.py`.
    """
    connection.execute((HERE / "schema.sql").read_text(encoding="utf-8"))
    for shape in RECORD_TYPES.values():
        _create(connection, shape.name, golden_columns(shape))
        _create(connection, f"{shape.name}_record", record_columns(shape))
    for shape in FACTS.values():
        _create(connection, shape.name, record_columns(shape))
    connection.execute(f"CREATE VIEW fact AS {_every_fact()}")
    connection.execute((HERE / "macros.sql").read_text(encoding="utf-8"))


def packed(name: str, *, varied: bool = False) -> str:
    """How a text column is told to be compressed: what is different in most rows, the way that suits such text.

    DuckDB would choose it as well, after having tried the others too, which is most of the work of writing a graph.
    """
    return " USING COMPRESSION fsst" if varied or name == "row_hash" or name.endswith(_VARIED) else ""


def _create(connection: duckdb.DuckDBPyConnection, table: str, columns: Iterator[tuple[str, str]]) -> None:
    declared = ", ".join(f'"{name}" {kind}{packed(name) if kind == "VARCHAR" else ""}' for name, kind in columns)
    connection.execute(f'CREATE TABLE "{table}" ({declared})')


def _every_fact() -> str:
    columns = "record_id, entity_id, person_entity_id, system, source_table, source_key"
    return " UNION ALL ".join(f"SELECT '{name}' AS fact, {columns} FROM \"{name}\"" for name in FACTS)
