from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from orchestration.ledger.verify import verify
from tests.integration.gate import children
from tests.integration.gate.approving import LARGE, approve
from tests.integration.gate.races import FORKS
from tests.integration.gate.world import Debtor, World

ON_BOTH = (
    "with decisions written and not committed",
    "with the intent written and not committed",
    "with the outcome written and not committed",
)
"""Steps in the midst of a transaction, which is the database's to take back."""
KILLS = [("sqlite", step) for step in children.STEPS] + [("postgres", step) for step in ON_BOTH]


def a_process(target: Callable[..., None], *arguments: Any) -> Any:
    process = FORKS.Process(target=children.told, args=(os.environ.get("PRECEDE_STORE_URL"), target, *arguments))
    process.start()
    return process


def in_a_process(target: Callable[..., None], *arguments: Any) -> int | None:
    process = a_process(target, *arguments)
    process.join(120)
    code: int | None = process.exitcode
    return code


@pytest.mark.parametrize(("either_world", "step"), KILLS, indirect=["either_world"])
def test_a_run_killed_anywhere_is_finished_by_the_next_without_doing_anything_twice(
    either_world: World, step: str
) -> None:
    world = either_world
    world.make_erp()
    _, actions = world.propose_all()
    assert in_a_process(children.run_and_die, world.settings.home, step) == children.KILLED
    assert len(world.reminders()) <= len(actions)
    assert in_a_process(children.run, world.settings.home) == 0
    assert [row[0] for row in world.reminders()] == [f"reminder:erp:transaction:{n}:1" for n in (1, 2, 3)]
    assert [row["state"] for row in world.rows("outbox")] == ["done"] * 3
    for action in actions:
        told = world.kinds(action)
        assert list(dict.fromkeys(told)) == ["decision", "intent", "begun", "outcome"]
        assert len(told) <= len(set(told)) + 1  # a call that was begun, and answered to nobody, is begun again
    assert verify(world.store, None).problems == ()


def test_a_run_after_everything_is_done_does_nothing(world: World) -> None:
    world.make_erp()
    world.propose_all()
    assert in_a_process(children.run, world.settings.home) == 0
    entries, written = world.rows("ledger_entry"), world.reminders()
    assert in_a_process(children.run, world.settings.home) == 0
    assert (world.rows("ledger_entry"), world.reminders()) == (entries, written)


@pytest.mark.parametrize(("either_world", "permits"), [("sqlite", 40), ("postgres", 12)], indirect=["either_world"])
def test_eight_processes_over_the_same_permits_have_one_effect_each(either_world: World, permits: int) -> None:
    world = either_world
    amounts = (Decimal(120), LARGE)  # every other one rests on an approval, which is used up once
    world.debtors = [Debtor(number, amount_open=amounts[number % 2]) for number in range(1, permits + 1)]
    world.publish()
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        for row in world.rows("held"):
            approve(world, row["action"])
        gate.decide(batch_id, world.now)
    processes = [a_process(children.perform_all, world.settings.home, list(actions), seed) for seed in range(8)]
    for process in processes:
        process.join(120)
    assert sum(process.exitcode or 0 for process in processes) == len(actions)
    assert len(world.rows("outbox")) == len(actions)
    used = [row["permit_id"] for row in world.rows("approval") if row["consumed_at"] is not None]
    assert len(set(used)) == len(used) == permits // 2
    runs = [a_process(children.run, world.settings.home) for _ in range(4)]
    for process in runs:
        process.join(120)
    assert [process.exitcode for process in runs] == [0] * 4
    assert len(world.reminders()) == len(actions)
    assert verify(world.store, None).problems == ()
