"""What policies read of a request: Cedar is asked with that alone, where the rest surely is what the schema says.

Two thirds of what a request takes is reading its context, and policies read little of that. A request fits the schema
where what is read of it fits and the rest does. Cedar says the first, by a schema of what is read; the second is said
here, where it is plain to see. Whatever else is odd about a request is left to Cedar, with all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import cedarpy
import orjson

from orchestration.action_types import ActionType
from orchestration.gate import vocabulary
from orchestration.gate.vocabulary import Kinds

Path = tuple[str, ...]
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1  # a Cedar Long
_DECIMAL: Final = re.compile(r"-?[0-9]{1,14}\.[0-9]{1,4}")
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?")


@dataclass(frozen=True, slots=True)
class _Told:
    """What a request of one action type tells: which of it is read, and what the rest has to be."""

    whole: tuple[str, ...]
    """Attributes that are read as they are."""
    parts: Mapping[str, frozenset[str]]
    """Records of which some fields are read."""
    kinds: Kinds
    """All that it tells."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Requests with what some policies read, and the schema that these fit."""

    schema: Any
    told: Mapping[str, _Told]
    """By action type."""

    @classmethod
    def of(cls, named: Mapping[str, Any], action_types: Iterable[ActionType]) -> Narrow | None:
        """What those policies read, in Cedar's JSON form; none where they read all of it, or it cannot be told."""
        paths: set[Path] = set()
        if not all(_reads(each.get("conditions"), paths) for each in named.values()):
            return None
        types = list(action_types)
        told = {each.name: _split(vocabulary.told_of(each), paths) for each in types}
        contexts = {name: _read_kinds(each) for name, each in told.items()}
        try:
            schema = cedarpy.Schema.from_str(vocabulary.schema(types, contexts))
        except ValueError:
            return None
        return cls(schema, told)

    def context(self, action_type: str, context: Mapping[str, Any]) -> str | None:
        """What is read of a context, as JSON; none where the rest is not surely what the schema says.

        Raises:
            TypeError: It is no JSON.
        """
        told = self.told.get(action_type)
        if told is None or not _fits(context, told):
            return None
        orjson.dumps(context)  # refuses a text that is none, also where nobody reads it
        read = {name: context[name] for name in told.whole}
        for name, fields in told.parts.items():
            read[name] = {field: value for field, value in context[name].items() if field in fields}
        return orjson.dumps(read).decode()


def _reads(said: Any, paths: set[Path]) -> bool:  # noqa: ANN401  part of a policy in Cedar's JSON form
    """Add what is read of the context; whether that can be told, so that nothing takes it as a whole."""
    if isinstance(said, list):
        return all(_reads(each, paths) for each in said)
    if not isinstance(said, dict):
        return True
    path = _path(said)
    if path is None and isinstance(has := said.get("has"), dict) and "left" in has:
        base, field = _path(has["left"]), has.get("attr")
        path = None if base is None else (*base, field) if isinstance(field, str) else ()
    if path is None:
        return all(_reads(each, paths) for each in said.values())
    paths.add(path)
    return path != ()


def _path(said: Any) -> Path | None:  # noqa: ANN401  part of a policy in Cedar's JSON form
    """The attribute of the context that an expression is, by the names on the way to it; none where it is no such."""
    if not isinstance(said, dict):
        return None
    if said.get("Var") == "context":
        return ()
    read = said.get(".")
    if not isinstance(read, dict) or not isinstance(read.get("attr"), str):
        return None
    base = _path(read.get("left"))
    return None if base is None else (*base, read["attr"])


def _split(kinds: Kinds, paths: Iterable[Path]) -> _Told:
    named = list(paths)
    whole = {path[0] for path in named if len(path) == 1 or not isinstance(kinds.get(path[0]), Mapping)}
    parts = {
        name: frozenset(path[1] for path in named if path[0] == name) for name in {path[0] for path in named} - whole
    }
    return _Told(tuple(sorted(whole & kinds.keys())), {name: parts[name] for name in sorted(parts)}, kinds)


def _read_kinds(told: _Told) -> Kinds:
    found: dict[str, Any] = {name: told.kinds[name] for name in told.whole}
    for name, fields in told.parts.items():
        found[name] = {field: kind for field, kind in told.kinds[name].items() if field.removesuffix("?") in fields}
    return found


def _fits(context: Mapping[str, Any], told: _Told) -> bool:
    """Whether what is not read of a context surely is what the schema says; and nothing else is told."""
    if context.keys() != told.kinds.keys():
        return False
    for name, kind in told.kinds.items():
        value = context[name]
        if isinstance(kind, str):
            if name not in told.whole and not _IS[kind](value):
                return False
        elif name not in told.whole and not _record_fits(value, kind, told.parts.get(name, frozenset())):
            return False
    return True


def _record_fits(value: Any, kinds: Kinds, read: frozenset[str]) -> bool:  # noqa: ANN401  part of a context
    if type(value) is not dict:
        return False
    met = 0
    for field, kind in kinds.items():
        name = field.removesuffix("?")
        if name in value:
            met += 1
            if name not in read and not _IS[kind](value[name]):
                return False
        elif name == field:
            return False
    return met == len(value)


def _is_extension(function: str, sure: Callable[[str], bool]) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:  # noqa: ANN401  part of a context
        said = value.get("__extn") if type(value) is dict and len(value) == 1 else None
        if type(said) is not dict or said.keys() != {"fn", "arg"} or said["fn"] != function:
            return False
        return type(said["arg"]) is str and sure(said["arg"])

    return holds


def _is_moment(text: str) -> bool:
    if _MOMENT.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_IS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "String": lambda value: type(value) is str,
    "Bool": lambda value: type(value) is bool,
    "Long": lambda value: type(value) is int and _SMALLEST <= value <= _LARGEST,
    "Set<String>": lambda value: type(value) is list and all(type(each) is str for each in value),
    "decimal": _is_extension("decimal", lambda text: _DECIMAL.fullmatch(text) is not None),
    "datetime": _is_extension("datetime", _is_moment),
}
"""Whether a value surely is of a type, as `vocabulary` writes such values."""
