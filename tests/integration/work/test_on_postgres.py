from __future__ import annotations

from orchestration.store import tables
from orchestration.work.triggers import WakeState
from tests.waking import TOMORROW, World, reminders


def test_waking_answering_and_waking_again_do_the_same_on_postgres(on_postgres: World) -> None:
    world = on_postgres
    [wake] = world.wake()
    assert wake.batch is not None
    world.exchange.answer(reminders(wake.batch))
    [done] = world.take_in()
    assert {row["action"] for row in world.rows(tables.proposal)} == {one.action for one in done.content.accepted}
    world.decide("deny", "entity_limit", transient=True)
    world.publish()
    [same_day] = world.wake()
    assert (same_day.state, same_day.left_out) == (WakeState.NOTHING_NEW, 6)
    assert len(world.invoices(TOMORROW)) == 6
