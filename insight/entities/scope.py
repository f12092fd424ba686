"""Which records to work on again, given what changed since an earlier result.

A cluster depends on nothing outside the component that accepted links and merges make around it, so that only
components with something changed are clustered again, and those that people said are different from one of them: which
doubts between the two are settled by that depends on what either holds. What a doubt could change depends on both
entities, so that those on the other side of a doubt are looked at too; their own standing does not change, for any
other doubt that came or went is a change of both of its records.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from insight import layers
from insight.arriving import make_table
from insight.entities.load import Sources
from insight.linkage.components import Integers, components
from orchestration.sql import literal

Flags = npt.NDArray[np.bool_]

MOST: Final = 0.1
"""The share of the records that may have changed for it to be worth while not to begin from the start."""
CLUSTERED, SEEN, JUDGED = range(3)
"""Rings: made again; looked at because of a doubt with these; looked at because people judged them."""


@dataclass(frozen=True, slots=True)
class Base:
    """An earlier result to go on from: its folder, and the inputs that it was made from."""

    folder: Path
    inputs: dict[str, str]

    def rows(self, table: str) -> str:
        """Every row of one of its tables."""
        return layers.rows(self.folder / f"{table}.parquet")

    def small(self, table: str) -> str:
        """Every row of a small table that is no layer."""
        return f"read_parquet({literal(self.folder / f'{table}.parquet')})"


def make_scope(con: duckdb.DuckDBPyConnection, sources: Sources, base: Base) -> bool:
    """Makes `seed(record_id)`, what changed, and `scope(record_id, ring)`, what to load.

    Expects `merge`, `judged` and `settlement` as they are now.

    Returns:
        Whether it is known what changed, and little enough.
    """
    if not _make_seeds(con, sources, base):
        return False
    before, changed = con.execute(f"""
        SELECT (SELECT count(*) FROM {base.rows("crosswalk")}), (SELECT count(*) FROM seed)
    """).fetchall()[0]
    if changed > MOST * before:
        return False
    pairs = con.sql(f"""
        SELECT record_a, record_b, status = 'accepted' AS joins, false AS parts FROM {layers.rows(sources.link)}
        WHERE status <> 'vetoed'
        UNION ALL SELECT from_record, to_record, true, false FROM merge
        UNION ALL SELECT record_a, record_b, verdict = 'same', verdict = 'different' FROM judged
        UNION ALL SELECT record_a, record_b, false, false FROM {base.rows("review_pair")}
    """).to_arrow_table()
    seeds = con.sql("SELECT record_id FROM seed").to_arrow_table().column("record_id")
    said = con.sql("""
        SELECT unnest([record_a, record_b]) AS record_id FROM judged UNION SELECT record_id FROM settlement
    """).to_arrow_table()
    found = _rings(pairs, seeds, said.column("record_id"))
    make_table(con, "scope", record_id=found.column("record_id"), ring=found.column("ring"))
    return True


def _make_seeds(con: duckdb.DuckDBPyConnection, sources: Sources, base: Base) -> bool:
    moved = {
        name: layers.touched(Path(path), Path(base.inputs[name]))
        for name, path in sources.as_inputs().items()
        if name != "alias"
    }
    if any(query is None for query in moved.values()) or not Path(base.inputs["alias"]).exists():
        return False
    con.execute(f"""
        CREATE OR REPLACE TABLE seed AS
        SELECT DISTINCT record_id FROM (
            SELECT record_id FROM {moved["record"]}
            UNION ALL SELECT unnest([record_a, record_b]) FROM {moved["link"]}
            UNION ALL SELECT unnest([record_a, record_b]) FROM {moved["footing"]}
            UNION ALL SELECT unnest([from_record, to_record]) FROM ({_apart("merge", base.small("merge"))})
            UNION ALL SELECT unnest([record_a, record_b]) FROM ({_apart("judged", base.small("judged"))})
            UNION ALL SELECT record_id FROM ({_apart("settlement", base.small("settlement"))})
        )
    """)
    return True


def _apart(one: str, other: str) -> str:
    """A query for the rows that only one of two relations has."""
    return f"(FROM {one} EXCEPT FROM {other}) UNION ALL (FROM {other} EXCEPT FROM {one})"


def _rings(pairs: pa.Table, seeds: pa.ChunkedArray, said: pa.ChunkedArray) -> pa.Table:
    """Of each record that is near a seed, the ring it is in; records that people judged are in the last."""
    sides = [pairs.column(side).combine_chunks() for side in ("record_a", "record_b")]
    every = pa.concat_arrays([*sides, seeds.combine_chunks(), said.combine_chunks()]).dictionary_encode()
    codes = every.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    first, second, seed, judged = np.split(codes, np.cumsum([len(pairs), len(pairs), len(seeds)]))
    size = len(every.dictionary)
    joins, parts = pairs.column("joins").to_numpy(), pairs.column("parts").to_numpy()
    label = components(size, first[joins], second[joins])
    changed = np.zeros(size, dtype=np.bool_)
    changed[label[seed]] = True
    reached = _and_beside(changed, label[first[parts]], label[second[parts]])
    ring = np.where(reached[label], CLUSTERED, -1)
    across = _and_beside(reached, label[first[~joins]], label[second[~joins]])
    ring[(across & ~reached)[label]] = SEEN
    asked = np.zeros(size, dtype=np.bool_)
    asked[label[judged]] = True
    ring[asked[label] & (ring < 0)] = JUDGED
    chosen = np.flatnonzero(ring >= 0)
    return pa.table({"record_id": every.dictionary.take(pa.array(chosen)), "ring": pa.array(ring[chosen])})


def _and_beside(some: Flags, a: Integers, b: Integers) -> Flags:
    """These components, and those on the other side of a pair."""
    found = some.copy()
    found[b[some[a]]] = True
    found[a[some[b]]] = True
    return found
