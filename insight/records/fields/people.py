"""Names of people, and the parts of them."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from rigour.text.translit import ascii_text

from insight.records.fields.base import NOTHING, Locale, Normal
from insight.records.fields.text import clean_name, marked

_TITLE: Final = re.compile(
    r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|professor|sir|dame|rev|reverend|herr|frau|mme|señor|señora)\.?\s+)+(?=\S)",
    re.IGNORECASE,
)
_SUFFIX: Final = re.compile(
    r"[\s,]+(?:(?P<jr>jr|junior)|(?P<sr>sr|senior|snr)|(?P<ii>ii|2nd)|(?P<iii>iii|3rd)|(?P<iv>iv|4th)|"
    r"(?:esq|esquire|mbe|obe|cbe|phd|bsc|msc|mba|fca|aca|acca))\.?$",
    re.IGNORECASE,
)
_SIMPLE: Final = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)* [^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_MAILBOX: Final = re.compile(r"[A-Za-z]+(?:[._][A-Za-z]+)+\d*")


class Parts(NamedTuple):
    """A name of a person in its parts, each None where there is none; `suffix` is `jr`, `sr`, `ii` and so on."""

    given: str | None
    middle: str | None
    family: str | None
    suffix: str | None


def full_name(text: str, _locale: Locale) -> Normal:
    """A person's whole name without title, given name first."""
    value = clean_name(text)
    if value is None:
        return NOTHING
    parts = split_name(value)
    joined = " ".join(part for part in (parts.given, parts.middle, parts.family) if part)
    if joined and parts.suffix:
        joined += f" {parts.suffix.upper() if parts.suffix.startswith('i') else parts.suffix.title()}"
    return marked(joined or value)


def given_name(text: str, _locale: Locale) -> Normal:
    """A given name without title."""
    value = clean_name(text)
    return marked(_TITLE.sub("", value)) if value else NOTHING


def family_name(text: str, _locale: Locale) -> Normal:
    """A family name."""
    value = clean_name(text)
    return marked(value) if value else NOTHING


@cache
def split_name(name: str) -> Parts:
    """The parts of a whole name, however it is written: `Anna Dyk`, `Dyk, Anna`, `Dr A. Dyk`, `anna.dyk`."""
    if _MAILBOX.fullmatch(name):
        name = re.sub(r"[._]+", " ", name.rstrip("0123456789")).title()
    name, suffix = split_suffix(_TITLE.sub("", name))
    if _SIMPLE.fullmatch(name):
        given, family = name.split(" ")
        return Parts(given, None, family, suffix)
    from nameparser import HumanName  # noqa: PLC0415  few names are not simple, and to load it takes long

    parsed = HumanName(name)
    if suffix is None and parsed.suffix:
        suffix = split_suffix(f"x {parsed.suffix}")[1]
    return Parts(parsed.first or parsed.title or None, parsed.middle or None, parsed.last or None, suffix)


def split_suffix(name: str) -> tuple[str, str | None]:
    """A name without what follows it (`Jr`, `Senior`, `MBE`), and the generation that this names, if any."""
    generation: str | None = None
    while (found := _SUFFIX.search(name)) and found.start() > 0:
        generation = found.lastgroup or generation
        name = name[: found.start()]
    return name, generation


def folded(name: str | None) -> str | None:
    """A part of a name as it is compared: ASCII, lower case, letters and single blanks alone."""
    if not name:
        return None
    plain_text = ascii_text(name).casefold().replace("'", "").replace("`", "")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain_text).split()) or None
