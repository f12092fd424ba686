"""Store and Dagster's own record in two databases of one Postgres server: the jobs run, and each proves the other."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster_postgres.event_log import PostgresEventLogStorage

import action.definitions
import orchestration.definitions
from orchestration.errors import ConfigurationError
from orchestration.ledger import lineage
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.environment import prepare_home
from tests.conftest import new_database
from tests.graph_fixture import publish_graph
from tests.integration.test_dagster_wake import RUN, materialise

JOBS = {"wake": orchestration.definitions, "propose": action.definitions, "act": orchestration.definitions}


@pytest.fixture
def settings(tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("PRECEDE_EXCHANGE", "PRECEDE_AGENTS", "PRECEDE_ACTIONS", "PRECEDE_TOOLS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRECEDE_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-02")
    monkeypatch.setenv("PRECEDE_STORE_URL", new_database(postgres_url, f"store of {tmp_path}"))
    record = new_database(postgres_url, f"record of {tmp_path}").replace("postgresql:", "postgresql+psycopg2:")
    monkeypatch.setenv("PRECEDE_DAGSTER_URL", record)
    settings = Settings()
    prepare_home(settings)
    return settings


def events(settings: Settings, statement: str = "SELECT count(*) FROM event_logs") -> int:
    with psycopg.connect(str(settings.dagster_url).replace("+psycopg2", ""), autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return int(done.fetchall()[0][0]) if done.description else done.rowcount


def test_the_jobs_run_and_ledger_and_event_log_prove_each_other(settings: Settings) -> None:
    with closing(open_store(settings)) as store, dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, PostgresEventLogStorage)
        publish_graph(store, settings, run_id=RUN).close()
        materialise(instance, run_id=RUN)
        for name, module in JOBS.items():
            assert module.defs().resolve_job_def(name).execute_in_process(instance=instance).success
        with lineage.instance_at(settings.dagster_home) as found:
            held = verify(store, found, settings)
            assert (held.ok, held.lineage, held.problems) == (True, True, ())
            assert events(settings) > 0
            assert events(settings, "UPDATE event_logs SET event = replace(event, 'snap_fixture', 'snap_fixtura')")
            edited = verify(store, found, settings)
    assert not edited.ok
    assert "of entity_graph" in edited.problems[0]
    assert not list(settings.dagster_home.rglob("*.db"))


def test_a_configuration_that_says_otherwise_is_refused(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_home(settings)
    monkeypatch.delenv("PRECEDE_DAGSTER_URL")
    with pytest.raises(ConfigurationError, match="PRECEDE_DAGSTER_URL, which is not set"):
        prepare_home(settings)
    (settings.dagster_home / "dagster.yaml").unlink()
    prepare_home(settings)
    monkeypatch.setenv("PRECEDE_DAGSTER_URL", "postgresql+psycopg2://localhost/record")
    with pytest.raises(ConfigurationError, match="no PRECEDE_DAGSTER_URL, which is set"):
        prepare_home(settings)


@pytest.mark.parametrize("scheme", ["mysql", "postgresql", "postgresql+psycopg"])
def test_an_address_of_another_kind_is_refused_without_being_repeated(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_DAGSTER_URL", f"{scheme}://root:hunter2@db/record")
    with pytest.raises(ConfigurationError) as refused:
        Settings().dagster_url  # noqa: B018  reading it is what is tried
    assert "hunter2" not in str(refused.value)
