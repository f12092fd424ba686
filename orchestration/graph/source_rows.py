"""The source rows of a graph: a table each in the schema `source`, with the columns that the source has, and one view.

A million rows as JSON take four times the room of their columns, and the hash of a row, which looks like noise, as much
again. So `source."<system>:<table>"` holds what was read, and the view `source_record` makes the JSON and the hash of
the rows that somebody asks for. Where it is not said how a row's hash is made of its columns, the hash is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from orchestration.graph.ddl import packed
from orchestration.graph.inputs import CandidateInputs, Landed
from orchestration.layers import rows
from orchestration.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection

SCHEMA: Final = "source"
_OURS: Final = ("_record", "_row_hash", "_first_seen")
_SAMPLE: Final = 20_000
"""Rows that are looked at to see what a column is like."""
_NOTHING: Final = (
    "SELECT NULL::VARCHAR AS record_id, NULL::VARCHAR AS system, NULL::VARCHAR AS source_table, "
    "NULL::VARCHAR AS source_key, NULL::VARCHAR AS row_hash, NULL::JSON AS row, NULL::TIMESTAMPTZ AS first_seen "
    "WHERE false"
)


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One source table as a graph holds it.

    Attributes:
        system: Which source system.
        table: Which of its tables.
        columns: What was read of it, in order.
        row_hash: SQL over the columns that gives the row's hash; None where the hash is kept in `_row_hash`.
    """

    system: str
    table: str
    columns: tuple[str, ...]
    row_hash: str | None

    @property
    def prefix(self) -> str:
        """What the record id of each of its rows starts with."""
        return f"{self.system}:{self.table}:"

    @property
    def name(self) -> str:
        """Its name in SQL."""
        return f"{SCHEMA}.{quoted(f'{self.system}:{self.table}')}"

    @property
    def stored(self) -> tuple[str, ...]:
        """The names of its columns, ours first."""
        return (*(name for name in _OURS if name != "_row_hash" or not self.row_hash), *self.columns)

    def rows_of(self, landed: str, first_seen: str = "$read_at") -> str:
        """A query for its rows out of those of a landed table, under the names that they have here."""
        kept = "" if self.row_hash else ", _row_hash"
        listed = ", ".join(map(quoted, self.columns))
        return f"SELECT {literal(self.prefix)} || _key{kept}, {first_seen}, {listed} {landed}"

    def shown(self, where: str = "") -> str:
        """A query for its rows as `source_record` shows them."""
        document = ", ".join(f"{literal(name)}, {quoted(name)}" for name in self.columns)
        return (
            f"SELECT _record AS record_id, {literal(self.system)} AS system, {literal(self.table)} AS source_table, "
            f"substr(_record, {len(self.prefix) + 1}) AS source_key, {self.row_hash or '_row_hash'} AS row_hash, "
            f"json_object({document}) AS row, _first_seen AS first_seen FROM (FROM {self.name} {where})"
        )


def source_tables(connection: Connection, inputs: CandidateInputs) -> dict[tuple[str, str], SourceTable]:
    """The tables that a graph of these inputs has, by system and table."""
    return {(one.system, one.table): _table(connection, one, inputs) for one in inputs.landed}


def create(connection: Connection, table: SourceTable, landed: Landed) -> None:
    """Make a source table, empty, its columns declared by what the first of its rows are like."""
    dense = packed("_record", varied=True)
    kept = "" if table.row_hash else f"_row_hash VARCHAR{dense} NOT NULL, "
    counted = ", ".join(f"approx_count_distinct({quoted(name)}) > {_SAMPLE // 10}" for name in table.columns)
    [varied] = connection.execute(f"SELECT {counted} FROM (FROM {rows(landed.path)} LIMIT {_SAMPLE})").fetchall()
    listed = ", ".join(
        f"{quoted(name)} VARCHAR{packed(name, varied=True) if most else ''}"
        for name, most in zip(table.columns, varied, strict=True)
    )
    connection.execute(
        f"CREATE TABLE {table.name} (_record VARCHAR{dense} NOT NULL, {kept}_first_seen TIMESTAMPTZ NOT NULL, {listed})"
    )


