"""What each kind of entry commits to, as functions of store rows: told once when recorded, told again when verified.

A row's later columns (when a snapshot expired, that a batch was answered) stand in no entry: they say nothing
about what was decided or done. Rows are mappings of column to value, as the tables return them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from orchestration.canonical import digest

Row = Mapping[str, Any]
Committed = dict[str, Any]

_SNAPSHOT: Final = ("snapshot_id", "path", "run_id", "built_at", "published_at", "checks")
_BATCH: Final = ("batch_id", "agent", "snapshot_id", "business_date", "created_at", "row_count")
_TRIGGER_ROW: Final = ("row_id", "batch_id", "entity_id", "digest", "values")
_PROPOSAL: Final = (
    "action",
    "batch_id",
    "row_id",
    "agent",
    "action_type",
    "entity_id",
    "arguments",
    "rationale",
    "proposed_at",
    "digest",
)
_DECISION: Final = (
    "decision_id",
    "action",
    "verdict",
    "reasons",
    "policies",
    "policy_digest",
    "read_set_digest",
    "snapshot_id",
    "decided_at",
    "transient",
)
_EVIDENCE: Final = ("action", "read_set", "entities", "source_rows", "materialisations", "kept_at")
_PERMIT: Final = (
    "permit_id",
    "action",
    "agent",
    "payload",
    "signature",
    "read_set_digest",
    "issued_at",
    "expires_at",
)
_USE: Final = (
    "permit_id",
    "action",
    "agent",
    "action_type",
    "batch_id",
    "business_date",
    "expires_at",
    "amount",
    "currency",
)
INTENT: Final = (
    "action",
    "permit_id",
    "effect_key",
    "tool_server",
    "tool",
    "tool_arguments",
    "intended_at",
)
_OUTCOME: Final = ("action", "state", "reference", "detail", "settled_at")
_JUDGEMENT: Final = (
    "number",
    "judgement_id",
    "entity_type",
    "record_a",
    "record_b",
    "verdict",
    "reviewer",
    "note",
    "at",
    "snapshot_id",
)
_HELD: Final = (
    "action",
    "agent",
    "decision_id",
    "state",
    "reasons",
    "tool_call",
    "proposal_digest",
    "read_set_digest",
    "policy_digest",
    "call_digest",
    "records",
    "held_at",
    "changed_at",
)
_SHOWING: Final = ("showing_id", "action", "decision_id", "person", "at")
_APPROVAL: Final = (
    "approval_id",
    "action",
    "decision_id",
    "showing_id",
    "verdict",
    "person",
    "note",
    "edited_into",
    "proposal_digest",
    "read_set_digest",
    "policy_digest",
    "call_digest",
    "at",
    "expires_at",
)
_STOP: Final = ("number", "scope", "name", "reason", "operator", "at")
_CREDENTIAL: Final = ("credential_id", "agent", "batch_id", "scopes", "issued_at", "expires_at")
_SETTLEMENT: Final = (
    "number",
    "judgement_id",
    "entity_type",
    "record_id",
    "field",
    "value",
    "until",
    "reviewer",
    "note",
    "at",
    "snapshot_id",
)

_OBJECTION: Final = ("objection_id", "kind", "said", "operator", "reason", "at", "subjects")
_WITHDRAWAL: Final = ("objection_id", "withdrawn_at", "withdrawn_by", "withdrawn_reason")

_ERASURE: Final = ("erasure_id", "entity_id", "operator", "reason", "at", "counts")


def of_erasure(erasure: Row) -> Committed:
    """Who erased somebody, why, and how much there was; who that was, nothing tells any more."""
    return _only(_ERASURE, erasure)


def of_objection(objection: Row) -> Committed:
    """Who objects, by what they are known, and who recorded it."""
    return _only(_OBJECTION, objection)


def of_withdrawal(objection: Row) -> Committed:
    """That an objection was taken back."""
    return _only(_WITHDRAWAL, objection)


def of_credential(credential: Row) -> Committed:
    """What an agent was given to answer a batch with; never the token."""
    return _only(_CREDENTIAL, credential)


def of_snapshot(snapshot: Row) -> Committed:
    """A published snapshot and the checks that it passed."""
    return _only(_SNAPSHOT, snapshot)


def of_batch(batch: Row, trigger_rows: Iterable[Row], digest: Callable[[Committed], str] = digest) -> Committed:
    """A wake of an agent, with a digest of each row that it was shown, taken as the rows were read."""
    return {
        **_only(_BATCH, batch),
        **({"revises": batch["revises"]} if batch.get("revises") else {}),
        "rows": {row["row_id"]: digest(of_trigger_row(row)) for row in trigger_rows},
    }


def of_decision(decision: Row) -> Committed:
    """What the gate said; with a digest of what policy was asked, where it was, which older decisions do not tell."""
    asked = {"request_digest": decision["request_digest"]} if decision.get("request_digest") else {}
    return {**_only(_DECISION, decision), **asked}


def of_proposal(proposal: Row) -> Committed:
    """What was asked of it; with who wrote it in the place of which other, where a person did."""
    edited = {name: proposal[name] for name in ("edited_from", "edited_by") if proposal.get(name) is not None}
    return {**_only(_PROPOSAL, proposal), **edited}


def of_held(held: Row) -> Committed:
    """What the queue says of a proposal that policy sent to a person."""
    return _only(_HELD, held)


def of_showing(showing: Row) -> Committed:
    """Who was shown what is held and when, with a digest of it: what it was stands in the store alone."""
    return {**_only(_SHOWING, showing), "shown": digest(showing["shown"])}


def of_approval(approval: Row) -> Committed:
    """What somebody said of what is held, and what that is bound to."""
    return _only(_APPROVAL, approval)


def of_evidence(evidence: Row) -> str:
    """A digest of what the answer rested on: the evidence itself is large, and stands in the store alone."""
    asked = evidence.get("policy_request")
    return digest({**_only(_EVIDENCE, evidence), **({} if asked is None else {"policy_request": asked})})


def of_permit(permit: Row) -> Committed:
    """A permit as it was signed."""
    return _only(_PERMIT, permit)


def of_use(use: Row, subjects: Iterable[str]) -> Committed:
    """What limits count a permit by, with a digest of what its effect is on."""
    return {**_only(_USE, use), "subjects": of_subjects(subjects)}


def of_subjects(subjects: Iterable[str]) -> str:
    """A digest of what an effect is on."""
    return hashlib.sha256("\n".join(sorted(subjects)).encode()).hexdigest()


def of_policies(policies: Row) -> str:
    """What a set of policies is called: a digest of the policies, and of what they may speak of."""
    return digest({"schema": policies["schema"], "policies": policies["policies"]})


def of_intent(outbox: Row, consumed_at: object) -> Committed:
    """An effect as it was meant, and when its permit was used up for it."""
    return {**_only(INTENT, outbox), "consumed_at": consumed_at}


def of_outcome(outbox: Row) -> Committed:
    """What became of an effect."""
    return _only(_OUTCOME, outbox)


def of_judgement(judgement: Row) -> Committed:
    """What somebody said of a pair, with a digest of what they were shown: that stands in the store alone."""
    return {**_only(_JUDGEMENT, judgement), "shown": digest(judgement["shown"])}


def of_stop(stop: Row) -> Committed:
    """A stop: of what, since when, who says so and why, with a digest of everything that it halted."""
    return {**_only(_STOP, stop), "halted": digest(stop["halted"])}


def of_settlement(settlement: Row) -> Committed:
    """Which value somebody said is right, with a digest of what they were shown."""
    return {**_only(_SETTLEMENT, settlement), "shown": digest(settlement["shown"])}


def of_trigger_row(row: Row) -> Committed:
    """What an agent was shown; with what a person wrote of its proposal before, where one was rejected."""
    said = {name: row[name] for name in ("note", "revision")} if row.get("revision") or row.get("note") else {}
    return {**_only(_TRIGGER_ROW, row), **said}


def _only(columns: tuple[str, ...], row: Row) -> Committed:
    return {column: row[column] for column in columns}
