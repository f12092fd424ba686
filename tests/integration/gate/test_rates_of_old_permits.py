"""Rates of a period that is shorter than a permit lasts: one that is used late is one more within it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, insert, select

from orchestration.contracts import Decision, EntityId
from orchestration.gate import gate as gates
from orchestration.gate.gate import Gate
from orchestration.gate.limits import keep
from orchestration.gate.limits.count import load_usage
from orchestration.gate.limits.touch import Touch, entity_subjects
from orchestration.gate.limits.usage import Bounds
from orchestration.gate.perform import Effect
from orchestration.ledger.verify import verify
from orchestration.limits import Limits, Rate, Scope, TypeLimits
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.store.tables import permit_subject, permit_use
from tests.integration.gate.test_in_parts import WRITTEN, as_written
from tests.integration.gate.test_limits import OFTEN, limited, rate
from tests.integration.gate.world import Debtor, World

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
LATER = timedelta(minutes=6)
PERIOD, LASTS = timedelta(minutes=5), timedelta(minutes=15)
MINUTES = st.integers(0, 7)
MOVES = st.lists(st.tuples(MINUTES, st.sampled_from(["mint", "use"]), st.integers(0, 3)), min_size=10, max_size=30)


@given(moves=MOVES, at_most=st.integers(1, 3), per=st.sampled_from(["agent", "action_type", "entity"]))
def test_however_permits_are_minted_and_used_no_period_has_more_effects_than_its_rate(
    moves: list[tuple[int, str, int]], at_most: int, per: Scope
) -> None:
    """Each minted as the gate mints and used as the gate uses; nothing else keeps them back."""
    bounds = Bounds(Limits(**OFTEN, rates=(Rate(per=per, at_most=at_most, within=PERIOD),)), TypeLimits())
    touch, now = a_touch(), NOON
    effects: list[datetime] = []
    engine = create_engine("sqlite://")
    permit_use.create(engine)
    permit_subject.create(engine)
    with engine.begin() as connection:
        for number, (minutes, move, which) in enumerate(moves):
            now += timedelta(minutes=minutes)
            usage = load_usage(connection, [(touch, bounds)], now)
            if move == "mint":
                if not usage.over(bounds, touch):
                    count_one(connection, touch, f"permit_{number}", now)
                continue
            usable = select(permit_use).where(permit_use.c.state == "open", permit_use.c.expires_at > now)
            held = connection.execute(usable.order_by(permit_use.c.at)).all()
            if held and not usage.over(bounds, touch, own=1, age=now - held[which % len(held)].at):
                keep.used(connection, [held[which % len(held)].permit_id], now)
                effects.append(now)
    engine.dispose()
    assert all(sum(at - PERIOD < before <= at for before in effects) <= at_most for at in effects)


def a_touch() -> Touch:
    entities = {EntityId("org_1"): entity_subjects("org_1", ["crm:company:1"])}
    return Touch("finance", "send_payment_reminder", "batch_1", NOON.date(), entities, frozenset())


def count_one(connection: Connection, touch: Touch, permit_id: str, now: datetime) -> None:
    """Count a permit that is minted now."""
    whose = {"agent": touch.agent, "action_type": touch.action_type, "batch_id": touch.batch_id}
    of = {"permit_id": permit_id, "action": permit_id, "business_date": touch.business_date, "state": "open"}
    connection.execute(insert(permit_use).values(**whose, **of, at=now, expires_at=now + LASTS))
    on = [{"subject": each, "business_date": touch.business_date, "permit_id": permit_id} for each in touch.subjects]
    connection.execute(insert(permit_subject), on)


def came_to(answers: Sequence[Effect | Decision]) -> list[str]:
    return ["effect" if isinstance(each, Effect) else each.reasons[0].code for each in answers]


def decided(world: World, batch_id: str, *debtors: Debtor, before: int = 0) -> list[str]:
    """Propose for debtors and decide that and what was proposed before, which is allowed; the actions."""
    actions = [world.propose(batch_id, debtor) for debtor in debtors]
    with world.gate() as gate:
        answers = gate.decide(batch_id, world.now)
    assert [answer.verdict.value for answer in answers] == ["allow"] * (before + len(debtors))
    return actions


def an_old_and_a_new(world: World) -> tuple[str, str, str]:
    """A batch with a permit that nobody used for longer than the period, and one of now; it and both actions."""
    limited(world, rate("agent", 1, "5m"))
    batch_id = world.wake()
    [old] = decided(world, batch_id, world.debtors[0])
    world.now += LATER
    [new] = decided(world, batch_id, world.debtors[1])
    return batch_id, old, new


@pytest.mark.parametrize("few", [0, 99])
def test_an_old_permit_does_not_take_the_place_of_a_new_one(
    either_world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gates, "FEW", few)
    batch_id, old, _ = an_old_and_a_new(either_world)
    with either_world.gate() as gate:
        assert came_to(gate.perform_batch(batch_id, either_world.now)) == ["rate_limit", "effect"]
    assert either_world.said(old) == ["deny", "rate_limit"]
    assert verify(either_world.store, None).problems == ()


@pytest.mark.parametrize("first", [0, 1])
def test_nor_does_it_where_each_is_performed_alone_whichever_is_first(world: World, first: int) -> None:
    actions = an_old_and_a_new(world)[1:]
    found = {}
    for number in (first, 1 - first):
        with world.gate() as gate:
            found[number] = came_to([gate.perform(actions[number], world.now)])
        world.now += timedelta(seconds=1)
    assert found == {0: ["rate_limit"], 1: ["effect"]}


@pytest.mark.parametrize("few", [0, 99])
def test_of_old_permits_as_many_are_performed_as_there_may_be_within_the_period(
    world: World, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two minted within each of two periods, all within the bound, and none used until they are all old."""
    monkeypatch.setattr(gates, "FEW", few)
    limited(world, rate("agent", 2, "5m"))
    world.debtors = [Debtor(number) for number in range(1, 5)]
    world.publish()
    batch_id = world.wake()
    decided(world, batch_id, *world.debtors[:2])
    world.now += LATER
    decided(world, batch_id, *world.debtors[2:])
    world.now += LATER
    with world.gate() as gate:
        assert came_to(gate.perform_batch(batch_id, world.now)) == ["effect"] * 2 + ["rate_limit"] * 2


