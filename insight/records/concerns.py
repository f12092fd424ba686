"""Which landed rows a `.sql` must see again after some changed, as `concerns` in `source.yml` says.

`concerns` is a directed edge between tables: a change of a row here is a change of what is made of those rows there.
What is made of a row may have to be made again (it is affected) where the row changed, or one did that concerns it,
over any number of edges. To make it again takes the row, and every row that concerns it. `reject.sql` and
`supporting.sql` speak of rows that complete others, so there the edges are followed both ways, each way by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from pyarrow import parquet

from insight import layers
from insight.sources.source import Source
from orchestration.sql import literal, quoted

LARGEST: Final = 0.1
"""The share of rows above which all are made again, since that is quicker."""
FEWEST: Final = 200
"""Rows that are never too many."""

_KEPT: Final = 4
_recent: dict[tuple[object, ...], Slice | None] = {}


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of one system's landed tables that a `.sql` is run over.

    Attributes:
        rows: Table to its rows as landed, of every table that may be read.
        affected: `source_table` and `source_key` of the rows of which anything may have to be made again; some of
            them may be gone.
    """

    rows: Mapping[str, pa.Table]
    affected: pa.Table


@dataclass(frozen=True, slots=True)
class Edge:
    """`concerns` of one table for another: which columns of the two are equal."""

    here: str
    there: str
    columns: tuple[tuple[str, str], ...]

    def turned(self) -> Edge:
        """The same edge, the other way."""
        return Edge(self.there, self.here, tuple((its, mine) for mine, its in self.columns))


def slice_of(
    source: Source, now: Mapping[str, Path], was: Mapping[str, Path], used: frozenset[str], *, both: bool = False
) -> Slice | None:
    """The slice of one system's tables that changed between two landings; None where all must be looked at.

    Args:
        source: The source.
        now: Table to its landed rows.
        was: The same of the landing before.
        used: The tables that are read.
        both: Whether edges are followed both ways.
    """
    tables = tuple(sorted(used))
    key = (
        str(source.file),
        repr([source.tables[table].concerns for table in tables]),
        *((now.get(table), was.get(table)) for table in tables),
        tables,
        both,
    )
    if key not in _recent:
        while len(_recent) >= _KEPT:
            _recent.pop(next(iter(_recent)))
        _recent[key] = _slice(source, now, was, tables, both=both)
    return _recent[key]


def _slice(
    source: Source, now: Mapping[str, Path], was: Mapping[str, Path], tables: Sequence[str], *, both: bool
) -> Slice | None:
    declared = {table: source.tables[table].concerns for table in tables}
    if any(table not in now or table not in was for table in tables):
        return None
    moved = {table: layers.touched(now[table], was[table]) for table in tables if now[table] != was[table]}
    if any(query is None or declared[table] is None for table, query in moved.items()):
        return None
    with duckdb.connect() as connection:
        reach = _Reach(connection, {table: now[table] for table in tables}, list(_edges(declared)))
        for table, query in moved.items():
            reach.change(table, str(query), was[table])
        ahead = reach.follow("ahead", "moved")
        back = reach.follow("back", "moved", turned=True) if both and ahead else True
        if not (ahead and back):
            return None
        reach.merge("affected", ["moved", "ahead", *(["back"] if both else [])])
        # What these need may be anything, as a currency needs all invoices: it is read, and not made again.
        reach.follow("needed", "affected", turned=True, any_number=True)
        if both:
            reach.follow("completed", "affected", any_number=True)
        reach.merge("seen", ["affected", "needed", *(["completed"] if both else [])])
        rows = {table: reach.rows("seen", table, whole=declared[table] is None) for table in tables}
        return Slice(rows, reach.keys("affected"))


def _edges(declared: Mapping[str, Mapping[str, Mapping[str, str]] | None]) -> Iterator[Edge]:
    for here, theirs in declared.items():
        for there, columns in (theirs or {}).items():
            if there in declared:
                yield Edge(here, there, tuple(columns.items()))


