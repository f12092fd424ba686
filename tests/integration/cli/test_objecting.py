"""Recording objections and erasing somebody from the command line."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.graph_fixture import publish_graph
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede


@pytest.fixture
def ada(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a graph, and an operator at the command line."""
    with closing(open_store(Settings(home=home))) as store:
        publish_graph(store, Settings(home=home)).close()
    signed_in(monkeypatch, "ada", Role.OPERATOR)
    return home


@pytest.mark.usefixtures("ada")
def test_an_objection_is_recorded_listed_and_withdrawn(precede: Precede) -> None:
    made = precede("object", "person_ben", "--reason", "He wrote to us", "--json").json
    assert (made["of"], made["by"]) == ("entity", "ada")
    unknown = precede("object", "someone@new.example", "--reason", "She called")
    assert (unknown.code, "No record in the graph states that mailbox" in unknown.out) == (0, True)
    shown = precede("objections", "list").out
    assert "person_ben" in shown
    assert "someone@new.example" in shown
    assert precede("objections", "withdraw", made["objection"], "--reason", "He asked").code == 0
    states = {row["said"]: row["withdrawn_by"] for row in precede("objections", "list", "--json").json}
    assert states == {"person_ben": "ada", "someone@new.example": ""}
    assert precede("ledger", "verify").code == 0


def test_nobody_objects_or_erases_without_a_role_a_reason_or_somebody_to_mean(
    precede: Precede, ada: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "needed a few words" in precede("object", "person_ben", "--reason", " ").err
    assert "Nobody has the id" in precede("object", "person_zoe", "--reason", "x").err
    assert "needed either a person or --finish" in precede("erase").err
    assert "do not say who it is" in precede("erase", "person_ben").err
    assert "is an organisation" in precede("erase", "org_acme", "--reason", "asked").err
    assert precede("erase", "--finish", "--json").json["finished"] == []
    signed_in(monkeypatch, "rita", Role.AUDITOR)
    assert "needed operator" in precede("object", "person_ben", "--reason", "x").err
    assert "needed operator" in precede("erase", "person_ben", "--reason", "x").err
    assert precede("objections", "list").out == "Nobody objected.\n"
    assert not (ada / "keys" / "suppression.key").exists()
