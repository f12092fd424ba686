"""Connected components of records."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

Integers = npt.NDArray[np.int64]


def components(size: int, a: Integers, b: Integers) -> Integers:
    """Of each of `size` records, the position of the first record it is connected to, given edges by position."""
    from scipy.sparse import coo_matrix  # noqa: PLC0415  slow to load, and who resolves one record needs none
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415

    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    first = np.full(size, size, dtype=np.int64)
    np.minimum.at(first, label, np.arange(size, dtype=np.int64))
    return np.asarray(first[label], dtype=np.int64)


@contextmanager
def joined(con: duckdb.DuckDBPyConnection, pairs: str) -> Iterator[None]:
    """While it lasts, what `pairs`, a query for two records each, and the sources' own merges join.

    `joined(record_id, position)` has each record that has a partner, `arriving(position, component)` the position of
    the first record it is connected to.
    """
    con.execute(f"CREATE OR REPLACE TABLE held_together AS {pairs} UNION SELECT from_record, to_record FROM alias")
    con.execute("""
        CREATE OR REPLACE TABLE joined AS
        SELECT record_id, row_number() OVER (ORDER BY record_id) - 1 AS position
        FROM (SELECT record_a AS record_id FROM held_together UNION SELECT record_b FROM held_together)
    """)
    edges = con.execute("""
        SELECT a.position AS a, b.position AS b
        FROM held_together JOIN joined AS a ON a.record_id = record_a JOIN joined AS b ON b.record_id = record_b
    """).fetchnumpy()
    size = con.execute("SELECT count(*) FROM joined").fetchall()[0][0]
    first = components(size, *(np.asarray(edges[side], dtype=np.int64) for side in ("a", "b")))
    con.register("arriving", pa.table({"position": np.arange(size), "component": first}))
    try:
        yield
    finally:
        con.unregister("arriving")


def reach(con: duckdb.DuckDBPyConnection, name: str, seeds: str, edges: str) -> None:
    """Makes the table `name(record_id)`: what can be reached from the seeds, themselves among it.

    Args:
        con: Where the tables are.
        name: The table to make.
        seeds: A query for records.
        edges: A table `(record_a, record_b)`, which is walked both ways.
    """
    con.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT DISTINCT record_id FROM ({seeds}) AS seed(record_id)")
    con.execute(f"CREATE OR REPLACE TABLE frontier AS FROM {name}")
    while con.execute("SELECT count(*) FROM frontier").fetchall()[0][0]:
        con.execute(f"""
            CREATE OR REPLACE TABLE frontier AS
            SELECT DISTINCT record_id FROM (
                SELECT record_b AS record_id FROM {edges} SEMI JOIN frontier ON record_a = frontier.record_id
                UNION ALL
                SELECT record_a FROM {edges} SEMI JOIN frontier ON record_b = frontier.record_id
            ) ANTI JOIN {name} USING (record_id)
        """)
        con.execute(f"INSERT INTO {name} FROM frontier")
