"""Slips of way B: the wrong key beside the right one, a scanned page, spelling by ear, a field that was too short.

None of these is a slip of way A (`slips.sql`).
"""

from __future__ import annotations

from html import escape
from typing import Final

from examples.northgate.dirt.luck import Luck

_KEYBOARD: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
_BESIDE: Final = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in _KEYBOARD
    for place, key in enumerate(row)
}
_SCANNED: Final = (("rn", "m"), ("m", "rn"), ("l", "1"), ("O", "0"), ("S", "5"), ("B", "8"), ("cl", "d"), ("i", "l"))
_HEARD: Final = (
    ("ph", "f"),
    ("ck", "k"),
    ("ie", "ei"),
    ("ll", "l"),
    ("tt", "t"),
    ("ey", "y"),
    ("ai", "ay"),
    ("c", "k"),
)
_FIELD: Final = 26


def wrong_key(text: str, luck: Luck) -> str:
    """One letter typed as its neighbour on the keyboard."""
    place = luck.below(max(1, len(text)))
    beside = _BESIDE.get(text[place : place + 1].lower())
    return text[:place] + luck.pick(beside) + text[place + 1 :] if beside else text


def scanned(text: str, luck: Luck) -> str:
    """One shape read as another."""
    return _one_of(text, _SCANNED, luck)


def by_ear(text: str, luck: Luck) -> str:
    """Spelt as it sounds."""
    return _one_of(text, _HEARD, luck)


def cut(text: str) -> str:
    """As much as a field of an older system took."""
    return text[:_FIELD].rstrip()


def as_markup(text: str) -> str:
    """Escaped for a page and stored so."""
    return escape(text)


def question_marks(text: str) -> str:
    """Saved in a character set that lacks some letters."""
    return text.encode("ascii", "replace").decode()


def digits_swapped(text: str, luck: Luck) -> str:
    """Two neighbouring characters of a number exchanged."""
    if len(text) < 5:  # noqa: PLR2004  too short to be a number
        return text
    place = 2 + luck.below(len(text) - 3)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _one_of(text: str, changes: tuple[tuple[str, str], ...], luck: Luck) -> str:
    possible = [(old, new) for old, new in changes if old in text[1:]]
    if not possible:
        luck.below(1)
        return text
    old, new = luck.pick(possible)
    return text[0] + text[1:].replace(old, new, 1)
