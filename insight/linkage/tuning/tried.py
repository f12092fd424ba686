"""The rules that tuning tries on the records, and who bears witness: comparisons that relatives do not share.

A veto is tried without what excuses from it, for the excuses are agreements: a witness who excuses would be heard only
where it speaks against the pair.
"""

from __future__ import annotations

from typing import Final

from insight.linkage.organisation import ORGANISATION
from insight.linkage.person_evidence import OFFICIAL
from insight.linkage.person_names import SAME_WORDS, SWAPPED, SWAPPED_WITH_SLIPS, given_may_fit

_IN_NAMES: Final = (
    "parent_word_differs",
    "division_word_differs",
    "place_differs",
    "number_in_name_differs",
    "telling_word_differs",
)

_GIVEN: Final = f"""(
    l.family IS NOT NULL AND r.family IS NOT NULL
    AND NOT ({given_may_fit()} OR {SWAPPED} OR {SWAPPED_WITH_SLIPS} OR {SAME_WORDS})
)"""
_BORN: Final = """(
    l.birth_date <> r.birth_date AND damerau_levenshtein(l.birth_date::VARCHAR, r.birth_date::VARCHAR) > 2
    AND NOT (day(l.birth_date) = month(r.birth_date) AND month(l.birth_date) = day(r.birth_date))
)"""
_NUMBERED: Final = f"""(
    len(l.official) = 1 AND len(r.official) = 1 AND l.official_kinds[1] = r.official_kinds[1]
    AND list_contains({OFFICIAL}, split_part(l.official_kinds[1], '/', 1))
    AND damerau_levenshtein(l.official[1], r.official[1]) > 2
)"""

TRIED: Final[dict[str, dict[str, tuple[str, tuple[str, ...]]]]] = {
    "organisation": {
        veto.name: (veto.sql, ("official number",)) for veto in ORGANISATION.vetoes if veto.name in _IN_NAMES
    },
    "person": {
        "given_name_differs": (_GIVEN, ("identifier", "birth date")),
        "birth_date_differs": (_BORN, ("identifier", "name", "mailbox")),
        "identifier_differs": (_NUMBERED, ("birth date", "name", "mailbox")),
        "middle_name_differs": ("left(l.middle, 1) <> left(r.middle, 1)", ("identifier", "birth date", "mailbox")),
    },
}
"""Record type to veto to SQL over the features `l` and `r`, and its witnesses."""

WITNESSES: Final = {"organisation": ("official number",), "person": ("identifier", "birth date", "mailbox")}
"""Record type to who bears witness of pairs that lack two agreements."""
