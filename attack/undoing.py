"""Taking an effect back that is not to be, more than once, by nobody, or to somebody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import delete, update

from attack.acting import noticed
from attack.calling import WITHOUT, Identify, attempt, having
from attack.ground import Ground
from attack.suite import Group
from orchestration.contracts import OutcomeState, SignedPermit, ToolResult
from orchestration.errors import PrecedeError
from orchestration.gate.keys import signing_key
from orchestration.gate.permits import read, sign
from orchestration.identity.person import Role
from orchestration.ledger.chain import commitment
from orchestration.settings import Settings
from orchestration.store import tables
from orchestration.store.engine import open_store
from tests.integration.gate.callers import LocalErp, Silent
from tests.integration.gate.races import FORKS
from tests.integration.gate.test_undo import EDITS, WITHDRAW, rehash, take_back
from tests.integration.gate.world import World

GROUP: Final = Group("undo")
EVE: Final = "eve@evil.example"


def _written(world: World) -> int:
    """How many rows of taking back stand in the ERP."""
    return sum(str(key).startswith("undo:") for key, *_ in world.reminders())


def _refused(world: World, action: str, **how: Any) -> str:
    """Take an effect back, and say what was said against it; `effect` where something was written."""
    before = world.reminders()
    try:
        made = take_back(world, action, **how)
        said = f"refused: {made.state.value}"
    except PrecedeError as refused:
        said = f"refused: {type(refused).__name__}"
    return "effect" if world.reminders() != before else said


def _by(identify: Identify) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, actions = ground.reminded()
        said = attempt(ground, world, identify, "undo", actions[0], "--reason", "It is not needed.")
        return "effect" if _written(world) or world.rows("undo") else said

    return run


for _name, (_how, _error, _identify) in {
    **WITHOUT,
    "by-a-reviewer": ("as a reviewer", "NotEntitled", having(Role.REVIEWER)),
}.items():
    GROUP.add(
        _name,
        f"take an effect back {_how}",
        f"refused: {_error}",
        _by(_identify),
        quick=_name == "by-a-reviewer",
    )


@GROUP.attack("twice", expected="refused: EffectRefused", quick=True)
def twice(ground: Ground) -> str:
    """take an effect back that was taken back"""
    world, actions = ground.reminded()
    take_back(world, actions[0])
    return _refused(world, actions[0])


@GROUP.attack("twice-after-its-row-was-deleted", expected="noticed")
def deleted(ground: Ground) -> str:
    """delete the row that says so, and take it back once more"""
    world, actions = ground.reminded()
    take_back(world, actions[0])
    with world.store.begin() as connection:
        connection.execute(delete(tables.undo))
    take_back(world, actions[0])
    return noticed(world, "undo") if _written(world) == 1 else "effect"


@GROUP.attack("twice-after-its-row-was-edited", expected="noticed")
def row_failed(ground: Ground) -> str:
    """let the row say that it failed, and take it back once more"""
    world, actions = ground.reminded()
    take_back(world, actions[0])
    with world.store.begin() as connection:
        connection.execute(update(tables.undo).values(state="failed"))
    take_back(world, actions[0])
    return noticed(world, "undo") if _written(world) == 1 else "effect"


def take_back_alone(home: Path, action: str) -> None:
    """Take an effect back in a process of its own."""
    os.environ.pop("PRECEDE_STORE_URL", None)  # of whatever began the server that this is a fork of
    with closing(open_store(Settings(home=home))) as store, suppress(PrecedeError):
        take_back(World(home, store), action)


@GROUP.attack("eight-at-once", expected="once")
def at_once(ground: Ground) -> str:
    """let eight processes take the same effect back at once"""
    world, actions = ground.reminded()
    processes = [FORKS.Process(target=take_back_alone, args=(world.settings.home, actions[0])) for _ in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    return "once" if _written(world) == 1 and len(world.rows("undo")) == 1 else f"otherwise: {_written(world)}"


@GROUP.attack("of-what-never-happened", expected="refused: EffectRefused")
def never(ground: Ground) -> str:
    """take the effect back of an action that was denied"""
    world = ground.world()
    world.debtors[0].disputed = True
    world.publish()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return _refused(world, actions[0])


@GROUP.attack("of-what-failed-by-an-edited-row", expected="refused: EffectRefused")
def failed(ground: Ground) -> str:
    """let the outbox say that an effect is done of which the ledger says otherwise"""
    world = ground.world()
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    world.edit("outbox", {"action": actions[0]}, state="done", settled_at=world.now, reference="1")
    return _refused(world, actions[0])


def _edited(how: str, kind: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, actions = ground.reminded()
        with world.store.begin() as connection:
            connection.exec_driver_sql(EDITS[how][0], (kind,))
        return _refused(world, actions[0])

    return run


for _how in EDITS:
    for _kind in ("intent", "decision"):
        _of = _how.removeprefix("the ").replace(" ", "-")
        _told = f"take an effect back after {_how} of its {_kind} {'' if 'gone' in _how else 'was edited'}".strip()
        GROUP.add(f"{_kind}-{_of}", _told, "refused: EffectRefused", _edited(_how, _kind))


@GROUP.attack("rehashed-intent", expected="refused: EffectRefused", quick=True)
def rehashed(ground: Ground) -> str:
    """edit whom an effect was on, hash the whole ledger anew, and take it back"""
    world, actions = ground.reminded()
    [entry] = [one for one in world.rows("ledger_entry", action=actions[0]) if one["kind"] == "intent"]
    [payload] = world.rows("ledger_payload", seq=entry["seq"])
    forged = payload["payload"].replace("1@debtor.example", EVE)
    body = entry["body"].replace(
        commitment(payload["salt"], payload["payload"].encode()), commitment(payload["salt"], forged.encode())
    )
    world.edit("ledger_payload", {"seq": entry["seq"]}, payload=forged)
    rehash(world, entry["seq"], body)
    return _refused(world, actions[0])


# --- a taking back that a process left unfinished, and that somebody edits or puts in ---


def _begun(ground: Ground) -> tuple[World, str, dict[str, Any]]:
    world, actions = ground.reminded()
    take_back(world, actions[0], Silent())
    world.edit("undo", {"action": actions[0]}, state="pending", attempts=0)
    [row] = world.rows("undo")
    return world, actions[0], row


def _arguments(world: World, row: dict[str, Any]) -> dict[str, Any]:
    del world
    return {"tool_arguments": {**row["tool_arguments"], "recipient": EVE}}


def _own_key(world: World, row: dict[str, Any]) -> dict[str, Any]:
    signed = SignedPermit(payload=row["permit"], signature=row["signature"])
    said = read(signed, signing_key(world.settings.keys).public_key())
    changed = said.model_copy(update={"tool_arguments": {**said.tool_arguments, "recipient": EVE}})
    forged = sign(changed, Ed25519PrivateKey.generate())
    return {"permit": forged.payload, "signature": forged.signature, "tool_arguments": dict(changed.tool_arguments)}


def _other_tool(_: World, row: dict[str, Any]) -> dict[str, Any]:
    values = {name: value for name, value in row["tool_arguments"].items() if name != "reference"}
    return {"tool": "write_payment_reminder", "tool_arguments": {**values, "recipient": EVE}}


def _other_key(_: World, __: dict[str, Any]) -> dict[str, Any]:
    return {"effect_key": "undo:another"}


FORGED: Final[Mapping[str, tuple[str, Callable[[World, dict[str, Any]], dict[str, Any]]]]] = {
    "row-with-another-recipient": ("whose recipient was edited", _arguments),
    "row-for-another-tool": ("that calls another tool by now", _other_tool),
    "row-with-another-effect-key": ("that has another effect key by now", _other_key),
}


def _forged(change: Callable[[World, dict[str, Any]], dict[str, Any]]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, action, row = _begun(ground)
        world.edit("undo", {"undo_id": row["undo_id"]}, **change(world, row))
        said = _refused(world, action)
        return said if noticed(world, f"undo {row['undo_id']}") == "noticed" else "unnoticed"

    return run


for _name, (_how, _change) in FORGED.items():
    GROUP.add(_name, f"finish a taking back {_how}", "refused: failed", _forged(_change))
GROUP.add(
    "row-with-a-permit-of-ones-own-key",
    "finish a taking back whose permit was signed with a key of one's own",
    "refused: EffectRefused",
    _forged(_own_key),
    quick=True,
)


@GROUP.attack("row-that-says-it-is-done", expected="noticed")
def pretended(ground: Ground) -> str:
    """let the row of an unfinished taking back say that it is done, so that nobody does it"""
    world, _, row = _begun(ground)
    world.edit("undo", {"undo_id": row["undo_id"]}, state="done", settled_at=world.now, reference="1")
    return noticed(world, f"undo {row['undo_id']}")


@GROUP.attack("row-inserted", expected="noticed")
def inserted(ground: Ground) -> str:
    """put in a taking back that nobody ordered, and have it finished"""
    world, _, row = _begun(ground)
    with world.store.begin() as connection:
        connection.execute(tables.undo.insert().values({**row, "undo_id": "undo_forged", "action": _second(world)}))
    said = _refused(world, _second(world))
    return said if said == "effect" else noticed(world, "undo undo_forged")


def _second(world: World) -> str:
    return str(sorted(world.rows("outbox"), key=lambda row: str(row["effect_key"]))[1]["action"])


# --- the tool that takes back, called past everything ---


def _past_all(world: World, result: ToolResult) -> str:
    written = len(world.reminders())
    return f"refused: {result.state.value}" if written == _SOUND and result.state is not OutcomeState.DONE else "effect"


_SOUND: Final = 4  # three reminders, and one of them taken back


def _past(ground: Ground) -> tuple[World, LocalErp, dict[str, Any], list[str]]:
    world, actions = ground.reminded()
    take_back(world, actions[0])
    [row] = world.rows("undo")
    return world, LocalErp(world.settings.home), row, actions


@GROUP.attack("tool-with-the-permit-of-the-reminder", expected="refused: failed")
def with_a_reminders(ground: Ground) -> str:
    """call the tool that takes back past the gate with the permit of the reminder"""
    world, erp, row, actions = _past(ground)
    [other] = world.rows("permit", action=actions[1])
    signed = SignedPermit(payload=other["payload"], signature=other["signature"])
    return _past_all(
        world, erp.call(*WITHDRAW, {**row["tool_arguments"], "invoice": "2"}, f"undo:{actions[1]}", signed)
    )


@GROUP.attack("tool-with-the-permit-of-another-undo", expected="refused: failed")
def with_anothers(ground: Ground) -> str:
    """call it with the permit of another taking back"""
    world, erp, row, actions = _past(ground)
    signed = SignedPermit(payload=row["permit"], signature=row["signature"])
    return _past_all(
        world, erp.call(*WITHDRAW, {**row["tool_arguments"], "invoice": "2"}, f"undo:{actions[1]}", signed)
    )


@GROUP.attack("reminder-with-the-permit-of-an-undo", expected="refused: failed")
def a_reminder(ground: Ground) -> str:
    """send a reminder with the permit to take one back"""
    world, erp, row, actions = _past(ground)
    signed = SignedPermit(payload=row["permit"], signature=row["signature"])
    [meant] = world.rows("outbox", action=actions[1])
    values = {**meant["tool_arguments"], "recipient": EVE}
    return _past_all(world, erp.call("erp", "write_payment_reminder", values, "again", signed))


@GROUP.attack("permit-that-is-over", expected="refused: failed")
def over(ground: Ground) -> str:
    """take an effect back with a permit whose time is over"""
    world, actions = ground.reminded()
    return _refused(world, actions[0], later=-timedelta(hours=1))


@GROUP.attack("proposed-by-an-agent", expected="denied: not_on_card, unknown_action_type")
def by_an_agent(ground: Ground) -> str:
    """let an agent propose that an effect is taken back"""
    world, _ = ground.reminded()
    batch_id = world.wake("collections")
    action = world.propose(batch_id, world.debtors[0], stage=2)
    world.edit("proposal", {"action": action}, action_type="withdraw_payment_reminder")
    with world.gate() as gate:
        gate.decide(batch_id, datetime.now(UTC))
    if _written(world) or world.rows("undo"):
        return "effect"
    verdict, *codes = world.said(action)
    return f"{'denied' if verdict == 'deny' else verdict}: {', '.join(codes)}"
