"""JSON columns as text: what `canonical.plain` makes of a value, written many times faster where that is the same.

The text is not canonical. It reads back as the values do that `plain` returns, but for a whole number that was a float,
which stays one: its canonical form is the same.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any, Final

import orjson

from orchestration.canonical import plain

_STRICT: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_STRICT_INTEGER  # a larger number is text, as `plain` has it
)


class Written(str):
    """What a column is to hold, written down as JSON already."""

    __slots__ = ()


def written(value: object) -> str:
    """The JSON of a column's value; of what is `Written`, itself.

    Raises:
        TypeError: The value, or a part of it, is of a kind that has no form in JSON.
        ValueError: A time has no zone.
    """
    if type(value) is Written:
        return value
    try:
        return orjson.dumps(value, default=_otherwise, option=_STRICT).decode()
    except TypeError:  # also of what is no Unicode, which JSON can hold all the same
        return json.dumps(plain(value))


def _otherwise(value: object) -> Any:  # noqa: ANN401  whatever JSON holds
    kind = type(value)
    if dataclasses.is_dataclass(kind):
        return {name: getattr(value, name) for name in _fields(kind)}
    return plain(value)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))
