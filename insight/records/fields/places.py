"""Countries and postcodes, and what of an address is compared."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from rigour.territories import get_territory, lookup_territory

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.text import clean

_BRITISH: Final = re.compile(r"\b(gir ?0aa|[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2})\b", re.IGNORECASE)
_AMERICAN: Final = re.compile(r"\b(\d{5})(?:-\d{4})?\s*$")
_NUMBER: Final = re.compile(r"(?<![a-z\d])(\d+[a-z]?)\b", re.IGNORECASE)
_USUAL: Final = {
    "united kingdom": "gb", "great britain": "gb", "uk": "gb", "england": "gb", "scotland": "gb", "wales": "gb",
    "northern ireland": "gb", "ireland": "ie", "united states": "us", "usa": "us", "united states of america": "us",
    "germany": "de", "france": "fr", "netherlands": "nl", "spain": "es", "italy": "it", "belgium": "be",
}  # fmt: skip
"""Names that most rows have, so that the index of every name of every territory is built for the others alone."""

_PART: Final = re.compile(
    r"\b(?:unit|suite|ste|flat|apt|apartment|room|floor|fl|level|block|office|po box|p\.o\. box|#)\.?\s*\w+,?",
    re.IGNORECASE,
)
_INWARD: Final = 3
"""Characters of the second part of a British postcode."""


def country(text: str, _locale: Locale) -> Normal:
    """An ISO code in upper case; parts of the United Kingdom are of it."""
    value = clean(text)
    if value is None:
        return NOTHING
    code = _country(value)
    return Normal(code) if code else Normal(None, "no country")


def territory(text: str) -> str | None:
    """The code of a country or of a part of one: `us` of `USA`, `us-tx` of `Texas`."""
    found = get_territory(text) or lookup_territory(text)
    return found.code if found is not None else None


@cache
def _country(text: str) -> str | None:
    found = (
        get_territory(_USUAL.get(text.casefold().replace(".", ""), text))
        or lookup_territory(text)
        or lookup_territory(re.sub(r"([a-z])([A-Z])", r"\1 \2", text.lstrip("_")))
    )
    while found is not None and not found.is_country and found.parent is not None:
        parent = found.parent
        found = get_territory(parent) if isinstance(parent, str) else parent
    return found.code[:2].upper() if found is not None else None


def postcode(text: str, locale: Locale) -> Normal:
    """A postcode in upper case, British ones with their blank before the last three characters."""
    value = clean(text)
    if value is None:
        return NOTHING
    code = value.upper().strip(" ,.")
    bare = code.replace(" ", "")
    if locale.region == "GB" and _BRITISH.fullmatch(bare):
        return Normal(f"{bare[:-_INWARD]} {bare[-_INWARD:]}")
    if locale.region == "US" and bare.isdigit() and len(bare) < 5:  # noqa: PLR2004  a spreadsheet took the zeros away
        return Normal(bare.zfill(5))
    return Normal(code) if any(letter.isdigit() for letter in code) else Normal(None, "no postcode")


def postcode_key(postcode: str | None, address: str | None, region: str) -> str | None:
    """The postcode as it is compared, out of the address where it has no column of its own."""
    stated = postcode or ""
    if not stated and address:
        pattern = {"GB": _BRITISH, "US": _AMERICAN}.get(region)
        found = pattern.search(address) if pattern else None
        stated = found[1] if found else ""
    bare = re.sub(r"[^a-z0-9]", "", stated.split("-")[0].lower() if region == "US" else stated.lower())
    return bare or None


def postcode_area(key: str | None, region: str) -> str | None:
    """The first part of a postcode."""
    if not key:
        return None
    return key[:-_INWARD] if region == "GB" and len(key) > _INWARD + 1 else key[:_INWARD]


@cache
def address_key(address: str) -> str | None:
    """An address as it is compared: abbreviations, letters and punctuation evened out."""
    from rigour.addresses import address_fingerprint  # noqa: PLC0415  it takes long to load

    return address_fingerprint(address)


def street_number(address: str | None) -> str | None:
    """The first number of an address that is no unit's: `12` of `Unit 4, 12-14 High Street`."""
    if not address:
        return None
    found = _NUMBER.search(_PART.sub(" ", address)) or _NUMBER.search(address)
    return found[1].lower() if found else None
