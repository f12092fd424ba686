"""What a build is asked for, and the two ways of making dirt that it may be asked for."""

from __future__ import annotations

import pytest

from examples.northgate.dirt import WAYS
from examples.northgate.plan import Plan
from examples.northgate.pools import pools, short_names, towns


def test_a_larger_firm_has_more_families_and_private_buyers() -> None:
    small, large = Plan(records=1_000).variables(), Plan(records=100_000).variables()

    assert isinstance(small["families"], int)
    assert isinstance(large["families"], int)
    assert large["families"] == pytest.approx(100 * small["families"], rel=0.01)
    assert large["private_people"] == 1_250


@pytest.mark.parametrize("way", WAYS)
def test_a_way_says_of_each_table_what_share_holds_each_field(way: str) -> None:
    dirt = WAYS[way]

    assert set(dirt.held) == {"company", "customer", "vendor", "organization", "contact", "user"}
    assert all(len(shares) == len(dirt.fields) for shares in dirt.held.values())
    assert all(0 <= share <= 1 for shares in dirt.held.values() for share in shares)
    assert all(0 < rate < 0.5 for rate in dirt.rates.values())


def test_the_two_ways_share_no_share_that_both_state_for_a_field() -> None:
    a, b = WAYS["A"], WAYS["B"]
    same = [tab for tab in a.held if a.held[tab] == b.held[tab]]

    assert same == []
    assert a.spoil is not b.spoil


def test_every_pool_has_words_and_likelier_names_stand_more_often() -> None:
    words = pools()

    assert all(words.values())
    assert all(word == word.strip() for values in words.values() for word in values)
    assert words["family"].count("Smith") > words["family"].count("Savage")
    assert "Zoë" in words["given"]


def test_short_names_are_of_names_that_occur() -> None:
    assert short_names()["Robert"] == "Rob"
    assert len(set(short_names()) & set(pools()["given"])) > 30


def test_a_town_has_what_its_addresses_and_telephones_take() -> None:
    for town in towns():
        assert town["area"].isalpha()
        assert int(town["districts"]) > 0
        assert town["dial"].startswith("0")
        assert len(town["dial"]) in (3, 4, 5)
        assert len(town["first"]) == 1
