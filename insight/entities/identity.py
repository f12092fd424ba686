"""Entity ids that survive a rebuild, and what happened to the ones that did not.

A cluster keeps the id that most of its records had before, one id to one cluster; a new cluster gets an id made from
the first of its record ids, so that the same records give the same ids on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from insight.arriving import make_table

PREFIX: Final = {"organisation": "org", "person": "per"}
"""What an entity id of each record type begins with."""

_HERE = Path(__file__).parent


def new_id(record_type: str, first_record: str, taken: frozenset[str] | set[str] = frozenset()) -> str:
    """The id of a new entity whose first record is `first_record`, none of those taken."""
    text, attempt = first_record, 0
    while (made := f"{PREFIX[record_type]}_{hashlib.sha256(text.encode()).hexdigest()[:16]}") in taken:
        attempt += 1
        text = f"{first_record}\x1f{attempt}"
    return made


def inherit(overlaps: Iterable[tuple[str, str, int]]) -> dict[str, str]:
    """Which cluster keeps which id: the greatest overlaps first, one id to one cluster.

    Args:
        overlaps: First record of a cluster, an id its records had, and how many of them had it.
    """
    kept: dict[str, str] = {}
    used: set[str] = set()
    for cluster, entity, _ in sorted(overlaps, key=lambda row: (-row[2], row[0], row[1])):
        if cluster not in kept and entity not in used:
            kept[cluster] = entity
            used.add(entity)
    return kept


def assign(con: duckdb.DuckDBPyConnection, record_type: str) -> None:
    """Makes `crosswalk_id(cluster, entity_id)` and `event(entity_id, event, other_entity_id)`.

    Expects `clustered(record_id, cluster)`, where a cluster is named by its first record id, and
    `previous(record_id, entity_id)`, empty where there was no graph before.
    """
    con.execute((_HERE / "overlap.sql").read_text())
    contested = con.execute("SELECT cluster, entity_id, records FROM overlap WHERE contested").fetchall()
    kept = inherit(contested)
    _register(con, "inherited", {"cluster": list(kept), "entity_id": list(kept.values())})
    fresh = [row[0] for row in con.execute((_HERE / "fresh.sql").read_text()).fetchall()]
    before = {row[0] for row in con.execute("SELECT DISTINCT entity_id FROM previous").fetchall()}
    ids = [new_id(record_type, cluster, before) for cluster in fresh]
    _register(con, "fresh", {"cluster": fresh, "entity_id": ids})
    con.execute("""
        CREATE OR REPLACE TABLE crosswalk_id AS
        SELECT cluster, entity_id FROM overlap WHERE NOT contested
        UNION ALL SELECT cluster, entity_id FROM inherited
        UNION ALL SELECT cluster, entity_id FROM fresh
    """)
    con.execute(f"CREATE OR REPLACE TABLE event AS {(_HERE / 'event.sql').read_text()}")


def _register(con: duckdb.DuckDBPyConnection, name: str, columns: dict[str, list[str]]) -> None:
    make_table(con, name, **{key: pa.array(values, pa.string()) for key, values in columns.items()})
