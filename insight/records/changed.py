"""What came out otherwise than in the version before, as a layer on it.

A table that is wide has its rows' prints beside it, a number each: to tell which rows differ, these alone are read. Two
rows that differ have the same print by chance once in 2**64. Who may state rows could look for such a pair; he would
have hidden a change of his own row from what is made of it, until everything is made anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from insight import layers
from insight.layers import Layer
from orchestration.sql import literal, quoted


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


def prints_of(table: str) -> str:
    """The name of the table that has the prints of a table's rows."""
    return f"{table}_print"


def put_prints(connection: duckdb.DuckDBPyConnection, draft: Path, table: str, keys: tuple[str, ...]) -> None:
    """Write the prints of a table that was written whole."""
    rows = f"read_parquet({literal(draft / f'{table}.parquet')})"
    prints = _prints(connection, rows, keys)
    layers.put(connection, draft, prints_of(table), prints, None, None, whole=True, keys=keys)


def put_changed(  # noqa: PLR0913, PLR0917  what a table's place in a version takes
    connection: duckdb.DuckDBPyConnection,
    draft: Path,
    table: str,
    before: Path,
    keys: tuple[str, ...],
    again: str = "again",
    *,
    printed: bool = False,
) -> None:
    """Write one table: of the rows whose keys were made again, what differs from the version before.

    Args:
        connection: Where a table of the name is, with all rows whose keys were made again.
        draft: The folder to write to.
        table: The table.
        before: The same of the version before.
        keys: What is replaced together.
        again: The table of the keys that were made again.
        printed: Whether the table's rows have prints.
    """
    using = ", ".join(quoted(key) for key in keys)
    names = ", ".join(quoted(name) for name, *_ in connection.execute(f"DESCRIBE {table}").fetchall())
    connection.execute(f"CREATE TABLE new_{table} AS SELECT {names} FROM {table}")
    tables, told = [table], table
    if printed:
        told = prints_of(table)
        tables.append(told)
        connection.execute(f"CREATE TABLE new_{told} AS {_prints(connection, f'new_{table}', keys)}")
    columns = f"{using}, print" if printed else names
    was = layers.rows(before.with_stem(told))
    connection.execute(f"CREATE TABLE old_{told} AS SELECT {columns} FROM {was} SEMI JOIN {again} USING ({using})")
    connection.execute(
        f"CREATE TABLE touched_{table} AS SELECT DISTINCT {using} FROM ("
        f"  (FROM old_{told} EXCEPT ALL FROM new_{told}) UNION ALL (FROM new_{told} EXCEPT ALL FROM old_{told}))"
    )
    for one in tables:
        layers.put(
            connection,
            draft,
            one,
            f"SELECT * FROM new_{one} SEMI JOIN touched_{table} USING ({using})",
            f"SELECT * FROM touched_{table}",
            before.parent,
            whole=not layers.may_layer(before.parent),
            keys=keys,
        )


def _prints(connection: duckdb.DuckDBPyConnection, rows: str, keys: tuple[str, ...]) -> str:
    """A query for the keys and the print of each row of a table."""
    described = connection.execute(f"DESCRIBE FROM {rows}").fetchall()
    every = ", ".join(quoted(name) for name, *_ in described)
    return f"SELECT {', '.join(map(quoted, keys))}, hash({every}) AS print FROM {rows}"
