"""Text: broken encodings mended, white space evened out, words that mean nothing taken as nothing."""

from __future__ import annotations

import re
from typing import Final

from insight.records.fields.base import NOTHING, Locale, Normal

NOTHING_SAID: Final = frozenset({
    "-", "--", "---", ".", "..", "?", "??", "/", "*", "n/a", "#n/a", "n.a.", "unknown", "tbc", "t.b.c.", "tbd", "tba",
    "xxx", "undefined", "not known", "not provided", "not available", "not applicable", "to be confirmed",
    "not registered",
})  # fmt: skip
"""What people write where they know nothing."""

EMPTY: Final = frozenset({"nil", "none", "null", "(null)", "(none)", "<null>", "nan"})
"""What programs write there; some of it is a surname too."""

_STRAY: Final = re.compile(r"Â(?=[\s&]|$)")
"""What is left of a hard blank that was read in another encoding and whose second half became a plain blank."""

_LOST: Final = "\ufffd"


def clean(text: str) -> str | None:
    """The text as it was meant: mended, on one line, without blanks around it; None where it says nothing."""
    text = mended(text)
    return None if not text or (folded := text.casefold()) in NOTHING_SAID or folded in EMPTY else text


def clean_name(text: str) -> str | None:
    """The same of a person's name: there are people called Null."""
    text = mended(text)
    return None if text.casefold() in NOTHING_SAID or not any(letter.isalpha() for letter in text) else text


def mended(text: str) -> str:
    """The text in the letters that were meant, on one line."""
    if not text.isascii() or "&" in text or not text.isprintable():
        import ftfy  # noqa: PLC0415  it takes long to load, and most texts are plain

        text = _STRAY.sub("", ftfy.fix_text(text, normalization="NFC"))
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())


def plain(text: str, _locale: Locale) -> Normal:
    """Any text."""
    value = clean(text)
    return NOTHING if value is None else marked(value)


def name(text: str, _locale: Locale) -> Normal:
    """The name of an organisation, or an address: as it is written, without what cannot be part of one."""
    value = clean(text.strip(' \t\r\n,;"\u201c\u201d'))
    if value is None or not any(letter.isalnum() for letter in value):
        return NOTHING
    return marked(value)


def key(text: str, _locale: Locale) -> Normal:
    """A source's own key, which is never mended."""
    return Normal(text.strip() or None)


def marked(value: str) -> Normal:
    """A text with the problem that letters of it were lost, where they were."""
    return Normal(value, "letters were lost" if _LOST in value else None)
