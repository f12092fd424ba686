"""Which record a source's own key names: `organisation_key` is followed by `organisation_record`.

A key holds another row's `_key`, or `table:_key` where several tables of a system yield the type. What the source
merged away is followed to what survives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import duckdb

from orchestration.graph.ddl import reference
from orchestration.graph.model import Field, Shape
from orchestration.sql import literal, quoted

_WANTED: Final = """
CREATE OR REPLACE TEMP TABLE wanted AS
SELECT DISTINCT
    system, {key} AS key, split_part({key}, ':', 1) AS of_table, substr({key}, strpos({key}, ':') + 1) AS rest
FROM conformed WHERE {key} IS NOT NULL;
CREATE OR REPLACE TEMP TABLE wanted_key AS SELECT key FROM wanted UNION SELECT rest FROM wanted;
CREATE OR REPLACE TEMP TABLE wanted_merge AS
SELECT system, source_table, from_key, to_record FROM merge
WHERE record_type = '{type}' AND from_key IN (FROM wanted_key);
CREATE OR REPLACE TEMP TABLE target AS
FROM ({targets}) SEMI JOIN wanted_key ON source_key = key
UNION
FROM ({targets}) SEMI JOIN wanted_merge ON record_id = to_record;
"""
_NAMES: Final = """
CREATE OR REPLACE TEMP TABLE names AS
WITH merged AS (
    SELECT system, source_table, from_key AS source_key, to_record AS record_id
    FROM wanted_merge SEMI JOIN target ON target.record_id = to_record
),
known AS (
    FROM merged UNION ALL
    SELECT system, source_table, source_key, record_id
    FROM target ANTI JOIN merged USING (system, source_table, source_key)
),
called AS (
    SELECT wanted.system, key, record_id
    FROM wanted JOIN known ON known.system = wanted.system AND known.source_key = wanted.key
    UNION ALL
    SELECT wanted.system, key, record_id
    FROM wanted
    JOIN known ON known.system = wanted.system AND known.source_table = wanted.of_table
        AND known.source_key = wanted.rest
    WHERE key <> rest
)
SELECT system, key, min(record_id) AS record_id FROM called GROUP BY system, key HAVING min(record_id) = max(record_id)
"""
_UNKNOWN: Final = """
INSERT INTO note
SELECT record_id, system, source_table, source_key, $field, {key}, 'no ' || $type || ' of this system has that key'
FROM conformed ANTI JOIN names ON names.system = conformed.system AND names.key = conformed.{key}
WHERE {key} IS NOT NULL
"""
_MOVED: Final = """
INSERT INTO moved_key
WITH merges AS (
    SELECT system, source_table, from_key, to_record, 'was' AS which FROM merge_before WHERE record_type = $type
    UNION
    SELECT system, source_table, from_key, to_record, 'now' FROM merge WHERE record_type = $type
),
called AS (
    SELECT system, source_table, source_key FROM moved
    UNION
    SELECT system, source_table, from_key FROM merges SEMI JOIN moved ON moved.record_id = to_record
    UNION
    SELECT system, source_table, from_key FROM merges
    GROUP BY system, source_table, from_key, to_record HAVING count(*) = 1
)
SELECT DISTINCT $type, system, unnest([source_key, source_table || ':' || source_key]) FROM called
"""


def resolve(connection: duckdb.DuckDBPyConnection, shape: Shape, targets: Mapping[str, str], *, noted: bool) -> None:
    """Make `record` of `conformed`: the same, with the record that it names beside each key.

    Args:
        connection: Where `conformed`, `note` and `merge` are (the sources' own merges: `record_type, system,
            source_table, from_key, to_record`).
        shape: The record type or fact that `conformed` holds.
        targets: For each shape that its keys name, a query for `known.TARGET` of its records.
        noted: Whether a key that names no record is noted.
    """
    keys = {field.name: field for field in named_by(shape)}
    empty = not connection.execute("SELECT 1 FROM conformed LIMIT 1").fetchall()
    columns, joins = [], []
    for name, *_ in connection.execute("DESCRIBE conformed").fetchall():
        columns.append(f"conformed.{quoted(name)}")
        if name in keys and empty:
            columns.append(f"NULL::VARCHAR AS {quoted(reference(name))}")
        elif name in keys:
            table = _names(connection, keys[name], targets, noted=noted)
            columns.append(f"{table}.record_id AS {quoted(reference(name))}")
            joins.append(
                f"LEFT JOIN {table} ON {table}.system = conformed.system AND {table}.key = conformed.{quoted(name)}"
            )
    connection.execute(f"CREATE VIEW record AS SELECT {', '.join(columns)} FROM conformed {' '.join(joins)}")


def named_by(shape: Shape) -> Sequence[Field]:
    """The fields of a shape that hold a key of another record."""
    return [field for field in shape.fields if field.refers_to]


def moved(connection: duckdb.DuckDBPyConnection, kind: str) -> None:
    """Add to `moved_key` (`refers_to, system, key`) the keys that may name another record of a type than before.

    Args:
        connection: Where `moved` is (`known.TARGET` of the records that appeared or vanished), and `moved_key`, `merge`
            and `merge_before`, the sources' own merges now and before.
        kind: The type.
    """
    connection.execute(_MOVED, {"type": kind})


def naming(shape: Shape, records: str) -> str:
    """A query for the ids of those records (a query) whose keys are among `moved_key`."""
    each = [
        f"SELECT record_id FROM {records} AS it SEMI JOIN moved_key ON refers_to = {literal(field.refers_to)} "
        f"AND moved_key.system = it.system AND moved_key.key = it.{quoted(field.name)}"
        for field in named_by(shape)
    ]
    return " UNION ".join(each)


def _names(connection: duckdb.DuckDBPyConnection, field: Field, targets: Mapping[str, str], *, noted: bool) -> str:
    """The name of a table of what each key of a system names, for one field."""
    key = quoted(field.name)
    connection.execute(_WANTED.format(key=key, type=field.refers_to, targets=targets[str(field.refers_to)]))
    connection.execute(_NAMES)
    if noted:
        connection.execute(_UNKNOWN.format(key=key), {"field": field.name, "type": field.refers_to})
    connection.execute(f"ALTER TABLE names RENAME TO names_{field.name}")
    return f"names_{field.name}"
