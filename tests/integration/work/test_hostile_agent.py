"""Agent code that looks for a way past the gate, in the very process that agent code runs in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli.processes import run_job
from orchestration.contracts import Verdict
from orchestration.gate.gate import Gate
from orchestration.gate.keys import signing_key
from orchestration.gate.rules import load_rules
from orchestration.registry import load_agent
from orchestration.settings import PROJECT
from orchestration.store import tables
from orchestration.work.environment import BASICS, location_environment, prepare_home
from tests.waking import NOW, World

HOSTILE = PROJECT / "tests" / "fixtures" / "agents" / "hostile"
SECRETS = {
    "PRECEDE_CRM_URL": "postgresql://reader:hunter2@db/crm",
    "PRECEDE_ERP_URL": "postgresql://reader:hunter2@db/erp",
    "PRECEDE_ERP_WRITE_URL": "postgresql://writer:hunter2@db/erp",
    "AWS_SECRET_ACCESS_KEY": "hunter2",
}
NEVER_LOADED = ("orchestration.store", "orchestration.graph", "orchestration.gate", "orchestration.ledger", "insight")


@pytest.fixture
def besieged(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A home with everything worth stealing, in which the hostile agent and finance have been woken."""
    shutil.copytree(HOSTILE, tmp_path / "agents" / "hostile")
    monkeypatch.setenv("PRECEDE_AGENTS", str(tmp_path / "agents"))
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    world.settings = type(world.settings)()
    world.agents |= {"hostile": load_agent(tmp_path / "agents" / "hostile")}
    signing_key(world.settings.keys)
    prepare_home(world.settings)
    assert len([wake for wake in world.wake(now=datetime.now(UTC)) if wake.batch]) == 2
    return world


@pytest.fixture
def after(besieged: World) -> tuple[World, dict[str, Any]]:
    """The same once the hostile agent has answered, with what it reports."""
    run_job("action", "propose", besieged.settings, lambda _: None)
    return besieged, json.loads((besieged.exchange.root / "report.json").read_text())


def holdings(report: dict[str, Any], home: Path) -> list[str]:
    """Everything in a report that would help to act past the gate."""
    settings_of_ours = {"PRECEDE_HOME", "DAGSTER_HOME", "PRECEDE_AGENTS", "PRECEDE_EXCHANGE", *BASICS}
    precious = ("store.db", "graph", "keys", "landing", "stages")
    return [
        *(f"variable {name}" for name in report["environment"] if name not in settings_of_ours | {"LC_CTYPE"}),
        *(
            f"handle {path}"
            for path in report["handles"]
            if path.startswith(tuple(str(home / each) for each in precious))
        ),
        *(f"module {name}" for name in report["modules"] if name.startswith(NEVER_LOADED)),
        *(f"object {name}" for name in report["objects"]),
        *(f"file {path}" for path, kind in report["files"].items() if kind != "database" or "/dagster/" not in path),
        *(f"attempt {name}" for name, outcome in report["attempts"].items() if outcome == "found"),
        *(["argument"] if "hunter2" in json.dumps(report) else []),
    ]


def test_the_agents_process_holds_no_credential_key_store_or_graph(after: tuple[World, dict[str, Any]]) -> None:
    world, report = after
    assert holdings(report, world.settings.home) == []
    assert set(report["attempts"]) == {"store", "current", "analysts", "key", "tools"}


def test_the_same_search_finds_them_in_a_process_that_does_hold_them(besieged: World) -> None:
    environment = location_environment("orchestration", besieged.settings, os.environ) | SECRETS
    probe = "import json; from action.loading import load_workflow as load; from pathlib import Path; import sys; "
    probe += f"load(Path({str(HOSTILE / 'agent.py')!r})); "
    probe += "print(json.dumps(sys.modules['precede_agents.hostile'].search()))"
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    report = json.loads(done.stdout)
    assert report["attempts"] == dict.fromkeys(("store", "current", "analysts", "key", "tools"), "found")
    assert {"graph", "key", "database"} <= set(report["files"].values())
    assert "argument" in holdings(report, besieged.settings.home)


def test_what_it_proposes_for_others_is_refused_or_denied(after: tuple[World, dict[str, Any]]) -> None:
    world, _ = after
    taken = {(one.agent, one.batch_id): one for one in world.take_in(datetime.now(UTC))}
    own = next(row["batch_id"] for row in world.rows(tables.batch) if row["agent"] == "hostile")
    finances = next(row["batch_id"] for row in world.rows(tables.batch) if row["agent"] == "finance")

    assert {row["batch_id"] for row in world.rows(tables.proposal)} == {own}
    assert set(taken) == {
        ("hostile", own), ("hostile", finances), ("hostile", "made-up"), ("coordinator", own), ("finance", finances),
    }  # fmt: skip
    for agent, batch_id in (("hostile", finances), ("hostile", "made-up"), ("coordinator", own)):
        assert taken[agent, batch_id].refusal == f"{agent} was given no batch {batch_id}"
    assert (taken["finance", finances].code, taken["finance", finances].waits) == ("another_agent", True)
    assert world.exchange.waiting("finance") == [finances]
    with Gate(world.store, world.settings, load_rules(world.settings), holds=lambda _pin: True) as gate:
        decisions = gate.decide(own, NOW)
    assert len(decisions) == len(world.rows(tables.proposal))
    for decision in decisions:
        assert decision.verdict is Verdict.DENY
        assert "not_the_woken_entity" in {reason.code for reason in decision.reasons}


def test_no_credential_stands_in_a_log_or_in_dagsters_records(besieged: World) -> None:
    tokens = [path.read_bytes() for path in besieged.exchange.root.rglob("credential.jwt")]
    run_job("action", "propose", besieged.settings, lambda _: None)
    besieged.take_in(datetime.now(UTC))
    besieged.store.close()
    home = besieged.settings.home
    files = [path for path in home.rglob("*") if path.is_file() and besieged.exchange.root not in path.parents]
    assert {"propose.log", "store.db"} <= {path.name for path in files}
    assert len(tokens) == 2
    for path in files:
        content = path.read_bytes()
        assert not [token for token in tokens if any(piece in content for piece in token.split(b".")[1:])], path


def test_what_it_left_in_the_exchange_leads_nowhere(after: tuple[World, dict[str, Any]]) -> None:
    world, _ = after
    assert (world.exchange.root / "linked").is_symlink()
    assert "linked" not in world.exchange.agents()
    world.take_in(datetime.now(UTC))
    assert world.settings.keys.is_dir()
    assert world.take_in(datetime.now(UTC)) == []
