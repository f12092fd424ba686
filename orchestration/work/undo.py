"""Taking an effect back: on the strength of its entries in the ledger and of an operator, once.

Standing is not asked, nor evidence, snapshot or graph: the entity may have been split since. The action type's
compensation says which tool takes it back, and with what; its arguments are made from the call that had the effect, as
the ledger has it. The permit is signed for that call alone, and tool servers verify it as they verify every other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, func, insert, select

from orchestration.action_types import ActionType, fill
from orchestration.canonical import digest
from orchestration.contracts import ActionId, OutcomeState, Permit, SignedPermit
from orchestration.errors import EffectRefused, PermitRefused
from orchestration.gate.permits import pending, read, sign
from orchestration.ledger import entries_effects
from orchestration.ledger.proven import Proven, proven
from orchestration.store.engine import Store
from orchestration.store.tables import undo as table
from orchestration.work.in_flight import alone_taking_back, refuse_sending, wait_for_sending
from orchestration.work.undo_call import Hands, Row, call

LASTS: Final = timedelta(minutes=15)
"""For how long a permit to take an effect back may be used."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of taking an effect back.

    Attributes:
        undo_id: Its id.
        action: Whose effect it is.
        state: Done, failed (known not to have happened) or unknown.
        reference: What the system calls the row that was written.
        detail: Why it failed, or is unknown.
        description: What taking it back comes to, in the action type's words.
    """

    undo_id: str
    action: str
    state: OutcomeState
    reference: str
    detail: str
    description: str


@dataclass(frozen=True, slots=True)
class Order:
    """Who wants which effect taken back, and why."""

    action: str
    by: str
    reason: str


def undo(
    store: Store, order: Order, action_types: Mapping[str, ActionType], key: Ed25519PrivateKey, hands: Hands
) -> Undone:
    """Take an effect back, or finish what a dead process began of that; one process at a time.

    Args:
        store: The coordinator's store.
        order: Whose effect, who says so, and why.
        action_types: What there is to do, and how it is taken back.
        key: What permits are signed with.
        hands: What it is done with.

    Raises:
        EffectRefused: Nothing proves that it happened, no tool takes it back, it was taken back already, or another
            process takes it back or may still be sending it.
        ConfigurationError: The tool server is not registered, or its tool is not the one that was.
        StoreError: The store cannot be written.
    """
    with alone_taking_back(store, order.action):
        wait_for_sending(store, order.action)
        return _undo(store, order, action_types, key, hands)


def _undo(
    store: Store, order: Order, action_types: Mapping[str, ActionType], key: Ed25519PrivateKey, hands: Hands
) -> Undone:
    with store.begin() as connection:
        effect = proven(connection, order.action, key.public_key())
        action_type = action_types.get(effect.permit.action_type)
        refuse_sending(store, connection, order.action, effect.permit.action_type)
        row = _begun(connection, order.action, key.public_key())
        row = row or _mean(connection, order, effect, action_type, key, hands.clock())
    call(store, row, hands)
    return _told(store, row["undo_id"], "" if action_type is None else action_type.compensation.description)


def _begun(connection: Connection, action: str, key: Ed25519PublicKey) -> Row | None:
    """The taking back that a dead process left unfinished; none where there is none to finish."""
    query = select(table).where(table.c.action == action, table.c.state != OutcomeState.FAILED.value)
    found = connection.execute(query).mappings().one_or_none()
    row = None if found is None else dict(found)
    if row is not None and row["state"] == OutcomeState.DONE:
        raise EffectRefused(
            f"The effect of {action} was taken back already, at {row['settled_at']:%Y-%m-%d %H:%M} UTC."
        )
    if row is not None and row["state"] == OutcomeState.UNKNOWN and row["by_person"]:
        raise EffectRefused(
            f"Whether the effect of {action} was taken back is unknown, and its tool cannot be asked again; needed a "
            f"person who looks: `precede effects settle {row['undo_id']} done|failed --reason …`."
        )
    if row is not None and not _permitted(row, key):
        raise EffectRefused(
            f"{row['undo_id']} says that it takes the effect of {action} back, and has no permit for that from the "
            "coordinator; needed one that `precede undo` began; run `precede ledger verify`."
        )
    return row


def _permitted(row: Row, key: Ed25519PublicKey) -> bool:
    """Whether a row that is there already is what was permitted: it is not believed on its own."""
    try:
        permit = read(SignedPermit(payload=row["permit"], signature=row["signature"]), key)
    except PermitRefused:
        return False
    return (permit.permit_id, permit.action, permit.undoes) == (row["permit_id"], row["undo_id"], row["action"])


def _mean(  # noqa: PLR0913, PLR0917  what a taking back is made of
    connection: Connection,
    order: Order,
    effect: Proven,
    action_type: ActionType | None,
    key: Ed25519PrivateKey,
    now: datetime,
) -> Row:
    """Write down what is about to happen: the row, its permit and the ledger's entry."""
    if action_type is None or action_type.compensation.tool is None:
        how = f" By hand: {action_type.compensation.description}" if action_type else ""
        raise EffectRefused(
            f"No tool takes {effect.permit.action_type} back; needed `compensation` with a `tool` in its file.{how}"
        )
    tool = action_type.compensation.tool
    before = connection.execute(select(func.count()).where(table.c.action == order.action)).scalar_one()
    undo_id = f"undo_{digest([order.action, effect.intent_seq, before])[:12]}"
    values = _values(effect, order.action)
    permit = effect.permit.model_copy(
        update={
            "permit_id": f"permit_{digest([undo_id, now])[:20]}",
            "action": ActionId(undo_id),
            "undoes": order.action,
            "tool_server": tool.server,
            "tool": tool.name,
            "tool_arguments": {name: fill(template, values) for name, template in tool.arguments.items()},
            "effect_key": f"undo:{order.action}",
            "issued_at": now,
            "expires_at": now + LASTS,
        }
    )
    said = {"operator": order.by, "reason": order.reason}
    connection.execute(insert(table).values(**_row(undo_id, order.action, permit, effect, sign(permit, key)), **said))
    entries_effects.undo_intended(connection, undo_id, at=now)
    return dict(connection.execute(select(table).where(table.c.undo_id == undo_id)).mappings().one())


def _values(effect: Proven, action: str) -> dict[tuple[str, str | None], str | int | bool]:
    """What the templates of a compensation may name."""
    own = {"action": action, "effect_key": effect.effect_key, "reference": effect.reference}
    return {(name, None): value for name, value in {**effect.tool_arguments, **own}.items()}


def _row(undo_id: str, action: str, permit: Permit, effect: Proven, signed: SignedPermit) -> Row:
    return {
        "undo_id": undo_id,
        "action": action,
        "permit_id": permit.permit_id,
        "permit": signed.payload,
        "signature": signed.signature,
        "intent_seq": effect.intent_seq,
        "outcome_seq": effect.outcome_seq,
        **pending(permit),
        "intended_at": permit.issued_at,
        "expires_at": permit.expires_at,
    }


def _told(store: Store, undo_id: str, description: str) -> Undone:
    with store.read() as connection:
        row = connection.execute(select(table).where(table.c.undo_id == undo_id)).mappings().one()
    state = OutcomeState(row["state"]) if row["state"] in set(OutcomeState) else OutcomeState.UNKNOWN
    return Undone(undo_id, row["action"], state, row["reference"], row["detail"], description)
