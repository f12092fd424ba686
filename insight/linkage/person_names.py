"""When the names of two people fit: SQL over the features `l` and `r`, or over any two given names."""

from __future__ import annotations

from typing import Final

TITLES: Final = (
    "['mr', 'mrs', 'miss', 'ms', 'master', 'dr', 'prof', 'professor', 'sir', 'dame', 'lord', 'lady', 'baron',"
    " 'baroness', 'baronet', 'viscount', 'earl', 'count', 'countess', 'duke', 'prince', 'rev', 'reverend', 'revd',"
    " 'rt', 'hon', 'right', 'honourable', 'fr', 'father', 'brother', 'sister', 'bishop', 'archbishop', 'dean',"
    " 'captain', 'capt', 'major', 'maj', 'colonel', 'col', 'lieutenant', 'lt', 'general', 'gen', 'sergeant', 'sgt',"
    " 'admiral', 'adm', 'commander', 'cdr', 'the', 'of', 'saint', 'st']"
)
"""Words that stand where a given name should, and are none."""

GIVEN_TOO: Final = "['dean', 'duke', 'earl', 'master', 'major', 'prince']"
"""Titles that are given names where they stand alone."""


def no_given(one: str) -> str:
    """SQL: what stands as a given name is titles and ordinals alone."""
    return (
        f"(len(list_filter(string_split({one}, ' '), lambda word: NOT list_contains({TITLES}, word)"
        f" AND NOT regexp_full_match(word, '[0-9]+(st|nd|rd|th)'))) = 0 AND NOT list_contains({GIVEN_TOO}, {one}))"
    )


def same_given(one: str = "l.given", other: str = "r.given") -> str:
    """SQL: one given name, or two that stand for each other.

    Two that both stand for a third, as Ian and Jack do for John, are one only where they look it: Bob and Rob.
    """
    spelt = f"list_has_any(list_filter({one}_forms, lambda form: starts_with(form, 'Q')), {other}_forms)"
    return (
        f"({one} = {other} OR list_contains({one}_forms, {other}) OR list_contains({other}_forms, {one}) OR {spelt}"
        f" OR (list_has_any({one}_forms, {other}_forms) AND jaro_winkler_similarity({one}, {other}) >= 0.55))"
    )


def initial(one: str = "l.given", other: str = "r.given") -> str:
    """SQL: one given name is the first letter of the other."""
    return f"((length({one}) = 1 OR length({other}) = 1) AND left({one}, 1) = left({other}, 1))"


def slip(one: str, other: str) -> str:
    """SQL: one slip of the keyboard in a short name, two in a long one."""
    return f"""(
        greatest(length({one}), length({other})) >= 4 AND least(length({one}), length({other})) >= 3
        AND damerau_levenshtein({one}, {other})
            <= CASE WHEN least(length({one}), length({other})) >= 7 THEN 2 ELSE 1 END
    )"""


def alike(one: str, other: str) -> str:
    """SQL: two names of three letters or more look alike."""
    return f"(jaro_winkler_similarity({one}, {other}) >= 0.85 AND length({one}) > 2 AND length({other}) > 2)"


def _known(one: str) -> str:
    """SQL: a given name that is listed as one, and so is no slip and no abbreviation."""
    return f"(len(list_filter({one}_forms, lambda form: starts_with(form, 'Q'))) > 0)"


def unknown_spelling(one: str = "l.given", other: str = "r.given") -> str:
    """SQL: two given names look alike, and one of them is no listed name, so that it may be a way to spell it."""
    return (
        f"(NOT ({_known(one)} AND {_known(other)}) AND {alike(one, other)}"
        f" AND damerau_levenshtein({one}, {other}) <= 2)"
    )


def given_fits(one: str = "l.given", other: str = "r.given") -> str:
    """SQL: two given names are one, a nickname, an initial, an abbreviation or a slip of the other."""
    shortened = (
        f"(least(length({one}), length({other})) >= 3 AND (starts_with({one}, {other}) OR starts_with({other}, {one}))"
        f" AND NOT ({_known(one)} AND {_known(other)} AND abs(length({one}) - length({other})) > 2))"
    )
    return f"({same_given(one, other)} OR {initial(one, other)} OR {shortened} OR {slip(one, other)})"


def given_may_fit(one: str = "l.given", other: str = "r.given") -> str:
    """SQL: two given names fit, or what stands for one of them is none or may be spelt so."""
    spelt = unknown_spelling(one, other)
    return f"({given_fits(one, other)} OR {spelt} OR {no_given(one)} OR {no_given(other)})"


SAME_FAMILY: Final = "(l.family = r.family OR replace(l.family, ' ', '') = replace(r.family, ' ', ''))"
NEAR_FAMILY: Final = slip("l.family", "r.family")
SWAPPED: Final = (
    f"({given_fits('l.given', 'r.family')} AND {given_fits('l.family', 'r.given')}"
    " AND (l.given = r.family OR l.family = r.given))"
)
SWAPPED_WITH_SLIPS: Final = f"({slip('l.given', 'r.family')} AND {slip('l.family', 'r.given')})"
ONE_NAME: Final = (
    "((l.family IS NULL OR r.family IS NULL)"
    " AND (l.given = r.given OR l.given = r.family OR l.family = r.given) AND length(l.given) > 2)"
)
SAME_WORDS: Final = "l.bag = r.bag"
SAME_HANDLE: Final = (
    "(list_has_any(l.handles, r.handles) AND (l.family IS NULL OR r.family IS NULL)"
    " AND l.given IS DISTINCT FROM r.given)"
)
NEAR_NAME: Final = (
    f"(({SAME_FAMILY} AND {slip('l.given', 'r.given')} AND NOT ({_known('l.given')} AND {_known('r.given')}))"
    f" OR ({same_given()} AND {NEAR_FAMILY}))"
)
"""Nearly one name; but Joanne is not Joanna by a slip of the keyboard, for both are listed names."""
NAME_FITS: Final = (
    f"({SAME_WORDS} OR {SWAPPED} OR {SAME_HANDLE} OR ({given_fits()} AND ({SAME_FAMILY} OR {NEAR_FAMILY})))"
)
