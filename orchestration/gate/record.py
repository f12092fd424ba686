"""Writing a decision down: its row, its evidence, its permit and its ledger entry, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, delete, insert, select

from orchestration.canonical import digest, plain
from orchestration.contracts import Pin
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


def record(connection: Connection, answer: Answer, store: StoreFacts, key: Ed25519PrivateKey) -> int:
    """Write a decision down.

    Args:
        connection: Inside `Store.begin()`.
        answer: What was decided.
        store: What it was decided on, for the pins of its evidence.
        key: What permits are signed with.

    Returns:
        The number of its ledger entry.
    """
    decision, permit = answer.decision, answer.decision.permit
    row = connection.execute(
        insert(tables.decision).values(
            action=decision.action,
            verdict=decision.verdict.value,
            reasons=[reason.model_dump() for reason in decision.reasons],
            policies=list(decision.policies),
            policy_digest=decision.policy_digest,
            read_set_digest=decision.read_set_digest,
            snapshot_id=decision.snapshot_id,
            decided_at=decision.decided_at,
            transient=answer.transient,
            request_digest="" if decision.policy_request is None else digest(decision.policy_request),
        )
    )
    if answer.case is not None:
        connection.execute(delete(tables.evidence).where(tables.evidence.c.action == decision.action))
        kept = {"action": decision.action, "kept_at": decision.decided_at, "read_set": decision.read_set}
        kept["policy_request"] = decision.policy_request
        connection.execute(insert(tables.evidence).values(**kept, **_evidence(answer.case, store)))
    if permit is None:
        keep.refused(connection, decision.action)
    else:
        signed = sign(permit, key)
        connection.execute(
            insert(tables.permit).values(
                permit_id=permit.permit_id,
                action=permit.action,
                agent=permit.agent,
                payload=signed.payload,
                signature=signed.signature,
                read_set_digest=permit.read_set_digest,
                issued_at=permit.issued_at,
                expires_at=permit.expires_at,
            )
        )
        keep.minted(connection, permit, _counted(answer))
    (decision_id,) = row.inserted_primary_key or (0,)
    permit_id = permit.permit_id if permit else None
    return entries.decided(connection, decision_id, at=decision.decided_at, permit_id=permit_id)


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


def _evidence(case: Case, store: StoreFacts) -> dict[str, Any]:
    """What a decision rested on, as JSON: enough to walk from the effect to source rows without the snapshot."""
    entities, facts, graph = case.found.entities, case.found.facts, case.graph
    ids = sorted({entity.entity_id for entity in entities.values()})
    crosswalk = [record for entity in ids for record in graph.records.get(entity, ())]
    stated = [contact for each in case.found.contacts.values() for contact in each]
    records = {*case.ask.named, *(record.record_id for record in crosswalk)}
    records |= {fact.record_id for fact in facts.values()}
    records |= {record for each in case.found.relationships.values() for record in each}
    records |= {contact.record_id for contact in stated}
    return {
        "entities": plain(
            {
                "entities": [graph.entities[entity] for entity in ids],
                "golden": {entity: _golden(case, entity) for entity in ids},
                "crosswalk": crosswalk,
                "contact_points": stated,
                "facts": list(facts.values()),
            }
        ),
        "source_rows": _source_rows(case, records),
        "materialisations": [
            pin.model_dump() for pin in (store.pin, *map(_pin, graph.snapshot.inputs)) if pin is not None
        ],
    }


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
        plain(
            {
                "record_id": row.record_id,
                "system": row.system,
                "source_table": row.source_table,
                "source_key": row.source_key,
                "row_hash": row.row_hash,
                "row": row.row,
                "supports": supports.get(row.record_id, []),
            }
        )
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
