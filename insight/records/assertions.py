"""Who asserts a record's fields, as SQL over its row: which are weak (`public` or `precede`), and which verified."""

from __future__ import annotations

from typing import Final, Literal

from insight.sources.source import Given, Source
from orchestration.graph.model import Shape
from orchestration.sql import quoted

CLASS: Final = "_class_"
"""Before the name of a column that says who asserts the fields of its row."""

_WEAK: Final = ("public", "precede")


def listed(shape: Shape, source: Source, which: Literal["weak", "verified"]) -> str:
    """SQL of the list of a row's fields that have a value and are weak, or verified.

    The row is called `ready`. A class that is none of ours is the weakest, as is a field of which nothing is said.
    """
    cases: list[str] = []
    for field in shape.fields:
        condition = _condition(source, shape.name, field.name, which)
        if condition is not None:
            cases.append(f"CASE WHEN ready.{quoted(field.name)} IS NOT NULL AND {condition} THEN '{field.name}' END")
    if not cases:
        return "[]::VARCHAR[]"
    return f"list_filter([{', '.join(cases)}], lambda name: name IS NOT NULL)"


def _condition(source: Source, shape: str, field: str, which: Literal["weak", "verified"]) -> str | None:
    """SQL of whether a field is asserted so; None where it never is."""
    said = source.assertion(shape, field)
    if isinstance(said, Given):
        column = f"lower(trim(ready.{quoted(CLASS + said.column)}))"
        if which == "verified":
            return f"coalesce({column} = 'verified', false)"
        return f"coalesce({column} NOT IN ('verified', 'staff'), true)"
    return "true" if (said in _WEAK if which == "weak" else said == "verified") else None
