"""From the link table to clusters of records and back: what goes into `cluster` and what comes out of it."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from insight.arriving import make_table
from insight.entities.cluster import Edges, cluster

_HERE = Path(__file__).parent


def gather(con: duckdb.DuckDBPyConnection, margin: float) -> None:
    """Makes `clustered`, `kept` and `cut` from `record`, `alias`, `link` and `footing`.

    - `clustered(record_id, cluster, unbelievable, attached)`: one record, or record that its source merged away, and
      the first record id of its cluster. Clusters without any record of today are left out.
    - `kept(record_a, record_b, strength, match_weight, match_probability, reason)`: one link that holds.
    - `cut(record_a, record_b, cause)`: one accepted link that does not: `rival` where a veto stands between two
      records that are equally good for a third, within `margin`; `outweighed` where one of them was better; `size`;
      `public`.
    """
    con.execute((_HERE / "node.sql").read_text())
    con.execute((_HERE / "edge.sql").read_text())
    nodes = con.sql("SELECT record_id, anchored FROM node ORDER BY position").to_arrow_table().combine_chunks()
    edges = con.execute("SELECT a, b, strength, weight FROM edge ORDER BY position").fetchnumpy()
    vetoes = con.execute((_HERE / "forbidden.sql").read_text()).fetchnumpy()
    found = cluster(
        nodes.num_rows,
        Edges(
            np.asarray(edges["a"], dtype=np.int64),
            np.asarray(edges["b"], dtype=np.int64),
            np.asarray(edges["strength"], dtype=np.int64),
            np.asarray(edges["weight"], dtype=np.float64),
        ),
        (np.asarray(vetoes["a"], dtype=np.int64), np.asarray(vetoes["b"], dtype=np.int64)),
        np.asarray(nodes.column("anchored"), dtype=np.bool_),
    )
    ids = nodes.column("record_id")
    make_table(
        con,
        "gathered",
        record_id=ids,
        cluster=ids.take(pa.array(found.label)),
        unbelievable=pa.array(found.unbelievable),
        attached=pa.array(found.attached),
    )
    make_table(con, "fate", position=pa.array(np.arange(len(found.fate))), fate=pa.array(found.fate))
    con.execute((_HERE / "clustered.sql").read_text())
    con.execute((_HERE / "kept.sql").read_text())
    con.execute((_HERE / "cut.sql").read_text(), {"margin": margin})
