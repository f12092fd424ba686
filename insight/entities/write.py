"""Entities as a folder of layered tables: all of them, or those that changed since an earlier result."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.entities.previous import Digest
from insight.entities.scope import CLUSTERED, Base

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "entity": ("entity_id",),
    "golden": ("entity_id",),
    "crosswalk": ("record_id",),
    "conflict": ("entity_id",),
    "review_pair": ("record_a", "record_b"),
    "contact_point": ("entity_id",),
    "judgement_state": ("judgement_id",),
}
"""Layered tables, and what identifies the rows that are replaced together."""
SAID: Final = ("merge", "judged", "settlement")
"""Small tables that are kept beside them, to know the next time what changed.

Each is kept whole by every result: a row that one left out could go later, and nobody would know that it was there.
"""


def write_whole(con: duckdb.DuckDBPyConnection, draft: Path, inputs: dict[str, str]) -> Digest:
    """Write every table in full, and return the digest of the crosswalk."""
    for table, keys in KEYS.items():
        layers.put(con, draft, table, f"FROM {table}", None, None, whole=True, keys=keys)
    _write_small(con, draft)
    layers.describe(draft, layers.Layer(KEYS, inputs=inputs))
    return Digest.of(con, "crosswalk")


def write_changes(
    con: duckdb.DuckDBPyConnection, draft: Path, inputs: dict[str, str], base: Base, was: Digest
) -> Digest:
    """Write what changed since an earlier result, and return the digest of the crosswalk.

    Args:
        con: Where the tables are, and `scope` and `seed`.
        draft: The folder to write to.
        inputs: What the tables were made from.
        base: The earlier result.
        was: The digest of its crosswalk.
    """
    _make_gone(con, base)
    for table, keys in KEYS.items():
        using = ", ".join(keys)
        changed = f"FROM {table} SEMI JOIN gone_{table} USING ({using})"
        layers.put(
            con, draft, table, changed, f"FROM gone_{table}", base.folder,
            whole=not layers.may_layer(base.folder), keys=keys,
        )  # fmt: skip
    _write_small(con, draft)
    earlier = layers.read_layer(base.folder)
    height = earlier.height + 1 if earlier is not None and layers.may_layer(base.folder) else 0
    layers.describe(draft, layers.Layer(KEYS, base.folder.name, height, inputs))
    gone = "(FROM previous SEMI JOIN gone_crosswalk USING (record_id))"
    come = "(FROM crosswalk SEMI JOIN gone_crosswalk USING (record_id))"
    return was.changed(Digest.of(con, gone), Digest.of(con, come))


def _make_gone(con: duckdb.DuckDBPyConnection, base: Base) -> None:
    """Makes `gone_<table>` with the keys of the rows that are to be replaced, as they were and as they are."""
    again = f"SELECT record_id FROM scope WHERE ring = {CLUSTERED} UNION SELECT record_id FROM seed"
    con.execute(f"CREATE OR REPLACE TABLE gone_crosswalk AS {again}")
    con.execute("""
        CREATE OR REPLACE TABLE gone_entity AS
        SELECT entity_id FROM crosswalk SEMI JOIN gone_crosswalk USING (record_id)
        UNION SELECT entity_id FROM previous SEMI JOIN gone_crosswalk USING (record_id)
    """)
    for table in ("golden", "conflict", "contact_point"):
        con.execute(f"CREATE OR REPLACE TABLE gone_{table} AS FROM gone_entity")
    con.execute(f"""
        CREATE OR REPLACE TABLE gone_review_pair AS
        SELECT record_a, record_b
        FROM (
            SELECT record_a, record_b FROM review_pair UNION SELECT record_a, record_b FROM {base.rows("review_pair")}
        )
        WHERE record_a IN (FROM gone_crosswalk) OR record_b IN (FROM gone_crosswalk)
    """)
    con.execute(f"""
        CREATE OR REPLACE TABLE gone_judgement_state AS
        SELECT judgement_id FROM judgement_state UNION SELECT judgement_id FROM {base.rows("judgement_state")}
    """)


def _write_small(con: duckdb.DuckDBPyConnection, draft: Path) -> None:
    for name in SAID:
        con.sql(f"FROM {name} ORDER BY ALL").write_parquet(str(draft / f"{name}.parquet"), compression="zstd")
    con.sql("FROM entity_event").write_parquet(str(draft / "entity_event.parquet"), compression="zstd")
