"""What became of effects, told by who may not tell it; and rows in Precede's name that nobody asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete

from attack.acting import noticed
from attack.calling import WITHOUT, Identify, attempt, having
from attack.ground import Ground
from attack.suite import Group
from orchestration.identity.person import Role
from orchestration.store import tables
from orchestration.work.watch import watch
from tests.integration.gate.callers import LocalErp
from tests.integration.gate.test_calls_recorded import killed, send
from tests.integration.gate.world import World

GROUP: Final = Group("effects")


def _unknown(ground: Ground) -> tuple[World, str]:
    """An effect that its tool said nothing about, and which a person must settle."""
    world, actions = ground.reminded()
    world.edit("outbox", {"action": actions[0]}, state="unknown", by_person=True)
    return world, actions[0]


def _settled(identify: Identify) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, action = _unknown(ground)
        said = attempt(ground, world, identify, "effects", "settle", action, "failed", "--reason", "Nothing there.")
        [row] = world.rows("outbox", action=action)
        return said if row["state"] == "unknown" else "settled"

    return run


for _name, (_how, _error, _identify) in WITHOUT.items():
    GROUP.add(
        f"settle-{_name}",
        f"say of an effect whose outcome is unknown that nothing was written, {_how}",
        f"refused: {_error}",
        _settled(_identify),
        quick=_name == "by-nobody",
    )


@GROUP.attack("settle-what-is-settled", expected="refused: EffectRefused")
def settled(ground: Ground) -> str:
    """say as a reviewer of an effect that is done that it never was, so that it can be had again"""
    world, actions = ground.reminded()
    told = ("effects", "settle", actions[0], "failed", "--reason", "Nothing there.")
    said = attempt(ground, world, having(Role.REVIEWER), *told)
    [row] = world.rows("outbox", action=actions[0])
    return said if row["state"] == "done" else "settled"


@GROUP.attack("settle-what-the-tool-can-say", expected="refused: EffectRefused", quick=True)
def asked_again(ground: Ground) -> str:
    """mark in the store that no tool can be asked, and say as a reviewer that nothing was written"""
    world, action = _unknown(ground)
    said = attempt(
        ground, world, having(Role.REVIEWER), "effects", "settle", action, "failed", "--reason", "Nothing there."
    )
    [row] = world.rows("outbox", action=action)
    return said if row["state"] == "unknown" else "settled"


@GROUP.attack("settle-by-the-row", expected="noticed", quick=True)
def by_the_row(ground: Ground) -> str:
    """say so in the store, past the command and the ledger"""
    world, actions = ground.reminded()
    world.edit("outbox", {"action": actions[0]}, state="failed", detail="Nothing there.")
    return noticed(world, f"the outcome of action {actions[0]}")


@GROUP.attack("sent-again", expected="called once", quick=True)
def sent_again(ground: Ground) -> str:
    """set an effect back whose run was killed in mid-call, so that a tool that may be called once is called again"""
    world = ground.world()
    batch_id, [action, *_] = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        gate.perform(action, world.now)
    killed(world, action)
    tools = LocalErp(world.settings.home)
    send(world, tools)
    return "called again" if tools.calls else "called once"


# --- rows of Precede's account that the ledger does not account for ---


def _write(world: World, key: str | None, by: str = "precede", *, unlike: bool = False) -> None:
    """Write a reminder into the ERP past every tool, as who has its account's password would."""
    with closing(sqlite3.connect(world.settings.home / "northgate" / "erp.db")) as erp, erp:
        if unlike:  # as in systems whose keys are not unique
            erp.executescript("""
                CREATE TABLE other AS SELECT * FROM customrecord_dunning; DROP TABLE customrecord_dunning;
                ALTER TABLE other RENAME TO customrecord_dunning;
            """)
        erp.execute(
            "INSERT INTO customrecord_dunning (id, custrecord_invoice, custrecord_stage, custrecord_recipient, "
            "custrecord_sent_at, custrecord_effect_key, custrecord_created_by) VALUES (99, 1, 3, ?, '2026', ?, ?)",
            ("eve@evil.example", key, by),
        )


