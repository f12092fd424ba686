"""What the words of a name mean, looked up once for each distinct name.

Libraries know the words: rigour which ones say holding, group, place or number in an organisation's name, nicknames
which given names stand for each other. Here they become columns that SQL can compare.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Final

import duckdb
import pyarrow as pa
from nicknames import NickNamer
from rigour.names import NameTypeTag, SymbolCategory, analyze_names

from insight.arriving import make_table

_HERE = Path(__file__).parent
_COMPASS: Final = {word: stem for stem in ("north", "south", "east", "west") for word in (stem, f"{stem}ern")} | {
    "midlands": "midlands",
    "midland": "midlands",
    "central": "central",
}
_NAMES: Final = "SELECT unnest(k_names) FROM {table} UNION SELECT k_name FROM {table}"
_NUMBER: Final = re.compile(r"\b\d+(?=(?:st|nd|rd|th|[a-z])?\b)")
"""A word that is a number, perhaps with a letter after it. A digit inside a word was read for a letter: `C1othing`."""
_PARENT: Final = frozenset({"HOLDING", "GRP"})
_PLACE_NOISE: Final = frozenset({"zz", "ip"})
"""Codes that rigour gives to words such as `global` and `online`, which are no places in a name."""

ENOUGH_NAMES: Final = 10_000
"""Names of people, given and family, beyond which there are hardly any others."""

TELLING: Final = (_HERE / "telling_words.txt").read_text().split()
"""Words by which a firm tells itself from its sisters, beside names of places and numbers."""

ROLE_MAILBOXES: Final = (_HERE / "role_mailboxes.txt").read_text().split()
"""Mailboxes that belong to a desk and not to a person: what stands before the @."""


def organisation_marks(name: str) -> tuple[bool, list[str], list[str]]:
    """What tells a firm from its relatives: whether its name says holding or group, the places in it, the numbers."""
    parent, places, numbers = False, set[str](), set[str]()
    for analysed in analyze_names(NameTypeTag.ORG, [name], phonetics=False, rewrite=False):
        for span in analysed.spans:
            symbol = span.symbol
            if symbol.category == SymbolCategory.SYMBOL and symbol.id in _PARENT:
                parent = True
            elif symbol.category == SymbolCategory.LOCATION and symbol.id not in _PLACE_NOISE:
                places.add(str(symbol.id))
            elif symbol.category == SymbolCategory.NUMERIC:
                numbers.add(str(symbol.id))
    places.update(_COMPASS[word] for word in name.split() if word in _COMPASS)
    numbers.update(_NUMBER.findall(name))
    return parent, sorted(places), sorted(numbers)


@cache
def _nicknames() -> NickNamer:
    return NickNamer()


def given_forms(given: str) -> list[str]:
    """The given names that `given` may stand for, itself among them: `bob` gives `bob`, `robert`, ...

    A listed name also gives its numbers in Wikidata (`Q...`), which it shares with the same name spelt otherwise.
    """
    first = given.split(" ", maxsplit=1)[0]
    listed = {
        str(span.symbol.id)
        for analysed in analyze_names(NameTypeTag.PER, [first], phonetics=False, rewrite=False)
        for span in analysed.spans
        if span.symbol.category == SymbolCategory.NAME
    }
    return sorted({*_unlisted_forms(given), *listed})


def _unlisted_forms(given: str) -> list[str]:
    """The same without its numbers."""
    first = given.split(" ", maxsplit=1)[0]
    return sorted({given, given.replace(" ", ""), first, *_nicknames().canonicals_of(first)})


def begin_listing() -> None:
    """Load the list of people's names beside other work: it takes five seconds, in which nothing here waits for it."""
    Thread(target=given_forms, args=("a",), daemon=True).start()


def load_words(con: duckdb.DuckDBPyConnection, record_type: str, names: int | None = None) -> int:
    """Makes `word`: for organisations one distinct name and its marks, for people one given name and its forms.

    For organisations `telling_word` too, one word of a name that is one of the declared telling ones, and `domain_use`
    where `names` is not given.

    People's forms are frozen as `form` with what else is counted. Where that holds most names that there are, one that
    it does not know is a rare one, and is not looked up in the list before the next count: to load it would take longer
    than to link a thousand changes.

    Args:
        con: A connection that has `record`, and for organisations `held`; where `names` is not given, `firmly` too, and
            where it is, for people `form`.
        record_type: Whose names.
        names: How many names all organisations firmly state; they are counted where it is not given.

    Returns:
        How many names of organisations are firmly stated; 0 for people.
    """
    if record_type == "person":
        if names is None:
            con.execute("CREATE OR REPLACE TABLE form (key VARCHAR, forms VARCHAR[])")
        enough = con.execute("SELECT count(*) FROM form").fetchall()[0][0] >= ENOUGH_NAMES
        people = "SELECT k_given AS key FROM record UNION SELECT k_family FROM record"
        new = _distinct(con, f"FROM ({people}) ANTI JOIN form USING (key)")
        forms = [_unlisted_forms(name) if enough else given_forms(name) for name in new]
        make_table(con, "word", key=pa.array(new, pa.string()), forms=pa.array(forms, pa.list_(pa.string())))
        con.execute(f"INSERT INTO word FROM form SEMI JOIN ({people}) USING (key)")
        if names is None:
            con.execute("CREATE OR REPLACE TABLE form AS FROM word")
        return 0
    named = _distinct(con, _NAMES.format(table="record"))
    marks = [organisation_marks(name) for name in named]
    make_table(
        con,
        "word",
        key=pa.array(named, pa.string()),
        parent=pa.array([mark[0] for mark in marks], pa.bool_()),
        places=pa.array([mark[1] for mark in marks], pa.list_(pa.string())),
        numbers=pa.array([mark[2] for mark in marks], pa.list_(pa.string())),
    )
    count = names
    if count is None:
        count = int(con.execute(f"SELECT count(v) FROM ({_NAMES.format(table='firmly')}) AS t(v)").fetchall()[0][0])
    con.execute((_HERE / "word_rarity.sql").read_text(), {"names": count})
    con.execute((_HERE / "telling_word.sql").read_text(), {"telling": TELLING})
    if names is None:
        con.execute((_HERE / "domain_use.sql").read_text())
    return count


def _distinct(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in con.execute(f"SELECT * FROM ({query}) AS t(v) WHERE v IS NOT NULL ORDER BY v").fetchall()]
