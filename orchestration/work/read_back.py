"""Effects read back: which of them a graph shows, which it ought to show by now, and rows that no effect accounts for.

An action type says where its effect is seen and how a row is known that Precede's own account wrote. A graph shows an
effect only where the row's table was read after it. Nothing is decided on any of this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Connection, bindparam, select, update

from orchestration.action_effects import ReadBack
from orchestration.action_types import ActionType, fill
from orchestration.contracts import OutcomeState
from orchestration.graph.current import Watermark
from orchestration.graph.reader import EntityGraph
from orchestration.sql import quoted
from orchestration.store.tables import outbox, proposal, undo
from orchestration.work.notify import notify
from orchestration.work.relations import relation_of, rows_of

SHOWN: Final = 50
"""Actions that a notification names."""

_TIME: Final = pa.timestamp("us", tz="UTC")
_NEVER: Final = datetime.min.replace(tzinfo=UTC)

ActionTypes = Mapping[str, ActionType]


@dataclass(frozen=True, slots=True)
class Unseen:
    """One effect that no graph has shown yet, or the taking back of one.

    Attributes:
        effect: The action, or the id of the taking back.
        action: The action.
        done_at: When it was done; when it was meant, where that is not known.
        done: Whether it is known to be done.
        read_back: Where it is seen.
        values: What stands there, column by column.
    """

    effect: str
    action: str
    done_at: datetime
    done: bool
    read_back: ReadBack
    values: tuple[str, ...]


def unseen(connection: Connection, action_types: ActionTypes) -> list[Unseen]:
    """Every effect, and every taking back of one, that may have happened and that no graph has shown yet."""
    of_type, undo_c = proposal.c.action_type, undo.c
    effects = select(outbox, outbox.c.action.label("effect"), of_type).join(
        proposal, proposal.c.action == outbox.c.action
    )
    undone = select(undo, undo_c.undo_id.label("effect"), of_type).join(proposal, proposal.c.action == undo_c.action)
    found = []
    for query, table, back in ((effects, outbox, False), (undone, undo, True)):
        waits = query.where(table.c.confirmed_record.is_(None), table.c.state != OutcomeState.FAILED.value)
        for row in connection.execute(waits).mappings():
            action_type = action_types.get(row["action_type"])
            where = None if action_type is None else _where(action_type, back=back)
            if where is not None:
                found.append(_unseen(dict(row), where))
    return found


def _where(action_type: ActionType, *, back: bool) -> ReadBack | None:
    return (action_type.compensation.read_back if back else None) or action_type.read_back


def _unseen(row: dict[str, Any], where: ReadBack) -> Unseen:
    own = {"action": row["action"], "effect_key": row["effect_key"], "reference": row["reference"]}
    values: dict[tuple[str, str | None], str | int | bool] = {
        (name, None): value for name, value in {**row["tool_arguments"], **own}.items()
    }
    try:
        wanted = tuple(str(fill(template, values)) for template in where.where.values())
    except KeyError:  # an effect of before the tool had that argument: no row says that
        wanted = ()
    done = row["state"] == OutcomeState.DONE
    at = row["settled_at"] if done and row["settled_at"] else row["intended_at"]
    return Unseen(row["effect"], row["action"], at, done, where, wanted)


def shown(graph: EntityGraph, waiting: Sequence[Unseen], read: Mapping[tuple[str, str], Watermark]) -> dict[str, str]:
    """Effect to the row in which the graph shows it, of those that it shows."""
    grouped: dict[tuple[str, tuple[str, ...]], list[Unseen]] = defaultdict(list)
    for one in waiting:
        if one.values:
            grouped[one.read_back.relation, tuple(one.read_back.where)].append(one)
    found: dict[str, str] = {}
    for (relation, columns), some in grouped.items():
        names = [f"value_{number}" for number in range(len(columns))]
        looked = pa.table(
            {
                "effect": [one.effect for one in some],
                "done_at": pa.array([one.done_at for one in some], _TIME),
                **{name: [one.values[at] for one in some] for at, name in enumerate(names)},
            }
        )
        sql = _seen(relation, columns, names)
        rows = rows_of(graph, sql, {"looked": looked, "mark": _marks(read)})
        found |= {row["effect"]: row["record_id"] for row in rows or ()}
    return found


def _seen(relation: str, columns: Sequence[str], names: Sequence[str]) -> str:
    """A query for the effects of `looked` that a relation shows: each with the first row that says so."""
    source = relation_of(relation)
    same = " AND ".join(
        f"CAST(seen.{quoted(column)} AS VARCHAR) = looked.{name}" for column, name in zip(columns, names, strict=True)
    )
    return (
        f"SELECT looked.effect, min({source.record_id}) AS record_id FROM looked "
        f"JOIN {source.name} AS seen ON {same} "
        f"JOIN mark ON mark.system = {source.system} AND mark.source_table = {source.source_table} "
        "WHERE mark.read_at > looked.done_at GROUP BY looked.effect"
    )


def confirm(connection: Connection, found: Mapping[str, str], now: datetime) -> int:
    """Note the row of each effect that a graph shows and none before it showed; how many there are."""
    rows = [{"effect": effect, "row": row} for effect, row in sorted(found.items())]
    for table, key in ((outbox, outbox.c.action), (undo, undo.c.undo_id)):
        this = update(table).where(key == bindparam("effect"), table.c.confirmed_record.is_(None))
        if rows:
            connection.execute(this.values(confirmed_record=bindparam("row"), confirmed_at=now), rows)
    return len(rows)


def overdue(
    waiting: Sequence[Unseen], found: Mapping[str, str], read: Mapping[tuple[str, str], Watermark], longest: timedelta
) -> list[Unseen]:
    """Effects that are done and that no graph shows, though their table was read so long after them."""
    return [
        one
        for one in waiting
        if one.done and one.effect not in found and _read_at(one.read_back.relation, read) >= one.done_at + longest
    ]


def report(connection: Connection, late: Sequence[Unseen], snapshot_id: str, now: datetime) -> int:
    """Note that effects never appeared, once each, and tell people; how many are new.

    One that was taken back meanwhile need not appear.
    """
    undone = set(connection.execute(select(undo.c.action).where(undo.c.state == OutcomeState.DONE.value)).scalars())
    new: list[Unseen] = []
    for one in late:
        table, key = (outbox, outbox.c.action) if one.effect == one.action else (undo, undo.c.undo_id)
        if one.effect == one.action and one.action in undone:
            continue
        this = update(table).where(key == one.effect, table.c.missing_at.is_(None), table.c.confirmed_record.is_(None))
        if connection.execute(this.values(missing_at=now)).rowcount:
            new.append(one)
    if new:
        body = {"snapshot": snapshot_id, "effects": len(new), "shown": [one.effect for one in new[:SHOWN]]}
        notify(connection, "effects_missing", {**body, "list": "precede effects list --only missing"}, now)
    return len(new)


def _read_at(relation: str, read: Mapping[tuple[str, str], Watermark]) -> datetime:
    """When the table of a relation was read last; of a relation of many tables, the one that was read longest ago."""
    system, _, table = relation.partition(":")
    marks = [mark.read_at for key, mark in read.items() if not table or key == (system, table)]
    return min(marks, default=_NEVER)


def _marks(read: Mapping[tuple[str, str], Watermark]) -> pa.Table:
    marks = list(read.values())
    return pa.table(
        {
            "system": pa.array([mark.system for mark in marks], pa.string()),
            "source_table": pa.array([mark.source_table for mark in marks], pa.string()),
            "read_at": pa.array([mark.read_at for mark in marks], _TIME),
        }
    )