class _Reach:
    """Sets of rows, by table: those that changed, and those that edges lead to from a set."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, now: Mapping[str, Path], edges: Sequence[Edge]) -> None:
        self._connection = connection
        self._now = now
        self._edges = edges
        self._place = {table: place for place, table in enumerate(now)}
        self._round = 0
        self._rows = sum(_rows_at_first(path) for path in now.values())
        for table in now:
            self._make("moved", table)
            connection.execute(f"CREATE TABLE {self._old(table)} AS FROM {layers.rows(now[table])} LIMIT 0")

    def change(self, table: str, keys: str, was: Path) -> None:
        """Add to the set `moved` the rows of these keys, as they are and as they were."""
        self._connection.execute(f"INSERT INTO {self._name('moved', table)} SELECT _key FROM {keys}")
        self._connection.execute(
            f"INSERT INTO {self._old(table)} BY NAME SELECT {self._needed(table)} FROM {layers.rows(was)} "
            f"SEMI JOIN {self._name('moved', table)} USING (_key)"
        )

    def follow(self, to: str, start: str, *, turned: bool = False, any_number: bool = False) -> bool:
        """Make the set `to` of all that edges lead to from `start`; False where these are too many."""
        edges = [edge.turned() for edge in self._edges] if turned else self._edges
        for table in self._now:
            self._make(to, table)
        latest = {table: self._name(start, table) for table in self._now}
        while latest:
            if not any_number and self._too_many(to, start):
                return False
            latest = self._step(to, start, edges, latest)
        return True

    def merge(self, to: str, sets: Sequence[str]) -> None:
        """Make the set `to` of several."""
        for table in self._now:
            each = " UNION ".join(f"SELECT _key FROM {self._name(one, table)}" for one in sets)
            self._connection.execute(f"CREATE TABLE {self._name(to, table)} AS {each}")

    def rows(self, of: str, table: str, *, whole: bool) -> pa.Table:
        """The rows of a set as they are now."""
        some = "" if whole else f" SEMI JOIN {self._name(of, table)} USING (_key)"
        if some and not self._count(f"SELECT count(*) FROM {self._name(of, table)}"):
            some = " LIMIT 0"
        return self._connection.sql(f"SELECT * FROM {layers.rows(self._now[table])}{some}").to_arrow_table()

    def keys(self, of: str) -> pa.Table:
        """The rows of a set: `source_table` and `source_key`."""
        each = " UNION ALL ".join(
            f"SELECT {literal(table)} AS source_table, _key AS source_key FROM {self._name(of, table)}"
            for table in self._now
        )
        return self._connection.sql(each).to_arrow_table()

    def _step(self, to: str, start: str, edges: Sequence[Edge], latest: Mapping[str, str]) -> dict[str, str]:
        """Add to `to` what edges lead to from the latest of it, and return that: table to where its keys are."""
        self._round += 1
        found: dict[str, str] = {}
        for table, keys in latest.items():
            mine = [edge for edge in edges if edge.here == table]
            if not mine or not self._count(f"SELECT count(*) FROM {keys}"):
                continue
            listed = ", ".join(quoted(column) for column in sorted({ours for edge in mine for ours, _ in edge.columns}))
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE stand AS "
                f"SELECT {listed} FROM {layers.rows(self._now[table])} SEMI JOIN {keys} USING (_key) UNION "
                f"SELECT {listed} FROM {self._old(table)} SEMI JOIN {keys} USING (_key)"
            )
            for edge in mine:
                self._arrive(to, start, edge, found)
        return found

    def _arrive(self, to: str, start: str, edge: Edge, found: dict[str, str]) -> None:
        there = edge.there
        equal = " AND ".join(f"it.{quoted(its)} = stand.{quoted(mine)}" for mine, its in edge.columns)
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE arrived AS "
            f"SELECT _key FROM {layers.rows(self._now[there])} AS it SEMI JOIN stand ON {equal} "
            f"ANTI JOIN {self._name(to, there)} AS ours ON ours._key = it._key "
            f"ANTI JOIN {self._name(start, there)} AS first ON first._key = it._key"
        )
        if not self._count("SELECT count(*) FROM arrived"):
            return
        if there not in found:
            found[there] = f"{to}_{self._place[there]}_{self._round}"
            self._connection.execute(f"CREATE TEMP TABLE {found[there]} (_key VARCHAR)")
        self._connection.execute(f"INSERT INTO {self._name(to, there)} FROM arrived")
        self._connection.execute(f"INSERT INTO {found[there]} FROM arrived")

    def _too_many(self, *sets: str) -> bool:
        counts = " + ".join(f"(SELECT count(*) FROM {self._name(one, table)})" for one in sets for table in self._now)
        return self._count(f"SELECT {counts}") > max(FEWEST, LARGEST * self._rows)

    def _needed(self, table: str) -> str:
        """Columns of a table that edges speak of."""
        named = {mine for edge in self._edges for mine, _ in edge.columns if edge.here == table}
        named |= {its for edge in self._edges for _, its in edge.columns if edge.there == table}
        return ", ".join(["_key", *(quoted(name) for name in sorted(named - {"_key"}))])

    def _make(self, name: str, table: str) -> None:
        self._connection.execute(f"CREATE TABLE {self._name(name, table)} (_key VARCHAR)")

    def _name(self, name: str, table: str) -> str:
        return f"{name}_{self._place[table]}"

    def _old(self, table: str) -> str:
        return f"old_{self._place[table]}"

    def _count(self, query: str) -> int:
        return int(self._connection.execute(query).fetchall()[0][0])


def _rows_at_first(path: Path) -> int:
    """How many rows a table had when it was last written whole."""
    return int(parquet.read_metadata(layers.lineage(path.parent)[-1] / path.name).num_rows)
