"""Values in the form that most have, evened out a column at a time: what `fields` would make of each, sooner.

A function takes distinct texts and gives back the values of those in the usual form, None for each other text, which is
then read by itself. No value here has a problem. What is usual is decided by its form alone, so that nothing depends
on what else is in the column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from insight.records.fields.base import Locale
from insight.records.fields.text import EMPTY, NOTHING_SAID
from orchestration.graph.model import Kind

_WORD: Final = "[!-%'-~]+"
"""Letters of ASCII but the blank and `&`, which may begin a character that was written as an entity."""
_PLAIN: Final = f"^{_WORD}(?: {_WORD})*$"
_NAME: Final = f"^[!#-%'-+.-:<-~](?:{_WORD})?(?: {_WORD})*$"
_ENDS: Final = '[^,;" ]$'
_LETTER: Final = "[A-Za-z]"
_LETTER_OR_DIGIT: Final = "[A-Za-z0-9]"
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL: Final = (
    r"^[a-z0-9!#$%*+/=?^_`{|}~-][a-z0-9!#$%'*+/=?^_`{|}~-]*(?:\.[a-z0-9!#$%'*+/=?^_`{|}~-]+)*@"
    rf"(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]$"
)
_DAY: Final = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])"
"""Days of the calendar that every month has; the others are few."""
_TIME: Final = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
_MONEY: Final = r"^-?\d{1,15}(?:\.\d{1,2})?$"

APART: Final = "\x1f"
"""What stands between values that are read together."""
_AFTER_NAMES: Final = (
    "jr|junior|sr|senior|snr|ii|2nd|iii|3rd|iv|4th|esq|esquire|mbe|obe|cbe|phd|bsc|msc|mba|fca|aca|acca"
)

Usual = Callable[[pa.Array, Locale], pa.Array]


def _stated(texts: pa.Array, *patterns: str, besides: frozenset[str] = NOTHING_SAID | EMPTY) -> pa.Array:
    """The texts of the form of all patterns, but those that say nothing."""
    said = pc.invert(pc.is_in(pc.ascii_lower(texts), pa.array(sorted(besides), pa.string())))
    for pattern in patterns:
        said = pc.and_(said, pc.match_substring_regex(texts, pattern))
    return pc.if_else(said, texts, pa.scalar(None, pa.string()))


def _text(texts: pa.Array, _locale: Locale) -> pa.Array:
    return _stated(texts, _PLAIN)


def _name(texts: pa.Array, _locale: Locale) -> pa.Array:
    return _stated(texts, _NAME, _ENDS, _LETTER_OR_DIGIT)


def _key(texts: pa.Array, _locale: Locale) -> pa.Array:
    return _stated(texts, "^[!-~]+$", besides=frozenset())


def _given_name(texts: pa.Array, _locale: Locale) -> pa.Array:
    # A title stands before a blank.
    return _stated(texts, f"^{_WORD}$", _LETTER, besides=NOTHING_SAID)


def _family_name(texts: pa.Array, _locale: Locale) -> pa.Array:
    return _stated(texts, _PLAIN, _LETTER, besides=NOTHING_SAID)


def _email(texts: pa.Array, _locale: Locale) -> pa.Array:
    return _stated(pc.ascii_lower(_stated(texts, "^[!-~]+$")), _EMAIL)


def _money(texts: pa.Array, _locale: Locale) -> pa.Array:
    return pc.cast(_stated(texts, _MONEY), pa.decimal128(18, 2))


def _date(texts: pa.Array, _locale: Locale) -> pa.Array:
    stated = _stated(texts, f"^{_DAY}(?:[T ]{_TIME}Z?)?$")
    return pc.cast(pc.utf8_slice_codeunits(stated, 0, 10), pa.date32())


def _timestamp(texts: pa.Array, locale: Locale) -> pa.Array:
    utc = pa.timestamp("us", "UTC")
    stated = _stated(texts, f"^{_DAY}[T ]{_TIME}Z?$")
    zoned = pc.ends_with(stated, "Z")
    clock = pc.cast(pc.utf8_slice_codeunits(stated, 0, 19), pa.timestamp("us"))
    there = [
        pc.cast(pc.assume_timezone(clock, locale.timezone, ambiguous="earliest", nonexistent=which), utc)
        for which in ("earliest", "latest")
    ]
    # A time that the clocks left out is read by itself.
    skipped = pc.not_equal(*there)
    local = pc.if_else(skipped, pa.scalar(None, utc), there[0])
    return pc.if_else(zoned, pc.assume_timezone(clock, "UTC"), local)


def _somewhere(locale: Locale, country: str) -> str:
    """What stands after a value of that country, in a pattern: the country, or nothing where it is the locale's."""
    return f"{APART}(?:{country}{'|' if locale.region == country else ''})$"


