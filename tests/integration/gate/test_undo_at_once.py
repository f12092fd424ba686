"""Taking back while somebody else is at it, or while the effect may still be sent: it is done once, or refused."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from orchestration.contracts import OutcomeState, ToolResult
from orchestration.errors import EffectRefused
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.store.engine import Store, open_store
from orchestration.store.presence import absent
from orchestration.work import in_flight
from orchestration.work.in_flight import refuse_in_flight, wait_for_calls
from orchestration.work.outbox import deliver
from tests.integration.gate import children
from tests.integration.gate.callers import LocalErp, Silent
from tests.integration.gate.races import FORKS
from tests.integration.gate.test_undo import WITHDRAW, take_back
from tests.integration.gate.world import World


class Meanwhile(LocalErp):
    """While it is called for the first time, something else happens."""

    def __init__(self, world: World, what: Callable[[], object]) -> None:
        super().__init__(world.settings.home)
        self.what = what

    def call(self, *said: object) -> ToolResult:
        if not self.calls:
            self.what()
        return super().call(*said)  # type: ignore[arg-type]  # as it was called


def other(world: World) -> World:
    """The same, as another process has it open."""
    return World(world.settings.home, open_store(world.settings), published=world.published)


@pytest.mark.parametrize("once", [frozenset(), frozenset({WITHDRAW})], ids=["asked again", "called once"])
def test_while_an_effect_is_taken_back_nobody_else_does(either_world: World, once: frozenset[tuple[str, str]]) -> None:
    world = either_world
    actions = world.remind()

    def another() -> None:
        second = other(world)
        with closing(second.store), pytest.raises(EffectRefused, match="Another process is taking the effect"):
            take_back(second, actions[0], once=once)
        assert take_back(world, actions[1]).state is OutcomeState.DONE  # another effect is another matter

    made = take_back(world, actions[0], Meanwhile(world, another), once=once)
    assert made.state is OutcomeState.DONE
    assert [row["state"] for row in world.rows("undo")] == ["done", "done"]
    assert len(world.reminders()) == 5
    with pytest.raises(EffectRefused, match="was taken back already"):
        take_back(world, actions[0], once=once)
    assert verify(world.store, None, world.settings).problems == ()


def test_nobody_settles_what_is_being_taken_back(either_world: World) -> None:
    world, once = either_world, frozenset({WITHDRAW})
    actions = world.remind()
    assert take_back(world, actions[1], Silent(), once=once).state is OutcomeState.UNKNOWN
    unknown = next(row["undo_id"] for row in world.rows("undo"))

    def somebody() -> None:
        for name in (actions[0], next(row["undo_id"] for row in world.rows("undo", action=actions[0]))):
            with world.store.begin() as connection, pytest.raises(EffectRefused, match="may still be answered"):
                refuse_in_flight(world.store, connection, name)
        with world.store.begin() as connection:
            refuse_in_flight(world.store, connection, unknown)

    take_back(world, actions[0], Meanwhile(world, somebody), once=once)


def test_what_another_run_may_still_be_sending_is_not_taken_back(either_world: World) -> None:
    world = either_world
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    first = []

    def another() -> None:
        send(world, LocalErp(world.settings.home))
        first.append(next(row["action"] for row in world.rows("outbox") if row["attempts"] > 1))
        with pytest.raises(EffectRefused, match="was sent by more than one run"):
            take_back(world, first[0])
        sent_once = next(action for action in actions if action != first[0])
        assert take_back(world, sent_once).state is OutcomeState.DONE

    send(world, Meanwhile(world, another))
    assert take_back(world, first[0]).state is OutcomeState.DONE
    assert len(world.reminders()) == 5
    assert verify(world.store, None, world.settings).problems == ()


@pytest.mark.parametrize("what", ["takes back", "settles"])
def test_whoever_waits_for_a_call_to_end_lets_what_came_of_it_be_written_down(
    either_world: World, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = either_world
    actions = world.remind()
    with world.store.begin() as connection:
        unsent, row = {"state": "pending", "attempts": 0, "settled_at": None}, tables.outbox.c.action
        connection.execute(update(tables.outbox).where(row == actions[0]).values(attempts=2))
        connection.execute(update(tables.outbox).where(row == actions[1]).values(unsent))
    called, answered = threading.Event(), threading.Event()
    second = other(world)

    def answer() -> None:
        called.set()
        answered.wait(60)

    sending = threading.Thread(target=send, args=(second, Meanwhile(second, answer)))

    def looked(store: Store, work: str, wait: float = 0.0) -> bool:
        if wait and not answered.is_set():
            answered.set()
            sending.join(30)
        return absent(store, work, wait)

    monkeypatch.setattr(in_flight, "absent", looked)
    with closing(second.store):
        sending.start()
        assert called.wait(60)
        if what == "takes back":
            assert take_back(world, actions[0]).state is OutcomeState.DONE
        else:
            wait_for_calls(world.store, actions[0])
            with world.store.begin() as connection:
                refuse_in_flight(world.store, connection, actions[0])
        sending.join(30)
    assert not sending.is_alive()
    assert next(row["state"] for row in world.rows("outbox") if row["action"] == actions[1]) == "done"


def test_of_processes_that_take_an_effect_back_at_once_one_does(either_world: World) -> None:
    world = either_world
    actions = world.remind()
    said = (os.environ.get("PRECEDE_STORE_URL"), children.take_back, world.settings.home, actions[0])
    processes = [FORKS.Process(target=children.told, args=said) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert sorted(str(process.exitcode) for process in processes) == ["0", "3", "3", "3"]
    assert [row["state"] for row in world.rows("undo")] == ["done"]
    assert len(world.reminders()) == 4


def send(world: World, tools: LocalErp) -> None:
    deliver(world.store, tools, lambda: datetime.now(UTC), longest_wait=0.0)
