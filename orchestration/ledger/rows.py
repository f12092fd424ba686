"""Rows as the database holds them, and the canonical JSON of what is said of them, without making values first.

There are many rows to verify, and to read each JSON column and time into Python only to write it down again takes most
of the time. A value that is written already is `Canonical`; `digest` takes it as it is. It gives the very same digest
as `canonical.digest` gives for the row's values, which a test holds it to.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    cast,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from orchestration.canonical import canonical, canonical_text
from orchestration.store.tables import UtcDateTime

_ZERO: Final = ".000000"
_SQLITE_TIME: Final = len("2026-11-02 09:00:00.123456")
_LARGEST: Final = 2**53 - 1
_AT_ONCE: Final = 100
Row = Sequence[Any]
"""What the database holds of each column, in the order of the columns."""


class Canonical(str):
    """Canonical JSON."""

    __slots__ = ()


def rows(connection: Connection, table: Table, action: str | None = None) -> Iterator[dict[str, Any]]:
    """Every row of a table, or those about one action: text and numbers as they are, all else as canonical JSON."""
    query = select(*map(raw_column, table.columns))
    if action is not None:
        query = query.where(table.c.action == action)
    for row in raw(connection, query):
        yield {column.name: made(column, value) for column, value in zip(table.columns, row, strict=True)}


def made(column: Column[Any], value: Any) -> Any:  # noqa: ANN401  whatever a column holds
    """What `written` writes down as the canonical JSON of a column's value."""
    make = _MAKE.get(type(column.type))
    return value if make is None else make(value)


def raw_column(column: Column[Any]) -> ColumnElement[Any]:
    """A column as `raw` may read it: as the database holds it, JSON as its text."""
    return cast(column, Text) if isinstance(column.type, JSON) else type_coerce(column, NullType())


def raw(connection: Connection, query: Select[*tuple[Any, ...]], at_once: int = _AT_ONCE) -> Iterator[Row]:
    """The rows of a query for columns that SQLAlchemy makes nothing of; so many of them are held at a time."""
    streams = {} if connection.dialect.name == "sqlite" else {"yield_per": at_once}  # SQLite holds none in advance
    with connection.execute(query.execution_options(**streams)) as found:
        if streams or found.cursor is None:
            yield from found
            return
        while some := found.cursor.fetchmany(at_once):  # the driver's own tuples
            yield from some


def digest(said: Mapping[str, Any]) -> str:
    """The digest of what is said of a row: that of its canonical JSON."""
    form, values = form_of(tuple(said))
    held = [encode_basestring(value) if type(value) is str else written(value) for value in values(said)]
    return hashlib.sha256((form % tuple(held)).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(values: Sequence[Any]) -> str:
    """The digest of some values of a row: that of the canonical JSON of the list."""
    text = ",".join(map(written, values))
    return hashlib.sha256(f"[{text}]".encode("utf-8", "surrogatepass")).hexdigest()


def written(value: Any) -> str:  # noqa: ANN401  whatever a column holds
    """The canonical JSON of a value; of one that has none, a text that is no JSON, so that nothing equals it."""
    kind = type(value)
    if kind is str:
        return encode_basestring(value)
    if kind is Canonical:
        return value  # type: ignore[no-any-return]
    if value is None:
        return "null"
    if kind is int and -_LARGEST <= value <= _LARGEST:
        return str(value)
    try:
        return canonical(value).decode()
    except (TypeError, ValueError):
        return repr(value)


@lru_cache(maxsize=256)
def form_of(names: tuple[str, ...]) -> tuple[str, Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """The canonical JSON of an object with these names, to be filled in, and what picks the values in that order."""
    ordered = sorted(names)
    picked = itemgetter(*ordered) if len(ordered) > 1 else lambda said: tuple(said[name] for name in ordered)
    written_names = (encode_basestring(name).replace("%", "%%") for name in ordered)
    return "{" + ",".join(f"{name}:%s" for name in written_names) + "}", picked


def _time(value: Any) -> Any:  # noqa: ANN401  whatever a column holds
    return _known_time(value) if isinstance(value, str) else value


@lru_cache(maxsize=8192)
def _known_time(value: str) -> Any:  # noqa: ANN401  written, or what else it is
    """A time; SQLite holds text, of which one form is by far the most common."""
    if len(value) == _SQLITE_TIME and value.isascii() and value[10] == " " and value[19] == ".":
        return Canonical(f'"{value[:10]}T{value[11:].removesuffix(_ZERO)}Z"')
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return value
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@lru_cache(maxsize=8192)
def _known(text: str) -> Canonical:
    try:
        return Canonical(canonical_text(text))
    except (ValueError, RecursionError):
        return Canonical(f"no JSON: {text}")


def _json(value: Any) -> Any:  # noqa: ANN401  whatever a column holds
    return _known(value) if isinstance(value, str) else value


def _boolean(value: Any) -> Any:  # noqa: ANN401  whatever a column holds
    return bool(value) if type(value) is int and value in {0, 1} else value


_MAKE: Final[Mapping[type, Callable[[Any], Any]]] = {UtcDateTime: _time, JSON: _json, Boolean: _boolean}


def write_of(column: Column[Any]) -> Callable[[Any], str]:
    """What writes down a column's values as canonical JSON."""
    return _WRITE.get(type(column.type), written)


@lru_cache(maxsize=8192, typed=True)
def written_time(value: object) -> str:
    """The canonical JSON of a time as the database holds it."""
    return written(_time(value))


@lru_cache(maxsize=64, typed=True)
def written_boolean(value: object) -> str:
    """The canonical JSON of true or false as the database holds it."""
    return written(_boolean(value))


def written_json(value: object) -> str:
    """The canonical JSON of what a JSON column says."""
    return _known(value) if isinstance(value, str) else written(value)


_WRITE: Final[Mapping[type, Callable[[Any], str]]] = {
    UtcDateTime: written_time,
    JSON: written_json,
    Boolean: written_boolean,
}
