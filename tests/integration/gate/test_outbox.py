from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.contracts import OutcomeState
from orchestration.errors import ConfigurationError
from orchestration.ledger.verify import verify
from orchestration.work.act import act, close_batch
from orchestration.work.batch_report import report
from orchestration.work.outbox import deliver
from orchestration.work.sending import ATTEMPTS
from orchestration.work.tools import Caller
from tests.integration.gate.callers import LocalErp, Losing, Silent, Unregistered
from tests.integration.gate.world import World


@pytest.fixture
def meant(world: World) -> tuple[str, list[str]]:
    """A batch whose effects stand in the outbox."""
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    return batch_id, actions


def send(world: World, tools: Caller, *, agent: str | None = None) -> list[tuple[str, bool]]:
    deliveries = deliver(world.store, tools, lambda: datetime.now(UTC), longest_wait=0.0, agent=agent)
    return [(each.state.value, each.repeated) for each in deliveries]


@pytest.mark.usefixtures("meant")
def test_effects_are_delivered_once(world: World) -> None:
    erp = LocalErp(world.settings.home)
    assert send(world, erp) == [("done", False)] * 3
    assert send(world, erp) == []
    assert len(world.reminders()) == 3
    row = world.rows("outbox")[0]
    assert (row["state"], row["attempts"], row["reference"][:21]) == ("done", 1, "customrecord_dunning:")
    assert row["settled_at"] is not None


def test_every_outcome_is_in_the_ledger(world: World, meant: tuple[str, list[str]]) -> None:
    send(world, LocalErp(world.settings.home))
    assert all(world.kinds(action) == ["decision", "intent", "begun", "outcome"] for action in meant[1])
    assert verify(world.store, None).problems == ()


@pytest.mark.usefixtures("meant")
def test_a_lost_answer_is_asked_for_again_and_nothing_is_written_twice(world: World) -> None:
    assert send(world, Losing(world.settings.home, lost=1)) == [("done", True), ("done", False), ("done", False)]
    assert len(world.reminders()) == 3


@pytest.mark.usefixtures("meant")
def test_no_answer_at_all_is_unknown_until_a_later_run_finds_out(world: World) -> None:
    silent = Silent()
    assert send(world, silent) == [("unknown", False)] * 3
    assert silent.calls == 3 * ATTEMPTS
    assert verify(world.store, None).problems == ()
    entries = [row["kind"] for row in world.rows("ledger_entry")]
    assert send(world, Silent()) == [("unknown", False)] * 3
    assert [row["kind"] for row in world.rows("ledger_entry")] == [*entries, *["begun"] * 3]
    assert send(world, LocalErp(world.settings.home)) == [("done", False)] * 3
    assert world.rows("outbox")[0]["attempts"] == 3
    assert verify(world.store, None).problems == ()


def test_an_effect_known_not_to_have_happened_gives_its_key_free(world: World, meant: tuple[str, list[str]]) -> None:
    _, actions = meant
    with world.store.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET tool_arguments = '{}' WHERE action = ?", (actions[0],))
    assert [state for state, _ in send(world, LocalErp(world.settings.home))] == ["failed", "done", "done"]
    assert "other arguments" in world.rows("outbox", action=actions[0])[0]["detail"]
    batch_id = world.wake("collections")
    again = world.propose(batch_id, world.debtors[0])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    assert world.said(again)[0] == "allow"
    assert send(world, LocalErp(world.settings.home)) == [("done", False)]


def test_a_payment_that_the_tool_sees_first_stops_the_reminder(world: World, meant: tuple[str, list[str]]) -> None:
    erp = LocalErp(world.settings.home)
    with erp.erp._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE transaction_line SET foreignamountunpaid = '0' WHERE \"transaction\" = 2")
    assert [state for state, _ in send(world, erp)] == ["done", "failed", "done"]
    assert report(world.store, meant[0]).failed == 1


