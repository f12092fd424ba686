"""Making a copy of the previous graph the next one, row by touched row, so that it costs what changed.

The result is what `fill` would make of the same folders: the same rows in every table, in another order. A row goes
where the folder that holds it says that its key was touched, and where something that it was looked up in changed: the
entity of a record that a fact belongs to, the records that a name or an identifier is read from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from orchestration.graph import source_rows
from orchestration.graph.feeds import MENTIONS, TOGETHER, Feed, differing, feeds
from orchestration.graph.fill import DERIVED, derived, events, insert, owners
from orchestration.graph.inputs import CandidateInputs, Landed
from orchestration.graph.model import RECORD_TYPES
from orchestration.layers import rows_since, touched
from orchestration.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection

MOST: Final = 0.1
"""The share of touched rows from which on a graph is written anew."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What a graph differs in from the one before: each changed table, and a query for its touched keys."""

    landed: tuple[tuple[Landed, Path, str], ...]
    feeds: tuple[tuple[Feed, Path, str], ...]


def changes(connection: Connection, inputs: CandidateInputs, before: Mapping[str, Path]) -> Changes | None:
    """What changed since a graph was made of `before`, part by part.

    Args:
        connection: Any; it reads the folders.
        inputs: What the next graph is made of.
        before: The parts that the graph before was made of.

    Returns:
        None where the next one must be written anew: it has other parts, or one of them does not say what changed in
        it, or too much did.
    """
    fed = list(feeds(inputs))
    landed = {f"landing/{one.system}/{one.table}": one for one in inputs.landed}
    if {*landed, *(feed.part for feed in fed)} != before.keys():
        return None
    of_landed = [
        (one, before[part], touched(one.path, before[part])) for part, one in landed.items() if one.path != before[part]
    ]
    of_feeds = [
        (feed, before[feed.part], differing(connection, feed, before[feed.part]))
        for feed in fed
        if feed.path != before[feed.part]
    ]
    known_landed = tuple((one, path, keys) for one, path, keys in of_landed if keys is not None)
    known_feeds = tuple((feed, path, keys) for feed, path, keys in of_feeds if keys is not None)
    if len(known_landed) < len(of_landed) or len(known_feeds) < len(of_feeds):
        return None
    moved = sum(_count(connection, keys) for _, _, keys in known_landed)
    records = [keys for feed, _, keys in known_feeds if feed.shape]
    total = sum(one.row_count for one in inputs.landed)
    if max(moved, sum(_count(connection, keys) for keys in records)) > MOST * total:
        return None
    return Changes(known_landed, known_feeds)


def fits(connection: Connection, inputs: CandidateInputs) -> bool:
    """Whether the source tables of the graph that the connection has are those of the inputs, column by column."""
    wanted = {
        (f"{one.system}:{one.table}", name)
        for one in source_rows.source_tables(connection, inputs).values()
        for name in one.stored
    }
    there = connection.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = current_database() "
        "AND schema_name = ?",
        [source_rows.SCHEMA],
    ).fetchall()
    return wanted == set(there)


def apply(connection: Connection, inputs: CandidateInputs, made: Changes, snapshot: str) -> None:
    """Make the copy of the graph before, which the connection has, the graph of `inputs`."""
    tables = source_rows.source_tables(connection, inputs)
    for landed, before, keys in made.landed:
        _table(connection, "touched", f"FROM {keys}")
        source_rows.add(
            connection, tables[landed.system, landed.table], landed, f"{_changed(landed.path, before, '_key')}"
        )
        prefix = literal(tables[landed.system, landed.table].prefix)
        connection.execute(f"INSERT INTO snapshot_change SELECT 'source', {prefix} || _key FROM touched")
    source_rows.show(connection, list(tables.values()))
    connection.execute("CREATE OR REPLACE TEMP TABLE moved (record_id VARCHAR, entity_id VARCHAR)")
    connection.execute("CREATE OR REPLACE TEMP TABLE renamed (entity_id VARCHAR)")
    for table in dict.fromkeys(feed.table for feed, _, _ in made.feeds):
        of_table = [one for one in made.feeds if one[0].table == table]
        if of_table[0][0].shape is None:
            _replace(connection, of_table, [feed for feed in feeds(inputs) if feed.table == table])
    for feed in feeds(inputs):
        if feed.shape:
            _records(connection, feed, next(((path, keys) for one, path, keys in made.feeds if one == feed), None))
    connection.execute(
        "INSERT INTO snapshot_change SELECT DISTINCT 'entity', entity_id FROM renamed WHERE entity_id NOTNULL"
    )
    for table in DERIVED:
        connection.execute(f"DELETE FROM {table} WHERE entity_id IN (FROM renamed)")
        connection.execute(f"INSERT INTO {table} {derived(table, 'SEMI JOIN renamed USING (entity_id)')}")
    events(connection, inputs.entities, snapshot)


