"""Taking effects back and looking at what became of them, from the command line and through the real tool servers."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from orchestration.identity.person import Role
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.watch import watch
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede
from tests.integration.gate.world import World
from tests.unit.gate.case import rules


@pytest.fixture
def sent(home: Path) -> list[str]:
    """Three reminders that were sent: of the first the entity is split since, and a stranger wrote another."""
    with closing(open_store(Settings(home=home))) as store:
        world = World(home, store)
        world.publish()
        actions = world.remind()
        written = [*(key for key, _, _ in world.reminders()), "reminder:stranger"]
        world.shows = [
            {"_record": f"erp:customrecord_dunning:{number}", "custrecord_effect_key": key}
            | {"custrecord_created_by": "precede"}
            for number, key in enumerate(written, 1)
        ]
        world.split = {"crm:company:1": "org_new"}
        world.now, world.read_ago = datetime.now(UTC) + timedelta(minutes=1), timedelta()
        world.publish()
        watch(store, world.settings, rules().action_types, world.now)
        world.edit("outbox", {"action": actions[1]}, state="unknown", by_person=True)
    return actions


def test_an_operator_takes_back_what_is_tainted_and_everything_is_shown(
    precede: Precede, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, _ = sent
    (taint,) = precede("effects", "tainted", "--json").json
    assert (taint["action"], taint["how"], taint["undo"]) == (first, "split", f"precede undo {first} --reason …")
    assert f"precede undo {first}" in " ".join(precede("effects", "tainted").out.split())
    (incident,) = precede("effects", "incidents", "--json").json
    assert (incident["record_id"], incident["how"]) == ("erp:customrecord_dunning:4", "no_entry")
    assert "no entry of the ledger has that key" in " ".join(precede("effects", "incidents").out.split())

    refused = precede("undo", first, "--reason", "It was another firm.")
    assert (refused.code, refused.out) == (1, "")  # nobody showed a token
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    assert "needed operator" in precede("undo", first, "--reason", "It was another firm.").err
    assert precede("undo", first, "--reason", " ").code == 1
    signed_in(monkeypatch, "olga", Role.OPERATOR)
    done = precede("undo", first[:10], "--reason", "It was another firm.")
    assert (done.code, f"{first} is taken back, says olga" in done.out) == (0, True)
    again = precede("undo", first, "--reason", "Once more.", "--json")
    assert (again.code, json.loads(again.err)["error"]) == (1, "EffectRefused")
    assert precede("effects", "tainted").out == "No effect is tainted: each entity is the one that it was.\n"

    listed = {one["action"]: one for one in precede("effects", "list", "--json").json}
    assert (listed[first]["undo_state"], listed[first]["confirmed_record"]) == ("done", "erp:customrecord_dunning:1")
    (unknown,) = precede("effects", "list", "--only", "unknown", "--json").json
    assert unknown["settle"] == f"precede effects settle {second} done|failed --reason …"
    shown = precede("effects", "list").out
    assert "taken back" in shown
    assert all(row["entity_id"] in shown for row in listed.values())  # in a graph that gives it no other name
    assert "seen again in erp:customrecord_dunning:1" in shown
    assert precede("effects", "list", "--only", "missing").out == "There is no such effect.\n"
    (undo,) = precede("trace", first, "--json").json["undos"]
    assert (undo["by"], undo["reason"]) == ("olga", "It was another firm.")
    assert f"Taking back {undo['undo']}: done" in precede("trace", first).out


def test_a_reviewer_settles_what_no_tool_can_say(
    precede: Precede, sent: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _, second, third = sent
    assert precede("effects", "settle", second, "failed", "--reason", "Nothing there.").code == 1
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    # the store's row says that no tool can be asked, and the tool's own declaration that it can
    assert "can be asked again" in precede("effects", "settle", second, "failed", "--reason", "Nothing there.").err
    called_once = yaml.safe_load(Settings().tools.read_text("utf-8"))
    called_once["servers"]["erp"]["repeatable"] = {"write_payment_reminder": False}
    (tmp_path / "servers.yml").write_text(yaml.safe_dump(called_once), "utf-8")
    monkeypatch.setenv("PRECEDE_TOOLS", str(tmp_path / "servers.yml"))
    assert precede("effects", "settle", second, "unknown", "--reason", "Nothing there.").code == 2
    said = precede("effects", "settle", second, "done", "--reason", "It is there.", "--json").json
    assert said == {"effect": second, "action": second, "state": "done", "reason": "It is there.", "by": "rita"}
    assert "needed one that is unknown" in precede("effects", "settle", third, "failed", "--reason", "x").err


def test_an_empty_store_says_so(precede: Precede, told: Path) -> None:
    assert told.is_dir()
    assert precede("effects", "incidents").out.startswith("No incident")
    assert len(precede("effects", "list", "--json").json) == 1
    assert precede("effects", "incidents", "--json").json == []
