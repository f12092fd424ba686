"""What people were told, from the command line."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.store.engine import open_store
from orchestration.work.notify import notify
from tests.integration.cli.conftest import Precede


def test_what_was_not_sent_is_shown_until_it_is(precede: Precede, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PRECEDE_NOTIFY", raising=False)
    with closing(open_store(Settings(home=home))) as store, store.begin() as connection:
        notify(connection, "stop", {"agent": "finance"}, datetime(2026, 11, 2, 9, 0, tzinfo=UTC))
    shown = precede("notifications", "--send")
    assert shown.code == 0
    assert "not sent" in shown.out
    assert "agent=finance" in shown.out
    assert "PRECEDE_NOTIFY names no program to send them: they are kept." in shown.out
    monkeypatch.setenv("PRECEDE_NOTIFY", "/bin/false")
    assert "ended with 1" in precede("notifications", "--send").out
    [one] = precede("notifications", "--json").json
    assert (one["kind"], one["body"], one["attempts"]) == ("stop", {"agent": "finance"}, 1)
    assert "Nobody was to be told" not in precede("notifications", "--all").out
