"""What each row really stands for: kept beside the databases, for the tests alone."""

from __future__ import annotations

from pathlib import Path

import duckdb

_TRUTH = """
COPY (
    SELECT system, tab AS source_table, key::VARCHAR AS source_key, 'organisation' AS record_type, 'o' || org AS entity
    FROM organisation_row WHERE usable AND NOT deleted
    UNION ALL
    SELECT system, tab, key::VARCHAR, 'person', 'p' || (org * 16)
    FROM organisation_row WHERE is_person AND NOT deleted
    UNION ALL
    SELECT system, tab, key::VARCHAR, 'person', 'p' || person
    FROM person_row WHERE usable AND NOT deleted
    ORDER BY system, source_table, source_key, record_type
) TO $path (FORMAT parquet)
"""


def write_truth(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the true entity of every row that yields a record: system, source_table, source_key, record_type, entity.

    Rows that were deleted, or that name nobody, are left out: there is no right answer for them.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(_TRUTH.replace("$path", f"'{path}'"))
