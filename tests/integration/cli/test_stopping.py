"""Stopping an agent from the command line, and letting it go on."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from orchestration.gate.stopping import stopped
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.tables import ledger_entry, ledger_payload
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede

pytestmark = pytest.mark.usefixtures("ada")


@pytest.fixture
def ada(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home == Settings().home
    signed_in(monkeypatch, "ada", Role.OPERATOR)


def halted(home: Path) -> dict[str, str]:
    with closing(open_store(Settings(home=home))) as store, store.read() as connection:
        return stopped(connection)


def recorded(home: Path) -> list[tuple[str, dict[str, str]]]:
    """Kind and payload of each ledger entry."""
    query = select(ledger_entry.c.kind, ledger_payload.c.payload).join(ledger_payload).order_by(ledger_entry.c.seq)
    with closing(open_store(Settings(home=home))) as store, store.read() as connection:
        return [(row.kind, json.loads(row.payload)) for row in connection.execute(query)]


def test_an_agent_is_stopped_and_goes_on_again(precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = precede("stop", "finance", "--reason", "too keen")
    assert (result.code, result.out) == (0, "finance is stopped, says ada: too keen\n")
    assert halted(home) == {"finance": "too keen"}
    signed_in(monkeypatch, "ben", Role.OPERATOR)
    assert precede("start", "finance", "--reason", "told off").code == 0
    assert halted(home) == {}
    assert recorded(home) == [
        ("agent_stopped", {"reason": "too keen", "operator": "ada"}),
        ("agent_started", {"reason": "told off", "operator": "ben"}),
    ]
    assert precede("ledger", "verify").code == 0


def test_nobody_is_stopped_by_somebody_who_is_no_operator(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    result = precede("stop", "finance", "--reason", "too keen")
    assert (result.code, result.out) == (1, "")
    assert "rita is identified with the roles: reviewer; needed operator;" in result.err
    monkeypatch.setenv("PRECEDE_TOKEN", "precede_" + "A" * 43)
    result = precede("stop", "finance", "--reason", "too keen", "--json")
    assert json.loads(result.err)["error"] == "NotIdentified"
    assert "A" * 43 not in result.err
    monkeypatch.delenv("PRECEDE_TOKEN")
    assert precede("start", "finance", "--reason", "why not").code == 1
    assert precede("stop", "finance", "--reason", "too keen", "--operator", "ada").code == 2
    assert (halted(home), recorded(home)) == ({}, [])


def test_both_give_json(precede: Precede) -> None:
    told = precede("stop", "finance", "--reason", "too keen", "--json").json
    assert told.pop("at").endswith("+00:00")
    assert told == {"agent": "finance", "state": "stopped", "changed": True, "reason": "too keen", "operator": "ada"}
    assert precede("start", "finance", "--reason", "x", "--json").json["state"] == "running"


def test_an_agent_that_was_not_stopped_is_left_alone(precede: Precede, home: Path) -> None:
    result = precede("start", "finance", "--reason", "why not")
    assert (result.code, "was not stopped" in result.out) == (0, True)
    assert recorded(home) == []


@pytest.mark.parametrize("command", ["stop", "start"])
def test_a_name_that_no_agent_has_is_refused_in_one_sentence(precede: Precede, home: Path, command: str) -> None:
    result = precede(command, "finnance", "--reason", "a slip")
    assert (result.code, result.out) == (1, "")
    assert "There is no agent 'finnance'; needed one of: finance" in result.err
    assert halted(home) == {}


def test_an_agent_whose_card_cannot_be_read_can_be_stopped(
    precede: Precede, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "agents" / "broken" / "agent.yml"
    card.parent.mkdir(parents=True)
    card.write_text("{", encoding="utf-8")
    monkeypatch.setenv("PRECEDE_AGENTS", str(tmp_path / "agents"))
    assert precede("stop", "broken", "--reason", "it is").code == 0
    assert halted(home) == {"broken": "it is"}


@pytest.mark.parametrize("arguments", [["--reason", " "], []])
def test_nobody_is_stopped_without_a_reason(precede: Precede, home: Path, arguments: list[str]) -> None:
    assert precede("stop", "finance", *arguments).code != 0
    assert halted(home) == {}
