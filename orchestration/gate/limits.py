"""Limits: how often an entity or a contact point may be acted on, whoever asks and whatever it is called today.

An effect counts for every entity that holds one of the records it rested on, so that a merge, a split, an alias or a
second agent changes nothing about the count. A permit that may still be used counts as an effect.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import Connection, and_, exists, func, not_, or_, select

from orchestration.contracts import Reason, SignedPermit, Verdict
from orchestration.gate.known import Ask
from orchestration.gate.permits import unverified
from orchestration.graph.reader import EntityGraph
from orchestration.registry import Limits
from orchestration.store import tables


@dataclass(slots=True)
class Usage:
    """How many effects there were on a business date, and in a batch."""

    entities: Counter[str] = field(default_factory=Counter)
    contacts: Counter[str] = field(default_factory=Counter)
    batch: int = 0

    def over(self, limits: Limits, entities: Iterable[str], contacts: Iterable[str], *, own: int = 0) -> list[Reason]:
        """Every limit that one more effect would break; or this effect, where the count has it as its `own`."""
        reasons = []
        for entity in sorted(set(entities)):
            if (had := self.entities[entity] - own) >= limits.per_entity_per_day:
                detail = f"{entity} had {had} of {limits.per_entity_per_day} effects of the day."
                reasons.append(Reason(code="entity_limit", subject=entity, detail=detail))
        if any(self.contacts[contact] - own >= limits.per_contact_point_per_day for contact in contacts):
            detail = f"The contact point had its {limits.per_contact_point_per_day} effects of the day."
            reasons.append(Reason(code="contact_point_limit", detail=detail))
        if self.batch - own >= limits.per_batch:
            reasons.append(Reason(code="batch_limit", detail=f"The batch had its {limits.per_batch} effects."))
        return reasons

    def count(self, entities: Iterable[str], contacts: Iterable[str]) -> None:
        """Count one more effect of the batch."""
        self.entities.update(set(entities))
        self.contacts.update(set(contacts))
        self.batch += 1

    def discount(self, entities: Iterable[str], contacts: Iterable[str]) -> None:
        """Take an effect of the batch back that will not happen."""
        self.entities.subtract(set(entities))
        self.contacts.subtract(set(contacts))
        self.batch -= 1


@dataclass(slots=True)
class Tally:
    """The usage that the effects of a batch are checked against one by one, counted anew when somebody else wrote."""

    key: tuple[object, ...] = ()
    usage: Usage = field(default_factory=Usage)
    head: int = -1
    """The ledger's last entry that the usage knows of: every decision, effect and outcome has one."""

    def read(self, connection: Connection, graph: EntityGraph | None, ask: Ask, now: datetime) -> Usage:
        """The usage of the day and batch of a proposal."""
        snapshot_id = None if graph is None else graph.snapshot_id
        key, head = (snapshot_id, ask.batch_id, ask.business_date, now), _head(connection)
        if (key, head) != (self.key, self.head):
            self.key, self.head = key, head
            self.usage = load_usage(connection, graph, batch_id=ask.batch_id, business_date=ask.business_date, now=now)
        return self.usage

    def wrote(self, connection: Connection) -> None:
        """What was written to the ledger since is in the usage."""
        self.head = _head(connection)


def _head(connection: Connection) -> int:
    return connection.execute(select(func.max(tables.ledger_entry.c.seq))).scalar_one() or 0


def load_usage(
    connection: Connection, graph: EntityGraph | None, *, batch_id: str, business_date: date, now: datetime
) -> Usage:
    """The effects of a business date that happened or may still, in terms of the graph's entities of today."""
    permit, proposal, outbox = tables.permit, tables.proposal, tables.outbox
    effect = and_(outbox.c.action.is_not(None), outbox.c.state != "failed")
    voided = exists().where(
        tables.decision.c.action == permit.c.action,
        tables.decision.c.decided_at >= permit.c.issued_at,
        tables.decision.c.verdict != Verdict.ALLOW.value,
    )
    open_leave = and_(
        outbox.c.action.is_(None), permit.c.consumed_at.is_(None), permit.c.expires_at > now, not_(voided)
    )
    rows = connection.execute(
        select(permit.c.payload, permit.c.signature, proposal.c.batch_id, tables.evidence.c.entities)
        .join(proposal, proposal.c.action == permit.c.action)
        .join(tables.batch, tables.batch.c.batch_id == proposal.c.batch_id)
        .outerjoin(outbox, outbox.c.permit_id == permit.c.permit_id)
        .outerjoin(tables.evidence, tables.evidence.c.action == permit.c.action)
        .where(tables.batch.c.business_date == business_date, or_(effect, open_leave))
    ).all()
    usage, records = Usage(), [_records(row.entities) for row in rows]
    today = graph.crosswalks(sorted(set().union(*records))) if graph and rows else {}
    for row, rested_on in zip(rows, records, strict=True):
        said = unverified(SignedPermit(payload=row.payload, signature=row.signature))
        now_called = {today[record].entity_id for record in rested_on if record in today}
        usage.entities.update(now_called | set(said.entities))
        usage.contacts.update(set(said.contact_points))
        usage.batch += row.batch_id == batch_id
    return usage


def _records(entities: object) -> set[str]:
    """The records that an effect's entities were made of when it was decided."""
    crosswalk = entities.get("crosswalk", ()) if isinstance(entities, dict) else ()
    return {each["record_id"] for each in crosswalk}
