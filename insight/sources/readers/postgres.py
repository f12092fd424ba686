"""Reads a Postgres database in one read-only, repeatable transaction.

A session can be talked out of being read-only, so what really holds is a role without write privileges: `may_write`
says where the role has one, and `precede sources check` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from adbc_driver_postgresql import dbapi

from insight.sources.readers.sql import Since, SqlReader, asked, connected, reading
from insight.sources.source import Source
from orchestration.sql import literal

_COLUMNS: Final = """
SELECT column_name, data_type FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) AND table_name = $1 ORDER BY ordinal_position
"""
_TABLES: Final = """
SELECT DISTINCT table_name FROM information_schema.columns
WHERE table_schema = ANY (current_schemas(false)) ORDER BY 1
"""
_WRITABLE: Final = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = ANY (current_schemas(false)) AND relkind IN ('r', 'p', 'v', 'f')
  AND (
    has_table_privilege(pg_class.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
    OR has_any_column_privilege(pg_class.oid, 'INSERT, UPDATE')
  )
ORDER BY 1
"""
_IDENTITY: Final = """
SELECT pg_database.oid::text, pg_class.oid::text, coalesce(pg_relation_filenode(pg_class.oid)::text, '')
FROM pg_class, pg_database
WHERE pg_class.oid = to_regclass(quote_ident($1)) AND datname = current_database()
"""
"""A table that was emptied and filled again, or written anew, has another file node."""

_UNIQUE: Final = """
SELECT indexrelid::text, attname
FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indrelid = to_regclass(quote_ident($1)) AND indisunique AND indisvalid AND indpred IS NULL
  AND indexprs IS NULL AND indnkeyatts = indnatts
"""


class PostgresReader(SqlReader):
    """Tables that the role sees on its search path."""

    def __init__(self, source: Source, url: str) -> None:
        connection = connected(
            source,
            "the Postgres database",
            lambda: dbapi.connect(url),
            ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY", "SET LOCAL TIME ZONE 'UTC'"],
        )
        super().__init__(source, connection)
        parts = urlsplit(url)
        self._place = f"{parts.hostname} {parts.port} {parts.path}"

    def may_write(self) -> str | None:
        """The tables that the role may change."""
        with reading(self._source, "the Postgres database"):
            return ", ".join(row[0] for row in asked(self._connection, _WRITABLE)) or None

    def _described(self, name: str) -> tuple[Mapping[str, str], Sequence[str]]:
        has = asked(self._connection, _COLUMNS, (name,))
        return dict(has), [row[0] for row in asked(self._connection, _TABLES)]

    def _identity(self, table: str) -> Sequence[str]:
        return [self._place, *(part for row in self._asked(table, _IDENTITY, (self._named(table),)) for part in row)]

    def _uniques(self, table: str) -> Iterable[set[str]]:
        found: dict[str, set[str]] = {}
        for index, column in self._asked(table, _UNIQUE, (self._named(table),)):
            found.setdefault(index, set()).add(column)
        return found.values()

    @property
    def _listed(self) -> str:
        return "SELECT jsonb_array_elements_text(CAST($1 AS jsonb)) AS item"

    def _later(self, column: str, kind: str, since: Since) -> str:
        than = ">" if since.strictly else ">="
        if kind.startswith("timestamp"):
            later = f"{column} {than} CAST({literal(since.stamp)} AS {kind})"
        else:
            later = f'CAST({column} AS TEXT) COLLATE "C" {than} {literal(since.stamp)}'
        return f"({later} OR {column} IS NULL)"
