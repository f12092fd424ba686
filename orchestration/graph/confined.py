"""One DuckDB file that can be read and can neither be written nor left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from orchestration.errors import ConfigurationError, NoGraph

if TYPE_CHECKING:
    import pyarrow as pa

Row = dict[str, Any]
_TIME: Final = "TIMESTAMP WITH TIME ZONE"


class Confined:
    """A file, open for reading: external access is off and the configuration locked, so that no statement changes it.

    Args:
        path: The file.

    Raises:
        NoGraph: There is no such file, or it is no database.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NoGraph(f"There is no graph at {path}; needed one that was published; publish it with `precede run`.")
        self.path = path
        try:
            self._connection = duckdb.connect(str(path), read_only=True)
            _lock(self._connection)
        except duckdb.Error as error:
            raise not_a_graph(path, error) from error

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def rows(self, sql: str, parameters: list[Any] | Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of one `SELECT`, as dictionaries; times are UTC, JSON columns are text.

        Raises:
            duckdb.Error: The statement is wrong, or tried to write or to leave the file.
        """
        bound = parameters if parameters is None or isinstance(parameters, list) else dict(parameters)
        with closing(self._connection.cursor()) as cursor:
            return _fetched(cursor, sql, bound)

    def tuples(self, sql: str, parameters: list[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of one `SELECT` as DuckDB gives them, for queries without times: these would be in no zone of ours.

        Raises:
            duckdb.Error: The statement is wrong, or tried to write or to leave the file.
        """
        bound = parameters if parameters is None or isinstance(parameters, list) else dict(parameters)
        with closing(self._connection.cursor()) as cursor:
            return cursor.execute(sql, bound).fetchall()

    def joined(
        self,
        sql: str,
        tables: Mapping[str, pa.Table],
        parameters: list[Any] | Mapping[str, Any] | None = None,
    ) -> list[Row]:
        """The rows of one `SELECT`, as `rows`, over the file and tables of the caller's, each by its name.

        Raises:
            duckdb.Error: The statement is wrong, or tried to write or to leave the file.
        """
        bound = parameters if parameters is None or isinstance(parameters, list) else dict(parameters)
        with closing(self._connection.cursor()) as cursor:
            for name, table in tables.items():
                cursor.register(name, table)
            try:
                return _fetched(cursor, sql, bound)
            finally:
                for name in tables:
                    cursor.unregister(name)

    def run_trigger(self, sql: str, business_date: date) -> list[Row]:
        """The rows of an agent's trigger, with `$business_date` bound where it asks for it.

        Raises:
            ConfigurationError: It is not one `SELECT`, names a parameter that does not exist, or fails on this graph.
        """
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise ConfigurationError("trigger.sql", f"{len(statements)} statement(s)", "one SELECT")
            parameters = {name: business_date for name in statements[0].named_parameters if name == "business_date"}
            return self.rows(sql, parameters)
        except duckdb.Error as error:
            needed = "a SELECT on the published graph whose only parameter is $business_date"
            raise ConfigurationError("trigger.sql", said_by(error), needed) from error


def not_a_graph(path: Path, error: Exception) -> NoGraph:
    """What to say of a file that is there and is no graph."""
    return NoGraph(
        f"{path} is not a published graph ({said_by(error)}); needed one that this Precede wrote; move it away and "
        "publish another with `precede run`."
    )


def said_by(error: Exception) -> str:
    """The first line of what an error says."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Confine the connection's database to its one file, once; a second connection in this process shares the lock."""
    locked = connection.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]
    if not locked:
        connection.execute("SET GLOBAL TimeZone = 'UTC'")
        connection.execute("SET autoinstall_known_extensions = false")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")


def _fetched(cursor: duckdb.DuckDBPyConnection, sql: str, bound: list[Any] | dict[str, Any] | None) -> list[Row]:
    cursor.execute(sql, bound)
    names, times = [], []
    for column in cursor.description or ():
        names.append(column[0])
        if str(column[1]) == _TIME:
            times.append(column[0])
    found = [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]
    for name in times:
        for row in found:
            if row[name] is not None:
                row[name] = row[name].astimezone(UTC)
    return found
