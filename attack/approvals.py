"""Consent that was given to something else, or before; and consent used twice. By whom it is not: `approvers.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete

from attack.acting import came, finish, noticed, stands
from attack.ground import Ground
from attack.ruled import with_policy
from attack.suite import Group
from orchestration.errors import PrecedeError
from orchestration.gate.rules import Rules
from orchestration.ledger.chain import append
from orchestration.store import tables
from tests.integration.gate.approving import LARGE, approve, held
from tests.integration.gate.children import perform_all
from tests.integration.gate.races import FORKS
from tests.integration.gate.test_approvals import HARMLESS, RELEVANT
from tests.integration.gate.world import Debtor, World

GROUP: Final = Group("approval")
EVE: Final = "eve@evil.example"
DAY: Final = timedelta(hours=24, minutes=5)
"""Longer than finance's card lets an approval last."""
SECOND: Final = timedelta(seconds=1)


def asked(ground: Ground) -> tuple[World, str, list[str]]:
    """Three debtors who owe so much that a person must look first, and nobody has."""
    world = ground.world(books=False)
    world.debtors = [Debtor(number, amount_open=LARGE) for number in range(1, 4)]
    world.publish()
    world.make_erp()
    return world, *held(world)


def approved(ground: Ground) -> tuple[World, str, list[str]]:
    """The same, where Ada consents to the first."""
    world, batch_id, actions = asked(ground)
    approve(world, actions[0])
    return world, batch_id, actions


def refusal(attempted: Callable[[], object]) -> str:
    """What something that is attempted is refused by."""
    try:
        attempted()
    except PrecedeError as refused:
        return f"refused: {type(refused).__name__}"
    return "taken"


def _queue(world: World, action: str) -> str:
    """What came of an approval after all that there is to do: an effect, or where the queue left it and why."""
    came(world, action)
    if stands(world, action) == "effect":
        return "effect"
    [row] = world.rows("held", action=action)
    return f"{row['state']}: {', '.join(reason['code'] for reason in row['reasons'])}"


@GROUP.attack("sound", expected="effect")
def sound(ground: Ground) -> str:
    """control, no attack: what is approved happens"""
    world, _, actions = approved(ground)
    return came(world, actions[0])


# --- used twice ---


@GROUP.attack("replayed", expected="refused: PermitRefused")
def replayed(ground: Ground) -> str:
    """use an approval, and once more"""
    world, _, actions = approved(ground)
    finish(world)
    with world.gate() as gate:
        said = refusal(lambda: gate.perform(actions[0], world.now))
    return said if len(world.reminders()) == 1 else "effect"


@GROUP.attack("replayed-with-its-permit-put-back", expected="denied: approval_void")
def put_back(ground: Ground) -> str:
    """use an approval, and put its permit and its effect back as if they had not been"""
    world, batch_id, actions = approved(ground)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(actions[0], world.now)
        world.edit("permit", {"action": actions[0]}, consumed_at=None)
        world.edit("outbox", {"action": actions[0]}, state="failed")
        gate.perform(actions[0], world.now + SECOND)
    return stands(world, actions[0])


@GROUP.attack("replayed-with-everything-put-back", expected="noticed")
def unused(ground: Ground) -> str:
    """use an approval, and write into the store that neither it nor its permit was used"""
    world, _, actions = approved(ground)
    finish(world)
    world.edit("approval", {"action": actions[0]}, consumed_at=None, permit_id=None)
    world.edit("permit", {"action": actions[0]}, consumed_at=None)
    world.edit("held", {"action": actions[0]}, state="approved")
    with world.store.begin() as connection:
        connection.execute(delete(tables.outbox))
    finish(world)
    return "effect" if len(world.reminders()) != 1 else noticed(world, "the use of approval")


