"""Every table of a source, read and landed: in full, or from where the last reading stood."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from insight.landing import rows
from insight.landing.again import read_again
from insight.landing.content import Content, contents, refused
from insight.landing.cursor import is_crowded, latest
from insight.landing.folder import keep, placed, rows_of, shape_of
from insight.landing.table import LandedTable
from insight.sources.readers import Reader, open_reader
from insight.sources.readers.sql import SqlReader
from insight.sources.source import Source
from orchestration.erasure.suppression import NOBODY, Suppression
from orchestration.settings import Settings


def land(  # noqa: PLR0913  what a reading takes
    source: Source,
    settings: Settings,
    now: datetime | None = None,
    *,
    home: Path | None = None,
    before: Sequence[LandedTable] = (),
    full: bool = False,
    suppression: Suppression = NOBODY,
) -> list[LandedTable]:
    """Read every table of a source, and land what is not landed yet.

    A table that has rows of people who were erased, or had none of them left out by then, is read in full, and every
    row of it is written anew, so that nothing below holds them.

    Args:
        source: The source.
        settings: Where landing is.
        now: When the read begins.
        home: What `{home}` in the source's address stands for, where it is not that of the settings.
        before: What was landed of it last. A table with a cursor is then read from there on, if the source bears it
            out; of any other only what changed is written.
        full: Whether to read every table in full all the same, and to write every row of it.
        suppression: What is of people who were erased.

    Raises:
        SourceError: The source cannot be reached, or lacks a table or column.
    """
    read_at = now or datetime.now(UTC)
    found: list[LandedTable] = []
    with open_reader(source, home or settings.home) as reader, duckdb.connect() as connection:
        for table in source.tables:
            last = [one for one in before if (one.source, one.table) == (source.system, table)]
            again, anew = None, full or any(one.suppression != suppression.version for one in last)
            if len(last) == 1 and not anew and isinstance(reader, SqlReader):
                again = read_again(connection, source, reader, last[0], settings, read_at, suppression)
                rows.forget(connection)
            found += (
                [again]
                if again
                else _in_full(connection, source, reader, table, last, settings, read_at, suppression, whole=anew)
            )
            rows.forget(connection)
    return found


def _in_full(  # noqa: PLR0913, PLR0917  one place calls it
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    reader: Reader,
    table: str,
    before: Sequence[LandedTable],
    settings: Settings,
    read_at: datetime,
    suppression: Suppression,
    *,
    whole: bool,
) -> list[LandedTable]:
    spec = source.tables[table]
    read = reader.read(table)
    gone = rows.hashed(connection, source, table, read, suppression=suppression)
    known_by = reader.known_by(table) if isinstance(reader, SqlReader) else None
    cursor = latest(connection, spec.cursor) if known_by else None
    crowd = cursor if cursor is not None and is_crowded(connection, cursor, spec.lag) else None
    deleted = rows.deleted(connection)
    rows.set_aside(connection, source, table, read)
    used, rejected = contents(connection, "read_rows", "_system"), refused(connection)
    shape = shape_of(source, table)
    found: list[LandedTable] = []
    for system in sorted(used.keys() | deleted.keys() | rejected.keys() | gone.keys()) or [source.system]:
        content = used.get(system, Content())
        digest, count = rejected.get(system, ("", 0))
        draft = LandedTable(
            source.system,
            system,
            table,
            Path(),
            Path(),
            "",
            row_count=content.rows + count,
            deleted_count=deleted.get(system, 0),
            rejected_count=count,
            read_at=read_at,
            cursor=cursor,
            crowd=crowd,
            known_by=known_by or "",
            suppressed_count=gone.get(system, 0),
            suppression=suppression.version,
        )
        last = next((one for one in before if one.system == system), None)
        landed = placed(draft, settings.landing, content, shape, digest, last)
        stated = rows_of(source, table, system if source.system_column else None)
        found.append(keep(connection, landed, stated, content, shape, last, whole=whole))
    return found
