"""What came out otherwise than in the version before, as a layer on it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from insight import layers
from insight.layers import Layer
from orchestration.sql import quoted


def describe_on(
    draft: Path, before: Path | None, keys: Mapping[str, tuple[str, ...]], inputs: Mapping[str, str]
) -> None:
    """Say in a draft folder what it is: a layer on the version before, or whole where it is time for that."""
    below = layers.read_layer(before) if before else None
    if before is None or below is None:
        layers.describe(draft, Layer(keys, inputs=inputs))
        return
    height = below.height + 1 if layers.may_layer(before) else 0
    layers.describe(draft, Layer(keys, since=before.name, height=height, inputs=inputs))


def put_changed(  # noqa: PLR0913, PLR0917  what a table's place in a version takes
    connection: duckdb.DuckDBPyConnection,
    draft: Path,
    table: str,
    before: Path,
    keys: tuple[str, ...],
    again: str = "again",
) -> None:
    """Write one table: of the rows whose keys were made again, what differs from the version before.

    Args:
        connection: Where a table of the name is, with all rows whose keys were made again.
        draft: The folder to write to.
        table: The table.
        before: The same of the version before.
        keys: What is replaced together.
        again: The table of the keys that were made again.
    """
    using = ", ".join(quoted(key) for key in keys)
    names = ", ".join(quoted(name) for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall())
    connection.execute(f"CREATE TABLE new_{table} AS SELECT {names} FROM {table}")
    connection.execute(
        f"CREATE TABLE old_{table} AS SELECT {names} FROM {layers.rows(before)} SEMI JOIN {again} USING ({using})"
    )
    connection.execute(
        f"CREATE TABLE touched_{table} AS SELECT DISTINCT {using} FROM ("
        f"  (FROM old_{table} EXCEPT ALL FROM new_{table}) UNION ALL (FROM new_{table} EXCEPT ALL FROM old_{table}))"
    )
    layers.put(
        connection,
        draft,
        table,
        f"SELECT * FROM new_{table} SEMI JOIN touched_{table} USING ({using})",
        f"SELECT * FROM touched_{table}",
        before.parent,
        whole=not layers.may_layer(before.parent),
        keys=keys,
    )
