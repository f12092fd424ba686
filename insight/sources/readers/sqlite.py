"""Reads a SQLite file that is opened read-only and told to refuse every write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from adbc_driver_sqlite import dbapi

from insight.sources.readers.sql import Since, SqlReader, asked, connected
from insight.sources.source import Source
from orchestration.errors import SourceError
from orchestration.sql import literal


def _told_by(source: Source) -> str:
    return "" if isinstance(source.url, str) else f"; {source.url.env} says where it is"


class SqliteReader(SqlReader):
    """Tables of one SQLite file."""

    _options: ClassVar[Mapping[str, str]] = {"adbc.sqlite.query.batch_rows": "16384"}

    def __init__(self, source: Source, path: Path) -> None:
        if not path.is_file():
            raise SourceError(
                f"{source.file}: url", f"no file {path}", f"the SQLite database of {source.system}{_told_by(source)}"
            )
        self._path = path
        connection = connected(
            source,
            f"the SQLite file {path}",
            lambda: dbapi.connect(f"file:{quote(str(path))}?mode=ro"),
            ["PRAGMA query_only = ON", "SELECT count(*) FROM sqlite_master"],
        )
        super().__init__(source, connection)

    def may_write(self) -> str | None:
        """Nothing: the file is opened read-only."""
        return None

    def _described(self, name: str) -> tuple[Mapping[str, str], Sequence[str]]:
        has = asked(self._connection, "SELECT name, type FROM pragma_table_info(?)", (name,))
        tables = asked(self._connection, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
        return {row[0]: row[1] for row in has}, [row[0] for row in tables]

    def _identity(self, table: str) -> Sequence[str]:
        """The file, and where in it each table begins: a file made anew in the place of another hardly agrees."""
        stat = self._path.stat()
        made = self._asked(table, "SELECT schema_version FROM pragma_schema_version")
        roots = self._asked(table, "SELECT name, rootpage FROM sqlite_master ORDER BY name, rootpage")
        return [str(self._path.resolve()), f"{stat.st_dev} {stat.st_ino}", str(made), str(roots)]

    def _uniques(self, table: str) -> Iterable[set[str]]:
        name = self._named(table)
        keys = self._asked(table, "SELECT name, type FROM pragma_table_info(?) WHERE pk > 0", (name,))
        indexes = self._asked(
            table,
            'SELECT i.name, c.name FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c WHERE i."unique" '
            "AND NOT i.partial",
            (name,),
        )
        found: dict[str, set[str]] = {}
        for index, column in indexes:
            found.setdefault(index, set()).add(column)
        # What is the number of a row has no index of its own.
        if len(keys) == 1 and keys[0][1].upper() == "INTEGER":
            found["rowid"] = {keys[0][0]}
        return found.values()

    @property
    def _listed(self) -> str:
        return "SELECT value AS item FROM json_each(?)"

    def _later(self, column: str, kind: str, since: Since) -> str:  # noqa: ARG002  a value has its type by itself here
        # A number sorts before every text, so that what is no text would never be later.
        return f"({column} {'>' if since.strictly else '>='} {literal(since.stamp)} OR typeof({column}) <> 'text')"
