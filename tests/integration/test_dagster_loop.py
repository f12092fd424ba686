"""The three code locations one after the other on a small Northgate: what happens again, and what never does."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import select

import action.definitions
import insight.definitions
import orchestration.definitions
from examples.northgate.build import Targets, build
from examples.northgate.plan import Plan
from insight.publication.questions import BLOCKING
from orchestration.graph.current import current_snapshot
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from orchestration.work import act
from orchestration.work.environment import prepare_home

LOCATIONS = {
    "reconcile": insight.definitions,
    "wake": orchestration.definitions,
    "propose": action.definitions,
    "act": orchestration.definitions,
}


class House:
    """A home with everything in it, and the jobs run in this process."""

    def __init__(self, home: Path, environment: pytest.MonkeyPatch) -> None:
        environment.setenv("PRECEDE_HOME", str(home))
        environment.setenv("DAGSTER_HOME", str(home / "dagster"))
        environment.setenv("PRECEDE_BUSINESS_DATE", "2026-11-02")
        self.settings = Settings()

    @property
    def store(self) -> Store:
        return open_store(self.settings)

    def run(self, *jobs: str, fails: bool = False) -> dg.ExecuteInProcessResult:
        """Run jobs one after the other; the last one's result."""
        with dg.DagsterInstance.get() as instance:
            for job in jobs or LOCATIONS:
                definition = LOCATIONS[job].defs().resolve_job_def(job)
                result = definition.execute_in_process(instance=instance, raise_on_error=False)
                assert result.success is not fails
        return result

    def snapshot(self) -> str | None:
        with closing(self.store) as store, store.read() as connection:
            return current_snapshot(connection)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with closing(self.store) as store, store.read() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]

    def effects(self) -> list[str]:
        return sorted(row["effect_key"] for row in self.rows(tables.outbox) if row["state"] == "done")

    def reminders(self) -> list[str]:
        """The effect keys that stand in the ERP."""
        query = "SELECT custrecord_effect_key FROM customrecord_dunning WHERE custrecord_effect_key IS NOT NULL"
        return sorted(row[0] for row in self.do("erp", query))

    def do(self, system: str, statement: str) -> list[Any]:
        with closing(sqlite3.connect(self.settings.home / "northgate" / f"{system}.db")) as books, books:
            return books.execute(statement).fetchall()

    def problems(self) -> list[str]:
        with closing(self.store) as store, dg.DagsterInstance.get() as instance:
            return list(verify(store, instance).problems)

    def materialisations(self, result: dg.ExecuteInProcessResult) -> dict[str, dict[str, Any]]:
        return {
            made.asset_key.to_user_string(): {name: entry.value for name, entry in made.metadata.items()}
            for event in result.get_asset_materialization_events()
            for made in [event.step_materialization_data.materialization]
        }


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which everything ran, and ran again when its own reminders had come back from the ERP."""
    home = tmp_path_factory.mktemp("settled")
    with pytest.MonkeyPatch.context() as environment:
        house = House(home, environment)
        prepare_home(house.settings)
        build(Plan(records=600), Targets(home / "northgate"))
        house.run()
        house.run()
    return home


@pytest.fixture
def house(settled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A copy of that home."""
    home = tmp_path / "home"
    shutil.copytree(settled, home)
    return House(home, monkeypatch)


def test_the_first_run_performs_and_denies_and_every_effect_stands_in_the_erp_once(house: House) -> None:
    assert house.effects()
    assert house.reminders() == house.effects()
    assert len(set(house.effects())) == len(house.effects())
    assert {row["verdict"] for row in house.rows(tables.decision)} >= {"allow", "deny"}


def test_every_batch_is_closed_and_the_ledger_and_the_event_log_name_each_other(house: House) -> None:
    batches = [row for row in house.rows(tables.batch) if row["row_count"]]
    assert {row["state"] for row in batches} == {"closed"}
    assert all(row["pin"]["run_id"] and row["effects_pin"]["run_id"] for row in batches)
    assert house.problems() == []


