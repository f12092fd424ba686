"""Names of organisations as they are compared: without legal form, remarks, abbreviations and accents."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import Final

from rigour.names import extract_org_types, remove_org_types
from rigour.text.translit import ascii_text

_ABBREVIATIONS: Final = Path(__file__).with_name("abbreviations.csv")
_TRADING_AS: Final = re.compile(
    r"\s+(?:t/a|t\.a\.|trading\s+as|d/b/a|dba|doing\s+business\s+as|aka|a/k/a)\s+", re.IGNORECASE
)
_REMARK: Final = re.compile(
    r"\W*\b(?:do\s+not\s+(?:use|contact|call|mail)|duplicate|dupe|dup|on\s+stop|on\s+hold|account\s+closed|closed|dormant|"
    r"inactive|archived|old\s+account|old|test|merged|see\s+\w+|ceased\s+trading|in\s+administration|dissolved)\b"
    r"[\s?!*)\]]*$",
    re.IGNORECASE,
)
_MARKED: Final = re.compile(r"[(\[*?!-]")
_DOMAIN: Final = re.compile(r"(?:www\.)?([a-z0-9-]+)(?:\.[a-z]{2,}){1,3}", re.IGNORECASE)
_SPELT: Final = re.compile(r"\b(?:[a-z]\.){2,}(?:[a-z]\b)?|\b(?:[a-z] ){2,}[a-z]\b")


def both_names(name: str) -> list[str]:
    """The names on each side of a `t/a`, or the one name that there is."""
    return [part for part in (side.strip(" -,") for side in _TRADING_AS.split(name)) if part]


@cache
def compared(name: str) -> str:
    """The name as it is compared, without legal form; never empty: a name that is all legal form stays as it is."""
    text = _without_remark(name)
    if found := _DOMAIN.fullmatch(text):
        text = found[1]
    text = ascii_text(text).casefold().replace("&", " and ").replace("'", "").replace("`", "").replace("+", " and ")
    text = _SPELT.sub(lambda spelt: re.sub(r"[. ]", "", spelt[0]), text)
    # What stands first is part of the name, though it may read like a form: SA Brain, SE Smith.
    first, _, rest = text.strip().partition(" ")
    forms = extract_org_types(rest or first)
    bare = f"{first} {remove_org_types(rest, ' ')}" if forms and rest else text
    words = _words(bare)
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return " ".join(_expanded().get(word, word) for word in words) or text.strip()


def _without_remark(name: str) -> str:
    """The name without what a clerk added to it: `Acme Ltd (ON STOP)`, `Acme *DO NOT USE*`."""
    found = _REMARK.search(name)
    while found and found.start() > 0 and _MARKED.search(name[found.start() : found.end()]):
        name = name[: found.start()].rstrip()
        found = _REMARK.search(name)
    return name


def _words(text: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", text).split()


@cache
def _expanded() -> dict[str, str]:
    with _ABBREVIATIONS.open(encoding="utf-8", newline="") as lines:
        return {row["short"]: row["long"] for row in csv.DictReader(lines)}
