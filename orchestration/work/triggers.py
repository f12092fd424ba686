"""Waking agents: each agent's `trigger.sql` on the current graph, once per snapshot, agent and business date.

Rows are written to the store first, with their ledger entry, and offered in the exchange after that; whatever a crash
left unoffered is offered by the next run. Rows that were answered for good are left out until something about them
changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, insert, select

from orchestration.canonical import digest
from orchestration.contracts import Batch, Pin, SnapshotId, TriggerRow
from orchestration.errors import ConfigurationError
from orchestration.gate.stopping import stopped
from orchestration.graph.current import current_snapshot
from orchestration.identity import credentials
from orchestration.ledger.entries import batch_opened
from orchestration.registry import Agent
from orchestration.store.engine import Store
from orchestration.store.tables import batch, trigger_row
from orchestration.work.exchange import Exchange, ExchangeError
from orchestration.work.offers import offer_waiting
from orchestration.work.settled import settled
from orchestration.work.trigger_rows import TriggerGraph, Woken, rows_of

MOST_ROWS: Final = 10_000
"""Rows that one batch shows; the trigger's first ones. What is left comes with the next snapshot."""


class PublishedGraph(TriggerGraph, Protocol):
    """The current graph: `EntityGraph` is one."""

    @property
    def snapshot_id(self) -> SnapshotId:
        """Which graph it is."""


class WakeState(StrEnum):
    """What came of looking whether an agent should wake."""

    WOKEN = "woken"
    NOTHING_NEW = "nothing_new"
    """No row, or none that was not answered already."""
    ALREADY = "already"
    """It woke for this snapshot and business date before."""
    STOPPED = "stopped"
    REFUSED = "refused"
    """Something is missing that an action would have to rest on."""
    FAILED = "failed"
    """Its trigger cannot be run."""


@dataclass(frozen=True, slots=True)
class Wake:
    """One agent's wake, or why there was none.

    Attributes:
        agent: The agent's name.
        state: What came of it.
        batch: What woke it.
        left_out: Rows that were answered before and have not changed since.
        postponed: Rows beyond what one batch shows.
        detail: Why it was not woken, in one sentence.
    """

    agent: str
    state: WakeState
    batch: Batch | None = None
    left_out: int = 0
    postponed: int = 0
    detail: str = ""


def run_triggers(  # noqa: PLR0913  each is a part of the world that is handed in
    store: Store,
    exchange: Exchange,
    graph: PublishedGraph,
    agents: Mapping[str, Agent],
    *,
    business_date: date,
    now: datetime,
    pin: Pin | None,
    key: Ed25519PrivateKey,
) -> list[Wake]:
    """Look for every agent whether it should wake, and offer what wakes it.

    Args:
        store: Where batches are kept.
        exchange: Where they are offered.
        graph: The current graph, open.
        agents: The registered agents by name.
        business_date: The day that the triggers are evaluated on.
        now: The time to record.
        pin: The verified materialisation of that graph; without it nobody is woken, since no effect could be walked
            back.
        key: What credentials are signed with.

    Returns:
        One wake an agent, by name. An agent whose trigger fails keeps no other from waking.
    """
    offer_waiting(store, exchange, agents, key, now)
    refusal = _refusal(graph.snapshot_id, pin)
    wakes = []
    for name, agent in sorted(agents.items()):
        if refusal or pin is None:
            wakes.append(Wake(name, WakeState.REFUSED, detail=refusal))
            continue
        try:
            wakes.append(_wake(store, exchange, graph, agent, business_date=business_date, now=now, pin=pin, key=key))
        except (ConfigurationError, ExchangeError) as error:
            wakes.append(Wake(name, WakeState.FAILED, detail=str(error)))
    return wakes


def _refusal(snapshot_id: SnapshotId, pin: Pin | None) -> str:
    if pin is None or not pin.run_id:
        return (
            f"No materialisation of the snapshot {snapshot_id} by a run was found in Dagster's event log; needed one "
            "that effects can be walked back to; publish the graph again with `precede run`."
        )
    if pin.data_version != snapshot_id:
        return (
            f"The materialisation found is of version {pin.data_version}; needed the one of snapshot {snapshot_id}; "
            "publish the graph again with `precede run`."
        )
    return ""


