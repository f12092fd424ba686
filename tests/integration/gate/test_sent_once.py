"""Tools that cannot tell that they wrote already: called once, and what is unknown is a person's to settle."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from orchestration.contracts import OutcomeState, ToolResult
from orchestration.errors import EffectRefused, NotFound
from orchestration.ledger.verify import verify
from orchestration.store import tables
from orchestration.work import due
from orchestration.work.exchange import Exchange
from orchestration.work.in_flight import refuse_in_flight
from orchestration.work.outbox import deliver
from orchestration.work.settling import settle
from orchestration.work.tools import Caller, ToolNotReached, ToolServer, sent_once
from tests.integration.gate.callers import LocalErp, Losing, Silent
from tests.integration.gate.test_undo import take_back
from tests.integration.gate.world import World

ONCE = frozenset({("erp", "write_payment_reminder")})


@pytest.fixture
def meant(world: World) -> list[str]:
    """Three reminders that stand in the outbox."""
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    return actions


def send(world: World, tools: Caller) -> list[str]:
    sent = deliver(world.store, tools, lambda: datetime.now(UTC), once=ONCE, longest_wait=0.0)
    return [one.state.value for one in sent]


def say(world: World, action: str, state: OutcomeState) -> None:
    with world.store.begin() as connection:
        settle(connection, action, state, by="rita", reason="I looked.", now=datetime.now(UTC))


def test_what_is_answered_is_settled_as_ever(world: World, meant: list[str]) -> None:
    assert send(world, LocalErp(world.settings.home)) == ["done"] * len(meant)
    assert send(world, LocalErp(world.settings.home)) == []


@pytest.mark.parametrize("tools", [Losing, Silent])
def test_a_lost_answer_is_never_asked_for_again(world: World, meant: list[str], tools: type[Losing | Silent]) -> None:
    caller = tools(world.settings.home, lost=9) if tools is Losing else Silent()
    assert send(world, caller) == ["unknown"] * 3
    assert caller.calls == 3
    assert send(world, LocalErp(world.settings.home)) == []
    assert len(world.reminders()) == (3 if tools is Losing else 0)
    assert [row["kind"] for row in world.rows("notification")] == ["effect_unknown"] * 3
    assert verify(world.store, None).problems == ()
    del meant


@pytest.mark.usefixtures("meant")
def test_it_waits_for_a_person_and_starts_no_run(world: World) -> None:
    send(world, Silent())
    with world.store.begin() as connection:
        connection.exec_driver_sql("UPDATE batch SET state = 'closed'")
    with world.store.read() as connection:
        assert due.acts(connection, Exchange(world.settings.exchange), ["finance"]) == []


class Dying(LocalErp):
    """The process dies at the second call, after the tool has written."""

    def call(self, *said: object) -> ToolResult:
        result = super().call(*said)  # type: ignore[arg-type]  # as it was called
        if self.calls == 2:
            raise KeyboardInterrupt
        return result


@pytest.mark.usefixtures("meant")
def test_a_run_that_dies_in_mid_call_leaves_one_effect_in_doubt_and_no_other(world: World) -> None:
    with pytest.raises(KeyboardInterrupt):
        send(world, Dying(world.settings.home))
    assert [row["state"] for row in by_time(world)] == ["done", "sending", "pending"]
    assert send(world, LocalErp(world.settings.home)) == ["unknown", "done"]
    assert len(world.reminders()) == 3
    assert verify(world.store, None).problems == ()


class Slow(LocalErp):
    """While it is called, another run gives the call up, and a person wants to settle it."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings.home)
        self.world = world

    def call(self, *said: object) -> ToolResult:
        if not self.calls:
            self.calls += 1
            assert send(self.world, Silent())[0] == "unknown"
            [first, *_] = by_time(self.world)
            with self.world.store.begin() as connection, pytest.raises(EffectRefused, match="being called"):
                refuse_in_flight(self.world.store, connection, str(first["action"]))
        return super().call(*said)  # type: ignore[arg-type]  # as it was called


@pytest.mark.usefixtures("meant")
def test_nobody_settles_a_call_that_may_still_be_answered(world: World) -> None:
    send(world, Slow(world))
    [first, second, _] = by_time(world)
    assert (first["state"], second["state"]) == ("done", "unknown")
    with world.store.begin() as connection:
        refuse_in_flight(world.store, connection, str(second["action"]))
    assert verify(world.store, None).problems == ()


