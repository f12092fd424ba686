"""What the ledger proves of an effect: what was permitted, what was meant, and what became of it.

The ledger alone is read, and none of it is believed that does not hold: each entry must be as it was written, stand
between its neighbours, and commit to its payload; the permit that the decision minted must be signed with the
coordinator's key and be for the very call. So an effect can be taken back when evidence, snapshot and entity are gone,
and nobody who writes to the store can have something taken back that was never permitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from orchestration.contracts import OutcomeState, Permit, SignedPermit
from orchestration.errors import EffectRefused, PermitRefused
from orchestration.gate.permits import covers, read
from orchestration.ledger import kinds
from orchestration.ledger.chain import GENESIS, hashes
from orchestration.ledger.links import Entry, entries, faults


@dataclass(frozen=True, slots=True)
class Proven:
    """An effect as the ledger has it.

    Attributes:
        permit: What it was permitted by.
        tool_server: Where it happened.
        tool: What it happened by.
        tool_arguments: What the tool was called with.
        effect_key: Its key.
        reference: What the system calls the row that was written; empty where it was not said.
        intent_seq: The entry that meant it.
        outcome_seq: The entry that says it is done.
    """

    permit: Permit
    tool_server: str
    tool: str
    tool_arguments: Mapping[str, str | int | bool]
    effect_key: str
    reference: str
    intent_seq: int
    outcome_seq: int


def proven(connection: Connection, action: str, key: Ed25519PublicKey) -> Proven:
    """The effect of an action, where the ledger proves that it was permitted, meant and done.

    Args:
        connection: On the store.
        action: The action's id.
        key: The public half of the key that permits are signed with.

    Raises:
        EffectRefused: It did not happen, may not have, or the ledger does not hold.
    """
    told = list(entries(connection, action))
    intent, outcome = _last(told, kinds.INTENT), _last(told, kinds.OUTCOME)
    if intent is None:
        raise EffectRefused(
            f"{action} never had an effect; needed one that was performed; see `precede trace {action}`."
        )
    if outcome is None:
        raise EffectRefused(f"The effect of {action} is on its way; needed one that is done; wait for `precede run`.")
    _refuse_unsound(connection, intent)
    _refuse_unsound(connection, outcome)
    meant, became = _part(intent, "intent"), _part(outcome, "outcome")
    if became.get("state") != OutcomeState.DONE:
        raise EffectRefused(
            f"The effect of {action} is {became.get('state')}; needed one that is done. What is unknown is settled "
            "first, by its tool in the next `precede run`, or by a person: "
            f"`precede effects settle {action} done|failed --reason …`."
        )
    permit = _permit(connection, told, str(intent.says().get("permit")), key, action)
    call = {name: meant.get(name) for name in ("tool_server", "tool", "effect_key")}
    try:
        covers(
            permit,
            tool_server=str(call["tool_server"]),
            tool=str(call["tool"]),
            arguments=_mapping(meant.get("tool_arguments")),
            effect_key=str(call["effect_key"]),
        )
    except PermitRefused as problem:
        raise _broken(intent, f"it meant something else than was permitted: {problem}") from problem
    return Proven(
        permit=permit,
        tool_server=permit.tool_server,
        tool=permit.tool,
        tool_arguments=dict(permit.tool_arguments),
        effect_key=permit.effect_key,
        reference=str(became.get("reference") or ""),
        intent_seq=int(intent.seq),
        outcome_seq=int(outcome.seq),
    )


def _last(told: list[Entry], kind: str) -> Entry | None:
    return next((entry for entry in reversed(told) if entry.kind == kind), None)


def _permit(connection: Connection, told: list[Entry], permit_id: str, key: Ed25519PublicKey, action: str) -> Permit:
    """The permit that was used, as the decision's entry has it and the key signed it."""
    found = (entry for entry in told if entry.kind == kinds.DECISION and entry.says().get("permit") == permit_id)
    entry = next(found, None)
    if entry is None:
        raise EffectRefused(f"No decision in the ledger minted the permit of {action}; run `precede ledger verify`.")
    _refuse_unsound(connection, entry)
    stated = _part(entry, "permit")
    try:
        permit = read(SignedPermit(payload=str(stated.get("payload")), signature=str(stated.get("signature"))), key)
    except PermitRefused as problem:
        raise _broken(entry, str(problem)) from problem
    if permit.action != action or permit.undoes:
        raise _broken(entry, "its permit is another action's")
    return permit


def _refuse_unsound(connection: Connection, entry: Entry) -> None:
    """Refuse an entry that is not as it was written, or does not stand between its neighbours."""
    if entry.payload is None and entry.says().get("commitment") is not None:
        raise _broken(entry, "what it commits to is gone, as it is when a person was erased")
    for problem in faults(entry):
        raise _broken(entry, problem)
    before = hashes(connection, entry.seq - 1, entry.seq - 1)
    if entry.previous != (before[0] if before else GENESIS):
        raise _broken(entry, "it does not follow the entry before it")
    if (after := next(entries(connection, after=entry.seq), None)) is not None and after.previous != entry.hash:
        raise _broken(entry, "the entry after it does not follow it")


def _broken(entry: Entry, problem: str) -> EffectRefused:
    return EffectRefused(
        f"{entry.name} proves nothing: {problem}; needed an unbroken ledger to take an effect back on; run "
        "`precede ledger verify`."
    )


def _part(entry: Entry, name: str) -> dict[str, Any]:
    return _mapping(entry.covers().get(name))


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
