"""Ways to an effect on an entity that is not reconciled, or on a graph that is not the one that was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, update

from attack.acting import came, finish, noticed, stands
from attack.ground import Ground
from attack.ruled import with_policy
from attack.suite import Group
from orchestration.store import tables
from tests.integration.gate.world import World

GROUP: Final = Group("standing")
Change = Callable[[World], None]
QUICK: Final = ("ambiguous", "graph-swapped", "pin-from-outside")


def _debtor(**changes: Any) -> Change:
    def change(world: World) -> None:
        for name, value in changes.items():
            setattr(world.debtors[0], name, value)
        world.publish()

    return change


def _edited(**values: Any) -> Change:
    return lambda world: world.edit("snapshot", {"snapshot_id": f"snap_{world.published}"}, **values)


def _swapped(world: World) -> None:
    path = world.settings.snapshots / f"snap_{world.published}.duckdb"
    other = path.read_bytes()
    path.unlink()
    path.write_bytes(other[:-1] + b"\x00" + other[-1:])


def _without_pointer(world: World) -> None:
    with world.store.begin() as connection:
        connection.execute(delete(tables.pointer))


def _unread(world: World) -> None:
    with world.store.begin() as connection:
        connection.execute(delete(tables.watermark).where(tables.watermark.c.system == "erp"))


def _stale(world: World) -> None:
    with world.store.begin() as connection:
        connection.execute(update(tables.watermark).values(read_at=world.now - timedelta(days=3)))


def _reported(world: World) -> None:
    pin = world.rows("snapshot")[-1]["pin"]
    _edited(pin={**pin, "run_id": ""})(world)


UNSOUND: Mapping[str, tuple[str, Change, str]] = {
    "ambiguous": ("with an ambiguous link", _debtor(standing_reasons=("ambiguous_link",)), "ambiguous_link"),
    "vetoed": ("with a vetoed link", _debtor(standing_reasons=("vetoed_link",)), "vetoed_link"),
    "one-system": (
        "that the CRM alone knows",
        _debtor(
            resolution={"crm": "linked", "erp": "absent", "support": "absent"}, standing_reasons=("single_system",)
        ),
        "not_linked",
    ),
    "not-searched": (
        "with an open candidate in support",
        _debtor(resolution={"crm": "linked", "erp": "linked", "support": "open"}),
        "not_searched",
    ),
    "objecting": ("who objects", _debtor(opted_out=True), "opted_out"),
    "paid": ("who paid", _debtor(amount_open=Decimal(0)), "invoice_paid"),
    "disputed": ("who disputes it", _debtor(disputed=True), "invoice_disputed"),
    "not-due": ("whose invoice is not due", _debtor(due_on=date(2099, 1, 1)), "invoice_not_due"),
    "no-pointer": ("with no current graph", _without_pointer, "no_graph"),
    "graph-elsewhere": ("on a graph at another path", _edited(path="../../elsewhere.duckdb"), "no_graph"),
    "graph-swapped": ("on a graph whose file was replaced", _swapped, "graph_changed"),
    "failed-check": ("on a graph whose check failed", _edited(checks={"accounted": "failed"}), "failed_check"),
    "no-checks": ("on a graph that nobody checked", _edited(checks={}), "failed_check"),
    "no-pin": ("on a graph that no run published", _edited(pin=None), "no_pin"),
    "pin-from-outside": ("on a graph that was reported from outside", _reported, "no_pin"),
    "stale": ("on sources read three days ago", _stale, "stale_source"),
    "never-read": ("on a source that was never read", _unread, "stale_source"),
}
"""Name to the debtor or the graph, how it comes to be so, and what it must be denied for."""


def _before(change: Change) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world()
        if change is not _without_pointer:
            change(world)
        batch_id = world.wake()
        if change is _without_pointer:  # nobody is woken without a graph: the batch is one of before
            change(world)
        return came(world, world.propose(batch_id, world.debtors[0]))

    return run


def _between(change: Change) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world()
        batch_id = world.wake()
        action = world.propose(batch_id, world.debtors[0])
        with world.gate() as gate:
            gate.decide(batch_id, world.now)
        if world.said(action)[0] != "allow":
            return f"otherwise: {world.said(action)}"
        change(world)
        return came(world, action)

    return run


for _name, (_told, _change, _code) in UNSOUND.items():
    GROUP.add(f"{_name}-before", f"remind a debtor {_told}", f"denied: {_code}", _before(_change), quick=_name in QUICK)
    GROUP.add(
        f"{_name}-after-the-permit",
        f"have a permit, and only then remind a debtor {_told}",
        f"denied: {_code}",
        _between(_change),
    )


@GROUP.attack("materialisation-gone", expected="denied: no_pin", quick=True)
def materialisation_gone(ground: Ground) -> str:
    """act on a graph whose materialisation was wiped from the event log"""
    world = ground.world()
    return came(world, world.propose(world.wake(), world.debtors[0]), holds=lambda _: False)


@GROUP.attack("pointer-set-back", expected="noticed")
def pointer_set_back(ground: Ground) -> str:
    """set the pointer back to the graph in which the invoice was not paid yet"""
    world = ground.world()
    batch_id = world.wake()
    world.debtors[0].amount_open = Decimal(0)
    world.publish()
    world.edit("pointer", {"id": 1}, snapshot_id="snap_1")
    world.propose(batch_id, world.debtors[0])
    finish(world)
    return noticed(world, "pointer")


@GROUP.attack("unreconciled-by-policy", expected="denied: ambiguous_link", quick=True)
def by_policy(ground: Ground) -> str:
    """permit everything to oneself by policy, for an entity that is not reconciled"""
    world = ground.world()
    world.rules = with_policy(ground.folder, '@id("mine") permit (principal, action, resource);')
    _debtor(standing_reasons=("ambiguous_link",))(world)
    return came(world, world.propose(world.wake(), world.debtors[0]))


@GROUP.attack("unreconciled-by-edited-verdict", expected="noticed")
def by_edited_verdict(ground: Ground) -> str:
    """turn a denial of the store into an allow: without a permit nothing comes of it, and it is seen"""
    world = ground.world()
    _debtor(standing_reasons=("ambiguous_link",))(world)
    action = world.propose(world.wake(), world.debtors[0])
    finish(world)
    world.edit("decision", {"action": action}, verdict="allow", reasons=[])
    finish(world)
    return "effect" if stands(world, action) == "effect" else noticed(world, "decision")


@GROUP.attack("not-on-the-card", expected="denied: not_on_card")
def not_on_card(ground: Ground) -> str:
    """have an action type that the agent's card does not name"""
    world = ground.world()
    batch_id = world.wake()
    action = world.propose(batch_id, world.debtors[0])
    world.edit("proposal", {"action": action}, action_type="correct_vat_number")
    return came(world, action)


@GROUP.attack("action-type-unknown", expected="denied: unknown_action_type")
def unknown_type(ground: Ground) -> str:
    """have an action type that nobody declared"""
    world = ground.world()
    action = world.propose(world.wake(), world.debtors[0])
    world.edit("proposal", {"action": action}, action_type="wire_money")
    return came(world, action)


@GROUP.attack("agent-unknown", expected="nothing")
def unknown_agent(ground: Ground) -> str:
    """act for an agent that has no card"""
    world = ground.world()
    action = world.propose(world.wake("nobody"), world.debtors[0])
    world.edit("proposal", {"action": action}, agent="finance")
    finish(world)
    decided = world.rows("decision", action=action)
    return stands(world, action) if decided else "nothing"
