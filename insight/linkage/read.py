"""Records of one type as a table that always has the same columns.

A source set need not state every field, and may be empty: what is missing is there as NULL, so that no later query has
to ask which columns exist.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import Final

import duckdb

from insight.layers import rows, rows_since
from insight.records.derive import DERIVED, duckdb_type
from orchestration.graph.model import COMMON, RECORD_TYPES

NAMED: Final = {"organisation": "parent_record", "person": "organisation_record"}
"""The record that a key names, which links read beside what `insight/records` derives to link by."""


def open_memory() -> duckdb.DuckDBPyConnection:
    """A DuckDB of this process alone, without a progress bar."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    return con


def load_records(  # noqa: PLR0913  what is wanted of which records
    con: duckdb.DuckDBPyConnection,
    record_type: str,
    path: Path,
    only: str | None = None,
    *,
    columns: Container[str] | None = None,
    since: Path | None = None,
) -> None:
    """Makes `record`: the records of the table at `path`, in the columns of their type and the order of their ids.

    Args:
        con: Where to make it.
        record_type: Whose records they are.
        path: The table, which may be a layer.
        only: A table of the connection with the `record_id` of the records that are wanted; all where it is not given.
        columns: The columns that are wanted; all where they are not given.
        since: An earlier version of the table; what did not change since is not looked for.
    """
    shape = RECORD_TYPES[record_type]
    derived = ((name, duckdb_type(kind)) for name, kind in DERIVED[record_type].items())
    stated = ((field.name, field.duckdb_type) for field in shape.fields)
    every = (*COMMON, *stated, *derived, (NAMED[record_type], "VARCHAR"))
    wanted = [(name, kind) for name, kind in every if columns is None or name in columns]
    found = rows(path) if since is None else rows_since(path, since)
    there = {row[0] for row in con.execute(f"DESCRIBE FROM {found}").fetchall()}
    cast = ", ".join(f"CAST({_value(name, there)} AS {kind}) AS {name}" for name, kind in wanted)
    kept = "" if only is None else f"SEMI JOIN {only} USING (record_id)"
    con.execute(f"CREATE OR REPLACE TABLE record AS SELECT {cast} FROM {found} AS found {kept} ORDER BY record_id")


def _value(name: str, there: set[str]) -> str:
    if name in {"weak_fields", "verified_fields"}:
        return f"coalesce({name}, [])" if name in there else "[]"
    return name if name in there else "NULL"


def load_aliases(con: duckdb.DuckDBPyConnection, record_type: str, path: Path | None) -> None:
    """Makes `alias(from_record, to_record)`: merges of records of the type that a source made itself."""
    con.execute("CREATE OR REPLACE TABLE alias (from_record VARCHAR, to_record VARCHAR)")
    if path is not None:
        con.execute(f"INSERT INTO alias {aliases(path)}", {"record_type": record_type})


def aliases(path: Path) -> str:
    """A query for the merges of a type in the table at `path`; the type is bound as `record_type`."""
    return f"""
        SELECT DISTINCT from_record, to_record FROM {rows(path)}
        WHERE record_type = $record_type
            AND from_record IS NOT NULL AND to_record IS NOT NULL AND from_record <> to_record
    """
