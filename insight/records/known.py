"""What the keys of records may name, read once: several shapes look among the same organisations and people."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Final

from insight import layers
from insight.scratch import scratch, standing

TARGET: Final = "system, source_table, source_key, record_id"
"""The columns of a record that a key may name."""

_MOST: Final = 12
"""Tables that are kept: more than one shape looks among."""
_numbers: Final = count()
_kept: Final[dict[Path, str]] = {}


def targets_in(path: Path) -> str:
    """A query for what keys may name in a table of records or rejects."""
    return f"(SELECT {TARGET} FROM {layers.rows(path)})"


def known(path: Path) -> str:
    """The same, for a connection of `scratch`: what is read stays in memory for the next to ask."""
    if path not in _kept:
        with scratch() as connection:
            place = standing("known")
            while len(_kept) >= _MOST:
                connection.execute(f"DROP TABLE {_kept.pop(next(iter(_kept)))}")
            name = f"{place}.main.known_{next(_numbers)}"
            connection.execute(f"CREATE TABLE {name} AS SELECT {TARGET} FROM {layers.rows(path)}")
    else:
        name = _kept.pop(path)
    _kept[path] = name
    return name
