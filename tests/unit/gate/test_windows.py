from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestration.gate.limits.windows import closed, is_open, zones_of
from orchestration.limits import Window
from tests.unit.gate.case import ACME, ADA, Scene

NOBODY: frozenset[str] = frozenset()


def window(zone: str = "Europe/London", **said: object) -> Window:
    return Window.model_validate({"from": "09:00", "until": "17:00", "zone": zone, **said})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "is_it"),
    [
        ("2026-11-02T08:59:59", False),
        ("2026-11-02T09:00:00", True),
        ("2026-11-02T16:59:59", True),
        ("2026-11-02T17:00:00", False),
        ("2026-07-01T08:00:00", True),  # summer time
        ("2026-07-01T16:00:00", False),
        ("2026-11-01T12:00:00", False),  # a Sunday
    ],
)
def test_a_window_is_open_in_its_own_zone_from_its_first_moment_until_before_its_last(now: str, is_it: bool) -> None:  # noqa: FBT001  a column of the table
    assert is_open(window(days=["mon", "tue", "wed", "thu", "fri"]), NOBODY, at(now)) is is_it


def test_the_day_is_that_of_the_zone() -> None:
    monday = window("Pacific/Auckland", days=["mon"])
    assert is_open(monday, NOBODY, at("2026-11-01T22:00:00"))
    assert not is_open(monday, NOBODY, at("2026-11-02T22:00:00"))


def test_a_window_of_the_entities_must_be_open_wherever_they_are() -> None:
    there = window("entity")
    assert is_open(there, frozenset({"GB"}), at("2026-11-02T10:00:00"))
    assert not is_open(there, frozenset({"GB", "NZ"}), at("2026-11-02T10:00:00"))
    assert not is_open(there, frozenset({"US"}), at("2026-11-02T15:00:00"))  # ten in New York, five in Honolulu
    assert is_open(there, frozenset({"US"}), at("2026-11-02T20:00:00"))


@pytest.mark.parametrize("countries", [NOBODY, frozenset({"XX"}), frozenset({"GB", "XX"})])
def test_a_window_of_entities_whose_country_is_not_known_is_closed(countries: frozenset[str]) -> None:
    always = window("entity", **{"from": "00:00", "until": "23:59:59"})
    assert not is_open(always, countries, at("2026-11-02T12:00:00"))
    assert zones_of("XX") == ()


def test_of_one_who_declares_several_one_must_be_open_and_all_who_declare_any_must_have_one() -> None:
    now = at("2026-11-02T12:00:00")
    early = window(**{"from": "05:00", "until": "06:00"})
    assert closed([("card", (early, window()))], NOBODY, now) == []
    assert closed([("card", ()), ("type", ())], NOBODY, now) == []
    (shut,) = closed([("card", (window(),)), ("type", (early,))], NOBODY, now)
    assert shut == "type: mon,tue,wed,thu,fri,sat,sun 05:00-06:00 Europe/London"


def test_one_entity_of_an_unknown_country_closes_the_window_for_all() -> None:
    scene = Scene().carded(windows=[{"from": "00:00", "until": "23:59:59", "zone": "entity"}])
    assert scene.knowing(countries={ACME: frozenset({"GB"})}).objections == {"outside_window:core-window"}
    known = scene.knowing(countries={ACME: frozenset({"GB"}), ADA: frozenset({"GB"})})
    assert known.objections == {"permitted:finance-remind"}


def test_a_closed_window_may_open_again() -> None:
    scene = Scene().carded(windows=[{"from": "20:00", "until": "21:00", "zone": "Europe/London"}])
    assert scene.decide().transient
