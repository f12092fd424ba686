"""A month in a store: two agents, every verdict, effects of two kinds, a stop, and things that happen on its edges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orchestration.gate.stopping import start, stop
from orchestration.gate.stops import Scope
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.outbox import deliver
from orchestration.work.tools import Caller
from tests.integration.gate.callers import Silent
from tests.integration.gate.world import World
from tests.integration.report.attended import Attended, attend
from tests.integration.report.tools import Erp

FIRST = datetime(2026, 10, 5, 9, tzinfo=UTC)
LATE = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
"""Half past midnight of the first of November in Berlin."""
STOPPED, STARTED = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
LAST = datetime(2026, 11, 2, 8, tzinfo=UTC)


@dataclass(frozen=True)
class Month:
    """The world after it, and its actions by what became of them."""

    world: World
    done: str
    denied: str
    held: str
    unknown: str
    unused: str
    undecided: str


@pytest.fixture(scope="session")
def month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Month]:
    """Told through the gate, the outbox and the tools; no test writes to it."""
    home = tmp_path_factory.mktemp("month")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=home))
        yield _told(World(home, store))
        store.close()


@pytest.fixture(scope="session")
def attended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attended]:
    """A day with people in it, told once; no test writes to it."""
    home = tmp_path_factory.mktemp("attended")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("PRECEDE_STORE_URL", raising=False)
        store = open_store(Settings(home=home))
        yield attend(World(home, store))
        store.close()


def _told(world: World) -> Month:
    first, second, third = world.debtors
    second.disputed, third.amount_open = True, Decimal("6000.00")
    world.make_erp()
    done, denied, held = _decided(world, FIRST, "finance", stage=1)
    _performed(world, done, Erp(world))
    unused, _, unknown = _decided(world, LATE, "collections", stage=2)
    _performed(world, unknown, Silent())
    stop(world.store, Scope.agent("finance"), "It wrote to the wrong people.", operator="Olive Otis", now=STOPPED)
    start(world.store, Scope.agent("finance"), "It does no more.", operator="Olive Otis", now=STARTED)
    world.now = LAST
    world.publish()
    undecided = world.propose(world.wake("collections", LAST.date()), first, stage=3)
    return Month(world, done, denied, held, unknown, unused, undecided)


def _decided(world: World, now: datetime, agent: str, stage: int) -> list[str]:
    """A proposal of an agent's for each debtor, decided."""
    world.now = now
    world.publish()
    batch_id = world.wake(agent, now.date())
    actions = [world.propose(batch_id, debtor, stage=stage) for debtor in world.debtors]
    with world.gate() as gate:
        gate.decide(batch_id, now)
    return actions


def _performed(world: World, action: str, tools: Caller) -> None:
    with world.gate() as gate:
        gate.perform(action, world.now)
    list(deliver(world.store, tools, lambda: world.now, longest_wait=0.0))
