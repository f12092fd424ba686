"""Looking for somebody in what is kept, and writing it without them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

ERASED: Final = "[erased]"
"""What stands where a text said something of somebody who was erased."""

_LETTERS: Final = r"0-9A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f"
"""Letters that words are made of which stand apart: in other scripts a name begins and ends anywhere."""
_ESCAPED: Final = r"\\u0(?:0[cdef][0-9a-f]|1[0-9a-f]{2}|2[0-4][0-9a-f]|3[7-9a-f][0-9a-f]|4[0-9a-f]{2}|5[0-2][0-9a-f])"
"""The same as JSON writes those that are not of ASCII."""
_BEGINS: Final = rf"(?:(?<![{_LETTERS}])|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{{4}}))(?<!{_ESCAPED})"
"""Where a word begins, also in JSON, which writes the end of a line as a letter."""
_ENDS: Final = rf"(?![{_LETTERS}]|{_ESCAPED})"
_OWN: Final = rf"(?<![{_LETTERS}][._+-])"
"""Where a mailbox begins that is no part of a longer one: `lee@` is not in `ann.lee@`."""
_ENDING: Final = r"(?:com|org|edu|gov|(?:co|ac|net)\.[a-z]{2})"
"""Ends of domains that are no words of a sentence."""
_SECOND: Final = "|".join(rf"(?<=\.{one})" for one in ("com", "co", "org", "net", "ac", "edu", "gov"))
_WHOLE: Final = (
    rf"(?!\.(?-i:{_ENDING}|{_ENDING.upper()}){_ENDS}(?!-))"
    rf"(?!(?:{_SECOND})\.(?-i:[a-z]{{2}}|[A-Z]{{2}})(?:\Z|[<>|\"]|\\\"))"
)
"""Where it ends: `@x.example` is not in `@x.example.org`, nor `@x.com` in `<a@x.com.au>`. Whatever else follows a dot
may be a sentence that begins without a blank, and too little is worse than too much."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What somebody is looked for by.

    Attributes:
        by: Finds a row that is about them: by what they are called, or by an id of theirs.
        said: Finds a text that says who they are; the entity's id does not, once nothing says whose it was.
    """

    by: re.Pattern[str]
    said: re.Pattern[str]

    @classmethod
    def of(cls, entity_id: str, others: Iterable[str], common: Iterable[str] = (), longer: Iterable[str] = ()) -> Texts:
        """Look for an entity id and for other texts, each as it is and as JSON writes it, whole and in any case.

        What is `common` finds nobody: it goes where a row is about them by something else. What is `longer` is
        somebody else's mailbox that begins as one of theirs.
        """
        each, kept = set(others), set(longer)
        return cls(_pattern({entity_id, *each} - set(common), kept), _pattern(each, kept))

    def without(self, value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
        """A value in whose texts nothing says who they are."""
        match value:
            case str():
                return ERASED if self.said.search(value) else value
            case list():
                return [self.without(one) for one in value]
            case dict():
                return {self.without(key): self.without(one) for key, one in value.items()}
        return value


def finder(texts: Iterable[str], longer: Iterable[str] = ()) -> Callable[[str], bool]:
    """Whether a text that a person may have written says one of those, as words of their own and in any case.

    What is `longer` is somebody else's mailbox that begins as one of theirs.
    """
    pattern = _pattern({form for text in texts for form in (text, text.casefold())}, set(longer))
    return lambda value: bool(pattern.search(value) or pattern.search(value.casefold()))


def _pattern(texts: set[str], longer: set[str]) -> re.Pattern[str]:
    forms = _forms(texts)
    mailboxes = {form for form in forms if "@" in form}
    own = {text.casefold() for text in texts}
    theirs = _any(_forms({text for text in longer if text.casefold() not in own}))
    return re.compile(
        f"{_BEGINS}(?:{_OWN}(?!(?:{theirs}){_ENDS})(?:{_any(mailboxes)}){_WHOLE}|{_any(forms - mailboxes)}){_ENDS}",
        re.IGNORECASE,
    )


def _forms(texts: set[str]) -> set[str]:
    """Texts as they are, and as JSON writes them."""
    return {
        form
        for text in texts
        if text
        for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    }


def _any(forms: set[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or r"(?!)"
