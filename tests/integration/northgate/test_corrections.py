"""The CRM's tool: it writes a right number over the one that a permit names, and over nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from examples.northgate.tools.corrections import Crm
from orchestration.contracts import ActionId, OutcomeState, Permit, SnapshotId, ToolResult
from orchestration.gate.permits import sign

KEY = Ed25519PrivateKey.generate()
NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
RIGHT, WRONG = "GB980780684", "GB220430231"
ARGUMENTS: dict[str, str | int | bool] = {"company": "1", "found": WRONG, "right": RIGHT}


class Books:
    """The CRM with one company in it, and its tool over it."""

    def __init__(self, path: Path, number: str | None, *, deleted: int = 0) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE company (id, property_vat_number, is_deleted, _fivetran_synced)")
            connection.execute(
                "INSERT INTO company VALUES (1, ?, ?, 'then'), (2, ?, 0, 'then')", (number, deleted, WRONG)
            )
        self.crm = Crm(f"sqlite:///{path}", KEY.public_key())

    def stated(self) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute("SELECT property_vat_number FROM company ORDER BY id")]

    def call(self, *, at: datetime = NOW, key: Ed25519PrivateKey = KEY, **arguments: str | int | bool) -> ToolResult:
        permit = Permit(
            permit_id="p",
            action=ActionId("a"),
            agent="steward",
            action_type="correct_vat_number",
            tool_server="crm",
            tool="write_vat_number",
            tool_arguments=ARGUMENTS,
            effect_key="vat",
            entities=(),
            facts=(),
            contact_points=(),
            read_set_digest="d",
            snapshot_id=SnapshotId("s"),
            issued_at=NOW,
            expires_at=NOW + timedelta(minutes=15),
        )
        return self.crm.write_vat_number({**ARGUMENTS, **arguments}, "vat", sign(permit, key), lambda: at)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    return tmp_path / "crm.db"


@pytest.mark.parametrize("written", [WRONG, "GB 220 4302 31", "gb220430231", "220430231"])
def test_a_number_is_written_over_the_one_found_however_that_is_written(folder: Path, written: str) -> None:
    books = Books(folder, written)
    result = books.call()
    assert (result.state, result.reference, result.repeated) == (OutcomeState.DONE, "company:1", False)
    assert books.stated() == [RIGHT, WRONG]
    assert books.call(at=NOW + timedelta(hours=1)).repeated
    books.crm.close()


@pytest.mark.parametrize("number", ["GB333289454", None, ""])
def test_what_the_decision_did_not_rest_on_is_left_as_it_is(folder: Path, number: str | None) -> None:
    books = Books(folder, number)
    assert books.call().state is OutcomeState.FAILED
    assert books.stated() == [number, WRONG]
    books.crm.close()


def test_without_a_permit_for_this_very_call_in_time_nothing_is_written(folder: Path) -> None:
    books = Books(folder, WRONG)
    for result in (
        books.call(key=Ed25519PrivateKey.generate()),
        books.call(company="2"),
        books.call(right="GB333289454"),
        books.call(at=NOW + timedelta(minutes=15)),
        books.call(at=NOW - timedelta(seconds=1)),
    ):
        assert result.state is OutcomeState.FAILED
    assert books.stated() == [WRONG, WRONG]
    books.crm.close()


def test_a_company_that_is_gone_is_not_written(folder: Path) -> None:
    books = Books(folder, WRONG, deleted=1)
    assert books.call().state is OutcomeState.FAILED
    books.crm.close()
