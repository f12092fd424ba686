"""A debtor, its overdue invoice and the person who pays it, as the gate reads them; nothing speaks against it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from orchestration.action_types import load_action_types
from orchestration.contracts import ActionId, EntityId, Pin, RecordId, SnapshotId
from orchestration.gate.decide import Answer, Moment, conclude, weigh
from orchestration.gate.doubts import Doubt
from orchestration.gate.known import Ask, Credential, GraphFacts, StoreFacts
from orchestration.gate.limits.usage import Usage
from orchestration.gate.policy_files import load_policies
from orchestration.gate.rules import Rules
from orchestration.graph.current import Watermark
from orchestration.graph.rows import (
    Contact,
    Crosswalk,
    Entity,
    Fact,
    GoldenValue,
    Snapshot,
    SnapshotInput,
    SnapshotSource,
    SourceRow,
)
from orchestration.registry import AgentCard, load_agents
from orchestration.settings import PROJECT

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 2)
AGENTS = Path(__file__).parents[2] / "fixtures" / "gate" / "agents"
SNAPSHOT = SnapshotId("snap_1")
ACME, ADA, INVOICE, MAILBOX = "org_acme", "per_ada", "erp:transaction:100", "ada@acme.example"
TABLES = (("crm", "company"), ("crm", "contact"), ("erp", "customer"), ("erp", "transaction"), ("support", "user"))
RECORDS = {ACME: ("crm:company:1", "erp:customer:7"), ADA: ("crm:contact:1",)}

HARMLESS = Doubt(
    other=EntityId("org_other"),
    reason="possible",
    systems=frozenset({"erp"}),
    could_change=frozenset({"phone", "resolution"}),
    resolution={"crm": "absent", "erp": "linked", "support": "absent"},
    opted_out=False,
    own=(),
    against=("single_system",),
    records=2,
    other_records=1,
    together=3,
    firm=True,
    vetoed=False,
    others=0,
    employs=False,
)
"""A doubt that no decision on could change what a reminder reads."""


@cache
def rules() -> Rules:
    """The product's own action types, with two agents of the tests'."""
    action_types, agents = load_action_types(PROJECT / "orchestration" / "actions"), load_agents(AGENTS)
    return Rules(action_types, agents, load_policies(agents, action_types))


def bounded(known: Rules, **limits: dict[str, Any]) -> Rules:
    """Rules in which the cards of those agents have other limits."""
    agents = dict(known.agents)
    for name, said in limits.items():
        card = AgentCard.model_validate({**agents[name].card.model_dump(by_alias=True), "limits": said})
        agents[name] = replace(agents[name], card=card)
    return replace(known, agents=agents)


def an_entity(entity_id: str, kind: str, **changes: Any) -> Entity:
    usual: dict[str, Any] = {
        "version": "v1",
        "name": entity_id,
        "standing": "reconciled",
        "standing_reasons": (),
        "systems": ("crm", "erp") if kind == "organisation" else ("crm",),
        "resolution": {"crm": "linked", "erp": "linked" if kind == "organisation" else "absent", "support": "absent"},
        "record_count": 2,
        "opted_out": False,
    }
    return Entity(entity_id=EntityId(entity_id), entity_type=kind, **{**usual, **changes})


def an_invoice(**changes: Any) -> Fact:
    values = {
        "number": "INV-100",
        "direction": "receivable",
        "status": "A",
        "amount": Decimal("120.00"),
        "amount_open": Decimal("120.00"),
        "currency": "GBP",
        "issued_on": date(2026, 9, 1),
        "due_on": date(2026, 10, 1),
        "disputed": False,
        "organisation_key": "customer:7",
        "organisation_record": "erp:customer:7",
    }
    usual: dict[str, Any] = {
        "record_id": RecordId(INVOICE),
        "entity_id": EntityId(ACME),
        "person_entity_id": None,
        "system": "erp",
        "source_table": "transaction",
        "source_key": "100",
        "row_hash": "h",
        "weak_fields": (),
        "verified_fields": (),
    }
    own = {name: changes.pop(name) for name in list(changes) if name in usual}
    return Fact(fact="invoice", values={**values, **changes}, **{**usual, **own})


def a_contact(entity_id: str = ADA, value: str = MAILBOX, asserted_by: str = "staff") -> Contact:
    return Contact(EntityId(entity_id), "email", value, RecordId("crm:contact:1"), asserted_by)


def _snapshot() -> Snapshot:
    return Snapshot(
        snapshot_id=SNAPSHOT,
        built_at=NOW - timedelta(hours=1),
        run_id="run-1",
        code_version="code-1",
        model_versions={},
        previous_snapshot=None,
        inputs_digest="d",
        checks={"accounted": "passed"},
        sources=tuple(SnapshotSource(*table, 2, "v1", NOW - timedelta(hours=1)) for table in TABLES),
        inputs=tuple(SnapshotInput("/".join(table), 7 + n, "run-1", "v1") for n, table in enumerate(TABLES)),
    )


def _graph() -> GraphFacts:
    return GraphFacts(
        snapshot=_snapshot(),
        entities={ACME: an_entity(ACME, "organisation"), ADA: an_entity(ADA, "person")},
        goldens={ACME: {"name": GoldenValue("Acme Ltd", RecordId("crm:company:1"))}, ADA: {}},
        facts={("invoice", INVOICE): an_invoice()},
        relationships={("works_at", ADA, ACME): (RecordId("crm:contact:1"),)},
        contacts={("email", MAILBOX): (a_contact(),)},
        records={
            entity: tuple(Crosswalk(RecordId(one), EntityId(entity), "organisation", 1.0, "single") for one in records)
            for entity, records in RECORDS.items()
        },
        source_rows={
            one: SourceRow(RecordId(one), *one.split(":"), "h", {"id": one}, NOW, NOW)
            for one in (*RECORDS[ACME], *RECORDS[ADA], INVOICE)
        },
    )


def _store() -> StoreFacts:
    marks = {table: Watermark(*table, NOW - timedelta(hours=1), 2, "v1") for table in TABLES}
    pin = Pin(asset_key="entity_graph", storage_id=42, run_id="run-1", data_version=SNAPSHOT)
    return StoreFacts(
        snapshot_id=SNAPSHOT, path="graph/snap_1.duckdb", checks={"accounted": "passed"}, pin=pin, watermarks=marks
    )


def _ask() -> Ask:
    return Ask(
        action=ActionId("act_1"),
        batch_id="b1",
        agent="finance",
        action_type="send_payment_reminder",
        arguments={"organisation": ACME, "invoice": INVOICE, "person": ADA, "mailbox": MAILBOX, "stage": 1},
        woken_entity=EntityId(ACME),
        trigger_values={"invoice": INVOICE, "stage": 1},
        business_date=TODAY,
        credential=Credential(frozenset({"propose:send_payment_reminder"}), expired=False, revoked=False),
    )


@dataclass(frozen=True)
class Scene:
    """Everything a decision rests on; each method returns a scene in which one thing is otherwise."""

    ask: Ask = field(default_factory=_ask)
    graph: GraphFacts = field(default_factory=_graph)
    store: StoreFacts = field(default_factory=_store)
    now: datetime = NOW
    taken: frozenset[str] = frozenset()
    rules: Rules = field(default_factory=rules)

    def asking(self, **changes: Any) -> Scene:
        return replace(self, ask=replace(self.ask, **changes))

    def arguing(self, **arguments: Any) -> Scene:
        return self.asking(arguments={**self.ask.arguments, **arguments})

    def knowing(self, **changes: Any) -> Scene:
        return replace(self, graph=replace(self.graph, **changes))

    def storing(self, **changes: Any) -> Scene:
        return replace(self, store=replace(self.store, **changes))

    def entity(self, entity_id: str, **changes: Any) -> Scene:
        changed = replace(self.graph.entities[entity_id], **changes)
        return self.knowing(entities={**self.graph.entities, entity_id: changed})

    def invoice(self, **changes: Any) -> Scene:
        return self.knowing(facts={("invoice", INVOICE): an_invoice(**changes)})

    def snapshot(self, **changes: Any) -> Scene:
        return self.knowing(snapshot=replace(self.graph.snapshot, **changes))

    def doubted(self, entity_id: str, **changes: Any) -> Scene:
        return self.knowing(doubts={entity_id: (replace(HARMLESS, **changes),)})

    def carded(self, **changes: Any) -> Scene:
        """The agent's card says something else."""
        agent = self.rules.agents[self.ask.agent]
        agent = replace(agent, card=AgentCard.model_validate({**agent.card.model_dump(by_alias=True), **changes}))
        return replace(self, rules=replace(self.rules, agents={**self.rules.agents, self.ask.agent: agent}))

    def typed(self, **changes: Any) -> Scene:
        """The action type says something else."""
        declared = self.rules.action_types[self.ask.action_type]
        declared = declared.model_copy(update=changes)
        return replace(self, rules=replace(self.rules, action_types={declared.name: declared}))

    def decide(self, usage: Usage | None = None) -> Answer:
        moment = Moment(self.rules, self.graph, self.store, self.now)
        case = weigh(self.ask, moment)
        return conclude(self.ask, case, moment, usage=usage or Usage(), taken=self.taken)

    @property
    def objections(self) -> set[str]:
        """What is said against it, as text."""
        return {str(reason) for reason in self.decide().decision.reasons}