def fill(connection: Connection, table: SourceTable, landed: Landed, before: str | None) -> None:
    """Add every row as it was read; one that was seen before keeps the time when it was seen first.

    Args:
        connection: Where the table is.
        table: The table, empty.
        landed: Where its rows are.
        before: A relation of the graph before with `_record` and `_first_seen`; None where there is none.
    """
    first_seen, seen = "$read_at", ""
    if before is not None:
        first_seen = "coalesce(seen._first_seen, $read_at)"
        seen = f"LEFT JOIN {before} AS seen ON seen._record = {literal(table.prefix)} || now._key"
    _insert(connection, table, landed, f"FROM {rows(landed.path)} AS now {seen}", first_seen)


def add(connection: Connection, table: SourceTable, landed: Landed, changed: str) -> None:
    """Put the rows of `changed`, a query, in place of those whose keys `touched(_key)` has.

    Args:
        connection: Where the table is, and `touched`.
        table: The table.
        landed: Where its rows are.
        changed: A query for the rows of all touched keys as they are now.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE leaving AS SELECT _record, _first_seen "
        f"FROM {table.name} SEMI JOIN touched ON _record = {literal(table.prefix)} || touched._key"
    )
    connection.execute(f"DELETE FROM {table.name} USING leaving WHERE leaving._record = {table.name}._record")
    joined = f"FROM {changed} AS now LEFT JOIN leaving ON leaving._record = {literal(table.prefix)} || now._key"
    _insert(connection, table, landed, joined, "coalesce(leaving._first_seen, $read_at)")


def show(connection: Connection, tables: Sequence[SourceTable]) -> None:
    """Make the views `source_record` and `source_id` over all source tables, and the macro `source_rows` for some rows.

    The macro picks the rows of each table before it makes their JSON and their hash.
    """
    every = " UNION ALL ".join(table.shown() for table in tables) or _NOTHING
    connection.execute(f"CREATE OR REPLACE VIEW source_record AS {_seen(every)}")
    ids = " UNION ALL ".join(f"SELECT _record AS record_id FROM {table.name}" for table in tables)
    connection.execute(f"CREATE OR REPLACE VIEW source_id AS {ids or f'SELECT record_id FROM ({_NOTHING})'}")
    picked = " UNION ALL ".join(_picked(tables)) or _NOTHING
    wanted = "WITH wanted AS MATERIALIZED (SELECT unnest(ids) AS id)"
    connection.execute(f"CREATE OR REPLACE MACRO source_rows(ids) AS TABLE {wanted} {_seen(picked)}")


def seen_before(connection: Connection, table: SourceTable) -> str | None:
    """A relation with `_record` and `_first_seen` of the rows that the attached graph `before` has of a table."""
    there = connection.execute(
        "SELECT schema_name = $schema FROM duckdb_tables() WHERE database_name = 'before' "
        "AND ((schema_name = $schema AND table_name = $name) OR table_name = 'source_record') ORDER BY 1 DESC",
        {"schema": SCHEMA, "name": f"{table.system}:{table.table}"},
    ).fetchall()
    if not there:
        return None
    if there[0][0]:
        return f"(SELECT _record, _first_seen FROM before.{table.name})"
    # a graph of an earlier version of Precede, which kept all rows in one table
    return (
        "(SELECT record_id AS _record, first_seen AS _first_seen FROM before.main.source_record "
        f"WHERE system = {literal(table.system)} AND source_table = {literal(table.table)})"
    )


def _table(connection: Connection, landed: Landed, inputs: CandidateInputs) -> SourceTable:
    named = [row[0] for row in connection.execute(f"DESCRIBE FROM {rows(landed.path)}").fetchall()]
    columns = tuple(name for name in named if name not in {"_key", "_row_hash"})
    return SourceTable(landed.system, landed.table, columns, inputs.hashed.get((landed.system, landed.table)))


def _insert(connection: Connection, table: SourceTable, landed: Landed, joined: str, first_seen: str) -> None:
    columns = ", ".join(map(quoted, table.stored))
    rows_ = table.rows_of(joined, first_seen)
    connection.execute(f"INSERT INTO {table.name} ({columns}) {rows_}", {"read_at": landed.read_at})


def _picked(tables: Sequence[SourceTable]) -> Iterator[str]:
    for table in tables:
        own = f"SELECT id FROM wanted WHERE starts_with(id, {literal(table.prefix)})"
        yield table.shown(f"WHERE _record IN ({own})")


def _seen(every: str) -> str:
    """With when each row was read last, which is when its table was."""
    return (
        f"SELECT each.*, read.read_at AS last_seen FROM ({every}) AS each "
        "LEFT JOIN snapshot_source AS read USING (system, source_table)"
    )
