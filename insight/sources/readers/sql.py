"""What the readers of databases share: one generated `SELECT` of declared columns, and errors as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import adbc_driver_manager
import pyarrow as pa

from insight.sources.readers.base import Read, present
from insight.sources.source import Source
from orchestration.errors import SourceError
from orchestration.sql import quoted


def connected(source: Source, what: str, connect: Callable[[], Any], first: Sequence[str]) -> Any:  # noqa: ANN401  untyped driver
    """A connection on which the first statements were executed; closed again where one fails.

    Raises:
        SourceError: The database does not answer.
    """
    with reading(source, what):
        connection = connect()
        try:
            with connection.cursor() as cursor:
                for statement in first:
                    cursor.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


def columns_of(source: Source, table: str, has: Sequence[str], tables: Sequence[str]) -> tuple[str, ...]:
    """The declared columns of a table that the database has.

    Raises:
        SourceError: The database does not have the table or a column of it.
    """
    name = source.tables[table].name or table
    if not has:
        found = f"the table {name!r}, which {source.system} does not have"
        needed = f"one of {', '.join(tables)}" if tables else "a database with tables in it that this account may read"
        raise SourceError(f"{source.file}: tables.{table}", found, needed)
    had = present(source, table, has, f"the table {name!r}")
    return tuple(column for column in source.read_columns(table) if column in had)


def select(source: Source, connection: Any, table: str, columns: Sequence[str]) -> Read:  # noqa: ANN401  untyped driver
    """The columns of a table, cast to text by the database."""
    casts = ", ".join(f"CAST({quoted(column)} AS TEXT) AS {quoted(column)}" for column in columns)
    statement = f"SELECT {casts} FROM {quoted(source.tables[table].name or table)}"
    return Read(source.read_columns(table), _batches(source, connection, statement, table))


def _batches(source: Source, connection: Any, statement: str, table: str) -> Iterator[pa.RecordBatch]:  # noqa: ANN401  untyped driver
    with reading(source, f"the table {table!r}"), connection.cursor() as cursor:
        cursor.execute(statement)
        yield from cursor.fetch_record_batch()


@contextmanager
def reading(source: Source, what: str) -> Iterator[None]:
    """Turn what a driver raises into a sentence about the source.

    Raises:
        SourceError: The driver failed.
    """
    try:
        yield
    except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
        said = str(error).strip().splitlines()[0].rstrip(".")
        raise SourceError(f"{source.file}: url", f"{what} unreadable ({said})", "a database that answers") from error
