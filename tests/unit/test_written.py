"""JSON columns hold what `canonical.plain` makes of a value, whatever writes it down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.canonical import canonical, plain
from orchestration.contracts import Pin
from orchestration.store.written import written


class Colour(StrEnum):
    RED = "red"


class Size(Enum):
    LARGE = 3


@dataclass(frozen=True, slots=True)
class Held:
    amount: Decimal
    at: datetime
    rest: Any


NOW = datetime(2026, 11, 2, 9, 0, 0, 123456, tzinfo=UTC)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))  # canonical JSON has no half of a pair
    | st.decimals(allow_nan=False, allow_infinity=False, places=4)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), inner, max_size=4)
        | st.builds(Held, st.just(Decimal("10.50")), st.just(NOW), inner)
    ),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_what_is_written_reads_back_as_what_is_plain(value: Any) -> None:
    assert canonical(json.loads(written(value))) == canonical(plain(value))


def test_what_is_no_json_is_written_as_it_is_hashed() -> None:
    pin = Pin(asset_key="entity_graph", storage_id=7, run_id="run", data_version="v")
    value = {"pin": pin, "set": {"b", "a"}, "colour": Colour.RED, "size": Size.LARGE, "on": date(2026, 1, 2)}
    assert canonical(json.loads(written(value))) == canonical(value)


@pytest.mark.parametrize("text", ["\ud800", "\x00", "\u202e", "\U0001f600", "é"])
def test_any_text_is_written(text: str) -> None:
    assert json.loads(written({"text": text})) == {"text": text}


def test_a_time_without_a_zone_and_a_kind_that_has_no_form_are_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        written({"at": datetime(2026, 1, 1)})  # noqa: DTZ001  what is refused
    with pytest.raises(TypeError, match="canonical form"):
        written({"what": object()})
