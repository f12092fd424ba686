"""What wakes the agents: the pointer in the store, once per snapshot and business date; nothing that is reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.contracts import Pin
from orchestration.definitions import defs
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import batch, snapshot
from orchestration.work.exchange import Exchange
from tests.graph_fixture import SNAPSHOT, publish_graph

RUN = "5d2e3b54-6f0c-4c55-8f0e-2f6d6a3c1c01"
"""The run that publishes the fixture's graph."""
ANOTHER_RUN = "5d2e3b54-6f0c-4c55-8f0e-2f6d6a3c1c02"


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("PRECEDE_STORE_URL", "PRECEDE_EXCHANGE", "PRECEDE_AGENTS", "PRECEDE_ACTIONS", "PRECEDE_TOOLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-02")
    return Settings()


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings)
    yield store
    store.close()


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def publish(store: Store, settings: Settings) -> None:
    publish_graph(store, settings).close()
    with store.begin() as connection:
        connection.execute(snapshot.update().values(run_id=RUN))


def materialise(instance: dg.DagsterInstance, version: str = SNAPSHOT, run_id: str = RUN) -> None:
    """The event that the run which publishes a graph leaves."""

    @dg.asset
    def entity_graph() -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(data_version=dg.DataVersion(version))

    job = dg.Definitions([entity_graph], jobs=[dg.define_asset_job("publish")]).resolve_job_def("publish")
    assert job.execute_in_process(instance=instance, run_id=run_id).success


def report(instance: dg.DagsterInstance, version: str = SNAPSHOT) -> None:
    """What anyone who reaches Dagster's web server can report."""
    instance.report_runless_asset_event(dg.AssetMaterialization("entity_graph", tags={"dagster/data_version": version}))


def tick(instance: dg.DagsterInstance) -> dg.SensorExecutionData:
    repository = defs().get_repository_def()
    with dg.build_sensor_context(instance=instance, repository_def=repository) as context:
        return repository.get_sensor_def("new_snapshot_or_date").evaluate_tick(context)


def wake(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return defs().resolve_job_def("wake").execute_in_process(instance=instance, raise_on_error=False)


def batches(store: Store) -> list[tuple[str, str]]:
    with store.read() as connection:
        return [(row.business_date.isoformat(), row.state) for row in connection.execute(batch.select())]


def test_a_published_graph_wakes_the_agents_once(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    publish(store, settings)
    materialise(instance)
    [request] = tick(instance).run_requests or []
    assert request.asset_selection == [dg.AssetKey(["triggers", "finance"]), dg.AssetKey(["audit"])]
    assert wake(instance).success
    assert Exchange(settings.exchange).waiting("finance")
    assert not tick(instance).run_requests
    assert wake(instance).success
    assert batches(store) == [("2026-11-02", "waiting")]


def test_the_snapshot_and_the_batch_are_pinned_to_the_materialisation_of_the_run_that_published_it(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    publish(store, settings)
    report(instance)
    materialise(instance)
    report(instance)
    wake(instance)
    with store.read() as connection:
        pinned = [
            Pin.model_validate(row)
            for table in (snapshot, batch)
            for row in connection.execute(table.select()).mappings()
            for row in [row["pin"]]
        ]
    assert [(pin.run_id, pin.data_version) for pin in pinned] == [(RUN, SNAPSHOT)] * 2


def test_a_new_business_date_wakes_though_no_row_changed(
    settings: Settings, store: Store, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, settings)
    materialise(instance)
    wake(instance)
    assert not tick(instance).run_requests
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-06")
    assert len(tick(instance).run_requests or []) == 1
    assert wake(instance).success
    assert [date for date, _ in batches(store)] == ["2026-11-02", "2026-11-06"]


def test_an_event_reported_from_outside_wakes_nobody(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    report(instance)
    assert not tick(instance).run_requests
    publish(store, settings)
    report(instance)
    assert not tick(instance).run_requests
    assert not wake(instance).success
    assert not batches(store)
    assert not Exchange(settings.exchange).agents()


def test_the_event_of_another_run_than_the_one_that_published_wakes_nobody(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    publish(store, settings)
    materialise(instance, run_id=ANOTHER_RUN)
    assert not tick(instance).run_requests
    assert not batches(store)


def test_a_run_that_failed_is_asked_for_again_and_not_at_once(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    publish(store, settings)
    materialise(instance)
    [request] = tick(instance).run_requests or []
    instance.create_run_for_job(
        defs().resolve_job_def("wake"), tags=dict(request.tags), status=dg.DagsterRunStatus.FAILURE
    )
    again = tick(instance)
    assert not again.run_requests
    assert again.skip_message is not None
    assert "tried 1 times" in again.skip_message


def test_nothing_is_asked_for_while_the_same_work_is_being_done(
    settings: Settings, store: Store, instance: dg.DagsterInstance
) -> None:
    publish(store, settings)
    materialise(instance)
    [request] = tick(instance).run_requests or []
    instance.create_run_for_job(
        defs().resolve_job_def("wake"), tags=dict(request.tags), status=dg.DagsterRunStatus.STARTED
    )
    assert not tick(instance).run_requests
