"""The moment of effect: everything is asked again in one transaction, and only then does the intent stand.

The current snapshot's pointer, the read set on that graph, the permit, the effect key, policy and limits as they are
now: where one of them speaks against it, nothing happens, and a new decision says why. A graph published anew with the
same read set voids nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, RowMapping, bindparam, desc, insert, select, update

from orchestration.canonical import digest
from orchestration.contracts import Decision, Permit, Pin, Reason, SignedPermit, Verdict
from orchestration.errors import NotFound, PermitRefused
from orchestration.gate.decide import Answer, Moment, bounds_of, reconsider, weigh
from orchestration.gate.graphs import Graphs
from orchestration.gate.known import Ask, StoreFacts
from orchestration.gate.limits import keep
from orchestration.gate.limits.count import Tally
from orchestration.gate.limits.touch import touch_of
from orchestration.gate.limits.usage import Usage
from orchestration.gate.load import load_asks, load_store
from orchestration.gate.permits import read
from orchestration.gate.readset import read_set, tool_call
from orchestration.gate.record import keep_policies, record
from orchestration.gate.resolve import Case
from orchestration.gate.rules import Rules
from orchestration.identity.clock import latest
from orchestration.ledger import entries
from orchestration.store import tables

_SAME: Final = select(tables.outbox.c.action).where(
    tables.outbox.c.effect_key == bindparam("key"), tables.outbox.c.state != "failed"
)
"""The effect of a key that happened already, or may still."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that is meant, and will be delivered from the outbox."""

    action: str
    effect_key: str
    entry: int
    """The number of its ledger entry."""


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


@dataclass(frozen=True, slots=True)
class Seen:
    """What a transaction reads once for all that it performs: nobody else writes while it lasts."""

    store: StoreFacts
    asks: Mapping[str, Ask]
    """Action to its proposal."""

    @classmethod
    def of(cls, connection: Connection, actions: Sequence[str], means: Means) -> Self:
        """What the store says of some actions.

        Args:
            connection: Inside `Store.begin()`, and of no use after that.
            actions: Their ids.
            means: What the gate works with.
        """
        asks = load_asks(connection, tables.proposal.c.action.in_(actions))
        return cls(means.facts(connection), {ask.action: ask for ask in asks})


def perform(
    connection: Connection, action: str, means: Means, now: datetime, seen: Seen | None = None
) -> Effect | Decision:
    """Use up an action's permit for its effect, or say why not.

    Args:
        connection: Inside `Store.begin()`.
        action: The action's id.
        means: What the gate works with.
        now: The time, with its zone.
        seen: What this transaction has read already, where it performs several.

    Returns:
        The effect that is now in the outbox; or the new decision, which is recorded: a denial, or that it is held for
        a person.

    Raises:
        NotFound: There is no such action.
        PermitRefused: It has no permit, or its permit was used: nothing is recorded, since nothing changed.
    """
    seen = seen or Seen.of(connection, [action], means)
    if action not in seen.asks:
        raise NotFound(f"No action has the id {action!r}; needed one that was proposed; see `precede actions`.")
    row = _leave(connection, action)
    asks, store = [seen.asks[action]], seen.store
    case = weigh(asks[0], moment := means.moment(store, asks, now))
    permit, reasons = _sound(row, means.key, asks[0])
    against = [*reasons, *_against(connection, row, permit, case, now)]
    bounds, touch = bounds_of(asks[0], means.rules), touch_of(case) if isinstance(case, Case) else None
    usage = Usage()
    if bounds is not None and touch is not None:
        usage = means.tally.read(connection, action, (touch, bounds), now)
    void = reconsider(asks[0], case, moment, against=against, usage=usage)
    if void is not None:
        answer = Answer(asks[0], void, case if isinstance(case, Case) else None, touch)
        keep_policies(connection, means.rules.policies, [answer], now)
        record(connection, [answer], store, means.key, now)
        return void  # what was counted is counted anew: the ledger went on, and the tally knows nothing of it
    if permit is None:  # what cannot be read was voided above
        raise PermitRefused(f"The permit of {action} cannot be read; needed one that the gate minted.")
    used = connection.execute(
        update(tables.permit)
        .where(
            tables.permit.c.permit_id == permit.permit_id,
            tables.permit.c.consumed_at.is_(None),
            tables.permit.c.expires_at > now,
        )
        .values(consumed_at=now)
    )
    if used.rowcount != 1:
        raise PermitRefused(f"The permit of {action} was used while it was looked at; needed one that was not.")
    keep.used(connection, permit.permit_id, now)
    connection.execute(
        insert(tables.outbox).values(
            action=action,
            permit_id=permit.permit_id,
            effect_key=permit.effect_key,
            tool_server=permit.tool_server,
            tool=permit.tool,
            tool_arguments=permit.tool_arguments,
            state="pending",
            attempts=0,
            intended_at=now,
        )
    )
    intent = entries.intended(connection, action, at=now)
    means.tally.wrote(intent)
    return Effect(action, permit.effect_key, intent)


