"""Rates and budgets against everything that could go round them, on the store that they are counted in."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import event

from orchestration.contracts import Decision, OutcomeState, ToolResult
from orchestration.errors import AgentError
from orchestration.gate.decide import bounds_of
from orchestration.gate.limits.count import load_usage
from orchestration.gate.limits.touch import Touch, contact_subject, entity_subjects
from orchestration.gate.limits.usage import Bounds
from orchestration.gate.load import load_asks
from orchestration.gate.perform import Effect
from orchestration.gate.rules import load_rules
from orchestration.ledger.verify import verify
from orchestration.limits import Limits, Rate, TypeLimits
from orchestration.settings import PROJECT, Settings
from orchestration.store import tables
from orchestration.work.outbox import deliver
from tests.integration.gate.children import decide_and_perform
from tests.integration.gate.races import FORKS
from tests.integration.gate.world import TODAY, Debtor, World
from tests.unit.gate.case import AGENTS, bounded

OFTEN: dict[str, Any] = {"per_batch": 99, "per_entity_per_day": 99, "per_contact_point_per_day": 99}
TOMORROW = TODAY + timedelta(days=1)


def rate(per: str, at_most: int, within: str = "7d") -> dict[str, Any]:
    return {"per": per, "at_most": at_most, "within": within}


def limited(world: World, *rates: dict[str, Any], **card: Any) -> None:
    """Both agents have these limits from now on, and no others."""
    limits = {**OFTEN, "rates": rates, **card}
    world.rules = bounded(world.rules, finance=limits, collections=limits)


def decided(world: World, batch_id: str) -> list[str]:
    """Decide a batch and perform it; what each decision says, in the order of its rows."""
    with world.gate() as gate:
        answers = gate.decide(batch_id, world.now)
        gate.perform_batch(batch_id, world.now)
    return [answer.verdict.value if answer.permit else str(answer.reasons[0]) for answer in answers]


def asked(world: World, agent: str, *debtors: Debtor, stage: int = 2) -> list[str]:
    batch_id = world.wake(agent)
    for debtor in debtors:
        world.propose(batch_id, debtor, stage=stage)
    return decided(world, batch_id)


def merged(world: World) -> tuple[Debtor, str]:
    one, two = world.debtors[:2]
    one.entity_id, two.number, two.entity_id = two.entity_id, 99, "org_99"
    return one, one.entity_id


def renamed(world: World) -> tuple[Debtor, str]:
    one = world.debtors[0]
    one.entity_id = "org_reborn"
    return one, "org_reborn"


@pytest.mark.parametrize("change", [merged, renamed])
@pytest.mark.parametrize("agent", ["finance", "collections"])
def test_neither_a_merge_nor_another_id_nor_another_agent_nor_the_next_day_evades_a_rate(
    either_world: World, change: Callable[[World], tuple[Debtor, str]], agent: str
) -> None:
    world = either_world
    limited(world, rate("entity", 1))
    assert decided(world, world.propose_all()[0]) == ["allow"] * 3
    debtor, entity = change(world)
    world.publish()
    world.now += timedelta(minutes=1)
    batch_id = world.wake(agent, TOMORROW)
    action = world.propose(batch_id, debtor, stage=2)
    assert f"long_rate_limit:{entity}" in decided(world, batch_id)
    assert world.said(action)[:2] == ["deny", "long_rate_limit"]
    assert verify(world.store, None).problems == ()


def test_both_parts_of_a_split_have_had_what_the_whole_had(world: World) -> None:
    limited(world, rate("entity", 1))
    one, two = world.debtors[:2]
    batch_id = world.wake()
    world.propose(batch_id, one)
    assert decided(world, batch_id) == ["allow"]
    touched = {row["subject"] for row in world.rows("permit_subject")}
    assert touched > entity_subjects("org_1", ["crm:company:1", "erp:customer:1"])
    # the customer's record goes to another entity, and the company's stays where it was
    for part in ("crm:company:1", "erp:customer:1"):
        with world.store.read() as connection:
            touch = a_touch({f"org_of_{part}": [part]})
            assert load_usage(connection, [(touch, week(1))], world.now).over(week(1), touch)
            untouched = a_touch({"org_2": ["crm:company:2"]})
            assert not load_usage(connection, [(untouched, week(1))], world.now).over(week(1), untouched)
    assert two.entity_id == "org_2"


def a_touch(entities: dict[str, list[str]], **said: Any) -> Touch:
    usual: dict[str, Any] = {
        "agent": "finance",
        "action_type": "send_payment_reminder",
        "batch_id": "b",
        "business_date": TOMORROW,
        "entities": {entity: entity_subjects(entity, records) for entity, records in entities.items()},
        "contacts": frozenset(),
    }
    return Touch(**{**usual, **said})


def week(at_most: int, per: str = "entity") -> Bounds:
    return Bounds(Limits(**OFTEN, rates=(Rate.model_validate(rate(per, at_most)),)), TypeLimits())


def test_a_contact_point_is_one_for_two_entities_and_however_it_is_written(world: World) -> None:
    limited(world, rate("contact_point", 1))
    batch_id = world.wake()
    world.propose(batch_id, world.debtors[0])
    assert decided(world, batch_id) == ["allow"]
    with world.store.read() as connection:
        other = a_touch({"org_9": []}, contacts=frozenset({contact_subject("1+billing@DEBTOR.example")}))
        declared = week(1, "contact_point")
        (reason,) = load_usage(connection, [(other, declared)], world.now).over(declared, other)
    assert (reason.code, reason.subject) == ("long_rate_limit", "contact_point")


@pytest.mark.parametrize("per", ["agent", "action_type"])
def test_a_period_slides(world: World, per: str) -> None:
    limited(world, rate(per, 2, "1h"))
    batch_id = world.wake()
    first = [world.propose(batch_id, debtor) for debtor in world.debtors]
    assert decided(world, batch_id) == ["allow", "allow", f"rate_limit:{subject(per)}"]
    assert world.rows("decision", action=first[2])[-1]["transient"]
    world.now += timedelta(minutes=59)
    assert asked(world, "collections", world.debtors[2])[0] == (
        "allow" if per == "agent" else "rate_limit:" + subject(per)
    )
    world.now += timedelta(minutes=2)
    world.publish()
    assert asked(world, "finance", world.debtors[2], stage=3) == ["allow"]


def subject(per: str) -> str:
    return {"agent": "finance", "action_type": "send_payment_reminder"}[per]


def test_an_action_types_own_rate_holds_for_every_agent(world: World) -> None:
    limited(world)
    declared = world.rules.action_types["send_payment_reminder"]
    own = TypeLimits(rates=(Rate.model_validate(rate("agent", 1)), Rate.model_validate(rate("action_type", 2))))
    types = {declared.name: declared.model_copy(update={"limits": own})}
    world.rules = type(world.rules)(types, world.rules.agents, world.rules.policies)
    one, two, three = world.debtors
    assert asked(world, "finance", one, two) == ["allow", "long_rate_limit:finance"]
    assert asked(world, "collections", two, three) == ["allow", "long_rate_limit:collections"]
    world.publish()
    said = asked(world, "collections", three, stage=3)
    assert said == ["long_rate_limit:collections"]


def test_a_clock_set_back_frees_nothing(world: World) -> None:
    limited(world, rate("agent", 1, "1h"))
    assert asked(world, "finance", world.debtors[0]) == ["allow"]
    world.now -= timedelta(minutes=50)
    world.edit("watermark", {"system": "erp"}, read_at=world.now)
    with world.store.read() as connection:
        touch = a_touch({"org_9": []})
        bounds = bounds_of_finance(world)
        assert [each.code for each in load_usage(connection, [(touch, bounds)], world.now).over(bounds, touch)] == [
            "rate_limit"
        ]


def bounds_of_finance(world: World) -> Bounds:
    return Bounds(world.rules.agents["finance"].card.limits, TypeLimits())


def test_a_budget_is_of_one_agent_and_one_day(world: World) -> None:
    limited(world, per_day=2, money_per_day={"amount": "300", "currency": "GBP"})
    world.debtors[1].amount_open = Decimal("180.01")
    world.publish()
    batch_id, _ = world.propose_all()
    assert decided(world, batch_id) == ["allow", "budget_limit:money", "allow"]  # 120 + 180.01 is a penny too much
    world.publish()
    assert asked(world, "finance", world.debtors[0]) == ["budget_limit:effects"]
    assert asked(world, "collections", world.debtors[0]) == ["allow"]
    world.now += timedelta(seconds=1)
    batch_id = world.wake("finance", TOMORROW)
    world.propose(batch_id, world.debtors[1], stage=3)
    assert decided(world, batch_id) == ["allow"]


def test_a_budget_lowered_since_voids_the_permit(world: World) -> None:
    limited(world)
    batch_id, _ = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    limited(world, money_per_day={"amount": "240", "currency": "GBP"})
    with world.gate() as gate:
        answers = gate.perform_batch(batch_id, world.now)
    assert isinstance(answers[0], Decision)
    assert [str(reason) for reason in answers[0].reasons] == ["budget_limit:money"]
    assert [type(answer) for answer in answers[1:]] == [Effect, Effect]
    assert verify(world.store, None).problems == ()


class Refusing:
    """A tool that does nothing, and says so."""

    def call(self, *_: object) -> ToolResult:
        return ToolResult(state=OutcomeState.FAILED, detail="no")


class Vague:
    """A tool that does not say what it did."""

    def call(self, *_: object) -> ToolResult:
        return ToolResult(state=OutcomeState.UNKNOWN, detail="perhaps")


@pytest.mark.parametrize(("tool", "left"), [(Refusing, "allow"), (Vague, "long_rate_limit:org_1")])
def test_an_effect_known_not_to_have_happened_counts_no_more_and_one_that_may_have_does(
    world: World, tool: type[Refusing | Vague], left: str
) -> None:
    limited(world, rate("entity", 1))
    assert asked(world, "finance", world.debtors[0]) == ["allow"]
    deliver(world.store, tool(), lambda: world.now)
    assert verify(world.store, None).problems == ()
    world.publish()
    assert asked(world, "finance", world.debtors[0], stage=3) == [left]


def test_a_permit_that_expired_unused_or_was_voided_counts_no_more(world: World) -> None:
    limited(world, rate("entity", 1))
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
        world.debtors[0].amount_open = Decimal(60)
        world.publish()
        gate.perform(actions[0], world.now)  # voided: the read set changed
    assert [row["state"] for row in world.rows("permit_use", action=actions[0])] == ["void"]
    assert asked(world, "collections", world.debtors[0], world.debtors[1]) == ["allow", "long_rate_limit:org_2"]
    world.now += timedelta(minutes=20)
    world.publish()
    assert asked(world, "collections", world.debtors[1], stage=3) == ["allow"]


def test_eight_processes_of_two_agents_together_stay_within_every_bound(either_world: World) -> None:
    world = either_world
    world.debtors = [Debtor(number) for number in range(1, 41)]
    batches: list[str] = []
    for part in range(4):
        world.publish()
        for agent in ("finance", "collections"):
            batch_id, at = world.wake(agent), 5 * len(batches)
            for debtor in world.debtors[at : at + 5]:
                world.propose(batch_id, debtor)
            batches.append(batch_id)
        assert len(batches) == 2 * (part + 1)
    with world.gate():
        pass  # the key is there before eight ask for it
    where = (world.settings.home, world.store.url.render_as_string(hide_password=False))
    processes = [FORKS.Process(target=decide_and_perform, args=(*where, each, world.now)) for each in batches]
    for process in processes:
        process.start()
    for process in processes:
        process.join(180)
    assert [process.exitcode for process in processes] == [0] * 8
    uses = world.rows("permit_use")
    assert len(world.rows("outbox")) == len(uses) == 11
    assert {use["state"] for use in uses} == {"used"}
    assert sum(use["agent"] == "finance" for use in uses) <= 3
    assert verify(world.store, None).problems == ()


def test_a_count_that_was_edited_is_told(world: World) -> None:
    limited(world)
    batch_id, actions = world.propose_all()
    decided(world, batch_id)
    assert verify(world.store, None).problems == ()
    permits = [world.rows("permit", action=action)[0]["permit_id"] for action in actions]
    world.edit("permit_use", {"permit_id": permits[0]}, amount=1)
    world.edit("permit_use", {"permit_id": permits[1]}, state="void")
    world.edit("permit_subject", {"permit_id": permits[2], "subject": min(entity_subjects("org_3", []))}, subject="x")
    found = "\n".join(verify(world.store, None).problems)
    assert f"the count of permit {permits[0]} is not what" in found
    assert f"Limits count permit {permits[1]} of action {actions[1]} as void, and it is used" in found
    assert f"the count of permit {permits[2]} is not what" in found


def test_what_is_counted_on_another_day_is_told(either_world: World) -> None:
    batch_id, actions = either_world.propose_all()
    decided(either_world, batch_id)
    [permit] = either_world.rows("permit", action=actions[0])
    assert verify(either_world.store, None).problems == ()
    edited = {"permit_id": permit["permit_id"], "subject": min(entity_subjects("org_1", []))}
    either_world.edit("permit_subject", edited, business_date=TODAY + timedelta(days=1))
    assert f"the count of permit {permit['permit_id']} is not what" in " ".join(
        verify(either_world.store, None).problems
    )


def test_an_open_permit_that_is_counted_at_another_time_or_is_used_for_nothing_is_told(world: World) -> None:
    batch_id, actions = world.propose_all()
    with world.gate() as gate:
        gate.decide(batch_id, world.now)
    permits = [world.rows("permit", action=action)[0]["permit_id"] for action in actions]
    assert verify(world.store, None).problems == ()
    world.edit("permit_use", {"permit_id": permits[0]}, at=world.now - timedelta(days=9))
    world.edit("permit", {"permit_id": permits[1]}, consumed_at=world.now)
    found = "\n".join(verify(world.store, None).problems)
    assert f"Limits count permit {permits[0]} of action {actions[0]} at another time than it was minted" in found
    assert f"permit {permits[1]} of action {actions[1]} was used, and it has no effect" in found


def test_a_money_budget_needs_action_types_that_say_what_they_come_to(tmp_path: Path) -> None:
    agents, actions = Path(copytree(AGENTS, tmp_path / "agents")), tmp_path / "actions"
    copytree(PROJECT / "orchestration" / "actions", actions)
    card, declared = agents / "finance" / "agent.yml", actions / "send_payment_reminder.yml"
    budget = "limits: {money_per_day: {amount: 100, currency: GBP}, "
    card.write_text(card.read_text(encoding="utf-8").replace("limits: {", budget), encoding="utf-8")
    load_rules(Settings(agents=agents, actions=actions))
    lines = declared.read_text(encoding="utf-8").splitlines()
    declared.write_text("\n".join(line for line in lines if not line.startswith("amount:")), encoding="utf-8")
    with pytest.raises(AgentError, match="names no `amount`"):
        load_rules(Settings(agents=agents, actions=actions))


FILL = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
    INSERT INTO permit_use SELECT 'p' || i, 'a' || i, 'finance', 'send_payment_reminder', 'b' || (i / 200), :day,
        :at, :at, 12000, 'GBP', 'used' FROM n
"""
SUBJECTS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000), part(k) AS (VALUES (1), (2), (3))
    INSERT INTO permit_subject SELECT lower(hex(k || ':' || (i / 10))), :day, 'p' || i FROM n, part