def test_running_again_with_nothing_changed_does_nothing_and_reminds_nobody(house: House) -> None:
    snapshot, batches, reminders = house.snapshot(), house.rows(tables.batch), house.reminders()
    made = house.materialisations(house.run("reconcile"))
    assert {asset for asset, said in made.items() if not said["unchanged"]} == set()
    assert "entity_graph" in made
    house.run("wake", "propose", "act")
    assert house.snapshot() == snapshot
    assert house.rows(tables.batch) == batches
    assert house.reminders() == reminders


def test_a_quiet_source_stays_fresh(house: House) -> None:
    before = {row["source_table"]: row["read_at"] for row in house.rows(tables.watermark)}
    house.run("reconcile")
    after = {row["source_table"]: row["read_at"] for row in house.rows(tables.watermark)}
    assert all(after[table] > read_at for table, read_at in before.items())


def test_a_failed_blocking_check_leaves_the_last_good_graph_current_and_the_agents_asleep(house: House) -> None:
    snapshot, batches = house.snapshot(), house.rows(tables.batch)
    house.do("crm", "DELETE FROM contact WHERE rowid % 4 <> 0")
    result = house.run("reconcile", fails=True)
    checks = {
        event.asset_check_evaluation_data.check_name: event.asset_check_evaluation_data.passed
        for event in result.all_events
        if event.event_type_value == "ASSET_CHECK_EVALUATION"
    }
    assert [name for name, passed in checks.items() if not passed and name in BLOCKING] == ["enough_rows"]
    assert "entity_graph" not in house.materialisations(result)
    house.run("wake")
    assert house.snapshot() == snapshot
    assert house.rows(tables.batch) == batches


def test_materialising_the_graph_alone_does_not_get_past_a_failed_check(house: House) -> None:
    snapshot = house.snapshot()
    house.do("crm", "DELETE FROM contact WHERE rowid % 4 <> 0")
    house.run("reconcile", fails=True)
    definitions = insight.definitions.defs()
    alone = definitions.resolve_implicit_job_def_def_for_assets([dg.AssetKey("entity_graph")])
    assert alone is not None
    with dg.DagsterInstance.get() as instance:
        result = alone.execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey("entity_graph")], raise_on_error=False
        )
    assert not result.success
    assert house.snapshot() == snapshot


def test_an_invoice_that_falls_overdue_overnight_wakes_the_agent_though_no_row_changed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, before = house.snapshot(), set(house.reminders())
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-09")
    house.run("wake", "propose", "act")
    assert house.snapshot() == snapshot
    assert set(house.reminders()) > before


def test_a_graph_whose_lineage_was_wiped_lets_nobody_act_until_it_is_published_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot, before = house.snapshot(), house.reminders()
    with dg.DagsterInstance.get() as instance:
        instance.wipe_assets([dg.AssetKey("entity_graph")])
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-09")
    house.run("wake", fails=True)
    house.run()
    anew = house.snapshot()
    assert anew != snapshot
    assert set(house.reminders()) > set(before)
    house.run("reconcile")  # reads the new reminders back
    settled = house.snapshot()
    house.run("reconcile")
    assert house.snapshot() == settled


@pytest.mark.parametrize("broken", ["deliver", "report"])
def test_a_run_that_failed_is_run_again_without_repeating_an_effect(
    house: House, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    before = house.reminders()
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", "2026-11-09")
    house.run("wake", "propose")
    calls = []

    def breaks(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if broken == "deliver" and "batch_id" not in options:
            return ()
        raise OSError("the power went")

    with monkeypatch.context() as breaking:
        breaking.setattr(act, broken, breaks)
        house.run("act", fails=True)
    assert calls
    open_batches = [row for row in house.rows(tables.batch) if row["state"] != "closed"]
    assert len(open_batches) == 1

    house.run("act")
    house.run("act")
    written = house.reminders()
    assert len(written) > len(before)
    assert written == house.effects()
    assert len(set(written)) == len(written)
    assert {row["state"] for row in house.rows(tables.batch)} == {"closed"}
    assert house.problems() == []