def _seen(world: World) -> list[tuple[str, str]]:
    """Publish what stands in the ERP, and look for what nobody asked for: its key, and what is wrong with it."""
    world.shows = [
        {"_record": f"erp:customrecord_dunning:{number}", "custrecord_effect_key": key, "custrecord_created_by": by}
        for number, (key, _, by) in enumerate(sorted(world.reminders(), key=str), 1)
    ]
    world.now, world.read_ago = datetime.now(UTC) + timedelta(minutes=1), timedelta()
    world.publish()
    watch(world.store, world.settings, world.rules.action_types, world.now)
    return [(row["effect_key"], row["how"]) for row in world.rows("incident")]


Stranger = Callable[[World, list[str]], tuple[str, str]]


def _nobodys(world: World, _: list[str]) -> tuple[str, str]:
    _write(world, "reminder:stranger")
    return "reminder:stranger", "no_entry"


def _keyless(world: World, _: list[str]) -> tuple[str, str]:
    _write(world, None)
    return "", "no_entry"


def _otherwise_spelt(world: World, _: list[str]) -> tuple[str, str]:
    _write(world, "reminder:stranger", " Precede ")
    return "reminder:stranger", "no_entry"


def _again(world: World, actions: list[str]) -> tuple[str, str]:
    key = _key(world, actions[0])
    _write(world, key, unlike=True)
    return key, "doubled"


def _denied(world: World, actions: list[str]) -> tuple[str, str]:
    world.edit("outbox", {"action": actions[0]}, state="failed")
    return _key(world, actions[0]), "said_failed"


def _unsent(world: World, actions: list[str]) -> tuple[str, str]:
    world.edit("outbox", {"action": actions[0]}, state="pending", attempts=0)
    return _key(world, actions[0]), "never_sent"


def _without_entry(world: World, actions: list[str]) -> tuple[str, str]:
    """Who may write to store and system puts the row into the outbox as well."""
    _write(world, "reminder:stranger")
    [row] = world.rows("outbox", action=actions[0])
    batch_id = world.wake("collections")
    action = world.propose(batch_id, world.debtors[0], stage=2)
    with world.store.begin() as connection:
        connection.execute(tables.outbox.insert().values({**row, "action": action, "effect_key": "reminder:stranger"}))
    return "reminder:stranger", "no_entry"


def _key(world: World, action: str) -> str:
    return str(world.rows("outbox", action=action)[0]["effect_key"])


STRANGERS: Final[Mapping[str, tuple[str, Stranger]]] = {
    "a-strangers-row": ("a key of one's own", _nobodys),
    "a-strangers-row-without-a-key": ("no effect key", _keyless),
    "a-strangers-row-by-another-spelling": ("the account's name in other letters", _otherwise_spelt),
    "a-strangers-row-with-the-key-of-another": ("the key of an effect that was", _again),
    "a-row-of-what-failed": ("the key of an effect that is said to have failed", _denied),
    "a-row-of-what-was-not-sent": ("the key of an effect that is said to wait", _unsent),
    "a-strangers-row-with-an-outbox-row": ("a key that was put into the outbox too", _without_entry),
}


def _told(stranger: Stranger) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, actions = ground.reminded()
        wanted = stranger(world, actions)
        found = _seen(world)
        told = [row["body"]["rows"] for row in world.rows("notification", kind="incident")]
        return "incident" if wanted in found and told == [len(found)] else f"unnoticed: {sorted(found)}"

    return run


for _name, (_what, _stranger) in STRANGERS.items():
    GROUP.add(
        _name,
        f"write a row into the ERP in Precede's name, past every tool, with {_what}",
        "incident",
        _told(_stranger),
        quick=_name == "a-strangers-row",
    )


def _incident(change: Callable[[World], object]) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world, _ = ground.reminded()
        _write(world, "reminder:stranger")
        _seen(world)
        change(world)
        return noticed(world, "incident")

    return run


def _delete(world: World) -> Any:
    with world.store.begin() as connection:
        return connection.execute(delete(tables.incident))


GROUP.add("incident-deleted", "delete the incident from the store", "noticed", _incident(_delete))
GROUP.add(
    "incident-edited",
    "let the incident say that it was another row",
    "noticed",
    _incident(lambda world: world.edit("incident", {"how": "no_entry"}, effect_key="reminder:ours")),
)
