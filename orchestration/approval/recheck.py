"""Looking whether what waits for a person, or was approved, still rests on what it rested on: a glance at all of it.

Nothing is decided here: what has changed goes through the gate again, and the rest is left as it is. So a graph that
was published anew costs one lookup for everything that is held, and voids nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select, update

from orchestration.approval.bound import as_held, bound, differences
from orchestration.approval.queue import APPROVED, OPEN, PASSING
from orchestration.approval.standing import APPROVE
from orchestration.contracts import Decision, Reason
from orchestration.gate.decide import Moment, weigh
from orchestration.gate.graphs import Graphs
from orchestration.gate.known import Ask, StoreFacts
from orchestration.gate.load import load_asks
from orchestration.gate.resolve import Case
from orchestration.gate.rules import Rules
from orchestration.store.tables import approval, held, outbox, proposal

CHUNK: Final = 10_000
"""Proposals that are looked up at once."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at everything that is held came to.

    Attributes:
        held: How many proposals were looked at.
        decisions: What was decided again of those that rest on something else now.
    """

    held: int
    decisions: tuple[Decision, ...]


def is_open() -> ColumnElement[bool]:
    """Of a proposal: it waits for a person, or was approved and has no effect yet."""
    waits = select(held.c.action).where(held.c.state.in_(OPEN))
    return proposal.c.action.in_(waits)


def due(connection: Connection, agent: str, snapshot_id: str | None, policy_digest: str, now: datetime) -> bool:
    """Whether anything of an agent is held that was not held against this graph and these policies, or is over."""
    over = exists().where(
        approval.c.action == held.c.action,
        approval.c.verdict == APPROVE,
        approval.c.consumed_at.is_(None),
        approval.c.voided_at.is_(None),
        approval.c.expires_at <= now,
    )
    other = or_(
        held.c.checked_snapshot.is_distinct_from(snapshot_id),
        held.c.policy_digest != policy_digest,
        and_(held.c.state == APPROVED, over),
    )
    return connection.execute(_of(agent).where(other).limit(1)).first() is not None


def mark(connection: Connection, agent: str, snapshot_id: str | None) -> None:
    """Note the graph that everything of an agent was held against."""
    of_agent = update(held).where(held.c.agent == agent, held.c.state.in_(OPEN))
    connection.execute(of_agent.values(checked_snapshot=snapshot_id))


def changed(  # noqa: PLR0913, PLR0917  what is held, and everything that it is held against
    connection: Connection, agent: str, store: StoreFacts, rules: Rules, graphs: Graphs, now: datetime
) -> tuple[int, list[str]]:
    """How many proposals of an agent are held, and which of them rest on something else now."""
    rows = {row["action"]: dict(row) for row in connection.execute(_of(agent)).mappings()}
    actions = sorted(rows)
    found: list[str] = []
    for start in range(0, len(actions), CHUNK):
        some = actions[start : start + CHUNK]
        between = (held.c.action >= some[0], held.c.action <= some[-1], held.c.agent == agent, held.c.state.in_(OPEN))
        asks = load_asks(connection, proposal.c.action.in_(select(held.c.action).where(*between)))
        found += _changed(asks, rows, Moment(rules, graphs.glance(store, asks), store, now, graphs.missing))
    return len(rows), found


def differs(ask: Ask, row: Mapping[str, Any], case: Case | list[Reason], policy_digest: str, now: datetime) -> bool:
    """Whether a proposal that is held rests on something else now, or its approval is over. Pure."""
    against = case if isinstance(case, list) else case.objections
    if any(reason.code not in PASSING for reason in against):
        return True
    if ask.approval is not None and now >= ask.approval.expires_at:
        return True
    if isinstance(case, list):
        return False  # what cannot be looked up for now has not changed
    return next(differences(as_held(row), bound(case, policy_digest)), None) is not None


def _changed(asks: list[Ask], rows: Mapping[str, Mapping[str, Any]], moment: Moment) -> Iterator[str]:
    for ask in asks:
        policies = moment.rules.policies.get(ask.agent)
        case = weigh(ask, moment)
        if differs(ask, rows[ask.action], case, policies.digest if policies else "", moment.now):
            yield ask.action


def _of(agent: str) -> Any:  # noqa: ANN401  SQLAlchemy's expression
    """What is held of an agent; what is in the outbox is held no more."""
    done = exists().where(outbox.c.action == held.c.action)
    return select(held).where(held.c.agent == agent, held.c.state.in_(OPEN), ~done)
