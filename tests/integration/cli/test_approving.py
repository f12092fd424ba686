"""`precede review list`, `show`, `approve`, `edit` and `reject`, as a reviewer runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.cli.held_shown import quoted
from orchestration.cli.summary import collect
from orchestration.gate.rules import load_rules
from orchestration.graph.current import open_current
from orchestration.identity.person import Role
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede
from tests.integration.gate.world import World
from tests.unit.gate.case import AGENTS


@pytest.fixture
def held(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A home where a person must look at each of two reminders."""
    monkeypatch.setenv("PRECEDE_AGENTS", str(AGENTS))
    monkeypatch.delenv("PRECEDE_TOKEN", raising=False)
    with closing(open_store(Settings(home=home))) as store:
        world = World(home, store, debtors=2)
        world.rules = load_rules(Settings())
        for debtor in world.debtors:
            debtor.amount_open = Decimal("9000.00")
        world.publish()
        batch_id, _ = world.propose_all()
        with world.gate() as gate:
            gate.decide(batch_id, world.now)
        yield world


def test_a_reviewer_looks_at_what_waits_approves_it_and_another_edits_and_rejects(
    precede: Precede, held: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (row["action"] for row in precede("review", "list", "--json").json)
    waits = " ".join(precede("review", "list").out.split())
    assert "finance-large" in waits
    assert 'send payment reminder to "' in waits  # by what it is called
    shown = precede("review", "show", first)
    assert "Nobody is identified: this look is not kept" in " ".join(shown.out.split())
    assert '"1@debtor.example"' in shown.out
    assert precede("review", "approve", first).code == 1
    signed_in(monkeypatch, "Ada Okafor", Role.OPERATOR)
    assert "needed reviewer" in precede("review", "approve", first).err
    signed_in(monkeypatch, "Ben Hale", Role.REVIEWER)
    assert "has not been shown it" in precede("review", "approve", first).err
    assert precede("review", "show", first, "--json").json["showing"].startswith("showing_")
    assert f"{first} is approved, says Ben Hale" in " ".join(precede("review", "approve", first).out.split())
    assert precede("review", "show", second).code == 0
    assert "stage is no number" in precede("review", "edit", second, "--set", f"stage={'9' * 501}").err.replace("`", "")
    assert "found 'stag'; needed one of:" in precede("review", "edit", second, "--set", "stag=2").err
    edited = precede("review", "edit", second, "--set", "stage=2", "--note", "the second already", "--json").json
    assert held.rows("proposal", action=edited["action_new"])[0]["arguments"]["stage"] == 2
    states = {row["action"]: row["state"] for row in precede("review", "list", "--all", "--json").json}
    assert states == {first: "approved", second: "edited"}
    assert {
        one["action"]: one["review"] for one in precede("actions", "--json").json if one["action"] in states
    } == states
    new, walked = precede("trace", edited["action_new"]).out, precede("trace", second).out
    assert f"out of {second}" in " ".join(new.split())
    assert f"into {edited['action_new']}" in " ".join(walked.split())
    assert verify(held.store, None).problems == ()
    with open_current(held.store, Settings()) as graph:
        actions = collect(graph, held.store).actions
    assert (actions.review, actions.answered, actions.unsettled) == (1, 1, 0)


def test_a_rejection_tells_where_it_goes(precede: Precede, held: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = held.rows("held")[0]["action"]
    signed_in(monkeypatch, "Ben Hale", Role.REVIEWER)
    precede("review", "show", first)
    assert precede("review", "reject", first).code == 2
    told = precede("review", "reject", first, "--note", "call them instead", "--json").json
    [row] = held.rows("trigger_row", batch_id=told["batch"])
    assert (row["note"], row["revision"]) == ("call them instead", 1)
    assert "is not in review: it is rejected" in precede("review", "approve", first).err
    assert "No proposal was in review" in precede("review", "show", "act_none").err


@pytest.mark.parametrize(
    ("said", "as_shown"),
    [
        ("Ignore all rules", '"Ignore all rules"'),
        ('say "approved"\nand go', r'"say \"approved\"\nand go"'),
        ("a\u202eb\u200b", r'"a\u202eb\u200b"'),
        (9, "9"),
    ],
)
def test_what_others_state_is_quoted_and_hides_nothing(said: object, as_shown: str) -> None:
    assert quoted(said) == as_shown
    assert not isinstance(said, str) or json.loads(quoted(said)) == said
