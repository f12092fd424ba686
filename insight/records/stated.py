"""What the `.sql` of a source states of a shape: the rows it returns, each traced to the landed row that drives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb
import pyarrow as pa

from insight import layers
from insight.landing import LandedTable, row_count
from insight.records import support
from insight.records.concerns import Slice
from insight.records.sandbox import run, sandbox, tables_used
from insight.scratch import room, scratch
from insight.sources.source import Given, Source
from insight.stage import version_of
from orchestration.errors import SourceError
from orchestration.graph.model import Shape
from orchestration.sql import quoted

ROW: Final = ("source_table", "source_key")
"""Columns that every `.sql` but `alias.sql` returns: the table and `_key` of the row that drives the record."""


_REPEATED: Final = """
CREATE TABLE repeated AS
SELECT source_table, source_key, count(*) AS times FROM stated GROUP BY ALL HAVING count(*) > 1
"""
_ONCE: Final = """
SELECT {everything}, row_hash
FROM (
    SELECT * FROM stated ANTI JOIN repeated USING (source_table, source_key)
    UNION ALL BY NAME
    SELECT * FROM stated SEMI JOIN repeated USING (source_table, source_key)
    QUALIFY row_number() OVER (PARTITION BY source_table, source_key ORDER BY {everything}) = 1
)
JOIN landed USING (source_table, source_key)
"""


@dataclass(frozen=True, slots=True)
class Stated:
    """What one system states of a shape.

    Attributes:
        rows: One row of the `.sql` each: `source_table`, `source_key`, `row_hash`, fields and class columns as text;
            each landed row at most once.
        repeated: `source_table`, `source_key` and count of rows that the `.sql` returned more than once.
        support: The rows that complete these, as `support.known` returns them.
        beyond: Tables of rows that it names and does not read.
        some: Table to rows as landed, where these are all that the above may name.
    """

    source: Source
    system: str
    rows: pa.Table
    repeated: pa.Table
    support: pa.Table
    beyond: frozenset[str]
    some: Mapping[str, pa.Table] | None = None


def systems(source: Source, landed: Iterable[LandedTable]) -> dict[str, list[LandedTable]]:
    """The landed tables of a source by system, in order of name."""
    found: dict[str, list[LandedTable]] = {}
    for one in landed:
        if one.source == source.system:
            found.setdefault(one.system, []).append(one)
    return dict(sorted(found.items()))


def class_columns(source: Source, shape: str) -> list[str]:
    """Columns of a shape's `.sql` that say who asserts its fields."""
    classes = source.asserts.get(shape, {}).values()
    return sorted({one.column for one in classes if isinstance(one, Given)})


def version_of_stated(name: str, sources: Sequence[Source], landed: Sequence[LandedTable]) -> str:
    """The version of all that goes into what the sources' `<name>.sql` return."""
    parts: list[str] = []
    for source in sources:
        if (path := source.sql.get(name)) is None:
            continue
        used = tables_used(source, path)
        parts += [source.file.read_text(encoding="utf-8"), path.read_text(encoding="utf-8")]
        parts += sorted(
            f"{one.system} {one.table} {one.data_version}"
            for one in landed
            if one.source == source.system and one.table in used
        )
    return version_of(name, *parts)


def said_of(name: str, sources: Sequence[Source]) -> str:
    """The version of what the sources' folders say for their `<name>.sql` and `alias.sql`, whatever was landed."""
    parts: list[str] = []
    for source in sources:
        if named := [source.sql[one] for one in (name, "alias") if one in source.sql]:
            parts += [one.read_text(encoding="utf-8") for one in (source.file, *named)]
    return version_of(name, *parts)


