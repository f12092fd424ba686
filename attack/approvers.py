"""Consent by whom it is not to be: oneself, nobody, whoever was not shown it; and by rows that were edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, insert

from attack.acting import finish, noticed
from attack.approvals import GROUP, approved, asked, refusal
from attack.calling import WITHOUT, Identify, attempt, having
from attack.ground import Ground
from attack.ruled import with_policy
from orchestration.approval import answer, queue
from orchestration.identity.person import Person, Role
from orchestration.store import tables
from tests.integration.gate.approving import ADA, BEN, approve, look
from tests.integration.gate.test_approvals import HARMLESS, owned, reject
from tests.integration.gate.world import World

# --- by whom it is not to be ---


def _edit(world: World, action: str) -> str:
    look(world, action)
    with world.store.begin() as connection:
        wished = {**world.debtors[0].arguments, "stage": 2}
        return str(answer.edit(connection, action, ADA, world.now, arguments=wished, fault="", note="second")[1])


def _own(person: Person) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, batch_id, actions = asked(ground)
        new = _edit(world, actions[0])
        with world.gate() as gate:
            gate.decide(batch_id, world.now)
        said = refusal(lambda: approve(world, new, person))
        finish(world)
        return "effect" if world.reminders() else said

    return run


SELVES: Final[Mapping[str, tuple[str, Person]]] = {
    "self": ("their own proposal", ADA),
    "self-by-another-mailbox": ("their own, from another mailbox", replace(ADA, mailbox="ada@elsewhere.example")),
    "self-by-another-spelling": ("their own, with another spelling of their name", replace(BEN, name="ADA  okafor")),
    "self-by-what-is-not-seen": (
        "their own, with a letter in their name that is not seen",
        replace(BEN, name="Ada\u200b Okafor"),
    ),
    "self-by-another-issuer": ("their own, identified by another issuer", replace(ADA, how="oidc")),
}


for _name, (_how, _person) in SELVES.items():
    GROUP.add(
        f"by-{_name}", f"approve as a reviewer {_how}", "refused: NotEntitled", _own(_person), quick=_name == "self"
    )


@GROUP.attack("by-the-excluded-owner", expected="refused: NotEntitled")
def by_the_owner(ground: Ground) -> str:
    """approve what one's own agent proposes, where its card excludes its owner"""
    world, _, actions = asked(ground)
    return refusal(lambda: approve(world, actions[0], ADA, rules=owned(world)))


def _by(identify: Identify) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _, actions = asked(ground)
        said = attempt(ground, world, identify, "review", "approve", actions[0])
        return "taken" if world.rows("approval") else said

    return run


for _name, (_how, _error, _identify) in {
    **WITHOUT,
    "by-an-operator": ("as an operator", "NotEntitled", having(Role.OPERATOR)),
}.items():
    GROUP.add(_name, f"approve {_how}", f"refused: {_error}", _by(_identify))


@GROUP.attack("unseen", expected="refused: ApprovalRefused")
def unseen(ground: Ground) -> str:
    """approve what one was not shown"""
    world, _, actions = asked(ground)
    look(world, actions[0], BEN)
    return refusal(lambda: approve(world, actions[0], ADA, shown=False))


@GROUP.attack("seen-before-it-changed", expected="refused: ApprovalRefused")
def seen_before(ground: Ground) -> str:
    """approve what one was shown before it was decided anew"""
    world, _, actions = approved(ground)
    world.debtors[0].amount_open = Decimal("8000.00")
    world.publish()
    with world.gate() as gate:
        gate.recheck("finance", world.now)
    return refusal(lambda: approve(world, actions[0], shown=False))


@GROUP.attack("of-what-changed-since-it-was-shown", expected="refused: ApprovalRefused")
def raced(ground: Ground) -> str:
    """approve under policies that changed since it was shown"""
    world, _, actions = asked(ground)
    look(world, actions[0])
    folder = ground.folder / "rules"
    folder.mkdir()
    return refusal(lambda: approve(world, actions[0], shown=False, rules=with_policy(folder, HARMLESS)))


@GROUP.attack("of-what-was-rejected", expected="refused: ApprovalRefused")
def rejected(ground: Ground) -> str:
    """approve what another reviewer rejected"""
    world, _, actions = asked(ground)
    reject(world, actions[0], "no")
    said = refusal(lambda: approve(world, actions[0]))
    finish(world)
    return "effect" if world.reminders() else said


# --- by edited rows ---


@GROUP.attack("row-held", expected="noticed")
def row_held(ground: Ground) -> str:
    """edit in the store which call it is that somebody consented to"""
    world, _, actions = approved(ground)
    world.edit("held", {"action": actions[0]}, tool_call={})
    return noticed(world, "what is held of action")


@GROUP.attack("row-held-before-it-moved", expected="noticed")
def row_held_before_it_moved(ground: Ground) -> str:
    """edit in the store which call it is that waits, and have it told anew by the next thing that becomes of it"""
    world, _, actions = asked(ground)
    world.edit("held", {"action": actions[0]}, tool_call={})
    with world.store.begin() as connection:
        queue.void(connection, actions[0], "agent_stopped", world.now)
    return noticed(world, "what a person is asked of action")


def _row(table: str, **values: Any) -> Callable[[World, list[str]], None]:
    return lambda world, actions: world.edit(table, {"action": actions[0]}, **values)


def _moved(world: World, actions: list[str]) -> None:
    world.edit("approval", {"action": actions[0]}, action=actions[1])
    world.edit("held", {"action": actions[1]}, state="approved")


def _inserted(world: World, actions: list[str]) -> None:
    [given] = world.rows("approval")
    [other] = world.rows("held", action=actions[1])
    same = {name: other[name] for name in ("proposal_digest", "read_set_digest", "policy_digest", "call_digest")}
    same |= {"approval_id": "approval_forged", "action": actions[1], "decision_id": other["decision_id"]}
    with world.store.begin() as connection:
        connection.execute(insert(tables.approval).values({**given, **same}))
    world.edit("held", {"action": actions[1]}, state="approved")


def _removed(world: World, _: list[str]) -> None:
    with world.store.begin() as connection:
        connection.execute(delete(tables.approval))


FAR: Final = datetime(2099, 1, 1, tzinfo=UTC)
ROWS: Final[Mapping[str, tuple[str, Callable[[World, list[str]], None], str]]] = {
    "person": ("who approved", _row("approval", person="Somebody Else"), "the approval"),
    "expiry": ("until when an approval lasts", _row("approval", expires_at=FAR), "the approval"),
    "read-set": ("what an approval is bound to", _row("approval", read_set_digest="0" * 64), "the approval"),
    "void": ("that an approval is void", _row("approval", voided_at=FAR, void_code="erased"), "approval"),
    "shown": ("what the reviewer was shown", _row("showing", shown={"nothing": "at all"}), "the showing"),
    "moved": ("whose approval it is", _moved, "the approval"),
    "inserted": ("that somebody approved what nobody did", _inserted, "the approval approval_forged"),
    "removed": ("the approval away", _removed, "no longer holds the approval"),
}


def _edited(change: Callable[[World, list[str]], None], said: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _, actions = approved(ground)
        change(world, actions)
        finish(world)
        return noticed(world, said)

    return run


for _name, (_how, _forge, _said) in ROWS.items():
    GROUP.add(f"row-{_name}", f"edit {_how} in the store", "noticed", _edited(_forge, _said))
