"""Looking for somebody in what is kept, and writing it without them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

ERASED: Final = "[erased]"
"""What stands where a text said something of somebody who was erased."""

_BEGINS: Final = r"(?:(?<![0-9A-Za-z])|(?<=\\[nrtbf])|(?<=\\u[0-9a-f]{4}))"
"""Where a word begins, also in JSON, which writes the end of a line as a letter."""


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
    def of(cls, entity_id: str, others: Iterable[str], common: Iterable[str] = ()) -> Texts:
        """Look for an entity id and for other texts, each as it is and as JSON writes it, whole and in any case.

        What is `common` finds nobody: it goes where a row is about them by something else.
        """
        each = set(others)
        return cls(_pattern({entity_id, *each} - set(common)), _pattern(each))

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


def _pattern(texts: set[str]) -> re.Pattern[str]:
    forms = {
        form
        for text in texts
        if text
        for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    }
    listed = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)) or r"(?!)"
    return re.compile(rf"{_BEGINS}(?:{listed})(?![0-9A-Za-z])", re.IGNORECASE)
