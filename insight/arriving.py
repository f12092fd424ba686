"""How columns made in Python become a table of DuckDB."""

from __future__ import annotations

import duckdb
import pyarrow as pa


def make_table(con: duckdb.DuckDBPyConnection, name: str, **columns: pa.Array) -> None:
    """Make a table of these columns, in place of one of that name."""
    con.register("arriving", pa.table(columns))
    con.execute(f"CREATE OR REPLACE TABLE {name} AS FROM arriving")
    con.unregister("arriving")
