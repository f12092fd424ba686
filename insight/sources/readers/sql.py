"""What the readers of databases share: generated `SELECT`s of declared columns, and errors as sentences."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import adbc_driver_manager
import pyarrow as pa

from insight.sources.readers.base import Read, present
from insight.sources.source import Source
from insight.stage import version_of
from orchestration.errors import SourceError
from orchestration.sql import quoted

TRUE: Final = ("1", "t", "true", "y", "yes")
"""What a column says, in any case, that marks its row as deleted."""

_NUMBERS: Final = frozenset({"integer", "int", "bigint", "smallint"})
_NUMBER: Final = re.compile(r"-?\d{1,18}", re.ASCII)
_STAMP: Final = re.compile(r"[0-9TUCZ :.+-]+")


@dataclass(frozen=True, slots=True)
class Since:
    """From where on rows are read, by their cursor.

    Attributes:
        stamp: A time, written as the source writes it: digits and what stands between them, nothing else.
        strictly: Whether rows of that very time are left out.
    """

    stamp: str
    strictly: bool

    def __post_init__(self) -> None:
        if not _STAMP.fullmatch(self.stamp):
            raise ValueError(self.stamp)


class SqlReader(ABC):
    """The tables of a database, all read as they stood when the first was."""

    _options: ClassVar[Mapping[str, str]] = {}
    """What the driver reads many rows best with."""

    def __init__(self, source: Source, connection: Any) -> None:  # noqa: ANN401  untyped driver
        self._source = source
        self._connection = connection
        self._kinds: dict[str, dict[str, str]] = {}

    def read(self, table: str, since: Since | None = None) -> Read:
        """The declared columns of a table, as text: of every row, or of those whose cursor says that they are later.

        A row whose cursor says nothing is later than any time.
        """
        kinds = self._columns(table)
        casts = ", ".join(f"{self._text(column)} AS {quoted(column)}" for column in self._read_columns(table))
        statement = f"SELECT {casts} FROM {self._from(table)}"
        if since is not None and (cursor := self._source.tables[table].cursor) is not None:
            statement += f" WHERE {self._later(quoted(cursor), kinds[cursor], since)}"
        return Read(self._source.read_columns(table), self._batches(statement, table))

    def known_by(self, table: str) -> str | None:
        """What stays the same as long as it is the same table with the same columns, whatever rows it has.

        Returns:
            None where the source lacks the table's cursor, so that only all of it can be read.
        """
        cursor = self._source.tables[table].cursor
        if cursor is None or cursor not in self._columns(table):
            return None
        return version_of(*self._identity(table), *self._read_columns(table))

    def count(self, table: str, *, deleted: bool = False) -> int:
        """The rows of a table, or those of them that are marked as deleted."""
        statement = f"SELECT count(*) FROM {self._from(table)}"
        mark = self._source.tables[table].deleted
        if deleted and mark is None:
            return 0
        if deleted and mark is not None:
            # Most marks are a plain zero, and need no closer look.
            statement += f" WHERE {quoted(mark)} IS NOT NULL AND {self._text(mark)} <> '0'"
            statement += f" AND lower(trim({self._text(mark)})) IN {TRUE}"
        return int(self._asked(table, statement)[0][0])

    def holding(self, table: str, keys: Sequence[str]) -> Read:
        """The key columns and the mark of every row whose first key column says one of these, or nothing."""
        spec = self._source.tables[table]
        first = spec.key[0]
        wanted = tuple(column for column in (*spec.key, spec.deleted) if column)
        casts = ", ".join(f"{self._text(column)} AS {quoted(column)}" for column in wanted)
        some = f"trim({self._text(first)}) IN ({self._listed})"
        if self._columns(table)[first].lower() in _NUMBERS and all(map(_NUMBER.fullmatch, keys)):
            # Unlike its text, the number may have an index.
            some = f"{quoted(first)} IN (SELECT CAST(item AS BIGINT) FROM ({self._listed}) AS listed)"
        some += f" OR {quoted(first)} IS NULL" if len(spec.key) > 1 else ""
        statement = f"SELECT {casts} FROM {self._from(table)} WHERE {some}"
        return Read(self._source.read_columns(table), self._batches(statement, table, [json.dumps(list(keys))]))

    def keeps_unique(self, table: str) -> bool:
        """Whether the database itself allows no two rows of one key, which then is of numbers."""
        kinds, key = self._columns(table), self._source.tables[table].key
        numbers = all(kinds[column].lower() in _NUMBERS for column in key)
        return numbers and any(unique <= set(key) for unique in self._uniques(table))

    @abstractmethod
    def may_write(self) -> str | None:
        """What the account could write if it were asked to, for a warning; None where it could nothing."""

    def close(self) -> None:
        """Let go of the database."""
        self._connection.close()

    @abstractmethod
    def _described(self, name: str) -> tuple[Mapping[str, str], Sequence[str]]:
        """The columns that a table has, with their types, and which tables there are."""

    @abstractmethod
    def _identity(self, table: str) -> Sequence[str]:
        """What tells the table from another of its name and place."""

    @abstractmethod
    def _uniques(self, table: str) -> Iterable[set[str]]:
        """Sets of columns that no two rows of a table agree in."""

    @property
    @abstractmethod
    def _listed(self) -> str:
        """A query for the items of the one parameter, a list of texts in JSON."""

    @abstractmethod
    def _later(self, column: str, kind: str, since: Since) -> str:
        """The condition that a row's cursor is later than a time, or says nothing."""

    def _columns(self, table: str) -> Mapping[str, str]:
        """The declared columns of a table that the database has, with their types.

        Raises:
            SourceError: The database does not have the table or a column of it.
        """
        if table not in self._kinds:
            name = self._named(table)
            with reading(self._source, f"the table {name!r}"):
                has, tables = self._described(name)
            if not has:
                found = f"the table {name!r}, which {self._source.system} does not have"
                readable = "a database with tables in it that this account may read"
                needed = f"one of {', '.join(tables)}" if tables else readable
                raise SourceError(f"{self._source.file}: tables.{table}", found, needed)
            had = present(self._source, table, has, f"the table {name!r}")
            self._kinds[table] = {column: has[column] for column in had}
        return self._kinds[table]

    def _read_columns(self, table: str) -> tuple[str, ...]:
        has = self._columns(table)
        return tuple(column for column in self._source.read_columns(table) if column in has)

    def _named(self, table: str) -> str:
        return self._source.tables[table].name or table

    def _from(self, table: str) -> str:
        return quoted(self._named(table))

    @staticmethod
    def _text(column: str) -> str:
        """A column, cast to text by the database."""
        return f"CAST({quoted(column)} AS TEXT)"

    def _asked(self, table: str, statement: str, parameters: Sequence[str] = ()) -> list[Any]:
        with reading(self._source, f"the table {self._named(table)!r}"):
            return asked(self._connection, statement, parameters)

    def _batches(self, statement: str, table: str, parameters: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        with reading(self._source, f"the table {table!r}"), self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**self._options)
            cursor.execute(statement, tuple(parameters) or None)
            yield from cursor.fetch_record_batch()


def asked(connection: Any, statement: str, parameters: Sequence[str] = ()) -> list[Any]:  # noqa: ANN401  untyped driver
    """Every row that a statement returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, tuple(parameters) or None)
        found: list[Any] = cursor.fetchall()
        return found


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
