"""Which landed rows edges between tables lead to, from those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
from pyarrow import parquet

from insight import layers
from orchestration.sql import literal, quoted

LARGEST: Final = 0.1
"""The share of rows above which all are made again, since that is quicker."""
FEWEST: Final = 200
"""Rows that are never too many."""

MUCH: Final = 0.25
"""The share of a table's rows from which on all of them are read, since that is quicker than to name them."""

_EVERY: Final = ""
"""In place of a table of keys: every row."""


@dataclass(frozen=True, slots=True)
class Edge:
    """`concerns` of one table for another: which columns of the two are equal."""

    here: str
    there: str
    columns: tuple[tuple[str, str], ...]

    def turned(self) -> Edge:
        """The same edge, the other way."""
        return Edge(self.there, self.here, tuple((its, mine) for mine, its in self.columns))


class Reach:
    """Sets of rows, by table: those that changed, and those that edges lead to from a set.

    A set may hold keys that no row has: of rows that are gone, and of rows that others name and that never were.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        now: Mapping[str, Path],
        edges: Sequence[Edge],
        keys: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Begin with empty sets.

        Args:
            connection: Where the sets are made.
            now: Table to its landed rows.
            edges: What concerns what.
            keys: Table to the columns that its key is made of.
        """
        self._connection = connection
        self._now = now
        self._edges = edges
        self._keys = keys
        self._place = {table: place for place, table in enumerate(now)}
        self._round = 0
        self._sizes = {table: _rows_at_first(path) for table, path in now.items()}
        self._whole: dict[str, set[str]] = {}
        self._sizes_of: dict[str, int] = {}
        self._since: dict[str, str] = {}
        for table in now:
            self._make("moved", table)
            connection.execute(f"CREATE TABLE {self._old(table)} AS FROM {layers.rows(now[table])} LIMIT 0")

    def change(self, table: str, keys: str, was: Path) -> None:
        """Add to the set `moved` the rows of these keys, as they are and as they were."""
        moved = self._name("moved", table)
        self._add(moved, f"SELECT _key FROM {keys}")
        self._since[table] = layers.rows_since(self._now[table], was)
        if self._sizes_of[moved]:
            self._connection.execute(
                f"INSERT INTO {self._old(table)} BY NAME SELECT {self._needed(table)} FROM {layers.rows(was)} "
                f"SEMI JOIN {moved} USING (_key)"
            )

    def follow(self, to: str, start: str, *, turned: bool = False, any_number: bool = False) -> bool:
        """Make the set `to` of all that edges lead to from `start`; False where these are too many.

        Where any number will do, a table of which it has much is in it as a whole.
        """
        edges = [edge.turned() for edge in self._edges] if turned else self._edges
        for table in self._now:
            self._make(to, table)
        self._whole[to] = set()
        latest = {table: self._name(start, table) for table in self._now}
        while latest:
            if not any_number and self._too_many(to, start):
                return False
            latest = self._step(to, start, edges, latest, any_number=any_number)
        return True

    def merge(self, to: str, sets: Sequence[str]) -> None:
        """Make the set `to` of several."""
        self._whole[to] = set().union(*(self._whole.get(one, ()) for one in sets))
        for table in self._now:
            self._make(to, table)
            held = [name for one in sets if self._sizes_of[name := self._name(one, table)]]
            if held:
                self._add(self._name(to, table), " UNION ".join(f"SELECT _key FROM {name}" for name in held))

    def rows(self, of: str, table: str, columns: Sequence[str] | None, *, whole: bool) -> pa.Table:
        """The rows of a set as they are now, with these columns or all; every row where that is asked for."""
        listed = "*" if columns is None else ", ".join(map(quoted, columns))
        some = "" if whole or table in self._whole[of] else f" SEMI JOIN {self._name(of, table)} USING (_key)"
        if some and not self._sizes_of[self._name(of, table)]:
            some = " LIMIT 0"
        return self._connection.sql(f"SELECT {listed} FROM {layers.rows(self._now[table])}{some}").to_arrow_table()

    def keys(self, of: str) -> pa.Table:
        """The rows of a set: `source_table` and `source_key`; none where there are no tables."""
        if not self._now:
            return pa.schema([("source_table", pa.string()), ("source_key", pa.string())]).empty_table()
        each = " UNION ALL ".join(
            f"SELECT {literal(table)} AS source_table, _key AS source_key FROM {self._name(of, table)}"
            for table in self._now
        )
        return self._connection.sql(each).to_arrow_table()

    def _step(
        self, to: str, start: str, edges: Sequence[Edge], latest: Mapping[str, str], *, any_number: bool
    ) -> dict[str, str]:
        """Add to `to` what edges lead to from the latest of it, and return that: table to where its keys are."""
        self._round += 1
        found: dict[str, str] = {}
        for table, keys in latest.items():
            mine = [edge for edge in edges if edge.here == table and edge.there not in self._whole[to]]
            if not mine or (keys != _EVERY and not self._sizes_of[keys]):
                continue
            those = "" if keys == _EVERY else f"SEMI JOIN {keys} USING (_key)"
            # Of what changed, what it is now stands in a few layers.
            rows = self._since[table] if keys == self._name("moved", table) else layers.rows(self._now[table])
            listed = ", ".join(quoted(column) for column in sorted({ours for edge in mine for ours, _ in edge.columns}))
            self._connection.execute(
                f"CREATE OR REPLACE TEMP TABLE stand AS "
                f"SELECT {listed} FROM {rows} {those} UNION SELECT {listed} FROM {self._old(table)} {those}"
            )
            for edge in mine:
                self._arrive(to, start, edge, found, any_number=any_number)
        return found

    def _arrive(self, to: str, start: str, edge: Edge, found: dict[str, str], *, any_number: bool) -> None:
        there = edge.there
        stated = " AND ".join(f"{quoted(mine)} IS NOT NULL" for mine, _ in edge.columns)
        if there in self._whole[to] or not self._count(f"SELECT count(*) FROM stand WHERE {stated}"):
            return
        most = max(FEWEST, int(MUCH * self._sizes[there]))
        limit = f"LIMIT {most}" if any_number else ""
        arrived = self._count(
            f"CREATE OR REPLACE TEMP TABLE arrived AS SELECT _key FROM {self._led_to(edge)} AS it "
            f"ANTI JOIN {self._name(to, there)} AS ours ON ours._key = it._key "
            f"ANTI JOIN {self._name(start, there)} AS first ON first._key = it._key {limit}"
        )
        if any_number and arrived == most:
            self._whole[to].add(there)
            found[there] = _EVERY
        if not arrived or found.get(there) == _EVERY:
            return
        if there not in found:
            found[there] = f"{to}_{self._place[there]}_{self._round}"
            self._connection.execute(f"CREATE TEMP TABLE {found[there]} (_key VARCHAR)")
            self._sizes_of[found[there]] = 0
        for name in (self._name(to, there), found[there]):
            self._add(name, "FROM arrived")

    def _led_to(self, edge: Edge) -> str:
        """A query for the keys that an edge leads to from `stand`, each once; perhaps for others besides."""
        if [its for _, its in edge.columns] == list(self._keys[edge.there]) and len(edge.columns) == 1:
            # What names a row by its key need not be looked for.
            key = f"nullif(trim({quoted(edge.columns[0][0])}), '')"
            return f"(SELECT DISTINCT {key} AS _key FROM stand WHERE {key} IS NOT NULL)"
        equal = " AND ".join(f"it.{quoted(its)} = stand.{quoted(mine)}" for mine, its in edge.columns)
        return f"(SELECT _key FROM {layers.rows(self._now[edge.there])} AS it SEMI JOIN stand ON {equal})"

    def _too_many(self, *sets: str) -> bool:
        counts = sum(self._sizes_of[self._name(one, table)] for one in sets for table in self._now)
        return counts > max(FEWEST, LARGEST * sum(self._sizes.values()))

    def _needed(self, table: str) -> str:
        """Columns of a table that edges speak of."""
        named = {mine for edge in self._edges for mine, _ in edge.columns if edge.here == table}
        named |= {its for edge in self._edges for _, its in edge.columns if edge.there == table}
        return ", ".join(["_key", *(quoted(name) for name in sorted(named - {"_key"}))])

    def _make(self, name: str, table: str) -> None:
        self._connection.execute(f"CREATE TABLE {self._name(name, table)} (_key VARCHAR)")
        self._sizes_of[self._name(name, table)] = 0

    def _add(self, name: str, query: str) -> None:
        """Add keys to a set of one table."""
        self._sizes_of[name] += self._count(f"INSERT INTO {name} {query}")

    def _name(self, name: str, table: str) -> str:
        return f"{name}_{self._place[table]}"

    def _old(self, table: str) -> str:
        return f"old_{self._place[table]}"

    def _count(self, query: str) -> int:
        return int(self._connection.execute(query).fetchall()[0][0])


def _rows_at_first(path: Path) -> int:
    """How many rows a table had when it was last written whole."""
    return int(parquet.read_metadata(layers.lineage(path.parent)[-1] / path.name).num_rows)
