"""People who look at what is held, and approve it, in tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from orchestration.approval import answer
from orchestration.approval.current import Held
from orchestration.approval.page import page
from orchestration.approval.waiting import one
from orchestration.gate.graphs import Graphs
from orchestration.identity.person import Person, Role
from orchestration.ledger.verify import verify
from tests.integration.gate.world import World

ADA = Person("Ada Okafor", frozenset({Role.REVIEWER}), "token", "ada@northgate.example")
BEN = Person("Ben Hale", frozenset({Role.REVIEWER}), "token", "ben@northgate.example")
LARGE = Decimal("9000.00")


def held(world: World) -> tuple[str, list[str]]:
    """A batch of which everything is held for a person."""
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    assert [world.said(action) for action in actions] == [["review", "review"]] * len(actions)
    return batch_id, actions


def look(world: World, action: str, person: Person = ADA) -> dict[str, Any]:
    """Show somebody what is held."""
    with world.store.begin() as connection:
        shown = page(connection, one(connection, action), None)
        answer.show(connection, person, shown, world.now)
    return shown


def approve(world: World, action: str, person: Person = ADA, *, shown: bool = True, **changed: Any) -> dict[str, Any]:
    """Look at what is held and consent to it; the approval's row."""
    if shown:
        look(world, action, person)
    rules = changed.get("rules", world.rules)
    means = Held(rules, Graphs(world.settings.home, rules.action_types))
    with world.store.begin() as connection:
        return dict(answer.approve(connection, action, person, means, changed.get("now", world.now)))


def state(world: World, action: str) -> list[str]:
    """The queue's state of an action, and the codes why."""
    [row] = world.rows("held", action=action)
    return [row["state"], *(reason["code"] for reason in row["reasons"])]


def sound(world: World) -> bool:
    assert verify(world.store, None).problems == ()
    return True
