"""Entity ids that survive a rebuild, and what happened to the ones that did not.

A cluster keeps the id that most of its records had before, one id to one cluster; a new cluster gets an id made from
the first of its record ids, so that the same records give the same ids on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Final, TypeVar

import duckdb
import pyarrow as pa

from insight.arriving import make_table

PREFIX: Final = {"organisation": "org", "person": "per"}
"""What an entity id of each record type begins with."""

_HERE = Path(__file__).parent
_ATTEMPTS: Final = 8
"""Ids of a record that are looked up at once where its first one is taken."""
_Cluster = TypeVar("_Cluster", str, int)


def new_id(record_type: str, first_record: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """The id of a new entity whose first record is `first_record`, none of those taken."""
    return next(one for one in _ids(record_type, first_record) if one not in taken)


def inherit(overlaps: Iterable[tuple[_Cluster, str, int]]) -> dict[_Cluster, str]:
    """Which cluster keeps which id: the greatest overlaps first, one id to one cluster.

    Args:
        overlaps: A cluster, an id its records had, and how many of them had it. Of two overlaps as great, the one of
            the smaller cluster goes first.
    """
    kept: dict[_Cluster, str] = {}
    used: set[str] = set()
    for cluster, entity, _ in sorted(overlaps, key=lambda row: (-row[2], row[0], row[1])):
        if cluster not in kept and entity not in used:
            kept[cluster] = entity
            used.add(entity)
    return kept


def assign(con: duckdb.DuckDBPyConnection, record_type: str, taken: str = "previous") -> None:
    """Makes `crosswalk_id(cluster, entity_id)` and `event(entity_id, event, other_entity_id)`.

    Expects `node`, `clustered(record_id, cluster)`, where a cluster is named by the position of its first record, and
    `previous(record_id, entity_id)`, empty where there was no graph before.

    Args:
        con: Where the tables are.
        record_type: The record type.
        taken: A relation with every entity id of the graph before, which no new entity may get.
    """
    con.execute((_HERE / "overlap.sql").read_text())
    contested = con.execute("SELECT cluster, entity_id, records FROM overlap WHERE contested").fetchall()
    kept = inherit(contested)
    make_table(
        con,
        "inherited",
        cluster=pa.array(list(kept), pa.int64()),
        entity_id=pa.array(list(kept.values()), pa.string()),
    )
    con.execute((_HERE / "fresh.sql").read_text(), {"prefix": PREFIX[record_type]})
    _rename_taken(con, record_type, taken)
    con.execute("""
        CREATE OR REPLACE TABLE crosswalk_id AS
        SELECT cluster, entity_id FROM overlap WHERE NOT contested
        UNION ALL SELECT cluster, entity_id FROM inherited
        UNION ALL SELECT cluster, entity_id FROM fresh
    """)
    con.execute(f"CREATE OR REPLACE TABLE event AS {(_HERE / 'event.sql').read_text()}")


def _rename_taken(con: duckdb.DuckDBPyConnection, record_type: str, taken: str) -> None:
    """Give every new entity whose id another one had before an id that none had."""
    clashing = con.execute(f"""
        SELECT cluster, record_id FROM fresh JOIN node ON node.rowid = cluster
        WHERE fresh.entity_id IN (SELECT entity_id FROM {taken})
    """).fetchall()
    if not clashing:
        return
    candidates = sorted({one for _, record in clashing for one in islice(_ids(record_type, record), _ATTEMPTS)})
    query = f"SELECT DISTINCT entity_id FROM {taken} WHERE entity_id IN (SELECT unnest(?))"
    had = {row[0] for row in con.execute(query, [candidates]).fetchall()}
    con.executemany(
        "UPDATE fresh SET entity_id = ? WHERE cluster = ?",
        [(new_id(record_type, record, had), cluster) for cluster, record in clashing],
    )


def _ids(record_type: str, first_record: str) -> Iterator[str]:
    """The ids that an entity whose first record this is may have, the best first."""
    for attempt in count():
        text = first_record if attempt == 0 else f"{first_record}\x1f{attempt}"
        yield f"{PREFIX[record_type]}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
