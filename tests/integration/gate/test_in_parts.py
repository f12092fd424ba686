"""A batch of more effects than have a transaction each: they share some, and each is as if it were alone."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from orchestration.contracts import Decision
from orchestration.errors import PermitRefused
from orchestration.gate import gate as gates
from orchestration.gate.gate import Gate
from orchestration.gate.perform import Effect
from orchestration.ledger import entries_effects
from orchestration.ledger.chain import append
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.integration.gate.approving import LARGE, approve
from tests.integration.gate.children import KILLED, run
from tests.integration.gate.test_killed import in_a_process
from tests.integration.gate.world import Debtor, World
from tests.unit.gate.case import bounded

MANY = 12


@pytest.fixture
def many(world: World) -> World:
    world.debtors = [type(world.debtors[0])(number) for number in range(1, MANY + 1)]
    world.publish()
    return world


def kinds(answers: list[Effect | Decision]) -> list[str]:
    return ["effect" if isinstance(each, Effect) else each.verdict.value for each in answers]


def decided(world: World) -> tuple[str, list[str]]:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    return batch_id, actions


def test_many_effects_share_a_transaction_and_each_has_its_entry(many: World) -> None:
    batch_id, actions = decided(many)
    with many.gate() as gate:
        effects = gate.perform_batch(batch_id, many.now)
        assert kinds(effects) == ["effect"] * MANY
        assert gate.perform_batch(batch_id, many.now) == []
    assert [each.action for each in effects] == actions
    numbers = [each.entry for each in effects if isinstance(each, Effect)]
    assert numbers == list(range(numbers[0], numbers[0] + MANY))
    assert verify(many.store, None).problems == ()


def test_a_limit_lowered_since_holds_within_a_transaction(many: World) -> None:
    batch_id, _ = decided(many)
    card = {"per_batch": 5, "per_entity_per_day": 9, "per_contact_point_per_day": 9}
    many.rules = bounded(many.rules, finance=card)
    with many.gate() as gate:
        assert kinds(gate.perform_batch(batch_id, many.now)) == ["deny"] * (MANY - 5) + ["effect"] * 5
    assert verify(many.store, None).problems == ()


def test_what_refuses_one_leaves_those_before_it_and_nothing_of_its_own(many: World) -> None:
    batch_id, actions = decided(many)
    many.edit("permit", {"action": actions[4]}, consumed_at=many.now)
    with many.gate() as gate, pytest.raises(PermitRefused, match=f"permit of {actions[4]} was used at"):
        gate.perform_batch(batch_id, many.now)
    assert {row["action"] for row in many.rows("outbox")} == set(actions[:4])
    many.edit("permit", {"action": actions[4]}, consumed_at=None)
    with many.gate() as gate:
        assert [each.action for each in gate.perform_batch(batch_id, many.now)] == actions[4:]
    assert verify(many.store, None).problems == ()


def test_where_fewer_permits_are_used_up_than_meant_each_is_performed_alone(many: World) -> None:
    batch_id, actions = decided(many)
    stubborn = f"""
        CREATE TRIGGER stubborn BEFORE UPDATE OF consumed_at ON permit WHEN OLD.action = '{actions[4]}'
        BEGIN SELECT RAISE(IGNORE); END
    """
    with many.store.begin() as connection:
        connection.exec_driver_sql(stubborn)
    with many.gate() as gate, pytest.raises(PermitRefused, match=f"permit of {actions[4]} was used while"):
        gate.perform_batch(batch_id, many.now)
    assert {row["action"] for row in many.rows("outbox")} == set(actions[:4])
    with many.store.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER stubborn")
    with many.gate() as gate:
        assert [each.action for each in gate.perform_batch(batch_id, many.now)] == actions[4:]
    assert verify(many.store, None).problems == ()


def test_one_void_among_many_leaves_the_others_be(many: World) -> None:
    batch_id, actions = decided(many)
    many.debtors[4].amount_open = Decimal(60)
    many.publish()
    with many.gate() as gate:
        answers = gate.perform_batch(batch_id, many.now)
    assert kinds(answers) == ["effect"] * 4 + ["deny"] + ["effect"] * (MANY - 5)
    assert many.said(actions[4]) == ["deny", "read_set_changed"]
    numbers = [row["seq"] for row in many.rows("ledger_entry") if row["action"] in actions][-MANY:]
    assert numbers == list(range(numbers[0], numbers[0] + MANY))
    assert many.kinds(actions[4]) == ["decision", "decision"]
    assert verify(many.store, None).problems == ()


def test_a_clock_set_back_brings_none_of_many_to_life(many: World) -> None:
    batch_id, _ = decided(many)
    with many.store.begin() as connection:
        append(connection, "note", {"said": "it was that late already"}, at=many.now + timedelta(minutes=15))
    with many.gate() as gate:
        answers = gate.perform_batch(batch_id, many.now + timedelta(minutes=1))
    assert kinds(answers) == ["deny"] * MANY
    assert many.rows("outbox") == []


def test_of_two_with_one_effect_key_the_first_alone_is_performed(many: World) -> None:
    batch_id, actions = decided(many)
    again = proposed_again(many, batch_id, many.debtors[2])
    with many.gate() as gate:
        gate.decide(batch_id, many.now)
        answers = {answer.action: answer for answer in gate.perform_batch(batch_id, many.now)}
    first, second = sorted([actions[2], again])
    assert kinds([answers[first], answers[second]]) == ["effect", "deny"]
    assert many.said(second) == ["deny", "effect_exists"]
    assert len(many.rows("outbox")) == MANY
    assert verify(many.store, None).problems == ()


def test_approvals_are_used_up_within_a_transaction_once_each(either_world: World) -> None:
    world = mixed(either_world)
    batch_id, actions = consented(world)
    with world.gate() as gate:
        assert kinds(gate.perform_batch(batch_id, world.now)) == ["effect"] * MANY
        assert gate.perform_batch(batch_id, world.now) == []
    used = {row["action"]: row["permit_id"] for row in world.rows("approval")}
    permits = {row["action"]: row["permit_id"] for row in world.rows("permit") if row["consumed_at"] is not None}
    assert used == {action: permits[action] for action in actions[1::3]}
    assert {row["state"] for row in world.rows("held")} == {"done"}
    assert verify(world.store, None).problems == ()


@pytest.mark.parametrize("seed", range(6))
def test_together_they_come_to_what_they_come_to_one_by_one(
    world: World, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever happened since they were decided: the same effects, decisions, counts and entries."""
    batch_id, actions = consented(mixed(world))
    chance = random.Random(seed)  # noqa: S311  who it happens to, not a secret
    proposed_again(world, batch_id, world.debtors[chance.randrange(MANY)])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    paid, halted, forged, voided = chance.sample(actions, 4)
    world.debtors[actions.index(paid)].amount_open = Decimal(1)
    world.publish()
    world.edit("permit", {"action": halted}, halted_by=1)
    world.edit("permit", {"action": forged}, signature="bm9uZQ==")
    world.edit("approval", {"action": voided}, voided_at=world.now)
    card = {"per_batch": MANY - chance.randrange(6), "per_entity_per_day": 9, "per_contact_point_per_day": 9}
    rules = bounded(world.rules, finance=card)
    came_to = []
    for few, together in ((0, 200), (0, 5), (99, 1)):
        monkeypatch.setattr(gates, "FEW", few)
        monkeypatch.setattr(gates, "CHUNK", together)
        home = Path(copytree(world.settings.home, tmp_path / str(together)))
        store = open_store(Settings(home=home))
        this = World(home, store)
        with Gate(store, this.settings, rules, holds=lambda _pin: True) as gate:
            answers = gate.perform_batch(batch_id, world.now)
        came_to.append((answers, {table: as_written(this, table) for table in WRITTEN}))
        store.close()
    assert {"effect", "deny"} <= set(kinds(came_to[0][0]))
    assert came_to[0] == came_to[1] == came_to[2]


