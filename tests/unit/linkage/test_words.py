"""What the words of a name say."""

from __future__ import annotations

import pytest

from insight.linkage.words import ROLE_MAILBOXES, given_forms, organisation_marks


@pytest.mark.parametrize(
    ("name", "parent", "places", "numbers"),
    [
        ("fernley coatings", False, [], []),
        ("fernley holdings", True, [], []),
        ("fernley group", True, [], []),
        ("fernley northern", False, ["north"], []),
        ("fernley scotland", False, ["gb-sct"], []),
        ("fernley deutschland", False, ["de"], []),
        ("school 12", False, [], ["12"]),
    ],
)
def test_marks_tell_a_firm_from_its_relatives(name: str, parent: bool, places: list[str], numbers: list[str]) -> None:  # noqa: FBT001
    assert organisation_marks(name) == (parent, places, numbers)


@pytest.mark.parametrize(("short", "long"), [("bob", "robert"), ("liz", "elizabeth"), ("tony", "anthony")])
def test_a_nickname_stands_for_the_name_it_is_short_for(short: str, long: str) -> None:
    assert set(given_forms(short)) & set(given_forms(long))


@pytest.mark.parametrize(("one", "other"), [("john", "jane"), ("mary", "mark"), ("robert", "richard")])
def test_two_names_of_one_household_stand_for_nothing_in_common(one: str, other: str) -> None:
    assert not set(given_forms(one)) & set(given_forms(other))


def test_a_name_of_two_parts_stands_for_its_first() -> None:
    assert {"mary ann", "maryann", "mary"} <= set(given_forms("mary ann"))


def test_desks_have_mailboxes_and_people_have_others() -> None:
    assert "info" in ROLE_MAILBOXES
    assert "accounts" in ROLE_MAILBOXES
    assert "jane" not in ROLE_MAILBOXES
