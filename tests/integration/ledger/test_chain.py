from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from orchestration.ledger.chain import GENESIS, append, commitment, entry_hash, said
from orchestration.ledger.verify import verify
from orchestration.settings import Settings
from orchestration.store.engine import Store, open_store
from orchestration.store.tables import ledger_entry, ledger_payload
from tests.integration.store.processes import PROCESSES, race

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def test_entries_are_numbered_from_one_and_each_names_the_hash_before_it(either: Store) -> None:
    with either.begin() as connection:
        assert [append(connection, "note", {"n": n}, at=NOW) for n in range(3)] == [1, 2, 3]
    with either.read() as connection:
        rows = connection.execute(select(ledger_entry).order_by(ledger_entry.c.seq)).all()
    assert [row.previous for row in rows] == [GENESIS, rows[0].hash, rows[1].hash]
    assert all(row.hash == entry_hash(row.body.encode()) for row in rows)


def test_an_entry_says_what_it_was_given_and_when(either: Store) -> None:
    paris = NOW.astimezone(datetime.now().astimezone().tzinfo) + timedelta(microseconds=7)
    with either.begin() as connection:
        append(connection, "decision", {"verdict": "deny"}, at=paris, action="act_1")
    with either.read() as connection:
        row = connection.execute(select(ledger_entry)).one()
    assert said(row.body) == {
        "verdict": "deny",
        "seq": 1,
        "kind": "decision",
        "at": "2026-11-02T09:00:00.000007Z",
        "action": "act_1",
        "previous": GENESIS,
        "commitment": None,
    }
    assert (row.at, row.action) == (paris, "act_1")


def test_a_payload_is_committed_to_and_not_told(either: Store) -> None:
    with either.begin() as connection:
        for _ in range(2):
            append(connection, "decision", {}, at=NOW, payload={"mailbox": "ada@example.com"})
    with either.read() as connection:
        bodies = [row.body for row in connection.execute(select(ledger_entry).order_by(ledger_entry.c.seq))]
        payloads = connection.execute(select(ledger_payload).order_by(ledger_payload.c.seq)).all()
    assert "ada@" not in "".join(bodies)
    promised = [said(body)["commitment"] for body in bodies]
    assert promised == [commitment(row.salt, row.payload.encode()) for row in payloads]
    assert promised[0] != promised[1], "the same payload twice must not be recognised"


def test_a_transaction_that_fails_leaves_no_gap(either: Store) -> None:
    with either.begin() as connection:
        append(connection, "note", {}, at=NOW)

    def halfway() -> None:
        with either.begin() as connection:
            append(connection, "note", {}, at=NOW)
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        halfway()
    with either.begin() as connection:
        assert append(connection, "note", {}, at=NOW) == 2
    assert verify(either, None).ok


def test_a_mailbox_in_a_body_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="holds a mailbox"), store.begin() as connection:
        append(connection, "note", {"reasons": [{"subject": "ada@example.com"}]}, at=NOW)


def test_a_body_cannot_speak_for_the_chain(store: Store) -> None:
    with pytest.raises(ValueError, match="may not say previous, seq"), store.begin() as connection:
        append(connection, "note", {"seq": 9, "previous": "0"}, at=NOW)


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="no zone"), store.begin() as connection:
        append(connection, "note", {}, at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_eight_processes_append_without_a_gap(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.delenv("PRECEDE_STORE_URL", raising=False)
    if database == "postgres":
        monkeypatch.setenv("PRECEDE_STORE_URL", request.getfixturevalue("postgres_database"))
    race(tmp_path, 25)
    store = open_store(Settings(home=tmp_path))
    with store.read() as connection:
        bodies = [said(body) for body in connection.execute(select(ledger_entry.c.body)).scalars()]
    found = verify(store, None)
    assert (found.ok, found.entries) == (True, 25 * PROCESSES)
    assert {(body["process"], body["number"]) for body in bodies} == {
        (p, n) for p in range(PROCESSES) for n in range(25)
    }
