"""Delivering effects: from the outbox to a tool, and what became of it to the ledger.

    pending -> sending -> done | failed | unknown

Before each call it is asked, in the transaction that marks the row, whether the agent, the type of action or everything
was stopped: then nothing is called. What a stop found unsent it gave up there and then. What it found on its way is
asked about once its permit has ended: the tool can then say what it did, and can do nothing any more.

A row that a dead run left `pending` or `sending`, or whose outcome is unknown, is delivered again: the tool knows the
effect key and writes nothing twice. Only an effect that is known not to have happened gives its key free.

Each call has an entry in the ledger before it is made. A tool that cannot tell that it wrote already is called once:
where the ledger knows of a call before, whatever the row says, where no answer came, or where the run died meanwhile,
the outcome is unknown and stays so until a person settles it (`settling.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, case, not_, select, update

from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.gate.limits import keep
from orchestration.gate.stopping import stopped
from orchestration.identity.clock import latest
from orchestration.ledger import entries_effects
from orchestration.ledger.entries_calls import Calls, begun, calls, unsent
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.store.presence import at_work, calling, present
from orchestration.work.notify import notify
from orchestration.work.sending import Heeding, send
from orchestration.work.told_of import for_a_person, settling
from orchestration.work.tools import Caller, ToolNotReached, ToolUnreachable

_UNSETTLED: Final = ("pending", "sending", OutcomeState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one effect in this run."""

    action: str
    state: OutcomeState
    repeated: bool
    """The tool had written it already: an earlier run lost its answer."""


def deliver(  # noqa: PLR0913  each is a part of the world that is handed in
    store: Store,
    tools: Caller,
    clock: Callable[[], datetime],
    *,
    agent: str | None = None,
    batch_id: str | None = None,
    once: Collection[tuple[str, str]] = frozenset(),
    longest_wait: float = 2.0,
) -> list[Delivery]:
    """Deliver every effect that is not settled, in the order in which they were meant.

    Args:
        store: The coordinator's store.
        tools: What calls the tools.
        clock: The time, with its zone.
        agent: Of this agent alone.
        batch_id: Of this batch alone.
        once: Server and name of each tool that is never called again for the same effect.
        longest_wait: Seconds between two attempts, at most.

    Returns:
        What became of each of them; nothing of those that could not be sent and wait on, or that a stop keeps.

    Raises:
        StoreError: The store cannot be written; what was delivered by then will be found by the next run.
        ConfigurationError: A tool server is not registered, or its tool is not the one that was.
    """
    found = []
    for row in _waiting(store, agent, batch_id):
        step = _deliver_once if (row["tool_server"], row["tool"]) in once else _deliver
        # a stop's proof waits for whoever is in here
        with present(store, at_work(row["agent"])), present(store, calling(row["action_type"])):
            found.append(step(store, tools, row, clock, longest_wait))
    return [delivery for delivery in found if delivery is not None]


def _waiting(store: Store, agent: str | None, batch_id: str | None) -> list[RowMapping]:
    """The rows to deliver, with their permits and whose they are."""
    outbox, proposal, permit = tables.outbox, tables.proposal, tables.permit
    query = (
        select(outbox, permit.c.payload, permit.c.signature, proposal.c.agent, proposal.c.action_type)
        .join(permit, permit.c.permit_id == outbox.c.permit_id)
        .join(proposal, proposal.c.action == outbox.c.action)
        .where(outbox.c.state.in_(_UNSETTLED), not_(for_a_person(outbox)))
        .order_by(outbox.c.intended_at, proposal.c.row_id, outbox.c.action)
    )
    if agent is not None:
        query = query.where(proposal.c.agent == agent)
    if batch_id is not None:
        query = query.where(proposal.c.batch_id == batch_id)
    with store.read() as connection:
        return list(connection.execute(query).mappings())


def _begun(store: Store, row: RowMapping, now: datetime, states: Collection[str], *, once: bool = False) -> bool:
    """Whether a row may be sent; then it is marked and recorded, and from here on a call may have been made.

    Rows are marked one by one, so that a stop finds unsent what was not sent.

    Raises:
        _CalledBefore: It may be sent once, and the ledger knows of a call.
    """
    outbox, permit, action = tables.outbox, tables.permit, row["action"]
    query = select(outbox.c.state, outbox.c.permit_id, permit.c.halted_by, permit.c.expires_at)
    query = query.join(permit, permit.c.permit_id == outbox.c.permit_id)
    with store.begin() as connection:
        found = connection.execute(query.where(outbox.c.action == action)).one()
        if found.state not in states or stopped(connection).against(row["agent"], row["action_type"]):
            return False
        halted = found.halted_by is not None
        before = calls(connection, action, found.permit_id) if once or halted else Calls()
        if once and (before.made or not before.meant):  # a row that names another permit may hide a call
            raise _CalledBefore
        if halted and found.state == "pending" and not before.made:
            _write_down(connection, action, _not_sent(found.halted_by), now)
            return False
        if halted and latest(connection, now) < found.expires_at:
            return False
        _mark(connection, action, now, {"by_person": True} if once else {})
        return True


