"""A day with people in it: nine large debts that a person must look at, told through what people and the gate do.

hour  what happens
0     nine proposals are held
1     Ada approves those of debtors 1, 2 and 5, rejects 3, and edits 4 to another stage
2     1 paid a part, which voids its approval and holds it anew; 6 disputes, and is denied; what was edited is held in
      its turn; 2 and 5 are sent
5     Ben approves 1 as it is now, and it is sent: the second approval of one action
6     2 is taken back
7     a graph shows 5 as two entities, a reminder that nobody sent, and that of 1 twice
8     everything is stopped, seen to stand still, and goes on an hour later
10    the action type is stopped, and nobody looks
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from orchestration.approval import answer
from orchestration.gate.keys import signing_key
from orchestration.gate.stopping import start, stop
from orchestration.gate.stops import Scope
from orchestration.work.exchange import Exchange
from orchestration.work.outbox import deliver
from orchestration.work.proving import prove
from orchestration.work.undo import Order, undo
from orchestration.work.undo_call import Hands
from orchestration.work.watch import watch
from tests.integration.gate.approving import ADA, BEN, LARGE, approve, held, look
from tests.integration.gate.world import Debtor, World
from tests.integration.report.tools import Erp

MORNING = datetime(2026, 10, 5, 6, tzinfo=UTC)
OPERATOR = "Olive Otis"


@dataclass(frozen=True)
class Attended:
    """The world after it: action n is that of debtor n + 1, and `edited` is what took the place of the fourth."""

    world: World
    actions: list[str]
    edited: str

    def rows(self, table: str) -> dict[str, list[dict[str, Any]]]:
        """Rows of the store by action."""
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self.world.rows(table):
            found.setdefault(row["action"], []).append(row)
        return found


def attend(world: World) -> Attended:
    """Tell the day in a world of its own."""
    world.debtors = [Debtor(number, amount_open=LARGE) for number in range(1, 10)]
    world.make_erp()
    _at(world, 0)
    batch_id, actions = held(world)
    _at(world, 1, publish=False)
    for number in (0, 1, 4):
        approve(world, actions[number])
    edited = _answered(world, actions)
    world.debtors[0].amount_open, world.debtors[5].disputed = Decimal("8000.00"), True
    _at(world, 2)
    with world.gate() as gate:
        gate.recheck("finance", world.now)
    _decided(world, batch_id)
    _sent(world, actions[1], actions[4])
    _at(world, 5)
    approve(world, actions[0], BEN)
    _decided(world, batch_id)
    _sent(world, actions[0])
    _at(world, 6, publish=False)
    hands = Hands(Erp(world), lambda: world.now, longest_wait=0.0)
    order = Order(actions[1], OPERATOR, "It was paid by cheque.")
    undo(world.store, order, world.rules.action_types, signing_key(world.settings.keys), hands)
    _watched(world, actions)
    _stopped(world)
    return Attended(world, actions, edited)


def _at(world: World, hour: int, *, publish: bool = True) -> None:
    world.now = MORNING + timedelta(hours=hour)
    if publish:
        world.publish()


def _answered(world: World, actions: list[str]) -> str:
    for action in actions[2:4]:
        look(world, action)
    [proposal] = world.rows("proposal", action=actions[3])
    with world.store.begin() as connection:
        answer.reject(connection, actions[2], ADA, None, world.now, note="They pay on the fifth.")
        changed = {**proposal["arguments"], "stage": 2}
        _, edited = answer.edit(connection, actions[3], ADA, world.now, arguments=changed, fault="", note="Be firm.")
    return edited


def _decided(world: World, batch_id: str) -> None:
    with world.gate() as gate:
        gate.decide(batch_id, world.now)


def _sent(world: World, *actions: str) -> None:
    with world.gate() as gate:
        for action in actions:
            gate.perform(action, world.now)
    list(deliver(world.store, Erp(world), lambda: world.now, longest_wait=0.0))


def _watched(world: World, actions: list[str]) -> None:
    [own] = world.rows("outbox", action=actions[0])
    ours = {"custrecord_created_by": "precede"}
    keys = (own["effect_key"], own["effect_key"], "nobody-meant-this")
    world.shows = [
        {"_record": f"erp:customrecord_dunning:{number}", "custrecord_effect_key": key, **ours}
        for number, key in enumerate(keys, 1)
    ]
    world.split = {"crm:company:5": "org_new"}
    world.read_ago = timedelta()
    _at(world, 7)
    watch(world.store, world.settings, world.rules.action_types, world.now)


def _stopped(world: World) -> None:
    _at(world, 8, publish=False)
    done = stop(world.store, Scope.everything(), "An audit.", operator=OPERATOR, now=world.now)
    exchange = Exchange(world.settings.exchange)
    prove(world.store, exchange, done, [], None, timeout=5, began=monotonic(), clock=lambda: world.now)
    _at(world, 9, publish=False)
    start(world.store, Scope.everything(), "It is over.", operator=OPERATOR, now=world.now)
    _at(world, 10, publish=False)
    stop(world.store, Scope.action_type("send_payment_reminder"), "Holidays.", operator=OPERATOR, now=world.now)
