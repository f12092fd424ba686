"""Rows and values of people who were erased are left out before anything is written, and counted."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from insight.landing import LandedTable, land
from insight.records import conform
from insight.sources.source import Source
from orchestration.erasure.suppression import (
    BETWEEN,
    CELL,
    MAILBOX,
    MAILBOX_NAME,
    NOBODY,
    PHONE_NAME,
    ROW,
    TOUCHED,
    Suppression,
    add,
    found_again,
    keyed,
    load,
    mailbox,
    mailbox_name,
    phone_name,
    read_key,
    sql_digest,
    sql_mailbox,
)
from orchestration.errors import ConfigurationError
from orchestration.graph.model import RECORD_TYPES
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.integration.sources.folders import declared, rows, settings, source, write_sqlite

NOW = datetime(2026, 11, 2, tzinfo=UTC)
KEY = hashlib.sha256(b"a key").digest()
CONTACTS = [
    {"id": 1, "name": "Ada Byron", "email": "ada@one.example", "phone": "+44 20 7946 0001", "note": "likes tea"},
    {"id": 2, "name": "Ben Dale", "email": "ben@two.example", "phone": "+44 20 7946 0002", "note": "Ada Byron's chief"},
    {"id": 3, "name": "Cleo Fern", "email": "c@three.example", "phone": None, "note": "ask <ADA+x@one.example>, soon"},
]
COLUMNS = ["name", "email", "phone", "note"]
STATED = declared(
    tables={"contact": {"key": ["id"], "columns": COLUMNS}},
    asserts={"person": {"default": "staff"}},
)
PERSON = "SELECT 'contact' AS source_table, _key AS source_key, name, email, phone FROM contact"


def of(*values: tuple[str, str]) -> Suppression:
    return Suppression(KEY, frozenset(keyed(KEY, *value) for value in values), "v" * len(values))


def read(folder: Path, suppression: Suppression, contacts: list[dict[str, object]] | None = None) -> LandedTable:
    (one,) = land(contact(folder, contacts), settings(folder / "home"), suppression=suppression)
    return one


def contact(folder: Path, contacts: list[dict[str, object]] | None = None) -> Source:
    made = source(folder, STATED, person=PERSON)
    write_sqlite(folder / "crm.db", contact=contacts or CONTACTS)
    return made


def test_a_suppressed_row_is_not_landed_and_is_counted(tmp_path: Path) -> None:
    one = read(tmp_path, of((ROW, "crm:contact:1")))
    assert [row["_key"] for row in rows(one.path)] == ["2", "3"]
    assert (one.row_count, one.suppressed_count, one.rejected_count) == (2, 1, 0)


def test_a_suppressed_value_is_left_out_of_its_row_alone(tmp_path: Path) -> None:
    one = read(tmp_path, of((TOUCHED, "crm:contact:2"), (CELL, f"crm:contact:2{BETWEEN}note")))
    assert [row["note"] for row in rows(one.path)] == ["likes tea", None, CONTACTS[2]["note"]]


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("mail=ada@one.example|c@three.example", "mail=suppressed:mailbox|c@three.example"),
        ("https://one.example/?to=ada@one.example&x=1", "https://one.example/?to=suppressed:mailbox&x=1"),
        ("at\u00a0ada@one.example", "at\u00a0suppressed:mailbox"),
        ("canada@one.example, ada@one.example", "canada@one.example, suppressed:mailbox"),
        ("ada@one.example.org", "ada@one.example.org"),
    ],
)
def test_a_mailbox_is_found_within_a_text_and_in_no_other_mailbox(tmp_path: Path, said: str, left: str) -> None:
    contacts: list[dict[str, object]] = [{**CONTACTS[0], "note": said}]
    one = read(tmp_path, of((MAILBOX, "ada@one.example")), contacts)
    assert [row["note"] for row in rows(one.path)] == [left]


def test_whose_mailbox_begins_with_one_that_is_suppressed_stays(tmp_path: Path) -> None:
    contacts: list[dict[str, object]] = [{**CONTACTS[0], "email": "ada@one.example.org"}, CONTACTS[0] | {"id": 9}]
    one = read(tmp_path, of((MAILBOX, "ada@one.example")), contacts)
    assert [row["email"] for row in rows(one.path)] == ["ada@one.example.org", "suppressed:mailbox"]


def test_a_suppressed_mailbox_is_struck_out_wherever_it_stands(tmp_path: Path) -> None:
    one = read(tmp_path, of((MAILBOX, mailbox("Ada@One.example"))))
    first, _, third = rows(one.path)
    assert first["email"] == "suppressed:mailbox"
    assert third["note"] == "ask <suppressed:mailbox>, soon"
    assert first["_row_hash"] == one_hash(first)


def one_hash(row: dict[str, str]) -> str:
    """The hash of a row as the graph makes it again of its columns."""
    with duckdb.connect() as connection:
        values = [row[name] for name in ("id", *COLUMNS)]
        return str(connection.execute("SELECT sha256(to_json(?)::VARCHAR)", [values]).fetchall()[0][0])


@pytest.mark.parametrize(
    "known_by",
    [
        (MAILBOX, mailbox("ada@one.example")),
        (PHONE_NAME, phone_name("+442079460001", "Byron, Ada")),
        (MAILBOX_NAME, mailbox_name("Ada@One.example", "Byron, Ada")),
    ],
)
def test_no_record_is_made_of_somebody_known_by_mailbox_or_phone_and_name(
    tmp_path: Path, known_by: tuple[str, str]
) -> None:
    suppression = of(known_by)
    made = contact(tmp_path)
    landed = land(made, settings(tmp_path / "home"), suppression=suppression)
    person = RECORD_TYPES["person"]
    organisations = conform.build(RECORD_TYPES["organisation"], [made], landed, {}, None, settings(tmp_path / "home"))
    built = conform.build(
        person,
        [made],
        landed,
        {"organisation": organisations},
        None,
        settings(tmp_path / "home"),
        suppression=suppression,
    )
    assert [row["record_id"] for row in rows(built.record)] == ["crm:contact:2", "crm:contact:3"]
    [quarantined] = rows(built.quarantine)
    assert (quarantined["record_id"], quarantined["reason"], quarantined["row"]) == (
        "crm:contact:1",
        "suppressed",
        "{}",
    )


def test_who_shares_a_mailbox_with_somebody_erased_stays(tmp_path: Path) -> None:
    suppression = of((MAILBOX_NAME, mailbox_name("ada@one.example", "Carla Byron")))
    made = contact(tmp_path)
    landed = land(made, settings(tmp_path / "home"), suppression=suppression)
    assert next(row["email"] for row in rows(landed[0].path)) == "ada@one.example"
    shape, home = RECORD_TYPES["person"], settings(tmp_path / "home")
    organisations = conform.build(RECORD_TYPES["organisation"], [made], landed, {}, None, home)
    built = conform.build(shape, [made], landed, {"organisation": organisations}, None, home, suppression=suppression)
    assert rows(built.quarantine) == []


def test_a_phone_alone_and_a_name_alone_are_nobody(tmp_path: Path) -> None:
    suppression = of((PHONE_NAME, phone_name("+442079460001", "Ben Dale")))
    assert not suppression.holds(PHONE_NAME, phone_name("+442079460002", "Ben Dale"))
    assert suppression.holds(PHONE_NAME, phone_name("+44 20 7946 0001", "DALE, Ben"))
    assert not NOBODY.holds(PHONE_NAME, "")
    assert read(tmp_path, NOBODY).suppressed_count == 0


@pytest.mark.parametrize("text", ["Ada@One.example", " a+b+c@d.e ", "+x@y.z", "ünï@côdé.example"])
def test_the_database_makes_the_digests_that_python_makes(text: str) -> None:
    with duckdb.connect() as connection:
        asked = f"SELECT {sql_digest(MAILBOX, sql_mailbox('$text'))}, {sql_digest(ROW, '$text')}"
        found = connection.execute(asked, {**Suppression(KEY).pads(), "text": text}).fetchall()
    assert found == [(keyed(KEY, MAILBOX, mailbox(text)), keyed(KEY, ROW, text))]


def test_what_is_suppressed_since_is_left_out_though_nothing_changed(tmp_path: Path) -> None:
    made, home = contact(tmp_path), settings(tmp_path / "home")
    before = land(made, home)
    (after,) = land(made, home, before=before, suppression=of((ROW, "crm:contact:1")))
    assert [row["_key"] for row in rows(after.path)] == ["2", "3"]
    assert list(after.path.parent.glob("layer.json"))
    with duckdb.connect() as connection:  # nothing that it lies on holds the row
        assert connection.execute(f"SELECT count(*) FROM read_parquet('{after.path}')").fetchall() == [(2,)]


def test_nothing_is_read_without_the_key_or_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    home = Settings(home=tmp_path)
    store = open_store(home)
    assert load(store, home) == NOBODY
    key = read_key(home.suppression_key, make=True)
    with store.begin() as connection:
        add(connection, key, [(ROW, "crm:contact:1")], NOW)
    assert found_again(store, home, ["crm:contact:1", "crm:contact:9"], NOW) == 1
    assert load(store, home).holds(ROW, "crm:contact:9")
    assert verify(store, None).problems == ()
    home.suppression_key.write_text("ab" * 32)
    with pytest.raises(ConfigurationError, match="another key"):
        load(store, home)
    home.suppression_key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="everybody may read"):
        load(store, home)
    home.suppression_key.unlink()
    with pytest.raises(ConfigurationError, match="would come back"):
        load(store, home)
    store.close()
