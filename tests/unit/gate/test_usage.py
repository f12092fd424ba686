from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.contracts import EntityId, RecordId, Verdict
from orchestration.gate.limits.touch import Sum, Touch, contact_subject, entity_subjects, touch_of
from orchestration.gate.limits.usage import Bounds, Usage
from orchestration.graph.rows import Crosswalk
from orchestration.limits import Amount, Limits, Rate, TypeLimits
from tests.unit.gate.case import ACME, ADA, MAILBOX, RECORDS, Scene

OFTEN = {"per_batch": 999, "per_entity_per_day": 999, "per_contact_point_per_day": 999}
SCOPES = ("agent", "action_type", "entity", "contact_point")


def a_touch(entity: str = "org_1", contact: str = "a@x.example", hundredths: int = 100, **said: Any) -> Touch:
    usual: dict[str, Any] = {
        "agent": "finance",
        "action_type": "send_payment_reminder",
        "batch_id": "b1",
        "business_date": date(2026, 11, 2),
        "entities": {EntityId(entity): entity_subjects(entity, [])},
        "contacts": frozenset({contact_subject(contact)}),
        "money": Sum(hundredths, "GBP"),
    }
    return Touch(**{**usual, **said})


def bounds(*rates: Rate, of_type: tuple[Rate, ...] = (), **card: Any) -> Bounds:
    return Bounds(Limits.model_validate({**OFTEN, **card, "rates": rates}), TypeLimits(rates=of_type))


def rate(per: str, at_most: int, within: str = "1h") -> Rate:
    return Rate.model_validate({"per": per, "at_most": at_most, "within": within})


def allowed(declared: Bounds, touches: list[Touch]) -> list[Touch]:
    """Those that are let through one after the other."""
    usage, through = Usage(), []
    for touch in touches:
        if not usage.over(declared, touch):
            usage.count(declared, touch)
            through.append(touch)
    return through


@given(
    per=st.sampled_from(SCOPES),
    at_most=st.integers(0, 4),
    of_type=st.booleans(),
    asked=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=20),
)
def test_no_order_of_asking_gets_more_through_than_a_rate_allows(
    per: str,
    at_most: int,
    of_type: bool,  # noqa: FBT001  a case of the law
    asked: list[tuple[str, str]],
) -> None:
    one = rate(per, at_most)
    declared = bounds(of_type=(one,)) if of_type else bounds(one)
    through = allowed(declared, [a_touch(entity, contact) for entity, contact in asked])
    had = [counted_by(per, each) for each in through]
    wanted = [counted_by(per, a_touch(*each)) for each in asked]
    assert {each: had.count(each) for each in wanted} == {each: min(at_most, wanted.count(each)) for each in wanted}


def counted_by(per: str, touch: Touch) -> str:
    """What a rate counts an effect on one entity and one contact point by."""
    return {"entity": min(touch.entities), "contact_point": min(touch.contacts)}.get(per, "all")


@given(budget=st.integers(0, 50), amounts=st.lists(st.integers(1, 20), max_size=20))
def test_no_order_of_asking_gets_more_money_through_than_the_budget(budget: int, amounts: list[int]) -> None:
    declared = bounds(money_per_day={"amount": budget, "currency": "GBP"})
    through = allowed(declared, [a_touch(hundredths=100 * amount) for amount in amounts])
    assert sum(each.money.hundredths for each in through if each.money) <= 100 * budget


@pytest.mark.parametrize("per", SCOPES)
def test_an_effect_that_is_counted_already_is_not_counted_against_itself(per: str) -> None:
    declared, touch, usage = (
        bounds(rate(per, 1), per_day=1, money_per_day={"amount": 1, "currency": "GBP"}),
        a_touch(),
        Usage(),
    )
    usage.count(declared, touch)
    assert usage.over(declared, touch, own=1) == []
    assert {reason.code for reason in usage.over(declared, touch)} == {"rate_limit", "budget_limit"}


