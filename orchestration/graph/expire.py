"""Removing graphs that nobody needs any more. What a decision rested on is kept in the store, not here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select, update

from orchestration.contracts import SnapshotId
from orchestration.graph.current import current_snapshot
from orchestration.graph.publish import graph_path
from orchestration.ledger.entries import snapshot_expired
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import batch, snapshot

KEEP: Final = 5
"""Published graphs that are kept however old they are, the current one among them."""
MIN_AGE: Final = timedelta(days=1)
"""The age below which nothing is removed: someone may be reading it."""


def expire(
    store: Store,
    settings: Settings,
    *,
    keep: int = KEEP,
    min_age: timedelta = MIN_AGE,
    now: datetime | None = None,
) -> list[SnapshotId]:
    """Remove the files of graphs that are neither current, nor among the last, nor young, nor what a batch waits on.

    Whoever holds such a file open keeps reading it. Candidates that were never published, and files that a crash left
    unfinished, go when they are old enough.

    Returns:
        The graphs that expired now.

    Raises:
        StoreError: The store cannot be written.
    """
    at = now or datetime.now(UTC)
    with store.begin() as connection:
        expired = _expired(connection, keep, at - min_age)
        connection.execute(update(snapshot).where(snapshot.c.snapshot_id.in_(expired)).values(expired_at=at))
        for one in expired:
            snapshot_expired(connection, one, at=at)
        kept = connection.execute(select(snapshot.c.snapshot_id).where(snapshot.c.expired_at.is_(None))).scalars()
        files = {graph_path(settings, SnapshotId(one)) for one in kept}
    _sweep(settings, files, at - min_age)
    return expired


def _expired(connection: Connection, keep: int, before: datetime) -> list[SnapshotId]:
    waited_on = set(connection.execute(select(batch.c.snapshot_id).where(batch.c.state != "closed")).scalars())
    needed = waited_on | {current_snapshot(connection)}
    published = connection.execute(
        select(snapshot.c.snapshot_id, snapshot.c.published_at)
        .where(snapshot.c.expired_at.is_(None), snapshot.c.published_at.is_not(None))
        .order_by(snapshot.c.published_at.desc(), snapshot.c.snapshot_id)
    ).all()
    return [row.snapshot_id for row in published[keep:] if row.snapshot_id not in needed and row.published_at < before]


def _sweep(settings: Settings, kept: set[Path], before: datetime) -> None:
    """Remove files of expired graphs, and those that belong to no published graph."""
    for path in settings.snapshots.glob("*"):
        if path.is_file() and path not in kept and datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) < before:
            path.unlink(missing_ok=True)
