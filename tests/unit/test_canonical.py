from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from orchestration.canonical import _slowly, canonical, canonical_text, digest, plain
from tests.effort import EFFORT

JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    # RFC 8785 is defined on Unicode text, so that half of a surrogate pair has no canonical form
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


class Colour(StrEnum):
    RED = "red"


class Number(Enum):
    ONE = 1


class Invoice(BaseModel):
    number: str
    amount: Decimal
    due: date


@dataclass(frozen=True)
class Pair:
    left: int
    right: tuple[int, ...]


def test_keys_are_sorted_and_nothing_stands_between() -> None:
    assert canonical({"b": [1, True, None], "a": "é"}) == '{"a":"é","b":[1,true,null]}'.encode()


def test_a_known_value_has_the_digest_that_any_implementation_gives() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # sha256 of {}


@given(JSON_VALUES)
def test_the_bytes_are_those_of_the_reference_implementation(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(plain(value))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"\ue000": 1, "\U0001f600": 2}, '{"\U0001f600":2,"\ue000":1}'),  # UTF-16 sorts the second key first
        (["1e-7", 1e-7, 0.00001, 1e21, 1.5e300, 1e20, -0.0, 10.0, 0.1, 123.456], None),
        ('\x00\x1f\x7f\u2028"\\/\b\f\n\r\t', None),
        ("an e-mail of 3e-4", None),
    ],
)
def test_what_encoders_write_differently_is_as_rfc_8785_has_it(value: Any, written: str | None) -> None:
    assert canonical(value) == (rfc8785.dumps(plain(value)) if written is None else written.encode())


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES), st.randoms())
def test_the_order_of_keys_makes_no_difference(value: dict[str, Any], random: Any) -> None:
    shuffled = list(value.items())
    random.shuffle(shuffled)
    assert digest(dict(shuffled)) == digest(value)


@given(JSON_VALUES)
def test_what_was_read_back_has_the_same_bytes(value: Any) -> None:
    assert canonical(json.loads(canonical(value))) == canonical(value)


@given(JSON_VALUES, JSON_VALUES)
def test_equal_bytes_mean_equal_values(one: Any, other: Any) -> None:
    if canonical(one) == canonical(other):
        assert json.loads(canonical(one)) == json.loads(canonical(other))
    else:
        assert json.dumps(one, sort_keys=True) != json.dumps(other, sort_keys=True)


@given(st.decimals(-(10**15), 10**15, places=6))
def test_an_amount_is_the_same_whatever_its_trailing_zeros(amount: Decimal) -> None:
    assert canonical(amount) == canonical(amount.normalize()) == canonical(amount.quantize(Decimal("1e-8")))


def test_an_amount_is_exact_text_and_not_a_rounded_number() -> None:
    amounts = [Decimal("1250.50"), Decimal("1E+3"), Decimal("-0.00"), Decimal(100)]
    assert canonical(amounts) == b'["1250.5","1000","0","100"]'


def test_an_integer_that_json_would_round_becomes_text() -> None:
    assert canonical([2**53 - 1, 2**53]) == b'[9007199254740991,"9007199254740992"]'


def test_an_hour_that_comes_twice_is_two_moments() -> None:
    london = ZoneInfo("Europe/London")
    twice = [datetime(2026, 10, 25, 1, 30, tzinfo=london, fold=fold) for fold in (0, 1)]
    assert canonical(twice) == b'["2026-10-25T00:30:00Z","2026-10-25T01:30:00Z"]'


def test_one_moment_has_one_form_whatever_its_zone() -> None:
    utc = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    paris = utc.astimezone(timezone(timedelta(hours=1)))
    assert canonical(utc) == canonical(paris) == b'"2026-11-02T09:30:00Z"'


def test_dates_enums_models_dataclasses_and_sets_have_a_form() -> None:
    invoice = Invoice(number="A-1", amount=Decimal("10.00"), due=date(2026, 11, 2))
    assert canonical(invoice) == b'{"amount":"10","due":"2026-11-02","number":"A-1"}'
    assert canonical({Colour.RED: Number.ONE}) == b'{"red":1}'
    assert canonical(Pair(1, (2, 3))) == b'{"left":1,"right":[2,3]}'
    assert canonical(frozenset({"b", "a", "c"})) == b'["a","b","c"]'


@pytest.mark.parametrize("value", [math.nan, math.inf, Decimal("NaN"), datetime(2026, 11, 2)])  # noqa: DTZ001  that is the point
def test_what_names_no_number_and_no_moment_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical({"value": value})


@pytest.mark.parametrize("value", [b"bytes", object(), Path(), {1: "a key that is no text"}, {None: 1}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"canonical form|must be text"):
        canonical(value)


ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["-1.5", "[1e5", ",2.0", "\ue000", "\U0001f600", 10.0, -0.0, 1e21, 2**53, -(2**64), 10**20 + 1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(ANY_JSON, st.booleans(), st.sampled_from([None, 1]))
def test_text_has_the_canonical_form_of_what_it_says(value: object, escaped: bool, indent: int | None) -> None:  # noqa: FBT001
    text = json.dumps(value, ensure_ascii=escaped, indent=indent)
    assert _form(canonical_text, text) == _form(lambda held: canonical(json.loads(held)).decode(), text)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', "-0", "1E2", " 7 ", '"\\ud800"', '"\\u007f\\u0001"', "1E400", "NaN", "{", "", "[" * 9999]
)
def test_text_of_every_kind_is_read_as_python_reads_it(text: str) -> None:
    assert _form(canonical_text, text) == _form(lambda held: canonical(json.loads(held)).decode(), text)


def _form(made: Callable[[str], str], text: str) -> str:
    try:
        return made(text)
    except (ValueError, RecursionError) as problem:
        return "none" if isinstance(problem, ValueError) else "too deep"


class Named(str):
    """Text of a kind of its own."""

    __slots__ = ()


class Odd(Enum):
    LIST = (1, 2)
    FLOAT = 2.0
    NONE = None
    NAN = math.nan
    WHEN = date(2026, 11, 2)
    LARGE = 2**60


def _hashable(value: object) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


ODD: st.SearchStrategy[Any] = (
    st.floats()
    | st.integers()
    | st.text(st.characters())
    | st.decimals()
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]))
    | st.sampled_from(
        [*Odd, *Colour, *Number, Named("\ud800"), Named("a"), UUID(int=7), object(), Path("a"), b"a", 2**53]
    )
    | st.sampled_from([",5.0]", "\ue000", "\U0001f600", "\uffff", "null", ":1e5,", 1e16, -0.0, 5e-324, 1.5e300, True])
)
VALUES_OF_ANY_KIND: st.SearchStrategy[Any] = st.recursive(
    JSON_VALUES | ODD,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | ODD.filter(_hashable), inner, max_size=3)
        | st.builds(lambda held: MappingProxyType({"held": held}), inner)
        | st.builds(Pair, inner, inner)
        | st.builds(lambda held: Invoice.model_construct(number=held, amount=Decimal("1.50"), due=held), inner)
        | st.frozensets(st.text() | st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.law
@settings(max_examples=400 * EFFORT, deadline=None)
@given(VALUES_OF_ANY_KIND)
def test_the_short_way_writes_what_the_long_way_writes_or_refuses_it_alike(value: object) -> None:
    assert _bytes_or_refusal(canonical, value) == _bytes_or_refusal(_slowly, value)


def _bytes_or_refusal(made: Callable[[object], bytes], value: object) -> bytes | tuple[type, str]:
    try:
        return made(value)
    except (TypeError, ValueError) as problem:
        return type(problem), str(problem)