def _wake(  # noqa: PLR0913  as run_triggers
    store: Store,
    exchange: Exchange,
    graph: PublishedGraph,
    agent: Agent,
    *,
    business_date: date,
    now: datetime,
    pin: Pin,
    key: Ed25519PrivateKey,
) -> Wake:
    name = agent.card.name
    with store.read() as connection:
        if before := _before(connection, name, graph.snapshot_id, business_date):
            return before
    found = rows_of(agent, graph, business_date)
    with store.begin() as connection:
        if before := _before(connection, name, graph.snapshot_id, business_date):
            return before
        done = settled(connection, [row.digest for row in found], business_date)
        every = [row for row in found if row.digest not in done]
        fresh = every[:MOST_ROWS]
        opened = _batch(name, graph.snapshot_id, business_date, fresh)
        exchange.check(opened)
        _write(connection, opened, fresh, now, pin)
        token = credentials.mint(connection, agent.card, opened.batch_id, key, now) if fresh else ""
    left_out = len(found) - len(every)
    if not fresh:
        return Wake(name, WakeState.NOTHING_NEW, left_out=left_out, detail=_nothing(left_out))
    exchange.offer(opened, token)
    return Wake(name, WakeState.WOKEN, opened, left_out, len(every) - len(fresh))


def _before(connection: Connection, agent: str, snapshot_id: SnapshotId, business_date: date) -> Wake | None:
    """Why an agent is not woken now, whatever its trigger says."""
    if stopped(connection).agent(agent):
        return Wake(agent, WakeState.STOPPED, detail=f"The agent {agent} has been stopped.")
    if current_snapshot(connection) != snapshot_id:
        return Wake(agent, WakeState.REFUSED, detail=f"The snapshot {snapshot_id} is not the current one.")
    woken = select(batch.c.batch_id).where(
        batch.c.snapshot_id == snapshot_id, batch.c.agent == agent, batch.c.business_date == business_date
    )
    if connection.execute(woken).one_or_none() is not None:
        return Wake(
            agent, WakeState.ALREADY, detail=f"{agent} woke for {business_date} on the snapshot {snapshot_id} before."
        )
    return None


def _nothing(left_out: int) -> str:
    if not left_out:
        return "The trigger returned no row."
    return f"All {left_out} rows were answered before, and nothing about them has changed since."


def _batch(agent: str, snapshot_id: SnapshotId, business_date: date, rows: Sequence[Woken]) -> Batch:
    batch_id = f"{business_date:%Y%m%d}-{digest([snapshot_id, agent, business_date])[:16]}"
    return Batch(
        batch_id=batch_id,
        agent=agent,
        snapshot_id=snapshot_id,
        business_date=business_date,
        rows=tuple(
            TriggerRow(row_id=f"{batch_id}-{number:06d}", entity_id=row.entity_id, values=row.values)
            for number, row in enumerate(rows, start=1)
        ),
    )


def _write(connection: Connection, opened: Batch, rows: Sequence[Woken], now: datetime, pin: Pin) -> None:
    connection.execute(
        insert(batch).values(
            batch_id=opened.batch_id,
            agent=opened.agent,
            snapshot_id=opened.snapshot_id,
            business_date=opened.business_date,
            created_at=now,
            state="waiting" if rows else "closed",
            pin=pin.model_dump(mode="json"),
            row_count=len(rows),
        )
    )
    if rows:
        connection.execute(
            insert(trigger_row),
            [
                {
                    "row_id": offered.row_id,
                    "batch_id": opened.batch_id,
                    "entity_id": row.entity_id,
                    "digest": row.digest,
                    "values": row.values,
                }
                for offered, row in zip(opened.rows, rows, strict=True)
            ],
        )
    batch_opened(connection, opened.batch_id, at=now)
