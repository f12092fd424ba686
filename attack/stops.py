"""Ways to go on after a stop: with what was permitted before, by edited rows, by nobody's start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import delete

from attack.acting import noticed, stands
from attack.calling import WITHOUT, Identify, attempt, having
from attack.ground import Ground
from attack.suite import Group
from orchestration.contracts import SignedPermit
from orchestration.errors import PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.gate.perform import Effect
from orchestration.gate.permits import read
from orchestration.gate.stopping import Stop, start, stop
from orchestration.gate.stops import Scope
from orchestration.identity.person import Role
from orchestration.store import tables
from orchestration.work.outbox import deliver
from orchestration.work.watch import watch
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.races import delivering
from tests.integration.gate.test_stopping import EDITS, decided, go_on, halt, proof
from tests.integration.gate.world import World

GROUP: Final = Group("stop")
SCOPES: Final[Mapping[str, tuple[Scope, str]]] = {
    "agent": (Scope.agent("finance"), "agent_stopped"),
    "action-type": (Scope.action_type("send_payment_reminder"), "action_type_stopped"),
    "all": (Scope.everything(), "all_stopped"),
}
AGENT: Final = SCOPES["agent"][0]
SECOND: Final = timedelta(seconds=1)
MANY: Final = 40
BEFORE: Final = 5
"""Effects that were there before the stop, where many are under way."""


def _use(world: World, action: str, at: timedelta = SECOND) -> str:
    """Perform an action and deliver what waits: what came of it."""
    with world.gate() as gate:
        try:
            done = gate.perform(action, world.now + at)
        except PrecedeError as refused:
            return f"refused: {type(refused).__name__}"
    _deliver(world)
    return "effect" if isinstance(done, Effect) or world.reminders() else stands(world, action)


def _deliver(world: World) -> None:
    deliver(world.store, LocalErp(world.settings.home), lambda: datetime.now(UTC), longest_wait=0.0)


def _stopped(ground: Ground, scope: Scope = AGENT) -> tuple[World, str, list[str], Stop]:
    """Stopped with two effects in the outbox, and one that is permitted."""
    world = ground.world(books=False)
    batch_id, actions = decided(world, begun=False)
    return world, batch_id, actions, halt(world, scope)


def _after(scope: Scope) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _, actions, _ = _stopped(ground, scope)
        return _use(world, actions[2])

    return run


for _name, (_scope, _code) in SCOPES.items():
    _told = f"use a permit after a stop of {_scope.are.removesuffix(' is').removesuffix(' are').lower()}"
    _want = f"denied: {_code}, permit_halted"
    GROUP.add(f"permit-after-it-{_name}", _told, _want, _after(_scope))


@GROUP.attack("outbox-after-it", expected="nothing")
def outbox(ground: Ground) -> str:
    """deliver what waited in the outbox when the stop came"""
    world, *_ = _stopped(ground)
    _deliver(world)
    return "effect" if world.reminders() else "nothing"


@GROUP.attack("outbox-put-back", expected="nothing")
def put_back(ground: Ground) -> str:
    """put what was given up back into the outbox while it is stopped"""
    world, _, actions, _ = _stopped(ground)
    world.edit("outbox", {"action": actions[0]}, state="pending", settled_at=None)
    _deliver(world)
    return "effect" if world.reminders() else "nothing"


@GROUP.attack("outbox-put-back-after-the-start", expected="noticed")
def put_back_later(ground: Ground) -> str:
    """put what was given up back into the outbox once it may go on"""
    world, _, actions, _ = _stopped(ground)
    go_on(world, AGENT)
    world.edit("outbox", {"action": actions[0]}, state="pending", settled_at=None)
    _deliver(world)
    return noticed(world, f"the outcome of action {actions[0]}")


@GROUP.attack("sent-and-set-back", expected="on its way", quick=True)
def set_back_before(ground: Ground) -> str:
    """let an effect whose call was begun seem one that was never sent, so that a stop gives its key free"""
    world = ground.world(books=False)
    _, actions = decided(world)
    world.edit("outbox", {"action": actions[1]}, state="pending", attempts=0)
    done = halt(world, AGENT)
    return "on its way" if actions[1] in done.sending and actions[1] not in done.effects else "given up"


@GROUP.attack("permit-with-its-halt-removed", expected="denied: agent_stopped")
def halt_removed(ground: Ground) -> str:
    """take the halt off a permit's row and use it"""
    world, _, actions, _ = _stopped(ground)
    world.edit("permit", {"action": actions[2]}, halted_by=None)
    return _use(world, actions[2])


@GROUP.attack("permit-after-the-start", expected="denied: permit_halted")
def started(ground: Ground) -> str:
    """use a permit from before the stop once it may go on"""
    world, _, actions, _ = _stopped(ground)
    go_on(world, AGENT)
    return _use(world, actions[2])


