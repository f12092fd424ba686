"""Which record a source's own key names: `organisation_key` is followed by `organisation_record`.

A key holds another row's `_key`, or `table:_key` where several tables of a system yield the type. What the source
merged away is followed to what survives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import duckdb

from insight.records.record_set import RecordSet
from orchestration.graph.ddl import reference
from orchestration.graph.model import Field, Shape
from orchestration.sql import quoted

_NAMES: Final = """
CREATE OR REPLACE TEMP TABLE names AS
WITH merged AS (
    SELECT system, source_table, from_key AS source_key, to_record AS record_id
    FROM merge SEMI JOIN target ON target.record_id = merge.to_record
    WHERE record_type = $type
),
known AS (
    FROM merged UNION ALL
    SELECT system, source_table, source_key, record_id
    FROM target ANTI JOIN merged USING (system, source_table, source_key)
),
called AS (
    SELECT system, source_table || ':' || source_key AS key, record_id FROM known UNION ALL
    SELECT system, source_key AS key, record_id FROM known
)
SELECT system, key, min(record_id) AS record_id FROM called GROUP BY system, key HAVING count(DISTINCT record_id) = 1
"""
_UNKNOWN: Final = """
INSERT INTO note
SELECT record_id, system, source_table, source_key, $field, {key}, 'no ' || $type || ' of this system has that key'
FROM conformed ANTI JOIN names ON names.system = conformed.system AND names.key = conformed.{key}
WHERE {key} IS NOT NULL
"""


def resolve(
    connection: duckdb.DuckDBPyConnection, shape: Shape, before: Mapping[str, RecordSet], *, noted: bool
) -> None:
    """Make `record` of `conformed`: the same, with the record that it names beside each key.

    Args:
        connection: Where `conformed`, `note` and `merge` are (the sources' own merges: `record_type, system,
            source_table, from_key, to_record`).
        shape: The record type or fact that `conformed` holds.
        before: Records of the shapes that its keys name.
        noted: Whether a key that names no record is noted.
    """
    keys = {field.name: field for field in shape.fields if field.refers_to}
    empty = not connection.execute("SELECT 1 FROM conformed LIMIT 1").fetchall()
    columns, joins = [], []
    for name, *_ in connection.execute("DESCRIBE conformed").fetchall():
        columns.append(f"conformed.{quoted(name)}")
        if name in keys and empty:
            columns.append(f"NULL::VARCHAR AS {quoted(reference(name))}")
        elif name in keys:
            table = _names(connection, keys[name], shape, before, noted=noted)
            columns.append(f"{table}.record_id AS {quoted(reference(name))}")
            joins.append(
                f"LEFT JOIN {table} ON {table}.system = conformed.system AND {table}.key = conformed.{quoted(name)}"
            )
    connection.execute(f"CREATE TABLE record AS SELECT {', '.join(columns)} FROM conformed {' '.join(joins)}")


def _names(
    connection: duckdb.DuckDBPyConnection, field: Field, shape: Shape, before: Mapping[str, RecordSet], *, noted: bool
) -> str:
    """The name of a table of what each key of a system names, for one field."""
    target = "conformed" if field.refers_to == shape.name else "read_parquet($path)"
    bound = {} if field.refers_to == shape.name else {"path": str(before[str(field.refers_to)].record)}
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE target AS SELECT system, source_table, source_key, record_id FROM {target}",
        bound,
    )
    connection.execute(_NAMES, {"type": field.refers_to})
    if noted:
        connection.execute(_UNKNOWN.format(key=quoted(field.name)), {"field": field.name, "type": field.refers_to})
    connection.execute(f"ALTER TABLE names RENAME TO names_{field.name}")
    return f"names_{field.name}"