@GROUP.attack("eight-processes", expected="once")
def eight(ground: Ground) -> str:
    """let eight processes use the same approval at once"""
    world, batch_id, actions = approved(ground)
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    given = (world.settings.home, [actions[0]])
    processes = [FORKS.Process(target=perform_all, args=(*given, seed)) for seed in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    used = sum(process.exitcode or 0 for process in processes)
    return "once" if used == 1 and len(world.rows("outbox")) == 1 else f"otherwise: {used}"


# --- of something else ---


def _changed_arguments(world: World, action: str) -> None:
    world.edit("proposal", {"action": action}, arguments={**world.debtors[0].arguments, "stage": 2})


def _changed_digest(world: World, action: str) -> None:
    _changed_arguments(world, action)
    world.edit("proposal", {"action": action}, digest="0" * 64)


def _of_another_agent(world: World, action: str) -> None:
    world.edit("proposal", {"action": action}, agent="collections")


def _of_another_entity(world: World, action: str) -> None:
    world.edit("proposal", {"action": action}, entity_id="org_2", arguments=dict(world.debtors[1].arguments))


PROPOSALS: Final[Mapping[str, tuple[str, Callable[[World, str], None], str]]] = {
    "changed-arguments": ("its arguments were edited", _changed_arguments, "waiting: proposal_changed"),
    "changed-arguments-and-digest": (
        "its arguments and digest were edited",
        _changed_digest,
        "waiting: proposal_changed",
    ),
    "another-agent": ("it was given to another agent", _of_another_agent, "void: bad_credential"),
    "another-entity": ("it was made another debtor's", _of_another_entity, "void: proposal_changed"),
}


def _proposal(change: Callable[[World, str], None]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _, actions = approved(ground)
        change(world, actions[0])
        said = _queue(world, actions[0])
        return said if noticed(world, f"the proposal of action {actions[0]}") == "noticed" else "unnoticed"

    return run


for _name, (_how, _change, _expected) in PROPOSALS.items():
    GROUP.add(
        f"for-{_name}",
        f"use an approval of a proposal after {_how}",
        _expected,
        _proposal(_change),
    )


def _read_set(change: Callable[[Debtor], object], *, permitted: bool) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, batch_id, actions = approved(ground)
        if permitted:
            with world.gate() as gate:
                gate.decide(batch_id, world.now)
        change(world.debtors[0])
        world.publish()
        return _queue(world, actions[0])

    return run


for _what, (_change_of, _codes) in RELEVANT.items():
    _slug = _what.replace(" ", "-")
    _wanted = f"{_codes[0]}: {', '.join(_codes[1:])}"
    GROUP.add(f"for-changed-{_slug}", f"use an approval after {_what}", _wanted, _read_set(_change_of, permitted=False))
GROUP.add(
    "for-changed-dispute-after-the-permit",
    "use a permit that an approval gave, after a dispute",
    "void: read_set_changed, invoice_disputed",
    _read_set(RELEVANT["a dispute"][0], permitted=True),
)


@GROUP.attack("for-changed-policy", expected="waiting: policy_changed")
def changed_policy(ground: Ground) -> str:
    """use an approval after the policy changed, though it decides the same"""
    world, _, actions = approved(ground)
    folder = ground.folder / "rules"
    folder.mkdir()
    world.rules = with_policy(folder, HARMLESS)
    return _queue(world, actions[0])


def _tool(rules: Rules, **changes: Any) -> Rules:
    reminder = rules.action_types["send_payment_reminder"]
    tool = reminder.tool.model_copy(update=changes)
    return replace(
        rules, action_types={**rules.action_types, reminder.name: reminder.model_copy(update={"tool": tool})}
    )


TOOLS: Final[Mapping[str, tuple[str, Callable[[Rules], Rules]]]] = {
    "changed-tool": ("calls another tool", lambda rules: _tool(rules, name="withdraw_payment_reminder")),
    "changed-server": ("calls another server", lambda rules: _tool(rules, server="crm")),
    "changed-recipient": (
        "sends it to somebody else",
        lambda rules: _tool(
            rules, arguments={**rules.action_types["send_payment_reminder"].tool.arguments, "recipient": EVE}
        ),
    ),
}


def _call(change: Callable[[Rules], Rules]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _, actions = approved(ground)
        world.rules = change(world.rules)
        return _queue(world, actions[0])

    return run


for _name, (_how, _changed) in TOOLS.items():
    _told = f"use an approval after its action type {_how}"
    GROUP.add(f"for-{_name}", _told, "waiting: tool_call_changed", _call(_changed))


# --- after its time ---


@GROUP.attack("expired", expected="waiting: approval_expired")
def expired(ground: Ground) -> str:
    """use an approval after its time"""
    world, _, actions = approved(ground)
    world.now += DAY
    world.read_ago = timedelta(hours=1)
    world.publish()
    with world.gate() as gate:
        gate.recheck("finance", world.now)
    return _queue(world, actions[0])


@GROUP.attack("expired-and-clock-set-back", expected="denied: approval_expired")
def expired_and_set_back(ground: Ground) -> str:
    """use an approval after its time, by a clock set back to when it was not over"""
    world, batch_id, actions = approved(ground)
    later = world.now + DAY
    with world.gate() as gate:
        gate.decide(batch_id, later - timedelta(minutes=10))
        with world.store.begin() as connection:  # something was recorded since: it was that late already
            append(connection, "tick", {}, at=later)
        gate.perform(actions[0], later - timedelta(minutes=10))
    return "effect" if world.rows("outbox") else stands(world, actions[0])
