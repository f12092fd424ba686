from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.store import tables
from orchestration.work.intake import take_in
from orchestration.work.triggers import WakeState
from tests.waking import NOW, TOMORROW, World, a_world, reminders


@pytest.fixture
def on_postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres_database: str) -> Iterator[World]:
    monkeypatch.setenv("PRECEDE_STORE_URL", postgres_database)
    yield from a_world(tmp_path, monkeypatch)


def test_waking_answering_and_waking_again_do_the_same_on_postgres(on_postgres: World) -> None:
    world = on_postgres
    [wake] = world.wake()
    assert wake.batch is not None
    world.exchange.answer(reminders(wake.batch))
    [done] = take_in(world.store, world.exchange, now=NOW)
    assert {row["action"] for row in world.rows(tables.proposal)} == {one.action for one in done.content.accepted}
    world.decide("deny", "entity_limit", transient=True)
    world.publish()
    [same_day] = world.wake()
    assert (same_day.state, same_day.left_out) == (WakeState.NOTHING_NEW, 6)
    assert len(world.invoices(TOMORROW)) == 6
