"""The digest of what is said of each row of a table, taken from the row as the database holds it.

There are several rows for an action, so the whole of one is written at once, by `orjson`. What that writes otherwise
than canonical JSON has it is written value by value, which a test holds to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from operator import itemgetter
from typing import Any, Final, NamedTuple

import orjson
from sqlalchemy import JSON, Boolean, Column, Date

from orchestration.canonical import canonical_octets
from orchestration.ledger.rows import Row, form_of, write_of, written, written_boolean, written_json, written_time
from orchestration.store.tables import UtcDateTime

_WRITABLE: Final = frozenset({str, int, bool, type(None), orjson.Fragment})
"""What `orjson` writes as canonical JSON has it, where it writes it at all: no number that may not be whole."""
_SHORT: Final = 64
"""Characters of JSON that is likely to come again: what is longer is of one row alone."""


class _Shape(NamedTuple):
    """How what is said of some rows is written."""

    names: tuple[str, ...]
    """The names of all that is said, in order."""
    pick: Callable[[Row], tuple[Any, ...]]
    """What picks the values of these from a row."""
    made: tuple[tuple[str, int, Callable[[Any], orjson.Fragment]], ...]
    """What is to be made of some of them, where these lie in a row."""


class Digests:
    """The digest of what is said of each row of some columns, taken from the row as `raw` reads it.

    It is the one that `canonical.digest` gives of the same for the row's values, without reading these.
    """

    def __init__(
        self,
        columns: Iterable[Column[Any]],
        said: Callable[[Mapping[str, Any]], Mapping[str, Any]],
        depends: Sequence[str] = (),
    ) -> None:
        """Prepare for rows of these columns.

        Args:
            columns: In the order that rows have them.
            said: What is said of a row: some of its columns, each under its own name.
            depends: The columns by which it is decided which of them these are: whether they are null, or empty.
        """
        self._columns = tuple(columns)
        self._names = [column.name for column in self._columns]
        self._said = said
        self._depends = [self._names.index(name) for name in depends]
        self._shapes: dict[tuple[int, ...], _Shape] = {}

    def __call__(self, row: Row) -> str:
        """The digest for one row."""
        key = tuple([0 if row[at] is None else 1 if row[at] else 2 for at in self._depends]) if self._depends else ()
        shape = self._shapes.get(key) or self._shaped(key, row)
        said = dict(zip(shape.names, shape.pick(row), strict=True))
        for name, at, make in shape.made:
            said[name] = make(row[at])
        if _WRITABLE.issuperset(map(type, said.values())):
            try:
                return sha256(orjson.dumps(said, option=orjson.OPT_STRICT_INTEGER)).hexdigest()
            except TypeError:  # a number is too large, or a text holds half of a surrogate pair
                pass
        return self._at_length(shape, row)

    def _at_length(self, shape: _Shape, row: Row) -> str:
        places = [self._names.index(name) for name in shape.names]
        held = [write_of(self._columns[at])(row[at]) for at in places]
        return sha256((form_of(shape.names)[0] % tuple(held)).encode("utf-8", "surrogatepass")).hexdigest()

    def _shaped(self, key: tuple[int, ...], row: Row) -> _Shape:
        names = tuple(sorted(self._said(dict(zip(self._names, row, strict=True)))))
        places = [self._names.index(name) for name in names]
        kinds = [(name, at, type(self._columns[at].type)) for name, at in zip(names, places, strict=True)]
        made = tuple((name, at, _MAKE[kind]) for name, at, kind in kinds if kind in _MAKE)
        self._shapes[key] = _Shape(names, itemgetter(*places), made)
        return self._shapes[key]


def _fragment(written: str) -> orjson.Fragment:
    return orjson.Fragment(written.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=8192, typed=True)
def _time(value: object) -> orjson.Fragment:
    return _fragment(written_time(value))


@lru_cache(maxsize=64, typed=True)
def _boolean(value: object) -> orjson.Fragment:
    return _fragment(written_boolean(value))


@lru_cache(maxsize=64, typed=True)
def _date(value: object) -> orjson.Fragment:
    return _fragment(written(value))


def _json(value: object) -> orjson.Fragment:
    if type(value) is str and len(value) > _SHORT:
        try:
            return orjson.Fragment(canonical_octets(value))
        except (ValueError, RecursionError):  # no JSON
            return _fragment(written_json(value))
    return _short(value)


@lru_cache(maxsize=8192, typed=True)
def _short(value: object) -> orjson.Fragment:
    return _fragment(written_json(value))


_MAKE: Final[Mapping[type, Callable[[Any], orjson.Fragment]]] = {
    UtcDateTime: _time,
    Date: _date,
    Boolean: _boolean,
    JSON: _json,
}
