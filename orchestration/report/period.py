"""The period that a report is about: from a moment on, up to and without another, in a zone of the user's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from orchestration.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open stretch of time: what happens at `since` counts, what happens at `until` does not.

    Attributes:
        since: The first moment, in UTC.
        until: The first moment after it, in UTC.
        zone: The IANA zone in which days begin.
    """

    since: datetime
    until: datetime
    zone: str

    @property
    def days(self) -> tuple[date, ...]:
        """Every day of the zone that any part of the period lies in."""
        zone = ZoneInfo(self.zone)
        first = self.since.astimezone(zone).date()
        last = (self.until - timedelta(microseconds=1)).astimezone(zone).date()
        return tuple(first + timedelta(days=number) for number in range((last - first).days + 1))

    def __str__(self) -> str:
        zone = ZoneInfo(self.zone)
        since, until = (f"{one.astimezone(zone):%Y-%m-%d %H:%M}" for one in (self.since, self.until))
        if since.endswith("00:00") and until.endswith("00:00"):
            since, until = since[:10], until[:10]
        return f"from {since} up to {until} ({self.zone}), the end not included"


def period(since: str | None, until: str | None, zone: str, now: datetime) -> Period:
    """The period that somebody asked for.

    Args:
        since: A date, which means its beginning, or a time; where none is given, the beginning of the month before that
            of `until`.
        until: The same; where none is given, the beginning of this month, or now where `since` is in this month.
        zone: The IANA zone that dates, and times without one of their own, are in.
        now: The time.

    Raises:
        ConfigurationError: One of them is none of that, or the period ends before it begins.
    """
    try:
        place = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ConfigurationError("--zone", repr(zone), "the name of a zone such as Europe/Berlin") from error
    this_month = now.astimezone(place).date().replace(day=1)
    begun = _midnight(this_month, place)
    start = None if since is None else _moment("--since", since, place)
    past = start is None or start < begun
    end = (begun if past else now) if until is None else _moment("--until", until, place)
    if start is None:
        before = (end - timedelta(microseconds=1)).astimezone(place).date()
        start = _midnight(before.replace(day=1), place)
    if start >= end:
        raise ConfigurationError("--until", f"{end.isoformat()}", f"a time after --since, which is {start.isoformat()}")
    return Period(start, end, zone)


def _moment(option: str, stated: str, zone: ZoneInfo) -> datetime:
    try:
        if len(stated) == len("2026-11-02"):
            return _midnight(date.fromisoformat(stated), zone)
        found = datetime.fromisoformat(stated)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        needed = "a date such as 2026-11-02, or a time such as 2026-11-02T08:00 or 2026-11-02T08:00+01:00"
        raise ConfigurationError(option, repr(stated), needed) from error


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins; later than midnight where clocks leave midnight out."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)
