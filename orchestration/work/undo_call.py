"""The call that takes an effect back: made once where its tool cannot tell, recorded before and after."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import case, update

from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.errors import EffectRefused
from orchestration.ledger import entries_effects
from orchestration.ledger.entries_calls import begun, calls, unsent
from orchestration.store.engine import Store
from orchestration.store.tables import undo as table
from orchestration.work.notify import notify
from orchestration.work.sending import send
from orchestration.work.settling import unsettled_undo
from orchestration.work.told_of import settling
from orchestration.work.tools import Caller, ToolNotReached, ToolUnreachable

_OPEN: Final = ("pending", "sending", OutcomeState.UNKNOWN.value)

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hands:
    """What a taking back is done with.

    Attributes:
        tools: What calls the tools.
        clock: The time, with its zone.
        once: Server and name of each tool that is never called again for the same effect.
        longest_wait: Seconds between two attempts, at most.
    """

    tools: Caller
    clock: Callable[[], datetime]
    once: Collection[tuple[str, str]] = frozenset()
    longest_wait: float = 2.0


def call(store: Store, row: Row, hands: Hands) -> None:
    """Call the tool that takes an effect back, and write down what came of it; nothing where another process does.

    Args:
        store: The coordinator's store.
        row: Of `undo`, as it is.
        hands: What it is done with.

    Raises:
        EffectRefused: Nothing was sent, or the ledger says of it what its row does not.
        ConfigurationError: The tool server is not registered, or its tool is not the one that was.
        StoreError: The store cannot be written.
    """
    alone = (row["tool_server"], row["tool"]) in hands.once
    if alone and _called(store, row):
        detail = "The process ended before the tool answered, and the tool cannot be asked again."
        _settle(store, row, ToolResult(state=OutcomeState.UNKNOWN, detail=detail), hands.clock(), by_person=True)
        return
    if not _claimed(store, row, hands.clock(), alone=alone):
        return  # another process has it
    permit = SignedPermit(payload=row["permit"], signature=row["signature"])
    try:
        result = send(hands.tools, row, permit, hands.longest_wait, ToolNotReached if alone else ToolUnreachable)
    except ToolNotReached as unreached:
        if alone:
            _back(store, row, hands.clock())
            raise EffectRefused(f"{unreached} Nothing was sent; run the same command again.") from unreached
        result = ToolResult(state=OutcomeState.UNKNOWN, detail=str(unreached))
    except ToolUnreachable as unreachable:
        result = ToolResult(state=OutcomeState.UNKNOWN, detail=str(unreachable))
    _settle(store, row, result, hands.clock())


def _called(store: Store, row: Row) -> bool:
    """Whether the tool may have been called already, as the row says or the ledger.

    Raises:
        EffectRefused: The ledger knows what came of it, and the row says otherwise.
    """
    with store.read() as connection:
        known = calls(connection, row["action"], row["permit_id"])
    if known.settled:
        raise EffectRefused(
            f"The ledger knows what became of {row['undo_id']}, and its row says that it is {row['state']}; needed a "
            "row that was not edited; run `precede ledger verify`."
        )
    return known.made or row["state"] != "pending"


def _claimed(store: Store, row: Row, now: datetime, *, alone: bool) -> bool:
    """Whether the call is this process's to make, which is recorded; one that is made once one process makes."""
    state = case((table.c.state == "pending", "sending"), else_=table.c.state)
    mine = update(table).where(table.c.undo_id == row["undo_id"], table.c.state.in_(("pending",) if alone else _OPEN))
    mine = mine.values(attempts=table.c.attempts + 1, state=state, **({"by_person": True} if alone else {}))
    told = mine.returning(table.c.action, table.c.permit_id, table.c.state, table.c.attempts)
    with store.begin() as connection:
        claimed = connection.execute(told).mappings().one_or_none()
        if claimed is not None:
            begun(connection, dict(claimed), at=now)
    return claimed is not None


def _back(store: Store, row: Row, now: datetime) -> None:
    """Nothing was sent: it waits as before."""
    mine = update(table).where(table.c.undo_id == row["undo_id"], table.c.state == "sending")
    with store.begin() as connection:
        if connection.execute(mine.values(state="pending", by_person=False)).rowcount:
            unsent(connection, row["action"], row["permit_id"], at=now)


def _settle(store: Store, row: Row, result: ToolResult, now: datetime, **values: bool) -> None:
    open_states = _OPEN if result.state is not OutcomeState.UNKNOWN else ("pending", "sending")
    with store.begin() as connection:
        settled = connection.execute(
            update(table)
            .where(table.c.undo_id == row["undo_id"], table.c.state.in_(open_states))
            .values(
                state=result.state.value, reference=result.reference, detail=result.detail, settled_at=now, **values
            )
        )
        if settled.rowcount:
            entries_effects.undo_settled(connection, row["undo_id"], at=now)
            if result.state is OutcomeState.UNKNOWN and unsettled_undo(connection, row["undo_id"]) is not None:
                said = {"action": row["action"], "undo": row["undo_id"], "settle": settling(row["undo_id"])}
                notify(connection, "effect_unknown", said, now)