WRITTEN = (
    "outbox",
    "decision",
    "evidence",
    "permit",
    "permit_use",
    "approval",
    "held",
    "ledger_entry",
    "ledger_payload",
)
CHAINED = ("hash", "previous", "commitment", "salt")
"""What differs between any two ledgers that say the same."""


def as_written(world: World, table: str) -> list[dict[str, Any]]:
    rows = [{name: value for name, value in row.items() if name not in CHAINED} for row in world.rows(table)]
    for row in rows if table == "ledger_entry" else ():
        row["body"] = {name: value for name, value in json.loads(row["body"]).items() if name not in CHAINED}
    return rows


def mixed(world: World) -> World:
    """As many, of whom every third owes so much that a person has to consent."""
    amounts = (Decimal(120), Decimal(120), LARGE)
    world.debtors = [Debtor(number, amount_open=amounts[number % 3]) for number in range(1, MANY + 1)]
    world.publish()
    return world


def consented(world: World) -> tuple[str, list[str]]:
    """A batch that is decided, and allowed by a person where that takes one."""
    batch_id, actions = decided(world)
    for row in world.rows("held"):
        approve(world, row["action"])
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    assert [world.said(action)[0] for action in actions] == ["allow"] * MANY
    return batch_id, actions


def proposed_again(world: World, batch_id: str, debtor: Debtor) -> str:
    """Another proposal for what a debtor is reminded of already; its action's id."""
    other = replace(debtor, number=debtor.number + MANY, entity_id=debtor.entity_id)
    return world.propose(batch_id, other, row_id=f"{batch_id}-{debtor.number:04d}", **debtor.arguments)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_within_a_transaction_is_finished_by_the_next(many: World, when: str) -> None:
    many.make_erp()
    decided(many)
    assert in_a_process(run_and_die_among_them, many.settings.home, when) == KILLED
    assert many.rows("outbox") == []
    assert in_a_process(run, many.settings.home) == 0
    assert len(many.reminders()) == MANY
    assert verify(many.store, None).problems == ()


def run_and_die_among_them(home: Path, when: str) -> None:
    """Act for finance, and be gone where the intents of many are written, before or after that."""
    real: Callable[..., list[int]] = entries_effects.all_intended

    def dying(connection: Any, approvals: dict[str, str | None], *, at: datetime) -> list[int]:
        if len(approvals) == MANY and when == "before":
            os._exit(KILLED)
        done = real(connection, approvals, at=at)
        if len(approvals) == MANY:
            os._exit(KILLED)
        return done

    setattr(entries_effects, "all_intended", dying)  # noqa: B010  as the other runs that die
    run(home)
