"""The agents' code location: an agent's workflow as Dagster draws it, between a batch and its answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from action.definitions import defs
from orchestration.contracts import Batch, EntityId, SnapshotId, TriggerRow
from orchestration.errors import AgentError
from orchestration.identity.session import AUDIENCE, ISSUER, Claims, sign
from orchestration.work.exchange import Exchange
from tests.agents import write_agent

VALUES: dict[str, str | int | float | bool | None] = {
    "organisation": "Acme Ltd",
    "invoice": "erp:transaction:7",
    "number": "INV-7",
    "amount_open": "120.00",
    "currency": "GBP",
    "due_on": "2026-10-01",
    "stage": 1,
    "person": "per_1",
    "mailbox": "ann@acme.example",
}
BATCH = Batch(
    batch_id="20261102-abc",
    agent="finance",
    snapshot_id=SnapshotId("snap_1"),
    business_date=date(2026, 11, 2),
    rows=(
        TriggerRow(row_id="row-1", entity_id=EntityId("org_1"), values=VALUES),
        TriggerRow(row_id="row-2", entity_id=EntityId("org_2"), values=VALUES | {"mailbox": None}),
        TriggerRow(row_id="row-3", entity_id=EntityId("org_3"), values=VALUES | {"stage": 9}),
    ),
)


def credential(batch: Batch, lasts: timedelta = timedelta(hours=1)) -> str:
    now = datetime.now(UTC)
    claims = Claims(
        iss=ISSUER, aud=AUDIENCE, sub=batch.agent, sid=batch.batch_id, scopes=["propose:send_payment_reminder"],
        jti="cred_1", iat=int(now.timestamp()), exp=int((now + lasts).timestamp()),
    )  # fmt: skip
    return sign(claims, Ed25519PrivateKey.generate())


@pytest.fixture
def exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exchange:
    monkeypatch.setenv("PRECEDE_EXCHANGE", str(tmp_path / "exchange"))
    return Exchange(tmp_path / "exchange")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def propose(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return defs().resolve_job_def("propose").execute_in_process(instance=instance)


def test_a_batch_goes_through_every_step_and_its_answer_waits_for_the_coordinator(
    exchange: Exchange, instance: dg.DagsterInstance
) -> None:
    exchange.offer(BATCH, credential(BATCH))
    result = propose(instance)
    answer = exchange.read_answer("finance", BATCH.batch_id)
    assert [proposal.row_id for proposal in answer.proposals] == ["row-1"]
    assert answer.declined == {"row-2": "read: nobody with a known mailbox works there"}
    assert list(answer.failed) == ["row-3"]
    assert not exchange.waiting("finance")
    ran = {event.step_key for event in result.get_step_success_events()}
    assert {"proposals__finance.finance__read", "proposals__finance.finance__propose"} <= ran


def test_the_materialisation_counts_and_names_the_batch_and_holds_nobodys_mailbox(
    exchange: Exchange, instance: dg.DagsterInstance
) -> None:
    exchange.offer(BATCH, credential(BATCH))
    propose(instance)
    [record] = instance.fetch_materializations(dg.AssetKey(["proposals", "finance"]), limit=5).records
    materialised = record.asset_materialization
    assert materialised is not None
    said = {name: entry.value for name, entry in materialised.metadata.items()}
    assert said["batches"] == BATCH.batch_id
    assert (said["proposed"], said["declined"], said["for_a_person"]) == (1, 1, 1)
    assert "ann@" not in str(said)


def test_nothing_waits_and_nothing_is_materialised(exchange: Exchange, instance: dg.DagsterInstance) -> None:
    assert not exchange.agents()
    assert propose(instance).success
    assert not instance.fetch_materializations(dg.AssetKey(["proposals", "finance"]), limit=5).records


def test_the_sensor_asks_for_a_run_only_while_a_batch_waits(exchange: Exchange, instance: dg.DagsterInstance) -> None:
    sensor = defs().get_repository_def().get_sensor_def("waiting_batches")

    def tick() -> list[dg.RunRequest]:
        with dg.build_sensor_context(instance=instance, repository_def=defs().get_repository_def()) as context:
            return list(sensor.evaluate_tick(context).run_requests or [])

    assert not tick()
    exchange.offer(BATCH, credential(BATCH))
    [request] = tick()
    assert request.asset_selection == [dg.AssetKey(["proposals", "finance"])]
    propose(instance)
    assert not tick()


@pytest.mark.parametrize("beside", ["", "no token", "over"])
def test_a_batch_that_nothing_lasting_stands_beside_waits_for_the_coordinator(
    exchange: Exchange, instance: dg.DagsterInstance, beside: str
) -> None:
    exchange.offer(BATCH, credential(BATCH, timedelta(seconds=-1)) if beside == "over" else beside)
    assert propose(instance).success
    assert exchange.waiting("finance") == [BATCH.batch_id]
    exchange.offer(BATCH, credential(BATCH))
    propose(instance)
    assert exchange.read_answer("finance", BATCH.batch_id).credential == exchange.read_credential(
        "finance", BATCH.batch_id
    )


def test_a_code_server_runs_the_agents_that_it_is_told_to_and_no_others(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert exchange.agents() == []
    monkeypatch.setenv("PRECEDE_AGENTS", str(tmp_path / "agents"))
    write_agent(tmp_path / "agents", "sales")
    write_agent(tmp_path / "agents", "other", code="raise SystemExit('this one must not be loaded')")
    monkeypatch.setenv("PRECEDE_ONLY_AGENTS", "sales")
    assert {key.to_user_string() for key in defs().resolve_all_asset_keys()} >= {"proposals/sales"}
    monkeypatch.setenv("PRECEDE_ONLY_AGENTS", "sales, marketing")
    with pytest.raises(AgentError, match="PRECEDE_ONLY_AGENTS: found marketing; needed names of agents"):
        defs()
