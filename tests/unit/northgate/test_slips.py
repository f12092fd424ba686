"""Way B's slips and the luck they hang on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.northgate.dirt import slips
from examples.northgate.dirt.luck import Luck

NUMBERS = st.lists(st.floats(0, 1, exclude_max=True), min_size=8, max_size=8)
ONE_SLIP = [slips.wrong_key, slips.scanned, slips.by_ear, slips.digits_swapped]


def test_luck_is_used_up_in_order() -> None:
    luck = Luck([0.1, 0.5, 0.99])

    assert luck.strikes(0.2)
    assert luck.pick("abcd") == "c"
    assert luck.below(10) == 9
    with pytest.raises(StopIteration):
        luck.below(2)


@pytest.mark.parametrize("slip", ONE_SLIP)
@given(text=st.text(alphabet="abcdefrnmlOS 0123456789&'", min_size=1, max_size=30), numbers=NUMBERS)
def test_a_slip_keeps_most_of_what_it_strikes(slip: object, text: str, numbers: list[float]) -> None:
    assert callable(slip)
    struck = slip(text, Luck(numbers))

    assert abs(len(struck) - len(text)) <= 1
    assert struck[0].lower() == text[0].lower() or slip is slips.wrong_key


def test_a_wrong_key_lies_beside_the_right_one() -> None:
    assert slips.wrong_key("cat", Luck([0.4, 0.0])) == "cst"


def test_a_scanner_takes_one_shape_for_another() -> None:
    assert slips.scanned("Barnes", Luck([0.0])) == "Bames"


def test_a_name_is_spelt_by_ear() -> None:
    assert slips.by_ear("Stephen", Luck([0.0])) == "Stefen"


def test_an_older_field_cuts_a_name() -> None:
    assert slips.cut("Hollingworth Precision Engineering") == "Hollingworth Precision Eng"


def test_markup_and_poor_character_sets_spoil_letters() -> None:
    assert slips.as_markup("Hill & Sons") == "Hill &amp; Sons"
    assert slips.question_marks("Zoë") == "Zo?"


def test_neighbouring_digits_change_places() -> None:
    assert slips.digits_swapped("123456789", Luck([0.0])) == "124356789"
    assert slips.digits_swapped("123", Luck([])) == "123"
