"""`precede run` starts a process only for what waits to be done."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.cli.run import STAGES, waits
from orchestration.work.watch import watch
from tests.graph_fixture import BUSINESS_DATE
from tests.waking import World, reminders, world

__all__ = ["world"]


@pytest.fixture(autouse=True)
def the_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  which forgets the day
    monkeypatch.setenv("PRECEDE_BUSINESS_DATE", BUSINESS_DATE.isoformat())


def waiting(world: World) -> list[str]:
    return [job for _, job, _ in STAGES if waits(job, world.store, world.settings)]


def test_each_job_runs_when_the_one_before_left_it_something(world: World) -> None:
    assert waiting(world) == ["reconcile", "wake"]
    world.wake(now=datetime.now(UTC))
    assert waiting(world) == ["reconcile", "wake", "propose"]  # nobody has looked yet what became of effects
    watch(world.store, world.settings, {}, datetime.now(UTC))
    assert waiting(world) == ["reconcile", "propose"]
    for batch_id in world.exchange.waiting("finance"):
        world.exchange.answer(reminders(world.exchange.read_batch("finance", batch_id)))
    assert waiting(world) == ["reconcile", "act"]


def test_a_batch_that_was_not_offered_is_looked_after(world: World) -> None:
    world.wake(now=datetime.now(UTC))
    watch(world.store, world.settings, {}, datetime.now(UTC))
    assert waiting(world) == ["reconcile", "propose"]
    for batch_id in world.exchange.waiting("finance"):
        world.exchange.clear("finance", batch_id)
    assert waiting(world) == ["reconcile", "wake"]
