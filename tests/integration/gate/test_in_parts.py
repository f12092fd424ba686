"""A batch of more effects than have a transaction each: they share some, and each is as if it were alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.contracts import Decision
from orchestration.errors import PermitRefused
from orchestration.gate import gate as gates
from orchestration.gate import perform
from orchestration.gate.perform import Effect
from orchestration.ledger import entries
from orchestration.ledger.verify import verify
from tests.integration.gate.children import KILLED, run
from tests.integration.gate.test_killed import in_a_process
from tests.integration.gate.world import World
from tests.unit.gate.case import bounded

MANY = 12


@pytest.fixture
def many(world: World) -> World:
    world.debtors = [type(world.debtors[0])(number) for number in range(1, MANY + 1)]
    world.publish()
    return world


def kinds(answers: list[Effect | Decision]) -> list[str]:
    return ["effect" if isinstance(each, Effect) else each.verdict.value for each in answers]


def decided(world: World) -> tuple[str, list[str]]:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return batch_id, actions


def test_many_effects_share_a_transaction_and_each_has_its_entry(many: World) -> None:
    batch_id, actions = decided(many)
    with many.gate() as gate:
        effects = gate.perform_batch(batch_id, many.now)
        assert kinds(effects) == ["effect"] * MANY
        assert gate.perform_batch(batch_id, many.now) == []
    assert [each.action for each in effects] == actions
    numbers = [each.entry for each in effects if isinstance(each, Effect)]
    assert numbers == list(range(numbers[0], numbers[0] + MANY))
    assert verify(many.store, None).problems == ()


def test_a_limit_lowered_since_holds_within_a_transaction(many: World) -> None:
    batch_id, _ = decided(many)
    card = {"per_batch": 5, "per_entity_per_day": 9, "per_contact_point_per_day": 9}
    many.rules = bounded(many.rules, finance=card)
    with many.gate() as gate:
        assert kinds(gate.perform_batch(batch_id, many.now)) == ["deny"] * (MANY - 5) + ["effect"] * 5
    assert verify(many.store, None).problems == ()


def test_what_refuses_one_leaves_those_before_it_and_nothing_of_its_own(
    many: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id, actions = decided(many)
    real = perform.perform

    def refusing(connection: Any, action: str, *rest: Any) -> Effect | Decision:
        done = real(connection, action, *rest)
        if action == actions[4]:
            raise PermitRefused("It was used meanwhile.")
        return done

    monkeypatch.setattr(gates, "perform", refusing)
    with many.gate() as gate, pytest.raises(PermitRefused, match="used meanwhile"):
        gate.perform_batch(batch_id, many.now)
    assert {row["action"] for row in many.rows("outbox")} == set(actions[:4])
    monkeypatch.setattr(gates, "perform", real)
    with many.gate() as gate:
        assert [each.action for each in gate.perform_batch(batch_id, many.now)] == actions[4:]
    assert verify(many.store, None).problems == ()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_within_a_transaction_is_finished_by_the_next(many: World, when: str) -> None:
    many.make_erp()
    decided(many)
    assert in_a_process(run_and_die_at_the_fifth, many.settings.home, when) == KILLED
    assert many.rows("outbox") == []
    assert in_a_process(run, many.settings.home) == 0
    assert len(many.reminders()) == MANY
    assert verify(many.store, None).problems == ()


def run_and_die_at_the_fifth(home: Path, when: str) -> None:
    """Act for finance, and be gone at the fifth intent, before or after it is written."""
    real: Callable[..., int] = entries.intended
    meant = []

    def dying(connection: Any, action: str, *, at: datetime, **rest: Any) -> int:
        meant.append(action)
        last = len(meant) == 5
        if last and when == "before":
            os._exit(KILLED)
        done = real(connection, action, at=at, **rest)
        if last:
            os._exit(KILLED)
        return done

    setattr(entries, "intended", dying)  # noqa: B010  as the other runs that die
    run(home)
