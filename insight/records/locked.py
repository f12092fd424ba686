"""A DuckDB with no way out: it reads no file, loads no extension and takes no other setting.

One stands for the whole process, for work that is short: what each connection makes there is temporary, and its own.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import duckdb

_SETTINGS: Final = (
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
    "SET GLOBAL python_enable_replacements = false",  # of one connection alone it would be: others are to have it too
    "SET enable_external_access = false",
    "SET lock_configuration = true",
)


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Close every way out of a database; what was read before stays there."""
    for setting in _SETTINGS:
        connection.execute(setting)


def locked() -> duckdb.DuckDBPyConnection:
    """A connection to the one that stands, in which nothing is."""
    return _standing().cursor()


@cache
def _standing() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    lock(connection)
    return connection
