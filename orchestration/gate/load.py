"""Reading what the gate decides on: one query for each relation, whatever the number of proposals.

What the values mean to a decision is said in `resolve` and `standing`; this module only fetches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Self

from sqlalchemy import Connection, and_, func, select

from orchestration.action_types import ActionType
from orchestration.approval.standing import approvals
from orchestration.contracts import ActionId, EntityId, Pin, SnapshotId
from orchestration.erasure.objections import standing_subjects
from orchestration.gate.known import Ask, Credential, GraphFacts, StoreFacts
from orchestration.gate.load_doubts import load_doubts
from orchestration.gate.stopping import stopped
from orchestration.graph.current import watermarks
from orchestration.graph.reader import EntityGraph
from orchestration.graph.rows import Contact, Crosswalk, Fact
from orchestration.identity import credentials
from orchestration.store import tables

_RELATIONSHIPS: Final = """
    SELECT from_entity, to_entity, kind, list(record_id ORDER BY record_id) AS records FROM relationship
    WHERE from_entity IN (SELECT unnest($ids)) AND to_entity IN (SELECT unnest($ids)) GROUP BY ALL
"""
_CONTACTS: Final = """
    SELECT entity_id, channel, value, record_id, asserted_by FROM contact_point
    WHERE value IN (SELECT unnest(?)) ORDER BY ALL
"""
_CONFLICTS: Final = "SELECT DISTINCT entity_id, field FROM conflict WHERE entity_id IN (SELECT unnest(?))"
_COUNTRIES: Final = """
    SELECT entity_id, list(DISTINCT country) AS countries FROM crosswalk JOIN (
        SELECT record_id, country, weak_fields FROM organisation_record
        UNION ALL
        SELECT record_id, country, weak_fields FROM person_record
    ) USING (record_id)
    WHERE entity_id IN (SELECT unnest(?)) AND country IS NOT NULL
        AND NOT coalesce(list_contains(weak_fields, 'country'), true)
    GROUP BY entity_id
