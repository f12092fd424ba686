"""One home in which everything ran, for all tests that begin there: it takes the better part of a minute."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def settled_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as `house.settle` leaves it; tests work on copies of it."""
    from tests.integration.house import settle  # noqa: PLC0415  every test here would wait for Dagster otherwise

    home = tmp_path_factory.mktemp("settled")
    settle(home)
    return home
