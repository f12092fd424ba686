"""A table is read again from where its cursor stood, and what comes is laid on what was landed.

What this gives is what reading everything would give, as long as what is added or changed comes with a later time:
wherever the rows that came cannot be told apart by their keys, or the source has not as many rows as there must be, the
whole table is to be read. So a row that vanished without a mark is noticed by the count, and so is one that came with
an old time, unless as many vanished as so came; one that changed without its cursor is not. A full reading sees all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import duckdb

from insight.landing.content import content
from insight.landing.cursor import later, latest, since
from insight.landing.folder import content_before, lay, placed, rows_of, shape_of
from insight.landing.rows import deleted, hashed, is_plain, set_aside
from insight.landing.table import LandedTable
from insight.layers import rows
from insight.sources.readers.sql import SqlReader
from insight.sources.source import Source
from orchestration.erasure.suppression import NOBODY, Suppression
from orchestration.settings import Settings
from orchestration.sql import quoted


def read_again(  # noqa: PLR0913, PLR0917  one place calls it
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    reader: SqlReader,
    before: LandedTable,
    settings: Settings,
    read_at: datetime,
    suppression: Suppression = NOBODY,
) -> LandedTable | None:
    """Land what is new in a table since it was last read.

    Returns:
        The table; None where it has to be read in full.
    """
    table = before.table
    shape = shape_of(source, table)
    was = content_before(before, shape)
    begins = since(source, before)
    if (
        was is None
        or begins is None
        or before.rejected_count
        or before.suppressed_count
        or before.known_by != reader.known_by(table)
    ):
        return None
    read = reader.read(table, begins)
    # how many rows of a table are suppressed is known only where all of it is read
    if hashed(connection, source, table, read, suppression=suppression) or not is_plain(connection):
        return None
    cursor, column = before.cursor, quoted(str(source.tables[table].cursor))
    if connection.execute(f"SELECT 1 FROM read_rows WHERE {column} IS NOT NULL LIMIT 1").fetchall():
        cursor = later(str(cursor), latest(connection, source.tables[table].cursor))
    _compare(connection, before)
    now = was - content(connection, "replaced") + content(connection, "added")
    total = reader.count(table)
    marked = before.deleted_count
    if connection.execute("SELECT 1 FROM marked LIMIT 1").fetchall():
        # A row that came marked may have been marked for long: the source knows how many are.
        marked = reader.count(table, deleted=True)
    if total != now.rows + marked or not _keys_are_unique(connection, source, reader, table):
        return None
    draft = replace(before, read_at=read_at, cursor=cursor, row_count=now.rows, deleted_count=marked)
    deleted(connection)
    set_aside(connection, source, table, read)
    landed = placed(draft, settings.landing, now, shape, "", before)
    lay(connection, landed, rows_of(source, table), now, shape, before)
    return landed


def _compare(connection: duckdb.DuckDBPyConnection, before: LandedTable) -> None:
    """Make `added` and `replaced`, rows by key and hash as they are and as they were, and `moved`, their keys.

    `held` are rows that were there before, of the keys that came; `marked` are keys that came as deleted alone.
    """
    for made, query in {
        "held": (
            f"SELECT _key, _row_hash FROM {rows(before.path)} "
            "SEMI JOIN (SELECT _key FROM read_rows) AS came USING (_key)"
        ),
        "marked": (
            "SELECT DISTINCT _key FROM read_rows "
            "ANTI JOIN (SELECT _key FROM read_rows WHERE NOT _deleted) AS live USING (_key)"
        ),
        "added": "SELECT _key, _row_hash FROM read_rows ANTI JOIN held USING (_key, _row_hash) WHERE NOT _deleted",
        "moved": "SELECT _key FROM added UNION SELECT _key FROM marked SEMI JOIN held USING (_key)",
        "replaced": "FROM held SEMI JOIN moved USING (_key)",
    }.items():
        connection.execute(f"CREATE OR REPLACE TABLE {made} AS {query}")


def _keys_are_unique(connection: duckdb.DuckDBPyConnection, source: Source, reader: SqlReader, table: str) -> bool:
    """Whether the source has one row, deleted ones apart, of each key that came, and none of those in `marked`.

    A second row with the key of one that stands would pass for a change of it otherwise.
    """
    if not connection.execute("SELECT 1 FROM read_rows SEMI JOIN held USING (_key) LIMIT 1").fetchall():
        return True
    columns = source.tables[table].key
    lacking = " OR ".join(f"{quoted(column)} IS NULL" for column in columns)
    complete = not connection.execute(f"SELECT 1 FROM read_rows WHERE {lacking} LIMIT 1").fetchall()
    if complete and reader.keeps_unique(table):
        return True
    first = connection.execute(f"SELECT DISTINCT trim({quoted(columns[0])}) FROM read_rows").fetchall()
    hashed(connection, source, table, reader.holding(table, [row[0] for row in first if row[0]]), "standing")
    wrong = connection.execute(
        "SELECT 1 FROM (SELECT _key, count(*) AS times FROM standing WHERE NOT _deleted GROUP BY _key) "
        "SEMI JOIN (SELECT _key FROM read_rows) AS came USING (_key) LEFT JOIN marked USING (_key) "
        "WHERE times <> CASE WHEN marked._key IS NULL THEN 1 ELSE 0 END LIMIT 1"
    ).fetchall()
    return not wrong
