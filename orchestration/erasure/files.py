"""What an erasure does to files of the coordinator's: earlier graphs, the exchange, logs, and the store's own file."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import datetime
from typing import Final

from sqlalchemy import create_engine, select, update

from orchestration.contracts import SnapshotId
from orchestration.erasure.texts import ERASED, Texts
from orchestration.graph.current import current_snapshot
from orchestration.graph.publish import graph_path
from orchestration.ledger.entries import snapshot_expired
from orchestration.settings import Settings
from orchestration.store.engine import Store, store_url
from orchestration.store.tables import snapshot
from orchestration.work.exchange import Exchange

_TEXT: Final = frozenset({".log", ".txt", ".out", ".err", ".json", ".jsonl"})


def clear_exchange(settings: Settings, batches: Iterable[tuple[str, str]], texts: Texts) -> None:
    """Remove what the exchange still holds of those batches, and of any other that names the person."""
    exchange = Exchange(settings.exchange)
    for agent, batch_id in batches:
        exchange.clear(agent, batch_id)
    for agent in exchange.agents():
        for batch_id in {*exchange.waiting(agent), *exchange.answered(agent)}:
            folder = settings.exchange / agent / batch_id
            if any(texts.by.search(file.read_text("utf-8", "replace")) for file in folder.glob("*.json")):
                exchange.clear(agent, batch_id)


def scrub_logs(settings: Settings, texts: Texts) -> None:
    """Write the logs of jobs without lines that say who somebody is."""
    for folder in (settings.home / "logs", settings.dagster_home / "storage"):
        for file in folder.rglob("*") if folder.is_dir() else ():
            if not file.is_file() or file.suffix not in _TEXT:
                continue
            lines = file.read_text("utf-8", "replace").splitlines(keepends=True)
            left = [f"{ERASED}\n" if texts.said.search(line) else line for line in lines]
            if left != lines:
                file.write_text("".join(left), "utf-8")


def remove_earlier_graphs(store: Store, settings: Settings, now: datetime) -> None:
    """Remove every graph but the current one, candidates too, and record that they expired; and every audit table."""
    with store.begin() as connection:
        current = current_snapshot(connection)
        over = select(snapshot.c.snapshot_id).where(snapshot.c.expired_at.is_(None), snapshot.c.snapshot_id != current)
        expired = list(connection.execute(over.order_by(snapshot.c.snapshot_id)).scalars())
        connection.execute(update(snapshot).where(snapshot.c.snapshot_id.in_(expired)).values(expired_at=now))
        for one in expired:
            snapshot_expired(connection, SnapshotId(one), at=now)
    kept = graph_path(settings, SnapshotId(str(current)))
    for file in settings.snapshots.glob("*"):
        if file.is_file() and file != kept:
            file.unlink(missing_ok=True)
    for file in settings.audit.glob("*"):  # made anew of the store as it is now
        file.unlink(missing_ok=True)
    for file in settings.home.glob("*.duckdb"):  # copies of earlier ones; they are made anew of the current one
        if not file.samefile(kept) and file != settings.graph_link:
            file.unlink(missing_ok=True)


def compact(store: Store) -> None:
    """Leave nothing of what was removed in the store's own file: free pages, and what its write-ahead log holds."""
    engine = create_engine(store_url(store.url.render_as_string(hide_password=False)), isolation_level="AUTOCOMMIT")
    try:
        with closing(engine.connect()) as connection:
            if store.is_sqlite:
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            else:
                connection.exec_driver_sql("VACUUM FULL")
    finally:
        engine.dispose()
