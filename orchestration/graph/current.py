"""Which graph is the current one: the pointer in the store, and the file it names.

Moving the pointer belongs to `publish`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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


def watermarks(connection: Connection) -> dict[tuple[str, str], Watermark]:
    """The last successful read of each source table, by system and table, in the caller's transaction."""
    return {(row.system, row.source_table): Watermark(*row) for row in connection.execute(select(*watermark.c))}
