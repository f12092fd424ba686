"""Tainted effects: those whose entity was since split, merged, retired or judged otherwise.

What each effect rested on is compared with the current graph, and with what people have judged since. What is found
stands in `tainted_effect`, as long as it is so; people are told, and shown how it is taken back. Nothing is taken back
by itself. An effect that was taken back is tainted no more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from sqlalchemy import Connection, insert, select, update

from orchestration.contracts import OutcomeState
from orchestration.graph.reader import EntityGraph
from orchestration.ledger import entries_effects
from orchestration.ledger.committed_effects import taint_key
from orchestration.store.tables import effect_record, outbox, snapshot, tainted_effect, undo
from orchestration.work.judged import judged
from orchestration.work.notify import notify
from orchestration.work.told_of import undoing

_HERE: Final = Path(__file__).parent
_MOVED: Final = (_HERE / "moved_entity.sql").read_text(encoding="utf-8")
_TAINT: Final = (_HERE / "taint.sql").read_text(encoding="utf-8")
_CHUNK: Final = 500  # of what one statement, and one entry of the ledger, names
SHOWN: Final = 50
"""Actions that a notification names; all of them are listed by `precede effects tainted`."""

_IDS: Final = tuple(pa.field(name, pa.string()) for name in ("action", "entity_id", "record_id"))
_SINCE: Final = pa.field("since", pa.timestamp("us", tz="UTC"))

Key = tuple[str, str, str]
"""Action, entity and how."""


class Taints(NamedTuple):
    """What a look came to: tainted effects that are new, those that are so no more, and all that are."""

    found: int
    cleared: int
    tainted: int


def look(connection: Connection, graph: EntityGraph) -> dict[Key, str]:
    """Every way in which an entity of an effect is another than it was, with whose its records are or who says so."""
    undone = set(connection.execute(select(undo.c.action).where(undo.c.state == OutcomeState.DONE.value)).scalars())
    said: dict[Key, str] = {(action, entity, "judged"): by for (action, entity), by in judged(connection).items()}
    for row in _moved(connection, graph):
        said[row["action"], row["entity_id"], row["how"]] = row["detail"]
    return {key: detail for key, detail in said.items() if key[0] not in undone}


def keep(connection: Connection, snapshot_id: str, said: Mapping[Key, str], now: datetime) -> Taints:
    """Write down what is tainted now and what is so no more, in store and ledger, and tell people of what is new.

    Args:
        connection: Inside `Store.begin()`.
        snapshot_id: The graph that says so.
        said: What `look` found in it.
        now: The time, with its zone.
    """
    table = tainted_effect
    rows = connection.execute(select(table)).mappings().all()
    known = {(row["action"], row["entity_id"], row["how"]): row for row in rows}
    open_keys = {key for key, row in known.items() if row["cleared_at"] is None}
    new, over = sorted(said.keys() - open_keys), sorted(open_keys - said.keys())
    found = [
        {"action": key[0], "entity_id": key[1], "how": key[2], "detail": said[key], "snapshot_id": snapshot_id}
        | {"found_at": now}
        for key in new
    ]
    for row, key in zip(found, new, strict=True):
        if key in known:
            connection.execute(update(table).where(*_is(key)).values(**row, cleared_at=None, cleared_snapshot=None))
    if fresh := [row for row, key in zip(found, new, strict=True) if key not in known]:
        connection.execute(insert(table), fresh)
    for key in over:
        connection.execute(update(table).where(*_is(key)).values(cleared_at=now, cleared_snapshot=snapshot_id))
    cleared = [taint_key(dict(known[key])) for key in over]
    for start in range(0, max(len(found), len(cleared)), _CHUNK):
        part = slice(start, start + _CHUNK)
        entries_effects.tainted(connection, snapshot_id, found[part], cleared[part], at=now)
    if found:
        notify(connection, "tainted_effects", _body(snapshot_id, found), now)
    return Taints(len(found), len(cleared), len({action for action, _, _ in said}))


def _body(snapshot_id: str, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    how: dict[str, list[str]] = {}
    for row in found:
        how.setdefault(row["action"], []).append(row["how"])
    shown = [{"action": action, "how": ways, "undo": undoing(action)} for action, ways in islice(how.items(), SHOWN)]
    return {"snapshot": snapshot_id, "effects": len(how), "shown": shown, "list": "precede effects tainted"}


def _is(key: Key) -> tuple[Any, ...]:
    table = tainted_effect.c
    return table.action == key[0], table.entity_id == key[1], table.how == key[2]


def _moved(connection: Connection, graph: EntityGraph) -> list[dict[str, Any]]:
    """What the graph says of the records that entities of effects had."""
    each = select(effect_record.c.entity_id, effect_record.c.record_id).distinct()
    had = _table(connection.execute(each), _IDS[1:])
    suspects = [row["entity_id"] for row in graph.joined(_MOVED, {"was": had})]
    since = _built(connection)
    rows = (
        (row.action, row.entity_id, row.record_id, since(row.intended_at)) for row in _effects_on(connection, suspects)
    )
    return graph.joined(_TAINT, {"was": _table(rows, (*_IDS, _SINCE))}) if suspects else []


def _effects_on(connection: Connection, entities: Sequence[str]) -> Iterator[Any]:
    """Every record that those entities had for an effect that happened, or may have."""
    query = (
        select(effect_record, outbox.c.intended_at)
        .join(outbox, outbox.c.action == effect_record.c.action)
        .where(outbox.c.state != OutcomeState.FAILED.value)
    )
    for start in range(0, len(entities), _CHUNK):
        yield from connection.execute(query.where(effect_record.c.entity_id.in_(entities[start : start + _CHUNK])))


def _built(connection: Connection) -> Any:  # noqa: ANN401  a function of a time
    """When the graph was built that was the current one at a time: what it says happened before that."""
    query = select(snapshot.c.published_at, snapshot.c.built_at).where(snapshot.c.published_at.is_not(None))
    known = sorted(tuple(row) for row in connection.execute(query))
    published = [row[0] for row in known]

    def since(at: datetime) -> datetime:
        place = bisect_right(published, at) - 1
        built: datetime = known[place][1] if place >= 0 else at
        return built

    return since


def _table(rows: Iterable[Any], columns: Sequence[pa.Field]) -> pa.Table:
    """Rows as a table that the graph can be joined with, none of them too."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table([pa.array(each, one.type) for each, one in zip(values, columns, strict=True)], pa.schema(columns))
