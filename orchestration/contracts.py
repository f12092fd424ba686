"""Frozen models that cross a line: between the teams and the coordinator, and between it and a tool server.

Nothing here reads, writes or decides. A value that stays inside one module is a dataclass there.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, NewType

from pydantic import BaseModel, ConfigDict, Field

EntityId = NewType("EntityId", str)
RecordId = NewType("RecordId", str)
SnapshotId = NewType("SnapshotId", str)
ActionId = NewType("ActionId", str)
"""A proposal's id; the same through decision, permit, effect and outcome."""

Scalar = str | int | bool | Decimal | date | datetime | None
Arguments = dict[str, str | int | bool]
"""Parameter name to value: an entity id, a record id, a mailbox, or a bounded literal."""


class Contract(BaseModel):
    """A frozen model that refuses what it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


GRAPH_ASSET: Final = "entity_graph"
"""The key of the asset that is the published graph."""


class Pin(Contract):
    """The exact materialisation of an asset that something rests on."""

    asset_key: str
    storage_id: int
    run_id: str
    data_version: str


class TriggerRow(Contract):
    """One row of an agent's trigger: the entity it woke for, and the only columns the agent may see."""

    row_id: str
    entity_id: EntityId
    values: dict[str, str | int | float | bool | None]


class Batch(Contract):
    """What wakes an agent: the trigger rows of one snapshot and business date."""

    batch_id: str
    agent: str
    snapshot_id: SnapshotId
    business_date: date
    rows: tuple[TriggerRow, ...]


class Proposal(Contract):
    """What an agent wishes: one action type, with arguments that refer to the graph, and why."""

    row_id: str
    action_type: str
    arguments: Arguments
    rationale: Annotated[str, Field(max_length=2000)] = ""


class HandoffState(StrEnum):
    """How a step's work on a row ended."""

    PASSED = "passed"
    """Its output is what its model says, and was handed to the next step."""
    DECLINED = "declined"
    """The step found nothing worth proposing, and said why."""
    FAILED = "failed"
    """Nothing valid came out: a person must look."""


class Handoff(Contract):
    """One step's validated output on its way to the next, or the reason why there is none."""

    row_id: str
    step: str
    attempts: int
    state: HandoffState
    output_digest: str = ""
    """SHA-256 of the canonical output; empty where nothing was passed on."""


class ProposalSet(Contract):
    """An agent's answer to a batch: a proposal or a reason for none, for each row."""

    batch_id: str
    agent: str
    proposals: tuple[Proposal, ...]
    declined: dict[str, str] = Field(default_factory=dict)
    """Row id to why nothing is proposed."""
    failed: dict[str, str] = Field(default_factory=dict)
    """Row id to why it was handed to a person."""
    handoffs: tuple[Handoff, ...] = ()
    credential: Annotated[str, Field(max_length=8192, repr=False)] = ""
    """What the agent was given to answer that batch with, as it was given; never to be printed or kept."""


class Reason(Contract):
    """One named objection, or one named ground of an allow."""

    code: str
    """A stable name such as `conflict` or `invoice_paid`."""
    subject: str = ""
    """What it is about: an entity, a record, a system, a policy."""
    detail: str = ""
    """One sentence for a person."""

    def __str__(self) -> str:
        return f"{self.code}:{self.subject}" if self.subject else self.code


class Verdict(StrEnum):
    """How a decision ends."""

    ALLOW = "allow"
    REVIEW = "review"
    DENY = "deny"


class Permit(Contract):
    """One agent's leave to have one effect once. See invariant 2 of the architecture."""

    permit_id: str
    action: ActionId
    agent: str
    action_type: str
    tool_server: str
    tool: str
    tool_arguments: dict[str, str | int | bool]
    """Exactly what the tool is called with; the tool refuses any other."""
    effect_key: str
    entities: tuple[EntityId, ...]
    facts: tuple[RecordId, ...]
    contact_points: tuple[str, ...]
    read_set_digest: str
    snapshot_id: SnapshotId
    issued_at: datetime
    expires_at: datetime
    undoes: str = ""
    """The action whose effect it takes back, on the strength of the ledger and an operator; empty of every other."""


class SignedPermit(Contract):
    """A permit in RFC 8785 canonical JSON with its Ed25519 signature, both base64."""

    payload: str
    signature: str


class Decision(Contract):
    """What the gate said of a proposal, with every reason and what it rested on."""

    action: ActionId
    verdict: Verdict
    reasons: tuple[Reason, ...]
    policies: tuple[str, ...]
    """Names of the policies that decided."""
    policy_digest: str
    read_set: dict[str, Any]
    read_set_digest: str
    snapshot_id: SnapshotId | None
    decided_at: datetime
    permit: Permit | None = None
    policy_request: dict[str, Any] | None = None
    """What policy was asked, and what spoke against it beside policy; none where policy could not be asked."""


class OutcomeState(StrEnum):
    """What really happened to an effect."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ToolResult(Contract):
    """A tool server's answer to a call that carried a permit."""

    state: OutcomeState
    reference: str = ""
    """What the system calls the row that was written."""
    detail: str = ""
    repeated: bool = False
    """The effect was there already: nothing was written again."""
