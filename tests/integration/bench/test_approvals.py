"""The simulation of `make bench-approvals`, made small: what it prints is what happened."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.approvals import as_dict, simulate


def test_approvals_survive_what_is_not_read_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PRECEDE_STORE_URL", "PRECEDE_AGENTS", "PRECEDE_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    found = simulate(tmp_path, debtors=40, held=20, hours=4, every=120, per_day=30, relevant=0.5)
    assert (found.approved, found.graphs, found.survived, found.untouched) == (20, 2, 10, 10)
    assert sum(found.happened.values()) == 10
    assert found.voided == found.happened
    assert found.after_policy == 0
    assert min(found.changes.values()) > 10
    assert as_dict(found)["reached"]
