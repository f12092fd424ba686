"""Writing decisions down: rows, evidence, permits and ledger entries, in the caller's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select

from orchestration.approval import queue
from orchestration.canonical import canonical
from orchestration.contracts import Permit, Pin
from orchestration.gate.decide import Answer
from orchestration.gate.evidence import evidence
from orchestration.gate.known import StoreFacts
from orchestration.gate.limits import keep
from orchestration.gate.limits.touch import Touch
from orchestration.gate.permits import sign
from orchestration.gate.policy import AgentPolicies
from orchestration.gate.resolve import Case
from orchestration.graph.rows import SnapshotInput
from orchestration.ledger import entries_decisions, pins
from orchestration.ledger.kept import digest_of, stored
from orchestration.store import tables
from orchestration.store.written import Written, written

_DECISIONS: Final = insert(tables.decision).returning(tables.decision.c.decision_id, sort_by_parameter_order=True)
_EVIDENCE: Final = insert(tables.evidence)
_PERMITS: Final = insert(tables.permit)


def record(
    connection: Connection, answers: Sequence[Answer], store: StoreFacts, key: Ed25519PrivateKey, now: datetime
) -> None:
    """Write decisions down, which were made together.

    Args:
        connection: Inside `Store.begin()`.
        answers: What was decided; at most some hundred, each of another action.
        store: What it was decided on, for the pins of the evidence.
        key: What permits are signed with.
        now: When it was decided.
    """
    if not answers:
        return
    staying = queue.staying(answers)
    asked = [_asked(answer) for answer in answers]
    decisions = [_decision(answer, staying, text) for answer, text in zip(answers, asked, strict=True)]
    decision_ids = connection.execute(_DECISIONS, decisions).scalars().all()
    queue.decided(connection, list(zip(decision_ids, answers, strict=True)), now)
    cases = [(answer, answer.case, text) for answer, text in zip(answers, asked, strict=True) if answer.case]
    pinned = Written(written(pins.keep(connection, _pins(cases[0][1], store)))) if cases else Written("[]")
    kept = [_kept(answer, case, text, pinned) for answer, case, text in cases]
    if kept:
        connection.execute(
            delete(tables.evidence).where(tables.evidence.c.action.in_([each["action"] for each in kept]))
        )
        connection.execute(_EVIDENCE, kept)
    minted = [(answer.decision.permit, _counted(answer)) for answer in answers if answer.decision.permit is not None]
    signed = [_permit(permit, key) for permit, _ in minted]
    if signed:
        connection.execute(_PERMITS, signed)
    counted = keep.minted(connection, minted)
    keep.refused(connection, [answer.decision.action for answer in answers if answer.decision.permit is None])
    ids = [None if answer.decision.permit is None else answer.decision.permit.permit_id for answer in answers]
    rows = entries_decisions.Rows(
        decisions={one: {"decision_id": one, **row} for one, row in zip(decision_ids, decisions, strict=True)},
        evidence=_digests(connection, answers, kept),
        permits={each["permit_id"]: each for each in signed},
        uses=counted,
    )
    entries_decisions.all_decided(connection, dict(zip(decision_ids, ids, strict=True)), rows, at=now)


def _asked(answer: Answer) -> bytes | None:
    """What policy was asked, in the form that its digest is taken of; none where it was not."""
    asked = answer.decision.policy_request
    return None if asked is None else canonical(asked)


def _decision(answer: Answer, staying: AbstractSet[str], asked: bytes | None) -> dict[str, Any]:
    decision = answer.decision
    return {
        "action": decision.action,
        "verdict": decision.verdict.value,
        "reasons": [reason.model_dump() for reason in decision.reasons],
        "policies": list(decision.policies),
        "policy_digest": decision.policy_digest,
        "read_set_digest": decision.read_set_digest,
        "snapshot_id": decision.snapshot_id,
        "decided_at": decision.decided_at,
        "transient": answer.transient and decision.action not in staying,  # what stays approved waits by itself
        "request_digest": "" if asked is None else hashlib.sha256(asked).hexdigest(),
    }


def _kept(answer: Answer, case: Case, asked: bytes | None, pinned: Written) -> dict[str, Any]:
    decision = answer.decision
    return {
        "action": decision.action,
        "kept_at": decision.decided_at,
        "read_set": Written(written(decision.read_set)),
        "policy_request": None if asked is None else Written(asked.decode()),
        **evidence(case),
        "materialisations": pinned,
    }


def _digests(connection: Connection, answers: Iterable[Answer], kept: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Action to the digest of its evidence: of what is kept now, or of what was kept before."""
    digests = {each["action"]: digest_of(each) for each in kept}
    before = {answer.decision.action for answer in answers} - digests.keys()
    return digests | dict(stored(connection, before)) if before else digests


def _permit(permit: Permit, key: Ed25519PrivateKey) -> dict[str, Any]:
    signed = sign(permit, key)
    return {
        "permit_id": permit.permit_id,
        "action": permit.action,
        "agent": permit.agent,
        "payload": signed.payload,
        "signature": signed.signature,
        "read_set_digest": permit.read_set_digest,
        "issued_at": permit.issued_at,
        "expires_at": permit.expires_at,
    }


def keep_policies(
    connection: Connection, policies: Mapping[str, AgentPolicies], answers: Iterable[Answer], now: datetime
) -> None:
    """Keep the policies that were asked, once for each set, so that each decision can be replayed."""
    asked = {answer.ask.agent for answer in answers if answer.decision.policy_request is not None}
    sets, kept = {policies[agent].digest: policies[agent] for agent in asked}, tables.policy_set
    had = set(connection.execute(select(kept.c.digest).where(kept.c.digest.in_(sorted(sets)))).scalars())
    for name in sorted(sets.keys() - had):
        one = sets[name]
        values = {"digest": name, "agent": one.agent, "schema": one.schema_text, "policies": dict(one.whole.named)}
        connection.execute(insert(kept).values(**values, first_used_at=now))


def _counted(answer: Answer) -> Touch:
    if answer.touch is None:
        raise ValueError("a permit was minted for an effect that nothing counts")
    return answer.touch


def _pins(case: Case, store: StoreFacts) -> list[Pin]:
    """The materialisations of the snapshot, which is one for all that is decided together, and of its inputs."""
    return [pin for pin in (store.pin, *map(_pin, case.graph.snapshot.inputs)) if pin is not None]


def _pin(pinned: SnapshotInput) -> Pin | None:
    if pinned.storage_id is None or not pinned.run_id:
        return None
    return Pin(
        asset_key=pinned.asset_key,
        storage_id=pinned.storage_id,
        run_id=pinned.run_id,
        data_version=pinned.data_version,
    )
