"""Filling the tables of a new graph, each from the Parquet that holds its rows and from the graph before it.

Every function runs on a connection whose current database is the new graph, made by `ddl.create_schema`, with the
previous graph, where there is one, attached read-only as `before`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from orchestration.graph.inputs import CandidateInputs, Landed
from orchestration.graph.model import FACTS, RECORD_TYPES, SHAPES, Shape
from orchestration.layers import rows
from orchestration.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection
SQL = Path(__file__).parent / "sql"


def fill(connection: Connection, inputs: CandidateInputs, snapshot: str, *, has_previous: bool) -> None:
    """Fill every table but those that say what the graph is: rows first, then entities, then what hangs off them."""
    for landed in inputs.landed:
        source_records(connection, landed, has_previous=has_previous)
    for record_type, folder in inputs.entities.items():
        for table in ("entity", "crosswalk", "conflict", "review_pair", "contact_point"):
            insert(connection, table, folder / f"{table}.parquet")
        insert(connection, record_type, folder / "golden.parquet")
    for folder in inputs.links.values():
        insert(connection, "link", folder / "link.parquet")
    if inputs.relationships:
        insert(connection, "relationship", inputs.relationships / "relationship.parquet")
    aliases(connection, inputs.aliases)
    if inputs.rejected:
        insert(connection, "quarantine", inputs.rejected / "quarantine.parquet")
    for name, folder in inputs.records.items():
        records(connection, SHAPES[name], folder / "record.parquet")
        for table in ("quarantine", "note", "support"):
            insert(connection, table, folder / f"{table}.parquet")
    events(connection, inputs.entities, snapshot, has_previous=has_previous)
    for table in ("entity_name", "entity_identifier"):
        connection.execute(f"INSERT INTO {table} {_sql(table)}")


def source_records(connection: Connection, landed: Landed, *, has_previous: bool) -> None:
    """Every row of a source table, as it was read; a row seen before keeps the time it was first seen."""
    every = rows(landed.path)
    columns = [name for name in _named(connection, f"DESCRIBE FROM {every}") if name not in {"_key", "_row_hash"}]
    document = ", ".join(f"{literal(name)}, {quoted(name)}" for name in columns)
    first_seen, before = "$read_at", ""
    if has_previous:
        first_seen = "coalesce(seen.first_seen, $read_at)"
        before = "LEFT JOIN before.source_record AS seen ON seen.record_id = now.record_id"
    connection.execute(
        f"""
        INSERT INTO source_record
        SELECT now.record_id, $system, $source_table, now._key, now._row_hash, now.document, {first_seen}, $read_at
        FROM (
            SELECT $system || ':' || $source_table || ':' || _key AS record_id, _key, _row_hash,
                json_object({document}) AS document
            FROM {every}
        ) AS now {before}
        ORDER BY now.record_id
        """,
        {
            "system": landed.system,
            "source_table": landed.table,
            "read_at": landed.read_at,
        },
    )


def aliases(connection: Connection, folder: Path | None) -> None:
    """The merges that sources made themselves."""
    if folder is None:
        return
    connection.execute(
        """
        INSERT INTO alias
        SELECT DISTINCT from_record, to_record, record_type FROM read_parquet(?)
        WHERE from_record IS NOT NULL AND to_record IS NOT NULL AND from_record <> to_record
        ORDER BY ALL
        """,
        [str(folder / "alias.parquet")],
    )


def records(connection: Connection, shape: Shape, path: Path) -> None:
    """The records of a record type, or the facts of a kind, each with the entities of the records it refers to."""
    table = shape.name if shape.name in FACTS else f"{shape.name}_record"
    shared = _shared(connection, table, path)
    value = {name: f'r."{name}"' for name in shared}
    joins = []
    for column, record in _owners(shape):
        if record in value:
            joins.append(f"LEFT JOIN crosswalk AS {column}_owner ON {column}_owner.record_id = {value[record]}")
            value[column] = f"{column}_owner.entity_id"
    columns = ", ".join(f'"{name}"' for name in value)
    connection.execute(
        f'INSERT INTO "{table}" ({columns}) SELECT {", ".join(value.values())} FROM read_parquet(?) AS r '
        f"{' '.join(joins)} ORDER BY {value.get('entity_id', 'r.record_id')}, r.record_id",
        [str(path)],
    )


def events(connection: Connection, folders: Mapping[str, Path], snapshot: str, *, has_previous: bool) -> None:
    """What happened to entities: the history so far, and what is new in this graph."""
    if has_previous:
        connection.execute("INSERT INTO entity_event FROM before.entity_event")
    for folder in folders.values():
        # an unchanged folder tells again what the history has: what is there already happened in an earlier graph
        connection.execute(
            """
            INSERT INTO entity_event
            SELECT new.entity_id, new.entity_type, new.event, new.other_entity_id, ?, new.at
            FROM read_parquet(?) AS new
            WHERE NOT EXISTS (
                SELECT 1 FROM entity_event AS told
                WHERE told.entity_id = new.entity_id AND told.event = new.event AND told.happened_at = new.at
                    AND told.other_entity_id IS NOT DISTINCT FROM new.other_entity_id
            )
            ORDER BY new.at, new.entity_id
            """,
            [snapshot, str(folder / "entity_event.parquet")],
        )


def insert(connection: Connection, table: str, path: Path) -> None:
    """Add the rows of a Parquet file to a table, column by column of the same name; others are left out or NULL."""
    columns = ", ".join(f'"{name}"' for name in _shared(connection, table, path))
    connection.execute(
        f'INSERT INTO "{table}" ({columns}) SELECT {columns} FROM read_parquet(?) ORDER BY ALL', [str(path)]
    )


def _owners(shape: Shape) -> Iterator[tuple[str, str]]:
    """A column that holds an entity, and the column with the record whose entity it is."""
    if shape.name in RECORD_TYPES:
        yield "entity_id", "record_id"
    else:
        yield "entity_id", "organisation_record"
        yield "person_entity_id", "person_record"


def _columns(connection: Connection, path: Path) -> list[str]:
    return _named(connection, f"DESCRIBE FROM read_parquet({literal(path)})")


def _named(connection: Connection, describe: str) -> list[str]:
    return [row[0] for row in connection.execute(describe).fetchall()]


def _shared(connection: Connection, table: str, path: Path) -> list[str]:
    """The table's columns that the file has."""
    there = set(_columns(connection, path))
    return [name for name in _named(connection, f'DESCRIBE "{table}"') if name in there]


def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
