"""Stopping: what it halts, that nothing is sent after its proof, that it goes on through the gate alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestration.contracts import Decision, OutcomeState, SignedPermit, ToolResult
from orchestration.gate import stopping
from orchestration.gate.perform import Effect
from orchestration.gate.stopping import Stop, start, stop
from orchestration.gate.stops import Scope
from orchestration.ledger.verify import verify
from orchestration.work.act import act
from orchestration.work.due import acts
from orchestration.work.exchange import Exchange
from orchestration.work.outbox import deliver
from orchestration.work.proving import Proof, prove
from orchestration.work.tools import Caller, ToolNotReached
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.races import delivering
from tests.integration.gate.world import World

AGENT, TYPE, ALL = Scope.agent("finance"), Scope.action_type("send_payment_reminder"), Scope.everything()
SCOPES = {"agent": AGENT, "action type": TYPE, "all": ALL}
CODES = {"agent": "agent_stopped", "action type": "action_type_stopped", "all": "all_stopped"}


class Counting:
    """A tool that knows of nothing it did, and does nothing."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def call(
        self, server: str, tool: str, arguments: Mapping[str, str | int | bool], effect_key: str, permit: SignedPermit
    ) -> ToolResult:
        assert (server, tool, bool(arguments), bool(permit)) == ("erp", "write_payment_reminder", True, True)
        self.calls.append(effect_key)
        return ToolResult(state=OutcomeState.FAILED, detail="The permit has expired.")


def halt(world: World, scope: Scope) -> Stop:
    return stop(world.store, scope, "too keen", operator="ada", now=world.now)


def go_on(world: World, scope: Scope) -> None:
    assert start(world.store, scope, "told off", operator="ben", now=world.now) is not None


def proof(world: World, done: Stop, timeout: float = 20.0) -> Proof:
    agents = [] if done.scope == TYPE else ["finance"]
    exchange = Exchange(world.settings.exchange)
    return prove(world.store, exchange, done, agents, None, timeout=timeout, began=time.monotonic())


def send(world: World, tools: Caller, after: timedelta = timedelta(), **named: Any) -> list[str]:
    return [each.action for each in deliver(world.store, tools, lambda: world.now + after, longest_wait=0.0, **named)]


def states(world: World) -> dict[str, str]:
    return {row["action"]: row["state"] for row in world.rows("outbox")}


def decided(world: World, *, begun: bool = True) -> tuple[str, list[str]]:
    """A batch: one effect in the outbox, one on its way unless its call was not begun either, one permitted."""
    world.make_erp()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        assert isinstance(gate.perform(actions[0], world.now), Effect)
        assert isinstance(gate.perform(actions[1], world.now), Effect)
    if begun:
        world.begin(actions[1])
    return batch_id, actions


@pytest.mark.parametrize("what", SCOPES)
def test_what_was_not_sent_is_given_up_and_what_was_is_told(world: World, what: str) -> None:
    batch_id, (waiting, sent, permitted) = decided(world)
    done = halt(world, SCOPES[what])
    assert (list(done.effects), list(done.sending), len(done.permits)) == ([waiting], [sent], 1)
    assert (len(done.credentials), list(done.batches)) == ((0, []) if what == "action type" else (1, [batch_id]))
    assert states(world) == {waiting: "failed", sent: "sending"}
    tools = Counting()
    assert (send(world, tools), send(world, tools, timedelta(hours=1)), tools.calls) == ([], [], [])
    with world.gate() as gate:
        refused = gate.perform(permitted, world.now)
    assert isinstance(refused, Decision)
    assert {CODES[what], "permit_halted"} <= {reason.code for reason in refused.reasons}
    assert proof(world, done).proven
    assert verify(world.store, None).problems == ()
    kinds = [entry["kind"] for entry in world.rows("ledger_entry")]
    assert kinds[-4:] == ["outcome", "stopped", "decision", "stop_proof"]
    told = world.rows("notification")
    assert [row["kind"] for row in told] == ["stop", "stop_proven"]
    assert (told[0]["body"]["operator"], told[0]["body"]["effects"]) == ("ada", 1)


def test_nothing_of_a_stopped_agent_is_due_or_done(world: World) -> None:
    _, actions = decided(world)
    exchange = Exchange(world.settings.exchange)
    with world.store.read() as connection:
        assert [due.agent for due in acts(connection, exchange, ["finance"])] == ["finance"]
    halt(world, ALL)
    with world.store.read() as connection:
        assert acts(connection, exchange, ["finance"]) == []
    tools, before = Counting(), len(world.rows("decision"))
    done = act(world.store, world.settings, "finance", tools=tools, rules=world.rules, holds=lambda _pin: True)
    assert (done.batches, tools.calls, len(world.rows("decision"))) == ((), [], before)
    assert states(world)[actions[1]] == "sending"


