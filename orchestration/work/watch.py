"""Watching effects: after each publication, which are tainted, which are seen again, and what nobody accounts for.

One look at a graph is one transaction, and the same look again finds nothing new. It reads the graph and the store in
bulk, so that a hundred thousand effects are looked at in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from orchestration.action_types import ActionType
from orchestration.contracts import OutcomeState
from orchestration.errors import NoGraph
from orchestration.graph.current import current_snapshot, open_current, watermarks
from orchestration.settings import Settings
from orchestration.store.engine import Store
from orchestration.store.tables import effect_watch, outbox
from orchestration.work import read_back, rested_on, strangers, tainted


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at the current graph came to.

    Attributes:
        snapshot_id: The graph.
        effects: Effects that happened or may have: those that were looked at.
        tainted: Those whose entity is another by now, of all of them.
        newly_tainted: Those ways of it that are new.
        cleared: Those that are so no more.
        confirmed: Effects that were seen for the first time.
        missing: Effects that ought to have been seen by then, and are reported now.
        incidents: Rows that nothing accounts for, and are reported now.
        unread: Relations that could not be looked into: the graph has none of that name or with those columns.
    """

    snapshot_id: str
    effects: int
    tainted: int
    newly_tainted: int
    cleared: int
    confirmed: int
    missing: int
    incidents: int
    unread: tuple[str, ...]


def watch(store: Store, settings: Settings, action_types: Mapping[str, ActionType], now: datetime) -> Watched | None:
    """Look at every effect on the current graph; nothing where there is none.

    Args:
        store: The coordinator's store.
        settings: Where graphs are, and after how long an effect ought to have been seen.
        action_types: Where effects are seen, and how rows of Precede's account are known.
        now: The time, with its zone.

    Raises:
        StoreError: The store cannot be read or written.
    """
    rested_on.take(store)
    try:
        graph = open_current(store, settings)
    except NoGraph:
        return None
    with graph:
        with store.read() as connection:  # nobody waits while the graph is asked
            read = watermarks(connection)
            taints = tainted.look(connection, graph)
            waiting = read_back.unseen(connection, action_types)
            nobodys, unread = strangers.look(connection, graph, action_types)
        seen = read_back.shown(graph, waiting, read)
        late = read_back.overdue(waiting, seen, read, timedelta(hours=settings.unseen_hours))
        snapshot_id = str(graph.snapshot_id)
    with store.begin() as connection:
        if current_snapshot(connection) != snapshot_id:
            return None  # another was published meanwhile, and is looked at next
        marked = tainted.keep(connection, snapshot_id, taints, now)
        watched = Watched(
            snapshot_id=snapshot_id,
            effects=_effects(connection),
            tainted=marked.tainted,
            newly_tainted=marked.found,
            cleared=marked.cleared,
            confirmed=read_back.confirm(connection, seen, now),
            missing=read_back.report(connection, late, snapshot_id, now),
            incidents=strangers.keep(connection, snapshot_id, nobodys, now),
            unread=tuple(sorted(set(unread))),
        )
        _note(connection, watched, now)
    return watched


def due(connection: Connection, settings: Settings, now: datetime) -> str | None:
    """The current graph, where effects were not looked for in it, or not for as long as an effect may stay unseen.

    A quiet source makes no new graph, though it is read; then the same graph is looked at again.
    """
    snapshot_id = current_snapshot(connection)
    query = select(effect_watch.c.watched_at).where(effect_watch.c.snapshot_id == snapshot_id)
    last = connection.execute(query).scalar_one_or_none()
    again = last is not None and now >= last + timedelta(hours=settings.unseen_hours)
    return snapshot_id if snapshot_id is not None and (last is None or again) else None


def looks(connection: Connection, snapshot_id: str) -> str:
    """When a graph was looked at last, as text: the same as long as the same look is due."""
    query = select(effect_watch.c.watched_at).where(effect_watch.c.snapshot_id == snapshot_id)
    last = connection.execute(query).scalar_one_or_none()
    return "" if last is None else last.isoformat()


def _effects(connection: Connection) -> int:
    stands = select(func.count()).select_from(outbox).where(outbox.c.state != OutcomeState.FAILED.value)
    return int(connection.execute(stands).scalar_one())


def _note(connection: Connection, watched: Watched, now: datetime) -> None:
    """That the graph was looked at: what was found anew adds up over the looks at one graph."""
    table = effect_watch
    counts = {"effects": watched.effects, "tainted": watched.tainted}
    new = {name: getattr(watched, name) for name in ("confirmed", "missing", "incidents")}
    this = update(table).where(table.c.snapshot_id == watched.snapshot_id)
    more = {name: table.c[name] + count for name, count in new.items()}
    if not connection.execute(this.values(watched_at=now, **counts, **more)).rowcount:
        values = {"snapshot_id": watched.snapshot_id, "watched_at": now, **counts, **new}
        connection.execute(insert(table).values(values))
