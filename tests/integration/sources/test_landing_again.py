"""What is landed from where the last reading stood is what reading everything lands, after any history."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import duckdb
import psycopg
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from insight import layers
from insight.landing import LandedTable, land
from insight.landing.cursor import since
from insight.sources.loading import load_sources
from insight.sources.readers.sql import Since
from insight.sources.source import Source
from tests.effort import EFFORT
from tests.integration.sources.folders import declared, rows, settings, source, write_source

START = datetime(2026, 11, 2, 5, tzinfo=UTC)
TABLE = {"key": ["id"], "columns": ["name"], "volatile": ["synced"], "deleted": "gone", "cursor": "synced"}
KEYS = st.sampled_from(["1", "2", "3", "4", " 2", "5 ", "", None])
EDIT = st.tuples(
    st.sampled_from(["insert", "insert", "change", "change", "mark", "unmark", "remove", "rename"]),
    KEYS,
    st.sampled_from(["Dale", "Mill", "Beck", None]),
    st.integers(0, 50),
)
"""What is done to the rows of a key, and how many minutes ago its stamp says it was."""
HISTORY = st.lists(st.tuples(st.lists(EDIT, max_size=4), st.sampled_from([1, 20, 200])), min_size=1, max_size=6)
"""Steps of some edits each, and the minutes from one to the next."""


class Company:
    """A database with one table, edited as time goes by."""

    def __init__(self, folder: Path, *, unique: bool = False) -> None:
        self.now = START
        self.path = folder / "crm.db"
        self.do(f"CREATE TABLE company (id {'INTEGER UNIQUE' if unique else ''}, name, gone, synced, list)")

    def do(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)

    def insert(self, key: object, name: object = "Dale", ago: int = 0, **more: object) -> None:
        stated = (key, name, more.get("gone", 0), self.stamp(ago), more.get("list"))
        self.do("INSERT INTO company VALUES (?, ?, ?, ?, ?)", *stated)

    def edit(self, what: str, key: str | None, name: str | None, ago: int) -> None:
        at = self.stamp(ago)
        match what:
            case "insert":
                self.insert(key, name, ago)
            case "change":
                self.do("UPDATE company SET name = ?, synced = ? WHERE id IS ?", name, at, key)
            case "mark" | "unmark":
                self.do("UPDATE company SET gone = ?, synced = ? WHERE id IS ?", what == "mark", at, key)
            case "remove":
                self.do("DELETE FROM company WHERE rowid = (SELECT max(rowid) FROM company WHERE id IS ?)", key)
            case "rename":
                self.do("UPDATE company SET id = ?, synced = ? WHERE id IS ?", f"{key}{name}"[:2], at, key)

    def stamp(self, ago: int = 0) -> str:
        return (self.now - timedelta(minutes=ago)).strftime("%Y-%m-%dT%H:%M:%S.%f")


def stated(one: LandedTable) -> dict[str, Any]:
    """What a reading says of a table, apart from times and from columns that make no version."""

    def plain(path: Path) -> list[dict[str, Any]]:
        return [{name: row[name] for name in ("id", "name", "_key", "_row_hash")} for row in rows(path)]

    counts = (one.system, one.data_version, one.row_count, one.deleted_count, one.rejected_count)
    rejected = sorted((row["record_id"], row["reason"], row["detail"], row["row_hash"]) for row in rows(one.rejected))
    return {"counts": counts, "rows": plain(one.path), "rejected": rejected}


def in_full(made: Source, now: datetime) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        return [stated(one) for one in land(made, settings(Path(folder)), now)]


@contextmanager
def company(*, unique: bool = False, **more: Any) -> Iterator[tuple[Source, Company]]:
    with tempfile.TemporaryDirectory() as folder:
        made = source(Path(folder), declared(**({"tables": {"company": TABLE}} | more)))
        yield made, Company(Path(folder), unique=unique)


def watch(made: Source, database: Company, before: Sequence[LandedTable] = (), **more: Any) -> list[LandedTable]:
    return land(made, settings(made.folder / "home"), database.now, before=before, **more)


@pytest.mark.law
@pytest.mark.timeout(300)
@hypothesis_settings(max_examples=20 * EFFORT)
@given(history=HISTORY, unique=st.booleans())
def test_reading_from_the_cursor_on_lands_what_reading_everything_does(
    history: Sequence[tuple[Sequence[tuple[str, str | None, str | None, int]], int]], *, unique: bool
) -> None:
    with company(unique=unique) as (made, database):
        for key in range(1, 5):
            database.insert(str(key))
        landed = watch(made, database)
        for edits, minutes in history:
            database.now += timedelta(minutes=minutes)
            for edit in edits:
                try:
                    database.edit(*edit)
                except sqlite3.IntegrityError:
                    assert unique
            landed = watch(made, database, landed)
            assert [stated(one) for one in landed] == in_full(made, database.now)


@pytest.mark.law
@pytest.mark.timeout(300)
@hypothesis_settings(max_examples=8 * EFFORT)
@given(HISTORY, st.lists(st.sampled_from(["North", "crm", "erp", None]), min_size=1, max_size=3))
def test_comparing_everything_with_what_was_landed_lands_the_same_too(
    history: Sequence[tuple[Sequence[tuple[str, str | None, str | None, int]], int]], lists: Sequence[str | None]
) -> None:
    table = {name: value for name, value in TABLE.items() if name != "cursor"}
    with company(tables={"company": table}, system_column="list") as (made, database):
        write_source(made.folder.parent / "beside" / "erp", declared(system="erp"))
        made.beside(["crm", "erp"])
        for key in range(1, 30):
            database.insert(str(key), list=lists[key % len(lists)])
        landed = watch(made, database)
        for edits, _ in history:
            for edit in edits:
                database.edit(*edit)
            landed = watch(made, database, landed)
            assert [stated(one) for one in landed] == in_full(made, database.now)


def many(database: Company) -> None:
    """Rows that were synced three hours ago, and one an hour later."""
    for key in range(1, 41):
        database.insert(key, ago=120 if key == 40 else 200)


def test_only_what_the_cursor_says_is_read_and_only_what_changed_is_written() -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.now += timedelta(days=1)
        database.do("UPDATE company SET name = 'Mill', synced = ? WHERE id = 7", database.stamp())
        database.do("UPDATE company SET name = 'unseen' WHERE id = 8")
        (one,) = watch(made, database, first)
        assert layers.lineage(one.path.parent) == [one.path.parent, first[0].path.parent]
        assert {row["_key"]: row["name"] for row in rows(one.path)} == {
            str(key): "Mill" if key == 7 else "Dale" for key in range(1, 41)
        }
        assert (one.cursor, first[0].cursor) == ("2026-11-03T05:00:00.000000", "2026-11-02T03:00:00.000000")
        (full,) = watch(made, database, [one], full=True)
        assert {row["_key"] for row in rows(full.path) if row["name"] == "unseen"} == {"8"}
        assert layers.lineage(full.path.parent) == [full.path.parent]


def test_a_full_reading_writes_every_row_though_its_version_stands_as_layers() -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.now += timedelta(days=1)
        database.do("UPDATE company SET name = 'Mill', synced = ? WHERE id = 7", database.stamp())
        (one,) = watch(made, database, first)
        (full,) = watch(made, database, [one], full=True)
        assert (full.data_version, rows(full.path)) == (one.data_version, rows(one.path))
        assert layers.lineage(full.path.parent) == [full.path.parent] != layers.lineage(one.path.parent)
        told = layers.touched(full.path, one.path)
        with duckdb.connect() as connection:
            assert connection.execute(f"FROM {told}").fetchall() == []
        for ways in ({}, {"full": True}):
            (again,) = watch(made, database, [full], **ways)
            assert again.path == full.path
        database.do("UPDATE company SET name = 'Beck', synced = ? WHERE id = 8", database.stamp())
        (later,) = watch(made, database, [full])
        assert layers.lineage(later.path.parent) == [later.path.parent, full.path.parent]


def test_a_reading_that_finds_nothing_new_writes_nothing_and_is_later() -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.now += timedelta(hours=3)
        database.do("UPDATE company SET synced = ? WHERE id = 7", database.stamp())
        (one,) = watch(made, database, first)
        assert replace(one, read_at=first[0].read_at, cursor=first[0].cursor) == first[0]
        assert (one.read_at, one.cursor) == (database.now, "2026-11-02T08:00:00.000000")


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM company WHERE id = 9",
        "UPDATE company SET id = 99, synced = '2026-11-03T05:00:00' WHERE id = 9",
        "INSERT INTO company SELECT id, 'Mill', gone, '2026-11-03T05:00:00', list FROM company WHERE id = 9",
    ],
)
def test_where_the_count_does_not_add_up_everything_is_read(change: str) -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.now += timedelta(days=1)
        database.do(change)
        database.insert(50, "Beck")
        assert [stated(one) for one in watch(made, database, first)] == in_full(made, database.now)


def test_a_second_row_of_a_key_is_no_change_of_the_first_whatever_vanished_beside_it() -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.now += timedelta(days=1)
        database.insert(7, "Mill")
        database.do("DELETE FROM company WHERE id = 9")
        (one,) = watch(made, database, first)
        assert one.rejected_count == 1
        assert [stated(one)] == in_full(made, database.now)


@pytest.mark.parametrize("statement", ["ALTER TABLE company ADD COLUMN more", "DROP TABLE company"])
def test_another_table_of_the_same_name_is_read_in_full(statement: str) -> None:
    with company() as (made, database):
        many(database)
        first = watch(made, database)
        database.do(statement)
        if statement.startswith("DROP"):
            again = Company(made.folder)
            many(again)
        database.do("UPDATE company SET name = 'Mill' WHERE id = 7")
        assert [stated(one) for one in watch(made, database, first)] == in_full(made, database.now)


@pytest.mark.parametrize("stamp", ["2 November 2026", "2026-11-02 05:00:00", "2026-11-02T05:00:00Z", 1793595600])
def test_a_cursor_that_does_not_say_times_in_one_form_is_not_gone_by(stamp: object) -> None:
    with company() as (made, database):
        many(database)
        database.do("UPDATE company SET synced = ? WHERE id = 3", stamp)
        first = watch(made, database)
        assert first[0].cursor is None
        database.do("UPDATE company SET name = 'Mill' WHERE id = 7")
        assert [stated(one) for one in watch(made, database, first)] == in_full(made, database.now)


def test_a_row_whose_cursor_says_nothing_is_always_read() -> None:
    with company() as (made, database):
        many(database)
        database.do("UPDATE company SET synced = NULL WHERE id = 3")
        first = watch(made, database)
        assert first[0].cursor is not None
        database.now += timedelta(days=1)
        database.do("UPDATE company SET name = 'Mill' WHERE id = 3")
        assert [stated(one) for one in watch(made, database, first)] == in_full(made, database.now)


@pytest.mark.parametrize(
    ("cursor", "zone", "stamp"),
    [
        ("2026-11-02T01:00:00.5", "UTC", "2026-11-02T00:00:00"),
        ("2026-11-02T04:59:00.5", "UTC", "2026-11-02T03:59:00"),
        ("2026-11-02T09:59:00", "UTC", "2026-11-02T04:00:00"),
        ("2026-11-02 04:59:00+00", "Europe/London", "2026-11-02 03:59:00"),
        ("2026-11-02 08:59:00+02:00", "UTC", "2026-11-02 06:00:00"),
        ("2026-11-02 02:59:00-0430", "UTC", "2026-11-01 23:30:00"),
        ("2026-11-02 06:59:00 UTC", "UTC", "2026-11-02 04:00:00"),
        ("2026-11-02 03:59:00", "America/New_York", "2026-11-01 23:00:00"),
        ("2026-11-02 06:59:00", "Asia/Tokyo", "2026-11-02 04:00:00"),
    ],
)
def test_reading_begins_where_a_row_not_seen_yet_may_stand(tmp_path: Path, cursor: str, zone: str, stamp: str) -> None:
    made = source(tmp_path, declared(tables={"company": TABLE}, timezone=zone))
    last = LandedTable("crm", "crm", "company", tmp_path, tmp_path, "", 0, 0, 0, START, cursor)
    assert since(made, last) == Since(stamp, strictly=False)


@pytest.mark.parametrize(
    ("cursor", "crowd", "begins"),
    [
        ("2026-11-02T01:00:00", "2026-11-02T01:00:00", Since("2026-11-02T01:00:00", strictly=True)),
        ("2026-11-02T01:30:00", "2026-11-02T01:00:00", Since("2026-11-02T01:30:00", strictly=True)),
        ("2026-11-02T02:30:00", "2026-11-02T01:00:00", Since("2026-11-02T01:30:00", strictly=False)),
        ("2026-11-02T04:30:00", "2026-11-02T04:30:00", Since("2026-11-02T03:30:00", strictly=False)),
    ],
)
def test_a_first_sync_is_not_read_again_once_it_is_over(tmp_path: Path, cursor: str, crowd: str, begins: Since) -> None:
    made = source(tmp_path, declared(tables={"company": TABLE}))
    last = LandedTable("crm", "crm", "company", tmp_path, tmp_path, "", 0, 0, 0, START, cursor, crowd)
    assert since(made, last) == begins


def test_a_first_sync_is_known_by_how_many_rows_it_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    with company() as (made, database):
        for key in range(1, 41):
            database.insert(key, ago=120)
        assert watch(made, database)[0].crowd is None
        monkeypatch.setattr("insight.landing.cursor.FEW", 10)
        (first,) = watch(made, database)
        assert first.crowd == first.cursor
        database.now += timedelta(hours=1)
        database.do("UPDATE company SET name = 'unseen' WHERE id = 8")
        database.insert(50, "Beck")
        (one,) = watch(made, database, [first])
        assert {row["name"] for row in rows(one.path)} == {"Dale", "Beck"}
        assert (one.crowd, one.cursor) == (first.cursor, database.stamp())


@pytest.mark.parametrize("key", ["PRIMARY KEY", ""])
def test_postgres_is_read_from_the_cursor_on(postgres_database: str, tmp_path: Path, key: LiteralString) -> None:
    stamped: Mapping[str, Any] = {"company": TABLE | {"overlap": "10m"}}
    made = source(tmp_path, declared({"env": "CRM"}, tables=stamped))  # type: ignore[arg-type]
    with psycopg.connect(postgres_database, autocommit=True) as database, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM", postgres_database)
        database.execute(f"CREATE TABLE company (id BIGINT {key}, name TEXT, gone BOOLEAN, synced TIMESTAMPTZ)")
        database.execute(
            "INSERT INTO company SELECT i, 'Dale', false, '2026-11-02 05:00+00' FROM generate_series(1, 40) i"
        )
        landed: list[LandedTable] = []
        home = settings(tmp_path / "home")
        for hours, statement in enumerate(
            [
                "",
                "UPDATE company SET name = 'Mill', synced = synced + interval '1 hour' WHERE id = 7",
                "UPDATE company SET name = 'unseen' WHERE id = 8",
                "INSERT INTO company VALUES (41, 'Beck', NULL, NULL)",
                "UPDATE company SET gone = true, synced = '2026-11-02 09:00+00' WHERE id = 9",
                "DELETE FROM company WHERE id = 10",
                "TRUNCATE company",
            ]
        ):
            now = START + timedelta(hours=hours)
            if statement:
                database.execute(statement)
            landed = land(made, home, now, before=landed)
            unseen = statement.startswith("UPDATE company SET name = 'unseen'") or hours in {3, 4}
            same = [stated(one) for one in landed] == in_full(made, now)
            assert same != unseen, statement


def test_a_cursor_that_the_source_lacks_is_done_without() -> None:
    table = {"key": ["id"], "columns": ["name"], "cursor": "synced_at"}
    with company(tables={"company": table}) as (made, database):
        many(database)
        first = watch(made, database)
        assert (first[0].cursor, first[0].known_by) == (None, "")
        database.do("UPDATE company SET name = 'Mill' WHERE id = 7")
        (one,) = watch(made, database, first)
        assert [row["name"] for row in rows(one.path)].count("Mill") == 1
        assert len(layers.lineage(one.path.parent)) == 2


def test_the_shipped_sources_say_what_they_are_read_by() -> None:
    for made in load_sources(Path("insight/sources")):
        assert {table.cursor for table in made.tables.values()} == {"_fivetran_synced"}
        assert all(table.concerns is not None for table in made.tables.values())