"""
_RECORDS: Final = "SELECT * FROM crosswalk WHERE entity_id IN (SELECT unnest(?)) ORDER BY record_id"
_PROPOSAL: Final = tables.proposal
_ROW: Final = tables.trigger_row
_ASKED: Final = (
    *(_PROPOSAL.c[name] for name in ("action", "batch_id", "agent", "action_type", "arguments")),
    *(_ROW.c.entity_id, _ROW.c["values"], tables.batch.c.business_date),
)


@dataclass(slots=True)
class References:
    """Everything that some proposals refer to."""

    entities: set[str] = field(default_factory=set)
    facts: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Kind of fact to record ids."""
    contacts: set[str] = field(default_factory=set)
    records: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Type of record to record ids."""
    shown: set[str] = field(default_factory=set)
    """Texts of trigger rows, some of which may be ids of records."""

    @classmethod
    def of(cls, asks: Iterable[Ask], action_types: Mapping[str, ActionType]) -> Self:
        """What those proposals refer to; a value of the wrong type refers to nothing."""
        found = cls()
        for ask in asks:
            if ask.action_type in action_types:
                found.add(action_types[ask.action_type], ask)
                found.shown |= ask.named
        return found

    def add(self, action_type: ActionType, ask: Ask) -> None:
        """Add what one proposal refers to."""
        given = {name: value for name, value in ask.arguments.items() if isinstance(value, str)}
        self.entities |= {given[name] for name in action_type.entities if name in given}
        for name, fact in action_type.facts.items():
            if name in given:
                self.facts[fact.type].add(given[name])
        for name, record in action_type.records.items():
            if name in given:
                self.records[action_type.entities[record.of].type].add(given[name])
        self.contacts |= {given[name] for name in action_type.contact_points if name in given}


def load_graph(graph: EntityGraph, wanted: References, *, evidence: bool = True) -> GraphFacts:
    """What a snapshot says of those references; without evidence, no source row behind it."""
    contacts = _contacts(graph, wanted.contacts)
    holders = {contact.entity_id for each in contacts.values() for contact in each}
    ids = sorted(wanted.entities)
    facts = {
        (kind, record_id): fact
        for kind, record_ids in wanted.facts.items()
        for record_id, fact in graph.facts_by_id(kind, sorted(record_ids)).items()
    }
    relationships = {
        (row["kind"], row["from_entity"], row["to_entity"]): tuple(row["records"])
        for row in graph.rows(_RELATIONSHIPS, {"ids": ids})
    }
    stated = {
        row["record_id"]: row
        for kind, record_ids in wanted.records.items()
        for row in graph.rows(
            f"SELECT * FROM {kind}_record WHERE record_id IN (SELECT unnest(?))", [sorted(record_ids)]
        )
    }
    conflicts: dict[str, set[str]] = defaultdict(set)
    for row in graph.rows(_CONFLICTS, [ids]):
        conflicts[row["entity_id"]].add(row["field"])
    records = _records(graph, ids)
    rows = {*wanted.shown, *(fact.record_id for fact in facts.values())} if evidence else set()
    if evidence:
        rows |= {record.record_id for each in records.values() for record in each}
        rows |= {record_id for each in relationships.values() for record_id in each}
    support = graph.support(sorted(rows)) if evidence else {}
    rows |= {record_id for each in support.values() for record_id in each}
    return GraphFacts(
        snapshot=graph.snapshot,
        entities=graph.entities(sorted(wanted.entities | holders)),
        goldens=graph.goldens(ids),
        facts=facts,
        relationships=relationships,
        contacts=contacts,
        conflicts={entity: frozenset(fields) for entity, fields in conflicts.items()},
        doubts=load_doubts(graph, sorted(wanted.entities | holders | _owners(facts.values()))),
        records=records,
        source_rows=graph.source_texts(sorted(rows)) if evidence else {},
        support=support,
        stated=stated,
        countries={row["entity_id"]: frozenset(row["countries"]) for row in graph.rows(_COUNTRIES, [ids])},
    )


def load_store(connection: Connection) -> StoreFacts:
    """What the store says now of the current snapshot, the sources and the agents."""
    halted, objections = stopped(connection), standing_subjects(connection)
    marks = watermarks(connection)
    current = connection.execute(
        select(tables.snapshot).join(tables.pointer, tables.pointer.c.snapshot_id == tables.snapshot.c.snapshot_id)
    ).one_or_none()
    if current is None:
        return StoreFacts(snapshot_id=None, watermarks=marks, stopped=halted, objections=objections)
    return StoreFacts(
        snapshot_id=SnapshotId(current.snapshot_id),
        path=current.path,
        file_digest=current.file_digest,
        checks=dict(current.checks),
        pin=None if current.pin is None else Pin.model_validate(current.pin),
        watermarks=marks,
        stopped=halted,
        objections=objections,
    )


def load_asks(connection: Connection, *where: Any) -> list[Ask]:  # noqa: ANN401  SQLAlchemy's conditions
    """Proposals with the trigger row and the business date they answer to, in the order of their rows."""
    found = connection.execute(
        select(*_ASKED)
        .join(_ROW, _ROW.c.row_id == _PROPOSAL.c.row_id)
        .join(tables.batch, tables.batch.c.batch_id == _PROPOSAL.c.batch_id)
        .where(*where)
        .order_by(_PROPOSAL.c.row_id, _PROPOSAL.c.action)
    ).all()
    batches = {each.batch_id for each in found}
    newer, held = _newer(connection, batches), credentials.held(connection, batches)
    approved = approvals(connection, [each.action for each in found])
    return [
        Ask(
            action=ActionId(action),
            batch_id=batch_id,
            agent=agent,
            action_type=action_type,
            arguments=arguments,
            woken_entity=EntityId(woken_entity),
            trigger_values=values,
            business_date=business_date,
            newer=newer.get(batch_id),
            credential=_credential(held.get(batch_id), agent),
            approval=approved.get(action),
        )
        for action, batch_id, agent, action_type, arguments, woken_entity, values, business_date in found
    ]


def _credential(held: credentials.Held | None, agent: str) -> Credential | None:
    """What a decision needs to know of it: an answer is taken in only before its credential's time is over.

    Another agent's is none, whatever the proposal's row says.
    """
    return None if held is None or held.agent != agent else Credential(held.scopes, expired=False, revoked=held.revoked)


def _newer(connection: Connection, batch_ids: Iterable[str]) -> dict[str, date]:
    """Batch to the newest business date that its agent was woken for later on, with rows to answer."""
    this, other = tables.batch, tables.batch.alias()
    later = and_(
        other.c.agent == this.c.agent,
        other.c.business_date > this.c.business_date,
        other.c.created_at > this.c.created_at,
        other.c.row_count > 0,
    )
    query = (
        select(this.c.batch_id, func.max(other.c.business_date).label("newest"))
        .join(other, later)
        .group_by(this.c.batch_id)
    )
    found = connection.execute(query.where(this.c.batch_id.in_(sorted(batch_ids))))
    return {row.batch_id: row.newest for row in found}


def _owners(facts: Iterable[Fact]) -> set[str]:
    return {owner for fact in facts for owner in (fact.entity_id, fact.person_entity_id) if owner is not None}


def _contacts(graph: EntityGraph, values: Iterable[str]) -> dict[tuple[str, str], tuple[Contact, ...]]:
    found: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    for row in graph.rows(_CONTACTS, [sorted(values)]):
        found[(row["channel"], row["value"])].append(Contact(**row))
    return {key: tuple(each) for key, each in found.items()}


def _records(graph: EntityGraph, ids: list[str]) -> dict[str, tuple[Crosswalk, ...]]:
    found: dict[str, list[Crosswalk]] = defaultdict(list)
    for row in graph.rows(_RECORDS, [ids]):
        found[row["entity_id"]].append(Crosswalk(**row))
    return {entity: tuple(each) for entity, each in found.items()}
