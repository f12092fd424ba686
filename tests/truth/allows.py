"""What wrong or missing links do to an action type: the same gate's standing on the linked graph and on the true one.

An ask is a proposal that the agent makes on either graph, keyed by source records, so that the same ask can be put to
both: the invoice, and the record that states the mailbox. Its organisation is the entity of the invoice's own customer
record and its person the entity of the record with the mailbox, in each graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from action.loading import load_workflow
from orchestration.action_types import ActionType
from orchestration.contracts import GRAPH_ASSET, ActionId, EntityId, Pin, Proposal, Reason, TriggerRow
from orchestration.gate.known import Ask, GraphFacts, StoreFacts
from orchestration.gate.load import References, load_graph, load_store
from orchestration.gate.resolve import resolve
from orchestration.gate.rules import load_rules
from orchestration.gate.standing import standing
from orchestration.graph.reader import EntityGraph
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.trigger_rows import rows_of
from tests.truth.interval import Share

AGENT: Final = "finance"
ACTION_TYPE: Final = "send_payment_reminder"
CHUNK: Final = 4_000
"""Asks whose facts are read together."""


@dataclass(frozen=True, slots=True)
class Key:
    """An ask, by the source rows that it is about and whatever else the agent chose."""

    invoice: str
    mailbox: str
    stated_by: str
    """The first record that states the mailbox of whom the ask is about, and may be believed."""
    stage: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What standing says of an ask on one graph: nothing, or every objection; and the records it would rest on."""

    reasons: tuple[Reason, ...]
    organisation: frozenset[str]
    person: frozenset[str]

    @property
    def allowed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class Case:
    """One ask on both graphs.

    Attributes:
        strangers: Records of someone else in what it rests on in the linked graph.
    """

    key: Key
    linked: Answer
    true: Answer
    strangers: frozenset[str]

    @property
    def unsafe(self) -> bool:
        """Allowed on the linked graph, and either refused on the true one or resting on someone else's records."""
        return self.linked.allowed and (not self.true.allowed or bool(self.strangers))

    @property
    def lost(self) -> bool:
        """Allowed on the true graph alone."""
        return self.true.allowed and not self.linked.allowed


@dataclass(frozen=True)
class Allows:
    """Every ask on both graphs."""

    cases: Sequence[Case]

    @property
    def unsafe(self) -> Share:
        """Of the asks that are allowed on the linked graph, those that are unsafe."""
        return Share(sum(case.unsafe for case in self.cases), sum(case.linked.allowed for case in self.cases))

    @property
    def lost(self) -> Share:
        """Of the asks that are allowed on the true graph, those that the linked one loses."""
        return Share(sum(case.lost for case in self.cases), sum(case.true.allowed for case in self.cases))

    @property
    def lost_for(self) -> dict[str, int]:
        """Reason to how many asks were lost for it, among others; the most frequent first."""
        reasons = Counter(
            code for case in self.cases if case.lost for code in {one.code for one in case.linked.reasons}
        )
        return dict(reasons.most_common())

    def as_dict(self) -> dict[str, Any]:
        """Every figure by its name."""
        return {
            "asks": len(self.cases),
            "unsafe": self.unsafe.as_dict(),
            "lost": self.lost.as_dict(),
            "lost_for": self.lost_for,
        }


def allows(settings: Settings, true: Path, truths: Mapping[str, Mapping[str, str]], day: date) -> Allows:
    """Put every ask to both graphs.

    Args:
        settings: The home whose graph was published.
        true: The graph of the truth.
        truths: Record type to source row to true entity.
        day: The business date.
    """
    with closing(open_store(settings, create=False)) as store, store.read() as connection:
        facts = load_store(connection)
    with EntityGraph(settings.home / facts.path) as linked, EntityGraph(true) as perfect:
        at = _Gate(settings, facts, linked, day)
        keys = sorted({*at.asks(linked), *at.asks(perfect)}, key=lambda key: (key.invoice, key.stated_by, key.mailbox))
        cases = [
            case
            for some in (keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK))
            for case in _cases(some, at.answers(linked, some), at.answers(perfect, some), truths)
        ]
    return Allows(cases)