"""


def test_a_day_of_a_hundred_thousand_effects_is_counted_by_index_alone(world: World) -> None:
    at = (world.now - timedelta(minutes=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(str(world.store.url.database))) as raw, raw:
        raw.execute(FILL, {"day": TOMORROW.isoformat(), "at": at})
        raw.execute(SUBJECTS, {"day": TOMORROW.isoformat()})
    rates = [rate(per, 50, "1h") for per in ("agent", "action_type", "entity", "contact_point")]
    card = {**OFTEN, "rates": rates, "per_day": 100_001, "money_per_day": {"amount": 10**9, "currency": "GBP"}}
    bounds = Bounds(Limits.model_validate(card), TypeLimits())
    wanted = [(a_touch({f"org_{n}": [f"crm:company:{n}", f"erp:customer:{n}"]}), bounds) for n in range(200)]
    plans, seconds = counting(world, wanted, world.now)
    assert len(plans) > 3
    assert not [step for step in plans if step.startswith(("SCAN permit", "SCAN s"))], plans
    assert seconds < 1.0  # 0.1 on a quiet machine


def counting(world: World, wanted: list[tuple[Touch, Bounds]], now: datetime) -> tuple[list[str], float]:
    """The steps by which the database finds what is counted, and how long that takes."""
    said: list[tuple[str, Any]] = []
    with world.store.read() as connection:

        @event.listens_for(connection, "before_cursor_execute")
        def _hear(*told: Any) -> None:
            said.append((told[2], told[3]))

        begun = time.perf_counter()
        usage = load_usage(connection, wanted, now)
        seconds = time.perf_counter() - begun
        assert usage.day == 100_000
        assert usage.money == {"GBP": 100_000 * 12_000}
        assert all(count == 51 for meter, count in usage.rates.items() if meter.per in {"agent", "action_type"})
        event.remove(connection, "before_cursor_execute", _hear)
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).all() for sql, values in said]
    return [row[-1] for plan in plans for row in plan], seconds


def test_bounds_are_of_an_agent_and_an_action_type_that_are_known(world: World) -> None:
    batch_id, _ = world.propose_all("collections")
    with world.store.read() as connection:
        (ask, *_) = load_asks(connection, tables.proposal.c.batch_id == batch_id)
    assert bounds_of(ask, world.rules) is not None
    assert bounds_of(ask, type(world.rules)({}, world.rules.agents, {})) is None
