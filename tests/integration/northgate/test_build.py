"""Northgate is built whole, from its seed alone, in SQLite or in Postgres."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi
import adbc_driver_sqlite.dbapi
import duckdb
import pytest

from examples.northgate.build import Targets, build, ensure
from examples.northgate.plan import RECORDS, Plan
from examples.northgate.write import SYSTEMS
from orchestration.errors import ConfigurationError
from orchestration.settings import PROJECT
from tests.integration.northgate.conftest import open_tables

SMALL = Plan(records=600)
Rows = dict[str, list[tuple[object, ...]]]


def rows_of(out: Path) -> Rows:
    """Every table's rows, in the order in which they stand."""
    rows: Rows = {}
    for system, tables in SYSTEMS.items():
        with adbc_driver_sqlite.dbapi.connect(str(out / f"{system}.db")) as source, source.cursor() as cursor:
            for table in tables:
                cursor.execute(f'SELECT * FROM "{table}"')
                rows[f"{system}.{table}"] = cursor.fetchall()
    return rows


def digest(rows: Rows) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


@pytest.mark.parametrize("way", ["A", "B"])
def test_the_same_seed_gives_the_same_content_and_another_another(tmp_path: Path, way: str) -> None:
    assert way in ("A", "B")
    plans = {
        "first": Plan(records=600, way=way),  # type: ignore[arg-type]
        "again": Plan(records=600, way=way),  # type: ignore[arg-type]
        "other": Plan(records=600, way=way, seed=7),  # type: ignore[arg-type]
    }
    made = {}
    for name, plan in plans.items():
        build(plan, Targets(tmp_path / name))
        made[name] = (
            digest(rows_of(tmp_path / name)) + (tmp_path / f"{name}-truth" / "truth.parquet").read_bytes().hex()
        )

    assert made["first"] == made["again"]
    assert made["first"][:64] != made["other"][:64]


def test_the_two_ways_of_making_dirt_spoil_differently(tmp_path: Path) -> None:
    build(SMALL, Targets(tmp_path / "a"))
    build(Plan(records=600, way="B"), Targets(tmp_path / "b"))

    assert digest(rows_of(tmp_path / "a")) != digest(rows_of(tmp_path / "b"))


def test_counts_are_near_what_was_asked_for(tables: duckdb.DuckDBPyConnection) -> None:
    records = sum(
        tables.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
        for table in (
            "crm_company",
            "crm_contact",
            "erp_customer",
            "erp_vendor",
            "support_organization",
            "support_user",
        )
    )
    hanging = ("crm_deal", "crm_engagement_note", "erp_transaction", "support_ticket", "support_ticket_comment")
    facts = sum(tables.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] for table in hanging)

    assert RECORDS * 0.9 < records < RECORDS * 1.1
    assert 2.5 < facts / records < 4


def test_every_row_of_the_truth_is_a_row_of_a_table(tables: duckdb.DuckDBPyConnection) -> None:
    for system, table in (
        ("crm", "company"), ("crm", "contact"), ("erp", "customer"), ("erp", "vendor"),
        ("support", "organization"), ("support", "user"),
    ):  # fmt: skip
        strays = tables.execute(
            f"SELECT count(*) FROM truth ANTI JOIN {system}_{table} AS held ON held.id::VARCHAR = source_key "
            "WHERE system = $system AND source_table = $table",
            {"system": system, "table": table},
        ).fetchall()[0][0]
        assert strays == 0


def test_keys_are_unique(tables: duckdb.DuckDBPyConnection) -> None:
    for table, key in (
        ("crm_company", "id"), ("crm_contact", "id"), ("crm_deal", "deal_id"), ("crm_engagement", "id"),
        ("erp_transaction", "id"), ("erp_transaction_line", "uniquekey"), ("erp_entity_address", "nkey"),
        ("support_organization", "id"), ("support_user", "id"), ("support_ticket", "id"),
        ("support_ticket_comment", "id"),
    ):  # fmt: skip
        counted, distinct = tables.execute(f"SELECT count(*), count(DISTINCT {key}) FROM {table}").fetchall()[0]
        assert counted == distinct, table
    shared = tables.execute("SELECT count(*) FROM erp_customer JOIN erp_vendor USING (id)").fetchall()[0][0]
    assert shared == 0


