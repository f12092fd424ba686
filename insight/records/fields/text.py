"""Text: broken encodings mended, white space evened out, words that mean nothing taken as nothing."""

from __future__ import annotations

import re
from typing import Final

import ftfy

from insight.records.fields.base import NOTHING, Locale, Normal

_BLANK: Final = frozenset(
    "- -- --- . .. ? ?? / * n/a #n/a n.a. na/ nil none null (null) (none) <null> unknown tbc t.b.c. tbd tba xxx "
    "undefined nan".split()
) | {"not known", "not provided", "not available", "not applicable", "to be confirmed", "not registered"}
"""What people and spreadsheets write where they know nothing."""

_STRAY: Final = re.compile(r"Â(?=[\s&]|$)")
"""What is left of a hard blank that was read in another encoding and whose second half became a plain blank."""

_LOST: Final = "\ufffd"


def clean(text: str) -> str | None:
    """The text as it was meant: mended, on one line, without blanks around it; None where it says nothing."""
    if not text.isascii() or "&" in text or not text.isprintable():
        text = _STRAY.sub("", ftfy.fix_text(text, normalization="NFC"))
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    text = " ".join(text.split())
    return None if not text or text.casefold() in _BLANK else text


def plain(text: str, _locale: Locale) -> Normal:
    """Any text."""
    value = clean(text)
    if value is None:
        return NOTHING
    return Normal(value, "letters were lost" if _LOST in value else None)


def name(text: str, _locale: Locale) -> Normal:
    """The name of an organisation, or an address: as it is written, without what cannot be part of one."""
    value = clean(text.strip(" \t\r\n,;\"“”"))
    if value is None or not any(letter.isalnum() for letter in value):
        return NOTHING
    return Normal(value, "letters were lost" if _LOST in value else None)


def key(text: str, _locale: Locale) -> Normal:
    """A source's own key, which is never mended."""
    return Normal(text.strip() or None)
