"""The folder of a version of a table: all of its rows, or those that changed since the version before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import duckdb

from insight import layers
from insight.landing.content import Content
from insight.landing.table import REJECTED, ROW, LandedTable, folder_of
from insight.sources.source import Source
from insight.stage import version_of, writing
from orchestration.sql import literal, quoted

LARGEST: Final = 0.1
"""The share of rows that may change for a version to be a layer."""
_KEYS: Final = ("_key",)
_TABLE: Final = Path(ROW).stem


def shape_of(source: Source, table: str) -> str:
    """A digest of what a row of a table is: its columns, which of them the hash is over, and its key."""
    spec = source.tables[table]
    return version_of(*source.read_columns(table), "", *spec.stated, "", *spec.key)


def placed(  # noqa: PLR0913, PLR0917  what a version is told by
    draft: LandedTable, landing: Path, content: Content, shape: str, refused: str, before: LandedTable | None
) -> LandedTable:
    """The table with the version that it has by its content, and where that stands or shall stand."""
    version = content.version(shape, refused)
    folder = folder_of(landing, draft.system, draft.table) / version
    if before is not None and before.data_version == version and before.path.parent.exists():
        folder = before.path.parent
    return _at(replace(draft, data_version=version), folder)


def _at(landed: LandedTable, folder: Path) -> LandedTable:
    return replace(landed, path=folder / ROW, rejected=folder / REJECTED)


def content_before(before: LandedTable | None, shape: str) -> Content | None:
    """The content of a version that rows of this shape may be laid on; None where it is gone or of another shape."""
    layer = None if before is None else layers.read_layer(before.path.parent)
    if layer is None or layer.inputs.get("shape") != shape:
        return None
    return Content.stated(layer.inputs["content"])


def rows_of(source: Source, table: str, system: str | None = None) -> str:
    """A query for the rows of `read_rows`, or those of one system, as they are landed."""
    listed = ", ".join(quoted(column) for column in source.read_columns(table))
    some = "" if system is None else f" WHERE _system = {literal(system)}"
    return f"SELECT {listed}, _key, _row_hash FROM read_rows{some}"


def keep(  # noqa: PLR0913, PLR0917  what a version is made of
    connection: duckdb.DuckDBPyConnection,
    landed: LandedTable,
    rows: str,
    content: Content,
    shape: str,
    before: LandedTable | None,
    *,
    whole: bool = False,
) -> LandedTable:
    """Write the folder of a table that was read in full, where it is not there yet, and return where it is.

    Args:
        connection: Where `rows` and `rejected` are.
        landed: The table.
        rows: A query for every row.
        content: Their content.
        shape: What a row is.
        before: The version that this one may be laid on.
        whole: Whether to write every row; where the same version stands as a layer, beside it.
    """
    stands = layers.read_layer(landed.path.parent)
    if landed.path.parent.exists() and (not whole or stands is None or stands.whole):
        return landed
    if stands is not None:
        before = landed
        landed = _at(landed, landed.path.parent.with_name(f"{landed.data_version}{layers.MARK}{uuid4().hex[:8]}"))
    if before is None or content_before(before, shape) is None:
        with writing(landed.path.parent) as draft:
            _reject(connection, draft, landed.system)
            layers.write(connection, rows, draft / ROW)
            layers.describe(draft, layers.Layer({_TABLE: _KEYS}, inputs=_inputs(content, shape)))
        return landed
    # A row's hash is over its key too, so that hashes alone tell which rows are in both.
    was = layers.rows(before.path)
    connection.execute(
        "CREATE OR REPLACE TABLE moved AS "
        f"SELECT _key FROM ({rows}) ANTI JOIN (SELECT _row_hash FROM {was}) USING (_row_hash) UNION "
        f"SELECT _key FROM {was} ANTI JOIN (SELECT _row_hash FROM ({rows})) USING (_row_hash)"
    )
    lay(connection, landed, rows, content, shape, before, every=rows, whole=whole)
    return landed


def lay(  # noqa: PLR0913, PLR0917  what a version is made of
    connection: duckdb.DuckDBPyConnection,
    landed: LandedTable,
    rows: str,
    content: Content,
    shape: str,
    before: LandedTable,
    *,
    every: str | None = None,
    whole: bool = False,
) -> None:
    """Write the folder of a table of which it is known what changed since a version, where it is not there yet.

    Args:
        connection: Where `rows` and `rejected` are, and `moved`: the keys of rows that are new, different or gone.
        landed: The table.
        rows: A query for the rows of these keys, and perhaps of others.
        content: The content of the whole table.
        shape: What a row is.
        before: The version.
        every: A query for every row, where that is at hand.
        whole: Whether to write every row, however few changed.
    """
    earlier = before.path.parent
    layer = layers.read_layer(earlier)
    if layer is None or landed.path.parent.exists():
        return
    changed = connection.execute("SELECT count(*) FROM moved").fetchall()[0][0]
    whole = whole or changed > LARGEST * content.rows or not layers.may_layer(earlier)
    with writing(landed.path.parent) as draft:
        _reject(connection, draft, landed.system)
        layers.put(
            connection, draft, _TABLE, f"FROM ({rows}) SEMI JOIN moved USING (_key)", "FROM moved", earlier,
            whole=whole, keys=_KEYS, every=every,
        )  # fmt: skip
        height = 0 if whole else layer.height + 1
        layers.describe(draft, layers.Layer({_TABLE: _KEYS}, earlier.name, height, _inputs(content, shape)))


def _inputs(content: Content, shape: str) -> dict[str, str]:
    return {"content": str(content), "shape": shape}


def _reject(connection: duckdb.DuckDBPyConnection, draft: Path, system: str) -> None:
    layers.write(
        connection,
        f"SELECT * EXCLUDE (_system) FROM rejected WHERE _system = {literal(system)} "
        "ORDER BY record_id, reason, row_hash",
        draft / REJECTED,
    )
