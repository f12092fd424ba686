"""How a report says things: codes and times in words, and text that others wrote as the data that it is."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

LONGEST: Final = 1000
"""Characters of a text of somebody else's that are shown."""
_FEW: Final = 10
"""Seconds below which parts of one are said too."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Characters that take no room, or turn what follows round: their numbers are shown, so that nothing hides."""


def plainly(text: str) -> str:
    """A text on one line, in which every character can be seen, cut where it is long."""
    line = " ".join(text.split())
    cut = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    return "".join(f"⟨U+{ord(one):04X}⟩" if unicodedata.category(one) in _UNSEEN else one for one in cut)


def spoken(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")


def lasting(seconds: float | None) -> str:
    """A length of time as a person says it; nothing where there is none."""
    if seconds is None:
        return ""
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {name}"
    return f"{seconds:.0f} s" if seconds >= _FEW else f"{seconds:.2g} s"


def moment(at: datetime | None, zone: str) -> str:
    """A time in a zone; nothing where there is none."""
    return "" if at is None else f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