@pytest.mark.parametrize("per", SCOPES)
def test_an_effect_that_was_counted_before_the_period_is_one_more_within_it(per: str) -> None:
    declared, touch, usage = bounds(rate(per, 1), rate(per, 1, "2h")), a_touch(), Usage()
    usage.count(declared, touch)  # another's, which fills both
    just_within, outside = timedelta(hours=1) - timedelta(microseconds=1), timedelta(hours=1)
    assert not declared.outlasted(just_within)
    assert usage.over(declared, touch, own=1, age=just_within) == []
    assert declared.outlasted(outside)
    assert [reason.code for reason in usage.over(declared, touch, own=1, age=outside)] == ["rate_limit"]
    assert len(usage.over(bounds(rate(per, 1, "2h")), touch, own=1, age=2 * outside)) == 1
    assert Usage().over(declared, touch, own=1, age=2 * outside) == []


def test_a_rate_of_days_says_so_since_its_row_need_not_come_again_today() -> None:
    usage, touch = Usage(), a_touch()
    codes = [reason.code for reason in usage.over(bounds(rate("entity", 0), rate("agent", 0, "7d")), touch)]
    assert codes == ["rate_limit", "long_rate_limit"]


def test_no_reason_names_a_contact_point() -> None:
    touch = a_touch(contact="eve@planted.example")
    declared = bounds(rate("contact_point", 0), per_contact_point_per_day=0)
    said = str([reason.model_dump() for reason in Usage().over(declared, touch)])
    assert "planted" not in said
    assert contact_subject("eve@planted.example") not in said


@pytest.mark.parametrize(
    "written", ["ADA@Acme.example", " ada@acme.example ", "ada+late@acme.example", "Ada+@ACME.example"]
)
def test_a_mailbox_is_one_however_it_is_written(written: str) -> None:
    assert contact_subject(written) == contact_subject(MAILBOX)


@pytest.mark.parametrize("other", ["ada@acme.example.org", "bob@acme.example", "+441234567890", "+ada@acme.example"])
def test_another_contact_point_is_another(other: str) -> None:
    assert contact_subject(other) != contact_subject(MAILBOX)


def test_an_entity_is_counted_by_its_id_and_by_every_record_that_it_has() -> None:
    case = Scene().decide().case
    assert case is not None
    touch = touch_of(case)
    assert touch.entities == {each: entity_subjects(each, list(RECORDS[each])) for each in (ACME, ADA)}
    merged = Scene().knowing(
        records={
            ACME: tuple(
                Crosswalk(one, EntityId(ACME), "organisation", 1.0, "x") for one in (RecordId("erp:customer:7"),)
            )
        }
    )
    again = merged.decide().case
    assert again is not None
    assert touch.entities[EntityId(ACME)] & touch_of(again).entities[EntityId(ACME)]


MONEY = Amount(value="{invoice.amount_open}", currency="{invoice.currency}")


@pytest.mark.parametrize(
    ("amount", "hundredths"),
    [("120.00", 12_000), ("0.01", 1), ("-500.00", 50_000), ("9999999999999999.99", 10**18 - 1)],
)
def test_what_an_effect_comes_to_is_exact_and_never_less_than_nothing(amount: str, hundredths: int) -> None:
    case = Scene().invoice(amount_open=Decimal(amount)).decide().case
    assert case is not None
    assert touch_of(case).money == Sum(hundredths, "GBP")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount_open": None}, "unknown_amount"),
        ({"currency": None}, "unknown_amount"),
        ({"currency": "EUR"}, "budget_currency:EUR"),
        ({"amount_open": Decimal("100.01")}, "budget_limit:money"),
        ({"amount_open": Decimal("-100.01")}, "budget_limit:money"),
        ({"amount_open": Decimal("100.00")}, "permitted:finance-remind"),
    ],
)
def test_a_budget_of_money_lets_through_what_is_known_to_be_within_it(change: dict[str, object], said: str) -> None:
    scene = Scene().carded(limits={**OFTEN, "money_per_day": {"amount": 100, "currency": "GBP"}})
    decision = scene.invoice(**change).decide().decision
    assert said in {str(reason) for reason in decision.reasons}
    assert (decision.verdict is Verdict.ALLOW) == said.startswith("permitted")


def test_a_period_is_of_the_time_it_says() -> None:
    assert rate("agent", 1, "36h").within == timedelta(hours=36)
