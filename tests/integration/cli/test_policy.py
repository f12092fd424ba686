"""Checking policies, explaining a decision and trying a change out, from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import update

from orchestration.gate.rules import load_rules
from orchestration.settings import PROJECT, Settings
from orchestration.store import tables
from orchestration.store.engine import open_store
from tests.integration.cli.conftest import Precede
from tests.integration.gate.world import World
from tests.unit.gate.case import AGENTS

LARGE = 'decimal("5000.0")'


@dataclass
class Decided:
    """Three debtors' reminders, decided and performed by agents whose files can be changed."""

    world: World
    actions: list[str]
    folder: Path

    @property
    def policy(self) -> Path:
        return self.folder / "finance" / "policy.cedar"

    def edit(self, table: str, values: dict[str, Any], **where: Any) -> None:
        found = tables.metadata.tables[table]
        with self.world.store.begin() as connection:
            wanted = [found.c[name] == value for name, value in where.items()]
            connection.execute(update(found).where(*wanted).values(**values))


@pytest.fixture
def decided(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Decided]:
    folder = Path(copytree(AGENTS, tmp_path / "agents"))
    monkeypatch.setenv("PRECEDE_AGENTS", str(folder))
    with closing(open_store(Settings(home=home))) as store:
        world = World(home, store)
        world.rules = load_rules(Settings(home=home, agents=folder, actions=PROJECT / "orchestration" / "actions"))
        world.debtors[1].amount_open = Decimal("9000.00")
        world.debtors[2].disputed = True
        world.publish()
        batch_id, actions = world.propose_all()
        with world.gate() as gate:
            gate.decide(batch_id, world.now)
            gate.perform_batch(batch_id, world.now)
        for file in world.settings.snapshots.iterdir():
            file.unlink()  # what is explained and tried out rests on what was kept alone
        yield Decided(world, actions, folder)


