"""Dates and times, however they are written; times in UTC."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.text import clean

_EARLIEST, _LATEST = 1800, 2200
_MILLISECONDS: Final = re.compile(r"1?\d{12}")
_SECONDS: Final = re.compile(r"1?\d{9}")
_ISO: Final = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2}|\d{8})"
    r"(?:[T ]\s*(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*(?P<zone>.*))?"
)
_ZONE: Final = re.compile(r"([+-])(\d{1,2}):?(\d{2})?")
_NUMERIC: Final = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})")
_WORDS: Final = (
    re.compile(
        r"(?:[a-z]{3,9},? )?(?P<day>\d{1,2})(?:st|nd|rd|th)?[ -](?P<month>[a-z]{3,9})\.?,?[ -](?P<year>\d{4}|\d{2})"
    ),
    re.compile(r"(?:[a-z]{3,9},? )?(?P<month>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4}|\d{2})"),
)
_TIME: Final = re.compile(r"(?:,? |T)(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([ap]\.?m\.?)?\s*(.*)$", re.IGNORECASE)
_MONTHS: Final = {
    name: number
    for number, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1)  # noqa: SIM905  reads better
}
_ZONES: Final = {"": None, "z": 0, "utc": 0, "gmt": 0, "bst": 60, "cet": 60, "cest": 120, "est": -300, "edt": -240,
                 "cst": -360, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420}  # fmt: skip
"""Minutes that named zones are ahead of UTC; None where none is named."""

_NO_DAY: Final = "no day of the calendar"
_NO_TIME: Final = "no time"


def day(text: str, locale: Locale) -> Normal:
    """A date; of a time, the date that it states."""
    found = _plain(text)
    if found is None:
        value = clean(text)
        if value is None:
            return NOTHING
        try:
            found = _moment(value, locale)
        except (ValueError, OverflowError):
            return Normal(None, _NO_DAY)
    return Normal(found.date()) if _EARLIEST < found.year < _LATEST else Normal(None, _NO_DAY)


def birth_date(text: str, locale: Locale) -> Normal:
    """A date that lies in the past; a year of two digits is the last one that does."""
    found = day(text, locale)
    today = datetime.now(UTC).date()
    if found.value is None or found.value <= today:
        return found
    if not re.search(r"\b\d{4}", text):
        return Normal(_century_before(found.value))
    return Normal(None, "a birth date in the future")


def timestamp(text: str, locale: Locale) -> Normal:
    """A time in UTC; one that states no zone is of the source's."""
    try:
        found = _plain(text)
        if found is None:
            value = clean(text)
            if value is None:
                return NOTHING
            found = _moment(value, locale)
        if found.tzinfo is None:
            found = found.replace(tzinfo=ZoneInfo(locale.timezone))
        found = found.astimezone(UTC)
    except (ValueError, OverflowError):
        return Normal(None, _NO_TIME)
    return Normal(found) if _EARLIEST < found.year < _LATEST else Normal(None, _NO_TIME)


def _plain(text: str) -> datetime | None:
    """The time of a text in ISO form, as most are: read by the interpreter, which is ten times as quick."""
    try:
        return datetime.fromisoformat(text) if text[4:5] == "-" else None
    except ValueError:
        return None


def _moment(text: str, locale: Locale) -> datetime:
    """The time that a text states, with its zone where it states one.

    Raises:
        ValueError: It states none, or one that the calendar does not have.
    """
    if _MILLISECONDS.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    if _SECONDS.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(text))
    if found := _ISO.fullmatch(text):
        return _iso(found)
    lower = text.lower()
    clock = _TIME.search(lower)
    stated = lower[: clock.start()] if clock else lower
    start = _calendar_day(stated.strip(), locale)
    if clock is None:
        return datetime(start.year, start.month, start.day)  # noqa: DTZ001  the caller adds the zone
    hour, minute, second, half, zone = clock.groups()
    hours = int(hour) % 12 + (12 if half.startswith("p") else 0) if half else int(hour)
    time = (hours, int(minute), int(second or 0))
    return datetime(start.year, start.month, start.day, *time, tzinfo=_offset(zone))


def _iso(found: re.Match[str]) -> datetime:
    stated, time, zone = found["day"], found["time"] or "0:00", found["zone"] or ""
    if "-" not in stated:
        stated = f"{stated[:4]}-{stated[4:6]}-{stated[6:]}"
    year, month, day_of_month = (int(part) for part in stated.split("-"))
    clock, _, fraction = time.replace(",", ".").partition(".")
    hour, minute, *second = (int(part) for part in clock.split(":"))
    moment = datetime(year, month, day_of_month, hour, minute, second[0] if second else 0, tzinfo=_offset(zone))
    return moment + timedelta(seconds=float(f"0.{fraction or 0}"))


def _offset(zone: str) -> timezone | None:
    stated = zone.strip().lower()
    if stated in _ZONES:
        minutes = _ZONES[stated]
        return None if minutes is None else timezone(timedelta(minutes=minutes))
    if found := _ZONE.fullmatch(stated.removeprefix("gmt").removeprefix("utc")):
        ahead = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(-ahead if found[1] == "-" else ahead)
    raise ValueError(zone)


def _calendar_day(text: str, locale: Locale) -> date:
    if found := _NUMERIC.fullmatch(text):
        first, second, year = (int(part) for part in found.groups())
        day_of_month, month = (first, second) if locale.date_order == "dmy" else (second, first)
        if month > 12 >= day_of_month:  # noqa: PLR2004  months of a year: there is but one way to read it
            day_of_month, month = month, day_of_month
        return date(_year(year), month, day_of_month)
    for pattern in _WORDS:
        if (found := pattern.fullmatch(text)) and (month_named := _MONTHS.get(found["month"][:3])):
            return date(_year(int(found["year"])), month_named, int(found["day"]))
    raise ValueError(text)


def _year(year: int) -> int:
    """The year that two digits mean: up to 68 in this century, as in POSIX."""
    return year if year > 99 else year + (2000 if year < 69 else 1900)  # noqa: PLR2004  POSIX's rule


def _century_before(value: date) -> date:
    try:
        return value.replace(year=value.year - 100)
    except ValueError:
        return value.replace(year=value.year - 100, day=28)