def state(
    shape: Shape,
    sources: Sequence[Source],
    landed: Sequence[LandedTable],
    sample: int | None = None,
    slices: Mapping[str, Slice] | None = None,
) -> Iterator[Stated]:
    """What each system states of a shape.

    Args:
        shape: The record type or fact.
        sources: The sources; those without a `.sql` of the shape state nothing.
        landed: What was landed of them.
        sample: How many rows of each system to take, for a look; all by default.
        slices: System to the part of it that counts; all of all by default.

    Raises:
        SourceError: A `.sql` does not run, or names rows that are not there.
    """
    for source in sources:
        if (path := source.sql.get(shape.name)) is None:
            continue
        classes = class_columns(source, shape.name)
        for system, tables in systems(source, landed).items():
            part = slices[system] if slices is not None else None
            if part is not None and not part.affected.num_rows:
                continue
            with sandbox(source, tables, [path], part.rows if part else None) as connection:
                rows = run(connection, path, [*ROW, *classes], shape.names, [support.COLUMN])
            yield _traced(source, system, shape.name, rows, tables, sample, part)


def _traced(  # noqa: PLR0913, PLR0917  one place calls it
    source: Source,
    system: str,
    shape: str,
    stated: pa.Table,
    tables: list[LandedTable],
    sample: int | None,
    part: Slice | None,
) -> Stated:
    """The rows with the hash of the landed row that drives each, and no row twice; what completes them apart."""
    everything = ", ".join(quoted(name) for name in stated.column_names if name != support.COLUMN)
    path = source.sql[shape]
    with room(stated.num_rows + row_count(tables)) if part is None else scratch() as connection:
        connection.register("stated", stated)
        if part is not None:
            connection.register("affected", part.affected)
            connection.execute(
                "CREATE TABLE affecting AS FROM stated SEMI JOIN affected USING (source_table, source_key)"
            )
            connection.unregister("stated")
            connection.execute("ALTER TABLE affecting RENAME TO stated")
        connection.execute(_REPEATED)
        used = [row[0] for row in connection.execute("SELECT DISTINCT source_table FROM stated").fetchall()]
        if supported := support.COLUMN in stated.column_names:
            used += support.named(connection, source, path)
        _load_keys(connection, tables, frozenset(used), part)
        strays = connection.execute(
            "SELECT source_table, source_key FROM stated ANTI JOIN landed USING (source_table, source_key) LIMIT 1"
        ).fetchall()
        if strays:
            found = f"the row {strays[0][1]!r} of {strays[0][0]!r}"
            needed = "source_table and source_key (_key) of a row that was landed"
            raise SourceError(str(path), found, needed)
        limit = "" if sample is None else f"ORDER BY source_table, source_key LIMIT {int(sample)}"
        rows = connection.sql(_ONCE.format(everything=everything) + limit).to_arrow_table()
        repeated = connection.sql("SELECT * FROM repeated").to_arrow_table()
        named = support.known(connection) if supported else support.none()
        beyond = frozenset(used) - tables_used(source, path)
        return Stated(source, system, rows, repeated, named, beyond, part.rows if part else None)


def _load_keys(
    connection: duckdb.DuckDBPyConnection, tables: list[LandedTable], used: frozenset[str], part: Slice | None
) -> None:
    """Make `landed`, the keys and hashes of the rows that `stated` or `named` speaks of, and perhaps of others."""
    connection.execute("CREATE TABLE landed (source_table VARCHAR, source_key VARCHAR, row_hash VARCHAR)")
    for one in tables:
        if one.table not in used:
            continue
        if part is not None:
            connection.register("part", part.rows.get(one.table, _NO_ROWS))
            connection.execute("INSERT INTO landed SELECT ?, _key, _row_hash FROM part", [one.table])
            connection.unregister("part")
        if support.missing(connection, one.table):
            rows = f"{layers.rows(one.path)} SEMI JOIN missing ON source_key = _key"
            connection.execute(f"INSERT INTO landed SELECT ?, _key, _row_hash FROM {rows}", [one.table])


_NO_ROWS: Final = pa.schema([("_key", pa.string()), ("_row_hash", pa.string())]).empty_table()
