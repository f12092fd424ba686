"""Which source rows complete a record beside the one that drives it: those that its `.sql` names in `supported_by`.

An item of that list is `table:_key` of a row of the same system. What is named and was not landed is noted; the row
that drives a record does not complete it as well.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from insight.sources.source import Source
from orchestration.errors import SourceError

COLUMN: Final = "supported_by"
"""The column of a `.sql` that names the rows which complete a record."""

TABLE: Final = """
CREATE TABLE support (
    record_id VARCHAR, supporting_record VARCHAR, system VARCHAR, source_table VARCHAR, source_key VARCHAR
);
"""
_NAMED: Final = f"""
CREATE TABLE named AS
WITH listed AS (
    SELECT source_table, source_key, {COLUMN} FROM stated ANTI JOIN repeated USING (source_table, source_key)
    UNION ALL
    SELECT source_table, source_key, flatten(list({COLUMN}) FILTER ({COLUMN} IS NOT NULL))
    FROM stated SEMI JOIN repeated USING (source_table, source_key)
    GROUP BY source_table, source_key
)
SELECT source_table, source_key, split_part(item, ':', 1) AS supporting_table,
    substr(item, strpos(item, ':') + 1) AS supporting_key, item
FROM (SELECT source_table, source_key, unnest(list_distinct({COLUMN})) AS item FROM listed)
WHERE item IS NOT NULL AND item <> source_table || ':' || source_key
"""
_KNOWN: Final = """
SELECT named.source_table, named.source_key, supporting_table, supporting_key, landed.source_key IS NOT NULL AS known
FROM named
LEFT JOIN landed ON landed.source_table = supporting_table AND landed.source_key = supporting_key
"""
_KEEP: Final = """
INSERT INTO support
SELECT record_id, concat_ws(':', $system, supporting_table, supporting_key), $system, supporting_table, supporting_key
FROM named JOIN fresh USING (source_table, source_key)
WHERE known
"""
_NOTE: Final = f"""
INSERT INTO note
SELECT record_id, system, source_table, source_key, '{COLUMN}', concat_ws(':', supporting_table, supporting_key),
    'no such row was landed'
FROM named JOIN fresh USING (source_table, source_key)
WHERE NOT known AND _reason IS NULL
"""


def named(connection: duckdb.DuckDBPyConnection, source: Source, path: Path) -> list[str]:
    """Make the table `named` of what `stated` names, and return the tables that it is of.

    A row that was returned more than once is completed by what any of its copies names, so that none of it is lost.

    Args:
        connection: Where `stated` is, what a `.sql` returned, and `repeated`, the rows that it returned more than once.
        source: The source.
        path: The `.sql`.

    Raises:
        SourceError: An item is not `table:_key` with a table of the source.
    """
    connection.execute(_NAMED)
    tables = connection.execute("SELECT supporting_table, min(item) FROM named GROUP BY ALL ORDER BY ALL").fetchall()
    for _, item in tables:
        refuse_unless_row(item, COLUMN, source, path)
    return [table for table, _ in tables]


def refuse_unless_row(item: str, column: str, source: Source, path: Path) -> None:
    """Refuse what a column of a `.sql` holds where it cannot name a row.

    Raises:
        SourceError: It is not `table:_key` with a table of the source.
    """
    table, colon, _ = item.partition(":")
    if not colon or table not in source.tables:
        needed = f"table:_key, with a table that {source.file} declares: {', '.join(source.tables)}"
        raise SourceError(str(path), f"{item!r} in {column}", needed)


def missing(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Make `missing` of the rows of a table that `stated` or `named` speaks of and `landed` lacks: whether it has any.

    Args:
        connection: Where `stated` and `landed` are, and `named` where any row names others.
        table: The table.
    """
    tables = "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'named'"
    named = connection.execute(tables).fetchall()[0][0]
    also = "UNION SELECT supporting_key FROM named WHERE supporting_table = $table" if named else ""
    connection.execute(
        "CREATE OR REPLACE TABLE missing AS SELECT source_key FROM ("
        f"SELECT source_key FROM stated WHERE source_table = $table {also}"
        ") ANTI JOIN (SELECT source_key FROM landed WHERE source_table = $table) AS there USING (source_key)",
        {"table": table},
    )
    return bool(connection.execute("SELECT 1 FROM missing LIMIT 1").fetchall())


def known(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row a record and a row that it names: which, of which table, and whether it is in `landed`."""
    return connection.sql(_KNOWN).to_arrow_table()


def none() -> pa.Table:
    """What a `.sql` names that names nothing."""
    texts = ("source_table", "source_key", "supporting_table", "supporting_key")
    return pa.schema([*((name, pa.string()) for name in texts), ("known", pa.bool_())]).empty_table()


def keep(connection: duckdb.DuckDBPyConnection, system: str, found: pa.Table) -> None:
    """Add to `support` the rows that complete the records in `fresh`, also those of records that failed.

    Args:
        connection: Where `support`, `note` and `fresh` are.
        system: The system that all these rows are of.
        found: What `known` returned.
    """
    connection.register("named", found)
    connection.execute(_KEEP, {"system": system})
    connection.execute(_NOTE)
    connection.unregister("named")
