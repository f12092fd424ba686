"""Where a source folder's `.sql` runs: DuckDB in memory, over what was landed, with no way out.

Small tables as they were landed are read elsewhere and handed to a database that was locked before. Others are loaded
first; then access to files, networks and extensions is switched off and the configuration locked. Which tables those
are is asked of a database that is locked too. A `.sql` is one `SELECT`; anything else is refused before it runs, and by
the database if it ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from insight import layers
from insight.landing import LandedTable, row_count
from insight.records.locked import lock, locked
from insight.records.spoken import ALL, names_in
from insight.scratch import FEW, scratch
from insight.sources.source import Source
from orchestration.errors import SourceError
from orchestration.sql import quoted


def tables_used(source: Source, path: Path) -> frozenset[str]:
    """The tables of the source that a `.sql` reads.

    Raises:
        SourceError: It is not one `SELECT`, or reads a table that `source.yml` does not declare.
    """
    named = _tables_named(path, _text_of(path))
    if unknown := sorted(named - source.tables.keys()):
        raise SourceError(
            str(path), f"the table {unknown[0]!r}", f"one that {source.file} declares: {', '.join(source.tables)}"
        )
    return named


@cache
def _tables_named(path: Path, text: str) -> frozenset[str]:
    with locked() as connection:
        query = _one_select(connection, path, text)
        try:
            return frozenset(connection.get_table_names(query))
        except duckdb.Error as error:
            raise _wrong(path, error) from error


def columns_used(source: Source, paths: Iterable[Path], table: str) -> list[str]:
    """The columns of a table that the `.sql` files may read: those whose names they speak of, `_key` at least."""
    spoken = {name for path in paths for name in names_in(_text_of(path))}
    every = [*source.tables[table].stated, "_key", "_row_hash"]
    return [name for name in every if ALL in spoken or name == "_key" or name.casefold() in spoken]


@contextmanager
def sandbox(
    source: Source,
    landed: Iterable[LandedTable],
    paths: Iterable[Path],
    some: Mapping[str, pa.Table] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A locked connection with the landed tables of one system that the `.sql` files read.

    A table that the system has no rows of is there, empty. Volatile columns are not there: a record that was made of
    one would not follow its changes. Nor are columns that none of the files names.

    Args:
        source: The source.
        landed: What was landed of the system.
        paths: The `.sql` files.
        some: Table to the rows of it that are there, where not all are.
    """
    by_table = {one.table: one for one in landed}
    paths = tuple(paths)
    kept = {
        table: columns_used(source, paths, table)
        for table in sorted({table for path in paths for table in tables_used(source, path)})
    }
    given = dict(some or {})
    read = [by_table[table] for table in kept if table in by_table and table not in given]
    if row_count(read) <= FEW:
        given |= _read(read, kept)
        with locked() as connection:
            for table, columns in kept.items():
                _load(connection, table, columns, given.get(table))
            yield connection
        return
    with duckdb.connect() as connection:
        for one in read:
            connection.execute(f"CREATE TABLE {quoted(one.table)} AS {_rows(one, kept)}")
        for table in kept.keys() - {one.table for one in read}:
            _load(connection, table, kept[table], given.get(table))
        lock(connection)
        yield connection


def _read(landed: Sequence[LandedTable], columns: Mapping[str, Sequence[str]]) -> dict[str, pa.Table]:
    """Tables as they were landed, with those columns of each, where they are small."""
    if not landed:
        return {}
    with scratch() as connection:
        return {one.table: connection.sql(_rows(one, columns)).to_arrow_table() for one in landed}


def _rows(one: LandedTable, columns: Mapping[str, Sequence[str]]) -> str:
    return f"SELECT {', '.join(map(quoted, columns[one.table]))} FROM {layers.rows(one.path)}"


def _load(connection: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str], rows: pa.Table | None) -> None:
    """Make a table of this connection of some rows, or of none."""
    if rows is None:
        listed = ", ".join(f"{quoted(column)} VARCHAR" for column in columns)
        connection.execute(f"CREATE TEMP TABLE {quoted(table)} ({listed})")
        return
    listed = ", ".join(map(quoted, columns))
    connection.register("landed_rows", rows)
    connection.execute(f"CREATE TEMP TABLE {quoted(table)} AS SELECT {listed} FROM landed_rows")
    connection.unregister("landed_rows")


def run(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    required: Sequence[str],
    allowed: Sequence[str],
    lists: Sequence[str] = (),
) -> pa.Table:
    """What a `.sql` returns, each column as text; a list becomes text with `|` between its items.

    Columns that it leaves out but that are `allowed` are absent from the result, as are those that are `lists`: those
    must be lists and stay lists, of texts.

    Raises:
        SourceError: It does not run, or returns other columns.
    """
    query = _one_select(connection, path, _text_of(path))
    try:
        relation = connection.sql(query)
        names, kinds = relation.columns, relation.types
    except duckdb.Error as error:
        raise _wrong(path, error) from error
    for name in required:
        if name not in names:
            raise SourceError(str(path), f"no column {name!r}", f"a query that returns {', '.join(required)}")
    for name in names:
        if names.count(name) > 1:
            raise SourceError(str(path), f"the column {name!r} twice", "each column once")
        if name not in required and name not in allowed and name not in lists:
            known = ", ".join((*required, *allowed, *lists))
            raise SourceError(str(path), f"the column {name!r}", f"columns among {known}")
    columns = []
    for name, kind in zip(names, map(str, kinds), strict=True):
        if name in lists and not kind.endswith("[]"):
            raise SourceError(str(path), f"the column {name!r} of the type {kind}", "a list of texts")
        columns.append(f"CAST({quoted(name)} AS VARCHAR[]) AS {quoted(name)}" if name in lists else _text(name, kind))
    try:
        return relation.project(", ".join(columns)).to_arrow_table()
    except duckdb.Error as error:
        raise _wrong(path, error) from error


def _text(name: str, kind: str) -> str:
    column = quoted(name)
    value = f"array_to_string({column}, '|')" if kind.endswith("[]") else f"CAST({column} AS VARCHAR)"
    return f"{value} AS {column}"


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise _wrong(path, error) from error


def _one_select(connection: duckdb.DuckDBPyConnection, path: Path, text: str) -> str:
    """The text of a `.sql` that is one `SELECT`."""
    try:
        statements = connection.extract_statements(text)
    except duckdb.Error as error:
        raise _wrong(path, error) from error
    if len(statements) != 1:
        raise SourceError(str(path), f"{len(statements)} statements", "one SELECT")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise SourceError(str(path), f"a statement of the kind {statements[0].type.name}", "one SELECT")
    return text.strip().rstrip(";")


def _wrong(path: Path, error: Exception) -> SourceError:
    said = " ".join(str(error).split())
    return SourceError(
        str(path), f"SQL that does not run ({said.rstrip('.')[:300]})", "one SELECT over the tables of this source"
    )