def test_invoices_fall_due_on_both_sides_of_the_day_asked_for(tmp_path: Path) -> None:
    build(Plan(records=600, as_of=date(2025, 6, 30)), Targets(tmp_path / "past"))
    with open_tables(tmp_path / "past") as con:
        earliest, latest, issued = con.execute("""
            SELECT min(TRY_CAST(duedate AS TIMESTAMP))::DATE, max(TRY_CAST(duedate AS TIMESTAMP))::DATE,
                max(TRY_CAST(trandate AS TIMESTAMP))::DATE
            FROM erp_transaction WHERE type = 'CustInvc'
        """).fetchall()[0]

    assert earliest < date(2025, 6, 30) < latest
    assert issued <= date(2025, 6, 30)


def test_what_is_there_is_not_built_again(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ensure(home)
    before = {file.name: file.stat().st_mtime_ns for file in (home / "northgate").iterdir()}
    ensure(home)

    assert before == {file.name: file.stat().st_mtime_ns for file in (home / "northgate").iterdir()}
    assert set(before) == {"crm.db", "erp.db", "support.db"}


def test_the_truth_is_kept_outside_the_home_that_processes_are_told_of(tmp_path: Path) -> None:
    ensure(tmp_path / "home")

    assert not list((tmp_path / "home").rglob("*truth*"))
    assert (tmp_path / "home-truth" / "truth.parquet").exists()


def test_a_build_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    build(SMALL, Targets(tmp_path / "northgate"))
    before = rows_of(tmp_path / "northgate")
    with pytest.raises(ConfigurationError, match="one that can be reached and is empty"):
        build(
            Plan(records=600, seed=3),
            Targets(tmp_path / "northgate", {"support": "postgresql://nobody@localhost:1/none"}),
        )

    assert rows_of(tmp_path / "northgate") == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["northgate", "northgate-truth"]


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "northgate").mkdir()
    (tmp_path / "northgate" / "mine.txt").write_text("kept")
    build(SMALL, Targets(tmp_path / "northgate"))

    assert (tmp_path / "northgate" / "mine.txt").read_text() == "kept"
    assert (tmp_path / "northgate" / "crm.db").exists()


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "examples.northgate", "--records", "600", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_tells_what_it_made(tmp_path: Path) -> None:
    made = command("--out", str(tmp_path / "northgate"), "--dirt", "B")

    assert made.returncode == 0, made.stderr
    assert "transaction_line" in made.stdout
    assert (tmp_path / "northgate-truth" / "truth.parquet").exists()


def test_the_command_refuses_a_url_of_another_kind_in_a_sentence(tmp_path: Path) -> None:
    refused = command("--out", str(tmp_path / "northgate"), "--crm", "mysql://host/db")

    assert refused.returncode == 1
    assert "found 'mysql'; needed sqlite:///PATH" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr


@pytest.fixture
def schemas(postgres_database: str) -> dict[str, str]:
    with (
        adbc_driver_postgresql.dbapi.connect(postgres_database, autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        for system in SYSTEMS:
            cursor.execute(f"CREATE SCHEMA {system}")
    return {system: f"{postgres_database}&options=-csearch_path%3D{system}" for system in SYSTEMS}


def test_postgres_and_sqlite_hold_the_same_rows(tmp_path: Path, schemas: dict[str, str]) -> None:
    build(SMALL, Targets(tmp_path / "files"))
    build(SMALL, Targets(tmp_path / "servers", schemas))
    files = rows_of(tmp_path / "files")

    assert not (tmp_path / "servers").exists()
    for system, url in schemas.items():
        with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
            for table in SYSTEMS[system]:
                cursor.execute(f'SELECT * FROM "{table}"')
                served = [tuple(_plain(value) for value in row) for row in cursor.fetchall()]
                assert served == files[f"{system}.{table}"], table


def test_tables_that_are_there_are_not_overwritten(tmp_path: Path, schemas: dict[str, str]) -> None:
    build(SMALL, Targets(tmp_path / "servers", schemas))
    with pytest.raises(ConfigurationError, match="needed one that can be reached and is empty"):
        build(SMALL, Targets(tmp_path / "servers", schemas))


def _plain(value: object) -> object:
    """A value of Postgres as SQLite keeps it."""
    if isinstance(value, bool):
        return int(value)
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f") if hasattr(value, "strftime") else value
