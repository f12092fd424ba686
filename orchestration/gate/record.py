"""Writing decisions down: rows, evidence, permits and ledger entries, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select

from orchestration.canonical import digest
from orchestration.contracts import Permit, Pin
from orchestration.gate.decide import Answer
from orchestration.gate.known import StoreFacts
from orchestration.gate.limits import keep
from orchestration.gate.limits.touch import Touch
from orchestration.gate.permits import sign
from orchestration.gate.policy import AgentPolicies
from orchestration.gate.resolve import Case
from orchestration.graph.rows import SnapshotInput
from orchestration.ledger import entries
from orchestration.store import tables


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
    written = insert(tables.decision).returning(tables.decision.c.decision_id, sort_by_parameter_order=True)
    decision_ids = connection.execute(written, [_decision(answer) for answer in answers]).scalars().all()
    cases = [(answer, answer.case) for answer in answers if answer.case is not None]
    pins = _pins(cases[0][1], store) if cases else []
    kept = [_kept(answer, case, pins) for answer, case in cases]
    if kept:
        connection.execute(
            delete(tables.evidence).where(tables.evidence.c.action.in_([each["action"] for each in kept]))
        )
        connection.execute(insert(tables.evidence), kept)
    minted = [(answer.decision.permit, _counted(answer)) for answer in answers if answer.decision.permit is not None]
    if minted:
        connection.execute(insert(tables.permit), [_permit(permit, key) for permit, _ in minted])
    keep.minted(connection, minted)
    keep.refused(connection, [answer.decision.action for answer in answers if answer.decision.permit is None])
    ids = [None if answer.decision.permit is None else answer.decision.permit.permit_id for answer in answers]
    entries.all_decided(connection, dict(zip(decision_ids, ids, strict=True)), at=now)


def _decision(answer: Answer) -> dict[str, Any]:
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
        "transient": answer.transient,
        "request_digest": "" if decision.policy_request is None else digest(decision.policy_request),
    }


def _kept(answer: Answer, case: Case, pins: list[Any]) -> dict[str, Any]:
    decision = answer.decision
    kept = {"action": decision.action, "kept_at": decision.decided_at, "read_set": decision.read_set}
    return {**kept, "policy_request": decision.policy_request, **_evidence(case), "materialisations": pins}


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


def _evidence(case: Case) -> dict[str, Any]:
    """What a decision rested on, for JSON: enough to walk from the effect to source rows without the snapshot."""
    entities, facts, graph = case.found.entities, case.found.facts, case.graph
    ids = sorted({entity.entity_id for entity in entities.values()})
    crosswalk = [record for entity in ids for record in graph.records.get(entity, ())]
    stated = [contact for each in case.found.contacts.values() for contact in each]
    records = {*case.ask.named, *(record.record_id for record in crosswalk)}
    records |= {fact.record_id for fact in facts.values()}
    records |= {record for each in case.found.relationships.values() for record in each}
    records |= {contact.record_id for contact in stated}
    return {
        "entities": {
            "entities": [graph.entities[entity] for entity in ids],
            "golden": {entity: _golden(case, entity) for entity in ids},
            "crosswalk": crosswalk,
            "contact_points": stated,
            "facts": list(facts.values()),
        },
        "source_rows": _source_rows(case, records),
    }


def _pins(case: Case, store: StoreFacts) -> list[Any]:
    """The materialisations of the snapshot, which is one for all that is decided together, and of its inputs."""
    return [pin.model_dump() for pin in (store.pin, *map(_pin, case.graph.snapshot.inputs)) if pin is not None]


def _source_rows(case: Case, records: Iterable[str]) -> list[Any]:
    """The rows that those records come from and the rows that complete them, each once, with what it `supports`."""
    graph = case.graph
    supports: dict[str, list[str]] = {}
    for record in sorted(records):
        for supporting in graph.support.get(record, ()):
            supports.setdefault(supporting, []).append(record)
    wanted = sorted({*records, *supports})
    rows = {row.record_id: row for name in wanted if (row := graph.source_rows.get(name))}
    return [
        {
            "record_id": row.record_id,
            "system": row.system,
            "source_table": row.source_table,
            "source_key": row.source_key,
            "row_hash": row.row_hash,
            "row": row.row,
            "supports": supports.get(row.record_id, []),
        }
        for row in rows.values()
    ]


def _golden(case: Case, entity: str) -> Mapping[str, Any]:
    golden = case.graph.goldens.get(entity, {})
    return {name: {"value": each.value, "record": each.record_id} for name, each in golden.items()}


def _pin(pinned: SnapshotInput) -> Pin | None:
    if pinned.storage_id is None or not pinned.run_id:
        return None
    return Pin(
        asset_key=pinned.asset_key,
        storage_id=pinned.storage_id,
        run_id=pinned.run_id,
        data_version=pinned.data_version,
    )
