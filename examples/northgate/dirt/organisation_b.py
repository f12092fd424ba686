"""Way B on one row of an organisation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from examples.northgate.dirt import slips
from examples.northgate.dirt.luck import Luck

Row = dict[str, Any]

COLUMNS: Final = (
    "seen", "system", "tab", "key", "org", "copy", "deleted", "merged", "kind", "is_person", "age", "attention",
    "parent", "role",
)  # fmt: skip
"""What goes through unchanged."""

_LEGAL: Final = {"company": 0.45, "customer": 0.55, "vendor": 0.9, "organization": 0.35}
_FORMS: Final = ("LTD", "Ltd", "Limited", "ltd", "Co Ltd")
_SHORT: Final = {
    "Engineering": "Engrg", "Services": "Serv", "Solutions": "Sols", "Holdings": "Hldg", "Group": "Grp",
    "Property": "Prop", "Technologies": "Tech", "Developments": "Devs", "Logistics": "Log", "Consulting": "Cons",
    "Precision": "Prec", "Environmental": "Env", "International": "Int'l", "Accountants": "Accts",
}  # fmt: skip
_WAYS: Final = {
    "Road": "Rd.",
    "Street": "Str",
    "Lane": "La",
    "Drive": "Dr",
    "Court": "Ct",
    "Close": "Cl",
    "Place": "Pl",
}


def spoil(row: Row, luck: Luck, other_vat: str | None) -> Row:
    """The row as it really stands; `other_vat` is the number of an organisation near it in the list."""
    name = _name(row, luck)
    street, unit = _street(row, luck)
    address = luck.strikes(row["has_address"])
    return {column: row[column] for column in COLUMNS} | {
        "usable": name is not None,
        "name": name,
        "legal_name": row["legal_name"]
        if name and row["tab"] in ("customer", "vendor") and luck.strikes(0.3)
        else None,
        "trading_name": row["trading_name"] if name and luck.strikes(0.55) else None,
        "given": row["given"],
        "surname": row["surname"],
        "vat": _vat(row, luck, other_vat),
        "company_number": _number(row, luck),
        "phone": _phone(row, luck),
        "email": _email(row, luck),
        "website": _website(row, luck),
        "domain": row["domain"] if luck.strikes(row["has_website"]) else None,
        "address1": street if address else None,
        "address2": unit if address else None,
        "city": row["city"].upper() if address and luck.strikes(0.1) else row["city"] if address else None,
        "county": row["county"] if address and luck.strikes(0.6) else None,
        "postcode": _postcode(row, luck) if address else None,
        "country": luck.pick(("GB", "GBR", "uk", "United Kingdom", "Britain", "England"))
        if luck.strikes(0.5)
        else None,
    }


def _name(row: Row, luck: Luck) -> str | None:
    if luck.strikes(0.006):
        return None
    trading = row["trading_name"]
    if trading and luck.strikes(0.4):
        name = trading if luck.strikes(0.6) else f"{trading} ({row['legal_name']})"
    elif luck.strikes(_LEGAL[row["tab"]]):
        name = row["legal_name"]
        if row["form"] in ("Limited", "Ltd") and luck.strikes(0.4):
            name = f"{row['short_name']} {luck.pick(_FORMS)}"
    else:
        name = row["short_name"]
    return _slip(name, luck)


def _shortened(name: str, _luck: Luck) -> str:
    return " ".join(_SHORT.get(word, word) for word in name.split())


def _turned(name: str, _luck: Luck) -> str:
    first, _, rest = name.partition(" ")
    return f"{rest}, {first}" if rest else name


def _stripped(name: str, _luck: Luck) -> str:
    return re.sub(r"[()&]", " ", name).replace("  ", " ")


_SLIPS: Final[tuple[tuple[float, Callable[[str, Luck], str]], ...]] = (
    (0.035, slips.wrong_key),
    (0.02, slips.scanned),
    (0.03, slips.by_ear),
    (0.04, lambda name, _: slips.cut(name)),
    (0.03, lambda name, _: slips.as_markup(name)),
    (0.08, _shortened),
    (0.03, _turned),
    (0.03, lambda name, _: f"The {name}"),
    (0.03, lambda name, _: name.lower()),
    (0.05, _stripped),
)
"""Of the names that no slip before it struck, the share that this one does."""


def _slip(name: str, luck: Luck) -> str:
    return next((slip(name, luck) for share, slip in _SLIPS if luck.strikes(share)), name)


def _vat(row: Row, luck: Luck, other: str | None) -> str | None:
    if not luck.strikes(row["has_vat"]):
        return None
    vat: str | None = row["vat"]
    if vat is None:
        return luck.pick(("none", "EXEMPT", "GB000000000")) if luck.strikes(0.06) else None
    if other and luck.strikes(0.01):
        vat = other
    elif luck.strikes(0.02):
        vat = slips.digits_swapped(vat, luck)
    return luck.pick((vat, f"GB-{vat[:3]}-{vat[3:7]}-{vat[7:]}", f"gb{vat}", f"VAT {vat}", f"GB{vat}"))


def _number(row: Row, luck: Luck) -> str | None:
    number: str | None = row["company_number"]
    if number is None or not luck.strikes(row["has_number"]):
        return None
    if luck.strikes(0.02):
        return slips.digits_swapped(number, luck)
    return luck.pick((number, number, number.lower(), f"No. {number}", number.lstrip("0")))


def _phone(row: Row, luck: Luck) -> str | None:
    if not luck.strikes(row["has_phone"]):
        return None
    phone = row["owner_mobile"] if row["kind"] == "sole" and luck.strikes(0.5) else row["phone"]
    if luck.strikes(0.025):
        phone = slips.digits_swapped(phone, luck)
    return written_phone(phone, luck)


def written_phone(phone: str, luck: Luck) -> str:
    """A number as some people write it."""
    return luck.pick((
        phone, f"{phone[:4]}.{phone[4:7]}.{phone[7:]}", f"+44{phone[1:]}", f"{phone[:5]}-{phone[5:]}", f"T: {phone}",
        f"+44-{phone[1:4]}-{phone[4:]}",
    ))  # fmt: skip


def _email(row: Row, luck: Luck) -> str | None:
    if not luck.strikes(row["has_email"]):
        return None
    email: str = row["email"]
    if luck.strikes(0.015):
        return slips.wrong_key(email, luck)
    return f" {email.upper()} " if luck.strikes(0.06) else email


def _website(row: Row, luck: Luck) -> str | None:
    domain: str | None = row["domain"]
    if domain is None or not luck.strikes(row["has_website"]):
        return None
    return luck.pick((domain, f"https://{domain}/contact-us", f"www.{domain}", f"http://{domain}/", domain.upper()))


def _street(row: Row, luck: Luck) -> tuple[str | None, str | None]:
    street, unit = row["street"], row["unit"]
    if luck.strikes(0.3):
        street = " ".join(_WAYS.get(word, word) for word in street.split())
    if luck.strikes(0.04):
        street = slips.by_ear(street, luck)
    if unit and luck.strikes(0.5):
        return f"{unit}, {street}", None
    return (unit, street) if unit else (street, None)


def _postcode(row: Row, luck: Luck) -> str | None:
    postcode: str = row["postcode"]
    if luck.strikes(0.08):
        return None
    if luck.strikes(0.03):
        return slips.scanned(postcode, luck)
    if luck.strikes(0.04):
        return postcode.split(" ", maxsplit=1)[0]
    return postcode.replace(" ", "  ") if luck.strikes(0.1) else postcode
