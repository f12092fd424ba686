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

REFUSED: Final = 2
"""Candidates that were not published and are kept to be looked at."""
UNFINISHED: Final = timedelta(hours=1)
"""The age from which on a file that belongs to no published graph is nobody's any more."""


def expire(  # noqa: PLR0913  one argument for each thing that keeps a graph
    store: Store,
    settings: Settings,
    *,
    keep: int | None = None,
    hours: int | None = None,
    now: datetime | None = None,
    everything: bool = False,
) -> list[SnapshotId]:
    """Remove the files of graphs but of the last ones, of the last of each hour of a day, and of what a batch waits on.

    However often graphs are published, so many are kept and no more. Whoever holds a file open keeps reading it: on
    POSIX its blocks go when the last reader closes it. Of candidates that were never published the last few are kept,
    and files that a crash left unfinished go when they are old enough.

    Args:
        store: Where graphs are entered.
        settings: Where they are kept.
        keep: How many of the last graphs are kept, the current one among them; `PRECEDE_KEEP_GRAPHS` by default.
        hours: For how many hours back the last graph of each is kept; `PRECEDE_KEEP_HOURS` by default.
        now: When this happens.
        everything: Whether no graph but the current one is kept, and no candidate: somebody was erased.

    Returns:
        The graphs that expired now.

    Raises:
        StoreError: The store cannot be written.
    """
    at = now or datetime.now(UTC)
    last = settings.keep_graphs if keep is None else keep
    since = at - timedelta(hours=settings.keep_hours if hours is None else hours)
    with store.begin() as connection:
        expired = _expired(connection, 0 if everything else last, since, waited=not everything)
        connection.execute(update(snapshot).where(snapshot.c.snapshot_id.in_(expired)).values(expired_at=at))
        for one in expired:
            snapshot_expired(connection, one, at=at)
        kept = connection.execute(select(snapshot.c.snapshot_id).where(snapshot.c.expired_at.is_(None))).scalars()
        files = {graph_path(settings, SnapshotId(one)) for one in kept}
        over = {graph_path(settings, one) for one in expired}
    if everything:
        over |= {path for path in settings.snapshots.glob("*") if path.is_file() and path not in files}
    _sweep(settings, files, over, at - UNFINISHED)
    return expired


def _expired(connection: Connection, keep: int, since: datetime, *, waited: bool) -> list[SnapshotId]:
    waited_on = set(connection.execute(select(batch.c.snapshot_id).where(batch.c.state != "closed")).scalars())
    needed = (waited_on if waited else set()) | {current_snapshot(connection)}
    published = connection.execute(
        select(snapshot.c.snapshot_id, snapshot.c.published_at)
        .where(snapshot.c.expired_at.is_(None), snapshot.c.published_at.is_not(None))
        .order_by(snapshot.c.published_at.desc(), snapshot.c.snapshot_id)
    ).all()
    hourly: dict[datetime, SnapshotId] = {}
    for row in published:
        if waited and row.published_at >= since:
            hourly.setdefault(row.published_at.replace(minute=0, second=0, microsecond=0), row.snapshot_id)
    needed |= set(hourly.values())
    return [row.snapshot_id for row in published[keep:] if row.snapshot_id not in needed]


def _sweep(settings: Settings, kept: set[Path], over: set[Path], before: datetime) -> None:
    """Remove files of expired graphs, and those that belong to no published graph."""
    found = {path: path.stat().st_mtime for path in settings.snapshots.glob("*") if path.is_file() and path not in kept}
    candidates = sorted(
        (path for path in found if path.name.endswith(".candidate.duckdb")), key=lambda path: -found[path]
    )
    for path, changed in found.items():
        old = datetime.fromtimestamp(changed, tz=UTC) < before
        if path in over or (old and path not in candidates[:REFUSED]) or path in candidates[REFUSED:]:
            path.unlink(missing_ok=True)
