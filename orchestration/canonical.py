"""One byte string for one value: RFC 8785 canonical JSON, for digests, signatures and the ledger.

RFC 8785 knows JSON alone. What Precede's values hold beyond it is written down here, once: numbers that JSON would
round as strings, times as UTC, dates in ISO form, models and dataclasses as objects, sets in order.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final
from uuid import UUID

import orjson
import rfc8785
from pydantic import BaseModel

_AS_IT_IS: Final = frozenset({str, bool})  # most of any value: asked first, since it is cheap
_NO_FLOAT: Final = frozenset({str, bool, int, type(None)})
_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode
_OTHERWISE: Final = re.compile(r"\de-\d|[\ud800-\U0010ffff]")
"""What may make Python's encoder differ from RFC 8785: floats below 1e-4, and keys that UTF-16 sorts otherwise."""
_SORTED_AND_EXACT: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_NO_OTHER_KINDS: Final = (
    _SORTED_AND_EXACT
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
"""What JSON does not hold is handed to `_held`, whatever `orjson` would make of it."""
_FLOAT: Final = re.compile(rb"[:,\[]-?\d+(?:\.\d+(?:e[-+]?\d+)?|e[-+]?\d+)[,}\]]")
"""A number within JSON that may not be whole, as `orjson` writes it; or text like one."""
_BEYOND: Final = re.compile(rb"[\xf0-\xf4]")
"""A character that UTF-16 has a pair for, in UTF-8: a key with one may be sorted otherwise."""
_NO_INTEGER: Final = re.compile(rb"[:,\[]-?\d+[.e]")
"""A number within JSON without spaces that is not whole, or that `orjson` read as if it were not; or text like one."""
_NUMBERS: Final = frozenset({int, float})
_EXACT: Final = 2**53 - 1  # the largest integer that a JSON number carries without loss
_EXPONENT: Final = 1e21  # from here on JSON writes a float with an exponent, so that it is not read back as an integer


def canonical(value: object) -> bytes:
    """The canonical JSON of a value, in UTF-8: equal values give equal bytes, whatever the order of their keys.

    Decimals become strings without exponent or trailing zeros, so that 10 and 10.00 are one amount; whole numbers
    beyond 2**53 - 1 become strings; times become UTC with a `Z`; enums their values.

    Raises:
        TypeError: The value, or a part of it, is of a kind that has no canonical form.
        ValueError: A time has no zone, or a number is not finite.
    """
    try:
        text = orjson.dumps(value, default=_held, option=_NO_OTHER_KINDS)
    except TypeError:  # larger numbers, keys of other kinds, half of a surrogate pair, or no canonical form at all
        return _slowly(value)
    if text[-1:].isdigit() or _FLOAT.search(text) or not (text.isascii() or _BEYOND.search(text) is None):
        return _slowly(value)
    if b"null" in text and not _finite(value):
        return _slowly(value)
    return text


def _slowly(value: object) -> bytes:
    """The canonical JSON of any value, which `canonical` has a shorter way to for almost all."""
    held = plain(value)
    written = _ENCODE(held)
    # Python's encoder is many times faster, and writes the same but for what the pattern finds (or finds wrongly)
    if ("e-" in written or not written.isascii()) and _OTHERWISE.search(written):
        return rfc8785.dumps(held)
    return written.encode()


def _finite(value: object) -> bool:
    """Whether no number in it is none: `orjson` writes such numbers as null."""
    kind = type(value)
    if kind is float:
        return math.isfinite(value)  # type: ignore[arg-type]
    if kind in _NO_FLOAT:
        return True
    if kind is dict:
        return all(type(each) in _NO_FLOAT or _finite(each) for each in value.values())  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return all(map(_finite, value))  # type: ignore[call-overload]
    return _finite(_held(value))


def _held(value: Any) -> Any:  # noqa: ANN401  whatever JSON holds
    """What `plain` makes of a value that is no JSON itself; of a model or dataclass its fields alone, as they are."""
    kind: type = type(value)
    if kind is datetime:
        return _time(value)
    names = _fields(kind)
    return plain(value) if names is None else {name: getattr(value, name) for name in names}


@cache
def _fields(kind: type) -> tuple[str, ...] | None:
    """The names of the fields of a model or dataclass; none where it is to `plain` something else."""
    if issubclass(kind, BaseModel):
        return tuple(kind.model_fields)
    if not dataclasses.is_dataclass(kind) or issubclass(kind, Mapping | AbstractSet | Sequence):
        return None
    return tuple(field.name for field in dataclasses.fields(kind))


def canonical_text(text: str) -> str:
    """The canonical JSON of what a JSON text says, as text: see `canonical_octets`."""
    return canonical_octets(text).decode()


def canonical_octets(text: str) -> bytes:
    """The canonical JSON of what a JSON text says: that of `json.loads`, and many times faster for almost every text.

    `orjson` sorts by code points and writes text and whole numbers as RFC 8785 does. What it reads or writes otherwise
    it refuses here, or the pattern finds: numbers that are not whole or not exact, and keys that UTF-16 may sort
    otherwise. Those are made by the way of Python.

    Raises:
        ValueError: It is no JSON, or has no canonical form.
        RecursionError: It is nested too deeply.
    """
    try:
        read = orjson.loads(text)
        written = orjson.dumps(read, option=_SORTED_AND_EXACT)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return canonical(json.loads(text))
    if not (type(read) is dict and _NO_FLOAT.issuperset(map(type, read.values()))):  # a plain one holds no such number
        number = type(read) in _NUMBERS or _NO_INTEGER.search(written)
        if number:
            return canonical(json.loads(text))
    if not written.isascii() and _BEYOND.search(written):
        return canonical(json.loads(text))
    return written


def digest(value: object) -> str:
    """The SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value)).hexdigest()


def plain(value: object) -> Any:  # noqa: ANN401, PLR0911  whatever JSON holds; one line for each kind of value
    """The value as JSON holds it, which `canonical` writes down: objects, lists, text, numbers, true, false and null.

    Raises:
        TypeError: The value, or a part of it, is of a kind that has no canonical form.
        ValueError: A time has no zone, or a number is not finite.
    """
    kind = type(value)
    if value is None or kind in _AS_IT_IS:
        return value
    if kind is dict:
        return {name if type(name) is str else _key(name): plain(item) for name, item in value.items()}  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return [plain(item) for item in value]  # type: ignore[attr-defined]
    match value:
        case Enum():
            return plain(value.value)
        case BaseModel():
            return {name: plain(getattr(value, name)) for name in type(value).model_fields}
        case Mapping():
            return {_key(name): plain(item) for name, item in value.items()}
        case AbstractSet():
            return sorted((plain(item) for item in value), key=rfc8785.dumps)
        case Sequence() if not isinstance(value, str | bytes | bytearray | memoryview):
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return _scalar(value)


def _scalar(value: object) -> str | float | None:  # noqa: PLR0911  one line for each kind of value
    match value:
        case UUID():
            return str(value)
        case None | bool():
            return value
        case float():
            if not value.is_integer() or abs(value) >= _EXPONENT:  # JSON knows one kind of number: 10.0 is 10
                return value
            return int(value) if abs(value) <= _EXACT else str(int(value))
        case str():
            return str(value)
        case int():
            return value if -_EXACT <= value <= _EXACT else str(value)
        case Decimal():
            return _decimal(value)
        case datetime():
            return _time(value)
        case date():
            return value.isoformat()
        case _:
            raise TypeError(f"a {type(value).__name__} has no canonical form")


def _key(name: object) -> str:
    if isinstance(name, Enum):
        name = name.value
    if not isinstance(name, str):
        raise TypeError(f"a key must be text, and {name!r} is a {type(name).__name__}")
    return str(name)


def _decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text


def _time(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no zone, so it names no moment")
    return _in_utc(value.astimezone(UTC))  # before it is looked up: an hour that comes twice is equal to itself


@lru_cache(maxsize=1024)  # most of what is written together has one time
def _in_utc(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")
