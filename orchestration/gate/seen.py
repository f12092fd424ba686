"""What a transaction reads once for all that it performs: nobody else writes while it lasts.

Each thing is read with one query, whatever the number of actions. What it means stands in `presented.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import BindParameter, Connection, bindparam, desc, func, select

from orchestration.contracts import Pin
from orchestration.errors import NotFound, PermitRefused
from orchestration.gate.decide import Asked, Moment, asked_together, bounds_of
from orchestration.gate.graphs import Graphs
from orchestration.gate.known import Ask, StoreFacts
from orchestration.gate.limits.count import Tally
from orchestration.gate.limits.touch import Touch, touch_of
from orchestration.gate.limits.usage import Bounds
from orchestration.gate.load import load_asks, load_store
from orchestration.gate.presented import Presented, Row, unused
from orchestration.gate.resolve import Case, resolve
from orchestration.gate.rules import Rules
from orchestration.identity.clock import latest
from orchestration.store import tables

_ACTIONS: Final[BindParameter[Any]] = bindparam("actions", expanding=True)
_LAST: Final = (
    select(func.max(tables.decision.c.decision_id))
    .where(tables.decision.c.action.in_(_ACTIONS))
    .group_by(tables.decision.c.action)
)
_VERDICTS: Final = select(tables.decision.c.action, tables.decision.c.verdict).where(
    tables.decision.c.decision_id.in_(_LAST)
)
"""The verdict of each action's last decision."""
_PERMITS: Final = (
    select(tables.permit, tables.permit_use.c.at.label("counted_at"))
    .outerjoin(tables.permit_use, tables.permit_use.c.permit_id == tables.permit.c.permit_id)
    .where(tables.permit.c.action.in_(_ACTIONS))
    .order_by(desc(tables.permit.c.issued_at), tables.permit.c.halted_by.is_not(None), tables.permit.c.permit_id)
)
"""The permits of actions; of each, the one that counts comes first. Each with when limits count it."""
_TAKEN: Final = select(tables.outbox.c.effect_key).where(
    tables.outbox.c.effect_key.in_(bindparam("keys", expanding=True)), tables.outbox.c.state != "failed"
)


@dataclass(frozen=True, slots=True)
class Means:
    """What the gate works with: rules, the graphs they are applied to, the key that permits are signed with."""

    rules: Rules
    graphs: Graphs
    key: Ed25519PrivateKey
    holds: Callable[[Pin], bool]
    """Whether the event log still has the materialisation that a pin names."""
    tally: Tally = field(default_factory=Tally)
    """The day's effects, as far as they were counted."""

    def facts(self, connection: Connection) -> StoreFacts:
        """What the store says now; a pin that no longer holds is none."""
        said = load_store(connection)
        return said if said.pin is None or self.holds(said.pin) else replace(said, pin=None)

    def moment(self, store: StoreFacts, asks: Sequence[Ask], now: datetime) -> Moment:
        """What those proposals are decided on."""
        graph = self.graphs.facts(store, asks)
        return Moment(self.rules, graph, store, now, self.graphs.missing)

    def look_ahead(self, connection: Connection, asks: Sequence[Ask], now: datetime) -> None:
        """Look proposals of a batch up in the graph, and count what bounds their effects, once for many.

        Both hold in the transactions that come, for as long as the pointer stays and nobody else writes.
        """
        graph = self.graphs.facts(self.facts(connection), asks)
        if graph is None:
            return  # none of them will hold, and nothing is counted of any
        wanted: dict[str, tuple[Touch, Bounds]] = {}
        for ask in asks:
            action_type, bounds = self.rules.action_types.get(ask.action_type), bounds_of(ask, self.rules)
            if action_type is not None and bounds is not None:
                case = Case(ask, action_type, resolve(ask, action_type, graph), graph, ())
                wanted[ask.action] = (touch_of(case), bounds)
        self.tally.prepare(connection, wanted, now)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is asked about permits at the moment of their effects, but for what limits count."""

    moment: Moment
    at_least: datetime
    """What time it is at least: as late as the ledger says that it was already."""
    presented: Sequence[Presented]
    """The permits, in the order of their actions."""
    taken: frozenset[str]
    """Those of their effect keys that have their effect already, or may still."""
    asked: Mapping[str, Asked | None]
    """Action to what policy says of it now; nothing where there is nothing to ask about."""

    @classmethod
    def of(cls, connection: Connection, permits: Sequence[tuple[Ask, Row]], means: Means, now: datetime) -> Self:
        """What is so of some actions and their permits.

        Args:
            connection: Inside `Store.begin()`, and of no use after that.
            permits: Each action's proposal and the row of its permit.
            means: What the gate works with.
            now: The time, with its zone.
        """
        moment = means.moment(means.facts(connection), [ask for ask, _ in permits], now)
        key = _public_half(means.key)
        presented = [Presented.of(ask, row, key, moment) for ask, row in permits]
        keys = sorted({one.permit.effect_key for one in presented if one.permit is not None})
        taken = frozenset(taken_keys(connection, keys))
        said = asked_together([one.case for one in presented], moment)
        asked: dict[str, Asked | None] = {one.ask.action: each for one, each in zip(presented, said, strict=True)}
        return cls(moment, latest(connection, now), presented, taken, asked)


def taken_keys(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those effect keys, of these, that have their effect already, or may still."""
    return set(connection.execute(_TAKEN, {"keys": sorted(keys)}).scalars()) if keys else set()


def unused_permits(
    connection: Connection, actions: Sequence[str]
) -> tuple[list[tuple[Ask, Row]], PermitRefused | None]:
    """The proposals of actions with the rows of their permits, up to the first that has none to present.

    Args:
        connection: Inside `Store.begin()`, and what it returns is of no use after that.
        actions: Their ids; at most some hundred.

    Returns:
        These, in the order of the actions, and why the next has none; nothing where all have.

    Raises:
        NotFound: There is no such action.
    """
    asks: dict[str, Ask] = {ask.action: ask for ask in load_asks(connection, tables.proposal.c.action.in_(actions))}
    for action in actions:
        if action not in asks:
            raise NotFound(f"No action has the id {action!r}; needed one that was proposed; see `precede actions`.")
    wanted = {"actions": list(actions)}
    verdicts = {row.action: row.verdict for row in connection.execute(_VERDICTS, wanted)}
    permits: dict[str, Row] = {}
    for row in connection.execute(_PERMITS, wanted).mappings():
        permits.setdefault(row["action"], dict(row))
    found = []
    for action in actions:
        try:
            found.append((asks[action], unused(action, verdicts.get(action), permits.get(action))))
        except PermitRefused as refused:
            return found, refused
    return found, None


@lru_cache(maxsize=4)
def _public_half(key: Ed25519PrivateKey) -> Ed25519PublicKey:
    return key.public_key()
