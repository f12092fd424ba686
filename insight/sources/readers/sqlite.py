"""Reads a SQLite file that is opened read-only and told to refuse every write."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from adbc_driver_sqlite import dbapi

from insight.sources.readers.base import Read
from insight.sources.readers.sql import columns_of, connected, reading, select
from insight.sources.source import Source
from orchestration.errors import SourceError


def _told_by(source: Source) -> str:
    return "" if isinstance(source.url, str) else f"; {source.url.env} says where it is"


class SqliteReader:
    """Tables of one SQLite file, all read as they stood when the first was."""

    def __init__(self, source: Source, path: Path) -> None:
        if not path.is_file():
            raise SourceError(
                f"{source.file}: url", f"no file {path}", f"the SQLite database of {source.system}{_told_by(source)}"
            )
        self._source = source
        self._connection = connected(
            source,
            f"the SQLite file {path}",
            lambda: dbapi.connect(f"file:{quote(str(path))}?mode=ro"),
            ["PRAGMA query_only = ON", "SELECT count(*) FROM sqlite_master"],
        )

    def read(self, table: str) -> Read:
        """The declared columns of a table, as text."""
        name = self._source.tables[table].name or table
        with reading(self._source, f"the table {name!r}"), self._connection.cursor() as cursor:
            cursor.execute("SELECT name FROM pragma_table_info(?)", (name,))
            has = [row[0] for row in cursor.fetchall()]
            cursor.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            tables = [row[0] for row in cursor.fetchall()]
        columns = columns_of(self._source, table, has, tables)
        return select(self._source, self._connection, table, columns)

    def may_write(self) -> str | None:
        """Nothing: the file is opened read-only."""
        return None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
