"""A wrong VAT number in the CRM: nothing is written back before a person has said what is right. Of real runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import insert, select

from examples.northgate.tools.corrections import Crm
from orchestration.assets import pin_current
from orchestration.canonical import digest
from orchestration.cli.processes import run_job
from orchestration.contracts import SignedPermit, ToolResult
from orchestration.gate.gate import Gate
from orchestration.gate.keys import public_key
from orchestration.gate.rules import Rules, load_rules
from orchestration.graph.current import open_current
from orchestration.identity import credentials
from orchestration.judgements import PairVerdict, disputed, judge, pair_of, settle
from orchestration.ledger import committed, entries, entries_identity
from orchestration.ledger.lineage import instance_at
from orchestration.ledger.verify import verify
from orchestration.settings import PROJECT, Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from orchestration.work.environment import prepare_home
from orchestration.work.outbox import deliver
from tests.integration.sources.folders import declared, write_source, write_sqlite
from tests.unit.gate.case import AGENTS

RIGHT, WRONG = "GB980780684", "GB220430231"
COMPANY, CUSTOMER = "crm:company:1", "erp:customer:1"
ORGANISATION = """
SELECT '{table}' AS source_table, _key AS source_key, property_name AS name, property_vat_number AS vat_number
FROM {table}
"""
PERMIT = '@id("finance-correct")\npermit (principal, action == Action::"correct_vat_number", resource);\n'


@dataclass
class Firm:
    """One firm, in a CRM that states its VAT number wrongly and in an ERP that states it rightly."""

    settings: Settings
    store: Store
    rules: Rules
    asked: int = 0
    crm: Path = field(init=False)

    def __post_init__(self) -> None:
        self.crm = self.settings.sources / "crm" / "crm.db"

    def run(self) -> None:
        run_job("insight", "reconcile", self.settings, lambda _: None)
        with instance_at(self.settings.dagster_home) as instance:
            assert instance is not None
            assert pin_current(self.store, instance) is not None

    def stated(self) -> str:
        """The number that stands in the CRM."""
        with closing(sqlite3.connect(self.crm)) as connection:
            return str(connection.execute("SELECT property_vat_number FROM company").fetchone()[0])

    def correct(self) -> list[str]:
        """What a proposal to correct it comes to; what is allowed is performed and delivered."""
        now = datetime.now(UTC)
        batch_id = self._propose(now)
        with Gate(self.store, self.settings, self.rules, holds=lambda _pin: True) as gate:
            (decision,) = gate.decide(batch_id, now)
            gate.perform_batch(batch_id, now)
        deliver(self.store, Calling(self), lambda: datetime.now(UTC), batch_id=batch_id)
        return [decision.verdict.value, *sorted({reason.code for reason in decision.reasons})]

    def _propose(self, now: datetime) -> str:
        self.asked += 1
        with open_current(self.store, self.settings) as graph:
            found = graph.crosswalk(COMPANY)
            snapshot_id = graph.snapshot_id
        assert found is not None
        batch_id, credential_id = f"batch-{self.asked}", f"cred-{self.asked}"
        batch = {"batch_id": batch_id, "agent": "finance", "snapshot_id": snapshot_id}
        today = now.date() + timedelta(days=self.asked)
        row = {"row_id": f"{batch_id}-1", "batch_id": batch_id, "entity_id": found.entity_id, "digest": "d"}
        arguments = {"organisation": found.entity_id, "company": COMPANY}
        proposal: dict[str, Any] = {"action": f"act_{digest([batch_id, arguments])[:12]}", "batch_id": batch_id}
        proposal |= {"row_id": row["row_id"], "agent": "finance", "action_type": "correct_vat_number", "digest": "d"}
        proposal |= {
            "entity_id": found.entity_id,
            "arguments": arguments,
            "rationale": "It is wrong.",
            "proposed_at": now,
        }
        held = {"agent": "finance", "batch_id": batch_id, "issued_at": now, "expires_at": now + timedelta(hours=1)}
        with self.store.begin() as connection:
            opened = {"business_date": today, "created_at": now, "state": "answered", "row_count": 1}
            connection.execute(insert(tables.batch).values(**batch, **opened))
            connection.execute(
                insert(tables.trigger_row).values(**row, values={"company": COMPANY}, answer="proposed", reason="")
            )
            entries.batch_opened(connection, batch_id, at=now)
            scopes = ["propose:correct_vat_number"]
            connection.execute(
                insert(tables.agent_credential).values(credential_id=credential_id, **held, scopes=scopes)
            )
            entries_identity.credential_minted(connection, credential_id, [], at=now)
            connection.execute(insert(tables.proposal).values(proposal))
            credentials.answered(connection, credential_id, now)
            body = {"batch": batch_id, "agent": "finance", "credential": credential_id}
            payload = {"proposals": {proposal["action"]: committed.of_proposal(proposal)}}
            entries.answered(connection, body, payload, at=now)
        return batch_id


@dataclass
class Calling:
    """The CRM's tool in this process: it checks and writes exactly as its server does."""

    firm: Firm

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        assert (server, tool) == ("crm", "write_vat_number")
        crm = Crm(f"sqlite:///{self.firm.crm}", public_key(self.firm.settings.keys / "permit.pub"))
        try:
            return crm.write_vat_number(arguments, effect_key, permit, lambda: datetime.now(UTC))
        finally:
            crm.close()


