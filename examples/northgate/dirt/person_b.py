"""Way B on one row of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from examples.northgate.dirt import slips
from examples.northgate.dirt.luck import Luck
from examples.northgate.dirt.organisation_b import written_phone

Row = dict[str, Any]
Names = tuple[str | None, str | None, str]
"""Given name, family name, and both as one field holds them."""

COLUMNS: Final = ("seen", "system", "tab", "key", "person", "org", "copy", "deleted", "merged", "age", "past")
"""What goes through unchanged."""


def spoil(row: Row, luck: Luck, short_names: dict[str, str]) -> Row:
    """The row as it really stands."""
    given, family, full = _names(row, luck, short_names)
    address = luck.strikes(row["has_address"]) and row["city"] is not None
    mobile = written_phone(row["mobile"], luck) if luck.strikes(row["has_mobile"]) else None
    return {column: row[column] for column in COLUMNS} | {
        "usable": bool(full),
        "given": given,
        "family": family,
        "full_name": full,
        "email": _email(row, luck),
        "other_email": row["other_email"] if luck.strikes(0.7) else None,
        "phone": _phone(row, luck),
        "mobile": mobile,
        "job_title": row["job_title"].lower() if luck.strikes(0.3) else row["job_title"],
        "company": slips.cut(row["company"]) if row["company"] and luck.strikes(0.5) else None,
        "org_key": row["org_key"] if luck.strikes(0.9) else None,
        "address1": row["street"] if address else None,
        "city": row["city"] if address else None,
        "postcode": row["postcode"] if address else None,
        "country": luck.pick(("GB", "uk", "England")) if luck.strikes(0.3) else None,
    }


def _names(row: Row, luck: Luck, short_names: dict[str, str]) -> Names:
    if luck.strikes(0.006):
        return None, None, ""
    given, family = _given(row, luck, short_names), _family(row, luck)
    if luck.strikes(0.3):
        given, family = slips.question_marks(given), slips.question_marks(family)
    if row["tab"] == "user" and row["company"] and luck.strikes(0.04):
        return given, family, f"{given} {family} ({row['company']})"
    writing = (write(given, family, luck) for share, write in _WRITINGS if luck.strikes(share))
    return next(writing, (given, family, f"{given} {family}"))


def _lettered(given: str, family: str, luck: Luck) -> Names:
    return given, f"{family} {luck.pick(('BSc', 'ACA', 'MBE', 'FCCA'))}", f"{given} {family}"


_WRITINGS: Final[tuple[tuple[float, Callable[[str, str, Luck], Names]], ...]] = (
    (0.02, lambda given, family, _: (f"{family}, {given}", None, f"{family}, {given}")),
    (0.03, lambda given, family, _: (None, f"{given} {family}", f"{given} {family}")),
    (0.03, _lettered),
    (0.03, lambda given, family, _: (given, family.upper(), f"{given} {family.upper()}")),
    (0.02, lambda given, family, _: (family, given, f"{family} {given}")),
)
"""Of the names that no way of writing before it was used for, the share that this one is."""


def _given(row: Row, luck: Luck, short_names: dict[str, str]) -> str:
    given: str = row["given"]
    if luck.strikes(0.22):
        given = short_names.get(given, given)
    elif luck.strikes(0.04):
        given = f"{given[0]}."
    elif luck.strikes(0.03):
        given = slips.wrong_key(given, luck)
    elif luck.strikes(0.03):
        given = slips.by_ear(given, luck)
    elif row["middle"] and luck.strikes(0.3):
        given = f"{given} {row['middle']}"
    return given


def _family(row: Row, luck: Luck) -> str:
    family: str = row["family"]
    if luck.strikes(0.03):
        return slips.wrong_key(family, luck)
    if luck.strikes(0.03):
        return slips.by_ear(family, luck)
    if luck.strikes(0.02):
        return slips.scanned(family, luck)
    return f"{family}-{luck.pick(('Smith', 'Jones', 'Taylor', 'Brown'))}" if luck.strikes(0.015) else family


def _email(row: Row, luck: Luck) -> str | None:
    if not luck.strikes(row["has_email"]):
        return None
    email: str = row["email"]
    if luck.strikes(0.015):
        return slips.wrong_key(email, luck)
    if luck.strikes(0.03):
        return f"mailto:{email}"
    return email.upper() if luck.strikes(0.04) else email


def _phone(row: Row, luck: Luck) -> str | None:
    if row["phone"] is None or not luck.strikes(row["has_phone"]):
        return None
    phone = slips.digits_swapped(row["phone"], luck) if luck.strikes(0.025) else row["phone"]
    return written_phone(phone, luck)
