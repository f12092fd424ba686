"""What was allowed, and is asked about once more when it is to happen: policy, limits, action type, business date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orchestration.action_types import load_action_types
from orchestration.contracts import Decision, Verdict
from orchestration.errors import PermitRefused
from orchestration.gate.gate import Gate
from orchestration.gate.limits import count
from orchestration.gate.limits.usage import Usage
from orchestration.gate.perform import Effect
from orchestration.gate.policy_files import load_policies
from orchestration.gate.rules import Rules
from orchestration.ledger.chain import append
from orchestration.ledger.verify import verify
from orchestration.registry import load_agents
from orchestration.settings import PROJECT
from tests.integration.gate.approving import LARGE, approve, held, sound, state
from tests.integration.gate.world import TODAY, World
from tests.unit.gate.case import AGENTS

Tightened = Callable[..., Gate]
TOMORROW = TODAY + timedelta(days=1)
FREEZE = '@id("finance-freeze")\nforbid (principal, action, resource);\n'
HOLD = '@id("finance-hold")\n@decision("review")\nforbid (principal, action, resource);\n'


@pytest.fixture
def world(either_world: World) -> World:
    """Three debtors, published; the store is in SQLite, and then in Postgres."""
    return either_world


@pytest.fixture
def tightened(world: World, tmp_path: Path) -> Tightened:
    """Makes a gate whose rules are otherwise than those that decided."""

    def make(policy: str = "", card: tuple[str, str] = ("", ""), action_type: tuple[str, str] = ("", "")) -> Gate:
        agents, actions = tmp_path / "rules" / "agents", tmp_path / "rules" / "actions"
        copytree(AGENTS, agents)
        copytree(PROJECT / "orchestration" / "actions", actions)
        finance = agents / "finance"
        (finance / "policy.cedar").write_text((finance / "policy.cedar").read_text() + policy)
        _replace(finance / "agent.yml", *card)
        _replace(actions / "send_payment_reminder.yml", *action_type)
        types, known = load_action_types(actions), load_agents(agents)
        return Gate(
            world.store, world.settings, Rules(types, known, load_policies(known, types)), holds=lambda _pin: True
        )

    return make


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new) if old else text)


def came_to(answer: Effect | Decision) -> list[str]:
    """The verdict and the codes of what speaks against it."""
    if isinstance(answer, Effect):
        return ["effect"]
    return [answer.verdict.value, *(reason.code for reason in answer.reasons)]


def test_a_policy_that_forbids_it_since_voids_the_permit(world: World, tightened: Tightened) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with tightened(policy=FREEZE) as gate:
        assert [came_to(each) for each in gate.perform_batch(batch_id, world.now)] == [["deny", "forbidden"]] * 3
        assert gate.perform_batch(batch_id, world.now) == []
    last = world.rows("decision", action=actions[0])[-1]
    assert (last["verdict"], last["policies"], last["transient"]) == ("deny", ["finance-freeze"], False)
    assert world.rows("outbox") == []
    assert verify(world.store, None).problems == ()


def test_a_policy_that_holds_it_for_a_person_since_leaves_it_to_the_person(world: World, tightened: Tightened) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with tightened(policy=HOLD, card=("[finance-large]", "[finance-large, finance-hold]")) as gate:
        answer = gate.perform(actions[0], world.now)
    assert isinstance(answer, Decision)
    assert answer.verdict is Verdict.REVIEW
    assert world.rows("outbox") == []


def test_what_was_allowed_after_it_was_held_and_needs_a_person_again_can_be_answered(
    world: World, tightened: Tightened
) -> None:
    amounts = [debtor.amount_open for debtor in world.debtors]
    for debtor in world.debtors:
        debtor.amount_open = LARGE
    world.publish()
    batch_id, actions = held(world)
    for debtor, amount in zip(world.debtors, amounts, strict=True):
        debtor.amount_open = amount
    world.now += timedelta(seconds=9)
    world.publish()
    with world.gate() as gate:
        gate.recheck("finance", world.now)
    assert [state(world, action)[0] for action in actions] == ["allowed"] * 3
    world.now += timedelta(seconds=9)
    with tightened(policy=HOLD, card=("[finance-large]", "[finance-large, finance-hold]")) as gate:
        assert came_to(gate.perform(actions[0], world.now)) == ["review", "review"]
        assert [state(world, action)[0] for action in actions] == ["waiting", "allowed", "allowed"]
        assert sound(world)
        approve(world, actions[0], rules=gate.rules)
        gate.decide(batch_id, world.now)
        assert came_to(gate.perform(actions[0], world.now)) == ["effect"]
    assert state(world, actions[0]) == ["done"]
    assert sound(world)


@pytest.mark.parametrize(
    ("lowered", "said"),
    [
        (("per_batch: 40", "per_batch: 0"), "batch_limit"),
        (("per_entity_per_day: 2", "per_entity_per_day: 0"), "entity_limit"),
        (("per_contact_point_per_day: 2", "per_contact_point_per_day: 0"), "contact_point_limit"),
    ],
)
def test_a_limit_lowered_since_voids_the_permit(
    world: World, tightened: Tightened, lowered: tuple[str, str], said: str
) -> None:
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with tightened(card=lowered) as gate:
        for answer in gate.perform_batch(batch_id, world.now):
            assert set(came_to(answer)) == {"deny", said}
    assert world.rows("outbox") == []


def test_under_a_lowered_limit_as_many_are_performed_as_it_allows(world: World, tightened: Tightened) -> None:
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with tightened(card=("per_batch: 40", "per_batch: 2")) as gate:
        answers = [came_to(each) for each in gate.perform_batch(batch_id, world.now)]
    assert answers == [["deny", "batch_limit"], ["effect"], ["effect"]]


def test_the_days_effects_are_counted_once_for_a_batch_and_again_when_somebody_else_wrote(
    world: World, tightened: Tightened, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, actions = world.propose_all()
    load, counted = count.load_usage, []

    def counting(*arguments: Any) -> Usage:
        counted.append(len(arguments[1]))
        return load(*arguments)

    monkeypatch.setattr(count, "load_usage", counting)
    one_a_day = ("per_entity_per_day: 2", "per_entity_per_day: 1")
    with world.gate() as loose, tightened(card=one_a_day) as gate:
        loose.decide(batch_id, world.now)
        assert came_to(gate.perform(actions[0], world.now)) == ["effect"]
        other_id = world.wake("collections")
        world.propose(other_id, world.debtors[2], stage=2)
        loose.decide(other_id, world.now)
        second, third = (came_to(each) for each in gate.perform_batch(batch_id, world.now))
    assert (second, set(third)) == (["effect"], {"deny", "entity_limit"})
    assert counted == [1, 2]


def test_an_effect_of_somebody_else_in_between_is_counted(
    world: World, tightened: Tightened, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as loose, tightened(card=("per_batch: 40", "per_batch: 99")) as gate:
        loose.decide(batch_id, world.now)
        real, counted = gate.perform, []

        def beside(action: str, now: datetime) -> Effect | Decision:
            if action == actions[1]:
                loose.perform(actions[2], now)
            done = real(action, now)
            counted.append(gate._means.tally.actions)
            return done

        monkeypatch.setattr(gate, "perform", beside)
        with pytest.raises(PermitRefused, match="was used at"):
            gate.perform_batch(batch_id, world.now)
    assert counted == [frozenset(actions), frozenset({actions[1]})]


def test_an_action_type_that_makes_another_call_of_it_since_voids_the_permit(
    world: World, tightened: Tightened
) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    with tightened(action_type=("Reminder {stage}", "Last reminder {stage}")) as gate:
        assert came_to(gate.perform(actions[0], world.now)) == ["deny", "tool_call_changed"]
    assert world.rows("decision", action=actions[0])[-1]["transient"]


def test_batches_answered_at_once_are_not_performed_at_once(world: World) -> None:
    first = world.wake()
    late = world.propose(first, world.debtors[0])
    world.now += timedelta(seconds=1)
    second = world.wake(business_date=TOMORROW)
    timely = world.propose(second, world.debtors[0], stage=2)
    with world.gate() as gate:
        gate.decide(first, world.now)
        gate.decide(second, world.now)
    assert world.said(late) == ["deny", "superseded"]
    assert world.rows("decision", action=late)[-1]["transient"]
    assert world.said(timely)[0] == "allow"


def test_a_newer_business_date_that_the_agent_was_woken_for_since_voids_the_permit(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.now += timedelta(seconds=1)
        world.wake(business_date=TOMORROW)
        assert set(came_to(gate.perform(actions[0], world.now))) == {"deny", "superseded", "read_set_changed"}


def test_neither_a_day_tried_out_before_nor_an_empty_wake_nor_another_agents_supersedes(world: World) -> None:
    world.wake(business_date=TODAY + timedelta(days=90))
    world.now += timedelta(seconds=1)
    batch_id, actions = world.propose_all()
    world.now += timedelta(seconds=1)
    world.wake("collections", business_date=TOMORROW)
    empty = world.wake(business_date=TOMORROW)
    world.edit("batch", {"batch_id": empty}, row_count=0, state="closed")
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    assert [world.said(action)[0] for action in actions] == ["allow"] * 3


def test_a_clock_set_back_brings_no_expired_permit_to_life(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        with world.store.begin() as connection:
            append(connection, "note", {"said": "it was that late already"}, at=world.now + timedelta(minutes=15))
        for action in actions:  # what is denied is recorded at the early time, and makes it no earlier
            assert came_to(gate.perform(action, world.now + timedelta(minutes=1))) == ["deny", "permit_expired"]
    assert world.rows("outbox") == []