def _replace(connection: Connection, made: list[tuple[Feed, Path, str]], every: list[Feed]) -> None:
    """Replace the touched rows of a table that several folders may feed, a key's rows from all of them."""
    feed = made[0][0]
    keys = ", ".join(map(quoted, feed.keys))
    _table(connection, "touched", " UNION ".join(f"SELECT {keys} FROM {query}" for _, _, query in made))
    if feed.table == "crosswalk":
        _table(connection, "were", "SELECT record_id, entity_id FROM crosswalk SEMI JOIN touched USING (record_id)")
    same = " AND ".join(f"touched.{quoted(key)} = {quoted(feed.table)}.{quoted(key)}" for key in feed.keys)
    connection.execute(f"DELETE FROM {quoted(feed.table)} USING touched WHERE {same}")
    before = {one.part: path for one, path, _ in made}
    for one in every:
        together = feed.table in TOGETHER  # then also those of a folder in which the key was not touched
        relation = one.every if together else one.of(rows_since(one.path, before.get(one.part, one.path)))
        insert(connection, one, f"(FROM {relation} SEMI JOIN touched USING ({keys}))")
    _note(connection, feed.table, keys)
    if feed.table == "crosswalk":
        connection.execute(
            """
            INSERT INTO moved
            SELECT record_id, now.entity_id FROM touched
            LEFT JOIN were USING (record_id) LEFT JOIN crosswalk AS now USING (record_id)
            WHERE now.entity_id IS DISTINCT FROM were.entity_id
            """
        )


def _note(connection: Connection, table: str, keys: str) -> None:
    """Note what of a table was touched, for the checks."""
    if table in {"crosswalk", "support"}:
        connection.execute(f"INSERT INTO snapshot_change SELECT DISTINCT '{table}', record_id FROM touched")
    if table == "entity" or table in RECORD_TYPES:
        connection.execute("INSERT INTO snapshot_change SELECT DISTINCT 'entity', entity_id FROM touched")
    for column in MENTIONS.get(table, ()):
        connection.execute(
            "INSERT INTO snapshot_change "
            f"SELECT DISTINCT 'mention', {column} FROM {quoted(table)} SEMI JOIN touched USING ({keys})"
        )


def _records(connection: Connection, feed: Feed, change: tuple[Path, str] | None) -> None:
    """Replace the touched records of a table, and give those whose owner is another entity now that entity."""
    assert feed.shape is not None  # noqa: S101  only records and facts come here
    named = feed.shape.name in RECORD_TYPES
    table = quoted(feed.table)
    _table(connection, "touched", f"FROM {change[1]}" if change else "SELECT NULL::VARCHAR AS record_id WHERE false")
    concerned = f"FROM {table} WHERE record_id IN (FROM touched) OR record_id IN (SELECT record_id FROM moved)"
    if named:
        connection.execute(f"INSERT INTO renamed SELECT DISTINCT entity_id {concerned}")
    for column, record in owners(feed.shape):
        connection.execute(
            f"UPDATE {table} SET {column} = moved.entity_id FROM moved WHERE moved.record_id = {table}.{record}"
        )
    if change:
        connection.execute("INSERT INTO snapshot_change SELECT 'record', record_id FROM touched")
        connection.execute(f"DELETE FROM {table} USING touched WHERE touched.record_id = {table}.record_id")
        insert(connection, feed, _changed(feed.path, change[0], "record_id"))
    if named:
        connection.execute(f"INSERT INTO renamed SELECT DISTINCT entity_id {concerned}")


def _changed(path: Path, before: Path, key: str) -> str:
    """The rows of the touched keys as they are now."""
    return f"(FROM {rows_since(path, before)} SEMI JOIN touched USING ({quoted(key)}))"


def _table(connection: Connection, name: str, query: str) -> None:
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS {query}")


def _count(connection: Connection, keys: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {keys}").fetchall()[0][0])
