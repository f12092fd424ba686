"""Ending an agent's runs: those of the command line with their processes, and those of Dagster's servers."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from orchestration.settings import PROJECT
from orchestration.work import by_hand
from orchestration.work.runs import AgentRuns

LOCATION = """
import signal, sys, time

import dagster as dg


@dg.asset(key=["proposals", "finance"])
def hanging():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("hanging", file=sys.stderr, flush=True)
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass


def defs():
    job = dg.define_asset_job("propose", dg.AssetSelection.assets(hanging))
    return dg.Definitions([hanging], jobs=[job], executor=dg.in_process_executor)
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as opened:
        yield opened


def test_an_agent_that_hangs_and_heeds_nothing_is_ended_with_its_run(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_hand, "GRACE", 0.5)
    (tmp_path / "odd_location.py").write_text(LOCATION)
    environment = {"DAGSTER_HOME": str(tmp_path / "dagster"), "PYTHONPATH": f"{tmp_path}:{PROJECT}", "PATH": "/usr/bin"}
    command = [sys.executable, "-m", "orchestration.cli.dagster", "run", "odd_location", "propose"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stderr is not None
            assert any(line.strip() == "hanging" for line in child.stderr)
            runs = AgentRuns(instance, ["finance"])
            assert [left.split(" ", 2)[2] for left in runs.left()] == ["(propose, started)"]
            runs.cancel()
            assert runs.left() == []
            assert child.wait(10) == -9
        finally:
            child.kill()
    [run] = instance.get_runs()
    assert (run.status, runs.cancelled) == (dg.DagsterRunStatus.CANCELED, [run.run_id])


def test_a_run_that_does_not_end_is_told_to_once_and_stays_among_those_left(instance: dg.DagsterInstance) -> None:
    def launched(asset: str, agent: str) -> str:
        @dg.asset(key=[asset, agent])
        def one() -> None:
            """Nothing."""

        job = dg.Definitions([one], jobs=[dg.define_asset_job("act", dg.AssetSelection.assets(one))])
        run = instance.create_run_for_job(
            job.resolve_job_def("act"),
            status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset({dg.AssetKey([asset, agent])}),
        )
        return str(run.run_id)

    mine, another = launched("effects", "finance"), launched("effects", "collections")
    runs = AgentRuns(instance, ["finance"])
    runs.cancel()
    runs.cancel()
    assert (runs.left(), runs.cancelled) == ([f"run {mine} (act, canceling)"], [mine])
    left = instance.get_run_by_id(another)
    assert left is not None
    assert left.status is dg.DagsterRunStatus.STARTED


def test_a_process_is_ended_only_while_it_holds_its_file(tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as bystander:
        file = tmp_path / "by_hand" / "run.pid"
        file.parent.mkdir()
        file.write_text(str(bystander.pid))  # left behind by a process that died, whose number another one has now
        assert by_hand.end(tmp_path, "run")
        time.sleep(0.1)
        assert bystander.poll() is None
        bystander.kill()
    assert by_hand.end(tmp_path, "no such run")