@pytest.fixture
def firm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Firm:
    for name in ("PRECEDE_STORE_URL", "DAGSTER_HOME", "PRECEDE_EXCHANGE"):
        monkeypatch.delenv(name, raising=False)
    agents = Path(copytree(AGENTS, tmp_path / "agents"))
    card, policy = agents / "finance" / "agent.yml", agents / "finance" / "policy.cedar"
    card.write_text(
        card.read_text("utf-8").replace("[send_payment_reminder]", "[send_payment_reminder, correct_vat_number]")
    )
    policy.write_text(policy.read_text("utf-8") + PERMIT, "utf-8")
    settings = Settings(home=tmp_path / "home", sources=tmp_path / "sources", agents=agents)
    prepare_home(settings)
    for system, table, number in (("crm", "company", WRONG), ("erp", "customer", RIGHT)):
        columns = ["property_name", "property_vat_number"]
        shape = {table: {"key": ["id"], "columns": columns, "concerns": {}, "volatile": ["_fivetran_synced"]}}
        stated = declared(f"sqlite:///{{source}}/{system}.db", system=system, tables=shape)
        folder = write_source(settings.sources / system, stated, organisation=ORGANISATION.format(table=table))
        row = {"id": 1, "property_name": "Fernley Coatings Ltd", "property_vat_number": number}
        write_sqlite(folder / f"{system}.db", **{table: [{**row, "is_deleted": 0, "_fivetran_synced": "2026-01-01"}]})
    made = Firm(
        settings,
        open_store(settings),
        load_rules(Settings(agents=agents, actions=PROJECT / "orchestration" / "actions")),
    )
    made.run()
    return made


def say(firm: Firm, tell: Callable[[Any], None]) -> None:
    """Let a person say something of the current graph, and publish the next one with it."""
    with open_current(firm.store, firm.settings) as graph:
        tell(graph)
    firm.run()


def test_a_correction_is_written_back_only_after_a_persons_word_has_made_the_entity_reconciled(firm: Firm) -> None:
    now = datetime.now(UTC)
    verdict, *why = firm.correct()
    assert verdict == "deny"
    assert "not_linked" in why  # two numbers that are valid and differ: two firms, for all that is known
    say(
        firm,
        lambda graph: judge(firm.store, pair_of(graph, COMPANY, CUSTOMER), PairVerdict.SAME, "Ada Reader", now=now),
    )
    verdict, *why = firm.correct()
    assert (verdict, "conflict" in why) == ("deny", True)  # one firm: which number is right, nobody has said
    assert firm.stated() == WRONG
    say(firm, lambda graph: settle(firm.store, disputed(graph, COMPANY, "vat_number"), RIGHT, "Ada Reader", now=now))
    assert firm.correct()[0] == "allow"
    assert firm.stated() == RIGHT
    with firm.store.read() as connection:
        assert connection.execute(select(tables.outbox.c.state)).scalars().all() == ["done"]
    firm.run()
    assert firm.correct() == ["deny", "nothing_to_correct"]
    assert verify(firm.store, None).problems == ()