class Down(Silent):
    """A tool server that does not start."""

    def call(self, *_: object) -> ToolResult:
        self.calls += 1
        raise ToolNotReached("The tool server erp did not start.")


@pytest.mark.usefixtures("meant")
def test_what_was_never_sent_is_sent_when_the_server_is_back(world: World) -> None:
    assert send(world, Down()) == []
    assert {row["state"] for row in world.rows("outbox")} == {"pending"}
    assert send(world, LocalErp(world.settings.home)) == ["done"] * 3


@pytest.mark.usefixtures("meant")
def test_a_tool_that_is_declared_so_later_is_not_asked_again_either(world: World) -> None:
    deliver(world.store, Silent(), lambda: datetime.now(UTC), longest_wait=0.0)
    assert send(world, LocalErp(world.settings.home)) == ["unknown"] * 3
    assert world.reminders() == []
    assert len(world.rows("notification")) == 3


def test_a_person_settles_it_for_good_and_the_ledger_says_who(world: World, meant: list[str]) -> None:
    send(world, Silent())
    say(world, meant[0], OutcomeState.DONE)
    say(world, meant[1], OutcomeState.FAILED)
    assert [row["state"] for row in by_time(world)] == ["done", "failed", "unknown"]
    assert [row["state"] for action in meant for row in world.rows("permit_use", action=action)] == [
        *("used", "void", "used")  # what did not happen counts no more
    ]
    assert world.kinds(meant[0])[-2:] == ["outcome", "outcome"]
    last = world.rows("ledger_entry", action=meant[0])[-1]
    assert '"by":"rita"' in world.rows("ledger_payload", seq=last["seq"])[0]["payload"]
    assert verify(world.store, None).problems == ()
    with pytest.raises(EffectRefused, match="is done; needed one that is unknown"):
        say(world, meant[0], OutcomeState.FAILED)
    world.edit("outbox", {"action": meant[0]}, state="failed")
    assert "the outcome of action" in " ".join(verify(world.store, None).problems)


def test_an_effect_that_did_not_happen_gives_its_key_and_its_limits_free(world: World, meant: list[str]) -> None:
    send(world, Silent())
    say(world, meant[0], OutcomeState.FAILED)
    batch_id = world.wake("collections")
    again = world.propose(batch_id, world.debtors[0])
    other = world.propose(batch_id, world.debtors[1])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    assert world.said(again)[0] == "allow"
    assert world.said(other)[0] == "deny"
    assert "effect_exists" in world.said(other)


def test_nobody_settles_what_a_tool_can_be_asked(world: World, meant: list[str]) -> None:
    deliver(world.store, Silent(), lambda: datetime.now(UTC), longest_wait=0.0)
    with pytest.raises(EffectRefused, match="its tool can be asked again"):
        say(world, meant[0], OutcomeState.DONE)
    with pytest.raises(NotFound, match="No effect has the id"):
        say(world, "act_nothing", OutcomeState.DONE)


def test_a_servers_entry_says_which_of_its_tools_are_called_once() -> None:
    said = {"command": "x", "tools": {"look": "0" * 64, "post": "0" * 64}}
    server = ToolServer.model_validate({**said, "repeatable": {"post": False, "look": True}})
    assert sent_once({"mail": server}) == {("mail", "post")}
    with pytest.raises(ValueError, match="tools that it has"):
        ToolServer.model_validate({**said, "repeatable": {"letter": False}})


def test_what_did_not_happen_is_not_taken_back(world: World, meant: list[str]) -> None:
    with pytest.raises(EffectRefused, match="never had an effect"):
        take_back(world, "act_nothing")
    with pytest.raises(EffectRefused, match="is on its way"):
        take_back(world, meant[0])
    deliver(world.store, Silent(), lambda: datetime.now(UTC), longest_wait=0.0)
    with pytest.raises(EffectRefused, match="is unknown; needed one that is done"):
        take_back(world, meant[0])
    with world.store.begin() as connection:
        connection.execute(update(tables.outbox).values(tool_arguments={}))
    deliver(world.store, LocalErp(world.settings.home), lambda: datetime.now(UTC), longest_wait=0.0)
    with pytest.raises(EffectRefused, match="is failed; needed one that is done"):
        take_back(world, meant[0])
    assert (world.rows("undo"), world.reminders()) == ([], [])


def by_time(world: World) -> list[dict[str, object]]:
    return sorted(world.rows("outbox"), key=lambda row: str(row["effect_key"]))
