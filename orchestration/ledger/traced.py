"""One action from its effect back to source rows, as values: what `trace` finds. Nothing here reads a store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from orchestration.contracts import Contract, Pin, Reason


class PermitTrace(Contract):
    """The permit that an effect used."""

    permit: str
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None


class ApprovalTrace(Contract):
    """What a person said of the action, as they were shown it."""

    approval: str
    verdict: str
    """approve, edit or reject."""
    person: str
    note: str
    edited_into: str | None
    """The action that took this one's place, where they edited it."""
    at: datetime
    shown_at: datetime | None
    """None where what they were shown is not kept any more."""
    expires_at: datetime | None
    consumed_at: datetime | None
    """When it was used up for the effect."""
    voided_at: datetime | None
    void_code: str | None


class OutcomeTrace(Contract):
    """What became of the effect."""

    state: str
    """pending, sending, done, failed or unknown."""
    effect_key: str
    tool: str
    """`server/tool`."""
    tool_arguments: dict[str, Any]
    reference: str
    """What the system calls the row that was written."""
    detail: str
    attempts: int
    intended_at: datetime
    settled_at: datetime | None
    confirmed_record: str | None
    """The source row in which insight read the effect back."""


class UndoTrace(Contract):
    """The taking back of the effect."""

    undo: str
    state: str
    """As of an outcome."""
    tool: str
    reference: str
    detail: str
    intended_at: datetime
    settled_at: datetime | None
    confirmed_record: str | None
    by: str
    """Who says so; `[erased]` where that is somebody who was erased."""
    reason: str
    """Why, likewise."""


class EntryTrace(Contract):
    """One ledger entry about the action."""

    seq: int
    kind: str
    at: datetime
    sound: bool
    """Whether the entry and its payload are as they were written."""


class Trace(Contract):
    """One action, from its effect back to source rows."""

    action: str
    agent: str
    action_type: str
    entity: str
    arguments: dict[str, Any]
    rationale: str
    proposed_at: datetime
    edited_from: str | None = None
    """The agent's own action whose place this one took, where a person edited it."""
    edited_by: str | None = None
    batch: str
    business_date: str
    decision: str | None
    """allow, review or deny; none while the gate has not answered."""
    decided_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    policies: tuple[str, ...] = ()
    read_set: dict[str, Any] = Field(default_factory=dict)
    permit: str | None = None
    permit_detail: PermitTrace | None = None
    approvals: tuple[ApprovalTrace, ...] = ()
    """What people said of it, oldest first."""
    outcome: str | None = None
    """What became of the effect; none where none was tried."""
    outcome_detail: OutcomeTrace | None = None
    undos: tuple[UndoTrace, ...] = ()
    """Its taking back; a second one where the first is known not to have happened."""
    tainted: tuple[str, ...] = ()
    """How an entity of it is another by now: split, merged, judged, retired."""
    snapshot: str
    """The snapshot that was decided on, or that woke the agent while nothing is decided."""
    materialisations: tuple[Pin, ...] = ()
    """Of the snapshot, of what it was built from, and of the batch's own effects once it is closed."""
    entities: Any = None
    """Entity rows, golden records and crosswalk rows, as they were then."""
    source_rows: tuple[dict[str, Any], ...] = ()
    """As they were then: record_id, system, source_table, source_key, row_hash, row, and the records that it supports,
    which it completes beside the row that they come from."""
    evidence_removed_at: datetime | None = None
    """When what it rested on was removed, where its time was over; the ledger keeps the digest."""
    ledger: tuple[EntryTrace, ...] = ()
    problems: tuple[str, ...] = ()
    """Where the store's rows about this action are not what the ledger recorded."""
