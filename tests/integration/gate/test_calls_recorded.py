"""Each call of a tool has an entry before it is made: what was called once stays so, whatever the row is edited to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from orchestration.contracts import OutcomeState, ToolResult
from orchestration.errors import EffectRefused
from orchestration.gate import stopping
from orchestration.gate.stops import Scope
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.work.in_flight import refuse_sending
from orchestration.work.outbox import deliver
from orchestration.work.settling import settle
from orchestration.work.tools import Caller, ToolNotReached
from tests.integration.gate.callers import LocalErp, Losing, Silent
from tests.integration.gate.test_undo import WITHDRAW, take_back
from tests.integration.gate.world import World

ONCE = frozenset({("erp", "write_payment_reminder"), WITHDRAW})
NEVER_SENT = {"state": "pending", "attempts": 0, "by_person": False, "settled_at": None}


class Dies(LocalErp):
    """The tool writes, and the process is gone before its answer comes."""

    def call(self, *said: Any) -> ToolResult:
        super().call(*said)
        raise KeyboardInterrupt


class Looks(LocalErp):
    """Looks at the store while it is called."""

    def __init__(self, world: World, at: Callable[[], object]) -> None:
        super().__init__(world.settings.home)
        self.at = at
        self.seen: list[object] = []

    def call(self, *said: Any) -> ToolResult:
        self.seen.append(self.at())
        return super().call(*said)


class Unreached(Silent):
    """A tool server that does not start."""

    def call(self, *_: object) -> ToolResult:
        raise ToolNotReached("The tool server erp did not start.")


@pytest.fixture
def meant(world: World) -> str:
    """A reminder that stands in the outbox; its action."""
    world.debtors = world.debtors[:1]
    world.publish()
    world.make_erp()
    batch_id, [action] = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    return action


def send(world: World, tools: Caller, once: frozenset[tuple[str, str]] = ONCE) -> list[str]:
    sent = deliver(world.store, tools, lambda: datetime.now(UTC), once=once, longest_wait=0.0)
    return [one.state.value for one in sent]


def killed(world: World, action: str, once: frozenset[tuple[str, str]] = ONCE) -> None:
    """A run that was killed in the middle of a call, and whose row was set back by hand."""
    with pytest.raises(KeyboardInterrupt):
        send(world, Dies(world.settings.home), once)
    assert [row["state"] for row in world.rows("outbox")] == ["sending"]
    assert verify(world.store, None, world.settings).problems == ()
    world.edit("outbox", {"action": action}, **NEVER_SENT)


def problems(world: World) -> str:
    return " ".join(verify(world.store, None, world.settings).problems)


@pytest.mark.parametrize("once", [ONCE, frozenset()], ids=["called once", "asked again"])
def test_an_entry_is_committed_before_the_tool_is_called_and_one_after_it(
    either_world: World, once: frozenset[tuple[str, str]]
) -> None:
    world = either_world
    world.make_erp()
    batch_id, [action, *_] = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(action, world.now)
    tools = Looks(world, lambda: (world.kinds(action)[-1], problems(world)))
    assert send(world, tools, once) == ["done"]
    assert tools.seen == [("begun", "")]
    assert world.kinds(action)[-3:] == ["intent", "begun", "outcome"]
    assert take_back(world, action, tools, once=once).state is OutcomeState.DONE
    assert tools.seen == [("begun", "")] * 2
    assert world.kinds(action)[-3:] == ["undo", "begun", "undone"]
    assert problems(world) == ""


def test_a_row_that_is_led_to_another_permit_hides_no_call(world: World, meant: str) -> None:
    killed(world, meant)
    [permit] = world.rows("permit")
    with world.store.begin() as connection:
        connection.execute(insert(tables.permit), {**permit, "permit_id": "permit_another"})
    world.edit("outbox", {"action": meant}, permit_id="permit_another")
    assert send(world, LocalErp(world.settings.home)) == ["unknown"]
    assert len(world.reminders()) == 1


def test_a_call_that_may_have_been_made_is_not_made_again_though_its_row_says_that_none_was(
    world: World, meant: str
) -> None:
    killed(world, meant)
    assert "the call under way by permit" in problems(world)
    assert send(world, LocalErp(world.settings.home)) == ["unknown"]
    assert len(world.reminders()) == 1
    assert [row["kind"] for row in world.rows("notification")] == ["effect_unknown"]
    with world.store.begin() as connection:
        settle(connection, meant, OutcomeState.DONE, by="rita", reason="I looked.", now=datetime.now(UTC))
    assert problems(world) == ""


def test_nor_is_one_whose_outcome_is_unknown(world: World, meant: str) -> None:
    assert send(world, Silent()) == ["unknown"]
    world.edit("outbox", {"action": meant}, **NEVER_SENT)
    assert "the outcome of action" in problems(world)
    assert send(world, LocalErp(world.settings.home)) == ["unknown"]
    assert (world.reminders(), problems(world)) == ([], "")


def test_what_the_ledger_knows_the_outcome_of_is_left_alone(world: World, meant: str) -> None:
    assert send(world, LocalErp(world.settings.home)) == ["done"]
    world.edit("outbox", {"action": meant}, **NEVER_SENT)
    assert send(world, LocalErp(world.settings.home)) == []
    assert (len(world.reminders()), world.kinds(meant)[-1]) == (1, "outcome")
    assert "the outcome of action" in problems(world)


def test_a_call_whose_entry_was_edited_too_is_not_made_again(world: World, meant: str) -> None:
    killed(world, meant)
    last = world.rows("ledger_entry", action=meant)[-1]
    world.edit("ledger_entry", {"seq": last["seq"]}, body="edited")
    assert send(world, LocalErp(world.settings.home)) == ["unknown"]
    assert len(world.reminders()) == 1


def test_a_tool_that_knows_what_it_wrote_is_asked_again(world: World, meant: str) -> None:
    killed(world, meant, frozenset())
    assert send(world, LocalErp(world.settings.home), frozenset()) == ["done"]
    assert (len(world.reminders()), problems(world)) == (1, "")


def test_what_could_not_be_sent_is_told_and_sent_later(world: World, meant: str) -> None:
    assert send(world, Unreached()) == []
    assert world.kinds(meant)[-2:] == ["begun", "unsent"]
    assert problems(world) == ""
    assert send(world, LocalErp(world.settings.home)) == ["done"]
    assert (len(world.reminders()), problems(world)) == (1, "")


@pytest.mark.parametrize("once", [ONCE, frozenset()], ids=["called once", "asked again"])
def test_a_stop_takes_no_effect_for_one_that_was_never_sent_if_a_call_was_begun(
    world: World, meant: str, once: frozenset[tuple[str, str]]
) -> None:
    killed(world, meant, once)
    done = stopping.stop(world.store, Scope.everything(), "Look.", operator="ada", now=datetime.now(UTC))
    assert (list(done.effects), list(done.sending)) == ([], [meant])
    stopping.start(world.store, Scope.everything(), "Looked.", operator="ada", now=datetime.now(UTC))
    assert send(world, LocalErp(world.settings.home), once) == (["unknown"] if once else [])
    assert [row["state"] for row in world.rows("outbox")] == ["unknown" if once else "pending"]
    assert len(world.reminders()) == 1


def test_an_effect_that_was_sent_twice_is_so_by_the_ledger_too(world: World, meant: str) -> None:
    send(world, Losing(world.settings.home, lost=9), frozenset())
    send(world, LocalErp(world.settings.home), frozenset())
    world.edit("outbox", {"action": meant}, attempts=1)

    def taken_back() -> str:
        with world.store.begin() as connection, pytest.raises(EffectRefused) as refused:
            refuse_sending(world.store, connection, meant, "send_payment_reminder")
        return str(refused.value)

    another = Looks(world, taken_back)
    world.debtors[0].amount_open += 1
    world.publish()
    batch_id = world.wake("collections")
    other = world.propose(batch_id, world.debtors[0], stage=2)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(other, world.now)
    send(world, another, frozenset())
    assert "was sent by more than one run" in str(another.seen)


def test_the_taking_back_of_an_effect_is_not_called_for_again_either(world: World, meant: str) -> None:
    send(world, LocalErp(world.settings.home))
    with pytest.raises(KeyboardInterrupt):
        take_back(world, meant, Dies(world.settings.home), once=ONCE)
    assert problems(world) == ""
    world.edit("undo", {"action": meant}, **NEVER_SENT)
    assert "the call under way by permit" in problems(world)
    assert take_back(world, meant, once=ONCE).state is OutcomeState.UNKNOWN
    assert len(world.reminders()) == 2
    assert [row["kind"] for row in world.rows("notification")] == ["effect_unknown"]
    [unknown] = world.rows("undo")
    with world.store.begin() as connection:
        settle(connection, unknown["undo_id"], OutcomeState.DONE, by="rita", reason="Seen.", now=datetime.now(UTC))
    assert problems(world) == ""


def test_a_taking_back_that_could_not_be_sent_is_told(world: World, meant: str) -> None:
    send(world, LocalErp(world.settings.home))
    with pytest.raises(EffectRefused, match="Nothing was sent"):
        take_back(world, meant, Unreached(), once=ONCE)
    assert (world.kinds(meant)[-2:], problems(world)) == (["begun", "unsent"], "")
    assert take_back(world, meant, once=ONCE).state is OutcomeState.DONE
    assert problems(world) == ""


def test_nothing_takes_back_what_the_ledger_says_was_taken_back(world: World, meant: str) -> None:
    send(world, LocalErp(world.settings.home))
    take_back(world, meant, once=ONCE)
    world.edit("undo", {"action": meant}, **NEVER_SENT)
    with pytest.raises(EffectRefused, match="The ledger knows what became of"):
        take_back(world, meant, once=ONCE)
    assert len(world.reminders()) == 2