def _mark(connection: Connection, action: str, now: datetime, values: Mapping[str, object]) -> None:
    """Say that an effect is about to be sent once more, in its row and in the ledger."""
    outbox = tables.outbox
    state = case((outbox.c.state == "pending", "sending"), else_=outbox.c.state)
    mine = update(outbox).where(outbox.c.action == action)
    mine = mine.values(attempts=outbox.c.attempts + 1, state=state, **values)
    told = mine.returning(outbox.c.action, outbox.c.permit_id, outbox.c.state, outbox.c.attempts)
    begun(connection, dict(connection.execute(told).mappings().one()), at=now)


class _CalledBefore(Exception):  # noqa: N818  it is no error
    """A call of the tool was begun already, and there may be one only."""


def _not_sent(stop: int) -> ToolResult:
    return ToolResult(state=OutcomeState.FAILED, detail=f"It was not sent: stop {stop} came before.")


def _deliver(
    store: Store, tools: Caller, row: RowMapping, clock: Callable[[], datetime], longest_wait: float
) -> Delivery | None:
    if not _begun(store, row, clock(), _UNSETTLED):
        return None
    permit = SignedPermit(payload=row["payload"], signature=row["signature"])
    try:
        result = send(Heeding(store, tools, row), row, permit, longest_wait)
    except ToolUnreachable as unreachable:
        result = ToolResult(state=OutcomeState.UNKNOWN, detail=str(unreachable))
    _settle(store, row["action"], result, clock())
    return Delivery(row["action"], result.state, result.repeated)


def _deliver_once(
    store: Store, tools: Caller, row: RowMapping, clock: Callable[[], datetime], longest_wait: float
) -> Delivery | None:
    """Call a tool that cannot tell that it wrote already, or leave to a person what an earlier call came to."""
    action = row["action"]
    if row["state"] != "pending":
        return _give_up(store, row, clock())
    try:
        if not _begun(store, row, clock(), ("pending",), once=True):
            return None  # another run has it, or a stop keeps it
    except _CalledBefore:
        return _give_up(store, row, clock())
    permit = SignedPermit(payload=row["payload"], signature=row["signature"])
    try:
        result = send(Heeding(store, tools, row), row, permit, longest_wait, again=ToolNotReached)
    except ToolNotReached:
        _take_back(store, row, clock())
        return None
    except ToolUnreachable as unreachable:
        result = ToolResult(state=OutcomeState.UNKNOWN, detail=str(unreachable))
    _settle(store, action, result, clock())
    return Delivery(action, result.state, result.repeated)


def _give_up(store: Store, row: RowMapping, now: datetime) -> Delivery | None:
    """Note of a call that was begun and never answered that a person must say what became of it.

    What the ledger knows the outcome of is left alone: its row was edited, and `verify` says so.
    """
    detail = "The run ended before the tool answered, and the tool cannot be asked again."
    action = row["action"]
    with store.begin() as connection:
        if calls(connection, action, row["permit_id"]).settled:
            return None
        mine = update(tables.outbox).where(tables.outbox.c.action == action)
        connection.execute(mine.values(by_person=True))
        _ask_a_person(connection, action, now)  # of one that is unknown already: the tool could be asked till now
    _settle(store, action, ToolResult(state=OutcomeState.UNKNOWN, detail=detail), now)
    return Delivery(action, OutcomeState.UNKNOWN, repeated=False)


def _take_back(store: Store, row: RowMapping, now: datetime) -> None:
    """Let a row that was marked and not sent wait on; for good, where a stop came meanwhile."""
    outbox, permit, action = tables.outbox, tables.permit, row["action"]
    halted = select(permit.c.halted_by).join(outbox, outbox.c.permit_id == permit.c.permit_id)
    with store.begin() as connection:
        mine = update(outbox).where(outbox.c.action == action, outbox.c.state == "sending")
        moved = connection.execute(mine.values(state="pending", by_person=False)).rowcount
        if moved:
            unsent(connection, action, row["permit_id"], at=now)
        stop = connection.execute(halted.where(outbox.c.action == action)).scalar_one()
        if moved and stop is not None:
            _write_down(connection, action, _not_sent(stop), now)


def _settle(store: Store, action: str, result: ToolResult, now: datetime) -> None:
    """Write down what became of an effect, unless another run did so already."""
    with store.begin() as connection:
        _write_down(connection, action, result, now)


def _write_down(connection: Connection, action: str, result: ToolResult, now: datetime) -> None:
    outbox = tables.outbox
    open_states = _UNSETTLED if result.state is not OutcomeState.UNKNOWN else ("pending", "sending")
    settled = connection.execute(
        update(outbox)
        .where(outbox.c.action == action, outbox.c.state.in_(open_states))
        .values(state=result.state.value, reference=result.reference, detail=result.detail, settled_at=now)
    )
    if settled.rowcount:
        if result.state is OutcomeState.FAILED:
            keep.in_vain(connection, action)
        entries_effects.settled(connection, action, at=now)
        _ask_a_person(connection, action, now)


def _ask_a_person(connection: Connection, action: str, now: datetime) -> None:
    """Tell people of an effect that they must settle; nothing where it is none."""
    outbox = tables.outbox
    waits = select(outbox.c.action).where(outbox.c.action == action, for_a_person(outbox))
    if connection.execute(waits).first() is not None:
        notify(connection, "effect_unknown", {"action": action, "settle": settling(action)}, now)