@GROUP.attack("answer-from-before-it", expected="denied: bad_credential")
def answered_before(ground: Ground) -> str:
    """have an answer decided, once it may go on, that was given with a credential from before the stop"""
    world, batch_id, actions, _ = _stopped(ground)
    go_on(world, AGENT)
    with world.gate() as gate:
        gate.decide(batch_id, world.now + SECOND)
    return stands(world, actions[2])


@GROUP.attack("by-a-clock-set-back", expected="denied: agent_stopped, permit_halted")
def set_back(ground: Ground) -> str:
    """use a permit after a stop, by a clock set back to before it"""
    world, _, actions, _ = _stopped(ground)
    return _use(world, actions[2], -SECOND)


@GROUP.attack("one-of-two-lifted", expected="denied: agent_stopped, permit_halted")
def one_of_two(ground: Ground) -> str:
    """lift one of two stops that cover an agent"""
    world, _, actions, _ = _stopped(ground)
    halt(world, Scope.everything())
    go_on(world, Scope.everything())
    return _use(world, actions[2])


@GROUP.attack("row-deleted", expected="noticed", quick=True)
def row_deleted(ground: Ground) -> str:
    """delete the stop from the store, and use a permit"""
    world, _, actions, _ = _stopped(ground)
    with world.store.begin() as connection:
        connection.execute(delete(tables.stop))
    said = _use(world, actions[2])
    return said if said == "effect" else noticed(world, "the stop 1")


def _edited(what: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world(books=False)
        decided(world)
        if not proof(world, halt(world, AGENT)).proven:
            return "otherwise: not proven"
        table, key, values = EDITS[what]
        world.edit(table, key(world), **values)
        return noticed(world, what)

    return run


for _what in EDITS:
    GROUP.add(f"edited-{_what.removeprefix('the ').replace(' ', '-')}", f"edit {_what}", "noticed", _edited(_what))


def _start(identify: Identify, *arguments: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world()
        stop(world.store, AGENT, "too keen", operator="ada", now=world.now)
        said = attempt(ground, world, identify, *arguments)
        [row] = world.rows("stop", number=1)
        return "started" if row["lifted_at"] is not None else said

    return run


_FINANCE: Final = ("start", "finance", "--reason", "It is well again.")
for _name, (_how, _error, _identify) in {
    **WITHOUT,
    "by-a-reviewer": ("as a reviewer", "NotEntitled", having(Role.REVIEWER)),
}.items():
    GROUP.add(
        f"start-{_name}",
        f"let a stopped agent go on {_how}",
        f"refused: {_error}",
        _start(_identify, *_FINANCE),
        quick=_name == "by-a-reviewer",
    )
GROUP.add(
    "start-without-a-reason",
    "let it go on as an operator, and say not why",
    "refused: ConfigurationError",
    _start(having(Role.OPERATOR), "start", "finance", "--reason", " "),
)


@GROUP.attack("start-of-another-scope", expected="denied: agent_stopped, permit_halted")
def of_another(ground: Ground) -> str:
    """lift a stop of everything where the agent alone is stopped"""
    world, _, actions, _ = _stopped(ground)
    start(world.store, Scope.everything(), "It is well.", operator="ben", now=world.now)
    return _use(world, actions[2])


@GROUP.attack("delivery-after-the-proof", expected="nothing")
def after_the_proof(ground: Ground) -> str:
    """let eight processes deliver while it is stopped, and go on after the proof"""
    world = ground.world(books=False)
    with delivering(world, debtors=MANY, started=BEFORE):
        seen = proof(world, halt(world, AGENT), timeout=60.0)
        written = len(world.reminders())
    late = len(world.reminders()) - written
    return "nothing" if seen.proven and not late and BEFORE <= written < MANY else f"otherwise: {late} of {written}"


@GROUP.attack("stolen-permit-at-the-tool", expected="noticed")
def stolen(ground: Ground) -> str:
    """use a stopped agent's permit past the gate, by who may read the store, before it expires"""
    world, _, actions, _ = _stopped(ground)
    [row] = world.rows("permit", action=actions[2])
    permit = SignedPermit(payload=row["payload"], signature=row["signature"])
    said = read(permit, signing_key(world.settings.keys).public_key())
    erp = LocalErp(world.settings.home)
    erp.call(said.tool_server, said.tool, said.tool_arguments, said.effect_key, permit)
    world.shows = [
        {"_record": f"erp:customrecord_dunning:{number}", "custrecord_effect_key": key, "custrecord_created_by": by}
        for number, (key, _, by) in enumerate(world.reminders(), 1)
    ]
    world.now, world.read_ago = datetime.now(UTC) + timedelta(minutes=1), timedelta()
    world.publish()
    watch(world.store, world.settings, world.rules.action_types, world.now)
    found = {(one["effect_key"], one["how"]) for one in world.rows("incident")}
    return "noticed" if found == {(said.effect_key, "no_entry")} else f"otherwise: {found}"
