"""Which columns a `.sql` speaks of, so that no others are loaded for it, and what in it does more than read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from insight.records.locked import locked

ALL: Final = "*"
"""What stands for every column."""

_WITHOUT_NAMES: Final = {"STAR", "POSITIONAL_REFERENCE", "PIVOT", "SHOW_REF"}
"""Parts of a query that may read columns which they do not name."""
_OF_VALUES: Final = {"unnest", "range", "generate_series"}
"""Functions that make rows of what they are given, and not of tables that they are told of."""
_READING: Final = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Queries that change nothing; others may stand in a WITH before one of them."""
_HARMLESS: Final = _OF_VALUES | {"json_each", "json_tree", "repeat", "repeat_row"}
"""Table functions that may be called: others read what is not the source's, or leave something in the database."""


@cache
def names_in(text: str) -> frozenset[str]:
    """The names, in small letters, that may be columns in a `SELECT`; `ALL` where it may read others too.

    Args:
        text: What a `.sql` says.
    """
    tree = _tree(text)
    found = set[str]()
    _walk(tree, found)
    return frozenset({ALL} if tree["error"] or _names_a_row(tree, frozenset()) else found)


@cache
def beyond_reading(text: str) -> str | None:
    """What a `SELECT` does beside reading tables, in words; none where it does nothing else.

    A `DELETE` in a WITH empties a table for whoever reads it next, and a function may leave in the database what the
    `.sql` of another source finds there.

    Args:
        text: What a `.sql` says, which is one `SELECT`.
    """
    tree = _tree(text)
    return "SQL that cannot be looked through" if tree["error"] else next(_beyond(tree), None)


def _beyond(part: Any) -> Iterator[str]:  # noqa: ANN401  a tree of JSON
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _READING:
        yield f"a statement of the kind {kind.split('_', 1)[0]} in a WITH"
    if kind == "TABLE_FUNCTION" and (name := str(part["function"].get("function_name")).casefold()) not in _HARMLESS:
        yield f"a call of {name}()"
    for one in _parts(part):
        yield from _beyond(one)


@cache
def _tree(text: str) -> Any:  # noqa: ANN401  a tree of JSON
    with locked() as connection:
        said = connection.execute("SELECT json_serialize_sql(?)", [text]).fetchall()[0][0]
    return json.loads(said)


def _walk(part: Any, found: set[str]) -> None:  # noqa: ANN401  a tree of JSON
    """Add the names of a part of a query."""
    for one in _parts(part):
        _walk(one, found)
    if not isinstance(part, dict):
        return
    kind = part.get("type")
    by_place = kind == "BASE_TABLE" and part.get("column_name_alias")
    told = kind == "TABLE_FUNCTION" and part["function"].get("function_name") not in _OF_VALUES
    if kind in _WITHOUT_NAMES or part.get("ref_type") == "NATURAL" or by_place or told:
        found.add(ALL)
    found |= {str(name).casefold() for name in [*part.get("column_names", []), *part.get("using_columns", [])]}


def _names_a_row(part: Any, tables: frozenset[str]) -> bool:  # noqa: ANN401  a tree of JSON
    """Whether the name of a table stands by itself, among the tables there or around it: it may be its whole row."""
    if isinstance(part, dict):
        tables |= _tables(part.get("from_table"))
        names = part.get("column_names", ())
        if part.get("class") == "COLUMN_REF" and len(names) == 1 and str(names[0]).casefold() in tables:
            return True
    return any(_names_a_row(one, tables) for one in _parts(part))


def _tables(part: Any) -> frozenset[str]:  # noqa: ANN401  a tree of JSON
    """What the tables after a FROM are called, in small letters."""
    if not isinstance(part, dict):
        return frozenset()
    if "left" in part and "right" in part:
        return _tables(part["left"]) | _tables(part["right"])
    called = part.get("alias") or part.get("table_name") or part.get("function", {}).get("function_name")
    return frozenset({str(called).casefold()})


def _parts(part: Any) -> list[Any]:  # noqa: ANN401  a tree of JSON
    if isinstance(part, dict):
        return list(part.values())
    return part if isinstance(part, list) else []
