"""From where on a table is read again: what the cursor of its rows said at last, and how late rows may come to be seen.

A cursor is trusted where every row says a time, all in one form (`2026-11-02 05:09:59`, with a fraction, a `T` or a
zone or without), so that texts sort as times do; otherwise the whole table is read every time.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

import duckdb

from insight.landing.table import LandedTable
from insight.sources.readers.sql import Since
from insight.sources.source import Source
from orchestration.sql import quoted

_FORM: Final = r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.\d+)?(Z| UTC|[+-]\d\d(?::?\d\d)?)?"
FEW: Final = 20_000
"""Rows that may always be read again."""
SHARE: Final = 0.1
"""The share of a table's rows that may be read again."""
_UP_TO_SECONDS: Final = 19
"""Characters of a time without its fraction and zone."""


def latest(connection: duckdb.DuckDBPyConnection, cursor: str | None) -> str | None:
    """The latest that a column of `read_rows` says; None where it cannot be gone on from."""
    if cursor is None:
        return None
    connection.execute(
        f"CREATE OR REPLACE TABLE said AS SELECT {quoted(cursor)} AS stamp, count(*) AS times FROM read_rows GROUP BY 1"
    )
    found = connection.execute(
        "SELECT max(stamp), count(DISTINCT form), min(form.sep) FROM ("
        f"  SELECT stamp, regexp_extract(stamp, '^{_FORM}$', ['sep', 'zone']) AS form FROM said"
        "   WHERE stamp IS NOT NULL)"
    ).fetchall()
    stamp, forms, separator = found[0]
    return str(stamp) if forms == 1 and separator else None


def is_crowded(connection: duckdb.DuckDBPyConnection, stamp: str, lag: timedelta) -> bool:
    """Whether most of what `latest` looked at is within the overlap of the latest time, as after a first sync."""
    found = connection.execute(
        "SELECT coalesce(sum(times) FILTER (stamp >= ?), 0), coalesce(sum(times), 0) FROM said", [_before(stamp, lag)]
    ).fetchall()
    near, every = found[0]
    return bool(near > max(FEW, SHARE * every))


def later(before: str, now: str | None) -> str | None:
    """The later of two; None where they are not of one form."""
    mine, theirs = _form(before), _form(now)
    if mine is None or theirs is None or mine.groups() != theirs.groups():
        return None
    return max(mine[0], theirs[0])


def since(source: Source, before: LandedTable) -> Since | None:
    """From where on to read what may have changed since a reading: the latest time less the overlap.

    Where that would be to read nearly everything again, as after a first sync, and that sync is over for longer than
    the overlap, only what is later than the latest time is read.

    Returns:
        None where that reading cannot be gone on from.
    """
    form = _form(before.cursor)
    if form is None:
        return None
    separator, zone = form[1], form[2] or ""
    lag = source.tables[before.table].lag
    # A time without a zone is one of the source's or, as those who sync write it, of none: the earlier is the safer.
    zones = [_zone(zone)] if zone else [UTC, ZoneInfo(source.timezone)]
    edge = min((before.read_at - lag).astimezone(one).strftime(f"%Y-%m-%d{separator}%H:%M:%S") for one in zones)
    begins = _before(form[0], lag)
    if before.crowd is not None and begins <= before.crowd and form[0][:_UP_TO_SECONDS] < edge:
        return Since(form[0], strictly=True)
    return Since(min(begins, edge), strictly=False)


def _before(stamp: str, lag: timedelta) -> str:
    """A time less the overlap, to the second, written in the same way and in the same zone."""
    return (datetime.fromisoformat(stamp[:_UP_TO_SECONDS]) - lag).isoformat(stamp[10])


def _form(stamp: str | None) -> re.Match[str] | None:
    return re.fullmatch(_FORM, stamp or "", re.ASCII)


def _zone(stated: str) -> tzinfo:
    if stated in {"Z", " UTC"}:
        return UTC
    hours, minutes = int(stated[1:3]), int(stated[-2:]) if len(stated) > len("+00") else 0
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if stated.startswith("-") else offset)
