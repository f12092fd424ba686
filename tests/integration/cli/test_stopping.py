"""Stopping an agent from the command line, and letting it go on."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orchestration.gate.stopping import stopped
from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.presence import at_work, present
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
        return dict(stopped(connection).agents)


def recorded(home: Path) -> list[tuple[str, dict[str, Any]]]:
    """Kind and payload of each ledger entry."""
    query = select(ledger_entry.c.kind, ledger_payload.c.payload).join(ledger_payload).order_by(ledger_entry.c.seq)
    with closing(open_store(Settings(home=home))) as store, store.read() as connection:
        return [(row.kind, json.loads(row.payload)) for row in connection.execute(query)]


def test_an_agent_is_stopped_and_goes_on_again(precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = precede("stop", "finance", "--reason", "too keen")
    assert result.code == 0
    said, proven = result.out.splitlines()
    assert said == "finance is stopped, says ada: too keen"
    assert re.fullmatch(r"Nothing of it runs or delivers any more\. That took \d\.\d seconds\.", proven)
    assert halted(home) == {"finance": "too keen"}
    signed_in(monkeypatch, "ben", Role.OPERATOR)
    assert precede("start", "finance", "--reason", "told off").code == 0
    assert halted(home) == {}
    (first, stop), (second, start) = recorded(home)
    assert (first, stop["stop"]["reason"], stop["stop"]["operator"]) == ("stopped", "too keen", "ada")
    assert (second, start) == ("started", {"reason": "told off", "operator": "ben"})
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
    proof = told.pop("proof")
    assert (proof["proven"], proof["still"]) == (True, [])
    nothing: dict[str, list[str]] = {"credentials": [], "batches": [], "permits": [], "effects": [], "sending": []}
    scope = {"stop": 1, "scope": "agent", "name": "finance", "state": "stopped"}
    assert told == {**scope, "reason": "too keen", "operator": "ada", **nothing}
    assert precede("start", "finance", "--reason", "x", "--json").json["state"] == "running"


def test_what_is_stopped_is_listed_and_what_another_stop_covers_stays(precede: Precede) -> None:
    for what in (["finance"], ["--all"], ["--action-type", "send_payment_reminder"]):
        assert precede("stop", *what, "--reason", "an incident").code == 0
    shown = precede("stops", "--json").json
    assert [(stop["scope"], stop["name"]) for stop in shown] == [
        ("agent", "finance"), ("all", ""), ("action_type", "send_payment_reminder"),
    ]  # fmt: skip
    assert precede("stops").out.count("an incident") == 3
    assert "It stays stopped, since all agents are." in precede("start", "finance", "--reason", "over").out
    assert precede("start", "--all", "--reason", "over").code == 0
    assert [stop["number"] for stop in precede("stops", "--json").json] == [3]
    assert len(precede("stops", "--all", "--json").json) == 3
    assert precede("ledger", "verify").code == 0


def test_what_still_runs_is_told_and_the_stop_is_in_force(precede: Precede, home: Path) -> None:
    with closing(open_store(Settings(home=home))) as store, present(store, at_work("finance")):
        result = precede("stop", "finance", "--reason", "too keen", "--timeout", "0.2")
        assert result.code == 1
        assert "still there: a process that decides and delivers for finance." in result.err
        told = precede("stop", "finance", "--reason", "again", "--timeout", "0", "--json")
        assert (told.code, told.json["proof"]["proven"]) == (1, False)
    assert halted(home) == {"finance": "again"}
    assert "not proven" in precede("stops").out
    assert precede("ledger", "verify").code == 0


def test_people_are_told_and_a_program_that_fails_keeps_nothing_from_stopping(
    precede: Precede, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRECEDE_NOTIFY", "/bin/false")
    failed = precede("stop", "finance", "--reason", "too keen")
    assert (failed.code, "it is tried again: /bin/false ended with 1" in failed.err) == (0, True)
    assert halted(home) == {"finance": "too keen"}
    monkeypatch.setenv("PRECEDE_NOTIFY", f"/usr/bin/tee -a {tmp_path / 'told'}")
    assert precede("start", "finance", "--reason", "told off").code == 0
    kinds = [json.loads(told)["kind"] for told in (tmp_path / "told").read_text().replace("}{", "}\n{").splitlines()]
    assert kinds == ["start"]
    assert [row["kind"] for row in precede("notifications", "--json").json] == ["stop", "stop_proven"]


@pytest.mark.parametrize("what", [[], ["finance", "--all"], ["--all", "--action-type", "x"]])
def test_exactly_one_thing_is_stopped_at_a_time(precede: Precede, home: Path, what: list[str]) -> None:
    assert "needed one of: an agent, --action-type, --all" in precede("stop", *what, "--reason", "why").err
    assert recorded(home) == []


def test_an_agent_that_was_not_stopped_is_left_alone(precede: Precede, home: Path) -> None:
    result = precede("start", "finance", "--reason", "why not")
    assert (result.code, result.out) == (0, "finance is not stopped; nothing is recorded.\n")
    assert recorded(home) == []


@pytest.mark.parametrize("command", ["stop", "start"])
def test_a_name_that_no_agent_has_is_refused_in_one_sentence(precede: Precede, home: Path, command: str) -> None:
    result = precede(command, "finnance", "--reason", "a slip")
    assert (result.code, result.out) == (1, "")
    assert "There is no agent 'finnance'; needed one of: finance" in result.err
    assert "There is no action type" in precede(command, "--action-type", "send", "--reason", "a slip").err
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
