"""Ways to more than the limits allow: duplicates, merges, other ids, a second agent, other days, many at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

from attack.acting import finish
from attack.ground import Ground
from attack.suite import Group
from orchestration.gate.rules import Rules
from tests.integration.gate.children import decide_and_perform
from tests.integration.gate.races import FORKS
from tests.integration.gate.world import TODAY, Debtor, World
from tests.unit.gate.case import bounded

GROUP: Final = Group("limits")
OFTEN: Final[dict[str, Any]] = {"per_batch": 99, "per_entity_per_day": 99, "per_contact_point_per_day": 99}
TOMORROW: Final = TODAY + timedelta(days=1)


def _limited(world: World, **limits: Any) -> Rules:
    return bounded(world.rules, finance=OFTEN | limits, collections=OFTEN | limits)


def _rate(per: str, at_most: int) -> dict[str, Any]:
    return {"rates": [{"per": per, "at_most": at_most, "within": "7d"}]}


def _merged(world: World) -> Debtor:
    """The first debtor is the second by now; the mailbox and the records are its own still."""
    one, two = world.debtors[:2]
    one.entity_id, two.number, two.entity_id = two.entity_id, 99, "org_99"
    return one


def _renamed(world: World) -> Debtor:
    world.debtors[0].entity_id = "org_reborn"
    return world.debtors[0]


def _split(world: World) -> Debtor:
    """The half that has the invoice has another id by now; the other half keeps the old one."""
    world.debtors[0].entity_id = "org_half"
    world.split = {"crm:company:1": "org_1"}
    return world.debtors[0]


def _same(world: World) -> Debtor:
    return world.debtors[0]


AGAIN: Mapping[str, tuple[str, Callable[[World], Debtor], str, Any]] = {
    "duplicate": ("by a second stage of the same invoice", _same, "finance", TODAY),
    "next-day": ("on the next business date", _same, "finance", TOMORROW),
    "second-agent": ("by a second agent", _same, "collections", TODAY),
    "merged": ("after the debtor was merged into another", _merged, "finance", TODAY),
    "merged-and-second-agent": ("after a merge, by a second agent", _merged, "collections", TOMORROW),
    "split": ("after the debtor was split", _split, "finance", TODAY),
    "split-and-second-agent": ("after a split, by a second agent", _split, "collections", TOMORROW),
    "another-id": ("after the debtor got another id", _renamed, "finance", TODAY),
}


def _again(change: Callable[[World], Debtor], agent: str, day: Any) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world()
        world.rules = _limited(world, **_rate("entity", 1))
        world.propose_all()
        finish(world)
        before = len(world.reminders())
        debtor = change(world)
        world.publish()
        world.now += timedelta(minutes=1)
        action = world.propose(world.wake(agent, day), debtor, stage=2)
        finish(world)
        if len(world.reminders()) != before:
            return "effect"
        verdict, *codes = world.said(action)
        return f"{'denied' if verdict == 'deny' else verdict}: {', '.join(codes)}"

    return run


for _name, (_told, _change, _agent, _day) in AGAIN.items():
    GROUP.add(
        f"entity-{_name}",
        f"remind a debtor once more than its rate allows {_told}",
        "denied: long_rate_limit",
        _again(_change, _agent, _day),
        quick=_name == "merged-and-second-agent",
    )


ALIASES: Final[Mapping[str, str]] = {
    "tag": "1+overdue@debtor.example",
    "case": "1@DEBTOR.example",
    "tag-and-case": "1+Accounts+payable@Debtor.Example",
}


def _alias(mailbox: str, agent: str) -> Callable[[Ground], str]:
    def run(ground: Ground) -> str:
        world = ground.world()
        world.rules = _limited(world, **_rate("contact_point", 1))
        world.propose(world.wake(), world.debtors[0])
        finish(world)
        before = len(world.reminders())
        world.debtors[1].mailbox = mailbox
        world.publish()
        world.now += timedelta(minutes=1)
        action = world.propose(world.wake(agent, TOMORROW), world.debtors[1], mailbox=mailbox)
        finish(world)
        if before != 1 or len(world.reminders()) != before:
            return "effect"
        verdict, *codes = world.said(action)
        return f"{'denied' if verdict == 'deny' else verdict}: {', '.join(codes)}"

    return run


for _name, _mailbox in ALIASES.items():
    GROUP.add(
        f"mailbox-alias-by-{_name}",
        f"write to a mailbox once more than its rate allows, as another debtor's {_mailbox}",
        "denied: long_rate_limit",
        _alias(_mailbox, "collections" if "and" in _name else "finance"),
    )


@GROUP.attack("budget-in-one-batch", expected="effects: 1")
def budget(ground: Ground) -> str:
    """spend more than an agent's budget of a day in one batch"""
    world = ground.world()
    world.rules = _limited(world, money_per_day={"amount": 200, "currency": "GBP"})
    world.propose_all()
    finish(world)
    return f"effects: {len(world.reminders())}"


@GROUP.attack("budget-after-clock-set-back", expected="effects: 1")
def budget_by_clock(ground: Ground) -> str:
    """spend an agent's rate twice, by a clock set back in between"""
    world = ground.world()
    world.rules = _limited(world, **_rate("agent", 1))
    world.propose_all()
    finish(world)
    world.now -= timedelta(days=30)
    world.propose(world.wake("finance", TODAY - timedelta(days=30)), world.debtors[1], stage=2)
    finish(world)
    return f"effects: {len(world.reminders())}"


def _at_once(ground: Ground, url: str) -> str:
    """Eight processes of two agents at once, who may have eleven effects, of which finance may pay for three."""
    copied = ground.world(books=False) if url.startswith("sqlite") else None  # before anything makes its home
    os.environ["PRECEDE_STORE_URL"] = url
    ground.stack.callback(os.environ.pop, "PRECEDE_STORE_URL", None)
    world = copied or _anew(ground)
    world.debtors = [Debtor(number) for number in range(1, 11)]
    world.publish()
    batches = [world.wake("finance"), world.wake("collections")]
    for batch_id, stage in zip(batches, (1, 2), strict=True):
        for debtor in world.debtors:
            world.propose(batch_id, debtor, stage=stage)
    home, now = world.settings.home, world.now
    processes = [FORKS.Process(target=decide_and_perform, args=(home, url, batches[n % 2], now)) for n in range(8)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    effects = world.rows("outbox")
    mine = {row["action"] for row in world.rows("proposal", agent="finance")}
    own = sum(row["action"] in mine for row in effects)
    most_of_all, most_of_finance = 11, 3
    return "within" if len(effects) <= most_of_all and own <= most_of_finance and effects else f"beyond: {len(effects)}"


def _anew(ground: Ground) -> World:
    home = ground.folder / "home"
    return World(home, ground.store(home))


@GROUP.attack("eight-processes-sqlite", expected="within")
def eight_sqlite(ground: Ground) -> str:
    """let eight processes of two agents perform at once, on SQLite"""
    return _at_once(ground, f"sqlite:///{ground.folder / 'home' / 'store.db'}")


@GROUP.attack("eight-processes-postgres", expected="within")
def eight_postgres(ground: Ground) -> str:
    """let eight processes of two agents perform at once, on Postgres"""
    return _at_once(ground, ground.database())
