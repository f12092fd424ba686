"""What the keys of records may name, read once: several shapes look among the same organisations and people."""

from __future__ import annotations

from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Final

import pyarrow as pa

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


@lru_cache(maxsize=64)
def moved_between(was: Path, now: Path) -> pa.Table:
    """What of a table of records appeared or vanished between two versions, as what a key may name."""
    told = layers.touched(now, was)
    with scratch() as connection:
        if told is None:
            return connection.sql(apart(targets_in(was), targets_in(now))).to_arrow_table()
        connection.execute(f"CREATE TABLE told AS FROM {told}")
        sides = {
            "was": f"SELECT record_id FROM {layers.rows(was)} SEMI JOIN told USING (record_id)",
            "now": f"SELECT record_id FROM {layers.rows_since(now, was)} SEMI JOIN told USING (record_id)",
        }
        for name, query in sides.items():
            connection.execute(f"CREATE TABLE {name}_there AS SELECT DISTINCT record_id FROM ({query})")
        # What a record may be named by is in its id: the rest is read of those alone that appeared or vanished.
        connection.execute(
            "CREATE TABLE one_side AS (FROM was_there EXCEPT FROM now_there) "
            "UNION ALL (FROM now_there EXCEPT FROM was_there)"
        )
        if not connection.execute("SELECT 1 FROM one_side LIMIT 1").fetchall():
            return connection.sql(f"FROM {targets_in(was)} LIMIT 0").to_arrow_table()
        those = "SEMI JOIN one_side USING (record_id)"
        queries = [f"SELECT {TARGET} FROM {targets_in(path)} {those}" for path in (was, now)]
        return connection.sql(apart(*queries)).to_arrow_table()


def apart(was: str, now: str) -> str:
    """A query for the rows that only one of two queries returns, each row once."""
    return (
        f"SELECT {TARGET} FROM (SELECT DISTINCT *, 1 AS side FROM ({was}) UNION ALL "
        f"SELECT DISTINCT *, 2 AS side FROM ({now})) GROUP BY ALL HAVING count(*) = 1"
    )