def _cases(
    keys: Sequence[Key],
    linked: Sequence[Answer],
    true: Sequence[Answer],
    truths: Mapping[str, Mapping[str, str]],
) -> Iterator[Case]:
    for key, found, right in zip(keys, linked, true, strict=True):
        strangers = {
            record
            for record_type, mine, theirs in (
                ("organisation", found.organisation, right.organisation),
                ("person", found.person, right.person),
            )
            for record in mine - theirs
            if record.split("#")[0] in truths[record_type]
        }
        yield Case(key, found, right, frozenset(strangers))


class _Gate:
    """The gate's own questions, put to any graph as if it had just been published in place of the linked one."""

    def __init__(self, settings: Settings, facts: StoreFacts, linked: EntityGraph, day: date) -> None:
        rules = load_rules(settings)
        self._agent = rules.agents[AGENT]
        self._action_type: ActionType = rules.action_types[ACTION_TYPE]
        self._types = rules.action_types
        self._workflow = load_workflow(self._agent.code)
        self._facts = replace(facts, pin=facts.pin or _pinned(linked))
        self._snapshot = linked.snapshot
        self._day = day
        self._now = datetime.now(UTC)

    def asks(self, graph: EntityGraph) -> Iterator[Key]:
        """What the agent proposes on a graph."""
        proposals = []
        for place, woken in enumerate(rows_of(self._agent, graph, self._day)):
            row = TriggerRow(row_id=f"row_{place}", entity_id=woken.entity_id, values=woken.values)
            said = self._workflow.result(self._workflow.run(row))
            if isinstance(said, Proposal):
                proposals.append(said.arguments)
        trusted = self._action_type.contact_points["mailbox"].asserted_by
        stated = {
            (row["entity_id"], row["value"]): row["record_id"]
            for row in graph.rows(
                """
                SELECT entity_id, value, min(record_id) AS record_id FROM contact_point
                WHERE channel = 'email' AND list_contains($trusted, asserted_by) GROUP BY ALL
                """,
                {"trusted": sorted(trusted)},
            )
        }
        for given in proposals:
            person, mailbox = str(given["person"]), str(given["mailbox"])
            yield Key(str(given["invoice"]), mailbox, stated[person, mailbox], int(given["stage"]))

    def answers(self, graph: EntityGraph, keys: Sequence[Key]) -> list[Answer]:
        """What standing says of those asks on a graph."""
        invoices = graph.facts_by_id("invoice", [key.invoice for key in keys])
        people = graph.crosswalks([key.stated_by for key in keys])
        asks: list[Ask] = []
        for key in keys:
            organisation = invoices[key.invoice].entity_id
            arguments = {
                "organisation": organisation or "",
                "invoice": key.invoice,
                "person": people[key.stated_by].entity_id,
                "mailbox": key.mailbox,
                "stage": key.stage,
            }
            asks.append(
                Ask(
                    action=ActionId(f"act_{len(asks)}"),
                    batch_id="",
                    agent=AGENT,
                    action_type=ACTION_TYPE,
                    arguments=arguments,
                    woken_entity=EntityId(organisation or ""),
                    trigger_values={},
                    business_date=self._day,
                )
            )
        facts = load_graph(graph, References.of(asks, self._types))
        facts = replace(facts, snapshot=self._snapshot)
        return [self._answer(ask, facts) for ask in asks]

    def _answer(self, ask: Ask, facts: GraphFacts) -> Answer:
        found = resolve(ask, self._action_type, facts)
        against = standing(self._action_type, found, facts, self._facts, business_date=self._day, now=self._now)
        rests_on = {
            name: frozenset(record.record_id for record in facts.records.get(str(ask.arguments[name]), ()))
            for name in ("organisation", "person")
        }
        return Answer((*found.objections, *against), rests_on["organisation"], rests_on["person"])


def _pinned(graph: EntityGraph) -> Pin:
    """The materialisation that the coordinator pins before it wakes anybody, which no clause of standing looks into."""
    said = graph.snapshot
    return Pin(asset_key=GRAPH_ASSET, storage_id=1, run_id=said.run_id, data_version=said.snapshot_id)
