from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.errors import ConfigurationError
from orchestration.report.period import period

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "zone", "found"),
    [
        (None, None, "UTC", ("2026-10-01T00:00", "2026-11-01T00:00")),
        (None, None, "Europe/Berlin", ("2026-09-30T22:00", "2026-10-31T23:00")),
        (None, None, "Pacific/Auckland", ("2026-09-30T11:00", "2026-10-31T11:00")),
        ("2026-09-01", None, "UTC", ("2026-09-01T00:00", "2026-11-01T00:00")),
        ("2026-11-01", None, "UTC", ("2026-11-01T00:00", "2026-11-20T15:00")),
        (None, "2026-10-01", "UTC", ("2026-09-01T00:00", "2026-10-01T00:00")),
        ("2026-10-25", "2026-10-26", "Europe/Berlin", ("2026-10-24T22:00", "2026-10-25T23:00")),
        ("2026-09-06", "2026-09-07", "America/Santiago", ("2026-09-06T04:00", "2026-09-07T03:00")),
        ("2026-10-01T08:00", "2026-10-01T09:00+01:00", "UTC", None),
        ("2026-10-01T08:00", "2026-10-01T08:00:00.000001", "UTC", ("2026-10-01T08:00", "2026-10-01T08:00:00.000001")),
    ],
    ids=[
        "month",
        "berlin",
        "auckland",
        "till this month",
        "this month",
        "before",
        "25 hours",
        "no midnight",
        "end",
        "moment",
    ],
)
def test_a_period_is_what_was_asked_for(
    since: str | None, until: str | None, zone: str, found: tuple[str, str] | None
) -> None:
    if found is None:
        with pytest.raises(ConfigurationError, match="a time after --since"):
            period(since, until, zone, NOW)
        return
    made = period(since, until, zone, NOW)
    assert (made.since, made.until) == tuple(datetime.fromisoformat(one).replace(tzinfo=UTC) for one in found)


@pytest.mark.parametrize(
    ("since", "until", "zone"),
    [
        ("yesterday", None, "UTC"),
        ("2026-02-30", None, "UTC"),
        (None, "2026-13-01", "UTC"),
        (None, None, "Europe/Nowhere"),
        (None, None, "../../etc/passwd"),
        ("2026-11-02", "2026-11-02", "UTC"),
    ],
)
def test_what_is_no_period_is_refused(since: str | None, until: str | None, zone: str) -> None:
    with pytest.raises(ConfigurationError):
        period(since, until, zone, NOW)


def test_the_day_of_the_last_moment_is_the_last_day() -> None:
    made = period("2026-10-24", "2026-10-27", "Europe/Berlin", NOW)
    assert [day.day for day in made.days] == [24, 25, 26]
    assert made.until - made.since == timedelta(hours=73)
