"""A home with a published graph, a store, an exchange and agents, for tests of waking them and of their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select

from action.run import collect
from orchestration.action_types import load_action_types
from orchestration.contracts import Batch, Pin, Proposal, ProposalSet
from orchestration.gate.keys import CREDENTIAL, signing_key
from orchestration.graph import EntityGraph
from orchestration.registry import Agent, load_agent
from orchestration.settings import PROJECT, Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from orchestration.work.exchange import Exchange
from orchestration.work.intake import TakenIn, take_in
from orchestration.work.triggers import Wake, run_triggers
from orchestration.work.workflow import Workflow
from tests.graph_fixture import BUILT_AT, BUSINESS_DATE, SNAPSHOT, publish_graph

FINANCE = PROJECT / "action" / "agents" / "finance"
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
ACTION_TYPES = load_action_types(PROJECT / "orchestration" / "actions")
TOMORROW = BUSINESS_DATE + timedelta(days=1)
DUE_TODAY = "UPDATE invoice SET due_on = DATE '2026-11-02' WHERE number = 'INV-1004'"


def pin_of(snapshot_id: str) -> Pin:
    return Pin(asset_key="entity_graph", storage_id=7, run_id="run-fixture", data_version=snapshot_id)


class Honest(Exchange):
    """An exchange in which every answer carries what stands beside its batch, as the agents' side sees to."""

    def answer(self, answer: ProposalSet) -> None:
        credential = answer.credential or self.read_credential(answer.agent, answer.batch_id)
        super().answer(answer.model_copy(update={"credential": credential}))


@dataclass
class World:
    """A home with a published graph, a store and an exchange, and agents to wake."""

    settings: Settings
    store: Store
    exchange: Exchange
    agents: dict[str, Agent]
    graph: EntityGraph
    published: int = 1

    @property
    def key(self) -> Ed25519PrivateKey:
        """What credentials are signed with."""
        return signing_key(self.settings.keys, CREDENTIAL)

    def publish(self, *changes: str) -> None:
        """Publish another graph."""
        self.graph.close()
        self.published += 1
        snapshot_id, built_at = f"{SNAPSHOT}_{self.published}", BUILT_AT + timedelta(minutes=self.published)
        self.graph = publish_graph(self.store, self.settings, *changes, snapshot_id=snapshot_id, built_at=built_at)

    def wake(self, day: date = BUSINESS_DATE, **changed: Any) -> list[Wake]:
        given = {"business_date": day, "now": NOW, "pin": pin_of(self.graph.snapshot_id), "key": self.key} | changed
        return run_triggers(self.store, self.exchange, self.graph, self.agents, **given)

    def woken(self, day: date = BUSINESS_DATE) -> list[dict[str, Any]]:
        """What the one agent is shown."""
        [wake] = self.wake(day)
        return [row.values for row in wake.batch.rows] if wake.batch else []

    def invoices(self, day: date = BUSINESS_DATE) -> set[str]:
        return {row["number"] for row in self.woken(day)}

    def answer(self) -> None:
        """Propose a reminder for every row of every waiting batch, and take the answers in."""
        for agent in self.agents:
            for batch_id in self.exchange.waiting(agent):
                self.exchange.answer(reminders(self.exchange.read_batch(agent, batch_id)))
        self.take_in()

    def take_in(self, now: datetime = NOW) -> list[TakenIn]:
        return take_in(self.store, self.exchange, self.key.public_key(), now=now)

    def decide(self, verdict: str, *codes: str, transient: bool = False) -> None:
        """Decide every proposal that was not decided yet."""
        with self.store.begin() as connection:
            decided = select(tables.decision.c.action)
            waiting = connection.execute(select(tables.proposal.c.action).where(~tables.proposal.c.action.in_(decided)))
            for action in waiting.scalars().all():
                connection.execute(
                    insert(tables.decision).values(
                        action=action,
                        verdict=verdict,
                        reasons=[{"code": code, "subject": "", "detail": ""} for code in codes],
                        policies=[],
                        policy_digest="",
                        read_set_digest="",
                        decided_at=NOW,
                        transient=transient,
                    )
                )

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]


def answer(batch: Batch, workflow: Workflow) -> ProposalSet:
    """What an agent says of a batch."""
    return collect(batch, workflow, [workflow.run(row, sleep=lambda _: None) for row in batch.rows], "")


def reminders(batch: Batch) -> ProposalSet:
    proposals = tuple(
        Proposal(
            row_id=row.row_id,
            action_type="send_payment_reminder",
            arguments={"organisation": row.entity_id, "invoice": str(row.values["invoice"])},
        )
        for row in batch.rows
    )
    return ProposalSet(batch_id=batch.batch_id, agent=batch.agent, proposals=proposals)


def a_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world in an empty folder, with its store where `PRECEDE_STORE_URL` says."""
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    for name in ("PRECEDE_EXCHANGE", "PRECEDE_AGENTS", "PRECEDE_ACTIONS", "PRECEDE_BUSINESS_DATE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings()
    store = open_store(settings)
    graph = publish_graph(store, settings)
    made = World(settings, store, Honest(settings.exchange), {"finance": load_agent(FINANCE)}, graph)
    try:
        yield made
    finally:
        made.graph.close()
        store.close()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    yield from a_world(tmp_path, monkeypatch)


@pytest.fixture
def on_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_store: str) -> Iterator[World]:
    monkeypatch.setenv("PRECEDE_STORE_URL", postgres_store)
    yield from a_world(tmp_path, monkeypatch)