@pytest.mark.parametrize("per", ["agent", "action_type", "entity", "contact_point"])
def test_old_and_new_together_come_to_what_they_come_to_one_by_one(
    world: World, per: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old and new in turns, some of one entity: the same effects, decisions, counts and entries."""
    monkeypatch.setattr(gates, "FEW", 0)
    limited(world)
    world.debtors = [Debtor(number) for number in range(1, 9)]
    world.publish()
    batch_id = world.wake()
    world.propose(batch_id, world.debtors[0], stage=2)
    decided(world, batch_id, *world.debtors[::2], before=1)
    world.now += LATER
    for debtor in world.debtors[1:3]:
        world.propose(batch_id, debtor, stage=2)
    decided(world, batch_id, *world.debtors[1::2], before=2)
    limited(world, rate(per, 8 if per in {"agent", "action_type"} else 1, "5m"))
    found: list[Any] = []
    for together in (200, 3, 1):
        monkeypatch.setattr(gates, "CHUNK", together)
        home = Path(copytree(world.settings.home, tmp_path / str(together)))
        store = open_store(Settings(home=home))
        this = World(home, store)
        with Gate(store, this.settings, world.rules, holds=lambda _pin: True) as gate:
            answers = gate.perform_batch(batch_id, world.now)
        found.append((answers, {table: as_written(this, table) for table in WRITTEN}))
        store.close()
    said = came_to(found[0][0])
    assert {"effect", "rate_limit"} == set(said)
    assert found[0] == found[1] == found[2]
