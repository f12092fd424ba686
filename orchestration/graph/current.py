"""Which graph is the current one: the pointer in the store, and the file it names.

Moving the pointer belongs to `publish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from orchestration.contracts import SnapshotId
from orchestration.errors import NoGraph
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import pointer, snapshot, watermark

NOTHING_PUBLISHED: Final = "No graph has been published yet; needed one to read; publish it with `precede run`."


@dataclass(frozen=True, slots=True)
class Watermark:
    """One source table's last successful read whose content the current graph holds."""

    system: str
    source_table: str
    read_at: datetime
    row_count: int
    data_version: str


def current_snapshot(connection: Connection) -> SnapshotId | None:
    """The id of the current graph, in the caller's transaction; nothing where none was published."""
    return connection.execute(select(pointer.c.snapshot_id)).scalar_one_or_none()


def current_path(store: Store, settings: Settings) -> Path:
    """The file of the current graph.

    Raises:
        NoGraph: None was published yet.
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        path: str | None = connection.execute(
            select(snapshot.c.path).join(pointer, pointer.c.snapshot_id == snapshot.c.snapshot_id)
        ).scalar_one_or_none()
    if path is None:
        raise NoGraph(NOTHING_PUBLISHED)
    return settings.home / path


def open_current(store: Store, settings: Settings) -> EntityGraph:
    """The current graph, open for reading. It stays what it is when the next one is published; close it after use.

    Raises:
        NoGraph: None was published yet, or its file is gone.
        StoreError: The store cannot be read.
    """
    return EntityGraph(current_path(store, settings))


def open_as_of(store: Store, settings: Settings, asked: str) -> EntityGraph:
    """An earlier graph that is kept, open for reading: the one of that id, or the one that was current at that time.

    Args:
        store: Where graphs are entered.
        settings: Where they are kept.
        asked: A snapshot's id, or a time in ISO form, which is UTC where it names no zone.

    Raises:
        NoGraph: There was none, or it has expired; the message names the nearest that are kept.
        StoreError: The store cannot be read.
    """
    with store.read() as connection:
        published = connection.execute(
            select(snapshot.c.snapshot_id, snapshot.c.published_at, snapshot.c.path)
            .where(snapshot.c.published_at.is_not(None))
            .order_by(snapshot.c.published_at, snapshot.c.snapshot_id)
        ).all()
    named = next((row for row in published if row.snapshot_id == asked), None)
    at = named.published_at if named else _time(asked)
    meant = named or next((row for row in reversed(published) if row.published_at <= at), None)
    if meant is not None and (settings.home / meant.path).is_file():
        return EntityGraph(settings.home / meant.path)
    kept = [row for row in published if (settings.home / row.path).is_file()]
    near = sorted(kept, key=lambda row: abs(row.published_at - at))[:2]
    listed = " or ".join(f"{row.snapshot_id} of {row.published_at:%Y-%m-%d %H:%M} UTC" for row in near) or "none"
    found = f"The graph {meant.snapshot_id} has expired" if meant else f"No graph was published by {asked}"
    raise NoGraph(
        f"{found}; needed one that is kept: the nearest is {listed}; what became of an entity stands in `entity_event` "
        "of every later graph, which `precede show` tells."
    )


def _time(asked: str) -> datetime:
    try:
        at = datetime.fromisoformat(asked)
    except ValueError as error:
        raise NoGraph(
            f"{asked!r} is no snapshot that was published; needed its id, or a time such as 2026-11-02T06:00."
        ) from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def watermarks(connection: Connection) -> dict[tuple[str, str], Watermark]:
    """The last successful read of each source table, by system and table, in the caller's transaction."""
    return {(row.system, row.source_table): Watermark(*row) for row in connection.execute(select(*watermark.c))}
