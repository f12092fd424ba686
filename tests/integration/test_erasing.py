"""A person is erased from a home in which everything ran: no file says who they were, and nothing brings them back.

Their rows stay in the source systems, which nobody here may write to.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import insight.definitions
from orchestration.erasure.erase import erase, finish
from orchestration.erasure.suppression import ROW, load
from orchestration.graph.current import open_current
from orchestration.store import tables
from tests.integration.house import LOCATIONS, House

ADDRESS, TITLE = "7 Zephyrine Quillrow", "Xylographer of Quillrow"
SYNCED = "2030-01-01T00:00:00.000000"


@pytest.fixture
def house(settled_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    home = tmp_path / "home"
    shutil.copytree(settled_home, home)
    for file in (*home.glob("stages/handed/**/*.json"), *home.glob("**/layer.json")):
        file.write_text(file.read_text().replace(str(settled_home), str(home)))  # its folders are where it is now
    monkeypatch.setitem(LOCATIONS, "erase", insight.definitions)
    return House(home, monkeypatch)


def asked(house: House, sql: str, *values: Any) -> list[dict[str, Any]]:
    with closing(house.store) as store, open_current(store, house.settings) as graph:
        return graph.rows(sql, list(values))


def reminded(house: House) -> dict[str, Any]:
    """A contact of the CRM who was sent a reminder and is nobody's namesake, with a title and an address of theirs."""
    recipients = [row["tool_arguments"]["recipient"] for row in house.rows(tables.outbox)]
    [found] = asked(
        house,
        "SELECT p.* FROM person_record AS p WHERE system = 'crm' AND email IN (SELECT unnest(?)) AND phone IS NOT NULL "
        "ORDER BY ALL LIMIT 1",
        recipients,
    )
    house.do(
        "crm",
        f"UPDATE contact SET property_jobtitle = '{TITLE}', property_address = '{ADDRESS}', "
        f"_fivetran_synced = '{SYNCED}' WHERE id = {found['source_key']}",
    )
    return found


def holding(home: Path, texts: list[str]) -> set[str]:
    """The files that hold one of those texts: as bytes, or as a value in Parquet or DuckDB, where texts are packed."""
    found = set()
    with duckdb.connect() as connection:
        for file in home.rglob("*"):
            if file.is_file() and "northgate" not in file.relative_to(home).parts[:1]:
                content = file.read_bytes()
                if file.suffix == ".parquet":
                    content += str(connection.execute(f"FROM read_parquet('{file}')").fetchall()).encode()
                if file.suffix == ".duckdb":
                    content += b"".join(packed(file))
                if any(text.encode() in content for text in texts):
                    found.add(str(file.relative_to(home)))
    return found


def packed(file: Path) -> list[bytes]:
    with duckdb.connect(str(file), read_only=True) as connection:
        names = connection.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        return [str(connection.execute(f'FROM "{schema}"."{name}"').fetchall()).encode() for schema, name in names]


def test_nothing_says_who_they_were_and_nothing_brings_them_back(house: House) -> None:
    person = reminded(house)
    house.run("reconcile")
    texts = [person["email"], person["phone"], ADDRESS, TITLE]
    home, who = house.settings.home, f"crm:contact:{person['source_key']}"
    before = holding(home, texts)
    assert {part.split("/")[0] for part in before} >= {"graph", "landing", "stages", "store.db", "graph.duckdb"}
    delivered = asked(house, "SELECT sum(row_count) AS rows FROM snapshot_source")[0]["rows"]
    now = datetime.now(UTC)
    with closing(house.store) as store:
        erase(store, house.settings, who, operator="ada", reason="They asked for it.", now=now)
        assert finish(store, house.settings, lambda: house.run("erase") and None, now)
    assert holding(home, texts) == set()
    assert house.problems() == []
    # the next reading has their row before it, and a new one, by which they are known as well
    mine = "id, name, email, phone, role, verified, created_at, updated_at, _fivetran_synced"
    said = f"987654, 'Somebody Else', '{person['email'].upper()}', NULL, 'end-user', 1"
    house.do("support", f"INSERT INTO \"user\" ({mine}) VALUES ({said}, '{SYNCED}', '{SYNCED}', '{SYNCED}')")
    house.run("reconcile")
    assert holding(home, [*texts, person["email"].upper()]) == set()
    assert asked(house, "SELECT 1 FROM crosswalk WHERE record_id IN (?, 'support:user:987654')", who) == []
    [account] = asked(
        house,
        "SELECT sum(row_count)::BIGINT AS rows, sum(suppressed)::BIGINT AS suppressed, "
        "sum(unaccounted)::BIGINT AS lost FROM snapshot_source",
    )
    assert account["suppressed"] > 0
    assert account["lost"] == 0
    assert account["rows"] + account["suppressed"] == delivered + 1
    [(there,)] = house.do("crm", f"SELECT property_email FROM contact WHERE id = {person['source_key']}")
    assert there.casefold() == person["email"]
    with closing(house.store) as store:  # from now on the new row is not even landed
        assert load(store, house.settings).holds(ROW, "support:user:987654")
    assert house.problems() == []


def test_without_the_key_nothing_is_read_so_that_nobody_comes_back(house: House) -> None:
    person = reminded(house)
    with closing(house.store) as store:
        who = f"crm:contact:{person['source_key']}"
        erase(store, house.settings, who, operator="ada", reason="They asked for it.", now=datetime.now(UTC))
    house.settings.suppression_key.unlink()
    house.run("reconcile", fails=True)
    assert sqlite3.connect(house.settings.home / "store.db").execute("SELECT count(*) FROM suppression").fetchone()[0]
