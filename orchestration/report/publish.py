"""The audit tables as a file beside the graph: made anew where anything was recorded since, and never changed after.

A file is named by the graph that was current and by the ledger's last entry, so that the same record gives the same
name. Those that were made before somebody was erased do not stay. `audit.duckdb` is the last one's second name, as
`graph.duckdb` is the current graph's: whoever has it open keeps what they opened.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb
from sqlalchemy import Connection, func, select

from orchestration.graph.ddl import STORAGE_VERSION
from orchestration.graph.promote import link_current
from orchestration.ledger.kinds import ERASED
from orchestration.report.gather import TABLES, basis, gather
from orchestration.settings import Settings
from orchestration.sql import literal, quoted
from orchestration.store.engine import Store
from orchestration.store.tables import ledger_entry
from orchestration.work.alone import alone

KEPT: Final = 3
"""Files that are kept: the last one, and those before it that somebody may be about to open."""
_READ_ONLY: Final = 0o440


@dataclass(frozen=True, slots=True)
class Published:
    """One file of audit tables.

    Attributes:
        path: Where it is.
        rows: Table to how many rows it has.
        entries: Up to this entry of the ledger it tells.
        head: The hash of that entry.
        snapshot: The graph that was current.
    """

    path: Path
    rows: dict[str, int]
    entries: int
    head: str
    snapshot: str | None


def publish(store: Store, settings: Settings, *, now: datetime) -> Published | None:
    """Write the audit tables as the store is now, and give them their second name.

    Args:
        store: The coordinator's store.
        settings: Where files are kept.
        now: The time.

    Returns:
        None where nothing was recorded and no graph published since the last file.

    Raises:
        PrecedeError: Another process was busy with it all the time.
        StoreError: The store cannot be read.
    """
    with alone(settings.home, "audit"), store.read() as connection:
        of, erased = basis(connection, now), _last_erasure(connection)
        path = _path(settings, of)
        if _is_last(settings, path):
            return None
        settings.audit.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        draft.unlink(missing_ok=True)
        try:
            with duckdb.connect() as into:
                into.execute(f"ATTACH {literal(draft)} AS audit (STORAGE_VERSION '{STORAGE_VERSION}')")
                into.execute("USE audit")
                gather(connection, into, now)
                rows = {name: _count(into, name) for name in TABLES}
                into.execute("CHECKPOINT audit")
                into.execute("USE memory")
                into.execute("DETACH audit")
            draft.chmod(_READ_ONLY)
            os.replace(draft, path)  # noqa: PTH105  the atomic call, named as such
        finally:
            draft.unlink(missing_ok=True)
        link_current(path, settings.audit_link)
        _sweep(settings.audit, path, erased)
    return Published(path, rows, int(of["entries"]), str(of["head"]), of["snapshot"])


def behind(store: Store, settings: Settings, now: datetime) -> bool:
    """Whether the last file tells of less than there is."""
    with store.read() as connection:
        return not _is_last(settings, _path(settings, basis(connection, now)))


def _path(settings: Settings, of: Mapping[str, Any]) -> Path:
    return settings.audit / f"{of['snapshot'] or 'no_graph'}.{of['entries']}.{str(of['head'])[:16]}.duckdb"


def _is_last(settings: Settings, path: Path) -> bool:
    return path.is_file() and settings.audit_link.exists() and settings.audit_link.samefile(path)


def _count(into: duckdb.DuckDBPyConnection, table: str) -> int:
    [found] = into.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()
    return int(found[0])


def _sweep(folder: Path, current: Path, erased: int) -> None:
    """Remove all files but the last ones, and each that was made before somebody was erased.

    The one that was just written is the last, whatever clocks say.
    """
    others = [path for path in folder.glob("*.duckdb") if path != current]
    kept = [path for path in others if _entries(path) >= erased]
    kept = sorted(kept, key=lambda path: path.stat().st_mtime, reverse=True)[: KEPT - 1]
    for path in others:
        if path not in kept:
            path.unlink(missing_ok=True)


def _entries(path: Path) -> int:
    """Up to which entry of the ledger a file tells, by its name."""
    *_, entries, _, _ = ("", *path.name.split("."))
    return int(entries) if entries.isdigit() else 0


def _last_erasure(connection: Connection) -> int:
    """The last entry of the ledger that tells of an erasure; 0 where none does."""
    entry = ledger_entry
    last = select(func.coalesce(func.max(entry.c.seq), 0)).where(entry.c.kind == ERASED)
    return int(connection.execute(last).scalar_one())
