from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.identity.person import Role
from orchestration.ledger.chain import append
from orchestration.settings import Settings
from orchestration.store.engine import open_store
from tests.identified import signed_in
from tests.integration.cli.conftest import Precede


def test_an_operator_says_that_the_clock_was_ahead(
    precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_store(Settings(home=home))) as store, store.begin() as connection:
        append(connection, "note", {"said": "of the future"}, at=datetime.now(UTC) + timedelta(hours=1))
    signed_in(monkeypatch, "rita", Role.REVIEWER)
    assert "needed operator" in precede("ledger", "clock", "--reason", "It was reset.").err
    signed_in(monkeypatch, "olga", Role.OPERATOR)
    assert precede("ledger", "clock", "--reason", " ").code == 1
    assert "Recorded: entry 1 of" in precede("ledger", "clock", "--reason", "It was reset.").out
    assert precede("ledger", "clock", "--reason", "Again.", "--json").json is None
    assert (
        precede("ledger", "clock", "--reason", "Again.").out
        == "No entry is later than it is now; nothing is recorded.\n"
    )