def _leave(connection: Connection, action: str) -> RowMapping:
    """The permit of an action's last decision, unused."""
    last = connection.execute(
        select(tables.decision.c.verdict)
        .where(tables.decision.c.action == action)
        .order_by(desc(tables.decision.c.decision_id))
        .limit(1)
    ).scalar_one_or_none()
    if last != Verdict.ALLOW:
        raise PermitRefused(f"{action} was not allowed ({last or 'not decided yet'}); needed a permit.")
    permit = tables.permit
    row = (
        connection.execute(
            select(permit)
            .where(permit.c.action == action)
            .order_by(desc(permit.c.issued_at), permit.c.halted_by.is_not(None), permit.c.permit_id)
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if row is None:
        raise PermitRefused(f"{action} has no permit; needed one that the gate minted.")
    if row["consumed_at"] is not None:
        raise PermitRefused(f"The permit of {action} was used at {row['consumed_at'].isoformat()}; needed one unused.")
    return row


@lru_cache(maxsize=4)
def _public_half(key: Ed25519PrivateKey) -> Ed25519PublicKey:
    return key.public_key()


def _sound(row: RowMapping, key: Ed25519PrivateKey, ask: Ask) -> tuple[Permit | None, list[Reason]]:
    """The permit as it was signed, and whether it is this action's: the store's row is not believed."""
    try:
        permit = read(SignedPermit(payload=row["payload"], signature=row["signature"]), _public_half(key))
    except PermitRefused as refused:
        return None, [Reason(code="permit_forged", detail=str(refused))]
    signed = (permit.permit_id, permit.action, permit.agent, permit.action_type, permit.expires_at)
    if signed != (row["permit_id"], ask.action, ask.agent, ask.action_type, row["expires_at"]):
        return permit, [Reason(code="permit_of_another", detail="The permit is another action's or agent's.")]
    return permit, []


def _call(case: Case) -> tuple[str, str, dict[str, str | int | bool], str] | None:
    """Tool server, tool, arguments and effect key that the action type makes of it now."""
    call, tool = tool_call(case), case.action_type.tool
    return None if call is None else (tool.server, tool.name, *call)


def _granted(permit: Permit) -> tuple[str, str, dict[str, str | int | bool], str]:
    return permit.tool_server, permit.tool, dict(permit.tool_arguments), permit.effect_key


def _against(
    connection: Connection, row: RowMapping, permit: Permit | None, case: Case | list[Reason], now: datetime
) -> list[Reason]:
    """What speaks against the permit now."""
    reasons = []
    # a clock that was set back brings no permit to life: the ledger says how late it was already
    if latest(connection, now) >= row["expires_at"] or now < row["issued_at"]:
        reasons.append(Reason(code="permit_expired", detail=f"The permit expired at {row['expires_at'].isoformat()}."))
    if row["halted_by"] is not None:
        detail = f"The permit was refused by stop {row['halted_by']}, whatever was started since."
        reasons.append(Reason(code="permit_halted", detail=detail))
    if permit is None:
        return reasons
    if isinstance(case, Case) and digest(read_set(case)) != permit.read_set_digest:
        reasons.append(Reason(code="read_set_changed", detail="What the decision rested on has changed since."))
    elif isinstance(case, Case) and _call(case) != _granted(permit):
        detail = "The action type makes another call of it than the permit is for."
        reasons.append(Reason(code="tool_call_changed", detail=detail))
    if connection.execute(_SAME, {"key": permit.effect_key}).first() is not None:
        reasons.append(Reason(code="effect_exists", detail="That effect happened already, or may still happen."))
    return reasons
