"""A job in a child process: what it tells its parent, and what the parent says when it fails."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from orchestration.cli import processes
from orchestration.cli.dagster import prepare
from orchestration.cli.processes import Event, JobFailed, run_job
from orchestration.errors import PrecedeError
from orchestration.settings import Settings
from orchestration.work.environment import prepare_home

LOCATION = """
import os
import sys

import dagster as dg

from orchestration.errors import NoGraph


@dg.asset
def told():
    print("a stray line")
    return dg.MaterializeResult(metadata={"summary": "3 rows", "dagster/row_count": 3, "unchanged": True})


@dg.asset_check(asset="told", blocking=True, description="there is none")
def good():
    return dg.AssetCheckResult(passed=False, description="found 3 that offend; needed none")


@dg.asset
def refused():
    raise NoGraph("Nothing has been published yet; needed a graph; run `precede run`.")


@dg.asset
def broken():
    raise ValueError("one line\\nand another")


@dg.asset
def killed():
    sys.stderr.write("last words\\n")
    sys.stderr.flush()
    os._exit(9)


def defs():
    names = {"told": told, "refused": refused, "broken": broken, "killed": killed}
    selected = {name: dg.AssetSelection.assets(asset).without_checks() for name, asset in names.items()}
    jobs = [dg.define_asset_job(name, selection) for name, selection in selected.items()]
    jobs.append(dg.define_asset_job("checked", dg.AssetSelection.assets(told)))
    return dg.Definitions(list(names.values()), asset_checks=[good], jobs=jobs, executor=dg.in_process_executor)
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home, and a location `insight` whose module is the one above."""
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "odd_location.py").write_text(LOCATION)
    monkeypatch.setattr(processes, "locations", lambda: {"insight": "odd_location"})
    monkeypatch.setattr(processes, "PROJECT", tmp_path)
    settings = Settings(home=tmp_path / "home")
    prepare_home(settings)
    return settings


def events(settings: Settings, job: str) -> list[Event]:
    told: list[Event] = []
    run_job("insight", job, settings, told.append)
    return told


def test_a_job_tells_its_steps_and_what_came_of_them_and_nothing_stray(settings: Settings) -> None:
    told = events(settings, "told")
    assert [event.kind for event in told] == ["start", "asset", "done", "end"]
    assert (told[1].name, told[1].summary, told[1].rows, told[1].unchanged) == ("told", "3 rows", 3, True)
    assert "a stray line" in (settings.home / "logs" / "told.log").read_text()


def test_a_failed_job_says_its_own_sentence_and_where_its_log_is(settings: Settings) -> None:
    with pytest.raises(JobFailed) as failed:
        events(settings, "refused")
    log = settings.home / "logs" / "refused.log"
    said = "Nothing has been published yet; needed a graph; run `precede run`."
    assert str(failed.value) == f"{said} The log is {log}."
    assert "NoGraph" in log.read_text()


def test_an_error_that_no_user_can_meet_names_its_step(settings: Settings) -> None:
    with pytest.raises(JobFailed, match=r"^broken failed: one line\. The log is "):
        events(settings, "broken")


def test_a_failed_blocking_check_says_what_was_found_and_needed(settings: Settings) -> None:
    told: list[Event] = []
    with pytest.raises(JobFailed, match=r"^The check good failed: found 3 that offend; needed none The log"):
        run_job("insight", "checked", settings, told.append)
    assert [(event.name, event.passed, event.blocking) for event in told if event.kind == "check"] == [
        ("good", False, True)
    ]


def test_a_process_that_died_is_told_with_its_last_words(settings: Settings) -> None:
    with pytest.raises(JobFailed, match=r"ended early: last words\. The log is "):
        events(settings, "killed")


def test_a_location_that_is_not_installed_is_one_sentence(settings: Settings) -> None:
    with pytest.raises(PrecedeError, match="No code location 'action' is installed"):
        run_job("action", "propose", settings, lambda _: None)


def test_a_run_that_died_with_its_server_does_not_stand_in_the_way_for_ever(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(settings.dagster_home))
    job = dg.Definitions(jobs=[dg.JobDefinition(graph_def=dg.GraphDefinition("act"))]).resolve_job_def("act")
    with dg.DagsterInstance.get() as instance:
        died = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        by_hand = instance.create_run_for_job(
            job, status=dg.DagsterRunStatus.STARTED, tags={"precede/job": "act from the command line"}
        )
        prepare()
        found = {run.run_id: run.status for run in instance.get_runs()}
    assert found == {died.run_id: dg.DagsterRunStatus.FAILURE, by_hand.run_id: dg.DagsterRunStatus.STARTED}
