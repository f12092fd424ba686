"""Stopping an agent, a type of action or everything, and letting it go on: each in one transaction.

From the transaction on that stops it, nothing of it is decided, permitted, performed or handed to a tool. What was
permitted and not sent is given up for good; it comes again as a new proposal, through the gate, once it may.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, insert, select, true, update

from orchestration.contracts import OutcomeState
from orchestration.gate.limits import keep
from orchestration.gate.stops import Scope, ScopeKind, Stopped
from orchestration.identity.clock import latest
from orchestration.identity.credentials import revoke
from orchestration.ledger import entries_effects, entries_stop
from orchestration.ledger.entries_calls import made
from orchestration.store.engine import Store
from orchestration.store.tables import batch, outbox, permit, proposal
from orchestration.store.tables import stop as table
from orchestration.work.notify import notify

_MAY_HAVE_HAPPENED: Final = ("sending", OutcomeState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop and what it halted, as ids.

    Attributes:
        number: Its number.
        scope: What it is of.
        at: Since when.
        credentials: Credentials that were revoked.
        permits: Permits that were not used and never will be.
        effects: Effects that had not been sent and never will be.
        sending: Effects whose call may have been made: whether they happened is not known yet; each with its permit.
        batches: Batches that do not go on.
    """

    number: int
    scope: Scope
    at: datetime
    credentials: Sequence[str]
    permits: Sequence[str]
    effects: Sequence[str]
    sending: Mapping[str, str]
    batches: Sequence[str]


@dataclass(frozen=True, slots=True)
class Start:
    """What came of letting something go on.

    Attributes:
        lifted: Numbers of the stops that were in its way.
        batches: Batches that go on.
        effects: Effects that those stops had given up, whose rows wake their agent again.
    """

    lifted: Sequence[int]
    batches: Sequence[str]
    effects: Sequence[str]


def stop(store: Store, scope: Scope, reason: str, *, operator: str, now: datetime) -> Stop:
    """Stop something: revoke, refuse and halt all of it, and queue that people are told.

    Args:
        store: The coordinator's store.
        scope: What to stop.
        reason: Why; every denial that comes of it says so.
        operator: Who stops it.
        now: When.
    """
    with store.begin() as connection:
        at = latest(connection, now)
        number = connection.execute(select(func.coalesce(func.max(table.c.number), 0) + 1)).scalar_one()
        done = _halt(connection, number, scope, at, by=f"{operator} stopped {scope}")
        halted = {name: getattr(done, name) for name in _HALTED}
        values = {"number": number, "scope": scope.kind.value, "name": scope.name, "reason": reason}
        connection.execute(insert(table).values(**values, operator=operator, at=at, halted=halted))
        entries_stop.stopped(connection, number, at=at)
        said = {"stop": number, "scope": scope.kind, "name": scope.name, "operator": operator, "reason": reason}
        notify(connection, "stop", {**said, **{name: len(ids) for name, ids in halted.items()}}, at)
    return done


def start(store: Store, scope: Scope, reason: str, *, operator: str, now: datetime) -> Start | None:
    """Let something go on that was stopped, and record why and who says so; none where it was not.

    What another stop covers stays stopped.
    """
    with store.begin() as connection:
        at = latest(connection, now)
        mine = (table.c.scope == scope.kind.value, table.c.name == scope.name, table.c.lifted_at.is_(None))
        lifted = connection.execute(select(table.c.number, table.c.halted).where(*mine).order_by(table.c.number)).all()
        if not lifted:
            return None
        numbers = [row.number for row in lifted]
        connection.execute(update(table).where(table.c.number.in_(numbers)).values(lifted_at=at))
        batches = _release(connection, numbers)
        entries_stop.started(connection, numbers, batches, at=at, reason=reason, operator=operator)
        said = {"stops": numbers, "scope": scope.kind, "name": scope.name, "operator": operator, "reason": reason}
        notify(connection, "start", said, at)
        effects = [action for row in lifted for action in (row.halted or {}).get("effects", ())]
        return Start(numbers, [one for one, by in batches.items() if by is None], effects)


def stopped(connection: Connection) -> Stopped:
    """Everything that is stopped now; the last stop of a thing says why."""
    why: dict[ScopeKind, dict[str, str]] = {kind: {} for kind in ScopeKind}
    for row in connection.execute(select(table).where(table.c.lifted_at.is_(None)).order_by(table.c.number)):
        why[ScopeKind(row.scope)][row.name] = row.reason
    return Stopped(why[ScopeKind.ALL].get(""), why[ScopeKind.AGENT], why[ScopeKind.ACTION_TYPE])


