"""An empty database for a short piece of work: one DuckDB serves them all, since to start one takes longer.

Work that holds much takes a DuckDB of its own, whose memory is free when it ends; `room` tells which it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from typing import Final

import duckdb

FEW: Final = 20_000
"""Rows up to which to start a DuckDB takes longer than to work on them."""
_numbers: Final = count()


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose tables are its own, and gone at the end of the block."""
    name = f"scratch_{next(_numbers)}"
    connection = _engine().cursor()
    try:
        connection.execute(f"ATTACH ':memory:' AS {name}")
        connection.execute(f"USE {name}")
        yield connection
    finally:
        connection.close()
        with _engine().cursor() as other:
            other.execute(f"DETACH DATABASE IF EXISTS {name}")


@contextmanager
def room(rows: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty database for work on that many rows."""
    with scratch() if rows <= FEW else duckdb.connect() as connection:
        yield connection


@cache
def standing(name: str) -> str:
    """The name of an empty database that every connection sees, and that stays."""
    with _engine().cursor() as connection:
        connection.execute(f"ATTACH ':memory:' AS {name}")
    return name


@cache
def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    # What one piece of work read is not kept for the next: it would pile up.
    engine.execute("SET enable_external_file_cache = false")
    return engine
