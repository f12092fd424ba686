"""From the link table to clusters of records and back: what goes into `cluster` and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from insight.arriving import make_table
from insight.entities.cluster import KEPT, Edges, Records, Vetoes, cluster
from insight.linkage.components import components

_HERE = Path(__file__).parent


def gather(
    con: duckdb.DuckDBPyConnection, margin: float, accept: float = -np.inf, rarely_twice: frozenset[str] = frozenset()
) -> None:
    """Makes `clustered`, `kept` and `cut` from `record`, `alias`, `link` and `judged`.

    - `clustered(record_id, position, cluster, itself, live, unbelievable, attached)`: one record, or record that its
      source merged away, the position of the first record of its cluster, and of the first that it would be with had
      no person judged. Clusters without any record of today are left out.
    - `kept(a, b, strength, match_weight, match_probability, reason)`: one link that holds, by positions.
    - `cut(record_a, record_b, cause)`: one accepted link that does not: `rival` where a veto stands between two
      records that are equally good for a third, within `margin`; `outweighed` where one of them was better; `size`;
      `public`; `same_system_twice`; `weak_bridge`.
    - `node(record_id, live, …)`: every record in the order of positions.

    Args:
        con: Where the tables are.
        margin: How far apart two weights are that are no longer equally good.
        accept: The weight from which on links were accepted; within `margin` of it one is weak.
        rarely_twice: Systems that rarely hold one entity twice.
    """
    con.execute((_HERE / "node.sql").read_text(), {"rarely_twice": sorted(rarely_twice)})
    con.execute((_HERE / "edge.sql").read_text())
    nodes = con.sql("FROM node").to_arrow_table().combine_chunks()
    edges = con.execute("SELECT a, b, strength, weight, reason = 'judgement' AS judged FROM edge").fetchnumpy()
    vetoes = con.execute((_HERE / "forbidden.sql").read_text()).fetchnumpy()
    a, b = (np.asarray(edges[name], dtype=np.int64) for name in ("a", "b"))
    found = cluster(
        Records(_flags(nodes, "anchored"), np.asarray(nodes.column("rare"), dtype=np.int64)),
        Edges(a, b, np.asarray(edges["strength"], dtype=np.int64), np.asarray(edges["weight"], dtype=np.float64)),
        Vetoes(
            np.asarray(vetoes["a"], dtype=np.int64),
            np.asarray(vetoes["b"], dtype=np.int64),
            np.asarray(vetoes["hard"], dtype=np.bool_),
        ),
        weak=accept + margin,
    )
    live = _flags(nodes, "live")
    unjudged = (found.fate == KEPT) & ~np.asarray(edges["judged"], dtype=np.bool_)
    itself = components(len(live), a[unjudged], b[unjudged])
    inhabited = np.zeros(len(live), dtype=np.bool_)
    inhabited[found.label[live]] = True
    stay = inhabited[found.label]
    make_table(
        con,
        "clustered",
        record_id=nodes.column("record_id").filter(pa.array(stay)),
        position=pa.array(np.flatnonzero(stay)),
        cluster=pa.array(found.label[stay]),
        itself=pa.array(itself[stay]),
        live=pa.array(live[stay]),
        unbelievable=pa.array(found.unbelievable[stay]),
        attached=pa.array(found.attached[stay]),
    )
    make_table(con, "fate", fate=pa.array(found.fate))
    con.execute((_HERE / "kept.sql").read_text())
    con.execute((_HERE / "cut.sql").read_text(), {"margin": margin})


def _flags(nodes: pa.Table, name: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray(nodes.column(name).to_numpy(zero_copy_only=False), dtype=np.bool_)
