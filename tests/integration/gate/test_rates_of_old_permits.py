"""Rates of a period that is shorter than a permit lasts: one that is used late is one more within it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orchestration.contracts import Decision
from orchestration.gate import gate as gates
from orchestration.gate.gate import Gate
from orchestration.gate.perform import Effect
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.integration.gate.test_in_parts import WRITTEN, as_written
from tests.integration.gate.test_limits import limited, rate
from tests.integration.gate.world import Debtor, World

LATER = timedelta(minutes=6)


def came_to(answers: Sequence[Effect | Decision]) -> list[str]:
    return ["effect" if isinstance(each, Effect) else each.reasons[0].code for each in answers]


def decided(world: World, batch_id: str, *debtors: Debtor, before: int = 0) -> list[str]:
    """Propose for debtors and decide that and what was proposed before, which is allowed; the actions."""
    actions = [world.propose(batch_id, debtor) for debtor in debtors]
    with world.gate() as gate:
        answers = gate.decide(batch_id, world.now)
    assert [answer.verdict.value for answer in answers] == ["allow"] * (before + len(debtors))
    return actions


def an_old_and_a_new(world: World) -> tuple[str, str, str]:
    """A batch with a permit that nobody used for longer than the period, and one of now; it and both actions."""
    limited(world, rate("agent", 1, "5m"))
    batch_id = world.wake()
    [old] = decided(world, batch_id, world.debtors[0])
    world.now += LATER
    [new] = decided(world, batch_id, world.debtors[1])
    return batch_id, old, new


@pytest.mark.parametrize("few", [0, 99])
def test_an_old_permit_does_not_take_the_place_of_a_new_one(
    either_world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "FEW", few)
    batch_id, old, _ = an_old_and_a_new(either_world)
    with either_world.gate() as gate:
        assert came_to(gate.perform_batch(batch_id, either_world.now)) == ["rate_limit", "effect"]
    assert either_world.said(old) == ["deny", "rate_limit"]
    assert verify(either_world.store, None).problems == ()


@pytest.mark.parametrize("first", [0, 1])
def test_nor_does_it_where_each_is_performed_alone_whichever_is_first(world: World, first: int) -> None:
    actions = an_old_and_a_new(world)[1:]
    found = {}
    for number in (first, 1 - first):
        with world.gate() as gate:
            found[number] = came_to([gate.perform(actions[number], world.now)])
        world.now += timedelta(seconds=1)
    assert found == {0: ["rate_limit"], 1: ["effect"]}


@pytest.mark.parametrize("few", [0, 99])
def test_of_old_permits_as_many_are_performed_as_there_may_be_within_the_period(
    world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minted within each of two periods, all within the bound, and none used until they are all old."""
    monkeypatch.setattr(gates, "FEW", few)
    limited(world, rate("agent", 2, "5m"))
    world.debtors = [Debtor(number) for number in range(1, 5)]
    world.publish()
    batch_id = world.wake()
    decided(world, batch_id, *world.debtors[:2])
    world.now += LATER
    decided(world, batch_id, *world.debtors[2:])
    world.now += LATER
    with world.gate() as gate:
        assert came_to(gate.perform_batch(batch_id, world.now)) == ["effect"] * 2 + ["rate_limit"] * 2


@pytest.mark.parametrize("per", ["agent", "action_type", "entity", "contact_point"])
def test_old_and_new_together_come_to_what_they_come_to_one_by_one(
    world: World, per: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and new in turns, some of one entity: the same effects, decisions, counts and entries."""
    monkeypatch.setattr(gates, "FEW", 0)
    limited(world)
    world.debtors = [Debtor(number) for number in range(1, 9)]
    world.publish()
    batch_id = world.wake()
    world.propose(batch_id, world.debtors[0], stage=2)
    decided(world, batch_id, *world.debtors[::2], before=1)
    world.now += LATER
    for debtor in world.debtors[1:3]:
        world.propose(batch_id, debtor, stage=2)
    decided(world, batch_id, *world.debtors[1::2], before=2)
    limited(world, rate(per, 8 if per in {"agent", "action_type"} else 1, "5m"))
    found: list[Any] = []
    for together in (200, 3, 1):
        monkeypatch.setattr(gates, "CHUNK", together)
        home = Path(copytree(world.settings.home, tmp_path / str(together)))
        store = open_store(Settings(home=home))
        this = World(home, store)
        with Gate(store, this.settings, world.rules, holds=lambda _pin: True) as gate:
            answers = gate.perform_batch(batch_id, world.now)
        found.append((answers, {table: as_written(this, table) for table in WRITTEN}))
        store.close()
    said = came_to(found[0][0])
    assert {"effect", "rate_limit"} == set(said)
    assert found[0] == found[1] == found[2]