def test_what_was_permitted_goes_on_through_the_gate_alone(world: World) -> None:
    batch_id, (waiting, sent, permitted) = decided(world)
    halt(world, TYPE)
    go_on(world, TYPE)
    tools = Counting()
    assert (send(world, tools), tools.calls) == ([], [])  # its permit could still be used: the tool might write
    with world.gate() as gate:
        later = world.now + timedelta(seconds=1)
        assert [decision.action for decision in gate.decide(batch_id, later)] == [permitted]
        assert isinstance(gate.perform(permitted, later), Effect)
    assert len({row["permit_id"] for row in world.rows("permit", action=permitted)}) == 2
    assert send(world, tools, timedelta(hours=1)) == [sent, permitted]
    assert len(tools.calls) == 2
    assert states(world) == dict.fromkeys((waiting, sent, permitted), "failed")
    assert verify(world.store, None).problems == ()


def test_an_answer_from_before_the_stop_is_not_believed_and_its_row_comes_again(world: World) -> None:
    batch_id, (_, _, permitted) = decided(world)
    halt(world, AGENT)
    go_on(world, AGENT)
    with world.gate() as gate:
        [said] = gate.decide(batch_id, world.now)
    assert {reason.code for reason in said.reasons} == {"bad_credential"}
    assert world.rows("decision", action=permitted)[-1]["transient"]
    assert world.rows("batch")[0]["halted_by"] is None
    assert verify(world.store, None).problems == ()


def test_one_stop_goes_and_another_stays(world: World) -> None:
    batch_id, _ = decided(world)
    halt(world, AGENT)
    halt(world, ALL)
    go_on(world, ALL)
    with world.store.read() as connection:
        left = stopping.stopped(connection)
    assert (left.agent("finance"), left.agent("collections")) == (True, False)
    assert world.rows("batch", batch_id=batch_id)[0]["halted_by"] == 1
    assert verify(world.store, None).problems == ()
    go_on(world, AGENT)
    assert start(world.store, AGENT, "again", operator="ben", now=world.now) is None
    assert world.rows("batch", batch_id=batch_id)[0]["halted_by"] is None
    assert verify(world.store, None).problems == ()


def test_a_call_that_never_reached_its_tool_is_given_up_when_a_stop_came_meanwhile(world: World) -> None:
    _, (waiting, *_) = decided(world)

    class Stopping(Counting):
        def call(self, *arguments: Any, **named: Any) -> ToolResult:
            super().call(*arguments, **named)
            halt(world, AGENT)
            raise ToolNotReached("Nobody listens.")

    tools = Stopping()
    assert waiting not in send(world, tools, once={("erp", "write_payment_reminder")})
    assert len(tools.calls) == 1
    [row] = world.rows("outbox", action=waiting)
    assert (row["state"], row["detail"]) == ("failed", "It was not sent: stop 1 came before.")
    assert verify(world.store, None).problems == ()


EDITS: dict[str, tuple[str, Callable[[World], dict[str, Any]], dict[str, Any]]] = {
    "the stop 1": ("stop", lambda _: {"number": 1}, {"reason": "all is well"}),
    "the proof of stop 1": ("stop", lambda _: {"number": 1}, {"proof": {"proven": False}}),
    "the lifting of stop 1": ("stop", lambda _: {"number": 1}, {"lifted_at": datetime(2026, 11, 2, tzinfo=UTC)}),
    "the halt of permit": ("permit", lambda _: {"consumed_at": None}, {"halted_by": None}),
    "the halt of batch": ("batch", lambda _: {"agent": "finance"}, {"halted_by": None}),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edited_row_of_a_stop_is_told(world: World, what: str) -> None:
    decided(world)
    done = halt(world, AGENT)
    assert proof(world, done).proven
    table, key, values = EDITS[what]
    world.edit(table, key(world), **values)
    problems = verify(world.store, None).problems
    assert len(problems) == 1
    assert what in problems[0]


def test_nothing_is_sent_after_the_proof_though_eight_processes_deliver(world: World) -> None:
    with delivering(world, debtors=60, started=5) as processes:
        seen = proof(world, halt(world, AGENT), timeout=60.0)
        written = len(world.reminders())
    assert [process.exitcode for process in processes] == [0] * 8
    assert seen.proven
    assert 5 <= written < len(world.debtors)
    assert len(world.reminders()) == written  # nothing came after the proof
    every = [row["state"] for row in world.rows("outbox")]
    assert (every.count("done"), every.count("failed")) == (written, len(every) - written)
    assert verify(world.store, None).problems == ()


def test_a_call_that_does_not_end_is_told_and_nothing_is_proven(world: World) -> None:
    decided(world)
    erp = LocalErp(world.settings.home)
    found: list[Proof] = []

    class Hanging(Counting):
        def call(self, *arguments: Any, **named: Any) -> ToolResult:
            found.append(proof(world, halt(world, TYPE), timeout=0.3))
            return erp.call(*arguments, **named)

    send(world, Hanging())
    assert (found[0].proven, found[0].milliseconds >= 300) == (False, True)
    assert found[0].still == ["a call of a tool for the action type send_payment_reminder"]
    assert world.rows("notification")[-1]["kind"] == "stop_not_proven"
    assert proof(world, halt(world, TYPE)).proven
    assert verify(world.store, None).problems == ()
