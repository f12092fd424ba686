"""Reads a Postgres database in one read-only, repeatable transaction.

A session can be talked out of being read-only, so what really holds is a role without write privileges: `may_write`
says where the role has one, and `precede sources check` shows it.
"""

from __future__ import annotations

from adbc_driver_postgresql import dbapi

from insight.sources.readers.base import Read
from insight.sources.readers.sql import columns_of, connected, reading, select
from insight.sources.source import Source

_COLUMNS = """
SELECT column_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1 ORDER BY ordinal_position
"""
_TABLES = """
SELECT DISTINCT table_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) ORDER BY 1
"""
_WRITABLE = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = ANY (current_schemas(false)) AND relkind IN ('r', 'p', 'v', 'f')
  AND (
    has_table_privilege(pg_class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE')
  )
ORDER BY 1
"""


class PostgresReader:
    """Tables that the role sees on its search path, all read as they stood when the first was."""

    def __init__(self, source: Source, url: str) -> None:
        self._source = source
        self._connection = connected(
            source,
            "the Postgres database",
            lambda: dbapi.connect(url),
            ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SET LOCAL TIME ZONE 'UTC'"],
        )

    def read(self, table: str) -> Read:
        """The declared columns of a table, as text."""
        name = self._source.tables[table].name or table
        with reading(self._source, f"the table {name!r}"), self._connection.cursor() as cursor:
            cursor.execute(_COLUMNS, (name,))
            has = [row[0] for row in cursor.fetchall()]
            cursor.execute(_TABLES)
            tables = [row[0] for row in cursor.fetchall()]
        columns = columns_of(self._source, table, has, tables)
        return select(self._source, self._connection, table, columns)

    def may_write(self) -> str | None:
        """The tables that the role may change."""
        with reading(self._source, "the Postgres database"), self._connection.cursor() as cursor:
            cursor.execute(_WRITABLE)
            return ", ".join(row[0] for row in cursor.fetchall()) or None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
