"""Random histories of the three systems of Northgate, and what is made of them a step at a time and at once."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import duckdb

from insight import layers
from insight.landing import LandedTable, land
from insight.layers import Layer
from insight.records import aliases, conform, rejected
from insight.records.record_set import AliasSet, RecordSet, RejectedSet
from insight.sources.source import Source
from orchestration.graph.model import SHAPES
from orchestration.settings import Settings
from orchestration.sql import quoted
from tests.integration.sources.folders import settings

_STAMP: Final = "_fivetran_synced"
_TWICE: Final = 0.1


@dataclass
class History:
    """Databases that change, by one source of luck.

    Attributes:
        folder: Where `crm.db`, `erp.db` and `support.db` are.
        luck: What decides.
        told: What was done, for whoever reads of a failure.
    """

    folder: Path
    sources: Sequence[Source]
    luck: random.Random
    told: list[str] = field(default_factory=list)
    _stamp: int = 0

    def step(self, changes: int) -> None:
        """Make some changes of any kind in any tables."""
        kept = self.folder.parent / f"kept-{len(list(self.folder.parent.glob('kept-*')))}"
        shutil.copytree(self.folder, kept)
        if self.luck.random() < _TWICE:
            earlier = self.luck.choice(sorted(self.folder.parent.glob("kept-*")))
            self.told.append(f"all goes back to {earlier.name}")
            shutil.rmtree(self.folder)
            shutil.copytree(earlier, self.folder)
            return
        for _ in range(changes):
            source = self.luck.choice(self.sources)
            with closing(sqlite3.connect(self.folder / f"{source.system}.db")) as database, database:
                self._change(database, source)

    def _change(self, database: sqlite3.Connection, source: Source) -> None:
        ways: list[Callable[[sqlite3.Connection, Source, str], str]] = [
            self._edit,
            self._edit,
            self._edit_key,
            self._insert,
            self._insert,
            self._delete,
            self._delete,
            self._mark,
        ]
        if source.system == "crm":
            ways += [self._merge_company, self._merge_contact]
        way, table = self.luck.choice(ways), self.luck.choice(list(source.tables))
        try:
            self.told.append(f"{source.system}: {way(database, source, table)}")
        except sqlite3.IntegrityError:
            self.told.append(f"{source.system}: nothing, {table} does not take it")

    def _edit(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        spec = source.tables[table]
        column = self.luck.choice([name for name in spec.stated if name not in spec.key] or spec.key)
        return self._set(database, table, column)

    def _edit_key(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        return self._set(database, table, self.luck.choice(source.tables[table].key))

    def _set(self, database: sqlite3.Connection, table: str, column: str) -> str:
        row, other = self._row(database, table), self._row(database, table)
        if row is None or column not in _columns(database, table):
            return f"no change of {table}"
        value = self.luck.choice(
            [f"(SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = {other})", "NULL", "'7'"]
        )
        was = database.execute(f"SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = {row}").fetchall()[0][0]
        database.execute(f"UPDATE {quoted(table)} SET {quoted(column)} = {value} WHERE rowid = {row}")
        self._touch(database, table, row)
        new = database.execute(f"SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = {row}").fetchall()[0][0]
        return f"{table}.{column} of row {row}: {was!r} -> {new!r}"

    def _insert(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        """A row like another, in part like a third, mostly with a key of its own."""
        row, other = self._row(database, table), self._row(database, table)
        if row is None:
            return f"no row of {table}"
        columns = _columns(database, table)
        chosen = []
        for column in columns:
            named = (
                f"(SELECT {quoted(column)} FROM {quoted(table)} WHERE rowid = {self.luck.choice([row, row, other])})"
            )
            key = source.tables[table].key
            fresh = column in key and (len(key) == 1 or self.luck.random() < 0.5) and self.luck.random() > _TWICE
            chosen.append(str(self.luck.randrange(10**8, 10**9)) if fresh else named)
        listed = ", ".join(map(quoted, columns))
        made = database.execute(f"INSERT INTO {quoted(table)} ({listed}) SELECT {', '.join(chosen)}").lastrowid
        self._touch(database, table, int(made or 0))
        return f"{table} gets the row {made}, like {row} and {other}"

    def _delete(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        del source
        row = self._row(database, table)
        database.execute(f"DELETE FROM {quoted(table)} WHERE rowid = ?", [row])
        return f"{table} loses the row {row}"

    def _mark(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        marks, row = source.tables[table].deleted, self._row(database, table)
        if marks is None or row is None:
            return self._delete(database, source, table)
        value = self.luck.choice([0, 1, 1])
        database.execute(f"UPDATE {quoted(table)} SET {quoted(marks)} = {value} WHERE rowid = ?", [row])
        self._touch(database, table, row)
        return f"{table}.{marks} of row {row} is {value}"

    def _merge_company(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        del source, table
        return self._merged(database, "company")

    def _merge_contact(self, database: sqlite3.Connection, source: Source, table: str) -> str:
        del source, table
        if self.luck.random() < 0.5:
            return self._merged(database, "contact")
        kept, gone = (self._id(database, "contact") for _ in range(2))
        database.execute("INSERT INTO contact_merge_audit (canonical_vid, vid_to_merge) VALUES (?, ?)", [kept, gone])
        self._touch(database, "contact_merge_audit", database.execute("SELECT last_insert_rowid()").fetchall()[0][0])
        return f"contact {gone} is merged into {kept}, says the audit"

    def _merged(self, database: sqlite3.Connection, table: str) -> str:
        kept, gone = (self._id(database, table) for _ in range(2))
        database.execute(
            f"UPDATE {quoted(table)} SET property_hs_merged_object_ids = "
            "coalesce(property_hs_merged_object_ids || ';', '') || ? WHERE id = ?",
            [gone, kept],
        )
        if self.luck.random() < 0.7:
            database.execute(f"DELETE FROM {quoted(table)} WHERE id = ?", [gone])
        return f"{table} {gone} is merged into {kept}"

    def _id(self, database: sqlite3.Connection, table: str) -> object:
        found = database.execute(f"SELECT id FROM {quoted(table)} WHERE rowid = ?", [self._row(database, table)])
        return next((row[0] for row in found.fetchall()), None)

    def _row(self, database: sqlite3.Connection, table: str) -> int | None:
        rows = [row[0] for row in database.execute(f"SELECT rowid FROM {quoted(table)} ORDER BY rowid").fetchall()]
        return self.luck.choice(rows) if rows else None

    def _touch(self, database: sqlite3.Connection, table: str, row: int) -> None:
        self._stamp += 1
        if _STAMP in _columns(database, table):
            stamp = f"2031-01-01T00:{self._stamp // 60:02}:{self._stamp % 60:02}Z"
            database.execute(f"UPDATE {quoted(table)} SET {_STAMP} = ? WHERE rowid = ?", [stamp, row])


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in database.execute(f"PRAGMA table_info({quoted(table)})").fetchall()]


@dataclass
class Home:
    """A place where records are made, all at once or from what was made there before."""

    settings: Settings
    shapes: dict[str, RecordSet] = field(default_factory=dict)
    merged: AliasSet | None = None
    refused: RejectedSet | None = None

    @classmethod
    def at(cls, folder: Path) -> Home:
        return cls(settings(folder))

    def make(self, sources: Sequence[Source], landed: Sequence[LandedTable]) -> None:
        """Make all records, those that were made before in mind."""
        made: dict[str, RecordSet] = {}
        merged: AliasSet | None = None
        for name, shape in SHAPES.items():
            made[name] = conform.build(
                shape, sources, landed, made, merged, self.settings, before=self.shapes.get(name)
            )
            if merged is None:
                merged = aliases.build(sources, landed, made[name], self.settings, before=self.merged)
        self.refused = rejected.build(sources, landed, self.settings, before=self.refused)
        self.shapes, self.merged = made, merged

    def tables(self) -> dict[str, Path]:
        """Every table that was made, by name."""
        found = {
            f"{name} {path.stem}": path
            for name, one in self.shapes.items()
            for path in (one.record, one.quarantine, one.note, one.support)
        }
        assert self.merged is not None
        assert self.refused is not None
        return found | {
            "alias": self.merged.alias,
            "refused": self.refused.quarantine,
            "supporting": self.refused.supporting,
        }


def landed_at_once(sources: Sequence[Source], kept: Settings, home: Path) -> list[LandedTable]:
    """What `home` holds, read in full."""
    return [one for source in sources for one in land(source, kept, home=home)]


def landed_as_layers(now: Sequence[LandedTable], before: Sequence[LandedTable], folder: Path) -> list[LandedTable]:
    """The same tables, each as what differs from the one before."""
    was = {(one.system, one.table): one for one in before}
    return [_layer(one, was.get((one.system, one.table)), folder) for one in now]


def _layer(now: LandedTable, was: LandedTable | None, folder: Path) -> LandedTable:
    made = folder / now.system / now.table / now.data_version
    landed = replace(now, path=made / "row.parquet", rejected=made / "rejected.parquet")
    if made.exists():
        return landed
    made.mkdir(parents=True)
    shutil.copy(now.rejected, landed.rejected)
    keys = {"row": ("_key",)}
    with duckdb.connect() as connection:
        if was is None:
            layers.put(
                connection,
                made,
                "row",
                f"SELECT * FROM {layers.rows(now.path)}",
                None,
                None,
                whole=True,
                keys=keys["row"],
            )
            layers.describe(made, Layer(keys))
            return landed
        new, old = layers.rows(now.path), layers.rows(was.path)
        new_keys, old_keys = (f"SELECT _key, _row_hash FROM {rows}" for rows in (new, old))
        connection.execute(
            "CREATE TABLE moved AS SELECT DISTINCT _key FROM "
            f"(({new_keys} EXCEPT {old_keys}) UNION ALL ({old_keys} EXCEPT {new_keys}))"
        )
        above = layers.may_layer(was.path.parent)
        layers.put(
            connection,
            made,
            "row",
            f"SELECT * FROM {new} SEMI JOIN moved USING (_key)",
            "SELECT _key FROM moved",
            was.path.parent,
            whole=not above,
            keys=keys["row"],
        )
        below = layers.read_layer(was.path.parent)
        assert below is not None
        layers.describe(made, Layer(keys, since=was.path.parent.name, height=below.height + 1 if above else 0))
    return landed


def differences(one: Path, other: Path) -> list[tuple[object, ...]]:
    """Rows that only one of two tables has, or has more often; the first few, each with the side it stands on."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        sides = {"first": layers.rows(one), "second": layers.rows(other)}
        names = [{row[0] for row in connection.execute(f"DESCRIBE FROM {rows}").fetchall()} for rows in sides.values()]
        assert names[0] == names[1]
        listed = ", ".join(map(quoted, sorted(names[0])))
        first, second = (f"(SELECT {listed} FROM {rows})" for rows in sides.values())
        return connection.execute(
            f"SELECT 'only first', * FROM ({first} EXCEPT ALL {second}) UNION ALL "
            f"SELECT 'only second', * FROM ({second} EXCEPT ALL {first}) LIMIT 6"
        ).fetchall()


def untold(now: Path, was: Path) -> list[tuple[object, ...]]:
    """Keys of rows that differ between two versions of a table though it is said that they do not."""
    layer, told = layers.read_layer(now.parent), layers.touched(now, was)
    if layer is None or told is None:
        return []
    keys = ", ".join(layer.keys[now.stem])
    with duckdb.connect() as connection:
        new, old = layers.rows(now), layers.rows(was)
        return connection.execute(
            f"SELECT DISTINCT {keys} FROM ((FROM {new} EXCEPT ALL FROM {old}) UNION ALL "
            f"(FROM {old} EXCEPT ALL FROM {new})) ANTI JOIN {told} AS told USING ({keys}) LIMIT 6"
        ).fetchall()


def in_layers(tables: Iterator[Path]) -> int:
    """How many of the tables are in folders that say what changed since another."""
    return sum((layer := layers.read_layer(path.parent)) is not None and layer.since is not None for path in tables)
