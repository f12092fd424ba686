"""Proving that a stop holds: everything of it is ended, looked for until nothing is left, and the time that took kept.

The stop itself is in force from its transaction on. What is looked for here is what was under way at that moment: a
process that decides or delivers, a call of a tool, a run of Dagster, a batch in the exchange.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, func, select

from orchestration.gate.stopping import Stop, covered, record_proof
from orchestration.gate.stops import Scope, ScopeKind
from orchestration.store import tables
from orchestration.store.engine import Store
from orchestration.store.presence import absent, at_work, calling
from orchestration.work.exchange import Exchange

_LOOK: Final = 0.1


class Runs(Protocol):
    """An agent's runs in Dagster; `AgentRuns` are."""

    cancelled: list[str]
    """Those that were told to end."""

    def cancel(self) -> None:
        """Tell every run that is not over to end."""

    def left(self) -> list[str]:
        """The runs that are not over, each in a few words."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was seen after a stop.

    Attributes:
        proven: Whether nothing of it ran or delivered any more.
        milliseconds: How long that took, or how long it was waited for.
        cancelled: Runs of Dagster that were told to end.
        still: What still ran or delivered at the end of the wait.
        looked_at_dagster: Whether there was an instance of Dagster to ask.
    """

    proven: bool
    milliseconds: int
    cancelled: Collection[str]
    still: Collection[str]
    looked_at_dagster: bool


def agents_of(connection: Connection, scope: Scope, known: Collection[str]) -> list[str]:
    """The agents whose work a stop ends: one, or every one that there is or was."""
    match scope.kind:
        case ScopeKind.AGENT:
            return [scope.name]
        case ScopeKind.ACTION_TYPE:
            return []
        case ScopeKind.ALL:
            batch = tables.batch
            return sorted({*known, *connection.execute(select(batch.c.agent).distinct()).scalars()})


def prove(  # noqa: PLR0913  each is a part of the world that is handed in
    store: Store,
    exchange: Exchange,
    stop: Stop,
    agents: Collection[str],
    runs: Runs | None,
    *,
    timeout: float,
    began: float,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Proof:
    """Withdraw, cancel and look until nothing of a stop's scope runs or delivers, and record how long that took.

    Args:
        store: The coordinator's store.
        exchange: Whose waiting batches are withdrawn.
        stop: The stop, which is in force.
        agents: Whose work it ends, as `agents_of` says.
        runs: Their runs in Dagster; none where there is no instance.
        timeout: Seconds to wait at most.
        began: When the stop came into force, as `time.monotonic()` says.
        clock: The time, with its zone.
    """
    while True:
        for agent in agents:
            _withdraw(exchange, agent)
        if runs is not None:
            runs.cancel()
        still = list(_left(store, stop.scope, agents, runs))
        if not still or time.monotonic() - began >= timeout:
            break
        time.sleep(_LOOK)
    took = round((time.monotonic() - began) * 1000)
    proof = Proof(not still, took, runs.cancelled if runs else [], still, runs is not None)
    record_proof(store, stop.number, _as_kept(proof, clock()), clock())
    return proof


def _left(store: Store, scope: Scope, agents: Collection[str], runs: Runs | None) -> Iterator[str]:
    for agent in agents:
        if not absent(store, at_work(agent)):
            yield f"a process that decides and delivers for {agent}"
    if scope.kind is ScopeKind.ACTION_TYPE and not absent(store, calling(scope.name)):
        yield f"a call of a tool for {scope}"
    with store.read() as connection:
        if waiting := _count(connection, scope):
            yield f"{waiting} effects that are not sent yet"
    if runs is not None:
        yield from runs.left()


def _count(connection: Connection, scope: Scope) -> int:
    """Effects that would be sent if the stop were not in force: none, since it gave them up."""
    outbox, proposal = tables.outbox, tables.proposal
    query = select(func.count()).select_from(outbox).join(proposal, proposal.c.action == outbox.c.action)
    return int(connection.execute(query.where(outbox.c.state == "pending", covered(scope))).scalar_one())


def _withdraw(exchange: Exchange, agent: str) -> None:
    """Take away what waits for an agent; it is offered again once it may go on."""
    for batch_id in exchange.waiting(agent):
        with suppress(FileNotFoundError):  # somebody else did
            exchange.clear(agent, batch_id)


def _as_kept(proof: Proof, at: datetime) -> dict[str, Any]:
    return {
        "at": at.isoformat(),
        "proven": proof.proven,
        "milliseconds": proof.milliseconds,
        "cancelled": list(proof.cancelled),
        "still": list(proof.still),
        "dagster": proof.looked_at_dagster,
    }
