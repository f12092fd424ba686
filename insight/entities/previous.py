"""Which entity each record belonged to in the graph before this one."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.sql import literal


def load_previous(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `previous(record_id, entity_id)` from a published graph or a crosswalk's Parquet; empty without one."""
    con.execute("CREATE OR REPLACE TABLE previous (record_id VARCHAR, entity_id VARCHAR)")
    if path is None:
        return
    if path.suffix == ".parquet":
        con.execute(
            "INSERT INTO previous SELECT record_id, entity_id FROM read_parquet(?) WHERE entity_type = ?",
            [str(path), record_type],
        )
        return
    con.execute(f"ATTACH {literal(path)} AS before (READ_ONLY)")
    con.execute(
        "INSERT INTO previous SELECT record_id, entity_id FROM before.crosswalk WHERE entity_type = ?", [record_type]
    )
    con.execute("DETACH before")


def crosswalk_digest(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """A digest of the pairs (record, entity) in a table, whatever their order."""
    row = con.execute(
        f"SELECT count(*), bit_xor(md5_number(record_id || chr(31) || entity_id)) FROM {table}"
    ).fetchone()
    return "none" if row is None or not row[0] else f"{row[0]}:{row[1]}"
