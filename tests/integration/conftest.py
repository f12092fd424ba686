"""One home in which everything ran, which takes the better part of a minute, and where real lists are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestration.work.alone import alone
from tests.beside import LISTS


@pytest.fixture(scope="session")
def settled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `house.settle` leaves it, made by the first process that asks; tests work on copies of it."""
    from tests.integration.house import settle  # noqa: PLC0415  every test here would wait for Dagster otherwise

    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours
    home, made = shared / "settled", shared / "settled.made"
    with alone(shared, "settle"):
        if not made.exists():
            settle(home)
            made.touch()
    return home


@pytest.fixture
def real_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Say where the lists are that the source folders of others' lists read."""
    for variable, folder in LISTS.items():
        monkeypatch.setenv(variable, str(folder))
