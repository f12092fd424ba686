"""Filling the tables of a new graph, each from the Parquet that holds its rows and from the graph before it.

Every function runs on a connection whose current database is the new graph, made by `ddl.create_schema`. For the
functions that ask what was before, the previous graph, where there is one, is attached read-only as `before`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from orchestration.graph import source_rows
from orchestration.graph.feeds import Feed, feeds
from orchestration.graph.inputs import CandidateInputs
from orchestration.graph.model import RECORD_TYPES, Shape
from orchestration.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection
SQL = Path(__file__).parent / "sql"
DERIVED = ("entity_name", "entity_identifier")
"""Tables that are made of the records in the graph."""


def fill(connection: Connection, inputs: CandidateInputs, snapshot: str, *, has_previous: bool) -> None:
    """Fill every table but those that say what the graph is: rows first, then entities, then what hangs off them."""
    tables = source_rows.source_tables(connection, inputs)
    for landed in inputs.landed:
        table = tables[landed.system, landed.table]
        source_rows.create(connection, table, landed)
        before = source_rows.seen_before(connection, table) if has_previous else None
        source_rows.fill(connection, table, landed, before)
    source_rows.show(connection, list(tables.values()))
    for feed in feeds(inputs):
        insert(connection, feed, feed.every)
    if has_previous:
        connection.execute("INSERT INTO entity_event FROM before.entity_event")
    events(connection, inputs.entities, snapshot)
    for made in DERIVED:
        connection.execute(f"INSERT INTO {made} {derived(made)}")


def insert(connection: Connection, feed: Feed, relation: str) -> None:
    """Add rows to a feed's table, column by column of the same name; others are left out or NULL.

    Records and facts get the entities of the records that they refer to.
    """
    there = set(_columns(connection, f"FROM {relation}"))
    value = {name: f"r.{quoted(name)}" for name in _columns(connection, quoted(feed.table)) if name in there}
    joins = []
    for column, record in owners(feed.shape) if feed.shape else ():
        if record in value:
            joins.append(f"LEFT JOIN crosswalk AS {column}_owner ON {column}_owner.record_id = {value[record]}")
            value[column] = f"{column}_owner.entity_id"
    columns = ", ".join(map(quoted, value))
    connection.execute(
        f"INSERT INTO {quoted(feed.table)} ({columns}) SELECT {', '.join(value.values())} "
        f"FROM {relation} AS r {' '.join(joins)}"
    )


def events(connection: Connection, folders: Mapping[str, Path], snapshot: str) -> None:
    """What happened to entities and is not told yet; each folder tells of the step that made it alone."""
    for folder in folders.values():
        # an unchanged folder tells again what the history has: what is there already happened in an earlier graph
        connection.execute(
            f"""
            INSERT INTO entity_event
            SELECT new.entity_id, new.entity_type, new.event, new.other_entity_id, ?, new.at
            FROM read_parquet({literal(folder / "entity_event.parquet")}) AS new
            WHERE NOT EXISTS (
                SELECT 1 FROM entity_event AS told
                WHERE told.entity_id = new.entity_id AND told.event = new.event AND told.happened_at = new.at
                    AND told.other_entity_id IS NOT DISTINCT FROM new.other_entity_id
            )
            ORDER BY new.at, new.entity_id
            """,
            [snapshot],
        )


def owners(shape: Shape) -> Iterator[tuple[str, str]]:
    """A column that holds an entity, and the column with the record whose entity it is."""
    if shape.name in RECORD_TYPES:
        yield "entity_id", "record_id"
    else:
        yield "entity_id", "organisation_record"
        yield "person_entity_id", "person_record"


def derived(table: str, of: str = "") -> str:
    """A query for the rows of a derived table; `of` narrows the records it is made of, such as `SEMI JOIN …`."""
    query = (SQL / f"{table}.sql").read_text(encoding="utf-8")
    for name in RECORD_TYPES:
        query = query.replace(f"FROM {name}_record", f"FROM {name}_record {of}")
    return query


def _columns(connection: Connection, described: str) -> list[str]:
    return [row[0] for row in connection.execute(f"DESCRIBE {described}").fetchall()]