@pytest.mark.usefixtures("meant")
def test_an_agents_effects_can_be_delivered_alone(world: World) -> None:
    assert send(world, LocalErp(world.settings.home), agent="collections") == []
    assert send(world, LocalErp(world.settings.home), agent="finance") == [("done", False)] * 3


@pytest.mark.usefixtures("meant")
def test_a_tool_that_is_not_the_registered_one_stops_delivery_and_loses_nothing(world: World) -> None:
    with pytest.raises(ConfigurationError):
        send(world, Unregistered())
    assert sorted(row["state"] for row in world.rows("outbox")) == ["pending", "pending", "sending"]
    assert send(world, LocalErp(world.settings.home)) == [("done", False)] * 3


def run(world: World, tools: Caller | None = None, agent: str = "finance") -> list[str]:
    told: list[str] = []
    world.gate().close()  # makes the key
    done = act(
        world.store,
        world.settings,
        agent,
        tools=tools or LocalErp(world.settings.home),
        rules=world.rules,
        progress=told.append,
        holds=lambda _pin: True,
    )
    assert done.agent == agent
    return told


def test_a_run_says_what_each_batch_came_to(world: World) -> None:
    world.debtors[1].disputed = True
    world.debtors[2].amount_open *= 100
    world.publish()
    world.make_erp()
    batch_id, _ = world.propose_all()
    told = run(world)
    assert f"{batch_id}: decided 3 proposals" in told
    came_to = report(world.store, batch_id)
    assert (came_to.proposed, came_to.performed, came_to.review, came_to.denied) == (3, 1, 1, 1)
    assert came_to.reasons == {"invoice_disputed": 1, "review": 1}
    assert came_to.covered is not None
    assert came_to.covered.last - came_to.covered.first + 1 == 6
    assert world.rows("batch", batch_id=batch_id)[0]["state"] == "decided"


def test_a_run_settles_what_an_earlier_one_left(world: World, meant: tuple[str, list[str]]) -> None:
    del meant
    assert "settled 3 effects of earlier runs" in run(world)
    assert len(world.reminders()) == 3


def test_a_batch_is_closed_once_with_the_materialisation_that_tells_of_it(world: World) -> None:
    world.make_erp()
    batch_id, _ = world.propose_all()
    run(world)
    came_to = report(world.store, batch_id)
    assert came_to.pin is not None
    pin = came_to.pin.model_copy(update={"asset_key": "effects/finance", "storage_id": 77})
    assert close_batch(world.store, batch_id, pin, came_to.covered, world.now) is not None
    assert close_batch(world.store, batch_id, pin, came_to.covered, world.now) is None
    row = world.rows("batch", batch_id=batch_id)[0]
    assert (row["state"], row["effects_pin"]["storage_id"]) == ("closed", 77)
    assert verify(world.store, None).problems == ()
    assert not any(batch_id in line for line in run(world))


def test_the_whole_way_is_the_same_with_the_store_in_postgres(either_world: World) -> None:
    world = either_world
    world.debtors[1].disputed = True
    world.publish()
    world.make_erp()
    batch_id, actions = world.propose_all()
    told = run(world)
    assert f"{batch_id}: delivered 2 effects" in told
    assert world.said(actions[1]) == ["deny", "invoice_disputed"]
    assert [row["state"] for row in world.rows("outbox")] == ["done"] * 2
    other_id, _ = world.propose_all("collections")
    run(world, agent="collections")
    assert report(world.store, other_id).reasons == {"effect_exists": 2, "invoice_disputed": 1}
    assert verify(world.store, None).problems == ()


def test_an_expired_permit_is_refused_by_the_tool_and_the_effect_failed(world: World) -> None:
    world.make_erp()
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    late = LocalErp(world.settings.home, later=timedelta(minutes=30))
    assert send(world, late) == [(OutcomeState.FAILED.value, False)] * 3
    assert world.reminders() == []