def record_proof(store: Store, number: int, proof: dict[str, Any], now: datetime) -> None:
    """Keep what was seen after a stop, beside it and in the ledger, and queue that people are told."""
    with store.begin() as connection:
        connection.execute(update(table).where(table.c.number == number).values(proof=proof))
        entries_stop.proven(connection, number, proof, at=latest(connection, now))
        notify(connection, "stop_proven" if proof["proven"] else "stop_not_proven", {"stop": number, **proof}, now)


def covered(scope: Scope) -> ColumnElement[bool]:
    """The proposals that a stop is about, as a condition."""
    match scope.kind:
        case ScopeKind.AGENT:
            return proposal.c.agent == scope.name
        case ScopeKind.ACTION_TYPE:
            return proposal.c.action_type == scope.name
        case ScopeKind.ALL:
            return true()


_HALTED: Final = ("credentials", "permits", "effects", "sending", "batches")


def _halt(connection: Connection, number: int, scope: Scope, at: datetime, by: str) -> Stop:
    credentials: list[str] = []
    batches: list[str] = []
    if scope.kind is not ScopeKind.ACTION_TYPE:  # a type has none of its own: each proposal of it is refused
        whose = None if scope.kind is ScopeKind.ALL else scope.name
        credentials = revoke(connection, whose, at)
        mine = (batch.c.state != "closed", *((batch.c.agent == whose,) if whose else ()))
        batches = list(connection.execute(select(batch.c.batch_id).where(*mine).order_by(batch.c.batch_id)).scalars())
        connection.execute(update(batch).where(*mine).values(halted_by=number))
    permits = _permits(connection, scope, permit.c.consumed_at.is_(None), permit.c.expires_at > at)
    waiting = _effects(connection, scope, ("pending",))
    called = made(connection, waiting)  # the ledger knows of a call, whatever the row says
    effects = [action for action in waiting if action not in called]
    sending = _effects(connection, scope, _MAY_HAVE_HAPPENED) | {action: waiting[action] for action in called}
    _mark(connection, permits, number)
    _mark(connection, list(sending.values()), number)
    for action in effects:
        given_up = {"state": OutcomeState.FAILED.value, "detail": f"It was not sent: {by}.", "settled_at": at}
        connection.execute(update(outbox).where(outbox.c.action == action).values(given_up))
        keep.in_vain(connection, action)
        entries_effects.settled(connection, action, at=at)
    return Stop(number, scope, at, credentials, permits, effects, sending, batches)


def _permits(connection: Connection, scope: Scope, *where: ColumnElement[bool]) -> list[str]:
    query = select(permit.c.permit_id).join(proposal, proposal.c.action == permit.c.action)
    query = query.where(covered(scope), permit.c.halted_by.is_(None), *where).order_by(permit.c.permit_id)
    return list(connection.execute(query).scalars())


def _effects(connection: Connection, scope: Scope, states: Sequence[str]) -> dict[str, str]:
    """Action to permit of the effects that are in one of those states."""
    query = select(outbox.c.action, outbox.c.permit_id).join(proposal, proposal.c.action == outbox.c.action)
    rows = connection.execute(query.where(covered(scope), outbox.c.state.in_(states)).order_by(outbox.c.action))
    return {row.action: row.permit_id for row in rows}


def _mark(connection: Connection, permit_ids: Sequence[str], number: int) -> None:
    for first in range(0, len(permit_ids), 500):
        these = permit.c.permit_id.in_(permit_ids[first : first + 500])
        connection.execute(update(permit).where(these).values(halted_by=number))


def _release(connection: Connection, numbers: Sequence[int]) -> dict[str, int | None]:
    """Let batches go on that nothing else keeps; batch to the stop that still does, or none."""
    held = connection.execute(select(batch.c.batch_id, batch.c.agent).where(batch.c.halted_by.in_(numbers))).all()
    left = connection.execute(select(table).where(table.c.lifted_at.is_(None)).order_by(table.c.number)).all()
    found: dict[str, int | None] = {}
    for row in held:
        others = [one.number for one in left if one.scope == "all" or (one.scope, one.name) == ("agent", row.agent)]
        found[row.batch_id] = others[-1] if others else None
        connection.execute(update(batch).where(batch.c.batch_id == row.batch_id).values(halted_by=found[row.batch_id]))
    return found