def _phone(texts: pa.Array, locale: Locale) -> pa.Array:
    """Whole numbers of Britain and North America: how many digits they have is all that is asked of them."""
    nothing = pa.scalar(None, pa.string())
    form = rf"^\(?\+?[0-9(][0-9 ().-]*{APART}[A-Z]*$"
    bare = pc.if_else(pc.match_substring_regex(texts, form), pc.replace_substring_regex(texts, "[ ().-]", ""), nothing)
    # Of one digit alone is none.
    bare = pc.if_else(pc.match_substring_regex(bare, rf"^(?:\+?4+|2+|3+|5+|6+|7+|8+|9+){APART}"), nothing, bare)
    found = nothing
    for pattern, code in (
        (rf"^\+440?([1-9]\d{{9}}){APART}.*$", "+44"),
        (rf"^0([1-9]\d{{9}}){_somewhere(locale, 'GB')}", "+44"),
        (rf"^\+1([2-9]\d{{9}}){APART}.*$", "+1"),
        (rf"^([2-9]\d{{9}}){_somewhere(locale, 'US')}", "+1"),
    ):
        read = pc.replace_substring_regex(bare, pattern, rf"{code}\1")
        found = pc.coalesce(found, pc.if_else(pc.match_substring_regex(bare, pattern), read, nothing))
    return found


def _postcode(texts: pa.Array, locale: Locale) -> pa.Array:
    nothing = pa.scalar(None, pa.string())
    found = nothing
    for pattern in (
        rf"^([A-Z]{{1,2}}\d[A-Z\d]? \d[A-Z]{{2}}){_somewhere(locale, 'GB')}",
        rf"^(\d{{5}}(?:-\d{{4}})?){_somewhere(locale, 'US')}",
    ):
        read = pc.replace_substring_regex(texts, pattern, r"\1")
        found = pc.coalesce(found, pc.if_else(pc.match_substring_regex(texts, pattern), read, nothing))
    return found


def folded(texts: pa.Array) -> pa.Array:
    """What `people.folded` makes of a name of plain words."""
    return _folded(texts, r"^[A-Za-z]+(?:[ '-][A-Za-z]+)*$")


def folded_without_suffix(texts: pa.Array) -> pa.Array:
    """What `people.folded` makes of one that ends in no word which may tell a generation or a degree."""
    plain = _folded(texts, r"^[A-Za-z]+(?:[ '-][A-Za-z]+)*$")
    return pc.if_else(pc.match_substring_regex(plain, rf" (?:{_AFTER_NAMES})$"), pa.scalar(None, pa.string()), plain)


def _folded(texts: pa.Array, pattern: str) -> pa.Array:
    said = pc.if_else(pc.match_substring_regex(texts, pattern), pc.ascii_lower(texts), pa.scalar(None, pa.string()))
    return pc.replace_substring(pc.replace_substring(said, "'", ""), "-", " ")


USUAL: Final[dict[Kind, Usual]] = {
    "text": _text,
    "org_name": _name,
    "address": _name,
    "key": _key,
    "given_name": _given_name,
    "family_name": _family_name,
    "email": _email,
    "money": _money,
    "date": _date,
    "timestamp": _timestamp,
}
"""How the usual values of a kind are read; of the others each is read by itself."""

USUAL_THERE: Final[dict[Kind, Usual]] = {"phone": _phone, "postcode": _postcode}
"""The same of kinds that mean something else in another country: each text is a value, `APART` and its country."""
