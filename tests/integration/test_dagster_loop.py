"""The three code locations one after the other on a small Northgate: what happens again, and what never does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import insight.definitions
from insight.publication.questions import BLOCKING
from orchestration.store import tables
from orchestration.work import act
from tests.integration.house import House


@pytest.fixture
def house(settled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A copy of a home in which everything ran."""
    home = tmp_path / "home"
    shutil.copytree(settled_home, home)
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
