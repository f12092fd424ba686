"""Money, currencies, whole numbers, yes and no."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.text import clean

_MINUS: Final = "\u2212"
_CENT: Final = Decimal("0.01")
_LARGEST: Final = Decimal(10) ** 16
_NOT_AMOUNT: Final = re.compile(r"^(?:[A-Z]{3}|[£€$¥₹])\s*|\s*(?:[A-Z]{3}|[£€$¥₹])$|(?<=\d)[\s'\u00a0](?=\d{3})")
_COMMA_CENTS: Final = re.compile(r"-?\d{1,3}(?:\.\d{3})*,\d{1,2}|-?\d+,\d{1,2}")
_COMMA_GROUPS: Final = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SYMBOLS: Final = {
    "£": "GBP", "€": "EUR", "$": "USD", "US$": "USD", "¥": "JPY", "₹": "INR", "STERLING": "GBP", "POUND": "GBP",
    "POUNDS": "GBP", "BRITISH POUND": "GBP", "POUND STERLING": "GBP", "EURO": "EUR", "EUROS": "EUR",
    "US DOLLAR": "USD", "DOLLAR": "USD", "SWISS FRANC": "CHF",
}  # fmt: skip
_YES: Final = frozenset({"t", "true", "y", "yes", "1", "on"})
_NO: Final = frozenset({"f", "false", "n", "no", "0", "off"})


def money(text: str, _locale: Locale) -> Normal:
    """An amount to the cent; `(1,234.56)` is below zero, `1.234,56` is as on the continent."""
    value = clean(text)
    if value is None:
        return NOTHING
    try:
        return _rounded(Decimal(value))
    except InvalidOperation:
        return _written(value)


def _written(value: str) -> Normal:
    """An amount as people and spreadsheets write it."""
    below = (value.startswith("(") and value.endswith(")")) or value.endswith("-")
    bare = value.strip("()- ") if below else value
    sign = "-" if below or bare.startswith(("-", _MINUS)) else ""
    bare = bare.lstrip(f"-{_MINUS}+ ")
    while (shorter := _NOT_AMOUNT.sub("", bare)) != bare:
        bare = shorter
    if _COMMA_GROUPS.fullmatch(bare):
        bare = bare.replace(",", "")
    elif _COMMA_CENTS.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    try:
        return _rounded(Decimal(sign + bare))
    except InvalidOperation:
        return Normal(None, "no amount")


def _rounded(amount: Decimal) -> Normal:
    if not amount.is_finite() or abs(amount) >= _LARGEST:
        return Normal(None, "no amount")
    return Normal(amount.quantize(_CENT))


def currency(text: str, _locale: Locale) -> Normal:
    """An ISO code of three letters."""
    value = clean(text)
    if value is None:
        return NOTHING
    upper = value.upper()
    code = _SYMBOLS.get(upper, upper)
    return Normal(code) if re.fullmatch(r"[A-Z]{3}", code) else Normal(None, "no currency")


def integer(text: str, _locale: Locale) -> Normal:
    """A whole number."""
    value = clean(text)
    if value is None:
        return NOTHING
    try:
        number = Decimal(value.replace(",", ""))
    except InvalidOperation:
        return Normal(None, "no whole number")
    whole = number.is_finite() and number == number.to_integral_value() and abs(number) < 2**63
    return Normal(int(number)) if whole else Normal(None, "no whole number")


def boolean(text: str, _locale: Locale) -> Normal:
    """Yes or no."""
    value = clean(text)
    if value is None:
        return NOTHING
    lower = value.casefold()
    if lower in _YES or lower in _NO:
        return Normal(lower in _YES)
    return Normal(None, "neither yes nor no")