def test_policies_are_checked_with_their_names_and_what_they_hold(precede: Precede, decided: Decided) -> None:
    listed = precede("policy", "check", "--json").json
    assert [each["agent"] for each in listed] == ["collections", "finance"]
    assert listed[1]["policies"] == ["finance-large", "finance-never-the-crown", "finance-remind"]
    assert listed[1]["review"] == ["finance-large"]
    assert {"core-standing", "core-credential", "core-residency"} < set(listed[1]["core"])
    said = precede("policy", "check")
    assert (said.code, "finance-remind" in said.out) == (0, True)
    assert decided.actions


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("context.invoice.amount_open", "context.invoice.amount", "for policy `finance-large`"),
        ("permit (principal", "permit [principal", "policies in Cedar"),
        ('@id("finance-remind")', '@id("core-mine")', "core-"),
    ],
)
def test_a_policy_file_that_cannot_be_is_refused_and_named(
    precede: Precede, decided: Decided, old: str, new: str, said: str
) -> None:
    changed = decided.folder / "changed.cedar"
    changed.write_text(decided.policy.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    result = precede("policy", "check", str(changed), "--agent", "finance")
    assert result.code == 1
    assert str(changed) in result.err
    assert said in result.err


def test_a_file_is_of_the_agent_in_whose_folder_it_is_or_that_is_named(precede: Precede, decided: Decided) -> None:
    assert [each["agent"] for each in precede("policy", "check", str(decided.policy), "--json").json] == ["finance"]
    elsewhere = decided.folder / "elsewhere.cedar"
    elsewhere.write_text(decided.policy.read_text(encoding="utf-8"), encoding="utf-8")
    refused = precede("policy", "check", str(elsewhere))
    assert refused.code == 1
    assert f"{elsewhere} is in no agent's folder" in refused.err
    assert "name one of collections, finance with --agent" in refused.err
    assert "No agent is called 'finances'" in precede("policy", "check", str(elsewhere), "--agent", "finances").err
    gone = precede("policy", "check", str(decided.folder / "gone.cedar"), "--agent", "finance")
    assert "gone.cedar: found No such file or directory; needed" in gone.err


EXPLAINED = (
    "Why finance-remind permits it. Policies that applied finance-remind permits it",
    "Why finance-large sends it to review. Policies that applied finance-large sends it to review; it saw",
    "erp:transaction:3 is disputed, and must not be. (invoice disputed) Policies that applied core-standing forbids it",
)


@pytest.mark.parametrize(
    ("which", "verdict", "satisfied"),
    [
        (0, "allow", {"finance-remind"}),
        (1, "review", {"finance-remind", "finance-large"}),
        (2, "deny", {"finance-remind", "core-standing"}),
    ],
)
def test_a_decision_explained_comes_to_the_same_from_what_was_kept_of_it(
    precede: Precede, decided: Decided, which: int, verdict: str, satisfied: set[str]
) -> None:
    result = precede("policy", "explain", decided.actions[which], "--json")
    told = result.json
    assert (result.code, told["verdict"], told["comes_to"], told["same"]) == (0, verdict, verdict, True)
    assert {each["name"] for each in told["policies"] if each["satisfied"] == "yes"} == satisfied
    large = next(each for each in told["policies"] if each["name"] == "finance-large")
    assert large["effect"] == "review"
    assert large["facts"] == {"context.invoice.amount_open": ("120.0000", "9000.0000", "120.0000")[which]}
    crown = next(each for each in told["policies"] if each["name"] == "finance-never-the-crown")
    assert crown["facts"] == {"context.organisation.vat_number": None}
    said = precede("policy", "explain", decided.actions[which][:9])
    assert "it comes to the same" in said.out
    assert f"was {('allowed', 'sent to review', 'denied')[which]}, by the policies" in said.out
    assert EXPLAINED[which] in " ".join(said.out.split())
    assert max(map(len, said.out.splitlines())) <= 100


def test_a_decision_is_explained_by_the_policies_of_then_whatever_was_changed_since(
    precede: Precede, decided: Decided
) -> None:
    decided.policy.write_text('@id("new")\npermit (principal, action, resource);', encoding="utf-8")
    assert precede("policy", "explain", decided.actions[1], "--json").json["same"]


def test_facts_or_policies_that_were_edited_since_are_told(precede: Precede, decided: Decided) -> None:
    store, (first, second, third) = decided.world.store, decided.actions
    with store.read() as connection:
        evidence = tables.evidence.c
        kept = connection.execute(tables.evidence.select().where(evidence.action == second)).mappings().one()
    saw = dict(kept["policy_request"])
    saw["request"]["context"]["invoice"]["amount_open"]["__extn"]["arg"] = "10.0000"
    decided.edit("evidence", {"policy_request": saw}, action=second)
    result = precede("policy", "explain", second)
    assert result.code == 1
    assert "they were edited" in result.out
    assert "It was review, and comes to allow." in " ".join(result.out.split())
    decided.edit("evidence", {"policy_request": None}, action=third)
    assert "not kept any more" in precede("policy", "explain", third).out
    decided.edit("policy_set", {"policies": {}})
    said = precede("policy", "explain", first)
    assert (said.code, "not in the store as they were" in " ".join(said.out.split())) == (1, True)
    told = precede("ledger", "verify").out
    assert "the policies" in told
    assert f"the evidence of action {second}" in told


def test_a_decision_that_policy_was_not_asked_of_says_so(precede: Precede, decided: Decided) -> None:
    batch_id = decided.world.wake("collections")
    action = decided.world.propose(batch_id, decided.world.debtors[0], organisation="org_nobody")
    with decided.world.gate() as gate:
        gate.decide(batch_id, decided.world.now)
    result = precede("policy", "explain", action)
    assert result.code == 1
    assert "policy was not asked" in " ".join(result.out.split())
    assert precede("policy", "explain", "act_nothing").code == 1


def test_what_a_changed_file_would_have_altered_is_shown_and_nothing_else(precede: Precede, decided: Decided) -> None:
    changed = decided.folder / "changed.cedar"
    text = decided.policy.read_text(encoding="utf-8")
    said = ("policy", "try", str(changed), "--agent", "finance", "--json")
    changed.write_text(text, encoding="utf-8")
    same = precede(*said).json
    assert (same["decided"], same["asked"], same["altered"]) == (3, 3, [])
    changed.write_text(text.replace(LARGE, 'decimal("50.0")'), encoding="utf-8")
    (held,) = precede(*said).json["altered"]
    assert (held["action"], held["was"], held["would_be"]) == (decided.actions[0], "allow", "review")
    changed.write_text(text.replace(LARGE, 'decimal("50000.0")'), encoding="utf-8")
    (freed,) = precede(*said).json["altered"]
    assert (freed["action"], freed["was"], freed["would_be"]) == (decided.actions[1], "review", "allow")
    changed.write_text(text + '@id("freeze")\nforbid (principal, action, resource);', encoding="utf-8")
    frozen = precede(*said).json["altered"]
    assert {each["action"]: each["would_be"] for each in frozen} == dict.fromkeys(decided.actions[:2], "deny")
    shown = precede("policy", "try", str(changed), "--agent", "finance").out
    assert "1 from allow to deny" in shown
    assert "1 from review to deny" in shown
    assert decided.policy.read_text(encoding="utf-8") == text


def test_what_the_policies_as_they_stand_would_alter_already_is_told_apart(precede: Precede, decided: Decided) -> None:
    text = decided.policy.read_text(encoding="utf-8").replace(LARGE, 'decimal("50.0")')
    decided.policy.write_text(text, encoding="utf-8")
    trial = precede("policy", "try", str(decided.policy), "--json").json
    assert (len(trial["altered"]), trial["already"]) == (1, 1)


def test_no_policy_tried_out_grants_what_standing_refused(precede: Precede, decided: Decided) -> None:
    changed = decided.folder / "changed.cedar"
    changed.write_text('@id("all")\npermit (principal, action, resource);', encoding="utf-8")
    altered = precede("policy", "try", str(changed), "--agent", "finance", "--json").json["altered"]
    assert [each["action"] for each in altered] == [decided.actions[1]]


def test_only_proposals_of_the_days_asked_for_are_tried_out(precede: Precede, decided: Decided) -> None:
    decided.edit("proposal", {"proposed_at": decided.world.now.replace(year=2020)}, action=decided.actions[0])
    said = ("policy", "try", str(decided.policy), "--json")
    assert precede(*said).json["decided"] == 2
    assert precede(*said, "--days", "9999").json["decided"] == 3
