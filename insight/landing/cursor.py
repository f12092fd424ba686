"""From where on a table is read again: what the cursor of its rows said at last, and how late rows may come to be seen.

A cursor is trusted where every row says a time, all in one form (`2026-11-02 05:09:59`, with a fraction, a `T` or a
zone or without), so that texts sort as times do; otherwise the whole table is read every time.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import duckdb

from insight.landing.table import LandedTable
from insight.sources.readers.sql import Since
from insight.sources.source import Source
from orchestration.sql import quoted

_FORM: Final = r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d+)?(Z| UTC|[+-]\d\d(?::?\d\d)?)?"
_UP_TO_SECONDS: Final = 19
"""Characters of a time without its fraction and zone."""


def latest(connection: duckdb.DuckDBPyConnection, cursor: str | None) -> str | None:
    """The latest that a column of `read_rows` says; None where it cannot be gone on from."""
    if cursor is None:
        return None
    found = connection.execute(
        f"SELECT max(stamp), count(DISTINCT form), min(form.sep) FROM ("
        f"  SELECT stamp, regexp_extract(stamp, '^{_FORM}$', ['sep', 'zone']) AS form"
        f"  FROM (SELECT DISTINCT {quoted(cursor)} AS stamp FROM read_rows WHERE {quoted(cursor)} IS NOT NULL))"
    ).fetchall()
    stamp, forms, separator = found[0]
    return str(stamp) if forms == 1 and separator else None


def later(before: str, now: str | None) -> str | None:
    """The later of two; None where they are not of one form."""
    mine, theirs = _form(before), _form(now)
    if mine is None or theirs is None or mine.groups() != theirs.groups():
        return None
    return max(mine[0], theirs[0])


def since(source: Source, before: LandedTable) -> Since | None:
    """From where on to read what may have changed since a reading.

    A row that was not seen then said a time no longer before that reading than the overlap. Where even the latest row
    was older, only later ones can be new; otherwise those of the overlap are read once more.

    Returns:
        None where that reading cannot be gone on from.
    """
    form = _form(before.cursor)
    if form is None:
        return None
    separator, zone = form[1], form[2] or ""
    edge = before.read_at - source.tables[before.table].lag
    # A time without a zone is one of the source's or, as those who sync write it, of none: the earlier is the safer.
    zones = [_zone(zone)] if zone else [UTC, ZoneInfo(source.timezone)]
    begins = min(edge.astimezone(one).strftime(f"%Y-%m-%d{separator}%H:%M:%S") for one in zones)
    if form[0][:_UP_TO_SECONDS] < begins:
        return Since(form[0], strictly=True)
    return Since(begins, strictly=False)


def _form(stamp: str | None) -> re.Match[str] | None:
    return re.fullmatch(_FORM, stamp or "", re.ASCII)


def _zone(stated: str) -> tzinfo:
    if stated in {"Z", " UTC"}:
        return UTC
    hours, minutes = int(stated[1:3]), int(stated[-2:]) if len(stated) > len("+00") else 0
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if stated.startswith("-") else offset)
