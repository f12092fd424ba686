"""What waits to be done, as the store and the exchange say: what the sensors ask.

Dagster's events are not asked, since anyone who reaches its web server can report one. Nothing here does the work.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final

from sqlalchemy import Connection, exists, not_, select

from orchestration.canonical import digest
from orchestration.contracts import OutcomeState
from orchestration.gate.stopping import stopped
from orchestration.graph.current import current_snapshot
from orchestration.identity.credentials import usable
from orchestration.store.tables import batch, decision, outbox, proposal
from orchestration.work.attempts import Due
from orchestration.work.exchange import Exchange
from orchestration.work.told_of import for_a_person

UNFINISHED: Final = ("answered", "decided")
"""States of a batch that has an answer and is not closed."""


def wakes(
    connection: Connection, exchange: Exchange, agents: Iterable[str], business_date: date, now: datetime
) -> list[Due]:
    """Agents whose trigger was not run on the current snapshot and business date, or whose batch was not offered.

    A batch counts as not offered where the agent holds no credential any more that it could answer it with.
    """
    snapshot_id = current_snapshot(connection)
    if snapshot_id is None:
        return []
    done = select(batch.c.agent).where(batch.c.snapshot_id == snapshot_id, batch.c.business_date == business_date)
    woken = set(connection.execute(done).scalars())
    found, answerable = [], usable(connection, now)
    halted = stopped(connection)
    for agent in sorted(name for name in agents if not halted.agent(name)):
        if agent not in woken:
            why = f"the snapshot {snapshot_id} on {business_date}"
            found.append(Due(agent, f"{agent} {snapshot_id} {business_date}", why))
        elif left := _unoffered(connection, exchange, agent, answerable):
            found.append(Due(agent, f"{agent} {' '.join(left)}", f"{len(left)} batches that were not offered"))
    return found


def _unoffered(connection: Connection, exchange: Exchange, agent: str, answerable: set[str]) -> list[str]:
    """Batches that a run wrote down and did not live to offer, and those that nobody could answer any more."""
    query = select(batch.c.batch_id).where(batch.c.agent == agent, batch.c.state == "waiting")
    waiting = set(connection.execute(query).scalars())
    return sorted(waiting - {*(answerable & set(exchange.waiting(agent))), *exchange.answered(agent)})


def acts(connection: Connection, exchange: Exchange, agents: Iterable[str]) -> list[Due]:
    """Agents with an answer to take in, a proposal to decide, an effect to settle or a batch to close.

    Nothing of a stopped one is due: it waits until somebody lets it go on. An effect that a person must settle is no
    work of theirs.
    """
    found, halted = [], stopped(connection)
    for agent in sorted(name for name in agents if not halted.agent(name)):
        waits = {
            "answers": sorted(exchange.answered(agent)),
            "proposals": _undecided(connection, agent),
            "effects": _unsettled(connection, agent),
            "batches": _open(connection, agent),
        }
        if any(waits.values()):
            why = ", ".join(f"{len(ids)} {name}" for name, ids in waits.items() if ids)
            found.append(Due(agent, f"{agent} {digest(waits)[:16]}", why))
    return found


def _undecided(connection: Connection, agent: str) -> list[str]:
    decided = exists().where(decision.c.action == proposal.c.action)
    query = select(proposal.c.action).where(proposal.c.agent == agent, ~decided).order_by(proposal.c.action)
    return list(connection.execute(query).scalars())


def _unsettled(connection: Connection, agent: str) -> list[str]:
    settled = (OutcomeState.DONE.value, OutcomeState.FAILED.value)
    query = (
        select(outbox.c.action)
        .join(proposal, proposal.c.action == outbox.c.action)
        .where(proposal.c.agent == agent, outbox.c.state.not_in(settled), not_(for_a_person(outbox)))
        .order_by(outbox.c.action)
    )
    return list(connection.execute(query).scalars())


def _open(connection: Connection, agent: str) -> list[str]:
    query = select(batch.c.batch_id).where(batch.c.agent == agent, batch.c.state.in_(UNFINISHED))
    return list(connection.execute(query.order_by(batch.c.batch_id)).scalars())
