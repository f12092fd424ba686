"""Windows: which of those declared are closed now. What is not known is closed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

from orchestration.limits import DAYS, Window

_TABLE: Final = "zone.tab"
"""Country, coordinates, zone: of the package `tzdata`, so that every machine has the same."""


def closed(declared: Iterable[tuple[str, Sequence[Window]]], countries: frozenset[str], now: datetime) -> list[str]:
    """Those who declared windows of which none is open, each with its windows.

    Args:
        declared: Who declares them, and which; of somebody's windows one must be open, where there are any.
        countries: Where the entities are, for windows in their zone; one of an unknown country is in none.
        now: The time, with its zone.
    """
    return [
        f"{who}: {'; '.join(map(str, windows))}"
        for who, windows in declared
        if windows and not any(is_open(window, countries, now) for window in windows)
    ]


def is_open(window: Window, countries: frozenset[str], now: datetime) -> bool:
    """Whether a window is open: in its own zone, or in every zone where the entities are."""
    zones = [window.fixed] if window.fixed is not None else [zone for each in countries for zone in zones_of(each)]
    unknown = not zones or (window.fixed is None and any(not zones_of(each) for each in countries))
    return not unknown and all(_open_in(window, now.astimezone(zone)) for zone in zones)


@cache
def zones_of(country: str) -> tuple[ZoneInfo, ...]:
    """The time zones of a country; none of one that is not known."""
    rows = (line.split("\t") for line in _zone_table().splitlines() if line and not line.startswith("#"))
    return tuple(ZoneInfo(row[2]) for row in rows if row[0] == country)


@cache
def _zone_table() -> str:
    return files("tzdata").joinpath("zoneinfo", _TABLE).read_text(encoding="utf-8")


def _open_in(window: Window, there: datetime) -> bool:
    return DAYS[there.weekday()] in window.days and window.opens <= there.time() < window.closes
