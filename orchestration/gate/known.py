"""What the gate decides on, as values: nothing here reads a graph or a store.

`GraphFacts` is a slice of one immutable snapshot, loaded for a whole batch at once; `StoreFacts` is what stands beside
the pointer and may change at any moment, so it is read again inside the transaction that has the effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from orchestration.contracts import ActionId, Arguments, EntityId, Pin, Reason, RecordId, Scalar, SnapshotId
from orchestration.gate.doubts import Doubt
from orchestration.gate.stops import Stopped
from orchestration.graph.current import Watermark
from orchestration.graph.rows import Contact, Crosswalk, Entity, Fact, GoldenValue, Snapshot, SourceRow, SourceText

NO_GRAPH: Final = Reason(code="no_graph", detail="No graph has been published.")


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """What one snapshot says of everything that a batch of proposals refers to; what is missing was not found."""

    snapshot: Snapshot
    entities: Mapping[str, Entity] = field(default_factory=dict)
    """Also the entities that share a contact point that is referred to."""
    goldens: Mapping[str, Mapping[str, GoldenValue]] = field(default_factory=dict)
    facts: Mapping[tuple[str, str], Fact] = field(default_factory=dict)
    """By kind of fact and record id."""
    relationships: Mapping[tuple[str, str, str], tuple[RecordId, ...]] = field(default_factory=dict)
    """Kind, from and to, to the records that say so."""
    contacts: Mapping[tuple[str, str], tuple[Contact, ...]] = field(default_factory=dict)
    """Channel and value to every record of any entity that states it."""
    conflicts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entity to the fields on which its records disagree."""
    doubts: Mapping[str, tuple[Doubt, ...]] = field(default_factory=dict)
    """Entity to its open review pairs; also of others who have a contact point, and of whom a fact alone names."""
    records: Mapping[str, tuple[Crosswalk, ...]] = field(default_factory=dict)
    """Entity to its records."""
    source_rows: Mapping[str, SourceRow | SourceText] = field(default_factory=dict)
    """Record id to the source row it comes from; also the ids of rows that complete records."""
    support: Mapping[str, tuple[RecordId, ...]] = field(default_factory=dict)
    """Record id to the source rows that complete it beside its own, such as the line of an invoice."""
    countries: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Entity to every country that a record of it states, where somebody accountable asserts it."""
    stated: Mapping[str, Mapping[str, Scalar]] = field(default_factory=dict)
    """Record id to what the record itself states, of records that are referred to."""
    texts: dict[tuple[object, ...], str] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What was written down of it as JSON already, by what it says: many decisions keep the same of it."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """What the store says now of the current snapshot and the sources."""

    snapshot_id: SnapshotId | None
    """The current snapshot; none where nothing has been published."""
    path: str = ""
    """Its file, relative to `PRECEDE_HOME`."""
    file_digest: str = ""
    """The SHA-256 of that file as it was published."""
    checks: Mapping[str, str] = field(default_factory=dict)
    pin: Pin | None = None
    watermarks: Mapping[tuple[str, str], Watermark] = field(default_factory=dict)
    """System and source table to its last read."""
    stopped: Stopped = field(default_factory=Stopped)
    """What has been stopped, and why."""
    objections: frozenset[str] = frozenset()
    """Digests of the entities, records and contact points of which an objection stands."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is known now of the credential that an answer came with; what is not known speaks against it."""

    scopes: frozenset[str] = frozenset()
    """What it was minted for, such as `propose:send_payment_reminder`."""
    expired: bool = True
    """Whether its time was over when the answer was taken in."""
    revoked: bool = True
    """Whether somebody has taken it back since."""


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's consent as the store has it, neither used up nor void; what it is bound to is said in `approval`."""

    approval_id: str
    proposal_digest: str
    read_set_digest: str
    policy_digest: str
    call_digest: str
    records: Mapping[str, frozenset[str]]
    """Entity to the records that it had."""
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """A proposal as the store holds it, with the trigger row it answers."""

    action: ActionId
    batch_id: str
    agent: str
    action_type: str
    arguments: Arguments
    woken_entity: EntityId
    trigger_values: Mapping[str, Scalar | float]
    business_date: date
    newer: date | None = None
    """The newest business date that the agent was woken for since, with rows to answer; none where it was not."""
    credential: Credential | None = None
    """The credential that its answer came with; none where it came with none."""
    approval: Approval | None = None
    """A person's consent to it; none where there is none."""

    @property
    def named(self) -> frozenset[str]:
        """The texts of the trigger row: what names a record there is one that the agent was shown."""
        return frozenset(value for value in self.trigger_values.values() if isinstance(value, str))
