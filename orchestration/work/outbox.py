"""Delivering effects: from the outbox to a tool, and what became of it to the ledger.

    pending -> sending -> done | failed | unknown

Before each call it is asked in one transaction whether the agent, the type of action or everything was stopped: then
nothing is called. What a stop found unsent is given up there and then; what it found on its way is asked about once its
permit has ended, since the tool can say then what it did and can do nothing any more.

A row that a dead run left `pending` or `sending`, or whose outcome is unknown, is delivered again: the tool knows the
effect key and writes nothing twice. Only an effect that is known not to have happened gives its key free.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, select, update
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.gate.limits import keep
from orchestration.gate.stopping import stopped
from orchestration.identity.clock import latest
from orchestration.ledger import entries
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.store.presence import at_work, calling, present
from orchestration.work.tools import Caller, ToolUnreachable

ATTEMPTS: Final = 3
"""How often a call is tried before its outcome is unknown, for this run."""
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
    longest_wait: float = 2.0,
) -> list[Delivery]:
    """Deliver every effect that is not settled, in the order in which they were meant.

    Args:
        store: The coordinator's store.
        tools: What calls the tools.
        clock: The time, with its zone.
        agent: Of this agent alone.
        batch_id: Of this batch alone.
        longest_wait: Seconds between two attempts, at most.

    Returns:
        What became of each of them; nothing of those that a stop keeps from their tool.

    Raises:
        StoreError: The store cannot be written; what was delivered by then will be found by the next run.
        ConfigurationError: A tool server is not registered, or its tool is not the one that was.
    """
    found = (_deliver(store, tools, row, clock, longest_wait) for row in _waiting(store, agent, batch_id))
    return [delivery for delivery in found if delivery is not None]


def _waiting(store: Store, agent: str | None, batch_id: str | None) -> list[RowMapping]:
    """The rows to deliver, with their permits and whose they are."""
    outbox, proposal, permit = tables.outbox, tables.proposal, tables.permit
    query = (
        select(outbox, permit.c.payload, permit.c.signature, proposal.c.agent, proposal.c.action_type)
        .join(permit, permit.c.permit_id == outbox.c.permit_id)
        .join(proposal, proposal.c.action == outbox.c.action)
        .where(outbox.c.state.in_(_UNSETTLED))
        .order_by(outbox.c.intended_at, proposal.c.row_id, outbox.c.action)
    )
    if agent is not None:
        query = query.where(proposal.c.agent == agent)
    if batch_id is not None:
        query = query.where(proposal.c.batch_id == batch_id)
    with store.read() as connection:
        return list(connection.execute(query).mappings())


class _Kept(Exception):  # noqa: N818  reads as the sentence it is
    """A stop keeps the effect from its tool."""


def _take(connection: Connection, row: RowMapping, now: datetime) -> None:
    """Mark a row as being sent: from here on a call may have been made.

    Raises:
        _Kept: It may not be called, or is settled by now.
    """
    outbox, permit = tables.outbox, tables.permit
    query = select(outbox.c.state, permit.c.halted_by, permit.c.expires_at)
    found = connection.execute(
        query.join(permit, permit.c.permit_id == outbox.c.permit_id).where(outbox.c.action == row["action"])
    ).one()
    if found.state not in _UNSETTLED or stopped(connection).against(row["agent"], row["action_type"]):
        raise _Kept
    if found.halted_by is not None and latest(connection, now) < found.expires_at:
        raise _Kept
    this = update(outbox).where(outbox.c.action == row["action"])
    connection.execute(this.values(attempts=outbox.c.attempts + 1))
    connection.execute(this.where(outbox.c.state == "pending").values(state="sending"))


def _deliver(
    store: Store, tools: Caller, row: RowMapping, clock: Callable[[], datetime], longest_wait: float
) -> Delivery | None:
    permit = SignedPermit(payload=row["payload"], signature=row["signature"])
    attempts = Retrying(
        retry=retry_if_exception_type(ToolUnreachable),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_exponential(multiplier=0.1, max=longest_wait),
        reraise=True,
    )

    def call() -> ToolResult:
        if attempts.statistics["attempt_number"] > 1:
            with store.read() as connection:
                if stopped(connection).against(row["agent"], row["action_type"]):
                    raise ToolUnreachable("It was stopped before the tool answered.")
        return tools.call(row["tool_server"], row["tool"], row["tool_arguments"], row["effect_key"], permit)

    # a stop's proof waits for whoever is in here
    with present(store, at_work(row["agent"])), present(store, calling(row["action_type"])):
        try:
            with store.begin() as connection:
                _take(connection, row, clock())
            result = attempts(call)
        except _Kept:
            return None
        except ToolUnreachable as unreachable:
            result = ToolResult(state=OutcomeState.UNKNOWN, detail=str(unreachable))
        _settle(store, row["action"], result, clock())
    return Delivery(row["action"], result.state, result.repeated)


def _settle(store: Store, action: str, result: ToolResult, now: datetime) -> None:
    """Write down what became of an effect, unless another run did so already."""
    outbox = tables.outbox
    open_states = _UNSETTLED if result.state is not OutcomeState.UNKNOWN else ("pending", "sending")
    with store.begin() as connection:
        settled = connection.execute(
            update(outbox)
            .where(outbox.c.action == action, outbox.c.state.in_(open_states))
            .values(state=result.state.value, reference=result.reference, detail=result.detail, settled_at=now)
        )
        if settled.rowcount:
            if result.state is OutcomeState.FAILED:
                keep.in_vain(connection, action)
            entries.settled(connection, action, at=now)
