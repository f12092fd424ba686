"""A second process reads what the store's rows say, and nothing is found otherwise by that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from orchestration.ledger import agreement, aside, committed
from orchestration.ledger.subjects import EVIDENCE, Subject, Told
from orchestration.ledger.verify import record_of, verify
from orchestration.store import tables
from orchestration.store.engine import Store


def test_two_processes_find_what_one_finds(told: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with told.begin() as connection:
        connection.execute(text("UPDATE decision SET policy_digest = 'another'"))
        connection.execute(text("UPDATE evidence SET kept_at = '2020-01-01 00:00:00.000000'"))
        alone = record_of(connection)
    assert {"decision", "evidence"} <= set(" ".join(alone.problems).split())
    monkeypatch.setattr(aside, "MANY", 1)
    monkeypatch.setattr(agreement, "told_by_store", _not_here)
    assert verify(told, None) == alone


def test_what_was_read_of_another_state_counts_for_nothing(told: Store) -> None:
    with told.read() as connection:
        here = aside.head(connection)
        said = dict(agreement.told_by_store(connection, {}))
    read = aside.read(told.url, here)
    assert read is not None
    assert [Subject(*each) for each in zip(*read[:2], strict=True)] == list(said)
    assert read[2] == list(said.values())
    for other in ((here[0], "0" * 64, here[2]), (*here[:2], 0), (0, "", 0)):
        assert aside.read(told.url, other) is None


def test_evidence_of_earlier_versions_is_read_as_they_told_it(told: Store) -> None:
    with told.read() as connection:
        rows = [dict(row) for row in connection.execute(tables.evidence.select()).mappings()]
        assert rows
        ledger = {
            Subject(EVIDENCE, row["action"]): Told(committed.of_evidence(row), (1, "decision", "then")) for row in rows
        }
        read = {subject: said for subject, said in agreement.told_by_store(connection, {}) if subject in ledger}
        assert len(list(agreement.differences(ledger, read))) == len(rows)
        assert not list(agreement.differences(ledger, aside.as_told(connection, ledger, read)))


def _not_here(_connection: Connection, _ledger: Any) -> Iterator[Any]:
    raise AssertionError("the first process read it too")
